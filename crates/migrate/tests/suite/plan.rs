use daypass_migrate::Plan;
use daypass_migrate::plan::{Grade, State, draw, mark};
use daypass_prove::Estate;
use daypass_trust::document::Source;

use crate::estate::{GITHUB, GITHUB_FILE, GITLAB, GITLAB_FILE, account, id, survey, survey_of};

fn again(text: &str, files: &[(&str, &str)]) -> daypass_migrate::plan::Drawn {
    draw(&survey_of(files), Some(&Source::new("daypass.migration.toml", text)), None).unwrap()
}

const FILES: [(&str, &str); 2] = [(GITHUB_FILE, GITHUB), (GITLAB_FILE, GITLAB)];

#[test]
fn a_plan_is_drawn_up() {
    let drawn = draw(&survey(), None, None).unwrap();
    insta::assert_snapshot!(drawn.text);
    assert_eq!(drawn.notes, [""; 0]);
}

#[test]
fn drawing_again_changes_nothing() {
    let first = draw(&survey(), None, None).unwrap().text;
    let second = again(&first, &FILES);
    assert_eq!(second.text, first);
    assert_eq!(second.notes, [""; 0]);
}

#[test]
fn what_people_wrote_stays() {
    let first = draw(&survey(), None, None).unwrap().text;
    let role =
        first.lines().find(|line| line.starts_with("name = \"aws-s3-write-shop-production\"")).unwrap();
    let edited = first
        .replace("aws-s3-write-shop-production", "site-deploy")
        .replace("name = \"site-deploy\"", "# Agreed with Kim.\nname = \"site-deploy\"   # short")
        .replace("runs = 5", "runs = 8");
    assert_ne!(edited, first, "{role}");
    let second = again(&edited, &FILES);
    assert_eq!(second.text, edited);
    assert_eq!(second.plan.evidence.runs, 8);
    assert!(second.plan.role("site-deploy").is_some());
}

#[test]
fn new_credentials_are_added_and_vanished_ones_marked() {
    let first = draw(&survey_of(&[FILES[0]]), None, None).unwrap().text;
    let more = again(&first, &FILES);
    assert!(more.text.starts_with(&first.split("\n[[group]]").next().unwrap().to_owned()));
    let survey = survey();
    let of_gitlab = id(&survey, "PROD_AWS_ID");
    assert!(more.plan.credential(&of_gitlab).is_some_and(|it| it.present));
    let fewer = again(&more.text, &[FILES[0]]);
    assert!(!fewer.plan.credential(&of_gitlab).unwrap().present);
    assert!(fewer.text.contains("present = false"));
    let back = again(&fewer.text, &FILES);
    assert!(back.plan.credential(&of_gitlab).unwrap().present);
}

#[test]
fn moved_lines_are_followed_and_comments_kept() {
    let first = draw(&survey(), None, None).unwrap().text;
    let noted = first.replace("line = 22\n", "line = 22 # see #12\n");
    assert_ne!(noted, first);
    let moved = format!("# a comment\n{GITHUB}");
    let second = again(&noted, &[(GITHUB_FILE, &moved), FILES[1]]);
    assert_eq!(
        second.text,
        noted
            .replace("line = 22 #", "line = 23 #")
            .replace("line = 37\n", "line = 38\n")
            .replace("line = 47\n", "line = 48\n")
    );
}

#[test]
fn non_production_comes_first() {
    let plan = draw(&survey(), None, None).unwrap().plan;
    let waves: Vec<(Option<&str>, u64)> =
        plan.roles.iter().map(|role| (role.environment.as_deref(), role.wave)).collect();
    assert_eq!(waves.first(), Some(&(Some("staging"), 2)), "{waves:?}");
    assert!(waves.iter().skip(1).all(|(name, wave)| *name == Some("production") && *wave == 3), "{waves:?}");
}

#[test]
fn policies_group_what_commands_only_suggest() {
    let survey = survey();
    let first = draw(&survey, None, None).unwrap().text;
    let mut told = first.clone();
    for (source, user) in [("STAGING_KEY", "staging-site"), ("PROD_KEY", "site"), ("PROD_AWS", "root-bot")] {
        let line = format!("id = \"{}\"\n", id(&survey, source));
        told = told.replace(&line, &format!("{line}principal = \"arn:aws:iam::111122223333:user/{user}\"\n"));
    }
    let account = account();
    let known = draw(&survey, Some(&Source::new("p.toml", told.as_str())), Some(&account)).unwrap();
    assert!(known.notes.iter().any(|note| note.contains("belongs to group `aws-site`")), "{:?}", known.notes);
    assert_eq!(known.text, told, "nothing moves by itself");

    // Without their groups and roles they are worked out anew.
    let open: String = {
        let mut out = String::new();
        let mut skip = false;
        for line in told.lines() {
            if line.starts_with("[[") {
                skip = matches!(line, "[[credential.use]]" | "[[group]]" | "[[role]]");
            }
            if !skip && !line.starts_with("group = ") {
                out.push_str(line);
                out.push('\n');
            }
        }
        out
    };
    let plan = draw(&survey, Some(&Source::new("p.toml", open.as_str())), Some(&account)).unwrap().plan;
    let group = |source: &str| {
        plan.group(plan.credential(&id(&survey, source)).unwrap().group.as_deref().unwrap()).unwrap()
    };
    let (staging, production, root) = (group("STAGING_KEY"), group("PROD_KEY"), group("PROD_AWS"));
    assert_eq!(staging.name, production.name, "the narrower permissions are nested in the wider");
    assert_eq!((staging.grade, staging.admin), (Grade::Certain, false));
    assert!(root.admin && root.name.ends_with("-admin"), "{root:?}");
    let role = |environment: &str| {
        plan.roles
            .iter()
            .find(|role| role.group == staging.name && role.environment.as_deref() == Some(environment))
            .unwrap()
    };
    assert_eq!(
        role("staging").principals,
        ["arn:aws:iam::111122223333:user/staging-site"],
        "a role is no wider than its own"
    );
    assert_eq!(role("production").principals, ["arn:aws:iam::111122223333:user/site"]);
}

