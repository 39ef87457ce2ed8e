//! Conditions as checks of classes, contents and other tests.

use super::access::{Access, Candidate};
use super::classes::Classes;
use super::heads::{Heads, Ranges};
use super::line::{Line, set_of};
use super::memo::Memo;
use super::naive::Placed;
use super::patterns::Patterns;
use super::set::{Key, Set};
use super::{Condition, Content};
use crate::plan::expr::Expr;
use crate::planted::is_planted;
use crate::{Context, View};
use hashbrown::HashMap;
use std::sync::Arc;
use wireq_typesys::{
    Bitmap, Column, ColumnDef, Data, FieldPath, Kind, Part, PartData, Position, Positions, Recipe,
    Shape, Slot,
};

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
    /// For each pattern of the matcher, the contents that it is.
    pub(super) contents: Vec<Vec<u32>>,
}

/// A content, its field, and the conditions that it is the access test of.
pub(super) struct ContentTest {
    pub(super) field: usize,
    pub(super) content: Content,
    pub(super) access_of: Vec<u32>,
    text: usize,
}

/// Conditions made ready.
pub(super) struct Compiled {
    pub(super) dimensions: Vec<Dimension>,
    pub(super) words: usize,
    checks: Lists<Check>,
    ranges: Vec<(u32, u32)>,
    /// For each condition its tests of other forms, the cheap ones first.
    pub(super) others: Lists<u32>,
    pub(super) contents: Lists<u32>,
    pub(super) tests: Vec<Placed>,
    pub(super) content_tests: Vec<ContentTest>,
    pub(super) texts: Vec<TextField>,
    /// Conditions that classes can rule out never.
    can_hold: Vec<bool>,
    /// By dimension, conditions by their access test.
    access: Vec<Access>,
    /// Conditions without a check of classes.
    always: Vec<u32>,
    /// Conditions that wait for contents.
    pub(super) heads: Heads,
    pub(super) memo: Memo,
    /// How many look-ups and other tests there are, and the most of them in one condition. Contents
    /// of one field are one.
    pub(super) size: (u64, u64),
}

/// What a condition becomes before classes are known.
struct Parts {
    sets: Vec<(usize, Set)>,
    others: Vec<u32>,
    contents: Vec<u32>,
}

impl Compiled {
    /// Compiles for views like this one.
    pub(super) fn new(
        conditions: &[Condition],
        context: &Context,
        view: View<'_>,
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
        let words = word + 1;
        let mut compiled = Compiled {
            dimensions,
            words,
            checks: Lists::new(),
            ranges: Vec::new(),
            others: Lists::new(),
            contents: Lists::new(),
            tests: collected.tests,
            content_tests: collected.contents,
            texts: Vec::new(),
            can_hold: Vec::new(),
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
            compiled.checks.push(checks);
            compiled.others.push(part.others);
            compiled.contents.push(part.contents);
        }
        compiled.find_contents(collected.texts);
        compiled.find_access();
        compiled.size = compiled.measure();
        Ok(compiled)
    }

    /// How many conditions there are.
    pub(super) fn conditions(&self) -> usize {
        self.can_hold.len()
    }

