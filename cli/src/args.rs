//! The command line: what is to be done.

use crate::flags::command;
use clap::ArgMatches;
use clap::error::ErrorKind;
use wireq_modules::files::expand;
use wireq_query_lang::Language;

/// What to do.
pub enum Command {
    /// Run queries.
    Run(Arguments),
    /// Print the plans of queries.
    Explain(Arguments, Shown),
    /// Say what is in captures.
    Info(InfoArguments),
    /// List modules, or describe one.
    Modules(Option<String>),
    /// List functions, or describe one.
    Functions(Option<String>),
    /// List types, or the fields of one that begin with a prefix.
    Types(Option<String>, Option<String>),
    /// List the interfaces that packets can be taken from.
    Interfaces,
    /// Say something of rules.
    Rules(RulesArguments),
    /// Describe a topic.
    Help(Option<String>),
    /// Print what a shell needs to complete command lines.
    Completions(String),
    /// Print a page of the manual.
    Man(String),
    /// Print what a word can become: the line, or its words.
    Complete(Option<String>, Vec<String>),
}

/// What is to be said of rules.
pub struct RulesArguments {
    /// What.
    pub command: RulesCommand,
    /// The files of rules.
    pub files: Vec<String>,
    /// Values of variables.
    pub variables: Vec<String>,
    /// Whether what single packets don't show is left out.
    pub packet_only: bool,
}

/// What is to be said of rules.
pub enum RulesCommand {
    /// What is understood.
    Check {
        /// As JSON.
        json: bool,
        /// Each thing that is not, with its place.
        list: bool,
    },
    /// Rules as queries.
    Show {
        /// The rule; all of them unless given.
        sid: Option<u32>,
        /// As rules, as far as they are understood.
        as_rule: bool,
    },
}

/// How `--stats` is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum StatsFormat {
    /// A table.
    Text,
    /// One JSON object.
    Json,
}

/// When to use colors.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum When {
    /// On a terminal.
    #[default]
    Auto,
    Always,
    Never,
}

/// The arguments of `info`.
pub struct InfoArguments {
    /// The captures.
    pub files: Vec<String>,
    pub json: bool,
    pub strict: bool,
    pub utc: bool,
}

/// The arguments of a run.
#[derive(Default)]
pub struct Arguments {
    /// Queries in the order given: a name for messages, and the text; without text the name is a file.
    pub queries: Vec<(String, Option<String>)>,
    /// Values by the names that queries have for them.
    pub values: Vec<(String, String)>,
    /// The language of queries.
    pub language: Language,
    /// The captures that statements without a source read.
    pub files: Vec<String>,
    /// How these are read: flags of `pcapfile`.
    pub of_files: Vec<&'static str>,
    /// The interfaces that statements without a source read.
    pub interfaces: Vec<String>,
    /// The first time that objects may have, and the first that they may not.
    pub from: Option<String>,
    pub to: Option<String>,
    /// The format of what is printed.
    pub format: Option<String>,
    /// The most objects of each statement.
    pub limit: Option<u64>,
    /// The capture that the packets given are written to.
    pub write: Option<String>,
    /// Whether statements are told apart in what is printed.
    pub tag: bool,
    /// Outputs of statements: label or number, and file.
    pub outputs: Vec<(String, String)>,
    /// When to use colors.
    pub color: When,
    /// Times are universal.
    pub utc: bool,
    /// No word on what could not be read.
    pub quiet: bool,
    /// The most rows in a batch.
    pub batch: Option<usize>,
    /// How many threads run what can be run on several.
    pub threads: Option<usize>,
    /// The seed of hashes.
    pub seed: Option<u64>,
    /// What counts as now.
    pub now: Option<String>,
    /// Whether and how to print the account.
    pub stats: Option<StatsFormat>,
    /// Damage ends the run.
    pub strict: bool,
    /// The most bytes that operators may keep in memory.
    pub memory_limit: Option<usize>,
    /// The user to go on as once live sources are open.
    pub user: Option<String>,
    /// Whether nothing limits what a run over live sources may do.
    pub sandbox_off: bool,
    /// Whether live queries may keep more and more.
    pub unbounded: bool,
    /// Rewrites that are off.
    pub rewrites_off: Vec<String>,
    /// How many filters are matched.
    pub strategy: Option<String>,
    /// Tests are tried one by one.
    pub vector_off: bool,
}

