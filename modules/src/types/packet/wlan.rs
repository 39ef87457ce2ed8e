//! IEEE 802.11 frames.

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Bits8, Header as In, U8};
use super::values::{Values, flag, mac, number, text};

const MANAGEMENT: u8 = 0;
const CONTROL: u8 = 1;
const DATA: u8 = 2;
const TO_DS: u8 = 1;
const FROM_DS: u8 = 2;
const PROTECTED: u8 = 0x40;
const ORDER: u8 = 0x80;
/// The bit of a data frame's subtype that says that there is a QoS field, and the one that it is empty.
const QOS: u8 = 8;
const NULL: u8 = 4;
const BEACON: u8 = 8;
const PROBE_RESPONSE: u8 = 5;
const PROBE_REQUEST: u8 = 4;
const ASSOCIATION: u8 = 0;
const REASSOCIATION: u8 = 2;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "wlan",
    source: "IEEE 802.11",
    found: &[By::Link(105)],
    carries: Some(carries),
    fields: &[
        number("wlan.fc.version", Bits8(0, 3), "The version: 0."),
        number(
            "wlan.fc.type",
            Bits8(0, 0xc),
            "0 management, 1 control, 2 data.",
        ),
        number(
            "wlan.fc.subtype",
            Bits8(0, 0xf0),
            "What a frame is, within its type.",
        ),
        number(
            "wlan.fc.type_subtype",
            In(|h, v| _ = h.u8(0).map(|b| v.number((b >> 2 & 3) << 4 | b >> 4))),
            "Type and subtype as one number.",
        ),
        number("wlan.flags", U8(1), "Flags."),
        flag(
            "wlan.fc.frag",
            Bits8(1, 4),
            "Whether more fragments follow.",
        ),
        flag(
            "wlan.fc.retry",
            Bits8(1, 8),
            "Whether a frame is sent again.",
        ),
        flag(
            "wlan.fc.pwrmgt",
            Bits8(1, 0x10),
            "Whether the sender goes to sleep.",
        ),
        flag(
            "wlan.fc.moredata",
            Bits8(1, 0x20),
            "Whether more waits for the receiver.",
        ),
        flag(
            "wlan.fc.protected",
            Bits8(1, PROTECTED),
            "Whether what is carried is encrypted.",
        ),
        flag(
            "wlan.fc.order",
            Bits8(1, ORDER),
            "Whether order matters; whether there is an HT field.",
        ),
        mac(
            "wlan.ra",
            In(|h, v| one(h, v, receiver)),
            "The station that a frame is sent to.",
        ),
        mac(
            "wlan.ta",
            In(|h, v| one(h, v, transmitter)),
            "The station that sends.",
        ),
        mac(
            "wlan.da",
            In(|h, v| one(h, v, destination)),
            "Who a frame is for in the end.",
        ),
        mac(
            "wlan.sa",
            In(|h, v| one(h, v, source)),
            "Who sent it at first.",
        ),
        mac(
            "wlan.bssid",
            In(|h, v| one(h, v, bssid)),
            "The access point.",
        ),
        number(
            "wlan.frag",
            In(|h, v| {
                if has_sequence(h) {
                    _ = h.u8(22).map(|n| v.number(n & 15))
                }
            }),
            "The number of the fragment.",
        ),
        number(
            "wlan.seq",
            In(|h, v| {
                if has_sequence(h) {
                    _ = h.le16(22).map(|n| v.number(n >> 4))
                }
            }),
            "The sequence number.",
        ),
        text("wlan.ssid", In(ssid), "The name of the network."),
    ],
};

/// Type and subtype.
fn kind(header: &Header<'_>) -> (u8, u8) {
    header
        .u8(0)
        .map_or((3, 0), |byte| (byte >> 2 & 3, byte >> 4))
}

/// The directions: from and to the distribution system.
fn directions(header: &Header<'_>) -> u8 {
    header.u8(1).unwrap_or(0) & (TO_DS | FROM_DS)
}

