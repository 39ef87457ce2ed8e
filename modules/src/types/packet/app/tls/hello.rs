//! The hellos of client and server (RFC 8446, 4.1.2 and 4.1.3).

use super::super::cursor::Cursor;
use super::super::found::Found;
use super::{Id, extensions};

/// A hello that is whole.
pub(super) struct Hello<'a> {
    pub version: u16,
    /// Two bytes each; in a server's hello there is one.
    pub ciphers: &'a [u8],
    pub extensions: Cursor<'a>,
}

impl<'a> Hello<'a> {
    pub fn parse(is_client: bool, mut body: Cursor<'a>) -> Option<Hello<'a>> {
        let version = body.u16()?;
        body.take(RANDOM_LEN)?;
        let session_id_len = body.u8()?;
        body.take(session_id_len.into())?;
        let ciphers_len = if is_client { body.u16()? } else { 2 };
        let ciphers = body.take(ciphers_len.into())?;
        let compressions_len = if is_client { body.u8()? } else { 1 };
        body.take(compressions_len.into())?;
        let extensions_len = if body.is_empty() { 0 } else { body.u16()? };
        let extensions = Cursor::new(body.take(extensions_len.into())?);
        Some(Hello {
            version,
            ciphers,
            extensions,
        })
    }
}

const RANDOM_LEN: usize = 32;

/// Says what of a hello is there.
pub(super) fn walk(is_client: bool, mut body: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    found.number(Id::Version, body.u16()?);
    found.bytes(Id::Random, body.take(RANDOM_LEN)?);
    let session_id_len = body.u8()?;
    found.number(Id::SessionIdLength, session_id_len);
    let session_id = body.take(session_id_len.into())?;
    if !session_id.is_empty() {
        found.bytes(Id::SessionId, session_id);
    }
    if is_client {
        let len = body.u16()?;
        found.number(Id::CiphersLength, len);
        let mut ciphers = body.within(len.into());
        while !ciphers.is_empty() {
            found.number(Id::Cipher, ciphers.u16()?);
        }
        let len = body.u8()?;
        found.number(Id::CompressionsLength, len);
        let mut compressions = body.within(len.into());
        while !compressions.is_empty() {
            found.number(Id::Compression, compressions.u8()?);
        }
    } else {
        found.number(Id::Cipher, body.u16()?);
        found.number(Id::Compression, body.u8()?);
    }
    if body.is_empty() {
        return Some(());
    }
    let len = body.u16()?;
    found.number(Id::ExtensionsLength, len);
    extensions::walk(is_client, body.within(len.into()), found)
}
