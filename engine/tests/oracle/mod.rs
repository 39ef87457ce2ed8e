//! The oracle: what a plan means, said as plainly as possible.
//!
//! It interprets the plan as it was lowered, one **cause** after the other. A cause is a row of a
//! source, or the end of all input. For each cause the leaves of the plan ask for objects until
//! there are none; a node that is asked asks its inputs. So a row is taken only where somebody
//! wants it, and what `Done` means follows: `head` stops asking, a `print` before it then sees
//! nothing more.
//!
//! Nothing here is shared with the way the engine runs a plan.

mod aggregate;
pub mod capture;
mod expression;
mod filter;
pub mod object;
mod packet;
mod print;

use aggregate::{Groups, order_of_tuples};
use filter::FILTERS;
use object::Object;
use print::Print;
use std::collections::VecDeque;
use std::rc::Rc;
use wireq_engine::Module;
use wireq_engine::arguments::Arguments;
use wireq_engine::plan::expr::Expr;
use wireq_engine::plan::{NodeKind, Plan};
use wireq_typesys::{FieldPath, Value, Zone};

/// One piece of text that a statement writes.
#[derive(Clone, Debug)]
pub struct Write {
    /// The number of the statement.
    pub statement: usize,
    /// The file it goes to, where that is not the output of the statement.
    pub file: Option<String>,
    /// The text.
    pub bytes: Vec<u8>,
    /// The node, by its rank in the plan.
    rank: usize,
}

/// What a plan does.
#[derive(Debug, Default)]
pub struct Results {
    /// All text, in the order in which it stands where all of it goes to one place.
    pub writes: Vec<Write>,
    /// How often a `head` had all it wanted.
    pub dones: usize,
}

/// The modules that the oracle interprets.
const MODULES: [&str; 5] = ["pcapfile", "uniq", "head", "project", "print"];
/// The aggregate functions that it interprets.
const FUNCTIONS: [&str; 4] = ["count", "sum", "min", "max"];

/// Whether the oracle knows all that a plan consists of.
pub fn knows(plan: &Plan) -> bool {
    let knows_module = |name| MODULES.contains(&name) || FILTERS.contains(&name);
    plan.graph.node_weights().all(|node| match &node.kind {
        NodeKind::Operator(_, _, spec) if spec.group.is_some() => false,
        // It prints text alone.
        NodeKind::Operator(module, arguments, _) if module.name == "print" => !arguments.flag("-o"),
        NodeKind::Source(module, ..) | NodeKind::Operator(module, ..) => knows_module(module.name),
        NodeKind::Aggregate(aggregate) if aggregate.group.is_some() || aggregate.all => false,
        NodeKind::Aggregate(aggregate) => {
            let mut names = aggregate
                .functions
                .iter()
                .map(|function| function.module.name);
            names.all(|name| FUNCTIONS.contains(&name))
        }
        NodeKind::Filter(expr) => knows_expression(expr),
        NodeKind::Union => true,
        NodeKind::Compute(_) | NodeKind::Group(_) | NodeKind::Join(_) => false,
    })
}

fn knows_expression(expr: &Expr) -> bool {
    match expr {
        Expr::Passes(call) => FILTERS.contains(&call.module.name),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().all(knows_expression),
        Expr::Not(inner) | Expr::Holds(inner) => knows_expression(inner),
        Expr::Compare(_, left, right) => [left, right].iter().all(|side| knows_value(side)),
        Expr::Exists(..) => true,
        _ => false,
    }
}

fn knows_value(expr: &Expr) -> bool {
    match expr {
        Expr::Field(..) | Expr::Literal(..) => true,
        Expr::Arithmetic(_, left, right) => [left, right].iter().all(|side| knows_value(side)),
        _ => false,
    }
}

/// Interprets a plan.
pub fn run(plan: &Plan, zone: &Zone) -> Results {
    let mut interpreter = Interpreter::new(plan, zone);
    for (source, object) in sources(plan) {
        interpreter.cause(Some((source, Rc::new(object))));
    }
    interpreter.cause(None);
    let full = |node: &&Node| matches!(node.work, Work::OneByOne(OneByOne::Head { left: 0 }));
    interpreter.results.dones = interpreter.nodes.iter().filter(full).count();
    interpreter.results
}

