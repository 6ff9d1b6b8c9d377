#![doc = include_str!("../README.md")]

mod answer;
mod automaton;
mod cache;
mod certificate;
mod dead;
pub mod estate;
pub mod fit;
mod grade;
mod home;
mod invariant;
mod members;
mod persona;
mod question;
pub mod refusals;
mod space;
pub mod tighten;
mod universe;
mod who;
mod witness;
mod world;

pub use answer::{Answer, Exactness, Verdict};
pub use cache::Cache;
pub use certificate::{Branch, Cases, Certificate, CertificateError, UniverseProof, certify};
pub use estate::Estate;
pub use fit::{Fit, fit};
pub use home::{Home, HomeError};
pub use invariant::{Invariant, InvariantError};
pub use members::members;
pub use persona::Persona;
pub use question::{PersonaAnswer, dead, implies, overlap, personas};
pub use tighten::{Intended, Tightened, tighten};
pub use universe::{Universe, UniverseError};
pub use who::{Callers, Change, Diff, Who, diff, who};
pub use witness::Witness;
pub use world::Options;
