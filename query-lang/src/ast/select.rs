//! SELECT statements.

use super::{Call, Expr};
use wireq_engine::Span;
use wireq_engine::arguments::Word;

/// A SELECT, or several with `union` between them.
#[derive(Clone, Debug)]
pub(crate) struct Select {
    pub first: Arm,
    /// Those behind it, from left to right.
    pub others: Vec<(Union, Arm)>,
    pub order: Vec<Order>,
    pub limit: Option<Word>,
    pub offset: Option<Word>,
    pub span: Span,
}

/// What becomes of rows of both sides that are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Union {
    All,
    Distinct,
}

/// What stands between two `union`.
#[derive(Clone, Debug)]
pub(crate) enum Arm {
    Core(Box<Core>),
    /// In brackets, with an order and a limit of its own.
    Nested(Box<Select>),
}

/// `select ITEMS from TABLES where ... group by ... having ...`.
#[derive(Clone, Debug)]
pub(crate) struct Core {
    pub distinct: bool,
    /// At least one.
    pub items: Vec<Item>,
    /// None where the rows are those of the stage before.
    pub from: Option<From>,
    pub condition: Option<Box<Expr>>,
    pub keys: Vec<Expr>,
    pub having: Option<Box<Expr>>,
    pub span: Span,
}

/// One thing to select.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// `*`, or `TABLE.*`.
    All(Option<Word>, Span),
    Value {
        value: Expr,
        alias: Option<Word>,
        /// As it is written, which is its name where it has no other.
        text: String,
    },
}

/// The tables behind `from`.
#[derive(Clone, Debug)]
pub(crate) struct From {
    pub first: Table,
    /// The others, with what stands behind `on`.
    pub joined: Vec<(Table, Option<Expr>)>,
    pub span: Span,
}

/// One table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub source: TableSource,
    pub alias: Option<Word>,
    pub span: Span,
}

/// What the rows of a table are.
#[derive(Clone, Debug)]
pub(crate) enum TableSource {
    /// Those of a file.
    File(Word),
    /// What a source or a definition gives.
    Call(Box<Call>),
    Query(Box<Select>),
}

/// One thing to order by.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub by: Expr,
    pub descending: bool,
    pub nulls_first: bool,
}

impl Select {
    /// The parts between `union`.
    pub fn arms(&self) -> impl Iterator<Item = &Arm> {
        std::iter::once(&self.first).chain(self.others.iter().map(|(_, arm)| arm))
    }

    /// Whether it reads tables, and not the rows of the stage before.
    pub fn has_tables(&self) -> bool {
        self.arms().any(|arm| match arm {
            Arm::Core(core) => core.from.is_some(),
            Arm::Nested(select) => select.has_tables(),
        })
    }

    /// The same, to change them.
    pub fn arms_mut(&mut self) -> impl Iterator<Item = &mut Arm> {
        std::iter::once(&mut self.first).chain(self.others.iter_mut().map(|(_, arm)| arm))
    }
}

impl Core {
    /// The expressions that it consists of.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let items = self.items.iter().filter_map(|item| match item {
            Item::Value { value, .. } => Some(value),
            Item::All(..) => None,
        });
        let on = self.from.iter().flat_map(|from| &from.joined);
        items
            .chain(on.filter_map(|(_, on)| on.as_ref()))
            .chain(self.condition.as_deref())
            .chain(&self.keys)
            .chain(self.having.as_deref())
    }

    /// The same, to change them.
    pub fn expressions_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let items = self.items.iter_mut().filter_map(|item| match item {
            Item::Value { value, .. } => Some(value),
            Item::All(..) => None,
        });
        let on = self.from.iter_mut().flat_map(|from| &mut from.joined);
        items
            .chain(on.filter_map(|(_, on)| on.as_mut()))
            .chain(self.condition.as_deref_mut())
            .chain(&mut self.keys)
            .chain(self.having.as_deref_mut())
    }

    /// The tables that it reads.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.from.iter().flat_map(|from| {
            std::iter::once(&from.first).chain(from.joined.iter().map(|(table, _)| table))
        })
    }

    /// The same, to change them.
    pub fn tables_mut(&mut self) -> impl Iterator<Item = &mut Table> {
        self.from.iter_mut().flat_map(|from| {
            std::iter::once(&mut from.first).chain(from.joined.iter_mut().map(|(table, _)| table))
        })
    }
}
