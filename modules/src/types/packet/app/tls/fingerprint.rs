//! Fingerprints of hellos: JA3 and JA3S (<https://github.com/salesforce/ja3>) and JA4
//! (<https://github.com/FoxIO-LLC/ja4>, technical_details/JA4.md). GREASE (RFC 8701) is left out.

use super::super::cursor::Cursor;
use super::super::found::Found;
use super::Id;
use super::extensions::{
    ALPN, Extensions, POINT_FORMATS, SERVER_NAME, SIGNATURES, SUPPORTED_GROUPS, SUPPORTED_VERSIONS,
};
use super::hello::Hello;
use md5::{Digest, Md5};
use sha2::Sha256;
use std::fmt::Write;

pub(super) fn walk(
    is_client: bool,
    body: Cursor<'_>,
    is_quic: bool,
    found: &mut Found<'_>,
) -> Option<()> {
    let ids = if is_client {
        [Id::Ja3, Id::Ja3Full, Id::Ja4, Id::Ja4Raw].as_slice()
    } else {
        &[Id::Ja3s, Id::Ja3sFull]
    };
    let id = *ids.iter().find(|id| found.wants(**id))?;
    let hello = Hello::parse(is_client, body)?;
    let text = match id {
        Id::Ja3 => md5_hex(&ja3(&hello)?),
        Id::Ja3Full => ja3(&hello)?,
        Id::Ja3s => md5_hex(&ja3s(&hello)?),
        Id::Ja3sFull => ja3s(&hello)?,
        _ => ja4(&hello, is_quic, id == Id::Ja4Raw)?,
    };
    found.made(id, |out| {
        out.extend_from_slice(text.as_bytes());
        Some(())
    });
    Some(())
}

/// Values that are sent so that nobody comes to rely on there being no others.
fn is_grease(number: u16) -> bool {
    number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
}

/// The numbers of two bytes in a list, without GREASE.
fn numbers(list: &[u8]) -> impl Iterator<Item = u16> {
    let pairs = list.chunks_exact(2);
    pairs
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .filter(|number| !is_grease(*number))
}

/// The types of extensions without GREASE; none where they are not all there.
fn extension_types(hello: &Hello<'_>) -> Option<Vec<u16>> {
    let mut types = Vec::new();
    let mut read = 0;
    for (kind, len, _) in Extensions(hello.extensions) {
        read += 4 + usize::from(len);
        if !is_grease(kind) {
            types.push(kind);
        }
    }
    (read == hello.extensions.bytes.len()).then_some(types)
}

fn content<'a>(hello: &Hello<'a>, wanted: u16) -> Option<Cursor<'a>> {
    Extensions(hello.extensions).find_map(|(kind, _, content)| (kind == wanted).then_some(content))
}

/// The list in an extension that begins with the list's length in two bytes.
fn list<'a>(hello: &Hello<'a>, wanted: u16) -> &'a [u8] {
    let list = content(hello, wanted).and_then(|mut content| {
        let len = content.u16()?;
        Some(content.within(len.into()).bytes)
    });
    list.unwrap_or_default()
}

fn join<T: ToString>(numbers: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = numbers.into_iter().map(|n| n.to_string()).collect();
    texts.join("-")
}

fn ja3(hello: &Hello<'_>) -> Option<String> {
    let formats = content(hello, POINT_FORMATS).and_then(|mut content| {
        let len = content.u8()?;
        Some(content.within(len.into()).bytes)
    });
    Some(format!(
        "{},{},{},{},{}",
        hello.version,
        join(numbers(hello.ciphers)),
        join(extension_types(hello)?),
        join(numbers(list(hello, SUPPORTED_GROUPS))),
        join(formats.unwrap_or_default()),
    ))
}

fn ja3s(hello: &Hello<'_>) -> Option<String> {
    Some(format!(
        "{},{},{}",
        hello.version,
        join(numbers(hello.ciphers)),
        join(extension_types(hello)?),
    ))
}

fn ja4(hello: &Hello<'_>, is_quic: bool, is_raw: bool) -> Option<String> {
    let mut ciphers: Vec<u16> = numbers(hello.ciphers).collect();
    let mut types = extension_types(hello)?;
    let destination = if types.contains(&SERVER_NAME) {
        'd'
    } else {
        'i'
    };
    let mut text = format!(
        "{}{}{destination}{:02}{:02}",
        if is_quic { 'q' } else { 't' },
        ja4_version(hello),
        ciphers.len().min(99),
        types.len().min(99),
    );
    ja4_alpn(hello, &mut text);
    ciphers.sort_unstable();
    types.retain(|kind| ![SERVER_NAME, ALPN].contains(kind));
    types.sort_unstable();
    let ciphers = hex_list(ciphers);
    let mut rest = hex_list(types);
    let signatures = hex_list(numbers(list(hello, SIGNATURES)));
    if !rest.is_empty() && !signatures.is_empty() {
        rest = format!("{rest}_{signatures}");
    }
    for part in [ciphers, rest] {
        text.push('_');
        text.push_str(&if is_raw { part } else { sha256_start(&part) });
    }
    Some(text)
}

fn ja4_version(hello: &Hello<'_>) -> &'static str {
    let offered = content(hello, SUPPORTED_VERSIONS).and_then(|mut content| {
        let len = content.u8()?;
        numbers(content.within(len.into()).bytes).max()
    });
    match offered.unwrap_or(hello.version) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    }
}

/// First and last character of the first application protocol, or those of its bytes in hex.
fn ja4_alpn(hello: &Hello<'_>, text: &mut String) {
    let mut names = Cursor::new(list(hello, ALPN));
    let name = names
        .u8()
        .map_or(&[][..], |len| names.within(len.into()).bytes);
    let (Some(first), Some(last)) = (name.first(), name.last()) else {
        text.push_str("00");
        return;
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        text.extend([char::from(*first), char::from(*last)]);
    } else {
        // Writing to a text does not fail.
        _ = write!(text, "{:x}{:x}", first >> 4, last & 15);
    }
}

fn hex_list(numbers: impl IntoIterator<Item = u16>) -> String {
    let texts: Vec<String> = numbers.into_iter().map(|n| format!("{n:04x}")).collect();
    texts.join(",")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn md5_hex(text: &str) -> String {
    hex(&Md5::digest(text))
}

/// The first twelve digits of a digest; zeros for an empty list.
fn sha256_start(text: &str) -> String {
    if text.is_empty() {
        return "0".repeat(12);
    }
    hex(&Sha256::digest(text)[..6])
}
