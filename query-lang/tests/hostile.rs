//! Any text: no panic, no deep stack, work linear in the text.

mod support;

use proptest::prelude::*;
use support::codes;

const STATEMENTS: [&str; 14] = [
    "web: pcapfile x y | where dstport = 80 and not (srcip = 10.0.0.0/8 or len in (1, 2)) | uniq srcip, dstip | print srcip dstip",
    "pcapfile x | print -v srcip, count() sum(len) as n where len-10 > -5 group by srcip having count() > 10 and n > 1e-5",
    "pcapfile x | (where ts > 2024-01-31T12:00:00+01:00) + (where payload = \"a\\x41\\\"\" | head 1) | print # why\n",
    "(pcapfile 'a b') + (jsonfile y | where a.b = 'c')\n| count() max(len)\ngroup by srcip",
    "pcapfile x -- comment\n  | filter !len<>3 && srcport || -len*2/3 <= 4",
    "pcapfile x | sum len group by ip.src; jsonfile y | print a as b",
    "print srcip, count() as n from (uniq srcip from pcapfile(x) where len > 5) + pcapfile(y) where mask(srcip, 10.0.0.0/8) and len group by srcip having n > 3 | head 2",
    "P :- pcapfile x; Sel :- where dstport = 80 or len > 5\nTop(k, n) :- top -n n k | print k as key; P | where not Sel() and srcport | Top(len, 5); Top from P",
    "A :- pcapfile a + pcapfile b; A :- A | uniq srcip; print :- print -v; A + A() | filter(\"len > 5 and 'a' = payload\") | print",
    "select distinct a.srcip as x, count(distinct len % 2) n, 'it''s' || \"b c\".d, a.* from pcapfile(x) a join (select * from 'y.pcap' limit 3) b on a.len = b.len, P where mask(srcip, 10.0.0.0/8) and len > 5 -- c\n group by srcip, 2 having count(*) > 1 /* d */ union all (select 1 from Q) order by x desc nulls first limit 5 offset 2 | head 3",
    "x: SELECT case when len is null then -1 end\n  FROM 'x.pcap'\n\npcapfile y\nA :- SELECT srcip::varchar FROM pcapfile(x)\nWHERE len not between 1 and 2\nselect * from A union select 5 % 2 from A",
    "print -v a.6 [ b.len*2 - upper(a.x, 'y') ] as n, upper(a.z) from pcapfile(x) a until (new.a.len > a.len), b until(new.b), (pcapfile y) c where a.6=b.6 and mask(c.srcip, 10.0.0.0/8)",
    "pcapfile x | where case when len between 1 and srcport then 'a' else payload end like 'a%' or (len::double is not null and cast(len + 1 as int) // 2 not in (1, case len when 5 then true end))",
    "(where len > 5 | count() | print count) from jsonfile x group by a.b having sum(len) > 5; select a from b",
];

proptest! {
    #[test]
    fn any_text_is_judged(text in "\\PC{0,80}") {
        codes(&text, &[]);
    }

    #[test]
    fn any_tokens_are_judged(words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..40)) {
        codes(&format!("pcapfile x | {}", words.join(" ")), &[]);
        codes(&words.concat(), &["a"]);
    }

    #[test]
    fn mutated_statements_are_judged(
        statement in prop::sample::select(STATEMENTS.to_vec()),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, prop::sample::select(WORDS.to_vec())), 1..6),
    ) {
        let mut text: Vec<char> = statement.chars().collect();
        for (at, edit, word) in edits {
            let at = at.index(text.len() + 1).min(text.len());
            match edit {
                0 => text.truncate(at),
                1 => { text.splice(at.saturating_sub(3)..at, []); }
                _ => { text.splice(at..at, word.chars()); }
            }
        }
        codes(&text.into_iter().collect::<String>(), &[]);
    }
}

