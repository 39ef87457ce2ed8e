//! Headers of classic captures and of their records.

use super::frame_max;
use crate::read::capture::format::number;

pub(super) const MAGIC_LEN: usize = 4;
/// The length of a file's header; IXIA's has four bytes more.
const HEADER_LEN: usize = 24;
const IXIA_EXTRA: usize = 4;
/// What has to be there to begin, unless the file is shorter.
pub(super) const BEGIN_LEN: usize = HEADER_LEN + IXIA_EXTRA;
/// The length of a record's header.
pub(super) const PLAIN_LEN: usize = 16;
pub(super) const NANOS: i64 = 1_000_000_000;

/// What the magic number says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Micro,
    Nano,
    /// Kuznetzov's: longer headers of records.
    Modified,
    IxiaMicro,
    IxiaNano,
}

/// The order of bytes and the family of a magic number.
pub(super) fn variant(magic: [u8; MAGIC_LEN]) -> Option<(bool, Family)> {
    let family = |magic| {
        Some(match magic {
            0xa1b2_c3d4 => Family::Micro,
            0xa1b2_3c4d => Family::Nano,
            0xa1b2_cd34 => Family::Modified,
            0x1c00_01ab => Family::IxiaMicro,
            0x1c00_01ac => Family::IxiaNano,
            _ => return None,
        })
    };
    let big = family(u32::from_be_bytes(magic)).map(|family| (true, family));
    big.or_else(|| family(u32::from_le_bytes(magic)).map(|family| (false, family)))
}

/// Which of a record's two lengths comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    /// The captured length, as it is since version 2.3.
    CapturedFirst,
    WireFirst,
    /// Programs of version 2.3 did either.
    LesserIsCaptured,
}

/// How records look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) big_endian: bool,
    /// Nanoseconds for each unit of the fraction of a second.
    pub(super) fraction: i64,
    /// How many of them are a second.
    pub(super) unit: i64,
    pub(super) record_len: usize,
    lengths: Lengths,
    /// The most bytes that a record may claim.
    pub(super) caplen_max: u32,
}

/// The header of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) seconds: i64,
    pub(super) fraction: i64,
    pub(super) caplen: u32,
    pub(super) len: u32,
}

impl Layout {
    /// Whether records are as the draft has them.
    pub(super) fn is_plain(&self) -> bool {
        self.record_len == PLAIN_LEN && self.lengths == Lengths::CapturedFirst
    }

    /// What the variant is called.
    pub(super) fn name(&self) -> &'static str {
        match (self.record_len, self.fraction, self.big_endian) {
            (PLAIN_LEN, 1, false) => "pcap, nanoseconds",
            (PLAIN_LEN, 1, true) => "pcap, nanoseconds, big-endian",
            (PLAIN_LEN, _, false) => "pcap",
            (PLAIN_LEN, _, true) => "pcap, big-endian",
            (20, ..) => "pcap, Nokia's",
            (_, _, false) => "pcap, modified",
            (_, _, true) => "pcap, modified, big-endian",
        }
    }

    /// Reads the header of a record, of which all bytes are there.
    #[inline(always)]
    pub(super) fn header<const BIG: bool, const PLAIN: bool>(&self, bytes: &[u8]) -> Header {
        let mut caplen = number::<BIG>(bytes, 8);
        let mut len = number::<BIG>(bytes, 12);
        if !PLAIN {
            let swap = match self.lengths {
                Lengths::CapturedFirst => false,
                Lengths::WireFirst => true,
                Lengths::LesserIsCaptured => caplen > len,
            };
            if swap {
                (caplen, len) = (len, caplen);
            }
        }
        Header {
            seconds: number::<BIG>(bytes, 0).into(),
            fraction: number::<BIG>(bytes, 4).into(),
            caplen,
            len,
        }
    }

    /// The same, away from the loop over all records.
    pub(super) fn any_header(&self, bytes: &[u8]) -> Header {
        if self.big_endian {
            self.header::<true, false>(bytes)
        } else {
            self.header::<false, false>(bytes)
        }
    }

    /// Whether this may be the header of a record that damage did not touch.
    pub(super) fn is_likely(&self, header: Header) -> bool {
        (1..=header.len).contains(&header.caplen)
            && header.caplen <= self.caplen_max
            && header.len <= self.caplen_max
            && header.fraction < self.unit
    }

    /// How many records follow each other from the begin of these bytes on, and whether that ends at
    /// something else than their end.
    fn merit(&self, bytes: &[u8]) -> (usize, bool) {
        let (mut at, mut count) = (0, 0);
        while let Some(header) = bytes.get(at..at + self.record_len)
            && count < RECORDS_COMPARED
        {
            let header = self.any_header(header);
            if header.caplen > self.caplen_max || header.caplen > header.len {
                return (count, true);
            }
            at += self.record_len + header.caplen as usize;
            count += 1;
        }
        (count, false)
    }
}

