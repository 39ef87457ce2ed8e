//! Several interfaces as one stream, in the order of time.
//!
//! A packet waits until nothing earlier can come from any other interface: until each has brought a
//! later one, or was found empty at a moment so long after that all earlier ones would be there.

use crate::types::packet::Frame;
use std::collections::VecDeque;

/// What waits is not more than so many bytes, those of its places among them: beyond, packets go on
/// without waiting.
const WAITING_MAX: usize = 8 << 20;

/// The bytes that a packet takes.
fn size(bytes: &[u8]) -> usize {
    size_of::<(Frame, Box<[u8]>)>() + bytes.len()
}

/// The packets of all interfaces that wait for earlier ones.
pub(super) struct Merge {
    interfaces: Vec<Waiting>,
    bytes: usize,
}

/// The packets of an interface.
struct Waiting {
    packets: VecDeque<(Frame, Box<[u8]>)>,
    /// No packet before this time comes any more.
    complete: i64,
}

impl Merge {
    pub(super) fn new(interfaces: usize) -> Merge {
        let waiting = || Waiting {
            packets: VecDeque::new(),
            complete: i64::MIN,
        };
        Merge {
            interfaces: (0..interfaces).map(|_| waiting()).collect(),
            bytes: 0,
        }
    }

    pub(super) fn push(&mut self, interface: usize, frame: Frame, bytes: &[u8]) {
        let waiting = &mut self.interfaces[interface];
        waiting.complete = waiting.complete.max(frame.ts);
        waiting.packets.push_back((frame, bytes.into()));
        self.bytes += size(bytes);
    }

    /// An interface was found empty: what comes has this time or a later one. `i64::MAX` where
    /// nothing comes any more.
    pub(super) fn is_complete(&mut self, interface: usize, until: i64) {
        let waiting = &mut self.interfaces[interface];
        waiting.complete = waiting.complete.max(until);
    }

    /// The time before which all packets are known.
    pub(super) fn complete(&self) -> i64 {
        let all = self.interfaces.iter().map(|waiting| waiting.complete);
        all.min().unwrap_or(i64::MAX)
    }

    /// The next packet in the order of time, then of the interfaces, if it need not wait.
    pub(super) fn next(&mut self) -> Option<(usize, Frame, Box<[u8]>)> {
        let complete = match self.bytes > WAITING_MAX {
            true => i64::MAX,
            false => self.complete(),
        };
        let heads = self.interfaces.iter().enumerate();
        let heads = heads.filter_map(|(at, waiting)| Some((waiting.packets.front()?.0.ts, at)));
        let (_, at) = heads.min().filter(|(ts, _)| *ts <= complete)?;
        let (frame, bytes) = self.interfaces[at].packets.pop_front()?;
        self.bytes -= size(&bytes);
        Some((at, frame, bytes))
    }
}
