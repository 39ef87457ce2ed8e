//! Flows exported and written are the flows that came: read back by our own readers, by tshark's
//! decoders and by nfdump's.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;
use support::{
    Folder, Random, nfdump, own_captures, run_alone as query, run_with, shared, shared_pcaps,
};
use wireq_engine::Report;
use wireq_engine::schedule::Options;

/// Captures with flows: those that ship, and shared ones: a sample, or all.
fn captures() -> Vec<String> {
    let mut paths = own_captures();
    paths.retain(|path| !path.ends_with("empty.pcap"));
    let all = std::env::var("WIREQ_CAPTURES").is_ok_and(|which| which == "all");
    let mut random = Random(11);
    if let Some(folder) = shared() {
        let captures = shared_pcaps(&folder).into_iter();
        let chosen = captures.filter(|capture| {
            capture.state == "ok" && (all || capture.packets > 100 && random.below(6) == 0)
        });
        paths.extend(chosen.map(|capture| capture.path));
    }
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect()
}

/// A record in one direction: addresses, ports, protocol, packets, bytes, flags, times.
type Line = Vec<String>;

const FLOW: &str = "srcip dstip srcport dstport ipprotocol.number packets bytes flags start end \
                    packetsback bytesback flagsback";
const RECORD: &str =
    "srcip dstip srcport dstport ipprotocol.number packets bytes tcp_flags start end";

/// A time without what is smaller than a millisecond.
fn to_millisecond(time: &str) -> String {
    match time.split_once('.') {
        Some((second, rest)) => {
            let digits: String = rest
                .chars()
                .take_while(char::is_ascii_digit)
                .take(3)
                .collect();
            format!("{second}.{digits:0<3}")
        }
        None => format!("{}.000", time.strip_suffix("+00:00").unwrap_or(time)),
    }
}

/// What is to be exported of a capture's flows, sorted.
fn expected(capture: &str, v4_only: bool) -> Vec<Line> {
    let text = query(&format!(
        "pcapfile {capture} | flow -b iplen | where srcip | print -d '|' {FLOW}"
    ))
    .0;
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut cells: Vec<&str> = line.split('|').collect();
        cells.resize(13, "");
        // What is before 1970 or after 2106 has no place in messages.
        let is_dated = cells[8] >= "1970" && cells[9] < "2106-02-07";
        if v4_only && cells[0].contains(':') || !is_dated {
            continue;
        }
        let number = |cell: &str| {
            if cell.is_empty() {
                "0".into()
            } else {
                cell.to_owned()
            }
        };
        let times = [to_millisecond(cells[8]), to_millisecond(cells[9])];
        let line = |order: [usize; 8]| -> Line {
            let cells = order.iter().map(|at| number(cells[*at]));
            cells.chain(times.clone()).collect()
        };
        let low = |line: &mut Line| {
            let flags: u32 = line[7].parse().unwrap_or(0);
            line[7] = (flags & 255).to_string();
        };
        let forward = line([0, 1, 2, 3, 4, 5, 6, 7]);
        let back = line([1, 0, 3, 2, 4, 10, 11, 12]);
        for mut line in [forward, back] {
            if line[5] != "0" || line[6] != "0" {
                low(&mut line);
                lines.push(line);
            }
        }
    }
    lines.sort();
    lines
}

/// The records that a reader finds, sorted.
fn found(reader: &str) -> (Vec<Line>, Report) {
    let (text, report) = query(&format!("{reader} | print -d '|' {RECORD}"));
    let line = |line: &str| -> Line {
        let mut cells: Vec<String> = line.split('|').map(str::to_owned).collect();
        cells.resize(10, String::new());
        cells[8] = to_millisecond(&cells[8]);
        cells[9] = to_millisecond(&cells[9]);
        cells
    };
    let mut lines: Vec<Line> = text.lines().map(line).collect();
    lines.sort();
    (lines, report)
}

fn faults(report: &Report) -> Vec<(String, u64)> {
    let inputs = report
        .accounts
        .iter()
        .filter_map(|node| node.input.as_ref());
    inputs
        .flat_map(|input| &input.inputs)
        .flat_map(|input| input.faults.clone())
        .collect()
}

