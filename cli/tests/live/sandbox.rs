//! What a run gives up once it listens.

use crate::FIVE;
use crate::namespace::{Listener, Namespace};
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// The value of a line of `/proc/PID/status`.
fn status(listener: &Listener, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{}/status", listener.id())).expect("it runs");
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.expect(name).trim_start_matches(':').trim().to_owned()
}

#[test]
fn a_run_that_listens_is_limited() {
    let Some(namespace) = Namespace::new(1) else {
        return;
    };
    let file = namespace.folder().join("out").display().to_string();
    let out = format!("1={file}");
    for (arguments, limited) in [(&[][..], true), (&["--sandbox", "off"][..], false)] {
        let run = [arguments, &["-i", "eth0", "--out", &out, "-e", "count()"]].concat();
        let mut listener = Listener::start(&namespace, &run);
        namespace.send("peer0", FIVE, &["--topspeed"]);
        listener.wait_for(5);
        let expected = if limited { ("1", "2") } else { ("0", "0") };
        let found = (
            status(&listener, "NoNewPrivs"),
            status(&listener, "Seccomp"),
        );
        assert_eq!((found.0.as_str(), found.1.as_str()), expected);
        let outcome = listener.end(5);
        assert_eq!(outcome.status, 0, "{}", outcome.stderr);
        assert_eq!(
            outcome.stderr.contains("--sandbox off: nothing limits"),
            !limited
        );
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "5\n");
    }
}

#[test]
fn root_is_given_up() {
    let Some(namespace) = Namespace::new(1) else {
        return;
    };
    let folder = namespace.folder();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).expect("it is ours");
    let no_user = namespace.wireq(&["--user", "nosuchuser", "-i", "eth0", "count()"]);
    assert_eq!(no_user.status, 2, "{}", no_user.stderr);
    let arguments = ["--user", "nobody", "-i", "eth0", "count()"];
    let mut command = namespace.command(env!("CARGO_BIN_EXE_wireq"));
    command.args(arguments);
    if !namespace.has_users() {
        eprintln!("live: SKIPPED, there is no other user in this namespace");
        return;
    }
    let mut listener = Listener::spawn(command);
    namespace.send("peer0", FIVE, &["--topspeed"]);
    listener.wait_for(5);
    let ids = status(&listener, "Uid");
    assert!(!ids.split_whitespace().any(|id| id == "0"), "{ids}");
    assert_eq!(status(&listener, "CapEff"), "0000000000000000");
    assert_eq!(listener.end(5).stdout, "5\n");
}
