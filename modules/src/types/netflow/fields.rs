//! The fields of flow records: SMACQ's names, each over the elements that mean it.

use super::element::{END_PARTS, FRAME_LEN, INDEX, Key, REVERSE, SCOPE, SFLOW, START_PARTS, key};
use super::records::Header;
use crate::types::packet::IP_PROTOCOLS;
use wireq_typesys::{Address, Kind};

/// Where the values of a field are from.
#[derive(Clone, Copy)]
pub(super) enum From {
    /// Numbers of so many bytes: the first of the elements that the record has, else the header.
    Number(usize, &'static [Key], Option<fn(&Header) -> Option<u64>>),
    /// Addresses.
    Address(&'static [Key], Option<fn(&Header) -> Option<Address>>),
    /// Times.
    Time(&'static [Key], Option<fn(&Header) -> Option<i64>>),
    /// Hardware addresses.
    Mac(&'static [Key]),
    /// The time between two others.
    Duration,
    /// The number of the template.
    Template,
    /// Whether the record tells of the exporter.
    Options,
}

/// A field with a name of its own.
pub(super) struct Named {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) kind: Kind,
    pub(super) summary: &'static str,
    pub(super) from: From,
}

/// The elements that a flow's first and last time are in.
pub(super) const START: &[Key] = &[152, 154, 156, 150, 22, 158, START_PARTS, 323, 324, 325, 322];
pub(super) const END: &[Key] = &[153, 155, 157, 151, 21, 159, END_PARTS];
/// What the exporter says of the time between them.
pub(super) const DURATION: &[Key] = &[161, 162];

const fn number(
    name: &'static str,
    aliases: &'static [&'static str],
    width: usize,
    keys: &'static [Key],
    summary: &'static str,
) -> Named {
    Named {
        name,
        aliases,
        kind: Kind::Unsigned,
        summary,
        from: From::Number(width, keys, None),
    }
}

const fn address(
    name: &'static str,
    aliases: &'static [&'static str],
    keys: &'static [Key],
    summary: &'static str,
) -> Named {
    Named {
        name,
        aliases,
        kind: Kind::Address,
        summary,
        from: From::Address(keys, None),
    }
}

const fn of_header(
    name: &'static str,
    aliases: &'static [&'static str],
    keys: &'static [Key],
    get: fn(&Header) -> Option<u64>,
    summary: &'static str,
) -> Named {
    Named {
        name,
        aliases,
        kind: Kind::Unsigned,
        summary,
        from: From::Number(4, keys, Some(get)),
    }
}

/// A sample is of one packet.
fn one_sample(header: &Header) -> Option<u64> {
    (header.version == SFLOW).then_some(1)
}

