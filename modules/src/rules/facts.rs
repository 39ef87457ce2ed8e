//! What rules see of packets, from the columns of a batch.

use super::packet::Packet;
use super::rule::{Protocol, Rule};
use super::test::Test;
use wireq_engine::View;
use wireq_typesys::{Address, Column, Data, FieldPath};

/// One field that rules read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    Source,
    Target,
    SourcePort,
    TargetPort,
    Protocol,
    TcpFlags,
    IcmpType,
    Icmp6Type,
    IcmpCode,
    Icmp6Code,
    TcpPayload,
    UdpPayload,
    IcmpPayload,
    Ttl,
    Tos,
    Id,
    FragmentBits,
    Sequence,
    Acknowledgment,
    Window,
}

impl Fact {
    fn path(self) -> &'static str {
        match self {
            Fact::Source => "srcip",
            Fact::Target => "dstip",
            Fact::SourcePort => "srcport",
            Fact::TargetPort => "dstport",
            Fact::Protocol => "ipprotocol",
            Fact::TcpFlags => "tcpflags",
            Fact::IcmpType => "icmptype",
            Fact::Icmp6Type => "icmpv6type",
            Fact::IcmpCode => "icmpcode",
            Fact::Icmp6Code => "icmpv6code",
            Fact::TcpPayload => "tcp.payload",
            Fact::UdpPayload => "udp.payload",
            Fact::IcmpPayload => "icmp.payload",
            Fact::Ttl => "ttl",
            Fact::Tos => "tos",
            Fact::Id => "ipid",
            Fact::FragmentBits => "ipflags",
            Fact::Sequence => "seq",
            Fact::Acknowledgment => "ack",
            Fact::Window => "tcpwindow",
        }
    }
}

/// The fields that a set of rules reads, in the order in which an operator asks for them.
#[derive(Clone, Debug)]
pub struct Facts(Vec<Fact>);

impl Facts {
    /// What these rules read.
    pub fn of<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> Facts {
        let mut facts = Facts(vec![
            Fact::Source,
            Fact::Target,
            Fact::SourcePort,
            Fact::TargetPort,
            Fact::Protocol,
            Fact::TcpFlags,
            Fact::UdpPayload,
            Fact::IcmpType,
            Fact::Icmp6Type,
        ]);
        for rule in rules {
            let sized = |test: &Test| matches!(test, Test::PayloadSize(_));
            if !rule.payload.is_empty() || rule.tests.iter().any(sized) {
                facts.add_payloads(rule.header.protocol);
            }
            rule.tests.iter().for_each(|test| facts.add_test(test));
        }
        facts
    }

    fn add(&mut self, fact: Fact) {
        if !self.0.contains(&fact) {
            self.0.push(fact);
        }
    }

    fn add_payloads(&mut self, protocol: Protocol) {
        match protocol {
            Protocol::Tcp => self.add(Fact::TcpPayload),
            Protocol::Udp => self.add(Fact::UdpPayload),
            Protocol::Icmp => self.add(Fact::IcmpPayload),
            Protocol::Ip | Protocol::Ip4 | Protocol::Ip6 => {
                self.add(Fact::TcpPayload);
                self.add(Fact::UdpPayload);
                self.add(Fact::IcmpPayload);
            }
        }
    }

    fn add_test(&mut self, test: &Test) {
        match test {
            Test::Ttl(_) => self.add(Fact::Ttl),
            Test::Tos(_) => self.add(Fact::Tos),
            Test::Id(_) => self.add(Fact::Id),
            Test::FragmentBits(_) => self.add(Fact::FragmentBits),
            Test::Sequence(_) => self.add(Fact::Sequence),
            Test::Acknowledgment(_) => self.add(Fact::Acknowledgment),
            Test::Window(_) => self.add(Fact::Window),
            Test::IcmpCode(_) => {
                self.add(Fact::IcmpCode);
                self.add(Fact::Icmp6Code);
            }
            Test::PayloadSize(_)
            | Test::Flags(_)
            | Test::IcmpType(_)
            | Test::IpProtocol(_)
            | Test::SameAddress => {}
        }
    }

    /// The fields.
    pub fn paths(&self) -> Vec<FieldPath> {
        let paths = self.0.iter().map(|fact| FieldPath::new(fact.path()));
        paths.collect()
    }

