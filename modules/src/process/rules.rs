//! `rules`: the packets that rules of Snort and Suricata are about.

use super::stateless::rows;
use crate::rules::search::{Search, Searched};
use crate::rules::{Options, Rule, RuleSet, Variables};
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::schedule::output::Output;
use wireq_engine::{Build, Context, Example, Gives, Module, OperatorSpec, View};
use wireq_typesys::{
    ColumnBuilder, FieldPath, Kind, PartData, Positions, ROWS_MAX, Recipe, Shape, Value,
};

const NAME: &str = "rules";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Gives packets with the rules of Snort and Suricata that they fulfil, one object for each rule.",
    details: "Each object has the columns sid, gid, rev, msg, action, classtype and priority of its rule. \
              Of one packet the rules speak by action (pass, drop, reject, alert, log), then by \
              priority, then by gid and sid. A rule with `pass` gives no object: those behind \
              it are not tried on its packet.\n\
              \n\
              Rules are about single packets: `tcp` is each packet of TCP, with what it carries \
              itself. A keyword that asks for more (the state of a flow, the fields of an application \
              protocol, counts) is refused by its name, and with it the rule. With --skip-unsupported such \
              rules are left out; with --packet-only such keywords are: what is kept of a rule is \
              its header, its contents and what else it asks of single packets. \
              `wireq rules check FILE` counts what is refused, keyword by keyword, `wireq rules show` \
              prints a rule as a query.\n\
              \n\
              Variables have the values of a fresh Suricata: HOME_NET is the private networks of IPv4, \
              EXTERNAL_NET all others, HTTP_PORTS 80. Contents, pcre and the rest mean what they mean there: where \
              an occurrence leads to nothing the next one is tried, until 16 MB were looked at for one rule \
              in one packet. \
              pcre is translated; what has no translation is refused.",
    parameters: &[
        Parameter {
            name: "--skip-unsupported",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Leave rules out that are not understood; by default they are faults.",
        },
        Parameter {
            name: "--packet-only",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "Keep what rules ask of single packets and leave out the rest.",
        },
        Parameter {
            name: "--var",
            takes: Takes::Text,
            count: Count::Any,
            summary: "The value of a variable, as NAME=VALUE: --var HOME_NET=10.0.0.0/8.",
        },
        Parameter {
            name: "FILE",
            takes: Takes::File,
            count: Count::Some,
            summary: "A file of rules.",
        },
    ],
    examples: &[
        Example {
            title: "which rules packets fulfil",
            query: "rules ../rules/web.rules | print sid msg srcip dstip",
            input: "five.pcap",
            output: "2\tfirst packet of a connection\t192.0.2.1\t198.51.100.10\n\
                     1\trequest for a page\t192.0.2.2\t198.51.100.20\n\
                     4\tto the servers; but one\t192.0.2.2\t198.51.100.20\n\
                     5\tsmall talk\t192.0.2.1\t198.51.100.20\n\
                     4\tto the servers; but one\t192.0.2.1\t198.51.100.20\n\
                     3\tquestion for example.test\t192.0.2.2\t198.51.100.53\n\
                     4\tto the servers; but one\t192.0.2.2\t198.51.100.53\n",
        },
        Example {
            title: "how often each speaks",
            query: "rules ../rules/web.rules | print sid count() group by sid",
            input: "five.pcap",
            output: "1\t1\n2\t1\n3\t1\n4\t3\n5\t1\n",
        },
        Example {
            title: "with other networks",
            query: "rules --var HOME_NET=198.51.100.0/24 ../rules/web.rules | print sid priority action",
            input: "five.pcap",
            output: "2\t3\talert\n4\t3\talert\n5\t3\talert\n4\t3\talert\n3\t1\talert\n4\t3\talert\n",
        },
    ],
    build: Build::Operator(build),
};

/// The columns that an object has of its rule.
const COLUMNS: [(&str, Kind); 7] = [
    ("sid", Kind::Unsigned),
    ("gid", Kind::Unsigned),
    ("rev", Kind::Unsigned),
    ("msg", Kind::Text),
    ("action", Kind::Text),
    ("classtype", Kind::Text),
    ("priority", Kind::Unsigned),
];

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let mut variables = Variables::default();
    for word in arguments.values("--var") {
        variables
            .set_pair(&word.text)
            .map_err(|fault| ArgumentError::at(NAME, word, fault))?;
    }
    let options = Options {
        variables,
        packet_only: arguments.flag("--packet-only"),
    };
    let words = arguments.words();
    let paths = words.iter().map(|word| word.text.as_str());
    let set = RuleSet::read(paths, &options).map_err(|(path, error)| {
        let word = words.iter().find(|word| word.text == path);
        let message = format!("cannot be read: {error}");
        ArgumentError {
            module: NAME.into(),
            argument: format!("`{path}`"),
            message,
            help: None,
            span: word.map(|word| word.span),
        }
    })?;
    if !set.refusals.is_empty() && !arguments.flag("--skip-unsupported") {
        return Err(refused(arguments, &set));
    }
    let columns = COLUMNS.map(|(name, kind)| (FieldPath::new(name), kind));
    let rules = Arc::new(Searched::new(set));
    Ok(OperatorSpec {
        gives: Gives::Retained(columns.to_vec()),
        ..OperatorSpec::stateless(rules.fields(), move |context| {
            let mut rules = Rules::new(Arc::clone(&rules), context);
            rows(move |view, out| rules.step(view, out))
        })
    })
}

