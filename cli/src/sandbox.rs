//! What a run over live sources may still do once they are open: packets are other people's, and a
//! fault in reading them should reach no further than the outputs.
//!
//! Landlock limits files (see landlock(7)), seccomp the calls to the system. Both hold for the thread
//! that asks for them and those that it starts: there are no others yet.

use crate::Failure;
use crate::args::Arguments;
use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
    path_beneath_rules,
};
use nix::unistd::{self, User};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path, PathBuf};
use wireq_engine::Error;
use wireq_engine::arguments::{Parameter, Takes};
use wireq_engine::plan::{NodeKind, Plan};
use wireq_modules::files::{expand, is_pattern};

/// What is read by the libraries: counters of interfaces, zones.
const READ: [&str; 4] = ["/sys", "/proc/net", "/etc/localtime", "/usr/share/zoneinfo"];

/// What a run may do.
#[derive(Default)]
pub struct Limits {
    /// Files that are read, folders that outputs are in, and that of states that memory does not hold.
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
    spill: Option<PathBuf>,
    user: Option<User>,
    off: bool,
}

impl Limits {
    /// What the sinks and sources of a plan need.
    pub fn of(plan: &Plan, arguments: &Arguments) -> Result<Limits, Failure> {
        let is_live = plan.has_live_source();
        let user = match &arguments.user {
            Some(_) if !is_live => {
                let message = "--user: no source is live, so this run goes on as who began it";
                return Err(Failure::usage(message));
            }
            Some(name) => Some(find_user(name)?),
            None => None,
        };
        let mut limits = Limits {
            user,
            off: arguments.sandbox_off,
            ..Limits::default()
        };
        limits.read.extend(READ.iter().map(PathBuf::from));
        limits.spill = arguments.memory_limit.map(|_| std::env::temp_dir());
        let outputs = arguments.outputs.iter().map(|(_, path)| path);
        outputs.for_each(|path| limits.writes(path));
        for node in plan.graph.node_weights() {
            match &node.kind {
                NodeKind::Source(module, words, spec) => {
                    for path in files(module.parameters, words) {
                        // What is followed is replaced by other files beside it.
                        limits
                            .read
                            .extend(spec.live.as_ref().map(|_| folder_of_all(path)));
                        let files = expand(path, false);
                        limits.read.extend(files.into_iter().map(PathBuf::from));
                        limits.read.push(path.into());
                    }
                }
                // What others read, such as rules, they read before there is anything to run.
                NodeKind::Operator(module, words, spec) if spec.side_effect => {
                    spec.output_file.iter().for_each(|path| limits.writes(path));
                    for path in files(module.parameters, words) {
                        limits.writes(path);
                    }
                }
                _ => {}
            }
        }
        Ok(limits)
    }

    /// The folder of a file may be written: the file may be begun anew, and others beside it.
    fn writes(&mut self, path: &str) {
        self.write.push(folder_of(path));
    }

    /// Gives up all else. Gives what is to be said of it.
    fn apply(&self) -> Result<Vec<&'static str>, Error> {
        if let Some(user) = &self.user {
            become_user(user).map_err(|error| {
                Error::file("become the user", &user.name, io::Error::from(error))
            })?;
        }
        if self.off {
            return Ok(vec!["--sandbox off: nothing limits what this run may do"]);
        }
        let mut said = Vec::new();
        if !self
            .limit_files()
            .map_err(|error| failed("Landlock", error))?
        {
            said.push("this kernel has no Landlock: files are not limited");
        }
        limit_calls().map_err(|error| failed("seccomp", error))?;
        Ok(said)
    }

    /// The same, told on standard error.
    pub fn apply_and_say(&self) -> Result<(), Error> {
        let said = self.apply()?;
        said.iter().for_each(|line| eprintln!("wireq: {line}"));
        Ok(())
    }

    /// Whether the kernel can do that.
    fn limit_files(&self) -> Result<bool, landlock::RulesetError> {
        let abi = ABI::V5;
        let write = AccessFs::WriteFile | AccessFs::Truncate | AccessFs::MakeReg;
        let read = self.read.iter().filter(|path| !is_unnamed_pipe(path));
        let spill = write | AccessFs::ReadFile | AccessFs::RemoveFile;
        let ruleset = Ruleset::default()
            .handle_access(AccessFs::from_all(abi))?
            .handle_access(AccessNet::from_all(abi))?
            .create()?
            .add_rules(path_beneath_rules(read, AccessFs::from_read(abi)))?
            .add_rules(path_beneath_rules(&self.write, write))?
            .add_rules(path_beneath_rules(&self.spill, spill))?;
        let status = ruleset.restrict_self()?;
        Ok(status.ruleset != RulesetStatus::NotEnforced)
    }
}

