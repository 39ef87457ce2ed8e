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
