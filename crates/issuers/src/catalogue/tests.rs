use super::*;

const PLATFORM: &str = r#"
id = "one"
name = "One"
about = ""
sources = ["book"]
[issuer]
algorithms = ["RS256"]
tenancy = ""
[[issuer.form]]
pattern = "https://{org:label}.one.example"
binds = "name"
[tenants]
organisation_names = ["org"]
[token]
registered = ["iss"]
claims = [
  { name = "sub", identifies = "subject", is = ["always"], about = "" },
  { name = "org", identifies = "organisation", is = ["always"], shape = "label", sample = "acme", about = "" },
  { name = "owner", identifies = "organisation", is = ["always"], derive = "{org}", about = "" },
]
[[subject]]
form = "default"
rules = "org:{org}"
[[variant]]
name = "default"
about = ""
"#;

const CHILD: &str = r#"
id = "two"
name = "Two"
inherits = "one"
about = ""
sources = []
gotchas = ["own"]
[issuer]
algorithms = []
tenancy = ""
[[issuer.form]]
pattern = "https://two.example"
binds = "nothing"
[token]
claims = [{ name = "owner", identifies = "organisation", is = ["usually"], sample = "two", about = "" }]
"#;

fn documents<'a>(platforms: &'a [(&'a str, &'a str)]) -> Documents<'a> {
    Documents {
        platforms,
        registered: "claim = [{ name = 'iss', identifies = 'issuer', is = ['always'], about = '' }]",
        sources: "[book]\ntitle = 'Book'",
        aws: "date = '2026-09-26'\nsources = []\ndefault = []\nlist = []\nguardrail = []",
        without_issuer: "",
    }
}

/// The refusal of `PLATFORM` with one piece replaced.
fn refusal(from: &str, to: &str) -> CatalogueError {
    assert!(PLATFORM.contains(from), "{from}");
    let text = PLATFORM.replacen(from, to, 1);
    Catalogue::parse(&documents(&[("one", &text)])).unwrap_err()
}

/// What is mentioned in vain, and where.
fn unknown_in(error: &CatalogueError) -> (&str, &'static str, &str) {
    match error {
        CatalogueError::Unknown { place, what, name, .. } => (place, what, name),
        other => panic!("{other}"),
    }
}

#[test]
fn a_small_catalogue_is_read() {
    let catalogue = Catalogue::parse(&documents(&[("one", PLATFORM), ("two", CHILD)])).unwrap();
    assert_eq!(catalogue.platforms().len(), 2);
    assert_eq!(catalogue.sources()["book"].title, "Book");
    assert!(catalogue.platform("three").is_none());
}

#[test]
fn a_child_takes_over_what_it_leaves_out() {
    let catalogue = Catalogue::parse(&documents(&[("one", PLATFORM), ("two", CHILD)])).unwrap();
    let child = catalogue.platform("two").unwrap();
    let names: Vec<&str> = child.claims.iter().map(|claim| claim.name.as_str()).collect();
    assert_eq!(names, ["iss", "sub", "org", "owner"], "its own `owner` in the place of the parent's");
    assert_eq!(child.claims.get("owner").unwrap().sample, Some("two".into()));
    assert_eq!(child.sources, ["book"]);
    assert_eq!(child.gotchas, ["own"]);
    assert!(child.subject("default").is_some() && child.variant("default").is_some());
    assert_eq!(child.issuer.forms.len(), 1, "the issuer is its own");
}

#[test]
fn what_is_not_the_schema_is_refused_with_its_place() {
    let refusals = [
        refusal("id = \"one\"", "id = one"),
        refusal("about = \"\"", "about = \"\"\nabuot = \"\""),
        refusal("binds = \"name\"", "binds = \"names\""),
        refusal("{org:label}", "{org}"),
        refusal("\"{org}\"", "\"{org\""),
    ];
    for error in refusals {
        assert!(matches!(&error, CatalogueError::Syntax { file, .. } if file == "one"), "{error}");
        assert!(error.to_string().contains("line"), "{error}");
    }
    for broken in ["registered", "sources", "aws", "without-issuer"] {
        let mut documents = documents(&[]);
        match broken {
            "registered" => documents.registered = "x",
            "sources" => documents.sources = "x",
            "aws" => documents.aws = "x",
            _ => documents.without_issuer = "x",
        }
        let error = Catalogue::parse(&documents).unwrap_err();
        assert!(matches!(&error, CatalogueError::Syntax { file, .. } if file == broken), "{error}");
    }
}

#[test]
fn an_id_is_that_of_its_file_and_kebab_case() {
    assert!(matches!(refusal("id = \"one\"", "id = \"two\""), CatalogueError::Id { .. }));
    let text = PLATFORM.replace("\"one\"", "\"One\"");
    let error = Catalogue::parse(&documents(&[("One", &text)])).unwrap_err();
    assert!(matches!(error, CatalogueError::Id { .. }));
}

