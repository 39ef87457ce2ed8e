//! Teredo (RFC 4380): IPv6 in UDP.

use super::header::Header;
use super::layers::{By, Next, Protocol};
use super::values::Get::Header as In;
use super::values::{Values, number};

const AUTHENTICATION: u16 = 1;
const ORIGIN: u16 = 0;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "teredo",
    source: "RFC 4380",
    found: &[By::UdpPort(3544)],
    carries: Some(|header| Next::behind(behind(header).0, By::Ethertype(super::ipv6::ETHERTYPE))),
    fields: &[number(
        "teredo.orig.port",
        In(port),
        "The port that a server saw.",
    )],
};

/// Where IPv6 begins, and the origin indication if there is one.
fn behind(header: &Header<'_>) -> (usize, Option<usize>) {
    let mut at = 0;
    if header.u16(0) == Some(AUTHENTICATION) {
        let [client, value] = header.array(2).map_or([0, 0], |sizes: [u8; 2]| sizes);
        at += 13 + usize::from(client) + usize::from(value);
    }
    if header.u16(at) == Some(ORIGIN) {
        return (at + 8, Some(at));
    }
    (at, None)
}

/// The port is sent with all bits changed, so that no address translation changes it.
fn port(header: &Header<'_>, values: &mut Values) {
    if let (_, Some(at)) = behind(header) {
        header
            .u16(at + 2)
            .into_iter()
            .for_each(|port| values.number(!port));
    }
}
