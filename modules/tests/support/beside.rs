//! The account of a comparison with tshark, field by field: what agrees, what a rule excuses, what
//! differs.

use std::collections::{BTreeMap, BTreeSet};

/// Of all cells, rules may excuse one in so many.
const EXCUSED_ONE_IN: usize = 1000;
/// Of a field with fewer values than this in a sample, more may be excused than agree.
const MANY: usize = 200;
/// The least fields of which a value is the same in both programs, over all captures.
const FIELDS_MIN: usize = 150;

/// Whether all shared captures are compared, and not a sample.
pub fn all() -> bool {
    std::env::var("WIREQ_CAPTURES").is_ok_and(|which| which == "all")
}

/// Whether a capture is compared: those whose names `WIREQ_ONLY` has, or where that is not set, those
/// that `sample` takes.
pub fn is_chosen(capture: &super::Indexed, sample: impl FnOnce() -> bool) -> bool {
    let name = capture.path.file_stem().unwrap_or_default();
    std::env::var("WIREQ_ONLY").map_or_else(
        |_| sample(),
        |only| only.split(',').any(|only| name == only),
    )
}

/// A rule: its name, and the reason why cells that it is for may differ.
pub type Reason = (&'static str, &'static str);

/// What came of a number of captures.
#[derive(Default)]
pub struct Account {
    pub captures: usize,
    pub unread: Vec<String>,
    pub unread_by_tshark: Vec<String>,
    cells: usize,
    present: usize,
    /// By field: cells with the same value in both.
    agreed: BTreeMap<&'static str, usize>,
    /// By rule and by field.
    excused: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    differences: Vec<String>,
}

impl Account {
    pub fn add(&mut self, other: Account) {
        self.captures += other.captures;
        self.unread.extend(other.unread);
        self.unread_by_tshark.extend(other.unread_by_tshark);
        self.cells += other.cells;
        self.present += other.present;
        for (field, count) in other.agreed {
            *self.agreed.entry(field).or_default() += count;
        }
        for (rule, fields) in other.excused {
            for (field, count) in fields {
                *self.excuses(rule, field) += count;
            }
        }
        self.differences.extend(other.differences);
    }

    fn excuses(&mut self, rule: &'static str, field: &'static str) -> &mut usize {
        let fields = self.excused.entry(rule).or_default();
        fields.entry(field).or_default()
    }

    /// Counts a cell; whether it differs.
    pub fn differs(&mut self, field: &'static str, ours: &str, theirs: &str) -> bool {
        self.cells += 1;
        let is_present = !ours.is_empty() || !theirs.is_empty();
        self.present += usize::from(is_present);
        if ours == theirs && is_present {
            *self.agreed.entry(field).or_default() += 1;
        }
        ours != theirs
    }

    /// Counts a cell that differs: a rule excuses it, or none. `WIREQ_RULE` prints what is excused by
    /// the rule that begins so.
    pub fn excuse(
        &mut self,
        rule: Option<&'static str>,
        field: &'static str,
        what: impl Fn() -> String,
    ) {
        match rule {
            Some(rule) => {
                *self.excuses(rule, field) += 1;
                if std::env::var("WIREQ_RULE").is_ok_and(|start| rule.starts_with(&start)) {
                    println!("excused, {rule}: {}", what());
                }
            }
            None => self.differences.push(what()),
        }
    }

    /// The cells of each field that are excused.
    fn excused_by_field(&self) -> BTreeMap<&'static str, usize> {
        let mut sums = BTreeMap::new();
        for (field, count) in self.excused.values().flatten() {
            *sums.entry(*field).or_default() += count;
        }
        sums
    }

    /// Prints the account.
    fn print(&self, fields: &[&'static str], rules: &[Reason]) {
        let excused: usize = self.excused_by_field().values().sum();
        println!(
            "{} fields of {} captures: {} cells, {} with a value; {excused} excused: 1 in {} of all, 1 in {} of those with a value; {} differ",
            fields.len(),
            self.captures,
            self.cells,
            self.present,
            self.cells / excused.max(1),
            self.present / excused.max(1),
            self.differences.len()
        );
        for (rule, reason) in rules {
            let of_rule = self.excused.get(rule);
            let count = of_rule.map_or(0, |fields| fields.values().sum());
            println!("  excused {count:>6}  {rule}: {reason}");
            if let Some(fields) = of_rule.filter(|_| all()) {
                println!("{:>18}{fields:?}", "");
            }
        }
        for path in &self.unread {
            println!("not read: {path}");
        }
        for path in &self.unread_by_tshark {
            println!("not read by tshark: {path}");
        }
        let never = fields.iter().filter(|f| !self.agreed.contains_key(*f));
        let never: Vec<&str> = never.copied().collect();
        println!(
            "{} fields agreed somewhere; never: {}",
            self.agreed.len(),
            never.join(" ")
        );
    }

    /// Prints the account, and fails where it is not what it should be. More cells may be excused
    /// than agree of the fields of `exceptions` only, each for its reason.
    pub fn close(self, fields: &[&'static str], rules: &[Reason], exceptions: &[Reason]) {
        self.print(fields, rules);
        let shown = super::number("WIREQ_SHOWN", 60).min(self.differences.len());
        assert!(
            self.differences.is_empty(),
            "{} differ:\n{}",
            self.differences.len(),
            self.differences[..shown].join("\n")
        );
        assert!(self.unread.len() <= self.captures / 200, "captures unread");
        assert!(self.present > 1000, "enough to compare");
        let excused = self.excused_by_field();
        let exceptions: BTreeSet<_> = exceptions.iter().map(|(field, _)| *field).collect();
        let mut lost = Vec::new();
        for (field, excused) in &excused {
            let agreed = self.agreed.get(field).copied().unwrap_or(0);
            let is_counted = all() || excused + agreed >= MANY;
            if is_counted && *excused > agreed && !exceptions.contains(field) {
                lost.push(format!("{field}: {excused} excused, {agreed} agree"));
            }
        }
        assert!(lost.is_empty(), "mostly excused:\n{}", lost.join("\n"));
        let sum: usize = excused.values().sum();
        assert!(
            !all() || sum * EXCUSED_ONE_IN <= self.cells,
            "{sum} of {} cells are excused",
            self.cells
        );
        assert!(
            !all() || self.agreed.len() >= FIELDS_MIN,
            "of {} fields only a value is the same",
            self.agreed.len()
        );
    }
}
