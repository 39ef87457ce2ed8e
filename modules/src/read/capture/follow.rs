//! The file that is followed, and those that take its place.

use crate::read::blocks;
use crate::read::follow::Follow;
use crate::read::paths::{expand, is_pattern};
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A capture without packets has so many bytes at least; one with fewer is not yet begun.
const CAPTURE_MIN: u64 = 24;
/// Folders are listed so often at most.
const LOOK: Duration = Duration::from_millis(500);
/// They may be large and far away: what it takes to list them is so small a part of the time.
const LOOK_SHARE: u32 = 20;
/// However long it takes, they are listed so often.
const LOOK_MAX: Duration = Duration::from_secs(30);

/// The files that a name stands for: itself, or those that a pattern matches by now.
struct Names {
    named: String,
    /// Those found last, in the order of names.
    found: Vec<String>,
    /// When they are looked for again; none where they were not yet.
    look: Option<Instant>,
}

/// How long after a listing that took so long comes the next one.
fn pause(took: Duration) -> Duration {
    took.saturating_mul(LOOK_SHARE).clamp(LOOK, LOOK_MAX)
}

impl Names {
    /// The file behind another one in the order of names; the first one where there is none.
    fn behind(&mut self, place: Option<&str>) -> Option<String> {
        if !is_pattern(&self.named) {
            return place.is_none().then(|| self.named.clone());
        }
        if self.look.is_none_or(|look| Instant::now() >= look) {
            self.look();
        }
        let place = place.map(Path::new);
        let behind = |path: &&String| place.is_none_or(|place| Path::new(path) > place);
        // One that went away, or leads nowhere, does not keep from those behind it.
        let mut found = self.found.iter().filter(behind);
        found.find(|path| Path::new(path).exists()).cloned()
    }

    fn look(&mut self) {
        let begin = Instant::now();
        self.found = expand(&self.named, false);
        // A pattern that matches nothing stands for itself.
        self.found
            .retain(|path| *path != self.named || Path::new(path).exists());
        self.found
            .sort_unstable_by(|a, b| Path::new(a).cmp(Path::new(b)));
        let now = Instant::now();
        self.look = Some(now + pause(now - begin));
    }
}

/// Why a device is not followed.
const NO_FILE: &str = "it is neither a file nor a pipe";
/// Why a pipe is not read among files.
const NO_FILE_OF_PATTERN: &str = "it is no file, and a pattern stands for files";

/// Files that are followed: what is behind a name, or all that a pattern matches.
pub(super) struct Followed {
    names: Arc<Mutex<Names>>,
    /// The file behind which it goes on.
    place: Option<String>,
    /// Whether that was opened here, and may come again.
    is_own: bool,
    /// That file. It stays open, so that no other one has its number.
    file: Option<File>,
    /// Whether it became shorter, and so begins anew.
    shrank: Arc<AtomicBool>,
    /// Whether something was opened that ends by itself.
    ends: bool,
}

/// What comes next.
pub(super) enum Coming {
    /// Nothing yet.
    Waits,
    /// Nothing more.
    End,
    /// A file that may grow.
    File(String, Follow),
    /// A pipe or device: it ends by itself.
    Stream(String, File),
    /// What cannot be opened.
    Failed(String, io::Error),
}

impl Followed {
    /// What is to be followed behind a name, and the files that come before.
    pub(super) fn new(named: String) -> (Vec<String>, Followed) {
        let mut names = Names {
            named,
            found: Vec::new(),
            look: None,
        };
        let mut before = Vec::new();
        if is_pattern(&names.named) {
            names.look();
            before.clone_from(&names.found);
            before.pop();
            // From the first pipe on they are looked at one by one.
            let is_pipe = |path: &String| {
                let data = std::fs::metadata(path);
                data.is_ok_and(|data| data.file_type().is_fifo())
            };
            before.truncate(before.iter().take_while(|path| !is_pipe(path)).count());
        }
        let followed = Followed {
            names: Arc::new(Mutex::new(names)),
            place: before.last().cloned(),
            is_own: false,
            file: None,
            shrank: Arc::default(),
            ends: false,
        };
        (before, followed)
    }

