//! Data time in steps: what the modules share that act at multiples of a period.

use wireq_engine::arguments::{ArgumentError, Word};
use wireq_typesys::{Kind, Literal, Value, Zone, parse_time};

const SECOND: i128 = 1_000_000_000;

/// A period as given to a module, in nanoseconds; a bare number is seconds.
pub(super) fn period(module: &str, word: &Word, zone: &Zone) -> Result<i64, ArgumentError> {
    match Literal::new(&word.text).read(Kind::Duration, zone) {
        Some(Value::Duration(nanos)) if nanos > 0 => Ok(nanos),
        _ => Err(ArgumentError {
            help: Some("write a duration above 0, such as 10s, 250ms or 1h30m".into()),
            ..ArgumentError::at(module, word, "is no period")
        }),
    }
}

/// A value as nanoseconds: times since 1970, durations, numbers as seconds; text as a time.
pub(super) fn nanos(value: &Value, zone: &Zone) -> Option<i128> {
    match value {
        Value::Time(nanos) | Value::Duration(nanos) => Some((*nanos).into()),
        Value::Integer(seconds) => seconds.checked_mul(SECOND),
        Value::Named(seconds, _) => Some(i128::from(*seconds) * SECOND),
        Value::Double(seconds) => {
            let nanos = (seconds * SECOND as f64).round();
            // Beyond 2^100 a double holds no nanoseconds any more.
            (nanos.abs() < 1e30).then_some(nanos as i128)
        }
        Value::Text(text) => parse_time(std::str::from_utf8(text).ok()?, zone).map(i128::from),
        _ => None,
    }
}
