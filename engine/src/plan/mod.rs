//! The plan: what to compute, as a graph of nodes.
//!
//! All queries given together are ONE graph from the start. Languages build it with the `add_`
//! methods, which keep track of what is known of the objects on each edge ([`Stream`]).

mod bounds;
pub(crate) mod by_node;
pub mod draw;
pub mod explain;
pub mod expr;
mod label;
mod order;
pub mod stream;
mod table;

use crate::Order;
use crate::Span;
use crate::arguments::Arguments;
use crate::matching::{Condition, Demand, Matching, Strategy, Values};
use crate::module::{AggregateSpec, Gives, GroupKeys, Module, ObjectOf, OperatorSpec, SourceSpec};
use crate::planted::is_planted;
use by_node::ByNode;
use expr::Expr;
use hashbrown::HashSet;
pub use label::Label;
use petgraph::Direction;
use petgraph::stable_graph::{NodeIndex, StableDiGraph};
use petgraph::visit::EdgeRef;
use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use stream::{Carried, Stream, is_hidden};
pub use table::{Deal, Table};
pub(crate) use table::{Member, table_column, takes_first};
use wireq_typesys::{FieldPath, Kind, Names};

/// The number of a node.
pub type NodeId = NodeIndex<u32>;

/// The dataflow graph of all statements.
#[derive(Clone, Default)]
pub struct Plan {
    /// The nodes; the weight of an edge is the input port of its target.
    pub graph: StableDiGraph<Node, u16, u32>,
    /// The statements in the order of the text.
    pub statements: Vec<Statement>,
    sources: Vec<NodeId>,
    /// Pairs of sources of which the first is read first.
    precedes: Vec<(NodeId, NodeId)>,
    /// Which way operators match many conditions.
    pub(crate) matching: Matching,
}

/// One query of those given together.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its label, for `--out NAME=FILE`.
    pub name: Option<String>,
    /// Where it stands.
    pub span: Span,
    /// The sources it reads, in the order of the text.
    sources: Vec<NodeId>,
}

/// One node of a plan.
#[derive(Clone)]
pub struct Node {
    /// What it does.
    pub kind: NodeKind,
    /// What is known of the objects that it gives; what passes objects on shares it with its input.
    pub stream: Arc<Stream>,
    /// The statement that it was written in; after sharing, the first of them.
    pub statement: usize,
    /// Where it stands in the text.
    pub span: Span,
    /// The node that it stands before in the order, where it is not its number that says so.
    pub(crate) before: Option<NodeId>,
}

/// What a node does.
#[derive(Clone)]
pub enum NodeKind {
    /// Brings objects in.
    Source(&'static Module, Arguments, SourceSpec),
    /// A module that takes objects.
    Operator(&'static Module, Arguments, Arc<OperatorSpec>),
    /// Passes objects for which the expression is known and true.
    Filter(Expr),
    /// Attaches values of expressions.
    Compute(Vec<Calculation>),
    /// Attaches the key of each object's group, for the nodes behind that keep a state for each.
    Group(GroupBy),
    /// One object a group.
    Aggregate(Aggregate),
    /// Attaches what one of several merged aggregates gives, under the names that it has there.
    Columns(Vec<Renamed>),
    /// Objects of several inputs that belong together; one input for each alias.
    Join(Join),
    /// All objects of all inputs, ordered by position, then port.
    Union,
    /// Which of many filters pass each object; read by a [`NodeKind::Branch`] for each of them.
    Match(Match),
    /// The objects that one filter of a [`NodeKind::Match`] passes, that one aggregate of a
    /// [`NodeKind::Tally`] gives, or that are one branch's of a [`NodeKind::Deal`].
    Branch(Branch),
    /// Equal aggregates, each behind a filter of a [`NodeKind::Match`]; what each gives is read by a
    /// [`NodeKind::Branch`].
    Tally(Tally),
    /// What is the same behind many filters of a [`NodeKind::Match`] begins here.
    Table(Table),
    /// What is the same ends here: each [`NodeKind::Branch`] reads its own rows.
    Deal(Deal),
}

/// Aggregates without keys behind filters that are matched at once.
#[derive(Clone, PartialEq)]
pub struct Tally {
    /// What each of them is.
    pub aggregate: Aggregate,
    /// The numbers of the filters, one for each aggregate.
    pub filters: Vec<usize>,
}

/// The column that says which filters of a match pass a row.
pub(crate) fn hits_column() -> FieldPath {
    FieldPath::new("\0match")
}

/// Many filters of one stream, as one node.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// What each filter passes.
    pub conditions: Arc<[Condition]>,
    /// How they are matched.
    pub strategy: Strategy,
    /// Whether many tests of one field are one look-up.
    pub vector: bool,
    /// The filters that have no rows of their own, where the numbers of those that pass a row are told
    /// with it; none where they are not.
    pub told: Option<Arc<[bool]>>,
}

impl Match {
    /// How many different tests the conditions have, how many look-ups and tests are left where all
    /// tests of a field are one look-up, and the most tests in a condition.
    pub fn figures(&self, stream: &Stream) -> (usize, usize, usize) {
        let mut tests: HashSet<&Expr> = HashSet::new();
        let (mut fields, mut expressions) = (HashSet::new(), HashSet::new());
        let (mut others, mut most) = (0, 0);
        let kind = |field: &FieldPath| stream.kind(field).unwrap_or(Kind::Dynamic);
        for condition in self.conditions.iter() {
            most = most.max(condition.tests.len());
            for test in &condition.tests {
                if tests.insert(test) {
                    if let Some((field, _)) = Values::of(test, &kind) {
                        fields.insert(field);
                        continue;
                    }
                    let demand = Demand::of(test, &kind);
                    let expression = demand
                        .as_ref()
                        .and_then(|demand| demand.expression.as_ref());
                    if let Some(expression) = expression {
                        expressions.insert(expression.field.clone());
                        continue;
                    }
                    others += usize::from(demand.as_ref().is_none_or(|demand| !demand.tells));
                    let contents = demand.iter().flat_map(|demand| demand.all.iter().flatten());
                    fields.extend(contents.map(|content| content.field.clone()));
                }
            }
        }
        (tests.len(), fields.len() + expressions.len() + others, most)
    }
}

/// A function of a merged aggregate, as one of those that were merged has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Renamed {
    /// The column that it had.
    pub name: FieldPath,
    /// The column of the merged aggregate.
    pub of: FieldPath,
    /// What it holds.
    pub kind: Kind,
}

