//! Aggregate functions: many objects, one value.

mod avg;
#[cfg(test)]
mod check;
mod count;
mod ddsketch;
mod distinct;
mod end;
mod extreme;
mod hyperloglog;
mod keys;
mod list;
mod multiset;
mod numeric;
mod quantile;
mod rank;
mod squares;
mod stddev;
mod sum;
mod total;
mod value_set;
mod wholes;
mod wide;

pub(crate) use total::{load_sum, save_sum};
use wireq_engine::Module;

pub(crate) static MODULES: &[&Module] = &[
    &avg::MODULE,
    &count::MODULE,
    &distinct::MODULE,
    &end::FINAL,
    &end::FIRST,
    &list::MODULE,
    &extreme::MAX,
    &quantile::MEDIAN,
    &extreme::MIN,
    &quantile::QUANTILE,
    &stddev::MODULE,
    &sum::MODULE,
];
