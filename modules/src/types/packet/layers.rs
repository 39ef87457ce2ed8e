//! All layers of a frame, found when a field that needs them is first asked for.
//!
//! The pass that frames packets finds the outermost network and transport header and nothing else.
//! Whatever else is in a frame (tags, tunnels, quoted packets) is found here, once a part, for the
//! rows that are asked about. Each protocol says by what it is found ([`Protocol::found`]) and what it
//! carries ([`Protocol::carries`]); the walk goes from one to the next.

use super::header::Header;
use super::opened::Opened;
use super::values::Get::Every;
use super::values::{Listed, text};
use super::{Frame, Frames, Layers, PROTOCOLS};
use std::sync::{LazyLock, MutexGuard, PoisonError};
use wireq_typesys::Bitmap;

/// The most layers of a frame: real ones have fewer than twenty, so that work is bounded.
const LAYERS_MAX: usize = 48;

/// A protocol whose headers are found in frames, or one that TCP and UDP carry.
pub(super) struct Protocol {
    /// Its name, as Wireshark's filters have it.
    pub name: &'static str,
    /// Where it is defined.
    pub source: &'static str,
    /// What says that a header of it follows.
    pub found: &'static [By],
    /// What its header carries; none where nothing is looked for behind it.
    pub carries: Option<fn(&Header<'_>) -> Next>,
    /// Its fields.
    pub fields: &'static [Listed],
}

/// What all headers have.
pub(super) static EVERY: Protocol = Protocol {
    name: "layers",
    source: "this program",
    found: &[],
    carries: None,
    fields: &[text(
        "layers",
        Every(|header, values| {
            let protocol = PROTOCOLS.get(usize::from(header.layer.protocol));
            _ = protocol.map(|protocol| values.made(protocol.name.as_bytes()));
        }),
        "The names of the headers that were found, from the outermost.",
    )],
};

/// What says which protocol follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// A LINKTYPE number.
    Link(u16),
    /// The type of IEEE 802.3.
    Ethertype(u16),
    /// A service access point of IEEE 802.2.
    Llc(u8),
    /// A protocol number of PPP (RFC 1661).
    Ppp(u16),
    /// The type of what GRE and its kin carry: one of IEEE 802.3, or one of their own.
    Gre(u16),
    /// A protocol number of IP.
    Ip(u8),
    /// A port of UDP at one of both ends.
    UdpPort(u16),
    /// Nothing that is known.
    Nothing,
}

/// What a header carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Next {
    /// The length of the header.
    pub header: usize,
    /// The length of the header and what it carries, where it says so.
    pub packet: Option<usize>,
    /// What follows.
    pub by: By,
    /// Whether what follows is quoted: sent earlier by somebody else, and not carried.
    pub quoted: bool,
    /// Whether what follows is at the place of the header, of which only the first byte is one.
    pub instead: bool,
}

impl Next {
    /// A header of this length, and what follows up to the end of what it is in.
    pub const fn behind(header: usize, by: By) -> Next {
        Next {
            header,
            packet: None,
            by,
            quoted: false,
            instead: false,
        }
    }

    /// A header of this length, with nothing behind it that is looked for.
    pub const fn last(header: usize) -> Next {
        Next::behind(header, By::Nothing)
    }

    /// A header that can't be: only its first bytes are taken for it.
    pub const fn broken(header: usize) -> Next {
        Next::behind(header, By::Nothing).of(header)
    }

    /// No header of what was announced: at its place is another.
    pub const fn instead(by: By) -> Next {
        Next {
            instead: true,
            ..Next::behind(0, by)
        }
    }

    /// The same, with what follows quoted.
    pub const fn quoting(mut self) -> Next {
        self.quoted = true;
        self
    }

    /// The same with the length of header and payload.
    pub const fn of(mut self, packet: usize) -> Next {
        self.packet = Some(packet);
        self
    }
}

/// A header in a frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layer {
    /// Its first byte in the block.
    pub(super) start: u32,
    /// The first byte of what it carries.
    pub(super) payload: u32,
    /// One past the last byte of what it carries, as captured.
    pub(super) end: u32,
    /// The place of its protocol in [`PROTOCOLS`].
    pub(super) protocol: u8,
    /// Whether it is quoted, as in an ICMP error.
    pub(super) quoted: bool,
}

