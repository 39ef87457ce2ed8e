use super::*;
use proptest::prelude::*;

/// Whether a pattern is in a text, and may end there.
fn is_at(sought: &Sought, text: &[u8], end: usize) -> bool {
    let pattern = &sought.pattern;
    let len = pattern.bytes.len();
    let Some(begin) = end.checked_sub(len).filter(|_| len > 0) else {
        return false;
    };
    let same = match pattern.nocase {
        true => text[begin..end].eq_ignore_ascii_case(&pattern.bytes),
        false => text[begin..end] == pattern.bytes,
    };
    let until = sought.until.is_none_or(|until| end <= until);
    same && sought.from <= begin && until && (end == text.len() || !sought.at_end)
}

fn letters(len: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(&b"aAbB\0"[..]), len)
}

/// Patterns of all lengths, half of them with places.
fn any_sought() -> impl Strategy<Value = Sought> {
    let bytes = prop_oneof![letters(0..5), letters(3..8), letters(6..20)];
    let until = prop_oneof![2 => Just(None), 1 => (0..30usize).prop_map(Some)];
    let bytes = prop_oneof![5 => bytes, 1 => (0..20usize).prop_map(|len| vec![b'a'; len])];
    let from = prop_oneof![Just(0), 0..6usize];
    let flags = (any::<bool>(), prop::bool::weighted(0.1));
    (bytes, flags, from, until).prop_map(|(bytes, (nocase, at_end), from, until)| Sought {
        pattern: Pattern { bytes, nocase },
        from,
        until,
        at_end,
    })
}

/// Texts, some made of the patterns themselves.
fn any_text(all: &[Sought], pieces: &[(Vec<u8>, usize)]) -> Vec<u8> {
    let mut text = Vec::new();
    for (piece, at) in pieces {
        text.extend(piece);
        if let Some(sought) = all.get(*at) {
            text.extend(&sought.pattern.bytes);
        }
    }
    text
}

fn check(all: &[Sought], texts: &[Vec<u8>], some: &[u32], most: (usize, usize)) {
    for shuffles in [true, false] {
        check_one(all, texts, some, most, shuffles);
    }
}

fn check_one(
    all: &[Sought],
    texts: &[Vec<u8>],
    some: &[u32],
    most: (usize, usize),
    shuffles: bool,
) {
    let mut matcher = Patterns::new(all.to_vec());
    matcher.shuffles = shuffles;
    matcher.most = most;
    let wanted = matcher.want(some.iter().copied());
    let mut found = vec![Vec::new(); texts.len()];
    let rows = texts.iter().map(Vec::as_slice).enumerate();
    matcher.scan(&wanted, rows, |row, number, end| {
        found[row].push((number, end))
    });
    for (text, found) in texts.iter().zip(found) {
        for (number, sought) in (0..).zip(all) {
            let ends: Vec<usize> = found
                .iter()
                .filter(|hit| hit.0 == number)
                .map(|hit| hit.1)
                .collect();
            let is_there = (0..=text.len()).any(|end| is_at(sought, text, end));
            let expected = is_there && some.contains(&number);
            assert_eq!(ends.len(), usize::from(expected), "{sought:?} in {text:?}");
            assert!(
                ends.iter().all(|end| is_at(sought, text, *end)),
                "{sought:?} in {text:?}"
            );
        }
    }
}

proptest! {
    #[test]
    fn every_occurrence_is_found(
        all in prop::collection::vec(any_sought(), 0..60),
        pieces in prop::collection::vec(prop::collection::vec((letters(0..12), 0..90usize), 0..4), 1..4),
        left_out in prop::collection::vec(0..60u32, 0..4),
        most in prop_oneof![3 => Just(WORK_MAX), 1 => (0..2usize, 0..40usize)],
    ) {
        let texts: Vec<Vec<u8>> = pieces.iter().map(|pieces| any_text(&all, pieces)).collect();
        let some: Vec<u32> = (0..all.len() as u32).filter(|at| !left_out.contains(at)).collect();
        check(&all, &texts, &some, most);
    }

    #[test]
    fn bytes_of_any_value_are_found(
        all in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..12), any::<bool>()), 1..20),
        pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..9), 0..20usize), 1..9),
    ) {
        let sought = |(bytes, nocase)| Sought {
            pattern: Pattern { bytes, nocase },
            from: 0,
            until: None,
            at_end: false,
        };
        let all: Vec<Sought> = all.into_iter().map(sought).collect();
        let some: Vec<u32> = (0..all.len() as u32).collect();
        check(&all, &[any_text(&all, &pieces)], &some, WORK_MAX);
    }
}

fn anywhere(bytes: &[u8]) -> Sought {
    Sought {
        pattern: Pattern {
            bytes: bytes.to_vec(),
            nocase: false,
        },
        from: 0,
        until: None,
        at_end: false,
    }
}

#[test]
fn a_text_made_for_it_takes_no_more_than_an_automaton() {
    // Most windows of all patterns are the same, and the text has nothing else.
    let all: Vec<Sought> = (10..2010usize)
        .map(|len| anywhere(&[&b"ab".repeat(len)[..], b"c"].concat()))
        .collect();
    let mut matcher = Patterns::new(all);
    let wanted = matcher.want(0..2000);
    let text = b"ab".repeat(32_000);
    // What the filters find is given up once it is more than the text is worth.
    assert!(!matcher.scan_places(&wanted, &text, &mut |_, _| panic!("nothing is there")));
    assert!(matches!(matcher.automata, Some(Ok(_))));
    let texts = std::iter::once((0, &text[..]));
    matcher.scan(&wanted, texts, |_, _, _| panic!("nothing is there"));
}

#[test]
fn patterns_that_may_begin_at_few_places_are_pinned() {
    let at = |from, until, bytes: &[u8]| {
        let all = vec![Sought {
            from,
            until,
            ..anywhere(bytes)
        }];
        Table::new(&all).kind(0)
    };
    assert_eq!(at(0, Some(4), b"GET "), Kind::Pinned);
    assert_eq!(at(2, Some(9), b"GET "), Kind::Pinned);
    assert_eq!(at(2, Some(10), b"GET "), Kind::Triple);
    assert_eq!(at(0, None, b"GET "), Kind::Triple);
    assert_eq!(at(70_000, Some(70_004), b"GET "), Kind::Triple);
    // Nowhere.
    assert_eq!(at(0, Some(3), b"GET "), Kind::Pinned);
    assert_eq!(at(0, Some(1), b"\x01"), Kind::Pinned);
    assert_eq!(at(0, None, b"\x01"), Kind::Single);
    assert_eq!(at(0, None, b"\x16\x03"), Kind::Pair);
    assert_eq!(at(0, None, b"/index.htm"), Kind::Quad);
}
