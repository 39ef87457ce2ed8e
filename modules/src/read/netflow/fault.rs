//! What could not be decoded, counted by reason.

/// A reason why something in a message could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::read) enum Fault {
    Unknown,
    ShortHeader,
    ShortMessage,
    SetLength,
    SetNumber,
    ShortSet,
    ShortTemplate,
    EmptyTemplate,
    TemplateNumber,
    TooManyFields,
    Domains,
    NoTemplate,
    LostFlows,
    LostDatagrams,
    Reordered,
    SampleLength,
    SampleKind,
    Counters,
}

const REASONS: [(Fault, &str); 18] = [
    (Fault::Unknown, "no flow export"),
    (Fault::ShortHeader, "messages that end within their header"),
    (Fault::ShortMessage, "messages shorter than they say"),
    (Fault::SetLength, "sets with an impossible length"),
    (Fault::SetNumber, "sets with a reserved number"),
    (Fault::ShortSet, "sets that end within a record"),
    (Fault::ShortTemplate, "templates that are cut"),
    (
        Fault::EmptyTemplate,
        "templates whose records have no bytes",
    ),
    (Fault::TemplateNumber, "templates with a reserved number"),
    (Fault::TooManyFields, "templates beyond the limit of fields"),
    (Fault::Domains, "exporters forgotten, beyond the limit"),
    (Fault::NoTemplate, "sets of data without their template"),
    (Fault::LostFlows, "records lost, by sequence"),
    (Fault::LostDatagrams, "datagrams lost, by sequence"),
    (Fault::Reordered, "messages out of sequence"),
    (Fault::SampleLength, "samples with an impossible length"),
    (Fault::SampleKind, "samples of a kind that is not known"),
    (
        Fault::Counters,
        "samples of counters, which tell of no flow",
    ),
];

/// Counts by reason.
#[derive(Clone, Debug, Default)]
pub(in crate::read) struct Faults([u64; REASONS.len()]);

impl Faults {
    pub(in crate::read) fn count(&mut self, fault: Fault) {
        self.add(fault, 1);
    }

    pub(in crate::read) fn add(&mut self, fault: Fault, number: u64) {
        let counted = &mut self.0[fault as usize];
        *counted = counted.saturating_add(number);
    }

    /// Takes back what turned out not to be one.
    pub(super) fn take_back(&mut self, fault: Fault, number: u64) {
        let counted = &mut self.0[fault as usize];
        *counted = counted.saturating_sub(number);
    }

    /// How often there was a reason.
    pub(super) fn get(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    /// The counts for an account.
    pub(in crate::read) fn list(&self) -> Vec<(String, u64)> {
        let counted = REASONS.iter().zip(self.0).filter(|(_, count)| *count > 0);
        counted
            .map(|((_, reason), count)| ((*reason).to_owned(), count))
            .collect()
    }

    /// The counts, to be kept.
    pub(super) fn counts(&self) -> &[u64] {
        &self.0
    }

    /// Takes in counts that were kept.
    pub(super) fn add_all(&mut self, counts: &[u64]) {
        for (counted, count) in self.0.iter_mut().zip(counts) {
            *counted = counted.saturating_add(*count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_stand_at_their_numbers() {
        for (at, (fault, _)) in REASONS.iter().enumerate() {
            assert_eq!(*fault as usize, at);
        }
    }
}
