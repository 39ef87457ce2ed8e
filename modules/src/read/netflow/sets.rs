//! Messages of sets: NetFlow version 9 (RFC 3954) and IPFIX (RFC 7011).

use super::batch::Batch;
use super::decoder::Message;
use super::fault::{Fault, Faults};
use super::held::Held;
use super::template::{DomainKey, Domains};
use crate::types::netflow::{Field, Header, Key, Layout, Row, SCOPE, key};
use std::sync::Arc;
use wireq_typesys::Block;

/// Bytes that are read from front to back.
struct Bytes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    fn new(bytes: &'a [u8]) -> Bytes<'a> {
        Bytes { bytes, at: 0 }
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn u16(&mut self) -> Option<u16> {
        let bytes = self.bytes.get(self.at..self.at + 2)?;
        self.at += 2;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&mut self) -> Option<u32> {
        let bytes = self.bytes.get(self.at..self.at + 4)?;
        self.at += 4;
        Some(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}

/// Which of the two a message is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    V9,
    Ipfix,
}

impl Kind {
    fn of(version: u8) -> Kind {
        if version == 9 { Kind::V9 } else { Kind::Ipfix }
    }

    pub(super) fn header_len(self) -> usize {
        match self {
            Kind::V9 => 20,
            Kind::Ipfix => 16,
        }
    }

    /// The numbers of sets of templates and of templates of options.
    fn template_sets(self) -> [u16; 2] {
        match self {
            Kind::V9 => [0, 1],
            Kind::Ipfix => [2, 3],
        }
    }
}

/// The first number of a template; those below are reserved.
const TEMPLATE_MIN: u16 = 256;
const SET_HEADER: usize = 4;
/// systemInitTimeMilliseconds.
const SYSTEM_INIT: Key = 160;

/// The header of a message.
pub(super) fn header(kind: Kind, message: &Message<'_>) -> Option<Header> {
    let mut bytes = Bytes::new(message.bytes.get(..kind.header_len())?);
    let (version, _length_or_count) = (bytes.u16()?, bytes.u16()?);
    let uptime = match kind {
        Kind::V9 => Some(bytes.u32()?),
        Kind::Ipfix => None,
    };
    let exported = i64::from(bytes.u32()?) * 1_000_000_000;
    Some(Header {
        version: version as u8,
        exported: Some(exported),
        received: message.received,
        uptime,
        router: message.router,
        sequence: Some(bytes.u32()?),
        domain: Some(bytes.u32()?),
        ..Header::default()
    })
}

/// Where the sets of `bytes`, which are those behind the header, end, and whether they fill them:
/// that is asked before anything is decoded of what may be no message. In version 9 whatever does
/// not tell its length ends where another message's version stands in the place of a set's number.
pub(super) fn end_of_sets(kind: Kind, bytes: &[u8]) -> (usize, bool) {
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + SET_HEADER) {
        let number = u16::from_be_bytes([head[0], head[1]]);
        let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let is_set = number >= TEMPLATE_MIN || kind.template_sets().contains(&number);
        if kind == Kind::V9 && matches!(number, 5 | 9 | 10) {
            return (at, true);
        }
        if !is_set || len < SET_HEADER || at + len > bytes.len() {
            return (at, bytes[at..].iter().all(|byte| *byte == 0));
        }
        at += len;
    }
    (at, bytes[at..].iter().all(|byte| *byte == 0))
}

/// What messages are decoded with.
pub(super) struct Sets<'a> {
    pub(super) domains: &'a mut Domains,
    pub(super) held: &'a mut Held,
    pub(super) faults: &'a mut Faults,
    pub(super) batch: &'a mut Batch,
    /// Whether records about the exporter are wanted.
    pub(super) options: bool,
}

/// Where the bytes of a set are.
#[derive(Clone, Copy)]
struct Source<'a> {
    block: &'a Arc<Block>,
    /// Where the set's content begins in the block.
    start: usize,
    bytes: &'a [u8],
}

/// What was found in a message.
#[derive(Default)]
pub(super) struct Found {
    /// Records of data, those of options included.
    pub(super) records: u32,
    /// Whether there was data whose records could not be counted.
    pub(super) unknown: bool,
}

