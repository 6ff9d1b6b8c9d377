//! Which addresses may be connected to. The check is on the address that is connected to, after resolution, so that a name
//! cannot lead inside (SSRF, DNS rebinding).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use daypass_store::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Finds the addresses of a name.
pub trait Addresses: Send + Sync + std::fmt::Debug {
    /// The addresses, in order of preference.
    fn of(&self, host: &str) -> BoxFuture<'_, std::io::Result<Vec<IpAddr>>>;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Addresses for System {
    fn of(&self, host: &str) -> BoxFuture<'_, std::io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        Box::pin(async move {
            Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
        })
    }
}

/// Why an address is not connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is {1}")]
pub struct Forbidden(pub IpAddr, pub &'static str);

/// A resolver that hands out checked addresses only; what it hands out is what is connected to.
pub(super) struct Guarded {
    pub(super) addresses: Arc<dyn Addresses>,
    pub(super) allow_private: bool,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (addresses, allow_private) = (Arc::clone(&self.addresses), self.allow_private);
        Box::pin(async move {
            let found = addresses.of(name.as_str()).await?;
            if found.is_empty() {
                return Err(format!("{} has no address", name.as_str()).into());
            }
            if !allow_private {
                // One inside address among many is enough: which of them is connected to is not ours to choose.
                for address in &found {
                    check(*address)?;
                }
            }
            let found: Vec<SocketAddr> =
                found.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The address that a host is written as, if it is one.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Refuses addresses that are not on the public internet.
pub(super) fn check(address: IpAddr) -> Result<(), Forbidden> {
    let inside = match address {
        IpAddr::V4(v4) => inside_v4(v4),
        IpAddr::V6(v6) => inside_v6(v6),
    };
    inside.map_or(Ok(()), |what| Err(Forbidden(address, what)))
}

fn inside_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    if address.is_loopback() {
        Some("loopback")
    } else if address.is_private() {
        Some("private (RFC 1918)")
    } else if address.is_link_local() {
        Some("link-local, where clouds keep their metadata")
    } else if a == 100 && (64..128).contains(&b) {
        Some("shared by a carrier (RFC 6598)")
    } else if a == 0 || address.is_broadcast() || address.is_multicast() || a >= 240 {
        Some("not an address of a host")
    } else if address.is_documentation()
        || (a == 198 && (b == 18 || b == 19))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
    {
        Some("reserved")
    } else {
        None
    }
}

fn inside_v6(address: Ipv6Addr) -> Option<&'static str> {
    let segments = address.segments();
    let low = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Some("loopback or unspecified"),
        // ::ffff:a.b.c.d and the deprecated ::a.b.c.d are IPv4 in other clothes.
        [0, 0, 0, 0, 0, 0xffff | 0, high, last] => inside_v4(low(high, last)),
        // NAT64 (RFC 6052, RFC 8215): whatever the gateway makes of it.
        [0x64, 0xff9b, ..] => Some("translated to IPv4 (NAT64)"),
        // 6to4 (RFC 3056) carries an IPv4 address.
        [0x2002, high, last, ..] => inside_v4(low(high, last)).or(Some("tunnelled (6to4)")),
        // 2001::/23 (RFC 2928): Teredo, benchmarking, ORCHID and the like.
        [0x2001, second, ..] if second < 0x200 => Some("set aside for protocols"),
        [0x2001, 0xdb8, ..] => Some("reserved for documentation"),
        [0x3fff, second, ..] if second < 0x1000 => Some("reserved for documentation"),
        [first, ..] if first & 0xe000 == 0x2000 => None,
        [first, ..] if first & 0xfe00 == 0xfc00 => Some("private (RFC 4193)"),
        [first, ..] if first & 0xffc0 == 0xfe80 => Some("link-local"),
        // Global unicast is 2000::/3 (RFC 4291); nothing else is anybody's host.
        _ => Some("not of the public internet"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_pass() {
        for inside in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "::",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:0a00:0001::",
            "2001::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001:2::1",
            "2001:20::1",
            "3fff::1",
            "::ffff:0:10.0.0.1",
            "100::1",
            "5f00::1",
            "192.88.99.1",
        ] {
            assert!(check(inside.parse().unwrap()).is_err(), "{inside}");
        }
        for outside in
            ["1.1.1.1", "140.82.112.3", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "2001:4860::8888"]
        {
            assert_eq!(check(outside.parse().unwrap()), Ok(()), "{outside}");
        }
    }
}
