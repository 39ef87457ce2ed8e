//! Aggregate functions over the values of one group, all of them kept until the end.

use super::arithmetic::number;
use super::spread;
use wireq_engine::plan::Function;
use wireq_typesys::{ExactSum, Value, total_order};

/// The functions that the oracle interprets.
pub const FUNCTIONS: [&str; 12] = [
    "count", "sum", "min", "max", "avg", "stddev", "first", "final", "distinct", "list", "median",
    "quantile",
];

/// What a function knows of a group.
pub struct Total {
    function: Function,
    objects: i128,
    /// The values that were there.
    values: Vec<Value>,
}

impl Total {
    /// A function of nothing yet.
    pub fn new(function: &Function) -> Total {
        Total {
            function: function.clone(),
            objects: 0,
            values: Vec::new(),
        }
    }

    /// Takes the value of an object's field.
    pub fn take(&mut self, value: Value) {
        self.objects += 1;
        if !value.is_absent() {
            self.values.push(value);
        }
    }

    /// The function of all values.
    pub fn value(self) -> Value {
        let arguments = &self.function.arguments;
        let mut values = self.values;
        match self.function.module.name {
            "count" => Value::Integer(self.objects),
            "sum" => sum(&values),
            "avg" => mean(&values),
            "stddev" => deviation(&values, arguments.flag("-s")),
            "first" => values.first().cloned().unwrap_or_default(),
            "final" => values.pop().unwrap_or_default(),
            // Of equal values the first one counts.
            "min" => values.into_iter().min_by(total_order).unwrap_or_default(),
            "max" => values
                .into_iter()
                .rev()
                .max_by(total_order)
                .unwrap_or_default(),
            "distinct" => Value::Integer(distinct(values).len() as i128),
            "list" => {
                let most = arguments.value("-n").map_or("100", |word| &word.text);
                let list = distinct(values);
                let mut list: Vec<Value> = list.iter().map(canonical).collect();
                list.truncate(most.parse().expect("the length is a number"));
                match list.is_empty() {
                    true => Value::Absent,
                    false => Value::List(list.into()),
                }
            }
            "median" => quantile(values, "0.5"),
            "quantile" => quantile(values, &arguments.words()[0].text),
            name => panic!("the oracle does not know the function {name}"),
        }
    }
}

/// Equal values are one, whatever they are written as: 0 stands for -0.
pub fn canonical(value: &Value) -> Value {
    match value {
        Value::Double(double) if *double == 0.0 => Value::Double(0.0),
        other => other.clone(),
    }
}

fn distinct(mut values: Vec<Value>) -> Vec<Value> {
    values.sort_by(total_order);
    values.dedup_by(|a, b| total_order(a, b).is_eq());
    values
}

/// A number that text reads as counts as one.
fn with_numbers_read(value: &Value) -> Value {
    match value {
        Value::Text(_) => number(value).unwrap_or_else(|| value.clone()),
        value => value.clone(),
    }
}

/// The values of one class, which is the highest there is: numbers, durations, times. With the
/// class for a result in nanoseconds, none for numbers.
fn classed(values: &[Value]) -> (Vec<Value>, Option<fn(i64) -> Value>) {
    let numbers: Vec<Value> = values.iter().filter_map(number).collect();
    if !numbers.is_empty() {
        return (numbers, None);
    }
    let of = |pick: fn(&Value) -> Option<i64>| -> Vec<Value> {
        let nanos = values.iter().filter_map(pick);
        nanos.map(|nanos| Value::Integer(nanos.into())).collect()
    };
    let durations = of(|value| match value {
        Value::Duration(nanos) => Some(*nanos),
        _ => None,
    });
    if !durations.is_empty() {
        return (durations, Some(Value::Duration));
    }
    let times = of(|value| match value {
        Value::Time(nanos) => Some(*nanos),
        _ => None,
    });
    (times, Some(Value::Time))
}

/// The exact sum as a double.
pub fn exact(numbers: &[Value]) -> f64 {
    let mut sum = ExactSum::default();
    for number in numbers {
        match number {
            Value::Integer(integer) => sum.add_integer(*integer),
            Value::Double(double) => sum.add(*double),
            other => panic!("{other:?} is no number"),
        }
    }
    sum.value()
}

/// The sum of integers, where there are no others.
fn whole(numbers: &[Value]) -> Option<i128> {
    let integer = |number: &Value| match number {
        Value::Integer(integer) => Some(*integer),
        _ => None,
    };
    numbers.iter().map(integer).sum()
}

/// Numbers win over durations; times have no sum.
fn sum(values: &[Value]) -> Value {
    let (values, in_nanos) = classed(values);
    match (in_nanos, whole(&values)) {
        _ if values.is_empty() => Value::Absent,
        (None, Some(sum)) => Value::Integer(sum),
        (None, None) => Value::Double(exact(&values)),
        (Some(of_nanos), sum) => match of_nanos(sum.unwrap_or(0) as i64) {
            Value::Time(_) => Value::Absent,
            sum => sum,
        },
    }
}

/// The mean; that of nanoseconds is rounded, halves away from zero.
fn mean(values: &[Value]) -> Value {
    let (values, in_nanos) = classed(values);
    let count = values.len() as i128;
    match (in_nanos, whole(&values)) {
        _ if values.is_empty() => Value::Absent,
        (Some(of_nanos), Some(sum)) => {
            let twice = 2 * sum.abs() / count + 1;
            of_nanos((sum.signum() * (twice / 2)) as i64)
        }
        _ => Value::Double(exact(&values) / count as f64),
    }
}

fn deviation(values: &[Value], sample: bool) -> Value {
    let (values, in_nanos) = classed(values);
    match (spread::deviation(&values, sample), in_nanos) {
        (None, _) => Value::Absent,
        (Some(deviation), None) => Value::Double(deviation),
        (Some(deviation), Some(_)) => Value::Duration(deviation.round() as i64),
    }
}

/// The smallest value whose share of values at or below it is at least what is asked for.
fn quantile(values: Vec<Value>, share: &str) -> Value {
    let (whole, places) = share.split_once('.').unwrap_or((share, ""));
    let part: u128 = format!("{whole}{places}")
        .parse()
        .expect("the share is a number");
    let of = 10u128.pow(places.len() as u32);
    let mut values: Vec<Value> = values.iter().map(with_numbers_read).collect();
    values.sort_by(total_order);
    let count = values.len() as u128;
    let mut values = values.into_iter().zip(1u128..);
    let reaches = |(_, rank): &(Value, u128)| rank * of >= part * count;
    values
        .find(reaches)
        .map_or(Value::Absent, |(value, _)| canonical(&value))
}