/// How a plan is shown.
#[derive(Clone, Copy)]
pub struct Shown {
    /// `dot`, `svg` or `json`; none is text.
    pub form: Option<&'static str>,
    /// Whether the queries are run for it.
    pub analyze: bool,
}

/// Reads the command line.
pub fn parse() -> Result<Command, clap::Error> {
    let matches = command().try_get_matches()?;
    let text = |matches: &ArgMatches, id: &str| matches.get_one::<String>(id).cloned();
    Ok(match matches.subcommand() {
        Some(("explain", matches)) => {
            let shown = Shown {
                form: ["dot", "svg", "json"]
                    .into_iter()
                    .find(|id| matches.get_flag(id)),
                analyze: matches.get_flag("analyze"),
            };
            Command::Explain(arguments(matches)?, shown)
        }
        Some(("info", matches)) => Command::Info(InfoArguments {
            files: match files(all(matches, "files"), matches)? {
                none if none.is_empty() && !matches.get_flag("list") => vec!["-".to_owned()],
                files => files,
            },
            json: text(matches, "output").as_deref() == Some("json"),
            strict: matches.get_flag("strict"),
            utc: matches.get_flag("utc"),
        }),
        Some(("modules", matches)) => Command::Modules(text(matches, "name")),
        Some(("functions", matches)) => Command::Functions(text(matches, "name")),
        Some(("types", matches)) => Command::Types(text(matches, "name"), text(matches, "prefix")),
        Some(("interfaces", _)) => Command::Interfaces,
        Some(("rules", matches)) => Command::Rules(rules(matches)),
        Some(("help", matches)) => Command::Help(text(matches, "name")),
        Some(("completions", matches)) => {
            Command::Completions(text(matches, "shell").unwrap_or_default())
        }
        Some(("man", matches)) => Command::Man(text(matches, "page").unwrap_or_default()),
        Some(("__complete", matches)) => {
            Command::Complete(text(matches, "line"), all(matches, "words"))
        }
        _ => Command::Run(arguments(&matches)?),
    })
}

fn rules(matches: &ArgMatches) -> RulesArguments {
    let (command, matches) = match matches.subcommand() {
        Some(("show", matches)) => {
            let command = RulesCommand::Show {
                sid: matches.get_one("sid").copied(),
                as_rule: matches.get_flag("as-rule"),
            };
            (command, matches)
        }
        Some((_, matches)) => {
            let command = RulesCommand::Check {
                json: matches.get_flag("json"),
                list: matches.get_flag("list"),
            };
            (command, matches)
        }
        // The declarations ask for one of them.
        None => (
            RulesCommand::Check {
                json: false,
                list: false,
            },
            matches,
        ),
    };
    RulesArguments {
        command,
        files: all(matches, "files"),
        variables: all(matches, "var"),
        packet_only: matches.get_flag("packet-only"),
    }
}

fn wrong(message: String) -> clap::Error {
    command().error(ErrorKind::ValueValidation, message)
}

fn all(matches: &ArgMatches, id: &str) -> Vec<String> {
    let values = matches.get_many::<String>(id).into_iter().flatten();
    values.cloned().collect()
}

/// A number that may be larger than anything here is.
fn count(matches: &ArgMatches, id: &str) -> Option<usize> {
    let number = matches.get_one::<u64>(id);
    number.map(|number| usize::try_from(*number).unwrap_or(usize::MAX))
}

