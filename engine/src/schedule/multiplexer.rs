//! The text of all statements on its way to the outputs.

use super::account::Report;
use super::graph::{Writer, order_of};
use super::output::{Frame, TextRows};
use crate::Error;
use crate::planted::is_planted;
use hashbrown::HashMap;
use std::io;
use wireq_typesys::Position;

/// Where text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target<'a> {
    /// The output of this number; 0 is the one that statements have unless told otherwise.
    Number(usize),
    /// A file that the query names.
    File(&'a str),
}

/// Takes the text of statements.
pub trait Outputs: Send {
    /// Writes to an output. `flush` asks that it reach the reader at once.
    ///
    /// # Errors
    /// `BrokenPipe` means that nobody reads any more: the statements that write there are done.
    /// Anything else ends the run.
    fn write(&mut self, target: Target<'_>, bytes: &[u8], flush: bool) -> io::Result<()>;

    /// All sources that have no end by themselves are open, and nothing was read yet: `inputs` are
    /// what they listen on. Not called where there are none.
    ///
    /// # Errors
    /// Any ends the run.
    fn listening(&mut self, _inputs: &[String]) -> Result<(), Error> {
        Ok(())
    }

    /// Nothing waits to be read from live sources: what was written should reach its readers.
    fn idle(&mut self) {}

    /// What [`Signals::progress`](super::Signals::progress) asked for.
    fn progress(&mut self, _report: &Report) {}

    /// Whether an output is a file whose name is that of another one by now, or of none.
    fn is_moved(&self, _target: Target<'_>) -> bool {
        false
    }

    /// Begins a file that was moved anew, under the same name. What ends it was written.
    ///
    /// # Errors
    /// Any ends the run.
    fn reopen(&mut self, _target: Target<'_>) -> Result<(), Error> {
        Ok(())
    }
}

/// The text that one node gave in a step.
#[derive(Clone, Copy)]
pub(super) struct Share<'a> {
    /// The rank of the node that gave it.
    pub(super) node: usize,
    pub(super) statement: usize,
    /// Where the node stood in the plan as it was written. What a statement writes for one row it
    /// writes in this order.
    pub(super) written: u32,
    pub(super) target: Target<'a>,
    pub(super) text: &'a TextRows,
    /// Where it is the text of many statements: which rows it is here, some more than once, each with
    /// the number of a writer, in the order of their position, then of the writer.
    pub(super) picks: Option<&'a [(u32, u32)]>,
    /// Whose these are.
    pub(super) writers: &'a [Writer],
}

/// Where a row stands on an output: its position, statement, and where that writes it.
type Order = (Position, (usize, u32));

/// What a node writes to one output for many statements.
pub(super) struct Picked {
    /// The number of the output.
    pub(super) target: usize,
    /// See [`Share::picks`].
    pub(super) rows: Vec<(u32, u32)>,
}

impl<'a> Share<'a> {
    /// The row of text at a place, with where it stands; none behind the last one.
    fn row(&self, at: usize) -> Option<(Order, &'a [u8])> {
        let (row, of) = match self.picks {
            None => (at, (self.statement, self.written)),
            Some(picks) => {
                let (row, number) = *picks.get(at)?;
                (row as usize, order_of(self.writers[number as usize].owner))
            }
        };
        let (position, bytes) = self.text.row(row)?;
        Some(((position, of), bytes))
    }

