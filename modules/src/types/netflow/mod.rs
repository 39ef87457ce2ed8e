//! `netflow`: a record of a flow, as exporters send them and collectors keep them.
//!
//! All formats meet in one type. A record is a run of bytes with a [`Layout`], which says where which
//! element stands: that of a template, or one written down here for a format without templates. A
//! column is filled by looking up its elements in the layouts of a part and then loading; what no
//! query reads costs nothing.
//!
//! To add a format: a reader that makes [`Records`] with layouts of its own. To add a field: an
//! entry in `NAMED`; the elements of IANA's registry are fields as they are.

mod element;
mod elements;
mod fields;
mod layout;
mod load;
mod records;

pub use element::{END_PARTS, FRAME_LEN, INDEX, Key, OWN, REVERSE, SCOPE, SFLOW, START_PARTS, key};
pub use layout::{Field, Layout, Place, VARIABLE};
pub use records::{Header, PARTS_MAX, Records, Row};

use element::ElementType;
use elements::ELEMENTS;
use fields::{DURATION, END, From, NAMED, START};
use load::Places;
use std::any::Any;
use std::sync::LazyLock;
use wireq_typesys::{Bitmap, Column, FieldDef, Kind, RecordType};

/// The record type of flows.
pub struct Netflow;

const NAMED_SOURCE: &str = "NetFlow, IPFIX";
const ELEMENT_SOURCE: &str = "IANA ipfix";

/// Elements that are no aliases of a named field: fields of their own, behind the named ones.
static ELEMENT_FIELDS: LazyLock<Vec<&'static element::Element>> = LazyLock::new(|| {
    let is_alias = |name: &str| {
        let mut named = NAMED.iter();
        named.any(|field| field.name == name || field.aliases.contains(&name))
    };
    let elements = ELEMENTS.iter();
    elements.filter(|element| !is_alias(element.name)).collect()
});

static DEFS: LazyLock<Vec<FieldDef>> = LazyLock::new(|| {
    let named = NAMED.iter().map(|field| FieldDef {
        name: field.name,
        aliases: field.aliases,
        kind: field.kind,
        summary: field.summary,
        source: NAMED_SOURCE,
    });
    let elements = ELEMENT_FIELDS.iter().map(|element| FieldDef {
        name: element.name,
        aliases: &[],
        kind: element.kind.kind(),
        summary: element.summary,
        source: ELEMENT_SOURCE,
    });
    named.chain(elements).collect()
});

/// Fields from this number on are elements by key.
const BY_KEY: usize = 1 << 56;

impl RecordType for Netflow {
    fn name(&self) -> &'static str {
        "netflow"
    }

    fn summary(&self) -> &'static str {
        "A record of a flow: NetFlow, IPFIX, sFlow, nfcapd. Any element is a field: by the name that IANA has for it, `reverseNAME` for the other direction (RFC 5103), `ie.NUMBER` or `ie.ENTERPRISE.NUMBER` for its bytes."
    }

    fn fields(&self) -> &'static [FieldDef] {
        &DEFS
    }

    fn summary_fields(&self) -> &'static [&'static str] {
        &[
            "start",
            "duration",
            "srcip",
            "srcport",
            "dstip",
            "dstport",
            "ipprotocol",
            "packets",
            "bytes",
        ]
    }

    fn resolve(&self, name: &str) -> Option<(usize, Kind)> {
        if let Some(field) = self.field(name) {
            return Some((field, DEFS[field].kind));
        }
        if let Some(key) = numbered(name) {
            return Some((BY_KEY | key as usize, Kind::Bytes));
        }
        let (key, element) = element::by_name(name)?;
        // The bytes of an element by its number, its value by its name.
        Some((BY_KEY | VALUE | key as usize, element.kind.kind()))
    }

    fn fill(
        &self,
        rows: &(dyn Any + Send + Sync),
        field: usize,
        selection: &Bitmap,
        column: &mut Column,
    ) {
        let Some(records) = rows.downcast_ref::<Records>() else {
            return;
        };
        if field >= BY_KEY {
            let key = (field & (VALUE - 1)) as Key;
            let kind = element::of_key(key).filter(|_| field & VALUE != 0);
            let kind = kind.map_or(ElementType::OctetArray, |element| element.kind);
            return fill_element(records, key, kind, selection, column);
        }
        match NAMED.get(field) {
            Some(named) => fill_named(records, named, selection, column),
            None => {
                if let Some(element) = ELEMENT_FIELDS.get(field - NAMED.len()) {
                    fill_element(records, key(0, element.id), element.kind, selection, column);
                }
            }
        }
    }
}

/// Of fields by key: whether the value is read as what the registry says.
const VALUE: usize = 1 << 55;

/// The key that `ie.NUMBER` or `ie.ENTERPRISE.NUMBER` stands for.
fn numbered(name: &str) -> Option<Key> {
    let rest = name.strip_prefix("ie.")?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (enterprise, id) = rest.split_once('.').unwrap_or(("0", rest));
    if !digits(enterprise) || !digits(id) {
        return None;
    }
    Some(key(enterprise.parse().ok()?, id.parse().ok()?))
}

fn fill_named(records: &Records, named: &fields::Named, selection: &Bitmap, column: &mut Column) {
    let len = records.rows.len();
    match named.from {
        From::Number(width, keys, fallback) => {
            let places = Places::find(records, keys);
            load::numbers(records, &places, width, fallback, selection, column);
            if let Kind::Named(names) = named.kind {
                column.names = Some(names);
            }
        }
        From::Address(keys, fallback) => {
            let places = Places::find(records, keys);
            load::addresses(records, &places, fallback, selection, column);
        }
        From::Time(keys, fallback) => {
            let places = Places::find(records, keys);
            load::times(records, &places, fallback, selection, column);
        }
        From::Mac(keys) => {
            load::macs(records, &Places::find(records, keys), selection, column);
        }
        From::Duration => {
            let [start, end, said] = [START, END, DURATION].map(|keys| Places::find(records, keys));
            load::durations(records, [&start, &end, &said], selection, column);
        }
        From::Template => {
            let filled = column.refill_u16(len);
            load::of_layouts(records, selection, filled, |layout| {
                (layout.template > 0).then_some(layout.template)
            });
        }
        From::Options => {
            let filled = column.refill_bool(len);
            load::of_layouts(records, selection, filled, |layout| {
                layout.options.then_some(true)
            });
        }
    }
}

fn fill_element(
    records: &Records,
    key: Key,
    kind: ElementType,
    selection: &Bitmap,
    column: &mut Column,
) {
    let places = Places::find(records, &[key]);
    match kind.kind() {
        Kind::Unsigned => {
            let width = kind.width().unwrap_or(8);
            load::numbers(records, &places, width, None, selection, column);
        }
        Kind::Signed => load::signed(records, &places, selection, column),
        Kind::Double => load::doubles(records, &places, selection, column),
        Kind::Bool => load::bools(records, &places, selection, column),
        Kind::Mac => load::macs(records, &places, selection, column),
        Kind::Address => load::addresses(records, &places, None, selection, column),
        Kind::Time => load::times(records, &places, None, selection, column),
        kind => load::slices(records, &places, kind, selection, column),
    }
}
