//! Batches, parts and the rows behind them.

use crate::{Bitmap, Column, Position, ROWS_MAX, Recipe, Record, Shape, Slot, Value, Zone};
use std::any::Any;
use std::sync::{Arc, Mutex, OnceLock};

/// What travels over one edge in one step: parts in which rows ascend by position.
pub type Batch = Vec<Part>;

/// The positions of the rows of a part.
#[derive(Clone, Debug)]
pub enum Positions {
    /// Row 0 stands here, the others follow one by one.
    Run(Position),
    /// One for each row, ascending.
    Each(Vec<Position>),
    /// All rows have the same cause.
    All(Position),
}

/// The rows of a part: immutable, and shared by all that read them. Columns are filled when
/// they are first wanted, once.
pub struct PartData {
    /// The columns that belong to the rows, without any attached later.
    pub shape: Arc<Shape>,
    /// The rows as their reader made them.
    rows: Box<dyn Any + Send + Sync>,
    len: usize,
    positions: Positions,
    /// The source or operator that made the rows: with the position this is their identity.
    origin: u32,
    /// Identities of rows that were kept from elsewhere: origin and position.
    identities: Option<Vec<(u32, u64)>>,
    /// For rows that an operator made up: the number of the first among all that it made up.
    made: Option<u64>,
    cells: Vec<Cell>,
}

#[derive(Default)]
struct Cell {
    column: OnceLock<Column>,
    /// Buffers of the column's last use, for the next.
    spare: Mutex<Column>,
}

impl PartData {
    /// Rows as a reader made them; `rows` is what the shape's record type fills columns from.
    pub fn new(
        shape: Arc<Shape>,
        rows: Box<dyn Any + Send + Sync>,
        len: usize,
        positions: Positions,
        origin: u32,
    ) -> PartData {
        debug_assert!(len <= ROWS_MAX);
        let cells = shape.base.iter().map(|_| Cell::default()).collect();
        PartData {
            shape,
            rows,
            len,
            positions,
            origin,
            identities: None,
            made: None,
            cells,
        }
    }

    /// Rows that consist of the given columns, one for each base column of the shape; conversions of
    /// these, which stand last in the shape, are filled when they are wanted.
    pub fn from_columns(
        shape: Arc<Shape>,
        columns: Vec<Column>,
        len: usize,
        positions: Positions,
        origin: u32,
    ) -> PartData {
        let rest = shape.base.get(columns.len()..).unwrap_or(&[]);
        debug_assert!(
            rest.iter()
                .all(|def| matches!(def.recipe, Recipe::Convert(..)))
        );
        let cell = |column| Cell {
            column: OnceLock::from(column),
            spare: Mutex::default(),
        };
        let converted = rest.iter().map(|_| Cell::default());
        let cells = columns.into_iter().map(cell).chain(converted).collect();
        PartData {
            shape,
            rows: Box::new(()),
            len,
            positions,
            origin,
            identities: None,
            made: None,
            cells,
        }
    }

    /// Gives the rows identities of their own instead of those that follow from origin and position.
    pub fn with_identities(mut self, identities: Vec<(u32, u64)>) -> PartData {
        debug_assert_eq!(identities.len(), self.len);
        self.identities = Some(identities);
        self
    }

    /// Says that the rows are an operator's own, and how many it made up before: new objects have
    /// new identities. Rows that have identities from elsewhere keep them.
    pub fn number_from(&mut self, made: u64) {
        self.made = Some(made);
    }

    /// Says that all rows have this cause.
    pub fn move_to(&mut self, position: Position) {
        self.positions = Positions::All(position);
    }

    /// Access to the reader's rows for filling them anew, where nobody else holds the part: the
    /// way a reader uses buffers again. Columns are emptied, their buffers kept.
    pub fn reuse(self: &mut Arc<PartData>) -> Option<&mut PartData> {
        let data = Arc::get_mut(self)?;
        for cell in &mut data.cells {
            if let Some(mut column) = cell.column.take() {
                column.release();
                cell.spare = Mutex::new(column);
            }
        }
        Some(data)
    }

    /// The reader's rows, to be written.
    pub fn rows_mut<T: Any>(&mut self) -> Option<&mut T> {
        self.rows.downcast_mut()
    }

    /// The reader's rows.
    pub fn rows<T: Any>(&self) -> Option<&T> {
        self.rows.downcast_ref()
    }

