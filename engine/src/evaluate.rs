//! Expressions over batches: which rows of a part pass.
//!
//! A comparison of a column with a constant runs over all rows of the column's own type; the
//! constant is read once for the kind of column that it meets. All else goes value by value.

use crate::plan::expr::{ArithmeticOp, Expr, FilterCall};
use crate::planted::is_planted;
use crate::schedule::output::Output;
use crate::{Context, Operator, View};
use std::net::IpAddr;
use std::sync::Arc;
use wireq_typesys::{
    Bitmap, Column, CompareOp, Data, FieldPath, Kind, Literal, Prefix, Slot, Value, Zone, holds,
};

/// An expression ready to run.
pub struct Predicate {
    root: Test,
    /// The fields it reads, in the order in which the view must have their columns.
    pub fields: Vec<FieldPath>,
}

enum Test {
    /// A field and a constant; the constant as read for the kind of column met last.
    Constant {
        field: usize,
        op: CompareOp,
        literal: Literal,
        read: Option<(Kind, Option<Value>)>,
    },
    Compare(CompareOp, Operand, Operand),
    Exists(usize),
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    Holds(Box<Test>),
    /// A filter module; the places of its fields among those of the predicate.
    Passes {
        filter: Box<dyn Operator>,
        fields: Vec<usize>,
        slots: Vec<Option<Slot>>,
        out: Box<Output>,
    },
}

enum Operand {
    Field(usize),
    Literal(Literal),
    Arithmetic(ArithmeticOp, Box<Operand>, Box<Operand>),
}

/// Rows for which a test is true, and those for which it is true or false rather than unknown.
struct Truth {
    yes: Bitmap,
    known: Bitmap,
}

impl Predicate {
    /// Makes an expression ready to run; `context` is that of the operator that it is a part of.
    pub fn new(expr: &Expr, context: &Context) -> Predicate {
        let fields = expr.fields();
        Predicate {
            root: build(expr, &fields, context),
            fields,
        }
    }

    /// The selected rows for which the expression is known and true. The view's columns are those
    /// of [`Predicate::fields`].
    pub fn select(&mut self, view: View<'_>, zone: &Zone) -> Bitmap {
        self.root.passing(view, &view.part.selection, zone)
    }
}

fn build(expr: &Expr, fields: &[FieldPath], context: &Context) -> Test {
    let number = |path: &FieldPath| fields.iter().position(|f| f == path).unwrap_or(usize::MAX);
    let all = |parts: &[Expr]| {
        parts
            .iter()
            .map(|part| build(part, fields, context))
            .collect()
    };
    match expr {
        Expr::Compare(op, left, right) => match (&**left, &**right) {
            (Expr::Field(path, _), Expr::Literal(literal, _)) => Test::Constant {
                field: number(path),
                op: *op,
                literal: literal.clone(),
                read: None,
            },
            (Expr::Literal(literal, _), Expr::Field(path, _)) => Test::Constant {
                field: number(path),
                op: op.mirrored(),
                literal: literal.clone(),
                read: None,
            },
            _ => Test::Compare(*op, operand(left, fields), operand(right, fields)),
        },
        Expr::And(parts) => Test::And(all(parts)),
        Expr::Or(parts) => Test::Or(all(parts)),
        Expr::Not(inner) => Test::Not(Box::new(build(inner, fields, context))),
        Expr::Holds(inner) => Test::Holds(Box::new(build(inner, fields, context))),
        Expr::Field(path, _) | Expr::Exists(path, _) => Test::Exists(number(path)),
        Expr::Passes(call) => passes(call, fields, context),
        // A bare number stands for nothing that could hold.
        Expr::Literal(..) | Expr::Arithmetic(..) => Test::Or(Vec::new()),
    }
}