/// The fields, in the order in which they are listed and printed. An alias that is an element's name
/// stands for that element alone.
pub(super) static NAMED: &[Named] = &[
    Named {
        name: "start",
        aliases: &["ts"],
        kind: Kind::Time,
        summary: "When the flow's first packet was seen.",
        from: From::Time(START, None),
    },
    Named {
        name: "end",
        aliases: &[],
        kind: Kind::Time,
        summary: "When the flow's last packet was seen.",
        from: From::Time(END, None),
    },
    Named {
        name: "duration",
        aliases: &[],
        kind: Kind::Duration,
        summary: "The time from the first to the last packet.",
        from: From::Duration,
    },
    address(
        "srcip",
        &[],
        &[8, 27, 44, 170],
        "Address of the sender, IPv4 or IPv6.",
    ),
    number("srcport", &[], 2, &[7, 182, 180], "Port of the sender."),
    address(
        "dstip",
        &[],
        &[12, 28, 45, 169],
        "Address of the receiver, IPv4 or IPv6.",
    ),
    number(
        "dstport",
        &[],
        2,
        &[11, 183, 181],
        "Port of the receiver; of ICMP often type and code.",
    ),
    Named {
        name: "ipprotocol",
        aliases: &["protocolIdentifier"],
        kind: Kind::Named(&IP_PROTOCOLS),
        summary: "The protocol in the packets.",
        from: From::Number(1, &[4], None),
    },
    Named {
        name: "packets",
        aliases: &[],
        kind: Kind::Unsigned,
        summary: "Packets of the flow; 1 of a sample.",
        from: From::Number(8, &[2, 86, 298], Some(one_sample)),
    },
    number(
        "bytes",
        &["len"],
        8,
        &[1, 85, 231, FRAME_LEN],
        "Bytes of the flow's packets from the IP header on.",
    ),
    number(
        "packetsback",
        &[],
        8,
        &[key(REVERSE, 2), key(REVERSE, 86), 299],
        "Packets in the other direction.",
    ),
    number(
        "bytesback",
        &[],
        8,
        &[key(REVERSE, 1), key(REVERSE, 85), 232],
        "Bytes in the other direction.",
    ),
    number(
        "flows",
        &["deltaFlowCount"],
        8,
        &[3],
        "Flows that the record sums up.",
    ),
    number(
        "tcp_flags",
        &["tcpflags", "tcpControlBits"],
        2,
        &[6],
        "The TCP flags of all packets together.",
    ),
    number(
        "tos",
        &["ipClassOfService"],
        1,
        &[5],
        "IPv4's type of service; IPv6's traffic class.",
    ),
    number(
        "input",
        &["ingressInterface"],
        4,
        &[10],
        "The interface that packets came in by.",
    ),
    number(
        "output",
        &["egressInterface"],
        4,
        &[14],
        "The interface that packets went out by.",
    ),
    address("nexthop", &[], &[15, 62], "Address of the next router."),
    address(
        "bgpnexthop",
        &[],
        &[18, 63],
        "Address of the next router of BGP.",
    ),
    number(
        "srcAS",
        &["bgpSourceAsNumber"],
        4,
        &[16],
        "The autonomous system of the sender.",
    ),
    number(
        "dstAS",
        &["bgpDestinationAsNumber"],
        4,
        &[17],
        "The autonomous system of the receiver.",
    ),
    number("src_mask", &[], 1, &[9, 29], "Bits of the sender's prefix."),
    number(
        "dst_mask",
        &[],
        1,
        &[13, 30],
        "Bits of the receiver's prefix.",
    ),
    Named {
        name: "srcmac",
        aliases: &["sourceMacAddress"],
        kind: Kind::Mac,
        summary: "Hardware address of the sender.",
        from: From::Mac(&[56]),
    },
    Named {
        name: "dstmac",
        aliases: &["destinationMacAddress"],
        kind: Kind::Mac,
        summary: "Hardware address of the receiver.",
        from: From::Mac(&[80]),
    },
    number("vlan", &[], 2, &[58, 243], "The VLAN of the packets."),
    number(
        "direction",
        &["flowDirection"],
        1,
        &[61],
        "0 for packets that came in, 1 for those that went out.",
    ),
    Named {
        name: "router",
        aliases: &["exporter"],
        kind: Kind::Address,
        summary: "Who exported the record.",
        from: From::Address(&[130, 131], Some(|header| header.router)),
    },
    of_header(
        "enginetype",
        &["engine_type", "engineType"],
        &[38],
        |header| Some(header.engine?.0.into()),
        "The kind of the exporter's part that saw the flow.",
    ),
    of_header(
        "engineid",
        &["engine_id", "engineId"],
        &[39],
        |header| Some(header.engine?.1.into()),
        "The number of the exporter's part that saw the flow.",
    ),
    number("index", &[], 4, &[INDEX], "The number of a cflowd record."),
    of_header(
        "version",
        &["exportProtocolVersion"],
        &[214],
        |header| Some(header.version.into()).filter(|version| *version > 0),
        "The export protocol: 1, 5, 7, 9 for NetFlow, 10 for IPFIX, 105 for sFlow 5.",
    ),
    of_header(
        "domain",
        &["observationDomainId"],
        &[149],
        |header| header.domain.map(Into::into),
        "The exporter's observation domain; in NetFlow v9 its source.",
    ),
    of_header(
        "sequence",
        &[],
        &[],
        |header| header.sequence.map(Into::into),
        "The number of the message that the record came in.",
    ),
    Named {
        name: "template",
        aliases: &[],
        kind: Kind::Unsigned,
        summary: "The template of the record.",
        from: From::Template,
    },
    Named {
        name: "exported",
        aliases: &[],
        kind: Kind::Time,
        summary: "When the record was exported.",
        from: From::Time(&[], Some(|header| header.exported)),
    },
    Named {
        name: "received",
        aliases: &["collectionTimeMilliseconds"],
        kind: Kind::Time,
        summary: "When the record was received.",
        from: From::Time(&[258], Some(|header| header.received)),
    },
    of_header(
        "sysUpTime",
        &[],
        &[],
        |header| header.uptime.map(Into::into),
        "Milliseconds from the exporter's start to the message.",
    ),
    of_header(
        "sampling",
        &[],
        &[34, 305, 50],
        |header| header.sampling.map(Into::into),
        "One of so many packets was looked at.",
    ),
    Named {
        name: "options",
        aliases: &[],
        kind: Kind::Bool,
        summary: "True where the record tells of the exporter; absent in those of flows.",
        from: From::Options,
    },
    number(
        "scope.system",
        &[],
        4,
        &[SCOPE[1]],
        "The system that an option of NetFlow v9 is about.",
    ),
    number(
        "scope.interface",
        &[],
        4,
        &[SCOPE[2]],
        "The interface that an option of NetFlow v9 is about.",
    ),
    number(
        "scope.linecard",
        &[],
        4,
        &[SCOPE[3]],
        "The line card that an option of NetFlow v9 is about.",
    ),
    number(
        "scope.cache",
        &[],
        4,
        &[SCOPE[4]],
        "The cache that an option of NetFlow v9 is about.",
    ),
    number(
        "scope.template",
        &[],
        4,
        &[SCOPE[5]],
        "The template that an option of NetFlow v9 is about.",
    ),
];
