//! Conditions as checks of classes, contents and other tests.

use super::access::{Access, Gathered};
use super::bounds::{Bounds, Corner};
use super::classes::Classes;
use super::collect::{Collected, Parts};
use super::demand::worth_of;
use super::expressions::Expressions;
use super::heads::{Heads, Ranges};
use super::line::Line;
use super::masks::Masks;
use super::memo::Memo;
use super::naive::Placed;
use super::patterns::Patterns;
use super::set::Set;
use super::{Condition, Content};
use crate::planted::is_planted;
use crate::{Context, View};
use hashbrown::HashMap;
use std::cmp::Reverse;
use std::ops::Range;
use wireq_typesys::Kind;

/// A field of which classes are looked up.
pub(super) struct Dimension {
    /// Its place in the view.
    pub(super) field: usize,
    pub(super) classes: Classes,
    /// Where its class stands in the packed classes of a row.
    pub(super) word: usize,
    pub(super) shift: u32,
    /// How often each class was met, where that was measured.
    pub(super) met: Vec<u32>,
}

/// The class of a dimension is in a range, or in one of several.
#[derive(Clone, Copy)]
pub(super) struct Check {
    pub(super) dimension: u32,
    low: u32,
    high: u32,
    /// The ranges among all, where there is more than one.
    ranges: (u32, u32),
}

/// Lists one after the other.
pub(super) struct Lists<T> {
    starts: Vec<u32>,
    items: Vec<T>,
}

impl<T> Lists<T> {
    fn new() -> Lists<T> {
        Lists {
            starts: vec![0],
            items: Vec::new(),
        }
    }

    fn push(&mut self, list: impl IntoIterator<Item = T>) {
        self.items.extend(list);
        self.starts.push(self.items.len() as u32);
    }

