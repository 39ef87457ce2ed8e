//! Random query sets over random captures.

use super::capture::Capture;
use super::oracle::object::Object;
use super::query::{Call, Group, Pipeline, Print, Stage, Statement, Term, Test};
use super::random::Random;
use super::scope::{Domain, Scope};
use wireq_typesys::{FieldPath, Zone, write_value};

/// How the statements of a set are given.
#[derive(Clone, Copy, Debug)]
pub enum Layout {
    /// One text, with `;` between statements.
    Semicolons,
    /// One text, a line for each statement, with labels.
    Lines,
    /// A text for each statement.
    Texts,
}

/// Captures and queries over them.
#[derive(Clone, Debug)]
pub struct QuerySet {
    /// One or two.
    pub captures: Vec<Capture>,
    /// The captures that statements without a source read; none where statements name theirs.
    pub files: Vec<usize>,
    /// The statements.
    pub statements: Vec<Statement>,
    /// How they are given.
    pub layout: Layout,
    /// The statement without which the others must stay as they are.
    pub dropped: usize,
}

impl QuerySet {
    /// The set of a seed; `packets` turns captures into objects, for constants that occur.
    pub fn random(seed: u64, packets: impl Fn(&Capture) -> Vec<Object>) -> QuerySet {
        let mut random = Random::new(seed);
        let captures = random.weighted(&[(7, 1), (3, 2)]);
        let captures: Vec<Capture> = (0..captures)
            .map(|_| Capture::random(&mut random, 60))
            .collect();
        let occurring = captures.iter().flat_map(packets).collect();
        let files = match (random.percent(50), captures.len()) {
            (true, _) => Vec::new(),
            (false, 1) => vec![0],
            (false, _) => vec![0, 1],
        };
        let mut generator = Generator {
            random,
            occurring,
            captures: captures.len(),
            named_sources: files.is_empty(),
            files_written: 0,
            zone: Zone::utc(),
        };
        let count = generator.random.between(1, 6);
        let statements: Vec<_> = (0..count).map(|_| generator.statement()).collect();
        let random = &mut generator.random;
        let layout = *random.pick(&[Layout::Semicolons, Layout::Lines, Layout::Texts]);
        let dropped = random.below(count);

        QuerySet {
            captures,
            files,
            statements,
            layout,
            dropped,
        }
    }

    /// The set without one of its statements.
    pub fn without(&self, statement: usize) -> QuerySet {
        let mut set = self.clone();
        set.statements.remove(statement);
        set.dropped = set.dropped.min(set.statements.len().saturating_sub(1));
        set
    }

    /// The texts of the statements, with `{0}` where a path belongs.
    pub fn texts(&self) -> Vec<String> {
        let statements = self.statements.iter().map(ToString::to_string);
        match self.layout {
            Layout::Texts => statements.collect(),
            Layout::Lines => {
                let labelled = statements
                    .enumerate()
                    .map(|(at, text)| format!("q{at}: {text}\n"));
                vec![labelled.collect()]
            }
            Layout::Semicolons => vec![statements.collect::<Vec<_>>().join("; ")],
        }
    }
}

struct Generator {
    random: Random,
    occurring: Vec<Object>,
    captures: usize,
    named_sources: bool,
    files_written: usize,
    zone: Zone,
}

#[derive(Clone, Copy)]
enum StageKind {
    Where,
    Uniq,
    Head,
    Project,
    Print,
    Aggregate,
    Bag,
}

const STAGES: [(usize, StageKind); 7] = [
    (34, StageKind::Where),
    (13, StageKind::Uniq),
    (12, StageKind::Head),
    (9, StageKind::Project),
    (10, StageKind::Print),
    (10, StageKind::Aggregate),
    (12, StageKind::Bag),
];

impl Generator {
    fn statement(&mut self) -> Statement {
        let mut scope = Scope::packet();
        let mut statement = self.begin(&mut scope);
        for _ in 0..self
            .random
            .weighted(&[(2, 0), (5, 1), (6, 2), (4, 3), (2, 4)])
        {
            let stage = self.stage(&mut scope, 2);
            statement.pipeline.push(stage);
        }
        let ends_in_nothing = self.random.percent(25);
        if !ends_in_nothing || statement.source.is_none() && statement.pipeline.is_empty() {
            let print = self.print(&mut scope);
            statement.pipeline.push(print);
        }
        statement
    }

    /// A source, a bag of sources, or nothing where files are given.
    fn begin(&mut self, scope: &mut Scope) -> Statement {
        let (source, pipeline) = if !self.named_sources {
            (None, Vec::new())
        } else if self.random.percent(20) {
            (None, vec![self.bag_of_sources(scope)])
        } else {
            (Some(self.random.below(self.captures)), Vec::new())
        };
        Statement { source, pipeline }
    }

