//! `isdataat`: whether so many bytes follow.

use super::Read::Option;
use super::{Keyword, negation, number, text};
use crate::rules::payload::Step;

pub(super) static KEYWORDS: &[Keyword] = &[Keyword {
    name: "isdataat",
    read: Option(|draft, value| {
        let (negated, value) = negation(value);
        let mut words = text(value)?.split(',').map(str::trim);
        let count: u16 = number(words.next().unwrap_or_default())?;
        let mut relative = false;
        for word in words {
            match word {
                "relative" => relative = true,
                "rawbytes" => {}
                other => return Err(format!("has `{other}`, which is not known")),
            }
        }
        draft.push(Step::IsDataAt {
            count: count.into(),
            relative,
            negated,
        })
    }),
}];
