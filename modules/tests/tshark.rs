//! Every field that tshark has too, beside tshark's: all occurrences, in every packet.
//!
//! `make test` compares a seeded sample of the shared captures; `make check-all` all of them
//! (`WIREQ_CAPTURES=all`). What differs must be under a rule below, which says why it does; the cells
//! that each rule excuses are counted and printed.

mod support;

use std::collections::{BTreeMap, HashMap};
use std::process::Command;
use support::beside::{Account, Reason, all, damage, is_chosen};
use support::{
    Indexed, Random, in_parallel, packets, run_query, shared, shared_captures, tshark_output,
};
use wireq_engine::schedule::Options;
use wireq_modules::types::packet::Packet;
use wireq_typesys::{Kind, RecordType};

/// What stands between the values of a cell of tshark's.
const BETWEEN: char = '\u{1f}';

/// One cell that differs.
struct Cell<'a> {
    field: &'a str,
    ours: &'a str,
    theirs: &'a str,
    /// The layers that tshark found, as in `frame.protocols`.
    protocols: &'a str,
    malformed: bool,
    /// Whether less of the packet was captured than was sent.
    cut: bool,
    /// The number of the link type.
    link: &'a str,
    /// All of our values of the packet, by name.
    row: &'a HashMap<&'static str, String>,
}

impl std::fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: ours `{}`, theirs `{}` ({}, link {}{}{})",
            self.field,
            self.ours,
            self.theirs,
            self.protocols,
            self.link,
            if self.malformed { ", malformed" } else { "" },
            if self.cut { ", cut" } else { "" }
        )
    }
}

impl Cell<'_> {
    fn is_of(&self, protocols: &[&str]) -> bool {
        protocols.contains(&self.protocol())
    }

    /// What the field's name begins with.
    fn protocol(&self) -> &str {
        self.field.split('.').next().unwrap_or("")
    }

    /// Whether tshark found one of these layers.
    fn has(&self, protocols: &[&str]) -> bool {
        self.protocols.split(':').any(|p| protocols.contains(&p))
    }

    /// Whether ours are the first of theirs, and not all.
    fn is_begun(&self) -> bool {
        count(self.ours) < count(self.theirs) && self.theirs.starts_with(self.ours)
    }

    /// Whether one program has nothing, or the beginning of what the other has.
    fn is_near(&self) -> bool {
        self.ours.starts_with(self.theirs) || self.theirs.starts_with(self.ours)
    }

    /// Our values of another field of the packet.
    fn values(&self, field: &str) -> impl Iterator<Item = u64> {
        let values = self.row.get(field).map_or("", String::as_str).split(',');
        values.filter_map(|value| value.parse().ok())
    }

    /// Whether tshark found a layer of the field's protocol behind one that is not decoded here.
    fn is_behind_unknown(&self) -> bool {
        if self.protocols.contains("gre:wlan") {
            return true;
        }
        let mut layers = self.protocols.split(':');
        let _known = layers.find(|layer| !KNOWN.contains(layer));
        let own: &[&str] = match self.protocol() {
            "eth" => &["eth", "ethertype"],
            "tcp" => &["tcp"],
            "udp" => &["udp", "udplite"],
            "wlan" => &["wlan"],
            own => {
                return layers.any(|layer| layer == own || layer.starts_with(&format!("{own}.")));
            }
        };
        layers.any(|layer| own.contains(&layer))
    }
}

