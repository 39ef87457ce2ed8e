//! `now`: attaches the time that counts as now.

use super::{constant, stateless};
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::{Build, Example, Module, OperatorSpec};
use wireq_typesys::{Kind, Value};

pub(super) static MODULE: Module = Module {
    name: "now",
    summary: "Attaches the time that counts as now: the same for the whole run.",
    details: "",
    parameters: &[Parameter {
        name: "-f",
        takes: Takes::Text,
        count: Count::Optional,
        summary: "The name of the column; `now` by default.",
    }],
    examples: &[
        Example {
            title: "packets of the past",
            query: "now | where ts < now | count()",
            input: "five.pcap",
            output: "5\n",
        },
        Example {
            title: "one moment for the whole run",
            query: "now | uniq now | count()",
            input: "five.pcap",
            output: "1\n",
        },
        Example {
            title: "under another name, with a conversion",
            query: "now -f read | where read.sec > 1767225600 | print len | head 1",
            input: "five.pcap",
            output: "74\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let name = stateless::column_name("now", arguments, "now")?;
    Ok(constant::attach(name, Kind::Time, |zone| {
        Value::Time(zone.now())
    }))
}
