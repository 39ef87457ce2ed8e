//! What can go wrong in the system; faults of the query are diagnostics, faults of the traffic
//! are counters.

use std::fmt;
use std::io;

/// A fault of the system that ends the run.
#[derive(Debug)]
pub enum Error {
    /// A file or device could not be used.
    File {
        /// What was tried: `open`, `read`, `write`.
        action: &'static str,
        /// The path or address.
        path: String,
        /// Why it failed.
        source: io::Error,
    },
    /// Damage in an input, where `--strict` asks to stop at it.
    Damaged {
        /// The path.
        path: String,
        /// Where and what.
        reason: String,
    },
    /// A module cannot go on.
    Module {
        /// Its name.
        module: &'static str,
        /// Why.
        message: String,
    },
    /// What operators keep and give is more than the run may take, and none of them can move it to
    /// files.
    Memory {
        /// The word for the operator that takes most.
        module: String,
        /// That operator, as in the plan.
        node: String,
        /// The statement it was written in, from 1.
        statement: usize,
        /// What it does with the memory: `keeps`, `gives`.
        verb: &'static str,
        /// The bytes that it takes.
        used: usize,
        /// The bytes that all may take.
        limit: usize,
    },
    /// A snapshot cannot be read back.
    Snapshot(String),
}

impl Error {
    /// A fault of a file.
    pub fn file(action: &'static str, path: impl Into<String>, source: io::Error) -> Error {
        Error::File {
            action,
            path: path.into(),
            source,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::File {
                action,
                path,
                source,
            } => write!(f, "cannot {action} {path}: {source}"),
            Error::Damaged { path, reason } => write!(f, "{path} is damaged: {reason}"),
            Error::Module { module, message } => write!(f, "{module}: {message}"),
            Error::Memory {
                module,
                node,
                statement,
                verb,
                used,
                limit,
            } => write!(
                f,
                "{module}: out of memory: `{node}` in statement {statement} {verb} {}, the limit \
                 for all is {}, and it cannot move that to files",
                Size(*used),
                Size(*limit)
            ),
            Error::Snapshot(message) => write!(f, "snapshot: {message}"),
        }
    }
}

impl std::error::Error for Error {}

/// A number of bytes as people write it: `64M`, `1.5G`.
pub struct Size(pub usize);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(30, "G"), (20, "M"), (10, "K")];
        let Some((shift, unit)) = units.into_iter().find(|(shift, _)| self.0 >> shift > 0) else {
            return write!(f, "{}", self.0);
        };
        // One digit behind the point, rounded up: what is more than a limit shows as more.
        let tenths = (self.0 as u128 * 10).div_ceil(1 << shift);
        match tenths % 10 {
            0 => write!(f, "{}{unit}", tenths / 10),
            tenth => write!(f, "{}.{tenth}{unit}", tenths / 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn sizes_are_written_as_people_write_them() {
        for (bytes, text) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1K"),
            (1025, "1.1K"),
            (64 << 20, "64M"),
            ((64 << 20) + 1, "64.1M"),
            ((1 << 30) - 1, "1024M"),
            (3 << 29, "1.5G"),
            (5 << 40, "5120G"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }
}
