//! DCCP (RFC 4340).

use super::header::Header;
use super::layers::{By, Protocol};
use super::values::Get::{Bits8, Header as In, U8, U16};
use super::values::{Values, flag, number};

const EXTENDED: u8 = 1;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "dccp",
    source: "RFC 4340",
    found: &[By::Ip(33)],
    carries: None,
    fields: &[
        number("dccp.srcport", U16(0), "Ports of senders."),
        number("dccp.dstport", U16(2), "Ports of receivers."),
        number("dccp.port", In(ports), "Ports of senders and receivers."),
        number("dccp.data_offset", U8(4), "Words of the header."),
        number(
            "dccp.ccval",
            Bits8(5, 0xf0),
            "A value of the congestion control.",
        ),
        number("dccp.cscov", Bits8(5, 15), "What the checksum covers."),
        number("dccp.checksum", U16(6), "The checksum."),
        number(
            "dccp.type",
            Bits8(8, 0x1e),
            "What a packet is: 0 asks for a connection.",
        ),
        flag(
            "dccp.x",
            Bits8(8, EXTENDED),
            "Whether sequence numbers have 48 bits.",
        ),
        number("dccp.seq_raw", In(sequence), "Sequence numbers."),
    ],
};

fn ports(header: &Header<'_>, values: &mut Values) {
    let both = [header.u16(0), header.u16(2)];
    both.into_iter()
        .flatten()
        .for_each(|port| values.number(port));
}

fn sequence(header: &Header<'_>, values: &mut Values) {
    let long = header.u8(8).is_some_and(|byte| byte & EXTENDED != 0);
    let number = if long {
        header
            .array(10)
            .map(|[a, b, c, d, e, f]| u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    } else {
        // Only data and acknowledgments may have short ones.
        let may_be_short = header
            .u8(8)
            .is_some_and(|byte| matches!(byte >> 1 & 15, 2..=4));
        header.u24(9).map(u64::from).filter(|_| may_be_short)
    };
    number.into_iter().for_each(|number| values.number(number));
}
