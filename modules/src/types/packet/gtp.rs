//! GTP version 1, user plane (3GPP TS 29.281).

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Bits8, Header as In, U8, U16, U32};
use super::values::{Values, flag, number};
use super::{ipv4, ipv6};

const LEN_MIN: usize = 8;
/// Sequence number, N-PDU number and type of the next extension: all are there if one is.
const OPTIONAL: u8 = 7;
const EXTENSION: u8 = 4;
const SEQUENCE: u8 = 2;
/// The message that carries a packet.
const G_PDU: u8 = 0xff;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "gtp",
    source: "3GPP TS 29.281",
    found: &[By::UdpPort(2152), By::UdpPort(2123)],
    carries: Some(carries),
    fields: &[
        number("gtp.flags", U8(0), "Version and flags."),
        number("gtp.flags.version", Bits8(0, 0xe0), "The version."),
        flag(
            "gtp.flags.e",
            Bits8(0, EXTENSION),
            "Whether an extension header follows.",
        ),
        flag(
            "gtp.flags.s",
            Bits8(0, SEQUENCE),
            "Whether there is a sequence number.",
        ),
        number(
            "gtp.message",
            U8(1),
            "What a message is: 255 carries a packet.",
        ),
        number("gtp.length", U16(2), "Bytes behind the first eight."),
        number("gtp.teid", U32(4), "The number of the tunnel's end."),
        number("gtp.seq_number", In(sequence), "The sequence number."),
    ],
};

fn sequence(header: &Header<'_>, values: &mut Values) {
    if let (Some(flags), Some(number)) = (header.u8(0), header.u16(LEN_MIN))
        && flags & OPTIONAL != 0
    {
        values.number(number);
    }
}

fn carries(header: &Header<'_>) -> Next {
    let (Some(flags), Some(message), Some(length)) = (header.u8(0), header.u8(1), header.u16(2))
    else {
        return Next::last(LEN_MIN);
    };
    // Later versions have other headers.
    if flags >> 5 > 1 {
        return Next::broken(0);
    }
    let mut at = LEN_MIN;
    if flags & OPTIONAL != 0 {
        at += 4;
        let mut next = header.u8(at - 1);
        while flags & EXTENSION != 0 && next.is_some_and(|next| next != 0) {
            // A length of 0 would be no extension.
            let Some(words) = header.u8(at).filter(|words| *words != 0) else {
                return Next::last(at);
            };
            at += usize::from(words) * 4;
            next = header.u8(at - 1);
        }
    }
    let by = match header.u8(at).map(|first| first >> 4) {
        _ if message != G_PDU || flags >> 5 != 1 => By::Nothing,
        Some(4) => By::Ethertype(ipv4::ETHERTYPE),
        Some(6) => By::Ethertype(ipv6::ETHERTYPE),
        _ => By::Nothing,
    };
    Next::behind(at, by).of(LEN_MIN + usize::from(length))
}
