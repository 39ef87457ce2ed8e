//! What rules ask of payloads, and whether a payload has it.
//!
//! The parts of a rule stand in order, and some refer to where the one before ended. Where an
//! occurrence of a part leads to nothing, its next one is tried, as Suricata does: a payload has
//! what is asked for if there is any choice of occurrences with which all parts hold.

mod any_case;
mod budget;
mod bytes;
mod content;
#[cfg(test)]
mod naive;
mod pcre;
#[cfg(test)]
mod tests;

use budget::Budget;
pub use bytes::{BINARY_MAX, ByteJump, ByteTest, DIGITS_MAX, Number, Operator, Origin};
pub use content::Content;
pub use pcre::{LINE_ENDS_MAX, Pcre};

/// One part of what a rule asks of a payload.
#[derive(Clone, Debug)]
pub enum Step {
    /// These bytes are, or are not, there.
    Content(Content),
    /// An expression matches, or does not.
    Pcre(Pcre),
    /// So many bytes follow, or do not.
    IsDataAt {
        /// How many.
        count: u32,
        /// Whether from where the part before ended.
        relative: bool,
        /// Whether they must not.
        negated: bool,
    },
    /// A number in the payload is as asked.
    ByteTest(ByteTest),
    /// A number in the payload says where to go on.
    ByteJump(ByteJump),
}

impl Step {
    /// Whether the part begins where that before it ended.
    pub fn is_relative(&self) -> bool {
        match self {
            Step::Content(content) => content.is_relative(),
            Step::Pcre(pcre) => pcre.relative,
            Step::IsDataAt { relative, .. } => *relative,
            Step::ByteTest(test) => test.number.relative,
            Step::ByteJump(jump) => jump.number.relative,
        }
    }

    /// Whether the parts behind may begin where it ends.
    fn has_end(&self) -> bool {
        match self {
            Step::Content(content) => !content.negated,
            Step::Pcre(pcre) => !pcre.negated,
            Step::ByteJump(_) => true,
            Step::IsDataAt { .. } | Step::ByteTest(_) => false,
        }
    }
}

/// What a rule asks of a payload: parts that all have to hold.
#[derive(Clone, Debug, Default)]
pub struct Payload {
    steps: Vec<Step>,
    /// The parts in chains, each with the numbers of its first part and of that behind its last.
    /// A chain depends on no other: it begins with a part that refers to nothing before it.
    chains: Vec<(usize, usize)>,
}

impl Payload {
    /// What a rule with these parts asks for.
    pub fn new(steps: Vec<Step>) -> Payload {
        // Parts that refer to nothing and that nothing refers to may stand anywhere: last, and
        // so out of the chains that they would cut.
        let (lone, mut ordered): (Vec<Step>, Vec<Step>) = steps
            .into_iter()
            .partition(|step| !step.is_relative() && !step.has_end());
        let chained = ordered.len();
        ordered.extend(lone);
        let mut chains: Vec<(usize, usize)> = Vec::new();
        for (at, step) in ordered.iter().enumerate() {
            match chains.last_mut() {
                Some((_, end)) if at < chained && step.is_relative() => *end = at + 1,
                _ => chains.push((at, at + 1)),
            }
        }
        Payload {
            steps: ordered,
            chains,
        }
    }

    /// The parts.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The contents that have to be there.
    pub fn contents(&self) -> impl Iterator<Item = &Content> {
        self.steps.iter().filter_map(|step| match step {
            Step::Content(content) if !content.negated => Some(content),
            _ => None,
        })
    }

    /// Whether a payload has what is asked for. Where anything is asked for, an empty one has not.
    /// The search ends without where it took more than its budget: see [`budget::BYTES_MAX`].
    pub fn holds(&self, payload: &[u8]) -> bool {
        self.holds_within(payload, &mut Budget::new())
    }

    fn holds_within(&self, payload: &[u8], budget: &mut Budget) -> bool {
        if self.steps.is_empty() {
            return true;
        }
        !payload.is_empty()
            && self
                .chains
                .iter()
                .all(|chain| self.chain_holds(*chain, payload, budget))
    }

    fn chain_holds(
        &self,
        (start, end): (usize, usize),
        payload: &[u8],
        budget: &mut Budget,
    ) -> bool {
        let mut search = Search {
            steps: &self.steps[start..end],
            payload,
            budget,
            hopeless: [usize::MAX; HOPELESS],
        };
        search.holds_from(0, 0)
    }
}

/// Chains are seldom longer; parts further back are not remembered.
const HOPELESS: usize = 16;

/// The search of a chain in a payload.
struct Search<'a, 'b> {
    steps: &'a [Step],
    payload: &'a [u8],
    /// What all chains of the rule may still take.
    budget: &'b mut Budget,
    /// For each part that may be anywhere behind a place: the first place from which it was tried
    /// and led to nothing. From a later one there are only fewer occurrences.
    hopeless: [usize; HOPELESS],
}

impl<'a> Search<'a, '_> {
    /// Whether the parts from number `at` hold where the part before ended at `from`.
    fn holds_from(&mut self, at: usize, from: usize) -> bool {
        let steps = self.steps;
        let Some(step) = steps.get(at) else {
            return true;
        };
        // Only contents are remembered as hopeless.
        let hopeless = at < HOPELESS && from >= self.hopeless[at];
        if hopeless || !self.budget.try_one() {
            return false;
        }
        let payload = self.payload;
        match step {
            Step::Content(content) if content.negated => {
                let mut occurrences = content.occurrences(payload, from);
                occurrences.next(self.budget).is_none() && self.holds_from(at + 1, from)
            }
            Step::Content(content) => {
                let mut occurrences = content.occurrences(payload, from);
                let found = self.holds_behind(at, |budget| occurrences.next(budget));
                if !found && content.is_open() && at < HOPELESS {
                    self.hopeless[at] = from;
                }
                found
            }
            Step::Pcre(pcre) if pcre.negated => {
                let mut occurrences = pcre.occurrences(payload, from);
                occurrences.next(self.budget).is_none() && self.holds_from(at + 1, from)
            }
            Step::Pcre(pcre) => {
                let mut occurrences = pcre.occurrences(payload, from);
                self.holds_behind(at, |budget| occurrences.next(budget))
            }
            Step::IsDataAt {
                count,
                relative,
                negated,
            } => {
                let count = *count as usize;
                let follows = if *relative {
                    from.saturating_add(count) <= payload.len()
                } else {
                    count < payload.len()
                };
                follows != *negated && self.holds_from(at + 1, from)
            }
            Step::ByteTest(test) => test.holds(payload, from) && self.holds_from(at + 1, from),
            Step::ByteJump(jump) => match jump.target(payload, from) {
                Some(target) => self.holds_from(at + 1, target),
                None => false,
            },
        }
    }

    /// Whether the parts behind number `at` hold where it ended at any of these places.
    fn holds_behind(
        &mut self,
        at: usize,
        mut next: impl FnMut(&mut Budget) -> Option<usize>,
    ) -> bool {
        // Where nothing refers to it any occurrence is as good as another.
        let only = at + 1 == self.steps.len();
        while let Some(end) = next(self.budget) {
            if only || self.holds_from(at + 1, end) {
                return true;
            }
            if self.budget.is_spent() {
                return false;
            }
        }
        false
    }
}
