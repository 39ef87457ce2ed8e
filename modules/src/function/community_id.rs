//! The Community ID of flows.

use super::support::*;
use crate::types::packet::Flow;
use wireq_typesys::{Kind, Value};

pub(super) static COMMUNITY_ID: Function = Function {
    name: "community_id",
    summary: "The Community ID of a flow, version 1: the same in both directions, and in other tools.",
    parameters: &[
        one("SRCIP", Kind::Address, "The address of one end."),
        one("DSTIP", Kind::Address, "The address of the other end."),
        one(
            "SRCPORT",
            Kind::Unsigned,
            "The port of the first end, or the type of ICMP; absent for protocols without.",
        ),
        one(
            "DSTPORT",
            Kind::Unsigned,
            "The port of the other end, or the code of ICMP; absent for protocols without.",
        ),
        one(
            "IPPROTOCOL",
            Kind::Unsigned,
            "The number of the protocol, such as 6 for TCP.",
        ),
        optional(
            "SEED",
            Kind::Unsigned,
            "What makes another ID of the same flow; 0 unless given.",
        ),
    ],
    strict: false,
    kind: |kinds| takes(&COMMUNITY_ID, kinds, Kind::Text),
    call: |values, _| community_id(values).unwrap_or_default(),
    examples: &[
        (
            "community_id('128.232.110.120', '66.35.250.204', 34855, 80, 6)",
            "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
        ),
        (
            "community_id('66.35.250.204', '128.232.110.120', 80, 34855, 6)",
            "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
        ),
        (
            "community_id('192.168.0.89', '192.168.0.1', 8, 0, 1)",
            "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=",
        ),
    ],
};

