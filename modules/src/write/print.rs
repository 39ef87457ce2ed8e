//! `print`: fields as text, in the formats of `format`.

use super::format::{Columns, Format, Layout, NAMES, Style, Text, format};
use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes, Word};
use wireq_engine::diagnostic::suggest;
use wireq_engine::schedule::output::{Frame, Output};
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Context, Error, Example, Module, Needs, Operator, OperatorSpec, Progress, Verdict, View,
};
use wireq_typesys::unescape;

pub(super) static MODULE: Module = Module {
    name: "print",
    summary: "Prints fields as text, a line for each object, and passes the objects on.",
    details: "Without fields it prints all that the objects are known to have. A missing field leaves its \
              column empty, at the end of a line nothing; an object that has none of the fields is not \
              printed. A statement that ends without print has one: of keys and functions behind `group by`, \
              of the fields behind `project`, else of the summary fields of the type.\n\n\
              -o chooses a format, else -o of the command does. `wireq help formats` tells what values look \
              like in each.",
    parameters: &[
        Parameter {
            name: "-o",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The format: text, table, csv, tsv, json (one array) or jsonl (an object a line); text unless given.",
        },
        Parameter {
            name: "-v",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Prints `name = value`.",
        },
        Parameter {
            name: "-x",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Prints `<name>value</name>`.",
        },
        Parameter {
            name: "--boulder",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Prints `name=value`, one a line, and a line `=` behind each object.",
        },
        Parameter {
            name: "-d",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "What stands between fields; a tab unless given.",
        },
        Parameter {
            name: "-r",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "What stands behind each object; a line end unless given.",
        },
        Parameter {
            name: "-B",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Hands each object's text on at once.",
        },
        Parameter {
            name: "-f",
            takes: Takes::File,
            count: Count::Optional,
            summary: "The file to print to; it is replaced.",
        },
        Parameter {
            name: "--default-format",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The format where no other flag means one; with -f a table becomes text.",
        },
        Parameter {
            name: "--statement",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The value of a first column, `statement`.",
        },
        Parameter {
            name: "--null",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "In JSON, makes absent fields null; else only those given as arguments are.",
        },
        Parameter {
            name: "--width",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "The most characters in a line of a table; values are cut, and end in `…`.",
        },
        Parameter {
            name: "--bold",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Makes the header of a table bold.",
        },
        Parameter {
            name: "--summary",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Prints the summary fields, as a statement without print does.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::Any,
            summary: "The fields to print; all unless given.",
        },
    ],
    examples: &[
        Example {
            title: "columns keep their places",
            query: "print vlan srcip dstport",
            input: "five.pcap",
            output: "\t192.0.2.1\t443\n\t192.0.2.2\t80\n7\n\t192.0.2.1\t80\n\t192.0.2.2\t53\n",
        },
        Example {
            title: "with names",
            query: "head 1 | print -v srcip ttl",
            input: "five.pcap",
            output: "srcip = 192.0.2.1\tttl = 64\n",
        },
        Example {
            title: "separated by commas",
            query: "head 2 | print -d ', ' srcip ipprotocol",
            input: "five.pcap",
            output: "192.0.2.1, tcp\n192.0.2.2, tcp\n",
        },
        Example {
            title: "as JSON, an object a line; an absent field that is named is null",
            query: "head 3 | print -o jsonl srcip vlan ipprotocol",
            input: "five.pcap",
            output: "{\"srcip\":\"192.0.2.1\",\"vlan\":null,\"ipprotocol\":\"tcp\"}\n\
                     {\"srcip\":\"192.0.2.2\",\"vlan\":null,\"ipprotocol\":\"tcp\"}\n\
                     {\"srcip\":null,\"vlan\":7,\"ipprotocol\":null}\n",
        },
        Example {
            title: "as CSV",
            query: "print -o csv srcip count() group by srcip",
            input: "five.pcap",
            output: "srcip,count\n192.0.2.1,2\n192.0.2.2,2\n",
        },
        Example {
            title: "one field a line",
            query: "head 1 | print --boulder srcip len",
            input: "five.pcap",
            output: "srcip=192.0.2.1\nlen=74\n=\n",
        },
    ],
    build: Build::Operator(build),
};

const STYLES: [(&str, Style); 3] = [
    ("-v", Style::Named),
    ("-x", Style::Tagged),
    ("--boulder", Style::Boulder),
];

/// What belongs to plain text, and makes it the format.
const OF_TEXT: [&str; 5] = ["-v", "-x", "--boulder", "-d", "-r"];

