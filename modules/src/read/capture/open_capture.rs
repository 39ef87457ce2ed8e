//! One open capture: its records, and what is to be said of its bytes.

use super::format::{Budget, Format, MAGIC_LEN, Search, Step, Window, kind_of};
use crate::read::blocks::{Blocks, Pool};
use crate::read::packed;
use crate::types::packet::{Beside, Frames};
use std::io;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use wireq_engine::InputReport;

/// What a capture is read with.
pub(super) struct Reading<'a> {
    pub(super) pool: &'a mut Pool,
    pub(super) interrupt: &'a AtomicBool,
    pub(super) report: &'a mut InputReport,
    /// Whether damage ends the reading.
    pub(super) strict: bool,
}

/// Why a capture is not read, or not read on.
pub(super) enum Stop {
    /// The file cannot be read.
    System(&'static str, io::Error),
    /// It is damaged: at this byte, if it is known, and how.
    Damaged(Option<u64>, &'static str),
    /// The run is to end.
    Interrupted,
    /// Nothing more is there now: reading goes on later where it is.
    Waiting,
    /// What comes next is read by another thread.
    Elsewhere,
}

impl Stop {
    /// What an error of reading comes to.
    pub(super) fn reading(error: io::Error) -> Stop {
        if let Some(reason) = packed::damage(&error) {
            return Stop::Damaged(None, reason);
        }
        if error.kind() == io::ErrorKind::Interrupted {
            Stop::Interrupted
        } else {
            Stop::System("read", error)
        }
    }
}

/// An open capture.
pub(super) struct Capture {
    pub(super) input: Blocks,
    format: Box<dyn Format>,
    skipping: Option<Skipping>,
    /// Why framing stopped, where the frames before that were given first.
    stopped: Option<Step>,
    /// How many bytes are needed to go on, where they were not there when they were asked for: what led
    /// to that is not looked at twice.
    awaited: Option<usize>,
    /// Why there is no more than was read by now, where the run is to end and the file has no end.
    ended: Option<&'static str>,
    budget: Budget,
    /// Bytes looked at outside of searches, besides those used.
    looked: u64,
    /// The segment of the block, and the row in it that the next frame is.
    pub(super) segment: u32,
    pub(super) row: u32,
}

/// A range that is being skipped.
struct Skipping {
    offset: u64,
    reason: &'static str,
    /// How many bytes are left of it; none where its end is searched for.
    left: Option<u64>,
}

/// How long is waited before it is looked again whether more of a header is there.
const HEADER_WAIT: Duration = Duration::from_millis(10);
/// The reason for what is left of a file that grew until the end of the run.
pub(super) const NOT_YET: &str = "the rest of a record was not written yet";
/// The reason for what was read of a file and not given when the run was to end.
pub(super) const ENDED: &str = "the run was ended before";
/// The reason for what is left of a file that cannot be read.
pub(super) const NO_MORE: &str = "the file cannot be read on";
/// The reason for a file of another kind.
pub(super) const NO_CAPTURE: &str = "it is no capture";
/// The reason for bytes behind the last whole record.
const CUT: &str = "the file ends within a record";
/// The reason where another record comes all the same.
const TOO_MUCH: &str = "a record claims more bytes than there are";

impl Capture {
    /// Begins reading a file that is open.
    pub(super) fn begin(
        mut input: Blocks,
        segment: u32,
        reading: &mut Reading<'_>,
    ) -> Result<Capture, Stop> {
        let begun = begin(&mut input, reading);
        let (format, header_len) = match begun {
            Ok(begun) => begun,
            Err(Stop::Damaged(at, reason)) => {
                let reason = input.corrupt.unwrap_or(reason);
                let left = input.unread().len() as u64 + input.drain(reading.interrupt);
                if left > 0 {
                    reading.report.skip(0, left, reason);
                }
                return Err(Stop::Damaged(at, reason));
            }
            Err(stop) => return Err(stop),
        };
        reading.report.bytes_used = header_len as u64;
        input.at += header_len;
        Ok(Capture {
            input,
            format,
            skipping: None,
            stopped: None,
            awaited: None,
            ended: None,
            budget: Budget::default(),
            looked: 0,
            segment,
            row: 0,
        })
    }

    /// Finds the next frames, reading on where need be; none at the end of the file.
    pub(super) fn frames(
        &mut self,
        frames: &mut Frames,
        rows_max: usize,
        reading: &mut Reading<'_>,
    ) -> Result<(), Stop> {
        // What the buffers held before is not of this part, whatever comes first.
        frames.reset(&self.input.block, reading.report.records + 1);
        frames.let_go();
        if let Some(need) = self.awaited.take() {
            self.more(need, reading)?;
        }
        loop {
            if self.skipping.is_some() {
                if !self.skip(reading)? {
                    return Ok(());
                }
                continue;
            }
            frames.reset(&self.input.block, reading.report.records + 1);
            // Where framing stopped is not looked at twice: what is counted there would be too.
            let step = match self.stopped.take() {
                Some(step) => step,
                None => self.frame(frames, rows_max, reading),
            };
            let rows = frames.rows.len();
            if rows > 0 {
                reading.report.records += rows as u64;
                self.stopped = Some(step).filter(|step| !matches!(step, Step::Full));
                return Ok(());
            }
            // The block is to be read into, so nobody else may hold it.
            frames.let_go();
            match step {
                Step::Full => return Ok(()),
                Step::More(_) if self.input.at_end => {
                    if self.input.unread().is_empty() {
                        return Ok(());
                    }
                    self.damaged(self.ended.unwrap_or(CUT), reading)?;
                }
                Step::More(need) => self.more(need, reading)?,
                Step::Damage(reason) => self.damaged(reason, reading)?,
                Step::Pass {
                    len,
                    reason,
                    damage,
                } => {
                    let offset = self.input.place();
                    if damage && reading.strict {
                        return Err(Stop::Damaged(Some(offset), reason));
                    }
                    self.skipping = Some(Skipping {
                        offset,
                        reason,
                        left: Some(len),
                    });
                }
            }
        }
    }

    /// Frames records from the current place on.
    fn frame(&mut self, frames: &mut Frames, rows_max: usize, reading: &mut Reading<'_>) -> Step {
        let start = self.input.at;
        let mut window = window(&self.input);
        let step = self.format.frames(&mut window, frames, rows_max);
        let (at, looked) = (window.at, window.looked);
        self.input.at = at;
        self.looked += looked;
        reading.report.bytes_used += (at - start) as u64;
        step
    }

    /// Begins to search for the next record.
    fn damaged(&mut self, reason: &'static str, reading: &Reading<'_>) -> Result<(), Stop> {
        let offset = self.input.place();
        if reading.strict {
            return Err(Stop::Damaged(Some(offset), reason));
        }
        self.skipping = Some(Skipping {
            offset,
            reason,
            left: None,
        });
        // A record begins here no more.
        self.input.at += 1;
        Ok(())
    }

    /// Skips on; false at the end of the file.
    fn skip(&mut self, reading: &mut Reading<'_>) -> Result<bool, Stop> {
        let left = self.skipping.as_ref().and_then(|skipping| skipping.left);
        let (ends, need) = match left {
            Some(left) => {
                let now = left.min(self.input.unread().len() as u64);
                self.input.at += now as usize;
                if let Some(skipping) = &mut self.skipping {
                    skipping.left = Some(left - now);
                }
                (left == now, 1)
            }
            None => {
                let mut window = window(&self.input);
                match self.format.search(&mut window, &mut self.budget) {
                    Search::Found(at) => {
                        self.input.at = at;
                        if let Some(skipping) = &mut self.skipping
                            && [Some(CUT), self.ended].contains(&Some(skipping.reason))
                        {
                            skipping.reason = TOO_MUCH;
                        }
                        (true, 0)
                    }
                    Search::Open { at, need } => {
                        self.input.at = at.min(self.input.end);
                        (false, need)
                    }
                }
            }
        };
        if ends {
            self.skipped(reading);
        } else if self.input.at_end {
            self.input.at = self.input.end;
            self.skipped(reading);
            return Ok(false);
        } else {
            self.more(need, reading)?;
        }
        Ok(true)
    }

    /// Notes the range that was skipped.
    fn skipped(&mut self, reading: &mut Reading<'_>) {
        if let Some(skipping) = self.skipping.take() {
            let bytes = self.input.place() - skipping.offset;
            reading.report.skip(skipping.offset, bytes, skipping.reason);
        }
    }

    /// Reads on.
    fn more(&mut self, need: usize, reading: &mut Reading<'_>) -> Result<(), Stop> {
        let moved = self.input.more(need, reading.pool, reading.interrupt);
        let elsewhere = self.input.elsewhere;
        self.awaited = (elsewhere || self.input.waits).then_some(need);
        let stop = |error| {
            if elsewhere {
                Stop::Elsewhere
            } else {
                Stop::reading(error)
            }
        };
        if moved.map_err(stop)? {
            self.segment += 1;
            self.row = 0;
        }
        if self.input.waits {
            return Err(Stop::Waiting);
        }
        match self.input.corrupt.filter(|_| reading.strict) {
            Some(reason) => Err(Stop::Damaged(Some(self.input.place()), reason)),
            None => Ok(()),
        }
    }

    /// Takes what was read by now for all there is, for this reason: where records are cut, others may
    /// stand behind them. False where that is done already.
    pub(super) fn end_here(&mut self, reason: &'static str) -> bool {
        self.input.end_here();
        self.awaited = None;
        self.ended.replace(reason).is_none()
    }

    /// Ends the reading: what is left is skipped where it could not be read on, for which there is a
    /// reason. Gives what it was read from.
    pub(super) fn close(
        mut self,
        failed: Option<&'static str>,
        report: &mut InputReport,
    ) -> Blocks {
        if let Some(failed) = failed {
            let (offset, reason) = match &self.skipping {
                Some(skipping) => (skipping.offset, skipping.reason),
                None => (self.input.place(), failed),
            };
            self.input.at = self.input.end;
            let left = self.input.place() - offset;
            if left > 0 {
                report.skip(offset, left, reason);
            }
        }
        if let Some(reason) = self.input.corrupt {
            report.fault(reason, 1);
        }
        for (reason, count) in self.format.faults() {
            if count > 0 {
                report.fault(reason, count);
            }
        }
        self.input
    }

    /// What stood before the frames that were found last.
    pub(super) fn beside(&mut self) -> Option<Beside> {
        self.format.beside()
    }

    /// What the format is called.
    pub(super) fn format(&self) -> &'static str {
        self.format.name()
    }

    /// Bytes looked at besides those that were used.
    pub(super) fn searched(&self) -> u64 {
        self.budget.spent() + self.looked + self.input.moved
    }
}

fn window(input: &Blocks) -> Window<'_> {
    Window {
        bytes: &input.block.0[..input.end],
        at: input.at,
        at_end: input.at_end,
        looked: 0,
    }
}

