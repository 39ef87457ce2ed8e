//! Random tests and values.

use super::generate::Generator;
use super::query::{Term, Test};
use super::scope::{Domain, Scope};
use wireq_engine::{ScalarFunction, Times};
use wireq_typesys::{FieldPath, Kind, write_value};

impl Generator {
    pub(super) fn test(&mut self, scope: &Scope, depth: usize) -> Test {
        if depth == 0 || self.random.percent(55) {
            return self.simple_test(scope);
        }
        let mut parts =
            |count| -> Vec<Test> { (0..count).map(|_| self.test(scope, depth - 1)).collect() };
        let (two, three) = (parts(2), parts(3));
        match self.random.below(10) {
            0..3 => Test::And(two),
            3..6 => Test::Or(two),
            6 => Test::Or(three),
            _ => Test::Not(Box::new(two.into_iter().next().expect("there are two"))),
        }
    }

    fn simple_test(&mut self, scope: &Scope) -> Test {
        let (field, domain) = scope.pick(&mut self.random);
        if domain == Domain::Opaque {
            return Test::Exists(field);
        }
        let (term, domain) = match self.random.below(40) {
            0..3 => return Test::Exists(field),
            3..9 => self.arithmetic(scope),
            9 => return Test::IsNull(self.value(scope, 1).0),
            10 => return self.membership(scope, field, domain),
            11 => return self.range(scope, field, domain),
            12..14 => return self.filter_call(scope).unwrap_or(Test::Exists(field)),
            14 => {
                let what = *self.random.pick(&["", "true", "false", "not true"]);
                return Test::Is(self.case(scope, Domain::Bool), what);
            }
            15 => (self.case(scope, Domain::Number), Domain::Number),
            _ => (Term::Field(field), domain),
        };
        self.comparison(scope, term, domain)
    }

    fn comparison(&mut self, scope: &Scope, term: Term, domain: Domain) -> Test {
        let op = self.random.weighted(&[
            (7, "="),
            (3, "!="),
            (2, "<"),
            (2, "<="),
            (2, ">"),
            (2, ">="),
        ]);
        let other = match self.random.below(20) {
            0..2 => Term::Field(scope.pick(&mut self.random).0),
            2 => match scope.pick_of(&mut self.random, &[domain]) {
                Some(field) => Term::Field(field),
                None => Term::Constant(self.constant(scope, &term, domain, op)),
            },
            _ => Term::Constant(self.constant(scope, &term, domain, op)),
        };
        if self.random.percent(6) {
            return Test::Compare(other, mirrored(op), term);
        }
        Test::Compare(term, op, other)
    }

    /// A test of one field that others of the kind often imply.
    pub(super) fn limit_of_length(&mut self, scope: &Scope) -> Test {
        let term = Term::Field("len".to_owned());
        let op = *self.random.pick(&[">", ">=", "<"]);
        let constant = self.constant(scope, &term, Domain::Number, op);
        Test::Compare(term, op, Term::Constant(constant))
    }

    fn membership(&mut self, scope: &Scope, field: String, domain: Domain) -> Test {
        let term = Term::Field(field);
        let count = self.random.between(1, 3);
        let constants = (0..count).map(|_| self.constant(scope, &term, domain, "="));
        let constants = constants.collect();
        Test::In(term, constants)
    }

    fn range(&mut self, scope: &Scope, field: String, domain: Domain) -> Test {
        let term = Term::Field(field);
        let low = self.constant(scope, &term, domain, "<");
        let high = self.constant(scope, &term, domain, "<");
        Test::Between(term, low, high)
    }

    /// A call of a filter module.
    fn filter_call(&mut self, scope: &Scope) -> Option<Test> {
        let call = match self.random.below(6) {
            0 | 1 => {
                let field = scope.pick_of(&mut self.random, &[Domain::Address])?;
                let block = *self.random.pick(&BLOCKS);
                match self.random.below(3) {
                    0 => format!("mask({field}, '!{block}')"),
                    1 => format!("iplookup({field}, {block}, 192.0.2.0/24)"),
                    _ => format!("mask({field}, {block})"),
                }
            }
            2 => {
                let field = scope.pick_of(&mut self.random, &[Domain::Bytes, Domain::Text])?;
                self.text_test(&field)
            }
            3 | 4 => {
                let field = scope.pick_of(&mut self.random, &[Domain::Bytes])?;
                self.text_test(&field)
            }
            _ => {
                let field = scope.pick_of(&mut self.random, &[Domain::Number])?;
                format!("equals({field}, 60, 80, 1.5)")
            }
        };
        Some(Test::Module(call))
    }

