//! What an operator gives in a step: rows, controls, text, counts.

use crate::{Account, Control};
use std::sync::Arc;
use wireq_typesys::{Bitmap, Column, Part, PartData, Position, Recipe, Shape, Slot, Zone};

/// One thing that travels over an edge. Rows and controls stand in the order of their positions.
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "a box would be an allocation a batch"
)]
pub enum Item {
    /// Rows.
    Rows(Part),
    /// A control between rows.
    Control(Position, Control),
}

impl Item {
    /// Says that something else is the cause of rows that were made up just now, or of a control.
    pub(crate) fn move_to(&mut self, position: Position) {
        match self {
            Item::Rows(part) => {
                if let Some(data) = Arc::get_mut(&mut part.data) {
                    data.move_to(position);
                }
            }
            Item::Control(own, _) => *own = position,
        }
    }
}

/// Collects what an operator gives.
#[derive(Default)]
pub struct Output {
    /// Rows and controls for the nodes behind.
    pub(crate) items: Vec<Item>,
    /// Text for the statement's output.
    pub text: TextRows,
    /// What became of the rows.
    pub account: Account,
    /// For operators that annotate: the shape that each shape of the input becomes.
    pub(crate) annotated: Vec<(Arc<Shape>, Arc<Shape>)>,
    pub(crate) zone: Option<Arc<Zone>>,
    /// Rows for single readers: the branch, the rows, and how many items stood before them.
    pub(crate) routed: Vec<(u32, Part, usize)>,
}

impl Output {
    /// Gives rows of the input to one branch. Those of all branches together are then passed.
    pub(crate) fn route(&mut self, branch: u32, part: &Part, selection: Bitmap) {
        let before = self.items.len();
        self.routed.push((branch, part.select(selection), before));
    }

    /// Passes rows of the input on: those of `selection`.
    pub fn pass(&mut self, part: &Part, selection: Bitmap) {
        let count = selection.count();
        if count > 0 {
            self.account.passed += count as u64;
            self.items.push(Item::Rows(part.select(selection)));
        }
    }

    /// Gives rows that were passed once more.
    pub fn repeat(&mut self, part: &Part, selection: Bitmap) {
        let count = selection.count();
        if count > 0 {
            self.account.emitted += count as u64;
            self.items.push(Item::Rows(part.select(selection)));
        }
    }

    /// Passes rows of the input on with columns attached, one for each that the operator declared.
    pub fn annotate(&mut self, part: &Part, selection: Bitmap, columns: Vec<Column>) {
        self.annotate_shared(part, selection, columns.into_iter().map(Arc::new));
    }

    /// Passes rows of the input on with columns attached that others of them have too.
    pub fn annotate_shared(
        &mut self,
        part: &Part,
        selection: Bitmap,
        columns: impl IntoIterator<Item = Arc<Column>>,
    ) {
        let count = selection.count();
        if count == 0 {
            return;
        }
        self.account.passed += count as u64;
        let known = self
            .annotated
            .iter()
            .find(|(from, _)| Arc::ptr_eq(from, &part.shape));
        let Some((_, shape)) = known else {
            // A shape the plan did not foresee can't be read by the nodes behind anyway.
            self.items.push(Item::Rows(part.select(selection)));
            return;
        };
        let mut extra = part.extra.clone();
        extra.extend(columns);
        while let Some(def) = shape.extra.get(extra.len()) {
            let mut column = Column::default();
            if let (Recipe::Convert(Slot::Extra(from), conversion), Some(zone)) =
                (def.recipe, &self.zone)
            {
                conversion.apply(&extra[usize::from(from)], &selection, zone, &mut column);
            }
            extra.push(Arc::new(column));
        }
        self.items.push(Item::Rows(Part {
            data: Arc::clone(&part.data),
            shape: Arc::clone(shape),
            extra,
            selection,
        }));
    }

    /// A part with columns attached, where the plan foresaw that.
    pub(crate) fn attached(
        &self,
        part: &Part,
        columns: impl Iterator<Item = Column>,
    ) -> Option<Part> {
        let known = |(from, _): &&(Arc<Shape>, Arc<Shape>)| Arc::ptr_eq(from, &part.shape);
        let (_, shape) = self.annotated.iter().find(known)?;
        let mut part = part.clone();
        part.shape = Arc::clone(shape);
        part.extra.extend(columns.map(Arc::new));
        Some(part)
    }

    /// Begins to collect what is a part of what another output collects: the account goes on.
    pub(crate) fn begin_within(&mut self, out: &mut Output) {
        if self.annotated.len() != out.annotated.len() {
            self.annotated.clone_from(&out.annotated);
            self.zone.clone_from(&out.zone);
        }
        self.account = std::mem::take(&mut out.account);
    }

    /// Ends that, and gives what was collected.
    pub(crate) fn end_within(&mut self, out: &mut Output) -> Vec<Item> {
        out.account = std::mem::take(&mut self.account);
        std::mem::take(&mut self.items)
    }

    /// Gives rows that the operator made up or kept.
    pub fn emit(&mut self, mut data: PartData) {
        if !data.is_empty() {
            data.number_from(self.account.emitted);
            self.account.emitted += data.len() as u64;
            self.items.push(Item::Rows(Part::new(Arc::new(data))));
        }
    }

    /// Sends a control on.
    pub fn control(&mut self, position: Position, control: Control) {
        self.items.push(Item::Control(position, control));
    }

