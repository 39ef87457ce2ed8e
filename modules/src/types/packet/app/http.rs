//! HTTP/1 (RFC 9112) over TCP, at any port, and SSDP, which has its messages, over UDP.
//!
//! A payload is taken for HTTP where it begins with a request line or a status line. Lines are read
//! that are whole in the packet; a message that follows another is read where the first one says
//! where it ends.

use super::cursor::Cursor;
use super::found::Found;
use super::{Payload, fields, firsts};
use memchr::memchr;
use wireq_typesys::Kind::{Bool, Text, Unsigned};

const SSDP_PORT: u16 = 1900;

fields! { walk, "http", "RFC 9110, RFC 9112";
    Request "http.request" [] Bool, "Whether it is a request.";
    Response "http.response" [] Bool, "Whether it is a response.";
    Method "http.request.method" [] Text, "What a request asks for: GET.";
    Uri "http.request.uri" [] Text, "Whom a request asks, as sent.";
    UriPath "http.request.uri.path" [] Text, "That without what follows a question mark, where something does.";
    UriQuery "http.request.uri.query" [] Text, "What follows the question mark.";
    RequestVersion "http.request.version" [] Text, "Version of a request: HTTP/1.1.";
    FullUri "http.request.full_uri" [] Text, "The whole URI: of scheme, host and what the request asks.";
    ResponseVersion "http.response.version" [] Text, "Version of a response: HTTP/1.1.";
    Status "http.response.code" [] Unsigned, "How it went: 200.";
    Phrase "http.response.phrase" [] Text, "How it went, in words.";
    RequestLine "http.request.line" [] Text, "The lines of a request's header, with their ends.";
    ResponseLine "http.response.line" [] Text, "The lines of a response's header, with their ends.";
    Host "http.host" [] Text, "The host that a request is for.";
    UserAgent "http.user_agent" [] Text, "The program that asks.";
    Referer "http.referer" [] Text, "Where the client found the URI.";
    Accept "http.accept" [] Text, "Types of content that are welcome.";
    AcceptEncoding "http.accept_encoding" [] Text, "Encodings that are welcome.";
    AcceptLanguage "http.accept_language" [] Text, "Languages that are welcome.";
    Authorization "http.authorization" [] Text, "Who asks, as said to the server.";
    ProxyAuthorization "http.proxy_authorization" [] Text, "Who asks, as said to the proxy.";
    WwwAuthenticate "http.www_authenticate" [] Text, "How the server wants to be told who asks.";
    ProxyAuthenticate "http.proxy_authenticate" [] Text, "How the proxy wants to be told who asks.";
    CacheControl "http.cache_control" [] Text, "What may be kept, and how long.";
    Connection "http.connection" [] Text, "What is to become of the connection.";
    ContentType "http.content_type" [] Text, "Type of the content.";
    ContentLength "http.content_length" [] Unsigned, "Bytes of the content, as said.";
    ContentLengthText "http.content_length_header" [] Text, "Bytes of the content, as written.";
    ContentEncoding "http.content_encoding" [] Text, "Encoding of the content.";
    TransferEncoding "http.transfer_encoding" [] Text, "Encoding for the way.";
    Cookie "http.cookie" [] Text, "Cookies of the client.";
    CookiePair "http.cookie_pair" [] Text, "Those, one by one.";
    SetCookie "http.set_cookie" [] Text, "Cookies that the client shall keep.";
    Date "http.date" [] Text, "When the message was made.";
    LastModified "http.last_modified" [] Text, "When the content was last changed.";
    Location "http.location" [] Text, "Where to ask instead.";
    Server "http.server" [] Text, "The program that answers.";
    Upgrade "http.upgrade" [] Text, "Protocols to change to.";
    ForwardedFor "http.x_forwarded_for" [] Text, "Whom a proxy asks for.";
}

