//! Filter modules over one object.

use super::expression::compare_literal;
use super::object::Object;
use super::regex::Regex;
use std::net::IpAddr;
use wireq_engine::Module;
use wireq_engine::arguments::{Arguments, Word};
use wireq_typesys::{CompareOp, FieldPath, Literal, Value, Zone, unescape, write_value};

/// The filter modules that the oracle interprets.
pub const FILTERS: [&str; 7] = [
    "mask", "equals", "private", "noop", "substr", "match", "iplookup",
];

/// Whether a filter module passes an object.
pub fn passes(module: &Module, arguments: &Arguments, object: &Object, zone: &Zone) -> bool {
    let words = arguments.words();
    let value = || object.get(&FieldPath::new(&words[0].text), zone);
    match module.name {
        "private" => true,
        "noop" => false,
        "mask" => {
            let text = words[1].text.as_str();
            let (text, negated) = text
                .strip_prefix('!')
                .map_or((text, false), |rest| (rest, true));
            addresses(&value()).any(|address| in_block(address, text) != negated)
        }
        "iplookup" => {
            let value = value();
            let mut addresses = addresses(&value);
            addresses.any(|address| words[1..].iter().any(|w| in_block(address, &w.text)))
        }
        "equals" => words[1..].iter().any(|word| {
            compare_literal(CompareOp::Equal, &value(), &literal(word), zone) == Some(true)
        }),
        "substr" => has_substring(&value(), arguments, zone),
        "match" => {
            let regex = Regex::new(&words[1].text, arguments.flag("-i"));
            let regex = regex.expect("the oracle knows the expression");
            let value = value();
            let found = texts(&value, zone).iter().any(|text| regex.is_in(text));
            !value.is_absent() && found != arguments.flag("-v")
        }
        name => panic!("the oracle does not know {name}"),
    }
}

/// A word as a constant.
pub fn literal(word: &Word) -> Literal {
    Literal {
        text: word.text.clone(),
        quoted: word.quoted,
    }
}

/// The addresses that a value is or has.
pub fn addresses(value: &Value) -> impl Iterator<Item = IpAddr> {
    let values = match value {
        Value::List(values) => values,
        value => std::slice::from_ref(value),
    };
    values.iter().filter_map(|value| match value {
        Value::Address(address) => Some(*address),
        _ => None,
    })
}

/// Whether an address has the leading bits of a block, compared bit by bit.
pub fn in_block(address: IpAddr, text: &str) -> bool {
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

/// What is searched of a value: bytes and text as they are, other kinds in their text form, a list
/// value by value.
fn texts(value: &Value, zone: &Zone) -> Vec<Vec<u8>> {
    match value {
        Value::Absent => Vec::new(),
        Value::Bytes(bytes) | Value::Text(bytes) => vec![bytes.to_vec()],
        Value::List(values) => values.iter().flat_map(|value| texts(value, zone)).collect(),
        value => {
            let mut text = Vec::new();
            write_value(value, zone, &mut text);
            vec![text]
        }
    }
}

fn has_substring(value: &Value, arguments: &Arguments, zone: &Zone) -> bool {
    let number = |flag| {
        let word = arguments.value(flag)?;
        Some(word.text.parse::<usize>().expect("the flag is a number"))
    };
    let fold = |mut text: Vec<u8>| {
        if arguments.flag("-i") {
            text.make_ascii_lowercase();
        }
        text
    };
    let patterns = arguments.words()[1..].iter();
    let patterns: Vec<Vec<u8>> = patterns
        .map(|w| fold(unescape(w.text.as_bytes())))
        .collect();
    let found = texts(value, zone).into_iter().any(|text| {
        let text = fold(text);
        let searched = text.iter().skip(number("--offset").unwrap_or(0));
        let searched: Vec<u8> = searched
            .take(number("--depth").unwrap_or(text.len()))
            .copied()
            .collect();
        let occurs = |pattern: &Vec<u8>| searched.windows(pattern.len()).any(|w| w == pattern);
        match arguments.flag("-m") {
            true => patterns.iter().all(occurs),
            false => patterns.iter().any(occurs),
        }
    });
    !value.is_absent() && found != arguments.flag("-n")
}
