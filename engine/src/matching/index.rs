//! The conditions that hold for the rows of a part.

use super::compile::Compiled;
use super::heads::NOTHING;
use super::memo::Found;
use super::naive::{Naive, bytes_of};
use super::{Condition, Hits, Matcher, Work};
use crate::planted::is_planted;
use crate::{Context, View};
use std::sync::Arc;
use wireq_typesys::{Bitmap, Zone};

/// An index of conditions.
pub struct Index {
    conditions: Arc<[Condition]>,
    context: Context,
    /// Made when the first rows are there: widths of numbers are known then.
    compiled: Option<Box<Compiled>>,
    /// For rows whose columns are of other kinds than the plan says.
    naive: Option<Box<Naive>>,
    scratch: Scratch,
    /// Counts parts until classes are counted next.
    parts: u32,
}

/// Buffers, and what is known of the rows of one part.
#[derive(Default)]
struct Scratch {
    rows: Vec<u16>,
    /// By dimension, the class of each row.
    classes: Vec<Vec<u32>>,
    /// The packed classes, word by word.
    packed: Vec<u64>,
    found: Vec<Found>,
    /// The classes of one row.
    line: Vec<u32>,
    holds: Vec<u32>,
    waits: Vec<u32>,
    /// Row and condition: what waits for other tests, and for which of them.
    pending: Vec<(u16, u32, u32)>,
    /// Row and condition: what was found to hold beyond what classes say.
    late: Vec<(u16, u32)>,
    tests: Vec<Option<Box<Tried>>>,
    touched: Vec<u32>,
    /// For each condition and each content the number of the scan in which it was met last.
    seen: Vec<u32>,
    met: Vec<u32>,
    /// For each content the number of the scan in which it was looked for last, and whether it is
    /// there.
    tried: Vec<(u32, bool)>,
    scan: u32,
    /// How often tests were tried on rows.
    tries: u64,
    /// Rows that were looked at.
    looked: u64,
}

/// What is known of a test in a part.
#[derive(Clone, Copy)]
struct Tried {
    wanted: Bitmap,
    known: Bitmap,
    yes: Bitmap,
}

/// Classes are counted, and access tests chosen anew, in parts whose numbers are powers of four, and
/// in every so many: what that takes is then under a hundredth of the time.
const COUNT_EVERY: u32 = 4096;

impl Index {
    /// Makes an index; views have the columns of `context.fields`, which are at least those of
    /// [`Condition::fields`].
    pub fn new(conditions: Arc<[Condition]>, context: &Context) -> Index {
        Index {
            conditions,
            context: context.clone(),
            compiled: None,
            naive: None,
            scratch: Scratch::default(),
            parts: 0,
        }
    }
}

impl Matcher for Index {
    fn select(&mut self, view: View<'_>, zone: &Zone, hits: &mut Hits) {
        hits.clear();
        if view.part.selection.is_empty() {
            hits.end_rows_to(view.part.data.len());
            return;
        }
        if self.compiled.is_none() {
            let compiled = Compiled::new(&self.conditions, &self.context, view);
            self.compiled = compiled.ok().map(Box::new);
        }
        match &mut self.compiled {
            Some(compiled) if compiled.fit(view) => {
                self.parts = self.parts.wrapping_add(1);
                let grown =
                    self.parts.is_power_of_two() && self.parts.trailing_zeros().is_multiple_of(2);
                let counts = grown || self.parts.is_multiple_of(COUNT_EVERY);
                self.scratch.select(compiled, view, zone, hits);
                if counts {
                    self.scratch.count(compiled);
                }
            }
            _ => {
                let naive = self
                    .naive
                    .get_or_insert_with(|| Box::new(Naive::new(&self.conditions, &self.context)));
                naive.select(view, zone, hits);
            }
        }
    }

    fn work(&mut self) -> Work {
        let naive = self.naive.as_mut().map(|naive| naive.work());
        let mut work = match &self.compiled {
            None => naive.unwrap_or_default(),
            Some(compiled) => {
                let (tests, depth) = compiled.size;
                let more = naive.unwrap_or_default();
                Work {
                    rows: more.rows,
                    tried: more.tried,
                    tests,
                    depth,
                }
            }
        };
        work.rows += std::mem::take(&mut self.scratch.looked);
        work.tried += std::mem::take(&mut self.scratch.tries);
        work
    }
}

impl Compiled {
    /// Whether the columns of a view are of the kinds that classes are for.
    pub(super) fn fit(&self, view: View<'_>) -> bool {
        self.dimensions.iter().all(|dimension| {
            let column = view.column(dimension.field);
            column.is_none_or(|c| c.is_empty() || c.valid.is_empty() || dimension.classes.fit(c))
        })
    }
}

