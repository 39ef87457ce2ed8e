//! The files of a capture writer: their names, when a new one begins, and what is in each.

use super::capture::{Header, Packet};
use super::names::Pattern;
use super::open_file::OpenFile;
use super::packing::Packing;
use super::pcapng::Section;
use crate::types::packet::Beside;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::Zone;

const NANOS: i64 = 1_000_000_000;
/// Blocks that stand before the first packet, whose time the file is named after, are not more.
const WAITING_MAX: usize = 64 << 20;

/// How captures are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Pcap,
    Pcapng,
}

/// How files are written.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) name: Pattern,
    pub(super) format: Format,
    pub(super) packing: Option<Packing>,
    /// A file of so many bytes is followed by another one.
    pub(super) size_max: Option<u64>,
    /// So is a file of so many packets.
    pub(super) count_max: Option<u64>,
    /// Files begin at multiples of so many nanoseconds.
    pub(super) interval: Option<i64>,
    /// Whether times have nanoseconds in any case.
    pub(super) nanos: bool,
    /// What waits to be compressed waits for no longer.
    pub(super) flush: Option<Duration>,
}

/// Files of which one follows the other.
pub(super) struct Series {
    /// The number of the series, where there are several.
    bucket: Option<u32>,
    open: Option<OpenFile>,
    /// The section that is written, of pcapng: it goes on in the next file.
    section: Section,
    /// What stands before the first packet, where that names the file; the series that wait share it.
    waiting: Vec<Arc<Beside>>,
    waiting_len: usize,
    /// The files begun so far.
    begun: u64,
    /// Whether the open file was begun without a packet.
    blank: bool,
    /// The latest second that a file was named after, and the name that it had.
    latest: i64,
    last: String,
    /// The interval of the open file.
    interval: i64,
}

impl Series {
    pub(super) fn new(bucket: Option<u32>) -> Series {
        Series {
            bucket,
            open: None,
            section: Section::default(),
            waiting: Vec::new(),
            waiting_len: 0,
            begun: 0,
            blank: false,
            latest: i64::MIN,
            last: String::new(),
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
        if self.blank && rules.format == Format::Pcap {
            // Packets that come at the end of the input are written after `finish`.
            *self = Series::new(self.bucket);
        }
        // What has no time belongs to the file before.
        let ts = packet
            .ts
            .unwrap_or(self.latest.max(0).saturating_mul(NANOS));
        let length = rules.interval.filter(|_| packet.ts.is_some());
        let interval = length.map_or(self.interval, |length| ts.div_euclid(length));
        // Packets of the interval before come late now and then; a clock that was set is another thing.
        let past = interval > self.interval || interval < self.interval - 1;
        let ends = |open: &OpenFile| (past && !self.blank) || open.is_full(rules);
        if self.open.as_ref().is_some_and(ends) {
            self.end_file()?;
        }
        if std::mem::take(&mut self.blank) {
            self.interval = interval;
        }
        if self.open.is_none() {
            self.interval = interval;
            let header = rules.header(packet);
            self.begin(ts.div_euclid(NANOS), header, rules, zone)?;
        }
        match &mut self.open {
            Some(open) => open.put(packet, &mut self.section, zone),
            None => Ok(()),
        }
    }

    /// Ends the open file.
    fn end_file(&mut self) -> Result<(), Error> {
        let section = &mut self.section;
        let open = self.open.take();
        open.map_or(Ok(()), |mut open| open.end(section))
    }

    /// Begins a file whose first packet, where there is one, is of this second; of classic pcap where
    /// there is a header.
    fn begin(
        &mut self,
        second: i64,
        header: Option<Header>,
        rules: &Rules,
        zone: &Zone,
    ) -> Result<(), Error> {
        let path = self.path(rules, second, zone);
        self.begun += 1;
        let mut open = OpenFile::create(&path, rules, header, &self.section)?;
        for beside in std::mem::take(&mut self.waiting) {
            open.beside(&beside, &mut self.section)?;
        }
        self.waiting_len = 0;
        self.open = Some(open);
        Ok(())
    }

    /// The name of the next file. No two that follow each other are the same: where neither the time
    /// nor a number in the name tells them apart, a number behind it does.
    fn path(&mut self, rules: &Rules, second: i64, zone: &Zone) -> String {
        let timed = rules.name.is_timed();
        let name = rules.name.name(second, self.begun + 1, zone);
        let mut path = name.clone();
        if let Some(bucket) = self.bucket {
            path = format!("{path}.{bucket}");
        }
        let is_new = timed && second > self.latest && name != self.last;
        if self.begun > 0 && !is_new && !rules.name.is_numbered() {
            path = format!("{path}.{}", self.begun);
        }
        self.latest = self.latest.max(second);
        self.last = name;
        path
    }

    /// Adds what stood between packets.
    pub(super) fn beside(
        &mut self,
        beside: &Arc<Beside>,
        rules: &Rules,
        zone: &Zone,
    ) -> Result<(), Error> {
        if self.open.is_none() && rules.name.is_timed() {
            self.waiting_len += beside.bytes.len();
            if self.waiting_len > WAITING_MAX {
                return Err(super::pcap_file::error(format!(
                    "more than {} MiB stand before the first packet, whose time is to name the file: \
                     a name without a time needs none",
                    WAITING_MAX >> 20
                )));
            }
            self.waiting.push(Arc::clone(beside));
            return Ok(());
        }
        if self.open.is_none() {
            self.begin(0, None, rules, zone)?;
            self.blank = true;
        }
        match &mut self.open {
            Some(open) => open.beside(beside, &mut self.section),
            None => Ok(()),
        }
    }

    /// Forgets where packets' bytes stand: others may stand there from now on.
    pub(super) fn forget_places(&mut self) {
        self.section.forget_places();
    }

    /// Writes what is pending, as far as it may not wait.
    pub(super) fn flush(&mut self, now: Option<Instant>) -> Result<(), Error> {
        let flush = |open: &mut OpenFile| open.flush_if_due(now);
        self.open.as_mut().map_or(Ok(()), flush)
    }

    /// Begins the open file anew, where its name is that of another file by now, or of none.
    pub(super) fn reopen(&mut self, rules: &Rules) -> Result<(), Error> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        open.flush()?;
        if !open.is_named() {
            *open = open.anew(rules, &self.section)?;
        }
        Ok(())
    }

