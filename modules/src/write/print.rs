//! `print`: fields as text.

use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::planted::is_planted;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Context, Error, Example, Module, Needs, Operator, OperatorSpec, Progress, Verdict, View,
};
use wireq_typesys::{FieldPath, Zone, unescape, write_column_text};

pub(super) static MODULE: Module = Module {
    name: "print",
    summary: "Prints fields as text, a line for each object, and passes the objects on.",
    details: "Without fields it prints all that the objects are known to have. A missing field leaves its \
              column empty, at the end of a line nothing; an object that has none of the fields is not \
              printed. A statement that ends without print has one: of keys and functions behind `group by`, \
              of the fields behind `project`, else of the summary fields of the type.",
    parameters: &[
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
            title: "one field a line",
            query: "head 1 | print --boulder srcip len",
            input: "five.pcap",
            output: "srcip=192.0.2.1\nlen=74\n=\n",
        },
    ],
    build: Build::Operator(build),
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Named,
    Tagged,
    Boulder,
}

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let styles = [
        ("-v", Style::Named),
        ("-x", Style::Tagged),
        ("--boulder", Style::Boulder),
    ];
    let style = styles
        .into_iter()
        .find(|(flag, _)| arguments.flag(flag))
        .map_or(Style::Plain, |(_, style)| style);
    let text = |flag: &str, default: &str| {
        arguments
            .value(flag)
            .map_or_else(|| default.into(), |word| unescape(word.text.as_bytes()))
    };
    let between = if style == Style::Boulder {
        b"\n".to_vec()
    } else {
        text("-d", "\t")
    };
    let behind = if style == Style::Boulder {
        b"\n=\n".to_vec()
    } else {
        text("-r", "\n")
    };
    let flush = arguments.flag("-B");
    let needs = if arguments.flag("--summary") {
        Needs::Summary
    } else if arguments.words().is_empty() {
        Needs::All
    } else {
        Needs::Fields(arguments.fields())
    };
    let spec = OperatorSpec::stateless(Vec::new(), move |context| {
        Box::new(Print::new(style, &between, &behind, flush, context))
    });
    Ok(OperatorSpec {
        needs,
        side_effect: true,
        output_file: arguments.value("-f").map(|word| word.text.clone()),
        ..spec
    })
}

struct Print {
    style: Style,
    between: Vec<u8>,
    behind: Vec<u8>,
    flush: bool,
    fields: Vec<FieldPath>,
    zone: Arc<Zone>,
}

impl Print {
    fn new(style: Style, between: &[u8], behind: &[u8], flush: bool, context: &Context) -> Print {
        Print {
            style,
            between: between.to_vec(),
            behind: behind.to_vec(),
            flush,
            fields: context.fields.clone(),
            zone: Arc::clone(&context.zone),
        }
    }

    /// Writes the fields of a row; nothing where it has none of them.
    fn write_row(&self, view: View<'_>, row: usize, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        // Where the last field that is there ends: empty columns behind it are not written.
        let mut end = start;
        let mut any = false;
        for (at, field) in self.fields.iter().enumerate() {
            let Some(column) = view.column(at).filter(|column| column.valid.get(row)) else {
                // As SMACQ wrote names: a separator for each column before the first that is there.
                let leading = self.style == Style::Named && !any;
                if self.style == Style::Plain && at > 0 || leading {
                    out.extend_from_slice(&self.between);
                }
                continue;
            };
            if self.style == Style::Plain && at > 0 || self.style != Style::Plain && any {
                out.extend_from_slice(&self.between);
            }
            any = true;
            let name = field.as_str().as_bytes();
            match self.style {
                Style::Plain => {}
                Style::Named => out.extend_from_slice(&[name, b" = "].concat()),
                Style::Tagged => out.extend_from_slice(&[b"<", name, b">"].concat()),
                Style::Boulder => out.extend_from_slice(&[name, b"="].concat()),
            }
            write_column_text(column, row, &self.zone, out);
            if self.style == Style::Tagged {
                out.extend_from_slice(&[b"</", name, b">"].concat());
            }
            end = out.len();
        }
        if !is_planted("print-untrimmed") || end == start {
            out.truncate(end);
        }
        // A row may be there and yet print as nothing: an empty payload.
        end > start
            || (0..self.fields.len())
                .any(|at| view.column(at).is_some_and(|column| column.valid.get(row)))
    }
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
        for view in views {
            view.part.selection.for_each(|row| {
                let text = out.text.bytes();
                if self.write_row(*view, row, text) {
                    text.extend_from_slice(&self.behind);
                    out.text.end_row(view.part.data.position(row));
                }
            });
        }
        Ok(())
    }

    fn save(&self, _out: &mut Writer) {}

    fn load(&mut self, _from: &mut Reader<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn merge(&mut self, _right: &dyn Operator) -> Result<Verdict, Error> {
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
