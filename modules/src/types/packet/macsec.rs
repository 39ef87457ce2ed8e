//! MACsec (IEEE 802.1AE), as far as it is not encrypted.

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Bits8, U8, U32};
use super::values::{flag, number};

/// Whether what is carried is encrypted, or changed in another way.
const ENCRYPTED: u8 = 0x08;
const CHANGED: u8 = 0x04;
const CHANNEL: u8 = 0x20;
const LEN: usize = 6;
const CHECK_LEN: usize = 16;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "macsec",
    source: "IEEE 802.1AE",
    found: &[By::Ethertype(0x88e5)],
    carries: Some(carries),
    fields: &[
        flag(
            "macsec.TCI.E",
            Bits8(0, ENCRYPTED),
            "Whether what is carried is encrypted.",
        ),
        flag(
            "macsec.TCI.C",
            Bits8(0, CHANGED),
            "Whether what is carried was changed.",
        ),
        flag(
            "macsec.TCI.SC",
            Bits8(0, CHANNEL),
            "Whether the channel is named.",
        ),
        number("macsec.AN", Bits8(0, 3), "The number of the association."),
        number("macsec.SL", U8(1), "Bytes of a short packet."),
        number("macsec.PN", U32(2), "The number of the packet."),
    ],
};

fn carries(header: &Header<'_>) -> Next {
    let Some(control) = header.u8(0) else {
        return Next::last(LEN);
    };
    let at = LEN + if control & CHANNEL != 0 { 8 } else { 0 };
    if header.bytes.len() < at {
        return Next::broken(0);
    }
    match header.u16(at) {
        Some(ethertype) if control & (ENCRYPTED | CHANGED) == 0 => {
            let whole = header.bytes.len().saturating_sub(CHECK_LEN);
            Next::behind(at + 2, By::Ethertype(ethertype)).of(whole)
        }
        _ => Next::last(at),
    }
}
