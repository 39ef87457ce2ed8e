//! Link types with little or no header of their own.

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Header as In, U8, U16};
use super::values::{number, text};
use super::{ipv4, ipv6};

/// The largest number that is a family and no type.
const FAMILY_MAX: u32 = 1500;

/// IP without anything before it (LINKTYPE_RAW and what BSDs have for it).
pub(super) static RAW: Protocol = Protocol {
    name: "raw",
    source: "LINKTYPE_RAW",
    found: &[By::Link(101), By::Link(12), By::Link(14)],
    carries: Some(|header| match header.u8(0).map(|first| first >> 4) {
        Some(4) => Next::behind(0, By::Ethertype(ipv4::ETHERTYPE)),
        Some(6) => Next::behind(0, By::Ethertype(ipv6::ETHERTYPE)),
        _ => Next::last(0),
    }),
    fields: &[],
};

/// IPv4 and nothing else.
pub(super) static IPV4: Protocol = Protocol {
    name: "raw.ipv4",
    source: "LINKTYPE_IPV4",
    found: &[By::Link(228)],
    carries: Some(|_| Next::behind(0, By::Ethertype(ipv4::ETHERTYPE))),
    fields: &[],
};

/// IPv6 and nothing else.
pub(super) static IPV6: Protocol = Protocol {
    name: "raw.ipv6",
    source: "LINKTYPE_IPV6",
    found: &[By::Link(229)],
    carries: Some(|_| Next::behind(0, By::Ethertype(ipv6::ETHERTYPE))),
    fields: &[],
};

/// BSD's loopback: an address family in the byte order of who captured.
pub(super) static NULL: Protocol = Protocol {
    name: "null",
    source: "LINKTYPE_NULL",
    found: &[By::Link(0)],
    carries: Some(|header| Next::behind(4, in_null(null_family(header)))),
    fields: &[number(
        "null.family",
        In(|h, v| {
            let family = null_family(h).filter(|number| *number <= FAMILY_MAX);
            family.into_iter().for_each(|family| v.number(family))
        }),
        "The address family of what is carried: 2 is IPv4.",
    )],
};

/// OpenBSD's loopback: an address family in network order.
pub(super) static LOOP: Protocol = Protocol {
    name: "loopback",
    source: "LINKTYPE_LOOP",
    found: &[By::Link(108)],
    carries: Some(|header| Next::behind(4, in_null(header.u32(0)))),
    fields: &[],
};

/// Family or type, in the byte order of who captured: families are small numbers, which the other
/// byte order makes large ones. Some have 16 bits of them.
fn null_family(header: &Header<'_>) -> Option<u32> {
    let number = header.le32(0)?;
    Some(match number {
        0x0001_0000..=0x0005_ffff => number >> 16,
        0x0006_0000.. => number.swap_bytes(),
        _ if number & 0xff == 0 && number < 0x600 => number >> 8,
        _ => number,
    })
}

/// What the number of BSD's loopback stands for.
fn in_null(number: Option<u32>) -> By {
    match number {
        Some(family) if family <= FAMILY_MAX => of_family(family),
        // Some write the type of IEEE 802.3 instead.
        Some(ethertype) => By::Ethertype(ethertype as u16),
        None => By::Nothing,
    }
}

/// What an address family stands for; systems differ in that of IPv6.
fn of_family(family: u32) -> By {
    match family {
        2 => By::Ethertype(ipv4::ETHERTYPE),
        24 | 28 | 30 => By::Ethertype(ipv6::ETHERTYPE),
        _ => By::Nothing,
    }
}

/// Linux netfilter's log: parts in the byte order of who captured, one of them the packet.
pub(super) static NFLOG: Protocol = Protocol {
    name: "nflog",
    source: "LINKTYPE_NFLOG",
    found: &[By::Link(239)],
    carries: Some(nflog),
    fields: &[
        number(
            "nflog.family",
            U8(0),
            "The address family of the packet: 2 is IPv4.",
        ),
        number("nflog.version", U8(1), "The version: 0."),
        number("nflog.res_id", U16(2), "The number of the group."),
    ],
};