fn arguments(matches: &ArgMatches) -> Result<Arguments, clap::Error> {
    let text = |id: &str| matches.get_one::<String>(id).cloned();
    let mut words = all(matches, "words");
    let mut queries = queries(matches);
    if queries.is_empty() {
        queries.push(match words.is_empty() {
            false => ("query".to_owned(), Some(words.remove(0))),
            // All packets are written.
            true if text("write").is_some() => ("-w".to_owned(), Some("where true".to_owned())),
            true => return Err(wrong("there is no query; see wireq --help".to_owned())),
        });
    }
    let mut files = all(matches, "read");
    files.extend(words);
    let of_files =
        ["merge", "follow", "recursive"]
            .into_iter()
            .zip(["--merge", "--follow", "--recursive"]);
    let of_files: Vec<_> = of_files
        .filter(|(id, _)| matches.get_flag(id))
        .map(|(_, flag)| flag)
        .collect();
    // A pattern of what is followed stands for files to come.
    let files = match matches.get_flag("follow") {
        true => files,
        false => self::files(files, matches)?,
    };
    if let ([], Some(flag)) = (
        &files[..],
        of_files.iter().find(|flag| **flag != "--recursive"),
    ) {
        return Err(wrong(format!("{flag}: no captures are named")));
    }
    let interfaces = all(matches, "interface");
    if !interfaces.is_empty() && !files.is_empty() {
        return Err(wrong(format!(
            "-i and `{}`: statements without a source read interfaces or captures, not both",
            files[0]
        )));
    }
    let language = text("lang").unwrap_or_default();
    let language = Language::ALL.iter().find(|(name, _)| *name == language);
    Ok(Arguments {
        queries,
        values: values(matches)?,
        language: language.map(|(_, language)| *language).unwrap_or_default(),
        files,
        of_files,
        interfaces,
        from: text("from"),
        to: text("to"),
        format: text("output"),
        limit: matches.get_one("limit").copied(),
        write: text("write"),
        tag: matches.get_flag("tag"),
        outputs: pairs(matches, "out", "NAME=FILE", |path| !path.is_empty())?,
        color: match text("color").as_deref() {
            Some("always") => When::Always,
            Some("never") => When::Never,
            _ => When::Auto,
        },
        utc: matches.get_flag("utc"),
        quiet: matches.get_flag("quiet"),
        batch: count(matches, "batch"),
        threads: count(matches, "threads"),
        seed: matches.get_one("seed").copied(),
        now: text("now"),
        stats: text("stats").map(|format| match format.as_str() {
            "json" => StatsFormat::Json,
            _ => StatsFormat::Text,
        }),
        strict: matches.get_flag("strict"),
        user: text("user"),
        sandbox_off: text("sandbox").as_deref() == Some("off"),
        unbounded: matches.get_flag("allow-unbounded"),
        rewrites_off: all(matches, "no-rewrite"),
        strategy: text("strategy"),
        vector_off: text("vector").as_deref() == Some("off"),
        memory_limit: matches.get_one("memory-limit").copied(),
    })
}

/// The files that are named: on the command line, and with `-l` on standard input.
fn files(mut named: Vec<String>, matches: &ArgMatches) -> Result<Vec<String>, clap::Error> {
    if matches.get_flag("list") {
        let text = std::io::read_to_string(std::io::stdin());
        let text =
            text.map_err(|error| wrong(format!("-l: cannot read standard input: {error}")))?;
        named.extend(
            text.lines()
                .filter(|line| !line.is_empty())
                .map(str::to_owned),
        );
    }
    let recursive = matches.get_flag("recursive");
    let files = named.iter().flat_map(|name| expand(name, recursive));
    Ok(files.collect())
}

/// The values of an argument of the form `NAME=VALUE`.
fn pairs(
    matches: &ArgMatches,
    id: &str,
    form: &str,
    is_value: fn(&str) -> bool,
) -> Result<Vec<(String, String)>, clap::Error> {
    let pair = |text: String| match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && is_value(value) => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err(wrong(format!("--{id} takes {form}, not `{text}`"))),
    };
    all(matches, id).into_iter().map(pair).collect()
}

/// The values of `--arg`.
fn values(matches: &ArgMatches) -> Result<Vec<(String, String)>, clap::Error> {
    let values = pairs(matches, "arg", "NAME=VALUE", |_| true)?;
    for (at, (name, _)) in values.iter().enumerate() {
        let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
        let is_name =
            name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit());
        if !is_name {
            return Err(wrong(format!(
                "--arg: `{name}` is not a name: letters, digits and `_`, a letter first"
            )));
        }
        if values[..at].iter().any(|(known, _)| known == name) {
            return Err(wrong(format!("--arg: `{name}` has two values")));
        }
    }
    Ok(values)
}

/// The queries of -e and -f, in the order of the command line.
fn queries(matches: &ArgMatches) -> Vec<(String, Option<String>)> {
    let mut found: Vec<(usize, (String, Option<String>))> = Vec::new();
    for (id, is_file) in [("expression", false), ("query-file", true)] {
        let places = matches.indices_of(id).into_iter().flatten();
        let values = matches.get_many::<String>(id).into_iter().flatten();
        for (place, value) in places.zip(values) {
            let query = if is_file {
                (value.clone(), None)
            } else {
                ("query".to_owned(), Some(value.clone()))
            };
            found.push((place, query));
        }
    }
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, query)| query).collect()
}
