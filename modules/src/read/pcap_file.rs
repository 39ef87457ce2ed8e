//! `pcapfile`: packets of capture files in the classic pcap format.
//!
//! Source: draft-ietf-opsawg-pcap. Frames stay where they were read.

use super::blocks::{Blocks, Pool};
use crate::types::packet::{Frame, Frames, Packet, needs_layers};
use std::io;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::schedule::output::Item;
use wireq_engine::{
    Build, Error, Example, InputAccount, InputReport, Module, Source, SourceContext, SourceSpec,
};
use wireq_typesys::{Part, PartData, Position, Positions, Recipe, Shape};

pub(super) static MODULE: Module = Module {
    name: "pcapfile",
    summary: "Reads packets from capture files.",
    details: "Reads the classic pcap format: both byte orders, micro- and nanoseconds. Files are read one \
              after another in the order given. A file that can't be used is reported, and the others \
              are read; so is what damage makes unreadable.",
    parameters: &[Parameter {
        name: "FILE",
        takes: Takes::File,
        count: Count::Any,
        summary: "The files; `-`, or none at all, is standard input.",
    }],
    examples: &[
        Example {
            title: "what is in a capture",
            query: "pcapfile five.pcap | print len srcip",
            input: "",
            output: "74\t192.0.2.1\n125\t192.0.2.2\n60\n54\t192.0.2.1\n76\t192.0.2.2\n",
        },
        Example {
            title: "nanoseconds, big-endian",
            query: "pcapfile five-nano-be.pcap | head 1 | print ts",
            input: "",
            output: "2026-01-01T00:00:00.123456789+00:00\n",
        },
        Example {
            title: "two files, one after the other",
            query: "pcapfile five.pcap five-nano-be.pcap | count()",
            input: "",
            output: "10\n",
        },
    ],
    build: Build::Source(build),
};

fn build(arguments: &Arguments) -> Result<SourceSpec, ArgumentError> {
    let mut paths: Vec<String> = arguments
        .words()
        .iter()
        .map(|word| word.text.clone())
        .collect();
    if paths.is_empty() {
        paths.push("-".to_owned());
    }
    Ok(SourceSpec {
        record_type: Arc::new(Packet),
        time_ordered: false,
        open: Arc::new(move || Ok(Box::new(PcapFiles::new(paths.clone())))),
    })
}

/// The most bytes of one frame; a record that claims more is damage. Captures with larger frames
/// than 256 KiB exist (USB, D-Bus), with larger than this not.
const CAPLEN_MAX: u32 = 16 * 1024 * 1024;
const HEADER_LEN: usize = 24;
const RECORD_LEN: usize = 16;

/// The files of one source, read one after another.
struct PcapFiles {
    paths: std::vec::IntoIter<String>,
    current: Option<Capture>,
    pool: Pool,
    reports: Vec<InputReport>,
    segment: u32,
}

/// One open capture.
struct Capture {
    input: Blocks,
    format: Format,
    /// The row of the segment that the next frame is.
    row: u32,
}

/// What the file's header says.
#[derive(Clone, Copy)]
struct Format {
    big_endian: bool,
    /// Nanoseconds for each unit of the fraction of a second.
    fraction: i64,
    snaplen: u32,
    link_type: u16,
}

impl Format {
    fn parse(header: &[u8; HEADER_LEN]) -> Option<Format> {
        let magic = [header[0], header[1], header[2], header[3]];
        let (big_endian, fraction) = match magic {
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, 1000),
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, 1000),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, 1),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, 1),
            _ => return None,
        };
        let mut format = Format {
            big_endian,
            fraction,
            snaplen: 0,
            link_type: 0,
        };
        format.snaplen = format.number(header, 16);
        // The upper bits tell of a frame check sequence.
        format.link_type = format.number(header, 20) as u16;
        Some(format)
    }

    #[inline(always)]
    fn number(self, bytes: &[u8], at: usize) -> u32 {
        let bytes = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }

    /// The digits of the fraction of a second.
    fn tsresol(self) -> u8 {
        if self.fraction == 1 { 9 } else { 6 }
    }

    /// A record's header, as a frame whose bytes begin behind it.
    #[inline(always)]
    fn record(self, header: &[u8], at: usize) -> Frame {
        let seconds = i64::from(self.number(header, 0));
        let fraction = i64::from(self.number(header, 4));
        Frame {
            ts: seconds * 1_000_000_000 + fraction * self.fraction,
            start: (at + RECORD_LEN) as u32,
            caplen: self.number(header, 8),
            len: self.number(header, 12),
            link_type: self.link_type,
            ..Frame::default()
        }
    }
}

