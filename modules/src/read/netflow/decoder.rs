//! Messages of exporters -> records.

use super::batch::Batch;
use super::fault::{Fault, Faults};
use super::fixed::{self, V1, V5, V7, Version};
use super::held::Held;
use super::sets::{self, Kind, Sets};
use super::sflow;
use super::template::{DomainKey, Domains};
use std::sync::Arc;
use wireq_typesys::{Address, Block};

/// A message: bytes of a block, who sent them and when they came.
#[derive(Clone, Copy)]
pub(in crate::read) struct Message<'a> {
    pub(in crate::read) block: &'a Arc<Block>,
    /// Where it begins in the block.
    pub(in crate::read) start: usize,
    pub(in crate::read) bytes: &'a [u8],
    pub(in crate::read) router: Option<Address>,
    /// Nanoseconds since 1970.
    pub(in crate::read) received: Option<i64>,
}

/// What is known of exporters, and what could not be decoded.
#[derive(Default)]
pub(in crate::read) struct Decoder {
    pub(super) domains: Domains,
    pub(super) held: Held,
    pub(super) faults: Faults,
    samples: sflow::Layouts,
    /// Whether records about the exporter are wanted besides those of flows.
    pub(super) options: bool,
}

/// What a message is, by its version.
enum Format {
    Fixed(&'static Version),
    Sets(Kind),
    Samples,
}

impl Format {
    fn of(bytes: &[u8]) -> Option<Format> {
        if sflow::begins(bytes) {
            return Some(Format::Samples);
        }
        let version = bytes.get(..2)?;
        Some(match u16::from_be_bytes([version[0], version[1]]) {
            1 => Format::Fixed(&V1),
            5 => Format::Fixed(&V5),
            7 => Format::Fixed(&V7),
            9 => Format::Sets(Kind::V9),
            10 => Format::Sets(Kind::Ipfix),
            _ => return None,
        })
    }
}

/// Whether bytes are a whole message and nothing else.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    match Format::of(bytes) {
        Some(Format::Fixed(version)) => fixed::announced(bytes).is_some_and(|count| {
            count > 0 && bytes.len() == version.header_len + count * version.record_len
        }),
        Some(Format::Sets(kind)) => {
            let Some(body) = bytes.get(kind.header_len()..) else {
                return false;
            };
            let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
            if kind == Kind::Ipfix && length != bytes.len() {
                return false;
            }
            let (end, fills) = sets::end_of_sets(kind, body);
            fills && end > 0
        }
        Some(Format::Samples) => sflow::is_whole(bytes),
        None => false,
    }
}

impl Decoder {
    pub(super) fn new(options: bool) -> Decoder {
        Decoder {
            options,
            ..Decoder::default()
        }
    }

    /// Decodes the message that bytes begin with. Gives how many bytes it has: all that there are,
    /// where they are no message.
    pub(super) fn message(&mut self, message: &Message<'_>, batch: &mut Batch) -> usize {
        match Format::of(message.bytes) {
            Some(Format::Fixed(version)) => self.fixed(version, message, batch),
            Some(Format::Sets(kind)) => self.sets(kind, message, batch),
            Some(Format::Samples) => {
                let (domains, faults) = (&mut self.domains, &mut self.faults);
                sflow::decode(message, domains, &mut self.samples, faults, batch);
                message.bytes.len()
            }
            None => {
                self.faults.count(Fault::Unknown);
                message.bytes.len()
            }
        }
    }

    fn fixed(&mut self, version: &Version, message: &Message<'_>, batch: &mut Batch) -> usize {
        let decoded = fixed::decode(version, message, &mut self.faults, batch);
        if let Some(number) = decoded.sequence {
            let key = DomainKey {
                router: message.router,
                version: message.bytes[1],
                number: decoded.engine.into(),
                agent: None,
            };
            let sequence = &mut self.domains.get(key, &mut self.faults).sequence;
            sequence.take(number, decoded.records, Fault::LostFlows, &mut self.faults);
        }
        decoded.used
    }

    fn sets(&mut self, kind: Kind, message: &Message<'_>, batch: &mut Batch) -> usize {
        let bytes = message.bytes;
        let Some(header) = sets::header(kind, message) else {
            self.faults.count(Fault::ShortHeader);
            return bytes.len();
        };
        let end = match kind {
            Kind::V9 => kind.header_len() + sets::end_of_sets(kind, &bytes[20..]).0,
            Kind::Ipfix => {
                let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
                if length < kind.header_len() || length > bytes.len() {
                    self.faults.count(Fault::ShortMessage);
                }
                length.clamp(kind.header_len(), bytes.len())
            }
        };
        // In version 9 what is behind the last good set is the message's where it is no other one.
        let next = bytes.get(end..end + 2);
        let end = match next {
            Some([0, 5 | 9 | 10]) => end,
            Some(_) if kind == Kind::V9 => bytes.len(),
            _ => end,
        };
        let key = DomainKey {
            router: message.router,
            version: header.version,
            number: header.domain.unwrap_or(0),
            agent: None,
        };
        let found = Sets {
            domains: &mut self.domains,
            held: &mut self.held,
            faults: &mut self.faults,
            batch,
            options: self.options,
        }
        .decode(key, header, message, &bytes[kind.header_len()..end]);
        let sequence = &mut self.domains.get(key, &mut self.faults).sequence;
        let number = header.sequence.unwrap_or(0);
        match kind {
            Kind::V9 => sequence.take(number, 1, Fault::LostDatagrams, &mut self.faults),
            Kind::Ipfix => {
                let records = found.records;
                sequence.take(number, records, Fault::LostFlows, &mut self.faults);
                if found.unknown {
                    sequence.forget();
                }
            }
        }
        end
    }

    /// How often there was no message where one should be.
    pub(super) fn strange(&self) -> u64 {
        self.faults.get(Fault::Unknown)
    }

    /// How often a message was shorter than it said.
    pub(super) fn cut(&self) -> u64 {
        let faults = [Fault::ShortHeader, Fault::ShortMessage];
        faults.iter().map(|fault| self.faults.get(*fault)).sum()
    }

    /// What could not be decoded so far, what still waits for a template included.
    pub(super) fn faults(&self) -> Faults {
        let mut faults = self.faults.clone();
        faults.add(Fault::NoTemplate, self.held.count());
        faults
    }

    /// About how many bytes the state takes.
    pub(super) fn memory(&self) -> usize {
        self.domains.memory() + self.held.memory() + self.samples.memory()
    }
}
