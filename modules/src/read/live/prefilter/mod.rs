//! What queries imply of the packets they take, as a filter of pcap-filter(7) that the kernel runs.
//!
//! The filter passes at least what the test does. Frames are told apart by what they plainly are:
//! ARP, or IPv4 or IPv6 with a whole TCP or UDP header, a portless one, or something else behind it.
//! For each of these the test is turned into conditions on bytes (McCanne, Jacobson, "The BSD packet
//! filter", 1993) as far as it can be, between those under which it is true and those under which it
//! may be (Kleene). What is not plain passes: tags, other types, fragments, extension headers and
//! lengths that are odd, where ports are asked for; tunnels, where lists of all headers are.

mod class;
mod formula;
#[cfg(test)]
mod tests;

use crate::types::packet::Packet;
use class::{Class, HEADER, ICMPV6, Network, TCP, Transport, UDP};
use formula::{Bounds, Formula};
use wireq_engine::matching::Values;
use wireq_engine::plan::expr::Expr;
use wireq_typesys::{CompareOp, FieldPath, Kind, RecordType};

/// Of a packet the kernel sees all; a query sees so much at least of what a filter looks at.
pub(super) const SNAPLEN_MIN: u32 = 128;
/// Longer filters than these are none.
const TEXT_MAX: usize = 16 * 1024;
/// Tests with more parts than these make no filter.
const PARTS_MAX: usize = 256;

/// The bytes of the shortest header of IP.
const IPV4_MIN: u32 = 20;

const ETHERNET: u16 = 1;
const RAW: u16 = 101;
const LINUX_SLL: u16 = 113;
const LINUX_SLL2: u16 = 276;

/// A filter for frames of a link type (a LINKTYPE number) that passes all packets for which the test
/// is known and true. None where that is every packet, or nothing is known of the link type.
pub fn filter(test: &Expr, link_type: u16) -> Option<String> {
    let link = match link_type {
        ETHERNET => 14,
        RAW => 0,
        LINUX_SLL => 16,
        LINUX_SLL2 => 20,
        _ => return None,
    };
    let mut parts = 0;
    count(test, &mut parts);
    if parts > PARTS_MAX {
        return None;
    }
    let frames = Frames {
        test,
        link,
        lengths: (link_type == ETHERNET).then_some(link),
    };
    let text = match frames.all() {
        Formula::True => return None,
        formula => formula.to_string(),
    };
    (text.len() <= TEXT_MAX).then_some(text)
}

fn count(test: &Expr, parts: &mut usize) {
    *parts += 1;
    match test {
        Expr::And(all) | Expr::Or(all) => all.iter().for_each(|part| count(part, parts)),
        Expr::Not(inner) | Expr::Holds(inner) => count(inner, parts),
        _ => {}
    }
}

/// The frames of a link type.
struct Frames<'a> {
    test: &'a Expr,
    /// Bytes before the network header.
    link: u32,
    lengths: Option<u32>,
}

