//! Fake modules and record types: nothing here runs.

use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{Arguments, Count, Parameter, Takes};
use wireq_engine::function::{FunctionParameter, Times};
use wireq_engine::module::{
    AggregateSpec, Build, Gives, Module, OperatorSpec, SourceSpec, StateClass,
};
use wireq_engine::{RecordType, ScalarFunction};
use wireq_typesys::{Bitmap, Column, FieldDef, FieldPath, Kind, Names};

static PROTOCOLS: Names = Names {
    name: "ip-protocol",
    entries: &[(1, "icmp"), (6, "tcp"), (17, "udp")],
};

const fn field(name: &'static str, aliases: &'static [&'static str], kind: Kind) -> FieldDef {
    FieldDef {
        name,
        aliases,
        kind,
        summary: "",
        source: "",
    }
}

struct Packet;

impl RecordType for Packet {
    fn name(&self) -> &'static str {
        "packet"
    }

    fn summary(&self) -> &'static str {
        "A packet."
    }

    fn fields(&self) -> &'static [FieldDef] {
        static FIELDS: [FieldDef; 9] = [
            field("ts", &[], Kind::Time),
            field("len", &["frame.len"], Kind::Unsigned),
            field("srcip", &["ip.src"], Kind::Address),
            field("dstip", &["ip.dst"], Kind::Address),
            field("srcport", &[], Kind::Unsigned),
            field("dstport", &[], Kind::Unsigned),
            field("ipprotocol", &[], Kind::Named(&PROTOCOLS)),
            field("srcmac", &[], Kind::Mac),
            field("payload", &[], Kind::Bytes),
        ];
        &FIELDS
    }

    fn summary_fields(&self) -> &'static [&'static str] {
        &["ts", "srcip", "dstip"]
    }

    fn fill(&self, _: &(dyn Any + Send + Sync), _: usize, _: &Bitmap, _: &mut Column) {}
}

struct Log;

impl RecordType for Log {
    fn name(&self) -> &'static str {
        "log"
    }

    fn summary(&self) -> &'static str {
        "A line of a log."
    }

    fn fields(&self) -> &'static [FieldDef] {
        &[]
    }

    fn open(&self) -> bool {
        true
    }

    fn summary_fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn fill(&self, _: &(dyn Any + Send + Sync), _: usize, _: &Bitmap, _: &mut Column) {}
}

fn source(record_type: Arc<dyn RecordType>) -> SourceSpec {
    SourceSpec {
        record_type,
        time_ordered: false,
        live: None,
        prefilter: None,
        open: Arc::new(|| unreachable!("nothing runs")),
    }
}

fn operator(arguments: &Arguments) -> OperatorSpec {
    OperatorSpec::stateless(arguments.fields(), |_| unreachable!("nothing runs"))
}

fn aggregate(
    field: Option<FieldPath>,
    kind: fn(Kind) -> Result<Kind, &'static str>,
) -> AggregateSpec {
    AggregateSpec {
        field,
        kind,
        class: StateClass::Commutative,
        any_order: |_| false,
        make: Arc::new(|| unreachable!("nothing runs")),
    }
}

const fn parameter(name: &'static str, takes: Takes, count: Count) -> Parameter {
    Parameter {
        name,
        takes,
        count,
        summary: "What it says.",
    }
}

const FIELDS: Parameter = parameter("FIELD", Takes::Field, Count::Some);
const FIELD: Parameter = parameter("FIELD", Takes::Field, Count::One);
const FILES: Parameter = parameter("FILE", Takes::File, Count::Some);

const fn module(name: &'static str, parameters: &'static [Parameter], build: Build) -> Module {
    Module {
        name,
        summary: "",
        details: "",
        parameters,
        examples: &[],
        build,
    }
}

