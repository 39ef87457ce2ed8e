//! `flow`: a record of the packets of both directions.
//!
//! A connection is all the packets that came so far. What it is in is told anew from the first of
//! them whenever it matters.

use super::expression::key_of;
use super::follows::nanos;
use super::object::{Fields, Object};
use super::stage::{Close, Effects, Stage};
use super::total::canonical;
use std::rc::Rc;
use wireq_typesys::{FieldPath, Names, Value, total_order};

const FIN: i128 = 1;
const SYN: i128 = 2;
const RST: i128 = 4;
const PSH: i128 = 8;
const ACK: i128 = 16;

/// The words of Zeek for `conn_state`.
static STATES: Names = Names {
    name: "connection-state",
    entries: &[
        (0, "OTH"),
        (1, "S0"),
        (2, "S1"),
        (3, "SF"),
        (4, "S2"),
        (5, "S3"),
        (6, "SH"),
        (7, "SHR"),
        (8, "REJ"),
        (9, "RSTO"),
        (10, "RSTR"),
        (11, "RSTOS0"),
        (12, "RSTRH"),
    ],
};

static REASONS: Names = Names {
    name: "flow-end",
    entries: &[
        (0, "idle"),
        (1, "active"),
        (2, "end"),
        (3, "fin"),
        (4, "rst"),
        (5, "syn"),
        (6, "evicted"),
    ],
};

fn named(names: &'static Names, text: &str) -> Value {
    let mut entries = names.entries.iter();
    let (number, _) = entries.find(|(_, name)| *name == text).expect("a name");
    Value::Named(*number, names)
}

/// Records of flows by some fields.
pub struct Connections {
    fields: Vec<FieldPath>,
    /// Places of the fields of the sender and of the receiver that stand for each other.
    pairs: Vec<(usize, usize)>,
    /// Whether both ports are among the fields.
    has_ports: bool,
    /// How long a flow may be idle, one that ended may be so, and a record may be.
    idle: i128,
    linger: i128,
    active: i128,
    /// The field that is summed as bytes.
    bytes: FieldPath,
    /// How many flows are kept at most.
    most: usize,
    now: Option<i128>,
    /// How many objects came.
    count: usize,
    /// The one whose packet came last is last.
    flows: Vec<Flow>,
}

#[derive(Clone)]
struct Packet {
    /// Whether it comes from the side that the first one came from.
    forth: bool,
    time: Option<i128>,
    bytes: i128,
    /// Flags and sequence number.
    tcp: Option<(i128, i128)>,
    is_udp: bool,
    number: usize,
}

struct Flow {
    /// The key as the first packet has it.
    key: Vec<Value>,
    packets: Vec<Packet>,
    /// How many of them are in records that were made.
    told: usize,
    touched: Option<i128>,
}

/// How a side stands, as Zeek tells endpoints apart.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Inactive,
    SynSent { alone: bool },
    Partial,
    Established,
    Closed,
    Reset { behind: Behind },
}

/// What a RST came behind.
#[derive(Clone, Copy, PartialEq)]
enum Behind {
    Syn,
    Fin,
    Other,
}

impl Side {
    fn is_reset(self) -> bool {
        matches!(self, Side::Reset { .. })
    }

    fn is_syn_sent(self) -> bool {
        matches!(self, Side::SynSent { .. })
    }

    /// Whether it was in no handshake and ended nothing.
    fn is_vague(self) -> bool {
        self == Side::Inactive || self == Side::Partial
    }
}

/// What all packets so far make of a connection.
struct Standing {
    originator: Side,
    responder: Side,
    /// The number of the first SYN of the originator.
    syn: Option<i128>,
    /// Whether the responder has sent a SYN; for UDP, anything.
    answered: bool,
    is_tcp: bool,
    is_udp: bool,
}

impl Flow {
    /// Whether a packet is one of the originator: the sender of the first, unless that one was an
    /// answer.
    fn of_originator(&self, packet: &Packet) -> bool {
        packet.forth != self.begins_with_answer()
    }

    fn begins_with_answer(&self) -> bool {
        let flags = self.packets[0].tcp.map(|(flags, _)| flags);
        flags.is_some_and(|flags| flags & SYN != 0 && flags & ACK != 0)
    }

