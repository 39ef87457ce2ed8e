//! What the kernel leaves out changes no result.

use crate::namespace::{Listener, Namespace, wireq};

/// Packets that came, and what was said of the filter.
fn seen(stderr: &str) -> (u64, bool) {
    let (_, rest) = stderr
        .rsplit_once("{\"name\":\"eth0\",\"records\":")
        .expect("an account");
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (
        digits.parse().expect("a number"),
        rest.contains(",\"takes\":\""),
    )
}

#[test]
fn the_kernel_leaves_out_what_no_query_takes() {
    let Some(namespace) = Namespace::new(1) else {
        return;
    };
    for queries in [
        &["where dstport = 53 | print srcip dstip srcport caplen"][..],
        &["where not dstport = 53 and not srcport = 53 | print srcip srcport caplen"],
        &[
            "where ipprotocol = tcp and tcpflags = 2 | print srcip dstip dstport",
            "where srcip = 10.0.0.0/8 and dstport < 1024 | print srcip dstport",
        ],
    ] {
        for capture in ["office.pcap", "vlan.pcap", "ipv6.pcap"] {
            let queries: Vec<&str> = queries.iter().flat_map(|query| ["-e", query]).collect();
            let offline = wireq(&[&queries[..], &[capture]].concat());
            let mut packets = Vec::new();
            for flags in [&[][..], &["--no-rewrite", "prefilter"]] {
                let live = [flags, &["--stats=json", "-i", "eth0"], &queries].concat();
                let listener = Listener::start(&namespace, &live);
                namespace.send("peer0", capture, &["--topspeed"]);
                let outcome = listener.settle();
                assert_eq!(outcome.stdout, offline, "{flags:?} {queries:?} {capture}");
                packets.push(seen(&outcome.stderr));
            }
            println!("{capture} {queries:?}: {packets:?}");
            assert!(packets[0].1 && !packets[1].1, "{packets:?}");
            assert!(packets[0].0 <= packets[1].0, "{packets:?}");
            if capture == "office.pcap" {
                assert!(packets[0].0 < packets[1].0, "{packets:?}");
            }
        }
    }
}
