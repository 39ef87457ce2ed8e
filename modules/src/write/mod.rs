//! Writers: objects in, bytes out.

mod format;
mod looks;
mod print;

use wireq_engine::Module;

pub(crate) static MODULES: &[&Module] = &[&print::MODULE];
