//! The fields of applications, beside tshark's, over the shared captures: every occurrence of every
//! field of every packet, without reassembly.
//!
//! Where the two differ a rule has to say why: a predicate and a reason. Every cell that a rule
//! excuses is counted and printed with its rule.

mod support;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::process::Command;
use support::beside::{Account, Reason, all, damage, is_chosen};
use support::{
    Indexed, Random, in_parallel, packets, run_query, shared, shared_captures, tshark_output,
};
use wireq_engine::Report;
use wireq_engine::schedule::Options;
use wireq_modules::types::packet::Packet;
use wireq_typesys::{Kind, RecordType};

/// What the names of the fields compared begin with.
const PROTOCOLS: &[&str] = &[
    "dns.", "tls.", "x509", "http.", "dhcp.", "ntp.", "ssh.", "quic.", "sip.", "mqtt.", "smb.",
    "smb2.", "snmp.",
];

/// What tshark is told: each packet on its own, as far as it lets itself be told.
const OPTIONS: &[&str] = &[
    "tcp.desegment_tcp_streams:FALSE",
    "tcp.analyze_sequence_numbers:FALSE",
    "tcp.relative_sequence_numbers:FALSE",
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    "tls.desegment_ssl_records:FALSE",
    "tls.desegment_ssl_application_data:FALSE",
    "http.desegment_headers:FALSE",
    "http.desegment_body:FALSE",
    "dns.desegment_dns_messages:FALSE",
];

/// Why few certificates are compared.
const BEHIND_SEGMENT: &str = "certificates mostly go on behind the segment, or are in DTLS";

/// Fields of which more is excused than agrees, and why.
const EXCEPTIONS: &[Reason] = &[
    (
        "dhcp.option.type",
        "tshark lists the end of the options as one of type 0",
    ),
    (
        "quic.dcid",
        "tshark knows how long those of short headers are",
    ),
    (
        "tls.handshake.extensions_key_share_selected_group",
        "a rare field: it is there in five packets",
    ),
    ("tls.handshake.certificate_length", BEHIND_SEGMENT),
    ("tls.handshake.certificates_length", BEHIND_SEGMENT),
    ("x509af.serialNumber", BEHIND_SEGMENT),
    ("x509ce.dNSName", BEHIND_SEGMENT),
    ("x509sat.CountryName", BEHIND_SEGMENT),
    ("x509sat.printableString", BEHIND_SEGMENT),
    ("x509sat.uTF8String", BEHIND_SEGMENT),
];

/// Columns that rules read besides those of fields; tshark takes no name twice.
const CONTEXT: &[&str] = &[
    "frame.encap_type",
    "frame.protocols",
    "_ws.malformed",
    "frame.len",
    "frame.cap_len",
    "tcp.len",
    "tls.record.opaque_type",
    "tcp.port",
    "udp.port",
    "ssh.languages_server_to_client_length",
    "tcp.payload",
    "http.proxy_connect_host",
    "quic.fixed_bit",
];

struct Field {
    name: &'static str,
    element: Kind,
}

/// Our fields that tshark has too.
fn fields() -> Vec<Field> {
    let list = Command::new("tshark").args(["-G", "fields"]).output();
    let list = list.expect("tshark runs").stdout;
    let list = String::from_utf8_lossy(&list);
    let theirs: HashSet<&str> = list
        .lines()
        .filter_map(|line| line.split('\t').nth(2))
        .collect();
    let ours = Packet.fields().iter();
    ours.filter_map(|field| {
        let is_application = PROTOCOLS.iter().any(|start| field.name.starts_with(start));
        match field.kind {
            Kind::List(element) if is_application && theirs.contains(field.name) => Some(Field {
                name: field.name,
                element: *element,
            }),
            _ => None,
        }
    })
    .collect()
}

/// A field of a packet in both programs.
struct Cell<'a> {
    field: &'a str,
    ours: &'a str,
    theirs: &'a str,
    /// All of tshark's values of the packet, by name.
    context: &'a HashMap<&'a str, &'a str>,
    our_record_lengths: &'a str,
    /// Whether no field of the protocol has a value in ours.
    is_ours_empty: bool,
    is_theirs_empty: bool,
}

