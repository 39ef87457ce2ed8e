//! The different tests of many conditions, and what strategies other than the index share.

use super::classes::ABSENT;
use super::compile::Compiled;
use super::naive::{Naive, Placed, bytes_of};
use super::texts::Texts;
use super::{Condition, Content, Hits, Matcher, Work};
use crate::plan::expr::Expr;
use crate::{Context, View};
use hashbrown::HashMap;
use std::sync::Arc;
use wireq_typesys::{Bitmap, Zone};

/// A test, met in any number of conditions.
enum Test {
    /// The class of a dimension is in one of some ranges.
    Class(u32, Vec<(u32, u32)>),
    Other(Placed),
    /// One that may be among expressions tried at once, with its number there.
    Expression(Placed, u32),
    Content(usize, Content),
    /// A test for contents of those that are searched for at once.
    InText(u32),
}

/// The different tests, and which of them each condition is made of.
pub(super) struct Distinct {
    tests: Vec<Test>,
    /// Conditions that nothing fulfils are left out.
    pub(super) conditions: Vec<(u32, Vec<u32>)>,
    /// By test, the field or dimension that it is about.
    pub(super) about: Vec<u32>,
    compiled: Option<Box<Compiled>>,
    /// By dimension, the class of each row of the part at hand.
    classes: Vec<Vec<u32>>,
    texts: Texts,
    work: Work,
}

impl Distinct {
    /// The tests as they are written.
    fn one_by_one(conditions: &[Condition], context: &Context) -> Distinct {
        let mut tests = Vec::new();
        let mut about = Vec::new();
        let mut known: HashMap<&Expr, u32> = HashMap::new();
        let mut contents: HashMap<&Content, u32> = HashMap::new();
        let mut lists = Vec::new();
        let place = |field: &wireq_typesys::FieldPath| {
            let place = context.fields.iter().position(|known| known == field);
            place.unwrap_or(usize::MAX)
        };
        for (condition, number) in conditions.iter().zip(0..) {
            let mut list = Vec::new();
            for test in &condition.tests {
                let at = *known.entry(test).or_insert_with(|| {
                    tests.push(Test::Other(Placed::new(test, context)));
                    about.push(test.fields().first().map_or(0, &place) as u32);
                    tests.len() as u32 - 1
                });
                list.push(at);
            }
            for content in &condition.contents {
                let at = *contents.entry(content).or_insert_with(|| {
                    tests.push(Test::Content(place(&content.field), content.clone()));
                    about.push(place(&content.field) as u32);
                    tests.len() as u32 - 1
                });
                list.push(at);
            }
            lists.push((number, unique(list)));
        }
        let mut distinct = Distinct {
            tests,
            conditions: lists,
            about,
            compiled: None,
            classes: Vec::new(),
            texts: Texts::default(),
            work: Work::default(),
        };
        distinct.count_each();
        distinct
    }

    /// The tests as checks of classes, where they can be.
    fn by_classes(
        conditions: &[Condition],
        context: &Context,
        view: View<'_>,
    ) -> Result<Distinct, String> {
        let mut compiled = Compiled::new(conditions, context, Some(view))?;
        let mut tests = Vec::new();
        let mut about = Vec::new();
        let mut lists = Vec::new();
        let mut known = HashMap::new();
        let dimensions = compiled.dimensions.len() as u32;
        for condition in 0..conditions.len() as u32 {
            if !compiled.can_hold(condition) {
                continue;
            }
            let mut list = Vec::new();
            for (dimension, ranges) in compiled.checks_of(condition) {
                let at = *known.entry((dimension, ranges)).or_insert_with_key(|key| {
                    tests.push(Test::Class(key.0, key.1.clone()));
                    about.push(key.0);
                    tests.len() as u32 - 1
                });
                list.push(at);
            }
            lists.push((condition, list));
        }
        let others = tests.len() as u32;
        for (number, placed) in (0..).zip(std::mem::take(&mut compiled.tests)) {
            tests.push(Test::Expression(placed, number));
            about.push(dimensions);
        }
        let contents = tests.len() as u32;
        for (at, _) in (0..).zip(&compiled.content_tests) {
            tests.push(Test::InText(at));
            about.push(dimensions + 1);
        }
        let all = compiled.content_tests.iter();
        let texts = Texts::new(all.map(|test| (test.field, test.any.clone())));
        for (condition, list) in &mut lists {
            let own = compiled.others.get(*condition).iter();
            let is_behind = |at: &&u32| compiled.behind_contents[**at as usize];
            list.extend(
                own.clone()
                    .filter(|at| !is_behind(at))
                    .map(|at| others + at),
            );
            let own_contents = compiled.contents.get(*condition).iter();
            list.extend(own_contents.map(|at| contents + at));
            list.extend(own.filter(is_behind).map(|at| others + at));
        }
        let (size, depth) = compiled.size();
        Ok(Distinct {
            tests,
            conditions: lists,
            about,
            compiled: Some(Box::new(compiled)),
            classes: Vec::new(),
            texts,
            work: Work {
                tests: size,
                depth,
                ..Work::default()
            },
        })
    }

