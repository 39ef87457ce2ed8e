//! ESP (RFC 4303) and AH (RFC 4302).

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{U8, U32};
use super::values::number;

pub(super) const AH_NUMBER: u8 = 51;
/// Up to the sequence number.
const AH_LEN: usize = 12;

pub(super) static ESP: Protocol = Protocol {
    name: "esp",
    source: "RFC 4303",
    found: &[By::Ip(50)],
    carries: None,
    fields: &[
        number("esp.spi", U32(0), "The number of the security association."),
        number("esp.sequence", U32(4), "The sequence number."),
    ],
};

/// ESP in UDP (RFC 3948): four zero bytes say that it is a key exchange instead, a lone 0xff that
/// nobody slept.
pub(super) static IN_UDP: Protocol = Protocol {
    name: "udpencap",
    source: "RFC 3948",
    found: &[By::UdpPort(4500)],
    carries: Some(|header| match header.u32(0) {
        None | Some(0) => Next::last(0),
        Some(_) => Next::behind(0, By::Ip(50)),
    }),
    fields: &[],
};

pub(super) static AH: Protocol = Protocol {
    name: "ah",
    source: "RFC 4302",
    found: &[By::Ip(AH_NUMBER)],
    carries: Some(carries),
    fields: &[
        number("ah.next_header", U8(0), "The protocol behind the header."),
        number("ah.length", U8(1), "Words of the header less two."),
        number("ah.spi", U32(4), "The number of the security association."),
        number("ah.sequence", U32(8), "The sequence number."),
    ],
};

/// Bytes of an AH whose length field is this.
pub(super) fn len(words: u8) -> usize {
    (usize::from(words) + 2) * 4
}

fn carries(header: &Header<'_>) -> Next {
    match (header.u8(0), header.u8(1)) {
        (Some(protocol), Some(words)) => Next::behind(len(words), By::Ip(protocol)),
        _ => Next::last(AH_LEN),
    }
}
