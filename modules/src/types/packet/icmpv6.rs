//! ICMPv6 (RFC 4443) with neighbour discovery (RFC 4861) and multicast listeners (RFC 3810).

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::transport;
use super::values::Get::{Header as In, U8, U16};
use super::values::{Values, address, flag, mac, number};

const NUMBER: u8 = 58;
const ERRORS: [u8; 4] = [1, 2, 3, 4];
const ECHO: [u8; 2] = [128, 129];
const ROUTER_SOLICITATION: u8 = 133;
const ROUTER_ADVERTISEMENT: u8 = 134;
const NEIGHBOR_SOLICITATION: u8 = 135;
const NEIGHBOR_ADVERTISEMENT: u8 = 136;
const REDIRECT: u8 = 137;
const PREFIX: u8 = 3;
/// The option of a route (RFC 4191), whose prefix has as many bytes as are needed.
const ROUTE: u8 = 24;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "icmpv6",
    source: "RFC 4443",
    found: &[By::Ip(NUMBER)],
    carries: Some(carries),
    fields: &[
        number(
            "icmpv6.type",
            U8(0),
            "What a message is: 128 asks for an echo, 135 for a neighbour.",
        ),
        number("icmpv6.code", U8(1), "More on the type of a message."),
        number("icmpv6.checksum", U16(2), "Checksum."),
        flag(
            "icmpv6.checksum.ok",
            In(|h, v| transport::checksum_ok(h, v, NUMBER)),
            "Whether the checksum is right; absent where the message was not captured whole.",
        ),
        number(
            "icmpv6.mtu",
            In(|h, v| h.of(&[2], |h| _ = h.u32(4).map(|n| v.number(n)))),
            "The longest packet that passes.",
        ),
        number(
            "icmpv6.pointer",
            In(|h, v| h.of(&[4], |h| _ = h.u32(4).map(|n| v.number(n)))),
            "Where the fault is.",
        ),
        number(
            "icmpv6.echo.identifier",
            In(|h, v| h.of(&ECHO, |h| _ = h.u16(4).map(|n| v.number(n)))),
            "The number of who asks.",
        ),
        number(
            "icmpv6.echo.sequence_number",
            In(|h, v| h.of(&ECHO, |h| _ = h.u16(6).map(|n| v.number(n)))),
            "The number of the question.",
        ),
        number(
            "icmpv6.nd.ra.cur_hop_limit",
            In(|h, v| {
                h.of(&[ROUTER_ADVERTISEMENT], |h| {
                    _ = h.u8(4).map(|n| v.number(n))
                })
            }),
            "The hop limit to use.",
        )
        .from("RFC 4861"),
        number(
            "icmpv6.nd.ra.flag",
            In(|h, v| {
                h.of(&[ROUTER_ADVERTISEMENT], |h| {
                    _ = h.u8(5).map(|n| v.number(n))
                })
            }),
            "Flags of a router.",
        )
        .from("RFC 4861"),
        flag(
            "icmpv6.nd.ra.flag.m",
            In(|h, v| {
                h.of(&[ROUTER_ADVERTISEMENT], |h| {
                    _ = h.u8(5).map(|n| v.number(n & 0x80))
                })
            }),
            "Addresses are to be asked for.",
        )
        .from("RFC 4861"),
        flag(
            "icmpv6.nd.ra.flag.o",
            In(|h, v| {
                h.of(&[ROUTER_ADVERTISEMENT], |h| {
                    _ = h.u8(5).map(|n| v.number(n & 0x40))
                })
            }),
            "Other settings are to be asked for.",
        )
        .from("RFC 4861"),
        number(
            "icmpv6.nd.ra.router_lifetime",
            In(|h, v| {
                h.of(&[ROUTER_ADVERTISEMENT], |h| {
                    _ = h.u16(6).map(|n| v.number(n))
                })
            }),
            "Seconds that a router is to be used.",
        )
        .from("RFC 4861"),
        number(
            "icmpv6.nd.ra.reachable_time",
            In(|h, v| {
                h.of(&[ROUTER_ADVERTISEMENT], |h| {
                    _ = h.u32(8).map(|n| v.number(n))
                })
            }),
            "Milliseconds that a neighbour counts as there.",
        )
        .from("RFC 4861"),
        number(
            "icmpv6.nd.ra.retrans_timer",
            In(|h, v| {
                h.of(&[ROUTER_ADVERTISEMENT], |h| {
                    _ = h.u32(12).map(|n| v.number(n))
                })
            }),
            "Milliseconds between questions.",
        )
        .from("RFC 4861"),
        address(
            "icmpv6.nd.ns.target_address",
            In(|h, v| target(h, v, NEIGHBOR_SOLICITATION)),
            "Who is asked for.",
        )
        .from("RFC 4861"),
        flag(
            "icmpv6.nd.na.flag.r",
            In(|h, v| {
                h.of(&[NEIGHBOR_ADVERTISEMENT], |h| {
                    _ = h.u8(4).map(|n| v.number(n & 0x80))
                })
            }),
            "Who answers is a router.",
        )
        .from("RFC 4861"),
        flag(
            "icmpv6.nd.na.flag.s",
            In(|h, v| {
                h.of(&[NEIGHBOR_ADVERTISEMENT], |h| {
                    _ = h.u8(4).map(|n| v.number(n & 0x40))
                })
            }),
            "It was asked for.",
        )
        .from("RFC 4861"),
        flag(
            "icmpv6.nd.na.flag.o",
            In(|h, v| {
                h.of(&[NEIGHBOR_ADVERTISEMENT], |h| {
                    _ = h.u8(4).map(|n| v.number(n & 0x20))
                })
            }),
            "It stands for what was known before.",
        )
        .from("RFC 4861"),
        address(
            "icmpv6.nd.na.target_address",
            In(|h, v| target(h, v, NEIGHBOR_ADVERTISEMENT)),
            "Who is there.",
        )
        .from("RFC 4861"),
        address(
            "icmpv6.nd.rd.target_address",
            In(|h, v| target(h, v, REDIRECT)),
            "The router to take.",
        )
        .from("RFC 4861"),
        address(
            "icmpv6.rd.na.destination_address",
            In(|h, v| {
                h.of(&[REDIRECT], |h| {
                    _ = h.array(24).map(|a| v.v6(u128::from_be_bytes(a)))
                })
            }),
            "What it is to be taken for.",
        )
        .from("RFC 4861"),
        number(
            "icmpv6.opt.type",
            In(|h, v| options(h, |h, at, _| _ = h.u8(at).map(|n| v.number(n)))),
            "What options are.",
        )
        .from("RFC 4861"),
        number(
            "icmpv6.opt.length",
            In(|h, v| options(h, |h, at, _| _ = h.u8(at + 1).map(|n| v.number(n)))),
            "Units of eight bytes of options.",
        )
        .from("RFC 4861"),
        mac(
            "icmpv6.opt.linkaddr",
            In(|h, v| options(h, |h, at, length| link(h, v, at, length))),
            "Hardware addresses.",
        )
        .from("RFC 4861"),
        number(
            "icmpv6.opt.prefix.length",
            In(|h, v| {
                options(h, |h, at, _| {
                    if matches!(h.u8(at), Some(PREFIX | ROUTE)) {
                        _ = h.u8(at + 2).map(|n| v.number(n))
                    }
                })
            }),
            "Bits that addresses of a network share.",
        )
        .from("RFC 4861"),
        number(
            "icmpv6.opt.prefix.valid_lifetime",
            In(|h, v| prefixes(h, |h, at| _ = h.u32(at + 4).map(|n| v.number(n)))),
            "Seconds that a network's addresses hold.",
        )
        .from("RFC 4861"),
        number(
            "icmpv6.opt.prefix.preferred_lifetime",
            In(|h, v| prefixes(h, |h, at| _ = h.u32(at + 8).map(|n| v.number(n)))),
            "Seconds that a network's addresses are preferred.",
        )
        .from("RFC 4861"),
        address(
            "icmpv6.opt.prefix",
            In(|h, v| options(h, |h, at, length| prefix(h, v, at, length))),
            "The addresses of a network.",
        )
        .from("RFC 4861"),
    ],
};

