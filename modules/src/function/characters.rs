//! Functions of single characters, and of those at the ends of a text.

use super::support::*;
use super::text::TEXT;
use wireq_typesys::{Kind, Value};

const CHARACTERS: FunctionParameter = optional(
    "CHARACTERS",
    Kind::Text,
    "Which characters go; spaces of any width unless given.",
);

pub(super) static TRIM: Function = Function {
    name: "trim",
    summary: "The text without spaces, or other characters, at its ends.",
    parameters: &[TEXT, CHARACTERS],
    strict: true,
    kind: |kinds| takes_text(&TRIM, kinds),
    call: |values, _| trim(values, true, true).unwrap_or_default(),
    examples: &[("trim('  ab ')", "ab"), ("trim('>>test<<', '><')", "test")],
};

pub(super) static LTRIM: Function = Function {
    name: "ltrim",
    summary: "The text without spaces, or other characters, at its beginning.",
    parameters: &[TEXT, CHARACTERS],
    strict: true,
    kind: |kinds| takes_text(&LTRIM, kinds),
    call: |values, _| trim(values, true, false).unwrap_or_default(),
    examples: &[
        ("ltrim('  ab')", "ab"),
        ("ltrim('>>test<<', '><')", "test<<"),
    ],
};

pub(super) static RTRIM: Function = Function {
    name: "rtrim",
    summary: "The text without spaces, or other characters, at its end.",
    parameters: &[TEXT, CHARACTERS],
    strict: true,
    kind: |kinds| takes_text(&RTRIM, kinds),
    call: |values, _| trim(values, false, true).unwrap_or_default(),
    examples: &[
        ("rtrim('ab  ')", "ab"),
        ("rtrim('>>test<<', '><')", ">>test"),
    ],
};

/// Which characters a set has. Look-ups cost the same however many there are.
enum Set {
    Spaces,
    /// A bit for each byte.
    Bytes([u64; 4]),
    Characters(Vec<char>),
}

impl Set {
    fn new(text: &Text<'_>) -> Set {
        if let Some(wide) = text.wide() {
            let mut characters: Vec<char> = wide.chars().collect();
            characters.sort_unstable();
            return Set::Characters(characters);
        }
        let mut set = [0; 4];
        text.bytes()
            .iter()
            .for_each(|byte| set[usize::from(byte >> 6)] |= 1 << (byte & 63));
        Set::Bytes(set)
    }

    fn has(&self, c: char) -> bool {
        match self {
            Set::Spaces => matches!(
                c,
                ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
                    ..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
            ),
            Set::Bytes(_) => c.is_ascii() && self.has_byte(c as u8),
            Set::Characters(characters) => characters.binary_search(&c).is_ok(),
        }
    }

