//! `avg`: the mean of a field.

use super::numeric::{Class, Numeric, Statistic};
use super::total::Total;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{AggregateSpec, Build, Error, Example, Module, StateClass};
use wireq_typesys::{ExactSum, Kind, Value};

pub(super) static MODULE: Module = Module {
    name: "avg",
    summary: "Gives the mean of a field.",
    details: "The sum is exact, so neither the order of the objects nor batches show. The mean of \
              numbers is a double, that of durations and times is rounded to nanoseconds. Text \
              that reads as a number counts as one. Where a group has several, numbers win over \
              durations and durations over times: the others don't count. Objects that lack the \
              field don't count; where all do, there is no mean.",
    parameters: &[Parameter {
        name: "FIELD",
        takes: Takes::Field,
        count: Count::One,
        summary: "A number, duration or time.",
    }],
    examples: &[
        Example {
            title: "the mean length",
            query: "avg(len)",
            input: "five.pcap",
            output: "77.8\n",
        },
        Example {
            title: "for each sender",
            query: "print srcip avg(len) group by srcip",
            input: "five.pcap",
            output: "192.0.2.1\t64\n192.0.2.2\t100.5\n",
        },
        Example {
            title: "the middle of the times",
            query: "avg(ts)",
            input: "five.pcap",
            output: "2026-01-01T00:00:02.123456+00:00\n",
        },
    ],
    build: Build::Aggregate(build),
};

fn build(arguments: &Arguments) -> Result<AggregateSpec, ArgumentError> {
    Ok(AggregateSpec {
        field: arguments.fields().into_iter().next(),
        kind: |kind| match kind {
            Kind::Signed | Kind::Unsigned | Kind::Named(_) | Kind::Bool | Kind::Double => {
                Ok(Kind::Double)
            }
            Kind::Duration | Kind::Time => Ok(kind),
            Kind::Text | Kind::Dynamic => Ok(Kind::Dynamic),
            _ => Err("is neither a number nor a duration nor a time"),
        },
        class: StateClass::Commutative,
        any_order: |_| false,
        make: Arc::new(|| Box::new(Numeric::<Mean>::new(()))),
    })
}

#[derive(Clone, Default)]
struct Mean {
    count: u64,
    total: Total,
}

impl Statistic for Mean {
    type Setting = ();
    const TIMES: bool = true;

    #[inline(always)]
    fn add_whole(&mut self, number: i128) {
        self.count += 1;
        self.total.add_whole(number);
    }

    fn add_double(&mut self, double: f64) {
        self.count += 1;
        self.total.add_double(double);
    }

    fn merge(&mut self, other: &Mean) {
        self.count = self.count.saturating_add(other.count);
        self.total.merge(&other.total);
    }

    fn value(&self, class: Class, _setting: ()) -> Value {
        match class {
            Class::Nothing => Value::Absent,
            Class::Number => Value::Double(mean(&self.total.sum(), self.count)),
            Class::Time => Value::Time(self.nanos()),
            Class::Duration => Value::Duration(self.nanos()),
        }
    }

    #[inline(always)]
    fn memory(&self) -> usize {
        self.total.memory()
    }

    fn save(&self, out: &mut Writer) {
        out.number(self.count);
        self.total.save(out);
    }

    fn load(from: &mut Reader<'_>) -> Result<Mean, Error> {
        let count = from.number()?;
        if count == 0 {
            return Err(Error::Snapshot("avg: a mean of nothing".into()));
        }
        let total = Total::load(from)?;
        Ok(Mean { count, total })
    }
}

impl Mean {
    /// The mean of nanoseconds, halves away from zero.
    fn nanos(&self) -> i64 {
        let sum = self.total.whole().unwrap_or(i128::MAX);
        let count = i128::from(self.count.max(1));
        let (mean, rest) = (sum / count, sum % count);
        let away = i128::from(rest.abs() >= count - rest.abs()) * rest.signum();
        (mean + away).clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }
}

/// A sum by a count, where the sum may be beyond the doubles though the mean is not.
fn mean(sum: &ExactSum, count: u64) -> f64 {
    let value = sum.value();
    let (chunks, specials) = sum.parts();
    if value.is_finite() || specials != [0; 3] {
        return value / count as f64;
    }
    // Two chunks are 64 bits: no count is more.
    let scaled = chunks.into_iter().map(|(at, value)| (at - 2, value));
    let scaled = ExactSum::from_parts(scaled.collect(), specials).value();
    scaled / count as f64 * f64::powi(2.0, 64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::check::{Check, classed, numbers};

    fn naive(values: &[Value]) -> Value {
        let (class, numbers) = classed(values);
        let count = numbers.len() as f64;
        let whole = || -> i128 { numbers.iter().filter_map(Value::as_integer).sum() };
        match class {
            Class::Nothing => Value::Absent,
            Class::Number => {
                let mut sum = ExactSum::default();
                for number in &numbers {
                    match number {
                        Value::Double(double) => sum.add(*double),
                        other => sum.add_integer(other.as_integer().unwrap()),
                    }
                }
                Value::Double(sum.value() / count)
            }
            Class::Duration => Value::Duration((whole() as f64 / count).round() as i64),
            Class::Time => Value::Time((whole() as f64 / count).round() as i64),
        }
    }

    fn check() -> Check {
        Check::new(|| Box::new(Numeric::<Mean>::new(())))
    }

    #[test]
    fn is_the_mean_whatever_the_order() {
        check().commutative(numbers, naive);
    }

    #[test]
    fn is_right_at_the_limits() {
        let mean = |values: &[Value]| check().of(values);
        for (values, expected) in [
            (vec![Value::Double(f64::MAX); 3], Value::Double(f64::MAX)),
            (
                vec![Value::Double(f64::MAX), Value::Double(f64::INFINITY)],
                Value::Double(f64::INFINITY),
            ),
            (
                vec![Value::Integer(i128::MAX), Value::Integer(i128::MAX)],
                Value::Double(i128::MAX as f64),
            ),
            (
                [i128::MAX, 1, i128::MIN, 4].map(Value::Integer).to_vec(),
                Value::Double(1.0),
            ),
            (
                vec![Value::Duration(i64::MAX); 4],
                Value::Duration(i64::MAX),
            ),
            ([-1, -2].map(Value::Duration).to_vec(), Value::Duration(-2)),
            ([0, 0, 1].map(Value::Duration).to_vec(), Value::Duration(0)),
            ([1, 2].map(Value::Time).to_vec(), Value::Time(2)),
            (
                vec![Value::text("1.5"), Value::text("x"), Value::text("-0x1")],
                Value::Double(0.25),
            ),
        ] {
            assert_eq!(format!("{:?}", mean(&values)), format!("{expected:?}"));
        }
    }
}
