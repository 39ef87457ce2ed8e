//! What is known of the objects on an edge before anything runs.

use crate::diagnostic::{Diagnostic, suggest};
use crate::evaluate::arithmetic_kind;
use crate::plan::expr::{ArithmeticOp, Expr};
use crate::{ScalarFunction, Span};
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
    /// Other objects that they carry: of a join, of a state machine.
    pub objects: Vec<Carried>,
}

/// An object that others carry: `a` in `a.srcip`.
#[derive(Clone, Debug)]
pub struct Carried {
    /// What stands before the dot.
    pub name: FieldPath,
    /// What is known of it.
    pub stream: Arc<Stream>,
    /// Whether it carries another such object itself: `previous.previous`.
    pub chained: bool,
}

/// Columns whose names begin so are the plan's own: no query names them, nothing prints them.
pub const HIDDEN: char = '\0';

/// Whether a column is the plan's own.
pub fn is_hidden(path: &FieldPath) -> bool {
    path.as_str().starts_with(HIDDEN)
}

/// What follows the name of an object in a path, and how many objects the path goes through: more
/// than one where they are chained.
pub fn below_object<'a>(
    path: &'a str,
    name: &FieldPath,
    chained: bool,
) -> Option<(&'a str, usize)> {
    let strip = |path: &'a str| path.strip_prefix(name.as_str())?.strip_prefix('.');
    let mut rest = strip(path)?;
    let mut depth = 1;
    while let Some(next) = strip(rest).filter(|_| chained) {
        rest = next;
        depth += 1;
    }
    // `previous.previous` ends with an object.
    if chained && rest == name.as_str() {
        return Some(("", depth + 1));
    }
    Some((rest, depth))
}

impl Carried {
    /// What follows the name of the object, or of objects in a chain of them, in a path, and how
    /// many there are.
    fn below<'a>(&self, path: &'a str) -> Option<(&'a str, usize)> {
        below_object(path, &self.name, self.chained)
    }

    fn kind_of_name(&self, name: &str) -> Option<Kind> {
        if name == self.name.as_str() {
            return Some(Kind::Object);
        }
        match self.below(name)? {
            ("", _) => Some(Kind::Object),
            (rest, _) => self.stream.kind_of_name(rest),
        }
    }
}

impl Stream {
    /// What a source of a type gives. A type that declares no summary, since its fields depend on
    /// its input, prints all of them.
    pub fn of_type(record_type: &Arc<dyn RecordType>) -> Stream {
        let summary = record_type.summary_fields().iter();
        let summary: Vec<FieldPath> = summary.map(|name| FieldPath::new(name)).collect();
        Stream {
            types: vec![Arc::clone(record_type)],
            given: Vec::new(),
            summary: if summary.is_empty() {
                declared_names(&**record_type)
            } else {
                summary
            },
            objects: Vec::new(),
        }
    }

    /// Objects that have some columns and nothing else.
    pub fn of_columns(given: Vec<(FieldPath, Kind)>) -> Stream {
        let shown = given.iter().filter(|(path, _)| !is_hidden(path));
        let summary = shown.map(|(path, _)| path.clone()).collect();
        Stream {
            types: Vec::new(),
            given,
            summary,
            objects: Vec::new(),
        }
    }

    /// What is known of an object that these carry; one of a chain carries the next one itself.
    pub fn carried(&self, name: &FieldPath) -> Option<Stream> {
        let mut objects = self.objects.iter().rev();
        let object = objects.find(|object| object.name == *name)?;
        let mut stream = Stream::clone(&object.stream);
        stream
            .objects
            .extend(object.chained.then(|| object.clone()));
        Some(stream)
    }

    /// Adds an object that these carry; its summary becomes a part of theirs where they have no
    /// other.
    pub fn carry(&mut self, object: Carried) {
        if self.types.is_empty() {
            let summary = object.stream.summary.iter();
            let below = |path: &FieldPath| object.name.join(path.as_str());
            self.summary.extend(summary.map(below));
        }
        self.objects.push(object);
    }

