#![doc = include_str!("../README.md")]

mod blame;
mod check;
mod finding;
mod fix;
mod options;
mod pipeline_view;
mod reach;
mod report;
mod roles;
mod rule;
mod rules;
mod view;

pub use check::{Checked, Work, check, gather};
pub use finding::{Confidence, Finding, Severity, Verdict};
pub use fix::{Edit, Fix};
pub use options::Options;
pub use report::{Report, Row};
pub use rule::{Rule, Subject};
pub use rules::{RULES, rule};
