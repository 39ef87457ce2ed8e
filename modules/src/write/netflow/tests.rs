use super::message::{Form, Messages, Version};
use crate::write::flow_rows::{Extras, FlowRow};
use wireq_engine::snapshot::{Reader, Writer};

fn form(version: Version) -> Form {
    Form {
        version,
        domain: 7,
        len_max: 500,
        refresh: 3,
        biflow: false,
    }
}

const YEAR: i64 = 365 * 24 * 60 * 60 * 1000;

fn flow(start: i64, bytes: u64) -> FlowRow {
    FlowRow {
        src: 0xc000_0201,
        dst: 0xc633_640a,
        src_port: 40_000,
        dst_port: 443,
        protocol: 6,
        start: 50 * YEAR + start,
        end: 50 * YEAR + start + 1500,
        packets: 3,
        bytes,
        ..FlowRow::default()
    }
}

fn messages(version: Version, flows: &[FlowRow]) -> Vec<Vec<u8>> {
    let mut messages = Messages::new(form(version));
    let mut sent = Vec::new();
    let mut send = |message: &[u8]| {
        sent.push(message.to_vec());
        Ok(())
    };
    for flow in flows {
        messages
            .put(flow, Extras::default(), &mut send)
            .expect("it is sent");
    }
    messages.close(&mut send).expect("it is sent");
    sent
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// When a record of version 5 says that it began and ended, in milliseconds.
fn times(message: &[u8], record: usize) -> [i64; 2] {
    let exported = i64::from(word(message, 8)) * 1000 + i64::from(word(message, 12)) / 1_000_000;
    let boot = exported - i64::from(word(message, 4));
    let at = 24 + 48 * record;
    [24, 28].map(|offset| boot + i64::from(word(message, at + offset)))
}

#[test]
fn counters_beyond_32_bits_are_divided() {
    let sent = messages(Version::V5, &[flow(0, 10_000_000_000)]);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].len(), 24 + 3 * 48);
    let sum = |offset: usize| -> u64 {
        let records = (0..3).map(|record| word(&sent[0], 24 + 48 * record + offset));
        records.map(u64::from).sum()
    };
    assert_eq!((sum(16), sum(20)), (3, 10_000_000_000));
}

/// A flow may claim whatever it likes: it is divided into so many records, and no more.
#[test]
fn a_flow_is_divided_into_few_records() {
    let limits = Version::V5.limits();
    for bytes in [limits.counter, u64::MAX] {
        let sent = messages(Version::V5, &[flow(0, bytes)]);
        let records: usize = sent.iter().map(|message| (message.len() - 24) / 48).sum();
        assert_eq!(records, 257);
        let all = sent.iter().flat_map(|message| message[24..].chunks(48));
        let sum: u64 = all.map(|record| u64::from(word(record, 20))).sum();
        assert_eq!(sum, limits.counter);
    }
}

#[test]
fn times_far_apart_are_each_right() {
    let flows = [
        flow(250, 1),
        flow(YEAR, 1),
        flow(-YEAR, 1),
        flow(-YEAR + 1, 1),
    ];
    let sent = messages(Version::V5, &flows);
    assert_eq!(sent.len(), 3);
    let mut found = Vec::new();
    for message in &sent {
        let count = (message.len() - 24) / 48;
        found.extend((0..count).map(|record| times(message, record)));
    }
    assert_eq!(found, flows.map(|flow| [flow.start, flow.end]));
    // A flow as long as 32 bits of milliseconds, but for a day.
    let long = FlowRow {
        end: 50 * YEAR + i64::from(u32::MAX) - 24 * 60 * 60 * 1000,
        ..flow(0, 1)
    };
    let [start, end] = times(&messages(Version::V5, &[long])[0], 0);
    assert!((long.start..=long.start + 2000).contains(&start), "{start}");
    assert_eq!(end, long.end);
}

/// The numbers of the sets of a message.
fn sets(message: &[u8], header_len: usize) -> Vec<u16> {
    let (mut sets, mut at) = (Vec::new(), header_len);
    while at < message.len() {
        let half = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
        sets.push(half(at));
        at += usize::from(half(at + 2));
    }
    sets
}

