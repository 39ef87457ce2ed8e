//! `flow` as a plain program with lists: what the engine has to give.

use crate::script::Packet;
use std::fmt::Write;

/// A flow of the plain program.
#[derive(Clone, Debug)]
struct PlainFlow {
    ends: [char; 2],
    is_udp: bool,
    times: [f64; 2],
    /// When it was last seen: the latest time then, and how many packets there were before.
    touched: (f64, usize),
    begin: usize,
    packets: [u64; 2],
    bytes: [u64; 2],
    /// Packets of the connection: capital letters are the originator's.
    history: String,
    syn: u64,
}

pub struct Limits {
    pub idle: f64,
    pub linger: f64,
    pub active: f64,
    pub flows: usize,
}

impl PlainFlow {
    fn new(packet: &Packet, at: usize) -> PlainFlow {
        let (from, to) = (packet.from, packet.to);
        PlainFlow {
            ends: if packet.what == 'H' {
                [to, from]
            } else {
                [from, to]
            },
            is_udp: packet.what == 'u',
            times: [f64::MAX, f64::MIN],
            touched: (0.0, 0),
            begin: at,
            packets: [0; 2],
            bytes: [0; 2],
            history: String::new(),
            syn: 0,
        }
    }

    /// Why the connection ended: by FIN of both, or a RST that came before that.
    fn ending(&self) -> Option<&'static str> {
        let mut sides = [""; 2];
        for letter in self.history.chars() {
            let from = usize::from(letter.is_lowercase());
            match (letter.to_ascii_uppercase(), sides[from], sides[1 - from]) {
                ('R', "fin", "fin") => {}
                ('R', "fin", _) => sides[from] = "fin, rst",
                ('R', "", _) => sides[from] = "rst",
                ('F', "", other) => {
                    sides[from] = "fin";
                    if other == "fin, rst" {
                        sides[1 - from] = "fin";
                    }
                }
                _ => {}
            }
        }
        if sides.iter().any(|side| side.contains("rst")) {
            Some("rst")
        } else {
            (sides == ["fin"; 2]).then_some("fin")
        }
    }

    fn limit(&self, limits: &Limits) -> f64 {
        if self.ending().is_some() {
            limits.linger
        } else {
            limits.idle
        }
    }

    fn is_another(&self, packet: &Packet) -> bool {
        if packet.what != 'S' {
            return false;
        }
        if packet.from != self.ends[0] {
            // In these scripts the one that is asked never asks at once.
            return true;
        }
        match self.history.contains('S') {
            true => packet.seq != self.syn,
            false => !self.history.contains('h'),
        }
    }

    fn take(&mut self, packet: &Packet, at: usize) {
        let side = usize::from(packet.from != self.ends[0]);
        if self.packets == [0; 2] {
            self.begin = at;
        }
        self.packets[side] += 1;
        self.bytes[side] += packet.bytes;
        self.times = [
            self.times[0].min(packet.time),
            self.times[1].max(packet.time),
        ];
        if packet.what == 'S' && side == 0 && !self.history.contains('S') {
            self.syn = packet.seq;
        }
        if !self.is_udp {
            self.history.push(match side {
                0 => packet.what,
                _ => packet.what.to_ascii_lowercase(),
            });
        }
    }
}

/// What `flow` is to print.
#[derive(Default)]
pub struct Plain {
    flows: Vec<PlainFlow>,
    clock: f64,
    text: String,
}

impl Plain {
    fn give(&mut self, flow: &PlainFlow, reason: &str) {
        let PlainFlow {
            ends: [from, to],
            times: [start, end],
            packets,
            bytes,
            ..
        } = flow;
        let _ = writeln!(
            self.text,
            "{from}\t{to}\t{start}\t{end}\t{}\t{}\t{}\t{}\t{reason}",
            packets[0], packets[1], bytes[0], bytes[1],
        );
    }

    pub fn take(&mut self, packet: &Packet, at: usize, limits: &Limits) {
        self.clock = self.clock.max(packet.time);
        let due = |flow: &PlainFlow| flow.touched.0 + flow.limit(limits);
        let (mut idle, flows): (Vec<_>, Vec<_>) = self
            .flows
            .drain(..)
            .partition(|flow| due(flow) < self.clock);
        self.flows = flows;
        idle.sort_by(|a, b| due(a).total_cmp(&due(b)).then(a.begin.cmp(&b.begin)));
        for flow in idle {
            self.give(&flow, flow.ending().unwrap_or("idle"));
        }
        let same = |flow: &PlainFlow| {
            flow.is_udp == (packet.what == 'u')
                && (flow.ends == [packet.from, packet.to] || flow.ends == [packet.to, packet.from])
        };
        let found = self.flows.iter().position(same);
        let mut flow = found.map(|found| self.flows.remove(found));
        if let Some(known) = flow.take_if(|flow| {
            let far = flow.limit(limits);
            packet.time > flow.times[1] + far || packet.time < flow.times[0] - far
        }) {
            self.give(&known, known.ending().unwrap_or("idle"));
        }
        if let Some(known) = flow.take_if(|flow| flow.is_another(packet)) {
            self.give(&known, known.ending().unwrap_or("syn"));
        }
        let mut flow = flow.unwrap_or_else(|| {
            while self.flows.len() >= limits.flows {
                self.evict();
            }
            PlainFlow::new(packet, at)
        });
        let is_long = flow.packets != [0; 2] && packet.time > flow.times[0] + limits.active;
        if is_long && flow.ending().is_none() {
            self.give(&flow, "active");
            (flow.packets, flow.bytes) = ([0; 2], [0; 2]);
            flow.times = [f64::MAX, f64::MIN];
        }
        flow.take(packet, at);
        flow.touched = (self.clock, at);
        self.flows.push(flow);
    }

    fn evict(&mut self) {
        let order = |flow: &&PlainFlow| (flow.ending().is_none(), flow.touched.1);
        let first = self
            .flows
            .iter()
            .min_by_key(order)
            .map(|flow| flow.touched.1);
        let at = self
            .flows
            .iter()
            .position(|flow| Some(flow.touched.1) == first);
        let flow = self.flows.remove(at.expect("there is one"));
        self.give(&flow, flow.ending().unwrap_or("evicted"));
    }

    pub fn finish(mut self) -> String {
        self.flows.sort_by_key(|flow| flow.begin);
        for flow in std::mem::take(&mut self.flows) {
            self.give(&flow, flow.ending().unwrap_or("end"));
        }
        self.text
    }
}
