//! Many aggregates without keys, each behind a filter of its own, as one state with a group for each.

use super::emit::Emitter;
use super::{States, parts};
use crate::operator::keyed::Around;
use crate::plan::{Tally, hits_column};
use crate::planted::is_planted;
use crate::schedule::output::{Item, Output};
use crate::snapshot::{Reader, Writer};
use crate::{
    Context, Control, Error, Gives, Needs, OnControl, Operator, OperatorSpec, Progress, StateClass,
    Verdict, View, same_operator,
};
use std::any::Any;
use wireq_typesys::{Bitmap, Column, Data, Position, ROWS_MAX};

/// The operator of a tally: rows say which filters pass them, and what each aggregate gives goes to the
/// branch that stands for it.
pub(crate) fn tally(tally: &Tally) -> OperatorSpec {
    let functions = || tally.aggregate.functions.iter();
    let mut needs = vec![hits_column()];
    needs.extend(functions().filter_map(|function| function.spec.field.clone()));
    let class = functions()
        .map(|f| f.spec.class)
        .max_by_key(|class| *class as u8);
    let columns = functions().map(|f| (f.name.clone(), f.kind)).collect();
    let tally = tally.clone();
    OperatorSpec {
        needs: Needs::Fields(needs),
        gives: Gives::Retained(columns),
        class: class.unwrap_or(StateClass::Commutative),
        bound: Some("one state for each statement"),
        on_control: OnControl::React,
        ..OperatorSpec::stateless(Vec::new(), move |context| {
            Box::new(Tallying::new(&tally, context))
        })
    }
}

/// No aggregate stands behind a filter.
const NONE: u32 = u32::MAX;

struct Tallying {
    emitter: Emitter,
    states: States,
    /// For each filter, the number of the aggregate behind it.
    places: Vec<u32>,
    /// Which aggregates have something to say.
    any: Vec<bool>,
    ended: bool,
    rows: Vec<u16>,
    numbers: Vec<u32>,
}

impl Tallying {
    fn new(tally: &Tally, context: &Context) -> Tallying {
        let count = tally.filters.len();
        let last = tally.filters.iter().max().map_or(0, |last| last + 1);
        let mut places = vec![NONE; last];
        for (number, filter) in tally.filters.iter().enumerate() {
            let next = usize::from(is_planted("tally-of-next"));
            places[*filter] = ((number + next) % count) as u32;
        }
        // The column of hits stands where keys do.
        let (emitter, mut states) = parts(&tally.aggregate, 1, context);
        states.grow(count);
        Tallying {
            emitter,
            states,
            places,
            any: vec![tally.aggregate.all; count],
            ended: false,
            rows: Vec::new(),
            numbers: Vec::new(),
        }
    }

    /// Lists rows by the aggregates that take them in; gives how many any takes in.
    fn list(&mut self, hits: Option<&Column>, selection: &Bitmap) -> u64 {
        self.rows.clear();
        self.numbers.clear();
        let Some(Data::List(ranges, ids)) = hits.map(|column| &column.data) else {
            return 0;
        };
        let Data::U32(ids) = &**ids else { return 0 };
        let mut hits = 0;
        selection.for_each(|row| hits += (ranges[row].1 - ranges[row].0) as usize);
        self.rows.resize(hits, 0);
        self.numbers.resize(hits, 0);
        let (rows, numbers) = (self.rows.as_mut_slice(), self.numbers.as_mut_slice());
        let (mut taken, mut len) = (0, 0);
        selection.for_each(|row| {
            let (from, to) = ranges[row];
            let before = len;
            for filter in &ids[from as usize..to as usize] {
                let place = self.places.get(*filter as usize).copied().unwrap_or(NONE);
                (rows[len], numbers[len]) = (row as u16, place);
                len += usize::from(place != NONE);
            }
            taken += u64::from(len > before);
        });
        self.rows.truncate(len);
        self.numbers.truncate(len);
        for number in &self.numbers {
            self.any[*number as usize] = true;
        }
        taken
    }

    /// Gives what each aggregate says, to its branch.
    fn emit(&mut self, position: Position, out: &mut Output) {
        let any = self.any.iter().enumerate().filter(|(_, any)| **any);
        let numbers: Vec<u32> = any.map(|(number, _)| number as u32).collect();
        for piece in numbers.chunks(ROWS_MAX) {
            let groups = piece.iter().map(|number| (&[][..], *number));
            self.emitter.emit_rows(&self.states, groups, position, out);
            let Some(Item::Rows(part)) = out.items.pop() else {
                return;
            };
            for (row, number) in piece.iter().enumerate() {
                let mut only = Bitmap::EMPTY;
                only.set(row);
                out.route(*number, &part, only);
            }
            out.items.push(Item::Rows(part));
        }
    }

    fn forget(&mut self) {
        for number in 0..self.any.len() {
            self.any[number] = false;
            self.states.clear(number as u32);
        }
    }
}

impl Operator for Tallying {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let selection = view.part.selection;
            let taken = self.list(view.column(0), &selection);
            out.account.absorbed += taken;
            out.account.filtered += selection.count() as u64 - taken;
            if taken > 0 {
                self.states.take(*view, &self.rows, &self.numbers);
            }
        }
        Ok(Progress::Continue)
    }

    fn control(
        &mut self,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        match control {
            Control::Close(fields) => {
                // One that says more concerns a part of what each has seen.
                if self.emitter.is_about_groups(&Around::of(fields)) {
                    self.emit(position, out);
                    self.forget();
                    out.control(position, control.clone());
                }
            }
            Control::Flush => {
                self.emit(position, out);
                out.control(position, Control::Flush);
            }
            Control::Watermark(_) => out.control(position, control.clone()),
            // What is given is no row of that input.
            Control::Beside(_) => {}
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), Error> {
        if !std::mem::replace(&mut self.ended, true) {
            self.emit(Position::END, out);
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        self.states.memory() + self.places.len() * size_of::<u32>() + self.any.len()
    }

    fn save(&self, out: &mut Writer) {
        for (number, any) in self.any.iter().enumerate() {
            out.number(u64::from(*any));
            if *any {
                self.states.save(number as u32, out);
            }
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        for number in 0..self.any.len() {
            self.any[number] = from.number()? != 0;
            if self.any[number] {
                self.states.load(number as u32, from)?;
            }
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Tallying>("tally", right)?;
        for number in (0..self.any.len()).filter(|number| right.any[*number]) {
            self.any[number] = true;
            let number = number as u32;
            self.states.merge(number, &right.states, number);
        }
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
