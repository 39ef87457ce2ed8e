//! Expressions.

use super::Call;
use wireq_engine::Span;
use wireq_engine::arguments::Word;
use wireq_typesys::CompareOp;

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
    /// A field in double quotes, in SELECT.
    Field(Word),
    Constant(Constant),
    /// A call with words as arguments: a module, an aggregate function, a definition.
    Function(Box<Call>),
    /// A call with expressions as arguments.
    Scalar(Box<ScalarCall>),
    Negate(Box<Expr>),
    Operation(Operator, Box<Expr>, Box<Expr>),
    Cast(Box<Expr>, TypeName),
    Case(Box<Case>),
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// Whether the first is equal to one of the others.
    In(Box<Expr>, Vec<Expr>),
    /// Whether the first is from the second to the third.
    Between(Box<[Expr; 3]>),
    Like(Box<Like>),
    /// `is null`, `is true`, `is false`: always true or false.
    Is(Box<Expr>, Constant),
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
}

/// A constant that is a word of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Constant {
    Null,
    True,
    False,
}

impl Constant {
    /// The constant that a word without quotes is.
    pub fn named(word: &str) -> Option<Constant> {
        let names = [
            ("null", Constant::Null),
            ("true", Constant::True),
            ("false", Constant::False),
        ];
        let mut named = names.into_iter();
        let found = named.find(|(name, _)| word.eq_ignore_ascii_case(name));
        found.map(|(_, constant)| constant)
    }
}

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// Division down to a whole number.
    IntegerDivide,
    Modulo,
    /// Texts one behind the other.
    Concatenate,
}

/// A call of a scalar function; in SELECT, of an aggregate function too.
#[derive(Clone, Debug)]
pub(crate) struct ScalarCall {
    pub name: Word,
    /// Whether each combination of values counts once, in an aggregate function of SELECT.
    pub distinct: bool,
    /// None for `count(*)`.
    pub arguments: Vec<Expr>,
    pub span: Span,
}

/// A type that values are converted to: `varchar`, `decimal(18, 3)`.
#[derive(Clone, Debug)]
pub(crate) struct TypeName {
    pub name: Word,
    /// What stands in brackets behind it.
    pub parameters: Vec<Word>,
}

/// `case [OPERAND] when CONDITION then VALUE ... [else VALUE] end`.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// What the conditions are values for, where there is something.
    pub operand: Option<Expr>,
    /// Conditions and values; at least one.
    pub branches: Vec<(Expr, Expr)>,
    pub otherwise: Option<Expr>,
}

/// Whether a text looks like a pattern, in which `%` stands for any text and `_` for one character.
#[derive(Clone, Debug)]
pub(crate) struct Like {
    pub text: Expr,
    pub pattern: Expr,
    /// `ilike`.
    pub any_case: bool,
}

impl Expr {
    /// An expression at a place.
    pub fn boxed(kind: ExprKind, span: Span) -> Box<Expr> {
        let mut depth = 0;
        kind.for_each_part(&mut |part| depth = depth.max(part.depth));
        let depth = depth + 1;
        Box::new(Expr { kind, span, depth })
    }
}

impl ExprKind {
    /// Calls `each` for the expressions that this one consists of.
    pub fn for_each_part<'e>(&'e self, each: &mut dyn FnMut(&'e Expr)) {
        match self {
            ExprKind::Word(_)
            | ExprKind::Field(_)
            | ExprKind::Constant(_)
            | ExprKind::Function(_) => {}
            ExprKind::Scalar(call) => call.arguments.iter().for_each(each),
            ExprKind::Negate(inner)
            | ExprKind::Not(inner)
            | ExprKind::Is(inner, _)
            | ExprKind::Cast(inner, _) => each(inner),
            ExprKind::Operation(_, left, right) | ExprKind::Compare(_, left, right) => {
                each(left);
                each(right);
            }
            ExprKind::Case(case) => {
                case.operand.iter().for_each(&mut *each);
                for (condition, value) in &case.branches {
                    each(condition);
                    each(value);
                }
                case.otherwise.iter().for_each(each);
            }
            ExprKind::In(left, items) => {
                each(left);
                items.iter().for_each(each);
            }
            ExprKind::Between(parts) => parts.iter().for_each(each),
            ExprKind::Like(like) => {
                each(&like.text);
                each(&like.pattern);
            }
            ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().for_each(each),
        }
    }

    /// The same, to change them.
    pub fn for_each_part_mut(&mut self, each: &mut dyn FnMut(&mut Expr)) {
        match self {
            ExprKind::Word(_)
            | ExprKind::Field(_)
            | ExprKind::Constant(_)
            | ExprKind::Function(_) => {}
            ExprKind::Scalar(call) => call.arguments.iter_mut().for_each(each),
            ExprKind::Negate(inner)
            | ExprKind::Not(inner)
            | ExprKind::Is(inner, _)
            | ExprKind::Cast(inner, _) => each(inner),
            ExprKind::Operation(_, left, right) | ExprKind::Compare(_, left, right) => {
                each(left);
                each(right);
            }
            ExprKind::Case(case) => {
                case.operand.iter_mut().for_each(&mut *each);
                for (condition, value) in &mut case.branches {
                    each(condition);
                    each(value);
                }
                case.otherwise.iter_mut().for_each(each);
            }
            ExprKind::In(left, items) => {
                each(left);
                items.iter_mut().for_each(each);
            }
            ExprKind::Between(parts) => parts.iter_mut().for_each(each),
            ExprKind::Like(like) => {
                each(&mut like.text);
                each(&mut like.pattern);
            }
            ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter_mut().for_each(each),
        }
    }
}
