//! What rules see of packets, from the columns of a batch.

use super::packet::Packet;
use super::rule::Rule;
use super::test::Test;
use wireq_engine::View;
use wireq_typesys::{Address, Column, Data, FieldPath};

/// The field that contents are looked for in.
pub(super) const PAYLOAD: &str = "carried";

/// One field that rules read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    Source,
    Target,
    Protocol,
    Carried,
    TcpFlags,
    IcmpType,
    Icmp6Type,
    IcmpCode,
    Icmp6Code,
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
            Fact::Protocol => "ipprotocol",
            Fact::TcpFlags => "tcpflags",
            Fact::IcmpType => "icmptype",
            Fact::Icmp6Type => "icmp6type",
            Fact::IcmpCode => "icmpcode",
            Fact::Icmp6Code => "icmp6code",
            Fact::Carried => PAYLOAD,
            Fact::Ttl => "ttl",
            Fact::Tos => "tos",
            Fact::Id => "ipid",
            Fact::FragmentBits => "fragbits",
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
        let mut facts = Facts(vec![Fact::Source, Fact::Target]);
        for rule in rules {
            let sized = |test: &Test| matches!(test, Test::PayloadSize(_));
            if !rule.payload.is_empty() || rule.tests.iter().any(sized) {
                facts.add(Fact::Carried);
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
            Test::Flags(_) => self.add(Fact::TcpFlags),
            Test::IpProtocol(_) => self.add(Fact::Protocol),
            Test::IcmpType(_) => {
                self.add(Fact::IcmpType);
                self.add(Fact::Icmp6Type);
            }
            Test::PayloadSize(_) | Test::SameAddress => {}
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
            protocol: column(Fact::Protocol),
            flags: column(Fact::TcpFlags),
            carried: column(Fact::Carried),
            icmp_type: column(Fact::IcmpType),
            icmp6_type: column(Fact::Icmp6Type),
            icmp_code: column(Fact::IcmpCode),
            icmp6_code: column(Fact::Icmp6Code),
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
    protocol: Option<&'a Column>,
    flags: Option<&'a Column>,
    carried: Option<&'a Column>,
    icmp_type: Option<&'a Column>,
    icmp6_type: Option<&'a Column>,
    icmp_code: Option<&'a Column>,
    icmp6_code: Option<&'a Column>,
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
    pub fn packet(&self, row: usize) -> Option<Packet<'a>> {
        let byte = |column| unsigned(column, row).map(|number| number as u8);
        let word = |column| unsigned(column, row).map(|number| number as u16);
        Some(Packet {
            source: address(self.source, row)?,
            target: address(self.target, row)?,
            payload: bytes(self.carried, row),
            protocol: byte(self.protocol),
            ttl: byte(self.ttl),
            tos: byte(self.tos),
            id: word(self.id),
            fragment_bits: byte(self.fragment_bits),
            flags: word(self.flags),
            sequence: unsigned(self.sequence, row),
            acknowledgment: unsigned(self.acknowledgment, row),
            window: word(self.window),
            icmp_type: byte(self.icmp_type).or_else(|| byte(self.icmp6_type)),
            icmp_code: byte(self.icmp_code).or_else(|| byte(self.icmp6_code)),
        })
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
        Data::Address4(values) => values.get(row).copied().map(Address::v4),
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
