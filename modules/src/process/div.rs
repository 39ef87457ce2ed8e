//! `div`: attaches a field divided by a number.

use super::stateless;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::{Build, Example, Gives, Module, OperatorSpec};
use wireq_typesys::{Bitmap, Column, Conversion, Data, Kind, Value, Zone};

const NAME: &str = "div";
const NANOS: i64 = 1_000_000_000;

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Attaches a field divided by a number, as an integer.",
    details: "The result is rounded toward zero. The field is taken as by its conversion `.int`: \
              times and durations in whole seconds, text as the number that it reads as. What is no \
              number has no result.",
    parameters: &[
        Parameter {
            name: "-d",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "The number to divide by; 1 by default.",
        },
        Parameter {
            name: "-f",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The name of the column; `div` by default.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::One,
            summary: "The field.",
        },
    ],
    examples: &[
        Example {
            title: "lengths in steps of 50 bytes",
            query: "div -d 50 len | print div count() group by div",
            input: "five.pcap",
            output: "1\t4\n2\t1\n",
        },
        Example {
            title: "a time in steps of two seconds",
            query: "div -d 2 -f step ts | print step len",
            input: "five.pcap",
            output: "883612800\t74\n883612800\t125\n883612801\t60\n883612801\t54\n883612802\t76\n",
        },
        Example {
            title: "absent where the field is",
            query: "div -d 10 dstport | print len div",
            input: "five.pcap",
            output: "74\t44\n125\t8\n60\n54\t8\n76\t5\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let divisor = arguments
        .value("-d")
        .map_or(Ok(1), |word| match word.text.parse() {
            Ok(0) | Err(_) => Err(ArgumentError {
                help: Some("-d takes a whole number from 1".into()),
                ..ArgumentError::at(NAME, word, "is nothing to divide by")
            }),
            Ok(number) => Ok(number),
        })?;
    let name = stateless::column_name(NAME, arguments, NAME)?;
    Ok(OperatorSpec {
        gives: Gives::Annotated(vec![(name, Kind::Signed)]),
        ..OperatorSpec::stateless(arguments.fields(), move |context| {
            let zone = Arc::clone(&context.zone);
            stateless::rows(move |view, out| {
                let rows = view.part.selection;
                let column = match view.column(0) {
                    Some(column) => divide(column, divisor, &rows, &zone),
                    None => stateless::absent(view.part.data.len()),
                };
                out.annotate(view.part, rows, vec![column]);
            })
        })
    })
}

fn divide(column: &Column, divisor: u64, rows: &Bitmap, zone: &Zone) -> Column {
    fn unsigned<T: Copy + Into<u64>>(values: &[T], divisor: u64) -> Data {
        Data::U64(values.iter().map(|v| (*v).into() / divisor).collect())
    }
    let signed = |values: &[i64], unit: i64| {
        let quotient = |v: &i64| (i128::from(v.div_euclid(unit)) / i128::from(divisor)) as i64;
        Data::I64(values.iter().map(quotient).collect())
    };
    let data = match &column.data {
        Data::U8(v) => unsigned(v, divisor),
        Data::U16(v) => unsigned(v, divisor),
        Data::U32(v) => unsigned(v, divisor),
        Data::U64(v) => unsigned(v, divisor),
        Data::I64(v) => signed(v, 1),
        Data::Time(v) | Data::Duration(v) => signed(v, NANOS),
        _ => return divide_values(column, divisor, rows, zone),
    };
    Column {
        data,
        valid: column.valid.and(rows),
        names: None,
    }
}

/// The other kinds, value by value.
fn divide_values(column: &Column, divisor: u64, rows: &Bitmap, zone: &Zone) -> Column {
    let mut result = Column::default();
    let (values, valid) = result.refill_i128(column.len());
    rows.and(&column.valid).for_each(|row| {
        if let Some(integer) = integer(&column.value(row), zone) {
            values[row] = integer / i128::from(divisor);
            valid.set(row);
        }
    });
    result
}

/// The value as `.int` gives it; none for what it does not take.
fn integer(value: &Value, zone: &Zone) -> Option<i128> {
    let conversion = Conversion::find("int", value.kind()?)?;
    (conversion.convert)(value, zone).as_integer()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_toward_zero() {
        let zone = Zone::utc();
        let quotient = |value: Value, divisor| {
            let column = Column::from_values([value]);
            let result = divide(&column, divisor, &Bitmap::first(1), &zone);
            assert_eq!(result.len(), 1);
            result.value(0).as_integer()
        };
        for (value, divisor, expected) in [
            (Value::Integer(7), 2, Some(3)),
            (Value::Integer(-7), 2, Some(-3)),
            (Value::Integer(i128::MIN), 1, Some(i128::MIN)),
            (Value::Integer(5), u64::MAX, Some(0)),
            (Value::Double(-7.9), 2, Some(-3)),
            (Value::Double(f64::NAN), 2, None),
            (Value::text("0x10"), 3, Some(5)),
            (Value::text("x"), 3, None),
            (Value::Time(5_999_999_999), 2, Some(2)),
            (Value::Duration(-1), 1, Some(-1)),
            (Value::Bytes(b"7".as_slice().into()), 2, None),
            (Value::Absent, 1, None),
        ] {
            let text = format!("{value:?} / {divisor}");
            assert_eq!(quotient(value, divisor), expected, "{text}");
        }
        let smallest = Column {
            data: Data::I64(vec![i64::MIN]),
            valid: Bitmap::first(1),
            names: None,
        };
        let result = divide(&smallest, 1 << 63, &Bitmap::first(1), &zone);
        assert_eq!(result.value(0).as_integer(), Some(-1));
    }
}
