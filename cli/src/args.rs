//! The command line.

use clap::{Arg, ArgAction, ArgMatches, Command as Clap, value_parser};

/// What to do.
pub enum Command {
    /// Run queries.
    Run(Arguments),
    /// Print the plans of queries.
    Explain(Arguments),
    /// List modules, or describe one.
    Modules(Option<String>),
    /// List types, or the fields of one that begin with a prefix.
    Types(Option<String>, Option<String>),
}

/// How `--stats` is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum StatsFormat {
    /// A table.
    Text,
    /// One JSON object.
    Json,
}

/// The arguments of a run.
#[derive(Default)]
pub struct Arguments {
    /// Queries in the order given: a name for messages, and the text; without text the name is a file.
    pub queries: Vec<(String, Option<String>)>,
    /// The captures that statements without a source read.
    pub files: Vec<String>,
    /// Outputs of statements: label or number, and file.
    pub outputs: Vec<(String, String)>,
    /// No word on what could not be read.
    pub quiet: bool,
    /// The most rows in a batch.
    pub batch: Option<usize>,
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
    /// Rewrites that are off.
    pub rewrites_off: Vec<String>,
}

const ABOUT: &str = "Queries packets, flows and logs: one query text, one pass.";

const AFTER: &str = "\
Examples:
  wireq 'where dstport = 80 | print srcip dstip len' x.pcap
  wireq 'print srcip count() sum(len) group by srcip' *.pcap
  wireq 'pcapfile x.pcap | uniq srcip dstip | print srcip dstip'
  wireq -e 'web: where dstport = 80' -e 'dns: where dstport = 53' --out web=w.txt -r x.pcap
  wireq explain 'where dstport = 80 | count()' x.pcap

`wireq modules` lists what a query can do, `wireq types packet` the fields of packets.
Exit status: 0 done, 2 query or arguments wrong, 3 damaged input with --strict, 4 some inputs
could not be used, 5 the system failed, 130 interrupted.";

fn command() -> Clap {
    let run = with_query_arguments(
        Clap::new("wireq")
            .about(ABOUT)
            .after_help(AFTER)
            .version(env!("CARGO_PKG_VERSION")),
    );
    let name = |help: &'static str| Arg::new("name").value_name("NAME").help(help);
    run.args_conflicts_with_subcommands(true)
        .subcommand(with_query_arguments(
            Clap::new("explain").about("Prints the plan of queries, as written and as run"),
        ))
        .subcommand(
            Clap::new("modules")
                .about("Lists the modules, or describes one")
                .arg(name("The module")),
        )
        .subcommand(
            Clap::new("types")
                .about("Lists the record types, or the fields of one")
                .arg(name("The type"))
                .arg(
                    Arg::new("prefix")
                        .value_name("PREFIX")
                        .help("Only fields whose name begins with this"),
                ),
        )
}

fn with_query_arguments(command: Clap) -> Clap {
    let flag = |id: &'static str, help: &'static str| {
        Arg::new(id).long(id).action(ArgAction::SetTrue).help(help)
    };
    let list = |id: &'static str, value: &'static str, help: &'static str| {
        Arg::new(id)
            .value_name(value)
            .action(ArgAction::Append)
            .help(help)
    };
    command.args([
        list(
            "words",
            "QUERY|FILE",
            "The query, unless -e or -f gives one; then the captures to read",
        )
        .num_args(0..),
        list(
            "expression",
            "QUERY",
            "A query; may be given often, all run together",
        )
        .short('e')
        .long("query"),
        list(
            "query-file",
            "FILE",
            "A file of queries, `-` for standard input; may be given often",
        )
        .short('f')
        .long("file"),
        list(
            "read",
            "FILE",
            "A capture that statements without a source read; may be given often",
        )
        .short('r')
        .long("read"),
        list(
            "out",
            "NAME=FILE",
            "The file for the output of a statement, by its label or number",
        )
        .long("out"),
        flag("quiet", "Says nothing of what could not be read").short('q'),
        Arg::new("stats")
            .long("stats")
            .value_name("FORMAT")
            .value_parser(["text", "json"])
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("text")
            .help("Prints the account of every node on standard error"),
        flag(
            "strict",
            "Ends at the first damage in an input, with exit status 3",
        ),
        Arg::new("now")
            .long("now")
            .value_name("TIME")
            .help("What counts as now, for times relative to it"),
        Arg::new("memory-limit")
            .long("memory-limit")
            .value_name("SIZE")
            .value_parser(size)
            .help(
                "The most memory that modules may keep, such as 64M or 1G: above it sort, uniq, \
                 distinct and group by go on in files in TMPDIR, others end the run with exit \
                 status 5; results stay the same",
            ),
        list(
            "no-rewrite",
            "NAME",
            "Switches a rewrite of the plan off; results stay the same",
        )
        .long("no-rewrite"),
        Arg::new("batch")
            .long("batch")
            .value_name("N")
            .value_parser(value_parser!(u64).range(1..))
            .help("The most rows in a batch; results stay the same"),
        Arg::new("seed")
            .long("seed")
            .value_name("N")
            .value_parser(value_parser!(u64))
            .help("The seed of hashes; random unless given; results stay the same"),
    ])
}

