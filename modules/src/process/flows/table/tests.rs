use super::*;

fn keys(table: &Table<u32>, list: usize) -> Vec<u8> {
    table
        .list(list)
        .map(|at| table.entry(at).key()[0])
        .collect()
}

/// Beside a plain list of keys, each with its list, in the order of the last touch.
#[test]
fn keeps_the_order_of_touches_as_a_plain_list_does() {
    let mut table = Table::new(3);
    let mut plain: Vec<(u8, usize)> = Vec::new();
    let mut random = 1u64;
    for now in 0..20_000 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let (key, list) = ((random >> 33) as u8 % 50, (random >> 50) as usize % LISTS);
        let bytes = vec![key; if key % 2 == 0 { 5 } else { 45 }];
        let known = plain.iter().position(|(other, _)| *other == key);
        let hash = table.hash(&bytes);
        match (table.find(hash, &bytes), known.map(|at| plain.remove(at))) {
            (Some(at), Some((_, from))) if random >> 60 == 0 => {
                assert_eq!(table.remove(at, from).key(), bytes);
            }
            (Some(at), Some((_, from))) => {
                table.touch(at, from, list, now);
                plain.push((key, list));
            }
            (None, None) => {
                table.insert((hash, &bytes), 0, now, list);
                plain.push((key, list));
            }
            (found, known) => panic!("{found:?} {known:?}"),
        }
        if now % 100 == 0 {
            for list in 0..LISTS {
                let of_list = plain.iter().filter(|(_, of)| *of == list);
                let expected: Vec<u8> = of_list.map(|(key, _)| *key).collect();
                assert_eq!(keys(&table, list), expected);
            }
            assert_eq!(table.len(), plain.len());
        }
    }
}

#[test]
fn a_merged_list_is_put_in_order() {
    let mut table = Table::new(3);
    for (key, touched) in [(1, 5), (2, 9), (3, 4), (4, 9), (5, -3)] {
        table.insert((table.hash(&[key]), &[key]), 0, touched, 1);
    }
    table.sort(1);
    assert_eq!(keys(&table, 1), [5, 3, 1, 2, 4]);
    let first = table.oldest(1).unwrap();
    table.remove(first, 1);
    assert_eq!(keys(&table, 1), [3, 1, 2, 4]);
    assert_eq!(table.oldest(0), None);
}
