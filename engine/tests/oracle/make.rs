//! From the nodes of a plan to stages.

use super::aggregate::Groups;
use super::attach;
use super::connections::Connections;
use super::copies::{Copies, Grouping, Maker};
use super::dfa::Dfa;
use super::ends::{Last, Sort, Tail, Top};
use super::expression::is_true;
use super::filter::{self, FILTERS, literal};
use super::flows::FlowId;
use super::follows::{Clock, Deskew, Difference, Window};
use super::join::Joining;
use super::keeps::{Head, Identities, Sample, Skip, Uniq};
use super::lately::{Active, Changes, FifoDelay};
use super::object::Object;
use super::print::Print;
use super::regex::Regex;
use super::shares::{Cumdist, Entropy, Histogram, Pdf};
use super::stage::{Alone, Each, Stage};
use super::total::FUNCTIONS;
use std::rc::Rc;
use wireq_engine::arguments::{Arguments, Word};
use wireq_engine::plan::expr::Expr;
use wireq_engine::plan::stream::Stream;
use wireq_engine::plan::{NodeId, NodeKind, Plan};
use wireq_engine::{Module, OperatorSpec};
use wireq_typesys::{FieldPath, Kind, Literal, Value, Zone};

/// The modules that the oracle interprets besides filters.
const MODULES: [&str; 36] = [
    "pcapfile",
    "tabularinput",
    "print",
    "project",
    "streamalias",
    "take",
    "const",
    "now",
    "expr",
    "div",
    "rename",
    "uniq",
    "head",
    "skip",
    "sample",
    "uniqobj",
    "countobj",
    "sort",
    "tail",
    "last",
    "top",
    "delta",
    "derivative",
    "deskew",
    "clock",
    "pdf",
    "entropy",
    "histogram",
    "cumdist",
    "fifodelay",
    "changes",
    "active",
    "flow",
    "flowid",
    "dfa",
    "window",
];

/// Whether the oracle knows all that a plan consists of.
pub fn knows(plan: &Plan) -> bool {
    plan.graph.node_weights().all(|node| match &node.kind {
        NodeKind::Source(module, arguments, _) if module.name == "pcapfile" => arguments
            .words()
            .iter()
            .all(|word| super::capture::is_known(&word.text)),
        NodeKind::Source(module, ..) => MODULES.contains(&module.name),
        NodeKind::Operator(module, arguments, spec) => {
            let known = MODULES.contains(&module.name) || knows_filter(module, arguments);
            // It prints text alone.
            let known = known
                && !(module.name == "print" && (arguments.flag("-o") || arguments.flag("--rows")));
            known && spec.expressions.iter().all(knows_expression)
        }
        NodeKind::Aggregate(aggregate) => aggregate.functions.iter().all(|function| {
            let counts_all =
                function.module.name != "count" || function.arguments.words().is_empty();
            counts_all
                && FUNCTIONS.contains(&function.module.name)
                && !function.arguments.flag("-a")
        }),
        NodeKind::Filter(expr) => knows_expression(expr),
        NodeKind::Compute(list) => list.iter().all(|c| knows_expression(&c.expr)),
        NodeKind::Join(join) => {
            let tests = join
                .aliases
                .iter()
                .flat_map(|alias| alias.own.iter().chain(&alias.until));
            tests.chain(&join.condition).all(knows_expression)
        }
        NodeKind::Union | NodeKind::Group(_) => true,
        // Made by rewrites, which the oracle does without.
        NodeKind::Match(_)
        | NodeKind::Branch(_)
        | NodeKind::Columns(_)
        | NodeKind::Tally(_)
        | NodeKind::Table(_)
        | NodeKind::Deal(_) => false,
    })
}

fn knows_filter(module: &Module, arguments: &Arguments) -> bool {
    let is_known = |regex: &str| Regex::new(regex, false).is_some();
    let regex = || {
        arguments
            .words()
            .get(1)
            .is_some_and(|word| is_known(&word.text))
    };
    FILTERS.contains(&module.name) && (module.name != "match" || regex())
}

