//! What addresses are for.

use super::support::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use wireq_typesys::{Kind, Prefix, Value};

pub(super) const ADDRESS: FunctionParameter = one("ADDRESS", Kind::Address, "The address.");
pub(super) const BLOCK: FunctionParameter =
    one("BLOCK", Kind::Prefix, "The block, such as 10.0.0.0/8.");

/// What a test of an address gives.
fn test(values: &[Value], test: fn(IpAddr) -> bool) -> Value {
    address(values, 0).map_or(Value::Absent, |address| Value::Bool(test(address)))
}

pub(super) static CIDR: Function = Function {
    name: "cidr",
    summary: "Whether an address is in a block.",
    parameters: &[ADDRESS, BLOCK],
    strict: true,
    kind: |kinds| takes(&CIDR, kinds, Kind::Bool),
    call: |values, _| {
        let both = address(values, 0).zip(prefix(values, 1));
        both.map_or(Value::Absent, |(address, block)| {
            Value::Bool(block.contains(address))
        })
    },
    examples: &[
        ("cidr('10.1.2.3', '10.0.0.0/8')", "true"),
        ("cidr('192.0.2.1', '10.0.0.0/8')", "false"),
        ("cidr('2001:db8::1', '2001:db8::/32')", "true"),
    ],
};

pub(super) static IS_PRIVATE: Function = Function {
    name: "is_private",
    summary: "Whether an address is for use inside networks: 10/8, 172.16/12, 192.168/16 or fc00::/7.",
    parameters: &[ADDRESS],
    strict: true,
    kind: |kinds| takes(&IS_PRIVATE, kinds, Kind::Bool),
    call: |values, _| {
        test(values, |address| match address {
            IpAddr::V4(v4) => v4.is_private(),
            IpAddr::V6(v6) => v6.is_unique_local(),
        })
    },
    examples: &[
        ("is_private('172.31.0.1')", "true"),
        ("is_private('192.0.2.1')", "false"),
    ],
};

pub(super) static IS_LOOPBACK: Function = Function {
    name: "is_loopback",
    summary: "Whether an address is the machine's own: 127/8 or ::1.",
    parameters: &[ADDRESS],
    strict: true,
    kind: |kinds| takes(&IS_LOOPBACK, kinds, Kind::Bool),
    call: |values, _| test(values, |address| address.is_loopback()),
    examples: &[
        ("is_loopback('127.0.0.53')", "true"),
        ("is_loopback('::2')", "false"),
    ],
};

pub(super) static IS_MULTICAST: Function = Function {
    name: "is_multicast",
    summary: "Whether an address is that of a group: 224/4 or ff00::/8.",
    parameters: &[ADDRESS],
    strict: true,
    kind: |kinds| takes(&IS_MULTICAST, kinds, Kind::Bool),
    call: |values, _| test(values, |address| address.is_multicast()),
    examples: &[
        ("is_multicast('224.0.0.251')", "true"),
        ("is_multicast('10.0.0.1')", "false"),
    ],
};

pub(super) static IS_LINKLOCAL: Function = Function {
    name: "is_linklocal",
    summary: "Whether an address is for one link only: 169.254/16 or fe80::/10.",
    parameters: &[ADDRESS],
    strict: true,
    kind: |kinds| takes(&IS_LINKLOCAL, kinds, Kind::Bool),
    call: |values, _| {
        test(values, |address| match address {
            IpAddr::V4(v4) => v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_unicast_link_local(),
        })
    },
    examples: &[
        ("is_linklocal('fe80::1')", "true"),
        ("is_linklocal('10.0.0.1')", "false"),
    ],
};

pub(super) static IS_GLOBAL: Function = Function {
    name: "is_global",
    summary: "Whether an address is one machine's and reachable from all of the Internet, as IANA has it.",
    parameters: &[ADDRESS],
    strict: true,
    kind: |kinds| takes(&IS_GLOBAL, kinds, Kind::Bool),
    call: |values, _| test(values, is_global),
    examples: &[
        ("is_global('8.8.8.8')", "true"),
        ("is_global('198.51.100.1')", "false"),
        ("is_global('2001:db8::1')", "false"),
    ],
};

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Prefix {
    Prefix {
        address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        bits,
    }
}

const fn v6(address: u128, bits: u8) -> Prefix {
    Prefix {
        address: IpAddr::V6(Ipv6Addr::from_bits(address)),
        bits,
    }
}

/// The blocks of IANA's special-purpose registries (RFC 6890 and its updates) that are not
/// globally reachable, and groups.
const NOT_GLOBAL: &[Prefix] = &[
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
    // ::, ::1 and IPv4 addresses in IPv6 ones.
    v6(0, 80),
    v6(0x64_ff9b_0001 << 80, 48),
    v6(0x100 << 112, 64),
    v6(0x2001 << 112, 23),
    v6(0x2001_0db8 << 96, 32),
    v6(0x2002 << 112, 16),
    v6(0x3fff << 112, 20),
    v6(0x5f00 << 112, 16),
    v6(0xfc00 << 112, 7),
    v6(0xfe80 << 112, 10),
    v6(0xff00 << 112, 8),
];

/// Blocks inside of those that are.
const GLOBAL: &[Prefix] = &[
    v4(192, 0, 0, 9, 32),
    v4(192, 0, 0, 10, 32),
    v6(0x2001_0001 << 96 | 1, 128),
    v6(0x2001_0001 << 96 | 2, 128),
    v6(0x2001_0001 << 96 | 3, 128),
    v6(0x2001_0003 << 96, 32),
    v6(0x2001_0004_0112 << 80, 48),
    v6(0x2001_0020 << 96, 28),
    v6(0x2001_0030 << 96, 28),
];

fn is_global(address: IpAddr) -> bool {
    let has = |blocks: &[Prefix]| blocks.iter().any(|block| block.contains(address));
    !has(NOT_GLOBAL) || has(GLOBAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_no_host_bits() {
        for block in NOT_GLOBAL.iter().chain(GLOBAL) {
            assert_eq!(Prefix::new(block.address, block.bits), Some(*block));
        }
    }

    #[test]
    fn reachable_addresses() {
        for (address, expected) in [
            ("1.1.1.1", true),
            ("100.63.255.255", true),
            ("100.64.0.0", false),
            ("192.0.0.8", false),
            ("192.0.0.9", true),
            ("255.255.255.255", false),
            ("239.1.1.1", false),
            ("::", false),
            ("::1", false),
            ("::ffff:1.1.1.1", false),
            ("64:ff9b::1.1.1.1", true),
            ("64:ff9b:1::1", false),
            ("2001:4860:4860::8888", true),
            ("2001::1", false),
            ("2001:20::1", true),
            ("2001:200::1", true),
            ("2002::1", false),
            ("3fff::1", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_global(address.parse().unwrap()), expected, "{address}");
        }
    }
}
