//! `expr`: a calculated column.

use super::stateless::column_name;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes, Word};
use wireq_engine::operator::compute;
use wireq_engine::plan::Calculation;
use wireq_engine::plan::expr::Expr;
use wireq_engine::{Build, Example, ExpressionModule, ExpressionText, Gives, Module, OperatorSpec};
use wireq_typesys::Kind;

pub(super) static MODULE: Module = Module {
    name: "expr",
    summary: "Attaches the value of an expression.",
    details: "Where the value cannot be had, because a field of it is absent or a number is divided by 0, the column is absent too. `[ EXPRESSION ] as NAME` among the arguments of another module says the same.",
    parameters: &[
        Parameter {
            name: "-f",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The name of the column; `expr` unless given.",
        },
        Parameter {
            name: "EXPRESSION",
            takes: Takes::Text,
            count: Count::Some,
            summary: "The expression, in quotes where it has signs that separate words.",
        },
    ],
    examples: &[
        Example {
            title: "bits instead of bytes",
            query: "expr -f bits 'len * 8' | print len bits",
            input: "five.pcap",
            output: "74\t592\n125\t1000\n60\t480\n54\t432\n76\t608\n",
        },
        Example {
            title: "the same, among the arguments of another module",
            query: "where srcport | print srcport [ len * 8 ] as bits",
            input: "five.pcap",
            output: "40001\t592\n40002\t1000\n40004\t432\n40005\t608\n",
        },
        Example {
            title: "a test as a value",
            query: "expr(-f large 'len > 70') | print len large",
            input: "five.pcap",
            output: "74\ttrue\n125\ttrue\n60\tfalse\n54\tfalse\n76\ttrue\n",
        },
    ],
    build: Build::Expressions(ExpressionModule {
        texts,
        tests: false,
        carries: None,
        build,
    }),
};

fn texts(arguments: &Arguments) -> Result<Vec<ExpressionText>, ArgumentError> {
    let words = arguments.words();
    let (Some(first), Some(last)) = (words.first(), words.last()) else {
        return Ok(Vec::new());
    };
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let word = Word {
        text: texts.join(" "),
        quoted: true,
        span: first.span.to(last.span),
    };
    Ok(vec![ExpressionText { word, place: None }])
}

fn build(
    arguments: &Arguments,
    expressions: Vec<(Expr, Kind)>,
) -> Result<OperatorSpec, ArgumentError> {
    let name = column_name("expr", arguments, "expr")?;
    let columns = expressions.iter().map(|(_, kind)| (name.clone(), *kind));
    let columns = columns.collect();
    let list = expressions.into_iter().map(|(expr, _)| Calculation {
        name: name.clone(),
        expr,
    });
    let list: Vec<Calculation> = list.collect();
    Ok(OperatorSpec {
        gives: Gives::Annotated(columns),
        ..compute(&list)
    })
}
