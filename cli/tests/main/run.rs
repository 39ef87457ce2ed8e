//! Runs the binary.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_wireq");
/// The packets of `office.pcap`.
pub const OFFICE_PACKETS: u64 = 421;
/// What takes longer than this hangs.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What a run gave.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The exit status; -1 where a signal ended the run.
    pub status: i32,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Outcome {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Outcome {
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            status: output.status.code().unwrap_or(-1),
        }
    }
}

impl Outcome {
    /// A run that went well and had nothing to say but its results.
    #[track_caller]
    pub fn results(self) -> String {
        assert_eq!((self.status, self.stderr.as_str()), (0, ""), "{self:?}");
        self.stdout
    }

    /// A run that ended with this status before there were results, and says why.
    #[track_caller]
    pub fn refusal(self, status: i32) -> String {
        assert_eq!(
            (self.status, self.stdout.as_str()),
            (status, ""),
            "{self:?}"
        );
        assert!(!self.stderr.is_empty(), "it does not say why");
        self.stderr
    }
}

pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().expect("the repository is there")
}

pub fn captures() -> PathBuf {
    root().join("testdata/captures")
}

/// An empty folder for the files of one test.
pub fn scratch(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

/// The command with these arguments, among the captures.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(arguments)
        .current_dir(captures())
        .env("TZ", "UTC");
    command
}

pub fn wireq(arguments: &[&str]) -> Outcome {
    let output = command(arguments).stdin(Stdio::null()).output();
    output.expect("the binary was built with this test").into()
}

/// Runs with these bytes on standard input.
pub fn wireq_on(arguments: &[&str], input: &[u8]) -> Outcome {
    let mut child = spawn(arguments);
    let mut stdin = child.stdin.take().expect("it is piped");
    // A run that needs no input may be over before it is written.
    let _ = stdin.write_all(input);
    drop(stdin);
    child
        .wait_with_output()
        .expect("it can be waited for")
        .into()
}

/// Starts a run with pipes on all sides.
pub fn spawn(arguments: &[&str]) -> Child {
    let mut command = command(arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
        .spawn()
        .expect("the binary was built with this test")
}

/// Waits for a run to end by itself; one that does not is ended, and fails the test.
#[track_caller]
pub fn wait(child: &mut Child) -> i32 {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        match child.try_wait().expect("it can be waited for") {
            Some(status) => return status.code().unwrap_or(-1),
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    panic!("the run does not end");
}

pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
