//! What the objects of a join fulfil: one alone, several together, and when one is forgotten.

use super::span::Span;
use super::store::{Store, Term};
use super::{Alias, KeptFields, Level, Side, place_of};
use crate::evaluate::Predicate;
use crate::plan::Join;
use crate::plan::expr::Expr;
use crate::{Context, View};
use std::sync::Arc;
use wireq_typesys::{
    Bitmap, Column, ColumnDef, FieldPath, Kind, Part, PartData, Position, Positions, ROWS_MAX,
    Recipe, Shape, Slot, Value, Zone,
};

/// The values that are kept of an object.
pub(super) type Row = Arc<[Value]>;

/// Where a field of a condition comes from.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// The object that is tested, by the number of the value kept.
    Candidate(usize),
    /// One that was found before.
    Found(Term),
    /// Nothing: the object is not there.
    Absent,
}

/// Tests of objects of one alias beside others that are known.
pub(super) struct Condition {
    predicate: Predicate,
    shape: Arc<Shape>,
    slots: Vec<Option<Slot>>,
    sources: Vec<Source>,
    /// For conditions on arrivals: the numbers of the fields in the view.
    places: Vec<usize>,
}

impl Condition {
    fn new(
        tests: Vec<Expr>,
        source: impl Fn(&FieldPath) -> Source,
        context: &Context,
    ) -> Option<Condition> {
        if tests.is_empty() {
            return None;
        }
        let expr = Expr::And(tests);
        let fields = expr.fields();
        let context = Context {
            kinds: vec![Kind::Dynamic; fields.len()],
            fields: fields.clone(),
            ..context.clone()
        };
        let column = |path: &FieldPath| ColumnDef {
            path: path.clone(),
            kind: Kind::Dynamic,
            recipe: Recipe::Given,
        };
        let shape = Shape {
            record_type: None,
            base: fields.iter().map(column).collect(),
            extra: Vec::new(),
            summary: Vec::new(),
        };
        Some(Condition {
            predicate: Predicate::new(&expr, &context),
            shape: Arc::new(shape),
            slots: (0..fields.len())
                .map(|at| Some(Slot::Base(at as u16)))
                .collect(),
            sources: fields.iter().map(source).collect(),
            places: Vec::new(),
        })
    }

    /// The rows of arrivals that fulfil it.
    pub(super) fn passing(&mut self, view: View<'_>, zone: &Zone) -> Bitmap {
        let slot = |place: &usize| view.slots.get(*place).copied().flatten();
        self.slots.clear();
        self.slots.extend(self.places.iter().map(slot));
        let mine = View {
            part: view.part,
            slots: &self.slots,
        };
        self.predicate.select(mine, zone)
    }

    /// The candidates that fulfil it beside what was found before.
    pub(super) fn select(
        &mut self,
        candidates: Vec<Row>,
        found: &[Option<Row>],
        zone: &Zone,
    ) -> Vec<Row> {
        let mut selected = Vec::new();
        for chunk in candidates.chunks(ROWS_MAX) {
            let passing = self.test(chunk.iter(), chunk.len(), found, zone);
            selected.extend(passing.iter().map(|at| Arc::clone(&chunk[at])));
        }
        selected
    }

    /// Which of at most [`ROWS_MAX`] candidates fulfil it.
    fn test<'r>(
        &mut self,
        candidates: impl Iterator<Item = &'r Row> + Clone,
        count: usize,
        found: &[Option<Row>],
        zone: &Zone,
    ) -> Bitmap {
        let column = |source: &Source| match source {
            Source::Candidate(at) => {
                Column::from_values(candidates.clone().map(|row| row[*at].clone()))
            }
            Source::Found(term) => {
                let row = found.get(term.alias).and_then(Option::as_ref);
                let value = row.map_or(Value::Absent, |row| row[term.value].clone());
                Column::from_values(std::iter::repeat_n(value, count))
            }
            Source::Absent => Column::from_values(std::iter::repeat_n(Value::Absent, count)),
        };
        let columns = self.sources.iter().map(column).collect();
        let positions = Positions::All(Position::START);
        let data = PartData::from_columns(Arc::clone(&self.shape), columns, count, positions, 0);
        let part = Part::new(Arc::new(data));
        let view = View {
            part: &part,
            slots: &self.slots,
        };
        self.predicate.select(view, zone)
    }
}

/// When kept objects of one alias are forgotten.
pub(super) struct Until {
    events: Vec<Event>,
}

