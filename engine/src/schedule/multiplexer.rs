//! The text of all statements on its way to the outputs.

use super::output::TextRows;
use crate::planted::is_planted;
use std::io;

/// Where text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target<'a> {
    /// The output of this number; 0 is the one that statements have unless told otherwise.
    Number(usize),
    /// A file that the query names.
    File(&'a str),
}

/// Takes the text of statements.
pub trait Outputs {
    /// Writes to an output. `flush` asks that it reach the reader at once.
    ///
    /// # Errors
    /// `BrokenPipe` means that nobody reads any more: the statements that write there are done.
    /// Anything else ends the run.
    fn write(&mut self, target: Target<'_>, bytes: &[u8], flush: bool) -> io::Result<()>;
}

/// The text that one statement gave in a step.
pub(super) struct Share<'a> {
    /// The rank of the node that gave it.
    pub(super) node: usize,
    pub(super) statement: usize,
    pub(super) target: Target<'a>,
    pub(super) text: &'a TextRows,
}

/// Writes the text of a step: on each output, rows in the order of their position, then of the
/// statement. Gives the ranks of nodes whose output nobody reads any more.
pub(super) fn write_step(
    shares: &mut [Share<'_>],
    outputs: &mut dyn Outputs,
) -> io::Result<Vec<usize>> {
    shares.sort_by_key(|share| (target_order(share.target), share.statement, share.node));
    let mut closed = Vec::new();
    let mut merged = Vec::new();
    for group in shares.chunk_by(|a, b| a.target == b.target) {
        let flush = group.iter().any(|share| share.text.flush);
        let bytes = match group {
            [only] => only.text.all(),
            several => {
                merged.clear();
                merge(several, &mut merged);
                &merged
            }
        };
        if bytes.is_empty() {
            continue;
        }
        match outputs.write(group[0].target, bytes, flush) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                closed.extend(group.iter().map(|share| share.node))
            }
            Err(error) => return Err(error),
        }
    }
    Ok(closed)
}

fn target_order(target: Target<'_>) -> (usize, &str) {
    match target {
        Target::Number(number) => (number, ""),
        Target::File(path) => (usize::MAX, path),
    }
}

/// Merges rows by position; among equal positions the order of the shares holds, and rows of one
/// cause in one share stay together.
fn merge(shares: &[Share<'_>], out: &mut Vec<u8>) {
    if is_planted("output-by-statement") {
        shares
            .iter()
            .for_each(|share| out.extend_from_slice(share.text.all()));
        return;
    }
    let mut heap: std::collections::BinaryHeap<_> = shares
        .iter()
        .enumerate()
        .filter_map(|(number, share)| {
            let (position, _) = share.text.row(0)?;
            Some(std::cmp::Reverse((position, number, 0)))
        })
        .collect();
    while let Some(std::cmp::Reverse((position, number, row))) = heap.pop() {
        let text = shares[number].text;
        let mut next = row;
        while let Some((here, bytes)) = text.row(next) {
            if here != position {
                heap.push(std::cmp::Reverse((here, number, next)));
                break;
            }
            out.extend_from_slice(bytes);
            next += 1;
        }
    }
}
