//! What is known of the objects on an edge before anything runs.

use crate::Span;
use crate::diagnostic::{Diagnostic, suggest};
use crate::plan::expr::Expr;
use std::sync::Arc;
use wireq_typesys::{
    CONVERSIONS, CompareOp, Conversion, FieldPath, Kind, Literal, RecordType, Value, Zone,
    declared_names,
};

/// The objects that may come over an edge: their types, what was attached, what they print.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// The record types, each once.
    pub types: Vec<Arc<dyn RecordType>>,
    /// Columns that operators attached or made up; the last one of a name counts.
    pub given: Vec<(FieldPath, Kind)>,
    /// What is printed where the query does not say what.
    pub summary: Vec<FieldPath>,
}

impl Stream {
    /// What a source of a type gives.
    pub fn of_type(record_type: &Arc<dyn RecordType>) -> Stream {
        Stream {
            types: vec![Arc::clone(record_type)],
            given: Vec::new(),
            summary: record_type
                .summary_fields()
                .iter()
                .map(|name| FieldPath::new(name))
                .collect(),
        }
    }

    /// Objects that have some columns and nothing else.
    pub fn of_columns(given: Vec<(FieldPath, Kind)>) -> Stream {
        let summary = given.iter().map(|(path, _)| path.clone()).collect();
        Stream {
            types: Vec::new(),
            given,
            summary,
        }
    }

