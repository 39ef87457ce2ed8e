//! What rules ask of headers, besides protocol, addresses and ports.

use super::number::NumberTest;
use super::packet::Packet;

/// A test of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// The length of the payload.
    PayloadSize(NumberTest),
    /// The flags of TCP.
    Flags(BitTest),
    /// Time to live, or hop limit.
    Ttl(NumberTest),
    /// Type of service.
    Tos(NumberTest),
    /// The identification of IPv4.
    Id(NumberTest),
    /// The flag bits of IPv4.
    FragmentBits(BitTest),
    /// The sequence number of TCP.
    Sequence(u32),
    /// The acknowledgment number of TCP.
    Acknowledgment(u32),
    /// The window of TCP.
    Window(NumberTest),
    /// The type of an ICMP message.
    IcmpType(NumberTest),
    /// Its code.
    IcmpCode(NumberTest),
    /// The number of the protocol.
    IpProtocol(NumberTest),
    /// Sender and receiver have one address.
    SameAddress,
}

/// How bits are tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bits {
    /// These and no others.
    Exactly,
    /// These, whatever the others are.
    All,
    /// Any of these.
    Any,
    /// Not all of these.
    NotAll,
}

/// A test of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BitTest {
    /// The bits.
    pub bits: u16,
    /// The bits that are looked at.
    pub mask: u16,
    /// How.
    pub how: Bits,
}

impl BitTest {
    /// Whether bits pass.
    #[inline]
    pub fn holds(self, bits: u16) -> bool {
        let seen = bits & self.mask;
        match self.how {
            Bits::Exactly => seen == self.bits,
            Bits::All => seen & self.bits == self.bits,
            Bits::Any => seen & self.bits != 0,
            Bits::NotAll => seen & self.bits != self.bits,
        }
    }
}

impl Test {
    /// Whether a packet passes; one that lacks what is asked for does not.
    #[inline]
    pub fn holds(self, packet: &Packet<'_>) -> bool {
        match self {
            Test::PayloadSize(test) => test.holds(Some(packet.payload.len() as u32)),
            Test::Flags(test) => packet.flags.is_some_and(|flags| test.holds(flags)),
            Test::Ttl(test) => test.holds(packet.ttl),
            Test::Tos(test) => test.holds(packet.tos),
            Test::Id(test) => test.holds(packet.id),
            Test::FragmentBits(test) => packet
                .fragment_bits
                .is_some_and(|bits| test.holds(bits.into())),
            Test::Sequence(number) => packet.sequence == Some(number),
            Test::Acknowledgment(number) => packet.acknowledgment == Some(number),
            Test::Window(test) => test.holds(packet.window),
            Test::IcmpType(test) => test.holds(packet.icmp_type),
            Test::IcmpCode(test) => test.holds(packet.icmp_code),
            Test::IpProtocol(test) => test.holds(packet.protocol),
            Test::SameAddress => packet.source == packet.target,
        }
    }
}
