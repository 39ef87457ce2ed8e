//! Random machines over random packets, beside a model that tries every machine with every transition.

use super::support::{Random, number, run_query};
use super::{FIELDS, Packet, Scratch, account, capture, packets};
use std::fmt;
use wireq_engine::schedule::Options;

/// A field of an object so many moves ago; 0 is the one that comes.
#[derive(Clone, Copy)]
struct Operand(usize, usize);

#[derive(Clone)]
enum Test {
    Compare(&'static str, Operand, Operand),
    Constant(&'static str, Operand, i64),
    /// The fields are one apart.
    Step(Operand, Operand),
    There(usize),
    Has(Operand),
    Not(Box<Test>),
    Or(Box<Test>, Box<Test>),
    And(Box<Test>, Box<Test>),
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", "previous.".repeat(self.0), FIELDS[self.1])
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Test::Compare(op, a, b) => write!(f, "{a} {op} {b}"),
            Test::Constant(op, a, n) if matches!(a.1, 1 | 2) => write!(f, "{a} {op} 10.0.0.{n}"),
            Test::Constant(op, a, n) => write!(f, "{a} {op} {n}"),
            Test::Step(a, b) => write!(f, "{a} = {b} + 1"),
            Test::There(depth) => f.write_str("previous.".repeat(*depth).trim_end_matches('.')),
            Test::Has(operand) => write!(f, "{operand}"),
            Test::Not(test) => write!(f, "not ({test})"),
            Test::Or(a, b) => write!(f, "({a} or {b})"),
            Test::And(a, b) => write!(f, "{a} and {b}"),
        }
    }
}

fn accepts(op: &str, a: i64, b: i64) -> bool {
    match op {
        "=" => a == b,
        "!=" => a != b,
        "<" => a < b,
        _ => a >= b,
    }
}

impl Test {
    fn random(random: &mut Random, depth: usize, from: &str) -> Test {
        if depth > 0 {
            let a = Box::new(Test::random(random, depth - 1, from));
            let b = Box::new(Test::random(random, depth - 1, from));
            return match random.below(6) {
                0..4 => Test::And(a, b),
                4 => Test::Or(a, b),
                _ => Test::Not(a),
            };
        }
        let kinds: [&[usize]; 3] = [&[0], &[1, 2], &[3, 4, 5]];
        let kind = kinds[random.below(3)];
        let op = ["=", "=", "=", "!=", "<", ">="][random.below(6)];
        // Mostly the object, or the one before it; in START there is none.
        let mut operand = || {
            let ago = match random.below(if from == "START" { 20 } else { 7 }) {
                2..=4 => 1,
                5 => 2,
                6 => 3,
                _ => 0,
            };
            Operand(ago, kind[random.below(kind.len())])
        };
        let (a, b) = (operand(), operand());
        match random.below(9) {
            0 => Test::There(1 + random.below(3)),
            1 => Test::Has(a),
            2 | 3 => Test::Constant(op, a, random.below(4) as i64),
            4 if kind[0] != 1 => Test::Step(a, b),
            _ => Test::Compare(op, a, b),
        }
    }

    /// Whether it is known to hold; the chain begins with the object that comes.
    fn holds(&self, chain: &[&Packet]) -> bool {
        let value = |operand: &Operand| chain.get(operand.0)?.values[operand.1];
        let both = |a, b| Some((value(a)?, value(b)?));
        match self {
            Test::Compare(op, a, b) => both(a, b).is_some_and(|(a, b)| accepts(op, a, b)),
            Test::Constant(op, a, n) => value(a).is_some_and(|a| accepts(op, a, *n)),
            Test::Step(a, b) => both(a, b).is_some_and(|(a, b)| a == b + 1),
            Test::There(depth) => chain.len() > *depth,
            Test::Has(operand) => value(operand).is_some(),
            Test::Not(test) => !test.holds(chain),
            Test::Or(a, b) => a.holds(chain) || b.holds(chain),
            Test::And(a, b) => a.holds(chain) && b.holds(chain),
        }
    }
}

struct Line {
    from: &'static str,
    to: &'static str,
    test: Test,
}

/// A machine of some states on the way to STOP, and further transitions.
fn lines(random: &mut Random) -> Vec<Line> {
    let states = ["START", "A", "B", "C"];
    let last = 1 + random.below(3);
    let mut line = |from, to| {
        let depth = random.below(3);
        let test = Test::random(random, depth, from);
        Line { from, to, test }
    };
    let mut lines: Vec<Line> = (0..last)
        .map(|at| line(states[at], states[at + 1]))
        .collect();
    lines.push(line(states[last], "STOP"));
    for _ in 0..random.below(4) {
        let from = states[random.below(last + 1)];
        let mut targets = states[1..=last].to_vec();
        targets.push("STOP");
        if from != "START" {
            targets.push("START");
        }
        let to = targets[random.below(targets.len())];
        let test = Test::random(random, 1, from);
        lines.insert(random.below(lines.len() + 1), Line { from, to, test });
    }
    lines
}

struct Machine<'p> {
    state: &'static str,
    /// Latest first.
    chain: Vec<&'p Packet>,
    moved: u32,
}

#[derive(Default)]
struct Model<'p> {
    machines: Vec<Machine<'p>>,
    clock: u32,
    evicted: u64,
    filtered: u64,
}

