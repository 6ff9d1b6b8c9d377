//! How dialects read values: text, numbers, times, addresses.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use daypass_claims::{ClaimValue, Number, Timestamp};

use crate::form::Reading;
use crate::literal::{parse_bool, parse_number, parse_time};

/// What a value is to a condition.
pub(super) enum Operand<'v> {
    One(&'v ClaimValue),
    Many(Vec<&'v ClaimValue>),
    Unknown(String),
}

/// Reads a value that is there.
pub(super) fn operand<'v>(value: &'v ClaimValue, reading: Reading, what: &str) -> Operand<'v> {
    let undocumented = || {
        Operand::Unknown(format!(
            "AWS does not document what becomes of `{what}` when it is {}",
            value.kind()
        ))
    };
    match (reading, value) {
        (
            Reading::Strict | Reading::AwsMulti | Reading::AwsRequest | Reading::Vault,
            ClaimValue::Array(items),
        ) => Operand::Many(items.iter().collect()),
        (Reading::Strict | Reading::AwsRequest | Reading::Vault, value) => Operand::One(value),
        (Reading::AwsAudience, ClaimValue::Array(items)) => match items.as_slice() {
            [one @ ClaimValue::String(_)] => Operand::One(one),
            _ => Operand::Unknown(format!(
                "AWS does not document what becomes of `{what}` with several values"
            )),
        },
        (Reading::AwsSingle | Reading::AwsAudience, value @ ClaimValue::String(_)) => Operand::One(value),
        (Reading::AwsMulti, value @ ClaimValue::String(_)) => Operand::Many(vec![value]),
        (Reading::AwsSingle | Reading::AwsAudience | Reading::AwsMulti, _) => undocumented(),
    }
}

/// The text of a scalar, where the reading has one.
pub(super) fn text(value: &ClaimValue, reading: Reading) -> Option<Cow<'_, str>> {
    match (value, reading) {
        (ClaimValue::String(text), _) => Some(Cow::Borrowed(text)),
        (ClaimValue::Bool(_) | ClaimValue::Number(_), Reading::AwsRequest) => {
            Some(Cow::Owned(value.to_string()))
        }
        _ => None,
    }
}

/// The number a value holds; AWS compares the text of conditions, so there a string of digits is one.
pub(super) fn number(value: &ClaimValue, reading: Reading) -> Option<Number> {
    match value {
        ClaimValue::Number(number) if reading == Reading::Vault => Some(number.truncated()),
        ClaimValue::Number(number) => Some(*number),
        ClaimValue::String(text) if !matches!(reading, Reading::Strict | Reading::Vault) => {
            parse_number(text)
        }
        _ => None,
    }
}

/// The order of two numbers, exact for integers.
pub(super) fn order(a: Number, b: Number) -> Ordering {
    match (a, b) {
        (Number::Integer(a), Number::Integer(b)) => a.cmp(&b),
        (a, b) => a.as_f64().total_cmp(&b.as_f64()),
    }
}

/// The boolean a value holds; in AWS `true` and `false` in any letter case.
pub(super) fn boolean(value: &ClaimValue, reading: Reading) -> Option<bool> {
    match value {
        ClaimValue::Bool(value) => Some(*value),
        ClaimValue::String(text) if !matches!(reading, Reading::Strict | Reading::Vault) => parse_bool(text),
        _ => None,
    }
}

/// The time a value holds.
pub(super) fn time(value: &ClaimValue) -> Option<Timestamp> {
    match value {
        ClaimValue::String(text) => parse_time(text),
        ClaimValue::Number(Number::Integer(secs)) => i64::try_from(*secs).ok().map(Timestamp::from_secs),
        _ => None,
    }
}

/// Whether `address` lies in the network; an IPv4 address in IPv6 clothing is an IPv4 address.
pub(super) fn in_network(address: &str, network: IpAddr, prefix: u8) -> Option<bool> {
    let address: IpAddr = address.parse().ok()?;
    let bits = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)) << 96,
        IpAddr::V6(ip) => u128::from(ip),
    };
    let (address, network) = (address.to_canonical(), network.to_canonical());
    if address.is_ipv4() != network.is_ipv4() {
        return Some(false);
    }
    let differing = bits(address) ^ bits(network);
    Some(differing.leading_zeros() >= u32::from(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let network: IpAddr = "10.1.0.0".parse().unwrap();
        assert_eq!(in_network("10.1.255.9", network, 16), Some(true));
        assert_eq!(in_network("::ffff:10.1.0.1", network, 16), Some(true));
        assert_eq!(in_network("10.2.0.1", network, 16), Some(false));
        assert_eq!(in_network("2001:db8::1", network, 0), Some(false));
        assert_eq!(in_network("nonsense", network, 16), None);
        assert_eq!(in_network("192.0.2.1", network, 0), Some(true));
        assert_eq!(in_network("2001:db8::1", "2001:db8::".parse().unwrap(), 32), Some(true));
    }
}
