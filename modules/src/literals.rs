//! Literals that are wherever a regular expression matches.
//!
//! An expression is an automaton of its own, and many of them are many searches. Most have a text in
//! them, or one of a few, without which they match nothing: these are searched for all at once, and an
//! expression is tried where one of its own is.

use regex_automata::util::syntax;
use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind, Look};
use wireq_engine::matching::{Content, Demand, Expression};
use wireq_typesys::FieldPath;

/// The most literals that an expression is looked for by, and the most that one class makes.
const LITERALS_MAX: usize = 64;
const CLASS_MAX: usize = 4;
/// Shorter ones are in too many texts, unless they have a place.
const LEN_MIN: usize = 2;
/// Longer expressions are not looked into.
pub(crate) const TEXT_MAX: usize = 4096;
/// The deepest groups that are looked into, and the most parts of one that literals are looked for
/// behind.
const DEPTH_MAX: u32 = 32;
const PARTS_MAX: usize = 64;

/// What has to be in a field for an expression on bytes to match it; none where that can't be said.
pub(crate) fn demand_of(text: &str, syntax: syntax::Config, field: &FieldPath) -> Option<Demand> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let hir = syntax::parse_with(text, &syntax).ok()?;
    let folded = Folded::of(&hir);
    let hir = if folded.nocase { &folded.hir } else { &hir };
    let found = find(hir, DEPTH_MAX)?;
    let content = |literal: Literal| {
        let mut content = literal.content(field);
        content.pattern.nocase = folded.nocase;
        content
    };
    Some(Demand {
        tells: found.exact && !(folded.nocase && folded.lossy),
        all: vec![found.any.into_iter().map(content).collect()],
        expression: None,
    })
}

/// What an expression on bytes without literals asks for: itself. `flags`: those that it is read with,
/// as they stand before an expression.
pub(crate) fn without(text: &str, flags: &str, field: &FieldPath) -> Option<Demand> {
    let expression = Expression {
        field: field.clone(),
        text: format!("{flags}{text}"),
    };
    (text.len() <= TEXT_MAX).then(|| Demand {
        all: Vec::new(),
        tells: false,
        expression: Some(expression),
    })
}

/// A literal, and where it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Literal {
    bytes: Vec<u8>,
    /// The first place that it may begin at.
    from: usize,
    /// The last place that it may end at.
    until: Option<usize>,
    /// Whether it ends where the text ends.
    at_end: bool,
}

impl Literal {
    fn content(self, field: &FieldPath) -> Content {
        Content {
            offset: self.from,
            depth: self.until.map(|until| until.saturating_sub(self.from)),
            at_end: self.at_end,
            ..Content::new(field, self.bytes)
        }
    }
}

/// Literals of which any has to be there.
#[derive(Clone, Debug)]
struct Found {
    any: Vec<Literal>,
    /// Whether the expression matches wherever one is.
    exact: bool,
}

impl Found {
    /// How good they are to look for: by the worst of them.
    fn worth(&self) -> u32 {
        let field = FieldPath::new("");
        let of = |literal: &Literal| literal.clone().content(&field).sought().worth();
        let worst = self.any.iter().map(of).min().unwrap_or(0);
        worst.saturating_sub(self.any.len().max(1).ilog2())
    }
}

/// The literals of an expression that are best to look for.
fn find(hir: &Hir, depth: u32) -> Option<Found> {
    let depth = depth.checked_sub(1)?;
    let mut parts = Vec::new();
    flatten(hir, &mut parts);
    let anchored = matches!(
        parts.first().map(|part| part.kind()),
        Some(HirKind::Look(Look::Start))
    );
    let (mut least, mut most) = (0usize, Some(0usize));
    let mut best: Option<Found> = None;
    let mut keep = |found: Found| {
        // Of equally good ones the first, unless another one says all.
        let rank = |found: &Found| (found.exact, found.worth());
        if best.as_ref().is_none_or(|known| rank(known) < rank(&found)) {
            best = Some(found);
        }
    };
    for (at, part) in parts.iter().enumerate().take(PARTS_MAX) {
        let place = Place {
            from: least,
            until: most.filter(|_| anchored),
        };
        if !matches!(part.kind(), HirKind::Look(_)) {
            let whole = at == usize::from(anchored);
            if let Some(found) = literals_at(&parts[at..], whole, place) {
                keep(found);
            }
            if let Some(found) = within(part, depth) {
                keep(Found {
                    any: found.any.into_iter().map(|one| place.shift(one)).collect(),
                    exact: found.exact && parts.len() == 1,
                });
            }
        }
        let properties = part.properties();
        least = least.saturating_add(properties.minimum_len()?);
        most = most
            .zip(properties.maximum_len())
            .map(|(a, b)| a.saturating_add(b));
    }
    best
}

/// Where a part of an expression begins.
#[derive(Clone, Copy)]
struct Place {
    from: usize,
    until: Option<usize>,
}

