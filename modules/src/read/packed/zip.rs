//! zip archives, read from front to back: names and lengths stand before each file.
//!
//! Source: PKWARE's APPNOTE.TXT, sections 4.3 and 4.4.

use super::Sink;
use super::walk::{Marked, Peeked, corrupt, walk, within};
use flate2::bufread::DeflateDecoder;
use std::io::{self, Read};

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";
const HEADER_LEN: usize = 30;
/// Flags of files: their contents are encrypted; their lengths stand behind them.
const ENCRYPTED: u16 = 1;
const LENGTHS_BEHIND: u16 = 1 << 3;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Lengths that stand in a field of 64 bits, and the number of that field.
const ELSEWHERE: u64 = 0xffff_ffff;
const ZIP64: u16 = 1;

fn short(bytes: &[u8], at: usize) -> u16 {
    let bytes = bytes.get(at..at + 2).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| u16::from_le_bytes(*bytes))
}

fn number(bytes: &[u8], at: usize) -> u64 {
    let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes).into())
}

/// Reads so many bytes.
fn take(input: &mut Peeked<'_>, len: usize, damage: &'static str) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    let read = input.read_exact(&mut bytes);
    read.map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => corrupt(damage),
        _ => error,
    })?;
    Ok(bytes)
}

/// Gives the sink the files of an archive.
pub(super) fn unzip(
    input: &mut Peeked<'_>,
    archive: &Option<String>,
    depth: usize,
    damage: &'static str,
    sink: &mut Sink,
) -> io::Result<()> {
    while input.peek(4)? == LOCAL {
        let header = take(input, HEADER_LEN, damage)?;
        let name = take(input, short(&header, 26).into(), damage)?;
        let extra = take(input, short(&header, 28).into(), damage)?;
        let name = String::from_utf8_lossy(&name).into_owned();
        let (flags, method) = (short(&header, 6), short(&header, 8));
        let packed_len = packed_len(&header, &extra);
        let known = flags & LENGTHS_BEHIND == 0;
        let unreadable = if flags & ENCRYPTED != 0 {
            Some("a file in the zip archive is encrypted")
        } else if method != DEFLATED && (method != STORED || !known) {
            Some("a file in the zip archive is packed in a way that is not known")
        } else {
            None
        };
        let name = Some(within(archive, &name));
        if let Some(reason) = unreadable {
            sink.begin(name)?;
            return Err(corrupt(reason));
        }
        if method == DEFLATED {
            let inner = DeflateDecoder::new(&mut *input);
            let mut file = Marked { inner, damage };
            walk(&mut file, name, depth + 1, sink)?;
            io::copy(&mut file, &mut io::sink())?;
        } else {
            let mut file = Read::by_ref(input).take(packed_len);
            walk(&mut file, name, depth + 1, sink)?;
            io::copy(&mut file, &mut io::sink())?;
        }
        if !known {
            pass_descriptor(input, damage)?;
        }
    }
    Ok(())
}

/// The length of a file as it is packed.
fn packed_len(header: &[u8], extra: &[u8]) -> u64 {
    let (packed, unpacked) = (number(header, 18), number(header, 22));
    if packed != ELSEWHERE {
        return packed;
    }
    let mut at = 0;
    while at + 4 <= extra.len() {
        let (field, len) = (short(extra, at), usize::from(short(extra, at + 2)));
        if field == ZIP64 {
            // The unpacked length comes first, where it is elsewhere too.
            let at = at + 4 + if unpacked == ELSEWHERE { 8 } else { 0 };
            return number(extra, at) | number(extra, at + 4) << 32;
        }
        at += 4 + len;
    }
    packed
}

/// Passes over the lengths behind a file: a mark that may be left out, a checksum, two lengths of 32
/// or 64 bits.
fn pass_descriptor(input: &mut Peeked<'_>, damage: &'static str) -> io::Result<()> {
    let marked = input.peek(4)? == DESCRIPTOR;
    let mark = if marked { 4 } else { 0 };
    let ahead = input.peek(mark + 24)?;
    let follows = |at: usize| ahead.get(at..at + 2).is_none_or(|next| next == b"PK");
    let len = match () {
        () if follows(mark + 12) => mark + 12,
        () if follows(mark + 20) => mark + 20,
        () => return Err(corrupt(damage)),
    };
    take(input, len, damage).map(|_| ())
}
