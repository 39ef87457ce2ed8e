//! Join: objects of several inputs that fulfil a condition together.
//!
//! For each arrival, in the one sequence of all inputs: kept objects whose `until` it fulfils are
//! forgotten; where it passes what concerns it alone, it is paired with the kept objects of the
//! other aliases, then kept. Equality between aliases finds what to pair it with by hash.

mod condition;
mod span;
mod store;

use crate::plan::expr::Expr;
use crate::plan::{Join, JoinAlias};
use crate::planted::is_planted;
use crate::schedule::output::Output;
use crate::snapshot::{Reader, Writer};
use crate::{
    Context, Control, Error, Gives, Needs, ObjectColumn, ObjectOf, OnControl, Operator,
    OperatorSpec, Progress, StateClass, Verdict, View, same_operator,
};
use condition::{Condition, Row, Until};
use span::Span;
use std::any::Any;
use std::sync::Arc;
use store::{Store, Term};
use wireq_typesys::{
    ColumnBuilder, FieldPath, Kind, PartData, Position, Positions, ROWS_MAX, Recipe, Shape, Value,
    Zone,
};

/// So many objects of an alias are kept at most; of more the oldest is forgotten, and counted as
/// evicted.
const OBJECTS_MAX: usize = 10_000_000;

/// What stands before the name of an alias for an object of it that has just come.
const NEW: &str = "new.";

/// The operator of a join.
pub(crate) fn join(join: &Join) -> OperatorSpec {
    let mut fields = Vec::new();
    for expr in expressions(join) {
        for (_, field) in expr.fields().iter().filter_map(|path| place_of(join, path)) {
            if !field.as_str().is_empty() && !fields.contains(&field) {
                fields.push(field);
            }
        }
    }
    let object = |alias: &JoinAlias| ObjectColumn {
        name: Some(alias.name.clone()),
        of: ObjectOf::Input,
        chained: false,
    };
    let objects = join.aliases.iter().map(object).collect();
    let class = if condition::is_keyed(join) {
        StateClass::Keyed
    } else {
        StateClass::Serial
    };
    let join = join.clone();
    OperatorSpec {
        needs: Needs::Fields(fields),
        gives: Gives::Made(Vec::new()),
        objects,
        class,
        on_control: OnControl::React,
        bound: Some(
            "10000000 objects of each alias, the oldest goes first; those that no `until` has ended",
        ),
        ..OperatorSpec::stateless(Vec::new(), move |context| {
            Box::new(Joining::new(&join, context))
        })
    }
}

fn expressions(join: &Join) -> impl Iterator<Item = &Expr> {
    let aliases = join.aliases.iter();
    let of_alias = aliases.flat_map(|alias| alias.own.iter().chain(&alias.until));
    of_alias.chain(&join.condition)
}

/// Whose field a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// An object of this alias.
    Alias(usize),
    /// The arrival, where it is of this alias.
    New(usize),
}

/// The object and the field of it that a path names; the field is empty for the object itself.
fn place_of(join: &Join, path: &FieldPath) -> Option<(Side, FieldPath)> {
    let of = |text: &str| {
        join.aliases.iter().enumerate().find_map(|(number, alias)| {
            let rest = text.strip_prefix(alias.name.as_str())?;
            let field = match rest.strip_prefix('.') {
                Some(field) => field,
                None if rest.is_empty() => "",
                None => return None,
            };
            Some((number, FieldPath::new(field)))
        })
    };
    let text = path.as_str();
    if let Some((number, field)) = text.strip_prefix(NEW).and_then(of) {
        return Some((Side::New(number), field));
    }
    of(text).map(|(number, field)| (Side::Alias(number), field))
}

/// How the objects of one alias are found that belong to objects found before.
struct Level {
    alias: usize,
    /// The index of the alias, and for each of its columns whose value it is looked up with.
    index: Option<(usize, Vec<Term>)>,
    /// Where there is none, the order by a time in which they are found.
    span: Option<(usize, Span)>,
    /// What is left to test once the object is found.
    rest: Option<Condition>,
}

struct Alias {
    name: FieldPath,
    own: Option<Condition>,
    until: Option<Until>,
    /// The numbers of the fields in the view that are kept.
    kept: Vec<usize>,
    store: Store,
    max: usize,
    /// How an arrival is paired.
    levels: Vec<Level>,
    /// For each alias, until when its objects that come may be paired with those kept.
    beside: Vec<Option<(usize, Span)>>,
    /// No object comes before this time.
    mark: i64,
}

struct Joining {
    /// Whether parts of its input can be joined on their own, divided by a key.
    keyed: bool,
    aliases: Vec<Alias>,
    /// For each column given: the alias, the number of the value kept (none: whether it is
    /// there), the kind.
    columns: Vec<(usize, Option<usize>, Kind)>,
    shape: Option<Arc<Shape>>,
    origin: u32,
    zone: Arc<Zone>,
    builders: Vec<ColumnBuilder>,
    positions: Vec<Position>,
}

