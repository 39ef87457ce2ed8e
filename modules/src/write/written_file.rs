//! A file that a writer makes: begun anew, then added to, what stands in it put right.

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};

/// Set where the run is to end: nothing is waited for then.
static INTERRUPT: OnceLock<Arc<AtomicBool>> = OnceLock::new();
/// How long is waited before it is looked again whether a pipe has a reader.
const READER_WAIT: Duration = Duration::from_millis(20);

/// Tells writers what is set where the process is to end: the first one that is told counts. Who
/// waits for the reader of a pipe fails then, with an error of the kind `Interrupted`.
pub fn end_when_set(interrupt: &Arc<AtomicBool>) {
    let _ = INTERRUPT.set(Arc::clone(interrupt));
}

/// Creates a file, or replaces what it has; of a pipe the reader is waited for.
fn create(path: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    open(options.write(true).create(true).truncate(true), path)
}

/// Opens a file. Opening a pipe waits for a reader, and no signal would end that.
fn open(options: &mut OpenOptions, path: &str) -> io::Result<File> {
    options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let is_interrupted = || {
        let interrupt = INTERRUPT.get();
        interrupt.is_some_and(|interrupt| interrupt.load(Ordering::Relaxed))
    };
    loop {
        match options.open(path) {
            Err(error) if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => {
                let is_pipe = std::fs::metadata(path).is_ok_and(|data| data.file_type().is_fifo());
                if !is_pipe {
                    return Err(error);
                }
                if is_interrupted() {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                std::thread::sleep(READER_WAIT);
            }
            Err(error) => return Err(error),
            Ok(file) => {
                if !file.metadata()?.is_file() {
                    fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
                }
                return Ok(file);
            }
        }
    }
}

/// A file, created when something is first written to it.
pub(super) struct WrittenFile {
    path: String,
    file: Option<File>,
    /// Whether it has places, so that what was written can be put right: a pipe has none.
    keeps: bool,
    /// The bytes that count; what is behind them is written over.
    len: u64,
}

impl WrittenFile {
    pub(super) fn new(path: &str) -> WrittenFile {
        WrittenFile {
            path: path.to_owned(),
            file: None,
            keeps: true,
            len: 0,
        }
    }

    /// Creates a file at once.
    pub(super) fn create(path: &str) -> Result<WrittenFile, Error> {
        let mut file = WrittenFile::new(path);
        file.file()?;
        Ok(file)
    }

    /// Whether what was written can be put right.
    pub(super) fn keeps(&self) -> bool {
        self.keeps
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Creates the file unless that is done.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        self.file().map(drop)
    }

    /// The file, empty where it is new.
    fn file(&mut self) -> Result<&File, Error> {
        if self.file.is_none() {
            let created = create(&self.path);
            let created = created.map_err(|error| Error::file("create", &self.path, error))?;
            self.take(created);
            self.len = 0;
        }
        match &self.file {
            Some(file) => Ok(file),
            None => Err(Error::file(
                "create",
                &self.path,
                io::ErrorKind::NotFound.into(),
            )),
        }
    }

    fn take(&mut self, mut file: File) {
        self.keeps = file.stream_position().is_ok();
        self.file = Some(file);
    }

    /// Adds bytes.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file()?;
        self.put(bytes, self.len)?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Writes bytes at a place; the length that counts stays. Where there are no places, only what
    /// stands at the end is written.
    pub(super) fn put(&mut self, bytes: &[u8], at: u64) -> Result<(), Error> {
        self.file()?;
        let (keeps, is_next) = (self.keeps, at == self.len);
        let mut file = self.file()?;
        let written = match keeps {
            true => file.write_all_at(bytes, at),
            false if is_next => file.write_all(bytes),
            false => Ok(()),
        };
        written.map_err(|error| Error::file("write", &self.path, error))
    }

    /// Whether the path leads to another file by now, or to none.
    pub(super) fn is_elsewhere(&self) -> bool {
        let identity = |data: Metadata| (data.dev(), data.ino());
        let Some(file) = &self.file else {
            return false;
        };
        let named = std::fs::metadata(&self.path).map(identity);
        let open = file.metadata().map(identity);
        !matches!((open, named), (Ok(open), Ok(named)) if open == named)
    }

    pub(super) fn save(&self, out: &mut Writer) {
        out.number(u64::from(self.file.is_some()));
        out.number(self.len);
    }

    /// Goes on in the file where it stopped: what was written to it since is cut off.
    pub(super) fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        let begun = from.number()? != 0;
        self.len = from.number()?;
        self.file = None;
        if begun {
            let open = || {
                let file = open(OpenOptions::new().write(true), &self.path)?;
                if file.metadata()?.is_file() {
                    file.set_len(self.len)?;
                }
                Ok(file)
            };
            let opened = open().map_err(|error| Error::file("open", &self.path, error))?;
            self.take(opened);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::process::Command;

    /// A pipe takes what is added, once; it goes on after a save, and nothing in it is put right.
    #[test]
    fn a_pipe_takes_what_is_added() {
        let folder = tempfile::tempdir().expect("the temporary folder takes folders");
        let path = folder.path().join("pipe").to_string_lossy().into_owned();
        let made = Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo is there").success());
        let both = OpenOptions::new().read(true).write(true).open(&path);
        let mut reader = both.expect("it is a pipe");
        let mut file = WrittenFile::create(&path).expect("it can be opened");
        assert!(!file.keeps());
        file.add(b"head").expect("it is written");
        file.put(b"HEAD", 0).expect("that is no fault");
        let mut saved = Writer::default();
        file.save(&mut saved);
        drop(file);
        let mut file = WrittenFile::new(&path);
        let bytes = saved.into_bytes();
        let loaded = file.load(&mut Reader::new(&bytes, &[]));
        loaded.expect("it is a state");
        assert_eq!((file.len(), file.keeps()), (4, false));
        file.add(b"more").expect("it is written");
        assert!(!file.is_elsewhere());
        file.add(b"!").expect("it is written");
        let mut got = [0; 9];
        reader.read_exact(&mut got).expect("it was written");
        assert_eq!(&got, b"headmore!");
    }

    /// A file is put right where it stands, and goes on where it stopped.
    #[test]
    fn a_file_is_put_right() {
        let folder = tempfile::tempdir().expect("the temporary folder takes folders");
        let path = folder.path().join("file").to_string_lossy().into_owned();
        let mut file = WrittenFile::new(&path);
        file.add(b"head").expect("it is written");
        let mut saved = Writer::default();
        file.save(&mut saved);
        file.add(b"lost").expect("it is written");
        let bytes = saved.into_bytes();
        let loaded = file.load(&mut Reader::new(&bytes, &[]));
        loaded.expect("it is a state");
        file.add(b"er").expect("it is written");
        file.put(b"H", 0).expect("it is put right");
        assert_eq!(std::fs::read(&path).expect("it is there"), b"Header");
        std::fs::remove_file(&path).expect("it is there");
        assert!(file.is_elsewhere());
    }
}
