//! TLS (RFC 8446, RFC 5246) over TCP, at any port: what its records show before encryption. And the
//! hello of a client over QUIC, whose first packets are encrypted with keys that everybody knows.
//!
//! A segment is taken for TLS where it begins with the header of a record: type, a version 3.x and a
//! length that a record can have. Messages that continue in another segment are read as far as they
//! are in this one.

mod certificate;
mod extensions;
mod fingerprint;
mod hello;
mod keys;

use super::cursor::Cursor;
use super::found::Found;
use super::{Payload, fields, firsts, quic};
use wireq_typesys::Kind::{Address, Bytes, Text, Unsigned};

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const HEARTBEAT: u8 = 24;
/// A record has at most 2^14 bytes of text, and 2,048 more where it is encrypted (RFC 5246, 6.2.3).
const RECORD_LEN_MAX: u16 = (1 << 14) + 2048;

const HELLO_REQUEST: u8 = 0;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const NEW_SESSION_TICKET: u8 = 4;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const CERTIFICATE_VERIFY: u8 = 15;
const TLS_1_2: u16 = 0x303;
/// The types of messages that are in use (IANA, TLS HandshakeType), up to 31.
const MESSAGE_TYPES: u32 = 1 << HELLO_REQUEST
    | 1 << CLIENT_HELLO
    | 1 << SERVER_HELLO
    | 1 << 3
    | 1 << NEW_SESSION_TICKET
    | 1 << 5
    | 1 << 6
    | 1 << 8
    | 1 << CERTIFICATE
    | 0x1f << 12
    | 0x3f << 20;

