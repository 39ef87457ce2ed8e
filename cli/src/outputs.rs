//! What a run writes must not be what it reads: a file that is begun anew is lost before it is read,
//! and one that is followed never ends. Nor must it be written twice: one would write over the other.

use crate::Failure;
use crate::args::Arguments;
use crate::sandbox::files;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use wireq_engine::plan::{NodeKind, Plan};
use wireq_modules::files::{OutputName, behind_link, expand, is_pattern, may_be_one, outputs};

/// A file, whatever its name.
type Identity = (u64, u64);

/// What writes to a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// `--out`: those of one name write to it by turns.
    Out,
    /// `print -f`, in the same way.
    Print,
    /// The module of this node, alone.
    Node(usize),
}

/// A file that is to be written, by what is known before it is there.
#[derive(PartialEq, Eq, Hash)]
enum Place {
    There(Identity),
    /// Its path, with the folder that links lead to.
    ToCome(PathBuf),
    /// All that such names stand for.
    Names(PathBuf),
}

impl Place {
    /// Pipes and devices may be written by several, and so may what the shell opened.
    fn of(output: &OutputName) -> Option<Place> {
        match output {
            OutputName::Any(name) => Some(Place::Names(resolved(Path::new(name)))),
            OutputName::One(name) if is_of_shell(name) => None,
            OutputName::One(name) => match std::fs::metadata(name) {
                Ok(data) => identity(Ok(data)).map(Place::There),
                Err(_) => Some(Place::ToCome(resolved(&behind_link(Path::new(name))))),
            },
        }
    }
}

fn is_of_shell(name: &str) -> bool {
    ["/dev/stdout", "/dev/stderr"].contains(&name) || name.starts_with("/dev/fd/")
}

/// A path behind the folder that links lead to.
fn resolved(path: &Path) -> PathBuf {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize().or(std::path::absolute(folder));
    let folder = folder.unwrap_or_default();
    folder.join(path.file_name().unwrap_or_default())
}

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

/// Refuses a run that would write to a file that it reads, or twice to one. Nothing was begun anew
/// by then.
pub fn check(plan: &Plan, arguments: &Arguments) -> Result<(), Failure> {
    let written = written(plan, arguments);
    are_different(&written)?;
    let written: Vec<OutputName> = written.into_iter().map(|(_, name)| name).collect();
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

/// The names of all files that a run may write, and what writes to them.
fn written(plan: &Plan, arguments: &Arguments) -> Vec<(Writer, OutputName)> {
    let elsewhere = arguments.outputs.iter();
    let elsewhere = elsewhere.map(|(_, path)| (Writer::Out, OutputName::One(path.clone())));
    let mut written: Vec<_> = elsewhere.collect();
    for (number, node) in plan.graph.node_weights().enumerate() {
        if let NodeKind::Operator(module, words, spec) = &node.kind
            && spec.side_effect
        {
            let writer = match spec.output_file {
                Some(_) => Writer::Print,
                None => Writer::Node(number),
            };
            let names = outputs(module, words).into_iter();
            written.extend(names.map(|name| (writer, name)));
        }
    }
    written
}

/// Refuses a file that two write to. Names with times or numbers are compared as they were given:
/// whether others of them come to be the same shows only when they are.
fn are_different(written: &[(Writer, OutputName)]) -> Result<(), Failure> {
    let mut places = HashMap::new();
    for (writer, output) in written {
        let Some(place) = Place::of(output) else {
            continue;
        };
        let (by, first) = match places.entry(place) {
            Entry::Vacant(entry) => {
                entry.insert((writer, output));
                continue;
            }
            Entry::Occupied(entry) => *entry.get(),
        };
        let is_alone = matches!(writer, Writer::Node(_));
        if by == writer && (is_alone || first == output) {
            continue;
        }
        let (OutputName::One(name) | OutputName::Any(name)) = output;
        let (OutputName::One(first) | OutputName::Any(first)) = first;
        let what = match first == name {
            true => format!("the output `{name}` is written twice"),
            false => format!("the outputs `{first}` and `{name}` are the same file"),
        };
        return Err(Failure::usage(format!(
            "{what}: one would write over the other; write each to a file of its own"
        )));
    }
    Ok(())
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
