//! L2TP version 2 (RFC 2661).

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Bits16, Header as In, U16};
use super::values::{Values, flag, number};

const CONTROL: u16 = 0x8000;
const LENGTH: u16 = 0x4000;
const SEQUENCE: u16 = 0x800;
const OFFSET: u16 = 0x200;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "l2tp",
    source: "RFC 2661",
    found: &[By::UdpPort(1701)],
    carries: Some(carries),
    fields: &[
        number("l2tp.flags", U16(0), "Flags and version."),
        flag(
            "l2tp.length_bit",
            Bits16(0, LENGTH),
            "Whether there is a length.",
        ),
        flag(
            "l2tp.seq_bit",
            Bits16(0, SEQUENCE),
            "Whether there are sequence numbers.",
        ),
        number(
            "l2tp.type",
            Bits16(0, CONTROL),
            "1 for control messages, 0 for data.",
        ),
        number("l2tp.version", Bits16(0, 15), "The version."),
        number(
            "l2tp.length",
            In(|h, v| part(h, v, Part::Length)),
            "Bytes of the message.",
        ),
        number(
            "l2tp.tunnel",
            In(|h, v| part(h, v, Part::Tunnel)),
            "The number of the tunnel.",
        ),
        number(
            "l2tp.session",
            In(|h, v| part(h, v, Part::Session)),
            "The number of the session.",
        ),
        number(
            "l2tp.Ns",
            In(|h, v| part(h, v, Part::Sent)),
            "The sequence number.",
        ),
        number(
            "l2tp.Nr",
            In(|h, v| part(h, v, Part::Expected)),
            "The sequence number expected.",
        ),
    ],
};

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Length,
    Tunnel,
    Session,
    Sent,
    Expected,
    Data,
}

/// Where a part of the header is; none where it is not there.
fn place(header: &Header<'_>, part: Part) -> Option<usize> {
    let flags = header.u16(0).filter(|flags| flags & 15 == 2)?;
    let tunnel = if flags & LENGTH != 0 { 4 } else { 2 };
    let sent = tunnel + 4;
    let behind = if flags & SEQUENCE != 0 {
        sent + 4
    } else {
        sent
    };
    match part {
        Part::Length => (flags & LENGTH != 0).then_some(2),
        Part::Tunnel => Some(tunnel),
        Part::Session => Some(tunnel + 2),
        Part::Sent => (flags & SEQUENCE != 0).then_some(sent),
        Part::Expected => (flags & SEQUENCE != 0).then_some(sent + 2),
        Part::Data if flags & OFFSET != 0 => Some(behind + 2 + usize::from(header.u16(behind)?)),
        Part::Data => Some(behind),
    }
}

fn part(header: &Header<'_>, values: &mut Values, part: Part) {
    if let Some(number) = place(header, part).and_then(|at| header.u16(at)) {
        values.number(number);
    }
}

fn carries(header: &Header<'_>) -> Next {
    let is_data = header.u16(0).is_some_and(|flags| flags & CONTROL == 0);
    match place(header, Part::Data) {
        Some(at) if is_data => Next::behind(at, By::Ethertype(super::ppp::ETHERTYPE)),
        Some(at) => Next::last(at),
        None => Next::last(2),
    }
}