fn passes(call: &FilterCall, fields: &[FieldPath], context: &Context) -> Test {
    let place = |path: &FieldPath| fields.iter().position(|f| f == path).unwrap_or(usize::MAX);
    let places: Vec<usize> = call.fields().iter().map(place).collect();
    let kind = |place: &usize| context.kinds.get(*place).copied().unwrap_or(Kind::Dynamic);
    let filter = (call.spec.make)(&Context {
        fields: call.fields().to_vec(),
        kinds: places.iter().map(kind).collect(),
        live: Vec::new(),
        shape: None,
        origin: context.origin,
        zone: Arc::clone(&context.zone),
        seed: context.seed,
    });
    Test::Passes {
        filter,
        fields: places,
        slots: Vec::new(),
        out: Box::default(),
    }
}

fn operand(expr: &Expr, fields: &[FieldPath]) -> Operand {
    match expr {
        Expr::Field(path, _) => {
            Operand::Field(fields.iter().position(|f| f == path).unwrap_or(usize::MAX))
        }
        Expr::Literal(literal, _) => Operand::Literal(literal.clone()),
        Expr::Arithmetic(op, left, right) => Operand::Arithmetic(
            *op,
            Box::new(operand(left, fields)),
            Box::new(operand(right, fields)),
        ),
        // The languages don't put tests into arithmetic.
        _ => Operand::Field(usize::MAX),
    }
}

impl Test {
    /// The rows of `selection` for which the test is true. Conjunctions narrow step by step, so
    /// that later tests see fewer rows.
    fn passing(&mut self, view: View<'_>, selection: &Bitmap, zone: &Zone) -> Bitmap {
        match self {
            Test::And(parts) => {
                let mut rows = *selection;
                for part in parts.iter_mut() {
                    if rows.is_empty() {
                        break;
                    }
                    rows = part.passing(view, &rows, zone);
                    if is_planted("and-first-part-only") {
                        break;
                    }
                }
                rows
            }
            Test::Or(parts) => {
                let mut rows = Bitmap::EMPTY;
                for part in parts.iter_mut() {
                    rows = rows.or(&part.passing(view, &selection.minus(&rows), zone));
                }
                rows
            }
            Test::Holds(inner) => inner.passing(view, selection, zone),
            Test::Passes {
                filter,
                fields,
                slots,
                out,
            } => {
                slots.clear();
                slots.extend(
                    fields
                        .iter()
                        .map(|field| view.slots.get(*field).copied().flatten()),
                );
                out.clear();
                let part = view.part.select(*selection);
                let views = [View { part: &part, slots }];
                // A filter that fails passes nothing; one that keeps nothing has nothing to fail at.
                match filter.step(0, &views, out) {
                    Ok(_) => out
                        .rows()
                        .fold(Bitmap::EMPTY, |all, part| all.or(&part.selection)),
                    Err(_) => Bitmap::EMPTY,
                }
            }
            Test::Not(inner)
                if matches!(**inner, Test::Holds(_)) && !is_planted("not-needs-known") =>
            {
                selection.minus(&inner.passing(view, selection, zone))
            }
            _ => self.truth(view, selection, zone).yes,
        }
    }

    fn truth(&mut self, view: View<'_>, selection: &Bitmap, zone: &Zone) -> Truth {
        match self {
            Test::Constant {
                field,
                op,
                literal,
                read,
            } => match view.column(*field) {
                Some(column) => compare_constant(column, *op, literal, read, selection, zone),
                None => Truth {
                    yes: Bitmap::EMPTY,
                    known: Bitmap::EMPTY,
                },
            },
            Test::Compare(op, left, right) => {
                compare_values(view, *op, left, right, selection, zone)
            }
            Test::Exists(field) => {
                let yes = view
                    .column(*field)
                    .map_or(Bitmap::EMPTY, |column| column.valid.and(selection));
                Truth {
                    yes,
                    known: *selection,
                }
            }
            Test::And(parts) => {
                let (mut yes, mut known, mut no) = (*selection, *selection, Bitmap::EMPTY);
                for part in parts {
                    let truth = part.truth(view, selection, zone);
                    yes = yes.and(&truth.yes);
                    no = no.or(&truth.known.minus(&truth.yes));
                    known = known.and(&truth.known);
                }
                Truth {
                    yes,
                    known: known.or(&no),
                }
            }
            Test::Or(parts) => {
                let (mut yes, mut known) = (Bitmap::EMPTY, *selection);
                for part in parts {
                    let truth = part.truth(view, selection, zone);
                    yes = yes.or(&truth.yes);
                    known = known.and(&truth.known);
                }
                Truth {
                    yes,
                    known: known.or(&yes),
                }
            }
            Test::Not(inner) => {
                let truth = if is_planted("not-needs-known") {
                    match &mut **inner {
                        Test::Holds(inner) => inner.truth(view, selection, zone),
                        inner => inner.truth(view, selection, zone),
                    }
                } else {
                    inner.truth(view, selection, zone)
                };
                Truth {
                    yes: truth.known.minus(&truth.yes),
                    known: truth.known,
                }
            }
            Test::Holds(_) | Test::Passes { .. } => Truth {
                yes: self.passing(view, selection, zone),
                known: *selection,
            },
        }
    }
}

