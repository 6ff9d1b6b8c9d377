events AS (
  SELECT
    coalesce(get_json_object(record, '$.eventTime'), '') AS time,
    coalesce(get_json_object(record, '$.eventSource'), '') AS source,
    coalesce(get_json_object(record, '$.eventName'), '') AS name,
    coalesce(get_json_object(record, '$.awsRegion'), '') AS region,
    coalesce(get_json_object(record, '$.sourceIPAddress'), '') AS address,
    coalesce(get_json_object(record, '$.userAgent'), '') AS user_agent,
    coalesce(get_json_object(record, '$.errorCode'), '') AS error,
    coalesce(get_json_object(record, '$.eventCategory'), '') AS category,
    coalesce(get_json_object(record, '$.recipientAccountId'), '') AS recipient,
    coalesce(get_json_object(record, '$.userIdentity.type'), '') AS type,
    coalesce(get_json_object(record, '$.userIdentity.principalId'), '') AS principal_id,
    coalesce(get_json_object(record, '$.userIdentity.arn'), '') AS arn,
    coalesce(get_json_object(record, '$.userIdentity.accountId'), '') AS identity_account,
    coalesce(get_json_object(record, '$.userIdentity.accessKeyId'), '') AS access_key,
    coalesce(get_json_object(record, '$.userIdentity.userName'), '') AS user_name,
    coalesce(get_json_object(record, '$.userIdentity.identityProvider'), '') AS provider,
    coalesce(get_json_object(record, '$.userIdentity.sessionContext.sessionIssuer.arn'), '') AS issuer_arn,
    coalesce(get_json_object(record, '$.userIdentity.sessionContext.webIdFederationData.federatedProvider'), '') AS web_provider,
    coalesce(get_json_object(record, '$.userIdentity.sessionContext.ec2RoleDelivery'), '') AS ec2_delivery,
    coalesce(get_json_object(record, '$.requestParameters.roleArn'), '') AS role,
    coalesce(get_json_object(record, '$.responseElements.credentials.accessKeyId'), '') AS issued_key,
    coalesce(get_json_object(record, '$.responseElements.audience'), '') AS response_audience
  FROM {{table}}
)
