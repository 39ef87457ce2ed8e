//! Arguments of modules: declared, then read from what the query says.

use crate::Span;
use crate::diagnostic::suggest;
use std::fmt;
use std::ops::RangeInclusive;
use wireq_typesys::FieldPath;

/// One flag or argument of a module.
#[derive(Debug)]
pub struct Parameter {
    /// `-v` or `--boulder` for a flag, a word in capitals for an argument.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// How often it may be given.
    pub count: Count,
    /// What it means, in one sentence, with the default.
    pub summary: &'static str,
}

impl Parameter {
    /// Whether it is a flag.
    pub fn is_flag(&self) -> bool {
        self.name.starts_with('-')
    }

    /// The words that an argument takes of those not taken yet, and the rest.
    fn split<'a>(&self, words: &'a [Word]) -> (&'a [Word], &'a [Word]) {
        let many = matches!(self.count, Count::Any | Count::Some);
        words.split_at(if many {
            words.len()
        } else {
            words.len().min(1)
        })
    }
}

/// What a flag or argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: the flag is there or not.
    Nothing,
    /// Text.
    Text,
    /// The name of a file.
    File,
    /// A whole number from 0.
    Number,
    /// A field path.
    Field,
    /// A field path, or the name of an object that the objects carry.
    Object,
}

/// How often an argument is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Exactly once.
    One,
    /// Once or not at all.
    Optional,
    /// Any number of times.
    Any,
    /// At least once.
    Some,
}

/// One word of an argument list as the query has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Word {
    /// The text without quotes.
    pub text: String,
    /// Whether it stood in quotes; a quoted word is never a flag.
    pub quoted: bool,
    /// Where it stands.
    pub span: Span,
}

/// The arguments of one module call, checked against its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Arguments {
    flags: Vec<(&'static str, Option<Word>)>,
    words: Vec<Word>,
}

/// A fault in the arguments of a module call.
#[derive(Clone, Debug)]
pub struct ArgumentError {
    /// The module.
    pub module: String,
    /// The argument, as written or as declared.
    pub argument: String,
    /// What is wrong with it.
    pub message: String,
    /// What to write instead, where that is known.
    pub help: Option<String>,
    /// Where it stands; the call where it is missing.
    pub span: Option<Span>,
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.module, self.argument, self.message)
    }
}

impl ArgumentError {
    /// A fault in a word of a call of `module`.
    pub fn at(module: &str, word: &Word, message: impl Into<String>) -> ArgumentError {
        ArgumentError {
            module: module.into(),
            argument: format!("`{}`", word.text),
            message: message.into(),
            help: None,
            span: Some(word.span),
        }
    }
}

/// How a call is written: `head N`, `uniq FIELD ...`; flags aside.
fn usage(module: &str, parameters: &[Parameter]) -> String {
    let words = parameters
        .iter()
        .filter(|p| !p.is_flag())
        .map(|p| match p.count {
            Count::One => p.name.to_owned(),
            Count::Optional => format!("[{}]", p.name),
            Count::Any => format!("[{} ...]", p.name),
            Count::Some => format!("{} ...", p.name),
        });
    let words: Vec<String> = std::iter::once(module.to_owned()).chain(words).collect();
    format!("write `{}`", words.join(" "))
}

/// What a parameter means, within a sentence.
fn meaning(parameter: &Parameter) -> String {
    let summary = parameter.summary.trim_end_matches('.');
    let mut letters = summary.chars();
    let first = letters.next().map(|c| c.to_lowercase().to_string());
    let rest = letters.as_str();
    // `IPv4` keeps its capitals.
    let text = match first.filter(|_| !rest.starts_with(char::is_uppercase)) {
        Some(first) => first + rest,
        None => summary.to_owned(),
    };
    format!("{} is {text}", parameter.name)
}

