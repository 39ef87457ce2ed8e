//! Captures whose rows may come in any order: largest first.
//!
//! One thread unpacks a packed file, however many there are. So as many packed files as there are threads
//! are unpacked side by side, the largest of those that are left next, and rows are taken from whichever
//! has some: the last ones to be unpacked are small, and no thread is left alone with a large one. What is
//! not packed is divided into stretches for all threads, and read while nothing unpacked waits.
//!
//! What is unpacked and not taken is bounded for each of these files, two of a lane at most. What is said
//! of the files is in the order in which they were named.

use super::files::CaptureFiles;
use super::upcoming::{FILES_MAX, Kind, Named, Ready, SMALL};
use crate::read::blocks::Pool;
use crate::read::packed::Means;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::fs;
use std::sync::atomic::Ordering;
use wireq_engine::schedule::output::Item;
use wireq_engine::{
    Ahead, Error, InputAccount, InputMark, InputMarks, InputReport, Source, SourceContext,
};

/// How many files are looked at in one go, while others wait for the source.
const LOOKED_MAX: usize = 32;

/// The files of one source, in no order.
pub(super) struct Unordered {
    /// Files that nobody has looked at: see [`largest_first`].
    left: VecDeque<(u64, Named)>,
    /// What may be waited for, and all that was named behind it: read in order once all else is.
    behind: VecDeque<Named>,
    /// Packed files that wait for a lane.
    packed: VecDeque<Named>,
    /// Each reads a packed file, and then another one; the last lane reads all others.
    lanes: Vec<Lane>,
    marks: InputMarks,
    means: Means,
    /// How many packed files were begun.
    begun: usize,
    /// The lane of the rows that were given last.
    last: usize,
    /// Whether nothing came only because another thread reads what comes next.
    elsewhere: bool,
}

/// Files that are read one after another.
struct Lane {
    files: CaptureFiles,
    /// As which of the packed files the last of its files was begun; none where it has none.
    turn: Option<usize>,
}

impl Lane {
    fn new(means: &Means) -> Lane {
        let mut files = CaptureFiles::new(Vec::new(), None);
        files.means = means.clone();
        files.pool = Pool::of_threads();
        Lane { files, turn: None }
    }
}

/// Takes the files before one that has no end that can be known: it may be waited for until the run is
/// interrupted. The largest first, each with its size; what has no size is the largest there is.
fn largest_first(named: &mut VecDeque<Named>) -> VecDeque<(u64, Named)> {
    let mut sized = VecDeque::with_capacity(named.len());
    while let Some(Named { path, .. }) = named.front() {
        let data = fs::metadata(path).ok();
        let is_file = data.as_ref().is_some_and(fs::Metadata::is_file);
        let is_other = data.as_ref().is_some_and(|data| !is_file && !data.is_dir());
        if is_other || path == "-" {
            break;
        }
        let size = data.filter(|_| is_file).map(|data| data.len());
        let first = named.pop_front();
        sized.extend(first.map(|named| (size.unwrap_or(u64::MAX), named)));
    }
    sized
        .make_contiguous()
        .sort_by_key(|(size, _)| Reverse(*size));
    sized
}

impl Unordered {
    /// Goes on with files that were begun.
    pub(super) fn new(mut files: CaptureFiles, threads: usize) -> Unordered {
        files.means.threads = threads;
        let means = files.means.clone();
        let mut lanes: Vec<Lane> = (0..=threads).map(|_| Lane::new(&means)).collect();
        let mut behind = std::mem::take(&mut files.paths);
        let left = largest_first(&mut behind);
        let is_packed = files.is_packed();
        let at = if is_packed { 0 } else { threads };
        lanes[at].files = files;
        lanes[at].turn = is_packed.then_some(0);
        let mut marks = InputMarks::new(lanes.len());
        marks.set(at, lanes[at].files.mark());
        Unordered {
            left,
            behind,
            packed: VecDeque::new(),
            lanes,
            marks,
            means,
            begun: usize::from(is_packed),
            last: at,
            elsewhere: false,
        }
    }