impl PcapFiles {
    fn new(paths: Vec<String>) -> PcapFiles {
        PcapFiles {
            paths: paths.into_iter(),
            current: None,
            pool: Pool::default(),
            reports: Vec::new(),
            segment: 0,
        }
    }

    fn report(&mut self) -> &mut InputReport {
        if self.reports.is_empty() {
            self.reports.push(InputReport::default());
        }
        self.reports.last_mut().expect("just pushed")
    }

    /// Opens the next file that can be used; false where there is none.
    fn open_next(&mut self, context: &SourceContext<'_>) -> Result<bool, Error> {
        let strict = context.strict;
        let Some(path) = self.paths.next() else {
            return Ok(false);
        };
        self.reports.push(InputReport {
            name: path.clone(),
            ..InputReport::default()
        });
        let mut input = match Blocks::open(&path, &mut self.pool) {
            Ok(input) => input,
            Err(error) => return self.unusable(Error::file("open", &path, error), strict),
        };
        self.segment += 1;
        while input.end < HEADER_LEN && !input.at_end {
            if let Err(error) = input.more(HEADER_LEN, &mut self.pool, context.interrupt) {
                return self.unusable(Error::file("read", &path, error), strict);
            }
        }
        let header: Option<&[u8; HEADER_LEN]> = input.unread().first_chunk();
        let Some(format) = header.and_then(Format::parse) else {
            let reason = match header {
                None if input.end == 0 => "it is empty",
                None => "it ends within the file header",
                Some(_) => "it is no pcap capture",
            };
            self.report()
                .skipped
                .push((0, input.end as u64, reason.to_owned()));
            return self.unusable(
                Error::Damaged {
                    path,
                    reason: reason.to_owned(),
                },
                strict,
            );
        };
        self.report().bytes_used = HEADER_LEN as u64;
        input.at = HEADER_LEN;
        self.current = Some(Capture {
            input,
            format,
            row: 0,
        });
        Ok(true)
    }

    /// Notes that a file gives nothing; the others are read all the same.
    fn unusable(&mut self, error: Error, strict: bool) -> Result<bool, Error> {
        if strict {
            return Err(error);
        }
        self.report().unusable = Some(match error {
            Error::File { action, source, .. } => format!("cannot {action} it: {source}"),
            Error::Damaged { reason, .. } => reason,
            error => error.to_string(),
        });
        Ok(true)
    }

    /// Brings a whole record into the block, or finds that there is none: false.
    fn prepare(&mut self, context: &SourceContext<'_>) -> Result<bool, io::Error> {
        loop {
            let Some(capture) = &mut self.current else {
                return Ok(false);
            };
            let have = capture.input.unread().len();
            let need = capture.needed();
            if need.is_none_or(|need| have >= need) {
                return Ok(need.is_some());
            }
            if capture.input.at_end {
                return Ok(false);
            }
            let need = need.unwrap_or(RECORD_LEN).max(RECORD_LEN);
            let moved = capture
                .input
                .more(need, &mut self.pool, context.interrupt)?;
            if moved {
                self.segment += 1;
                capture.row = 0;
            }
        }
    }

    /// Frames records of the block into a part.
    fn frame(&mut self, context: &mut SourceContext<'_>) -> Option<Part> {
        let segment = self.segment;
        let capture = self.current.as_mut()?;
        let first_number = self.reports.last().map_or(0, |report| report.records) + 1;
        let mut data = reusable(context, capture.format);
        let frames: &mut Frames = Arc::get_mut(&mut data)?.rows_mut()?;
        frames.reset(&capture.input.block, first_number);
        let start = capture.input.at;
        capture.frame_records(frames, context.rows_max);
        let rows = frames.rows.len();
        let used = (capture.input.at - start) as u64;
        Arc::get_mut(&mut data)?.set_rows(rows, Position::new(segment, capture.row));
        capture.row += rows as u32;
        let report = self.report();
        report.records += rows as u64;
        report.bytes_used += used;
        Some(Part::new(data))
    }

