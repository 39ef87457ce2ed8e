//! What is known of exporters, written and read back.

use super::decoder::Decoder;
use super::held::HeldSet;
use super::sequence::Sequence;
use super::template::{DOMAINS_MAX, DomainKey};
use crate::types::netflow::{Field, Header};
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::Address;

impl Decoder {
    pub(super) fn save(&self, out: &mut Writer) {
        let counts = self.faults.counts();
        out.number(counts.len() as u64);
        counts.iter().for_each(|count| out.number(*count));
        out.number(self.domains.len() as u64);
        for (key, domain) in self.domains.each() {
            save_key(key, out);
            save_optional(domain.sequence.expected.map(u64::from), out);
            out.number(domain.sequence.missed);
            out.number(domain.heard.into());
            save_optional(domain.boot.map(|time| time as u64), out);
            let mut templates: Vec<_> = domain.templates.iter().collect();
            templates.sort_by_key(|(number, _)| **number);
            out.number(templates.len() as u64);
            for (number, template) in templates {
                out.number(u64::from(*number) << 1 | u64::from(template.options));
                out.number(template.fields.len() as u64);
                for field in &template.fields {
                    out.number(field.key);
                    out.number(field.len.into());
                }
            }
        }
        out.number(self.held.count());
        for HeldSet {
            place,
            header,
            block,
        } in self.held.each()
        {
            let (key, number) = place;
            save_key(key, out);
            out.number(u64::from(*number));
            save_header(header, out);
            out.bytes(&block.0);
        }
    }

    pub(super) fn load(&mut self, from: &mut Reader<'_>) -> Result<(), Error> {
        let counts = (0..from.number()?.min(64)).map(|_| from.number());
        let counts: Vec<u64> = counts.collect::<Result<_, _>>()?;
        self.faults.add_all(&counts);
        for _ in 0..from.number()?.min(DOMAINS_MAX as u64) {
            let key = load_key(from)?;
            let expected = load_optional(from)?.map(narrow).transpose()?;
            let (missed, heard) = (from.number()?, from.number()? == 1);
            let boot = load_optional(from)?.map(|time| time as i64);
            for _ in 0..from.number()? {
                let head = from.number()?;
                let number = narrow(head >> 1)?;
                let mut fields = Vec::new();
                for _ in 0..from.number()? {
                    fields.push(Field {
                        key: from.number()?,
                        len: narrow(from.number()?)?,
                    });
                }
                let options = head & 1 == 1;
                // What was counted then is counted already.
                let mut counted = self.faults.clone();
                self.domains
                    .define(key, number, &fields, options, &mut counted);
            }
            let domain = self.domains.get(key, &mut self.faults);
            domain.sequence = Sequence { expected, missed };
            (domain.boot, domain.heard) = (boot, heard);
        }
        for _ in 0..from.number()? {
            let place = (load_key(from)?, narrow(from.number()?)?);
            let header = load_header(from)?;
            self.held
                .add(place, header, from.bytes()?, &mut self.faults);
        }
        Ok(())
    }
}

fn narrow<T: TryFrom<u64>>(number: u64) -> Result<T, Error> {
    let fault = || Error::Snapshot("netflow: a number is too large".into());
    T::try_from(number).map_err(|_| fault())
}

fn save_optional(number: Option<u64>, out: &mut Writer) {
    out.number(number.is_some().into());
    out.number(number.unwrap_or(0));
}

fn load_optional(from: &mut Reader<'_>) -> Result<Option<u64>, Error> {
    let (has, number) = (from.number()?, from.number()?);
    Ok((has == 1).then_some(number))
}

fn save_address(address: Option<Address>, out: &mut Writer) {
    let bits = address.map_or(0, |address| address.bits);
    out.number(address.map_or(0, |address| 1 + u64::from(address.v6)));
    out.number((bits >> 64) as u64);
    out.number(bits as u64);
}

fn load_address(from: &mut Reader<'_>) -> Result<Option<Address>, Error> {
    let (kind, high, low) = (from.number()?, from.number()?, from.number()?);
    Ok((kind > 0).then_some(Address {
        v6: kind == 2,
        bits: u128::from(high) << 64 | u128::from(low),
    }))
}

fn save_key(key: &DomainKey, out: &mut Writer) {
    save_address(key.router, out);
    save_address(key.agent, out);
    out.number(u64::from(key.version) << 32 | u64::from(key.number));
}

fn load_key(from: &mut Reader<'_>) -> Result<DomainKey, Error> {
    let (router, agent, number) = (load_address(from)?, load_address(from)?, from.number()?);
    Ok(DomainKey {
        router,
        agent,
        version: narrow(number >> 32)?,
        number: number as u32,
    })
}

fn save_header(header: &Header, out: &mut Writer) {
    out.number(header.version.into());
    save_optional(header.exported.map(|time| time as u64), out);
    save_optional(header.received.map(|time| time as u64), out);
    save_optional(header.uptime.map(u64::from), out);
    save_address(header.router, out);
    save_optional(header.domain.map(u64::from), out);
    save_optional(header.sequence.map(u64::from), out);
}

fn load_header(from: &mut Reader<'_>) -> Result<Header, Error> {
    Ok(Header {
        version: narrow(from.number()?)?,
        exported: load_optional(from)?.map(|time| time as i64),
        received: load_optional(from)?.map(|time| time as i64),
        uptime: load_optional(from)?.map(narrow).transpose()?,
        router: load_address(from)?,
        domain: load_optional(from)?.map(narrow).transpose()?,
        sequence: load_optional(from)?.map(narrow).transpose()?,
        ..Header::default()
    })
}