firsts! {
    "http.method" Method Text, "What the first request of a packet asks for: GET.";
    "http.uri" Uri Text, "Whom it asks, as sent.";
    "http.url" FullUri Text, "The same with scheme and host.";
    "http.status" Status Unsigned, "How it went, of the first response: 200.";
    "http.agent" UserAgent Text, "The program that asks.";
}

/// The names of header fields that have one of their own here, in lower case.
const NAMES: &[(&[u8], Id)] = &[
    (b"accept", Id::Accept),
    (b"accept-encoding", Id::AcceptEncoding),
    (b"accept-language", Id::AcceptLanguage),
    (b"authorization", Id::Authorization),
    (b"cache-control", Id::CacheControl),
    (b"connection", Id::Connection),
    (b"content-encoding", Id::ContentEncoding),
    (b"content-length", Id::ContentLengthText),
    (b"content-type", Id::ContentType),
    (b"cookie", Id::Cookie),
    (b"date", Id::Date),
    (b"host", Id::Host),
    (b"last-modified", Id::LastModified),
    (b"location", Id::Location),
    (b"proxy-authenticate", Id::ProxyAuthenticate),
    (b"proxy-authorization", Id::ProxyAuthorization),
    (b"referer", Id::Referer),
    (b"server", Id::Server),
    (b"set-cookie", Id::SetCookie),
    (b"transfer-encoding", Id::TransferEncoding),
    (b"upgrade", Id::Upgrade),
    (b"user-agent", Id::UserAgent),
    (b"www-authenticate", Id::WwwAuthenticate),
    (b"x-forwarded-for", Id::ForwardedFor),
];

/// The longest method that is taken for one: those registered with IANA have up to 17 letters.
const METHOD_LEN_MAX: usize = 20;

fn walk(payload: &Payload<'_>, found: &mut Found<'_>) -> Option<()> {
    if !payload.is_tcp() && !payload.has_port(SSDP_PORT) {
        return None;
    }
    let mut rest = Cursor::new(payload.bytes);
    while !rest.is_empty() {
        message(&mut rest, found)?;
    }
    Some(())
}

/// What a message's header says of what follows it.
#[derive(Default)]
struct Body<'a> {
    length: Option<u64>,
    is_chunked: bool,
    host: Option<&'a [u8]>,
}

/// Reads a message; none where it is not known where it ends.
fn message(rest: &mut Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    let first = Start::parse(rest.bytes)?;
    first.say(found);
    rest.line()?;
    let mut body = Body::default();
    let is_whole = header(rest, first.is_request(), &mut body, found);
    if let (Start::Request { uri, .. }, Some(host)) = (&first, body.host) {
        full_uri(uri, host, found);
    }
    is_whole?;
    match body {
        _ if first.has_no_body() => Some(()),
        Body {
            is_chunked: true, ..
        } => chunks(rest),
        Body {
            length: Some(length),
            ..
        } => rest.take(usize::try_from(length).ok()?).map(|_| ()),
        _ => first.is_request().then_some(()),
    }
}

/// The first line of a message.
enum Start<'a> {
    Request {
        method: &'a [u8],
        uri: &'a [u8],
        version: &'a [u8],
    },
    Response {
        version: &'a [u8],
        status: u16,
        phrase: &'a [u8],
    },
}

