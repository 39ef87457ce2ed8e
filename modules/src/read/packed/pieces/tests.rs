//! Pieces against one decoder.

use super::*;
use crate::read::packed::damage;
use bzip2::write::BzEncoder;
use flate2::write::{DeflateEncoder, GzEncoder};
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use lzma_rust2::{XzOptions, XzWriter};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::io::Write;
use std::num::NonZeroU64;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Bytes of which about half can be packed away.
    fn bytes(&mut self, len: usize) -> Vec<u8> {
        let words = (0..len / 8).map(|_| self.next() & 0x0f0f_0f0f_0f0f_0f0f);
        words.flat_map(u64::to_be_bytes).collect()
    }
}

const FORMATS: [(&str, Packing); 9] = [
    ("gzip", Packing::Gzip),
    ("bgzf", Packing::Gzip),
    ("zstd", Packing::Zstd),
    ("lz4", Packing::Lz4),
    ("lz4 blocks", Packing::Lz4),
    ("bzip2", Packing::Bzip2),
    ("bzip2 streams", Packing::Bzip2),
    ("xz", Packing::Xz),
    ("xz streams", Packing::Xz),
];

/// A piece that holds this.
fn pack(format: &str, bytes: &[u8]) -> Vec<u8> {
    let written = match format {
        "gzip" => {
            let mut out = GzEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(bytes).and_then(|()| out.finish())
        }
        "bgzf" => bytes.chunks(60_000).try_fold(Vec::new(), |mut all, bytes| {
            let mut out = DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(bytes)?;
            let packed = out.finish()?;
            all.extend([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, b'B', b'C', 2, 0]);
            all.extend((packed.len() as u16 + 25).to_le_bytes());
            all.extend(packed);
            let mut crc = flate2::Crc::new();
            crc.update(bytes);
            all.extend(crc.sum().to_le_bytes());
            all.extend((bytes.len() as u32).to_le_bytes());
            Ok(all)
        }),
        "zstd" => Ok(compress_to_vec(bytes, CompressionLevel::Fastest)),
        "lz4" => {
            let mut out = FrameEncoder::new(Vec::new());
            let written = out.write_all(bytes);
            written.and_then(|()| out.finish().map_err(io::Error::other))
        }
        "lz4 blocks" => {
            let info = FrameInfo::new()
                .block_size(BlockSize::Max64KB)
                .block_mode(BlockMode::Independent)
                .block_checksums(bytes.len().is_multiple_of(3))
                .content_checksum(!bytes.len().is_multiple_of(5))
                .content_size(Some(bytes.len() as u64));
            let mut out = FrameEncoder::with_frame_info(info, Vec::new());
            let written = out.write_all(bytes);
            written.and_then(|()| out.finish().map_err(io::Error::other))
        }
        "bzip2" | "bzip2 streams" => {
            let mut out = BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            out.write_all(bytes).and_then(|()| out.finish())
        }
        _ => {
            let mut options = XzOptions::with_preset(0);
            options.lzma_options.dict_size = 1 << 16;
            options.set_block_size(NonZeroU64::new(100_000));
            let mut out = XzWriter::new(Vec::new(), options).expect("good options");
            out.write_all(bytes).and_then(|()| out.finish())
        }
    };
    written.expect("memory takes it")
}

/// What a reader gives, and how it ends.
fn all(from: &mut dyn Chunks, means: &Means) -> (Vec<u8>, Option<&'static str>) {
    let mut all = Vec::new();
    loop {
        let chunk = from.chunk(means);
        all.extend(&chunk.bytes);
        match chunk.failed {
            Some(error) => return (all, Some(damage(&error).expect("it is damage"))),
            None if chunk.ended => return (all, None),
            None => {}
        }
    }
}

fn alone(file: &Arc<File>, packing: Packing) -> (Vec<u8>, Option<&'static str>) {
    let window = Window {
        file: Arc::clone(file),
        at: 0,
        end: u64::MAX,
    };
    let inner = Peeked::new(Box::new(window), &Arc::default());
    let inner = decoder(packing, inner, 0);
    let damage = packing.damage();
    all(&mut Marked { inner, damage }, &Means::default())
}

fn file(bytes: &[u8]) -> Arc<File> {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("it can be written");
    Arc::new(file)
}

fn means(threads: usize) -> Means {
    let means = Means {
        threads,
        ..Means::default()
    };
    // The file itself is one that is being unpacked.
    std::mem::forget(means.begin());
    means
}

