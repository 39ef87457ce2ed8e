//! Transitions ready to run, and what they need while a view is at hand: none of it is kept from
//! step to step, so machines of many groups share it.

use super::fields::Fields;
use super::graph::{Next, START};
use super::links::{Chain, Links};
use super::machines::Machines;
use super::program::Program;
use super::search::{Object, Rule};
use std::sync::{Arc, Mutex, PoisonError};
use wireq_engine::{Context, View};
use wireq_typesys::{Bitmap, Column, ColumnBuilder, Kind, Value, Zone};

/// What is kept of objects, and how it is found.
pub(super) struct Layout {
    /// The columns that are kept, by their numbers in the view, with their kinds.
    pub(super) kept: Vec<(usize, Kind)>,
    /// How many objects of a machine are kept.
    pub(super) depth: usize,
    /// For each column given, the number of the value in a chain, and its kind.
    carried: Vec<(usize, Kind)>,
    /// For each state, the indexes over the machines that wait there, by the numbers of the values.
    pub(super) indexes: Vec<Vec<Vec<usize>>>,
}

impl Layout {
    fn new(program: &Program, context: &Context) -> Layout {
        let kind = |at: &usize| context.kinds.get(*at).copied().unwrap_or(Kind::Dynamic);
        let kept = program.kept.iter().map(|at| (*at, kind(at)));
        let mut layout = Layout {
            kept: kept.collect(),
            depth: program.depth,
            carried: Vec::new(),
            indexes: vec![Vec::new(); program.states],
        };
        // What both predicates and the stages behind ask for is kept once.
        let place = |live: usize| {
            let mut fields = context.fields.iter().take(program.fields.len());
            let known = fields.position(|field| *field == context.live[live]);
            known.unwrap_or(context.fields.len() + live)
        };
        for field in &context.carried {
            layout.depth = layout.depth.max(field.depth);
            if let Some(at) = field.live.map(place)
                && !layout.kept.iter().any(|(known, _)| *known == at)
            {
                layout.kept.push((at, field.kind));
            }
        }
        for field in &context.carried {
            let value = Links::number(&layout.kept, field.depth, field.live.map(place));
            layout
                .carried
                .push((value.unwrap_or(usize::MAX), field.kind));
        }
        layout
    }

    /// The number of an index over values of the machines of a state; made where there is none.
    fn index(&mut self, state: usize, columns: &[usize]) -> usize {
        let indexes = &mut self.indexes[state];
        let known = indexes.iter().position(|index| index == columns);
        known.unwrap_or_else(|| {
            indexes.push(columns.to_vec());
            indexes.len() - 1
        })
    }
}

/// The transitions of one program in one place of a plan.
pub(super) struct Pool {
    program: Arc<Program>,
    context: Context,
    pub(super) layout: Layout,
    /// Those that nobody uses at the moment.
    free: Mutex<Vec<Compiled>>,
}

impl Pool {
    pub(super) fn new(program: &Arc<Program>, context: &Context) -> Pool {
        let mut layout = Layout::new(program, context);
        let first = Compiled::new(program, context, &mut layout);
        Pool {
            program: Arc::clone(program),
            context: context.clone(),
            layout,
            free: Mutex::new(vec![first]),
        }
    }

    /// Whether it is that of a context.
    pub(super) fn is_of(&self, context: &Context) -> bool {
        let own = &self.context;
        (&own.fields, &own.kinds, &own.live, &own.carried)
            == (
                &context.fields,
                &context.kinds,
                &context.live,
                &context.carried,
            )
            && own.seed == context.seed
            && Arc::ptr_eq(&own.zone, &context.zone)
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// Transitions for a step.
    pub(super) fn take(&self) -> Compiled {
        let free = self
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        free.unwrap_or_else(|| {
            // The indexes that it asks for are there already.
            let mut layout = Layout::new(&self.program, &self.context);
            Compiled::new(&self.program, &self.context, &mut layout)
        })
    }

    /// Gives them back.
    pub(super) fn put(&self, compiled: Compiled) {
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(compiled);
    }
}

/// Transitions, ready to run over a view.
pub(super) struct Compiled {
    pub(super) rules: Vec<Rule>,
    /// Per rule, the rows of the view that fulfil what concerns them alone.
    passing: Vec<Bitmap>,
    /// The number of fields that predicates read.
    fields: usize,
    /// The values of the row at hand, once they were asked for.
    object: Vec<Value>,
    pub(super) given: Given,
}

impl Compiled {
    fn new(program: &Program, context: &Context, layout: &mut Layout) -> Compiled {
        let kept = layout.kept.clone();
        let fields = Fields {
            context,
            kept: &kept,
        };
        let rules = program.transitions.iter().map(|transition| {
            let index = |columns: &[usize]| layout.index(transition.from, columns);
            Rule::new(transition, &fields, index)
        });
        let rules: Vec<Rule> = rules.collect();
        Compiled {
            passing: vec![Bitmap::EMPTY; rules.len()],
            rules,
            fields: program.fields.len(),
            object: Vec::new(),
            given: Given {
                carried: layout.carried.clone(),
                ..Given::default()
            },
        }
    }

