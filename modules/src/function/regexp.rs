//! Functions that match regular expressions.

use super::matchers::{self, Flags, Matcher, Pattern, Syntax, with_matcher};
use super::support::*;
use super::text::TEXT;
use regex_automata::Input;
use regex_automata::util::captures::Captures;
use wireq_engine::matching::{Content, Demand};
use wireq_typesys::{FieldPath, Kind, Value};

const REGEX: FunctionParameter = one(
    "REGEX",
    Kind::Text,
    "The regular expression; classes such as [0-9] or \\d are those of ASCII.",
);
const OPTIONS: FunctionParameter = optional(
    "OPTIONS",
    Kind::Text,
    "Letters: i for any case, s for a dot that is a line end too, l for a plain text.",
);

/// What the letters of options say, and whether all matches are meant.
fn options(values: &[Value], at: usize) -> Option<(Flags, bool)> {
    let (mut flags, mut all) = (Flags::default(), false);
    if values.get(at).is_none() {
        return Some((flags, all));
    }
    for letter in text(values, at)?.bytes() {
        match letter {
            b'i' => flags.any_case = true,
            b'c' => flags.any_case = false,
            b's' => flags.dot_newline = true,
            b'm' | b'n' | b'p' => flags.dot_newline = false,
            b'l' => flags.literal = true,
            b'g' => all = true,
            b' ' | b'\t' | b'\n' => {}
            _ => return None,
        }
    }
    Some((flags, all))
}