impl<'a> Start<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Start<'a>> {
        // What begins neither with a version nor with a method is told quickly.
        let is_response = bytes.starts_with(b"HTTP/");
        if !is_response {
            let head = &bytes[..bytes.len().min(METHOD_LEN_MAX + 1)];
            let end = memchr(b' ', head)?;
            let is_method = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_');
            if end < 3 || !head[..end].iter().all(is_method) {
                return None;
            }
        }
        let line = Cursor::new(bytes).line()?;
        let space = memchr(b' ', line)?;
        let (first, rest) = (&line[..space], &line[space + 1..]);
        if !is_response {
            let space = rest.iter().rposition(|byte| *byte == b' ')?;
            let (uri, version) = (&rest[..space], &rest[space + 1..]);
            return is_version(version).then_some(Start::Request {
                method: first,
                uri,
                version,
            });
        }
        let digits = rest.get(..3)?;
        let status = digits.iter().try_fold(0, |number, digit| {
            let is_digit = digit.is_ascii_digit();
            is_digit.then(|| number * 10 + u16::from(digit - b'0'))
        })?;
        (is_version(first) && matches!(rest.get(3), None | Some(b' '))).then_some(())?;
        Some(Start::Response {
            version: first,
            status,
            phrase: rest.get(4..).unwrap_or_default(),
        })
    }

    fn is_request(&self) -> bool {
        matches!(self, Start::Request { .. })
    }

    /// Whether nothing follows the header, whatever that says (RFC 9112, 6.3).
    fn has_no_body(&self) -> bool {
        matches!(
            self,
            Start::Response {
                status: 100..200 | 204 | 304,
                ..
            }
        )
    }

    fn say(&self, found: &mut Found<'_>) {
        match self {
            Start::Request {
                method,
                uri,
                version,
            } => {
                found.number(Id::Request, true);
                found.bytes(Id::Method, method);
                found.bytes(Id::Uri, uri);
                found.bytes(Id::RequestVersion, version);
                if let Some(mark) = memchr(b'?', uri) {
                    found.bytes(Id::UriPath, &uri[..mark]);
                    found.bytes(Id::UriQuery, &uri[mark + 1..]);
                }
            }
            Start::Response {
                version,
                status,
                phrase,
            } => {
                found.number(Id::Response, true);
                found.bytes(Id::ResponseVersion, version);
                found.number(Id::Status, *status);
                found.bytes(Id::Phrase, phrase);
            }
        }
    }
}

/// `HTTP/` and two digits. HTTP/2 begins with a request that only looks like one.
fn is_version(text: &[u8]) -> bool {
    matches!(text, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
        if matches!(major, b'0' | b'1') && minor.is_ascii_digit())
}

/// The lines up to the empty one; none where that is not there.
fn header<'a>(
    rest: &mut Cursor<'a>,
    is_request: bool,
    body: &mut Body<'a>,
    found: &mut Found<'_>,
) -> Option<()> {
    let lines = if is_request {
        Id::RequestLine
    } else {
        Id::ResponseLine
    };
    loop {
        let before = rest.bytes;
        let line = rest.line()?;
        if line.is_empty() {
            return Some(());
        }
        // What is no header field ends what is known to be one.
        let colon = memchr(b':', line).filter(|_| memchr(b'\r', line).is_none())?;
        found.bytes(lines, &before[..before.len() - rest.bytes.len()]);
        header_field(&line[..colon], line[colon + 1..].trim_ascii(), body, found);
    }
}

fn header_field<'a>(name: &[u8], value: &'a [u8], body: &mut Body<'a>, found: &mut Found<'_>) {
    let Some((_, id)) = NAMES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
    else {
        return;
    };
    found.bytes(*id, value);
    match id {
        Id::Host => body.host = Some(value),
        Id::TransferEncoding => {
            let mut parts = value.windows(7);
            body.is_chunked = parts.any(|part| part.eq_ignore_ascii_case(b"chunked"));
        }
        Id::ContentLengthText => {
            let digits = std::str::from_utf8(value).ok();
            body.length = digits.and_then(|digits| digits.parse().ok());
            if let Some(length) = body.length {
                found.number(Id::ContentLength, length);
            }
        }
        Id::Cookie => {
            for pair in value.split(|byte| *byte == b';') {
                found.bytes(Id::CookiePair, pair.trim_ascii());
            }
        }
        _ => {}
    }
}

