//! From what a user names to paths of files.

use std::fs;
use std::path::Path;

/// The files that are meant: those that a pattern matches, in the order of their names, and with
/// `recursive` all in a folder. What is neither stands for itself, so that opening it says what is
/// wrong.
pub fn expand(named: &str, recursive: bool) -> Vec<String> {
    let itself = || vec![named.to_owned()];
    let path = Path::new(named);
    if named == "-" || fs::symlink_metadata(path).is_ok() {
        return match recursive && path.is_dir() {
            true => files_in(path),
            false => itself(),
        };
    }
    if !is_pattern(named) {
        return itself();
    }
    let matches = glob::glob(named).into_iter().flatten().flatten();
    let mut found = Vec::new();
    for path in matches {
        if path.is_dir() {
            if recursive {
                found.extend(files_in(&path));
            }
        } else {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    if found.is_empty() { itself() } else { found }
}

/// Whether a name may stand for others.
pub fn is_pattern(named: &str) -> bool {
    named.contains(['*', '?', '['])
}

/// Folders within each other: more are a loop of some kind.
const DEPTH_MAX: usize = 64;

/// All files below a folder, in the order of their paths. Links to folders are not followed.
fn files_in(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(folder.to_path_buf(), 0)];
    while let Some((path, depth)) = open.pop() {
        let linked = depth > 0 && path.is_symlink();
        if path.is_dir() {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            if !linked && depth < DEPTH_MAX {
                open.extend(entries.map(|entry| (entry.path(), depth + 1)));
            }
        } else {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_patterns_are_their_files() {
        let folder = tempfile::tempdir().expect("the temporary folder takes folders");
        let root = folder.path();
        fs::create_dir_all(root.join("b/c")).expect("a folder");
        for name in ["z.pcap", "a.pcap", "b/c/x.pcap", "b/y", "odd[1].pcap"] {
            fs::write(root.join(name), b"").expect("a file");
        }
        let named = |name: &str| root.join(name).to_string_lossy().into_owned();
        let all = |names: &[&str]| names.iter().map(|name| named(name)).collect::<Vec<_>>();
        assert_eq!(
            expand(&named("*.pcap"), false),
            all(&["a.pcap", "odd[1].pcap", "z.pcap"])
        );
        assert_eq!(expand(&named("b"), false), all(&["b"]));
        assert_eq!(expand(&named("b"), true), all(&["b/c/x.pcap", "b/y"]));
        // A file of that name comes before what the pattern means.
        assert_eq!(expand(&named("odd[1].pcap"), false), all(&["odd[1].pcap"]));
        assert_eq!(expand(&named("none*"), false), all(&["none*"]));
        assert_eq!(expand("-", true), ["-"]);
        assert_eq!(
            expand(&named(""), true).len(),
            5,
            "everything below the folder"
        );
    }
}
