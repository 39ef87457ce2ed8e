//! VXLAN (RFC 7348).

use super::layers::{By, Next, Protocol};
use super::values::Get::{Bits16, U16, U24};
use super::values::{flag, number};

const LEN: usize = 8;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "vxlan",
    source: "RFC 7348",
    // What says that such a header follows.
    found: &[By::UdpPort(4789)],
    // The length of the header, and what stands behind it: a frame of Ethernet.
    carries: Some(|_| Next::behind(LEN, By::Link(super::LINKTYPE_ETHERNET))),
    // Where each field is: all headers of a packet give their values, as a list.
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

#[cfg(test)]
mod tests {
    use super::super::load::{field, in_udp};

    #[test]
    fn reads_the_network_and_what_is_in_it() {
        let bytes = in_udp(
            4789,
            &[8, 0, 0, 0, 0, 1, 2, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        );
        assert_eq!(field(&bytes, "vxlan.vni").as_deref(), Some("258"));
        assert_eq!(field(&bytes, "vxlan.flag_i").as_deref(), Some("true"));
        assert_eq!(field(&bytes[..45], "vxlan.vni"), None);
    }
}
