//! What `pcapwrite` does: packets to the statement's output or to files.

use super::capture::{Header, Packet, refuse};
use super::capture_files::{Rules, Series};
use super::packets::{flow_hash, packets, with_packet};
use super::pcap_file::NAME;
use std::any::Any;
use std::sync::Arc;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Context, Error, Operator, Progress, Verdict, View};
use wireq_typesys::{Position, Zone};

/// Writes packets once it is known that they were taken.
pub(super) struct PacketWriter {
    target: Target,
    /// Whether packets were passed, which are written when it is known that they were taken: at the
    /// end that is after [`Operator::finish`].
    passed: bool,
    nanos: bool,
    zone: Arc<Zone>,
}

enum Target {
    /// The statement's output, with its header once it was written.
    Output(Option<Header>),
    Files {
        rules: Rules,
        series: Vec<Series>,
        /// The header of the first file: one without packets has no other.
        first: Option<Header>,
        key: Vec<u8>,
    },
}

impl PacketWriter {
    pub(super) fn new(
        rules: &Option<Rules>,
        buckets: Option<u64>,
        nanos: bool,
        context: &Context,
    ) -> PacketWriter {
        let target = match rules {
            None => Target::Output(None),
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
            nanos,
            zone: Arc::clone(&context.zone),
        }
    }
}

impl Target {
    fn put(
        &mut self,
        packet: &Packet<'_>,
        nanos: bool,
        zone: &Zone,
        (view, row): (View<'_>, usize),
        out: &mut Output,
    ) -> Result<(), Error> {
        match self {
            Target::Output(header) => {
                let bytes = out.text.bytes();
                let header = header.get_or_insert_with(|| {
                    let header = Header::of(packet, nanos);
                    header.write(bytes);
                    header
                });
                if let Some(misfit) = header.misfit(packet) {
                    return Err(refuse(misfit, "the output", *header, packet, zone));
                }
                header.write_packet(packet, bytes);
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
                    buckets => (flow_hash(view, row, key) % buckets as u64) as usize,
                };
                series[bucket].put(packet, rules, zone)?;
                if first.is_none() {
                    *first = series[bucket].header();
                }
                Ok(())
            }
        }
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
            let packets = packets(*view);
            out.account.filtered += (view.part.count() - packets.count()) as u64;
            self.passed |= !packets.is_empty();
            out.pass(view.part, packets);
        }
        Ok(Progress::Continue)
    }

    fn act(&mut self, views: &[View<'_>], out: &mut Output) -> Result<(), Error> {
        let (target, zone, nanos) = (&mut self.target, &self.zone, self.nanos);
        let mut rows = views
            .iter()
            .flat_map(|view| view.part.selection.iter().map(|row| (*view, row)));
        let put = rows.try_for_each(|(view, row)| {
            let put = |packet: &Packet<'_>| target.put(packet, nanos, zone, (view, row), out);
            with_packet(view, row, put).unwrap_or(Ok(()))
        });
        // What came before a packet that cannot be written is written.
        if let Target::Files { series, .. } = target {
            series.iter_mut().try_for_each(Series::flush)?;
        }
        put
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        match &mut self.target {
            Target::Output(_) if self.passed => {}
            Target::Output(header) => {
                let nothing = Header::of_nothing(self.nanos);
                nothing.write(out.text.bytes());
                out.text.end_row(Position::END);
                *header = Some(nothing);
            }
            Target::Files {
                rules,
                series,
                first,
                ..
            } => {
                let header = first.unwrap_or_else(|| Header::of_nothing(rules.nanos));
                for series in series {
                    series.finish(rules, header, &self.zone)?;
                }
            }
        }
        Ok(())
    }

    fn reopen(&mut self, output: bool) -> Result<(), Error> {
        match &mut self.target {
            Target::Output(header) if output => *header = None,
            Target::Output(_) => {}
            Target::Files { series, .. } => series.iter_mut().try_for_each(Series::reopen)?,
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        match &self.target {
            Target::Output(_) => 0,
            Target::Files { series, .. } => series.len() * size_of::<Series>(),
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
            Target::Output(header) => save_header(header, out),
            Target::Files { series, first, .. } => {
                save_header(first, out);
                series.iter().for_each(|series| series.save(out));
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
            Target::Output(known) => *known = header,
            Target::Files { series, first, .. } => {
                *first = header;
                series.iter_mut().try_for_each(|series| series.load(from))?;
            }
        }
        Ok(())
    }

    fn merge(&mut self, _right: &dyn Operator) -> Result<Verdict, Error> {
        Err(Error::Module {
            module: NAME,
            message: "it is serial: parts cannot be merged".into(),
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
