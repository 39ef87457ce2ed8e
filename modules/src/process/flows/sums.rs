//! What `flowid` keeps of a flow.

use super::columns::NEVER;
use super::number::LIST;
use super::snapshot::State;
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::Value;

/// How long a flow may be idle that only the end of the input ends.
pub(super) const NO_LIMIT: i64 = i64::MAX;

/// What is kept of a flow beside its key.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub(super) number: u64,
    /// The time of the first object, and the latest time.
    pub(super) start: i64,
    pub(super) finish: i64,
    pub(super) packets: [u64; 2],
    pub(super) bytes: [u64; 2],
    /// Whether the first object came from the higher end of the key.
    pub(super) from_high: bool,
    /// Conversions of key fields that are read behind: those of the first object.
    pub(super) kept: Box<[Value]>,
}

impl Default for Flow {
    fn default() -> Flow {
        Flow {
            number: 0,
            start: NEVER,
            finish: NEVER,
            packets: [0; 2],
            bytes: [0; 2],
            from_high: false,
            kept: Box::default(),
        }
    }
}

/// What the objects of one key in a view come to.
pub(super) struct Sum {
    /// The first row and the last one.
    pub(super) rows: [u16; 2],
    /// The time of the first object and its bytes, and whether it came from the higher end of the key.
    pub(super) start: i64,
    pub(super) begin: u64,
    pub(super) from_high: bool,
    /// The latest time, and the latest one of the view up to the last object.
    pub(super) finish: i64,
    pub(super) clock: i64,
    /// From the lower end, and from the higher one.
    packets: [u64; 2],
    bytes: [u64; 2],
}

impl Sum {
    /// That of no object yet; the first one is in this row.
    pub(super) fn new(row: usize, time: Option<i64>, bytes: u64, from_high: bool) -> Sum {
        Sum {
            rows: [row as u16; 2],
            start: time.unwrap_or(NEVER),
            begin: bytes,
            from_high,
            finish: NEVER,
            clock: NEVER,
            packets: [0; 2],
            bytes: [0; 2],
        }
    }

    /// Takes an object in; `clock` is the latest time up to it.
    #[inline]
    pub(super) fn take(
        &mut self,
        row: usize,
        (time, clock): (Option<i64>, i64),
        bytes: u64,
        from_high: bool,
    ) {
        self.rows[1] = row as u16;
        self.clock = clock;
        self.finish = self.finish.max(time.unwrap_or(NEVER));
        let side = usize::from(from_high);
        self.packets[side] += 1;
        self.bytes[side] = self.bytes[side].saturating_add(bytes);
    }
}

impl Flow {
    /// Takes objects in that end nothing.
    pub(super) fn add(&mut self, sum: &Sum) {
        for high in [false, true] {
            let (side, from) = (usize::from(high != self.from_high), usize::from(high));
            self.packets[side] = self.packets[side].saturating_add(sum.packets[from]);
            self.bytes[side] = self.bytes[side].saturating_add(sum.bytes[from]);
        }
        self.finish = self.finish.max(sum.finish);
    }

    /// Takes an object in.
    pub(super) fn take(&mut self, time: Option<i64>, bytes: u64, from_high: bool) {
        let side = usize::from(from_high != self.from_high);
        self.packets[side] = self.packets[side].saturating_add(1);
        self.bytes[side] = self.bytes[side].saturating_add(bytes);
        self.finish = self.finish.max(time.unwrap_or(NEVER));
    }

    /// Whether a time is further than `limit` from all that the flow has seen.
    pub(super) fn is_far(&self, time: i64, limit: i64) -> bool {
        self.is_before(time, limit) || self.is_after(time, limit)
    }

    /// Whether all that the flow has seen is further than `limit` before a time.
    pub(super) fn is_before(&self, time: i64, limit: i64) -> bool {
        limit != NO_LIMIT && self.finish != NEVER && time > self.finish.saturating_add(limit)
    }

    /// Likewise behind it.
    pub(super) fn is_after(&self, time: i64, limit: i64) -> bool {
        limit != NO_LIMIT && self.start != NEVER && time < self.start.saturating_sub(limit)
    }

    /// Reads a flow that kept so many values.
    pub(super) fn load(kept: usize, from: &mut Reader<'_>) -> Result<Flow, Error> {
        let number = from.number()?;
        let (start, finish) = (from.number()? as i64, from.number()? as i64);
        let packets = [from.number()?, from.number()?];
        let bytes = [from.number()?, from.number()?];
        let from_high = from.number()? != 0;
        let kept: Result<_, Error> = (0..kept).map(|_| from.value()).collect();
        Ok(Flow {
            number,
            start,
            finish,
            packets,
            bytes,
            from_high,
            kept: kept?,
        })
    }
}

impl State for Flow {
    fn save(&self, out: &mut Writer) {
        let [packets, packets_back] = self.packets;
        let [bytes, bytes_back] = self.bytes;
        let times = [self.start as u64, self.finish as u64];
        let counts = [packets, packets_back, bytes, bytes_back];
        out.number(self.number);
        times.iter().chain(&counts).for_each(|n| out.number(*n));
        out.number(self.from_high.into());
        self.kept.iter().for_each(|value| out.value(value));
    }

    fn list(&self) -> usize {
        LIST
    }
}
