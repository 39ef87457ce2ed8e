use super::super::tests::{hex, tcp};

fn number(number: usize) -> [u8; 2] {
    (number as u16).to_be_bytes()
}

fn list(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_be_bytes()).collect()
}

/// Content with its length in two bytes before it.
fn prefixed(content: &[u8]) -> Vec<u8> {
    [&number(content.len()), content].concat()
}

/// A hello of a client in a record.
fn client_hello(version: u16, ciphers: &[u16], extensions: Option<&[(u16, Vec<u8>)]>) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(prefixed(&list(ciphers)));
    body.extend([1, 0]);
    if let Some(extensions) = extensions {
        let mut all = Vec::new();
        for (kind, content) in extensions {
            all.extend(kind.to_be_bytes());
            all.extend(prefixed(content));
        }
        body.extend(prefixed(&all));
    }
    let message = [&[1, 0], &number(body.len())[..], &body].concat();
    [&[22, 3, 1], &prefixed(&message)[..]].concat()
}

fn server_name(name: &str) -> Vec<u8> {
    prefixed(&[&[0], &prefixed(name.as_bytes())[..]].concat())
}

fn check(payload: &[u8], expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(
            tcp([50_000, 8443], payload, name).as_deref(),
            Some(*value),
            "{name}"
        );
    }
}

/// The example of FoxIO's JA4.md, with GREASE where browsers put it.
fn ja4_example() -> Vec<u8> {
    let ciphers = [
        0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013,
        0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
    ];
    let signatures = [
        0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601,
    ];
    let types = [
        0xfafa, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023,
        0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015,
    ];
    let extensions: Vec<(u16, Vec<u8>)> = types
        .iter()
        .map(|kind| {
            let content = match kind {
                0 => server_name("example.com"),
                0x10 => prefixed(b"\x02h2\x08http/1.1"),
                0x0d => prefixed(&list(&signatures)),
                0x2b => hex("06 8a8a 0304 0303"),
                0x0a => prefixed(&list(&[0x2a2a, 29, 23])),
                0x0b => vec![1, 0],
                _ => Vec::new(),
            };
            (*kind, content)
        })
        .collect();
    client_hello(0x303, &ciphers, Some(&extensions))
}

#[test]
fn ja4_is_that_of_its_specification() {
    check(
        &ja4_example(),
        &[
            ("tls.ja4", "t13d1516h2_8daaf6152771_e5627efa2ab1"),
            (
                "tls.handshake.ja4_r",
                "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9_\
                 0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_\
                 0403,0804,0401,0503,0805,0501,0806,0601",
            ),
        ],
    );
    // The second hash of the specification: without signature algorithms.
    let types = [
        0x05, 0x0a, 0x0b, 0x0d, 0x12, 0x15, 0x17, 0x1b, 0x23, 0x2b, 0x2d, 0x33, 0x4469, 0xff01,
    ];
    let extensions: Vec<(u16, Vec<u8>)> = types.iter().map(|kind| (*kind, Vec::new())).collect();
    let hello = client_hello(0x303, &[], Some(&extensions));
    check(
        &hello,
        &[("tls.ja4", "t12i001400_000000000000_6d807ffa2a79")],
    );
    check(
        &client_hello(0x300, &[], None),
        &[("tls.ja4", "ts3i000000_000000000000_000000000000")],
    );
}

/// The letters that stand for an application protocol, as JA4.md lists them.
#[test]
fn ja4_protocols() {
    for (name, letters) in [
        ("6162", "ab"),
        ("ab", "ab"),
        ("abcd", "ad"),
        ("30ab", "3b"),
        ("3031abcd", "3d"),
        ("30abcd31", "01"),
        ("68", "hh"),
        ("687474702f312e31", "h1"),
        ("", "00"),
    ] {
        let name = hex(name);
        let content = prefixed(&[&[name.len() as u8], &name[..]].concat());
        let hello = client_hello(0x303, &[], Some(&[(16, content)]));
        let ja4 = tcp([1, 2], &hello, "tls.ja4").expect("a fingerprint");
        assert_eq!(&ja4[8..10], letters, "{name:?}");
    }
}

/// The examples of the description of JA3.
#[test]
fn ja3_is_that_of_its_specification() {
    let extensions = [
        (0, server_name("a.b")),
        (10, prefixed(&list(&[23, 24, 25]))),
        (11, vec![1, 0]),
    ];
    let ciphers = [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4];
    check(
        &client_hello(769, &ciphers, Some(&extensions)),
        &[
            (
                "tls.handshake.ja3_full",
                "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0",
            ),
            ("tls.ja3", "ada70206e40642a3e4461f35503241d5"),
        ],
    );
    let ciphers = [4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99];
    check(
        &client_hello(769, &ciphers, None),
        &[
            (
                "tls.handshake.ja3_full",
                "769,4-5-10-9-100-98-3-6-19-18-99,,,",
            ),
            ("tls.ja3", "de350869b8c85de67a350c8d186f11e6"),
        ],
    );
}

