//! `noop`: drops everything.

use super::stateless;
use wireq_engine::arguments::{ArgumentError, Arguments};
use wireq_engine::{Build, Example, Module, OperatorSpec};
use wireq_typesys::Bitmap;

pub(super) static MODULE: Module = Module {
    name: "noop",
    summary: "Drops every object.",
    details: "The source is read to its end all the same: what reading and the stages before cost \
              can be measured with it.",
    parameters: &[],
    examples: &[
        Example {
            title: "nothing comes out",
            query: "noop | print len",
            input: "five.pcap",
            output: "",
        },
        Example {
            title: "stages before it work",
            query: "print len | noop",
            input: "five.pcap",
            output: "74\n125\n60\n54\n76\n",
        },
        Example {
            title: "one of two branches",
            query: "(noop) + (where dstport = 53) | print len",
            input: "five.pcap",
            output: "76\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(_arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    Ok(OperatorSpec::stateless(Vec::new(), |_| {
        stateless::filter(|_| Bitmap::EMPTY)
    }))
}
