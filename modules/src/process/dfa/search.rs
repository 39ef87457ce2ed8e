//! Which machine an object moves: the predicates of transitions, ready to run.

use super::fields::{Fields, Source};
use super::graph::Next;
use super::links::Links;
use super::machines::{Machine, NEVER, Waiting};
use super::program::Transition;
use std::sync::Arc;
use wireq_engine::View;
use wireq_engine::evaluate::Predicate;
use wireq_engine::plan::expr::Expr;
use wireq_typesys::{
    Bitmap, Column, ColumnDef, CompareOp, FieldPath, Kind, Part, PartData, Position, Positions,
    ROWS_MAX, Recipe, Shape, Slot, Value, Zone, holds,
};

/// A transition, ready to run.
pub(super) struct Rule {
    pub(super) from: usize,
    pub(super) next: Next,
    own: Option<Own>,
    beside: Option<Beside>,
}

impl Rule {
    /// `index` gives the number of an index over values of the machines that wait before it.
    pub(super) fn new(
        transition: &Transition,
        fields: &Fields<'_>,
        index: impl FnOnce(&[usize]) -> usize,
    ) -> Rule {
        Rule {
            from: transition.from,
            next: transition.next,
            own: Own::new(&transition.own, fields),
            beside: Beside::new(&transition.beside, fields, index),
        }
    }

    /// The objects of a view that fulfil what concerns them alone.
    pub(super) fn passing(&mut self, view: View<'_>, zone: &Zone) -> Bitmap {
        match &mut self.own {
            Some(own) => own.passing(view, zone),
            None => view.part.selection,
        }
    }

    /// The oldest machine that an object moves, of those that are older than `limit`.
    pub(super) fn oldest(
        &mut self,
        waiting: &Waiting,
        links: &Links,
        object: &Object<'_>,
        limit: u64,
    ) -> Option<u64> {
        let is_near = |(_, machine): &(u64, &Machine)| object.is_near(machine.time);
        let all = waiting
            .machines
            .range(..limit)
            .map(|(age, machine)| (*age, machine));
        let Some(beside) = &mut self.beside else {
            return all.filter(is_near).map(|(age, _)| age).next();
        };
        let values = beside
            .terms
            .iter()
            .map(|field| object.values[*field].clone());
        let values: Vec<Value> = values.collect();
        let index = beside.index.map(|index| &waiting.indexes[index]);
        match index.and_then(|index| index.find(&values)) {
            Some(ages) => {
                let ages = ages.take_while(|age| *age < limit);
                let machines = ages.filter_map(|age| Some((age, waiting.machines.get(&age)?)));
                beside.first(machines.filter(is_near), links, object)
            }
            None => beside.first(all.filter(is_near), links, object),
        }
    }
}

/// An object that has come.
pub(super) struct Object<'a> {
    /// The values of all fields.
    pub(super) values: &'a [Value],
    /// Its time, and how far machines may be from it.
    pub(super) time: i64,
    pub(super) timeout: Option<i64>,
    pub(super) zone: &'a Zone,
}

impl Object<'_> {
    /// Whether a machine that an object of this time moved is near enough.
    fn is_near(&self, time: i64) -> bool {
        let Some(timeout) = self.timeout.filter(|_| time != NEVER && self.time != NEVER) else {
            return true;
        };
        self.time.abs_diff(time) <= timeout.unsigned_abs()
    }
}

/// What an object has to fulfil alone.
struct Own {
    predicate: Predicate,
    places: Vec<Option<usize>>,
    slots: Vec<Option<Slot>>,
}

impl Own {
    fn new(tests: &[Expr], fields: &Fields<'_>) -> Option<Own> {
        if tests.is_empty() {
            return None;
        }
        let expr = Expr::And(tests.to_vec());
        let context = fields.context_of(&expr.fields());
        let predicate = Predicate::new(&expr, &context);
        let place = |path: &FieldPath| match fields.source(path) {
            Source::Object(number) => Some(number),
            Source::Chain(_) | Source::Absent => None,
        };
        Some(Own {
            places: predicate.fields.iter().map(place).collect(),
            predicate,
            slots: Vec::new(),
        })
    }

    fn passing(&mut self, view: View<'_>, zone: &Zone) -> Bitmap {
        let slot = |place: &Option<usize>| view.slots.get((*place)?).copied().flatten();
        self.slots.clear();
        self.slots.extend(self.places.iter().map(slot));
        let mine = View {
            part: view.part,
            slots: &self.slots,
        };
        self.predicate.select(mine, zone)
    }
}

/// What an object has to fulfil beside those that moved a machine.
struct Beside {
    /// The index that finds the machines which it may be equal to, and what it is looked up with.
    index: Option<usize>,
    terms: Vec<usize>,
    /// Comparisons of fields, which are made value by value.
    comparisons: Vec<(CompareOp, Source, Source)>,
    rest: Option<Rest>,
}

