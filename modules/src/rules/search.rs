//! Which rules the packets of a batch fulfil.
//!
//! Headers, and of each rule the content that is looked for first, go into one index of conditions,
//! which shares equal tests among all rules. Where a condition holds, the rest of its rule is looked
//! at: places, expressions, numbers in the payload.

use super::condition;
use super::facts::Facts;
use super::payload::Content;
use super::rule::{Action, Rule};
use super::set::RuleSet;
use std::sync::Arc;
use wireq_engine::matching::{self, Condition, Hits, Matcher, Pattern, Strategy, Work};
use wireq_engine::{Context, View};
use wireq_typesys::{FieldPath, Zone};

/// Rules ready to be looked for.
pub struct Searched {
    /// The rules, in the order in which they speak.
    pub set: RuleSet,
    facts: Facts,
    conditions: Arc<[Condition]>,
    /// For each condition the number of its rule, and whether the rule asks for more.
    owners: Vec<(u32, bool)>,
}

impl Searched {
    /// Makes rules ready.
    pub fn new(set: RuleSet) -> Searched {
        let mut conditions = Vec::new();
        let mut owners = Vec::new();
        for (number, rule) in (0u32..).zip(&set.rules) {
            let more = asks_for_more(rule);
            let contents = rule.payload.access().map(content_of);
            for case in conditions_of(rule, contents.into_iter().collect()) {
                conditions.push(case);
                owners.push((number, more));
            }
        }
        Searched {
            facts: Facts::of(&set.rules),
            set,
            conditions: conditions.into(),
            owners,
        }
    }

    /// The conditions with all contents that have to be there, each a test of its own: what other
    /// strategies than the index are compared by.
    fn whole(&self) -> Arc<[Condition]> {
        let contents = |rule: &Rule| rule.payload.contents().map(content_of).collect();
        let of = |rule| conditions_of(rule, contents(rule));
        self.set.rules.iter().flat_map(of).collect()
    }

    /// The fields that views have to have, in this order.
    pub fn fields(&self) -> Vec<FieldPath> {
        let mut fields = self.facts.paths();
        for field in Condition::fields(&self.conditions) {
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        fields
    }
}

/// Whether a condition says less than its rule.
fn asks_for_more(rule: &Rule) -> bool {
    let mut tests = rule.tests.iter();
    !rule.payload.is_empty() || tests.any(|test| condition::of_test(test).is_none())
}

/// What has to hold for a rule: any of these.
fn conditions_of(rule: &Rule, contents: Vec<matching::Content>) -> Vec<Condition> {
    let more = rule.tests.iter().filter_map(condition::of_test).flatten();
    let more: Vec<_> = more.collect();
    let cases = condition::of_header(&rule.header).into_iter();
    cases
        .map(|mut tests| {
            tests.extend(more.iter().cloned());
            Condition {
                tests,
                contents: contents.clone(),
            }
        })
        .collect()
}

fn content_of(content: &Content) -> matching::Content {
    matching::Content {
        field: FieldPath::new(super::facts::PAYLOAD),
        pattern: Pattern {
            bytes: content.bytes.to_vec(),
            nocase: content.any_case,
        },
        offset: content.offset,
        depth: content.depth.map(|depth| depth - content.offset),
        at_end: content.at_end,
    }
}

/// Looks for rules in batches.
pub struct Search {
    rules: Arc<Searched>,
    matcher: Box<dyn Matcher>,
    hits: Hits,
    zone: Arc<Zone>,
}

impl Search {
    /// A search in views that have the columns of `context.fields`.
    pub fn new(rules: Arc<Searched>, context: &Context) -> Search {
        let matching = context.matching;
        let conditions = match matching.strategy {
            Strategy::Auto => Arc::clone(&rules.conditions),
            _ => rules.whole(),
        };
        Search {
            matcher: matching
                .strategy
                .matcher(conditions, matching.vector, context),
            rules,
            hits: Hits::default(),
            zone: Arc::clone(&context.zone),
        }
    }

    /// What that took since this was asked last.
    pub fn work(&mut self) -> Work {
        self.matcher.work()
    }

    /// Finds the rules that the rows of a view fulfil, in the order of the rows, and in each in the
    /// order in which they speak: a row and the number of a rule each.
    pub fn find(&mut self, view: View<'_>, found: &mut Vec<(u16, u32)>) {
        found.clear();
        self.matcher.select(view, &self.zone, &mut self.hits);
        let columns = self.rules.facts.columns(view);
        let rules = &self.rules.set.rules;
        view.part.selection.for_each(|row| {
            let mut packet = None;
            let mut last = None;
            for condition in self.hits.of(row) {
                let (number, more) = self.rules.owners[*condition as usize];
                // Two cases of one rule stand side by side.
                if last == Some(number) {
                    continue;
                }
                let rule = &rules[number as usize];
                if more {
                    let packet = packet.get_or_insert_with(|| columns.packet(row));
                    if !packet
                        .as_ref()
                        .is_some_and(|packet| rule.holds_behind_header(packet))
                    {
                        continue;
                    }
                }
                if rule.action == Action::Pass {
                    break;
                }
                last = Some(number);
                found.push((row as u16, number));
            }
        });
    }
}
