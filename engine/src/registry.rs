//! The modules, functions and record types that a query may name: a value, not a global.

use crate::{Module, RecordType, ScalarFunction};
use std::sync::Arc;

/// Modules, functions and record types by name.
#[derive(Default, Clone)]
pub struct Registry {
    modules: Vec<&'static Module>,
    functions: Vec<&'static ScalarFunction>,
    types: Vec<Arc<dyn RecordType>>,
}

impl Registry {
    /// Adds a module. A later module of the same name replaces an earlier one.
    pub fn add_module(&mut self, module: &'static Module) {
        self.modules.retain(|m| m.name != module.name);
        self.modules.push(module);
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

    /// The module of a name.
    pub fn module(&self, name: &str) -> Option<&'static Module> {
        self.modules.iter().copied().find(|m| m.name == name)
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
