//! zstd: frames one after another, with skippable ones between, such as the seekable form has.
//!
//! Source: RFC 8878, section 3.1.

use super::walk::Peeked;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, Read};

/// The most bytes of a window: what `zstd --long=27` asks for.
const WINDOW_MAX: u64 = 128 * 1024 * 1024;

/// The contents of all frames.
pub(super) struct Frames<'a> {
    input: Peeked<'a>,
    decoder: FrameDecoder,
    /// Whether a frame was begun.
    within: bool,
    /// Damage that stands behind what is not given yet.
    failed: Option<io::Error>,
}

impl<'a> Frames<'a> {
    pub(super) fn new(input: Peeked<'a>) -> Frames<'a> {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_MAX);
        Frames {
            input,
            decoder,
            within: false,
            failed: None,
        }
    }

    /// Goes to the begin of the next frame; false where there is none.
    fn begin(&mut self) -> io::Result<bool> {
        while self.input.pass_skippable()? {}
        if self.input.peek(1)?.is_empty() {
            return Ok(false);
        }
        self.decoder.reset(&mut self.input).map_err(damaged)?;
        self.within = true;
        Ok(true)
    }
}

fn damaged(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl Read for Frames<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(room);
            }
            if let Some(failed) = self.failed.take() {
                return Err(failed);
            }
            if self.within && !self.decoder.is_finished() {
                let strategy = BlockDecodingStrategy::UptoBytes(room.len().max(1));
                let decoded = self.decoder.decode_blocks(&mut self.input, strategy);
                self.failed = decoded.map_err(damaged).err();
                continue;
            }
            let checksum = self.decoder.get_checksum_from_data();
            if self.within
                && checksum.is_some()
                && checksum != self.decoder.get_calculated_checksum()
            {
                return Err(io::Error::other("checksum"));
            }
            self.within = false;
            if !self.begin()? {
                return Ok(0);
            }
        }
    }
}
