//! A generator of Ethernet captures: the same bytes for the same arguments, on any machine.

use std::env;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use wireq_bench::capture::{FILE_HEADER_BYTES, RECORD_HEADER_BYTES};
use wireq_bench::random::Random;
use wireq_bench::traffic::{FRAME_BYTES_MAX, FRAME_BYTES_MIN, Traffic};

const USAGE: &str = "\
usage: generate OUT.pcap --bytes N --seed S [--flows F] [--mean-len L]

Writes a classic pcap (little-endian, microseconds) of at most N bytes, 24 at least (a
header alone); N may end in k, m or g (10^3, 10^6, 10^9). `-` is standard output. F
(10000) flows begin evenly over the file, or as many as there are packets; L (600, 60 to
1514) is the mean length of a frame.
";

/// 2024-01-01 00:00:00 UTC.
const START_S: u64 = 1_704_067_200;
/// The mean gap is half of it: 100,000 packets a second.
const GAP_US_MAX: u64 = 20;

struct Arguments {
    out: String,
    bytes: u64,
    seed: u64,
    flows: u64,
    mean_len: usize,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let Some(arguments) = parse(&arguments) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    match open(&arguments.out).and_then(|out| write_capture(&arguments, out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("generate: {}: {error}", arguments.out);
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[String]) -> Option<Arguments> {
    let (mut out, mut bytes, mut seed) = (None, None, None);
    let (mut flows, mut mean_len) = (10_000, 600);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--bytes" => bytes = Some(size(rest.next()?)?),
            "--seed" => seed = Some(rest.next()?.parse().ok()?),
            "--flows" => flows = size(rest.next()?)?,
            "--mean-len" => mean_len = rest.next()?.parse().ok()?,
            option if option.starts_with("--") || out.is_some() => return None,
            path => out = Some(path.to_owned()),
        }
    }
    let usable = bytes? >= FILE_HEADER_BYTES as u64
        && flows > 0
        && (FRAME_BYTES_MIN..=FRAME_BYTES_MAX).contains(&mean_len);
    usable.then_some(Arguments {
        out: out?,
        bytes: bytes?,
        seed: seed?,
        flows,
        mean_len,
    })
}

fn size(text: &str) -> Option<u64> {
    let (digits, unit) = match text.strip_suffix(['k', 'm', 'g']) {
        Some(digits) if text.ends_with('k') => (digits, 1_000),
        Some(digits) if text.ends_with('m') => (digits, 1_000_000),
        Some(digits) => (digits, 1_000_000_000),
        None => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn open(path: &str) -> io::Result<Box<dyn Write>> {
    Ok(match path {
        "-" => Box::new(io::stdout().lock()),
        path => Box::new(File::create(path)?),
    })
}

fn write_capture(arguments: &Arguments, out: impl Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, out);
    out.write_all(&file_header())?;
    let mut traffic = Traffic::new(arguments.seed, arguments.mean_len);
    let mut gaps = Random::new(!arguments.seed);
    let mut time_us = START_S * 1_000_000;
    let mut written = FILE_HEADER_BYTES as u64;
    let mut started = 0;
    loop {
        // Flows begin in step with the bytes, so that the last begins near the end.
        let due = u128::from(arguments.flows) * u128::from(written) / u128::from(arguments.bytes);
        let starts = started == 0 || u128::from(started) < due;
        let frame = traffic.frame(started, starts);
        started += u64::from(starts);
        time_us += gaps.below(GAP_US_MAX + 1);
        written += (RECORD_HEADER_BYTES + frame.len()) as u64;
        if written > arguments.bytes {
            return out.flush();
        }
        out.write_all(&record_header(time_us, frame.len()))?;
        out.write_all(frame)?;
    }
}

fn file_header() -> [u8; FILE_HEADER_BYTES] {
    let mut header = [0; FILE_HEADER_BYTES];
    header[..4].copy_from_slice(&0xa1b2_c3d4u32.to_le_bytes());
    header[4..8].copy_from_slice(&[2, 0, 4, 0]);
    header[16..20].copy_from_slice(&262_144u32.to_le_bytes());
    header[20] = 1;
    header
}

fn record_header(time_us: u64, length: usize) -> [u8; RECORD_HEADER_BYTES] {
    let length = u32::try_from(length).expect("frames are short");
    let seconds = u32::try_from(time_us / 1_000_000).unwrap_or(u32::MAX);
    let micros = u32::try_from(time_us % 1_000_000).expect("less than a million");
    let mut header = [0; RECORD_HEADER_BYTES];
    for (place, value) in header
        .chunks_exact_mut(4)
        .zip([seconds, micros, length, length])
    {
        place.copy_from_slice(&value.to_le_bytes());
    }
    header
}