    /// Begins with a view; gives the rows that may move or make a machine.
    pub(super) fn begin(&mut self, view: View<'_>, zone: &Zone) -> Bitmap {
        let mut any = Bitmap::EMPTY;
        for (rule, passing) in self.rules.iter_mut().zip(&mut self.passing) {
            *passing = rule.passing(view, zone);
            any = any.or(passing);
        }
        any
    }

    /// The oldest machine that a row moves, by its age, with the first transition that does it.
    pub(super) fn oldest(
        &mut self,
        view: View<'_>,
        row: usize,
        machines: &Machines,
        at: (i64, Option<i64>),
        zone: &Zone,
    ) -> Option<(usize, u64)> {
        let mut found = None;
        let mut limit = u64::MAX;
        self.object.clear();
        for (number, rule) in self.rules.iter_mut().enumerate() {
            let waiting = machines.waiting(rule.from);
            if waiting.machines.is_empty() || !self.passing[number].get(row) {
                continue;
            }
            if self.object.is_empty() {
                let values = (0..self.fields).map(|field| view.value(field, row));
                self.object.extend(values);
            }
            let object = Object {
                values: &self.object,
                time: at.0,
                timeout: at.1,
                zone,
            };
            // Of one state, the transition that stands first counts: an equal age is none below.
            if let Some(age) = rule.oldest(waiting, &machines.links, &object, limit) {
                found = Some((number, age));
                limit = age;
            }
        }
        found
    }

    /// Where a row goes that moves no machine.
    pub(super) fn start(&self, row: usize) -> Option<Next> {
        let mut rules = self.rules.iter().zip(&self.passing);
        let passing = rules.find(|(rule, passing)| rule.from == START && passing.get(row));
        passing.map(|(rule, _)| rule.next)
    }
}

/// The rows of a view that are given, with the columns that they are given with.
#[derive(Default)]
pub(super) struct Given {
    carried: Vec<(usize, Kind)>,
    rows: Bitmap,
    columns: Vec<ColumnBuilder>,
}

impl Given {
    /// Gives a row, with the objects that moved its machine; rows ascend.
    pub(super) fn add(&mut self, row: usize, links: &Links, chain: Option<&Chain>) {
        self.rows.set(row);
        self.columns
            .resize_with(self.carried.len(), ColumnBuilder::default);
        self.pad(row);
        let mut values = Vec::new();
        if let Some(chain) = chain.filter(|_| !self.carried.is_empty()) {
            links.values(chain, &mut values);
        }
        for (column, (number, kind)) in self.columns.iter_mut().zip(&self.carried) {
            let value = values.get(*number).cloned().unwrap_or_default();
            column.push(value.of_kind(*kind));
        }
    }

    fn pad(&mut self, rows: usize) {
        for column in &mut self.columns {
            while column.len() < rows {
                column.push(Value::Absent);
            }
        }
    }

    /// The rows given, of so many, with their columns; then there are none.
    pub(super) fn take(&mut self, len: usize) -> (Bitmap, Vec<Column>) {
        let rows = std::mem::take(&mut self.rows);
        if !rows.is_empty() {
            self.pad(len);
        }
        let columns = self.columns.drain(..).map(ColumnBuilder::finish);
        (rows, columns.collect())
    }
}
