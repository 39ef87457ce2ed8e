//! The module contract: what a module declares and what it does.
//!
//! One file declares everything known about a module in a `static` [`Module`]: name, summary,
//! parameters, examples, and how to build it. Help, the README's table, completions and tests
//! come from there.
//!
//! | a module that | builds | and implements |
//! |---|---|---|
//! | brings objects in | [`SourceSpec`] | [`Source`] |
//! | takes and gives objects, or writes them out | [`OperatorSpec`] | [`Operator`] |
//! | makes one value of many objects | [`AggregateSpec`] | [`Accumulator`] |

use crate::Error;
use crate::arguments::{ArgumentError, Arguments, Parameter, Word};
use crate::matching::{Demand, Matching};
use crate::plan::expr::Expr;
use crate::plan::stream::is_hidden;
use crate::schedule::output::{Frame, Item, Output};
use crate::snapshot::{Reader, Writer};
use crate::spill::Members;
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use wireq_typesys::{
    Bitmap, Column, FieldPath, Kind, Part, PartData, Position, RecordType, Shape, Slot, Value, Zone,
};

/// Everything known about a module.
pub struct Module {
    /// The word that queries use.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// More of what a user should know; may be empty.
    pub details: &'static str,
    /// Flags and arguments.
    pub parameters: &'static [Parameter],
    /// Queries that show it, run as tests.
    pub examples: &'static [Example],
    /// How to make one.
    pub build: Build,
}

/// A query that shows a module, with its output.
pub struct Example {
    /// What it shows, in a few words.
    pub title: &'static str,
    /// The query.
    pub query: &'static str,
    /// The capture in `testdata/captures` that it reads.
    pub input: &'static str,
    /// What it prints.
    pub output: &'static str,
}

/// How to make a module's operator from arguments.
pub enum Build {
    /// It brings objects in.
    Source(fn(&Arguments) -> Result<SourceSpec, ArgumentError>),
    /// It takes objects.
    Operator(fn(&Arguments) -> Result<OperatorSpec, ArgumentError>),
    /// It takes objects, and expressions among its arguments.
    Expressions(ExpressionModule),
    /// It makes one value of many objects.
    Aggregate(fn(&Arguments) -> Result<AggregateSpec, ArgumentError>),
    /// It takes objects, or brings them in: that follows from its arguments.
    Either(EitherModule),
}

impl Build {
    /// Whether a call with these words brings objects in.
    pub fn brings_objects(&self, words: &[Word]) -> bool {
        match self {
            Build::Source(_) => true,
            Build::Either(module) => (module.is_source)(words),
            Build::Operator(_) | Build::Expressions(_) | Build::Aggregate(_) => false,
        }
    }

    /// How to make an operator, where it has no expressions among its arguments.
    pub fn operator(&self) -> Option<fn(&Arguments) -> Result<OperatorSpec, ArgumentError>> {
        match self {
            Build::Operator(build) => Some(*build),
            Build::Either(module) => Some(module.operator),
            Build::Source(_) | Build::Expressions(_) | Build::Aggregate(_) => None,
        }
    }

    /// How to make a source.
    pub fn source(&self) -> Option<fn(&Arguments) -> Result<SourceSpec, ArgumentError>> {
        match self {
            Build::Source(build) => Some(*build),
            Build::Either(module) => Some(module.source),
            Build::Operator(_) | Build::Expressions(_) | Build::Aggregate(_) => None,
        }
    }
}

/// A module that takes objects or brings them in: `pcapfile x | netflow` and `netflow FILE`.
pub struct EitherModule {
    /// Whether it brings objects in where it is called with these words.
    pub is_source: fn(&[Word]) -> bool,
    /// Makes the source.
    pub source: fn(&Arguments) -> Result<SourceSpec, ArgumentError>,
    /// Makes the operator.
    pub operator: fn(&Arguments) -> Result<OperatorSpec, ArgumentError>,
}

/// A module with expressions among its arguments: the language reads them, since only it knows how
/// they are written.
pub struct ExpressionModule {
    /// The texts of its expressions.
    pub texts: fn(&Arguments) -> Result<Vec<ExpressionText>, ArgumentError>,
    /// Whether the expressions are tests; else they have values.
    pub tests: bool,
    /// An object like those of the input that expressions can name besides, and that carries such
    /// an object itself: `previous`.
    pub carries: Option<&'static str>,
    /// Makes it of its expressions and their kinds.
    pub build: fn(&Arguments, Vec<(Expr, Kind)>) -> Result<OperatorSpec, ArgumentError>,
}

