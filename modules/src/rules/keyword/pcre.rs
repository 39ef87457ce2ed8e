//! `pcre`: `"/expression/flags"`.

use super::Read::Option;
use super::translate::{Flags, translate};
use super::{Keyword, negation, unquoted};
use crate::regexes;
use crate::rules::payload::{Pcre, Step};
use regex_automata::util::syntax;
use std::sync::Arc;

pub(super) static KEYWORDS: &[Keyword] = &[Keyword {
    name: "pcre",
    read: Option(|draft, value| {
        let (negated, value) = negation(value);
        let pcre = read(unquoted(value), negated)?;
        draft.push(Step::Pcre(pcre))
    }),
}];

/// An expression without its slashes, with the flags behind them, and whether it begins where the
/// part before ended.
fn parse(text: &[u8]) -> Result<(&[u8], Flags, bool), String> {
    let form = || "is not of the form \"/expression/flags\"".to_owned();
    let inner = match text {
        [b'/', inner @ ..] => inner,
        _ => return Err(form()),
    };
    let end = inner.iter().rposition(|byte| *byte == b'/');
    let end = end.ok_or_else(form)?;
    let (expression, letters) = (&inner[..end], &inner[end + 1..]);
    let mut flags = Flags::default();
    let mut relative = false;
    for letter in letters {
        match letter {
            b'i' => flags.any_case = true,
            b's' => flags.dot_all = true,
            b'm' => flags.multi_line = true,
            b'x' => flags.extended = true,
            b'A' => flags.anchored = true,
            b'E' => flags.dollar_end_only = true,
            b'G' => flags.lazy = true,
            b'R' => relative = true,
            // Raw bytes, and a limit of the other engine's.
            b'B' | b'O' => {}
            b'U' | b'I' | b'P' | b'H' | b'D' | b'M' | b'C' | b'S' | b'Y' | b'V' | b'W' | b'Q'
            | b'K' => {
                return Err(format!(
                    "has the flag {}, which needs the fields of an application protocol",
                    char::from(*letter)
                ));
            }
            other => {
                return Err(format!(
                    "has the flag {}, which is not known",
                    other.escape_ascii()
                ));
            }
        }
    }
    Ok((expression, flags, relative))
}

/// The translation, for tests that compare expressions.
#[cfg(test)]
pub fn translated(text: &[u8]) -> String {
    let (expression, flags, _) = parse(text).expect("an expression");
    translate(expression, flags).expect("a translation").text
}

fn read(text: &[u8], negated: bool) -> Result<Pcre, String> {
    let (expression, flags, relative) = parse(text)?;
    let translated = translate(expression, flags)?;
    let syntax = syntax::Config::new().unicode(false).utf8(false);
    let regex = regexes::builder(syntax, false)
        .build(&translated.text)
        .map_err(|error| match error.size_limit() {
            Some(_) => "takes too much memory".to_owned(),
            None => "can't be translated".to_owned(),
        })?;
    Ok(Pcre {
        regex: Arc::new(regex),
        line_ends: translated.line_ends,
        text: text.into(),
        negated,
        relative,
    })
}
