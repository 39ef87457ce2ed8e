//! snoop, the captures of Solaris.
//!
//! Source: RFC 1761; the link types that Solaris added as its headers have them.

use super::format::{Begun, Budget, FRAME_USUAL_MAX, Format, Kind, Search, Step, Window};
use crate::types::packet::{Frame, Frames, Interface};
use std::sync::Arc;

pub(super) static KIND: Kind = Kind {
    recognizes: |begin| begin.starts_with(MAGIC),
    begin_len: HEADER_LEN,
    begin,
};

const MAGIC: &[u8] = b"snoop\0\0\0";
const HEADER_LEN: usize = 16;
const RECORD_LEN: usize = 24;
/// The most bytes of a record: a frame, with padding.
const RECORD_MAX: u32 = FRAME_USUAL_MAX + 4096;
const NANOS: i64 = 1_000_000_000;
/// Seconds between frames of one capture that are less than plausible: about a year.
const NEAR: i64 = 1 << 25;
/// LINKTYPE numbers in the place of which stands nothing that is known.
const UNKNOWN: u16 = u16::MAX;

/// Reads the records of a snoop file.
struct Snoop {
    interface: Arc<Interface>,
    /// The second of the last frame.
    last: Option<i64>,
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn begin(begin: &[u8]) -> Result<Begun, &'static str> {
    if begin.len() < HEADER_LEN {
        return Err("it ends within the file header");
    }
    if !(2..=4).contains(&number(begin, 8)) {
        return Err("it is of a version of snoop that is not known");
    }
    let interface = Interface {
        link_type: link_type(number(begin, 12)),
        tsresol: 6,
        section: 1,
        ..Interface::default()
    };
    Ok(Begun {
        format: Box::new(Snoop {
            interface: Arc::new(interface),
            last: None,
        }),
        header_len: HEADER_LEN,
    })
}

/// The LINKTYPE number of a media type.
fn link_type(media: u32) -> u16 {
    match media {
        // IEEE 802.3 and Ethernet.
        0 | 4 => 1,
        // Token Ring.
        2 => 6,
        // FDDI.
        8 => 10,
        // IP over ATM.
        18 => 123,
        // IPNET.
        27 => 226,
        // InfiniBand.
        28 => 247,
        _ => UNKNOWN,
    }
}

/// The header of a record.
struct Header {
    len: u32,
    caplen: u32,
    /// The bytes of header, frame and padding.
    whole: u32,
    seconds: i64,
    micros: i64,
}

impl Header {
    fn read(bytes: &[u8]) -> Header {
        Header {
            len: number(bytes, 0),
            caplen: number(bytes, 4),
            whole: number(bytes, 8),
            seconds: number(bytes, 16).into(),
            micros: number(bytes, 20).into(),
        }
    }

    /// Whether the lengths can be those of a record.
    fn fits(&self) -> bool {
        let least = u64::from(self.caplen) + RECORD_LEN as u64;
        self.caplen <= FRAME_USUAL_MAX && self.whole <= RECORD_MAX && u64::from(self.whole) >= least
    }

    /// Whether this may be the header of a record that damage did not touch.
    fn is_likely(&self) -> bool {
        self.fits() && (1..=self.len).contains(&self.caplen) && self.micros < 1_000_000
    }
}

impl Format for Snoop {
    fn frames(&mut self, window: &mut Window<'_>, frames: &mut Frames, rows_max: usize) -> Step {
        frames.interfaces.push(Arc::clone(&self.interface));
        let bytes = window.bytes;
        let step = loop {
            if frames.rows.len() >= rows_max {
                break Step::Full;
            }
            let Some(header) = window.get(window.at, RECORD_LEN) else {
                break Step::More(RECORD_LEN);
            };
            let header = Header::read(header);
            if !header.fits() {
                break Step::Damage("the length of a record is wrong");
            }
            if header.whole as usize > window.left() {
                break Step::More(header.whole as usize);
            }
            let frame = Frame {
                ts: header.seconds * NANOS + header.micros * 1000,
                start: (window.at + RECORD_LEN) as u32,
                caplen: header.caplen,
                len: header.len,
                link_type: self.interface.link_type,
                ..Frame::default()
            };
            frames.push(bytes, frame);
            window.at += header.whole as usize;
        };
        if let Some(last) = frames.rows.last() {
            self.last = Some(last.ts / NANOS);
        }
        step
    }

    fn search(&mut self, window: &mut Window<'_>, budget: &mut Budget) -> Search {
        let mut at = window.at;
        let near = |second: i64, other: i64| (second - other).abs() <= NEAR;
        while let Some(bytes) = window.get(at, RECORD_LEN) {
            budget.place();
            let possible = (1..=FRAME_USUAL_MAX).contains(&number(bytes, 0));
            if possible && budget.may_look(RECORD_LEN) {
                let header = Header::read(bytes);
                let timely = self.last.is_none_or(|last| near(header.seconds, last));
                if timely && header.is_likely() {
                    let next = at + header.whole as usize;
                    match window.get(next, RECORD_LEN) {
                        Some(next) if budget.may_look(RECORD_LEN) => {
                            let next = Header::read(next);
                            if next.is_likely() && near(next.seconds, header.seconds) {
                                return Search::Found(at);
                            }
                        }
                        None if !window.at_end => {
                            let need = header.whole as usize + RECORD_LEN;
                            return Search::Open { at, need };
                        }
                        None if next == window.bytes.len() => return Search::Found(at),
                        _ => {}
                    }
                }
            }
            at += 1;
        }
        Search::Open {
            at,
            need: RECORD_LEN,
        }
    }
}
