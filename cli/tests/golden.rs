//! Runs the golden queries of `testdata/queries`, each in many modes: batch sizes, rewrites on and
//! off, seeds, numbers of threads. All modes must give exactly what the file says. `UPDATE=1` writes what the first
//! mode gives into the files: read the diff before believing it. `WIREQ_SWEEP=1` tries all modes instead of every
//! two choices together.
//!
//! A file begins with comments; then come sections, each from a line that is its name to the next
//! such line. `files`, `flags` and `status` have their values on the line itself.
//!
//! | section | what |
//! |---|---|
//! | `files A B` | captures given behind the query, relative to `testdata/captures` |
//! | `flags --strict` | further arguments |
//! | `query` | several of them must all give the same |
//! | `plan`, `plan --no-rewrite=table` | of the query above it: what `wireq explain` prints below `as run:`, with these flags |
//! | `explain --json --analyze` | of the query above it: what `wireq explain` prints with these flags; what depends on the clock is `_` |
//! | `output`, `output unordered` | standard output; unordered: line by line, in any order |
//! | `error` | standard error, where there is no output |
//! | `stderr` | standard error, where there is output too; nothing unless given |
//! | `status 2` | the exit status; 0 unless given |
//!
//! A line of text that would be a section's has a backslash before it. A last line that is only a
//! backslash means that the text before it has no line end.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

/// The exit status where a query or an argument is wrong.
const REFUSED: i32 = 2;

/// Differences are shown up to this many lines.
const DIFF_LINES_MAX: usize = 12;

#[derive(Clone, Debug, PartialEq)]
struct Section {
    head: String,
    text: String,
}

/// A golden file.
#[derive(Clone, Debug, PartialEq)]
struct Case {
    comments: String,
    sections: Vec<Section>,
}

/// What a run gave.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    stdout: String,
    stderr: String,
    status: i32,
}

fn is_head(line: &str) -> bool {
    const PLAIN: [&str; 6] = [
        "query",
        "plan",
        "output",
        "output unordered",
        "error",
        "stderr",
    ];
    const WITH_VALUE: [&str; 5] = ["files ", "flags ", "status ", "explain ", "plan --"];
    PLAIN.contains(&line) || WITH_VALUE.iter().any(|head| line.starts_with(head))
}

fn is_escaped_head(line: &str) -> bool {
    line.starts_with('\\') && is_head(line.trim_start_matches('\\'))
}

impl Section {
    fn new(head: &str) -> Section {
        Section {
            head: head.to_owned(),
            text: String::new(),
        }
    }

    fn push(&mut self, line: &str) {
        let line = if is_escaped_head(line) {
            &line[1..]
        } else {
            line
        };
        self.text += line;
        self.text.push('\n');
    }

    /// Takes the mark of a text without a line end away, with the line end.
    fn close(&mut self) {
        if let Some(text) = self.text.strip_suffix("\n\\\n") {
            self.text = text.to_owned();
        }
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.head);
        out.push('\n');
        for line in self.text.split_inclusive('\n') {
            let line_text = line.strip_suffix('\n').unwrap_or(line);
            if is_head(line_text) || is_escaped_head(line_text) {
                out.push('\\');
            }
            out.push_str(line);
        }
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            out.push_str("\n\\\n");
        }
    }
}

impl Case {
    fn parse(text: &str) -> Case {
        let mut comments = String::new();
        let mut sections: Vec<Section> = Vec::new();
        for line in text.lines() {
            match sections.last_mut() {
                _ if is_head(line) => sections.push(Section::new(line)),
                Some(section) => section.push(line),
                None => comments += &format!("{line}\n"),
            }
        }
        sections.iter_mut().for_each(Section::close);
        Case { comments, sections }
    }

    fn render(&self) -> String {
        let mut text = self.comments.clone();
        self.sections
            .iter()
            .for_each(|section| section.write(&mut text));
        text
    }

    /// The words behind the section of this name.
    fn values(&self, name: &str) -> Vec<String> {
        let heads = self.sections.iter().map(|section| section.head.as_str());
        let values = heads.filter_map(|head| head.strip_prefix(name)?.strip_prefix(' '));
        values
            .flat_map(str::split_whitespace)
            .map(str::to_owned)
            .collect()
    }

    fn text(&self, head: &str) -> Option<&str> {
        let section = self.sections.iter().find(|section| section.head == head)?;
        Some(&section.text)
    }

    fn is_unordered(&self) -> bool {
        self.text("output unordered").is_some()
    }