fn compare_constant(
    column: &Column,
    op: CompareOp,
    literal: &Literal,
    read: &mut Option<(Kind, Option<Value>)>,
    selection: &Bitmap,
    zone: &Zone,
) -> Truth {
    let kind = column.kind();
    if read.as_ref().is_none_or(|(known, _)| *known != kind) {
        *read = Some((kind, literal.read(kind, zone)));
    }
    let known = column.valid.and(selection);
    let value = read.as_ref().and_then(|(_, value)| value.as_ref());
    let Some(value) = value else {
        return Truth {
            yes: Bitmap::EMPTY,
            known: Bitmap::EMPTY,
        };
    };
    let op = if op == CompareOp::Less && is_planted("less-is-less-or-equal") {
        CompareOp::LessOrEqual
    } else {
        op
    };
    if let Some(yes) = compare_typed(column, op, value) {
        return Truth {
            yes: yes.and(&known),
            known,
        };
    }
    by_value(&known, |row| {
        compare_literal(op, &column.value(row), literal, zone)
    })
}

fn by_value(rows: &Bitmap, mut test: impl FnMut(usize) -> Option<bool>) -> Truth {
    let mut truth = Truth {
        yes: Bitmap::EMPTY,
        known: Bitmap::EMPTY,
    };
    rows.for_each(|row| {
        if let Some(yes) = test(row) {
            truth.known.set(row);
            if yes {
                truth.yes.set(row);
            }
        }
    });
    truth
}

macro_rules! by_operator {
    ($values:expr, $op:expr, $constant:expr) => {{
        let constant = $constant;
        match $op {
            CompareOp::Equal => Bitmap::from_slice($values, |v| v == constant),
            CompareOp::NotEqual => Bitmap::from_slice($values, |v| v != constant),
            CompareOp::Less => Bitmap::from_slice($values, |v| v < constant),
            CompareOp::LessOrEqual => Bitmap::from_slice($values, |v| v <= constant),
            CompareOp::Greater => Bitmap::from_slice($values, |v| v > constant),
            CompareOp::GreaterOrEqual => Bitmap::from_slice($values, |v| v >= constant),
        }
    }};
}