    fn has_byte(&self, byte: u8) -> bool {
        match self {
            Set::Bytes(set) => set[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1,
            _ => byte.is_ascii() && self.has(char::from(byte)),
        }
    }
}

fn trim(values: &[Value], left: bool, right: bool) -> Option<Value> {
    let text = text(values, 0)?;
    let set = match values.get(1) {
        Some(_) => Set::new(&self::text(values, 1)?),
        None => Set::Spaces,
    };
    if let Some(mut wide) = text.wide() {
        let has = |c: char| set.has(c);
        if left {
            wide = wide.trim_start_matches(has);
        }
        if right {
            wide = wide.trim_end_matches(has);
        }
        return Some(text.give(wide.as_bytes()));
    }
    let mut bytes = text.bytes();
    while let [first, rest @ ..] = bytes
        && left
        && set.has_byte(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && right
        && set.has_byte(*last)
    {
        bytes = rest;
    }
    Some(text.give(bytes))
}

pub(super) static TRANSLATE: Function = Function {
    name: "translate",
    summary: "The text with each of some characters replaced by the one that stands at its place.",
    parameters: &[
        TEXT,
        one("FROM", Kind::Text, "The characters that are replaced."),
        one(
            "TO",
            Kind::Text,
            "What they become, in the same order; where none is left, nothing.",
        ),
    ],
    strict: true,
    kind: |kinds| takes_text(&TRANSLATE, kinds),
    call: |values, _| translate(values).unwrap_or_default(),
    examples: &[
        ("translate('hello', 'el', 'ip')", "hippo"),
        ("translate('10-20', '-', '')", "1020"),
    ],
};

fn translate(values: &[Value]) -> Option<Value> {
    let texts = (text(values, 0)?, text(values, 1)?, text(values, 2)?);
    let utf8 = |text: &Text<'_>| std::str::from_utf8(text.bytes()).is_ok();
    let (text, from, to) = &texts;
    let all_wide = utf8(text) && utf8(from) && utf8(to);
    let any_wide = text.wide().is_some() || from.wide().is_some() || to.wide().is_some();
    let bytes = match all_wide && any_wide {
        true => replaced(text, from, to, |bytes| {
            std::str::from_utf8(bytes).unwrap_or_default().chars()
        }),
        // As characters of one byte, which are written as such.
        false => replaced_bytes(text.bytes(), from.bytes(), to.bytes()),
    };
    Some(text.give_shared(bytes?))
}

fn replaced<'a, I: Iterator<Item = char>>(
    text: &'a Text<'_>,
    from: &'a Text<'_>,
    to: &'a Text<'_>,
    characters: impl Fn(&'a [u8]) -> I,
) -> Option<std::sync::Arc<[u8]>> {
    let to = characters(to.bytes())
        .map(Some)
        .chain(std::iter::repeat(None));
    let mut table: Vec<(char, Option<char>)> = characters(from.bytes()).zip(to).collect();
    // Of several for one character the first stands.
    table.sort_by_key(|(from, _)| *from);
    table.dedup_by_key(|(from, _)| *from);
    written(|out| {
        let mut buffer = [0; 4];
        for c in characters(text.bytes()) {
            let new = match table.binary_search_by_key(&c, |(from, _)| *from) {
                Ok(at) => table[at].1,
                Err(_) => Some(c),
            };
            if let Some(new) = new {
                out.extend_from_slice(new.encode_utf8(&mut buffer).as_bytes());
            }
        }
        Some(())
    })
}

fn replaced_bytes(text: &[u8], from: &[u8], to: &[u8]) -> Option<std::sync::Arc<[u8]>> {
    let mut table: [Option<Option<u8>>; 256] = [None; 256];
    for (at, byte) in from.iter().enumerate() {
        table[usize::from(*byte)].get_or_insert(to.get(at).copied());
    }
    written(|out| {
        let new = |byte: &u8| table[usize::from(*byte)].unwrap_or(Some(*byte));
        out.extend(text.iter().filter_map(new));
        Some(())
    })
}

pub(super) static CHR: Function = Function {
    name: "chr",
    summary: "The character of a code point.",
    parameters: &[one(
        "CODE",
        Kind::Signed,
        "The number of the code point in Unicode.",
    )],
    strict: true,
    kind: |kinds| takes(&CHR, kinds, Kind::Text),
    call: |values, _| {
        let code = integer(values, 0).and_then(|code| u32::try_from(code).ok());
        let character = code.and_then(char::from_u32);
        character.map_or(Value::Absent, |c| Value::text(c.encode_utf8(&mut [0; 4])))
    },
    examples: &[("chr(65)", "A"), ("chr(937)", "Ω"), ("chr(-1)", "")],
};

pub(super) static ORD: Function = Function {
    name: "ord",
    summary: "The code point of the first character; -1 where there is none.",
    parameters: &[TEXT],
    strict: true,
    kind: |kinds| takes(&ORD, kinds, Kind::Signed),
    call: |values, _| first(values, -1),
    examples: &[("ord('Ω')", "937"), ("ord('')", "-1")],
};

pub(super) static UNICODE: Function = Function {
    name: "unicode",
    examples: &[("unicode('A')", "65"), ("unicode('')", "-1")],
    ..ORD
};

pub(super) static ASCII: Function = Function {
    name: "ascii",
    summary: "The code point of the first character; 0 where there is none.",
    parameters: &[TEXT],
    strict: true,
    kind: |kinds| takes(&ASCII, kinds, Kind::Signed),
    call: |values, _| first(values, 0),
    examples: &[("ascii('A')", "65"), ("ascii('')", "0")],
};

fn first(values: &[Value], none: i128) -> Value {
    let Some(text) = text(values, 0) else {
        return Value::Absent;
    };
    Value::Integer(match (text.wide(), text.bytes()) {
        (_, []) => none,
        (Some(wide), _) => wide.chars().next().map_or(none, |c| u32::from(c).into()),
        (None, [first, ..]) => (*first).into(),
    })
}
