//! `project`: new objects that have some fields and nothing else.

use super::stateless::rows;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::planted::is_planted;
use wireq_engine::schedule::output::Output;
use wireq_engine::{Build, Context, Example, Gives, Module, OperatorSpec, View};
use wireq_typesys::{Bitmap, Column, ColumnBuilder, PartData, Positions, Recipe, Shape, Value};

pub(super) static MODULE: Module = Module {
    name: "project",
    summary: "Makes new objects that have the given fields and nothing else.",
    details: "What is printed at the end of a statement is then these fields.",
    parameters: &[Parameter {
        name: "FIELD",
        takes: Takes::Field,
        count: Count::Some,
        summary: "The fields to keep.",
    }],
    examples: &[
        Example {
            title: "two fields are all there is",
            query: "project srcip dstport | head 2",
            input: "five.pcap",
            output: "192.0.2.1\t443\n192.0.2.2\t80\n",
        },
        Example {
            title: "distinct addresses",
            query: "project srcip | uniq srcip",
            input: "five.pcap",
            output: "192.0.2.1\n192.0.2.2\n",
        },
        Example {
            title: "with a conversion",
            query: "where vlan | project ts.sec vlan",
            input: "five.pcap",
            output: "1767225602\t7\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    Ok(OperatorSpec {
        gives: Gives::Projected,
        passes_all: true,
        ..OperatorSpec::stateless(arguments.fields(), |context| {
            let mut project = Project::new(context);
            rows(move |view, out| project.step(view, out))
        })
    })
}

struct Project {
    shape: Option<Arc<Shape>>,
    /// For each column of the shape, the number of the field it is.
    columns: Vec<usize>,
    origin: u32,
}

impl Project {
    fn new(context: &Context) -> Project {
        let given = context
            .shape
            .iter()
            .flat_map(|shape| &shape.base)
            .filter(|def| matches!(def.recipe, Recipe::Given));
        let mut columns: Vec<usize> = given
            .map(|def| {
                context
                    .fields
                    .iter()
                    .position(|field| *field == def.path)
                    .unwrap_or(usize::MAX)
            })
            .collect();
        if is_planted("project-keeps-all") {
            columns.reverse();
        }
        Project {
            shape: context.shape.clone(),
            columns,
            origin: context.origin,
        }
    }

    fn column(&self, view: View<'_>, at: usize, rows: &Bitmap, count: usize) -> Column {
        view.column(at)
            .map_or_else(|| absent(count), |column| column.gather(rows))
    }
}

fn absent(count: usize) -> Column {
    let mut builder = ColumnBuilder::default();
    (0..count).for_each(|_| builder.push(Value::Absent));
    builder.finish()
}

impl Project {
    fn step(&mut self, view: View<'_>, out: &mut Output) {
        let Some(shape) = &self.shape else {
            return;
        };
        let rows = &view.part.selection;
        let count = rows.count();
        let columns = self
            .columns
            .iter()
            .map(|at| self.column(view, *at, rows, count))
            .collect();
        let positions = rows
            .iter()
            .map(|row| view.part.data.position(row))
            .collect();
        out.account.absorbed += count as u64;
        out.emit(PartData::from_columns(
            Arc::clone(shape),
            columns,
            count,
            Positions::Each(positions),
            self.origin,
        ));
    }
}
