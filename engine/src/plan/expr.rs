//! Expressions over the fields of an object.

use crate::arguments::Arguments;
use crate::{Gives, Module, Needs, OperatorSpec, ScalarFunction, Span, StateClass};
use std::fmt;
use std::hash::{Hash, Hasher};
use wireq_typesys::{CompareOp, FieldPath, Literal};

/// An expression. Truth is three-valued (Kleene): a comparison with an absent field is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expr {
    /// A field, with conversions.
    Field(FieldPath, Span),
    /// A constant.
    Literal(Literal, Span),
    /// True or false.
    Bool(bool, Span),
    /// A value that is absent.
    Absent(Span),
    /// A comparison.
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// Arithmetic on numbers, times and durations.
    Arithmetic(ArithmeticOp, Box<Expr>, Box<Expr>),
    /// A scalar function of values.
    Call(&'static ScalarFunction, Vec<Expr>, Span),
    /// The value of the first pair whose test is known and true, else the last value.
    Case(Vec<(Expr, Expr)>, Option<Box<Expr>>),
    /// The value as truth: true, or a number other than 0.
    Truth(Box<Expr>),
    /// The value is absent; always known.
    IsAbsent(Box<Expr>),
    /// All hold.
    And(Vec<Expr>),
    /// At least one holds.
    Or(Vec<Expr>),
    /// Does not hold.
    Not(Box<Expr>),
    /// The object has the field.
    Exists(FieldPath, Span),
    /// A filter module passes the object.
    Passes(Box<FilterCall>),
    /// Known and true: what a test means in the pipe form, where `not dstport = 80` passes ARP.
    Holds(Box<Expr>),
}

/// A call of a filter module as a test: one that keeps nothing and gives rows of its input.
#[derive(Clone)]
pub struct FilterCall {
    /// The module.
    pub module: &'static Module,
    /// Its arguments.
    pub arguments: Arguments,
    /// What it builds.
    pub spec: OperatorSpec,
    /// Where it stands.
    pub span: Span,
}

impl FilterCall {
    /// The fields that the filter reads.
    pub fn fields(&self) -> &[FieldPath] {
        match &self.spec.needs {
            Needs::Fields(fields) => fields,
            Needs::Summary | Needs::All => &[],
        }
    }

    /// Whether a module can be a test: it keeps nothing, has no side effect and gives rows of its
    /// input as they are.
    pub fn can_be(spec: &OperatorSpec) -> bool {
        spec.class == StateClass::Stateless
            && !spec.side_effect
            && spec.gives == Gives::Same
            && matches!(spec.needs, Needs::Fields(_))
    }
}

impl PartialEq for FilterCall {
    fn eq(&self, other: &FilterCall) -> bool {
        self.module.name == other.module.name && self.arguments == other.arguments
    }
}

impl Eq for FilterCall {}

impl Hash for FilterCall {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.module.name.hash(state);
        self.arguments.hash(state);
    }
}

impl fmt::Debug for FilterCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}({})",
            self.module.name,
            self.arguments.to_string().trim_start()
        )
    }
}

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "named after what they are")]
pub enum ArithmeticOp {
    Add,
    Subtract,
    Multiply,
    /// Gives a double.
    Divide,
    /// Cuts fractions off.
    DivideWhole,
    /// The rest of [`ArithmeticOp::DivideWhole`], with the sign of the dividend.
    Modulo,
}

impl ArithmeticOp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            ArithmeticOp::Add => "+",
            ArithmeticOp::Subtract => "-",
            ArithmeticOp::Multiply => "*",
            ArithmeticOp::Divide => "/",
            ArithmeticOp::DivideWhole => "//",
            ArithmeticOp::Modulo => "%",
        }
    }
}