/// The ID of the values.
fn community_id(values: &[Value]) -> Option<Value> {
    let ends = (address(values, 0)?, address(values, 1)?);
    let port = |at: usize| match argument(values, at) {
        Value::Absent => Some(None),
        _ => Some(Some(u16::try_from(integer(values, at)?).ok()?)),
    };
    let ports = match (port(2)?, port(3)?) {
        (Some(from), Some(to)) => Some((from, to)),
        (None, None) => None,
        _ => return None,
    };
    let flow = Flow {
        ends,
        ports,
        protocol: u8::try_from(integer(values, 4)?).ok()?,
    };
    let seed = u16::try_from(integer_or(values, 5, 0)?).ok()?;
    written(|out| flow.write_community_id(seed, out)).map(Value::Text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wireq_typesys::Zone;

    /// The reference data of the specification: protocol, ends, ports as they are hashed; the IDs
    /// with seeds 0 and 1.
    const BASELINE: &str = "
        58 fe80::200:86ff:fe05:80da fe80::260:97ff:fe07:69ea 135 136
        1:dGHyGvjMfljg6Bppwm3bg0LO8TY= 1:kHa1FhMYIT6Ym2Vm2AOtoOARDzY=
        58 fe80::260:97ff:fe07:69ea fe80::200:86ff:fe05:80da 136 135
        1:dGHyGvjMfljg6Bppwm3bg0LO8TY= 1:kHa1FhMYIT6Ym2Vm2AOtoOARDzY=
        58 fe80::260:97ff:fe07:69ea fe80::200:86ff:fe05:80da 135 136
        1:zavyT/cezQr1fmImYCwYnMXbgck= 1:2hSqmsDZ2kdcY9kbiUzOEBic0iM=
        58 fe80::200:86ff:fe05:80da fe80::260:97ff:fe07:69ea 136 135
        1:zavyT/cezQr1fmImYCwYnMXbgck= 1:2hSqmsDZ2kdcY9kbiUzOEBic0iM=
        58 3ffe:501:1800:2345::2 3ffe:507:0:1:200:86ff:fe05:80da 3 0
        1:2ObVBgIn28oZvibYZhZMBgh7WdQ= 1:lVEtCZpYu84Xqaa++3lXFyuu2n4=
        58 3ffe:501:410:0:2c0:dfff:fe47:33e 3ffe:507:0:1:200:86ff:fe05:80da 1 4
        1:hLZd0XGWojozrvxqE0dWB1iM6R0= 1:W8MHwXpWzpoSTD+cGcaJr4u0ys8=
        58 3ffe:507:0:1:200:86ff:fe05:80da 3ffe:501:0:1001::2 128 129
        1:+TW+HtLHvV1xnGhV1lv7XoJrqQg= 1:GfZxjAkDk2MkegpBYHV6tadtFXQ=
        58 3ffe:501:0:1001::2 3ffe:507:0:1:200:86ff:fe05:80da 129 128
        1:+TW+HtLHvV1xnGhV1lv7XoJrqQg= 1:GfZxjAkDk2MkegpBYHV6tadtFXQ=
        58 fe80::200:86ff:fe05:80da ff02::2 133 134
        1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0= 1:L7Ka0ZMYu+J3bL4ulW2PrqyXNo8=
        58 fe80::260:97ff:fe07:69ea ff02::1 134 133
        1:pkvHqCL88/tg1k4cPigmZXUtL00= 1:K/ee5UCqAMAQXDorP5nSa2CGLjc=
        1 192.168.0.89 192.168.0.1 8 0
        1:X0snYXpgwiv9TZtqg64sgzUn6Dk= 1:03g6IloqVBdcZlPyX8r0hgoE7kA=
        1 192.168.0.1 192.168.0.89 0 8
        1:X0snYXpgwiv9TZtqg64sgzUn6Dk= 1:03g6IloqVBdcZlPyX8r0hgoE7kA=
        1 10.0.0.1 10.0.0.2 11 0
        1:YHxtAirCG//0OzkcVAukqKQN9xM= 1:XjUibYHaafLQ3pxQeiMI8g25q20=
        6 2001:470:e5bf:dead:4957:2174:e82c:4887 2607:f8b0:400c:c03::1a 63943 25
        1:/qFaeAR+gFe1KYjMzVDsMv+wgU4= 1:eJYTW6AOzFLlSUoESovMjnu7rMw=
        6 2607:f8b0:400c:c03::1a 2001:470:e5bf:dead:4957:2174:e82c:4887 25 63943
        1:/qFaeAR+gFe1KYjMzVDsMv+wgU4= 1:eJYTW6AOzFLlSUoESovMjnu7rMw=
        132 192.168.170.8 192.168.170.56 7 7
        1:MP2EtRCAUIZvTw6MxJHLV7N7JDs= 1:5w3ZRjeKBzqT3zsaEECDGjUbYeg=
        132 192.168.170.56 192.168.170.8 7 7
        1:MP2EtRCAUIZvTw6MxJHLV7N7JDs= 1:5w3ZRjeKBzqT3zsaEECDGjUbYeg=
        6 128.232.110.120 66.35.250.204 34855 80
        1:LQU9qZlK+B5F3KDmev6m5PMibrg= 1:3V71V58M3Ksw/yuFALMcW0LAHvc=
        6 66.35.250.204 128.232.110.120 80 34855
        1:LQU9qZlK+B5F3KDmev6m5PMibrg= 1:3V71V58M3Ksw/yuFALMcW0LAHvc=
        17 192.168.1.52 8.8.8.8 54585 53
        1:d/FP5EW3wiY1vCndhwleRRKHowQ= 1:Q9We8WO3piVF8yEQBNJF4uiSVrI=
        17 8.8.8.8 192.168.1.52 53 54585
        1:d/FP5EW3wiY1vCndhwleRRKHowQ= 1:Q9We8WO3piVF8yEQBNJF4uiSVrI=
        46 10.1.12.1 10.1.12.2 - -
        1:KHlLkgoJW7ifUTyTSgyVfkFHzKw= 1:rYir8gphR31noO9iDRQmF/BteEI=
        46 10.1.12.2 10.1.12.1 - -
        1:KHlLkgoJW7ifUTyTSgyVfkFHzKw= 1:rYir8gphR31noO9iDRQmF/BteEI=
    ";

    #[test]
    fn community_ids_are_those_of_the_specification() {
        let words: Vec<&str> = BASELINE.split_whitespace().collect();
        assert_eq!(words.len(), 23 * 7);
        for row in words.chunks(7) {
            let number = |text: &str| text.parse().map_or(Value::Absent, Value::Integer);
            let end = |text: &str| Value::Address(text.parse().unwrap());
            let mut values = vec![
                end(row[1]),
                end(row[2]),
                number(row[3]),
                number(row[4]),
                number(row[0]),
            ];
            for expected in &row[5..] {
                let given = (COMMUNITY_ID.call)(&values, &Zone::utc());
                assert_eq!(given.as_bytes(), Some(expected.as_bytes()), "{row:?}");
                values.push(Value::Integer(1));
            }
        }
    }
}