/// Compares whole columns of a fixed-width type with a constant; none where this pair of types
/// goes value by value. Rows without a value give anything.
fn compare_typed(column: &Column, op: CompareOp, value: &Value) -> Option<Bitmap> {
    if let Some(integer) = value.as_integer() {
        return match &column.data {
            Data::U8(v) => Some(compare_integers(v, op, integer)),
            Data::U16(v) => Some(compare_integers(v, op, integer)),
            Data::U32(v) => Some(compare_integers(v, op, integer)),
            Data::U64(v) => Some(compare_integers(v, op, integer)),
            Data::I64(v) => Some(compare_integers(v, op, integer)),
            Data::I128(v) => Some(by_operator!(v, op, integer)),
            _ => None,
        };
    }
    match (&column.data, value) {
        (Data::Time(v), Value::Time(constant)) | (Data::Duration(v), Value::Duration(constant)) => {
            Some(by_operator!(v, op, *constant))
        }
        (Data::Address4(v), Value::Address(IpAddr::V4(v4))) => {
            Some(by_operator!(v, op, u32::from(*v4)))
        }
        // Every IPv4 address stands before every IPv6 address.
        (Data::Address4(v), Value::Address(IpAddr::V6(_))) => {
            Some(all_or_none(v.len(), op.accepts(std::cmp::Ordering::Less)))
        }
        (Data::Address4(v), Value::Prefix(prefix)) => {
            let inside = match prefix_mask(prefix) {
                Some((bits, mask)) => Bitmap::from_slice(v, |v| v & mask == bits),
                None => Bitmap::EMPTY,
            };
            membership(op, inside, v.len())
        }
        (Data::Address(v), Value::Address(constant)) => {
            Some(by_operator!(v, op, wireq_typesys::Address::from(*constant)))
        }
        (Data::Mac(v), Value::Mac(constant)) => Some(by_operator!(v, op, *constant)),
        _ => None,
    }
}

/// Bits and mask of an IPv4 prefix.
fn prefix_mask(prefix: &Prefix) -> Option<(u32, u32)> {
    let IpAddr::V4(v4) = prefix.address else {
        return None;
    };
    let bits = if is_planted("prefix-is-exact") {
        32
    } else {
        u32::from(prefix.bits)
    };
    Some((u32::from(v4), u32::MAX.checked_shl(32 - bits).unwrap_or(0)))
}

fn membership(op: CompareOp, inside: Bitmap, len: usize) -> Option<Bitmap> {
    match op {
        CompareOp::Equal => Some(inside),
        CompareOp::NotEqual => Some(Bitmap::first(len).minus(&inside)),
        _ => None,
    }
}

fn all_or_none(len: usize, all: bool) -> Bitmap {
    if all {
        Bitmap::first(len)
    } else {
        Bitmap::EMPTY
    }
}

fn compare_integers<T: Copy + PartialOrd + TryFrom<i128>>(
    values: &[T],
    op: CompareOp,
    constant: i128,
) -> Bitmap {
    match T::try_from(constant) {
        Ok(constant) => by_operator!(values, op, constant),
        // Beyond what the type can hold: all values stand on the same side.
        Err(_) => {
            let order = if constant < 0 {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Less
            };
            all_or_none(values.len(), op.accepts(order))
        }
    }
}

/// Compares a value with a constant; none where that is unknown.
pub fn compare_literal(
    op: CompareOp,
    value: &Value,
    literal: &Literal,
    zone: &Zone,
) -> Option<bool> {
    if let Value::List(values) = value {
        let mut known = false;
        for value in values.iter() {
            match compare_literal(op, value, literal, zone) {
                Some(true) => return Some(true),
                Some(false) => known = true,
                None => {}
            }
        }
        return known.then_some(false);
    }
    // Beside a number that stands without quotes, text is read as a number.
    let kind = match value.kind()? {
        Kind::Text if literal.is_number() => Kind::Double,
        kind => kind,
    };
    let constant = literal.read(kind, zone)?;
    match (value, &constant) {
        (Value::Address(address), Value::Prefix(prefix)) => match op {
            CompareOp::Equal => Some(prefix.contains(*address)),
            CompareOp::NotEqual => Some(!prefix.contains(*address)),
            _ => None,
        },
        _ => holds(op, value, &constant, zone),
    }
}

fn compare_values(
    view: View<'_>,
    op: CompareOp,
    left: &Operand,
    right: &Operand,
    selection: &Bitmap,
    zone: &Zone,
) -> Truth {
    by_value(selection, |row| match (left, right) {
        (left, Operand::Literal(literal)) => {
            compare_literal(op, &left.value(view, row, zone), literal, zone)
        }
        (Operand::Literal(literal), right) => {
            compare_literal(op.mirrored(), &right.value(view, row, zone), literal, zone)
        }
        _ => holds(
            op,
            &left.value(view, row, zone),
            &right.value(view, row, zone),
            zone,
        ),
    })
}

