//! What rules see of a packet.

use wireq_typesys::Address;

/// One packet: the facts that rules ask for behind their headers. Those that it lacks are none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packet<'a> {
    /// The sender.
    pub source: Address,
    /// The receiver.
    pub target: Address,
    /// The number of the protocol.
    pub protocol: Option<u8>,
    /// Time to live, or hop limit.
    pub ttl: Option<u8>,
    /// Type of service, or traffic class.
    pub tos: Option<u8>,
    /// The identification of IPv4.
    pub id: Option<u16>,
    /// The three flag bits of IPv4.
    pub fragment_bits: Option<u8>,
    /// The flags of TCP.
    pub flags: Option<u16>,
    /// The sequence number of TCP.
    pub sequence: Option<u32>,
    /// The acknowledgment number of TCP.
    pub acknowledgment: Option<u32>,
    /// The window of TCP, as sent.
    pub window: Option<u16>,
    /// The type of an ICMP message.
    pub icmp_type: Option<u8>,
    /// Its code.
    pub icmp_code: Option<u8>,
    /// What TCP, UDP or ICMP carries; empty where there is nothing.
    pub payload: &'a [u8],
}
