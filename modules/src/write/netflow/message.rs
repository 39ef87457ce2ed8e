//! Messages of exporters: NetFlow version 5, version 9 (RFC 3954) and IPFIX (RFC 7011).
//!
//! Times are those of the flows: a message is exported at the first full second at which all flows in
//! it are over. Versions 5 and 9 count milliseconds since the exporter started; it "started" a day
//! before the first flow, and anew where a flow does not fit into 32 bits of them.

use super::template::Template;
use crate::write::flow_rows::{Extras, FlowRow, Limits};
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};

/// The protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V5,
    V9,
    Ipfix,
}

impl Version {
    /// What its records can say.
    pub(super) fn limits(self) -> Limits {
        match self {
            Version::V5 => Limits {
                v6: false,
                counter: V5_COUNTER_MAX,
            },
            Version::V9 | Version::Ipfix => Limits::NONE,
        }
    }
}

/// How messages are made.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) version: Version,
    /// The observation domain; version 9's source, version 5's engine.
    pub(super) domain: u32,
    /// The most bytes of a message.
    pub(super) len_max: usize,
    /// After so many messages templates are sent again.
    pub(super) refresh: u64,
    /// Whether a record has both directions (RFC 5103).
    pub(super) biflow: bool,
}

const DAY: i64 = 24 * 60 * 60 * 1000;
/// The milliseconds from an exporter's start to its last message: readers take times of the last day
/// before the clock begins anew for later ones.
const UPTIME_MAX: i64 = u32::MAX as i64 - DAY;
/// What an octet of alignment may cost at the end of a set.
const PADDING_MAX: usize = 3;
const SET_HEADER: usize = 4;
/// There are no more kinds of them.
const TEMPLATES_MAX: usize = 128;
const V5_RECORD: usize = 48;
const V5_RECORDS_MAX: u16 = 30;
/// What 256 records, and the rest in another one, can say: a flow that claims more is not divided.
const V5_COUNTER_MAX: u64 = 1 << 40;

/// Makes messages of flows.
pub(super) struct Messages {
    form: Form,
    /// The message at hand, with room for its header; empty where none is begun.
    bytes: Vec<u8>,
    /// Records in it, templates among them.
    records: u16,
    /// Data records in it.
    data: u32,
    /// Where the set at hand begins, and its template.
    set: Option<(usize, u16)>,
    /// When the last of its flows was over.
    latest: i64,
    /// When the exporter started.
    boot: i64,
    /// The number that the message will have.
    sequence: u32,
    /// Templates, and whether each was sent of late.
    templates: Vec<(Template, bool)>,
    /// Messages since templates had to be sent.
    since: u64,
    /// Whether who gets the message at hand lacks its templates, which have to go before it.
    ahead: bool,
}

impl Messages {
    pub(super) fn new(form: Form) -> Messages {
        Messages {
            form,
            bytes: Vec::new(),
            records: 0,
            data: 0,
            set: None,
            latest: 0,
            boot: i64::MIN,
            sequence: 0,
            templates: Vec::new(),
            since: 0,
            ahead: false,
        }
    }

