//! LLDP (IEEE 802.1AB).

use super::header::Header;
use super::layers::{By, Protocol};
use super::values::Get::Header as In;
use super::values::{Values, mac, number, text};

const CHASSIS: u16 = 1;
const PORT: u16 = 2;
const TIME_TO_LIVE: u16 = 3;
const PORT_TEXT: u16 = 4;
const SYSTEM_NAME: u16 = 5;
const SYSTEM_TEXT: u16 = 6;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "lldp",
    source: "IEEE 802.1AB",
    found: &[By::Ethertype(0x88cc)],
    carries: None,
    fields: &[
        number(
            "lldp.tlv.type",
            In(|h, v| parts(h, |kind, _, _| v.number(kind))),
            "What is told: 1 the chassis, 2 the port, 0 the end.",
        ),
        number(
            "lldp.tlv.len",
            In(|h, v| parts(h, |_, _, length| v.number(length as u32))),
            "Bytes of what is told.",
        ),
        number(
            "lldp.chassis.subtype",
            In(|h, v| subtype(h, v, CHASSIS)),
            "What names the chassis.",
        ),
        mac(
            "lldp.chassis.id.mac",
            In(|h, v| hardware(h, v, CHASSIS, 4)),
            "The hardware address that names the chassis.",
        ),
        number(
            "lldp.port.subtype",
            In(|h, v| subtype(h, v, PORT)),
            "What names the port.",
        ),
        mac(
            "lldp.port.id.mac",
            In(|h, v| hardware(h, v, PORT, 3)),
            "The hardware address that names the port.",
        ),
        number(
            "lldp.time_to_live",
            In(time_to_live),
            "Seconds that this holds.",
        ),
        text(
            "lldp.port.desc",
            In(|h, v| words(h, v, PORT_TEXT)),
            "The port in words.",
        ),
        text(
            "lldp.tlv.system.name",
            In(|h, v| words(h, v, SYSTEM_NAME)),
            "The name of the system.",
        ),
        text(
            "lldp.tlv.system.desc",
            In(|h, v| words(h, v, SYSTEM_TEXT)),
            "The system in words.",
        ),
    ],
};

/// All that is told: type, place, length.
fn parts(header: &Header<'_>, mut each: impl FnMut(u16, usize, usize)) {
    let mut at = 0;
    while let Some(word) = header.u16(at) {
        let (kind, length) = (word >> 9, usize::from(word & 0x1ff));
        each(kind, at + 2, length);
        if kind == 0 {
            return;
        }
        at += 2 + length;
    }
}

fn subtype(header: &Header<'_>, values: &mut Values, of: u16) {
    parts(header, |kind, at, length| {
        if kind == of && length > 0 {
            header.u8(at).into_iter().for_each(|n| values.number(n));
        }
    });
}

fn hardware(header: &Header<'_>, values: &mut Values, of: u16, subtype: u8) {
    parts(header, |kind, at, length| {
        if kind == of && length == 7 && header.u8(at) == Some(subtype) {
            header
                .mac(at + 1)
                .into_iter()
                .for_each(|mac| values.mac(mac));
        }
    });
}

fn time_to_live(header: &Header<'_>, values: &mut Values) {
    parts(header, |kind, at, _| {
        if kind == TIME_TO_LIVE {
            header.u16(at).into_iter().for_each(|n| values.number(n));
        }
    });
}

fn words(header: &Header<'_>, values: &mut Values, of: u16) {
    parts(header, |kind, at, length| {
        if kind == of && header.bytes.len() >= at + length {
            values.slice(header.layer.start + at as u32, length);
        }
    });
}
