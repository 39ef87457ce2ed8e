//! The files of one source, read one after another.

use super::follow::{Coming, Followed};
use super::open_capture::{Capture, ENDED, NO_CAPTURE, NO_MORE, NOT_YET, Reading, Stop, is_packed};
use super::unordered::Unordered;
use super::upcoming::{Named, Ready, Upcoming};
use crate::read::blocks::{Blocks, Pool};
use crate::read::drain::Drain;
use crate::read::packed::{Means, Packed};
use crate::read::reuse::reusable;
use crate::read::stretch::Stretch;
use crate::types::packet::Frames;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use wireq_engine::schedule::output::Item;
use wireq_engine::{
    Ahead, Control, Error, InputAccount, InputMark, InputReport, Source, SourceContext,
};
use wireq_typesys::{Part, Position};

/// The files of one source.
pub(super) struct CaptureFiles {
    pub(super) paths: VecDeque<Named>,
    /// The file that is followed, behind the others.
    followed: Option<Followed>,
    /// Whether nothing was there when it was looked last.
    idle: bool,
    /// How long what is there is still taken, where a file is followed.
    drain: Drain,
    /// The archive or compressed file that files are taken from.
    archive: Option<Archive>,
    current: Option<Capture>,
    pub(super) upcoming: Upcoming,
    pub(super) means: Means,
    pub(super) pool: Pool,
    reports: Vec<InputReport>,
    /// The places of the files that they are of, and of the one that is read.
    pub(super) places: Vec<usize>,
    place: usize,
    /// The formats of the files of the reports.
    formats: Vec<Option<&'static str>>,
    segment: u32,
    /// Whether nothing came only because another thread reads what comes next.
    elsewhere: bool,
    /// The part that what was given last stands before.
    next: Option<Part>,
}

/// A compressed file or an archive.
struct Archive {
    path: String,
    packed: Packed,
    /// The report of the files in it that are no captures.
    others: Option<usize>,
}

/// What opening came to.
enum Opened {
    File(Blocks),
    Archive(Archive),
    /// The archive is at its end.
    Nothing,
}

/// What became of opening the next file.
enum Opening {
    /// It is open, or cannot be used.
    Done,
    /// It is not there yet.
    Waits,
    /// There is none.
    End,
}

/// What is read next.
enum Next {
    Capture(Box<Capture>),
    Archive(Archive),
}

/// Looks whether a file is packed.
fn opened(
    path: String,
    input: Result<Blocks, Stop>,
    means: &Means,
    reading: &mut Reading<'_>,
) -> Result<Opened, Stop> {
    reading.report.name.clone_from(&path);
    let mut input = input?;
    if !is_packed(&mut input, reading)? {
        return Ok(Opened::File(input));
    }
    let packed = Packed::new(input.into_source(), means, false);
    Ok(Opened::Archive(Archive::new(path, packed)?))
}

impl Archive {
    fn new(path: String, packed: io::Result<Packed>) -> Result<Archive, Stop> {
        Ok(Archive {
            path,
            packed: packed.map_err(|error| Stop::System("unpack", error))?,
            others: None,
        })
    }

    fn next_file(&mut self, reading: &mut Reading<'_>) -> Result<Opened, Stop> {
        reading.report.name.clone_from(&self.path);
        let Some((name, stream)) = self
            .packed
            .next_file(reading.interrupt)
            .map_err(Stop::reading)?
        else {
            return Ok(Opened::Nothing);
        };
        if let Some(name) = name {
            reading.report.name = format!("{}/{name}", self.path);
        }
        Ok(Opened::File(Blocks::stream(stream, reading.pool)))
    }
}

impl CaptureFiles {
    /// Reads captures one after another, and then follows one.
    pub(super) fn new(paths: Vec<String>, followed: Option<Followed>) -> CaptureFiles {
        let paths = paths.into_iter().enumerate();
        CaptureFiles {
            paths: paths.map(|(place, path)| Named { path, place }).collect(),
            followed,
            idle: false,
            drain: Drain::default(),
            archive: None,
            current: None,
            upcoming: Upcoming::default(),
            means: Means::default(),
            pool: Pool::default(),
            reports: Vec::new(),
            places: Vec::new(),
            place: 0,
            formats: Vec::new(),
            segment: 0,
            elsewhere: false,
            next: None,
        }
    }

