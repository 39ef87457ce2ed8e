//! Modules that compute, against straightforward computations over random input.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use support::{Kept, Random};
use wireq_engine::arguments::{ArgumentError, Arguments, Count, Parameter, Takes};
use wireq_engine::schedule::output::Item;
use wireq_engine::schedule::{Options, run};
use wireq_engine::{
    Build, Error, InputAccount, Module, RecordType, Source, SourceContext, SourceSpec,
};
use wireq_query_lang::{Text, compile};
use wireq_typesys::{Bitmap, Column, FieldDef, Kind, Part, PartData, Position, Positions, Zone};

mod support;

/// An object with a key, a number and a time; the number may be missing.
#[derive(Clone, Copy, Debug)]
struct Sample {
    key: u64,
    number: Option<f64>,
    /// In seconds.
    ts: i64,
}

struct Samples;

macro_rules! field {
    ($name:literal, $kind:expr) => {
        FieldDef {
            name: $name,
            aliases: &[],
            kind: $kind,
            summary: "A field.",
            source: "test",
        }
    };
}

static FIELDS: &[FieldDef] = &[
    field!("key", Kind::Unsigned),
    field!("number", Kind::Double),
    field!("ts", Kind::Time),
];

impl RecordType for Samples {
    fn name(&self) -> &'static str {
        "sample"
    }

    fn summary(&self) -> &'static str {
        "A key, a number and a time."
    }

    fn fields(&self) -> &'static [FieldDef] {
        FIELDS
    }

    fn summary_fields(&self) -> &'static [&'static str] {
        &["key", "number", "ts"]
    }

    fn fill(
        &self,
        rows: &(dyn Any + Send + Sync),
        field: usize,
        selection: &Bitmap,
        column: &mut Column,
    ) {
        let rows = rows
            .downcast_ref::<Vec<Sample>>()
            .expect("the source makes these rows");
        match field {
            0 => {
                let (values, valid) = column.refill_u64(rows.len());
                selection.for_each(|row| values[row] = rows[row].key);
                *valid = *selection;
            }
            1 => {
                let (values, valid) = column.refill_double(rows.len());
                for row in selection.iter() {
                    if let Some(number) = rows[row].number {
                        values[row] = number;
                        valid.set(row);
                    }
                }
            }
            _ => {
                let (values, valid) = column.refill_time(rows.len());
                selection.for_each(|row| values[row] = rows[row].ts * 1_000_000_000);
                *valid = *selection;
            }
        }
    }
}

/// A source of the samples of a seed.
static SAMPLES: Module = Module {
    name: "samples",
    summary: "Gives the samples of a seed.",
    details: "",
    parameters: &[Parameter {
        name: "SEED",
        takes: Takes::Number,
        count: Count::One,
        summary: "The seed.",
    }],
    examples: &[],
    build: Build::Source(build),
};

/// Times go up, now and then by a leap, with steps back of up to ten seconds.
fn samples(seed: u64) -> Vec<Sample> {
    let mut random = Random(seed);
    let mut time = 1000;
    let count = random.below(400);
    let mut next = || {
        time += [0, 1, 1, 2, 30][random.below(5)];
        Sample {
            key: random.below(12) as u64,
            number: (random.below(8) > 0).then(|| random.below(2000) as f64 / 16.0),
            ts: time - random.below(10) as i64,
        }
    };
    (0..count).map(|_| next()).collect()
}

fn build(arguments: &Arguments) -> Result<SourceSpec, ArgumentError> {
    let seed = arguments.number(0).unwrap_or(0);
    Ok(SourceSpec {
        record_type: Arc::new(Samples),
        time_ordered: false,
        live: None,
        prefilter: None,
        open: Arc::new(move || Ok(Box::new(Opened(samples(seed), 0)))),
    })
}

struct Opened(Vec<Sample>, u32);

impl Source for Opened {
    fn next(&mut self, context: &mut SourceContext<'_>) -> Result<Option<Item>, Error> {
        let count = context.rows_max.min(self.0.len());
        if count == 0 {
            return Ok(None);
        }
        let rows: Vec<Sample> = self.0.drain(..count).collect();
        let data = PartData::new(
            Arc::clone(context.shape),
            Box::new(rows),
            count,
            Positions::Run(Position::new(0, self.1)),
            context.origin,
        );
        self.1 += count as u32;
        Ok(Some(Item::Rows(Part::new(Arc::new(data)))))
    }

    fn input_account(&self) -> InputAccount {
        InputAccount::default()
    }
}