/// Something packed, in pieces of several sizes.
fn packed(format: &str, random: &mut Random) -> Vec<u8> {
    if ["xz", "bzip2"].contains(&format) {
        return pack(format, &random.bytes(1_500_000));
    }
    let mut all = Vec::new();
    for at in 0..9 {
        let mut len = [0, 80_000, 200_000][random.below(3)] + random.below(300_000);
        if format == "lz4 blocks" && at % 3 == 1 {
            len += 2_000_000;
        }
        all.extend(pack(format, &random.bytes(len)));
        if at == 4 {
            match format {
                // A skippable frame; padding.
                "zstd" | "lz4" => all.extend(b"\x51\x2a\x4d\x18\x05\0\0\0hello"),
                "xz streams" => all.extend([0; 8]),
                _ => {}
            }
        }
    }
    all
}

#[test]
fn pieces_are_all_of_it() {
    let mut random = Random(7);
    for (format, packing) in FORMATS {
        let file = file(&packed(format, &mut random));
        let expected = alone(&file, packing);
        assert!(expected.0.len() > 1_000_000 && expected.1.is_none());
        for threads in [2, 3, 7] {
            let means = means(threads);
            let pieces = Pieces::new(&file, packing, &means, &Arc::default());
            let mut pieces = pieces.unwrap_or_else(|| panic!("{format} has pieces"));
            assert!(all(&mut pieces, &means) == expected, "{format}");
            assert!(pieces.rest.is_none(), "{format} is in pieces to its end");
        }
        assert!(Pieces::new(&file, packing, &means(1), &Arc::default()).is_none());
    }
}

#[test]
fn what_is_one_piece_is_for_one() {
    let mut random = Random(9);
    for (format, packing) in FORMATS {
        let file = file(&pack(format, &random.bytes(50_000)));
        assert!(
            Pieces::new(&file, packing, &means(4), &Arc::default()).is_none(),
            "{format}"
        );
    }
}

/// Whatever is damaged, as much comes and the same is said of it as where one decoder reads all.
#[test]
fn damage_is_the_same() {
    let seeds = std::env::var("WIREQ_MUTATIONS").map_or(25, |seeds| {
        seeds.parse().expect("WIREQ_MUTATIONS is a number")
    });
    let (mut in_pieces, mut failed) = (0, 0);
    for (format, packing) in FORMATS {
        let whole = packed(format, &mut Random(11));
        for seed in 1..=seeds {
            let mut random = Random(seed * 0x9e37_79b9);
            let mut bytes = whole.clone();
            for _ in 0..=random.below(2) {
                let at = random.below(bytes.len());
                match random.below(5) {
                    0 => bytes.truncate(at.max(1)),
                    1 => bytes[at] ^= 1 << random.below(8),
                    2 => drop(bytes.splice(at..at, [0; 9])),
                    3 => bytes.extend([[0; 8], *b"\x1f\x8b\x08\0\0\0\0\0"][random.below(2)]),
                    _ => drop(bytes.drain(at..(at + random.below(300)).min(bytes.len()))),
                }
                if bytes.is_empty() {
                    bytes.push(0);
                }
            }
            let file = file(&bytes);
            let expected = alone(&file, packing);
            failed += usize::from(expected.1.is_some());
            let means = means(2 + random.below(2));
            if let Some(mut pieces) = Pieces::new(&file, packing, &means, &Arc::default()) {
                let got = all(&mut pieces, &means);
                let lens = (got.0.len(), expected.0.len());
                assert_eq!(got.1, expected.1, "{format}, {seed}: {lens:?}");
                assert!(got.0 == expected.0, "{format}, {seed}: {lens:?}");
                in_pieces += 1;
            }
        }
    }
    println!("{in_pieces} files in pieces, {failed} damaged");
    assert!(in_pieces as u64 > 3 * seeds && failed as u64 > 4 * seeds);
}

/// Who reads no more is not waited for, and does not wait.
#[test]
fn reading_may_end_anywhere() {
    let mut random = Random(13);
    for (format, packing) in FORMATS {
        let file = file(&packed(format, &mut random));
        for _ in 0..8 {
            let means = means(3);
            let mut pieces =
                Pieces::new(&file, packing, &means, &Arc::default()).expect("it has pieces");
            for _ in 0..random.below(12) {
                pieces.chunk(&means);
            }
        }
    }
}
