//! What the kernel is told to leave out: no packet that a query accepts is among it.
//!
//! The filters are those of all golden queries, made for pcap-filter(7) and run by libpcap over the
//! captures that ship and the shared ones: a sample, or all with `WIREQ_CAPTURES=all`.

mod support;

use pcap::{BpfProgram, Capture, Linktype};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use support::{Kept, Random, own_captures, shared, shared_pcaps};
use wireq_engine::arguments::{ArgumentError, Arguments};
use wireq_engine::operator::stateless;
use wireq_engine::plan::expr::Expr;
use wireq_engine::plan::{NodeKind, Plan};
use wireq_engine::rewrite::{Choices, REWRITES, common_test};
use wireq_engine::schedule::{Options, run};
use wireq_engine::{Build, Module, OperatorSpec, Span};
use wireq_modules::{prefilter, registry};
use wireq_query_lang::{Files, Text, compile};
use wireq_typesys::{FieldPath, Zone};

const ETHERNET: u16 = 1;

/// Stands for what reads behind the filters.
static SEEN: Module = Module {
    name: "seen",
    summary: "Notes what comes.",
    details: "",
    parameters: &[],
    examples: &[],
    build: Build::Operator(|_: &Arguments| -> Result<OperatorSpec, ArgumentError> {
        unreachable!("nodes are added with what they do")
    }),
};

/// The plan of a query over a capture; none where it is none.
fn plan(query: &str, path: &Path) -> Option<Plan> {
    let zone = Zone::utc();
    let texts = [Text {
        name: "query".into(),
        text: query.into(),
    }];
    let files = Some(Files {
        module: "pcapfile",
        flags: Vec::new(),
        paths: vec![path.display().to_string()],
    });
    let language = wireq_query_lang::Options {
        files,
        ..wireq_query_lang::Options::new(&zone)
    };
    compile(&texts, &registry(), &language).ok()
}

/// The queries of the golden files.
fn golden_queries() -> Vec<String> {
    const HEADS: [&str; 7] = [
        "query",
        "plan",
        "output",
        "output unordered",
        "error",
        "stderr",
        "status",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/queries");
    let mut queries = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("golden queries ship") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            let mut query: Option<String> = None;
            for line in text.lines() {
                let is_head = HEADS.contains(&line)
                    || ["files ", "flags ", "status "]
                        .iter()
                        .any(|head| line.starts_with(head));
                if is_head {
                    queries.extend(query.take());
                    query = (line == "query").then(String::new);
                } else if let Some(query) = &mut query {
                    *query += line;
                    query.push('\n');
                }
            }
            queries.extend(query);
        }
    }
    queries.sort();
    queries.dedup();
    queries
}

/// The filters at sources of packets, each alone and as all that a source is asked for; those that
/// leave anything out. With figures of how many there are.
fn tests() -> Vec<(String, Expr)> {
    let any = own_captures().swap_remove(0);
    let mut tests: BTreeMap<String, Expr> = BTreeMap::new();
    let (mut queries, mut narrowed) = (0, 0);
    for query in golden_queries() {
        let Some(mut plan) = plan(&query, &any) else {
            continue;
        };
        let choices = Choices::default();
        for rewrite in REWRITES
            .iter()
            .take_while(|rewrite| rewrite.name != "prefilter")
        {
            rewrite.run(&mut plan, &choices);
        }
        let is_source = |node: &wireq_engine::plan::NodeId| matches!(&plan.graph[*node].kind, NodeKind::Source(m, ..) if m.name == "pcapfile");
        for source in plan.order().into_iter().filter(is_source) {
            let readers = plan.outputs(source);
            let alone = readers
                .iter()
                .filter_map(|(reader, _)| match &plan.graph[*reader].kind {
                    NodeKind::Filter(test) => Some(test.clone()),
                    _ => None,
                });
            let all = common_test(&plan, source);
            queries += usize::from(all.is_some());
            narrowed += usize::from(
                all.as_ref()
                    .is_some_and(|t| prefilter(t, ETHERNET).is_some()),
            );
            for test in alone.chain(all) {
                if prefilter(&test, ETHERNET).is_some() {
                    tests.insert(test.to_string(), test);
                }
            }
        }
    }
    println!(
        "{queries} golden queries have nothing but filters at a source, {narrowed} of them leave packets \
         out; {} different filters",
        tests.len()
    );
    tests.into_iter().collect()
}

/// Frames of a capture: bytes, length on the wire, link type. By their numbers.
type Frames = BTreeMap<u64, (Vec<u8>, u64, u16)>;

