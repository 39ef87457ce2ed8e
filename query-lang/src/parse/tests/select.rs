use super::{pipeline, show};
use crate::ast::{Arm, Core, Expr, Item, Select, StageKind, Table, TableSource, Union};

/// The stages of a query; a SELECT with all its parts.
fn query(text: &str) -> String {
    let stages = match pipeline(text) {
        Ok(pipeline) => pipeline.stages,
        Err(fault) => return fault,
    };
    let stages = stages.iter().map(|stage| match &stage.kind {
        StageKind::Select(select) => show_select(select),
        StageKind::Call(call) => call.name.text.clone(),
        StageKind::Bag(branches) => format!("bag of {}", branches.len()),
        other => panic!("{other:?}"),
    });
    stages.collect::<Vec<_>>().join(" | ")
}

fn show_select(select: &Select) -> String {
    let mut text = show_arm(&select.first);
    for (union, arm) in &select.others {
        let all = if *union == Union::All { " all" } else { "" };
        text += &format!(" union{all} {}", show_arm(arm));
    }
    for order in &select.order {
        let descending = if order.descending { " desc" } else { "" };
        let nulls = if order.nulls_first { " nulls" } else { "" };
        text += &format!(" order{nulls} {}{descending}", show(&order.by));
    }
    for (word, rows) in [("limit", &select.limit), ("offset", &select.offset)] {
        if let Some(rows) = rows {
            text += &format!(" {word} {}", rows.text);
        }
    }
    text
}

fn show_arm(arm: &Arm) -> String {
    match arm {
        Arm::Core(core) => show_core(core),
        Arm::Nested(select) => format!("({})", show_select(select)),
    }
}

fn show_core(core: &Core) -> String {
    let mut text = String::from(if core.distinct { "distinct" } else { "select" });
    for item in &core.items {
        text += &match item {
            Item::All(None, _) => " *".to_owned(),
            Item::All(Some(table), _) => format!(" {}.*", table.text),
            Item::Value {
                value, alias: None, ..
            } => format!(" {}", show(value)),
            Item::Value {
                value,
                alias: Some(alias),
                ..
            } => format!(" {} as {}", show(value), alias.text),
        };
    }
    if let Some(from) = &core.from {
        text += &format!(" from {}", show_table(&from.first));
        for (table, on) in &from.joined {
            let on = on.as_ref().map_or("always".to_owned(), show);
            text += &format!(", {} on {on}", show_table(table));
        }
    }
    let one = |word: &str, expr: &Option<Box<Expr>>| {
        expr.as_ref()
            .map_or(String::new(), |expr| format!(" {word} {}", show(expr)))
    };
    text += &one("where", &core.condition);
    for key in &core.keys {
        text += &format!(" by {}", show(key));
    }
    text + &one("having", &core.having)
}

fn show_table(table: &Table) -> String {
    let source = match &table.source {
        TableSource::File(file) => format!("'{}'", file.text),
        TableSource::Call(call) => format!("{}[{}]", call.name.text, call.arguments.len()),
        TableSource::Query(select) => format!("({})", show_select(select)),
    };
    match &table.alias {
        Some(alias) => format!("{source} as {}", alias.text),
        None => source,
    }
}

