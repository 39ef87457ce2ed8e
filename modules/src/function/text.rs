//! Functions of texts as a whole.

use super::support::*;
use memchr::memmem;
use std::sync::Arc;
use wireq_typesys::{Kind, Value, Zone};

pub(super) const TEXT: FunctionParameter = one("TEXT", Kind::Text, "The text.");

/// What a function of one text gives.
fn of_text(values: &[Value], function: impl FnOnce(&Text) -> Value) -> Value {
    text(values, 0).map_or(Value::Absent, |text| function(&text))
}

pub(super) static LENGTH: Function = Function {
    name: "length",
    summary: "How many characters a text has, how many bytes bytes are, or how many values a list has.",
    parameters: &[one("VALUE", Kind::Dynamic, "Text, bytes or a list.")],
    strict: true,
    kind: |kinds| match kinds {
        [Kind::Text | Kind::Bytes | Kind::Named(_) | Kind::Dynamic | Kind::List(_)] => {
            Ok(Kind::Unsigned)
        }
        [kind] => Err(format!(
            "VALUE must be text, bytes or a list, not {}",
            describe(*kind)
        )),
        _ => Ok(Kind::Unsigned),
    },
    call: |values, _| match argument(values, 0) {
        Value::List(values) => count(values.len()),
        _ => of_text(values, |text| count(text.length())),
    },
    examples: &[("length('Hello')", "5"), ("length('größe')", "5")],
};

pub(super) static LEN: Function = Function {
    name: "len",
    examples: &[("len('Hello')", "5"), ("len('')", "0")],
    ..LENGTH
};

pub(super) static BYTE_LENGTH: Function = Function {
    name: "byte_length",
    summary: "How many bytes a text takes.",
    parameters: &[TEXT],
    strict: true,
    kind: |kinds| takes(&BYTE_LENGTH, kinds, Kind::Unsigned),
    call: |values, _| of_text(values, |text| count(text.bytes().len())),
    examples: &[("byte_length('Hello')", "5"), ("byte_length('größe')", "7")],
};

pub(super) static OCTET_LENGTH: Function = Function {
    name: "octet_length",
    examples: &[("octet_length('abc')", "3"), ("octet_length('é')", "2")],
    ..BYTE_LENGTH
};

pub(super) static STRLEN: Function = Function {
    name: "strlen",
    examples: &[("strlen('abc')", "3"), ("strlen('é')", "2")],
    ..BYTE_LENGTH
};

pub(super) fn count(count: usize) -> Value {
    Value::Integer(count as i128)
}

pub(super) static UPPER: Function = Function {
    name: "upper",
    summary: "The text in upper case; of bytes, ASCII letters.",
    parameters: &[TEXT],
    strict: true,
    kind: |kinds| takes_text(&UPPER, kinds),
    call: |values, _| {
        of_text(values, |text| {
            in_case(text, <[u8]>::make_ascii_uppercase, upper)
        })
    },
    examples: &[("upper('Hello')", "HELLO"), ("upper('größe')", "GRÖẞE")],
};

pub(super) static LOWER: Function = Function {
    name: "lower",
    summary: "The text in lower case; of bytes, ASCII letters.",
    parameters: &[TEXT],
    strict: true,
    kind: |kinds| takes_text(&LOWER, kinds),
    call: |values, _| {
        of_text(values, |text| {
            in_case(text, <[u8]>::make_ascii_lowercase, lower)
        })
    },
    examples: &[("lower('Hello')", "hello"), ("lower('GRÖẞE')", "größe")],
};

/// One character in upper case. Where a language writes several, the one that is of both cases, or
/// the character itself.
fn upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    let behind = |distance: u32| char::from_u32(u32::from(c) + distance).unwrap_or(c);
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => match c {
            'ß' => 'ẞ',
            'ᾀ'..='ᾇ' | 'ᾐ'..='ᾗ' | 'ᾠ'..='ᾧ' => behind(8),
            'ᾳ' | 'ῃ' | 'ῳ' => behind(9),
            _ => c,
        },
    }
}

/// One character in lower case.
fn lower(c: char) -> char {
    // The first of several is the letter without its combining marks.
    c.to_lowercase().next().unwrap_or(c)
}

fn in_case(text: &Text, ascii: fn(&mut [u8]), wide: fn(char) -> char) -> Value {
    let Some(characters) = text.wide() else {
        let mut bytes: Arc<[u8]> = text.bytes().into();
        Arc::get_mut(&mut bytes).map(ascii);
        return text.give_shared(bytes);
    };
    written_text(|out| write_characters(characters.chars().map(wide), out))
}

fn write_characters(characters: impl Iterator<Item = char>, out: &mut Vec<u8>) {
    let mut buffer = [0; 4];
    for c in characters {
        out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
    }
}

