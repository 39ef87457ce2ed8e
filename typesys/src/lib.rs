//! What an object is.
//!
//! A query works on streams of **objects**: dynamically typed, immutable records. An object
//! belongs to a [`RecordType`] (packet, flow, log line), its fields are first-class, and any
//! module may attach further ones. Objects travel in **batches**:
//!
//! | idea | here | in one sentence |
//! |---|---|---|
//! | kind | [`Kind`], [`Value`] | what one field can hold: a number, a time, an address, bytes ... |
//! | column | [`Column`] | one field of many objects: a typed vector with validity |
//! | shape | [`Shape`] | a record type with the list of columns its objects carry |
//! | part | [`Part`] | rows of one shape, at most [`ROWS_MAX`], with a selection |
//! | batch | [`Batch`] | the parts that travel over one edge in one step |
//! | selection | [`Bitmap`] | which rows of a part are in: filtering copies nothing |
//! | position | [`Position`] | where in the input the cause of a row stands: it orders results |
//! | literal | [`Literal`] | a constant as typed; it keeps every reading until it meets a column |
//! | field path | [`FieldPath`] | `srcip`, `ts.sec`: a field and the conversions applied to it |
//! | key | [`key`] | bytes whose order is the total order across kinds |
//!
//! Nothing here is global: there is no interner and no registry, so that a module from a shared
//! library, which has its own copy of every static, sees the same objects.

mod batch;
mod bitmap;
mod column;
mod compare;
mod conversion;
mod exact_sum;
mod field;
pub mod key;
mod kind;
mod literal;
mod shape;
mod text;
mod time;
mod value;

pub use batch::{Batch, Part, PartData, Positions};
pub use bitmap::{Bitmap, ROWS_MAX};
pub use column::{Address, Block, Column, ColumnBuilder, Data, Objects, Slices};
pub use compare::{CompareOp, any, compare, equal, holds, total_order};
pub use conversion::{CONVERSIONS, Conversion};
pub use exact_sum::ExactSum;
pub use field::FieldPath;
pub use kind::{Kind, Names};
pub use literal::Literal;
pub use shape::{ColumnDef, FieldDef, Recipe, RecordType, Shape, Slot, declared_names};
pub use text::{
    Escapes, Second, Short, escape, unescape, write_column_text, write_double, write_unsigned,
    write_value,
};
pub use time::{Civil, Zone, days_in_month, days_of, parse_time, write_time};
pub use value::{Mac, Prefix, Record, Value};

/// About how many bytes of memory an allocation of so many takes: what an allocator keeps beside it,
/// in steps of 16, two at least.
pub const fn allocated(bytes: usize) -> usize {
    match bytes {
        0 => 0,
        1..24 => 32,
        _ => (bytes + 8).next_multiple_of(16),
    }
}

/// Where the cause of a row stands in the input: the segment that a source numbered when it
/// framed it, and the row in it. Rows that an operator emits take the position of the row or
/// control that caused them; among rows of one cause the order of emission holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u64);

impl Position {
    /// The first position.
    pub const START: Position = Position(0);
    /// After every row: where aggregates speak.
    pub const END: Position = Position(u64::MAX);

    /// The position of a row in a segment; both count from 0.
    pub fn new(segment: u32, row: u32) -> Position {
        Position(u64::from(segment) << 32 | u64::from(row))
    }

    /// The number of the segment.
    pub fn segment(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The number of the row in its segment.
    pub fn row(self) -> u32 {
        self.0 as u32
    }

    /// The position `rows` further on in the same segment.
    pub fn plus(self, rows: usize) -> Position {
        Position(self.0.saturating_add(rows as u64))
    }
}
