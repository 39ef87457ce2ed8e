//! DNS (RFC 1035), and with the same messages multicast DNS (RFC 6762) and LLMNR (RFC 4795).
//!
//! Over TCP only messages that are whole in the segment are read.

mod name;
mod numbers;
mod rdata;

use super::cursor::Cursor;
use super::found::Found;
use super::{Payload, fields, firsts, has_port};
use name::{Dead, label_count, name_end, write_name, write_name_unless};
use numbers::{OPCODES, RCODES, TYPES};
use wireq_typesys::Kind::{Address, Bool, Named, Text, Unsigned};

const PORT: u16 = 53;
const MDNS_PORT: u16 = 5353;
const LLMNR_PORT: u16 = 5355;
const HEADER_LEN: usize = 12;
/// The class of a record of multicast DNS has 15 bits; the other says that others are to be
/// forgotten, or in a question that the answer may be sent to the asker alone.
const CLASS: u16 = 0x7fff;
const UPDATE: u16 = 5;

fields! { walk, "dns", "RFC 1035";
    Length "dns.length" [] Unsigned, "Bytes of a message over TCP.";
    Id "dns.id" [] Unsigned, "Number of the query, and of its answer.";
    Flags "dns.flags" [] Unsigned, "The flag word as sent.";
    Response "dns.flags.response" [] Bool, "Whether it is an answer.";
    Opcode "dns.flags.opcode" [] Named(&OPCODES), "What is asked for.";
    Authoritative "dns.flags.authoritative" [] Bool, "In an answer: whether the server has authority over the name.";
    Truncated "dns.flags.truncated" [] Bool, "Whether the message was cut to fit.";
    RecursionDesired "dns.flags.recdesired" [] Bool, "Whether the server shall ask others.";
    RecursionAvailable "dns.flags.recavail" [] Bool, "In an answer: whether the server asks others.";
    Z "dns.flags.z" [] Bool, "In an answer: the reserved bit.";
    Authenticated "dns.flags.authenticated" [] Bool, "In an answer: whether the server found the data authentic (RFC 4035).";
    CheckingDisabled "dns.flags.checkdisable" [] Bool, "Whether data that were not found authentic are welcome (RFC 4035).";
    Rcode "dns.flags.rcode" [] Named(&RCODES), "In an answer: how it went.";
    Queries "dns.count.queries" [] Unsigned, "Number of questions, as the header says.";
    Answers "dns.count.answers" [] Unsigned, "Number of answers, as the header says.";
    Authorities "dns.count.auth_rr" [] Unsigned, "Number of records of authority, as the header says.";
    Additional "dns.count.add_rr" [] Unsigned, "Number of additional records, as the header says.";
    Answer "dns.answer" [] Text, "The answers, as text: addresses, names and texts.";
    QryName "dns.qry.name" [] Text, "The names asked for.";
    QryNameLen "dns.qry.name.len" [] Unsigned, "The lengths of the names asked for, as text.";
    QryLabels "dns.count.labels" [] Unsigned, "The numbers of labels of the names asked for.";
    QryType "dns.qry.type" [] Named(&TYPES), "The types asked for.";
    QryClass "dns.qry.class" [] Unsigned, "The classes asked for.";
    QryUnicast "dns.qry.qu" [] Bool, "In multicast DNS: whether the answer may go to the asker alone.";
    RespName "dns.resp.name" [] Text, "The names that records are about, of all sections.";
    RespType "dns.resp.type" [] Named(&TYPES), "The types of records.";
    RespClass "dns.resp.class" [] Unsigned, "The classes of records.";
    CacheFlush "dns.resp.cache_flush" [] Bool, "In multicast DNS: whether earlier records of the name are to be forgotten.";
    RespTtl "dns.resp.ttl" [] Unsigned, "Seconds that records may be kept.";
    RespLen "dns.resp.len" [] Unsigned, "Bytes of the data of records.";
    A "dns.a" [] Address, "IPv4 addresses in records.";
    Aaaa "dns.aaaa" [] Address, "IPv6 addresses in records (RFC 3596).";
    Cname "dns.cname" [] Text, "Canonical names in records.";
    Ns "dns.ns" [] Text, "Name servers in records.";
    Ptr "dns.ptr.domain_name" [] Text, "Names that addresses have, in records.";
    MxPreference "dns.mx.preference" [] Unsigned, "Preferences of mail exchanges; the lowest is tried first.";
    Mx "dns.mx.mail_exchange" [] Text, "Mail exchanges in records.";
    SoaMname "dns.soa.mname" [] Text, "Primary name servers of zones.";
    SoaRname "dns.soa.rname" [] Text, "Mailboxes of those in charge of zones.";
    SoaSerial "dns.soa.serial_number" [] Unsigned, "Versions of zones.";
    SoaRefresh "dns.soa.refresh_interval" [] Unsigned, "Seconds after which copies of zones are refreshed.";
    SoaRetry "dns.soa.retry_interval" [] Unsigned, "Seconds after which a failed refresh is tried again.";
    SoaExpire "dns.soa.expire_limit" [] Unsigned, "Seconds after which copies of zones are no longer used.";
    SoaMinimum "dns.soa.minimum_ttl" [] Unsigned, "Seconds that the absence of a name may be kept (RFC 2308).";
    TxtLength "dns.txt.length" [] Unsigned, "Lengths of the strings of texts.";
    Txt "dns.txt" [] Text, "The strings of texts.";
    SrvPriority "dns.srv.priority" [] Unsigned, "Priorities of servers; the lowest is tried first (RFC 2782).";
    SrvWeight "dns.srv.weight" [] Unsigned, "Shares of servers of one priority.";
    SrvPort "dns.srv.port" [] Unsigned, "Ports of servers.";
    SrvTarget "dns.srv.target" [] Text, "Names of servers.";
    EdnsSize "dns.rr.udp_payload_size" [] Unsigned, "Bytes of the largest datagram that the sender takes (RFC 6891).";
    EdnsRcode "dns.resp.ext_rcode" [] Unsigned, "The upper bits of how it went (RFC 6891).";
    EdnsVersion "dns.resp.edns0_version" [] Unsigned, "Version of the extension (RFC 6891).";
    EdnsFlags "dns.resp.z" [] Unsigned, "The flag word of the extension (RFC 6891).";
    EdnsDo "dns.resp.z.do" [] Bool, "Whether records of DNSSEC are wanted (RFC 3225).";
    OptCode "dns.opt.code" [] Unsigned, "Options of the extension.";
    OptLen "dns.opt.len" [] Unsigned, "Bytes of the options.";
    DsKeyId "dns.ds.key_id" [] Unsigned, "Tags of the keys that records of delegation stand for (RFC 4034).";
    DsAlgorithm "dns.ds.algorithm" [] Unsigned, "Algorithms of those keys.";
    DsDigestType "dns.ds.digest_type" [] Unsigned, "Kinds of the digests of those keys.";
    KeyFlags "dns.dnskey.flags" [] Unsigned, "Flag words of keys (RFC 4034).";
    KeyProtocol "dns.dnskey.protocol" [] Unsigned, "Protocols of keys: 3.";
    KeyAlgorithm "dns.dnskey.algorithm" [] Unsigned, "Algorithms of keys.";
    SigType "dns.rrsig.type_covered" [] Unsigned, "Types of the records that signatures are of (RFC 4034).";
    SigAlgorithm "dns.rrsig.algorithm" [] Unsigned, "Algorithms of signatures.";
    SigKeyTag "dns.rrsig.key_tag" [] Unsigned, "Tags of the keys of signatures.";
    SigSigner "dns.rrsig.signers_name" [] Text, "Names of the zones that signed.";
    SvcPriority "dns.svcb.svcpriority" [] Unsigned, "Priorities of ways to a service; 0 is another name (RFC 9460).";
    SvcTarget "dns.svcb.targetname" [] Text, "Names of ways to a service.";
    SvcKey "dns.svcb.svcparam.key" [] Unsigned, "Parameters of ways to a service.";
    SvcAlpn "dns.svcb.svcparam.alpn" [] Text, "Protocols that a service speaks.";
    SvcPort "dns.svcb.svcparam.port" [] Unsigned, "Ports of a service.";
    SvcIpv4 "dns.svcb.svcparam.ipv4hint.ip" [] Address, "IPv4 addresses of a service.";
    SvcIpv6 "dns.svcb.svcparam.ipv6hint.ip" [] Address, "IPv6 addresses of a service.";
    CaaFlags "dns.caa.flags" [] Unsigned, "Flags of who may certify a name (RFC 8659).";
    CaaTag "dns.caa.tag" [] Text, "What is said of who may certify a name.";
    CaaValue "dns.caa.value" [] Text, "Who may certify a name.";
}

