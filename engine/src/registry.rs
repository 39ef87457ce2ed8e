//! The modules, functions and record types that a query may name: a value, not a global.

use crate::{Module, RecordType, ScalarFunction};
use hashbrown::HashMap;
use std::sync::Arc;

/// A module that reads files which a query names without saying what reads them.
#[derive(Clone, Copy, Debug)]
pub struct FileReader {
    /// The name of the module, whose arguments are files.
    pub module: &'static str,
    /// The ends of names of such files, in lower case.
    pub endings: &'static [&'static str],
    /// What the first bytes of a file say, up to [`FileReader::BEGIN_LEN`].
    pub recognizes: fn(&[u8]) -> Recognized,
}

impl FileReader {
    /// So many bytes of a file are shown to readers.
    pub const BEGIN_LEN: usize = 512;
}

/// What the first bytes of a file say of whether a reader reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognized {
    /// They are those of its format.
    Surely,
    /// Its format may be in them, as in compressed files: names of files count more.
    Perhaps,
    /// Nothing.
    No,
}

/// Modules, functions and record types by name.
#[derive(Default, Clone)]
pub struct Registry {
    modules: Vec<&'static Module>,
    by_name: HashMap<&'static str, &'static Module>,
    functions: Vec<&'static ScalarFunction>,
    types: Vec<Arc<dyn RecordType>>,
    readers: Vec<FileReader>,
}

impl Registry {
    /// Adds a module. A later module of the same name replaces an earlier one.
    pub fn add_module(&mut self, module: &'static Module) {
        self.modules.retain(|m| m.name != module.name);
        self.modules.push(module);
        self.by_name.insert(module.name, module);
    }

    /// Adds a function. A later function of the same name replaces an earlier one.
    pub fn add_function(&mut self, function: &'static ScalarFunction) {
        self.functions.retain(|f| f.name != function.name);
        self.functions.push(function);
    }

    /// Adds a record type.
    pub fn add_type(&mut self, record_type: Arc<dyn RecordType>) {
        self.types.push(record_type);
    }

    /// Adds a reader of files.
    pub fn add_reader(&mut self, reader: FileReader) {
        self.readers.push(reader);
    }

    /// All readers of files, in the order they were added.
    pub fn readers(&self) -> &[FileReader] {
        &self.readers
    }

    /// The module of a name.
    pub fn module(&self, name: &str) -> Option<&'static Module> {
        self.by_name.get(name).copied()
    }

    /// The function of a name; case does not matter.
    pub fn function(&self, name: &str) -> Option<&'static ScalarFunction> {
        let functions = self.functions.iter().copied();
        let mut named = functions.filter(|f| f.name.eq_ignore_ascii_case(name));
        named.next()
    }

    /// All functions, in the order they were added.
    pub fn functions(&self) -> &[&'static ScalarFunction] {
        &self.functions
    }

    /// All modules, in the order they were added.
    pub fn modules(&self) -> &[&'static Module] {
        &self.modules
    }

    /// All record types, in the order they were added.
    pub fn types(&self) -> &[Arc<dyn RecordType>] {
        &self.types
    }
}
