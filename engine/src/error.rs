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
            Error::Snapshot(message) => write!(f, "snapshot: {message}"),
        }
    }
}

impl std::error::Error for Error {}