    /// Where there was no packet, a capture without any is written, so that what an earlier run left
    /// is not taken for a result; with times in names there is none to name it after. `first` is
    /// the header of the first file, where there was one.
    pub(super) fn finish(
        &mut self,
        rules: &Rules,
        first: Option<Header>,
        zone: &Zone,
    ) -> Result<(), Error> {
        if self.begun == 0 && !rules.name.is_timed() {
            let header = match rules.format {
                Format::Pcap => first.or(Some(Header::of_nothing(rules.nanos))),
                Format::Pcapng => None,
            };
            self.begin(0, header, rules, zone)?;
            self.blank = true;
        }
        let section = &mut self.section;
        self.open.as_mut().map_or(Ok(()), |open| open.end(section))
    }

    /// The header of the open file.
    pub(super) fn header(&self) -> Option<Header> {
        self.open.as_ref().and_then(OpenFile::header)
    }

    /// About how many bytes it takes, but for what it shares with others.
    pub(super) fn memory(&self) -> usize {
        let open = self.open.as_ref().map_or(0, OpenFile::memory);
        size_of::<Series>() + self.section.memory() + open
    }

    /// The bytes that wait for the first packet.
    pub(super) fn waiting_len(&self) -> usize {
        self.waiting_len
    }

    /// Saves its state. `shared` is what series before it wait with, which is not said again.
    pub(super) fn save(&self, out: &mut Writer, shared: &mut Vec<Arc<Beside>>) {
        out.number(self.begun);
        out.number(u64::from(self.blank));
        out.number(self.latest as u64);
        out.bytes(self.last.as_bytes());
        out.number(self.interval as u64);
        self.section.save(out);
        out.number(self.waiting.len() as u64);
        for (at, beside) in self.waiting.iter().enumerate() {
            let is_shared = shared.get(at).is_some_and(|one| Arc::ptr_eq(one, beside));
            out.number(is_shared.into());
            if !is_shared {
                out.number(beside.big_endian.into());
                out.bytes(&beside.bytes);
            }
            if at == shared.len() {
                shared.push(Arc::clone(beside));
            }
        }
        out.number(u64::from(self.open.is_some()));
        if let Some(open) = &self.open {
            open.save(out);
        }
    }