    fn standing(&self) -> Standing {
        let mut standing = Standing {
            originator: Side::Inactive,
            responder: Side::Inactive,
            syn: None,
            answered: false,
            is_tcp: false,
            is_udp: false,
        };
        for packet in &self.packets {
            let originates = self.of_originator(packet);
            if packet.is_udp {
                standing.is_udp = true;
                standing.answered |= !originates;
            }
            if let Some((flags, seq)) = packet.tcp {
                standing.is_tcp = true;
                standing.take(originates, flags, seq);
            }
        }
        standing
    }

    /// `fin` or `rst`, where the connection is over.
    fn ending(&self) -> Option<&'static str> {
        let Standing {
            originator,
            responder,
            ..
        } = self.standing();
        if originator.is_reset() || responder.is_reset() {
            return Some("rst");
        }
        (originator == Side::Closed && responder == Side::Closed).then_some("fin")
    }

    /// Those that the next record is about.
    fn untold(&self) -> &[Packet] {
        &self.packets[self.told..]
    }

    fn times(&self) -> Option<(i128, i128)> {
        let times = || self.untold().iter().filter_map(|packet| packet.time);
        Some((times().min()?, times().max()?))
    }

    fn is_another(&self, packet: &Packet) -> bool {
        let Some((flags, seq)) = packet.tcp else {
            return false;
        };
        if flags & (SYN | FIN | RST | ACK) != SYN {
            return false;
        }
        let standing = self.standing();
        if !self.of_originator(packet) {
            let both_open =
                standing.originator.is_syn_sent() && standing.responder == Side::Inactive;
            return !both_open;
        }
        match standing.syn {
            Some(syn) => syn != seq,
            None => !standing.answered,
        }
    }
}

impl Standing {
    fn take(&mut self, originates: bool, flags: i128, seq: i128) {
        if flags & SYN != 0 {
            match originates {
                true => self.syn = self.syn.or(Some(seq)),
                false => self.answered = true,
            }
        }
        let (mut own, mut peer) = match originates {
            true => (self.originator, self.responder),
            false => (self.responder, self.originator),
        };
        let [fin, syn, rst] = [FIN, SYN, RST].map(|flag| flags & flag != 0);
        own = match own {
            Side::Inactive if rst => Side::Reset {
                behind: Behind::Other,
            },
            Side::Inactive if fin => Side::Closed,
            Side::Inactive if syn && !originates => {
                if peer.is_syn_sent() {
                    peer = Side::Established;
                }
                Side::Established
            }
            Side::Inactive if syn && peer == Side::Inactive => Side::SynSent { alone: true },
            Side::Inactive if flags & (SYN | ACK) != 0 && peer == Side::Established => {
                Side::Established
            }
            // An acknowledgement of the SYN, before the responder's own.
            Side::Inactive
                if !originates && peer.is_syn_sent() && flags & ACK != 0 && flags & PSH == 0 =>
            {
                Side::Inactive
            }
            Side::Inactive => Side::Partial,
            Side::SynSent { alone: true } if rst => Side::Reset {
                behind: Behind::Syn,
            },
            Side::SynSent { alone: true } if !fin && !syn => Side::SynSent { alone: false },
            Side::Closed if rst && peer != Side::Closed => Side::Reset {
                behind: Behind::Fin,
            },
            Side::Closed | Side::Reset { .. } => own,
            _ if rst => Side::Reset {
                behind: Behind::Other,
            },
            _ if fin => Side::Closed,
            _ => own,
        };
        let late_fin = Side::Reset {
            behind: Behind::Fin,
        };
        if own == Side::Closed && peer == late_fin {
            peer = Side::Closed;
        }
        (self.originator, self.responder) = match originates {
            true => (own, peer),
            false => (peer, own),
        };
    }

