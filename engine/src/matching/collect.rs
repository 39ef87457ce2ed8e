//! What conditions are made of: sets of values, contents, and tests of other forms.

use super::compile::ContentTest;
use super::line::{Line, set_of};
use super::masks::{Masks, part_of};
use super::naive::Placed;
use super::set::{Key, Set};
use super::{Condition, Content, Demand, Expression};
use crate::plan::expr::Expr;
use crate::{Context, View};
use hashbrown::HashMap;
use wireq_typesys::{Bitmap, Column, ColumnDef, Data, FieldPath, Kind, Recipe, Slot};

/// What a condition becomes before classes are known.
pub(super) struct Parts {
    pub(super) sets: Vec<(usize, Set)>,
    pub(super) others: Vec<u32>,
    pub(super) contents: Vec<u32>,
}

/// What conditions are made of, each different part once.
pub(super) struct Collected<'a> {
    context: &'a Context,
    view: Option<View<'a>>,
    places: HashMap<FieldPath, usize>,
    /// What tests met before became: equal ones are many.
    sets: HashMap<&'a Expr, Option<(usize, Set)>>,
    pub(super) bytes_only: Vec<usize>,
    pub(super) tests: Vec<Placed>,
    test_numbers: HashMap<&'a Expr, u32>,
    /// Tests that have bits, and the bits by the number of the test.
    pub(super) masks: Masks,
    pub(super) bits: Vec<Option<u32>>,
    pub(super) contents: Vec<ContentTest>,
    content_numbers: HashMap<Vec<Content>, u32>,
    /// Whether a test is tried on rows alone that have contents.
    pub(super) behind_contents: Vec<bool>,
    /// What tests met before ask of texts.
    demands: HashMap<&'a Expr, Option<Demand>>,
    /// Tests that are regular expressions: their numbers, and the places of their fields.
    pub(super) expressions: Vec<(u32, usize, Expression)>,
    pub(super) texts: Vec<usize>,
}

impl<'a> Collected<'a> {
    pub(super) fn new(context: &'a Context, view: Option<View<'a>>) -> Collected<'a> {
        let places = context.fields.iter().cloned().zip(0..);
        Collected {
            context,
            view,
            places: places.collect(),
            sets: HashMap::new(),
            bytes_only: Vec::new(),
            tests: Vec::new(),
            test_numbers: HashMap::new(),
            masks: Masks::default(),
            bits: Vec::new(),
            contents: Vec::new(),
            content_numbers: HashMap::new(),
            behind_contents: Vec::new(),
            demands: HashMap::new(),
            expressions: Vec::new(),
            texts: Vec::new(),
        }
    }

    pub(super) fn condition(&mut self, condition: &'a Condition) -> Parts {
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
                None => self.other(test, &mut parts),
            }
        }
        parts.sets.retain(|(_, set)| *set != Set::all());
        for content in &condition.contents {
            self.content(std::slice::from_ref(content), &mut parts);
        }
        parts
    }

    /// A test that is no set of values: the contents that it asks for, and itself where there is more
    /// to it.
    fn other(&mut self, test: &'a Expr, parts: &mut Parts) {
        let demand = match self.demands.get(test) {
            Some(known) => known.clone(),
            None => {
                let demand = Demand::of(test, &|field| self.kind(field));
                self.demands.insert(test, demand.clone());
                demand
            }
        };
        let has_contents = demand.as_ref().is_some_and(|demand| !demand.all.is_empty());
        let mut expression = None;
        if let Some(demand) = demand {
            expression = demand.expression;
            for any in &demand.all {
                self.content(any, parts);
            }
            if demand.tells {
                return;
            }
        }
        let fresh = self.tests.len() as u32;
        let number = self.test(test);
        self.behind_contents[number as usize] = has_contents;
        if let Some(expression) = expression.filter(|_| number == fresh)
            && let Some(place) = self.places.get(&expression.field)
        {
            self.expressions.push((number, *place, expression));
        }
        if !parts.others.contains(&number) {
            parts.others.push(number);
        }
    }

    fn kind(&self, field: &FieldPath) -> Kind {
        let place = self.places.get(field);
        let kind = place.and_then(|place| self.context.kinds.get(*place));
        kind.copied().unwrap_or(Kind::Dynamic)
    }

    fn set(&mut self, test: &'a Expr) -> Option<(usize, Set)> {
        if let Some(known) = self.sets.get(test) {
            return known.clone();
        }
        let set = self.new_set(test);
        self.sets.insert(test, set.clone());
        set
    }

    fn new_set(&mut self, test: &Expr) -> Option<(usize, Set)> {
        let kind = |field: &FieldPath| self.kind(field);
        if let Some((field, set)) = set_of(test, &kind, &self.context.zone) {
            return Some((*self.places.get(&field)?, set));
        }
        let field = test.only_field()?;
        Line::of(kind(&field)).filter(|line| matches!(line, Line::Integer(_)))?;
        let place = *self.places.get(&field)?;
        let set = self.set_of_bytes(test, &field, self.view?.column(place)?)?;
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
        let def = ColumnDef {
            path: field.clone(),
            kind: column.kind(),
            recipe: Recipe::Given,
        };
        let values = Column {
            data: Data::U8(values),
            valid: Bitmap::first(BYTES),
            names: column.names,
        };
        let part = part_of(def, values);
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

    fn test(&mut self, test: &'a Expr) -> u32 {
        if let Some(known) = self.test_numbers.get(test) {
            return *known;
        }
        let number = self.tests.len() as u32;
        self.tests.push(Placed::new(test, self.context));
        let bit = self.bit(test);
        self.bits.push(bit);
        self.behind_contents.push(false);
        self.test_numbers.insert(test, number);
        number
    }

    /// The bit of a test of one field that may be small.
    fn bit(&mut self, test: &Expr) -> Option<u32> {
        let field = test.only_field()?;
        let place = *self.places.get(&field)?;
        let kind = *self.context.kinds.get(place)?;
        let is_number = matches!(Line::of(kind), Some(Line::Integer(_)));
        if self.view.is_some() || !is_number {
            return None;
        }
        self.masks.add(test, &field, place, kind, self.context)
    }

    /// A test for any of some contents of one field.
    fn content(&mut self, any: &[Content], parts: &mut Parts) {
        let number = match self.content_numbers.get(any) {
            Some(known) => *known,
            None => self.new_content(any),
        };
        if !parts.contents.contains(&number) {
            parts.contents.push(number);
        }
    }

    fn new_content(&mut self, any: &[Content]) -> u32 {
        let place = any
            .first()
            .and_then(|content| self.places.get(&content.field));
        let field = place.copied().unwrap_or(usize::MAX);
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
            any: any.to_vec(),
            access_of: Vec::new(),
            text,
        });
        self.content_numbers.insert(any.to_vec(), number);
        number
    }
}
