//! Numbers in headers: `dsize`, `ttl`, `itype`.

use super::Read::{Option, Refused};
use super::{Keyword, number, text, unquoted};
use crate::rules::draft::Draft;
use crate::rules::number::NumberTest;
use crate::rules::test::Test;
use crate::types::packet::IP_PROTOCOLS;

const HEADER: &str = "is about a header that is not looked at yet";

pub(super) static KEYWORDS: &[Keyword] = &[
    Keyword {
        name: "dsize",
        read: Option(|draft, value| ranged(draft, value, 65_535, Test::PayloadSize)),
    },
    Keyword {
        name: "ttl",
        read: Option(|draft, value| ranged(draft, value, 255, Test::Ttl)),
    },
    Keyword {
        name: "tos",
        read: Option(|draft, value| ranged(draft, value, 255, Test::Tos)),
    },
    Keyword {
        name: "id",
        read: Option(|draft, value| ranged(draft, value, 65_535, Test::Id)),
    },
    Keyword {
        name: "window",
        read: Option(|draft, value| ranged(draft, value, 65_535, Test::Window)),
    },
    Keyword {
        name: "itype",
        read: Option(|draft, value| ranged(draft, value, 255, Test::IcmpType)),
    },
    Keyword {
        name: "icode",
        read: Option(|draft, value| ranged(draft, value, 255, Test::IcmpCode)),
    },
    Keyword {
        name: "seq",
        read: Option(|draft, value| {
            draft.tests.push(Test::Sequence(number(text(value)?)?));
            Ok(())
        }),
    },
    Keyword {
        name: "ack",
        read: Option(|draft, value| {
            draft
                .tests
                .push(Test::Acknowledgment(number(text(value)?)?));
            Ok(())
        }),
    },
    Keyword {
        name: "ip_proto",
        read: Option(|draft, value| {
            let value = text(unquoted(value))?.trim();
            let digits = value.trim_start_matches(['!', '<', '>', ' ']);
            let sign = &value[..value.len() - digits.len()];
            let name = digits.to_ascii_lowercase();
            let text = match IP_PROTOCOLS.number(&name) {
                Some(number) => format!("{sign}{number}"),
                None => value.to_owned(),
            };
            ranged(draft, text.as_bytes(), 255, Test::IpProtocol)
        }),
    },
    Keyword {
        name: "sameip",
        read: Option(|draft, _| {
            draft.tests.push(Test::SameAddress);
            Ok(())
        }),
    },
    Keyword {
        name: "icmp_id",
        read: Refused(HEADER),
    },
    Keyword {
        name: "icmp_seq",
        read: Refused(HEADER),
    },
    Keyword {
        name: "ipopts",
        read: Refused(HEADER),
    },
    Keyword {
        name: "fragoffset",
        read: Refused(HEADER),
    },
    Keyword {
        name: "tcp.mss",
        read: Refused(HEADER),
    },
];

fn ranged(
    draft: &mut Draft,
    value: &[u8],
    max: u32,
    test: fn(NumberTest) -> Test,
) -> Result<(), String> {
    let value = text(unquoted(value))?;
    let number = NumberTest::read(value, max).map_err(|fault| format!("has a value that {fault}"));
    // The message begins with the value, which is said already.
    let number = number.map_err(|fault| fault.replace("that `", "`"))?;
    draft.tests.push(test(number));
    Ok(())
}