impl Cell<'_> {
    fn context(&self, name: &str) -> &str {
        self.context.get(name).copied().unwrap_or("")
    }

    fn has_protocol(&self, name: &str) -> bool {
        self.context("frame.protocols")
            .split(':')
            .any(|p| p == name)
    }

    fn is_of(&self, start: &str) -> bool {
        self.field.starts_with(start)
    }

    fn is_tls(&self) -> bool {
        self.is_of("tls.") || self.is_of("x509")
    }

    fn is_cut(&self) -> bool {
        self.context("frame.len") != self.context("frame.cap_len")
    }

    fn is_malformed(&self) -> bool {
        !self.context("_ws.malformed").is_empty()
    }

    fn is_damaged(&self) -> bool {
        self.is_cut() || self.is_malformed()
    }

    /// Whether one program has the beginning of what the other has, or nothing.
    fn is_more_or_less(&self) -> bool {
        self.ours.starts_with(self.theirs) || self.theirs.starts_with(self.ours)
    }

    /// Whether one of the ports, of any transport header, is one of these.
    fn is_on(&self, ports: &[&str]) -> bool {
        let both = [self.context("tcp.port"), self.context("udp.port")];
        both.iter()
            .flat_map(|list| list.split(','))
            .any(|port| ports.contains(&port))
    }

    /// Tshark's values of a field that are numbers.
    fn numbers(&self, name: &str) -> Vec<usize> {
        numbers(self.context(name))
    }

    /// Whether bytes are left behind the last extension of a hello.
    fn has_rest_of_extensions(&self) -> bool {
        let all: usize = self.numbers("tls.handshake.extensions_length").iter().sum();
        let each = self.numbers("tls.handshake.extension.len");
        all > each.iter().map(|len| len + 4).sum()
    }

    /// Whether a record of TLS goes on behind the segment.
    fn goes_on(&self) -> bool {
        let sum = |lengths: Vec<usize>| lengths.iter().map(|len| len + 5).sum::<usize>();
        sum(numbers(self.our_record_lengths)) > sum(self.numbers("tcp.len"))
    }

    /// The bytes of a message's lines before its content, where it begins the segment.
    fn header(&self) -> Vec<u8> {
        let payload = self.context("tcp.payload").as_bytes();
        let byte = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        let bytes: Vec<u8> = payload.chunks(2).map_while(byte).collect();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        bytes[..end.map_or(bytes.len(), |end| end + 2)].to_vec()
    }

    /// Whether a line of the header is ended by a carriage return alone.
    fn has_bare_return(&self) -> bool {
        let header = self.header();
        header
            .windows(2)
            .any(|two| two[0] == b'\r' && two[1] != b'\n')
    }
}

/// The numbers in a list.
fn numbers(list: &str) -> Vec<usize> {
    list.split(',').filter_map(|n| n.parse().ok()).collect()
}

/// Whether `all` has the values of `some`, in their order, and others.
fn is_part_of(some: &str, all: &str) -> bool {
    let mut all = all.split(',');
    some.is_empty() || some.split(',').all(|value| all.any(|other| other == value))
}

/// A reason why a cell may differ, and when it holds.
type Rule = (&'static str, fn(&Cell<'_>) -> bool);

