//! Counting (Carzaniga and Wolf, SIGCOMM 2003): every different test is tried once; a condition
//! holds where as many of its tests were passed as it has.

use super::distinct::{ByTests, Distinct};
use super::stab::Stab;
use crate::View;
use wireq_typesys::Zone;

pub(super) struct Counting {
    /// By test, the conditions that it is part of.
    of: Vec<Vec<u32>>,
    /// By condition: its number outside, how many tests it has, and how many were passed.
    wanted: Vec<(u32, u32)>,
    passed: Vec<u32>,
    touched: Vec<u32>,
    /// By dimension, the checks of its classes.
    checks: Vec<(u32, Stab)>,
    /// Tests that are tried as they are.
    others: Vec<u32>,
    rows: Vec<Vec<u32>>,
}

impl Counting {
    pub(super) fn boxed(tests: &Distinct) -> Box<dyn ByTests> {
        let mut of = vec![Vec::new(); tests.len()];
        for (at, (_, list)) in tests.conditions.iter().enumerate() {
            for test in list {
                of[*test as usize].push(at as u32);
            }
        }
        let (checks, others) = by_dimension(tests, 0..tests.len() as u32);
        let wanted = tests.conditions.iter();
        Box::new(Counting {
            of,
            wanted: wanted
                .map(|(number, list)| (*number, list.len() as u32))
                .collect(),
            passed: vec![0; tests.conditions.len()],
            touched: Vec::new(),
            checks,
            others,
            rows: Vec::new(),
        })
    }
}

/// Checks of classes as a tree for each dimension, and the other tests.
pub(super) fn by_dimension(
    tests: &Distinct,
    list: impl Iterator<Item = u32>,
) -> (Vec<(u32, Stab)>, Vec<u32>) {
    let mut ranges: Vec<(u32, Vec<(u32, u32, u32)>)> = Vec::new();
    let mut others = Vec::new();
    for test in list {
        let Some((dimension, mine)) = tests.check(test) else {
            others.push(test);
            continue;
        };
        let known = ranges.iter().position(|(known, _)| *known == dimension);
        let at = known.unwrap_or_else(|| {
            ranges.push((dimension, Vec::new()));
            ranges.len() - 1
        });
        let mine = mine.iter().map(|(low, high)| (*low, *high, test));
        ranges[at].1.extend(mine);
    }
    let stab = |(dimension, ranges): (u32, Vec<_>)| {
        (dimension, Stab::new(tests.classes_of(dimension), &ranges))
    };
    (ranges.into_iter().map(stab).collect(), others)
}

impl ByTests for Counting {
    fn find(
        &mut self,
        tests: &mut Distinct,
        view: View<'_>,
        zone: &Zone,
        found: &mut Vec<(u16, u32)>,
    ) {
        let selection = view.part.selection;
        self.rows.resize_with(view.part.data.len(), Vec::new);
        for test in &self.others {
            for row in tests.select(*test, view, &selection, zone).iter() {
                self.rows[row].push(*test);
            }
        }
        tests.looked_up(selection.count() * self.checks.len());
        for row in selection.iter() {
            let passed = &mut self.rows[row];
            for (dimension, stab) in &self.checks {
                stab.for_each(tests.class(*dimension, row), |test| passed.push(test));
            }
            for condition in passed.drain(..).flat_map(|test| &self.of[test as usize]) {
                let count = &mut self.passed[*condition as usize];
                if *count == 0 {
                    self.touched.push(*condition);
                }
                *count += 1;
            }
            for condition in self.touched.drain(..) {
                let (number, wanted) = self.wanted[condition as usize];
                if std::mem::take(&mut self.passed[condition as usize]) == wanted {
                    found.push((row as u16, number));
                }
            }
            let free = self.wanted.iter().filter(|(_, wanted)| *wanted == 0);
            found.extend(free.map(|(number, _)| (row as u16, *number)));
        }
    }
}
