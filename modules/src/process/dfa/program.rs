//! What a machine does, as far as it follows from its text: transitions with their predicates in
//! parts, and the fields that these read.

use super::graph::{Graph, Next, START};
use wireq_engine::StateClass;
use wireq_engine::plan::expr::Expr;
use wireq_engine::plan::stream::below_object;
use wireq_typesys::FieldPath;

/// What stands before the fields of the object that moved a machine last.
pub(super) const PREVIOUS: &str = "previous";

/// One transition.
#[derive(Debug)]
pub(super) struct Transition {
    pub(super) from: usize,
    pub(super) next: Next,
    /// What an object has to fulfil by itself.
    pub(super) own: Vec<Expr>,
    /// What it has to fulfil beside the objects that moved the machine before.
    pub(super) beside: Vec<Expr>,
}

#[derive(Debug)]
pub(super) struct Program {
    pub(super) transitions: Vec<Transition>,
    /// The number of states, START included.
    pub(super) states: usize,
    /// The fields that predicates read, of objects that come or came before.
    pub(super) fields: Vec<FieldPath>,
    /// Those of objects that came before, by their numbers.
    pub(super) kept: Vec<usize>,
    /// How far back predicates look.
    pub(super) depth: usize,
}

/// The field that a path names, and of how many objects ago; 0 is the one that comes. The field is
/// empty where the path is the object.
pub(super) fn place(path: &FieldPath) -> (usize, FieldPath) {
    let previous = FieldPath::new(PREVIOUS);
    if *path == previous {
        return (1, FieldPath::new(""));
    }
    match below_object(path.as_str(), &previous, true) {
        Some((rest, depth)) => (depth, FieldPath::new(rest)),
        None => (0, path.clone()),
    }
}

impl Program {
    pub(super) fn new(graph: &Graph, predicates: Vec<Expr>) -> Program {
        let mut program = Program {
            transitions: Vec::with_capacity(predicates.len()),
            states: graph.states,
            fields: Vec::new(),
            kept: Vec::new(),
            depth: 0,
        };
        for (predicate, (from, next)) in predicates.into_iter().zip(&graph.moves) {
            program.add_fields(&predicate, *from);
            let tests = predicate.conjuncts();
            // Behind START there is no object yet: what is said of it is absent.
            let is_own = |test: &Expr| *from == START || depth_of(test) == 0;
            let (own, beside) = tests.into_iter().partition(is_own);
            program.transitions.push(Transition {
                from: *from,
                next: *next,
                own,
                beside,
            });
        }
        program
    }

    fn add_fields(&mut self, predicate: &Expr, from: usize) {
        for path in predicate.fields() {
            let (depth, field) = place(&path);
            if from != START {
                self.depth = self.depth.max(depth);
            }
            if field.as_str().is_empty() {
                continue;
            }
            let known = self.fields.iter().position(|known| *known == field);
            let at = known.unwrap_or_else(|| {
                self.fields.push(field);
                self.fields.len() - 1
            });
            if depth > 0 && from != START && !self.kept.contains(&at) {
                self.kept.push(at);
            }
        }
    }

    /// How a state of this program may be divided. Time and bounds are left out.
    pub(super) fn class(&self) -> StateClass {
        let mut later = self.transitions.iter().filter(|t| t.from != START);
        let Some(first) = later.next() else {
            return StateClass::Stateless;
        };
        let mut common = keys(first);
        for transition in later {
            let keys = keys(transition);
            common.retain(|key| keys.contains(key));
        }
        match common.is_empty() {
            true => StateClass::Serial,
            false => StateClass::Keyed,
        }
    }
}

/// How far back a test looks.
fn depth_of(test: &Expr) -> usize {
    let depths = test.fields();
    depths.iter().map(|path| place(path).0).max().unwrap_or(0)
}

/// The fields in which an object has to be equal to the one before it.
fn keys(transition: &Transition) -> Vec<FieldPath> {
    let key = |test: &Expr| {
        let (left, right) = test.equal_fields()?;
        let (left, right) = (place(left), place(right));
        let depths = left.0 + right.0 == 1;
        (depths && left.1 == right.1).then_some(left.1)
    };
    transition.beside.iter().filter_map(key).collect()
}