const RULES: &[Rule] = &[
    (
        "HTTP: the methods of UPnP's events are notifications in tshark",
        |cell| {
            let is_event = ["NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE"]
                .contains(&cell.context("http.request.method"));
            is_event && cell.is_of("http.request") && cell.theirs.is_empty()
        },
    ),
    (
        "HTTP: lines that a carriage return alone ends, which end none here (RFC 9112, 2.2)",
        |cell| cell.is_of("http.") && cell.has_bare_return(),
    ),
    (
        "HTTP: tshark reads a status that no space is behind, which is none here (RFC 9112, 4)",
        |cell| {
            let header = cell.header();
            let is_code = header
                .get(9..12)
                .is_some_and(|code| code.iter().all(u8::is_ascii_digit));
            let is_ended = matches!(header.get(12), Some(b' ' | b'\r'));
            cell.is_of("http.")
                && cell.is_ours_empty
                && header.starts_with(b"HTTP/1.")
                && is_code
                && !is_ended
        },
    ),
    (
        "HTTP: of what is no number tshark takes the digits that it begins with",
        |cell| {
            let text = cell.context("http.content_length_header");
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            cell.field == "http.content_length" && cell.ours.is_empty() && !is_number
        },
    ),
    (
        "HTTP: the greatest number of 64 bits stands for no length in tshark, which reads on behind the header",
        |cell| {
            let greatest = u64::MAX.to_string();
            let mut lengths = cell.context("http.content_length_header").split(',');
            cell.is_of("http.")
                && lengths.any(|length| length == greatest)
                && (cell.field == "http.content_length" || cell.theirs.starts_with(cell.ours))
        },
    ),
    (
        "HTTP: tshark has no path of what it asks where nothing is behind the question mark",
        |cell| {
            let mut uris = cell.context("http.request.uri").split(',');
            cell.field == "http.request.uri.path"
                && uris.any(|uri| uri.ends_with('?'))
                && is_part_of(cell.theirs, cell.ours)
        },
    ),
    (
        "HTTP: what is in a tunnel that a packet before has opened is another's in tshark",
        |cell| {
            cell.is_of("http.")
                && cell.is_theirs_empty
                && !cell.context("http.proxy_connect_host").is_empty()
        },
    ),
    ("what SCTP carries is not read here", |cell| {
        cell.is_ours_empty && cell.has_protocol("sctp")
    }),
    (
        "WireGuard: tshark decrypts it with keys that the capture brings",
        |cell| cell.is_ours_empty && cell.has_protocol("wg"),
    ),
    (
        "NTP: of messages of control tshark gives values that they tell of others",
        |cell| {
            let is_control = matches!(cell.context("ntp.flags.mode"), "6" | "7");
            cell.is_of("ntp.") && cell.ours.is_empty() && is_control
        },
    ),
    (
        "HTTP: tshark ends what a request asks at the first space",
        |cell| {
            matches!(
                cell.field,
                "http.request.uri" | "http.request.version" | "http.request.full_uri"
            ) && cell.context("http.request.version").contains(' ')
        },
    ),
    ("white space at an end of a value", |cell| {
        cell.ours.trim() == cell.theirs.trim()
    }),
    (
        "TLS: tshark takes a fingerprint of damaged hellos",
        |cell| {
            cell.field.starts_with("tls.handshake.ja3")
                && cell.ours.is_empty()
                && (cell.is_damaged() || cell.goes_on() || cell.has_rest_of_extensions())
        },
    ),
    (
        "TLS: what is encrypted looks like a hello; tshark reads a session's id that is longer than such may be",
        |cell| {
            let lengths = cell.numbers("tls.handshake.session_id_length");
            cell.is_tls()
                && lengths.iter().any(|len| *len > 32)
                && cell.theirs.starts_with(cell.ours)
        },
    ),
    (
        "TLS: tshark reads a server's key by the cipher suite, which is in a packet before; here its lengths tell",
        |cell| {
            let is_key = matches!(
                cell.field,
                "tls.handshake.sig_hash_alg"
                    | "tls.handshake.server_curve_type"
                    | "tls.handshake.server_named_curve"
            );
            let has_key = cell.numbers("tls.handshake.type").contains(&12);
            let is_suite_elsewhere = cell.context("tls.handshake.ciphersuite").is_empty();
            is_key && has_key && is_suite_elsewhere && cell.theirs.is_empty()
        },
    ),
    ("DNS: labels of types that nobody uses", |cell| {
        let names = ["dns.qry.name", "dns.resp.name"];
        let is_unknown = |text: &str| text.contains("<Unknown extended label>");
        cell.is_of("dns.")
            && (is_unknown(cell.theirs) || names.iter().any(|name| is_unknown(cell.context(name))))
            && (is_unknown(cell.theirs) || cell.theirs.starts_with(cell.ours))
    }),
    ("SIP: tshark takes for 0 what is no number", |cell| {
        let is_number = matches!(cell.field, "sip.Max-Forwards" | "sip.Content-Length");
        is_number && cell.ours.is_empty() && cell.theirs == "0"
    }),
    ("SIP: values that are no numbers, or no text", |cell| {
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        cell.is_of("sip.") && cell.ours.is_empty() && !cell.theirs.split(',').all(is_number)
    }),
    (
        "X.509: tshark gives the names in extensions too, of authorities and lists of revocation, and certificates in DTLS",
        |cell| {
            let is_elsewhere = ["dtls", "quic"].iter().any(|name| cell.has_protocol(name));
            let is_within =
                is_part_of(cell.ours, cell.theirs) || cell.theirs.starts_with(cell.ours);
            let is_begun = !cell.ours.is_empty() && is_within;
            cell.is_of("x509") && (is_begun || is_elsewhere && cell.ours.is_empty())
        },
    ),
    (
        "DNS: a question that goes on in another fragment, or is no name, or in LLMNR over TCP",
        |cell| {
            let is_question = cell.is_of("dns.qry.") || cell.field == "dns.count.labels";
            let is_lost = cell.theirs.is_empty() && cell.context("dns.qry.type").is_empty();
            cell.is_of("dns.") && cell.is_theirs_empty && !cell.has_protocol("dns")
                || is_question && is_lost
        },
    ),
    (
        "DNS: with the ports of both, tshark takes the message for one of multicast DNS or for none",
        |cell| {
            let is_both = cell.is_on(&["53"]) && cell.is_on(&["5353"]);
            is_both
                && matches!(
                    cell.field,
                    "dns.qry.qu" | "dns.qry.class" | "dns.resp.cache_flush"
                )
        },
    ),
    (
        "HTTP/2: its preface is a request that only looks like one",
        |cell| {
            cell.is_of("http.")
                && cell.has_protocol("http2")
                && (cell.ours.is_empty() || cell.theirs.is_empty())
        },
    ),
    ("SMB: what is compressed is not read here", |cell| {
        cell.is_of("smb2.") && cell.is_ours_empty
    }),
    (
        "tshark knows a message by its content, or from packets before it, on another's port",
        |cell| {
            let own: [(&str, &[&str]); 3] = [
                ("dns.", &["53", "5353", "5355"]),
                ("mqtt.", &["1883"]),
                ("sip.", &["5060"]),
            ];
            let is_elsewhere =
                |(start, ports): &(&str, &[&str])| cell.is_of(start) && !cell.is_on(ports);
            own.iter().any(is_elsewhere) && cell.is_ours_empty
        },
    ),
    (
        "tshark knows SIP, SNMP and MQTT by packets before or not at all on this port",
        |cell| {
            let protocol = cell.field.split('.').next().unwrap_or("");
            matches!(protocol, "sip" | "snmp" | "mqtt")
                && cell.is_theirs_empty
                && !cell.has_protocol(protocol)
        },
    ),
    (
        "tshark ends a line at a 0, or writes a backslash once that is written twice here",
        |cell| {
            let bare = |text: &str| text.replace('\\', "");
            cell.ours.contains('\0') || bare(cell.ours) == bare(cell.theirs)
        },
    ),
    (
        "MQTT: tshark shows the flags of all messages as quality of service; one that goes on is read here up to the end",
        |cell| {
            let is_begun = !cell.theirs.is_empty() && cell.ours.starts_with(cell.theirs)
                || !cell.ours.is_empty() && cell.theirs.starts_with(cell.ours);
            cell.field == "mqtt.qos" || cell.is_of("mqtt.") && is_begun
        },
    ),
    (
        "SMB: messages in datagrams of NetBIOS or without IP, and those chained to others",
        |cell| {
            let is_begun = !cell.ours.is_empty() && cell.theirs.starts_with(cell.ours);
            let is_elsewhere = ["nbdgm", "netbios"]
                .iter()
                .any(|name| cell.has_protocol(name));
            cell.is_of("smb.") && (is_elsewhere || is_begun)
        },
    ),
    (
        "SNMP: the version has another name in tshark where it is 3",
        |cell| cell.field == "snmp.version" && cell.ours == "3" && cell.theirs.is_empty(),
    ),
    ("SIP: tshark ends a value at a control character", |cell| {
        cell.is_of("sip.") && cell.ours.starts_with(cell.theirs)
    }),
    (
        "QUIC: version 2 has types of packets under a name of their own in tshark",
        |cell| {
            cell.field == "quic.long.packet_type"
                && cell.theirs.is_empty()
                && cell.context("quic.version").contains("0x6b3343cf")
        },
    ),
    (
        "TLS: tshark lists the signatures of transparency logs among those of handshakes",
        |cell| {
            cell.field == "tls.handshake.sig_hash_alg"
                && cell.theirs.len() > cell.ours.len()
                && cell.theirs.ends_with(cell.ours)
        },
    ),
    (
        "tshark knows a message of HTTP from the packets before it, or takes for one what does not begin like one",
        |cell| {
            let is_version = |name| matches!(cell.context(name), "HTTP/1.0" | "HTTP/1.1");
            let is_code = cell.context("http.response.code").len() == 3;
            let is_whole = is_version("http.request.version")
                || is_version("http.response.version") && is_code;
            cell.is_of("http.") && cell.is_ours_empty && !is_whole
        },
    ),
    (
        "tshark knows HTTP by its port and method, and this port as another's",
        |cell| cell.is_of("http.") && cell.is_theirs_empty && !cell.has_protocol("http"),
    ),
    ("bytes that are no ASCII, which tshark replaces", |cell| {
        let is_plain = |c: &char| c.is_ascii() && *c != '\\';
        let plain = |text: &str| text.chars().filter(is_plain).collect::<String>();
        cell.ours.chars().any(|c| c > '\x7f') && plain(cell.ours) == plain(cell.theirs)
    }),
    ("a tunnel that is not looked into here", |cell| {
        let protocols = cell.context("frame.protocols");
        let is_tunnel = ["udp:gre", "pcap_pktdata"]
            .iter()
            .any(|name| protocols.contains(name));
        cell.is_ours_empty && is_tunnel
    }),
    (
        "DNS: tshark lists the types that a record of DNSSEC names among those of records",
        |cell| {
            cell.field == "dns.resp.type"
                && cell
                    .ours
                    .split(',')
                    .any(|kind| kind == "47" || kind == "50")
        },
    ),
    (
        "DNS: tshark has the name of a record of a service in parts",
        |cell| {
            cell.field == "dns.resp.name"
                && cell
                    .context("dns.resp.type")
                    .split(',')
                    .any(|kind| kind == "33")
        },
    ),
    (
        "DHCP: options that go on in the fields for server and file",
        |cell| {
            cell.is_of("dhcp.")
                && cell
                    .context("dhcp.option.type")
                    .split(',')
                    .any(|kind| kind == "52")
        },
    ),
    (
        "TLS 1.3 before its 22nd draft: the server's hello was another",
        |cell| cell.is_tls() && cell.context("tls.handshake.version").contains("0x7f"),
    ),
    (
        "QUIC: tshark knows how long the connection ids of short headers are",
        |cell| cell.field == "quic.dcid" && cell.theirs.starts_with(cell.ours),
    ),
    (
        "tshark reads the part of a header's line that is in this packet",
        |cell| {
            let lines = [
                cell.context("http.request.line"),
                cell.context("http.response.line"),
            ];
            let is_cut = lines
                .iter()
                .any(|lines| !lines.is_empty() && !lines.ends_with("\\n"));
            cell.is_of("http.") && is_cut && cell.theirs.starts_with(cell.ours)
        },
    ),
    (
        "tshark calls the type of a record of TLS 1.3 that is encrypted tls.record.opaque_type",
        |cell| {
            let others = cell.ours.split(',').filter(|kind| *kind != "23");
            cell.field == "tls.record.content_type"
                && cell.context("tls.record.opaque_type").contains("23")
                && others.collect::<Vec<_>>().join(",") == cell.theirs
        },
    ),
    (
        "tshark reads nothing of a TLS record that goes on behind the segment; here what is there is read",
        |cell| cell.is_tls() && cell.goes_on() && cell.ours.starts_with(cell.theirs),
    ),
    (
        "tshark knows a TLS message from the packets before it, of which this one is the rest, or that it is encrypted",
        |cell| {
            cell.is_tls()
                && !cell.has_protocol("quic")
                && cell.is_ours_empty != cell.is_theirs_empty
        },
    ),
    (
        "what a QUIC server sends is encrypted with keys from a packet before; a hello in several packets is put together",
        |cell| cell.is_tls() && cell.has_protocol("quic") && cell.theirs.starts_with(cell.ours),
    ),
    (
        "tshark takes QUIC's hello for one in several packets, or does not decrypt it",
        |cell| cell.is_tls() && cell.has_protocol("quic") && cell.is_theirs_empty,
    ),
    (
        "QUIC: version 1 without the fixed bit (RFC 9287), which tshark knows from packets before",
        |cell| {
            let mut bits = cell.context("quic.fixed_bit").split(',');
            cell.is_of("quic.")
                && cell.is_ours_empty
                && bits.any(|bit| matches!(bit, "0" | "False"))
        },
    ),
    ("QUIC: tshark knows this port as another's", |cell| {
        let last = cell.context("frame.protocols").rsplit(':').next();
        let is_other = !matches!(last, Some("udp" | "data" | "quic"));
        cell.is_of("quic.") && cell.is_theirs_empty && !cell.has_protocol("quic") && is_other
    }),
    ("a QUIC version of somebody's own", |cell| {
        let known = ["0x00000001", "0x6b3343cf", "0xff0000"];
        let version = cell.context("quic.version");
        let is_known = known.iter().any(|start| version.starts_with(start));
        cell.is_of("quic.") && cell.ours.is_empty() && !is_known
    }),
    ("SSH: lists that do not fit in their packet", |cell| {
        let last = cell.context("ssh.languages_server_to_client_length");
        cell.is_of("ssh.") && cell.is_ours_empty && last.is_empty()
    }),
    (
        "SSH: tshark reads a message that was sent again once, and knows who the client is from the first packets",
        |cell| {
            let is_fingerprint = cell.is_of("ssh.kex.hassh");
            cell.is_of("ssh.") && (cell.theirs.is_empty() || is_fingerprint && cell.ours.is_empty())
        },
    ),
    (
        "DHCP: tshark lists the end of the options as an option of type 0",
        |cell| {
            cell.field == "dhcp.option.type" && cell.theirs.strip_prefix(cell.ours) == Some(",0")
        },
    ),
    (
        "DHCP: tshark takes seconds for bytes in the wrong order where they are many",
        |cell| {
            let swapped = cell.ours.parse::<u16>().map(u16::swap_bytes);
            cell.field == "dhcp.secs" && swapped.ok() == cell.theirs.parse().ok()
        },
    ),
    (
        "a message of DNS over TCP that is not whole in the segment",
        |cell| {
            let is_over_tcp = cell.has_protocol("tcp") && cell.is_on(&["53", "5355"]);
            cell.is_of("dns.") && is_over_tcp && cell.is_ours_empty
        },
    ),
    (
        "the packet is cut, or malformed: one program reads further than the other",
        |cell| cell.is_damaged() && cell.is_more_or_less(),
    ),
];