impl Arguments {
    /// Reads the words of a call. Flags come first; `-` alone, a negative number and a quoted word
    /// are arguments; single-letter flags may be written together.
    ///
    /// # Errors
    /// All faults found.
    pub fn parse(
        module: &str,
        parameters: &'static [Parameter],
        words: &[Word],
    ) -> Result<Arguments, Vec<ArgumentError>> {
        let mut arguments = Arguments::default();
        let mut errors = Vec::new();
        let mut rest = words;
        while let Some((word, tail)) = rest.split_first() {
            if !looks_like_flag(word) {
                break;
            }
            rest = tail;
            for name in flag_names(parameters, &word.text) {
                match parameters.iter().find(|p| p.name == name) {
                    None => errors.push(unknown_flag(module, parameters, word)),
                    Some(flag) if flag.takes == Takes::Nothing => {
                        arguments.flags.push((flag.name, None))
                    }
                    Some(flag) => match rest.split_first() {
                        None => errors.push(ArgumentError {
                            help: Some(meaning(flag)),
                            ..ArgumentError::at(module, word, "has no value behind it")
                        }),
                        Some((value, tail)) => {
                            rest = tail;
                            errors.extend(check(module, flag, value));
                            arguments.flags.push((flag.name, Some(value.clone())));
                        }
                    },
                }
            }
        }
        arguments.words = rest.to_vec();
        errors.extend(check_words(module, parameters, rest));
        if errors.is_empty() {
            Ok(arguments)
        } else {
            Err(errors)
        }
    }

    /// Whether a flag was given.
    pub fn flag(&self, name: &str) -> bool {
        self.flags.iter().any(|(n, _)| *n == name)
    }

    /// The value of a flag; the last one given.
    pub fn value(&self, name: &str) -> Option<&Word> {
        self.flags
            .iter()
            .rev()
            .find(|(n, _)| *n == name)?
            .1
            .as_ref()
    }

    /// The number that is the value of a flag of `module`; none where the flag was not given.
    ///
    /// # Errors
    /// Where it is not within the bounds.
    pub fn number_within(
        &self,
        module: &str,
        name: &str,
        bounds: RangeInclusive<u64>,
    ) -> Result<Option<u64>, ArgumentError> {
        let Some(word) = self.value(name) else {
            return Ok(None);
        };
        let number: Option<u64> = word.text.parse().ok();
        let number = number.filter(|number| bounds.contains(number));
        number.map(Some).ok_or_else(|| {
            let (least, most) = bounds.into_inner();
            let message = format!("is not a number from {least} to {most}");
            ArgumentError::at(module, word, message)
        })
    }

    /// All values of a flag that may be given often, in the order given.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &Word> {
        let mine = self.flags.iter().filter(move |(n, _)| *n == name);
        mine.filter_map(|(_, word)| word.as_ref())
    }

    /// The arguments behind the flags.
    pub fn words(&self) -> &[Word] {
        &self.words
    }

    /// The arguments behind the flags as field paths.
    pub fn fields(&self) -> Vec<FieldPath> {
        self.words
            .iter()
            .map(|word| FieldPath::new(&word.text))
            .collect()
    }

    /// The number that argument `at` is; it was checked to be one.
    pub fn number(&self, at: usize) -> Option<u64> {
        self.words.get(at)?.text.parse().ok()
    }

    /// All words that name fields, with where they stand: what a plan checks against types.
    pub fn field_words<'a>(
        &'a self,
        parameters: &'static [Parameter],
    ) -> impl Iterator<Item = &'a Word> {
        self.words_of(parameters, Takes::Field)
    }

    /// All words that name fields or objects that objects carry.
    pub fn object_words<'a>(
        &'a self,
        parameters: &'static [Parameter],
    ) -> impl Iterator<Item = &'a Word> {
        self.words_of(parameters, Takes::Object)
    }

    fn words_of<'a>(
        &'a self,
        parameters: &'static [Parameter],
        takes: Takes,
    ) -> impl Iterator<Item = &'a Word> {
        let in_flags = self.flags.iter().filter_map(move |(name, word)| {
            let mut taking = parameters.iter().filter(|p| p.takes == takes);
            taking.find(|p| p.name == *name)?;
            word.as_ref()
        });
        let mut rest = self.words.as_slice();
        let arguments = parameters.iter().filter(|p| !p.is_flag());
        let positional = arguments.flat_map(move |parameter| {
            let (mine, others) = parameter.split(rest);
            rest = others;
            if parameter.takes == takes { mine } else { &[] }
        });
        in_flags.chain(positional)
    }
}