#[test]
fn what_nothing_replaces_is_kept_with_the_reason() {
    let file = (
        "x/.github/workflows/a.yml",
        "on: push\njobs:\n  a:\n    runs-on: x\n    env:\n      CLOUDFLARE_API_TOKEN: ${{ secrets.CF }}\n    steps:\n      - run: npx wrangler deploy\n",
    );
    let plan = draw(&survey_of(&[file]), None, None).unwrap().plan;
    let kept = &plan.credentials[0];
    assert_eq!((kept.state, kept.group.as_deref()), (State::Kept, None));
    assert!(kept.why.as_deref().unwrap().starts_with("none is known"));
    assert!(plan.roles.is_empty() && plan.groups.is_empty());
}

#[test]
fn a_retired_credential_that_is_back_is_told() {
    let first = draw(&survey(), None, None).unwrap().text;
    let retired = first.replace("state = \"planned\"", "state = \"retired\"");
    let notes = again(&retired, &FILES).notes;
    assert!(
        notes.iter().any(|note| note.contains("it is retired in the plan, and shop/.github")),
        "{notes:?}"
    );
    assert!(Plan::parse(&Source::new("p", retired.as_str())).is_ok());
}

#[test]
fn what_an_estate_knows_is_filled_in() {
    let text = "[[organisation]]\nplatform = \"github-actions\"\nname = \"acme\"\nid = \"1001\"\n[[repository]]\nplatform = \
                \"github-actions\"\nname = \"acme/shop\"\nid = \"2002\"\nsubjects = [\"immutable\"]\n[[repository]]\nplatform = \
                \"gitlab-com\"\nname = \"acme/other\"\nid = \"3\"\n";
    let estate = Estate::parse(&Source::new("daypass.estate.toml", text)).unwrap();
    let drawn = draw(&survey().knowing(estate), None, None).unwrap();
    let of = |path: &str| drawn.plan.repositories.iter().find(|it| it.path == path).unwrap();
    let claim = |name: &str| of("shop").facts.claims.get(name).map(String::as_str);
    assert_eq!(claim("repository"), Some("acme/shop"));
    assert_eq!((claim("repository_id"), claim("repository_owner_id")), (Some("2002"), Some("1001")));
    assert_eq!(of("shop").subjects.as_deref(), Some("immutable"));
    assert!(of("api").facts.claims.is_empty(), "it is another repository: {drawn:?}");
}

#[test]
fn roles_live_where_their_cloud_does_unless_they_say_otherwise() {
    let text = draw(&survey(), None, None).unwrap().text;
    let edited = text
        .replacen("[[repository]]", "[target.aws]\naccount = \"111122223333\"\n\n[[repository]]", 1)
        .replacen("target = {}", "target = { account = \"444455556666\" }", 1);
    let plan = again(&edited, &FILES).plan;
    let accounts: Vec<&str> = plan.roles.iter().map(|role| role.target["account"].as_str()).collect();
    assert_eq!(accounts, ["444455556666", "111122223333", "111122223333"]);
}

#[test]
fn paths_are_kept_and_new_ones_added() {
    let over = |paths: &[&str]| survey().over(paths.iter().map(|path| (*path).to_owned()).collect());
    let first = draw(&over(&["shop", "api"]), None, None).unwrap();
    assert_eq!(first.plan.paths, ["shop", "api"]);
    let source = Source::new("p", first.text.as_str());
    let second = draw(&over(&["api", "web"]), Some(&source), None).unwrap();
    assert_eq!(second.plan.paths, ["shop", "api", "web"]);
}

#[test]
fn a_state_is_marked_and_everything_else_stays() {
    let survey = survey();
    let text = draw(&survey, None, None).unwrap().text.replacen(
        "state = \"planned\"",
        "state = \"planned\" # soon",
        1,
    );
    let first = Plan::parse(&Source::new("p", text.as_str())).unwrap().credentials[0].id.clone();
    let marked = mark(&Source::new("p", text.as_str()), &[first], State::CutOver);
    assert_eq!(marked, text.replacen("state = \"planned\" # soon", "state = \"cut-over\" # soon", 1));
}