impl Place {
    /// Where a literal is that has its place in the part. One that has a last place is bound to the
    /// beginning of the text, where all before it is empty.
    fn shift(self, literal: Literal) -> Literal {
        Literal {
            from: literal.from.saturating_add(self.from),
            until: literal.until.map(|until| until.saturating_add(self.from)),
            ..literal
        }
    }
}

/// The parts of an expression, one after the other; groups are no parts.
fn flatten(hir: &Hir, out: &mut Vec<Hir>) {
    match hir.kind() {
        HirKind::Concat(parts) => parts.iter().for_each(|part| flatten(part, out)),
        HirKind::Capture(capture) => flatten(&capture.sub, out),
        HirKind::Empty => {}
        _ => out.push(hir.clone()),
    }
}

/// The literals that parts begin with; `whole`: whether they are all of the expression.
fn literals_at(parts: &[Hir], whole: bool, place: Place) -> Option<Found> {
    let mut extractor = Extractor::new();
    extractor
        .kind(ExtractKind::Prefix)
        .limit_class(CLASS_MAX)
        .limit_total(LITERALS_MAX);
    let mut seq: Seq = extractor.extract(&Hir::concat(parts.to_vec()));
    seq.sort();
    seq.dedup();
    let literals = seq.literals()?;
    // Behind what was cut off, there is more to match.
    let (inner, at_end) = match parts.split_last() {
        Some((last, inner)) if matches!(last.kind(), HirKind::Look(Look::End)) => (inner, true),
        _ => (parts, false),
    };
    let exact = seq.is_exact()
        && inner
            .iter()
            .all(|part| part.properties().look_set().is_empty());
    let literal = |literal: &regex_syntax::hir::literal::Literal| {
        let bytes = literal.as_bytes().to_vec();
        let until = place.until.map(|until| until.saturating_add(bytes.len()));
        (bytes.len() >= LEN_MIN || until.is_some() && !bytes.is_empty()).then_some(Literal {
            bytes,
            from: place.from,
            until,
            at_end: at_end && exact,
        })
    };
    let any: Vec<Literal> = literals.iter().map(literal).collect::<Option<_>>()?;
    (!any.is_empty()).then_some(Found {
        any,
        exact: exact && whole,
    })
}

/// The literals of the parts of a part.
fn within(part: &Hir, depth: u32) -> Option<Found> {
    match part.kind() {
        HirKind::Alternation(branches) => {
            let found = branches.iter().map(|branch| find(branch, depth));
            let found: Vec<Found> = found.collect::<Option<_>>()?;
            let exact = found.iter().all(|one| one.exact);
            let any: Vec<Literal> = found.into_iter().flat_map(|one| one.any).collect();
            (any.len() <= LITERALS_MAX).then_some(Found { any, exact })
        }
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            let found = find(&repetition.sub, depth)?;
            Some(Found {
                exact: false,
                ..found
            })
        }
        _ => None,
    }
}

/// An expression in lower case.
struct Folded {
    hir: Hir,
    /// Whether letters of either case are asked for anywhere.
    nocase: bool,
    /// Whether letters of one case are.
    lossy: bool,
}

impl Folded {
    fn of(hir: &Hir) -> Folded {
        let mut folded = Folded {
            hir: Hir::empty(),
            nocase: false,
            lossy: false,
        };
        folded.hir = folded.fold(hir);
        folded
    }

    fn fold(&mut self, hir: &Hir) -> Hir {
        match hir.kind() {
            HirKind::Empty => Hir::empty(),
            HirKind::Look(look) => Hir::look(*look),
            HirKind::Literal(literal) => {
                self.lossy |= literal.0.iter().any(u8::is_ascii_alphabetic);
                Hir::literal(literal.0.to_ascii_lowercase())
            }
            HirKind::Class(Class::Bytes(class)) => self.fold_class(class),
            HirKind::Class(Class::Unicode(class)) => match class.to_byte_class() {
                Some(class) => self.fold_class(&class),
                None => {
                    self.lossy = true;
                    hir.clone()
                }
            },
            HirKind::Repetition(repetition) => {
                let mut folded = repetition.clone();
                folded.sub = Box::new(self.fold(&repetition.sub));
                Hir::repetition(folded)
            }
            HirKind::Capture(capture) => self.fold(&capture.sub),
            HirKind::Concat(parts) => {
                Hir::concat(parts.iter().map(|part| self.fold(part)).collect())
            }
            HirKind::Alternation(parts) => {
                Hir::alternation(parts.iter().map(|part| self.fold(part)).collect())
            }
        }
    }

