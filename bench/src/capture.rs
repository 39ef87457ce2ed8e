//! Classic pcap files of Ethernet frames: both byte orders, micro- and nanoseconds.
//!
//! A record that claims more than [`RECORD_BYTES_MAX`] or that the file ends in is damage:
//! the walk ends before it and says where, with the same answer for both ways to read.

#![allow(unsafe_code, reason = "mapping a file has no safe form")]

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;

/// The most captured bytes a record may claim (libpcap's MAXIMUM_SNAPLEN).
pub const RECORD_BYTES_MAX: usize = 256 << 10;
/// Bytes of the file's header.
pub const FILE_HEADER_BYTES: usize = 24;
/// Bytes of a record's header.
pub const RECORD_HEADER_BYTES: usize = 16;

const BLOCK_BYTES: usize = 256 << 10;
const ETHERNET: u32 = 1;

/// How the bytes of the file are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Io {
    /// The whole file mapped and populated at once. A file that shrinks meanwhile kills us.
    Map,
    /// `read` of 256 KiB into one reused buffer.
    Block,
}

/// Why a capture can't be read.
#[derive(Debug)]
pub enum Error {
    /// The system refused.
    System(io::Error),
    /// The file doesn't begin with a classic pcap header.
    Format,
    /// The frames are of this link type, not Ethernet.
    LinkType(u32),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => error.fmt(f),
            Self::Format => f.write_str("not a classic pcap file"),
            Self::LinkType(link_type) => write!(f, "link type {link_type} is not Ethernet (1)"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// How a walk over a capture ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With the last byte of a record.
    Whole,
    /// Before a damaged record at this byte of the file.
    Damaged {
        /// Where the damaged record begins.
        offset: u64,
    },
}

/// An open capture, its file header read and accepted.
#[derive(Debug)]
pub struct Capture {
    file: File,
    io: Io,
    big_endian: bool,
}

impl Capture {
    /// Opens the capture `path`.
    ///
    /// # Errors
    ///
    /// When it can't be read, isn't classic pcap, or isn't Ethernet.
    pub fn open(path: &OsStr, io: Io) -> Result<Self, Error> {
        let mut file = File::open(path)?;
        let mut header = [0; FILE_HEADER_BYTES];
        file.read_exact(&mut header)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => Error::Format,
                _ => error.into(),
            })?;
        let big_endian = big_endian(&header)?;
        Ok(Self {
            file,
            io,
            big_endian,
        })
    }

    /// Calls `visit` with the captured bytes and the wire length of each packet, in order.
    ///
    /// # Errors
    ///
    /// When the system fails to read or map the file.
    #[inline]
    pub fn walk(self, mut visit: impl FnMut(&[u8], u32)) -> Result<End, Error> {
        self.walk_timed(|frame, wire, _| visit(frame, wire))
    }

    /// The same with the time: seconds in the high half, the fraction as the file has it in the low.
    ///
    /// # Errors
    ///
    /// When the system fails to read or map the file.
    #[inline]
    pub fn walk_timed(self, visit: impl FnMut(&[u8], u32, u64)) -> Result<End, Error> {
        match (self.io, self.big_endian) {
            (Io::Map, false) => walk_map::<false>(&self.file, visit),
            (Io::Map, true) => walk_map::<true>(&self.file, visit),
            (Io::Block, false) => walk_blocks::<false>(self.file, visit),
            (Io::Block, true) => walk_blocks::<true>(self.file, visit),
        }
    }
}

/// Checks a file header and gives its byte order.
fn big_endian(header: &[u8; FILE_HEADER_BYTES]) -> Result<bool, Error> {
    let [a, b, c, d, .., w, x, y, z] = *header;
    let (big_endian, link) = match [a, b, c, d] {
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => {
            (false, u32::from_le_bytes([w, x, y, z]))
        }
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => {
            (true, u32::from_be_bytes([w, x, y, z]))
        }
        _ => return Err(Error::Format),
    };
    // The upper bits tell of a frame check sequence and are no part of the type.
    match link & 0x03ff_ffff {
        ETHERNET => Ok(big_endian),
        other => Err(Error::LinkType(other)),
    }
}

