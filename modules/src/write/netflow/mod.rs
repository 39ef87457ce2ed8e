//! `netflowwrite`: flows as the messages that exporters send.

mod message;
mod sink;
mod template;
#[cfg(test)]
mod tests;

use super::flow_rows::{fields, optional};
use message::{Form, Version};
use sink::{Sink, To};
use std::net::SocketAddr;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::{Build, Example, Module, OnControl, OperatorSpec, StateClass};

const NAME: &str = "netflowwrite";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Exports flows as NetFlow 5, NetFlow 9 or IPFIX, to a collector or a file, and passes them on.",
    details: "Takes records of `flow` and of `netflow`, and any object with srcip, dstip, start, packets \
              and bytes; ports, ipprotocol, end, flags, tos, interfaces, systems, masks, nexthop and vlan \
              are exported where objects have them. Others, and IPv6 with NetFlow 5, are filtered. A flow \
              with packets in both directions is two records, or with --biflow one (RFC 5103). \
              `flow -b iplen` counts bytes from the IP header on, as other exporters do.\n\
              \n\
              Messages are as long as --mtu allows. Templates are sent first, again after every 20 \
              messages unless --refresh says otherwise, and when a file is begun anew. Messages are \
              numbered as their protocol says: NetFlow 5 counts flows, NetFlow 9 messages, IPFIX \
              records. They are dated by the flows in them; times are kept to the millisecond. What \
              does not fit into the 32 bits of NetFlow 5's counters goes into further records; flows with \
              more than 2^40 packets or bytes in a direction are filtered there.\n\
              \n\
              With -u a message that is not full is sent when a second is over since it was begun and \
              anything comes: flows, or a live source says that time goes by. Datagrams that the \
              collector's host refuses are counted, and lost; --rate keeps a collector from being flooded \
              by a capture.",
    parameters: &[
        Parameter {
            name: "-v",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The protocol: 5, 9, or 10 or ipfix; IPFIX unless given.",
        },
        Parameter {
            name: "-u",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "Sends datagrams to this address and port, such as 192.0.2.1:2055.",
        },
        Parameter {
            name: "-f",
            takes: Takes::File,
            count: Count::Optional,
            summary: "Writes messages to a file one after the other, as RFC 5655 says; the statement's \
                      output, `-`, unless given.",
        },
        Parameter {
            name: "--domain",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "The observation domain; the source of NetFlow 9, the engine of NetFlow \
                      5, up to 255; 0 unless given.",
        },
        Parameter {
            name: "--mtu",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "The bytes that an IP packet may have on the way, from 576 on; 1500 unless given.",
        },
        Parameter {
            name: "--refresh",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Sends templates again after so many messages; 20 unless given.",
        },
        Parameter {
            name: "--rate",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "With -u: sends no more than so many datagrams a second.",
        },
        Parameter {
            name: "--biflow",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "With IPFIX: one record has both directions of a flow.",
        },
    ],
    examples: &[
        Example {
            title: "flows of a capture to a file of IPFIX messages",
            query: "flow | netflowwrite -f /dev/null | count()",
            input: "five.pcap",
            output: "4\n",
        },
        Example {
            title: "as NetFlow 9 from the source 7, IP bytes counted",
            query: "flow -b iplen | netflowwrite -v 9 --domain 7 -f /dev/null | print srcip dstport bytes",
            input: "five.pcap",
            output: "192.0.2.1\t443\t60\n192.0.2.2\t80\t111\n192.0.2.1\t80\t40\n192.0.2.2\t53\t62\n",
        },
        Example {
            title: "flows that a router exported with NetFlow 5, sent on as IPFIX",
            query: "pcapfile netflow.pcap | netflow | where version = 5 | netflowwrite -f /dev/null | count()",
            input: "",
            output: "5\n",
        },
    ],
    build: Build::Operator(build),
};

/// The bytes of the headers of IPv6 and UDP; those of IPv4 are fewer.
const HEADERS: usize = 48;
const MTU_MIN: u64 = 576;
const MTU_MAX: u64 = 65_535;

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let version = version(arguments)?;
    let domain_max = match version {
        Version::V5 => u8::MAX.into(),
        Version::V9 | Version::Ipfix => u32::MAX.into(),
    };
    let number = |flag, bounds| arguments.number_within(NAME, flag, bounds);
    let form = Form {
        version,
        domain: number("--domain", 0..=domain_max)?.unwrap_or(0) as u32,
        len_max: number("--mtu", MTU_MIN..=MTU_MAX)?.unwrap_or(1500) as usize - HEADERS,
        refresh: number("--refresh", 1..=u32::MAX.into())?.unwrap_or(20),
        biflow: arguments.flag("--biflow"),
    };
    if form.biflow && form.version != Version::Ipfix {
        return Err(fault(
            "--biflow",
            "is for IPFIX: other records have one direction",
        ));
    }
    let to = to(arguments)?;
    let rate = arguments.number_within(NAME, "--rate", 1..=u32::MAX.into())?;
    if rate.is_some() && !matches!(to, To::Collector(_)) {
        return Err(fault("--rate", "is for -u: files take what comes"));
    }
    Ok(OperatorSpec {
        class: StateClass::Serial,
        side_effect: true,
        optional: optional().into(),
        bound: Some("one message"),
        on_control: OnControl::React,
        ..OperatorSpec::stateless(fields(), move |_| {
            Box::new(Sink::new(form.clone(), &to, rate))
        })
    })
}

fn fault(argument: &str, message: &str) -> ArgumentError {
    ArgumentError {
        module: NAME.into(),
        argument: format!("`{argument}`"),
        message: message.into(),
        help: None,
        span: None,
    }
}

fn version(arguments: &Arguments) -> Result<Version, ArgumentError> {
    let Some(word) = arguments.value("-v") else {
        return Ok(Version::Ipfix);
    };
    match word.text.to_ascii_lowercase().as_str() {
        "5" => Ok(Version::V5),
        "9" => Ok(Version::V9),
        "10" | "ipfix" => Ok(Version::Ipfix),
        _ => Err(ArgumentError {
            help: Some("write 5, 9 or ipfix".into()),
            ..ArgumentError::at(NAME, word, "is no protocol that flows are exported with")
        }),
    }
}

fn to(arguments: &Arguments) -> Result<To, ArgumentError> {
    match (arguments.value("-u"), arguments.value("-f")) {
        (Some(_), Some(file)) => Err(ArgumentError::at(
            NAME,
            file,
            "stands beside -u: messages go to one of them",
        )),
        (Some(word), None) => {
            // Addresses only: a query asks no network for names.
            let address: Option<SocketAddr> = word.text.parse().ok();
            let address = address.filter(|address| address.port() != 0);
            let address = address.ok_or_else(|| ArgumentError {
                help: Some(
                    "write an address and a port: 192.0.2.1:2055, [2001:db8::1]:4739".into(),
                ),
                ..ArgumentError::at(NAME, word, "is no address to send to")
            })?;
            Ok(To::Collector(address))
        }
        (None, Some(word)) if word.text.is_empty() => {
            Err(ArgumentError::at(NAME, word, "is not the name of a file"))
        }
        (None, Some(word)) if word.text != "-" => Ok(To::File(word.text.clone())),
        (None, _) => Ok(To::Output),
    }
}