/// Columns of merged aggregates begin so: no query names them.
pub const MERGED: char = '\u{1}';

/// One filter of a [`Match`].
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The number of its condition.
    pub number: usize,
    /// What it passes.
    pub test: Expr,
}

/// A column that is calculated.
#[derive(Clone, Debug, PartialEq)]
pub struct Calculation {
    /// The column.
    pub name: FieldPath,
    /// What it holds.
    pub expr: Expr,
}

/// What makes a group, for a pipeline of which each group has its own.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupBy {
    /// What objects of a group have in common.
    pub keys: Vec<FieldPath>,
    /// What these fields hold, as far as that is known.
    pub kinds: Vec<Kind>,
    /// The column of the group around this one, whose groups are divided again.
    pub outer: Option<GroupKeys>,
    /// The column that holds the key.
    pub column: FieldPath,
}

impl GroupBy {
    /// What the nodes behind go by.
    pub fn keys(&self) -> GroupKeys {
        let keys = self.outer.iter().flat_map(|outer| outer.keys.iter());
        let kinds = self.outer.iter().flat_map(|outer| outer.kinds.iter());
        let around = self.outer.iter().flat_map(|outer| {
            let own = (outer.column.clone(), outer.keys.len());
            outer.around.iter().cloned().chain([own])
        });
        GroupKeys {
            around: around.collect(),
            column: self.column.clone(),
            keys: keys.chain(&self.keys).cloned().collect(),
            kinds: kinds.chain(&self.kinds).copied().collect(),
        }
    }
}

/// Objects of several inputs that fulfil a condition together.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// One for each input.
    pub aliases: Vec<JoinAlias>,
    /// What objects of all aliases fulfil together; parts of it that concern one alias are that
    /// alias's own.
    pub condition: Vec<Expr>,
}

/// One input of a join.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinAlias {
    /// The name of its objects.
    pub name: FieldPath,
    /// What its objects have to fulfil to be kept and paired.
    pub own: Vec<Expr>,
    /// When a kept object is forgotten: `new.NAME` is an object of this alias that has come, the
    /// name of another alias one of that.
    pub until: Option<Expr>,
    /// The most objects kept.
    pub max: Option<usize>,
    /// Whether its `ts` is that of its source, of which watermarks speak.
    pub has_own_time: bool,
}

/// Groups by keys and functions over each group: per group the last object, plus a column for
/// each function.
#[derive(Clone, PartialEq)]
pub struct Aggregate {
    /// What makes a group; with no keys there is one group.
    pub keys: Vec<FieldPath>,
    /// The groups of the pipeline around it, which are divided by the keys.
    pub group: Option<GroupKeys>,
    /// Whether objects that have none of the keys are a group too, as in SQL, and one group is
    /// there even if no object came.
    pub all: bool,
    /// The functions.
    pub functions: Vec<Function>,
    /// Which of the groups are wanted at the end, where not all are.
    pub first: Option<First>,
}

