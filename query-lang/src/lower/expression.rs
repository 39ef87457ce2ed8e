//! Expressions of the AST -> expressions of the plan.

use super::Lowering;
use super::functions::Functions;
use crate::ast;
use crate::ast::{ArgumentValue, Constant, ExprKind, Operator};
use wireq_engine::arguments::Word;
use wireq_engine::diagnostic::suggest;
use wireq_engine::module::Build;
use wireq_engine::plan::NodeId;
use wireq_engine::plan::expr::{ArithmeticOp, Expr};
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::{CompareOp, FieldPath, Literal};

/// Lowers one expression.
pub(super) struct Condition<'l, 'a, 'f> {
    pub lowering: &'l mut Lowering<'a>,
    /// Where functions go, and what they work on; none where there can be no functions.
    pub functions: Option<(&'f mut Functions, NodeId)>,
    /// Whether what is unknown stays unknown, as in SQL. Elsewhere a test means known and true.
    pub three_valued: bool,
}

impl Condition<'_, '_, '_> {
    /// An expression that is true or not.
    pub(super) fn test(&mut self, expr: &ast::Expr) -> Expr {
        match &expr.kind {
            ExprKind::Word(word) if is_field(word) && !self.three_valued => {
                let path = self.lowering.path(&word.text);
                Expr::Holds(Box::new(Expr::Exists(path, word.span)))
            }
            ExprKind::Function(call) => self.function_test(call),
            ExprKind::Word(_) | ExprKind::Negate(_) | ExprKind::Operation(..)
                if !self.three_valued =>
            {
                self.no_test(expr)
            }
            ExprKind::Constant(Constant::Null) => self.hold(Expr::Absent(expr.span)),
            ExprKind::Constant(constant) => Expr::Bool(*constant == Constant::True, expr.span),
            ExprKind::Word(_)
            | ExprKind::Field(_)
            | ExprKind::Negate(_)
            | ExprKind::Operation(..)
            | ExprKind::Scalar(_)
            | ExprKind::Cast(..)
            | ExprKind::Case(_) => {
                let value = self.value(expr);
                self.hold(Expr::Truth(Box::new(value)))
            }
            ExprKind::Between(parts) => {
                let [value, low, high] = &**parts;
                let above = self.compare(CompareOp::GreaterOrEqual, value, low, expr.span);
                let below = self.compare(CompareOp::LessOrEqual, value, high, expr.span);
                Condition::conjunction(vec![above, below])
            }
            ExprKind::Like(like) => {
                let name = if like.any_case { "ilike" } else { "like" };
                let arguments = vec![self.value(&like.text), self.value(&like.pattern)];
                let call = self.call_named(name, arguments, expr.span);
                self.hold(Expr::Truth(Box::new(call)))
            }
            ExprKind::Is(inner, constant) => {
                let value = Box::new(self.value(inner));
                match constant {
                    Constant::Null => Expr::IsAbsent(value),
                    Constant::True => Expr::Holds(Box::new(Expr::Truth(value))),
                    Constant::False => {
                        Expr::Holds(Box::new(Expr::Not(Box::new(Expr::Truth(value)))))
                    }
                }
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

    /// A test as it is meant: known and true, but in SQL.
    fn hold(&self, test: Expr) -> Expr {
        if self.three_valued {
            test
        } else {
            Expr::Holds(Box::new(test))
        }
    }

    /// A call of a scalar function.
    fn scalar(&mut self, call: &ast::ScalarCall) -> Expr {
        let arguments: Vec<Expr> = call.arguments.iter().map(|a| self.value(a)).collect();
        let Some(function) = self.lowering.registry.function(&call.name.text) else {
            self.lowering.unknown_function(&call.name);
            return always();
        };
        let (least, most) = function.arity();
        if arguments.len() < least || arguments.len() > most {
            let message = format!(
                "`{}` does not take {} values",
                function.name,
                arguments.len()
            );
            let fault = Diagnostic::new("Q018", call.span, message);
            let help = format!("it is called as `{}`", function.signature());
            self.lowering.faults.push(fault.help(help));
            return always();
        }
        Expr::Call(function, arguments, call.span)
    }

    /// A scalar function that has the name of a module, whose arguments are words: where a value is
    /// needed, the function is meant.
    fn function_of_words(&mut self, call: &ast::Call) -> Option<Expr> {
        let name = call.name.text.as_str();
        let module = self.lowering.registry.module(name);
        let aggregate = module.is_some_and(|module| matches!(module.build, Build::Aggregate(_)));
        // `count(LIST)` where nothing is aggregated is the function.
        if aggregate && (self.functions.is_some() || call.arguments.is_empty())
            || self.lowering.definition(call).is_some()
        {
            return None;
        }
        self.lowering.registry.function(name)?;
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            let (kind, span) = match &argument.value {
                ArgumentValue::Word(word) => (ExprKind::Word(word.clone()), word.span),
                ArgumentValue::Function(inner) => (ExprKind::Function(inner.clone()), inner.span),
                ArgumentValue::Expression(inner) => (inner.kind.clone(), inner.span),
            };
            arguments.push(*ast::Expr::boxed(kind, span));
        }
        Some(self.scalar(&ast::ScalarCall {
            name: call.name.clone(),
            arguments,
            distinct: false,
            span: call.span,
        }))
    }

    /// A call of a function that an operator of the language stands for.
    pub(super) fn call_named(&mut self, name: &str, arguments: Vec<Expr>, span: Span) -> Expr {
        match self.lowering.registry.function(name) {
            Some(function) => Expr::Call(function, arguments, span),
            None => {
                let message = format!("there is no function `{name}`");
                self.lowering
                    .faults
                    .push(Diagnostic::new("Q018", span, message));
                always()
            }
        }
    }

    fn case(&mut self, case: &ast::Case) -> Expr {
        let mut arms = Vec::with_capacity(case.branches.len());
        for (condition, value) in &case.branches {
            let test = match &case.operand {
                Some(operand) => self.compare(CompareOp::Equal, operand, condition, condition.span),
                None => self.test(condition),
            };
            arms.push((test, self.value(value)));
        }
        let otherwise = case.otherwise.as_ref();
        let otherwise = otherwise.map(|expr| Box::new(self.value(expr)));
        Expr::Case(arms, otherwise)
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
        if !self.three_valued && is_constant(&left) && is_constant(&right) {
            let fault = Diagnostic::new("Q015", span, "both sides are constants")
                .label("compares no field");
            self.lowering
                .faults
                .push(fault.help("write the name of a field, without quotes, on one side"));
            return always();
        }
        self.hold(self.of_all(operator, left, right, span))
    }

    /// A comparison. A list is compared by any of its values: `all(LIST)` by all of them, which is
    /// that the opposite holds for none.
    fn of_all(&self, operator: CompareOp, left: Expr, right: Expr, span: Span) -> Expr {
        let (left, right, operator) = match (list_of_all(left), list_of_all(right)) {
            (Err(left), Err(right)) => {
                return Expr::Compare(operator, Box::new(left), Box::new(right));
            }
            (Ok(left), Ok(right) | Err(right)) => (left, right, operator),
            (Err(left), Ok(right)) => (right, left, operator.mirrored()),
        };
        let opposite = match operator {
            CompareOp::Equal => match self.lowering.registry.function("all_equal") {
                Some(function) => {
                    let call = Expr::Call(function, vec![left, right], span);
                    return Expr::Truth(Box::new(call));
                }
                None => CompareOp::NotEqual,
            },
            CompareOp::NotEqual => CompareOp::Equal,
            CompareOp::Less => CompareOp::GreaterOrEqual,
            CompareOp::LessOrEqual => CompareOp::Greater,
            CompareOp::Greater => CompareOp::LessOrEqual,
            CompareOp::GreaterOrEqual => CompareOp::Less,
        };
        let opposite = Expr::Compare(opposite, Box::new(left), Box::new(right));
        Expr::Not(Box::new(opposite))
    }

    /// Whether a value is equal to one of several others.
    fn membership(&mut self, left: &ast::Expr, items: &[ast::Expr]) -> Expr {
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
    pub(super) fn value(&mut self, expr: &ast::Expr) -> Expr {
        match &expr.kind {
            ExprKind::Word(word) => self.value_of_word(word),
            ExprKind::Field(word) => Expr::Field(self.lowering.path(&word.text), word.span),
            ExprKind::Constant(Constant::Null) => Expr::Absent(expr.span),
            ExprKind::Constant(constant) => Expr::Bool(*constant == Constant::True, expr.span),
            ExprKind::Function(call) if self.three_valued => self.function_test(call),
            ExprKind::Function(call) => match self.function_of_words(call) {
                Some(function) => function,
                // Whether a filter passes an object is a value too.
                None if self.lowering.is_filter(call) => self.function_test(call),
                None => Expr::Field(self.function(call), expr.span),
            },
            ExprKind::Scalar(call) => self.scalar(call),
            ExprKind::Case(case) => self.case(case),
            ExprKind::Cast(inner, to) => self.cast(inner, to, expr.span),
            ExprKind::Negate(inner) => {
                let minus_one = Expr::Literal(Literal::new("-1"), expr.span);
                Expr::Arithmetic(
                    ArithmeticOp::Multiply,
                    Box::new(minus_one),
                    Box::new(self.value(inner)),
                )
            }
            ExprKind::Operation(operator, left, right) => {
                let (left, right) = (self.value(left), self.value(right));
                match arithmetic(*operator) {
                    Some(operator) => Expr::Arithmetic(operator, Box::new(left), Box::new(right)),
                    None => self.call_named("concat_strict", vec![left, right], expr.span),
                }
            }
            ExprKind::Between(_)
            | ExprKind::Like(_)
            | ExprKind::Is(..)
            | ExprKind::Compare(..)
            | ExprKind::In(..)
            | ExprKind::Not(_)
            | ExprKind::And(_)
            | ExprKind::Or(_) => self.test(expr),
        }
    }

    fn value_of_word(&mut self, word: &Word) -> Expr {
        if is_field(word) {
            Expr::Field(self.lowering.path(&word.text), word.span)
        } else if word.quoted {
            Expr::Literal(Literal::quoted(&word.text), word.span)
        } else {
            Expr::Literal(Literal::new(&word.text), word.span)
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

/// The list in `all(LIST)`; the expression itself where it is another one.
fn list_of_all(expr: Expr) -> Result<Expr, Expr> {
    match expr {
        Expr::Call(function, mut arguments, _)
            if function.name == "all" && arguments.len() == 1 =>
        {
            Ok(arguments.remove(0))
        }
        expr => Err(expr),
    }
}

/// The operator of the plan; none where a function stands for it.
fn arithmetic(operator: Operator) -> Option<ArithmeticOp> {
    match operator {
        Operator::Add => Some(ArithmeticOp::Add),
        Operator::Subtract => Some(ArithmeticOp::Subtract),
        Operator::Multiply => Some(ArithmeticOp::Multiply),
        Operator::Divide => Some(ArithmeticOp::Divide),
        Operator::IntegerDivide => Some(ArithmeticOp::DivideWhole),
        Operator::Modulo => Some(ArithmeticOp::Modulo),
        Operator::Concatenate => None,
    }
}

impl Lowering<'_> {
    /// Whether a call is that of a module that takes objects, or of a definition of conditions.
    fn is_filter(&self, call: &ast::Call) -> bool {
        let module = self.registry.module(&call.name.text);
        let operator = module.is_some_and(|module| matches!(module.build, Build::Operator(_)));
        match self.definition(call) {
            Some(known) => !known.has_functions && !known.brings_objects,
            None => operator,
        }
    }

    fn unknown_function(&mut self, name: &Word) {
        let functions = self
            .registry
            .functions()
            .iter()
            .map(|function| function.name);
        let help = match suggest(&name.text, functions) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`wireq functions` lists the functions".to_owned(),
        };
        let message = format!("there is no function `{}`", name.text);
        let fault = Diagnostic::new("Q018", name.span, message).label("unknown function");
        self.faults.push(fault.help(help));
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
pub(super) fn is_field(word: &Word) -> bool {
    let text = word.text.as_str();
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let constant =
        word.quoted || unsigned.starts_with(|c: char| c.is_ascii_digit()) || text.contains(':');
    !constant && !Literal::reads_as_number(text)
}

/// Whether an expression reads no field.
fn is_constant(expr: &Expr) -> bool {
    let mut constant = true;
    expr.for_each_field(&mut |_, _| constant = false);
    constant
}