impl Expr {
    /// Calls `each` for every field that the expression reads.
    pub fn for_each_field(&self, each: &mut dyn FnMut(&FieldPath, Span)) {
        match self {
            Expr::Field(path, span) | Expr::Exists(path, span) => each(path, *span),
            Expr::Literal(..) | Expr::Bool(..) | Expr::Absent(_) => {}
            Expr::Call(_, arguments, _) => {
                arguments
                    .iter()
                    .for_each(|argument| argument.for_each_field(each));
            }
            Expr::Case(arms, otherwise) => {
                for (test, value) in arms {
                    test.for_each_field(each);
                    value.for_each_field(each);
                }
                if let Some(otherwise) = otherwise {
                    otherwise.for_each_field(each);
                }
            }
            Expr::Passes(call) => call.fields().iter().for_each(|path| each(path, call.span)),
            Expr::Compare(_, left, right) | Expr::Arithmetic(_, left, right) => {
                left.for_each_field(each);
                right.for_each_field(each);
            }
            Expr::And(parts) | Expr::Or(parts) => {
                parts.iter().for_each(|part| part.for_each_field(each))
            }
            Expr::Not(inner) | Expr::Holds(inner) | Expr::Truth(inner) | Expr::IsAbsent(inner) => {
                inner.for_each_field(each);
            }
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

    /// The field that the expression reads, where it is one.
    pub fn only_field(&self) -> Option<FieldPath> {
        let (mut only, mut several) = (None, false);
        self.for_each_field(&mut |path, _| match &only {
            None => only = Some(path.clone()),
            Some(known) => several |= known != path,
        });
        only.filter(|_| !several)
    }

    /// The tests that all have to hold for this one to hold.
    pub fn conjuncts(self) -> Vec<Expr> {
        let mut tests = Vec::new();
        self.add_conjuncts(&mut tests);
        tests
    }

    fn add_conjuncts(self, into: &mut Vec<Expr>) {
        match self {
            Expr::And(tests) => tests.into_iter().for_each(|test| test.add_conjuncts(into)),
            Expr::Holds(inner) if matches!(*inner, Expr::And(_) | Expr::Bool(..)) => {
                inner.add_conjuncts(into);
            }
            test => into.push(test),
        }
    }

    /// The fields that the test compares, where it does nothing else.
    pub fn compared_fields(&self) -> Option<(CompareOp, &FieldPath, &FieldPath)> {
        match self {
            Expr::Holds(inner) => inner.compared_fields(),
            Expr::Compare(op, left, right) => match (&**left, &**right) {
                (Expr::Field(left, _), Expr::Field(right, _)) => Some((*op, left, right)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The fields that the test says are equal.
    pub fn equal_fields(&self) -> Option<(&FieldPath, &FieldPath)> {
        match self.compared_fields()? {
            (CompareOp::Equal, left, right) => Some((left, right)),
            _ => None,
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, parts: &[Expr], word: &str| {
            f.write_str("(")?;
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    f.write_str(" ")?;
                    f.write_str(word)?;
                    f.write_str(" ")?;
                }
                part.fmt(f)?;
            }
            f.write_str(")")
        };
        // The usual ones go without a format string: plans of thousands of statements say a lot.
        match self {
            Expr::Field(path, _) | Expr::Exists(path, _) => f.write_str(path.as_str()),
            Expr::Literal(literal, _) if literal.quoted => write!(f, "{:?}", literal.text),
            Expr::Literal(literal, _) => f.write_str(&literal.text),
            Expr::Bool(value, _) => write!(f, "{value}"),
            Expr::Absent(_) => f.write_str("null"),
            Expr::Call(function, arguments, _) => {
                f.write_str(function.name)?;
                list(f, arguments, ",")
            }
            Expr::Case(arms, otherwise) => {
                f.write_str("case")?;
                for (test, value) in arms {
                    write!(f, " when {test} then {value}")?;
                }
                if let Some(otherwise) = otherwise {
                    write!(f, " else {otherwise}")?;
                }
                f.write_str(" end")
            }
            Expr::Truth(inner) => write!(f, "({inner} is true)"),
            Expr::IsAbsent(inner) => write!(f, "({inner} is null)"),
            Expr::Compare(op, left, right) => {
                left.fmt(f)?;
                f.write_str(" ")?;
                f.write_str(op.symbol())?;
                f.write_str(" ")?;
                right.fmt(f)
            }
            Expr::Arithmetic(op, left, right) => write!(f, "({left} {} {right})", op.symbol()),
            Expr::And(parts) => list(f, parts, "and"),
            Expr::Or(parts) => list(f, parts, "or"),
            Expr::Not(inner) => write!(f, "not {inner}"),
            Expr::Passes(call) => write!(f, "{call:?}"),
            Expr::Holds(inner) => inner.fmt(f),
        }
    }
}