fn knows_expression(expr: &Expr) -> bool {
    match expr {
        Expr::Passes(call) => knows_filter(call.module, &call.arguments),
        Expr::And(parts) | Expr::Or(parts) | Expr::Call(_, parts, _) => {
            parts.iter().all(knows_expression)
        }
        Expr::Not(inner) | Expr::Holds(inner) | Expr::Truth(inner) | Expr::IsAbsent(inner) => {
            knows_expression(inner)
        }
        Expr::Compare(_, left, right) | Expr::Arithmetic(_, left, right) => {
            knows_expression(left) && knows_expression(right)
        }
        Expr::Case(arms, otherwise) => {
            let mut arms = arms.iter();
            let otherwise = otherwise.as_deref();
            arms.all(|(test, value)| knows_expression(test) && knows_expression(value))
                && otherwise.is_none_or(knows_expression)
        }
        Expr::Field(..)
        | Expr::Literal(..)
        | Expr::Bool(..)
        | Expr::Absent(_)
        | Expr::Exists(..) => true,
    }
}

/// The stage of a node; none for sources.
pub fn stage(plan: &Plan, node: NodeId) -> Option<Box<dyn Stage>> {
    let stage: Box<dyn Stage> = match &plan.graph[node].kind {
        NodeKind::Source(..)
        | NodeKind::Match(_)
        | NodeKind::Branch(_)
        | NodeKind::Columns(_)
        | NodeKind::Tally(_)
        | NodeKind::Table(_)
        | NodeKind::Deal(_) => {
            return None;
        }
        NodeKind::Union => Box::new(Each(|object, _: &Zone| Some(object))),
        NodeKind::Filter(expr) => {
            let expr = expr.clone();
            each(move |object, zone| is_true(&expr, &object, zone).then_some(object))
        }
        NodeKind::Compute(list) => {
            let list = list.clone();
            each(move |object, zone| {
                let columns = attach::compute(&list, &object, zone);
                Some(object.annotated(columns))
            })
        }
        NodeKind::Group(group) => Box::new(Grouping(group.clone())),
        NodeKind::Aggregate(aggregate) => {
            let groups = Box::new(Groups::new(aggregate));
            // It tells the groups around it apart by itself.
            return Some(groups);
        }
        NodeKind::Join(join) => Box::new(Joining::new(join)),
        NodeKind::Operator(module, arguments, spec) => {
            let call = Call {
                module,
                arguments: arguments.clone(),
                expressions: spec.expressions.clone(),
                input: plan.stream(plan.inputs(node)[0]).clone(),
            };
            return Some(of_operator(call, spec));
        }
    };
    Some(stage)
}

fn of_operator(call: Call, spec: &OperatorSpec) -> Box<dyn Stage> {
    match &spec.group {
        None => Box::new(Alone(call.stage())),
        Some(group) => {
            let make: Maker = Box::new(move || call.stage());
            Box::new(Copies::new(group, make))
        }
    }
}

fn each<G: IntoIterator<Item = Rc<Object>>>(
    act: impl Fn(Rc<Object>, &Zone) -> G + 'static,
) -> Box<dyn Stage> {
    Box::new(Each(act))
}

fn length(word: &Word) -> i128 {
    match Literal::new(&word.text).read(Kind::Duration, &Zone::utc()) {
        Some(Value::Duration(nanos)) => nanos.into(),
        other => panic!("{other:?} is no length of time"),
    }
}

/// A call of a module.
#[derive(Clone)]
struct Call {
    module: &'static Module,
    arguments: Arguments,
    expressions: Vec<Expr>,
    /// What is known of the objects that come.
    input: Stream,
}

impl Call {
    fn number(&self, flag: &str) -> Option<usize> {
        let word = self.arguments.value(flag)?;
        Some(word.text.parse().expect("the flag is a number"))
    }

    fn first_number(&self) -> u64 {
        self.arguments.number(0).expect("the argument is a number")
    }

    fn period(&self) -> Option<i128> {
        let word = self.arguments.value("-t")?;
        match Literal::new(&word.text).read(Kind::Duration, &Zone::utc()) {
            Some(Value::Duration(nanos)) => Some(nanos.into()),
            other => panic!("{other:?} is no period"),
        }
    }

    fn path(&self, flag: &str, default: &str) -> FieldPath {
        FieldPath::new(self.text(flag, default))
    }