/// What is not understood.
fn refused(arguments: &Arguments, set: &RuleSet) -> ArgumentError {
    let rules = if set.refused == 1 {
        "rule that is"
    } else {
        "rules that are"
    };
    let mut message = format!("has {} {rules} not understood", set.refused);
    if let Some(refusal) = set.refusals.first() {
        message.push_str(&format!("; {refusal}"));
    }
    let help = "--skip-unsupported leaves such rules out, --packet-only what is not understood in \
                them; `wireq rules check` counts it";
    let first = set.refusals.first();
    let word = first.and_then(|refusal| {
        let mut words = arguments.words().iter();
        words.find(|word| *word.text == *refusal.place.file)
    });
    ArgumentError {
        module: NAME.into(),
        argument: word.map_or_else(|| "FILE".into(), |word| format!("`{}`", word.text)),
        message,
        help: Some(help.into()),
        span: word.map(|word| word.span),
    }
}

struct Rules {
    rules: Arc<Searched>,
    search: Search,
    /// For each column given: where it is from.
    columns: Vec<From>,
    shape: Option<Arc<Shape>>,
    origin: u32,
    /// Rows and the numbers of the rules that they fulfil.
    found: Vec<(u16, u32)>,
}

/// Where a column is from.
#[derive(Clone, Copy)]
enum From {
    /// A field of the view.
    View(usize),
    /// The rule.
    Rule(usize),
}

impl Rules {
    fn new(rules: Arc<Searched>, context: &Context) -> Rules {
        let given = context
            .shape
            .iter()
            .flat_map(|shape| &shape.base)
            .filter(|def| matches!(def.recipe, Recipe::Given));
        let columns = given.map(|def| {
            let own = COLUMNS
                .iter()
                .position(|(name, _)| def.path.as_str() == *name);
            let live = || context.live.iter().position(|path| *path == def.path);
            match own {
                Some(at) => From::Rule(at),
                None => From::View(live().map_or(usize::MAX, |at| context.fields.len() + at)),
            }
        });
        Rules {
            columns: columns.collect(),
            search: Search::new(Arc::clone(&rules), context),
            rules,
            shape: context.shape.clone(),
            origin: context.origin,
            found: Vec::new(),
        }
    }

    fn emit(&self, view: View<'_>, found: &[(u16, u32)], out: &mut Output) {
        let Some(shape) = &self.shape else { return };
        let column = |from: &From| {
            let mut builder = ColumnBuilder::default();
            for (row, number) in found {
                builder.push(match from {
                    From::View(at) => view.value(*at, usize::from(*row)),
                    From::Rule(at) => value(&self.rules.set.rules[*number as usize], *at),
                });
            }
            builder.finish()
        };
        let columns = self.columns.iter().map(column).collect();
        let data = &view.part.data;
        let rows = || found.iter().map(|(row, _)| usize::from(*row));
        let part = PartData::from_columns(
            Arc::clone(shape),
            columns,
            found.len(),
            Positions::Each(rows().map(|row| data.position(row)).collect()),
            self.origin,
        );
        out.emit(part.with_identities(rows().map(|row| data.identity(row)).collect()));
    }
}

/// What an object has of its rule.
fn value(rule: &Rule, column: usize) -> Value {
    match column {
        0 => Value::Integer(rule.sid.into()),
        1 => Value::Integer(rule.gid.into()),
        2 => Value::Integer(rule.rev.into()),
        3 => Value::Text(Arc::clone(&rule.msg)),
        4 => Value::text(rule.action.name()),
        5 if rule.classtype.is_empty() => Value::Absent,
        5 => Value::Text(Arc::clone(&rule.classtype)),
        _ => Value::Integer(rule.priority.into()),
    }
}

impl Rules {
    fn step(&mut self, view: View<'_>, out: &mut Output) {
        self.search.find(view, &mut self.found);
        out.account.work.add(&self.search.work());
        let mut rows = 0;
        let mut last = None;
        for (row, _) in &self.found {
            rows += u64::from(last != Some(*row));
            last = Some(*row);
        }
        out.account.absorbed += rows;
        out.account.filtered += view.part.count() as u64 - rows;
        for found in self.found.chunks(ROWS_MAX) {
            self.emit(view, found, out);
        }
    }
}
