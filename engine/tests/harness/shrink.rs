//! Smaller versions of a query set, to find the smallest that still fails.

use super::capture::Capture;
use super::generate::{Layout, QuerySet};
use super::query::{
    Call, Group, Join, JoinInput, ModuleCall, Pipeline, Print, Stage, Statement, Term, Test,
};
use super::tables::Table;

/// How many sets are tried at most.
const TRIES_MAX: usize = 4000;

/// The smallest set found for which `fails` still gives something, and what it gives.
pub fn shrink<T>(
    set: QuerySet,
    failure: T,
    fails: impl Fn(&QuerySet) -> Option<T>,
) -> (QuerySet, T) {
    let (mut set, mut failure) = (set, failure);
    let mut tries_left = TRIES_MAX;
    loop {
        let queries = candidates(&set).filter(no_statement_is_empty);
        let smaller = queries.take(tries_left).find_map(|candidate| {
            tries_left -= 1;
            fails(&candidate).map(|failure| (candidate, failure))
        });
        match smaller {
            Some(smaller) => (set, failure) = smaller,
            None => return (set, failure),
        }
    }
}

/// An empty text is no statement, and those behind it would have other numbers.
fn no_statement_is_empty(set: &QuerySet) -> bool {
    let mut statements = set.statements.iter();
    statements.all(|statement| statement.source.is_some() || !statement.pipeline.is_empty())
}

/// Versions that are smaller by one step, the largest steps first.
fn candidates(set: &QuerySet) -> impl Iterator<Item = QuerySet> {
    let count = set.statements.len();
    let fewer = (0..count)
        .filter(move |_| count > 1)
        .map(|at| set.without(at));
    let captures = each_smaller(&set.captures, smaller_captures);
    let captures = captures.map(|captures| QuerySet {
        captures,
        ..set.clone()
    });
    let tables = each_smaller(&set.tables, smaller_tables);
    let tables = tables.map(|tables| QuerySet {
        tables,
        ..set.clone()
    });
    let statements = each_smaller(&set.statements, smaller_statements);
    let statements = statements.map(|statements| QuerySet {
        statements,
        ..set.clone()
    });
    let layout = (!matches!(set.layout, Layout::Texts)).then(|| QuerySet {
        layout: Layout::Texts,
        ..set.clone()
    });
    let dropped = (set.dropped > 0).then(|| QuerySet {
        dropped: 0,
        ..set.clone()
    });
    fewer
        .chain(captures)
        .chain(tables)
        .chain(statements)
        .chain(layout)
        .chain(dropped)
}

/// The list with one element replaced by a smaller version of it.
fn each_smaller<T: Clone>(list: &[T], smaller: fn(&T) -> Vec<T>) -> impl Iterator<Item = Vec<T>> {
    (0..list.len()).flat_map(move |at| {
        smaller(&list[at]).into_iter().map(move |element| {
            let mut list = list.to_vec();
            list[at] = element;
            list
        })
    })
}

/// The list without one of its elements, as long as `least` are left.
fn each_without<T: Clone>(list: &[T], least: usize) -> impl Iterator<Item = Vec<T>> {
    let count = if list.len() > least { list.len() } else { 0 };
    (0..count).map(|at| {
        let mut list = list.to_vec();
        list.remove(at);
        list
    })
}

fn smaller_captures(capture: &Capture) -> Vec<Capture> {
    let with = |change: &dyn Fn(&mut Capture)| {
        let mut capture = capture.clone();
        change(&mut capture);
        capture
    };
    let mut smaller = Vec::new();
    let count = capture.packets.len();
    let mut size = count.div_ceil(2);
    while size > 0 {
        for start in (0..count).step_by(size) {
            let end = count.min(start + size);
            smaller.push(with(&|capture| drop(capture.packets.drain(start..end))));
        }
        size /= 2;
    }
    if capture.big_endian || capture.nanos {
        smaller.push(with(&|capture| {
            (capture.big_endian, capture.nanos) = (false, false)
        }));
    }
    if capture.cut > 0 {
        smaller.push(with(&|capture| capture.cut = 0));
    }
    smaller
}