    fn status(&self) -> i32 {
        let value = self.values("status").pop();
        value.map_or(0, |status| {
            status.parse().expect("`status` has a number behind it")
        })
    }

    fn expected(&self) -> Outcome {
        let output = self.text("output").or(self.text("output unordered"));
        let stderr = self.text("error").or(self.text("stderr"));
        Outcome {
            stdout: output.unwrap_or("").to_owned(),
            stderr: stderr.unwrap_or("").to_owned(),
            status: self.status(),
        }
        .sorted(self.is_unordered())
    }

    fn queries(&self) -> Vec<&str> {
        let queries = self.sections.iter();
        let queries = queries.filter(|section| section.head == "query");
        queries
            .map(|section| section.text.trim_end_matches('\n'))
            .collect()
    }

    /// The sections whose name begins with a word, each with its number and its query.
    fn about_queries(&self, word: &str) -> Vec<(usize, &str)> {
        let mut query = "";
        let mut found = Vec::new();
        for (number, section) in self.sections.iter().enumerate() {
            if section.head == "query" {
                query = section.text.trim_end_matches('\n');
            }
            if section.head.split_whitespace().next() == Some(word) {
                found.push((number, query));
            }
        }
        found
    }

    /// What is wrong with the file itself.
    fn fault(&self) -> Option<&'static str> {
        let has = |head: &str| self.text(head).is_some();
        let outputs = [has("output"), has("output unordered"), has("error")];
        let outputs = outputs.into_iter().filter(|there| *there).count();
        let is_comment = |line: &str| line.starts_with("# ");
        if !self.comments.lines().all(is_comment) {
            return Some("before the first section there can be comments only");
        }
        if self.queries().is_empty() {
            return Some("there is no query");
        }
        (outputs != 1).then_some("one of `output`, `output unordered` and `error` has to be there")
    }
}

impl Outcome {
    fn sorted(mut self, sort: bool) -> Outcome {
        if sort {
            let mut lines: Vec<&str> = self.stdout.split_inclusive('\n').collect();
            lines.sort_unstable();
            self.stdout = lines.concat();
        }
        self
    }
}

fn wireq(arguments: &[String]) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_wireq"))
        .args(arguments)
        .current_dir(testdata().join("captures"))
        // UTC, for which no folder of zones is read, as it is for one that has a name.
        .env("TZ", "")
        .output()
        .expect("the binary was built with this test");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Outcome {
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
        status: output.status.code().unwrap_or(-1),
    }
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata")
}

/// The arguments of every mode: on one thread every two choices together, or all in a sweep.
fn modes() -> Vec<Vec<String>> {
    let sweep = std::env::var_os("WIREQ_SWEEP").is_some();
    let mut modes = Vec::new();
    for (place, batch) in ["2048", "3", "1"].into_iter().enumerate() {
        for (off, rewrite) in ["", "--no-rewrite=share"].into_iter().enumerate() {
            for seed in 0..2 {
                if sweep || (place + off) % 2 == seed {
                    let seed = seed + 1;
                    modes.push(format!(
                        "--threads=1 --batch={batch} --seed={seed} {rewrite}"
                    ));
                }
            }
        }
    }
    // Where batches are small, many are under way at once.
    for batch in ["3", "1"] {
        for threads in ["2", "3"] {
            modes.push(format!("--threads={threads} --batch={batch} --seed=1"));
        }
    }
    let words = |mode: String| mode.split_whitespace().map(str::to_owned).collect();
    modes.into_iter().map(words).collect()
}

fn run_query(case: &Case, query: &str, mode: &[String]) -> Outcome {
    let query = format!("--query={query}");
    let parts = [&case.values("flags"), mode, &[query], &case.values("files")];
    wireq(&parts.concat()).sorted(case.is_unordered())
}

/// The plan as it is run, with the flags of a section.
fn planned(case: &Case, section: usize, query: &str) -> String {
    let flags = case.sections[section].head.split_whitespace().skip(1);
    let mut words = vec!["explain".to_owned()];
    words.extend(flags.map(str::to_owned));
    words.push(format!("--query={query}"));
    let outcome = wireq(&[&words, &case.values("files")[..]].concat());
    match outcome.stdout.split_once("as run:\n") {
        Some((_, plan)) => plan.to_owned(),
        None => outcome.stderr,
    }
}