    /// Opens the next file.
    fn open_next(&mut self, context: &SourceContext<'_>) -> Result<Opening, Error> {
        let mut report = InputReport::default();
        let mut reading = Reading {
            pool: &mut self.pool,
            interrupt: context.interrupt,
            report: &mut report,
            strict: context.strict,
        };
        self.means.threads = context.threads;
        let means = &self.means;
        let opened = match &mut self.archive {
            Some(archive) => archive.next_file(&mut reading),
            None => match (self.upcoming.next(&mut self.paths), &mut self.followed) {
                (Some((Named { path, place }, Ready::Packed(packed))), _) => {
                    self.place = place;
                    reading.report.name.clone_from(&path);
                    Archive::new(path, packed).map(Opened::Archive)
                }
                (Some((Named { path, place }, ready)), _) => {
                    self.place = place;
                    let input = match ready {
                        Ready::File(input) => input,
                        _ => Blocks::open(&path, reading.pool),
                    };
                    let input = input.map_err(|error| Stop::System("open", error));
                    opened(path, input, means, &mut reading)
                }
                (None, None) => return Ok(Opening::End),
                (None, Some(followed)) => match followed.open() {
                    Coming::Waits => return Ok(Opening::Waits),
                    Coming::End => return Ok(Opening::End),
                    Coming::File(path, file) => {
                        let input = Blocks::follow(file, reading.pool);
                        opened(path, Ok(input), means, &mut reading)
                    }
                    Coming::Stream(path, file) => {
                        let input = Blocks::device(file, reading.pool);
                        opened(path, Ok(input), means, &mut reading)
                    }
                    Coming::Failed(path, error) => {
                        let input = Err(Stop::System("open", error));
                        opened(path, input, means, &mut reading)
                    }
                },
            },
        };
        let segment = self.segment + 1;
        let opened = opened.and_then(|opened| {
            Ok(match opened {
                Opened::File(input) => {
                    let capture = Capture::begin(input, segment, &mut reading)?;
                    Some(Next::Capture(Box::new(capture)))
                }
                Opened::Archive(archive) => Some(Next::Archive(archive)),
                Opened::Nothing => None,
            })
        });
        match opened {
            Ok(Some(Next::Capture(capture))) => {
                self.push(report, Some(capture.format()));
                self.current = Some(*capture);
            }
            Ok(Some(Next::Archive(archive))) => self.archive = Some(archive),
            Ok(None) => self.archive = None,
            Err(Stop::Interrupted) => {
                self.push(report, None);
                return Ok(Opening::End);
            }
            // Archives hold other files too.
            Err(Stop::Damaged(None, reason)) if reason == NO_CAPTURE && self.archive.is_some() => {
                self.pass_over(report);
            }
            Err(stop) => {
                self.push(report, None);
                self.stopped(stop, context.strict)?;
            }
        }
        Ok(Opening::Done)
    }

    /// Notes a file of an archive that is no capture: all of them are one report.
    fn pass_over(&mut self, report: InputReport) {
        let Some(archive) = &mut self.archive else {
            return;
        };
        match archive.others.and_then(|at| self.reports.get_mut(at)) {
            None => {
                archive.others = Some(self.reports.len());
                self.push(report, None);
            }
            Some(others) => {
                others.name.clone_from(&archive.path);
                for skipped in report.skipped {
                    others.skip(skipped.offset, skipped.bytes, &skipped.reason);
                }
            }
        }
    }

    fn push(&mut self, report: InputReport, format: Option<&'static str>) {
        self.reports.push(report);
        self.places.push(self.place);
        self.formats.push(format);
    }

    /// Whether something is being unpacked.
    pub(super) fn is_packed(&self) -> bool {
        self.archive.is_some()
    }

    /// Whether the next read does not wait for something to be unpacked.
    pub(super) fn is_ready(&self) -> bool {
        match &self.archive {
            Some(archive) => archive.packed.is_ready(),
            None => self.upcoming.is_ready(),
        }
    }