const NFLOG_LEN: usize = 4;
const NFLOG_HEADER: u16 = 1;
const NFLOG_PAYLOAD: u16 = 9;

fn nflog(header: &Header<'_>) -> Next {
    // What the packet is says one of the parts, or else the address family.
    let mut by = match header.u8(0) {
        Some(2) => By::Ethertype(ipv4::ETHERTYPE),
        Some(10) => By::Ethertype(ipv6::ETHERTYPE),
        _ => By::Nothing,
    };
    let mut at = NFLOG_LEN;
    while let (Some(length), Some(kind)) = (header.le16(at), header.le16(at + 2)) {
        let length = usize::from(length);
        if length < 4 {
            break;
        }
        match (kind & 0x7fff, header.u16(at + 4)) {
            (NFLOG_PAYLOAD, _) => return Next::behind(at + 4, by).of(at + length),
            (NFLOG_HEADER, Some(ethertype)) if ethertype != 0 => by = By::Ethertype(ethertype),
            _ => {}
        }
        at += length.next_multiple_of(4);
    }
    Next::last(NFLOG_LEN)
}

/// OpenBSD's firewall log.
pub(super) static PFLOG: Protocol = Protocol {
    name: "pflog",
    source: "LINKTYPE_PFLOG",
    found: &[By::Link(117)],
    carries: Some(|header| {
        let len = usize::from(header.u8(0).unwrap_or(0)).next_multiple_of(4);
        let family = header.u8(1).map_or(0, u32::from);
        Next::behind(len, of_family(family))
    }),
    fields: &[
        number("pflog.length", U8(0), "Bytes of the header."),
        number(
            "pflog.af",
            U8(1),
            "The address family of the packet: 2 is IPv4.",
        ),
        number("pflog.action", U8(2), "What was done: 0 passed, 1 dropped."),
        number("pflog.reason", U8(3), "Why: 0 by a rule."),
        text("pflog.ifname", In(|h, v| name(h, v, 4)), "The interface."),
        text(
            "pflog.ruleset",
            In(|h, v| name(h, v, 20)),
            "The set of rules.",
        ),
        number(
            "pflog.rulenr",
            In(|h, v| _ = h.u32(36).map(|n| v.number(n))),
            "The number of the rule.",
        ),
    ],
};

/// A name in sixteen bytes, ended by a 0.
fn name(header: &Header<'_>, values: &mut super::values::Values, at: usize) {
    if let Some(bytes) = header.bytes.get(at..at + 16) {
        let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(16);
        values.slice(header.layer.start + at as u32, length);
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::{field_of_link, ipv4};

    #[test]
    fn ip_behind_little_or_nothing() {
        let packet = ipv4(17, 1, &[0, 53, 0, 54, 0, 8, 0, 0]);
        for (before, link) in [
            (&[][..], 101),
            (&[], 228),
            (&[2, 0, 0, 0], 0),
            (&[0, 0, 0, 2], 0),
            (&[0, 0, 0, 2], 108),
            (&[0x0f, 0, 8, 0], 104),
            (&[0xff, 3, 0, 0x21], 9),
            (&[0x21], 9),
            (&[2, 0, 0, 0, 8, 0, 1, 0, 0, 0, 0, 0, 32, 0, 9, 0], 239),
        ] {
            let bytes = [before, &packet].concat();
            let port = field_of_link(&bytes, link, "dstport");
            assert_eq!(port.as_deref(), Some("54"), "link type {link}");
            let list = field_of_link(&bytes, link, "udp.dstport");
            assert_eq!(list.as_deref(), Some("54"), "link type {link}");
        }
        assert_eq!(field_of_link(&packet, 229, "srcip"), None);
        assert_eq!(field_of_link(&packet, 147, "srcip"), None);
        assert_eq!(
            field_of_link(&packet, 113, "link").as_deref(),
            Some("linux_sll")
        );
    }
}
