//! The limits: what the fastest reasonable hand-written loops cost for seven questions.
//!
//! wireq answers the same questions with the same results; the ratio of the CPU times is
//! the price of asking in a language. See `bench/README.md`.

mod flows;

use hashbrown::{HashMap, HashSet};
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufWriter, Write};
use std::net::Ipv6Addr;
use std::process::ExitCode;
use wireq_bench::capture::{Capture, End, Error, Io};
use wireq_bench::decode::{Addresses, Network, TCP, UDP, network};

const USAGE: &str = "\
usage: limit [--io map|block|best] PROGRAM FILE

  filter-count   packets with dstport = 80 and ipprotocol = tcp
  dstport-count  packets with dstport = 80
  group-srcip    srcip, packets and sum(len), by ascending srcip
  five-filters   five counts, a line each: dstport = 80 and ipprotocol = tcp,
                 dstport = 443 and ipprotocol = tcp, dstport = 53 and ipprotocol = udp,
                 srcport = 443, len > 1000
  uniq4          distinct srcip, dstip, srcport, dstport
  group-tuple    the ten of srcip, srcport, dstip, dstport, ipprotocol with most bytes, with packets
                 and bytes
  flowid         flows by the same five fields: how many, packets, bytes, the most bytes of one,
                 the latest second

FILE is classic pcap of Ethernet frames. best (the default) is block: it was the
faster one where we measured (bench/README.md).
";

/// The way to read that cost less CPU time (bench/README.md has the figures).
const BEST: Io = Io::Block;

