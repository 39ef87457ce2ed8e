//! The command `wireq`, run as users run it: examples, README, options, statuses, pipes, account.

mod examples;
mod json;
mod memory;
mod options;
mod pipes;
mod readme;
mod run;
mod statements;
mod stats;
mod statuses;
