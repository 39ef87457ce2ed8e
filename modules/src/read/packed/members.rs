//! gzip and bzip2: members one after another.
//!
//! What stands before damage is given whole, however it is asked for: what a decoder makes before it meets
//! that is not lost with its error.

use super::walk::Peeked;
use flate2::FlushDecompress;
use std::io::{self, BufRead, Read};

/// What unpacks members.
pub(super) trait Member {
    fn new() -> Self;

    /// Goes on: how much was used and made in all of the member, and whether that is its end.
    fn step(&mut self, input: &[u8], room: &mut [u8]) -> (u64, u64, Step);
}

pub(super) enum Step {
    On,
    End,
    Damage,
}

pub(super) struct Gzip(flate2::Decompress);

impl Member for Gzip {
    fn new() -> Gzip {
        const WINDOW_BITS: u8 = 15;
        Gzip(flate2::Decompress::new_gzip(WINDOW_BITS))
    }

    fn step(&mut self, input: &[u8], room: &mut [u8]) -> (u64, u64, Step) {
        let step = match self.0.decompress(input, room, FlushDecompress::None) {
            Ok(flate2::Status::StreamEnd) => Step::End,
            Ok(_) => Step::On,
            Err(_) => Step::Damage,
        };
        (self.0.total_in(), self.0.total_out(), step)
    }
}

pub(super) struct Bzip2(bzip2::Decompress);

impl Member for Bzip2 {
    fn new() -> Bzip2 {
        Bzip2(bzip2::Decompress::new(false))
    }

    fn step(&mut self, input: &[u8], room: &mut [u8]) -> (u64, u64, Step) {
        let step = match self.0.decompress(input, room) {
            Ok(bzip2::Status::StreamEnd) => Step::End,
            Ok(_) => Step::On,
            Err(_) => Step::Damage,
        };
        (self.0.total_in(), self.0.total_out(), step)
    }
}

/// The contents of all members.
pub(super) struct Members<'a, M> {
    input: Peeked<'a>,
    /// The one that was begun, with what it used and made so far.
    member: Option<(M, u64, u64)>,
    damaged: bool,
}

impl<'a, M: Member> Members<'a, M> {
    pub(super) fn new(input: Peeked<'a>) -> Members<'a, M> {
        Members {
            input,
            member: None,
            damaged: false,
        }
    }
}

impl<M: Member> Read for Members<'_, M> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if room.is_empty() {
            return Ok(0);
        }
        loop {
            if self.damaged {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let input = self.input.fill_buf()?;
            let (is_end, given) = (input.is_empty(), input.len());
            if is_end && self.member.is_none() {
                return Ok(0);
            }
            let (member, used, made) = self.member.get_or_insert_with(|| (M::new(), 0, 0));
            let (total_in, total_out, step) = member.step(input, room);
            let (took, gave) = ((total_in - *used) as usize, (total_out - *made) as usize);
            (*used, *made) = (total_in, total_out);
            self.input.consume(took);
            match step {
                Step::End => self.member = None,
                Step::Damage => self.damaged = true,
                Step::On if is_end && gave == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                // Neither more input nor more room would change that.
                Step::On if given > 0 && took == 0 && gave == 0 => self.damaged = true,
                Step::On => {}
            }
            if gave > 0 {
                return Ok(gave);
            }
        }
    }
}