    #[inline(always)]
    pub(super) fn get(&self, at: u32) -> &[T] {
        let at = at as usize;
        &self.items[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

/// A field of bytes that contents are searched in.
pub(super) struct TextField {
    pub(super) field: usize,
    pub(super) patterns: Patterns,
    /// For each pattern of the matcher, the tests for contents that it is of.
    pub(super) contents: Vec<Vec<u32>>,
}

/// A test for any of some contents, their field, and the conditions that it is the access test of.
pub(super) struct ContentTest {
    pub(super) field: usize,
    pub(super) any: Vec<Content>,
    pub(super) access_of: Vec<u32>,
    pub(super) text: usize,
}

/// Conditions made ready.
pub(super) struct Compiled {
    pub(super) dimensions: Vec<Dimension>,
    pub(super) words: usize,
    checks: Lists<Check>,
    ranges: Vec<(u32, u32)>,
    /// For each condition its checks, compared at once, and whether that is all there is to be said.
    bounds: Vec<Bounds>,
    told: Vec<bool>,
    /// For each condition its tests of other forms.
    pub(super) others: Lists<u32>,
    /// Those among them that have bits, and the bits that each condition wants.
    pub(super) masks: Masks,
    bits: Vec<Option<u32>>,
    /// By test, whether it is tried on rows alone that have contents.
    pub(super) behind_contents: Vec<bool>,
    wanted: Vec<u64>,
    all_others: Lists<u32>,
    pub(super) contents: Lists<u32>,
    pub(super) tests: Vec<Placed>,
    /// Those among them that are expressions tried at once.
    pub(super) expressions: Expressions,
    pub(super) content_tests: Vec<ContentTest>,
    pub(super) texts: Vec<TextField>,
    /// Conditions that classes can rule out never.
    can_hold: Vec<bool>,
    /// For each condition, which of its checks is its access test.
    chosen: Vec<u32>,
    /// Conditions, and their bounds, by how often they are candidates, most first: those that are
    /// compared often stand together.
    order: Vec<u32>,
    ordered: Vec<Bounds>,
    rests: Vec<Rest>,
    /// By dimension: the places of conditions in that order by their access test.
    access: Vec<Access>,
    /// The places of conditions without a check of classes.
    always: Vec<u32>,
    /// Conditions that wait for contents.
    pub(super) heads: Heads,
    pub(super) memo: Memo,
    size: (u64, u64),
}

impl Compiled {
    /// Compiles; for views like one, where there is one already: all tests of fields of 8 bits are
    /// classes then. Otherwise tests of small numbers have bits.
    pub(super) fn new(
        conditions: &[Condition],
        context: &Context,
        view: Option<View<'_>>,
    ) -> Result<Compiled, String> {
        let mut collected = Collected::new(context, view);
        let parts: Vec<Parts> = conditions.iter().map(|c| collected.condition(c)).collect();
        let mut by_field: HashMap<usize, usize> = HashMap::new();
        let mut fields: Vec<usize> = Vec::new();
        for (field, _) in parts.iter().flat_map(|part| &part.sets) {
            by_field.entry(*field).or_insert_with(|| {
                fields.push(*field);
                fields.len() - 1
            });
        }
        let mut sets: Vec<Vec<&Set>> = vec![Vec::new(); fields.len()];
        for (field, set) in parts.iter().flat_map(|part| &part.sets) {
            sets[by_field[field]].push(set);
        }
        let (mut word, mut shift) = (0, 0);
        let mut dimensions = Vec::new();
        for (field, sets) in fields.iter().zip(sets) {
            let kind = context.kinds.get(*field).copied().unwrap_or(Kind::Dynamic);
            let line = Line::of(kind).ok_or("a set of values that have no order")?;
            let bytes_only = collected.bytes_only.contains(field);
            let classes = Classes::new(line, sets.into_iter(), bytes_only);
            let bits = u32::BITS - classes.count().leading_zeros();
            if shift + bits > u64::BITS {
                (word, shift) = (word + 1, 0);
            }
            dimensions.push(Dimension {
                field: *field,
                classes,
                word,
                shift,
                met: Vec::new(),
            });
            shift += bits;
        }
        // One more for the bits of tests.
        let words = word + 1 + usize::from(collected.masks.len() > 0);
        let mut compiled = Compiled {
            dimensions,
            words,
            checks: Lists::new(),
            ranges: Vec::new(),
            bounds: Vec::new(),
            told: Vec::new(),
            others: Lists::new(),
            masks: collected.masks,
            bits: collected.bits,
            behind_contents: collected.behind_contents,
            wanted: Vec::new(),
            all_others: Lists::new(),
            contents: Lists::new(),
            tests: collected.tests,
            expressions: Expressions::new(&collected.expressions),
            content_tests: collected.contents,
            texts: Vec::new(),
            can_hold: Vec::new(),
            chosen: Vec::new(),
            order: Vec::new(),
            ordered: Vec::new(),
            rests: Vec::new(),
            access: Vec::new(),
            always: Vec::new(),
            heads: Heads::default(),
            memo: Memo::new(words),
            size: (0, 0),
        };
        for part in parts {
            let can_hold = part.sets.iter().all(|(_, set)| !set.is_none());
            compiled.can_hold.push(can_hold);
            let checks: Vec<Check> = part
                .sets
                .iter()
                .filter(|_| can_hold)
                .map(|(field, set)| compiled.check(by_field[field], set))
                .collect();
            compiled.bound(&checks);
            compiled.checks.push(checks);
            compiled.all_others.push(part.others);
            compiled.contents.push(part.contents);
        }
        compiled.find_contents(collected.texts);
        compiled.give_bits();
        compiled.find_access();
        Ok(compiled)
    }

    /// How many conditions there are.
    pub(super) fn conditions(&self) -> usize {
        self.can_hold.len()
    }

    /// How many look-ups and other tests there are, and the most of them in one condition. Contents of
    /// one field are one.
    pub(super) fn size(&self) -> (u64, u64) {
        self.size
    }

    fn find_size(&mut self) {
        let others = self.bits.iter().filter(|bit| bit.is_none()).count();
        let (groups, in_groups) = self.expressions.size();
        let others = others - in_groups + groups;
        let tests = self.dimensions.len() + self.masks.len() + self.texts.len() + others;
        let of = |condition: u32| {
            let texts = self.scan_of(condition).count_ones() as usize;
            let masks = usize::from(self.wanted[condition as usize] != 0);
            self.checks.get(condition).len() + self.others.get(condition).len() + masks + texts
        };
        let depth = (0..self.can_hold.len() as u32).map(of).max();
        self.size = (tests as u64, depth.unwrap_or(0) as u64);
    }

    /// Whether there are values for which a condition holds.
    pub(super) fn can_hold(&self, condition: u32) -> bool {
        self.can_hold[condition as usize]
    }

    /// The checks of a condition: dimensions and ranges.
    pub(super) fn checks_of(&self, condition: u32) -> impl Iterator<Item = (u32, Vec<(u32, u32)>)> {
        let checks = self.checks.get(condition).iter();
        checks.map(|check| (check.dimension, self.ranges_of(check).collect()))
    }

    /// Keeps the checks of the next condition so that they are compared at once.
    fn bound(&mut self, checks: &[Check]) {
        let (mut bounds, mut told) = (Bounds::ANY, true);
        let without = usize::from(is_planted("match-access-test-alone"));
        for check in &checks[..checks.len().saturating_sub(without)] {
            told &= bounds.cut(check.dimension, check.low, check.high);
            told &= check.ranges.0 == check.ranges.1;
        }
        self.bounds.push(bounds);
        self.told.push(told);
    }

    /// Divides the tests of other forms: those that have bits, and those that are tried.
    fn give_bits(&mut self) {
        self.others = Lists::new();
        self.wanted.clear();
        for condition in 0..self.can_hold.len() as u32 {
            let all = self.all_others.get(condition).iter();
            let bit = |test: &u32| self.bits[*test as usize];
            let bits = all.clone().filter_map(bit);
            self.wanted.push(bits.fold(0, |all, bit| all | 1 << bit));
            self.others
                .push(all.filter(|test| bit(test).is_none()).copied());
        }
        self.find_size();
    }

    /// Makes ready for a view: the tests of fields that turn out not to be small are tried.
    pub(super) fn suit(&mut self, view: View<'_>) {
        if self.masks.fit(view) {
            return;
        }
        let left = self.masks.keep_fitting(view);
        let is_left = |bit: &u32| left >> bit & 1 == 1;
        for bit in &mut self.bits {
            *bit = bit.filter(is_left);
        }
        self.give_bits();
        self.find_rests();
        self.memo.clear();
    }

    /// Whether classes and bits decide all, contents aside.
    pub(super) fn has_contents(&self) -> bool {
        !self.texts.is_empty()
    }

    fn check(&mut self, dimension: usize, set: &Set) -> Check {
        let ranges = self.dimensions[dimension].classes.ranges(set);
        let low = ranges.first().map_or(0, |range| range.0);
        let high = ranges.last().map_or(0, |range| range.1);
        let start = self.ranges.len() as u32;
        if ranges.len() > 1 {
            self.ranges.extend(&ranges);
        }
        Check {
            dimension: dimension as u32,
            low,
            high,
            ranges: (start, self.ranges.len() as u32),
        }
    }

    /// Of each condition the content that is best to look for is what it is looked for by.
    fn find_contents(&mut self, texts: Vec<usize>) {
        let mut access: Vec<(u32, u32)> = Vec::new();
        for condition in 0..self.can_hold.len() as u32 {
            if !self.can_hold[condition as usize] {
                continue;
            }
            let contents = self.contents.get(condition).iter().rev();
            let worth = |at: &&u32| worth_of(&self.content_tests[**at as usize].any);
            if let Some(best) = contents.max_by_key(worth) {
                self.content_tests[*best as usize].access_of.push(condition);
                access.push((condition, *best));
            }
        }
        // By content test, its patterns.
        let mut patterns_of = vec![Vec::new(); self.content_tests.len()];
        for (text, field) in texts.into_iter().enumerate() {
            let (mut patterns, mut contents) = (Vec::new(), Vec::<Vec<u32>>::new());
            let mut known = HashMap::new();
            for (number, test) in self.content_tests.iter().enumerate() {
                if test.text != text || test.access_of.is_empty() {
                    continue;
                }
                for content in &test.any {
                    let at = *known.entry(content.sought()).or_insert_with_key(|sought| {
                        patterns.push(sought.clone());
                        contents.push(Vec::new());
                        contents.len() - 1
                    });
                    contents[at].push(number as u32);
                    patterns_of[number].push(at as u32);
                }
            }
            self.texts.push(TextField {
                field,
                patterns: Patterns::new(patterns),
                contents,
            });
        }
        let classes = self.dimensions.iter().map(|d| d.classes.count());
        let classes: Vec<u32> = classes.collect();
        let waiting = access.iter().map(|(condition, content)| {
            let text = self.content_tests[*content as usize].text;
            let checks: Vec<Ranges> = self.checks_of(*condition).collect();
            (checks, text, patterns_of[*content as usize].as_slice())
        });
        self.heads = Heads::new(&classes, self.texts.len(), waiting);
    }

    /// Chooses the access test of each condition: the one that the fewest rows pass, as far as is
    /// measured or else by how much of the line it takes up. What was chosen before stays where that
    /// would save little.
    pub(super) fn find_access(&mut self) {
        const LITTLE: f64 = 1.25;
        let sums: Vec<Vec<u64>> = self.dimensions.iter().map(Dimension::sums).collect();
        let share = |check: &Check| {
            let sums = &sums[check.dimension as usize];
            let ranges = self.ranges_of(check);
            let rows: u64 = ranges
                .map(|(a, b)| sums[b as usize + 1] - sums[a as usize])
                .sum();
            rows as f64 / sums.last().copied().unwrap_or(1).max(1) as f64
        };
        let (mut best, mut now) = (0.0, 0.0);
        let mut chosen = Vec::with_capacity(self.can_hold.len());
        let mut often = Vec::with_capacity(self.can_hold.len());
        for condition in 0..self.can_hold.len() as u32 {
            let checks = self.checks.get(condition).iter();
            let mut shares = checks.map(share).zip(0u32..);
            let known = self.chosen.get(condition as usize);
            let least = shares.clone().min_by(|(a, _), (b, _)| a.total_cmp(b));
            let (share, at) = least.unwrap_or((0.0, 0));
            let before = shares.nth(known.map_or(0, |at| *at as usize));
            best += share;
            now += before.map_or(0.0, |(share, _)| share);
            chosen.push(at);
            // In parts of 2 to the 40th.
            often.push((share * (1u64 << 40) as f64) as u64);
        }
        if self.chosen.is_empty() || now > best * LITTLE {
            self.chosen = chosen;
            self.order = (0..self.can_hold.len() as u32).collect();
            self.order
                .sort_by_key(|condition| Reverse(often[*condition as usize]));
            self.list_access();
        }
    }

    fn find_rests(&mut self) {
        let rest = |condition: &u32| Rest {
            wanted: self.wanted[*condition as usize],
            condition: *condition,
            told: self.told[*condition as usize],
            waits: !self.others.get(*condition).is_empty(),
        };
        self.rests = self.order.iter().map(rest).collect();
    }

    fn list_access(&mut self) {
        let bounds = |condition: &u32| self.bounds[*condition as usize];
        self.ordered = self.order.iter().map(bounds).collect();
        self.find_rests();
        let count = self.dimensions.len();
        let mut access = vec![Vec::new(); count];
        self.always = Vec::new();
        for (condition, place) in self.order.iter().copied().zip(0u32..) {
            let waits = !self.contents.get(condition).is_empty();
            if waits || !self.can_hold[condition as usize] {
                continue;
            }
            let checks = self.checks.get(condition);
            match checks.get(self.chosen[condition as usize] as usize) {
                Some(check) => {
                    let ranges = self.ranges_of(check).map(|(low, high)| (low, high, place));
                    access[check.dimension as usize].extend(ranges);
                }
                None => self.always.push(place),
            }
        }
        let lists = |(list, dimension): (&Vec<(u32, u32, u32)>, &Dimension)| {
            Access::new(&dimension.by_met(), list)
        };
        self.access = access.iter().zip(&self.dimensions).map(lists).collect();
    }

    fn ranges_of(&self, check: &Check) -> impl Iterator<Item = (u32, u32)> {
        let (from, to) = check.ranges;
        let several = self.ranges[from as usize..to as usize].iter().copied();
        let one = (from == to).then_some((check.low, check.high));
        one.into_iter().chain(several)
    }

    /// The text fields of a condition's contents as bits; those beyond the last bit share it.
    fn scan_of(&self, condition: u32) -> u64 {
        let contents = self.contents.get(condition).iter();
        let bit = |at: &u32| 1 << self.content_tests[*at as usize].text.min(63);
        contents.map(bit).fold(0, |all, bit: u64| all | bit)
    }

    /// Adds the conditions that may hold for some rows, by their classes: their places in the order of
    /// [`Compiled::ordered`].
    pub(super) fn gather(&self, rows: Range<usize>, classes: &[Vec<u32>], out: &mut Gathered) {
        if !self.always.is_empty() {
            for row in rows.clone() {
                out.extend(row as u16, &self.always);
            }
        }
        for (access, classes) in self.access.iter().zip(classes) {
            if !access.is_empty() {
                access.gather(&classes[rows.clone()], rows.start, out);
            }
        }
    }

    /// What there is beyond bounds to a condition, by its place.
    #[inline(always)]
    pub(super) fn rest_at(&self, place: u32) -> Rest {
        self.rests[place as usize]
    }

    /// The bounds of all conditions by their places.
    #[inline(always)]
    pub(super) fn ordered(&self) -> &[Bounds] {
        &self.ordered
    }

    /// Whether the rest of what classes and bits say allows a condition to hold.
    #[inline(always)]
    pub(super) fn allows_rest(&self, rest: &Rest, bits: u64, class: impl Fn(u32) -> u32) -> bool {
        bits & rest.wanted == rest.wanted && (rest.told || self.checks(rest.condition, class))
    }

    fn checks(&self, condition: u32, class: impl Fn(u32) -> u32) -> bool {
        self.checks.get(condition).iter().all(|check| {
            let class = class(check.dimension);
            if class < check.low || class > check.high {
                return false;
            }
            let (from, to) = check.ranges;
            let ranges = &self.ranges[from as usize..to as usize];
            // The last range that begins at or below the class.
            let at = ranges.partition_point(|(low, _)| *low <= class);
            from == to || at > 0 && class <= ranges[at - 1].1
        })
    }

    /// Whether classes and bits allow a condition to hold for a row.
    #[inline]
    pub(super) fn allows(
        &self,
        condition: u32,
        corner: &Corner,
        bits: u64,
        class: impl Fn(u32) -> u32,
    ) -> bool {
        let wanted = self.wanted[condition as usize];
        self.bounds[condition as usize].hold(corner)
            && bits & wanted == wanted
            && (self.told[condition as usize] || self.checks(condition, class))
    }

    /// What a row says: conditions that hold, those that wait for other tests, and the group of contents
    /// to search for.
    pub(super) fn decide(
        &mut self,
        row: &Row<'_>,
        holds: &mut Vec<u32>,
        waits: &mut Vec<u32>,
    ) -> u32 {
        let class = |dimension: u32| row.classes[dimension as usize];
        let mut add = |place: u32| {
            let rest = &self.rests[place as usize];
            if self.ordered[place as usize].hold(&row.corner)
                && self.allows_rest(rest, row.bits, class)
            {
                match rest.waits {
                    false => holds.push(rest.condition),
                    true => waits.push(rest.condition),
                }
            }
        };
        self.always.iter().for_each(|place| add(*place));
        for (own, access) in row.classes.iter().zip(&self.access) {
            access.for_each(*own, &mut add);
        }
        holds.sort_unstable();
        waits.sort_unstable();
        self.heads.group_of(row.classes)
    }
}

/// What there is beyond bounds to a condition.
#[derive(Clone, Copy)]
pub(super) struct Rest {
    /// The bits that it wants.
    wanted: u64,
    pub(super) condition: u32,
    /// Whether bounds say all of its checks.
    told: bool,
    /// Whether it waits for tests of other forms.
    pub(super) waits: bool,
}

/// What is known of a row.
pub(super) struct Row<'a> {
    pub(super) classes: &'a [u32],
    /// The same, narrower.
    pub(super) corner: Corner,
    /// Of tests that have bits.
    pub(super) bits: u64,
}

impl Dimension {
    /// The classes by how often they were met, most first.
    fn by_met(&self) -> Vec<u32> {
        let mut classes: Vec<u32> = (0..self.classes.count()).collect();
        classes.sort_by_key(|class| Reverse(self.met.get(*class as usize)));
        classes
    }

    /// For each class how often those below it were met; where that was not measured, about how
    /// much of the line they take up.
    fn sums(&self) -> Vec<u64> {
        let count = self.classes.count() as usize;
        let mut sums = Vec::with_capacity(count + 1);
        let mut sum = 0;
        sums.push(sum);
        for class in 0..count {
            // What was never met may still come.
            sum += match self.met.get(class) {
                Some(met) => u64::from(*met) * 64 + 1,
                None => self.classes.guess(class as u32),
            };
            sums.push(sum);
        }
        sums
    }
}