impl Frames<'_> {
    fn all(&self) -> Formula {
        let (arp, v4, v6) = (self.arp(), self.v4(), self.v6());
        // A part that passes all needs no condition, and where all do there is no filter.
        if [&arp, &v4, &v6].iter().all(|part| **part == Formula::True) {
            return Formula::True;
        }
        let of = |name: &str, part: Formula| Formula::and([Formula::text(name), part]);
        let others = ["ip", "ip6", "arp"].map(|name| Formula::text(name).not());
        // Before anything is looked for that such frames have no bytes for.
        let short = Formula::text(format!("len < {}", self.link + IPV4_MIN));
        Formula::or([
            short,
            Formula::and(others),
            of("arp", arp),
            of("ip", v4),
            of("ip6", v6),
        ])
    }

    fn arp(&self) -> Formula {
        self.of(Network::Arp, Transport::Portless(None))
    }

    fn v4(&self) -> Formula {
        let link = self.link;
        let odd = Formula::or([
            Formula::text("ip[0] & 0xf0 != 0x40"),
            Formula::text("ip[0] & 15 < 5"),
        ]);
        let cut = |need: u32| {
            let mut odd = vec![
                Formula::text("ip[6:2] & 0x1fff != 0"),
                Formula::text(format!("ip[2:2] < {HEADER} + {need}")),
                Formula::text(format!("len < {HEADER} + {}", link + need)),
            ];
            if need > 8 {
                odd.push(Formula::text(format!("ip[{HEADER} + 12] & 0xf0 < 0x50")));
            }
            Formula::or(odd)
        };
        self.by_protocol(Network::V4, odd, "ip[9]", &cut, &[])
    }

    fn v6(&self) -> Formula {
        let link = self.link;
        let odd = Formula::or([
            Formula::text(format!("len < {}", link + 40)),
            Formula::text("ip6[0] & 0xf0 != 0x60"),
        ]);
        let cut = |need: u32| {
            let mut odd = vec![
                Formula::text(format!("ip6[4:2] < {need}")),
                Formula::text(format!("len < {}", link + 40 + need)),
            ];
            if need > 8 {
                odd.push(Formula::text("ip6[52] & 0xf0 < 0x50"));
            }
            Formula::or(odd)
        };
        self.by_protocol(Network::V6, odd, "ip6[6]", &cut, &[ICMPV6])
    }

    /// What passes of an IP version: what is odd, and for each protocol behind it what the test may
    /// be true of. `cut` says when so many bytes of a transport header are not all there.
    fn by_protocol(
        &self,
        network: Network,
        odd: Formula,
        number: &str,
        cut: &dyn Fn(u32) -> Formula,
        portless: &[u8],
    ) -> Formula {
        let is = |protocol: u8| Formula::text(format!("{number} = {protocol}"));
        let mut parts = Vec::new();
        for (protocol, need) in [(TCP, 20), (UDP, 8)] {
            let whole = self.of(network, Transport::Whole(protocol));
            let odd = self.of(network, Transport::Odd(protocol));
            parts.push((
                is(protocol),
                match whole == odd {
                    true => whole,
                    // Odd ones first: what they lack is then not looked for.
                    false => Formula::or([Formula::and([cut(need), odd]), whole]),
                },
            ));
        }
        for protocol in portless {
            let part = self.of(network, Transport::Portless(Some(*protocol)));
            parts.push((is(*protocol), part));
        }
        let others = parts.iter().map(|(is, _)| is.clone().not());
        let others = Formula::and(others.collect::<Vec<_>>());
        let rest = match network {
            Network::V6 => Transport::Unknown,
            Network::V4 | Network::Arp => Transport::Portless(None),
        };
        parts.push((others, self.of(network, rest)));
        if parts.iter().all(|(_, part)| *part == Formula::True) {
            return Formula::True;
        }
        let parts = parts.into_iter();
        let parts = parts.map(|(is, part)| Formula::and([is, part]));
        Formula::or([odd].into_iter().chain(parts))
    }

    /// When the test may be true of frames of a class.
    fn of(&self, network: Network, transport: Transport) -> Formula {
        let class = Class {
            link: self.lengths,
            network,
            transport,
        };
        bounds(self.test, &class).may_be_true
    }
}

fn bounds(test: &Expr, class: &Class) -> Bounds {
    let each =
        |parts: &[Expr]| -> Vec<Bounds> { parts.iter().map(|part| bounds(part, class)).collect() };
    match test {
        Expr::Bool(value, _) => Bounds::exact(Formula::of(*value)),
        Expr::And(parts) => Bounds::all(&each(parts)),
        Expr::Or(parts) => Bounds::any(&each(parts)),
        Expr::Not(inner) => bounds(inner, class).not(),
        Expr::Holds(inner) => bounds(inner, class).holds(),
        Expr::Compare(op, left, right) => {
            let op = match (&**left, &**right) {
                (Expr::Field(..), Expr::Literal(..)) => *op,
                (Expr::Literal(..), Expr::Field(..)) => op.mirrored(),
                _ => return Bounds::anything(),
            };
            leaf(test, Some(op), class)
        }
        Expr::Field(..) | Expr::Exists(..) | Expr::IsAbsent(_) => leaf(test, None, class),
        _ => Bounds::anything(),
    }
}

/// A test of one field.
fn leaf(test: &Expr, op: Option<CompareOp>, class: &Class) -> Bounds {
    match Values::of(test, &kind) {
        Some((field, values)) => class.test(field.as_str(), op, &values),
        None => Bounds::anything(),
    }
}

/// What a field holds; of a list, what is in it.
fn kind(field: &FieldPath) -> Kind {
    match field.as_str() {
        "ip.src" | "ip.dst" | "ip.addr" | "ipv6.src" | "ipv6.dst" | "ipv6.addr" => Kind::Address,
        "tcp.srcport" | "tcp.dstport" | "tcp.port" => Kind::Unsigned,
        "udp.srcport" | "udp.dstport" | "udp.port" => Kind::Unsigned,
        name => match Packet.resolve(name) {
            Some((_, kind)) => kind,
            None => Kind::Dynamic,
        },
    }
}
