//! What comes with wireq: record types, readers, writers, processing modules, aggregate functions.
//!
//! | folder | what | one file is |
//! |---|---|---|
//! | `types/` | record types | one type; for packets, one protocol |
//! | `read/` | bytes in, objects out | one reader |
//! | `write/` | objects in, bytes out | one writer |
//! | `process/` | objects in, objects out | one module |
//! | `aggregate/` | many objects, one value | one function |
//! | `function/` | some values, one value | one family of functions |
//! | `rules/` | rules of Snort and Suricata in, packets that they are about out | see there |
//!
//! Each file declares its module in a `static MODULE`, which its folder's `mod.rs` lists: everything
//! else (help, README table, tests of the examples) follows from the declaration. Functions are
//! statics too, several to a file.

mod aggregate;
mod function;
mod literals;
mod process;
mod read;
mod regexes;
pub mod rules;
pub mod types;
mod write;

pub use read::{Interface, filter as prefilter, interfaces};
/// Captures as wholes.
pub mod capture {
    pub use crate::read::capture::{CaptureInfo, capture_info, link_type_name};
    pub use crate::types::packet::Interface;
}
/// Names of files: what is read, and what is written.
pub mod files {
    pub use crate::process::behind_link;
    pub use crate::read::{expand, is_pattern, may_be_one};
    pub use crate::write::{OutputName, end_when_set, outputs};
}

use std::sync::Arc;
use wireq_engine::Registry;

/// All modules, functions and record types of this crate.
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    for list in [
        read::MODULES,
        process::MODULES,
        aggregate::MODULES,
        write::MODULES,
    ] {
        list.iter().for_each(|module| registry.add_module(module));
    }
    function::FUNCTIONS
        .iter()
        .for_each(|function| registry.add_function(function));
    read::READERS
        .iter()
        .for_each(|reader| registry.add_reader(*reader));
    registry.add_type(Arc::new(types::packet::Packet));
    registry.add_type(Arc::new(types::netflow::Netflow));
    registry
}

#[cfg(test)]
mod tests {
    #[test]
    fn readers_of_files_are_modules_that_take_files() {
        let registry = super::registry();
        assert!(!registry.readers().is_empty());
        for reader in registry.readers() {
            let module = registry.module(reader.module).expect(reader.module);
            let takes_files = |parameter: &wireq_engine::arguments::Parameter| {
                parameter.takes == wireq_engine::arguments::Takes::File && !parameter.is_flag()
            };
            assert!(module.parameters.iter().any(takes_files), "{}", module.name);
        }
    }
}