    fn state(&self) -> &'static str {
        let (originator, responder) = (self.originator, self.responder);
        if !self.is_tcp {
            return match (self.is_udp, self.answered) {
                (true, true) => "SF",
                (true, false) => "S0",
                (false, _) => "OTH",
            };
        }
        if responder.is_reset() {
            let refused = originator.is_reset() && self.syn.is_some() && !self.answered;
            return match originator {
                side if side.is_syn_sent() || refused => "REJ",
                side if side.is_vague() => "RSTRH",
                _ => "RSTR",
            };
        }
        if let Side::Reset { behind } = originator {
            return match (responder.is_vague(), behind) {
                (false, _) => "RSTO",
                (true, Behind::Syn) => "RSTOS0",
                (true, _) => "OTH",
            };
        }
        match (originator == Side::Closed, responder == Side::Closed) {
            (true, true) => "SF",
            (true, false) if responder.is_vague() => "SH",
            (true, false) => "S2",
            (false, true) if originator.is_vague() => "SHR",
            (false, true) => "S3",
            (false, false) => match (originator, responder) {
                (Side::Established, Side::Established) => "S1",
                (Side::SynSent { .. }, Side::Inactive) => "S0",
                _ => "OTH",
            },
        }
    }
}

/// The number of a value, where it has one that is not negative.
pub fn count_of(value: &Value) -> i128 {
    match value {
        Value::Integer(number) => (*number).max(0),
        Value::Named(number, _) => (*number).into(),
        Value::Double(double) => double.max(0.0) as i128,
        _ => 0,
    }
}

fn same<'a>(left: impl Iterator<Item = &'a Value>, right: &[Value]) -> bool {
    left.zip(right).all(|(a, b)| total_order(a, b).is_eq())
}

impl Connections {
    /// `times` are how long a flow may be idle, may linger when it has ended, and a record may be.
    pub fn new(
        fields: Vec<FieldPath>,
        times: [i128; 3],
        bytes: FieldPath,
        most: usize,
    ) -> Connections {
        let place = |name: &str| fields.iter().position(|field| field.as_str() == name);
        let pairs = [
            ("srcip", "dstip"),
            ("srcport", "dstport"),
            ("srcmac", "dstmac"),
        ];
        let pairs = pairs
            .iter()
            .filter_map(|(a, b)| Some((place(a)?, place(b)?)));
        let [idle, linger, active] = times;
        Connections {
            pairs: pairs.collect(),
            has_ports: place("srcport").is_some() && place("dstport").is_some(),
            idle,
            linger,
            active,
            bytes,
            most,
            now: None,
            count: 0,
            flows: Vec::new(),
            fields,
        }
    }

    fn reversed(&self, key: &[Value]) -> Vec<Value> {
        let mut key = key.to_vec();
        self.pairs.iter().for_each(|(a, b)| key.swap(*a, *b));
        key
    }

    fn limit(&self, flow: &Flow) -> i128 {
        match flow.ending() {
            Some(_) => self.linger,
            None => self.idle,
        }
    }

    /// Makes the record of the packets that none was made of.
    fn tell(&self, flow: &Flow, reason: &str, effects: &mut Effects<'_>) {
        let key = match flow.begins_with_answer() {
            true => self.reversed(&flow.key),
            false => flow.key.clone(),
        };
        let mut row: Fields = self
            .fields
            .iter()
            .cloned()
            .zip(key.iter().map(canonical))
            .collect();
        let mut put = |name: &str, value| row.push((FieldPath::new(name), value));
        let times = flow.times();
        let time = |pick: fn((i128, i128)) -> i128, make: fn(i64) -> Value| {
            times.map_or(Value::Absent, |times| make(pick(times) as i64))
        };
        put("start", time(|times| times.0, Value::Time));
        put("end", time(|times| times.1, Value::Time));
        put("duration", time(|times| times.1 - times.0, Value::Duration));
        let side = |originates: bool| {
            let packets = flow.untold().iter();
            packets.filter(move |packet| flow.of_originator(packet) == originates)
        };
        for (name, forth) in [("packets", true), ("packetsback", false)] {
            put(name, Value::Integer(side(forth).count() as i128));
        }
        for (name, forth) in [("bytes", true), ("bytesback", false)] {
            put(
                name,
                Value::Integer(side(forth).map(|packet| packet.bytes).sum()),
            );
        }
        let standing = flow.standing();
        for (name, forth) in [("flags", true), ("flagsback", false)] {
            let all = side(forth).filter_map(|packet| packet.tcp);
            let all = all.fold(0, |all, (flags, _)| all | flags);
            put(
                name,
                if standing.is_tcp {
                    Value::Integer(all)
                } else {
                    Value::Absent
                },
            );
        }
        let state = named(&STATES, standing.state());
        put("state", if self.has_ports { state } else { Value::Absent });
        put("reason", named(&REASONS, flow.ending().unwrap_or(reason)));
        effects.give(Rc::new(Object::Made(row)));
    }

