//! Random statements that have much in common, so that something can be shared: groups by the same
//! keys, and tests of which some follow from others.

use super::generate::Generator;
use super::query::{Group, ModuleCall, Pipeline, Print, Stage, Statement, Term, Test};
use super::scope::{Domain, Scope};

/// Address blocks, of which several lie within others.
const NESTED: [&str; 5] = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.0.0/24",
    "10.0.0.0/30",
    "10.0.0.1",
];

impl Generator {
    /// Functions over the same groups of the same objects: in statements of their own, or as a bag in
    /// one.
    pub(super) fn statements_of_groups(&mut self) -> Vec<Statement> {
        let mut scope = Scope::packet();
        let mut begin = self.begin(&mut scope);
        let stages = self.random.weighted(&[(4, 0), (3, 1), (1, 2)]);
        begin.pipeline.extend(self.stages(&mut scope, stages, 1));
        let count = self.random.weighted(&[(1, 0), (5, 1), (3, 2)]);
        let keys = self.fields(&scope, count);
        let count = self.random.between(2, 4);
        let mut pipelines: Vec<Pipeline> = (0..count)
            .map(|_| self.functions_of_groups(&scope, &keys))
            .collect();
        if self.random.percent(25) && !begin.pipeline.is_empty() {
            let branch = |pipeline| Statement {
                source: None,
                pipeline,
            };
            let branches = pipelines.drain(..).map(branch).collect();
            begin.pipeline.push(Stage::Bag(branches));
            return vec![begin];
        }
        let statement = |mut pipeline: Pipeline| {
            let mut statement = begin.clone();
            statement.pipeline.append(&mut pipeline);
            statement
        };
        pipelines.into_iter().map(statement).collect()
    }

    /// The first objects or groups in an order, asked for by one statement or several.
    pub(super) fn statements_of_firsts(&mut self) -> Vec<Statement> {
        let mut scope = Scope::packet();
        let mut begin = self.begin(&mut scope);
        let stages = self.random.weighted(&[(5, 0), (2, 1)]);
        begin.pipeline.extend(self.stages(&mut scope, stages, 1));
        let mut columns = Vec::new();
        if self.random.percent(60) {
            let mut group = self.group(&scope);
            let count = self.random.between(1, 3);
            group.keys = self.fields(&scope, count);
            group.having = group.having.filter(|_| self.random.percent(30));
            scope.add_calls(&group.calls);
            columns.extend(group.calls.iter().map(|call| call.column().to_owned()));
            begin.pipeline.push(Stage::Aggregate(group));
            while self.random.percent(30) {
                begin.pipeline.push(self.for_each(&mut scope));
            }
            columns.retain(|column| scope.has(column));
        }
        let by_column = !columns.is_empty() && self.random.percent(80);
        let mut sort = self.keeping("sort", &mut scope);
        if by_column {
            sort.words[0].clone_from(&columns[0]);
        }
        begin.pipeline.push(Stage::Call(sort));
        let count = self.random.weighted(&[(3, 1), (2, 2)]);
        let statement = |generator: &mut Generator| {
            let (mut scope, mut statement) = (scope.clone(), begin.clone());
            let pipeline = &mut statement.pipeline;
            for _ in 0..generator.random.weighted(&[(4, 0), (2, 1), (1, 2)]) {
                pipeline.push(generator.for_each(&mut scope));
            }
            if generator.random.percent(20) {
                let count = generator.random.below(4).to_string();
                pipeline.push(Stage::Call(ModuleCall {
                    module: "skip",
                    flags: Vec::new(),
                    words: vec![count],
                    least: 1,
                }));
            }
            if generator.random.percent(90) {
                pipeline.push(Stage::Head(generator.random.between(0, 6) as u64));
            }
            pipeline.push(generator.print(&mut scope));
            statement
        };
        (0..count).map(|_| statement(self)).collect()
    }

