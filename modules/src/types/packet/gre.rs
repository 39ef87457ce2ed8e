//! GRE (RFC 2784, RFC 2890), also that of PPTP (RFC 2637).

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::{Bits16, Header as In, U16};
use super::values::{Values, flag, number};

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACKNOWLEDGMENT: u16 = 0x80;
const LEN_MIN: usize = 4;
const TYPE: usize = 2;
const PPP: u16 = 0x880b;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "gre",
    source: "RFC 2784, RFC 2890, RFC 8086",
    found: &[By::Ip(47), By::UdpPort(4754)],
    carries: Some(carries),
    fields: &[
        number(
            "gre.proto",
            U16(TYPE),
            "What is carried, as the type of IEEE 802.3.",
        ),
        number("gre.flags_and_version", U16(0), "Flags and version."),
        flag(
            "gre.flags.checksum",
            Bits16(0, CHECKSUM),
            "Whether there is a checksum.",
        ),
        flag("gre.flags.key", Bits16(0, KEY), "Whether there is a key."),
        flag(
            "gre.flags.sequence_number",
            Bits16(0, SEQUENCE),
            "Whether there is a sequence number.",
        ),
        number(
            "gre.flags.version",
            Bits16(0, 7),
            "The version: 0, or 1 in PPTP.",
        ),
        number(
            "gre.checksum",
            In(|h, v| optional(h, v, CHECKSUM, |h, at| h.u16(at).map(u32::from))),
            "The checksum.",
        ),
        number("gre.key", In(key), "The key, in version 0."),
        number(
            "gre.key.call_id",
            In(call),
            "The number of the call, in version 1.",
        )
        .from("RFC 2637"),
        number(
            "gre.sequence_number",
            In(|h, v| optional(h, v, SEQUENCE, |h, at| h.u32(at))),
            "The sequence number.",
        ),
        number(
            "gre.ack_number",
            In(|h, v| {
                // Only PPTP has one.
                if h.u16(TYPE) == Some(PPP) {
                    optional(h, v, ACKNOWLEDGMENT, |h, at| h.u32(at))
                }
            }),
            "The acknowledgment number, in version 1.",
        )
        .from("RFC 2637"),
    ],
};

fn flags(header: &Header<'_>) -> Option<u16> {
    header.u16(0)
}

/// Where an optional part of the header begins; the length of the header for a flag that is none.
fn place(flags: u16, of: u16) -> usize {
    let mut at = LEN_MIN;
    let parts = [
        (CHECKSUM, CHECKSUM | ROUTING),
        (KEY, KEY),
        (SEQUENCE, SEQUENCE),
        (ACKNOWLEDGMENT, ACKNOWLEDGMENT),
    ];
    for (part, present) in parts {
        if part == of {
            break;
        }
        // Acknowledgments are of version 1 only.
        if flags & present != 0 && (part != ACKNOWLEDGMENT || flags & 7 == 1) {
            at += 4;
        }
    }
    at
}

fn optional(
    header: &Header<'_>,
    values: &mut Values,
    part: u16,
    load: fn(&Header<'_>, usize) -> Option<u32>,
) {
    let is_there = |flags: &u16| flags & part != 0 && (part != ACKNOWLEDGMENT || flags & 7 == 1);
    let place = flags(header)
        .filter(is_there)
        .map(|flags| place(flags, part));
    if let Some(value) = place.and_then(|at| load(header, at)) {
        values.number(value);
    }
}

fn key(header: &Header<'_>, values: &mut Values) {
    if header.u16(TYPE) != Some(PPP) {
        optional(header, values, KEY, |h, at| h.u32(at));
    }
}

fn call(header: &Header<'_>, values: &mut Values) {
    if header.u16(TYPE) == Some(PPP) {
        optional(header, values, KEY, |h, at| h.u16(at + 2).map(u32::from));
    }
}

fn carries(header: &Header<'_>) -> Next {
    let (Some(flags), Some(ethertype)) = (flags(header), header.u16(TYPE)) else {
        return Next::last(LEN_MIN);
    };
    let at = place(flags, 0);
    match ethertype {
        // Routing entries have a list of their own, which nobody uses any more.
        _ if flags & ROUTING != 0 => Next::last(at),
        PPP => Next::behind(at, By::Ethertype(super::ppp::ETHERTYPE)),
        // ERSPAN without a sequence number has no header: type I.
        0x88be if flags & SEQUENCE == 0 => Next::behind(at, By::Link(super::LINKTYPE_ETHERNET)),
        ethertype => Next::behind(at, By::Gre(ethertype)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::{field, in_ethernet, ipv4};

    #[test]
    fn optional_parts_and_the_packet_in_it() {
        let mut carried = vec![0xb0, 0, 8, 0, 0x12, 0x34, 0, 0, 0, 0, 0, 7, 0, 0, 0, 9];
        carried.extend(ipv4(17, 2, &[0, 53, 0, 54, 0, 8, 0, 0]));
        let bytes = in_ethernet(0x0800, &ipv4(47, 1, &carried));
        for (name, value) in [
            ("gre.proto", "2048"),
            ("gre.checksum", "4660"),
            ("gre.key", "7"),
            ("gre.sequence_number", "9"),
            ("ip.src", "10.0.0.1,10.0.0.2"),
            ("ip.addr", "10.0.0.1,10.0.1.1,10.0.0.2,10.0.1.1"),
            ("srcip", "10.0.0.1"),
            ("inner.srcip", "10.0.0.2"),
            ("innermost.srcip", "10.0.0.2"),
            ("inner.dstport", "54"),
            ("inner.ip.src", "10.0.0.2"),
            ("udp.dstport", "54"),
        ] {
            assert_eq!(field(&bytes, name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(field(&bytes, "dstport"), None);
        assert_eq!(field(&bytes, "inner.inner.srcip"), None);
        assert_eq!(field(&bytes, "gre.ack_number"), None);
    }
}
