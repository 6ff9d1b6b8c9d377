use daypass_prove::refusals::{Role, reachable_by_pull_requests, shared_callers};
use daypass_prove::{Options, Verdict};
use daypass_trust::document::Source;
use daypass_trust::form::Policy;
use daypass_trust::{CompileOptions, Dialect, compile};

use crate::common::{ACME, GITHUB, estate};

fn native(claims: &str) -> Policy {
    let text = format!(
        "[[trust]]\nissuer = '{GITHUB}'\naudience = 'https://sts.example.com'\n\
         claims.repository_id = '2002'\nclaims.repository_owner_id = '1001'\n{claims}\n"
    );
    compile(Dialect::Daypass, &Source::new("p.toml", text), &CompileOptions::default()).unwrap().policy
}

#[test]
fn a_role_for_main_is_reachable_by_triggers_that_carry_its_ref() {
    let answer = reachable_by_pull_requests(&native("claims.ref = 'refs/heads/main'"), &Options::default());
    assert_eq!(answer.answer, Verdict::Yes);
    let token = answer.witness.unwrap().claims;
    let event = token.get("event_name").unwrap().as_str().unwrap().to_owned();
    assert!(["pull_request_target", "workflow_run"].contains(&event.as_str()), "{event}");
    let pushed = native("claims.ref = 'refs/heads/main'\nclaims.event_name = 'push'");
    assert_eq!(reachable_by_pull_requests(&pushed, &Options::default()).answer, Verdict::No);
}

#[test]
fn an_environment_holds_pull_requests_back_unless_it_is_known_to_let_them_in() {
    let policy = native("claims.environment = 'staging'");
    assert_eq!(reachable_by_pull_requests(&policy, &Options::default()).answer, Verdict::No);
    assert_eq!(reachable_by_pull_requests(&policy, &estate(ACME)).answer, Verdict::Yes);
    let policy = native("claims.environment = 'prod'");
    assert_eq!(reachable_by_pull_requests(&policy, &estate(ACME)).answer, Verdict::No);
}

#[test]
fn roles_of_different_environments_with_a_caller_in_common_are_found() {
    let main = native("claims.ref = 'refs/heads/main'");
    let any = native("claims.ref = { glob = 'refs/heads/*' }");
    let prod = native("claims.environment = 'prod'");
    let staging = native("claims.environment = 'staging'");
    let role = |name, environment, policy| Role { name, environment: Some(environment), policy };
    let roles = [
        role("deploy-main", "production", &main),
        role("deploy-any", "staging", &any),
        role("release", "production", &prod),
        role("preview", "staging", &staging),
        role("also-main", "production", &main),
    ];
    let shared = shared_callers(&roles, &Options::default());
    let pairs: Vec<(&str, &str)> = shared.iter().map(|it| (it.one.as_str(), it.two.as_str())).collect();
    assert!(pairs.contains(&("deploy-main", "deploy-any")), "{pairs:?}");
    assert!(!pairs.contains(&("deploy-main", "also-main")), "of one environment: {pairs:?}");
    assert!(!pairs.contains(&("release", "preview")), "no token is in both environments: {pairs:?}");
    let first = shared[0].witness.as_ref().unwrap();
    assert_eq!(first.claims.get("repository_id").unwrap().as_str(), Some("2002"));
}
