//! Aggregate functions: many objects, one value.

mod count;
mod extreme;
mod sum;

use wireq_engine::Module;

pub(crate) static MODULES: &[&Module] =
    &[&count::MODULE, &sum::MODULE, &extreme::MIN, &extreme::MAX];