fn target(header: &Header<'_>, values: &mut Values, kind: u8) {
    header.of(&[kind], |header| {
        header
            .array(8)
            .into_iter()
            .for_each(|bytes| values.v6(u128::from_be_bytes(bytes)));
    });
}

/// The options of neighbour discovery: where each begins, and its bytes.
fn options(header: &Header<'_>, mut each: impl FnMut(&Header<'_>, usize, usize)) {
    let mut at = match header.u8(0) {
        Some(ROUTER_SOLICITATION) => 8,
        Some(ROUTER_ADVERTISEMENT) => 16,
        Some(NEIGHBOR_SOLICITATION | NEIGHBOR_ADVERTISEMENT) => 24,
        Some(REDIRECT) => 40,
        _ => return,
    };
    while let Some(units) = header.u8(at + 1) {
        let length = usize::from(units) * 8;
        each(header, at, length);
        if length == 0 {
            return;
        }
        at += length;
    }
}

fn prefixes(header: &Header<'_>, mut each: impl FnMut(&Header<'_>, usize)) {
    options(header, |header, at, length| {
        if header.u8(at) == Some(PREFIX) && length == 32 {
            each(header, at);
        }
    });
}

/// The prefix of a network or of a route.
fn prefix(header: &Header<'_>, values: &mut Values, at: usize, length: usize) {
    let (from, len) = match header.u8(at) {
        Some(PREFIX) if length == 32 => (16, 16),
        Some(ROUTE) => (8, length.saturating_sub(8).min(16)),
        _ => return,
    };
    let start = at + from;
    if let Some(bytes) = header.bytes.get(start..start + len) {
        let mut prefix = [0; 16];
        prefix[..len].copy_from_slice(bytes);
        values.v6(u128::from_be_bytes(prefix));
    }
}

