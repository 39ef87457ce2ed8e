//! `tabularinput`: records of text files with a separator between columns.

use super::columns::Input;
use super::grammar::Grammar;
use super::separator;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes, Word};
use wireq_engine::{Build, Example, Module, SourceSpec};

const NAME: &str = "tabularinput";

pub(in crate::read) static MODULE: Module = Module {
    name: NAME,
    summary: "Reads tables: a record a line, a character between columns.",
    details: "Columns are called 1, 2, 3 from the left; COLUMN gives the first ones names instead. \
              `line` is the whole record. NAME:KIND says what the cells of a column are; one that \
              cannot be read as that is absent, and counted. The kinds are bool, signed, unsigned, \
              double, time, duration, address, prefix, mac, bytes, text, ip-protocol, and any: cell \
              by cell a number where it is written as one, without `+` or zeros at its begin, else \
              text. An empty cell is absent, and so are cells that a record does not have; those \
              behind the named ones are called by their places. With -H the first line of each file \
              names the columns, which are then found by name in whatever order a file has them; \
              COLUMN can say what they are. A column that the header leaves without a name, or \
              names a second time, is called by its place. Behind a header line empty lines are no \
              records. Lines end with LF or CR LF. In quotes, as in RFC 4180, cells may have \
              separators and line ends in them, and a quote is written twice; an empty cell in \
              quotes is empty text. A record of more than 16 MiB is skipped; columns beyond the \
              4096th cannot be read.",
    parameters: &[
        Parameter {
            name: "-f",
            takes: Takes::File,
            count: Count::Any,
            summary: "A file, may be given often; `-`, or none at all, is standard input.",
        },
        Parameter {
            name: "-d",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The character between columns; a tab unless given.",
        },
        Parameter {
            name: "-q",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Cells may stand in double quotes; with -d ',' they always may.",
        },
        Parameter {
            name: "-H",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "The first line of each file names the columns.",
        },
        Parameter {
            name: "--header",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "The same as -H.",
        },
        Parameter {
            name: "COLUMN",
            takes: Takes::Text,
            count: Count::Any,
            summary: "The name of a column, NAME or NAME:KIND, from the left.",
        },
    ],
    examples: &[
        Example {
            title: "columns by their places",
            query: "tabularinput -d ' ' -f ../tables/mail.log | print 4 6 8 | head 2",
            input: "",
            output: "relay2\tq1:\tsize=2438,\nrelay2\tq1:\tdelay=1,\n",
        },
        Example {
            title: "columns with names and kinds",
            query: "tabularinput -f ../tables/hosts.tsv ip:address name:text \
                    | where ip = 192.0.2.0/30 | print name",
            input: "",
            output: "gateway\nalice\nbob\n",
        },
        Example {
            title: "names from the header line",
            query: "tabularinput -H -d ',' -f ../tables/flows.csv bytes:unsigned \
                    | print proto sum(bytes) group by proto",
            input: "",
            output: "tcp\t6200\nudp\t212\n",
        },
    ],
    build: Build::Source(build),
};

fn build(arguments: &Arguments) -> Result<SourceSpec, ArgumentError> {
    let quotes = arguments.flag("-q");
    let separator = match arguments.value("-d") {
        Some(word) => separator(NAME, word, quotes)?,
        None => b'\t',
    };
    let header = arguments.flag("-H") || arguments.flag("--header");
    let columns: Vec<&Word> = arguments.words().iter().collect();
    let (names, types) = if header {
        (Vec::new(), columns)
    } else {
        (columns, Vec::new())
    };
    let input = Input {
        module: NAME,
        paths: arguments
            .values("-f")
            .map(|word| word.text.clone())
            .collect(),
        grammar: Grammar {
            separator,
            quotes: quotes || separator == b',',
        },
        header,
        names,
        types,
    };
    input.source()
}
