//! A generator of queries: conjunctions of header tests that packets of a capture pass.

use std::env;
use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::net::Ipv4Addr;
use std::process::ExitCode;
use wireq_bench::capture::{Capture, Io};
use wireq_bench::random::Random;

const USAGE: &str = "\
usage: queries FILE.pcap --count N --seed S [--suffix TEXT]

Prints N statements `where TEST and TEST ... | TEXT` (count() | print count): each of 2 to 4 tests
of an address or prefix, a port or range, TCP flags, a range of ttl. Each is made around a packet
of the file, so that it has results; those that too many packets pass are left out, so that the
mean is at most two statements a packet.
";

/// Packets that queries are made around and tried on.
const SAMPLE: usize = 20_000;
const MEAN_MAX: f64 = 2.0;

/// The headers of an IPv4 packet of TCP or UDP.
struct Packet {
    addresses: [u32; 2],
    ports: [u16; 2],
    flags: Option<u8>,
    ttl: u8,
}

#[derive(Clone, Copy, PartialEq)]
enum Test {
    /// Source or destination, network, bits.
    Prefix(usize, u32, u32),
    Ports(usize, u16, u16),
    Flags(u8),
    /// All of these bits.
    FlagBits(u8),
    Ttl(u8, u8),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let Some((path, count, seed, suffix)) = parse(&arguments) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let packets = match sample(&path) {
        Ok(packets) if !packets.is_empty() => packets,
        Ok(_) => {
            eprintln!("queries: {path} has no IPv4 packet of TCP or UDP");
            return ExitCode::FAILURE;
        }
        Err(error) => {
            eprintln!("queries: {path}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut text = String::new();
    let mean = write_queries(&packets, count, seed, &suffix, &mut text);
    print!("{text}");
    eprintln!("{count} statements, {mean:.2} a packet");
    ExitCode::SUCCESS
}

fn parse(arguments: &[String]) -> Option<(String, usize, u64, String)> {
    let (mut path, mut count, mut seed) = (None, None, None);
    let mut suffix = "count() | print count".to_owned();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--count" => count = Some(rest.next()?.parse().ok()?),
            "--seed" => seed = Some(rest.next()?.parse().ok()?),
            "--suffix" => suffix = rest.next()?.clone(),
            file if path.is_none() && !file.starts_with('-') => path = Some(file.to_owned()),
            _ => return None,
        }
    }
    Some((path?, count?, seed?, suffix))
}

/// Packets from all over the file.
fn sample(path: &str) -> Result<Vec<Packet>, String> {
    let open = || Capture::open(OsStr::new(path), Io::Block).map_err(|error| error.to_string());
    let mut total = 0usize;
    open()?
        .walk(|_, _| total += 1)
        .map_err(|error| error.to_string())?;
    let (mut packets, mut at) = (Vec::new(), 0);
    let step = total.div_ceil(SAMPLE).max(1);
    let walked = open()?.walk(|frame, _| {
        at += 1;
        if at % step == 0 {
            packets.extend(packet(frame));
        }
    });
    walked.map_err(|error| error.to_string())?;
    Ok(packets)
}

fn packet(frame: &[u8]) -> Option<Packet> {
    let ip = frame.get(14..).filter(|_| frame[12..14] == [8, 0])?;
    let header = ip.first_chunk::<20>()?;
    let transport = ip.get(usize::from(header[0] & 15) * 4..)?;
    let word = |at: usize| u32::from_be_bytes([ip[at], ip[at + 1], ip[at + 2], ip[at + 3]]);
    let &[a, b, c, d] = transport.first_chunk::<4>()?;
    let first = header[6] & 0x1f == 0 && header[7] == 0;
    Some(Packet {
        addresses: [word(12), word(16)],
        ports: [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])],
        flags: match header[9] {
            6 => Some(*transport.get(13)?),
            _ => None,
        },
        ttl: header[8],
    })
    .filter(|_| first && matches!(header[9], 6 | 17))
}

