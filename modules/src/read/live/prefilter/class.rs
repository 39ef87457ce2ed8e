//! Kinds of frames of which it is known what a filter sees, and the fields of these.

use super::formula::{Bounds, Formula};
use wireq_engine::matching::Values;
use wireq_typesys::CompareOp;

/// What a frame is, where it is plain. What is anything else passes.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Class {
    /// Bytes before the network header; none where lengths are not those that queries see.
    pub(super) link: Option<u32>,
    pub(super) network: Network,
    pub(super) transport: Transport,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Network {
    Arp,
    V4,
    V6,
}

/// What stands behind the IP header.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Transport {
    /// A header that is all there.
    Whole(u8),
    /// What the IP header says, but perhaps no header: a fragment, or one that was cut.
    Odd(u8),
    /// Nothing that has ports; the number is told where it is one.
    Portless(Option<u8>),
    /// Extension headers.
    Unknown,
}

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const ICMPV6: u8 = 58;

/// The bytes of an IPv4 header.
pub(super) const HEADER: &str = "((ip[0] & 15) << 2)";

/// More ranges than these make no filter.
const RANGES_MAX: usize = 32;

/// What a class has of a field.
enum Has {
    /// Numbers of so many bits that a filter can load; any of them.
    Numbers(Vec<String>, u32),
    /// This number.
    Number(u8),
    /// The length on the wire.
    Length,
    /// An IPv6 address at this byte of the header; any of them.
    V6(Vec<u32>),
    /// Nothing.
    Nothing,
    /// What a filter can't tell.
    Unknown,
}

impl Class {
    /// What is known of a test whether values of a field are among some. `op` is none for a test of
    /// whether the field is there.
    pub(super) fn test(&self, field: &str, op: Option<CompareOp>, values: &Values) -> Bounds {
        let has = self.has(field);
        let Some(op) = op else {
            return match has {
                Has::Unknown => Bounds::anything(),
                Has::Nothing => Bounds::exact(Formula::of(values.with_absence())),
                _ => Bounds::exact(Formula::of(!values.with_absence())),
            };
        };
        let several = match &has {
            Has::Numbers(loads, _) => loads.len() > 1,
            Has::V6(places) => places.len() > 1,
            _ => false,
        };
        // Of several values one has to be unequal or all: that is for the query to say.
        if several && op == CompareOp::NotEqual {
            return Bounds::anything();
        }
        match has {
            Has::Unknown => Bounds::anything(),
            Has::Nothing => Bounds::unknown(),
            Has::Number(number) => {
                let number = i128::from(number);
                let mut ranges = values.integers().into_iter();
                let is_in = ranges.any(|(low, high)| (low..=high).contains(&number));
                Bounds::exact(Formula::of(is_in))
            }
            Has::Numbers(loads, bits) => {
                let ranges = match field_is_address(field) {
                    true => of_v4(values),
                    false => values.integers(),
                };
                any(loads.iter().map(|load| among(load, bits, &ranges)))
            }
            Has::V6(places) => any(places.iter().map(|place| v6_among(*place, values))),
            Has::Length => match among("len", 32, &values.integers()) {
                // A tag that the kernel took off is counted by queries, and not by filters.
                Some(short) => {
                    let earlier =
                        |(low, high): (i128, i128)| (low.saturating_sub(4), high.saturating_sub(4));
                    let ranges: Vec<_> = values.integers().into_iter().map(earlier).collect();
                    let tagged = among("len", 32, &ranges).unwrap_or(Formula::True);
                    Bounds::between(
                        Formula::and([short.clone(), tagged.clone()]),
                        Formula::or([short, tagged]),
                    )
                }
                None => Bounds::anything(),
            },
        }
    }