/// Why a cell may differ.
struct Rule {
    name: &'static str,
    reason: &'static str,
    applies: fn(&Cell<'_>) -> bool,
}

/// Link types whose headers are decoded; of the others only the name is known.
const LINKS: &[&str] = &[
    "0", "1", "6", "9", "10", "12", "14", "50", "51", "100", "101", "104", "105", "106", "107",
    "108", "113", "117", "119", "127", "129", "163", "192", "226", "228", "229", "239", "242",
    "276",
];

/// The names that tshark has for layers that are decoded here: what fields compared begin with.
const KNOWN: &[&str] = &[
    "eth",
    "ethertype",
    "vlan",
    "ieee8021ad",
    "mpls",
    "llc",
    "stp",
    "lldp",
    "pppoe",
    "pppoed",
    "pppoes",
    "ppp",
    "ppp_hdlc",
    "chdlc",
    "null",
    "raw",
    "nflog",
    "pflog",
    "sll",
    "radiotap",
    "ppi",
    "wlan_radio",
    "wlan",
    "arp",
    "ip",
    "ipv6",
    "ipv6.hopopts",
    "ipv6.routing",
    "ipv6.fraghdr",
    "ipv6.dstopts",
    "ah",
    "esp",
    "udpencap",
    "icmp",
    "icmpv6",
    "igmp",
    "tcp",
    "udp",
    "udplite",
    "sctp",
    "dccp",
    "gre",
    "erspan",
    "vxlan",
    "geneve",
    "gtp",
    "teredo",
    "l2tp",
    "ospf",
    "vrrp",
    "macsec",
    "cfp",
    "pim",
    "fddi",
    "tr",
    "arcnet",
    "fr",
    "clip",
    "ipoib",
    "ipnet",
    "prism",
    "etag",
    "vntag",
    "nsh",
    "lisp-data",
    "ayiya",
];

const RULES: &[Rule] = &[
    Rule {
        name: "link",
        reason: "headers of this link type are not decoded",
        applies: |cell| !LINKS.contains(&cell.link) && cell.is_begun(),
    },
    Rule {
        name: "carrier",
        reason: "tshark decodes what is carried by a protocol that is not decoded here",
        applies: |cell| cell.is_begun() && cell.is_behind_unknown(),
    },
    Rule {
        name: "deep",
        reason: "more headers than are followed, here or there",
        applies: |cell| {
            let layers = cell.protocols.split(':').count();
            layers >= 24
                && (cell.theirs.starts_with(cell.ours) || cell.ours.starts_with(cell.theirs))
        },
    },
    Rule {
        name: "cut",
        reason: "of the last header of a cut packet tshark gives what it reads at once, all or nothing",
        applies: |cell| {
            let last = cell.protocols.rsplit(':').next().unwrap_or("");
            let is_last = match cell.protocol() {
                "ip" | "ipv6" => last.starts_with("ip") || last == "raw",
                "eth" => matches!(last, "eth" | "ethertype"),
                "wlan" => last.starts_with("wlan"),
                own => last.starts_with(own),
            };
            cell.cut && (is_last || last == "nflog") && cell.ours.starts_with(cell.theirs)
        },
    },
    Rule {
        name: "malformed",
        reason: "tshark gave up on the packet before it came to the field, or read on where it is not the header it should be",
        applies: |cell| {
            cell.malformed
                && (cell.ours.starts_with(cell.theirs) || cell.theirs.starts_with(cell.ours))
        },
    },
    Rule {
        name: "too-short",
        reason: "of a header whose packet is said to be shorter than itself tshark gives less, or nothing of what it carries",
        applies: |cell| {
            let lengths = cell.values("ip.len").zip(cell.values("ip.hdr_len"));
            let is_short = lengths
                .into_iter()
                .any(|(packet, header)| 0 < packet && packet < header);
            is_short && cell.ours.starts_with(cell.theirs)
        },
    },
    Rule {
        name: "other-version",
        reason: "of IPv6 where IPv4 was announced tshark gives the version once or twice",
        applies: |cell| {
            cell.field == "ip.version"
                && cell.ours.starts_with(cell.theirs)
                && cell.protocols.contains("ip:ipv6")
        },
    },
    Rule {
        name: "handed-on",
        reason: "tshark gives again what SOCKS hands on",
        applies: |cell| cell.field == "tcp.payload" && cell.has(&["socks"]) && cell.is_begun(),
    },
    Rule {
        name: "gtp-prime",
        reason: "GTP' and version 0 of GTP have other headers",
        applies: |cell| {
            let is_prime = cell
                .values("gtp.flags")
                .any(|flags| flags & 0x10 == 0 || flags >> 5 == 0);
            cell.is_of(&["gtp"]) && (is_prime || cell.has(&["gtpprime"])) && cell.is_near()
        },
    },
    Rule {
        name: "elements",
        reason: "tshark has the lengths of elements of GTP's control messages under the name of the message's",
        applies: |cell| cell.field == "gtp.length" && cell.is_begun(),
    },
    Rule {
        name: "short-datagram",
        reason: "tshark's udp.payload goes on beyond a length that is shorter than the packet's",
        applies: |cell| {
            let in_ip = cell.values("ip.len").zip(cell.values("ip.hdr_len"));
            let in_ip = in_ip.map(|(packet, header)| packet.saturating_sub(header));
            let room = in_ip.chain(cell.values("ipv6.plen")).max();
            cell.field == "udp.payload"
                && cell.theirs.starts_with(cell.ours)
                && cell.values("udp.length").last() < room
        },
    },
    Rule {
        name: "reset-cause",
        reason: "what a reset carries is its cause for tshark, and no payload",
        applies: |cell| {
            cell.field == "tcp.payload"
                && cell.theirs.is_empty()
                && cell.protocols.ends_with(":tcp")
                && cell.values("tcp.flags").any(|flags| flags & 4 != 0)
        },
    },
    Rule {
        name: "instances",
        reason: "instances of MSTP have flags of their own, under the same name in tshark",
        applies: |cell| cell.field.starts_with("stp.flags") && cell.is_begun(),
    },
    Rule {
        name: "unsaid",
        reason: "tshark gives tags of PPPoE in names of their own only",
        applies: |cell| {
            matches!(cell.field, "pppoed.tag" | "pppoed.tag_length") && cell.theirs.is_empty()
        },
    },
    Rule {
        name: "fabricpath",
        reason: "tshark gives the outer addresses of FabricPath in names of its own",
        applies: |cell| {
            cell.has(&["cfp"])
                && cell.is_of(&["eth"])
                && (cell.ours.is_empty() || count(cell.ours) > count(cell.theirs))
                && cell.ours.ends_with(cell.theirs)
        },
    },
    Rule {
        name: "fabricpath-check",
        reason: "tshark takes the check sequence of FabricPath off",
        applies: |cell| {
            let length = |text: &str| text.parse::<usize>().ok();
            let is_less = match cell.field {
                "tcp.len" => length(cell.ours) == length(cell.theirs).map(|length| length + 4),
                "tcp.payload" => {
                    cell.ours.starts_with(cell.theirs)
                        && cell.ours.len() == cell.theirs.len() + 2 * 4
                }
                _ => false,
            };
            cell.has(&["cfp"]) && is_less
        },
    },
    Rule {
        name: "vxlan-gpe",
        reason: "the flags and the network of VXLAN-GPE are those of VXLAN in tshark",
        applies: |cell| {
            matches!(cell.field, "vxlan.flags" | "vxlan.vni")
                && cell.is_begun()
                && cell.values("udp.port").any(|port| port == 4790)
        },
    },
    Rule {
        name: "undivided",
        reason: "a total length of 0, of a segment to be divided, is shown as what was captured",
        applies: |cell| {
            let mut both = cell.ours.split(',').zip(cell.theirs.split(','));
            // Of a malformed packet there may be less.
            cell.field == "ip.len"
                && (cell.malformed || count(cell.ours) == count(cell.theirs))
                && both.all(|(ours, theirs)| ours == theirs || ours == "0")
        },
    },
    Rule {
        name: "source-route",
        reason: "tshark gives the end of a source route as the receiver",
        applies: |cell| {
            let both = cell.ours.split(',').zip(cell.theirs.split(','));
            let routes = cell.values("ip.opt.type");
            let routes = routes.filter(|kind| matches!(kind, 131 | 137)).count();
            matches!(cell.field, "ip.dst" | "ip.addr")
                && count(cell.ours) == count(cell.theirs)
                && both.filter(|(ours, theirs)| ours != theirs).count() <= routes
        },
    },
    Rule {
        name: "quoted-segment",
        reason: "of a segment quoted in an ICMP error tshark gives no payload, and its numbers as tcp.seq and tcp.ack only",
        applies: |cell| {
            cell.has(&["icmp", "icmpv6"])
                && matches!(cell.field, "tcp.seq_raw" | "tcp.ack_raw" | "tcp.payload")
                && cell.ours.starts_with(cell.theirs)
        },
    },
    Rule {
        name: "accurate-ecn",
        reason: "where accurate ECN is negotiated tshark gives its counter in place of three flags",
        applies: |cell| {
            matches!(
                cell.field,
                "tcp.flags.ae" | "tcp.flags.cwr" | "tcp.flags.ece"
            ) && cell.theirs.is_empty()
        },
    },
    Rule {
        name: "own-names",
        reason: "tshark has other names for DVMRP and PIM within IGMP",
        applies: |cell| {
            cell.has(&["dvmrp", "pim", "mtrace", "rgmp", "igap"])
                && cell.is_of(&["igmp", "pim"])
                && cell.is_near()
        },
    },
    Rule {
        name: "no-name",
        reason: "an empty network name is <MISSING> in tshark",
        applies: |cell| {
            cell.field == "wlan.ssid" && cell.theirs.replace("<MISSING>", "") == cell.ours
        },
    },
    Rule {
        name: "rate",
        reason: "tshark calculates rates from modulation and coding",
        applies: |cell| {
            let has_no_rate = cell
                .values("radiotap.present.word")
                .all(|word| word & 4 == 0);
            cell.field == "radiotap.datarate" && cell.ours.is_empty() && has_no_rate
        },
    },
    Rule {
        name: "other-hardware",
        reason: "hardware addresses that are not Ethernet's",
        applies: |cell| {
            let is_other = cell.values("icmpv6.opt.length").any(|units| units != 1);
            cell.field == "icmpv6.opt.linkaddr" && cell.ours.is_empty() && is_other
        },
    },
    Rule {
        name: "lldp-order",
        reason: "tshark reads no further where a part of LLDP is there twice that may be once",
        applies: |cell| {
            let places = cell.row.get("lldp.tlv.type").map_or("", String::as_str);
            let twice =
                ["1", "2", "3"].map(|kind| places.split(',').filter(|p| *p == kind).count());
            cell.is_of(&["lldp"])
                && twice.iter().any(|n| *n > 1)
                && cell.ours.starts_with(cell.theirs)
        },
    },
    Rule {
        name: "by-port",
        reason: "what is on a tunnel's port is none for tshark by its content",
        applies: |cell| {
            cell.is_of(&["gtp", "l2tp", "vxlan", "geneve", "esp"]) && cell.theirs.is_empty()
        },
    },
];

/// How many values a cell has.
fn count(cell: &str) -> usize {
    if cell.is_empty() {
        0
    } else {
        cell.split(',').count()
    }
}

/// Fields of which more is excused than agrees, and why.
const EXCEPTIONS: &[Reason] = &[
    ("pppoed.tag", "tshark gives no tag under this name"),
    ("pppoed.tag_length", "tshark gives no tag under this name"),
];

struct Field {
    name: &'static str,
    /// What follows the name in our query, so that both write values alike.
    conversion: &'static str,
    kind: Kind,
    hex: bool,
}

fn fields() -> Vec<Field> {
    let output = Command::new("tshark")
        .args(["-G", "fields"])
        .output()
        .expect("tshark runs: `make setup` installs it");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let theirs: HashMap<&str, &str> = text
        .lines()
        .filter_map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            (columns.len() > 3 && columns[0] == "F").then(|| (columns[2], columns[3]))
        })
        .collect();
    let comparable = |field: &'static wireq_typesys::FieldDef| {
        let kind = match field.kind {
            Kind::List(kind) => *kind,
            _ => return None,
        };
        let theirs = theirs.get(field.name)?;
        let hex = *theirs == "FT_BYTES" && kind.is_bytes();
        let conversion = match kind {
            _ if hex => ".hex",
            Kind::Named(_) => ".number",
            _ => "",
        };
        let header = KNOWN.contains(&field.name.split('.').next().unwrap_or(""));
        header.then_some(Field {
            name: field.name,
            conversion,
            kind,
            hex,
        })
    };
    Packet.fields().iter().filter_map(comparable).collect()
}