    /// The rows given so far in this step.
    pub fn rows(&self) -> impl Iterator<Item = &Part> {
        parts(&self.items)
    }

    /// One for the same node on another thread.
    pub(crate) fn twin(&self) -> Output {
        Output {
            annotated: self.annotated.clone(),
            zone: self.zone.clone(),
            text: TextRows {
                frame: self.text.frame.clone(),
                ..TextRows::default()
            },
            ..Output::default()
        }
    }

    /// Makes ready for the next step; buffers are kept.
    pub fn clear(&mut self) {
        self.items.clear();
        self.routed.clear();
        self.text.clear();
    }
}

/// The rows among items.
pub(crate) fn parts(items: &[Item]) -> impl Iterator<Item = &Part> {
    items.iter().filter_map(|item| match item {
        Item::Rows(part) => Some(part),
        Item::Control(..) => None,
    })
}

/// What stands around rows of text on their output: a header of columns, the brackets of a list.
///
/// The output of one frame is a whole. Where rows with another frame come in between, it ends and
/// begins anew behind them; where only the headers differ, the header is written again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// What an output begins with, rows or none.
    pub open: &'static [u8],
    /// What stands before the first row.
    pub header: Vec<u8>,
    /// How many bytes at the begin of the header, or of each row where there is no header, separate
    /// it from what stands before: the first one on an output does without them.
    pub separator: usize,
    /// What an output ends with.
    pub close: &'static [u8],
}

/// Text in rows, each with the position of its cause.
#[derive(Default)]
pub struct TextRows {
    /// What stands around the rows.
    pub frame: Frame,
    bytes: Vec<u8>,
    /// Position, and where the row's bytes end.
    ends: Vec<(Position, usize)>,
    /// Which row of the part each is, where that was asked for.
    rows: Option<Vec<u16>>,
    /// For text of many statements: the numbers of rows, each with that of a statement whose it is.
    pub(crate) owners: Vec<(u32, u32)>,
    /// Whether what is written should reach the reader at once.
    pub flush: bool,
}

impl TextRows {
    /// Where the bytes of the next row go; [`TextRows::end_row`] ends it.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Ends a row. Text that was begun and has no end is no row.
    pub fn end_row(&mut self, position: Position) {
        self.ends.push((position, self.bytes.len()));
    }

    /// Ends a row of text that stands for a row of a part.
    pub fn end_row_of(&mut self, part: &Part, row: usize) {
        self.end_rows_of(part, &[row], &[self.bytes.len()]);
    }

    /// Ends several of them, whose bytes end at `ends`.
    pub fn end_rows_of(&mut self, part: &Part, rows: &[usize], ends: &[usize]) {
        let positions = rows.iter().map(|row| part.data.position(*row));
        self.ends.extend(positions.zip(ends.iter().copied()));
        if let Some(noted) = &mut self.rows {
            noted.extend(rows.iter().map(|row| *row as u16));
        }
    }

    /// Begins to note which row of a part each row of text stands for. Gives how many there are.
    pub(crate) fn note_rows(&mut self) -> usize {
        self.rows.get_or_insert_default().clear();
        self.len()
    }

    /// Says whose the text is that was noted since there were `first` rows: that of the numbers that
    /// `owners` calls its argument with for a row.
    pub(crate) fn say_owners(
        &mut self,
        first: usize,
        mut owners: impl FnMut(usize, &mut dyn FnMut(u32)),
    ) {
        for (row, text) in self.rows.iter().flatten().zip(first..) {
            let own = &mut self.owners;
            owners(usize::from(*row), &mut |number| {
                own.push((text as u32, number))
            });
        }
    }

    /// Puts rows, each with a number, in the order of their position, then of what the number stands
    /// for. They stand in that of their position already.
    pub(crate) fn order_picked<O: Ord>(&self, rows: &mut [(u32, u32)], of: impl Fn(u32) -> O) {
        let position = |row: u32| self.ends[row as usize].0;
        for tied in rows.chunk_by_mut(|a, b| position(a.0) == position(b.0)) {
            if !tied.is_sorted_by_key(|(_, number)| of(*number)) {
                tied.sort_by_key(|(_, number)| of(*number));
            }
        }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Exchanges the rows; what stands around them stays.
    pub(crate) fn swap_rows(&mut self, other: &mut TextRows) {
        std::mem::swap(&mut self.bytes, &mut other.bytes);
        std::mem::swap(&mut self.ends, &mut other.ends);
        std::mem::swap(&mut self.owners, &mut other.owners);
        std::mem::swap(&mut self.flush, &mut other.flush);
    }

    /// All bytes, where order among rows is not asked for.
    pub(crate) fn all(&self) -> &[u8] {
        let end = self.ends.last().map_or(0, |(_, end)| *end);
        &self.bytes[..end]
    }

    /// The position and bytes of a row.
    pub(crate) fn row(&self, at: usize) -> Option<(Position, &[u8])> {
        let (position, end) = *self.ends.get(at)?;
        let start = if at == 0 { 0 } else { self.ends[at - 1].1 };
        Some((position, &self.bytes[start..end]))
    }

    /// About how many bytes the rows take.
    pub(crate) fn memory(&self) -> usize {
        let owners = self.owners.len() * size_of::<(u32, u32)>();
        self.bytes.len() + self.ends.len() * size_of::<(Position, usize)>() + owners
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.owners.clear();
    }
}
