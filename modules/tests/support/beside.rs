//! The account of a comparison with tshark, field by field: what agrees, what a rule excuses, what
//! differs.

use std::collections::{BTreeMap, BTreeSet};
use wireq_engine::{InputReport, Report};

/// One in so many captures may not be read, by either program.
const UNREAD_ONE_IN: usize = 200;
/// In one of so many captures one program may have packets alone, since the file is damaged.
const APART_ONE_IN: usize = 400;
/// The packets that one has alone are over all captures one in so many.
const LOST_ONE_IN: usize = 300;
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

/// How much was damaged in what a query read: bytes that were skipped, and faults of records.
pub fn damage(report: &Report) -> u64 {
    let inputs = report
        .accounts
        .iter()
        .filter_map(|node| node.input.as_ref());
    let inputs = inputs.flat_map(|input| &input.inputs);
    let of = |input: &InputReport| {
        let faults = input.faults.iter().map(|(_, count)| count);
        input.bytes_skipped() + faults.sum::<u64>()
    };
    inputs.map(of).sum()
}

/// A rule: its name, and the reason why cells that it is for may differ.
pub type Reason = (&'static str, &'static str);

/// What came of a number of captures.
#[derive(Default)]
pub struct Account {
    pub captures: usize,
    pub unread: Vec<String>,
    pub unread_by_tshark: Vec<String>,
    /// Packets that both programs have.
    packets: usize,
    /// Captures that are damaged, and of which one has packets alone.
    apart: Vec<String>,
    /// Packets that one has alone in them.
    lost: usize,
    /// Captures that are whole, and of which one has packets alone.
    unpaired: Vec<String>,
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
        self.packets += other.packets;
        self.apart.extend(other.apart);
        self.lost += other.lost;
        self.unpaired.extend(other.unpaired);
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

    /// Takes the packets of a capture, by their numbers. Both have the same; only where a file is
    /// damaged one may stop, and the other go on or go on elsewhere.
    pub fn pair(&mut self, path: &str, ours: &BTreeSet<u64>, theirs: &BTreeSet<u64>, damage: u64) {
        let alone = ours.symmetric_difference(theirs).count();
        self.captures += 1;
        self.packets += ours.intersection(theirs).count();
        if alone == 0 {
            return;
        }
        let (ours, theirs) = (ours.len(), theirs.len());
        let what = format!("{path}: {ours} packets here, {theirs} there, damage {damage}");
        if damage > 0 {
            self.apart.push(what);
            self.lost += alone;
        } else {
            self.unpaired.push(what);
        }
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
        println!(
            "{} packets in both programs; {} in one only, of captures that are damaged:",
            self.packets, self.lost
        );
        for capture in &self.apart {
            println!("  {capture}");
        }
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

    /// Prints the account, and fails where it is not what it should be. Of cells with a value in either
    /// program one in `excused_one_in` may be excused.
    /// More cells may be excused than agree of the fields of `exceptions` only, each for its reason.
    pub fn close(
        self,
        fields: &[&'static str],
        rules: &[Reason],
        exceptions: &[Reason],
        excused_one_in: usize,
    ) {
        self.print(fields, rules);
        assert!(self.present > 1000, "enough to compare");
        let mut faults = self.faults(excused_one_in, exceptions);
        if all() {
            faults.extend(self.faults_of_all(rules, exceptions));
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    /// What is wrong with the account of whatever captures.
    pub fn faults(&self, excused_one_in: usize, exceptions: &[Reason]) -> Vec<String> {
        let mut faults = Vec::new();
        let mut check = |is_right: bool, fault: String| {
            if !is_right {
                faults.push(fault);
            }
        };
        let shown = super::number("WIREQ_SHOWN", 60).min(self.differences.len());
        check(
            self.differences.is_empty(),
            format!(
                "{} differ:\n{}",
                self.differences.len(),
                self.differences[..shown].join("\n")
            ),
        );
        for (program, unread) in [
            ("here", &self.unread),
            ("by tshark", &self.unread_by_tshark),
        ] {
            check(
                unread.len() <= self.captures.div_ceil(UNREAD_ONE_IN),
                format!("{} captures are not read {program}", unread.len()),
            );
        }
        check(
            self.unpaired.is_empty(),
            format!("not the same packets:\n{}", self.unpaired.join("\n")),
        );
        check(
            self.apart.len() <= self.captures.div_ceil(APART_ONE_IN),
            format!("packets of one program only:\n{}", self.apart.join("\n")),
        );
        for (field, excused) in self.mostly_excused() {
            let agreed = self.agreed.get(field).copied().unwrap_or(0);
            let is_counted = all() || excused + agreed >= MANY;
            let is_exception = exceptions.iter().any(|(exception, _)| *exception == field);
            check(
                !is_counted || is_exception,
                format!("mostly excused: {field}, {excused} excused, {agreed} agree"),
            );
        }
        let excused: usize = self.excused_by_field().values().sum();
        check(
            excused * excused_one_in <= self.present,
            format!(
                "{excused} of {} cells with a value are excused",
                self.present
            ),
        );
        faults
    }

    /// The fields of which more is excused than agrees, and how much.
    fn mostly_excused(&self) -> BTreeMap<&'static str, usize> {
        let mut fields = self.excused_by_field();
        fields.retain(|field, excused| *excused > self.agreed.get(field).copied().unwrap_or(0));
        fields
    }

    /// What is wrong with the account of all captures: a sample may lack what a rule is for.
    pub fn faults_of_all(&self, rules: &[Reason], exceptions: &[Reason]) -> Vec<String> {
        let mut faults = Vec::new();
        for (rule, _) in rules {
            if !self.excused.contains_key(rule) {
                faults.push(format!("a rule that excuses nothing: {rule}"));
            }
        }
        let mostly_excused = self.mostly_excused();
        for (field, _) in exceptions {
            if !mostly_excused.contains_key(field) {
                faults.push(format!("an exception that is none: {field}"));
            }
        }
        let (lost, packets) = (self.lost, self.packets);
        if lost * LOST_ONE_IN > packets {
            faults.push(format!("{lost} packets are in one program only"));
        }
        if self.agreed.len() < FIELDS_MIN {
            let agreed = self.agreed.len();
            faults.push(format!("of {agreed} fields only a value is the same"));
        }
        faults
    }
}
