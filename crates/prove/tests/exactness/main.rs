//! What is proved against what is decided, for random policies of every dialect and every token of a small population.
//!
//! Policies and tokens are drawn over few texts, so that they meet. `cfg(test)` tells clippy that the helpers are tests too.

#[cfg(test)]
mod check;
#[cfg(test)]
mod dialects;
#[cfg(test)]
mod draw;
#[cfg(test)]
mod population;
#[cfg(test)]
mod vectors;