/// What may end kept objects: arrivals of one alias.
struct Event {
    alias: usize,
    /// Whether they have to have passed what concerns them alone, or not to have; none where
    /// that does not matter.
    passed: Option<bool>,
    /// The columns of the index by which objects are found, and what they are looked up with.
    terms: Vec<(usize, Term)>,
    index: Option<usize>,
    /// The order by a time in which objects are found, where there is no index.
    span: Option<(usize, Span)>,
    /// Whether the span is all that is tested.
    only_span: bool,
    /// What is tested then; none where all end.
    condition: Option<Condition>,
}

impl Until {
    /// Makes the indexes that the events look objects up by.
    pub(super) fn index(&mut self, store: &mut Store) {
        for event in self
            .events
            .iter_mut()
            .filter(|event| !event.terms.is_empty())
        {
            let columns: Vec<usize> = event.terms.iter().map(|(column, _)| *column).collect();
            event.index = Some(store.index(&columns));
        }
        for (timed, span) in self.events.iter_mut().filter_map(|e| e.span.as_mut()) {
            *timed = store.timed(span.column);
        }
    }

    /// Up to when kept objects end with whatever comes of an alias, once nothing of it comes before a
    /// time; by an order of their times.
    pub(super) fn over(&self, alias: usize, mark: i64) -> Option<(usize, i64)> {
        let of_alias = |event: &&Event| event.alias == alias && event.passed != Some(false);
        let events = self.events.iter().filter(of_alias);
        let mut spans = events.filter_map(|event| event.span.as_ref().filter(|_| event.only_span));
        spans.find_map(|(timed, span)| {
            let ends = span.of_mark && span.is_most();
            Some((*timed, span.settled(mark).filter(|_| ends)?))
        })
    }

    /// Forgets the kept objects that an arrival ends.
    pub(super) fn end(
        &mut self,
        alias: usize,
        passes: bool,
        arrival: &Row,
        store: &mut Store,
        zone: &Zone,
    ) {
        for event in &mut self.events {
            let meant = event.passed.is_none_or(|passed| passed == passes);
            if event.alias == alias && meant && store.len() > 0 {
                event.end(arrival, store, zone);
            }
        }
    }
}

impl Event {
    fn end(&mut self, arrival: &Row, store: &mut Store, zone: &Zone) {
        let Some(condition) = &mut self.condition else {
            return store.forget_all();
        };
        let looked_up = self.index.and_then(|index| {
            let values = self
                .terms
                .iter()
                .map(|(_, term)| arrival[term.value].clone());
            store.numbers(index, &values.collect::<Vec<_>>())
        });
        let numbers = looked_up.unwrap_or_else(|| match &self.span {
            Some((timed, span)) => {
                store.within(*timed, &arrival[span.term.value], |time| span.beside(time))
            }
            None => store.numbered().map(|(n, _)| n).collect(),
        });
        let mut found: Vec<Option<Row>> = vec![None; self.alias + 1];
        found[self.alias] = Some(Arc::clone(arrival));
        let mut ended = Vec::new();
        for chunk in numbers.chunks(ROWS_MAX) {
            let rows = chunk.iter().filter_map(|number| store.row(*number));
            let passing = condition.test(rows, chunk.len(), &found, zone);
            ended.extend(passing.iter().map(|at| chunk[at]));
        }
        ended.into_iter().for_each(|number| store.forget(number));
    }
}

/// Makes conditions ready to run.
pub(super) struct Builder<'a> {
    pub(super) join: &'a Join,
    pub(super) context: &'a Context,
    pub(super) kept: &'a KeptFields,
}

