//! Dataflow: conditions that begin with the same tests share them, as the roots of SMACQ's graphs
//! do. Tests that many conditions have stand first, so that many share them.

use super::counting::by_dimension;
use super::distinct::{ByTests, Distinct};
use super::stab::Stab;
use crate::View;
use hashbrown::HashMap;
use wireq_typesys::{Bitmap, Zone};

/// A place where some tests were passed.
#[derive(Default)]
struct Place {
    /// The tests that are tried next, and where passing them leads.
    next: Vec<(u32, u32)>,
    /// The conditions that hold here.
    ends: Vec<u32>,
    /// Next tests by dimension: the numbers in `next`.
    checks: Vec<(u32, Stab)>,
    others: Vec<u32>,
}

pub(super) struct Dataflow {
    places: Vec<Place>,
}

impl Dataflow {
    pub(super) fn boxed(tests: &Distinct) -> Box<dyn ByTests> {
        let mut uses = vec![0u32; tests.len()];
        for test in tests.conditions.iter().flat_map(|(_, list)| list) {
            uses[*test as usize] += 1;
        }
        let mut places = vec![Place::default()];
        let mut known: HashMap<(u32, u32), u32> = HashMap::new();
        for (number, list) in &tests.conditions {
            let mut list = list.clone();
            list.sort_by_key(|test| (u32::MAX - uses[*test as usize], *test));
            let mut at = 0u32;
            for test in list {
                at = *known.entry((at, test)).or_insert_with(|| {
                    let new = places.len() as u32;
                    places[at as usize].next.push((test, new));
                    places.push(Place::default());
                    new
                });
            }
            places[at as usize].ends.push(*number);
        }
        for place in &mut places {
            let next = place.next.iter().map(|(test, _)| *test);
            (place.checks, place.others) = by_dimension(tests, next);
            place.next.sort_unstable();
        }
        Box::new(Dataflow { places })
    }
}

impl Place {
    /// Where passing a test leads.
    fn behind(&self, test: u32) -> u32 {
        let at = self.next.binary_search_by_key(&test, |(test, _)| *test);
        at.map_or(0, |at| self.next[at].1)
    }
}

impl ByTests for Dataflow {
    fn find(
        &mut self,
        tests: &mut Distinct,
        view: View<'_>,
        zone: &Zone,
        found: &mut Vec<(u16, u32)>,
    ) {
        let mut stack: Vec<(u32, Bitmap)> = vec![(0, view.part.selection)];
        let mut passing: HashMap<u32, Bitmap> = HashMap::new();
        while let Some((at, rows)) = stack.pop() {
            let place = &self.places[at as usize];
            for number in &place.ends {
                rows.for_each(|row| found.push((row as u16, *number)));
            }
            for test in &place.others {
                let yes = tests.select(*test, view, &rows, zone);
                if !yes.is_empty() {
                    stack.push((place.behind(*test), yes));
                }
            }
            for (dimension, stab) in &place.checks {
                tests.looked_up(rows.count());
                for row in rows.iter() {
                    stab.for_each(tests.class(*dimension, row), |test| {
                        passing.entry(test).or_default().set(row);
                    });
                }
                stack.extend(passing.drain().map(|(test, yes)| (place.behind(test), yes)));
            }
        }
    }
}
