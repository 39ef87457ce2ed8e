//! A network of a test's own: a namespace with pairs of interfaces, and runs that listen in it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_wireq");
/// What takes longer than this hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// What the interfaces take in one packet: offloads that would join packets are off.
const MTU: &str = "9000";

/// What a run gave.
#[derive(Debug)]
pub struct Outcome {
    pub stdout: String,
    pub stderr: String,
    pub status: i32,
}

pub fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/captures")
}

fn is_root() -> bool {
    let own = fs::metadata("/proc/self").map(|data| data.uid());
    own.is_ok_and(|uid| uid == 0)
}

/// What queries print over captures.
pub fn wireq(arguments: &[&str]) -> String {
    let mut command = Command::new(BINARY);
    let command = command
        .args(arguments)
        .current_dir(captures())
        .env("TZ", "UTC");
    let output = command.output().expect("the binary runs");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// A network namespace, which lasts as long as the process that sleeps in it.
pub struct Namespace {
    holder: Child,
    folder: PathBuf,
}

impl Namespace {
    /// A namespace with pairs of interfaces, `eth0` and `peer0` and so on. None where none may be
    /// made; that is said.
    pub fn new(pairs: usize) -> Option<Namespace> {
        match Namespace::make(pairs) {
            Ok(namespace) => Some(namespace),
            Err(reason) => {
                let reason = format!("live: SKIPPED, {reason}: nothing is known of interfaces");
                eprintln!("{reason}");
                // Test runners keep what passing tests write; this reaches whoever looks on.
                if let Ok(mut terminal) = fs::OpenOptions::new().write(true).open("/dev/tty") {
                    let _ = std::io::Write::write_all(&mut terminal, reason.as_bytes());
                }
                assert!(
                    std::env::var_os("WIREQ_LIVE").is_none(),
                    "WIREQ_LIVE asks for it, but {reason}"
                );
                None
            }
        }
    }

    fn make(pairs: usize) -> Result<Namespace, String> {
        for tool in ["unshare", "nsenter", "ip", "tcpreplay"] {
            let found = Command::new(tool).arg("--version").output();
            if found.is_err() {
                return Err(format!("there is no `{tool}` here"));
            }
        }
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("live-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("no folder: {error}"))?;
        // In a user namespace too where this is not root: there anybody may.
        let mut command = Command::new("unshare");
        let user: &[&str] = if is_root() { &[] } else { &["--map-root-user"] };
        command.args(user).args(["--net", "--", "sleep", "1000"]);
        let holder = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("no namespace: {error}"))?;
        let namespace = Namespace { holder, folder };
        namespace.await_separation()?;
        for pair in 0..pairs {
            namespace.add_pair(pair)?;
        }
        Ok(namespace)
    }

    /// Waits until the process that holds the namespace is in it.
    fn await_separation(&self) -> Result<(), String> {
        let own = fs::read_link("/proc/self/ns/net").map_err(|error| error.to_string())?;
        let path = format!("/proc/{}/ns/net", self.holder.id());
        let name = format!("/proc/{}/comm", self.holder.id());
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            let is_ready = fs::read_to_string(&name).is_ok_and(|name| name.trim() == "sleep");
            match fs::read_link(&path) {
                Ok(other) if other != own && is_ready => return Ok(()),
                _ => thread::sleep(Duration::from_millis(5)),
            }
        }
        Err("no network namespace may be made here".to_owned())
    }

    fn add_pair(&self, pair: usize) -> Result<(), String> {
        let (eth, peer) = (format!("eth{pair}"), format!("peer{pair}"));
        let add = ["link", "add", &eth, "type", "veth", "peer", "name", &peer];
        self.try_run("ip", &add)?;
        for interface in [&eth, &peer] {
            // No packets but those that are sent.
            let ipv6 = format!("net.ipv6.conf.{interface}.disable_ipv6=1");
            let _ = self.try_run("sysctl", &["-qw", &ipv6]);
            let _ = self.try_run("ethtool", &["-K", interface, "tx", "off", "gro", "off"]);
            self.try_run("ip", &["link", "set", interface, "mtu", MTU, "up"])?;
        }
        Ok(())
    }

    /// Whether there are other users than root: where this is root in truth.
    pub fn has_users(&self) -> bool {
        let map = fs::read_to_string(format!("/proc/{}/uid_map", self.holder.id()));
        let is_one = |count: &str| count == "1";
        map.is_ok_and(|map| {
            map.split_whitespace()
                .nth(2)
                .is_none_or(|count| !is_one(count))
        })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command in the namespace.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.holder.id().to_string()])
            .args(if is_root() {
                &[][..]
            } else {
                &["--user", "--preserve-credentials"][..]
            })
            .args(["--net", "--", program])
            .current_dir(captures())
            .env("TZ", "UTC");
        command
    }

    fn try_run(&self, program: &str, arguments: &[&str]) -> Result<Output, String> {
        let output = self.command(program).args(arguments).output();
        let output = output.map_err(|error| format!("{program}: {error}"))?;
        match output.status.success() {
            true => Ok(output),
            false => Err(format!(
                "{program} {arguments:?}: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            )),
        }
    }

    pub fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let output = self.try_run(program, arguments);
        output.unwrap_or_else(|message| panic!("{message}"))
    }

    /// A run of wireq that ends by itself.
    pub fn wireq(&self, arguments: &[&str]) -> Outcome {
        let output = self.command(BINARY).args(arguments).output();
        outcome(output.expect("the binary runs"))
    }

    /// Sends a capture.
    pub fn send(&self, interface: &str, capture: &str, how: &[&str]) {
        self.start_sending(interface, capture, how).wait();
    }

    pub fn start_sending(&self, interface: &str, capture: &str, how: &[&str]) -> Sender {
        let mut command = self.command("tcpreplay");
        command.args(["-q", "-i", interface]).args(how).arg(capture);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Sender(child.expect("tcpreplay runs"))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A capture on its way.
pub struct Sender(Child);

impl Sender {
    /// Waits until all is sent; gives what tcpreplay says of it.
    pub fn wait(self) -> String {
        let outcome = outcome(self.0.wait_with_output().expect("tcpreplay ends"));
        assert_eq!(outcome.status, 0, "{outcome:?}");
        outcome.stdout
    }
}

fn outcome(output: Output) -> Outcome {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Outcome {
        stdout: text(output.stdout),
        stderr: text(output.stderr),
        status: output.status.code().unwrap_or(-1),
    }
}

/// A run that listens.
pub struct Listener {
    child: Child,
    stdout: BufReader<ChildStdout>,
    messages: Receiver<String>,
    reader: JoinHandle<()>,
    said: Vec<String>,
}

impl Listener {
    /// Starts one, and waits until it listens.
    pub fn start(namespace: &Namespace, arguments: &[&str]) -> Listener {
        let mut command = namespace.command(BINARY);
        command.args(arguments);
        Listener::spawn(command)
    }

    pub fn spawn(mut command: Command) -> Listener {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let (sender, messages) = channel();
        let reader = thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut listener = Listener {
            child,
            stdout,
            messages,
            reader,
            said: Vec::new(),
        };
        listener.wait_for_message("wireq: listening on ");
        listener
    }

    /// Waits for a message that has this in it.
    pub fn wait_for_message(&mut self, text: &str) -> String {
        loop {
            match self.messages.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(_) => panic!("no `{text}`, but {:?}", self.said),
            }
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status();
        assert!(status.expect("kill runs").success());
    }

    /// The next line of results.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a line");
        line.trim_end_matches('\n').to_owned()
    }

    /// Waits until so many packets came, or were lost.
    pub fn wait_for(&mut self, packets: u64) {
        let begun = Instant::now();
        while self.packets() < packets {
            assert!(begun.elapsed() < PATIENCE, "{:?}", self.said);
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the sources took so far, and dropped.
    fn packets(&mut self) -> u64 {
        self.signal("USR1");
        self.wait_for_message("  node");
        let mut sum = 0;
        loop {
            let line = self.wait_for_message("");
            let mut words = line.split_whitespace();
            let count = words.next().and_then(|word| word.parse::<u64>().ok());
            match count.filter(|_| line.contains("  pcaplive")) {
                Some(count) => sum += count,
                None if line.contains(" packets, ") => return sum,
                None => {}
            }
        }
    }

    /// Ends it with SIGINT once so many packets came. What was read by [`Listener::line`] is not in
    /// the outcome.
    pub fn end(mut self, packets: u64) -> Outcome {
        self.wait_for(packets);
        self.signal("INT");
        self.outcome()
    }

    /// Ends it with SIGINT once nothing more came for a while.
    pub fn settle(mut self) -> Outcome {
        let mut before = u64::MAX;
        loop {
            let packets = self.packets();
            if packets == before {
                self.signal("INT");
                return self.outcome();
            }
            before = packets;
            thread::sleep(Duration::from_millis(300));
        }
    }

    /// Waits for its end.
    pub fn outcome(mut self) -> Outcome {
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).expect("text");
        let status = self.child.wait().expect("it ends");
        self.reader.join().expect("it reads to the end");
        self.said.extend(self.messages.try_iter());
        Outcome {
            stdout,
            stderr: self.said.join("\n") + "\n",
            status: status.code().unwrap_or(-1),
        }
    }
}
