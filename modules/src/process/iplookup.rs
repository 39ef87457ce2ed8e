//! `iplookup`: which of many blocks an address is in.

use super::blocks::{self, Blocks};
use super::stateless;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::schedule::output::Output;
use wireq_engine::{Build, Example, Gives, Module, OperatorSpec, View};
use wireq_typesys::{Bitmap, Column, Data, FieldPath, Kind, Prefix};

pub(super) static MODULE: Module = Module {
    name: "iplookup",
    summary: "Passes objects whose address is in any of the blocks, and says in which ones.",
    details: "With -f a list of all the blocks that the address is in is attached, the smallest \
              last; it is absent where there are none. The time it takes does not depend on the \
              number of blocks. Of a list field any address may be the one.",
    parameters: &[
        Parameter {
            name: "-f",
            takes: Takes::Text,
            count: Count::Optional,
            summary: "The name of the list of blocks; none is attached by default.",
        },
        Parameter {
            name: "-a",
            takes: Takes::Nothing,
            count: Count::Optional,
            summary: "With -f: pass all objects; by default those in a block.",
        },
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::One,
            summary: "The address.",
        },
        Parameter {
            name: "BLOCK",
            takes: Takes::Text,
            count: Count::Some,
            summary: "IPv4 or IPv6, such as 10.0.0.0/8; without bits a single address.",
        },
    ],
    examples: &[
        Example {
            title: "packets of any of two hosts",
            query: "iplookup dstip 198.51.100.10 198.51.100.53 | print dstip",
            input: "five.pcap",
            output: "198.51.100.10\n198.51.100.53\n",
        },
        Example {
            title: "all blocks around an address",
            query: "iplookup -f net dstip 198.51.100.16/28 0.0.0.0/0 198.51.100.10 | print dstip net",
            input: "five.pcap",
            output: "198.51.100.10\t0.0.0.0/0,198.51.100.10/32\n\
                     198.51.100.20\t0.0.0.0/0,198.51.100.16/28\n\
                     198.51.100.20\t0.0.0.0/0,198.51.100.16/28\n\
                     198.51.100.53\t0.0.0.0/0\n",
        },
        Example {
            title: "packets in no block are passed too",
            query: "iplookup -a -f net srcip 192.0.2.2/32 | print len net",
            input: "five.pcap",
            output: "74\n125\t192.0.2.2/32\n60\n54\n76\t192.0.2.2/32\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let all = arguments.flag("-a");
    if all && !arguments.flag("-f") {
        return Err(ArgumentError {
            module: "iplookup".into(),
            argument: "-a".into(),
            message: "without -f does nothing".into(),
            help: Some("give the list of blocks a name: iplookup -a -f NAME FIELD BLOCK...".into()),
            span: None,
        });
    }
    let words = arguments.words();
    let list: Vec<Prefix> = words
        .iter()
        .skip(1)
        .map(|word| blocks::read("iplookup", word, &word.text))
        .collect::<Result<_, _>>()?;
    let needs: Vec<FieldPath> = arguments.fields().into_iter().take(1).collect();
    if !arguments.flag("-f") {
        let blocks = Arc::new(Blocks::outermost(&list));
        return Ok(OperatorSpec::stateless(needs, move |_| {
            let blocks = Arc::clone(&blocks);
            stateless::filter(move |view| select(view, &blocks))
        }));
    }
    let name = stateless::column_name("iplookup", arguments, "")?;
    let blocks = Arc::new(Blocks::all(&list));
    Ok(OperatorSpec {
        gives: Gives::Annotated(vec![(name, Kind::List(&Kind::Prefix))]),
        ..OperatorSpec::stateless(needs, move |_| {
            let blocks = Arc::clone(&blocks);
            stateless::rows(move |view, out| annotate(view, &blocks, all, out))
        })
    })
}

fn select(view: View<'_>, blocks: &Blocks) -> Bitmap {
    let mut passing = Bitmap::EMPTY;
    if let Some(column) = view.column(0) {
        blocks::each_address(column, &view.part.selection, |row, address| {
            if blocks.contain(address) {
                passing.set(row);
            }
        });
    }
    passing
}

fn annotate(view: View<'_>, blocks: &Blocks, all: bool, out: &mut Output) {
    let rows = view.part.selection;
    let (ranges, found) = match view.column(0) {
        Some(column) => around(column, &rows, blocks, view.part.data.len()),
        None => (vec![(0, 0); view.part.data.len()], Vec::new()),
    };
    let valid = Bitmap::from_slice(&ranges, |(start, end)| end > start);
    let passing = if all { rows } else { rows.and(&valid) };
    out.account.filtered += (rows.count() - passing.count()) as u64;
    let column = Column {
        data: Data::List(ranges, Box::new(Data::Prefix(found))),
        valid,
        names: None,
    };
    out.annotate(view.part, passing, vec![column]);
}

/// The blocks around the addresses of the rows: a range for each row, and the blocks.
fn around(
    column: &Column,
    rows: &Bitmap,
    blocks: &Blocks,
    len: usize,
) -> (Vec<(u32, u32)>, Vec<Prefix>) {
    let mut ranges = vec![(0, 0); len];
    let mut found: Vec<Prefix> = Vec::new();
    let mut last = None;
    blocks::each_address(column, rows, |row, address| {
        let again = last == Some(row);
        let start = if again {
            ranges[row].0 as usize
        } else {
            found.len()
        };
        last = Some(row);
        found.extend(blocks.around(address));
        // The blocks around several addresses of a row are one list.
        if again {
            found[start..].sort_by_key(|block| (block.bits, block.address));
            let mut at = start;
            for next in start..found.len() {
                if next == start || found[next] != found[at - 1] {
                    found[at] = found[next];
                    at += 1;
                }
            }
            found.truncate(at);
        }
        ranges[row] = (start as u32, found.len() as u32);
    });
    (ranges, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wireq_typesys::{Literal, Value, Zone, write_value};

    #[test]
    fn several_addresses_of_a_row_give_one_list() {
        let zone = Zone::utc();
        let read = |text: &&str, kind| {
            Literal::new(text)
                .read(kind, &zone)
                .expect("a reading of this kind")
        };
        let blocks: Vec<Prefix> = ["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "fd00::/8"]
            .iter()
            .filter_map(|text| match read(text, Kind::Prefix) {
                Value::Prefix(prefix) => Some(prefix),
                _ => None,
            })
            .collect();
        let list = |texts: &[&str]| {
            Value::List(texts.iter().map(|text| read(text, Kind::Address)).collect())
        };
        let column = Column::from_values([
            list(&["10.1.2.3", "10.2.2.2", "fd00::1"]),
            list(&[]),
            list(&["fe80::1"]),
            list(&["10.9.9.9"]),
        ]);
        let (ranges, found) = around(&column, &Bitmap::first(4), &Blocks::all(&blocks), 4);
        let texts: Vec<String> = ranges
            .iter()
            .map(|(start, end)| {
                let range = &found[*start as usize..*end as usize];
                let mut out = Vec::new();
                let values = range.iter().map(|block| Value::Prefix(*block)).collect();
                write_value(&Value::List(values), &zone, &mut out);
                String::from_utf8_lossy(&out).into_owned()
            })
            .collect();
        let both = "0.0.0.0/0,10.0.0.0/8,fd00::/8,10.1.0.0/16";
        assert_eq!(texts, [both, "", "", "0.0.0.0/0,10.0.0.0/8"]);
    }
}
