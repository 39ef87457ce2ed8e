//! Values of expressions, a column at a time.

use super::arithmetic::arithmetic;
use super::{Test, build, compare};
use crate::function::Function;
use crate::plan::expr::{ArithmeticOp, Expr};
use crate::planted::is_planted;
use crate::{Context, View};
use std::sync::Arc;
use wireq_typesys::{
    Bitmap, Column, ColumnBuilder, CompareOp, FieldPath, Kind, Literal, Value, Zone, any, holds,
    write_value,
};

/// An expression with a value, ready to run.
pub struct Scalar {
    root: Operand,
    /// The fields it reads, in the order in which the view must have their columns.
    pub fields: Vec<FieldPath>,
}

impl Scalar {
    /// Makes an expression ready to run; `context` is that of the operator that it is a part of.
    pub fn new(expr: &Expr, context: &Context) -> Scalar {
        let fields = expr.fields();
        Scalar {
            root: Operand::new(expr, &fields, context),
            fields,
        }
    }

    /// The values for the selected rows; the view's columns are those of [`Scalar::fields`].
    pub fn column(&mut self, view: View<'_>, zone: &Zone) -> Column {
        let rows = view.part.selection;
        let len = view.part.data.len();
        self.root.eval(view, &rows, zone).into_column(len, &rows)
    }
}

pub(super) enum Operand {
    Field(usize),
    /// A constant, and its reading where nothing else decides.
    Literal(Literal, Value),
    Constant(Value),
    Arithmetic(ArithmeticOp, Box<Operand>, Box<Operand>),
    Call(&'static Function, Vec<Argument>),
    Case(Vec<(Test, Operand)>, Option<Box<Operand>>),
    Test(Box<Test>),
}

/// An argument of a function and the kind that it is read as.
pub(super) struct Argument {
    operand: Operand,
    kind: Kind,
}

/// A constant as the argument of a function; none where what it is depends on the others.
pub(crate) fn constant_argument(
    function: &Function,
    at: usize,
    literal: &Literal,
    zone: &Zone,
) -> Option<Value> {
    let kind = function.parameter(at).map_or(Kind::Dynamic, |p| p.kind);
    // A text is what it says: `\d` in a pattern is no escape.
    if literal.quoted && (kind.is_bytes() || kind == Kind::Dynamic) {
        return Some(Value::text(&literal.text));
    }
    (kind != Kind::Dynamic).then(|| literal.read(kind, zone).unwrap_or_default())
}

/// The values of an expression for some rows.
pub(super) enum Computed<'a> {
    Borrowed(&'a Column),
    Owned(Box<Column>),
    Constant(Value),
}

impl Computed<'_> {
    pub(super) fn value(&self, row: usize) -> Value {
        match self {
            Computed::Borrowed(column) => column.value(row),
            Computed::Owned(column) => column.value(row),
            Computed::Constant(value) => value.clone(),
        }
    }

    fn into_column(self, len: usize, rows: &Bitmap) -> Column {
        match self {
            Computed::Borrowed(column) => column.clone(),
            Computed::Owned(column) => *column,
            Computed::Constant(value) => by_row(len, rows, |_| value.clone()),
        }
    }
}

/// A column with a value for each of some rows.
fn by_row(len: usize, rows: &Bitmap, mut value: impl FnMut(usize) -> Value) -> Column {
    let mut builder = ColumnBuilder::default();
    for row in 0..len {
        builder.push(if rows.get(row) {
            value(row)
        } else {
            Value::Absent
        });
    }
    builder.finish()
}

impl Operand {
    pub(super) fn new(expr: &Expr, fields: &[FieldPath], context: &Context) -> Operand {
        let inner = |expr: &Expr| Operand::new(expr, fields, context);
        match expr {
            Expr::Field(path, _) => {
                Operand::Field(fields.iter().position(|f| f == path).unwrap_or(usize::MAX))
            }
            Expr::Literal(literal, _) => Operand::Literal(literal.clone(), literal.natural()),
            Expr::Bool(value, _) => Operand::Constant(Value::Bool(*value)),
            Expr::Absent(_) => Operand::Constant(Value::Absent),
            Expr::Arithmetic(op, left, right) => {
                Operand::Arithmetic(*op, Box::new(inner(left)), Box::new(inner(right)))
            }
            Expr::Call(function, arguments, _) => {
                let argument = |(at, expr): (usize, &Expr)| {
                    let kind = function.parameter(at).map_or(Kind::Dynamic, |p| p.kind);
                    let constant = match expr {
                        Expr::Literal(literal, _) => {
                            constant_argument(function, at, literal, &context.zone)
                        }
                        _ => None,
                    };
                    let operand = constant.map_or_else(|| inner(expr), Operand::Constant);
                    Argument { operand, kind }
                };
                Operand::Call(
                    function,
                    arguments.iter().enumerate().map(argument).collect(),
                )
            }
            Expr::Case(arms, otherwise) => {
                let arm = |(test, value): &(Expr, Expr)| {
                    (
                        build(test, fields, context),
                        Operand::new(value, fields, context),
                    )
                };
                let arms = arms.iter().map(arm).collect();
                Operand::Case(arms, otherwise.as_deref().map(|expr| Box::new(inner(expr))))
            }
            test => Operand::Test(Box::new(build(test, fields, context))),
        }
    }

