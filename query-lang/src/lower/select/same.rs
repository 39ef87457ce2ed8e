//! Which expressions are the same: what `group by` and `order by` repeat.

use crate::ast::{ArgumentValue, Call, Expr, ExprKind};
use std::fmt::Write;
use wireq_typesys::FieldPath;

/// What an expression is, as text: the same for expressions that are the same wherever they stand.
/// `path` says what a name stands for.
pub(super) fn key_of(expr: &Expr, path: &dyn Fn(&str) -> FieldPath) -> String {
    let mut key = String::new();
    write_key(expr, path, &mut key);
    key
}

fn write_key(expr: &Expr, path: &dyn Fn(&str) -> FieldPath, out: &mut String) {
    // Writing into a string does not fail.
    let _ = match &expr.kind {
        ExprKind::Word(word) if word.quoted => write!(out, "{:?}", word.text),
        ExprKind::Word(word) | ExprKind::Field(word) => write!(out, "{}", path(&word.text)),
        ExprKind::Constant(constant) => write!(out, "{constant:?}"),
        ExprKind::Function(call) => write_call(call, out),
        ExprKind::Scalar(call) => {
            let name = call.name.text.to_ascii_lowercase();
            write!(out, "{name}!{}", call.distinct)
        }
        ExprKind::Negate(_) => write!(out, "-"),
        ExprKind::Operation(operator, ..) => write!(out, "{operator:?}"),
        ExprKind::Cast(_, to) => {
            let parameters = to.parameters.iter().map(|word| word.text.as_str());
            let parameters: Vec<&str> = parameters.collect();
            write!(out, "::{}{parameters:?}", to.name.text.to_ascii_lowercase())
        }
        ExprKind::Case(case) => {
            let has = (case.operand.is_some(), case.otherwise.is_some());
            write!(out, "case{has:?}")
        }
        ExprKind::Compare(operator, ..) => write!(out, "{}", operator.symbol()),
        ExprKind::In(..) => write!(out, "in"),
        ExprKind::Between(_) => write!(out, "between"),
        ExprKind::Like(like) => write!(out, "like{}", like.any_case),
        ExprKind::Is(_, constant) => write!(out, "is{constant:?}"),
        ExprKind::Not(_) => write!(out, "not"),
        ExprKind::And(_) => write!(out, "and"),
        ExprKind::Or(_) => write!(out, "or"),
    };
    out.push('(');
    expr.kind.for_each_part(&mut |part| {
        write_key(part, path, out);
        out.push(',');
    });
    out.push(')');
}

fn write_call(call: &Call, out: &mut String) -> std::fmt::Result {
    write!(out, "{}[", call.name.text)?;
    for argument in &call.arguments {
        match &argument.value {
            ArgumentValue::Word(word) => write!(out, "{:?} ", word.text)?,
            ArgumentValue::Function(call) => write_call(call, out)?,
            ArgumentValue::Expression(expr) => write!(out, "{:?}", expr.span)?,
        }
    }
    write!(out, "]")
}
