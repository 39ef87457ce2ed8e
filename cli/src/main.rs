//! The command `wireq`: arguments to registry, query and run. Glue only.

mod allocator;
mod args;
mod catalog;
mod color;
mod complete;
mod flags;
mod help;
mod info;
mod manual;
mod outputs;
mod report;
mod rules;
mod sandbox;
mod settings;
mod sinks;
mod stats;

use args::{Arguments, Command, Shown};
use sandbox::Limits;
use sinks::Sinks;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use wireq_engine::plan::Plan;
use wireq_engine::plan::draw;
use wireq_engine::plan::explain::{analyzed, explain, on_threads};
use wireq_engine::rewrite::rewrite;
use wireq_engine::schedule::{Options, Outputs, Signals, Target, run};
use wireq_engine::{Error, Report};
use wireq_query_lang::{Text, compile};
use wireq_typesys::Zone;

/// What the command ended with.
mod exit {
    /// The query or the arguments are wrong.
    pub const QUERY: u8 = 2;
    /// An input is damaged, and `--strict` was given.
    pub const DAMAGED: u8 = 3;
    /// Some inputs could not be used; results of the others are there.
    pub const UNUSABLE: u8 = 4;
    /// The system failed.
    pub const SYSTEM: u8 = 5;
    /// Interrupted from the keyboard; results so far are there.
    pub const INTERRUPTED: u8 = 130;
}

fn main() -> ExitCode {
    let outcome = match args::parse() {
        Ok(Command::Run(arguments)) => run_queries(&arguments),
        Ok(Command::Explain(arguments, shown)) => explain_queries(&arguments, shown),
        Ok(Command::Info(arguments)) => show_info(arguments),
        Ok(Command::Modules(name)) => catalog::modules(&wireq_modules::registry(), name.as_deref()),
        Ok(Command::Functions(name)) => {
            catalog::functions(&wireq_modules::registry(), name.as_deref())
        }
        Ok(Command::Types(name, prefix)) => catalog::types(
            &wireq_modules::registry(),
            name.as_deref(),
            prefix.as_deref(),
        ),
        Ok(Command::Interfaces) => catalog::interfaces(),
        Ok(Command::Rules(arguments)) => rules::run(&arguments),
        Ok(Command::Help(name)) => help::help(name.as_deref()),
        Ok(Command::Completions(shell)) => complete::script(&shell),
        Ok(Command::Complete(line, words)) => complete::complete(line.as_deref(), words),
        Ok(Command::Man(page)) => manual::page(&page),
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(error.exit_code() as u8);
        }
    };
    ExitCode::from(outcome.unwrap_or_else(|failure| {
        eprintln!("{}", failure.message);
        failure.code
    }))
}

/// Why the command ends early.
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// The arguments or the query are wrong.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure {
            code: exit::QUERY,
            message: format!("wireq: {}", message.into()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let code = match &error {
            Error::Damaged { .. } => exit::DAMAGED,
            // Only what was waited for when the run was to end.
            Error::File { source, .. } if source.kind() == ErrorKind::Interrupted => {
                exit::INTERRUPTED
            }
            _ => exit::SYSTEM,
        };
        Failure {
            code,
            message: format!("wireq: {error}"),
        }
    }
}

fn show_info(arguments: args::InfoArguments) -> Result<u8, Failure> {
    let interrupt = Arc::new(AtomicBool::new(false));
    watch(&interrupt, &Signals::default(), false)?;
    info::info(info::Options {
        files: arguments.files,
        json: arguments.json,
        strict: arguments.strict,
        zone: if arguments.utc {
            Zone::utc()
        } else {
            Zone::local()
        },
        interrupt,
    })
}

fn texts(arguments: &Arguments) -> Result<Vec<Text>, Failure> {
    let mut texts = Vec::new();
    for (name, text) in &arguments.queries {
        let text = match text {
            Some(text) => text.clone(),
            None => {
                let bytes = if name == "-" {
                    std::io::read_to_string(std::io::stdin())
                } else {
                    std::fs::read_to_string(name)
                };
                bytes.map_err(|error| Failure::from(Error::file("read", name, error)))?
            }
        };
        texts.push(Text {
            name: name.clone(),
            text,
        });
    }
    Ok(texts)
}

fn plan(arguments: &Arguments, zone: &Zone) -> Result<Plan, Failure> {
    let texts = texts(arguments)?;
    if texts.iter().all(|text| text.text.trim().is_empty()) {
        return Err(Failure::usage("the query is empty; see wireq --help"));
    }
    let options = settings::language(arguments, zone)?;
    let known = wireq_engine::rewrite::REWRITES;
    for name in &arguments.rewrites_off {
        if !known.iter().any(|rewrite| rewrite.name == name) {
            let names: Vec<&str> = known.iter().map(|rewrite| rewrite.name).collect();
            return Err(Failure::usage(format!(
                "--no-rewrite: there is no rewrite `{name}`; there is: {}",
                names.join(", ")
            )));
        }
    }
    let colors = color::of_messages(arguments.color);
    compile(&texts, &wireq_modules::registry(), &options).map_err(|faults| {
        let drawn: Vec<String> = faults
            .iter()
            .map(|fault| report::draw(&texts[fault.text], &fault.diagnostic, colors))
            .collect();
        Failure {
            code: exit::QUERY,
            message: drawn.join("\n\n") + &of_a_file(&texts),
        }
    })
}

