//! The keywords of rules: each is understood, or refused by its name.

mod buffers;
mod byte;
mod content;
mod flags;
mod isdataat;
mod meta;
mod numbers;
mod pcre;
mod translate;

use super::draft::Draft;
#[cfg(test)]
pub use pcre::translated;

/// What is done with a keyword.
#[derive(Clone, Copy)]
pub enum Read {
    /// It is read.
    Option(fn(&mut Draft, &[u8]) -> Result<(), String>),
    /// It says nothing of packets.
    Said,
    /// It is read, and is about something that packets alone don't show.
    InBuffer(fn(&mut Draft, &[u8]) -> Result<(), String>),
    /// It makes what follows be about such a thing.
    Buffer,
    /// It makes the content before it be about such a thing.
    OfBuffer,
    /// It makes what follows be about the payload again.
    Payload,
    /// It can't be understood on single packets: why.
    Refused(&'static str),
}

/// A keyword.
pub struct Keyword {
    /// Its name.
    pub name: &'static str,
    /// What is done with it.
    pub read: Read,
}

static LISTS: &[&[Keyword]] = &[
    meta::KEYWORDS,
    content::KEYWORDS,
    pcre::KEYWORDS,
    isdataat::KEYWORDS,
    byte::KEYWORDS,
    numbers::KEYWORDS,
    flags::KEYWORDS,
    buffers::KEYWORDS,
];

/// All keywords.
pub fn all() -> impl Iterator<Item = &'static Keyword> {
    LISTS.iter().copied().flatten()
}

/// What is done with the keyword of this name.
pub fn find(name: &str) -> Read {
    let known = all().find(|keyword| keyword.name == name);
    match known {
        Some(keyword) => keyword.read,
        // `http.uri`, `tls.sni`: later versions add more of these than anything else.
        None if buffers::is_buffer(name) => Read::Buffer,
        None => Read::Refused("is no keyword that is known"),
    }
}

/// A value as text.
fn text(value: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(value).map_err(|_| "has a value that is no text".to_owned())
}

/// A value without the quotes around it.
fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => value,
    }
}

/// A value without the `!` before it, and whether there is one.
fn negation(value: &[u8]) -> (bool, &[u8]) {
    match value.split_first() {
        Some((b'!', rest)) => (true, rest.trim_ascii_start()),
        _ => (false, value),
    }
}

/// A whole number, decimal.
fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    let wrong = || format!("has `{text}` where a whole number stands");
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    text.parse().map_err(|_| wrong())
}

/// A whole number, decimal, `0x` hexadecimal or `0` octal.
fn number_of_base(text: &str) -> Result<u64, String> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, base) = match hex {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let number = u64::from_str_radix(digits, base).ok().filter(|_| plain);
    number.ok_or_else(|| format!("has `{text}` where a whole number stands"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_one_meaning() {
        let mut names: Vec<&str> = all().map(|keyword| keyword.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
