//! What a SELECT reads: the tables behind `from`.

use super::call::{covered, function};
use super::expression::expression;
use super::fault::fatal;
use super::input::{Parsed, Tokens, bracketed, expecting, keyword, token, unquoted};
use super::select::{alias, clause, select};
use crate::ast::{Call, Expr, From, Table, TableSource};
use crate::lex::{Clause, Keyword, Kind};
use nom::Parser;
use nom::combinator::map;
use wireq_engine::arguments::Word;
use wireq_engine::{Diagnostic, Span};

/// `from TABLE, TABLE join TABLE on CONDITION`.
pub(super) fn from(input: Tokens<'_>) -> Parsed<'_, From> {
    let (rest, _) = keyword(Keyword::From)(input)?;
    let (mut rest, first) = table(rest).map_err(fatal)?;
    let mut joined = Vec::new();
    while let Some(next) = next(rest)? {
        joined.push(next.1);
        rest = next.0;
    }
    let span = covered(input, rest);
    let from = From {
        first,
        joined,
        span,
    };
    Ok((rest, from))
}

type Joined<'a> = (Tokens<'a>, (Table, Option<Expr>));

/// Another table behind the first.
fn next(input: Tokens<'_>) -> Result<Option<Joined<'_>>, nom::Err<super::fault::Unexpected>> {
    let Some((rest, kind)) = join_words(input)? else {
        return Ok(None);
    };
    let (rest, table) = table(rest).map_err(fatal)?;
    match kind {
        Joining::All => Ok(Some((rest, (table, None)))),
        Joining::On => {
            let (rest, _) = clause(Clause::On, "`on` and a condition")(rest).map_err(fatal)?;
            let (rest, condition) = expression(rest).map_err(fatal)?;
            Ok(Some((rest, (table, Some(*condition)))))
        }
    }
}

/// Which rows of two tables make a row.
#[derive(Clone, Copy)]
enum Joining {
    /// All pairs.
    All,
    /// Those for which a condition holds.
    On,
}

/// `,`, `cross join`, `join` or `inner join`.
fn join_words(
    input: Tokens<'_>,
) -> Result<Option<(Tokens<'_>, Joining)>, nom::Err<super::fault::Unexpected>> {
    let (kind, needs_join) = match input.kind() {
        Some(Kind::Comma) => (Joining::All, false),
        Some(Kind::Keyword(Keyword::Select(clause))) => match clause {
            Clause::Cross => (Joining::All, true),
            Clause::Inner => (Joining::On, true),
            Clause::Join => (Joining::On, false),
            Clause::Other if is_outer(input) => return Err(input.fail(outer(input))),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let Some((rest, _)) = input.next() else {
        return Ok(None);
    };
    if !needs_join {
        return Ok(Some((rest, kind)));
    }
    let (rest, _) = clause(Clause::Join, "`join`")(rest).map_err(fatal)?;
    Ok(Some((rest, kind)))
}

fn is_outer(input: Tokens<'_>) -> bool {
    let word = input.first().map(|token| token.text.to_ascii_lowercase());
    word.is_some_and(|word| ["left", "right", "full", "natural"].contains(&word.as_str()))
}

fn outer(input: Tokens<'_>) -> Diagnostic {
    let first = input.first();
    let (text, span) = first.map_or(("", Span::default()), |token| (token.text, token.span));
    let message = format!("there is no `{text}` join");
    Diagnostic::new("Q050", span, message)
        .label("not known here")
        .help("`join ... on ...` gives the pairs for which the condition holds, `cross join` all pairs")
}

fn table(input: Tokens<'_>) -> Parsed<'_, Table> {
    let expected = "a file in quotes, a source, a definition or `(`";
    let (rest, source) = expecting(expected, source)(input)?;
    let (rest, alias) = alias(rest)?;
    let table = Table {
        source,
        alias,
        span: covered(input, rest),
    };
    Ok((rest, table))
}

fn source(input: Tokens<'_>) -> Parsed<'_, TableSource> {
    match (input.kind(), input.second_kind()) {
        (Some(Kind::Open), _) => {
            let query = bracketed(select, "an operator, a clause or `)`");
            map(query, |(select, _)| TableSource::Query(Box::new(select))).parse(input)
        }
        (Some(Kind::Word), Some(Kind::Open)) => {
            map(function, |(call, _)| TableSource::Call(call)).parse(input)
        }
        (Some(Kind::Function), _) => unknown(input),
        (Some(Kind::Word), _) => {
            map(token(Kind::Word, "a name"), |name| named(unquoted(name))).parse(input)
        }
        (Some(Kind::Quoted(text) | Kind::Identifier(text)), _) => {
            let (rest, token) = input.next().ok_or_else(|| input.unexpected("a file"))?;
            let file = Word {
                text: text.clone(),
                quoted: true,
                span: token.span,
            };
            Ok((rest, TableSource::File(file)))
        }
        _ => Err(input.unexpected("a table")),
    }
}

/// A name: that of a file if there is a dot in it.
fn named(name: Word) -> TableSource {
    if name.text.contains('.') {
        return TableSource::File(name);
    }
    let span = name.span;
    let arguments = Vec::new();
    TableSource::Call(Box::new(Call {
        name,
        arguments,
        of_verb: false,
        span,
    }))
}

/// A call of something that is no source: what is in its brackets does not matter.
fn unknown(input: Tokens<'_>) -> Parsed<'_, TableSource> {
    let (rest, name) = token(Kind::Function, "a source")(input)?;
    let name = unquoted(name);
    let message = format!("there is no source `{}`", name.text);
    let fault = Diagnostic::new("Q040", name.span, message).label("no source");
    Err(rest.fail(
        fault.help("`wireq modules` lists the sources; a file stands in quotes: `from 'x.pcap'`"),
    ))
}
