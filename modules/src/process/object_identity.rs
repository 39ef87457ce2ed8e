//! `uniqobj` and `countobj`: objects by what they are, not by what they hold.
//!
//! An object that reaches a bag on several ways comes out of it once for each. Its identity, kept
//! through filters, annotations, sorting and state, tells that it is the same one.

use std::any::Any;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::operator::{Groups, KEY_ROOM};
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::{
    Build, Error, Example, Module, Operator, OperatorSpec, Progress, StateClass, Verdict, View,
    same_operator,
};
use wireq_typesys::{Bitmap, PartData};

pub(super) static UNIQOBJ: Module = Module {
    name: "uniqobj",
    summary: "Passes each object once, however often it comes.",
    details: "Behind a bag this is `or`: an object that several branches passed comes once. Objects that \
              hold the same values are still different objects; see `uniq` for these.",
    parameters: &[],
    examples: &[
        Example {
            title: "either test, each packet once",
            query: "(where len > 100) + (where dstport = 80) | uniqobj | print srcip len",
            input: "five.pcap",
            output: "192.0.2.2\t125\n192.0.2.1\t54\n",
        },
        Example {
            title: "all packets, twice and once",
            query: "(head 5) + (head 5) | uniqobj | count()",
            input: "five.pcap",
            output: "5\n",
        },
        Example {
            title: "equal values are not the same object",
            query: "pcapfile five.pcap five.pcap | uniqobj | count()",
            input: "",
            output: "10\n",
        },
    ],
    build: Build::Operator(|_| spec(1, StateClass::Ordered)),
};

pub(super) static COUNTOBJ: Module = Module {
    name: "countobj",
    summary: "Passes an object when it comes for the Nth time.",
    details: "Behind a bag of N branches this is `and`: an object that all of them passed comes once.",
    parameters: &[Parameter {
        name: "-t",
        takes: Takes::Number,
        count: Count::Optional,
        summary: "How often it has to come; 1 unless given.",
    }],
    examples: &[
        Example {
            title: "both tests",
            query: "(where len > 100) + (where dstport = 80) | countobj -t 2 | print srcip len",
            input: "five.pcap",
            output: "192.0.2.2\t125\n",
        },
        Example {
            title: "once is uniqobj",
            query: "(head 2) + (head 3) | countobj -t 1 | count()",
            input: "five.pcap",
            output: "3\n",
        },
        Example {
            title: "never so often",
            query: "(head 2) + (head 3) | countobj -t 3 | print len",
            input: "five.pcap",
            output: "",
        },
    ],
    build: Build::Operator(build_count),
};

fn build_count(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    let Some(word) = arguments.value("-t") else {
        return spec(1, StateClass::Keyed);
    };
    match word.text.parse() {
        Ok(times) if times > 0 => spec(times, StateClass::Keyed),
        _ => Err(ArgumentError::at(
            COUNTOBJ.name,
            word,
            "is no number of times from 1",
        )),
    }
}

fn spec(times: u64, class: StateClass) -> Result<OperatorSpec, ArgumentError> {
    Ok(OperatorSpec {
        class,
        reads_identity: true,
        grows: true,
        bound: Some("one count for each object"),
        ..OperatorSpec::stateless(Vec::new(), move |context| {
            Box::new(Identities {
                times,
                seen: Groups::new(context.seed),
                counts: Vec::new(),
                offered: Vec::new(),
                partial: false,
            })
        })
    })
}

/// The identity of an object as a key: all of one length.
type Identity = [u8; 12];

struct Identities {
    times: u64,
    seen: Groups,
    counts: Vec<u64>,
    /// The objects passed, in order, for those that come before this part.
    offered: Vec<Identity>,
    partial: bool,
}

fn identity(data: &PartData, row: usize) -> Identity {
    let (origin, position) = data.identity(row);
    let mut identity = [0; 12];
    identity[..4].copy_from_slice(&origin.to_be_bytes());
    identity[4..].copy_from_slice(&position.to_be_bytes());
    identity
}

impl Identities {
    /// Counts an object; whether this is the time to pass it.
    fn count(&mut self, identity: &[u8], times: u64) -> bool {
        let (number, _) = self.seen.number_key(identity);
        self.counts
            .resize(self.seen.limit().max(self.counts.len()), 0);
        let count = &mut self.counts[number as usize];
        let before = *count;
        *count = before.saturating_add(times);
        before < self.times && *count >= self.times
    }
}

impl Operator for Identities {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        for view in views {
            let mut passing = Bitmap::EMPTY;
            view.part.selection.for_each(|row| {
                let identity = identity(&view.part.data, row);
                if self.count(&identity, 1) {
                    passing.set(row);
                    if self.partial {
                        self.offered.push(identity);
                    }
                }
            });
            out.account.filtered += (view.part.count() - passing.count()) as u64;
            out.pass(view.part, passing);
        }
        Ok(Progress::Continue)
    }

    fn partial(&mut self) {
        self.partial = true;
    }

    fn memory(&self) -> usize {
        self.seen.memory()
            + self.counts.capacity() * size_of::<u64>()
            + self.offered.capacity() * size_of::<Identity>()
    }

    fn save(&self, out: &mut Writer) {
        let seen = self.seen.sorted();
        out.number(seen.len() as u64);
        for key in seen {
            out.bytes(key.bytes(&mut [0; KEY_ROOM]));
            out.number(self.counts.get(key.number as usize).copied().unwrap_or(0));
        }
        out.number(self.offered.len() as u64);
        self.offered.iter().for_each(|identity| out.bytes(identity));
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        for _ in 0..from.number()? {
            let key = from.bytes()?;
            self.count(key, from.number()?);
        }
        for _ in 0..from.number()? {
            let identity = from.bytes()?.try_into();
            self.offered.push(
                identity.map_err(|_| Error::Snapshot("an identity has twelve bytes".into()))?,
            );
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Identities>("uniqobj", right)?;
        let before = |identity: &Identity| {
            let key = identity.as_slice();
            self.seen
                .find(key)
                .and_then(|number| self.counts.get(number as usize))
                .copied()
                .unwrap_or(0)
        };
        let stands: Vec<bool> = right
            .offered
            .iter()
            .map(|identity| before(identity) == 0)
            .collect();
        if self.partial {
            let kept = right
                .offered
                .iter()
                .zip(&stands)
                .filter(|(_, stands)| **stands);
            self.offered.extend(kept.map(|(identity, _)| *identity));
        }
        for key in right.seen.sorted() {
            let count = right.counts.get(key.number as usize).copied().unwrap_or(0);
            self.count(key.bytes(&mut [0; KEY_ROOM]), count);
        }
        Ok(Verdict::Each(stands))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