/// The layers of the rows of a part, as far as they were asked about.
#[derive(Debug, Default)]
pub struct Stack {
    found: Bitmap,
    /// Per row: its layers in the list below.
    rows: Vec<(u32, u32)>,
    layers: Vec<Layer>,
    /// What was decrypted of them.
    pub(super) opened: Opened,
}

impl Stack {
    /// Forgets all rows; keeps buffers.
    pub(super) fn reset(&mut self) {
        self.found = Bitmap::EMPTY;
        self.rows.clear();
        self.layers.clear();
        self.opened.clear();
    }

    /// Finds the layers of the selected rows.
    pub(super) fn find(&mut self, frames: &Frames, selection: &Bitmap) {
        self.rows.resize(frames.rows.len(), (0, 0));
        let block = frames.block.0.as_slice();
        for row in selection.minus(&self.found).iter() {
            let (Some(frame), Some(range)) = (frames.rows.get(row), self.rows.get_mut(row)) else {
                continue;
            };
            let start = self.layers.len();
            walk(block, frame, &mut self.layers);
            *range = (start as u32, self.layers.len() as u32);
        }
        self.found = self.found.or(selection);
    }

    /// The layers of a row, from the outermost.
    pub(super) fn layers(&self, row: usize) -> &[Layer] {
        let (start, end) = self.rows.get(row).copied().unwrap_or_default();
        self.layers.get(start as usize..end as usize).unwrap_or(&[])
    }
}

impl Frames {
    /// The layers of the rows, as far as they were asked about.
    pub(super) fn stack(&self) -> MutexGuard<'_, Stack> {
        // Whatever panicked while it held the lock, what is found is whole or found anew.
        self.stack.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds the layers of a frame and adds them to a list.
pub(super) fn walk(block: &[u8], frame: &Frame, layers: &mut Vec<Layer>) {
    let first = layers.len();
    let mut start = frame.start as usize;
    let mut end = start.saturating_add(frame.caplen as usize).min(block.len());
    let mut quoted = false;
    let mut by = By::Link(frame.link_type);
    while let Some(protocol) = STACK.find(by) {
        if layers.len() - first == LAYERS_MAX || start >= end {
            return;
        }
        layers.push(Layer {
            start: start as u32,
            payload: end as u32,
            end: end as u32,
            protocol,
            quoted,
        });
        let Some(carries) = PROTOCOLS
            .get(usize::from(protocol))
            .and_then(|protocol| protocol.carries)
        else {
            return;
        };
        let (Some(bytes), Some((layer, _))) = (block.get(start..end), layers.split_last()) else {
            return;
        };
        let next = carries(&Header {
            bytes,
            layer: *layer,
            below: &layers[first..],
            block,
            frame,
        });
        if let Some(packet) = next.packet {
            end = end.min(start.saturating_add(packet.max(next.header)));
        }
        let payload = start.saturating_add(next.header).min(end);
        if let Some(layer) = layers.last_mut() {
            layer.payload = payload as u32;
            layer.end = if next.instead {
                end.min(start + 1)
            } else {
                end
            } as u32;
        }
        (start, by, quoted) = (payload, next.by, quoted || next.quoted);
    }
}

/// The outermost headers of a frame that has more before its IP header than Ethernet and tags.
pub(super) fn outermost(block: &[u8], frame: &Frame, buffer: &mut Vec<Layer>) -> Layers {
    buffer.clear();
    walk(block, frame, buffer);
    let mut layers = Layers::default();
    if let Some(at) = super::inner::place(buffer, 0) {
        super::inner::find(block, frame, buffer, at, &mut layers);
    }
    layers
}

/// Few numbers and the protocols that they stand for, in order: asked for in every frame.
#[derive(Default)]
struct Numbers(Vec<(u16, u8)>);

impl Numbers {
    fn insert(&mut self, number: u16, protocol: u8) {
        match self.0.binary_search_by_key(&number, |entry| entry.0) {
            Ok(at) => self.0[at].1 = protocol,
            Err(at) => self.0.insert(at, (number, protocol)),
        }
    }

