//! `packet`: a captured frame and the headers in it.
//!
//! A reader frames packets and finds their layers in ONE pass over the batch ([`Frames::push`]);
//! every field is then a load at a known place, done for a whole batch when a query first reads it.
//!
//! A header exists where all of its fixed part was captured and its version and lengths make sense;
//! else its fields are absent. Ports need 4 bytes of the transport header only.
//!
//! Fields are of two kinds. Those with short names (`srcip`) have one value, of the outermost header;
//! they are columns of the framing pass. Those with Wireshark's names (`ip.src`) are lists of the
//! values in all headers of a frame, tunnels and quoted packets included: the first of them that is
//! asked for makes all layers of the part be found (`layers`).
//!
//! To add a protocol: one file with a `layers::Protocol` (what it is found by, what it carries, its
//! fields) and tests, and one entry in `PROTOCOLS`.

mod app;
mod arp;
mod carried;
mod checksum;
mod community_id;
mod dccp;
mod erspan;
mod ethernet;
mod extension;
mod fabricpath;
mod frame;
mod geneve;
mod gre;
mod gtp;
mod header;
mod icmp;
mod icmpv6;
mod igmp;
mod inner;
mod interface;
mod ipsec;
mod ipv4;
mod ipv6;
mod l2tp;
mod layers;
mod links;
mod linktypes;
mod llc;
mod lldp;
mod load;
mod macsec;
mod mpls;
mod names;
mod older;
mod opened;
mod ospf;
mod pim;
mod plain;
mod ppp;
mod pppoe;
mod radiotap;
mod sctp;
mod sll;
mod stp;
mod tags;
mod tcp;
mod teredo;
mod transport;
mod udp;
mod values;
mod vlan;
mod vrrp;
mod vxlan;
mod vxlan_gpe;
mod wlan;

pub use community_id::Flow;
pub use interface::{Interface, Record, record};
pub use linktypes::LINK_TYPES;
pub use names::IP_PROTOCOLS;

use layers::Protocol;
pub use layers::{Layer, Stack};
use std::any::Any;
use std::sync::{Arc, LazyLock, Mutex};
use values::{First, Listed};
use wireq_typesys::{Bitmap, Block, Column, FieldDef, Kind, Recipe, RecordType, Shape};

/// One field of a packet with one value: its declaration, and how a column of it is filled.
struct Field {
    def: FieldDef,
    fill: fn(&Frames, &Bitmap, &mut Column),
    /// Whether it is found in the frame record alone, without looking for layers.
    frame_only: bool,
}

/// The fields with one value, in the order in which they are listed and printed.
static COLUMNS: &[&[Field]] = &[
    frame::FIELDS,
    ethernet::FIELDS,
    ipv4::FIELDS,
    transport::FIELDS,
    tcp::FIELDS,
    icmp::FIELDS,
    carried::FIELDS,
    community_id::FIELDS,
    frame::CAPTURE_FIELDS,
    interface::FIELDS,
];

