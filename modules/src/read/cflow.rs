//! `cflow`: raw flows of cflowd, as SMACQ read them: records of 55 bytes in network order.

use super::blocks::{Blocks, Pool};
use crate::types::netflow::{Header, INDEX, Layout, Netflow, Place, Records, Row};
use std::io;
use std::sync::{Arc, LazyLock};
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::schedule::output::Item;
use wireq_engine::{
    Build, Error, Example, InputAccount, InputMark, InputReport, Module, Source, SourceContext,
    SourceSpec,
};
use wireq_typesys::{Part, PartData, Position, Positions};

pub(super) static MODULE: Module = Module {
    name: "cflow",
    summary: "Reads flows from raw files of cflowd.",
    details: "A file is records of 55 bytes without a header: index, router, srcip, dstip, input, output, \
              srcport, dstport, packets, bytes, nexthop, start, end, ipprotocol, tos, srcAS, dstAS, \
              src_mask, dst_mask, tcp_flags, enginetype, engineid. Files are read one after another; \
              what is left at the end of one is reported.",
    parameters: &[Parameter {
        name: "FILE",
        takes: Takes::File,
        count: Count::Any,
        summary: "The files; `-`, or none at all, is standard input.",
    }],
    examples: &[
        Example {
            title: "what is in a file",
            query: "cflow flows.cflow | print index router srcip dstip dstport packets bytes",
            input: "",
            output: "0\t192.0.2.251\t192.0.2.1\t198.51.100.20\t80\t10\t5000\n1\t192.0.2.251\t192.0.2.2\t198.51.100.53\t53\t1\t62\n2\t192.0.2.251\t198.51.100.20\t192.0.2.1\t40001\t12\t15000\n",
        },
        Example {
            title: "the same query as of packets",
            query: "cflow flows.cflow | where dstport = 53 | top srcip",
            input: "",
            output: "192.0.2.2\t1\n",
        },
        Example {
            title: "times and networks",
            query: "cflow flows.cflow | where ipprotocol = tcp | print start duration srcAS src_mask dst_mask",
            input: "",
            output: "2026-01-01T00:00:00+00:00\t2\t64500\t24\t16\n2026-01-01T00:00:02+00:00\t2\t64500\t24\t16\n",
        },
    ],
    build: Build::Source(build),
};

const RECORD_LEN: usize = 55;

static LAYOUT: LazyLock<Arc<Layout>> = LazyLock::new(|| {
    let places = [
        Place::new(INDEX, 0, 4),
        Place::new(130, 4, 4),
        Place::new(8, 8, 4),
        Place::new(12, 12, 4),
        Place::new(10, 16, 2),
        Place::new(14, 18, 2),
        Place::new(7, 20, 2),
        Place::new(11, 22, 2),
        Place::new(2, 24, 4),
        Place::new(1, 28, 4),
        Place::new(15, 32, 4),
        Place::new(150, 36, 4),
        Place::new(151, 40, 4),
        Place::new(4, 44, 1),
        Place::new(5, 45, 1),
        Place::new(16, 46, 2),
        Place::new(17, 48, 2),
        Place::new(9, 50, 1),
        Place::new(13, 51, 1),
        Place::new(6, 52, 1),
        Place::new(38, 53, 1),
        Place::new(39, 54, 1),
    ];
    Arc::new(Layout::of_places(places.to_vec(), RECORD_LEN))
});

fn build(arguments: &Arguments) -> Result<SourceSpec, ArgumentError> {
    let words = arguments.words().iter();
    let mut paths: Vec<String> = words.map(|word| word.text.clone()).collect();
    if paths.is_empty() {
        paths.push("-".to_owned());
    }
    Ok(SourceSpec {
        record_type: Arc::new(Netflow),
        time_ordered: false,
        live: None,
        prefilter: None,
        open: Arc::new(move || {
            Ok(Box::new(Cflow {
                paths: paths.clone().into_iter(),
                current: None,
                pool: Pool::default(),
                reports: Vec::new(),
                segment: 0,
            }))
        }),
    })
}