/// Who gets what follows knows no template: the message that was begun has to be read too.
#[test]
fn templates_go_before_a_message_that_was_begun() {
    let of = |at: i64| FlowRow {
        v6: at % 3 == 0,
        ..flow(at * 1000, 1)
    };
    for (version, header_len, announced) in [(Version::V9, 20, 0), (Version::Ipfix, 16, 2)] {
        // Up to a message that begins with records.
        let mut state = Messages::new(form(version));
        let (mut before, mut begun, mut at) = (0, 0, 0);
        while before == 0 || begun < 3 {
            let mut send = |_: &[u8]| {
                before += 1;
                begun = 0;
                Ok(())
            };
            state
                .put(&of(at), Extras::default(), &mut send)
                .expect("it is sent");
            begun += 1;
            at += 1;
        }
        state.announce_again();
        let mut saved = Writer::default();
        state.save(&mut saved);
        let bytes = saved.into_bytes();
        state
            .load(&mut Reader::new(&bytes, &[]))
            .expect("it is a state");
        let mut sent: Vec<Vec<u8>> = Vec::new();
        let mut send = |message: &[u8]| {
            sent.push(message.to_vec());
            Ok(())
        };
        for more in at..at + 30 {
            state
                .put(&of(more), Extras::default(), &mut send)
                .expect("it is sent");
        }
        state.close(&mut send).expect("it is sent");
        let all: Vec<Vec<u16>> = sent.iter().map(|sent| sets(sent, header_len)).collect();
        assert_eq!(all[0], [announced, announced], "{version:?}");
        assert!(all[1].iter().all(|number| *number >= 256), "{all:?}");
        // Numbered one behind the other.
        let numbers: Vec<u32> = sent.iter().map(|sent| word(sent, header_len - 8)).collect();
        match version {
            Version::V9 => assert_eq!(numbers[1], numbers[0] + 1),
            _ => assert_eq!(numbers[1], numbers[0]),
        }
        assert!(sent.iter().all(|sent| sent.len() <= 500));
    }
}

/// A message that was begun goes on where it was saved.
#[test]
fn a_message_goes_on_after_a_save() {
    let flows: Vec<FlowRow> = (0..40)
        .map(|at| FlowRow {
            v6: at % 7 == 0,
            ..flow(at * 1000, 1 + at as u64)
        })
        .collect();
    for version in [Version::V5, Version::V9, Version::Ipfix] {
        let whole = messages(version, &flows);
        let mut sent: Vec<Vec<u8>> = Vec::new();
        let mut state = Messages::new(form(version));
        for flow in &flows {
            let mut saved = Writer::default();
            state.save(&mut saved);
            let bytes = saved.into_bytes();
            state = Messages::new(form(version));
            state
                .load(&mut Reader::new(&bytes, &[]))
                .expect("it is a state");
            let mut send = |message: &[u8]| {
                sent.push(message.to_vec());
                Ok(())
            };
            let extras = Extras::default();
            state.put(flow, extras, &mut send).expect("it is sent");
        }
        let mut send = |message: &[u8]| {
            sent.push(message.to_vec());
            Ok(())
        };
        state.close(&mut send).expect("it is sent");
        assert_eq!(sent, whole, "{version:?}");
        assert!(sent.iter().all(|message| message.len() <= 500));
    }
}

/// All kinds of templates fit into one message of the least size, and a state keeps which is which.
#[test]
fn every_kind_of_template() {
    let kinds = (0..128u64).map(super::template::Template::of_kind);
    for (at, (v6, extras)) in kinds.enumerate() {
        let template = super::template::Template::new(256, v6, extras, &form(Version::Ipfix));
        assert_eq!(template.kind(), at as u64);
        let mut record = Vec::new();
        let mut announced = Vec::new();
        template.write_record(&flow(0, 1), None, &mut record);
        template.announce(&mut announced);
        assert_eq!(
            (record.len(), announced.len()),
            (template.record_len, template.announced_len())
        );
        assert!(record.len() + announced.len() + 40 < 528);
    }
}
