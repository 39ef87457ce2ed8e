//! The classic capture format, in all its variants.
//!
//! Source: draft-ietf-opsawg-pcap; the variants as libpcap and Wireshark read them.

mod header;
mod search;

use super::format::{
    Begun, Budget, Claims, FRAME_MAX, FRAME_USUAL_MAX, Format, Kind, Search, Step, Window,
};
use crate::types::packet::{Frame, Frames, Interface};
use header::{BEGIN_LEN, Header, Layout, MAGIC_LEN};
use std::sync::Arc;

pub(super) static KIND: Kind = Kind {
    recognizes: |begin| {
        let magic = begin.first_chunk::<MAGIC_LEN>();
        magic.is_some_and(|magic| header::variant(*magic).is_some())
    },
    begin_len: BEGIN_LEN,
    begin,
};

/// Reads the records of a classic capture.
struct Pcap {
    layout: Layout,
    /// What is plausible of times: the second of the first frame and that of the last one.
    seconds: Option<(i64, i64)>,
    /// Records whose fraction of a second is a second or more.
    late: u64,
    claims: Claims,
    interface: Arc<Interface>,
}

fn begin(begin: &[u8]) -> Result<Begun, &'static str> {
    let (layout, header_len, snaplen, link_type) = header::read(begin)?;
    let interface = Interface {
        link_type,
        snaplen,
        tsresol: if layout.fraction == 1 { 9 } else { 6 },
        section: 1,
        ..Interface::default()
    };
    Ok(Begun {
        format: Box::new(Pcap {
            layout,
            seconds: None,
            late: 0,
            claims: Claims::default(),
            interface: Arc::new(interface),
        }),
        header_len,
    })
}

/// The most bytes of a frame of a link type: other programs stop at records that claim more.
fn frame_max(link_type: u16, snaplen: u32) -> u32 {
    const EBHSCR: u16 = 279;
    const LARGE: [u16; 2] = [231, 249];
    match link_type {
        _ if LARGE.contains(&link_type) => FRAME_MAX,
        EBHSCR => 8 * 1024 * 1024,
        // Some programs write what they keep of a frame, and keep more than is usual.
        _ => snaplen.clamp(FRAME_USUAL_MAX, FRAME_USUAL_MAX * 4),
    }
}

const LENGTH_LIES: &str = "the length of a record is wrong";
const ZEROS: &str = "zeros where a record should be";
const TOO_LONG: &str = "a record claims to be longer than frames are";
/// Seconds between frames of one capture that are less than plausible: about a year.
const NEAR: i64 = 1 << 25;

impl Format for Pcap {
    fn frames(&mut self, window: &mut Window<'_>, frames: &mut Frames, rows_max: usize) -> Step {
        frames.interfaces.push(Arc::clone(&self.interface));
        let start = window.at;
        let step = match (self.layout.big_endian, self.layout.is_plain()) {
            (false, true) => self.records::<false, true>(window, frames, rows_max),
            (true, true) => self.records::<true, true>(window, frames, rows_max),
            (false, false) => self.records::<false, false>(window, frames, rows_max),
            (true, false) => self.records::<true, false>(window, frames, rows_max),
        };
        self.claims.passed(window.at - start);
        if let (Some(first), Some(last)) = (frames.rows.first(), frames.rows.last()) {
            let second = |frame: &Frame| frame.ts.div_euclid(header::NANOS);
            let (first, last) = (second(first), second(last));
            self.seconds = Some((self.seconds.map_or(first, |(first, _)| first), last));
        }
        step
    }

    fn name(&self) -> &'static str {
        self.layout.name()
    }

    fn search(&mut self, window: &mut Window<'_>, budget: &mut Budget) -> Search {
        search::search(&self.layout, self.seconds, window, budget)
    }

    fn faults(&self) -> Vec<(&'static str, u64)> {
        vec![(
            "records whose fraction of a second is a second or more",
            self.late,
        )]
    }
}

impl Pcap {
    /// Frames records. The one loop that every packet of a classic capture goes through.
    fn records<const BIG: bool, const PLAIN: bool>(
        &mut self,
        window: &mut Window<'_>,
        frames: &mut Frames,
        rows_max: usize,
    ) -> Step {
        let bytes = window.bytes;
        let layout = self.layout;
        let link_type = self.interface.link_type;
        let record_len = if PLAIN {
            header::PLAIN_LEN
        } else {
            layout.record_len
        };
        let mut at = window.at;
        let step = loop {
            if frames.rows.len() >= rows_max {
                break Step::Full;
            }
            let Some(header) = bytes.get(at..at + record_len) else {
                break Step::More(record_len);
            };
            let header = layout.header::<BIG, PLAIN>(header);
            let start = at + record_len;
            let next = start + header.caplen as usize;
            // No bytes, more than there were on the wire or than there can be; or a time that is none.
            let odd = header.caplen.wrapping_sub(1) >= header.len.min(layout.caplen_max)
                || header.fraction >= layout.unit;
            if odd || next > bytes.len() {
                window.at = at;
                if let Some(step) = self.odd(header, window, frames) {
                    break step;
                }
            }
            let frame = Frame {
                ts: header.seconds * header::NANOS + header.fraction * layout.fraction,
                start: start as u32,
                caplen: header.caplen,
                len: header.len,
                link_type,
                ..Frame::default()
            };
            frames.push(bytes, frame);
            at = next;
        };
        window.at = at;
        step
    }

    /// What to do with a record that is not plainly one; nothing special where it is good.
    #[cold]
    fn odd(&mut self, header: Header, window: &mut Window<'_>, frames: &Frames) -> Option<Step> {
        let layout = self.layout;
        if header.caplen > layout.caplen_max {
            return Some(Step::Damage(TOO_LONG));
        }
        let len = layout.record_len + header.caplen as usize;
        let late = header.fraction >= layout.unit;
        let is_plain = (1..=header.len).contains(&header.caplen) && !late;
        if !is_plain && !self.claims.may_claim(len) {
            return Some(Step::Damage(LENGTH_LIES));
        }
        if len > window.left() {
            return Some(Step::More(len));
        }
        if is_plain {
            return None;
        }
        // Programs write such records, and so does damage: what follows tells.
        let last = frames.rows.last();
        let last = last.map(|frame| frame.ts.div_euclid(header::NANOS));
        let reference = last.or(self.seconds.map(|(_, last)| last));
        let near = |seconds: i64| reference.is_none_or(|last| (seconds - last).abs() <= NEAR);
        // A stretch of zeros is no run of empty records of 1970.
        let zeros = header.caplen == 0 && header.len == 0 && header.seconds == 0;
        if zeros && !near(0) {
            return Some(Step::Damage(ZEROS));
        }
        let next = window.at + len;
        window.looked += layout.record_len as u64;
        let follows = match window.get(next, layout.record_len) {
            Some(bytes) => layout.any_header(bytes).caplen <= layout.caplen_max,
            None if !window.at_end => return Some(Step::More(len + layout.record_len)),
            None => next == window.bytes.len(),
        };
        if !follows {
            self.claims.lied(len);
            return Some(Step::Damage(LENGTH_LIES));
        }
        self.late += u64::from(late);
        None
    }
}
