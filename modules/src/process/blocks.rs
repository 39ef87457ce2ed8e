//! Address blocks: as arguments, as tables of many, and the addresses of rows that they meet.

use hashbrown::HashSet;
use std::net::IpAddr;
use wireq_engine::arguments::{ArgumentError, Word};
use wireq_typesys::{Address, Bitmap, Column, Data, Kind, Literal, Prefix, Value, Zone};

/// Reads a block; `text` is what of the word is the block.
pub(super) fn read(module: &str, word: &Word, text: &str) -> Result<Prefix, ArgumentError> {
    match Literal::new(text).read(Kind::Prefix, &Zone::utc()) {
        Some(Value::Prefix(prefix)) => Ok(prefix),
        _ => Err(ArgumentError {
            help: Some(
                "write a block such as 10.0.0.0/8 or fd00::/8, or an address; names are not looked up"
                    .into(),
            ),
            ..ArgumentError::at(module, word, "cannot be read as an address block")
        }),
    }
}

/// The leading bits that addresses of a block share.
pub(super) fn mask(prefix: &Prefix) -> u128 {
    let host_bits = match prefix.address {
        IpAddr::V4(_) => 32 - u32::from(prefix.bits.min(32)),
        IpAddr::V6(_) => 128 - u32::from(prefix.bits.min(128)),
    };
    u128::MAX.checked_shl(host_bits).unwrap_or(0)
}

/// Many blocks in tables by length: a look-up costs one probe for each length that occurs, however
/// many blocks there are. The blocks are the query's own, so the hash needs no key.
#[derive(Default)]
pub(super) struct Blocks {
    v4: Vec<Length>,
    v6: Vec<Length>,
}

/// The blocks of one length.
struct Length {
    bits: u8,
    mask: u128,
    firsts: HashSet<u128>,
}

impl Blocks {
    /// All of the blocks.
    pub(super) fn all(blocks: &[Prefix]) -> Blocks {
        let mut sorted = blocks.to_vec();
        sorted.sort_by_key(|block| block.bits);
        let mut table = Blocks::default();
        sorted.iter().for_each(|block| table.add(block));
        table
    }

    /// Those that are in no other one: enough to say whether an address is in any.
    pub(super) fn outermost(blocks: &[Prefix]) -> Blocks {
        let mut sorted = blocks.to_vec();
        sorted.sort_by_key(|block| block.bits);
        let mut table = Blocks::default();
        for block in &sorted {
            if !table.contain(block.address.into()) {
                table.add(block);
            }
        }
        table
    }

    /// Blocks come in ascending order of bits.
    fn add(&mut self, block: &Prefix) {
        let first = Address::from(block.address);
        let lengths = if first.v6 { &mut self.v6 } else { &mut self.v4 };
        if lengths.last().is_none_or(|last| last.bits != block.bits) {
            lengths.push(Length {
                bits: block.bits,
                mask: mask(block),
                firsts: HashSet::new(),
            });
        }
        if let Some(length) = lengths.last_mut() {
            length.firsts.insert(first.bits);
        }
    }

    fn lengths(&self, address: Address) -> &[Length] {
        if address.v6 { &self.v6 } else { &self.v4 }
    }

    /// Whether there are no blocks.
    pub(super) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Whether an address is in any block.
    #[inline]
    pub(super) fn contain(&self, address: Address) -> bool {
        self.lengths(address)
            .iter()
            .any(|length| length.firsts.contains(&(address.bits & length.mask)))
    }

    /// All blocks that an address is in, the smallest last.
    pub(super) fn around(&self, address: Address) -> impl Iterator<Item = Prefix> + '_ {
        self.lengths(address).iter().filter_map(move |length| {
            let first = Address {
                v6: address.v6,
                bits: address.bits & length.mask,
            };
            length.firsts.contains(&first.bits).then(|| Prefix {
                address: first.into(),
                bits: length.bits,
            })
        })
    }
}

/// Calls `each` for the addresses of the rows; lists have several, and text is read as an address.
#[inline]
pub(super) fn each_address(column: &Column, rows: &Bitmap, mut each: impl FnMut(usize, Address)) {
    let rows = rows.and(&column.valid);
    match &column.data {
        Data::Address4(v) => rows.for_each(|row| each(row, Address::v4(v[row]))),
        Data::Address(v) => rows.for_each(|row| each(row, v[row])),
        Data::Dynamic(v) => rows.for_each(|row| of_value(&v[row], &mut |a| each(row, a))),
        Data::List(ranges, data) => rows.for_each(|row| {
            let (start, end) = ranges[row];
            (start..end).for_each(|at| of_data(data, at as usize, &mut |a| each(row, a)));
        }),
        data => rows.for_each(|row| of_data(data, row, &mut |a| each(row, a))),
    }
}

