//! The files of a capture writer: their names, when a new one begins, and what is in each.
//!
//! What was written is in the file when a call ends: nothing waits, so that a failure is told where
//! it happens, and a saved state says how long each file is.

use super::capture::{Header, Misfit, Packet, SNAPLEN_AT, refuse};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::{Zone, write_time};

/// What stands for the time of a file's first packet in names.
pub(super) const TIME: &str = "%T";
const NANOS: i64 = 1_000_000_000;
/// More than this of a file is not kept back within a call.
const PENDING_MAX: usize = 256 * 1024;

/// How files are written.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// The name, with [`TIME`] for a time.
    pub(super) name: String,
    /// A file of so many bytes is followed by another one.
    pub(super) size_max: Option<u64>,
    /// Files begin at multiples of so many nanoseconds.
    pub(super) interval: Option<i64>,
    /// Whether times have nanoseconds in any case.
    pub(super) nanos: bool,
}

/// Files of which one follows the other.
pub(super) struct Series {
    /// The number of the series, where there are several.
    bucket: Option<u32>,
    open: Option<OpenFile>,
    /// The files begun so far.
    begun: u64,
    /// Whether the open file was begun without a packet.
    blank: bool,
    /// The latest second that a file was named after.
    latest: i64,
    /// The interval of the open file.
    interval: i64,
}

struct OpenFile {
    path: String,
    file: File,
    header: Header,
    /// The length once all is written.
    len: u64,
    pending: Vec<u8>,
}

impl Series {
    pub(super) fn new(bucket: Option<u32>) -> Series {
        Series {
            bucket,
            open: None,
            begun: 0,
            blank: false,
            latest: i64::MIN,
            interval: 0,
        }
    }

    /// Adds a packet, to a new file where the rules ask for one.
    pub(super) fn put(
        &mut self,
        packet: &Packet<'_>,
        rules: &Rules,
        zone: &Zone,
    ) -> Result<(), Error> {
        if self.blank {
            // Packets that come at the end of the input are written after `finish`.
            *self = Series::new(self.bucket);
        }
        let interval = rules
            .interval
            .map_or(0, |length| packet.ts.div_euclid(length));
        let full = |open: &OpenFile| rules.size_max.is_some_and(|max| open.len >= max);
        // Packets of the interval before come late now and then; a clock that was set is another thing.
        let past = interval > self.interval || interval < self.interval - 1;
        if self.open.as_ref().is_some_and(|open| past || full(open)) {
            self.flush()?;
            self.open = None;
        }
        let open = match &mut self.open {
            Some(open) => open,
            None => {
                let header = Header::of(packet, rules.nanos);
                let path = self.path(rules, packet.ts.div_euclid(NANOS), zone);
                self.interval = interval;
                self.begin(path, header)?
            }
        };
        open.put(packet, zone)
    }

    fn begin(&mut self, path: String, header: Header) -> Result<&mut OpenFile, Error> {
        self.begun += 1;
        Ok(self.open.insert(OpenFile::create(path, header)?))
    }

    /// The name of the next file. No two are the same: where the time does not tell them apart,
    /// their number does.
    fn path(&mut self, rules: &Rules, second: i64, zone: &Zone) -> String {
        let timed = rules.name.contains(TIME);
        let mut path = rules.name.clone();
        if timed {
            let mut time = Vec::new();
            write_time(second * NANOS, zone, &mut time);
            path = path.replace(TIME, &String::from_utf8_lossy(&time));
        }
        if let Some(bucket) = self.bucket {
            path = format!("{path}.{bucket}");
        }
        if self.begun > 0 && !(timed && second > self.latest) {
            path = format!("{path}.{}", self.begun);
        }
        self.latest = self.latest.max(second);
        path
    }

