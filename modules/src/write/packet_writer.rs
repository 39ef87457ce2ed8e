//! What `pcapwrite` does: packets to the statement's output or to files.

use super::capture::{Header, Packet, refuse};
use super::capture_files::{Format, Rules, Series};
use super::packets::{Columns, flow_hash, packets};
use super::pcapng::Section;
use crate::types::packet::Beside;
use std::any::Any;
use std::sync::Arc;
use std::time::Instant;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Context, Control, Error, Operator, Progress, View};
use wireq_typesys::{Position, Zone};

/// Writes packets once it is known that they were taken.
pub(super) struct PacketWriter {
    target: Target,
    /// Whether packets were passed, which are written when it is known that they were taken: at the
    /// end that is after [`Operator::finish`].
    passed: bool,
    format: Format,
    nanos: bool,
    zone: Arc<Zone>,
}

enum Target {
    /// The statement's output.
    Output(OfOutput),
    Files {
        rules: Rules,
        series: Vec<Series>,
        /// The header of the first file: one without packets has no other.
        first: Option<Header>,
        key: Vec<u8>,
    },
}

/// What was written of a capture that is the statement's output.
#[derive(Default)]
struct OfOutput {
    /// The header of a classic one.
    header: Option<Header>,
    /// The section of pcapng.
    section: Section,
}

impl PacketWriter {
    pub(super) fn new(
        rules: &Option<Rules>,
        buckets: Option<u64>,
        (format, nanos): (Format, bool),
        context: &Context,
    ) -> PacketWriter {
        let target = match rules {
            None => Target::Output(OfOutput::default()),
            Some(rules) => Target::Files {
                rules: rules.clone(),
                series: match buckets {
                    Some(buckets) => (0..buckets as u32).map(|n| Series::new(Some(n))).collect(),
                    None => vec![Series::new(None)],
                },
                first: None,
                key: Vec::new(),
            },
        };
        PacketWriter {
            target,
            passed: false,
            format,
            nanos,
            zone: Arc::clone(&context.zone),
        }
    }
}

impl OfOutput {
    fn put(
        &mut self,
        packet: &Packet<'_>,
        (format, nanos): (Format, bool),
        zone: &Zone,
        out: &mut Output,
    ) -> Result<(), Error> {
        let bytes = out.text.bytes();
        if format == Format::Pcapng {
            self.section.put(packet, bytes);
            return Ok(());
        }
        let header = self.header.get_or_insert_with(|| {
            let header = Header::of(packet, nanos);
            header.write(bytes);
            header
        });
        if let Some(misfit) = header.misfit(packet) {
            return Err(refuse(misfit, "the output", *header, packet, zone));
        }
        header.write_packet(packet, bytes);
        Ok(())
    }

    /// Writes what a capture without packets has.
    fn finish(&mut self, format: Format, nanos: bool, out: &mut Output) {
        match format {
            Format::Pcapng => self.section.begin_any(out.text.bytes()),
            Format::Pcap => {
                let nothing = Header::of_nothing(nanos);
                nothing.write(out.text.bytes());
                self.header = Some(nothing);
            }
        }
        out.text.end_row(Position::END);
    }
}