    /// Whether all that was begun is unpacked.
    pub(super) fn is_unpacked(&self) -> bool {
        let archive = self.archive.as_ref();
        self.upcoming.is_empty() && archive.is_none_or(|archive| archive.packed.is_unpacked())
    }

    /// Whether nothing is left.
    pub(super) fn is_through(&self) -> bool {
        let reads = self.current.is_some() || self.archive.is_some() || self.next.is_some();
        !reads && self.upcoming.is_empty() && self.paths.is_empty()
    }

    /// What is to be said of each file, with its place: now, or as it was at a mark.
    pub(super) fn told(&self, mark: Option<&InputMark>) -> Vec<(usize, InputReport)> {
        let account = match mark {
            Some(mark) => self.input_account_at(mark),
            None => self.input_account(),
        };
        let places = self.places.iter().copied();
        places.zip(account.inputs).collect()
    }

    /// The formats of the files so far; none where a file could not be used.
    pub(super) fn formats(&self) -> &[Option<&'static str>] {
        &self.formats
    }

    /// Ends the current file, or what was to become it. The others are read all the same.
    fn stopped(&mut self, stop: Stop, strict: bool) -> Result<(), Error> {
        self.close(Some(match stop {
            Stop::Interrupted => NOT_YET,
            _ => NO_MORE,
        }));
        let Some(report) = self.reports.last_mut() else {
            return Ok(());
        };
        let path = report.name.clone();
        let reason = match stop {
            Stop::Interrupted | Stop::Waiting | Stop::Elsewhere => return Ok(()),
            Stop::System(action, source) if strict => {
                return Err(Error::file(action, path, source));
            }
            Stop::Damaged(offset, reason) if strict => {
                let place = offset.map(|offset| format!("at byte {offset}: "));
                return Err(Error::Damaged {
                    path,
                    reason: place.unwrap_or_default() + reason,
                });
            }
            Stop::System(action, source) => format!("cannot {action} it: {source}"),
            Stop::Damaged(_, reason) => reason.to_owned(),
        };
        report.unusable = Some(reason);
        Ok(())
    }

    /// A part of the next frames, or what stands before them; none at the end of the file.
    fn part(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Stop> {
        let mut data = reusable(context, |context| Frames::of(context.shape));
        let (Some(capture), Some(report)) = (&mut self.current, self.reports.last_mut()) else {
            return Ok(None);
        };
        let mut reading = Reading {
            pool: &mut self.pool,
            interrupt: context.interrupt,
            report,
            strict: context.strict,
        };
        let Some(frames) = Arc::get_mut(&mut data).and_then(|data| data.rows_mut::<Frames>())
        else {
            return Ok(None);
        };
        let filled = capture.frames(frames, context.rows_max, &mut reading);
        self.segment = capture.segment;
        let rows = frames.rows.len();
        if rows == 0 && filled.is_err() {
            context.retired.push(data);
            return filled.map(|()| None);
        }
        filled?;
        let position = Position::new(capture.segment, capture.row);
        if rows == 0 {
            context.retired.push(data);
        } else {
            if let Some(data) = Arc::get_mut(&mut data) {
                data.set_rows(rows, position);
            }
            capture.row += rows as u32;
            self.next = Some(Part::new(data));
        }
        Ok(match capture.beside() {
            Some(beside) => {
                let control = Control::Beside(Arc::new(beside));
                Some(Item::Control(position, control))
            }
            None => self.next.take().map(Item::Rows),
        })
    }

    /// Waits for the file that is followed. What comes may be of any time.
    fn wait(&mut self, context: &SourceContext<'_>) -> Item {
        self.idle = true;
        std::thread::sleep(context.wait);
        let position = self
            .current
            .as_ref()
            .map(|capture| (capture.segment, capture.row));
        let (segment, row) = position.unwrap_or((self.segment + 1, 0));
        let position = Position::new(segment, row);
        Item::Control(position, Control::Watermark(i64::MIN))
    }

    /// Ends the current file: why what is left of it is not read, or nothing where it is at its end.
    fn close(&mut self, left: Option<&'static str>) {
        if let (Some(capture), Some(report)) = (self.current.take(), self.reports.last_mut()) {
            report.bytes_searched = capture.searched();
            let mut input = capture.close(left, report);
            input.let_go(&mut self.pool);
        }
    }

    /// Goes on with what was read of a file that has no end, once the run is to end: whole records may
    /// stand behind one that claims more. Where damage ends the run, what is not written yet is none.
    fn ends_here(&mut self, strict: bool) -> bool {
        let reason = match self.archive {
            Some(_) => ENDED,
            None => NOT_YET,
        };
        let current = self.current.as_mut().filter(|_| !strict);
        current.is_some_and(|current| current.end_here(reason))
    }

    /// Whether the run is to end though there may be more: what is followed has no end, and no
    /// further file is begun.
    fn is_to_end(&mut self, context: &SourceContext<'_>) -> bool {
        let left = match &self.followed {
            Some(_) => self.drain.left(context.interrupt),
            None => None,
        };
        left.is_some_and(|left| left == Duration::ZERO || self.current.is_none())
    }
}

impl Source for CaptureFiles {
    fn ahead(&mut self, thread: usize) -> Option<Box<dyn Ahead>> {
        let current = self.current.as_mut().map(|capture| &mut capture.input);
        let held = current.as_ref().map_or((0, 0), |input| input.stretches());
        let own = current.and_then(|input| input.hand_out(thread, &mut self.pool));
        let stretch = own.or_else(|| {
            let (paths, means) = (&mut self.paths, &self.means);
            let held = held.0 + held.1;
            self.upcoming
                .hand_out(thread, held, paths, &mut self.pool, means)
        });
        Some(Box::new(stretch?))
    }

