//! pcapng: sections, interfaces, and packets of three kinds.
//!
//! Source: draft-ietf-opsawg-pcapng. Enhanced Packet Blocks, which nearly all packets come in, have a
//! loop of their own; whatever else stands in a file is looked at block by block.

mod block;
mod interface;
mod search;
mod time;

use super::format::{Begun, Budget, Claims, Format, Kind, Search, Step, Window, number};
use crate::types::packet::{Beside, Frame, Frames, NO_TIME};
use block::{BLOCK_MAX, Head};
use interface::{Interfaces, Kind as Of};

pub(crate) use block::{any_number, any_short, order, types};
pub(crate) use time::Units;

pub(super) static KIND: Kind = Kind {
    recognizes: |begin| begin.starts_with(&types::SECTION.to_be_bytes()),
    begin_len: 12,
    begin: |begin| {
        let bytes = begin.get(8..12).ok_or("it ends within the file header")?;
        // The section itself is read like any other.
        let big_endian = order(bytes).ok_or("its section header has no order of bytes")?;
        Ok(Begun {
            format: Box::new(Pcapng {
                big_endian,
                interfaces: Interfaces::default(),
                section: 0,
                faults: Faults::default(),
                claims: Claims::default(),
                beside: Beside::default(),
            }),
            header_len: 0,
        })
    },
};

/// Reads the blocks of a file.
struct Pcapng {
    big_endian: bool,
    /// Those of the section.
    interfaces: Interfaces,
    /// The number of the section, from 1.
    section: u32,
    faults: Faults,
    claims: Claims,
    /// What stood before the frames, where it is to be kept.
    beside: Beside,
}

/// The interface of a frame, for the next one.
struct Last {
    /// Wider than a block's, so that there is one that none has.
    id: u64,
    units: Units,
    link_type: u16,
    place: u16,
}

impl Last {
    const NONE: Last = Last {
        id: u64::MAX,
        units: Units::MICROSECONDS,
        link_type: 0,
        place: 0,
    };
}

/// What was wrong with blocks that were read all the same.
#[derive(Default)]
struct Faults {
    lengths_differ: u64,
    not_padded: u64,
    times: u64,
    versions: u64,
}

/// What stands before the bytes of a packet, and behind.
const ENHANCED_HEAD: usize = 28;
const SIMPLE_HEAD: usize = 12;
const BLOCK_TAIL: usize = 4;
/// The least block.
const BLOCK_MIN: u32 = 12;

/// So many bytes that are kept go on before there is another frame.
const BESIDE_MAX: usize = 1 << 20;

const TOO_SHORT: &str = "a block is too short for what it is";
const LENGTH_LIES: &str = "the length of a block is wrong";
const LENGTHS_DIFFER: &str = "a block's two lengths differ";
const NO_INTERFACE: &str = "a packet's interface is not described";
const BEYOND_BLOCK: &str = "a packet is longer than its block";
const NO_ORDER: &str = "a section header has no order of bytes";
const UNKNOWN: &str = "blocks of types that are not known";
const TOO_MANY: &str = "a section describes more interfaces than can be kept";

impl Format for Pcapng {
    fn frames(&mut self, window: &mut Window<'_>, frames: &mut Frames, rows_max: usize) -> Step {
        loop {
            let start = window.at;
            let step = match self.big_endian {
                true => self.enhanced::<true>(window, frames, rows_max),
                false => self.enhanced::<false>(window, frames, rows_max),
            };
            self.claims.passed(window.at - start);
            if let Some(step) = step {
                break step;
            }
            // What stands here is no plain Enhanced Packet Block.
            if let Err(step) = self.block(window, frames) {
                break step;
            }
        }
    }

    fn name(&self) -> &'static str {
        "pcapng"
    }

    fn search(&mut self, window: &mut Window<'_>, budget: &mut Budget) -> Search {
        search::search(self.big_endian, window, budget)
    }

    fn beside(&mut self) -> Option<Beside> {
        let is_some = !self.beside.bytes.is_empty();
        is_some.then(|| std::mem::take(&mut self.beside))
    }

    fn faults(&self) -> Vec<(&'static str, u64)> {
        let faults = &self.faults;
        vec![
            ("blocks whose two lengths differ", faults.lengths_differ),
            ("blocks whose length is no multiple of 4", faults.not_padded),
            (
                "packets with times that are too far from 1970",
                faults.times,
            ),
            ("sections of a version that is not known", faults.versions),
        ]
    }
}

