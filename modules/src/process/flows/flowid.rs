//! `flowid`: numbers flows, passes the first object of each, and sums the others up.

use super::flow::flows_max;
use super::key::KeyFields;
use super::number::FlowId;
use super::summary::OWN;
use super::sums::NO_LIMIT;
use crate::process::clockwork::period;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::planted::is_planted;
use wireq_engine::{Build, Example, Gives, Module, Needs, OnControl, OperatorSpec, StateClass};
use wireq_typesys::{FieldPath, Kind, Zone};

pub(super) const NAME: &str = "flowid";

pub(in crate::process) static MODULE: Module = Module {
    name: NAME,
    summary: "Numbers flows, passes the first object of each with its number, and gives a row that sums a flow up when it ends.",
    details: "A flow is the objects with the same values in the given fields. Its first object passes \
              at once with `flowid` (from 0), `start` (its ts), `packets` (1), `bytes` (its len), \
              `packetsback` and `bytesback` (0); the others are absorbed. When the flow ends, after \
              -t without an object or with the input, a row of its own follows: the flowid, the \
              fields as the first object has them, `start`, `finish` (the latest ts), and the counts of \
              all objects; `packetsback` and `bytesback` are of those in the other direction, \
              which -r finds. At the end these rows come in the order of flowid.\n\
              \n\
              Behind the row of a flow that ended by -t or --max the flow is closed (a group by its \
              fields behind it gives its groups) and forgotten: a later object begins another one. \
              A flow ends when the latest time is more than -t behind it, or before an object of the \
              flow that is more than -t away from its times; time that steps back ends no flow. \
              An object with none of the fields is filtered. A watermark ends flows as a time does.",
    parameters: &[
        Parameter {
            name: "-t",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "A flow ends after so long without an object, such as 30s; with the input unless given.",
        },
        Parameter {
            name: "-r",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "The first and the second field, the third and the fourth and so on change places in the other direction, which counts to the same flow.",
        },
        Parameter {
            name: "--max",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Keep at most N flows: what was seen longest ago ends first; 4000000 unless given.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::Some,
            summary: "The fields that the objects of a flow have in common.",
        },
    ],
    examples: &[
        Example {
            title: "flows from each host: first packets, then sums",
            query: "flowid srcip | print flowid srcip packets bytes finish.sec",
            input: "five.pcap",
            output: "0\t192.0.2.1\t1\t74\n1\t192.0.2.2\t1\t125\n0\t192.0.2.1\t2\t128\t1767225603\n1\t192.0.2.2\t2\t201\t1767225604\n",
        },
        Example {
            title: "the sums alone, both directions together",
            query: "flowid -r srcip dstip | where finish | print flowid srcip dstip packets packetsback",
            input: "five.pcap",
            output: "0\t192.0.2.1\t198.51.100.10\t1\t0\n1\t192.0.2.2\t198.51.100.20\t1\t0\n2\t192.0.2.1\t198.51.100.20\t1\t0\n3\t192.0.2.2\t198.51.100.53\t1\t0\n",
        },
        Example {
            title: "a host that is silent for two seconds begins another flow",
            query: "flowid -t 2s srcip | where not finish | print flowid srcip",
            input: "five.pcap",
            output: "0\t192.0.2.1\n1\t192.0.2.2\n2\t192.0.2.1\n3\t192.0.2.2\n",
        },
    ],
    build: Build::Operator(build),
};

/// What ends flows.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// How long a flow may be without an object.
    pub(super) idle: i64,
    /// How many flows there may be.
    pub(super) flows: usize,
}

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let idle = match arguments.value("-t") {
        Some(word) => period(NAME, word, &Zone::utc())?,
        None => NO_LIMIT,
    };
    let mut needs = arguments.fields();
    let keys = if arguments.flag("-r") && !is_planted("flow-one-way") {
        KeyFields::in_pairs(needs.len())
    } else {
        KeyFields::one_way(needs.len())
    };
    for (field, word) in needs.iter().zip(arguments.words()) {
        if OWN.iter().any(|(name, _)| *name == field.as_str()) {
            let message = "is the name of a field that flowid gives";
            return Err(ArgumentError::at(NAME, word, message));
        }
    }
    if let (Some(word), true) = (arguments.words().last(), arguments.flag("-r"))
        && needs.len() % 2 == 1
    {
        return Err(ArgumentError {
            help: Some("with -r the fields are pairs, such as srcip dstip srcport dstport".into()),
            ..ArgumentError::at(NAME, word, "has no field to change places with")
        });
    }
    let limits = Limits {
        idle,
        flows: flows_max(NAME, arguments)?,
    };
    needs.extend([FieldPath::new("ts"), FieldPath::new("len")]);
    let columns: Vec<(FieldPath, Kind)> = OWN
        .iter()
        .map(|(name, kind)| (FieldPath::new(name), *kind))
        .collect();
    Ok(OperatorSpec {
        needs: Needs::Fields(needs),
        gives: Gives::Retained(columns),
        // Flows are numbered in the order of their first objects, whatever their keys.
        class: StateClass::Serial,
        bound: Some("--max flows"),
        closes: arguments.fields().into(),
        on_control: OnControl::React,
        prepares: true,
        ..OperatorSpec::stateless(Vec::new(), move |context| {
            Box::new(FlowId::new(limits, keys.clone(), context))
        })
    })
}
