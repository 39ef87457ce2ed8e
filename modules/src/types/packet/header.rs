//! A header in a frame: loads that end where the header's packet ends, or what was captured of it.

use super::Frame;
use super::layers::{Layer, STACK};
use wireq_typesys::Mac;

/// A layer of a frame and its bytes.
#[derive(Clone, Copy)]
pub(super) struct Header<'a> {
    /// From the header's first byte to the end of its packet, as far as captured.
    pub bytes: &'a [u8],
    /// Where it stands among the layers.
    pub layer: Layer,
    /// The layers of the frame up to this one, from the outermost.
    pub below: &'a [Layer],
    /// The block that the frame is in.
    pub block: &'a [u8],
    /// The frame.
    pub frame: &'a Frame,
}

impl<'a> Header<'a> {
    /// The byte at `at`.
    #[inline(always)]
    pub fn u8(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// Two bytes in network order.
    #[inline(always)]
    pub fn u16(&self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_be_bytes)
    }

    /// Three bytes in network order.
    pub fn u24(&self, at: usize) -> Option<u32> {
        let [a, b, c] = self.array(at)?;
        Some(u32::from_be_bytes([0, a, b, c]))
    }

    /// Four bytes in network order.
    #[inline(always)]
    pub fn u32(&self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_be_bytes)
    }

    /// Two bytes, the lower first.
    pub fn le16(&self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    /// Four bytes, the lowest first.
    pub fn le32(&self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// A hardware address.
    pub fn mac(&self, at: usize) -> Option<Mac> {
        self.array(at).map(Mac)
    }

    /// `N` bytes.
    #[inline(always)]
    pub fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.bytes.get(at..at.checked_add(N)?)?.try_into().ok()
    }

    /// Calls `then` where the first byte, which says what a message is, is one of these.
    pub fn of(&self, kinds: &[u8], then: impl FnOnce(&Header<'a>)) {
        if self.u8(0).is_some_and(|kind| kinds.contains(&kind)) {
            then(self);
        }
    }

    /// The place of the IP header next below among the layers.
    pub fn ip(&self) -> Option<usize> {
        let is_ip = |layer: &Layer| layer.protocol == STACK.ipv4 || layer.protocol == STACK.ipv6;
        self.below.iter().rposition(is_ip)
    }

    /// The bytes behind the header, as far as captured.
    pub fn payload(&self) -> &'a [u8] {
        let start = self.layer.payload.saturating_sub(self.layer.start) as usize;
        self.bytes.get(start..).unwrap_or(&[])
    }
}

/// What a transport header carries, for the protocols above it.
#[derive(Clone, Copy)]
pub(super) struct Payload<'a> {
    /// The bytes, as far as captured.
    pub bytes: &'a [u8],
    /// Where they begin in the block.
    pub start: u32,
    /// The number of the transport protocol: 6 or 17.
    pub protocol: u8,
    /// Port of the sender.
    pub srcport: u16,
    /// Port of the receiver.
    pub dstport: u16,
    /// The transport header.
    pub header: Header<'a>,
}

impl<'a> Payload<'a> {
    /// What a transport header carries; none where its ports were not captured.
    #[inline(always)]
    pub fn of(header: &Header<'a>, protocol: u8) -> Option<Payload<'a>> {
        Some(Payload {
            bytes: header.payload(),
            start: header.layer.payload,
            protocol,
            srcport: header.u16(0)?,
            dstport: header.u16(2)?,
            header: *header,
        })
    }

    /// Whether one of the ports is this one.
    pub fn has_port(&self, port: u16) -> bool {
        self.srcport == port || self.dstport == port
    }

    /// Whether it is carried by TCP.
    pub fn is_tcp(&self) -> bool {
        self.protocol == super::tcp::PROTOCOL_NUMBER
    }

    /// Whether it is carried by UDP.
    pub fn is_udp(&self) -> bool {
        self.protocol == super::udp::PROTOCOL_NUMBER
    }
}