/// A row of values for each packet that tshark finds anything in, by the number of the packet.
fn theirs(path: &str, fields: &[Field]) -> Option<BTreeMap<u64, Vec<String>>> {
    let mut command = Command::new("tshark");
    command
        .env("TZ", "UTC")
        .args(["-n", "-r", path, "-T", "fields"]);
    command.args([
        "-E",
        "separator=/t",
        "-E",
        "occurrence=a",
        "-E",
        "aggregator=,",
    ]);
    OPTIONS
        .iter()
        .for_each(|option| _ = command.args(["-o", option]));
    for name in CONTEXT
        .iter()
        .copied()
        .chain(fields.iter().map(|field| field.name))
    {
        command.args(["-e", name]);
    }
    let output = tshark_output(&mut command, path)?;
    let rows = packets(rows(&output, CONTEXT.len() + fields.len()), 0);
    Some((1..).zip(rows).collect())
}

fn ours(path: &str, fields: &[Field]) -> Option<(BTreeMap<u64, Vec<String>>, Report)> {
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let query = format!("print frame.number {}", names.join(" "));
    let (text, report) = run_query(&query, path, &Options::default()).ok()?;
    let rows = rows(&text, 1 + fields.len()).into_iter();
    let numbered = rows.map(|cells| (cells[0].parse().unwrap_or(0), cells));
    Some((numbered.collect(), report))
}

