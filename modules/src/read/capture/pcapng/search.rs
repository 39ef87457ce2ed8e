//! Where the next block of a damaged file begins.
//!
//! Blocks have their length at both ends: one is taken for a block where its type is known and both
//! are the same. It may stand at any place, since bytes may have been lost.

use super::block::{BLOCK_MAX, Head, any_number, order, types};
use crate::read::capture::format::{Budget, FRAME_USUAL_MAX, Search, Window};

/// The most bytes of a block that is found in a search: so many more are read for each.
const FOUND_MAX: u32 = FRAME_USUAL_MAX;
/// What is looked at of a block: its head, and the order of bytes of a section.
const HEAD_LEN: usize = 12;

/// Looks for a block from the current place on.
pub(super) fn search(big_endian: bool, window: &mut Window<'_>, budget: &mut Budget) -> Search {
    let mut at = window.at;
    while let Some(head) = window.get(at, HEAD_LEN) {
        budget.place();
        // The type alone rules out nearly all; it moves by a byte from place to place.
        if may_begin(head, big_endian) && budget.may_look(HEAD_LEN) {
            let section = head.starts_with(&types::SECTION.to_be_bytes());
            let big_endian = match section {
                true => order(&head[8..]),
                false => Some(big_endian),
            };
            let length = big_endian.and_then(|big_endian| {
                let head = Head::read(head, big_endian);
                let fits = head.is_likely() && head.length % 4 == 0 && head.length <= FOUND_MAX;
                fits.then_some((head.length, big_endian))
            });
            if let Some((length, big_endian)) = length {
                let len = length as usize;
                match window.get(at + len - 4, 4) {
                    Some(tail) if budget.may_look(4) => {
                        if any_number(tail, 0, big_endian) == length {
                            return Search::Found(at);
                        }
                    }
                    None if !window.at_end => return Search::Open { at, need: len },
                    _ => {}
                }
            }
        }
        at += 1;
    }
    Search::Open { at, need: HEAD_LEN }
}

/// Whether a block of a type that is known may begin so.
#[inline(always)]
fn may_begin(head: &[u8], big_endian: bool) -> bool {
    let kind = any_number(head, 0, big_endian);
    (1..=types::SECRETS).contains(&kind)
        || matches!(
            kind,
            types::CUSTOM | types::CUSTOM_NOT_COPIED | types::SECTION
        )
}

const _: () = assert!(FOUND_MAX < BLOCK_MAX);
