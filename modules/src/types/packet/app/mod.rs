//! What the payload of ONE packet says of its application, without what came before it.
//!
//! To add a protocol: one file with its `fields!`, its walk and tests, and one entry in
//! [`PROTOCOLS`]. A walk reads forward, checks every length, stops where the bytes do, and names
//! what it finds; a field that a packet has not got, or only part of, is absent.

mod cursor;
mod der;
mod dhcp;
mod dns;
mod found;
mod http;
mod mqtt;
mod ntp;
mod quic;
mod sip;
mod smb;
mod snmp;
mod ssh;
#[cfg(test)]
mod tests;
mod tls;

use super::header::Payload;
use super::layers::Protocol;
use super::values::First;

/// The applications, in the order in which their fields are listed.
pub(super) static PROTOCOLS: &[&Protocol] = &[
    &dns::PROTOCOL,
    &tls::PROTOCOL,
    &http::PROTOCOL,
    &dhcp::PROTOCOL,
    &ntp::PROTOCOL,
    &ssh::PROTOCOL,
    &quic::PROTOCOL,
    &sip::PROTOCOL,
    &mqtt::PROTOCOL,
    &smb::PROTOCOL,
    &snmp::PROTOCOL,
];

/// Short names for the first values of the fields that are asked for most.
pub(super) static FIRSTS: &[&[First]] = &[
    dns::FIRSTS,
    tls::FIRSTS,
    http::FIRSTS,
    dhcp::FIRSTS,
    ssh::FIRSTS,
    sip::FIRSTS,
];

/// Declares the fields of a protocol, and their numbers `Id`: a line each, of number, name, other
/// names, kind of the values in the list, and meaning.
macro_rules! fields {
    ($walk:path, $protocol:literal, $source:literal;
     $($id:ident $name:literal [$($alias:literal),*] $kind:expr, $summary:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(clippy::enum_variant_names, reason = "named after the fields")]
        enum Id { $($id),* }

        impl From<Id> for u16 {
            fn from(id: Id) -> u16 {
                id as u16
            }
        }

        pub(super) static PROTOCOL: crate::types::packet::layers::Protocol =
            crate::types::packet::layers::Protocol {
                name: $protocol,
                source: $source,
                found: &[],
                carries: None,
                fields: &[$(crate::types::packet::values::Listed {
                    name: $name,
                    aliases: &[$($alias),*],
                    kind: wireq_typesys::Kind::List(&$kind),
                    summary: $summary,
                    source: None,
                    get: crate::types::packet::values::Get::Payload(|payload, values| {
                        let found = &mut super::found::Found::new(Id::$id as u16, payload, values);
                        // What was found before the walk ended stands, wherever that was.
                        let _: Option<()> = $walk(payload, found);
                    }),
                }),*],
            };
    };
}
use fields;

/// Declares short names for the first values of fields: name, field, meaning.
macro_rules! firsts {
    ($($name:literal $id:ident $kind:expr, $summary:literal;)*) => {
        pub(super) static FIRSTS: &[crate::types::packet::values::First] = &[
            $(crate::types::packet::values::First {
                def: wireq_typesys::FieldDef {
                    name: $name,
                    aliases: &[],
                    kind: $kind,
                    summary: $summary,
                    source: PROTOCOL.source,
                },
                of: &PROTOCOL.fields[Id::$id as usize],
            }),*
        ];
    };
}
use firsts;

/// Whether one of the ports is one of these.
fn has_port(payload: &Payload<'_>, ports: &[u16]) -> bool {
    ports.contains(&payload.srcport) || ports.contains(&payload.dstport)
}
