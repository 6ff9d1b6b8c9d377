use super::lines;
use crate::SourceKind;

fn gcp(authentication: &str, rest: &str) -> String {
    lines(
        SourceKind::GcpAudit,
        "",
        &format!(
            r#"{{"protoPayload":{{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"storage.googleapis.com",
            "methodName":"storage.objects.get","authenticationInfo":{authentication},
            "requestMetadata":{{"callerIp":"192.0.2.1","callerSuppliedUserAgent":"google-cloud-sdk gcloud/450"}},"status":{{{rest}}}}},
            "timestamp":"2026-11-23T05:00:00.123456Z","logName":"projects/acme-prod/logs/cloudaudit.googleapis.com%2Fdata_access",
            "resource":{{"type":"gcs_bucket","labels":{{"project_id":"acme-prod","location":"europe-west1"}}}}}}"#
        ),
    )
}

#[test]
fn google_names_the_key_or_the_workload() {
    let pool = "principal://iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/ci/subject/repo:acme/shop";
    insta::assert_snapshot!([
        gcp(r#"{"principalEmail":"deploy@acme-prod.iam.gserviceaccount.com",
            "serviceAccountKeyName":"//iam.googleapis.com/projects/acme-prod/serviceAccounts/deploy@acme-prod.iam.gserviceaccount.com/keys/0a1b2c"}"#, ""),
        gcp(&format!(r#"{{"principalEmail":"deploy@acme-prod.iam.gserviceaccount.com",
            "serviceAccountDelegationInfo":[{{"principalSubject":"{pool}"}}]}}"#), ""),
        gcp(&format!(r#"{{"principalSubject":"{pool}"}}"#), r#""code":7"#),
        gcp(r#"{"principalEmail":"deploy@acme-prod.iam.gserviceaccount.com"}"#, ""),
        gcp(r#"{"principalEmail":"ann@example.com"}"#, ""),
        gcp("{}", ""),
    ].join("\n"), @"
    gcp acme-prod europe-west1 1795410000 192.0.2.1 data: acme-prod static [0a1b2c] deploy@acme-prod.iam.gserviceaccount.com ( |  | )
    gcp acme-prod europe-west1 1795410000 192.0.2.1 data: acme-prod federated [] deploy@acme-prod.iam.gserviceaccount.com (projects/12/locations/global/workloadIdentityPools/ci | repo:acme/shop | )
    gcp acme-prod europe-west1 1795410000 192.0.2.1 data refused: acme-prod federated []  (projects/12/locations/global/workloadIdentityPools/ci | repo:acme/shop | )
    gcp acme-prod europe-west1 1795410000 192.0.2.1 data: acme-prod session [] deploy@acme-prod.iam.gserviceaccount.com ( |  | )
    gcp acme-prod europe-west1 1795410000 192.0.2.1 data: acme-prod human [] ann@example.com ( |  | )
    gcp acme-prod europe-west1 1795410000 192.0.2.1 data: nobody
    ");
}

#[test]
fn google_exchanges_tokens() {
    let exchange = r#"{"protoPayload":{"serviceName":"sts.googleapis.com",
        "methodName":"google.identity.sts.v1.SecurityTokenService.ExchangeToken",
        "resourceName":"projects/12/locations/global/workloadIdentityPools/ci/providers/github",
        "authenticationInfo":{"principalSubject":"repo:acme/shop"},
        "metadata":{"mapped_principal":"principal://iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/ci/subject/acme-shop"},
        "request":{"audience":"//iam.googleapis.com/projects/12/x"}},
        "timestamp":"2026-11-23T05:00:00Z","logName":"projects/acme-prod/logs/cloudaudit.googleapis.com%2Fdata_access"}"#;
    insta::assert_snapshot!(lines(SourceKind::GcpAudit, "", exchange), @"gcp acme-prod  1795410000  data: nobody ->  as  for federated []  (projects/12/locations/global/workloadIdentityPools/ci | acme-shop | //iam.googleapis.com/projects/12/x)");
    let unmapped = exchange.replace("mapped_principal", "other");
    insta::assert_snapshot!(lines(SourceKind::GcpAudit, "", &format!("[{unmapped}]")), @"gcp acme-prod  1795410000  data: nobody ->  as  for federated []  (projects/12/locations/global/workloadIdentityPools/ci | repo:acme/shop | //iam.googleapis.com/projects/12/x)");
    assert_eq!(
        lines(SourceKind::GcpAudit, "", r#"{"logName":"projects/p/logs/stdout","textPayload":"x"}"#),
        "aside"
    );
    assert_eq!(lines(SourceKind::GcpAudit, "", r#"{"a":1}"#), "Unknown at 0");
    assert_eq!(lines(SourceKind::GcpAudit, "", r#"{"protoPayload":{"serviceName":"x"}}"#), "Untimed at 0");
}

#[test]
fn entra_names_the_credential_of_a_sign_in() {
    let row = |rest: &str| {
        let text = format!(
            r#"{{"TimeGenerated":"2026-11-23T05:00:00.12Z","AADTenantId":"t","AppId":"app","IPAddress":"192.0.2.1","ResultType":"0",
            "ServicePrincipalCredentialKeyId":"","FederatedCredentialId":""{rest}}}"#
        );
        lines(SourceKind::AzureSignIn, "", &text)
    };
    let graph = r#"{"@odata.context":"x","value":[{"createdDateTime":"2026-11-23T05:00:00Z","appId":"app","ipAddress":"192.0.2.1",
        "clientCredentialType":"clientSecret","servicePrincipalCredentialKeyId":"key","status":{"errorCode":7000215}}]}"#;
    let exported = r#"{"records":[{"time":"2026-11-23T05:00:00Z","category":"ServicePrincipalSignInLogs","tenantId":"t",
        "callerIpAddress":"192.0.2.1","resultType":"0","properties":{"createdDateTime":"2026-11-23T05:00:00Z","appId":"app",
        "federatedCredentialId":"fic"}},{"time":"2026-11-23T05:00:00Z","category":"AuditLogs"}]}"#;
    let read = |text: &str| lines(SourceKind::AzureSignIn, "", text);
    insta::assert_snapshot!([
        row(""),
        read(r#"{"TimeGenerated":"2026-11-23T05:00:00Z","AppId":"app","ServicePrincipalCredentialKeyId":"key"}"#),
        read(r#"{"TimeGenerated":"2026-11-23T05:00:00Z","AppId":"app","FederatedCredentialId":"fic"}"#),
        read(r#"{"TimeGenerated":"2026-11-23T05:00:00Z","AppId":"app","ServicePrincipalCredentialThumbprint":"AB"}"#),
        read(r#"{"TimeGenerated":"2026-11-23T05:00:00Z","AppId":"app","Category":"ManagedIdentitySignInLogs"}"#),
        read(r#"{"createdDateTime":"2026-11-23T05:00:00Z","appId":"app","userId":"u"}"#),
        read(graph),
        read(exported),
    ].join("\n"), @"
    azure t  1795410000 192.0.2.1: t session [] app ( |  | )
    azure   1795410000 :  static [key] app ( |  | )
    azure   1795410000 :  federated [] app ( | fic | )
    azure   1795410000 :  static [AB] app ( |  | )
    azure  managed-identities 1795410000 :  instance [] app ( |  | )
    azure  people 1795410000 :  human [] app ( |  | )
    azure   1795410000 192.0.2.1 refused:  static [key] app ( |  | )
    azure t  1795410000 192.0.2.1: t federated [] app ( | fic | )
    aside
    ");
    assert_eq!(read(r#"{"a":1}"#), "Unknown at 0");
    assert_eq!(read(r#"{"AppId":"app"}"#), "Untimed at 0");
}

#[test]
fn vault_shows_logins_and_what_came_of_them() {
    let read = |text: &str| lines(SourceKind::VaultAudit, "", text);
    let login = |mount: &str, path: &str| {
        read(&format!(
            r#"{{"time":"2026-11-23T05:00:00.123Z","type":"response","request":{{"path":"{path}","mount_type":"{mount}",
            "remote_address":"192.0.2.1","namespace":{{"id":"root"}},"headers":{{"user-agent":["Go-http-client/1.1"]}}}},
            "response":{{"auth":{{"accessor":"hmac-1","display_name":"d","metadata":{{"role":"ci"}}}}}}}}"#
        ))
    };
    let used = |issue: &str| {
        read(&format!(
            r#"{{"time":"2026-11-23T05:00:00Z","type":"response","auth":{{"accessor":"hmac-1","display_name":"token-ci",
            "token_issue_time":"{issue}"}},"request":{{"path":"kv/data/x","remote_address":"192.0.2.1"}},"error":"permission denied"}}"#
        ))
    };
    insta::assert_snapshot!([
        login("jwt", "auth/jwt/login"),
        login("approle", "auth/ci/login"),
        login("userpass", "auth/userpass/login/ann"),
        login("aws", "auth/aws/login"),
        login("cert", "auth/cert/login"),
        used("2026-11-23T04:00:00Z"),
        used("2026-01-01T04:00:00Z"),
        read(r#"{"time":"2026-11-23T05:00:00Z","type":"response","auth":{"accessor":"hmac-1"},
            "request":{"path":"auth/token/create"},"response":{"auth":{"accessor":"hmac-2","display_name":"child"}}}"#),
        read(r#"{"time":"2026-11-23T05:00:00Z","type":"request","request":{"path":"kv/data/x"}}"#),
    ].join("\n"), @"
    vault   1795410000 192.0.2.1 data: nobody -> hmac-1 as d for federated [] d (jwt | ci | )
    vault   1795410000 192.0.2.1 data: nobody -> hmac-1 as d for brokered [ci] d (ci | ci | )
    vault   1795410000 192.0.2.1 data: nobody -> hmac-1 as d for human [] d (userpass | ci | )
    vault   1795410000 192.0.2.1 data: nobody -> hmac-1 as d for instance [] d (aws | ci | )
    vault   1795410000 192.0.2.1 data: nobody -> hmac-1 as d for session [] d (cert | ci | )
    vault   1795410000 192.0.2.1 data refused:  session hmac-1 session [] token-ci ( |  | )
    vault   1795410000 192.0.2.1 data refused:  session hmac-1 static [hmac-1] token-ci ( |  | )
    vault   1795410000  data:  session hmac-1 session []  ( |  | ) -> hmac-2 as child for session hmac-1
    aside
    ");
    assert_eq!(read(r#"{"type":"other"}"#), "Unknown at 0");
    assert_eq!(read(r#"{"type":"response","request":{"path":"x"}}"#), "Untimed at 0");
}

#[test]
fn daypass_has_its_own_record() {
    let read = |text: &str| lines(SourceKind::DaypassLog, "", text);
    let body = r#"{"v":1,"id":"d1","time":"2026-11-23T05:00:00.250Z","kind":"exchange","wire":"aws","action":"exchange",
        "outcome":"admitted","issuer":"https://token.actions.githubusercontent.com","subject":"repo:acme/shop",
        "claims":{"aud":["daypass"],"sub":"repo:acme/shop"},"role":"deploy","credential":{"id":"d1","kind":"aws-session",
        "access_key_id":"ASIAEXAMPLE0000000AA","expires_at":"2026-11-23T06:00:00Z"},"client":"192.0.2.1","latency_ms":2}"#;
    let line = |body: &str| {
        let body = serde_json::to_string(&body.replace('\n', "")).unwrap();
        read(&format!(
            r#"{{"entry":{{"chain":"c","seq":1,"time":1,"decision":"d1","body":{body},"body_hash":"","hash":""}}}}"#
        ))
    };
    insta::assert_snapshot!([
        line(body),
        line(&body.replace("admitted", "refused").replace("[\"daypass\"]", "\"daypass\"")),
        line(&body.replace(r#""role""#, r#""from_session":"ASIAEXAMPLE0000000ZZ","role""#)),
        line(r#"{"v":1,"id":"d","time":"2026-11-23T05:00:00Z","kind":"genesis"}"#),
        read(r#"{"key":{"kty":"OKP"}}"#),
        read(r#"{"checkpoint":{}}"#),
    ].join("\n"), @"
    daypass   1795410000 192.0.2.1 data: nobody -> ASIAEXAMPLE0000000AA as deploy for federated [] deploy (https://token.actions.githubusercontent.com | repo:acme/shop | daypass)
    daypass   1795410000 192.0.2.1 data refused: nobody -> ASIAEXAMPLE0000000AA as deploy for federated [] deploy (https://token.actions.githubusercontent.com | repo:acme/shop | daypass)
    daypass   1795410000 192.0.2.1 data:  session ASIAEXAMPLE0000000ZZ session []  ( |  | ) -> ASIAEXAMPLE0000000AA as deploy for session ASIAEXAMPLE0000000ZZ
    aside
    aside
    aside
    ");
    assert_eq!(line(body), read(body));
    assert_eq!(line("{"), "Malformed at 0");
    assert_eq!(read(r#"{"entry":{"body":null}}"#), "Unknown at 0");
    assert_eq!(read(r#"{"kind":"else"}"#), "Unknown at 0");
    assert_eq!(line(&body.replace("2026-11-23T05:00:00.250Z", "x")), "Untimed at 0");
}
