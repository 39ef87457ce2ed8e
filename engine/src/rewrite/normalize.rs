//! `normalize`: tests in one form, so that equal ones are found to be equal.
//!
//! A filter module that says what has to be in a text is a test, as in a condition: then it is matched
//! together with others.
//!
//! A conjunction loses what stands in it twice, what is always true, and tests that another one
//! implies (`len > 50` beside `len > 100`, a block beside one within it); one that contradicts
//! itself is false. Constants stand on the right. Cheap tests stand first, and those of one price
//! in the order of their texts: a conjunction holds where all of its tests do, whatever their order.

use crate::OperatorSpec;
use crate::matching::Values;
use crate::plan::expr::{Expr, FilterCall};
use crate::plan::stream::Stream;
use crate::plan::{NodeKind, Plan};
use crate::planted::is_planted;
use hashbrown::{HashMap, HashSet};
use wireq_typesys::{FieldPath, Kind};

pub(super) fn apply(plan: &mut Plan) {
    for node in plan.order() {
        let node = &mut plan.graph[node];
        let test = match &mut node.kind {
            NodeKind::Filter(test) => {
                std::mem::replace(test, Expr::Bool(true, crate::Span::default()))
            }
            NodeKind::Operator(module, arguments, spec) if spec.demand.is_some() => {
                let call = FilterCall {
                    module,
                    arguments: arguments.clone(),
                    spec: OperatorSpec::clone(spec),
                    span: crate::Span::default(),
                };
                Expr::Holds(Box::new(Expr::Passes(Box::new(call))))
            }
            _ => continue,
        };
        node.kind = NodeKind::Filter(normalized(test, &node.stream));
    }
}

/// A test of a filter in normal form.
pub(super) fn normalized(test: Expr, stream: &Stream) -> Expr {
    let span = crate::Span::default();
    let mut tests: Vec<Expr> = Vec::new();
    for mut test in test.conjuncts() {
        order_sides(&mut test);
        match test {
            Expr::Bool(true, _) => {}
            Expr::Bool(false, _) => return test,
            test => tests.push(test),
        }
    }
    let mut new = new_ones(&tests).into_iter();
    tests.retain(|_| new.next().unwrap_or(true));
    let mut implied = vec![false; tests.len()];
    for tests in by_field(&tests, stream).chunk_by(|a, b| a.field == b.field) {
        if contradict(tests) {
            return Expr::Bool(false, span);
        }
        find_implied(tests, &mut implied);
    }
    let mut implied = implied.into_iter();
    tests.retain(|_| !implied.next().unwrap_or(false));
    let mut kept = tests;
    if kept.len() > 1 {
        kept.sort_by_cached_key(|test| (price(test), test.to_string()));
    }
    match kept.len() {
        0 => Expr::Bool(true, span),
        1 => kept.swap_remove(0),
        _ => Expr::And(kept),
    }
}

/// Which tests do not stand before already.
fn new_ones(tests: &[Expr]) -> Vec<bool> {
    let mut known: HashSet<&Expr> = HashSet::with_capacity(tests.len());
    tests.iter().map(|test| known.insert(test)).collect()
}

/// The values of a field for which a test holds, where the kind of the field is beyond doubt.
pub(super) fn values_of(test: &Expr, stream: &Stream) -> Option<(FieldPath, Values)> {
    let is_closed = is_closed(stream);
    values_where(test, stream, is_closed)
}

/// Whether the fields of all objects are those of their types, known beforehand.
fn is_closed(stream: &Stream) -> bool {
    let mut types = stream.types.iter();
    !stream.types.is_empty() && types.all(|t| !t.open() && t.more_names().is_empty())
}

fn values_where(test: &Expr, stream: &Stream, is_closed: bool) -> Option<(FieldPath, Values)> {
    let known = |field: &FieldPath| {
        let attached = stream.given.iter().any(|(name, _)| field.is_of(name));
        let carried = stream
            .objects
            .iter()
            .any(|o| field.below(&o.name).is_some());
        match is_closed && !attached && !carried {
            true => stream.kind(field).unwrap_or(Kind::Dynamic),
            false => Kind::Dynamic,
        }
    };
    Values::of(test, &known)
}

