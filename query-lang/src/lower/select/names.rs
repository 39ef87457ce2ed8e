//! What names in a SELECT mean: the fields of its tables, its other items, its groups. Expressions
//! are rewritten so that all names in them are paths of fields.

use super::aggregate::Groups;
use super::order::name;
use super::same::key_of;
use super::tables::Tables;
use crate::ast::{self, Expr, ExprKind, Item, Operator};
use crate::lower::Lowering;
use crate::lower::expression::is_field;
use crate::lower::measure::{DEPTH_MAX, is_repeated_too_often, too_often};
use std::collections::HashMap;
use wireq_engine::arguments::Word;
use wireq_engine::plan::expr;
use wireq_engine::plan::stream::Stream;
use wireq_engine::{Diagnostic, Span};
use wireq_typesys::FieldPath;

/// What an expression of a SELECT can name.
pub(super) struct Names<'s> {
    pub tables: &'s Tables,
    /// What is known of the rows of the tables.
    pub rows: Stream,
    /// Items, which other expressions can use by their names.
    items: &'s [Item],
    /// The first item of each name, in small letters.
    named: HashMap<String, usize>,
    /// The groups, for what stands behind them; none for what concerns single rows.
    pub groups: Option<Groups>,
    /// What stands for items may still be put in place of their names.
    room: usize,
    /// Whether it was too little.
    is_full: bool,
}

/// How often items may stand in place of their names, in parts of expressions.
const ROOM_FOR_ITEMS: usize = 10_000;

/// Where in an expression something stands.
#[derive(Clone, Copy)]
struct Place {
    /// The items before this number can be named.
    visible: usize,
    /// How deep it is.
    level: usize,
    /// Whether it is what a function takes.
    in_function: bool,
}

/// What a name means.
enum Meaning {
    Field(FieldPath),
    /// Rows may have any field, and so this one.
    Perhaps(FieldPath),
    /// Nothing that is known of.
    Nothing,
    /// A field of several tables.
    Ambiguous,
}

impl Lowering<'_> {
    /// The expression with paths of fields in place of names. Faults are told once it is checked.
    pub(super) fn named(&mut self, expr: &Expr, names: &mut Names<'_>) -> Expr {
        let mut named = expr.clone();
        let room = names.room;
        let place = Place {
            visible: names.items.len(),
            level: 1,
            in_function: false,
        };
        self.rename_in(&mut named, names, place);
        if names.room < room && is_repeated_too_often(&named) {
            self.faults.push(too_often(expr.span));
            named.kind = ExprKind::Constant(ast::Constant::Null);
        }
        named
    }

    /// A value over what `stream` is known of.
    pub(super) fn value_over(&mut self, named: &Expr, stream: &Stream) -> expr::Expr {
        let mut condition = self.condition();
        condition.three_valued = true;
        let mut value = condition.value(named);
        stream.resolve(&mut value, self.options.zone, &mut self.faults);
        value
    }

    /// A test, in which what is unknown stays unknown.
    pub(super) fn test_over(&mut self, named: &Expr, stream: &Stream) -> expr::Expr {
        let mut condition = self.condition();
        condition.three_valued = true;
        let mut test = condition.test(named);
        stream.resolve(&mut test, self.options.zone, &mut self.faults);
        test
    }

    /// Rewrites an expression.
    fn rename_in(&mut self, expr: &mut Expr, names: &mut Names<'_>, place: Place) {
        if let Some(groups) = &names.groups
            && let Some(column) = groups.column_of(expr, names)
        {
            expr.kind = field(column, expr.span);
            return;
        }
        match &mut expr.kind {
            ExprKind::Word(word) if word.quoted => {
                // In texts of SQL a backslash is a backslash. Functions take it as that anyhow.
                if !place.in_function {
                    word.text = word.text.replace('\\', "\\\\");
                }
            }
            ExprKind::Word(word) if !is_field(word) => {}
            ExprKind::Word(word) | ExprKind::Field(word) => {
                let word = word.clone();
                self.name_in_place(expr, &word, names, place);
            }
            ExprKind::Scalar(call) if self.aggregate_of(call).is_some() => {
                let fault = no_function_here(&call.name, names.groups.is_some());
                self.faults.push(fault);
                expr.kind = ExprKind::Constant(ast::Constant::Null);
            }
            kind => {
                let place = Place {
                    level: place.level + 1,
                    in_function: is_call(kind),
                    ..place
                };
                kind.for_each_part_mut(&mut |part| self.rename_in(part, names, place));
            }
        }
    }

    fn name_in_place(&mut self, expr: &mut Expr, word: &Word, names: &mut Names<'_>, place: Place) {
        let meaning = names.meaning(&word.text);
        let grouped = names.groups.is_some();
        let item = names.item(&word.text, place.visible);
        match (meaning, item) {
            (Meaning::Field(path), _) if !grouped => expr.kind = field(path, word.span),
            (_, Some(item)) => self.item_in_place(expr, item, names, place),
            (Meaning::Field(_) | Meaning::Perhaps(_), None) if grouped => {
                self.faults.push(not_grouped(word));
                expr.kind = ExprKind::Constant(ast::Constant::Null);
            }
            (Meaning::Field(path) | Meaning::Perhaps(path), None) => {
                expr.kind = field(path, word.span);
            }
            (Meaning::Nothing, None) => {
                let path = names.tables.path(&word.text, &names.rows);
                expr.kind = field(path, word.span);
            }
            (Meaning::Ambiguous, None) => {
                self.faults.push(ambiguous(word, names.tables));
                expr.kind = ExprKind::Constant(ast::Constant::Null);
            }
        }
    }

    /// Puts an item in the place of its name.
    fn item_in_place(&mut self, expr: &mut Expr, item: usize, names: &mut Names<'_>, place: Place) {
        let level = place.level;
        let Some(Item::Value { value, .. }) = names.items.get(item) else {
            return;
        };
        let span = expr.span;
        let mut size = 0;
        count(value, &mut size);
        if size > names.room || level + value.depth > DEPTH_MAX {
            if !std::mem::replace(&mut names.is_full, true) {
                let message = "the names of items stand for too much here";
                let fault = Diagnostic::new("Q043", span, message).label("too large");
                self.faults.push(fault);
            }
            expr.kind = ExprKind::Constant(ast::Constant::Null);
            return;
        }
        names.room -= size;
        *expr = value.clone();
        let place = Place {
            visible: item,
            ..place
        };
        self.rename_in(expr, names, place);
        expr.span = span;
    }
}