    fn bag_of_sources(&mut self, scope: &mut Scope) -> Stage {
        let count = self.random.weighted(&[(3, 2), (1, 3)]);
        let mut sources: Vec<usize> = (0..count)
            .map(|_| self.random.below(self.captures))
            .collect();
        sources.sort_unstable();
        let mut scopes = Vec::new();
        let mut branch = |source| {
            let mut scope = Scope::packet();
            let stages = self.random.below(3);
            let pipeline = self.stages(&mut scope, stages, 1);
            scopes.push(scope);
            Statement {
                source: Some(source),
                pipeline,
            }
        };
        let branches = sources.into_iter().map(&mut branch).collect();
        *scope = Scope::union(scopes);
        Stage::Bag(branches)
    }

    fn stages(&mut self, scope: &mut Scope, count: usize, depth: usize) -> Pipeline {
        (0..count).map(|_| self.stage(scope, depth)).collect()
    }

    fn stage(&mut self, scope: &mut Scope, depth: usize) -> Stage {
        match self.random.weighted(&STAGES) {
            StageKind::Bag if depth > 0 => self.bag(scope, depth - 1),
            StageKind::Where | StageKind::Bag => Stage::Where(self.test(scope, 2)),
            StageKind::Uniq => {
                let count = self.random.between(1, 3);
                Stage::Uniq(self.fields(scope, count))
            }
            StageKind::Head => {
                let counts = [(1, 0), (3, 1), (3, 2), (3, 3), (3, 5), (3, 10), (1, 30)];
                Stage::Head(self.random.weighted(&counts))
            }
            StageKind::Project => self.project(scope),
            StageKind::Print => self.print(scope),
            StageKind::Aggregate => {
                let group = self.group(scope);
                scope.add_calls(&group.calls);
                Stage::Aggregate(group)
            }
        }
    }

    fn bag(&mut self, scope: &mut Scope, depth: usize) -> Stage {
        let count = self.random.weighted(&[(4, 2), (1, 3)]);
        let mut scopes = Vec::new();
        let mut branches = Vec::new();
        for _ in 0..count {
            let mut scope = scope.clone();
            let stages = self.random.between(1, 2);
            let pipeline = self.stages(&mut scope, stages, depth);
            scopes.push(scope);
            branches.push(Statement {
                source: None,
                pipeline,
            });
        }
        *scope = Scope::union(scopes);
        Stage::Bag(branches)
    }

