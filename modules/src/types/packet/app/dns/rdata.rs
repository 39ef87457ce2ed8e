//! Resource records, and the data of their types.

use super::super::cursor::Cursor;
use super::super::found::Found;
use super::name::{Dead, name_end, write_name_unless};
use super::{CLASS, Id, Message};
use std::net::{Ipv4Addr, Ipv6Addr};

mod types {
    pub const A: u16 = 1;
    pub const NS: u16 = 2;
    pub const CNAME: u16 = 5;
    pub const SOA: u16 = 6;
    pub const PTR: u16 = 12;
    pub const MX: u16 = 15;
    pub const TXT: u16 = 16;
    pub const AAAA: u16 = 28;
    pub const SRV: u16 = 33;
    pub const OPT: u16 = 41;
    pub const DS: u16 = 43;
    pub const RRSIG: u16 = 46;
    pub const DNSKEY: u16 = 48;
    pub const SVCB: u16 = 64;
    pub const HTTPS: u16 = 65;
    pub const CAA: u16 = 257;
}

/// The data of a record: a place in a message, since names in it may point anywhere.
struct Data<'a> {
    message: &'a [u8],
    dead: &'a Dead,
    at: usize,
    end: usize,
    is_answer: bool,
}

/// A record at `at`; where what follows it begins.
pub(super) fn record(
    message: Message<'_>,
    at: usize,
    is_answer: bool,
    found: &mut Found<'_>,
) -> Option<usize> {
    let bytes = message.bytes;
    let about = name_end(bytes, at)?;
    let start = about.checked_add(10)?;
    let mut rest = Cursor::new(bytes.get(about..start)?);
    let (rtype, class, ttl, len) = (rest.u16()?, rest.u16()?, rest.u32()?, rest.u16()?);
    let end = start + usize::from(len);
    // A record of which only a part is there is none.
    (end <= bytes.len()).then_some(())?;
    found.made(Id::RespName, |out| {
        write_name_unless(bytes, at, message.dead, out)
    });
    found.number(Id::RespType, rtype);
    found.number(Id::RespLen, len);
    if message.is_multicast {
        found.number(Id::CacheFlush, class > CLASS);
    }
    let class = if message.is_multicast {
        class & CLASS
    } else {
        class
    };
    if rtype == types::OPT {
        extension(class, ttl, found);
    } else {
        found.number(Id::RespClass, class);
        found.number(Id::RespTtl, ttl);
    }
    let data = Data {
        message: bytes,
        dead: message.dead,
        at: start,
        end,
        is_answer,
    };
    data.walk(rtype, found);
    Some(end)
}

/// What the class and the time to live are in the record of extensions (RFC 6891, 6.1.3).
fn extension(class: u16, ttl: u32, found: &mut Found<'_>) {
    let [rcode, version, flags @ ..] = ttl.to_be_bytes();
    let flags = u16::from_be_bytes(flags);
    found.number(Id::EdnsSize, class);
    found.number(Id::EdnsRcode, rcode);
    found.number(Id::EdnsVersion, version);
    found.number(Id::EdnsFlags, flags);
    found.number(Id::EdnsDo, flags & 0x8000 != 0);
}