    /// What gives each object on, under other names or with more: mostly.
    fn for_each(&mut self, scope: &mut Scope) -> Stage {
        match self.random.below(4) {
            0 => self.print(scope),
            1 => self.stage(scope, 0),
            _ => match self.attaching("rename", scope) {
                Some(call) => Stage::Call(call),
                None => self.stage(scope, 0),
            },
        }
    }

    fn functions_of_groups(&mut self, scope: &Scope, keys: &[String]) -> Pipeline {
        let mut scope = scope.clone();
        let mut group = self.group(&scope);
        group.keys = keys.to_vec();
        group.having = group.having.filter(|_| !keys.is_empty());
        if self.random.percent(50) {
            let count = self.random.below(3);
            return vec![Stage::Print(Print {
                fields: self.fields(&scope, count),
                group: Some(group),
                ..Print::default()
            })];
        }
        let Group { calls, .. } = &group;
        scope.add_calls(calls);
        let mut pipeline = vec![Stage::Aggregate(group)];
        let stages = self.random.weighted(&[(3, 0), (2, 1)]);
        pipeline.extend(self.stages(&mut scope, stages, 1));
        pipeline.push(self.print(&mut scope));
        pipeline
    }

    /// Filters of one source of which some pass what others pass.
    pub(super) fn statements_within(&mut self) -> Vec<Statement> {
        let source = self.named_capture();
        let count = self.random.between(2, 6);
        let statement = |generator: &mut Generator| {
            let mut scope = Scope::packet();
            let first = generator.limit(&scope);
            let mut pipeline = vec![Stage::Where(first.clone())];
            // What comes between two tests of a field may give it anew.
            while generator.random.percent(45) {
                let stage = generator.between_tests(&mut scope);
                pipeline.push(stage);
                let again = generator.random.percent(45);
                let test = match again && Generator::is_about(&first, &scope) {
                    true => first.clone(),
                    false => generator.limit(&scope),
                };
                pipeline.push(Stage::Where(test));
            }
            pipeline.push(generator.print(&mut scope));
            Statement {
                source: source.clone(),
                pipeline,
            }
        };
        (0..count).map(|_| statement(self)).collect()
    }

    /// Filters of one stream with the same behind most of them.
    pub(super) fn statements_of_filters(&mut self) -> Vec<Statement> {
        let mut scope = Scope::packet();
        let mut begin = self.begin(&mut scope);
        let stages = self.random.weighted(&[(4, 0), (1, 1)]);
        begin.pipeline.extend(self.stages(&mut scope, stages, 1));
        let suffixes = self.random.weighted(&[(3, 1), (2, 2)]);
        let suffixes: Vec<Pipeline> = (0..suffixes).map(|_| self.suffix(&scope)).collect();
        let other = *self.random.pick(&[0, 10, 60]);
        let count = self.random.between(8, 24);
        let statement = |generator: &mut Generator| {
            let mut statement = begin.clone();
            let pipeline = &mut statement.pipeline;
            pipeline.push(Stage::Where(generator.limit(&scope)));
            pipeline.extend(generator.random.pick(&suffixes).clone());
            if generator.random.percent(other) {
                let at = pipeline.len() - 1;
                pipeline.insert(at, Stage::Head(generator.random.between(0, 6) as u64));
            }
            statement
        };
        (0..count).map(|_| statement(self)).collect()
    }

