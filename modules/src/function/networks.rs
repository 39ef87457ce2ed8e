//! Functions of address blocks, and of addresses as numbers.

use super::addresses::{ADDRESS, BLOCK};
use super::support::*;
use std::net::IpAddr;
use wireq_typesys::{Kind, Prefix, Value};

pub(super) static FAMILY: Function = Function {
    name: "family",
    summary: "4 for an IPv4 address or block, 6 for one of IPv6.",
    parameters: &[BLOCK],
    strict: true,
    kind: |kinds| takes(&FAMILY, kinds, Kind::Unsigned),
    call: |values, _| {
        prefix(values, 0).map_or(Value::Absent, |prefix| {
            Value::Integer(if prefix.address.is_ipv4() { 4 } else { 6 })
        })
    },
    examples: &[
        ("family('127.0.0.1')", "4"),
        ("family('2001:db8::/32')", "6"),
    ],
};

pub(super) static NETWORK: Function = Function {
    name: "network",
    summary: "The block of the addresses that share their leading bits with an address.",
    parameters: &[
        BLOCK,
        optional(
            "BITS",
            Kind::Unsigned,
            "How many bits; those of the block unless given.",
        ),
    ],
    strict: true,
    kind: |kinds| takes(&NETWORK, kinds, Kind::Prefix),
    call: |values, _| network(values).map_or(Value::Absent, Value::Prefix),
    examples: &[
        ("network('192.0.2.77', 24)", "192.0.2.0/24"),
        ("network('10.1.2.3/16')", "10.1.0.0/16"),
        ("network('10.1.2.3', 33)", ""),
    ],
};

fn network(values: &[Value]) -> Option<Prefix> {
    let prefix = prefix(values, 0)?;
    let bits = integer_or(values, 1, prefix.bits.into())?;
    Prefix::new(prefix.address, u8::try_from(bits).ok()?)
}

pub(super) static HOST: Function = Function {
    name: "host",
    summary: "The first address of a block.",
    parameters: &[BLOCK],
    strict: true,
    kind: |kinds| takes(&HOST, kinds, Kind::Address),
    call: |values, _| {
        prefix(values, 0).map_or(Value::Absent, |prefix| Value::Address(prefix.address))
    },
    examples: &[
        ("host('192.0.2.0/24')", "192.0.2.0"),
        ("host('::1')", "::1"),
    ],
};

pub(super) static MASKLEN: Function = Function {
    name: "masklen",
    summary: "How many leading bits the addresses of a block share.",
    parameters: &[BLOCK],
    strict: true,
    kind: |kinds| takes(&MASKLEN, kinds, Kind::Unsigned),
    call: |values, _| {
        prefix(values, 0).map_or(Value::Absent, |prefix| Value::Integer(prefix.bits.into()))
    },
    examples: &[("masklen('192.0.2.0/24')", "24"), ("masklen('::1')", "128")],
};

pub(super) static BROADCAST: Function = Function {
    name: "broadcast",
    summary: "The last address of a block.",
    parameters: &[BLOCK],
    strict: true,
    kind: |kinds| takes(&BROADCAST, kinds, Kind::Address),
    call: |values, _| {
        let last = prefix(values, 0).map(|prefix| match prefix.address {
            IpAddr::V4(v4) => {
                let hosts = u32::MAX.checked_shr(prefix.bits.into()).unwrap_or(0);
                IpAddr::V4((v4.to_bits() | hosts).into())
            }
            IpAddr::V6(v6) => {
                let hosts = u128::MAX.checked_shr(prefix.bits.into()).unwrap_or(0);
                IpAddr::V6((v6.to_bits() | hosts).into())
            }
        });
        last.map_or(Value::Absent, Value::Address)
    },
    examples: &[
        ("broadcast('192.0.2.0/25')", "192.0.2.127"),
        ("broadcast('::/127')", "::1"),
    ],
};

pub(super) static IP_TO_INT: Function = Function {
    name: "ip_to_int",
    summary: "An address as a number, absent where that is 2^127 or more.",
    parameters: &[ADDRESS],
    strict: true,
    kind: |kinds| takes(&IP_TO_INT, kinds, Kind::Unsigned),
    call: |values, _| {
        let number = address(values, 0).and_then(|address| match address {
            IpAddr::V4(v4) => Some(v4.to_bits().into()),
            IpAddr::V6(v6) => i128::try_from(v6.to_bits()).ok(),
        });
        number.map_or(Value::Absent, Value::Integer)
    },
    examples: &[
        ("ip_to_int('10.0.0.1')", "167772161"),
        ("ip_to_int('::ffff')", "65535"),
    ],
};

pub(super) static INT_TO_IP: Function = Function {
    name: "int_to_ip",
    summary: "The address of a number: of IPv4, of IPv6 from 2^32 on, or of the family asked for.",
    parameters: &[
        one("NUMBER", Kind::Unsigned, "The number."),
        optional("FAMILY", Kind::Unsigned, "4 or 6."),
    ],
    strict: true,
    kind: |kinds| takes(&INT_TO_IP, kinds, Kind::Address),
    call: |values, _| int_to_ip(values).map_or(Value::Absent, Value::Address),
    examples: &[
        ("int_to_ip(167772161)", "10.0.0.1"),
        ("int_to_ip(65535, 6)", "::ffff"),
        ("int_to_ip(4294967296)", "::1:0:0"),
    ],
};

fn int_to_ip(values: &[Value]) -> Option<IpAddr> {
    let number = u128::try_from(integer(values, 0)?).ok()?;
    let small = u32::try_from(number).ok();
    let family = integer_or(values, 1, if small.is_some() { 4 } else { 6 })?;
    match family {
        4 => small.map(|bits| IpAddr::V4(bits.into())),
        6 => Some(IpAddr::V6(number.into())),
        _ => None,
    }
}

pub(super) static SAME_NET: Function = Function {
    name: "same_net",
    summary: "Whether two addresses share so many leading bits.",
    parameters: &[
        one("A", Kind::Address, "An address."),
        one("B", Kind::Address, "The other address."),
        one("BITS", Kind::Unsigned, "How many bits."),
    ],
    strict: true,
    kind: |kinds| takes(&SAME_NET, kinds, Kind::Bool),
    call: |values, _| same_net(values).map_or(Value::Absent, Value::Bool),
    examples: &[
        ("same_net('10.1.2.3', '10.1.9.9', 16)", "true"),
        ("same_net('10.1.2.3', '10.1.9.9', 24)", "false"),
    ],
};

fn same_net(values: &[Value]) -> Option<bool> {
    let bits = u8::try_from(integer(values, 2)?).ok()?;
    let block = Prefix::new(address(values, 0)?, bits)?;
    Some(block.contains(address(values, 1)?))
}