    fn fold_class(&mut self, class: &ClassBytes) -> Hir {
        let has = |byte: u8| {
            let mut ranges = class.ranges().iter();
            ranges.any(|range| range.start() <= byte && byte <= range.end())
        };
        let bytes = || (0..=u8::MAX).filter(|byte| has(*byte));
        let mut letters = bytes().filter(u8::is_ascii_alphabetic).peekable();
        let any = letters.peek().is_some();
        let both = letters.all(|letter| has(letter ^ 0x20));
        self.lossy |= any && !both;
        // Letters of many other bytes are no sign that case is no matter.
        self.nocase |= any && both && bytes().count() <= 2 * CLASS_MAX;
        let lower = bytes().map(|byte| byte.to_ascii_lowercase());
        let ranges = lower.map(|byte| ClassBytesRange::new(byte, byte));
        Hir::class(Class::Bytes(ClassBytes::new(ranges)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex_automata::meta::Regex;

    fn syntax(any_case: bool) -> syntax::Config {
        let config = syntax::Config::new().unicode(false).utf8(false);
        config.case_insensitive(any_case)
    }

    fn demand(text: &str, any_case: bool) -> Option<Demand> {
        demand_of(text, syntax(any_case), &FieldPath::new("payload"))
    }

    /// Literals as text: their first and last place, `$` where they end with the text, and whether
    /// they say all.
    fn shown(text: &str, any_case: bool) -> String {
        let Some(demand) = demand(text, any_case) else {
            return "none".to_owned();
        };
        let shown = |content: &Content| {
            let until = content.depth.map(|depth| content.offset + depth);
            format!(
                "{}{}@{}{}{}",
                content.pattern.bytes.escape_ascii(),
                if content.pattern.nocase { "/i" } else { "" },
                content.offset,
                until.map_or(String::new(), |until| format!("-{until}")),
                if content.at_end { "$" } else { "" },
            )
        };
        let any: Vec<String> = demand.all.iter().flatten().map(shown).collect();
        format!(
            "{}{}",
            any.join(" "),
            if demand.tells { " tells" } else { "" }
        )
    }

    #[test]
    fn literals_are_those_that_tell_most() {
        for (text, any_case, expected) in [
            ("abc", false, "abc@0 tells"),
            ("abc", true, "abc/i@0 tells"),
            ("^abc", false, "abc@0-3 tells"),
            ("abc$", false, "abc@0$ tells"),
            ("^abc$", false, "abc@0-3$ tells"),
            (r"\babc", false, "abc@0"),
            ("(?m)^abc", false, "abc@0"),
            ("GET (?i)index", false, "get index/i@0"),
            ("^(GET|POST) /[a-z]+[.]html ", false, "GET /@0-5 POST /@0-6"),
            ("^(GET|POST) /[a-z]", false, "GET /@0-5 POST /@0-6"),
            ("[a-z]+=[0-9]+&token", false, "&token@3"),
            ("(foo|bar)", false, "bar@0 foo@0 tells"),
            ("x*foo|y*bar$", false, "foo@0 bar@0$"),
            ("(?:abcd)+", false, "abcd@0"),
            ("(?:abcd)*", false, "none"),
            ("[0-9]+", false, "none"),
            ("", false, "none"),
            ("a", false, "none"),
            ("^a", false, "a@0-1 tells"),
            (r"^.\x16\x03", false, r"\x16\x03@1-3"),
            ("ab|", false, "none"),
            ("[^a]b", false, "none"),
        ] {
            assert_eq!(shown(text, any_case), expected, "{text}");
        }
    }

    fn expression() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "[abAB]{1,3}",
            Just("[ab]".to_owned()),
            Just("[aA]".to_owned()),
            Just(".".to_owned()),
            Just("^".to_owned()),
            Just("$".to_owned()),
            Just(r"\b".to_owned()),
            Just("(?i:ab)".to_owned()),
        ];
        leaf.prop_recursive(4, 16, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
                prop::collection::vec(inner.clone(), 1..3)
                    .prop_map(|parts| format!("({})", parts.join("|"))),
                (inner, prop_oneof!["[*+?]", Just("{2}".to_owned())])
                    .prop_map(|(part, times)| format!("(?:{part}){times}")),
            ]
        })
    }

    fn is_there(content: &Content, text: &[u8]) -> bool {
        let len = content.pattern.bytes.len();
        let until = content
            .depth
            .map_or(usize::MAX, |depth| content.offset + depth);
        (content.offset..text.len()).any(|at| {
            let Some(there) = text.get(at..at + len) else {
                return false;
            };
            let same = match content.pattern.nocase {
                true => there.eq_ignore_ascii_case(&content.pattern.bytes),
                false => there == content.pattern.bytes,
            };
            same && at + len <= until && (!content.at_end || at + len == text.len())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn expressions_match_where_their_literals_are_and_nowhere_else(
            text in expression(), any_case: bool, haystacks in prop::collection::vec("[abAB ]{0,8}", 1..20),
        ) {
            let Some(demand) = demand(&text, any_case) else {
                return Ok(());
            };
            let regex = Regex::builder().syntax(syntax(any_case)).build(&text).expect("an expression");
            for haystack in haystacks {
                let found = demand.all.iter().all(|any| {
                    any.iter().any(|content| is_there(content, haystack.as_bytes()))
                });
                let matches = regex.is_match(haystack.as_bytes());
                prop_assert!(found || !matches, "{text} in {haystack:?}: {demand:?}");
                prop_assert!(!demand.tells || matches == found, "{text} in {haystack:?}: {demand:?}");
            }
        }
    }
}
