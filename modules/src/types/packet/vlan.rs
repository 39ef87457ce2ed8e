//! VLAN tags (IEEE 802.1Q), also those of providers (IEEE 802.1ad) and what came before them.

use super::ethernet::{self, TYPE_MIN};
use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Bits16, Header as In};
use super::values::{flag, number};

const TYPE: usize = 2;
const LEN: usize = 4;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "vlan",
    source: "IEEE 802.1Q",
    found: &[By::Ethertype(0x8100), By::Ethertype(0x9100)],
    carries: Some(carries),
    fields: &[
        number(
            "vlan.id",
            Bits16(0, 0xfff),
            "The numbers of the VLANs, from the outermost tag.",
        ),
        number(
            "vlan.priority",
            Bits16(0, 0xe000),
            "The priority of a tag, 0 to 7.",
        ),
        flag(
            "vlan.dei",
            Bits16(0, 0x1000),
            "Whether a tag says that the frame may be dropped.",
        ),
        number("vlan.etype", In(etype), "The type behind a tag."),
        number(
            "vlan.len",
            In(length),
            "The length behind a tag, where that is no type.",
        ),
    ],
};

/// Tags of providers, which Wireshark calls otherwise.
pub(super) static PROVIDER: Protocol = Protocol {
    name: "ieee8021ad",
    source: "IEEE 802.1ad",
    found: &[By::Ethertype(0x88a8)],
    carries: Some(carries),
    fields: &[
        number(
            "ieee8021ad.id",
            Bits16(0, 0xfff),
            "The number of a provider's VLAN.",
        ),
        number(
            "ieee8021ad.priority",
            Bits16(0, 0xe000),
            "The priority of a tag, 0 to 7.",
        ),
        number(
            "ieee8021ad.dei",
            Bits16(0, 0x1000),
            "Whether a tag says that the frame may be dropped.",
        ),
    ],
};

fn carries(header: &Header<'_>) -> Next {
    ethernet::behind(header, LEN, header.u16(TYPE))
}

fn etype(header: &Header<'_>, values: &mut super::values::Values) {
    if let Some(ethertype) = header.u16(TYPE).filter(|ethertype| *ethertype >= TYPE_MIN) {
        values.number(ethertype);
    }
}

fn length(header: &Header<'_>, values: &mut super::values::Values) {
    if let Some(length) = header.u16(TYPE).filter(|length| *length < TYPE_MIN) {
        values.number(length);
    }
}
