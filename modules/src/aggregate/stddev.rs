//! `stddev`: the standard deviation of a field.

use super::numeric::{Class, Numeric, Statistic};
use super::squares::Squares;
use super::total::{Total, sixteen};
use super::wide::Wide;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{AggregateSpec, Build, Error, Example, Module, StateClass};
use wireq_typesys::{Kind, Value};

pub(super) static MODULE: Module = Module {
    name: "stddev",
    summary: "Gives the standard deviation of a field.",
    details: "The sums of the values and of their squares are exact, so neither the order of the \
              objects nor batches show. Numbers give a double, durations and times a duration. \
              Text that reads as a number counts as one. Where a group has several, numbers win \
              over durations and durations over times: the others don't count. Objects that lack \
              the field don't count. The deviation of one value is 0, that of a sample of one is \
              absent.",
    parameters: &[
        Parameter {
            name: "-s",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "The values are a sample: divide by their number less one. Without it they \
                      are all there is.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::One,
            summary: "A number, duration or time.",
        },
    ],
    examples: &[
        Example {
            title: "how far from each other lengths are",
            query: "print srcip stddev(len) group by srcip",
            input: "five.pcap",
            output: "192.0.2.1\t10\n192.0.2.2\t24.5\n",
        },
        Example {
            title: "seen as a sample, which one value is not enough for",
            query: "print dstport count() stddev(-s srcport) group by dstport",
            input: "five.pcap",
            output: "53\t1\n80\t2\t1.4142135623730951\n443\t1\n",
        },
        Example {
            title: "of times it is a duration",
            query: "stddev(ts)",
            input: "five.pcap",
            output: "1.414213562\n",
        },
    ],
    build: Build::Aggregate(build),
};

fn build(arguments: &Arguments) -> Result<AggregateSpec, ArgumentError> {
    let sample = arguments.flag("-s");
    Ok(AggregateSpec {
        field: arguments.fields().into_iter().next(),
        kind: |kind| match kind {
            Kind::Signed | Kind::Unsigned | Kind::Named(_) | Kind::Bool | Kind::Double => {
                Ok(Kind::Double)
            }
            Kind::Duration | Kind::Time => Ok(Kind::Duration),
            Kind::Text | Kind::Dynamic => Ok(Kind::Dynamic),
            _ => Err("is neither a number nor a duration nor a time"),
        },
        class: StateClass::Commutative,
        any_order: |_| false,
        make: Arc::new(move || Box::new(Numeric::<Spread>::new(sample))),
    })
}

#[derive(Clone, Default)]
struct Spread {
    count: u64,
    total: Total,
    squares: u128,
    /// Squares that are wider or no integers.
    wide: Option<Box<Squares>>,
}

impl Statistic for Spread {
    /// Whether the values are a sample.
    type Setting = bool;
    const TIMES: bool = true;

    #[inline(always)]
    fn add_whole(&mut self, number: i128) {
        self.count += 1;
        self.total.add_whole(number);
        let size = number.unsigned_abs();
        let Ok(size) = u64::try_from(size) else {
            return self.wide.get_or_insert_default().add_pieces(size);
        };
        let square = u128::from(size) * u128::from(size);
        match self.squares.checked_add(square) {
            Some(sum) => self.squares = sum,
            None => self.wide.get_or_insert_default().add_integer(square),
        }
    }

    fn add_double(&mut self, double: f64) {
        self.count += 1;
        self.total.add_double(double);
        self.wide.get_or_insert_default().add(double);
    }

    fn merge(&mut self, other: &Spread) {
        self.count = self.count.saturating_add(other.count);
        self.total.merge(&other.total);
        match self.squares.checked_add(other.squares) {
            Some(sum) => self.squares = sum,
            None => self.wide.get_or_insert_default().add_integer(other.squares),
        }
        if let Some(wide) = &other.wide {
            self.wide.get_or_insert_default().merge(wide);
        }
    }

    fn value(&self, class: Class, sample: bool) -> Value {
        let divisor = self.count - u64::from(sample && self.count > 0);
        if divisor == 0 {
            return Value::Absent;
        }
        let deviation = self.deviation(divisor);
        match class {
            Class::Number => Value::Double(deviation),
            _ => Value::Duration(deviation.round() as i64),
        }
    }

    #[inline(always)]
    fn memory(&self) -> usize {
        self.total.memory() + self.wide.as_ref().map_or(0, |wide| wide.memory())
    }

    fn save(&self, out: &mut Writer) {
        out.number(self.count);
        self.total.save(out);
        out.bytes(&self.squares.to_le_bytes());
        out.number(self.wide.is_some().into());
        if let Some(wide) = &self.wide {
            wide.save(out);
        }
    }

    fn load(from: &mut Reader<'_>) -> Result<Spread, Error> {
        let (count, total) = (from.number()?, Total::load(from)?);
        let squares = u128::from_le_bytes(sixteen(from)?);
        let wide = match from.number()? {
            0 => None,
            _ => Some(Box::new(Squares::load(from)?)),
        };
        Ok(Spread {
            count,
            total,
            squares,
            wide,
        })
    }
}