/// Whether a path leads to a pipe of this process, which is in no folder: such may be opened anyhow, and
/// there can be no rule for it.
fn is_unnamed_pipe(path: &Path) -> bool {
    let kind = path.metadata().map(|data| data.file_type());
    kind.is_ok_and(|kind| kind.is_fifo() || kind.is_socket()) && path.canonicalize().is_err()
}

fn failed(what: &str, error: impl std::fmt::Display) -> Error {
    Error::file(
        "limit the run with",
        what,
        io::Error::other(error.to_string()),
    )
}

/// The values of arguments that are files.
pub fn files<'a>(
    parameters: &'static [Parameter],
    arguments: &'a wireq_engine::arguments::Arguments,
) -> impl Iterator<Item = &'a str> {
    let is_file = |parameter: &&Parameter| parameter.takes == Takes::File;
    let files = parameters.iter().filter(is_file);
    let words = files.clone().any(|parameter| !parameter.is_flag());
    let values = files.flat_map(|parameter| arguments.values(parameter.name));
    let words = arguments.words().iter().filter(move |_| words);
    values.chain(words).map(|word| word.text.as_str())
}

fn find_user(name: &str) -> Result<User, Failure> {
    match User::from_name(name) {
        Ok(Some(user)) => Ok(user),
        Ok(None) => Err(Failure::usage(format!("--user: there is no user `{name}`"))),
        Err(error) => Err(Error::file("look up the user", name, error.into()).into()),
    }
}

fn become_user(user: &User) -> nix::Result<()> {
    if !unistd::geteuid().is_root() {
        return match unistd::geteuid() == user.uid {
            true => Ok(()),
            false => Err(nix::Error::EPERM),
        };
    }
    unistd::setgroups(&[user.gid])?;
    unistd::setgid(user.gid)?;
    unistd::setuid(user.uid)
}

/// What reading open sockets, computing, and writing files takes. No new sockets, no programs.
const CALLS: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fallocate,
    libc::SYS_fcntl,
    libc::SYS_fdatasync,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_futex,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_getsockopt,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_ppoll,
    libc::SYS_prctl,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmmsg,
    libc::SYS_recvmsg,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_statx,
    libc::SYS_tgkill,
    libc::SYS_unlinkat,
    libc::SYS_write,
    libc::SYS_writev,
    // Older ways to do the same, which only this machine has.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
];

/// What devices are asked: whether there is a terminal and how wide it is, what libpcap asks of
/// interfaces. Nothing that types into the terminal (TIOCSTI).
const REQUESTS: [u64; 5] = [
    libc::TCGETS,
    libc::TIOCGWINSZ,
    libc::FIONBIO,
    libc::FIONREAD,
    libc::SIOCGIFFLAGS,
];

/// All other calls fail as if they were not permitted.
fn limit_calls() -> Result<(), Box<dyn std::error::Error>> {
    let mut rules: BTreeMap<i64, Vec<_>> = CALLS.iter().map(|call| (*call, Vec::new())).collect();
    let request = |request: u64| {
        let (length, equal) = (SeccompCmpArgLen::Dword, SeccompCmpOp::Eq);
        SeccompRule::new(vec![SeccompCondition::new(1, length, equal, request)?])
    };
    let requests: Result<Vec<_>, _> = REQUESTS.into_iter().map(request).collect();
    rules.insert(libc::SYS_ioctl, requests?);
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    let filter = SeccompFilter::new(
        rules,
        refused,
        SeccompAction::Allow,
        std::env::consts::ARCH.try_into()?,
    )?;
    let program: BpfProgram = filter.try_into()?;
    // This sets no_new_privs too.
    seccompiler::apply_filter(&program)?;
    Ok(())
}