fn rows(text: &[u8], width: usize) -> Vec<Vec<String>> {
    let lines = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let cells = line.split(|byte| *byte == b'\t');
            // One character a byte, so that bytes that are no UTF-8 stay apart.
            let mut cells: Vec<String> = cells
                .map(|cell| cell.iter().map(|b| char::from(*b)).collect())
                .collect();
            cells.resize(width, String::new());
            cells
        })
        .collect()
}

/// Characters that either program writes behind a backslash.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let code = rest.as_str();
        let number = |digits: &str, radix| u8::from_str_radix(digits, radix).ok().map(char::from);
        match rest.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('a') => out.push('\x07'),
            Some('b') => out.push('\x08'),
            Some('v') => out.push('\x0b'),
            Some('f') => out.push('\x0c'),
            Some('x') => {
                out.extend(code.get(1..3).and_then(|digits| number(digits, 16)));
                rest.nth(1);
            }
            Some('0'..='7') => {
                out.extend(code.get(..3).and_then(|digits| number(digits, 8)));
                rest.nth(1);
            }
            Some(c) => out.push(c),
            None => {}
        }
    }
    out
}

fn hex(text: &str) -> String {
    text.chars()
        .map(|c| format!("{:02x}", u32::from(c)))
        .collect()
}

/// Our text of a cell, as it is compared.
fn our_form(text: &str, element: Kind) -> String {
    match element {
        Kind::Bool => text.replace("true", "1").replace("false", "0"),
        Kind::Bytes => hex(&unescape(text)),
        Kind::Named(names) => {
            let number = |name: &str| {
                names
                    .number(name)
                    .map_or(name.to_owned(), |n| n.to_string())
            };
            text.split(',').map(number).collect::<Vec<_>>().join(",")
        }
        Kind::Time => whole_seconds(text),
        _ => unescape(text),
    }
}

