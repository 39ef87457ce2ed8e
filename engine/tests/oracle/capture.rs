//! Classic pcap files, read at once.

/// One frame of a capture file.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Nanoseconds since 1970.
    pub time: i64,
    /// The bytes that were captured.
    pub bytes: Vec<u8>,
    /// The length on the wire.
    pub length: u32,
    /// Counted from 1 in its file.
    pub number: u64,
    /// What the file header says.
    pub snaplen: u32,
    /// What the file header says.
    pub linktype: u32,
    /// Digits of the fraction of a second.
    pub tsresol: u64,
}

/// How the numbers of a file are written.
struct Format {
    big_endian: bool,
    nanos_per_unit: i64,
}

impl Format {
    fn of_magic(magic: [u8; 4]) -> Option<Format> {
        let (big_endian, nanos_per_unit) = match magic {
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, 1000),
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, 1000),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, 1),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, 1),
            _ => return None,
        };
        Some(Format {
            big_endian,
            nanos_per_unit,
        })
    }

    fn number(&self, bytes: &[u8], at: usize) -> u32 {
        let four = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        if self.big_endian {
            u32::from_be_bytes(four)
        } else {
            u32::from_le_bytes(four)
        }
    }
}

/// The frames of a file, in its order. What is cut at the end of the file is left out; a file that
/// can't be read has none.
pub fn read(path: &str) -> Vec<Frame> {
    std::fs::read(path).map_or_else(|_| Vec::new(), |bytes| frames(&bytes))
}

/// Whether a file is one that is read here as the engine reads it: a classic pcap file of Ethernet
/// frames, or none at all. Where records are damaged the engine finds the next ones.
pub fn is_known(path: &str) -> bool {
    if path.contains(['*', '?', '[']) || std::path::Path::new(path).is_dir() {
        return false;
    }
    let is_damaged = path.contains("holes") || path.contains("bad-length");
    std::fs::read(path).map_or(true, |bytes| {
        let format = bytes
            .first_chunk()
            .and_then(|magic| Format::of_magic(*magic));
        let is_ethernet = |format: Format| bytes.len() < 24 || format.number(&bytes, 20) == 1;
        !is_damaged && format.is_some_and(is_ethernet)
    })
}

/// The frames in the bytes of a file.
pub fn frames(bytes: &[u8]) -> Vec<Frame> {
    let magic = bytes.first_chunk().expect("the file has a header");
    let format = Format::of_magic(*magic).expect("the file is a classic pcap file");
    let snaplen = format.number(bytes, 16);
    let linktype = format.number(bytes, 20);
    let mut frames = Vec::new();
    let mut rest = &bytes[24..];
    while rest.len() >= 16 {
        let seconds = i64::from(format.number(rest, 0));
        let fraction = i64::from(format.number(rest, 4));
        let captured = format.number(rest, 8) as usize;
        if rest.len() < 16 + captured {
            break;
        }
        frames.push(Frame {
            time: seconds * 1_000_000_000 + fraction * format.nanos_per_unit,
            bytes: rest[16..16 + captured].to_vec(),
            length: format.number(rest, 12),
            number: frames.len() as u64 + 1,
            snaplen,
            linktype,
            tsresol: if format.nanos_per_unit == 1 { 9 } else { 6 },
        });
        rest = &rest[16 + captured..];
    }
    frames
}
