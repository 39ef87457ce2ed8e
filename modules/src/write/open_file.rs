//! One open capture that is written.
//!
//! What was written is in the file when a call ends, so that a failure is told where it happens, and
//! a saved state says how long the file is. What is to be compressed waits until it is worth it.

use super::capture::{Header, Misfit, Packet, SNAPLEN_AT, refuse};
use super::capture_files::Rules;
use super::packing::Packing;
use super::pcapng::{LENGTH_AT, Section};
use crate::types::packet::Beside;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::{Duration, Instant};
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::Zone;

/// More than this of a file is not kept back within a call.
const PENDING_MAX: usize = 256 * 1024;
/// So many bytes are compressed as one.
const MEMBER_LEN: usize = 1 << 20;
/// The length of a section that is not told.
const NO_LENGTH: [u8; 8] = [0xff; 8];

pub(super) struct OpenFile {
    path: String,
    file: File,
    /// What a file of classic pcap says of all its packets.
    header: Option<Header>,
    packing: Option<Packing>,
    /// What may wait waits for no longer.
    patience: Option<Duration>,
    /// Since when something waits, where that is asked for.
    since: Option<Instant>,
    /// The length once all is written, uncompressed.
    len: u64,
    /// The packets in it.
    count: u64,
    /// The length of what was written.
    written: u64,
    pending: Vec<u8>,
    claim: Option<Claim>,
    /// Whether what was written can be put right.
    keeps: bool,
}

/// What the header of the last section said of its length where it was read. Whether that is true
/// shows when the section ends; until then, none is told.
#[derive(Clone, Copy)]
struct Claim {
    /// Where the length stands.
    at: u64,
    /// Where the section would end.
    end: u64,
    /// The length as it is written.
    bytes: [u8; 8],
    /// Whether it stands there.
    told: bool,
}

impl OpenFile {
    /// Creates a file: of classic pcap where there is a header, else of pcapng with a section.
    pub(super) fn create(
        path: String,
        rules: &Rules,
        header: Option<Header>,
        section: &Section,
    ) -> Result<OpenFile, Error> {
        let file = File::create(&path).map_err(|error| Error::file("create", &path, error))?;
        let mut open = OpenFile::of(path, file, rules, header);
        open.begin(section);
        Ok(open)
    }

    fn of(path: String, file: File, rules: &Rules, header: Option<Header>) -> OpenFile {
        let is_file = file.metadata().is_ok_and(|data| data.is_file());
        OpenFile {
            keeps: is_file && rules.packing.is_none(),
            path,
            file,
            header,
            packing: rules.packing,
            patience: rules.flush,
            since: None,
            len: 0,
            count: 0,
            written: 0,
            pending: Vec::new(),
            claim: None,
        }
    }

    fn begin(&mut self, section: &Section) {
        match self.header {
            Some(header) => header.write(&mut self.pending),
            None => self.pending.extend_from_slice(section.head()),
        }
        self.len = self.pending.len() as u64;
    }

    /// The same file, begun anew under its name.
    pub(super) fn anew(&self, rules: &Rules, section: &Section) -> Result<OpenFile, Error> {
        OpenFile::create(self.path.clone(), rules, self.header, section)
    }

    /// Whether the path still leads to the file.
    pub(super) fn is_named(&self) -> bool {
        let identity = |data: Metadata| (data.dev(), data.ino());
        let named = std::fs::metadata(&self.path).map(identity);
        let open = self.file.metadata().map(identity);
        matches!((open, named), (Ok(open), Ok(named)) if open == named)
    }

    /// Whether another file is to follow.
    pub(super) fn is_full(&self, rules: &Rules) -> bool {
        let is_long = rules.size_max.is_some_and(|max| self.len >= max);
        // The interfaces of a section alone may be as long as a file is to be.
        self.count > 0 && (is_long || rules.count_max.is_some_and(|max| self.count >= max))
    }

    pub(super) fn header(&self) -> Option<Header> {
        self.header
    }

    pub(super) fn put(
        &mut self,
        packet: &Packet<'_>,
        section: &mut Section,
        zone: &Zone,
    ) -> Result<(), Error> {
        if let Some(header) = self.header
            && header.misfit(packet) == Some(Misfit::Snaplen)
            && self.packing.is_none()
        {
            let snaplen = packet.snaplen;
            self.raise_snaplen(Header { snaplen, ..header })?;
        }
        let before = self.pending.len();
        match self.header {
            None => section.put(packet, &mut self.pending),
            Some(header) => match header.misfit(packet) {
                None => header.write_packet(packet, &mut self.pending),
                Some(misfit) => return Err(refuse(misfit, &self.path, header, packet, zone)),
            },
        }
        self.count += 1;
        self.added(before, section)
    }

    /// Adds what stood between packets.
    pub(super) fn beside(&mut self, beside: &Beside, section: &mut Section) -> Result<(), Error> {
        if self.header.is_some() {
            return Ok(());
        }
        let before = self.pending.len();
        section.beside(beside, &mut self.pending);
        self.added(before, section)
    }

