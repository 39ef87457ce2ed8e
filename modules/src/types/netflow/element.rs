//! Information elements: what the fields of flow records are called and how they are written.
//!
//! An element has a number in the space of an enterprise; 0 is IANA's. [`Key`] is both in one.

use super::elements::ELEMENTS;
use wireq_typesys::Kind;

/// An element: the enterprise's number above the 16 bits of the element's own.
pub type Key = u64;

/// The enterprise whose elements are those of IANA in the other direction of a flow (RFC 5103).
pub const REVERSE: u32 = 29305;

/// The enterprise number under which fields stand here that no registry has: it is reserved, so that
/// no template can name it.
pub const OWN: u32 = u32::MAX;

/// The key of an element.
pub const fn key(enterprise: u32, id: u16) -> Key {
    (enterprise as u64) << 16 | id as u64
}

/// The number of a record of SMACQ's cflow.
pub const INDEX: Key = key(OWN, 1);
/// The bytes of a sampled frame on the wire.
pub const FRAME_LEN: Key = key(OWN, 4);
/// The version that records of sFlow have, whose own is 5.
pub const SFLOW: u8 = 105;
/// The first and last time of a flow in layout 1 of nfdump: 12 bytes, the milliseconds of both, then
/// the seconds of both.
pub const START_PARTS: Key = key(OWN, 2);
/// See [`START_PARTS`].
pub const END_PARTS: Key = key(OWN, 3);
/// The scopes of NetFlow v9's options, by their number there (RFC 3954, section 6.1).
pub const SCOPE: [Key; 6] = [
    key(OWN, 16),
    key(OWN, 17),
    key(OWN, 18),
    key(OWN, 19),
    key(OWN, 20),
    key(OWN, 21),
];

/// One element of the registry.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) id: u16,
    pub(super) name: &'static str,
    pub(super) kind: ElementType,
    pub(super) summary: &'static str,
}

/// The abstract data types of RFC 7012, RFC 6313 and RFC 9740.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ElementType {
    OctetArray,
    Unsigned8,
    Unsigned16,
    Unsigned32,
    Unsigned64,
    Unsigned256,
    Signed32,
    Float64,
    Boolean,
    MacAddress,
    String,
    DateTimeSeconds,
    DateTimeMilliseconds,
    DateTimeMicroseconds,
    DateTimeNanoseconds,
    Ipv4Address,
    Ipv6Address,
    BasicList,
    SubTemplateList,
    SubTemplateMultiList,
}

impl ElementType {
    /// What a column of such elements holds.
    pub(super) fn kind(self) -> Kind {
        match self {
            ElementType::Unsigned8
            | ElementType::Unsigned16
            | ElementType::Unsigned32
            | ElementType::Unsigned64 => Kind::Unsigned,
            ElementType::Signed32 => Kind::Signed,
            ElementType::Float64 => Kind::Double,
            ElementType::Boolean => Kind::Bool,
            ElementType::MacAddress => Kind::Mac,
            ElementType::String => Kind::Text,
            ElementType::Ipv4Address | ElementType::Ipv6Address => Kind::Address,
            kind if kind.unit().is_some() => Kind::Time,
            _ => Kind::Bytes,
        }
    }

    /// How a time is counted.
    pub(super) fn unit(self) -> Option<Unit> {
        Some(match self {
            ElementType::DateTimeSeconds => Unit::Seconds,
            ElementType::DateTimeMilliseconds => Unit::Milliseconds,
            // Both are NTP's format (RFC 7011, sections 6.1.9 and 6.1.10).
            ElementType::DateTimeMicroseconds | ElementType::DateTimeNanoseconds => Unit::Ntp,
            _ => return None,
        })
    }

    /// The bytes of a number as the registry has it; none of what is no number.
    pub(super) fn width(self) -> Option<usize> {
        Some(match self {
            ElementType::Unsigned8 => 1,
            ElementType::Unsigned16 => 2,
            ElementType::Unsigned32 => 4,
            ElementType::Unsigned64 => 8,
            _ => return None,
        })
    }
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// Seconds since 1900, then a fraction of 2^32.
    Ntp,
    /// Milliseconds since the exporter started.
    Uptime,
    /// Microseconds before the message was exported.
    BeforeExport,
    /// The first of [`START_PARTS`].
    StartParts,
    /// The second of them.
    EndParts,
}

/// The element of IANA's with this number.
pub(super) fn element(id: u16) -> Option<&'static Element> {
    let at = ELEMENTS.partition_point(|element| element.id < id);
    ELEMENTS.get(at).filter(|element| element.id == id)
}

/// The element with this name, and whether it is that of the other direction.
pub(super) fn by_name(name: &str) -> Option<(Key, &'static Element)> {
    let named = |name: &str| ELEMENTS.iter().find(|element| element.name == name);
    if let Some(element) = named(name) {
        return Some((key(0, element.id), element));
    }
    // `reverseOctetDeltaCount` is the octetDeltaCount of the other direction.
    let rest = name.strip_prefix("reverse")?;
    let same = |element: &&Element| {
        let (first, other) = (element.name.get(..1), rest.get(..1));
        let heads = first.zip(other);
        heads.is_some_and(|(a, b)| a.to_ascii_uppercase() == b)
            && element.name.get(1..) == rest.get(1..)
    };
    let element = ELEMENTS.iter().find(same)?;
    Some((key(REVERSE, element.id), element))
}

/// The element that a key stands for, in either direction.
pub(super) fn of_key(key: Key) -> Option<&'static Element> {
    let enterprise = (key >> 16) as u32;
    (enterprise == 0 || enterprise == REVERSE).then(|| element(key as u16))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_ascends_and_has_every_type() {
        assert!(ELEMENTS.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert_eq!(element(4).map(|e| e.name), Some("protocolIdentifier"));
        assert_eq!(element(65).map(|e| e.name), None);
        assert_eq!(element(150).map(|e| e.kind.kind()), Some(Kind::Time));
        assert_eq!(element(311).map(|e| e.kind.kind()), Some(Kind::Double));
        assert_eq!(element(515).map(|e| e.kind.kind()), Some(Kind::Bytes));
    }

    #[test]
    fn names_of_the_other_direction() {
        let (key_of, element) = by_name("reverseOctetDeltaCount").unwrap();
        assert_eq!((key_of, element.id), (key(29305, 1), 1));
        assert_eq!(by_name("octetDeltaCount").map(|(k, _)| k), Some(1));
        assert!(by_name("reverse").is_none());
        assert!(by_name("reverseoctetDeltaCount").is_none());
    }
}
