//! A rule while it is read.

use super::classes;
use super::payload::{Content, Step};
use super::test::Test;

/// A rule asks for no more parts of the payload: the search goes from each into the next.
const PARTS_MAX: usize = 256;

/// What the options of a rule have said so far.
#[derive(Debug, Default)]
pub struct Draft {
    /// What the rule says.
    pub msg: Vec<u8>,
    /// Its number.
    pub sid: Option<u32>,
    /// The group of its number.
    pub gid: u32,
    /// Its revision.
    pub rev: u32,
    /// How urgent it says to be.
    pub priority: Option<u32>,
    /// Its class.
    pub classtype: String,
    /// How urgent its class is.
    pub class_priority: u32,
    /// What it asks of headers.
    pub tests: Vec<Test>,
    steps: Vec<Part>,
    /// Whether what follows is about something that packets alone don't show.
    pub in_buffer: bool,
    /// Whether the last content could not be read: what stands behind it is about that.
    pub broken: bool,
}

/// A part of what is asked of the payload.
#[derive(Debug)]
struct Part {
    step: Step,
    /// Whether it is about something else than the payload.
    in_buffer: bool,
    /// The keywords that have said where it is.
    places: Vec<&'static str>,
}

impl Draft {
    /// A rule of which nothing is said yet.
    pub fn new() -> Draft {
        Draft {
            gid: 1,
            class_priority: classes::UNKNOWN,
            ..Draft::default()
        }
    }

    /// Adds a part.
    ///
    /// # Errors
    /// Where there are too many.
    pub fn push(&mut self, step: Step) -> Result<(), String> {
        if self.steps.len() == PARTS_MAX {
            return Err(format!(
                "is more than the {PARTS_MAX}th part of the payload"
            ));
        }
        self.broken = false;
        self.steps.push(Part {
            step,
            in_buffer: self.in_buffer,
            places: Vec::new(),
        });
        Ok(())
    }

    /// The content read last, with the keywords that have said where it is.
    pub fn last_content(&mut self) -> Option<(&mut Content, &mut Vec<&'static str>)> {
        self.steps
            .iter_mut()
            .rev()
            .find_map(|part| match &mut part.step {
                Step::Content(content) => Some((content, &mut part.places)),
                _ => None,
            })
    }

    /// Says that the content read last is about something else than the payload; whether there is
    /// one.
    pub fn move_last_content(&mut self) -> bool {
        let is_content = |part: &&mut Part| matches!(part.step, Step::Content(_));
        let last = self.steps.iter_mut().rev().find(is_content);
        last.map(|part| part.in_buffer = true).is_some()
    }

    /// The parts about the payload. Contents about something else are taken for contents that the
    /// payload has anywhere; what else is about such things is left out.
    pub fn into_steps(self) -> Vec<Step> {
        let raw = |part: Part| match part.step {
            step if !part.in_buffer => Some(step),
            Step::Content(content) if !content.negated => {
                let mut anywhere = Content::new(content.bytes.into_vec(), false);
                anywhere.any_case = content.any_case;
                anywhere.fast = content.fast;
                Some(Step::Content(anywhere))
            }
            _ => None,
        };
        let mut steps: Vec<Step> = self.steps.into_iter().filter_map(raw).collect();
        for step in &mut steps {
            if let Step::Content(content) = step {
                content.prepare();
            }
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::PARTS_MAX;
    use crate::rules::{Options, RuleSet};

    #[test]
    fn a_rule_has_so_many_parts_at_most() {
        let read = |parts: usize| {
            let parts = "content:\"a\"; distance:0; ".repeat(parts);
            let text = format!("alert ip any any -> any any ({parts} sid:1;)");
            RuleSet::from_text("test", text.as_bytes(), &Options::default())
        };
        assert_eq!(read(PARTS_MAX).rules.len(), 1);
        // What is behind the first that is too much is not read, and so not told.
        let set = read(100_000);
        let first = set.refusals[0].to_string();
        assert!(first.contains("256th part"), "{first}");
        assert!(set.rules.is_empty());
    }
}