fn link(header: &Header<'_>, values: &mut Values, at: usize, length: usize) {
    if matches!(header.u8(at), Some(1 | 2)) && length == 8 {
        header
            .mac(at + 2)
            .into_iter()
            .for_each(|mac| values.mac(mac));
    }
}

fn carries(header: &Header<'_>) -> Next {
    match header.u8(0) {
        Some(kind) if ERRORS.contains(&kind) => {
            Next::behind(8, By::Ethertype(super::ipv6::ETHERTYPE)).quoting()
        }
        _ => Next::last(8),
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::{field, in_ethernet};

    #[test]
    fn reads_a_solicitation() {
        let mut message = vec![135, 0, 0, 0, 0, 0, 0, 0];
        message.extend([0xfd; 16]);
        message.extend([1, 1, 0, 0, 0x5e, 0, 0x53, 1]);
        let mut packet = vec![0x60, 0, 0, 0, 0, message.len() as u8, 58, 255];
        packet.extend([0xfe; 32]);
        packet.extend(message);
        let bytes = in_ethernet(0x86dd, &packet);
        let target = "fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd";
        assert_eq!(field(&bytes, "icmpv6.type").as_deref(), Some("135"));
        assert_eq!(
            field(&bytes, "icmpv6.nd.ns.target_address").as_deref(),
            Some(target)
        );
        assert_eq!(
            field(&bytes, "icmpv6.opt.linkaddr").as_deref(),
            Some("00:00:5e:00:53:01")
        );
        assert_eq!(
            field(&bytes, "icmpv6.checksum.ok").as_deref(),
            Some("false")
        );
    }
}
