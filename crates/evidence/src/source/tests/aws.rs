use super::lines;
use crate::SourceKind;

const ISSUE: &str = r#"{"eventVersion":"1.08","userIdentity":{"type":"WebIdentityUser",
  "principalId":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com:sts.amazonaws.com:repo:acme/shop:ref:refs/heads/main",
  "userName":"repo:acme/shop:ref:refs/heads/main",
  "identityProvider":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
 "eventTime":"2026-11-23T04:46:56Z","eventSource":"sts.amazonaws.com","eventName":"AssumeRoleWithWebIdentity",
 "awsRegion":"us-east-1","sourceIPAddress":"20.1.2.3","userAgent":"configure-aws-credentials-for-github-actions",
 "requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/deploy","roleSessionName":"GitHubActions"},
 "responseElements":{"credentials":{"accessKeyId":"ASIAEXAMPLE0000000AA","expiration":"Nov 23, 2026, 5:46:56 AM"},
   "audience":"sts.amazonaws.com"},
 "recipientAccountId":"111122223333","eventCategory":"Management"}"#;

fn read(records: &str) -> String {
    lines(SourceKind::CloudTrail, "", records)
}

fn call(user: &str, rest: &str) -> String {
    read(&format!(
        r#"{{"userIdentity":{user},"eventTime":"2026-11-23T05:00:00Z","eventSource":"s3.amazonaws.com",
        "eventName":"ListBuckets","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.1",
        "recipientAccountId":"111122223333"{rest}}}"#
    ))
}

#[test]
fn a_workload_gets_a_session() {
    insta::assert_snapshot!(read(ISSUE), @"aws 111122223333 us-east-1 1795409216 20.1.2.3: nobody -> ASIAEXAMPLE0000000AA as arn:aws:iam::111122223333:role/deploy for federated [] arn:aws:iam::111122223333:role/deploy (arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com | repo:acme/shop:ref:refs/heads/main | sts.amazonaws.com)");
}