fn smaller_tables(table: &Table) -> Vec<Table> {
    let fewer = each_without(&table.records, 0);
    let fewer = fewer.map(|records| {
        let mut table = table.clone();
        table.records = records;
        table
    });
    fewer.collect()
}

fn smaller_statements(statement: &Statement) -> Vec<Statement> {
    let mut smaller = Vec::new();
    if let Some(Stage::Bag(branches)) = statement.pipeline.first() {
        for branch in branches.iter().filter(|branch| branch.source.is_some()) {
            let rest = statement.pipeline[1..].iter();
            smaller.push(Statement {
                source: branch.source.clone(),
                pipeline: branch.pipeline.iter().chain(rest).cloned().collect(),
            });
        }
    }
    let pipelines = smaller_pipelines(&statement.pipeline).into_iter();
    smaller.extend(pipelines.map(|pipeline| Statement {
        source: statement.source.clone(),
        pipeline,
    }));
    smaller
}

fn smaller_pipelines(pipeline: &Pipeline) -> Vec<Pipeline> {
    let mut smaller: Vec<Pipeline> = each_without(pipeline, 0).collect();
    for (at, stage) in pipeline.iter().enumerate() {
        if let Stage::Grouped(inner, ..) = stage {
            let mut spliced = pipeline.clone();
            spliced.splice(at..=at, inner.iter().cloned());
            smaller.push(spliced);
        }
        let Stage::Bag(branches) = stage else {
            continue;
        };
        for branch in branches.iter().filter(|branch| branch.source.is_none()) {
            let mut spliced = pipeline.clone();
            spliced.splice(at..=at, branch.pipeline.iter().cloned());
            smaller.push(spliced);
        }
    }
    smaller.extend(each_smaller(pipeline, smaller_stages));
    smaller
}

fn smaller_stages(stage: &Stage) -> Vec<Stage> {
    match stage {
        Stage::Where(test) => smaller_tests(test).into_iter().map(Stage::Where).collect(),
        Stage::Uniq(fields) => each_without(fields, 1).map(Stage::Uniq).collect(),
        Stage::Head(0) => Vec::new(),
        Stage::Head(count) => vec![Stage::Head(count / 2), Stage::Head(count - 1)],
        Stage::Project(fields, group) => {
            let fewer = each_without(fields, 1).map(|fields| Stage::Project(fields, group.clone()));
            let groups = smaller_groups(group).into_iter();
            fewer
                .chain(groups.map(|group| Stage::Project(fields.clone(), group)))
                .collect()
        }
        Stage::Print(print) => smaller_prints(print)
            .into_iter()
            .map(Stage::Print)
            .collect(),
        Stage::Aggregate(group) => {
            let groups = smaller_groups(&Some(group.clone())).into_iter();
            groups.flatten().map(Stage::Aggregate).collect()
        }
        Stage::Bag(branches) => each_without(branches, 2)
            .chain(each_smaller(branches, smaller_statements))
            .map(Stage::Bag)
            .collect(),
        Stage::Call(call) => smaller_calls(call).into_iter().map(Stage::Call).collect(),
        Stage::Grouped(pipeline, keys, having) => {
            let with = |pipeline: &Pipeline, keys: &Vec<String>, having: Option<Test>| {
                Stage::Grouped(pipeline.clone(), keys.clone(), having)
            };
            let pipelines = smaller_pipelines(pipeline).into_iter();
            let pipelines = pipelines.filter(|pipeline| !pipeline.is_empty());
            let fewer = each_without(keys, 1);
            let mut smaller: Vec<Stage> = fewer
                .map(|keys| with(pipeline, &keys, having.clone()))
                .collect();
            smaller.extend(having.is_some().then(|| with(pipeline, keys, None)));
            smaller.extend(pipelines.map(|pipeline| with(&pipeline, keys, having.clone())));
            smaller
        }
        Stage::Join(join) => smaller_joins(join).into_iter().map(Stage::Join).collect(),
    }
}