/// What answers one question about a capture, on this writer.
type Program = fn(Capture, &mut dyn Write) -> Result<End, Error>;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let Some((io, program, path)) = parse(&arguments) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(io, program, path) {
        Ok(End::Whole) => ExitCode::SUCCESS,
        Ok(End::Damaged { offset }) => {
            let path = path.display();
            eprintln!("limit: {path}: damaged from byte {offset} on, the rest is not read");
            ExitCode::SUCCESS
        }
        Err(Error::System(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("limit: {}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}

/// The way to read, the program and the file.
fn parse(arguments: &[OsString]) -> Option<(Io, Program, &OsStr)> {
    let (io, rest) = match arguments {
        [option, io, rest @ ..] if option == "--io" => (
            match io.to_str()? {
                "map" => Io::Map,
                "block" => Io::Block,
                "best" => BEST,
                _ => return None,
            },
            rest,
        ),
        _ => (BEST, arguments),
    };
    let [name, path] = rest else { return None };
    let program = match name.to_str()? {
        "filter-count" => filter_count,
        "dstport-count" => dstport_count,
        "group-srcip" => group_srcip,
        "five-filters" => five_filters,
        "uniq4" => uniq4,
        "group-tuple" => flows::group_tuple,
        "flowid" => flows::flowid,
        _ => return None,
    };
    Some((io, program, path))
}

fn run(io: Io, program: Program, path: &OsStr) -> Result<End, Error> {
    let mut out = BufWriter::new(io::stdout().lock());
    let end = program(Capture::open(path, io)?, &mut out)?;
    out.flush()?;
    Ok(end)
}

/// Whether this is a packet of `protocol` to `port`.
#[inline]
fn is_to(packet: &Network<'_>, protocol: u8, port: u16) -> bool {
    packet.protocol == protocol && packet.destination_port() == Some(port)
}

fn filter_count(capture: Capture, out: &mut dyn Write) -> Result<End, Error> {
    let mut count = 0u64;
    let end = capture.walk(|frame, _| {
        count += u64::from(network(frame).is_some_and(|packet| is_to(&packet, TCP, 80)));
    })?;
    writeln!(out, "{count}")?;
    Ok(end)
}

fn dstport_count(capture: Capture, out: &mut dyn Write) -> Result<End, Error> {
    let mut count = 0u64;
    let end = capture.walk(|frame, _| {
        let port = network(frame).and_then(|packet| packet.destination_port());
        count += u64::from(port == Some(80));
    })?;
    writeln!(out, "{count}")?;
    Ok(end)
}

fn five_filters(capture: Capture, out: &mut dyn Write) -> Result<End, Error> {
    let mut counts = [0u64; 5];
    let end = capture.walk(|frame, wire_bytes| {
        counts[4] += u64::from(wire_bytes > 1000);
        if let Some(packet) = network(frame) {
            counts[0] += u64::from(is_to(&packet, TCP, 80));
            counts[1] += u64::from(is_to(&packet, TCP, 443));
            counts[2] += u64::from(is_to(&packet, UDP, 53));
            counts[3] += u64::from(packet.source_port() == Some(443));
        }
    })?;
    for count in counts {
        writeln!(out, "{count}")?;
    }
    Ok(end)
}

/// Packets and bytes of one source.
#[derive(Clone, Copy, Default)]
struct Traffic {
    packets: u64,
    /// Wire bytes: 64 bits hold 2^32 packets of the longest length a record can state.
    bytes: u64,
}

impl Traffic {
    #[inline]
    fn add(&mut self, wire_bytes: u32) {
        self.packets += 1;
        self.bytes = self.bytes.wrapping_add(wire_bytes.into());
    }
}

fn group_srcip(capture: Capture, out: &mut dyn Write) -> Result<End, Error> {
    // Keys are in host order, so that they sort like addresses.
    let mut v4 = HashMap::<u32, Traffic>::new();
    let mut v6 = HashMap::<u128, Traffic>::new();
    let end = capture.walk(|frame, wire_bytes| {
        let group = match network(frame).map(|packet| packet.addresses) {
            Some(Addresses::V4(source, _)) => v4.entry(u32::from_be_bytes(*source)).or_default(),
            Some(Addresses::V6(source, _)) => v6.entry(u128::from_be_bytes(*source)).or_default(),
            None => return,
        };
        group.add(wire_bytes);
    })?;
    let mut line = Vec::new();
    for (source, traffic) in sorted(v4) {
        line.clear();
        push_v4(&mut line, source);
        push_traffic(&mut line, traffic);
        out.write_all(&line)?;
    }
    for (source, traffic) in sorted(v6) {
        line.clear();
        write!(line, "{}", Ipv6Addr::from(source))?;
        push_traffic(&mut line, traffic);
        out.write_all(&line)?;
    }
    Ok(end)
}

fn sorted<Key: Ord + Copy>(groups: HashMap<Key, Traffic>) -> Vec<(Key, Traffic)> {
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_unstable_by_key(|group| group.0);
    groups
}

/// Digits by hand: with many groups `write!` would be a third of the whole run.
fn push_decimal(line: &mut Vec<u8>, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    for (place, digit) in digits.iter_mut().enumerate().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
        first = place;
        if number == 0 {
            break;
        }
    }
    line.extend_from_slice(&digits[first..]);
}

fn push_v4(line: &mut Vec<u8>, address: u32) {
    let [first, rest @ ..] = address.to_be_bytes();
    push_decimal(line, first.into());
    for byte in rest {
        line.push(b'.');
        push_decimal(line, byte.into());
    }
}

fn push_traffic(line: &mut Vec<u8>, traffic: Traffic) {
    line.push(b'\t');
    push_decimal(line, traffic.packets);
    line.push(b'\t');
    push_decimal(line, traffic.bytes);
    line.push(b'\n');
}

/// Both ports and which of them there are: an absent port is a value of its own.
#[inline]
fn ports_key(packet: &Network<'_>) -> u64 {
    let key = |port: Option<u16>| u64::from(port.map_or(0, |port| 0x1_0000 | u32::from(port)));
    key(packet.source_port()) << 32 | key(packet.destination_port())
}

fn uniq4(capture: Capture, out: &mut dyn Write) -> Result<End, Error> {
    let mut v4 = HashSet::<(u64, u64)>::new();
    let mut v6 = HashSet::<(u128, u128, u64)>::new();
    // What lacks all four is one more combination.
    let mut has_none = false;
    let end = capture.walk(|frame, _| {
        let Some(packet) = network(frame) else {
            has_none = true;
            return;
        };
        let ports = ports_key(&packet);
        match packet.addresses {
            Addresses::V4(&[a, b, c, d], &[e, f, g, h]) => {
                v4.insert((u64::from_ne_bytes([a, b, c, d, e, f, g, h]), ports));
            }
            Addresses::V6(source, destination) => {
                let source = u128::from_ne_bytes(*source);
                v6.insert((source, u128::from_ne_bytes(*destination), ports));
            }
        }
    })?;
    writeln!(out, "{}", v4.len() + v6.len() + usize::from(has_none))?;
    Ok(end)
}
