//! `print`: fields as text, in the formats of `format`.

use super::format::Format;
use super::looks::Looks;
use std::any::Any;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::schedule::output::{Frame, Output};
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Error, Example, Module, Needs, Operator, OperatorSpec, Progress, Verdict, View,
};

pub(super) static MODULE: Module = Module {
    name: "print",
    summary: "Prints fields as text, a line for each object, and passes the objects on.",
    details: "Without fields it prints all that the objects are known to have. A missing field leaves its \
              column empty, at the end of a line nothing; an object that has none of the fields is not \
              printed, unless it is a row of a SELECT. A statement that ends without print has one: of keys and functions behind `group by`, \
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
            name: "--rows",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Prints objects that have none of the fields too, in JSON with nulls: every \
                      object is a row.",
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

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let looks = Looks::new(arguments)?;
    let flush = arguments.flag("-B");
    let only_writes = !looks.goes_by_rows();
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
        only_writes,
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
            self.format.write(*view, &mut out.text);
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
