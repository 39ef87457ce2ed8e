//! Keys and the controls that say a key is complete.

use wireq_typesys::{FieldPath, Value, key, total_order};

/// The fields of a key with their values: what a Close of it says.
pub(super) fn fields_of(keys: &[FieldPath], mut key: &[u8]) -> Vec<(FieldPath, Value)> {
    keys.iter()
        .map(|path| (path.clone(), key::decode(&mut key).unwrap_or_default()))
        .collect()
}

/// Whether a Close is about keys: it has fields, and all of them are keys. A Close of more fields than
/// the keys says nothing of a key: other objects that have it may come.
pub(super) fn is_about(close: &[(FieldPath, Value)], keys: &[FieldPath]) -> bool {
    !close.is_empty() && close.iter().all(|(path, _)| keys.contains(path))
}

/// Whether a Close that is about keys concerns one of them: all that it says is equal.
pub(super) fn concerns(close: &[(FieldPath, Value)], keys: &[FieldPath], key: &[u8]) -> bool {
    let values = fields_of(keys, key);
    close.iter().all(|(path, value)| {
        let own = values.iter().find(|(key, _)| key == path);
        own.is_some_and(|(_, own)| total_order(own, value).is_eq())
    })
}
