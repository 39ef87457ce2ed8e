//! `const`: attaches a constant.

use super::stateless;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::{Build, Example, Gives, Module, OperatorSpec};
use wireq_typesys::{Bitmap, Block, Column, Data, FieldPath, Kind, Literal, Slices, Value, Zone};

const NAME: &str = "const";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Attaches a constant to every object.",
    details: "The kinds are bool, signed, unsigned, double, time, duration, address, prefix, mac, \
              bytes and text.",
    parameters: &[
        Parameter {
            name: "-t",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The kind that VALUE is read as; text by default.",
        },
        Parameter {
            name: "-f",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The name of the column; `const` by default.",
        },
        Parameter {
            name: "VALUE",
            takes: Takes::Text,
            count: Count::One,
            summary: "The constant.",
        },
    ],
    examples: &[
        Example {
            title: "a label",
            query: "const web | where dstport = 80 | print const len",
            input: "five.pcap",
            output: "web\t125\nweb\t54\n",
        },
        Example {
            title: "a number under a name",
            query: "const -t unsigned -f limit 75 | where len > limit | print len limit",
            input: "five.pcap",
            output: "125\t75\n76\t75\n",
        },
        Example {
            title: "a time and its conversions",
            query: "const -t time -f begin 2026-01-01T00:00:00Z | head 1 | print begin.date begin.sec",
            input: "five.pcap",
            output: "2026-01-01\t1767225600\n",
        },
    ],
    build: Build::Operator(build),
};

static KINDS: [Kind; 11] = [
    Kind::Text,
    Kind::Bytes,
    Kind::Bool,
    Kind::Signed,
    Kind::Unsigned,
    Kind::Double,
    Kind::Time,
    Kind::Duration,
    Kind::Address,
    Kind::Prefix,
    Kind::Mac,
];

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let name = stateless::column_name(NAME, arguments, NAME)?;
    let kind = kind(arguments)?;
    let Some(word) = arguments.words().first() else {
        // The parameters ask for it, and they were checked.
        return Ok(attach(name, kind, |_| Value::Absent));
    };
    let literal = Literal {
        text: word.text.clone(),
        quoted: word.quoted,
    };
    if read(&literal, kind, &Zone::utc()).is_none() {
        let message = format!("cannot be read as {kind}");
        return Err(ArgumentError {
            help: Some("-t says which kind VALUE is read as; without it, as text".into()),
            ..ArgumentError::at(NAME, word, message)
        });
    }
    Ok(attach(name, kind, move |zone| {
        read(&literal, kind, zone).unwrap_or_default()
    }))
}

fn kind(arguments: &Arguments) -> Result<Kind, ArgumentError> {
    let Some(word) = arguments.value("-t") else {
        return Ok(Kind::Text);
    };
    let named = |kind: &&Kind| kind.to_string() == word.text;
    KINDS.iter().find(named).copied().ok_or_else(|| {
        let names: Vec<String> = KINDS.iter().map(Kind::to_string).collect();
        ArgumentError {
            help: Some(format!("the kinds are {}", names.join(", "))),
            ..ArgumentError::at(NAME, word, "is no kind that a constant can have")
        }
    })
}

/// The constant read as just this kind: no block for an address, nothing negative that is unsigned.
fn read(literal: &Literal, kind: Kind, zone: &Zone) -> Option<Value> {
    match (kind, literal.read(kind, zone)?) {
        (Kind::Address, Value::Prefix(_)) => None,
        (Kind::Signed | Kind::Unsigned, Value::Double(_)) => None,
        (Kind::Unsigned, Value::Integer(integer)) if integer < 0 => None,
        (Kind::Double, Value::Integer(integer)) => Some(Value::Double(integer as f64)),
        (_, value) => Some(value),
    }
}

/// An operator that attaches the same value to every object.
pub(super) fn attach(
    name: FieldPath,
    kind: Kind,
    value: impl Fn(&Zone) -> Value + Send + Sync + 'static,
) -> OperatorSpec {
    OperatorSpec {
        gives: Gives::Annotated(vec![(name, kind)]),
        ..OperatorSpec::stateless(Vec::new(), move |context| {
            let value = value(&context.zone);
            let mut built = Column::default();
            stateless::rows(move |view, out| {
                let len = view.part.data.len();
                if built.len() != len {
                    built = column(&value, len);
                }
                out.annotate(view.part, view.part.selection, vec![built.clone()]);
            })
        })
    }
}

/// A column of `len` times the value.
fn column(value: &Value, len: usize) -> Column {
    let Some(bytes) = value.as_bytes() else {
        return Column::from_values(std::iter::repeat_n(value.clone(), len));
    };
    // All rows refer to the same bytes.
    let slices = Slices {
        blocks: vec![Arc::new(Block(bytes.to_vec()))],
        rows: vec![(0, 0, bytes.len() as u32); len],
    };
    Column {
        data: match value {
            Value::Text(_) => Data::Text(slices),
            _ => Data::Bytes(slices),
        },
        valid: Bitmap::first(len),
        names: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wireq_typesys::total_order;

    #[test]
    fn columns_have_the_value_in_every_row() {
        let literals = [
            ("a\\x00", Kind::Text),
            ("a", Kind::Bytes),
            ("-7", Kind::Signed),
            ("7", Kind::Double),
            ("true", Kind::Bool),
            ("fd00::1", Kind::Address),
            ("10.0.0.0/8", Kind::Prefix),
        ];
        for (text, kind) in literals {
            let value = read(&Literal::new(text), kind, &Zone::utc()).expect("a reading");
            assert_eq!(value.kind(), Some(kind));
            let column = column(&value, 3);
            assert_eq!((column.len(), column.valid.count()), (3, 3));
            assert!(total_order(&column.value(2), &value).is_eq(), "{text}");
        }
        for (text, kind) in [
            ("-7", Kind::Unsigned),
            ("7.5", Kind::Signed),
            ("10.0.0.0/8", Kind::Address),
            ("x", Kind::Mac),
        ] {
            assert!(
                read(&Literal::new(text), kind, &Zone::utc()).is_none(),
                "{text}"
            );
        }
    }
}
