//! A rule, read.

use super::address::Addresses;
use super::packet::Packet;
use super::payload::Payload;
use super::port::Ports;
use super::source::Place;
use super::test::Test;
use std::fmt;
use std::sync::Arc;

/// What a rule says is to be done with a packet.
///
/// The order is that in which rules speak on one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing more is said of the packet.
    Pass,
    /// It is dropped.
    Drop,
    /// It is dropped, and the sender is told.
    Reject,
    /// It is worth a word.
    Alert,
    /// It is written down.
    Log,
}

impl Action {
    /// The actions by their names.
    pub const NAMES: &[(&str, Action)] = &[
        ("alert", Action::Alert),
        ("drop", Action::Drop),
        ("log", Action::Log),
        ("pass", Action::Pass),
        ("reject", Action::Reject),
        ("rejectboth", Action::Reject),
        ("rejectdst", Action::Reject),
        ("rejectsrc", Action::Reject),
    ];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Action::Pass => "pass",
            Action::Drop => "drop",
            Action::Reject => "reject",
            Action::Alert => "alert",
            Action::Log => "log",
        }
    }
}

/// The protocol of a rule's packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "named after what they are")]
pub enum Protocol {
    Ip,
    Ip4,
    Ip6,
    Tcp,
    Udp,
    /// ICMP and ICMPv6.
    Icmp,
}

impl Protocol {
    /// The protocols by their names. A rule on the stream of TCP is none on packets.
    pub const NAMES: &[(&str, Protocol)] = &[
        ("icmp", Protocol::Icmp),
        ("ip", Protocol::Ip),
        ("ip4", Protocol::Ip4),
        ("ip6", Protocol::Ip6),
        ("ipv4", Protocol::Ip4),
        ("ipv6", Protocol::Ip6),
        ("tcp", Protocol::Tcp),
        ("tcp-pkt", Protocol::Tcp),
        ("udp", Protocol::Udp),
    ];
}

/// Addresses and ports of one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The addresses.
    pub addresses: Arc<Addresses>,
    /// The ports.
    pub ports: Arc<Ports>,
}

/// What stands before the options.
#[derive(Clone, Debug)]
pub struct Header {
    /// The protocol.
    pub protocol: Protocol,
    /// The side on the left of the arrow.
    pub source: Endpoint,
    /// The side on the right.
    pub target: Endpoint,
    /// Whether packets in the other direction are meant too.
    pub both_ways: bool,
    /// Addresses and ports as the rule has them, from left to right.
    pub written: [Arc<str>; 4],
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Where it stands.
    pub place: Place,
    /// What it says is to be done.
    pub action: Action,
    /// The group of its number.
    pub gid: u32,
    /// Its number.
    pub sid: u32,
    /// Its revision.
    pub rev: u32,
    /// What it says.
    pub msg: Arc<[u8]>,
    /// The class of what it finds; may be empty.
    pub classtype: Arc<[u8]>,
    /// How urgent that is, from 1.
    pub priority: u32,
    /// Protocol, addresses, ports.
    pub header: Header,
    /// What it asks of headers.
    pub tests: Vec<Test>,
    /// What it asks of the payload.
    pub payload: Payload,
    /// What was left out of it: keywords by name, with what is left out of them.
    pub dropped: Vec<String>,
}

impl Rule {
    /// Whether a packet whose header is one that the rule is about is so in all else.
    pub fn holds_behind_header(&self, packet: &Packet<'_>) -> bool {
        self.tests.iter().all(|test| test.holds(packet)) && self.payload.holds(packet.payload)
    }
}

/// Why a rule, or a part of one, is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where that stands.
    pub place: Place,
    /// The keyword, or what else it is.
    pub what: String,
    /// Why.
    pub why: String,
    /// The number of the rule, where that was read.
    pub sid: Option<u32>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}` {}", self.place, self.what, self.why)
    }
}
