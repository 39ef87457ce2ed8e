//! SELECT statements.

use super::call::covered;
use super::expression::expression;
use super::fault::fatal;
use super::infix::values;
use super::input::{Parsed, Tokens, bracketed, expecting, keyword, small_word, token, unquoted};
use super::table::from;
use crate::ast::{Arm, Core, Expr, Item, Order, Pipeline, Select, Stage, StageKind, Union};
use crate::lex::{Clause, Keyword, Kind, Token};
use nom::combinator::{cut, map, opt};
use nom::multi::many0;
use nom::sequence::preceded;
use nom::{Input, Parser};
use wireq_engine::arguments::Word;

/// A reserved word of SELECT.
pub(super) fn clause<'a>(
    clause: Clause,
    expected: &'static str,
) -> impl Fn(Tokens<'a>) -> Parsed<'a, &'a Token<'a>> {
    token(Kind::Keyword(Keyword::Select(clause)), expected)
}

/// A SELECT as a stage.
pub(super) fn stage(input: Tokens<'_>) -> Parsed<'_, Stage> {
    let (rest, select) = select(input)?;
    let span = select.span;
    Ok((rest, Stage::new(StageKind::Select(Box::new(select)), span)))
}

/// What stands behind a SELECT in brackets and belongs to it: `union`, `order by`, `limit`. Without
/// such, the brackets as they are.
pub(super) fn behind_brackets<'a>(
    brackets: Stage,
    begin: Tokens<'a>,
    input: Tokens<'a>,
) -> Parsed<'a, Stage> {
    if !matches!(input.kind(), Some(Kind::Keyword(Keyword::Select(_)))) {
        return Ok((input, brackets));
    }
    let Some(inner) = only_select(&brackets) else {
        return Err(fatal(input.unexpected("`|`, `+` or the end of the query")));
    };
    let (rest, select) = behind(Arm::Nested(Box::new(inner.clone())), begin, input)?;
    let span = select.span;
    Ok((rest, Stage::new(StageKind::Select(Box::new(select)), span)))
}

/// The SELECT that is all that stands in brackets.
fn only_select(brackets: &Stage) -> Option<&Select> {
    let StageKind::Bag(branches) = &brackets.kind else {
        return None;
    };
    let [Pipeline { stages }] = &branches[..] else {
        return None;
    };
    match &stages[..] {
        [
            Stage {
                kind: StageKind::Select(select),
                ..
            },
        ] => Some(select),
        [stage] => only_select(stage),
        _ => None,
    }
}

