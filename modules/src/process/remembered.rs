//! States that go on from run to run, in files.
//!
//! A file begins with a line that says what it is: the module, the version of the format, and the
//! fields; the state is behind it, as in snapshots.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wireq_engine::Error;
use wireq_engine::arguments::{ArgumentError, Word};
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::FieldPath;

const VERSION: u32 = 1;

/// A file with a state, as it was at the begin.
pub(super) struct Remembered {
    path: PathBuf,
    head: String,
    /// The whole file.
    before: Option<Vec<u8>>,
}

impl Remembered {
    /// Reads the file that a word names, if there is one; `check` reads the state in it.
    pub(super) fn read(
        module: &'static str,
        word: &Word,
        fields: &[FieldPath],
        check: impl FnOnce(&mut Reader<'_>) -> Result<(), Error>,
    ) -> Result<Arc<Remembered>, ArgumentError> {
        let fault = |message: String| ArgumentError::at(module, word, message);
        let names: Vec<&str> = fields.iter().map(FieldPath::as_str).collect();
        let remembered = Remembered {
            path: PathBuf::from(&word.text),
            head: format!("wireq {module} {VERSION} {}\n", names.join(" ")),
            before: read(Path::new(&word.text))
                .map_err(|error| fault(format!("cannot be read: {error}")))?,
        };
        if let Some(bytes) = &remembered.before
            && !bytes.starts_with(remembered.head.as_bytes())
        {
            let of_module = format!("wireq {module} {VERSION} ");
            let line = bytes.split(|byte| *byte == b'\n').next();
            let message = match line.and_then(|line| line.strip_prefix(of_module.as_bytes())) {
                Some(fields) => format!(
                    "is the state of other fields: {}",
                    String::from_utf8_lossy(fields)
                ),
                None => format!("is no state of `{module}`"),
            };
            let help = "name a file of its own for each question; one that is not there is begun";
            return Err(ArgumentError {
                help: Some(help.to_owned()),
                ..fault(message)
            });
        }
        let mut before = remembered.before();
        if let Some(from) = &mut before {
            check(from).map_err(|error| fault(format!("is damaged: {error}")))?;
            if !from.is_at_end() {
                return Err(fault("is damaged: there is more than a state".into()));
            }
        }
        Ok(Arc::new(remembered))
    }

    /// The state as it was at the begin.
    pub(super) fn before(&self) -> Option<Reader<'_>> {
        let bytes = self.before.as_deref()?;
        Some(Reader::new(&bytes[self.head.len()..], &[]))
    }

    /// Puts a new state in the place of the old one, which is there until then. A run that may only
    /// write files, and move none, writes over it.
    pub(super) fn write(&self, save: impl FnOnce(&mut Writer)) -> Result<(), Error> {
        let mut state = Writer::default();
        save(&mut state);
        let write = |path: &Path| {
            let mut file = File::create(path)?;
            file.write_all(self.head.as_bytes())?;
            file.write_all(state.as_bytes())?;
            file.sync_data()
        };
        let path = behind_link(&self.path);
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let new = PathBuf::from(name);
        let written = write(&new).and_then(|()| {
            if let Ok(about) = fs::metadata(&path) {
                fs::set_permissions(&new, about.permissions()).or_else(may_not)?;
            }
            fs::rename(&new, &path).or_else(|error| {
                may_not(error)?;
                write(&path)?;
                File::create(&new).map(drop)
            })
        });
        written.map_err(|error| Error::file("write", self.path.to_string_lossy(), error))
    }
}

/// The file behind a link, which stays one; it may not be there yet.
pub fn behind_link(path: &Path) -> PathBuf {
    let target = || Some(path.parent()?.join(fs::read_link(path).ok()?));
    let known = fs::canonicalize(path).ok();
    known.or_else(target).unwrap_or_else(|| path.to_owned())
}

/// Passes over that something is not allowed.
fn may_not(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Ok(()),
        _ => Err(error),
    }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Ok(about) if !about.is_file() => Err(io::Error::other("it is no regular file")),
        Ok(_) => fs::read(path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => Err(error),
            _ => Ok(None),
        },
        Err(error) => Err(error),
    }
}
