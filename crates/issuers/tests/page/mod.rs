//! The reference page `docs/reference/issuers.md`, made from the catalogue. `DAYPASS_UPDATE=1` writes it anew.

use std::fmt::Write;
use std::path::Path;

use daypass_claims::{ClaimSet, ClaimValue, Issuer};
use daypass_issuers::{
    AudienceChoice, Binds, ClaimSpec, Confidence, KeyList, Platform, Presence, Slot, SubjectForm, Support,
    Topic, catalogue,
};

use self::job::job;
use crate::builtin::mint;

mod job;

#[test]
fn the_reference_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/issuers.md");
    let page = page();
    if std::env::var_os("DAYPASS_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = written.lines().zip(page.lines()).position(|(old, new)| old != new);
    assert!(
        written == page,
        "docs/reference/issuers.md is out of date from line {}: DAYPASS_UPDATE=1 cargo test -p daypass-issuers",
        differs.map_or(written.lines().count(), |line| line + 1)
    );
}

#[test]
fn tables_have_the_same_number_of_columns_in_every_row() {
    let mut columns = None;
    for line in page().lines() {
        let bars = line.replace("\\|", "").matches('|').count();
        if !line.starts_with('|') {
            columns = None;
        } else if let Some(columns) = columns {
            assert_eq!(bars, columns, "{line}");
        } else {
            columns = Some(bars);
        }
    }
}

const HEAD: &str = "\
<!-- Made from crates/issuers/data by `DAYPASS_UPDATE=1 cargo test -p daypass-issuers`. Changes belong there. -->

# CI platforms

What daypass knows about the platforms whose jobs it can recognise: who signs, how a job gets its token, which
claims are in it and what each is worth, and what an AWS trust policy can see of it.

How to read it:

* Examples belong to the running example *acme*: the repository `acme/app` (2002) of the organisation `acme` (1001).
* `{claim}` stands for a claim's value in templates. `{claim|segment 0}` is its first piece between slashes,
  `{claim|parent}` all but the last, `{claim|at /a/b}` a member of an object, `{claim|unbraced}` what its braces
  enclose, `{claim|host}` an URL's host; `{claim?}` is empty where the claim is missing. In issuers, `{name:shape}`
  says what may stand there. Names that are not claims are parts that only the issuer or `sub` shows.
* **fixed**: the value keeps its meaning when things are renamed or transferred, and is never given to something else.
* **others choose**: someone can pick the value who can only open a pull request, push an unprotected branch, edit
  the pipeline there, or run jobs in another tenant of the same issuer.
* *(low)* marks what was not found in a primary source: check it before relying on it.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    overview(&mut page);
    aws(&mut page);
    for platform in catalogue().platforms() {
        section(&mut page, platform);
    }
    without_issuer(&mut page);
    sources(&mut page);
    page
}

fn overview(page: &mut String) {
    page.push_str("\n## Overview\n\n");
    row(page, &["platform", "id", "issuer", "shared", "binds organisation", "binds repository"]);
    page.push_str("|---|---|---|---|---|---|\n");
    for platform in catalogue().platforms() {
        let ids = |ids: &[Slot], names: &[Slot]| {
            if ids.is_empty() { format!("{} *(name)*", slots(names)) } else { slots(ids) }
        };
        let tenants = &platform.tenants;
        let organisation = match (&tenants.organisation[..], &tenants.organisation_names[..]) {
            ([], []) => "the issuer".to_owned(),
            (fixed, names) => ids(fixed, names),
        };
        let name = format!("[{}](#{})", platform.name, platform.id);
        let shared = if platform.issuer.is_shared() { "yes" } else { "" };
        let issuer = code(platform.issuer.forms[0].pattern.as_str());
        let repository = ids(&tenants.repository, &tenants.repository_names);
        row(page, &[&name, &code(&platform.id), &issuer, shared, &organisation, &repository]);
    }
}

