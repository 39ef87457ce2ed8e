//! LLC (IEEE 802.2) and SNAP.

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Header as In, U8};
use super::values::{Values, number};

/// The LINKTYPE of frames that begin with this header, over ATM.
pub(super) const LINK: u16 = 100;
const CONTROL: usize = 2;
const SNAP: u16 = 0xaaaa;
/// Organizations whose protocol numbers are types of IEEE 802.3: none, and Cisco's for bridged frames.
const ENCAPSULATED: [u32; 2] = [0, 0xf8];
const BRIDGED: u32 = 0x80c2;
const CISCO: u32 = 0xc;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "llc",
    source: "IEEE 802.2",
    found: &[By::Ethertype(4), By::Link(LINK)],
    carries: Some(carries),
    fields: &[
        number("llc.dsap", U8(0), "The service that is meant."),
        number("llc.ssap", U8(1), "The service that sends."),
        number(
            "llc.control",
            In(control),
            "Type of frame and sequence numbers.",
        ),
        number(
            "llc.oui",
            In(|h, v| snap(h).into_iter().for_each(|(oui, ..)| v.number(oui))),
            "Who defined the protocol's number.",
        ),
        number(
            "llc.type",
            In(ethertype),
            "What is carried, as the type of IEEE 802.3.",
        ),
        number(
            "llc.pid",
            In(protocol),
            "What is carried, as a number of who defined it.",
        ),
    ],
};

/// Unnumbered frames have one byte of control, others two.
fn control_len(header: &Header<'_>) -> Option<usize> {
    Some(if header.u8(CONTROL)? & 3 == 3 { 1 } else { 2 })
}

fn control(header: &Header<'_>, values: &mut Values) {
    let control = control_len(header).and_then(|length| match length {
        1 => header.u8(CONTROL).map(u16::from),
        _ => header.le16(CONTROL),
    });
    control
        .into_iter()
        .for_each(|control| values.number(control));
}

/// Organization and number of SNAP, and where what it carries begins.
fn snap(header: &Header<'_>) -> Option<(u32, u16, usize)> {
    if header.u16(0)? != SNAP {
        return None;
    }
    let at = CONTROL + control_len(header)?;
    // Of unnumbered frames only those that inform.
    if at == CONTROL + 1 && header.u8(CONTROL)? != 3 {
        return None;
    }
    Some((header.u24(at)?, header.u16(at + 3)?, at + 5))
}

fn ethertype(header: &Header<'_>, values: &mut Values) {
    if let Some((_, number, _)) = snap(header).filter(|(oui, ..)| ENCAPSULATED.contains(oui)) {
        values.number(number);
    }
}

fn protocol(header: &Header<'_>, values: &mut Values) {
    let own = |(oui, ..): &(u32, u16, usize)| !ENCAPSULATED.contains(oui) && *oui != CISCO;
    if let Some((_, number, _)) = snap(header).filter(own) {
        values.number(number);
    }
}

fn carries(header: &Header<'_>) -> Next {
    match (snap(header), control_len(header), header.u8(0)) {
        (Some((oui, number, at)), ..) if ENCAPSULATED.contains(&oui) => {
            Next::behind(at, By::Ethertype(number))
        }
        // The number says whether the check sequence was kept.
        (Some((BRIDGED, 1 | 7, at)), ..) => Next::behind(at, By::Link(super::LINKTYPE_ETHERNET)),
        (Some((CISCO, 0x10b, at)), ..) => Next::behind(at, By::Llc(super::stp::POINT)),
        (Some((.., at)), ..) => Next::last(at),
        (None, Some(length), Some(point)) => Next::behind(CONTROL + length, By::Llc(point)),
        _ => Next::last(3),
    }
}
