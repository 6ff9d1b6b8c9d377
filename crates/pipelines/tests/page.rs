//! The reference page `docs/reference/credentials.md`, made from the table of kinds. `DAYPASS_UPDATE=1` writes it anew.

use std::fmt::Write;
use std::path::Path;

use daypass_pipelines::inventory::{Federation, kinds};

const HEAD: &str = "\
<!-- Made from crates/pipelines/data by `DAYPASS_UPDATE=1 cargo test -p daypass-pipelines`. Changes belong there. -->

# Stored credentials

The kinds that the inventory of pipelines tells apart, and what replaces each. \"None is known\" means that nothing was found in the
vendor's documentation, not that it was not looked for.

| kind | opens | what it is | instead |
|---|---|---|---|
";

#[test]
fn the_reference_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/credentials.md");
    let mut page = HEAD.to_owned();
    for kind in kinds() {
        let (id, cloud) = (&kind.id, &kind.cloud);
        let about = kind.about.trim_end_matches('.');
        let strong = if kind.federation == Federation::None { "*" } else { "" };
        let (instead, source) = (&kind.replacement, &kind.source);
        writeln!(page, "| `{id}` | {cloud} | [{about}]({source}) | {strong}{instead}{strong} |").unwrap();
    }
    if std::env::var_os("DAYPASS_UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/reference/credentials.md is out of date: DAYPASS_UPDATE=1 cargo test -p daypass-pipelines"
    );
}
