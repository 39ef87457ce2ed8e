//! What a run writes must not be what it reads: a file that is begun anew is lost before it is read,
//! and one that is followed never ends.

use crate::Failure;
use crate::args::Arguments;
use crate::sandbox::files;
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use wireq_engine::plan::{NodeKind, Plan};
use wireq_modules::files::{OutputName, expand, is_pattern, may_be_one, outputs};

/// A file, whatever its name.
type Identity = (u64, u64);

/// What a run reads.
#[derive(Default)]
struct Inputs<'a> {
    /// Each name, and whether it stands for all in a folder.
    named: Vec<(&'a str, bool)>,
    /// What is read on when it grows.
    followed: Vec<&'a str>,
}

impl<'a> Inputs<'a> {
    fn of(plan: &'a Plan, arguments: &'a Arguments) -> Inputs<'a> {
        let mut inputs = Inputs::default();
        for node in plan.graph.node_weights() {
            let (module, words) = match &node.kind {
                NodeKind::Source(module, words, _) => (module, words),
                NodeKind::Operator(module, words, spec) if !spec.side_effect => (module, words),
                _ => continue,
            };
            let recursive = words.flag("--recursive");
            let before = inputs.named.len();
            let named = files(module.parameters, words).map(|path| (path, recursive));
            inputs.named.extend(named);
            match inputs.named[before..].last() {
                Some((last, _)) if words.flag("--follow") || words.flag("-F") => {
                    inputs.followed.push(last);
                }
                None if matches!(node.kind, NodeKind::Source(..)) => {
                    inputs.named.push(("-", false))
                }
                _ => {}
            }
        }
        // Queries were read already, and should not be lost either.
        let queries = arguments.queries.iter();
        let queries = queries.filter(|(_, text)| text.is_none());
        inputs
            .named
            .extend(queries.map(|(name, _)| (name.as_str(), false)));
        inputs
    }
}

/// Refuses a run that would write to a file that it reads. Nothing was begun anew by then.
pub fn check(plan: &Plan, arguments: &Arguments) -> Result<(), Failure> {
    let written = written(plan, arguments);
    let inputs = Inputs::of(plan, arguments);
    for followed in &inputs.followed {
        let follows = (*followed, is_pattern(followed));
        let meets = |output: &&OutputName| {
            let name = match output {
                OutputName::One(name) => (name.as_str(), false),
                OutputName::Any(name) => (name.as_str(), true),
            };
            may_be_one(name, follows)
        };
        if let Some(OutputName::One(name) | OutputName::Any(name)) = written.iter().find(meets) {
            return Err(Failure::usage(format!(
                "the output `{name}` is what `{followed}` follows: the run would read what it \
                 writes, without end; write to another folder"
            )));
        }
    }
    let there = there(&written);
    if there.is_empty() {
        return Ok(());
    }
    for (named, recursive) in inputs.named {
        for input in expand(named, recursive) {
            let data = match input.as_str() {
                "-" => data_of(io::stdin().as_fd()),
                path => std::fs::metadata(path),
            };
            if let Some(output) = identity(data).and_then(|file| there.get(&file)) {
                let input = if input == "-" {
                    "standard input"
                } else {
                    &input
                };
                return Err(Failure::usage(format!(
                    "the output `{output}` is the input `{input}`, the same file, which would be lost; \
                     write to another one"
                )));
            }
        }
    }
    Ok(())
}

/// The names of all files that a run may write.
fn written(plan: &Plan, arguments: &Arguments) -> Vec<OutputName> {
    let elsewhere = arguments.outputs.iter();
    let elsewhere = elsewhere.map(|(_, path)| OutputName::One(path.clone()));
    let mut written: Vec<OutputName> = elsewhere.collect();
    for node in plan.graph.node_weights() {
        if let NodeKind::Operator(module, words, spec) = &node.kind
            && spec.side_effect
        {
            written.extend(outputs(module, words));
        }
    }
    written
}

/// The files that are there already, with their names.
fn there(written: &[OutputName]) -> HashMap<Identity, String> {
    let mut there = HashMap::new();
    for output in written {
        let paths = match output {
            OutputName::One(name) => vec![name.clone()],
            OutputName::Any(name) => expand(name, false),
        };
        for path in paths {
            if let Some(file) = identity(std::fs::metadata(&path)) {
                there.entry(file).or_insert(path);
            }
        }
    }
    if let Some(file) = identity(data_of(io::stdout().as_fd())) {
        there
            .entry(file)
            .or_insert_with(|| "standard output".to_owned());
    }
    there
}

fn data_of(file: BorrowedFd<'_>) -> io::Result<Metadata> {
    File::from(file.try_clone_to_owned()?).metadata()
}

/// Pipes and devices are no files: what is written to them is another thing than what is read.
fn identity(data: io::Result<Metadata>) -> Option<Identity> {
    let data = data.ok().filter(Metadata::is_file)?;
    Some((data.dev(), data.ino()))
}
