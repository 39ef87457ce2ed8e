//! Where text goes: standard output and files.
//!
//! Text waits until there is enough of it, but not for long: a thread hands it on where the source is
//! too slow to bring more.

use crate::args::StatsFormat;
use crate::sandbox::Limits;
use crate::{Failure, stats};
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, IsTerminal, Stdout, Write};
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use wireq_engine::plan::{NodeKind, Plan};
use wireq_engine::schedule::{Outputs, Target};
use wireq_engine::{Error, Report};

/// Text that waits to be written together.
const BUFFER_LEN: usize = 64 * 1024;
/// Text does not wait longer than this.
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
    numbered: Vec<Shared>,
    /// Files that queries name.
    named: HashMap<String, Shared>,
    timer: Arc<Timer>,
    thread: Option<JoinHandle<()>>,
    /// Whether to say what is listened on.
    says_progress: bool,
    /// What the run may do once it listens.
    limits: Limits,
}

type Shared = Arc<Mutex<Sink>>;

/// What text is written to.
enum Writer {
    Output(Stdout),
    File(File),
}

impl Writer {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Writer::Output(output) => output.write_all(bytes).and_then(|()| output.flush()),
            Writer::File(file) => file.write_all(bytes),
        }
    }
}

struct Sink {
    path: String,
    writer: Writer,
    waiting: Vec<u8>,
    last_write: Instant,
    at_once: bool,
    /// Nobody reads any more.
    closed: bool,
    /// Why writing failed while nobody could be told.
    failure: Option<io::Error>,
}

/// Tells the thread that text waits, or that it is over.
#[derive(Default)]
struct Timer {
    state: Mutex<TimerState>,
    changed: Condvar,
}

#[derive(Default)]
struct TimerState {
    waiting: bool,
    over: bool,
}

/// What a thread left that panicked is still good enough to end with.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Timer {
    fn set(&self, change: impl FnOnce(&mut TimerState)) {
        change(&mut lock(&self.state));
        self.changed.notify_one();
    }

    /// Waits until text waits, and then as long as it may; false when it is over.
    fn wait(&self) -> bool {
        let state = lock(&self.state);
        let state = self.changed.wait_while(state, |s| !s.waiting && !s.over);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .changed
            .wait_timeout_while(state, DELAY_MAX, |s| !s.over);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.waiting = false;
        !state.over
    }
}

impl Sink {
    fn new(path: &str, writer: Writer, at_once: bool) -> Shared {
        Arc::new(Mutex::new(Sink {
            path: path.to_owned(),
            writer,
            waiting: Vec::new(),
            last_write: Instant::now(),
            at_once,
            closed: false,
            failure: None,
        }))
    }

    fn create(path: &str) -> Result<Shared, Error> {
        let file = File::create(path).map_err(|error| Error::file("create", path, error))?;
        Ok(Sink::new(path, Writer::File(file), false))
    }

    /// Takes text. Gives whether it is the first that waits.
    fn write(&mut self, bytes: &[u8], flush: bool) -> io::Result<bool> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let first = self.waiting.is_empty();
        self.waiting.extend_from_slice(bytes);
        if flush
            || self.at_once
            || self.waiting.len() >= BUFFER_LEN
            || self.last_write.elapsed() >= DELAY_MAX
        {
            self.flush()?;
        }
        Ok(first && !self.waiting.is_empty())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.closed || self.waiting.is_empty() {
            return Ok(());
        }
        let written = self.writer.write_all(&self.waiting);
        self.waiting.clear();
        self.last_write = Instant::now();
        self.closed = written.is_err();
        written
    }

    /// Whether it is a file whose name is that of another one by now, or of none.
    fn is_moved(&self) -> bool {
        match &self.writer {
            Writer::Output(_) => false,
            Writer::File(file) => !is_named(file, &self.path),
        }
    }

    /// Opens the file anew.
    fn reopen(&mut self) -> io::Result<()> {
        self.flush()?;
        self.writer = Writer::File(File::create(&self.path)?);
        Ok(())
    }

    /// Hands on what waits; who writes next is told where that fails.
    fn flush_in_time(&mut self) {
        if let Err(error) = self.flush()
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.failure = Some(error);
        }
    }
}

/// Whether a path still leads to an open file.
fn is_named(file: &File, path: &str) -> bool {
    let identity = |data: Metadata| (data.dev(), data.ino());
    let named = std::fs::metadata(path).map(identity);
    matches!((file.metadata().map(identity), named), (Ok(open), Ok(named)) if open == named)
}