fn aws(page: &mut String) {
    let aws = catalogue().aws();
    write!(
        page,
        "\n## What AWS sees\n\nA claim reaches IAM as the condition key `ISSUER:CLAIM` (the issuer without `https://`), in \
         role trust policies and resource control policies at `AssumeRoleWithWebIdentity`, and is not there later in \
         the session. AWS lists the keys of some issuers; the lists are of {}. A claim that is not on its issuer's \
         list cannot be seen. For issuers without a list it is open which other claims can. AWS never tells a \
         caller which condition failed.\n\n| key, any issuer | dependable | what it holds |\n|---|---|---|\n",
        aws.date
    )
    .unwrap();
    for key in &aws.defaults {
        row(page, &[&code(&key.key), if key.dependable { "yes" } else { "no" }, &key.about]);
    }
    page.push_str("\n| issuer | keys | |\n|---|---|---|\n");
    for KeyList { issuer, claims, numeric, multivalued, about, .. } in &aws.lists {
        let mut notes = vec![about.clone()];
        notes.extend(numeric.iter().map(|key| format!("`{key}` is compared as a number.")));
        notes.extend(multivalued.iter().map(|key| format!("`{key}` holds several values.")));
        notes.retain(|note| !note.is_empty());
        row(page, &[&code(issuer.as_str()), &codes(claims), &notes.join(" ")]);
    }
    page.push_str(
        "\nIAM refuses to write a role that trusts one of these issuers and evaluates none of the keys. Roles that were \
         there before are not checked again, and a pattern such as `repo:*` passes.\n\n\
         | issuer | one of | |\n|---|---|---|\n",
    );
    for rail in &aws.guardrails {
        row(page, &[&codes(&rail.issuers), &codes(&rail.keys), &rail.about]);
    }
}

fn section(page: &mut String, platform: &Platform) {
    let default = mint(platform, platform.variant("default").unwrap());
    write!(page, "\n<a id=\"{}\"></a>\n\n## {}\n\n`{0}`. {}\n", platform.id, platform.name, platform.about)
        .unwrap();
    if !platform.low_confidence.is_empty() {
        let topics: Vec<&str> = platform.low_confidence.iter().map(|topic| topic_name(*topic)).collect();
        write!(page, "\n*(low)* {}.\n", topics.join(", ")).unwrap();
    }
    issuer(page, platform);
    job(page, platform);
    audience(page, platform);
    subjects(page, platform);
    tenants(page, platform);
    untrusted(page, platform);
    claims(page, platform, &default);
    let own = platform
        .gotchas
        .iter()
        .filter(|gotcha| parent(platform).is_none_or(|it| !it.gotchas.contains(gotcha)));
    let own: Vec<String> = own.map(|gotcha| format!("* {gotcha}\n")).collect();
    if !own.is_empty() {
        write!(page, "\n**Worth knowing**\n\n{}", own.concat()).unwrap();
    }
    let cited: Vec<String> = platform.sources.iter().map(|key| format!("[{key}](#source-{key})")).collect();
    let docs: Vec<String> = platform.docs.iter().map(|url| format!("<{url}>")).collect();
    let docs = if docs.is_empty() { String::new() } else { format!("\nVendor: {}.\n", docs.join(", ")) };
    write!(page, "{docs}\nSources: {}.\n", cited.join(", ")).unwrap();
}

fn issuer(page: &mut String, platform: &Platform) {
    let spec = &platform.issuer;
    write!(
        page,
        "\n**Issuer.** {}\n\n| issuer | comparing it binds | key set | |\n|---|---|---|---|\n",
        spec.tenancy
    )
    .unwrap();
    for form in &spec.forms {
        let jwks = form.jwks.as_ref().or(spec.jwks.as_ref());
        let jwks = jwks.map_or("as discovery says".to_owned(), |jwks| code(jwks));
        let binds = match form.binds {
            Binds::Nothing => "nothing: everyone shares it",
            Binds::Name => "a name of the tenant",
            Binds::Id => "an id of the tenant",
            Binds::Installation => "the installation",
        };
        let asked = if form.on_request { " Only if the job asks for it." } else { "" };
        row(page, &[&code(form.pattern.as_str()), binds, &jwks, format!("{}{asked}", form.about).trim()]);
    }
    let algorithms: Vec<String> = spec.algorithms.iter().map(ToString::to_string).collect();
    let algorithms = if algorithms.is_empty() { "not established".to_owned() } else { algorithms.join(", ") };
    write!(page, "\nSignatures: {algorithms}.\n").unwrap();
}

fn audience(page: &mut String, platform: &Platform) {
    let spec = &platform.audience;
    let default =
        spec.default.as_ref().map_or("No default".to_owned(), |template| format!("By default `{template}`"));
    let choice = match spec.choice {
        AudienceChoice::Job => "the job can choose",
        AudienceChoice::Administrator => "an administrator chooses",
        AudienceChoice::Fixed => "nobody can choose another",
        AudienceChoice::Unknown => "whether another can be chosen was not established",
    };
    let keeps = if spec.keeps_default { ", in addition to the default" } else { "" };
    write!(page, "\n**Audience.** {}\n", format!("{default}; {choice}{keeps}. {}", spec.about).trim())
        .unwrap();
    let lifetime = &platform.lifetime;
    let seconds =
        lifetime.seconds.map_or("Not established.".to_owned(), |seconds| format!("{seconds} seconds."));
    let early = match lifetime.not_before {
        0 => String::new(),
        offset => format!(" `nbf` is {} seconds before `iat`.", offset.unsigned_abs()),
    };
    write!(page, "\n**Lifetime.** {}\n", format!("{seconds}{early} {}", lifetime.about).trim()).unwrap();
}

