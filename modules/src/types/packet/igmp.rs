//! IGMP (RFC 1112, RFC 2236, RFC 3376).

use super::header::Header;
use super::layers::{By, Protocol};
use super::values::Get::{Header as In, U8};
use super::values::{Values, address, flag, number};

const QUERY: u8 = 0x11;
const REPORT_1: u8 = 0x12;
const REPORT_2: u8 = 0x16;
const LEAVE: u8 = 0x17;
const REPORT_3: u8 = 0x22;
/// Types of messages, also of DVMRP, PIM and mtrace, which are no others.
const KNOWN: [u8; 18] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, QUERY, REPORT_1, 0x13, 0x14, REPORT_2, LEAVE, 0x1e, 0x1f, REPORT_3,
];
/// A longer query is one of version 3.
const LEN: usize = 8;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "igmp",
    source: "RFC 3376",
    found: &[By::Ip(2)],
    carries: None,
    fields: &[
        number(
            "igmp.type",
            U8(0),
            "What a message is: 17 asks who is in a group.",
        ),
        number(
            "igmp.max_resp",
            In(max_resp),
            "Until when to answer, in tenths of a second.",
        ),
        number(
            "igmp.checksum",
            In(|h, v| {
                if KNOWN.contains(&kind(h)) {
                    _ = h.u16(2).map(|n| v.number(n))
                }
            }),
            "The checksum.",
        ),
        address("igmp.maddr", In(groups), "Groups."),
        flag(
            "igmp.s",
            In(|h, v| query_3(h, |h| _ = h.u8(8).map(|n| v.number(n & 8)))),
            "Whether routers are not to go by a query.",
        ),
        number(
            "igmp.qrv",
            In(|h, v| query_3(h, |h| _ = h.u8(8).map(|n| v.number(n & 7)))),
            "How often queries are repeated.",
        ),
        number("igmp.num_src", In(sources), "How many sources are named."),
        number(
            "igmp.num_grp_recs",
            In(|h, v| {
                if kind(h) == REPORT_3 {
                    _ = h.u16(6).map(|n| v.number(n))
                }
            }),
            "How many groups are reported.",
        ),
        number(
            "igmp.record_type",
            In(|h, v| records(h, |h, at| _ = h.u8(at).map(|n| v.number(n)))),
            "What is reported of groups.",
        ),
        address("igmp.saddr", In(source_addresses), "Sources."),
    ],
};

fn kind(header: &Header<'_>) -> u8 {
    header.u8(0).unwrap_or(0)
}

fn query_3(header: &Header<'_>, mut then: impl FnMut(&Header<'_>)) {
    if kind(header) == QUERY && header.bytes.len() > LEN {
        then(header);
    }
}

fn max_resp(header: &Header<'_>, values: &mut Values) {
    let Some(code) = header.u8(1) else { return };
    match kind(header) {
        REPORT_2 | LEAVE => values.number(code),
        // Long times are a mantissa and an exponent.
        QUERY if header.bytes.len() > LEN && code >= 0x80 => {
            let (exponent, mantissa) = (u32::from(code >> 4 & 7), u32::from(code & 15));
            values.number((mantissa | 0x10) << (exponent + 3));
        }
        QUERY if header.bytes.len() > LEN || code != 0 => values.number(code),
        _ => {}
    }
}

/// The records of a report of version 3: where each begins.
fn records(header: &Header<'_>, mut each: impl FnMut(&Header<'_>, usize)) {
    if kind(header) != REPORT_3 {
        return;
    }
    let mut at = LEN;
    for _ in 0..header.u16(6).unwrap_or(0) {
        let Some(first) = header.array::<4>(at) else {
            return;
        };
        each(header, at);
        at += 8
            + usize::from(u16::from_be_bytes([first[2], first[3]])) * 4
            + usize::from(first[1]) * 4;
    }
}

fn groups(header: &Header<'_>, values: &mut Values) {
    match kind(header) {
        QUERY | REPORT_1 | REPORT_2 | LEAVE => header.u32(4).into_iter().for_each(|a| values.v4(a)),
        // Version 0 (RFC 988) has an identifier before the group.
        0..=8 => header.u32(8).into_iter().for_each(|a| values.v4(a)),
        _ => records(header, |h, at| {
            h.u32(at + 4).into_iter().for_each(|a| values.v4(a))
        }),
    }
}

fn sources(header: &Header<'_>, values: &mut Values) {
    query_3(header, |h| _ = h.u16(10).map(|n| values.number(n)));
    records(header, |h, at| _ = h.u16(at + 2).map(|n| values.number(n)));
}

fn source_addresses(header: &Header<'_>, values: &mut Values) {
    let mut list = |header: &Header<'_>, count: Option<u16>, at: usize| {
        let all = (0..usize::from(count.unwrap_or(0))).map_while(|n| header.u32(at + 4 * n));
        all.for_each(|address| values.v4(address));
    };
    query_3(header, |h| list(h, h.u16(10), 12));
    records(header, |h, at| list(h, h.u16(at + 2), at + 8));
}