impl Scratch {
    fn select(&mut self, compiled: &mut Compiled, view: View<'_>, zone: &Zone, hits: &mut Hits) {
        self.rows.clear();
        view.part
            .selection
            .for_each(|row| self.rows.push(row as u16));
        self.looked += self.rows.len() as u64;
        self.tries += (self.rows.len() * compiled.dimensions.len()) as u64;
        self.classify(compiled, view);
        self.find(compiled);
        self.late.clear();
        self.pending.clear();
        for (found, row) in self.found.iter().zip(&self.rows) {
            let waits = compiled.memo.ids(found.waits).iter();
            self.pending
                .extend(waits.map(|condition| (*row, *condition, 0)));
        }
        self.scan(compiled, view);
        self.try_others(compiled, view, zone);
        self.gather(compiled, view.part.data.len(), hits);
    }

    fn classify(&mut self, compiled: &mut Compiled, view: View<'_>) {
        let rows = self.rows.len();
        self.classes
            .resize_with(compiled.dimensions.len(), Vec::new);
        self.packed.clear();
        self.packed.resize(rows * compiled.words, 0);
        for (dimension, classes) in compiled.dimensions.iter_mut().zip(&mut self.classes) {
            let column = view.column(dimension.field).filter(|c| !c.valid.is_empty());
            dimension.classes.classify(column, &self.rows, classes);
            let words = &mut self.packed[dimension.word * rows..][..rows];
            for (word, class) in words.iter_mut().zip(classes) {
                *word |= u64::from(*class) << dimension.shift;
            }
        }
    }

    /// What classes say of each row.
    fn find(&mut self, compiled: &mut Compiled) {
        let rows = self.rows.len();
        compiled.memo.make_room(rows);
        self.found.clear();
        let mut key = vec![0; compiled.words];
        let mut last: Option<Found> = None;
        for at in 0..rows {
            let words = self.packed[at..].iter().step_by(rows);
            let mut same = true;
            for (known, word) in key.iter_mut().zip(words) {
                same &= *known == *word;
                *known = *word;
            }
            let found = match last {
                Some(last) if same || is_planted("match-classes-of-last-row") => last,
                _ => match compiled.memo.get(&key) {
                    Some(found) => found,
                    None => self.decide(compiled, &key, at),
                },
            };
            last = Some(found);
            self.found.push(found);
        }
    }

    fn decide(&mut self, compiled: &mut Compiled, key: &[u64], at: usize) -> Found {
        self.holds.clear();
        self.waits.clear();
        self.line.clear();
        self.line
            .extend(self.classes.iter().map(|classes| classes[at]));
        let group = compiled.decide(&self.line, &mut self.holds, &mut self.waits);
        compiled.memo.put(key, &self.holds, &self.waits, group)
    }

    /// Searches for contents, in rows that conditions wait for them in.
    fn scan(&mut self, compiled: &mut Compiled, view: View<'_>) {
        let contents = compiled.content_tests.len();
        self.seen.resize(compiled.conditions(), 0);
        self.met.resize(contents, 0);
        self.tried.resize(contents, (0, false));
        let mut texts = std::mem::take(&mut compiled.texts);
        let mut heads = std::mem::take(&mut compiled.heads);
        for (number, text) in texts.iter_mut().enumerate() {
            let column = view.column(text.field);
            for at in 0..self.rows.len() {
                let group = self.found[at].group;
                if group == NOTHING {
                    continue;
                }
                let Some(wanted) = heads.wanted(group, number, &text.patterns) else {
                    continue;
                };
                self.tries += 1;
                let Some(bytes) = bytes_of(column, self.rows[at].into()) else {
                    continue;
                };
                self.next_scan();
                let (patterns, contents) = (&mut text.patterns, &text.contents);
                let texts = std::iter::once((at, bytes));
                patterns.scan(wanted, texts, |at, pattern, end| {
                    for content in &contents[pattern as usize] {
                        self.met(compiled, view, at, *content, end, bytes.len());
                    }
                });
            }
        }
        (compiled.texts, compiled.heads) = (texts, heads);
    }

    fn next_scan(&mut self) {
        self.scan = self.scan.wrapping_add(1);
        if self.scan == 0 {
            self.seen.fill(0);
            self.met.fill(0);
            self.tried.fill((0, false));
            self.scan = 1;
        }
    }

