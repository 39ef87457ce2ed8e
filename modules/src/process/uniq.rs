//! `uniq`: passes the first object of each distinct value.

use std::any::Any;
use std::sync::Arc;
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::operator::{Groups, KEY_ROOM, KeyedHash};
use wireq_engine::planted::is_planted;
use wireq_engine::schedule::output::Output;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_engine::spill::{Layout, Runs, keep_all};
use wireq_engine::{
    Build, Context, Error, Example, Module, Operator, OperatorSpec, Progress, StateClass, Verdict,
    View, same_operator,
};
use wireq_typesys::{Bitmap, allocated, key};

pub(super) static MODULE: Module = Module {
    name: "uniq",
    summary: "Passes the first object of each distinct combination of values.",
    details: "A field that an object lacks is a value of its own: objects that lack all of the fields \
              pass once. Past a limit of memory, combinations are kept in files, and about 11 bits \
              of each in memory.",
    parameters: &[Parameter {
        name: "FIELD",
        takes: Takes::Field,
        count: Count::Some,
        summary: "The fields that must differ.",
    }],
    examples: &[
        Example {
            title: "who sends",
            query: "where srcip | uniq srcip | print srcip",
            input: "five.pcap",
            output: "192.0.2.1\n192.0.2.2\n",
        },
        Example {
            title: "who talks to which port",
            query: "uniq srcip dstport | print srcip dstport",
            input: "five.pcap",
            output: "192.0.2.1\t443\n192.0.2.2\t80\n192.0.2.1\t80\n192.0.2.2\t53\n",
        },
        Example {
            title: "how many senders",
            query: "where srcip | uniq srcip | count()",
            input: "five.pcap",
            output: "2\n",
        },
    ],
    build: Build::Operator(build),
};

fn build(arguments: &Arguments) -> Result<OperatorSpec, ArgumentError> {
    Ok(OperatorSpec {
        class: StateClass::Ordered,
        grows: true,
        // What differs in a further field is another combination.
        divided: Some(Arc::new(|context| Box::new(Uniq::new(context)))),
        bound: Some("one key for each distinct combination; past a limit of memory in files"),
        ..OperatorSpec::stateless(arguments.fields(), |context| Box::new(Uniq::new(context)))
    })
}

struct Uniq {
    fields: usize,
    /// Keys in memory.
    seen: Groups,
    /// By the number of a key in memory, whether it is in files too: it came again.
    known: Vec<u64>,
    /// Keys in files, each once.
    spilled: Runs,
    hash: KeyedHash,
    /// The keys of the objects passed, in order, for those that come before this part.
    offered: Vec<Vec<u8>>,
    offered_bytes: usize,
    /// Whether what is passed are candidates only: see [`Operator::partial`].
    partial: bool,
    seed: u64,
    rows: Vec<u16>,
    numbers: Vec<u32>,
    /// Where in the rows keys are that are new in memory.
    new: Vec<usize>,
    key: Vec<u8>,
}

const LAYOUT: Layout = Layout {
    fan_in: 8,
    index_bytes: 1024,
    filter: true,
};

impl Uniq {
    fn new(context: &Context) -> Uniq {
        let fields = if is_planted("uniq-first-field-only") {
            1
        } else {
            context.fields.len()
        };
        Uniq {
            fields,
            seen: Groups::new(context.seed),
            known: Vec::new(),
            spilled: Runs::new(LAYOUT),
            hash: KeyedHash::new(context.seed),
            offered: Vec::new(),
            offered_bytes: 0,
            partial: false,
            seed: context.seed,
            rows: Vec::new(),
            numbers: Vec::new(),
            new: Vec::new(),
            key: Vec::new(),
        }
    }

    /// The rows of a view whose key comes for the first time.
    fn first(&mut self, view: View<'_>) -> Result<Bitmap, Error> {
        self.rows.clear();
        view.part
            .selection
            .for_each(|row| self.rows.push(row as u16));
        let columns = (0..self.fields).map(|at| view.column(at));
        let (rows, numbers, mut first) = (&self.rows, &mut self.numbers, Bitmap::EMPTY);
        let in_memory = self.spilled.is_empty() && !self.partial;
        self.new.clear();
        self.seen.number_rows(columns.clone(), rows, numbers, |at| {
            if in_memory {
                first.set(usize::from(rows[at]));
            } else {
                self.new.push(at);
            }
        });
        for at in &self.new {
            let row = usize::from(self.rows[*at]);
            self.key.clear();
            for column in columns.clone() {
                key::encode_row(column, row, &mut self.key);
            }
            if !self.spilled.is_empty() && is_in(&mut self.spilled, self.hash, &self.key)? {
                know(&mut self.known, self.numbers[*at]);
                continue;
            }
            first.set(row);
            if self.partial {
                self.offered_bytes += allocated(self.key.len());
                self.offered.push(self.key.clone());
            }
        }
        Ok(first)
    }

