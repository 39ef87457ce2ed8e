//! The header of a file, and those of its blocks.

use super::unpack::Compression;
use super::{le16, le32};
use wireq_engine::Recognized;

/// What a file's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileHeader {
    /// 1 or 2.
    pub(super) layout: u16,
    pub(super) compression: Compression,
    /// Its bytes.
    pub(super) len: usize,
}

/// The most bytes of a header.
pub(super) const HEADER_MAX: usize = LAYOUT_1_LEN;

const MAGIC: u16 = 0xa50c;
/// A header, then a record of statistics.
const LAYOUT_1_LEN: usize = 140 + 136;
const LAYOUT_2_LEN: usize = 40;

/// What the first bytes of a file say of whether it is one of nfdump.
pub(in crate::read) fn recognizes(begin: &[u8]) -> Recognized {
    match FileHeader::read(begin) {
        Ok(_) => Recognized::Surely,
        Err(_) => Recognized::No,
    }
}

impl FileHeader {
    /// Reads a header.
    ///
    /// # Errors
    /// Why the file can't be read.
    pub(super) fn read(bytes: &[u8]) -> Result<FileHeader, &'static str> {
        const SHORT: &str = "it ends within the file header";
        let (Some(magic), Some(layout)) = (le16(bytes, 0), le16(bytes, 2)) else {
            return Err(if bytes.is_empty() {
                "it is empty"
            } else {
                SHORT
            });
        };
        if magic == MAGIC.swap_bytes() {
            return Err("it was written on a machine with another order of bytes");
        }
        if magic != MAGIC {
            return Err("it is no file of nfdump");
        }
        let header = match layout {
            1 => FileHeader {
                layout,
                compression: Compression::of_flags(le32(bytes, 4).ok_or(SHORT)?),
                len: LAYOUT_1_LEN,
            },
            2 => {
                let [compression, encryption] = bytes.get(16..18).ok_or(SHORT)? else {
                    return Err(SHORT);
                };
                if *encryption != 0 {
                    return Err("it is encrypted");
                }
                let known = Compression::of_number(*compression);
                FileHeader {
                    layout,
                    compression: known.ok_or("its compression is not known")?,
                    len: LAYOUT_2_LEN,
                }
            }
            _ => return Err("its layout is not known"),
        };
        if bytes.len() < header.len {
            return Err(SHORT);
        }
        Ok(header)
    }
}

/// What a block's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockHeader {
    /// The bytes behind the header, as they stand in the file.
    pub(super) size: usize,
    /// Whether there are records in it that can be read.
    pub(super) is_data: bool,
    /// Whether it is as it was before compression, whatever the file's header says.
    pub(super) is_plain: bool,
}

/// The bytes of a block's header.
pub(super) const BLOCK_HEADER: usize = 12;

impl BlockHeader {
    pub(super) fn read(bytes: &[u8], layout: u16) -> Option<BlockHeader> {
        let (size, kind, flags) = (le32(bytes, 4)?, le16(bytes, 8)?, le16(bytes, 10)?);
        Some(BlockHeader {
            size: size as usize,
            is_data: kind == if layout == 1 { 2 } else { 3 },
            is_plain: flags & 1 != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_cannot_be_read_say_why() {
        let mut header = vec![0x0c, 0xa5, 2, 0];
        header.resize(40, 0);
        header[16] = 3;
        let read = FileHeader::read(&header).unwrap();
        assert_eq!((read.compression, read.len), (Compression::Lz4, 40));
        for len in 0..40 {
            assert!(FileHeader::read(&header[..len]).is_err(), "{len}");
        }
        for (at, byte, reason) in [
            (0, 0, "no file of nfdump"),
            (2, 3, "layout"),
            (16, 9, "compression"),
            (17, 1, "encrypted"),
        ] {
            let mut other = header.clone();
            other[at] = byte;
            assert!(FileHeader::read(&other).unwrap_err().contains(reason));
        }
        header.swap(0, 1);
        assert!(
            FileHeader::read(&header)
                .unwrap_err()
                .contains("order of bytes")
        );
    }
}
