//! SELECT -> plan.
//!
//! | file | what |
//! |---|---|
//! | `table.rs`, `tables.rs`, `file.rs` | what stands behind `from`: tables and joins of them |
//! | `names.rs` | what names mean: fields of tables, other items, groups; the expressions with them |
//! | `aggregate.rs` | `group by` and aggregate functions |
//! | `core.rs` | one SELECT without `union` |
//! | `order.rs` | `order by`, `limit`, `offset` |
//! | `union.rs` | several SELECT |
//! | `row.rs` | a SELECT that reads nothing |
//!
//! Expressions get their names settled, then go the way that they go in the other languages. Columns
//! that no query can name carry what is calculated on the way.

mod aggregate;
mod core;
mod file;
mod names;
mod order;
mod row;
mod same;
mod table;
mod tables;
mod union;

use super::{Flow, Lowering, bare};
use crate::ast::{Arm, Order, Select};
use wireq_engine::Span;
use wireq_engine::arguments::Word;
use wireq_engine::plan::NodeId;
use wireq_engine::plan::stream::HIDDEN;
use wireq_typesys::FieldPath;

/// What a SELECT gives.
struct Output {
    node: NodeId,
    /// Its columns; none where the objects are passed as they are, `select *`.
    columns: Option<Vec<FieldPath>>,
}

/// What stands behind a SELECT.
#[derive(Clone, Copy)]
struct Behind<'s> {
    order: &'s [Order],
    limit: Option<&'s Word>,
    offset: Option<&'s Word>,
}

impl Lowering<'_> {
    /// A SELECT. Without tables it takes what `input` gives.
    pub(super) fn select(&mut self, select: &Select, input: Option<Flow>) -> Flow {
        Flow {
            rows: true,
            ..Flow::new(self.select_output(select, input).node)
        }
    }

    fn select_output(&mut self, select: &Select, input: Option<Flow>) -> Output {
        let behind = Behind {
            order: &select.order,
            limit: select.limit.as_ref(),
            offset: select.offset.as_ref(),
        };
        match (&select.first, &select.others[..]) {
            (Arm::Core(core), []) => self.core(core, behind, input),
            _ => self.union(select, behind, input),
        }
    }

    /// The path of a column that no query can name. Equal SELECTs have equal ones.
    fn hidden_column(&mut self) -> FieldPath {
        self.hidden += 1;
        FieldPath::new(&format!("{HIDDEN}{}", self.hidden))
    }

    /// Objects that have these columns and nothing else.
    fn project(&mut self, columns: &[FieldPath], input: NodeId, span: Span) -> NodeId {
        self.stage_of("project", &[], columns, input, span)
    }

    /// A module with flags and fields.
    fn stage_of(
        &mut self,
        module: &str,
        flags: &[&str],
        fields: &[FieldPath],
        input: NodeId,
        span: Span,
    ) -> NodeId {
        let flags = flags.iter().map(|flag| bare(flag, span));
        let fields = fields.iter().map(|field| word_of(field.as_str(), span));
        let words: Vec<Word> = flags.chain(fields).collect();
        let name = bare(module, span);
        self.operator(&name, &words, Flow::new(input), span).node
    }
}

/// A text as an argument: in quotes where it would be a flag or several words.
fn word_of(text: &str, span: Span) -> Word {
    let ends_word = |c: char| c.is_whitespace() || "|,();'\"".contains(c);
    Word {
        quoted: text.starts_with('-') || text.contains(ends_word),
        ..bare(text, span)
    }
}
