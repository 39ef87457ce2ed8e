use super::*;
use crate::scan::scan;

struct Functions;

impl Names for Functions {
    fn is_function(&self, name: &str) -> bool {
        name == "upper"
    }

    fn takes_words(&self, name: &str) -> bool {
        ["pcapfile", "mask", "Packets"].contains(&name)
    }

    fn is_stream(&self, _: &str) -> bool {
        false
    }
}

/// The tokens behind `where`, joined by blanks.
fn expression(text: &str) -> String {
    let text = format!("where {text}");
    let (tokens, faults) = lex(&text, &scan(&text), &Functions);
    assert!(faults.is_empty(), "{text}");
    tokens[1..]
        .iter()
        .map(|token| token.text)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn tells_words_from_operators() {
    for (text, expected) in [
        ("len>100", "len > 100"),
        ("len-10", "len - 10"),
        ("len/2", "len / 2"),
        ("a.b*3", "a.b * 3"),
        ("a--5", "a - -5"),
        ("a=-5", "a = -5"),
        ("a>-.5", "a > -.5"),
        ("-a", "- a"),
        ("a -5", "a - 5"),
        ("(a)-5", "( a ) - 5"),
        ("5-3", "5 - 3"),
        ("x=10.0.0.0/8", "x = 10.0.0.0/8"),
        ("10.0.0.0/8/2", "10.0.0.0/8 / 2"),
        ("10/2", "10 / 2"),
        ("10.0.0.1/x", "10.0.0.1 / x"),
        ("fd00::/8!=::1", "fd00::/8 != ::1"),
        ("00:11:22:33:44:55", "00:11:22:33:44:55"),
        ("ts>2024-01-31T12:00:00Z", "ts > 2024-01-31T12:00:00Z"),
        (
            "2024-01-31T12:00:00-07:00-5",
            "2024-01-31T12:00:00-07:00 - 5",
        ),
        ("2024-01-31T12:00:00.5+01", "2024-01-31T12:00:00.5+01"),
        ("2024-01-31-2", "2024-01-31 - 2"),
        ("2024-10", "2024 - 10"),
        ("1e5+1e-5+1e+5", "1e5 + 1e-5 + 1e+5"),
        ("cafe-5", "cafe - 5"),
        ("0x1e-5", "0x1e - 5"),
        ("!a&&b||c", "! a && b || c"),
        ("a&b", "a&b"),
        ("a<>b<=c", "a <> b <= c"),
        ("a='x y'", "a = 'x y'"),
        ("a | b=c", "a | b=c"),
        ("a group by b-c", "a group by b-c"),
        ("sum(a-b)-c", "sum ( a-b ) - c"),
        ("é-è", "é - è"),
    ] {
        assert_eq!(expression(text), expected, "{text}");
    }
}

#[test]
fn translates_double_quotes_only() {
    for (text, expected) in [
        (r#""a\\n\n\"\x41""#, "a\\\\n\n\"\\x41"),
        (r"'a\n'", "a\\n"),
        ("''", ""),
        ("\"\"", ""),
    ] {
        let (tokens, _) = lex(text, &scan(text), &Functions);
        assert_eq!(tokens[0].kind, Kind::Quoted(expected.to_owned()), "{text}");
    }
}

#[test]
fn finds_keywords_where_they_are_some() {
    let keywords = |text: &str| {
        let (tokens, _) = lex(text, &scan(text), &Functions);
        let keyword = |token: &Token<'_>| {
            matches!(token.kind, Kind::Keyword(_)).then(|| token.text.to_owned())
        };
        tokens
            .iter()
            .filter_map(keyword)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        keywords("print and or AS x GROUP by y Having NOT z"),
        "AS GROUP Having NOT"
    );
    assert_eq!(
        keywords("filter a | (filter b) + (filter c) | print filter (filter)"),
        "filter filter filter"
    );
    assert_eq!(keywords("where as in (a) | print in"), "where in");
}

#[test]
fn finds_the_signs_of_bags_and_definitions() {
    let signs = |text: &str| {
        let (tokens, _) = lex(text, &scan(text), &Functions);
        let show = |token: &Token<'_>| match token.kind {
            Kind::Plus | Kind::Define => format!("<{}>", token.text),
            _ => token.text.to_owned(),
        };
        tokens.iter().map(show).collect::<Vec<_>>().join(" ")
    };
    for (text, expected) in [
        ("A + B", "A <+> B"),
        ("a(x)+b(y)", "a ( x ) <+> b ( y )"),
        ("print a+b +c", "print a+b +c"),
        ("print '+' x", "print '+' x"),
        ("where a +b", "where a + b"),
        ("(where a) +(b)", "( where a ) <+> ( b )"),
        ("A :- b", "A <:-> b"),
        ("A:-b", "A <:-> b"),
        ("A :-b :- c", "A <:-> b :- c"),
        ("A(k, n):-filter k", "A ( k , n ) <:-> filter k"),
        ("print a :- b", "print a :- b"),
        ("print (a) b :- c", "print ( a ) b :- c"),
        (":-", "<:->"),
    ] {
        assert_eq!(signs(text), expected, "{text}");
    }
}
