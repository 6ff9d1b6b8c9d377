//! Plans that were edited into nonsense: each is refused at its place, with what would be right.

use daypass_migrate::Plan;
use daypass_trust::document::Source;

const GROUP: &str = "[[group]]\nname = \"g\"\ncloud = \"aws\"\ngrade = \"inferred\"\n";
const ROLE: &str = "[[role]]\nname = \"r\"\ncloud = \"aws\"\ngroup = \"g\"\nwave = 1\n";
const CREDENTIAL: &str = "[[credential]]\nid = \"c\"\nkind = \"aws-access-key\"\ncloud = \"aws\"\nfile = \"f\"\nline = 1\n\
                          confidence = \"certain\"\ngroup = \"g\"\nstate = \"planned\"\n";

fn refused(text: &str) -> String {
    let text = format!("version = 1\n{text}");
    Plan::parse(&Source::new("p.toml", text.as_str())).unwrap_err().to_string()
}

fn whole(old: &str, new: &str) -> String {
    let text = format!("{GROUP}{ROLE}{CREDENTIAL}");
    assert!(text.contains(old), "{old}");
    refused(&text.replacen(old, new, 1))
}

#[test]
fn a_plan_that_is_right_is_read() {
    let text =
        format!("version = 1\n{GROUP}{ROLE}{CREDENTIAL}[[credential.use]]\njob = \"j\"\nrole = \"r\"\n");
    let plan = Plan::parse(&Source::new("p.toml", text.as_str())).unwrap();
    assert_eq!(plan.wave(&plan.credentials[0]), Some(1));
    assert_eq!(plan.jobs_of("r").collect::<Vec<_>>(), [("f", "j")]);
}

#[test]
fn text_that_is_no_plan() {
    assert!(refused("x = ").starts_with("p.toml:2:"));
    let version = |text: &str| Plan::parse(&Source::new("p.toml", text)).unwrap_err().to_string();
    assert_eq!(
        version("a = 1"),
        "p.toml:1:1: `version` is missing (write `version = 1`)\np.toml:1:1: unknown key `a` (known here: version, evidence, paths, target, repository, group, role, credential)"
    );
    assert_eq!(version("version = 2"), "p.toml:1:1: this is no plan of version 1 (write `version = 1`)");
    assert_eq!(refused("roles = 1"), "p.toml:2:1: unknown key `roles` (did you mean `role`?)");
    assert_eq!(
        refused("role = 1"),
        "p.toml:2:8: `role` must be a list of tables, this is a number (write [[role]])"
    );
}

#[test]
fn evidence_that_is_none() {
    assert!(refused("evidence = 3").contains("p.toml:2:12: `evidence` must be a table"));
    assert!(refused("evidence = { runs = 0 }").contains("a whole number from 1 to 1000"));
    assert!(refused("evidence = { unused = \"1h\" }").contains("a duration like"));
}

#[test]
fn repositories_that_are_none() {
    let repository =
        |more: &str| refused(&format!("[[repository]]\npath = \"a\"\nplatform = \"gitlab\"\n{more}"));
    assert!(repository("issuer = \"gitlab.com\"").contains("p.toml:5:10:"));
    assert_eq!(
        repository("claims = { repository = \"a\" }"),
        "p.toml:5:25: gitlab has no claim `repository` (such as `repository` and `repository_id`)"
    );
    assert!(repository("claims = 1").contains("`claims` must be a table, this is a number"));
    assert!(repository("claims = { project_id = 3 }").contains("`claims.project_id` must be a text"));
    assert!(repository("subjects = \"immutable\"").contains("has no subjects of the form `immutable`"));
    assert!(repository("default_branch = \"\"").contains("`default_branch` is empty"));
    assert!(
        refused("[[repository]]\npath = \"\"\nplatform = \"travis\"")
            .contains("`travis` is no platform (one of github-actions,")
    );
}

