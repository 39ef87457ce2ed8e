//! The fields that a stage may name.

use super::query::Call;
use super::random::Random;

/// What a field holds, as far as constants go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Numbers.
    Number,
    /// Numbers with names.
    Protocol,
    /// Addresses.
    Address,
    /// Hardware addresses.
    Mac,
    /// Times.
    Time,
    /// Durations.
    Duration,
    /// Bytes.
    Bytes,
    /// Text.
    Text,
    /// One thing here and another there.
    Mixed,
}

impl Domain {
    /// Constants that may not occur.
    pub fn constants(self) -> &'static [&'static str] {
        match self {
            Domain::Number => &[
                "0", "1", "2", "6", "17", "60", "64", "80", "443", "1000", "1.5",
            ],
            Domain::Protocol => &["tcp", "udp", "UDP", "icmp", "6", "99"],
            Domain::Address => &["10.0.0.1", "'10.0.0.2'", "fd00::1", "192.0.2.1"],
            Domain::Mac => &["02:00:00:00:00:01", "'02-00-00-00-00-02'"],
            Domain::Time => &[
                "2026-01-01T00:00:03Z",
                "'2026-01-01 00:00:07'",
                "1767225610",
            ],
            Domain::Duration => &["0", "'1s'", "'-250ms'"],
            Domain::Bytes => &["''", "'a'", r"'\x07'", "'GET'"],
            Domain::Text => &["'80'", "''", "'10.0.0.1'", "80", "443.0"],
            Domain::Mixed => &["0", "1", "80", "'a'"],
        }
    }
}

/// Fields of packets with the weight of each.
const PACKET: &[(usize, &str, Domain)] = &[
    (3, "ts", Domain::Time),
    (1, "timeseries", Domain::Time),
    (1, "caplen", Domain::Number),
    (4, "len", Domain::Number),
    (2, "ipprotocol", Domain::Protocol),
    (1, "packet", Domain::Bytes),
    (1, "srcmac", Domain::Mac),
    (1, "eth.dst", Domain::Mac),
    (1, "ethertype", Domain::Number),
    (1, "eth.type", Domain::Number),
    (2, "vlan", Domain::Number),
    (1, "vlan.id", Domain::Number),
    (5, "srcip", Domain::Address),
    (4, "dstip", Domain::Address),
    (1, "ip.proto", Domain::Protocol),
    (1, "ipid", Domain::Number),
    (1, "ip.id", Domain::Number),
    (1, "ttl", Domain::Number),
    (1, "ip.ttl", Domain::Number),
    (1, "frame.len", Domain::Number),
    (1, "tos", Domain::Number),
    (1, "ip.version", Domain::Number),
    (1, "ip.len", Domain::Number),
    (5, "srcport", Domain::Number),
    (5, "dstport", Domain::Number),
    (1, "seq", Domain::Number),
    (1, "ack", Domain::Number),
    (1, "urgptr", Domain::Number),
    (1, "urg", Domain::Number),
    (1, "tcpwindow", Domain::Number),
    (1, "tcpflags", Domain::Number),
    (1, "tcp.flags", Domain::Number),
    (1, "udp.length", Domain::Number),
    (2, "payload", Domain::Bytes),
    (1, "icmptype", Domain::Number),
    (1, "icmpcode", Domain::Number),
    (1, "arp.opcode", Domain::Number),
    (1, "arp.src.proto_ipv4", Domain::Address),
    (1, "arp.dst.proto_ipv4", Domain::Address),
    (1, "snaplen", Domain::Number),
    (1, "linktype", Domain::Number),
    (1, "tsresol", Domain::Number),
    (1, "frame.number", Domain::Number),
    (1, "len.double", Domain::Number),
    (1, "ts.sec", Domain::Number),
    (1, "ts.double", Domain::Number),
    (1, "ts.time", Domain::Time),
    (1, "payload.length", Domain::Number),
    (1, "dstport.string", Domain::Text),
    (1, "srcip.string", Domain::Text),
    (1, "srcip.version", Domain::Number),
    (1, "tcpflags.hexstring", Domain::Text),
    (1, "ipprotocol.number", Domain::Number),
];

/// The fields of the objects at a place of a pipeline.
#[derive(Clone, Debug)]
pub struct Scope(Vec<(usize, String, Domain)>);

impl Scope {
    /// The fields of packets.
    pub fn packet() -> Scope {
        let fields = PACKET.iter();
        Scope(
            fields
                .map(|(weight, name, domain)| (*weight, (*name).to_owned(), *domain))
                .collect(),
        )
    }

    /// The fields of a bag of objects.
    pub fn union(scopes: Vec<Scope>) -> Scope {
        let mut union = Scope(Vec::new());
        for (weight, name, domain) in scopes.into_iter().flat_map(|scope| scope.0) {
            match union.0.iter_mut().find(|(_, known, _)| *known == name) {
                Some((_, _, known)) if *known != domain => *known = Domain::Mixed,
                Some(_) => {}
                None => union.0.push((weight, name, domain)),
            }
        }
        union
    }

    /// Adds the columns of functions.
    pub fn add_calls(&mut self, calls: &[Call]) {
        let before = self.clone();
        for call in calls {
            let domain = match (call.function, &call.field) {
                ("min" | "max", Some(field)) => before.domain(field),
                _ => Domain::Number,
            };
            self.0.retain(|(_, name, _)| name != call.column());
            self.0.push((8, call.column().to_owned(), domain));
        }
    }

    /// Adds a function that can be called in place of a field, as in `having count() > 1`.
    pub fn add_function(&mut self, call: &str) {
        self.0.push((8, call.to_owned(), Domain::Number));
    }

    fn domain(&self, field: &str) -> Domain {
        let mut known = self.0.iter();
        known
            .find(|(_, name, _)| name == field)
            .map_or(Domain::Mixed, |(_, _, domain)| *domain)
    }

    /// Keeps only these fields.
    pub fn keep(&mut self, fields: &[String]) {
        self.0.retain(|(_, name, _)| fields.contains(name));
    }

    /// Any field.
    pub fn pick(&self, random: &mut Random) -> (String, Domain) {
        let at = (0..self.0.len()).map(|at| (self.0[at].0, at));
        let (_, name, domain) = &self.0[random.weighted(&at.collect::<Vec<_>>())];
        (name.clone(), *domain)
    }

    /// A field that holds something of a kind, if there is one.
    pub fn pick_of(&self, random: &mut Random, domain: Domain) -> Option<String> {
        let fitting = self.0.iter().filter(|(_, _, known)| *known == domain);
        let scope = Scope(fitting.cloned().collect());
        (!scope.0.is_empty()).then(|| scope.pick(random).0)
    }
}
