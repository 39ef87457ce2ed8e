//! What tests ask of texts: contents that have to be there for them to hold.
//!
//! Contents of all conditions are searched for at once. A test that they do not tell all of, such as
//! that of a regular expression, is tried on the rows alone that have its contents.

use super::{Content, Expression};
use crate::evaluate::constant_argument;
use crate::function::Function;
use crate::plan::expr::Expr;
use crate::planted::is_planted;
use wireq_typesys::{CompareOp, FieldPath, Kind, Literal, Value, Zone};

/// What has to be in fields of bytes or text for a test to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Contents: of each list any; those of a list are of one field.
    pub all: Vec<Vec<Content>>,
    /// Whether the test holds wherever that is so; otherwise it may.
    pub tells: bool,
    /// The regular expression that the test is, where it has no contents.
    pub expression: Option<Expression>,
}

impl Demand {
    /// What a test asks of fields of bytes and text; none where it asks for no content. `kind` knows
    /// kinds of fields.
    pub(crate) fn of(test: &Expr, kind: &dyn Fn(&FieldPath) -> Kind) -> Option<Demand> {
        let demand = match test {
            Expr::Holds(inner) | Expr::Truth(inner) => Demand::of(inner, kind),
            Expr::Call(function, arguments, _) => of_call(function, arguments, kind),
            Expr::Passes(call) => {
                let demand = call.spec.demand.as_deref();
                demand.and_then(|demand| demand.in_texts(kind))
            }
            Expr::Compare(CompareOp::Equal, left, right) => match (&**left, &**right) {
                (Expr::Field(field, _), Expr::Literal(literal, _))
                | (Expr::Literal(literal, _), Expr::Field(field, _)) => {
                    equal(field, literal, kind(field))
                }
                _ => None,
            },
            Expr::And(parts) => {
                let of = |part| Demand::of(part, kind);
                let known: Vec<Demand> = parts.iter().filter_map(of).collect();
                (!known.is_empty()).then(|| Demand {
                    tells: known.len() == parts.len() && known.iter().all(|one| one.tells),
                    all: known.into_iter().flat_map(|one| one.all).collect(),
                    expression: None,
                })
            }
            Expr::Or(parts) => {
                let of = |part| Demand::of(part, kind);
                either(parts.iter().map(of).collect::<Option<_>>()?)
            }
            _ => None,
        };
        demand.map(|demand| Demand {
            // An expression without contents has to be tried, whatever is planted.
            tells: demand.tells || !demand.all.is_empty() && is_planted("match-contents-tell-all"),
            ..demand
        })
    }

    /// What of it is about fields that contents can be searched in.
    fn in_texts(&self, kind: &dyn Fn(&FieldPath) -> Kind) -> Option<Demand> {
        let is_text = |any: &&Vec<Content>| {
            let mut fields = any.iter().map(|content| &content.field);
            fields.all(|field| kind(field).is_bytes())
        };
        let all: Vec<Vec<Content>> = self.all.iter().filter(is_text).cloned().collect();
        let expression = self.expression.clone();
        let expression = expression.filter(|expression| kind(&expression.field).is_bytes());
        (!all.is_empty() || expression.is_some()).then_some(Demand {
            tells: self.tells && all.len() == self.all.len(),
            all,
            expression,
        })
    }
}

/// A text that is a constant has it from its first byte to its last.
fn equal(field: &FieldPath, literal: &Literal, kind: Kind) -> Option<Demand> {
    // Beside a number text is read as a number.
    if !kind.is_bytes() || literal.is_number() {
        return None;
    }
    let bytes = literal.read(kind, &Zone::utc())?.as_bytes()?.to_vec();
    let content = Content {
        depth: Some(bytes.len()),
        at_end: true,
        ..Content::new(field, bytes)
    };
    // An empty text has no content.
    (!content.pattern.bytes.is_empty()).then(|| Demand {
        all: vec![vec![content]],
        tells: true,
        expression: None,
    })
}

/// What a function of a field and constants asks for.
fn of_call(
    function: &'static Function,
    arguments: &[Expr],
    kind: &dyn Fn(&FieldPath) -> Kind,
) -> Option<Demand> {
    let demand = function.parameter(0)?.demand?;
    let (Expr::Field(field, _), constants) = arguments.split_first()? else {
        return None;
    };
    let of_field = kind(field);
    if !of_field.is_bytes() {
        return None;
    }
    let mut values = vec![Value::Absent];
    for (at, constant) in (1..).zip(constants) {
        let Expr::Literal(literal, _) = constant else {
            return None;
        };
        values.push(constant_argument(function, at, literal, &Zone::utc())?);
    }
    demand(field, of_field, &values)
}

/// What is there where any of some demands is met: of each of them one list.
fn either(demands: Vec<Demand>) -> Option<Demand> {
    let tells = demands.iter().all(|one| one.tells && one.all.len() == 1);
    let best = |demand: Demand| demand.all.into_iter().max_by_key(|any| worth_of(any));
    let best = demands.into_iter().map(best).collect::<Option<Vec<_>>>()?;
    let any: Vec<Content> = best.into_iter().flatten().collect();
    let field = &any.first()?.field;
    let one_field = any.iter().all(|content| content.field == *field);
    one_field.then(|| Demand {
        all: vec![any],
        tells,
        expression: None,
    })
}

/// How good it is to look for any of some contents: as good as for the worst of them, and the worse
/// the more they are.
pub(super) fn worth_of(any: &[Content]) -> u32 {
    let worth = any.iter().map(|content| content.sought().worth()).min();
    worth.unwrap_or(0).saturating_sub(any.len().max(1).ilog2())
}