    /// Opens the file that comes next.
    pub(super) fn open(&mut self) -> Coming {
        if self.ends {
            return Coming::End;
        }
        let behind = lock(&self.names).behind(self.place.as_deref());
        let (path, is_same) = match (behind, &self.place) {
            (Some(path), _) => (path, false),
            (None, Some(place)) if self.is_own => (place.clone(), true),
            (None, _) => return Coming::Waits,
        };
        let (data, file) = match open(&path) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Coming::Waits,
            // It is told once.
            Err(_) if is_same && self.file.is_none() => return Coming::Waits,
            Err(error) => {
                self.go_to(&path, None);
                return Coming::Failed(path, error);
            }
        };
        if !data.is_file() {
            if is_pattern(&lock(&self.names).named) {
                // It is told once.
                if is_same && self.file.is_none() {
                    return Coming::Waits;
                }
                // Those behind it would wait for its end.
                self.go_to(&path, None);
                return Coming::Failed(path, io::Error::other(NO_FILE_OF_PATTERN));
            }
            self.ends = true;
            return Coming::Stream(path, file);
        }
        // Those of the files that are open: others may have their names by now.
        let before = self.file.as_ref().and_then(|file| file.metadata().ok());
        let is_new = !is_same
            || self.shrank.load(Ordering::Relaxed)
            || before.is_none_or(|before| (before.dev(), before.ino()) != (data.dev(), data.ino()));
        // One that nobody goes on with is read as it is.
        let is_begun = data.len() >= CAPTURE_MIN || !is_last(&self.names, &path);
        if !is_new || !is_begun {
            return Coming::Waits;
        }
        self.go_to(&path, file.try_clone().ok());
        let (names, own) = (Arc::clone(&self.names), path.clone());
        let is_last = move || is_last(&names, &own);
        let file = Follow::new(file, &path, is_last, Arc::clone(&self.shrank));
        Coming::File(path, file)
    }

    fn go_to(&mut self, path: &str, file: Option<File>) {
        self.place = Some(path.to_owned());
        self.is_own = true;
        self.file = file;
        self.shrank = Arc::default();
    }
}

/// Opens what can be followed: a file, or a pipe.
fn open(path: &str) -> io::Result<(Metadata, File)> {
    let file = blocks::open(path)?;
    let data = file.metadata()?;
    match data.is_file() || data.file_type().is_fifo() {
        true => Ok((data, file)),
        false => Err(io::Error::other(NO_FILE)),
    }
}

fn lock(names: &Mutex<Names>) -> std::sync::MutexGuard<'_, Names> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether no file comes behind one.
fn is_last(names: &Mutex<Names>, path: &str) -> bool {
    lock(names).behind(Some(path)).is_none()
}

#[cfg(test)]
mod tests {
    use super::super::files::CaptureFiles;
    use super::*;
    use crate::types::packet::Packet;
    use std::fs;
    use std::time::Duration;
    use wireq_engine::schedule::output::Item;
    use wireq_engine::{Source, SourceContext};
    use wireq_typesys::{Shape, Zone};

    /// A source that is read as a run does.
    struct Run {
        source: CaptureFiles,
        shape: Arc<Shape>,
        zone: Arc<Zone>,
        interrupt: AtomicBool,
    }

    impl Run {
        fn new(source: CaptureFiles) -> Run {
            Run {
                source,
                shape: Arc::new(Shape {
                    record_type: Some(Arc::new(Packet)),
                    base: Vec::new(),
                    extra: Vec::new(),
                    summary: Vec::new(),
                }),
                zone: Arc::new(Zone::utc()),
                interrupt: AtomicBool::new(false),
            }
        }

        /// The rows that come next, one at most; none at the end.
        fn next(&mut self) -> Option<usize> {
            let item = self.source.next(&mut SourceContext {
                shape: &self.shape,
                origin: 0,
                rows_max: 1,
                retired: &mut Vec::new(),
                strict: false,
                interrupt: &self.interrupt,
                wait: Duration::from_millis(1),
                reads: true,
                threads: 1,
                zone: &self.zone,
            });
            item.expect("it can be read").map(|item| match item {
                Item::Rows(part) => part.count(),
                Item::Control(..) => 0,
            })
        }

        /// The rows to the end.
        fn rest(&mut self) -> usize {
            std::iter::from_fn(|| self.next()).sum()
        }

        /// All rows until nothing more comes for a while.
        fn all(&mut self) -> usize {
            let (mut rows, mut quiet) = (0, 0);
            while quiet < 1000 {
                let came = self.next().expect("what is followed has no end");
                rows += came;
                quiet = if came == 0 { quiet + 1 } else { 0 };
            }
            rows
        }
    }

