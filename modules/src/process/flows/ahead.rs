//! What an operator makes of the rows of a view whatever came before them, on any thread: see
//! [`Operator::prepare`].
//!
//! [`Operator::prepare`]: wireq_engine::Operator::prepare

use std::mem::take;
use wireq_engine::schedule::output::Output;
use wireq_engine::{Prepared, View};

/// An operator that reads a view first, and then takes in what it read.
pub(super) trait Ahead {
    /// What it makes of the rows of a view.
    type Read: Default + Send + 'static;

    /// Sees what form keys can have, and gives those that there are that form.
    fn decide(&mut self, view: View<'_>);

    /// Reads what follows from the rows alone.
    fn read(&mut self, view: View<'_>, read: &mut Self::Read);

    /// Whether what was read has the keys in the form that they have here.
    fn fits(&self, read: &Self::Read) -> bool;

    /// Takes in a view that was read.
    fn take_view(&mut self, view: View<'_>, read: &Self::Read, out: &mut Output);

    /// Room for one view, for use again.
    fn room(&mut self) -> &mut Self::Read;

    /// Reads views and takes them in, one after another.
    fn step_views(&mut self, views: &[View<'_>], out: &mut Output) {
        let mut read = take(self.room());
        for view in views {
            self.decide(*view);
            self.read(*view, &mut read);
            self.take_view(*view, &read, out);
        }
        *self.room() = read;
    }

    /// Reads views into a room for another operator to take them in.
    fn prepare_views(&mut self, views: &[View<'_>], room: &mut Option<Prepared>) {
        let room = room.get_or_insert_with(|| Box::new(Vec::<Self::Read>::new()));
        let Some(all) = room.downcast_mut::<Vec<Self::Read>>() else {
            return;
        };
        all.resize_with(views.len(), Self::Read::default);
        for (view, read) in views.iter().zip(all) {
            self.decide(*view);
            self.read(*view, read);
        }
    }

    /// Takes in views that another operator read.
    fn step_prepared_views(
        &mut self,
        views: &[View<'_>],
        prepared: &mut Prepared,
        out: &mut Output,
    ) {
        let Some(all) = prepared.downcast_mut::<Vec<Self::Read>>() else {
            return self.step_views(views, out);
        };
        for (view, read) in views.iter().zip(all) {
            self.decide(*view);
            // Who read it may have seen columns of other widths first.
            if !self.fits(read) {
                self.read(*view, read);
            }
            self.take_view(*view, read, out);
        }
    }
}
