//! The ways to run a plan: whichever is chosen, results are the same.

use wireq_engine::matching::Strategy;
use wireq_engine::rewrite::{Choices, REWRITES};

/// One way to run a plan.
#[derive(Clone)]
pub(super) struct Mode {
    pub(super) rows_max: usize,
    pub(super) choices: Choices,
    /// Whether each statement has its own output.
    pub(super) apart: bool,
    /// Steps after which all states are saved and loaded into fresh operators; 0 is never.
    pub(super) resume_every: u64,
    /// Steps after which all states are moved to files, as far as they can be; 0 is never.
    pub(super) spill_every: u64,
    pub(super) threads: usize,
    /// Whether the account so far is asked for before every step.
    pub(super) progress: bool,
}

/// All rewrites, wherever they can do something.
pub(super) fn all_rewrites() -> Choices {
    Choices {
        vector_min: 1,
        ..Choices::default()
    }
}

/// All rewrites off but those that `stays`.
fn rewrites(stays: impl Fn(&str) -> bool) -> Choices {
    let off = REWRITES.iter().filter(|rewrite| !stays(rewrite.name));
    Choices {
        off: off.map(|rewrite| rewrite.name.to_owned()).collect(),
        ..all_rewrites()
    }
}

impl Mode {
    /// All rewrites and none of them with every size of batch; each of them alone, and every way to
    /// match conditions, with one.
    pub(super) fn all() -> Vec<Mode> {
        let mut modes = Vec::new();
        // Where batches are small, many are under way on several threads at once.
        for (rows_max, threads) in [(1, 1), (1, 3), (3, 1), (3, 2), (2048, 1)] {
            for choices in [all_rewrites(), rewrites(|_| false)] {
                for apart in [false, true] {
                    modes.push(Mode {
                        rows_max,
                        threads,
                        choices: choices.clone(),
                        apart,
                        // Where batches are small there are many steps to resume between.
                        resume_every: if rows_max == 3 { 2 } else { 0 },
                        spill_every: match (rows_max, apart) {
                            (1, true) => 4,
                            (3, true) => 1,
                            _ => 0,
                        },
                        progress: rows_max == 1 && !apart,
                    });
                }
            }
        }
        // Alone, these would find nothing to do.
        let stays = |alone: &str, name: &str| {
            name == alone || ["tally", "table"].contains(&alone) && name == "vector"
        };
        let alone = REWRITES
            .iter()
            .map(|alone| rewrites(|name| stays(alone.name, name)));
        let strategies = Strategy::ALL.iter().flat_map(|(_, strategy)| {
            [true, false].map(|vector| Choices {
                strategy: *strategy,
                vector,
                ..all_rewrites()
            })
        });
        // As everybody runs it.
        let usual = std::iter::once(Choices::default());
        modes.extend(usual.chain(alone).chain(strategies).map(|choices| Mode {
            rows_max: 5,
            choices,
            apart: false,
            resume_every: 0,
            spill_every: 0,
            threads: 1,
            progress: false,
        }));
        modes
    }

    pub(super) fn target(&self, statement: usize) -> usize {
        if self.apart { statement } else { 0 }
    }

    pub(super) fn name(&self) -> String {
        let Mode {
            rows_max,
            choices,
            apart,
            resume_every,
            spill_every,
            threads,
            progress,
        } = self;
        let outputs = if *apart {
            "an output for each statement"
        } else {
            "one output"
        };
        let asked = if *progress {
            ", asked how far it is"
        } else {
            ""
        };
        format!(
            "{threads} threads, batches of {rows_max}, resumed every {resume_every} steps, moved to files every \
             {spill_every}, {choices:?}, {outputs}{asked}"
        )
    }
}
