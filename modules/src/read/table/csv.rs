//! `csv` and `tsv`: tables whose first line names the columns.

use super::columns::Input;
use super::grammar::Grammar;
use super::separator;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::{Build, Example, Module, SourceSpec};

const SEPARATOR: Parameter = Parameter {
    name: "-d",
    takes: Takes::Text,
    count: Count::Optional,
    summary: "The character between columns; a comma unless given.",
};

const QUOTES: Parameter = Parameter {
    name: "-q",
    takes: Takes::Nothing,
    count: Count::Optional,
    summary: "Cells may stand in double quotes, as in CSV files.",
};

const NO_HEADER: Parameter = Parameter {
    name: "--no-header",
    takes: Takes::Nothing,
    count: Count::Optional,
    summary: "The first line is a record like the others; columns are called 1, 2, 3.",
};

const TYPE: Parameter = Parameter {
    name: "--type",
    takes: Takes::Text,
    count: Count::Any,
    summary: "What a column holds, NAME:KIND, may be given often; kinds as for tabularinput.",
};

const FILE: Parameter = Parameter {
    name: "FILE",
    takes: Takes::File,
    count: Count::Any,
    summary: "The files; `-`, or none at all, is standard input.",
};

pub(in crate::read) static CSV: Module = Module {
    name: "csv",
    summary: "Reads CSV files: a header line that names the columns, commas between cells.",
    details: "As tabularinput with -H and -d ',': cells may stand in double quotes (RFC 4180), cells \
              that are written as numbers are numbers and others text, empty ones are absent. Of \
              several files each has its own header line, and columns are found by their names.",
    parameters: &[SEPARATOR, NO_HEADER, TYPE, FILE],
    examples: &[
        Example {
            title: "what a table has",
            query: "csv ../tables/flows.csv | head 2",
            input: "",
            output: "2026-01-01T00:00:00Z\t192.0.2.1\t198.51.100.10\ttcp\t443\t5200\tfirst, \\x0asecond\n\
                     2026-01-01T00:00:01.5Z\t192.0.2.2\t198.51.100.20\ttcp\t80\t1000\ta \"quoted\" word\n",
        },
        Example {
            title: "conditions on columns",
            query: "csv ../tables/flows.csv | where port < 100 and src != 192.0.2.1 | print src port",
            input: "",
            output: "192.0.2.2\t80\n192.0.2.3\t53\n",
        },
        Example {
            title: "a column of times",
            query: "csv --type start:time ../tables/flows.csv | tail 1 | print start start.sec",
            input: "",
            output: "2026-01-01T00:01:00+00:00\t1767225660\n",
        },
    ],
    build: Build::Source(|arguments| {
        let separator = match arguments.value("-d") {
            Some(word) => separator("csv", word, true)?,
            None => b',',
        };
        let quotes = true;
        build("csv", Grammar { separator, quotes }, arguments)
    }),
};

pub(in crate::read) static TSV: Module = Module {
    name: "tsv",
    summary: "Reads TSV files: a header line that names the columns, tabs between cells.",
    details: "As tabularinput with -H. Quotes are text unless -q is given.",
    parameters: &[QUOTES, NO_HEADER, TYPE, FILE],
    examples: &[
        Example {
            title: "what a table has",
            query: "tsv ../tables/services.tsv | print -v",
            input: "",
            output: "port = 53\tname = domain\nport = 80\tname = http\tnote = \"the web\"\n",
        },
        Example {
            title: "quotes around cells",
            query: "tsv -q ../tables/services.tsv | where port = 80 | print note",
            input: "",
            output: "the web\n",
        },
        Example {
            title: "a table without a header line",
            query: "tsv --no-header ../tables/hosts.tsv | head 1 | print 2",
            input: "",
            output: "gateway\n",
        },
    ],
    build: Build::Source(|arguments| {
        let quotes = arguments.flag("-q");
        let separator = b'\t';
        build("tsv", Grammar { separator, quotes }, arguments)
    }),
};

fn build(
    module: &'static str,
    grammar: Grammar,
    arguments: &Arguments,
) -> Result<SourceSpec, ArgumentError> {
    let input = Input {
        module,
        paths: arguments
            .words()
            .iter()
            .map(|word| word.text.clone())
            .collect(),
        grammar,
        header: !arguments.flag("--no-header"),
        names: Vec::new(),
        types: arguments.values("--type").collect(),
    };
    input.source()
}
