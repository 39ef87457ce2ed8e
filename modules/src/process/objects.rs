//! `streamalias` and `take`: objects within objects.

use super::stateless::rows;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::schedule::output::Output;
use wireq_engine::{
    Build, Context, Example, Gives, Module, Needs, ObjectColumn, ObjectOf, OperatorSpec, View,
};
use wireq_typesys::{Column, FieldPath, PartData, Positions, Recipe, Shape, Value};

pub(super) static STREAMALIAS: Module = Module {
    name: "streamalias",
    summary: "Gives new objects that carry the old ones under a name.",
    details: "`a.srcip` is then the field `srcip` of the object that came in. Objects of several streams can be told apart so in a bag.",
    parameters: &[Parameter {
        name: "NAME",
        takes: Takes::Text,
        count: Count::One,
        summary: "The name.",
    }],
    examples: &[
        Example {
            title: "a name for packets",
            query: "where dstport = 80 | streamalias p | print p.srcip p.len",
            input: "five.pcap",
            output: "192.0.2.2\t125\n192.0.2.1\t54\n",
        },
        Example {
            title: "two streams side by side",
            query: "(where dstport = 80 | streamalias web) + (where dstport = 53 | streamalias dns) | print web.len dns.len",
            input: "five.pcap",
            output: "125\n54\n\t76\n",
        },
        Example {
            title: "objects of one stream only",
            query: "(where dstport = 80 | streamalias web) + (where dstport = 53 | streamalias dns) | where dns | print dns.srcip",
            input: "five.pcap",
            output: "192.0.2.2\n",
        },
    ],
    build: Build::Operator(streamalias),
};

pub(super) static TAKE: Module = Module {
    name: "take",
    summary: "Replaces objects by an object that they carry, or by a value.",
    details: "An object with the field, or carried object, of this name is replaced by it; others are filtered. What a value becomes has that one field.",
    parameters: &[Parameter {
        name: "FIELD",
        takes: Takes::Object,
        count: Count::One,
        summary: "The object, or the field.",
    }],
    examples: &[
        Example {
            title: "back to packets",
            query: "streamalias p | take p | where dstport = 53 | print srcip",
            input: "five.pcap",
            output: "192.0.2.2\n",
        },
        Example {
            title: "values only",
            query: "take dstport | uniq dstport | print",
            input: "five.pcap",
            output: "443\n80\n53\n",
        },
        Example {
            title: "one of two streams",
            query: "(streamalias a) + (where dstport = 53 | streamalias b) | take b | count()",
            input: "five.pcap",
            output: "1\n",
        },
    ],
    build: Build::Operator(take),
};

fn streamalias(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let Some(word) = arguments.words().first() else {
        return Ok(made(Vec::new(), None));
    };
    if word.text.is_empty() || word.text.contains('.') {
        let fault = ArgumentError::at("streamalias", word, "is no name for objects");
        let help = Some("a name has no dots".to_owned());
        return Err(ArgumentError { help, ..fault });
    }
    Ok(made(
        Vec::new(),
        Some(ObjectColumn {
            name: Some(FieldPath::new(&word.text)),
            of: ObjectOf::Input,
            chained: false,
        }),
    ))
}

fn take(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let fields = arguments.fields();
    let object = fields.first().map(|field| ObjectColumn {
        name: None,
        of: ObjectOf::Carried(field.clone()),
        chained: false,
    });
    Ok(made(fields, object))
}

fn made(needs: Vec<FieldPath>, object: Option<ObjectColumn>) -> OperatorSpec {
    OperatorSpec {
        needs: Needs::Fields(needs),
        gives: Gives::Made(Vec::new()),
        objects: object.into_iter().collect(),
        ..OperatorSpec::stateless(Vec::new(), |context| {
            let mut objects = Objects::new(context);
            rows(move |view, out| objects.step(view, out))
        })
    }
}

/// Makes an object of each that comes.
struct Objects {
    shape: Option<Arc<Shape>>,
    /// For each column, the number of the field in the view; none where it says that there is an
    /// object.
    columns: Vec<Option<usize>>,
    /// The field that objects must have.
    needed: Option<usize>,
    origin: u32,
}

impl Objects {
    fn new(context: &Context) -> Objects {
        let own = context.fields.len();
        let place = |path: &FieldPath| {
            let field = context.carried.iter().find(|field| field.path == *path);
            match field {
                Some(field) => field.live.map(|live| own + live),
                // A column of the plan, which passes.
                None => context
                    .live
                    .iter()
                    .position(|live| live == path)
                    .map(|at| own + at),
            }
        };
        let given = context.shape.iter().flat_map(|shape| &shape.base);
        let given = given.filter(|def| matches!(def.recipe, Recipe::Given));
        Objects {
            columns: given.map(|def| place(&def.path)).collect(),
            shape: context.shape.clone(),
            needed: (own > 0).then_some(0),
            origin: context.origin,
        }
    }
}

impl Objects {
    fn step(&mut self, view: View<'_>, out: &mut Output) {
        let Some(shape) = &self.shape else {
            return;
        };
        let mut rows = view.part.selection;
        if let Some(needed) = self.needed {
            let valid = view.column(needed).map(|column| column.valid);
            rows = rows.and(&valid.unwrap_or_default());
        }
        let count = rows.count();
        out.account.filtered += (view.part.count() - count) as u64;
        out.account.absorbed += count as u64;
        let column = |place: &Option<usize>| match place {
            Some(at) => match view.column(*at) {
                Some(column) => column.gather(&rows),
                None => Column::from_values(std::iter::repeat_n(Value::Absent, count)),
            },
            None => Column::from_values(std::iter::repeat_n(Value::Bool(true), count)),
        };
        let columns = self.columns.iter().map(column).collect();
        let positions = rows.iter().map(|row| view.part.data.position(row));
        out.emit(PartData::from_columns(
            Arc::clone(shape),
            columns,
            count,
            Positions::Each(positions.collect()),
            self.origin,
        ));
    }
}
