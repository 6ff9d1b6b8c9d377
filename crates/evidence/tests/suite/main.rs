//! Reading files: what a month comes to, what is wrong with files, and how much is held.

#[cfg(test)]
mod acme;
#[cfg(test)]
mod common;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod files;
#[cfg(test)]
mod month;
#[cfg(test)]
mod parts;
