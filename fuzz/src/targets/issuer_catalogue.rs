//! Files of the issuer catalogue. They are compiled in, and a fork may add its own.

use daypass_claims::{Issuer, Timestamp};
use daypass_issuers::{Catalogue, Documents, MintFacts, classify};

use crate::check::readable;

const AWS: &str = "date = \"2026-09-26\"\nsources = []\ndefault = []\nlist = []\nguardrail = []\n";

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let documents = Documents {
        platforms: &[("acme-ci", text)],
        registered: include_str!("../../../crates/issuers/data/registered.toml"),
        sources: "[doc]\ntitle = \"The vendor's page\"\n",
        aws: AWS,
        without_issuer: "",
    };
    let catalogue = match Catalogue::parse(&documents) {
        Ok(catalogue) => catalogue,
        Err(error) => return readable(&error.to_string()),
    };
    let platform = catalogue.platform("acme-ci").expect("the only one");
    for variant in platform.variants.iter().flat_map(daypass_issuers::Variant::names) {
        mint(platform, variant);
    }
    if let Ok(issuer) = Issuer::parse("https://ci.acme.example/org/1") {
        catalogue.platforms_of(&issuer);
    }
}

/// A variant that can be minted is classified without a claim that the file does not describe.
fn mint(platform: &daypass_issuers::Platform, variant: &str) {
    let facts = MintFacts {
        now: Timestamp::from_secs(1_800_000_000),
        lifetime: None,
        audiences: &[],
        issuer: None,
        token_id: "00000000-0000-4000-8000-000000000000",
    };
    match platform.compose(Some(variant), &[], &facts) {
        Ok(claims) => {
            let classified = classify(platform, &claims);
            let unknown: Vec<_> = classified.unknown().map(|claim| claim.name.to_string()).collect();
            assert!(unknown.is_empty(), "claims that the file does not describe: {unknown:?}");
        }
        Err(error) => readable(&error.to_string()),
    }
}
