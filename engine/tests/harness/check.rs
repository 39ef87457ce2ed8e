//! A query set through the oracle and through the engine.

use super::capture::Capture;
use super::census::Census;
use super::generate::QuerySet;
use super::modes::{Mode, all_rewrites};
use super::oracle;
use super::oracle::object::Object;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wireq_engine::plan::Plan;
use wireq_engine::schedule::{self, NodeReport, Outputs, Report, Signals, Target};
use wireq_engine::{RecordType, Registry, ScalarFunction};
use wireq_query_lang::{Files, Text, compile};
use wireq_typesys::Zone;

/// What every check needs.
pub struct Checker {
    registry: Registry,
    zone: Arc<Zone>,
}

/// What was found of a query set.
pub enum Outcome {
    /// Oracle and engine agree.
    Agreed(Census),
    /// They do not.
    Failed(Failure),
    /// The set cannot be compiled.
    Invalid(String),
}

/// How oracle and engine differ.
pub struct Failure {
    /// With which options, and where.
    pub what: String,
    /// What the oracle says.
    pub expected: String,
    /// What the engine gave.
    pub given: String,
}

/// Where text goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Number(usize),
    File(String),
}

/// The text at each place that has any.
type Texts = BTreeMap<Place, Vec<u8>>;

struct Collected {
    texts: Texts,
    /// Asks for the account so far before every step.
    ask: Option<Arc<AtomicBool>>,
    /// How often it was shown, and what did not add up then.
    shown: usize,
    unbalanced: Option<(String, String)>,
}

impl Collected {
    fn new(ask: Option<Arc<AtomicBool>>) -> Collected {
        Collected {
            texts: Texts::new(),
            ask,
            shown: 0,
            unbalanced: None,
        }
    }
}

impl Outputs for Collected {
    fn progress(&mut self, report: &Report) {
        self.shown += 1;
        if self.unbalanced.is_none() {
            self.unbalanced = unbalanced(report);
        }
        if let Some(ask) = &self.ask {
            ask.store(true, Ordering::Relaxed);
        }
    }

    fn write(&mut self, target: Target<'_>, bytes: &[u8], _flush: bool) -> io::Result<()> {
        let place = match target {
            Target::Number(number) => Place::Number(number),
            Target::File(path) => Place::File(path.to_owned()),
        };
        put(&mut self.texts, place, bytes);
        Ok(())
    }
}

fn put(texts: &mut Texts, place: Place, bytes: &[u8]) {
    if !bytes.is_empty() {
        texts.entry(place).or_default().extend(bytes);
    }
}

/// A query set that is ready to be run.
pub(super) struct Ready {
    folder: Folder,
    plan: Plan,
    /// What the oracle says.
    results: oracle::Results,
}

/// What engine and oracle are compared in.
pub(super) enum Way {
    /// All statements in a mode.
    Mode(Mode),
    /// All but one, which must change nothing for the others.
    WithoutOne,
}

/// The files of a query set, removed at the end.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(set: &QuerySet) -> Folder {
        let folder = tempfile::Builder::new().prefix("wireq-oracle-").tempdir();
        let folder = Folder(folder.expect("the folder for captures can be made"));
        for (at, capture) in set.captures.iter().enumerate() {
            let written = std::fs::write(folder.path(at), capture.file());
            written.expect("the capture can be written");
        }
        for (at, table) in set.tables.iter().enumerate() {
            let written = std::fs::write(folder.table(at), table.file());
            written.expect("the table can be written");
        }
        folder
    }

    fn path(&self, capture: usize) -> String {
        let name = format!("{capture}.pcap");
        self.0.path().join(name).display().to_string()
    }

    fn table(&self, table: usize) -> String {
        let name = format!("{table}.txt");
        self.0.path().join(name).display().to_string()
    }
}

impl Checker {
    /// Makes ready.
    pub fn new() -> Checker {
        // Runs move to files what they can by the thousand, and a disk takes long to make a file.
        let memory = Path::new("/dev/shm");
        if memory.is_dir() {
            // Whoever came first has said the same.
            let _ = tempfile::env::override_temp_dir(memory);
        }
        Checker {
            registry: wireq_modules::registry(),
            zone: Arc::new(Zone::utc()),
        }
    }

    /// The scalar functions that there are.
    pub fn functions(&self) -> &[&'static ScalarFunction] {
        self.registry.functions()
    }

    /// The packets of a capture as the oracle sees them.
    pub fn packets(&self, capture: &Capture) -> Vec<Object> {
        let types = self.registry.types().iter();
        let packet: Arc<dyn RecordType> = types
            .filter(|record_type| record_type.name() == "packet")
            .map(Arc::clone)
            .next()
            .expect("packets are a type");
        let frames = oracle::capture::frames(&capture.file()).into_iter();
        frames
            .map(|frame| Object::Packet(frame, Arc::clone(&packet)))
            .collect()
    }

