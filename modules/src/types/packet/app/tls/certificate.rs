//! Certificates (RFC 5280), as far as they name somebody: their parts are
//! read in order.

use super::super::cursor::Cursor;
use super::super::der::{self, element, expect};
use super::super::found::Found;
use super::Id;

mod tag {
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

fn certificate(bytes: &[u8], found: &mut Found<'_>) -> Option<()> {
    let mut outer = expect(&mut Cursor::new(bytes), der::SEQUENCE)?;
    let mut parts = expect(&mut outer, der::SEQUENCE)?;
    let (mut tag, mut part) = element(&mut parts)?;
    if tag == tag::VERSION {
        (tag, part) = element(&mut parts)?;
    }
    if tag != der::INTEGER {
        return None;
    }
    found.bytes(Id::SerialNumber, part.bytes);
    let _algorithm = expect(&mut parts, der::SEQUENCE)?;
    name(expect(&mut parts, der::SEQUENCE)?, Id::IssuerName, found);
    let _validity = expect(&mut parts, der::SEQUENCE)?;
    name(expect(&mut parts, der::SEQUENCE)?, Id::CommonName, found);
    let _key = expect(&mut parts, der::SEQUENCE)?;
    while !parts.is_empty() {
        let (tag, mut content) = element(&mut parts)?;
        if tag == tag::EXTENSIONS {
            extensions(expect(&mut content, der::SEQUENCE)?, found);
        }
    }
    Some(())
}

/// A name: sets of a type and a text each.
fn name(mut sets: Cursor<'_>, common: Id, found: &mut Found<'_>) -> Option<()> {
    while !sets.is_empty() {
        let mut set = expect(&mut sets, der::SET)?;
        while !set.is_empty() {
            let mut pair = expect(&mut set, der::SEQUENCE)?;
            let (_, kind) = element(&mut pair)?;
            let (tag, text) = element(&mut pair)?;
            match tag {
                _ if kind.bytes == COUNTRY_NAME => found.bytes(Id::CountryName, text.bytes),
                der::UTF8 => found.bytes(Id::Utf8Name, text.bytes),
                der::PRINTABLE => found.bytes(Id::PrintableName, text.bytes),
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
        let mut extension = expect(&mut list, der::SEQUENCE)?;
        let (_, kind) = element(&mut extension)?;
        if kind.bytes != SUBJECT_ALTERNATIVE_NAME {
            continue;
        }
        // Whether it is critical may stand before the content.
        let mut content = Cursor::new(&[]);
        while !extension.is_empty() {
            (_, content) = element(&mut extension)?;
        }
        let mut names = expect(&mut content, der::SEQUENCE)?;
        while !names.is_empty() {
            match element(&mut names)? {
                (tag::DNS_NAME, name) => found.bytes(Id::DnsName, name.bytes),
                (tag::IP_ADDRESS, mut address) if address.bytes.len() == 4 => {
                    found.v4(Id::IpName, address.array()?);
                }
                (tag::IP_ADDRESS, mut address) if address.bytes.len() == 16 => {
                    found.v6(Id::Ip6Name, address.array()?);
                }
                _ => {}
            }
        }
    }
    Some(())
}
