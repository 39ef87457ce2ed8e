//! The file that is followed, and those that take its place.

use crate::read::follow::Follow;
use crate::read::paths::expand;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A capture without packets has so many bytes at least; one with fewer is not yet begun.
const CAPTURE_MIN: u64 = 24;

/// A file that is followed: what is behind a name, or the last of those that a pattern matches.
pub(super) struct Followed {
    named: String,
    /// The file that is read, or was.
    current: Option<String>,
    /// Which file that was: the device and its number there.
    identity: Option<(u64, u64)>,
    /// Whether it became shorter, and so begins anew.
    shrank: Arc<AtomicBool>,
}

/// The file behind another one in the order of names, where a pattern is named.
fn next(named: &str, current: Option<&str>) -> Option<String> {
    let files = expand(named, false).into_iter();
    let mut behind = files.filter(|path| current.is_some_and(|current| **path > *current));
    behind.next()
}

impl Followed {
    pub(super) fn new(named: String) -> Followed {
        Followed {
            named,
            current: None,
            identity: None,
            shrank: Arc::default(),
        }
    }

    /// Opens the file that comes next; none while it is not there.
    pub(super) fn open(&mut self) -> Option<(String, io::Result<Follow>)> {
        let path = match &self.current {
            None => expand(&self.named, false).pop()?,
            Some(current) => next(&self.named, Some(current)).unwrap_or_else(|| current.clone()),
        };
        let is_same = self.current.as_ref() == Some(&path);
        match std::fs::metadata(&path) {
            Ok(data) => {
                let identity = Some((data.dev(), data.ino()));
                let is_new =
                    !is_same || self.identity != identity || self.shrank.load(Ordering::Relaxed);
                let is_begun = data.len() >= CAPTURE_MIN || !data.is_file();
                // One that nobody goes on with is read as it is.
                if !is_new || !is_begun && next(&self.named, Some(&path)).is_none() {
                    return None;
                }
                self.identity = identity;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(_) if is_same && self.identity.is_none() => return None,
            Err(_) => self.identity = None,
        }
        self.current = Some(path.clone());
        self.shrank = Arc::default();
        let (named, own) = (self.named.clone(), path.clone());
        let is_last = move || next(&named, Some(&own)).is_none();
        let file = Follow::open(&path, is_last, Arc::clone(&self.shrank));
        Some((path, file))
    }
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
            let followed = Followed::new(path("b"));
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
        let followed = Followed::new(path("b"));
        let mut run = Run::new(CaptureFiles::new(vec![path("a")], Some(followed)));
        assert_eq!(run.next(), Some(1));
        run.interrupt.store(true, Ordering::Relaxed);
        assert_eq!(run.rest(), 2);
        assert_eq!(run.source.input_account().inputs.len(), 1);
    }
}