    /// Ends the current file, noting what is left of it.
    fn close(&mut self, failure: Option<io::Error>, strict: bool) -> Result<(), Error> {
        let Some(mut capture) = self.current.take() else {
            return Ok(());
        };
        let left = capture.input.unread().len() as u64;
        let offset = capture.input.place();
        let path = self.report().name.clone();
        if let Some(error) = failure {
            if left > 0 {
                self.report()
                    .skipped
                    .push((offset, left, "the file cannot be read on".to_owned()));
            }
            return self
                .unusable(Error::file("read", path, error), strict)
                .map(|_| ());
        }
        if left == 0 {
            return Ok(());
        }
        let reason = match capture.needed() {
            None => format!("a record claims to have {} bytes", capture.claimed()),
            Some(_) => "the file ends within a record".to_owned(),
        };
        if strict {
            return Err(Error::Damaged {
                path,
                reason: format!("at byte {offset}: {reason}"),
            });
        }
        let skipped = left + capture.input.drain();
        self.report().skipped.push((offset, skipped, reason));
        Ok(())
    }
}

impl Capture {
    /// The bytes that a record at the current place claims to have.
    fn claimed(&self) -> u32 {
        let header = self.input.unread();
        if header.len() < RECORD_LEN {
            0
        } else {
            self.format.record(header, 0).caplen
        }
    }

    /// How many bytes are needed for the record at the current place; none where it claims more
    /// than a record can have. Without a whole header it is the header that is needed.
    fn needed(&self) -> Option<usize> {
        let claimed = self.claimed();
        (claimed <= CAPLEN_MAX).then(|| RECORD_LEN + claimed as usize)
    }

    /// Frames whole records from the current place on. The one loop that every packet goes through.
    fn frame_records(&mut self, frames: &mut Frames, rows_max: usize) {
        let bytes = &self.input.block.0[..self.input.end];
        let format = self.format;
        let mut at = self.input.at;
        while frames.rows.len() < rows_max {
            let Some(header) = bytes.get(at..at + RECORD_LEN) else {
                break;
            };
            let frame = format.record(header, at);
            let next = at + RECORD_LEN + frame.caplen as usize;
            if frame.caplen > CAPLEN_MAX || next > bytes.len() {
                break;
            }
            frames.push(bytes, frame);
            at = next;
        }
        self.input.at = at;
    }
}

/// A part whose buffers can be used again, or a new one.
fn reusable(context: &mut SourceContext<'_>, format: Format) -> Arc<PartData> {
    while let Some(mut data) = context.retired.pop() {
        let fits = Arc::ptr_eq(&data.shape, context.shape);
        if let Some(frames) = data
            .reuse()
            .filter(|_| fits)
            .and_then(|data| data.rows_mut::<Frames>())
        {
            frames.snaplen = format.snaplen;
            frames.tsresol = format.tsresol();
            return data;
        }
    }
    let frames = Frames {
        snaplen: format.snaplen,
        tsresol: format.tsresol(),
        layers: wants_layers(context.shape),
        ..Frames::default()
    };
    Arc::new(PartData::new(
        Arc::clone(context.shape),
        Box::new(frames),
        0,
        Positions::Run(Position::START),
        context.origin,
    ))
}

fn wants_layers(shape: &Shape) -> bool {
    needs_layers(shape.base.iter().filter_map(|def| match def.recipe {
        Recipe::Field(field) => Some(field),
        _ => None,
    }))
}

impl Source for PcapFiles {
    fn next(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error> {
        loop {
            if self.current.is_none() {
                if !self.open_next(context)? {
                    return Ok(None);
                }
                continue;
            }
            match self.prepare(context) {
                Ok(true) => return Ok(self.frame(context).map(Item::Rows)),
                Ok(false) => self.close(None, context.strict)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(None),
                Err(error) => self.close(Some(error), context.strict)?,
            }
        }
    }

    fn input_account(&self) -> InputAccount {
        InputAccount {
            inputs: self.reports.clone(),
        }
    }
}