#[test]
fn selects_are_read() {
    for (text, expected) in [
        (
            "SELECT srcip, count(*) AS n FROM 'x.pcap' WHERE dstport = 80\nGROUP BY srcip HAVING n > 10\nORDER BY n DESC\nLIMIT 10",
            "select srcip count() as n from 'x.pcap' where (dstport = 80) by srcip having (n > 10) order n desc limit 10",
        ),
        (
            "select * from pcapfile(/data/x*.pcap) t",
            "select * from pcapfile[1] as t",
        ),
        (
            "select t.*, t.a - 1 b from Packets as t",
            "select t.* (t.a Subtract 1) as b from Packets[0] as t",
        ),
        (
            "select distinct a a, 'it''s', b.\"x y\" from x.csv",
            "distinct a as a 'it's' <b.x y> from 'x.csv'",
        ),
        (
            "select \"a\".b \"c d\", \"e\"\"f\", \"g\".\"h\" from \"x.csv\" \"t\"",
            "select <a.b> as c d <e\"f> <g.h> from 'x.csv' as t",
        ),
        (
            "select a%2, a % 2, a||'x' || b, a//2/3*4, -a % -2, 10%b from t # 5",
            "Q002 expected `|` or the end of the query, found `5`",
        ),
        (
            "select a%2, a % 2, a||'x' || b, a//2/3*4, -a % -2, 10%b from t",
            "select (a Modulo 2) (a Modulo 2) ((a Concatenate 'x') Concatenate b) (((a IntegerDivide 2) Divide 3) Multiply 4) ((- a) Modulo -2) (10 Modulo b) from t[0]",
        ),
        (
            "select a + b || c like 'x%' is null from t",
            "select ((((a Add b) Concatenate c) like 'x%') is Null) from t[0]",
        ),
        (
            "select sum(distinct a+1), count(distinct (a)), upper(a||'x'), left(a, 2), f(g(*), *) from t",
            "Q002 expected a field, a constant or `(`, found `*`",
        ),
        (
            "select sum(distinct a+1), count(distinct (a)), upper(a||'x'), left(a, 2), f(g(*)) from t where mask(a-b, 10.0.0.0/8)",
            "select sum(distinct (a Add 1)) count(distinct a) upper((a Concatenate 'x')) left(a, 2) f(g()) from t[0] where mask[a-b 10.0.0.0/8]",
        ),
        (
            "select cast(a as decimal(10, 2)), a::varchar(5)||'x', date '2024-01-31', ts > 2024-01-31, a -1, 1-2 from t",
            "select a::decimal[\"10\", \"2\"] (a::varchar[\"5\"] Concatenate 'x') '2024-01-31'::date[] (ts > 2024-01-31) (a Subtract 1) (1 Subtract 2) from t[0]",
        ),
        (
            "select case when a then b else -1 end as c from t order by (a), 2 desc nulls first, c asc nulls last offset 3 limit 5",
            "select case when a then b else (- 1) end as c from t[0] order a order nulls 2 desc order c limit 5 offset 3",
        ),
        (
            "select a from (select b from t union select c from u limit 3) v, w x cross join y join z on z.a = v.a inner join (select 1) on true where a not in (1, 2) group by (a), b + 1",
            "select a from (select b from t[0] union select c from u[0] limit 3) as v, w[0] as x on always, y[0] on always, z[0] on (z.a = v.a), (select 1) on True where (not (a in 1, 2)) by a by (b Add 1)",
        ),
        (
            "select a from t union all select b from t union (select c from t order by c limit 1) order by 1",
            "select a from t[0] union all select b from t[0] union (select c from t[0] order c limit 1) order 1",
        ),
        (
            "(select a from t limit 1) union all (select b from t) order by 1 limit 2 | head 3",
            "(select a from t[0] limit 1) union all (select b from t[0]) order 1 limit 2 | head",
        ),
        ("((select a from t))", "bag of 1"),
        (
            "(select a from t) + (select b from t) | print",
            "bag of 2 | print",
        ),
        (
            "pcapfile x | select a where b | print",
            "pcapfile | select a where b | print",
        ),
        ("print a from (select a from t) where b", "bag of 1 | print"),
        (
            "select extract(hour from ts + 1), extract(a) from t",
            "select date_part('hour', (ts Add 1)) extract(a) from t[0]",
        ),
        (
            "select a as \"from\", \"select\" from t",
            "select a as from <select> from t[0]",
        ),
        (
            "select",
            "Q002 expected a field, a constant, `*` or `(`, found the end of the query",
        ),
        (
            "select from t",
            "Q002 expected a field, a constant, `*` or `(`, found `from`",
        ),
        (
            "select a, from t",
            "Q002 expected a field, a constant, `*` or `(`, found `from`",
        ),
        (
            "select a b c from t",
            "Q002 expected `|` or the end of the query, found `c`",
        ),
        (
            "select a from",
            "Q002 expected a file in quotes, a source, a definition or `(`, found the end of the query",
        ),
        (
            "select a from t where",
            "Q002 expected a field, a constant or `(`, found the end of the query",
        ),
        ("select a from t group a", "Q002 expected `by`, found `a`"),
        (
            "select a from t order by a nulls b",
            "Q002 expected `first` or `last`, found `b`",
        ),
        (
            "select a from t limit b + 1",
            "Q002 expected `|` or the end of the query, found `+`",
        ),
        (
            "select a from t limit (1)",
            "Q002 expected a number, found `(`",
        ),
        (
            "select a from t left join u on a",
            "Q050 there is no `left` join",
        ),
        (
            "select a from t natural join u",
            "Q050 there is no `natural` join",
        ),
        (
            "select a from t join u",
            "Q002 expected `on` and a condition, found the end of the query",
        ),
        ("select a from t cross u", "Q002 expected `join`, found `u`"),
        (
            "select a from t except select b from t",
            "Q002 expected `|` or the end of the query, found `except`",
        ),
        (
            "select a from t where b select c",
            "Q002 expected `|` or the end of the query, found `select`",
        ),
        (
            "select a from nosource(1) b",
            "Q040 there is no source `nosource`",
        ),
        ("select a from (t) b", "Q002 expected `select`, found `t`"),
        (
            "select a from (select b from t c",
            "Q004 this bracket is not closed",
        ),
        (
            "select a from t union b",
            "Q002 expected `select` or `(`, found `b`",
        ),
        (
            "select a where b from t",
            "Q002 expected a clause or the end of the query, found `from`",
        ),
        (
            "(print a) limit 2",
            "Q002 expected `|` or the end of the query, found `limit`",
        ),
    ] {
        assert_eq!(query(text), expected, "{text}");
    }
}
