//! ESP (RFC 4303) and AH (RFC 4302).

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Header as In, U8, U32};
use super::values::number;

pub(super) const AH_NUMBER: u8 = 51;

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

pub(super) static AH: Protocol = Protocol {
    name: "ah",
    source: "RFC 4302",
    found: &[By::Ip(AH_NUMBER)],
    carries: Some(carries),
    fields: &[
        number("ah.next_header", U8(0), "The protocol behind the header."),
        number(
            "ah.length",
            In(|h, v| v.number(len(h) as u32)),
            "Bytes of the header.",
        ),
        number("ah.spi", U32(4), "The number of the security association."),
        number("ah.sequence", U32(8), "The sequence number."),
    ],
};

fn len(header: &Header<'_>) -> usize {
    header.u8(1).map_or(0, |words| (usize::from(words) + 2) * 4)
}

fn carries(header: &Header<'_>) -> Next {
    match header.u8(0) {
        Some(protocol) => Next::behind(len(header).max(12), By::Ip(protocol)),
        None => Next::last(12),
    }
}
