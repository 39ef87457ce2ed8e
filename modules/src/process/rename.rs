//! `rename`: attaches columns under other names.

use super::stateless;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::{Build, Example, Gives, Module, OperatorSpec};
use wireq_typesys::{FieldPath, Kind};

const NAME: &str = "rename";

pub(super) static MODULE: Module = Module {
    name: NAME,
    summary: "Gives fields further names.",
    details: "The old names stay. Pairs are taken from left to right: a later one may use the name \
              that an earlier one gave.",
    parameters: &[
        Parameter {
            name: "OLD",
            takes: Takes::Field,
            count: Count::One,
            summary: "The field.",
        },
        Parameter {
            name: "NEW",
            takes: Takes::Text,
            count: Count::One,
            summary: "Its further name.",
        },
        Parameter {
            name: "MORE",
            takes: Takes::Text,
            count: Count::Any,
            summary: "Further pairs: OLD NEW ...; none by default.",
        },
    ],
    examples: &[
        Example {
            title: "another name for the sender",
            query: "rename srcip host | where host | uniq host | print host srcip",
            input: "five.pcap",
            output: "192.0.2.1\t192.0.2.1\n192.0.2.2\t192.0.2.2\n",
        },
        Example {
            title: "conversions of the further name",
            query: "rename ts t | head 1 | print t.date t.sec",
            input: "five.pcap",
            output: "2026-01-01\t1767225600\n",
        },
        Example {
            title: "several names",
            query: "rename srcport client dstport server | where server = 80 | print client server",
            input: "five.pcap",
            output: "40002\t80\n40004\t80\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let (old, new) = pairs(arguments)?;
    // They hold what the old ones hold.
    let columns = new
        .iter()
        .map(|name| (name.clone(), Kind::Dynamic))
        .collect();
    let count = old.len();
    let like = new.iter().cloned().zip(old.iter().cloned()).collect();
    let mut needs: Vec<FieldPath> = Vec::new();
    let mut places = Vec::with_capacity(count);
    for path in old {
        let known = needs.iter().position(|need| *need == path);
        places.push(known.unwrap_or(needs.len()));
        if known.is_none() {
            needs.push(path);
        }
    }
    Ok(OperatorSpec {
        gives: Gives::Annotated(columns),
        passes_all: true,
        like,
        ..OperatorSpec::stateless(needs, move |_| {
            let places = places.clone();
            stateless::rows(move |view, out| {
                let column = |at: &usize| match view.column(*at) {
                    Some(column) => column.clone(),
                    None => stateless::absent(view.part.data.len()),
                };
                let columns = places.iter().map(column).collect();
                out.annotate(view.part, view.part.selection, columns);
            })
        })
    })
}

/// The fields of the input, and the names they get.
fn pairs(arguments: &Arguments) -> Result<(Vec<FieldPath>, Vec<FieldPath>), ArgumentError> {
    let words = arguments.words();
    let (pairs, rest) = words.as_chunks::<2>();
    if let [word] = rest {
        return Err(ArgumentError {
            help: Some("fields and names come in pairs: rename OLD NEW [OLD NEW ...]".into()),
            ..ArgumentError::at(NAME, word, "has no name behind it")
        });
    }
    let (mut old, mut new): (Vec<FieldPath>, Vec<FieldPath>) = Default::default();
    for [from, to] in pairs {
        if let Some(word) = [from, to].into_iter().find(|word| word.text.is_empty()) {
            return Err(ArgumentError::at(NAME, word, "is not the name of a field"));
        }
        let from = FieldPath::new(&from.text);
        let earlier = new.iter().zip(&old).rev();
        let field = earlier
            .filter_map(|(name, field)| {
                let below = from.below(name).map(|rest| field.join(rest));
                below.or_else(|| (from == *name).then(|| field.clone()))
            })
            .next();
        old.push(field.unwrap_or(from));
        new.push(FieldPath::new(&to.text));
    }
    Ok((old, new))
}
