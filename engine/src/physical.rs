//! From plan to what runs: shapes for every edge, columns bound, fields placed.
//!
//! Three passes over the nodes in order: backward, what is wanted of each node's rows by anything
//! behind it; forward, the shapes that carry it; then, for each column that a record type or a
//! conversion fills, the place where it is filled: behind the nearest node that all its readers
//! lie behind, so that it is filled once, for the rows still selected there.

use crate::frontier::{self, Place};
use crate::module::depth;
use crate::operator::operator_spec;
use crate::plan::by_node::ByNode;
use crate::plan::stream::{Stream, below_object, convert_kind, is_hidden};
use crate::plan::{NodeId, NodeKind, Plan, table_column};
use crate::{
    Context, Gives, GroupKeys, ObjectColumn, ObjectField, ObjectOf, OnControl, OperatorSpec, Owner,
    SourceSpec, StateClass,
};
use petgraph::algo::dominators;
use std::cell::LazyCell;
use std::sync::Arc;
use wireq_typesys::{
    ColumnDef, Conversion, FieldPath, Kind, Recipe, RecordType, Shape, Slot, Zone,
};

/// What runs at a node.
pub(crate) enum Body {
    Source(SourceSpec),
    Operator(Maker),
}

/// Makes the operator of a node, as often as asked.
pub(crate) type Maker = Arc<dyn Fn() -> Box<dyn crate::Operator> + Send + Sync>;

/// One node, ready to run. Nodes stand in topological rank.
pub(crate) struct PhysicalNode {
    pub(crate) node: NodeId,
    pub(crate) body: Body,
    pub(crate) statement: usize,
    pub(crate) side_effect: bool,
    pub(crate) on_control: OnControl,
    /// Controls that are true in a group pass up to this depth: others are from groups that
    /// objects here are not in any more.
    pub(crate) depth: usize,
    /// Whether it stands between a side effect and an operator that may be done before its input
    /// ends: then it has to be known what was taken before each row that it gives.
    pub(crate) traced: bool,
    /// How it runs where there are several threads.
    pub(crate) place: Place,
    /// Whether it may run batch by batch on any thread, as far as it is for itself to say.
    pub(crate) goes_ahead: bool,
    /// Whether rows may be prepared for it on any thread: see [`crate::Operator::prepare`].
    pub(crate) prepares: bool,
    pub(crate) output_file: Option<String>,
    /// Where it writes for many statements: which ones, by their numbers in the table.
    pub(crate) table: Option<Arc<[Owner]>>,
    /// For each port, whether a source without an end is before it: its time goes on while nothing
    /// comes.
    pub(crate) live: Vec<bool>,
    /// Rank of the input at each port.
    pub(crate) inputs: Vec<usize>,
    /// Ranks of the nodes that read from this one, each once.
    pub(crate) readers: Vec<usize>,
    /// Where each reader has rows of its own: by branch, its rank.
    pub(crate) branches: Vec<Option<usize>>,
    /// The readers that have all rows.
    pub(crate) direct: Vec<usize>,
    /// Whether its rows are made up: what comes to a branch then is what was made.
    pub(crate) makes_up: bool,
    /// Whether it has rows of its own of what its input gives.
    pub(crate) is_branch: bool,
    /// Per shape of the input: where the columns of the operator's fields are.
    pub(crate) bindings: Vec<(Arc<Shape>, Vec<Option<Slot>>)>,
    /// Columns to fill in what the node gives: base shape, numbers of columns.
    pub(crate) fills: Vec<(Arc<Shape>, Vec<usize>)>,
    pub(crate) annotated: Vec<(Arc<Shape>, Arc<Shape>)>,
    /// For sources, the shape of the rows they bring.
    pub(crate) shape: Option<Arc<Shape>>,
}

/// A shape on an edge: `base` is what the rows had when node `origin` made them.
#[derive(Clone)]
struct EdgeShape {
    shape: Arc<Shape>,
    base: Arc<Shape>,
    origin: NodeId,
}