/// Whether an expression becomes the call of a function.
fn is_call(kind: &ExprKind) -> bool {
    match kind {
        ExprKind::Scalar(_) | ExprKind::Like(_) | ExprKind::Cast(..) => true,
        ExprKind::Operation(operator, ..) => *operator == Operator::Concatenate,
        _ => false,
    }
}

fn count(expr: &Expr, size: &mut usize) {
    *size += 1;
    expr.kind.for_each_part(&mut |part| count(part, size));
}

fn field(path: FieldPath, span: Span) -> ExprKind {
    ExprKind::Field(Word {
        text: path.as_str().to_owned(),
        quoted: false,
        span,
    })
}

impl Names<'_> {
    /// Names that concern rows.
    pub fn of_rows<'s>(tables: &'s Tables, rows: Stream, items: &'s [Item]) -> Names<'s> {
        let mut named = HashMap::new();
        for (at, item) in items.iter().enumerate() {
            if let Item::Value {
                alias: Some(alias), ..
            } = item
            {
                named.entry(alias.text.to_ascii_lowercase()).or_insert(at);
            }
        }
        Names {
            tables,
            rows,
            items,
            named,
            groups: None,
            room: ROOM_FOR_ITEMS,
            is_full: false,
        }
    }

    fn meaning(&self, name: &str) -> Meaning {
        let paths = self.tables.paths(name, &self.rows);
        match &paths[..] {
            [] => Meaning::Nothing,
            [(path, true)] => Meaning::Field(path.clone()),
            [(path, false)] => Meaning::Perhaps(path.clone()),
            _ => Meaning::Ambiguous,
        }
    }

    /// The path that a name stands for, for comparing expressions.
    pub fn path(&self, name: &str) -> FieldPath {
        match self.meaning(name) {
            Meaning::Field(path) | Meaning::Perhaps(path) => path,
            Meaning::Nothing | Meaning::Ambiguous => FieldPath::new(name),
        }
    }

    /// The item of a name, of those before number `visible`.
    fn item(&self, name: &str, visible: usize) -> Option<usize> {
        let item = self.named.get(&name.to_ascii_lowercase());
        item.copied().filter(|item| *item < visible)
    }

    /// The item whose name is all of an expression, unless rows have a field of that name.
    pub fn item_named(&self, expr: &Expr) -> Option<usize> {
        let word = name(expr)?;
        match self.meaning(&word.text) {
            Meaning::Field(_) => None,
            _ => self.item(&word.text, self.items.len()),
        }
    }

    /// What an expression is, told in a way that is the same for expressions that are the same.
    pub fn key(&self, expr: &Expr) -> String {
        key_of(expr, &|name| self.path(name))
    }
}

fn no_function_here(name: &Word, behind_groups: bool) -> Diagnostic {
    let message = match behind_groups {
        true => format!("`{}(...)` cannot stand in another function", name.text),
        false => format!(
            "`{}(...)` concerns groups: it cannot be used here",
            name.text
        ),
    };
    Diagnostic::new("Q053", name.span, message)
        .label("aggregate function")
        .help("`having` tests groups; a SELECT in brackets behind `from` gives values of groups to the one around it")
}

fn not_grouped(word: &Word) -> Diagnostic {
    let message = format!(
        "`{}` is neither grouped by nor in an aggregate function",
        word.text
    );
    Diagnostic::new("Q053", word.span, message)
        .label("has many values in a group")
        .help(format!(
            "write it behind `group by`, or take one value: `max({0})`, `first({0})`",
            word.text
        ))
}

fn ambiguous(word: &Word, tables: &Tables) -> Diagnostic {
    let message = format!("several tables have a field `{}`", word.text);
    let fault = Diagnostic::new("Q054", word.span, message).label("of which table?");
    let names: Vec<String> = tables
        .known()
        .map(|name| format!("`{name}.{}`", word.text))
        .collect();
    fault.help(format!("write one of: {}", names.join(", ")))
}