/// The text of an expression among arguments.
pub struct ExpressionText {
    /// The text, with the place of the argument that it is from.
    pub word: Word,
    /// Where it stands in a file: `x.dfa:3`.
    pub place: Option<String>,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// How the state of an operator may be divided and put together again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateClass {
    /// Nothing is kept from row to row.
    Stateless,
    /// The states of parts merge in any order: count, integer sum, min, max.
    Commutative,
    /// The left part precedes the right part: first, last, uniq, head.
    Ordered,
    /// Only rows of one key interact: joins with equality, flows.
    Keyed,
    /// One row at a time.
    Serial,
}

impl fmt::Display for StateClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StateClass::Stateless => "stateless",
            StateClass::Commutative => "commutative",
            StateClass::Ordered => "ordered",
            StateClass::Keyed => "keyed",
            StateClass::Serial => "serial",
        })
    }
}

/// The fields that an operator reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needs {
    /// These, in this order.
    Fields(Vec<FieldPath>),
    /// Those that the input's type or the operator before it declares as its summary.
    Summary,
    /// All that the input is known to have.
    All,
}

/// What an operator gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gives {
    /// Rows of its input, as they are, when they come.
    Same,
    /// All or some rows of its input with these columns attached.
    Annotated(Vec<(FieldPath, Kind)>),
    /// Rows of its input later: they are kept, with the fields that anything behind it reads, and
    /// given with these columns.
    Retained(Vec<(FieldPath, Kind)>),
    /// New objects that have the fields it needs and nothing else, one for each that comes.
    Projected,
    /// New objects that have these columns and nothing else.
    Made(Vec<(FieldPath, Kind)>),
}

impl Gives {
    /// The columns that are the operator's own.
    pub fn columns(&self) -> &[(FieldPath, Kind)] {
        match self {
            Gives::Annotated(columns) | Gives::Retained(columns) | Gives::Made(columns) => columns,
            Gives::Same | Gives::Projected => &[],
        }
    }

    /// Whether the rows are the input's own, with their columns.
    pub fn passes_rows(&self) -> bool {
        matches!(self, Gives::Same | Gives::Annotated(_))
    }
}

/// What an operator does with controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnControl {
    /// They pass.
    Forward,
    /// They end here.
    Consume,
    /// [`Operator::control`] is called, and decides.
    React,
}

/// What travels between rows, at a position.
#[derive(Clone, Debug)]
pub enum Control {
    /// No row with an earlier time follows.
    Watermark(i64),
    /// The group or flow with these field values is complete. Where one of several copies of a
    /// pipeline said so, the column of its group stands first: it is true in that group alone.
    Close(Vec<(FieldPath, Value)>),
    /// Give what you have.
    Flush,
    /// Something that stands between the rows of an input and is none, for those who write it again.
    /// The reader and the writer know its type; nobody else looks at it.
    Beside(Arc<dyn Any + Send + Sync>),
}

impl Control {
    /// How many groups stand one within the other where it is true; none where that is everywhere.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Control::Close(fields) => within(fields).0.map_or(0, |(column, _)| depth(column)),
            Control::Watermark(_) | Control::Flush | Control::Beside(_) => 0,
        }
    }
}

/// The group that a Close is true in, and what it says.
pub(crate) fn within(
    close: &[(FieldPath, Value)],
) -> (Option<&(FieldPath, Value)>, &[(FieldPath, Value)]) {
    match close.split_first() {
        Some((first, said)) if is_hidden(&first.0) => (Some(first), said),
        _ => (None, close),
    }
}

/// How many groups stand one within the other where objects have this column: each has one sign
/// more than that around it.
pub(crate) fn depth(column: &FieldPath) -> usize {
    column.as_str().len()
}

/// A source that can be opened.
#[derive(Clone)]
pub struct SourceSpec {
    /// What it brings.
    pub record_type: Arc<dyn RecordType>,
    /// Whether it promises that rows come in the order of their time.
    pub time_ordered: bool,
    /// For a source that has no end by itself, such as an interface.
    pub live: Option<Live>,
    /// For a source that can leave out what no query takes.
    pub prefilter: Option<Prefilter>,
    /// Opens it.
    pub open: Arc<dyn Fn() -> Result<Box<dyn Source>, Error> + Send + Sync>,
}

/// What is known of a source that has no end by itself. It is open before the first row is read
/// from any source; [`Source::next`] gives a control where nothing comes, so that time goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// What it listens on: interfaces, addresses.
    pub inputs: Vec<String>,
}

/// How a source leaves out objects that no query takes, before it brings them.
#[derive(Clone)]
pub struct Prefilter {
    /// Fields whose values depend on what is left out: where one is read, all has to be brought.
    pub counting: &'static [&'static str],
    /// The source that brings at least the objects for which the test is known and true; none where
    /// that is no less than all.
    pub narrow: fn(&Arguments, &Expr) -> Option<SourceSpec>,
    /// What is brought, in words, where the source was narrowed.
    pub takes: Option<Arc<str>>,
}

