//! Which addresses of the network a message may be sent to.
//!
//! Who chooses an address may be a stranger, and the server stands where strangers do not: beside databases, metadata
//! services of clouds, and itself. So only addresses of the public internet are good, and those that the operator
//! allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::IpNet;

/// The networks that the operator allows beside the public internet. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed(Arc<[IpNet]>);

impl Allowed {
    pub(super) fn new(networks: &[IpNet]) -> Self {
        Self(networks.into())
    }

    /// Whether the operator allows `address` by name.
    pub(super) fn names(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether `address` may be connected to.
    pub(super) fn admits(&self, address: IpAddr) -> bool {
        self.names(address) || is_public(address)
    }
}

/// Whether `address` is one of the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        // "This network", where many systems take 0.0.0.0 for themselves.
        || a == 0
        // Shared with the provider's other customers.
        || (a == 100 && b & 0xc0 == 64)
        // For the protocols of the IETF.
        || (a == 192 && b == 0 && c == 0)
        // 6to4 relays.
        || (a == 192 && b == 88 && c == 99)
        // For benchmarks.
        || (a == 198 && b & 0xfe == 18)
        // Reserved, and broadcast.
        || a >= 240;
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high, low].map(u16::to_be_bytes);
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match [a, b, c, d, e, f] {
        // Addresses of IPv4, written so.
        [0, 0, 0, 0, 0, 0xffff] => embedded(g, h),
        // Those that a translator makes addresses of IPv4.
        [0x64, 0xff9b, 0, 0, 0, 0] => embedded(g, h),
        // 6to4.
        [0x2002, high, low, ..] => embedded(high, low),
        // Teredo and the other protocols of the IETF, and documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // What was given out so far: everything else is for one's own network, or for nobody.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIVATE: [&str; 46] = [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:10::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "5f00::1",
    ];

    const PUBLIC: [&str; 12] = [
        "1.1.1.1",
        "8.8.8.8",
        "99.255.255.255",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.255.255",
        "172.32.0.1",
        "198.17.255.255",
        "223.255.255.255",
        "::ffff:1.1.1.1",
        "2606:4700:4700::1111",
        "2a00:1450:4001::1",
    ];

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_addresses_of_the_public_internet_are_good() {
        let allowed = Allowed::default();
        for text in PRIVATE {
            assert!(!allowed.admits(ip(text)), "{text}");
        }
        for text in PUBLIC {
            assert!(allowed.admits(ip(text)), "{text}");
        }
    }

    #[test]
    fn the_operator_may_allow_others_however_they_are_written() {
        let allowed = Allowed::new(&["127.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        for good in ["127.0.0.1", "::ffff:127.0.0.1", "fd00::7"] {
            assert!(allowed.admits(ip(good)) && allowed.names(ip(good)), "{good}");
        }
        assert!(!allowed.admits(ip("10.0.0.1")) && !allowed.names(ip("1.1.1.1")));
    }
}