/// A SELECT with all that belongs to it.
pub(super) fn select(input: Tokens<'_>) -> Parsed<'_, Select> {
    let (rest, first) = arm(input)?;
    behind(first, input, rest)
}

fn behind<'a>(first: Arm, begin: Tokens<'a>, input: Tokens<'a>) -> Parsed<'a, Select> {
    let (input, others) = many0(union).parse(input)?;
    let (input, order) = opt(order).parse(input)?;
    let (input, limit) = rows(Clause::Limit, input)?;
    let (input, offset) = rows(Clause::Offset, input)?;
    let (input, limit) = match limit {
        None => rows(Clause::Limit, input)?,
        limit => (input, limit),
    };
    let select = Select {
        first,
        others,
        order: order.unwrap_or_default(),
        limit,
        offset,
        span: covered(begin, input),
    };
    Ok((input, select))
}

fn union(input: Tokens<'_>) -> Parsed<'_, (Union, Arm)> {
    let (input, _) = clause(Clause::Union, "`union`")(input)?;
    let (input, all) = opt(small_word("all", "`all`")).parse(input)?;
    let kind = match all {
        Some(_) => Union::All,
        None => Union::Distinct,
    };
    let (input, arm) = expecting("`select` or `(`", arm)(input).map_err(fatal)?;
    Ok((input, (kind, arm)))
}

fn arm(input: Tokens<'_>) -> Parsed<'_, Arm> {
    match input.kind() {
        Some(Kind::Open) => {
            let inner = bracketed(select, "an operator, a clause or `)`");
            map(inner, |(select, _)| Arm::Nested(Box::new(select))).parse(input)
        }
        _ => map(core, |core| Arm::Core(Box::new(core))).parse(input),
    }
}

fn core(input: Tokens<'_>) -> Parsed<'_, Core> {
    let (rest, _) = clause(Clause::Select, "`select`")(input)?;
    let (rest, distinct) = opt(clause(Clause::Distinct, "`distinct`")).parse(rest)?;
    let (rest, items) = list(item)(rest).map_err(fatal)?;
    let (rest, from) = opt(from).parse(rest)?;
    let (rest, condition) = opt(preceded(keyword(Keyword::Where), cut(expression))).parse(rest)?;
    let (rest, keys) = opt(group).parse(rest)?;
    let (rest, having) = opt(preceded(keyword(Keyword::Having), cut(expression))).parse(rest)?;
    if let Some(Kind::Keyword(Keyword::From)) = rest.kind() {
        return Err(fatal(rest.unexpected("a clause or the end of the query")));
    }
    let core = Core {
        distinct: distinct.is_some(),
        items,
        from,
        condition,
        keys: keys.unwrap_or_default(),
        having,
        span: covered(input, rest),
    };
    Ok((rest, core))
}

/// Items with commas between them; at least one.
fn list<'a, T>(
    item: fn(Tokens<'a>) -> Parsed<'a, T>,
) -> impl FnMut(Tokens<'a>) -> Parsed<'a, Vec<T>> {
    move |input| {
        let (input, first) = item(input)?;
        let next = preceded(token(Kind::Comma, "`,`"), cut(item));
        let (input, others) = many0(next).parse(input)?;
        Ok((input, std::iter::once(first).chain(others).collect()))
    }
}

fn item(input: Tokens<'_>) -> Parsed<'_, Item> {
    if let Some((rest, item)) = all(input) {
        return Ok((rest, item));
    }
    let (rest, value) = expecting("a field, a constant, `*` or `(`", expression)(input)?;
    let text = written(input.take(input.input_len() - rest.input_len()));
    let (rest, alias) = alias(rest)?;
    let value = *value;
    Ok((rest, Item::Value { value, alias, text }))
}

/// Tokens as they are written, with one blank where there is white space.
fn written(tokens: Tokens<'_>) -> String {
    let mut text = String::new();
    let mut end = None;
    for token in tokens.iter_elements() {
        if end.is_some_and(|end| end < token.span.start) {
            text.push(' ');
        }
        text.push_str(token.text);
        end = Some(token.span.end);
    }
    text
}

/// `*` or `TABLE.*`.
fn all(input: Tokens<'_>) -> Option<(Tokens<'_>, Item)> {
    use crate::ast::Operator::Multiply;
    let (rest, first) = input.next()?;
    let star = Kind::Operator(Multiply);
    if first.kind == star {
        return Some((rest, Item::All(None, first.span)));
    }
    let table = first
        .text
        .strip_suffix('.')
        .filter(|_| first.kind == Kind::Word)?;
    let (rest, star) = rest.next().filter(|(_, token)| token.kind == star)?;
    let table = Word {
        text: table.to_owned(),
        ..unquoted(first)
    };
    Some((rest, Item::All(Some(table), first.span.to(star.span))))
}

/// The name behind a value or a table, with or without `as`.
pub(super) fn alias(input: Tokens<'_>) -> Parsed<'_, Option<Word>> {
    match keyword(Keyword::As)(input) {
        Ok((rest, _)) => map(expecting("a name", label), Some)
            .parse(rest)
            .map_err(fatal),
        Err(_) => match input.kind() {
            Some(Kind::Word | Kind::Identifier(_)) => map(label, Some).parse(input),
            _ => Ok((input, None)),
        },
    }
}

/// A name that is given to something: a word, also in quotes of either kind.
fn label(input: Tokens<'_>) -> Parsed<'_, Word> {
    let named = input.next().and_then(|(rest, token)| {
        let text = match &token.kind {
            Kind::Word => token.text.to_owned(),
            Kind::Identifier(text) | Kind::Quoted(text) => text.clone(),
            _ => return None,
        };
        let word = Word {
            text,
            ..unquoted(token)
        };
        Some((rest, word))
    });
    named.ok_or_else(|| input.unexpected("a name"))
}

fn group(input: Tokens<'_>) -> Parsed<'_, Vec<Expr>> {
    let (input, _) = keyword(Keyword::Group)(input)?;
    let (input, _) = small_word("by", "`by`")(input).map_err(fatal)?;
    values(input).map_err(fatal)
}

fn order(input: Tokens<'_>) -> Parsed<'_, Vec<Order>> {
    let (input, _) = clause(Clause::Order, "`order`")(input)?;
    let (input, _) = small_word("by", "`by`")(input).map_err(fatal)?;
    list(order_item)(input).map_err(fatal)
}

fn order_item(input: Tokens<'_>) -> Parsed<'_, Order> {
    let (input, by) = expression(input)?;
    let (input, descending) = either("asc", "desc", input);
    let (input, nulls_first) = match small_word("nulls", "`nulls`")(input) {
        Err(_) => (input, false),
        Ok((rest, _)) => match either("last", "first", rest) {
            (rest, Some(first)) => (rest, first),
            (rest, None) => return Err(fatal(rest.unexpected("`first` or `last`"))),
        },
    };
    let order = Order {
        by: *by,
        descending: descending.unwrap_or(false),
        nulls_first,
    };
    Ok((input, order))
}

/// One of two words, and whether it is the second.
fn either<'a>(
    first: &'static str,
    second: &'static str,
    input: Tokens<'a>,
) -> (Tokens<'a>, Option<bool>) {
    match (input.is_word(first), input.is_word(second)) {
        (true, _) => (input.take_from(1), Some(false)),
        (_, true) => (input.take_from(1), Some(true)),
        _ => (input, None),
    }
}

/// `limit N` or `offset N`.
fn rows(word: Clause, input: Tokens<'_>) -> Parsed<'_, Option<Word>> {
    let Ok((rest, _)) = clause(word, "`limit`")(input) else {
        return Ok((input, None));
    };
    match rest.next() {
        Some((behind, number)) if number.kind == Kind::Word => Ok((behind, Some(unquoted(number)))),
        _ => Err(fatal(rest.unexpected("a number"))),
    }
}