impl Sets<'_> {
    /// Decodes the sets of a message; `bytes` are all behind the header.
    pub(super) fn decode(
        &mut self,
        domain: DomainKey,
        header: Header,
        message: &Message<'_>,
        bytes: &[u8],
    ) -> Found {
        let kind = Kind::of(header.version);
        let mut found = Found::default();
        let mut at = 0;
        while at + SET_HEADER <= bytes.len() {
            let mut head = Bytes::new(&bytes[at..]);
            let (Some(number), Some(len)) = (head.u16(), head.u16()) else {
                break;
            };
            let len = usize::from(len);
            if number == 0 && len == 0 && bytes[at..].iter().all(|byte| *byte == 0) {
                // Zeros fill up the message.
                return found;
            }
            let rest = &bytes[at..];
            let Some(content) = rest.get(SET_HEADER..len) else {
                self.faults.count(Fault::SetLength);
                found.unknown = true;
                return found;
            };
            let source = Source {
                block: message.block,
                start: message.start + kind.header_len() + at + SET_HEADER,
                bytes: content,
            };
            if number >= TEMPLATE_MIN {
                self.data(domain, number, header, source, &mut found);
            } else if let Some(which) = kind.template_sets().iter().position(|n| *n == number) {
                self.templates(domain, kind, which == 1, content);
            } else {
                self.faults.count(Fault::SetNumber);
            }
            at += len;
        }
        found
    }

    fn data(
        &mut self,
        domain: DomainKey,
        number: u16,
        header: Header,
        source: Source<'_>,
        found: &mut Found,
    ) {
        match self.domains.template(domain, number) {
            Some(template) => match template.layout.clone() {
                Some(layout) => found.records += self.records(domain, &layout, header, source),
                None => {
                    found.unknown = true;
                    self.faults.count(Fault::ShortSet);
                }
            },
            None => {
                found.unknown = true;
                let place = (domain, number);
                self.held.add(place, header, source.bytes, self.faults);
            }
        }
    }

    /// Frames the records of a set.
    fn records(
        &mut self,
        domain: DomainKey,
        layout: &Arc<Layout>,
        header: Header,
        source: Source<'_>,
    ) -> u32 {
        let boot = self.started(domain, layout, source.bytes);
        let header = Header { boot, ..header };
        let wanted = self.options || !layout.options;
        let numbers = wanted.then(|| {
            (
                self.batch.block(source.block),
                self.batch.header(header),
                self.batch.layout(layout),
            )
        });
        let (mut at, mut count) = (0, 0);
        while at < source.bytes.len() {
            let Some(len) = layout.record_len(&source.bytes[at..]) else {
                // What is too short for a record is padding.
                if source.bytes.len() - at >= layout.len_min {
                    self.faults.count(Fault::ShortSet);
                }
                break;
            };
            if let Some((block, header, layout)) = numbers {
                self.batch.push(Row {
                    start: (source.start + at) as u32,
                    len: len as u16,
                    block,
                    layout,
                    header,
                });
            }
            count += 1;
            at += len;
        }
        count
    }

    /// When the exporter started: as the first record says, or one before did.
    fn started(&mut self, key: DomainKey, layout: &Layout, bytes: &[u8]) -> Option<i64> {
        let domain = self.domains.get(key, self.faults);
        if let Some(place) = layout.find(SYSTEM_INIT)
            && let Some((start, 8)) = layout.resolve(&place, bytes)
            && let Some(bytes) = bytes[start..].first_chunk::<8>()
            && let Ok(milliseconds) = i64::try_from(u64::from_be_bytes(*bytes))
        {
            domain.boot = milliseconds.checked_mul(1_000_000);
        }
        domain.boot
    }

    /// Takes in the templates of a set.
    fn templates(&mut self, domain: DomainKey, kind: Kind, options: bool, content: &[u8]) {
        let mut bytes = Bytes::new(content);
        // Zeros from here on fill up the set. Looked for once, not at each of many empty templates.
        let zeros = content.iter().rposition(|byte| *byte != 0);
        let zeros = zeros.map_or(0, |last| last + 1);
        // Fewer bytes than a template's head are padding.
        while bytes.left() >= SET_HEADER {
            let Some(template) = Announced::read(&mut bytes, kind, options) else {
                self.faults.count(Fault::ShortTemplate);
                return;
            };
            if template.number < TEMPLATE_MIN {
                let is_all = kind.template_sets().contains(&template.number);
                if template.fields.is_empty() && is_all && kind == Kind::Ipfix {
                    self.domains.withdraw_all(domain, options);
                } else if template.number == 0 && bytes.at >= zeros {
                    return;
                } else {
                    self.faults.count(Fault::TemplateNumber);
                }
                continue;
            }
            if template.fields.is_empty() && kind == Kind::Ipfix {
                self.domains.withdraw(domain, template.number);
                continue;
            }
            self.define(domain, &template, options);
        }
    }

    fn define(&mut self, domain: DomainKey, template: &Announced, options: bool) {
        let (number, fields) = (template.number, &template.fields);
        let is_new = self
            .domains
            .define(domain, number, fields, options, self.faults);
        if !is_new {
            return;
        }
        let known = self.domains.template(domain, number);
        let Some(layout) = known.and_then(|template| template.layout.clone()) else {
            return;
        };
        for set in self.held.take((domain, number)) {
            let source = Source {
                block: &set.block,
                start: 0,
                bytes: &set.block.0,
            };
            self.records(domain, &layout, set.header, source);
        }
    }
}

/// A template as a message has it.
struct Announced {
    number: u16,
    fields: Vec<Field>,
}

impl Announced {
    fn read(bytes: &mut Bytes<'_>, kind: Kind, options: bool) -> Option<Announced> {
        let number = bytes.u16()?;
        let mut fields = Vec::new();
        match (kind, options) {
            (Kind::V9, true) => {
                let (scopes, others) = (bytes.u16()?, bytes.u16()?);
                for at in 0..(scopes / 4) + (others / 4) {
                    let (id, len) = (bytes.u16()?, bytes.u16()?);
                    let scope = SCOPE.get(usize::from(id)).filter(|_| at < scopes / 4);
                    let key = scope.copied().unwrap_or(key(0, id));
                    fields.push(Field { key, len });
                }
            }
            (Kind::V9, false) => {
                for _ in 0..bytes.u16()? {
                    let (id, len) = (bytes.u16()?, bytes.u16()?);
                    let key = key(0, id);
                    fields.push(Field { key, len });
                }
            }
            (Kind::Ipfix, _) => {
                let count = bytes.u16()?;
                if options && count > 0 {
                    let _scopes = bytes.u16()?;
                }
                for _ in 0..count {
                    let (id, len) = (bytes.u16()?, bytes.u16()?);
                    let key = match id & 0x8000 {
                        0 => key(0, id),
                        _ => key(bytes.u32()?, id & 0x7fff),
                    };
                    fields.push(Field { key, len });
                }
            }
        }
        Some(Announced { number, fields })
    }
}
