//! What texts are read as.

mod expressions;
mod joins;
mod select;

use super::parse;
use crate::ast::{ArgumentValue, Expr, ExprKind, Pipeline, Statement};
use crate::lex::lex;
use crate::names::Names;
use crate::scan::scan;

struct Known;

impl Names for Known {
    fn is_function(&self, name: &str) -> bool {
        ["upper", "substring"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    }

    fn takes_words(&self, name: &str) -> bool {
        ["pcapfile", "mask", "Packets"].contains(&name)
    }

    fn is_stream(&self, name: &str) -> bool {
        name == "Packets"
    }
}

fn pipeline(text: &str) -> Result<Pipeline, String> {
    let (tokens, faults) = lex(text, &scan(text), &Known);
    assert!(faults.is_empty(), "{text}");
    match parse(&tokens, &Known) {
        Ok(Statement::Query(pipeline)) => Ok(pipeline),
        Ok(Statement::Definition(_)) => Err("a definition".to_owned()),
        Err(fault) => Err(format!("{} {}", fault.code, fault.message)),
    }
}

/// An expression with all its brackets.
fn show(expr: &Expr) -> String {
    let list = |parts: &[Expr], between: &str| {
        let parts: Vec<String> = parts.iter().map(show).collect();
        parts.join(between)
    };
    match &expr.kind {
        ExprKind::Word(word) if word.quoted => format!("'{}'", word.text),
        ExprKind::Word(word) => word.text.clone(),
        ExprKind::Field(word) => format!("<{}>", word.text),
        ExprKind::Constant(constant) => format!("{constant:?}"),
        ExprKind::Function(call) => {
            let words = call.arguments.iter().map(|argument| match &argument.value {
                ArgumentValue::Word(word) => word.text.clone(),
                ArgumentValue::Function(call) => format!("{}()", call.name.text),
                ArgumentValue::Expression(expr) => show(expr),
            });
            let words: Vec<String> = words.collect();
            format!("{}[{}]", call.name.text, words.join(" "))
        }
        ExprKind::Scalar(call) => {
            let distinct = if call.distinct { "distinct " } else { "" };
            format!(
                "{}({distinct}{})",
                call.name.text,
                list(&call.arguments, ", ")
            )
        }
        ExprKind::Negate(inner) => format!("(- {})", show(inner)),
        ExprKind::Operation(operator, left, right) => {
            format!("({} {operator:?} {})", show(left), show(right))
        }
        ExprKind::Cast(inner, to) => {
            let parameters = to.parameters.iter().map(|word| word.text.as_str());
            let parameters: Vec<&str> = parameters.collect();
            format!("{}::{}{parameters:?}", show(inner), to.name.text)
        }
        ExprKind::Case(case) => {
            let mut text = String::from("case");
            if let Some(operand) = &case.operand {
                text += &format!(" {}", show(operand));
            }
            for (condition, value) in &case.branches {
                text += &format!(" when {} then {}", show(condition), show(value));
            }
            if let Some(otherwise) = &case.otherwise {
                text += &format!(" else {}", show(otherwise));
            }
            text + " end"
        }
        ExprKind::Compare(operator, left, right) => {
            format!("({} {} {})", show(left), operator.symbol(), show(right))
        }
        ExprKind::In(left, items) => format!("({} in {})", show(left), list(items, ", ")),
        ExprKind::Between(parts) => {
            let [value, low, high] = &**parts;
            format!("({} between {} & {})", show(value), show(low), show(high))
        }
        ExprKind::Like(like) => {
            let any_case = if like.any_case { "ilike" } else { "like" };
            format!("({} {any_case} {})", show(&like.text), show(&like.pattern))
        }
        ExprKind::Is(inner, constant) => format!("({} is {constant:?})", show(inner)),
        ExprKind::Not(inner) => format!("(not {})", show(inner)),
        ExprKind::And(parts) => format!("({})", list(parts, " and ")),
        ExprKind::Or(parts) => format!("({})", list(parts, " or ")),
    }
}