/// All rows of all sources, one source after the other, each with the rank of its node.
fn sources(plan: &Plan) -> impl Iterator<Item = (usize, Object)> + '_ {
    let order = plan.order();
    let sources: Vec<_> = order
        .iter()
        .enumerate()
        .filter(|(_, node)| plan.inputs(**node).is_empty())
        .map(|(rank, node)| (*node, rank))
        .collect();
    sources.into_iter().flat_map(|(node, rank)| {
        let NodeKind::Source(module, arguments, spec) = &plan.graph[node].kind else {
            panic!("{} has no input", plan.graph[node].kind);
        };
        assert_eq!(module.name, "pcapfile", "the source that the oracle knows");
        let paths = arguments.words().iter().map(|word| word.text.as_str());
        let frames = paths.flat_map(capture::read);
        frames.map(move |frame| (rank, Object::Packet(frame, spec.record_type.clone())))
    })
}

struct Interpreter<'a> {
    /// In the order of the plan: a node stands behind its inputs.
    nodes: Vec<Node>,
    leaves: Vec<usize>,
    zone: &'a Zone,
    at_end: bool,
    /// What is written for the present cause.
    writes: Vec<Write>,
    results: Results,
}

struct Node {
    work: Work,
    statement: usize,
    /// The rank of the node at each port.
    inputs: Vec<usize>,
    /// How many objects were taken at each port, for the present cause.
    taken: Vec<usize>,
    /// What the node gave, for the present cause.
    given: Vec<Rc<Object>>,
    /// Whether it gives nothing more for the present cause.
    exhausted: bool,
}

enum Work {
    Source,
    /// All of the first port, then all of the next.
    Union,
    OneByOne(OneByOne),
    /// The groups, and what they gave at the end.
    Aggregate(Groups, VecDeque<Rc<Object>>),
}