fn subjects(page: &mut String, platform: &Platform) {
    if platform.subjects.is_empty() {
        page.push_str("\n**Subject.** Not established.\n");
    } else {
        page.push_str("\n**Subject**\n\n| form | when | `sub` |\n|---|---|---|\n");
    }
    for form in &platform.subjects {
        for (index, rule) in form.rules.0.iter().enumerate() {
            let guards: Vec<String> = rule.when.iter().map(ToString::to_string).collect();
            let when = match (guards.is_empty(), index) {
                (false, _) => guards.join(" and "),
                (true, 0) => String::new(),
                (true, _) => "otherwise".to_owned(),
            };
            let name = if index == 0 { form_name(form) } else { String::new() };
            row(page, &[&name, &when, &code(rule.template.as_str())]);
        }
        for (from, to) in &form.escapes {
            row(page, &["", &format!("inside values, `{from}` is written"), &code(to)]);
        }
    }
    for form in platform.subjects.iter().filter(|form| !form.about.is_empty()) {
        write!(page, "\n`{}`: {}\n", form.name, form.about).unwrap();
    }
    if let Some(custom) = &platform.custom_subject {
        let by = if custom.by.as_str() == "job" { "The job" } else { "An administrator" };
        write!(page, "\n{by} can change it. {}", custom.about).unwrap();
        if !custom.keys.is_empty() {
            write!(page, " Pieces: {}.", codes(&custom.keys)).unwrap();
        }
        if !custom.leads.is_empty() {
            write!(page, " First: {}.", codes(&custom.leads)).unwrap();
        }
        page.push('\n');
    }
    page.push_str("\n| kind of token | which job | `sub` |\n|---|---|---|\n");
    for variant in &platform.variants {
        let names: Vec<&str> = variant.names().collect();
        let sub = mint(platform, variant).get("sub").and_then(ClaimValue::as_str).map_or(String::new(), code);
        row(page, &[&codes(&names), &format!("{}{}", variant.about, low(variant.confidence)), &sub]);
    }
}

fn form_name(form: &SubjectForm) -> String {
    format!("{}{}", code(&form.name), low(form.confidence))
}

fn tenants(page: &mut String, platform: &Platform) {
    let tenants = &platform.tenants;
    page.push_str("\n**Binding a tenant**\n\n| | by id | by name, which can change hands |\n|---|---|---|\n");
    row(page, &["organisation", &slots(&tenants.organisation), &slots(&tenants.organisation_names)]);
    row(page, &["repository", &slots(&tenants.repository), &slots(&tenants.repository_names)]);
    let selectors = &platform.selectors;
    let templates = [("run", &selectors.run), ("repository", &selectors.repository)];
    let mut told: Vec<String> = templates
        .iter()
        .filter_map(|(what, template)| template.as_ref().map(|template| format!("{what} `{template}`")))
        .collect();
    let single = [("environment", &selectors.environment), ("ref", &selectors.git_ref)];
    told.extend(
        single.iter().filter_map(|(what, slot)| slot.as_ref().map(|slot| format!("{what} `{slot}`"))),
    );
    write!(page, "\nTold by: {}.\n", told.join(", ")).unwrap();
}

fn untrusted(page: &mut String, platform: &Platform) {
    write!(page, "\n**Pull requests and the like.** {}\n", platform.forks).unwrap();
    if !platform.untrusted.is_empty() {
        page.push_str("\n| token | kind | |\n|---|---|---|\n");
    }
    for trigger in &platform.untrusted {
        row(page, &[&trigger.when.to_string(), trigger.kind.as_str(), &trigger.about]);
    }
    for rule in &platform.consistent {
        let when: Vec<String> = rule.when.iter().map(ToString::to_string).collect();
        write!(page, "\nWhere {}, {}. {}\n", when.join(" and "), rule.then, rule.about).unwrap();
    }
}

