//! Processing modules: objects in, objects out.

mod blocks;
mod clock;
mod clockwork;
mod close;
mod constant;
mod delta;
mod deskew;
mod div;
mod equals;
mod flows;
mod head;
mod iplookup;
mod keep;
mod last;
mod mask;
mod noop;
mod now;
mod object_identity;
mod private;
mod project;
mod regex;
mod rename;
mod sample;
mod sort;
mod stateless;
mod substr;
mod tail;
mod texts;
mod top;
mod uniq;

use wireq_engine::Module;

pub(crate) static MODULES: &[&Module] = &[
    &clock::MODULE,
    &constant::MODULE,
    &delta::DELTA,
    &delta::DERIVATIVE,
    &deskew::MODULE,
    &div::MODULE,
    &equals::MODULE,
    &flows::flow::MODULE,
    &flows::flowid::MODULE,
    &head::MODULE,
    &iplookup::MODULE,
    &last::MODULE,
    &mask::MODULE,
    &noop::MODULE,
    &now::MODULE,
    &object_identity::COUNTOBJ,
    &object_identity::UNIQOBJ,
    &private::MODULE,
    &project::MODULE,
    &regex::MODULE,
    &rename::MODULE,
    &sample::MODULE,
    &sort::MODULE,
    &substr::MODULE,
    &tail::MODULE,
    &top::MODULE,
    &uniq::MODULE,
];
