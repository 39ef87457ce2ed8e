//! SIP (RFC 3261) over UDP and TCP, at any port: the first line and the header of a message.

use super::cursor::Cursor;
use super::found::Found;
use super::{Payload, fields, firsts};
use memchr::memchr;
use wireq_typesys::Kind::{Text, Unsigned};

const VERSION: &[u8] = b"SIP/2.0";

fields! { walk, "sip", "RFC 3261";
    RequestLine "sip.Request-Line" [] Text, "The first line of a request.";
    Method "sip.Method" [] Text, "What a request asks for: INVITE.";
    Uri "sip.r-uri" [] Text, "Whom a request is for.";
    StatusLine "sip.Status-Line" [] Text, "The first line of a response.";
    Status "sip.Status-Code" [] Unsigned, "How it went: 200.";
    From "sip.From" [] Text, "Who began.";
    To "sip.To" [] Text, "Whom it is about.";
    CallId "sip.Call-ID" [] Text, "Number of the call.";
    Sequence "sip.CSeq" [] Text, "Number and method of the request.";
    Contact "sip.Contact" [] Text, "Where the sender can be reached.";
    UserAgent "sip.User-Agent" [] Text, "The program that sends.";
    Server "sip.Server" [] Text, "The program that answers.";
    MaxForwards "sip.Max-Forwards" [] Unsigned, "How many may pass the message on.";
    ContentType "sip.Content-Type" [] Text, "Type of the content.";
    ContentLength "sip.Content-Length" [] Unsigned, "Bytes of the content.";
}

firsts! {
    "sip.method" Method Text, "What a request asks for: INVITE.";
    "sip.status" Status Unsigned, "How it went: 200.";
}

/// Names of header fields, and their short forms (RFC 3261, 7.3.3).
const NAMES: &[(&[u8], &[u8], Id)] = &[
    (b"From", b"f", Id::From),
    (b"To", b"t", Id::To),
    (b"Call-ID", b"i", Id::CallId),
    (b"CSeq", b"", Id::Sequence),
    (b"Contact", b"m", Id::Contact),
    (b"User-Agent", b"", Id::UserAgent),
    (b"Server", b"", Id::Server),
    (b"Max-Forwards", b"", Id::MaxForwards),
    (b"Content-Type", b"c", Id::ContentType),
    (b"Content-Length", b"l", Id::ContentLength),
];

fn walk(payload: &Payload<'_>, found: &mut Found<'_>) -> Option<()> {
    let mut rest = Cursor::new(payload.bytes);
    first_line(rest.line()?, found)?;
    loop {
        let line = rest.line()?;
        if line.is_empty() {
            return Some(());
        }
        let colon = memchr(b':', line)?;
        header_field(
            line[..colon].trim_ascii(),
            line[colon + 1..].trim_ascii(),
            found,
        );
    }
}

fn first_line(line: &[u8], found: &mut Found<'_>) -> Option<()> {
    let space = memchr(b' ', line)?;
    let (first, rest) = (&line[..space], &line[space + 1..]);
    if first == VERSION {
        let digits = rest
            .get(..3)
            .filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        found.bytes(Id::StatusLine, line);
        let code = digits
            .iter()
            .fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
        found.number(Id::Status, code);
        return Some(());
    }
    let uri = rest.strip_suffix(VERSION)?.strip_suffix(b" ")?;
    let is_request = !first.is_empty() && first.iter().all(is_token) && !uri.is_empty();
    is_request.then_some(())?;
    found.bytes(Id::RequestLine, line);
    found.bytes(Id::Method, first);
    found.bytes(Id::Uri, uri);
    Some(())
}

/// Whether a method may have this byte (RFC 3261, 25.1): it may be one of the sender's own.
fn is_token(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(byte)
}

fn header_field(name: &[u8], value: &[u8], found: &mut Found<'_>) -> Option<()> {
    let is_it = |(long, short, _): &&(&[u8], &[u8], Id)| {
        long.eq_ignore_ascii_case(name) || !short.is_empty() && short.eq_ignore_ascii_case(name)
    };
    let (_, _, id) = NAMES.iter().find(is_it)?;
    match id {
        Id::MaxForwards | Id::ContentLength => {
            let digits = std::str::from_utf8(value).ok()?;
            found.number(*id, digits.parse::<u32>().ok()?);
        }
        id => found.bytes(*id, value),
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{tcp, udp};

    const INVITE: &str = "INVITE sip:b@example.com SIP/2.0\r\nf: <sip:a@example.com>;tag=1\r\nTO: b\r\n\
        Max-Forwards: 70\r\nCSeq: 1 INVITE\r\n\r\nbody: x\r\n";

    #[test]
    fn a_request_and_a_response() {
        for (name, value) in [
            ("sip.method", Some("INVITE")),
            ("sip.r-uri", Some("sip:b@example.com")),
            ("sip.From", Some("<sip:a@example.com>;tag=1")),
            ("sip.To", Some("b")),
            ("sip.Max-Forwards", Some("70")),
            ("sip.CSeq", Some("1 INVITE")),
            ("sip.Status-Code", None),
        ] {
            assert_eq!(
                udp([1, 2], INVITE.as_bytes(), name).as_deref(),
                value,
                "{name}"
            );
            assert_eq!(
                tcp([1, 2], INVITE.as_bytes(), name).as_deref(),
                value,
                "{name}"
            );
        }
        // Methods are tokens, told apart by case.
        let other = INVITE.replacen("INVITE", "Vendor.x-1", 1);
        assert_eq!(
            udp([1, 2], other.as_bytes(), "sip.method").as_deref(),
            Some("Vendor.x-1")
        );
        let response = b"SIP/2.0 404 Not Found\r\n\r\n";
        assert_eq!(udp([1, 2], response, "sip.status").as_deref(), Some("404"));
        for text in [
            "SIP/2.0 40\r\n",
            "INVITE SIP/2.0\r\n",
            "INVITE sip:x SIP/2.0",
            "GET / HTTP/1.1\r\n",
            "\r\n",
        ] {
            assert_eq!(
                udp([1, 2], text.as_bytes(), "sip.Status-Line"),
                None,
                "{text}"
            );
            assert_eq!(
                udp([1, 2], text.as_bytes(), "sip.Request-Line"),
                None,
                "{text}"
            );
        }
    }
}
