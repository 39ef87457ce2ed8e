//! Random stages of modules that measure: distributions, what came lately, flows, machines.

use super::generate::Generator;
use super::query::{ModuleCall, Term, Test};
use super::scope::{Domain, Scope};

use Domain::{Duration, Number, Text, Time};

impl Generator {
    pub(super) fn measuring(
        &mut self,
        name: &'static str,
        scope: &mut Scope,
    ) -> Option<ModuleCall> {
        let mut call = ModuleCall {
            module: name,
            flags: Vec::new(),
            words: Vec::new(),
            least: 0,
        };
        match name {
            "pdf" => self.pdf(&mut call, scope),
            "entropy" => self.entropy(&mut call, scope)?,
            "histogram" => self.histogram(&mut call, scope)?,
            "cumdist" => self.cumdist(&mut call, scope)?,
            "fifodelay" => self.fifodelay(&mut call, scope)?,
            "changes" => self.changes(&mut call, scope)?,
            "active" => self.active(&mut call, scope)?,
            "flow" => self.flow(&mut call, scope)?,
            "flowid" => self.flowid(&mut call, scope)?,
            _ => self.dfa(&mut call, scope)?,
        }
        call.least = call.words.len().min(1);
        Some(call)
    }

    /// A flag with one of some values, now and then.
    fn flag(&mut self, call: &mut ModuleCall, percent: usize, flag: &str, values: &[&str]) {
        if self.random.percent(percent) {
            let value = self.random.pick(values);
            call.flags.push(format!("{flag} {value}"));
        }
    }