    fn has(&self, field: &str) -> Has {
        match field {
            "len" | "frame.len" => match self.link {
                Some(_) => Has::Length,
                None => Has::Unknown,
            },
            "srcip" => self.address(&[(12, 8)]),
            "dstip" => self.address(&[(16, 24)]),
            "ttl" => self.network_number(8, 7),
            "ipprotocol" => self.protocol(),
            "srcport" => self.ports(&[0]),
            "dstport" => self.ports(&[2]),
            "tcpflags" => match self.transport {
                Transport::Whole(TCP) => {
                    Has::Numbers(vec![format!("({} & 0xfff)", self.load(12, 2))], 16)
                }
                transport => transport.if_not(TCP),
            },
            // Lists of the values in all headers: a segment of TCP has no other headers in it.
            "ip.src" => self.of_version(Network::V4, &[(12, 8)]),
            "ip.dst" => self.of_version(Network::V4, &[(16, 24)]),
            "ip.addr" => self.of_version(Network::V4, &[(12, 8), (16, 24)]),
            "ipv6.src" => self.of_version(Network::V6, &[(12, 8)]),
            "ipv6.dst" => self.of_version(Network::V6, &[(16, 24)]),
            "ipv6.addr" => self.of_version(Network::V6, &[(12, 8), (16, 24)]),
            "tcp.srcport" => self.of_tcp(&[0]),
            "tcp.dstport" => self.of_tcp(&[2]),
            "tcp.port" => self.of_tcp(&[0, 2]),
            "udp.srcport" | "udp.dstport" | "udp.port" => match self.is_segment() {
                true => Has::Nothing,
                false => Has::Unknown,
            },
            _ => Has::Unknown,
        }
    }

    fn is_segment(&self) -> bool {
        self.transport == Transport::Whole(TCP)
    }

    /// Addresses at these bytes of an IPv4 header or of an IPv6 header.
    fn address(&self, places: &[(u32, u32)]) -> Has {
        match self.network {
            Network::Arp => Has::Nothing,
            Network::V4 => {
                let load = |(at, _): &(u32, u32)| format!("ip[{at}:4]");
                Has::Numbers(places.iter().map(load).collect(), 32)
            }
            Network::V6 => Has::V6(places.iter().map(|(_, at)| *at).collect()),
        }
    }

    fn of_version(&self, network: Network, places: &[(u32, u32)]) -> Has {
        match self.is_segment() {
            true if self.network == network => self.address(places),
            true => Has::Nothing,
            false => Has::Unknown,
        }
    }

    fn network_number(&self, v4: u32, v6: u32) -> Has {
        match self.network {
            Network::Arp => Has::Nothing,
            Network::V4 => Has::Numbers(vec![format!("ip[{v4}]")], 8),
            Network::V6 => Has::Numbers(vec![format!("ip6[{v6}]")], 8),
        }
    }

    fn protocol(&self) -> Has {
        match (self.network, self.transport) {
            (Network::Arp, _) => Has::Nothing,
            (_, Transport::Whole(number) | Transport::Odd(number)) => Has::Number(number),
            (_, Transport::Portless(Some(number))) => Has::Number(number),
            (Network::V4, _) => self.network_number(9, 6),
            (Network::V6, _) => Has::Unknown,
        }
    }

    fn ports(&self, places: &[u32]) -> Has {
        match self.transport {
            Transport::Whole(_) => {
                let load = |at: &u32| self.load(*at, 2);
                Has::Numbers(places.iter().map(load).collect(), 16)
            }
            Transport::Portless(_) => Has::Nothing,
            Transport::Odd(_) | Transport::Unknown => Has::Unknown,
        }
    }

    fn of_tcp(&self, places: &[u32]) -> Has {
        match self.is_segment() {
            true => self.ports(places),
            false => Has::Unknown,
        }
    }

    /// Bytes of the transport header.
    fn load(&self, at: u32, len: u32) -> String {
        match self.network {
            Network::V6 => format!("ip6[{}:{len}]", 40 + at),
            _ => format!("ip[{HEADER} + {at}:{len}]"),
        }
    }
}