    /// What several streams give together.
    pub fn union<'a>(streams: impl Iterator<Item = &'a Stream> + Clone) -> Stream {
        let mut union = Stream::default();
        for stream in streams.clone() {
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
            union.objects.extend(stream.objects.iter().cloned());
        }
        // What one attached may be another's own field, or that of its type.
        for (path, known) in &mut union.given {
            let mut kinds = streams.clone().filter_map(|stream| stream.kind(path));
            if kinds.any(|kind| kind != *known) {
                *known = Kind::Dynamic;
            }
        }
        union
    }

    /// Whether `ts` is what a source says, and nothing that was attached.
    pub fn has_own_time(&self) -> bool {
        let attached = self.given.iter().any(|(path, _)| path.as_str() == "ts");
        let says =
            |of: &Arc<dyn RecordType>| of.resolve("ts").is_some_and(|(_, k)| k == Kind::Time);
        !attached && !self.types.is_empty() && self.types.iter().all(says)
    }

    /// All fields that the objects are known to have.
    pub fn all_fields(&self) -> Vec<FieldPath> {
        let mut fields: Vec<FieldPath> = Vec::new();
        let declared = self.types.iter().flat_map(|t| declared_names(&**t));
        let given = self.given.iter().map(|(path, _)| path.clone());
        let carried = self.objects.iter().flat_map(|object| {
            let fields = object.stream.all_fields().into_iter();
            fields.map(|path| object.name.join(path.as_str()))
        });
        for path in declared.chain(given).chain(carried) {
            if !fields.contains(&path) && !is_hidden(&path) {
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
        let mut objects = self.objects.iter().rev();
        if let Some(kind) = objects.find_map(|object| object.kind_of_name(name)) {
            return Some(kind);
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
        // Below the name of an object there are its fields, not conversions.
        if let Some(carried) = self.objects.iter().rev().find_map(|object| {
            let (rest, _) = object.below(path.as_str())?;
            Some(object.stream.check_field(&FieldPath::new(rest), span))
        }) {
            return carried;
        }
        let known = path
            .readings()
            .find_map(|(name, rest)| Some((name, rest, self.kind_of_name(name)?)));
        if let Some((name, rest, kind)) = known {
            let names = CONVERSIONS
                .iter()
                .filter(|c| c.gives(kind).is_some())
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
                    Some(record_type) if record_type.more_names().is_empty() => {
                        format!("`wireq types {}` lists the fields", record_type.name())
                    }
                    _ => format!("it has: {}", listed(&self.names())),
                },
            },
        ))
    }

    /// The names of all fields, aliases included.
    pub fn names(&self) -> Vec<String> {
        let given = self.given.iter().filter(|(path, _)| !is_hidden(path));
        let mut names: Vec<String> = given.map(|(path, _)| path.to_string()).collect();
        for object in &self.objects {
            names.push(object.name.to_string());
            let fields = object.stream.names().into_iter();
            names.extend(fields.map(|name| format!("{}.{name}", object.name)));
        }
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
            Expr::Exists(path, span) => faults.extend(self.check_field(path, *span).err()),
            Expr::Field(path, span) => faults.extend(self.check_value(path, *span).err()),
            Expr::Literal(..) | Expr::Bool(..) | Expr::Absent(_) => {}
            Expr::Call(function, arguments, span) => {
                self.resolve_call(function, arguments, *span, zone, faults);
            }
            Expr::Case(arms, otherwise) => {
                for (test, value) in arms {
                    self.resolve(test, zone, faults);
                    self.resolve(value, zone, faults);
                }
                if let Some(otherwise) = otherwise {
                    self.resolve(otherwise, zone, faults);
                }
            }
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
            Expr::Not(inner) | Expr::Holds(inner) | Expr::Truth(inner) | Expr::IsAbsent(inner) => {
                self.resolve(inner, zone, faults);
            }
        }
    }

    /// Checks that a field may exist and has a value of its own.
    ///
    /// # Errors
    /// Where it can't be, or where it is an object.
    pub fn check_value(&self, path: &FieldPath, span: Span) -> Result<Kind, Diagnostic> {
        let kind = self.check_field(path, span)?;
        if kind != Kind::Object {
            return Ok(kind);
        }
        let field = self.names().into_iter().find_map(|name| {
            let rest = name.strip_prefix(path.as_str())?.strip_prefix('.')?;
            Some(format!("{path}.{rest}"))
        });
        let message = format!("`{path}` is an object, not a value");
        let diagnostic = Diagnostic::new("Q017", span, message).label("an object");
        Err(match field {
            Some(field) => diagnostic.help(format!("name one of its fields, such as `{field}`")),
            None => diagnostic,
        })
    }

    /// Checks a call, and reads the words and constants among its arguments as what it takes.
    fn resolve_call(
        &self,
        function: &ScalarFunction,
        arguments: &mut [Expr],
        span: Span,
        zone: &Zone,
        faults: &mut Vec<Diagnostic>,
    ) {
        let before = faults.len();
        for (at, argument) in arguments.iter_mut().enumerate() {
            let kind = function.parameter(at).map_or(Kind::Dynamic, |p| p.kind);
            if let Expr::Field(path, place) = &*argument
                && self.kind(path).is_none()
                && !matches!(kind, Kind::Text | Kind::Bytes | Kind::Dynamic)
                && Literal::new(path.as_str()).read(kind, zone).is_some()
            {
                *argument = Expr::Literal(Literal::new(path.as_str()), *place);
            }
            match &*argument {
                Expr::Literal(literal, place) if literal.read(kind, zone).is_none() => {
                    let name = FieldPath::new(function.parameter(at).map_or("", |p| p.name));
                    faults.push(unreadable(literal, &name, kind, *place));
                }
                _ => self.resolve(argument, zone, faults),
            }
        }
        if faults.len() > before {
            return;
        }
        let kinds: Vec<Kind> = arguments.iter().map(|expr| self.kind_of(expr)).collect();
        if let Err(message) = function.gives(&kinds) {
            let message = format!("`{}`: {message}", function.name);
            let help = format!("it is called as `{}`", function.signature());
            faults.push(Diagnostic::new("Q018", span, message).help(help));
        }
    }

    /// The kind of the value of an expression.
    pub fn kind_of(&self, expr: &Expr) -> Kind {
        match expr {
            Expr::Field(path, _) => self.kind(path).unwrap_or(Kind::Dynamic),
            Expr::Literal(literal, _) => literal.natural().kind().unwrap_or(Kind::Dynamic),
            Expr::Arithmetic(op, left, right) => {
                let kinds = [self.kind_of(left), self.kind_of(right)];
                // A constant beside a time is a duration.
                let beside = |constant: &Expr, kind: Kind, other: Kind| match (constant, other) {
                    (Expr::Literal(..), Kind::Time | Kind::Duration) => {
                        let sum = matches!(op, ArithmeticOp::Add | ArithmeticOp::Subtract);
                        if sum { Kind::Duration } else { kind }
                    }
                    _ => kind,
                };
                let first = beside(left, kinds[0], kinds[1]);
                arithmetic_kind(*op, first, beside(right, kinds[1], kinds[0]))
            }
            Expr::Call(function, arguments, _) => {
                let kinds: Vec<Kind> = arguments.iter().map(|expr| self.kind_of(expr)).collect();
                function.gives(&kinds).unwrap_or(Kind::Dynamic)
            }
            Expr::Case(arms, otherwise) => {
                let values = arms.iter().map(|(_, value)| value);
                let known = |expr: &&Expr| !matches!(expr, Expr::Absent(_));
                let mut values = values.chain(otherwise.as_deref()).filter(known);
                let first = values
                    .next()
                    .map_or(Kind::Dynamic, |expr| self.kind_of(expr));
                let same = values.all(|expr| self.kind_of(expr) == first);
                if same { first } else { Kind::Dynamic }
            }
            Expr::Absent(_) => Kind::Dynamic,
            _ => Kind::Bool,
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

/// Names one after the other; of very many the first ones.
fn listed(names: &[String]) -> String {
    const SHOWN_MAX: usize = 40;
    match names.get(..SHOWN_MAX) {
        Some(first) if first.len() < names.len() => {
            format!("{} and {} more", first.join(", "), names.len() - SHOWN_MAX)
        }
        _ => names.join(", "),
    }
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
        Kind::Time => diagnostic.help("write a time such as 2024-01-31T12:00:00Z, \"3 hours ago\", or seconds since 1970"),
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
        Some(conversion.gives(kind).unwrap_or(Kind::Dynamic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bag_knows_a_kind_where_all_branches_have_it() {
        let columns = |name: &str, kind| Stream::of_columns(vec![(name.into(), kind)]);
        let mut carrying = Stream::default();
        carrying.carry(Carried {
            name: "a".into(),
            stream: Arc::new(columns("x", Kind::Unsigned)),
            chained: false,
        });
        for (attached, expected) in [
            (Kind::Unsigned, Kind::Unsigned),
            (Kind::Text, Kind::Dynamic),
        ] {
            let attached = columns("a.x", attached);
            let union = Stream::union([&attached, &carrying].into_iter());
            assert_eq!(union.kind(&"a.x".into()), Some(expected));
        }
    }
}
