//! The command `wireq`, run as users run it: examples, README, options, formats, statuses,
//! pipes, terminals, completions, manual, account.

mod arguments;
mod completions;
mod examples;
mod formats;
mod forms;
mod functions;
mod json;
mod manual;
mod memory;
mod options;
mod outputs;
mod pipes;
mod readme;
mod remembered;
mod rules;
mod run;
mod statements;
mod stats;
mod statuses;
mod terminal;
mod threads;