#[test]
fn a_refused_workload_is_known_by_its_principal_id() {
    let refused = ISSUE
        .replace(r#""credentials":{"accessKeyId":"ASIAEXAMPLE0000000AA","expiration":"Nov 23, 2026, 5:46:56 AM"},"#, "")
        .replace(r#""audience":"sts.amazonaws.com""#, "")
        .replace(r#""recipientAccountId""#, r#""errorCode":"AccessDenied","recipientAccountId""#);
    insta::assert_snapshot!(read(&refused), @"aws 111122223333 us-east-1 1795409216 20.1.2.3 refused: nobody ->  as arn:aws:iam::111122223333:role/deploy for federated [] arn:aws:iam::111122223333:role/deploy (arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com | repo:acme/shop:ref:refs/heads/main | sts.amazonaws.com)");
}

#[test]
fn a_session_is_known_by_its_key() {
    let session = r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/deploy/NAME",
        "accountId":"111122223333","accessKeyId":"ASIAEXAMPLE0000000AA",
        "sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/deploy"},CONTEXT}}"#;
    let web = r#""webIdFederationData":{"federatedProvider":"arn:aws:iam::111122223333:oidc-provider/x"}"#;
    let of = |name: &str, context: &str| call(&session.replace("NAME", name).replace("CONTEXT", context), "");
    insta::assert_snapshot!([
        of("GitHubActions", web),
        of("GitHubActions", r#""webIdFederationData":{}"#),
        of("i-0123456789abcdef0", r#""attributes":{}"#),
        of("x", r#""ec2RoleDelivery":"2.0""#),
        of("i-am-a-person", r#""webIdFederationData":null"#),
    ].join("\n"), @"
    aws 111122223333 eu-west-1 1795410000 192.0.2.1: 111122223333 session ASIAEXAMPLE0000000AA federated [] arn:aws:iam::111122223333:role/deploy (arn:aws:iam::111122223333:oidc-provider/x |  | )
    aws 111122223333 eu-west-1 1795410000 192.0.2.1: 111122223333 session ASIAEXAMPLE0000000AA session [] arn:aws:iam::111122223333:role/deploy ( |  | )
    aws 111122223333 eu-west-1 1795410000 192.0.2.1: 111122223333 session ASIAEXAMPLE0000000AA instance [] arn:aws:iam::111122223333:role/deploy ( |  | )
    aws 111122223333 eu-west-1 1795410000 192.0.2.1: 111122223333 session ASIAEXAMPLE0000000AA instance [] arn:aws:iam::111122223333:role/deploy ( |  | )
    aws 111122223333 eu-west-1 1795410000 192.0.2.1: 111122223333 session ASIAEXAMPLE0000000AA session [] arn:aws:iam::111122223333:role/deploy ( |  | )
    ");
}

#[test]
fn a_stored_key_is_known_by_itself() {
    let user = r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ci-deploy","accountId":"111122223333",
        "accessKeyId":"AKIAEXAMPLE000000000","userName":"ci-deploy"}"#;
    let root = r#"{"type":"Root","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333","accessKeyId":"AKIAEXAMPLE000000001"}"#;
    let session = user.replace("AKIA", "ASIA");
    insta::assert_snapshot!([
        call(user, r#","errorCode":"AccessDenied""#),
        call(user, r#","eventCategory":"Data""#),
        call(root, ""),
        call(&session, ""),
        call(r#"{"type":"AWSService","invokedBy":"cloudtrail.amazonaws.com"}"#, ""),
    ].join("\n"), @"
    aws 111122223333 eu-west-1 1795410000 192.0.2.1 refused: 111122223333 static [AKIAEXAMPLE000000000] arn:aws:iam::111122223333:user/ci-deploy ( |  | )
    aws 111122223333 eu-west-1 1795410000 192.0.2.1 data: 111122223333 static [AKIAEXAMPLE000000000] arn:aws:iam::111122223333:user/ci-deploy ( |  | )
    aws 111122223333 eu-west-1 1795410000 192.0.2.1: 111122223333 root [AKIAEXAMPLE000000001] arn:aws:iam::111122223333:root ( |  | )
    aws 111122223333 eu-west-1 1795410000 192.0.2.1: 111122223333 session ASIAEXAMPLE000000000 brokered [] arn:aws:iam::111122223333:user/ci-deploy ( |  | )
    aws 111122223333 eu-west-1 1795410000 192.0.2.1: nobody
    ");
}

#[test]
fn roles_are_assumed_with_keys_and_from_sessions() {
    let assume = |user: &str, name: &str| {
        read(&format!(
            r#"{{"userIdentity":{user},"eventTime":"2026-11-23T05:00:00Z","eventSource":"sts.amazonaws.com","eventName":"{name}",
            "awsRegion":"eu-west-1","requestParameters":{{"roleArn":"arn:aws:iam::111122223333:role/next"}},
            "responseElements":{{"credentials":{{"accessKeyId":"ASIAEXAMPLE0000000BB"}}}},"recipientAccountId":"111122223333"}}"#
        ))
    };
    let key = r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ci","accessKeyId":"AKIAEXAMPLE000000000"}"#;
    let session = r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/a/b","accessKeyId":"ASIAEXAMPLE0000000AA"}"#;
    let service = r#"{"type":"AWSService","invokedBy":"lambda.amazonaws.com"}"#;
    let saml = r#"{"type":"SAMLUser","userName":"ann@example.com","identityProvider":"arn:aws:iam::111122223333:saml-provider/corp"}"#;
    insta::assert_snapshot!([
        assume(key, "AssumeRole"),
        assume(session, "AssumeRole"),
        assume(service, "AssumeRole"),
        assume(saml, "AssumeRoleWithSAML"),
        assume(key, "GetSessionToken"),
    ].join("\n"), @"
    aws 111122223333 eu-west-1 1795410000 : 111122223333 static [AKIAEXAMPLE000000000] arn:aws:iam::111122223333:user/ci ( |  | ) -> ASIAEXAMPLE0000000BB as arn:aws:iam::111122223333:role/next for brokered [AKIAEXAMPLE000000000] arn:aws:iam::111122223333:role/next ( |  | )
    aws 111122223333 eu-west-1 1795410000 : 111122223333 session ASIAEXAMPLE0000000AA session [] arn:aws:sts::111122223333:assumed-role/a/b ( |  | ) -> ASIAEXAMPLE0000000BB as arn:aws:iam::111122223333:role/next for session ASIAEXAMPLE0000000AA
    aws 111122223333 eu-west-1 1795410000 : nobody
    aws 111122223333 eu-west-1 1795410000 : nobody -> ASIAEXAMPLE0000000BB as arn:aws:iam::111122223333:role/next for saml [] arn:aws:iam::111122223333:role/next (arn:aws:iam::111122223333:saml-provider/corp | ann@example.com | )
    aws 111122223333 eu-west-1 1795410000 : 111122223333 static [AKIAEXAMPLE000000000] arn:aws:iam::111122223333:user/ci ( |  | ) -> ASIAEXAMPLE0000000BB as arn:aws:iam::111122223333:user/ci for brokered [AKIAEXAMPLE000000000] arn:aws:iam::111122223333:user/ci ( |  | )
    ");
}

#[test]
fn records_come_in_other_wrappers_too() {
    let plain = read(ISSUE);
    assert_eq!(read(&format!(r#"{{"Records":[{ISSUE}]}}"#)), plain);
    assert_eq!(
        read(&format!(r#"{{"version":"0","detail-type":"AWS API Call via CloudTrail","detail":{ISSUE}}}"#)),
        plain
    );
    let embedded = serde_json::to_string(ISSUE).unwrap();
    assert_eq!(
        read(&format!(r#"{{"Events":[{{"EventId":"x","CloudTrailEvent":{embedded}}}],"NextToken":"y"}}"#)),
        plain
    );
}

#[test]
fn what_is_no_record_is_said_to_be_none() {
    assert_eq!(read(r#"{"hello":"world"}"#), "Unknown at 0");
    assert_eq!(read(r#"{"eventCategory":"Insight","eventTime":"2026-11-23T05:00:00Z"}"#), "aside");
    assert_eq!(read(&ISSUE.replace("2026-11-23T04:46:56Z", "yesterday")), "Untimed at 0");
    assert_eq!(read(r#"{"CloudTrailEvent":"{"}"#), "Malformed at 0");
}

#[test]
fn iam_says_when_keys_were_used() {
    let report = "user,arn,user_creation_time,password_enabled,access_key_1_active,access_key_1_last_rotated,\
access_key_1_last_used_date,access_key_1_last_used_region,access_key_2_active,access_key_2_last_rotated,\
access_key_2_last_used_date,new_column\n\
<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,false,N/A,N/A,N/A,false,N/A,N/A,x\n\
ci,arn:aws:iam::111122223333:user/ci,2020-01-01T00:00:00+00:00,false,true,2021-02-03T04:05:06+00:00,2026-11-20T10:15:00+00:00,eu-west-1,\
FALSE,2022-02-03T04:05:06+00:00,N/A,x\nshort,row\n";
    insta::assert_snapshot!(lines(SourceKind::CredentialReport, "", report), @r#"
    aside
    KeyState { account: "111122223333", user: "ci", principal: "arn:aws:iam::111122223333:user/ci", key: None, active: Some(true), created: Some(Timestamp(1612325106000)), last_used: At(Timestamp(1795169700000)) }
    KeyState { account: "111122223333", user: "ci", principal: "arn:aws:iam::111122223333:user/ci", key: None, active: Some(false), created: Some(Timestamp(1643861106000)), last_used: Never }
    Unknown at 528
    "#);
    assert_eq!(lines(SourceKind::CredentialReport, "", "user,arn\na,b\n"), "Unknown at 9");
}

#[test]
fn iam_says_it_key_by_key_too() {
    let read = |name: &str, text: &str| lines(SourceKind::KeyLastUsed, name, text);
    let used = r#"{"UserName":"ci","AccessKeyLastUsed":{"LastUsedDate":"2026-11-20T10:15:00+00:00","ServiceName":"s3","Region":"eu-west-1"}}"#;
    let never = r#"{"UserName":"ci","AccessKeyId":"AKIAEXAMPLE000000001","AccessKeyLastUsed":{"ServiceName":"N/A","Region":"N/A"}}"#;
    let list = r#"{"AccessKeyMetadata":[{"UserName":"ci","AccessKeyId":"AKIAEXAMPLE000000002","Status":"Inactive","CreateDate":"2021-02-03T04:05:06+00:00"}]}"#;
    insta::assert_snapshot!([read("AKIAEXAMPLE000000000.json", used), read("", never), read("", list)].join("\n"), @r#"
    KeyState { account: "", user: "ci", principal: "", key: Some("AKIAEXAMPLE000000000"), active: None, created: None, last_used: At(Timestamp(1795169700000)) }
    KeyState { account: "", user: "ci", principal: "", key: Some("AKIAEXAMPLE000000001"), active: None, created: None, last_used: Never }
    KeyState { account: "", user: "ci", principal: "", key: Some("AKIAEXAMPLE000000002"), active: Some(false), created: Some(Timestamp(1612325106000)), last_used: Unknown }
    "#);
    assert_eq!(read("key.json", used), "Unknown at 0");
    assert_eq!(read("AKIAEXAMPLE000000000.json", "{}"), "Unknown at 0");
}
