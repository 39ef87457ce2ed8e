//! What is no longer wanted: Done travels upstream.
//!
//! When an operator is done, all that stands before the last row it took, in the one sequence of
//! rows and ports, has happened, and nothing behind it has: batches do not show. So what a node
//! upstream took is its rows before that point, those included that it took out itself; its side
//! effect acts on these, and its source counts the others as cut.

use super::merge::{Run, sequence};
use super::run::{RunNode, Runner};
use crate::{Gives, Operator};
use std::collections::BinaryHeap;
use std::sync::Arc;
use wireq_typesys::{Part, PartData, Position};

/// The rows that a node took at one port in the step that made it done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// How many rows of the step.
    pub(super) rows: usize,
    /// Where in the sequence the node was done.
    pub(super) point: Point,
}

/// A place in the sequence of rows. Ordered: a later point takes more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    position: Position,
    reach: Reach,
}

/// What was taken of the rows that stand at a point's position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// None: the point was reached on an earlier port.
    None,
    /// Those up to the last row taken, which is one of them.
    Through,
    /// All: the point was reached on a later port.
    All,
}

impl Taken {
    /// Nothing at all.
    pub(super) const NOTHING: Taken = Taken {
        rows: 0,
        point: Point {
            position: Position::START,
            reach: Reach::None,
        },
    };

    /// Whatever there was.
    pub(super) const EVERYTHING: Taken = Taken {
        rows: usize::MAX,
        point: Point {
            position: Position::END,
            reach: Reach::All,
        },
    };
}

/// What a node took at each of its ports, where it was done at a row of `port`: `rows` are
/// those of the sequence up to that row.
pub(super) fn taken_at(port: usize, position: Position, rows: &[usize]) -> Vec<Taken> {
    let taken = |(at, rows): (usize, &usize)| {
        let reach = match at.cmp(&port) {
            std::cmp::Ordering::Less => Reach::All,
            std::cmp::Ordering::Equal => Reach::Through,
            std::cmp::Ordering::Greater => Reach::None,
        };
        Taken {
            rows: *rows,
            point: Point { position, reach },
        }
    };
    rows.iter().enumerate().map(taken).collect()
}

/// The position of row number `count` (from 1) of parts; of the first one for 0.
pub(super) fn position_of(parts: &[&Part], count: usize) -> Position {
    let rows = parts
        .iter()
        .flat_map(|part| part.selection.iter().map(|row| part.data.position(row)));
    rows.take(count.max(1)).last().unwrap_or(Position::START)
}

impl Runner {
    /// A node takes no more rows. What nobody else reads is done too.
    pub(super) fn finish_node(&mut self, rank: usize, taken: Vec<Taken>) {
        self.nodes[rank].done = true;
        self.nodes[rank].taken = Some(taken);
        // Highest rank first: what the readers took is settled before what they read from. No
        // recursion, since pipelines may be longer than the stack is deep.
        let mut inputs: BinaryHeap<usize> = self.nodes[rank].inputs.iter().copied().collect();
        while let Some(input) = inputs.pop() {
            let node = &self.nodes[input];
            let done_before = node.done && node.taken.is_none();
            if done_before || !node.readers.iter().all(|reader| self.nodes[*reader].done) {
                continue;
            }
            let wanted = self.wanted_of(input);
            if node.operator.is_none() {
                self.stop_source(input, wanted);
                continue;
            }
            let mut taken = self.taken_for(input, wanted);
            if let Some(known) = &node.taken {
                // It had ended by itself, and a reader took less than it gave.
                let least = |(new, old): (&mut Taken, &Taken)| {
                    if old.rows < new.rows {
                        *new = *old;
                    }
                };
                taken.iter_mut().zip(known).for_each(least);
                if taken == *known {
                    continue;
                }
            }
            self.nodes[input].done = true;
            self.nodes[input].taken = Some(taken);
            inputs.extend(&self.nodes[input].inputs);
        }
    }

    /// What was taken of the rows that a node gave in this step, by any of its readers.
    fn wanted_of(&self, rank: usize) -> Taken {
        let taken_by = |reader: &usize| {
            let reader = &self.nodes[*reader];
            let ports = reader.inputs.iter().zip(reader.taken.iter().flatten());
            ports
                .filter(|(input, _)| **input == rank)
                .map(|(_, taken)| *taken)
                .max_by_key(|taken| taken.point)
        };
        let all = self.nodes[rank].readers.iter().filter_map(taken_by);
        let most = all.clone().map(|taken| taken.rows).max().unwrap_or(0);
        let furthest = all
            .max_by_key(|taken| taken.point)
            .unwrap_or(Taken::NOTHING);
        Taken {
            rows: most,
            ..furthest
        }
    }

