//! The oracle: what a plan means, said as plainly as possible.
//!
//! It interprets the plan as it was lowered, one **cause** after the other. A cause is a row of a
//! source, or the end of all input. For each cause the leaves of the plan ask for objects until
//! there are none; a node that is asked asks its inputs. So a row is taken only where somebody
//! wants it, and what `Done` means follows: `head` stops asking, a `print` before it then sees
//! nothing more.
//!
//! Nothing here is shared with the way the engine runs a plan.
//!
//! | file | what |
//! |---|---|
//! | `capture`, `packet`, `table` | what is in files |
//! | `object` | objects, their fields, what makes them the ones that they are |
//! | `expression`, `arithmetic`, `call` | values and tests of one object |
//! | `stage`, `make` | what a stage is, and the stage of each node |
//! | `filter`, `regex`, `attach`, `keeps`, `ends`, `follows`, `lately`, `shares`, `flows`, `connections`, `dfa`, `print` | modules |
//! | `aggregate`, `total`, `spread` | groups and functions over them |
//! | `copies` | a copy of a stage for each group |
//! | `join` | joins |

mod aggregate;
mod arithmetic;
mod attach;
mod call;
pub mod capture;
mod connections;
mod copies;
mod dfa;
mod ends;
mod expression;
mod filter;
mod flows;
mod follows;
mod join;
mod keeps;
mod lately;
mod make;
pub mod object;
mod packet;
mod print;
mod regex;
mod shares;
mod spread;
mod stage;
mod table;
mod total;

pub use make::knows;
use object::Object;
use stage::{Effects, Item, Stage};
use std::collections::VecDeque;
use std::rc::Rc;
use wireq_engine::plan::{NodeKind, Plan};
use wireq_typesys::Zone;

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
    /// How often a stage had all it wanted.
    pub dones: usize,
    /// How many controls stages sent.
    pub closes: usize,
}

/// Interprets a plan.
pub fn run(plan: &Plan, zone: &Zone) -> Results {
    let mut interpreter = Interpreter::new(plan, zone);
    for (source, object) in sources(plan, zone) {
        interpreter.cause(Some((source, Rc::new(object))));
    }
    interpreter.cause(None);
    let done = |node: &&Node| node.stage.as_ref().is_some_and(|stage| !stage.wants_more());
    interpreter.results.dones = interpreter.nodes.iter().filter(done).count();
    interpreter.results
}

/// All rows of all sources, one source after the other, each with the rank of its node.
fn sources<'a>(plan: &'a Plan, zone: &'a Zone) -> impl Iterator<Item = (usize, Object)> + 'a {
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
        let record_type = &spec.record_type;
        let objects: Vec<Object> = if module.name == "tabularinput" {
            table::read(arguments, &**record_type, zone)
        } else {
            assert_eq!(module.name, "pcapfile", "a source that the oracle knows");
            let paths = arguments.words().iter().map(|word| word.text.as_str());
            let frames = paths.flat_map(capture::read);
            let packet = |frame| Object::Packet(frame, record_type.clone());
            frames.map(packet).collect()
        };
        objects.into_iter().map(move |object| (rank, object))
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
    /// None for sources.
    stage: Option<Box<dyn Stage>>,
    statement: usize,
    /// The rank of the node at each port.
    inputs: Vec<usize>,
    /// How many items were taken at each port, for the present cause.
    taken: Vec<usize>,
    /// What the stage gave that nobody has asked for yet.
    waiting: VecDeque<Item>,
    /// What the node gave, for the present cause.
    given: Vec<Item>,
    /// Whether it gives nothing more for the present cause.
    exhausted: bool,
    /// Whether it had its end.
    finished: bool,
}

impl<'a> Interpreter<'a> {
    fn new(plan: &Plan, zone: &'a Zone) -> Interpreter<'a> {
        let order = plan.order();
        let rank = |node| order.iter().position(|known| *known == node);
        let make = |node: &_| {
            let inputs = plan.inputs(*node);
            Node {
                stage: make::stage(plan, *node),
                statement: plan.graph[*node].statement,
                taken: vec![0; inputs.len()],
                inputs: inputs.into_iter().filter_map(rank).collect(),
                waiting: VecDeque::new(),
                given: Vec::new(),
                exhausted: false,
                finished: false,
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
            // What nobody wanted of a cause is not there for the next one.
            node.waiting.clear();
            node.taken.fill(0);
            node.exhausted = false;
        }
        if let Some((source, object)) = row {
            self.nodes[source].given.push(Item::Row(object));
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

    /// Item number `at` of those that a node gives for the present cause.
    fn give(&mut self, node: usize, at: usize) -> Option<Item> {
        while self.nodes[node].given.len() <= at && !self.nodes[node].exhausted {
            match self.work(node) {
                Some(item) => self.nodes[node].given.push(item),
                None => self.nodes[node].exhausted = true,
            }
        }
        self.nodes[node].given.get(at).cloned()
    }

    /// The next item that comes in, and the port: all of the first port, then all of the next.
    fn take(&mut self, node: usize) -> Option<(usize, Item)> {
        (0..self.nodes[node].inputs.len()).find_map(|port| {
            let item = self.give(self.nodes[node].inputs[port], self.nodes[node].taken[port])?;
            self.nodes[node].taken[port] += 1;
            Some((port, item))
        })
    }

    /// The next item that a node gives.
    fn work(&mut self, node: usize) -> Option<Item> {
        loop {
            if let Some(item) = self.nodes[node].waiting.pop_front() {
                return Some(item);
            }
            if !self.nodes[node].stage.as_ref()?.wants_more() {
                return None;
            }
            let taken = self.take(node);
            let Node {
                stage, finished, ..
            } = &mut self.nodes[node];
            let stage = stage.as_mut()?;
            let mut effects = Effects::new(self.zone);
            match taken {
                Some((port, Item::Row(object))) => stage.take(port, object, &mut effects),
                Some((_, Item::Close(close))) => stage.close(&close, &mut effects),
                None if self.at_end && !*finished => {
                    *finished = true;
                    stage.finish(&mut effects);
                }
                None => return None,
            }
            self.have(node, effects);
        }
    }

    /// Lets what a stage did have its place.
    fn have(&mut self, node: usize, effects: Effects<'_>) {
        let statement = self.nodes[node].statement;
        let writes = effects.texts.into_iter().map(|(file, bytes)| Write {
            statement,
            file,
            bytes,
            rank: node,
        });
        self.writes.extend(writes);
        let closes = effects
            .given
            .iter()
            .filter(|item| matches!(item, Item::Close(_)));
        self.results.closes += closes.count();
        self.nodes[node].waiting.extend(effects.given);
    }
}
