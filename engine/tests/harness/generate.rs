//! Random query sets over random captures.

use super::capture::Capture;
use super::conditions::is_determined;
use super::oracle::object::Object;
use super::query::{Group, Join, JoinInput, Pipeline, Source, Stage, Statement, Test};
use super::random::Random;
use super::scope::{Domain, Scope};
use super::tables::Table;
use wireq_engine::ScalarFunction;
use wireq_typesys::Zone;

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
    /// Tables, where statements name their sources.
    pub tables: Vec<Table>,
    /// The captures that statements without a source read; none where statements name theirs.
    pub files: Vec<usize>,
    /// The statements.
    pub statements: Vec<Statement>,
    /// How they are given.
    pub layout: Layout,
    /// The statement without which the others must stay as they are.
    pub dropped: usize,
}

/// Statements of a kind, that more than chance is made for.
type StatementsOf = fn(&mut Generator) -> Vec<Statement>;

/// In how many of a hundred sets there are such statements.
const SOMETIMES: [(usize, StatementsOf); 8] = [
    (25, Generator::statements_of_groups),
    (20, Generator::statements_of_firsts),
    (20, Generator::statements_within),
    (20, Generator::statements_of_filters),
    (20, Generator::statements_of_measures),
    (10, Generator::statements_of_clocks),
    (12, Generator::statements_of_texts),
    (10, Generator::statements_of_ties),
];