impl<'a> Data<'a> {
    fn cursor(&self) -> Cursor<'a> {
        Cursor::new(self.message.get(self.at..self.end).unwrap_or_default())
    }

    fn walk(mut self, rtype: u16, found: &mut Found<'_>) -> Option<()> {
        match rtype {
            types::A => {
                let octets = self.cursor().array()?;
                found.v4(Id::A, octets);
                if self.is_answer {
                    found.shown(Id::Answer, Ipv4Addr::from(octets));
                }
            }
            types::AAAA => {
                let octets = self.cursor().array()?;
                found.v6(Id::Aaaa, octets);
                if self.is_answer {
                    found.shown(Id::Answer, Ipv6Addr::from(octets));
                }
            }
            types::NS => self.target(Id::Ns, found)?,
            types::CNAME => self.target(Id::Cname, found)?,
            types::PTR => self.target(Id::Ptr, found)?,
            types::MX => {
                found.number(Id::MxPreference, self.u16()?);
                self.target(Id::Mx, found)?;
            }
            types::SRV => {
                found.number(Id::SrvPriority, self.u16()?);
                found.number(Id::SrvWeight, self.u16()?);
                found.number(Id::SrvPort, self.u16()?);
                self.target(Id::SrvTarget, found)?;
            }
            types::TXT => self.texts(found)?,
            types::SOA => self.authority(found)?,
            types::OPT => options(self.cursor(), found)?,
            types::DS => {
                let mut data = self.cursor();
                found.number(Id::DsKeyId, data.u16()?);
                found.number(Id::DsAlgorithm, data.u8()?);
                found.number(Id::DsDigestType, data.u8()?);
            }
            types::DNSKEY => {
                let mut data = self.cursor();
                found.number(Id::KeyFlags, data.u16()?);
                found.number(Id::KeyProtocol, data.u8()?);
                found.number(Id::KeyAlgorithm, data.u8()?);
            }
            types::RRSIG => self.signature(found)?,
            types::SVCB | types::HTTPS => self.service(found)?,
            types::CAA => authority_of_certificates(self.cursor(), found)?,
            _ => {}
        }
        Some(())
    }

    fn u16(&mut self) -> Option<u16> {
        let number = self.cursor().u16()?;
        self.at += 2;
        Some(number)
    }

    fn write_name(&self, at: usize, out: &mut Vec<u8>) -> Option<()> {
        write_name_unless(self.message, at, self.dead, out)
    }

    /// A name that must begin in the data.
    fn name(&mut self, id: Id, found: &mut Found<'_>) -> Option<usize> {
        let start = self.at;
        let end = name_end(self.message, start)?;
        (end <= self.end).then_some(())?;
        found.made(id, |out| self.write_name(start, out));
        self.at = end;
        Some(start)
    }

    /// The name that an answer gives.
    fn target(&mut self, id: Id, found: &mut Found<'_>) -> Option<()> {
        let start = self.name(id, found)?;
        if self.is_answer {
            found.made(Id::Answer, |out| self.write_name(start, out));
        }
        Some(())
    }

    fn texts(&self, found: &mut Found<'_>) -> Option<()> {
        let mut data = self.cursor();
        while !data.is_empty() {
            let len = data.u8()?;
            found.number(Id::TxtLength, len);
            let text = data.take(len.into())?;
            found.bytes(Id::Txt, text);
            if self.is_answer {
                found.bytes(Id::Answer, text);
            }
        }
        Some(())
    }

    fn authority(&mut self, found: &mut Found<'_>) -> Option<()> {
        self.name(Id::SoaMname, found)?;
        self.name(Id::SoaRname, found)?;
        let mut data = self.cursor();
        for id in [
            Id::SoaSerial,
            Id::SoaRefresh,
            Id::SoaRetry,
            Id::SoaExpire,
            Id::SoaMinimum,
        ] {
            found.number(id, data.u32()?);
        }
        Some(())
    }

    fn signature(&mut self, found: &mut Found<'_>) -> Option<()> {
        let mut data = self.cursor();
        found.number(Id::SigType, data.u16()?);
        found.number(Id::SigAlgorithm, data.u8()?);
        // Labels, time to live, and the times of its end and beginning.
        data.take(13)?;
        found.number(Id::SigKeyTag, data.u16()?);
        self.at += 18;
        self.name(Id::SigSigner, found)?;
        Some(())
    }

    /// A way to a service (RFC 9460, 2.2).
    fn service(&mut self, found: &mut Found<'_>) -> Option<()> {
        found.number(Id::SvcPriority, self.u16()?);
        self.name(Id::SvcTarget, found)?;
        let mut data = self.cursor();
        while !data.is_empty() {
            let key = data.u16()?;
            found.number(Id::SvcKey, key);
            let len = data.u16()?;
            service_parameter(key, Cursor::new(data.take(len.into())?), found);
        }
        Some(())
    }
}

fn service_parameter(key: u16, mut value: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    const ALPN: u16 = 1;
    const PORT: u16 = 3;
    const IPV4_HINT: u16 = 4;
    const IPV6_HINT: u16 = 6;
    match key {
        PORT => found.number(Id::SvcPort, value.u16()?),
        ALPN => {
            while !value.is_empty() {
                let len = value.u8()?;
                found.bytes(Id::SvcAlpn, value.take(len.into())?);
            }
        }
        IPV4_HINT => {
            while !value.is_empty() {
                found.v4(Id::SvcIpv4, value.array()?);
            }
        }
        IPV6_HINT => {
            while !value.is_empty() {
                found.v6(Id::SvcIpv6, value.array()?);
            }
        }
        _ => {}
    }
    Some(())
}

fn options(mut data: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    while !data.is_empty() {
        found.number(Id::OptCode, data.u16()?);
        let len = data.u16()?;
        found.number(Id::OptLen, len);
        data.take(len.into())?;
    }
    Some(())
}

fn authority_of_certificates(mut data: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    found.number(Id::CaaFlags, data.u8()?);
    let len = data.u8()?;
    found.bytes(Id::CaaTag, data.take(len.into())?);
    found.bytes(Id::CaaValue, data.bytes);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::super::cursor::LOOKED_AT;
    use super::super::super::tests::{hex, udp};

    /// Where names in the data of records point to no name, that is found out once: not 250 bytes are
    /// looked at again for every 13.
    #[test]
    fn dead_pointers_in_data_are_not_followed_again() {
        let mut message = hex("1234 8400 0001 ffff 0000 0000");
        message.extend([&[63][..], &[b'a'; 63]].concat().repeat(3));
        message.extend(hex("c00c 0001 0001"));
        for record in [
            "00 0002 0001 00000000 0002 c00c",
            "00 000f 0001 00000000 0004 0001 c00c",
        ] {
            let message = [&message[..], &hex(record).repeat(3_000)].concat();
            for name in ["dns.ns", "dns.mx.mail_exchange", "dns.answer"] {
                LOOKED_AT.set(0);
                assert_eq!(udp([53, 4000], &message, name), None, "{name}");
                let looked_at = LOOKED_AT.get();
                assert!(looked_at > message.len() / 2, "{name}: {looked_at}");
                assert!(looked_at < 4 * message.len(), "{name}: {looked_at}");
            }
        }
    }
}