/// Reads a number of bytes, with or without a unit.
fn size(text: &str) -> Result<usize, String> {
    let (digits, shift) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 10),
        Some((at, 'm' | 'M')) => (&text[..at], 20),
        Some((at, 'g' | 'G')) => (&text[..at], 30),
        _ => (text, 0),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let size = digits.parse::<usize>().ok().filter(|_| is_number);
    let size = size.and_then(|size| size.checked_mul(1 << shift));
    size.filter(|size| *size > 0).ok_or_else(|| {
        "is no size: write a number of bytes, or of K, M or G, such as 64M".to_owned()
    })
}

/// Reads the command line.
pub fn parse() -> Result<Command, clap::Error> {
    let matches = command().try_get_matches()?;
    match matches.subcommand() {
        Some(("explain", matches)) => Ok(Command::Explain(arguments(matches)?)),
        Some(("modules", matches)) => Ok(Command::Modules(matches.get_one("name").cloned())),
        Some(("types", matches)) => Ok(Command::Types(
            matches.get_one("name").cloned(),
            matches.get_one("prefix").cloned(),
        )),
        _ => Ok(Command::Run(arguments(&matches)?)),
    }
}

fn wrong(message: String) -> clap::Error {
    command().error(clap::error::ErrorKind::ValueValidation, message)
}

fn arguments(matches: &ArgMatches) -> Result<Arguments, clap::Error> {
    let list = |id: &str| -> Vec<String> {
        matches
            .get_many::<String>(id)
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    };
    let mut words = list("words");
    let mut queries = queries(matches);
    if queries.is_empty() {
        if words.is_empty() {
            return Err(wrong("there is no query; see wireq --help".to_owned()));
        }
        queries.push(("query".to_owned(), Some(words.remove(0))));
    }
    let mut files = list("read");
    files.extend(words);
    let mut outputs = Vec::new();
    for out in list("out") {
        match out.split_once('=') {
            Some((name, path)) if !name.is_empty() && !path.is_empty() => {
                outputs.push((name.to_owned(), path.to_owned()))
            }
            _ => return Err(wrong(format!("--out takes NAME=FILE, not `{out}`"))),
        }
    }
    let stats = matches.get_one::<String>("stats").map(|format| {
        if format == "json" {
            StatsFormat::Json
        } else {
            StatsFormat::Text
        }
    });
    Ok(Arguments {
        queries,
        files,
        outputs,
        quiet: matches.get_flag("quiet"),
        batch: matches
            .get_one::<u64>("batch")
            .map(|n| usize::try_from(*n).unwrap_or(usize::MAX)),
        seed: matches.get_one("seed").copied(),
        now: matches.get_one("now").cloned(),
        stats,
        strict: matches.get_flag("strict"),
        memory_limit: matches.get_one("memory-limit").copied(),
        rewrites_off: list("no-rewrite"),
    })
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