    fn fields(&mut self, scope: &Scope, count: usize) -> Vec<String> {
        let mut fields = Vec::new();
        for _ in 0..count {
            let (field, _) = scope.pick(&mut self.random);
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        fields
    }

    fn project(&mut self, scope: &mut Scope) -> Stage {
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

    fn print(&mut self, scope: &mut Scope) -> Stage {
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
            _ => {
                let count = self.random.between(1, 4);
                print.fields = self.fields(scope, count);
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

    fn group(&mut self, scope: &Scope) -> Group {
        let mut calls: Vec<Call> = Vec::new();
        for _ in 0..self.random.weighted(&[(4, 1), (3, 2), (1, 3)]) {
            let call = self.call(scope);
            if !calls.iter().any(|known| known.column() == call.column()) {
                calls.push(call);
            }
        }
        let count = self.random.weighted(&[(2, 0), (4, 1), (2, 2)]);
        let keys = self.fields(scope, count);
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

    fn call(&mut self, scope: &Scope) -> Call {
        let function = self
            .random
            .weighted(&[(5, "count"), (4, "sum"), (3, "min"), (3, "max")]);
        let field = match function {
            "count" => None,
            "sum" => scope.pick_of(&mut self.random, Domain::Number),
            _ => Some(scope.pick(&mut self.random).0),
        };
        let names = [None, None, Some("n"), Some("total"), Some("most")];
        let function = if field.is_none() { "count" } else { function };
        Call {
            function,
            field,
            name: *self.random.pick(&names),
        }
    }

    fn test(&mut self, scope: &Scope, depth: usize) -> Test {
        if depth == 0 || self.random.percent(55) {
            return self.simple_test(scope);
        }
        let mut parts =
            |count| -> Vec<Test> { (0..count).map(|_| self.test(scope, depth - 1)).collect() };
        let (two, three) = (parts(2), parts(3));
        match self.random.below(10) {
            0..3 => Test::And(two),
            3..6 => Test::Or(two),
            6 => Test::Or(three),
            _ => Test::Not(Box::new(two.into_iter().next().expect("there are two"))),
        }
    }

    fn simple_test(&mut self, scope: &Scope) -> Test {
        let (field, domain) = scope.pick(&mut self.random);
        let (term, domain) = match self.random.below(20) {
            0..2 => return Test::Exists(field),
            2..5 => self.arithmetic(scope),
            _ => (Term::Field(field), domain),
        };
        let op = self.random.weighted(&[
            (7, "="),
            (3, "!="),
            (2, "<"),
            (2, "<="),
            (2, ">"),
            (2, ">="),
        ]);
        let other = match self.random.below(20) {
            0..2 => Term::Field(scope.pick(&mut self.random).0),
            2 => match scope.pick_of(&mut self.random, domain) {
                Some(field) => Term::Field(field),
                None => Term::Constant(self.constant(&term, domain, op)),
            },
            _ => Term::Constant(self.constant(&term, domain, op)),
        };
        if self.random.percent(6) {
            return Test::Compare(other, mirrored(op), term);
        }
        Test::Compare(term, op, other)
    }

    fn arithmetic(&mut self, scope: &Scope) -> (Term, Domain) {
        if self.random.percent(25)
            && let Some(time) = scope.pick_of(&mut self.random, Domain::Time)
        {
            return self.time_arithmetic(scope, time);
        }
        match self.number(scope, 2) {
            term if term.has_field() => (term, Domain::Number),
            _ => {
                let (field, domain) = scope.pick(&mut self.random);
                (Term::Field(field), domain)
            }
        }
    }

    fn time_arithmetic(&mut self, scope: &Scope, time: String) -> (Term, Domain) {
        let time = Box::new(Term::Field(time));
        let op = *self.random.pick(&['+', '-']);
        if self.random.percent(60) {
            let length = *self.random.pick(&["'1s'", "'250ms'", "2", "0.5", "5"]);
            let length = Box::new(Term::Constant(length.to_owned()));
            return (Term::Arithmetic(time, op, length), Domain::Time);
        }
        let other = scope
            .pick_of(&mut self.random, Domain::Time)
            .expect("there is one");
        let term = Term::Arithmetic(time, '-', Box::new(Term::Field(other)));
        (term, Domain::Duration)
    }

    fn number(&mut self, scope: &Scope, depth: usize) -> Term {
        let domain = self
            .random
            .weighted(&[(9, Domain::Number), (1, Domain::Text)]);
        match (
            self.random.below(10),
            scope.pick_of(&mut self.random, domain),
        ) {
            (0..4, Some(field)) => Term::Field(field),
            (4..6, _) | (_, None) => {
                let constants = ["0", "1", "2", "10", "80", "0.5", "1000", "-3", "0x10"];
                Term::Constant((*self.random.pick(&constants)).to_owned())
            }
            (_, Some(field)) if depth == 0 => Term::Field(field),
            _ => {
                let op = *self.random.pick(&['+', '-', '*', '/']);
                let (left, right) = (self.number(scope, depth - 1), self.number(scope, depth - 1));
                Term::Arithmetic(Box::new(left), op, Box::new(right))
            }
        }
    }

    /// A constant to compare a term with: mostly one that occurs.
    fn constant(&mut self, term: &Term, domain: Domain, op: &str) -> String {
        let occurring = match term {
            Term::Field(field) if self.random.percent(75) => self.occurring(field),
            _ => None,
        };
        let block =
            domain == Domain::Address && matches!(op, "=" | "!=") && self.random.percent(20);
        match (domain, occurring) {
            (Domain::Address, _) if block => {
                let blocks = [
                    "10.0.0.0/8",
                    "10.0.0.0/24",
                    "'192.0.2.0/28'",
                    "fd00::/16",
                    "'::/0'",
                ];
                (*self.random.pick(&blocks)).to_owned()
            }
            (Domain::Mixed, _) | (_, None) => self.random.pick(domain.constants()).to_string(),
            (Domain::Text | Domain::Bytes, Some(text)) => quoted(&text),
            (Domain::Protocol, Some(text)) if text.contains('-') => quoted(&text),
            (_, Some(text)) if self.random.percent(25) => quoted(&text),
            (_, Some(text)) => text,
        }
    }

    /// The text of a value that a field has somewhere.
    fn occurring(&mut self, field: &str) -> Option<String> {
        if self.occurring.is_empty() {
            return None;
        }
        let path = FieldPath::new(field);
        let values = (0..4).map(|_| {
            let object = self.random.pick(&self.occurring);
            object.get(&path, &self.zone)
        });
        let value = { values }.find(|value| !value.is_absent())?;
        let mut text = Vec::new();
        write_value(&value, &self.zone, &mut text);
        let text = String::from_utf8(text).ok()?;
        let writable = !text.contains(['"', '\'']) && text.len() <= 60;
        writable.then_some(text)
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn mirrored(op: &'static str) -> &'static str {
    match op {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        same => same,
    }
}
