//! Discovery documents of both standards.

use daypass_claims::Issuer;
use daypass_token::discovery::{DiscoveryDocument, oauth_well_known_url, well_known_url};

use crate::check::readable;

/// The document, as one of the issuer that the seeds name and as one of the issuer that it names itself.
pub fn run(data: &[u8]) {
    let expected = Issuer::parse("https://a.example/org/1").expect("a constant");
    read(data, &expected);
    let stated = serde_json::from_slice::<serde_json::Value>(data).ok();
    let stated = stated.as_ref().and_then(|json| json.get("issuer")?.as_str());
    if let Some(issuer) = stated.and_then(|text| Issuer::parse(text).ok()) {
        read(data, &issuer);
        for url in [well_known_url(&issuer), oauth_well_known_url(&issuer)] {
            assert!(url.contains("/.well-known/"), "{url}");
        }
    }
}

fn read(data: &[u8], expected: &Issuer) {
    match DiscoveryDocument::parse(data, expected) {
        Ok(document) => {
            assert_eq!(document.issuer(), expected);
            let written = serde_json::to_vec(&document).expect("documents are JSON");
            let read = DiscoveryDocument::parse(&written, expected).expect("what is written can be read");
            assert_eq!(read, document);
        }
        Err(error) => readable(&error.to_string()),
    }
}