/// Takes one object and gives one or none.
enum OneByOne {
    Filter(Expr),
    FilterModule(&'static Module, Arguments),
    Uniq {
        fields: Vec<FieldPath>,
        seen: Vec<Vec<Value>>,
    },
    Head {
        left: u64,
    },
    Project(Vec<FieldPath>),
    Print(Print),
}

impl<'a> Interpreter<'a> {
    fn new(plan: &Plan, zone: &'a Zone) -> Interpreter<'a> {
        let order = plan.order();
        let rank = |node| order.iter().position(|known| *known == node);
        let make = |node: &_| {
            let inputs = plan.inputs(*node);
            Node {
                work: Work::new(plan, *node),
                statement: plan.graph[*node].statement,
                taken: vec![0; inputs.len()],
                inputs: inputs.into_iter().filter_map(rank).collect(),
                given: Vec::new(),
                exhausted: false,
            }
        };
        Interpreter {
            nodes: order.iter().map(make).collect(),
            leaves: (0..order.len())
                .filter(|rank| plan.outputs(order[*rank]).is_empty())
                .collect(),
            zone,
            at_end: false,
            writes: Vec::new(),
            results: Results::default(),
        }
    }

    /// Lets a row of a source, or the end, have all its effects.
    fn cause(&mut self, row: Option<(usize, Rc<Object>)>) {
        self.at_end = row.is_none();
        for node in &mut self.nodes {
            node.given.clear();
            node.taken.fill(0);
            node.exhausted = false;
        }
        if let Some((source, object)) = row {
            self.nodes[source].given.push(object);
        }
        for leaf in self.leaves.clone() {
            let mut at = 0;
            while self.give(leaf, at).is_some() {
                at += 1;
            }
        }
        self.writes
            .sort_by_key(|write| (write.statement, write.rank));
        self.results.writes.append(&mut self.writes);
    }

    /// Object number `at` of those that a node gives for the present cause.
    fn give(&mut self, node: usize, at: usize) -> Option<Rc<Object>> {
        while self.nodes[node].given.len() <= at && !self.nodes[node].exhausted {
            match self.work(node) {
                Some(object) => self.nodes[node].given.push(object),
                None => self.nodes[node].exhausted = true,
            }
        }
        self.nodes[node].given.get(at).cloned()
    }

    /// The next object that comes in at a port.
    fn take(&mut self, node: usize, port: usize) -> Option<Rc<Object>> {
        let object = self.give(self.nodes[node].inputs[port], self.nodes[node].taken[port])?;
        self.nodes[node].taken[port] += 1;
        Some(object)
    }

    /// The next object that a node gives.
    fn work(&mut self, node: usize) -> Option<Rc<Object>> {
        match &self.nodes[node].work {
            Work::Source => None,
            Work::Union => (0..self.nodes[node].inputs.len()).find_map(|p| self.take(node, p)),
            Work::OneByOne(_) => self.work_one_by_one(node),
            Work::Aggregate(..) => self.work_aggregate(node),
        }
    }

    fn work_one_by_one(&mut self, node: usize) -> Option<Rc<Object>> {
        loop {
            if let Work::OneByOne(OneByOne::Head { left: 0 }) = self.nodes[node].work {
                return None;
            }
            let object = self.take(node, 0)?;
            let Node {
                work, statement, ..
            } = &mut self.nodes[node];
            let Work::OneByOne(work) = work else {
                unreachable!("this node works one by one")
            };
            if let OneByOne::Print(print) = work {
                self.writes
                    .extend(print.text(&object, self.zone).map(|bytes| Write {
                        statement: *statement,
                        file: print.file.clone(),
                        bytes,
                        rank: node,
                    }));
            }
            if let Some(given) = work.take(object, self.zone) {
                return Some(given);
            }
        }
    }

    fn work_aggregate(&mut self, node: usize) -> Option<Rc<Object>> {
        while let Some(object) = self.take(node, 0) {
            if let Work::Aggregate(groups, _) = &mut self.nodes[node].work {
                groups.take(&object, self.zone);
            }
        }
        match &mut self.nodes[node].work {
            Work::Aggregate(groups, results) if self.at_end => {
                results.extend(groups.finish());
                results.pop_front()
            }
            _ => None,
        }
    }
}

impl Work {
    fn new(plan: &Plan, node: wireq_engine::plan::NodeId) -> Work {
        match &plan.graph[node].kind {
            NodeKind::Source(..) => Work::Source,
            NodeKind::Union => Work::Union,
            NodeKind::Filter(expr) => Work::OneByOne(OneByOne::Filter(expr.clone())),
            NodeKind::Aggregate(aggregate) => {
                Work::Aggregate(Groups::new(aggregate), VecDeque::new())
            }
            NodeKind::Operator(module, arguments, _) => {
                let input = plan.stream(plan.inputs(node)[0]);
                Work::OneByOne(match module.name {
                    "print" => OneByOne::Print(Print::new(arguments, input)),
                    name if FILTERS.contains(&name) => {
                        OneByOne::FilterModule(module, arguments.clone())
                    }
                    name => OneByOne::of_module(name, arguments),
                })
            }
            other => panic!("the oracle does not know {other}"),
        }
    }
}

impl OneByOne {
    fn of_module(name: &str, arguments: &Arguments) -> OneByOne {
        match name {
            "uniq" => OneByOne::Uniq {
                fields: arguments.fields(),
                seen: Vec::new(),
            },
            "head" => OneByOne::Head {
                left: arguments.number(0).expect("the number of objects is given"),
            },
            "project" => OneByOne::Project(arguments.fields()),
            _ => panic!("the oracle does not know the module {name}"),
        }
    }

    /// What is given for an object that is taken.
    fn take(&mut self, object: Rc<Object>, zone: &Zone) -> Option<Rc<Object>> {
        match self {
            OneByOne::Filter(expr) => {
                (expression::truth(expr, &object, zone) == Some(true)).then_some(object)
            }
            OneByOne::FilterModule(module, arguments) => {
                filter::passes(module, arguments, &object, zone).then_some(object)
            }
            OneByOne::Uniq { fields, seen } => {
                let tuple: Vec<Value> = fields.iter().map(|path| object.get(path, zone)).collect();
                let known = seen
                    .iter()
                    .any(|other| order_of_tuples(other, &tuple).is_eq());
                seen.push(tuple);
                (!known).then_some(object)
            }
            OneByOne::Head { left } => {
                *left -= 1;
                Some(object)
            }
            OneByOne::Project(fields) => {
                let pairs = fields
                    .iter()
                    .map(|path| (path.clone(), object.get(path, zone)));
                Some(Rc::new(Object::Made(pairs.collect())))
            }
            OneByOne::Print(_) => Some(object),
        }
    }
}
