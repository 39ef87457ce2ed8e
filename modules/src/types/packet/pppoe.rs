//! PPPoE (RFC 2516).

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Bits8, Header as In, U8, U16};
use super::values::number;

const SESSION: u16 = 0x8864;
const LEN: usize = 6;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "pppoe",
    source: "RFC 2516",
    found: &[By::Ethertype(0x8863), By::Ethertype(SESSION), By::Link(51)],
    carries: Some(carries),
    fields: &[
        number("pppoe.version", Bits8(0, 0xf0), "The version: 1."),
        number("pppoe.type", Bits8(0, 15), "The type: 1."),
        number(
            "pppoe.code",
            U8(1),
            "What a packet is: 0 is data of a session.",
        ),
        number("pppoe.session_id", U16(2), "The number of the session."),
        number("pppoe.payload_length", U16(4), "Bytes behind the header."),
        number(
            "pppoed.tag",
            In(|h, v| tags(h, |tag, _| v.number(tag))),
            "What is told while a session begins.",
        ),
        number(
            "pppoed.tag_length",
            In(|h, v| tags(h, |_, length| v.number(length))),
            "Bytes of what is told.",
        ),
    ],
};

fn tags(header: &Header<'_>, mut each: impl FnMut(u16, u16)) {
    if header.u8(1) == Some(0) {
        return;
    }
    let mut at = LEN;
    while let (Some(tag), Some(length)) = (header.u16(at), header.u16(at + 2)) {
        each(tag, length);
        // The tag that ends the list.
        if tag == 0 {
            return;
        }
        at += 4 + usize::from(length);
    }
}

fn carries(header: &Header<'_>) -> Next {
    let length = header.u16(4).map_or(0, usize::from);
    let by = match header.u8(1) {
        Some(0) => By::Ethertype(super::ppp::ETHERTYPE),
        _ => By::Nothing,
    };
    Next::behind(LEN, by).of(LEN + length)
}