/// Reads the header of a file: how records look, where they begin, snaplen and link type.
pub(super) fn read(begin: &[u8]) -> Result<(Layout, usize, u32, u16), &'static str> {
    const CUT: &str = "it ends within the file header";
    let magic: &[u8; MAGIC_LEN] = begin.first_chunk().ok_or(CUT)?;
    let (big_endian, family) = variant(*magic).ok_or("it is no capture")?;
    let is_ixia = matches!(family, Family::IxiaMicro | Family::IxiaNano);
    let header_len = HEADER_LEN + if is_ixia { IXIA_EXTRA } else { 0 };
    if begin.len() < header_len {
        return Err(CUT);
    }
    let number = |at| match big_endian {
        true => number::<true>(begin, at),
        false => number::<false>(begin, at),
    };
    let version = number(4);
    let (major, minor) = match big_endian {
        true => (version >> 16, version & 0xffff),
        false => (version & 0xffff, version >> 16),
    };
    let snaplen = number(16);
    // The upper bits tell of a frame check sequence.
    let mut link_type = number(20) as u16;
    let mut layout = Layout {
        big_endian,
        fraction: match family {
            Family::Nano | Family::IxiaNano => 1,
            _ => 1000,
        },
        unit: 0,
        record_len: PLAIN_LEN,
        lengths: match (major, minor) {
            (2, 0..=2) | (543, _) => Lengths::WireFirst,
            (2, 3) => Lengths::LesserIsCaptured,
            _ => Lengths::CapturedFirst,
        },
        caplen_max: 0,
    };
    if family == Family::Micro
        && (major, minor) == (2, 2)
        && let Some(of_aix) = aix_link_type(link_type)
    {
        (link_type, layout.fraction) = (of_aix, 1);
    }
    layout.unit = NANOS / layout.fraction;
    layout.caplen_max = frame_max(link_type, snaplen);
    let candidates: &[usize] = match family {
        Family::Micro if (major, minor) == (2, 4) => &STANDARD_LENS,
        Family::Modified => &MODIFIED_LENS,
        _ => &[PLAIN_LEN],
    };
    layout.record_len = best_of(&layout, candidates, &begin[header_len..]);
    Ok((layout, header_len, snaplen, link_type))
}

/// Lengths of records' headers behind the usual magic number: usual; Nokia's; Kuznetzov's of April
/// 1999.
const STANDARD_LENS: [usize; 3] = [PLAIN_LEN, 20, 24];
/// Those behind Kuznetzov's magic number: of October and of September 1999.
const MODIFIED_LENS: [usize; 2] = [24, 28];
/// Records that are looked at to tell lengths of headers apart.
const RECORDS_COMPARED: usize = 16;

/// The length of records' headers: the first one unless records don't follow each other with it, and
/// with another one do so better.
fn best_of(layout: &Layout, candidates: &[usize], records: &[u8]) -> usize {
    let mut best: Option<(usize, usize)> = None;
    for record_len in candidates.iter().copied() {
        let layout = Layout {
            record_len,
            ..*layout
        };
        match layout.merit(records) {
            (count, false) if count > 0 || best.is_none() => return record_len,
            (count, _) if best.is_none_or(|(most, _)| count > most) => {
                best = Some((count, record_len));
            }
            _ => {}
        }
    }
    best.map_or(PLAIN_LEN, |(_, record_len)| record_len)
}

/// The LINKTYPE number of AIX's, which are those of RFC 1573.
fn aix_link_type(link_type: u16) -> Option<u16> {
    Some(match link_type {
        6 => 1,
        9 => 6,
        15 => 10,
        24 => 0,
        _ => return None,
    })
}
