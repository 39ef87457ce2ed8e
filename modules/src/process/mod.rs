//! Processing modules: objects in, objects out.

mod head;
mod object_identity;
mod project;
mod top;
mod uniq;

use wireq_engine::Module;

pub(crate) static MODULES: &[&Module] = &[
    &object_identity::COUNTOBJ,
    &head::MODULE,
    &project::MODULE,
    &top::MODULE,
    &uniq::MODULE,
    &object_identity::UNIQOBJ,
];