impl Beside {
    fn new(
        tests: &[Expr],
        fields: &Fields<'_>,
        index: impl FnOnce(&[usize]) -> usize,
    ) -> Option<Beside> {
        if tests.is_empty() {
            return None;
        }
        let (mut comparisons, mut rest, mut equal) = (Vec::new(), Vec::new(), Vec::new());
        for test in tests {
            let Some((op, left, right)) = test.compared_fields() else {
                rest.push(test.clone());
                continue;
            };
            let (left, right) = (fields.source(left), fields.source(right));
            match (op, left, right) {
                (CompareOp::Equal, Source::Object(field), Source::Chain(value))
                | (CompareOp::Equal, Source::Chain(value), Source::Object(field)) => {
                    equal.push((value, field));
                }
                _ => {}
            }
            comparisons.push((op, left, right));
        }
        // Transitions that go by the same values share an index.
        equal.sort_unstable();
        let columns: Vec<usize> = equal.iter().map(|(value, _)| *value).collect();
        Some(Beside {
            index: (!columns.is_empty()).then(|| index(&columns)),
            terms: equal.iter().map(|(_, field)| *field).collect(),
            comparisons,
            rest: Rest::new(&rest, fields),
        })
    }

    /// The first of some machines for which all holds.
    fn first<'m>(
        &mut self,
        machines: impl Iterator<Item = (u64, &'m Machine)>,
        links: &Links,
        object: &Object<'_>,
    ) -> Option<u64> {
        let mut values = Vec::new();
        let Some(rest) = &mut self.rest else {
            let mut machines = machines;
            let found = machines.find(|(_, machine)| {
                values.clear();
                links.values(&machine.chain, &mut values);
                all_hold(&self.comparisons, &values, object)
            });
            return found.map(|(age, _)| age);
        };
        // Mostly one of the first passes; where none does, they are tested in batches.
        let (mut ages, mut size) = (Vec::new(), 1);
        for (age, machine) in machines {
            let start = values.len();
            links.values(&machine.chain, &mut values);
            if !all_hold(&self.comparisons, &values[start..], object) {
                values.truncate(start);
                continue;
            }
            ages.push(age);
            if ages.len() == size {
                if let Some(first) = rest.first(&ages, &values, object) {
                    return Some(first);
                }
                ages.clear();
                values.clear();
                size = (size * 4).min(ROWS_MAX);
            }
        }
        rest.first(&ages, &values, object)
    }
}

fn all_hold(
    comparisons: &[(CompareOp, Source, Source)],
    chain: &[Value],
    object: &Object<'_>,
) -> bool {
    let value = |source: Source| match source {
        Source::Object(at) => &object.values[at],
        Source::Chain(at) => &chain[at],
        Source::Absent => &Value::Absent,
    };
    let mut comparisons = comparisons.iter();
    comparisons
        .all(|(op, left, right)| holds(*op, value(*left), value(*right), object.zone) == Some(true))
}

/// Tests that are evaluated over rows made up of an object and the chains of machines.
struct Rest {
    predicate: Predicate,
    shape: Arc<Shape>,
    slots: Vec<Option<Slot>>,
    sources: Vec<Source>,
}

impl Rest {
    fn new(tests: &[Expr], fields: &Fields<'_>) -> Option<Rest> {
        if tests.is_empty() {
            return None;
        }
        let expr = Expr::And(tests.to_vec());
        let paths = expr.fields();
        let column = |path: &FieldPath| ColumnDef {
            path: path.clone(),
            kind: Kind::Dynamic,
            recipe: Recipe::Given,
        };
        let shape = Shape {
            record_type: None,
            base: paths.iter().map(column).collect(),
            extra: Vec::new(),
            summary: Vec::new(),
        };
        Some(Rest {
            predicate: Predicate::new(&expr, &fields.context_of(&paths)),
            shape: Arc::new(shape),
            slots: (0..paths.len())
                .map(|at| Some(Slot::Base(at as u16)))
                .collect(),
            sources: paths.iter().map(|path| fields.source(path)).collect(),
        })
    }

    /// The first of at most [`ROWS_MAX`] machines for which the tests hold.
    fn first(&mut self, ages: &[u64], chains: &[Value], object: &Object<'_>) -> Option<u64> {
        let count = ages.len();
        if count == 0 {
            return None;
        }
        let width = chains.len() / count;
        let column = |source: &Source| {
            let value = |row: usize| match source {
                Source::Object(at) => object.values[*at].clone(),
                Source::Chain(at) => chains[row * width + at].clone(),
                Source::Absent => Value::Absent,
            };
            Column::from_values((0..count).map(value))
        };
        let columns = self.sources.iter().map(column).collect();
        let positions = Positions::All(Position::START);
        let data = PartData::from_columns(Arc::clone(&self.shape), columns, count, positions, 0);
        let part = Part::new(Arc::new(data));
        let view = View {
            part: &part,
            slots: &self.slots,
        };
        let passing = self.predicate.select(view, object.zone);
        passing.iter().next().map(|row| ages[row])
    }
}
