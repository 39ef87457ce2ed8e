//! One open capture that is written.
//!
//! What was written is in the file when a call ends, so that a failure is told where it happens, and
//! a saved state says how long the file is. What is to be compressed waits until it is worth it.

use super::capture::{Header, Misfit, Packet, SNAPLEN_AT, SNAPLEN_DEFAULT, refuse};
use super::capture_files::Rules;
use super::packing::Packing;
use super::pcapng::{LENGTH_AT, Section};
use super::written_file::WrittenFile;
use crate::types::packet::Beside;
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
    file: WrittenFile,
    /// What a file of classic pcap says of all its packets.
    header: Option<Header>,
    packing: Option<Packing>,
    /// What may wait waits for no longer.
    patience: Option<Duration>,
    /// Since when something waits, where that is asked for.
    since: Option<Instant>,
    /// The length once all is written, uncompressed.
    len: u64,
    /// The bytes that it begins with, before anything that it is for.
    head_len: u64,
    /// The packets in it.
    count: u64,
    pending: Vec<u8>,
    claim: Option<Claim>,
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
        path: &str,
        rules: &Rules,
        header: Option<Header>,
        section: &Section,
    ) -> Result<OpenFile, Error> {
        let file = WrittenFile::create(path)?;
        let mut open = OpenFile::of(file, rules, header);
        if !open.keeps()
            && let Some(header) = &mut open.header
        {
            // It cannot be corrected.
            header.snaplen = header.snaplen.max(SNAPLEN_DEFAULT);
        }
        open.begin(section);
        Ok(open)
    }

    fn of(file: WrittenFile, rules: &Rules, header: Option<Header>) -> OpenFile {
        OpenFile {
            file,
            header,
            packing: rules.packing,
            patience: rules.flush,
            since: None,
            len: 0,
            head_len: 0,
            count: 0,
            pending: Vec::new(),
            claim: None,
        }
    }

    /// Whether what was written can be put right.
    fn keeps(&self) -> bool {
        self.packing.is_none() && self.file.keeps()
    }

    fn begin(&mut self, section: &Section) {
        match self.header {
            Some(header) => header.write(&mut self.pending),
            None => self.pending.extend_from_slice(section.head()),
        }
        self.len = self.pending.len() as u64;
        self.head_len = self.len;
    }

    /// The same file, begun anew under its name.
    pub(super) fn anew(&self, rules: &Rules, section: &Section) -> Result<OpenFile, Error> {
        OpenFile::create(self.file.path(), rules, self.header, section)
    }

    /// Whether the path still leads to the file.
    pub(super) fn is_named(&self) -> bool {
        !self.file.is_elsewhere()
    }

    /// Whether another file is to follow.
    pub(super) fn is_full(&self, rules: &Rules) -> bool {
        // The interfaces of a section alone may be as long as a file is to be: half of it is more.
        let least = self.head_len.saturating_mul(2);
        let is_long = rules.size_max.is_some_and(|max| self.len >= max.max(least));
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
            && self.keeps()
        {
            let snaplen = packet.snaplen;
            self.raise_snaplen(Header { snaplen, ..header })?;
        }
        let before = self.pending.len();
        match self.header {
            None => section.put(packet, &mut self.pending),
            Some(header) => match header.misfit(packet) {
                None => header.write_packet(packet, &mut self.pending),
                Some(misfit) => return Err(refuse(misfit, self.file.path(), header, packet, zone)),
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
                .filter(|_| self.keeps())
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
        self.file.put(bytes, at)
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
            None => self.file.add(&self.pending),
            Some(packing) => match packing.pack(&self.pending) {
                Ok(packed) => self.file.add(&packed),
                Err(error) => Err(Error::file("write", self.file.path(), error)),
            },
        };
        self.pending.clear();
        written
    }

    /// About how many bytes it takes.
    pub(super) fn memory(&self) -> usize {
        self.pending.capacity()
    }

    pub(super) fn save(&self, out: &mut Writer) {
        out.bytes(self.file.path().as_bytes());
        self.file.save(out);
        for number in [self.len, self.head_len, self.count] {
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
        let mut file = WrittenFile::new(&String::from_utf8_lossy(from.bytes()?));
        file.load(from)?;
        let (len, head_len, count) = (from.number()?, from.number()?, from.number()?);
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
        let mut open = OpenFile::of(file, rules, header);
        (open.len, open.head_len, open.count) = (len, head_len, count);
        (open.pending, open.claim) = (pending, claim);
        Ok(open)
    }
}
