events AS (
  SELECT
    coalesce(json_extract_string(record, '$.eventTime'), '') AS time,
    coalesce(json_extract_string(record, '$.eventSource'), '') AS source,
    coalesce(json_extract_string(record, '$.eventName'), '') AS name,
    coalesce(json_extract_string(record, '$.awsRegion'), '') AS region,
    coalesce(json_extract_string(record, '$.sourceIPAddress'), '') AS address,
    coalesce(json_extract_string(record, '$.userAgent'), '') AS user_agent,
    coalesce(json_extract_string(record, '$.errorCode'), '') AS error,
    coalesce(json_extract_string(record, '$.eventCategory'), '') AS category,
    coalesce(json_extract_string(record, '$.recipientAccountId'), '') AS recipient,
    coalesce(json_extract_string(record, '$.userIdentity.type'), '') AS type,
    coalesce(json_extract_string(record, '$.userIdentity.principalId'), '') AS principal_id,
    coalesce(json_extract_string(record, '$.userIdentity.arn'), '') AS arn,
    coalesce(json_extract_string(record, '$.userIdentity.accountId'), '') AS identity_account,
    coalesce(json_extract_string(record, '$.userIdentity.accessKeyId'), '') AS access_key,
    coalesce(json_extract_string(record, '$.userIdentity.userName'), '') AS user_name,
    coalesce(json_extract_string(record, '$.userIdentity.identityProvider'), '') AS provider,
    coalesce(json_extract_string(record, '$.userIdentity.sessionContext.sessionIssuer.arn'), '') AS issuer_arn,
    coalesce(json_extract_string(record, '$.userIdentity.sessionContext.webIdFederationData.federatedProvider'), '') AS web_provider,
    coalesce(json_extract_string(record, '$.userIdentity.sessionContext.ec2RoleDelivery'), '') AS ec2_delivery,
    coalesce(json_extract_string(record, '$.requestParameters.roleArn'), '') AS role,
    coalesce(json_extract_string(record, '$.responseElements.credentials.accessKeyId'), '') AS issued_key,
    coalesce(json_extract_string(record, '$.responseElements.audience'), '') AS response_audience
  FROM {{table}}
)