#[test]
fn a_hello_of_a_client() {
    check(
        &ja4_example(),
        &[
            ("tls.record.content_type", "22"),
            ("tls.record.version", "769"),
            ("tls.handshake.type", "1"),
            ("tls.handshake.version", "771"),
            ("tls.handshake.session_id_length", "0"),
            ("tls.sni", "example.com"),
            ("tls.handshake.extensions_server_name", "example.com"),
            ("tls.alpn", "h2"),
            ("tls.handshake.extensions_alpn_str", "h2,http/1.1"),
            ("tls.handshake.extensions_supported_group", "10794,29,23"),
            ("tls.handshake.extensions_ec_point_format", "0"),
            (
                "tls.handshake.extensions.supported_version",
                "35466,772,771",
            ),
        ],
    );
    assert_eq!(
        tcp([1, 2], &ja4_example(), "tls.handshake.session_id"),
        None
    );
}

#[test]
fn a_cut_hello_has_no_fingerprint() {
    let hello = ja4_example();
    for end in 0..hello.len() {
        for name in ["tls.ja3", "tls.ja4"] {
            assert_eq!(tcp([1, 2], &hello[..end], name), None, "{name} at {end}");
        }
    }
    let cut = &hello[..60];
    assert_eq!(tcp([1, 2], cut, "tls.handshake.type").as_deref(), Some("1"));
    assert_eq!(
        tcp([1, 2], cut, "tls.handshake.ciphersuite").as_deref(),
        Some("6682,4865,4866,4867,49195,49199,49196")
    );
}

#[test]
fn an_answer_of_a_server_and_what_follows() {
    let mut flight = hex("16 0303 0036 02 000032 0303");
    flight.extend([9; 32]);
    flight.extend(hex("00 002f 00 000a ff01 0001 00 0010 0001 00"));
    let flight_end = flight.len();
    flight.extend(hex("14 0303 0001 01"));
    flight.extend(hex("16 0303 0010 14 00000c 000102030405060708090a0b"));
    flight.extend(hex("15 0303 0002 02 28"));
    assert_eq!(flight_end, 5 + 0x36);
    check(
        &flight,
        &[
            ("tls.record.content_type", "22,20,22,21"),
            // What is behind a change of the cipher is encrypted.
            ("tls.handshake.type", "2"),
            ("tls.handshake.ciphersuite", "47"),
            ("tls.handshake.ja3s_full", "771,47,65281-16"),
            ("tls.alert_message.level", "2"),
            ("tls.alert_message.desc", "40"),
        ],
    );
}

#[test]
fn what_is_no_record() {
    for text in [
        "",
        "16",
        "16 0301",
        "16 0301 00",
        "17 0301 0000 00",
        "19 0301 0001 00",
        "16 0401 0001 00",
        "16 0303 ffff 00",
    ] {
        assert_eq!(
            tcp([1, 443], &hex(text), "tls.record.content_type"),
            None,
            "{text}"
        );
    }
    // A message that does not fit into its record is an encrypted one.
    let encrypted = hex("16 0303 0010 01 00ffff 000102030405060708090a0b");
    assert_eq!(tcp([1, 443], &encrypted, "tls.handshake.type"), None);
    assert_eq!(
        tcp([1, 443], &encrypted, "tls.record.length").as_deref(),
        Some("16")
    );
}

#[test]
fn a_hello_in_several_records() {
    let whole = client_hello(0x303, &[0x1301], Some(&[(0, server_name("a.example"))]));
    let message = &whole[5..];
    let record = |content: &[u8]| [&[22, 3, 1], &prefixed(content)[..]].concat();
    for cut in 1..message.len() {
        let (first, second) = message.split_at(cut);
        let both = [record(first), record(second)].concat();
        check(
            &both,
            &[("tls.sni", "a.example"), ("tls.handshake.type", "1")],
        );
    }
    let bytes: Vec<u8> = message.iter().flat_map(|byte| record(&[*byte])).collect();
    check(&bytes, &[("tls.sni", "a.example")]);
    // What follows in the last record is another message.
    let (first, second) = message.split_at(9);
    let more = [second, &[14, 0, 0, 0]].concat();
    let both = [record(first), record(&more)].concat();
    check(&both, &[("tls.handshake.type", "1,14")]);
}

#[test]
fn a_second_hello_behind_a_change_of_ciphers() {
    let hello = client_hello(0x303, &[0x1301], Some(&[(0, server_name("a.example"))]));
    let change = [20, 3, 3, 0, 1, 1];
    let both = [&change[..], &hello].concat();
    check(
        &both,
        &[("tls.sni", "a.example"), ("tls.handshake.type", "1")],
    );
    // What is encrypted is no hello.
    let encrypted = [&change[..], &[22, 3, 3, 0, 8, 1, 0, 0, 9, 1, 2, 3, 4]].concat();
    assert_eq!(tcp([50_000, 8443], &encrypted, "tls.handshake.type"), None);
}
