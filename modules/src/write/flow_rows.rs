//! Rows as records of flows in one direction, for what exporters send and collectors keep.

use wireq_engine::View;
use wireq_typesys::{Address, Bitmap, FieldPath, Value};

/// The fields that a record can't do without.
const NEEDED: [&str; 5] = ["srcip", "dstip", "start", "packets", "bytes"];

/// Those that objects may lack: those of other types have other names for some.
const OPTIONAL: [&str; 19] = [
    "srcport",
    "dstport",
    "ipprotocol",
    "end",
    "finish",
    "packetsback",
    "bytesback",
    "flags",
    "tcp_flags",
    "flagsback",
    "tos",
    "input",
    "output",
    "srcAS",
    "dstAS",
    "nexthop",
    "src_mask",
    "dst_mask",
    "vlan",
];

/// The places of the fields in views.
mod field {
    pub(super) const SRC: usize = 0;
    pub(super) const DST: usize = 1;
    pub(super) const START: usize = 2;
    pub(super) const PACKETS: usize = 3;
    pub(super) const BYTES: usize = 4;
    pub(super) const SRC_PORT: usize = 5;
    pub(super) const DST_PORT: usize = 6;
    pub(super) const PROTOCOL: usize = 7;
    pub(super) const END: usize = 8;
    pub(super) const FINISH: usize = 9;
    pub(super) const PACKETS_BACK: usize = 10;
    pub(super) const BYTES_BACK: usize = 11;
    pub(super) const FLAGS: usize = 12;
    pub(super) const TCP_FLAGS: usize = 13;
    pub(super) const FLAGS_BACK: usize = 14;
    pub(super) const TOS: usize = 15;
    pub(super) const INPUT: usize = 16;
    pub(super) const OUTPUT: usize = 17;
    pub(super) const SRC_AS: usize = 18;
    pub(super) const DST_AS: usize = 19;
    pub(super) const NEXT_HOP: usize = 20;
    pub(super) const SRC_MASK: usize = 21;
    pub(super) const DST_MASK: usize = 22;
    pub(super) const VLAN: usize = 23;
}

/// All fields that a record is written from, in the order of their places.
pub(super) fn fields() -> Vec<FieldPath> {
    let all = NEEDED.iter().chain(&OPTIONAL);
    all.map(|name| FieldPath::new(name)).collect()
}

/// Those of them that objects may lack.
pub(super) fn optional() -> Vec<FieldPath> {
    OPTIONAL.iter().map(|name| FieldPath::new(name)).collect()
}

const MILLISECOND: i64 = 1_000_000;
/// Times that 32 bits of seconds hold, in milliseconds.
pub(super) const TIME_MAX: i64 = u32::MAX as i64 * 1000;

/// A flow, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct FlowRow {
    /// Whether the addresses are of IPv6.
    pub(super) v6: bool,
    pub(super) src: u128,
    pub(super) dst: u128,
    pub(super) src_port: u16,
    pub(super) dst_port: u16,
    pub(super) protocol: u8,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) flags: u8,
    /// The other direction.
    pub(super) packets_back: u64,
    pub(super) bytes_back: u64,
    pub(super) flags_back: u8,
    pub(super) tos: u8,
    pub(super) input: u32,
    pub(super) output: u32,
    pub(super) src_as: u32,
    pub(super) dst_as: u32,
    pub(super) next_hop: Option<Address>,
    pub(super) src_mask: u8,
    pub(super) dst_mask: u8,
    pub(super) vlan: u16,
}

/// What objects have beyond what all records have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Extras {
    pub(super) tos: bool,
    pub(super) interfaces: bool,
    pub(super) systems: bool,
    pub(super) masks: bool,
    pub(super) next_hop: bool,
    pub(super) vlan: bool,
}

impl Extras {
    /// What the objects of a view have.
    pub(super) fn of(view: View<'_>) -> Extras {
        let has = |places: &[usize]| places.iter().any(|at| view.column(*at).is_some());
        Extras {
            tos: has(&[field::TOS]),
            interfaces: has(&[field::INPUT, field::OUTPUT]),
            systems: has(&[field::SRC_AS, field::DST_AS]),
            masks: has(&[field::SRC_MASK, field::DST_MASK]),
            next_hop: has(&[field::NEXT_HOP]),
            vlan: has(&[field::VLAN]),
        }
    }
}

/// What the records of a protocol can say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Whether there are records of IPv6.
    pub(super) v6: bool,
    /// The most packets, and bytes, of a direction.
    pub(super) counter: u64,
}

impl Limits {
    pub(super) const NONE: Limits = Limits {
        v6: true,
        counter: u64::MAX,
    };
}

fn integer(view: View<'_>, at: usize, row: usize) -> Option<i128> {
    view.value(at, row).as_integer()
}

