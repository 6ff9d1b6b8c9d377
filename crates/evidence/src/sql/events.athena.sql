events AS (
  SELECT
    coalesce(eventtime, '') AS time,
    coalesce(eventsource, '') AS source,
    coalesce(eventname, '') AS name,
    coalesce(awsregion, '') AS region,
    coalesce(sourceipaddress, '') AS address,
    coalesce(useragent, '') AS user_agent,
    coalesce(errorcode, '') AS error,
    coalesce(eventcategory, '') AS category,
    coalesce(recipientaccountid, '') AS recipient,
    coalesce(useridentity.type, '') AS type,
    coalesce(useridentity.principalid, '') AS principal_id,
    coalesce(useridentity.arn, '') AS arn,
    coalesce(useridentity.accountid, '') AS identity_account,
    coalesce(useridentity.accesskeyid, '') AS access_key,
    coalesce(useridentity.username, '') AS user_name,
    -- The usual table leaves `identityProvider` out; for who has a token it begins `principalId`.
    CASE WHEN useridentity.type IN ('WebIdentityUser', 'SAMLUser') THEN
      coalesce(
        json_extract_scalar(responseelements, '$.provider'),
        regexp_extract(useridentity.principalid, '^(arn:[^:]*:iam::[0-9]*:(?:oidc|saml)-provider/[^:]*):', 1),
        split_part(useridentity.principalid, ':', 1),
        '')
    ELSE '' END AS provider,
    coalesce(useridentity.sessioncontext.sessionissuer.arn, '') AS issuer_arn,
    coalesce(useridentity.sessioncontext.webidfederationdata.federatedprovider, '') AS web_provider,
    coalesce(useridentity.sessioncontext.ec2roledelivery, '') AS ec2_delivery,
    coalesce(json_extract_scalar(requestparameters, '$.roleArn'), '') AS role,
    coalesce(json_extract_scalar(responseelements, '$.credentials.accessKeyId'), '') AS issued_key,
    coalesce(json_extract_scalar(responseelements, '$.audience'), '') AS response_audience
  FROM {{table}}
)