    /// A content was met in a row: the conditions that are looked for by it are tried.
    fn met(
        &mut self,
        compiled: &Compiled,
        view: View<'_>,
        at: usize,
        content: u32,
        end: usize,
        len: usize,
    ) {
        let test = &compiled.content_tests[content as usize];
        if self.met[content as usize] == self.scan || !test.content.allows(end, len) {
            return;
        }
        self.met[content as usize] = self.scan;
        self.tried[content as usize] = (self.scan, true);
        let row = self.rows[at];
        for condition in &test.access_of {
            if std::mem::replace(&mut self.seen[*condition as usize], self.scan) == self.scan {
                continue;
            }
            let class = |dimension: u32| self.classes[dimension as usize][at];
            if !compiled.allows(*condition, class) {
                continue;
            }
            let mut contents = compiled.contents.get(*condition).iter();
            if contents.all(|other| self.has(compiled, view, row.into(), *other)) {
                match compiled.others.get(*condition) {
                    [] => self.late.push((row, *condition)),
                    _ => self.pending.push((row, *condition, 0)),
                }
            }
        }
    }

    /// Whether a row has a content, looked for at most once a scan.
    fn has(&mut self, compiled: &Compiled, view: View<'_>, row: usize, content: u32) -> bool {
        let (scan, yes) = self.tried[content as usize];
        if scan == self.scan {
            return yes;
        }
        self.tries += 1;
        let test = &compiled.content_tests[content as usize];
        let bytes = bytes_of(view.column(test.field), row);
        let yes = bytes.is_some_and(|bytes| test.content.is_in(bytes));
        self.tried[content as usize] = (self.scan, yes);
        yes
    }

    /// Runs tests of other forms on the rows that conditions wait for them for.
    fn try_others(&mut self, compiled: &mut Compiled, view: View<'_>, zone: &Zone) {
        self.tests.resize(compiled.tests.len(), None);
        while !self.pending.is_empty() {
            let mut wanted: Vec<u32> = Vec::new();
            for (row, condition, next) in &self.pending {
                let test = compiled.others.get(*condition)[*next as usize];
                let tried = self.tests[test as usize].get_or_insert_with(|| {
                    self.touched.push(test);
                    Box::new(Tried::NOTHING)
                });
                if !tried.known.get(usize::from(*row)) {
                    if tried.wanted.is_empty() {
                        wanted.push(test);
                    }
                    tried.wanted.set(usize::from(*row));
                }
            }
            for test in wanted {
                if let Some(tried) = &mut self.tests[test as usize] {
                    let rows = std::mem::take(&mut tried.wanted);
                    self.tries += rows.count() as u64;
                    let yes = compiled.tests[test as usize].select(view, &rows, zone);
                    tried.yes = tried.yes.or(&yes);
                    tried.known = tried.known.or(&rows);
                }
            }
            let (tests, late) = (&self.tests, &mut self.late);
            self.pending.retain_mut(|(row, condition, next)| {
                let others = compiled.others.get(*condition);
                let tried = &tests[others[*next as usize] as usize];
                if !tried.as_ref().is_some_and(|t| t.yes.get(usize::from(*row))) {
                    return false;
                }
                *next += 1;
                let waits = (*next as usize) < others.len();
                if !waits {
                    late.push((*row, *condition));
                }
                waits
            });
        }
        for test in self.touched.drain(..) {
            self.tests[test as usize] = None;
        }
    }

    fn gather(&mut self, compiled: &Compiled, len: usize, hits: &mut Hits) {
        self.late.sort_unstable();
        let mut late = self.late.iter().peekable();
        for (found, row) in self.found.iter().zip(&self.rows) {
            hits.end_rows_to(usize::from(*row));
            let start = hits.ids.len();
            hits.ids.extend_from_slice(compiled.memo.ids(found.holds));
            let before = hits.ids.len();
            while let Some((_, condition)) = late.next_if(|(late, _)| late == row) {
                hits.ids.push(*condition);
            }
            if hits.ids.len() > before {
                hits.ids[start..].sort_unstable();
            }
        }
        hits.end_rows_to(len);
    }

    /// Counts the classes of the rows, and chooses access tests by all that was counted. What was
    /// counted long ago counts less.
    fn count(&self, compiled: &mut Compiled) {
        for (dimension, classes) in compiled.dimensions.iter_mut().zip(&self.classes) {
            let count = dimension.classes.count() as usize;
            dimension.met.resize(count, 0);
            dimension.met.iter_mut().for_each(|met| *met -= *met / 4);
            for class in classes {
                dimension.met[*class as usize] += 1;
            }
        }
        compiled.find_access();
    }
}

impl Tried {
    const NOTHING: Tried = Tried {
        wanted: Bitmap::EMPTY,
        known: Bitmap::EMPTY,
        yes: Bitmap::EMPTY,
    };
}
