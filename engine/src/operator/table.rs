//! Tables: what many branches of a match have in common, done once for all of them.
//!
//! Rows carry the numbers of the branches they belong to, as a column: a list where a row stands for
//! all of its branches, one number where there is a row for each. What keeps nothing does not look at
//! it; what keeps something has it as its first key.

use super::stateless::stateless;
use crate::plan::{Deal, Table, table_column, takes_first};
use crate::planted::is_planted;
use crate::schedule::output::{Frame, Output};
use crate::snapshot::{Reader, Writer};
use crate::{Context, Error, Gives, Needs, Operator, OperatorSpec, Progress, Verdict, View};
use std::any::Any;
use std::sync::Arc;
use wireq_typesys::{Bitmap, Column, Data, Kind, PartData, Positions, ROWS_MAX, Recipe, Shape};

/// The numbers that a column of branches holds for each row.
#[derive(Clone, Copy)]
enum Numbers<'a> {
    None,
    Lists(&'a [(u32, u32)], &'a [u32]),
    Single(&'a Column),
}

impl<'a> Numbers<'a> {
    fn of(column: Option<&'a Column>) -> Numbers<'a> {
        match column.map(|column| (column, &column.data)) {
            None => Numbers::None,
            Some((_, Data::List(ranges, ids))) => match &**ids {
                Data::U32(ids) => Numbers::Lists(ranges, ids),
                _ => Numbers::None,
            },
            Some((column, _)) => Numbers::Single(column),
        }
    }

    fn each(self, row: usize, mut each: impl FnMut(u32)) {
        match self {
            Numbers::None => {}
            Numbers::Lists(ranges, ids) => {
                let (from, to) = ranges[row];
                ids[from as usize..to as usize]
                    .iter()
                    .copied()
                    .for_each(each);
            }
            Numbers::Single(column) => match &column.data {
                Data::U32(numbers) => each(numbers[row]),
                Data::U64(numbers) => each(numbers[row] as u32),
                _ => {
                    let number = column.value(row).as_integer();
                    number.into_iter().for_each(|number| each(number as u32));
                }
            },
        }
    }
}

/// The operator at which a table begins: says which of its branches each row belongs to, or gives it
/// once for each of them.
pub(crate) fn table(table: &Table) -> OperatorSpec {
    let places = Arc::new(Places::new(&table.filters));
    let lists = vec![(table_column(), Kind::List(&Kind::Unsigned))];
    let single = vec![(table_column(), Kind::Unsigned)];
    let needs = vec![table.hits.clone()];
    if !table.spread {
        let places = Arc::clone(&places);
        return OperatorSpec {
            gives: Gives::Annotated(lists),
            ..OperatorSpec::stateless(needs, move |_| {
                let places = Arc::clone(&places);
                stateless(move |view, out| say_numbers(&places, view, out))
            })
        };
    }
    OperatorSpec {
        gives: Gives::Retained(single),
        ..OperatorSpec::stateless(needs, move |context| {
            let mut spread = Spread::new(Arc::clone(&places), context);
            stateless(move |view, out| spread.step(view, out))
        })
    }
}

/// For each filter of a match, the numbers of its branches in the table.
struct Places {
    /// Where those of each filter begin; one more than there are filters.
    begins: Vec<u32>,
    numbers: Vec<u32>,
}

impl Places {
    fn new(filters: &[usize]) -> Places {
        let last = filters.iter().max().map_or(0, |last| last + 1);
        let mut begins = vec![0u32; last + 1];
        for filter in filters {
            begins[filter + 1] += 1;
        }
        for at in 1..begins.len() {
            begins[at] += begins[at - 1];
        }
        let mut next = begins.clone();
        let mut numbers = vec![0; filters.len()];
        let shift = usize::from(is_planted("table-of-next"));
        for (number, filter) in filters.iter().enumerate() {
            let place = &mut next[*filter];
            numbers[*place as usize] = ((number + shift) % filters.len()) as u32;
            *place += 1;
        }
        Places { begins, numbers }
    }

    fn of(&self, filter: u32) -> &[u32] {
        let filter = filter as usize;
        match (self.begins.get(filter), self.begins.get(filter + 1)) {
            (Some(from), Some(to)) => &self.numbers[*from as usize..*to as usize],
            _ => &[],
        }
    }