fields! { walk, "tls", "RFC 8446";
    RecordType "tls.record.content_type" [] Unsigned, "Types of records: 22 is handshake, 23 is data.";
    RecordVersion "tls.record.version" [] Unsigned, "Versions that records are said to be of.";
    RecordLength "tls.record.length" [] Unsigned, "Bytes of records.";
    AlertLevel "tls.alert_message.level" [] Unsigned, "Levels of alerts: 1 warns, 2 ends the connection.";
    AlertDescription "tls.alert_message.desc" [] Unsigned, "What alerts say.";
    MessageType "tls.handshake.type" [] Unsigned, "Types of messages: 1 is the client's hello, 2 the server's.";
    MessageLength "tls.handshake.length" [] Unsigned, "Bytes of messages.";
    Version "tls.handshake.version" [] Unsigned, "Versions in hellos: 771 also where a later one is negotiated in an extension.";
    Random "tls.handshake.random" [] Bytes, "Random bytes of hellos.";
    SessionIdLength "tls.handshake.session_id_length" [] Unsigned, "Bytes of the session's number.";
    SessionId "tls.handshake.session_id" [] Bytes, "The session's number.";
    CiphersLength "tls.handshake.cipher_suites_length" [] Unsigned, "Bytes of the list of cipher suites.";
    Cipher "tls.handshake.ciphersuite" [] Unsigned, "Cipher suites that a client offers, or the one that a server chose.";
    CompressionsLength "tls.handshake.comp_methods_length" [] Unsigned, "Number of ways to compress that a client offers.";
    Compression "tls.handshake.comp_method" [] Unsigned, "Ways to compress.";
    ExtensionsLength "tls.handshake.extensions_length" [] Unsigned, "Bytes of the extensions.";
    ExtensionType "tls.handshake.extension.type" [] Unsigned, "Types of extensions.";
    ExtensionLength "tls.handshake.extension.len" [] Unsigned, "Bytes of each extension.";
    ServerNameListLength "tls.handshake.extensions_server_name_list_len" [] Unsigned, "Bytes of the list of server names (RFC 6066).";
    ServerNameType "tls.handshake.extensions_server_name_type" [] Unsigned, "Types of server names: 0 is a host (RFC 6066).";
    ServerNameLength "tls.handshake.extensions_server_name_len" [] Unsigned, "Bytes of server names (RFC 6066).";
    ServerName "tls.handshake.extensions_server_name" [] Text, "Names of the server that a client wants (RFC 6066).";
    AlpnLength "tls.handshake.extensions_alpn_len" [] Unsigned, "Bytes of the list of application protocols (RFC 7301).";
    AlpnNameLength "tls.handshake.extensions_alpn_str_len" [] Unsigned, "Bytes of the names of application protocols (RFC 7301).";
    Alpn "tls.handshake.extensions_alpn_str" [] Text, "Application protocols offered, or the one chosen (RFC 7301).";
    Group "tls.handshake.extensions_supported_group" [] Unsigned, "Groups for the exchange of keys.";
    PointFormat "tls.handshake.extensions_ec_point_format" [] Unsigned, "Formats of points on curves (RFC 8422).";
    Signature "tls.handshake.sig_hash_alg" [] Unsigned, "Signature algorithms that are accepted.";
    SupportedVersion "tls.handshake.extensions.supported_version" [] Unsigned, "Versions offered, or the one chosen.";
    KeyExchangeMode "tls.extension.psk_ke_mode" [] Unsigned, "Ways in which known keys are used.";
    KeyShareGroup "tls.handshake.extensions_key_share_group" [] Unsigned, "Groups of the keys offered, or of the one chosen.";
    SelectedGroup "tls.handshake.extensions_key_share_selected_group" [] Unsigned, "The group that a server asks a key of.";
    CurveType "tls.handshake.server_curve_type" [] Unsigned, "How a server says its curve: 3 is by name (RFC 8422).";
    NamedCurve "tls.handshake.server_named_curve" [] Unsigned, "The curve of a server's key (RFC 8422).";
    TicketLifetime "tls.handshake.session_ticket_lifetime_hint" [] Unsigned, "Seconds that a ticket may be used (RFC 5077).";
    CertificatesLength "tls.handshake.certificates_length" [] Unsigned, "Bytes of the list of certificates.";
    CertificateLength "tls.handshake.certificate_length" [] Unsigned, "Bytes of each certificate.";
    SerialNumber "x509af.serialNumber" [] Bytes, "Serial numbers of certificates that are whole in the packet (RFC 5280).";
    Utf8Name "x509sat.uTF8String" [] Text, "Parts of the names of issuers and subjects of certificates, as UTF-8 (RFC 5280).";
    PrintableName "x509sat.printableString" [] Text, "Parts of those names in plain letters (RFC 5280).";
    CountryName "x509sat.CountryName" [] Text, "Countries in those names (RFC 5280).";
    DnsName "x509ce.dNSName" [] Text, "Hosts that certificates are for (RFC 5280).";
    IpName "x509ce.IPAddress.ipv4" [] Address, "IPv4 addresses that certificates are for (RFC 5280).";
    Ip6Name "x509ce.IPAddress.ipv6" [] Address, "IPv6 addresses that certificates are for (RFC 5280).";
    CommonName "tls.certificate.subject" [] Text, "Common names of the subjects of certificates that are whole in the packet.";
    IssuerName "tls.certificate.issuer" [] Text, "Common names of their issuers.";
    Ja3 "tls.handshake.ja3" [] Text, "Fingerprint of a client: JA3.";
    Ja3Full "tls.handshake.ja3_full" [] Text, "What JA3 is the MD5 of.";
    Ja3s "tls.handshake.ja3s" [] Text, "Fingerprint of a server's answer: JA3S.";
    Ja3sFull "tls.handshake.ja3s_full" [] Text, "What JA3S is the MD5 of.";
    Ja4 "tls.handshake.ja4" [] Text, "Fingerprint of a client: JA4, as FoxIO defines it.";
    Ja4Raw "tls.handshake.ja4_r" [] Text, "What the parts of JA4 are digests of, sorted.";
}

firsts! {
    "tls.sni" ServerName Text, "The name of the server that a client wants (RFC 6066).";
    "tls.alpn" Alpn Text, "The application protocol that a client wants first, or that a server chose (RFC 7301).";
    "tls.cipher" Cipher Unsigned, "The cipher suite that a client wants first, or that a server chose.";
    "tls.ja3" Ja3 Text, "Fingerprint of a client: JA3.";
    "tls.ja3s" Ja3s Text, "Fingerprint of a server's answer: JA3S.";
    "tls.ja4" Ja4 Text, "Fingerprint of a client: JA4, as FoxIO defines it.";
}

