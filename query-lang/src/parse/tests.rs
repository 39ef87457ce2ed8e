use super::parse;
use crate::ast::{ArgumentValue, Expr, ExprKind, Pipeline, StageKind, Statement};
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
        ExprKind::Scalar(call) => format!("{}({})", call.name.text, list(&call.arguments, ", ")),
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

/// The streams of a join, in words, and the stages behind it.
fn join(text: &str) -> String {
    let pipeline = match pipeline(text) {
        Ok(pipeline) => pipeline,
        Err(fault) => return fault,
    };
    let StageKind::Join { inputs, condition } = &pipeline.stages[0].kind else {
        return "no join".to_owned();
    };
    let streams = inputs.iter().map(|input| {
        let source = match &input.source {
            Some(source) => format!("{} ", source.stages.len()),
            None => String::new(),
        };
        let until = match &input.until {
            Some(until) => format!(" until {}", show(until)),
            None => String::new(),
        };
        format!("{source}{}{until}", input.alias.text)
    });
    let streams = streams.collect::<Vec<_>>().join(", ");
    let condition = condition
        .as_ref()
        .map_or("always".to_owned(), |condition| show(condition));
    let behind = &pipeline.stages[1..];
    let groups = behind.iter().filter(|stage| stage.group.is_some()).count();
    format!(
        "{streams} where {condition}, {} behind, {groups} grouped",
        behind.len()
    )
}

#[test]
fn streams_are_joined() {
    for (text, expected) in [
        (
            "print a.ipid b.ipid from pcapfile(f) a, b where a.ipid!=b.ipid",
            "1 a, b where (a.ipid != b.ipid), 1 behind, 0 grouped",
        ),
        (
            "print a.6 from t(-d ' ' x) a until (b.6=a.6 and substr(b.7, \"to=\")), b UNTIL(new.b) where a.6=b.6",
            "1 a until ((b.6 = a.6) and substr[b.7 to=]), b until new.b where (a.6 = b.6), 1 behind, 0 grouped",
        ),
        (
            "print count() from uniq a.x from s(x) a, (t y | head 1) b, c, Packets d, Packets() e where a.x = b.x group by k | head 1",
            "1 a, 2 b, c, 1 d, 1 e where (a.x = b.x), 3 behind, 1 grouped",
        ),
        (
            "print a.x from Packets a, b where a.x = b.x",
            "1 a, b where (a.x = b.x), 1 behind, 0 grouped",
        ),
        (
            "Packets a, b where a.x = b.x | print a.x",
            "1 a, b where (a.x = b.x), 1 behind, 0 grouped",
        ),
        (
            "Packets a until(new.a), b",
            "1 a until new.a, b where always, 0 behind, 0 grouped",
        ),
        (
            "s(x) a, b | print a.x",
            "1 a, b where always, 1 behind, 0 grouped",
        ),
        (
            "(s(x) | head 2) a, b where a = b",
            "2 a, b where (a = b), 0 behind, 0 grouped",
        ),
        ("print x from (s(x) a, b where a = b) where c", "no join"),
        ("print x from pcapfile x, y where a = b", "no join"),
        ("print x from Packets a where a = b", "no join"),
        (
            "print x from s(x) a where a.x = 1",
            "Q052 `a` is the name of a single stream",
        ),
        ("print x from s(x) a, a", "Q052 two streams are called `a`"),
        (
            "print x from s(x), t(y) where a = b",
            "Q052 the streams of a join need names",
        ),
        (
            "print x from (s x), (t y)",
            "Q052 the streams of a join need names",
        ),
        (
            "print x from s(x) a, t(y) where a = b",
            "Q002 expected a name for the stream, found `where`",
        ),
        (
            "print x from s(x) a until, b",
            "Q002 expected `(`, found `,`",
        ),
        (
            "print x from s(x) a, b until (",
            "Q002 expected a field, a constant or `(`, found the end of the query",
        ),
        (
            "print x from s(x) a until (new.a b), b",
            "Q002 expected an operator or `)`, found `b`",
        ),
        (
            "s(x) print y",
            "Q002 expected `|` or the end of the query, found `print`",
        ),
        (
            "s(x) where b a, b",
            "Q002 expected an operator, `|` or the end of the query, found `a`",
        ),
    ] {
        assert_eq!(join(text), expected, "{text}");
    }
}
