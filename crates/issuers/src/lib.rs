#![doc = include_str!("../README.md")]

mod aws;
mod catalogue;
mod check;
mod claim;
mod classify;
mod data;
mod file;
mod issuer;
mod job;
mod mint;
mod mintable;
mod pattern;
mod platform;
mod rule;
mod shape;
mod subject;
mod template;
mod tenancy;
mod value;

pub use aws::{AwsKeys, DefaultKey, Guardrail, KeyList, Support};
pub use catalogue::{Catalogue, CatalogueError, Documents, IssuerMatch, Source, WithoutIssuer, catalogue};
pub use claim::{ClaimSpec, ClaimType, Confidence, Fit, Identifies, Presence};
pub use classify::{Classified, ClassifiedClaim, classify};
pub use issuer::{Binds, IssuerForm, IssuerSpec};
pub use job::{AudienceParameter, EnvTest, EnvValue, HttpRequest, Job, Method, TokenSource, UrlSource};
pub use mint::{ComposeError, MintFacts, Override};
pub use mintable::{Mintable, ValuePattern, ValueSet};
pub use pattern::{Captures, InstantiateError, IssuerPattern, PatternError};
pub use platform::{AudienceChoice, AudienceSpec, Claims, LifetimeSpec, Platform, Topic};
pub use rule::{Consistency, Guard, Rule, Rules, Test};
pub use shape::Shape;
pub use subject::{CustomSubject, Customiser, SubjectForm, Variant};
pub use template::{Escapes, Filter, Piece, RenderError, Slot, Template, TemplateError};
pub use tenancy::{Selectors, Tenants, TriggerKind, UntrustedTrigger};