/// The groups that come first in the order of what functions give.
#[derive(Clone, Debug, PartialEq)]
pub struct First {
    /// How many; more where the last of them are equal.
    pub count: usize,
    /// The numbers of the functions, the most important one first, with how each is ordered.
    pub by: Arc<[(usize, Order)]>,
}

/// One function of an [`Aggregate`].
#[derive(Clone)]
pub struct Function {
    /// The module.
    pub module: &'static Module,
    /// Its arguments.
    pub arguments: Arguments,
    /// What it builds.
    pub spec: AggregateSpec,
    /// The column it gives.
    pub name: FieldPath,
    /// The kind of that column.
    pub kind: Kind,
}

impl Aggregate {
    /// Whether a state grows with what it has seen: see [`crate::Accumulator::has_members`].
    pub(crate) fn has_members(&self) -> bool {
        let mut functions = self.functions.iter();
        functions.any(|function| (function.spec.make)().has_members())
    }

    /// Adds a function under a name of the plan's own, unless one that says the same is there. Gives
    /// what it is called here.
    fn take_over(&mut self, function: &Function) -> Renamed {
        let equal = self.functions.iter().find(|known| {
            let same = known.arguments == function.arguments || is_planted("merge-any-arguments");
            known.module.name == function.module.name && same
        });
        let of = equal.map(|known| known.name.clone()).unwrap_or_else(|| {
            let arguments = function.arguments.to_string();
            let (module, arguments) = (function.module.name, arguments.trim_start());
            let mut name = format!("{MERGED}{module}({arguments})");
            // What differs may look alike.
            while self.functions.iter().any(|f| f.name.as_str() == name) {
                name.push('\'');
            }
            let name = FieldPath::from(&*name);
            self.functions.push(Function {
                name: name.clone(),
                ..function.clone()
            });
            name
        });
        Renamed {
            name: function.name.clone(),
            of,
            kind: function.kind,
        }
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        self.module.name == other.module.name
            && self.arguments == other.arguments
            && self.name == other.name
    }
}

impl PartialEq for NodeKind {
    /// Whether two nodes compute the same on the same input.
    fn eq(&self, other: &NodeKind) -> bool {
        match (self, other) {
            (NodeKind::Source(a, x, _), NodeKind::Source(b, y, _)) => a.name == b.name && x == y,
            (NodeKind::Operator(a, x, f), NodeKind::Operator(b, y, g)) => {
                let own =
                    |spec: &OperatorSpec| (spec.group.clone(), spec.first, spec.table.clone());
                a.name == b.name && x == y && own(f) == own(g)
            }
            (NodeKind::Compute(a), NodeKind::Compute(b)) => a == b,
            (NodeKind::Group(a), NodeKind::Group(b)) => a == b,
            (NodeKind::Join(a), NodeKind::Join(b)) => a == b,
            (NodeKind::Filter(a), NodeKind::Filter(b)) => a == b,
            (NodeKind::Aggregate(a), NodeKind::Aggregate(b)) => a == b,
            (NodeKind::Columns(a), NodeKind::Columns(b)) => a == b,
            (NodeKind::Union, NodeKind::Union) => true,
            (NodeKind::Match(a), NodeKind::Match(b)) => a == b,
            (NodeKind::Branch(a), NodeKind::Branch(b)) => a == b,
            (NodeKind::Tally(a), NodeKind::Tally(b)) => a == b,
            (NodeKind::Table(a), NodeKind::Table(b)) => a == b,
            (NodeKind::Deal(a), NodeKind::Deal(b)) => a == b,
            _ => false,
        }
    }
}

impl NodeKind {
    /// Whether the node does something beyond giving objects.
    pub fn has_side_effect(&self) -> bool {
        matches!(self, NodeKind::Operator(_, _, spec) if spec.side_effect)
    }

    /// Whether it may be done before its input ends.
    pub fn stops(&self) -> bool {
        matches!(self, NodeKind::Operator(_, _, spec) if spec.stops)
    }

    /// The word for it: the module's name, `where`, `aggregate`, `union`.
    pub fn name(&self) -> &'static str {
        match self {
            NodeKind::Source(module, ..) | NodeKind::Operator(module, ..) => module.name,
            NodeKind::Filter(_) => "where",
            NodeKind::Compute(_) => "compute",
            NodeKind::Group(_) => "group",
            NodeKind::Join(_) => "join",
            NodeKind::Aggregate(_) => "aggregate",
            NodeKind::Columns(_) => "columns",
            NodeKind::Union => "union",
            NodeKind::Match(_) => "match",
            NodeKind::Branch(_) => "branch",
            NodeKind::Tally(_) => "tally",
            NodeKind::Table(_) => "table",
            NodeKind::Deal(_) => "deal",
        }
    }
}

