//! SCTP (RFC 9260).

use super::header::Header;
use super::layers::{By, Protocol};
use super::values::Get::{Header as In, U16, U32};
use super::values::{Values, number};

pub(super) const PROTOCOL_NUMBER: u8 = 132;
const LEN: usize = 12;
const DATA: u8 = 0;
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const SACK: u8 = 3;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "sctp",
    source: "RFC 9260",
    found: &[By::Ip(PROTOCOL_NUMBER)],
    carries: None,
    fields: &[
        number("sctp.srcport", U16(0), "Ports of senders."),
        number("sctp.dstport", U16(2), "Ports of receivers."),
        number("sctp.port", In(ports), "Ports of senders and receivers."),
        number(
            "sctp.verification_tag",
            U32(4),
            "What tells the association from an older one.",
        ),
        number("sctp.checksum", U32(8), "The checksum, CRC32c."),
        number(
            "sctp.chunk_type",
            In(|h, v| chunks(h, |h, at, _| byte(h, v, at))),
            "What chunks are: 0 carries data.",
        ),
        number(
            "sctp.chunk_flags",
            In(|h, v| chunks(h, |h, at, _| byte(h, v, at + 1))),
            "Flags of chunks.",
        ),
        number(
            "sctp.chunk_length",
            In(|h, v| chunks(h, |h, at, _| word(h, v, at + 2))),
            "Bytes of chunks, without padding.",
        ),
        number(
            "sctp.data_tsn_raw",
            In(|h, v| of(h, v, DATA, 4, long)),
            "Transmission sequence numbers of data.",
        ),
        number(
            "sctp.data_sid",
            In(|h, v| of(h, v, DATA, 8, word)),
            "Streams of data.",
        ),
        number(
            "sctp.data_ssn",
            In(|h, v| of(h, v, DATA, 10, word)),
            "Sequence numbers in the streams of data.",
        ),
        number(
            "sctp.data_payload_proto_id",
            In(|h, v| of(h, v, DATA, 12, long)),
            "What data is.",
        ),
        number(
            "sctp.init_initiate_tag",
            In(|h, v| of(h, v, INIT, 4, long)),
            "The tag of who begins.",
        ),
        number(
            "sctp.init_credit",
            In(|h, v| of(h, v, INIT, 8, long)),
            "The window of who begins.",
        ),
        number(
            "sctp.init_nr_out_streams",
            In(|h, v| of(h, v, INIT, 12, word)),
            "Streams that who begins sends.",
        ),
        number(
            "sctp.init_nr_in_streams",
            In(|h, v| of(h, v, INIT, 14, word)),
            "Streams that who begins takes.",
        ),
        number(
            "sctp.init_initial_tsn",
            In(|h, v| of(h, v, INIT, 16, long)),
            "The first sequence number of who begins.",
        ),
        number(
            "sctp.initack_initiate_tag",
            In(|h, v| of(h, v, INIT_ACK, 4, long)),
            "The tag of who answers.",
        ),
        number(
            "sctp.initack_credit",
            In(|h, v| of(h, v, INIT_ACK, 8, long)),
            "The window of who answers.",
        ),
        number(
            "sctp.initack_nr_out_streams",
            In(|h, v| of(h, v, INIT_ACK, 12, word)),
            "Streams that who answers sends.",
        ),
        number(
            "sctp.initack_nr_in_streams",
            In(|h, v| of(h, v, INIT_ACK, 14, word)),
            "Streams that who answers takes.",
        ),
        number(
            "sctp.initack_initial_tsn",
            In(|h, v| of(h, v, INIT_ACK, 16, long)),
            "The first sequence number of who answers.",
        ),
        number(
            "sctp.sack_cumulative_tsn_ack_raw",
            In(|h, v| of(h, v, SACK, 4, long)),
            "The last number up to which all was received.",
        ),
        number(
            "sctp.sack_a_rwnd",
            In(|h, v| of(h, v, SACK, 8, long)),
            "The window of the receiver.",
        ),
        number(
            "sctp.sack_number_of_gap_blocks",
            In(|h, v| of(h, v, SACK, 12, word)),
            "How many runs were received behind a gap.",
        ),
        number(
            "sctp.sack_number_of_duplicated_tsns",
            In(|h, v| of(h, v, SACK, 14, word)),
            "How many numbers were received twice.",
        ),
    ],
};

fn ports(header: &Header<'_>, values: &mut Values) {
    word(header, values, 0);
    word(header, values, 2);
}

fn byte(header: &Header<'_>, values: &mut Values, at: usize) {
    header.u8(at).into_iter().for_each(|n| values.number(n));
}

fn word(header: &Header<'_>, values: &mut Values, at: usize) {
    header.u16(at).into_iter().for_each(|n| values.number(n));
}

fn long(header: &Header<'_>, values: &mut Values, at: usize) {
    header.u32(at).into_iter().for_each(|n| values.number(n));
}

/// All chunks: where each begins, and its type.
fn chunks(header: &Header<'_>, mut each: impl FnMut(&Header<'_>, usize, u8)) {
    let mut at = LEN;
    while let (Some(kind), Some(length)) = (header.u8(at), header.u16(at + 2)) {
        each(header, at, kind);
        // Shorter than its own header: nothing says where the next one begins.
        if length < 4 {
            return;
        }
        at += usize::from(length).next_multiple_of(4);
    }
}

fn of(
    header: &Header<'_>,
    values: &mut Values,
    kind: u8,
    offset: usize,
    load: fn(&Header<'_>, &mut Values, usize),
) {
    chunks(header, |header, at, found| {
        if found == kind {
            load(header, values, at + offset);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::load::{field, in_ethernet, ipv4};

    #[test]
    fn reads_all_chunks() {
        let mut packet = vec![0, 80, 0, 90, 0, 0, 0, 1, 0, 0, 0, 2];
        packet.extend([3, 0, 0, 16, 0, 0, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0]);
        packet.extend([
            0, 3, 0, 17, 0, 0, 0, 6, 0, 7, 0, 8, 0, 0, 0, 9, b'x', 0, 0, 0,
        ]);
        let bytes = in_ethernet(0x0800, &ipv4(132, 1, &packet));
        for (name, value) in [
            ("sctp.port", "80,90"),
            ("sctp.chunk_type", "3,0"),
            ("sctp.chunk_length", "16,17"),
            ("sctp.data_tsn_raw", "6"),
            ("sctp.data_sid", "7"),
            ("sctp.data_ssn", "8"),
            ("sctp.data_payload_proto_id", "9"),
            ("sctp.sack_cumulative_tsn_ack_raw", "5"),
            ("sctp.sack_a_rwnd", "256"),
        ] {
            assert_eq!(field(&bytes, name).as_deref(), Some(value), "{name}");
        }
    }
}
