//! The words of a filter: which of them libpcap would look up.

/// Words of pcap-filter(7) that are no names.
pub(super) const KEYWORDS: &[&str] = &[
    "dst",
    "src",
    "link",
    "net",
    "mask",
    "port",
    "portrange",
    "proto",
    "protochain",
    "gateway",
    "type",
    "subtype",
    "direction",
    "dir",
    "addr1",
    "addr2",
    "addr3",
    "addr4",
    "ether",
    "fddi",
    "tr",
    "wlan",
    "ip",
    "ip6",
    "sctp",
    "tcp",
    "udp",
    "icmp",
    "icmp6",
    "igmp",
    "igrp",
    "pim",
    "vrrp",
    "carp",
    "arp",
    "rarp",
    "atalk",
    "aarp",
    "decnet",
    "lat",
    "sca",
    "moprc",
    "mopdl",
    "iso",
    "esis",
    "es-is",
    "isis",
    "is-is",
    "l1",
    "l2",
    "iih",
    "lsp",
    "snp",
    "csnp",
    "psnp",
    "clnp",
    "stp",
    "ipx",
    "netbeui",
    "host",
    "radio",
    "broadcast",
    "multicast",
    "and",
    "or",
    "not",
    "len",
    "length",
    "less",
    "greater",
    "byte",
    "inbound",
    "outbound",
    "ifindex",
    "vlan",
    "mpls",
    "pppoed",
    "pppoes",
    "geneve",
    "lane",
    "llc",
    "metac",
    "bcc",
    "oam",
    "oamf4",
    "oamf4ec",
    "oamf4sc",
    "sc",
    "ilmic",
    "vpi",
    "vci",
    "connectmsg",
    "metaconnect",
    "ah",
    "esp",
    "fisu",
    "lssu",
    "lsu",
    "msu",
    "on",
    "ifname",
    "rset",
    "ruleset",
    "rnr",
    "rulenum",
    "srnr",
    "subrulenum",
    "reason",
    "action",
    "sio",
    "opc",
    "dpc",
    "sls",
    "hsio",
    "hopc",
    "hdpc",
    "hsls",
    "ra",
    "ta",
];

/// Numbers that have names: places within headers, types of messages, flags.
pub(super) const CONSTANTS: &[&str] = &[
    "icmptype",
    "icmpcode",
    "icmp-echoreply",
    "icmp-unreach",
    "icmp-sourcequench",
    "icmp-redirect",
    "icmp-echo",
    "icmp-routeradvert",
    "icmp-routersolicit",
    "icmp-timxceed",
    "icmp-paramprob",
    "icmp-tstamp",
    "icmp-tstampreply",
    "icmp-ireq",
    "icmp-ireqreply",
    "icmp-maskreq",
    "icmp-maskreply",
    "icmp6type",
    "icmp6code",
    "icmp6-destinationunreach",
    "icmp6-packettoobig",
    "icmp6-timeexceeded",
    "icmp6-parameterproblem",
    "icmp6-echo",
    "icmp6-echoreply",
    "icmp6-multicastlistenerquery",
    "icmp6-multicastlistenerreportv1",
    "icmp6-multicastlistenerdone",
    "icmp6-routersolicit",
    "icmp6-routeradvert",
    "icmp6-neighborsolicit",
    "icmp6-neighboradvert",
    "icmp6-redirect",
    "icmp6-routerrenum",
    "icmp6-nodeinformationquery",
    "icmp6-nodeinformationresponse",
    "icmp6-ineighbordiscoverysolicit",
    "icmp6-ineighbordiscoveryadvert",
    "icmp6-multicastlistenerreportv2",
    "icmp6-homeagentdiscoveryrequest",
    "icmp6-homeagentdiscoveryreply",
    "icmp6-mobileprefixsolicit",
    "icmp6-mobileprefixadvert",
    "icmp6-certpathsolicit",
    "icmp6-certpathadvert",
    "icmp6-multicastrouteradvert",
    "icmp6-multicastroutersolicit",
    "icmp6-multicastrouterterm",
    "tcpflags",
    "tcp-fin",
    "tcp-syn",
    "tcp-rst",
    "tcp-push",
    "tcp-ack",
    "tcp-urg",
    "tcp-ece",
    "tcp-cwr",
];

/// Words behind which a name is none of a host.
const NAMING: &[&str] = &[
    "port",
    "portrange",
    "proto",
    "protochain",
    "type",
    "subtype",
    "dir",
    "direction",
    "llc",
    "on",
    "ifname",
    "rset",
    "ruleset",
    "reason",
    "action",
];

