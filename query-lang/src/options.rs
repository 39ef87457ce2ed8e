//! What queries are compiled with.

use crate::language::Language;
use wireq_typesys::Zone;

/// What statements without a source read.
#[derive(Clone, Debug)]
pub struct Files {
    /// The source that reads them.
    pub module: &'static str,
    /// Flags of the source, before their paths.
    pub flags: Vec<&'static str>,
    /// Their paths. A module that takes no files gets them as values of its first flag that may be
    /// given often: the interfaces of `pcaplive`.
    pub paths: Vec<String>,
}

/// What queries are compiled with.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// The zone in which times are read.
    pub zone: &'a Zone,
    /// What statements without a source read; where there are files, no statement may name a source.
    pub files: Option<Files>,
    /// The language that statements have to be in.
    pub language: Language,
    /// Names with the values that `$NAME` stands for.
    pub arguments: Vec<(String, String)>,
    /// How what statements print is written.
    pub printing: Printing,
    /// The most objects that each statement gives.
    pub limit: Option<u64>,
    /// What writes the objects that a statement gives.
    pub writing: Option<Writing>,
    /// The time that objects have to be of.
    pub period: Period,
    /// Whether what is kept of sources without an end may grow without a bound.
    pub unbounded: bool,
}

impl<'a> Options<'a> {
    /// Queries of any language as they stand.
    pub fn new(zone: &'a Zone) -> Options<'a> {
        Options {
            zone,
            files: None,
            language: Language::Auto,
            arguments: Vec::new(),
            printing: Printing::default(),
            limit: None,
            writing: None,
            period: Period::default(),
            unbounded: false,
        }
    }
}

/// What writes the objects of a statement to a file, in place of printing them.
#[derive(Clone, Debug)]
pub struct Writing {
    /// The module.
    pub module: &'static str,
    /// Its flag for the file.
    pub flag: &'static str,
    /// The file.
    pub path: String,
}

/// Flags for modules that print (those with a flag [`Printing::FORMAT`]), besides the query's own.
#[derive(Clone, Debug, Default)]
pub struct Printing {
    /// Flags and their values.
    pub flags: Vec<String>,
    /// Other flags in their place, for statements of these labels or numbers.
    pub elsewhere: Vec<(String, Vec<String>)>,
    /// Whether each statement's label or number is printed too, with [`Printing::STATEMENT`].
    pub tag: bool,
}

impl Printing {
    /// The flag that modules which print have, for the format where the query chooses none.
    pub const FORMAT: &'static str = "--default-format";
    /// Their flag for the label or number of the statement.
    pub const STATEMENT: &'static str = "--statement";
    /// Their flag that makes fields named by the query null where they are absent.
    pub const NULL: &'static str = "--null";
    /// The flag that makes objects be printed that have none of the fields.
    pub const ROWS: &'static str = "--rows";
}

/// A stretch of time, for objects of sources whose types have a time `ts`.
#[derive(Clone, Debug, Default)]
pub struct Period {
    /// The first moment in it.
    pub from: Option<String>,
    /// The first moment behind it.
    pub to: Option<String>,
}
