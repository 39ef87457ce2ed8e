//! Messages as they come: UDP sockets that are listened on.

use super::NAME;
use super::batch::Batch;
use super::decoder::{Decoder, Message};
use crate::read::blocks::BLOCK_LEN;
use crate::read::drain::Drain;
use crate::types::netflow::Records;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use wireq_engine::schedule::output::Item;
use wireq_engine::{Control, Error, InputAccount, InputReport, Source, SourceContext};
use wireq_typesys::{Address, Block, Part, PartData, Position, Positions};

/// The most bytes of a datagram.
const DATAGRAM_MAX: usize = 65_535;
/// What the kernel is asked to hold while the queries are busy.
const KERNEL_BUFFER: usize = 16 << 20;
/// How long records are gathered before they are given.
const GATHER: Duration = Duration::from_millis(50);

/// Sockets that messages come to.
pub(super) struct Live {
    sockets: Vec<UdpSocket>,
    report: InputReport,
    decoder: Decoder,
    block: Arc<Block>,
    /// The bytes of the block that are used.
    end: usize,
    /// Datagrams in the block that are not decoded yet.
    datagrams: VecDeque<Datagram>,
    /// Why nothing more can be received.
    failure: Option<io::Error>,
    drain: Drain,
    batch: Batch,
    ready: Records,
    given: usize,
    segment: u32,
    /// The row of the first record that is ready.
    row: u32,
}

/// A datagram in the block.
struct Datagram {
    start: usize,
    len: usize,
    from: IpAddr,
    received: Option<i64>,
}

/// What waiting came to.
enum Waited {
    /// There is something to receive.
    Some,
    /// Nothing came in time.
    Nothing,
    /// The run is to end, and nothing more is there.
    End,
}

impl Live {
    /// Listens on addresses.
    ///
    /// # Errors
    /// Where one of them can't be had.
    pub(super) fn new(addresses: &[SocketAddr], options: bool) -> Result<Live, Error> {
        let listen = |address: &SocketAddr| {
            let failed = |error| Error::file("listen on", address.to_string(), error);
            let socket = UdpSocket::bind(address).map_err(failed)?;
            socket.set_nonblocking(true).map_err(failed)?;
            // The system may allow less: what is lost then is seen by sequence.
            let _ = sockopt::set_socket_recv_buffer_size(&socket, KERNEL_BUFFER);
            Ok(socket)
        };
        let sockets = addresses.iter().map(listen);
        let names: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
        Ok(Live {
            sockets: sockets.collect::<Result<_, Error>>()?,
            report: InputReport {
                name: format!("{NAME} {}", names.join(" ")),
                ..InputReport::default()
            },
            decoder: Decoder::new(options),
            block: Arc::default(),
            end: 0,
            datagrams: VecDeque::new(),
            failure: None,
            drain: Drain::default(),
            batch: Batch::default(),
            ready: Records::default(),
            given: 0,
            segment: 0,
            row: 0,
        })
    }