/// Writes a text in lower case.
pub(super) fn write_lower(text: &Text, out: &mut Vec<u8>) {
    match text.wide() {
        Some(wide) => write_characters(wide.chars().map(lower), out),
        None => out.extend(text.bytes().iter().map(u8::to_ascii_lowercase)),
    }
}

pub(super) static REVERSE: Function = Function {
    name: "reverse",
    summary: "The characters of the text from last to first.",
    parameters: &[TEXT],
    strict: true,
    kind: |kinds| takes_text(&REVERSE, kinds),
    call: |values, _| of_text(values, reverse),
    examples: &[("reverse('hello')", "olleh"), ("reverse('größe')", "eßörg")],
};

fn reverse(text: &Text) -> Value {
    let Some(characters) = text.wide() else {
        let mut bytes: Arc<[u8]> = text.bytes().into();
        Arc::get_mut(&mut bytes).map(<[u8]>::reverse);
        return text.give_shared(bytes);
    };
    written_text(|out| write_characters(characters.chars().rev(), out))
}

pub(super) static CONCAT: Function = Function {
    name: "concat",
    summary: "The values one after another as text; those that are absent are left out.",
    parameters: &[any("VALUE", Kind::Dynamic, "What stands in the text.")],
    strict: false,
    kind: |kinds| takes(&CONCAT, kinds, Kind::Text),
    call: |values, zone| written_text(|out| join(b"", values, zone, out)),
    examples: &[
        ("concat('Hello', ' ', 'World')", "Hello World"),
        ("concat('port ', null, 80)", "port 80"),
    ],
};

pub(super) static CONCAT_STRICT: Function = Function {
    name: "concat_strict",
    summary: "The values one after another as text, absent where one of them is: what || does in SELECT.",
    parameters: &[any("VALUE", Kind::Dynamic, "What stands in the text.")],
    strict: true,
    kind: |kinds| takes(&CONCAT_STRICT, kinds, Kind::Text),
    call: CONCAT.call,
    examples: &[
        ("concat_strict('port ', 80)", "port 80"),
        ("concat_strict('port ', null, 80)", ""),
    ],
};

pub(super) static CONCAT_WS: Function = Function {
    name: "concat_ws",
    summary: "The values as text with a separator between them; those that are absent are left out.",
    parameters: &[
        one("SEPARATOR", Kind::Text, "What stands between them."),
        any("VALUE", Kind::Dynamic, "What stands in the text."),
    ],
    strict: false,
    kind: |kinds| takes(&CONCAT_WS, kinds, Kind::Text),
    call: |values, zone| {
        of_text(values, |separator| {
            written_text(|out| join(separator.bytes(), &values[1..], zone, out))
        })
    },
    examples: &[
        ("concat_ws(', ', 'Banana', 'Apple')", "Banana, Apple"),
        ("concat_ws('-', 1, null, 2)", "1-2"),
    ],
};

fn join(separator: &[u8], values: &[Value], zone: &Zone, out: &mut Vec<u8>) {
    let there = values.iter().filter(|value| !value.is_absent());
    for (at, value) in there.enumerate() {
        if at > 0 {
            out.extend_from_slice(separator);
        }
        write_raw(value, zone, out);
    }
}

pub(super) static REPLACE: Function = Function {
    name: "replace",
    summary: "The text with another one for each occurrence of a part; absent where that is more than 1 MiB longer.",
    parameters: &[
        TEXT,
        one("PART", Kind::Text, "What is replaced."),
        one("BY", Kind::Text, "What stands there instead."),
    ],
    strict: true,
    kind: |kinds| takes_text(&REPLACE, kinds),
    call: |values, _| replace(values).unwrap_or_default(),
    examples: &[
        ("replace('hello', 'l', '-')", "he--o"),
        ("replace('abc', '', 'x')", "abc"),
    ],
};

fn replace(values: &[Value]) -> Option<Value> {
    let (text, part, by) = (text(values, 0)?, text(values, 1)?, text(values, 2)?);
    let finder = memmem::Finder::new(part.bytes());
    let found = finder.find(text.bytes());
    if part.bytes().is_empty() || found.is_none() {
        return Some(text.itself());
    }
    let most = text.bytes().len().saturating_add(BYTES_MAX);
    let bytes = written(|out| {
        let mut from = 0;
        for at in finder.find_iter(text.bytes()) {
            out.extend_from_slice(text.bytes().get(from..at)?);
            out.extend_from_slice(by.bytes());
            from = at + part.bytes().len();
            if out.len() > most {
                return None;
            }
        }
        out.extend_from_slice(text.bytes().get(from..)?);
        Some(())
    });
    Some(text.give_shared(bytes?))
}
