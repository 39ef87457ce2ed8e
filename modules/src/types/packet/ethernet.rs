//! Ethernet II (IEEE 802.3) and VLAN tags (IEEE 802.1Q, 802.1ad).

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::load::{array, be16, macs, u16s};
use super::values::Get::{Header as In, Mac as MacAt};
use super::values::{Values, mac as hardware, number};
use super::{Field, Layers, arp, has, ipv4, ipv6};
use wireq_engine::planted::is_planted;
use wireq_typesys::{FieldDef, Kind, Mac};

const DESTINATION: usize = 0;
const ORIGIN: usize = 6;
const TYPE: usize = 12;
const LEN: usize = 14;
/// Smaller values in the place of the type are lengths (IEEE 802.3 §3.2.6).
pub(super) const TYPE_MIN: u16 = 0x600;

/// Larger values that are no types either mean nothing.
const LENGTH_MAX: u16 = 1500;

const TAG_LEN: usize = 4;
/// What a packet of IPX begins with: it has no checksum.
const IPX: u16 = 0xffff;
/// Tags that are followed; real networks have at most three.
const TAGS_MAX: usize = 16;

/// Whether a type says that a VLAN tag follows: 802.1Q, 802.1ad, and what was used before
/// it. `vlan` finds the same.
#[inline(always)]
fn is_tag(ethertype: u16) -> bool {
    matches!(ethertype, 0x8100 | 0x88a8 | 0x9100)
}

/// The layers of the frame that begins at `start` and ends where `bytes` ends, if it is plain. Most
/// are: one look at their first bytes settles all of their layers.
#[inline(always)]
pub(super) fn find_plain(bytes: &[u8], start: usize) -> Option<Layers> {
    let first = bytes.get(start..start + ipv4::PLAIN_LEN)?.first_chunk()?;
    ipv4::find_plain(first, start, bytes.len())
}

/// The layers of the frame that begins at `start` and ends where `bytes` ends.
pub(super) fn find(bytes: &[u8], start: usize) -> Layers {
    let mut layers = Layers::default();
    let Some(mut ethertype) = be16(bytes, start + TYPE).filter(|_| bytes.len() >= start + LEN)
    else {
        return layers;
    };
    layers.has = has::ETHERNET;
    let mut at = start + LEN;
    if is_tag(ethertype) {
        let Some((inner, behind)) = skip_tags(bytes, at, ethertype, &mut layers) else {
            return layers;
        };
        (ethertype, at) = (inner, behind);
    }
    match ethertype {
        ipv4::ETHERTYPE => ipv4::find(bytes, at, &mut layers),
        ipv6::ETHERTYPE => ipv6::find(bytes, at, &mut layers),
        arp::ETHERTYPE => arp::find(bytes, at, &mut layers),
        _ => {}
    }
    layers
}

/// The type behind all tags, and where its packet begins; none where a tag is cut or there are
/// too many.
fn skip_tags(
    bytes: &[u8],
    mut at: usize,
    mut ethertype: u16,
    layers: &mut Layers,
) -> Option<(u16, usize)> {
    for _ in 0..TAGS_MAX {
        if !is_tag(ethertype) {
            return Some((ethertype, at));
        }
        ethertype = be16(bytes, at + 2)?;
        layers.has |= has::VLAN;
        at += TAG_LEN;
    }
    (!is_tag(ethertype)).then_some((ethertype, at))
}

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "eth",
    source: "IEEE 802.3",
    found: &[
        By::Link(super::LINKTYPE_ETHERNET),
        By::Gre(0x6558),
        By::Ip(143),
    ],
    carries: Some(|header| behind(header, LEN, header.u16(TYPE))),
    fields: &[
        hardware(
            "eth.dst",
            MacAt(DESTINATION),
            "Hardware addresses of receivers.",
        ),
        hardware("eth.src", MacAt(ORIGIN), "Hardware addresses of senders."),
        hardware(
            "eth.addr",
            In(both),
            "Hardware addresses of receivers and senders.",
        ),
        number(
            "eth.type",
            In(ethertype),
            "The type of what a frame carries.",
        ),
        number(
            "eth.len",
            In(length),
            "The length of what a frame carries, where it has no type.",
        ),
    ],
};

