//! Calls of functions as examples have them, without the query language.

use super::FUNCTIONS;
use wireq_engine::ScalarFunction;
use wireq_typesys::{Kind, Literal, Value, Zone};

/// A call, as examples have it.
#[derive(Debug)]
pub(super) enum Call {
    Constant(Literal),
    Absent,
    Function(&'static ScalarFunction, Vec<Call>),
}

/// Reads calls: numbers, 'text', `null`, and names with arguments in brackets.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (front, rest) = self.0.split_at(length);
        self.0 = rest.trim_start();
        front
    }

    fn call(&mut self) -> Call {
        if let Some(rest) = self.0.strip_prefix('\'') {
            let length = rest.find('\'').expect("the end of a text");
            let quoted = self.take(length + 2);
            return Call::Constant(Literal::quoted(&quoted[1..length + 1]));
        }
        let end = self.0.find(['(', ')', ',']).unwrap_or(self.0.len());
        let word = self.take(end);
        match word {
            "null" => return Call::Absent,
            word if !self.0.starts_with('(') => return Call::Constant(Literal::new(word)),
            _ => {}
        }
        let function = FUNCTIONS.iter().find(|function| function.name == word);
        let function = function.unwrap_or_else(|| panic!("there is no function `{word}`"));
        self.take(1);
        let mut arguments = Vec::new();
        while !self.0.starts_with(')') {
            arguments.push(self.call());
            if self.0.starts_with(',') {
                self.take(1);
            }
        }
        self.take(1);
        Call::Function(function, arguments)
    }
}

impl Call {
    pub(super) fn read(text: &str) -> Call {
        let mut reader = Reader(text);
        let call = reader.call();
        assert_eq!(reader.0, "", "{text}");
        call
    }

    /// The value as a parameter takes it, and its kind.
    fn evaluate(&self, wanted: Kind, zone: &Zone) -> (Value, Kind) {
        let read = |literal: &Literal, value: Value| match wanted {
            Kind::Dynamic => value,
            wanted => literal.read(wanted, zone).expect("a constant"),
        };
        match self {
            Call::Absent => (Value::Absent, Kind::Dynamic),
            Call::Constant(literal) => {
                // As in SQL: a backslash is one.
                let natural = match literal.quoted {
                    true => Value::text(&literal.text),
                    false => literal.natural(),
                };
                let value = match wanted {
                    Kind::Text => Value::text(&literal.text),
                    Kind::Bytes => Value::Bytes(literal.text.as_bytes().into()),
                    _ => read(literal, natural),
                };
                let kind = value.kind().unwrap_or(Kind::Dynamic);
                (value, kind)
            }
            Call::Function(function, arguments) => {
                let (value, kind) = call(function, arguments, zone);
                match &value {
                    Value::Text(text) if !matches!(wanted, Kind::Dynamic | Kind::Text) => {
                        let text = std::str::from_utf8(text).expect("a text");
                        (read(&Literal::quoted(text), Value::Absent), wanted)
                    }
                    _ => (value, kind),
                }
            }
        }
    }
}

/// Calls a function as the engine does.
pub(super) fn call(function: &ScalarFunction, arguments: &[Call], zone: &Zone) -> (Value, Kind) {
    let (least, most) = function.arity();
    assert!(
        (least..=most).contains(&arguments.len()),
        "{}",
        function.name
    );
    let evaluate = |(at, argument): (usize, &Call)| {
        let wanted = function.parameter(at).expect("a parameter").kind;
        argument.evaluate(wanted, zone)
    };
    let (values, kinds): (Vec<Value>, Vec<Kind>) =
        arguments.iter().enumerate().map(evaluate).unzip();
    let kind = (function.kind)(&kinds);
    let kind = kind.unwrap_or_else(|message| panic!("{}: {message}", function.name));
    if function.strict && values.iter().any(Value::is_absent) {
        return (Value::Absent, kind);
    }
    ((function.call)(&values, zone), kind)
}