    /// Notes what came behind so many pending bytes.
    fn added(&mut self, before: usize, section: &mut Section) -> Result<(), Error> {
        let base = self.len;
        self.len += (self.pending.len() - before) as u64;
        if let Some(begun) = section.begun() {
            let start = base + (begun.at - before) as u64;
            self.settle(start)?;
            self.claim = begun
                .claim
                .filter(|_| self.keeps)
                .map(|(length, bytes)| Claim {
                    at: start + LENGTH_AT as u64,
                    end: (start + begun.header_len as u64).saturating_add(length),
                    bytes,
                    told: false,
                });
        } else if let Some(claim) = self.claim.take_if(|claim| claim.told) {
            // It was told at the end of the input, and more came.
            self.patch(&NO_LENGTH, claim.at)?;
        }
        let most = match self.packing {
            Some(_) => MEMBER_LEN,
            None => PENDING_MAX,
        };
        if self.pending.len() > most {
            self.flush()?;
        }
        Ok(())
    }

    /// Tells the length of the last section, which ends here, if it is what was told where the section
    /// was read.
    fn settle(&mut self, end: u64) -> Result<(), Error> {
        if let Some(mut claim) = self.claim.filter(|claim| claim.end == end && !claim.told) {
            self.patch(&claim.bytes, claim.at)?;
            claim.told = true;
            self.claim = Some(claim);
        }
        Ok(())
    }

    /// Ends the file, as far as is known.
    pub(super) fn end(&mut self, section: &mut Section) -> Result<(), Error> {
        if self.header.is_none() {
            let before = self.pending.len();
            section.begin_any(&mut self.pending);
            self.added(before, section)?;
        }
        self.settle(self.len)?;
        self.flush()
    }

    /// Corrects the header, for a capture that keeps more of a packet than those before.
    fn raise_snaplen(&mut self, header: Header) -> Result<(), Error> {
        self.header = Some(header);
        self.patch(&header.snaplen.to_le_bytes(), SNAPLEN_AT)
    }

    /// Writes over what is in the file.
    fn patch(&mut self, bytes: &[u8], at: u64) -> Result<(), Error> {
        self.flush()?;
        let written = self.file.write_all_at(bytes, at);
        written.map_err(|error| Error::file("write", &self.path, error))
    }

    /// Writes what is pending, but for what may wait: `now` is given where it is looked for how long
    /// that did.
    pub(super) fn flush_if_due(&mut self, now: Option<Instant>) -> Result<(), Error> {
        if self.packing.is_none() {
            return self.flush();
        }
        let (Some(patience), Some(now)) = (self.patience, now) else {
            return Ok(());
        };
        if self.pending.is_empty() {
            self.since = None;
            return Ok(());
        }
        let since = *self.since.get_or_insert(now);
        match now.duration_since(since) >= patience {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Writes what is pending.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.since = None;
        let written = match self.packing {
            None => self
                .file
                .write_all(&self.pending)
                .map(|()| self.pending.len()),
            Some(packing) => packing.pack(&self.pending).and_then(|packed| {
                self.file.write_all(&packed)?;
                Ok(packed.len())
            }),
        };
        self.pending.clear();
        self.written += written.map_err(|error| Error::file("write", &self.path, error))? as u64;
        Ok(())
    }

    /// About how many bytes it takes.
    pub(super) fn memory(&self) -> usize {
        self.pending.capacity()
    }

    pub(super) fn save(&self, out: &mut Writer) {
        out.bytes(self.path.as_bytes());
        for number in [self.len, self.count, self.written] {
            out.number(number);
        }
        out.bytes(&self.pending);
        out.number(u64::from(self.header.is_some()));
        if let Some(header) = self.header {
            header.save(out);
        }
        out.number(u64::from(self.claim.is_some()));
        if let Some(claim) = self.claim {
            out.number(claim.at);
            out.number(claim.end);
            out.number(u64::from_le_bytes(claim.bytes));
            out.number(claim.told.into());
        }
    }

    /// Reads a state back, and goes on in its file where it stopped: what was written to it since is
    /// cut off.
    pub(super) fn load(from: &mut Reader<'_>, rules: &Rules) -> Result<OpenFile, Error> {
        let path = String::from_utf8_lossy(from.bytes()?).into_owned();
        let (len, count, written) = (from.number()?, from.number()?, from.number()?);
        let pending = from.bytes()?.to_vec();
        let mut header = None;
        if from.number()? != 0 {
            header = Some(Header::load(from)?);
        }
        let mut claim = None;
        if from.number()? != 0 {
            claim = Some(Claim {
                at: from.number()?,
                end: from.number()?,
                bytes: from.number()?.to_le_bytes(),
                told: from.number()? != 0,
            });
        }
        let file = resume(&path, written).map_err(|error| Error::file("open", &path, error))?;
        let mut open = OpenFile::of(path, file, rules, header);
        (open.len, open.count, open.written) = (len, count, written);
        (open.pending, open.claim) = (pending, claim);
        Ok(open)
    }
}

/// Opens a file that has this length, to go on behind it.
fn resume(path: &str, len: u64) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    // A device keeps nothing that could be cut off.
    if file.metadata()?.is_file() {
        file.set_len(len)?;
        file.seek(SeekFrom::End(0))?;
    }
    Ok(file)
}
