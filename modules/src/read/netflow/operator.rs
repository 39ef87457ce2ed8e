//! Messages in packets.

use super::batch::Batch;
use super::decoder::{Decoder, Message, is_whole};
use super::{NAME, PORTS};
use crate::types::netflow::Records;
use std::any::Any;
use std::sync::Arc;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Context, Error, InputAccount, InputReport, Operator, Progress, View};
use wireq_typesys::{
    Address, Block, Column, Data, PartData, Position, Positions, ROWS_MAX, Shape, Value,
};

/// The places of the fields among the operator's.
const PAYLOAD: usize = 0;
const SRCIP: usize = 1;
const DSTPORT: usize = 2;
const TS: usize = 3;
const TRANSPORT: usize = 4;

/// The number of UDP.
const UDP: u64 = 17;

/// The operator of `netflow`.
pub(super) struct Exports {
    /// The only ports that messages are sent to, where that was said.
    ports: Vec<u16>,
    decoder: Decoder,
    shape: Option<Arc<Shape>>,
    origin: u32,
    batch: Batch,
    /// The cause of each record gathered.
    positions: Vec<Position>,
    given: u64,
}

/// Bytes of a block.
struct Slice {
    block: Arc<Block>,
    start: usize,
    len: usize,
}

/// The bytes of a row, where they are if they can be shared.
fn slice(column: &Column, row: usize) -> Option<Slice> {
    if !column.valid.get(row) {
        return None;
    }
    if let Data::Bytes(slices) | Data::Text(slices) = &column.data {
        let (block, start, len) = *slices.rows.get(row)?;
        let block = Arc::clone(slices.blocks.get(block as usize)?);
        let (start, len) = (start as usize, len as usize);
        block.0.get(start..start + len)?;
        return Some(Slice { block, start, len });
    }
    let value = column.value(row);
    let bytes = value.as_bytes()?;
    Some(Slice {
        block: Arc::new(Block(bytes.to_vec())),
        start: 0,
        len: bytes.len(),
    })
}

impl Exports {
    pub(super) fn new(ports: Vec<u16>, options: bool, context: &Context) -> Exports {
        Exports {
            ports,
            decoder: Decoder::new(options),
            shape: context.shape.clone(),
            origin: context.origin,
            batch: Batch::default(),
            positions: Vec::new(),
            given: 0,
        }
    }

    /// Whether a datagram is taken for a message.
    fn is_message(&self, view: &View<'_>, row: usize, bytes: &[u8]) -> bool {
        let port = view.value(DSTPORT, row).as_integer();
        let port = port.and_then(|port| u16::try_from(port).ok());
        let is_one_of = |ports: &[u16]| port.is_some_and(|port| ports.contains(&port));
        if self.ports.is_empty() {
            is_one_of(&PORTS) || is_whole(bytes)
        } else {
            is_one_of(&self.ports)
        }
    }

    fn row(&mut self, view: &View<'_>, row: usize, out: &mut Output) {
        let is_udp = matches!(view.value(TRANSPORT, row), Value::Named(UDP, _));
        let payload = view.column(PAYLOAD).and_then(|column| slice(column, row));
        let payload = payload.filter(|_| is_udp);
        let Some(payload) = payload else {
            out.account.filtered += 1;
            return;
        };
        let bytes = &payload.block.0[payload.start..payload.start + payload.len];
        if !self.is_message(view, row, bytes) {
            out.account.filtered += 1;
            return;
        }
        out.account.absorbed += 1;
        let router = match view.value(SRCIP, row) {
            Value::Address(address) => Some(Address::from(address)),
            _ => None,
        };
        let received = match view.value(TS, row) {
            Value::Time(time) => Some(time),
            _ => None,
        };
        let position = view.part.data.position(row);
        let mut start = payload.start;
        let end = payload.start + payload.len;
        while start < end {
            let message = Message {
                block: &payload.block,
                start,
                bytes: &payload.block.0[start..end],
                router,
                received,
            };
            // Messages stand one behind the other only in streams, and in version 9 by mistake.
            start += self.decoder.message(&message, &mut self.batch).max(1);
        }
        self.positions.resize(self.batch.len(), position);
        if self.batch.len() >= ROWS_MAX || self.batch.is_full() {
            self.give(out);
        }
    }

    /// Gives the records gathered.
    fn give(&mut self, out: &mut Output) {
        let records = self.batch.take();
        let positions = std::mem::take(&mut self.positions);
        let Some(shape) = self.shape.as_ref().filter(|_| !positions.is_empty()) else {
            return;
        };
        self.given += positions.len() as u64;
        if records.rows.len() <= ROWS_MAX {
            return emit(records, positions, shape, self.origin, out);
        }
        for begin in (0..records.rows.len()).step_by(ROWS_MAX) {
            let rows = begin..(begin + ROWS_MAX).min(records.rows.len());
            let caused = positions[rows.clone()].to_vec();
            emit(records.chunk(rows), caused, shape, self.origin, out);
        }
    }
}

fn emit(
    records: Records,
    positions: Vec<Position>,
    shape: &Arc<Shape>,
    origin: u32,
    out: &mut Output,
) {
    let len = records.rows.len();
    let positions = Positions::Each(positions);
    let rows = Box::new(records);
    out.emit(PartData::new(
        Arc::clone(shape),
        rows,
        len,
        positions,
        origin,
    ));
}

impl Operator for Exports {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            for row in view.part.selection.iter() {
                self.row(view, row, out);
            }
        }
        self.give(out);
        Ok(Progress::Continue)
    }

    fn input_account(&self) -> Option<InputAccount> {
        Some(InputAccount {
            inputs: vec![InputReport {
                name: NAME.to_owned(),
                records: self.given,
                faults: self.decoder.faults().list(),
                ..InputReport::default()
            }],
        })
    }

    fn memory(&self) -> usize {
        self.decoder.memory()
    }

    fn save(&self, out: &mut Writer) {
        out.number(self.given);
        self.decoder.save(out);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.given = from.number()?;
        self.decoder.load(from)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