    /// Runs a set in every mode.
    pub fn check(&self, set: &QuerySet) -> Outcome {
        let ready = match self.ready(set) {
            Ok(ready) => ready,
            Err(faults) => return Outcome::Invalid(faults),
        };
        let modes = Mode::all().into_iter().map(Way::Mode);
        let mut ways = modes.chain([Way::WithoutOne]);
        match ways.try_for_each(|way| self.attempt(set, &ready, &way)) {
            Ok(()) => Outcome::Agreed(Census::of(&ready.plan, &ready.results)),
            Err(failure) => Outcome::Failed(failure),
        }
    }

    /// Writes the files of a set, compiles it and asks the oracle.
    pub(super) fn ready(&self, set: &QuerySet) -> Result<Ready, String> {
        let folder = Folder::with(set);
        let plan = self.compile(set, &folder)?;
        Ok(Ready {
            results: oracle::run(&plan, &self.zone),
            folder,
            plan,
        })
    }

    /// Compares what the engine gives with what the oracle says.
    pub(super) fn attempt(&self, set: &QuerySet, ready: &Ready, way: &Way) -> Result<(), Failure> {
        match way {
            Way::Mode(mode) => self.check_mode(&ready.plan, &ready.results, mode),
            Way::WithoutOne => self.check_dropping(set, &ready.folder, &ready.results),
        }
    }

    /// Runs queries over captures in the current folder, in every mode.
    ///
    /// # Errors
    /// How oracle and engine differ.
    ///
    /// # Panics
    /// Where the oracle does not know a module: see [`Checker::compile_known`].
    pub fn check_plan(&self, plan: &Plan) -> Result<(), Failure> {
        let results = oracle::run(plan, &self.zone);
        let mut modes = Mode::all().into_iter();
        modes.try_for_each(|mode| self.check_mode(plan, &results, &mode))
    }

    /// Compiles a query for captures in the current folder; none where it has faults or where the
    /// oracle does not know all of its modules.
    pub fn compile_known(&self, query: &str, files: &[String]) -> Option<Plan> {
        let texts = [Text {
            name: "query".into(),
            text: query.to_owned(),
        }];
        let files = (!files.is_empty()).then(|| Files {
            module: "pcapfile",
            flags: Vec::new(),
            paths: files.to_vec(),
        });
        let options = wireq_query_lang::Options {
            files,
            ..wireq_query_lang::Options::new(&self.zone)
        };
        let plan = compile(&texts, &self.registry, &options).ok()?;
        oracle::knows(&plan).then_some(plan)
    }

    fn check_mode(
        &self,
        plan: &Plan,
        results: &oracle::Results,
        mode: &Mode,
    ) -> Result<(), Failure> {
        let expected = expected(results, |statement| mode.target(statement));
        self.compare(plan, mode, &expected)
    }

    /// Without one statement the text of the others must be the same.
    fn check_dropping(
        &self,
        set: &QuerySet,
        folder: &Folder,
        results: &oracle::Results,
    ) -> Result<(), Failure> {
        let smaller = set.without(set.dropped);
        if smaller.statements.is_empty() {
            return Ok(());
        }
        let plan = self.compile(&smaller, folder).map_err(|faults| Failure {
            what: format!("statement {} dropped", set.dropped),
            expected: "a plan, as before".to_owned(),
            given: faults,
        })?;
        let mut kept = oracle::Results {
            writes: results.writes.clone(),
            ..oracle::Results::default()
        };
        kept.writes.retain(|write| write.statement != set.dropped);
        let renumbered = |statement| statement - usize::from(statement > set.dropped);
        let mode = Mode {
            rows_max: 2048,
            choices: all_rewrites(),
            apart: true,
            resume_every: 0,
            spill_every: 0,
            threads: 1,
            progress: false,
        };
        self.compare(&plan, &mode, &expected(&kept, renumbered))
            .map_err(|failure| Failure {
                what: format!("statement {} dropped, {}", set.dropped, failure.what),
                ..failure
            })
    }

    fn compile(&self, set: &QuerySet, folder: &Folder) -> Result<Plan, String> {
        let texts: Vec<Text> = set
            .texts()
            .into_iter()
            .enumerate()
            .map(|(at, text)| Text {
                name: format!("text {at}"),
                text: with_paths(text, folder),
            })
            .collect();
        let files = (!set.files.is_empty()).then(|| Files {
            module: "pcapfile",
            flags: Vec::new(),
            paths: set.files.iter().map(|at| folder.path(*at)).collect(),
        });
        let options = wireq_query_lang::Options {
            files,
            ..wireq_query_lang::Options::new(&self.zone)
        };
        compile(&texts, &self.registry, &options).map_err(|faults| {
            let mut text = String::new();
            for fault in faults {
                let _ = writeln!(text, "text {}: {:?}", fault.text, fault.diagnostic);
            }
            text
        })
    }

