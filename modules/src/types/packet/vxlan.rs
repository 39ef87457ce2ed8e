//! VXLAN (RFC 7348).

use super::layers::{By, Next, Protocol};
use super::values::Get::{Bits16, U16, U24};
use super::values::{flag, number};

const LEN: usize = 8;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "vxlan",
    source: "RFC 7348",
    found: &[By::UdpPort(4789)],
    carries: Some(|_| Next::behind(LEN, By::Link(super::LINKTYPE_ETHERNET as u32))),
    fields: &[
        number("vxlan.flags", U16(0), "Flags."),
        flag(
            "vxlan.flag_i",
            Bits16(0, 0x800),
            "Whether there is a network's number.",
        ),
        number("vxlan.gbp", U16(2), "The number of the policy."),
        number("vxlan.vni", U24(4), "The number of the network."),
    ],
};