/// Advice where a file stands in the place of a query.
fn of_a_file(texts: &[Text]) -> String {
    let is_file = |text: &&Text| text.name == "query" && Path::new(&text.text).is_file();
    texts.iter().find(is_file).map_or_else(String::new, |text| {
        let name = &text.text;
        format!(
            "\n\nwireq: `{name}` is a file; the query comes first: `wireq QUERY {name}`, or `wireq -f {name}` where it holds queries"
        )
    })
}

fn explain_queries(arguments: &Arguments, shown: Shown) -> Result<u8, Failure> {
    let zone = settings::zone(arguments)?;
    let mut plan = plan(arguments, &zone)?;
    let before = explain(&plan);
    let mut report = Report::default();
    if shown.analyze {
        outputs::check(&plan, arguments)?;
        let interrupt = Arc::new(AtomicBool::new(false));
        let signals = Signals::default();
        let is_live = plan.has_live_source();
        watch(&interrupt, &signals, is_live)?;
        let mut options = Options {
            timed: true,
            signals,
            ..settings::run(arguments, zone, interrupt)
        };
        options.choices.compared = true;
        let mut nowhere = Nowhere(Limits::of(&plan, arguments)?);
        report = run(plan.clone(), &options, &mut nowhere)?;
    }
    rewrite(&mut plan, &settings::choices(arguments));
    let reports = &report.accounts;
    sinks::print(&match shown.form {
        Some("dot") => draw::dot(&plan, reports),
        Some("svg") => draw::svg(&plan, reports),
        Some(_) => draw::json(&plan, reports),
        None => {
            let threads = arguments.threads.is_some_and(|threads| threads > 1);
            let written = if threads { on_threads } else { analyzed };
            let after = written(&plan, reports);
            format!("as written:\n{before}\nas run:\n{after}")
        }
    })?;
    Ok(conclude(&report, arguments.quiet))
}

/// Takes what queries print, for runs that are about what they cost.
struct Nowhere(Limits);

impl Outputs for Nowhere {
    fn write(&mut self, _: Target<'_>, _: &[u8], _: bool) -> std::io::Result<()> {
        Ok(())
    }

    fn listening(&mut self, _inputs: &[String]) -> Result<(), Error> {
        self.0.apply_and_say()
    }
}

fn run_queries(arguments: &Arguments) -> Result<u8, Failure> {
    let zone = settings::zone(arguments)?;
    let plan = plan(arguments, &zone)?;
    outputs::check(&plan, arguments)?;
    let limits = Limits::of(&plan, arguments)?;
    let mut sinks = Sinks::new(limits, !arguments.quiet);
    let targets = sinks.targets(&plan, &arguments.outputs)?;
    let interrupt = Arc::new(AtomicBool::new(false));
    let signals = Signals::default();
    let is_live = plan.has_live_source();
    watch(&interrupt, &signals, is_live)?;
    match arguments.memory_limit {
        Some(_) => allocator::return_what_is_freed(),
        None => allocator::keep_together(),
    }
    let options = Options {
        targets,
        signals,
        ..settings::run(arguments, zone, interrupt)
    };
    let outcome = run(plan, &options, &mut sinks);
    // Results from before a failure are results.
    let written = sinks.finish();
    let report = outcome?;
    written?;
    if let Some(format) = arguments.stats {
        eprint!("{}", stats::write(&report, format));
    }
    let code = conclude(&report, arguments.quiet);
    // With it goes the plan: of thousands of statements that is much to take apart for nothing.
    std::mem::forget(report);
    Ok(code)
}

/// The first interrupt ends the run with what there is; a second one ends the process. So does
/// SIGTERM where a source has no other end; the signals for services mean something there alone too.
fn watch(interrupt: &Arc<AtomicBool>, signals: &Signals, is_live: bool) -> Result<(), Failure> {
    use signal_hook::{consts, flag};
    let mut ends = vec![("SIGINT", consts::SIGINT)];
    if is_live {
        ends.push(("SIGTERM", consts::SIGTERM));
        for (name, signal, asked) in [
            ("SIGUSR1", consts::SIGUSR1, &signals.progress),
            ("SIGHUP", consts::SIGHUP, &signals.reopen),
        ] {
            flag::register(signal, Arc::clone(asked))
                .map_err(|error| Error::file("watch", name, error))?;
        }
    }
    for (name, signal) in ends {
        let failed = |error| Failure::from(Error::file("watch", name, error));
        flag::register_conditional_default(signal, Arc::clone(interrupt)).map_err(failed)?;
        flag::register(signal, Arc::clone(interrupt)).map_err(failed)?;
    }
    wireq_modules::files::end_when_set(interrupt);
    Ok(())
}

/// Says what could not be read, and with what the command ends.
fn conclude(report: &Report, quiet: bool) -> u8 {
    let mut code = 0;
    let inputs = report
        .accounts
        .iter()
        .filter_map(|node| node.input.as_ref())
        .flat_map(|input| &input.inputs);
    for input in inputs {
        if let (Some(lost), false) = (&input.lost, quiet) {
            eprintln!("wireq: {}", stats::live(input, lost));
        }
        if let Some(reason) = &input.unusable {
            code = exit::UNUSABLE;
            eprintln!("wireq: {}: {reason}", input.name);
        } else if !quiet {
            for skipped in &input.skipped {
                eprintln!("wireq: {}: {}", input.name, report::skipped(skipped));
            }
            for (reason, count) in &input.faults {
                eprintln!("wireq: {}: {reason}: {count}", input.name);
            }
        }
    }
    if report.interrupted {
        exit::INTERRUPTED
    } else {
        code
    }
}
