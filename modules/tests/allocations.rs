//! Reading, filtering and counting allocate nothing for a packet.

#![allow(unsafe_code, reason = "a global allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use wireq_engine::schedule::{Options, Outputs, Target, run};
use wireq_query_lang::{Files, Text, compile};
use wireq_typesys::Zone;

/// The system's allocator, with a count of what it is asked for.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the pointer came from `alloc` above with this layout.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Nowhere;

impl Outputs for Nowhere {
    fn write(&mut self, _: Target<'_>, _: &[u8], _: bool) -> io::Result<()> {
        Ok(())
    }
}

/// A capture of `packets` copies of the packets of five.pcap.
fn capture(packets: usize) -> String {
    let five = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../testdata/captures/five.pcap"
    ));
    let five = five.expect("five.pcap ships with the repository");
    let mut bytes = five[..24].to_vec();
    for _ in 0..packets / 5 {
        bytes.extend_from_slice(&five[24..]);
    }
    let path = std::env::temp_dir().join(format!(
        "wireq-allocations-{}-{packets}.pcap",
        std::process::id()
    ));
    std::fs::write(&path, bytes).expect("the temporary folder takes files");
    path.to_string_lossy().into_owned()
}

fn allocations(query: &str, path: &str) -> u64 {
    let zone = Zone::utc();
    let texts = [Text {
        name: "query".into(),
        text: query.into(),
    }];
    let files = Some(Files {
        module: "pcapfile",
        flags: Vec::new(),
        paths: vec![path.to_owned()],
    });
    let options = wireq_query_lang::Options {
        files,
        ..wireq_query_lang::Options::new(&zone)
    };
    let plan = compile(&texts, &wireq_modules::registry(), &options)
        .unwrap_or_else(|_| panic!("{query} compiles"));
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    run(plan, &Options::default(), &mut Nowhere).expect("the run ends well");
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

#[test]
fn more_packets_need_no_more_allocations() {
    let (small, large) = (capture(20_000), capture(200_000));
    for query in [
        "where dstport = 80 | count()",
        "where dstport = 80 and ipprotocol = tcp | count() | print count",
        "where srcip = 192.0.2.0/24 and not len > 100 | count() sum(len)",
        "print srcip count() sum(len) group by srcip",
        "uniq srcip dstport | count()",
        "mask srcip !192.0.2.0/31 | equals dstport 53 80 | count()",
        "equals dstip 198.51.100.53 198.51.100.8/30 | iplookup srcip 192.0.2.0/24 | count()",
        "substr -i payload get post | match payload HTTP/1 | count()",
        "private | sample 3 | count()",
        "histogram -w 50 srcip len | count()",
        "cumdist len | count()",
        "during 0 | count()",
    ] {
        let (few, many) = (allocations(query, &small), allocations(query, &large));
        assert_eq!(
            few, many,
            "allocations of `{query}` for 20,000 and for 200,000 packets"
        );
    }
    // What is written is collected anew in each step, but no row is worth an allocation.
    for format in ["text", "table", "csv", "tsv", "json", "jsonl"] {
        let query = format!("print -o {format} srcip dstport ipprotocol ts len vlan");
        let more = allocations(&query, &large).saturating_sub(allocations(&query, &small));
        assert!(more < 180_000 / 100, "{more} allocations of `{query}`");
    }
    for path in [small, large] {
        std::fs::remove_file(path).expect("the file was written above");
    }
}
