//! Recognising RSA keys that can be factored: CVE-2017-15361, "The Return of Coppersmith's Attack" (Nemec, Sys,
//! Svenda, Klinec, Matyas; ACM CCS 2017).
//!
//! The flawed library made primes of the form `k * M + (65537^a mod M)`, `M` a product of the first primes. Their
//! product is then a power of 65537 modulo every one of these primes, which an honest modulus is with a probability
//! of about 2^-27 for the primes used here (section 3.3 of the paper).

/// The odd primes up to 167, as in the authors' detection tool.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
    107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Whether the big-endian `modulus` is a power of 65537 modulo every prime of the list.
pub(super) fn has_fingerprint(modulus: &[u8]) -> bool {
    PRIMES.into_iter().all(|prime| {
        let residue = modulus.iter().fold(0, |residue, byte| (residue * 256 + u32::from(*byte)) % prime);
        is_power_of_65537(residue, prime)
    })
}

/// Walks the cycle 1, 65537, 65537^2, ... modulo `prime`.
fn is_power_of_65537(residue: u32, prime: u32) -> bool {
    let generator = 65_537 % prime;
    let mut power = 1;
    loop {
        if power == residue {
            return true;
        }
        power = power * generator % prime;
        if power == 1 {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_powers_are_found_and_others_are_not() {
        // Modulo 11, 65537 is 10: its powers are 1 and 10.
        assert!(is_power_of_65537(1, 11) && is_power_of_65537(10, 11));
        assert!(!is_power_of_65537(2, 11) && !is_power_of_65537(0, 11));
    }

    #[test]
    fn a_power_of_65537_has_the_fingerprint_and_its_successor_has_not() {
        assert!(has_fingerprint(&65_537_u32.to_be_bytes()));
        assert!(has_fingerprint(&65_537_u64.pow(3).to_be_bytes()));
        assert!(!has_fingerprint(&65_539_u32.to_be_bytes()));
    }
}