/// Whether a file is compressed or an archive.
pub(super) fn is_packed(input: &mut Blocks, reading: &mut Reading<'_>) -> Result<bool, Stop> {
    read_to(input, MAGIC_LEN, reading)?;
    if kind_of(input.unread()).is_some() {
        return Ok(false);
    }
    // Of what grows no more is waited for than it takes.
    if packed::is_packed(input.unread()) {
        return Ok(true);
    }
    read_to(input, packed::MAGIC_LEN, reading)?;
    Ok(packed::is_packed(input.unread()))
}

/// Finds the format of a file and begins with it.
fn begin(input: &mut Blocks, reading: &mut Reading<'_>) -> Result<(Box<dyn Format>, usize), Stop> {
    read_to(input, MAGIC_LEN, reading)?;
    if input.unread().is_empty() {
        return Err(Stop::Damaged(None, "it is empty"));
    }
    let Some(kind) = kind_of(input.unread()) else {
        return Err(Stop::Damaged(None, NO_CAPTURE));
    };
    read_to(input, kind.begin_len, reading)?;
    let begun = (kind.begin)(input.unread()).map_err(|reason| Stop::Damaged(None, reason))?;
    Ok((begun.format, begun.header_len))
}

/// Reads until there are so many bytes, or all that there are.
fn read_to(input: &mut Blocks, len: usize, reading: &mut Reading<'_>) -> Result<(), Stop> {
    while input.unread().len() < len && !input.at_end {
        let moved = input.more(len, reading.pool, reading.interrupt);
        moved.map_err(Stop::reading)?;
        if input.waits {
            // A header is written at once, or nearly so.
            std::thread::sleep(HEADER_WAIT);
        }
    }
    Ok(())
}
