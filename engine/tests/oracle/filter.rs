//! Filter modules over one object.

use super::expression::compare_literal;
use super::object::Object;
use std::net::IpAddr;
use wireq_engine::Module;
use wireq_engine::arguments::Arguments;
use wireq_typesys::{CompareOp, FieldPath, Literal, Value, Zone};

/// The filter modules that the oracle interprets.
pub const FILTERS: [&str; 3] = ["mask", "equals", "private"];

/// Whether a filter module passes an object.
pub fn passes(module: &Module, arguments: &Arguments, object: &Object, zone: &Zone) -> bool {
    let words = arguments.words();
    let value = |at: usize| object.get(&FieldPath::new(&words[at].text), zone);
    match module.name {
        "private" => true,
        "mask" => {
            let text = words[1].text.as_str();
            let (text, negated) = text
                .strip_prefix('!')
                .map_or((text, false), |rest| (rest, true));
            matches!(value(0), Value::Address(address) if in_block(address, text) != negated)
        }
        "equals" => words[1..].iter().any(|word| {
            let literal = Literal {
                text: word.text.clone(),
                quoted: word.quoted,
            };
            compare_literal(CompareOp::Equal, &value(0), &literal, zone) == Some(true)
        }),
        name => panic!("the oracle does not know {name}"),
    }
}

/// Whether an address has the leading bits of a block, compared bit by bit.
fn in_block(address: IpAddr, text: &str) -> bool {
    let (block, bits) = text.split_once('/').unwrap_or((text, ""));
    let block: IpAddr = block.parse().expect("a block begins with an address");
    let octets = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let (address, block) = (octets(address), octets(block));
    let bits = bits.parse().unwrap_or(block.len() * 8);
    let bit = |octets: &[u8], at: usize| octets[at / 8] >> (7 - at % 8) & 1;
    address.len() == block.len() && (0..bits).all(|at| bit(&address, at) == bit(&block, at))
}