impl Joining {
    fn new(join: &Join, context: &Context) -> Joining {
        let kept = kept_fields(join, context);
        let conditions = condition::Builder {
            join,
            context,
            kept: &kept,
        };
        let mut aliases: Vec<Alias> = Vec::with_capacity(join.aliases.len());
        for (number, alias) in join.aliases.iter().enumerate() {
            aliases.push(Alias {
                name: alias.name.clone(),
                own: conditions.own(number),
                until: conditions.until(number),
                kept: kept[number].iter().map(|(at, _)| *at).collect(),
                store: Store::new(context.seed),
                max: alias.max.unwrap_or(OBJECTS_MAX),
                levels: Vec::new(),
                beside: Vec::new(),
                mark: i64::MIN,
            });
        }
        for number in 0..aliases.len() {
            let levels = conditions.levels(number, &mut aliases);
            aliases[number].levels = levels;
            if let Some(mut until) = aliases[number].until.take() {
                until.index(&mut aliases[number].store);
                aliases[number].until = Some(until);
            }
            for other in 0..aliases.len() {
                let span = conditions.beside(number, other);
                let span = span.map(|span| (aliases[number].store.timed(span.column), span));
                aliases[number].beside.push(span);
            }
        }
        let given = context.shape.iter().flat_map(|shape| &shape.base);
        let given = given.filter(|def| matches!(def.recipe, Recipe::Given));
        let column = |def: &wireq_typesys::ColumnDef| {
            let field = context
                .carried
                .iter()
                .find(|field| field.path == def.path)?;
            let live = field.live.map(|live| context.fields.len() + live);
            let place = live.and_then(|at| kept[field.object].iter().position(|(k, _)| *k == at));
            Some((field.object, place, def.kind))
        };
        Joining {
            keyed: condition::is_keyed(join),
            columns: given
                .map(|def| column(def).unwrap_or((0, None, def.kind)))
                .collect(),
            aliases,
            shape: context.shape.clone(),
            origin: context.origin,
            zone: Arc::clone(&context.zone),
            builders: Vec::new(),
            positions: Vec::new(),
        }
    }

    /// Takes one arrival.
    fn arrive(&mut self, at: usize, view: View<'_>, row: usize, passes: bool, out: &mut Output) {
        let values: Row = self.aliases[at]
            .kept
            .iter()
            .map(|k| view.value(*k, row))
            .collect();
        let late = is_planted("join-until-after-pairing") && passes;
        if !late {
            self.end(at, passes, &values);
        }
        if !passes {
            out.account.filtered += 1;
            return;
        }
        let position = view.part.data.position(row);
        let levels = std::mem::take(&mut self.aliases[at].levels);
        let mut found: Vec<Option<Row>> = vec![None; self.aliases.len()];
        found[at] = Some(values.clone());
        let levels = self.pair(levels, 0, &mut found, position, out);
        self.aliases[at].levels = levels;
        if late {
            self.end(at, passes, &values);
        }
        let alias = &mut self.aliases[at];
        alias.store.keep(values);
        out.account.absorbed += 1;
        if alias.store.len() > alias.max {
            alias.store.forget_oldest();
            out.account.absorbed -= 1;
            out.account.evicted += 1;
        }
    }

    /// Forgets what an arrival ends.
    fn end(&mut self, at: usize, passes: bool, values: &Row) {
        for alias in &mut self.aliases {
            if let Some(until) = &mut alias.until {
                until.end(at, passes, values, &mut alias.store, &self.zone);
            }
        }
    }

    /// Finds the objects of the other aliases, level by level, and gives what belongs together.
    fn pair(
        &mut self,
        mut levels: Vec<Level>,
        at: usize,
        found: &mut Vec<Option<Row>>,
        position: Position,
        out: &mut Output,
    ) -> Vec<Level> {
        let Some(level) = levels.get_mut(at) else {
            self.give(found, position, out);
            if is_planted("join-pairs-twice") {
                self.give(found, position, out);
            }
            return levels;
        };
        let store = &mut self.aliases[level.alias].store;
        let number = level.alias;
        let candidates = match (&level.index, &level.span) {
            (Some((index, terms)), _) => store.find(*index, terms, found),
            (None, Some((timed, span))) => {
                let beside = span.term.of(found);
                store.rows(&store.within(*timed, &beside, |time| span.beside(time)))
            }
            (None, None) => store.all(),
        };
        let matching = match &mut level.rest {
            Some(rest) => rest.select(candidates, found, &self.zone),
            None => candidates,
        };
        for row in matching {
            found[number] = Some(row);
            levels = self.pair(levels, at + 1, found, position, out);
        }
        found[number] = None;
        levels
    }

