//! What is kept of a flow beside its key.

use super::columns::NEVER;
use super::packet::Packet;
use super::record::Reason;
use super::snapshot::{State, damaged};
use super::tcp::{self, Connection, ORIGINATOR, RESPONDER};
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::Position;

/// What is kept of a flow beside its key.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// The earliest and the latest time; the earliest is later where no packet had one.
    pub(super) first: i64,
    pub(super) last: i64,
    /// Where the record's first packet stands, and which one it is of all that came: what is made
    /// at one place, as at the end, has nothing else to be told apart by.
    pub(super) begin: (Position, u64),
    /// Of the originator, then of the responder.
    pub(super) packets: [u64; 2],
    pub(super) bytes: [u64; 2],
    pub(super) flags: [u16; 2],
    connection: Connection,
    /// Whether the originator is the higher end of the key.
    pub(super) from_high: bool,
    pub(super) is_tcp: bool,
    is_udp: bool,
    /// Whether the connection has ended, and only its last packets are waited for.
    pub(super) over: bool,
}

impl Default for Flow {
    fn default() -> Flow {
        Flow {
            first: i64::MAX,
            last: NEVER,
            begin: (Position::START, 0),
            packets: [0; 2],
            bytes: [0; 2],
            flags: [0; 2],
            connection: Connection::default(),
            from_high: false,
            is_tcp: false,
            is_udp: false,
            over: false,
        }
    }
}

impl Flow {
    /// A flow that begins with this packet. Who sends it is the originator, unless it says that
    /// it is an answer.
    pub(super) fn of(packet: &Packet) -> Flow {
        let answers = packet.tcp.is_some_and(|(flags, _)| tcp::is_answer(flags));
        let mut flow = Flow {
            from_high: packet.from_high != answers,
            ..Flow::default()
        };
        flow.take(packet);
        flow
    }

    fn side(&self, packet: &Packet) -> usize {
        if packet.from_high == self.from_high {
            ORIGINATOR
        } else {
            RESPONDER
        }
    }

    /// Takes a packet in.
    #[inline]
    pub(super) fn take(&mut self, packet: &Packet) {
        let side = self.side(packet);
        if self.packets == [0; 2] {
            self.begin = (packet.position, packet.number);
        }
        self.packets[side] = self.packets[side].saturating_add(1);
        self.bytes[side] = self.bytes[side].saturating_add(packet.bytes);
        if let Some(time) = packet.time {
            self.first = self.first.min(time);
            self.last = self.last.max(time);
        }
        if packet.udp {
            self.is_udp = true;
            self.connection.answered(side);
        }
        if let Some((flags, seq)) = packet.tcp {
            self.is_tcp = true;
            self.flags[side] |= flags;
            self.connection.take(side, flags, seq);
            self.over = self.connection.ending().is_some();
        }
    }

    /// Whether a time is further than `limit` from all that the flow has seen.
    #[inline]
    fn is_far(&self, time: i64, limit: i64) -> bool {
        self.first <= self.last
            && (time > self.last.saturating_add(limit) || time < self.first.saturating_sub(limit))
    }

    /// Why the flow ends before a packet with its key, if it does; `limit` is how long it may be
    /// without one.
    #[inline]
    pub(super) fn ends_before(&self, packet: &Packet, limit: i64) -> Option<Reason> {
        if packet.time.is_some_and(|time| self.is_far(time, limit)) {
            Some(Reason::Idle)
        } else if self.is_another(packet) {
            Some(Reason::Syn)
        } else {
            None
        }
    }

    /// Whether a record that this time still counts to would be longer than `limit`.
    #[inline]
    pub(super) fn is_long(&self, time: i64, limit: i64) -> bool {
        self.first <= self.last && time > self.first.saturating_add(limit)
    }

    /// Whether a packet belongs to another connection.
    #[inline]
    fn is_another(&self, packet: &Packet) -> bool {
        let another = |(flags, seq)| self.connection.is_another(self.side(packet), flags, seq);
        packet.tcp.is_some_and(another)
    }

    /// Why it ended, where it did by itself; else what is given.
    pub(super) fn reason_or(&self, other: Reason) -> Reason {
        self.connection.ending().map_or(other, Reason::from)
    }

    /// The packets that the next record is about.
    pub(super) fn count(&self) -> u64 {
        self.packets[0].saturating_add(self.packets[1])
    }

    /// Begins another record of the same flow.
    pub(super) fn cut(&mut self) {
        let Flow {
            connection,
            from_high,
            is_tcp,
            is_udp,
            over,
            ..
        } = *self;
        *self = Flow {
            connection,
            from_high,
            is_tcp,
            is_udp,
            over,
            ..Flow::default()
        };
    }

    /// The state, one of [`tcp::STATES`].
    pub(super) fn state(&self) -> u64 {
        if self.is_tcp {
            self.connection.state()
        } else if self.is_udp {
            self.connection.state_without_flags()
        } else {
            tcp::OTH
        }
    }

    /// Reads a flow back.
    pub(super) fn load(from: &mut Reader<'_>) -> Result<Flow, Error> {
        let mut next = || from.number();
        let (first, last) = (next()? as i64, next()? as i64);
        let begin = (Position::new(next()? as u32, next()? as u32), next()?);
        let packets = [next()?, next()?];
        let bytes = [next()?, next()?];
        let flags = [next()? as u16, next()? as u16];
        let connection = Connection::from_numbers([next()?, next()?]).ok_or_else(damaged)?;
        let bits = next()?;
        Ok(Flow {
            first,
            last,
            begin,
            packets,
            bytes,
            flags,
            connection,
            from_high: bits & 1 != 0,
            is_tcp: bits & 2 != 0,
            is_udp: bits & 4 != 0,
            over: connection.ending().is_some(),
        })
    }
}

impl State for Flow {
    fn save(&self, out: &mut Writer) {
        let [syn, sides] = self.connection.numbers();
        let bits = [self.from_high, self.is_tcp, self.is_udp, self.over];
        let bits = bits
            .iter()
            .rev()
            .fold(0, |bits, bit| bits << 1 | u64::from(*bit));
        for number in [
            self.first as u64,
            self.last as u64,
            self.begin.0.segment().into(),
            self.begin.0.row().into(),
            self.begin.1,
            self.packets[0],
            self.packets[1],
            self.bytes[0],
            self.bytes[1],
            self.flags[0].into(),
            self.flags[1].into(),
            syn,
            sides,
            bits,
        ] {
            out.number(number);
        }
    }

    fn list(&self) -> usize {
        usize::from(self.over)
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::Key;
    use super::super::table::Table;
    use super::*;

    #[test]
    fn a_flow_takes_little_memory() {
        let mut table: Table<Flow> = Table::new(1);
        for number in 0..200_000u32 {
            // As long as the key of IPv4 addresses, ports and protocol.
            let mut key = [7; 21];
            key[..4].copy_from_slice(&number.to_be_bytes());
            let key = Key::Bytes(&key);
            table.insert((table.hash(key), key), Flow::default(), 0, 0);
        }
        let each = table.memory() / table.len();
        assert!((112..200).contains(&each), "{each} bytes");
    }
}