fn smaller_calls(call: &ModuleCall) -> Vec<ModuleCall> {
    let flags = each_without(&call.flags, 0).map(|flags| ModuleCall {
        flags,
        ..call.clone()
    });
    let words = each_without(&call.words, call.least).map(|words| ModuleCall {
        words,
        ..call.clone()
    });
    flags.chain(words).collect()
}

fn smaller_joins(join: &Join) -> Vec<Join> {
    let with_inputs = |inputs| Join {
        inputs,
        ..join.clone()
    };
    let with_conditions = |conditions| Join {
        conditions,
        ..join.clone()
    };
    let fewer = each_without(&join.inputs, 2);
    let fewer = fewer
        .filter(|inputs| inputs[0].source.is_some())
        .map(with_inputs);
    let conditions = each_without(&join.conditions, 0)
        .chain(each_smaller(&join.conditions, smaller_tests))
        .map(with_conditions);
    let inputs = each_smaller(&join.inputs, smaller_join_inputs).map(with_inputs);
    fewer.chain(conditions).chain(inputs).collect()
}

fn smaller_join_inputs(input: &JoinInput) -> Vec<JoinInput> {
    let with_until = |until| JoinInput {
        until,
        ..input.clone()
    };
    let mut smaller = Vec::new();
    if input.max.is_some() {
        smaller.push(JoinInput {
            max: None,
            ..input.clone()
        });
    }
    if let Some(until) = &input.until {
        smaller.push(with_until(None));
        smaller.extend(
            smaller_tests(until)
                .into_iter()
                .map(|test| with_until(Some(test))),
        );
    }
    if let Some(source) = &input.source {
        let pipelines = smaller_pipelines(&source.pipeline).into_iter();
        let some = |pipeline: &Pipeline| source.source.is_some() || !pipeline.is_empty();
        smaller.extend(pipelines.filter(some).map(|pipeline| JoinInput {
            source: Some(Statement {
                source: source.source.clone(),
                pipeline,
            }),
            ..input.clone()
        }));
    }
    smaller
}

fn smaller_prints(print: &Print) -> Vec<Print> {
    let with_flags = |flags| Print {
        flags,
        ..print.clone()
    };
    let with_fields = |fields| Print {
        fields,
        ..print.clone()
    };
    let with_group = |group| Print {
        group,
        ..print.clone()
    };
    let without_file = Print {
        file: None,
        ..print.clone()
    };
    let mut smaller: Vec<Print> = each_without(&print.flags, 0).map(with_flags).collect();
    smaller.extend(print.file.is_some().then_some(without_file));
    smaller.extend(each_without(&print.fields, 1).map(with_fields));
    smaller.extend(smaller_groups(&print.group).into_iter().map(with_group));
    smaller
}

fn smaller_groups(group: &Option<Group>) -> Vec<Option<Group>> {
    let Some(group) = group else {
        return Vec::new();
    };
    let with_calls = |calls: Vec<Call>| Group {
        calls,
        ..group.clone()
    };
    let with_keys = |keys| Group {
        keys,
        ..group.clone()
    };
    let with_having = |having| Group {
        having,
        ..group.clone()
    };
    let mut smaller: Vec<Group> = each_without(&group.calls, 1).map(with_calls).collect();
    smaller.extend(each_without(&group.keys, 0).map(with_keys));
    if let Some(test) = &group.having {
        smaller.push(with_having(None));
        smaller.extend(
            smaller_tests(test)
                .into_iter()
                .map(|test| with_having(Some(test))),
        );
    }
    std::iter::once(None)
        .chain(smaller.into_iter().map(Some))
        .collect()
}