fn address(view: View<'_>, at: usize, row: usize) -> Option<Address> {
    match view.value(at, row) {
        Value::Address(address) => Some(Address::from(address)),
        _ => None,
    }
}

/// What decides whether a row is a flow.
struct Needed {
    src: Address,
    dst: Address,
    start: i64,
    end: i64,
    packets: u64,
    bytes: u64,
    packets_back: u64,
    bytes_back: u64,
}

impl Needed {
    fn of(view: View<'_>, row: usize, limits: Limits) -> Option<Needed> {
        let counter = |at: usize| u64::try_from(integer(view, at, row)?).ok();
        let time = |at: usize| match view.value(at, row) {
            Value::Time(nanos) => Some(nanos.div_euclid(MILLISECOND)),
            _ => None,
        };
        let src = address(view, field::SRC, row)?;
        let dst = address(view, field::DST, row)?;
        let start = time(field::START)?;
        let end = time(field::END).or_else(|| time(field::FINISH));
        let end = end.unwrap_or(start).max(start);
        if src.v6 != dst.v6 || start < 0 || end > TIME_MAX {
            return None;
        }
        let needed = Needed {
            src,
            dst,
            start,
            end,
            packets: counter(field::PACKETS)?,
            bytes: counter(field::BYTES)?,
            packets_back: counter(field::PACKETS_BACK).unwrap_or(0),
            bytes_back: counter(field::BYTES_BACK).unwrap_or(0),
        };
        needed.is_within(limits).then_some(needed)
    }

    fn is_within(&self, limits: Limits) -> bool {
        let forward = self.packets.max(self.bytes);
        let back = self.packets_back.max(self.bytes_back);
        (limits.v6 || !self.src.v6) && forward.max(back) <= limits.counter
    }
}

impl FlowRow {
    /// The flow that a row is, if it is one: with two addresses of one version of IP, a time, packets
    /// and bytes, all within the limits.
    pub(super) fn of(view: View<'_>, row: usize, limits: Limits) -> Option<FlowRow> {
        let word = |at: usize| integer(view, at, row).map_or(0, |number| number as u32);
        let Needed {
            src,
            dst,
            start,
            end,
            packets,
            bytes,
            packets_back,
            bytes_back,
        } = Needed::of(view, row, limits)?;
        Some(FlowRow {
            v6: src.v6,
            src: src.bits,
            dst: dst.bits,
            src_port: word(field::SRC_PORT) as u16,
            dst_port: word(field::DST_PORT) as u16,
            protocol: word(field::PROTOCOL) as u8,
            start,
            end,
            packets,
            bytes,
            // The flags of NetFlow are the lower eight of TCP's.
            flags: (word(field::FLAGS) | word(field::TCP_FLAGS)) as u8,
            packets_back,
            bytes_back,
            flags_back: word(field::FLAGS_BACK) as u8,
            tos: word(field::TOS) as u8,
            input: word(field::INPUT),
            output: word(field::OUTPUT),
            src_as: word(field::SRC_AS),
            dst_as: word(field::DST_AS),
            next_hop: address(view, field::NEXT_HOP, row),
            src_mask: word(field::SRC_MASK) as u8,
            dst_mask: word(field::DST_MASK) as u8,
            vlan: word(field::VLAN) as u16,
        })
    }

    /// The records of each direction that has packets, without the other one in them.
    pub(super) fn directions(self) -> impl Iterator<Item = FlowRow> {
        let alone = |flow: FlowRow| FlowRow {
            packets_back: 0,
            bytes_back: 0,
            flags_back: 0,
            ..flow
        };
        let has_back = self.packets_back > 0 || self.bytes_back > 0;
        let has_forward = self.packets > 0 || self.bytes > 0 || !has_back;
        let forward = has_forward.then_some(alone(self));
        let back = has_back.then_some(alone(FlowRow {
            src: self.dst,
            dst: self.src,
            src_port: self.dst_port,
            dst_port: self.src_port,
            packets: self.packets_back,
            bytes: self.bytes_back,
            flags: self.flags_back,
            input: self.output,
            output: self.input,
            src_as: self.dst_as,
            dst_as: self.src_as,
            src_mask: self.dst_mask,
            dst_mask: self.src_mask,
            // The next router is that of the other way.
            next_hop: None,
            ..self
        }));
        forward.into_iter().chain(back)
    }
}

/// The rows that are flows within the limits.
pub(super) fn flows(view: View<'_>, limits: Limits) -> Bitmap {
    let mut rows = Bitmap::EMPTY;
    view.part.selection.for_each(|row| {
        if Needed::of(view, row, limits).is_some() {
            rows.set(row);
        }
    });
    rows
}
