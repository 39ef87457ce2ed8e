//! ERSPAN types II and III (draft-foschiano-erspan).

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Bits16, Header as In};
use super::values::{Values, number};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "erspan",
    source: "draft-foschiano-erspan",
    found: &[By::Gre(0x88be), By::Gre(0x22eb)],
    carries: Some(carries),
    fields: &[
        number(
            "erspan.version",
            Bits16(0, 0xf000),
            "1 for type II, 2 for type III.",
        ),
        number(
            "erspan.vlan",
            Bits16(0, 0xfff),
            "The VLAN that was watched.",
        ),
        number(
            "erspan.cos",
            Bits16(2, 0xe000),
            "Class of service of the frame.",
        ),
        number(
            "erspan.truncated",
            Bits16(2, 0x400),
            "Whether the frame was cut.",
        ),
        number(
            "erspan.spanid",
            Bits16(2, 0x3ff),
            "The number of the session.",
        ),
        number(
            "erspan.index",
            In(index),
            "The port that was watched, in type II.",
        ),
        number("erspan.timestamp", In(timestamp), "When, in type III."),
    ],
};

fn version(header: &Header<'_>) -> u8 {
    header.u8(0).map_or(0, |first| first >> 4)
}

fn index(header: &Header<'_>, values: &mut Values) {
    if let (1, Some(word)) = (version(header), header.u32(4)) {
        values.number(word & 0xf_ffff);
    }
}

fn timestamp(header: &Header<'_>, values: &mut Values) {
    if let (2, Some(word)) = (version(header), header.u32(4)) {
        values.number(word);
    }
}

fn carries(header: &Header<'_>) -> Next {
    let ethernet = By::Link(super::LINKTYPE_ETHERNET);
    match version(header) {
        1 => Next::behind(8, ethernet),
        // The last bit says that eight bytes more follow.
        2 if header.u16(10).is_some_and(|word| word & 1 == 1) => Next::behind(20, ethernet),
        2 => Next::behind(12, ethernet),
        _ => Next::last(8),
    }
}
