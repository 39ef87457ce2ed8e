//! `private`: passes everything on.

use super::stateless;
use wireq_engine::arguments::{ArgumentError, Arguments};
use wireq_engine::{Build, Example, Module, OperatorSpec};

pub(super) static MODULE: Module = Module {
    name: "private",
    summary: "Passes every object on.",
    details: "For queries written for SMACQ, where it kept what is attached behind it from other \
              branches. Objects never change here, and every branch attaches to its own.",
    parameters: &[],
    examples: &[
        Example {
            title: "nothing changes",
            query: "private | where dstport = 53 | print len",
            input: "five.pcap",
            output: "76\n",
        },
        Example {
            title: "nothing is lost",
            query: "private | count()",
            input: "five.pcap",
            output: "5\n",
        },
        Example {
            title: "what is attached behind it",
            query: "private | const mine | head 1 | print const len",
            input: "five.pcap",
            output: "mine\t74\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(_arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    Ok(OperatorSpec::stateless(Vec::new(), |_| {
        stateless::filter(|view| view.part.selection)
    }))
}
