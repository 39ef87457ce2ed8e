//! Expressions of the AST -> expressions of the plan.

use super::Lowering;
use super::functions::Functions;
use crate::ast;
use crate::ast::{ExprKind, Operator};
use wireq_engine::arguments::Word;
use wireq_engine::plan::NodeId;
use wireq_engine::plan::expr::{ArithmeticOp, Expr};
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::{CompareOp, FieldPath, Literal};

/// Lowers one expression.
pub(super) struct Condition<'l, 'a, 'f> {
    pub lowering: &'l mut Lowering<'a>,
    /// Where functions go, and what they work on; none where there can be no functions.
    pub functions: Option<(&'f mut Functions, NodeId)>,
}

impl Condition<'_, '_, '_> {
    /// An expression that is true or not.
    pub(super) fn test(&mut self, expr: &ast::Expr) -> Expr {
        match &expr.kind {
            ExprKind::Word(word) if is_field(word) => Expr::Holds(Box::new(Expr::Exists(
                FieldPath::new(&word.text),
                word.span,
            ))),
            ExprKind::Function(call) => self.function_test(call),
            ExprKind::Word(_) | ExprKind::Negate(_) | ExprKind::Operation(..) => self.no_test(expr),
            ExprKind::Constant(_)
            | ExprKind::Scalar(_)
            | ExprKind::Cast(..)
            | ExprKind::Case(_)
            | ExprKind::Between(_)
            | ExprKind::Like(_)
            | ExprKind::Is(..) => {
                self.lowering.not_calculated(expr.span);
                always()
            }
            ExprKind::Compare(operator, left, right) => {
                self.compare(*operator, left, right, expr.span)
            }
            ExprKind::In(left, items) => self.membership(left, items),
            ExprKind::Not(inner) => Expr::Not(Box::new(self.test(inner))),
            ExprKind::And(parts) => self.all(parts),
            ExprKind::Or(parts) => self.any(parts),
        }
    }

    fn all(&mut self, parts: &[ast::Expr]) -> Expr {
        let tests = parts.iter().map(|part| self.test(part)).collect();
        Condition::conjunction(tests)
    }

    /// A list of conditions; lists in it are part of it, and what is always true is left out.
    pub(super) fn conjunction(tests: Vec<Expr>) -> Expr {
        let mut list = Vec::with_capacity(tests.len());
        for test in tests {
            match test {
                Expr::And(inner) => list.extend(inner),
                other => list.push(other),
            }
        }
        if list.len() == 1 {
            list.remove(0)
        } else {
            Expr::And(list)
        }
    }

    fn any(&mut self, parts: &[ast::Expr]) -> Expr {
        let mut list = Vec::with_capacity(parts.len());
        for part in parts {
            match self.test(part) {
                Expr::Or(inner) => list.extend(inner),
                other => list.push(other),
            }
        }
        if list.contains(&always()) {
            always()
        } else {
            Expr::Or(list)
        }
    }

    fn compare(
        &mut self,
        operator: CompareOp,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Expr {
        let before = self.lowering.faults.len();
        let (left, right) = (self.value(left), self.value(right));
        if self.lowering.faults.len() > before {
            return always();
        }
        if is_constant(&left) && is_constant(&right) {
            let fault = Diagnostic::new("Q015", span, "both sides are constants")
                .label("compares no field");
            self.lowering
                .faults
                .push(fault.help("write the name of a field, without quotes, on one side"));
            return always();
        }
        Expr::Holds(Box::new(Expr::Compare(
            operator,
            Box::new(left),
            Box::new(right),
        )))
    }

    /// Whether a field is equal to one of several values. Other expressions than fields would be
    /// written out once for each value.
    fn membership(&mut self, left: &ast::Expr, items: &[ast::Expr]) -> Expr {
        if !matches!(&left.kind, ExprKind::Word(word) if is_field(word)) {
            let fault = Diagnostic::new("Q016", left.span, "`in` needs a field on its left")
                .label("not a field");
            self.lowering.faults.push(fault);
        }
        let tests = items
            .iter()
            .map(|item| self.compare(CompareOp::Equal, left, item, left.span.to(item.span)));
        let mut tests: Vec<Expr> = tests.collect();
        if tests.len() == 1 {
            tests.remove(0)
        } else {
            Expr::Or(tests)
        }
    }

    /// An expression that has a value.
    fn value(&mut self, expr: &ast::Expr) -> Expr {
        match &expr.kind {
            ExprKind::Word(word) => value_of_word(word),
            ExprKind::Function(call) => Expr::Field(self.function(call), expr.span),
            ExprKind::Negate(inner) => {
                let minus_one = Expr::Literal(Literal::new("-1"), expr.span);
                Expr::Arithmetic(
                    ArithmeticOp::Multiply,
                    Box::new(minus_one),
                    Box::new(self.value(inner)),
                )
            }
            ExprKind::Operation(operator, left, right) => {
                let Some(operator) = arithmetic(*operator) else {
                    self.lowering.not_calculated(expr.span);
                    return always();
                };
                let (left, right) = (self.value(left), self.value(right));
                Expr::Arithmetic(operator, Box::new(left), Box::new(right))
            }
            ExprKind::Constant(_)
            | ExprKind::Scalar(_)
            | ExprKind::Cast(..)
            | ExprKind::Case(_) => {
                self.lowering.not_calculated(expr.span);
                always()
            }
            ExprKind::Between(_)
            | ExprKind::Like(_)
            | ExprKind::Is(..)
            | ExprKind::Compare(..)
            | ExprKind::In(..)
            | ExprKind::Not(_)
            | ExprKind::And(_)
            | ExprKind::Or(_) => {
                let fault =
                    Diagnostic::new("Q016", expr.span, "a test stands where a value is needed")
                        .label("true or false");
                self.lowering.faults.push(fault);
                always()
            }
        }
    }

    /// The column of a function.
    pub(super) fn function(&mut self, call: &ast::Call) -> FieldPath {
        match &mut self.functions {
            Some((functions, input)) => self.lowering.having_function(call, *input, functions),
            None => {
                let message = format!(
                    "`{}(...)` cannot be called in this condition",
                    call.name.text
                );
                let fault = Diagnostic::new("Q036", call.name.span, message).label("function");
                self.lowering.faults.push(fault.help("aggregate functions can be tested behind them: `count() group by KEY having count > 10`"));
                FieldPath::new(&call.name.text)
            }
        }
    }

    fn no_test(&mut self, expr: &ast::Expr) -> Expr {
        let (message, help) = match &expr.kind {
            ExprKind::Word(word) => (
                format!("the constant `{}` is no test", word.text),
                "compare it with a field: `FIELD = CONSTANT`",
            ),
            _ => (
                "a calculation is no test".to_owned(),
                "compare it: `len - 14 > 100`",
            ),
        };
        self.lowering.faults.push(
            Diagnostic::new("Q014", expr.span, message)
                .label("neither true nor false")
                .help(help),
        );
        always()
    }
}

