//! OSPF (RFC 2328, RFC 5340): the header, and hello packets.

use super::header::Header;
use super::layers::{By, Protocol};
use super::values::Get::{Header as In, U8, U16, V4};
use super::values::{Values, address, number};

const LEN_2: usize = 24;
const LEN_3: usize = 16;
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
            In(|h, v| {
                if place(h).is_some_and(|hello| hello.version == 2) {
                    _ = h.u32(LEN_2).map(|a| v.v4(a))
                }
            }),
            "The mask of the network, in version 2.",
        ),
        number(
            "ospf.hello.interface_id",
            In(|h, v| {
                if place(h).is_some_and(|hello| hello.version == 3) {
                    _ = h.u32(LEN_3).map(|n| v.number(n))
                }
            }),
            "The number of the interface, in version 3.",
        )
        .from("RFC 5340"),
        number(
            "ospf.hello.hello_interval",
            In(|h, v| hello(h, |h, at| _ = h.u16(at.interval).map(|n| v.number(n)))),
            "Seconds between hellos.",
        ),
        number(
            "ospf.hello.router_priority",
            In(|h, v| hello(h, |h, at| _ = h.u8(at.priority).map(|n| v.number(n)))),
            "The priority of the sender.",
        ),
        number(
            "ospf.hello.router_dead_interval",
            In(dead_interval),
            "Seconds until a router counts as gone.",
        ),
        address(
            "ospf.hello.designated_router",
            In(|h, v| hello(h, |h, at| _ = h.u32(at.routers).map(|a| v.v4(a)))),
            "The designated router.",
        ),
        address(
            "ospf.hello.backup_designated_router",
            In(|h, v| hello(h, |h, at| _ = h.u32(at.routers + 4).map(|a| v.v4(a)))),
            "The router that stands in for it.",
        ),
        address("ospf.hello.active_neighbor", In(neighbors), "Routers seen."),
    ],
};

/// Where the parts of a hello packet are.
struct Hello {
    version: u8,
    interval: usize,
    priority: usize,
    dead: usize,
    routers: usize,
}

fn place(header: &Header<'_>) -> Option<Hello> {
    match (header.u8(0)?, header.u8(1)?) {
        (2, HELLO) => Some(Hello {
            version: 2,
            interval: LEN_2 + 4,
            priority: LEN_2 + 7,
            dead: LEN_2 + 8,
            routers: LEN_2 + 12,
        }),
        (3, HELLO) => Some(Hello {
            version: 3,
            interval: LEN_3 + 8,
            priority: LEN_3 + 4,
            dead: LEN_3 + 10,
            routers: LEN_3 + 12,
        }),
        _ => None,
    }
}

/// What is done for a hello packet.
fn hello(header: &Header<'_>, mut then: impl FnMut(&Header<'_>, &Hello)) {
    if let Some(place) = place(header) {
        then(header, &place);
    }
}

fn dead_interval(header: &Header<'_>, values: &mut Values) {
    hello(header, |header, at| {
        let seconds = match at.version {
            2 => header.u32(at.dead),
            _ => header.u16(at.dead).map(u32::from),
        };
        seconds
            .into_iter()
            .for_each(|seconds| values.number(seconds));
    });
}

fn neighbors(header: &Header<'_>, values: &mut Values) {
    hello(header, |header, hello| {
        let end = usize::from(header.u16(2).unwrap_or(0)).min(header.bytes.len());
        let mut at = hello.routers + 8;
        while at + 4 <= end {
            header
                .u32(at)
                .into_iter()
                .for_each(|address| values.v4(address));
            at += 4;
        }
    });
}