    /// Appends the numbers of a row in ascending order.
    fn append(&self, hits: Numbers<'_>, row: usize, out: &mut Vec<u32>) {
        let before = out.len();
        hits.each(row, |filter| out.extend_from_slice(self.of(filter)));
        let own = &mut out[before..];
        if !own.is_sorted() {
            own.sort_unstable();
        }
    }
}

fn say_numbers(places: &Places, view: View<'_>, out: &mut Output) {
    let hits = Numbers::of(view.column(0));
    let mut ranges = vec![(0, 0); view.part.data.len()];
    let mut numbers = Vec::new();
    let mut any = Bitmap::EMPTY;
    view.part.selection.for_each(|row| {
        let before = numbers.len();
        places.append(hits, row, &mut numbers);
        if numbers.len() > before {
            any.set(row);
            ranges[row] = (before as u32, numbers.len() as u32);
        }
    });
    out.account.filtered += (view.part.count() - any.count()) as u64;
    let column = Column {
        data: Data::List(ranges, Box::new(Data::U32(numbers))),
        valid: any,
        names: None,
    };
    out.annotate(view.part, any, vec![column]);
}

/// Gives a row for each branch that it belongs to.
struct Spread {
    places: Arc<Places>,
    shape: Option<Arc<Shape>>,
    /// For each column that is given, its number in the view; none for that of the branch.
    columns: Vec<Option<usize>>,
    origin: u32,
    rows: Vec<u16>,
    numbers: Vec<u32>,
}

impl Spread {
    fn new(places: Arc<Places>, context: &Context) -> Spread {
        let shape = context.shape.iter();
        let given = shape.flat_map(|shape| &shape.base);
        let given = given.filter(|def| matches!(def.recipe, Recipe::Given));
        let columns = given.map(|def| {
            let live = context.live.iter().position(|path| *path == def.path);
            let kept = live.map_or(usize::MAX, |at| context.fields.len() + at);
            (def.path != table_column()).then_some(kept)
        });
        Spread {
            places,
            columns: columns.collect(),
            shape: context.shape.clone(),
            origin: context.origin,
            rows: Vec::new(),
            numbers: Vec::new(),
        }
    }

    fn step(&mut self, view: View<'_>, out: &mut Output) {
        let Some(shape) = self.shape.clone() else {
            return;
        };
        let hits = Numbers::of(view.column(0));
        self.rows.clear();
        self.numbers.clear();
        let mut taken = 0;
        view.part.selection.for_each(|row| {
            self.places.append(hits, row, &mut self.numbers);
            taken += u64::from(self.numbers.len() > self.rows.len());
            self.rows.resize(self.numbers.len(), row as u16);
        });
        out.account.absorbed += taken;
        out.account.filtered += view.part.count() as u64 - taken;
        let pieces = self.rows.chunks(ROWS_MAX);
        for (rows, numbers) in pieces.zip(self.numbers.chunks(ROWS_MAX)) {
            let columns = self.columns.iter().map(|column| match column {
                None => Column {
                    data: Data::U32(numbers.to_vec()),
                    valid: Bitmap::first(rows.len()),
                    names: None,
                },
                Some(at) => {
                    let column = view.column(*at);
                    column.map_or_else(|| Column::default().take(rows), |c| c.take(rows))
                }
            });
            let data = &view.part.data;
            let each = rows.iter().map(|row| usize::from(*row));
            let part = PartData::from_columns(
                Arc::clone(&shape),
                columns.collect(),
                rows.len(),
                Positions::Each(each.clone().map(|row| data.position(row)).collect()),
                self.origin,
            );
            out.emit(part.with_identities(each.map(|row| data.identity(row)).collect()));
        }
    }
}

/// The operator at which a table ends: hands each branch its rows.
pub(crate) fn deal(deal: &Deal) -> OperatorSpec {
    let branches = deal.branches;
    OperatorSpec::stateless(vec![table_column()], move |_| {
        let mut rows = vec![Bitmap::EMPTY; branches];
        let mut met: Vec<u32> = Vec::new();
        stateless(move |view, out| {
            let numbers = Numbers::of(view.column(0));
            view.part.selection.for_each(|row| {
                numbers.each(row, |number| {
                    let rows = &mut rows[number as usize];
                    if rows.is_empty() {
                        met.push(number);
                    }
                    rows.set(row);
                });
            });
            met.sort_unstable();
            for number in met.drain(..) {
                let rows = std::mem::take(&mut rows[number as usize]);
                out.route(number, view.part, rows);
            }
            out.pass(view.part, view.part.selection);
        })
    })
}

/// The operator that does for each branch of a table what another one does: it goes by the branch first.
pub(crate) fn of_each_branch(spec: &OperatorSpec) -> OperatorSpec {
    let Needs::Fields(fields) = &spec.needs else {
        // The plan names the fields of operators in tables.
        return spec.clone();
    };
    let mut needs = vec![table_column()];
    needs.extend(fields.iter().cloned());
    let spec = OperatorSpec {
        needs: Needs::Fields(needs),
        ..spec.clone()
    };
    if spec.side_effect {
        return written(spec);
    }
    if let Some(limit) = takes_first(&spec) {
        return first_of_each(spec, limit);
    }
    let gives = match &spec.gives {
        Gives::Made(columns) => {
            let mut all = vec![(table_column(), Kind::Unsigned)];
            all.extend(columns.iter().cloned());
            Gives::Made(all)
        }
        gives => gives.clone(),
    };
    let make = spec
        .divided
        .clone()
        .unwrap_or_else(|| Arc::clone(&spec.make));
    OperatorSpec {
        gives,
        make,
        ..spec
    }
}

/// One that passes the first rows: so many of each branch.
fn first_of_each(spec: OperatorSpec, limit: u64) -> OperatorSpec {
    let branches = spec.table.as_ref().map_or(0, |owners| owners.len());
    let lists = !spec.gives.columns().is_empty();
    OperatorSpec {
        make: Arc::new(move |_| {
            Box::new(FirstOfEach {
                limit,
                lists,
                taken: vec![0; branches],
                open: branches,
                rows: Vec::new(),
                numbers: Vec::new(),
            })
        }),
        ..spec
    }
}

struct FirstOfEach {
    limit: u64,
    /// Whether a row stands for all of its branches.
    lists: bool,
    /// How many rows of each branch were taken.
    taken: Vec<u64>,
    /// How many branches take more.
    open: usize,
    /// The rows of a view that any branch takes, each with where the numbers of these end.
    rows: Vec<(u16, u32)>,
    numbers: Vec<u32>,
}

impl FirstOfEach {
    /// Takes what branches take of a view. Gives the rows up to the one behind which none takes more, if
    /// there is one.
    fn take(&mut self, view: View<'_>) -> Option<usize> {
        let of = Numbers::of(view.column(0));
        self.rows.clear();
        self.numbers.clear();
        let (taken, numbers, open) = (&mut self.taken, &mut self.numbers, &mut self.open);
        for (at, row) in view.part.selection.iter().enumerate() {
            let before = numbers.len();
            of.each(row, |number| {
                let place = if is_planted("table-heads-are-one") {
                    0
                } else {
                    number
                };
                let taken = &mut taken[place as usize];
                if *taken < self.limit {
                    *taken += 1;
                    numbers.push(number);
                    *open -= usize::from(*taken == self.limit);
                }
            });
            if numbers.len() > before {
                self.rows.push((row as u16, numbers.len() as u32));
            }
            if *open == 0 {
                return Some(at + 1);
            }
        }
        None
    }

