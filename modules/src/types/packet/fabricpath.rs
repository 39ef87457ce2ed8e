//! Cisco FabricPath: an Ethernet header of its own around a frame.

use super::layers::{By, Next, Protocol};
use super::values::Get::Bits16;
use super::values::number;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "cfp",
    source: "Cisco FabricPath",
    found: &[By::Ethertype(0x8903)],
    carries: Some(|_| Next::behind(2, By::Link(super::LINKTYPE_ETHERNET))),
    fields: &[
        number(
            "cfp.ftag",
            Bits16(0, 0xffc0),
            "The number of the tree that a frame takes.",
        ),
        number("cfp.ttl", Bits16(0, 0x3f), "Time to live."),
    ],
};