    /// A capture with so many packets.
    fn capture(packets: usize) -> Vec<u8> {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../testdata/captures/five.pcap"
        );
        let five = fs::read(path).expect("it ships");
        let (header, first) = (&five[..24], &five[24..24 + 16 + 74]);
        [header, &first.repeat(packets)].concat()
    }

    /// What lies before the reader has an end, and is told: no further file is begun.
    #[test]
    fn a_backlog_does_not_keep_a_run_from_its_end() {
        const PACKETS: usize = 100_000;
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        for name in ["a", "b"] {
            fs::write(path(name), capture(PACKETS)).expect("a file");
        }
        for paths in [Vec::new(), vec![path("a")]] {
            let (_, followed) = Followed::new(path("b"));
            let mut run = Run::new(CaptureFiles::new(paths, Some(followed)));
            assert_eq!(run.next(), Some(1));
            run.interrupt.store(true, Ordering::Relaxed);
            // What is there is taken for a while.
            assert_eq!(run.next(), Some(1));
            std::thread::sleep(Duration::from_millis(200));
            assert_eq!(run.next(), None);
            let account = run.source.input_account().inputs;
            assert_eq!((account.len(), account[0].records), (1, 2));
            assert_eq!(account[0].skipped[0].reason, "the run was ended before");
        }
        // Between two files.
        fs::write(path("a"), capture(3)).expect("a file");
        let (_, followed) = Followed::new(path("b"));
        let mut run = Run::new(CaptureFiles::new(vec![path("a")], Some(followed)));
        assert_eq!(run.next(), Some(1));
        run.interrupt.store(true, Ordering::Relaxed);
        assert_eq!(run.rest(), 2);
        assert_eq!(run.source.input_account().inputs.len(), 1);
    }

    /// A record that claims more than there is keeps nothing behind it from being found at the end.
    #[test]
    fn the_end_is_that_of_a_file() {
        let captures = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/captures/");
        for name in ["holes.pcapng", "holes.cap"] {
            let path = format!("{captures}{name}");
            let mut read = Run::new(CaptureFiles::new(vec![path.clone()], None));
            let expected = (read.rest(), read.source.input_account().inputs);
            let mut run = follow(Path::new(&path));
            let mut rows = run.all();
            run.interrupt.store(true, Ordering::Relaxed);
            rows += run.rest();
            let account = run.source.input_account().inputs;
            assert_eq!(rows, expected.0, "{name}");
            let skipped = |inputs: &[wireq_engine::InputReport]| {
                let skipped = inputs[0].skipped.iter();
                let skipped = skipped.map(|range| {
                    let reason = match range.reason.as_str() {
                        "the rest of a record was not written yet" => {
                            "the file ends within a record"
                        }
                        reason => reason,
                    };
                    (range.offset, range.bytes, reason.to_owned())
                });
                skipped.collect::<Vec<_>>()
            };
            assert_eq!(skipped(&account), skipped(&expected.1), "{name}");
            assert_eq!(account[0].bytes_used, expected.1[0].bytes_used, "{name}");
        }
    }

    /// What is told of how often folders are listed.
    #[test]
    fn the_help_says_how_often_it_looks() {
        let details = super::super::MODULE.details;
        assert_eq!(LOOK, Duration::from_secs(1) / 2);
        let most = LOOK_MAX.as_secs();
        for words in [
            "every half second".to_owned(),
            format!("after {LOOK_SHARE} times what listing takes"),
            format!("every {most} seconds at least"),
        ] {
            assert!(details.contains(&words), "{words}: {details}");
        }
    }

    fn follow(named: &Path) -> Run {
        let (before, followed) = Followed::new(named.to_string_lossy().into_owned());
        Run::new(CaptureFiles::new(before, Some(followed)))
    }

    /// Files that come while those before are read are the next ones, in folders of their own too.
    #[test]
    fn files_that_come_before_following_begins_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let add = |name: &str, packets: usize| {
            fs::create_dir_all(path(name).parent().expect("a folder")).expect("a folder");
            fs::write(path(name), capture(packets)).expect("a file");
        };
        for before in [&[][..], &["a/x-2"], &["a/x-2", "a-1/x-1"]] {
            fs::remove_dir_all(folder.path()).expect("it is ours");
            before.iter().for_each(|name| add(name, 1));
            let mut run = follow(&path("*/x-*"));
            if !before.is_empty() {
                assert_eq!(run.next(), Some(1));
            }
            ["a-1/x-2", "b/x-3", "b/x-4"]
                .iter()
                .for_each(|name| add(name, 10));
            let expected = 30 + before.len().saturating_sub(1);
            assert_eq!(run.all(), expected, "{before:?}");
        }
    }

    /// What matches nothing is waited for, and no file.
    #[test]
    fn a_pattern_is_no_file_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut run = follow(&folder.path().join("x-*"));
        assert_eq!(run.all(), 0);
        let one = folder.path().join("x-1");
        fs::write(&one, capture(2)).expect("a file");
        assert_eq!(run.all(), 2);
        fs::remove_file(&one).expect("it is ours");
        assert_eq!(run.all(), 0);
        fs::write(&one, capture(3)).expect("a file");
        assert_eq!(run.all(), 3, "another one of its name");
        let inputs = run.source.input_account().inputs;
        assert!(inputs.len() == 2 && inputs.iter().all(|input| input.unusable.is_none()));
    }

    /// Folders are listed seldom, and not at all for a name.
    #[test]
    fn folders_are_listed_seldom() {
        let folder = tempfile::tempdir().expect("a folder");
        let named = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let (_, followed) = Followed::new(named("x-*"));
        let first = lock(&followed.names).look;
        let found = lock(&followed.names).behind(None);
        assert_eq!((lock(&followed.names).look, found), (first, None));
        fs::write(named("x-1"), b"").expect("a file");
        std::thread::sleep(LOOK);
        let found = lock(&followed.names).behind(None);
        assert_eq!(found, Some(named("x-1")));
        let (_, followed) = Followed::new(named("x"));
        let found = lock(&followed.names).behind(None);
        assert_eq!(
            (found, lock(&followed.names).look),
            (Some(named("x")), None)
        );
        assert_eq!(pause(Duration::from_millis(1)), LOOK);
        assert_eq!(pause(Duration::from_millis(100)), Duration::from_secs(2));
        assert_eq!(pause(Duration::MAX), LOOK_MAX);
    }

    /// A pipe is read to its end, and before somebody writes to it the run can end.
    #[test]
    fn a_pipe_ends_by_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("there are pipes").success());
        let mut run = follow(&path);
        run.interrupt.store(true, Ordering::Relaxed);
        assert_eq!(run.rest(), 0);
        let mut run = follow(&path);
        let writer = std::thread::spawn(move || fs::write(path, capture(7)));
        assert_eq!(run.rest(), 7);
        writer.join().expect("it ends").expect("it is read");
    }

    /// A pipe that a pattern matches is told, and those behind it are read.
    #[test]
    fn a_pipe_among_files_is_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let make = |name: &str| {
            let made = std::process::Command::new("mkfifo")
                .arg(path(name))
                .status();
            assert!(made.expect("there are pipes").success());
        };
        fs::write(path("x-1"), capture(2)).expect("a file");
        make("x-2");
        fs::write(path("x-3"), capture(3)).expect("a file");
        let mut run = follow(&path("x-*"));
        assert_eq!(run.all(), 5);
        make("x-4");
        std::thread::sleep(LOOK);
        assert_eq!(run.all(), 0);
        fs::write(path("x-5"), capture(4)).expect("a file");
        std::thread::sleep(LOOK);
        assert_eq!(run.all(), 4);
        let inputs = run.source.input_account().inputs;
        let told = inputs.iter().filter(|input| input.unusable.is_some());
        assert_eq!(told.count(), 2);
    }

    /// What leads nowhere is no end of those that follow.
    #[test]
    fn a_name_without_a_file_is_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("x-1"), capture(2)).expect("a file");
        std::os::unix::fs::symlink("nowhere", path("x-2")).expect("a link");
        fs::write(path("x-3"), capture(3)).expect("a file");
        let mut run = follow(&path("x-*"));
        assert_eq!(run.all(), 5);
        fs::write(path("x-4"), capture(4)).expect("a file");
        assert_eq!(run.all(), 4);
    }

    /// What is no capture may be replaced by one that has its number: such are given anew.
    #[test]
    fn a_file_in_place_of_one_that_is_of_no_use_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x");
        for _ in 0..3 {
            fs::write(&path, [b'?'; 1000]).expect("a file");
            let mut run = follow(&path);
            assert_eq!(run.all(), 0);
            fs::remove_file(&path).expect("it is ours");
            fs::write(&path, capture(3)).expect("a file");
            assert_eq!(run.all(), 3);
            let inputs = run.source.input_account().inputs;
            assert_eq!(inputs.len(), 2);
        }
    }

    /// Devices and folders are told once, by their names, and what comes in their place is read.
    #[test]
    fn what_is_no_file_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x");
        let named = path.to_string_lossy().into_owned();
        for is_folder in [true, false] {
            match is_folder {
                true => fs::create_dir(&path).expect("a folder"),
                false => std::os::unix::fs::symlink("/dev/zero", &path).expect("a link"),
            }
            let mut run = follow(&path);
            assert_eq!(run.all(), 0);
            match is_folder {
                true => fs::remove_dir(&path).expect("it is ours"),
                false => fs::remove_file(&path).expect("it is ours"),
            }
            fs::write(&path, capture(3)).expect("a file");
            assert_eq!(run.all(), 3);
            fs::remove_file(&path).expect("it is ours");
            let inputs = run.source.input_account().inputs;
            let said: Vec<_> = inputs
                .iter()
                .map(|input| (input.name.clone(), input.unusable.clone()))
                .collect();
            let reason = match is_folder {
                true => "it is a directory",
                false => NO_FILE,
            };
            let refused = Some(format!("cannot open it: {reason}"));
            assert_eq!(said, [(named.clone(), refused), (named.clone(), None)]);
        }
    }
}