impl QuerySet {
    /// The set of a seed; `packets` turns captures into objects, for constants that occur.
    pub fn random(
        seed: u64,
        functions: &[&'static ScalarFunction],
        packets: impl Fn(&Capture) -> Vec<Object>,
    ) -> QuerySet {
        let mut random = Random::new(seed);
        let captures = random.weighted(&[(7, 1), (3, 2)]);
        let captures: Vec<Capture> = (0..captures)
            .map(|_| Capture::random(&mut random, 60))
            .collect();
        let tables = random.weighted(&[(6, 0), (3, 1), (1, 2)]);
        let tables: Vec<Table> = (0..tables)
            .map(|_| Table::random(&mut random, 40))
            .collect();
        let occurring = captures.iter().flat_map(packets).collect();
        let files = match (random.percent(50), captures.len()) {
            (true, _) => Vec::new(),
            (false, 1) => vec![0],
            (false, _) => vec![0, 1],
        };
        let functions = functions.iter().copied();
        let mut generator = Generator {
            random,
            occurring,
            captures: captures.len(),
            tables: tables.clone(),
            named_sources: files.is_empty(),
            files_written: 0,
            functions: functions
                .filter(|function| is_determined(function))
                .collect(),
            zone: Zone::utc(),
        };
        let count = generator.random.between(1, 6);
        let mut statements: Vec<_> = (0..count).map(|_| generator.statement()).collect();
        if generator.random.percent(12) {
            let more = generator.random.between(8, 40);
            let first = generator.limit_of_length(&Scope::packet());
            let mut group = generator.group(&Scope::packet());
            group.keys.clear();
            group.having = None;
            let share = *generator.random.pick(&[0, 30, 80]);
            let statement = |_| generator.filtering_statement(&first, &group, share);
            statements.extend((0..more).map(statement));
        }
        for (percent, statements_of) in SOMETIMES {
            if generator.random.percent(percent) {
                statements.extend(statements_of(&mut generator));
            }
        }
        let count = statements.len();
        let random = &mut generator.random;
        let layout = *random.pick(&[Layout::Semicolons, Layout::Lines, Layout::Texts]);
        let dropped = random.below(count);

        QuerySet {
            captures,
            tables,
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

/// What makes queries.
pub(super) struct Generator {
    pub(super) random: Random,
    pub(super) occurring: Vec<Object>,
    pub(super) captures: usize,
    pub(super) tables: Vec<Table>,
    pub(super) named_sources: bool,
    pub(super) files_written: usize,
    pub(super) functions: Vec<&'static ScalarFunction>,
    pub(super) zone: Zone,
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
    Module,
    Grouped,
}

const STAGES: [(usize, StageKind); 9] = [
    (26, StageKind::Where),
    (10, StageKind::Uniq),
    (10, StageKind::Head),
    (7, StageKind::Project),
    (8, StageKind::Print),
    (9, StageKind::Aggregate),
    (10, StageKind::Bag),
    (30, StageKind::Module),
    (9, StageKind::Grouped),
];

impl Generator {
    /// One of many statements that begin with filters: what is matched at once. Several have the
    /// same first filter, and a share of them the same functions without keys behind it.
    fn filtering_statement(&mut self, first: &Test, group: &Group, share: usize) -> Statement {
        let mut scope = Scope::packet();
        let source = self.named_capture();
        let mut pipeline: Vec<Stage> = (0..self.random.weighted(&[(1, 0), (6, 1), (3, 2)]))
            .map(|_| Stage::Where(self.test(&scope, 2)))
            .collect();
        if self.random.percent(40) {
            let second = self.limit_of_length(&scope);
            pipeline = vec![Stage::Where(first.clone()), Stage::Where(second)];
        }
        if self.random.percent(share) {
            scope.add_calls(&group.calls);
            pipeline.push(Stage::Aggregate(group.clone()));
        } else if self.random.percent(25) {
            pipeline.push(self.stage(&mut scope, 1));
        }
        pipeline.push(self.print(&mut scope));
        Statement { source, pipeline }
    }

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

    /// The first capture, where sources are named.
    pub(super) fn named_capture(&self) -> Option<Source> {
        self.named_sources.then_some(Source::Capture(0))
    }

    /// A source, a bag of sources, a join, or nothing where files are given.
    pub(super) fn begin(&mut self, scope: &mut Scope) -> Statement {
        let (source, pipeline) = if self.random.percent(14) {
            (None, vec![self.join(scope)])
        } else if !self.named_sources {
            (None, Vec::new())
        } else if self.random.percent(20) {
            (None, vec![self.bag_of_sources(scope)])
        } else {
            let (source, of) = self.source();
            *scope = of;
            (Some(source), Vec::new())
        };
        Statement { source, pipeline }
    }

    /// A capture or a table, and what it has.
    fn source(&mut self) -> (Source, Scope) {
        if !self.tables.is_empty() && self.random.percent(40) {
            let number = self.random.below(self.tables.len());
            let table = &self.tables[number];
            return (Source::Table(table.call(number)), table.scope());
        }
        let capture = self.random.below(self.captures);
        (Source::Capture(capture), Scope::packet())
    }

    fn bag_of_sources(&mut self, scope: &mut Scope) -> Stage {
        let count = self.random.weighted(&[(3, 2), (1, 3)]);
        let mut sources: Vec<usize> = (0..count)
            .map(|_| self.random.below(self.captures))
            .collect();
        sources.sort_unstable();
        let mut scopes = Vec::new();
        let mut branches = Vec::new();
        for source in sources {
            let mut scope = Scope::packet();
            let stages = self.random.below(3);
            branches.push(Statement {
                source: Some(Source::Capture(source)),
                pipeline: self.stages(&mut scope, stages, 1),
            });
            scopes.push(scope);
        }
        if !self.tables.is_empty() && self.random.percent(30) {
            let mut scope = self.tables[0].scope();
            let stages = self.random.below(3);
            branches.push(Statement {
                source: Some(Source::Table(self.tables[0].call(0))),
                pipeline: self.stages(&mut scope, stages, 1),
            });
            scopes.push(scope);
        }
        *scope = Scope::union(scopes);
        Stage::Bag(branches)
    }

    /// Streams with names, mostly few objects of each, and equality between them.
    fn join(&mut self, scope: &mut Scope) -> Stage {
        let aliases = &["a", "b", "c"][..self.random.weighted(&[(5, 2), (1, 3)])];
        let mut inputs: Vec<JoinInput> = Vec::new();
        let mut scopes: Vec<(String, Scope)> = Vec::new();
        for alias in aliases {
            let again = scopes.last().filter(|_| self.random.percent(70));
            let (source, scope) = match again {
                Some((_, scope)) => (None, scope.clone()),
                None => self.stream(),
            };
            inputs.push(JoinInput {
                source,
                alias,
                max: None,
                until: None,
            });
            scopes.push(((*alias).to_owned(), scope));
        }
        let joined = Scope::carrying(scopes.clone());
        let mut arrivals = scopes.clone();
        arrivals.push(("new".to_owned(), joined.clone()));
        let arrivals = Scope::carrying(arrivals);
        for (input, (alias, own)) in inputs.iter_mut().zip(&scopes) {
            if self.random.percent(45) {
                input.until = Some(self.until(alias, own, &joined, &arrivals));
            }
            if self.random.percent(15) {
                input.max = Some(self.random.between(1, 4));
            }
        }
        let conditions = self.join_conditions(&scopes, &joined);
        *scope = joined;
        Stage::Join(Join { inputs, conditions })
    }

    /// A stream of its own for a join.
    fn stream(&mut self) -> (Option<Statement>, Scope) {
        let (source, mut scope) = match self.named_sources {
            true => {
                let (source, scope) = self.source();
                (Some(source), scope)
            }
            false => (None, Scope::packet()),
        };
        let stages = self.random.weighted(&[(4, 0), (2, 1)]);
        let mut pipeline = self.stages(&mut scope, stages, 0);
        if source.is_none() && pipeline.is_empty() {
            let test = self.test(&scope, 0);
            pipeline.push(Stage::Where(test));
        }
        (Some(Statement { source, pipeline }), scope)
    }

    /// When objects of an alias are forgotten.
    fn until(&mut self, alias: &str, own: &Scope, joined: &Scope, arrivals: &Scope) -> Test {
        match self.random.below(8) {
            0 => Test::Exists(format!("new.{alias}")),
            // Streams of one kind have a time each or none.
            6 | 7 if ["a.ts", "b.ts"].iter().all(|ts| joined.has(ts)) && own.has("ts") => {
                let other = *self.random.pick(&["a", "b"]);
                let prefix = *self.random.pick(&["new.", "new.", ""]);
                self.times_apart(&format!("{prefix}{other}.ts"), &format!("{alias}.ts"))
            }
            1 => Test::Exists("new".to_owned()),
            2 => {
                let other = *self.random.pick(&["a", "b"]);
                let new = self.random.percent(50);
                let prefix = if new { "new." } else { "" };
                Test::Exists(format!("{prefix}{other}"))
            }
            3 => {
                let (field, _) = own.pick(&mut self.random);
                self.equality(&format!("{alias}.{field}"), &format!("new.{alias}.{field}"))
            }
            4 => self.test(joined, 1),
            _ => self.test(arrivals, 1),
        }
    }

    /// How far two times are from each other, in one of the ways to say it.
    fn times_apart(&mut self, later: &str, earlier: &str) -> Test {
        use super::query::Term::{Arithmetic, Constant, Field};
        let field = |name: &str| Box::new(Field(name.to_owned()));
        let length = *self
            .random
            .pick(&["0s", "1ms", "0.5s", "1s", "2s", "10s", "-1s"]);
        let length = Constant(length.to_owned());
        let op = self.random.weighted(&[
            (4, ">"),
            (3, "<"),
            (2, ">="),
            (2, "<="),
            (1, "="),
            (1, "!="),
        ]);
        let apart = |left, sign, right| Arithmetic(left, sign, right);
        let (left, right) = match self.random.below(6) {
            5 => (*field(later), *field(earlier)),
            0 => (apart(field(later), "-", field(earlier)), length),
            1 => (length, apart(field(later), "-", field(earlier))),
            2 => (*field(later), apart(field(earlier), "+", Box::new(length))),
            3 => (apart(field(later), "-", Box::new(length)), *field(earlier)),
            _ => (apart(field(earlier), "-", field(later)), length),
        };
        Test::Compare(left, op, right)
    }

    fn equality(&mut self, left: &str, right: &str) -> Test {
        let op = self.random.weighted(&[(6, "="), (1, "!="), (1, "<")]);
        use super::query::Term::Field;
        Test::Compare(Field(left.to_owned()), op, Field(right.to_owned()))
    }

    fn join_conditions(&mut self, scopes: &[(String, Scope)], joined: &Scope) -> Vec<Test> {
        let mut conditions = Vec::new();
        for pair in scopes.windows(2) {
            let [(left, left_scope), (right, right_scope)] = pair else {
                continue;
            };
            if self.random.percent(85) {
                let (field, domain) = left_scope.pick(&mut self.random);
                let other = match right_scope.pick_of(&mut self.random, &[domain]) {
                    Some(other) if !right_scope.has(&field) || self.random.percent(30) => other,
                    _ => field.clone(),
                };
                let other = if right_scope.has(&other) {
                    other
                } else {
                    "len".to_owned()
                };
                if right_scope.has(&other) && domain != Domain::Opaque {
                    let test =
                        self.equality(&format!("{left}.{field}"), &format!("{right}.{other}"));
                    conditions.push(test);
                }
            }
        }
        for pair in scopes.windows(2) {
            let timed = pair.iter().all(|(_, scope)| scope.has("ts"));
            if timed && self.random.percent(20) {
                let (one, other) = (format!("{}.ts", pair[0].0), format!("{}.ts", pair[1].0));
                conditions.push(self.times_apart(&one, &other));
            }
        }
        for (alias, scope) in scopes {
            if self.random.percent(50) {
                let own = Scope::carrying(vec![(alias.clone(), scope.clone())]);
                conditions.push(self.test(&own, 1));
            }
        }
        if self.random.percent(20) {
            conditions.push(self.test(joined, 1));
        }
        conditions
    }

    pub(super) fn stages(&mut self, scope: &mut Scope, count: usize, depth: usize) -> Pipeline {
        (0..count).map(|_| self.stage(scope, depth)).collect()
    }

    pub(super) fn stage(&mut self, scope: &mut Scope, depth: usize) -> Stage {
        // What a clock says is for groups.
        if depth > 0 && scope.has("clock") && self.random.percent(25) {
            return self.grouped(scope, depth - 1);
        }
        match self.random.weighted(&STAGES) {
            StageKind::Bag if depth > 0 => self.bag(scope, depth - 1),
            StageKind::Grouped if depth > 0 => self.grouped(scope, depth - 1),
            StageKind::Where | StageKind::Bag | StageKind::Grouped => {
                Stage::Where(self.test(scope, 2))
            }
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
            StageKind::Module => self.module(scope),
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

    /// A copy of a pipeline for each key.
    pub(super) fn grouped(&mut self, scope: &mut Scope, depth: usize) -> Stage {
        let count = self.random.weighted(&[(5, 1), (2, 2)]);
        let mut keys = self.fields(scope, count);
        let ticks = scope.has("clock") && self.random.percent(65);
        if ticks {
            keys = vec!["clock".to_owned()];
        }
        let count = self.random.between(1, 3);
        let clock = self.random.percent(20).then(|| self.clock(scope));
        let mut pipeline: Pipeline = clock.flatten().into_iter().collect();
        if ticks && self.random.percent(50) {
            // What is kept until its tick is over.
            pipeline = vec![self.kept(scope)];
        } else if pipeline.is_empty() {
            pipeline = self.stages(scope, count, depth);
        } else {
            // A clock of each group's own, and what it closes.
            let group = self.group(scope);
            scope.add_calls(&group.calls);
            pipeline.push(Stage::Aggregate(group));
        }
        let having = self.random.percent(10);
        let having = having.then(|| self.test(scope, 1));
        Stage::Grouped(pipeline, keys, having)
    }

    pub(super) fn fields(&mut self, scope: &Scope, count: usize) -> Vec<String> {
        let mut fields = Vec::new();
        for _ in 0..count {
            let (field, _) = scope.pick(&mut self.random);
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        fields
    }
}
