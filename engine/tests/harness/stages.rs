//! Random stages of modules.

use super::conditions::BLOCKS;
use super::generate::Generator;
use super::query::{Call, Group, ModuleCall, Print, Stage};
use super::scope::{Domain, Scope};

/// Names for columns: new ones, and some that hide others.
const NAMES: [&str; 7] = ["n", "x", "total", "most", "len", "srcport", "tag"];

/// The modules that stages are made of here, each with its weight.
const MODULES: [(usize, &str); 31] = [
    (4, "last"),
    (4, "sort"),
    (3, "tail"),
    (2, "top"),
    (2, "sample"),
    (2, "div"),
    (2, "const"),
    (3, "rename"),
    (3, "expr"),
    (1, "private"),
    (2, "streamalias"),
    (2, "take"),
    (4, "delta"),
    (2, "derivative"),
    (2, "deskew"),
    (5, "clock"),
    (2, "iplookup"),
    (2, "substr"),
    (2, "match"),
    (2, "uniqobj"),
    (2, "countobj"),
    (2, "pdf"),
    (2, "entropy"),
    (2, "histogram"),
    (2, "cumdist"),
    (3, "fifodelay"),
    (3, "changes"),
    (3, "active"),
    (4, "flow"),
    (4, "flowid"),
    (5, "dfa"),
];

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn call(module: &'static str, flags: Vec<String>, words: Vec<String>) -> ModuleCall {
    ModuleCall {
        module,
        flags,
        least: words.len().min(1),
        words,
    }
}

impl Generator {
    /// A call of any module that is no core stage.
    pub(super) fn module(&mut self, scope: &mut Scope) -> Stage {
        let name = self.random.weighted(&MODULES);
        let made = match name {
            "last" | "sort" | "top" | "sample" | "tail" => Some(self.keeping(name, scope)),
            "uniqobj" | "countobj" | "private" => Some(self.about_objects(name)),
            "streamalias" | "take" => self.object(name, scope),
            "iplookup" | "substr" | "match" => self.searching(name, scope),
            "delta" | "derivative" | "deskew" | "clock" => self.following(name, scope),
            "div" | "const" | "rename" | "expr" => self.attaching(name, scope),
            _ => self.measuring(name, scope),
        };
        match made {
            Some(call) => Stage::Call(call),
            None => Stage::Where(self.test(scope, 1)),
        }
    }

    /// A clock, where there is a time that it can go by.
    pub(super) fn clock(&mut self, scope: &mut Scope) -> Option<Stage> {
        self.following("clock", scope).map(Stage::Call)
    }

    /// What gives its objects when they are complete.
    pub(super) fn kept(&mut self, scope: &mut Scope) -> Stage {
        let name = *self.random.pick(&["tail", "last", "sort"]);
        Stage::Call(self.keeping(name, scope))
    }

