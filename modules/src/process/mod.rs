//! Processing modules: objects in, objects out.

mod active;
mod bins;
mod blocks;
mod bound;
mod bpf;
mod changes;
mod clock;
mod clockwork;
mod close;
mod constant;
mod cumdist;
mod delta;
mod deskew;
mod dfa;
mod div;
mod during;
mod entropy;
mod equals;
mod event_time;
mod expression;
mod fifodelay;
mod flows;
mod head;
mod histogram;
mod inspect;
mod iplookup;
mod keep;
mod last;
mod mask;
mod multiples;
mod noop;
mod now;
mod object_identity;
mod objects;
mod order;
mod pdf;
mod private;
mod project;
mod quantity;
mod recent;
mod regex;
mod remembered;
mod rename;
mod rules;
mod sample;
mod skip;
mod sort;
mod stateless;
mod substr;
mod tail;
mod tally;
mod texts;
mod top;
mod uniq;
mod usual;
mod window;

pub use remembered::behind_link;
use wireq_engine::Module;

pub(crate) static MODULES: &[&Module] = &[
    &active::MODULE,
    &bpf::MODULE,
    &changes::MODULE,
    &clock::MODULE,
    &constant::MODULE,
    &cumdist::MODULE,
    &delta::DELTA,
    &delta::DERIVATIVE,
    &deskew::MODULE,
    &dfa::MODULE,
    &div::MODULE,
    &entropy::MODULE,
    &during::MODULE,
    &equals::MODULE,
    &expression::MODULE,
    &fifodelay::MODULE,
    &flows::flow::MODULE,
    &flows::flowid::MODULE,
    &head::MODULE,
    &histogram::MODULE,
    &inspect::MODULE,
    &iplookup::MODULE,
    &last::MODULE,
    &mask::MODULE,
    &noop::MODULE,
    &now::MODULE,
    &object_identity::COUNTOBJ,
    &object_identity::UNIQOBJ,
    &pdf::MODULE,
    &private::MODULE,
    &project::MODULE,
    &regex::MODULE,
    &rename::MODULE,
    &rules::MODULE,
    &sample::MODULE,
    &skip::MODULE,
    &sort::MODULE,
    &objects::STREAMALIAS,
    &substr::MODULE,
    &objects::TAKE,
    &tail::MODULE,
    &top::MODULE,
    &uniq::MODULE,
    &window::MODULE,
];