    /// The name of a column: given by a flag now and then.
    fn named(&mut self, call: &mut ModuleCall, default: &'static str) -> &'static str {
        if self.random.percent(70) {
            return default;
        }
        let name = self.name();
        call.flags.push(format!("-f {name}"));
        name
    }

    fn pdf(&mut self, call: &mut ModuleCall, scope: &mut Scope) {
        let name = self.named(call, "probability");
        let counts = scope.pick_of(&mut self.random, &[Number, Duration, Text]);
        match counts.filter(|_| self.random.percent(60) || !scope.has("count")) {
            Some(field) => call.flags.push(format!("-c {field}")),
            None if scope.has("count") => {}
            None => call.flags.push("-c len".to_owned()),
        }
        self.flag(call, 20, "--max", &["1", "4"]);
        scope.attach(name, Number);
    }

    fn entropy(&mut self, call: &mut ModuleCall, scope: &mut Scope) -> Option<()> {
        if !scope.has("probability") || self.random.percent(20) {
            let field = scope.pick_of(&mut self.random, &[Number])?;
            call.flags.push(format!("-f {field}"));
        }
        scope.attach("entropy", Number);
        Some(())
    }

    fn histogram(&mut self, call: &mut ModuleCall, scope: &mut Scope) -> Option<()> {
        let name = self.named(call, "count");
        let count = self.random.between(1, 2);
        call.words = self.fields(scope, count);
        if self.random.percent(50) {
            let last = scope.pick_of(&mut self.random, &[Number, Time, Duration])?;
            if last == name {
                return None;
            }
            let widths = match scope.domain(&last) {
                Number => ["50", "1e1", "0.5"],
                _ => ["2s", "5", "500ms"],
            };
            call.words.retain(|field| *field != last);
            call.words.push(last);
            self.flag(call, 100, "-w", &widths);
        }
        call.words.retain(|field| field != name);
        self.flag(call, 20, "--max", &["1", "3"]);
        scope.keep(&call.words);
        scope.attach(name, Number);
        (!call.words.is_empty()).then_some(())
    }

    fn cumdist(&mut self, call: &mut ModuleCall, scope: &mut Scope) -> Option<()> {
        let name = self.named(call, "cumulative");
        let field = scope.pick(&mut self.random).0;
        if ["count", name].contains(&field.as_str()) {
            return None;
        }
        self.flag(call, 20, "--max", &["1", "3"]);
        call.words = vec![field];
        scope.keep(&call.words);
        scope.attach("count", Number);
        scope.attach(name, Number);
        Some(())
    }

    fn fifodelay(&mut self, call: &mut ModuleCall, scope: &mut Scope) -> Option<()> {
        let mut time = |generator: &mut Generator, flag, percent| {
            let field = scope.pick_of(&mut generator.random, &[Time, Number, Duration])?;
            if !scope.has("ts") || generator.random.percent(percent) {
                call.flags.push(format!("{flag} {field}"));
            }
            Some(())
        };
        time(self, "-i", 20)?;
        time(self, "-o", 30)?;
        self.flag(call, 80, "-t", &["500ms", "2s", "5s", "0s"]);
        self.flag(call, 20, "--max", &["1", "4"]);
        Some(())
    }

    fn changes(&mut self, call: &mut ModuleCall, scope: &mut Scope) -> Option<()> {
        let (id, _) = scope.pick(&mut self.random);
        call.flags.push(format!("-i {id}"));
        for _ in 0..self.random.between(1, 2) {
            let field = scope.pick_of(&mut self.random, &[Number, Time, Duration, Text])?;
            if !call.words.contains(&field) {
                call.words.push(field);
            }
        }
        let name = self.named(call, "severity");
        self.flag(call, 40, "--histup", &["0", "0.5", "1"]);
        self.flag(call, 40, "--histdown", &["0.25", "0.5", "0"]);
        self.flag(call, 30, "--histdev", &["0", "0.5", "1"]);
        self.flag(call, 30, "-t", &["0", "0.5", "2"]);
        self.flag(call, 15, "--max", &["1", "2"]);
        if self.random.percent(40) {
            call.flags.push("-a".to_owned());
            for field in &call.words {
                scope.attach(&format!("{field}.mean"), Number);
                scope.attach(&format!("{field}.sigma"), Number);
            }
        }
        scope.attach(name, Number);
        Some(())
    }

    fn active(&mut self, call: &mut ModuleCall, scope: &mut Scope) -> Option<()> {
        if !scope.has("ts") {
            return None;
        }
        let name = self.named(call, "active");
        let count = self.random.between(1, 2);
        call.words = self.fields(scope, count);
        self.flag(call, 70, "-t", &["500ms", "2s", "5s", "10s"]);
        self.flag(call, 20, "--max", &["1", "2"]);
        scope.attach(name, Number);
        Some(())
    }

    fn flowid(&mut self, call: &mut ModuleCall, scope: &mut Scope) -> Option<()> {
        let own = [
            ("flowid", Number),
            ("start", Time),
            ("finish", Time),
            ("packets", Number),
            ("bytes", Number),
            ("packetsback", Number),
            ("bytesback", Number),
        ];
        if !scope.has("ts") || !scope.has("len") {
            return None;
        }
        if self.random.percent(50) && scope.has("srcip") && scope.has("dstport") {
            call.flags.push("-r".to_owned());
            call.words.extend(["srcip", "dstip"].map(str::to_owned));
            if self.random.percent(50) {
                call.words.extend(["srcport", "dstport"].map(str::to_owned));
            }
            if !call.words.iter().all(|field| scope.has(field)) {
                return None;
            }
        } else {
            let count = self.random.between(1, 2);
            call.words = self.fields(scope, count);
        }
        let is_own = |field: &String| own.iter().any(|(name, _)| name == field);
        if call.words.iter().any(is_own) {
            return None;
        }
        self.flag(call, 70, "-t", &["500ms", "2s", "5s", "10s"]);
        self.flag(call, 15, "--max", &["1", "3"]);
        for (name, domain) in own {
            scope.attach(name, domain);
        }
        Some(())
    }

    fn flow(&mut self, call: &mut ModuleCall, scope: &mut Scope) -> Option<()> {
        let own = [
            ("start", Time),
            ("end", Time),
            ("duration", Duration),
            ("packets", Number),
            ("packetsback", Number),
            ("bytes", Number),
            ("bytesback", Number),
            ("flags", Number),
            ("flagsback", Number),
            ("state", Domain::Opaque),
            ("reason", Domain::Opaque),
        ];
        let usual = ["srcip", "srcport", "dstip", "dstport", "ipprotocol"];
        let needed = ["ts", "len", "tcpflags", "seq"];
        if !needed.iter().chain(&usual).all(|field| scope.has(field)) {
            return None;
        }
        let mut keys = usual.map(str::to_owned).to_vec();
        match self.random.below(4) {
            0 => {
                let count = self.random.between(1, 2);
                keys = self.fields(scope, count);
                call.words.clone_from(&keys);
            }
            1 => {
                keys.truncate(4);
                call.words.clone_from(&keys);
            }
            // Unless fields are given, it is these.
            _ => {}
        }
        let is_own = |field: &String| own.iter().any(|(name, _)| name == field);
        if keys.iter().any(is_own) {
            return None;
        }
        self.flag(call, 60, "-i", &["500ms", "2s", "5s", "10s"]);
        self.flag(call, 30, "-a", &["1s", "4s", "10s"]);
        self.flag(call, 30, "-l", &["500ms", "2s", "100ms"]);
        self.flag(call, 15, "-b", &["caplen", "ttl"]);
        self.flag(call, 15, "--max", &["1", "3"]);
        scope.keep(&keys);
        for (name, domain) in own {
            scope.attach(name, domain);
        }
        Some(())
    }

    fn dfa(&mut self, call: &mut ModuleCall, scope: &mut Scope) -> Option<()> {
        let before = scope.clone();
        let mut beside = before.clone();
        beside.carry("previous", &before);
        // Every state can be reached, and can be left.
        let moves: &[(&str, &str, usize)] = match self.random.percent(40) {
            true => &[
                ("START", "a", 100),
                ("START", "b", 20),
                ("a", "b", 100),
                ("a", "STOP", 30),
                ("b", "a", 20),
                ("b", "STOP", 100),
            ],
            false => &[
                ("START", "a", 100),
                ("START", "STOP", 10),
                ("a", "START", 15),
                ("a", "STOP", 100),
            ],
        };
        for &(from, to, percent) in moves {
            if !self.random.percent(percent) {
                continue;
            }
            let test = match from {
                "START" => self.test(&before, 1),
                _ => self.test_beside(&before, &beside),
            };
            let text = test.to_string();
            if text.contains('"') {
                return None;
            }
            call.flags.push(format!("-e \"{from} {to} {text}\""));
        }
        if scope.has("ts") {
            self.flag(call, 35, "-t", &["500ms", "2s", "10s"]);
        }
        self.flag(call, 15, "--max", &["1", "2"]);
        scope.carry("previous", &before);
        Some(())
    }

    /// A test of an object and the one that came before: mostly one where they are equal.
    fn test_beside(&mut self, own: &Scope, both: &Scope) -> Test {
        if self.random.percent(30) {
            return self.test(both, 1);
        }
        let (field, domain) = own.pick(&mut self.random);
        if domain == Domain::Opaque {
            return self.test(both, 1);
        }
        let op = self.random.weighted(&[(6, "="), (1, "!="), (1, "<")]);
        let chain =
            *self
                .random
                .pick(&["previous.", "previous.", "previous.", "previous.previous."]);
        let before = Term::Field(format!("{chain}{field}"));
        let same = Test::Compare(Term::Field(field), op, before);
        match self.random.percent(30) {
            true => Test::And(vec![same, self.test(own, 0)]),
            false => same,
        }
    }
}
