//! A server's key, as it was sent before TLS 1.3 (RFC 5246, 7.4.3; RFC 8422, 5.4).

use super::super::cursor::Cursor;
use super::super::found::Found;
use super::Id;

const NAMED_CURVE: u8 = 3;

/// Which way keys are exchanged follows from the cipher suite, which is not in this message: a way
/// is taken for granted where the lengths lead to the message's end.
pub(super) fn server(body: Cursor<'_>, is_tls_1_2: bool, found: &mut Found<'_>) -> Option<()> {
    curve(body, is_tls_1_2, found).or_else(|| numbers(body, is_tls_1_2, found))
}

fn curve(mut body: Cursor<'_>, is_tls_1_2: bool, found: &mut Found<'_>) -> Option<()> {
    let kind = body.u8()?;
    let curve = body.u16()?;
    let len = body.u8()?;
    body.take(len.into())?;
    let algorithm = signature(body, is_tls_1_2)?;
    (kind == NAMED_CURVE).then_some(())?;
    found.number(Id::CurveType, kind);
    found.number(Id::NamedCurve, curve);
    say(algorithm, found)
}

/// A prime, a generator and a public number (RFC 5246).
fn numbers(mut body: Cursor<'_>, is_tls_1_2: bool, found: &mut Found<'_>) -> Option<()> {
    for _ in 0..3 {
        let len = body.u16()?;
        body.take(len.into())?;
    }
    say(signature(body, is_tls_1_2)?, found)
}

fn say(algorithm: Option<u16>, found: &mut Found<'_>) -> Option<()> {
    if let Some(algorithm) = algorithm {
        found.number(Id::Signature, algorithm);
    }
    Some(())
}

/// The algorithm of the signature that ends the message; none where it does not end so.
#[allow(clippy::option_option, reason = "whether it ends so, and what it says")]
fn signature(mut body: Cursor<'_>, is_tls_1_2: bool) -> Option<Option<u16>> {
    let algorithm = if is_tls_1_2 { Some(body.u16()?) } else { None };
    let len = body.u16()?;
    (body.bytes.len() == usize::from(len)).then_some(algorithm)
}