    /// What stands behind a filter, up to a print.
    fn suffix(&mut self, scope: &Scope) -> Pipeline {
        let mut scope = scope.clone();
        let mut pipeline = Vec::new();
        for _ in 0..self.random.weighted(&[(3, 0), (4, 1), (2, 2), (1, 3)]) {
            let stage = match self.random.below(9) {
                0..2 => {
                    let module = *self.random.pick(&["uniq", "uniq", "top", "last"]);
                    Stage::Call(self.keeping(module, &mut scope))
                }
                2 => self.bounded_histogram(&mut scope),
                3 => Stage::Head(self.random.between(1, 5) as u64),
                4 => self.print(&mut scope),
                5 => self.bag_of_prints(&mut scope),
                6 => {
                    let mut group = self.group(&scope);
                    let keys = self.random.weighted(&[(1, 0), (4, 1), (2, 2)]);
                    group.keys = self.fields(&scope, keys);
                    group.having = group.having.filter(|_| !group.keys.is_empty());
                    scope.add_calls(&group.calls);
                    Stage::Aggregate(group)
                }
                _ => self.stage(&mut scope, 0),
            };
            pipeline.push(stage);
        }
        pipeline.push(self.print(&mut scope));
        pipeline
    }

    /// Mostly with a bound that is reached.
    fn bounded_histogram(&mut self, scope: &mut Scope) -> Stage {
        let Some(mut call) = self.measuring("histogram", scope) else {
            return self.stage(scope, 0);
        };
        let is_bounded = call.flags.iter().any(|flag| flag.starts_with("--max"));
        if !is_bounded && self.random.percent(60) {
            call.flags
                .push(format!("--max {}", self.random.between(1, 4)));
        }
        Stage::Call(call)
    }

    /// What writes the same objects more than once.
    fn bag_of_prints(&mut self, scope: &mut Scope) -> Stage {
        let count = self.random.between(2, 3);
        let mut scopes = Vec::new();
        let mut branch = |generator: &mut Generator| {
            let mut scope = scope.clone();
            let pipeline = vec![generator.print(&mut scope)];
            scopes.push(scope);
            Statement {
                source: None,
                pipeline,
            }
        };
        let branches = (0..count).map(|_| branch(self)).collect();
        *scope = Scope::union(scopes);
        Stage::Bag(branches)
    }

    /// Often a column of a name that is there.
    fn between_tests(&mut self, scope: &mut Scope) -> Stage {
        if self.random.percent(60) {
            return self.stage(scope, 0);
        }
        let name = *self.random.pick(&["len", "len", "dstport"]);
        let value = *self.random.pick(&["53", "75", "100", "443", "1500"]);
        scope.attach(name, Domain::Number);
        Stage::Call(ModuleCall {
            module: "const",
            flags: vec!["-t unsigned".to_owned(), format!("-f {name}")],
            words: vec![value.to_owned()],
            least: 1,
        })
    }

    /// Whether a place in a query may name what a test of [`Generator::limit`] is about.
    fn is_about(test: &Test, scope: &Scope) -> bool {
        match test {
            Test::Compare(Term::Field(field), ..) => scope.has(field),
            Test::And(parts) => parts.iter().all(|part| Generator::is_about(part, scope)),
            _ => false,
        }
    }

    /// One or two tests of few fields.
    fn limit(&mut self, scope: &Scope) -> Test {
        let one = |generator: &mut Generator| match generator.random.below(5) {
            0..2 if scope.has("len") => generator.limit_of_length(scope),
            4 if scope.has("dstport") => {
                let term = Term::Field("dstport".to_owned());
                let op = *generator.random.pick(&[">", "<=", "=", "!="]);
                let constant = *generator.random.pick(&["53", "80", "443", "1024"]);
                Test::Compare(term, op, Term::Constant(constant.to_owned()))
            }
            _ if scope.has("srcip") => {
                let block = *generator.random.pick(&NESTED);
                let op = generator.random.weighted(&[(5, "="), (1, "!=")]);
                let term = Term::Field("srcip".to_owned());
                Test::Compare(term, op, Term::Constant(block.to_owned()))
            }
            _ => match scope.pick_of(&mut generator.random, &[Domain::Number]) {
                Some(field) => Test::Exists(field),
                None => generator.test(scope, 0),
            },
        };
        let first = one(self);
        match self.random.percent(30) {
            true => Test::And(vec![first, one(self)]),
            false => first,
        }
    }
}
