//! Field paths: `srcip`, `tcp.flags`, `ts.sec`, `payload.length`.

use crate::CONVERSIONS;
use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// A field and the conversions applied to it, as written: names joined by dots. Which leading
/// part names the field and which trailing parts are conversions depends on the shape it meets
/// (`tcp.flags` is one field of a packet).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Arc<str>);

impl FieldPath {
    /// A path from its text.
    pub fn new(text: &str) -> FieldPath {
        FieldPath(text.into())
    }

    /// The whole path as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// All ways to read the path as a field name and the conversions behind it, the longest name
    /// first.
    pub fn readings(&self) -> impl Iterator<Item = (&str, &str)> {
        let text = self.as_str();
        std::iter::once((text, "")).chain(
            text.rmatch_indices('.')
                .map(move |(at, _)| (&text[..at], &text[at + 1..])),
        )
    }

    /// The path of one more conversion.
    pub fn join(&self, conversion: &str) -> FieldPath {
        FieldPath(format!("{}.{conversion}", self.0).into())
    }

    /// Whether this is the field of a name, or conversions of it: what is no conversion is another
    /// field, as `vlan.id` beside `vlan`.
    pub fn is_of(&self, name: &FieldPath) -> bool {
        let is_conversion = |name: &str| CONVERSIONS.iter().any(|known| known.name == name);
        let conversions = self
            .below(name)
            .map(|rest| rest.split('.').all(is_conversion));
        self == name || conversions == Some(true)
    }

    /// What follows `prefix.` in this path.
    pub fn below(&self, prefix: &FieldPath) -> Option<&str> {
        self.0.strip_prefix(&*prefix.0)?.strip_prefix('.')
    }
}

impl From<&str> for FieldPath {
    fn from(text: &str) -> FieldPath {
        FieldPath::new(text)
    }
}

/// Paths are equal, ordered and hashed as their texts are.
impl Borrow<str> for FieldPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_longest_name_first() {
        let path = FieldPath::new("tcp.flags.hex");
        let readings: Vec<_> = path.readings().collect();
        assert_eq!(
            readings,
            [
                ("tcp.flags.hex", ""),
                ("tcp.flags", "hex"),
                ("tcp", "flags.hex")
            ]
        );
        assert_eq!(path.below(&"tcp".into()), Some("flags.hex"));
        assert_eq!(path.below(&"tcp.fl".into()), None);
        for (path, name, is_of) in [
            ("vlan", "vlan", true),
            ("vlan.id", "vlan", false),
            ("ts.time.sec", "ts", true),
            ("ts.time.id", "ts", false),
            ("tss.sec", "ts", false),
        ] {
            assert_eq!(FieldPath::new(path).is_of(&name.into()), is_of, "{path}");
        }
    }
}