    /// Says how many rows there are now and where the first one stands.
    pub fn set_rows(&mut self, len: usize, first: Position) {
        debug_assert!(len <= ROWS_MAX);
        self.len = len;
        self.positions = Positions::Run(first);
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where the cause of a row stands.
    #[inline]
    pub fn position(&self, row: usize) -> Position {
        match &self.positions {
            Positions::Run(first) => first.plus(row),
            Positions::Each(positions) => positions[row],
            Positions::All(position) => *position,
        }
    }

    /// What makes the row the object it is, through filters, annotations, sorting and state.
    pub fn identity(&self, row: usize) -> (u32, u64) {
        match (&self.identities, self.made) {
            (Some(identities), _) => identities[row],
            (None, Some(made)) => (self.origin, made + row as u64),
            (None, None) => (self.origin, self.position(row).0),
        }
    }

    /// Fills a column for the selected rows, unless it is filled already.
    pub fn fill(&self, slot: usize, selection: &Bitmap, zone: &Zone) {
        let Some(cell) = self.cells.get(slot) else {
            return;
        };
        if cell.column.get().is_some() {
            return;
        }
        let mut column = cell
            .spare
            .lock()
            .map(|mut spare| std::mem::take(&mut *spare))
            .unwrap_or_default();
        match (&self.shape.base[slot].recipe, &self.shape.record_type) {
            (Recipe::Field(field), Some(record_type)) => {
                record_type.fill(&*self.rows, *field, selection, &mut column);
            }
            (Recipe::Convert(Slot::Base(from), conversion), _) => {
                self.fill(usize::from(*from), selection, zone);
                if let Some(from) = self.column(usize::from(*from)) {
                    conversion.apply(from, selection, zone, &mut column);
                }
            }
            _ => {}
        }
        // A second writer would have written the same.
        let _ = cell.column.set(column);
    }

    /// About how many bytes the columns that are filled take.
    pub fn memory(&self) -> usize {
        let columns = self.cells.iter().filter_map(|cell| cell.column.get());
        let columns: usize = columns.map(|column| column.data.memory()).sum();
        let identities = self.identities.as_ref().map_or(0, Vec::capacity);
        size_of::<PartData>() + columns + identities * size_of::<(u32, u64)>()
    }

    /// A column that belongs to the rows, if it is filled.
    pub fn column(&self, slot: usize) -> Option<&Column> {
        self.cells.get(slot)?.column.get()
    }
}

impl std::fmt::Debug for PartData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartData")
            .field("len", &self.len)
            .field("positions", &self.positions)
            .finish_non_exhaustive()
    }
}

/// Rows of one shape with a selection and the columns attached so far. Cheap to clone: it
/// shares everything.
#[derive(Clone, Debug)]
pub struct Part {
    /// The rows.
    pub data: Arc<PartData>,
    /// The type and all columns, attached ones included.
    pub shape: Arc<Shape>,
    /// The attached columns, in the shape's order.
    pub extra: Vec<Arc<Column>>,
    /// The rows that are in.
    pub selection: Bitmap,
}

impl Part {
    /// All rows of the data, with nothing attached.
    pub fn new(data: Arc<PartData>) -> Part {
        let selection = Bitmap::first(data.len());
        Part {
            shape: Arc::clone(&data.shape),
            extra: Vec::new(),
            selection,
            data,
        }
    }

    /// The same rows with another selection.
    pub fn select(&self, selection: Bitmap) -> Part {
        Part {
            selection,
            ..self.clone()
        }
    }

    /// A column, if it is filled.
    #[inline]
    pub fn column(&self, slot: Slot) -> Option<&Column> {
        match slot {
            Slot::Base(at) => self.data.column(usize::from(at)),
            Slot::Extra(at) => self.extra.get(usize::from(at)).map(|column| &**column),
        }
    }

    /// The number of rows that are in.
    pub fn count(&self) -> usize {
        self.selection.count()
    }

    /// One row on its own, with what it carries.
    pub fn record(&self, row: usize) -> Record {
        let mut fields: Vec<(String, Value)> = Vec::new();
        let base = (0..self.shape.base.len()).map(|at| Slot::Base(at as u16));
        let extra = (0..self.extra.len()).map(|at| Slot::Extra(at as u16));
        for slot in base.chain(extra) {
            let value = self
                .column(slot)
                .map_or(Value::Absent, |column| column.value(row));
            if !value.is_absent() {
                fields.push((self.shape.column(slot).path.to_string(), value));
            }
        }
        Record { fields }
    }
}
