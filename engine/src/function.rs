//! Scalar functions: a value of some values, for each object on its own.

use crate::matching::Demand;
use std::fmt;
use std::hash::{Hash, Hasher};
use wireq_typesys::{FieldPath, Kind, Value, Zone};

/// Everything known about a scalar function.
pub struct Function {
    /// The word that queries use.
    pub name: &'static str,
    /// What it gives, in one sentence.
    pub summary: &'static str,
    /// What it takes, in order.
    pub parameters: &'static [FunctionParameter],
    /// Whether it gives nothing where one of its arguments is absent; it is not called then.
    pub strict: bool,
    /// The kind it gives for the kinds of its arguments; a message where it can't take them.
    pub kind: fn(&[Kind]) -> Result<Kind, String>,
    /// Calls it with as many arguments as were given, each of the kind of its parameter where that
    /// is not [`Kind::Dynamic`]. Gives [`Value::Absent`] where it has no result; never panics.
    pub call: fn(&[Value], &Zone) -> Value,
    /// Calls with their results as text, run as tests: `("upper('abc')", "ABC")`.
    pub examples: &'static [(&'static str, &'static str)],
}

/// One parameter of a function.
#[derive(Debug)]
pub struct FunctionParameter {
    /// A word in capitals.
    pub name: &'static str,
    /// The kind that arguments are read as: constants when the query is read, text when it is met.
    /// With [`Kind::Dynamic`], any kind is taken as it is.
    pub kind: Kind,
    /// How often it may be given; only the last parameter may be other than [`Times::One`] or
    /// [`Times::Optional`].
    pub times: Times,
    /// What it means, in one sentence.
    pub summary: &'static str,
    /// Of the first parameter, what has to be in its argument for the result to be true.
    pub demand: Option<DemandOf>,
}

/// Says what has to be in a field of bytes or text that is the first argument of a function. It is
/// asked with the kind of the field and with the arguments, of which the first is absent and the others
/// are constants.
pub type DemandOf = fn(&FieldPath, Kind, &[Value]) -> Option<Demand>;

impl FunctionParameter {
    /// The parameter with what has to be in its argument.
    pub const fn with_demand(self, demand: DemandOf) -> FunctionParameter {
        FunctionParameter {
            demand: Some(demand),
            ..self
        }
    }
}

/// How often an argument of a function is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// Exactly once.
    One,
    /// Once or not at all.
    Optional,
    /// Any number of times.
    Any,
}

impl Function {
    /// The fewest and the most arguments that it takes.
    pub fn arity(&self) -> (usize, usize) {
        let one = |p: &&FunctionParameter| p.times == Times::One;
        let least = self.parameters.iter().filter(one).count();
        let any = self
            .parameters
            .last()
            .is_some_and(|p| p.times == Times::Any);
        let most = if any {
            usize::MAX
        } else {
            self.parameters.len()
        };
        (least, most)
    }

    /// The parameter that takes argument number `at`.
    pub fn parameter(&self, at: usize) -> Option<&'static FunctionParameter> {
        let last = self.parameters.last().filter(|p| p.times == Times::Any);
        self.parameters.get(at).or(last)
    }

    /// Whether argument number `at`, where it is a list, is taken value by value: where the parameter
    /// is of a kind that is none.
    pub fn takes_each(&self, at: usize) -> bool {
        let kind = self.parameter(at).map_or(Kind::Dynamic, |p| p.kind);
        !matches!(kind, Kind::Dynamic | Kind::Object | Kind::List(_))
    }

    /// The kind it gives for the kinds of its arguments. It gives a list where it is called for each
    /// value of one.
    ///
    /// # Errors
    /// A message where it can't take them.
    pub fn gives(&self, kinds: &[Kind]) -> Result<Kind, String> {
        let is_each = |at: usize, kind: &Kind| self.takes_each(at) && matches!(kind, Kind::List(_));
        if !kinds.iter().enumerate().any(|(at, kind)| is_each(at, kind)) {
            return (self.kind)(kinds);
        }
        let of_each = |(at, kind): (usize, &Kind)| match is_each(at, kind) {
            true => kind.of_each(),
            false => *kind,
        };
        let kinds: Vec<Kind> = kinds.iter().enumerate().map(of_each).collect();
        (self.kind)(&kinds).map(Kind::list)
    }

    /// The function with its parameters: `substring(TEXT, START [, LENGTH])`.
    pub fn signature(&self) -> String {
        let mut text = format!("{}(", self.name);
        for (at, parameter) in self.parameters.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            match (parameter.times, at) {
                (Times::One, _) => text += &format!("{comma}{}", parameter.name),
                (Times::Optional, 0) => text += &format!("[{}]", parameter.name),
                (Times::Optional, _) => text += &format!(" [, {}]", parameter.name),
                (Times::Any, 0) => text += &format!("[{}, ...]", parameter.name),
                (Times::Any, _) => text += &format!(" [, {} ...]", parameter.name),
            }
        }
        text + ")"
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        self.name == other.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