/// What was exported to a file is what its reader finds, without a gap in the sequence.
#[test]
fn files_hold_the_flows() {
    let folder = Folder::new("flowwrite-files");
    let file = folder.path("x");
    let (mut records, mut captures_read) = (0, 0);
    for capture in captures() {
        captures_read += 1;
        for (write, read) in [
            ("netflowwrite -v 5", "netflow"),
            ("netflowwrite -v 9", "netflow"),
            ("netflowwrite -v 9 --refresh 1 --mtu 576", "netflow"),
            ("netflowwrite", "netflow"),
            ("netflowwrite -v 10 --mtu 576 --refresh 2", "netflow"),
            ("nfcapdwrite", "nfcapd"),
            ("nfcapdwrite --lz4", "nfcapd"),
        ] {
            query(&format!(
                "pcapfile {capture} | flow -b iplen | {write} -f {file} | count()"
            ));
            let expected = expected(&capture, write.ends_with('5'));
            let (found, report) = found(&format!("{read} {file}"));
            assert_eq!(found.len(), expected.len(), "{capture}: {write}");
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found, expected, "{capture}: {write}");
            }
            if !expected.is_empty() {
                assert_eq!(faults(&report), [], "{capture}: {write}");
            }
            records += expected.len();
        }
    }
    println!("{captures_read} captures: {records} records written and read");
    assert!(records > 1000);
}

/// Batches of any size, and runs that go on with a saved state, write the same bytes.
#[test]
fn a_resumed_run_writes_the_same() {
    let folder = Folder::new("flowwrite-resumed");
    let (capture, file) = (own("office.pcap"), folder.path("x"));
    for write in [
        "netflowwrite -v 5",
        "netflowwrite -v 9 --mtu 600",
        "netflowwrite --refresh 1 --mtu 576",
        "nfcapdwrite",
        "nfcapdwrite --lz4 --biflow",
    ] {
        // Flows that end while there are more.
        let text = format!("pcapfile {capture} | flow -i 1s -l 1s | {write} -f {file} | count()");
        query(&text);
        let whole = fs::read(&file).expect("it was written");
        assert!(whole.len() > 1000, "{write}");
        for (rows_max, resume_every) in [(1, 0), (7, 1), (64, 2)] {
            let options = Options {
                rows_max,
                resume_every,
                ..Options::default()
            };
            let (result, _) = run_with(&text, &options);
            result.unwrap_or_else(|error| panic!("{write}: {error}"));
            let again = fs::read(&file).expect("it was written");
            assert!(whole == again, "{write}: {rows_max} {resume_every}");
        }
    }
}

/// Both directions in one record, where there is one for both.
#[test]
fn records_of_both_directions() {
    let folder = Folder::new("flowwrite-biflow");
    let (capture, file) = (own("office.pcap"), folder.path("x"));
    let fields = "srcip dstip srcport dstport packets bytes packetsback bytesback start.sec";
    let flows = query(&format!(
        "pcapfile {capture} | flow | where srcip | print {fields}"
    ))
    .0;
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    query(&format!(
        "pcapfile {capture} | flow | netflowwrite --biflow -f {file} | head 1"
    ));
    query(&format!(
        "pcapfile {capture} | flow | netflowwrite --biflow -f {file}"
    ));
    let back = query(&format!(
        "netflow {file} | print srcip dstip srcport dstport packets bytes packetsback bytesback start.sec"
    ))
    .0;
    // Ports of ICMP are written as 0.
    let ports = |text: &str| text.replace("\t\t\t", "\t0\t0\t");
    assert_eq!(sorted(&ports(&flows)), sorted(&back));
    query(&format!(
        "pcapfile {capture} | flow | nfcapdwrite --biflow -f {file}"
    ));
    let back = query(&format!(
        "nfcapd {file} | print srcip dstip srcport dstport packets bytes postPacketDeltaCount postOctetDeltaCount start.sec"
    ))
    .0;
    let absent = |text: &str| {
        let line = |line: &str| {
            let cells: Vec<&str> = line.split('\t').collect();
            let cells: Vec<&str> = cells
                .iter()
                .map(|c| if c.is_empty() { "0" } else { *c })
                .collect();
            cells.join("\t") + "\n"
        };
        text.lines().map(line).collect::<String>()
    };
    assert_eq!(sorted(&absent(&flows)), sorted(&absent(&back)));
}

fn own(name: &str) -> String {
    let captures = own_captures();
    let folder = captures[0].parent().expect("captures are in a folder");
    folder.join(name).display().to_string()
}