    /// Forgets what no object that comes will be paired with: those before it ends are ended by it, or
    /// too late for it.
    fn expire(&mut self) {
        let marks: Vec<i64> = self.aliases.iter().map(|alias| alias.mark).collect();
        for (number, alias) in self.aliases.iter_mut().enumerate() {
            let mut others = (0..marks.len()).filter(|other| *other != number);
            let first = others.try_fold(None, |first: Option<(usize, i64)>, other| {
                let mark = marks[other];
                let beside = alias.beside[other].as_ref();
                let beside = beside.and_then(|(timed, span)| Some((*timed, span.settled(mark)?)));
                let ended = || alias.until.as_ref()?.over(other, mark);
                let (timed, time) = beside.or_else(ended)?;
                match first {
                    // Orders by different times have nothing to do with each other.
                    Some((known, _)) if known != timed => None,
                    Some((_, least)) => Some(Some((timed, time.min(least)))),
                    None => Some(Some((timed, time))),
                }
            });
            if let Some(Some((timed, time))) = first {
                alias.store.forget_before(timed, time);
            }
        }
    }

    fn give(&mut self, found: &[Option<Row>], position: Position, out: &mut Output) {
        if self.builders.len() != self.columns.len() {
            self.builders
                .resize_with(self.columns.len(), ColumnBuilder::default);
        }
        for (builder, (alias, place, kind)) in self.builders.iter_mut().zip(&self.columns) {
            let row = found.get(*alias).and_then(Option::as_ref);
            builder.push(match (row, place) {
                (Some(row), Some(place)) => row[*place].clone().of_kind(*kind),
                (Some(_), None) => Value::Bool(true),
                (None, _) => Value::Absent,
            });
        }
        self.positions.push(position);
        if self.positions.len() == ROWS_MAX {
            self.flush(out);
        }
    }

    fn flush(&mut self, out: &mut Output) {
        let positions = std::mem::take(&mut self.positions);
        let builders = std::mem::take(&mut self.builders);
        let Some(shape) = self.shape.as_ref().filter(|_| !positions.is_empty()) else {
            return;
        };
        let columns = builders.into_iter().map(ColumnBuilder::finish).collect();
        out.emit(PartData::from_columns(
            Arc::clone(shape),
            columns,
            positions.len(),
            Positions::Each(positions),
            self.origin,
        ));
    }
}

/// For each alias, the fields that are kept of its objects: their number in the view, and the name.
type KeptFields = Vec<Vec<(usize, FieldPath)>>;

fn kept_fields(join: &Join, context: &Context) -> KeptFields {
    let mut kept: KeptFields = vec![Vec::new(); join.aliases.len()];
    let mut keep = |alias: usize, at: usize, field: &FieldPath| {
        if !kept[alias].iter().any(|(known, _)| *known == at) {
            kept[alias].push((at, field.clone()));
        }
    };
    for expr in expressions(join) {
        for (side, field) in expr.fields().iter().filter_map(|path| place_of(join, path)) {
            let (Side::Alias(alias) | Side::New(alias)) = side;
            if let Some(at) = context.fields.iter().position(|known| *known == field) {
                keep(alias, at, &field);
            }
        }
    }
    for field in &context.carried {
        if let Some(live) = field.live {
            keep(
                field.object,
                context.fields.len() + live,
                &context.live[live],
            );
        }
    }
    kept
}

impl Operator for Joining {
    fn step(
        &mut self,
        port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let selection = view.part.selection;
            let passing = match &mut self.aliases[port].own {
                Some(own) if !is_planted("join-forgets-own-tests") => {
                    own.passing(*view, &self.zone)
                }
                _ => selection,
            };
            for row in selection.iter() {
                self.arrive(port, *view, row, passing.get(row), out);
            }
        }
        self.flush(out);
        Ok(Progress::Continue)
    }

    fn control_on_port(
        &mut self,
        port: usize,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        if let Control::Watermark(time) = control {
            let alias = &mut self.aliases[port];
            if alias.mark < *time {
                alias.mark = *time;
                self.expire();
            }
        }
        // What is given is as old as the oldest object in it: time goes on, and says nothing of it.
        let control = match control {
            Control::Watermark(_) => Control::Watermark(i64::MIN),
            other => other.clone(),
        };
        out.control(position, control);
        Ok(())
    }

    fn memory(&self) -> usize {
        self.aliases.iter().map(|alias| alias.store.memory()).sum()
    }

    fn save(&self, out: &mut Writer) {
        for alias in &self.aliases {
            alias.store.save(out);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        for alias in &mut self.aliases {
            alias.store.load(alias.kept.len(), from)?;
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        if !self.keyed {
            return Err(Error::Module {
                module: "join",
                message: "it is serial: parts cannot be merged".into(),
            });
        }
        let right = same_operator::<Joining>("join", right)?;
        for (alias, other) in self.aliases.iter_mut().zip(&right.aliases) {
            debug_assert_eq!(alias.name, other.name);
            other
                .store
                .all()
                .into_iter()
                .for_each(|row| alias.store.keep(row));
        }
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
