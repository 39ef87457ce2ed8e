//! Packets of interfaces as a source.

use super::batch::Batch;
use super::capture::{Settings, link_type, open};
use super::reader::{Message, QUEUE_MAX, Reader, Shared, lock};
use crate::read::reuse::reusable;
use crate::types::packet::{Frames, Interface};
use pcap::{Active, Capture};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use wireq_engine::schedule::output::Item;
use wireq_engine::{Control, Error, InputAccount, InputReport, Source, SourceContext};
use wireq_typesys::{Block, Part, Position};

/// Open interfaces.
pub(super) struct Interfaces {
    /// Until the first packet is asked for: who asks decides in which thread, and with what rights.
    captures: Vec<Capture<Active>>,
    names: Vec<String>,
    /// Of each interface, what the kernel takes where it leaves out what no query takes.
    takes: Vec<Option<String>>,
    /// What packets say of the interface that they were captured at.
    interfaces: Vec<Arc<Interface>>,
    shared: Arc<Shared>,
    queue: Option<Receiver<Message>>,
    thread: Option<JoinHandle<()>>,
    /// What came and is to be given next.
    next: Option<Message>,
    /// The batch whose packets are given, and how many of them were.
    current: Option<(Batch, usize)>,
    segment: u32,
    row: u32,
    /// The latest time of which it was said that nothing earlier comes.
    watermark: i64,
    /// Of each interface: packets and bytes delivered.
    delivered: Vec<(u64, u64)>,
    total: u64,
    /// How many dropped packets were told.
    told: u64,
}

impl Interfaces {
    pub(super) fn open(settings: &Settings) -> Result<Interfaces, Error> {
        let names = settings.interfaces.clone();
        let opened: Result<Vec<_>, Error> = names.iter().map(|name| open(name, settings)).collect();
        let (captures, takes): (Vec<_>, Vec<_>) = opened?.into_iter().unzip();
        let interface = |(at, name): (usize, &String)| Interface {
            link_type: link_type(&captures[at]),
            snaplen: settings.snaplen,
            tsresol: 9,
            number: u32::try_from(at).ok(),
            name: Some((0, name.len() as u32)),
            block: Arc::new(Block(name.clone().into_bytes())),
            ..Interface::default()
        };
        let described = names.iter().enumerate().map(interface);
        let interfaces = described.map(Arc::new).collect();
        let shared = Arc::new(Shared::default());
        lock(&shared.interfaces).resize_with(names.len(), Default::default);
        Ok(Interfaces {
            captures,
            delivered: vec![(0, 0); names.len()],
            names,
            takes,
            interfaces,
            shared,
            queue: None,
            thread: None,
            next: None,
            current: None,
            segment: 0,
            row: 0,
            watermark: i64::MIN,
            total: 0,
            told: 0,
        })
    }

    fn start(&mut self) -> Result<(), Error> {
        let (sender, queue) = sync_channel(QUEUE_MAX);
        let captures = std::mem::take(&mut self.captures);
        let reader = Reader::new(captures, sender, Arc::clone(&self.shared));
        let thread = std::thread::Builder::new().name("pcaplive".into());
        let thread = thread
            .spawn(move || reader.run())
            .map_err(|error| Error::file("start", "a thread that reads packets", error))?;
        (self.queue, self.thread) = (Some(queue), Some(thread));
        Ok(())
    }

    /// Waits for the reader to say all that it has.
    fn end(&mut self) {
        self.shared.stop.store(true, Relaxed);
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // Where it panicked there is nothing more to come either.
            let _ = thread.join();
        }
    }

    /// The next message; a control of the time that was said last where none comes in time, and
    /// nothing at the end.
    fn receive(&mut self, context: &SourceContext<'_>) -> Option<Message> {
        if context.interrupt.load(Relaxed) {
            self.shared.stop.store(true, Relaxed);
        }
        if let Some(message) = self.next.take() {
            return Some(message);
        }
        match self.queue.as_ref()?.recv_timeout(context.wait) {
            Ok(message) => {
                self.shared.waiting.fetch_sub(1, Relaxed);
                Some(message)
            }
            Err(RecvTimeoutError::Timeout) => Some(Message::Idle(i64::MIN)),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Looks whether there is more already.
    fn look_ahead(&mut self) {
        if let Some(Ok(message)) = self.queue.as_ref().map(Receiver::try_recv) {
            self.shared.waiting.fetch_sub(1, Relaxed);
            self.next = Some(message);
        }
    }

    /// The next rows of the batch at hand.
    fn give(&mut self, context: &mut SourceContext<'_>) -> Option<Part> {
        let (batch, given) = self.current.as_mut()?;
        let count = (batch.frames.len() - *given).min(context.rows_max);
        let mut data = reusable(context, |context| Frames::of(context.shape));
        let unshared = Arc::get_mut(&mut data)?;
        let frames: &mut Frames = unshared.rows_mut()?;
        frames.reset(&batch.block, self.total + 1);
        frames.interfaces.extend_from_slice(&self.interfaces);
        for frame in &batch.frames[*given..*given + count] {
            frames.push(&batch.block.0, *frame);
        }
        unshared.set_rows(count, Position::new(self.segment, self.row));
        *given += count;
        self.total += count as u64;
        if *given == batch.frames.len() {
            self.current = None;
        }
        self.row += count as u32;
        if self.row > u32::MAX / 2 {
            (self.segment, self.row) = (self.segment.saturating_add(1), 0);
        }
        Some(Part::new(data))
    }
}

impl Source for Interfaces {
    fn next(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error> {
        if self.queue.is_none() && !self.captures.is_empty() {
            self.start()?;
        }
        while self.current.is_none() {
            match self.receive(context) {
                None => {
                    self.end();
                    return Ok(None);
                }
                Some(Message::Idle(time)) => {
                    self.watermark = self.watermark.max(time);
                    let position = Position::new(self.segment, self.row);
                    let control = Control::Watermark(self.watermark);
                    return Ok(Some(Item::Control(position, control)));
                }
                Some(Message::Packets(batch)) => {
                    for (sum, share) in self.delivered.iter_mut().zip(&batch.shares) {
                        *sum = (sum.0 + share.0, sum.1 + share.1);
                    }
                    self.current = Some((batch, 0)).filter(|(batch, _)| !batch.frames.is_empty());
                }
            }
        }
        let part = self.give(context);
        if self.current.is_none() && self.next.is_none() {
            self.look_ahead();
        }
        Ok(part.map(Item::Rows))
    }

    fn input_account(&self) -> InputAccount {
        let ends = lock(&self.shared.interfaces).clone();
        let named = self.names.iter().zip(&self.takes);
        let inputs = named.zip(&self.delivered).zip(ends);
        let report = |(((name, takes), delivered), ends): (((&String, &Option<String>), _), _)| {
            let super::reader::Ends { lost, failure } = ends;
            let (records, bytes): &(u64, u64) = delivered;
            InputReport {
                name: name.clone(),
                records: *records,
                bytes_used: *bytes,
                takes: takes.clone(),
                unusable: failure,
                lost: Some(lost),
                ..InputReport::default()
            }
        };
        InputAccount {
            inputs: inputs.map(report).collect(),
        }
    }

    fn dropped(&mut self) -> u64 {
        let dropped = self.shared.dropped.load(Relaxed);
        dropped - std::mem::replace(&mut self.told, dropped)
    }

    fn is_idle(&self) -> bool {
        self.next.is_none() && self.current.is_none()
    }
}

impl Drop for Interfaces {
    fn drop(&mut self) {
        self.end();
    }
}
