//! The declarations of the command line: help, man page and completions follow from them.

use clap::builder::{PossibleValuesParser, StyledStr};
use clap::{Arg, ArgAction, Command as Clap, ValueHint, value_parser};
use wireq_engine::matching::Strategy;
use wireq_engine::rewrite::REWRITES;

const ABOUT: &str = "Queries packets, flows and logs: one query text, one pass.";

const AFTER: &str = "\
Examples:
  wireq 'where dstport = 80 | print srcip dstip len' x.pcap
  wireq 'print srcip count() sum(len) group by srcip' *.pcap
  wireq -o jsonl -n 10 'uniq srcip dstip' x.pcap
  wireq --arg port=80 'where dstport = $port | count()' x.pcap
  wireq -e 'web: where dstport = 80' -e 'dns: where dstport = 53' --out web=w.txt -r x.pcap
  wireq -i eth0 'print srcip count() group by srcip every 10s'
  wireq explain 'where dstport = 80 | count()' x.pcap
  wireq info x.pcapng.gz

`wireq modules` lists what a query can do, `wireq functions` what expressions can compute,
`wireq types packet` the fields of packets,
`wireq help language` describes the language and `wireq help` the other topics.
Exit status: 0 done, 2 query or arguments wrong, 3 damaged input with --strict, 4 some inputs
could not be used, 5 the system failed, 130 interrupted. A live source ends with SIGINT or SIGTERM,
and the status is 0; SIGUSR1 prints the account so far, SIGHUP opens output files anew.";

/// Names of topics and what they are about, for `wireq help`.
pub const TOPICS: [(&str, &str); 2] = [
    (
        "language",
        "the language of queries, and the codes of its faults",
    ),
    ("formats", "what values look like in each format of -o"),
];

/// The shells that there are completions for.
pub const SHELLS: [&str; 3] = ["bash", "fish", "zsh"];