pub static MODULES: [Module; 17] = [
    module(
        "pcapfile",
        &[FILES],
        Build::Source(|_| Ok(source(Arc::new(Packet)))),
    ),
    module(
        "jsonfile",
        &[FILES],
        Build::Source(|_| Ok(source(Arc::new(Log)))),
    ),
    module(
        "print",
        PRINT,
        Build::Operator(|arguments| {
            Ok(OperatorSpec {
                side_effect: true,
                ..operator(arguments)
            })
        }),
    ),
    module(
        "uniq",
        &[FIELDS],
        Build::Operator(|arguments| {
            Ok(OperatorSpec {
                class: StateClass::Ordered,
                ..operator(arguments)
            })
        }),
    ),
    module(
        "mask",
        &[
            parameter("FIELD", Takes::Text, Count::One),
            parameter("BLOCK", Takes::Text, Count::One),
        ],
        Build::Operator(|arguments| {
            let fields = arguments.fields().into_iter().take(1).collect();
            Ok(OperatorSpec::stateless(fields, |_| {
                unreachable!("nothing runs")
            }))
        }),
    ),
    module(
        "top",
        &[
            parameter("-n", Takes::Number, Count::Optional),
            parameter("FIELD", Takes::Text, Count::Some),
        ],
        Build::Operator(|arguments| {
            Ok(OperatorSpec {
                class: StateClass::Ordered,
                ..operator(arguments)
            })
        }),
    ),
    module(
        "rename",
        &[parameter("NAMES", Takes::Text, Count::Some)],
        Build::Operator(|arguments| {
            let words = arguments.words();
            let names = words.iter().skip(1).step_by(2);
            let names = names.map(|name| (FieldPath::new(&name.text), Kind::Dynamic));
            let gives = Gives::Annotated(names.collect());
            let fields = arguments.fields().into_iter().step_by(2).collect();
            let spec = OperatorSpec::stateless(fields, |_| unreachable!("nothing runs"));
            Ok(OperatorSpec { gives, ..spec })
        }),
    ),
    module(
        "project",
        &[FIELDS],
        Build::Operator(|arguments| {
            Ok(OperatorSpec {
                gives: Gives::Projected,
                ..operator(arguments)
            })
        }),
    ),
    module(
        "head",
        &[parameter("N", Takes::Number, Count::One)],
        Build::Operator(|_| {
            Ok(OperatorSpec::stateless(Vec::new(), |_| {
                unreachable!("nothing runs")
            }))
        }),
    ),
    module(
        "skip",
        &[parameter("N", Takes::Number, Count::One)],
        Build::Operator(|_| {
            Ok(OperatorSpec::stateless(Vec::new(), |_| {
                unreachable!("nothing runs")
            }))
        }),
    ),
    module(
        "sort",
        &[
            parameter("--order", Takes::Text, Count::Optional),
            parameter("FIELD", Takes::Field, Count::Some),
        ],
        Build::Operator(|arguments| {
            Ok(OperatorSpec {
                class: StateClass::Ordered,
                gives: Gives::Retained(Vec::new()),
                ..operator(arguments)
            })
        }),
    ),
    module(
        "entropy",
        &[FIELD],
        Build::Operator(|arguments| {
            Ok(OperatorSpec {
                gives: Gives::Annotated(vec![("entropy".into(), Kind::Double)]),
                ..operator(arguments)
            })
        }),
    ),
    module(
        "count",
        &[parameter("FIELD", Takes::Field, Count::Optional)],
        Build::Aggregate(|arguments| {
            Ok(aggregate(arguments.fields().pop(), |_| Ok(Kind::Unsigned)))
        }),
    ),
    module(
        "distinct",
        &[FIELD],
        Build::Aggregate(|arguments| {
            Ok(aggregate(arguments.fields().pop(), |_| Ok(Kind::Unsigned)))
        }),
    ),
    module(
        "sum",
        &[FIELD],
        Build::Aggregate(|arguments| Ok(aggregate(arguments.fields().pop(), sum_kind))),
    ),
    module(
        "min",
        &[FIELD],
        Build::Aggregate(|arguments| Ok(aggregate(arguments.fields().pop(), Ok))),
    ),
    module(
        "max",
        &[FIELD],
        Build::Aggregate(|arguments| Ok(aggregate(arguments.fields().pop(), Ok))),
    ),
];

const fn function(name: &'static str, parameters: &'static [FunctionParameter]) -> ScalarFunction {
    ScalarFunction {
        name,
        summary: "",
        parameters,
        strict: true,
        kind: |_| Ok(Kind::Dynamic),
        call: |_, _| unreachable!("nothing runs"),
        examples: &[],
    }
}

const fn value(name: &'static str, kind: Kind) -> FunctionParameter {
    FunctionParameter {
        name,
        kind,
        times: Times::One,
        summary: "What it says.",
        demand: None,
    }
}

pub static FUNCTIONS: [ScalarFunction; 6] = [
    function("upper", &[value("TEXT", Kind::Text)]),
    function(
        "like",
        &[value("TEXT", Kind::Text), value("PATTERN", Kind::Text)],
    ),
    function(
        "concat_strict",
        &[value("VALUE", Kind::Dynamic), value("VALUE", Kind::Dynamic)],
    ),
    function("to_int", &[value("VALUE", Kind::Dynamic)]),
    function("to_text", &[value("VALUE", Kind::Dynamic)]),
    function("to_time", &[value("VALUE", Kind::Dynamic)]),
];

const PRINT: &[Parameter] = &[
    parameter("-v", Takes::Nothing, Count::Optional),
    parameter("-d", Takes::Text, Count::Optional),
    parameter("--summary", Takes::Nothing, Count::Optional),
    parameter("--rows", Takes::Nothing, Count::Optional),
    parameter("FIELD", Takes::Field, Count::Any),
];

fn sum_kind(kind: Kind) -> Result<Kind, &'static str> {
    match kind {
        Kind::Unsigned | Kind::Signed | Kind::Double | Kind::Dynamic => Ok(kind),
        _ => Err("is no number"),
    }
}

/// The record types that `wireq types` would list.
pub fn types() -> Vec<Arc<dyn RecordType>> {
    vec![Arc::new(Packet), Arc::new(Log)]
}
