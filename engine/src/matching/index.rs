//! The conditions that hold for the rows of a part.

use super::access::Gathered;
use super::bounds::{Corner, DIMENSIONS, narrow};
use super::compile::{Compiled, Row};
use super::expressions::Told;
use super::heads::NOTHING;
use super::memo::Found;
use super::naive::{Naive, bytes_of};
use super::{Condition, Hits, Matcher, Work};
use crate::planted::is_planted;
use crate::{Context, View};
use std::sync::Arc;
use wireq_typesys::{Bitmap, Data, Zone};

/// An index of conditions.
pub struct Index {
    conditions: Arc<[Condition]>,
    context: Context,
    /// None where that can't be; conditions are tried one by one then.
    compiled: Option<Box<Compiled>>,
    /// For rows whose columns are of other kinds than the plan says.
    naive: Option<Box<Naive>>,
    scratch: Scratch,
    /// Counts parts until classes are counted next.
    parts: u32,
    /// In so many parts more, rows of the same classes are decided once.
    alike: u32,
}

/// Buffers, and what is known of the rows of one part.
#[derive(Default)]
struct Scratch {
    rows: Vec<u16>,
    /// By dimension, the class of each row.
    classes: Vec<Vec<u32>>,
    /// The same by row, as far as they are compared at once.
    corners: Vec<Corner>,
    /// The bits of tests of small numbers; empty where there are none.
    bits: Vec<u64>,
    /// The packed classes, word by word.
    packed: Vec<u64>,
    candidates: Gathered,
    /// How many candidates there were in the part.
    gathered: u64,
    /// The numbers of candidates that are within bounds.
    passed: Vec<u32>,
    /// Row and condition: what holds.
    held: Vec<(u16, u32)>,
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

/// Where rows have more candidates than this in the mean, rows of the same classes are decided once, for
/// so many parts.
const CANDIDATES_MAX: u64 = 64;
const ALIKE_PARTS: u32 = 64;

/// The candidates of so many rows are gathered, and then compared; of fewer where that could be more
/// than so many candidates.
const GATHERED: usize = 256;
const CANDIDATES_GATHERED: usize = 1 << 21;

impl Index {
    /// Makes an index; views have the columns of `context.fields`, which are at least those of
    /// [`Condition::fields`].
    pub fn new(conditions: Arc<[Condition]>, context: &Context) -> Index {
        Index {
            context: context.clone(),
            compiled: Compiled::new(&conditions, context, None).ok().map(Box::new),
            conditions,
            naive: None,
            scratch: Scratch::default(),
            parts: 0,
            alike: 0,
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
        match &mut self.compiled {
            Some(compiled) if compiled.fit(view) => {
                self.parts = self.parts.wrapping_add(1);
                let grown =
                    self.parts.is_power_of_two() && self.parts.trailing_zeros().is_multiple_of(2);
                let counts = grown || self.parts.is_multiple_of(COUNT_EVERY);
                compiled.suit(view);
                compiled.expressions.clear();
                let alike = self.alike > 0 || compiled.has_contents();
                self.scratch.select(compiled, view, zone, alike, hits);
                self.alike = self.alike.saturating_sub(1);
                if self.scratch.gathered > CANDIDATES_MAX * self.scratch.rows.len() as u64 {
                    self.alike = ALIKE_PARTS;
                }
                if counts {
                    self.scratch.count(compiled);
                    // With what was counted there may be fewer candidates.
                    self.alike = 0;
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
                let (tests, depth) = compiled.size();
                let more = naive.unwrap_or_default();
                Work {
                    rows: more.rows,
                    tried: more.tried,
                    tests,
                    depth,
                    ..Work::default()
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
        let dimensions = self.dimensions.iter().all(|dimension| {
            let column = view.column(dimension.field);
            column.is_none_or(|c| c.is_empty() || c.valid.is_empty() || dimension.classes.fit(c))
        });
        dimensions
            && self.texts.iter().all(|text| {
                let column = view.column(text.field).filter(|c| !c.valid.is_empty());
                column.is_none_or(|c| matches!(c.data, Data::Bytes(_) | Data::Text(_)))
            })
    }
}

impl Scratch {
    /// `alike` decides rows of the same classes once.
    fn select(
        &mut self,
        compiled: &mut Compiled,
        view: View<'_>,
        zone: &Zone,
        alike: bool,
        hits: &mut Hits,
    ) {
        self.rows.clear();
        view.part
            .selection
            .for_each(|row| self.rows.push(row as u16));
        self.looked += self.rows.len() as u64;
        let looked_up = compiled.dimensions.len() + compiled.masks.len();
        self.tries += (self.rows.len() * looked_up) as u64;
        self.classify(compiled, view, zone);
        self.late.clear();
        self.pending.clear();
        self.gathered = 0;
        if !alike {
            self.compare(compiled);
            self.try_others(compiled, view, zone);
            self.give(view.part.data.len(), hits);
            return;
        }
        self.pack(compiled);
        self.find(compiled);
        for (found, row) in self.found.iter().zip(&self.rows) {
            let waits = compiled.memo.ids(found.waits).iter();
            self.pending
                .extend(waits.map(|condition| (*row, *condition, 0)));
        }
        self.scan(compiled, view);
        self.try_others(compiled, view, zone);
        self.gather(compiled, view.part.data.len(), hits);
    }

    fn classify(&mut self, compiled: &mut Compiled, view: View<'_>, zone: &Zone) {
        self.classes
            .resize_with(compiled.dimensions.len(), Vec::new);
        self.corners.clear();
        self.corners.resize(self.rows.len(), [0; DIMENSIONS]);
        let dimensions = compiled.dimensions.iter_mut().zip(&mut self.classes);
        for (at, (dimension, classes)) in dimensions.enumerate() {
            let column = view.column(dimension.field).filter(|c| !c.valid.is_empty());
            dimension.classes.classify(column, &self.rows, classes);
            if at < DIMENSIONS {
                for (corner, class) in self.corners.iter_mut().zip(classes) {
                    corner[at] = narrow(*class);
                }
            }
        }
        self.bits.clear();
        if compiled.masks.len() > 0 {
            compiled
                .masks
                .look_up(view, &self.rows, zone, &mut self.bits);
        }
        if is_planted("match-classes-of-last-row") {
            self.corners
                .rotate_right(usize::from(!self.rows.is_empty()));
        }
    }

    /// Compares all candidates of all rows.
    fn compare(&mut self, compiled: &Compiled) {
        self.held.clear();
        let step = CANDIDATES_GATHERED / compiled.conditions().max(1);
        let step = step.clamp(1, GATHERED);
        for from in (0..self.rows.len()).step_by(step) {
            let rows = from..self.rows.len().min(from + step);
            compiled.gather(rows, &self.classes, &mut self.candidates);
            self.compare_gathered(compiled);
        }
    }

    /// Compares those gathered: first their bounds, all alike and without a branch, then for the few
    /// that pass what else there is.
    fn compare_gathered(&mut self, compiled: &Compiled) {
        let len = std::mem::take(&mut self.candidates.len);
        self.gathered += len as u64;
        self.passed.resize(self.passed.len().max(len), 0);
        let (bounds, corners) = (compiled.ordered(), self.corners.as_slice());
        let (places, rows) = (
            &self.candidates.conditions[..len],
            &self.candidates.rows[..len],
        );
        let passed = &mut self.passed[..len];
        let mut count = 0;
        for (number, (place, at)) in places.iter().zip(rows).enumerate() {
            passed[count] = number as u32;
            let holds = bounds[*place as usize].hold(&corners[usize::from(*at)]);
            count += usize::from(holds);
        }
        for number in &passed[..count] {
            let at = usize::from(rows[*number as usize]);
            let rest = compiled.rest_at(places[*number as usize]);
            let bits = self.bits.get(at).copied().unwrap_or(0);
            let class = |dimension: u32| self.classes[dimension as usize][at];
            if compiled.allows_rest(&rest, bits, class) {
                let row = self.rows[at];
                match rest.waits {
                    false => self.held.push((row, rest.condition)),
                    true => self.pending.push((row, rest.condition, 0)),
                }
            }
        }
    }

    /// Gives what was compared, row by row.
    fn give(&mut self, len: usize, hits: &mut Hits) {
        self.held.append(&mut self.late);
        // How many each row has; where each begins; where each ends, which is where the next begins.
        hits.offsets.resize(len + 2, 0);
        for (row, _) in &self.held {
            hits.offsets[usize::from(*row) + 2] += 1;
        }
        let mut sum = 0;
        for begins in &mut hits.offsets {
            sum += *begins;
            *begins = sum;
        }
        hits.ids.resize(self.held.len(), 0);
        for (row, condition) in &self.held {
            let next = &mut hits.offsets[usize::from(*row) + 1];
            hits.ids[*next as usize] = *condition;
            *next += 1;
        }
        hits.offsets.truncate(len + 1);
        if hits.in_any_order {
            return;
        }
        for ends in hits.offsets.windows(2) {
            if ends[1] - ends[0] > 1 {
                hits.ids[ends[0] as usize..ends[1] as usize].sort_unstable();
            }
        }
    }

    fn pack(&mut self, compiled: &Compiled) {
        let rows = self.rows.len();
        self.packed.clear();
        self.packed.resize(rows * compiled.words, 0);
        for (dimension, classes) in compiled.dimensions.iter().zip(&self.classes) {
            let words = &mut self.packed[dimension.word * rows..][..rows];
            for (word, class) in words.iter_mut().zip(classes) {
                *word |= u64::from(*class) << dimension.shift;
            }
        }
        if !self.bits.is_empty() {
            let last = self.packed.len() - rows;
            self.packed[last..].copy_from_slice(&self.bits);
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
                Some(last) if same => last,
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
        let row = Row {
            classes: &self.line,
            corner: self.corners[at],
            bits: self.bits.get(at).copied().unwrap_or(0),
        };
        let group = compiled.decide(&row, &mut self.holds, &mut self.waits);
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
        // Group by group, so that what its rows are searched for is looked up in the cache.
        let searched = (0..self.rows.len() as u32).filter(|at| self.group_of(*at) != NOTHING);
        let mut order: Vec<u32> = searched.collect();
        order.sort_by_key(|at| self.group_of(*at));
        for (number, text) in texts.iter_mut().enumerate() {
            let column = view.column(text.field);
            for at in &order {
                let (group, at) = (self.group_of(*at), *at as usize);
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
                patterns.scan(wanted, texts, |at, pattern, _| {
                    for content in &contents[pattern as usize] {
                        self.met(compiled, view, at, *content);
                    }
                });
            }
        }
        (compiled.texts, compiled.heads) = (texts, heads);
    }

    fn group_of(&self, at: u32) -> u32 {
        self.found[at as usize].group
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
    fn met(&mut self, compiled: &Compiled, view: View<'_>, at: usize, content: u32) {
        let test = &compiled.content_tests[content as usize];
        if self.met[content as usize] == self.scan {
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
            let bits = self.bits.get(at).copied().unwrap_or(0);
            if !compiled.allows(*condition, &self.corners[at], bits, class) {
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
        let is_in = |bytes| test.any.iter().any(|content| content.is_in(bytes));
        let yes = bytes.is_some_and(is_in);
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
                    let told = compiled.expressions.select(test, view, &rows);
                    let told = told.unwrap_or_else(|| Told::nothing(rows));
                    self.tries += told.searched + told.left.count() as u64;
                    tried.yes = tried.yes.or(&told.passing);
                    if !told.left.is_empty() {
                        let yes = compiled.tests[test as usize].select(view, &told.left, zone);
                        tried.yes = tried.yes.or(&yes);
                    }
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
