//! Certificates (RFC 5280), as far as they name somebody: a reader of DER (ITU-T X.690) that goes
//! through the parts in their order.

use super::super::cursor::Cursor;
use super::super::found::Found;
use super::Id;

mod tag {
    pub const INTEGER: u8 = 0x02;
    pub const UTF8: u8 = 0x0c;
    pub const PRINTABLE: u8 = 0x13;
    pub const SEQUENCE: u8 = 0x30;
    pub const SET: u8 = 0x31;
    /// Tagged 0: the version.
    pub const VERSION: u8 = 0xa0;
    /// Tagged 3: the extensions.
    pub const EXTENSIONS: u8 = 0xa3;
    /// Tagged 2 in a list of names: a host.
    pub const DNS_NAME: u8 = 0x82;
    /// Tagged 7 in a list of names: an address.
    pub const IP_ADDRESS: u8 = 0x87;
}

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const COUNTRY_NAME: &[u8] = &[0x55, 4, 6];
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// The message of certificates, as it was before TLS 1.3, which encrypts it.
pub(super) fn walk(mut body: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    let len = body.u24()?;
    found.number(Id::CertificatesLength, len);
    let mut list = body.within(len as usize);
    while !list.is_empty() {
        let len = list.u24()?;
        found.number(Id::CertificateLength, len);
        certificate(list.take(len as usize)?, found);
    }
    Some(())
}

/// Tag and content of the next element.
fn element<'a>(der: &mut Cursor<'a>) -> Option<(u8, Cursor<'a>)> {
    let tag = der.u8()?;
    let first = der.u8()?;
    let len = match first {
        0..=0x7f => usize::from(first),
        0x81 => der.u8()?.into(),
        0x82 => der.u16()?.into(),
        0x83 => der.u24()? as usize,
        _ => return None,
    };
    Some((tag, Cursor::new(der.take(len)?)))
}

/// The content of the next element, which has this tag.
fn expect<'a>(der: &mut Cursor<'a>, wanted: u8) -> Option<Cursor<'a>> {
    let (tag, content) = element(der)?;
    (tag == wanted).then_some(content)
}

fn certificate(bytes: &[u8], found: &mut Found<'_>) -> Option<()> {
    let mut outer = expect(&mut Cursor::new(bytes), tag::SEQUENCE)?;
    let mut parts = expect(&mut outer, tag::SEQUENCE)?;
    let (mut tag, mut part) = element(&mut parts)?;
    if tag == tag::VERSION {
        (tag, part) = element(&mut parts)?;
    }
    if tag != tag::INTEGER {
        return None;
    }
    found.bytes(Id::SerialNumber, part.bytes);
    let _algorithm = expect(&mut parts, tag::SEQUENCE)?;
    name(expect(&mut parts, tag::SEQUENCE)?, Id::IssuerName, found);
    let _validity = expect(&mut parts, tag::SEQUENCE)?;
    name(expect(&mut parts, tag::SEQUENCE)?, Id::CommonName, found);
    let _key = expect(&mut parts, tag::SEQUENCE)?;
    while !parts.is_empty() {
        let (tag, mut content) = element(&mut parts)?;
        if tag == tag::EXTENSIONS {
            extensions(expect(&mut content, tag::SEQUENCE)?, found);
        }
    }
    Some(())
}

/// A name: sets of a type and a text each.
fn name(mut sets: Cursor<'_>, common: Id, found: &mut Found<'_>) -> Option<()> {
    while !sets.is_empty() {
        let mut set = expect(&mut sets, tag::SET)?;
        while !set.is_empty() {
            let mut pair = expect(&mut set, tag::SEQUENCE)?;
            let (_, kind) = element(&mut pair)?;
            let (tag, text) = element(&mut pair)?;
            match tag {
                _ if kind.bytes == COUNTRY_NAME => found.bytes(Id::CountryName, text.bytes),
                tag::UTF8 => found.bytes(Id::Utf8Name, text.bytes),
                tag::PRINTABLE => found.bytes(Id::PrintableName, text.bytes),
                _ => {}
            }
            if kind.bytes == COMMON_NAME {
                found.bytes(common, text.bytes);
            }
        }
    }
    Some(())
}

fn extensions(mut list: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    while !list.is_empty() {
        let mut extension = expect(&mut list, tag::SEQUENCE)?;
        let (_, kind) = element(&mut extension)?;
        if kind.bytes != SUBJECT_ALTERNATIVE_NAME {
            continue;
        }
        // Whether it is critical may stand before the content.
        let mut content = Cursor::new(&[]);
        while !extension.is_empty() {
            (_, content) = element(&mut extension)?;
        }
        let mut names = expect(&mut content, tag::SEQUENCE)?;
        while !names.is_empty() {
            match element(&mut names)? {
                (tag::DNS_NAME, name) => found.bytes(Id::DnsName, name.bytes),
                (tag::IP_ADDRESS, mut address) if address.bytes.len() == 4 => {
                    found.v4(Id::IpName, address.array()?);
                }
                _ => {}
            }
        }
    }
    Some(())
}
