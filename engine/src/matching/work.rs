//! What matching took: the figures by which strategies are compared.

use std::fmt;

/// What was done to match conditions. A vector function of any number of tests counts as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Rows for which conditions were looked for.
    pub rows: u64,
    /// How many different tests there are; of conditions tried one by one, all tests.
    pub tests: u64,
    /// The most tests in one condition.
    pub depth: u64,
    /// How often a test was tried on a row.
    pub tried: u64,
    /// Of so many rows it was counted what each condition alone would take; none where it was not
    /// asked for.
    pub alone_rows: u64,
    /// How often a test would have been tried on these, each condition from left to right up to the
    /// first test that does not hold.
    pub alone_tried: u64,
}

impl Work {
    /// Adds what was done elsewhere for the same conditions.
    pub fn add(&mut self, more: &Work) {
        self.rows += more.rows;
        self.tried += more.tried;
        self.alone_rows += more.alone_rows;
        self.alone_tried += more.alone_tried;
        self.tests = self.tests.max(more.tests);
        self.depth = self.depth.max(more.depth);
    }

    /// How many tests were tried on a row, in the mean.
    pub fn tried_per_row(&self) -> f64 {
        self.tried as f64 / self.rows.max(1) as f64
    }

    /// How many tests each condition alone would have tried on a row, in the mean of those counted.
    pub fn alone_per_row(&self) -> Option<f64> {
        (self.alone_rows > 0).then(|| self.alone_tried as f64 / self.alone_rows as f64)
    }

    /// The share of tests that were not tried because a shared or an earlier one decided, of those that
    /// each condition alone would have tried; 0 where more were tried than these.
    pub fn short_circuited(&self) -> Option<f64> {
        let alone = self.alone_per_row()?;
        let tried = self.tried_per_row();
        Some(match alone > 0.0 {
            true => (1.0 - tried / alone).max(0.0),
            false => 0.0,
        })
    }

    /// How many tests follow upon one, in the mean: the p for which a balanced tree as deep as the
    /// longest condition has as many tests as were tried on a row, 1 + p + ... + p^(d-1).
    pub fn fanout(&self) -> f64 {
        fanout(self.tried_per_row(), self.depth)
    }

    /// The figures as an object of JSON.
    pub fn json(&self) -> String {
        let Work {
            rows,
            tests,
            depth,
            tried,
            ..
        } = self;
        let (p, counting) = (self.fanout(), self.fanout_of_counting());
        let alone = self.alone_per_row().zip(self.short_circuited());
        let alone = alone.map_or_else(String::new, |(alone, share)| {
            format!(",\"alone_per_row\":{alone:.4},\"short_circuited\":{share:.4}")
        });
        format!(
            "{{\"tests\":{tests},\"rows\":{rows},\"depth\":{depth},\"tried\":{tried}{alone},\"fanout\":{p:.4},\"fanout_of_counting\":{counting:.4}}}"
        )
    }

    /// The p above which trying each different test once is less work.
    pub fn fanout_of_counting(&self) -> f64 {
        fanout(self.tests as f64, self.depth)
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tests, rows, tried) = (self.tests, self.rows, self.tried_per_row());
        write!(f, "{tests} tests on {rows} rows: {tried:.2} tried a row")?;
        if let (Some(alone), Some(share)) = (self.alone_per_row(), self.short_circuited()) {
            let share = share * 100.0;
            write!(
                f,
                ", {alone:.2} by each condition alone, {share:.1} % short-circuited"
            )?;
        }
        write!(
            f,
            "; at most {} in one, so p {:.2}, counting takes less above {:.2}",
            self.depth,
            self.fanout(),
            self.fanout_of_counting(),
        )
    }
}

/// The p for which 1 + p + ... + p^(depth-1) is a number of tests; 0 where one level has as many.
fn fanout(tests: f64, depth: u64) -> f64 {
    let sum = |p: f64| (1..depth).fold(1.0, |sum, _| sum * p + 1.0);
    if depth < 2 || tests <= 1.0 {
        return 0.0;
    }
    // The second level alone has no more than all of them.
    let (mut low, mut high) = (0.0, tests);
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        match sum(middle) < tests {
            true => low = middle,
            false => high = middle,
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fanouts_are_those_of_balanced_trees() {
        for (tests, depth, expected) in [
            (15.0, 4, 2.0),
            (6.0, 6, 1.0),
            (364.0, 6, 3.0),
            (1.0, 6, 0.0),
            (9.0, 1, 0.0),
            (9.0, 2, 8.0),
            // What the paper that the formula is from wants of p for 39 and 1,782 tests.
            (39.0, 6, 1.77),
            (1782.0, 6, 4.23),
        ] {
            assert!(
                (fanout(tests, depth) - expected).abs() < 0.01,
                "{tests} {depth}"
            );
        }
    }

    #[test]
    fn shares_are_of_what_conditions_alone_try() {
        let mut work = Work::default();
        assert_eq!(work.tried_per_row(), 0.0);
        assert_eq!(work.short_circuited(), None);
        let more = Work {
            rows: 10,
            tests: 8,
            depth: 2,
            tried: 30,
            alone_rows: 5,
            alone_tried: 40,
        };
        work.add(&more);
        work.add(&Work { tried: 10, ..more });
        assert_eq!((work.rows, work.tests, work.tried), (20, 8, 40));
        assert_eq!(work.tried_per_row(), 2.0);
        assert_eq!(work.alone_per_row(), Some(8.0));
        assert_eq!(work.short_circuited(), Some(0.75));
        work.tried = 1000;
        assert_eq!(work.short_circuited(), Some(0.0));
        work.tried = 40;
        assert!((work.fanout() - 1.0).abs() < 1e-9);
        assert!((work.fanout_of_counting() - 7.0).abs() < 1e-9);
    }
}