    /// Reads a state back, and goes on in its file where it stopped.
    pub(super) fn load(
        &mut self,
        from: &mut Reader<'_>,
        rules: &Rules,
        shared: &mut Vec<Arc<Beside>>,
    ) -> Result<(), Error> {
        self.begun = from.number()?;
        self.blank = from.number()? != 0;
        self.latest = from.number()? as i64;
        self.last = String::from_utf8_lossy(from.bytes()?).into_owned();
        self.interval = from.number()? as i64;
        self.section = Section::load(from)?;
        self.waiting.clear();
        self.waiting_len = 0;
        for at in 0..from.number()? as usize {
            let is_shared = from.number()? != 0;
            let beside = match shared.get(at).filter(|_| is_shared) {
                Some(beside) => Arc::clone(beside),
                None => Arc::new(Beside {
                    big_endian: from.number()? != 0,
                    bytes: from.bytes()?.to_vec(),
                }),
            };
            if at == shared.len() {
                shared.push(Arc::clone(&beside));
            }
            self.waiting_len += beside.bytes.len();
            self.waiting.push(beside);
        }
        self.open = None;
        if from.number()? != 0 {
            self.open = Some(OpenFile::load(from, rules)?);
        }
        Ok(())
    }
}

impl Rules {
    /// The header of a file that begins with a packet, of classic pcap.
    fn header(&self, packet: &Packet<'_>) -> Option<Header> {
        if self.format == Format::Pcapng {
            return None;
        }
        Some(Header::of(packet, self.nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(name: &str, format: Format) -> Rules {
        Rules {
            name: Pattern::new(name).expect("a pattern"),
            format,
            packing: None,
            size_max: None,
            count_max: None,
            interval: None,
            nanos: false,
            flush: None,
        }
    }

    /// However many files there are, what stands before their first packets is there once.
    #[test]
    fn what_waits_is_shared() {
        let (zone, rules) = (Zone::utc(), rules("%T", Format::Pcapng));
        let mut all = [0, 1, 2].map(|bucket| Series::new(Some(bucket)));
        let besides = [1, 2].map(|len| {
            Arc::new(Beside {
                big_endian: false,
                bytes: vec![0; len],
            })
        });
        for beside in &besides {
            for series in &mut all {
                series.beside(beside, &rules, &zone).expect("it waits");
            }
        }
        assert!(besides.iter().all(|beside| Arc::strong_count(beside) == 4));
        let (mut saved, mut shared) = (Writer::default(), Vec::new());
        all.iter()
            .for_each(|series| series.save(&mut saved, &mut shared));
        let bytes = saved.into_bytes();
        drop(shared);
        let (mut from, mut shared) = (Reader::new(&bytes, &[]), Vec::new());
        for series in &mut all {
            let loaded = series.load(&mut from, &rules, &mut shared);
            loaded.expect("it is a state");
            assert_eq!(series.waiting_len(), 3);
        }
        drop(shared);
        assert!(besides.iter().all(|beside| Arc::strong_count(beside) == 1));
        let lens = all[2].waiting.iter().map(|beside| beside.bytes.len());
        assert_eq!(lens.collect::<Vec<_>>(), [1, 2]);
        assert!(
            all[2]
                .waiting
                .iter()
                .all(|beside| Arc::strong_count(beside) == 3)
        );
    }

    #[test]
    fn no_two_files_that_follow_have_the_same_name() {
        let zone = Zone::utc();
        for (name, bucket, expected) in [
            ("x", None, ["x", "x.1", "x.2", "x.3"]),
            ("x", Some(7), ["x.7", "x.7.1", "x.7.2", "x.7.3"]),
            ("x%3i", None, ["x001", "x002", "x003", "x004"]),
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
            ("%M", None, ["00", "00.1", "00.2", "00.3"]),
        ] {
            let rules = rules(name, Format::Pcap);
            let mut series = Series::new(bucket);
            for (second, expected) in [5, 5, 6, 5].into_iter().zip(expected) {
                assert_eq!(series.path(&rules, second, &zone), expected);
                series.begun += 1;
            }
        }
    }
}