/// What the arguments say about how objects are written.
#[derive(Clone)]
struct Looks {
    format: String,
    style: Style,
    between: Vec<u8>,
    behind: Vec<u8>,
    layout: Layout,
    statement: Option<String>,
    named: bool,
}

impl Looks {
    fn new(arguments: &Arguments) -> Result<Looks, ArgumentError> {
        let style = STYLES.iter().find(|(flag, _)| arguments.flag(flag));
        let style = style.map_or(Style::Plain, |(_, style)| *style);
        let text = |flag: &str, default: &str| {
            arguments
                .value(flag)
                .map_or_else(|| default.into(), |word| unescape(word.text.as_bytes()))
        };
        let (between, behind) = match style {
            Style::Boulder => (b"\n".to_vec(), b"\n=\n".to_vec()),
            _ => (text("-d", "\t"), text("-r", "\n")),
        };
        let summary = arguments.flag("--summary");
        Ok(Looks {
            format: format_of(arguments)?,
            style,
            between,
            behind,
            layout: Layout {
                width: arguments
                    .value("--width")
                    .and_then(|word| word.text.parse().ok()),
                bold: arguments.flag("--bold"),
            },
            statement: arguments.value("--statement").map(|word| word.text.clone()),
            named: arguments.flag("--null") || !summary && !arguments.words().is_empty(),
        })
    }

    fn make(&self, context: &Context) -> Box<dyn Format> {
        let columns = Columns {
            fields: context.fields.clone(),
            kinds: context.kinds.clone(),
            statement: self.statement.clone(),
            named: self.named,
            zone: Arc::clone(&context.zone),
        };
        match self.format.as_str() {
            "text" => Box::new(Text::new(columns, self.style, &self.between, &self.behind)),
            name => format(name, columns, self.layout),
        }
    }
}

/// The format that the flags choose.
fn format_of(arguments: &Arguments) -> Result<String, ArgumentError> {
    let of_text = OF_TEXT.into_iter().find(|flag| arguments.flag(flag));
    if let Some(word) = arguments.value("-o") {
        check_format(word)?;
        return match of_text.filter(|_| word.text != "text") {
            Some(flag) => Err(ArgumentError {
                help: Some(format!("leave out {flag}, or write `-o text`")),
                ..ArgumentError::at("print", word, format!("is a format that has no {flag}"))
            }),
            None => Ok(word.text.clone()),
        };
    }
    let default = arguments.value("--default-format");
    default.map_or(Ok(()), check_format)?;
    let is_file = arguments.flag("-f");
    Ok(match default {
        // A table is for those who look on.
        Some(word) if of_text.is_none() && !(is_file && word.text == "table") => word.text.clone(),
        _ => "text".to_owned(),
    })
}

fn check_format(word: &Word) -> Result<(), ArgumentError> {
    if NAMES.contains(&word.text.as_str()) {
        return Ok(());
    }
    let help = match suggest(&word.text, NAMES) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of {}", NAMES.join(", ")),
    };
    Err(ArgumentError {
        help: Some(help),
        ..ArgumentError::at("print", word, "is no format")
    })
}

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let looks = Looks::new(arguments)?;
    let flush = arguments.flag("-B");
    let needs = if arguments.flag("--summary") {
        Needs::Summary
    } else if arguments.words().is_empty() {
        Needs::All
    } else {
        Needs::Fields(arguments.fields())
    };
    let spec = OperatorSpec::stateless(Vec::new(), move |context| {
        Box::new(Print {
            format: looks.make(context),
            flush,
        })
    });
    Ok(OperatorSpec {
        needs,
        side_effect: true,
        output_file: arguments.value("-f").map(|word| word.text.clone()),
        ..spec
    })
}

struct Print {
    format: Box<dyn Format>,
    /// Whether text is handed on at once.
    flush: bool,
}

impl Operator for Print {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            out.pass(view.part, view.part.selection);
        }
        Ok(Progress::Continue)
    }

    fn act(&mut self, views: &[View<'_>], out: &mut Output) -> Result<(), Error> {
        out.text.flush = self.flush;
        if let Some(frame) = self.format.look(views) {
            out.text.frame = frame;
        }
        for view in views {
            view.part.selection.for_each(|row| {
                if self.format.write(*view, row, out.text.bytes()) {
                    out.text.end_row(view.part.data.position(row));
                }
            });
        }
        Ok(())
    }

    fn frame(&self) -> Frame {
        self.format.frame()
    }

    fn save(&self, out: &mut Writer) {
        self.format.save(out);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.format.load(from)
    }

    fn merge(&mut self, _right: &dyn Operator) -> Result<Verdict, Error> {
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
