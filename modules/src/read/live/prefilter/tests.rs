use super::{ETHERNET, LINUX_SLL, RAW, filter};
use pcap::{Capture, Linktype};
use wireq_engine::Span;
use wireq_engine::plan::expr::Expr;
use wireq_typesys::{CompareOp, FieldPath, Literal};

fn compare(field: &str, op: CompareOp, value: &str) -> Expr {
    Expr::Compare(
        op,
        Box::new(Expr::Field(FieldPath::new(field), Span::default())),
        Box::new(Expr::Literal(Literal::new(value), Span::default())),
    )
}

fn is(field: &str, value: &str) -> Expr {
    compare(field, CompareOp::Equal, value)
}

fn no(test: Expr) -> Expr {
    Expr::Not(Box::new(Expr::Holds(Box::new(test))))
}

fn passes(test: &Expr, bytes: &[u8]) -> bool {
    let text = filter(test, ETHERNET).expect("it leaves something out");
    let dead = Capture::dead(Linktype::ETHERNET).expect("a handle");
    let program = dead.compile(&text, true);
    program
        .unwrap_or_else(|error| panic!("{error}: {text}"))
        .filter(bytes)
}

/// A frame of Ethernet and IPv4; `words` are the fragment word and the header's length in words.
fn v4(protocol: u8, fragment: u16, words: u8, transport: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 12];
    bytes.extend([8, 0, 0x40 | words, 0]);
    let total = usize::from(words) * 4 + transport.len();
    bytes.extend((total as u16).to_be_bytes());
    bytes.extend([0, 1]);
    bytes.extend(fragment.to_be_bytes());
    bytes.extend([64, protocol, 0, 0, 192, 0, 2, 1, 198, 51, 100, 20]);
    bytes.extend(vec![1; usize::from(words).saturating_sub(5) * 4]);
    bytes.extend(transport);
    bytes
}

fn v6(next: u8, behind: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 12];
    bytes.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
    bytes.extend((behind.len() as u16).to_be_bytes());
    bytes.extend([next, 64]);
    for last in [1, 2] {
        bytes.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    bytes.extend(behind);
    bytes
}

fn tagged(mut frame: Vec<u8>) -> Vec<u8> {
    frame.splice(12..12, [0x81, 0, 0, 5]);
    frame
}

const DNS: [u8; 8] = [0x9c, 0x41, 0, 53, 0, 8, 0, 0];
const SYN: [u8; 20] = [
    0x9c, 0x41, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 1, 0, 0, 0, 0, 0,
];

#[test]
fn what_plainly_is_not_meant_is_left_out() {
    let dns = is("dstport", "53");
    assert!(passes(&dns, &v4(17, 0, 5, &DNS)));
    assert!(passes(&dns, &v4(17, 0, 7, &DNS)));
    assert!(passes(&dns, &v6(17, &DNS)));
    assert!(!passes(&dns, &v4(6, 0, 5, &SYN)));
    assert!(!passes(&dns, &v4(6, 0, 9, &SYN)));
    assert!(!passes(&dns, &v6(6, &SYN)));
    assert!(!passes(&dns, &v4(1, 0, 5, &[8; 8])));
    let mut arp = vec![0; 42];
    arp[12..14].copy_from_slice(&[8, 6]);
    assert!(!passes(&dns, &arp));
    // What `not` passes has no port, or another one.
    let others = no(dns);
    assert!(!passes(&others, &v4(17, 0, 5, &DNS)));
    assert!(passes(&others, &v4(6, 0, 5, &SYN)));
    assert!(passes(&others, &arp));
}

