use super::{pipeline, show};
use crate::ast::{ArgumentValue, StageKind};

/// What stands behind `where`.
fn condition(text: &str) -> String {
    match pipeline(&format!("pcapfile x | where {text}")) {
        Ok(pipeline) => match &pipeline.stages[1].kind {
            StageKind::Where(expr) => show(expr),
            other => panic!("{other:?}"),
        },
        Err(fault) => fault,
    }
}

#[test]
fn operators_bind_as_in_postgresql() {
    for (text, expected) in [
        ("a = 1 or b and not c", "((a = 1) or (b and (not c)))"),
        ("not a is null", "(not (a is Null))"),
        ("a = b is null", "((a = b) is Null)"),
        (
            "a is not null and b is true",
            "((not (a is Null)) and (b is True))",
        ),
        ("a = TRUE or b = False", "((a = True) or (b = False))"),
        (
            "a+1 between b and c*2 and d",
            "(((a Add 1) between b & (c Multiply 2)) and d)",
        ),
        (
            "a not between 1 and 2 or b",
            "((not (a between 1 & 2)) or b)",
        ),
        ("a between 1 and 2 = b", "((a between 1 & 2) = b)"),
        ("a = b like 'x%'", "(a = (b like 'x%'))"),
        (
            "a not ilike 'x' and b like c",
            "((not (a ilike 'x')) and (b like c))",
        ),
        ("a + 1 in (b, c - 1)", "((a Add 1) in b, (c Subtract 1))"),
        ("(a = 1) = (b = 2)", "((a = 1) = (b = 2))"),
        ("-a * b + c", "(((- a) Multiply b) Add c)"),
        ("- - a - -1 - +b", "(((- (- a)) Subtract -1) Subtract b)"),
        (
            "a // b / c - d",
            "(((a IntegerDivide b) Divide c) Subtract d)",
        ),
        ("-a::int = 1", "((- a::int[]) = 1)"),
        (
            "a::varchar::decimal(18, 3) = b",
            "(a::varchar[]::decimal[\"18\", \"3\"] = b)",
        ),
        (
            "'1'::int + (a+b) :: double > 1",
            "(('1'::int[] Add (a Add b)::double[]) > 1)",
        ),
        (
            "ip=fd00::1 or ip=::1 or ip=fd00::beef/16",
            "((ip = fd00::1) or (ip = ::1) or (ip = fd00::beef/16))",
        ),
        ("cast(a+1 as int)+1 = 2", "(((a Add 1)::int[] Add 1) = 2)"),
        ("upper(a || b, 'x' = b)", "upper((a or b), ('x' = b))"),
        (
            "UPPER(a+1)/substring(upper('x'),1)",
            "(UPPER((a Add 1)) Divide substring(upper('x'), 1))",
        ),
        (
            "sum(a-b, 10.0.0.0/8) > upper(a-b)",
            "(sum[a-b 10.0.0.0/8] > upper((a Subtract b)))",
        ),
        ("sum(upper(a-b)) > 1", "(sum[upper((a Subtract b))] > 1)"),
        (
            "case when a > 1 and b then 'x' when (c) then d else e end = 'x'",
            "(case when ((a > 1) and b) then 'x' when c then d else e end = 'x')",
        ),
        (
            "CASE (a+1) WHEN 1 THEN (b) END",
            "case (a Add 1) when 1 then b end",
        ),
        (
            "case case when a then b end when c then d end = 1",
            "(case case when a then b end when c then d end = 1)",
        ),
        (
            "case = 1 and end > 2 and between in (1)",
            "((case = 1) and (end > 2) and (between in 1))",
        ),
        (
            "is is null and like like 'x' and case is null",
            "((is is Null) and (like like 'x') and (case is Null))",
        ),
        ("a like ('x' + b)", "(a like ('x' Add b))"),
        ("a between (1) and (2)", "(a between 1 & 2)"),
        (
            "a is 5",
            "Q002 expected `null`, `true`, `false` or `not`, found `5`",
        ),
        (
            "a is not",
            "Q002 expected `null`, `true` or `false`, found the end of the query",
        ),
        (
            "a between 1 or 2",
            "Q002 expected `and` and the upper bound, found `or`",
        ),
        (
            "a between 1",
            "Q002 expected `and` and the upper bound, found the end of the query",
        ),
        (
            "a like",
            "Q002 expected a field, a constant or `(`, found the end of the query",
        ),
        (
            "a not b",
            "Q002 expected `in`, `between` or `like`, found `b`",
        ),
        (
            "case when a then b",
            "Q002 expected an operator, `when`, `else` or `end`, found the end of the query",
        ),
        (
            "case when a end",
            "Q002 expected an operator or `then`, found `end`",
        ),
        (
            "case a then b",
            "Q002 expected an operator or `when`, found `then`",
        ),
        (
            "cast(a)",
            "Q002 expected an operator or `as` and a type, found `)`",
        ),
        ("cast(a as int b)", "Q002 expected `)`, found `b`"),
        (
            "upper(a b)",
            "Q002 expected `,`, an operator or `)`, found `b`",
        ),
        (
            "upper(a, )",
            "Q002 expected a field, a constant or `(`, found `)`",
        ),
        (
            "a = not b",
            "Q002 expected a field, a constant or `(`, found `not`",
        ),
        ("a < b < c", "Q002 comparisons cannot be chained"),
    ] {
        assert_eq!(condition(text), expected, "{text}");
    }
}

