//! `packet`: a captured frame and the headers in it.
//!
//! A reader frames packets and finds their layers in ONE pass over the batch ([`Frames::push`]);
//! every field is then a load at a known place, done for a whole batch when a query first reads it.
//!
//! A header exists where all of its fixed part was captured and its version and lengths make sense;
//! else its fields are absent. Ports need 4 bytes of the transport header only.
//!
//! To add a protocol: one file with its layout, its `FIELDS` and tests; one entry in `PROTOCOLS`;
//! and, where a lower layer has to find it, a line in that layer's `find`.

mod arp;
mod ethernet;
mod frame;
mod icmp;
mod interface;
mod ipv4;
mod ipv6;
mod load;
mod names;
mod tcp;
mod transport;
mod udp;

pub use interface::{Interface, Record};
pub use names::IP_PROTOCOLS;

use std::any::Any;
use std::sync::{Arc, LazyLock};
use wireq_typesys::{Bitmap, Block, Column, FieldDef, RecordType};

/// One field of a packet: its declaration, and how a column of it is filled.
struct Field {
    def: FieldDef,
    fill: fn(&Frames, &Bitmap, &mut Column),
    /// Whether it is found in the frame record alone, without looking for layers.
    frame_only: bool,
}

/// The fields of all protocols, in the order in which they are listed and printed.
static PROTOCOLS: &[&[Field]] = &[
    frame::FIELDS,
    ethernet::FIELDS,
    arp::FIELDS,
    ipv4::FIELDS,
    transport::FIELDS,
    tcp::FIELDS,
    udp::FIELDS,
    icmp::FIELDS,
    frame::CAPTURE_FIELDS,
    interface::FIELDS,
];

static FIELDS: LazyLock<Vec<&'static Field>> =
    LazyLock::new(|| PROTOCOLS.iter().copied().flatten().collect());
static DEFS: LazyLock<Vec<FieldDef>> =
    LazyLock::new(|| FIELDS.iter().map(|field| field.def).collect());

/// The record type of packets.
pub struct Packet;

impl RecordType for Packet {
    fn name(&self) -> &'static str {
        "packet"
    }

    fn summary(&self) -> &'static str {
        "A captured frame with its link, network and transport headers."
    }

    fn fields(&self) -> &'static [FieldDef] {
        &DEFS
    }

    fn summary_fields(&self) -> &'static [&'static str] {
        &[
            "ts",
            "srcip",
            "srcport",
            "dstip",
            "dstport",
            "ipprotocol",
            "len",
        ]
    }

    fn fill(
        &self,
        rows: &(dyn Any + Send + Sync),
        field: usize,
        selection: &Bitmap,
        column: &mut Column,
    ) {
        if let (Some(frames), Some(field)) = (rows.downcast_ref::<Frames>(), FIELDS.get(field)) {
            (field.fill)(frames, selection, column);
        }
    }
}

/// Whether filling any of these fields needs the layers of the frames.
pub fn needs_layers(fields: impl IntoIterator<Item = usize>) -> bool {
    fields
        .into_iter()
        .any(|field| FIELDS.get(field).is_none_or(|field| !field.frame_only))
}

/// The time of frames without one.
pub const NO_TIME: i64 = i64::MIN;

/// One captured frame: where its bytes are in the block, and what the capture says of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame {
    /// Nanoseconds since 1970, or [`NO_TIME`].
    pub ts: i64,
    /// The first byte in the block.
    pub start: u32,
    /// The bytes captured.
    pub caplen: u32,
    /// The bytes on the wire.
    pub len: u32,
    /// What its link layer is: a LINKTYPE number. A file may hold frames of several.
    pub link_type: u16,
    /// The number of its interface in [`Frames::interfaces`].
    pub interface: u16,
    /// Where its headers are.
    pub layers: Layers,
}

impl Frame {
    /// When it was captured, where that is known.
    #[inline(always)]
    pub fn time(&self) -> Option<i64> {
        (self.ts != NO_TIME).then_some(self.ts)
    }
}

/// Where the headers of a frame are in the block. A header that [`Layers::has`] is within the frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layers {
    /// The network header's first byte.
    pub network: u32,
    /// The transport header's first byte.
    pub transport: u32,
    /// One past the last byte of the network packet, as captured.
    pub end: u32,
    /// Bits of [`has`].
    pub has: u16,
    /// The number of the transport protocol.
    pub protocol: u8,
}

/// What a frame has: bits of [`Layers::has`].
pub mod has {
    /// An Ethernet header.
    pub const ETHERNET: u16 = 1;
    /// A VLAN tag.
    pub const VLAN: u16 = 1 << 1;
    /// An ARP packet of IPv4 over Ethernet.
    pub const ARP: u16 = 1 << 2;
    /// An IPv4 header.
    pub const IPV4: u16 = 1 << 3;
    /// An IPv6 header.
    pub const IPV6: u16 = 1 << 4;
    /// The four bytes of ports.
    pub const PORTS: u16 = 1 << 5;
    /// A TCP header.
    pub const TCP: u16 = 1 << 6;
    /// A UDP header.
    pub const UDP: u16 = 1 << 7;
    /// Type and code of an ICMP message.
    pub const ICMP: u16 = 1 << 8;
}

/// The frames of a part, all of one block of one file.
#[derive(Debug, Default)]
pub struct Frames {
    /// The bytes.
    pub block: Arc<Block>,
    /// The frames.
    pub rows: Vec<Frame>,
    /// The interfaces that frames were captured at, as far as there are frames of them.
    pub interfaces: Vec<Arc<Interface>>,
    /// The number of the first frame in its file, from 1.
    pub first_number: u64,
    /// Whether layers are looked for.
    pub layers: bool,
    /// Stands for the block where there is none.
    pub nothing: Arc<Block>,
}

/// The LINKTYPE of Ethernet.
pub const LINKTYPE_ETHERNET: u16 = 1;

impl Frames {
    /// Makes ready for the frames of another part.
    pub fn reset(&mut self, block: &Arc<Block>, first_number: u64) {
        self.block = Arc::clone(block);
        self.rows.clear();
        self.interfaces.clear();
        self.first_number = first_number;
    }

    /// Lets go of the block, where there are no frames of it.
    pub fn let_go(&mut self) {
        self.block = Arc::clone(&self.nothing);
    }

    /// The interface that a frame was captured at.
    #[inline]
    pub fn interface(&self, frame: &Frame) -> Option<&Interface> {
        let interface = self.interfaces.get(usize::from(frame.interface));
        interface.map(|interface| &**interface)
    }

    /// Adds a frame, and finds its layers. `bytes` are those of the block.
    #[inline]
    pub fn push(&mut self, bytes: &[u8], mut frame: Frame) {
        if self.layers && frame.link_type == LINKTYPE_ETHERNET {
            let end = (frame.start as usize)
                .saturating_add(frame.caplen as usize)
                .min(bytes.len());
            frame.layers = ethernet::find(&bytes[..end], frame.start as usize);
        }
        self.rows.push(frame);
    }
}
