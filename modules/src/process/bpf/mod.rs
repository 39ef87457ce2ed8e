//! `bpf`: passes packets that a filter of tcpdump's language passes.
//!
//! libpcap compiles the filter, once for each link type that is met; the program is run here, with
//! the frame as captured and its length on the wire, as tcpdump does.

mod program;
mod words;

use super::stateless;
use program::Program;
use std::collections::HashMap;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::{Build, Example, Module, OperatorSpec, View};
use wireq_typesys::{Bitmap, Column, FieldPath};

pub(super) static MODULE: Module = Module {
    name: "bpf",
    summary: "Passes packets that a filter of tcpdump's language passes.",
    details: "The language is that of pcap-filter(7), and libpcap compiles it; several words are one \
              filter. Hosts and networks are given by address: nothing is looked up. Packets of a link \
              type that the filter cannot be compiled for do not pass.",
    parameters: &[Parameter {
        name: "FILTER",
        takes: Takes::Text,
        count: Count::Some,
        summary: "The filter, best in quotes.",
    }],
    examples: &[
        Example {
            title: "packets to or from a port",
            query: "bpf 'udp port 53' | print srcip dstip dstport",
            input: "five.pcap",
            output: "192.0.2.2\t198.51.100.53\t53\n",
        },
        Example {
            title: "as a part of a condition",
            query: "where bpf('tcp or arp') and len < 60 | print len srcip",
            input: "five.pcap",
            output: "54\t192.0.2.1\n",
        },
        Example {
            title: "bits of a header",
            query: "bpf 'tcp[tcpflags] & tcp-syn != 0' | print tcpflags",
            input: "five.pcap",
            output: "2\n",
        },
    ],
    build: Build::Operator(build),
};

/// Link types that a filter is tried on, to tell whether it is one: Ethernet, 802.11, radiotap, Linux
/// cooked, PPP, raw IP.
const TRIED: [u16; 6] = [1, 105, 127, 113, 9, 101];

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let words: Vec<&str> = arguments
        .words()
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    let filter = words.join(" ");
    let fault = |message: String| match arguments.words().first() {
        Some(word) => ArgumentError::at("bpf", word, message),
        None => ArgumentError {
            module: "bpf".into(),
            argument: "`FILTER`".into(),
            message,
            help: None,
            span: None,
        },
    };
    if let Some(name) = words::name_to_look_up(&filter) {
        return Err(ArgumentError {
            help: Some("write its address: a filter does not ask the network".into()),
            ..fault(format!("has the name of a host or network: `{name}`"))
        });
    }
    let mut compiled = TRIED.iter().map(|link| Program::compile(&filter, *link));
    // What is no filter for Ethernet may be one for another link.
    if let Some(Err(message)) = compiled.next()
        && !compiled.any(|program| program.is_ok())
    {
        return Err(fault(format!("is no filter: {message}")));
    }
    let needs = ["packet", "len", "linktype"].map(FieldPath::new);
    Ok(OperatorSpec::stateless(needs.to_vec(), move |_| {
        let mut programs = Programs {
            filter: filter.clone(),
            by_link: HashMap::new(),
        };
        stateless::filter(move |view| programs.select(view))
    }))
}

/// The filter for each link type that was met; none where it can't be compiled for that.
struct Programs {
    filter: String,
    by_link: HashMap<u16, Option<Program>>,
}

impl Programs {
    fn select(&mut self, view: View<'_>) -> Bitmap {
        let (Some(packets), Some(lengths), Some(links)) =
            (view.column(0), view.column(1), view.column(2))
        else {
            return Bitmap::EMPTY;
        };
        let number = |column: &Column, row| {
            let number = column.value(row).as_integer();
            number.and_then(|number| u32::try_from(number).ok())
        };
        let rows = view.part.selection.and(&packets.valid);
        let mut passing = Bitmap::EMPTY;
        for row in rows.iter() {
            let (Some(len), Some(link)) = (number(lengths, row), number(links, row)) else {
                continue;
            };
            let Ok(link) = u16::try_from(link) else {
                continue;
            };
            let program = self
                .by_link
                .entry(link)
                .or_insert_with(|| Program::compile(&self.filter, link).ok());
            let passes = |bytes: &[u8]| program.as_ref().is_some_and(|p| p.passes(bytes, len));
            let is_in = match &packets.data {
                wireq_typesys::Data::Bytes(slices) => passes(slices.get(row)),
                _ => packets.value(row).as_bytes().is_some_and(passes),
            };
            if is_in {
                passing.set(row);
            }
        }
        passing
    }
}

#[cfg(test)]
mod tests;
