//! The kinds of value a field can have.

use std::fmt;

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Bool,
    /// An integer that may be negative, up to 128 bits wide.
    Signed,
    /// An integer from 0.
    Unsigned,
    /// A 64-bit floating-point number.
    Double,
    /// A point in time: nanoseconds since 1970.
    Time,
    /// A length of time in nanoseconds.
    Duration,
    /// An IPv4 or IPv6 address.
    Address,
    /// An address block such as `10.0.0.0/8`.
    Prefix,
    /// A 48-bit hardware address.
    Mac,
    /// Any bytes.
    Bytes,
    /// Bytes that are meant to be read.
    Text,
    /// An unsigned number some of whose values have names, such as a protocol number.
    Named(&'static Names),
    /// Several values of one kind.
    List(&'static Kind),
    /// Another object.
    Object,
    /// Any of these, value by value.
    Dynamic,
}

impl Kind {
    /// Whether values of this kind are numbers, which compare by value across kinds.
    pub fn is_number(self) -> bool {
        matches!(
            self,
            Kind::Signed | Kind::Unsigned | Kind::Double | Kind::Named(_)
        )
    }

    /// The kind of lists of this kind; of anything where the kind has names of its own.
    pub fn list(self) -> Kind {
        Kind::List(match self {
            Kind::Bool => &Kind::Bool,
            Kind::Signed => &Kind::Signed,
            Kind::Unsigned => &Kind::Unsigned,
            Kind::Double => &Kind::Double,
            Kind::Time => &Kind::Time,
            Kind::Duration => &Kind::Duration,
            Kind::Address => &Kind::Address,
            Kind::Prefix => &Kind::Prefix,
            Kind::Mac => &Kind::Mac,
            Kind::Bytes => &Kind::Bytes,
            Kind::Text => &Kind::Text,
            Kind::Named(_) | Kind::List(_) | Kind::Object | Kind::Dynamic => &Kind::Dynamic,
        })
    }

    /// The kind of the values of a list; the kind itself where it is no list.
    pub fn of_each(self) -> Kind {
        match self {
            Kind::List(kind) => *kind,
            kind => kind,
        }
    }

    /// The names of numbers of this kind, or in lists of this kind.
    pub fn names(self) -> Option<&'static Names> {
        match self {
            Kind::Named(names) => Some(names),
            Kind::List(kind) => kind.names(),
            _ => None,
        }
    }

    /// Whether values of this kind are a run of bytes.
    pub fn is_bytes(self) -> bool {
        matches!(self, Kind::Bytes | Kind::Text)
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Bool => f.write_str("bool"),
            Kind::Signed => f.write_str("signed"),
            Kind::Unsigned => f.write_str("unsigned"),
            Kind::Double => f.write_str("double"),
            Kind::Time => f.write_str("time"),
            Kind::Duration => f.write_str("duration"),
            Kind::Address => f.write_str("address"),
            Kind::Prefix => f.write_str("prefix"),
            Kind::Mac => f.write_str("mac"),
            Kind::Bytes => f.write_str("bytes"),
            Kind::Text => f.write_str("text"),
            Kind::Named(names) => write!(f, "{}", names.name),
            Kind::List(kind) => write!(f, "list of {kind}"),
            Kind::Object => f.write_str("object"),
            Kind::Dynamic => f.write_str("any"),
        }
    }
}

/// Names for numbers, in ascending order of number.
#[derive(Debug)]
pub struct Names {
    /// What the numbers stand for, such as `ip-protocol`.
    pub name: &'static str,
    /// The numbers that have a name. The first name of a number is the one that is printed.
    pub entries: &'static [(u64, &'static str)],
}

impl Names {
    /// The name of a number.
    pub fn get(&self, number: u64) -> Option<&'static str> {
        let at = self.entries.partition_point(|(n, _)| *n < number);
        self.entries
            .get(at)
            .filter(|(n, _)| *n == number)
            .map(|(_, name)| *name)
    }

    /// The number that a name stands for; case does not matter.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.entries
            .iter()
            .find(|(_, n)| n.eq_ignore_ascii_case(name))
            .map(|(n, _)| *n)
    }
}

impl PartialEq for Names {
    /// Names are the same table if they are called the same: a loaded library brings its own copy.
    fn eq(&self, other: &Names) -> bool {
        self.name == other.name
    }
}

impl Eq for Names {}