    /// Whether a key comes for the first time; from now on it did.
    fn is_first(&mut self, key: &[u8]) -> Result<bool, Error> {
        let (number, new) = self.seen.number_key(key);
        if !new || self.spilled.is_empty() {
            return Ok(new);
        }
        let known = is_in(&mut self.spilled, self.hash, key)?;
        if known {
            know(&mut self.known, number);
        }
        Ok(!known)
    }

    fn is_known(&self, number: u32) -> bool {
        let word = self.known.get(number as usize / 64).copied().unwrap_or(0);
        word >> (number % 64) & 1 == 1
    }
}

fn is_in(spilled: &mut Runs, hash: KeyedHash, key: &[u8]) -> Result<bool, Error> {
    spilled.contains(key, hash.of(key))
}

fn know(known: &mut Vec<u64>, number: u32) {
    let word = number as usize / 64;
    known.resize(known.len().max(word + 1), 0);
    known[word] |= 1 << (number % 64);
}

impl Operator for Uniq {
    fn step(
        &mut self,
        _port: usize,
        views: &[View<'_>],
        out: &mut Output,
    ) -> Result<Progress, Error> {
        if is_planted("uniq-per-batch") {
            self.seen = Groups::new(self.seed);
        }
        for view in views {
            let first = self.first(*view)?;
            out.account.filtered += (self.rows.len() - first.count()) as u64;
            out.pass(view.part, first);
        }
        Ok(Progress::Continue)
    }

    fn partial(&mut self) {
        self.partial = true;
    }

    fn memory(&self) -> usize {
        let offered = self.offered.capacity() * size_of::<Vec<u8>>() + self.offered_bytes;
        self.seen.memory() + self.known.capacity() * 8 + self.spilled.memory() + offered
    }

    fn spill(&mut self) -> Result<bool, Error> {
        if self.seen.is_empty() {
            return Ok(false);
        }
        let known: u32 = self.known.iter().map(|word| word.count_ones()).sum();
        let mut run = self.spilled.begin(self.seen.len() - known as usize)?;
        let mut keys = self.seen.drain();
        self.key.clear();
        while let Some(number) = keys.next(&mut self.key) {
            if !self.is_known(number) {
                run.push_hashed(&self.key, self.hash.of(&self.key))?;
            }
            self.key.clear();
        }
        self.spilled.add(run, &mut keep_all)?;
        self.known = Vec::new();
        Ok(true)
    }

    fn save(&self, out: &mut Writer) {
        let keys = self.seen.sorted();
        let keys = keys.iter().filter(|key| !self.is_known(key.number));
        out.number(keys.clone().count() as u64 + self.spilled.len());
        keys.for_each(|key| out.bytes(key.bytes(&mut [0; KEY_ROOM])));
        // Where files can't be read keys are missing: loading says so.
        if save_spilled(&self.spilled, out).is_ok() {
            out.number(self.offered.len() as u64);
            self.offered.iter().for_each(|key| out.bytes(key));
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        for _ in 0..from.number()? {
            self.seen.number_key(from.bytes()?);
        }
        for _ in 0..from.number()? {
            let key = from.bytes()?.to_vec();
            self.offered_bytes += allocated(key.len());
            self.offered.push(key);
        }
        Ok(())
    }

    fn merge(&mut self, right: &dyn Operator) -> Result<Verdict, Error> {
        let right = same_operator::<Uniq>("uniq", right)?;
        let mut stands = Vec::with_capacity(right.offered.len());
        for key in &right.offered {
            let stand = self.is_first(key)?;
            stands.push(stand);
            if stand && self.partial {
                self.offered_bytes += allocated(key.len());
                self.offered.push(key.clone());
            }
        }
        Ok(Verdict::Each(stands))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn save_spilled(spilled: &Runs, out: &mut Writer) -> Result<(), Error> {
    let mut merge = spilled.merge()?;
    while let Some(record) = merge.head() {
        out.bytes(record.key);
        merge.advance()?;
    }
    Ok(())
}