    fn text<'a>(&'a self, flag: &str, default: &'a str) -> &'a str {
        self.arguments
            .value(flag)
            .map_or(default, |word| &word.text)
    }

    fn double(&self, flag: &str, default: &str) -> f64 {
        let text = self.text(flag, default);
        text.parse().expect("the flag is a number")
    }

    /// How much is kept at most.
    fn most(&self) -> usize {
        self.number("--max").unwrap_or(10_000_000)
    }

    /// For each field that is sorted by, whether it descends and whether what lacks it is last.
    fn orders(&self) -> Vec<(bool, bool)> {
        let fields = self.arguments.fields().len();
        let Some(word) = self.arguments.value("--order") else {
            return vec![(false, false); fields];
        };
        let order = |text: &str| {
            let descends = text.starts_with("desc");
            let (first, last) = (text.ends_with("-first"), text.ends_with("-last"));
            (descends, last || descends && !first)
        };
        word.text.split(':').map(order).collect()
    }

    /// What the call does, as it is before the first object.
    fn stage(&self) -> Box<dyn Stage> {
        let fields = self.arguments.fields();
        match self.module.name {
            "print" => Box::new(Print::new(&self.arguments, &self.input)),
            "uniq" => Box::new(Uniq {
                fields,
                seen: Vec::new(),
            }),
            "head" => Box::new(Head {
                left: self.first_number(),
            }),
            "skip" => Box::new(Skip {
                left: self.first_number(),
            }),
            "sample" => Box::new(Sample {
                every: self.first_number(),
                seen: 0,
            }),
            "uniqobj" => Box::new(Identities {
                times: 1,
                seen: Vec::new(),
            }),
            "countobj" => Box::new(Identities {
                times: self.number("-t").unwrap_or(1),
                seen: Vec::new(),
            }),
            "sort" => Box::new(Sort {
                fields,
                reverse: self.arguments.flag("-r"),
                orders: self.orders(),
                run: self.number("-b"),
                kept: Vec::new(),
            }),
            "tail" => Box::new(Tail {
                count: self.first_number() as usize,
                kept: Vec::new(),
            }),
            "last" => Box::new(Last {
                fields,
                period: self.period(),
                interval: None,
                kept: Vec::new(),
            }),
            "top" => self.top(),
            "delta" | "derivative" => Box::new(Difference {
                name: attach::column(&self.arguments, self.module.name),
                fields,
                before: None,
            }),
            "deskew" => self.deskew(),
            "window" => self.window(),
            "clock" => Box::new(Clock {
                field: fields[0].clone(),
                period: self.period().unwrap_or(1_000_000_000),
                tick: None,
            }),
            "pdf" | "entropy" | "histogram" | "cumdist" => self.shares(),
            "active" | "changes" | "fifodelay" => self.lately(),
            "flowid" => Box::new(FlowId {
                fields,
                reverse: self.arguments.flag("-r"),
                timeout: self.period(),
                most: self.most(),
                count: 0,
                now: None,
                flows: Vec::new(),
            }),
            "flow" => self.flow(),
            "dfa" => {
                let timeout = self.period();
                Box::new(Dfa::new(&self.arguments, &self.expressions, timeout))
            }
            _ => self.stateless(),
        }
    }

    fn shares(&self) -> Box<dyn Stage> {
        let fields = self.arguments.fields();
        match self.module.name {
            "pdf" => Box::new(Pdf {
                name: self.path("-f", "probability"),
                count: self.path("-c", "count"),
                most: self.most(),
                kept: Vec::new(),
            }),
            "entropy" => Box::new(Entropy {
                field: self.path("-f", "probability"),
                shares: Vec::new(),
                last: None,
            }),
            "histogram" => {
                let mut histogram = Histogram::new(fields, self.path("-f", "count"), self.most());
                histogram.width = self.arguments.value("-w").map(literal);
                Box::new(histogram)
            }
            _ => {
                let names = [self.path("-n", "count"), self.path("-f", "cumulative")];
                Box::new(Cumdist::new(fields[0].clone(), names, self.most()))
            }
        }
    }