/// What stands in the request, where that is a whole URI, or that at the host.
fn full_uri(uri: &[u8], host: &[u8], found: &mut Found<'_>) {
    found.made(Id::FullUri, |out| {
        if matches!(uri.first(), Some(b'/' | b'*')) {
            out.extend_from_slice(b"http://");
            out.extend_from_slice(host);
        }
        out.extend_from_slice(uri);
        Some(())
    });
}

/// Goes to the end of a body in chunks (RFC 9112, 7.1); none where that is not there.
fn chunks(rest: &mut Cursor<'_>) -> Option<()> {
    loop {
        let size = rest.line()?;
        let size = size.split(|byte| *byte == b';').next()?.trim_ascii();
        let size = usize::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        if size == 0 {
            while !rest.line()?.is_empty() {}
            return Some(());
        }
        rest.take(size)?;
        rest.line()?;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{tcp, udp};

    const REQUEST: &str = "GET /a/b?c=d HTTP/1.1\r\nHost: example.com\r\nUSER-AGENT:  curl/8 \r\n\
        Cookie: a=1; b=2\r\n\r\n";
    const RESPONSE: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nServer: x\r\n\r\nhello";

    fn check(text: &str, expected: &[(&str, Option<&str>)]) {
        for (name, value) in expected {
            let found = tcp([50_000, 8000], text.as_bytes(), name);
            assert_eq!(found.as_deref(), *value, "{name} of {text:?}");
        }
    }

    #[test]
    fn a_request() {
        check(
            REQUEST,
            &[
                ("http.request", Some("true")),
                ("http.response", None),
                ("http.method", Some("GET")),
                ("http.request.uri", Some("/a/b?c=d")),
                ("http.request.uri.path", Some("/a/b")),
                ("http.request.uri.query", Some("c=d")),
                ("http.request.version", Some("HTTP/1.1")),
                ("http.url", Some("http://example.com/a/b?c=d")),
                ("http.host", Some("example.com")),
                ("http.agent", Some("curl/8")),
                ("http.cookie", Some("a=1; b=2")),
                ("http.cookie_pair", Some("a=1,b=2")),
                ("http.content_length", None),
            ],
        );
    }

    #[test]
    fn messages_that_follow_one_another() {
        let two = format!("{RESPONSE}HTTP/1.0 200 OK\r\n\r\nrest");
        check(
            &two,
            &[
                ("http.response.code", Some("404,200")),
                ("http.status", Some("404")),
            ],
        );
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n";
        check(
            &format!("{chunked}{RESPONSE}"),
            &[("http.response.code", Some("200,404"))],
        );
        check(
            &format!("{REQUEST}{REQUEST}"),
            &[
                ("http.method", Some("GET")),
                ("http.host", Some("example.com,example.com")),
            ],
        );
        // The body of the first may hold anything.
        let body = format!("HTTP/1.1 200 OK\r\n\r\n{RESPONSE}");
        check(&body, &[("http.response.code", Some("200"))]);
    }

    #[test]
    fn lines_that_are_cut_are_absent() {
        let cut = &REQUEST[..REQUEST.len() - 8];
        check(
            cut,
            &[("http.host", Some("example.com")), ("http.cookie", None)],
        );
        check("GET /a", &[("http.request.method", None)]);
        check("HTTP/1.1 200", &[("http.response.code", None)]);
    }

    #[test]
    fn what_is_no_http() {
        for text in [
            "",
            " ",
            "GET",
            "get / HTTP/1.1\r\n",
            "GET / HTTP/1\r\n",
            "PRI * HTTP/2.0\r\n",
            "HTTP/1.1 2x0 OK\r\n",
            "HTTP/1.1 2000 OK\r\n",
            "\r\n\r\n",
        ] {
            check(text, &[("http.request", None), ("http.response", None)]);
        }
        assert_eq!(udp([1, 2], REQUEST.as_bytes(), "http.host"), None);
        assert_eq!(
            udp([1, 1900], REQUEST.as_bytes(), "http.host").as_deref(),
            Some("example.com")
        );
    }
}