/// All protocols whose headers are found, and those that are carried.
static PROTOCOLS: &[&Protocol] = &[
    &ethernet::PROTOCOL,
    &vlan::PROTOCOL,
    &vlan::PROVIDER,
    &fabricpath::PROTOCOL,
    &macsec::PROTOCOL,
    &mpls::PROTOCOL,
    &llc::PROTOCOL,
    &stp::PROTOCOL,
    &lldp::PROTOCOL,
    &pppoe::PROTOCOL,
    &ppp::PROTOCOL,
    &ppp::SERIAL,
    &ppp::CISCO,
    &links::RAW,
    &links::IPV4,
    &links::IPV6,
    &links::NULL,
    &links::LOOP,
    &links::NFLOG,
    &links::PFLOG,
    &sll::PROTOCOL,
    &radiotap::PROTOCOL,
    &radiotap::PPI,
    &wlan::PROTOCOL,
    &arp::PROTOCOL,
    &ipv4::PROTOCOL,
    &ipv6::PROTOCOL,
    &extension::HOP_BY_HOP_OPTIONS,
    &extension::ROUTING_HEADER,
    &extension::FRAGMENT_HEADER,
    &extension::DESTINATION_OPTIONS,
    &ipsec::AH,
    &ipsec::ESP,
    &ipsec::IN_UDP,
    &icmp::PROTOCOL,
    &icmpv6::PROTOCOL,
    &igmp::PROTOCOL,
    &tcp::PROTOCOL,
    &udp::PROTOCOL,
    &udp::LITE,
    &sctp::PROTOCOL,
    &dccp::PROTOCOL,
    &gre::PROTOCOL,
    &erspan::PROTOCOL,
    &vxlan::PROTOCOL,
    &vxlan_gpe::PROTOCOL,
    &geneve::PROTOCOL,
    &gtp::PROTOCOL,
    &teredo::PROTOCOL,
    &l2tp::PROTOCOL,
    &ospf::PROTOCOL,
    &vrrp::PROTOCOL,
    &pim::PROTOCOL,
    &older::FDDI,
    &older::TOKEN_RING,
    &older::ARCNET,
    &older::FRAME_RELAY,
    &older::CLIP,
    &older::INFINIBAND,
    &older::IPNET,
    &older::PRISM,
    &tags::ETAG,
    &tags::VNTAG,
    &tags::NSH,
    &tags::LISP,
    &tags::AYIYA,
    &layers::EVERY,
];

/// How a field is filled.
enum Fill {
    Column(&'static Field),
    /// A list of what is in the headers of a protocol, by its place.
    List(&'static Listed, u8),
    /// The first value of such a list.
    First(&'static First),
}

static FIELDS: LazyLock<Vec<Fill>> = LazyLock::new(|| {
    let columns = COLUMNS.iter().copied().flatten().map(Fill::Column);
    let firsts = app::FIRSTS.iter().copied().flatten().map(Fill::First);
    let lists = all_protocols().enumerate().flat_map(|(at, protocol)| {
        let fields = protocol.fields.iter();
        fields.map(move |field| Fill::List(field, at as u8))
    });
    columns.chain(firsts).chain(lists).collect()
});
static DEFS: LazyLock<Vec<FieldDef>> = LazyLock::new(|| {
    let def = |fill: &Fill| match fill {
        Fill::Column(field) => field.def,
        Fill::List(field, protocol) => field.def(source(*protocol)),
        Fill::First(field) => field.def,
    };
    FIELDS.iter().map(def).collect()
});

/// The place of a protocol without headers of its own.
const NO_HEADER: u8 = u8::MAX;

/// The protocols of headers, and those that TCP and UDP carry.
fn all_protocols() -> impl Iterator<Item = &'static Protocol> {
    PROTOCOLS.iter().chain(app::PROTOCOLS).copied()
}

fn source(protocol: u8) -> &'static str {
    let protocol = all_protocols().nth(protocol.into());
    protocol.map_or("", |protocol| protocol.source)
}

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
        let Some(frames) = rows.downcast_ref::<Frames>() else {
            return;
        };
        let (depth, field) = inner::split(field);
        match FIELDS.get(field) {
            Some(Fill::Column(field)) if depth == 0 => (field.fill)(frames, selection, column),
            Some(Fill::Column(field)) => {
                let (frames, tunnelled) = inner::frames(frames, selection, depth);
                (field.fill)(&frames, &tunnelled, column);
            }
            Some(Fill::List(field, protocol)) => {
                values::fill(frames, selection, column, field, *protocol, depth);
            }
            Some(Fill::First(field)) => {
                values::fill(frames, selection, column, field.of, NO_HEADER, depth);
                values::keep_first(column);
            }
            None => {}
        }
    }

    fn stands_for_all(&self, field: usize) -> bool {
        // The name of the link type is its number once more, and an ID of what flow it is says
        // what addresses and ports do.
        let said_already = |name| ["link", "community_id"].contains(&name);
        matches!(FIELDS.get(field), Some(Fill::Column(field)) if !said_already(field.def.name))
    }

    fn resolve(&self, name: &str) -> Option<(usize, Kind)> {
        let (depth, name) = inner::depth(name)?;
        let field = self.field(name)?;
        let of_frame = matches!(FIELDS.get(field), Some(Fill::Column(field)) if field.frame_only);
        let def = DEFS.get(field).filter(|_| depth == 0 || !of_frame)?;
        Some((inner::join(depth, field), def.kind))
    }
}

