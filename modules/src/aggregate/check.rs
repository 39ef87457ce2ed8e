//! Properties that every aggregate function is tested for, against a plain computation.

use super::numeric::{Class, number_in};
use wireq_engine::Accumulator;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::{Bitmap, Column, Data, Value};

/// splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
pub(super) struct Random(pub u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}

const GROUPS: u64 = 3;
const ROUNDS: usize = 300;

/// A function under test.
pub(super) struct Check {
    make: Box<dyn Fn() -> Box<dyn Accumulator>>,
}

type Rows = Vec<(u32, Value)>;

impl Check {
    pub(super) fn new(make: impl Fn() -> Box<dyn Accumulator> + 'static) -> Check {
        Check {
            make: Box::new(make),
        }
    }

    /// What the function gives of values that come in one batch each.
    pub(super) fn of(&self, values: &[Value]) -> Value {
        let mut state = (self.make)();
        state.grow(1);
        for value in values {
            let column = Column::from_values([value.clone()]);
            state.update_one(Some(&column), &Bitmap::first(1));
        }
        state.value(0)
    }

    /// Random values in the order they come: batches, parts and snapshots don't show.
    pub(super) fn ordered(
        &self,
        values: fn(&mut Random) -> Vec<Value>,
        naive: impl Fn(&[Value]) -> Value,
    ) {
        let mut random = Random(1);
        for _ in 0..ROUNDS {
            let rows = rows(values(&mut random), &mut random);
            let got = self.in_parts(&rows, &mut random);
            compare(&rows, &naive, &*got);
        }
    }

    /// Random values in any order.
    pub(super) fn commutative(
        &self,
        values: fn(&mut Random) -> Vec<Value>,
        naive: impl Fn(&[Value]) -> Value,
    ) {
        self.ordered(values, &naive);
        let mut random = Random(2);
        for _ in 0..ROUNDS {
            let rows = rows(values(&mut random), &mut random);
            let mut shuffled = rows.clone();
            random.shuffle(&mut shuffled);
            let got = self.in_parts(&shuffled, &mut random);
            compare(&rows, &naive, &*got);
        }
    }

    /// Rows in random parts, each in random batches, with a snapshot in between, merged.
    fn in_parts(&self, rows: &Rows, random: &mut Random) -> Box<dyn Accumulator> {
        let mut cuts = [0, 0].map(|_| random.below(rows.len() as u64 + 1) as usize);
        cuts.sort_unstable();
        let mut whole = self.fed(&rows[..cuts[0]], random);
        for rows in [&rows[cuts[0]..cuts[1]], &rows[cuts[1]..]] {
            let part = self.fed(rows, random);
            (0..GROUPS as u32).for_each(|group| whole.merge(group, &*part, group));
        }
        whole
    }

    fn fed(&self, rows: &[(u32, Value)], random: &mut Random) -> Box<dyn Accumulator> {
        let mut state = (self.make)();
        state.grow(GROUPS as usize);
        let mut rest = rows;
        while !rest.is_empty() {
            let (batch, tail) = rest.split_at(1 + random.below(rest.len() as u64) as usize);
            rest = tail;
            let column = typed(batch.iter().map(|(_, value)| value.clone()), random);
            let groups: Vec<u32> = batch.iter().map(|(group, _)| *group).collect();
            if groups.iter().all(|group| *group == 0) {
                state.update_one(Some(&column), &Bitmap::first(batch.len()));
            } else {
                let numbers: Vec<u16> = (0..batch.len() as u16).collect();
                state.update(Some(&column), &numbers, &groups);
            }
            if random.below(4) == 0 {
                state = self.reloaded(&*state);
            }
        }
        state.update(None, &[0], &[0]);
        state
    }

    /// What a snapshot brings back; the old groups are cleared groups that were used.
    fn reloaded(&self, state: &dyn Accumulator) -> Box<dyn Accumulator> {
        let mut back = (self.make)();
        back.grow(GROUPS as usize);
        let full = Column::from_values([Value::Integer(5), Value::Double(0.5)]);
        for group in 0..GROUPS as u32 {
            back.update(Some(&full), &[0, 1], &[group; 2]);
            back.clear(group);
            let mut out = Writer::default();
            state.save(group, &mut out);
            let bytes = out.into_bytes();
            let mut reader = Reader::new(&bytes, &[]);
            back.load(group, &mut reader).expect("a saved state loads");
            assert!(reader.is_at_end());
            let mut again = Writer::default();
            back.save(group, &mut again);
            assert_eq!(again.into_bytes(), bytes, "a loaded state saves the same");
        }
        back
    }
}

fn rows(values: Vec<Value>, random: &mut Random) -> Rows {
    let groups = 1 + random.below(GROUPS);
    let group = |value| (random.below(groups) as u32, value);
    values.into_iter().map(group).collect()
}