/// The datagrams that an export sends.
fn datagrams(export: impl Fn(&str) -> String) -> Vec<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback is there");
    let to = socket.local_addr().expect("it is bound").to_string();
    let wait = Some(Duration::from_millis(700));
    socket.set_read_timeout(wait).expect("it can be set");
    let collector = thread::spawn(move || {
        let mut datagrams = Vec::new();
        let mut buffer = vec![0; 65_535];
        while let Ok(len) = socket.recv(&mut buffer) {
            datagrams.push(buffer[..len].to_vec());
        }
        datagrams
    });
    query(&export(&to));
    collector.join().expect("it collects")
}

/// Messages over UDP: numbered as their protocol says, no longer than asked for, templates first and
/// sent again.
#[test]
fn datagrams_are_numbered_bounded_and_announced() {
    let capture = own("office.pcap");
    for (version, mtu, refresh) in [(5, 1500, 20), (9, 576, 3), (10, 1500, 20), (10, 576, 2)] {
        let datagrams = datagrams(|to| {
            format!(
                "pcapfile {capture} | flow srcip srcport dstip dstport ipprotocol ipid | \
                 netflowwrite -v {version} --mtu {mtu} --refresh {refresh} --rate 3000 --domain 7 -u {to} | count()"
            )
        });
        assert!(datagrams.len() > 3, "{version}: {}", datagrams.len());
        let (mut sequence, mut announced) = (0, 0);
        // Of each template the bytes of a record, and the datagram that had it last.
        let mut known: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        for (at, datagram) in datagrams.iter().enumerate() {
            assert!(datagram.len() + 28 <= mtu, "{version}: {}", datagram.len());
            let half =
                |at: usize| usize::from(u16::from_be_bytes([datagram[at], datagram[at + 1]]));
            let word = |at: usize| half(at) << 16 | half(at + 2);
            assert_eq!(half(0), version);
            let (numbered, header) = match version {
                5 => (word(16), 24),
                9 => (word(12), 20),
                _ => (word(8), 16),
            };
            assert_eq!(numbered, sequence, "{version}: datagram {at}");
            let (mut templates, mut data, mut sets) = (0, 0, header);
            while version != 5 && sets + 4 <= datagram.len() {
                let (set, len) = (half(sets), half(sets + 2));
                assert!(
                    len >= 4 && sets + len <= datagram.len(),
                    "{version}: a set of {len}"
                );
                if set == if version == 9 { 0 } else { 2 } {
                    let mut field = sets + 4;
                    while field + 8 <= sets + len {
                        let fields = (0..half(field + 2)).map(|n| half(field + 4 + 4 * n + 2));
                        let len = fields.sum::<usize>();
                        known.insert(half(field), (len, at));
                        templates += 1;
                        field += 4 + 4 * half(field + 2);
                    }
                } else {
                    let (len_of_one, announced) = known[&set];
                    assert!(at < announced + 2 * refresh, "{version}: long ago at {at}");
                    data += (len - 4) / len_of_one;
                }
                sets += len;
            }
            match version {
                5 => {
                    assert_eq!(datagram.len(), 24 + 48 * half(2));
                    assert_eq!(datagram[21], 7);
                    sequence += half(2);
                }
                9 => {
                    assert_eq!(half(2), templates + data, "{version}: records of {at}");
                    assert_eq!(word(16), 7);
                    sequence += 1;
                }
                _ => {
                    assert_eq!(half(2), datagram.len());
                    assert_eq!(word(12), 7);
                    sequence += data;
                }
            }
            announced += usize::from(templates > 0);
        }
        let most = 2 * (datagrams.len() / refresh + 1);
        assert!(
            announced <= most,
            "{version}: {announced} of {}",
            datagrams.len()
        );
    }
}

/// A capture of datagrams, each in IPv4 and UDP, without a link layer.
fn capture_of(datagrams: &[Vec<u8>], port: u16) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, 101] {
        file.extend(word.to_le_bytes());
    }
    for (at, datagram) in datagrams.iter().enumerate() {
        let len = 28 + datagram.len() as u32;
        for word in [1_800_000_000 + at as u32, 0, len, len] {
            file.extend(word.to_le_bytes());
        }
        file.extend([0x45, 0]);
        file.extend((len as u16).to_be_bytes());
        file.extend([0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 251, 192, 0, 2, 99]);
        file.extend(9000u16.to_be_bytes());
        file.extend(port.to_be_bytes());
        file.extend((len as u16 - 20).to_be_bytes());
        file.extend([0, 0]);
        file.extend(datagram);
    }
    file
}

