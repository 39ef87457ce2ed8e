//! `mask`: passes objects whose address is in a block.

use super::{blocks, stateless};
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::{Build, Example, Module, OperatorSpec, View};
use wireq_typesys::{Address, Bitmap, Data, FieldPath, Prefix};

pub(super) static MODULE: Module = Module {
    name: "mask",
    summary: "Passes objects whose address is in a block, or with `!` outside of it.",
    details: "Host bits of the block do not matter: 192.0.2.7/24 is 192.0.2.0/24. Of a list any \
              address may be the one. Objects without the field do not pass, with `!` neither.",
    parameters: &[
        Parameter {
            name: "FIELD",
            takes: Takes::Field,
            count: Count::One,
            summary: "The address.",
        },
        Parameter {
            name: "BLOCK",
            takes: Takes::Text,
            count: Count::One,
            summary: "IPv4 or IPv6, such as 10.0.0.0/8; without bits a single address; `!` in front: outside.",
        },
    ],
    examples: &[
        Example {
            title: "packets to a network",
            query: "mask dstip 198.51.100.16/29 | print dstip",
            input: "five.pcap",
            output: "198.51.100.20\n198.51.100.20\n",
        },
        Example {
            title: "packets from outside of a block",
            query: "mask srcip !192.0.2.0/31 | print srcip dstport",
            input: "five.pcap",
            output: "192.0.2.2\t80\n192.0.2.2\t53\n",
        },
        Example {
            title: "how many have an IPv4 address at all",
            query: "mask srcip 0.0.0.0/0 | count()",
            input: "five.pcap",
            output: "4\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let [field, block] = arguments.words() else {
        // The parameters ask for two words, and they were checked.
        return Ok(OperatorSpec::stateless(Vec::new(), |_| {
            stateless::filter(|_| Bitmap::EMPTY)
        }));
    };
    let (text, inside) = match block.text.strip_prefix('!') {
        Some(rest) => (rest, false),
        None => (block.text.as_str(), true),
    };
    let test = Test::new(&blocks::read("mask", block, text)?, inside);
    let field = FieldPath::new(&field.text);
    Ok(OperatorSpec::stateless(vec![field], move |_| {
        stateless::filter(move |view| test.select(view))
    }))
}

#[derive(Clone, Copy)]
struct Test {
    first: Address,
    mask: u128,
    inside: bool,
}

impl Test {
    fn new(block: &Prefix, inside: bool) -> Test {
        Test {
            first: block.address.into(),
            mask: blocks::mask(block),
            inside,
        }
    }

    #[inline]
    fn holds(self, address: Address) -> bool {
        let within = address.v6 == self.first.v6 && address.bits & self.mask == self.first.bits;
        within == self.inside
    }

    fn select(self, view: View<'_>) -> Bitmap {
        let Some(column) = view.column(0) else {
            return Bitmap::EMPTY;
        };
        let rows = view.part.selection.and(&column.valid);
        match &column.data {
            // The common case, in lanes of 32 bits.
            Data::Address4(v) if !self.first.v6 => {
                let (first, mask) = (self.first.bits as u32, self.mask as u32);
                Bitmap::from_slice(v, |v| (v & mask == first) == self.inside).and(&rows)
            }
            Data::Address(v) => Bitmap::from_slice(v, |v| self.holds(v)).and(&rows),
            _ => {
                let mut passing = Bitmap::EMPTY;
                blocks::each_address(column, &rows, |row, address| {
                    if self.holds(address) {
                        passing.set(row);
                    }
                });
                passing
            }
        }
    }
}