    /// The lane of what is not packed.
    fn plain(&mut self) -> &mut CaptureFiles {
        let at = self.lanes.len() - 1;
        &mut self.lanes[at].files
    }

    /// Looks at some of the files that are left, and gives the largest packed ones to lanes where nothing is
    /// being unpacked: what was is taken while the next one is. Gives whether any were looked at.
    fn fill(&mut self) -> bool {
        let before = self.left.len();
        for _ in 0..LOOKED_MAX {
            if self.packed.len().max(self.plain().upcoming.len()) >= FILES_MAX {
                break;
            }
            let Some((size, named)) = self.left.pop_front() else {
                break;
            };
            let kind = match size {
                ..SMALL => Kind::Small,
                _ => Kind::of(&named.path, &mut self.plain().pool),
            };
            match kind {
                Kind::Packed(_) => self.packed.push_back(named),
                kind => {
                    let ready = Ready::new(kind, &self.means);
                    self.plain().upcoming.push(named, ready);
                }
            }
        }
        let packed = self.lanes.len() - 1;
        for lane in &mut self.lanes[..packed] {
            let is_free = lane.turn.is_none() || lane.files.is_unpacked();
            if is_free && let Some(named) = self.packed.pop_front() {
                let kind = Kind::of(&named.path, &mut lane.files.pool);
                let ready = Ready::new(kind, &self.means);
                lane.files.upcoming.push(named, ready);
                lane.turn = Some(self.begun);
                self.begun += 1;
            }
        }
        self.left.len() < before
    }

    /// The lane of the largest of the packed files that `wanted` says, or any, is true of.
    fn largest(&self, wanted: fn(&CaptureFiles) -> bool) -> Option<usize> {
        let lanes = self.lanes.iter().enumerate();
        let busy = lanes.filter_map(|(at, lane)| Some((lane.turn?, at)));
        let wanted = busy.filter(|(_, at)| wanted(&self.lanes[*at].files));
        wanted.min().map(|(_, at)| at)
    }

