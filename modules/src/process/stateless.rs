//! What modules that keep nothing have in common.

use wireq_engine::arguments::{ArgumentError, Arguments};
pub(super) use wireq_engine::operator::stateless as rows;
use wireq_engine::{Operator, View};
use wireq_typesys::{Bitmap, Column, Data, FieldPath};

/// An operator that passes the rows that `select` picks.
pub(super) fn filter(
    mut select: impl FnMut(View<'_>) -> Bitmap + Send + 'static,
) -> Box<dyn Operator> {
    rows(move |view, out| {
        let passing = select(view);
        out.account.filtered += (view.part.count() - passing.count()) as u64;
        out.pass(view.part, passing);
    })
}

/// The name of an attached column: the value of `-f`, or the module's own.
pub(super) fn column_name(
    module: &str,
    arguments: &Arguments,
    default: &str,
) -> Result<FieldPath, ArgumentError> {
    match arguments.value("-f") {
        Some(word) if word.text.is_empty() => Err(ArgumentError {
            help: Some(format!("without -f the name is `{default}`")),
            ..ArgumentError::at(module, word, "is not the name of a column")
        }),
        Some(word) => Ok(FieldPath::new(&word.text)),
        None => Ok(FieldPath::new(default)),
    }
}

/// A column in which every value is absent.
pub(super) fn absent(len: usize) -> Column {
    Column {
        data: Data::U8(vec![0; len]),
        ..Column::default()
    }
}
