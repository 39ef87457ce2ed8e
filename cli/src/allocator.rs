//! Memory that is given up goes back to the system.

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