    /// The values for some rows; for others, anything.
    pub(super) fn eval<'a>(
        &'a mut self,
        view: View<'a>,
        rows: &Bitmap,
        zone: &Zone,
    ) -> Computed<'a> {
        let len = view.part.data.len();
        match self {
            Operand::Field(field) => match view.column(*field) {
                Some(column) => Computed::Borrowed(column),
                None => Computed::Constant(Value::Absent),
            },
            Operand::Literal(_, natural) => Computed::Constant(natural.clone()),
            Operand::Constant(value) => Computed::Constant(value.clone()),
            Operand::Arithmetic(op, left, right) => {
                let op = *op;
                let (first, second) = (constant_of(left), constant_of(right));
                let (a, b) = (left.eval(view, rows, zone), right.eval(view, rows, zone));
                if let (Computed::Constant(a), Computed::Constant(b)) = (&a, &b) {
                    return Computed::Constant(arithmetic(op, a, b));
                }
                Computed::Owned(Box::new(by_row(len, rows, |row| {
                    let (a, b) = (a.value(row), b.value(row));
                    match (&first, &second) {
                        (_, Some(literal)) => arithmetic(op, &a, &beside(literal, &a, b, op, zone)),
                        (Some(literal), _) => arithmetic(op, &beside(literal, &b, a, op, zone), &b),
                        _ => arithmetic(op, &a, &b),
                    }
                })))
            }
            Operand::Call(function, arguments) => call(function, arguments, view, rows, zone),
            Operand::Case(arms, otherwise) => {
                let mut values = vec![Value::Absent; len];
                let mut left = *rows;
                for (test, operand) in arms {
                    let passing = test.passing(view, &left, zone);
                    if !is_planted("case-takes-last-arm") {
                        left = left.minus(&passing);
                    }
                    take(operand, view, &passing, zone, &mut values);
                }
                if let Some(otherwise) = otherwise {
                    take(otherwise, view, &left, zone, &mut values);
                }
                Computed::Owned(Box::new(Column::from_values(values)))
            }
            Operand::Test(test) => {
                let truth = test.truth(view, rows, zone);
                let mut column = Column::default();
                let (values, valid) = column.refill_bool(len);
                truth.yes.for_each(|row| values[row] = true);
                *valid = truth.known.and(rows);
                Computed::Owned(Box::new(column))
            }
        }
    }
}

/// Puts the values of some rows in their places.
fn take(operand: &mut Operand, view: View<'_>, rows: &Bitmap, zone: &Zone, values: &mut [Value]) {
    if !rows.is_empty() {
        let computed = operand.eval(view, rows, zone);
        rows.for_each(|row| values[row] = computed.value(row));
    }
}

/// The constant that an operand is, as it was written.
fn constant_of(operand: &Operand) -> Option<Literal> {
    match operand {
        Operand::Literal(literal, _) => Some(literal.clone()),
        _ => None,
    }
}

/// A constant beside a time or duration, in a sum, is a duration.
fn beside(
    literal: &Literal,
    other: &Value,
    natural: Value,
    op: ArithmeticOp,
    zone: &Zone,
) -> Value {
    let sum = matches!(op, ArithmeticOp::Add | ArithmeticOp::Subtract);
    match other {
        Value::Time(_) | Value::Duration(_) if sum => {
            literal.read(Kind::Duration, zone).unwrap_or_default()
        }
        _ => natural,
    }
}

fn call<'a>(
    function: &'static Function,
    arguments: &mut [Argument],
    view: View<'_>,
    rows: &Bitmap,
    zone: &Zone,
) -> Computed<'a> {
    let len = view.part.data.len();
    let mut columns = Vec::with_capacity(arguments.len());
    for argument in arguments {
        columns.push((argument.operand.eval(view, rows, zone), argument.kind));
    }
    let mut values = vec![Value::Absent; columns.len()];
    let mut result = |row: usize| {
        for (value, (column, _)) in values.iter_mut().zip(&columns) {
            *value = column.value(row);
        }
        call_with(function, &mut values, zone)
    };
    let constant = |(computed, _): &(Computed<'_>, Kind)| matches!(computed, Computed::Constant(_));
    if columns.iter().all(constant) {
        return Computed::Constant(result(0));
    }
    Computed::Owned(Box::new(by_row(len, rows, result)))
}

/// Calls a function with some values; for each value of a list that it takes none of.
fn call_with(function: &'static Function, values: &mut [Value], zone: &Zone) -> Value {
    for at in 0..values.len() {
        if let (Value::List(each), true) = (&values[at], function.takes_each(at)) {
            let each = Arc::clone(each);
            let called = each.iter().map(|value| {
                let mut values = values.to_vec();
                values[at] = value.clone();
                call_with(function, &mut values, zone)
            });
            return Value::List(called.collect());
        }
    }
    for (at, value) in values.iter_mut().enumerate() {
        let kind = function.parameter(at).map_or(Kind::Dynamic, |p| p.kind);
        *value = as_kind(std::mem::take(value), kind, zone);
        if function.strict && value.is_absent() {
            return Value::Absent;
        }
    }
    (function.call)(values, zone)
}

