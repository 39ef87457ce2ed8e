//! Definitions: what a name stands for, and its use in place of a module, a stage or a condition.
//!
//! A definition sees those before it, so none contains itself, and the size of what it stands for
//! is known before it is used.

use super::measure::Measure;
use super::{Flow, Lowering};
use crate::ast::{Definition, Pipeline};
use std::collections::{BTreeMap, HashSet};
use std::mem;
use std::rc::Rc;
use wireq_engine::Diagnostic;
use wireq_engine::arguments::Word;

/// What definitions may add to each statement on average, and to all statements besides, in stages
/// and parts of conditions.
pub(super) const SIZE_PER_STATEMENT: usize = 50;
pub(super) const SIZE_BESIDES: usize = 20_000;

/// The definitions so far, and which of them are in use.
pub(super) struct Definitions {
    /// By name, then by the number of parameters; later ones behind earlier ones.
    known: BTreeMap<String, BTreeMap<usize, Vec<Rc<Known>>>>,
    /// How many there are.
    count: usize,
    /// Those with a lower number can be seen.
    pub scope: usize,
    /// How many uses are open, one within the other.
    pub within: usize,
    /// What definitions may still add.
    pub size_left: usize,
    /// What they may still add while definitions are checked.
    pub checks_left: usize,
    /// The use in the statement that the condition at hand comes from.
    pub used: Option<Word>,
    /// Whether a definition is being checked, not used.
    pub checking: bool,
    /// The name of the definition that is being read.
    defining: Option<String>,
}

/// A definition and what is known of it.
pub(super) struct Known {
    pub number: usize,
    pub definition: Definition,
    pub brings_objects: bool,
    pub has_functions: bool,
    pub measure: Measure,
    /// Whether faults of its own were reported.
    pub faulty: bool,
}

impl Default for Definitions {
    fn default() -> Definitions {
        Definitions {
            known: BTreeMap::new(),
            count: 0,
            scope: 0,
            within: 0,
            size_left: SIZE_BESIDES,
            checks_left: SIZE_BESIDES,
            used: None,
            checking: false,
            defining: None,
        }
    }
}

impl Definitions {
    /// What a name with this number of arguments stands for, if it is defined.
    pub fn find(&self, name: &str, arguments: usize) -> Option<Rc<Known>> {
        let known = self.known.get(name)?.get(&arguments)?;
        let visible = known.partition_point(|known| known.number < self.scope);
        visible.checked_sub(1).map(|last| Rc::clone(&known[last]))
    }

    /// The calls for which a name is defined, as they are written.
    pub fn calls(&self, name: &str) -> Vec<String> {
        let known = self.known.get(name).into_iter().flatten();
        let visible = known.filter(|(_, known)| known[0].number < self.scope);
        visible
            .map(|(_, known)| format!("{name}({})", known[0].parameters()))
            .collect()
    }

    /// Whether there is a definition of this name.
    pub fn is_defined(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    /// Whether there are definitions of this name, and none of them has parameters.
    pub fn has_no_parameters(&self, name: &str) -> bool {
        let known = self.known.get(name);
        known.is_some_and(|known| known.keys().all(|parameters| *parameters == 0))
    }

    /// Whether this is the name of the definition that is being read.
    pub fn is_defining(&self, name: &str) -> bool {
        self.defining.as_deref() == Some(name)
    }

    /// Names for "did you mean"; none where there are too many to look through.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        const NAMES_MAX: usize = 200;
        let few = self.known.len() <= NAMES_MAX;
        self.known.keys().filter(move |_| few).map(String::as_str)
    }

    /// Whether what is being lowered stands in a definition.
    pub fn is_open(&self) -> bool {
        self.within > 0
    }

    /// Makes room for what the definitions in one more statement may add.
    pub fn begin_statement(&mut self) {
        self.size_left += SIZE_PER_STATEMENT;
        self.checks_left += SIZE_PER_STATEMENT;
    }

    fn add(&mut self, known: Known) {
        let name = known.definition.name.text.clone();
        let same = self.known.entry(name).or_default();
        let same = same.entry(known.definition.parameters.len()).or_default();
        same.push(Rc::new(known));
        self.count += 1;
        self.scope = self.count;
    }
}

impl Lowering<'_> {
    /// Takes in a definition.
    pub fn define(&mut self, definition: Definition) {
        self.definitions.begin_statement();
        self.definitions.defining = Some(definition.name.text.clone());
        let before = self.faults.len();
        self.check_parameters(&definition.parameters);
        let measure = self.measure(&definition.body);
        let first = definition.body.stages.first();
        let brings_objects = first.is_some_and(|first| self.brings_objects(first));
        let mut stages = definition.body.stages.iter();
        let has_functions = stages.any(|stage| self.has_functions(stage));
        if self.faults.len() == before && definition.parameters.is_empty() {
            self.check_body(&definition.body, brings_objects);
        }
        self.definitions.add(Known {
            number: self.definitions.count,
            definition,
            brings_objects,
            has_functions,
            measure,
            faulty: self.faults.len() > before,
        });
        self.definitions.defining = None;
    }

    fn check_parameters(&mut self, parameters: &[Word]) {
        let mut names = HashSet::new();
        for parameter in parameters {
            if !parameter
                .text
                .starts_with(|c: char| c.is_alphabetic() || c == '_')
            {
                let message = format!("`{}` is no name for a parameter", parameter.text);
                let fault = Diagnostic::new("Q008", parameter.span, message);
                self.faults
                    .push(fault.help("a name begins with a letter: `Top(k, n) :- ...`"));
            }
            if !names.insert(parameter.text.as_str()) {
                let message = format!("two parameters are called `{}`", parameter.text);
                let fault = Diagnostic::new("Q008", parameter.span, message);
                self.faults
                    .push(fault.label("second one").help("give this one another name"));
            }
        }
    }

    /// Finds the faults that a body has wherever it is used: lowers it, over objects that may have
    /// any field, into a plan that is thrown away.
    fn check_body(&mut self, body: &Pipeline, brings_objects: bool) {
        let plan = mem::take(&mut self.plan);
        let files = self.files.take();
        self.definitions.checking = true;
        let input = (!brings_objects).then(|| Flow::new(self.unknown()));
        self.pipeline(body, input, None);
        self.definitions.checking = false;
        self.plan = plan;
        self.files = files;
    }
}

impl Known {
    pub fn parameters(&self) -> String {
        let names = self.definition.parameters.iter();
        names
            .map(|word| word.text.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }
}
