//! The work of compiling grows with the text and no faster. It is counted in bytes asked of the
//! allocator, which does not depend on how busy the machine is: what visits all that came before for
//! each part of a text gathers it somewhere.

#![allow(unsafe_code, reason = "a global allocator that counts")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use support::codes;

/// The system's allocator, with a count of what this thread asked for.
struct Counting;

thread_local! {
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

fn count(bytes: usize) {
    // Threads that end ask too, when their counts are gone: they are of no matter.
    let _ = BYTES.try_with(|count| count.set(count.get() + bytes as u64));
}

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the pointer came from `alloc` above with this layout.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What compiling asks of the allocator.
fn work(text: &str) -> u64 {
    let before = BYTES.get();
    codes(text, &[]);
    BYTES.get() - before
}

/// Four times the text may take so many times the work: doubling buffers make up for steps.
const GROWTH_MAX: u64 = 7;
/// What short texts take whatever they are.
const ALWAYS: u64 = 200_000;

#[test]
fn work_is_linear_in_the_text() {
    let mut faults = Vec::new();
    for (begin, part, end) in [
        ("pcapfile x | where len", " and len", ""),
        ("pcapfile x | where len", " or not (len = 1)", ""),
        ("pcapfile x | where len in (1", ",1", ")"),
        ("pcapfile x | where len = upper(1", ",1", ")"),
        ("pcapfile x | where case", " when len then 1", " end"),
        ("pcapfile x | where case len", " when 1", " end"),
        ("pcapfile x | where len", "::int", ""),
        ("pcapfile x | where len = a", "::1", ""),
        ("pcapfile x | where len", " between 1 and 2 and len", ""),
        ("pcapfile x | where len", " is null or len", ""),
        ("pcapfile x | where len", " is", ""),
        ("pcapfile x | where ", "upper(", ""),
        ("pcapfile x | where ", "case ", ""),
        ("pcapfile x | print", " [ len ]", ""),
        ("pcapfile x | print", " [ ", ""),
        ("pcapfile x | print", " upper(len)", ""),
        ("print a from pcapfile(x) a", ", b", ""),
        ("select a", ", a", " from pcapfile(x)"),
        ("select a", "\n, a", " from pcapfile(x)"),
        ("select a", " union all select a", ""),
        ("", "select a from pcapfile(x)\n", ""),
        ("select a from pcapfile(x)", ", pcapfile(x)", ""),
        ("select ", "/* ", ""),
        ("select ", "''", ""),
        ("select ", "\"a\".", ""),
        ("select a", ".b", ""),
        ("select a", "%b", ""),
        ("select ", "(select ", ""),
        ("(", "(", "select a"),
        ("select a order by a", ", a", ""),
        ("select a", ", len as a", " from pcapfile(x) order by a"),
        ("select sum(len)", " + sum(len)", " from pcapfile(x)"),
        ("select len from pcapfile(x) group by len", ", len + 1", ""),
        (
            "select len + 1 from pcapfile(x) group by len",
            ", len + 1",
            "",
        ),
        (
            "select len from pcapfile(x) where len",
            " or len is null",
            "",
        ),
        (
            "select x.len from pcapfile(x) x, pcapfile(x) y where x.len = y.len",
            " and x.len = y.len",
            "",
        ),
        ("select len from ", "(select len from ", "pcapfile(x)"),
        ("select a from b where c", " || d", " = e"),
        ("print a from pcapfile(x) a", " until(len), b", ""),
        ("print a from pcapfile(x) a", ", pcapfile(x) a", ""),
        ("pcapfile x | where nofield in (1", ",1", ")"),
        ("pcapfile x | where nofield", " or nofield", ""),
        ("pcapfile x | where len = 1", "1", ""),
        ("pcapfile x | where len = 1", "/1", ""),
        ("pcapfile x | where len = 1", "e-1", ""),
        ("pcapfile x | where len = 1", ":1", ""),
        ("pcapfile x | where a", ".a", " = 1"),
        ("pcapfile x | where ", "(len) = ", ""),
        ("pcapfile x | where ", "'", ""),
        ("pcapfile x | where ", "\"\n", ""),
        ("pcapfile x", " | head 1", ""),
        ("pcapfile x", " | (head 1) + (head 2)", ""),
        ("pcapfile x | (head 1)", " + (head 1)", ""),
        ("pcapfile x | print", " srcip", ""),
        ("pcapfile x | print", " count()", ""),
        ("pcapfile x | print", " a(", ""),
        ("pcapfile x | count() group by srcip", ", srcip", ""),
        (
            "pcapfile x | count() group by srcip having count()",
            " and count()",
            "",
        ),
        ("", "pcapfile x\n", ""),
        ("", "A :- pcapfile x\n", "A"),
        ("A :- pcapfile x; ", "A;", ""),
        ("A :- pcapfile x; ", "A :- A;", "A"),
        ("A :- head 1 | head 2; pcapfile x", " | A", ""),
        ("A :- where len > 5; pcapfile x | where len", " or A()", ""),
        ("A :- where len > 5; pcapfile x | where len", " and A()", ""),
        (
            "A(k) :- where len > k; pcapfile x | where len",
            " and A(5)",
            "",
        ),
        (
            "A :- where lenn > 5; pcapfile x | where len",
            " and A()",
            "",
        ),
        ("A :- head 1 | head 2 | head 3; B :- head 1", " | A", ""),
        ("A(k) :- print", " k", "; pcapfile x | A(len)"),
        ("A(", "k ", ") :- head 1; pcapfile x | A(len)"),
        ("", "a(b) :- nomodule x; nomodule y;", ""),
        ("pcapfile x", " + pcapfile x", ""),
        ("pcapfile x | where len", " and mask(srcip, 10.0.0.0/8)", ""),
        ("print", " from uniq len", " from pcapfile x"),
        ("pcapfile x | print", " srcip as a", ""),
        ("pcapfile x", " | filter('len > 5')", ""),
        ("pcapfile x | filter('len", " or len", "')"),
        ("print len from pcapfile x", "\nwhere len", ""),
        ("select x", "\nlimit 5", ""),
        ("", "nomodule x\n", ""),
        ("", "\n", "pcapfile x"),
        ("", "# comment\n", "pcapfile x"),
        ("", "a: pcapfile x;", ""),
        ("", "(", ""),
        ("", ")", ""),
    ] {
        let text = |bytes: usize| format!("{begin}{}{end}", part.repeat(bytes / part.len()));
        let (short, long) = (work(&text(10_000)), work(&text(40_000)));
        if long > GROWTH_MAX * short + ALWAYS {
            faults.push(format!("{begin:?} {part:?}: {short} bytes, then {long}\n"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.concat());
}