impl Transport {
    /// What there is of a field of another protocol's header.
    fn if_not(self, protocol: u8) -> Has {
        match self {
            Transport::Whole(other) if other != protocol => Has::Nothing,
            Transport::Odd(other) if other != protocol => Has::Nothing,
            Transport::Portless(_) => Has::Nothing,
            _ => Has::Unknown,
        }
    }
}

fn field_is_address(field: &str) -> bool {
    matches!(field, "srcip" | "dstip") || field.starts_with("ip.")
}

fn of_v4(values: &Values) -> Vec<(i128, i128)> {
    let ranges = values.addresses(false).into_iter();
    ranges
        .map(|(low, high)| (low as i128, high as i128))
        .collect()
}

/// Whether any of the values is among those asked for; not told where one isn't.
fn any(each: impl Iterator<Item = Option<Formula>>) -> Bounds {
    let all: Option<Vec<Formula>> = each.collect();
    all.map_or_else(Bounds::anything, |all| Bounds::exact(Formula::or(all)))
}

/// Whether a number of so many bits is in one of some ranges.
fn among(load: &str, bits: u32, ranges: &[(i128, i128)]) -> Option<Formula> {
    if ranges.len() > RANGES_MAX {
        return None;
    }
    let last = (1i128 << bits) - 1;
    let within = ranges
        .iter()
        .filter(|(low, high)| *low <= last && *high >= 0);
    let parts = within.map(|(low, high)| match ((*low).max(0), (*high).min(last)) {
        (low, high) if low == high => Formula::text(format!("{load} = {low}")),
        (0, high) if high == last => Formula::True,
        (0, high) => Formula::text(format!("{load} <= {high}")),
        (low, high) if high == last => Formula::text(format!("{load} >= {low}")),
        (low, high) => Formula::and([
            Formula::text(format!("{load} >= {low}")),
            Formula::text(format!("{load} <= {high}")),
        ]),
    });
    Some(Formula::or(parts))
}

/// Whether an IPv6 address is among some: prefixes, or all but prefixes.
fn v6_among(place: u32, values: &Values) -> Option<Formula> {
    let ranges = values.addresses(true);
    let prefixes = |ranges: &[(u128, u128)]| {
        let parts: Option<Vec<Formula>> = ranges
            .iter()
            .map(|(low, high)| prefix(place, *low, *high))
            .collect();
        parts
            .filter(|_| ranges.len() <= RANGES_MAX)
            .map(Formula::or)
    };
    prefixes(&ranges).or_else(|| prefixes(&gaps(&ranges)).map(Formula::not))
}

/// What is between ranges.
fn gaps(ranges: &[(u128, u128)]) -> Vec<(u128, u128)> {
    let mut gaps = Vec::new();
    let mut from = Some(0);
    for (low, high) in ranges {
        if let (Some(start), Some(end)) = (from, low.checked_sub(1)) {
            gaps.extend((start <= end).then_some((start, end)));
        }
        from = high.checked_add(1);
    }
    gaps.extend(from.map(|start| (start, u128::MAX)));
    gaps
}

/// Whether an address begins as all of a range do; none where the range is no prefix.
fn prefix(place: u32, low: u128, high: u128) -> Option<Formula> {
    let free = low ^ high;
    if free & free.wrapping_add(1) != 0 || low & free != 0 {
        return None;
    }
    let words = (0..4).map(|word| {
        let cut = |bits: u128| (bits >> (96 - 32 * word)) as u32;
        let (value, mask) = (cut(low), !cut(free));
        let at = place + 4 * word;
        match mask {
            0 => Formula::True,
            u32::MAX => Formula::text(format!("ip6[{at}:4] = {value:#x}")),
            _ => Formula::text(format!("ip6[{at}:4] & {mask:#x} = {value:#x}")),
        }
    });
    Some(Formula::and(words))
}