    /// A test of what is in a text.
    pub(super) fn text_test(&mut self, field: &str) -> String {
        let part = *self
            .random
            .pick(&["a", "GET", "get", "T", "1", "ET / ", "0.0", "10"]);
        let other = *self.random.pick(&["a", "E", "GE", "80", " /"]);
        // `substr` is a function too, where a value is asked for: it stands in pipes alone.
        match self.random.below(9) {
            0 => format!("match({field}, '{part}|{other}')"),
            1 => format!("match({field}, '^({other}|{part})[ b-z]')"),
            2 => format!("match(-i, {field}, '{part}.*{other}$')"),
            3 => format!("match({field}, '[0-9]+|(a|b)*{part}')"),
            4 => format!("match({field}, '[a-z][0-9T/]+[ A-H]?')"),
            5 => format!("contains({field}, '{part}')"),
            6 => format!("{field} like '{part}%'"),
            7 => format!("{field} ilike '%{part}_{other}%'"),
            _ => format!("regexp_matches({field}, '{part}[^{other}]', 'i')"),
        }
    }

    fn arithmetic(&mut self, scope: &Scope) -> (Term, Domain) {
        match self.random.below(8) {
            0 | 1 => {
                if let Some(time) = scope.pick_of(&mut self.random, &[Domain::Time]) {
                    return self.time_arithmetic(scope, time);
                }
            }
            2 => {
                if let Some(duration) = scope.pick_of(&mut self.random, &[Domain::Duration]) {
                    return self.duration_arithmetic(scope, duration);
                }
            }
            _ => {}
        }
        match self.number(scope, 2) {
            term if term.has_field() => (term, Domain::Number),
            _ => {
                let (field, domain) = scope.pick(&mut self.random);
                match domain {
                    // No constant can be beside a list.
                    Domain::Opaque => (self.case(scope, Domain::Number), Domain::Number),
                    domain => (Term::Field(field), domain),
                }
            }
        }
    }

    fn time_arithmetic(&mut self, scope: &Scope, time: String) -> (Term, Domain) {
        let time = Box::new(Term::Field(time));
        let op = *self.random.pick(&["+", "-"]);
        if self.random.percent(60) {
            let length = *self.random.pick(&["'1s'", "'250ms'", "2", "0.5", "5"]);
            let length = Box::new(Term::Constant(length.to_owned()));
            return (Term::Arithmetic(time, op, length), Domain::Time);
        }
        let other = scope
            .pick_of(&mut self.random, &[Domain::Time])
            .expect("there is one");
        let difference = Term::Arithmetic(time, "-", Box::new(Term::Field(other)));
        if self.random.percent(40) {
            let op = *self.random.pick(&["*", "/"]);
            let times = *self.random.pick(&["2", "0.5", "-3", "0"]);
            let times = Box::new(Term::Constant(times.to_owned()));
            let scaled = Term::Arithmetic(Box::new(difference), op, times);
            return (scaled, Domain::Duration);
        }
        (difference, Domain::Duration)
    }

    fn duration_arithmetic(&mut self, scope: &Scope, duration: String) -> (Term, Domain) {
        let duration = Box::new(Term::Field(duration));
        match self.random.below(4) {
            0 => {
                let other = scope.pick_of(&mut self.random, &[Domain::Duration]);
                let other = Box::new(Term::Field(other.expect("there is one")));
                let op = *self.random.pick(&["/", "//"]);
                (Term::Arithmetic(duration, op, other), Domain::Number)
            }
            1 => {
                let other = Box::new(self.number(scope, 1));
                let op = *self.random.pick(&["*", "/"]);
                (Term::Arithmetic(duration, op, other), Domain::Duration)
            }
            _ => {
                let length = *self.random.pick(&["'1s'", "'250ms'", "2", "0.5"]);
                let length = Box::new(Term::Constant(length.to_owned()));
                let op = *self.random.pick(&["+", "-"]);
                (Term::Arithmetic(duration, op, length), Domain::Duration)
            }
        }
    }

    fn number(&mut self, scope: &Scope, depth: usize) -> Term {
        let domain = self
            .random
            .weighted(&[(9, Domain::Number), (1, Domain::Text)]);
        match (
            self.random.below(10),
            scope.pick_of(&mut self.random, &[domain]),
        ) {
            (0..4, Some(field)) => Term::Field(field),
            (4..6, _) | (_, None) => {
                let constants = ["0", "1", "2", "10", "80", "0.5", "1000", "-3", "0x10"];
                Term::Constant((*self.random.pick(&constants)).to_owned())
            }
            (_, Some(field)) if depth == 0 => Term::Field(field),
            _ => {
                let op = *self.random.pick(&["+", "-", "*", "/", "//"]);
                let (left, right) = (self.number(scope, depth - 1), self.number(scope, depth - 1));
                Term::Arithmetic(Box::new(left), op, Box::new(right))
            }
        }
    }

    /// `case when TEST then ... end`, of a number or a bool.
    fn case(&mut self, scope: &Scope, domain: Domain) -> Term {
        let count = self.random.between(1, 2);
        let arms = (0..count).map(|_| {
            let test = self.test(scope, 1);
            (test, self.value_of(scope, domain))
        });
        let arms = arms.collect();
        let otherwise = self.random.percent(60);
        let otherwise = otherwise.then(|| Box::new(self.value_of(scope, domain)));
        Term::Case(arms, otherwise)
    }