/// What stands behind a type or length: a protocol, or one of IEEE 802.2 and no more than the length.
pub(super) fn behind(header: &Header<'_>, at: usize, value: Option<u16>) -> Next {
    match value {
        // IPX right behind the length, without LLC.
        Some(length) if (1..TYPE_MIN).contains(&length) && header.u16(at) == Some(IPX) => {
            Next::last(at).of(at + usize::from(length))
        }
        Some(length) if (1..TYPE_MIN).contains(&length) => {
            Next::behind(at, By::Link(super::llc::LINK)).of(at + usize::from(length))
        }
        Some(ethertype) => Next::behind(at, By::Ethertype(ethertype)),
        None => Next::last(at),
    }
}

fn both(header: &Header<'_>, values: &mut Values) {
    let both = [header.mac(DESTINATION), header.mac(ORIGIN)];
    both.into_iter().flatten().for_each(|mac| values.mac(mac));
}

fn ethertype(header: &Header<'_>, values: &mut Values) {
    let value = header
        .u16(TYPE)
        .filter(|value| *value == 0 || *value >= TYPE_MIN);
    value.into_iter().for_each(|value| values.number(value));
}

fn length(header: &Header<'_>, values: &mut Values) {
    let value = header
        .u16(TYPE)
        .filter(|value| (1..=LENGTH_MAX).contains(value));
    value.into_iter().for_each(|value| values.number(value));
}

pub(super) static FIELDS: &[Field] = &[
    Field {
        def: FieldDef {
            name: "srcmac",
            aliases: &[],
            kind: Kind::Mac,
            summary: "Hardware address of the sender.",
            source: "IEEE 802.3",
        },
        fill: |f, s, c| macs(f, s, c, |bytes, frame| mac(bytes, frame, ORIGIN)),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "dstmac",
            aliases: &[],
            kind: Kind::Mac,
            summary: "Hardware address of the receiver.",
            source: "IEEE 802.3",
        },
        fill: |f, s, c| macs(f, s, c, |bytes, frame| mac(bytes, frame, DESTINATION)),
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "ethertype",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "The outer type field; absent where it is a length.",
            source: "IEEE 802.3",
        },
        fill: |f, s, c| {
            u16s(f, s, c, |bytes, frame| {
                let ethertype = be16(bytes, frame.start as usize + TYPE)?;
                (frame.layers.has & has::ETHERNET != 0 && ethertype >= TYPE_MIN)
                    .then_some(ethertype)
            })
        },
        frame_only: false,
    },
    Field {
        def: FieldDef {
            name: "vlan",
            aliases: &[],
            kind: Kind::Unsigned,
            summary: "The number of the VLAN: that of the first tag.",
            source: "IEEE 802.1Q",
        },
        fill: |f, s, c| {
            let tag = if is_planted("vlan-second-tag") {
                LEN + TAG_LEN
            } else {
                LEN
            };
            u16s(f, s, c, |bytes, frame| {
                let tag = be16(bytes, frame.start as usize + tag)?;
                (frame.layers.has & has::VLAN != 0).then_some(tag & 0xfff)
            })
        },
        frame_only: false,
    },
];

#[inline(always)]
fn mac(bytes: &[u8], frame: &super::Frame, at: usize) -> Option<Mac> {
    if frame.layers.has & has::ETHERNET == 0 {
        return None;
    }
    array(bytes, frame.start as usize + at).map(Mac)
}

#[cfg(test)]
mod tests {
    use super::super::load::field;

    #[test]
    fn reads_addresses_type_and_tag() {
        let mut bytes: Vec<u8> = (1..=12).collect();
        bytes.extend([0x81, 0x00, 0x20, 0x07, 0x12, 0x34]);
        assert_eq!(
            field(&bytes, "dstmac").as_deref(),
            Some("01:02:03:04:05:06")
        );
        assert_eq!(
            field(&bytes, "srcmac").as_deref(),
            Some("07:08:09:0a:0b:0c")
        );
        assert_eq!(field(&bytes, "ethertype").as_deref(), Some("33024"));
        assert_eq!(field(&bytes, "vlan").as_deref(), Some("7"));
        assert_eq!(field(&bytes[..17], "vlan"), None);
        assert_eq!(field(&bytes[..13], "srcmac"), None);
    }

    #[test]
    fn a_length_is_no_type() {
        let mut bytes = vec![0; 12];
        bytes.extend([0x00, 0x26, 0x42, 0x42]);
        assert_eq!(field(&bytes, "ethertype"), None);
        assert!(field(&bytes, "srcmac").is_some());
    }
}