impl Sinks {
    /// Standard output, and what it takes for the statements of a plan.
    pub fn new(limits: Limits, says_progress: bool) -> Sinks {
        let stdout = io::stdout();
        let at_once = stdout.is_terminal();
        Sinks {
            numbered: vec![Sink::new(
                "standard output",
                Writer::Output(stdout),
                at_once,
            )],
            named: HashMap::new(),
            timer: Arc::default(),
            thread: None,
            says_progress,
            limits,
        }
    }

    /// Opens the files of `--out` and gives the number of each statement's output. The files that
    /// prints name are opened too, so that one that can't be is known before anything runs.
    pub fn targets(
        &mut self,
        plan: &Plan,
        outputs: &[(String, String)],
    ) -> Result<Vec<usize>, Failure> {
        let mut targets = vec![0; plan.statements.len()];
        let mut paths: Vec<&str> = Vec::new();
        for (name, path) in outputs {
            let statement = statement(plan, name).ok_or_else(|| {
                Failure::usage(format!(
                    "--out: there is no statement `{name}`; there are {}, and a label is written before one: `{name}: where ...`",
                    targets.len()
                ))
            })?;
            let known = paths.iter().position(|known| known == path);
            targets[statement] = match known {
                Some(at) => at + 1,
                None => {
                    self.numbered.push(Sink::create(path)?);
                    paths.push(path);
                    paths.len()
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

    fn all(&self) -> impl Iterator<Item = &Shared> {
        self.numbered.iter().chain(self.named.values())
    }

    fn sink(&self, target: Target<'_>) -> Option<&Shared> {
        match target {
            Target::Number(number) => self.numbered.get(number),
            Target::File(path) => self.named.get(path),
        }
    }

    /// Starts to hand on what waits too long.
    fn start(&mut self) {
        let sinks: Vec<Shared> = self.all().cloned().collect();
        let timer = Arc::clone(&self.timer);
        self.thread = Some(std::thread::spawn(move || {
            while timer.wait() {
                sinks.iter().for_each(|sink| lock(sink).flush_in_time());
            }
        }));
    }

    /// Writes what still waits.
    pub fn finish(&mut self) -> Result<(), Failure> {
        self.timer.set(|state| state.over = true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        // That one cannot be written keeps no other from being whole.
        let mut outcome = Ok(());
        for sink in self.all() {
            let mut sink = lock(sink);
            match sink.flush() {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    outcome = outcome.and(Err(Error::file("write", &sink.path, error).into()));
                }
                _ => {}
            }
        }
        outcome
    }
}

/// The number of a statement, by its label or its number from 1.
fn statement(plan: &Plan, name: &str) -> Option<usize> {
    let mut labels = plan.statements.iter().map(|statement| &statement.name);
    let by_label = labels.position(|label| label.as_deref() == Some(name));
    let by_number = || name.parse::<usize>().ok()?.checked_sub(1);
    by_label
        .or_else(by_number)
        .filter(|at| *at < plan.statements.len())
}

impl Outputs for Sinks {
    fn write(&mut self, target: Target<'_>, bytes: &[u8], flush: bool) -> io::Result<()> {
        let Some(sink) = self.sink(target) else {
            return Ok(());
        };
        let waits = lock(sink).write(bytes, flush)?;
        if waits {
            if self.thread.is_none() {
                self.start();
            }
            self.timer.set(|state| state.waiting = true);
        }
        Ok(())
    }

    fn listening(&mut self, inputs: &[String]) -> Result<(), Error> {
        if self.says_progress {
            eprintln!("wireq: listening on {}", inputs.join(", "));
        }
        self.limits.apply_and_say()
    }

    fn idle(&mut self) {
        self.all().for_each(|sink| lock(sink).flush_in_time());
    }

    fn progress(&mut self, report: &Report) {
        eprint!("{}", stats::write(report, StatsFormat::Text));
    }

    fn is_moved(&self, target: Target<'_>) -> bool {
        self.sink(target).is_some_and(|sink| lock(sink).is_moved())
    }

    fn reopen(&mut self, target: Target<'_>) -> Result<(), Error> {
        let Some(sink) = self.sink(target) else {
            return Ok(());
        };
        let mut sink = lock(sink);
        let opened = sink.reopen();
        opened.map_err(|error| Error::file("create", &sink.path, error))
    }
}