/// What `with` does with the second argument as a regular expression on the first.
fn with_regex<T>(
    values: &[Value],
    flags: Flags,
    with: impl FnOnce(&Text<'_>, &mut Matcher) -> Option<T>,
) -> Option<T> {
    let (text, regex) = (text(values, 0)?, text(values, 1)?);
    let pattern = Pattern {
        text: regex.bytes(),
        syntax: Syntax::Regex(flags),
        utf8: text.is_utf8(),
    };
    with_matcher(pattern, |matcher| with(&text, matcher))
}

pub(super) static REGEXP_MATCHES: Function = Function {
    name: "regexp_matches",
    summary: "Whether a regular expression matches anywhere in a text.",
    parameters: &[
        TEXT.with_demand(|field, kind, values| demand(field, kind, values, false)),
        REGEX,
        OPTIONS,
    ],
    strict: true,
    kind: |kinds| takes(&REGEXP_MATCHES, kinds, Kind::Bool),
    call: |values, _| matches(values, false).unwrap_or_default(),
    examples: &[
        ("regexp_matches('anabanana', '(an)+')", "true"),
        ("regexp_matches('GET / HTTP/1.1', '^get ', 'i')", "true"),
        ("regexp_matches('abc', '^b')", "false"),
    ],
};

pub(super) static REGEXP_FULL_MATCH: Function = Function {
    name: "regexp_full_match",
    summary: "Whether a regular expression matches the whole of a text.",
    parameters: &[
        TEXT.with_demand(|field, kind, values| demand(field, kind, values, true)),
        REGEX,
        OPTIONS,
    ],
    strict: true,
    kind: |kinds| takes(&REGEXP_FULL_MATCH, kinds, Kind::Bool),
    call: |values, _| matches(values, true).unwrap_or_default(),
    examples: &[
        ("regexp_full_match('anabanana', '(an)+')", "false"),
        ("regexp_full_match('anan', '(an)+')", "true"),
    ],
};

/// What has to be in a field for the expression to match.
fn demand(field: &FieldPath, kind: Kind, values: &[Value], whole: bool) -> Option<Demand> {
    let (flags, _) = options(values, 2)?;
    let regex = text(values, 1)?;
    let regex = std::str::from_utf8(regex.bytes()).ok()?;
    let is_text = kind == Kind::Text;
    // In text that is not UTF-8 they are bytes rather than characters.
    let numbered = || {
        ["\\x", "\\u", "\\U", "\\p", "\\P"]
            .iter()
            .any(|escape| regex.contains(escape))
    };
    if flags.literal || is_text && numbered() {
        return None;
    }
    let flags = Flags { whole, ..flags };
    let Some(demand) = matchers::demand_of(regex, flags, is_text, field) else {
        return match is_text {
            true => None,
            false => matchers::without(regex, flags, field),
        };
    };
    let is_ascii = |any: &Vec<Content>| any.iter().all(|one| one.pattern.bytes.is_ascii());
    Some(Demand {
        tells: demand.tells && (!is_text || demand.all.iter().all(is_ascii)),
        ..demand
    })
}

fn matches(values: &[Value], whole: bool) -> Option<Value> {
    let (flags, _) = options(values, 2)?;
    let flags = Flags { whole, ..flags };
    with_regex(values, flags, |text, matcher| {
        Some(Value::Bool(matcher.is_in(text.bytes())))
    })
}

pub(super) static REGEXP_EXTRACT: Function = Function {
    name: "regexp_extract",
    summary: "What a regular expression matches first, or one of its groups; empty where nothing.",
    parameters: &[
        TEXT,
        REGEX,
        optional(
            "GROUP",
            Kind::Signed,
            "Which group, by its number; 0, the whole match, unless given.",
        ),
        OPTIONS,
    ],
    strict: true,
    kind: |kinds| takes_text(&REGEXP_EXTRACT, kinds),
    call: |values, _| extract(values).unwrap_or_default(),
    examples: &[
        ("regexp_extract('abc', '[bc]+')", "bc"),
        (
            "regexp_extract('Host: example.com', 'Host: ([^ ]+)', 1)",
            "example.com",
        ),
        ("regexp_extract('abc', 'x')", ""),
    ],
};

fn extract(values: &[Value]) -> Option<Value> {
    let group = usize::try_from(integer_or(values, 2, 0)?).ok()?;
    let (flags, _) = options(values, 3)?;
    with_regex(values, flags, |text, matcher| {
        let found = matcher.find(&Input::new(text.bytes()), group > 0)?;
        let span = match found {
            Some((span, _)) if group == 0 => Some(span),
            Some((_, captures)) => captures.get_group(group),
            None => None,
        };
        let bytes = span.and_then(|span| text.bytes().get(span.range()));
        Some(text.give(bytes.unwrap_or_default()))
    })
}

pub(super) static REGEXP_REPLACE: Function = Function {
    name: "regexp_replace",
    summary: "The text with another one for what a regular expression matches first, or, with the option g, each time.",
    parameters: &[
        TEXT,
        REGEX,
        one(
            "BY",
            Kind::Text,
            "What stands there instead; \\0 is the match, \\1 its first group.",
        ),
        optional(
            "OPTIONS",
            Kind::Text,
            "Letters: g for all matches; others as in regexp_matches.",
        ),
    ],
    strict: true,
    kind: |kinds| takes_text(&REGEXP_REPLACE, kinds),
    call: |values, _| replace(values).unwrap_or_default(),
    examples: &[
        ("regexp_replace('hello', '[lo]', '-')", "he-lo"),
        ("regexp_replace('hello', '[lo]', '-', 'g')", "he---"),
        ("regexp_replace('10.1.2.3', '[0-9]+$', 'x')", "10.1.2.x"),
    ],
};

fn replace(values: &[Value]) -> Option<Value> {
    let by = text(values, 2)?;
    let (flags, all) = options(values, 3)?;
    with_regex(values, flags, |text, matcher| {
        let with_groups = by.bytes().contains(&b'\\');
        if with_groups && !is_replacement(by.bytes(), matcher.groups()) {
            return None;
        }
        let most = text.bytes().len().saturating_add(BYTES_MAX);
        let mut input = Input::new(text.bytes());
        let (mut copied, mut last_end) = (0, None);
        let bytes = written(|out| {
            while let Some((found, captures)) = matcher.find(&input, with_groups)? {
                // An empty match right behind another one is none.
                if !(found.is_empty() && last_end == Some(found.end)) {
                    out.extend_from_slice(text.bytes().get(copied..found.start)?);
                    write_replacement(by.bytes(), captures, text.bytes(), out);
                    copied = found.end;
                }
                last_end = Some(found.end);
                let next = found.end + usize::from(found.is_empty());
                if out.len() > most {
                    return None;
                }
                if !all || next > text.bytes().len() {
                    break;
                }
                input.set_start(next);
            }
            out.extend_from_slice(text.bytes().get(copied..)?);
            Some(())
        });
        Some(text.give_shared(bytes?))
    })
}

/// Whether each backslash stands before another one or before the number of a group that there is.
fn is_replacement(by: &[u8], groups: usize) -> bool {
    let mut rest = by;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        match rest.get(at + 1) {
            Some(b'\\') => {}
            Some(digit @ b'0'..=b'9') if usize::from(digit - b'0') < groups => {}
            _ => return false,
        }
        rest = &rest[at + 2..];
    }
    true
}

/// Writes what stands for a match.
fn write_replacement(by: &[u8], captures: &Captures, text: &[u8], out: &mut Vec<u8>) {
    let mut rest = by;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        match rest.get(at + 1) {
            Some(digit @ b'0'..=b'9') => {
                let span = captures.get_group(usize::from(digit - b'0'));
                let group = span.and_then(|span| text.get(span.range()));
                out.extend_from_slice(group.unwrap_or_default());
            }
            other => out.extend(other),
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}