#[test]
fn names_are_unique() {
    let what = |error: &CatalogueError| match error {
        CatalogueError::Duplicate { what, .. } => *what,
        other => panic!("{other}"),
    };
    assert_eq!(what(&refusal("name = \"owner\"", "name = \"org\"")), "claim");
    let form = "[[subject]]\nform = \"default\"\nrules = \"x\"\n[[subject]]";
    assert_eq!(what(&refusal("[[subject]]", form)), "subject form");
    let variant = "[[variant]]\nname = \"x\"\naliases = [\"default\"]\nabout = \"\"\n[[variant]]";
    assert_eq!(what(&refusal("[[variant]]", variant)), "variant");
    let twice = [("one", PLATFORM), ("one", PLATFORM)];
    assert_eq!(what(&Catalogue::parse(&documents(&twice)).unwrap_err()), "platform");
}

#[test]
fn what_is_mentioned_exists() {
    for (from, to, place, what, name) in [
        ("sources = [\"book\"]", "sources = [\"film\"]", "sources", "source", "film"),
        ("registered = [\"iss\"]", "registered = [\"iat\"]", "registered", "claim", "iat"),
        ("sources =", "inherits = \"zero\"\nsources =", "inherits", "platform", "zero"),
        ("{org:label}", "{tenant:label}", "iss", "claim", "tenant"),
        ("rules = \"org:{org}\"", "rules = \"org:{tenant}\"", "sub", "claim", "tenant"),
        ("derive = \"{org}\"", "derive = \"{tenant}\"", "owner", "claim", "tenant"),
        ("[\"org\"]", "[\"tenant\"]", "tenants", "claim", "tenant"),
        ("[tenants]", "[selectors]\nref = \"branch\"\n[tenants]", "selectors", "claim", "branch"),
        (
            "[tenants]",
            "[[untrusted]]\nwhen = { claim = \"event\", present = true }\nkind = \"outsider\"\nabout = \"\"\n[tenants]",
            "untrusted",
            "claim",
            "event",
        ),
        (
            "name = \"default\"",
            "name = \"default\"\nform = \"v2\"",
            "variant `default`",
            "subject form",
            "v2",
        ),
        (
            "name = \"default\"",
            "name = \"default\"\nissuer = \"https://x.example\"",
            "variant `default`",
            "issuer form",
            "https://x.example",
        ),
        ("name = \"default\"", "name = \"default\"\nwith = [\"x\"]", "variant `default`", "claim", "x"),
    ] {
        let error = refusal(from, to);
        assert_eq!(unknown_in(&error), (place, what, name));
    }
    let mut aws = documents(&[]);
    aws.aws = "date = ''\nsources = ['film']\ndefault = []\nlist = []\nguardrail = []";
    assert_eq!(unknown_in(&Catalogue::parse(&aws).unwrap_err()), ("sources", "source", "film"));
    let mut without = documents(&[]);
    without.without_issuer = "[[platform]]\nname = 'X'\nabout = ''\ninstead = 'zero'";
    assert_eq!(unknown_in(&Catalogue::parse(&without).unwrap_err()), ("X", "platform", "zero"));
}

#[test]
fn a_parent_stands_before_its_children() {
    let error = Catalogue::parse(&documents(&[("two", CHILD), ("one", PLATFORM)])).unwrap_err();
    assert_eq!(unknown_in(&error), ("inherits", "platform", "one"));
}

#[test]
fn a_default_variant_is_needed() {
    let error = refusal("[[variant]]\nname = \"default\"", "[[variant]]\nname = \"main\"");
    assert_eq!(error, CatalogueError::NoDefault { file: "one".to_owned() });
}

#[test]
fn a_claim_of_the_usual_token_needs_something_to_be_minted_from() {
    let no_sample = |error: &CatalogueError| matches!(error, CatalogueError::NoSample { .. });
    assert!(no_sample(&refusal("sample = \"acme\", ", "")));
    assert!(no_sample(&refusal("derive = \"{org}\", ", "")));
    let optional = "{ name = \"x\", identifies = \"other\", about = \"\" },\n]";
    let with = format!("{optional}\n[[variant]]\nname = \"x\"\nabout = \"\"\nwith = [\"x\"]");
    assert!(no_sample(&refusal("]\n[[subject]]", &format!("{with}\n[[subject]]"))));
    let without = PLATFORM.replacen("]\n[[subject]]", &format!("{optional}\n[[subject]]"), 1);
    assert!(Catalogue::parse(&documents(&[("one", &without)])).is_ok());
}

#[test]
fn a_sample_is_what_the_platform_would_write() {
    let expected = |error: &CatalogueError| match error {
        CatalogueError::Sample { expected, .. } => expected.clone(),
        other => panic!("{other}"),
    };
    assert_eq!(expected(&refusal("sample = \"acme\"", "sample = 7")), "a string");
    assert_eq!(expected(&refusal("sample = \"acme\"", "sample = \"Acme\"")), "of shape `label`");
    let values = "values = [\"x\", \"y\"], sample = \"acme\"";
    assert_eq!(expected(&refusal("sample = \"acme\"", values)), "one of x, y");
    let set = "name = \"default\"\nset = { org = \"A/B\" }";
    assert_eq!(expected(&refusal("name = \"default\"", set)), "of shape `label`");
    let null = "name = \"default\"\nnull = [\"org\"]";
    assert_eq!(expected(&refusal("name = \"default\"", null)), "a string");
}

#[test]
fn nothing_is_derived_from_itself() {
    let circle = "derive = \"{owner}\", shape = \"label\"";
    let error = refusal("shape = \"label\", sample = \"acme\"", circle);
    assert!(matches!(error, CatalogueError::Cycle { .. }), "{error}");
}
