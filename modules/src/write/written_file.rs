//! A file that a writer of flows makes: begun anew, then added to, its begin put right.

use std::fs::{File, Metadata, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};

/// A file, created when something is first written to it.
pub(super) struct WrittenFile {
    path: String,
    file: Option<File>,
    /// The bytes that count; what is behind them is written over.
    len: u64,
}

impl WrittenFile {
    pub(super) fn new(path: &str) -> WrittenFile {
        WrittenFile {
            path: path.to_owned(),
            file: None,
            len: 0,
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The file, empty where it is new.
    fn file(&mut self) -> Result<&File, Error> {
        if self.file.is_none() {
            let created = File::create(&self.path);
            self.len = 0;
            self.file = Some(created.map_err(|error| Error::file("create", &self.path, error))?);
        }
        match &self.file {
            Some(file) => Ok(file),
            None => Err(Error::file(
                "create",
                &self.path,
                std::io::ErrorKind::NotFound.into(),
            )),
        }
    }

    /// Adds bytes.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file()?;
        self.put(bytes, self.len)?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Writes bytes at a place; the length that counts stays.
    pub(super) fn put(&mut self, bytes: &[u8], at: u64) -> Result<(), Error> {
        let file = self.file()?;
        // A device has no places: what is to be put right there is lost on it as all else is.
        let written = file.write_all_at(bytes, at).or_else(|error| {
            let is_file = file.metadata().is_ok_and(|data| data.is_file());
            match (is_file, at) {
                (true, _) => Err(error),
                (false, _) => std::io::Write::write_all(&mut &*file, bytes),
            }
        });
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
                let file = OpenOptions::new().write(true).open(&self.path)?;
                if file.metadata()?.is_file() {
                    file.set_len(self.len)?;
                }
                Ok(file)
            };
            let opened = open().map_err(|error| Error::file("open", &self.path, error))?;
            self.file = Some(opened);
        }
        Ok(())
    }
}