impl Builder<'_> {
    /// The number of a field among the values kept of an alias.
    fn value_of(&self, alias: usize, field: &FieldPath) -> Option<usize> {
        let at = self
            .context
            .fields
            .iter()
            .position(|known| known == field)?;
        self.kept[alias].iter().position(|(kept, _)| *kept == at)
    }

    /// What objects of an alias fulfil alone.
    pub(super) fn own(&self, alias: usize) -> Option<Condition> {
        let there = |_: &FieldPath| Some(true);
        let tests = self.join.aliases[alias].own.iter();
        let tests = tests.map(|test| settle(test, self.join, &there)).collect();
        let mut condition = Condition::new(tests, |_| Source::Absent, self.context)?;
        let place = |path: &FieldPath| {
            let (_, field) = place_of(self.join, path)?;
            self.context.fields.iter().position(|known| *known == field)
        };
        let fields = condition.predicate.fields.iter();
        condition.places = fields
            .map(|path| place(path).unwrap_or(usize::MAX))
            .collect();
        Some(condition)
    }

    /// When kept objects of an alias are forgotten: at each arrival that the test names, as an
    /// object of its alias or as one that passed; at one of the alias itself where it names none.
    pub(super) fn until(&self, alias: usize) -> Option<Until> {
        let until = self.join.aliases[alias].until.as_ref()?;
        let mut events = Vec::new();
        for arriving in 0..self.join.aliases.len() {
            let as_new = names(self.join, until, Side::New(arriving))
                || arriving == alias && until.fields().iter().any(is_new);
            let as_object = arriving != alias && names(self.join, until, Side::Alias(arriving));
            let mut event = |passed, as_new| {
                events.push(self.event(alias, until, arriving, passed, as_new));
            };
            match (as_new, as_object) {
                (true, true) => {
                    event(Some(true), true);
                    event(Some(false), false);
                }
                (true, false) => event(Some(true), true),
                (false, true) => event(None, false),
                (false, false) => {}
            }
        }
        if events.is_empty() {
            events.push(self.event(alias, until, alias, Some(true), true));
        }
        Some(Until { events })
    }

    /// What an arrival ends of the objects of an alias; whether it is an object that passed.
    fn event(
        &self,
        alias: usize,
        until: &Expr,
        arriving: usize,
        passed: Option<bool>,
        as_new: bool,
    ) -> Event {
        let is_arrival = |side: Side| match side {
            Side::New(number) => as_new && number == arriving,
            Side::Alias(number) => number == arriving && arriving != alias,
        };
        let there = |path: &FieldPath| {
            if is_new(path) {
                return Some(as_new && arriving == alias);
            }
            let (side, _) = place_of(self.join, path)?;
            Some(is_arrival(side) || side == Side::Alias(alias))
        };
        let test = settle(until, self.join, &there);
        let source = |path: &FieldPath| {
            let place = place_of(self.join, path);
            let Some((side, field)) = place else {
                return Source::Absent;
            };
            let value = |alias| self.value_of(alias, &field);
            let found = |value| {
                Source::Found(Term {
                    alias: arriving,
                    value,
                })
            };
            if is_arrival(side) {
                value(arriving).map_or(Source::Absent, found)
            } else if side == Side::Alias(alias) {
                value(alias).map_or(Source::Absent, Source::Candidate)
            } else {
                Source::Absent
            }
        };
        let mut tests = test.conjuncts();
        let always = |test: &Expr| matches!(test, Expr::Bool(true, _));
        tests.retain(|test| !always(test));
        let mut terms = Vec::new();
        for (left, right) in tests.iter().filter_map(Expr::equal_fields) {
            match (source(left), source(right)) {
                (Source::Candidate(column), Source::Found(term))
                | (Source::Found(term), Source::Candidate(column)) => terms.push((column, term)),
                _ => {}
            }
        }
        let span = match terms.is_empty() {
            true => self.span(&tests, &source),
            false => None,
        };
        Event {
            alias: arriving,
            passed,
            terms,
            index: None,
            only_span: tests.len() == 1,
            span: span.map(|span| (0, span)),
            condition: Condition::new(tests, source, self.context),
        }
    }

    /// How an arrival of an alias is paired: the other aliases in their order, each with what can be
    /// tested once its object is known.
    pub(super) fn levels(&self, arriving: usize, aliases: &mut [Alias]) -> Vec<Level> {
        let there = |_: &FieldPath| Some(true);
        let tests = self.join.condition.iter();
        let mut left: Vec<Expr> = tests.map(|test| settle(test, self.join, &there)).collect();
        let mut bound = vec![arriving];
        let mut levels = Vec::new();
        for alias in (0..aliases.len()).filter(|alias| *alias != arriving) {
            bound.push(alias);
            let is_bound =
                |test: &Expr| sides_of(self.join, test).iter().all(|s| bound.contains(s));
            let (now, later): (Vec<Expr>, Vec<Expr>) = left.into_iter().partition(is_bound);
            left = later;
            levels.push(self.level(alias, now, &mut aliases[alias].store));
        }
        levels
    }

    fn level(&self, alias: usize, tests: Vec<Expr>, store: &mut Store) -> Level {
        let source = |path: &FieldPath| {
            let Some((Side::Alias(side), field)) = place_of(self.join, path) else {
                return Source::Absent;
            };
            match self.value_of(side, &field) {
                Some(value) if side == alias => Source::Candidate(value),
                Some(value) => Source::Found(Term { alias: side, value }),
                None => Source::Absent,
            }
        };
        let (mut columns, mut terms) = (Vec::new(), Vec::new());
        for (left, right) in tests.iter().filter_map(Expr::equal_fields) {
            match (source(left), source(right)) {
                (Source::Candidate(column), Source::Found(term))
                | (Source::Found(term), Source::Candidate(column)) => {
                    columns.push(column);
                    terms.push(term);
                }
                _ => {}
            }
        }
        let span = self.span(&tests, &source);
        Level {
            alias,
            span: match columns.is_empty() {
                true => span.map(|span| (store.timed(span.column), span)),
                false => None,
            },
            index: (!columns.is_empty()).then(|| (store.index(&columns), terms)),
            rest: Condition::new(tests, source, self.context),
        }
    }

    /// The first of some tests that compares two times.
    fn span(&self, tests: &[Expr], source: &dyn Fn(&FieldPath) -> Source) -> Option<Span> {
        // What is a time in the first input, and whether watermarks speak of it.
        let time = |path: &FieldPath| {
            let (side, field) = place_of(self.join, path)?;
            let (Side::Alias(alias) | Side::New(alias)) = side;
            let of_mark = field.as_str() == "ts" && self.join.aliases[alias].has_own_time;
            let mut fields = self.context.fields.iter().zip(&self.context.kinds);
            let is_time = fields.any(|(known, kind)| *known == field && *kind == Kind::Time);
            is_time.then(|| (source(path), of_mark))
        };
        let zone = &self.context.zone;
        tests.iter().find_map(|test| Span::of(test, &time, zone))
    }

    /// What the condition says of the times of two aliases' objects; those of the first are
    /// candidates.
    pub(super) fn beside(&self, alias: usize, other: usize) -> Option<Span> {
        let source = |path: &FieldPath| match place_of(self.join, path) {
            Some((Side::Alias(side), field)) => match self.value_of(side, &field) {
                Some(value) if side == alias => Source::Candidate(value),
                Some(value) if side == other => Source::Found(Term { alias: side, value }),
                _ => Source::Absent,
            },
            _ => Source::Absent,
        };
        let least = |test: &Expr| {
            let span = self.span(std::slice::from_ref(test), &source)?;
            (span.of_mark && span.is_least()).then_some(span)
        };
        self.join.condition.iter().find_map(least)
    }
}

