//! Gives every committed input to its target: seconds, on any toolchain. Arguments name targets; none means all.

use std::io;

use daypass_fuzz::{TARGETS, corpus};

fn main() -> io::Result<()> {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let all = || TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    for target in if named.is_empty() { all() } else { named } {
        let inputs = corpus::replay(&target)?;
        println!("{target:<18} {inputs:>4} inputs");
    }
    Ok(())
}