/// The files of one source, read one after another.
struct Cflow {
    paths: std::vec::IntoIter<String>,
    current: Option<Blocks>,
    pool: Pool,
    reports: Vec<InputReport>,
    segment: u32,
}

impl Cflow {
    /// Opens the next file; false where there is none.
    fn open_next(&mut self, strict: bool) -> Result<bool, Error> {
        let Some(path) = self.paths.next() else {
            return Ok(false);
        };
        self.reports.push(InputReport {
            name: path.clone(),
            ..InputReport::default()
        });
        match Blocks::open(&path, &mut self.pool) {
            Ok(input) => self.current = Some(input),
            Err(error) if strict => return Err(Error::file("open", path, error)),
            Err(error) => self.unusable(format!("cannot open it: {error}")),
        }
        Ok(true)
    }

    fn unusable(&mut self, reason: String) {
        if let Some(report) = self.reports.last_mut() {
            report.unusable = Some(reason);
        }
    }

    /// Reads until there is a record; none at the end of the file.
    fn part(&mut self, context: &SourceContext<'_>) -> Result<Option<Part>, io::Error> {
        let Some(input) = &mut self.current else {
            return Ok(None);
        };
        while input.unread().len() < RECORD_LEN && !input.at_end {
            input.more(RECORD_LEN, &mut self.pool, context.interrupt)?;
        }
        let rows = (input.unread().len() / RECORD_LEN).min(context.rows_max);
        if rows == 0 {
            return Ok(None);
        }
        let row = |at: usize| Row {
            start: (input.at + at * RECORD_LEN) as u32,
            len: RECORD_LEN as u16,
            ..Row::default()
        };
        let records = Records {
            blocks: vec![Arc::clone(&input.block)],
            rows: (0..rows).map(row).collect(),
            layouts: vec![Arc::clone(&LAYOUT)],
            headers: vec![Header::default()],
        };
        input.at += rows * RECORD_LEN;
        self.segment += 1;
        if let Some(report) = self.reports.last_mut() {
            report.records += rows as u64;
            report.bytes_used += (rows * RECORD_LEN) as u64;
        }
        Ok(Some(Part::new(Arc::new(PartData::new(
            Arc::clone(context.shape),
            Box::new(records),
            rows,
            Positions::Run(Position::new(self.segment, 0)),
            context.origin,
        )))))
    }

    /// Ends the current file, noting what is left of it.
    fn close(&mut self, strict: bool) -> Result<(), Error> {
        let Some(input) = self.current.take() else {
            return Ok(());
        };
        let left = input.unread().len() as u64;
        let Some(report) = self.reports.last_mut().filter(|_| left > 0) else {
            return Ok(());
        };
        let reason = "the file ends within a record".to_owned();
        if strict {
            let path = report.name.clone();
            return Err(Error::Damaged { path, reason });
        }
        report.skip(input.place(), left, &reason);
        Ok(())
    }
}

impl Source for Cflow {
    fn next(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error> {
        loop {
            if self.current.is_none() {
                if !self.open_next(context.strict)? {
                    return Ok(None);
                }
                continue;
            }
            match self.part(context) {
                Ok(Some(part)) => return Ok(Some(Item::Rows(part))),
                Ok(None) => self.close(context.strict)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(None),
                Err(error) => {
                    self.current = None;
                    let path = self.reports.last().map(|report| report.name.clone());
                    if context.strict {
                        return Err(Error::file("read", path.unwrap_or_default(), error));
                    }
                    self.unusable(format!("cannot read it: {error}"));
                }
            }
        }
    }

    fn mark(&self) -> InputMark {
        InputMark::of(&self.reports)
    }

    fn input_account(&self) -> InputAccount {
        InputAccount {
            inputs: self.reports.clone(),
        }
    }
}