/// What a query over the samples of a seed prints, the same in batches of every size and with
/// states saved and loaded in between: lines of columns.
fn output(query: &str, seed: u64) -> Vec<Vec<String>> {
    let mut registry = wireq_modules::registry();
    registry.add_module(&SAMPLES);
    let zone = Zone::utc();
    let language = wireq_query_lang::Options::new(&zone);
    let texts = [Text {
        name: "query".into(),
        text: format!("samples {seed} | {query}"),
    }];
    let plan = compile(&texts, &registry, &language)
        .unwrap_or_else(|faults| panic!("{query}: {:?}", faults[0].diagnostic));
    let mut outputs = [(2048, 0), (1, 1), (3, 2), (64, 1)].map(|(rows_max, resume_every)| {
        let options = Options {
            rows_max,
            resume_every,
            ..Options::default()
        };
        let mut kept = Kept::default();
        let report = run(plan.clone(), &options, &mut kept).expect("the run ends well");
        assert!(report.accounts.iter().all(|node| node.account.adds_up()));
        String::from_utf8(kept.0).expect("numbers are UTF-8")
    });
    assert!(outputs.iter().all(|text| *text == outputs[0]), "{query}");
    let lines = std::mem::take(&mut outputs[0]);
    let columns = |line: &str| line.split('\t').map(str::to_owned).collect();
    lines.lines().map(columns).collect()
}

fn number(text: &str) -> f64 {
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is a number"))
}

fn assert_close(found: f64, expected: f64, what: &str) {
    let off = (found - expected).abs();
    assert!(
        off <= 1e-12 * expected.abs().max(1.0),
        "{what}: {found}, not {expected}"
    );
}

const SEEDS: std::ops::Range<u64> = 0..40;

fn counts<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    keys.for_each(|key| *counts.entry(key).or_default() += 1);
    counts
}

#[test]
fn shares_are_counts_by_their_total() {
    for seed in SEEDS {
        let samples = samples(seed);
        let found = output("pdf -c number | print key probability", seed);
        let total: f64 = samples.iter().filter_map(|sample| sample.number).sum();
        assert_eq!(found.len(), samples.len());
        for (line, sample) in found.iter().zip(&samples) {
            assert_eq!(line[0], sample.key.to_string());
            match (line.get(1), sample.number) {
                (Some(share), Some(count)) => assert_eq!(number(share), count / total),
                (share, count) => assert_eq!((share.is_some(), count), (false, None)),
            }
        }
    }
}

#[test]
fn entropy_is_that_of_the_counts() {
    for seed in SEEDS {
        let samples = samples(seed);
        let counts = counts(samples.iter().map(|sample| sample.key));
        let mut expected = 0.0;
        for count in counts.values() {
            let p = *count as f64 / samples.len() as f64;
            expected -= p * p.log2();
        }
        let query = "count() group by key | pdf | entropy | print entropy";
        let found = output(query, seed);
        assert_eq!(found.len(), usize::from(!samples.is_empty()));
        for line in &found {
            assert_close(number(&line[0]), expected, query);
        }
        let sorted = "count() group by key | pdf | sort -r probability | entropy | print entropy";
        assert_eq!(output(sorted, seed), found);
    }
}

#[test]
fn bins_count_what_falls_into_them() {
    for seed in SEEDS {
        let samples = samples(seed);
        let numbers = || samples.iter().filter_map(|sample| sample.number);
        // The numbers are multiples of 1/16, so that these are exact.
        let expected = counts(numbers().map(|number| (number / 2.5).floor() as i64));
        let found = output("histogram -w 2.5 number", seed);
        let lines = expected
            .iter()
            .map(|(bin, count)| vec![(*bin as f64 * 2.5).to_string(), count.to_string()]);
        assert_eq!(found, lines.collect::<Vec<_>>());

        let expected = counts(samples.iter().map(|s| (s.key, s.ts.div_euclid(7) * 7)));
        let found = output("histogram -w 7s key ts | print key ts.sec count", seed);
        let lines = expected
            .iter()
            .map(|((key, ts), count)| vec![key.to_string(), ts.to_string(), count.to_string()]);
        assert_eq!(found, lines.collect::<Vec<_>>());
    }
}

#[test]
fn cumulative_shares_are_ranks_by_the_total() {
    for seed in SEEDS {
        let mut numbers: Vec<f64> = samples(seed).iter().filter_map(|s| s.number).collect();
        numbers.sort_by(f64::total_cmp);
        let found = output("cumdist number", seed);
        let mut distinct = numbers.clone();
        distinct.dedup();
        assert_eq!(found.len(), distinct.len());
        for (line, value) in found.iter().zip(&distinct) {
            let below = numbers.iter().filter(|number| *number < value).count();
            let up_to = numbers.iter().filter(|number| *number <= value).count();
            let share = up_to as f64 / numbers.len() as f64;
            let found: Vec<f64> = line.iter().map(|text| number(text)).collect();
            assert_eq!(found, [*value, (up_to - below) as f64, share]);
        }
        // The lowest values of a bounded one are those of the whole.
        let bounded = output("cumdist --max 5 number", seed);
        assert_eq!(bounded, found[..found.len().min(5)]);
        let whole = output("histogram key", seed);
        let bounded = output("histogram --max 3 key", seed);
        assert_eq!(bounded, whole[..whole.len().min(3)]);
    }
}

