use super::*;

/// What stands for the key of an entry.
fn first_of(key: Key<'_>) -> u8 {
    match key {
        Key::Bytes(bytes) => bytes[0],
        Key::Number(number) => number as u8,
    }
}

/// The keys of a queue, which loses its flows by that.
fn keys(table: &mut Table<usize>, list: usize) -> Vec<u8> {
    let oldest = |table: &mut Table<usize>| {
        let at = table.oldest(list)?;
        Some(first_of(table.remove(at).key()))
    };
    std::iter::from_fn(|| oldest(table)).collect()
}

/// The same flows in another table.
fn copy(table: &Table<usize>) -> Table<usize> {
    let mut other = Table::new(7);
    for at in table.by_touch() {
        let entry = table.entry(at);
        let key = (other.hash(entry.key()), entry.key());
        other.insert(key, entry.state, entry.touched, entry.state);
    }
    other
}

/// Beside a plain list of keys, each with its list, in the order of the last touch.
#[test]
fn keeps_the_order_of_touches_as_a_plain_list_does() {
    let mut table: Table<usize> = Table::new(3);
    let mut plain: Vec<(u8, usize)> = Vec::new();
    let mut random = 1u64;
    for now in 0..20_000 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let (key, list) = ((random >> 33) as u8 % 50, (random >> 50) as usize % LISTS);
        let bytes = vec![key; if key % 2 == 0 { 5 } else { 45 }];
        let of_bytes = Key::Bytes(&bytes);
        let sought = if key % 3 == 0 {
            Key::Number(key.into())
        } else {
            of_bytes
        };
        let known = plain.iter().position(|(other, _)| *other == key);
        let hash = table.hash(sought);
        match (table.find(hash, sought), known.map(|at| plain.remove(at))) {
            (Some(at), Some(_)) if random >> 60 == 0 => {
                assert_eq!(table.remove(at).key(), sought);
            }
            (Some(at), Some((_, from))) => {
                table.entry_mut(at).state = list;
                table.touch(at, from, list, now);
                plain.push((key, list));
            }
            (None, None) => {
                table.insert((hash, sought), list, now, list);
                plain.push((key, list));
            }
            (found, known) => panic!("{found:?} {known:?}"),
        }
        if now % 100 == 0 {
            for list in 0..LISTS {
                let of_list = plain.iter().filter(|(_, of)| *of == list);
                let expected: Vec<u8> = of_list.map(|(key, _)| *key).collect();
                let oldest = table.oldest(list).map(|at| first_of(table.entry(at).key()));
                assert_eq!(oldest, expected.first().copied());
                assert_eq!(keys(&mut copy(&table), list), expected);
            }
            assert_eq!(table.len(), plain.len());
            let places: usize = table.queues.iter().map(BinaryHeap::len).sum();
            assert!(places <= LISTS * (2 * table.len() + EMPTY_PLACES) + LISTS);
        }
    }
}

#[test]
fn what_was_added_is_put_in_order() {
    let mut table = Table::new(3);
    for (key, touched) in [(1, 5), (2, 9), (3, 4), (4, 9), (5, -3)] {
        let bytes = [key];
        let key = Key::Bytes(&bytes);
        table.insert((table.hash(key), key), 1, touched, 1);
    }
    table.sort(|list| *list);
    assert_eq!(table.oldest(0), None);
    assert_eq!(keys(&mut copy(&table), 1), [5, 3, 1, 2, 4]);
    assert_eq!(keys(&mut table, 1), [5, 3, 1, 2, 4]);
}