    /// Whether a message was begun.
    pub(super) fn has_pending(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// Adds a flow; messages that are full go to `send`.
    pub(super) fn put(
        &mut self,
        flow: &FlowRow,
        extras: Extras,
        send: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match self.form.version {
            Version::V5 => self.put_fixed(flow, send),
            Version::V9 | Version::Ipfix => self.put_by_template(flow, extras, send),
        }
    }

    fn put_fixed(
        &mut self,
        flow: &FlowRow,
        send: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        // Counters of 32 bits: what is beyond goes into further records.
        let divided = |count: u64| count.min(V5_COUNTER_MAX);
        let mut left = (divided(flow.packets), divided(flow.bytes));
        loop {
            let most = u64::from(u32::MAX);
            let now = (left.0.min(most), left.1.min(most));
            let is_full =
                self.records == V5_RECORDS_MAX || self.bytes.len() + V5_RECORD > self.form.len_max;
            if self.has_pending() && (is_full || !self.fits(flow)) {
                self.close(send)?;
            }
            self.begin(flow);
            self.write_fixed(flow, now.0 as u32, now.1 as u32);
            left = (left.0 - now.0, left.1 - now.1);
            if left == (0, 0) {
                return Ok(());
            }
        }
    }

    fn write_fixed(&mut self, flow: &FlowRow, packets: u32, bytes: u32) {
        let next_hop = flow.next_hop.filter(|hop| !hop.v6);
        let next_hop = next_hop.map_or(0, |hop| hop.bits as u32);
        let times = [flow.start, flow.end].map(|time| self.uptime(time));
        let out = &mut self.bytes;
        for word in [flow.src as u32, flow.dst as u32, next_hop] {
            out.extend(word.to_be_bytes());
        }
        for half in [flow.input as u16, flow.output as u16] {
            out.extend(half.to_be_bytes());
        }
        for word in [packets, bytes, times[0], times[1]] {
            out.extend(word.to_be_bytes());
        }
        for half in [flow.src_port, flow.dst_port] {
            out.extend(half.to_be_bytes());
        }
        out.extend([0, flow.flags, flow.protocol, flow.tos]);
        // Systems of 32 bits are written as RFC 6793 says, section 9.
        let system = |number: u32| u16::try_from(number).unwrap_or(23_456);
        for half in [system(flow.src_as), system(flow.dst_as)] {
            out.extend(half.to_be_bytes());
        }
        out.extend([flow.src_mask, flow.dst_mask, 0, 0]);
        self.note(flow);
    }

    fn put_by_template(
        &mut self,
        flow: &FlowRow,
        extras: Extras,
        send: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let at = self.template(flow.v6, extras);
        if self.has_pending() && !(self.fits(flow) && self.has_room(at)) {
            self.close(send)?;
        }
        if !self.has_pending() {
            self.begin(flow);
            if self.since >= self.form.refresh {
                self.announce_again();
            }
        }
        if !self.templates[at].1 {
            self.write_template(at);
        }
        let number = self.templates[at].0.number;
        if self.set.is_none_or(|(_, open)| open != number) {
            self.close_set();
            self.set = Some((self.bytes.len(), number));
            self.bytes.extend(number.to_be_bytes());
            self.bytes.extend([0, 0]);
        }
        let times = match self.form.version {
            Version::Ipfix => None,
            _ => Some([flow.start, flow.end].map(|time| self.uptime(time))),
        };
        self.templates[at]
            .0
            .write_record(flow, times, &mut self.bytes);
        self.note(flow);
        Ok(())
    }

    /// The place of the template for flows of a kind.
    fn template(&mut self, v6: bool, extras: Extras) -> usize {
        let mut known = self.templates.iter();
        if let Some(at) = known.position(|(template, _)| template.is_of(v6, extras)) {
            return at;
        }
        let number = 256 + self.templates.len() as u16;
        let template = Template::new(number, v6, extras, &self.form);
        self.templates.push((template, false));
        self.templates.len() - 1
    }

    /// Whether a record of a template has room in the message at hand, with the template where that
    /// has to be sent.
    fn has_room(&self, at: usize) -> bool {
        let (template, is_sent) = &self.templates[at];
        let announced = match is_sent {
            true => 0,
            false => SET_HEADER + template.announced_len() + PADDING_MAX,
        };
        // The set at hand may have to end, and its own has to.
        let need = PADDING_MAX + announced + SET_HEADER + template.record_len + PADDING_MAX;
        self.bytes.len() + need <= self.form.len_max && self.records < u16::MAX - 1
    }

    fn write_template(&mut self, at: usize) {
        self.close_set();
        self.set = Some((self.bytes.len(), 0));
        let number: u16 = match self.form.version {
            Version::Ipfix => 2,
            Version::V5 | Version::V9 => 0,
        };
        self.bytes.extend(number.to_be_bytes());
        self.bytes.extend([0, 0]);
        let (template, is_sent) = &mut self.templates[at];
        template.announce(&mut self.bytes);
        *is_sent = true;
        self.records += 1;
        self.close_set();
    }

    fn close_set(&mut self) {
        if let Some((start, _)) = self.set.take() {
            // RFC 3954, section 5.3; RFC 7011 allows it.
            while !(self.bytes.len() - start).is_multiple_of(4) {
                self.bytes.push(0);
            }
            let len = (self.bytes.len() - start) as u16;
            self.bytes[start + 2..start + 4].copy_from_slice(&len.to_be_bytes());
        }
    }

    /// Begins a message, if none is: its header is written at its end.
    fn begin(&mut self, flow: &FlowRow) {
        if self.has_pending() {
            return;
        }
        if !self.fits(flow) {
            // Of a flow of weeks the end has to fit too.
            let least = flow.end + 2000 - UPTIME_MAX;
            self.boot = (flow.start - DAY).max(least).div_euclid(1000) * 1000;
        }
        self.bytes.resize(self.header_len(), 0);
        self.latest = i64::MIN;
    }

    fn header_len(&self) -> usize {
        match self.form.version {
            Version::V5 => 24,
            Version::V9 => 20,
            Version::Ipfix => 16,
        }
    }

    /// Whether the times of a flow fit into those since the exporter started.
    fn fits(&self, flow: &FlowRow) -> bool {
        let last = (flow.end + 1000).checked_sub(self.boot);
        self.form.version == Version::Ipfix
            || flow.start >= self.boot && last.is_some_and(|last| last <= UPTIME_MAX)
    }

    fn uptime(&self, time: i64) -> u32 {
        time.saturating_sub(self.boot).clamp(0, u32::MAX.into()) as u32
    }

    fn note(&mut self, flow: &FlowRow) {
        self.records += 1;
        self.data += 1;
        self.latest = self.latest.max(flow.end);
    }

    /// Ends the message at hand, if there is one.
    pub(super) fn close(
        &mut self,
        send: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !self.has_pending() {
            return Ok(());
        }
        self.close_set();
        if std::mem::take(&mut self.ahead) {
            self.send_ahead(send)?;
        }
        self.send_pending(send)
    }

    /// Sends the templates of the message at hand, in a message of their own.
    fn send_ahead(
        &mut self,
        send: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let used = self.used();
        let header = vec![0; self.header_len()];
        let bytes = std::mem::replace(&mut self.bytes, header);
        let records = std::mem::take(&mut self.records);
        let data = std::mem::take(&mut self.data);
        for at in used {
            let len = PADDING_MAX + SET_HEADER + self.templates[at].0.announced_len();
            if self.records > 0 && self.bytes.len() + len > self.form.len_max {
                self.send_pending(send)?;
                self.bytes.resize(self.header_len(), 0);
            }
            self.write_template(at);
        }
        let sent = self.send_pending(send);
        (self.bytes, self.records, self.data) = (bytes, records, data);
        sent
    }

    /// The places of the templates that the message at hand has records of, but not themselves.
    fn used(&self) -> impl Iterator<Item = usize> + use<> {
        let (mut used, mut announced) = ([false; TEMPLATES_MAX], [false; TEMPLATES_MAX]);
        let mut at = self.header_len();
        while let Some(&[high, low, len_high, len_low]) = self.bytes.get(at..at + SET_HEADER) {
            // A set of templates has one.
            let (number, seen) = match (u16::from_be_bytes([high, low]), self.bytes.get(at + 4..)) {
                (0..256, Some(&[high, low, ..])) => {
                    (u16::from_be_bytes([high, low]), &mut announced)
                }
                (number, _) => (number, &mut used),
            };
            if let Some(place) = usize::from(number).checked_sub(256)
                && place < self.templates.len()
                && let Some(seen) = seen.get_mut(place)
            {
                *seen = true;
            }
            // The set at hand does not say its length yet.
            at += match u16::from_be_bytes([len_high, len_low]) {
                0 => self.bytes.len(),
                len => len.into(),
            };
        }
        let places = used.into_iter().zip(announced).enumerate();
        places
            .filter(|(_, (used, announced))| *used && !announced)
            .map(|(at, _)| at)
    }

    fn send_pending(
        &mut self,
        send: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let header = self.header();
        self.bytes[..header.len()].copy_from_slice(&header);
        self.sequence = self.sequence.wrapping_add(match self.form.version {
            Version::V9 => 1,
            Version::V5 | Version::Ipfix => self.data,
        });
        self.since += 1;
        (self.records, self.data) = (0, 0);
        let sent = send(&self.bytes);
        self.bytes.clear();
        sent
    }

    fn header(&self) -> Vec<u8> {
        let exported = self.latest.div_euclid(1000) + i64::from(self.latest % 1000 != 0);
        let (second, uptime) = (exported as u32, self.uptime(exported * 1000));
        let mut header: Vec<u8> = Vec::with_capacity(24);
        let version: u16 = match self.form.version {
            Version::V5 => 5,
            Version::V9 => 9,
            Version::Ipfix => 10,
        };
        header.extend(version.to_be_bytes());
        let count = match self.form.version {
            Version::Ipfix => self.bytes.len() as u16,
            Version::V5 | Version::V9 => self.records,
        };
        header.extend(count.to_be_bytes());
        if self.form.version != Version::Ipfix {
            header.extend(uptime.to_be_bytes());
        }
        header.extend(second.to_be_bytes());
        if self.form.version == Version::V5 {
            header.extend([0; 4]);
        }
        header.extend(self.sequence.to_be_bytes());
        match self.form.version {
            Version::V5 => header.extend([0, self.form.domain as u8, 0, 0]),
            Version::V9 | Version::Ipfix => header.extend(self.form.domain.to_be_bytes()),
        }
        header
    }

    /// Lets templates be sent before anything else: who takes it may know none.
    pub(super) fn announce_again(&mut self) {
        self.since = 0;
        self.templates
            .iter_mut()
            .for_each(|(_, is_sent)| *is_sent = false);
        if self.form.version != Version::V5 && self.has_pending() {
            for at in self.used() {
                self.ahead = true;
                self.templates[at].1 = true;
            }
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity() + self.templates.len() * size_of::<(Template, bool)>()
    }

    pub(super) fn save(&self, out: &mut Writer) {
        out.bytes(&self.bytes);
        let (start, number) = self.set.unwrap_or((usize::MAX, 0));
        for number in [
            self.records.into(),
            self.data.into(),
            start as u64,
            number.into(),
            self.latest as u64,
            self.boot as u64,
            self.sequence.into(),
            self.since,
            self.ahead.into(),
            self.templates.len() as u64,
        ] {
            out.number(number);
        }
        for (template, is_sent) in &self.templates {
            out.number(template.kind());
            out.number(u64::from(*is_sent));
        }
    }

    pub(super) fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.bytes = from.bytes()?.to_vec();
        self.records = from.number()? as u16;
        self.data = from.number()? as u32;
        let (start, number) = (from.number()? as usize, from.number()? as u16);
        self.set = (start < self.bytes.len()).then_some((start, number));
        self.latest = from.number()? as i64;
        self.boot = from.number()? as i64;
        self.sequence = from.number()? as u32;
        self.since = from.number()?;
        self.ahead = from.number()? != 0;
        let count = from.number()?;
        self.templates.clear();
        for at in 0..count.min(TEMPLATES_MAX as u64) {
            let (v6, extras) = Template::of_kind(from.number()?);
            let number = 256 + at as u16;
            let template = Template::new(number, v6, extras, &self.form);
            self.templates.push((template, from.number()? != 0));
        }
        Ok(())
    }
}