/// The frames of a capture, and of each test the numbers of those that it accepts.
fn accepted(path: &Path, tests: &[(String, Expr)]) -> Option<(Frames, Vec<Vec<u64>>)> {
    let frames = Arc::new(Mutex::new(Frames::new()));
    let passed = Arc::new(Mutex::new(vec![Vec::new(); tests.len()]));
    let model = plan("count()", path)?;
    let source = model.order().into_iter().next()?;
    let NodeKind::Source(module, arguments, spec) = model.graph[source].kind.clone() else {
        return None;
    };
    let mut plan = Plan::default();
    plan.begin_statement(None, Span::default());
    let source = plan.add_source(module, arguments.clone(), spec, Span::default());
    let number = |value: wireq_typesys::Value| value.as_integer().unwrap_or(0) as u64;
    let all = {
        let frames = Arc::clone(&frames);
        let needs = ["frame.number", "packet", "len", "linktype"].map(FieldPath::new);
        OperatorSpec {
            side_effect: true,
            ..OperatorSpec::stateless(needs.to_vec(), move |_| {
                let frames = Arc::clone(&frames);
                stateless(move |view, _| {
                    for row in view.part.selection.iter() {
                        let bytes = view.value(1, row).as_bytes().unwrap_or_default().to_vec();
                        let (len, link) = (number(view.value(2, row)), number(view.value(3, row)));
                        let frame = (bytes, len, link as u16);
                        let number = number(view.value(0, row));
                        frames.lock().expect("nobody panics").insert(number, frame);
                    }
                })
            })
        }
    };
    plan.add_operator(&SEEN, arguments.clone(), all, source, Span::default());
    for (at, (_, test)) in tests.iter().enumerate() {
        let filter = plan.add_filter(test.clone(), source, Span::default());
        let passed = Arc::clone(&passed);
        let note = OperatorSpec {
            side_effect: true,
            ..OperatorSpec::stateless(vec![FieldPath::new("frame.number")], move |_| {
                let passed = Arc::clone(&passed);
                stateless(move |view, _| {
                    let rows = view.part.selection.iter();
                    let numbers = rows.map(|row| number(view.value(0, row)));
                    passed.lock().expect("nobody panics")[at].extend(numbers);
                })
            })
        };
        plan.add_operator(&SEEN, arguments.clone(), note, filter, Span::default());
    }
    run(plan, &Options::default(), &mut Kept::default()).ok()?;
    let frames = std::mem::take(&mut *frames.lock().expect("nobody panics"));
    let passed = std::mem::take(&mut *passed.lock().expect("nobody panics"));
    Some((frames, passed))
}

/// libpcap's number of a link type.
fn data_link(link: u16) -> Linktype {
    Linktype(if link == 101 { 12 } else { link.into() })
}

/// The programs of tests for a link type; none where all passes.
#[derive(Default)]
struct Programs(HashMap<(usize, u16), Option<BpfProgram>>);

impl Programs {
    fn get(&mut self, at: usize, test: &Expr, link: u16) -> Option<&BpfProgram> {
        let made = self.0.entry((at, link)).or_insert_with(|| {
            let text = prefilter(test, link)?;
            let dead = Capture::dead(data_link(link)).expect("libpcap knows the link type");
            let program = dead.compile(&text, true);
            Some(program.unwrap_or_else(|error| panic!("{test}: {error}: {text}")))
        });
        made.as_ref()
    }
}

#[test]
fn no_accepted_packet_is_left_out() {
    let tests = tests();
    assert!(tests.len() > 40, "golden queries have filters");
    let mut paths: Vec<PathBuf> = own_captures();
    let all = std::env::var("WIREQ_CAPTURES").is_ok_and(|which| which == "all");
    let mut random = Random(9);
    if let Some(folder) = shared() {
        let captures = shared_pcaps(&folder).into_iter();
        let chosen = captures.filter(|_| all || random.below(12) == 0);
        paths.extend(chosen.map(|capture| capture.path));
    }
    let (mut captures, mut accepted_sum, mut left_out, mut seen) = (0u64, 0u64, 0u64, 0u64);
    let mut programs = Programs::default();
    let mut wrong = Vec::new();
    for path in &paths {
        let Some((frames, passed)) = accepted(path, &tests) else {
            continue;
        };
        captures += 1;
        for (at, (text, test)) in tests.iter().enumerate() {
            let reads_length = test
                .fields()
                .iter()
                .any(|f| matches!(f.as_str(), "len" | "frame.len"));
            let mut accepted = passed[at].iter().peekable();
            for (number, (bytes, len, link)) in &frames {
                let is_accepted = accepted.next_if_eq(&number).is_some();
                let Some(program) = programs.get(at, test, *link) else {
                    continue;
                };
                // The kernel sees all of a packet; libpcap takes what there is for all of it.
                if reads_length && bytes.len() as u64 != *len {
                    continue;
                }
                seen += 1;
                accepted_sum += u64::from(is_accepted);
                let passes = program.filter(bytes);
                left_out += u64::from(!passes);
                if is_accepted && !passes {
                    wrong.push(format!("{}: frame {number}: {text}", path.display()));
                }
            }
        }
    }
    println!(
        "{captures} captures, {} filters: {seen} packets tried, {accepted_sum} accepted by queries, \
         {left_out} left out by the kernel's programs",
        tests.len()
    );
    assert!(
        wrong.is_empty(),
        "{} left out: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(20)]
    );
    assert!(left_out > seen / 4, "what is left out is worth it");
}
