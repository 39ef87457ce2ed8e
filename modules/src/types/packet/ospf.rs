//! OSPF (RFC 2328, RFC 5340): the header, and hello packets of version 2.

use super::header::Header;
use super::layers::{By, Protocol};
use super::values::Get::{Header as In, U8, U16, V4};
use super::values::{Values, address, number};

const LEN: usize = 24;
const HELLO: u8 = 1;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "ospf",
    source: "RFC 2328",
    found: &[By::Ip(89)],
    carries: None,
    fields: &[
        number("ospf.version", U8(0), "The version: 2 or 3."),
        number("ospf.msg", U8(1), "What a packet is: 1 says hello."),
        number("ospf.packet_length", U16(2), "Bytes of the packet."),
        address("ospf.srcrouter", V4(4), "The number of the sender."),
        address("ospf.area_id", V4(8), "The number of the area."),
        number("ospf.checksum", U16(12), "The checksum."),
        number(
            "ospf.auth.type",
            In(|h, v| {
                if h.u8(0) == Some(2) {
                    _ = h.u16(14).map(|n| v.number(n))
                }
            }),
            "How version 2 proves who sent it.",
        ),
        number(
            "ospf.instance_id",
            In(|h, v| {
                if h.u8(0) == Some(3) {
                    _ = h.u8(14).map(|n| v.number(n))
                }
            }),
            "The instance, in version 3.",
        )
        .from("RFC 5340"),
        address(
            "ospf.hello.network_mask",
            In(|h, v| hello(h, |h| _ = h.u32(LEN).map(|a| v.v4(a)))),
            "The mask of the network.",
        ),
        number(
            "ospf.hello.hello_interval",
            In(|h, v| hello(h, |h| _ = h.u16(LEN + 4).map(|n| v.number(n)))),
            "Seconds between hellos.",
        ),
        number(
            "ospf.hello.router_priority",
            In(|h, v| hello(h, |h| _ = h.u8(LEN + 7).map(|n| v.number(n)))),
            "The priority of the sender.",
        ),
        number(
            "ospf.hello.router_dead_interval",
            In(|h, v| hello(h, |h| _ = h.u32(LEN + 8).map(|n| v.number(n)))),
            "Seconds until a router counts as gone.",
        ),
        address(
            "ospf.hello.designated_router",
            In(|h, v| hello(h, |h| _ = h.u32(LEN + 12).map(|a| v.v4(a)))),
            "The designated router.",
        ),
        address(
            "ospf.hello.backup_designated_router",
            In(|h, v| hello(h, |h| _ = h.u32(LEN + 16).map(|a| v.v4(a)))),
            "The router that stands in for it.",
        ),
        address(
            "ospf.hello.active_neighbor",
            In(|h, v| hello(h, |h| neighbors(h, v))),
            "Routers seen.",
        ),
    ],
};

/// What is done for a hello packet of version 2.
fn hello(header: &Header<'_>, mut then: impl FnMut(&Header<'_>)) {
    if (header.u8(0), header.u8(1)) == (Some(2), Some(HELLO)) {
        then(header);
    }
}

fn neighbors(header: &Header<'_>, values: &mut Values) {
    let end = usize::from(header.u16(2).unwrap_or(0)).min(header.bytes.len());
    let mut at = LEN + 20;
    while at + 4 <= end {
        header
            .u32(at)
            .into_iter()
            .for_each(|address| values.v4(address));
        at += 4;
    }
}
