//! Compressed blocks.

use std::io::Read;

/// The most bytes of a block, compressed or not: nfdump's are 1 to 2 MiB, 10 MiB at most.
pub(super) const BLOCK_MAX: usize = 16 << 20;

/// How blocks are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Lzo,
    Bz2,
    Lz4,
    Zstd,
}

impl Compression {
    /// By its number in the header of layout 2.
    pub(super) fn of_number(number: u8) -> Option<Compression> {
        Some(match number {
            0 => Compression::None,
            1 => Compression::Lzo,
            2 => Compression::Bz2,
            3 => Compression::Lz4,
            4 => Compression::Zstd,
            _ => return None,
        })
    }

    /// By its bit in the header of layout 1.
    pub(super) fn of_flags(flags: u32) -> Compression {
        match flags {
            _ if flags & 0x1 != 0 => Compression::Lzo,
            _ if flags & 0x8 != 0 => Compression::Bz2,
            _ if flags & 0x10 != 0 => Compression::Lz4,
            _ => Compression::None,
        }
    }
}

/// Takes a block apart into `out`, which has [`BLOCK_MAX`] bytes at most. Gives how many bytes it
/// has; none where it is damaged or too large.
pub(super) fn unpack(compression: Compression, packed: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    match compression {
        Compression::None => None,
        Compression::Lzo => grow(out, |out| {
            match lzokay::decompress::decompress(packed, out) {
                Ok(len) => Some(Ok(len)),
                Err(lzokay::Error::OutputOverrun) => Some(Err(TooSmall)),
                Err(_) => None,
            }
        }),
        Compression::Lz4 => grow(out, |out| {
            match lz4_flex::block::decompress_into(packed, out) {
                Ok(len) => Some(Ok(len)),
                Err(lz4_flex::block::DecompressError::OutputTooSmall { .. }) => Some(Err(TooSmall)),
                Err(_) => None,
            }
        }),
        Compression::Bz2 => stream(bzip2::read::BzDecoder::new(packed), out),
        Compression::Zstd => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(packed).ok()?;
            stream(decoder, out)
        }
    }
}

struct TooSmall;

/// What a block is expected to have.
const USUAL: usize = 2 << 20;

/// Tries with more and more room.
fn grow(
    out: &mut Vec<u8>,
    mut unpack: impl FnMut(&mut [u8]) -> Option<Result<usize, TooSmall>>,
) -> Option<usize> {
    if out.len() < USUAL {
        out.resize(USUAL, 0);
    }
    loop {
        match unpack(out)? {
            Ok(len) => return Some(len),
            Err(TooSmall) if out.len() < BLOCK_MAX => out.resize(BLOCK_MAX, 0),
            Err(TooSmall) => return None,
        }
    }
}

fn stream(mut input: impl Read, out: &mut Vec<u8>) -> Option<usize> {
    out.clear();
    let mut limited = input.by_ref().take(BLOCK_MAX as u64 + 1);
    limited.read_to_end(out).ok()?;
    (out.len() <= BLOCK_MAX).then_some(out.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn every_compression_is_undone_and_damage_found() {
        let plain: Vec<u8> = (0..100_000u32).map(|n| (n / 7 % 251) as u8).collect();
        let lzo = lzokay::compress::compress(&plain).unwrap();
        let lz4 = lz4_flex::block::compress(&plain);
        let mut bz2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bz2.write_all(&plain).unwrap();
        let bz2 = bz2.finish().unwrap();
        let zstd = ruzstd::encoding::compress_to_vec(
            &plain[..],
            ruzstd::encoding::CompressionLevel::Fastest,
        );
        for (compression, packed) in [
            (Compression::Lzo, lzo),
            (Compression::Lz4, lz4),
            (Compression::Bz2, bz2),
            (Compression::Zstd, zstd),
        ] {
            let mut out = Vec::new();
            let len = unpack(compression, &packed, &mut out).unwrap();
            assert_eq!(out[..len], plain, "{compression:?}");
            for cut in (0..packed.len()).step_by(97) {
                let len = unpack(compression, &packed[..cut], &mut out);
                assert!(
                    len.is_none_or(|len| len < plain.len()),
                    "{compression:?} {cut}"
                );
            }
            for at in (0..packed.len()).step_by(89) {
                let mut damaged = packed.clone();
                damaged[at] ^= 0x5a;
                let len = unpack(compression, &damaged, &mut out);
                assert!(len.is_none_or(|len| len <= BLOCK_MAX));
            }
        }
    }
}