impl Target {
    fn put(
        &mut self,
        packet: &Packet<'_>,
        (format, nanos): (Format, bool),
        zone: &Zone,
        (view, row): (View<'_>, usize),
        out: &mut Output,
    ) -> Result<(), Error> {
        match self {
            Target::Output(output) => {
                output.put(packet, (format, nanos), zone, out)?;
                out.text.end_row(view.part.data.position(row));
                Ok(())
            }
            Target::Files {
                rules,
                series,
                first,
                key,
            } => {
                let bucket = match series.len() {
                    1 => 0,
                    buckets => (flow_hash(view, format, row, key) % buckets as u64) as usize,
                };
                series[bucket].put(packet, rules, zone)?;
                if first.is_none() {
                    *first = series[bucket].header();
                }
                Ok(())
            }
        }
    }

    /// Writes what stood between packets, which belongs to each file.
    fn beside(
        &mut self,
        beside: &Arc<Beside>,
        position: Position,
        zone: &Zone,
        out: &mut Output,
    ) -> Result<(), Error> {
        match self {
            Target::Output(output) => {
                output.section.beside(beside, out.text.bytes());
                out.text.end_row(position);
                Ok(())
            }
            Target::Files { rules, series, .. } => {
                let mut all = series.iter_mut();
                all.try_for_each(|series| series.beside(beside, rules, zone))
            }
        }
    }

    /// Forgets where the bytes of the view before stood.
    fn forget_places(&mut self) {
        match self {
            Target::Output(output) => output.section.forget_places(),
            Target::Files { series, .. } => series.iter_mut().for_each(Series::forget_places),
        }
    }

    /// Writes what is pending, as far as it may not wait.
    fn flush(&mut self) -> Result<(), Error> {
        let Target::Files { rules, series, .. } = self else {
            return Ok(());
        };
        let now = rules.flush.map(|_| Instant::now());
        series.iter_mut().try_for_each(|series| series.flush(now))
    }
}

impl Operator for PacketWriter {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let packets = packets(*view, self.format);
            out.account.filtered += (view.part.count() - packets.count()) as u64;
            self.passed |= !packets.is_empty();
            out.pass(view.part, packets);
        }
        Ok(Progress::Continue)
    }

    fn act(&mut self, views: &[View<'_>], out: &mut Output) -> Result<(), Error> {
        let (target, zone, looks) = (&mut self.target, &self.zone, (self.format, self.nanos));
        let put = views.iter().try_for_each(|view| {
            target.forget_places();
            let columns = Columns::of(*view, looks.0);
            let mut rows = view.part.selection.iter();
            rows.try_for_each(|row| match columns.packet(row) {
                Some(packet) => target.put(&packet, looks, zone, (*view, row), out),
                None => Ok(()),
            })
        });
        // What came before a packet that cannot be written is written.
        target.flush()?;
        put
    }

    fn control(
        &mut self,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        if let Control::Beside(beside) = control
            && self.format == Format::Pcapng
            && let Ok(beside) = Arc::clone(beside).downcast::<Beside>()
        {
            self.target.beside(&beside, position, &self.zone, out)?;
        }
        self.target.flush()?;
        out.control(position, control.clone());
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        match &mut self.target {
            Target::Output(_) if self.passed => {}
            Target::Output(output) => output.finish(self.format, self.nanos, out),
            Target::Files {
                rules,
                series,
                first,
                ..
            } => {
                for series in series {
                    series.finish(rules, *first, &self.zone)?;
                }
            }
        }
        Ok(())
    }

    fn reopen(&mut self, output: bool) -> Result<(), Error> {
        match &mut self.target {
            Target::Output(known) if output => *known = OfOutput::default(),
            Target::Output(_) => {}
            Target::Files { rules, series, .. } => {
                let mut all = series.iter_mut();
                all.try_for_each(|series| series.reopen(rules))?;
            }
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        match &self.target {
            Target::Output(output) => output.section.memory(),
            Target::Files { series, .. } => {
                let shared = series.iter().map(Series::waiting_len).max();
                let own: usize = series.iter().map(Series::memory).sum();
                own + shared.unwrap_or(0)
            }
        }
    }

    fn save(&self, out: &mut Writer) {
        out.number(u64::from(self.passed));
        let save_header = |header: &Option<Header>, out: &mut Writer| {
            out.number(u64::from(header.is_some()));
            if let Some(header) = header {
                header.save(out);
            }
        };
        match &self.target {
            Target::Output(output) => {
                save_header(&output.header, out);
                output.section.save(out);
            }
            Target::Files { series, first, .. } => {
                save_header(first, out);
                let mut shared = Vec::new();
                let all = series.iter();
                all.for_each(|series| series.save(out, &mut shared));
            }
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.passed = from.number()? != 0;
        let mut header = None;
        if from.number()? != 0 {
            header = Some(Header::load(from)?);
        }
        match &mut self.target {
            Target::Output(output) => {
                output.header = header;
                output.section = Section::load(from)?;
            }
            Target::Files {
                rules,
                series,
                first,
                ..
            } => {
                *first = header;
                let (mut all, mut shared) = (series.iter_mut(), Vec::new());
                all.try_for_each(|series| series.load(from, rules, &mut shared))?;
            }
        }
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