/// The first word that libpcap would ask the network for: the name of a host or a network. That is
/// what any word is that can be nothing else.
pub(super) fn name_to_look_up(filter: &str) -> Option<&str> {
    let mut naming = false;
    let mut brackets = 0usize;
    for word in words(filter) {
        match word {
            "[" => brackets += 1,
            "]" => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        // A word does not begin with a minus, which is an operator.
        let word = word.trim_start_matches('-');
        // Names within brackets are offsets and flags.
        if brackets > 0 || !word.starts_with(is_in_word) {
            continue;
        }
        if KEYWORDS.contains(&word) {
            // A list goes on: `port http or https`.
            if !matches!(word, "and" | "or" | "not") {
                naming = NAMING.contains(&word);
            }
            continue;
        }
        let is_known = is_address(word) || CONSTANTS.contains(&word) || naming && is_name(word);
        if !is_known {
            return Some(word);
        }
    }
    None
}

/// Whether a word is a number, or the address of a host, a network or a card.
fn is_address(word: &str) -> bool {
    let is_number = |part: &str| match part.strip_prefix("0x").or(part.strip_prefix("0X")) {
        Some(digits) => is_hex(digits, 1..=usize::MAX),
        None => !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()),
    };
    let is_quad = word.split('.').count() <= 4 && word.split('.').all(is_number);
    let groups = |between: char, number: usize, digits: std::ops::RangeInclusive<usize>| {
        let is_group = |part| is_hex(part, digits.clone());
        word.split(between).count() == number && word.split(between).all(is_group)
    };
    is_quad
        || word.parse::<std::net::Ipv6Addr>().is_ok()
        || [':', '-', '.'].into_iter().any(|c| groups(c, 6, 1..=2))
        || groups('.', 3, 4..=4)
        || is_hex(word, 12..=12)
}

fn is_hex(text: &str, digits: std::ops::RangeInclusive<usize>) -> bool {
    digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a word is one name for libpcap, and not several words.
fn is_name(word: &str) -> bool {
    let is_in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    word.starts_with('\\') || word.bytes().all(is_in_name)
}

fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | ':' | '-' | '_' | '\\')
}

fn words(filter: &str) -> impl Iterator<Item = &str> {
    let mut rest = filter;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let end = match first {
            // Behind a backslash everything is a part of the name.
            '\\' => rest.find([' ', '\t', '\n', '!', '(', ')']),
            _ if is_in_word(first) => rest.find(|c| !is_in_word(c)),
            _ => Some(first.len_utf8()),
        };
        let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
        rest = behind;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::name_to_look_up;

    #[test]
    fn names_of_hosts_are_found() {
        for (filter, name) in [
            ("host www.example.com", Some("www.example.com")),
            ("src host gate and port 80", Some("gate")),
            ("src gate", Some("gate")),
            ("net mynet", Some("mynet")),
            ("host 3com.invalid", Some("3com.invalid")),
            ("src 1.gate.invalid", Some("1.gate.invalid")),
            ("host gate.invalid:80", Some("gate.invalid:80")),
            ("host tcp-gw.invalid", Some("tcp-gw.invalid")),
            ("host dead-beef", Some("dead-beef")),
            ("host TCP", Some("TCP")),
            ("host \\tcp", Some("\\tcp")),
            ("host 1.2.3.4.5", Some("1.2.3.4.5")),
            ("host 0xfg", Some("0xfg")),
            ("host abcd", Some("abcd")),
            ("wlan ra gate.invalid", Some("gate.invalid")),
            ("port http and host gate", Some("gate")),
            ("len-14 > 5", Some("len-14")),
            ("ifname \\[ or host gate", Some("gate")),
            ("host bücher.invalid", Some("bücher.invalid")),
            ("len - 14 > 0x10 and len -14 > 5", None),
            ("wlan ra 00.11.22.33.44.5f", None),
            ("ether host 0011.2233.445f or 00112233445f", None),
            ("ip6 net fe80::/10 or host ::ffff:10.0.0.1", None),
            ("net 10.1 or net 192.168.0.0 mask 255.255.0.0", None),
            ("portrange ftp-data-http", None),
            ("tcp port http or https", None),
            ("tcp port 80 and host 10.0.0.1", None),
            ("ether host 00:11:22:33:44:55", None),
            ("ether host a0-11-22-33-44-55", None),
            ("ip6 host fe80::1 and not net 10/8", None),
            ("tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", None),
            ("icmp[icmptype] = icmp-echo", None),
            ("ip proto \\tcp and len > 100", None),
            ("wlan type mgt subtype beacon", None),
            ("", None),
        ] {
            assert_eq!(name_to_look_up(filter), name, "{filter}");
        }
    }
}
