//! Groups and flows by the 5-tuple.

use super::{Traffic, ports_key};
use hashbrown::HashMap;
use std::cmp::Reverse;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use wireq_bench::capture::{Capture, End, Error};
use wireq_bench::decode::{Addresses, Network, network};

/// How many groups with most bytes are printed.
const TOP: usize = 10;

/// Both addresses in network order, then ports and protocol.
type V4 = ([u8; 8], u64);
type V6 = ([u8; 32], u64);

/// What is kept of each 5-tuple, in a table for each version of IP.
#[derive(Default)]
struct Tuples<State> {
    v4: HashMap<V4, State>,
    v6: HashMap<V6, State>,
}

impl<State> Tuples<State> {
    #[inline(always)] // a call would move the packet through memory
    fn entry(&mut self, packet: &Network<'_>, make: impl FnOnce() -> State) -> &mut State {
        let rest = u64::from(packet.protocol) << 56 | ports_key(packet);
        match packet.addresses {
            Addresses::V4(source, destination) => {
                let mut addresses = [0; 8];
                addresses[..4].copy_from_slice(source);
                addresses[4..].copy_from_slice(destination);
                self.v4.entry((addresses, rest)).or_insert_with(make)
            }
            Addresses::V6(source, destination) => {
                let mut addresses = [0; 32];
                addresses[..16].copy_from_slice(source);
                addresses[16..].copy_from_slice(destination);
                self.v6.entry((addresses, rest)).or_insert_with(make)
            }
        }
    }

    fn values(&self) -> impl Iterator<Item = &State> {
        self.v4.values().chain(self.v6.values())
    }
}

/// A 5-tuple in the order in which wireq sorts groups.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Tuple {
    source: IpAddr,
    source_port: Option<u16>,
    destination: IpAddr,
    destination_port: Option<u16>,
    protocol: u8,
}

impl Tuple {
    fn new(source: IpAddr, destination: IpAddr, rest: u64) -> Self {
        // As ports_key puts it together: bit 16 of a half says that there is a port.
        let port = |half: u64| (half & 0x1_0000 != 0).then_some(half as u16);
        Self {
            source,
            source_port: port(rest >> 32),
            destination,
            destination_port: port(rest),
            protocol: (rest >> 56) as u8,
        }
    }

    fn of_v4((addresses, rest): &V4) -> Self {
        let [a, b, c, d, e, f, g, h] = *addresses;
        Self::new(
            Ipv4Addr::new(a, b, c, d).into(),
            Ipv4Addr::new(e, f, g, h).into(),
            *rest,
        )
    }

    fn of_v6((addresses, rest): &V6) -> Self {
        let (halves, _) = addresses.as_chunks::<16>();
        Self::new(
            Ipv6Addr::from(halves[0]).into(),
            Ipv6Addr::from(halves[1]).into(),
            *rest,
        )
    }
}

/// The groups with most bytes so far, the first one first; equals in the order of their tuples.
#[derive(Default)]
struct Top(Vec<(Reverse<u64>, Tuple, u64)>);

impl Top {
    fn offer(&mut self, traffic: &Traffic, tuple: impl FnOnce() -> Tuple) {
        let is_full = self.0.len() == TOP;
        // Most groups have too few bytes, and need no tuple made.
        if is_full && self.0[TOP - 1].0 < Reverse(traffic.bytes) {
            return;
        }
        let group = (Reverse(traffic.bytes), tuple(), traffic.packets);
        let place = self.0.partition_point(|other| *other < group);
        self.0.insert(place, group);
        self.0.truncate(TOP);
    }
}

pub(super) fn group_tuple(capture: Capture, out: &mut dyn Write) -> Result<End, Error> {
    let mut groups = Tuples::<Traffic>::default();
    let end = capture.walk(|frame, wire_bytes| {
        if let Some(packet) = network(frame) {
            groups.entry(&packet, Traffic::default).add(wire_bytes);
        }
    })?;
    let mut top = Top::default();
    for (key, traffic) in &groups.v4 {
        top.offer(traffic, || Tuple::of_v4(key));
    }
    for (key, traffic) in &groups.v6 {
        top.offer(traffic, || Tuple::of_v6(key));
    }
    let port = |port: Option<u16>| port.map_or(String::new(), |port| port.to_string());
    for (Reverse(bytes), tuple, packets) in top.0 {
        writeln!(
            out,
            "{}\t{}\t{}\t{}\t{}\t{packets}\t{bytes}",
            tuple.source,
            port(tuple.source_port),
            tuple.destination,
            port(tuple.destination_port),
            protocol_name(tuple.protocol),
        )?;
    }
    Ok(end)
}

/// The names of what the generator makes; other protocols by number.
fn protocol_name(protocol: u8) -> String {
    match protocol {
        1 => "icmp".to_owned(),
        6 => "tcp".to_owned(),
        17 => "udp".to_owned(),
        58 => "ipv6-icmp".to_owned(),
        other => other.to_string(),
    }
}

/// What `flowid` keeps of a flow.
#[derive(Default)]
struct Flow {
    id: u64,
    start: u64,
    finish: u64,
    traffic: Traffic,
}

pub(super) fn flowid(capture: Capture, out: &mut dyn Write) -> Result<End, Error> {
    let mut flows = Tuples::<Flow>::default();
    let mut ids = 0;
    let end = capture.walk_timed(|frame, wire_bytes, time| {
        let Some(packet) = network(frame) else { return };
        let flow = flows.entry(&packet, || {
            ids += 1;
            Flow {
                id: ids - 1,
                start: time,
                finish: time,
                traffic: Traffic::default(),
            }
        });
        flow.start = flow.start.min(time);
        flow.finish = flow.finish.max(time);
        flow.traffic.add(wire_bytes);
    })?;
    let (mut count, mut all, mut most, mut last) = (0, Traffic::default(), 0, 0);
    for flow in flows.values() {
        count = count.max(flow.id + 1);
        all.packets += flow.traffic.packets;
        all.bytes += flow.traffic.bytes;
        most = most.max(flow.traffic.bytes);
        last = last.max(flow.finish.max(flow.start) >> 32);
    }
    writeln!(
        out,
        "{count}\t{}\t{}\t{most}\t{last}",
        all.packets, all.bytes
    )?;
    Ok(end)
}