/// Whether a path is the arrival by itself.
fn is_new(path: &FieldPath) -> bool {
    path.as_str() == "new"
}

/// Whether a test names an object.
fn names(join: &Join, test: &Expr, side: Side) -> bool {
    let fields = test.fields();
    let mut places = fields.iter().filter_map(|path| place_of(join, path));
    places.any(|(named, _)| named == side)
}

/// The aliases that a test concerns.
fn sides_of(join: &Join, test: &Expr) -> Vec<usize> {
    let places = test.fields();
    let places = places.iter().filter_map(|path| place_of(join, path));
    places
        .map(|(Side::Alias(alias) | Side::New(alias), _)| alias)
        .collect()
}

/// The test with the questions answered whether an object is there at all.
fn settle(test: &Expr, join: &Join, there: &dyn Fn(&FieldPath) -> Option<bool>) -> Expr {
    let inner = |test: &Expr| settle(test, join, there);
    match test {
        Expr::Exists(path, span) => {
            let place = place_of(join, path);
            let object = is_new(path) || place.is_some_and(|(_, field)| field.as_str().is_empty());
            match there(path).filter(|_| object) {
                Some(there) => Expr::Bool(there, *span),
                None => test.clone(),
            }
        }
        Expr::And(tests) => Expr::And(tests.iter().map(inner).collect()),
        Expr::Or(tests) => Expr::Or(tests.iter().map(inner).collect()),
        Expr::Not(test) => Expr::Not(Box::new(inner(test))),
        Expr::Holds(test) => Expr::Holds(Box::new(inner(test))),
        other => other.clone(),
    }
}

/// Whether only objects meet that are equal in a field of each alias: then parts of a join by that
/// field are joins of their own.
pub(super) fn is_keyed(join: &Join) -> bool {
    let endless = join.aliases.iter().all(|alias| alias.until.is_none());
    let mut joined = vec![0];
    // Each alias has to be equal to one before it in the same field that the others use.
    for alias in 1..join.aliases.len() {
        let reaches = |test: &&Expr| {
            let sides = sides_of(join, test);
            test.equal_fields().is_some()
                && sides.contains(&alias)
                && sides.iter().any(|s| joined.contains(s))
        };
        if join.condition.iter().find(reaches).is_none() {
            return false;
        }
        joined.push(alias);
    }
    endless && join.aliases.len() == 2
}