/// Tests that are known to hold.
pub(super) struct Known {
    tests: HashSet<Expr>,
    values: HashMap<FieldPath, Vec<Values>>,
}

impl Known {
    pub(super) fn new(tests: Vec<Expr>, stream: &Stream) -> Known {
        let tests: HashSet<Expr> = tests.into_iter().collect();
        let mut values: HashMap<FieldPath, Vec<Values>> = HashMap::new();
        for (field, of_one) in tests.iter().filter_map(|test| values_of(test, stream)) {
            values.entry(field).or_default().push(of_one);
        }
        Known { tests, values }
    }

    /// Whether another test holds then too: it is one of them, or one of them is about fewer values
    /// of its field.
    pub(super) fn implies(&self, test: &Expr, stream: &Stream) -> bool {
        if self.tests.contains(test) {
            return true;
        }
        let Some((field, values)) = values_of(test, stream) else {
            return false;
        };
        let mut known = self.values.get(&field).into_iter().flatten();
        known.any(|known| match is_planted("imply-the-wrong-way") {
            true => values.is_within(known),
            false => known.is_within(&values),
        })
    }
}

/// A test that is about one field: its number, and the values for which it holds.
struct OfField {
    field: FieldPath,
    number: usize,
    values: Values,
}

/// The tests that are about one field each, those of a field next to one another.
fn by_field(tests: &[Expr], stream: &Stream) -> Vec<OfField> {
    let is_closed = is_closed(stream);
    let of_field = |(number, test)| {
        let (field, values) = values_where(test, stream, is_closed)?;
        Some(OfField {
            field,
            number,
            values,
        })
    };
    let mut fields: Vec<OfField> = tests.iter().enumerate().filter_map(of_field).collect();
    fields.sort_by(|a, b| a.field.cmp(&b.field));
    fields
}

/// Whether no value of a field passes all tests of it.
fn contradict(tests: &[OfField]) -> bool {
    match tests {
        [only] => only.values.is_none(),
        tests => Values::all(tests.iter().map(|test| &test.values)).is_none(),
    }
}

/// Finds the tests of a field that another one implies. Of tests that say the same the first stays.
fn find_implied(tests: &[OfField], implied: &mut [bool]) {
    for mine in tests {
        implied[mine.number] = tests.iter().any(|other| {
            other.number != mine.number
                && other.values.is_within(&mine.values)
                && (other.number < mine.number || !mine.values.is_within(&other.values))
        });
    }
}

/// Constants stand on the right.
fn order_sides(test: &mut Expr) {
    match test {
        Expr::Compare(op, left, right)
            if matches!(**left, Expr::Literal(..)) && !matches!(**right, Expr::Literal(..)) =>
        {
            std::mem::swap(left, right);
            if !is_planted("normalize-keeps-operator") {
                *op = op.mirrored();
            }
        }
        Expr::And(parts) | Expr::Or(parts) => parts.iter_mut().for_each(order_sides),
        Expr::Not(inner) | Expr::Holds(inner) => order_sides(inner),
        _ => {}
    }
}

/// About what a test costs beside others.
fn price(test: &Expr) -> u32 {
    match test {
        Expr::Bool(..) | Expr::Absent(_) | Expr::Field(..) | Expr::Exists(..) => 0,
        Expr::Literal(..) => 0,
        Expr::Compare(_, left, right) => match (&**left, &**right) {
            (Expr::Field(..), Expr::Literal(..)) => 1,
            (left, right) => 8 + price(left) + price(right),
        },
        Expr::Arithmetic(_, left, right) => 8 + price(left) + price(right),
        Expr::Holds(inner) | Expr::Not(inner) | Expr::Truth(inner) | Expr::IsAbsent(inner) => {
            price(inner)
        }
        Expr::And(parts) | Expr::Or(parts) => parts.iter().map(price).sum(),
        Expr::Call(_, arguments, _) => 16 + arguments.iter().map(price).sum::<u32>(),
        Expr::Case(arms, _) => 16 + arms.iter().map(|(t, v)| price(t) + price(v)).sum::<u32>(),
        // What is told by contents is a search; others, as regular expressions, take more.
        Expr::Passes(call) => match &call.spec.demand {
            Some(demand) if demand.tells => 32,
            _ => 64,
        },
    }
}
