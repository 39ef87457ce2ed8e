//! SMACQ's form: `VERB from VERB from SOURCE where ... group by ...`.

use super::call::{condition, group};
use super::fault::{Unexpected, fatal};
use super::input::{Parsed, Tokens, expecting, keyword};
use super::join::source;
use super::query::Clauses;
use crate::ast::{Expr, ExprKind, Stage};
use crate::lex::Keyword;
use nom::Parser;
use nom::combinator::opt;
use wireq_engine::{Diagnostic, Span};

/// What stands behind a verb, from `from` on. The stages go to `stages` in the order in which
/// objects pass them. The clauses at the end belong to the verb before the last `from`.
pub(super) fn from<'a>(verb: Stage, input: Tokens<'a>, stages: &mut Vec<Stage>) -> Parsed<'a, ()> {
    let mut verbs = vec![verb];
    let mut input = input;
    while let Ok((rest, _)) = keyword(Keyword::From)(input) {
        let nested = |input| source(input, Clauses::None);
        let (rest, next) = expecting("a source, a module or `(`", nested)(rest).map_err(fatal)?;
        verbs.push(next);
        input = rest;
    }
    let source = verbs.pop();
    let input = match verbs.last_mut() {
        Some(innermost) => clauses(innermost, input)?,
        None => input,
    };
    stages.extend(source);
    stages.extend(verbs.into_iter().rev());
    Ok((input, ()))
}

/// Reads `where` and `group by` for a verb.
fn clauses<'a>(verb: &mut Stage, input: Tokens<'a>) -> Result<Tokens<'a>, nom::Err<Unexpected>> {
    let (rest, filter) = opt(condition(Keyword::Where)).parse(input)?;
    if filter.is_some() && verb.filter.is_some() {
        return Err(input.fail(twice("where", input)));
    }
    let (end, group) = opt(group).parse(rest)?;
    if group.is_some() && verb.group.is_some() {
        return Err(rest.fail(twice("group by", rest)));
    }
    let filter = filter.map(|mut filter| {
        parts_of_verb(&mut filter);
        filter
    });
    verb.filter = filter.or(verb.filter.take());
    verb.group = group.or(verb.group.take());
    Ok(end)
}

/// Marks the calls that objects have to pass one after the other.
fn parts_of_verb(filter: &mut Expr) {
    match &mut filter.kind {
        ExprKind::And(parts) => parts.iter_mut().for_each(parts_of_verb),
        ExprKind::Function(call) => call.of_verb = true,
        _ => {}
    }
}

fn twice(clause: &str, input: Tokens<'_>) -> Diagnostic {
    Diagnostic::new("Q007", place(input), format!("a second `{clause}` for one verb"))
        .label("second one")
        .help("put one of the two parts into brackets: `print ... from (... from SOURCE where ...) where ...`")
}

fn place(input: Tokens<'_>) -> Span {
    input.first().map(|token| token.span).unwrap_or_default()
}