firsts! {
    "dns.query" QryName Text, "The first name asked for.";
    "dns.type" QryType Named(&TYPES), "The type of the first question.";
    "dns.rcode" Rcode Named(&RCODES), "In an answer: how it went.";
}

/// A message, and where it was sent.
#[derive(Clone, Copy)]
struct Message<'a> {
    bytes: &'a [u8],
    is_multicast: bool,
    dead: &'a Dead,
}

fn walk(payload: &Payload<'_>, found: &mut Found<'_>) -> Option<()> {
    if !has_port(payload, &[PORT, MDNS_PORT, LLMNR_PORT]) {
        return None;
    }
    let kinds = [payload.has_port(MDNS_PORT), payload.has_port(LLMNR_PORT)];
    if !payload.is_tcp() {
        return message(payload.bytes, kinds, found);
    }
    let mut segment = Cursor::new(payload.bytes);
    while !segment.is_empty() {
        let length = segment.u16()?;
        let bytes = segment.take(length.into())?;
        if bytes.len() >= HEADER_LEN {
            found.number(Id::Length, length);
            message(bytes, kinds, found);
        }
    }
    Some(())
}

fn message(
    bytes: &[u8],
    [is_multicast, is_link_local]: [bool; 2],
    found: &mut Found<'_>,
) -> Option<()> {
    let message = Message {
        bytes,
        is_multicast,
        dead: &Dead::none(),
    };
    let mut header = Cursor::new(bytes);
    found.number(Id::Id, header.u16()?);
    let flags = header.u16()?;
    header_flags(flags, is_link_local, found);
    let counts = [header.u16()?, header.u16()?, header.u16()?, header.u16()?];
    if flags >> 11 & 15 != UPDATE {
        found.number(Id::Queries, counts[0]);
        found.number(Id::Answers, counts[1]);
        found.number(Id::Authorities, counts[2]);
        found.number(Id::Additional, counts[3]);
    }
    // The fields of the header need no look at what is behind it, those of questions none at records.
    if !found.wants_from(Id::Answer) {
        return Some(());
    }
    let mut at = HEADER_LEN;
    for _ in 0..counts[0] {
        at = question(message, at, found)?;
    }
    if !found.wants_from(Id::RespName) && !found.wants(Id::Answer) {
        return Some(());
    }
    for (section, count) in counts[1..].iter().enumerate() {
        for _ in 0..*count {
            at = rdata::record(message, at, section == 0, found)?;
        }
    }
    Some(())
}

