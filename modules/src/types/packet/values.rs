//! Fields with several values: declared in one line each, and filled into columns of lists.

use super::Frames;
use super::header::{Header, Payload};
use super::layers::{Layer, STACK, Stack};
use super::opened::Opened;
use std::sync::Arc;
use wireq_typesys::{Address, Bitmap, Block, Column, Data, FieldDef, Kind, Mac, Slices};

/// A field of which a packet may have several values.
pub(super) struct Listed {
    /// The name that output shows: Wireshark's, where it has one.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// What it holds: always a list.
    pub kind: Kind,
    /// What it means, in one sentence.
    pub summary: &'static str,
    /// Where it is defined, where that is not where its protocol is.
    pub source: Option<&'static str>,
    /// How its values are found.
    pub get: Get,
}

impl Listed {
    /// The same with other names.
    pub const fn or(mut self, aliases: &'static [&'static str]) -> Listed {
        self.aliases = aliases;
        self
    }

    /// The same, defined elsewhere than its protocol.
    pub const fn from(mut self, source: &'static str) -> Listed {
        self.source = Some(source);
        self
    }

    pub(super) fn def(&self, source: &'static str) -> FieldDef {
        FieldDef {
            name: self.name,
            aliases: self.aliases,
            kind: self.kind,
            summary: self.summary,
            source: self.source.unwrap_or(source),
        }
    }
}

