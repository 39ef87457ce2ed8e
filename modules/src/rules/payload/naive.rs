//! What payloads have, found by trying everything: slow, and plain to see right.

use super::{Content, Step};

/// Whether there is any choice of occurrences with which all parts hold, in their order.
pub(super) fn holds(steps: &[Step], payload: &[u8]) -> bool {
    steps.is_empty() || !payload.is_empty() && holds_from(steps, payload, 0)
}

fn holds_from(steps: &[Step], payload: &[u8], from: usize) -> bool {
    let Some((step, behind)) = steps.split_first() else {
        return true;
    };
    let any = |ends: Vec<usize>| ends.into_iter().any(|end| holds_from(behind, payload, end));
    match step {
        Step::Content(content) => {
            let ends = ends_of(content, payload, from);
            match content.negated {
                true => ends.is_empty() && holds_from(behind, payload, from),
                false => any(ends),
            }
        }
        Step::Pcre(pcre) => {
            let start = if pcre.relative { from } else { 0 };
            let end = |skip| pcre.find(payload, from, skip).map(|(_, end)| end);
            let ends: Vec<usize> = (0..=payload.len() - start).filter_map(end).collect();
            match pcre.negated {
                true => ends.is_empty() && holds_from(behind, payload, from),
                false => any(ends),
            }
        }
        Step::IsDataAt {
            count,
            relative,
            negated,
        } => {
            let len = payload.len();
            let follows = match relative {
                true => (from + *count as usize) <= len,
                false => (*count as usize) < len,
            };
            follows != *negated && holds_from(behind, payload, from)
        }
        Step::ByteTest(test) => test.holds(payload, from) && holds_from(behind, payload, from),
        Step::ByteJump(jump) => any(jump.target(payload, from).into_iter().collect()),
    }
}

fn ends_of(content: &Content, payload: &[u8], from: usize) -> Vec<usize> {
    let len = content.bytes.len();
    let is_there = |begin: &usize| {
        let Some(there) = payload.get(*begin..*begin + len) else {
            return false;
        };
        let equal = match content.any_case {
            true => there.eq_ignore_ascii_case(&content.bytes),
            false => *there == *content.bytes,
        };
        let end = *begin + len;
        let (begin, distance) = (*begin as i64, i64::from(content.distance.unwrap_or(0)));
        let base = from as i64 + distance;
        equal
            && begin >= content.offset as i64
            && content.depth.is_none_or(|depth| end <= depth)
            && (!content.is_relative() || begin >= base)
            && content
                .within
                .is_none_or(|within| end as i64 <= base + i64::from(within))
            && (!content.at_end || end == payload.len())
    };
    let begins = (0..=payload.len()).filter(is_there);
    begins.map(|begin| begin + len).collect()
}
