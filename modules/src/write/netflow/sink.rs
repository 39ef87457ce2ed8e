//! What `netflowwrite` does: messages to a collector, a file or the statement's output.

use super::message::{Form, Messages};
use crate::write::flow_rows::{Extras, FlowRow, Limits, flows};
use crate::write::written_file::WrittenFile;
use rustix::io::Errno;
use std::any::Any;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Control, Error, InputAccount, InputReport, Operator, Progress, View};
use wireq_typesys::Position;

/// Where messages go.
#[derive(Clone, Debug)]
pub(super) enum To {
    Output,
    File(String),
    Collector(SocketAddr),
}

/// A message waits no longer than this for more flows, as far as time goes by.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// How often a datagram is sent that the kernel has no room for, a millisecond apart.
const TRIES_MAX: usize = 1000;

pub(super) struct Sink {
    messages: Messages,
    biflow: bool,
    limits: Limits,
    target: Target,
    /// When the message at hand was begun.
    begun: Option<Instant>,
    /// The input has ended: what comes is all that was passed on.
    ended: bool,
}

enum Target {
    Output,
    File(WrittenFile),
    Collector(Collector),
}

/// A collector that datagrams are sent to.
struct Collector {
    address: SocketAddr,
    /// Opened at once: later this run may be allowed nothing more.
    socket: Result<UdpSocket, Option<std::io::Error>>,
    /// The time from one datagram to the next, at least, and when the next one may go.
    pause: Duration,
    next: Option<Instant>,
    sent: u64,
    bytes: u64,
    refused: u64,
}

impl Sink {
    pub(super) fn new(form: Form, to: &To, rate: Option<u64>) -> Sink {
        let target = match to {
            To::Output => Target::Output,
            To::File(path) => Target::File(WrittenFile::new(path)),
            To::Collector(address) => Target::Collector(Collector::new(*address, rate)),
        };
        Sink {
            biflow: form.biflow,
            limits: form.version.limits(),
            messages: Messages::new(form),
            target,
            begun: None,
            ended: false,
        }
    }

    /// Sends the message at hand, full or not.
    fn close(&mut self, position: Position, out: &mut Output) -> Result<(), Error> {
        self.begun = None;
        let target = &mut self.target;
        self.messages
            .close(&mut |message| target.send(message, position, out))
    }

    /// Sends a message to a collector that waited long enough.
    fn send_in_time(&mut self, position: Position, out: &mut Output) -> Result<(), Error> {
        if !matches!(self.target, Target::Collector(_)) || !self.messages.has_pending() {
            return Ok(());
        }
        match self.begun {
            Some(begun) if begun.elapsed() >= WAIT_MAX => self.close(position, out),
            Some(_) => Ok(()),
            None => {
                self.begun = Some(Instant::now());
                Ok(())
            }
        }
    }
}

impl Target {
    fn send(&mut self, message: &[u8], position: Position, out: &mut Output) -> Result<(), Error> {
        match self {
            Target::Output => {
                out.text.bytes().extend_from_slice(message);
                out.text.end_row(position);
                Ok(())
            }
            Target::File(file) => file.add(message),
            Target::Collector(collector) => collector.send(message),
        }
    }
}

impl Collector {
    fn new(address: SocketAddr, rate: Option<u64>) -> Collector {
        let own: SocketAddr = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let open = || {
            let socket = UdpSocket::bind(own)?;
            socket.connect(address)?;
            Ok(socket)
        };
        Collector {
            address,
            socket: open().map_err(Some),
            pause: rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate as u32),
            next: None,
            sent: 0,
            bytes: 0,
            refused: 0,
        }
    }

    fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        let to = self.address.to_string();
        let socket = match &mut self.socket {
            Ok(socket) => socket,
            Err(error) => {
                let error = error.take();
                let error = error.unwrap_or_else(|| std::io::ErrorKind::NotConnected.into());
                return Err(Error::file("send to", to, error));
            }
        };
        let now = Instant::now();
        if let Some(next) = self.next.filter(|_| !self.pause.is_zero()) {
            sleep(next.saturating_duration_since(now));
        }
        self.next = Some(self.next.map_or(now, |next| next.max(now)) + self.pause);
        for _ in 0..TRIES_MAX {
            // The call that all files know: the others are denied to a run that is limited.
            match rustix::io::write(&*socket, message) {
                Ok(_) => {
                    self.sent += 1;
                    self.bytes += message.len() as u64;
                    return Ok(());
                }
                // Said of a datagram before: that one is lost, and this one not sent yet.
                Err(Errno::CONNREFUSED) => self.refused += 1,
                Err(Errno::NOBUFS | Errno::AGAIN) => sleep(Duration::from_millis(1)),
                Err(Errno::INTR) => {}
                Err(error) => return Err(Error::file("send to", to, error.into())),
            }
        }
        Err(Error::file("send to", to, Errno::NOBUFS.into()))
    }

    fn report(&self) -> InputReport {
        let refused = ("datagrams that the collector's host refused", self.refused);
        let faults = [refused].into_iter().filter(|(_, count)| *count > 0);
        InputReport {
            name: format!("to {}", self.address),
            records: self.sent,
            bytes_used: self.bytes,
            faults: faults
                .map(|(reason, count)| (reason.to_owned(), count))
                .collect(),
            ..InputReport::default()
        }
    }
}

