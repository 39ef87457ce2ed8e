//! `dfa`: state machines over objects that follow each other.

mod compiled;
mod fields;
mod graph;
mod links;
mod machines;
mod program;
mod run;
mod search;
mod text;

use super::clockwork::period;
use compiled::Pool;
use graph::Graph;
use program::{PREVIOUS, Program};
use run::Dfa;
use std::sync::{Arc, Mutex, PoisonError};
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::plan::expr::Expr;
use wireq_engine::{
    Build, Example, ExpressionModule, ExpressionText, Gives, Module, Needs, ObjectColumn, ObjectOf,
    OnControl, OperatorSpec, StateClass,
};
use wireq_typesys::{FieldPath, Kind, Zone};

const NAME: &str = "dfa";

/// The most machines where a query has no bound.
const MAX: usize = 4_000_000;

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Gives the objects that bring a state machine to its end.",
    details: "Each line of FILE, or of the text behind -e, is a transition: a state, the state behind it, and \
              a predicate as behind where. Machines begin in START and end in STOP; other names \
              are free. A line that is empty or begins with #, % or -- is none.\n\
              \n\
              An object moves the oldest machine that has a transition which it fulfils, by the \
              first such transition. If it moves none, the first transition of START that it \
              fulfils makes a machine. An object that moves a machine to STOP is given, and the \
              machine is dropped; all others end here. A transition back to START gives the machine \
              up.\n\
              \n\
              In predicates, and behind this module, `previous` is the object that moved the \
              machine before, with its fields: `previous.seq`; `previous.previous` is the one \
              before that. In START there is none yet.\n\
              \n\
              Where a predicate has a part such as `srcip = previous.srcip`, the machines that it can concern \
              are looked up; others are tried one by one, from the oldest.\n\
              \n\
              With -t, a machine is dropped when the latest time (field ts) is more than that behind its \
              last move, and an object further than that from a machine's last one does not move \
              it. An object without ts counts to the latest time. A watermark drops machines as \
              a time does. Each machine that -t or --max drops counts one object as evicted.",
    parameters: &[
        Parameter {
            name: "-e",
            takes: Takes::Text,
            count: Count::Any,
            summary: "A transition, instead of a file: -e 'START FIRST seq' -e 'FIRST STOP seq = previous.seq'.",
        },
        Parameter {
            name: "-t",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "Drop machines that have not moved for so long in data time, such as 30s.",
        },
        Parameter {
            name: "--max",
            takes: Takes::Number,
            count: Count::Optional,
            summary: "Keep at most N machines; the oldest goes first; 4000000 unless given, about 200 bytes each.",
        },
        Parameter {
            name: "FILE",
            takes: Takes::File,
            count: Count::Optional,
            summary: "The file with the transitions.",
        },
    ],
    examples: &[
        Example {
            title: "a second packet from the same address",
            query: "dfa -e 'START seen srcip' -e 'seen STOP srcip = previous.srcip' | print srcip dstport previous.dstport",
            input: "five.pcap",
            output: "192.0.2.1\t80\t443\n192.0.2.2\t53\t80\n",
        },
        Example {
            title: "how long it took",
            query: "dfa -e 'START a dstport = 80' -e 'a STOP dstport = 80' | print ts.sec [ ts - previous.ts ] as after",
            input: "five.pcap",
            output: "1767225603\t2\n",
        },
        Example {
            title: "no later than a second after it",
            query: "dfa -t 1s -e 'START seen srcip' -e 'seen STOP srcip != previous.srcip' | print srcip previous.srcip",
            input: "five.pcap",
            output: "192.0.2.2\t192.0.2.1\n192.0.2.2\t192.0.2.1\n",
        },
    ],
    build: Build::Expressions(ExpressionModule {
        texts,
        tests: true,
        carries: Some(PREVIOUS),
        build,
    }),
};

/// What limits how many machines there are.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    timeout: Option<i64>,
    max: usize,
}

fn bounds(arguments: &Arguments) -> Result<Bounds, ArgumentError> {
    let timeout = arguments.value("-t");
    let timeout = timeout
        .map(|word| period(NAME, word, &Zone::utc()))
        .transpose()?;
    let max = match arguments.value("--max") {
        None => MAX,
        Some(word) => match word.text.parse() {
            Ok(max) if max > 0 => max,
            _ => {
                let help = Some(format!("a number of machines from 1; {MAX} unless given"));
                let fault = ArgumentError::at(NAME, word, "leaves no machine");
                return Err(ArgumentError { help, ..fault });
            }
        },
    };
    Ok(Bounds { timeout, max })
}

fn texts(arguments: &Arguments) -> Result<Vec<ExpressionText>, ArgumentError> {
    bounds(arguments)?;
    let lines = text::read(arguments)?;
    Graph::new(&lines)?;
    Ok(lines.into_iter().map(|line| line.text).collect())
}

fn build(
    arguments: &Arguments,
    predicates: Vec<(Expr, Kind)>,
) -> Result<OperatorSpec, ArgumentError> {
    let bounds = bounds(arguments)?;
    let graph = Graph::new(&text::read(arguments)?)?;
    if let (Some(word), true) = (
        arguments.words().first(),
        graph.moves.len() != predicates.len(),
    ) {
        return Err(ArgumentError::at(NAME, word, "changed while it was read"));
    }
    let predicates = predicates.into_iter().map(|(predicate, _)| predicate);
    let program = Arc::new(Program::new(&graph, predicates.collect()));
    let bounded = bounds.timeout.is_some() || arguments.value("--max").is_some();
    let class = match program.class() {
        // The time of all objects and the number of all machines concern each. Where no bound is given,
        // the one that there is has nothing to do with what is meant.
        StateClass::Keyed if bounded => StateClass::Serial,
        class => class,
    };
    let last: Mutex<Option<Arc<Pool>>> = Mutex::new(None);
    let mut needs = program.fields.clone();
    needs.extend(bounds.timeout.map(|_| FieldPath::new("ts")));
    Ok(OperatorSpec {
        needs: Needs::Fields(needs),
        gives: Gives::Annotated(Vec::new()),
        objects: vec![ObjectColumn {
            name: Some(FieldPath::new(PREVIOUS)),
            of: ObjectOf::Input,
            chained: true,
        }],
        class,
        bound: Some("--max machines"),
        on_control: match bounds.timeout {
            Some(_) => OnControl::React,
            None => OnControl::Forward,
        },
        ..OperatorSpec::stateless(Vec::new(), move |context| {
            // The machines of many groups go by the same transitions.
            let mut pool = last.lock().unwrap_or_else(PoisonError::into_inner);
            let known = pool.take().filter(|pool| pool.is_of(context));
            let known = known.unwrap_or_else(|| Arc::new(Pool::new(&program, context)));
            *pool = Some(Arc::clone(&known));
            Box::new(Dfa::new(known, bounds, class))
        })
    })
}
