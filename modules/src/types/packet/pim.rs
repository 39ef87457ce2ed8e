//! PIM (RFC 7761): the header, and the packets that are registered.

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Bits8, U16};
use super::values::number;
use super::{ipv4, ipv6};

const REGISTER: u8 = 0x21;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "pim",
    source: "RFC 7761",
    found: &[By::Ip(103)],
    carries: Some(carries),
    fields: &[
        number("pim.version", Bits8(0, 0xf0), "The version: 2."),
        number(
            "pim.type",
            Bits8(0, 15),
            "What a message is: 0 says hello, 1 registers a packet.",
        ),
        number("pim.cksum", U16(2), "Checksum."),
    ],
};

fn carries(header: &Header<'_>) -> Next {
    match (header.u8(0), header.u8(8).map(|first| first >> 4)) {
        (Some(REGISTER), Some(4)) => Next::behind(8, By::Ethertype(ipv4::ETHERTYPE)),
        (Some(REGISTER), Some(6)) => Next::behind(8, By::Ethertype(ipv6::ETHERTYPE)),
        _ => Next::last(4),
    }
}
