//! What stands in the plan where a fault left nothing to put there: objects that may have any
//! field, so that one fault causes no others. A plan with faults is thrown away.

use super::Lowering;
use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::Arguments;
use wireq_engine::module::{Build, Module, SourceSpec};
use wireq_engine::plan::NodeId;
use wireq_engine::{Error, RecordType, Span};
use wireq_typesys::{Bitmap, Column, FieldDef};

static MODULE: Module = Module {
    name: "unknown",
    summary: "Stands for what could not be resolved.",
    details: "",
    parameters: &[],
    examples: &[],
    build: Build::Source(|_| Ok(spec())),
};

struct Anything;

impl RecordType for Anything {
    fn name(&self) -> &'static str {
        "unknown"
    }

    fn summary(&self) -> &'static str {
        "An object of which nothing is known."
    }

    fn fields(&self) -> &'static [FieldDef] {
        &[]
    }

    fn open(&self) -> bool {
        true
    }

    fn summary_fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn fill(&self, _: &(dyn Any + Send + Sync), _: usize, _: &Bitmap, _: &mut Column) {}
}

fn spec() -> SourceSpec {
    let open = || {
        Err(Error::Module {
            module: "unknown",
            message: "the query has faults".to_owned(),
        })
    };
    SourceSpec {
        record_type: Arc::new(Anything),
        time_ordered: false,
        live: None,
        prefilter: None,
        open: Arc::new(open),
    }
}

impl Lowering<'_> {
    /// A node that may give anything.
    pub(super) fn unknown(&mut self) -> NodeId {
        self.plan
            .add_source(&MODULE, Arguments::default(), spec(), Span::default())
    }
}