struct Builder<'a> {
    plan: &'a Plan,
    order: Vec<NodeId>,
    /// The inputs of each node in the order of its ports.
    inputs: ByNode<Vec<NodeId>>,
    specs: ByNode<Arc<OperatorSpec>>,
    /// The fields that each operator reads, those it keeps for others included.
    reads: ByNode<Vec<FieldPath>>,
    /// Of [`Builder::reads`], how many the operator asked for itself.
    own: ByNode<usize>,
    /// The columns of objects that each operator gives.
    carried: ByNode<Vec<ObjectField>>,
    /// What is wanted of the rows that each node gives.
    wanted: ByNode<Vec<FieldPath>>,
    shapes: ByNode<Vec<EdgeShape>>,
    annotated: ByNode<Vec<(Arc<Shape>, Arc<Shape>)>>,
}

/// Makes the plan ready to run.
pub(crate) fn build(plan: &Plan, zone: &Arc<Zone>, seed: u64) -> Vec<PhysicalNode> {
    let order = plan.order();
    let mut inputs = ByNode::new(plan);
    for node in &order {
        inputs.insert(*node, plan.inputs(*node));
    }
    let mut builder = Builder {
        plan,
        inputs,
        specs: specs(plan, &order),
        order,
        reads: ByNode::new(plan),
        own: ByNode::new(plan),
        carried: ByNode::new(plan),
        wanted: ByNode::new(plan),
        shapes: ByNode::new(plan),
        annotated: ByNode::new(plan),
    };
    builder.find_wanted();
    builder.make_shapes();
    builder.nodes(zone, seed)
}

/// How each node of a plan runs where there are several threads, and whether its rows are prepared.
pub(crate) fn places(plan: &Plan) -> Vec<(Place, bool)> {
    let nodes = build(plan, &Arc::new(Zone::utc()), 0);
    let place = |node: &PhysicalNode| {
        let inputs = node.inputs.iter().map(|input| nodes[*input].place);
        let is_prepared = frontier::is_prepared(node.prepares, node.place, inputs);
        (node.place, is_prepared)
    };
    nodes.iter().map(place).collect()
}

fn specs(plan: &Plan, order: &[NodeId]) -> ByNode<Arc<OperatorSpec>> {
    let mut specs = ByNode::new(plan);
    for node in order {
        if let Some(spec) = operator_spec(&plan.graph[*node].kind) {
            specs.insert(*node, spec);
        }
    }
    specs
}

/// The columns of objects that are wanted; the fields they take are added to what is read.
fn object_fields(
    objects: &[ObjectColumn],
    stream: &Stream,
    input: Option<&Stream>,
    wanted: &[FieldPath],
    reads: &mut Vec<FieldPath>,
    own: usize,
) -> Vec<ObjectField> {
    let is_object = |name| input.is_some_and(|stream| stream.carried(name).is_some());
    let mut fields = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        for path in wanted.iter().filter(|path| !is_hidden(path)) {
            let below = match &object.name {
                None => Some((path.as_str(), 0)),
                Some(name) if name == path => Some(("", 1)),
                Some(name) => below_object(path.as_str(), name, object.chained),
            };
            let Some((rest, depth)) = below else { continue };
            let live = (!rest.is_empty()).then(|| {
                let field = match &object.of {
                    ObjectOf::Input => FieldPath::new(rest),
                    // A value that is taken is an object that has itself as its field.
                    ObjectOf::Carried(name)
                        if !is_object(name) && (path == name || path.below(name).is_some()) =>
                    {
                        path.clone()
                    }
                    ObjectOf::Carried(name) => name.join(rest),
                };
                let known = reads[own..].iter().position(|read| *read == field);
                known.unwrap_or_else(|| {
                    reads.push(field);
                    reads.len() - 1 - own
                })
            });
            fields.push(ObjectField {
                path: path.clone(),
                kind: stream.kind(path).unwrap_or(Kind::Dynamic),
                object: number,
                depth,
                live,
            });
        }
    }
    // A column hides conversions of what came before it, so they stand behind it.
    fields.sort_by_key(|field| field.path.as_str().len());
    fields
}

/// How deep the groups are that controls may speak of where a node goes by them.
fn depth_of(kind: &NodeKind) -> usize {
    let of = |group: &Option<GroupKeys>| group.as_ref().map_or(0, |group| depth(&group.column));
    match kind {
        NodeKind::Operator(_, _, spec) if spec.on_control == OnControl::React => of(&spec.group),
        NodeKind::Operator(_, _, spec) if spec.group.is_some() => of(&spec.group),
        NodeKind::Aggregate(aggregate) if is_of_table(&aggregate.group) => 0,
        NodeKind::Aggregate(aggregate) => of(&aggregate.group),
        NodeKind::Tally(_) => 0,
        // What was said in another group of that depth is not said of these.
        NodeKind::Group(group) => depth(&group.column) - 1,
        _ => usize::MAX,
    }
}

