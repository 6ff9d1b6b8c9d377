-- What of the logs is there: a row for each account, region and day (CloudTrail only).
WITH {{events}}

SELECT
  'aws' AS cloud,
  coalesce(nullif(recipient, ''), identity_account) AS account,
  region,
  substr(time, 1, 10) AS day,
  count(*) AS events,
  count(CASE WHEN category = 'Data' THEN 1 END) AS data,
  ANY_BIT(BIT(CAST(substr(time, 12, 2) AS integer))) AS hours,
  0 AS lost
FROM events
WHERE (source <> '' OR name <> '') AND length(time) = 20{{window}}
GROUP BY coalesce(nullif(recipient, ''), identity_account), region, substr(time, 1, 10)
ORDER BY 2, 3, 4
