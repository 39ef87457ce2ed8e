//! `median` and `quantile`: the value that a share of all values does not exceed.

use super::numeric::Numeric;
use super::rank::{Ranked, Share, Sketch};
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::{AggregateSpec, Build, Example, Module, StateClass};
use wireq_typesys::{FieldPath, Kind};

const ABOUT: Parameter = Parameter {
    name: "-a",
    takes: Takes::Nothing,
    count: Count::Optional,
    summary: "Give about that value, in bounded memory (DDSketch): to within 1 % of the value, for \
              numbers and durations. Without it the value is exact.",
};

const FIELD: Parameter = Parameter {
    name: "FIELD",
    takes: Takes::Field,
    count: Count::One,
    summary: "A field of any kind; with -a a number or duration.",
};

const MEDIAN_SHARE: Share = Share { part: 1, of: 2 };

pub(super) static MEDIAN: Module = Module {
    name: "median",
    summary: "Gives the median of a field: the value that half of the values do not exceed.",
    details: "The median is one of the values, the lower one of two in the middle, in the order \
              of their kind: numbers by size, times by age, addresses IPv4 before IPv6. Text that \
              reads as a number counts as one. Objects that lack the field don't count; where all \
              do, there is no median. Memory grows with the number of distinct values of each \
              group; with -a it is at most 2,048 buckets a group, and where values would take \
              more, those of the lowest are one. With -a NaN does not count and infinities are \
              the greatest doubles; where a group has numbers and durations, numbers count.",
    parameters: &[ABOUT, FIELD],
    examples: &[
        Example {
            title: "the length that half of the packets do not exceed",
            query: "median(len)",
            input: "five.pcap",
            output: "74\n",
        },
        Example {
            title: "for each sender, beside the mean",
            query: "print srcip median(len) avg(len) group by srcip",
            input: "five.pcap",
            output: "192.0.2.1\t54\t64\n192.0.2.2\t76\t100.5\n",
        },
        Example {
            title: "the address in the middle",
            query: "median(dstip)",
            input: "five.pcap",
            output: "198.51.100.20\n",
        },
    ],
    build: Build::Aggregate(|arguments| {
        let field = arguments.fields().into_iter().next();
        Ok(spec(MEDIAN_SHARE, arguments.flag("-a"), field))
    }),
};

pub(super) static QUANTILE: Module = Module {
    name: "quantile",
    summary: "Gives the value that a share of the values of a field does not exceed.",
    details: "It is the smallest of the values whose share of values at or below it is at least P, \
              in the order of their kind; `median` says how values are read and kept.",
    parameters: &[
        ABOUT,
        Parameter {
            name: "P",
            takes: Takes::Text,
            count: Count::One,
            summary: "The share: a decimal number from 0, the smallest value, to 1, the greatest.",
        },
        FIELD,
    ],
    examples: &[
        Example {
            title: "the length that four packets in five do not exceed",
            query: "quantile(0.8, len)",
            input: "five.pcap",
            output: "76\n",
        },
        Example {
            title: "the greatest length of each sender",
            query: "print srcip quantile(1, len) group by srcip",
            input: "five.pcap",
            output: "192.0.2.1\t74\n192.0.2.2\t125\n",
        },
        Example {
            title: "two of them, under names",
            query: "print quantile(0.2, len) as low quantile(0.81, len) as high",
            input: "five.pcap",
            output: "54\t125\n",
        },
    ],
    build: Build::Aggregate(build_quantile),
};

fn build_quantile(arguments: &Arguments) -> Result<AggregateSpec, ArgumentError> {
    // The parser has seen to it that there is a word.
    let mut share = MEDIAN_SHARE;
    if let Some(word) = arguments.words().first() {
        share = Share::read(&word.text).ok_or_else(|| ArgumentError {
            help: Some("P is a share such as 0.95: a decimal number from 0 to 1".into()),
            ..ArgumentError::at("quantile", word, "is not a decimal number from 0 to 1")
        })?;
    }
    let field = arguments.fields().into_iter().nth(1);
    Ok(spec(share, arguments.flag("-a"), field))
}

fn spec(share: Share, about: bool, field: Option<FieldPath>) -> AggregateSpec {
    AggregateSpec {
        field,
        kind: if about { about_kind } else { exact_kind },
        class: StateClass::Commutative,
        any_order: |_| false,
        make: Arc::new(move || match about {
            true => Box::new(Numeric::<Sketch>::new(share)),
            false => Box::new(Ranked::new(share)),
        }),
    }
}

fn exact_kind(kind: Kind) -> Result<Kind, &'static str> {
    match kind {
        Kind::Text => Ok(Kind::Dynamic),
        kind => Ok(kind),
    }
}

fn about_kind(kind: Kind) -> Result<Kind, &'static str> {
    match kind {
        Kind::Signed | Kind::Unsigned | Kind::Named(_) | Kind::Bool | Kind::Double => {
            Ok(Kind::Double)
        }
        Kind::Duration => Ok(kind),
        Kind::Text | Kind::Dynamic => Ok(Kind::Dynamic),
        _ => Err("is neither a number nor a duration, which -a needs"),
    }
}
