//! Which rules the packets of a batch fulfil.
//!
//! Headers, and of each rule the content that is looked for first, go into one index of conditions,
//! which shares equal tests among all rules. Where a condition holds, the rest of its rule is looked
//! at: places, expressions, numbers in the payload.

use super::condition;
use super::facts::Facts;
use super::payload::{Content, Step};
use super::rule::{Action, Rule};
use super::set::RuleSet;
use hashbrown::HashMap;
use std::sync::Arc;
use wireq_engine::matching::{
    self, Condition, Demand, Hits, Matcher, Pattern, Sought, Strategy, Work,
};
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
        let access = Access::of(&set.rules);
        for (number, rule) in (0u32..).zip(&set.rules) {
            let more = asks_for_more(rule);
            let contents = access.best(rule);
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

/// Which content of a rule it is looked for by.
struct Access {
    /// In how many rules a content is.
    rules: HashMap<Sought, u32>,
}

impl Access {
    fn of(rules: &[Rule]) -> Access {
        let mut counts = HashMap::new();
        for content in rules.iter().flat_map(|rule| rule.payload.contents()) {
            *counts.entry(content_of(content).sought()).or_default() += 1;
        }
        Access { rules: counts }
    }

    /// The one that the rule marks, unless it is short: marks are often on what is rare in a part of
    /// a request, of which nothing is known here. Else that which is best to look for; what many
    /// rules have is in many payloads.
    fn best(&self, rule: &Rule) -> Option<matching::Content> {
        let mut best = None;
        for content in rule.payload.contents() {
            let ready = content_of(content);
            let sought = ready.sought();
            if content.fast && sought.pattern.bytes.len() >= MARKED_MIN {
                return Some(ready);
            }
            let rules = self.rules.get(&sought).copied().unwrap_or(1);
            let worth = i64::from(sought.worth()) - i64::from(WORTH_OF_RULES * rules.ilog2());
            if best.as_ref().is_none_or(|(known, _)| worth > *known) {
                best = Some((worth, ready));
            }
        }
        best.map(|(_, content)| content)
    }
}

/// Marked contents that are shorter than this are not heeded.
const MARKED_MIN: usize = 7;
/// Twice as many rules that have a content make it so much worse.
const WORTH_OF_RULES: u32 = 8;

/// Whether a condition says less than its rule.
fn asks_for_more(rule: &Rule) -> bool {
    let mut tests = rule.tests.iter();
    let in_condition = match rule.payload.steps() {
        [] => true,
        [Step::Content(content)] => !content.negated && !content.is_relative(),
        _ => false,
    };
    !in_condition || tests.any(|test| condition::of_test(test).is_none())
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

/// The contents that have to be in a payload for a rule; none where it has none.
pub(crate) fn demand_of(rule: &Rule) -> Option<Demand> {
    let contents = rule.payload.contents().map(content_of);
    let all: Vec<_> = contents.map(|content| vec![content]).collect();
    (!all.is_empty()).then_some(Demand {
        all,
        tells: false,
        expression: None,
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Options;

    #[test]
    fn rules_are_looked_for_by_what_is_rare_and_needs_few_looks() {
        let others = (2..40).map(|sid| {
            format!("alert tcp any any -> any any (content:\"User-Agent: Mozilla\"; sid:{sid};)\n")
        });
        let others: String = others.collect();
        for (options, expected) in [
            (
                r#"content:"ab"; content:"abc"; content:"xyz";"#,
                Some(&b"xyz"[..]),
            ),
            (
                r#"content:"ab"; fast_pattern; content:"abcd";"#,
                Some(b"abcd"),
            ),
            (
                r#"content:"abcdefg"; fast_pattern; content:"/a-far-longer-one";"#,
                Some(b"abcdefg"),
            ),
            (r#"content:"ab"; content:!"abc";"#, Some(b"ab")),
            (r#"content:"aaaaaa"; content:"xyz@";"#, Some(b"xyz@")),
            (
                r#"content:"|00 01|"; depth:2; content:"GET /index";"#,
                Some(b"GET /index"),
            ),
            (
                r#"content:"|16 03 01|"; depth:3; content:"abcdef";"#,
                Some(b"\x16\x03\x01"),
            ),
            (
                r#"content:"User-Agent: Mozilla"; content:"/x@y.zip";"#,
                Some(b"/x@y.zip"),
            ),
            (r#"content:!"abc";"#, None),
            (r#"pcre:"/abc/";"#, None),
        ] {
            let rule = format!("alert tcp any any -> any any ({options} sid:1;)\n");
            let text = rule + &others;
            let set = RuleSet::from_text("test", text.as_bytes(), &Options::default());
            let rule = set.find(1).expect("a rule");
            let best = Access::of(&set.rules).best(rule);
            let best = best.map(|content| content.pattern.bytes);
            assert_eq!(best.as_deref(), expected, "{options}");
        }
    }
}
