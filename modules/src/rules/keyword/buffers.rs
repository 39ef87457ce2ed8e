//! Keywords about what streams and application protocols carry, which packets alone don't show.

use super::Read::{Buffer, InBuffer, OfBuffer, Payload, Refused};
use super::{Keyword, content};

const PROTOCOL: &str = "needs the fields of an application protocol";
const FILES: &str = "is about files";

pub(super) static KEYWORDS: &[Keyword] = &[
    Keyword {
        name: "pkt_data",
        read: Payload,
    },
    Keyword {
        name: "http_client_body",
        read: OfBuffer,
    },
    Keyword {
        name: "http_cookie",
        read: OfBuffer,
    },
    Keyword {
        name: "http_header",
        read: OfBuffer,
    },
    Keyword {
        name: "http_host",
        read: OfBuffer,
    },
    Keyword {
        name: "http_method",
        read: OfBuffer,
    },
    Keyword {
        name: "http_raw_header",
        read: OfBuffer,
    },
    Keyword {
        name: "http_raw_host",
        read: OfBuffer,
    },
    Keyword {
        name: "http_raw_uri",
        read: OfBuffer,
    },
    Keyword {
        name: "http_server_body",
        read: OfBuffer,
    },
    Keyword {
        name: "http_stat_code",
        read: OfBuffer,
    },
    Keyword {
        name: "http_stat_msg",
        read: OfBuffer,
    },
    Keyword {
        name: "http_uri",
        read: OfBuffer,
    },
    Keyword {
        name: "http_user_agent",
        read: OfBuffer,
    },
    Keyword {
        name: "base64_data",
        read: Buffer,
    },
    Keyword {
        name: "cip_service",
        read: Buffer,
    },
    Keyword {
        name: "dce_stub_data",
        read: Buffer,
    },
    Keyword {
        name: "dnp3_data",
        read: Buffer,
    },
    Keyword {
        name: "dns_query",
        read: Buffer,
    },
    Keyword {
        name: "file_data",
        read: Buffer,
    },
    Keyword {
        name: "http_accept",
        read: Buffer,
    },
    Keyword {
        name: "http_accept_enc",
        read: Buffer,
    },
    Keyword {
        name: "http_accept_lang",
        read: Buffer,
    },
    Keyword {
        name: "http_connection",
        read: Buffer,
    },
    Keyword {
        name: "http_content_len",
        read: Buffer,
    },
    Keyword {
        name: "http_content_type",
        read: Buffer,
    },
    Keyword {
        name: "http_header_names",
        read: Buffer,
    },
    Keyword {
        name: "http_protocol",
        read: Buffer,
    },
    Keyword {
        name: "http_referer",
        read: Buffer,
    },
    Keyword {
        name: "http_request_line",
        read: Buffer,
    },
    Keyword {
        name: "http_response_line",
        read: Buffer,
    },
    Keyword {
        name: "http_start",
        read: Buffer,
    },
    Keyword {
        name: "ja3_hash",
        read: Buffer,
    },
    Keyword {
        name: "ja3_string",
        read: Buffer,
    },
    Keyword {
        name: "ssh_proto",
        read: Buffer,
    },
    Keyword {
        name: "ssh_software",
        read: Buffer,
    },
    Keyword {
        name: "tls_cert_fingerprint",
        read: Buffer,
    },
    Keyword {
        name: "tls_cert_issuer",
        read: Buffer,
    },
    Keyword {
        name: "tls_cert_serial",
        read: Buffer,
    },
    Keyword {
        name: "tls_cert_subject",
        read: Buffer,
    },
    Keyword {
        name: "tls_sni",
        read: Buffer,
    },
    Keyword {
        name: "app-layer-event",
        read: Refused(PROTOCOL),
    },
    Keyword {
        name: "app-layer-protocol",
        read: Refused(PROTOCOL),
    },
    Keyword {
        name: "asn1",
        read: Refused(PROTOCOL),
    },
    Keyword {
        name: "base64_decode",
        read: Refused(PROTOCOL),
    },
    Keyword {
        name: "bsize",
        read: Refused(PROTOCOL),
    },
    Keyword {
        name: "dce_iface",
        read: Refused(PROTOCOL),
    },
    Keyword {
        name: "dce_opnum",
        read: Refused(PROTOCOL),
    },
    Keyword {
        name: "dotprefix",
        read: Refused(PROTOCOL),
    },
    Keyword {
        name: "ftpbounce",
        read: Refused(PROTOCOL),
    },
    Keyword {
        name: "icmp.hdr",
        read: Refused(PROTOCOL),
    },
    Keyword {
        name: "lua",
        read: Refused("is a program"),
    },
    Keyword {
        name: "luajit",
        read: Refused("is a program"),
    },
    Keyword {
        name: "strip_whitespace",
        read: Refused(PROTOCOL),
    },
    Keyword {
        name: "to_lowercase",
        read: Refused(PROTOCOL),
    },
    Keyword {
        name: "to_sha256",
        read: Refused(PROTOCOL),
    },
    Keyword {
        name: "url_decode",
        read: Refused(PROTOCOL),
    },
    Keyword {
        name: "uricontent",
        read: InBuffer(content::read),
    },
    Keyword {
        name: "urilen",
        read: Refused(PROTOCOL),
    },
    Keyword {
        name: "dataset",
        read: Refused("is about a list in a file"),
    },
    Keyword {
        name: "decode-event",
        read: Refused("is about faults of packets"),
    },
    Keyword {
        name: "stream-event",
        read: Refused("is about faults of streams"),
    },
    Keyword {
        name: "fileext",
        read: Refused(FILES),
    },
    Keyword {
        name: "filemagic",
        read: Refused(FILES),
    },
    Keyword {
        name: "filemd5",
        read: Refused(FILES),
    },
    Keyword {
        name: "filename",
        read: Refused(FILES),
    },
    Keyword {
        name: "filesize",
        read: Refused(FILES),
    },
    Keyword {
        name: "filestore",
        read: Refused(FILES),
    },
    Keyword {
        name: "geoip",
        read: Refused("asks where an address is"),
    },
    Keyword {
        name: "iprep",
        read: Refused("asks what an address is known for"),
    },
    Keyword {
        name: "logto",
        read: Refused("is about where to write"),
    },
    Keyword {
        name: "replace",
        read: Refused("changes packets"),
    },
];

/// Whether a keyword has the form of those that name a field of a protocol: `http.uri`.
pub(super) fn is_buffer(name: &str) -> bool {
    const PROTOCOLS: &[&str] = &[
        "dcerpc",
        "dhcp",
        "dns",
        "file",
        "ftp",
        "ftpdata",
        "http",
        "http2",
        "ike",
        "ja3",
        "ja3s",
        "ja4",
        "krb5",
        "mqtt",
        "nfs",
        "pgsql",
        "quic",
        "rfb",
        "sip",
        "smb",
        "smtp",
        "snmp",
        "ssh",
        "tls",
        "websocket",
    ];
    name.split_once('.')
        .is_some_and(|(protocol, field)| !field.is_empty() && PROTOCOLS.contains(&protocol))
}
