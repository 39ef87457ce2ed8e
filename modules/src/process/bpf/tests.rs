use super::program::Program;

/// A frame of Ethernet, IPv4 and TCP with the SYN flag, from port 1234 to port 80.
fn frame() -> Vec<u8> {
    let mut bytes = vec![0; 12];
    bytes.extend([
        8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
    ]);
    bytes.extend([
        4, 0xd2, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 1, 2, 0, 0, 0, 0,
    ]);
    bytes
}

fn passes(filter: &str, bytes: &[u8], len: u32) -> bool {
    Program::compile(filter, 1)
        .expect(filter)
        .passes(bytes, len)
}

#[test]
fn runs_what_libpcap_compiles() {
    let frame = frame();
    for (filter, expected) in [
        ("", true),
        ("tcp port 80", true),
        ("tcp port 81", false),
        ("src host 10.0.0.1 and dst net 10.0.0.0/8", true),
        ("tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn", true),
        ("ip[8] * 2 = 128 and ip[8] / 3 = 21", true),
        ("len > 60", true),
        ("greater 101", false),
        ("vlan 5", false),
        ("portrange 70-90", true),
        ("ether[0] & 1 = 0 and ip[6:2] & 0x1fff = 0", true),
    ] {
        assert_eq!(passes(filter, &frame, 100), expected, "{filter}");
    }
    // What was not captured passes nothing, and its length counts all the same.
    assert!(!passes("tcp port 80", &frame[..30], 100));
    assert!(passes("len > 60", &frame[..14], 100));
}

#[test]
fn faults_are_told() {
    assert!(Program::compile("tcp prot 80", 1).is_err());
    assert!(Program::compile("ether host 00:00:00:00:00:01", 101).is_err());
}

/// Every prefix of a frame, beside libpcap's own interpreter.
#[test]
fn agrees_with_libpcap() {
    let frame = frame();
    for filter in [
        "tcp port 80",
        "ip[2:2] > 20",
        "tcp[13] & 2 != 0",
        "not ip6",
        "ip[(ip[0] & 0xf) * 4] = 4",
        "len % 7 = 3",
    ] {
        let dead = pcap::Capture::dead(pcap::Linktype(1)).expect("a handle");
        let theirs = dead.compile(filter, true).expect(filter);
        let ours = Program::compile(filter, 1).expect(filter);
        for end in 0..=frame.len() {
            let bytes = &frame[..end];
            assert_eq!(
                ours.passes(bytes, end as u32),
                theirs.filter(bytes),
                "{filter} at {end}"
            );
        }
    }
}

/// What is taken for a keyword or a number is none for libpcap to look up.
#[test]
fn words_are_those_of_libpcap() {
    for word in super::words::KEYWORDS.iter().chain(super::words::CONSTANTS) {
        let message = Program::compile(&format!("host {word}"), 1).err();
        let is_host = message.is_some_and(|message| message.contains("host"));
        assert!(!is_host, "{word}");
    }
}
