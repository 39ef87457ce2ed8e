//! What needs no interface: merging, batches, arguments. `cli/tests/live` listens on some.

use super::batch::{BLOCK_LEN, Batches};
use super::merge::Merge;
use super::{MODULE, build};
use crate::types::packet::Frame;
use wireq_engine::Span;
use wireq_engine::arguments::{Arguments, Word};
use wireq_typesys::ROWS_MAX;

fn frame(ts: i64) -> Frame {
    Frame {
        ts,
        ..Frame::default()
    }
}

fn drained(merge: &mut Merge) -> Vec<(usize, i64)> {
    let next = || merge.next().map(|(at, frame, _)| (at, frame.ts));
    std::iter::from_fn(next).collect()
}

#[test]
fn packets_wait_for_earlier_ones_of_other_interfaces() {
    let mut merge = Merge::new(2);
    merge.push(0, frame(10), b"a");
    merge.push(0, frame(30), b"c");
    assert_eq!(drained(&mut merge), []);
    merge.push(1, frame(10), b"b");
    merge.push(1, frame(20), b"b");
    assert_eq!(drained(&mut merge), [(0, 10), (1, 10), (1, 20)]);
    // Found empty, at a moment when all before 29 would be there.
    merge.is_complete(1, 29);
    assert_eq!(drained(&mut merge), []);
    merge.is_complete(1, 31);
    assert_eq!((drained(&mut merge), merge.complete()), (vec![(0, 30)], 30));
    merge.push(1, frame(40), b"d");
    merge.is_complete(0, i64::MAX);
    assert_eq!(drained(&mut merge), [(1, 40)]);
}

#[test]
fn what_waits_is_bounded() {
    let mut merge = Merge::new(2);
    let bytes = vec![0; 1 << 20];
    for ts in 0..20 {
        merge.push(0, frame(ts), &bytes);
    }
    // The other interface says nothing, yet what is beyond 8 MiB goes on: eight are a bit more.
    assert_eq!(drained(&mut merge).len(), 13);
    // So does what has hardly any bytes of its own.
    let mut merge = Merge::new(2);
    (0..200_000).for_each(|ts| merge.push(0, frame(ts), b""));
    assert!(drained(&mut merge).len() > 50_000);
}

#[test]
fn batches_take_what_fits_and_use_blocks_again() {
    let mut batches = Batches::new(2, 4);
    let bytes = vec![7; BLOCK_LEN];
    batches.push(1, frame(1), &bytes);
    assert!(batches.is_full_for(1));
    let batch = batches.take();
    assert_eq!(
        (batch.frames[0].start, batch.frames[0].caplen),
        (0, BLOCK_LEN as u32)
    );
    assert_eq!(batch.shares, [(0, 0), (1, BLOCK_LEN as u64)]);
    let first = batch.block.0.as_ptr();
    drop(batch);
    for ts in 0..ROWS_MAX as i64 {
        assert!(!batches.is_full_for(3));
        batches.push(0, frame(ts), b"abc");
    }
    assert!(batches.is_full_for(0));
    let second = batches.take();
    assert_eq!(&second.block.0[..6], b"abcabc");
    batches.push(0, frame(0), b"x");
    let third = batches.take();
    assert!(third.block.0.as_ptr() == first && third.block.0[0] == b'x');
    assert_eq!(second.block.0[0], b'a', "what is read is not written");
}

fn arguments(text: &str) -> Arguments {
    let word = |text: &str| Word {
        text: text.to_owned(),
        quoted: false,
        span: Span { start: 0, end: 0 },
    };
    let words: Vec<Word> = text.split_whitespace().map(word).collect();
    Arguments::parse("pcaplive", MODULE.parameters, &words).expect("they fit")
}

#[test]
fn arguments_are_read_before_anything_is_opened() {
    let inputs = |text| {
        let spec = build(&arguments(text)).expect(text);
        spec.live.expect("it is live").inputs
    };
    assert_eq!(inputs(""), ["any"]);
    assert_eq!(inputs("-i b -i a -i b tcp port 80"), ["b", "a"]);
    assert_eq!(inputs("-i a --buffer 1M -s 96 -p wlan type data"), ["a"]);
    for (text, fault) in [
        ("-s 0", "pcaplive: `0` is no length"),
        ("-s 262145", "pcaplive: `262145` is no length"),
        ("--buffer 2G", "pcaplive: `2G` is no size of a buffer"),
        ("--buffer -1", "pcaplive: `-1` is no size of a buffer"),
        ("--buffer 1", "pcaplive: `1` is no size of a buffer"),
        ("tcp prot 80", "pcaplive: `tcp prot 80` is no filter: "),
    ] {
        let error = build(&arguments(text)).err().expect(text).to_string();
        assert!(error.starts_with(fault), "{text}: {error}");
    }
}
