//! How much the search for one rule in one payload may take.

/// So many bytes are looked at for one rule in one payload, however its parts lead back to bytes
/// that were looked at before: what a payload that was made for it could otherwise make a rule
/// take. A payload of 1,500 bytes is looked at 11,000 times over until then.
pub const BYTES_MAX: usize = 16 << 20;

/// Each try of a part counts as so many bytes, besides those that are looked at.
const TRY: usize = 64;

/// What was taken.
#[derive(Debug)]
pub(super) struct Budget {
    used: usize,
}

impl Budget {
    pub(super) fn new() -> Budget {
        Budget { used: 0 }
    }

    /// Takes what a try costs; whether anything was left.
    pub(super) fn try_one(&mut self) -> bool {
        let any = !self.is_spent();
        self.charge(TRY);
        any
    }

    /// Takes so many bytes.
    #[inline]
    pub(super) fn charge(&mut self, bytes: usize) {
        self.used = self.used.saturating_add(bytes);
    }

    /// Whether nothing is left.
    #[inline]
    pub(super) fn is_spent(&self) -> bool {
        self.used >= BYTES_MAX
    }

    /// What was taken; beyond what there was only by what was begun before.
    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.used
    }
}
