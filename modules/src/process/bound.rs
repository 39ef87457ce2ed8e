//! `--max`: the bound of what a module keeps.

use wireq_engine::Account;
use wireq_engine::arguments::{ArgumentError, Arguments};

/// The bound where a query has none.
pub(super) const DEFAULT: usize = 10_000_000;

/// The value of `--max`.
pub(super) fn read(module: &str, arguments: &Arguments) -> Result<usize, ArgumentError> {
    match arguments.value("--max") {
        None => Ok(DEFAULT),
        Some(word) => match word.text.parse() {
            Ok(max) if max > 0 => Ok(max),
            _ => Err(ArgumentError {
                help: Some(format!(
                    "--max is a whole number from 1; {DEFAULT} unless given"
                )),
                ..ArgumentError::at(module, word, "keeps nothing")
            }),
        },
    }
}

/// Says that rows which were absorbed, some of them in earlier steps, were thrown away after all.
pub(super) fn evict(account: &mut Account, rows: u64) {
    // After a run is resumed, rows may go whose coming another account has.
    let rows = rows.min(account.absorbed);
    account.absorbed -= rows;
    account.evicted += rows;
}