    /// Waits for datagrams, no longer than a source may.
    fn wait(&mut self, context: &SourceContext<'_>) -> io::Result<Waited> {
        let mut wait = context.wait;
        match self.drain.left(context.interrupt) {
            None => {}
            Some(Duration::ZERO) => return Ok(Waited::End),
            Some(_) => wait = Duration::ZERO,
        }
        let wait = Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: wait.subsec_nanos().into(),
        };
        let poll_of = |socket| PollFd::new(socket, PollFlags::IN);
        let mut all: Vec<PollFd<'_>> = self.sockets.iter().map(poll_of).collect();
        match poll(&mut all, Some(&wait)) {
            Ok(0) if self.drain.has_begun() => Ok(Waited::End),
            Ok(0) | Err(Errno::INTR) => Ok(Waited::Nothing),
            Ok(_) => Ok(Waited::Some),
            Err(error) => Err(error.into()),
        }
    }

    /// Room for a datagram, in another block where this one is full or still read.
    fn room(&mut self) {
        let is_free = self.block.0.len() >= self.end + DATAGRAM_MAX
            && Arc::get_mut(&mut self.block).is_some();
        if !is_free {
            self.block = Arc::new(Block(vec![0; BLOCK_LEN]));
            self.end = 0;
        }
    }

    /// Takes the datagrams that are there, as many as fit into the block: it is shared from the first
    /// record on.
    fn receive(&mut self, context: &SourceContext<'_>) {
        let begin = Instant::now();
        self.room();
        let mut is_there = true;
        while is_there && self.datagrams.len() < context.rows_max && begin.elapsed() < GATHER {
            is_there = false;
            for socket in &self.sockets {
                let Some(block) = Arc::get_mut(&mut self.block) else {
                    return;
                };
                if self.end + DATAGRAM_MAX > block.0.len() {
                    return;
                }
                match socket.recv_from(&mut block.0[self.end..]) {
                    Ok((len, from)) => {
                        self.datagrams.push_back(Datagram {
                            start: self.end,
                            len,
                            from: plain(from.ip()),
                            received: now(),
                        });
                        self.end += len;
                        is_there = true;
                    }
                    Err(error) if is_passing(&error) => {}
                    Err(error) => {
                        // What came before is decoded first.
                        self.failure = Some(error);
                        return;
                    }
                }
            }
        }
    }

    /// Decodes datagrams while there is room for what is in them.
    fn decode(&mut self) {
        while !self.batch.is_full()
            && let Some(datagram) = self.datagrams.pop_front()
        {
            self.report.bytes_used += datagram.len as u64;
            let end = datagram.start + datagram.len;
            let mut at = datagram.start;
            while at < end {
                let message = Message {
                    block: &self.block,
                    start: at,
                    bytes: &self.block.0[at..end],
                    router: Some(Address::from(datagram.from)),
                    received: datagram.received,
                };
                at += self.decoder.message(&message, &mut self.batch).max(1);
            }
        }
        self.let_go();
        self.ready = self.batch.take();
    }

    /// Lets go of the records that were given.
    fn let_go(&mut self) {
        self.row += self.ready.rows.len() as u32;
        if self.row > u32::MAX / 2 {
            (self.segment, self.row) = (self.segment.saturating_add(1), 0);
        }
        self.ready = Records::default();
        self.given = 0;
    }

    /// Gives the next records of those that are decoded.
    fn give(&mut self, context: &SourceContext<'_>) -> Part {
        let end = (self.given + context.rows_max).min(self.ready.rows.len());
        let rows = self.ready.chunk(self.given..end);
        let len = end - self.given;
        let first = Position::new(self.segment, self.row + self.given as u32);
        self.given = end;
        self.report.records += len as u64;
        Part::new(Arc::new(PartData::new(
            Arc::clone(context.shape),
            Box::new(rows),
            len,
            Positions::Run(first),
            context.origin,
        )))
    }
}

/// Whether a try to receive may be made again: nothing is there, or an earlier answer was refused.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted | io::ErrorKind::ConnectionRefused
    )
}

/// An IPv4 address that came through a socket for both families.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Nanoseconds since 1970.
fn now() -> Option<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_nanos()).ok()
}

impl Source for Live {
    fn next(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error> {
        if self.given < self.ready.rows.len() {
            return Ok(Some(Item::Rows(self.give(context))));
        }
        if self.datagrams.is_empty() {
            // Blocks are let go, so that one that nobody reads can be filled again.
            self.let_go();
            let waited = match self.failure.take() {
                Some(error) => Err(error),
                None => self.wait(context),
            };
            let name = &self.report.name;
            match waited.map_err(|error| Error::file("receive on", name.clone(), error))? {
                Waited::Some => self.receive(context),
                Waited::Nothing => {}
                Waited::End => return Ok(None),
            }
        }
        self.decode();
        if self.given < self.ready.rows.len() {
            return Ok(Some(Item::Rows(self.give(context))));
        }
        // Records may tell of any time, so it does not go on by itself.
        let position = Position::new(self.segment, self.row);
        Ok(Some(Item::Control(position, Control::Watermark(i64::MIN))))
    }

    fn is_idle(&self) -> bool {
        self.datagrams.is_empty() && self.given == self.ready.rows.len()
    }

    fn input_account(&self) -> InputAccount {
        let mut report = self.report.clone();
        report.faults = self.decoder.faults().list();
        InputAccount {
            inputs: vec![report],
        }
    }
}