/// An operator that can be made.
#[derive(Clone)]
pub struct OperatorSpec {
    /// The fields it reads.
    pub needs: Needs,
    /// Those of them that objects need not have: without them it does what it can.
    pub optional: Arc<[FieldPath]>,
    /// What it gives.
    pub gives: Gives,
    /// Columns it gives that have the kind of a field of the input: the column, the field.
    pub like: Vec<(FieldPath, FieldPath)>,
    /// The class of its state.
    pub class: StateClass,
    /// Whether it does something beyond giving rows, so that two equal ones are not one.
    pub side_effect: bool,
    /// Whether its side effect is to write text to an output, and that follows from the rows of each
    /// call alone: then it is written wherever the rows are.
    pub only_writes: bool,
    /// Whether it tells objects apart by what they are rather than by what they hold: equal nodes
    /// that make up objects are then not one, since each makes objects of its own.
    pub reads_identity: bool,
    /// Whether it may be done before its input ends: see [`Progress::Done`].
    pub stops: bool,
    /// Whether it gives each object that comes, once, and nothing else.
    pub passes_all: bool,
    /// The most objects that it takes: the first ones.
    pub takes: Option<u64>,
    /// How many objects it leaves out, the first ones, before it gives all that come.
    pub skips: Option<u64>,
    /// Where it gives the objects in an order of their fields.
    pub sorted: Option<Sorted>,
    /// Only so many of them are wanted, the first ones. The plan sets this; a module leaves it out.
    pub first: Option<usize>,
    /// What bounds its memory, in words; none where it keeps nothing that grows.
    pub bound: Option<&'static str>,
    /// The type of the objects that it makes, where a type has their fields: [`OperatorSpec::gives`]
    /// is [`Gives::Made`] without columns then, and the columns of [`Context::shape`] are filled by
    /// the type.
    pub record_type: Option<Arc<dyn RecordType>>,
    /// Whether what it keeps grows with its input for as long as no group ends: over a source without
    /// an end such a query is refused.
    pub grows: bool,
    /// The fields of which it says that a value does not come again: see [`Control::Close`].
    pub closes: Arc<[FieldPath]>,
    /// What it does with controls.
    pub on_control: OnControl,
    /// The file its text goes to, where that is not the output of its statement.
    pub output_file: Option<String>,
    /// Objects whose fields the rows that it gives have. Which fields are wanted stands in
    /// [`Context::carried`]; their columns stand behind those of [`Gives`].
    pub objects: Vec<ObjectColumn>,
    /// The expressions among its arguments, as the language read them: what else reads the plan
    /// finds them here. The plan sets this; a module leaves it out.
    pub expressions: Vec<Expr>,
    /// What has to be in its fields for it to pass an object, where these are bytes or text; none where
    /// that can't be said, and of operators that are no filters. One that has it passes an object once.
    pub demand: Option<Arc<Demand>>,
    /// The groups that it keeps a state for each of. The plan sets this; a module leaves it out.
    pub group: Option<GroupKeys>,
    /// Makes one that does for each value of a further field, which stands before those of
    /// [`OperatorSpec::needs`] and before the columns that it makes up, what this one does: a row of
    /// one value changes nothing for those of another. None where there is no such thing.
    pub divided: Option<Arc<dyn Fn(&Context) -> Box<dyn Operator> + Send + Sync>>,
    /// Whether much of what it does with rows follows from these alone: see [`Operator::prepare`].
    pub prepares: bool,
    /// Those whose rows it has, where it stands for many that have it in common: by the number of the
    /// branch. The plan sets this; a module leaves it out.
    pub table: Option<Arc<[Owner]>>,
    /// Makes it.
    pub make: Arc<dyn Fn(&Context) -> Box<dyn Operator> + Send + Sync>,
}

impl OperatorSpec {
    /// An operator that keeps nothing, gives rows of its input and forwards controls.
    pub fn stateless(
        needs: Vec<FieldPath>,
        make: impl Fn(&Context) -> Box<dyn Operator> + Send + Sync + 'static,
    ) -> OperatorSpec {
        OperatorSpec {
            needs: Needs::Fields(needs),
            optional: Arc::default(),
            gives: Gives::Same,
            like: Vec::new(),
            class: StateClass::Stateless,
            side_effect: false,
            only_writes: false,
            reads_identity: false,
            stops: false,
            passes_all: false,
            takes: None,
            skips: None,
            sorted: None,
            first: None,
            bound: None,
            record_type: None,
            grows: false,
            closes: Arc::default(),
            on_control: OnControl::Forward,
            output_file: None,
            objects: Vec::new(),
            expressions: Vec::new(),
            demand: None,
            group: None,
            divided: None,
            prepares: false,
            table: None,
            make: Arc::new(make),
        }
    }
}

