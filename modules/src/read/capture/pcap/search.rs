//! Where the next record of a damaged classic capture begins.
//!
//! A header of a record has no mark, so one is taken for it where its numbers make sense, its time is
//! near those before, and another one or the end of the file stands where it says.

use super::NEAR;
use super::header::{Header, Layout};
use crate::read::capture::format::{Budget, FRAME_USUAL_MAX, Search, Window};

/// Records that have to follow each other where times before say nothing.
const CHAIN: usize = 3;

/// What a place turns out to be.
enum Verdict {
    Record,
    Other,
    /// So many bytes from there on are needed to say.
    Open(usize),
}

/// Looks for a record from the current place on.
pub(super) fn search(
    layout: &Layout,
    seconds: Option<(i64, i64)>,
    window: &mut Window<'_>,
    budget: &mut Budget,
) -> Search {
    let mut at = window.at;
    while let Some(header) = window.get(at, layout.record_len) {
        budget.place();
        let header = layout.any_header(header);
        // The wire length alone rules out nearly all; it moves by a byte from place to place.
        let possible = header.len > 0 && header.len <= layout.caplen_max;
        if possible && budget.may_look(layout.record_len) && layout.is_likely(header) {
            match follow(layout, seconds, window, budget, at, header) {
                Verdict::Record => return Search::Found(at),
                Verdict::Open(need) => return Search::Open { at, need },
                Verdict::Other => {}
            }
        }
        at += 1;
    }
    let need = layout.record_len;
    Search::Open { at, need }
}

/// Whether records follow each other from a likely header on.
fn follow(
    layout: &Layout,
    seconds: Option<(i64, i64)>,
    window: &Window<'_>,
    budget: &mut Budget,
    begin: usize,
    mut header: Header,
) -> Verdict {
    let near = |second: i64| (second - header.seconds).abs() <= NEAR;
    let known = seconds.is_some_and(|(first, last)| near(first) || near(last));
    let mut at = begin;
    for link in 0.. {
        if link >= if known { 1 } else { CHAIN } {
            break;
        }
        // So much is read for each place that may begin a record, so it is not more than usual.
        if header.caplen > FRAME_USUAL_MAX {
            return Verdict::Other;
        }
        at += layout.record_len + header.caplen as usize;
        let Some(next) = window.get(at, layout.record_len) else {
            if !window.at_end {
                return Verdict::Open(at + layout.record_len - begin);
            }
            // The last record: it ends where the file does.
            return match at == window.bytes.len() && (known || link > 0) {
                true => Verdict::Record,
                false => Verdict::Other,
            };
        };
        if !budget.may_look(layout.record_len) {
            return Verdict::Other;
        }
        let next = layout.any_header(next);
        if !layout.is_likely(next) || (next.seconds - header.seconds).abs() > NEAR {
            return Verdict::Other;
        }
        header = next;
    }
    Verdict::Record
}
