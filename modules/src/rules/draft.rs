//! A rule while it is read.

use super::classes;
use super::payload::{Content, Step};
use super::test::Test;

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
    pub fn push(&mut self, step: Step) {
        self.broken = false;
        self.steps.push(Part {
            step,
            in_buffer: self.in_buffer,
        });
    }

    /// The content read last.
    pub fn last_content(&mut self) -> Option<&mut Content> {
        self.steps
            .iter_mut()
            .rev()
            .find_map(|part| match &mut part.step {
                Step::Content(content) => Some(content),
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