#[inline(always)] // what is not used then costs nothing
fn words<const BIG_ENDIAN: bool>(header: &[u8; RECORD_HEADER_BYTES]) -> [u32; 4] {
    let (words, _) = header.as_chunks::<4>();
    let word = |at: usize| {
        if BIG_ENDIAN {
            u32::from_be_bytes(words[at])
        } else {
            u32::from_le_bytes(words[at])
        }
    };
    [word(0), word(1), word(2), word(3)]
}

/// Where a walk over some bytes stopped.
struct Stop {
    /// Bytes of whole records.
    consumed: usize,
    /// Whether no further byte can make the next record a good one.
    oversized: bool,
}

#[inline]
fn walk_records<const BIG_ENDIAN: bool>(
    bytes: &[u8],
    visit: &mut impl FnMut(&[u8], u32, u64),
) -> Stop {
    let mut rest = bytes;
    let mut oversized = false;
    while let Some((header, after)) = rest.split_first_chunk::<RECORD_HEADER_BYTES>() {
        let [seconds, fraction, captured, wire] = words::<BIG_ENDIAN>(header);
        oversized = captured as usize > RECORD_BYTES_MAX;
        if oversized {
            break;
        }
        let Some((frame, next)) = after.split_at_checked(captured as usize) else {
            break;
        };
        visit(frame, wire, u64::from(seconds) << 32 | u64::from(fraction));
        rest = next;
    }
    Stop {
        consumed: bytes.len() - rest.len(),
        oversized,
    }
}

fn end(offset: usize, whole: bool) -> End {
    if whole {
        End::Whole
    } else {
        End::Damaged {
            offset: offset as u64,
        }
    }
}

fn walk_map<const BIG_ENDIAN: bool>(
    file: &File,
    mut visit: impl FnMut(&[u8], u32, u64),
) -> Result<End, Error> {
    let mapped = Mapped::new(file)?;
    let bytes = mapped.bytes();
    let records = bytes.get(FILE_HEADER_BYTES..).unwrap_or_default();
    let stop = walk_records::<BIG_ENDIAN>(records, &mut visit);
    let whole = stop.consumed == records.len();
    Ok(end(FILE_HEADER_BYTES + stop.consumed, whole))
}

fn walk_blocks<const BIG_ENDIAN: bool>(
    mut file: File,
    mut visit: impl FnMut(&[u8], u32, u64),
) -> Result<End, Error> {
    // What is kept is always less than one record, so a whole block fits behind it.
    let mut buffer = vec![0; RECORD_HEADER_BYTES + RECORD_BYTES_MAX + BLOCK_BYTES];
    let mut kept = 0;
    let mut offset = FILE_HEADER_BYTES;
    loop {
        let read = read_some(&mut file, &mut buffer[kept..kept + BLOCK_BYTES])?;
        let filled = kept + read;
        let stop = walk_records::<BIG_ENDIAN>(&buffer[..filled], &mut visit);
        offset += stop.consumed;
        kept = filled - stop.consumed;
        if read == 0 || stop.oversized {
            return Ok(end(offset, kept == 0));
        }
        buffer.copy_within(stop.consumed..filled, 0);
    }
}