fn of_data(data: &Data, at: usize, each: &mut dyn FnMut(Address)) {
    match data {
        Data::Address4(v) => v
            .get(at)
            .into_iter()
            .for_each(|bits| each(Address::v4(*bits))),
        Data::Address(v) => v.get(at).into_iter().for_each(|address| each(*address)),
        Data::Text(v) => of_text(v.get(at)).into_iter().for_each(each),
        Data::Dynamic(v) => v
            .get(at)
            .into_iter()
            .for_each(|value| of_value(value, each)),
        _ => {}
    }
}

fn of_value(value: &Value, each: &mut dyn FnMut(Address)) {
    match value {
        Value::Address(address) => each((*address).into()),
        Value::Text(text) => of_text(text).into_iter().for_each(each),
        Value::List(values) => values.iter().for_each(|value| of_value(value, each)),
        _ => {}
    }
}

fn of_text(text: &[u8]) -> Option<Address> {
    let address: IpAddr = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(address.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wireq_typesys::Column;

    fn block(text: &str) -> Prefix {
        match Literal::new(text).read(Kind::Prefix, &Zone::utc()) {
            Some(Value::Prefix(prefix)) => prefix,
            _ => panic!("{text} is a block"),
        }
    }

    #[test]
    fn finds_what_a_plain_search_finds() {
        let mut state = 7u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state >> 33
        };
        for _ in 0..200 {
            let mut blocks: Vec<Prefix> = (0..random() % 30)
                .map(|_| {
                    let bits = random() as u32 & 0xc0a8_0f0f;
                    let (address, most) = match random() % 3 {
                        0 => (
                            IpAddr::V6((u128::from(bits) << 64 | u128::from(bits)).into()),
                            129,
                        ),
                        _ => (IpAddr::V4(bits.into()), 33),
                    };
                    Prefix::new(address, (random() % most) as u8).expect("so many bits at most")
                })
                .collect();
            let (all, outermost) = (Blocks::all(&blocks), Blocks::outermost(&blocks));
            blocks.sort_by_key(|block| block.bits);
            blocks.dedup();
            for _ in 0..100 {
                let bits = random() as u32 & 0xc0a8_0f0f;
                let address = match random() % 3 {
                    0 => IpAddr::V6((u128::from(bits) << 64 | u128::from(bits)).into()),
                    _ => IpAddr::V4(bits.into()),
                };
                let mut expected: Vec<Prefix> = Vec::new();
                for block in blocks.iter().filter(|block| block.contains(address)) {
                    if !expected.contains(block) {
                        expected.push(*block);
                    }
                }
                let found: Vec<Prefix> = all.around(address.into()).collect();
                assert_eq!(found, expected, "{address}");
                assert_eq!(all.contain(address.into()), !expected.is_empty());
                assert_eq!(outermost.contain(address.into()), !expected.is_empty());
            }
        }
    }

    #[test]
    fn reads_the_addresses_of_every_kind_of_column() {
        let v4: IpAddr = "10.0.0.1".parse().expect("an address");
        let v6: IpAddr = "fd00::1".parse().expect("an address");
        let list = Value::List([Value::Address(v4), Value::text("x"), Value::Address(v6)].into());
        let columns = [
            Column::from_values([Value::Address(v4), Value::Absent, Value::Address(v6)]),
            Column::from_values([
                Value::text("10.0.0.1"),
                Value::text("no"),
                Value::text("fd00::1"),
            ]),
            Column::from_values([list, Value::Integer(5), Value::Address(v6)]),
        ];
        let found = columns.each_ref().map(|column| {
            let mut found = Vec::new();
            each_address(column, &Bitmap::first(3), |row, address| {
                found.push((row, IpAddr::from(address)));
            });
            found
        });
        assert_eq!(found[0], [(0, v4), (2, v6)]);
        assert_eq!(found[1], [(0, v4), (2, v6)]);
        assert_eq!(found[2], [(0, v4), (0, v6), (2, v6)]);
        let ranges = Column {
            data: Data::List(vec![(0, 2), (2, 2)], Box::new(Data::Address4(vec![1, 2]))),
            valid: Bitmap::first(2),
            names: None,
        };
        let mut count = [0; 2];
        each_address(&ranges, &Bitmap::first(2), |row, _| count[row] += 1);
        assert_eq!(count, [2, 0]);
    }

    #[test]
    fn masks_cover_all_lengths() {
        assert_eq!(mask(&block("0.0.0.0/0")) as u32, 0);
        assert_eq!(mask(&block("10.0.0.0/8")) as u32, 0xff00_0000);
        assert_eq!(mask(&block("10.0.0.1")) as u32, u32::MAX);
        assert_eq!(mask(&block("::/0")), 0);
        assert_eq!(mask(&block("::1")), u128::MAX);
    }
}
