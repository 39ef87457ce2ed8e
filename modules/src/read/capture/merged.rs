//! Captures as one: their frames by time.
//!
//! Records are copied into blocks of their own, so that a part has frames of all captures.

use super::error;
use super::files::CaptureFiles;
use crate::read::blocks::{BLOCK_LEN, Pool};
use crate::read::reuse::reusable;
use crate::types::packet::{Frame, Frames, record};
use hashbrown::HashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use wireq_engine::schedule::output::Item;
use wireq_engine::{Error, InputAccount, InputMark, InputMarks, Source, SourceContext};
use wireq_typesys::{Block, Part, PartData, Position};

/// Captures that are merged are all open, each with blocks and the frames of a part: some 200 MiB for
/// so many.
pub(super) const INPUTS_MAX: usize = 500;
/// So many of them may be packed: each of these has a thread and a window, of 8 MiB as most programs
/// pack and 256 MiB at most.
const PACKED_MAX: usize = 32;

/// Captures that are read side by side.
pub(super) struct Merged {
    inputs: Vec<Input>,
    /// The inputs that have a frame at hand, by its time.
    heads: BinaryHeap<Reverse<(i64, usize)>>,
    /// The inputs that need another part.
    empty: Vec<usize>,
    pool: Pool,
    /// The block that records are copied to.
    block: Arc<Block>,
    segment: u32,
    /// The frames given.
    total: u64,
    /// How far each input was read.
    marks: InputMarks,
    /// How many of the inputs are being unpacked.
    packed: usize,
}

/// A capture, and what was read of it.
struct Input {
    path: String,
    files: CaptureFiles,
    part: Option<Arc<PartData>>,
    /// The next row of the part.
    row: usize,
    /// The latest time so far.
    latest: i64,
}

impl Input {
    fn frames(&self) -> Option<&Frames> {
        self.part.as_ref()?.rows::<Frames>()
    }

    /// The time of the frame at hand. One from before others of its capture comes as if it were of
    /// their time, and so does one without a time: frames of a capture stay in their order.
    fn time(&mut self) -> Option<i64> {
        let ts = self.frames()?.rows.get(self.row)?.ts;
        self.latest = self.latest.max(ts);
        Some(self.latest)
    }
}

impl Merged {
    pub(super) fn new(paths: Vec<String>) -> Merged {
        let input = |path: String| Input {
            path: path.clone(),
            files: CaptureFiles::new(vec![path], None),
            part: None,
            row: 0,
            latest: i64::MIN,
        };
        let inputs: Vec<Input> = paths.into_iter().map(input).collect();
        let marks = InputMarks::new(inputs.len());
        Merged {
            // The first one is the last here.
            empty: (0..inputs.len()).rev().collect(),
            inputs,
            heads: BinaryHeap::new(),
            pool: Pool::default(),
            block: Arc::default(),
            segment: 0,
            total: 0,
            marks,
            packed: 0,
        }
    }