/// What `wireq explain` says with the flags of a section, but how long things took.
fn explained_as(case: &Case, section: usize, query: &str) -> String {
    let flags = case.sections[section].head.split_whitespace();
    let mut words: Vec<String> = flags.map(str::to_owned).collect();
    words.extend(["--threads=1".to_owned(), format!("--query={query}")]);
    let outcome = wireq(&[&words, &case.values("files")[..]].concat());
    let text = outcome.stdout + &outcome.stderr;
    if !words.iter().any(|word| word == "--analyze") {
        return text;
    }
    let text = without(&text, "\"time\":", |c| c.is_ascii_digit() || c == '.');
    let text = without(&text, "fillcolor=\"#ff", |c| c.is_ascii_hexdigit());
    let text = without(&text, "fill=\"#ff", |c| c.is_ascii_hexdigit());
    // Rows that came, rows that were given, the share of the time.
    let mut parts = text.split(" → ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rows = part.chars().take_while(char::is_ascii_digit).count();
        let (rows, rest) = part.split_at(rows);
        let share = |c: char| c.is_ascii_digit() || c == '.';
        out += &match rest.strip_prefix(", ") {
            Some(rest) => format!(" → {rows}, _{}", rest.trim_start_matches(share)),
            None => format!(" → {rows}{rest}"),
        };
    }
    out
}

/// A text without the characters of some kind that stand behind a mark.
fn without(text: &str, mark: &str, is: impl Fn(char) -> bool) -> String {
    let mut parts = text.split(mark);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out += mark;
        let rest = part.trim_start_matches(&is);
        if rest.len() < part.len() {
            out.push('_');
        }
        out += rest;
    }
    out
}

/// Compares every query in every mode with what is expected; what differs, in words.
fn check(case: &Case) -> Result<(), String> {
    if let Some(fault) = case.fault() {
        return Err(format!("{fault}\n"));
    }
    let expected = case.expected();
    let mut modes = modes();
    if expected.status == REFUSED {
        // Nothing is run that could differ.
        modes.truncate(1);
    }
    for query in case.queries() {
        for mode in &modes {
            let got = run_query(case, query, mode);
            if got != expected {
                return Err(describe(query, mode, &expected, &got));
            }
        }
        check_limits(case, query, &expected)?;
    }
    let plans = case.about_queries("plan").into_iter();
    let plans = plans.map(|(section, query)| (section, query, planned(case, section, query)));
    let explained = case.about_queries("explain").into_iter();
    let explained =
        explained.map(|(section, query)| (section, query, explained_as(case, section, query)));
    for (section, query, got) in plans.chain(explained) {
        let Section { head, text } = &case.sections[section];
        if got != *text {
            return Err(format!("  {query}\n  {head}\n{}", diff(text, &got)));
        }
    }
    Ok(())
}

/// Limits of memory that make most of what can go on in files do so at every few steps.
const LIMITS: [&str; 2] = ["--memory-limit=1200", "--memory-limit=6K"];

