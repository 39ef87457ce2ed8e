//! What a query says, the same for all languages: names are still text.

mod expression;
mod select;

pub(crate) use expression::{Case, Constant, Expr, ExprKind, Like, Operator, ScalarCall, TypeName};

pub(crate) use select::{Arm, Core, From, Item, Order, Select, Table, TableSource, Union};

use std::rc::Rc;
use wireq_engine::Span;
use wireq_engine::arguments::Word;

/// One statement.
#[derive(Clone, Debug)]
pub(crate) enum Statement {
    Query(Pipeline),
    Definition(Definition),
}

/// `NAME(PARAMETERS) :- BODY`.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub name: Word,
    pub parameters: Vec<Word>,
    pub body: Rc<Pipeline>,
}

/// Stages, each of which takes what the one before it gives.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub stages: Vec<Stage>,
}

/// One stage of a pipeline.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub kind: StageKind,
    /// What its input must fulfil; for a source, its output.
    pub filter: Option<Box<Expr>>,
    pub group: Option<Box<Group>>,
    pub span: Span,
}

impl Stage {
    /// A stage without clauses.
    pub fn new(kind: StageKind, span: Span) -> Stage {
        Stage {
            kind,
            filter: None,
            group: None,
            span,
        }
    }
}

/// What a stage does.
#[derive(Clone, Debug)]
pub(crate) enum StageKind {
    /// Passes objects that fulfil a condition.
    Where(Box<Expr>),
    /// Gives the input to each branch and takes what all of them give.
    Bag(Vec<Pipeline>),
    /// Calls a module.
    Call(Box<Call>),
    /// Calls aggregate functions side by side, with nothing that takes their results.
    Functions(Vec<Argument>),
    /// Gives the combinations of objects of several streams for which a condition holds.
    Join {
        /// At least two.
        inputs: Vec<JoinInput>,
        condition: Option<Box<Expr>>,
    },
    /// SQL.
    Select(Box<Select>),
}

/// One stream of a join: `SOURCE ALIAS until (CONDITION)`.
#[derive(Clone, Debug)]
pub(crate) struct JoinInput {
    /// Where its objects come from; none where it is the source of the stream before.
    pub source: Option<Pipeline>,
    /// The name of its objects in the condition and in what is joined.
    pub alias: Word,
    /// The most objects kept.
    pub max: Option<usize>,
    /// When an object is forgotten.
    pub until: Option<Box<Expr>>,
    #[allow(dead_code, reason = "joins cannot be lowered yet")]
    pub span: Span,
}

/// A module, an aggregate function or a definition with its arguments, which are words.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub name: Word,
    pub arguments: Vec<Argument>,
    /// Whether it is a part of the condition of a verb with `from`: SMACQ's form.
    pub of_verb: bool,
    pub span: Span,
}

impl Call {
    /// A call with nothing but words.
    pub fn of_words(name: Word, words: Vec<Word>) -> Call {
        let argument = |word| Argument {
            value: ArgumentValue::Word(word),
            alias: None,
        };
        Call {
            span: name.span,
            of_verb: false,
            name,
            arguments: words.into_iter().map(argument).collect(),
        }
    }
}

/// One argument of a call.
#[derive(Clone, Debug)]
pub(crate) struct Argument {
    pub value: ArgumentValue,
    /// The name behind `as`.
    pub alias: Option<Word>,
}

/// What an argument says.
#[derive(Clone, Debug)]
pub(crate) enum ArgumentValue {
    Word(Word),
    /// A call with words as arguments: an aggregate function, a module that computes a column.
    Function(Box<Call>),
    /// A column that is computed: `[ EXPRESSION ]`, called `expr` without an alias, or a call of a
    /// scalar function, whose alias is its name where the text has no other.
    Expression(Box<Expr>),
}

/// `group by KEYS every PERIOD having CONDITION`.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub keys: Vec<Word>,
    pub every: Option<Every>,
    pub having: Option<Box<Expr>>,
    pub span: Span,
}

/// `every PERIOD of LENGTH late TIME`: groups of a stretch of time each.
#[derive(Clone, Debug)]
pub(crate) struct Every {
    pub period: Word,
    /// How long the stretches are, where that is not the period.
    pub of: Option<Word>,
    /// How late an object may come.
    pub late: Option<Word>,
    pub span: Span,
}