    /// Gives the rows that were taken of a view, each with the branches that took it.
    fn give(&mut self, view: View<'_>, out: &mut Output) {
        let mut any = Bitmap::EMPTY;
        self.rows
            .iter()
            .for_each(|(row, _)| any.set(usize::from(*row)));
        if !self.lists {
            return out.pass(view.part, any);
        }
        if self.rows.is_empty() {
            return;
        }
        let mut ranges = vec![(0, 0); view.part.data.len()];
        let mut begin = 0;
        for (row, end) in &self.rows {
            ranges[usize::from(*row)] = (begin, *end);
            begin = *end;
        }
        let column = Column {
            data: Data::List(ranges, Box::new(Data::U32(self.numbers.clone()))),
            valid: any,
            names: None,
        };
        out.annotate(view.part, any, vec![column]);
    }
}

impl Operator for FirstOfEach {
    fn wants_rows(&self) -> bool {
        self.limit > 0
    }

    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        let mut before = 0;
        let mut done = None;
        for view in views {
            let count = view.part.count();
            if done.is_some() {
                out.account.cut += count as u64;
                continue;
            }
            done = self.take(*view).map(|rows| before + rows);
            // Each branch alone would have been done before the rows that it does not take.
            out.account.cut += (count - self.rows.len()) as u64;
            self.give(*view, out);
            before += count;
        }
        Ok(done.map_or(Progress::Continue, |taken| Progress::Done { taken }))
    }

    fn save(&self, out: &mut Writer) {
        self.taken.iter().for_each(|taken| out.number(*taken));
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        for taken in &mut self.taken {
            *taken = from.number()?;
        }
        let open = self.taken.iter().filter(|taken| **taken < self.limit);
        self.open = open.count();
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// One that writes text: each row once, and whose it is.
fn written(spec: OperatorSpec) -> OperatorSpec {
    let make = Arc::clone(&spec.make);
    OperatorSpec {
        make: Arc::new(move |context| {
            let inner = Context {
                fields: context.fields[1..].to_vec(),
                kinds: context.kinds[1..].to_vec(),
                ..context.clone()
            };
            Box::new(Written(make(&inner)))
        }),
        ..spec
    }
}

struct Written(Box<dyn Operator>);

/// A view without its first column.
fn behind_first<'a>(view: &View<'a>) -> View<'a> {
    View {
        part: view.part,
        slots: view.slots.get(1..).unwrap_or(&[]),
    }
}

impl Operator for Written {
    fn step(
        &mut self,
        port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            self.0.step(port, &[behind_first(view)], out)?;
        }
        Ok(Progress::Continue)
    }

    fn act(&mut self, views: &[View<'_>], out: &mut Output) -> Result<(), Error> {
        for view in views {
            let numbers = Numbers::of(view.column(0));
            let first = out.text.note_rows();
            self.0.act(&[behind_first(view)], out)?;
            out.text
                .say_owners(first, |row, owner| numbers.each(row, owner));
        }
        Ok(())
    }

    fn frame(&self) -> Frame {
        self.0.frame()
    }

    fn reopen(&mut self, moved: bool) -> Result<(), Error> {
        self.0.reopen(moved)
    }

    fn save(&self, out: &mut Writer) {
        self.0.save(out);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        self.0.load(from)
    }

    fn merge(&mut self, _right: &dyn Operator) -> Result<Verdict, Error> {
        Ok(Verdict::All)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
