//! `deskew`: values out of bounds replaced by the one before.

use super::clockwork::nanos;
use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes, Word};
use wireq_engine::evaluate::arithmetic;
use wireq_engine::plan::expr::ArithmeticOp;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Context, Error, Example, Gives, Module, Needs, Operator, OperatorSpec, Progress,
    StateClass, View,
};
use wireq_typesys::{Column, ColumnBuilder, FieldPath, Kind, Literal, Value, Zone, total_order};

pub(super) static MODULE: Module = Module {
    name: "deskew",
    summary: "Replaces a value out of bounds by the latest one within them.",
    details: "Where there is none yet, the lower bound is taken, or the upper one if there is no \
              lower. What reads the field behind it, and conversions such as ts.sec, sees the \
              corrected value under the name given here. Without bounds nothing is replaced.",
    parameters: &[
        Parameter {
            name: "-b",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The lower bound, read as a value of the field: a time for ts.",
        },
        Parameter {
            name: "-e",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The upper bound, likewise.",
        },
        Parameter {
            name: "-s",
            takes: Takes::Field,
            count: Count::Optional,
            summary: "A field to shift by as much as the corrected one, such as the end of a flow; a number beside a time is seconds.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::One,
            summary: "The field to correct.",
        },
    ],
    examples: &[
        Example {
            title: "lengths above 100 are not believed",
            query: "deskew -e 100 len | print len",
            input: "five.pcap",
            output: "74\n74\n60\n54\n76\n",
        },
        Example {
            title: "times before the capture began",
            query: "deskew -b 2026-01-01T00:00:02Z ts | print ts.sec len",
            input: "five.pcap",
            output: "1767225602\t74\n1767225602\t125\n1767225602\t60\n1767225603\t54\n1767225604\t76\n",
        },
        Example {
            title: "a second field goes with it",
            query: "deskew -e 100 -s caplen len | print len caplen",
            input: "five.pcap",
            output: "74\t74\n74\t74\n60\t60\n54\t54\n76\t76\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let mut needs = arguments.fields();
    if let Some(word) = arguments.value("-s") {
        let second = FieldPath::new(&word.text);
        if needs.contains(&second) {
            return Err(ArgumentError {
                help: Some("-s names another field, to shift by as much".into()),
                ..ArgumentError::at("deskew", word, "is the field that is corrected")
            });
        }
        needs.push(second);
    }
    let bounds = ["-b", "-e"].map(|flag| arguments.value(flag).map(literal));
    let given = needs.iter().map(|path| (path.clone(), Kind::Dynamic));
    Ok(OperatorSpec {
        gives: Gives::Annotated(given.collect()),
        needs: Needs::Fields(needs),
        // The first values of a part may need one before it, and were given on already.
        class: StateClass::Serial,
        bound: Some("one value"),
        ..OperatorSpec::stateless(Vec::new(), move |context| {
            Box::new(Deskew::new(&bounds, context))
        })
    })
}

fn literal(word: &Word) -> Literal {
    if word.quoted {
        Literal::quoted(&word.text)
    } else {
        Literal::new(&word.text)
    }
}

/// A bound, read for the kind of values met last.
struct Bound {
    literal: Literal,
    read: Option<(Kind, Option<Value>)>,
}

impl Bound {
    fn read(&mut self, kind: Kind, zone: &Zone) -> Option<&Value> {
        if self.read.as_ref().is_none_or(|(known, _)| *known != kind) {
            let value = self.literal.read(kind, zone);
            // A block of addresses is neither before nor behind an address.
            let value = value.filter(|value| !matches!(value, Value::Prefix(_)));
            self.read = Some((kind, value));
        }
        self.read.as_ref()?.1.as_ref()
    }
}

struct Deskew {
    field: FieldPath,
    kind: Kind,
    min: Option<Bound>,
    max: Option<Bound>,
    zone: Arc<Zone>,
    /// The latest value within bounds.
    good: Value,
    /// The number of fields given: one, or two.
    fields: usize,
}

impl Deskew {
    fn new(bounds: &[Option<Literal>; 2], context: &Context) -> Deskew {
        let [min, max] = bounds.clone().map(|bound| {
            bound.map(|literal| Bound {
                literal,
                read: None,
            })
        });
        Deskew {
            field: context.fields[0].clone(),
            kind: context.kinds[0],
            min,
            max,
            zone: Arc::clone(&context.zone),
            good: Value::Absent,
            fields: context.fields.len(),
        }
    }

    /// Bounds that are no value of the field's kind are a fault of the query, which can be told
    /// only here: arguments are read before kinds are known.
    fn check(&mut self) -> Result<(), Error> {
        if self.kind == Kind::Dynamic {
            return Ok(());
        }
        for bound in [&mut self.min, &mut self.max].into_iter().flatten() {
            if bound.read(self.kind, &self.zone).is_none() {
                let (text, field, kind) = (&bound.literal.text, &self.field, self.kind);
                return Err(Error::Module {
                    module: "deskew",
                    message: format!("the bound `{text}` cannot be read as {field} is ({kind})"),
                });
            }
        }
        Ok(())
    }

    /// What a value is to be replaced by, if it is out of bounds.
    fn replacement(&mut self, value: &Value) -> Option<Value> {
        let kind = match self.kind {
            Kind::Dynamic => value.kind()?,
            kind => kind,
        };
        let zone = &self.zone;
        let min = self.min.as_mut().and_then(|bound| bound.read(kind, zone));
        let max = self.max.as_mut().and_then(|bound| bound.read(kind, zone));
        let below = min.is_some_and(|min| total_order(value, min).is_lt());
        let above = max.is_some_and(|max| total_order(value, max).is_gt());
        if !(below || above) {
            return None;
        }
        if !self.good.is_absent() {
            return Some(self.good.clone());
        }
        min.or(max).cloned()
    }

    /// The rows whose value is replaced: by what, and how far that is from what it was.
    fn changes(&mut self, view: View<'_>) -> Vec<(usize, Value, Value)> {
        let mut changes = Vec::new();
        for row in view.part.selection.iter() {
            let value = view.value(0, row);
            if value.is_absent() {
                continue;
            }
            match self.replacement(&value) {
                None => self.good = value,
                Some(new) => {
                    let shift = arithmetic(ArithmeticOp::Subtract, &new, &value);
                    changes.push((row, new, shift));
                }
            }
        }
        changes
    }
}

/// A value moved; between times and numbers these are seconds, and an integer stays one.
fn shifted(value: &Value, shift: &Value, zone: &Zone) -> Value {
    let moved = match (value, shift) {
        (Value::Integer(_) | Value::Named(..), Value::Duration(by)) => nanos(value, zone)
            .and_then(|nanos| nanos.checked_add((*by).into()))
            .map(|nanos| Value::Integer(nanos.div_euclid(1_000_000_000))),
        (Value::Double(seconds), Value::Duration(by)) => {
            Some(Value::Double(seconds + *by as f64 / 1e9))
        }
        (Value::Time(_) | Value::Duration(_), Value::Integer(_) | Value::Double(_)) => {
            let by = nanos(shift, zone).and_then(|by| i64::try_from(by).ok());
            by.map(|by| arithmetic(ArithmeticOp::Add, value, &Value::Duration(by)))
        }
        _ => Some(arithmetic(ArithmeticOp::Add, value, shift)),
    };
    moved.unwrap_or_default()
}

/// A column with other values in some rows, which ascend.
fn replaced(
    column: Option<&Column>,
    rows: usize,
    changes: impl Iterator<Item = (usize, Value)>,
) -> Column {
    let mut changes = changes.peekable();
    if let (Some(column), None) = (column, changes.peek()) {
        return column.clone();
    }
    let mut builder = ColumnBuilder::default();
    for row in 0..rows {
        let change = changes.next_if(|(at, _)| *at == row);
        builder.push(match change {
            Some((_, value)) => value,
            None => column.map_or(Value::Absent, |column| column.value(row)),
        });
    }
    builder.finish()
}

impl Operator for Deskew {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        self.check()?;
        for view in views {
            let changes = self.changes(*view);
            let rows = view.part.data.len();
            let first = changes.iter().map(|(row, new, _)| (*row, new.clone()));
            let mut columns = vec![replaced(view.column(0), rows, first)];
            if self.fields > 1 {
                let shifted = changes.iter().map(|(row, _, shift)| {
                    let value = view.value(1, *row);
                    (*row, shifted(&value, shift, &self.zone))
                });
                columns.push(replaced(view.column(1), rows, shifted));
            }
            out.annotate(view.part, view.part.selection, columns);
        }
        Ok(Progress::Continue)
    }

    fn save(&self, out: &mut Writer) {
        out.value(&self.good);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.good = from.value()?;
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
