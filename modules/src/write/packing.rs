//! Compressed output: members that each can be unpacked alone, one behind the other.
//!
//! All formats have such: what was written by then is whole whenever a member ends, and a run that
//! goes on writes another one.

use bzip2::write::BzEncoder;
use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockSize, FrameEncoder, FrameInfo};
use lzma_rust2::{XzOptions, XzWriter};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::io::{self, Write};

/// How output is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
    Lz4,
    Bzip2,
    Xz,
}

/// Their names, and how names of files end.
const KNOWN: [(&str, &str, Packing); 5] = [
    ("gzip", ".gz", Packing::Gzip),
    ("zstd", ".zst", Packing::Zstd),
    ("lz4", ".lz4", Packing::Lz4),
    ("bzip2", ".bz2", Packing::Bzip2),
    ("xz", ".xz", Packing::Xz),
];

/// A balance of time and size that is usual.
const GZIP_LEVEL: u32 = 6;
const BZIP2_LEVEL: u32 = 6;
const XZ_LEVEL: u32 = 3;

impl Packing {
    /// The one of this name.
    pub(super) fn named(name: &str) -> Option<Packing> {
        let found = KNOWN.iter().find(|(known, ..)| *known == name);
        found.map(|(.., packing)| *packing)
    }

    /// The one that the name of a file ends with, and what stands before that.
    pub(super) fn of_path(path: &str) -> (Option<Packing>, &str) {
        let mut ends = KNOWN.iter().filter_map(|(_, end, packing)| {
            let before = path.strip_suffix(end)?;
            Some((Some(*packing), before))
        });
        ends.next().unwrap_or((None, path))
    }

    /// A member with these bytes.
    pub(super) fn pack(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        Ok(match self {
            Packing::Gzip => {
                let level = flate2::Compression::new(GZIP_LEVEL);
                let mut encoder = GzEncoder::new(Vec::new(), level);
                encoder.write_all(bytes)?;
                encoder.finish()?
            }
            Packing::Zstd => compress_to_vec(bytes, CompressionLevel::Fastest),
            Packing::Lz4 => {
                // Decoders fill the room of a block anew for each frame: 4 MiB, if nothing is said.
                let info = FrameInfo::new().block_size(BlockSize::Max256KB);
                let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
                encoder.write_all(bytes)?;
                encoder.finish().map_err(io::Error::other)?
            }
            Packing::Bzip2 => {
                let level = bzip2::Compression::new(BZIP2_LEVEL);
                let mut encoder = BzEncoder::new(Vec::new(), level);
                encoder.write_all(bytes)?;
                encoder.finish()?
            }
            Packing::Xz => {
                let mut encoder = XzWriter::new(Vec::new(), XzOptions::with_preset(XZ_LEVEL))?;
                encoder.write_all(bytes)?;
                encoder.finish()?
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_how_it_is_packed() {
        let gzip = (Some(Packing::Gzip), "a.pcapng");
        assert_eq!(Packing::of_path("a.pcapng.gz"), gzip);
        assert_eq!(Packing::of_path("a.gz.pcap"), (None, "a.gz.pcap"));
        assert_eq!(Packing::named("zstd"), Some(Packing::Zstd));
        assert_eq!(Packing::named("zip"), None);
    }
}
