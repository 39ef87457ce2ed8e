//! How sources without an end still take what is there, once the run is to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What is there at the end is read for so long.
const DRAIN_MAX: Duration = Duration::from_millis(100);

/// Until when what is there is taken; none before the run is to end.
#[derive(Default)]
pub(super) struct Drain(Option<Instant>);

impl Drain {
    /// How long what is there is taken from now on; none while the run is not to end.
    pub(super) fn left(&mut self, interrupt: &AtomicBool) -> Option<Duration> {
        if !interrupt.load(Ordering::Relaxed) {
            return None;
        }
        let now = Instant::now();
        let until = self.0.get_or_insert_with(|| now + DRAIN_MAX);
        Some(until.saturating_duration_since(now))
    }

    /// Whether the run is to end, as it was seen last.
    pub(super) fn has_begun(&self) -> bool {
        self.0.is_some()
    }
}
