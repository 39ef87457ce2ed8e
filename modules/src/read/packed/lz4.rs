//! lz4: frames one after another, with skippable ones between.
//!
//! Source: the LZ4 Frame Format 1.6.4, sections on frames and skippable frames.

use super::walk::Peeked;
use lz4_flex::frame::FrameDecoder;
use std::io::{self, Read};

/// The contents of all frames. Each has a decoder of its own: one panics where the next frame has blocks of
/// another size.
pub(super) struct Frames<'a>(Option<State<'a>>);

enum State<'a> {
    Between(Peeked<'a>),
    Within(Box<FrameDecoder<Peeked<'a>>>),
}

impl<'a> Frames<'a> {
    pub(super) fn new(input: Peeked<'a>) -> Frames<'a> {
        Frames(Some(State::Between(input)))
    }
}

impl Read for Frames<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            // None only while one state gives way to the next.
            let next = match self.0.as_mut() {
                None => return Ok(0),
                Some(State::Between(input)) => {
                    while input.pass_skippable()? {}
                    if input.peek(1)?.is_empty() {
                        return Ok(0);
                    }
                    self.0.take()
                }
                Some(State::Within(decoder)) => {
                    let count = decoder.read(room)?;
                    if count > 0 || room.is_empty() {
                        return Ok(count);
                    }
                    self.0.take()
                }
            };
            self.0 = next.map(|state| match state {
                State::Between(input) => State::Within(Box::new(FrameDecoder::new(input))),
                State::Within(decoder) => State::Between(decoder.into_inner()),
            });
        }
    }
}