#[test]
fn what_is_odd_passes() {
    for test in [
        is("dstport", "9"),
        no(is("dstport", "53")),
        no(is("dstport", "80")),
    ] {
        for frame in [
            v4(17, 0x2000 | 3, 5, &DNS),
            v4(17, 0, 5, &DNS[..4]),
            v4(6, 0, 5, &SYN[..12]),
            v4(17, 0, 4, &DNS),
            v6(0, &[17, 0, 0, 0, 0, 0, 0, 0]),
            v6(44, &[17, 0, 0, 0, 0, 0, 0, 0]),
            tagged(v4(17, 0, 5, &DNS)),
            vec![0; 9],
        ] {
            assert!(passes(&test, &frame), "{test}: {frame:?}");
        }
    }
    // An address is told of a fragment too.
    assert!(!passes(&is("srcip", "192.0.2.9"), &v4(17, 3, 5, &DNS)));
    // Lists have what is in tunnels.
    let inner = is("ip.src", "192.0.2.9");
    assert!(passes(&inner, &v4(17, 0, 5, &DNS)));
    assert!(passes(&inner, &v4(47, 0, 5, &DNS)));
    assert!(!passes(&inner, &v4(6, 0, 5, &SYN)));
}

#[test]
fn values_of_all_kinds() {
    let syn = v4(6, 0, 5, &SYN);
    for (test, expected) in [
        (is("srcip", "192.0.2.0/24"), true),
        (is("srcip", "10.0.0.0/8"), false),
        (compare("srcip", CompareOp::NotEqual, "192.0.2.1"), false),
        (compare("dstport", CompareOp::Less, "81"), true),
        (compare("dstport", CompareOp::Greater, "80"), false),
        (is("ipprotocol", "tcp"), true),
        (is("ipprotocol", "17"), false),
        (compare("ttl", CompareOp::GreaterOrEqual, "65"), false),
        (is("tcpflags", "2"), true),
        (is("tcpflags", "18"), false),
        (is("tcp.port", "80"), true),
        (is("tcp.port", "443"), false),
        // 54 bytes, or 58 with a tag that the kernel took off.
        (is("len", "58"), true),
        (is("len", "59"), false),
        (compare("len", CompareOp::Greater, "1000"), false),
    ] {
        assert_eq!(passes(&test, &syn), expected, "{test}");
    }
    let v6 = v6(6, &SYN);
    for (test, expected) in [
        (is("srcip", "2001:db8::1"), true),
        (is("srcip", "2001:db8::2"), false),
        (is("dstip", "2001:db8::/33"), true),
        (is("dstip", "2001:db9::/33"), false),
        (compare("dstip", CompareOp::NotEqual, "2001:db8::2"), false),
        (is("srcip", "192.0.2.1"), false),
    ] {
        assert_eq!(passes(&test, &v6), expected, "{test}");
    }
}

#[test]
fn what_cannot_be_told_makes_no_filter() {
    let dns = is("dstport", "53");
    assert!(filter(&dns, 127).is_none());
    assert!(filter(&dns, RAW).is_some_and(|text| text.contains("len < 20")));
    assert!(filter(&dns, LINUX_SLL).is_some());
    // The length of a frame is that of queries on Ethernet alone.
    assert!(filter(&is("len", "60"), LINUX_SLL).is_none());
    assert!(filter(&is("dns.qry.name", "example.com"), ETHERNET).is_none());
    assert!(filter(&Expr::Or(vec![dns.clone(), is("vlan", "5")]), ETHERNET).is_none());
    assert!(filter(&Expr::And(vec![dns.clone(), is("vlan", "5")]), ETHERNET).is_some());
    let many: Vec<Expr> = (0..300)
        .map(|port| is("dstport", &port.to_string()))
        .collect();
    assert!(filter(&Expr::Or(many), ETHERNET).is_none());
    // Programs for all of these can be made.
    for link in [RAW, LINUX_SLL] {
        let text = filter(&no(dns.clone()), link).expect("there is one");
        let number = if link == RAW { 12 } else { link.into() };
        let dead = Capture::dead(Linktype(number)).expect("a handle");
        assert!(dead.compile(&text, true).is_ok(), "{text}");
    }
}