    /// Reads on in a lane.
    fn read(&mut self, at: usize, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error> {
        self.last = at;
        let lane = &mut self.lanes[at];
        let item = lane.files.next(context)?;
        self.elsewhere = item.is_none() && lane.files.waits();
        if item.is_none() && !self.elsewhere {
            lane.turn = None;
        }
        self.marks.set(at, lane.files.mark());
        Ok(item)
    }

    /// What is to be said of all files, in the order in which they were named.
    fn account(&self, told: impl Iterator<Item = Vec<(usize, InputReport)>>) -> InputAccount {
        let mut inputs: Vec<(usize, InputReport)> = told.flatten().collect();
        // Those of one archive are all of one lane, and stay in their order.
        inputs.sort_by_key(|(place, _)| *place);
        InputAccount {
            inputs: inputs.into_iter().map(|(_, report)| report).collect(),
        }
    }
}

impl Source for Unordered {
    fn next(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error> {
        if !context.reads {
            return self.read(self.last, context);
        }
        let plain = self.lanes.len() - 1;
        loop {
            let looked = self.fill();
            let at = match self.largest(CaptureFiles::is_ready) {
                Some(at) => at,
                None if !self.lanes[plain].files.is_through() => plain,
                None if looked => continue,
                // Nothing is left to do but to wait for what is being unpacked.
                None => match self.largest(|_| true) {
                    Some(at) => at,
                    None if self.behind.is_empty() => return Ok(None),
                    None => {
                        self.plain().paths = std::mem::take(&mut self.behind);
                        continue;
                    }
                },
            };
            let item = self.read(at, context)?;
            let interrupted = context.interrupt.load(Ordering::Relaxed);
            if item.is_some() || self.elsewhere || interrupted {
                return Ok(item);
            }
        }
    }

    fn ahead(&mut self, thread: usize) -> Option<Box<dyn Ahead>> {
        self.fill();
        // Who unpacks is not to wait for those who read stretches.
        match self.largest(CaptureFiles::is_ready) {
            Some(_) => None,
            None => self.plain().ahead(thread),
        }
    }

    fn give_back(&mut self, stretch: Box<dyn Ahead>) {
        self.plain().give_back(stretch);
    }

    fn waits(&self) -> bool {
        self.elsewhere
    }

    fn has_threads(&self) -> bool {
        let mut lanes = self.lanes.iter();
        lanes.any(|lane| lane.files.has_threads())
    }

    fn gives_what_is_there(&self) -> bool {
        true
    }

    fn mark(&self) -> InputMark {
        InputMark {
            beside: self.marks.clone(),
            ..InputMark::default()
        }
    }

    fn input_account_at(&self, mark: &InputMark) -> InputAccount {
        let lanes = self.lanes.iter().zip(mark.beside.iter());
        self.account(lanes.map(|(lane, mark)| lane.files.told(Some(mark))))
    }

    fn input_account(&self) -> InputAccount {
        let lanes = self.lanes.iter();
        self.account(lanes.map(|lane| lane.files.told(None)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::packet::Packet;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;
    use std::path::Path;
    use std::process::Command;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize};
    use std::time::Duration;
    use wireq_typesys::{Shape, Zone};

    const FIVE: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../testdata/captures/five.pcap"
    );

    /// A file with a capture of so many packets, as large as these are even where it is packed.
    fn write(folder: &Path, name: &str, packets: usize) -> String {
        let five = fs::read(FIVE).expect("it ships");
        let bytes = [&five[..24], &five[24..24 + 16 + 74].repeat(packets)].concat();
        let mut out = Vec::new();
        if name.ends_with("gz") {
            let mut packed = GzEncoder::new(&mut out, Compression::none());
            packed.write_all(&bytes).expect("memory takes it");
            packed.finish().expect("memory takes it");
        } else {
            out = bytes;
        }
        let path = folder.join(name);
        fs::write(&path, out).expect("a file");
        path.to_string_lossy().into_owned()
    }

    /// Reads to the end, at times only what is there: how many rows come, which is told meanwhile.
    fn read(source: &mut dyn Source, threads: usize, so_far: &AtomicUsize) -> usize {
        let shape = Arc::new(Shape {
            record_type: Some(Arc::new(Packet)),
            base: Vec::new(),
            extra: Vec::new(),
            summary: Vec::new(),
        });
        let (mut rows, mut turn) = (0, 0);
        loop {
            turn += 1;
            let reads = turn % 3 != 0;
            let stretch = source.ahead(turn % threads);
            if let Some(mut stretch) = stretch {
                stretch.read();
                source.give_back(stretch);
            }
            let item = source.next(&mut SourceContext {
                shape: &shape,
                origin: 0,
                rows_max: 1000,
                retired: &mut Vec::new(),
                strict: false,
                interrupt: &AtomicBool::new(false),
                wait: Duration::ZERO,
                reads,
                threads,
                zone: &Arc::new(Zone::utc()),
            });
            match item.expect("it can be read") {
                Some(Item::Rows(part)) => {
                    rows += part.count();
                    so_far.store(rows, Ordering::SeqCst);
                }
                Some(Item::Control(..)) => {}
                None if source.waits() => {}
                None => return rows,
            }
        }
    }

    #[test]
    fn the_largest_are_taken_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let named = [
            ("a.gz", 2000),
            ("b.gz", 12_000),
            ("c", 5000),
            ("d.gz", 40),
            ("e.gz", 1500),
            ("f", 20),
            ("g.gz", 30_000),
            ("h", 9000),
            ("i.gz", 3000),
        ];
        let mut paths = named
            .map(|(name, packets)| write(folder.path(), name, packets))
            .to_vec();
        for (at, name) in [(3, "none"), (8, "nothing"), (10, ".")] {
            let path = folder.path().join(name);
            paths.insert(at, path.to_string_lossy().into_owned());
        }
        // What stands behind a device or pipe stays there.
        paths.push("/dev/null".to_owned());
        for (name, packets) in [("x.gz", 5000), ("y", 60_000), ("z", 2)] {
            paths.push(write(folder.path(), name, packets));
        }
        let rows = named.iter().map(|(_, packets)| packets).sum::<usize>() + 65_002;
        for threads in [1, 2, 3, 5] {
            let files = CaptureFiles::new(paths.clone(), None);
            let mut source = Unordered::new(files, threads);
            let so_far = AtomicUsize::new(0);
            assert_eq!(read(&mut source, threads, &so_far), rows, "{threads}");
            let name = |place: usize| paths[place].rsplit('/').next().unwrap_or_default();
            let taken = |lane: &Lane| -> Vec<&str> {
                lane.files.places.iter().map(|place| name(*place)).collect()
            };
            let lanes: Vec<Vec<&str>> = source.lanes.iter().map(taken).collect();
            let (plain, packed) = lanes.split_last().expect("there is one at least");
            let in_order = [
                "none", "nothing", ".", "h", "c", "d.gz", "f", "null", "x.gz", "y", "z",
            ];
            assert_eq!(*plain, in_order);
            let largest_first = ["g.gz", "b.gz", "i.gz", "a.gz", "e.gz"];
            let mut all: Vec<&str> = packed.concat();
            if threads == 1 {
                assert_eq!(all, largest_first);
            }
            // Each lane takes the largest that is left.
            assert_eq!(packed[0][0], largest_first[0]);
            for lane in packed {
                let order = |name| largest_first.iter().position(|first| first == name);
                assert!(lane.is_sorted_by_key(order), "{lanes:?}");
            }
            all.sort_unstable();
            assert_eq!(all, ["a.gz", "b.gz", "e.gz", "g.gz", "i.gz"]);
            // What is said of them is in the order in which they were named.
            let account = source.input_account();
            let told: Vec<&str> = account
                .inputs
                .iter()
                .map(|told| told.name.as_str())
                .collect();
            assert_eq!(told, paths);
            assert_eq!(source.input_account_at(&source.mark()), account);
        }
    }

    /// A run may be interrupted while it waits for a pipe: what was named before has to be read by then.
    #[test]
    fn a_pipe_waits_for_what_was_named_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()));
        let mut paths = [("a.gz", 30_000), ("b", 9000), ("c.gz", 8000)]
            .map(|(name, packets)| write(folder.path(), name, packets))
            .to_vec();
        paths.insert(2, pipe.to_string_lossy().into_owned());
        let so_far = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let before = scope.spawn(|| {
                // It is opened once the other side is, which waits for bytes then.
                let mut pipe = fs::File::options().write(true).open(&pipe)?;
                let before = so_far.load(Ordering::SeqCst);
                pipe.write_all(&fs::read(FIVE)?)?;
                std::io::Result::Ok(before)
            });
            let mut source = Unordered::new(CaptureFiles::new(paths, None), 2);
            assert_eq!(read(&mut source, 2, &so_far), 47_005);
            let before = before.join().expect("it does not panic");
            assert_eq!(before.expect("it can be written"), 39_000);
        });
    }

    /// The file that was begun in order goes on, whatever it is.
    #[test]
    fn what_was_begun_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let named = [
            ("a.gz", 9000),
            ("b.gz", 30_000),
            ("c", 9000),
            ("d.gz", 8000),
        ];
        for first in 0..named.len() {
            let mut named = named;
            named.rotate_left(first);
            let paths = named.map(|(name, packets)| write(folder.path(), name, packets));
            let mut files = CaptureFiles::new(paths.to_vec(), None);
            let begun = files.next(&mut SourceContext {
                shape: &Arc::new(Shape {
                    record_type: Some(Arc::new(Packet)),
                    base: Vec::new(),
                    extra: Vec::new(),
                    summary: Vec::new(),
                }),
                origin: 0,
                rows_max: 100,
                retired: &mut Vec::new(),
                strict: false,
                interrupt: &AtomicBool::new(false),
                wait: Duration::ZERO,
                reads: true,
                threads: 2,
                zone: &Arc::new(Zone::utc()),
            });
            assert!(matches!(begun, Ok(Some(Item::Rows(_)))));
            let mut source = files.in_any_order(2).expect("files are left");
            let so_far = AtomicUsize::new(0);
            assert_eq!(read(&mut *source, 2, &so_far), 56_000 - 100);
            let told = source.input_account().inputs;
            assert!(told.iter().map(|told| &told.name).eq(&paths));
            assert!(source.in_any_order(2).is_none());
        }
    }
}