    fn value_of(&mut self, scope: &Scope, domain: Domain) -> Term {
        if self.random.percent(10) {
            return Term::Constant("null".to_owned());
        }
        match domain {
            Domain::Bool if self.random.percent(50) => {
                let constant = *self.random.pick(&["true", "false"]);
                Term::Constant(constant.to_owned())
            }
            Domain::Bool => Term::Test(Box::new(self.test(scope, 1))),
            _ => self.number(scope, 1),
        }
    }

    /// Any value, for a calculated column, and what it holds.
    pub(super) fn value(&mut self, scope: &Scope, depth: usize) -> (Term, Domain) {
        match self.random.below(10) {
            0 if depth > 0 => (self.case(scope, Domain::Number), Domain::Number),
            1 if depth > 0 => (self.case(scope, Domain::Bool), Domain::Bool),
            2 | 3 => (Term::Test(Box::new(self.test(scope, 1))), Domain::Bool),
            4 => self.call(scope),
            5 => {
                let (field, domain) = scope.pick(&mut self.random);
                (Term::Field(field), domain)
            }
            _ => self.arithmetic(scope),
        }
    }

    /// A call of a scalar function; what it gives is for it to say.
    fn call(&mut self, scope: &Scope) -> (Term, Domain) {
        if self.functions.is_empty() {
            return self.arithmetic(scope);
        }
        let function = *self.random.pick(&self.functions);
        let mut arguments = Vec::new();
        for parameter in function.parameters {
            let times = match parameter.times {
                Times::One => 1,
                Times::Optional => usize::from(self.random.percent(40)),
                Times::Any => self.random.below(3),
            };
            for _ in 0..times {
                arguments.push(self.argument(scope, parameter.kind));
            }
        }
        (Term::Call(function.name, arguments), Domain::Opaque)
    }

    fn argument(&mut self, scope: &Scope, kind: Kind) -> Term {
        let domains: &[Domain] = match kind {
            Kind::Signed | Kind::Unsigned | Kind::Double => return self.number(scope, 1),
            Kind::Bool => return Term::Test(Box::new(self.test(scope, 0))),
            Kind::Text | Kind::Bytes => &[Domain::Bytes, Domain::Text],
            Kind::Time => &[Domain::Time],
            Kind::Duration => &[Domain::Duration],
            Kind::Address | Kind::Prefix => &[Domain::Address],
            Kind::Mac => &[Domain::Mac],
            _ => return Term::Field(scope.pick(&mut self.random).0),
        };
        let field = scope.pick_of(&mut self.random, domains);
        let is_time = |text: &&str| kind != Kind::Time || text.contains('-');
        let constants = domains[0].constants().iter().copied().filter(is_time);
        let constants: Vec<&str> = constants.collect();
        match field.filter(|_| self.random.percent(75)) {
            Some(field) => Term::Field(field),
            None => Term::Constant((*self.random.pick(&constants)).to_owned()),
        }
    }

    /// A constant to compare a term with: mostly one that occurs.
    fn constant(&mut self, scope: &Scope, term: &Term, domain: Domain, op: &str) -> String {
        let native = match term {
            Term::Field(field) if self.random.percent(75) => scope.native(field),
            _ => None,
        };
        let occurring = native.and_then(|field| self.occurring(field));
        let block =
            domain == Domain::Address && matches!(op, "=" | "!=") && self.random.percent(20);
        match (domain, occurring) {
            (Domain::Address, _) if block => {
                let blocks = [
                    "10.0.0.0/8",
                    "10.0.0.0/24",
                    "'192.0.2.0/28'",
                    "fd00::/16",
                    "'::/0'",
                ];
                (*self.random.pick(&blocks)).to_owned()
            }
            (Domain::Mixed, _) | (_, None) => self.random.pick(domain.constants()).to_string(),
            (Domain::Text | Domain::Bytes, Some(text)) => quoted(&text),
            (Domain::Protocol, Some(text)) if text.contains('-') => quoted(&text),
            (_, Some(text)) if self.random.percent(25) => quoted(&text),
            (_, Some(text)) => text,
        }
    }

    /// The text of a value that a field of packets has somewhere.
    fn occurring(&mut self, field: &str) -> Option<String> {
        if self.occurring.is_empty() {
            return None;
        }
        let path = FieldPath::new(field);
        let values = (0..4).map(|_| {
            let object = self.random.pick(&self.occurring);
            object.get(&path, &self.zone)
        });
        let value = { values }.find(|value| !value.is_absent())?;
        let mut text = Vec::new();
        write_value(&value, &self.zone, &mut text);
        let text = String::from_utf8(text).ok()?;
        let writable = !text.contains(['"', '\'']) && text.len() <= 60;
        writable.then_some(text)
    }
}

/// Blocks of addresses.
pub(super) const BLOCKS: [&str; 6] = [
    "10.0.0.0/8",
    "10.0.0.7/24",
    "192.0.2.1",
    "0.0.0.0/0",
    "fd00::/16",
    "::/0",
];

/// Functions whose results a run does not determine.
pub(super) fn is_determined(function: &ScalarFunction) -> bool {
    !matches!(function.name, "now" | "random" | "uuid" | "today")
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn mirrored(op: &'static str) -> &'static str {
    match op {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        same => same,
    }
}
