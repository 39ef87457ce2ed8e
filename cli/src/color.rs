//! When to use colors, and which.

use crate::args::When;
use std::io::{IsTerminal, stderr, stdout};

/// Signs around parts of messages; empty where there are to be no colors.
#[derive(Clone, Copy, Default)]
pub struct Colors {
    /// What is wrong.
    pub fault: &'static str,
    /// Numbers and lines of the drawing.
    pub frame: &'static str,
    /// Advice.
    pub advice: &'static str,
    /// The end of any of these.
    pub end: &'static str,
}

const COLORS: Colors = Colors {
    fault: "\x1b[1;31m",
    frame: "\x1b[34m",
    advice: "\x1b[36m",
    end: "\x1b[0m",
};

/// The colors of messages.
pub fn of_messages(when: When) -> Colors {
    match wanted(when, stderr().is_terminal()) {
        true => COLORS,
        false => Colors::default(),
    }
}

/// Whether headers on standard output stand out.
pub fn of_results(when: When) -> bool {
    wanted(when, stdout().is_terminal())
}

/// <https://no-color.org>, and CLICOLOR_FORCE for those whose terminal is elsewhere.
fn wanted(when: When, is_terminal: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto if set("NO_COLOR") => false,
        When::Auto if set("CLICOLOR_FORCE") => {
            std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0")
        }
        When::Auto => is_terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}