    /// How many different tests there are.
    pub(super) fn len(&self) -> usize {
        self.tests.len()
    }

    /// Whether a test is one of contents.
    pub(super) fn is_content(&self, test: u32) -> bool {
        matches!(
            self.tests[test as usize],
            Test::Content(..) | Test::InText(_)
        )
    }

    /// Tests of a field are tried one by one.
    fn count_each(&mut self) {
        let lens = self.conditions.iter().map(|(_, list)| list.len());
        self.work.depth = lens.max().unwrap_or(0) as u64;
        self.work.tests = self.tests.len() as u64;
    }

    /// How many classes a dimension has.
    pub(super) fn classes_of(&self, dimension: u32) -> u32 {
        let compiled = self.compiled.as_ref();
        compiled.map_or(1, |c| c.dimensions[dimension as usize].classes.count())
    }

    /// The dimension and the ranges of a check of classes.
    pub(super) fn check(&self, test: u32) -> Option<(u32, &[(u32, u32)])> {
        match &self.tests[test as usize] {
            Test::Class(dimension, ranges) => Some((*dimension, ranges)),
            _ => None,
        }
    }

    /// The class of a row.
    pub(super) fn class(&self, dimension: u32, row: usize) -> u32 {
        let classes = self.classes.get(dimension as usize);
        classes.and_then(|c| c.get(row)).copied().unwrap_or(ABSENT)
    }

    /// Counts look-ups of classes.
    pub(super) fn looked_up(&mut self, rows: usize) {
        self.work.tried += rows as u64;
    }

    /// Looks up the classes of a part; false where its columns are of other kinds.
    fn enter(&mut self, view: View<'_>) -> bool {
        if let Some(compiled) = &self.compiled
            && !compiled.fit(view)
        {
            return false;
        }
        self.work.rows += view.part.count() as u64;
        let Some(compiled) = &mut self.compiled else {
            return true;
        };
        self.texts.clear();
        compiled.expressions.clear();
        let rows: Vec<u16> = (0..view.part.data.len() as u16).collect();
        self.classes
            .resize_with(compiled.dimensions.len(), Vec::new);
        for (dimension, classes) in compiled.dimensions.iter_mut().zip(&mut self.classes) {
            let column = view.column(dimension.field).filter(|c| !c.valid.is_empty());
            dimension.classes.classify(column, &rows, classes);
        }
        true
    }

    /// The rows of `rows` that pass a test.
    pub(super) fn select(
        &mut self,
        test: u32,
        view: View<'_>,
        rows: &Bitmap,
        zone: &Zone,
    ) -> Bitmap {
        if let Test::InText(at) = self.tests[test as usize] {
            let (passing, scanned) = self.texts.select(at, view, rows);
            self.work.tried += scanned;
            return passing;
        }
        if let (Test::Expression(placed, number), Some(compiled)) =
            (&mut self.tests[test as usize], &mut self.compiled)
            && let Some(told) = compiled.expressions.select(*number, view, rows)
        {
            self.work.tried += told.searched + told.left.count() as u64;
            return match told.left.is_empty() {
                true => told.passing,
                false => told.passing.or(&placed.select(view, &told.left, zone)),
            };
        }
        self.work.tried += rows.count() as u64;
        match &mut self.tests[test as usize] {
            Test::InText(_) => Bitmap::EMPTY,
            Test::Class(dimension, ranges) => {
                let classes = &self.classes[*dimension as usize];
                let is_in = |row: &usize| {
                    let class = classes.get(*row).copied().unwrap_or(ABSENT);
                    let at = ranges.partition_point(|(low, _)| *low <= class);
                    at > 0 && class <= ranges[at - 1].1
                };
                rows.iter().filter(is_in).collect()
            }
            Test::Other(placed) | Test::Expression(placed, _) => placed.select(view, rows, zone),
            Test::Content(field, content) => {
                let column = view.column(*field);
                let has = |row: &usize| bytes_of(column, *row).is_some_and(|t| content.is_in(t));
                rows.iter().filter(has).collect()
            }
        }
    }
}

