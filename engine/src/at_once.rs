//! Work that several threads do at once, for as long as a call takes.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// Does the work for each item, on this thread and others. What it comes to is in the order of the items.
///
/// Where the system has no more threads, those that there are do the work.
pub(crate) fn at_once<T: Send, R: Send>(
    items: Vec<T>,
    threads: usize,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let (count, done) = (items.len(), Mutex::new(Vec::new()));
    let items = Mutex::new(items.into_iter().enumerate());
    let take = || {
        loop {
            let next = items.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((at, item)) = next else { break };
            let result = work(item);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((at, result));
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.min(count) {
            let spawned = thread::Builder::new().spawn_scoped(scope, take);
            if spawned.is_err() {
                break;
            }
        }
        take();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::at_once;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        for threads in [0, 1, 2, 5, 40] {
            for count in [0, 1, 3, 30] {
                let expected: Vec<usize> = (0..count).map(|item| item * item).collect();
                let items = (0..count).collect();
                assert_eq!(at_once(items, threads, |item| item * item), expected);
            }
        }
    }
}
