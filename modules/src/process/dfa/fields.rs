//! Where the fields of predicates are: of the object that comes, or of those kept of a machine.

use super::links::Links;
use super::program::place;
use wireq_engine::Context;
use wireq_typesys::{FieldPath, Kind};

/// Where the value of a field of a predicate is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// Of the object, by the number of the field.
    Object(usize),
    /// Of those that moved the machine, by the number of the value.
    Chain(usize),
    /// Nowhere.
    Absent,
}

/// The fields that predicates read: which there are of objects, which are kept of those before.
pub(super) struct Fields<'a> {
    pub(super) context: &'a Context,
    /// Those that are kept, by their numbers in the view.
    pub(super) kept: &'a [(usize, Kind)],
}

impl Fields<'_> {
    fn number(&self, field: &FieldPath) -> Option<usize> {
        let fields = &self.context.fields;
        fields.iter().position(|known| known == field)
    }

    pub(super) fn source(&self, path: &FieldPath) -> Source {
        let (depth, field) = place(path);
        let number = self.number(&field);
        match (depth, number) {
            (0, number) => number.map_or(Source::Absent, Source::Object),
            (_, None) if !field.as_str().is_empty() => Source::Absent,
            (_, column) => {
                let value = Links::number(self.kept, depth, column);
                value.map_or(Source::Absent, Source::Chain)
            }
        }
    }

    /// The context of a predicate: that of the operator, with the fields that this one reads.
    pub(super) fn context_of(&self, fields: &[FieldPath]) -> Context {
        let kind = |path: &FieldPath| match place(path) {
            (0, field) => self
                .number(&field)
                .and_then(|at| self.context.kinds.get(at).copied()),
            _ => None,
        };
        Context {
            kinds: fields
                .iter()
                .map(|path| kind(path).unwrap_or(Kind::Dynamic))
                .collect(),
            fields: fields.to_vec(),
            ..self.context.clone()
        }
    }
}
