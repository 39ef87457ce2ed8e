//! The states of a machine: which there are, and that each can be reached and can reach STOP.

use super::NAME;
use super::text::Line;
use std::collections::HashMap;
use wireq_engine::arguments::ArgumentError;

/// The number of START.
pub(super) const START: usize = 0;

/// Where a transition leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To the state of this number.
    State(usize),
    /// To the end: the object is given.
    Stop,
    /// To nothing: the machine is given up.
    Start,
}

/// The transitions without their predicates.
#[derive(Debug)]
pub(super) struct Graph {
    /// For each line, the state that it leads from and where to.
    pub(super) moves: Vec<(usize, Next)>,
    /// The number of states, START included.
    pub(super) states: usize,
}

impl Graph {
    pub(super) fn new(lines: &[Line]) -> Result<Graph, ArgumentError> {
        let numbers = number_states(lines)?;
        let mut moves = Vec::with_capacity(lines.len());
        for line in lines {
            let next = match line.next.as_str() {
                "STOP" => Next::Stop,
                "START" => Next::Start,
                name => Next::State(*numbers.get(name).ok_or_else(|| unknown(line))?),
            };
            moves.push((numbers[line.state.as_str()], next));
        }
        let graph = Graph {
            moves,
            states: numbers.len(),
        };
        graph.check(lines)?;
        Ok(graph)
    }

    /// Checks that every state has a meaning: some way leads to it, and one from it to STOP.
    fn check(&self, lines: &[Line]) -> Result<(), ArgumentError> {
        if !self.moves.iter().any(|(_, next)| *next == Next::Stop) {
            return Err(missing("STOP", "no transition leads there"));
        }
        let state = |next: Next| match next {
            Next::State(state) => Some(state),
            Next::Stop => Some(self.states),
            Next::Start => None,
        };
        let forward = self
            .moves
            .iter()
            .filter_map(|(from, next)| Some((*from, state(*next)?)));
        let edges: Vec<(usize, usize)> = forward.collect();
        let reached = reachable(&edges, START, self.states + 1);
        let turned: Vec<(usize, usize)> = edges.iter().map(|(from, to)| (*to, *from)).collect();
        let ending = reachable(&turned, self.states, self.states + 1);
        for (line, (from, _)) in lines.iter().zip(&self.moves) {
            if !reached[*from] {
                let message = format!("leads from `{}`, which cannot be reached", line.state);
                return Err(line.fault(
                    message,
                    Some("let a transition lead there, or leave it out"),
                ));
            }
            if !ending[*from] {
                let message = format!(
                    "leads from `{}`, from where no way leads to STOP",
                    line.state
                );
                return Err(line.fault(message, Some("a machine there could never give anything")));
            }
        }
        Ok(())
    }
}

/// Numbers for the states that transitions lead from, in the order of the text.
fn number_states(lines: &[Line]) -> Result<HashMap<&str, usize>, ArgumentError> {
    let mut numbers = HashMap::from([("START", START)]);
    for line in lines {
        if line.state == "STOP" {
            return Err(line.fault("leads from STOP, where machines end", None));
        }
        if line.state == "START" && line.next == "START" {
            let help = "objects that no other transition takes are left alone anyway";
            return Err(line.fault("leads from START to START", Some(help)));
        }
        let number = numbers.len();
        numbers.entry(&line.state).or_insert(number);
    }
    match lines.iter().any(|line| line.state == "START") {
        true => Ok(numbers),
        false => Err(missing("START", "no transition leads from there")),
    }
}

fn unknown(line: &Line) -> ArgumentError {
    let message = format!("leads to `{}`, from where no transition leads", line.next);
    line.fault(
        message,
        Some("machines end in STOP; give the state a line of its own"),
    )
}

fn missing(state: &str, message: &str) -> ArgumentError {
    ArgumentError {
        module: NAME.into(),
        argument: state.into(),
        message: format!("is missing: {message}"),
        help: Some("a machine begins in START and ends in STOP".into()),
        span: None,
    }
}

/// The nodes that edges lead to from `first`, itself included.
fn reachable(edges: &[(usize, usize)], first: usize, count: usize) -> Vec<bool> {
    let mut targets = vec![Vec::new(); count];
    for (from, to) in edges {
        targets[*from].push(*to);
    }
    let mut reached = vec![false; count];
    reached[first] = true;
    let mut left = vec![first];
    while let Some(node) = left.pop() {
        for target in &targets[node] {
            if !std::mem::replace(&mut reached[*target], true) {
                left.push(*target);
            }
        }
    }
    reached
}
