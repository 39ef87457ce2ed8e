//! Record types and shapes: which fields objects have and where their columns are.

use crate::{Bitmap, Column, Conversion, FieldPath, Kind, Names};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// One field of a record type, as declared.
#[derive(Clone, Copy, Debug)]
pub struct FieldDef {
    /// The name that output shows.
    pub name: &'static str,
    /// Other names for the same field.
    pub aliases: &'static [&'static str],
    /// What it holds.
    pub kind: Kind,
    /// What it means, in one sentence.
    pub summary: &'static str,
    /// Where it is defined: `RFC 791`.
    pub source: &'static str,
}

/// A kind of object: packet, flow record, log line. Closed types know all their fields.
pub trait RecordType: Send + Sync {
    /// The name, as in `wireq types NAME`.
    fn name(&self) -> &'static str;

    /// What such an object is, in one sentence.
    fn summary(&self) -> &'static str;

    /// The fields. A closed type has these and no others.
    fn fields(&self) -> &'static [FieldDef];

    /// Whether objects may have fields that [`RecordType::fields`] does not list.
    fn open(&self) -> bool {
        false
    }

    /// The fields printed where a query does not say which.
    fn summary_fields(&self) -> &'static [&'static str];

    /// Fills a column with a field of the selected rows. `rows` is what a reader of this type
    /// made. Absent values stay invalid; hostile bytes must not panic.
    fn fill(
        &self,
        rows: &(dyn Any + Send + Sync),
        field: usize,
        selection: &Bitmap,
        column: &mut Column,
    );

    /// Whether a declared field is among those that stand for all of an object's, where a query
    /// asks for all. Others are found by name only: what they hold is in these already, or is of
    /// use to few.
    fn stands_for_all(&self, _field: usize) -> bool {
        true
    }

    /// The number of the field with this name or alias.
    fn field(&self, name: &str) -> Option<usize> {
        self.fields()
            .iter()
            .position(|field| field.name == name || field.aliases.contains(&name))
    }

    /// The number that [`RecordType::fill`] knows a field by, and its kind. A type whose fields are
    /// not known before its input is (a table) says here what it knows; behind the declared fields
    /// the numbers are its own.
    fn resolve(&self, name: &str) -> Option<(usize, Kind)> {
        let field = self.field(name)?;
        Some((field, self.fields()[field].kind))
    }

    /// Names of fields that [`RecordType::fields`] does not list, where the input tells them: the
    /// columns of a table.
    fn more_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// The tables of names that numbers in fields have.
    fn names_of_numbers(&self) -> Vec<&'static Names> {
        let fields = self.fields().iter();
        fields.filter_map(|field| field.kind.names()).collect()
    }
}

impl fmt::Debug for dyn RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a column of a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// Among the columns that belong to the rows.
    Base(u16),
    /// Among the columns attached on the way.
    Extra(u16),
}

/// How a column comes to be.
#[derive(Clone, Copy, Debug)]
pub enum Recipe {
    /// The record type fills it from its rows.
    Field(usize),
    /// A conversion of another column.
    Convert(Slot, &'static Conversion),
    /// The operator that made the part gives it.
    Given,
}

/// One column of a shape.
#[derive(Clone, Debug)]
pub struct ColumnDef {
    /// The path by which it is found.
    pub path: FieldPath,
    /// What it holds.
    pub kind: Kind,
    /// How it comes to be.
    pub recipe: Recipe,
}

/// A record type and the columns its objects carry.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The type of the objects; none for objects that an operator made up.
    pub record_type: Option<Arc<dyn RecordType>>,
    /// The columns that belong to the rows.
    pub base: Vec<ColumnDef>,
    /// The columns attached on the way, in the order of attachment.
    pub extra: Vec<ColumnDef>,
    /// What is printed where a query does not say what.
    pub summary: Vec<FieldPath>,
}

impl Shape {
    /// The column of a path. An attached column hides what the rows have of the same name, and
    /// conversions of it.
    pub fn find(&self, path: &FieldPath) -> Option<Slot> {
        for (at, def) in self.extra.iter().enumerate().rev() {
            if def.path == *path {
                return Some(Slot::Extra(at as u16));
            }
            if matches!(def.recipe, Recipe::Given) && path.is_of(&def.path) {
                return None;
            }
        }
        let at = self.base.iter().position(|def| def.path == *path)?;
        Some(Slot::Base(at as u16))
    }

    /// The declaration of a column.
    pub fn column(&self, slot: Slot) -> &ColumnDef {
        match slot {
            Slot::Base(at) => &self.base[usize::from(at)],
            Slot::Extra(at) => &self.extra[usize::from(at)],
        }
    }

    /// All fields that objects of this shape are known to have: those of the type, then those attached.
    pub fn all_fields(&self) -> Vec<FieldPath> {
        let given = |def: &&ColumnDef| matches!(def.recipe, Recipe::Given);
        let declared = self.record_type.iter().flat_map(|t| declared_names(&**t));
        let carried = self
            .base
            .iter()
            .chain(&self.extra)
            .filter(given)
            .map(|def| def.path.clone());
        let mut fields: Vec<FieldPath> = Vec::new();
        for path in declared.chain(carried) {
            if !fields.contains(&path) {
                fields.push(path);
            }
        }
        fields
    }
}

/// The paths of all fields that objects of a type are known to have, as far as these stand for all.
pub fn declared_names(record_type: &dyn RecordType) -> Vec<FieldPath> {
    let fields = record_type.fields().iter().enumerate();
    let mut names: Vec<FieldPath> = fields
        .filter(|(at, _)| record_type.stands_for_all(*at))
        .map(|(_, field)| FieldPath::new(field.name))
        .collect();
    let more = record_type.more_names();
    names.extend(more.iter().map(|name| FieldPath::new(name)));
    names
}
