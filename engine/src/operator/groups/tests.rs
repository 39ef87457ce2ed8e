use super::hash::{fold, shard_of};
use super::*;
use std::collections::BTreeMap;

/// Keys that differ in their high bits alone: multiplied by an odd constant, as hashes without a
/// secret do, all of them have the same low bits and so the same place in a table.
#[test]
fn keys_that_collide_elsewhere_are_spread() {
    const KEYS: u64 = 1 << 16;
    let keys = (0..KEYS).map(|number| (number << 32).to_le_bytes());
    let elsewhere = |key: &[u8; 8]| u64::from_le_bytes(*key).wrapping_mul(0x517c_c1b7_2722_0a95);
    assert!(keys.clone().all(|key| elsewhere(&key) as u32 == 0));
    for seed in [0, 1, u64::MAX] {
        let hash = KeyedHash::new(seed);
        let mut places = vec![false; KEYS as usize];
        let mut shards = [0u64; SHARDS];
        for key in keys.clone() {
            let hash = hash.of(&key);
            places[hash as u16 as usize] = true;
            shards[shard_of(hash)] += 1;
        }
        // Thrown at random, 1 - 1/e of the places are met.
        let met = places.iter().filter(|met| **met).count() as u64;
        assert!(met * 100 > KEYS * 62, "{met} of {KEYS} places");
        let most = shards.into_iter().max().unwrap_or(0);
        assert!(most < KEYS / SHARDS as u64 * 5 / 4, "{most} in one shard");
    }
}

#[test]
fn which_keys_collide_depends_on_the_seed() {
    let key = |number: u32| number.to_be_bytes().repeat(1 + number as usize % 12);
    let place = |hash: KeyedHash, number| hash.of(&key(number)) % 1024;
    let (known, other) = (KeyedHash::new(1), KeyedHash::new(2));
    let chosen: Vec<u32> = (0..300_000)
        .filter(|number| place(known, *number) == 7)
        .collect();
    assert!(chosen.len() > 200);
    let mut spread = [0; 1024];
    for number in &chosen {
        spread[place(other, *number) as usize] += 1;
    }
    assert!(spread.iter().all(|count| *count < 10), "{spread:?}");
}

#[test]
fn keys_of_others_get_numbers_as_one_by_one() {
    let key = |number: u32| number.to_be_bytes().repeat(1 + number as usize % 12);
    let (mut own, mut others) = (Groups::new(3), Groups::new(3));
    (0..900).for_each(|n| _ = own.number_key(&key(n)));
    (600..2000).for_each(|n| _ = others.number_key(&key(n)));
    let pairs = own.absorb(&others);
    assert_eq!((pairs.len(), own.len()), (1400, 2000));
    for n in 600..2000 {
        let both = (own.find(&key(n)), others.find(&key(n)));
        let pair = pairs.iter().find(|pair| Some(pair.1) == both.1);
        assert_eq!(pair.map(|pair| pair.0), both.0);
        assert!((both.0.unwrap_or(u32::MAX) as usize) < own.limit());
    }
}

#[test]
fn numbers_keys_as_a_plain_map_does() {
    let mut groups = Groups::new(5);
    let mut plain: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    let mut seed = 3u64;
    for step in 0..30_000u64 {
        seed = fold(seed ^ step, 0x2545_f491_4f6c_dd1d);
        // No key is the beginning of another: the first byte tells the length.
        let len = 1 + (seed % 60) as u8;
        let rest = (1..len).map(|at| (seed >> (at % 7)) as u8 & 3);
        let key: Vec<u8> = std::iter::once(len).chain(rest).collect();
        if step % 5 == 4 {
            groups.remove(&key);
            plain.remove(&key);
            continue;
        }
        let (number, new) = groups.number_key(&key);
        assert_eq!(new, !plain.contains_key(&key));
        assert_eq!(*plain.entry(key).or_insert(number), number);
    }
    let sorted: Vec<(Vec<u8>, u32)> = groups
        .sorted()
        .iter()
        .map(|n| (n.bytes(&mut [0; KEY_ROOM]).to_vec(), n.number))
        .collect();
    assert_eq!(sorted, plain.into_iter().collect::<Vec<_>>());
    let mut numbers: Vec<u32> = sorted.iter().map(|(_, number)| *number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), groups.len());
    let mut drained = groups.drain();
    let (mut key, mut all) = (Vec::new(), Vec::new());
    while let Some(number) = drained.next(&mut key) {
        all.push((std::mem::take(&mut key), number));
    }
    assert_eq!(all, sorted);
    assert_eq!(
        (groups.len(), groups.limit(), groups.sorted().len()),
        (0, 0, 0)
    );
}