    /// Writes what is pending.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        self.open.as_mut().map_or(Ok(()), OpenFile::flush)
    }

    /// Begins the open file anew, where its name is that of another file by now, or of none.
    pub(super) fn reopen(&mut self) -> Result<(), Error> {
        self.flush()?;
        match &mut self.open {
            Some(open) if !open.is_named() => {
                *open = OpenFile::create(open.path.clone(), open.header)?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Where there was no packet, a capture without any is written, so that what an earlier run left
    /// is not taken for a result; with times in names there is none to name it after.
    pub(super) fn finish(
        &mut self,
        rules: &Rules,
        header: Header,
        zone: &Zone,
    ) -> Result<(), Error> {
        if self.begun == 0 && !rules.name.contains(TIME) {
            let path = self.path(rules, 0, zone);
            self.begin(path, header)?;
            self.blank = true;
        }
        self.flush()
    }

    /// The header of the open file.
    pub(super) fn header(&self) -> Option<Header> {
        self.open.as_ref().map(|open| open.header)
    }

    pub(super) fn save(&self, out: &mut Writer) {
        out.number(self.begun);
        out.number(u64::from(self.blank));
        out.number(self.latest as u64);
        out.number(self.interval as u64);
        out.number(u64::from(self.open.is_some()));
        if let Some(open) = &self.open {
            out.bytes(open.path.as_bytes());
            out.number(open.len);
            open.header.save(out);
        }
    }

    /// Reads a state back, and goes on in its file where it stopped: what was written to it since is
    /// cut off.
    pub(super) fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.begun = from.number()?;
        self.blank = from.number()? != 0;
        self.latest = from.number()? as i64;
        self.interval = from.number()? as i64;
        self.open = None;
        if from.number()? != 0 {
            let path = String::from_utf8_lossy(from.bytes()?).into_owned();
            let len = from.number()?;
            let header = Header::load(from)?;
            self.open = Some(OpenFile::resume(path, header, len)?);
        }
        Ok(())
    }
}

impl OpenFile {
    fn create(path: String, header: Header) -> Result<OpenFile, Error> {
        let file = File::create(&path).map_err(|error| Error::file("create", &path, error))?;
        let mut pending = Vec::new();
        header.write(&mut pending);
        Ok(OpenFile {
            path,
            file,
            header,
            len: pending.len() as u64,
            pending,
        })
    }

    fn resume(path: String, header: Header, len: u64) -> Result<OpenFile, Error> {
        let open = || {
            let mut file = OpenOptions::new().write(true).open(&path)?;
            // A device keeps nothing that could be cut off.
            if file.metadata()?.is_file() {
                file.set_len(len)?;
                file.seek(SeekFrom::End(0))?;
            }
            Ok(file)
        };
        let file = open().map_err(|error| Error::file("open", &path, error))?;
        Ok(OpenFile {
            path,
            file,
            header,
            len,
            pending: Vec::new(),
        })
    }

    /// Whether the path still leads to the file.
    fn is_named(&self) -> bool {
        let identity = |data: Metadata| (data.dev(), data.ino());
        let named = std::fs::metadata(&self.path).map(identity);
        let open = self.file.metadata().map(identity);
        matches!((open, named), (Ok(open), Ok(named)) if open == named)
    }

    fn put(&mut self, packet: &Packet<'_>, zone: &Zone) -> Result<(), Error> {
        match self.header.misfit(packet) {
            None => {}
            Some(Misfit::Snaplen) => self.raise_snaplen(packet.snaplen)?,
            Some(misfit) => return Err(refuse(misfit, &self.path, self.header, packet, zone)),
        }
        let before = self.pending.len();
        self.header.write_packet(packet, &mut self.pending);
        self.len += (self.pending.len() - before) as u64;
        if self.pending.len() > PENDING_MAX {
            self.flush()?;
        }
        Ok(())
    }

    /// Corrects the header, for a capture that keeps more of a packet than those before.
    fn raise_snaplen(&mut self, snaplen: u32) -> Result<(), Error> {
        self.flush()?;
        self.header.snaplen = snaplen;
        let written = self.file.write_all_at(&snaplen.to_le_bytes(), SNAPLEN_AT);
        written.map_err(|error| Error::file("write", &self.path, error))
    }

    fn flush(&mut self) -> Result<(), Error> {
        let written = self.file.write_all(&self.pending);
        self.pending.clear();
        written.map_err(|error| Error::file("write", &self.path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(name: &str) -> Rules {
        Rules {
            name: name.into(),
            size_max: None,
            interval: None,
            nanos: false,
        }
    }

    #[test]
    fn no_two_files_have_the_same_name() {
        for (name, bucket, expected) in [
            ("x", None, ["x", "x.1", "x.2", "x.3"]),
            ("x", Some(7), ["x.7", "x.7.1", "x.7.2", "x.7.3"]),
            (
                "%T.pcap",
                None,
                [
                    "1970-01-01T00:00:05+00:00.pcap",
                    "1970-01-01T00:00:05+00:00.pcap.1",
                    "1970-01-01T00:00:06+00:00.pcap",
                    "1970-01-01T00:00:05+00:00.pcap.3",
                ],
            ),
        ] {
            let mut series = Series::new(bucket);
            for (second, expected) in [5, 5, 6, 5].into_iter().zip(expected) {
                assert_eq!(series.path(&rules(name), second, &Zone::utc()), expected);
                series.begun += 1;
            }
        }
    }
}
