//! What a TCP connection is in: told by the flags of its packets, in the words of Zeek's conn.log.
//!
//! The words mean what Zeek documents of `conn_state`
//! (<https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html>). Flags are all
//! that is looked at, and of sequence numbers only that of the originator's SYN, which tells a
//! connection that uses the ports of an older one from a SYN that was sent again.

use wireq_typesys::Names;

const FIN: u16 = 1;
const SYN: u16 = 2;
const RST: u16 = 4;
const PSH: u16 = 8;
const ACK: u16 = 16;
const CONTROL: u16 = FIN | SYN | RST;

/// Who opened the connection.
pub(super) const ORIGINATOR: usize = 0;
/// Who was asked.
pub(super) const RESPONDER: usize = 1;

/// States of flows, as Zeek calls them.
pub(super) static STATES: Names = Names {
    name: "connection-state",
    entries: &[
        (OTH, "OTH"),
        (S0, "S0"),
        (S1, "S1"),
        (SF, "SF"),
        (S2, "S2"),
        (S3, "S3"),
        (SH, "SH"),
        (SHR, "SHR"),
        (REJ, "REJ"),
        (RSTO, "RSTO"),
        (RSTR, "RSTR"),
        (RSTOS0, "RSTOS0"),
        (RSTRH, "RSTRH"),
    ],
};

/// No SYN was seen: traffic that began before, or no connection at all.
pub(super) const OTH: u64 = 0;
/// Attempted, no reply.
const S0: u64 = 1;
/// Established, not ended.
const S1: u64 = 2;
/// Established and ended by both sides; for UDP, traffic both ways.
const SF: u64 = 3;
/// Established, the originator alone has ended it.
const S2: u64 = 4;
/// Established, the responder alone has ended it.
const S3: u64 = 5;
/// SYN and FIN of the originator, no SYN-ACK.
const SH: u64 = 6;
/// SYN-ACK and FIN of the responder, no SYN.
const SHR: u64 = 7;
/// The attempt was rejected.
const REJ: u64 = 8;
/// Established, the originator aborted it.
const RSTO: u64 = 9;
/// The responder aborted it.
const RSTR: u64 = 10;
/// SYN and RST of the originator, no SYN-ACK.
const RSTOS0: u64 = 11;
/// SYN-ACK and RST of the responder, no SYN.
const RSTRH: u64 = 12;

/// How a side of a connection stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
enum Side {
    /// Nothing was seen of it.
    #[default]
    Silent,
    /// It sent a SYN.
    Asked,
    /// It sent a SYN, and other packets before any answer.
    AskedMore,
    /// It sent something, but no SYN.
    Midway,
    /// It took part in a handshake.
    Established,
    /// It sent a FIN.
    Finished,
    /// It sent a RST.
    Aborted,
    /// It sent a RST as the next packet after its SYN.
    AbortedAsked,
    /// It sent a RST after a FIN.
    AbortedFinished,
}

const SIDES: [Side; 9] = [
    Side::Silent,
    Side::Asked,
    Side::AskedMore,
    Side::Midway,
    Side::Established,
    Side::Finished,
    Side::Aborted,
    Side::AbortedAsked,
    Side::AbortedFinished,
];

impl Side {
    fn asked(self) -> bool {
        matches!(self, Side::Asked | Side::AskedMore)
    }

    fn aborted(self) -> bool {
        matches!(
            self,
            Side::Aborted | Side::AbortedAsked | Side::AbortedFinished
        )
    }

    /// Whether it took no part in a handshake, nor ended anything.
    fn outside(self) -> bool {
        matches!(self, Side::Silent | Side::Midway)
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// By FIN of both sides.
    Finished,
    /// By RST of one.
    Aborted,
}

/// A connection, as its flags tell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Connection {
    /// The sequence number of the originator's SYN, where one was seen.
    syn: u32,
    has_syn: bool,
    has_answer: bool,
    sides: [Side; 2],
}

/// Whether who sent a packet with these flags was asked, where it is the first of its connection.
pub(super) fn is_answer(flags: u16) -> bool {
    flags & (SYN | ACK) == SYN | ACK
}

impl Connection {
    /// Whether a packet belongs to another connection than this one: a SYN (without ACK) that is
    /// neither one sent again nor late nor that of two sides that open at once.
    pub(super) fn is_another(&self, from: usize, flags: u16, seq: u32) -> bool {
        if flags & (CONTROL | ACK) != SYN {
            return false;
        }
        let [originator, responder] = self.sides;
        if from == RESPONDER {
            return !(originator.asked() && responder == Side::Silent);
        }
        if self.has_syn {
            seq != self.syn
        } else {
            !self.has_answer
        }
    }

