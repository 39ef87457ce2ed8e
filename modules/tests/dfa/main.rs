//! `dfa` beside a plain model, divided by key, and with texts that nobody should write.

mod hostile;
mod keyed;
mod model;
#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;
use support::Random;
use wireq_engine::plan::Plan;
use wireq_engine::{Account, Report};
use wireq_query_lang::{Files, Text, compile};
use wireq_typesys::Zone;

/// A file of its own for a test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let name = format!("wireq-dfa-{}-{name}", std::process::id());
        Scratch(std::env::temp_dir().join(name))
    }

    fn write(&self, bytes: &[u8]) -> String {
        std::fs::write(&self.0, bytes).expect("the temporary folder takes files");
        self.0.to_string_lossy().into_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The fields that predicates name; those of one kind can be compared.
const FIELDS: [&str; 6] = [
    "frame.number",
    "srcip",
    "dstip",
    "srcport",
    "dstport",
    "ipid",
];

#[derive(Clone)]
struct Packet {
    seconds: u32,
    /// The values of [`FIELDS`]; addresses as their last byte.
    values: [Option<i64>; 6],
}

fn packets(random: &mut Random) -> Vec<Packet> {
    let mut clock = 100;
    let count = random.below(120);
    let packet = |at: usize| {
        clock += random.below(3);
        // Now and then time steps back.
        let back = if random.below(9) == 0 {
            random.below(30)
        } else {
            0
        };
        let mut value = |limit: usize| Some(random.below(limit) as i64);
        let mut values = [
            Some(at as i64 + 1),
            value(3),
            value(3),
            value(4),
            value(4),
            value(5),
        ];
        if random.below(12) == 0 {
            values[1..].fill(None);
        }
        Packet {
            seconds: (clock - back) as u32,
            values,
        }
    };
    (0..count).map(packet).collect()
}

fn capture(packets: &[Packet]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [0xa1b2_c3d4u32, 4 << 16 | 2, 0, 0, 65_535, 1] {
        bytes.extend(word.to_le_bytes());
    }
    bytes[4..8].copy_from_slice(&[2, 0, 4, 0]);
    for packet in packets {
        let frame = frame(packet);
        for word in [packet.seconds, 0, frame.len() as u32, frame.len() as u32] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(frame);
    }
    bytes
}

/// A UDP packet with these values; without them, a frame of no known protocol.
fn frame(packet: &Packet) -> Vec<u8> {
    let [
        _,
        Some(source),
        Some(target),
        Some(from),
        Some(to),
        Some(id),
    ] = packet.values
    else {
        return [&[0u8; 12][..], &[0x88, 0xb5], &[0; 46]].concat();
    };
    let mut frame = [&[0u8; 12][..], &[8, 0]].concat();
    frame.extend([0x45, 0, 0, 28, 0, id as u8, 0, 0, 64, 17, 0, 0]);
    frame.extend([10, 0, 0, source as u8, 10, 0, 0, target as u8]);
    frame.extend([0, from as u8, 0, to as u8, 0, 8, 0, 0]);
    frame
}

/// The plan of a query; none where it has faults.
fn plan(query: &str) -> Option<Plan> {
    let zone = Zone::utc();
    let texts = [Text {
        name: "query".into(),
        text: query.into(),
    }];
    let files = Some(Files {
        module: "pcapfile",
        flags: Vec::new(),
        paths: vec!["none.pcap".into()],
    });
    let options = wireq_query_lang::Options {
        files,
        ..wireq_query_lang::Options::new(&zone)
    };
    compile(&texts, &wireq_modules::registry(), &options).ok()
}

fn is_faulty(query: &str) -> bool {
    plan(query).is_none()
}

fn account(report: &Report) -> Account {
    let mut nodes = report.accounts.iter();
    let node = nodes.find(|node| node.name.to_string().starts_with("dfa"));
    node.expect("there is a dfa").account
}
