//! What is found in files: samples of every kind, and what is refused.

// `cfg(test)` tells clippy that the helpers are tests too.
#[cfg(test)]
mod aws_terraform;
#[cfg(test)]
mod clouds_terraform;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod expressions;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod support;