    fn lately(&self) -> Box<dyn Stage> {
        let fields = self.arguments.fields();
        match self.module.name {
            "active" => Box::new(Active {
                fields,
                name: self.path("-f", "active"),
                period: self.period(),
                now: None,
                most: self.most(),
                seen: Vec::new(),
            }),
            "changes" => Box::new(Changes {
                id: self.path("-i", ""),
                fields,
                name: self.path("-f", "severity"),
                hist: [
                    self.double("--histup", "0"),
                    self.double("--histdown", "0.9995"),
                ],
                histdev: self.double("--histdev", "0.8"),
                threshold: self.double("-t", "-1"),
                base: self.double("--base", "1"),
                attach: self.arguments.flag("-a"),
                most: self.most(),
                usual: Vec::new(),
            }),
            _ => Box::new(FifoDelay {
                lag: self.period().unwrap_or(0),
                times: [self.path("-i", "ts"), self.path("-o", "ts")],
                most: self.most(),
                edge: None,
                waiting: Vec::new(),
            }),
        }
    }

    fn flow(&self) -> Box<dyn Stage> {
        let time = |(flag, seconds)| {
            let given = self.arguments.value(flag).map(length);
            given.unwrap_or(i128::from(seconds) * 1_000_000_000)
        };
        let times = [("-i", 60), ("-l", 5), ("-a", 1800)].map(time);
        let mut fields = self.arguments.fields();
        if fields.is_empty() {
            let usual = ["srcip", "srcport", "dstip", "dstport", "ipprotocol"];
            fields = usual.map(FieldPath::new).into();
        }
        let most = self.number("--max").unwrap_or(4_000_000);
        Box::new(Connections::new(
            fields,
            times,
            self.path("-b", "len"),
            most,
        ))
    }

    fn window(&self) -> Box<dyn Stage> {
        let flag = |name: &str| self.arguments.value(name).map(length);
        let step = length(&self.arguments.words()[0]);
        let field = self.arguments.value("--by").map_or("ts", |word| &word.text);
        Box::new(Window {
            field: FieldPath::new(field),
            step,
            length: flag("--of").unwrap_or(step),
            late: flag("--late"),
            latest: None,
            suspects: Vec::new(),
            open: Vec::new(),
        })
    }

    fn top(&self) -> Box<dyn Stage> {
        let mut fields: Vec<FieldPath> = Vec::new();
        for field in self.arguments.fields() {
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        let limit = self.number("-n").unwrap_or(10);
        Box::new(Top {
            fields,
            limit,
            counts: Vec::new(),
        })
    }

    fn deskew(&self) -> Box<dyn Stage> {
        let field = self.arguments.fields().remove(0);
        let second = self
            .arguments
            .value("-s")
            .map(|word| FieldPath::new(&word.text));
        Box::new(Deskew {
            kind: self.input.kind(&field).unwrap_or(Kind::Dynamic),
            field,
            second,
            bounds: ["-b", "-e"].map(|flag| self.arguments.value(flag).map(literal)),
            good: Value::Absent,
        })
    }

    fn stateless(&self) -> Box<dyn Stage> {
        let call = self.clone();
        let fields = self.arguments.fields();
        match self.module.name {
            "project" => each(move |object, zone| Some(attach::project(&fields, &object, zone))),
            "streamalias" => each(move |object, _| Some(attach::streamalias(&fields[0], object))),
            "take" => each(move |object, zone| attach::take(&fields[0], &object, zone)),
            "iplookup" if self.arguments.flag("-f") => {
                each(move |object, zone| call.attach(object, zone))
            }
            name if FILTERS.contains(&name) => each(move |object, zone| {
                let passes = filter::passes(call.module, &call.arguments, &object, zone);
                let times = filter::times(call.module, &call.arguments, &object, zone);
                std::iter::repeat_n(object, if passes { times } else { 0 })
            }),
            _ => each(move |object, zone| call.attach(object, zone)),
        }
    }

    fn attach(&self, object: Rc<Object>, zone: &Zone) -> Option<Rc<Object>> {
        let (name, arguments) = (self.module.name, &self.arguments);
        let columns = attach::attach(name, arguments, &self.expressions, &object, zone)?;
        Some(object.annotated(columns))
    }
}