/// The operator of the plan.
fn arithmetic(operator: Operator) -> Option<ArithmeticOp> {
    match operator {
        Operator::Add => Some(ArithmeticOp::Add),
        Operator::Subtract => Some(ArithmeticOp::Subtract),
        Operator::Multiply => Some(ArithmeticOp::Multiply),
        Operator::Divide => Some(ArithmeticOp::Divide),
        Operator::IntegerDivide | Operator::Modulo | Operator::Concatenate => None,
    }
}

impl Lowering<'_> {
    /// The fault of an expression that can be read, and not calculated yet.
    pub(super) fn not_calculated(&mut self, span: Span) {
        let fault =
            Diagnostic::new("Q022", span, "this cannot be calculated yet").label("calculation");
        self.faults
            .push(fault.help("conditions can calculate: `where ipid * 2 > 100`"));
    }
}

/// The condition that always holds.
pub(super) fn always() -> Expr {
    Expr::And(Vec::new())
}

pub(super) fn is_always(expr: &Expr) -> bool {
    matches!(expr, Expr::And(parts) if parts.is_empty())
}

/// A word without quotes is a field, unless it reads as a number, an address, a date or the like.
fn is_field(word: &Word) -> bool {
    let text = word.text.as_str();
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let constant =
        word.quoted || unsigned.starts_with(|c: char| c.is_ascii_digit()) || text.contains(':');
    !constant && !Literal::new(text).is_number()
}

fn value_of_word(word: &Word) -> Expr {
    if is_field(word) {
        Expr::Field(FieldPath::new(&word.text), word.span)
    } else if word.quoted {
        Expr::Literal(Literal::quoted(&word.text), word.span)
    } else {
        Expr::Literal(Literal::new(&word.text), word.span)
    }
}

/// Whether an expression reads no field.
fn is_constant(expr: &Expr) -> bool {
    let mut constant = true;
    expr.for_each_field(&mut |_, _| constant = false);
    constant
}