const WORDS: [&str; 102] = [
    "where",
    "group",
    "by",
    "having",
    "from",
    "as",
    "and",
    "or",
    "not",
    "in",
    "filter",
    "print",
    "uniq",
    "head",
    "count",
    "sum",
    "pcapfile",
    "jsonfile",
    "srcip",
    "len",
    "ts.sec",
    "10.0.0.0/8",
    "fd00::1",
    "-5",
    "1e-5",
    "0x50",
    "'a b'",
    "\"c\\\"\"",
    "'",
    "\"",
    "(",
    ")",
    "(",
    ")",
    "|",
    "||",
    "&&",
    "!",
    "=",
    "!=",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    ",",
    ";",
    "\n",
    "# c\n",
    "a:",
    "é",
    ":-",
    "A",
    "B",
    "A :- ",
    "B(k) :- ",
    "A()",
    "B(len)",
    "k",
    "mask(srcip, 10.0.0.0/8)",
    "filter('len > 5')",
    "[ ",
    " ]",
    "until",
    "until(",
    "pcapfile(x) a, b",
    "case",
    "when",
    "then",
    "else",
    "end",
    "is",
    "null",
    "true",
    "between",
    "like",
    "ilike",
    "cast(",
    "::",
    "::int",
    "upper(",
    "//",
    "A a, b",
    "select ",
    "SELECT * FROM ",
    "(select len from 'x.pcap'",
    "distinct",
    "union all ",
    "order by",
    "limit",
    "offset",
    "join",
    "on",
    "desc",
    "nulls last",
    "\"c d\"",
    "count(*)",
    "/*",
    "%",
    "x.*",
    "\n\n",
];

#[test]
fn depth_has_a_limit() {
    for depth in [201, 1000, 100_000] {
        for (open, close) in [
            ("(", ")"),
            ("not ", ""),
            ("!", ""),
            ("- ", ""),
            ("not (", ")"),
            ("(", ""),
            ("(len and (len or ", "))"),
            ("+ ", ""),
            ("upper(", ")"),
            ("upper(len, ", ")"),
            ("1 in (", ")"),
            ("cast(", " as int)"),
            ("case ", " when 1 then 2 end"),
            ("case when ", " then 2 end"),
            ("case when len then ", " end"),
            ("case when len then 1 else ", " end"),
            ("len between 1 and (", ")"),
            ("len like (", ")"),
        ] {
            let text = format!(
                "pcapfile x | where {}len{} = 5",
                open.repeat(depth),
                close.repeat(depth)
            );
            assert_eq!(codes(&text, &[]), ["Q003"], "{depth} times {open}");
        }
        for (open, close) in [
            ("(", ")"),
            ("print a(", ")"),
            ("count(", ")"),
            ("(head 1 | ", ")"),
            ("(head 1) + (", ")"),
            ("print from (", ")"),
            ("head 1 + (uniq len from ", ")"),
            ("sum([ upper(", ") ])"),
            ("(pcapfile(x) a, (", ") b)"),
            ("select a from (", ") b"),
            ("select a union (", ")"),
        ] {
            let text = format!(
                "pcapfile x | {}head 1{}",
                open.repeat(depth),
                close.repeat(depth)
            );
            assert_eq!(codes(&text, &[]), ["Q003"], "{depth} times {open}");
        }
        for operator in [
            "+ len",
            "- len",
            "* len",
            "/ len",
            "// len",
            "::int",
            " is null",
            " not between 1 and 2",
            " like 'a'",
            " in (1)",
            " = 1 is null",
        ] {
            let text = format!("pcapfile x | where len{}", operator.repeat(depth));
            assert_eq!(codes(&text, &[]), ["Q003"], "{depth} times {operator}");
        }
    }
}

