//! From arguments to what queries are compiled and run with.

use crate::args::Arguments;
use crate::{Failure, color};
use std::hash::{BuildHasher, Hasher};
use std::io::{IsTerminal, stdout};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use wireq_engine::matching::Strategy;
use wireq_engine::rewrite::Choices;
use wireq_engine::schedule::Options;
use wireq_query_lang::{Files, Period, Printing, Writing};
use wireq_typesys::{ROWS_MAX, Zone, parse_time};

/// The zone of times, and what counts as now.
pub fn zone(arguments: &Arguments) -> Result<Arc<Zone>, Failure> {
    let zone = if arguments.utc {
        Zone::utc()
    } else {
        Zone::local()
    };
    Ok(Arc::new(match &arguments.now {
        None => zone,
        Some(now) => {
            let moment = time("--now", now, &zone)?;
            zone.at(moment)
        }
    }))
}

fn time(flag: &str, text: &str, zone: &Zone) -> Result<i64, Failure> {
    parse_time(text, zone).ok_or_else(|| {
        Failure::usage(format!(
            "{flag}: `{text}` is not a time; write one such as 2024-01-31T12:00:00Z"
        ))
    })
}

/// What queries are compiled with.
pub fn language<'a>(
    arguments: &Arguments,
    zone: &'a Zone,
) -> Result<wireq_query_lang::Options<'a>, Failure> {
    let files = if arguments.interfaces.is_empty() {
        (!arguments.files.is_empty()).then(|| Files {
            module: "pcapfile",
            flags: arguments.of_files.clone(),
            paths: arguments.files.clone(),
        })
    } else {
        Some(Files {
            module: "pcaplive",
            flags: Vec::new(),
            paths: arguments.interfaces.clone(),
        })
    };
    Ok(wireq_query_lang::Options {
        zone,
        files,
        language: arguments.language,
        arguments: arguments.values.clone(),
        printing: printing(arguments),
        limit: arguments.limit,
        writing: arguments.write.clone().map(|path| Writing {
            module: "pcapwrite",
            flag: "-f",
            path,
        }),
        period: period(arguments, zone)?,
        unbounded: arguments.unbounded,
    })
}

fn period(arguments: &Arguments, zone: &Zone) -> Result<Period, Failure> {
    let moment = |flag: &str, text: &Option<String>| match text {
        Some(text) => time(flag, text, zone).map(Some),
        None => Ok(None),
    };
    let from = moment("--from", &arguments.from)?;
    let to = moment("--to", &arguments.to)?;
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(Failure::usage(
            "--from is not before --to: no object has such a time",
        ));
    }
    Ok(Period {
        from: arguments.from.clone(),
        to: arguments.to.clone(),
    })
}

/// How what statements print is written: a table on a terminal unless told otherwise. What goes to
/// files is for no terminal.
fn printing(arguments: &Arguments) -> Printing {
    let on_terminal = stdout().is_terminal();
    let automatic = on_terminal.then_some("table");
    let format = arguments.format.as_deref();
    let mut flags = flags(format.or(automatic));
    if format.or(automatic) == Some("table") {
        if on_terminal && let Some((width, _)) = terminal_size::terminal_size() {
            flags.extend(["--width".to_owned(), width.0.to_string()]);
        }
        if color::of_results(arguments.color) {
            flags.push("--bold".to_owned());
        }
    }
    let elsewhere = arguments.outputs.iter();
    Printing {
        flags,
        elsewhere: elsewhere
            .map(|(name, _)| (name.clone(), self::flags(format)))
            .collect(),
        tag: arguments.tag,
    }
}

fn flags(format: Option<&str>) -> Vec<String> {
    let flags = format.map(|format| [Printing::FORMAT.to_owned(), format.to_owned()]);
    flags.into_iter().flatten().collect()
}

/// How plans are rewritten.
pub fn choices(arguments: &Arguments) -> Choices {
    let mut choices = Choices {
        off: arguments.rewrites_off.clone(),
        ..Choices::default()
    };
    if let Some(strategy) = arguments.strategy.as_deref().and_then(Strategy::of) {
        choices.strategy = strategy;
    }
    choices.vector = !arguments.vector_off;
    choices.compared = arguments.stats.is_some();
    choices.memory_limited = arguments.memory_limit.is_some();
    choices
}

/// What queries run with.
pub fn run(arguments: &Arguments, zone: Arc<Zone>, interrupt: Arc<AtomicBool>) -> Options {
    let random = || std::hash::RandomState::new().build_hasher().finish();
    let defaults = Options::default();
    Options {
        rows_max: arguments.batch.unwrap_or(ROWS_MAX),
        choices: choices(arguments),
        seed: arguments.seed.unwrap_or_else(random),
        zone,
        strict: arguments.strict,
        memory_limit: arguments.memory_limit,
        threads: threads(arguments),
        // Small batches are for finding faults: then threads are there from the first one on.
        alone: arguments.batch.map_or(defaults.alone, |_| 0),
        interrupt,
        ..defaults
    }
}

/// More threads than this are of no use anywhere.
const THREADS_MAX: usize = 256;

/// No more than there are cores: turns of threads that have none are waited for. Where small batches
/// are asked for, faults are looked for, and more threads find more.
fn threads(arguments: &Arguments) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let most = arguments.batch.map_or(cores, |_| THREADS_MAX);
    arguments
        .threads
        .unwrap_or(cores)
        .min(most)
        .min(THREADS_MAX)
}
