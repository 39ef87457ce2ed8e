//! Captures whose pairs of addresses are keys of one's choice: many, and such as collide for a hash
//! without a secret.

use std::env;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use wireq_bench::capture::FILE_HEADER_BYTES;
use wireq_bench::random::mix;

const USAGE: &str = "\
usage: keys OUT.pcap --keys N [--times T] [--kind spread|fx|seed0]

Writes a classic pcap of datagrams of 60 bytes with N (up to 3000000000) pairs of a sender and a
receiver, each T (2) times and as far apart as can be. Kinds of pairs:
  spread  any
  fx      those whose FxHash (of rustc-hash 1, over both addresses as one word) has the same low 32
          bits: one place in any table that takes its index from these
  seed0   those that wireq's own hash, with --seed 0, puts into one of its 64 tables, at one of
          2^10 places in it
";

struct Arguments {
    out: String,
    keys: u64,
    times: u64,
    kind: String,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some(arguments) = parse(&arguments) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    match File::create(&arguments.out).and_then(|out| write_capture(&arguments, out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("keys: {}: {error}", arguments.out);
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[String]) -> Option<Arguments> {
    let (mut out, mut keys, mut times, mut kind) = (None, None, 2, "spread".to_owned());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--keys" => keys = Some(rest.next()?.parse().ok()?),
            "--times" => times = rest.next()?.parse().ok()?,
            "--kind" => kind.clone_from(rest.next()?),
            option if option.starts_with("--") || out.is_some() => return None,
            path => out = Some(path.to_owned()),
        }
    }
    let is_kind = ["spread", "fx", "seed0"].contains(&kind.as_str());
    Some(Arguments {
        out: out?,
        keys: keys.filter(|keys| is_kind && (1..=3_000_000_000).contains(keys))?,
        times,
        kind,
    })
}

/// Both addresses of each key, the sender's in the high half.
fn pairs(arguments: &Arguments) -> Vec<u64> {
    let keys = 0..arguments.keys;
    match arguments.kind.as_str() {
        // The bytes of the word, lowest first, are those of the pair: the receiver's are the high
        // ones, which the multiplication of FxHash never brings down.
        "fx" => keys.map(|key| 0x0a00_0001 << 32 | (key + 1)).collect(),
        "seed0" => {
            let hash = Seed0::new();
            let candidates = (0..).map(mix).filter(|pair| hash.collides(*pair));
            candidates.take(arguments.keys as usize).collect()
        }
        _ => keys.map(mix).collect(),
    }
}

/// wireq's hash of a pair of addresses with seed 0: engine/src/operator/groups.rs.
struct Seed0(u64, u64);

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

impl Seed0 {
    fn new() -> Seed0 {
        let seed = |number: u64| fold(number, MULTIPLIER ^ number);
        Seed0(seed(0x243f_6a88_85a3_08d3), seed(0x1319_8a2e_0370_7344))
    }

    /// Whether a pair comes into the first table and has eight low bits of 0.
    fn collides(&self, pair: u64) -> bool {
        const ADDRESS4: u128 = 47;
        let (sender, receiver) = (u128::from(pair >> 32), u128::from(pair as u32));
        // Ten bytes from the front; the length is the last one.
        let key = ADDRESS4 << 120 | sender << 88 | ADDRESS4 << 80 | receiver << 48 | 10;
        let (high, low) = ((key >> 64) as u64, key as u64);
        let hash = fold(fold(high ^ self.0, low ^ self.1) ^ self.0, MULTIPLIER);
        hash >> 48 & 63 == 0 && hash & 255 == 0
    }
}

fn write_capture(arguments: &Arguments, out: impl Write) -> io::Result<()> {
    let pairs = pairs(arguments);
    let mut out = BufWriter::with_capacity(1 << 20, out);
    let mut header = [0; FILE_HEADER_BYTES];
    header[..4].copy_from_slice(&0xa1b2_c3d4u32.to_le_bytes());
    header[4..8].copy_from_slice(&[2, 0, 4, 0]);
    header[16..20].copy_from_slice(&65_535u32.to_le_bytes());
    header[20] = 1;
    out.write_all(&header)?;
    let keys = pairs.len() as u64;
    for number in 0..keys * arguments.times {
        // 2^31 - 1 is prime: all keys come before the first comes again.
        let at = (u128::from(number) * 2_147_483_647 % u128::from(keys)) as usize;
        let micros = number * 10;
        let times = [micros / 1_000_000, micros % 1_000_000, 60, 60];
        for value in times {
            out.write_all(&(value as u32).to_le_bytes())?;
        }
        out.write_all(&frame(pairs[at]))?;
    }
    out.flush()
}

/// A datagram between the addresses of a pair.
fn frame(pair: u64) -> [u8; 60] {
    let mut frame = [2; 60];
    frame[12..34].copy_from_slice(&[
        8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
    frame[26..34].copy_from_slice(&pair.to_be_bytes());
    let words = frame[14..34].chunks_exact(2);
    let sum: u32 = words
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
        .sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    frame[24..26].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    frame[34..42].copy_from_slice(&[0x14, 0xe9, 0, 53, 0, 26, 0, 0]);
    frame
}