/// tshark decodes every record as it was exported, and warns of nothing.
#[test]
fn tshark_decodes_what_is_exported() {
    let folder = Folder::new("flowwrite-tshark");
    let mut records = 0;
    for name in ["office.pcap", "ipv6.pcap", "tls.pcap"] {
        let capture = own(name);
        for version in [5, 9, 10] {
            let sent = datagrams(|to| {
                format!(
                    "pcapfile {capture} | flow -b iplen | netflowwrite -v {version} -u {to} --rate 2000 | count()"
                )
            });
            let expected = expected(&capture, version == 5);
            if expected.is_empty() {
                continue;
            }
            let (file, port) = (folder.path("x.pcap"), 2055);
            fs::write(&file, capture_of(&sent, port)).expect("it can be written");
            let mut command = Command::new("tshark");
            command.args(["-r", &file, "-d", "udp.port==2055,cflow", "-T", "fields"]);
            let fields = [
                "cflow.srcaddr",
                "cflow.srcaddrv6",
                "cflow.dstaddr",
                "cflow.dstaddrv6",
                "cflow.srcport",
                "cflow.dstport",
                "cflow.protocol",
                "cflow.packets",
                "cflow.octets",
                "_ws.expert.message",
            ];
            fields
                .iter()
                .for_each(|field| _ = command.args(["-e", field]));
            let Ok(output) = command.output() else {
                println!("SKIPPED: tshark is not installed, so nothing is compared with it");
                return;
            };
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            // Of each frame lists of the values of its records; of two families no order is told.
            let mut sums: Vec<Vec<String>> = vec![Vec::new(); 5];
            for line in text.lines() {
                let mut cells: Vec<&str> = line.split('\t').collect();
                cells.resize(10, "");
                assert_eq!(cells[9], "", "{name} {version}: {line}");
                let mut add = |column: usize, cells: &[&str]| {
                    let values = cells.iter().flat_map(|cell| cell.split(','));
                    let values = values.filter(|value| !value.is_empty());
                    sums[column].extend(values.map(str::to_owned));
                };
                add(0, &cells[0..2]);
                add(1, &cells[2..4]);
                add(2, &cells[5..6]);
                add(3, &cells[7..8]);
                add(4, &cells[8..9]);
            }
            for (column, cell) in sums.iter_mut().zip([0, 1, 3, 5, 6]) {
                let mut ours: Vec<String> =
                    expected.iter().map(|line| line[cell].clone()).collect();
                ours.sort();
                column.sort();
                assert_eq!(*column, ours, "{name} {version}: field {cell}");
            }
            records += expected.len();
        }
    }
    println!("{records} records decoded by tshark");
    assert!(records > 100);
}

const NFDUMP_FORMAT: &str = "fmt:%sa|%da|%sp|%dp|%pr|%pkt|%byt";

/// The records of a file as nfdump prints them, sorted.
fn of_nfdump(files: &[&str]) -> Option<Vec<Line>> {
    let arguments = [&["-q", "-6", "-N", "-o", NFDUMP_FORMAT], files].concat();
    let text = nfdump(&arguments)?;
    let mut lines: Vec<Line> = text
        .lines()
        .filter(|line| line.contains('|'))
        .map(nfdump_line)
        .collect();
    lines.sort();
    Some(lines)
}

fn nfdump_line(line: &str) -> Line {
    let cell = |(at, cell): (usize, &str)| match (at, cell.trim().split_once('.')) {
        // Of ICMP the receiver's port is type and code.
        (2 | 3, Some((kind, code))) => {
            let number = |text: &str| text.parse::<u32>().unwrap_or(0);
            (number(kind) * 256 + number(code)).to_string()
        }
        _ => cell.trim().to_owned(),
    };
    line.split('|').enumerate().map(cell).collect()
}

/// nfdump prints protocols by name or number; ours stand as nfdump has them.
fn as_nfdump(lines: &[Line]) -> Vec<Line> {
    let mut lines: Vec<Line> = lines.iter().map(|line| line[..7].to_vec()).collect();
    lines.sort();
    lines
}