    pub(super) fn name(&mut self) -> &'static str {
        NAMES[self.random.below(NAMES.len())]
    }

    pub(super) fn keeping(&mut self, name: &'static str, scope: &mut Scope) -> ModuleCall {
        let count = self.random.between(1, 2);
        let fields = self.fields(scope, count);
        let mut flags = Vec::new();
        match name {
            "last" if scope.domain("ts") == Domain::Time && self.random.percent(50) => {
                flags.push(format!("-t {}", self.random.pick(&["1s", "2s", "5", "7s"])));
            }
            "sort" => {
                if self.random.percent(30) {
                    flags.push(format!("--order {}", self.orders(fields.len())));
                } else if self.random.percent(50) {
                    flags.push("-r".to_owned());
                }
                let run = self.random.between(1, 4);
                flags.extend(self.random.percent(30).then(|| format!("-b {run}")));
            }
            "top" => {
                let most = self.random.below(4);
                flags.extend(self.random.percent(60).then(|| format!("-n {most}")));
                let fields: Vec<String> = fields.into_iter().filter(|f| f != "count").collect();
                return self.top(scope, flags, fields);
            }
            "sample" => return call(name, flags, vec![self.random.between(1, 4).to_string()]),
            "tail" => return call(name, flags, vec![self.random.below(5).to_string()]),
            _ => {}
        }
        call(name, flags, fields)
    }

    /// How each field that is sorted by is ordered.
    fn orders(&mut self, count: usize) -> String {
        let orders = ["asc", "desc", "asc-last", "desc-first", "desc-last"];
        let orders = (0..count).map(|_| *self.random.pick(&orders));
        orders.collect::<Vec<_>>().join(":")
    }

    fn top(&mut self, scope: &mut Scope, flags: Vec<String>, fields: Vec<String>) -> ModuleCall {
        if fields.is_empty() {
            return call("tail", Vec::new(), texts(&["3"]));
        }
        scope.keep(&fields);
        scope.attach("count", Domain::Number);
        call("top", flags, fields)
    }

    fn about_objects(&mut self, name: &'static str) -> ModuleCall {
        let flags = match name {
            "countobj" => vec![format!("-t {}", self.random.between(1, 2))],
            _ => Vec::new(),
        };
        call(name, flags, Vec::new())
    }

    fn object(&mut self, name: &'static str, scope: &mut Scope) -> Option<ModuleCall> {
        let objects = scope.objects();
        if name == "streamalias" && objects.is_empty() {
            let alias = *self.random.pick(&["p", "q"]);
            *scope = Scope::carrying(vec![(alias.to_owned(), scope.clone())]);
            return Some(call(name, Vec::new(), texts(&[alias])));
        }
        if !objects.is_empty() {
            let object = self.random.pick(&objects).clone();
            scope.become_object(&object);
            return Some(call("take", Vec::new(), vec![object]));
        }
        let (field, _) = scope.pick(&mut self.random);
        scope.keep(std::slice::from_ref(&field));
        Some(call("take", Vec::new(), vec![field]))
    }

    fn searching(&mut self, name: &'static str, scope: &mut Scope) -> Option<ModuleCall> {
        let domains: &[Domain] = match name {
            "iplookup" => &[Domain::Address],
            _ => &[Domain::Bytes, Domain::Text, Domain::Number],
        };
        let field = scope.pick_of(&mut self.random, domains)?;
        let mut flags = Vec::new();
        let mut words = vec![field];
        let count = self.random.between(1, 3);
        match name {
            "iplookup" => {
                words.extend((0..count).map(|_| (*self.random.pick(&BLOCKS)).to_owned()));
                if self.random.percent(60) {
                    let column = self.name();
                    flags.push(format!("-f {column}"));
                    flags.extend(self.random.percent(50).then(|| "-a".to_owned()));
                    scope.attach(column, Domain::Opaque);
                }
            }
            "substr" => {
                let patterns = ["'a'", "'GET'", "'get'", r"'\x00'", "'10'", "'0'"];
                words.extend((0..count).map(|_| (*self.random.pick(&patterns)).to_owned()));
                for (percent, flag) in [
                    (30, "-i"),
                    (20, "-m"),
                    (20, "-n"),
                    (20, "--offset 1"),
                    (25, "--each"),
                ] {
                    flags.extend(self.random.percent(percent).then(|| flag.to_owned()));
                }
                flags.extend(self.random.percent(20).then(|| "--depth 3".to_owned()));
            }
            _ => {
                let patterns = [
                    "'^G?E'",
                    "'[0-2]+$'",
                    "'(a|b)c*'",
                    r"'\x07.'",
                    "'^$'",
                    "'0'",
                ];
                words.push((*self.random.pick(&patterns)).to_owned());
                for (percent, flag) in [(30, "-i"), (20, "-v")] {
                    flags.extend(self.random.percent(percent).then(|| flag.to_owned()));
                }
            }
        }
        Some(ModuleCall {
            module: name,
            flags,
            words,
            least: 2,
        })
    }

    fn following(&mut self, name: &'static str, scope: &mut Scope) -> Option<ModuleCall> {
        use Domain::{Duration, Number, Text, Time};
        let quantities = [Number, Time, Duration];
        match name {
            "clock" => {
                let field = scope.pick_of(&mut self.random, &[Time])?;
                let field = match self.random.percent(15) {
                    true => scope.pick_of(&mut self.random, &[Number, Text])?,
                    false => field,
                };
                let period = *self.random.pick(&["2s", "2s", "5", "10s", "500ms"]);
                scope.attach("clock", Number);
                Some(call(name, vec![format!("-t {period}")], vec![field]))
            }
            "deskew" => {
                let (field, bounds) = self.bounds(scope)?;
                let second = scope.pick_of(&mut self.random, &quantities)?;
                let mut flags = bounds;
                let domain = scope.domain(&field);
                if second != field && self.random.percent(40) {
                    flags.push(format!("-s {second}"));
                    scope.attach(&second, Domain::Mixed);
                }
                scope.attach(&field, domain);
                Some(call(name, flags, vec![field]))
            }
            _ => {
                let field = scope.pick_of(&mut self.random, &quantities)?;
                let mut flags = Vec::new();
                let mut column = name;
                if self.random.percent(30) {
                    column = self.name();
                    flags.push(format!("-f {column}"));
                }
                let domain = match (name, scope.domain(&field)) {
                    ("delta", Time | Duration) => Duration,
                    _ => Number,
                };
                let mut words = vec![field];
                if name == "derivative" {
                    words.push(scope.pick_of(&mut self.random, &quantities)?);
                }
                scope.attach(column, domain);
                let least = words.len();
                Some(ModuleCall {
                    module: name,
                    flags,
                    words,
                    least,
                })
            }
        }
    }

    /// A field, and bounds of its kind.
    fn bounds(&mut self, scope: &Scope) -> Option<(String, Vec<String>)> {
        let time = self.random.percent(50);
        let (domain, [low, high]) = match time {
            true => (
                Domain::Time,
                ["2026-01-01T00:00:03Z", "2026-01-01T00:00:20Z"],
            ),
            false => (Domain::Number, ["60", "100"]),
        };
        let field = scope.pick_of(&mut self.random, &[domain])?;
        let mut flags = vec![format!("-b {low}"), format!("-e {high}")];
        if self.random.percent(50) {
            flags.remove(self.random.below(2));
        }
        Some((field, flags))
    }

    pub(super) fn attaching(
        &mut self,
        name: &'static str,
        scope: &mut Scope,
    ) -> Option<ModuleCall> {
        let mut flags = Vec::new();
        let mut column = name;
        if name != "rename" && self.random.percent(70) {
            column = self.name();
            flags.push(format!("-f {column}"));
        }
        let (words, domain) = match name {
            "const" => {
                let constants = [
                    ("-t unsigned", "75", Domain::Number),
                    ("-t double", "1.5", Domain::Number),
                    ("-t time", "2026-01-01T00:00:05Z", Domain::Time),
                    ("-t duration", "2s", Domain::Duration),
                    ("-t address", "10.0.0.1", Domain::Address),
                    ("", "80", Domain::Text),
                ];
                let (kind, value, domain) = *self.random.pick(&constants);
                flags.extend((!kind.is_empty()).then(|| kind.to_owned()));
                (texts(&[value]), domain)
            }
            "div" => {
                let domains = [Domain::Number, Domain::Time, Domain::Duration, Domain::Text];
                let field = scope.pick_of(&mut self.random, &domains)?;
                flags.push(format!("-d {}", self.random.pick(&[1, 2, 50])));
                (vec![field], Domain::Number)
            }
            "rename" => {
                let (field, domain) = scope.pick(&mut self.random);
                column = self.name();
                (vec![format!("{field} {column}")], domain)
            }
            _ => {
                let (value, domain) = self.value(scope, 1);
                let text = value.to_string();
                if text.contains('"') {
                    return None;
                }
                (vec![format!("\"{text}\"")], domain)
            }
        };
        scope.attach(column, domain);
        Some(call(name, flags, words))
    }

    /// A column that is calculated among the arguments of another call, of what comes in there.
    fn calculated(&mut self, input: &Scope, scope: &mut Scope) -> String {
        if self.random.percent(20)
            && let Some(time) = input.pick_of(&mut self.random, &[Domain::Time])
        {
            scope.attach("clock", Domain::Number);
            return format!("clock(-t 2s {time})");
        }
        let (value, domain) = self.value(scope, 1);
        let name = self.name();
        scope.attach(name, domain);
        format!("[ {value} ] as {name}")
    }

    pub(super) fn print(&mut self, scope: &mut Scope) -> Stage {
        let mut print = Print {
            file: self.output_file(),
            ..Print::default()
        };
        let form = ["", "", "", "", "-v", "-x", "--boulder", "-B", "-vB"];
        let separator = [
            "-d ','",
            "-d ' '",
            r#"-d "\t""#,
            "-d ';'",
            r#"-d "\x00""#,
            r#"-d """#,
        ];
        let end = [r#"-r "\n\n""#, "-r '|'", r"-r ';\n'", r#"-r """#];
        for (percent, flags) in [(100, &form[..]), (20, &separator), (12, &end)] {
            if self.random.percent(percent) {
                print.flags.push((*self.random.pick(flags)).to_owned());
            }
        }
        print.flags.retain(|flag| !flag.is_empty());
        match self.random.below(20) {
            0 => print.flags.push("--summary".to_owned()),
            1 => {}
            2..=6 => {
                let count = self.random.below(3);
                print.fields = self.fields(scope, count);
                let group = self.group(scope);
                scope.add_calls(&group.calls);
                print.group = Some(group);
            }
            kind => {
                let count = self.random.between(1, 4);
                print.fields = self.fields(scope, count);
                if kind >= 16 {
                    let input = scope.clone();
                    for _ in 0..self.random.between(1, 2) {
                        let column = self.calculated(&input, scope);
                        print.fields.push(column);
                    }
                }
            }
        }
        Stage::Print(print)
    }

    fn output_file(&mut self) -> Option<String> {
        match self.random.below(40) {
            0 => Some("shared.txt".to_owned()),
            1..4 => {
                self.files_written += 1;
                Some(format!("own-{}.txt", self.files_written))
            }
            _ => None,
        }
    }

    pub(super) fn project(&mut self, scope: &mut Scope) -> Stage {
        let count = self.random.between(1, 4);
        let mut fields = self.fields(scope, count);
        let group = self.random.percent(15).then(|| self.group(scope));
        let calls = group.as_ref().map_or(&[][..], |group| &group.calls);
        fields.retain(|field| !calls.iter().any(|call| call.column() == field));
        scope.add_calls(calls);
        let columns = calls.iter().map(|call| call.column().to_owned());
        let kept: Vec<String> = fields.iter().cloned().chain(columns).collect();
        scope.keep(&kept);
        Stage::Project(fields, group)
    }

    pub(super) fn group(&mut self, scope: &Scope) -> Group {
        let mut calls: Vec<Call> = Vec::new();
        for _ in 0..self.random.weighted(&[(4, 1), (3, 2), (1, 3)]) {
            let call = self.function(scope);
            if !calls.iter().any(|known| known.column() == call.column()) {
                calls.push(call);
            }
        }
        let count = self.random.weighted(&[(2, 0), (4, 1), (2, 2)]);
        let mut keys = self.fields(scope, count);
        // What a clock closes is mostly grouped by it.
        if scope.has("clock") && !keys.contains(&"clock".to_owned()) && self.random.percent(60) {
            keys.push("clock".to_owned());
        }
        let mut after = scope.clone();
        after.add_calls(&calls);
        after.add_function("count()");
        let having = !keys.is_empty() && self.random.percent(30);
        Group {
            having: having.then(|| self.test(&after, 1)),
            calls,
            keys,
        }
    }

    fn function(&mut self, scope: &Scope) -> Call {
        use Domain::{Duration, Number, Time};
        let function = self.random.weighted(&[
            (5, "count"),
            (4, "sum"),
            (3, "min"),
            (3, "max"),
            (2, "avg"),
            (2, "stddev"),
            (1, "first"),
            (1, "final"),
            (2, "distinct"),
            (1, "list"),
            (1, "median"),
            (2, "quantile"),
        ]);
        let field = match function {
            "count" => None,
            "sum" => scope.pick_of(&mut self.random, &[Number, Duration]),
            "avg" | "stddev" => scope.pick_of(&mut self.random, &[Number, Number, Time, Duration]),
            _ => Some(scope.pick(&mut self.random).0),
        };
        let names = [None, None, Some("n"), Some("total"), Some("most")];
        let function = if field.is_none() { "count" } else { function };
        let option = match function {
            "stddev" if self.random.percent(40) => "-s ".to_owned(),
            "list" => format!("-n {} ", self.random.between(1, 4)),
            "quantile" => {
                let shares = ["0", "0.1", "0.25", "0.5", "0.9", "1"];
                format!("{} ", self.random.pick(&shares))
            }
            _ => String::new(),
        };
        Call {
            function,
            option,
            field,
            name: *self.random.pick(&names),
        }
    }
}
