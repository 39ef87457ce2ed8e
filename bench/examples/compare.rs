//! The runner: commands beside each other, interleaved, by CPU time.
//!
//! CPU time is user plus system time of the child and of what it waited for (`wait4`).
//! Every round runs each command once and starts with another one, so that a slow minute of
//! the machine hits them all. The pairs of a round give the spread of the ratios.

#![allow(unsafe_code, reason = "std has no wait4")]

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::Instant;

const USAGE: &str = "\
usage: compare [--runs N] [--warmup N] [--name TEXT] [--check] [--samples FILE --labels A,B,...]
               -- CMD ARGS ::: CMD ARGS ...

Runs the commands (A, B, ...; two at least) in turn, --runs times each (7) after --warmup
(1) unmeasured times, their output to /dev/null, and prints a Markdown table of CPU time,
its ratio A/B, A/C, ..., wall time and peak resident size. --check first says whether each
output equals A's. A command that fails ends it all with status 1. --samples appends a line for
each run: name, label of the command, round, CPU s, wall s, peak MiB, with tabs between.
";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let Some(plan) = parse(&arguments) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    match Scratch::new()
        .map_err(Failure::from)
        .and_then(|scratch| compare(&plan, &scratch))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("compare: {failure}");
            ExitCode::FAILURE
        }
    }
}

struct Plan<'a> {
    runs: usize,
    warmup: usize,
    name: Option<&'a str>,
    check: bool,
    samples: Option<&'a Path>,
    labels: Vec<&'a str>,
    commands: Vec<&'a [OsString]>,
}

fn parse(arguments: &[OsString]) -> Option<Plan<'_>> {
    let separator = arguments.iter().position(|argument| argument == "--")?;
    let (options, commands) = (&arguments[..separator], &arguments[separator + 1..]);
    let mut plan = Plan {
        runs: 7,
        warmup: 1,
        name: None,
        check: false,
        samples: None,
        labels: Vec::new(),
        commands: commands.split(|argument| argument == ":::").collect(),
    };
    let mut options = options.iter();
    while let Some(option) = options.next() {
        match option.to_str()? {
            "--runs" => plan.runs = options.next()?.to_str()?.parse().ok()?,
            "--warmup" => plan.warmup = options.next()?.to_str()?.parse().ok()?,
            "--name" => plan.name = Some(options.next()?.to_str()?),
            "--check" => plan.check = true,
            "--samples" => plan.samples = Some(Path::new(options.next()?)),
            "--labels" => plan.labels = options.next()?.to_str()?.split(',').collect(),
            _ => return None,
        }
    }
    let enough = plan.runs > 0 && (2..=26).contains(&plan.commands.len());
    let named = plan.commands.iter().all(|command| !command.is_empty());
    let labelled = plan.samples.is_none() || plan.labels.len() == plan.commands.len();
    (enough && named && labelled).then_some(plan)
}

/// Why there is no table.
enum Failure {
    System(io::Error),
    Start(String, io::Error),
    Status(String, ExitStatus, String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => error.fmt(f),
            Self::Start(command, error) => write!(f, "can't run {command}: {error}"),
            Self::Status(command, status, said) => {
                write!(f, "{command} failed: {status}\n{}", said.trim_end())
            }
        }
    }
}