fn compare(rows: &Rows, naive: &impl Fn(&[Value]) -> Value, got: &dyn Accumulator) {
    for group in 0..GROUPS as u32 {
        let own = rows.iter().filter(|(g, _)| *g == group);
        let own: Vec<Value> = own.map(|(_, value)| value.clone()).collect();
        let (expected, got) = (naive(&own), got.value(group));
        assert_eq!(format!("{got:?}"), format!("{expected:?}"), "{own:?}");
    }
    let groups: Vec<u32> = (0..GROUPS as u32).rev().chain([0]).collect();
    if let Some(column) = got.column(&groups) {
        for (row, group) in groups.iter().enumerate() {
            assert_eq!(
                format!("{:?}", column.value(row)),
                format!("{:?}", got.value(*group))
            );
        }
    }
}

/// A column of the values, in a narrow type where they fit.
fn typed(values: impl Iterator<Item = Value>, random: &mut Random) -> Column {
    let mut column = Column::from_values(values);
    let Data::I128(integers) = &column.data else {
        return column;
    };
    fn cast<T: TryFrom<i128>>(integers: &[i128]) -> Option<Vec<T>> {
        integers.iter().map(|i| T::try_from(*i).ok()).collect()
    }
    let data = match random.below(6) {
        0 => cast(integers).map(Data::U8),
        1 => cast(integers).map(Data::U16),
        2 => cast(integers).map(Data::U32),
        3 => cast(integers).map(Data::U64),
        4 => cast(integers).map(Data::I64),
        _ => None,
    };
    column.data = data.unwrap_or(column.data);
    column
}

/// Up to 60 values of one mood: one type, or several.
pub(super) fn numbers(random: &mut Random) -> Vec<Value> {
    let mood = random.below(7);
    let one = |random: &mut Random| match (mood, random.below(10)) {
        (_, 0) => Value::Absent,
        (0, _) => Value::Integer(random.below(200).into()),
        (1, _) => Value::Integer(i128::from(random.next() as i64)),
        (2, _) => Value::Double((random.below(2000) as f64 - 1000.0) / 7.0),
        (3, _) => Value::Duration(random.below(1000) as i64 - 500),
        (4, _) => Value::Time(random.below(1 << 40) as i64),
        (5, _) => Value::Double(random.below(100) as f64 * f64::powi(10.0, random.below(9) as i32)),
        (_, 1) => Value::Duration(random.below(9) as i64),
        (_, 2) => Value::Time(random.below(9) as i64),
        (_, 3) => Value::text(["7", "2.5", "x", "-3", ""][random.below(5) as usize]),
        (_, 4) => Value::Bool(random.below(2) == 0),
        (_, 5) => Value::Double(random.below(9) as f64 / 4.0),
        _ => Value::Integer(i128::from(random.below(9)) - 4),
    };
    (0..random.below(60)).map(|_| one(random)).collect()
}

/// Up to 60 values of any kind.
pub(super) fn anything(random: &mut Random) -> Vec<Value> {
    if random.below(2) == 0 {
        return numbers(random);
    }
    let one = |random: &mut Random| match random.below(9) {
        0 => Value::Absent,
        1 => Value::text(
            ["a", "b\0", "", "a rather long text, no key to pack"][random.below(4) as usize],
        ),
        2 => Value::Bytes([b"a".as_slice(), b"zz"][random.below(2) as usize].into()),
        3 => Value::Address(std::net::Ipv4Addr::from(random.below(5) as u32).into()),
        4 => Value::Address(std::net::Ipv6Addr::from(u128::from(random.below(5)) << 64).into()),
        5 => Value::Double([1e300, -1e300, 0.1, f64::INFINITY, f64::NAN][random.below(5) as usize]),
        6 => Value::List([Value::Integer(random.below(3).into())].into()),
        7 => Value::Double((1u64 << 52) as f64 + 0.5),
        _ => Value::Integer(i128::from(random.below(9)) - 4),
    };
    (0..random.below(60)).map(|_| one(random)).collect()
}

/// What counts of some values: the highest class, and its values as integers and doubles.
pub(super) fn classed(values: &[Value]) -> (Class, Vec<Value>) {
    let read = |value: &Value| match value {
        Value::Integer(_) | Value::Double(_) => Some((Class::Number, value.clone())),
        Value::Bool(b) => Some((Class::Number, Value::Integer((*b).into()))),
        Value::Text(text) => Some((Class::Number, number_in(text)?)),
        Value::Duration(nanos) => Some((Class::Duration, Value::Integer((*nanos).into()))),
        Value::Time(nanos) => Some((Class::Time, Value::Integer((*nanos).into()))),
        _ => None,
    };
    let read: Vec<_> = values.iter().filter_map(read).collect();
    let highest = read.iter().map(|(class, _)| *class).max();
    let class = highest.unwrap_or(Class::Nothing);
    let own = read.into_iter().filter(|(own, _)| *own == class);
    (class, own.map(|(_, value)| value).collect())
}
