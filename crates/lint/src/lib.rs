#![doc = include_str!("../README.md")]

mod baseline;
mod blame;
mod check;
mod finding;
mod fix;
pub mod html;
mod ignore;
mod options;
mod pipeline_view;
mod reach;
mod reference;
pub mod render;
mod report;
pub mod review;
mod roles;
mod rule;
mod rules;
mod view;

pub use baseline::{Accepted, Baseline, BaselineError};
pub use check::{Checked, Work, check, gather};
pub use finding::{Confidence, Finding, Severity, Verdict};
pub use fix::{Edit, Fix};
pub use ignore::Ignored;
pub use options::Options;
pub use reference::reference_page;
pub use report::{Report, Row};
pub use rule::{Rule, Subject};
pub use rules::{RULES, rule};
