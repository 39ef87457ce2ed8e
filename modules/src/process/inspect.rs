//! `inspect`: passes packets that fulfil the options of a rule.

use super::stateless;
use crate::rules::facts::Facts;
use crate::rules::{Options, RuleSet, demand_of};
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::{Build, Example, Module, OperatorSpec};
use wireq_typesys::Bitmap;

const NAME: &str = "inspect";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Passes packets that fulfil options of rules of Snort and Suricata: content, pcre, byte_test and more.",
    details: "The options are what stands in the brackets of a rule, on single packets: see the module rules. \
              `wireq rules show` prints rules as queries with it. Packets without addresses do not pass.",
    parameters: &[Parameter {
        name: "OPTIONS",
        takes: Takes::Text,
        count: Count::One,
        summary: "The options, each with `;` behind it, in single quotes.",
    }],
    examples: &[
        Example {
            title: "bytes behind other bytes",
            query: "inspect 'content:\"GET \"; startswith; content:\"HTTP/1.\"; distance:1;' | print srcip len",
            input: "five.pcap",
            output: "192.0.2.2\t125\n",
        },
        Example {
            title: "a number in the payload",
            query: "inspect 'byte_test:2,=,1,4; content:\"|07|EXAMPLE\"; nocase;' | print dstport",
            input: "five.pcap",
            output: "53\n",
        },
        Example {
            title: "flags, and the length of the payload",
            query: "where inspect('flags:A; dsize:0;') | print srcip dstport",
            input: "five.pcap",
            output: "192.0.2.1\t80\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let Some(word) = arguments.words().first() else {
        // The parameters ask for it, and they were checked.
        return Ok(OperatorSpec::stateless(Vec::new(), |_| {
            stateless::filter(|_| Bitmap::EMPTY)
        }));
    };
    // A rule of its own; what it says of itself is no matter, and its header is any packet's.
    let open = "alert ip any any -> any any (sid:1; ";
    let text = format!("{open}{})", word.text.replace('\n', " "));
    let set = RuleSet::from_text("", text.as_bytes(), &Options::default());
    let Some(rule) = set.rules.into_iter().next() else {
        let fault = set.refusals.first();
        let message = fault.map_or_else(
            || "is no option of a rule".to_owned(),
            |fault| {
                let column = (fault.place.column as usize).saturating_sub(open.len());
                format!("at character {column}: `{}` {}", fault.what, fault.why)
            },
        );
        let help = "write options of a rule: inspect 'content:\"x\"; nocase;'";
        return Err(ArgumentError {
            help: Some(help.into()),
            ..ArgumentError::at(NAME, word, message)
        });
    };
    let facts = Facts::of([&rule]);
    let rule = Arc::new(rule);
    let demand = demand_of(&rule);
    let spec = OperatorSpec::stateless(facts.paths(), move |_| {
        let (rule, facts) = (Arc::clone(&rule), facts.clone());
        stateless::filter(move |view| {
            let columns = facts.columns(view);
            let mut passing = Bitmap::EMPTY;
            view.part.selection.for_each(|row| {
                if columns
                    .packet(row)
                    .is_some_and(|packet| rule.holds_behind_header(&packet))
                {
                    passing.set(row);
                }
            });
            passing
        })
    });
    Ok(OperatorSpec {
        demand: demand.map(Arc::new),
        ..spec
    })
}
