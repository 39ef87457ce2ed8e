//! Processing modules: objects in, objects out.

mod head;
mod project;
mod uniq;

use wireq_engine::Module;

pub(crate) static MODULES: &[&Module] = &[&head::MODULE, &project::MODULE, &uniq::MODULE];