/// A cell in one form: numbers in decimal, bytes in bare hexadecimal digits, `,` between values.
fn normal(cell: &str, field: &Field, between: char) -> String {
    if field.kind == Kind::Text && !field.hex {
        // Texts end with the first 0 there.
        let ends = |value: &str| value.split("\\x00").next().unwrap_or("").to_owned();
        let values: Vec<String> = cell.split(between).map(ends).collect();
        return values
            .join(",")
            .replace("\\x0d", "\\r")
            .replace("\\x0a", "\\n");
    }
    let value = |value: &str| match field.kind {
        _ if field.hex => value.replace(':', ""),
        Kind::Address => value
            .parse::<std::net::IpAddr>()
            .map_or_else(|_| value.to_owned(), |address| address.to_string()),
        Kind::Bool => u8::from(!matches!(value, "0" | "false" | "False")).to_string(),
        Kind::Unsigned | Kind::Named(_) => number(value).unwrap_or_else(|| value.to_owned()),
        _ => value.to_owned(),
    };
    if cell.is_empty() {
        return String::new();
    }
    let values: Vec<String> = cell.split(between).map(value).collect();
    values.join(",")
}

fn number(text: &str) -> Option<String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok()?,
        None => text.parse().ok()?,
    };
    Some(number.to_string())
}

