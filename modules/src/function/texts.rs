//! Texts as functions see them.

use std::borrow::Cow;
use std::sync::Arc;
use wireq_typesys::Value;

/// A text and what is a character in it: in text that is UTF-8 a code point; in bytes, and in text
/// that is not UTF-8, a byte.
pub(super) struct Text<'a> {
    source: &'a Value,
    bytes: Cow<'a, [u8]>,
}

impl<'a> Text<'a> {
    /// None where the value is neither text nor bytes nor a name.
    pub(super) fn of(source: &'a Value) -> Option<Text<'a>> {
        let bytes = match source {
            Value::Bytes(bytes) | Value::Text(bytes) => Cow::Borrowed(&**bytes),
            Value::Named(number, names) => match names.get(*number) {
                Some(name) => Cow::Borrowed(name.as_bytes()),
                None => Cow::Owned(number.to_string().into_bytes()),
            },
            _ => return None,
        };
        Some(Text { source, bytes })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text where characters are code points and some are longer than a byte.
    pub(super) fn wide(&self) -> Option<&str> {
        if matches!(self.source, Value::Bytes(_)) || self.bytes.is_ascii() {
            return None;
        }
        std::str::from_utf8(&self.bytes).ok()
    }

    /// Whether characters are code points.
    pub(super) fn is_utf8(&self) -> bool {
        !matches!(self.source, Value::Bytes(_)) && std::str::from_utf8(&self.bytes).is_ok()
    }

    /// How many characters there are.
    pub(super) fn length(&self) -> usize {
        self.length_before(self.bytes.len())
    }

    /// How many characters begin before a byte.
    pub(super) fn length_before(&self, at: usize) -> usize {
        match self.wide() {
            Some(wide) => wide.get(..at).map_or(0, |before| before.chars().count()),
            None => at,
        }
    }

    /// Bytes as a value of the kind that the text is.
    pub(super) fn give(&self, bytes: &[u8]) -> Value {
        if bytes.len() == self.bytes.len() && bytes == self.bytes() {
            return self.itself();
        }
        self.give_shared(bytes.into())
    }

    /// As [`Text::give`], for bytes that nobody else has.
    pub(super) fn give_shared(&self, bytes: Arc<[u8]>) -> Value {
        match self.source {
            Value::Bytes(_) => Value::Bytes(bytes),
            _ => Value::Text(bytes),
        }
    }

    /// The text as it is.
    pub(super) fn itself(&self) -> Value {
        match self.source {
            Value::Named(..) => Value::Text(self.bytes().into()),
            source => source.clone(),
        }
    }

    /// The characters from one number, counted from 0, up to another one.
    pub(super) fn between(&self, start: i128, end: i128) -> Value {
        let number = |at: i128| usize::try_from(at.max(0)).unwrap_or(usize::MAX);
        let (start, end) = (number(start), number(end));
        let place = |at: usize| match self.wide() {
            Some(wide) => {
                let mut places = wide.char_indices().map(|(place, _)| place);
                places.nth(at).unwrap_or(wide.len())
            }
            None => at.min(self.bytes.len()),
        };
        let bytes = self.bytes().get(place(start)..place(end));
        self.give(bytes.unwrap_or_default())
    }
}