fn claims(page: &mut String, platform: &Platform, token: &ClaimSet) {
    let issuer = Issuer::parse(token.get("iss").and_then(ClaimValue::as_str).unwrap()).unwrap();
    let seen = match catalogue().aws().list_of(&issuer) {
        Some(list) => format!("`aud`, `sub`, {}, and no other claim", codes(&list.claims)),
        None => "`aud` and `sub`; whether any other claim can be seen is open".to_owned(),
    };
    write!(page, "\n**On AWS.** {seen}.\n").unwrap();
    let parent = parent(platform);
    let inherited =
        parent.map_or(String::new(), |it| format!(" As [{}](#{}) has them, and:", it.name, it.id));
    let shared = |spec: &&ClaimSpec| parent.and_then(|it| it.variable(spec.name.as_str())) == Some(*spec);
    let own: Vec<&ClaimSpec> = platform.claims.iter().filter(|spec| !shared(spec)).collect();
    let parts: Vec<&ClaimSpec> = platform.parts.iter().filter(|spec| !shared(spec)).collect();
    if own.is_empty() && parts.is_empty() {
        writeln!(page, "\n**Claims.**{}.", inherited.trim_end_matches(", and:")).unwrap();
        return;
    }
    write!(page, "\n**Claims.**{inherited}\n\n").unwrap();
    row(page, &["claim", "type", "names", "there", "fixed", "others choose", "AWS", "example", ""]);
    page.push_str("|---|---|---|---|---|---|---|---|---|\n");
    for spec in own {
        let aws = match catalogue().aws().support(&issuer, spec.name.as_str()) {
            Support::Supported => "sees it",
            Support::Unsupported { .. } => "no",
            Support::Unverified { .. } => "open",
        };
        claim(page, spec, aws, token);
    }
    for spec in parts {
        claim(page, spec, "part", token);
    }
}

fn parent(platform: &Platform) -> Option<&'static Platform> {
    platform.inherits.as_ref().and_then(|id| catalogue().platform(id))
}

fn claim(page: &mut String, spec: &ClaimSpec, aws: &str, token: &ClaimSet) {
    // Times and ids of tokens say nothing as examples.
    let minted = ["iat", "exp", "nbf", "jti", "sub", "auth_time"].contains(&spec.name.as_str());
    let example = token.get(spec.name.as_str()).or(spec.sample.as_ref()).filter(|_| !minted);
    let example = example.map_or(String::new(), |value| code(&value.to_string()));
    let there = match spec.presence {
        Presence::Always => "always",
        Presence::Usually => "usually",
        Presence::Sometimes => "sometimes",
    };
    let yes = |is| if is { "yes" } else { "" };
    let about = format!("{}{}", spec.about, low(spec.confidence));
    row(
        page,
        &[
            &code(spec.name.as_str()),
            &spec.expected(),
            spec.identifies.as_str(),
            there,
            yes(spec.immutable),
            yes(spec.attacker_influenced),
            aws,
            &example,
            &about,
        ],
    );
}

fn without_issuer(page: &mut String) {
    page.push_str("\n## Without an issuer\n\n| product | what was found | instead |\n|---|---|---|\n");
    for entry in catalogue().without_issuer() {
        let instead = entry.instead.as_ref().map_or(String::new(), |id| format!("[{id}](#{id})"));
        row(page, &[&entry.name, &format!("{}{}", entry.about, low(entry.confidence)), &instead]);
    }
}

fn sources(page: &mut String) {
    page.push_str("\n## Sources\n\n");
    for (key, source) in catalogue().sources() {
        let url = source.url.as_ref().map_or(String::new(), |url| format!(", <{url}>"));
        writeln!(page, "* <a id=\"source-{key}\"></a>{key}: {}{url}", source.title).unwrap();
    }
}

fn topic_name(topic: Topic) -> &'static str {
    match topic {
        Topic::Everything => "everything about this platform",
        Topic::Jwks => "where the key set lies",
        Topic::Algorithms => "the signature algorithms",
        Topic::Audience => "the default audience",
        Topic::Lifetime => "the lifetime",
        Topic::Token => "how a job gets its token",
        Topic::Detection => "how a job is recognised",
        Topic::Forks => "what forks get",
        Topic::Triggers => "which triggers are pull requests",
    }
}

const fn low(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Stated => "",
        Confidence::Low => " *(low)*",
    }
}

fn slots(slots: &[Slot]) -> String {
    let texts: Vec<String> = slots.iter().map(ToString::to_string).collect();
    codes(&texts)
}

fn codes(texts: &[impl AsRef<str>]) -> String {
    texts.iter().map(|text| code(text.as_ref())).collect::<Vec<_>>().join(", ")
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn row(page: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    writeln!(page, "| {} |", cells.join(" | ")).unwrap();
}