    /// Takes a packet of one of the sides in.
    pub(super) fn take(&mut self, from: usize, flags: u16, seq: u32) {
        let to = 1 - from;
        if flags & SYN != 0 && from == ORIGINATOR && !self.has_syn {
            (self.syn, self.has_syn) = (seq, true);
        }
        self.has_answer |= flags & SYN != 0 && from == RESPONDER;
        let side = self.sides[from];
        self.sides[from] = match side {
            Side::Silent => self.first(from, flags),
            Side::Asked if flags & RST != 0 => Side::AbortedAsked,
            Side::Asked if flags & CONTROL == 0 => Side::AskedMore,
            // A RST behind the FIN of both sides ends nothing any more.
            Side::Finished if flags & RST != 0 && self.sides[to] != Side::Finished => {
                Side::AbortedFinished
            }
            Side::Finished => side,
            _ if side.aborted() => side,
            _ if flags & RST != 0 => Side::Aborted,
            _ if flags & FIN != 0 => Side::Finished,
            _ => side,
        };
        // Where the other side had sent a FIN before its RST, both have finished now.
        if self.sides[from] == Side::Finished && self.sides[to] == Side::AbortedFinished {
            self.sides[to] = Side::Finished;
        }
    }

    /// What the first packet of a side makes of it.
    fn first(&mut self, from: usize, flags: u16) -> Side {
        let to = 1 - from;
        let peer = self.sides[to];
        if flags & RST != 0 {
            Side::Aborted
        } else if flags & FIN != 0 {
            Side::Finished
        } else if flags & SYN != 0 && from == RESPONDER {
            if peer.asked() {
                self.sides[to] = Side::Established;
            }
            Side::Established
        } else if flags & SYN != 0 && peer == Side::Silent {
            Side::Asked
        } else if flags & (SYN | ACK) != 0 && peer == Side::Established {
            // The SYN was missed or is late: there was one, or there were no SYN-ACK.
            Side::Established
        } else if from == RESPONDER && peer.asked() && flags & (ACK | PSH) == ACK {
            // Some acknowledge a SYN before they send their own.
            Side::Silent
        } else {
            Side::Midway
        }
    }

    /// The state in Zeek's words: one of [`STATES`].
    pub(super) fn state(&self) -> u64 {
        let [originator, responder] = self.sides;
        if responder.aborted() {
            let refused = originator.aborted() && self.has_syn && !self.has_answer;
            return match originator {
                side if side.asked() || refused => REJ,
                side if side.outside() => RSTRH,
                _ => RSTR,
            };
        }
        if originator.aborted() {
            return match (responder.outside(), originator) {
                (false, _) => RSTO,
                (true, Side::AbortedAsked) => RSTOS0,
                (true, _) => OTH,
            };
        }
        match (originator, responder) {
            (Side::Finished, Side::Finished) => SF,
            (Side::Finished, other) => if_else(other.outside(), SH, S2),
            (other, Side::Finished) => if_else(other.outside(), SHR, S3),
            (Side::Established, Side::Established) => S1,
            (side, Side::Silent) if side.asked() => S0,
            _ => OTH,
        }
    }

    /// Takes a packet without flags in.
    pub(super) fn answered(&mut self, from: usize) {
        self.has_answer |= from == RESPONDER;
    }

    /// The state where there are no flags: only whether there was an answer.
    pub(super) fn state_without_flags(&self) -> u64 {
        if self.has_answer { SF } else { S0 }
    }

    /// How it ended, where it did.
    #[inline]
    pub(super) fn ending(&self) -> Option<Ending> {
        let [originator, responder] = self.sides;
        if originator.aborted() || responder.aborted() {
            Some(Ending::Aborted)
        } else if originator == Side::Finished && responder == Side::Finished {
            Some(Ending::Finished)
        } else {
            None
        }
    }

    /// As numbers, for snapshots.
    pub(super) fn numbers(&self) -> [u64; 2] {
        let [originator, responder] = self.sides;
        let sides = originator as u64 | (responder as u64) << 8;
        let known = u64::from(self.has_syn) << 16 | u64::from(self.has_answer) << 17;
        [self.syn.into(), sides | known]
    }

    /// From such numbers; none where they are none of a connection.
    pub(super) fn from_numbers([syn, rest]: [u64; 2]) -> Option<Connection> {
        let side = |at: u32| SIDES.get(usize::from((rest >> (8 * at)) as u8)).copied();
        Some(Connection {
            syn: u32::try_from(syn).ok()?,
            has_syn: rest >> 16 & 1 == 1,
            has_answer: rest >> 17 & 1 == 1,
            sides: [side(0)?, side(1)?],
        })
    }
}

fn if_else(condition: bool, yes: u64, no: u64) -> u64 {
    if condition { yes } else { no }
}

#[cfg(test)]
mod tests;