fn tshark(path: &str, fields: &[Field]) -> Option<Vec<Vec<String>>> {
    let mut command = Command::new("tshark");
    command.args([
        "-n",
        "-r",
        path,
        "-T",
        "fields",
        "-E",
        &format!("aggregator={BETWEEN}"),
    ]);
    for preference in [
        "ip.defragment:FALSE",
        "ipv6.defragment:FALSE",
        "tcp.desegment_tcp_streams:FALSE",
        "tcp.relative_sequence_numbers:FALSE",
        "tcp.check_checksum:FALSE",
        "tcp.analyze_sequence_numbers:FALSE",
        "wlan.defragment:FALSE",
    ] {
        command.args(["-o", preference]);
    }
    for field in ["frame.encap_type", "frame.protocols", "_ws.malformed"] {
        command.args(["-e", field]);
    }
    for field in fields {
        command.args(["-e", field.name]);
    }
    let output = tshark_output(&mut command, path)?;
    let text = String::from_utf8_lossy(&output).into_owned();
    let rows = text
        .lines()
        .map(|line| line.split('\t').map(str::to_owned).collect());
    Some(packets(rows.collect(), 0))
}

/// Compares a capture's packets.
fn compare(capture: &Indexed, fields: &[Field], account: &mut Account) {
    let names = fields.iter().map(|f| format!("{}{}", f.name, f.conversion));
    let names: Vec<String> = names.collect();
    let query = format!("print frame.number linktype caplen len {}", names.join(" "));
    let path = capture.path.to_string_lossy().into_owned();
    let Ok((text, report)) = run_query(&query, &path, &Options::default()) else {
        account.unread.push(format!("{path} ({})", capture.format));
        return;
    };
    let Some(theirs) = tshark(&path, fields) else {
        account.unread_by_tshark.push(path);
        return;
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    let rows = text.lines().map(|line| line.split('\t').collect());
    let ours: BTreeMap<u64, Vec<&str>> = rows
        .map(|row: Vec<&str>| (row[0].parse().expect("a number"), row))
        .collect();
    let theirs: BTreeMap<u64, Vec<String>> = (1..).zip(theirs).collect();
    let numbers = [
        ours.keys().copied().collect(),
        theirs.keys().copied().collect(),
    ];
    account.pair(&path, &numbers[0], &numbers[1], damage(&report));
    for (number, row) in &theirs {
        let cell = |at: usize| row.get(at).map_or("", String::as_str);
        let Some(mine) = ours.get(number) else {
            continue;
        };
        let ours = |at: usize| normal(mine.get(at + 4).copied().unwrap_or(""), &fields[at], ',');
        let row_values: HashMap<&'static str, String> = (0..fields.len())
            .map(|at| (fields[at].name, ours(at)))
            .collect();
        for (at, field) in fields.iter().enumerate() {
            let ours = row_values.get(field.name).cloned().unwrap_or_default();
            let theirs = normal(cell(at + 3), field, BETWEEN);
            if !account.differs(field.name, &ours, &theirs) {
                continue;
            }
            let cell = Cell {
                field: field.name,
                ours: &ours,
                theirs: &theirs,
                protocols: cell(1),
                malformed: !cell(2).is_empty(),
                cut: mine.get(2) != mine.get(3),
                link: mine.get(1).copied().unwrap_or(""),
                row: &row_values,
            };
            let rule = RULES.iter().find(|rule| (rule.applies)(&cell));
            account.excuse(rule.map(|rule| rule.name), field.name, || {
                format!("{path} {} {cell:?}", mine[0])
            });
        }
    }
}

/// Of cells with a value in either program one in so many may be excused.
const EXCUSED_ONE_IN: usize = 400;

#[test]
fn fields_of_all_headers_are_those_of_tshark() {
    let Some(folder) = shared() else {
        return;
    };
    let fields = fields();
    let all = all();
    let mut random = Random(11);
    let mut captures = shared_captures(&folder);
    captures.retain(|capture| {
        is_chosen(capture, || {
            all || random.below(40) == 0 && capture.packets <= 1000
        })
    });
    let mut account = Account::default();
    in_parallel(&captures, |capture, account: &mut Account| {
        compare(capture, &fields, account);
    })
    .into_iter()
    .for_each(|part| account.add(part));
    let names: Vec<_> = fields.iter().map(|field| field.name).collect();
    let rules: Vec<Reason> = RULES.iter().map(|rule| (rule.name, rule.reason)).collect();
    account.close(&names, &rules, EXCEPTIONS, EXCUSED_ONE_IN);
}
