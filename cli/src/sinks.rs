//! Where text goes: standard output and files.

use crate::Failure;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};
use wireq_engine::Error;
use wireq_engine::plan::{NodeKind, Plan};
use wireq_engine::schedule::{Outputs, Target};

/// Text that waits to be written together.
const BUFFER_LEN: usize = 64 * 1024;
/// Text does not wait longer than this while more is written.
const DELAY_MAX: Duration = Duration::from_millis(100);

/// Prints text on standard output, for commands that don't run queries.
pub fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::file("write", "standard output", error).into())
        }
        _ => Ok(()),
    }
}

/// Standard output and the files that outputs were sent to.
pub struct Sinks {
    /// By number; 0 is standard output.
    numbered: Vec<Sink>,
    /// Files that queries name.
    named: HashMap<String, Sink>,
}

struct Sink {
    path: String,
    writer: Box<dyn Write>,
    waiting: Vec<u8>,
    last_write: Instant,
    at_once: bool,
    /// Nobody reads any more.
    closed: bool,
}

impl Default for Sinks {
    fn default() -> Self {
        let stdout = io::stdout();
        let at_once = stdout.is_terminal();
        Sinks {
            numbered: vec![Sink::new("standard output", Box::new(stdout), at_once)],
            named: HashMap::new(),
        }
    }
}

impl Sink {
    fn new(path: &str, writer: Box<dyn Write>, at_once: bool) -> Sink {
        Sink {
            path: path.to_owned(),
            writer,
            waiting: Vec::new(),
            last_write: Instant::now(),
            at_once,
            closed: false,
        }
    }

    fn create(path: &str) -> Result<Sink, Error> {
        let file = File::create(path).map_err(|error| Error::file("create", path, error))?;
        Ok(Sink::new(path, Box::new(file), false))
    }

    fn write(&mut self, bytes: &[u8], flush: bool) -> io::Result<()> {
        if self.closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.waiting.extend_from_slice(bytes);
        if flush
            || self.at_once
            || self.waiting.len() >= BUFFER_LEN
            || self.last_write.elapsed() >= DELAY_MAX
        {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let written = self
            .writer
            .write_all(&self.waiting)
            .and_then(|()| self.writer.flush());
        self.waiting.clear();
        self.last_write = Instant::now();
        self.closed = written
            .as_ref()
            .is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        written
    }
}

impl Sinks {
    /// Opens the files of `--out` and gives the number of each statement's output. The files that
    /// prints name are opened too, so that one that can't be is known before anything runs.
    pub fn targets(
        &mut self,
        plan: &Plan,
        outputs: &[(String, String)],
    ) -> Result<Vec<usize>, Failure> {
        let mut targets = vec![0; plan.statements.len()];
        for (name, path) in outputs {
            let by_label = plan
                .statements
                .iter()
                .position(|statement| statement.name.as_deref() == Some(name));
            let by_number = || {
                name.parse::<usize>()
                    .ok()?
                    .checked_sub(1)
                    .filter(|at| *at < targets.len())
            };
            let Some(statement) = by_label.or_else(by_number) else {
                return Err(Failure::usage(format!(
                    "--out: there is no statement `{name}`; there are {}, and a label is written before one: `{name}: where ...`",
                    targets.len()
                )));
            };
            targets[statement] = match self.numbered.iter().position(|sink| sink.path == *path) {
                Some(known) => known,
                None => {
                    self.numbered.push(Sink::create(path)?);
                    self.numbered.len() - 1
                }
            };
        }
        for node in plan.graph.node_weights() {
            if let NodeKind::Operator(_, _, spec) = &node.kind
                && let Some(path) = spec
                    .output_file
                    .as_ref()
                    .filter(|path| !self.named.contains_key(*path))
            {
                self.named.insert(path.clone(), Sink::create(path)?);
            }
        }
        Ok(targets)
    }

    /// Writes what still waits.
    pub fn finish(&mut self) -> Result<(), Failure> {
        for sink in self.numbered.iter_mut().chain(self.named.values_mut()) {
            match sink.flush() {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    return Err(Error::file("write", &sink.path, error).into());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Outputs for Sinks {
    fn write(&mut self, target: Target<'_>, bytes: &[u8], flush: bool) -> io::Result<()> {
        let sink = match target {
            Target::Number(number) => self.numbered.get_mut(number),
            Target::File(path) => self.named.get_mut(path),
        };
        sink.map_or(Ok(()), |sink| sink.write(bytes, flush))
    }
}
