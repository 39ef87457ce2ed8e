//! What `sort` is told of the order of its fields.

use wireq_engine::Order;
use wireq_engine::arguments::{ArgumentError, Arguments};

/// What `--order` says of each field.
pub(super) fn orders(arguments: &Arguments, fields: usize) -> Result<Vec<Order>, ArgumentError> {
    let ascending = Order {
        descending: false,
        absent_first: true,
    };
    let Some(word) = arguments.value("--order") else {
        return Ok(vec![ascending; fields]);
    };
    let named = |name: &str| {
        let (direction, absent) = name.split_once('-').unwrap_or((name, ""));
        let descending = match direction {
            "asc" => false,
            "desc" => true,
            _ => return None,
        };
        let absent_first = match absent {
            "" => !descending,
            "first" => true,
            "last" => false,
            _ => return None,
        };
        Some(Order {
            descending,
            absent_first,
        })
    };
    let orders: Option<Vec<Order>> = word.text.split(':').map(named).collect();
    let fault = |message: &str| ArgumentError {
        help: Some("such as: sort --order desc:asc-last len srcip".to_owned()),
        ..ArgumentError::at("sort", word, message)
    };
    match orders {
        None => Err(fault(
            "is not asc, asc-last, desc or desc-first, with colons between",
        )),
        Some(orders) if orders.len() != fields => Err(fault(&format!(
            "says how {} fields are ordered, not {fields}",
            orders.len()
        ))),
        Some(orders) => Ok(orders),
    }
}
