//! Exports of secrets' names, credential reports and account details.

use daypass_pipelines::NoTree;
use daypass_pipelines::inventory::{Listings, inventory};

use crate::check::readable;

const WORKFLOW: &str = "on: push\njobs:\n  j:\n    runs-on: x\n    steps:\n      - run: make\n        env: {AWS_SECRET_ACCESS_KEY: '${{ secrets.K }}'}\n";

pub fn run(data: &[u8]) {
    let mut listings = Listings::default();
    if let Err(error) = listings.add("listing.json", data) {
        readable(&error.to_string());
    }
    let mut credentials = inventory(".github/workflows/w.yml", WORKFLOW.as_bytes(), &NoTree)
        .map(|found| found.credentials)
        .unwrap_or_default();
    assert_eq!(credentials.len(), 1);
    let named = listings.named_in(WORKFLOW.as_bytes());
    listings.join(&mut credentials, &named);
    assert!(credentials[0].source.starts_with("secrets.K"), "{credentials:?}");
    assert!(credentials.iter().all(|one| one.line >= 1));
}
