//! Payloads against rules: what Suricata says, and what trying everything says.

use super::budget::{BYTES_MAX, Budget};
use super::{ByteJump, ByteTest, Content, Number, Operator, Origin, Payload, Step, naive};
use crate::rules::{Options, RuleSet};
use proptest::prelude::*;
use proptest::sample::select;

/// The payload part of a rule with these options.
fn payload(options: &str) -> Payload {
    let text = format!("alert ip any any -> any any ({options} sid:1;)");
    let mut set = RuleSet::from_text("test", text.as_bytes(), &Options::default());
    let rule = set.rules.pop();
    rule.unwrap_or_else(|| panic!("{options}: {:?}", set.refusals))
        .payload
}

#[test]
fn says_what_suricata_says() {
    // What Suricata 7.0.10 said of these payloads in UDP packets: the numbers of the rules. One more
    // it takes for something else: where `distance` and `within` end before the payload begins
    // (distance:-5; within:2), it looks in the whole of it.
    let rules = [
        r#"content:"A"; byte_test:1,=,5,0,relative,string,dec;"#,
        r#"content:"A"; isdataat:!1,relative;"#,
        r#"content:"A"; pcre:"/^5/R";"#,
        r#"content:"A"; content:!"B"; distance:0;"#,
        r#"content:"A"; content:!"B"; within:1;"#,
        r#"content:"A"; content:"B"; distance:-2; within:1;"#,
        r#"content:"A"; content:"5"; within:1;"#,
        r#"pcre:"/A/"; content:"5"; within:1;"#,
        r#"pcre:"/A/"; byte_test:1,=,5,0,relative,string,dec;"#,
        r#"content:"A"; content:!"Z"; distance:0; content:"5"; within:1;"#,
        r#"content:"A"; distance:1; content:"5"; distance:0; within:1;"#,
        r#"content:"A"; endswith;"#,
        r#"content:"A"; isdataat:3;"#,
        r#"content:"A"; isdataat:2,relative;"#,
        r#"byte_jump:1,0; content:"5"; within:1;"#,
        r#"content:"A"; byte_jump:1,0,relative,string,dec; content:"5"; within:1;"#,
        r#"content:"A"; content:"5"; distance:1; within:1;"#,
        r#"content:"A"; content:"5"; distance:1;"#,
        r#"content:"5"; depth:3; offset:2;"#,
        r#"content:"A"; offset:1; content:"5"; within:3;"#,
    ];
    let rules = rules.map(payload);
    for (text, expected) in [
        (
            "A1A5",
            &[1, 3, 4, 5, 7, 8, 9, 10, 11, 13, 14, 16, 18, 19, 20][..],
        ),
        ("A5A1", &[1, 3, 4, 5, 7, 8, 9, 10, 13, 14]),
        ("AAA", &[2, 4, 5, 12, 14]),
        ("AB A", &[2, 4, 5, 12, 13, 14]),
        ("BA", &[2, 4, 5, 6, 12]),
        (
            "ABAA5",
            &[1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 17, 18, 19, 20],
        ),
        ("A1 5", &[4, 5, 13, 14, 16, 18, 19]),
        ("A25x", &[4, 5, 13, 14, 17, 18, 19]),
        ("A", &[2, 4, 5, 12]),
        ("\u{1}A5", &[1, 3, 4, 5, 7, 8, 9, 10, 11, 15, 19, 20]),
        ("AA15", &[4, 5, 13, 14, 17, 18, 19, 20]),
        ("5", &[]),
        ("A15A1x5", &[4, 5, 13, 14, 16, 17, 18, 19, 20]),
        ("xxxx5", &[19]),
        ("xxxxx5", &[]),
    ] {
        let found: Vec<usize> = (1..)
            .zip(&rules)
            .filter(|(_, rule)| rule.holds(text.as_bytes()))
            .map(|(number, _)| number)
            .collect();
        assert_eq!(found, expected, "{text:?}");
    }
}

#[test]
fn nothing_is_in_an_empty_payload() {
    for options in [r#"content:!"a";"#, "isdataat:!1;", r#"pcre:"/$/";"#] {
        assert!(!payload(options).holds(b""), "{options}");
        assert!(payload(options).holds(b"x"), "{options}");
    }
    assert!(payload("dsize:0;").holds(b""));
}

/// What is begun last may go this far beyond the budget.
const BEYOND: usize = 66_000;

