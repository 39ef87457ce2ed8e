//! Keys and the controls that say a key is complete.

use wireq_typesys::{FieldPath, Value, key, total_order};

/// The fields of a key with their values: what a Close of it says.
pub(super) fn fields_of(keys: &[FieldPath], mut key: &[u8]) -> Vec<(FieldPath, Value)> {
    keys.iter()
        .map(|path| (path.clone(), key::decode(&mut key).unwrap_or_default()))
        .collect()
}

/// Whether a Close concerns a key: some of its fields are keys, and all of these are equal.
pub(super) fn concerns(close: &[(FieldPath, Value)], keys: &[FieldPath], key: &[u8]) -> bool {
    let values = fields_of(keys, key);
    let mut concerned = false;
    for (path, value) in close {
        if let Some((_, own)) = values.iter().find(|(key, _)| key == path) {
            concerned = true;
            if !total_order(own, value).is_eq() {
                return false;
            }
        }
    }
    concerned
}