/// Takes text in as what is hashed, piece by piece.
struct Hashing<'a, H>(&'a mut H);

impl<H: Hasher> Write for Hashing<'_, H> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

impl NodeKind {
    /// Hashes what the node does: equal for what is equal.
    pub(crate) fn hash_into(&self, state: &mut impl Hasher) {
        match self {
            NodeKind::Filter(test) => test.hash(state),
            // Most of what there is to hash can't be, and is in the text.
            other => _ = write!(Hashing(state), "{other}"),
        }
    }
}

impl fmt::Display for NodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeKind::Source(module, arguments, _) => write!(f, "{}{arguments}", module.name),
            NodeKind::Operator(module, arguments, spec) => {
                write!(f, "{}{arguments}", module.name)?;
                if let Some(group) = &spec.group {
                    write!(f, " for each {group}")?;
                }
                if spec.table.is_some() {
                    f.write_str(" for each branch")?;
                }
                match spec.first {
                    Some(count) => write!(f, ", the first {count}"),
                    None => Ok(()),
                }
            }
            NodeKind::Compute(list) => {
                f.write_str("compute")?;
                let mut list = list.iter();
                list.try_for_each(|c| write!(f, " [{}] as {}", c.expr, c.name))
            }
            NodeKind::Group(group) => write!(f, "group by {}", group.keys()),
            NodeKind::Join(join) => write!(f, "{join}"),
            NodeKind::Filter(expr) => write!(f, "where {expr}"),
            NodeKind::Union => f.write_str("union"),
            NodeKind::Match(matched) => {
                write!(f, "match {} conditions", matched.conditions.len())?;
                match matched.strategy {
                    Strategy::Auto => Ok(()),
                    strategy => write!(f, " by {strategy}"),
                }
            }
            NodeKind::Branch(branch) => write!(f, "branch {}", branch.test),
            NodeKind::Columns(list) => {
                f.write_str("columns")?;
                list.iter().try_for_each(|renamed| {
                    let of = renamed.of.as_str().trim_start_matches(MERGED);
                    write!(f, " {of}")?;
                    match of.split_once('(') {
                        Some((module, _)) if module == renamed.name.as_str() => Ok(()),
                        _ => write!(f, " as {}", renamed.name),
                    }
                })
            }
            NodeKind::Tally(tally) => {
                write!(f, "tally of {}: {}", tally.filters.len(), tally.aggregate)
            }
            NodeKind::Aggregate(aggregate) => write!(f, "{aggregate}"),
            NodeKind::Table(table) => write!(f, "{table}"),
            NodeKind::Deal(deal) => write!(f, "each of {} its own", deal.branches),
        }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("aggregate")?;
        for function in &self.functions {
            write!(
                f,
                " {}({})",
                function.module.name,
                function.arguments.to_string().trim_start()
            )?;
            let name = function.name.as_str();
            if name != function.module.name && !name.starts_with(MERGED) {
                write!(f, " as {}", function.name)?;
            }
        }
        for (at, key) in self.keys.iter().enumerate() {
            write!(f, "{}{key}", if at == 0 { " group by " } else { " " })?;
        }
        if self.all {
            f.write_str(" with absent keys")?;
        }
        if let Some(first) = &self.first {
            write!(f, ", the first {} by", first.count)?;
            for (at, order) in &*first.by {
                let name = &self.functions[*at].name;
                let direction = if order.descending { " descending" } else { "" };
                write!(f, " {name}{direction}")?;
            }
        }
        match &self.group {
            Some(group) if group.column == table_column() => f.write_str(" for each branch"),
            Some(group) => write!(f, " for each {group}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Join {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("join")?;
        for (at, alias) in self.aliases.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { " " } else { ", " }, alias.name)?;
            for test in &alias.own {
                write!(f, " [{test}]")?;
            }
            if let Some(until) = &alias.until {
                write!(f, " until ({until})")?;
            }
            if let Some(max) = alias.max {
                write!(f, " max {max}")?;
            }
        }
        for (at, test) in self.condition.iter().enumerate() {
            write!(f, "{}{test}", if at == 0 { " where " } else { " and " })?;
        }
        Ok(())
    }
}

impl Plan {
    /// Begins a statement; nodes added from now on belong to it.
    pub fn begin_statement(&mut self, name: Option<String>, span: Span) {
        self.statements.push(Statement {
            name,
            span,
            sources: Vec::new(),
        });
    }

