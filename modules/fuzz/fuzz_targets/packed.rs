//! Packed captures with a few bytes changed: the first byte says in which format, each six behind it what is
//! changed. Several threads, which unpack pieces, give what one gives and say the same of damage.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::{self, Write};
use std::sync::OnceLock;
use wireq_engine::schedule::{Options, Outputs, Target, run};
use wireq_query_lang::{Files, Text, compile};
use wireq_typesys::Zone;

#[derive(Default)]
struct Memory(Vec<u8>);

impl Outputs for Memory {
    fn write(&mut self, _: Target<'_>, bytes: &[u8], _: bool) -> io::Result<()> {
        self.0.extend(bytes);
        Ok(())
    }
}

/// A capture that cannot be packed well, so that there are several pieces.
fn capture() -> Vec<u8> {
    let mut all = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0".to_vec();
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    for number in 0..800u32 {
        let len = 60 + 8 * (number % 130);
        all.extend([number, 0, len, len].map(u32::to_le_bytes).concat());
        for at in 0..len {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            all.push(if at % 8 < 3 { 7 } else { random as u8 });
        }
    }
    all
}

fn gzip(bytes: &[u8], is_blocked: bool) -> io::Result<Vec<u8>> {
    let level = flate2::Compression::fast();
    if !is_blocked {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), level);
        out.write_all(bytes)?;
        return out.finish();
    }
    let mut out = flate2::write::DeflateEncoder::new(Vec::new(), level);
    out.write_all(bytes)?;
    let packed = out.finish()?;
    let mut all = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, b'B', b'C', 2, 0];
    all.extend((packed.len() as u16 + 25).to_le_bytes());
    all.extend(packed);
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    all.extend(crc.sum().to_le_bytes());
    all.extend((bytes.len() as u32).to_le_bytes());
    Ok(all)
}

fn lz4(bytes: &[u8]) -> io::Result<Vec<u8>> {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let info = FrameInfo::new()
        .block_size(BlockSize::Max64KB)
        .block_mode(BlockMode::Independent)
        .content_checksum(true);
    let mut out = FrameEncoder::with_frame_info(info, Vec::new());
    out.write_all(bytes)?;
    out.finish().map_err(io::Error::other)
}

fn bzip2(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    out.write_all(bytes)?;
    out.finish()
}

fn xz(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut options = lzma_rust2::XzOptions::with_preset(0);
    options.lzma_options.dict_size = 1 << 16;
    options.set_block_size(std::num::NonZeroU64::new(1 << 16));
    let mut out = lzma_rust2::XzWriter::new(Vec::new(), options)?;
    out.write_all(bytes)?;
    out.finish()
}

fn zstd(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    Ok(ruzstd::encoding::compress_to_vec(bytes, level))
}

/// The capture in each format, in members of several sizes.
fn packed() -> &'static [Vec<u8>] {
    static ALL: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    ALL.get_or_init(|| {
        let plain = capture();
        let members = |len: usize, pack: &dyn Fn(&[u8]) -> io::Result<Vec<u8>>| -> Vec<u8> {
            let packed = plain.chunks(len).map(|part| pack(part).expect("memory takes it"));
            packed.flatten().collect()
        };
        vec![
            members(60_000, &|part| gzip(part, true)),
            members(90_000, &|part| gzip(part, false)),
            members(70_000, &zstd),
            members(80_000, &lz4),
            members(usize::MAX, &|part| lz4(&[part, part, part].concat())),
            members(usize::MAX, &bzip2),
            members(usize::MAX, &xz),
        ]
    })
}

fuzz_target!(|input: &[u8]| {
    let Some((which, edits)) = input.split_first() else { return };
    let mut bytes = packed()[usize::from(*which) % packed().len()].clone();
    for edit in edits.chunks_exact(6).take(8) {
        let at = u32::from_le_bytes([edit[0], edit[1], edit[2], 0]) as usize % (bytes.len() + 1);
        let (len, value) = (usize::from(edit[4] % 16), edit[5]);
        let end = (at + len).min(bytes.len());
        match edit[3] % 5 {
            0 => bytes[at..end].fill(value),
            1 => drop(bytes.splice(at..at, vec![value; len])),
            2 => drop(bytes.drain(at..end)),
            3 if at > bytes.len() / 2 => bytes.truncate(at),
            3 => {}
            _ => bytes[at..end].iter_mut().for_each(|byte| *byte ^= value),
        }
    }
    let path = std::env::temp_dir().join(format!("wireq-fuzz-packed-{}", std::process::id()));
    std::fs::write(&path, &bytes).expect("the temporary folder takes files");
    let run_on = |threads: usize| {
        let zone = Zone::utc();
        let texts = [Text { name: "query".into(), text: "print ts len caplen; head 300 | count()".into() }];
        let files = Some(Files { module: "pcapfile", paths: vec![path.to_string_lossy().into_owned()], flags: Vec::new() });
        let options = wireq_query_lang::Options { files, ..wireq_query_lang::Options::new(&zone) };
        let Ok(plan) = compile(&texts, &wireq_modules::registry(), &options) else { panic!("the query compiles") };
        let mut out = Memory::default();
        let options = Options { threads, ..Options::default() };
        let report = run(plan, &options, &mut out).expect("damage ends no run");
        let inputs = report.accounts.into_iter().filter_map(|node| node.input);
        let mut inputs: Vec<_> = inputs.flat_map(|input| input.inputs).collect();
        // What is moved from block to block is as may be.
        inputs.iter_mut().for_each(|input| input.bytes_searched = 0);
        (out.0, inputs)
    };
    let one = run_on(1);
    let several = run_on(2 + usize::from(*which / 128));
    assert!(one == several, "{:?} {:?}", one.1, several.1);
});
