use super::*;
use crate::operator::KeyedHash;

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) % limit
    }

    /// Mostly short, some longer than a buffer.
    fn bytes(&mut self) -> Vec<u8> {
        let len = match self.below(200) {
            0 => 70_000 + self.below(70_000),
            1..5 => self.below(5_000),
            _ => self.below(6),
        };
        (0..len).map(|_| self.below(3) as u8).collect()
    }
}

const LAYOUT: Layout = Layout {
    fan_in: 3,
    index_bytes: 500,
    filter: false,
};

/// Records as (key, number of the run, place in it).
type Plain = Vec<(Vec<u8>, usize, Vec<u8>)>;

fn write(runs: &mut Runs, combine: Combine<'_>, records: &[(Vec<u8>, Vec<u8>)]) {
    let mut run = runs.begin(records.len()).unwrap();
    for (key, value) in records {
        run.push(key, value).unwrap();
    }
    runs.add(run, combine).unwrap();
}

fn read(mut merge: Merge) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    while let Some(record) = merge.head() {
        all.push((record.key.to_vec(), record.value.to_vec()));
        merge.advance().unwrap();
    }
    merge.advance().unwrap();
    assert_eq!(merge.head(), None);
    all
}

#[test]
fn runs_are_read_in_the_order_of_key_run_and_place() {
    let mut random = Random(1);
    for count in [0, 1, 2, 3, 8, 9, 30] {
        let (mut runs, mut plain) = (Runs::new(LAYOUT), Plain::new());
        for number in 0..count {
            let mut records: Vec<(Vec<u8>, Vec<u8>)> = (0..random.below(60))
                .map(|_| (random.bytes(), random.bytes()))
                .collect();
            records.sort_by(|a, b| a.0.cmp(&b.0));
            write(&mut runs, &mut keep_all, &records);
            plain.extend(records.into_iter().map(|(key, value)| (key, number, value)));
        }
        // Stable: places in a run stay in order.
        plain.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        let plain: Vec<_> = plain.into_iter().map(|(k, _, v)| (k, v)).collect();
        assert_eq!(runs.len(), plain.len() as u64);
        assert!(read(runs.merge().unwrap()) == plain);
        for _ in 0..20 {
            let from = match random.below(3) {
                0 => random.bytes(),
                _ if plain.is_empty() => vec![],
                _ => plain[random.below(plain.len() as u64) as usize].0.clone(),
            };
            let expected = plain.iter().filter(|(key, _)| *key >= from);
            let expected: Vec<_> = expected.cloned().collect();
            assert!(read(runs.merge_from(&from).unwrap()) == expected);
        }
    }
}

#[test]
fn few_runs_are_open_and_a_record_is_written_again_once_a_level() {
    let mut runs = Runs::new(LAYOUT);
    let mut merged = 0u64;
    for number in 0..1000u32 {
        let record = (b"k".to_vec(), number.to_be_bytes().to_vec());
        let mut count = |_: &[u8], _: &mut Vec<u8>, _: &[u8]| {
            merged += 1;
            Ok(false)
        };
        write(&mut runs, &mut count, &[record]);
        assert!(runs.runs.len() <= 2 * 7, "{}", runs.runs.len());
    }
    let numbers = read(runs.merge().unwrap());
    let expected = (0..1000u32).map(|number| (b"k".to_vec(), number.to_be_bytes().to_vec()));
    assert!(numbers == expected.collect::<Vec<_>>());
    // 3^6 < 1000 < 3^7
    assert!(merged < 1000 * 6, "{merged}");
}

#[test]
fn records_are_combined_where_runs_are_merged() {
    let mut runs = Runs::new(LAYOUT);
    let mut sum = |_: &[u8], left: &mut Vec<u8>, right: &[u8]| {
        left[0] += right[0];
        Ok(true)
    };
    for _ in 0..9 {
        let records = [b"a", b"b"].map(|key| (key.to_vec(), vec![1]));
        write(&mut runs, &mut sum, &records);
    }
    let expected = [(b"a".to_vec(), vec![9]), (b"b".to_vec(), vec![9])];
    assert_eq!(read(runs.merge().unwrap()), expected);
}

#[test]
fn keys_are_found() {
    let hash = KeyedHash::new(3);
    let layout = Layout {
        filter: true,
        ..LAYOUT
    };
    let mut random = Random(2);
    let mut runs = Runs::new(layout);
    assert!(!runs.contains(b"", hash.of(b"")).unwrap());
    let mut known = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let mut keys = std::collections::BTreeSet::new();
        while keys.len() < 300 {
            let key = random.below(1 << 20).to_be_bytes();
            if !known.contains(&key) {
                keys.insert(key);
            }
        }
        let mut never = |_: &[u8], _: &mut Vec<u8>, _: &[u8]| unreachable!("keys differ");
        let mut run = runs.begin(keys.len()).unwrap();
        for key in &keys {
            run.push_hashed(key, hash.of(key)).unwrap();
        }
        runs.add(run, &mut never).unwrap();
        known.extend(keys);
        for _ in 0..200 {
            let key = random.below(1 << 13).to_be_bytes();
            let found = runs.contains(&key, hash.of(&key)).unwrap();
            assert_eq!(found, known.contains(&key));
        }
    }
    assert!(
        known
            .iter()
            .all(|key| runs.contains(key, hash.of(key)).unwrap())
    );
    let memory = runs.memory();
    assert!(memory > 6_000 * 10 / 8 && memory < 60_000, "{memory}");
    runs.clear();
    assert_eq!((runs.len(), runs.memory(), runs.is_empty()), (0, 0, true));
}