/// The folder that a file is in.
fn folder_of(path: &str) -> PathBuf {
    let folder = Path::new(path).parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

/// The folder that all files are in or below that a pattern may come to match; that of a file where
/// it is no pattern.
fn folder_of_all(pattern: &str) -> PathBuf {
    let is_plain = |name: &Component<'_>| !is_pattern(&name.as_os_str().to_string_lossy());
    let all = Path::new(pattern).components();
    let plain: PathBuf = all.clone().take_while(is_plain).collect();
    match () {
        () if all.count() == plain.components().count() => folder_of(pattern),
        () if plain.as_os_str().is_empty() => PathBuf::from("."),
        () => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::net::{TcpStream, UdpSocket};
    use std::os::fd::AsRawFd;
    use std::process::Command;

    #[test]
    fn a_pattern_is_below_its_folder() {
        for (pattern, folder) in [
            ("/cap/2026-*/x-*.pcap", "/cap"),
            ("/cap/day/x-[12].pcap", "/cap/day"),
            ("/cap/day/x.pcap", "/cap/day"),
            ("/c?p/x.pcap", "/"),
            ("cap/*", "cap"),
            ("*/x", "."),
            ("*", "."),
            ("x.pcap", "."),
        ] {
            assert_eq!(folder_of_all(pattern), Path::new(folder), "{pattern}");
        }
    }

    /// Limits hold for a thread: that of the test alone.
    #[test]
    fn what_is_not_needed_is_denied() {
        let folder = tempfile();
        let inside = folder.join("out").display().to_string();
        let mut limits = Limits::default();
        limits.writes(&inside);
        limits.read.push("/proc/net".into());
        let open = UdpSocket::bind("127.0.0.1:0").expect("loopback is there");
        let terminal = fs::File::open("/dev/null").expect("it is there");
        let thread = std::thread::spawn(move || {
            let said = limits.apply().expect("it can be done");
            fs::write(&inside, "x").expect("the folder of an output may be written");
            let denied = |result: io::Result<()>, what: &str| {
                let error = result.expect_err(what).kind();
                assert_eq!(error, io::ErrorKind::PermissionDenied, "{what}");
            };
            let done = |_| ();
            if said.is_empty() {
                denied(fs::read_to_string("/etc/passwd").map(drop), "a file");
                denied(fs::read_to_string(&inside).map(drop), "an output read");
                denied(fs::remove_file(&inside), "an output removed");
                denied(fs::write("/var/tmp/wireq-outside", "x"), "another folder");
            } else {
                eprintln!("SKIPPED for files: {said:?}");
            }
            denied(Command::new("/bin/true").status().map(drop), "a program");
            denied(TcpStream::connect("127.0.0.1:9").map(drop), "a connection");
            denied(UdpSocket::bind("127.0.0.1:0").map(drop), "a socket");
            denied(open.send_to(b"x", "127.0.0.1:9").map(drop), "a datagram");
            denied(type_into(&terminal), "keys of a terminal");
            // What the run still does: threads.
            std::thread::spawn(|| ())
                .join()
                .map(done)
                .expect("a thread");
        });
        thread.join().expect("nothing else fails");
        let written = fs::read_to_string(folder.join("out"));
        assert_eq!(written.expect("it is there"), "x");
        let _ = fs::remove_dir_all(folder);
    }

    /// What would type a key where the file is a terminal.
    #[allow(unsafe_code, reason = "only the C library has this call")]
    fn type_into(file: &fs::File) -> io::Result<()> {
        // SAFETY: the call reads one byte at the address, which is that of a byte that lives.
        match unsafe { libc::ioctl(file.as_raw_fd(), libc::TIOCSTI, &b'x') } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn tempfile() -> PathBuf {
        let name = format!("wireq-sandbox-{}", std::process::id());
        let folder = Path::new("/var/tmp").join(name);
        fs::create_dir_all(&folder).expect("it can be made");
        folder
    }
}
