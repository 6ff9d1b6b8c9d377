use base64::Engine as _;

use super::*;
use crate::NoTree;
use crate::inventory::{Credential, inventory};

const REPORT: &str = "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date\n\
    <root_account>,arn:aws:iam::1:root,2020-01-01T00:00:00+00:00,false,N/A,N/A,false,N/A,N/A\n\
    ci,arn:aws:iam::1:user/ci,2020-01-01T00:00:00+00:00,true,2023-05-06T07:00:00+00:00,2026-11-20T10:00:00+00:00,false,2021-01-01T00:00:00+00:00,N/A\n\
    ann,arn:aws:iam::1:user/ann,2020-01-01T00:00:00+00:00,true,2024-01-01T00:00:00+00:00,N/A,true,2025-01-01T00:00:00+00:00,N/A\n";

fn found(path: &str, text: &str, exports: &[&str]) -> Vec<Credential> {
    let mut listings = Listings::default();
    for (index, export) in exports.iter().enumerate() {
        listings.add(&format!("export-{index}"), export.as_bytes()).unwrap();
    }
    let mut found = inventory(path, text.as_bytes(), &NoTree).unwrap().credentials;
    let named = listings.named_in(text.as_bytes());
    listings.join(&mut found, &named);
    found
}

fn sources(path: &str, text: &str, exports: &[&str]) -> Vec<String> {
    found(path, text, exports).into_iter().map(|one| format!("{} <- {}", one.sink, one.source)).collect()
}

const WORKFLOW: &str = "on: push\njobs:\n  j:\n    runs-on: x\n    steps:\n      - run: make\n        env:\n          AWS_SECRET_ACCESS_KEY: ${{ secrets.PROD_KEY }}\n";

#[test]
fn secrets_are_joined_by_name_and_keys_by_the_day_they_were_made() {
    let github = r#"[{"name":"prod_key","updatedAt":"2023-05-06T08:00:00Z"},{"name":"UNRELATED","updatedAt":"2020-01-01T00:00:00Z"}]"#;
    let details = r#"{"UserDetailList":[{"UserName":"ci","GroupList":["deployers"],"UserPolicyList":[{"PolicyName":"inline"}],"AttachedManagedPolicies":[{"PolicyName":"AdministratorAccess","PolicyArn":"x"}]}],"GroupDetailList":[{"GroupName":"deployers","AttachedManagedPolicies":[{"PolicyName":"Deploy"}]}]}"#;
    let workflow = |exports: &[&str]| sources(".github/workflows/w.yml", WORKFLOW, exports);
    assert_eq!(workflow(&[github]), ["AWS_SECRET_ACCESS_KEY <- secrets.PROD_KEY (last set 2023-05-06)"]);
    assert_eq!(
        workflow(&[github, REPORT, details]),
        [
            "AWS_SECRET_ACCESS_KEY <- secrets.PROD_KEY (last set 2023-05-06; perhaps of IAM user `ci`, whose key is of the same day: key made 2023-05-06, last used 2026-11-20; policies AdministratorAccess, Deploy, inline)"
        ]
    );
    // Two keys of the same day: nobody is named.
    let twice = format!("{REPORT}bob,x,x,true,2023-05-06T06:00:00+00:00,N/A,false,N/A,N/A\n");
    assert_eq!(
        workflow(&[github, &twice]),
        ["AWS_SECRET_ACCESS_KEY <- secrets.PROD_KEY (last set 2023-05-06)"]
    );
}

#[test]
fn a_key_that_terraform_makes_is_its_users() {
    let terraform = "resource \"aws_iam_user\" \"bot\" {\n  name = \"ci\"\n}\nresource \"aws_iam_access_key\" \"k\" {\n  user = aws_iam_user.bot.name\n}\n";
    assert_eq!(
        sources("main.tf", terraform, &[REPORT]),
        [
            "aws_iam_access_key.k <- aws_iam_access_key.k (IAM user `ci`: key made 2023-05-06, last used 2026-11-20)"
        ]
    );
}

#[test]
fn what_is_stored_and_not_named_is_listed_once() {
    let gitlab = "[\n  {\"key\": \"NPM_TOKEN\", \"value\": \"not-to-be-seen\", \"environment_scope\": \"*\"},\n  {\"key\": \"PLAIN\", \"value\": \"x\"}\n]";
    let found = found(".gitlab-ci.yml", "d: {script: [make]}\n", &[gitlab]);
    assert_eq!((found.len(), found[0].kind, &*found[0].file, found[0].line), (1, "npm-token", "export-0", 2));
    assert!(!format!("{found:?}").contains("not-to-be-seen"));
    // Another platform's secret of the same name is another secret: it tells nothing of this one.
    let circleci = r#"{"items":[{"variable":"PROD_KEY","context_id":"c","created_at":"2020-02-03T00:00:00Z"},{"variable":"TWINE_PASSWORD","context_id":"c","created_at":"2024-02-03T00:00:00Z"}],"next_page_token":null}"#;
    let of = |exports: &[&str]| sources(".github/workflows/w.yml", WORKFLOW, exports);
    assert_eq!(
        of(&[circleci]),
        [
            "AWS_SECRET_ACCESS_KEY <- secrets.PROD_KEY",
            "named in none of the files that were read <- TWINE_PASSWORD (last set 2024-02-03)"
        ]
    );
    let inherits =
        "on: push\njobs:\n  j:\n    uses: acme/x/.github/workflows/d.yml@v1\n    secrets: inherit\n";
    let rest = r#"{"total_count":1,"secrets":[{"name":"NPM_TOKEN"}]}"#;
    assert_eq!(
        sources(".github/workflows/w.yml", inherits, &[rest])[1],
        "named in none of the files that were read, which hand every secret on <- NPM_TOKEN"
    );
}

#[test]
fn a_credential_report_is_read_as_the_api_gives_it() {
    let content = base64::engine::general_purpose::STANDARD.encode(REPORT);
    let mut listings = Listings::default();
    assert!(listings.is_empty());
    listings
        .add("r", format!("{{\"Content\": \"{content}\", \"ReportFormat\": \"text/csv\"}}").as_bytes())
        .unwrap();
    assert_eq!(listings.keys.len(), 3);
    assert!(!listings.is_empty());
}

#[test]
fn what_is_no_export_is_refused_with_its_place() {
    let refusal = |text: &str| Listings::default().add("f", text.as_bytes()).unwrap_err();
    for text in ["", "hello", "{}", "{\"on\": 1}", "user;arn"] {
        assert!(matches!(refusal(text), ListingError::Unknown(_)), "{text}");
    }
    assert_eq!(refusal("[\n{\"name\": \"A\"").to_string(), "f:2:12: not JSON: it ends too early");
    assert_eq!(refusal("[{\"name\": \"A\"}, {}]").to_string(), "f:1:1: entry 1 of the listing has no `name`");
    assert_eq!(
        refusal("user,arn,x\na,b,c\n").to_string(),
        "f:1:1: a credential report has a column `access_key_1_active`"
    );
    assert_eq!(
        refusal("user,arn,x\na,b\n").to_string(),
        "f:2:1: this line has not as many fields as the first one"
    );
    assert!(matches!(refusal("{\"Content\": \"!\"}"), ListingError::Content(_)));
}
