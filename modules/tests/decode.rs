//! Every field of cut, mutated and hostile packets: nothing panics, nothing is read beyond the cut, and
//! work grows with the packet and no faster.

mod support;

use std::any::Any;
use std::sync::Arc;
use support::{Random, own_captures, shared, shared_pcaps};
use wireq_modules::types::packet::{Frame, Frames, LINK_TYPES, Packet};
use wireq_typesys::{Bitmap, Block, Column, Data, ROWS_MAX, RecordType, Zone, write_column_text};

/// Frames that are the first bytes of a packet, one for each length.
fn prefixes(packet: &[u8], link_type: u16, lengths: &[usize]) -> Frames {
    let block = Arc::new(Block(packet.to_vec()));
    let mut frames = Frames {
        layers: true,
        ..Frames::default()
    };
    frames.reset(&block, 1);
    for length in lengths {
        let frame = Frame {
            caplen: *length as u32,
            len: packet.len() as u32,
            link_type,
            ..Frame::default()
        };
        frames.push(&block.0[..*length], frame);
    }
    frames
}

/// A field of all rows.
fn fill(frames: &Frames, field: usize) -> Column {
    let rows: &(dyn Any + Send + Sync) = frames;
    let mut column = Column::default();
    Packet.fill(rows, field, &Bitmap::first(frames.rows.len()), &mut column);
    column
}

fn text(column: &Column, row: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    write_column_text(column, row, &Zone::utc(), &mut out).then_some(out)
}

/// All prefixes of a packet, through all fields. What a field holds of a prefix must not depend on the
/// bytes behind it: some are compared with what it holds where there are none.
fn survives(
    packet: &[u8],
    link_type: u16,
    fields: &[(usize, String)],
    random: &mut Random,
    what: &str,
) -> usize {
    let lengths: Vec<usize> = (0..=packet.len()).collect();
    for lengths in lengths.chunks(ROWS_MAX) {
        let frames = prefixes(packet, link_type, lengths);
        let row = random.below(lengths.len());
        let alone = prefixes(&packet[..lengths[row]], link_type, &[lengths[row]]);
        // The length on the wire stays what it was.
        let mut alone = alone;
        alone.rows[0].len = packet.len() as u32;
        for (field, name) in fields {
            let (all, one) = (fill(&frames, *field), fill(&alone, *field));
            if name == "frame.number" {
                continue;
            }
            assert_eq!(
                text(&all, row),
                text(&one, 0),
                "{what}: {name} of the first {} bytes with link type {link_type}",
                lengths[row]
            );
        }
    }
    lengths.len()
}

/// All fields, and those of what is in the outermost tunnel and in the innermost.
fn fields() -> Vec<(usize, String)> {
    let names = Packet
        .fields()
        .iter()
        .flat_map(|def| ["", "inner.", "innermost."].map(|inner| format!("{inner}{}", def.name)));
    let resolved = names.filter_map(|name| Some((Packet.resolve(&name)?.0, name)));
    resolved.collect()
}

/// The packets of a classic capture, with its link type.
fn packets(bytes: &[u8]) -> (u16, Vec<&[u8]>) {
    let big = matches!(bytes.first(), Some(0xa1));
    let number = |at: usize| -> Option<usize> {
        let word: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if big {
            u32::from_be_bytes(word)
        } else {
            u32::from_le_bytes(word)
        } as usize)
    };
    let link = number(20).unwrap_or(1) as u16;
    let (mut found, mut at) = (Vec::new(), 24);
    while let Some(caplen) = number(at + 8) {
        let Some(packet) = bytes.get(at + 16..(at + 16).saturating_add(caplen)) else {
            break;
        };
        found.push(packet);
        at += 16 + caplen;
    }
    (link, found)
}

/// Captures of which every packet goes through every field, in the full sweep.
const CAPTURES: usize = 300;

