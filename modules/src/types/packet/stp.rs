//! Spanning tree (IEEE 802.1D): configuration, also of RSTP and MSTP.

use super::header::Header;
use super::layers::{By, Protocol};
use super::values::Get::{Header as In, U8, U16};
use super::values::{Values, flag, mac, number};

/// Its service access point.
pub(super) const POINT: u8 = 0x42;
/// The types of messages that tell of the tree, of STP and of its successors.
const CONFIGURATIONS: [u8; 2] = [0, 2];

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "stp",
    source: "IEEE 802.1D",
    found: &[By::Llc(POINT)],
    carries: None,
    fields: &[
        number("stp.protocol", U16(0), "The protocol: 0."),
        number("stp.version", U8(2), "0 for STP, 2 for RSTP, 3 for MSTP."),
        number(
            "stp.type",
            U8(3),
            "What a message is: 0 or 2 tell of the tree, 128 of a change.",
        ),
        number(
            "stp.flags",
            In(|h, v| config(h, |h| _ = h.u8(4).map(|n| v.number(n)))),
            "Flags.",
        ),
        flag(
            "stp.flags.tc",
            In(|h, v| config(h, |h| _ = h.u8(4).map(|n| v.number(n & 1)))),
            "Whether the tree changes.",
        ),
        number(
            "stp.root.prio",
            In(|h, v| config(h, |h| _ = h.u16(5).map(|n| v.number(n & 0xf000)))),
            "The priority of the root.",
        ),
        number(
            "stp.root.ext",
            In(|h, v| config(h, |h| _ = h.u16(5).map(|n| v.number(n & 0xfff)))),
            "The VLAN or instance of the root.",
        ),
        mac(
            "stp.root.hw",
            In(|h, v| config(h, |h| _ = h.mac(7).map(|a| v.mac(a)))),
            "The hardware address of the root.",
        ),
        number(
            "stp.root.cost",
            In(|h, v| config(h, |h| _ = h.u32(13).map(|n| v.number(n)))),
            "The cost of the way to the root.",
        ),
        number(
            "stp.bridge.prio",
            In(|h, v| config(h, |h| _ = h.u16(17).map(|n| v.number(n & 0xf000)))),
            "The priority of the sender.",
        ),
        number(
            "stp.bridge.ext",
            In(|h, v| config(h, |h| _ = h.u16(17).map(|n| v.number(n & 0xfff)))),
            "The VLAN or instance of the sender.",
        ),
        mac(
            "stp.bridge.hw",
            In(|h, v| config(h, |h| _ = h.mac(19).map(|a| v.mac(a)))),
            "The hardware address of the sender.",
        ),
        number(
            "stp.port",
            In(|h, v| config(h, |h| port(h, v))),
            "The port of the sender.",
        ),
    ],
};

fn config(header: &Header<'_>, mut then: impl FnMut(&Header<'_>)) {
    if header
        .u8(3)
        .is_some_and(|kind| CONFIGURATIONS.contains(&kind))
    {
        then(header);
    }
}

fn port(header: &Header<'_>, values: &mut Values) {
    header
        .u16(25)
        .into_iter()
        .for_each(|port| values.number(port));
}
