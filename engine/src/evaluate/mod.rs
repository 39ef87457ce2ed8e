//! Expressions over batches: which rows of a part pass, and which values rows have.

mod arithmetic;
mod compare;
mod value;

pub use arithmetic::{arithmetic, arithmetic_kind};
pub use compare::compare_literal;
pub(crate) use value::constant_argument;
pub use value::{Scalar, as_kind};

use crate::plan::expr::{Expr, FilterCall};
use crate::planted::is_planted;
use crate::schedule::output::Output;
use crate::{Context, Operator, View};
use compare::compare_constant;
use std::sync::Arc;
use value::{Operand, compare_values};
use wireq_typesys::{Bitmap, CompareOp, FieldPath, Kind, Literal, Slot, Value, Zone};

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
    /// A value as truth.
    Truth(Operand),
    IsAbsent(Operand),
    Bool(bool),
    Unknown,
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
    let value = |expr: &Expr| Operand::new(expr, fields, context);
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
            _ => Test::Compare(*op, value(left), value(right)),
        },
        Expr::And(parts) => Test::And(all(parts)),
        Expr::Or(parts) => Test::Or(all(parts)),
        Expr::Not(inner) => Test::Not(Box::new(build(inner, fields, context))),
        Expr::Holds(inner) => Test::Holds(Box::new(build(inner, fields, context))),
        Expr::Field(path, _) | Expr::Exists(path, _) => Test::Exists(number(path)),
        Expr::Passes(call) => passes(call, fields, context),
        Expr::Bool(value, _) => Test::Bool(*value),
        Expr::Absent(_) => Test::Unknown,
        Expr::Truth(inner) => Test::Truth(value(inner)),
        Expr::IsAbsent(inner) => Test::IsAbsent(value(inner)),
        Expr::Call(..) | Expr::Case(..) => Test::Truth(value(expr)),
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
        carried: Vec::new(),
        shape: None,
        origin: context.origin,
        zone: Arc::clone(&context.zone),
        seed: context.seed,
        matching: context.matching,
    });
    Test::Passes {
        filter,
        fields: places,
        slots: Vec::new(),
        out: Box::default(),
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
                let passed = match filter.step(0, &views, out) {
                    Ok(_) => out
                        .rows()
                        .fold(Bitmap::EMPTY, |all, part| all.or(&part.selection)),
                    Err(_) => Bitmap::EMPTY,
                };
                // Whoever holds rows keeps the reader from filling them anew.
                out.clear();
                passed
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
            Test::Truth(operand) => value::truth_of(view, operand, selection, zone),
            Test::IsAbsent(operand) => value::absent(view, operand, selection, zone),
            Test::Bool(value) => Truth {
                yes: if *value { *selection } else { Bitmap::EMPTY },
                known: *selection,
            },
            Test::Unknown => Truth {
                yes: Bitmap::EMPTY,
                known: Bitmap::EMPTY,
            },
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
