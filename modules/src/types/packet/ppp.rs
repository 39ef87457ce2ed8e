//! PPP (RFC 1661), also in HDLC's framing (RFC 1662), and Cisco's HDLC.

use super::header::Header;
use super::layers::{By, Next, Protocol, STACK};
use super::values::Get::{Header as In, U8, U16};
use super::values::{Values, number};

/// Address and control of HDLC, which stand before the protocol or not.
const FRAMING: u16 = 0xff03;
/// The type of PPP in IEEE 802.3 and GRE.
pub(super) const ETHERTYPE: u16 = 0x880b;
const CISCO_LINK: u16 = 104;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "ppp",
    source: "RFC 1661",
    found: &[By::Ethertype(ETHERTYPE)],
    carries: Some(carries),
    fields: &[
        number(
            "ppp.address",
            In(|h, v| _ = framing(h).and_then(|_| h.u8(0)).map(|n| v.number(n))),
            "The address of HDLC's framing.",
        )
        .from("RFC 1662"),
        number(
            "ppp.control",
            In(|h, v| _ = framing(h).and_then(|_| h.u8(1)).map(|n| v.number(n))),
            "The control byte of HDLC's framing.",
        )
        .from("RFC 1662"),
        number("ppp.protocol", In(number_of), "What is carried."),
    ],
};

/// Serial lines, of which the first byte says whether they are Cisco's.
pub(super) static SERIAL: Protocol = Protocol {
    name: "ppp_hdlc",
    source: "RFC 1662",
    found: &[By::Link(9), By::Link(50)],
    carries: Some(|header| match header.u8(0) {
        Some(0x0f | 0x8f) => Next::behind(0, By::Link(CISCO_LINK)),
        _ => Next::behind(0, By::Ethertype(ETHERTYPE)),
    }),
    fields: &[],
};

pub(super) static CISCO: Protocol = Protocol {
    name: "chdlc",
    source: "Cisco HDLC",
    found: &[By::Link(CISCO_LINK)],
    carries: Some(|header| match header.u16(2) {
        // Keep-alives and addresses, under a number that is another's elsewhere.
        Some(0x8035) => Next::last(4),
        Some(ethertype) => Next::behind(4, By::Ethertype(ethertype)),
        None => Next::last(4),
    }),
    fields: &[
        number(
            "chdlc.address",
            U8(0),
            "Whether one or all are meant: 15 or 143.",
        ),
        number(
            "chdlc.protocol",
            U16(2),
            "What is carried, as the type of IEEE 802.3.",
        ),
    ],
};

/// Whether HDLC's framing is before the protocol: on a serial line its address alone says so.
fn framing(header: &Header<'_>) -> Option<()> {
    let is_serial =
        header.below.iter().rev().nth(1).is_some_and(|layer| {
            layer.start == header.layer.start && layer.protocol == STACK.serial
        });
    let is_framed = header.u16(0) == Some(FRAMING) || is_serial && header.u8(0) == Some(0xff);
    is_framed.then_some(())
}

/// The protocol and where its packet begins. Numbers below 256 may stand in one byte.
fn protocol(header: &Header<'_>) -> Option<(u16, usize)> {
    let at = framing(header).map_or(0, |()| 2);
    let first = header.u8(at)?;
    if first & 1 == 1 {
        return Some((first.into(), at + 1));
    }
    Some((header.u16(at)?, at + 2))
}

fn number_of(header: &Header<'_>, values: &mut Values) {
    if let Some((number, _)) = protocol(header) {
        values.number(number);
    }
}

fn carries(header: &Header<'_>) -> Next {
    match protocol(header) {
        Some((number, at)) => Next::behind(at, By::Ppp(number)),
        None => Next::last(2),
    }
}
