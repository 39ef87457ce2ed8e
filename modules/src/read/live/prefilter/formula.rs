//! Conditions in the language of pcap-filter(7), and what is known of a test by them.

use std::fmt;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Formula {
    True,
    False,
    Text(String),
    And(Vec<Formula>),
    Or(Vec<Formula>),
    Not(Box<Formula>),
}

use Formula::{False, True};

impl Formula {
    pub(super) fn of(truth: bool) -> Formula {
        if truth { True } else { False }
    }

    pub(super) fn text(text: impl Into<String>) -> Formula {
        Formula::Text(text.into())
    }

    pub(super) fn and(parts: impl IntoIterator<Item = Formula>) -> Formula {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                True => {}
                False => return False,
                Formula::And(inner) => kept.extend(inner),
                part => kept.push(part),
            }
        }
        match kept.len() {
            0 => True,
            1 => kept.swap_remove(0),
            _ => Formula::And(kept),
        }
    }

    pub(super) fn or(parts: impl IntoIterator<Item = Formula>) -> Formula {
        let mut kept: Vec<Formula> = Vec::new();
        for part in parts {
            match part {
                False => {}
                True => return True,
                Formula::Or(inner) => kept.extend(inner),
                part if kept.contains(&part) => {}
                part => kept.push(part),
            }
        }
        match kept.len() {
            0 => False,
            1 => kept.swap_remove(0),
            _ => Formula::Or(kept),
        }
    }

    pub(super) fn not(self) -> Formula {
        match self {
            True => False,
            False => True,
            Formula::Not(inner) => *inner,
            other => Formula::Not(Box::new(other)),
        }
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self {
            // Every frame has a length.
            True => return f.write_str("len >= 0"),
            False => return f.write_str("len < 0"),
            Formula::Text(text) => return f.write_str(text),
            Formula::Not(inner) => return write!(f, "not ({inner})"),
            Formula::And(parts) => (parts, " and "),
            Formula::Or(parts) => (parts, " or "),
        };
        for (at, part) in parts.iter().enumerate() {
            let before = if at == 0 { "" } else { word };
            match part {
                Formula::And(_) | Formula::Or(_) => write!(f, "{before}({part})")?,
                _ => write!(f, "{before}{part}")?,
            }
        }
        Ok(())
    }
}

/// What is known of a test of which some outcomes cannot be told: conditions under which it may be
/// true, is true, may be false, is false. Where it is unknown (Kleene) it is neither.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    pub(super) may_be_true: Formula,
    is_true: Formula,
    may_be_false: Formula,
    is_false: Formula,
}

impl Bounds {
    /// Nothing is known.
    pub(super) fn anything() -> Bounds {
        Bounds {
            may_be_true: True,
            is_true: False,
            may_be_false: True,
            is_false: False,
        }
    }

    /// The test is unknown: a field is absent.
    pub(super) fn unknown() -> Bounds {
        Bounds {
            may_be_true: False,
            is_true: False,
            may_be_false: False,
            is_false: False,
        }
    }

    /// True under a condition, else false.
    pub(super) fn exact(condition: Formula) -> Bounds {
        Bounds::between(condition.clone(), condition)
    }

    /// True under the first condition, false where the second does not hold, either in between.
    pub(super) fn between(is_true: Formula, may_be_true: Formula) -> Bounds {
        Bounds {
            may_be_false: is_true.clone().not(),
            is_false: may_be_true.clone().not(),
            may_be_true,
            is_true,
        }
    }

    pub(super) fn not(self) -> Bounds {
        Bounds {
            may_be_true: self.may_be_false,
            is_true: self.is_false,
            may_be_false: self.may_be_true,
            is_false: self.is_true,
        }
    }

    /// Whether the test is known and true; that is never unknown.
    pub(super) fn holds(self) -> Bounds {
        Bounds::between(self.is_true, self.may_be_true)
    }

    pub(super) fn all(parts: &[Bounds]) -> Bounds {
        let each = |of: fn(&Bounds) -> &Formula| parts.iter().map(move |part| of(part).clone());
        Bounds {
            may_be_true: Formula::and(each(|b| &b.may_be_true)),
            is_true: Formula::and(each(|b| &b.is_true)),
            may_be_false: Formula::or(each(|b| &b.may_be_false)),
            is_false: Formula::or(each(|b| &b.is_false)),
        }
    }

    pub(super) fn any(parts: &[Bounds]) -> Bounds {
        let turned: Vec<Bounds> = parts.iter().cloned().map(Bounds::not).collect();
        Bounds::all(&turned).not()
    }
}