/// Whether groups are the branches of a table: no control is of one of these.
fn is_of_table(group: &Option<GroupKeys>) -> bool {
    group
        .as_ref()
        .is_some_and(|group| group.column == table_column())
}

fn add_path(paths: &mut Vec<FieldPath>, path: &FieldPath) {
    if !paths.contains(path) {
        paths.push(path.clone());
    }
}

impl Builder<'_> {
    /// The columns that a node gives by itself, hiding what its input had of the same name.
    fn given(&self, node: NodeId) -> Vec<FieldPath> {
        let spec = self.specs.get(node);
        let columns = spec.map_or(&[] as &[_], |spec| spec.gives.columns());
        columns.iter().map(|(path, _)| path.clone()).collect()
    }

    /// Whether a path names what a node gives by itself: a column with conversions, or a field of
    /// an object.
    fn hides(&self, node: NodeId, path: &FieldPath) -> bool {
        let spec = self.specs.get(node);
        let columns = spec.map_or(&[] as &[_], |spec| spec.gives.columns());
        let objects = spec.map_or(&[] as &[_], |spec| &spec.objects);
        let names = objects.iter().filter_map(|object| object.name.as_ref());
        let mut names = names.filter(|name| path == *name || path.below(name).is_some());
        columns.iter().any(|(name, _)| path.is_of(name)) || names.next().is_some()
    }

    fn find_wanted(&mut self) {
        for node in self.order.clone().into_iter().rev() {
            let mut wanted: Vec<FieldPath> = Vec::new();
            let mut readers = self.plan.outputs(node);
            readers.dedup_by_key(|(reader, _)| *reader);
            for (reader, _) in readers {
                for path in &self.reads[reader] {
                    add_path(&mut wanted, path);
                }
                if self.specs[reader].gives.passes_rows() {
                    for path in &self.wanted[reader] {
                        if !self.hides(reader, path) {
                            add_path(&mut wanted, path);
                        }
                    }
                }
            }
            self.find_reads(node, &wanted);
            self.wanted.insert(node, wanted);
        }
    }

    fn find_reads(&mut self, node: NodeId, wanted: &[FieldPath]) {
        let Some(spec) = self.specs.get(node) else {
            return;
        };
        let mut reads = match self.inputs[node].first() {
            Some(input) => self.plan.fields_needed(spec, *input),
            None => Vec::new(),
        };
        self.own.insert(node, reads.len());
        let own = reads.len();
        match &spec.gives {
            Gives::Retained(_) => {
                let kept = wanted.iter().filter(|path| !self.hides(node, path));
                reads.extend(kept.cloned());
            }
            // What is made of one object belongs to the group of that object.
            Gives::Made(_) if spec.class == StateClass::Stateless => {
                reads.extend(wanted.iter().filter(|path| is_hidden(path)).cloned());
            }
            _ => {}
        }
        let own_stream = self.plan.stream(node);
        let input = self.inputs[node].first().copied();
        let stream = input.map(|input| self.plan.stream(input));
        let carried = object_fields(&spec.objects, own_stream, stream, wanted, &mut reads, own);
        self.carried.insert(node, carried);
        self.reads.insert(node, reads);
    }

    fn make_shapes(&mut self) {
        for node in self.order.clone() {
            let shapes = match &self.plan.graph[node].kind {
                NodeKind::Source(_, _, spec) => vec![self.source_shape(node, &spec.record_type)],
                _ => self.operator_shapes(node),
            };
            self.shapes.insert(node, shapes);
        }
    }

    fn source_shape(&self, node: NodeId, record_type: &Arc<dyn RecordType>) -> EdgeShape {
        let mut base = Vec::new();
        for path in &self.wanted[node] {
            place(&mut base, path, Slot::Base, |name| {
                let (field, kind) = record_type.resolve(name)?;
                Some((kind, Recipe::Field(field)))
            });
        }
        self.own_shape(node, Some(Arc::clone(record_type)), base)
    }

    fn own_shape(
        &self,
        node: NodeId,
        record_type: Option<Arc<dyn RecordType>>,
        base: Vec<ColumnDef>,
    ) -> EdgeShape {
        let summary = self.plan.stream(node).summary.clone();
        let shape = Arc::new(Shape {
            record_type,
            base,
            extra: Vec::new(),
            summary,
        });
        EdgeShape {
            base: Arc::clone(&shape),
            shape,
            origin: node,
        }
    }

    fn input_shapes(&self, node: NodeId) -> Vec<EdgeShape> {
        let mut shapes: Vec<EdgeShape> = Vec::new();
        for shape in self.inputs[node]
            .iter()
            .flat_map(|input| &self.shapes[*input])
        {
            if !shapes
                .iter()
                .any(|known| Arc::ptr_eq(&known.shape, &shape.shape))
            {
                shapes.push(shape.clone());
            }
        }
        shapes
    }

    fn operator_shapes(&mut self, node: NodeId) -> Vec<EdgeShape> {
        let inputs = self.input_shapes(node);
        match self.specs[node].gives.clone() {
            Gives::Same => inputs,
            Gives::Annotated(columns) => inputs
                .into_iter()
                .map(|input| self.annotate(node, input, &columns))
                .collect(),
            Gives::Projected | Gives::Retained(_) | Gives::Made(_) => {
                let mut edge = match &self.specs[node].record_type {
                    Some(record_type) => self.source_shape(node, record_type),
                    None => self.kept_shape(node, &inputs),
                };
                if let (Gives::Made(_), Some(group)) =
                    (&self.specs[node].gives, &self.specs[node].group)
                {
                    self.attach_group(node, &group.clone(), &mut edge);
                }
                vec![edge]
            }
        }
    }

    fn annotate(
        &mut self,
        node: NodeId,
        input: EdgeShape,
        columns: &[(FieldPath, Kind)],
    ) -> EdgeShape {
        let mut shape = (*input.shape).clone();
        let stream = self.plan.stream(node);
        for (path, kind) in columns {
            shape.extra.push(ColumnDef {
                path: path.clone(),
                kind: stream.kind(path).unwrap_or(*kind),
                recipe: Recipe::Given,
            });
        }
        for field in &self.carried[node] {
            shape.extra.push(ColumnDef {
                path: field.path.clone(),
                kind: field.kind,
                recipe: Recipe::Given,
            });
        }
        for path in &self.wanted[node] {
            if columns
                .iter()
                .any(|(name, _)| path.is_of(name) && path != name)
            {
                place(&mut shape.extra, path, Slot::Extra, |_| None);
            }
        }
        let shape = Arc::new(shape);
        self.annotated
            .get_or_insert_with(node, Vec::new)
            .push((Arc::clone(&input.shape), Arc::clone(&shape)));
        EdgeShape { shape, ..input }
    }

    /// The shape of rows that a node makes up: what is wanted of the kept objects, then what the
    /// node gives itself, then conversions of these.
    fn kept_shape(&mut self, node: NodeId, inputs: &[EdgeShape]) -> EdgeShape {
        let stream = self.plan.stream(node);
        let given = self.given(node);
        let kept: Vec<FieldPath> = match self.specs[node].gives {
            Gives::Projected => self.reads[node].clone(),
            Gives::Made(_) => {
                let kept = self.reads[node][self.own[node]..].iter();
                kept.filter(|path| is_hidden(path)).cloned().collect()
            }
            _ => self.reads[node][self.own[node]..].to_vec(),
        };
        let carried = self.carried[node].iter().map(|field| &field.path);
        let mut base: Vec<ColumnDef> = Vec::new();
        for path in kept.iter().chain(&given).chain(carried) {
            if !base.iter().any(|def| def.path == *path) {
                let kind = stream.kind(path).unwrap_or(Kind::Dynamic);
                base.push(ColumnDef {
                    path: path.clone(),
                    kind,
                    recipe: Recipe::Given,
                });
            }
        }
        for path in &self.wanted[node] {
            place(&mut base, path, Slot::Base, |_| None);
        }
        let types = &stream.types;
        let record_type =
            if types.len() == 1 && inputs.iter().all(|i| i.shape.record_type.is_some()) {
                types.first().cloned()
            } else {
                None
            };
        self.own_shape(node, record_type, base)
    }

    /// Objects that an operator makes for a group belong to it.
    fn attach_group(&mut self, node: NodeId, group: &GroupKeys, edge: &mut EdgeShape) {
        let mut shape = (*edge.shape).clone();
        let around = group.around.iter().map(|(column, _)| column);
        shape
            .extra
            .extend(around.chain([&group.column]).map(|column| ColumnDef {
                path: column.clone(),
                kind: Kind::Bytes,
                recipe: Recipe::Given,
            }));
        let shape = Arc::new(shape);
        let annotated = self.annotated.get_or_insert_with(node, Vec::new);
        annotated.push((Arc::clone(&edge.base), Arc::clone(&shape)));
        edge.shape = shape;
    }

    fn nodes(mut self, zone: &Arc<Zone>, seed: u64) -> Vec<PhysicalNode> {
        let mut rank: ByNode<usize> = ByNode::new(self.plan);
        for (node, place) in self.order.iter().zip(0..) {
            rank.insert(*node, place);
        }
        let mut fills = self.place_fills();
        let mut annotated = std::mem::replace(&mut self.annotated, ByNode::new(self.plan));
        let traced = self.traced();
        let places = self.places(&traced);
        let live = self.live();
        let nodes = self.order.iter().map(|node| {
            let weight = &self.plan.graph[*node];
            let mut readers: Vec<usize> = self
                .plan
                .outputs(*node)
                .iter()
                .map(|(reader, _)| rank[*reader])
                .collect();
            readers.sort_unstable();
            readers.dedup();
            let mut branches: Vec<Option<usize>> = Vec::new();
            let mut direct = readers.clone();
            if let NodeKind::Match(_) | NodeKind::Tally(_) | NodeKind::Deal(_) = &weight.kind {
                direct.clear();
                for (reader, _) in self.plan.outputs(*node) {
                    let NodeKind::Branch(branch) = &self.plan.graph[reader].kind else {
                        direct.push(rank[reader]);
                        continue;
                    };
                    if branches.len() <= branch.number {
                        branches.resize(branch.number + 1, None);
                    }
                    branches[branch.number] = Some(rank[reader]);
                }
                direct.sort_unstable();
            }
            let spec = self.specs.get(*node);
            PhysicalNode {
                node: *node,
                body: self.body(*node, rank[*node] as u32, zone, seed),
                statement: weight.statement,
                side_effect: weight.kind.has_side_effect(),
                on_control: spec.map_or(OnControl::Forward, |spec| spec.on_control),
                depth: depth_of(&weight.kind),
                traced: traced.contains(*node),
                place: places[*node].0,
                goes_ahead: places[*node].1,
                prepares: spec.is_some_and(|spec| spec.prepares && !spec.side_effect)
                    && !traced.contains(*node),
                output_file: spec.and_then(|spec| spec.output_file.clone()),
                table: spec
                    .filter(|spec| spec.side_effect)
                    .and_then(|spec| spec.table.clone()),
                live: self.inputs[*node]
                    .iter()
                    .map(|input| live.contains(*input))
                    .collect(),
                inputs: self.inputs[*node]
                    .iter()
                    .map(|input| rank[*input])
                    .collect(),
                readers,
                branches,
                direct,
                is_branch: matches!(weight.kind, NodeKind::Branch(_)),
                makes_up: spec.is_some_and(|spec| !spec.gives.passes_rows()),
                bindings: self.bindings(*node),
                fills: fills.remove(*node).unwrap_or_default(),
                annotated: annotated.remove(*node).unwrap_or_default(),
                shape: self.shapes[*node]
                    .first()
                    .map(|shape| Arc::clone(&shape.base)),
            }
        });
        nodes.collect()
    }

    /// How each node runs where there are several threads, and whether it may go ahead by itself.
    fn places(&self, traced: &ByNode<()>) -> ByNode<(Place, bool)> {
        let mut places: ByNode<(Place, bool)> = ByNode::new(self.plan);
        let reads_identity = self.plan.reads_identity();
        for node in &self.order {
            let inputs = &self.inputs[*node];
            let inputs: Vec<Place> = inputs.iter().map(|input| places[*input].0).collect();
            let live = self.reads.get(*node).map(|reads| &reads[self.own[*node]..]);
            let one = frontier::Node {
                kind: &self.plan.graph[*node].kind,
                spec: self.specs.get(*node).map(Arc::as_ref),
                inputs: &inputs,
                traced: traced.contains(*node),
                live: live.unwrap_or(&[]),
                reads_identity,
            };
            places.insert(*node, (frontier::place(&one), frontier::goes_ahead(&one)));
        }
        places
    }

    /// The sources that have no end, and all behind them.
    fn live(&self) -> ByNode<()> {
        let mut live = ByNode::new(self.plan);
        for node in &self.order {
            let is_live = match &self.plan.graph[*node].kind {
                NodeKind::Source(_, _, spec) => spec.live.is_some(),
                _ => self.inputs[*node].iter().any(|input| live.contains(*input)),
            };
            if is_live {
                live.insert(*node, ());
            }
        }
        live
    }

    /// The nodes that have a side effect, or behind which one stands, and that are done where an
    /// operator behind them is.
    fn traced(&self) -> ByNode<()> {
        let acts = |node: &NodeId| self.plan.graph[*node].kind.has_side_effect();
        let stops = |node: &NodeId| self.specs.get(*node).is_some_and(|spec| spec.stops);
        let (mut acting, mut stopping) = (ByNode::new(self.plan), ByNode::new(self.plan));
        for node in &self.order {
            let inputs = &self.inputs[*node];
            if acts(node) || inputs.iter().any(|input| acting.contains(*input)) {
                acting.insert(*node, ());
            }
        }
        for node in self.order.iter().rev() {
            let readers = self.plan.outputs(*node);
            if stops(node) || readers.iter().any(|(reader, _)| stopping.contains(*reader)) {
                stopping.insert(*node, ());
            }
        }
        let mut traced = ByNode::new(self.plan);
        for (node, ()) in acting.iter().filter(|(node, ())| stopping.contains(*node)) {
            traced.insert(node, ());
        }
        traced
    }

    fn body(&self, node: NodeId, rank: u32, zone: &Arc<Zone>, seed: u64) -> Body {
        let Some(spec) = self.specs.get(node) else {
            let NodeKind::Source(_, _, spec) = &self.plan.graph[node].kind else {
                unreachable!("all but sources have a spec")
            };
            return Body::Source(spec.clone());
        };
        let own = self.own[node];
        let fields = self.reads[node][..own].to_vec();
        let input = self.inputs[node]
            .first()
            .map(|input| self.plan.stream(*input));
        let kind = |path: &FieldPath| {
            input
                .and_then(|stream| stream.kind(path))
                .unwrap_or(Kind::Dynamic)
        };
        let makes_up = !spec.gives.passes_rows();
        let make = Arc::clone(&spec.make);
        let context = Context {
            kinds: fields.iter().map(kind).collect(),
            fields,
            live: self.reads[node][own..].to_vec(),
            carried: self.carried[node].clone(),
            shape: self.shapes[node]
                .first()
                .filter(|_| makes_up)
                .map(|shape| Arc::clone(&shape.base)),
            origin: rank,
            zone: Arc::clone(zone),
            seed,
            matching: self.plan.matching,
        };
        Body::Operator(Arc::new(move || make(&context)))
    }

    fn bindings(&self, node: NodeId) -> Vec<(Arc<Shape>, Vec<Option<Slot>>)> {
        let Some(reads) = self.reads.get(node) else {
            return Vec::new();
        };
        let bind = |shape: &EdgeShape| {
            (
                Arc::clone(&shape.shape),
                reads.iter().map(|path| shape.shape.find(path)).collect(),
            )
        };
        self.input_shapes(node).iter().map(bind).collect()
    }

    /// For each node, the columns to fill in what it gives.
    fn place_fills(&self) -> ByNode<Vec<(Arc<Shape>, Vec<usize>)>> {
        let mut readers: ByNode<Vec<Vec<NodeId>>> = ByNode::new(self.plan);
        for node in &self.order {
            let Some(reads) = self.reads.get(*node) else {
                continue;
            };
            for shape in self.input_shapes(*node) {
                let none = || vec![Vec::new(); shape.base.base.len()];
                let slots = readers.get_or_insert_with(shape.origin, none);
                for path in reads {
                    let mut slot = shape.shape.find(path);
                    // Who reads a conversion reads what it converts.
                    while let Some(Slot::Base(at)) = slot {
                        slots[usize::from(at)].push(*node);
                        slot = match shape.base.base[usize::from(at)].recipe {
                            Recipe::Convert(from, _) => Some(from),
                            _ => None,
                        };
                    }
                }
            }
        }
        let mut fills: ByNode<Vec<(Arc<Shape>, Vec<usize>)>> = ByNode::new(self.plan);
        for (origin, slots) in readers.iter() {
            let base = &self.shapes[origin][0].base;
            let dominators = LazyCell::new(|| dominators::simple_fast(&self.plan.graph, origin));
            for (slot, readers) in slots.iter().enumerate() {
                if readers.is_empty() || matches!(base.base[slot].recipe, Recipe::Given) {
                    continue;
                }
                // What reads from the origin itself has it next before it.
                let is_next = |reader: &NodeId| self.inputs[*reader].contains(&origin);
                let place = match readers.iter().any(is_next) {
                    true => origin,
                    false => nearest(&dominators, origin, readers),
                };
                let at_place = fills.get_or_insert_with(place, Vec::new);
                match at_place
                    .iter_mut()
                    .find(|(shape, _)| Arc::ptr_eq(shape, base))
                {
                    Some((_, columns)) => columns.push(slot),
                    None => at_place.push((Arc::clone(base), vec![slot])),
                }
            }
        }
        fills
    }
}