    /// What several streams give together.
    pub fn union<'a>(streams: impl IntoIterator<Item = &'a Stream>) -> Stream {
        let mut union = Stream::default();
        for stream in streams {
            for record_type in &stream.types {
                if !union.types.iter().any(|t| same_type(t, record_type)) {
                    union.types.push(Arc::clone(record_type));
                }
            }
            for (path, kind) in &stream.given {
                match union.given.iter_mut().find(|(p, _)| p == path) {
                    Some((_, known)) if known != kind => *known = Kind::Dynamic,
                    Some(_) => {}
                    None => union.given.push((path.clone(), *kind)),
                }
            }
            for path in &stream.summary {
                if !union.summary.contains(path) {
                    union.summary.push(path.clone());
                }
            }
        }
        union
    }

    /// All fields that the objects are known to have.
    pub fn all_fields(&self) -> Vec<FieldPath> {
        let mut fields: Vec<FieldPath> = Vec::new();
        let declared = self.types.iter().flat_map(|t| declared_names(&**t));
        for path in declared.chain(self.given.iter().map(|(path, _)| path.clone())) {
            if !fields.contains(&path) {
                fields.push(path);
            }
        }
        fields
    }

    /// The kind of a field, conversions included; none where no object here can have it.
    pub fn kind(&self, path: &FieldPath) -> Option<Kind> {
        path.readings().find_map(|(name, conversions)| {
            let kind = self.kind_of_name(name)?;
            convert_kind(kind, conversions)
        })
    }

    fn kind_of_name(&self, name: &str) -> Option<Kind> {
        if let Some((_, kind)) = self
            .given
            .iter()
            .rev()
            .find(|(path, _)| path.as_str() == name)
        {
            return Some(*kind);
        }
        let mut kinds = self
            .types
            .iter()
            .filter_map(|t| t.resolve(name).map(|(_, kind)| kind));
        let first = kinds.next();
        let same = kinds.all(|kind| Some(kind) == first);
        match first {
            Some(kind) => Some(if same { kind } else { Kind::Dynamic }),
            None => self.types.iter().any(|t| t.open()).then_some(Kind::Dynamic),
        }
    }

    /// Checks that a field may exist.
    ///
    /// # Errors
    /// Where all types are closed and none has it, or where a conversion does not exist.
    pub fn check_field(&self, path: &FieldPath, span: Span) -> Result<Kind, Diagnostic> {
        if let Some(kind) = self.kind(path) {
            return Ok(kind);
        }
        let known = path
            .readings()
            .find_map(|(name, rest)| Some((name, rest, self.kind_of_name(name)?)));
        if let Some((name, rest, kind)) = known {
            let names = CONVERSIONS
                .iter()
                .filter(|c| (c.kind)(kind).is_some())
                .map(|c| c.name)
                .collect::<Vec<_>>();
            let help = match suggest(rest, names.iter().copied()) {
                Some(near) => format!("did you mean `{name}.{near}`?"),
                None => format!("{} has: {}", article(kind), names.join(", ")),
            };
            let message = format!("`{name}` ({kind}) has no conversion `{rest}`");
            return Err(Diagnostic::new("Q011", span, message)
                .label("unknown conversion")
                .help(help));
        }
        let what = match self.types.first() {
            Some(record_type) => format!("a {}", record_type.name()),
            None => "this object".to_owned(),
        };
        let diagnostic = Diagnostic::new("Q010", span, format!("{what} has no field `{path}`"))
            .label("unknown field");
        Err(diagnostic.help(
            match suggest(path.as_str(), self.names().iter().map(String::as_str)) {
                Some(name) => format!("did you mean `{name}`?"),
                None => match self.types.first() {
                    Some(record_type) => {
                        format!("`wireq types {}` lists the fields", record_type.name())
                    }
                    None => format!("it has: {}", self.names().join(", ")),
                },
            },
        ))
    }

    /// The names of all fields, aliases included.
    pub fn names(&self) -> Vec<String> {
        let given = self.given.iter().map(|(path, _)| path.to_string());
        let mut names: Vec<String> = given.collect();
        for record_type in &self.types {
            for field in record_type.fields() {
                let all = std::iter::once(&field.name).chain(field.aliases);
                names.extend(all.map(|name| (*name).to_owned()));
            }
            names.extend(record_type.more_names());
        }
        names
    }

    /// Checks an expression against these objects, and settles what unquoted words are: a field
    /// where there is one of that name, else the constant that they read as on the other side's
    /// kind (`ipprotocol = tcp`).
    pub fn resolve(&self, expr: &mut Expr, zone: &Zone, faults: &mut Vec<Diagnostic>) {
        match expr {
            Expr::Field(path, span) | Expr::Exists(path, span) => {
                faults.extend(self.check_field(path, *span).err());
            }
            Expr::Literal(..) => {}
            Expr::Passes(call) => {
                let faults_of = |path: &FieldPath| self.check_field(path, call.span).err();
                faults.extend(call.fields().iter().filter_map(faults_of));
            }
            Expr::Compare(op, left, right) => {
                self.resolve_comparison(*op, left, right, zone, faults)
            }
            Expr::Arithmetic(_, left, right) => {
                self.resolve(left, zone, faults);
                self.resolve(right, zone, faults);
            }
            Expr::And(parts) | Expr::Or(parts) => parts
                .iter_mut()
                .for_each(|part| self.resolve(part, zone, faults)),
            Expr::Not(inner) | Expr::Holds(inner) => self.resolve(inner, zone, faults),
        }
    }

    fn resolve_comparison(
        &self,
        op: CompareOp,
        left: &mut Expr,
        right: &mut Expr,
        zone: &Zone,
        faults: &mut Vec<Diagnostic>,
    ) {
        let before = faults.len();
        self.settle_word(right, left, zone, faults);
        self.settle_word(left, right, zone, faults);
        if faults.len() > before {
            return;
        }
        self.resolve(left, zone, faults);
        self.resolve(right, zone, faults);
        if faults.len() > before {
            return;
        }
        for (field, constant) in [(&*left, &*right), (&*right, &*left)] {
            if let (Expr::Field(path, _), Expr::Literal(literal, span)) = (field, constant) {
                let kind = self.kind(path).unwrap_or(Kind::Dynamic);
                match literal.read(kind, zone) {
                    None => faults.push(unreadable(literal, path, kind, *span)),
                    Some(Value::Prefix(_))
                        if kind == Kind::Address
                            && !matches!(op, CompareOp::Equal | CompareOp::NotEqual) =>
                    {
                        faults.push(Diagnostic::new("Q013", *span, format!("an address is in the block {} or not, neither before nor behind it", literal.text)).help("use = or !="));
                    }
                    Some(_) => {}
                }
            }
        }
    }
}