impl fmt::Display for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let write = |f: &mut fmt::Formatter<'_>, word: &Word| {
            if word.quoted {
                write!(f, " {:?}", word.text)
            } else {
                write!(f, " {}", word.text)
            }
        };
        for (name, value) in &self.flags {
            write!(f, " {name}")?;
            if let Some(value) = value {
                write(f, value)?;
            }
        }
        self.words.iter().try_for_each(|word| write(f, word))
    }
}

fn looks_like_flag(word: &Word) -> bool {
    let text = word.text.as_str();
    !word.quoted && text.len() > 1 && text.starts_with('-') && text.parse::<f64>().is_err()
}

/// The flags that a word stands for: itself, or each letter of `-vB`.
fn flag_names(parameters: &[Parameter], text: &str) -> Vec<String> {
    let known = |name: &str| parameters.iter().any(|p| p.name == name);
    if text.starts_with("--") || known(text) {
        return vec![text.to_owned()];
    }
    let letters: Vec<String> = text.chars().skip(1).map(|c| format!("-{c}")).collect();
    if letters.iter().all(|name| known(name)) {
        letters
    } else {
        vec![text.to_owned()]
    }
}

fn unknown_flag(module: &str, parameters: &[Parameter], word: &Word) -> ArgumentError {
    let flags: Vec<&str> = parameters
        .iter()
        .filter(|p| p.is_flag())
        .map(|p| p.name)
        .collect();
    // One letter is like any other: only longer names can be mistyped.
    let near = suggest(&word.text, flags.iter().copied()).filter(|near| near.len() > 2);
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None if flags.is_empty() => format!("{module} has no flags"),
        None => format!("{module} has {}", flags.join(", ")),
    };
    ArgumentError {
        help: Some(help),
        ..ArgumentError::at(module, word, "is no flag of this module")
    }
}

fn check(module: &str, parameter: &Parameter, word: &Word) -> Option<ArgumentError> {
    match parameter.takes {
        Takes::Number if word.text.parse::<u64>().is_err() => Some(ArgumentError {
            help: Some(meaning(parameter)),
            ..ArgumentError::at(module, word, "is not a whole number from 0")
        }),
        Takes::Field | Takes::Object if word.text.is_empty() => Some(ArgumentError::at(
            module,
            word,
            "is not the name of a field",
        )),
        _ => None,
    }
}

/// The declared arguments take words one after the other; one that may be given often takes the rest.
fn check_words(module: &str, parameters: &[Parameter], words: &[Word]) -> Vec<ArgumentError> {
    let mut errors = Vec::new();
    let mut rest = words;
    for parameter in parameters.iter().filter(|p| !p.is_flag()) {
        let (mine, others) = parameter.split(rest);
        rest = others;
        errors.extend(
            mine.iter()
                .filter_map(|word| check(module, parameter, word)),
        );
        if mine.is_empty() && matches!(parameter.count, Count::One | Count::Some) {
            errors.push(ArgumentError {
                module: module.into(),
                argument: parameter.name.into(),
                message: "is missing".into(),
                help: Some(format!(
                    "{}; {}",
                    usage(module, parameters),
                    meaning(parameter)
                )),
                span: None,
            });
        }
    }
    errors.extend(rest.first().map(|word| ArgumentError {
        help: Some(usage(module, parameters)),
        ..ArgumentError::at(module, word, "is one argument too many")
    }));
    errors
}
