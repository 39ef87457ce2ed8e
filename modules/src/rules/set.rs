//! All rules of some files.

use super::read::{Options, Reader};
use super::rule::{Refusal, Rule};
use super::source;
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::io;

/// Rules in the order in which they speak: by action (pass, drop, reject, alert, log), then by
/// priority, then by gid and sid.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// The rules.
    pub rules: Vec<Rule>,
    /// What was not understood: each refusal of each rule that is not among them.
    pub refusals: Vec<Refusal>,
    /// How many rules are not among them.
    pub refused: usize,
    /// Keywords by name, with how often each was understood, and how often it was not.
    pub keywords: BTreeMap<String, [u64; 2]>,
    /// What stands between a rule and being understood, where it is one thing alone: what, and of
    /// how many rules.
    pub lone: BTreeMap<String, u64>,
}

impl RuleSet {
    /// Reads files.
    ///
    /// # Errors
    /// Where a file can't be read: which, and why.
    pub fn read<'a>(
        paths: impl IntoIterator<Item = &'a str>,
        options: &Options,
    ) -> Result<RuleSet, (&'a str, io::Error)> {
        let mut set = RuleSet::default();
        let mut reader = Reader::new(options);
        for path in paths {
            let bytes = source::read_file(path).map_err(|error| (path, error))?;
            set.add(&mut reader, path, &bytes);
        }
        set.keywords = reader.keywords;
        set.order();
        Ok(set)
    }

    /// Reads a text that stands nowhere else.
    pub fn from_text(name: &str, text: &[u8], options: &Options) -> RuleSet {
        let mut set = RuleSet::default();
        let mut reader = Reader::new(options);
        set.add(&mut reader, name, text);
        set.keywords = reader.keywords;
        set.order();
        set
    }

    /// The rule of this number, of the first group that has it.
    pub fn find(&self, sid: u32) -> Option<&Rule> {
        let mine = self.rules.iter().filter(|rule| rule.sid == sid);
        mine.min_by_key(|rule| rule.gid)
    }

    fn add(&mut self, reader: &mut Reader<'_>, name: &str, text: &[u8]) {
        for line in source::lines(name, text) {
            match reader.read(&line) {
                Ok(rule) => self.rules.push(rule),
                Err(refusals) => {
                    self.refused += 1;
                    let mut names: Vec<&str> = refusals.iter().map(|r| r.what.as_str()).collect();
                    names.sort_unstable();
                    names.dedup();
                    if let [name] = names[..] {
                        *self.lone.entry(name.to_owned()).or_default() += 1;
                    }
                    self.refusals.extend(refusals);
                }
            }
        }
    }

    /// Of rules of one number that with the greatest revision stands, and of these the first.
    fn order(&mut self) {
        let mut newest: HashMap<(u32, u32), usize> = HashMap::new();
        for (at, rule) in self.rules.iter().enumerate() {
            let known = newest.entry((rule.gid, rule.sid)).or_insert(at);
            if rule.rev > self.rules[*known].rev {
                *known = at;
            }
        }
        let rules = std::mem::take(&mut self.rules);
        for (at, rule) in rules.into_iter().enumerate() {
            let stands = newest[&(rule.gid, rule.sid)];
            if stands == at {
                self.rules.push(rule);
                continue;
            }
            self.refused += 1;
            self.refusals.push(Refusal {
                place: rule.place,
                what: "sid".into(),
                why: format!(
                    "{} is given to another rule too, which is newer or comes first",
                    rule.sid
                ),
                sid: Some(rule.sid),
            });
        }
        self.rules
            .sort_by_key(|rule| (rule.action, rule.priority, rule.gid, rule.sid));
    }
}
