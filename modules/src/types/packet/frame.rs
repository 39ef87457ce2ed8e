//! What the capture says of a frame.

use super::Field;
use super::linktypes::LINK_TYPES;
use super::load::{slices, times, u8s, u16s, u32s};
use wireq_typesys::{FieldDef, Kind};

const SOURCE: &str = "pcap";

pub(super) static FIELDS: &[Field] = &[
    Field {
        def: FieldDef {
            name: "ts",
            aliases: &["frame.time"],
            kind: Kind::Time,
            summary: "When the frame was captured.",
            source: SOURCE,
        },
        fill: |f, s, c| times(f, s, c, |_, frame| frame.time()),
        frame_only: true,
    },
    Field {
        def: FieldDef {
            name: "caplen",
            aliases: &["frame.cap_len"],
            kind: Kind::Unsigned,
            summary: "Bytes of the frame that were captured.",
            source: SOURCE,
        },
        fill: |f, s, c| u32s(f, s, c, |_, frame| Some(frame.caplen)),
        frame_only: true,
    },
    Field {
        def: FieldDef {
            name: "len",
            aliases: &["frame.len"],
            kind: Kind::Unsigned,
            summary: "Bytes of the frame on the wire.",
            source: SOURCE,
        },
        fill: |f, s, c| u32s(f, s, c, |_, frame| Some(frame.len)),
        frame_only: true,
    },
    Field {
        def: FieldDef {
            name: "packet",
            aliases: &[],
            kind: Kind::Bytes,
            summary: "The frame as captured.",
            source: SOURCE,
        },
        fill: |f, s, c| {
            slices(f, s, c, |_, frame| {
                Some((frame.start, frame.start + frame.caplen))
            })
        },
        frame_only: true,
    },
];

pub(super) static CAPTURE_FIELDS: &[Field] = &[
    Field {
        def: FieldDef {
            name: "frame.number",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "The number of the frame in its file, from 1.",
            source: SOURCE,
        },
        fill: |f, s, c| {
            let (values, valid) = c.refill_u64(f.rows.len());
            s.for_each(|row| {
                values[row] = f.first_number + row as u64;
                valid.set(row);
            });
        },
        frame_only: true,
    },
    Field {
        def: FieldDef {
            name: "timeseries",
            aliases: &[],
            kind: Kind::Time,
            summary: "The same as ts.",
            source: SOURCE,
        },
        fill: |f, s, c| times(f, s, c, |_, frame| frame.time()),
        frame_only: true,
    },
    Field {
        def: FieldDef {
            name: "snaplen",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "The most bytes that the capture kept of a frame.",
            source: SOURCE,
        },
        fill: |f, s, c| u32s(f, s, c, |_, frame| Some(f.interface(frame)?.snaplen)),
        frame_only: true,
    },
    Field {
        def: FieldDef {
            name: "linktype",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "What the link layer is: a LINKTYPE number, 1 for Ethernet.",
            source: SOURCE,
        },
        fill: |f, s, c| u16s(f, s, c, |_, frame| Some(frame.link_type)),
        frame_only: true,
    },
    Field {
        def: FieldDef {
            name: "link",
            aliases: &[],
            kind: Kind::Named(&LINK_TYPES),
            summary: "What the link layer is, by name; headers of most link types are decoded, all are named.",
            source: "tcpdump.org/linktypes.html",
        },
        fill: |f, s, c| {
            u16s(f, s, c, |_, frame| Some(frame.link_type));
            c.names = Some(&LINK_TYPES);
        },
        frame_only: true,
    },
    Field {
        def: FieldDef {
            name: "tsresol",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "Digits of the fraction of a second in the capture's times: 6 for microseconds.",
            source: "pcapng",
        },
        fill: |f, s, c| u8s(f, s, c, |_, frame| Some(f.interface(frame)?.tsresol)),
        frame_only: true,
    },
];