/// A time without zeros at the end of its fraction.
fn whole_seconds(text: &str) -> String {
    match text.split_once('.') {
        Some((seconds, fraction)) => {
            let fraction = fraction.trim_end_matches("+00:00").trim_end_matches('0');
            format!("{seconds}.{fraction}+00:00")
        }
        None => text.to_owned(),
    }
}

/// The text of a cell of tshark's, as it is compared.
fn their_form(text: &str, element: Kind) -> String {
    match element {
        Kind::Unsigned | Kind::Named(_) => {
            let number = |text: &str| {
                let digits = text.strip_prefix("0x");
                let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
                number.map_or(text.to_owned(), |n| n.to_string())
            };
            text.split(',').map(number).collect::<Vec<_>>().join(",")
        }
        // Ours are written with the commas between values as bytes.
        Kind::Bytes => text.replace(':', "").replace(',', "2c"),
        Kind::Bool => text.replace("True", "1").replace("False", "0"),
        Kind::Signed => {
            let number = |text: &str| {
                text.parse::<u8>()
                    .map_or(text.to_owned(), |n| (n as i8).to_string())
            };
            text.split(',').map(number).collect::<Vec<_>>().join(",")
        }
        // A time that is not known is absent here.
        Kind::Time if text == "NULL" => String::new(),
        Kind::Time => time(text),
        _ => unescape(text),
    }
}