/// What one operator stands for that many statements have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The statement.
    pub statement: usize,
    /// Where it stood in the plan: what a statement writes for one row, it writes in this order.
    pub place: u32,
}

/// How an operator gives objects in an order.
#[derive(Clone)]
pub struct Sorted {
    /// By which fields, the most important one first.
    pub fields: Vec<(FieldPath, Order)>,
    /// The same operator for those behind it that take so many objects at most, the first ones.
    pub first: Arc<dyn Fn(usize) -> OperatorSpec + Send + Sync>,
}

/// How a field is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The highest value first.
    pub descending: bool,
    /// Whether objects that lack the field come before the others.
    pub absent_first: bool,
}

impl Order {
    /// The exact reverse.
    #[must_use]
    pub fn reversed(self) -> Order {
        Order {
            descending: !self.descending,
            absent_first: !self.absent_first,
        }
    }

    /// Makes the key of a value ([`wireq_typesys::key`]) one that stands where the order has it. An
    /// absent value is one byte, below all others.
    pub fn apply(self, key: &mut [u8]) {
        match key {
            [absent @ 0] => *absent = if self.absent_first { 0 } else { u8::MAX },
            _ if self.descending => key.iter_mut().for_each(|byte| *byte = !*byte),
            _ => {}
        }
    }
}

/// A group's key as a column, for operators that keep a state for each group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupKeys {
    /// The column that holds it: the keys one after the other, as of [`wireq_typesys::key`].
    pub column: FieldPath,
    /// The groups that it stands in, the outermost first: their columns, and how many of the fields
    /// they are made of.
    pub around: Vec<(FieldPath, usize)>,
    /// The fields that it is made of, with those of the groups around first.
    pub keys: Vec<FieldPath>,
    /// What these hold, as far as that is known.
    pub kinds: Vec<Kind>,
}

impl GroupKeys {
    /// The fields with what they hold.
    pub fn columns(&self) -> impl Iterator<Item = (FieldPath, Kind)> {
        self.keys.iter().cloned().zip(self.kinds.iter().copied())
    }
}

impl fmt::Display for GroupKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.keys.iter().map(FieldPath::as_str).collect();
        f.write_str(&keys.join(" "))
    }
}

/// An object whose fields the rows that an operator gives have, under a name: `previous.seq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectColumn {
    /// What stands before the dot; none where the rows are that object.
    pub name: Option<FieldPath>,
    /// Which object it is.
    pub of: ObjectOf,
    /// Whether it carries such an object itself: `previous.previous`.
    pub chained: bool,
}

/// Which object rows carry or are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectOf {
    /// One of those that come in.
    Input,
    /// One that those carry that come in.
    Carried(FieldPath),
}

/// A column of an operator that holds a field of an object: see [`OperatorSpec::objects`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectField {
    /// The column.
    pub path: FieldPath,
    /// Its kind.
    pub kind: Kind,
    /// The number of the object in [`OperatorSpec::objects`].
    pub object: usize,
    /// How many links of a chain lead to the object: 1 for `previous`, 2 for `previous.previous`.
    pub depth: usize,
    /// The number of the field among [`Context::live`]; none where the column says that there is
    /// such an object.
    pub live: Option<usize>,
}

/// An aggregate function that can be made.
#[derive(Clone)]
pub struct AggregateSpec {
    /// The field it works on, if any.
    pub field: Option<FieldPath>,
    /// The kind it gives for the kind of its field; an error message where it takes no such field.
    pub kind: fn(Kind) -> Result<Kind, &'static str>,
    /// The class of its state.
    pub class: StateClass,
    /// Whether states merge in any order, whatever the class, where the field has this kind.
    pub any_order: fn(Kind) -> bool,
    /// Makes it.
    pub make: Arc<dyn Fn() -> Box<dyn Accumulator> + Send + Sync>,
}

/// What an operator is told when it is made.
#[derive(Clone)]
pub struct Context {
    /// The paths of [`Needs`], resolved to a list.
    pub fields: Vec<FieldPath>,
    /// The kinds of those fields, where known.
    pub kinds: Vec<Kind>,
    /// For operators that keep rows: the fields that anything behind them reads. For those with
    /// [`OperatorSpec::objects`]: the fields of these.
    pub live: Vec<FieldPath>,
    /// The columns of [`OperatorSpec::objects`] that anything behind reads, in order.
    pub carried: Vec<ObjectField>,
    /// The shape of rows that the operator makes up: where [`Gives`] is `Projected`, `Retained` or
    /// `Made`. Its columns with [`wireq_typesys::Recipe::Given`], which stand first, are the
    /// operator's to fill.
    pub shape: Option<Arc<Shape>>,
    /// The number of the node: the origin of rows it makes up.
    pub origin: u32,
    /// The zone of times, and what counts as now.
    pub zone: Arc<Zone>,
    /// The seed of hashes over values that an attacker chooses.
    pub seed: u64,
    /// Which way many conditions are matched.
    pub matching: Matching,
}

