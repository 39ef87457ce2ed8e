//! Modules that keep nothing and attach columns, and those that make new objects of others.

use super::expression::value;
use super::filter::{addresses, in_block, literal};
use super::object::{Fields, Object, convert};
use std::rc::Rc;
use wireq_engine::arguments::Arguments;
use wireq_engine::plan::Calculation;
use wireq_engine::plan::expr::Expr;
use wireq_typesys::{FieldPath, Kind, Literal, Value, Zone};

/// The name of a column: the value of `-f`, or the one it has by itself.
pub fn column(arguments: &Arguments, default: &str) -> FieldPath {
    let word = arguments.value("-f");
    FieldPath::new(word.map_or(default, |word| &word.text))
}

/// What the modules attach that keep nothing; none where the object does not pass.
pub fn attach(
    module: &str,
    arguments: &Arguments,
    expressions: &[Expr],
    object: &Rc<Object>,
    zone: &Zone,
) -> Option<Fields> {
    let words = arguments.words();
    let one = |name: &str, value: Value| Some(vec![(column(arguments, name), value)]);
    match module {
        "const" => one("const", constant(arguments, zone)),
        "now" => one("now", Value::Time(zone.now())),
        "expr" => one("expr", value(&expressions[0], object, zone)),
        "div" => one(
            "div",
            divided(object.get(&arguments.fields()[0], zone), arguments, zone),
        ),
        "rename" => {
            let mut renamed: Fields = Vec::new();
            for pair in words.chunks(2) {
                let so_far = Rc::clone(object).annotated(renamed.clone());
                let old = so_far.get(&FieldPath::new(&pair[0].text), zone);
                renamed.push((FieldPath::new(&pair[1].text), old));
            }
            Some(renamed)
        }
        "iplookup" => {
            let blocks = blocks_of(&object.get(&arguments.fields()[0], zone), arguments);
            match &blocks[..] {
                [] if arguments.flag("-a") => one("", Value::Absent),
                [] => None,
                _ => one("", Value::List(blocks.into())),
            }
        }
        name => panic!("the oracle does not know the module {name}"),
    }
}

fn constant(arguments: &Arguments, zone: &Zone) -> Value {
    let literal = literal(&arguments.words()[0]);
    let kind = arguments.value("-t").map_or("text", |word| &word.text);
    let kinds = [
        Kind::Bool,
        Kind::Signed,
        Kind::Unsigned,
        Kind::Double,
        Kind::Time,
        Kind::Duration,
        Kind::Address,
        Kind::Prefix,
        Kind::Mac,
        Kind::Bytes,
        Kind::Text,
    ];
    let kind = kinds.into_iter().find(|known| known.to_string() == kind);
    let kind = kind.expect("it is the name of a kind");
    match (
        kind,
        literal.read(kind, zone).expect("it is a value of its kind"),
    ) {
        (Kind::Double, Value::Integer(integer)) => Value::Double(integer as f64),
        (_, value) => value,
    }
}

fn divided(value: Value, arguments: &Arguments, zone: &Zone) -> Value {
    let by = arguments.value("-d").map_or("1", |word| &word.text);
    let by: i128 = by.parse().expect("it is a number");
    match convert(&value, "int", zone) {
        Value::Integer(integer) => Value::Integer(integer / by),
        _ => Value::Absent,
    }
}

/// The blocks that an address is in, the smallest last, each once.
fn blocks_of(value: &Value, arguments: &Arguments) -> Vec<Value> {
    let mut blocks = Vec::new();
    for word in &arguments.words()[1..] {
        if addresses(value).any(|address| in_block(address, &word.text))
            && let Some(Value::Prefix(block)) =
                Literal::new(&word.text).read(Kind::Prefix, &Zone::utc())
            && !blocks.contains(&block)
        {
            blocks.push(block);
        }
    }
    blocks.sort_by_key(|block| (block.bits, block.address));
    blocks.into_iter().map(Value::Prefix).collect()
}

/// Calculated columns: all of them from the object as it comes.
pub fn compute(list: &[Calculation], object: &Object, zone: &Zone) -> Fields {
    let calculated = |c: &Calculation| (c.name.clone(), value(&c.expr, object, zone));
    list.iter().map(calculated).collect()
}

/// A new object with these fields and nothing else, in the groups of the old one.
pub fn project(fields: &[FieldPath], object: &Object, zone: &Zone) -> Rc<Object> {
    let values = fields
        .iter()
        .map(|path| (path.clone(), object.get(path, zone)));
    Rc::new(Object::Made(values.chain(object.groups()).collect()))
}

/// A new object that carries the old one under a name.
pub fn streamalias(name: &FieldPath, object: Rc<Object>) -> Rc<Object> {
    let groups = object.groups();
    Object::carrying(vec![(name.clone(), object)]).annotated(groups)
}

/// The object that an object carries, or a new one of a field's value.
pub fn take(name: &FieldPath, object: &Object, zone: &Zone) -> Option<Rc<Object>> {
    let taken = match object.carried(name) {
        Some(carried) => carried.derived(),
        None => match object.get(name, zone) {
            Value::Absent => return None,
            value => Rc::new(Object::Made(vec![(name.clone(), value)])),
        },
    };
    Some(taken.annotated(object.groups()))
}
