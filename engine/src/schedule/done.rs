//! What is no longer wanted: Done travels upstream.
//!
//! When an operator is done, all that stands before the last row it took, in the one sequence of
//! rows and ports, has happened, and nothing behind it has: batches do not show. So what a node
//! upstream took is its rows before that point, those included that it took out itself; its side
//! effect acts on these, and its source counts the others as cut.
//!
//! Where that matters, between a side effect and an operator that may be done, nodes take their
//! rows one by one and keep a [`Trace`]: what they had given once they had taken each of them.

use super::graph::{Graph, RunNode};
use super::output::Item;
use crate::Operator;
use std::collections::BinaryHeap;
use wireq_typesys::{Part, Position};

/// What a node took at one port in the step that made it done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// How many rows of the step.
    pub(super) rows: usize,
    /// How many rows and controls of the step.
    pub(super) items: usize,
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
        items: 0,
        point: Point {
            position: Position::START,
            reach: Reach::None,
        },
    };

    /// Whatever there was.
    pub(super) const EVERYTHING: Taken = Taken {
        rows: usize::MAX,
        items: usize::MAX,
        point: Point {
            position: Position::END,
            reach: Reach::All,
        },
    };
}

impl Point {
    /// Where a node was done at a row of `port`, as another of its ports sees it.
    fn at(position: Position, port: usize, other: usize) -> Point {
        let reach = match other.cmp(&port) {
            std::cmp::Ordering::Less => Reach::All,
            std::cmp::Ordering::Equal => Reach::Through,
            std::cmp::Ordering::Greater => Reach::None,
        };
        Point { position, reach }
    }
}

/// What a node took in a step, item by item.
#[derive(Default)]
pub(super) struct Trace {
    entries: Vec<Entry>,
    /// How many rows and controls the node gave, and of how many of its items these are.
    given: usize,
    counted: usize,
}

/// One row or control that a node took.
struct Entry {
    position: Position,
    port: usize,
    is_row: bool,
    /// How many rows and controls the node had given then.
    given: usize,
}

impl Trace {
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        (self.given, self.counted) = (0, 0);
    }

    /// Notes what was taken; `items` are all that the node gave in the step so far.
    pub(super) fn note(&mut self, position: Position, port: usize, is_row: bool, items: &[Item]) {
        for item in &items[self.counted..] {
            self.given += match item {
                Item::Rows(part) => part.count(),
                Item::Control(..) => 1,
            };
        }
        self.counted = items.len();
        self.entries.push(Entry {
            position,
            port,
            is_row,
            given: self.given,
        });
    }

    /// What was taken at each port.
    fn all(&self, ports: usize) -> Vec<(usize, usize)> {
        count(self.entries.iter(), ports)
    }

    /// What was taken at each port when `wanted` of what the node gave had been taken.
    fn until(&self, wanted: Taken, ports: usize) -> Vec<Taken> {
        if wanted.items > self.given {
            // What it gave at its end, it gave once there was no more to take.
            return vec![Taken::EVERYTHING; ports];
        }
        let cause = match wanted.items {
            0 => None,
            items => self.entries.iter().position(|entry| entry.given >= items),
        };
        let Point { position, reach } = wanted.point;
        let is_taken = |(at, entry): &(usize, &Entry)| match entry.position.cmp(&position) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => match reach {
                Reach::None => false,
                Reach::Through => cause.is_none_or(|cause| *at <= cause),
                Reach::All => true,
            },
            std::cmp::Ordering::Greater => false,
        };
        let entries = self.entries.iter().enumerate().filter(is_taken);
        let counts = count(entries.map(|(_, entry)| entry), ports);
        let port = cause.map(|cause| self.entries[cause].port);
        let taken = |(at, (rows, items)): (usize, (usize, usize))| {
            let point = match (reach, port) {
                (Reach::Through, Some(port)) => Point::at(position, port, at),
                _ => wanted.point,
            };
            Taken { rows, items, point }
        };
        counts.into_iter().enumerate().map(taken).collect()
    }
}

/// How many rows, and how many rows and controls, were taken at each port.
fn count<'e>(entries: impl Iterator<Item = &'e Entry>, ports: usize) -> Vec<(usize, usize)> {
    let mut counts = vec![(0, 0); ports];
    for entry in entries {
        if let Some((rows, items)) = counts.get_mut(entry.port) {
            *rows += usize::from(entry.is_row);
            *items += 1;
        }
    }
    counts
}

impl RunNode {
    /// What the node took at each of its ports, where it was done at a row of `port`.
    pub(super) fn taken_at(&self, port: usize, position: Position) -> Vec<Taken> {
        let ports = self.inputs.len();
        let counts = match &self.trace {
            Some(trace) => trace.all(ports),
            None => vec![(usize::MAX, usize::MAX); ports],
        };
        let taken = |(at, (rows, items)): (usize, (usize, usize))| Taken {
            rows,
            items,
            point: Point::at(position, port, at),
        };
        counts.into_iter().enumerate().map(taken).collect()
    }
}

/// The position of row number `count` (from 1) of parts; of the first one for 0.
pub(super) fn position_of(parts: &[&Part], count: usize) -> Position {
    let rows = parts
        .iter()
        .flat_map(|part| part.selection.iter().map(|row| part.data.position(row)));
    rows.take(count.max(1)).last().unwrap_or(Position::START)
}

impl Graph {
    /// A node takes no more rows. What nobody else reads is done too.
    pub(super) fn finish_node(&mut self, rank: usize, taken: Vec<Taken>) {
        self.nodes[rank].done = true;
        self.nodes[rank].taken = Some(taken);
        self.finished.push(rank);
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
            if node.spec.is_some() {
                self.stop_source(input, wanted);
                continue;
            }
            let ports = node.inputs.len();
            let mut taken = match &node.trace {
                Some(trace) => trace.until(wanted, ports),
                None => vec![wanted; ports],
            };
            if let Some(known) = &node.taken {
                // It had ended by itself, and a reader took less than it gave.
                let least = |(new, old): (&mut Taken, &Taken)| {
                    if (old.point, old.items) < (new.point, new.items) {
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
            self.finished.push(input);
            if let [before] = self.nodes[input].inputs[..]
                && self.nodes[input].is_branch
            {
                let rows_in = self.nodes[before].came_to_branches();
                self.nodes[input].end_branch(rows_in);
            }
            inputs.extend(&self.nodes[input].inputs);
        }
    }

    /// What was taken of what a node gave in this step, by any of its readers.
    fn wanted_of(&self, rank: usize) -> Taken {
        let taken_by = |reader: &usize| {
            let reader = &self.nodes[*reader];
            let ports = reader.inputs.iter().zip(reader.taken.iter().flatten());
            ports
                .filter(|(input, _)| **input == rank)
                .map(|(_, taken)| *taken)
                .max_by_key(|taken| (taken.point, taken.items))
        };
        let all = self.nodes[rank].readers.iter().filter_map(taken_by);
        let furthest = all.max_by_key(|taken| (taken.point, taken.items));
        furthest.unwrap_or(Taken::NOTHING)
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
}

/// What an operator that wants no row takes.
pub(super) fn nothing(operator: &dyn Operator, ports: usize) -> Option<Vec<Taken>> {
    (!operator.wants_rows()).then(|| vec![Taken::NOTHING; ports])
}