impl Stream {
    /// Turns a word that names no field into the constant that it reads as beside `other`.
    fn settle_word(
        &self,
        side: &mut Expr,
        other: &Expr,
        zone: &Zone,
        faults: &mut Vec<Diagnostic>,
    ) {
        let (Expr::Field(path, span), Expr::Field(beside, _)) = (&*side, other) else {
            return;
        };
        let Some(kind) = self.kind(beside).filter(|_| self.kind(path).is_none()) else {
            return;
        };
        // Any word reads as text: there only quotes tell a constant from a mistyped field.
        if matches!(kind, Kind::Text | Kind::Bytes | Kind::Dynamic) {
            return;
        }
        let literal = Literal::new(path.as_str());
        if literal.read(kind, zone).is_some() {
            *side = Expr::Literal(literal, *span);
        } else if suggest(path.as_str(), self.names().iter().map(String::as_str)).is_none() {
            faults.push(unreadable(&literal, beside, kind, *span));
        }
    }
}

/// Whether two types have the same fields; those of a table depend on its input.
fn same_type(a: &Arc<dyn RecordType>, b: &Arc<dyn RecordType>) -> bool {
    let by_name = a.more_names().is_empty() && b.more_names().is_empty() && !a.open();
    Arc::ptr_eq(a, b) || by_name && a.name() == b.name()
}

fn unreadable(literal: &Literal, path: &FieldPath, kind: Kind, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        "Q012",
        span,
        format!("`{}` cannot be read as {}", literal.text, article(kind)),
    )
    .label(format!("`{path}` is {}", article(kind)));
    match kind {
        Kind::Named(names) => {
            let suggestion = suggest(&literal.text, names.entries.iter().map(|(_, name)| *name));
            diagnostic.help(match suggestion {
                Some(name) => format!("did you mean `{name}`?"),
                None => "write a number or one of the names".to_owned(),
            })
        }
        Kind::Address => diagnostic.help("write an address such as 10.0.0.1 or fd00::1, or a block such as 10.0.0.0/8; names are not looked up"),
        Kind::Time => diagnostic.help("write a time such as 2024-01-31T12:00:00Z, or seconds since 1970"),
        Kind::Duration => diagnostic.help("write a duration such as 10s, 250ms or 1h30m"),
        Kind::Mac => diagnostic.help("write a hardware address such as 00:11:22:33:44:55"),
        Kind::Signed | Kind::Unsigned | Kind::Double => {
            diagnostic.help("write a number such as 80, 0x50 or 1e6; names of services are not known")
        }
        Kind::Bool => diagnostic.help("write true or false"),
        Kind::Prefix => diagnostic.help("write a block such as 10.0.0.0/8 or fd00::/8"),
        _ => diagnostic,
    }
}

fn article(kind: Kind) -> String {
    match kind {
        Kind::Signed | Kind::Unsigned | Kind::Double => "a number".to_owned(),
        Kind::Address => "an address".to_owned(),
        Kind::Mac => "a hardware address".to_owned(),
        Kind::Named(names) => format!("a number or name ({})", names.name),
        Kind::Bytes | Kind::Text => kind.to_string(),
        kind => format!("a {kind}"),
    }
}

/// The kind after a chain of conversions, none where one does not exist.
pub(crate) fn convert_kind(kind: Kind, conversions: &str) -> Option<Kind> {
    let mut chain = conversions.split('.').filter(|name| !name.is_empty());
    chain.try_fold(kind, |kind, name| {
        let conversion = Conversion::find(name, kind)?;
        Some((conversion.kind)(kind).unwrap_or(Kind::Dynamic))
    })
}