impl Operator for Sink {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let flows = flows(*view, self.limits);
            out.account.filtered += (view.part.count() - flows.count()) as u64;
            out.pass(view.part, flows);
        }
        Ok(Progress::Continue)
    }

    fn act(&mut self, views: &[View<'_>], out: &mut Output) -> Result<(), Error> {
        let mut last = Position::END;
        for view in views {
            let extras = Extras::of(*view);
            for row in view.part.selection.iter() {
                let Some(flow) = FlowRow::of(*view, row, self.limits) else {
                    continue;
                };
                last = view.part.data.position(row);
                let (target, messages) = (&mut self.target, &mut self.messages);
                let begun = &mut self.begun;
                let mut send = |message: &[u8]| {
                    *begun = None;
                    target.send(message, last, out)
                };
                match self.biflow {
                    true => messages.put(&flow, extras, &mut send)?,
                    false => flow
                        .directions()
                        .try_for_each(|flow| messages.put(&flow, extras, &mut send))?,
                }
            }
        }
        match self.ended {
            true => self.close(last, out),
            false => self.send_in_time(last, out),
        }
    }

    fn control(
        &mut self,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        self.send_in_time(position, out)?;
        out.control(position, control.clone());
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        self.ended = true;
        self.close(Position::END, out)?;
        match &mut self.target {
            // What an earlier run left is not taken for a result.
            Target::File(file) if file.len() == 0 => file.add(&[]),
            _ => Ok(()),
        }
    }

    fn reopen(&mut self, output: bool) -> Result<(), Error> {
        let is_new = match &mut self.target {
            Target::Output => output,
            Target::File(file) => {
                let is_elsewhere = file.is_elsewhere();
                if is_elsewhere {
                    // What is at hand counts on templates that are there.
                    self.begun = None;
                    self.messages.close(&mut |message| file.add(message))?;
                    *file = WrittenFile::new(file.path());
                }
                is_elsewhere
            }
            Target::Collector(_) => false,
        };
        if is_new {
            self.messages.announce_again();
        }
        Ok(())
    }

    fn input_account(&self) -> Option<InputAccount> {
        match &self.target {
            Target::Collector(collector) => Some(InputAccount {
                inputs: vec![collector.report()],
            }),
            _ => None,
        }
    }

    fn memory(&self) -> usize {
        self.messages.memory()
    }

    fn save(&self, out: &mut Writer) {
        self.messages.save(out);
        out.number(u64::from(self.ended));
        match &self.target {
            Target::File(file) => file.save(out),
            Target::Collector(Collector {
                sent,
                bytes,
                refused,
                ..
            }) => [sent, bytes, refused]
                .into_iter()
                .for_each(|n| out.number(*n)),
            Target::Output => {}
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.messages.load(from)?;
        self.ended = from.number()? != 0;
        match &mut self.target {
            Target::File(file) => file.load(from)?,
            Target::Collector(collector) => {
                collector.sent = from.number()?;
                collector.bytes = from.number()?;
                collector.refused = from.number()?;
            }
            Target::Output => {}
        }
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Version;
    use super::*;

    fn sink(version: Version, path: &str) -> Sink {
        let form = Form {
            version,
            domain: 0,
            len_max: 500,
            refresh: 20,
            biflow: false,
        };
        Sink::new(form, &To::File(path.to_owned()), None)
    }

    /// A file that is moved away ends with what was at hand; the next begins with templates.
    #[test]
    fn a_file_begun_anew_begins_with_templates() {
        let folder = tempfile::tempdir().expect("the temporary folder takes folders");
        let path = folder.path().join("flows").to_string_lossy().into_owned();
        for (version, header_len) in [(Version::V9, 20), (Version::Ipfix, 16)] {
            let mut sink = sink(version, &path);
            let put = |sink: &mut Sink, count: usize| {
                let (target, messages) = (&mut sink.target, &mut sink.messages);
                let Target::File(file) = target else {
                    panic!("it writes a file");
                };
                let mut send = |message: &[u8]| file.add(message);
                let flow = FlowRow::default();
                (0..count).for_each(|_| {
                    let put = messages.put(&flow, Extras::default(), &mut send);
                    put.expect("it is written");
                });
            };
            put(&mut sink, 20);
            assert!(sink.messages.has_pending());
            std::fs::rename(&path, format!("{path}.old")).expect("it was written");
            let len = |path: &str| std::fs::metadata(path).map_or(0, |data| data.len());
            let old = len(&format!("{path}.old"));
            sink.reopen(false).expect("it can be made");
            assert!(!sink.messages.has_pending());
            assert!(len(&format!("{path}.old")) > old);
            put(&mut sink, 20);
            let begin = std::fs::read(&path).expect("it was begun");
            assert!(
                begin[header_len] == 0 && begin[header_len + 1] < 3,
                "{version:?}"
            );
        }
    }
}
