//! Memory: large tables stand in large pages, and what is given up goes back to the system.

use std::alloc::{GlobalAlloc, Layout, System};

/// The allocator of the system, which asks for large pages where blocks are large. A table of a million
/// flows is looked up at places anywhere in it: with small pages most of these have to look for their
/// page first, and each page is a fault when it is touched first.
struct LargePages;

#[global_allocator]
static ALLOCATOR: LargePages = LargePages;

/// The size of a large page, where it is the usual one; others are left to the system's own choice.
const LARGE_PAGE: usize = 2 << 20;
/// What smaller blocks stand in, and whether that is one large page, is left to chance.
const LARGE_BLOCK: usize = 128 * 1024;

/// Asks for large pages where blocks are large.
#[inline]
fn ask_for_large_pages(block: *mut u8, bytes: usize) {
    if bytes >= LARGE_BLOCK && !block.is_null() {
        ask(block, bytes);
    }
}

#[cfg(target_os = "linux")]
#[cold]
#[allow(unsafe_code, reason = "only the system knows pages")]
fn ask(block: *mut u8, bytes: usize) {
    let before = block.addr() % LARGE_PAGE;
    let whole = (before + bytes).next_multiple_of(LARGE_PAGE);
    // SAFETY: the advice changes nothing of what is in memory, that of others around the block
    // included: many blocks share a large page. Where there is no memory, nothing is advised.
    unsafe {
        libc::madvise(
            block.wrapping_sub(before).cast(),
            whole,
            libc::MADV_HUGEPAGE,
        );
    }
}

/// Other systems choose for themselves.
#[cfg(not(target_os = "linux"))]
fn ask(_block: *mut u8, _bytes: usize) {}

/// Lets large blocks stand side by side, where large pages have room for several: by itself the C
/// library maps each of them on its own. The heap grows by some large pages at once.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the C library has this setting for it")]
pub fn keep_together() {
    const MAPPED: i32 = 32 << 20;
    // SAFETY: mallopt takes two numbers and touches nothing but the allocator's settings, under its
    // lock. Where it refuses, nothing changes.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED);
        libc::mallopt(libc::M_TRIM_THRESHOLD, MAPPED);
        libc::mallopt(libc::M_TOP_PAD, 4 * LARGE_PAGE as i32);
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_together() {}

// SAFETY: all is done by the system's allocator, with what the caller gives.
#[allow(unsafe_code, reason = "the contract of allocators")]
unsafe impl GlobalAlloc for LargePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller says.
        let block = unsafe { System.alloc(layout) };
        ask_for_large_pages(block, layout.size());
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller says.
        let block = unsafe { System.alloc_zeroed(layout) };
        ask_for_large_pages(block, layout.size());
        block
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: as the caller says.
        let block = unsafe { System.realloc(block, layout, bytes) };
        ask_for_large_pages(block, bytes);
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller says.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Blocks from this size on are mapped each on its own.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_BYTES_MIN: i32 = 128 * 1024;

/// Lets the C library map large blocks each on its own, so that one that is freed is no longer
/// resident. By itself it raises the size from which on it does so, up to 32 MiB, with every block
/// that it frees: tables that grow and go leave holes behind that nothing fits in, and a run that
/// keeps 64 MiB takes twice as much.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the C library has this setting for it")]
pub fn return_what_is_freed() {
    // SAFETY: mallopt takes two numbers and touches nothing but the allocator's settings, under its
    // lock. Where it refuses, nothing changes.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_BYTES_MIN);
        // What one thread frees is there for the others.
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn return_what_is_freed() {}
