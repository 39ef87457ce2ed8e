//! What modules that keep nothing have in common.

use std::any::Any;
use wireq_engine::arguments::{ArgumentError, Arguments};
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{Error, Operator, Progress, Verdict, View};
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

/// An operator that does `step` with the rows of each view and has nothing to remember.
pub(super) fn rows(step: impl FnMut(View<'_>, &mut Output) + Send + 'static) -> Box<dyn Operator> {
    Box::new(Rows(step))
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

struct Rows<F>(F);

impl<F: FnMut(View<'_>, &mut Output) + Send + 'static> Operator for Rows<F> {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            (self.0)(*view, out);
        }
        Ok(Progress::Continue)
    }

    fn save(&self, _out: &mut Writer) {}

    fn load(&mut self, _from: &mut Reader<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn merge(&mut self, _right: &dyn Operator) -> Result<Verdict, Error> {
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
