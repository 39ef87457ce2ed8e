//! Messages as they come: UDP sockets that are listened on.

use super::NAME;
use super::batch::Batch;
use super::decoder::{Decoder, Message};
use crate::read::blocks::BLOCK_LEN;
use crate::types::netflow::Records;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use wireq_engine::schedule::output::Item;
use wireq_engine::{Error, InputAccount, InputReport, Source, SourceContext};
use wireq_typesys::{Address, Block, Part, PartData, Position, Positions};

/// The most bytes of a datagram.
const DATAGRAM_MAX: usize = 65_535;
/// What the kernel is asked to hold while the queries are busy.
const KERNEL_BUFFER: usize = 16 << 20;
/// How long is waited before it is looked whether the run was interrupted.
const WAIT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};
/// How long records are gathered before they are given.
const GATHER_MILLISECONDS: u128 = 50;

/// Sockets that messages come to.
pub(super) struct Live {
    sockets: Vec<UdpSocket>,
    report: InputReport,
    decoder: Decoder,
    block: Arc<Block>,
    /// The bytes of the block that are used.
    end: usize,
    batch: Batch,
    ready: Records,
    given: usize,
    segment: u32,
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
            batch: Batch::default(),
            ready: Records::default(),
            given: 0,
            segment: 0,
        })
    }

    /// Waits for datagrams. False where the run is to end.
    fn wait(&self, context: &SourceContext<'_>) -> io::Result<bool> {
        loop {
            if context.interrupt.load(Ordering::Relaxed) {
                return Ok(false);
            }
            let poll_of = |socket| PollFd::new(socket, PollFlags::IN);
            let mut all: Vec<PollFd<'_>> = self.sockets.iter().map(poll_of).collect();
            match poll(&mut all, Some(&WAIT)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
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

    /// Takes the datagrams that are there, up to a part's records.
    fn gather(&mut self, context: &SourceContext<'_>) -> io::Result<()> {
        let begin = Instant::now();
        let mut spans = Vec::new();
        self.room();
        let mut is_there = true;
        // First all datagrams that fit into the block: it is shared from the first record on.
        while is_there && spans.len() < context.rows_max && self.end + DATAGRAM_MAX <= BLOCK_LEN {
            is_there = false;
            for socket in &self.sockets {
                let Some(block) = Arc::get_mut(&mut self.block) else {
                    break;
                };
                if self.end + DATAGRAM_MAX > BLOCK_LEN {
                    break;
                }
                match socket.recv_from(&mut block.0[self.end..]) {
                    Ok((len, from)) => {
                        spans.push((self.end, len, from.ip(), now()));
                        self.end += len;
                        is_there = true;
                    }
                    Err(error) if is_passing(&error) => {}
                    Err(error) => return Err(error),
                }
            }
            if begin.elapsed().as_millis() > GATHER_MILLISECONDS {
                break;
            }
        }
        for (start, len, from, received) in spans {
            self.report.bytes_used += len as u64;
            let end = start + len;
            let mut at = start;
            while at < end {
                let message = Message {
                    block: &self.block,
                    start: at,
                    bytes: &self.block.0[at..end],
                    router: Some(Address::from(plain(from))),
                    received,
                };
                at += self.decoder.message(&message, &mut self.batch).max(1);
            }
        }
        Ok(())
    }

    /// Gives the next records of those that are decoded.
    fn give(&mut self, context: &SourceContext<'_>) -> Part {
        let end = (self.given + context.rows_max).min(self.ready.rows.len());
        let rows = Records {
            blocks: self.ready.blocks.clone(),
            rows: self.ready.rows[self.given..end].to_vec(),
            layouts: self.ready.layouts.clone(),
            headers: self.ready.headers.clone(),
        };
        let len = end - self.given;
        let first = Position::new(self.segment, self.given as u32);
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
        loop {
            if self.given < self.ready.rows.len() {
                return Ok(Some(Item::Rows(self.give(context))));
            }
            // Blocks are let go, so that one that nobody reads can be filled again.
            self.ready = Records::default();
            self.given = 0;
            let failed = |error| Error::file("receive on", self.report.name.clone(), error);
            if !self.wait(context).map_err(failed)? {
                return Ok(None);
            }
            if let Err(error) = self.gather(context) {
                return Err(Error::file("receive on", self.report.name.clone(), error));
            }
            self.ready = self.batch.take();
            self.segment += 1;
        }
    }

    fn input_account(&self) -> InputAccount {
        let mut report = self.report.clone();
        report.faults = self.decoder.faults().list();
        InputAccount {
            inputs: vec![report],
        }
    }
}
