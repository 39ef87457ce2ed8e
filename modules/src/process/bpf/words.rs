//! The words of a filter: which of them libpcap would look up.

/// Words of pcap-filter(7) that are no names.
const KEYWORDS: &[&str] = &[
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
    "vxlan",
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
    "ra",
    "ta",
];

/// The first word that libpcap would ask the network for: the name of a host or a network.
pub(super) fn name_to_look_up(filter: &str) -> Option<&str> {
    let mut naming = false;
    let mut brackets = 0usize;
    for word in words(filter) {
        match word {
            "[" => brackets += 1,
            "]" => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        // Names within brackets are offsets and flags.
        if brackets > 0 {
            continue;
        }
        let lower = word.to_ascii_lowercase();
        if KEYWORDS.contains(&lower.as_str()) {
            // A list goes on: `port http or https`.
            if !matches!(lower.as_str(), "and" | "or" | "not") {
                naming = NAMING.contains(&lower.as_str());
            }
            continue;
        }
        let is_flag = ["tcp-", "icmp-", "icmp6-"]
            .iter()
            .any(|start| lower.starts_with(start))
            || matches!(
                lower.as_str(),
                "icmptype" | "icmpcode" | "icmp6type" | "icmp6code" | "tcpflags"
            );
        let starts_as_name =
            word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '\\');
        // Hexadecimal groups of addresses are no names.
        let is_address = word.contains(':')
            || word.contains('-') && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        if starts_as_name && !naming && !is_flag && !is_address {
            return Some(word);
        }
    }
    None
}

fn words(filter: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '.' | ':' | '-' | '_' | '\\');
    let mut rest = filter;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let end = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, behind) = rest.split_at(end);
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