    fn get(&self, number: u16) -> Option<u8> {
        let at = self.0.binary_search_by_key(&number, |entry| entry.0);
        at.ok().map(|at| self.0[at].1)
    }
}

/// Which protocol follows what.
pub(super) struct Dispatch {
    links: Numbers,
    ethertypes: Numbers,
    ip: [Option<u8>; 256],
    llc: [Option<u8>; 256],
    ppp: Numbers,
    gre: Numbers,
    udp_ports: Numbers,
    /// The place of TCP in [`PROTOCOLS`].
    pub tcp: u8,
    /// The place of UDP in [`PROTOCOLS`].
    pub udp: u8,
    /// The place of UDP-Lite in [`PROTOCOLS`].
    pub udplite: u8,
    /// The place of IPv4 in [`PROTOCOLS`].
    pub ipv4: u8,
    /// The place of IPv6 in [`PROTOCOLS`].
    pub ipv6: u8,
    /// The place of the fragment header of IPv6 in [`PROTOCOLS`].
    pub fragment: u8,
    /// The place of PPP on a serial line in [`PROTOCOLS`].
    pub serial: u8,
}

/// Made of what the protocols say of themselves.
pub(super) static STACK: LazyLock<Dispatch> = LazyLock::new(Dispatch::new);

impl Dispatch {
    fn new() -> Dispatch {
        let mut all = Dispatch {
            links: Numbers::default(),
            ethertypes: Numbers::default(),
            ip: [None; 256],
            llc: [None; 256],
            ppp: Numbers::default(),
            gre: Numbers::default(),
            udp_ports: Numbers::default(),
            tcp: place(&super::tcp::PROTOCOL),
            udp: place(&super::udp::PROTOCOL),
            udplite: place(&super::udp::LITE),
            ipv4: place(&super::ipv4::PROTOCOL),
            ipv6: place(&super::ipv6::PROTOCOL),
            fragment: place(&super::extension::FRAGMENT_HEADER),
            serial: place(&super::ppp::SERIAL),
        };
        for (at, protocol) in PROTOCOLS.iter().enumerate() {
            let at = at as u8;
            for by in protocol.found {
                match *by {
                    By::Link(link) => all.links.insert(link, at),
                    By::Ethertype(ethertype) => all.ethertypes.insert(ethertype, at),
                    By::Llc(point) => all.llc[usize::from(point)] = Some(at),
                    By::Ppp(number) => all.ppp.insert(number, at),
                    By::Ip(number) => all.ip[usize::from(number)] = Some(at),
                    By::Gre(number) => all.gre.insert(number, at),
                    By::UdpPort(port) => all.udp_ports.insert(port, at),
                    By::Nothing => {}
                }
            }
        }
        all
    }

    fn find(&self, by: By) -> Option<u8> {
        match by {
            By::Link(link) => self.links.get(link),
            // The common ones without a look into the table.
            By::Ethertype(super::ipv4::ETHERTYPE) => Some(self.ipv4),
            By::Ethertype(super::ipv6::ETHERTYPE) => Some(self.ipv6),
            By::Ethertype(ethertype) => self.ethertypes.get(ethertype),
            By::Llc(point) => self.llc[usize::from(point)],
            By::Ppp(number) => self.ppp.get(number),
            By::Ip(number) => self.ip[usize::from(number)],
            By::Gre(number) => {
                let own = self.gre.get(number);
                own.or_else(|| self.find(By::Ethertype(number)))
            }
            By::UdpPort(port) => self.udp_ports.get(port),
            By::Nothing => None,
        }
    }

    /// Whether a protocol is known by this.
    pub fn knows(&self, by: By) -> bool {
        self.find(by).is_some()
    }
}

/// The place of a protocol in [`PROTOCOLS`].
pub(super) fn place(protocol: &'static Protocol) -> u8 {
    let is_it = |other: &&Protocol| std::ptr::eq(*other, protocol);
    PROTOCOLS.iter().position(is_it).unwrap_or(usize::MAX) as u8
}
