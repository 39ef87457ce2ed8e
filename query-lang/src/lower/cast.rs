//! Casts: the names of types, and the functions that convert to them.

use super::expression::{Condition, always};
use crate::ast;
use wireq_engine::plan::expr::Expr;
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::Literal;

/// Types that values can be converted to: the function that does it, and the names of the type, of
/// which the first is told.
const TYPES: [(&str, &str); 11] = [
    (
        "to_int",
        "integer int bigint smallint tinyint hugeint int1 int2 int4 int8 int16 int32 int64 int128 \
         long short signed unsigned ubigint uinteger usmallint utinyint uhugeint uint8 uint16 \
         uint32 uint64 uint128",
    ),
    (
        "to_double",
        "double float real float4 float8 numeric decimal",
    ),
    ("to_text", "varchar text string char bpchar"),
    ("to_bool", "boolean bool logical"),
    ("to_time", "timestamp timestamptz time datetime"),
    (DATE, "date"),
    ("to_duration", "interval duration"),
    ("to_address", "inet address ip"),
    ("to_prefix", "cidr prefix"),
    ("to_mac", "macaddr mac"),
    ("to_bytes", "blob bytea bytes binary varbinary"),
];

/// Stands for two functions: a date is the time at which the day begins.
const DATE: &str = "date";

impl Condition<'_, '_, '_> {
    pub(super) fn cast(&mut self, inner: &ast::Expr, to: &ast::TypeName, span: Span) -> Expr {
        let value = self.value(inner);
        match function(&to.name.text) {
            Some(DATE) => {
                let time = self.call_named("to_time", vec![value], span);
                let day = Expr::Literal(Literal::quoted("day"), span);
                self.call_named("date_trunc", vec![day, time], span)
            }
            Some(name) => self.call_named(name, vec![value], span),
            None => {
                let message = format!("there is no type `{}`", to.name.text);
                let fault = Diagnostic::new("Q019", to.name.span, message).label("unknown type");
                let names = TYPES
                    .iter()
                    .filter_map(|(_, names)| names.split(' ').next());
                let help = format!("types are: {}", names.collect::<Vec<_>>().join(", "));
                self.lowering.faults.push(fault.help(help));
                always()
            }
        }
    }
}

/// The function that converts to a type.
fn function(name: &str) -> Option<&'static str> {
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    let mut types = TYPES.iter();
    let found = types.find(|(_, names)| names.split_whitespace().any(is));
    found.map(|(function, _)| *function)
}
