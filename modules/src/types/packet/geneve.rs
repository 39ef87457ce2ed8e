//! GENEVE (RFC 8926).

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Bits8, Header as In, U16, U24};
use super::values::{Values, flag, number};

const LEN_MIN: usize = 8;
const TYPE: usize = 2;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "geneve",
    source: "RFC 8926",
    found: &[By::UdpPort(6081)],
    carries: Some(carries),
    fields: &[
        number("geneve.version", Bits8(0, 0xc0), "The version."),
        flag(
            "geneve.flags.oam",
            Bits8(1, 0x80),
            "Whether it carries a control message.",
        ),
        flag(
            "geneve.flags.critical",
            Bits8(1, 0x40),
            "Whether an option has to be understood.",
        ),
        number(
            "geneve.proto_type",
            U16(TYPE),
            "What is carried, as the type of IEEE 802.3.",
        ),
        number("geneve.vni", U24(4), "The number of the network."),
        number(
            "geneve.option.class",
            In(|h, v| options(h, |h, at| _ = h.u16(at).map(|n| v.number(n)))),
            "Who defined an option.",
        ),
        number(
            "geneve.option.type",
            In(|h, v| options(h, |h, at| _ = h.u8(at + 2).map(|n| v.number(n)))),
            "What an option is.",
        ),
        number(
            "geneve.option.length",
            In(option_lengths),
            "Bytes of all options, then of each.",
        ),
    ],
};

fn header_len(header: &Header<'_>) -> usize {
    LEN_MIN + usize::from(header.u8(0).map_or(0, |first| first & 0x3f)) * 4
}

fn options(header: &Header<'_>, mut each: impl FnMut(&Header<'_>, usize)) {
    let end = header_len(header).min(header.bytes.len());
    let mut at = LEN_MIN;
    while at + 4 <= end {
        each(header, at);
        at += 4 + usize::from(header.u8(at + 3).map_or(0, |length| length & 0x1f)) * 4;
    }
}

fn option_lengths(header: &Header<'_>, values: &mut Values) {
    if header.u8(0).is_some() {
        values.number((header_len(header) - LEN_MIN) as u32);
    }
    options(header, |header, at| {
        if let Some(length) = header.u8(at + 3) {
            values.number(u32::from(length & 0x1f) * 4 + 4);
        }
    });
}

fn carries(header: &Header<'_>) -> Next {
    match header.u16(TYPE) {
        Some(ethertype) => Next::behind(header_len(header), By::Gre(ethertype)),
        None => Next::last(LEN_MIN),
    }
}
