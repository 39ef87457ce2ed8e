//! Headers of rules as expressions over the fields of packets.

use super::address::Addresses;
use super::number::NumberTest;
use super::port::Ports;
use super::ranges::Ranges;
use super::rule::{Endpoint, Header, Protocol};
use super::test::Test;
use std::net::IpAddr;
use wireq_engine::Span;
use wireq_engine::plan::expr::Expr;
use wireq_typesys::{CompareOp, FieldPath, Literal};

fn field(path: &str) -> Expr {
    Expr::Field(FieldPath::new(path), Span::default())
}

fn exists(path: &str) -> Expr {
    Expr::Exists(FieldPath::new(path), Span::default())
}

fn compare(path: &str, op: CompareOp, constant: &str) -> Expr {
    let constant = Expr::Literal(Literal::new(constant), Span::default());
    Expr::Compare(op, Box::new(field(path)), Box::new(constant))
}

/// Any of these; nothing where there are none.
fn any(mut tests: Vec<Expr>) -> Expr {
    match tests.len() {
        1 => tests.remove(0),
        _ => Expr::Or(tests),
    }
}

fn all(mut tests: Vec<Expr>) -> Expr {
    match tests.len() {
        1 => tests.remove(0),
        _ => Expr::And(tests),
    }
}

/// What a header asks for: in each case all of the tests have to hold. There are two cases where
/// it means both directions.
pub fn of_header(header: &Header) -> Vec<Vec<Expr>> {
    let case = |from: &Endpoint, to: &Endpoint| {
        let mut tests = of_protocol(header.protocol);
        tests.extend(of_addresses("srcip", &from.addresses));
        tests.extend(of_ports("srcport", &from.ports));
        tests.extend(of_addresses("dstip", &to.addresses));
        tests.extend(of_ports("dstport", &to.ports));
        tests
    };
    let forth = case(&header.source, &header.target);
    let symmetric = header.source == header.target;
    match header.both_ways && !symmetric {
        true => vec![forth, case(&header.target, &header.source)],
        false => vec![forth],
    }
}

fn of_protocol(protocol: Protocol) -> Vec<Expr> {
    vec![match protocol {
        Protocol::Ip => exists("srcip"),
        Protocol::Ip4 => compare("ip.version", CompareOp::Equal, "4"),
        Protocol::Ip6 => compare("ip.version", CompareOp::Equal, "6"),
        Protocol::Tcp => compare("transport", CompareOp::Equal, "tcp"),
        Protocol::Udp => compare("transport", CompareOp::Equal, "udp"),
        Protocol::Icmp => any(vec![
            compare("transport", CompareOp::Equal, "icmp"),
            compare("transport", CompareOp::Equal, "icmpv6"),
        ]),
    }]
}

fn of_addresses(path: &str, set: &Addresses) -> Option<Expr> {
    if set.v4.is_all() && set.v6.is_all() {
        return None;
    }
    // Whichever is shorter: the blocks in it, or those that are not.
    let inside = blocks(set);
    let outside = blocks(&Addresses {
        v4: set.v4.not(),
        v6: set.v6.not(),
    });
    let one_of = |blocks: Vec<String>| {
        let test = |block: &String| compare(path, CompareOp::Equal, block);
        any(blocks.iter().map(test).collect())
    };
    Some(match inside.len() <= outside.len() {
        true => one_of(inside),
        false => Expr::Not(Box::new(one_of(outside))),
    })
}

/// The fewest blocks that make up a set.
fn blocks(set: &Addresses) -> Vec<String> {
    let mut texts = Vec::new();
    for (low, high) in set.v4.ranges() {
        cut(u128::from(*low), u128::from(*high), 32, |first, bits| {
            let address = IpAddr::V4((first as u32).into());
            texts.push(format!("{address}/{bits}"));
        });
    }
    for (low, high) in set.v6.ranges() {
        cut(*low, *high, 128, |first, bits| {
            texts.push(format!("{}/{bits}", IpAddr::V6(first.into())));
        });
    }
    texts
}

/// Cuts a range of addresses of so many bits into blocks: their first addresses, and how many bits
/// each shares.
fn cut(low: u128, high: u128, width: u32, mut each: impl FnMut(u128, u32)) {
    let mut first = low;
    loop {
        // As large as the begin allows, and as the end does.
        let mut host = first.trailing_zeros().min(width);
        let last = |host: u32| first | 1u128.checked_shl(host).map_or(u128::MAX, |end| end - 1);
        while last(host) > high {
            host -= 1;
        }
        each(first, width - host);
        match last(host).checked_add(1) {
            Some(next) if next <= high => first = next,
            _ => return,
        }
    }
}