/// The layers of an Ethernet frame that begins at `start` of `bytes` and ends with them.
pub fn find_layers(bytes: &[u8], start: usize) -> Layers {
    ethernet::find(bytes, start)
}

/// The fields of a shape that are filled as columns.
fn columns(shape: &Shape) -> impl Iterator<Item = &'static Field> {
    shape.base.iter().filter_map(|def| match def.recipe {
        Recipe::Field(field) => match FIELDS.get(field) {
            Some(Fill::Column(field)) => Some(*field),
            Some(Fill::List(..) | Fill::First(_)) | None => None,
        },
        _ => None,
    })
}

/// Whether filling the columns of a shape needs the layers of the frames.
fn wants_layers(shape: &Shape) -> bool {
    columns(shape).any(|field| !field.frame_only)
}

/// Whether a shape has a field.
fn wants(shape: &Shape, name: &str) -> bool {
    columns(shape).any(|field| field.def.name == name)
}

/// What stands between two frames of a pcapng file: blocks that are none of packets, one behind the
/// other, each as long as it says.
#[derive(Debug, Default)]
pub struct Beside {
    /// Their order of bytes, up to a section header.
    pub big_endian: bool,
    /// The blocks.
    pub bytes: Vec<u8>,
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
    /// Whether what stands between frames is kept for those who write captures.
    pub blocks: bool,
    /// All layers of the rows that were asked about.
    pub stack: Mutex<Stack>,
    /// The layers of one frame, while the outermost are looked for.
    pub buffer: Vec<Layer>,
    /// Stands for the block where there is none.
    pub nothing: Arc<Block>,
}

/// The LINKTYPE of Ethernet.
pub const LINKTYPE_ETHERNET: u16 = 1;

impl Frames {
    /// No frames, for parts of this shape.
    pub fn of(shape: &Shape) -> Frames {
        Frames {
            layers: wants_layers(shape),
            blocks: wants(shape, interface::BLOCK),
            ..Frames::default()
        }
    }

    /// Makes ready for the frames of another part.
    pub fn reset(&mut self, block: &Arc<Block>, first_number: u64) {
        self.block = Arc::clone(block);
        self.rows.clear();
        self.interfaces.clear();
        self.first_number = first_number;
        self.stack().reset();
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
    #[inline(always)]
    pub fn push(&mut self, bytes: &[u8], mut frame: Frame) {
        if self.layers {
            let end = (frame.start as usize)
                .saturating_add(frame.caplen as usize)
                .min(bytes.len());
            let is_ethernet = frame.link_type == LINKTYPE_ETHERNET;
            match ethernet::find_plain(&bytes[..end], frame.start as usize) {
                // Where there is room, fields are written to where they stay. A frame that is put together
                // elsewhere is copied in larger pieces than it was written in, which wait for the writes.
                Some(layers) if is_ethernet && self.rows.len() < self.rows.capacity() => {
                    self.rows.push(Frame { layers, ..frame });
                    return;
                }
                Some(layers) if is_ethernet => frame.layers = layers,
                _ => frame.layers = self.find_any(&bytes[..end], &frame),
            }
        }
        self.rows.push(frame);
    }

    /// The layers of a frame that is not plain.
    #[inline(never)]
    fn find_any(&mut self, bytes: &[u8], frame: &Frame) -> Layers {
        let mut layers = Layers::default();
        if frame.link_type == LINKTYPE_ETHERNET {
            layers = ethernet::find(bytes, frame.start as usize);
        }
        if layers.has & (has::IPV4 | has::IPV6 | has::ARP) == 0 {
            let found = layers::outermost(bytes, frame, &mut self.buffer);
            layers = Layers {
                has: layers.has | found.has,
                ..found
            };
        }
        layers
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_readme_shows_a_protocol_as_it_is() {
        let readme = include_str!("../../../../README.md");
        assert!(readme.contains(include_str!("vxlan.rs")));
    }
}