    fn stop_source(&mut self, rank: usize, wanted: Taken) {
        let source = &mut self.nodes[rank];
        let before = match &source.taken {
            Some(taken) => taken[0].rows,
            None => source.out.rows().map(Part::count).sum(),
        };
        let is_taken = |position: Position| match position.cmp(&wanted.point.position) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => wanted.point.reach != Reach::None,
            std::cmp::Ordering::Greater => false,
        };
        let rows = source
            .out
            .rows()
            .flat_map(|part| part.selection.iter().map(|row| part.data.position(row)));
        let taken = rows
            .filter(|position| is_taken(*position))
            .count()
            .min(before);
        let cut = (before - taken) as u64;
        source.out.account.passed -= cut;
        source.out.account.cut += cut;
        source.done = true;
        source.taken = Some(vec![Taken {
            rows: taken,
            ..wanted
        }]);
    }

    /// What a node took at each port, where `wanted` was taken of what it gave.
    fn taken_for(&self, rank: usize, wanted: Taken) -> Vec<Taken> {
        let node = &self.nodes[rank];
        let mut walk = Walk::new(node, wanted);
        let inputs = node
            .inputs
            .iter()
            .map(|input| self.nodes[*input].out.items.as_slice());
        // No step is taken here, so nothing can fail.
        let _ = sequence(inputs, &mut |run| {
            if let Run::Rows(port, parts) = run {
                let rows = parts
                    .iter()
                    .flat_map(|part| part.selection.iter().map(move |row| (part, row)));
                rows.for_each(|(part, row)| walk.row(port, part, row));
            }
            Ok(())
        });
        walk.taken()
    }
}

/// A walk over the rows that came to a node, to find those before the point where it was done.
struct Walk {
    wanted: Taken,
    /// The rows that the node gave and that were taken, in order: they are found again among its
    /// input's. None where the node makes up rows of its own.
    given: Option<std::vec::IntoIter<(*const PartData, usize)>>,
    next: Option<(*const PartData, usize)>,
    /// Whether the node makes up one row for each that comes.
    row_for_row: bool,
    /// Whether the node gives what it kept once it took all there was.
    gives_last: bool,
    seen: Vec<usize>,
    taken: Vec<usize>,
    /// The port of the last row taken, once it was met.
    last_port: Option<usize>,
}

impl Walk {
    fn new(node: &RunNode, wanted: Taken) -> Walk {
        let same_rows = node.gives.passes_rows();
        let mut given = same_rows.then(|| {
            let rows = node.out.rows().flat_map(|part| {
                part.selection
                    .iter()
                    .map(|row| (Arc::as_ptr(&part.data), row))
            });
            rows.take(wanted.rows).collect::<Vec<_>>().into_iter()
        });
        let next = given.as_mut().and_then(Iterator::next);
        let ports = node.inputs.len();
        Walk {
            wanted,
            given,
            next,
            row_for_row: node.gives == Gives::Projected,
            gives_last: matches!(node.gives, Gives::Retained(_) | Gives::Made(_))
                && wanted.rows > 0,
            seen: vec![0; ports],
            taken: vec![0; ports],
            last_port: None,
        }
    }

    fn row(&mut self, port: usize, part: &Part, row: usize) {
        self.seen[port] += 1;
        let point = self.wanted.point;
        let is_taken = match part.data.position(row).cmp(&point.position) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => match point.reach {
                Reach::None => false,
                Reach::Through => self.last_port.is_none(),
                Reach::All => true,
            },
            std::cmp::Ordering::Greater => false,
        };
        if !is_taken {
            return;
        }
        self.taken.clone_from(&self.seen);
        if self.next == Some((Arc::as_ptr(&part.data), row)) {
            self.next = self.given.as_mut().and_then(Iterator::next);
            if self.next.is_none() {
                self.last_port = Some(port);
            }
        } else if self.row_for_row && self.seen.iter().sum::<usize>() == self.wanted.rows {
            // A row for a row: the last one taken was made of this one.
            self.last_port = Some(port);
        }
    }

    fn taken(self) -> Vec<Taken> {
        let position = self.wanted.point.position;
        if self.gives_last {
            let point = Taken::EVERYTHING.point;
            return self
                .seen
                .iter()
                .map(|rows| Taken { rows: *rows, point })
                .collect();
        }
        match (self.wanted.point.reach, self.last_port) {
            (Reach::Through, Some(port)) => taken_at(port, position, &self.taken),
            _ => self
                .taken
                .iter()
                .map(|rows| Taken {
                    rows: *rows,
                    point: self.wanted.point,
                })
                .collect(),
        }
    }
}

/// What an operator that wants no row takes.
pub(super) fn nothing(operator: &dyn Operator, ports: usize) -> Option<Vec<Taken>> {
    (!operator.wants_rows()).then(|| vec![Taken::NOTHING; ports])
}