fn has_sequence(header: &Header<'_>) -> bool {
    matches!(kind(header).0, MANAGEMENT | DATA)
}

fn receiver(header: &Header<'_>) -> Option<usize> {
    (header.bytes.len() >= 10 && kind(header).0 != 3).then_some(4)
}

fn transmitter(header: &Header<'_>) -> Option<usize> {
    match kind(header) {
        (MANAGEMENT | DATA, _) => Some(10),
        // Those that only acknowledge name no sender.
        (CONTROL, 8..=11 | 14 | 15) => Some(10),
        _ => None,
    }
}

fn destination(header: &Header<'_>) -> Option<usize> {
    match (kind(header).0, directions(header)) {
        (MANAGEMENT, _) | (DATA, 0 | FROM_DS) => Some(4),
        (DATA, _) => Some(16),
        _ => None,
    }
}

fn source(header: &Header<'_>) -> Option<usize> {
    match (kind(header).0, directions(header)) {
        (MANAGEMENT, _) | (DATA, 0 | TO_DS) => Some(10),
        (DATA, FROM_DS) => Some(16),
        (DATA, _) => Some(24),
        _ => None,
    }
}

fn bssid(header: &Header<'_>) -> Option<usize> {
    match (kind(header).0, directions(header)) {
        (MANAGEMENT, _) | (DATA, 0) => Some(16),
        (DATA, TO_DS) => Some(4),
        (DATA, FROM_DS) => Some(10),
        _ => None,
    }
}

fn one(header: &Header<'_>, values: &mut Values, place: fn(&Header<'_>) -> Option<usize>) {
    if let Some(mac) = place(header).and_then(|at| header.mac(at)) {
        values.mac(mac);
    }
}

fn header_len(header: &Header<'_>) -> usize {
    let (kind, subtype) = kind(header);
    let is_data = kind == DATA;
    let mut length = 24;
    if is_data && directions(header) == TO_DS | FROM_DS {
        length += 6;
    }
    if is_data && subtype & QOS != 0 {
        length += 2;
    }
    let has_ht = is_data && subtype & QOS != 0 || kind == MANAGEMENT;
    if has_ht && header.u8(1).unwrap_or(0) & ORDER != 0 {
        length += 4;
    }
    length
}

/// The name in the elements behind the fixed part of a beacon, a probe or a request to join.
fn ssid(header: &Header<'_>, values: &mut Values) {
    let fixed = match kind(header) {
        (MANAGEMENT, BEACON | PROBE_RESPONSE) => 12,
        (MANAGEMENT, PROBE_REQUEST) => 0,
        (MANAGEMENT, ASSOCIATION) => 4,
        (MANAGEMENT, REASSOCIATION) => 10,
        _ => return,
    };
    if header.u8(1).unwrap_or(0) & PROTECTED != 0 {
        return;
    }
    let mut at = header_len(header) + fixed;
    while let (Some(element), Some(length)) = (header.u8(at), header.u8(at + 1)) {
        let length = usize::from(length);
        if element == 0 && header.bytes.len() >= at + 2 + length {
            values.slice(header.layer.start + at as u32 + 2, length);
        }
        at += 2 + length;
    }
}

fn carries(header: &Header<'_>) -> Next {
    // Frames of version 1 have other headers.
    if header.u8(0).is_some_and(|byte| byte & 3 != 0) {
        return Next::broken(1);
    }
    let (kind, subtype) = kind(header);
    let length = header_len(header);
    let is_open = header.u8(1).unwrap_or(0) & PROTECTED == 0;
    let is_first = header.u8(22).is_some_and(|byte| byte & 15 == 0);
    // Aggregated frames (A-MSDU) have headers of their own.
    let is_aggregate = subtype & QOS != 0
        && header
            .u8(length.saturating_sub(2))
            .is_some_and(|byte| byte & 0x80 != 0);
    if kind == DATA && subtype & NULL == 0 && is_open && is_first && !is_aggregate {
        Next::behind(length, By::Link(super::llc::LINK))
    } else {
        Next::last(length)
    }
}