/// The nearest node that lies before all readers on every path from the origin.
fn nearest(
    dominators: &dominators::Dominators<NodeId>,
    origin: NodeId,
    readers: &[NodeId],
) -> NodeId {
    let path = |reader: NodeId| -> Vec<NodeId> {
        let mut path: Vec<NodeId> = dominators
            .strict_dominators(reader)
            .into_iter()
            .flatten()
            .collect();
        path.reverse();
        path
    };
    let mut readers = readers.iter().copied();
    let mut common = readers.next().map(path).unwrap_or_default();
    for reader in readers {
        if common.len() <= 1 {
            break;
        }
        let other = path(reader);
        let same = common
            .iter()
            .zip(&other)
            .take_while(|(a, b)| a == b)
            .count();
        common.truncate(same);
    }
    common.last().copied().unwrap_or(origin)
}

/// Adds the columns that a path needs: the field it names and each of its conversions, unless
/// they are there. `root` knows fields that may be added.
fn place(
    columns: &mut Vec<ColumnDef>,
    path: &FieldPath,
    slot: fn(u16) -> Slot,
    root: impl Fn(&str) -> Option<(Kind, Recipe)>,
) {
    for (name, conversions) in path.readings() {
        let known = visible(columns, &FieldPath::new(name));
        let found = known
            .map(|at| (columns[at].kind, columns[at].recipe))
            .or_else(|| root(name));
        let Some((kind, recipe)) = found else {
            continue;
        };
        if convert_kind(kind, conversions).is_none() {
            continue;
        }
        let mut at = known.unwrap_or_else(|| {
            columns.push(ColumnDef {
                path: FieldPath::new(name),
                kind,
                recipe,
            });
            columns.len() - 1
        });
        for conversion in conversions.split('.').filter(|name| !name.is_empty()) {
            let from = columns[at].clone();
            let Some(conversion) = Conversion::find(conversion, from.kind) else {
                return;
            };
            let path = from.path.join(conversion.name);
            at = visible(columns, &path).unwrap_or_else(|| {
                let kind = conversion.gives(from.kind).unwrap_or(Kind::Dynamic);
                columns.push(ColumnDef {
                    path,
                    kind,
                    recipe: Recipe::Convert(slot(at as u16), conversion),
                });
                columns.len() - 1
            });
        }
        return;
    }
}

/// The column of a path. One that was attached later hides conversions of an older one of its name.
fn visible(columns: &[ColumnDef], path: &FieldPath) -> Option<usize> {
    let concerns = |def: &ColumnDef| {
        def.path == *path || matches!(def.recipe, Recipe::Given) && path.is_of(&def.path)
    };
    let at = columns.iter().rposition(concerns)?;
    (columns[at].path == *path).then_some(at)
}
