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
    let patterns = patterns(arguments);
    let found = searched(value, arguments, zone).iter().any(|text| {
        let occurs = |pattern: &Vec<u8>| places(text, pattern) > 0;
        match arguments.flag("-m") {
            true => patterns.iter().all(occurs),
            false => patterns.iter().any(occurs),
        }
    });
    !value.is_absent() && found != arguments.flag("-n")
}

/// How often an object passes that passes.
pub fn times(module: &Module, arguments: &Arguments, object: &Object, zone: &Zone) -> usize {
    let each = module.name == "substr" && arguments.flag("--each") && !arguments.flag("-n");
    if !each {
        return 1;
    }
    let value = object.get(&FieldPath::new(&arguments.words()[0].text), zone);
    let mut patterns = patterns(arguments);
    patterns.sort();
    patterns.dedup();
    let texts = searched(&value, arguments, zone);
    let places = texts
        .iter()
        .flat_map(|text| patterns.iter().map(|pattern| places(text, pattern)));
    places.sum::<usize>().min(256)
}

fn places(text: &[u8], pattern: &[u8]) -> usize {
    text.windows(pattern.len())
        .filter(|part| *part == pattern)
        .count()
}

fn patterns(arguments: &Arguments) -> Vec<Vec<u8>> {
    let words = arguments.words()[1..].iter();
    words
        .map(|word| fold(arguments, unescape(word.text.as_bytes())))
        .collect()
}

/// The parts of a value's texts in which patterns are looked for.
fn searched(value: &Value, arguments: &Arguments, zone: &Zone) -> Vec<Vec<u8>> {
    let number = |flag| {
        let word = arguments.value(flag)?;
        Some(word.text.parse::<usize>().expect("the flag is a number"))
    };
    let texts = texts(value, zone).into_iter();
    texts
        .map(|text| {
            let text = fold(arguments, text);
            let rest = text.iter().skip(number("--offset").unwrap_or(0));
            rest.take(number("--depth").unwrap_or(text.len()))
                .copied()
                .collect()
        })
        .collect()
}

fn fold(arguments: &Arguments, mut text: Vec<u8>) -> Vec<u8> {
    if arguments.flag("-i") {
        text.make_ascii_lowercase();
    }
    text
}
