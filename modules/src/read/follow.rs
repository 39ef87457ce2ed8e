//! Files that grow while they are read, and are replaced by others under the same name.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A file that is read on when it grows.
pub(super) struct Follow {
    file: File,
    path: String,
    /// The bytes read.
    read: u64,
    /// Whether there is another file to be read behind this one.
    is_last: Box<dyn Fn() -> bool + Send>,
    /// Set where the file became shorter.
    shrank: Arc<AtomicBool>,
}

impl Follow {
    /// Reads on in a file that was opened by this path. `is_last` says whether no other file follows it
    /// by its name.
    pub(super) fn new(
        file: File,
        path: &str,
        is_last: impl Fn() -> bool + Send + 'static,
        shrank: Arc<AtomicBool>,
    ) -> Follow {
        Follow {
            file,
            path: path.to_owned(),
            read: 0,
            is_last: Box::new(is_last),
            shrank,
        }
    }

    /// The file, to be read to its present end.
    pub(super) fn into_file(self) -> File {
        self.file
    }

    /// Reads; an error of the kind `WouldBlock` where nothing more is there now, and none at the end: it
    /// is that of a file that was replaced, became shorter, or has another behind it.
    pub(super) fn read(&mut self, room: &mut [u8], interrupt: &AtomicBool) -> io::Result<usize> {
        // What comes behind the end that it had belongs to the file that begins anew.
        if self.shrank.load(Ordering::Relaxed) {
            return Ok(0);
        }
        match self.read_some(room)? {
            0 => {}
            count => return Ok(count),
        }
        if interrupt.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if !self.is_complete()? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if self.shrank.load(Ordering::Relaxed) {
            return Ok(0);
        }
        // What was written between the two looks.
        self.read_some(room)
    }

    fn read_some(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(count) => {
                    self.read += count as u64;
                    return Ok(count);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether nothing more will be written.
    fn is_complete(&self) -> io::Result<bool> {
        let open = self.file.metadata()?;
        if open.is_file() && open.len() < self.read {
            self.shrank.store(true, Ordering::Relaxed);
            return Ok(true);
        }
        let identity = |data: Metadata| (data.dev(), data.ino());
        Ok(match std::fs::metadata(&self.path) {
            Ok(named) => identity(named) != identity(open) || !(self.is_last)(),
            // It is away: perhaps another one comes.
            Err(_) => !(self.is_last)(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;
    use std::path::Path;

    fn all(follow: &mut Follow) -> (Vec<u8>, Option<io::ErrorKind>) {
        let (never, mut found, mut room) = (AtomicBool::new(false), Vec::new(), [0; 3]);
        loop {
            match follow.read(&mut room, &never) {
                Ok(0) => return (found, None),
                Ok(count) => found.extend(&room[..count]),
                Err(error) => return (found, Some(error.kind())),
            }
        }
    }

    fn open(path: &Path) -> Follow {
        let file = File::open(path).expect("it is there");
        Follow::new(file, &path.to_string_lossy(), || true, Arc::default())
    }

    #[test]
    fn what_is_added_is_read_until_the_file_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let [path, away] = ["x", "x.1"].map(|name| folder.path().join(name));
        fs::write(&path, b"begin").expect("a file");
        let mut follow = open(&path);
        let waits = Some(io::ErrorKind::WouldBlock);
        assert_eq!(all(&mut follow), (b"begin".to_vec(), waits));
        let mut file = File::options().append(true).open(&path).expect("a file");
        file.write_all(b" and more").expect("it is added");
        assert_eq!(all(&mut follow), (b" and more".to_vec(), waits));
        fs::rename(&path, &away).expect("it is moved");
        assert_eq!(
            all(&mut follow),
            (Vec::new(), waits),
            "no other one is there"
        );
        file.write_all(b", then").expect("it is added");
        fs::write(&path, b"another").expect("a file");
        assert_eq!(all(&mut follow), (b", then".to_vec(), None));
        // One that becomes shorter begins anew.
        let mut follow = open(&path);
        assert_eq!(all(&mut follow), (b"another".to_vec(), waits));
        fs::write(&path, b"x").expect("a file");
        assert_eq!(all(&mut follow), (Vec::new(), None));
        fs::write(&path, b"longer than it was before").expect("a file");
        assert_eq!(all(&mut follow), (Vec::new(), None));
        // A run that is to end waits no longer.
        fs::write(&path, b"x").expect("a file");
        let mut follow = open(&path);
        let now = AtomicBool::new(true);
        assert_eq!(follow.read(&mut [0; 3], &now).ok(), Some(1));
        let error = follow.read(&mut [0; 3], &now).expect_err("the end");
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    }
}