/// Without what stands in a list twice.
fn unique(list: Vec<u32>) -> Vec<u32> {
    let mut kept: Vec<u32> = Vec::with_capacity(list.len());
    for test in list {
        if !kept.contains(&test) {
            kept.push(test);
        }
    }
    kept
}

/// A way to match that goes by the different tests.
pub(super) trait ByTests: Send {
    /// Finds the conditions that hold for the selected rows of a part: row and condition.
    fn find(
        &mut self,
        tests: &mut Distinct,
        view: View<'_>,
        zone: &Zone,
        found: &mut Vec<(u16, u32)>,
    );

    /// Whether tests of a field are one look-up.
    fn looks_up(&self) -> bool {
        true
    }
}

/// A matcher that goes by the different tests.
pub(super) struct TestMatcher {
    conditions: Arc<[Condition]>,
    context: Context,
    /// Whether tests of a field are one look-up.
    vector: bool,
    make: fn(&Distinct) -> Box<dyn ByTests>,
    ready: Option<(Distinct, Box<dyn ByTests>)>,
    naive: Option<Box<Naive>>,
    found: Vec<(u16, u32)>,
}

impl TestMatcher {
    pub(super) fn new(
        conditions: Arc<[Condition]>,
        vector: bool,
        context: &Context,
        make: fn(&Distinct) -> Box<dyn ByTests>,
    ) -> TestMatcher {
        TestMatcher {
            conditions,
            context: context.clone(),
            vector,
            make,
            ready: None,
            naive: None,
            found: Vec::new(),
        }
    }

    fn ready(&mut self, view: View<'_>) -> Option<&mut (Distinct, Box<dyn ByTests>)> {
        if self.ready.is_none() {
            let mut distinct = match self.vector {
                true => Distinct::by_classes(&self.conditions, &self.context, view).ok()?,
                false => Distinct::one_by_one(&self.conditions, &self.context),
            };
            let strategy = (self.make)(&distinct);
            if !strategy.looks_up() {
                distinct.count_each();
            }
            self.ready = Some((distinct, strategy));
        }
        self.ready.as_mut()
    }
}

impl Matcher for TestMatcher {
    fn select(&mut self, view: View<'_>, zone: &Zone, hits: &mut Hits) {
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let fits = match self.ready(view) {
            Some((tests, strategy)) => {
                let fits = tests.enter(view);
                if fits {
                    strategy.find(tests, view, zone, &mut found);
                }
                fits
            }
            None => false,
        };
        if fits {
            found.sort_unstable();
            hits.clear();
            for (row, condition) in &found {
                hits.end_rows_to(usize::from(*row));
                hits.ids.push(*condition);
            }
            hits.end_rows_to(view.part.data.len());
        } else {
            let naive = self
                .naive
                .get_or_insert_with(|| Box::new(Naive::new(&self.conditions, &self.context)));
            naive.select(view, zone, hits);
        }
        self.found = found;
    }

    fn work(&mut self) -> Work {
        let naive = self.naive.as_mut().map(|naive| naive.work());
        let mut work = naive.unwrap_or_default();
        if let Some((distinct, _)) = &mut self.ready {
            let none = Work {
                rows: 0,
                tried: 0,
                ..distinct.work
            };
            let own = std::mem::replace(&mut distinct.work, none);
            work = Work {
                rows: own.rows + work.rows,
                tried: own.tried + work.tried,
                ..own
            };
        }
        work
    }
}
