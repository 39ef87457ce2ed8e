//! lz4: frames one after another, with skippable ones between.
//!
//! Source: the LZ4 Frame Format 1.6.4, sections on frames and skippable frames.

use super::walk::Peeked;
use lz4_flex::frame::FrameDecoder;
use std::io::{self, Read};

/// The contents of all frames: the decoder ends with each of them.
pub(super) struct Frames<'a> {
    decoder: FrameDecoder<Peeked<'a>>,
}

impl<'a> Frames<'a> {
    pub(super) fn new(input: Peeked<'a>) -> Frames<'a> {
        Frames {
            decoder: FrameDecoder::new(input),
        }
    }
}

impl Read for Frames<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.decoder.read(room)?;
            if count > 0 || room.is_empty() {
                return Ok(count);
            }
            let input = self.decoder.get_mut();
            while input.pass_skippable()? {}
            if input.peek(1)?.is_empty() {
                return Ok(0);
            }
        }
    }
}