    /// Reads on where an input needs it; what it gives that is no part.
    fn refill(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error> {
        // They are unpacked side by side in any case.
        context.threads = 1;
        while let Some(at) = self.empty.pop() {
            let input = &mut self.inputs[at];
            let before = usize::from(input.files.is_packed());
            let next = input.files.next(context);
            self.marks.set(at, input.files.mark());
            self.packed = self.packed - before + usize::from(input.files.is_packed());
            if self.packed > PACKED_MAX {
                return Err(error(format!(
                    "--merge unpacks up to {PACKED_MAX} files at once, and `{}` is one more: unpack \
                     some of them before",
                    input.path
                )));
            }
            match next? {
                Some(Item::Rows(part)) => {
                    (input.part, input.row) = (Some(part.data), 0);
                    match input.time() {
                        Some(ts) => self.heads.push(Reverse((ts, at))),
                        None => self.empty.push(at),
                    }
                }
                Some(Item::Control(_, control)) => {
                    self.empty.push(at);
                    let position = Position::new(self.segment + 1, 0);
                    return Ok(Some(Item::Control(position, control)));
                }
                None => {}
            }
        }
        Ok(None)
    }

    /// Fills a part with the next frames, up to where an input has to be read on.
    fn fill(&mut self, context: &mut SourceContext<'_>) -> Option<Part> {
        let mut data = reusable(context, |context| Frames::of(context.shape));
        let unshared = Arc::get_mut(&mut data)?;
        let frames: &mut Frames = unshared.rows_mut()?;
        let nothing = Arc::clone(&frames.nothing);
        frames.reset(&nothing, self.total + 1);
        let mut places: HashMap<(usize, u16), u16> = HashMap::new();
        let mut end = 0;
        while frames.rows.len() < context.rows_max && self.empty.is_empty() {
            let Some(Reverse((_, at))) = self.heads.peek().copied() else {
                break;
            };
            let Some((copied, frame)) = self.copy(at, end) else {
                break;
            };
            let interface = *places.entry((at, frame.interface)).or_insert_with(|| {
                let of = self.inputs[at].frames().map(|frames| &frames.interfaces);
                let known = of.and_then(|of| of.get(usize::from(frame.interface)));
                frames
                    .interfaces
                    .push(known.map(Arc::clone).unwrap_or_default());
                frames.interfaces.len() as u16 - 1
            });
            frames.push(&self.block.0, Frame { interface, ..frame });
            end = copied;
            self.advance(at, context);
        }
        let rows = frames.rows.len();
        frames.block = Arc::clone(&self.block);
        self.segment += 1;
        self.total += rows as u64;
        unshared.set_rows(rows, Position::new(self.segment, 0));
        Some(Part::new(data))
    }

    /// Copies the record at hand of an input to this place: where it ends, and the frame there. None
    /// where there is no room and the block is in use.
    fn copy(&mut self, at: usize, end: usize) -> Option<(usize, Frame)> {
        let input = &self.inputs[at];
        let from = input.frames()?;
        let frame = *from.rows.get(input.row)?;
        let range = record(from, &frame);
        let bytes = from.block.0.get(range.clone())?;
        let room = self.block.0.len();
        if end + bytes.len() > room || Arc::get_mut(&mut self.block).is_none() {
            if end > 0 {
                return None;
            }
            let block = self.pool.take(bytes.len().max(BLOCK_LEN), 0);
            self.pool.put(std::mem::replace(&mut self.block, block), 0);
        }
        let block = Arc::get_mut(&mut self.block)?;
        block.0[end..end + bytes.len()].copy_from_slice(bytes);
        let start = (end + frame.start as usize - range.start) as u32;
        Some((end + bytes.len(), Frame { start, ..frame }))
    }

    /// Goes on behind the frame at hand of the input that comes first.
    fn advance(&mut self, at: usize, context: &mut SourceContext<'_>) {
        self.heads.pop();
        let input = &mut self.inputs[at];
        input.row += 1;
        match input.time() {
            Some(ts) => self.heads.push(Reverse((ts, at))),
            None => {
                context.retired.extend(input.part.take());
                self.empty.push(at);
            }
        }
    }
}

impl Source for Merged {
    fn has_threads(&self) -> bool {
        self.packed > 0
    }

    fn next(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error> {
        if let Some(item) = self.refill(context)? {
            return Ok(Some(item));
        }
        if self.heads.is_empty() {
            return Ok(None);
        }
        Ok(self.fill(context).map(Item::Rows))
    }

    fn mark(&self) -> InputMark {
        InputMark {
            beside: self.marks.clone(),
            ..InputMark::default()
        }
    }

    fn input_account_at(&self, mark: &InputMark) -> InputAccount {
        let inputs = self.inputs.iter().zip(mark.beside.iter());
        let accounts = inputs.map(|(input, mark)| input.files.input_account_at(mark));
        InputAccount {
            inputs: accounts.flat_map(|account| account.inputs).collect(),
        }
    }

    fn input_account(&self) -> InputAccount {
        let accounts = self.inputs.iter().map(|input| input.files.input_account());
        InputAccount {
            inputs: accounts.flat_map(|account| account.inputs).collect(),
        }
    }
}