/// The arguments of the last stage.
fn arguments(text: &str) -> String {
    let pipeline = match pipeline(text) {
        Ok(pipeline) => pipeline,
        Err(fault) => return fault,
    };
    let Some(StageKind::Call(call)) = pipeline.stages.last().map(|stage| &stage.kind) else {
        panic!("{text}")
    };
    let arguments = call.arguments.iter().map(|argument| {
        let value = match &argument.value {
            ArgumentValue::Word(word) => word.text.clone(),
            ArgumentValue::Function(call) => {
                format!("{}[{}]", call.name.text, call.arguments.len())
            }
            ArgumentValue::Expression(expr) => show(expr),
        };
        match &argument.alias {
            Some(alias) => format!("{value} as {}", alias.text),
            None => value,
        }
    });
    arguments.collect::<Vec<_>>().join("; ")
}

#[test]
fn columns_are_calculated_among_arguments() {
    for (text, expected) in [
        ("x | print [ a + 1 ] as n, [a", "(a Add 1) as n; [a"),
        (
            "x | print -v, [ a.b * 10 ] [ (a-b)*-1 ]",
            "-v; (a.b Multiply 10); ((a Subtract b) Multiply -1)",
        ),
        (
            "x | print [ a+b] as c, 10.0.0.0/8 a-b",
            "(a Add b) as c; 10.0.0.0/8; a-b",
        ),
        ("x | print [ a || b ] [ not a ]", "(a or b); (not a)"),
        (
            "x | print upper(a-b) as c, upper('x') sum(a-b)",
            "upper((a Subtract b)) as c; upper('x') as upper; sum[1]",
        ),
        ("x | print [ upper(a-b) ] a", "upper((a Subtract b)); a"),
        ("x | print [ sum(a-b) > 1 ]", "(sum[a-b] > 1)"),
        ("x | upper(a-b)", "a-b"),
        (
            "x | print expr(-f name 'a + b') expr(a - b)",
            "expr[3]; expr[3]",
        ),
        ("x | print a[0] b]", "a[0]; b]"),
        ("x | print [ a + 1", "Q004 this bracket is not closed"),
        (
            "x | print [ a 1 ]",
            "Q002 expected an operator or `]`, found `1`",
        ),
        (
            "x | print [ ] a",
            "Q002 expected a field, a constant or `(`, found `]`",
        ),
        (
            "x | print [ (a ] )",
            "Q002 expected an operator or `)`, found `]`",
        ),
    ] {
        assert_eq!(arguments(text), expected, "{text}");
    }
}