#[test]
fn selects_have_a_limit() {
    let columns = ["len"; 1_001].join(", ");
    for text in [
        format!("select {columns} from pcapfile(x)"),
        format!("select 1 from pcapfile(x) group by {columns}"),
        format!("select 1 from pcapfile(x) order by {columns}"),
    ] {
        assert_eq!(codes(&text, &[]), ["Q058"]);
    }
    let tables: Vec<String> = (0..33)
        .map(|table| format!("pcapfile(x) t{table}"))
        .collect();
    let joined = format!("select 1 from {}", tables.join(", "));
    assert_eq!(codes(&joined, &[]), ["Q052"]);
}

#[test]
fn parts_that_are_calculated_often_have_a_limit() {
    for (open, close) in [
        ("(", " between 1 and 2)"),
        ("(", " in (1, 2))"),
        ("case ", " when 1 then 2 when 2 then 3 end"),
    ] {
        for text in [
            "pcapfile x | where @ = 5",
            "pcapfile x | print [ @ ]",
            "select @ from pcapfile(x)",
            "select len from pcapfile(x) group by @",
            "select len from pcapfile(x) x, pcapfile(x) y where @",
            "select len from pcapfile(x) order by @",
            "print a.len from pcapfile(x) a until (@), b",
        ] {
            let nested = |times: usize| {
                text.replace(
                    '@',
                    &format!("{}len{}", open.repeat(times), close.repeat(times)),
                )
            };
            assert_eq!(codes(&nested(60), &[]), ["Q044"], "{text} {open}");
        }
    }
    let long = format!("pcapfile x | where len in (1{})", ", 1".repeat(200_000));
    assert_eq!(codes(&long, &[]), [""; 0]);
    let mut items = String::from("select len + len as a0");
    for item in 1..60 {
        items += &format!(", a{0} + a{0} as a{item}", item - 1);
    }
    let codes = codes(&(items + " from pcapfile(x)"), &[]);
    assert!(
        !codes.is_empty() && codes.iter().all(|code| *code == "Q043"),
        "{codes:?}"
    );
}

#[test]
fn what_is_within_the_limit_fits_into_the_stack_of_a_thread() {
    let sum = "len + ".repeat(150);
    let items: String = (1..75)
        .map(|item| format!(", a{} + 1 as a{item}", item - 1))
        .collect();
    let deep = [
        format!("select len as a0{items} from pcapfile(x)"),
        format!(
            "select len{} from pcapfile(x){}",
            " from (select len".repeat(190),
            ")".repeat(190)
        ),
        format!(
            "{}select len from pcapfile(x){}",
            "(".repeat(190),
            " union select 1)".repeat(190)
        ),
        format!(
            "select {}len{} from pcapfile(x) group by {}len{}",
            "upper(".repeat(190),
            ")".repeat(190),
            "- (".repeat(95),
            ")".repeat(95)
        )
        .replace(
            "select upper",
            "select count(*), 1 from pcapfile(x) where upper",
        )
        .replace(" from pcapfile(x) group", " = 'a' group"),
        format!(
            "select {}len{} from pcapfile(x) a, pcapfile(x) b",
            "case when true then ".repeat(190),
            " end".repeat(190)
        )
        .replace("len", "a.len"),
        format!(
            "pcapfile x | where {}len{} = 5",
            "(".repeat(200),
            ")".repeat(200)
        ),
        format!("pcapfile x | where {}len = 5", "not ".repeat(200)),
        format!("pcapfile x | where {}len = 5", "len or not ".repeat(200)),
        format!(
            "pcapfile x | where {}{sum}len = 5{}",
            "len or len and not (".repeat(100),
            ")".repeat(100)
        ),
        format!(
            "pcapfile x | {}head 1{}",
            "(head 1 | ".repeat(200),
            ")".repeat(200)
        ),
    ];
    let compile = move || {
        deep.iter()
            .for_each(|text| assert_eq!(codes(text, &[]), [""; 0], "{text}"))
    };
    let thread = std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(compile)
        .expect("a thread starts");
    thread.join().expect("it has room");
}
