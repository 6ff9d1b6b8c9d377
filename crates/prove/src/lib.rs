#![doc = include_str!("../README.md")]

mod answer;
mod automaton;
mod dead;
pub mod estate;
mod grade;
mod home;
mod persona;
mod question;
mod space;
mod universe;
mod witness;
mod world;

pub use answer::{Answer, Exactness, Verdict};
pub use estate::Estate;
pub use home::{Home, HomeError};
pub use persona::Persona;
pub use question::{PersonaAnswer, dead, implies, overlap, personas};
pub use universe::{Universe, UniverseError};
pub use witness::Witness;
pub use world::Options;
