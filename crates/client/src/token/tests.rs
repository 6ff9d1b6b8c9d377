use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::json;

use super::*;
use crate::http::HttpError;
use crate::testing::{env, listen, no_env, token, tools};

const GITHUB: [(&str, &str); 2] = [("GITHUB_ACTIONS", "true"), ("GITHUB_SERVER_URL", "https://github.com")];
const GITLAB: [(&str, &str); 2] = [("GITLAB_CI", "true"), ("CI_SERVER_HOST", "gitlab.com")];
const CIRCLECI: (&str, &str) = ("CIRCLECI", "true");

fn audience(text: &str) -> TokenRequest {
    TokenRequest { audience: Some(Audience::parse(text).unwrap()), ..TokenRequest::default() }
}

fn planned(request: &TokenRequest, variables: &[(&str, &str)]) -> Result<TokenPlan, TokenError> {
    plan(request, &env(variables))
}

async fn obtained(request: &TokenRequest, variables: &[(&str, &str)]) -> Result<String, TokenError> {
    let token = planned(request, variables)?.obtain(&tools()).await?;
    Ok(token.secret().expose().to_owned())
}

/// GitHub's variables, with the token service at `url`.
fn github(url: &str) -> Vec<(&str, &str)> {
    let service = [("ACTIONS_ID_TOKEN_REQUEST_URL", url), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job-secret")];
    [GITHUB.as_slice(), &service].concat()
}

#[tokio::test]
async fn github_actions_asks_with_the_audience_behind_the_query_that_is_there() {
    let app = Router::new().route(
        "/idtoken",
        get(async |RawQuery(query): RawQuery, headers: HeaderMap| {
            assert_eq!(headers[AUTHORIZATION], "Bearer job-secret");
            let expected = "api-version=2.0&audience=https%3A%2F%2Fsts.example.com%2F%3Fa%26b";
            assert_eq!(query.as_deref(), Some(expected));
            let value = token(&json!({"aud": "https://sts.example.com/?a&b"}));
            axum::Json(json!({"count": 1, "value": value}))
        }),
    );
    let server = listen(app).await;
    let url = server.url("/idtoken?api-version=2.0");
    let request = audience("https://sts.example.com/?a&b");
    let plan = planned(&request, &github(&url)).unwrap();
    assert!(plan.is_renewable());
    assert_eq!(plan.platform().unwrap().id, "github-actions");
    assert!(!format!("{plan:?}").contains("job-secret"));
    let token = plan.obtain(&tools()).await.unwrap();
    assert_eq!(token.claims().unwrap().len(), 1);
}

#[tokio::test]
async fn github_actions_without_the_permission_says_what_to_add() {
    let error = planned(&audience("sts"), &GITHUB).unwrap_err();
    insta::assert_snapshot!(error, @r"
    no token of GitHub Actions: `ACTIONS_ID_TOKEN_REQUEST_URL` is not set; the pipeline needs:
      permissions:
        id-token: write
        contents: read
    ");
}

#[tokio::test]
async fn a_busy_token_service_is_asked_again() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let app = Router::new().route(
        "/",
        get(async move || match count.fetch_add(1, Ordering::SeqCst) {
            0 => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")], "slow down").into_response(),
            1 => StatusCode::BAD_GATEWAY.into_response(),
            _ => axum::Json(json!({"value": "a.b.c"})).into_response(),
        }),
    );
    let server = listen(app).await;
    assert_eq!(obtained(&audience("sts"), &github(&server.url("/"))).await.unwrap(), "a.b.c");
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_busy_token_service_is_not_asked_for_ever() {
    let app = Router::new().route("/", get(async || (StatusCode::SERVICE_UNAVAILABLE, "maintenance\n")));
    let server = listen(app).await;
    let url = server.url("/");
    let error = obtained(&audience("sts"), &github(&url)).await.unwrap_err();
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    assert_eq!(error.to_string(), format!("`{host}` gives no token: status 503 (maintenance)"));
}

#[tokio::test]
async fn a_refusal_of_the_token_service_is_final_and_quoted() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let app = Router::new().route(
        "/",
        get(async move || {
            count.fetch_add(1, Ordering::SeqCst);
            (StatusCode::FORBIDDEN, axum::Json(json!({"message": "job is over\n::error::x"})))
        }),
    );
    let server = listen(app).await;
    let error = obtained(&audience("sts"), &github(&server.url("/"))).await.unwrap_err();
    assert!(error.to_string().ends_with("status 403 (job is over ::error::x)"), "{error}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_answer_without_the_token_is_refused() {
    let app = Router::new().route("/", get(async || axum::Json(json!({"value": 7, "token": "a.b.c"}))));
    let server = listen(app).await;
    let error = obtained(&audience("sts"), &github(&server.url("/"))).await.unwrap_err();
    assert!(matches!(&error, TokenError::Answer { member, .. } if member == "value"), "{error}");
}

#[tokio::test]
async fn a_token_service_without_tls_elsewhere_is_not_given_the_jobs_secret() {
    let error = obtained(&audience("sts"), &github("http://tokens.example/")).await.unwrap_err();
    assert_eq!(error, TokenError::Http(HttpError::PlainHttp { host: "tokens.example".into() }));
}

#[test]
fn a_token_service_must_have_an_url() {
    for bad in ["nowhere", "data:x", "http://"] {
        let error = planned(&audience("sts"), &github(bad)).unwrap_err();
        assert_eq!(error, TokenError::BadUrl { from: "ACTIONS_ID_TOKEN_REQUEST_URL".into() }, "{bad}");
    }
}

#[tokio::test]
async fn azure_devops_posts_without_a_body() {
    let app = Router::new().route(
        "/oidctoken",
        post(async |RawQuery(query): RawQuery, headers: HeaderMap, body: String| {
            assert_eq!((query.as_deref(), body.as_str()), (Some("api-version=7.1"), ""));
            assert_eq!(headers[AUTHORIZATION], "Bearer job-secret");
            assert_eq!(headers[CONTENT_TYPE], "application/json");
            axum::Json(json!({"oidcToken": token(&json!({"aud": "api://AzureADTokenExchange"}))}))
        }),
    );
    let server = listen(app).await;
    let url = server.url("/oidctoken");
    let job = [("TF_BUILD", "True"), ("SYSTEM_OIDCREQUESTURI", &url), ("SYSTEM_ACCESSTOKEN", "job-secret")];
    assert!(obtained(&TokenRequest::default(), &job).await.is_ok());
    let error = obtained(&audience("sts"), &job).await.unwrap_err();
    assert!(error.to_string().contains("always addresses its tokens so"), "{error}");
    let error = planned(&TokenRequest::default(), &job[..2]).unwrap_err();
    assert!(error.to_string().contains("SYSTEM_ACCESSTOKEN: $(System.AccessToken)"), "{error}");
}

#[tokio::test]
async fn azure_devops_names_the_service_connection() {
    let app = Router::new().route(
        "/",
        post(async |RawQuery(query): RawQuery| {
            assert_eq!(query.as_deref(), Some("api-version=7.1&serviceConnectionId=0c0ffee0"));
            axum::Json(json!({"oidcToken": "a.b.c"}))
        }),
    );
    let server = listen(app).await;
    let url = server.url("/");
    let job = [("TF_BUILD", "True"), ("SYSTEM_OIDCREQUESTURI", &url), ("SYSTEM_ACCESSTOKEN", "job-secret")];
    let with = TokenRequest { service_connection: Some("0c0ffee0".into()), ..TokenRequest::default() };
    assert_eq!(obtained(&with, &job).await.unwrap(), "a.b.c");

    let named = azure_devops::WITH_SERVICE_CONNECTION.to_owned();
    let without = TokenRequest { platform: Some(named), ..TokenRequest::default() };
    let error = planned(&without, &job).unwrap_err();
    assert!(matches!(error, TokenError::ServiceConnectionRequired { .. }), "{error}");
    let error = planned(&with, &[CIRCLECI]).unwrap_err();
    assert!(matches!(error, TokenError::NoServiceConnections { .. }), "{error}");
}

#[tokio::test]
async fn circleci_prefers_the_token_that_says_more() {
    let (v1, v2) = (token(&json!({"aud": "org-id"})), token(&json!({"aud": "org-id", "x": 2})));
    let job = [CIRCLECI, ("CIRCLE_OIDC_TOKEN", &v1), ("CIRCLE_OIDC_TOKEN_V2", &v2)];
    assert_eq!(obtained(&TokenRequest::default(), &job).await.unwrap(), v2);
    assert_eq!(obtained(&TokenRequest::default(), &job[..2]).await.unwrap(), v1);
    let first = TokenRequest { variable: Some("CIRCLE_OIDC_TOKEN".into()), ..TokenRequest::default() };
    assert_eq!(obtained(&first, &job).await.unwrap(), v1);
    assert!(!planned(&first, &job).unwrap().is_renewable());
}

#[test]
fn circleci_asks_its_program_for_another_audience() {
    let given = token(&json!({"aud": "org-id"}));
    let job = [CIRCLECI, ("CIRCLE_OIDC_TOKEN_V2", given.as_str())];
    let plan = planned(&audience("sts"), &job).unwrap();
    assert!(matches!(plan.way, Way::Program(_)) && plan.is_renewable());
    let plan = planned(&audience("org-id"), &job).unwrap();
    assert!(matches!(plan.way, Way::Held(_)));
}

#[test]
fn buildkite_asks_its_agent() {
    let plan = planned(&audience("sts"), &[("BUILDKITE", "true")]).unwrap();
    assert!(format!("{plan:?}").contains(r#""request-token", "--audience", "sts""#));
}

#[tokio::test]
async fn gitlab_says_what_to_write_where_the_variable_is_missing() {
    let error = planned(&audience("sts.acme.example"), &GITLAB).unwrap_err();
    insta::assert_snapshot!(error, @r"
    no token of GitLab CI/CD: `DAYPASS_TOKEN` is not set; the pipeline needs:
      id_tokens:
        DAYPASS_TOKEN:
          aud: sts.acme.example
    ");
    let named = TokenRequest { variable: Some("MY_TOKEN".into()), ..TokenRequest::default() };
    let error = planned(&named, &GITLAB).unwrap_err();
    insta::assert_snapshot!(error, @r"
    `MY_TOKEN` was to hold the token (--token-env), but is not set; the pipeline needs:
      id_tokens:
        MY_TOKEN:
          aud: https://sts.example.com
    ");
    let given = token(&json!({"aud": "https://sts.example.com"}));
    let job = [GITLAB.as_slice(), &[("DAYPASS_TOKEN", &given)]].concat();
    assert_eq!(obtained(&TokenRequest::default(), &job).await.unwrap(), given);
    let error = planned(&audience("sts"), &job).unwrap_err();
    assert!(error.to_string().contains("addressed to `https://sts.example.com`, not to `sts`"), "{error}");
    assert!(error.to_string().contains("aud: sts"), "{error}");
}

#[tokio::test]
async fn variables_of_bitbucket_terraform_and_jenkins() {
    let bitbucket = [("BITBUCKET_BUILD_NUMBER", "1"), ("BITBUCKET_COMMIT", "c0ffee")];
    for (job, variable, setup) in [
        (bitbucket.as_slice(), "BITBUCKET_STEP_OIDC_TOKEN", "oidc:"),
        (&[("TFC_RUN_ID", "run-1")], "TFC_WORKLOAD_IDENTITY_TOKEN", "TFC_WORKLOAD_IDENTITY_AUDIENCE"),
        (&[("JENKINS_URL", "x"), ("BUILD_ID", "1")], "DAYPASS_TOKEN", "withCredentials"),
    ] {
        let with = [job, &[(variable, "a.b.c")]].concat();
        assert_eq!(obtained(&audience("sts"), &with).await.unwrap(), "a.b.c");
        let error = planned(&audience("sts"), job).unwrap_err();
        assert!(matches!(&error, TokenError::NotSet { variables, .. } if variables == &[variable]));
        assert!(error.to_string().contains(setup), "{error}");
    }
}

#[test]
fn a_metadata_service_needs_an_audience() {
    let job = [("GOOGLE_CLOUD_PROJECT", "acme")];
    let error = planned(&TokenRequest::default(), &job).unwrap_err();
    assert!(matches!(error, TokenError::AudienceRequired { .. }), "{error}");
    let plan = planned(&audience("sts"), &job).unwrap();
    let Way::Service(service) = plan.way else { panic!("a service") };
    assert_eq!(format!("{service:?}").matches("metadata").count(), 1);
    let error = planned(&TokenRequest::default(), &[("CODEBUILD_BUILD_ARN", "arn")]).unwrap_err();
    assert!(matches!(error, TokenError::AudienceRequired { .. }), "{error}");
}

#[tokio::test]
async fn a_file_is_read_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    let request = TokenRequest { file: Some(path.clone()), ..TokenRequest::default() };
    let plan = plan(&request, &no_env).unwrap();
    assert!(plan.platform().is_none() && plan.is_renewable());
    let error = plan.obtain(&tools()).await.unwrap_err();
    assert_eq!(error, TokenError::Unreadable { path: path.clone(), reason: "not found".into() });
    for content in ["a.b.c\n", "d.e.f"] {
        std::fs::write(&path, content).unwrap();
        assert_eq!(plan.obtain(&tools()).await.unwrap().secret().expose(), content.trim_end());
    }
}

#[test]
fn every_platform_of_the_catalogue_has_a_way_or_says_why_not() {
    let anything = |_: &str| Some("https://tokens.example/x".to_owned());
    for platform in daypass_issuers::catalogue().platforms() {
        let with_connection = platform.id == azure_devops::WITH_SERVICE_CONNECTION;
        let request = TokenRequest {
            platform: Some(platform.id.clone()),
            service_connection: with_connection.then(|| "0c0ffee0".to_owned()),
            ..audience("sts")
        };
        match plan(&request, &anything) {
            Ok(plan) => assert_eq!(plan.platform().unwrap().id, platform.id),
            Err(TokenError::NoWay { .. } | TokenError::FileNotNamed { .. }) => {}
            Err(error) => panic!("{}: {error}", platform.id),
        }
    }
}

#[test]
fn a_workstation_is_told_what_to_name() {
    assert_eq!(planned(&audience("sts"), &[]).unwrap_err(), TokenError::NoPlatform);
    let error = planned(&audience("sts"), &[CIRCLECI, ("BUILDKITE", "true")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "this looks like a job of `circleci` and `buildkite` alike; name the platform (--platform)"
    );
    let request = TokenRequest { platform: Some("github".into()), ..TokenRequest::default() };
    let error = planned(&request, &[]).unwrap_err();
    assert!(error.to_string().starts_with("`github` is not a platform; known are `github-actions`, "));
    let request = TokenRequest { file: Some("x".into()), ..request };
    assert!(matches!(planned(&request, &[]), Err(TokenError::UnknownPlatform { .. })));
}

/// Ways that only some of the catalogue's platforms have, tried on a platform made for the purpose.
mod other_ways {
    use daypass_issuers::TokenSource;

    use super::*;

    fn of(source: &TokenSource) -> Result<Way, TokenError> {
        let platform = daypass_issuers::catalogue().platform("jenkins-oidc-provider").unwrap();
        plan::way(source, platform, &audience("sts"), &no_env)
    }

    #[test]
    fn a_file_is_where_the_platform_or_the_user_says() {
        let path = Some("/run/token".to_owned());
        let way = of(&TokenSource::File { path, about: String::new() }).unwrap();
        assert!(matches!(way, Way::File(path) if path == Path::new("/run/token")));
        let error = of(&TokenSource::File { path: None, about: String::new() }).unwrap_err();
        assert!(matches!(error, TokenError::FileNotNamed { .. }));
    }

    #[test]
    fn what_is_not_known_is_said_to_be_unknown() {
        for source in [
            TokenSource::Platform { about: "a provider setting".into() },
            TokenSource::Unknown { about: "a provider setting".into() },
        ] {
            let error = of(&source).unwrap_err();
            assert!(matches!(error, TokenError::NoWay { .. }));
            assert!(error.to_string().contains("(a provider setting)"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_service_may_take_the_audience_in_its_body() {
        let app = Router::new().route(
            "/v1/tokens/oidc",
            post(async |body: String| {
                assert_eq!(body, r#"{"aud":"sts"}"#);
                "a.b.c"
            }),
        );
        let server = listen(app).await;
        let toml = format!(
            "kind = 'http'\nmethod = 'POST'\nurl = '{}'\naudience = {{ body = 'aud' }}",
            server.url("/v1/tokens/oidc")
        );
        let source: TokenSource = toml::from_str(&toml).unwrap();
        let Ok(Way::Service(service)) = of(&source) else { panic!("a service") };
        assert_eq!(service.ask(&tools()).await.unwrap().secret().expose(), "a.b.c");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_service_may_listen_on_a_socket() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("api");
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        let app = Router::new().route("/v1/tokens/oidc", post(async || "a.b.c"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let toml = format!(
            "kind = 'http'\nmethod = 'POST'\nurl = 'http://api.example/v1/tokens/oidc'\nsocket = '{}'",
            socket.display()
        );
        let Ok(Way::Service(service)) = of(&toml::from_str(&toml).unwrap()) else { panic!("a service") };
        assert_eq!(service.ask(&tools()).await.unwrap().secret().expose(), "a.b.c");
    }
}