/// A folder for outputs and messages, gone when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Self> {
        let folder = env::temp_dir().join(format!("wireq-compare-{}", std::process::id()));
        fs::create_dir(&folder)?;
        Ok(Self(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing else to do: what is left lies in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn compare(plan: &Plan<'_>, scratch: &Scratch) -> Result<(), Failure> {
    let equal = if plan.check {
        Some(outputs_equal(plan, scratch)?)
    } else {
        None
    };
    for _ in 0..plan.warmup {
        for command in &plan.commands {
            run(command, Stdio::null(), scratch)?;
        }
    }
    let mut samples = vec![Vec::with_capacity(plan.runs); plan.commands.len()];
    for round in 0..plan.runs {
        for turn in 0..plan.commands.len() {
            let index = (round + turn) % plan.commands.len();
            samples[index].push(run(plan.commands[index], Stdio::null(), scratch)?);
        }
    }
    if let Some(path) = plan.samples {
        write_samples(plan, &samples, path)?;
    }
    print_table(plan, &samples, equal.as_deref());
    Ok(())
}

fn write_samples(plan: &Plan<'_>, samples: &[Vec<Sample>], path: &Path) -> io::Result<()> {
    let file = File::options().create(true).append(true).open(path)?;
    let mut out = BufWriter::new(file);
    let name = plan.name.unwrap_or_default();
    for (label, runs) in plan.labels.iter().zip(samples) {
        for (round, run) in runs.iter().enumerate() {
            let (cpu, wall, rss) = (run.cpu_s, run.wall_s, run.rss_mib);
            writeln!(
                out,
                "{name}\t{label}\t{round}\t{cpu:.6}\t{wall:.6}\t{rss:.1}"
            )?;
        }
    }
    out.flush()
}

/// What one run of a command took.
#[derive(Clone, Copy)]
struct Sample {
    cpu_s: f64,
    wall_s: f64,
    rss_mib: f64,
}

fn run(command: &[OsString], stdout: Stdio, scratch: &Scratch) -> Result<Sample, Failure> {
    let messages = scratch.path("stderr");
    let start = Instant::now();
    let child = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(File::create(&messages)?)
        .spawn()
        .map_err(|error| Failure::Start(shown(command), error))?;
    let (status, usage) = wait(child.id())?;
    let wall_s = start.elapsed().as_secs_f64();
    if !status.success() {
        let said = fs::read(&messages)?;
        let said = String::from_utf8_lossy(&said).into_owned();
        return Err(Failure::Status(shown(command), status, said));
    }
    Ok(Sample {
        cpu_s: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        wall_s,
        rss_mib: usage.ru_maxrss as f64 / 1024.0,
    })
}

/// Waits for a child of ours and takes its use of resources.
fn wait(child: u32) -> io::Result<(ExitStatus, libc::rusage)> {
    let child = libc::pid_t::try_from(child).map_err(io::Error::other)?;
    let mut status = 0;
    // SAFETY: rusage is a C struct of integers, for which all zeros is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live locals of the types that wait4 writes.
    while unsafe { libc::wait4(child, &raw mut status, 0, &raw mut usage) } < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok((ExitStatus::from_raw(status), usage))
}

fn seconds(time: libc::timeval) -> f64 {
    time.tv_sec as f64 + time.tv_usec as f64 / 1e6
}

/// For each command whether its output is the first one's, byte for byte.
fn outputs_equal(plan: &Plan<'_>, scratch: &Scratch) -> Result<Vec<bool>, Failure> {
    let (first, other) = (scratch.path("first"), scratch.path("other"));
    let mut equal = Vec::new();
    for (index, command) in plan.commands.iter().enumerate() {
        let output = if index == 0 { &first } else { &other };
        run(command, File::create(output)?.into(), scratch)?;
        equal.push(same_bytes(&first, output)?);
    }
    Ok(equal)
}

fn same_bytes(a: &Path, b: &Path) -> io::Result<bool> {
    if fs::metadata(a)?.len() != fs::metadata(b)?.len() {
        return Ok(false);
    }
    let (a, b) = (
        BufReader::new(File::open(a)?),
        BufReader::new(File::open(b)?),
    );
    for (a, b) in a.bytes().zip(b.bytes()) {
        if a? != b? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn print_table(plan: &Plan<'_>, samples: &[Vec<Sample>], equal: Option<&[bool]>) {
    if let Some(name) = plan.name {
        println!("### {name}\n");
    }
    let output = if equal.is_some() { " output |" } else { "" };
    println!("| | CPU s | min to max | A/it | min to max | wall s | RSS MiB |{output}");
    println!(
        "|---|---:|---:|---:|---:|---:|---:|{}",
        if equal.is_some() { "---|" } else { "" }
    );
    for (index, runs) in samples.iter().enumerate() {
        print!("{}", row(letter(index), &samples[0], runs, index == 0));
        match equal.map(|equal| (index, equal[index])) {
            None => println!(),
            Some((0, _)) => println!(" |"),
            Some((_, true)) => println!(" equals A's |"),
            Some((_, false)) => println!(" differs from A's |"),
        }
    }
    println!("\n{} runs each, interleaved:", plan.runs);
    for (index, command) in plan.commands.iter().enumerate() {
        println!("* {}: `{}`", letter(index), shown(command));
    }
    println!();
}

fn row(letter: char, first: &[Sample], runs: &[Sample], is_first: bool) -> String {
    let cpu = Spread::of(runs.iter().map(|run| run.cpu_s));
    let wall = Spread::of(runs.iter().map(|run| run.wall_s));
    let rss = Spread::of(runs.iter().map(|run| run.rss_mib));
    let ratio = if is_first {
        "1 | ".to_owned()
    } else {
        let pairs = first.iter().zip(runs);
        let ratios = Spread::of(pairs.map(|(a, b)| a.cpu_s / b.cpu_s));
        let medians = Spread::of(first.iter().map(|run| run.cpu_s)).median / cpu.median;
        format!("{medians:.2} | {:.2} to {:.2}", ratios.least, ratios.most)
    };
    format!(
        "| {letter} | {:.3} | {:.3} to {:.3} | {ratio} | {:.3} | {:.1} |",
        cpu.median, cpu.least, cpu.most, wall.median, rss.most
    )
}

/// Median and bounds of some figures.
struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        let (lower, upper) = (figures[(figures.len() - 1) / 2], figures[figures.len() / 2]);
        Self {
            least: figures[0],
            median: (lower + upper) / 2.0,
            most: figures[figures.len() - 1],
        }
    }
}

fn letter(index: usize) -> char {
    char::from(b'A' + u8::try_from(index).expect("at most 26 commands"))
}

/// The command as one would type it, near enough.
fn shown(command: &[OsString]) -> String {
    let word = |word: &OsString| {
        let word = word.to_string_lossy();
        if word.is_empty() || word.contains(|c: char| " |*?$&;<>()'\"\\\n".contains(c)) {
            format!("'{word}'")
        } else {
            word.into_owned()
        }
    };
    command.iter().map(word).collect::<Vec<_>>().join(" ")
}
