//! From bytes to records: files and folders, compression, and JSON that is never held as a whole.

pub(crate) mod files;
mod gzip;
mod json;
mod lead;
mod window;

pub(crate) use gzip::{Chunk, Members};
pub(crate) use json::{Envelope, Item, Limits, Records, Shape};
