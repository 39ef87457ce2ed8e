//! `match`: passes objects whose field matches a regular expression.

use super::stateless;
use super::texts::Texts;
use crate::literals;
use crate::regexes::{self, BYTES_MAX};
use regex_automata::meta::{BuildError, Regex};
use regex_automata::{Input, util::syntax};
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes, Word};
use wireq_engine::{Build, Example, Module, OperatorSpec};
use wireq_typesys::{Bitmap, FieldPath};

const NAME: &str = "match";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Passes objects whose field matches a regular expression.",
    details: "The expression may match anywhere; `^` and `$` are the ends of the field. It works on \
              bytes: `\\xhh` is a byte, `.` any byte but a line end (`(?s).` any byte), classes \
              such as `\\w` are ASCII. There is no backtracking: time grows with the length of the \
              field alone. Kinds other than bytes and text are matched in their text form; of a \
              list any value may be the one. Objects without the field do not pass, with -v neither.",
    parameters: &[
        Parameter {
            name: "-i",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Take ASCII letters of either case for the same; by default case matters.",
        },
        Parameter {
            name: "-v",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Pass objects that have the field and do not match.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::One,
            summary: "What must match.",
        },
        Parameter {
            name: "REGEX",
            takes: Takes::Text,
            count: Count::One,
            summary: "The regular expression, in the syntax of Rust's regex crate; quote it.",
        },
    ],
    examples: &[
        Example {
            title: "web requests",
            query: "match payload \"^(GET|POST) /[a-z]+[.]html \" | print srcip len",
            input: "five.pcap",
            output: "192.0.2.2\t125\n",
        },
        Example {
            title: "a name in either case, in bytes",
            query: "match -i payload \"EXAMPLE(.|\\x04)TEST\" | print dstport",
            input: "five.pcap",
            output: "80\n53\n",
        },
        Example {
            title: "numbers by their text form",
            query: "match dstport \"^[0-9]{2}$\" | print dstport",
            input: "five.pcap",
            output: "80\n80\n53\n",
        },
        Example {
            title: "addresses that do not match",
            query: "match -v srcip \"[.]1$\" | print srcip",
            input: "five.pcap",
            output: "192.0.2.2\n192.0.2.2\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let needs: Vec<FieldPath> = arguments.fields().into_iter().take(1).collect();
    let regex = match arguments.words().get(1) {
        Some(word) => compile(word, arguments.flag("-i"))?,
        // The parameters ask for it, and they were checked.
        None => {
            return Ok(OperatorSpec::stateless(needs, |_| {
                stateless::filter(|_| Bitmap::EMPTY)
            }));
        }
    };
    let inverted = arguments.flag("-v");
    let demand = match (needs.first(), arguments.words().get(1)) {
        (Some(field), Some(word)) if !inverted => {
            let any_case = arguments.flag("-i");
            let demand = literals::demand_of(&word.text, syntax(any_case), field);
            let flags = if any_case { "(?i)" } else { "" };
            demand.or_else(|| literals::without(&word.text, flags, field))
        }
        _ => None,
    };
    let spec = OperatorSpec::stateless(needs, move |context| {
        let (regex, zone) = (regex.clone(), Arc::clone(&context.zone));
        let mut cache = regex.create_cache();
        let mut texts = Texts { form: Vec::new() };
        stateless::filter(move |view| {
            view.column(0).map_or(Bitmap::EMPTY, |column| {
                texts.select(column, &view.part.selection, inverted, &zone, |text| {
                    let input = Input::new(text).earliest(true);
                    regex.search_half_with(&mut cache, &input).is_some()
                })
            })
        })
    });
    Ok(OperatorSpec {
        demand: demand.map(Arc::new),
        ..spec
    })
}

fn syntax(any_case: bool) -> syntax::Config {
    syntax::Config::new()
        .unicode(false)
        .utf8(false)
        .case_insensitive(any_case)
}

fn compile(word: &Word, any_case: bool) -> Result<Regex, ArgumentError> {
    regexes::builder(syntax(any_case), false)
        .build(&word.text)
        .map_err(|error| fault(word, &error))
}

fn fault(word: &Word, error: &BuildError) -> ArgumentError {
    let (message, help) = match (error.syntax_error(), error.size_limit()) {
        (Some(fault), _) => (
            format!("is no regular expression: {}", reason(&fault.to_string())),
            "in quotes, `[.]` or `\\.` is a dot, `\\x5b` a bracket",
        ),
        (None, Some(_)) => (
            format!("needs more than {} MiB", BYTES_MAX >> 20),
            "repeat less: each {N} makes N copies of what stands before it",
        ),
        (None, None) => (format!("cannot be used: {error}"), "write a simpler one"),
    };
    ArgumentError {
        help: Some(help.into()),
        ..ArgumentError::at(NAME, word, message)
    }
}

/// The last line of the parser's message; those before it draw the expression.
fn reason(message: &str) -> &str {
    let last = message.lines().last().unwrap_or(message);
    last.strip_prefix("error: ").unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wireq_engine::Span;

    fn compiled(text: &str) -> Result<Regex, ArgumentError> {
        let word = Word {
            text: text.into(),
            quoted: true,
            span: Span::default(),
        };
        compile(&word, true)
    }

    #[test]
    fn matches_bytes() {
        for (regex, text, expected) in [
            (r"\xff\x00", b"a\xff\x00".as_slice(), true),
            (r"^.$", b"\xff", true),
            (r"^.$", b"\n", false),
            (r"(?s)^.$", b"\n", true),
            ("grüß", "Grüß".as_bytes(), true),
            ("", b"", true),
            (r"a\b", b"a\xc3", true),
        ] {
            let regex = compiled(regex).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(regex.is_match(text), expected, "{regex:?} in {text:?}");
        }
    }

    #[test]
    fn expressions_that_take_memory_are_refused() {
        for hostile in [
            "((a{100}){100}){100}",
            r"(?:\w{1000}){1000}",
            "(((((a{50}){50}){50}){50}){50})",
            &"(".repeat(100_000),
            &format!("{}a{}", "(".repeat(10_000), ")".repeat(10_000)),
        ] {
            let message = compiled(hostile).err().map(|error| error.message);
            let message = message.unwrap_or_else(|| panic!("{}", &hostile[..20]));
            assert!(
                message.starts_with("needs more") || message.starts_with("is no"),
                "{message}"
            );
        }
    }

    #[test]
    fn faults_have_the_reason() {
        let error = compiled("a(b").err().map(|error| error.message);
        assert_eq!(
            error.as_deref(),
            Some("is no regular expression: unclosed group")
        );
    }
}
