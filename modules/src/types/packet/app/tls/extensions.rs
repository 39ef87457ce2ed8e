//! Extensions of hellos (IANA, TLS ExtensionType Values).

use super::super::cursor::Cursor;
use super::super::found::Found;
use super::Id;

pub(super) const SERVER_NAME: u16 = 0;
pub(super) const SUPPORTED_GROUPS: u16 = 10;
pub(super) const POINT_FORMATS: u16 = 11;
pub(super) const SIGNATURES: u16 = 13;
pub(super) const ALPN: u16 = 16;
pub(super) const SUPPORTED_VERSIONS: u16 = 43;
/// Signatures of credentials that a certificate's owner passed on (RFC 9345).
const DELEGATED: u16 = 34;
const PSK_MODES: u16 = 45;
const KEY_SHARE: u16 = 51;
/// The same in drafts before the 23rd.
const KEY_SHARE_OF_DRAFTS: u16 = 40;

/// The extensions that are there, by type and content; of the last maybe a part.
pub(super) struct Extensions<'a>(pub Cursor<'a>);

impl<'a> Iterator for Extensions<'a> {
    type Item = (u16, u16, Cursor<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, len) = (self.0.u16()?, self.0.u16()?);
        Some((kind, len, self.0.within(len.into())))
    }
}

pub(super) fn walk(is_client: bool, list: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    for (kind, len, content) in Extensions(list) {
        found.number(Id::ExtensionType, kind);
        found.number(Id::ExtensionLength, len);
        extension(is_client, kind, content, found);
    }
    Some(())
}

fn extension(
    is_client: bool,
    kind: u16,
    mut content: Cursor<'_>,
    found: &mut Found<'_>,
) -> Option<()> {
    match kind {
        SERVER_NAME => server_names(content, found)?,
        ALPN => {
            let len = content.u16()?;
            found.number(Id::AlpnLength, len);
            let mut names = content.within(len.into());
            while !names.is_empty() {
                let len = names.u8()?;
                found.number(Id::AlpnNameLength, len);
                found.bytes(Id::Alpn, names.take(len.into())?);
            }
        }
        SUPPORTED_GROUPS => numbers(Id::Group, content, found)?,
        SIGNATURES | DELEGATED => numbers(Id::Signature, content, found)?,
        POINT_FORMATS => bytes(Id::PointFormat, content, found)?,
        PSK_MODES => bytes(Id::KeyExchangeMode, content, found)?,
        SUPPORTED_VERSIONS if is_client => {
            let len = content.u8()?;
            let mut versions = content.within(len.into());
            while !versions.is_empty() {
                found.number(Id::SupportedVersion, versions.u16()?);
            }
        }
        SUPPORTED_VERSIONS => found.number(Id::SupportedVersion, content.u16()?),
        KEY_SHARE | KEY_SHARE_OF_DRAFTS => key_shares(is_client, content, found)?,
        _ => {}
    }
    Some(())
}

fn server_names(mut content: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    if content.is_empty() {
        return None;
    }
    let len = content.u16()?;
    found.number(Id::ServerNameListLength, len);
    let mut names = content.within(len.into());
    while !names.is_empty() {
        found.number(Id::ServerNameType, names.u8()?);
        let len = names.u16()?;
        found.number(Id::ServerNameLength, len);
        found.bytes(Id::ServerName, names.take(len.into())?);
    }
    Some(())
}

/// A list of numbers of two bytes, with its length before it.
pub(super) fn numbers(id: Id, mut content: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    let len = content.u16()?;
    let mut list = content.within(len.into());
    while !list.is_empty() {
        found.number(id, list.u16()?);
    }
    Some(())
}

/// A list of bytes, with its length before it.
fn bytes(id: Id, mut content: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    let len = content.u8()?;
    let mut list = content.within(len.into());
    while !list.is_empty() {
        found.number(id, list.u8()?);
    }
    Some(())
}

/// A client offers keys, a server gives one, or names the group that it wants one of.
fn key_shares(is_client: bool, mut content: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    let mut shares = content;
    if is_client {
        let len = content.u16()?;
        shares = content.within(len.into());
    } else if content.bytes.len() == 2 {
        found.number(Id::SelectedGroup, content.u16()?);
        return Some(());
    }
    while !shares.is_empty() {
        found.number(Id::KeyShareGroup, shares.u16()?);
        let len = shares.u16()?;
        shares.take(len.into())?;
    }
    Some(())
}