    /// Adds a source. Equal sources are one from the start: that is what gives the rows of all
    /// statements over a file the same positions, and it is read once.
    ///
    /// The sources of a statement are read in the order of its text. Where another statement has
    /// some of them in another order, this one gets its own: no statement changes what another
    /// gives.
    pub fn add_source(
        &mut self,
        module: &'static Module,
        arguments: Arguments,
        spec: SourceSpec,
        span: Span,
    ) -> NodeId {
        let kind = NodeKind::Source(module, arguments, spec.clone());
        let equal = self.sources.iter().copied();
        let mut equal = equal.filter(|node| self.graph[*node].kind == kind);
        let (mine, last) = match self.statements.last() {
            Some(statement) => (
                statement.sources.as_slice(),
                statement.sources.last().copied(),
            ),
            None => (&[] as &[NodeId], None),
        };
        if let Some(known) = equal.clone().find(|node| mine.contains(node)) {
            return known;
        }
        let fits = |node: &NodeId| last.is_none_or(|last| !self.is_before(*node, last));
        let source = equal.find(fits).unwrap_or_else(|| {
            let source = self.add(kind, &[], Stream::of_type(&spec.record_type), span);
            self.sources.push(source);
            source
        });
        self.precedes.extend(last.map(|last| (last, source)));
        if let Some(statement) = self.statements.last_mut() {
            statement.sources.push(source);
        }
        source
    }

    /// Whether statements say that one source is read before another.
    fn is_before(&self, first: NodeId, second: NodeId) -> bool {
        let mut reached = vec![first];
        let mut at = 0;
        while let Some(node) = reached.get(at).copied() {
            at += 1;
            for (_, next) in self.precedes.iter().filter(|(before, _)| *before == node) {
                if *next == second {
                    return true;
                }
                if !reached.contains(next) {
                    reached.push(*next);
                }
            }
        }
        false
    }

    /// Adds a module that takes objects.
    pub fn add_operator(
        &mut self,
        module: &'static Module,
        arguments: Arguments,
        spec: OperatorSpec,
        input: NodeId,
        span: Span,
    ) -> NodeId {
        let before = &self.graph[input].stream;
        let adds = !spec.gives.columns().is_empty() || !spec.objects.is_empty();
        if spec.gives.passes_rows() && !adds {
            let stream = Arc::clone(before);
            let kind = NodeKind::Operator(module, arguments, Arc::new(spec));
            return self.add(kind, &[input], stream, span);
        }
        let kind_of = |(path, kind): &(FieldPath, Kind)| {
            let like = spec.like.iter().find(|(column, _)| column == path);
            (
                path.clone(),
                like.and_then(|(_, field)| before.kind(field))
                    .unwrap_or(*kind),
            )
        };
        let columns = spec.gives.columns().iter().map(kind_of);
        let mut stream = match &spec.gives {
            Gives::Same | Gives::Annotated(_) | Gives::Retained(_) => {
                let mut stream = Stream::clone(before);
                stream.given.extend(columns);
                stream
            }
            Gives::Made(_) => {
                let mut columns: Vec<_> = columns.collect();
                let hidden = before.given.iter().filter(|(path, _)| is_hidden(path));
                columns.extend(hidden.cloned());
                match &spec.record_type {
                    Some(record_type) => Stream {
                        given: columns,
                        ..Stream::of_type(record_type)
                    },
                    None => Stream::of_columns(columns),
                }
            }
            Gives::Projected => {
                let fields = self.fields_needed(&spec, input);
                let kind = |path: &FieldPath| before.kind(path).unwrap_or(Kind::Dynamic);
                Stream::of_columns(
                    fields
                        .into_iter()
                        .map(|path| (path.clone(), kind(&path)))
                        .collect(),
                )
            }
        };
        for object in &spec.objects {
            let stream_of = Arc::new(match &object.of {
                ObjectOf::Input => Stream::clone(before),
                ObjectOf::Carried(name) => before.carried(name).unwrap_or_else(|| {
                    let kind = before.kind(name).unwrap_or(Kind::Dynamic);
                    Stream::of_columns(vec![(name.clone(), kind)])
                }),
            });
            match &object.name {
                Some(name) => stream.carry(Carried {
                    name: name.clone(),
                    stream: stream_of,
                    chained: object.chained,
                }),
                None => {
                    stream = Stream::clone(&stream_of);
                    // It is in the groups of the object that it was taken of.
                    let hidden = before.given.iter().filter(|(path, _)| is_hidden(path));
                    stream.given.extend(hidden.cloned());
                }
            }
        }
        self.add(
            NodeKind::Operator(module, arguments, Arc::new(spec)),
            &[input],
            stream,
            span,
        )
    }

    /// Adds a filter.
    pub fn add_filter(&mut self, expr: Expr, input: NodeId, span: Span) -> NodeId {
        let stream = Arc::clone(&self.graph[input].stream);
        self.add(NodeKind::Filter(expr), &[input], stream, span)
    }