#[test]
fn delayed_objects_are_in_the_order_of_a_plain_simulation() {
    for seed in SEEDS {
        for (lag, max) in [(0, 1000), (4, 1000), (20, 1000), (100, 6)] {
            let (mut waiting, mut given) = (Vec::new(), Vec::new());
            let mut edge = i64::MIN;
            for (at, sample) in samples(seed).iter().enumerate() {
                waiting.push((sample.ts, at, *sample));
                waiting.sort_by_key(|(ts, at, _)| (*ts, *at));
                edge = edge.max(sample.ts);
                let due = waiting.partition_point(|(ts, _, _)| *ts <= edge - lag);
                given.extend(waiting.drain(..due));
                let early = waiting.len().saturating_sub(max);
                given.extend(waiting.drain(..early));
            }
            given.extend(waiting);
            let query = format!("fifodelay -t {lag} --max {max} | print ts.sec key");
            let lines = given
                .iter()
                .map(|(ts, _, sample)| vec![ts.to_string(), sample.key.to_string()]);
            assert_eq!(output(&query, seed), lines.collect::<Vec<_>>(), "{query}");
        }
    }
}

/// Objects come up to ten seconds late, so a lag of ten puts all in order.
#[test]
fn a_sufficient_lag_sorts() {
    for seed in SEEDS {
        let sorted = output("sort ts | print ts.sec key number", seed);
        assert_eq!(
            output("fifodelay -t 10 | print ts.sec key number", seed),
            sorted
        );
    }
}

#[test]
fn severities_are_those_of_a_plain_simulation() {
    for (flags, [up, down, deviation], max) in [
        ("", [0.0, 0.9995, 0.8], 1000),
        (
            "--histup 0.5 --histdown 0.5 --histdev 0.25",
            [0.5, 0.5, 0.25],
            1000,
        ),
        ("--histup 0.9 --max 4", [0.9, 0.9995, 0.8], 4),
    ] {
        let query =
            format!("changes -a -i key {flags} number | print severity number.mean number.sigma");
        for seed in SEEDS {
            // The IDs, the one that came longest ago first, with mean and deviation.
            let mut ids: Vec<(u64, f64, f64)> = Vec::new();
            let mut found = output(&query, seed).into_iter();
            for sample in samples(seed) {
                let Some(x) = sample.number else { continue };
                let line: Vec<f64> = found
                    .next()
                    .expect("a line")
                    .iter()
                    .map(|t| number(t))
                    .collect();
                let known = ids.iter().position(|(key, _, _)| *key == sample.key);
                let Some(known) = known else {
                    assert_eq!(line, [0.0]);
                    ids.push((sample.key, x, x));
                    if ids.len() > max {
                        ids.remove(0);
                    }
                    continue;
                };
                let (_, mean, sigma) = ids.remove(known);
                let h = if x > mean { up } else { down };
                let severity = if x > mean || up == down {
                    (x - mean).abs() / sigma.max(1.0)
                } else {
                    0.0
                };
                for (found, expected) in line.iter().zip([severity, mean, sigma]) {
                    assert_close(*found, expected, &query);
                }
                assert_eq!(line.len(), 3);
                let off = (x - mean).abs();
                let sigma = deviation * sigma + (1.0 - deviation) * off;
                ids.push((sample.key, h * mean + (1.0 - h) * x, sigma));
            }
            assert!(found.next().is_none());
        }
    }
}

#[test]
fn several_fields_add_like_distances() {
    for seed in SEEDS {
        let query = "changes -f a -i key number | changes -f b -i key ts | changes -f c -i key number ts \
                     | print a b c";
        for line in output(query, seed) {
            let [a, b, c] = [0, 1, 2].map(|at| number(&line[at]));
            assert_close(c, (a * a + b * b).sqrt(), query);
        }
    }
}

#[test]
fn the_active_are_those_that_a_plain_search_finds() {
    for seed in SEEDS {
        let samples = samples(seed);
        for idle in [1, 5, 60] {
            let found = output(&format!("active -t {idle}s key | print active"), seed);
            assert_eq!(found.len(), samples.len());
            for (at, line) in found.iter().enumerate() {
                let before = &samples[..=at];
                let now = before.iter().map(|sample| sample.ts).max().unwrap_or(0);
                let late = before.iter().filter(|sample| sample.ts > now - idle);
                let keys: BTreeSet<u64> = late.map(|sample| sample.key).collect();
                assert_eq!(line, &[keys.len().to_string()], "object {at}, idle {idle}");
            }
        }
        let all = output("active key | print active", seed);
        let bounded = output("active --max 3 key | print active", seed);
        for (at, (all, bounded)) in all.iter().zip(&bounded).enumerate() {
            let keys: BTreeSet<u64> = samples[..=at].iter().map(|sample| sample.key).collect();
            assert_eq!(all[0], keys.len().to_string());
            assert_eq!(bounded[0], keys.len().min(3).to_string());
        }
    }
}