/// nfdump reads what is written: records, figures at the end, and the ten sources with most bytes.
#[test]
fn nfdump_reads_what_is_written() {
    let folder = Folder::new("flowwrite-nfdump");
    let file = folder.path("x");
    let mut records = 0;
    for capture in captures() {
        let expected = expected(&capture, false);
        if expected.len() < 20 {
            continue;
        }
        for flags in ["", "--lz4"] {
            query(&format!(
                "pcapfile {capture} | flow -b iplen | nfcapdwrite {flags} --ident wireq -f {file} | count()"
            ));
            let Some(theirs) = of_nfdump(&["-r", &file]) else {
                return;
            };
            assert_eq!(theirs, as_nfdump(&expected), "{capture}");
            let info = nfdump(&["-I", "-r", &file]).unwrap_or_default();
            let says = |name: &str| {
                let line = info.lines().find_map(|line| line.strip_prefix(name));
                line.map(|value| value.trim_start_matches(':').trim().to_owned())
            };
            let sum = |at: usize| -> u64 {
                let cells = expected
                    .iter()
                    .map(|line| line[at].parse::<u64>().unwrap_or(0));
                cells.sum()
            };
            assert_eq!(says("Ident").as_deref(), Some("wireq"), "{info}");
            assert_eq!(says("Flows"), Some(expected.len().to_string()), "{info}");
            assert_eq!(says("Packets"), Some(sum(5).to_string()), "{info}");
            assert_eq!(says("Bytes"), Some(sum(6).to_string()), "{info}");
            let verified = nfdump(&["-v", &file]).unwrap_or_default();
            assert!(!verified.to_lowercase().contains("error"), "{verified}");
        }
        let top = nfdump(&[
            "-q",
            "-N",
            "-r",
            &file,
            "-n",
            "10",
            "-o",
            "csv",
            "-s",
            "srcip/bytes",
        ]);
        let top = top.unwrap_or_default();
        let mut theirs: Vec<u64> = Vec::new();
        let head: Vec<&str> = top.lines().next().unwrap_or("").split(',').collect();
        let column = head.iter().position(|name| matches!(*name, "ibyt" | "byt"));
        for line in top.lines().skip(1) {
            let cell = column.and_then(|at| line.split(',').nth(at));
            theirs.extend(cell.and_then(|cell| cell.trim().parse::<u64>().ok()));
        }
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for line in &expected {
            *sums.entry(&line[0]).or_default() += line[6].parse::<u64>().unwrap_or(0);
        }
        let mut ours: Vec<u64> = sums.into_values().collect();
        ours.sort_unstable_by(|a, b| b.cmp(a));
        ours.truncate(10);
        assert_eq!(theirs, ours, "{capture}: {top}");
        records += expected.len();
    }
    println!("{records} records read by nfdump, each with and without compression");
    assert!(records > 100);
}

/// A message of IPFIX with flows of so many packets and bytes.
fn of_counters(counters: &[(u64, u64)]) -> Vec<u8> {
    let mut template = Vec::new();
    let elements: [(u16, u16); 6] = [(8, 4), (12, 4), (152, 8), (153, 8), (2, 8), (1, 8)];
    for half in [256, elements.len() as u16] {
        template.extend(half.to_be_bytes());
    }
    for (element, len) in elements {
        template.extend(element.to_be_bytes());
        template.extend(len.to_be_bytes());
    }
    let mut records = Vec::new();
    for (packets, bytes) in counters {
        records.extend([192, 0, 2, 1, 198, 51, 100, 1]);
        let start = 1_700_000_000_000u64;
        for number in [start, start + 1000, *packets, *bytes] {
            records.extend(number.to_be_bytes());
        }
    }
    let mut message = Vec::new();
    let sets = [(2u16, template), (256, records)];
    let len = 16 + sets.iter().map(|(_, set)| 4 + set.len()).sum::<usize>();
    message.extend(10u16.to_be_bytes());
    message.extend((len as u16).to_be_bytes());
    message.extend(1_700_000_001u32.to_be_bytes());
    message.extend([0; 8]);
    for (number, set) in sets {
        message.extend(number.to_be_bytes());
        message.extend((4 + set.len() as u16).to_be_bytes());
        message.extend(set);
    }
    message
}

