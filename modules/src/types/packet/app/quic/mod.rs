//! QUIC (RFC 9000, RFC 9369) over UDP, at any port: the headers of its long packets, and what a client
//! says in its first ones, which are encrypted with keys made of what stands in them (RFC 9001, 5.2).
//!
//! A server's first packets are encrypted with keys made of the client's, which is another packet.

mod initial;

use super::cursor::Cursor;
use super::found::Found;
use super::{Payload, fields};
use wireq_typesys::Kind::{Bytes, Unsigned};

pub(super) const VERSION_1: u32 = 1;
pub(super) const VERSION_2: u32 = 0x6b33_43cf;
/// Drafts 23 to 34, which are in captures.
const DRAFTS: std::ops::RangeInclusive<u32> = 0xff00_0017..=0xff00_0022;
/// Connection ids have at most this many bytes in these versions (RFC 9000, 17.2).
const CONNECTION_ID_LEN_MAX: u8 = 20;
const LONG: u8 = 0x80;
const FIXED: u8 = 0x40;
const RETRY: u8 = 3;

fields! { walk, "quic", "RFC 9000";
    Version "quic.version" [] Unsigned, "Versions of packets with long headers: 1.";
    PacketType "quic.long.packet_type" [] Unsigned, "Types of those packets: 0 is an initial one.";
    DestinationLength "quic.dcil" [] Unsigned, "Bytes of the receiver's connection id.";
    Destination "quic.dcid" [] Bytes, "The receiver's connection id.";
    SourceLength "quic.scil" [] Unsigned, "Bytes of the sender's connection id.";
    Source "quic.scid" [] Bytes, "The sender's connection id.";
    TokenLength "quic.token_length" [] Unsigned, "Bytes of the token that an initial packet brings.";
    Token "quic.token" [] Bytes, "That token.";
    Length "quic.length" [] Unsigned, "Bytes of packet number and payload.";
}

/// A packet with a long header (RFC 9000, 17.2).
pub(super) struct Long<'a> {
    version: u32,
    /// The type, numbered as in version 1.
    kind: u8,
    destination: &'a [u8],
    source: &'a [u8],
    /// Of initial packets.
    token: &'a [u8],
    /// None for a retry, which has none.
    length: Option<u64>,
    /// The packet from its first byte to its end.
    packet: &'a [u8],
    /// Where the packet number begins.
    number_at: usize,
}

const INITIAL: u8 = 0;

/// A number of 1, 2, 4 or 8 bytes (RFC 9000, 16).
pub(super) fn varint(bytes: &mut Cursor<'_>) -> Option<u64> {
    let first = bytes.u8()?;
    let mut number = u64::from(first & 0x3f);
    for _ in 1..1 << (first >> 6) {
        number = number << 8 | u64::from(bytes.u8()?);
    }
    Some(number)
}

impl<'a> Long<'a> {
    /// The next packet of a datagram; none where there is none of a known version.
    fn parse(datagram: &mut Cursor<'a>) -> Option<Long<'a>> {
        let whole = datagram.bytes;
        let mut rest = *datagram;
        let first = rest.u8()?;
        let version = rest.u32()?;
        let is_known = version == VERSION_1 || version == VERSION_2 || DRAFTS.contains(&version);
        // Without the fixed bit (RFC 9287), only where the version is one that nothing else begins with.
        let is_quic = first & FIXED != 0 || version != VERSION_1;
        (first & LONG != 0 && is_known && is_quic).then_some(())?;
        let destination = connection_id(&mut rest)?;
        let source = connection_id(&mut rest)?;
        let kind = (first >> 4 & 3).wrapping_sub(u8::from(version == VERSION_2)) & 3;
        let mut token = &[][..];
        if kind == INITIAL {
            let len = varint(&mut rest)?;
            token = rest.take(usize::try_from(len).ok()?)?;
        }
        let length = match kind {
            RETRY => None,
            _ => Some(varint(&mut rest)?),
        };
        let number_at = whole.len() - rest.bytes.len();
        let packet_len = length.map_or(Some(whole.len()), |length| {
            number_at.checked_add(usize::try_from(length).ok()?)
        })?;
        let packet = datagram.within(packet_len).bytes;
        Some(Long {
            version,
            kind,
            destination,
            source,
            token,
            length,
            packet,
            number_at,
        })
    }
}

fn connection_id<'a>(rest: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let len = rest.u8()?;
    (len <= CONNECTION_ID_LEN_MAX).then(|| rest.take(len.into()))?
}

fn walk(payload: &Payload<'_>, found: &mut Found<'_>) -> Option<()> {
    if !payload.is_udp() {
        return None;
    }
    let mut datagram = Cursor::new(payload.bytes);
    while !datagram.is_empty() {
        let packet = Long::parse(&mut datagram)?;
        found.number(Id::Version, packet.version);
        found.number(Id::PacketType, packet.kind);
        found.number(Id::DestinationLength, packet.destination.len() as u64);
        if !packet.destination.is_empty() {
            found.bytes(Id::Destination, packet.destination);
        }
        found.number(Id::SourceLength, packet.source.len() as u64);
        if !packet.source.is_empty() {
            found.bytes(Id::Source, packet.source);
        }
        if packet.kind == INITIAL {
            found.number(Id::TokenLength, packet.token.len() as u64);
            if !packet.token.is_empty() {
                found.bytes(Id::Token, packet.token);
            }
        }
        if let Some(length) = packet.length {
            found.number(Id::Length, length);
        }
    }
    Some(())
}

/// Calls `say` with type, content and length of the message with which a client begins in the
/// initial packets of a datagram; the content may go on in another datagram.
pub(super) fn hello(
    payload: &Payload<'_>,
    found: &mut Found<'_>,
    say: impl FnOnce(u8, Cursor<'_>, u32, &mut Found<'_>),
) -> Option<()> {
    Long::parse(&mut Cursor::new(payload.bytes))?;
    found.opened(
        payload.start,
        |out| open(payload.bytes, out),
        |bytes, found| {
            let mut message = Cursor::new(bytes);
            let (kind, len) = (message.u8()?, message.u24()?);
            say(kind, message.within(len as usize), len, found);
            Some(())
        },
    )
}

/// Writes what the client's initial packets in a datagram say, up to the first gap.
fn open(datagram: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut datagram = Cursor::new(datagram);
    let mut crypto = initial::Crypto::default();
    let mut keys = None;
    while let Some(packet) = Long::parse(&mut datagram) {
        if packet.kind == INITIAL {
            let keys = match &mut keys {
                Some(keys) => keys,
                none => none.insert(initial::Keys::of_client(
                    packet.version,
                    packet.destination,
                )?),
            };
            initial::open(&packet, keys, &mut crypto)?;
        }
    }
    crypto.write_beginning(out);
    Some(())
}

#[cfg(test)]
mod tests;
