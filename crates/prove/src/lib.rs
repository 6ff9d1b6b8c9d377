#![doc = include_str!("../README.md")]

#[cfg(test)]
#[expect(dead_code, unused_imports, reason = "the prover stands on it, and comes next")]
mod automaton;