/// A value as the kind that a function takes; absent where it can't be read as that.
pub fn as_kind(value: Value, kind: Kind, zone: &Zone) -> Value {
    match (kind, &value) {
        (_, Value::Absent) | (Kind::Dynamic | Kind::Object | Kind::List(_), _) => value,
        (Kind::Signed | Kind::Unsigned, Value::Integer(_))
        | (Kind::Double, Value::Double(_))
        | (Kind::Named(_), Value::Named(..))
        | (Kind::Bool, Value::Bool(_))
        | (Kind::Time, Value::Time(_))
        | (Kind::Duration, Value::Duration(_))
        | (Kind::Address, Value::Address(_) | Value::Prefix(_))
        | (Kind::Prefix, Value::Prefix(_))
        | (Kind::Mac, Value::Mac(_))
        | (Kind::Bytes | Kind::Text, Value::Bytes(_) | Value::Text(_)) => value,
        (Kind::Signed | Kind::Unsigned, Value::Named(number, _)) => {
            Value::Integer((*number).into())
        }
        (Kind::Signed | Kind::Unsigned, Value::Bool(bit)) => Value::Integer((*bit).into()),
        (Kind::Signed | Kind::Unsigned, Value::Double(double)) => whole(*double),
        // Functions of numbers keep integers exact.
        (Kind::Double, Value::Integer(_)) => value,
        (Kind::Double, Value::Named(number, _)) => Value::Integer((*number).into()),
        (Kind::Double, Value::Bool(bit)) => Value::Integer((*bit).into()),
        (Kind::Bool, Value::Integer(number)) => Value::Bool(*number != 0),
        (Kind::Bool, Value::Named(number, _)) => Value::Bool(*number != 0),
        (Kind::Bool, Value::Double(number)) => Value::Bool(*number != 0.0),
        _ => through_text(&value, kind, zone),
    }
}

/// The nearest integer; halves go to the even one, as DuckDB's casts do.
fn whole(double: f64) -> Value {
    if double.abs() < 1.7e38 {
        Value::Integer(double.round_ties_even() as i128)
    } else {
        Value::Absent
    }
}

fn through_text(value: &Value, kind: Kind, zone: &Zone) -> Value {
    let mut text = Vec::new();
    match value {
        Value::Text(bytes) | Value::Bytes(bytes) => text.extend_from_slice(bytes),
        _ => write_value(value, zone, &mut text),
    }
    if kind.is_bytes() {
        return Value::Text(text.into());
    }
    let text = String::from_utf8(text).ok();
    let read = text.and_then(|text| Literal::new(text.trim()).read(kind, zone));
    read.unwrap_or_default()
}

/// Whether a comparison of two values holds, row by row.
pub(super) fn compare_values(
    view: View<'_>,
    op: CompareOp,
    left: &mut Operand,
    right: &mut Operand,
    rows: &Bitmap,
    zone: &Zone,
) -> super::Truth {
    let (first, second) = (constant_of(left), constant_of(right));
    let (a, b) = (left.eval(view, rows, zone), right.eval(view, rows, zone));
    compare::by_value(rows, |row| match (&first, &second) {
        (_, Some(literal)) => compare::compare_literal(op, &a.value(row), literal, zone),
        (Some(literal), _) => compare::compare_literal(op.mirrored(), &b.value(row), literal, zone),
        _ => holds(op, &a.value(row), &b.value(row), zone),
    })
}

/// The rows for which a value is true: true itself, or a number other than 0.
pub(super) fn truth_of(
    view: View<'_>,
    operand: &mut Operand,
    rows: &Bitmap,
    zone: &Zone,
) -> super::Truth {
    let values = operand.eval(view, rows, zone);
    compare::by_value(rows, |row| truth_of_value(values.value(row), zone))
}

/// Whether a value is true; of a list, whether one of its values is.
fn truth_of_value(value: Value, zone: &Zone) -> Option<bool> {
    if let Value::List(values) = &value {
        return any(CompareOp::Equal, values.iter(), |_, value| {
            truth_of_value(value.clone(), zone)
        });
    }
    match as_kind(value, Kind::Bool, zone) {
        Value::Bool(bit) => Some(bit),
        _ => None,
    }
}

/// The rows for which a value is absent.
pub(super) fn absent(
    view: View<'_>,
    operand: &mut Operand,
    rows: &Bitmap,
    zone: &Zone,
) -> super::Truth {
    let yes = match operand.eval(view, rows, zone) {
        Computed::Borrowed(column) => rows.minus(&column.valid),
        Computed::Owned(column) => rows.minus(&column.valid),
        Computed::Constant(value) if value.is_absent() => *rows,
        Computed::Constant(_) => Bitmap::EMPTY,
    };
    super::Truth { yes, known: *rows }
}