#[test]
fn a_hostile_payload_ends() {
    for (options, is_spent) in [
        (
            r#"content:"a"; content:"a"; distance:0; within:1000; content:"a"; distance:0; within:1000; content:"a"; distance:0; within:1000; content:"b"; distance:0; within:9;"#,
            true,
        ),
        (
            r#"content:"a"; content:"a"; distance:0; content:"a"; distance:0; content:"a"; distance:0; content:"b"; distance:0;"#,
            false,
        ),
        (r#"content:"a"; pcre:"/\d[^z]*z/R";"#, true),
        (r#"content:"a"; content:!"Z"; distance:0;"#, true),
        (r#"content:"a"; content:!"aZ"; nocase; distance:0;"#, true),
        (r#"pcre:"/a/"; content:"b"; within:1;"#, true),
        (r#"content:"b"; pcre:"/\d[^z]*z/R";"#, false),
        (r#"content:"aaaaaaaaaaaaaaaaaaaaaaaab"; nocase;"#, false),
    ] {
        let mut text = vec![b'a'; 65_534];
        // What is forbidden is there, behind all.
        text.push(b'Z');
        let mut budget = Budget::new();
        let holds = payload(options).holds_within(&text, &mut budget);
        assert!(!holds, "{options}");
        assert_eq!(budget.is_spent(), is_spent, "{options}: {}", budget.used());
        assert!(budget.used() < BYTES_MAX + BEYOND, "{options}");
    }
}

#[test]
fn chains_have_one_budget() {
    // Each place leads to a look at what is left, up to the one that leads to nothing more.
    let one = r#"content:"a"; content:!"Z"; distance:0; "#;
    let mut text = vec![b'a'; 4_000];
    text.push(b'Z');
    text.push(b'a');
    let used = |times: usize| {
        let mut budget = Budget::new();
        let holds = payload(&one.repeat(times)).holds_within(&text, &mut budget);
        (holds, budget.used())
    };
    let (holds, once) = used(1);
    assert!(holds && once < BYTES_MAX && once * 3 > BYTES_MAX, "{once}");
    let (holds, thrice) = used(3);
    assert!(!holds && thrice < BYTES_MAX + BEYOND, "{thrice}");
}

fn content() -> impl Strategy<Value = Step> {
    let bytes = "[abA]{1,3}".prop_map(String::into_bytes);
    let place = (0usize..4, prop::option::of(0usize..6));
    let shift = (prop::option::of(-4i32..4), prop::option::of(0i32..5));
    let kind = prop_oneof![
        place.prop_map(|place| (place, (None, None))),
        shift.prop_map(|shift| ((0, None), shift)),
    ];
    let flags = (
        prop::bool::weighted(0.2),
        any::<bool>(),
        prop::bool::weighted(0.1),
    );
    (bytes, kind, flags).prop_map(|(bytes, (place, shift), (negated, any_case, at_end))| {
        let len = bytes.len();
        let mut content = Content::new(bytes, negated);
        content.any_case = any_case;
        content.at_end = at_end;
        content.offset = place.0;
        content.depth = place.1.map(|depth| len + depth);
        content.distance = shift.0;
        content.within = shift.1.map(|within| within + len as i32);
        content.prepare();
        Step::Content(content)
    })
}

fn number() -> impl Strategy<Value = Number> {
    let base = select(vec![None, Some(0), Some(10), Some(16)]);
    (1u8..3, -2i32..4, any::<bool>(), any::<bool>(), base).prop_map(
        |(count, offset, relative, little, base)| Number {
            count,
            offset,
            relative,
            little,
            base,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let pcres = [
        "/a/",
        "/^b/R",
        "/a+/",
        "/[^a]*a/R",
        "/a?/",
        "/b$/",
        "/(a|ab)(b|A)/R",
    ];
    let pcre = (select(pcres.to_vec()), prop::bool::weighted(0.2)).prop_map(|(text, negated)| {
        let sign = if negated { "!" } else { "" };
        let steps = payload(&format!("pcre:{sign}\"{text}\";")).steps;
        steps.into_iter().next().expect("a part")
    });
    let data = (0u32..5, any::<bool>(), any::<bool>()).prop_map(|(count, relative, negated)| {
        Step::IsDataAt {
            count,
            relative,
            negated,
        }
    });
    let test = (number(), any::<bool>(), select(vec![0u64, 10, 97, 98])).prop_map(
        |(number, negated, value)| {
            Step::ByteTest(ByteTest {
                number,
                operator: Operator::Greater,
                negated,
                value,
                mask: None,
            })
        },
    );
    let origin = select(vec![Origin::Number, Origin::Begin, Origin::End]);
    let jump = (number(), -2i32..2, any::<bool>(), origin).prop_map(
        |(number, post_offset, align, origin)| {
            Step::ByteJump(ByteJump {
                number,
                multiplier: 1,
                align,
                origin,
                post_offset,
                mask: None,
            })
        },
    );
    prop_oneof![8 => content(), 2 => pcre, 1 => data, 1 => test, 1 => jump]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn finds_what_trying_everything_finds(
        steps in prop::collection::vec(step(), 1..6),
        text in prop::collection::vec(select(b"aaabbA1\x01\x02".to_vec()), 0..14),
    ) {
        let expected = naive::holds(&steps, &text);
        prop_assert_eq!(Payload::new(steps).holds(&text), expected);
    }
}