    fn compare(&self, plan: &Plan, mode: &Mode, expected: &Texts) -> Result<(), Failure> {
        let failure = |what: String, expected: String, given: String| Failure {
            what: format!("{}: {what}", mode.name()),
            expected,
            given,
        };
        let run = catch_unwind(AssertUnwindSafe(|| self.run(plan, mode)));
        let (collected, report) = match run {
            Ok(Ok(run)) => run,
            Ok(Err(error)) => {
                return Err(failure(
                    "the run".into(),
                    "no error".into(),
                    error.to_string(),
                ));
            }
            Err(panic) => {
                return Err(failure(
                    "the run".into(),
                    "no panic".into(),
                    message(&*panic),
                ));
            }
        };
        let given = collected.texts;
        for place in expected.keys().chain(given.keys()) {
            let [left, right] = [expected, &given].map(|texts| texts.get(place).cloned());
            if left != right {
                let show = |text: Option<Vec<u8>>| readable(&text.unwrap_or_default());
                return Err(failure(format!("{place:?}"), show(left), show(right)));
            }
        }
        match collected.unbalanced.or_else(|| unbalanced(&report)) {
            Some((node, account)) => Err(failure(node, "an account that adds up".into(), account)),
            None => Ok(()),
        }
    }

    fn run(&self, plan: &Plan, mode: &Mode) -> Result<(Collected, Report), wireq_engine::Error> {
        let signals = Signals::default();
        signals.progress.store(mode.progress, Ordering::Relaxed);
        let ask = mode.progress.then(|| Arc::clone(&signals.progress));
        let options = schedule::Options {
            rows_max: mode.rows_max,
            choices: mode.choices.clone(),
            seed: 7,
            resume_every: mode.resume_every,
            spill_every: mode.spill_every,
            threads: mode.threads,
            alone: 0,
            // Half of the sets at full speed.
            shake: if mode.apart { 11 } else { 0 },
            zone: Arc::clone(&self.zone),
            targets: (0..plan.statements.len()).map(|s| mode.target(s)).collect(),
            signals,
            ..schedule::Options::default()
        };
        let mut collected = Collected::new(ask);
        let report = schedule::run(plan.clone(), &options, &mut collected)?;
        Ok((collected, report))
    }

    /// Runs a query over a capture, packet by packet, with the account asked for before every step.
    /// Gives how often it was shown.
    ///
    /// # Errors
    /// A node of which not every row that came in is accounted for, and its account.
    ///
    /// # Panics
    /// Where the query cannot be run.
    pub fn check_progress(&self, query: &str, file: &str) -> Result<usize, (String, String)> {
        let plan = self.compile_known(query, &[file.to_owned()]);
        let mode = Mode {
            rows_max: 1,
            choices: all_rewrites(),
            apart: false,
            resume_every: 0,
            spill_every: 0,
            threads: 1,
            progress: true,
        };
        let (collected, report) = self
            .run(&plan.expect("the query is one"), &mode)
            .expect("the query runs");
        match collected.unbalanced.or_else(|| unbalanced(&report)) {
            Some(wrong) => Err(wrong),
            None => Ok(collected.shown),
        }
    }

    /// The set as a user would give it: what to look at when it fails.
    pub fn show(&self, set: &QuerySet) -> String {
        let mut text = String::new();
        for statement in set.texts() {
            let _ = writeln!(text, "{statement}");
        }
        let _ = writeln!(
            text,
            "files {:?}, statement to drop {}",
            set.files, set.dropped
        );
        for (at, capture) in set.captures.iter().enumerate() {
            let hex: String = capture
                .file()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let _ = writeln!(text, "{{{at}}}, {} packets: {hex}", capture.packets.len());
        }
        for (at, table) in set.tables.iter().enumerate() {
            let file = String::from_utf8_lossy(&table.file()).into_owned();
            let _ = writeln!(text, "{{t{at}}}:\n{file}");
        }
        text
    }
}

fn with_paths(mut text: String, folder: &Folder) -> String {
    for at in 0..2 {
        text = text.replace(&format!("{{{at}}}"), &folder.path(at));
        text = text.replace(&format!("{{t{at}}}"), &folder.table(at));
    }
    text
}

/// The text at each place that the oracle says, with an output for each statement by number.
fn expected(results: &oracle::Results, target: impl Fn(usize) -> usize) -> Texts {
    let mut texts = Texts::new();
    for write in &results.writes {
        let place = match &write.file {
            Some(path) => Place::File(path.clone()),
            None => Place::Number(target(write.statement)),
        };
        put(&mut texts, place, &write.bytes);
    }
    texts
}

/// A node of which not every row that came in is accounted for, and its account.
fn unbalanced(report: &Report) -> Option<(String, String)> {
    // A source that was not begun has read nothing.
    let begun = |node: &NodeReport| node.is_source && node.account.passed > 0;
    let wrong = |node: &&NodeReport| !node.account.adds_up() || begun(node) && node.input.is_none();
    let node = report.accounts.iter().find(wrong)?;
    Some((node.name.to_string(), format!("{:?}", node.account)))
}

fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_default())
}