fn smaller_tests(test: &Test) -> Vec<Test> {
    match test {
        Test::Exists(_) | Test::Module(_) | Test::Between(..) => Vec::new(),
        Test::In(term, constants) => each_without(constants, 1)
            .map(|constants| Test::In(term.clone(), constants))
            .collect(),
        Test::IsNull(term) => smaller_terms(term).into_iter().map(Test::IsNull).collect(),
        Test::Is(term, what) => {
            let tests = parts_of(term).into_iter();
            let terms = smaller_terms(term).into_iter();
            tests
                .chain(terms.map(|term| Test::Is(term, what)))
                .collect()
        }
        Test::Not(inner) => {
            let negated = smaller_tests(inner)
                .into_iter()
                .map(|test| Test::Not(Box::new(test)));
            std::iter::once((**inner).clone()).chain(negated).collect()
        }
        Test::And(parts) => smaller_lists(parts, Test::And),
        Test::Or(parts) => smaller_lists(parts, Test::Or),
        Test::Compare(left, op, right) => {
            let lefts = smaller_terms(left).into_iter();
            let rights = smaller_terms(right).into_iter();
            let lefts = lefts.map(|left| Test::Compare(left, op, right.clone()));
            lefts
                .chain(rights.map(|right| Test::Compare(left.clone(), op, right)))
                .collect()
        }
    }
}

fn smaller_lists(parts: &[Test], list: fn(Vec<Test>) -> Test) -> Vec<Test> {
    let single = parts.iter().cloned();
    let fewer = each_without(parts, 2).map(list);
    single
        .chain(fewer)
        .chain(each_smaller(parts, smaller_tests).map(list))
        .collect()
}

/// The tests in a value.
fn parts_of(term: &Term) -> Vec<Test> {
    match term {
        Term::Case(arms, _) => arms.iter().map(|(test, _)| test.clone()).collect(),
        Term::Test(test) => vec![(**test).clone()],
        _ => Vec::new(),
    }
}

fn smaller_terms(term: &Term) -> Vec<Term> {
    match term {
        Term::Field(_) | Term::Constant(_) => Vec::new(),
        Term::Test(test) => {
            let tests = smaller_tests(test).into_iter();
            tests.map(|test| Term::Test(Box::new(test))).collect()
        }
        Term::Call(name, arguments) => {
            let own = arguments.iter().cloned();
            let smaller = each_smaller(arguments, smaller_terms);
            own.chain(smaller.map(|arguments| Term::Call(name, arguments)))
                .collect()
        }
        Term::Case(arms, otherwise) => {
            let values = arms
                .iter()
                .map(|(_, value)| value)
                .chain(otherwise.as_deref());
            let mut smaller: Vec<Term> = values.cloned().collect();
            let fewer = each_without(arms, 1).map(|arms| Term::Case(arms, otherwise.clone()));
            smaller.extend(fewer);
            smaller.extend(otherwise.is_some().then(|| Term::Case(arms.clone(), None)));
            let arms = each_smaller(arms, |(test, value)| {
                let tests = smaller_tests(test).into_iter();
                let values = smaller_terms(value).into_iter();
                let with_test = tests.map(|test| (test, value.clone()));
                with_test
                    .chain(values.map(|value| (test.clone(), value)))
                    .collect()
            });
            smaller.extend(arms.map(|arms| Term::Case(arms, otherwise.clone())));
            smaller
        }
        Term::Arithmetic(left, op, right) => {
            let mut smaller = vec![(**left).clone(), (**right).clone()];
            let lefts = smaller_terms(left).into_iter();
            smaller.extend(lefts.map(|left| Term::Arithmetic(Box::new(left), op, right.clone())));
            let rights = smaller_terms(right).into_iter();
            smaller.extend(rights.map(|right| Term::Arithmetic(left.clone(), op, Box::new(right))));
            smaller
        }
    }
}