impl Spread {
    /// sqrt((n sum(x^2) - sum(x)^2) / (n divisor)): exact up to the division.
    fn deviation(&self, divisor: u64) -> f64 {
        let sum = self.total.sum();
        if sum.parts().1 != [0; 3] {
            return f64::NAN;
        }
        let sum = Wide::size_of(&sum);
        let mut squares = Wide::from(self.squares).shifted(WHOLE_DIGITS);
        if let Some(wide) = &self.wide {
            squares = squares.plus(&wide.size());
        }
        let spread = squares.times(&Wide::from(u128::from(self.count)));
        let (spread, exponent) = spread.minus(&sum.times(&sum)).scaled();
        let variance = spread / (u128::from(self.count) * u128::from(divisor)) as f64;
        // The unit of the squares is 2^-2176.
        scale(variance.sqrt(), exponent - 1088)
    }
}

/// An integer in units of 2^-2176 has 2176 / 32 digits more.
const WHOLE_DIGITS: usize = 68;

/// `number * 2^exponent`, in two steps that a number near 2^60 does not overflow in.
fn scale(number: f64, exponent: i32) -> f64 {
    let half = exponent / 2;
    number * f64::powi(2.0, half) * f64::powi(2.0, exponent - half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::check::{Check, Random, classed, numbers};

    fn check(sample: bool) -> Check {
        Check::new(move || Box::new(Numeric::<Spread>::new(sample)))
    }

    /// Two passes over the values as doubles, in the order of their size.
    fn naive(values: &[f64], divisor: f64) -> f64 {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares = values.iter().map(|value| (value - mean) * (value - mean));
        (squares.sum::<f64>() / divisor).sqrt()
    }

    fn as_doubles(values: &[Value]) -> (Class, Vec<f64>) {
        let (class, values) = classed(values);
        let double = |value: &Value| match value {
            Value::Double(double) => *double,
            other => other.as_integer().unwrap() as f64,
        };
        (class, values.iter().map(double).collect())
    }

    /// Values rounded far enough for both computations to agree; ratios show any real fault.
    #[test]
    fn is_near_the_naive_one() {
        let mut random = Random(7);
        for round in 0..500 {
            let sample = round % 2 == 0;
            let values = numbers(&mut random);
            let (class, doubles) = as_doubles(&values);
            let divisor = doubles.len() as f64 - f64::from(u8::from(sample));
            let got = match check(sample).of(&values) {
                Value::Absent => {
                    assert!(divisor < 1.0);
                    continue;
                }
                Value::Double(double) => double,
                Value::Duration(nanos) => nanos as f64,
                other => panic!("{other:?}"),
            };
            let expected = naive(&doubles, divisor);
            let slack = if class == Class::Number { 0.0 } else { 0.6 };
            let size = doubles.iter().fold(0.0f64, |size, x| size.max(x.abs()));
            let near = (got - expected).abs() <= expected * 1e-9 + size * 1e-13 + slack;
            assert!(near, "{got} {expected} {values:?}");
        }
    }

    #[test]
    fn neither_order_nor_parts_show() {
        for sample in [false, true] {
            let one_by_one = check(sample);
            check(sample).commutative(numbers, move |values| one_by_one.of(values));
        }
    }

    #[test]
    fn is_exact_where_doubles_cancel_overflow_or_vanish() {
        let doubles = |values: &[f64]| values.iter().copied().map(Value::Double).collect();
        let integers = |values: &[i128]| values.iter().copied().map(Value::Integer).collect();
        let cases: [(Vec<Value>, Value); 12] = [
            (doubles(&[]), Value::Absent),
            (doubles(&[7.25]), Value::Double(0.0)),
            (doubles(&[0.1; 10]), Value::Double(0.0)),
            (doubles(&[1e15, 1e15 + 2.0]), Value::Double(1.0)),
            (doubles(&[1e300, -1e300]), Value::Double(1e300)),
            (doubles(&[f64::MAX, f64::MIN]), Value::Double(f64::MAX)),
            (doubles(&[1e-320, -1e-320]), Value::Double(1e-320)),
            (doubles(&[5e-324, -5e-324, 0.0, 0.0]), Value::Double(5e-324)),
            (doubles(&[1.0, f64::INFINITY]), Value::Double(f64::NAN)),
            (integers(&[i128::MAX, i128::MAX - 2]), Value::Double(1.0)),
            (
                integers(&[u64::MAX.into(), i128::from(u64::MAX) - 6]),
                Value::Double(3.0),
            ),
            (
                integers(&[i128::MIN, i128::MAX]),
                Value::Double(i128::MAX as f64),
            ),
        ];
        for (values, expected) in cases {
            let got = check(false).of(&values);
            assert_eq!(format!("{got:?}"), format!("{expected:?}"), "{values:?}");
        }
        // As many squares of 2^128 as overflow 128 bits.
        let mut many = vec![Value::Integer(u64::MAX.into()); 5];
        many.extend(vec![Value::Integer(-i128::from(u64::MAX)); 5]);
        let got = check(false).of(&many);
        assert_eq!(
            format!("{got:?}"),
            format!("{:?}", Value::Double(u64::MAX as f64))
        );
    }
}