/// Some rows of one shape, as an operator sees them.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The rows.
    pub part: &'a Part,
    /// Where the columns of the operator's fields are, in the order of [`Context::fields`]; for an
    /// operator that keeps rows, then those of [`Context::live`].
    pub slots: &'a [Option<Slot>],
}

impl<'a> View<'a> {
    /// The column of the operator's field number `at`; none where these objects lack it.
    #[inline]
    pub fn column(&self, at: usize) -> Option<&'a Column> {
        self.slots
            .get(at)
            .copied()
            .flatten()
            .and_then(|slot| self.part.column(slot))
    }

    /// The value of a field of a row.
    pub fn value(&self, at: usize, row: usize) -> Value {
        self.column(at)
            .map_or(Value::Absent, |column| column.value(row))
    }
}

/// Whether an operator wants more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More.
    Continue,
    /// Nothing after the first `taken` rows of the views of this call. It travels upstream: side
    /// effects act only on rows that were taken, and sources that nobody reads from stop. Only
    /// for operators that declare [`OperatorSpec::stops`].
    Done {
        /// The rows of this call that were taken.
        taken: usize,
    },
}

/// What merging says about the rows that the right part offered while it did not know the left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of them stand.
    All,
    /// Those with `true` stand.
    Each(Vec<bool>),
}

/// What [`Operator::prepare`] came to.
pub type Prepared = Box<dyn Any + Send>;