/// `Feb  7, 2036 06:28:17.500000000 UTC` as it is written here.
fn time(text: &str) -> String {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let words: Vec<&str> = text
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .collect();
    let [month, day, year, clock, _] = words[..] else {
        return text.to_owned();
    };
    let month = MONTHS.find(month).map_or(0, |at| at / 3 + 1);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let fraction = fraction.trim_end_matches('0');
    let fraction = if fraction.is_empty() {
        String::new()
    } else {
        format!(".{fraction}")
    };
    format!("{year}-{month:02}-{day:0>2}T{clock}{fraction}+00:00")
}

/// Compares a capture's packets.
fn compare(capture: &Indexed, fields: &[Field], account: &mut Account) {
    let path = capture.path.to_string_lossy();
    let Some(theirs) = theirs(&path, fields) else {
        account.unread_by_tshark.push(path.into_owned());
        return;
    };
    let Some((ours, report)) = ours(&path, fields) else {
        account.unread.push(format!("{path} ({})", capture.format));
        return;
    };
    let record_lengths = fields
        .iter()
        .position(|field| field.name == "tls.record.length");
    let numbers = [
        ours.keys().copied().collect(),
        theirs.keys().copied().collect(),
    ];
    account.pair(&path, &numbers[0], &numbers[1], damage(&report));
    for (number, ours) in &ours {
        let Some(theirs) = theirs.get(number) else {
            continue;
        };
        let names = fields.iter().map(|field| field.name);
        let names = CONTEXT.iter().copied().chain(names);
        let context: HashMap<&str, &str> = names.zip(theirs.iter().map(String::as_str)).collect();
        let our_record_lengths = record_lengths.map_or("", |at| ours[1 + at].as_str());
        let (ours, theirs) = (&ours[1..], &theirs[CONTEXT.len()..]);
        for (at, field) in fields.iter().enumerate() {
            let our = our_form(&ours[at], field.element);
            let their = their_form(&theirs[at], field.element);
            if !account.differs(field.name, &our, &their) {
                continue;
            }
            let protocol = field.name.split('.').next().unwrap_or("");
            let is_empty = |cells: &[String]| {
                let of_protocol = fields
                    .iter()
                    .zip(cells)
                    .filter(|(f, _)| f.name.starts_with(protocol));
                of_protocol.into_iter().all(|(_, cell)| cell.is_empty())
            };
            let cell = Cell {
                field: field.name,
                ours: &our,
                theirs: &their,
                context: &context,
                our_record_lengths,
                is_ours_empty: is_empty(ours),
                is_theirs_empty: is_empty(theirs),
            };
            let rule = RULES.iter().find(|(_, holds)| holds(&cell));
            account.excuse(rule.map(|(reason, _)| *reason), field.name, || {
                format!(
                    "{path} {number} {}\n  ours   {our:?}\n  theirs {their:?} in {}{}{}, ports {} {}",
                    field.name,
                    cell.context("frame.protocols"),
                    if cell.is_cut() { ", cut" } else { "" },
                    if cell.is_malformed() {
                        ", malformed"
                    } else {
                        ""
                    },
                    cell.context("tcp.port"),
                    cell.context("udp.port"),
                )
            });
        }
    }
}