impl Operand {
    fn value(&self, view: View<'_>, row: usize, zone: &Zone) -> Value {
        match self {
            Operand::Field(field) => view.value(*field, row),
            Operand::Literal(literal) => literal.natural(),
            Operand::Arithmetic(op, left, right) => {
                let (a, b) = (left.value(view, row, zone), right.value(view, row, zone));
                match (&**left, &**right) {
                    (_, Operand::Literal(literal)) => {
                        arithmetic(*op, &a, &beside(literal, &a, *op, zone))
                    }
                    (Operand::Literal(literal), _) => {
                        arithmetic(*op, &beside(literal, &b, *op, zone), &b)
                    }
                    _ => arithmetic(*op, &a, &b),
                }
            }
        }
    }
}

/// A constant beside a time or duration, in a sum, is a duration.
fn beside(literal: &Literal, other: &Value, op: ArithmeticOp, zone: &Zone) -> Value {
    let sum = matches!(op, ArithmeticOp::Add | ArithmeticOp::Subtract);
    match other {
        Value::Time(_) | Value::Duration(_) if sum => {
            literal.read(Kind::Duration, zone).unwrap_or_default()
        }
        _ => literal.natural(),
    }
}

/// Arithmetic on two values; absent where it has no result.
pub fn arithmetic(op: ArithmeticOp, left: &Value, right: &Value) -> Value {
    use ArithmeticOp::{Add, Subtract};
    match (left, right) {
        (Value::Time(a), Value::Time(b)) if op == Subtract => {
            a.checked_sub(*b).map_or(Value::Absent, Value::Duration)
        }
        (Value::Time(a), Value::Duration(b)) => {
            nanos(op, *a, *b).map_or(Value::Absent, Value::Time)
        }
        (Value::Duration(a), Value::Time(b)) if op == Add => {
            a.checked_add(*b).map_or(Value::Absent, Value::Time)
        }
        (Value::Duration(a), Value::Duration(b)) => {
            nanos(op, *a, *b).map_or(Value::Absent, Value::Duration)
        }
        _ => match (number(left), number(right)) {
            (Some(a), Some(b)) => numbers(op, &a, &b),
            _ => Value::Absent,
        },
    }
}

fn nanos(op: ArithmeticOp, a: i64, b: i64) -> Option<i64> {
    match op {
        ArithmeticOp::Add => a.checked_add(b),
        ArithmeticOp::Subtract => a.checked_sub(b),
        _ => None,
    }
}

/// A value as an integer or double; text is read as one.
fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Integer(_) | Value::Double(_) => Some(value.clone()),
        Value::Named(number, _) => Some(Value::Integer((*number).into())),
        Value::Bool(b) => Some(Value::Integer((*b).into())),
        Value::Text(text) => {
            let natural = Literal::new(std::str::from_utf8(text).ok()?).natural();
            matches!(natural, Value::Integer(_) | Value::Double(_)).then_some(natural)
        }
        _ => None,
    }
}

fn numbers(op: ArithmeticOp, left: &Value, right: &Value) -> Value {
    let double = |value: &Value| match value {
        Value::Integer(integer) => *integer as f64,
        Value::Double(double) => *double,
        _ => f64::NAN,
    };
    match (op, left, right) {
        (ArithmeticOp::Divide, ..) => match double(right) {
            0.0 => Value::Absent,
            divisor => Value::Double(double(left) / divisor),
        },
        (_, Value::Integer(a), Value::Integer(b)) => match op {
            ArithmeticOp::Add => a.checked_add(*b),
            ArithmeticOp::Subtract => a.checked_sub(*b),
            _ => a.checked_mul(*b),
        }
        .map_or(Value::Absent, Value::Integer),
        (ArithmeticOp::Add, ..) => Value::Double(double(left) + double(right)),
        (ArithmeticOp::Subtract, ..) => Value::Double(double(left) - double(right)),
        (ArithmeticOp::Multiply, ..) => Value::Double(double(left) * double(right)),
    }
}