#[test]
fn every_prefix_and_mutation_is_decoded_through_every_field() {
    let all = std::env::var("WIREQ_CAPTURES").is_ok_and(|which| which == "all");
    let mut paths = own_captures();
    let mut random = Random(5);
    if let Some(folder) = shared() {
        let mut shared = shared_pcaps(&folder);
        for _ in 0..if all { CAPTURES } else { 20 } {
            let capture = shared.swap_remove(random.below(shared.len()));
            paths.push(capture.path);
        }
    }
    let fields = fields();
    let links: Vec<u16> = LINK_TYPES
        .entries
        .iter()
        .map(|link| link.0 as u16)
        .collect();
    let (mut count, mut packets_seen) = (0, 0);
    for path in &paths {
        let bytes = std::fs::read(path).expect("the capture can be read");
        let (link, packets) = packets(&bytes);
        for packet in packets.iter().take(if all { usize::MAX } else { 4 }) {
            let what = path.display().to_string();
            count += survives(packet, link, &fields, &mut random, &what);
            packets_seen += 1;
            let mut mutated = packet.to_vec();
            for _ in 0..1 + random.below(6) {
                let at = random.below(mutated.len().min(120));
                if let Some(byte) = mutated.get_mut(at) {
                    *byte = random.next() as u8;
                }
            }
            let mutation = format!("{what}, mutated");
            count += survives(&mutated, link, &fields, &mut random, &mutation);
            // The same bytes as if another link had carried them.
            mutated.truncate(200);
            let other = links[random.below(links.len())];
            count += survives(&mutated, other, &fields, &mut random, &mutation);
        }
    }
    println!(
        "{count} prefixes of {packets_seen} packets of {} captures, through {} fields",
        paths.len(),
        fields.len()
    );
    assert!(count > 10_000);
}

/// How many values all fields of a packet have: the steps of all their loops.
fn values(packet: &[u8], link_type: u16) -> usize {
    let frames = prefixes(packet, link_type, &[packet.len()]);
    let fields = 0..Packet.fields().len();
    let count = |field| match fill(&frames, field).data {
        Data::List(_, values) => values.len(),
        _ => 1,
    };
    fields.map(count).sum()
}

/// A packet of Ethernet with a type, and a pattern again and again.
fn repeated(ethertype: u16, before: &[u8], pattern: &[u8], len: usize) -> Vec<u8> {
    let mut packet = vec![0; 12];
    packet.extend(ethertype.to_be_bytes());
    packet.extend(before);
    while packet.len() < len {
        packet.extend(pattern);
    }
    packet
}

#[test]
fn work_is_linear_in_the_size_of_a_packet() {
    let ip = |protocol: u8| {
        let mut header = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0];
        header.extend([10, 0, 0, 1, 10, 0, 0, 2]);
        header
    };
    let mut sctp = ip(132);
    sctp.extend([0; 12]);
    let mut hops = vec![0x60, 0, 0, 0, 0, 0, 0, 64];
    hops.extend([0; 32]);
    let mut groups = ip(2);
    groups.extend([0x22, 0, 0, 0, 0, 0, 0xff, 0xff]);
    let cases = [
        ("chunks of SCTP", 0x0800, sctp, vec![1, 0, 0, 4]),
        ("extension headers", 0x86dd, hops, vec![0; 8]),
        (
            "groups of IGMP",
            0x0800,
            groups,
            vec![1, 0, 0, 0, 224, 0, 0, 1],
        ),
        ("parts of LLDP", 0x88cc, Vec::new(), vec![2, 0]),
        ("tags", 0x8100, Vec::new(), vec![0, 1, 0x81, 0]),
        ("labels", 0x8847, Vec::new(), vec![0, 0, 0x10, 64]),
        ("IP in IP", 0x0800, Vec::new(), ip(4)),
        (
            "tags of PPPoE",
            0x8863,
            vec![0x11, 9, 0, 0, 0xff, 0xff],
            vec![1, 1, 0, 0],
        ),
        ("zeros", 0x0800, ip(6), vec![0; 16]),
    ];
    for (what, ethertype, before, pattern) in cases {
        let of = |len| values(&repeated(ethertype, &before, &pattern, len), 1);
        let (small, large) = (of(4_000), of(64_000));
        println!("{what}: {small} values in 4,000 bytes, {large} in 64,000");
        assert!(
            large <= small * 17 + 10_000,
            "{what}: {small}, then {large}"
        );
    }
}