impl<'p> Model<'p> {
    /// Takes a packet; where that is given, the packets that moved the machine before.
    fn take(
        &mut self,
        packet: &'p Packet,
        lines: &[Line],
        timeout: Option<u32>,
        max: usize,
    ) -> Option<Vec<&'p Packet>> {
        self.clock = self.clock.max(packet.seconds);
        let before = self.machines.len();
        let clock = self.clock;
        self.machines
            .retain(|m| timeout.is_none_or(|t| m.moved + t >= clock));
        self.evicted += (before - self.machines.len()) as u64;
        let passing = |state: &str, chain: &[&Packet]| {
            let all: Vec<&Packet> = std::iter::once(packet)
                .chain(chain.iter().copied())
                .collect();
            lines
                .iter()
                .find(|line| line.from == state && line.test.holds(&all))
        };
        let found = self.machines.iter().enumerate().find_map(|(at, machine)| {
            let apart = machine.chain[0].seconds.abs_diff(packet.seconds);
            let near = timeout.is_none_or(|timeout| apart <= timeout);
            near.then(|| passing(machine.state, &machine.chain))
                .flatten()
                .map(|line| (at, line.to))
        });
        let Some((at, to)) = found else {
            match passing("START", &[]).map(|line| line.to) {
                None => self.filtered += 1,
                Some("STOP") => return Some(Vec::new()),
                Some(state) => {
                    self.machines.push(Machine {
                        state,
                        chain: vec![packet],
                        moved: clock,
                    });
                    if self.machines.len() > max {
                        self.machines.remove(0);
                        self.evicted += 1;
                    }
                }
            }
            return None;
        };
        match to {
            "STOP" => return Some(self.machines.remove(at).chain),
            "START" => drop(self.machines.remove(at)),
            state => {
                let machine = &mut self.machines[at];
                machine.state = state;
                machine.chain.insert(0, packet);
                machine.moved = clock;
            }
        }
        None
    }
}

/// What `print` says of a packet and those before it.
fn printed(packet: &Packet, chain: &[&Packet]) -> String {
    let cell = |packet: Option<&&Packet>, field: usize| {
        let value = packet.and_then(|packet| packet.values[field]);
        value.map_or(String::new(), |value| match field {
            1 | 2 => format!("10.0.0.{value}"),
            _ => value.to_string(),
        })
    };
    let cells = [
        cell(Some(&packet), 0),
        cell(chain.first(), 0),
        cell(chain.first(), 5),
        cell(chain.get(1), 0),
        cell(chain.get(1), 1),
        cell(chain.get(3), 0),
    ];
    format!("{}\n", cells.join("\t").trim_end_matches('\t'))
}

const PRINT: &str = "print frame.number previous.frame.number previous.ipid \
                     previous.previous.frame.number previous.previous.srcip \
                     previous.previous.previous.previous.frame.number";

#[test]
fn machines_move_as_in_the_model() {
    let mut random = Random(1);
    let (scratch, file) = (Scratch::new("model.pcap"), Scratch::new("model.dfa"));
    let (mut given, mut evicted, mut deep) = (0, 0, 0);
    for case in 0..number("WIREQ_MACHINES", 400) {
        let (packets, lines) = (packets(&mut random), lines(&mut random));
        let timeout = (random.below(3) == 0).then(|| random.below(12) as u32 + 1);
        let max = if random.below(3) == 0 {
            1 + random.below(6)
        } else {
            usize::MAX
        };
        let grouped = random.below(5) == 0;

        let mut models: Vec<(Option<i64>, Model<'_>)> = Vec::new();
        let mut expected = String::new();
        for packet in &packets {
            let key = packet.values[1].filter(|_| grouped);
            if grouped && key.is_none() {
                continue;
            }
            let at = models
                .iter()
                .position(|(known, _)| *known == key)
                .unwrap_or(models.len());
            if at == models.len() {
                models.push((key, Model::default()));
            }
            if let Some(chain) = models[at].1.take(packet, &lines, timeout, max) {
                expected += &printed(packet, &chain);
                given += 1;
                deep += usize::from(chain.len() > 1);
            }
        }
        let sum = |count: fn(&Model<'_>) -> u64| models.iter().map(|(_, m)| count(m)).sum::<u64>();
        evicted += sum(|model| model.evicted);

        let text = lines
            .iter()
            .map(|line| format!("{} {} {}\n", line.from, line.to, line.test));
        let text: String = text.collect();
        let mut query = String::from("dfa");
        if let Some(timeout) = timeout {
            query += &format!(" -t {timeout}");
        }
        if max != usize::MAX {
            query += &format!(" --max {max}");
        }
        query += &format!(" {}", file.write(text.as_bytes()));
        if grouped {
            query += " group by srcip";
        }
        query += &format!(" | {PRINT}");
        let path = scratch.write(&capture(&packets));
        for (rows_max, resume_every) in [(2048, 0), (3, 0), (1, 1), (7, 2)] {
            let options = Options {
                rows_max,
                resume_every,
                seed: case as u64,
                ..Options::default()
            };
            let (out, report) = run_query(&query, &path, &options).expect("the run ends well");
            let what = format!("{query}\n{text}batches of {rows_max}");
            assert_eq!(String::from_utf8_lossy(&out), expected, "{what}");
            let account = account(&report);
            assert!(account.adds_up(), "{what}: {account:?}");
            assert_eq!(account.evicted, sum(|model| model.evicted), "{what}");
            assert_eq!(account.filtered, sum(|model| model.filtered), "{what}");
        }
    }
    println!("{given} given, {deep} of them deep, {evicted} evicted");
    assert!(given > 500 && deep > 100 && evicted > 500);
}
