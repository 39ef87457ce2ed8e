//! The contents of rows, searched for all at once, for strategies that ask for one after the other.

use super::Content;
use super::naive::bytes_of;
use super::patterns::{Patterns, Wanted};
use crate::View;
use hashbrown::HashMap;
use wireq_typesys::Bitmap;

/// Tests for contents in fields. A row of a field is scanned when it is asked about first.
#[derive(Default)]
pub(super) struct Texts {
    fields: Vec<Text>,
    /// By test: its field's place among those above.
    places: Vec<usize>,
    /// By test, the rows of the part at hand in which any of its contents was found.
    found: Vec<Bitmap>,
    /// The tests of which any was found.
    touched: Vec<u32>,
}

struct Text {
    field: usize,
    patterns: Patterns,
    /// All of them.
    wanted: Wanted,
    /// By pattern, the tests that it is of.
    contents: Vec<Vec<u32>>,
    /// The rows that were scanned.
    scanned: Bitmap,
}

impl Texts {
    /// Tests for any of some contents, each with the place of its field in views; they are numbered in
    /// this order.
    pub(super) fn new(tests: impl Iterator<Item = (usize, Vec<Content>)>) -> Texts {
        let mut fields: Vec<(usize, Vec<_>, Vec<Vec<u32>>)> = Vec::new();
        let mut places = HashMap::new();
        let mut known = HashMap::new();
        let mut all = Vec::new();
        for (number, (field, any)) in (0u32..).zip(tests) {
            let place = *places.entry(field).or_insert_with(|| {
                fields.push((field, Vec::new(), Vec::new()));
                fields.len() - 1
            });
            let (_, patterns, of) = &mut fields[place];
            for content in any {
                let key = (place, content.sought());
                let pattern = *known.entry(key).or_insert_with_key(|(_, sought)| {
                    patterns.push(sought.clone());
                    of.push(Vec::new());
                    of.len() - 1
                });
                of[pattern].push(number);
            }
            all.push(place);
        }
        let text = |(field, patterns, contents): (usize, Vec<_>, _)| {
            let patterns = Patterns::new(patterns);
            Text {
                field,
                wanted: patterns.want(0..patterns.len() as u32),
                patterns,
                contents,
                scanned: Bitmap::EMPTY,
            }
        };
        Texts {
            fields: fields.into_iter().map(text).collect(),
            found: vec![Bitmap::EMPTY; all.len()],
            places: all,
            touched: Vec::new(),
        }
    }

    /// Another part is at hand.
    pub(super) fn clear(&mut self) {
        for content in self.touched.drain(..) {
            self.found[content as usize] = Bitmap::EMPTY;
        }
        for text in &mut self.fields {
            text.scanned = Bitmap::EMPTY;
        }
    }

    /// The rows of `rows` that have any content of a test, and how many rows were scanned for it.
    pub(super) fn select(&mut self, test: u32, view: View<'_>, rows: &Bitmap) -> (Bitmap, u64) {
        let text = &mut self.fields[self.places[test as usize]];
        let fresh = rows.minus(&text.scanned);
        if !fresh.is_empty() {
            text.scanned = text.scanned.or(&fresh);
            let column = view.column(text.field);
            let of = |row: usize| bytes_of(column, row);
            let bytes = fresh.iter().filter_map(|row| Some((row, of(row)?)));
            let contents = &text.contents;
            let (found, touched) = (&mut self.found, &mut self.touched);
            text.patterns.scan(&text.wanted, bytes, |row, pattern, _| {
                for number in &contents[pattern as usize] {
                    let found = &mut found[*number as usize];
                    if found.get(row) {
                        continue;
                    }
                    if found.is_empty() {
                        touched.push(*number);
                    }
                    found.set(row);
                }
            });
        }
        let passing = self.found[test as usize].and(rows);
        (passing, fresh.count() as u64)
    }
}