    /// By what the shares of a step are ordered.
    fn order(&self) -> ((usize, &'a str), usize, u32, usize) {
        let Share { statement, .. } = *self;
        (
            target_order(self.target),
            statement,
            self.written,
            self.node,
        )
    }

    /// Calls `each` for all of it, in order.
    fn each_row(&self, each: &mut dyn FnMut(&Share<'a>, &'a [u8])) {
        match self.picks {
            None => each(self, self.text.all()),
            Some(picks) => {
                let rows = picks
                    .iter()
                    .filter_map(|(row, _)| self.text.row(*row as usize));
                rows.for_each(|(_, bytes)| each(self, bytes));
            }
        }
    }
}

/// What stands on the outputs so far.
#[derive(Default)]
pub(super) struct Multiplexer {
    /// The outputs that have text, by number.
    numbered: Vec<Option<Begun>>,
    /// The files that have text.
    files: HashMap<String, Option<Begun>>,
    merged: Vec<u8>,
}

/// An output that has text: whose it was last, and what stands around it.
struct Begun {
    node: usize,
    frame: Frame,
}

impl Begun {
    /// Writes what has to stand before a row of another node than the last one. Gives how many
    /// bytes that row goes without.
    fn change(&mut self, share: &Share<'_>, out: &mut Vec<u8>) -> usize {
        self.node = share.node;
        let frame = &share.text.frame;
        if (self.frame.open, self.frame.close) != (frame.open, frame.close) {
            out.extend_from_slice(self.frame.close);
            self.frame.clone_from(frame);
            return begin(frame, out);
        }
        if self.frame.header != frame.header {
            out.extend_from_slice(&frame.header);
            self.frame.clone_from(frame);
        }
        0
    }
}

/// Begins an output, or a stretch of it. Gives how many bytes the first row goes without.
fn begin(frame: &Frame, out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(frame.open);
    if frame.header.is_empty() {
        return frame.separator;
    }
    out.extend_from_slice(&frame.header[frame.separator.min(frame.header.len())..]);
    0
}

impl Multiplexer {
    /// Writes the text of a step: on each output, rows in the order of their position, then of the
    /// statement. Gives the ranks of nodes whose output nobody reads any more, with its number.
    pub(super) fn write_step(
        &mut self,
        shares: &mut [Share<'_>],
        outputs: &mut dyn Outputs,
    ) -> io::Result<Vec<(usize, Option<usize>)>> {
        shares.sort_by_key(Share::order);
        let mut closed = Vec::new();
        for group in shares.chunk_by(|a, b| a.target == b.target) {
            let flush = group.iter().any(|share| share.text.flush);
            let bytes = self.together(group);
            if bytes.is_empty() {
                continue;
            }
            match outputs.write(group[0].target, bytes, flush) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    let number = match group[0].target {
                        Target::Number(number) => Some(number),
                        Target::File(_) => None,
                    };
                    closed.extend(group.iter().map(|share| (share.node, number)));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(closed)
    }

    /// What stands on an output so far.
    fn begun(&mut self, target: Target<'_>) -> &mut Option<Begun> {
        match target {
            Target::Number(number) => {
                if number >= self.numbered.len() {
                    self.numbered.resize_with(number + 1, || None);
                }
                &mut self.numbered[number]
            }
            Target::File(path) => self.files.entry_ref(path).or_default(),
        }
    }

    /// The text for one output, with what has to stand around it.
    fn together<'a>(&'a mut self, group: &[Share<'a>]) -> &'a [u8] {
        let mut merged = std::mem::take(&mut self.merged);
        merged.clear();
        let begun = self.begun(group[0].target);
        let last = begun.as_ref().map(|begun| begun.node);
        let unframed = match group {
            [only] if only.picks.is_none() => (last == Some(only.node)).then_some(only.text),
            _ => None,
        };
        if unframed.is_none() {
            merge(group, &mut |share, bytes| {
                let without = match begun {
                    Some(begun) if begun.node == share.node => 0,
                    Some(begun) => begun.change(share, &mut merged),
                    None => {
                        *begun = Some(Begun {
                            node: share.node,
                            frame: share.text.frame.clone(),
                        });
                        begin(&share.text.frame, &mut merged)
                    }
                };
                merged.extend_from_slice(&bytes[without.min(bytes.len())..]);
            });
        }
        self.merged = merged;
        unframed.map_or(&self.merged, TextRows::all)
    }

    /// Ends what is on an output and makes it begin anew.
    pub(super) fn end(&mut self, target: Target<'_>, outputs: &mut dyn Outputs) -> io::Result<()> {
        let close = self.begun(target).take().map(|begun| begun.frame.close);
        match outputs.write(target, close.unwrap_or_default(), true) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    /// Ends what is on the outputs. An output that has no text gets what stands around the rows of
    /// the first of `writers` that would have written there: a header, an empty list.
    pub(super) fn close(
        &mut self,
        writers: &mut [Share<'_>],
        outputs: &mut dyn Outputs,
    ) -> io::Result<()> {
        writers.sort_by_key(Share::order);
        let mut ends: Vec<(Target<'_>, Vec<u8>)> = Vec::new();
        for group in writers.chunk_by(|a, b| a.target == b.target) {
            let (target, frame) = (group[0].target, &group[0].text.frame);
            if self.begun(target).is_none() {
                let mut text = Vec::new();
                begin(frame, &mut text);
                text.extend_from_slice(frame.close);
                ends.push((target, text));
            }
        }
        let numbered = self.numbered.iter().enumerate();
        let numbered = numbered.map(|(number, begun)| (Target::Number(number), begun));
        let files = self.files.iter();
        let files = files.map(|(path, begun)| (Target::File(path), begun));
        for (target, begun) in numbered.chain(files) {
            ends.extend(
                begun
                    .iter()
                    .map(|begun| (target, begun.frame.close.to_vec())),
            );
        }
        for (target, text) in ends.iter().filter(|(_, text)| !text.is_empty()) {
            match outputs.write(*target, text, false) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

fn target_order<'a>(target: Target<'a>) -> (usize, &'a str) {
    match target {
        Target::Number(number) => (number, ""),
        Target::File(path) => (usize::MAX, path),
    }
}

/// Merges rows by position; among equal positions by statement and where that writes them. Rows of one
/// cause and one writer stay together.
fn merge<'a>(shares: &[Share<'a>], each: &mut dyn FnMut(&Share<'a>, &'a [u8])) {
    if shares.len() == 1 || is_planted("output-by-statement") {
        shares.iter().for_each(|share| share.each_row(each));
        return;
    }
    let mut heap: std::collections::BinaryHeap<_> = shares
        .iter()
        .enumerate()
        .filter_map(|(number, share)| {
            let (order, _) = share.row(0)?;
            Some(std::cmp::Reverse((order, number, 0)))
        })
        .collect();
    while let Some(std::cmp::Reverse((order, number, row))) = heap.pop() {
        let share = &shares[number];
        let mut next = row;
        while let Some((here, bytes)) = share.row(next) {
            if here != order {
                heap.push(std::cmp::Reverse((here, number, next)));
                break;
            }
            each(share, bytes);
            next += 1;
        }
    }
}
