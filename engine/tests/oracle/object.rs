//! Objects and their fields.

use super::capture::Frame;
use super::packet;
use std::rc::Rc;
use std::sync::Arc;
use wireq_typesys::{CONVERSIONS, FieldPath, Kind, RecordType, Value, Zone};

/// One object. Fields of packets are read from the bytes whenever they are asked for.
#[derive(Debug)]
pub enum Object {
    /// A packet.
    Packet(Frame, Arc<dyn RecordType>),
    /// An object that has these fields and no others.
    Made(Vec<(FieldPath, Value)>),
    /// Another object with fields attached that hide its own of the same name.
    Annotated(Rc<Object>, Vec<(FieldPath, Value)>),
}

impl Object {
    /// The value of a path: a field, then conversions; absent where the object has no such field.
    pub fn get(&self, path: &FieldPath, zone: &Zone) -> Value {
        for (name, conversions) in path.readings() {
            if let Some(value) = self.field(name) {
                return conversions
                    .split('.')
                    .filter(|conversion| !conversion.is_empty())
                    .fold(value, |value, conversion| convert(&value, conversion, zone));
            }
        }
        Value::Absent
    }

    /// The field of a name; none where such objects have no field of this name.
    fn field(&self, name: &str) -> Option<Value> {
        match self {
            Object::Packet(frame, record_type) => {
                let value = packet::field(frame, name)?;
                Some(with_name(value, name, record_type.as_ref()))
            }
            Object::Made(fields) => among(fields, name),
            Object::Annotated(base, fields) => among(fields, name).or_else(|| base.field(name)),
        }
    }
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

fn convert(value: &Value, conversion: &str, zone: &Zone) -> Value {
    let Some(kind) = value.kind() else {
        return Value::Absent;
    };
    CONVERSIONS
        .iter()
        .find(|known| known.name == conversion && (known.kind)(kind).is_some())
        .map_or(Value::Absent, |known| (known.convert)(value, zone))
}
