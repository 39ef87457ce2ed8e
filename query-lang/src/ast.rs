//! What a query says, the same for all languages: names are still text.

use std::rc::Rc;
use wireq_engine::Span;
use wireq_engine::arguments::Word;
use wireq_engine::plan::expr::ArithmeticOp;
use wireq_typesys::CompareOp;

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
}

/// A module with arguments.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub name: Word,
    pub arguments: Vec<Argument>,
    pub span: Span,
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
    Function(Box<Call>),
}

/// `group by KEYS having CONDITION`.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub keys: Vec<Word>,
    pub having: Option<Box<Expr>>,
    pub span: Span,
}

/// An expression. Whether it is a test or a value shows only where it is used.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub kind: ExprKind,
    pub span: Span,
    /// How deep it is: 1 where nothing is in it.
    pub depth: usize,
}

/// What an expression says.
#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    /// A field or a constant.
    Word(Word),
    Function(Box<Call>),
    Negate(Box<Expr>),
    Arithmetic(ArithmeticOp, Box<Expr>, Box<Expr>),
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// Whether the first is equal to one of the others.
    In(Box<Expr>, Vec<Expr>),
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
}

impl Expr {
    /// An expression at a place.
    pub fn boxed(kind: ExprKind, span: Span) -> Box<Expr> {
        let depth = 1 + match &kind {
            ExprKind::Word(_) | ExprKind::Function(_) => 0,
            ExprKind::Negate(inner) | ExprKind::Not(inner) | ExprKind::In(inner, _) => inner.depth,
            ExprKind::Arithmetic(_, left, right) | ExprKind::Compare(_, left, right) => {
                left.depth.max(right.depth)
            }
            ExprKind::And(parts) | ExprKind::Or(parts) => {
                parts.iter().map(|part| part.depth).max().unwrap_or(0)
            }
        };
        Box::new(Expr { kind, span, depth })
    }
}