fn write_queries(
    packets: &[Packet],
    count: usize,
    seed: u64,
    suffix: &str,
    text: &mut String,
) -> f64 {
    let mut random = Random::new(seed);
    let (mut passed, mut written) = (0usize, 0usize);
    while written < count {
        let tests = query(packets, &mut random);
        // The mean of those written so far keeps below that of all: one that is too wide is seen
        // to be after a few packets.
        let allowed = MEAN_MAX * (written + 1) as f64 / count as f64 * packets.len() as f64;
        let left = (allowed as usize).saturating_sub(passed);
        let passing = packets.iter().filter(|p| tests.iter().all(|t| t.passes(p)));
        let passing = passing.take(left + 1).count();
        if passing > left {
            continue;
        }
        passed += passing;
        written += 1;
        let tests: Vec<String> = tests.iter().map(Test::to_string).collect();
        let _ = writeln!(text, "where {} | {suffix}", tests.join(" and "));
    }
    passed as f64 / packets.len() as f64
}

fn query(packets: &[Packet], random: &mut Random) -> Vec<Test> {
    let packet = &packets[random.below(packets.len() as u64) as usize];
    let wanted = 2 + random.below(3) as usize;
    let mut tests: Vec<Test> = Vec::new();
    while tests.len() < wanted {
        let side = random.below(2) as usize;
        let test = match random.below(8) {
            0..=2 => {
                let bits = *[32, 32, 28, 24, 24, 20, 16]
                    .get(random.below(7) as usize)
                    .unwrap_or(&32);
                Test::Prefix(
                    side,
                    packet.addresses[side] & (u32::MAX << (32 - bits)),
                    bits,
                )
            }
            3..=5 => {
                let port = packet.ports[side];
                let width = match random.below(3) {
                    0 => 0,
                    _ => random.below(2000) as u16,
                };
                Test::Ports(
                    side,
                    port.saturating_sub(width / 2),
                    port.saturating_add(width / 2),
                )
            }
            6 => match packet.flags {
                Some(flags) if side == 0 => Test::Flags(flags),
                Some(flags) => Test::FlagBits(flags),
                None => continue,
            },
            _ => {
                let width = random.below(32) as u8;
                Test::Ttl(
                    packet.ttl.saturating_sub(width),
                    packet.ttl.saturating_add(width),
                )
            }
        };
        let kind = |test: &Test| match test {
            Test::Prefix(side, ..) => *side,
            Test::Ports(side, ..) => 2 + side,
            Test::Flags(_) | Test::FlagBits(_) => 4,
            Test::Ttl(..) => 5,
        };
        if !tests.iter().any(|known| kind(known) == kind(&test)) {
            tests.push(test);
        }
    }
    tests
}

impl Test {
    fn passes(&self, packet: &Packet) -> bool {
        match *self {
            Test::Prefix(side, network, bits) => {
                packet.addresses[side] & (u32::MAX << (32 - bits)) == network
            }
            Test::Ports(side, low, high) => (low..=high).contains(&packet.ports[side]),
            Test::Flags(flags) => packet.flags == Some(flags),
            Test::FlagBits(bits) => packet.flags.is_some_and(|flags| flags & bits == bits),
            Test::Ttl(low, high) => (low..=high).contains(&packet.ttl),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |side: usize| ["src", "dst"][side];
        match *self {
            Test::Prefix(side, network, 32) => {
                write!(f, "{}ip = {}", end(side), Ipv4Addr::from(network))
            }
            Test::Prefix(side, network, bits) => {
                write!(f, "{}ip = {}/{bits}", end(side), Ipv4Addr::from(network))
            }
            Test::Ports(side, low, high) if low == high => write!(f, "{}port = {low}", end(side)),
            Test::Ports(side, low, high) => {
                let port = format!("{}port", end(side));
                write!(f, "{port} >= {low} and {port} <= {high}")
            }
            Test::Flags(flags) => write!(f, "tcpflags = {flags}"),
            Test::FlagBits(bits) => write!(f, "band(tcpflags, {bits}) = {bits}"),
            Test::Ttl(low, high) => write!(f, "ttl >= {low} and ttl <= {high}"),
        }
    }
}
