//! VRRP (RFC 3768, RFC 5798).

use super::header::Header;
use super::layers::{By, Protocol};
use super::values::Get::{Bits8, Header as In, U8, U16};
use super::values::{Values, address, number};

const LEN: usize = 8;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "vrrp",
    source: "RFC 5798",
    found: &[By::Ip(112)],
    carries: None,
    fields: &[
        number("vrrp.version", Bits8(0, 0xf0), "The version: 2 or 3."),
        number(
            "vrrp.type",
            Bits8(0, 15),
            "What a message is: 1 tells of a router.",
        ),
        number(
            "vrrp.virt_rtr_id",
            U8(1),
            "The number of the virtual router.",
        ),
        number("vrrp.prio", U8(2), "The priority of the sender."),
        number(
            "vrrp.addr_count",
            U8(3),
            "How many addresses the virtual router has.",
        ),
        number("vrrp.checksum", U16(6), "The checksum."),
        number(
            "vrrp.auth_type",
            In(|h, v| {
                if version(h) == 2 {
                    _ = h.u8(4).map(|n| v.number(n))
                }
            }),
            "How version 2 proves who sent it.",
        )
        .from("RFC 3768"),
        number(
            "vrrp.adver_int",
            In(|h, v| {
                if version(h) == 2 {
                    _ = h.u8(5).map(|n| v.number(n))
                }
            }),
            "Seconds between messages, in version 2.",
        )
        .from("RFC 3768"),
        number(
            "vrrp.short_adver_int",
            In(|h, v| {
                if version(h) == 3 {
                    _ = h.u16(4).map(|n| v.number(n & 0xfff))
                }
            }),
            "Hundredths of seconds between messages, in version 3.",
        ),
        address(
            "vrrp.ip_addr",
            In(addresses),
            "The IPv4 addresses of the virtual router.",
        ),
    ],
};

fn version(header: &Header<'_>) -> u8 {
    header.u8(0).map_or(0, |first| first >> 4)
}

fn addresses(header: &Header<'_>, values: &mut Values) {
    let in_ipv6 = header.below.iter().rev().nth(1);
    if in_ipv6.is_some_and(|layer| layer.protocol == super::layers::STACK.ipv6) {
        return;
    }
    let count = usize::from(header.u8(3).unwrap_or(0));
    let all = (0..count).map_while(|n| header.u32(LEN + 4 * n));
    all.for_each(|address| values.v4(address));
}