/// Of cells with a value in either program one in so many may be excused.
const EXCUSED_ONE_IN: usize = 13;

#[test]
fn fields_of_applications_are_those_of_tshark() {
    let Some(folder) = shared() else {
        return;
    };
    let all = all();
    let mut random = Random(11);
    let fields = fields();
    let mut account = Account::default();
    let mut captures = shared_captures(&folder);
    captures.retain(|capture| is_chosen(capture, || all || random.below(40) == 0));
    in_parallel(&captures, |capture, account: &mut Account| {
        compare(capture, &fields, account);
    })
    .into_iter()
    .for_each(|part| account.add(part));
    let names: Vec<_> = fields.iter().map(|field| field.name).collect();
    let rules: Vec<Reason> = RULES.iter().map(|(reason, _)| (*reason, "")).collect();
    account.close(&names, &rules, EXCEPTIONS, EXCUSED_ONE_IN);
}

/// JA4 beside ja4plus (PyPI), which `make ja4plus` installs: where both have a fingerprint of a
/// packet it is the same. Of damaged hellos the other has one, and this one none; of hellos in
/// drafts of QUIC this one.
#[test]
fn ja4_is_that_of_ja4plus() {
    let target = std::env::var("CARGO_TARGET_DIR")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../target").to_owned());
    let python = std::path::Path::new(&target).join("ja4plus/bin/python");
    let Some(folder) = shared().filter(|_| python.exists()) else {
        eprintln!(
            "JA4 COMPARED WITH NOTHING: no shared captures, or no {}",
            python.display()
        );
        return;
    };
    let all = all();
    let mut ours = BTreeMap::new();
    let mut paths = Vec::new();
    for (number, capture) in shared_captures(&folder).iter().enumerate() {
        let path = capture.path.to_string_lossy().into_owned();
        let query = "where tls.ja4 | print frame.number tls.handshake.ja4";
        if !all && number % 8 != 0 {
            continue;
        }
        // Captures that are not read are counted by the comparison with tshark.
        let Ok((text, _)) = run_query(query, &path, &Options::default()) else {
            continue;
        };
        if text.is_empty() {
            continue;
        }
        for line in String::from_utf8_lossy(&text).lines() {
            if let Some((frame, ja4)) = line.split_once('\t') {
                ours.insert(format!("{path}\t{frame}"), ja4.to_owned());
            }
        }
        paths.push(path);
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ja4/fingerprints.py");
    let output = Command::new(python).arg(script).args(&paths).output();
    let output = output.expect("Python runs").stdout;
    let (mut equal, mut alone, mut unread) = (0, 0, 0);
    let mut differences = Vec::new();
    for line in String::from_utf8_lossy(&output).lines() {
        let (packet, theirs) = line.rsplit_once('\t').expect("a fingerprint");
        let own = ours.remove(packet);
        // The other gives this for a hello of which it reads nothing.
        if theirs.ends_with("000000_000000000000_000000000000") {
            unread += 1;
            continue;
        }
        match own {
            Some(ours) => {
                // Of several hellos in a packet the other takes the first.
                let first = ours.split(',').next().unwrap_or("");
                if first == theirs {
                    equal += 1;
                } else {
                    differences.push(format!("{packet}: {first}, there {theirs}"));
                }
            }
            None => {
                println!("only there: {packet} {theirs}");
                alone += 1;
            }
        }
    }
    ours.iter()
        .for_each(|(packet, ja4)| println!("only here: {packet} {ja4}"));
    println!(
        "JA4: {equal} equal, {} only here, {alone} only there, {unread} not read there",
        ours.len()
    );
    // Hellos that were made to be broken are read as far as each of them reads: one, or one in 200.
    let text = differences.join("\n");
    println!("{text}");
    assert!(differences.len() * 200 <= equal.max(200), "{text}");
    assert!(equal > 20 && ours.len() + alone < equal / 2);
}