/// Compares a query under limits of memory: it gives what is expected, or says that it can't.
fn check_limits(case: &Case, query: &str, expected: &Outcome) -> Result<(), String> {
    let has_limit = |flag: &String| flag.starts_with("--memory-limit");
    if expected.status == REFUSED || case.values("flags").iter().any(has_limit) {
        return Ok(());
    }
    for (limit, threads) in LIMITS.into_iter().zip(["--threads=1", "--threads=2"]) {
        let mode = [limit, threads, "--batch=3", "--seed=1"].map(str::to_owned);
        let got = run_query(case, query, &mode);
        let gave_up = got.status == 5 && got.stderr.contains(": out of memory: ");
        if !gave_up && got != *expected {
            return Err(describe(query, &mode, expected, &got));
        }
        let count = if gave_up { &GAVE_UP } else { &WENT_ON };
        count.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// How many queries under a limit of memory gave what is expected, and how many said they can't.
static WENT_ON: AtomicUsize = AtomicUsize::new(0);
static GAVE_UP: AtomicUsize = AtomicUsize::new(0);

fn describe(query: &str, mode: &[String], expected: &Outcome, got: &Outcome) -> String {
    let mut text = format!("  {query}\n  {}\n", mode.join(" "));
    if expected.status != got.status {
        let _ = writeln!(text, "  status {}, not {}", got.status, expected.status);
    }
    for (name, expected, got) in [
        ("standard output", &expected.stdout, &got.stdout),
        ("standard error", &expected.stderr, &got.stderr),
    ] {
        if expected != got {
            let _ = write!(text, "  {name}\n{}", diff(expected, got));
        }
    }
    text
}

/// The lines that differ, without those that are equal at the begin and the end.
fn diff(expected: &str, got: &str) -> String {
    let split = |text: &str| -> Vec<String> {
        let lines = text.split_inclusive('\n');
        lines.map(|line| format!("{line:?}")).collect()
    };
    let (expected, got) = (split(expected), split(got));
    let pairs = || expected.iter().zip(&got);
    let start = pairs().take_while(|(a, b)| a == b).count();
    let left = expected.len().min(got.len()) - start;
    let backwards = expected.iter().rev().zip(got.iter().rev());
    let end = backwards.take(left).take_while(|(a, b)| a == b).count();
    let mut text = format!("  from line {}\n", start + 1);
    for (mark, lines) in [("-", &expected), ("+", &got)] {
        let lines = &lines[start..lines.len() - end];
        for line in lines.iter().take(DIFF_LINES_MAX) {
            let _ = writeln!(text, "  {mark} {line}");
        }
        if lines.len() > DIFF_LINES_MAX {
            let _ = writeln!(text, "  {mark} ... {} lines", lines.len());
        }
    }
    text
}

/// The case with what the first mode gives.
fn updated(mut case: Case) -> Case {
    let queries = case.queries();
    let Some(first) = queries.first() else {
        return case;
    };
    let got = run_query(&case, first, &modes()[0]);
    let plans = case.about_queries("plan").into_iter();
    let plans = plans.map(|(section, query)| (section, planned(&case, section, query)));
    let explained = case.about_queries("explain").into_iter();
    let explained =
        explained.map(|(section, query)| (section, explained_as(&case, section, query)));
    let found: Vec<(usize, String)> = plans.chain(explained).collect();
    for (section, text) in found {
        case.sections[section].text = text;
    }
    case.sections
        .retain(|section| !section.head.starts_with("status "));
    for section in &mut case.sections {
        match section.head.as_str() {
            "output" | "output unordered" => section.text.clone_from(&got.stdout),
            "error" | "stderr" => section.text.clone_from(&got.stderr),
            _ => {}
        }
    }
    if got.status != 0 {
        let status = format!("status {}", got.status);
        case.sections.push(Section::new(&status));
    }
    case
}

/// All golden files, in the order of their paths.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, found);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "test")
        {
            found.push(path);
        }
    }
}

fn check_file(path: &Path, update: bool) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{error}\n"))?;
    let mut case = Case::parse(&text);
    if update {
        case = updated(case);
        fs::write(path, case.render()).map_err(|error| format!("{error}\n"))?;
    }
    check(&case)
}

#[test]
fn golden_queries() {
    let root = testdata().join("queries");
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut paths = Vec::new();
    files(&root, &mut paths);
    paths.retain(|path| path.to_string_lossy().contains(&only));
    assert!(!paths.is_empty(), "there are no golden files");

    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let work = || {
        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(text) = check_file(path, update) {
                let name = path.strip_prefix(&root).unwrap_or(path).display();
                let text = format!("{name}\n{text}");
                failures.lock().expect("no thread panics here").push(text);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let went_on = WENT_ON.load(Ordering::Relaxed);
    let gave_up = GAVE_UP.load(Ordering::Relaxed);
    println!("under limits of memory: {went_on} as without, {gave_up} end");
    // Limits that all give up under would prove nothing; most queries keep little.
    assert!(
        std::env::var_os("ONLY").is_some() || went_on > gave_up,
        "only {went_on} go on under limits of memory"
    );
    let mut failures = failures.into_inner().expect("no thread panics here");
    failures.sort();
    let (bad, all) = (failures.len(), paths.len());
    assert!(bad == 0, "{bad} of {all} files:\n\n{}", failures.join("\n"));
}

#[test]
fn files_are_read_and_written_alike() {
    let text =
        "# c\nfiles a b\nquery\nx\ny\noutput\n\\query\n\\\\status 2\n\nlast;\n\\\nstatus 2\n";
    let case = Case::parse(text);
    assert_eq!(case.render(), text);
    assert_eq!(case.values("files"), ["a", "b"]);
    assert_eq!(case.queries(), ["x\ny"]);
    assert_eq!(case.expected().stdout, "query\n\\status 2\n\nlast;");
    assert_eq!(case.status(), 2);
}

#[test]
fn differences_are_shown_where_they_are() {
    let shown = diff("a\nb\nc\n", "a\nx\nc\n");
    assert_eq!(shown, "  from line 2\n  - \"b\\n\"\n  + \"x\\n\"\n");
    let outcome = |stdout: &str| Outcome {
        stdout: stdout.to_owned(),
        stderr: String::new(),
        status: 0,
    };
    assert_ne!(outcome("b\na\n"), outcome("a\nb\n"));
    assert_eq!(outcome("b\na\n").sorted(true), outcome("a\nb\n"));
}