    /// Adds calculated columns.
    pub fn add_compute(&mut self, list: Vec<Calculation>, input: NodeId, span: Span) -> NodeId {
        let before = &self.graph[input].stream;
        let column = |c: &Calculation| (c.name.clone(), before.kind_of(&c.expr));
        let columns: Vec<_> = list.iter().map(column).collect();
        let mut stream = Stream::clone(before);
        stream.given.extend(columns);
        self.add(NodeKind::Compute(list), &[input], stream, span)
    }

    /// Adds the key of a group to objects.
    pub fn add_group(&mut self, group: GroupBy, input: NodeId, span: Span) -> NodeId {
        let mut stream = Stream::clone(&self.graph[input].stream);
        stream.given.push((group.column.clone(), Kind::Bytes));
        self.add(NodeKind::Group(group), &[input], stream, span)
    }

    /// Adds a join; one input for each alias.
    pub fn add_join(&mut self, join: Join, inputs: &[NodeId], span: Span) -> NodeId {
        let stream = self.joined(join.aliases.iter().map(|alias| &alias.name), inputs);
        self.add(NodeKind::Join(join), inputs, stream, span)
    }

    /// What objects of several inputs are together, under their names.
    pub fn joined<'n>(
        &self,
        names: impl Iterator<Item = &'n FieldPath>,
        inputs: &[NodeId],
    ) -> Stream {
        let mut stream = Stream::default();
        for (name, input) in names.zip(inputs) {
            stream.carry(Carried {
                name: name.clone(),
                stream: Arc::clone(&self.graph[*input].stream),
                chained: false,
            });
        }
        stream
    }

    /// Adds groups and functions over them.
    pub fn add_aggregate(&mut self, aggregate: Aggregate, input: NodeId, span: Span) -> NodeId {
        let mut stream = Stream::clone(&self.graph[input].stream);
        let around = aggregate.group.iter().flat_map(|group| &group.keys);
        stream.summary = around.chain(&aggregate.keys).cloned().collect();
        // Keys are there even where a stage of the group's pipeline took the fields away.
        let around = aggregate.group.iter().flat_map(GroupKeys::columns);
        stream.given.extend(around);
        for function in &aggregate.functions {
            stream.given.push((function.name.clone(), function.kind));
            stream.summary.push(function.name.clone());
        }
        self.add(NodeKind::Aggregate(aggregate), &[input], stream, span)
    }

    /// Adds a bag of all objects of several nodes; a node may stand in it more than once.
    pub fn add_union(&mut self, inputs: &[NodeId], span: Span) -> NodeId {
        let stream = Stream::union(inputs.iter().map(|input| &*self.graph[*input].stream));
        self.add(NodeKind::Union, inputs, stream, span)
    }

    /// Puts a node between another one and filters that read from it, which become its branches. The
    /// new node belongs to the first of their statements.
    pub(crate) fn insert_match(
        &mut self,
        input: NodeId,
        filters: &[NodeId],
        strategy: Strategy,
        vector: bool,
    ) {
        let mut conditions: Vec<Condition> = Vec::new();
        for (number, filter) in filters.iter().enumerate() {
            let kind = &mut self.graph[*filter].kind;
            let NodeKind::Filter(test) = kind else {
                continue;
            };
            let test = std::mem::replace(test, Expr::Absent(Span::default()));
            conditions.push(test.clone().into());
            *kind = NodeKind::Branch(Branch { number, test });
        }
        let kind = NodeKind::Match(Match {
            conditions: conditions.into(),
            strategy,
            vector,
            told: None,
        });
        let stream = self.graph[input].stream.clone();
        self.put_between(input, filters, (kind, stream));
    }

    /// Puts a node between another one and some of those that read from it. It belongs to the
    /// statement of the first of them.
    fn put_between(&mut self, input: NodeId, readers: &[NodeId], node: (NodeKind, Arc<Stream>)) {
        let Some(first) = readers.first() else {
            return;
        };
        let (statement, span) = (self.graph[*first].statement, self.graph[*first].span);
        let before = readers.iter().map(|reader| self.place(*reader)).min();
        let (kind, stream) = node;
        let node = self.graph.add_node(Node {
            kind,
            stream,
            statement,
            span,
            before,
        });
        // Latest first: that is the order in which a graph finds edges at once.
        let taken_over: HashSet<NodeId> = readers.iter().copied().collect();
        let edges = self.graph.edges(input);
        let edges = edges.filter(|edge| taken_over.contains(&edge.target()));
        let edges: Vec<_> = edges.map(|edge| edge.id()).collect();
        for edge in edges {
            self.graph.remove_edge(edge);
        }
        self.graph.add_edge(input, node, 0);
        for reader in readers {
            self.graph.add_edge(node, *reader, 0);
        }
    }

    /// Makes one aggregate of several that have the same input and the same groups. What stands for
    /// each of them attaches its own columns.
    pub(crate) fn merge_aggregates(&mut self, nodes: &[NodeId]) {
        let Some(first) = nodes.first().copied() else {
            return;
        };
        let NodeKind::Aggregate(mut merged) = self.graph[first].kind.clone() else {
            return;
        };
        let [input] = self.inputs(first)[..] else {
            return;
        };
        merged.functions.clear();
        let mut stream = Stream::clone(&self.graph[first].stream);
        for node in nodes {
            let NodeKind::Aggregate(aggregate) = &self.graph[*node].kind else {
                continue;
            };
            let functions = aggregate.functions.iter();
            let list = functions.map(|function| merged.take_over(function));
            self.graph[*node].kind = NodeKind::Columns(list.collect());
        }
        stream.given.clone_from(&self.graph[input].stream.given);
        let around = merged.group.iter().flat_map(GroupKeys::columns);
        let functions = merged.functions.iter().map(|f| (f.name.clone(), f.kind));
        stream.given.extend(around.chain(functions));
        self.put_between(
            input,
            nodes,
            (NodeKind::Aggregate(merged), Arc::new(stream)),
        );
    }

    /// Lets readers of a node read from others of them instead: pairs of the one that is read from
    /// then, and the one that reads.
    pub(crate) fn feed(&mut self, node: NodeId, pairs: &[(NodeId, NodeId)]) {
        for (from, reader) in pairs {
            if let Some(edge) = self.graph.find_edge(node, *reader) {
                self.graph.remove_edge(edge);
                self.graph.add_edge(*from, *reader, 0);
            }
        }
        // What is read from stands before the first of its readers: the order of all others stays
        // as it is. Each round takes one more of those that stand in a row.
        for _ in pairs {
            for (from, reader) in pairs {
                let place = self.place(*reader);
                if place < self.place(*from) {
                    self.graph[*from].before = Some(place);
                }
            }
        }
    }

    /// Takes a node with one input out: what it gives is what comes.
    pub(crate) fn splice(&mut self, node: NodeId) {
        if let [input] = self.inputs(node)[..] {
            for (reader, port) in self.outputs(node) {
                self.graph.add_edge(input, reader, port);
            }
            self.graph.remove_node(node);
        }
    }

    /// The nodes that have a side effect, or behind which one stands before them.
    pub(crate) fn acting(&self) -> ByNode<()> {
        let mut acting = ByNode::new(self);
        for node in self.order() {
            let mut inputs = self.graph.neighbors_directed(node, Direction::Incoming);
            if self.graph[node].kind.has_side_effect() || inputs.any(|node| acting.contains(node)) {
                acting.insert(node, ());
            }
        }
        acting
    }

    /// Equal aggregates behind filters of a match become one node: pairs of the filter's branch and the
    /// aggregate.
    pub(crate) fn insert_tally(&mut self, matched: NodeId, pairs: &[(NodeId, NodeId)]) {
        let Some((_, first)) = pairs.first() else {
            return;
        };
        let first = &self.graph[*first];
        let NodeKind::Aggregate(aggregate) = first.kind.clone() else {
            return;
        };
        let (stream, statement, span) = (first.stream.clone(), first.statement, first.span);
        let before = pairs.iter().map(|(_, reader)| self.place(*reader)).min();
        let mut filters = Vec::with_capacity(pairs.len());
        for (number, (branch, reader)) in pairs.iter().enumerate() {
            let is_read = self.outputs(*branch).len() > 1;
            let NodeKind::Branch(filter) = &mut self.graph[*branch].kind else {
                return;
            };
            filters.push(filter.number);
            let test = match is_read {
                true => filter.test.clone(),
                // It is taken out.
                false => std::mem::replace(&mut filter.test, Expr::Absent(Span::default())),
            };
            self.graph[*reader].kind = NodeKind::Branch(Branch { number, test });
        }
        let tally = self.graph.add_node(Node {
            kind: NodeKind::Tally(Tally {
                aggregate,
                filters: filters.clone(),
            }),
            stream,
            statement,
            span,
            before,
        });
        self.graph.add_edge(matched, tally, 0);
        // Latest first: that is the order in which a graph finds edges at once.
        let mut latest: Vec<(&(NodeId, NodeId), usize)> = pairs.iter().zip(filters).collect();
        latest.sort_unstable_by(|a, b| b.cmp(a));
        let mut without_rows = Vec::with_capacity(pairs.len());
        for ((branch, reader), filter) in latest {
            if let Some(edge) = self.graph.find_edge(*branch, *reader) {
                self.graph.remove_edge(edge);
            }
            self.graph.add_edge(tally, *reader, 0);
            if self.outputs(*branch).is_empty() {
                self.graph.remove_node(*branch);
                without_rows.push(filter);
            }
        }
        self.tell(matched, &without_rows);
    }

    /// Lets a match say with each row which filters pass it; these of them have no rows of their own.
    fn tell(&mut self, matched: NodeId, without_rows: &[usize]) {
        if let NodeKind::Match(matched) = &mut self.graph[matched].kind {
            let count = matched.conditions.len();
            let told = matched
                .told
                .get_or_insert_with(|| vec![false; count].into());
            let told = Arc::make_mut(told);
            without_rows.iter().for_each(|filter| told[*filter] = true);
        }
    }

    fn add(
        &mut self,
        kind: NodeKind,
        inputs: &[NodeId],
        stream: impl Into<Arc<Stream>>,
        span: Span,
    ) -> NodeId {
        let statement = self.statements.len().saturating_sub(1);
        let node = self.graph.add_node(Node {
            kind,
            stream: stream.into(),
            statement,
            span,
            before: None,
        });
        for (port, input) in inputs.iter().enumerate() {
            self.graph.add_edge(*input, node, port as u16);
        }
        node
    }

    /// What is known of the objects that a node gives.
    pub fn stream(&self, node: NodeId) -> &Stream {
        &self.graph[node].stream
    }

    /// The tables of names that numbers in it may have; a snapshot refers to them by name.
    pub fn names(&self) -> Vec<&'static Names> {
        let mut all: Vec<&'static Names> = Vec::new();
        let mut add = |names: &'static Names| {
            if !all.contains(&names) {
                all.push(names);
            }
        };
        // Thousands of statements have a few types between them.
        let mut types = HashSet::new();
        for node in self.graph.node_weights() {
            for record_type in &node.stream.types {
                if types.insert(Arc::as_ptr(record_type).cast::<()>()) {
                    record_type
                        .names_of_numbers()
                        .into_iter()
                        .for_each(&mut add);
                }
            }
            let given = node.stream.given.iter();
            given
                .filter_map(|(_, kind)| kind.names())
                .for_each(&mut add);
        }
        all
    }

    /// The fields that an operator reads of what `input` gives.
    pub fn fields_needed(&self, spec: &OperatorSpec, input: NodeId) -> Vec<FieldPath> {
        let stream = self.stream(input);
        match &spec.needs {
            crate::module::Needs::Fields(fields) => fields.clone(),
            crate::module::Needs::Summary => stream.summary.clone(),
            crate::module::Needs::All => stream.all_fields(),
        }
    }

    /// The inputs of a node in the order of its ports.
    pub fn inputs(&self, node: NodeId) -> Vec<NodeId> {
        let mut inputs: Vec<(u16, NodeId)> = self
            .graph
            .edges_directed(node, Direction::Incoming)
            .map(|edge| (*edge.weight(), edge.source()))
            .collect();
        inputs.sort();
        inputs.into_iter().map(|(_, input)| input).collect()
    }

    /// The nodes that read what a node gives, with the port they read it at.
    pub fn outputs(&self, node: NodeId) -> Vec<(NodeId, u16)> {
        let mut outputs: Vec<(NodeId, u16)> = self
            .graph
            .edges(node)
            .map(|edge| (edge.target(), *edge.weight()))
            .collect();
        outputs.sort();
        outputs
    }

    /// The sources.
    pub fn sources(&self) -> impl Iterator<Item = &SourceSpec> {
        self.graph
            .node_weights()
            .filter_map(|node| match &node.kind {
                NodeKind::Source(_, _, spec) => Some(spec),
                _ => None,
            })
    }

    /// Whether anything tells objects apart by what they are, so that numbers of made ones matter.
    pub(crate) fn reads_identity(&self) -> bool {
        let reads =
            |kind: &NodeKind| matches!(kind, NodeKind::Operator(_, _, spec) if spec.reads_identity);
        self.graph.node_weights().any(|node| reads(&node.kind))
    }

    /// Whether any source has no end.
    pub fn has_live_source(&self) -> bool {
        self.sources().any(|spec| spec.live.is_some())
    }

    /// Whether a source without an end is somewhere before a node, or is it.
    pub fn is_live(&self, node: NodeId) -> bool {
        let mut known = HashSet::new();
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            if !known.insert(node) {
                continue;
            }
            match &self.graph[node].kind {
                NodeKind::Source(_, _, spec) if spec.live.is_some() => return true,
                _ => open.extend(self.inputs(node)),
            }
        }
        false
    }

    /// The number by which a node stands in the order.
    pub(crate) fn place(&self, node: NodeId) -> NodeId {
        self.graph[node].before.unwrap_or(node)
    }
}
