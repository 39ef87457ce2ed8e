//! Definitions in the places where they are used.

use super::Lowering;
use super::definitions::{Known, SIZE_BESIDES, SIZE_PER_STATEMENT};
use crate::ast::{Argument, ArgumentValue, Call, Definition, Pipeline};
use std::collections::HashMap;
use std::mem;
use std::rc::Rc;
use wireq_engine::Diagnostic;
use wireq_engine::Span;
use wireq_engine::arguments::Word;

/// A check of a definition goes into others up to this size.
const CHECKED_SIZE_MAX: usize = 100;

/// An open use of a definition.
pub(super) struct Use {
    pub body: Rc<Pipeline>,
    /// The name, with the place of the whole call.
    name: Word,
    scope: usize,
    faults_before: usize,
}

impl Lowering<'_> {
    /// What a call stands for, if its name is defined for so many arguments.
    pub(super) fn definition(&self, call: &Call) -> Option<Rc<Known>> {
        self.definitions.find(&call.name.text, call.arguments.len())
    }

    /// Begins to use a definition. None where that cannot be; a fault says why.
    pub(super) fn begin_use(&mut self, known: &Rc<Known>, call: &Call) -> Option<Use> {
        let words = self.definition_arguments(known, call)?;
        if known.faulty || !self.take_size(known, call.name.span) {
            return None;
        }
        let definition = &known.definition;
        let body = match words.is_empty() {
            true => Rc::clone(&definition.body),
            false => Rc::new(instantiate(definition, &words)),
        };
        if self.definitions.within == 0 {
            self.definitions.used.get_or_insert_with(|| whole(call));
        }
        self.definitions.within += 1;
        Some(Use {
            body,
            name: whole(call),
            scope: mem::replace(&mut self.definitions.scope, known.number),
            faults_before: self.faults.len(),
        })
    }

    /// Ends a use. Its faults are told at the definition, and at the use too.
    pub(super) fn end_use(&mut self, ended: Use) {
        self.definitions.scope = ended.scope;
        self.definitions.within -= 1;
        if self.definitions.within == 0 {
            self.faults_of_use(&ended.name, ended.faults_before);
            self.definitions.used = None;
        }
    }

    /// Tells at a use of a definition that there are faults in it, if some have come up.
    pub(super) fn faults_of_use(&mut self, name: &Word, before: usize) {
        let place = name.span;
        let inside =
            |fault: &&Diagnostic| fault.span.start < place.start || fault.span.end > place.end;
        if let Some(fault) = self.faults[before..].iter().find(inside) {
            let message = format!("`{}` cannot be used here: {}", name.text, fault.message);
            self.faults.push(
                Diagnostic::new("Q042", place, message)
                    .label("used here")
                    .help("the fault is in its definition, or in what it is given here"),
            );
        }
    }

    /// The words that the parameters stand for.
    fn definition_arguments(&mut self, known: &Known, call: &Call) -> Option<Vec<Word>> {
        let plain = |argument: &Argument| match argument {
            Argument {
                value: ArgumentValue::Word(word),
                alias: None,
            } => Some(word.clone()),
            _ => None,
        };
        let words: Option<Vec<Word>> = call.arguments.iter().map(plain).collect();
        if words.is_none() {
            let message = format!("`{}` takes words: fields, constants", call.name.text);
            let fault = Diagnostic::new("Q041", call.span, message);
            self.faults.push(
                fault
                    .label("a function or another name among its arguments")
                    .help(format!("its parameters are: {}", known.parameters())),
            );
        }
        words
    }

    /// Whether there is room for what a definition stands for.
    fn take_size(&mut self, known: &Known, place: Span) -> bool {
        let state = &mut self.definitions;
        let size = known.measure.size;
        if state.checking {
            let small = size <= CHECKED_SIZE_MAX && state.checks_left >= size;
            state.checks_left -= if small { size } else { 0 };
            return small;
        }
        if state.within > 0 {
            return true;
        }
        if state.size_left < size {
            self.faults.push(too_large(known, place));
            return false;
        }
        state.size_left -= size;
        true
    }
}

fn too_large(known: &Known, place: Span) -> Diagnostic {
    let size = match known.measure.size {
        usize::MAX => "too many".to_owned(),
        size => size.to_string(),
    };
    let message = format!("`{}` stands for {size} stages", known.definition.name.text);
    let fault = Diagnostic::new("Q043", place, message).label("too large");
    fault.help(format!(
        "definitions may stand for {SIZE_BESIDES} stages, and {SIZE_PER_STATEMENT} more for each statement"
    ))
}

/// The name of a call, with the place of all of it.
fn whole(call: &Call) -> Word {
    Word {
        span: call.span,
        ..call.name.clone()
    }
}

/// The body with words in place of parameters.
fn instantiate(definition: &Definition, words: &[Word]) -> Pipeline {
    let names = definition.parameters.iter().map(|name| name.text.as_str());
    let values: HashMap<&str, &Word> = names.zip(words).collect();
    let mut body = Pipeline::clone(&definition.body);
    body.for_each_word(&mut |word| {
        if let Some(value) = values.get(word.text.as_str()).filter(|_| !word.quoted) {
            *word = (*value).clone();
        }
    });
    body
}