impl Pcapng {
    /// Frames Enhanced Packet Blocks while there is nothing special about them. The one loop that
    /// nearly every packet goes through; none where something else comes.
    #[inline(always)]
    fn enhanced<const BIG: bool>(
        &mut self,
        window: &mut Window<'_>,
        frames: &mut Frames,
        rows_max: usize,
    ) -> Option<Step> {
        let bytes = window.bytes;
        let mut at = window.at;
        // The interface of the frame before: mostly it is that of the next one too.
        let mut last = Last::NONE;
        let step = loop {
            if frames.rows.len() >= rows_max {
                break Some(Step::Full);
            }
            let Some(head) = bytes.get(at..at + ENHANCED_HEAD) else {
                break None;
            };
            let length = number::<BIG>(head, 4) as usize;
            let caplen = number::<BIG>(head, 20);
            let enhanced = number::<BIG>(head, 0) == types::ENHANCED;
            let room = length.checked_sub(ENHANCED_HEAD + BLOCK_TAIL);
            if !enhanced
                || !length.is_multiple_of(4)
                || room.is_none_or(|room| caplen as usize > room)
            {
                break None;
            }
            let Some(tail) = bytes.get(at + length - BLOCK_TAIL..at + length) else {
                break None;
            };
            if number::<BIG>(tail, 0) as usize != length {
                break None;
            }
            let id = number::<BIG>(head, 8);
            if u64::from(id) != last.id {
                let Some(known) = self.interfaces.get(id) else {
                    break None;
                };
                last = Last {
                    id: id.into(),
                    units: known.units,
                    link_type: known.link_type,
                    place: known.place(frames, Of::Enhanced),
                };
            }
            let ticks =
                u64::from(number::<BIG>(head, 12)) << 32 | u64::from(number::<BIG>(head, 16));
            let Some(ts) = last.units.time(ticks) else {
                break None;
            };
            let frame = Frame {
                ts,
                start: (at + ENHANCED_HEAD) as u32,
                caplen,
                len: number::<BIG>(head, 24),
                link_type: last.link_type,
                interface: last.place,
                ..Frame::default()
            };
            frames.push(bytes, frame);
            at += length;
        };
        window.at = at;
        step
    }

    /// Reads the block at the current place; the step to take where that cannot be.
    fn block(&mut self, window: &mut Window<'_>, frames: &mut Frames) -> Result<(), Step> {
        let Some(bytes) = window.get(window.at, BLOCK_MIN as usize) else {
            return Err(Step::More(BLOCK_MIN as usize));
        };
        let mut big_endian = self.big_endian;
        let is_section = bytes.starts_with(&types::SECTION.to_be_bytes());
        if is_section {
            big_endian = order(&bytes[8..]).ok_or(Step::Damage(NO_ORDER))?;
        }
        let head = Head::read(bytes, big_endian);
        if head.length < BLOCK_MIN || head.length > BLOCK_MAX {
            return Err(Step::Damage(LENGTH_LIES));
        }
        let is_kept = frames.blocks && !types::OF_PACKETS.contains(&head.kind);
        if is_kept && !self.may_keep(is_section, frames) {
            return Err(Step::Full);
        }
        let length = self.whole(window, head, big_endian)?;
        let block = window.get(window.at, length).unwrap_or(&[]);
        if is_section {
            self.big_endian = big_endian;
        }
        let content = self.content(head.kind, block, window, frames);
        let is_sound = !matches!(content, Err(Step::Pass { damage: true, .. }));
        if is_kept && is_sound {
            self.keep(head.kind, block);
        }
        content?;
        self.claims.passed(length);
        window.at += length;
        Ok(())
    }

    /// Whether a block may be kept before the next frames: not behind some, and a section stands
    /// first of what is kept, which is not much.
    fn may_keep(&self, is_section: bool, frames: &Frames) -> bool {
        let kept = self.beside.bytes.len();
        frames.rows.is_empty() && !(is_section && kept > 0) && kept < BESIDE_MAX
    }

    /// Keeps a block, with the lengths that it has.
    fn keep(&mut self, kind: u32, block: &[u8]) {
        let big_endian = self.big_endian;
        let four = |number: u32| match big_endian {
            true => number.to_be_bytes(),
            false => number.to_le_bytes(),
        };
        let body = &block[8..block.len() - BLOCK_TAIL];
        let padding = body.len().wrapping_neg() % 4;
        let length = four((BLOCK_MIN as usize + body.len() + padding) as u32);
        if self.beside.bytes.is_empty() {
            self.beside.big_endian = big_endian;
        }
        let kept = &mut self.beside.bytes;
        kept.extend(four(kind));
        kept.extend(length);
        kept.extend_from_slice(body);
        kept.resize(kept.len() + padding, 0);
        kept.extend(length);
    }