fn of_ports(path: &str, set: &Ports) -> Vec<Expr> {
    if set.is_all() {
        return Vec::new();
    }
    let others = set.not();
    match set.ranges().len() <= others.ranges().len() {
        true => vec![in_ranges(path, set)],
        // Where there is no port none is another one.
        false => vec![exists(path), Expr::Not(Box::new(in_ranges(path, &others)))],
    }
}

fn in_ranges(path: &str, set: &Ranges<u16>) -> Expr {
    let test =
        |(low, high): &(u16, u16)| in_range(path, (*low).into(), (*high).into(), u16::MAX.into());
    any(set.ranges().iter().map(test).collect())
}

fn in_range(path: &str, low: u32, high: u32, max: u32) -> Expr {
    if low == high {
        return compare(path, CompareOp::Equal, &low.to_string());
    }
    let mut tests = Vec::new();
    if low > 0 {
        tests.push(compare(path, CompareOp::GreaterOrEqual, &low.to_string()));
    }
    if high < max {
        tests.push(compare(path, CompareOp::LessOrEqual, &high.to_string()));
    }
    match tests.is_empty() {
        true => exists(path),
        false => all(tests),
    }
}

/// A test of a header as tests of fields; none where it takes more than that.
pub fn of_test(test: &Test) -> Option<Vec<Expr>> {
    let number = |path: &str, test: &NumberTest, max: u32| {
        let holds = in_range(path, test.low, test.high, max);
        match test.negated {
            true => vec![exists(path), Expr::Not(Box::new(holds))],
            false => vec![holds],
        }
    };
    Some(match test {
        Test::Ttl(test) => number("ttl", test, 255),
        Test::Tos(test) => number("tos", test, 255),
        Test::Id(test) => number("ipid", test, 65_535),
        Test::Window(test) => number("tcpwindow", test, 65_535),
        Test::IpProtocol(test) => number("ipprotocol", test, 255),
        Test::Sequence(number) => vec![compare("seq", CompareOp::Equal, &number.to_string())],
        Test::Acknowledgment(number) => {
            vec![compare("ack", CompareOp::Equal, &number.to_string())]
        }
        Test::PayloadSize(_)
        | Test::Flags(_)
        | Test::FragmentBits(_)
        | Test::IcmpType(_)
        | Test::IcmpCode(_)
        | Test::SameAddress => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Options, RuleSet};

    fn expressions(header: &str) -> Vec<String> {
        let text = format!("alert {header} (sid:1;)");
        let set = RuleSet::from_text("test", text.as_bytes(), &Options::default());
        let cases = of_header(&set.rules[0].header);
        let text = |case: Vec<Expr>| {
            let tests = case.iter().map(Expr::to_string);
            tests.collect::<Vec<String>>().join(" and ")
        };
        cases.into_iter().map(text).collect()
    }

    #[test]
    fn headers_are_tests_of_fields() {
        for (header, expected) in [
            ("tcp any any -> any any", &["transport = tcp"][..]),
            (
                "ip any any -> 10.0.0.0/8 any",
                &["srcip and dstip = 10.0.0.0/8"],
            ),
            (
                "udp any any -> any [53,1024:]",
                &["transport = udp and (dstport = 53 or dstport >= 1024)"],
            ),
            (
                "udp any !53 -> any any",
                &["transport = udp and srcport and not srcport = 53"],
            ),
            (
                "tcp $EXTERNAL_NET any -> any any",
                &[
                    "transport = tcp and not (srcip = 10.0.0.0/8 or srcip = 172.16.0.0/12 or srcip = 192.168.0.0/16)",
                ],
            ),
            (
                "tcp 10.0.0.3-10.0.0.9 any <> ::1 80",
                &[
                    "transport = tcp and (srcip = 10.0.0.3/32 or srcip = 10.0.0.4/30 or srcip = 10.0.0.8/31) and dstip = ::1/128 and dstport = 80",
                    "transport = tcp and srcip = ::1/128 and srcport = 80 and (dstip = 10.0.0.3/32 or dstip = 10.0.0.4/30 or dstip = 10.0.0.8/31)",
                ],
            ),
            ("tcp any any <> any any", &["transport = tcp"]),
        ] {
            assert_eq!(expressions(header), expected, "{header}");
        }
    }

    #[test]
    fn a_range_is_cut_into_blocks() {
        let cut = |low, high, width| {
            let mut blocks = Vec::new();
            cut(low, high, width, |first, bits| blocks.push((first, bits)));
            blocks
        };
        assert_eq!(cut(0, u128::MAX, 128), [(0, 0)]);
        assert_eq!(cut(0, u32::MAX.into(), 32), [(0, 0)]);
        assert_eq!(cut(u128::MAX, u128::MAX, 128), [(u128::MAX, 128)]);
        assert_eq!(cut(1, 6, 32), [(1, 32), (2, 31), (4, 31), (6, 32)]);
    }
}
