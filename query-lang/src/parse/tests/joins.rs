use super::{pipeline, show};
use crate::ast::StageKind;

/// The streams of a join, in words, and the stages behind it.
fn join(text: &str) -> String {
    let pipeline = match pipeline(text) {
        Ok(pipeline) => pipeline,
        Err(fault) => return fault,
    };
    let StageKind::Join { inputs, condition } = &pipeline.stages[0].kind else {
        return "no join".to_owned();
    };
    let streams = inputs.iter().map(|input| {
        let source = match &input.source {
            Some(source) => format!("{} ", source.stages.len()),
            None => String::new(),
        };
        let until = match &input.until {
            Some(until) => format!(" until {}", show(until)),
            None => String::new(),
        };
        let max = input.max.map_or(String::new(), |max| format!(" max {max}"));
        format!("{source}{}{max}{until}", input.alias.text)
    });
    let streams = streams.collect::<Vec<_>>().join(", ");
    let condition = condition
        .as_ref()
        .map_or("always".to_owned(), |condition| show(condition));
    let behind = &pipeline.stages[1..];
    let groups = behind.iter().filter(|stage| stage.group.is_some()).count();
    format!(
        "{streams} where {condition}, {} behind, {groups} grouped",
        behind.len()
    )
}

#[test]
fn streams_are_joined() {
    for (text, expected) in [
        (
            "print a.ipid b.ipid from pcapfile(f) a, b where a.ipid!=b.ipid",
            "1 a, b where (a.ipid != b.ipid), 1 behind, 0 grouped",
        ),
        (
            "print a.6 from t(-d ' ' x) a until (b.6=a.6 and substr(b.7, \"to=\")), b UNTIL(new.b) where a.6=b.6",
            "1 a until ((b.6 = a.6) and substr[b.7 to=]), b until new.b where (a.6 = b.6), 1 behind, 0 grouped",
        ),
        (
            "print count() from uniq a.x from s(x) a, (t y | head 1) b, c, Packets d, Packets() e where a.x = b.x group by k | head 1",
            "1 a, 2 b, c, 1 d, 1 e where (a.x = b.x), 3 behind, 1 grouped",
        ),
        (
            "print a.x from s(x) a max 5, (t y) b until (new.b) MAX 9, c max 7 where a.x = b.x",
            "1 a max 5, 1 b max 9 until new.b, c max 7 where (a.x = b.x), 1 behind, 0 grouped",
        ),
        (
            "Packets a max 1, max max 3 | print a.x",
            "1 a max 1, max max 3 where always, 1 behind, 0 grouped",
        ),
        ("s(x) a max 0, b", "Q052 this is no number of objects"),
        (
            "print a.x from Packets a, b where a.x = b.x",
            "1 a, b where (a.x = b.x), 1 behind, 0 grouped",
        ),
        (
            "Packets a, b where a.x = b.x | print a.x",
            "1 a, b where (a.x = b.x), 1 behind, 0 grouped",
        ),
        (
            "Packets a until(new.a), b",
            "1 a until new.a, b where always, 0 behind, 0 grouped",
        ),
        (
            "s(x) a, b | print a.x",
            "1 a, b where always, 1 behind, 0 grouped",
        ),
        (
            "(s(x) | head 2) a, b where a = b",
            "2 a, b where (a = b), 0 behind, 0 grouped",
        ),
        ("print x from (s(x) a, b where a = b) where c", "no join"),
        ("print x from pcapfile x, y where a = b", "no join"),
        ("print x from Packets a where a = b", "no join"),
        (
            "print x from s(x) a where a.x = 1",
            "Q052 `a` is the name of a single stream",
        ),
        ("print x from s(x) a, a", "Q052 two streams are called `a`"),
        (
            "print x from s(x), t(y) where a = b",
            "Q052 the streams of a join need names",
        ),
        (
            "print x from (s x), (t y)",
            "Q052 the streams of a join need names",
        ),
        (
            "print x from s(x) a, t(y) where a = b",
            "Q002 expected a name for the stream, found `where`",
        ),
        (
            "print x from s(x) a until, b",
            "Q002 expected `(`, found `,`",
        ),
        (
            "print x from s(x) a, b until (",
            "Q002 expected a field, a constant or `(`, found the end of the query",
        ),
        (
            "print x from s(x) a until (new.a b), b",
            "Q002 expected an operator or `)`, found `b`",
        ),
        (
            "s(x) print y",
            "Q002 expected `|` or the end of the query, found `print`",
        ),
        (
            "s(x) where b a, b",
            "Q002 expected an operator, `|` or the end of the query, found `a`",
        ),
    ] {
        assert_eq!(join(text), expected, "{text}");
    }
}
