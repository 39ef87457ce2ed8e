//! What functions declare is true, and no values make them panic.

mod calls;

use super::FUNCTIONS;
use calls::{Call, call};
use wireq_engine::Times;
use wireq_typesys::{Kind, Mac, Names, Prefix, Value, Zone, write_value};

fn is_of_kind(value: &Value, kind: Kind) -> bool {
    match (value.kind(), kind) {
        (None, _) | (_, Kind::Dynamic) => true,
        (Some(Kind::Signed), Kind::Unsigned) => value.as_integer() >= Some(0),
        (Some(Kind::List(_)), Kind::List(_)) => true,
        (Some(is), kind) => is == kind,
    }
}

#[test]
fn examples_give_what_they_say() {
    let zone = Zone::utc();
    let mut faults = String::new();
    for function in FUNCTIONS {
        for (text, expected) in function.examples {
            let Call::Function(called, arguments) = Call::read(text) else {
                panic!("{text} is no call");
            };
            let (value, kind) = call(called, &arguments, &zone);
            let mut given = Vec::new();
            write_value(&value, &zone, &mut given);
            let given = String::from_utf8(given).expect("text");
            if given != *expected || !is_of_kind(&value, kind) {
                faults += &format!("{text}: {given} of {kind}, not {expected}\n");
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn functions_are_described() {
    let is_sentence = |text: &str| text.len() > 5 && text.ends_with('.');
    for (at, function) in FUNCTIONS.iter().enumerate() {
        let name = function.name;
        assert!(
            is_sentence(function.summary),
            "{name}: {}",
            function.summary
        );
        assert!(function.examples.len() >= 2, "{name} has too few examples");
        let mentions = |(text, _): &(&str, &str)| text.contains(&format!("{name}("));
        assert!(
            function.examples.iter().all(mentions),
            "{name}: examples of another"
        );
        let twice = FUNCTIONS[..at].iter().any(|other| other.name == name);
        assert!(!twice, "two functions are called {name}");
        for (at, parameter) in function.parameters.iter().enumerate() {
            assert!(
                is_sentence(parameter.summary),
                "{name}: {}",
                parameter.summary
            );
            let is_name = parameter.name.bytes().all(|byte| byte.is_ascii_uppercase());
            assert!(is_name, "{name}: {}", parameter.name);
            // Optional ones come last, and one for any number is the very last.
            let rest = &function.parameters[at + 1..];
            let fits = match parameter.times {
                Times::One => true,
                Times::Optional => rest.iter().all(|p| p.times != Times::One),
                Times::Any => rest.is_empty(),
            };
            assert!(fits, "{name}: {}", parameter.name);
        }
    }
}

static NAMES: Names = Names {
    name: "ip-protocol",
    entries: &[(6, "tcp"), (17, "udp")],
};

fn hostile_values() -> Vec<Value> {
    let v6 = "2001:db8::ff".parse().unwrap();
    let long = Value::Text(b"a%_".repeat(3000).into());
    let mut values = vec![
        Value::Absent,
        Value::Bool(true),
        Value::Named(6, &NAMES),
        Value::Named(u64::MAX, &NAMES),
        Value::Address("255.255.255.255".parse().unwrap()),
        Value::Address(v6),
        Value::Prefix(Prefix::new(v6, 0).unwrap()),
        Value::Prefix(Prefix::new("10.0.0.0".parse().unwrap(), 8).unwrap()),
        Value::Mac(Mac([255; 6])),
        Value::Bytes(b"\xff\x00%e2\x82".as_slice().into()),
        Value::List([Value::Integer(1), Value::text("x")].into()),
        Value::Object(std::sync::Arc::default()),
        long,
    ];
    values.extend([0, 1, -1, 7, 64, 1 << 40, i128::MIN, i128::MAX].map(Value::Integer));
    values.extend([0.5, -0.0, 1e300, f64::NAN, f64::NEG_INFINITY].map(Value::Double));
    values.extend([0, 954_011_609_360_668_000, i64::MIN, i64::MAX].map(Value::Time));
    values.extend([0, -1, 86_400_000_000_000, i64::MAX].map(Value::Duration));
    values.extend(
        [
            "",
            "a",
            "größe\u{301}",
            "%_$",
            "(",
            "(a*)*b",
            "[[:alpha:]\\d]+",
            "\\",
            "\\1",
            "\\9",
            "year",
            "%Y-%m-%d %H:%M:%S.%f %z%Z %%",
            "%",
            "=",
            "QQ==",
            "2000-02-29 12:13:29.5",
        ]
        .map(Value::text),
    );
    values
}

/// No values, of the kinds that parameters have or of others, make a function panic; what it
/// gives is of the kind that it says.
#[test]
fn no_values_make_a_function_panic() {
    let values = hostile_values();
    let zones = [Zone::utc(), Zone::named("Australia/Lord_Howe").unwrap()];
    let mut state = 1u64;
    let mut random = |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize) % limit
    };
    for function in FUNCTIONS {
        let (least, most) = function.arity();
        for count in least..=most.min(least + 3) {
            let calls = values.len().pow(count.min(2) as u32) * 2;
            for at in 0..calls {
                let pick = |place: usize| match place {
                    0 => at % values.len(),
                    1 => at / values.len() % values.len(),
                    _ => random(values.len()),
                };
                let picked: Vec<Value> =
                    (0..count).map(pick).map(|at| values[at].clone()).collect();
                let kind = |value: &Value| value.kind().unwrap_or(Kind::Dynamic);
                let kinds: Vec<Kind> = picked.iter().map(kind).collect();
                if function.strict && picked.iter().any(Value::is_absent) {
                    continue;
                }
                let gives = (function.kind)(&kinds);
                let result = (function.call)(&picked, &zones[at % 2]);
                if let Ok(gives) = gives {
                    let name = function.name;
                    assert!(
                        is_of_kind(&result, gives),
                        "{name} {picked:?}: {result:?}, {gives}"
                    );
                }
            }
        }
    }
}

/// Kinds that no text could be read as are refused, with what is wanted.
#[test]
fn wrong_kinds_are_refused() {
    let find = |name: &str| FUNCTIONS.iter().find(|f| f.name == name).unwrap();
    for (name, kinds, message) in [
        (
            "abs",
            &[Kind::Address][..],
            "X must be a number, not an address",
        ),
        ("upper", &[Kind::Signed], "TEXT must be text, not a number"),
        (
            "year",
            &[Kind::Mac],
            "TIME must be a time, not a hardware address",
        ),
        (
            "cidr",
            &[Kind::Address, Kind::Time],
            "BLOCK must be an address block, not a time",
        ),
        (
            "length",
            &[Kind::Time],
            "VALUE must be text, bytes or a list, not a time",
        ),
        (
            "repeat",
            &[Kind::Text, Kind::Object],
            "COUNT must be a number, not an object",
        ),
    ] {
        assert_eq!((find(name).kind)(kinds), Err(message.to_owned()), "{name}");
    }
    for (name, kinds, gives) in [
        ("abs", &[Kind::Unsigned][..], Kind::Unsigned),
        ("abs", &[Kind::Text], Kind::Dynamic),
        ("upper", &[Kind::Bytes], Kind::Bytes),
        ("upper", &[Kind::Named(&NAMES)], Kind::Text),
        ("coalesce", &[Kind::Time, Kind::Time], Kind::Time),
        ("greatest", &[Kind::Signed, Kind::Unsigned], Kind::Signed),
        // A row may lack the double.
        ("greatest", &[Kind::Signed, Kind::Double], Kind::Dynamic),
        ("mod", &[Kind::Signed, Kind::Double], Kind::Double),
        ("cidr", &[Kind::Address, Kind::Address], Kind::Bool),
    ] {
        assert_eq!((find(name).kind)(kinds), Ok(gives), "{name}");
    }
}

/// Long texts and patterns made to be slow: that this ends soon is the test.
#[test]
fn patterns_take_time_as_the_text_is_long() {
    let zone = Zone::utc();
    let find = |name: &str| FUNCTIONS.iter().find(|f| f.name == name).unwrap();
    let text = Value::Text(b"a".repeat(200_000).into());
    let ends = |part: &str, count: usize| Value::text(&format!("{}b%", part.repeat(count)));
    for (name, pattern) in [
        ("like", ends("%a", 1000)),
        ("like", ends("%a_", 300)),
        ("ilike", ends("%aa", 1000)),
        ("regexp_matches", Value::text("(a*)*(a|aa)*b")),
        ("regexp_extract", Value::text("(a|aa)+$x")),
        ("regexp_extract", Value::text("(a*)*[bc]{2,3}$")),
        ("position", ends("a", 1000)),
        ("trim", ends("a", 1000)),
    ] {
        (find(name).call)(&[text.clone(), pattern], &zone);
    }
    let longer = Value::Text(b"x".repeat(1000).into());
    let replaced = (find("replace").call)(&[text, Value::text("a"), longer], &zone);
    assert!(replaced.is_absent(), "200 MB of text");
}