/// How the values of a field are found in a header of its protocol, or in what TCP and UDP carry.
pub(super) enum Get {
    /// A byte.
    U8(usize),
    /// Two bytes in network order.
    U16(usize),
    /// Three bytes in network order.
    U24(usize),
    /// Four bytes in network order.
    U32(usize),
    /// Bits of a byte.
    Bits8(usize, u8),
    /// Bits of two bytes in network order.
    Bits16(usize, u16),
    /// Bits of four bytes in network order.
    Bits32(usize, u32),
    /// An IPv4 address.
    V4(usize),
    /// An IPv6 address.
    V6(usize),
    /// A hardware address.
    Mac(usize),
    /// Anything in an IP header of either version.
    Network(fn(&Header<'_>, &mut Values)),
    /// Anything in a header.
    Header(fn(&Header<'_>, &mut Values)),
    /// Anything in a header of any protocol.
    Every(fn(&Header<'_>, &mut Values)),
    /// Anything in what a transport header carries.
    Payload(fn(&Payload<'_>, &mut Values)),
}

macro_rules! declare {
    ($($(#[$doc:meta])* $function:ident, $kind:expr;)*) => { $(
        $(#[$doc])*
        pub(super) const fn $function(name: &'static str, get: Get, summary: &'static str) -> Listed {
            Listed { name, aliases: &[], kind: Kind::List(&$kind), summary, source: None, get }
        }
    )* };
}

declare! {
    /// A field of numbers.
    number, Kind::Unsigned;
    /// A field of numbers with fractions.
    double, Kind::Double;
    /// A field of bits that are set or not.
    flag, Kind::Bool;
    /// A field of addresses.
    address, Kind::Address;
    /// A field of hardware addresses.
    mac, Kind::Mac;
    /// A field of bytes.
    bytes, Kind::Bytes;
    /// A field of texts.
    text, Kind::Text;
}

/// A field of numbers with names.
pub(super) const fn named(
    name: &'static str,
    kind: &'static Kind,
    get: Get,
    summary: &'static str,
) -> Listed {
    Listed {
        name,
        aliases: &[],
        kind: Kind::List(kind),
        summary,
        source: None,
        get,
    }
}

/// Takes the values of a field, one after the other.
pub(super) struct Values {
    data: Data,
    /// Bytes that stand nowhere in the block as they are: names put together, decoded text.
    made: Vec<u8>,
    /// What was decrypted of the payloads of the part.
    pub opened: Opened,
}

impl Values {
    fn new(kind: Kind, old: Data, opened: Opened) -> Values {
        let data = match (kind, old) {
            (Kind::Bool, Data::Bool(mut v)) => {
                v.clear();
                Data::Bool(v)
            }
            (Kind::Bool, _) => Data::Bool(Vec::new()),
            (Kind::Address, Data::Address(mut v)) => {
                v.clear();
                Data::Address(v)
            }
            (Kind::Address, _) => Data::Address(Vec::new()),
            (Kind::Mac, Data::Mac(mut v)) => {
                v.clear();
                Data::Mac(v)
            }
            (Kind::Mac, _) => Data::Mac(Vec::new()),
            (Kind::Bytes, Data::Bytes(mut v)) => {
                v.rows.clear();
                Data::Bytes(v)
            }
            (Kind::Bytes, _) => Data::Bytes(Slices::default()),
            (Kind::Text, Data::Text(mut v)) => {
                v.rows.clear();
                Data::Text(v)
            }
            (Kind::Text, _) => Data::Text(Slices::default()),
            (Kind::Signed, _) => Data::I64(Vec::new()),
            (Kind::Double, _) => Data::Double(Vec::new()),
            (Kind::Time, _) => Data::Time(Vec::new()),
            (Kind::Duration, _) => Data::Duration(Vec::new()),
            (_, Data::U64(mut v)) => {
                v.clear();
                Data::U64(v)
            }
            _ => Data::U64(Vec::new()),
        };
        Values {
            data,
            made: Vec::new(),
            opened,
        }
    }

    /// A number, or whether it is not 0.
    #[inline(always)]
    pub fn number(&mut self, number: impl Into<u64>) {
        match &mut self.data {
            Data::U64(v) => v.push(number.into()),
            Data::Bool(v) => v.push(number.into() != 0),
            _ => {}
        }
    }

    /// A number that may be negative, or nanoseconds: since 1970 where the field is a time.
    pub fn signed(&mut self, number: i64) {
        if let Data::I64(v) | Data::Time(v) | Data::Duration(v) = &mut self.data {
            v.push(number);
        }
    }

    /// A number with a fraction.
    pub fn double(&mut self, number: f64) {
        if let Data::Double(v) = &mut self.data {
            v.push(number);
        }
    }

    /// An IPv4 address.
    pub fn v4(&mut self, bits: u32) {
        if let Data::Address(v) = &mut self.data {
            v.push(Address::v4(bits));
        }
    }

    /// An IPv6 address.
    pub fn v6(&mut self, bits: u128) {
        if let Data::Address(v) = &mut self.data {
            v.push(Address { v6: true, bits });
        }
    }

    /// A hardware address.
    pub fn mac(&mut self, mac: Mac) {
        if let Data::Mac(v) = &mut self.data {
            v.push(mac);
        }
    }

    /// Bytes or text that stand in the block, by place and length: nothing is copied.
    pub fn slice(&mut self, start: u32, len: usize) {
        if let Data::Bytes(v) | Data::Text(v) = &mut self.data {
            v.rows.push((0, start, len as u32));
        }
    }

    /// Bytes or text that stand nowhere in the block as they are.
    pub fn made(&mut self, bytes: &[u8]) {
        if let Data::Bytes(v) | Data::Text(v) = &mut self.data {
            v.rows.push((1, self.made.len() as u32, bytes.len() as u32));
            self.made.extend_from_slice(bytes);
        }
    }

    /// Bytes or text that `write` makes; nothing where it gives none.
    pub fn written(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Option<()>) {
        let start = self.made.len();
        if write(&mut self.made).is_none() {
            self.made.truncate(start);
        } else if let Data::Bytes(v) | Data::Text(v) = &mut self.data {
            v.rows
                .push((1, start as u32, (self.made.len() - start) as u32));
        }
    }

    /// How many there are.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.data.len()
    }

    fn get(&mut self, get: &Get, header: &Header<'_>) -> Option<()> {
        match get {
            Get::U8(at) => self.number(header.u8(*at)?),
            Get::U16(at) => self.number(header.u16(*at)?),
            Get::U24(at) => self.number(header.u24(*at)?),
            Get::U32(at) => self.number(header.u32(*at)?),
            Get::Bits8(at, mask) => {
                self.number((header.u8(*at)? & mask) >> mask.trailing_zeros().min(7));
            }
            Get::Bits16(at, mask) => {
                self.number((header.u16(*at)? & mask) >> mask.trailing_zeros().min(15));
            }
            Get::Bits32(at, mask) => {
                self.number((header.u32(*at)? & mask) >> mask.trailing_zeros().min(31));
            }
            Get::V4(at) => self.v4(header.u32(*at)?),
            Get::V6(at) => self.v6(u128::from_be_bytes(header.array(*at)?)),
            Get::Mac(at) => self.mac(header.mac(*at)?),
            Get::Header(get) | Get::Network(get) | Get::Every(get) => get(header, self),
            Get::Payload(_) => {}
        }
        Some(())
    }

    /// The values as what the rows of a column are lists of.
    fn finish(mut self, block: &Arc<Block>) -> Data {
        if let Data::Bytes(v) | Data::Text(v) = &mut self.data {
            v.blocks.clear();
            v.blocks.push(Arc::clone(block));
            if !self.made.is_empty() {
                v.blocks.push(Arc::new(Block(self.made)));
            }
        }
        self.data
    }
}

/// Fills a column with the lists of a field's values; a frame without any has none. `protocol` is
/// the number of the protocol whose headers are looked at, and `from` how many IP headers of each
/// frame are left out.
pub(super) fn fill(
    frames: &Frames,
    selection: &Bitmap,
    column: &mut Column,
    field: &Listed,
    protocol: u8,
    from: usize,
) {
    let Kind::List(kind) = field.kind else {
        return;
    };
    let (mut lists, old) = match std::mem::replace(&mut column.data, Data::U8(Vec::new())) {
        Data::List(mut lists, old) => {
            lists.clear();
            (lists, *old)
        }
        _ => (Vec::new(), Data::U8(Vec::new())),
    };
    lists.resize(frames.rows.len(), (0, 0));
    let mut valid = Bitmap::EMPTY;
    let mut stack = frames.stack();
    let mut values = Values::new(*kind, old, std::mem::take(&mut stack.opened));
    let mut others = *selection;
    if let (Get::Payload(get), 0) = (&field.get, from) {
        // Most frames are plain: what they carry is found without all their layers.
        others = Bitmap::EMPTY;
        selection.for_each(|row| {
            let start = values.len();
            if !super::plain::carried(frames, row, |payload| get(payload, &mut values)) {
                others.set(row);
            } else if values.len() > start
                && let Some(list) = lists.get_mut(row)
            {
                *list = (start as u32, values.len() as u32);
                valid.set(row);
            }
        });
    }
    stack.find(frames, &others);
    others.for_each(|row| {
        let start = values.len();
        if let Some(layers) = layers_from(&stack, row, from) {
            each(frames, row, layers, field, protocol, &mut values);
        }
        if values.len() > start
            && let Some(list) = lists.get_mut(row)
        {
            *list = (start as u32, values.len() as u32);
            valid.set(row);
        }
    });
    stack.opened = std::mem::take(&mut values.opened);
    column.data = Data::List(lists, Box::new(values.finish(&frames.block)));
    column.valid = valid;
    column.names = match kind {
        Kind::Named(names) => Some(names),
        _ => None,
    };
}

/// A field that is the first value of another.
pub(super) struct First {
    /// Its declaration.
    pub def: FieldDef,
    /// The field with all values.
    pub of: &'static Listed,
}

/// Makes a column of lists one of the first values of the lists.
pub(super) fn keep_first(column: &mut Column) {
    fn pick<T: Copy + Default>(values: &[T], lists: &[(u32, u32)]) -> Vec<T> {
        let first = |(start, end): &(u32, u32)| values[..*end as usize].get(*start as usize);
        let firsts = lists.iter().map(|list| first(list).copied());
        firsts.map(Option::unwrap_or_default).collect()
    }
    let Data::List(lists, data) = std::mem::replace(&mut column.data, Data::U8(Vec::new())) else {
        return;
    };
    column.data = match *data {
        Data::Bool(v) => Data::Bool(pick(&v, &lists)),
        Data::U64(v) => Data::U64(pick(&v, &lists)),
        Data::I64(v) => Data::I64(pick(&v, &lists)),
        Data::Double(v) => Data::Double(pick(&v, &lists)),
        Data::Time(v) => Data::Time(pick(&v, &lists)),
        Data::Duration(v) => Data::Duration(pick(&v, &lists)),
        Data::Address(v) => Data::Address(pick(&v, &lists)),
        Data::Mac(v) => Data::Mac(pick(&v, &lists)),
        Data::Bytes(v) => Data::Bytes(Slices {
            rows: pick(&v.rows, &lists),
            blocks: v.blocks,
        }),
        Data::Text(v) => Data::Text(Slices {
            rows: pick(&v.rows, &lists),
            blocks: v.blocks,
        }),
        other => other,
    };
}

/// The layers of a row, and how many of them are left out.
fn layers_from(stack: &Stack, row: usize, from: usize) -> Option<(&[Layer], usize)> {
    let layers = stack.layers(row);
    let skip = if from == 0 {
        0
    } else {
        super::inner::place(layers, from)?
    };
    Some((layers, skip))
}

fn is_udp(protocol: u8) -> bool {
    protocol == STACK.udp || protocol == STACK.udplite
}

#[inline(always)]
fn each(
    frames: &Frames,
    row: usize,
    (layers, skip): (&[Layer], usize),
    field: &Listed,
    protocol: u8,
    values: &mut Values,
) {
    let block = frames.block.0.as_slice();
    let Some(frame) = frames.rows.get(row) else {
        return;
    };
    for (at, layer) in layers.iter().enumerate().skip(skip) {
        let carried = match &field.get {
            Get::Payload(_) if layer.protocol == STACK.tcp => Some(super::tcp::PROTOCOL_NUMBER),
            Get::Payload(_) if is_udp(layer.protocol) => Some(super::udp::PROTOCOL_NUMBER),
            Get::Payload(_) => continue,
            Get::Network(_) if layer.protocol == STACK.ipv6 => None,
            Get::Every(_) => None,
            // The ports and the checksum of UDP-Lite are fields of UDP.
            _ if protocol == STACK.udp && is_udp(layer.protocol) => None,
            _ if layer.protocol != protocol => continue,
            _ => None,
        };
        let Some(bytes) = block.get(layer.start as usize..layer.end as usize) else {
            continue;
        };
        let header = Header {
            bytes,
            layer: *layer,
            below: &layers[..=at],
            block,
            frame,
        };
        match (&field.get, carried) {
            (Get::Payload(get), Some(number)) => {
                if let Some(payload) = Payload::of(&header, number) {
                    get(&payload, values);
                }
            }
            (get, _) => {
                values.get(get, &header);
            }
        }
    }
}