    fn give_back(&mut self, stretch: Box<dyn Ahead>) {
        let Ok(stretch) = stretch.into_any().downcast::<Stretch>() else {
            return;
        };
        let left = match &mut self.current {
            Some(capture) => capture.input.give_back(*stretch),
            None => Some(*stretch),
        };
        if let Some(stretch) = left.and_then(|stretch| self.upcoming.give_back(stretch)) {
            self.pool.put(stretch.block, stretch.thread);
        }
    }

    fn in_any_order(&mut self, threads: usize) -> Option<Box<dyn Source>> {
        if self.followed.is_some() || self.paths.is_empty() {
            return None;
        }
        let files = std::mem::replace(self, CaptureFiles::new(Vec::new(), None));
        Some(Box::new(Unordered::new(files, threads)))
    }

    fn waits(&self) -> bool {
        self.elsewhere
    }

    fn has_threads(&self) -> bool {
        self.is_packed() || self.upcoming.is_packed()
    }

    fn gives_what_is_there(&self) -> bool {
        true
    }

    fn mark(&self) -> InputMark {
        InputMark::of(&self.reports)
    }

    fn next(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error> {
        self.elsewhere = false;
        if let Some(current) = &mut self.current {
            current.input.reads = context.reads;
        }
        if let Some(part) = self.next.take() {
            return Ok(Some(Item::Rows(part)));
        }
        loop {
            if self.is_to_end(context) {
                self.close(Some(ENDED));
                return Ok(None);
            }
            if self.current.is_none() {
                if !context.reads || self.archive.is_none() && self.upcoming.is_elsewhere() {
                    self.elsewhere = true;
                    return Ok(None);
                }
                match self.open_next(context)? {
                    Opening::Done => continue,
                    Opening::End => return Ok(None),
                    Opening::Waits => return Ok(Some(self.wait(context))),
                }
            }
            self.idle = false;
            match self.part(context) {
                Ok(Some(item)) => return Ok(Some(item)),
                Ok(None) => self.close(None),
                Err(Stop::Waiting) => return Ok(Some(self.wait(context))),
                Err(Stop::Elsewhere) => {
                    self.elsewhere = true;
                    return Ok(None);
                }
                Err(Stop::Interrupted) => {
                    if self.followed.is_some() {
                        if self.ends_here(context.strict) {
                            continue;
                        }
                        self.stopped(Stop::Interrupted, context.strict)?;
                    }
                    return Ok(None);
                }
                Err(stop) => self.stopped(stop, context.strict)?,
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.idle
    }

    fn input_account(&self) -> InputAccount {
        InputAccount {
            inputs: self.reports.clone(),
        }
    }
}