    /// The length of the block at the current place, all of which is there.
    fn whole(
        &mut self,
        window: &mut Window<'_>,
        head: Head,
        big_endian: bool,
    ) -> Result<usize, Step> {
        let length = head.length as usize;
        if !self.claims.may_claim(length) {
            return Err(Step::Damage(LENGTH_LIES));
        }
        let padded = length.next_multiple_of(4);
        let (at, bytes) = (window.at, window.bytes);
        let tail_at = |end: usize| {
            let tail = bytes.get(at + end - BLOCK_TAIL..at + end)?;
            Some(any_number(tail, 0, big_endian) as usize)
        };
        let tail = tail_at(length).ok_or(Step::More(length))?;
        if padded == length && tail == length {
            return Ok(length);
        }
        // Programs forget the padding, or count it in one of the two places only. What follows tells
        // whether that is all.
        let mut fits = None;
        for end in [length, padded] {
            window.looked += 8;
            match window.get(window.at + end, 8) {
                Some(next) if block::is_likely(next, big_endian) => fits = fits.or(Some(end)),
                Some(_) => {}
                None if !window.at_end => return Err(Step::More(end + 8)),
                None if window.at + end == window.bytes.len() => fits = fits.or(Some(end)),
                None => {}
            }
        }
        let Some(end) = fits else {
            self.claims.lied(length);
            return Err(Step::Damage(LENGTHS_DIFFER));
        };
        match tail_at(end) {
            Some(tail) if tail == length || tail == end => self.faults.not_padded += 1,
            _ => self.faults.lengths_differ += 1,
        }
        Ok(end)
    }

    /// Takes in a block.
    fn content(
        &mut self,
        kind: u32,
        block: &[u8],
        window: &Window<'_>,
        frames: &mut Frames,
    ) -> Result<(), Step> {
        let pass = |reason| Step::Pass {
            len: block.len() as u64,
            reason,
            damage: true,
        };
        let big_endian = self.big_endian;
        let number = |at: usize| any_number(block, at, big_endian);
        let room = block.len() - BLOCK_TAIL;
        match kind {
            types::SECTION => {
                if room < 24 {
                    return Err(pass(TOO_SHORT));
                }
                let major = any_short(block, 12, big_endian);
                self.faults.versions += u64::from(major != 1);
                self.section += 1;
                self.interfaces.begin_section();
            }
            types::INTERFACE => {
                if room < 16 {
                    return Err(pass(TOO_SHORT));
                }
                let added = self.interfaces.add(block, big_endian, self.section);
                added.map_err(|_| pass(TOO_MANY))?;
            }
            types::ENHANCED | types::OLD => {
                if room < ENHANCED_HEAD {
                    return Err(pass(TOO_SHORT));
                }
                let (interface, record) = match kind {
                    types::OLD => {
                        let id = any_short(block, 8, big_endian);
                        (id.into(), Of::Old)
                    }
                    _ => (number(8), Of::Enhanced),
                };
                let caplen = number(20);
                let Some(known) = self.interfaces.get(interface) else {
                    return Err(pass(NO_INTERFACE));
                };
                if caplen as usize > room - ENHANCED_HEAD {
                    return Err(pass(BEYOND_BLOCK));
                }
                let ticks = u64::from(number(12)) << 32 | u64::from(number(16));
                let ts = known.units.time(ticks);
                self.faults.times += u64::from(ts.is_none());
                let frame = Frame {
                    ts: ts.unwrap_or(NO_TIME),
                    start: (window.at + ENHANCED_HEAD) as u32,
                    caplen,
                    len: number(24),
                    link_type: known.link_type,
                    interface: known.place(frames, record),
                    ..Frame::default()
                };
                frames.push(window.bytes, frame);
            }
            types::SIMPLE => {
                if room < SIMPLE_HEAD {
                    return Err(pass(TOO_SHORT));
                }
                let Some(known) = self.interfaces.get(0) else {
                    return Err(pass(NO_INTERFACE));
                };
                let len = number(8);
                let kept = match known.snaplen {
                    0 => len,
                    snaplen => len.min(snaplen),
                };
                let frame = Frame {
                    ts: NO_TIME,
                    start: (window.at + SIMPLE_HEAD) as u32,
                    caplen: kept.min((room - SIMPLE_HEAD) as u32),
                    len,
                    link_type: known.link_type,
                    interface: known.place(frames, Of::Simple),
                    ..Frame::default()
                };
                frames.push(window.bytes, frame);
            }
            kind if types::KEPT.contains(&kind) => {}
            _ => {
                return Err(Step::Pass {
                    len: block.len() as u64,
                    reason: UNKNOWN,
                    damage: false,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest number of an interface is one that is not described either.
    #[test]
    fn packets_of_no_interface_are_damage() {
        let section = b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0";
        let interface = b"\x01\0\0\0\x14\0\0\0\x01\0\0\0\0\0\0\0\x14\0\0\0";
        for number in [1, u32::MAX] {
            let mut bytes = [&section[..], interface].concat();
            for field in [6, 36, number, 0, 0, 4, 4, 0, 36] {
                bytes.extend(u32::to_le_bytes(field));
            }
            let Ok(begun) = (KIND.begin)(&bytes) else {
                panic!("a section begins");
            };
            let mut window = Window {
                bytes: &bytes,
                at: 0,
                at_end: true,
                looked: 0,
            };
            let (mut format, mut frames) = (begun.format, Frames::default());
            let step = format.frames(&mut window, &mut frames, 10);
            let reason = match step {
                Step::Pass { reason, .. } => reason,
                _ => "it is read",
            };
            assert_eq!((reason, frames.rows.len()), (NO_INTERFACE, 0));
        }
    }
}
