//! Many conditions on one stream at the price of a few: which of N conditions hold for each row.
//!
//! | file | what |
//! |---|---|
//! | `set`, `line` | a test of one field as a set of its values |
//! | `classes`, `prefixes` | from a value to its class: the vector function of numbers, prefixes and lists |
//! | `masks` | the vector function of bit masks, and of any other test of a small number |
//! | `access`, `stab` | which conditions a class leaves possible: which ranges of classes it is in |
//! | `bounds` | all that a condition asks of classes, compared at once |
//! | `patterns` | the vector function of byte patterns |
//! | `expressions` | the vector function of regular expressions without literals |
//! | `heads` | which contents the classes of a row leave worth a search |
//! | `demand` | which contents tests of texts ask for |
//! | `collect`, `compile` | conditions as checks of classes, contents and other tests |
//! | `memo` | what was found for rows of the same classes |
//! | `index` | the conditions that hold for the rows of a part |
//! | `values` | what tests of one field imply of each other |
//! | `strategy` | which way conditions are matched |
//! | `work`, `alone` | what it took, and what each condition alone would |
//! | `texts` | the contents of rows, for strategies that ask for one content after the other |
//! | `distinct`, `counting`, `dataflow`, `snort` | the same by other strategies |
//! | `naive` | the same, condition by condition: what the index is tested against |
//!
//! Each field that conditions test is looked at once a row, which says of all tests of it whether
//! they hold: the classes of a row's fields decide everything that is a matter of single fields.
//! Candidates are found by the one test of each condition that the fewest rows pass (its access
//! test); for each of them all of its tests are compared at once, as ranges of classes. Where rows
//! have many candidates, or contents are searched for, rows of the same classes are decided once and
//! remembered: traffic repeats itself. Contents are searched for all at once, in each row those of
//! conditions that its classes leave possible. So are the literals of tests of texts, of regular
//! expressions among them. Tests of other forms run last, each at most once a row,
//! and only on rows for which a condition waits for them.

mod access;
mod alone;
mod bounds;
mod classes;
mod collect;
mod compile;
mod counting;
mod dataflow;
mod demand;
mod distinct;
mod expressions;
mod heads;
mod index;
mod line;
mod masks;
mod memo;
mod naive;
mod patterns;
mod prefixes;
mod set;
mod snort;
mod stab;
mod strategy;
#[cfg(test)]
mod tests;
mod texts;
mod values;
mod work;

pub use demand::Demand;
pub use expressions::Expression;
pub use index::Index;
pub use naive::Naive;
pub use patterns::{Pattern, Patterns, Sought, Wanted};
pub use strategy::{Matching, Strategy};
pub use values::Values;
pub use work::Work;

use crate::View;
use crate::plan::expr::Expr;
use wireq_typesys::{Bitmap, Column, Data, FieldPath, Zone};

/// Finds which of many conditions hold.
pub trait Matcher: Send {
    /// The conditions that hold for each selected row.
    fn select(&mut self, view: View<'_>, zone: &Zone, hits: &mut Hits);

    /// What that took since this was asked last.
    fn work(&mut self) -> Work;
}

/// A condition: all of its parts hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Tests, each of which has to be known and true.
    pub tests: Vec<Expr>,
    /// Contents that have to be there.
    pub contents: Vec<Content>,
}

impl From<Expr> for Condition {
    fn from(test: Expr) -> Condition {
        Condition {
            tests: test.conjuncts(),
            contents: Vec::new(),
        }
    }
}

impl Condition {
    /// The fields that conditions read, each once.
    pub fn fields(conditions: &[Condition]) -> Vec<FieldPath> {
        let mut known = hashbrown::HashSet::new();
        let mut fields = Vec::new();
        let mut add = |field: &FieldPath| {
            if !known.contains(field) {
                known.insert(field.clone());
                fields.push(field.clone());
            }
        };
        for condition in conditions {
            for test in &condition.tests {
                test.for_each_field(&mut |field, _| add(field));
            }
            condition
                .contents
                .iter()
                .for_each(|content| add(&content.field));
        }
        fields
    }
}

/// A pattern that occurs in a field of bytes or text: somewhere from `offset` on, within `depth`
/// bytes from there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Content {
    /// The field.
    pub field: FieldPath,
    /// What occurs in it; an empty pattern never does.
    pub pattern: Pattern,
    /// The first byte that may be its first.
    pub offset: usize,
    /// How many bytes from there it may take up; none where that is no matter.
    pub depth: Option<usize>,
    /// Whether it ends where the field ends.
    pub at_end: bool,
}

impl Content {
    /// Bytes that are anywhere in a field.
    pub fn new(field: &FieldPath, bytes: Vec<u8>) -> Content {
        Content {
            field: field.clone(),
            pattern: Pattern {
                bytes,
                nocase: false,
            },
            offset: 0,
            depth: None,
            at_end: false,
        }
    }

    /// What is searched for.
    pub fn sought(&self) -> Sought {
        Sought {
            pattern: self.pattern.clone(),
            from: self.offset,
            until: self.depth.map(|depth| self.offset.saturating_add(depth)),
            at_end: self.at_end,
        }
    }
}

/// For each row of a part the conditions that hold, in ascending order unless any will do.
#[derive(Debug, Default)]
pub struct Hits {
    /// Where the ids of each row begin; one more than there are rows.
    pub offsets: Vec<u32>,
    /// Numbers of conditions.
    pub ids: Vec<u32>,
    /// Whether those of a row may stand in any order.
    pub in_any_order: bool,
}

impl Hits {
    /// The conditions that hold for a row.
    pub fn of(&self, row: usize) -> &[u32] {
        match (self.offsets.get(row), self.offsets.get(row + 1)) {
            (Some(from), Some(to)) => &self.ids[*from as usize..*to as usize],
            _ => &[],
        }
    }

    /// The rows for which any condition holds.
    pub(crate) fn rows(&self) -> Bitmap {
        let rows = self.offsets.len().saturating_sub(1);
        let ends = self.offsets.as_slice();
        Bitmap::from_fn(rows, |row| ends[row] != ends[row + 1])
    }

    /// The conditions that hold for each row as a column of lists; those of rows that have none are
    /// absent.
    pub(crate) fn column(&self, rows: &Bitmap) -> Column {
        let ends = self.offsets.windows(2).map(|ends| (ends[0], ends[1]));
        Column {
            data: Data::List(ends.collect(), Box::new(Data::U32(self.ids.clone()))),
            valid: *rows,
            names: None,
        }
    }

    pub(super) fn clear(&mut self) {
        self.offsets.clear();
        self.ids.clear();
    }

    /// Ends the rows below `row` that have not ended yet.
    pub(super) fn end_rows_to(&mut self, row: usize) {
        self.offsets.resize(row + 1, self.ids.len() as u32);
    }
}