    /// The columns of a view, to read packets from.
    pub fn columns<'a>(&self, view: View<'a>) -> Columns<'a> {
        let column = |fact: Fact| {
            let at = self.0.iter().position(|known| *known == fact)?;
            view.column(at)
        };
        Columns {
            source: column(Fact::Source),
            target: column(Fact::Target),
            source_port: column(Fact::SourcePort),
            target_port: column(Fact::TargetPort),
            protocol: column(Fact::Protocol),
            flags: column(Fact::TcpFlags),
            icmp_type: column(Fact::IcmpType),
            icmp6_type: column(Fact::Icmp6Type),
            icmp_code: column(Fact::IcmpCode),
            icmp6_code: column(Fact::Icmp6Code),
            tcp_payload: column(Fact::TcpPayload),
            udp_payload: column(Fact::UdpPayload),
            icmp_payload: column(Fact::IcmpPayload),
            ttl: column(Fact::Ttl),
            tos: column(Fact::Tos),
            id: column(Fact::Id),
            fragment_bits: column(Fact::FragmentBits),
            sequence: column(Fact::Sequence),
            acknowledgment: column(Fact::Acknowledgment),
            window: column(Fact::Window),
        }
    }
}

/// The columns that packets are read from.
pub struct Columns<'a> {
    source: Option<&'a Column>,
    target: Option<&'a Column>,
    source_port: Option<&'a Column>,
    target_port: Option<&'a Column>,
    protocol: Option<&'a Column>,
    flags: Option<&'a Column>,
    icmp_type: Option<&'a Column>,
    icmp6_type: Option<&'a Column>,
    icmp_code: Option<&'a Column>,
    icmp6_code: Option<&'a Column>,
    tcp_payload: Option<&'a Column>,
    udp_payload: Option<&'a Column>,
    icmp_payload: Option<&'a Column>,
    ttl: Option<&'a Column>,
    tos: Option<&'a Column>,
    id: Option<&'a Column>,
    fragment_bits: Option<&'a Column>,
    sequence: Option<&'a Column>,
    acknowledgment: Option<&'a Column>,
    window: Option<&'a Column>,
}

impl<'a> Columns<'a> {
    /// What rules see of the packet in a row; none where it has no addresses, which every rule
    /// asks for.
    #[inline]
    pub fn packet(&self, row: usize) -> Option<Packet<'a>> {
        let source = address(self.source, row)?;
        let target = address(self.target, row)?;
        let flags = unsigned(self.flags, row);
        let mut packet = Packet {
            source,
            target,
            source_port: unsigned(self.source_port, row).map(|port| port as u16),
            target_port: unsigned(self.target_port, row).map(|port| port as u16),
            protocol: unsigned(self.protocol, row).map(|number| number as u8),
            flags: flags.map(|flags| flags as u16),
            ttl: unsigned(self.ttl, row).map(|ttl| ttl as u8),
            tos: unsigned(self.tos, row).map(|tos| tos as u8),
            id: unsigned(self.id, row).map(|id| id as u16),
            fragment_bits: unsigned(self.fragment_bits, row).map(|bits| bits as u8),
            ..Packet::default()
        };
        if flags.is_some() {
            packet.transport = Some(Protocol::Tcp);
            packet.payload = bytes(self.tcp_payload, row);
            packet.sequence = unsigned(self.sequence, row);
            packet.acknowledgment = unsigned(self.acknowledgment, row);
            packet.window = unsigned(self.window, row).map(|window| window as u16);
        } else if self
            .udp_payload
            .is_some_and(|payload| payload.valid.get(row))
        {
            packet.transport = Some(Protocol::Udp);
            packet.payload = bytes(self.udp_payload, row);
        } else if let Some(number) = unsigned(self.icmp_type, row) {
            packet.icmp_code = unsigned(self.icmp_code, row).map(|code| code as u8);
            self.set_message(&mut packet, row, number);
        } else if let Some(number) = unsigned(self.icmp6_type, row) {
            packet.icmp_code = unsigned(self.icmp6_code, row).map(|code| code as u8);
            self.set_message(&mut packet, row, number);
        }
        Some(packet)
    }

    fn set_message(&self, packet: &mut Packet<'a>, row: usize, number: u32) {
        packet.transport = Some(Protocol::Icmp);
        packet.icmp_type = Some(number as u8);
        packet.payload = bytes(self.icmp_payload, row);
    }
}

#[inline]
fn unsigned(column: Option<&Column>, row: usize) -> Option<u32> {
    let column = column.filter(|column| column.valid.get(row))?;
    match &column.data {
        Data::U8(values) => values.get(row).map(|value| u32::from(*value)),
        Data::U16(values) => values.get(row).map(|value| u32::from(*value)),
        Data::U32(values) => values.get(row).copied(),
        _ => None,
    }
}

#[inline]
fn address(column: Option<&Column>, row: usize) -> Option<Address> {
    let column = column.filter(|column| column.valid.get(row))?;
    match &column.data {
        Data::Address4(values) => values.get(row).map(|bits| Address {
            v6: false,
            bits: u128::from(*bits),
        }),
        Data::Address(values) => values.get(row).copied(),
        _ => None,
    }
}

#[inline]
fn bytes(column: Option<&Column>, row: usize) -> &[u8] {
    match column {
        Some(column) if column.valid.get(row) => match &column.data {
            Data::Bytes(slices) => slices.get(row),
            _ => &[],
        },
        _ => &[],
    }
}