    fn end_idle(&mut self, effects: &mut Effects<'_>) {
        let Some(now) = self.now else { return };
        let flows = std::mem::take(&mut self.flows);
        let due = |flow: &Flow| flow.touched.unwrap_or(now) + self.limit(flow);
        let (mut over, alive): (Vec<Flow>, _) = flows.into_iter().partition(|f| due(f) < now);
        over.sort_by_key(|flow| (due(flow), flow.untold()[0].number));
        over.iter()
            .for_each(|flow| self.tell(flow, "idle", effects));
        self.flows = alive;
    }

    /// Why a flow is over before a packet of its key.
    fn ends_before(&self, flow: &Flow, packet: &Packet) -> Option<&'static str> {
        let limit = self.limit(flow);
        let is_far = |time: i128| {
            flow.times()
                .is_some_and(|(first, last)| time > last + limit || time < first - limit)
        };
        if packet.time.is_some_and(is_far) {
            return Some("idle");
        }
        flow.is_another(packet).then_some("syn")
    }

    fn begin(&mut self, key: Vec<Value>, packet: Packet, effects: &mut Effects<'_>) {
        while self.flows.len() >= self.most {
            // What is over goes before what goes on.
            let over = self.flows.iter().position(|flow| flow.ending().is_some());
            let flow = self.flows.remove(over.unwrap_or(0));
            self.tell(&flow, "evicted", effects);
        }
        self.flows.push(Flow {
            key,
            packets: vec![Packet {
                forth: true,
                ..packet
            }],
            told: 0,
            touched: self.now,
        });
    }
}

impl Stage for Connections {
    fn take(&mut self, _port: usize, object: Rc<Object>, effects: &mut Effects<'_>) {
        let get = |name: &str| object.get(&FieldPath::new(name), effects.zone);
        let time = nanos(&get("ts"), effects.zone);
        let tcp = (self.has_ports && !get("tcpflags").is_absent())
            .then(|| (count_of(&get("tcpflags")) & 0xffff, count_of(&get("seq"))));
        let is_udp = self.has_ports && count_of(&get("ipprotocol")) == 17;
        let bytes = count_of(&object.get(&self.bytes, effects.zone));
        self.now = self.now.max(time);
        for flow in &mut self.flows {
            flow.touched = flow.touched.or(self.now);
        }
        self.end_idle(effects);
        let key = key_of(&self.fields, &object, effects.zone);
        if key.iter().all(Value::is_absent) {
            return;
        }
        self.count += 1;
        let reversed = self.reversed(&key);
        let position = |key: &[Value]| self.flows.iter().position(|f| same(f.key.iter(), key));
        let forth = position(&key);
        let mut packet = Packet {
            forth: forth.is_some(),
            time,
            bytes,
            tcp,
            is_udp,
            number: self.count,
        };
        let Some(at) = forth.or_else(|| position(&reversed)) else {
            return self.begin(key, packet, effects);
        };
        let mut flow = self.flows.remove(at);
        if let Some(reason) = self.ends_before(&flow, &packet) {
            self.tell(&flow, reason, effects);
            return self.begin(key, packet, effects);
        }
        let is_long = |time: i128| {
            let times = flow.times();
            times.is_some_and(|(first, _)| time > first + self.active)
        };
        if flow.ending().is_none() && time.is_some_and(is_long) {
            self.tell(&flow, "active", effects);
            flow.told = flow.packets.len();
        }
        packet.forth = forth.is_some();
        flow.packets.push(packet);
        flow.touched = self.now;
        self.flows.push(flow);
    }

    fn close(&mut self, _close: &Close, _effects: &mut Effects<'_>) {}

    fn reacts(&self) -> bool {
        true
    }

    fn finish(&mut self, effects: &mut Effects<'_>) {
        let mut flows = std::mem::take(&mut self.flows);
        flows.sort_by_key(|flow| flow.untold()[0].number);
        flows
            .iter()
            .for_each(|flow| self.tell(flow, "end", effects));
    }
}
