//! The month of CloudTrail of `examples/acme`, made up:
//!
//! ```text
//! cargo run -p daypass-evidence --features synthesise --example acme -- examples/acme/logs
//! ```
//!
//! `october` has the parallel run from the 11th on, cut-over on the 18th, a cron job that nobody thought of and goes on with the old key,
//! and a session for a pull request that nobody expected. `november` has three weeks more, in which the cron job is mended.

use camino::Utf8Path;
use daypass_evidence::synthesise::{Month, Pipeline, write_month};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("a folder is needed: examples/acme/logs")?;
    let folder = Utf8Path::new(&folder);
    let october = Month { pipelines: pipelines(), others: 30, elsewhere: 0, ..Month::default() };
    let november = Month { seed: 8, first: 31, days: 22, mended: Some(31), ..october.clone() };
    write_month(&folder.join("october"), &october)?;
    write_month(&folder.join("november"), &november)?;
    Ok(())
}

/// The pipelines that had keys beside `shop`'s.
fn pipelines() -> Vec<Pipeline> {
    let pipeline = |user: &str, key: &str, role: &str, provider: &str, subject: &str, agent| Pipeline {
        user: user.to_owned(),
        key: key.to_owned(),
        role: role.to_owned(),
        provider: provider.to_owned(),
        subject: subject.to_owned(),
        agent,
    };
    let (github, gitlab) = ("token.actions.githubusercontent.com", "gitlab.com");
    let cli = "aws-cli/2.17.0 md/awscrt#0.20.11 ua/2.0 os/linux#6.8 md/arch#x86_64 lang/python#3.11.8";
    vec![
        pipeline(
            "ci-site",
            "AKIAACMESITE00000001",
            "site-publish",
            github,
            "repo:acme/site:ref:refs/heads/main",
            cli,
        ),
        pipeline(
            "ci-billing",
            "AKIAACMEBILLING00001",
            "billing-deploy",
            gitlab,
            "project_path:acme/billing:ref_type:branch:ref:main",
            cli,
        ),
    ]
}