fn walk(payload: &Payload<'_>, found: &mut Found<'_>) -> Option<()> {
    if payload.is_udp() {
        return quic::hello(payload, found, |kind, body, len, found| {
            found.number(Id::MessageType, kind);
            found.number(Id::MessageLength, len);
            message(kind, body, len as usize, Carried::Quic, found);
        });
    }
    let mut segment = Cursor::new(payload.bytes);
    let mut is_encrypted = false;
    // The begin of a message that goes on in the next record.
    let mut begun = Vec::new();
    while !segment.is_empty() {
        let record = Record::parse(&mut segment)?;
        found.number(Id::RecordType, record.kind);
        found.number(Id::RecordVersion, record.version);
        found.number(Id::RecordLength, record.length);
        match record.kind {
            CHANGE_CIPHER_SPEC => is_encrypted = true,
            ALERT if record.length == 2 => {
                let mut alert = record.content;
                found.number(Id::AlertLevel, alert.u8()?);
                found.number(Id::AlertDescription, alert.u8()?);
            }
            HANDSHAKE if begun.is_empty() && (!is_encrypted || record.is_hello()) => {
                let rest = messages(record.content, record.length.into(), record.version, found);
                if segment.bytes.first() == Some(&HANDSHAKE) {
                    begun.extend_from_slice(rest);
                }
            }
            HANDSHAKE if !is_encrypted => {
                begun.extend_from_slice(record.content.bytes);
                let whole = Cursor::new(&begun);
                let rest = messages(whole, begun.len(), record.version, found).len();
                begun.drain(..begun.len() - rest);
            }
            _ => {}
        }
    }
    Some(())
}

struct Record<'a> {
    kind: u8,
    version: u16,
    /// As the header has it.
    length: u16,
    /// What of it is in the segment.
    content: Cursor<'a>,
}

impl<'a> Record<'a> {
    /// Whether it is a client's hello and nothing else: the second one, behind the mark that clients send
    /// for the sake of what is on the way (RFC 8446, D.4), is not encrypted either.
    fn is_hello(&self) -> bool {
        let mut content = self.content;
        let is_client = content.u8() == Some(CLIENT_HELLO);
        let len = content.u24().map(|len| len + 4);
        is_client && len == Some(self.length.into())
    }

    fn parse(segment: &mut Cursor<'a>) -> Option<Record<'a>> {
        let (kind, version, length) = (segment.u8()?, segment.u16()?, segment.u16()?);
        let is_record = (CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(&kind)
            && (0x300..=0x304).contains(&version)
            && (1..=RECORD_LEN_MAX).contains(&length);
        is_record.then(|| Record {
            kind,
            version,
            length,
            content: segment.within(length.into()),
        })
    }
}

/// What carries messages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carried {
    /// Records over TCP that are said to be of a version.
    Tcp(u16),
    Quic,
}

/// The messages of a record of `length` bytes; what is left of it. What is no message that fits is
/// encrypted, or goes on in another record.
fn messages<'a>(
    mut content: Cursor<'a>,
    mut length: usize,
    version: u16,
    found: &mut Found<'_>,
) -> &'a [u8] {
    let whole = length;
    while length >= 4 {
        let mut next = content;
        let (Some(kind), Some(len)) = (next.u8(), next.u24()) else {
            break;
        };
        let rest = (length - 4).checked_sub(len as usize);
        // The nonce of an encrypted message may be zeros, which are no requests for a hello.
        let is_request = kind != HELLO_REQUEST || whole == 4;
        let is_known = kind < 32 && MESSAGE_TYPES & 1 << kind != 0 && is_request;
        let Some(rest) = rest.filter(|_| is_known) else {
            break;
        };
        length = rest;
        found.number(Id::MessageType, kind);
        found.number(Id::MessageLength, len);
        let body = next.within(len as usize);
        content = next;
        message(kind, body, len as usize, Carried::Tcp(version), found);
    }
    content.bytes
}

/// A message of `len` bytes, of which `body` are there.
fn message(
    kind: u8,
    mut body: Cursor<'_>,
    len: usize,
    carried: Carried,
    found: &mut Found<'_>,
) -> Option<()> {
    match kind {
        CLIENT_HELLO | SERVER_HELLO => {
            hello::walk(kind == CLIENT_HELLO, body, found);
            if body.bytes.len() == len {
                let is_quic = carried == Carried::Quic;
                fingerprint::walk(kind == CLIENT_HELLO, body, is_quic, found);
            }
        }
        NEW_SESSION_TICKET => found.number(Id::TicketLifetime, body.u32()?),
        CERTIFICATE => certificate::walk(body, found)?,
        SERVER_KEY_EXCHANGE => keys::server(body, carried == Carried::Tcp(TLS_1_2), found)?,
        CERTIFICATE_REQUEST if carried == Carried::Tcp(TLS_1_2) => {
            let types = body.u8()?;
            body.take(types.into())?;
            extensions::numbers(Id::Signature, body, found)?;
        }
        CERTIFICATE_VERIFY if carried == Carried::Tcp(TLS_1_2) => {
            found.number(Id::Signature, body.u16()?);
        }
        _ => {}
    }
    Some(())
}

#[cfg(test)]
mod tests;
