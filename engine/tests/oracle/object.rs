//! Objects and their fields.

use super::capture::Frame;
use super::packet;
use std::rc::Rc;
use std::sync::Arc;
use wireq_engine::plan::stream::is_hidden;
use wireq_typesys::{CONVERSIONS, FieldPath, Kind, RecordType, Value, Zone};

/// Fields with their values.
pub type Fields = Vec<(FieldPath, Value)>;

/// One object. Fields of packets are read from the bytes whenever they are asked for.
#[derive(Debug)]
pub enum Object {
    /// A packet.
    Packet(Frame, Arc<dyn RecordType>),
    /// An object that has these fields and no others.
    Made(Fields),
    /// The same object with fields attached that hide its own of the same name.
    Annotated(Rc<Object>, Fields),
    /// A new object that has the fields of another one and carries others under names, which hide
    /// fields.
    Carrying(Rc<Object>, Vec<(FieldPath, Rc<Object>)>),
    /// The same object that carries others likewise.
    With(Rc<Object>, Vec<(FieldPath, Rc<Object>)>),
}

impl Object {
    /// The object with fields attached.
    pub fn annotated(self: Rc<Object>, fields: Fields) -> Rc<Object> {
        Rc::new(Object::Annotated(self, fields))
    }

    /// A new object with the same fields.
    pub fn derived(self: Rc<Object>) -> Rc<Object> {
        Rc::new(Object::Carrying(self, Vec::new()))
    }

    /// A new object that has nothing but others under names.
    pub fn carrying(objects: Vec<(FieldPath, Rc<Object>)>) -> Rc<Object> {
        Rc::new(Object::Carrying(Rc::new(Object::Made(Vec::new())), objects))
    }

    /// The names of all that was attached.
    pub fn attached(&self) -> Vec<FieldPath> {
        match self {
            Object::Packet(..) | Object::Made(_) => Vec::new(),
            Object::Annotated(base, fields) => {
                let mut names = base.attached();
                names.extend(fields.iter().map(|(path, _)| path.clone()));
                names
            }
            Object::Carrying(base, _) | Object::With(base, _) => base.attached(),
        }
    }

    /// The value of a path: a field, then conversions; absent where the object has no such field.
    /// What was attached last is asked first: a conversion belongs to what is attached under the
    /// name, not to what that hides.
    pub fn get(&self, path: &FieldPath, zone: &Zone) -> Value {
        match self {
            Object::Packet(frame, record_type) => {
                let field = |name: &str| {
                    let value = packet::field(frame, name)?;
                    Some(with_name(value, name, record_type.as_ref()))
                };
                read(path, field, zone).unwrap_or_default()
            }
            Object::Made(fields) => read(path, |n| among(fields, n), zone).unwrap_or_default(),
            Object::Annotated(base, fields) => {
                let own = read(path, |name| among(fields, name), zone);
                own.unwrap_or_else(|| base.get(path, zone))
            }
            Object::Carrying(base, objects) | Object::With(base, objects) => {
                let carried = objects.iter().rev().find_map(|(name, object)| {
                    // All that can be said of an object is that it is there.
                    if path == name {
                        return Some(Value::Bool(true));
                    }
                    let below = path.below(name)?;
                    Some(object.get(&FieldPath::new(below), zone))
                });
                carried.unwrap_or_else(|| base.get(path, zone))
            }
        }
    }

    /// The object that this one carries under a name.
    pub fn carried(&self, name: &FieldPath) -> Option<Rc<Object>> {
        match self {
            Object::Packet(..) | Object::Made(_) => None,
            // What is attached under the name of an object is attached to that object.
            Object::Annotated(base, fields) => {
                let below = |(path, value): &(FieldPath, Value)| {
                    Some((FieldPath::new(path.below(name)?), value.clone()))
                };
                let attached = fields.iter().filter_map(below).collect();
                Some(base.carried(name)?.annotated(attached))
            }
            Object::Carrying(base, objects) | Object::With(base, objects) => {
                let mut named = objects.iter().rev();
                let found = named.find(|(own, _)| own == name);
                found.map_or_else(|| base.carried(name), |(_, object)| Some(Rc::clone(object)))
            }
        }
    }

    /// The keys of the groups that the object is in, one within the other, as the plan's columns
    /// hold them.
    pub fn groups(&self) -> Fields {
        let (mut groups, own): (Fields, &[_]) = match self {
            Object::Packet(..) => (Vec::new(), &[]),
            Object::Made(fields) => (Vec::new(), fields),
            Object::Annotated(base, fields) => (base.groups(), fields),
            Object::Carrying(base, _) | Object::With(base, _) => (base.groups(), &[]),
        };
        for (path, value) in own.iter().filter(|(path, _)| is_hidden(path)) {
            groups.retain(|(known, _)| known != path);
            groups.push((path.clone(), value.clone()));
        }
        groups
    }

    /// What makes the object the one that it is, whatever was attached to it.
    pub fn identity(&self) -> *const Object {
        match self {
            Object::Annotated(base, _) | Object::With(base, _) => base.identity(),
            Object::Packet(..) | Object::Made(_) | Object::Carrying(..) => self,
        }
    }
}

/// The value of a path by the longest of its readings that `field` has; none where it has none.
/// What is no conversion makes another name.
fn read(path: &FieldPath, field: impl Fn(&str) -> Option<Value>, zone: &Zone) -> Option<Value> {
    path.readings().find_map(|(name, conversions)| {
        let value = field(name)?;
        let conversions = conversions.split('.').filter(|name| !name.is_empty());
        let is_conversion = |name| CONVERSIONS.iter().any(|known| known.name == name);
        if !conversions.clone().all(is_conversion) {
            return None;
        }
        Some(conversions.fold(value, |value, name| convert(&value, name, zone)))
    })
}

fn among(fields: &[(FieldPath, Value)], name: &str) -> Option<Value> {
    let mut named = fields.iter().rev();
    let (_, value) = named.find(|(path, _)| path.as_str() == name)?;
    Some(value.clone())
}

/// A number as a named number, where the type declares names for the field.
fn with_name(value: Value, name: &str, record_type: &dyn RecordType) -> Value {
    let kind = record_type
        .fields()
        .iter()
        .find(|field| field.name == name || field.aliases.contains(&name))
        .map(|field| field.kind);
    match (value, kind) {
        (Value::Integer(number), Some(Kind::Named(names))) => Value::Named(number as u64, names),
        (value, _) => value,
    }
}

/// A value through one conversion.
pub fn convert(value: &Value, conversion: &str, zone: &Zone) -> Value {
    if let (Value::List(values), false) = (value, matches!(conversion, "string" | "length")) {
        let each = values.iter().map(|value| convert(value, conversion, zone));
        return Value::List(each.collect());
    }
    let Some(kind) = value.kind() else {
        return Value::Absent;
    };
    CONVERSIONS
        .iter()
        .find(|known| known.name == conversion && (known.kind)(kind).is_some())
        .map_or(Value::Absent, |known| (known.convert)(value, zone))
}
