//! Groups of objects, and functions over each group.

use super::object::Object;
use std::cmp::Ordering;
use std::rc::Rc;
use wireq_engine::plan::{Aggregate, Function};
use wireq_typesys::{ExactSum, Literal, Value, Zone, total_order};

/// All groups of an aggregate.
pub struct Groups {
    aggregate: Aggregate,
    groups: Vec<Group>,
}

struct Group {
    key: Vec<Value>,
    last: Rc<Object>,
    totals: Vec<Total>,
}

impl Groups {
    /// No groups yet.
    pub fn new(aggregate: &Aggregate) -> Groups {
        Groups {
            aggregate: aggregate.clone(),
            groups: Vec::new(),
        }
    }

    /// Takes an object into its group. One that has none of the keys is in no group.
    pub fn take(&mut self, object: &Rc<Object>, zone: &Zone) {
        let keys = &self.aggregate.keys;
        let key: Vec<Value> = keys.iter().map(|path| object.get(path, zone)).collect();
        if !key.is_empty() && key.iter().all(Value::is_absent) {
            return;
        }
        let functions = &self.aggregate.functions;
        let group = group_of(&mut self.groups, key, object, functions);
        group.last = Rc::clone(object);
        for (total, function) in group.totals.iter_mut().zip(functions) {
            let value = match &function.spec.field {
                Some(path) => object.get(path, zone),
                None => Value::Absent,
            };
            total.take(value);
        }
    }

    /// One object for each group, in ascending order of the keys: the last of the group with a
    /// column for each function.
    pub fn finish(&mut self) -> Vec<Rc<Object>> {
        let mut groups = std::mem::take(&mut self.groups);
        groups.sort_by(|a, b| order_of_tuples(&a.key, &b.key));
        let names = || self.aggregate.functions.iter().map(|f| f.name.clone());
        let annotated = |group: Group| {
            let values = group.totals.into_iter().map(Total::value);
            Rc::new(Object::Annotated(group.last, names().zip(values).collect()))
        };
        groups.into_iter().map(annotated).collect()
    }
}

fn group_of<'a>(
    groups: &'a mut Vec<Group>,
    key: Vec<Value>,
    first: &Rc<Object>,
    functions: &[Function],
) -> &'a mut Group {
    let same = |group: &Group| order_of_tuples(&group.key, &key).is_eq();
    let at = groups.iter().position(same).unwrap_or_else(|| {
        groups.push(Group {
            key,
            last: Rc::clone(first),
            totals: functions.iter().map(Total::new).collect(),
        });
        groups.len() - 1
    });
    &mut groups[at]
}

/// The order of two tuples of the same length.
pub fn order_of_tuples(left: &[Value], right: &[Value]) -> Ordering {
    let orders = left.iter().zip(right).map(|(a, b)| total_order(a, b));
    orders.fold(Ordering::Equal, Ordering::then)
}

/// What a function knows of a group.
enum Total {
    Count(i128),
    Sum(Sum),
    Least(Value),
    Greatest(Value),
}

#[derive(Default)]
struct Sum {
    integers: i128,
    /// All numbers, as doubles.
    exact: ExactSum,
    nanos: i64,
    has_integers: bool,
    has_doubles: bool,
    has_durations: bool,
}

impl Total {
    fn new(function: &Function) -> Total {
        match function.module.name {
            "count" => Total::Count(0),
            "sum" => Total::Sum(Sum::default()),
            "min" => Total::Least(Value::Absent),
            "max" => Total::Greatest(Value::Absent),
            name => panic!("the oracle does not know the function {name}"),
        }
    }

    fn take(&mut self, value: Value) {
        match self {
            Total::Count(count) => *count += 1,
            _ if value.is_absent() => {}
            Total::Sum(sum) => sum.take(&value),
            Total::Least(least) => {
                if least.is_absent() || total_order(&value, least).is_lt() {
                    *least = value;
                }
            }
            Total::Greatest(greatest) => {
                if greatest.is_absent() || total_order(&value, greatest).is_gt() {
                    *greatest = value;
                }
            }
        }
    }

    fn value(self) -> Value {
        match self {
            Total::Count(count) => Value::Integer(count),
            Total::Sum(sum) => sum.value(),
            Total::Least(value) | Total::Greatest(value) => value,
        }
    }
}

impl Sum {
    fn take(&mut self, value: &Value) {
        match value {
            Value::Bool(truth) => self.take_integer(i128::from(*truth)),
            Value::Integer(integer) => self.take_integer(*integer),
            Value::Named(number, _) => self.take_integer(i128::from(*number)),
            Value::Double(double) => {
                self.has_doubles = true;
                self.exact.add(*double);
            }
            Value::Duration(nanos) => {
                self.has_durations = true;
                self.nanos += nanos;
            }
            Value::Text(text) => match Literal::new(&String::from_utf8_lossy(text)).natural() {
                Value::Text(_) => {}
                number => self.take(&number),
            },
            other => panic!("{other:?} has no sum"),
        }
    }

    fn take_integer(&mut self, integer: i128) {
        self.has_integers = true;
        self.integers += integer;
        self.exact.add_integer(integer);
    }

    fn value(self) -> Value {
        match (self.has_durations, self.has_doubles, self.has_integers) {
            (true, _, _) => Value::Duration(self.nanos),
            (false, true, _) => Value::Double(self.exact.value()),
            (false, false, true) => Value::Integer(self.integers),
            (false, false, false) => Value::Absent,
        }
    }
}
