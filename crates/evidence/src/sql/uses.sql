-- What credentials did: a row for each credential, kind of program and day (CloudTrail only).
WITH {{events}},

-- Calls, with whose they are as far as the record itself says.
calls AS (
  SELECT
    *,
    substr(time, 1, 10) AS day,
    BIT(CAST(substr(time, 12, 2) AS integer)) AS hour_bit,
    BIT(CAST(substr(time, 15, 2) AS integer)) AS minute_bit,
    CASE WHEN error = '' THEN 0 ELSE 1 END AS failed,
    coalesce(nullif(identity_account, ''), recipient) AS owner,
    coalesce(nullif(recipient, ''), identity_account) AS delivered_for,
    coalesce(nullif(issuer_arn, ''), arn) AS acting_as,
    access_key LIKE 'ASIA%' AS with_session,
    access_key <> '' AND access_key NOT LIKE 'ASIA%' AS with_stored_key,
    CASE
      WHEN access_key NOT LIKE 'ASIA%' THEN CASE WHEN type = 'Root' THEN 'root' ELSE 'static' END
      WHEN web_provider <> '' THEN 'federated'
      WHEN type IN ('IAMUser', 'Root', 'FederatedUser') THEN 'brokered'
      WHEN ec2_delivery <> '' OR MATCHES(arn, '/i-[0-9a-f]{8,17}$') THEN 'instance'
      ELSE 'session'
    END AS class,
    CASE
      WHEN response_audience <> '' THEN response_audience
      -- PROVIDER:AUDIENCE:SUBJECT
      WHEN length(principal_id) > length(provider) + length(user_name) + 2
        THEN substr(principal_id, length(provider) + 2, length(principal_id) - length(provider) - length(user_name) - 2)
      ELSE ''
    END AS audience,
    {{agent}} AS agent,
    {{system}} AS system
  FROM events
  WHERE (source <> '' OR name <> '') AND length(time) = 20{{window}}
),

-- Calls of STS that yield sessions, with what these have from them.
issuing AS (
  SELECT
    issued_key AS session,
    CASE WHEN name IN ('AssumeRoleWithWebIdentity', 'AssumeRoleWithSAML') OR NOT with_session THEN '' ELSE access_key END AS parent,
    CASE
      WHEN name = 'AssumeRoleWithWebIdentity' THEN 'federated'
      WHEN name = 'AssumeRoleWithSAML' THEN 'saml'
      WHEN with_stored_key THEN 'brokered'
      ELSE class
    END AS class,
    CASE WHEN with_stored_key THEN access_key ELSE '' END AS credential,
    CASE WHEN name LIKE 'AssumeRoleWith%' THEN provider ELSE web_provider END AS issuer,
    CASE WHEN name LIKE 'AssumeRoleWith%' THEN user_name ELSE '' END AS subject,
    CASE WHEN name = 'AssumeRoleWithWebIdentity' THEN audience ELSE '' END AS audience,
    CASE WHEN name LIKE 'AssumeRole%' THEN role ELSE arn END AS principal,
    delivered_for AS account,
    agent, system, day, address, hour_bit, minute_bit, time, failed, access_key
  FROM calls
  WHERE source = 'sts.amazonaws.com'
    AND (name IN ('AssumeRoleWithWebIdentity', 'AssumeRoleWithSAML')
      OR (name IN ('AssumeRole', 'GetSessionToken', 'GetFederationToken') AND access_key <> ''))
),

-- Each session once, however often its record was delivered.
sessions AS (
  SELECT
    session, min(parent) AS parent, min(class) AS class, min(credential) AS credential, min(issuer) AS issuer,
    min(subject) AS subject, min(audience) AS audience, min(principal) AS principal, min(account) AS account,
    min(agent) AS agent, min(system) AS system, min(day) AS day, min(address) AS address,
    min(hour_bit) AS hour_bit, min(minute_bit) AS minute_bit, min(time) AS time
  FROM issuing
  WHERE failed = 0 AND session <> ''
  GROUP BY session
),

-- How far up the chain of sessions that came of sessions there is one that tells; chains of up to four are followed.
chains AS (
  SELECT
    s.session,
    CASE
      WHEN s.parent = '' OR p.session IS NULL THEN 0
      WHEN p.parent = '' OR q.session IS NULL THEN 1
      WHEN q.parent = '' OR r.session IS NULL THEN 2
      WHEN r.parent = '' THEN 3
      ELSE 0
    END AS up,
    p.session AS up_1, q.session AS up_2, r.session AS up_3
  FROM sessions s
  LEFT JOIN sessions p ON s.parent <> '' AND p.session = s.parent
  LEFT JOIN sessions q ON p.parent <> '' AND q.session = p.parent
  LEFT JOIN sessions r ON q.parent <> '' AND r.session = q.parent
),

origins AS (
  SELECT c.session, o.class, o.credential, o.issuer, o.subject, o.audience
  FROM chains c
  JOIN sessions o ON o.session = CASE c.up WHEN 0 THEN c.session WHEN 1 THEN c.up_1 WHEN 2 THEN c.up_2 ELSE c.up_3 END
),

facts AS (
  -- Calls with stored keys.
  SELECT
    owner AS account, class, access_key AS credential, acting_as AS principal, '' AS issuer, '' AS subject, '' AS audience,
    agent, system, day, address, hour_bit, minute_bit, 0 AS issued, 1 AS uses, failed AS refused, time
  FROM calls
  WHERE with_stored_key
  UNION ALL
  -- Calls with sessions.
  SELECT
    c.owner, coalesce(o.class, c.class), coalesce(o.credential, ''), c.acting_as, coalesce(o.issuer, c.web_provider),
    coalesce(o.subject, ''), coalesce(o.audience, ''),
    c.agent, c.system, c.day, c.address, c.hour_bit, c.minute_bit, 0, 1, c.failed, c.time
  FROM calls c
  LEFT JOIN origins o ON o.session = c.access_key
  WHERE c.with_session
  UNION ALL
  -- Sessions that were issued.
  SELECT
    s.account, o.class, o.credential, s.principal, o.issuer, o.subject, o.audience,
    s.agent, s.system, s.day, s.address, s.hour_bit, s.minute_bit, 1, 0, 0, s.time
  FROM sessions s
  JOIN origins o ON o.session = s.session
  UNION ALL
  -- Tokens that were refused, and sessions whose key is not on record.
  SELECT
    account, class, credential, principal, issuer, subject, audience,
    agent, system, day, address, hour_bit, minute_bit, 1 - failed, 0, failed, time
  FROM issuing
  WHERE parent = '' AND ((failed = 1 AND access_key = '') OR (failed = 0 AND session = ''))
)

SELECT
  'aws' AS cloud, account, class, credential, principal, issuer, subject, audience, agent, system, day,
  coalesce(min(nullif(address, '')), '') AS address,
  least(count(DISTINCT nullif(address, '')), 64) AS addresses,
  ANY_BIT(hour_bit) AS hours,
  ANY_BIT(minute_bit) AS minutes,
  CAST(sum(issued) AS bigint) AS issued,
  CAST(sum(uses) AS bigint) AS uses,
  CAST(sum(refused) AS bigint) AS refused,
  min(time) AS first,
  max(time) AS last
FROM facts
GROUP BY account, class, credential, principal, issuer, subject, audience, agent, system, day
ORDER BY account, class, credential, principal, issuer, subject, audience, agent, system, day