/// What runs: rows in, rows out.
///
/// Results never depend on how rows are divided into calls of [`Operator::step`].
pub trait Operator: Send {
    /// Takes rows that came in at a port, in the order of the views and of the rows in them.
    fn step(
        &mut self,
        port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error>;

    /// Does ahead what follows from rows alone, whatever came before them, for an operator that declares
    /// [`OperatorSpec::prepares`]: on any thread, and not of the operator that takes the rows but of an
    /// equal one that never takes any. `room` is where it is put; what stands there is of an earlier
    /// call and may be used again.
    fn prepare(&mut self, _port: usize, _views: &[View<'_>], _room: &mut Option<Prepared>) {}

    /// [`Operator::step`], with what [`Operator::prepare`] came to for the same views.
    ///
    /// # Errors
    /// As of [`Operator::step`].
    fn step_prepared(
        &mut self,
        port: usize,
        views: &[View<'_>],
        _prepared: &mut Prepared,
        out: &mut Output,
    ) -> Result<Progress, Error> {
        self.step(port, views, out)
    }

    /// Whether the operator wants any row at all; asked once, before the first.
    fn wants_rows(&self) -> bool {
        true
    }

    /// Does what the operator does beyond giving rows, on rows that were taken. Called at the end
    /// of a step, for operators with a side effect.
    fn act(&mut self, _views: &[View<'_>], _out: &mut Output) -> Result<(), Error> {
        Ok(())
    }

    /// Begins the files that it writes anew where someone moved them away, under the same names.
    /// `output` says that so it was with the statement's output, which is empty now. Called between
    /// steps, for operators with a side effect.
    ///
    /// # Errors
    /// Where a file cannot be written or opened.
    fn reopen(&mut self, _output: bool) -> Result<(), Error> {
        Ok(())
    }

    /// What stands around the text that the operator writes; asked once, before the first row. A
    /// header that follows from the rows is set in [`Output::text`] when they are written.
    fn frame(&self) -> Frame {
        Frame::default()
    }

    /// Nobody wants more of what it gives, though there is more; called once, in place of
    /// [`Operator::finish`], for what it keeps beyond the run.
    ///
    /// # Errors
    /// Where that cannot be kept.
    fn stop(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Reacts to a control, where the operator declared so.
    fn control(
        &mut self,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        out.control(position, control.clone());
        Ok(())
    }

    /// Reacts to a control of one of several inputs; what it says is true of that one.
    fn control_on_port(
        &mut self,
        _port: usize,
        position: Position,
        control: &Control,
        out: &mut Output,
    ) -> Result<(), Error> {
        self.control(position, control, out)
    }

    /// What the rows held that could not be used, for operators that read a format in them.
    fn input_account(&self) -> Option<InputAccount> {
        None
    }

    /// The input has ended: aggregates speak here. One that may have much to say gives it piece by
    /// piece: see [`Operator::has_more`].
    fn finish(&mut self, _out: &mut Output) -> Result<(), Error> {
        Ok(())
    }

    /// Says how many threads may do at once what is done when parts are merged and at the end. Results don't
    /// depend on it.
    fn share(&mut self, _threads: usize) {}

    /// All that is to be said at the end, for several threads to say; asked once, before
    /// [`Operator::finish`], which has nothing left to say then. None where one thread is to say it.
    fn finish_in_pieces(&mut self) -> Option<Box<dyn Pieces>> {
        None
    }

    /// Whether there is more to say at the end than [`Operator::finish`] gave: it is called again
    /// until there is not, and gives some thousand rows each time. Neither rows nor controls come in
    /// between.
    fn has_more(&self) -> bool {
        false
    }

    /// From now on, before any row, the rows given are candidates only: what stands of them is for
    /// [`Operator::merge`] with the part before to say. Operators of the ordered class may have to
    /// keep more for that.
    fn partial(&mut self) {}

    /// About how many bytes the state takes; asked after every step that the operator ran in, so it
    /// must be cheap.
    fn memory(&self) -> usize {
        0
    }

    /// Moves what can be moved of the state to files, so that [`Operator::memory`] falls; results
    /// stay the same. Called between steps, and between pieces of what is said at the end. Gives
    /// whether anything was moved: an operator that can't ends the run with a clear error where a
    /// limit of memory was given.
    ///
    /// # Errors
    /// Where a file can't be written.
    fn spill(&mut self) -> Result<bool, Error> {
        Ok(false)
    }

    /// Writes the state.
    fn save(&self, out: &mut Writer);

    /// Reads a state back into a fresh operator.
    ///
    /// # Errors
    /// Where the bytes are no state of this operator.
    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error>;

    /// Takes in the state of an equal operator that saw the part of the input that follows (in
    /// any order for commutative states), and says which rows it offered stand. Serial operators are
    /// never asked.
    ///
    /// # Errors
    /// Where `right` is another kind of operator, or the operator is serial.
    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let _ = right;
        Err(Error::Module {
            module: "a serial operator",
            message: "its parts cannot be merged".into(),
        })
    }

    /// Itself, for [`Operator::merge`].
    fn as_any(&self) -> &dyn Any;
}

/// Fewer pieces are given by one thread before others are there.
pub const PIECES_MIN: usize = 8;

/// What an operator has to say at its end, piece by piece: each can be said on any thread, and they
/// are taken up in their order.
pub trait Pieces: Send + Sync {
    /// How many pieces there are.
    fn len(&self) -> usize;

    /// Whether there is nothing to say.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives a piece: as [`Operator::finish`], with rows that have their cause at the end.
    fn give(&self, piece: usize, out: &mut Output);
}

/// The right side of a merge as the operator that it must be.
///
/// # Errors
/// Where it is another kind of operator.
pub fn same_operator<'a, T: Operator + 'static>(
    module: &str,
    right: &'a dyn Operator,
) -> Result<&'a T, Error> {
    let other = || Error::Snapshot(format!("{module}: not the same operator"));
    right.as_any().downcast_ref().ok_or_else(other)
}

/// The state of an aggregate function for many groups, by group number.
pub trait Accumulator: Send + Sync {
    /// Makes room for group numbers below `groups`.
    fn grow(&mut self, groups: usize);

    /// Takes in a row for each pair of row and group, in order; `column` is that of the
    /// function's field. There is room for the groups.
    fn update(&mut self, column: Option<&Column>, rows: &[u16], groups: &[u32]);

    /// Takes in the selected rows, all for group 0: what a query without `group by` does, and
    /// worth a loop of its own.
    fn update_one(&mut self, column: Option<&Column>, selection: &Bitmap) {
        let rows: Vec<u16> = selection.iter().map(|row| row as u16).collect();
        self.update(column, &rows, &vec![0; rows.len()]);
    }

    /// The value of a group; absent where no row had a value.
    fn value(&self, group: u32) -> Value;

    /// The values of at most [`wireq_typesys::ROWS_MAX`] groups, where a loop over all of them is quicker
    /// than one by one.
    fn column(&self, _groups: &[u32]) -> Option<Column> {
        None
    }

    /// Forgets a group.
    fn clear(&mut self, group: u32);

    /// Takes in group `from` of an equal accumulator as a later part of `group`.
    fn merge(&mut self, group: u32, other: &dyn Accumulator, from: u32);

    /// Takes in groups of an equal accumulator: for each the group here and the one there.
    fn merge_all(&mut self, other: &dyn Accumulator, groups: &[(u32, u32)]) {
        for (group, from) in groups {
            self.merge(*group, other, *from);
        }
    }

    /// About how many bytes the states of all groups take, what there is room for included; asked
    /// after every step, so it must be cheap.
    fn memory(&self) -> usize {
        0
    }

    /// Takes out of a group's state what may be more than fits in memory: members that count once
    /// however often they come, such as distinct values. What is left is small. They come back by
    /// [`Accumulator::add_member`]; none where the state has no such members.
    fn take_members(&mut self, _group: u32) -> Option<Members> {
        None
    }

    /// Whether [`Accumulator::take_members`] takes something out.
    fn has_members(&self) -> bool {
        false
    }

    /// A member that was taken out of a group comes back: each once, in ascending order, before
    /// anything else does. Where only the value of the group is asked for then, it is
    /// `to_count` and need not be kept.
    fn add_member(&mut self, _group: u32, _member: &[u8], _to_count: bool) {}

    /// Writes the state of a group.
    fn save(&self, group: u32, out: &mut Writer);

    /// Reads back the state of a group.
    ///
    /// # Errors
    /// Where the bytes are no such state.
    fn load(&mut self, group: u32, from: &mut Reader<'_>) -> Result<(), Error>;

    /// Itself, for [`Accumulator::merge`].
    fn as_any(&self) -> &dyn Any;
}

/// What a source is told at each call.
pub struct SourceContext<'a> {
    /// The shape that parts must have: the type's fields that the queries read.
    pub shape: &'a Arc<Shape>,
    /// The number of the source, for the rows' identity.
    pub origin: u32,
    /// The most rows a part may have.
    pub rows_max: usize,
    /// Parts that nobody reads any more, for their buffers.
    pub retired: &'a mut Vec<Arc<PartData>>,
    /// Whether damage ends the run.
    pub strict: bool,
    /// Set where the run is to end: a source that waits for input gives up then. A live source gives
    /// what it has, and ends.
    pub interrupt: &'a AtomicBool,
    /// How long a live source may wait for input before it gives a control.
    pub wait: Duration,
    /// Whether the source may read. Where it may not, it gives what was read already, and none where
    /// that is nothing: then it [`Source::waits`]. Only for sources that
    /// [can tell](Source::gives_what_is_there).
    pub reads: bool,
    /// How many threads there are: so many may prepare what comes next.
    pub threads: usize,
    /// The zone of times that the input writes without one.
    pub zone: &'a Arc<Zone>,
}

/// A stretch of an input that any thread may read: see [`Source::ahead`].
pub trait Ahead: Send {
    /// Reads it; called once. What fails is told by [`Source::next`] when it gets there.
    fn read(&mut self);

    /// Itself, for [`Source::give_back`].
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// Brings objects in.
pub trait Source: Send {
    /// The next rows or control, in reading order; none at the end.
    ///
    /// # Errors
    /// Where reading fails, or on damage with `strict`.
    fn next(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error>;

    /// What was read and what could not be, so far.
    fn input_account(&self) -> InputAccount;

    /// Where several threads read: the next stretch of the input, to be read by whoever asks and given
    /// back then. Stretches come back in the order in which they were handed out. None where there is
    /// no such stretch now, and [`Source::next`] reads by itself. Buffers are best those that the same
    /// thread had before: they are in the cache of its core.
    fn ahead(&mut self, _thread: usize) -> Option<Box<dyn Ahead>> {
        None
    }

    /// Takes back a stretch that was read.
    fn give_back(&mut self, _stretch: Box<dyn Ahead>) {}

    /// Whether [`Source::next`] gave none only since what it needs was handed out and is not back.
    fn waits(&self) -> bool {
        false
    }

    /// Where nothing is made of the order of rows and several threads read: a source that reads what is left
    /// in whatever order keeps the threads at work, and at the end has given the same rows and says the same
    /// of its inputs. This one is read no more then. None where it reads on as it does.
    fn in_any_order(&mut self, _threads: usize) -> Option<Box<dyn Source>> {
        None
    }

    /// Whether what it says of its input goes on when columns of its rows are filled: then rows are not
    /// read and filled ahead where that would show.
    fn tells_of_columns(&self) -> bool {
        false
    }

    /// Whether it goes by [`SourceContext::reads`]. Others are asked for one part at a time, so that
    /// none waits for the next.
    fn gives_what_is_there(&self) -> bool {
        false
    }

    /// Whether threads of its own are at work, as where a file is unpacked: those that wait for what it gives
    /// leave them the cores.
    fn has_threads(&self) -> bool {
        false
    }

    /// How far was read by now. Asked for each batch where several threads read.
    fn mark(&self) -> InputMark {
        InputMark::of(&self.input_account().inputs)
    }

    /// What was read as it was at a mark of this source.
    fn input_account_at(&self, mark: &InputMark) -> InputAccount {
        self.input_account().until(mark)
    }

    /// For live sources: how many rows were lost to overload since this was asked last.
    fn dropped(&mut self) -> u64 {
        0
    }

    /// For live sources: whether nothing waits to be read, so that what was written should reach
    /// its readers now.
    fn is_idle(&self) -> bool {
        false
    }
}

/// What a source read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputAccount {
    /// Files or devices, with what is to be said of each.
    pub inputs: Vec<InputReport>,
}

impl InputAccount {
    /// As it was at a mark; where inputs are read beside each other only their source can tell, and it
    /// stays as it is.
    pub fn until(mut self, mark: &InputMark) -> InputAccount {
        if !mark.beside.is_empty() {
            return self;
        }
        self.inputs.truncate(mark.inputs);
        if let (Some(last), Some(then)) = (self.inputs.last_mut(), &mark.last) {
            last.clone_from(then);
        }
        self
    }
}

/// How far a source was read: inputs are read one after another, so all but the last stay as they are.
/// A source that reads some beside each other has a mark for each of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputMark {
    /// How many inputs there were.
    pub inputs: usize,
    /// What was to be said of the last of them.
    pub last: Option<InputReport>,
    /// The marks of those that are read beside each other, for the source to use.
    pub beside: InputMarks,
}

/// Marks of many inputs. Few of them change from batch to batch: the others are shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputMarks(Vec<Arc<Vec<Arc<InputMark>>>>);

/// How many marks change together: about as many as there are such groups.
const MARKS_GROUP: usize = 32;

impl InputMarks {
    /// So many, all of inputs that were not begun.
    pub fn new(len: usize) -> InputMarks {
        let group = |at| vec![Arc::default(); MARKS_GROUP.min(len - at)];
        let begins = (0..len).step_by(MARKS_GROUP);
        InputMarks(begins.map(|at| Arc::new(group(at))).collect())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets the mark of an input.
    pub fn set(&mut self, at: usize, mark: InputMark) {
        let group = self.0.get_mut(at / MARKS_GROUP).map(Arc::make_mut);
        let place = group.and_then(|group| group.get_mut(at % MARKS_GROUP));
        if let Some(place) = place {
            *place = Arc::new(mark);
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &InputMark> {
        self.0
            .iter()
            .flat_map(|group| group.iter())
            .map(Arc::as_ref)
    }
}

impl InputMark {
    /// The mark of these inputs.
    pub fn of(inputs: &[InputReport]) -> InputMark {
        InputMark {
            inputs: inputs.len(),
            last: inputs.last().cloned(),
            beside: InputMarks::default(),
        }
    }
}

/// What was read of one file or device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputReport {
    /// The path.
    pub name: String,
    /// Records delivered.
    pub records: u64,
    /// Bytes of headers and delivered records.
    pub bytes_used: u64,
    /// Ranges that were skipped, by reason.
    pub skipped: Vec<Skipped>,
    /// What was wrong with records that were delivered: reason, how often.
    pub faults: Vec<(String, u64)>,
    /// Why nothing of it could be used, or nothing more.
    pub unusable: Option<String>,
    /// For live inputs, what came and was not delivered.
    pub lost: Option<Lost>,
    /// What it takes, where it leaves out before it counts what no query wants.
    pub takes: Option<String>,
    /// Bytes that were looked at beyond those used, to find where reading can go on.
    pub bytes_searched: u64,
}

/// What came to a live input and was not delivered as rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Dropped by the kernel, whose buffer was full.
    pub kernel: u64,
    /// Dropped by the interface or its driver.
    pub interface: u64,
    /// Dropped by the reader, since the queries could not keep up.
    pub overload: u64,
}

/// Ranges of an input that were skipped for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Where the first one begins.
    pub offset: u64,
    /// How long all of them are.
    pub bytes: u64,
    /// How many they are.
    pub count: u64,
    /// Why they were skipped.
    pub reason: String,
}

/// Reasons that are told apart; what more there are is one.
const REASONS_MAX: usize = 32;
const OTHER_REASONS: &str = "other reasons";

impl InputReport {
    /// Notes a range that is skipped.
    pub fn skip(&mut self, offset: u64, bytes: u64, reason: &str) {
        let full = self.skipped.len() >= REASONS_MAX;
        let known = |reason: &str| self.skipped.iter().position(|s| s.reason == reason);
        let at = known(reason).or_else(|| known(OTHER_REASONS).filter(|_| full));
        match at.and_then(|at| self.skipped.get_mut(at)) {
            Some(skipped) => {
                skipped.bytes += bytes;
                skipped.count += 1;
            }
            None => self.skipped.push(Skipped {
                offset,
                bytes,
                count: 1,
                reason: if full { OTHER_REASONS } else { reason }.to_owned(),
            }),
        }
    }

    /// Notes something wrong with records that are delivered.
    pub fn fault(&mut self, reason: &str, count: u64) {
        match self.faults.iter_mut().find(|(known, _)| known == reason) {
            Some((_, known)) => *known += count,
            None => self.faults.push((reason.to_owned(), count)),
        }
    }

    /// The bytes of all ranges that were skipped.
    pub fn bytes_skipped(&self) -> u64 {
        self.skipped.iter().map(|skipped| skipped.bytes).sum()
    }
}
