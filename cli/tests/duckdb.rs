//! SELECTs in wireq and in DuckDB give the same rows: see duckdb/compare.py.
//!
//! DuckDB is a Python package, which `make duckdb` installs into an environment of its own in the
//! target folder. Where it is not there, the test says so and checks nothing; with WIREQ_DUCKDB=1 it
//! fails then. WIREQ_SELECTS is the number of random SELECTs, WIREQ_SEED what they follow from.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The random SELECTs of a test run.
const SELECTS: &str = "300";

#[test]
fn selects_give_what_duckdb_gives() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let Some(python) = python(&root) else {
        let message = "duckdb: SKIPPED, SELECTs were compared with nothing: run `make duckdb`";
        assert!(std::env::var_os("WIREQ_DUCKDB").is_none(), "{message}");
        eprintln!("{message}");
        return;
    };
    let setting =
        |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let output = Command::new(python)
        .arg(root.join("cli/tests/duckdb/compare.py"))
        .arg(env!("CARGO_BIN_EXE_wireq"))
        .arg(root.join("testdata/tables"))
        .args(["--random", &setting("WIREQ_SELECTS", SELECTS)])
        .args(["--seed", &setting("WIREQ_SEED", "1")])
        .output()
        .expect("Python starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (told, faults) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{told}{faults}");
    eprintln!("{told}");
}

/// The interpreter that has DuckDB.
fn python(root: &Path) -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let folders = [target.map(PathBuf::from), Some(root.join("target"))];
    let mut pythons = folders
        .into_iter()
        .flatten()
        .map(|folder| folder.join("duckdb/bin/python"));
    pythons.find(|python| python.exists())
}
