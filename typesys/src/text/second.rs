//! The part of a time that is the same for a second.

use crate::Zone;

/// The text of the second that was written last: the times of packets that follow each other are
/// mostly in one.
pub struct Second<'a> {
    zone: &'a Zone,
    second: Option<i64>,
    /// Date and time of day.
    head: [u64; 3],
    /// From universal time.
    offset: u64,
    /// Where they are put together.
    text: Vec<u8>,
}

impl<'a> Second<'a> {
    /// For times in a zone.
    pub fn new(zone: &'a Zone) -> Second<'a> {
        Second {
            zone,
            second: None,
            head: [0; 3],
            offset: 0,
            text: Vec::new(),
        }
    }

    /// The nineteen bytes of date and time of day, the nanoseconds behind these, and the six bytes of
    /// the offset.
    #[inline]
    pub(super) fn split(&mut self, nanos: i64) -> ([u64; 3], u32, u64) {
        const NANOS: i64 = 1_000_000_000;
        let second = nanos.div_euclid(NANOS);
        if self.second != Some(second) {
            self.turn(nanos);
            self.second = Some(second);
        }
        (self.head, nanos.rem_euclid(NANOS) as u32, self.offset)
    }

    #[cold]
    fn turn(&mut self, nanos: i64) {
        let civil = self.zone.civil(nanos);
        let text = &mut self.text;
        text.clear();
        civil.write_date(text);
        text.push(b'T');
        civil.write_clock(text);
        // To the end of the third eight.
        text.resize(24, 0);
        civil.write_offset(text);
        text.resize(32, 0);
        let eight = |at: usize| {
            text[8 * at..]
                .first_chunk()
                .map_or(0, |b| u64::from_le_bytes(*b))
        };
        self.head = [eight(0), eight(1), eight(2)];
        self.offset = eight(3);
    }
}