    fn measure(&self) -> (u64, u64) {
        let tests = self.dimensions.len() + self.texts.len() + self.tests.len();
        let of = |condition: u32| {
            let texts = self.scan_of(condition).count_ones() as usize;
            self.checks.get(condition).len() + self.others.get(condition).len() + texts
        };
        let depth = (0..self.can_hold.len() as u32).map(of).max();
        (tests as u64, depth.unwrap_or(0) as u64)
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
            let worth = |at: &&u32| self.content_tests[**at as usize].content.sought().worth();
            if let Some(best) = contents.max_by_key(worth) {
                self.content_tests[*best as usize].access_of.push(condition);
                access.push((condition, *best));
            }
        }
        // By content, its pattern.
        let mut patterns_of = vec![0; self.content_tests.len()];
        for (text, field) in texts.into_iter().enumerate() {
            let (mut patterns, mut contents) = (Vec::new(), Vec::<Vec<u32>>::new());
            let mut known = HashMap::new();
            for (number, test) in self.content_tests.iter().enumerate() {
                if test.text != text || test.access_of.is_empty() {
                    continue;
                }
                let at = *known
                    .entry(test.content.sought())
                    .or_insert_with_key(|sought| {
                        patterns.push(sought.clone());
                        contents.push(Vec::new());
                        contents.len() - 1
                    });
                contents[at].push(number as u32);
                patterns_of[number] = at as u32;
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
            (checks, text, patterns_of[*content as usize])
        });
        self.heads = Heads::new(&classes, self.texts.len(), waiting);
    }

    /// Chooses the access test of each condition: the one that the fewest rows pass, as far as is
    /// measured or else by how much of the line it takes up.
    pub(super) fn find_access(&mut self) {
        let sums: Vec<Vec<u64>> = self.dimensions.iter().map(Dimension::sums).collect();
        let count = self.dimensions.len();
        let mut access = vec![Vec::new(); count];
        self.always = Vec::new();
        for condition in 0..self.can_hold.len() as u32 {
            let waits = !self.contents.get(condition).is_empty();
            if waits || !self.can_hold[condition as usize] {
                continue;
            }
            let checks = self.checks.get(condition).iter();
            let share = |check: &Check| {
                let sums = &sums[check.dimension as usize];
                let ranges = self.ranges_of(check);
                let rows: u64 = ranges
                    .map(|(a, b)| sums[b as usize + 1] - sums[a as usize])
                    .sum();
                rows as f64 / sums.last().copied().unwrap_or(1).max(1) as f64
            };
            let mut best: Option<(f64, &Check)> = None;
            let mut second: Option<(f64, &Check)> = None;
            for check in checks {
                let share = share(check);
                if best.is_none_or(|(known, _)| share < known) {
                    second = best;
                    best = Some((share, check));
                } else if second.is_none_or(|(known, _)| share < known) {
                    second = Some((share, check));
                }
            }
            match best {
                Some((_, check)) => {
                    let candidate = match second {
                        // Of several ranges, from the first to the last: they are all looked at later.
                        Some((_, second)) if !is_planted("match-access-test-alone") => Candidate {
                            condition,
                            dimension: second.dimension,
                            low: second.low,
                            high: second.high,
                        },
                        _ => Candidate::unchecked(condition),
                    };
                    let ranges = self
                        .ranges_of(check)
                        .map(|(low, high)| (low, high, candidate));
                    access[check.dimension as usize].extend(ranges);
                }
                None => self.always.push(condition),
            }
        }
        let lists = |(list, dimension): (&Vec<(u32, u32, Candidate)>, &Dimension)| {
            Access::new(dimension.classes.count(), list)
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

    /// Whether classes allow a condition to hold.
    #[inline]
    pub(super) fn allows(&self, condition: u32, class: impl Fn(u32) -> u32) -> bool {
        let mut checks = self.checks.get(condition).iter();
        if is_planted("match-access-test-alone") {
            checks.next_back();
        }
        checks.all(|check| {
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

    /// What the classes of a row say: conditions that hold, those that wait for other tests, and the
    /// group of contents to search for.
    pub(super) fn decide(
        &mut self,
        classes: &[u32],
        holds: &mut Vec<u32>,
        waits: &mut Vec<u32>,
    ) -> u32 {
        let mut add = |condition: u32| match self.others.get(condition) {
            [] => holds.push(condition),
            _ => waits.push(condition),
        };
        self.always.iter().for_each(|condition| add(*condition));
        let class = |dimension: u32| classes[dimension as usize];
        for (own, access) in classes.iter().zip(&self.access) {
            access.for_each(*own, classes, |condition| {
                if self.allows(condition, class) {
                    add(condition);
                }
            });
        }
        holds.sort_unstable();
        waits.sort_unstable();
        self.heads.group_of(classes)
    }
}

impl Dimension {
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

/// What conditions are made of, each different part once.
struct Collected<'a> {
    context: &'a Context,
    view: View<'a>,
    places: HashMap<FieldPath, usize>,
    /// What tests met before became: equal ones are many.
    sets: HashMap<Expr, Option<(usize, Set)>>,
    bytes_only: Vec<usize>,
    tests: Vec<Placed>,
    test_numbers: HashMap<Expr, u32>,
    contents: Vec<ContentTest>,
    content_numbers: HashMap<Content, u32>,
    texts: Vec<usize>,
}

impl<'a> Collected<'a> {
    fn new(context: &'a Context, view: View<'a>) -> Collected<'a> {
        let places = context.fields.iter().cloned().zip(0..);
        Collected {
            context,
            view,
            places: places.collect(),
            sets: HashMap::new(),
            bytes_only: Vec::new(),
            tests: Vec::new(),
            test_numbers: HashMap::new(),
            contents: Vec::new(),
            content_numbers: HashMap::new(),
            texts: Vec::new(),
        }
    }

    fn condition(&mut self, condition: &Condition) -> Parts {
        let mut parts = Parts {
            sets: Vec::new(),
            others: Vec::new(),
            contents: Vec::new(),
        };
        for test in &condition.tests {
            match test {
                Expr::Bool(true, _) => continue,
                // Holds for no value of any field; without fields it is tried as it is.
                Expr::Bool(false, _) if !self.context.fields.is_empty() => {
                    let line = |kind: &Kind| Line::of(*kind).is_some();
                    if let Some(field) = self.context.kinds.iter().position(line) {
                        parts.sets.push((field, Set::none()));
                        continue;
                    }
                }
                _ => {}
            }
            match self.set(test) {
                Some((field, set)) => {
                    match parts.sets.iter_mut().find(|(known, _)| *known == field) {
                        Some((_, known)) => *known = known.and(&set),
                        None => parts.sets.push((field, set)),
                    }
                }
                None => {
                    let number = self.test(test);
                    if !parts.others.contains(&number) {
                        parts.others.push(number);
                    }
                }
            }
        }
        parts.sets.retain(|(_, set)| *set != Set::all());
        for content in &condition.contents {
            let number = self.content(content);
            if !parts.contents.contains(&number) {
                parts.contents.push(number);
            }
        }
        parts
    }

    fn set(&mut self, test: &Expr) -> Option<(usize, Set)> {
        if let Some(known) = self.sets.get(test) {
            return known.clone();
        }
        let set = self.new_set(test);
        self.sets.insert(test.clone(), set.clone());
        set
    }

    fn new_set(&mut self, test: &Expr) -> Option<(usize, Set)> {
        let kind = |field: &FieldPath| {
            let place = self.places.get(field);
            let kind = place.and_then(|place| self.context.kinds.get(*place));
            kind.copied().unwrap_or(Kind::Dynamic)
        };
        if let Some((field, set)) = set_of(test, &kind, &self.context.zone) {
            return Some((*self.places.get(&field)?, set));
        }
        let mut fields = test.fields();
        let field = fields.pop().filter(|_| fields.is_empty())?;
        Line::of(kind(&field)).filter(|line| matches!(line, Line::Integer(_)))?;
        let place = *self.places.get(&field)?;
        let set = self.set_of_bytes(test, &field, self.view.column(place)?)?;
        if !self.bytes_only.contains(&place) {
            self.bytes_only.push(place);
        }
        Some((place, set))
    }

    /// The values for which a test of one field of 8 bits holds, whatever the test: all are tried.
    fn set_of_bytes(&self, test: &Expr, field: &FieldPath, column: &Column) -> Option<Set> {
        const BYTES: usize = 256;
        if !matches!(column.data, Data::U8(_)) || column.is_empty() {
            return None;
        }
        let mut values: Vec<u8> = (0..=u8::MAX).collect();
        values.push(0);
        let shape = Arc::new(Shape {
            record_type: None,
            base: vec![ColumnDef {
                path: field.clone(),
                kind: column.kind(),
                recipe: Recipe::Given,
            }],
            extra: Vec::new(),
            summary: Vec::new(),
        });
        let values = Column {
            data: Data::U8(values),
            valid: Bitmap::first(BYTES),
            names: column.names,
        };
        let positions = Positions::Run(Position::START);
        let data = PartData::from_columns(shape, vec![values], BYTES + 1, positions, 0);
        let part = Part::new(Arc::new(data));
        let slots = [Some(Slot::Base(0))];
        let view = View {
            part: &part,
            slots: &slots,
        };
        let own = Context {
            fields: vec![field.clone()],
            kinds: vec![column.kind()],
            ..self.context.clone()
        };
        let holds = Placed::new(test, &own).select(view, &part.selection, &self.context.zone);
        let mut set = Set::none();
        for value in (0..BYTES).filter(|value| holds.get(*value)) {
            let key = Key::of_integer(value as i128);
            set = set.or(&Set::range(key, key));
        }
        set.absent = holds.get(BYTES);
        Some(set)
    }

    fn test(&mut self, test: &Expr) -> u32 {
        if let Some(known) = self.test_numbers.get(test) {
            return *known;
        }
        let number = self.tests.len() as u32;
        self.tests.push(Placed::new(test, self.context));
        self.test_numbers.insert(test.clone(), number);
        number
    }

    fn content(&mut self, content: &Content) -> u32 {
        if let Some(known) = self.content_numbers.get(content) {
            return *known;
        }
        let field = self
            .places
            .get(&content.field)
            .copied()
            .unwrap_or(usize::MAX);
        let text = match self.texts.iter().position(|known| *known == field) {
            Some(text) => text,
            None => {
                self.texts.push(field);
                self.texts.len() - 1
            }
        };
        let number = self.contents.len() as u32;
        self.contents.push(ContentTest {
            field,
            content: content.clone(),
            access_of: Vec::new(),
            text,
        });
        self.content_numbers.insert(content.clone(), number);
        number
    }
}