fn read_some(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// A file mapped for reading from front to back.
struct Mapped {
    start: *mut libc::c_void,
    length: usize,
}

impl Mapped {
    fn new(file: &File) -> io::Result<Self> {
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        // SAFETY: a new private mapping at an address that the kernel picks; the
        // descriptor is open, and a failure (also of length 0) is checked below.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ,
                libc::MAP_PRIVATE | libc::MAP_POPULATE,
                file.as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: exactly the mapping made above. It is advice: a failure changes nothing.
        unsafe { libc::madvise(start, length, libc::MADV_SEQUENTIAL) };
        Ok(Self { start, length })
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping has `length` readable bytes and lives as long as `self`. That
        // nobody writes to the file meanwhile can't be checked: the price of mapping, and
        // why wireq itself reads blocks.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.length) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `new`, of which no borrow is left.
        unsafe { libc::munmap(self.start, self.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn header(link: u32) -> Vec<u8> {
        let mut header = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
        header.extend([0; 8]);
        header.extend(262_144u32.to_le_bytes());
        header.extend(link.to_le_bytes());
        header
    }

    fn record(captured: u32, bytes: usize) -> Vec<u8> {
        let mut record = vec![0; 8];
        record.extend(captured.to_le_bytes());
        record.extend((captured.wrapping_add(1)).to_le_bytes());
        record.resize(RECORD_HEADER_BYTES + bytes, 7);
        record
    }

    /// A file of these bytes, gone when dropped.
    struct Temporary(PathBuf);

    impl Temporary {
        fn new(name: &str, bytes: &[u8]) -> Self {
            let name = format!("wireq-bench-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::write(&path, bytes).expect("the temporary folder is writable");
            Self(path)
        }

        fn walk(&self, io: Io) -> (Vec<(usize, u32)>, End) {
            let mut seen = Vec::new();
            let capture = Capture::open(self.0.as_os_str(), io).expect("an Ethernet capture");
            let end = capture
                .walk(|frame, wire| seen.push((frame.len(), wire)))
                .expect("the file can be read");
            (seen, end)
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn both_ways_agree_on_every_prefix_of_a_capture() {
        let whole = [header(1), record(5, 5), record(0, 0), record(9, 9)].concat();
        for length in FILE_HEADER_BYTES..=whole.len() {
            let file = Temporary::new("prefix", &whole[..length]);
            let (seen, end) = file.walk(Io::Map);
            assert_eq!((seen.clone(), end), file.walk(Io::Block));
            let records = [24, 45, 61, 86];
            let complete = records.iter().filter(|&&r| r <= length).count() - 1;
            assert_eq!(seen, [(5, 6), (0, 1), (9, 10)][..complete]);
            let expected = match records.contains(&length) {
                true => End::Whole,
                false => End::Damaged {
                    offset: records[complete] as u64,
                },
            };
            assert_eq!(end, expected);
        }
    }

    #[test]
    fn times_are_read_in_both_byte_orders() {
        let words = [7u32, 9, 0, 0];
        let mut little = header(1);
        little.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        let mut big = vec![0xa1, 0xb2, 0xc3, 0xd4];
        big.resize(FILE_HEADER_BYTES - 4, 0);
        big.extend(1u32.to_be_bytes());
        big.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        for bytes in [little, big] {
            let file = Temporary::new("times", &bytes);
            for io in [Io::Map, Io::Block] {
                let mut times = Vec::new();
                Capture::open(file.0.as_os_str(), io)
                    .and_then(|capture| capture.walk_timed(|_, _, time| times.push(time)))
                    .expect("an Ethernet capture");
                assert_eq!(times, [7 << 32 | 9]);
            }
        }
    }

    #[test]
    fn the_largest_record_passes_and_a_larger_one_is_damage() {
        let largest = u32::try_from(RECORD_BYTES_MAX).expect("small");
        let whole = [
            header(1),
            record(100_000, 100_000),
            record(largest, RECORD_BYTES_MAX),
            record(1, 1),
            record(largest + 1, RECORD_BYTES_MAX + 1),
        ]
        .concat();
        let file = Temporary::new("large", &whole);
        for io in [Io::Map, Io::Block] {
            let (seen, end) = file.walk(io);
            assert_eq!(seen.len(), 3);
            let offset = 24 + 100_016 + 16 + u64::from(largest) + 17;
            assert_eq!(end, End::Damaged { offset });
        }
    }

    #[test]
    fn other_files_are_refused() {
        let open = |name, bytes: &[u8]| {
            let file = Temporary::new(name, bytes);
            Capture::open(file.0.as_os_str(), Io::Block).expect_err("not an Ethernet capture")
        };
        assert!(matches!(open("short", &header(1)[..23]), Error::Format));
        assert!(matches!(open("zeros", &[0; 24]), Error::Format));
        assert!(matches!(open("link", &header(113)), Error::LinkType(113)));
        let file = Temporary::new("fcs", &header(0x3000_0001));
        assert_eq!(file.walk(Io::Map), (vec![], End::Whole));
    }
}