/// LLMNR has other bits where DNS says who asks whom (RFC 4795, 2.1.1).
fn header_flags(flags: u16, is_link_local: bool, found: &mut Found<'_>) {
    let bit = |bit: u16| flags & bit != 0;
    let is_response = bit(0x8000);
    found.number(Id::Flags, flags);
    found.number(Id::Response, is_response);
    found.number(Id::Opcode, flags >> 11 & 15);
    found.number(Id::Truncated, bit(0x200));
    if is_response {
        found.number(Id::Rcode, flags & 15);
    }
    if is_link_local {
        return;
    }
    found.number(Id::RecursionDesired, bit(0x100));
    found.number(Id::CheckingDisabled, bit(0x10));
    found.number(Id::Z, bit(0x40));
    if is_response || bit(0x20) {
        found.number(Id::Authenticated, bit(0x20));
    }
    if is_response {
        found.number(Id::Authoritative, bit(0x400));
        found.number(Id::RecursionAvailable, bit(0x80));
    }
}

/// A question at `at`; where what follows it begins.
fn question(message: Message<'_>, at: usize, found: &mut Found<'_>) -> Option<usize> {
    let Message {
        bytes,
        is_multicast,
        dead,
    } = message;
    let end = name_end(bytes, at)?;
    let mut rest = Cursor::new(bytes.get(end..)?);
    found.made(Id::QryName, |out| write_name_unless(bytes, at, dead, out));
    if found.wants(Id::QryNameLen) {
        let mut name = Vec::new();
        write_name(bytes, at, &mut name)?;
        found.number(Id::QryNameLen, name.len() as u64);
    }
    if found.wants(Id::QryLabels) {
        // The root counts as one, as in Wireshark.
        found.number(Id::QryLabels, label_count(bytes, at).max(1));
    }
    let qtype = rest.u16()?;
    found.number(Id::QryType, qtype);
    let class = rest.u16()?;
    if is_multicast {
        found.number(Id::QryClass, class & CLASS);
        found.number(Id::QryUnicast, class > CLASS);
    } else {
        found.number(Id::QryClass, class);
    }
    Some(end + 4)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hex, tcp, udp};

    /// A question for example.com and its answer: an alias and its address, a mail exchange, and
    /// the record of extensions.
    fn answer() -> Vec<u8> {
        let mut message = hex("1234 8580 0001 0003 0000 0001");
        message.extend(b"\x03www\x07example\x03com\x00");
        message.extend(hex("0001 0001"));
        message.extend(hex("c00c 0005 0001 0000003c 0004 01 61 c010"));
        message.extend(hex("c02d 0001 0001 0000003c 0004 c0000201"));
        message.extend(hex("c010 000f 0001 0000003c 0009 000a 04 6d61696c c010"));
        message.extend(hex("00 0029 04d0 00 00 8000 0000"));
        message
    }

    const EXPECTED: &[(&str, &str)] = &[
        ("dns.id", "4660"),
        ("dns.flags.response", "true"),
        ("dns.flags.authoritative", "true"),
        ("dns.flags.truncated", "false"),
        ("dns.rcode", "noerror"),
        ("dns.count.answers", "3"),
        ("dns.query", "www.example.com"),
        ("dns.type", "A"),
        ("dns.qry.name.len", "15"),
        ("dns.count.labels", "3"),
        (
            "dns.resp.name",
            "www.example.com,a.example.com,example.com,<Root>",
        ),
        ("dns.resp.type", "CNAME,A,MX,OPT"),
        ("dns.resp.ttl", "60,60,60"),
        ("dns.cname", "a.example.com"),
        ("dns.a", "192.0.2.1"),
        ("dns.mx.mail_exchange", "mail.example.com"),
        ("dns.answer", "a.example.com,192.0.2.1,mail.example.com"),
        ("dns.rr.udp_payload_size", "1232"),
        ("dns.resp.z.do", "true"),
    ];

    #[test]
    fn an_answer() {
        let message = answer();
        for (name, value) in EXPECTED {
            assert_eq!(
                udp([53, 4000], &message, name).as_deref(),
                Some(*value),
                "{name}"
            );
        }
        assert_eq!(udp([54, 4000], &message, "dns.id"), None);
    }

    #[test]
    fn messages_over_tcp_are_whole() {
        let message = answer();
        let mut segment = (message.len() as u16).to_be_bytes().to_vec();
        segment.extend(&message);
        let both = [segment.clone(), segment.clone()].concat();
        assert_eq!(
            tcp([4000, 53], &both, "dns.id").as_deref(),
            Some("4660,4660")
        );
        let cut = &both[..both.len() - 1];
        assert_eq!(tcp([4000, 53], cut, "dns.id").as_deref(), Some("4660"));
        assert_eq!(tcp([4000, 53], &segment[1..], "dns.id"), None);
    }

    #[test]
    fn a_cut_answer_has_what_comes_before_the_cut() {
        let message = answer();
        for (name, value) in EXPECTED {
            let mut before = None;
            for end in 0..=message.len() {
                let found = udp([53, 4000], &message[..end], name);
                // What was there stays, and lists grow at their end.
                if let Some(before) = &before {
                    assert!(
                        found.as_ref().is_some_and(|f| f.starts_with(before)),
                        "{name} at {end}"
                    );
                }
                before = found;
            }
            assert_eq!(before.as_deref(), Some(*value), "{name}");
        }
    }

    #[test]
    fn multicast_questions_have_a_bit_of_their_own() {
        let mut message = hex("0000 0000 0001 0000 0000 0000 01 61 00 000c 8001");
        assert_eq!(
            udp([5353, 5353], &message, "dns.qry.class").as_deref(),
            Some("1")
        );
        assert_eq!(
            udp([5353, 5353], &message, "dns.qry.qu").as_deref(),
            Some("true")
        );
        assert_eq!(
            udp([5355, 5355], &message, "dns.qry.class").as_deref(),
            Some("32769")
        );
        message[2] = 0x28;
        assert_eq!(udp([53, 53], &message, "dns.count.queries"), None);
        assert_eq!(
            udp([53, 53], &message, "dns.flags.opcode").as_deref(),
            Some("update")
        );
    }
}