/// Whatever a flow claims, NetFlow 5 has no more than a few records of it; the others have all of it.
#[test]
fn counters_that_nothing_can_have() {
    let folder = Folder::new("flowwrite-counters");
    let (file, out) = (folder.path("in"), folder.path("out"));
    let claims = [
        (1, 1 << 40),
        (1, (1 << 40) + 1),
        (1, u64::MAX),
        (u64::MAX, 1),
    ];
    fs::write(&file, of_counters(&claims)).expect("the folder takes files");
    for (version, passed) in [("5", 1), ("9", 4), ("ipfix", 4)] {
        let text = format!("netflow {file} | netflowwrite -v {version} -f {out} | count()");
        let (count, report) = query(&text);
        assert_eq!(count.trim(), passed.to_string(), "{version}");
        let mut nodes = report.accounts.iter();
        let filtered = nodes.any(|node| node.account.filtered == 4 - passed);
        assert!(filtered, "{version}: {:?}", report.accounts);
        let sum = query(&format!("netflow {out} | print sum(bytes)")).0;
        // Of the others the claims of all together are no number that an object has.
        if version == "5" {
            assert_eq!(sum.trim(), (1u64 << 40).to_string());
        }
    }
}

/// A named pipe takes flows, of which nothing can be put right once it is written.
#[test]
fn pipes_take_flows() {
    let folder = Folder::new("flowwrite-pipe");
    let (pipe, out) = (folder.path("pipe"), folder.path("out"));
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo is there").success());
    let capture = own("office.pcap");
    let from = pipe.clone();
    let reader = thread::spawn(move || fs::read(from));
    query(&format!(
        "pcapfile {capture} | flow -b iplen | netflowwrite -f {pipe} | count()"
    ));
    let got = reader.join().expect("it reads").expect("it can be read");
    fs::write(&out, got).expect("the folder takes files");
    let (found, report) = found(&format!("netflow {out}"));
    assert_eq!(found, expected(&capture, false));
    assert_eq!(faults(&report), []);
}

/// A collector that is not there refuses datagrams: they are counted, and the run goes on.
#[test]
fn refused_datagrams_are_counted() {
    let capture = own("office.pcap");
    let (_, report) = query(&format!(
        "pcapfile {capture} | flow -i 1s -l 1s | netflowwrite -v 9 --mtu 576 --rate 500 \
         -u 127.0.0.1:{} | count()",
        free_port()
    ));
    let faults = faults(&report);
    let inputs = report
        .accounts
        .iter()
        .filter_map(|node| node.input.as_ref());
    let mut inputs = inputs.flat_map(|input| &input.inputs);
    let sent = inputs.find(|input| input.name.starts_with("to "));
    let sent = sent.map_or(0, |input| input.records);
    // The last one is refused when nobody asks any more.
    assert!(sent > 3, "{sent}");
    assert!(
        faults.len() == 1 && faults[0].1 + 1 >= sent,
        "{faults:?} of {sent}"
    );
}

/// nfdump's collector takes each protocol over UDP; what it writes is what was exported.
#[test]
fn nfcapd_collects_what_is_exported() {
    let capture = own("office.pcap");
    for version in [5, 9, 10] {
        let folder = Folder::new(&format!("flowwrite-collector-{version}"));
        let port = free_port();
        let collector = Command::new("nfcapd")
            .args([
                "-b",
                "127.0.0.1",
                "-p",
                &port.to_string(),
                "-t",
                "3600",
                "-w",
            ])
            .arg(folder.root())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut collector) = collector else {
            println!("SKIPPED: nfcapd is not installed, so nothing is sent to it");
            return;
        };
        await_listener(port);
        query(&format!(
            "pcapfile {capture} | flow -b iplen | netflowwrite -v {version} --rate 500 -u 127.0.0.1:{port} | count()"
        ));
        thread::sleep(Duration::from_millis(800));
        let _ = Command::new("kill")
            .arg(collector.id().to_string())
            .status();
        let _ = collector.wait();
        let expected = as_nfdump(&expected(&capture, version == 5));
        let theirs = of_nfdump(&["-R", &folder.path("")]).unwrap_or_default();
        assert_eq!(theirs, expected, "NetFlow {version}");
        println!(
            "NetFlow {version}: nfcapd collected {} records",
            theirs.len()
        );
    }
}

fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback is there");
    socket.local_addr().expect("it is bound").port()
}

/// Waits until something listens on a port of UDP.
fn await_listener(port: u16) {
    let ends = format!(":{port:04X}");
    for _ in 0..200 {
        let sockets = fs::read_to_string("/proc/net/udp").unwrap_or_default();
        let mut lines = sockets.lines();
        if lines.any(|line| {
            line.split_whitespace()
                .nth(1)
                .is_some_and(|own| own.ends_with(&ends))
        }) {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("nothing listens on {port}");
}