/// The command with all that it takes.
pub fn command() -> Clap {
    let run = with_query_arguments(
        Clap::new("wireq")
            .about(ABOUT)
            .after_help(AFTER)
            .version(env!("CARGO_PKG_VERSION"))
            .disable_help_subcommand(true),
    );
    let name = |help: &'static str| Arg::new("name").value_name("NAME").help(help);
    run.args_conflicts_with_subcommands(true)
        .subcommand(with_query_arguments(
            Clap::new("explain")
                .about("Prints the plan of queries, as written and as run")
                .args(shown()),
        ))
        .subcommand(
            Clap::new("info")
                .about("Says what is in captures: packets, times, link types, interfaces, damage")
                .arg(
                    list("files", "FILE", "The captures, `-` for standard input")
                        .num_args(0..)
                        .value_hint(ValueHint::FilePath),
                )
                .arg(
                    one("output", "FORMAT", "The format: text, or json (one array)")
                        .short('o')
                        .value_parser(["text", "json"])
                        .default_value("text"),
                )
                .args(names_of_files())
                .arg(strict())
                .arg(utc()),
        )
        .subcommand(
            Clap::new("modules")
                .about("Lists the modules, or describes one")
                .arg(name("The module")),
        )
        .subcommand(
            Clap::new("functions")
                .about("Lists the functions of expressions, or describes one")
                .arg(name("The function")),
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
        .subcommand(rules())
        .subcommand(
            Clap::new("interfaces").about("Lists the interfaces that packets can be taken from"),
        )
        .subcommand(
            Clap::new("help")
                .about("Describes a topic, a command, a module or a type")
                .arg(
                    Arg::new("name")
                        .value_name("TOPIC")
                        .help("What to describe; the topics are listed unless given"),
                ),
        )
        .subcommand(
            Clap::new("completions")
                .about("Prints what a shell needs to complete wireq's command line")
                .arg(
                    Arg::new("shell")
                        .value_name("SHELL")
                        .value_parser(SHELLS)
                        .required(true)
                        .help("The shell"),
                ),
        )
        .subcommand(
            Clap::new("man")
                .about("Prints a page of the manual, for `man -l -`")
                .arg(
                    Arg::new("page")
                        .value_name("PAGE")
                        .value_parser(["wireq", "language"])
                        .default_value("wireq")
                        .help("wireq(1), or wireq-language(7)"),
                ),
        )
        .subcommand(
            Clap::new("__complete")
                .hide(true)
                .about("Prints what a word can become; the scripts of `completions` ask it")
                .arg(
                    Arg::new("line")
                        .long("line")
                        .value_name("LINE")
                        .help("The command line up to the cursor, as the shell has it"),
                )
                .arg(
                    Arg::new("words")
                        .value_name("WORD")
                        .num_args(0..)
                        .allow_hyphen_values(true)
                        .trailing_var_arg(true)
                        .help("The words of the command line, the last one up to the cursor"),
                ),
        )
}

fn rules() -> Clap {
    let with_files = |command: Clap| {
        command
            .arg(
                list("files", "FILE", "A file of rules")
                    .num_args(1..)
                    .required(true)
                    .value_hint(ValueHint::FilePath),
            )
            .arg(
                list(
                    "var",
                    "NAME=VALUE",
                    "The value of a variable; may be given often",
                )
                .long("var"),
            )
            .arg(flag(
                "packet-only",
                "Keeps what rules ask of single packets and leaves out the rest",
            ))
    };
    let check = Clap::new("check")
        .about("Counts what is understood, keyword by keyword")
        .arg(flag("json", "Prints one JSON object"))
        .arg(flag(
            "list",
            "Prints all that is not understood, with its place",
        ));
    let show = Clap::new("show")
        .about("Prints rules as queries that give the same packets")
        .arg(one("sid", "N", "The rule; all of them unless given").value_parser(value_parser!(u32)))
        .arg(flag(
            "as-rule",
            "Prints rules as rules of Suricata, as far as they are understood",
        ));
    Clap::new("rules")
        .about("Says what of rules of Snort and Suricata is understood, or prints them as queries")
        .subcommand_required(true)
        .subcommand(with_files(check))
        .subcommand(with_files(show))
}

fn with_query_arguments(command: Clap) -> Clap {
    command
        .args(queries())
        .args(inputs())
        .args(outputs())
        .args(runs())
}

fn one(id: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(id).long(id).value_name(value).help(help)
}

fn flag(id: &'static str, help: &'static str) -> Arg {
    Arg::new(id).long(id).action(ArgAction::SetTrue).help(help)
}

fn list(id: &'static str, value: &'static str, help: impl Into<StyledStr>) -> Arg {
    Arg::new(id)
        .value_name(value)
        .action(ArgAction::Append)
        .help(help.into())
}

fn queries() -> Vec<Arg> {
    vec![
        list(
            "words",
            "QUERY|FILE",
            "The query, unless -e or -f gives one; then the captures to read",
        )
        .num_args(0..)
        .value_hint(ValueHint::FilePath),
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
        .long("file")
        .value_hint(ValueHint::FilePath),
        list(
            "arg",
            "NAME=VALUE",
            "The value that `$NAME` stands for in queries: a word or a constant, never syntax; may be given often",
        )
        .long("arg"),
        one(
            "lang",
            "LANGUAGE",
            "The language that queries have to be in; auto: each statement shows it",
        )
        .value_parser(["auto", "pipe", "sql", "datalog"])
        .default_value("auto"),
    ]
}

fn inputs() -> Vec<Arg> {
    let args = vec![
        list(
            "read",
            "FILE",
            "A capture that statements without a source read; may be given often",
        )
        .short('r')
        .long("read")
        .value_hint(ValueHint::FilePath),
        list(
            "interface",
            "NAME",
            "An interface that statements without a source listen on, see `pcaplive`; may be given often",
        )
        .short('i')
        .long("interface"),
        flag(
            "merge",
            "Reads captures side by side, packets in the order of their times",
        ),
        flag(
            "follow",
            "Reads on when the last capture grows, and the files that take its place",
        )
        .short('F')
        .conflicts_with_all(["merge", "list"]),
        one(
            "from",
            "TIME",
            "Leaves out objects before this time, where a source has times (`ts`)",
        ),
        one(
            "to",
            "TIME",
            "Leaves out objects of this time and later, where a source has times (`ts`)",
        ),
        strict(),
        flag(
            "quiet",
            "Says nothing of damage; inputs of which nothing could be used are told all the same",
        )
        .short('q'),
    ];
    under("Input", args.into_iter().chain(names_of_files()).collect())
}

fn names_of_files() -> Vec<Arg> {
    vec![
        flag(
            "list",
            "Reads names of files from standard input too, one a line",
        )
        .short('l'),
        flag(
            "recursive",
            "Reads all files in folders that are named, and in folders in them",
        ),
    ]
}

fn strict() -> Arg {
    flag(
        "strict",
        "Ends at the first damage in an input, with exit status 3",
    )
}

fn utc() -> Arg {
    flag(
        "utc",
        "Shows and reads times in universal time, not in the zone of TZ",
    )
}

fn outputs() -> Vec<Arg> {
    let args = vec![
        one(
            "output",
            "FORMAT",
            "The format of what statements print: text (tabs between values), table, csv, tsv, json (one array) or jsonl (an object a line); a table on a terminal unless given, else text",
        )
        .short('o')
        .value_parser(["text", "table", "csv", "tsv", "json", "jsonl"]),
        one("limit", "N", "Each statement gives at most N objects, then ends")
            .short('n')
            .value_parser(value_parser!(u64)),
        flag(
            "tag",
            "Prints a first column `statement`: each statement's label, else its number",
        ),
        one(
            "write",
            "FILE",
            "Writes the packets that the query gives to a capture, in place of printing them, as `pcapwrite -f FILE` behind it: pcapng where the name ends with .pcapng, compressed where it ends with .gz, .zst, .lz4, .bz2 or .xz; without a query all packets that are read",
        )
        .short('w'),
        list(
            "out",
            "NAME=FILE",
            "The file for the output of a statement, by its label or number; may be given often",
        )
        .long("out"),
        one(
            "color",
            "WHEN",
            "Colors in messages and headers of tables; auto: on a terminal, unless NO_COLOR is set",
        )
        .value_parser(["auto", "always", "never"])
        .default_value("auto"),
        utc(),
    ];
    under("Output", args)
}

fn shown() -> Vec<Arg> {
    let args = vec![
        flag("dot", "Prints the plan as run for Graphviz"),
        flag("svg", "Prints the plan as run as a picture").conflicts_with("dot"),
        flag("json", "Prints the plan as run as JSON").conflicts_with_all(["dot", "svg"]),
        flag(
            "analyze",
            "Runs the queries, prints nothing of theirs, and says what each node took, gave and cost",
        ),
    ];
    under("Plan", args)
}

fn runs() -> Vec<Arg> {
    let args = vec![
        one(
            "stats",
            "FORMAT",
            "Prints the account of every node on standard error",
        )
        .value_parser(["text", "json"])
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("text"),
        one(
            "now",
            "TIME",
            "What counts as now, for times relative to it",
        ),
        list("no-rewrite", "NAME", format!(
            "Switches a rewrite of the plan off: {}; results stay the same",
            REWRITES.iter().map(|rewrite| rewrite.name).collect::<Vec<_>>().join(", ")
        ))
        .long("no-rewrite"),
        one(
            "strategy",
            "NAME",
            "How many conditions on one stream are matched; results stay the same",
        )
        .value_parser(PossibleValuesParser::new(
            Strategy::ALL.iter().map(|(name, _)| *name),
        )),
        one(
            "vector",
            "on|off",
            "Whether many tests of one field are one look-up; results stay the same",
        )
        .value_parser(["on", "off"]),
        one(
            "batch",
            "N",
            "The most rows in a batch; results stay the same",
        )
        .value_parser(value_parser!(u64).range(1..)),
        one(
            "threads",
            "N",
            "How many threads run what can be run on several; the cores there are unless given, and no \
             more than these; results stay the same. `wireq explain --threads N` says what runs where",
        )
        .value_parser(value_parser!(u64).range(1..)),
        one(
            "memory-limit",
            "SIZE",
            "The most memory that modules may keep, such as 64M or 1G: above it sort, uniq, distinct \
             and group by go on in files in TMPDIR, others end the run with exit status 5; results \
             stay the same",
        )
        .value_parser(size),
        one(
            "user",
            "NAME",
            "The user to go on as once live sources are open",
        ),
        one(
            "sandbox",
            "WHEN",
            "Over live sources, lets the run open no files but its inputs and those in the folders of its outputs, make no connections and start no programs; off is told",
        )
        .value_parser(["on", "off"])
        .default_value("on"),
        flag(
            "allow-unbounded",
            "Runs queries over live sources that keep more the longer they run, which are refused else",
        ),
        one(
            "seed",
            "N",
            "The seed of hashes; random unless given; results stay the same",
        )
        .value_parser(value_parser!(u64)),
    ];
    under("Run", args)
}

fn under(heading: &'static str, args: Vec<Arg>) -> Vec<Arg> {
    let heading = |arg: Arg| arg.help_heading(heading);
    args.into_iter().map(heading).collect()
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