#[test]
fn groups_and_roles_that_are_none() {
    assert!(
        whole("grade = \"inferred\"", "grade = \"guessed\"")
            .contains("p.toml:5:9: `guessed` is no grade (one of certain, inferred)")
    );
    assert!(whole("cloud = \"aws\"\ngroup", "cloud = \"npm\"\ngroup").contains("`npm` is no cloud"));
    assert_eq!(
        whole("group = \"g\"\nwave", "group = \"h\"\nwave"),
        "p.toml:9:9: no group is called `h` (known: g)"
    );
    assert!(
        whole("cloud = \"aws\"\ngroup", "cloud = \"gcp\"\ngroup")
            .contains("a role of gcp cannot have the privileges of a group of aws")
    );
    assert_eq!(whole("wave = 1\n", ""), "p.toml:6:1: `wave` is missing (when it is its turn: `wave = 1`)");
    assert!(whole("wave = 1", "wave = 0").contains("a whole number from 1 to 100"));
    assert!(whole("wave = 1", "wave = 1\nsession = \"1m\"").contains("from 15m to 12h"));
    assert_eq!(
        whole("wave = 1", "wave = 1\ntarget = { acount = \"1\" }"),
        "p.toml:11:21: a role of aws has no `acount` (known: account, audience)"
    );
    assert_eq!(
        refused(&format!("{GROUP}{GROUP}")),
        "p.toml:6:1: two of `[[group]]` are called `g` (give one of them another name, or take it out)"
    );
    assert!(refused(&format!("{GROUP}{ROLE}{ROLE}")).contains("two of `[[role]]` are called `r`"));
}

/// A plan's words end up in commands, pipelines and names of files.
#[test]
fn names_and_places_that_would_begin_something() {
    let name = |name: &str| whole("name = \"r\"\ncloud", &format!("name = '{name}'\ncloud"));
    assert_eq!(
        name("$(id)").lines().next().unwrap(),
        "p.toml:7:8: no role can be called `$(id)`: it begins with neither a letter nor a digit (letters, digits and `+` `=` `,` `.` `@` `_` `-`)"
    );
    for bad in ["../../escaped", "a; reboot", "a`id`", "${{ secrets.A }}", "-x", "a b"] {
        assert!(name(bad).contains("no role can be called"), "{bad}");
    }
    let place = |value: &str| refused(&format!("[target.vault]\naddress = \"{value}\""));
    assert_eq!(
        place("https://v; reboot"),
        "p.toml:3:11: `address` cannot be used: it has `;`, which would mean something else in a command or a file (letters, digits and `-` `.` `_` `~` `:` `/` `@` `=` `+` `,`)"
    );
    for bad in ["$(id)", "a\\nb", "a'b", "a%s", "\\u001b[2J"] {
        assert!(place(bad).contains("`address` cannot be used"), "{bad}: {}", place(bad));
    }
}

#[test]
fn places_of_roles_that_are_none() {
    assert_eq!(
        refused("[target.aws]\nacount = \"1\""),
        "p.toml:3:10: a role of aws has no `acount` (known: account, audience)"
    );
    assert!(refused("[target.npm]\nx = \"1\"").contains("unknown key `npm`"));
    assert!(refused("target = 1").contains("`target` must be a table"));
    assert!(refused("paths = [\"\"]").contains("`paths` is empty"));
}

#[test]
fn credentials_that_are_none() {
    assert!(
        whole("kind = \"aws-access-key\"", "kind = \"aws-key\"")
            .contains("no kind of credential is called `aws-key`")
    );
    assert!(
        whole("state = \"planned\"", "state = \"done\"")
            .contains("`done` is no state (one of planned, cut-over, retired, kept)")
    );
    assert!(
        whole("state = \"planned\"", "state = \"kept\"")
            .contains("a credential that is kept has no reason (add `why")
    );
    assert!(whole("confidence = \"certain\"", "confidence = \"maybe\"").contains("`maybe` is no confidence"));
    assert!(
        whole("group = \"g\"\nstate", "group = \"h\"\nstate")
            .contains("no group is called `h` (declare it as [[group]]")
    );
    assert!(
        whole("cloud = \"aws\"\nfile", "cloud = \"gcp\"\nfile")
            .contains("`g` is a group of aws, and the credential opens gcp")
    );
    assert!(whole("line = 1", "line = 0").contains("a whole number from 1"));
    assert!(
        refused(&format!("{GROUP}{CREDENTIAL}{CREDENTIAL}"))
            .contains("two of `[[credential]]` are called `c`")
    );
    let uses = |text: &str| {
        refused(&format!(
            "{GROUP}{ROLE}[[group]]\nname = \"h\"\ncloud = \"aws\"\ngrade = \"inferred\"\n{}[[credential.use]]\n{text}",
            CREDENTIAL.replace("group = \"g\"", "group = \"h\"")
        ))
    };
    assert!(uses("role = \"r\"").contains("`job` is missing"));
    assert!(uses("job = \"j\"\nrole = \"x\"").contains("no role is called `x`"));
    assert!(
        uses("job = \"j\"\nrole = \"r\"")
            .contains("role `r` has the privileges of `g`, not those of the credential's group")
    );
}
