//! Expressions over the fields of an object.

use crate::Span;
use std::fmt;
use wireq_typesys::{CompareOp, FieldPath, Literal};

/// An expression. Truth is three-valued (Kleene): a comparison with an absent field is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expr {
    /// A field, with conversions.
    Field(FieldPath, Span),
    /// A constant.
    Literal(Literal, Span),
    /// A comparison.
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// Arithmetic on numbers, times and durations.
    Arithmetic(ArithmeticOp, Box<Expr>, Box<Expr>),
    /// All hold.
    And(Vec<Expr>),
    /// At least one holds.
    Or(Vec<Expr>),
    /// Does not hold.
    Not(Box<Expr>),
    /// The object has the field.
    Exists(FieldPath, Span),
    /// Known and true: what a test means in the pipe form, where `not dstport = 80` passes ARP.
    Holds(Box<Expr>),
}

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "named after what they are")]
pub enum ArithmeticOp {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl ArithmeticOp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            ArithmeticOp::Add => "+",
            ArithmeticOp::Subtract => "-",
            ArithmeticOp::Multiply => "*",
            ArithmeticOp::Divide => "/",
        }
    }
}

impl Expr {
    /// Calls `each` for every field that the expression reads.
    pub fn for_each_field(&self, each: &mut dyn FnMut(&FieldPath, Span)) {
        match self {
            Expr::Field(path, span) | Expr::Exists(path, span) => each(path, *span),
            Expr::Literal(..) => {}
            Expr::Compare(_, left, right) | Expr::Arithmetic(_, left, right) => {
                left.for_each_field(each);
                right.for_each_field(each);
            }
            Expr::And(parts) | Expr::Or(parts) => {
                parts.iter().for_each(|part| part.for_each_field(each))
            }
            Expr::Not(inner) | Expr::Holds(inner) => inner.for_each_field(each),
        }
    }

    /// The fields that the expression reads, each once, in the order of the text.
    pub fn fields(&self) -> Vec<FieldPath> {
        let mut fields = Vec::new();
        self.for_each_field(&mut |path, _| {
            if !fields.contains(path) {
                fields.push(path.clone());
            }
        });
        fields
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, parts: &[Expr], word: &str| {
            f.write_str("(")?;
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    write!(f, " {word} ")?;
                }
                write!(f, "{part}")?;
            }
            f.write_str(")")
        };
        match self {
            Expr::Field(path, _) => write!(f, "{path}"),
            Expr::Literal(literal, _) if literal.quoted => write!(f, "{:?}", literal.text),
            Expr::Literal(literal, _) => f.write_str(&literal.text),
            Expr::Compare(op, left, right) => write!(f, "{left} {} {right}", op.symbol()),
            Expr::Arithmetic(op, left, right) => write!(f, "({left} {} {right})", op.symbol()),
            Expr::And(parts) => list(f, parts, "and"),
            Expr::Or(parts) => list(f, parts, "or"),
            Expr::Not(inner) => write!(f, "not {inner}"),
            Expr::Exists(path, _) => write!(f, "{path}"),
            Expr::Holds(inner) => write!(f, "{inner}"),
        }
    }
}
