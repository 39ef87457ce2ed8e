//! The fields of a packet: one getter for each, straight from the bytes.
//!
//! Every getter finds its header anew. That is slow and easy to compare with the rules.

use super::capture::Frame;
use std::net::IpAddr;
use wireq_typesys::{Mac, Value};

/// The value of the field with this name or alias; none where packets have no such field.
pub fn field(frame: &Frame, name: &str) -> Option<Value> {
    let value = match name {
        "ts" | "timeseries" | "frame.time" => Some(Value::Time(frame.time)),
        "caplen" | "frame.cap_len" => unsigned(frame.bytes.len() as u64),
        "len" | "frame.len" => unsigned(frame.length),
        "packet" => Some(Value::Bytes(frame.bytes.as_slice().into())),
        "snaplen" => unsigned(frame.snaplen),
        "linktype" => unsigned(frame.linktype),
        "tsresol" => unsigned(frame.tsresol),
        "frame.number" => unsigned(frame.number),
        "dstmac" => mac(frame, 0),
        "srcmac" => mac(frame, 6),
        "ethertype" => ethertype(frame),
        "vlan" => vlan(frame),
        "srcip" => srcip(frame),
        "dstip" => dstip(frame),
        "ipprotocol" => ipprotocol(frame).and_then(unsigned),
        "ipid" => ipv4(frame).and_then(|ip| unsigned(be16(ip, 4)?)),
        "ttl" => ttl(frame),
        "tos" => tos(frame),
        "iplen" => iplen(frame),
        "srcport" => ports(frame).and_then(|layer4| unsigned(be16(layer4, 0)?)),
        "dstport" => ports(frame).and_then(|layer4| unsigned(be16(layer4, 2)?)),
        "seq" => tcp(frame).and_then(|tcp| unsigned(be32(tcp, 4)?)),
        "ack" => tcp(frame).and_then(|tcp| unsigned(be32(tcp, 8)?)),
        "tcpflags" => tcp(frame).and_then(|tcp| unsigned(be16(tcp, 12)? & 0x0fff)),
        "urg" => tcp(frame).and_then(|tcp| unsigned(tcp[13] >> 5 & 1)),
        "tcpwindow" => tcp(frame).and_then(|tcp| unsigned(be16(tcp, 14)?)),
        "urgptr" => tcp(frame).and_then(|tcp| unsigned(be16(tcp, 18)?)),
        "payload" => payload(frame).map(|payload| Value::Bytes(to_the_end(frame, payload).into())),
        "transport" => transport(frame).and_then(unsigned),
        "carried" => carried(frame).map(|bytes| Value::Bytes(bytes.into())),
        "fragbits" => ipv4(frame).and_then(|ip| unsigned(ip[6] >> 5)),
        "icmp6type" => icmp6(frame, 0).and_then(unsigned),
        "icmp6code" => icmp6(frame, 1).and_then(unsigned),
        "icmptype" => icmp(frame).and_then(|icmp| unsigned(icmp[0])),
        "icmpcode" => icmp(frame).and_then(|icmp| unsigned(icmp[1])),
        _ => return None,
    };
    Some(value.unwrap_or_default())
}

fn unsigned(number: impl Into<u64>) -> Option<Value> {
    Some(Value::Integer(number.into().into()))
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn address4(bytes: &[u8], at: usize) -> Option<Value> {
    let four: [u8; 4] = *bytes.get(at..)?.first_chunk()?;
    Some(Value::Address(IpAddr::from(four)))
}

fn address6(bytes: &[u8], at: usize) -> Option<Value> {
    let sixteen: [u8; 16] = *bytes.get(at..)?.first_chunk()?;
    Some(Value::Address(IpAddr::from(sixteen)))
}

/// The Ethernet header and all behind it.
fn ethernet(frame: &Frame) -> Option<&[u8]> {
    (frame.linktype == 1 && frame.bytes.len() >= 14).then_some(&frame.bytes)
}

fn mac(frame: &Frame, at: usize) -> Option<Value> {
    let six = *ethernet(frame)?.get(at..)?.first_chunk()?;
    Some(Value::Mac(Mac(six)))
}

fn ethertype(frame: &Frame) -> Option<Value> {
    let number = be16(ethernet(frame)?, 12)?;
    (number >= 0x600).then_some(Value::Integer(number.into()))
}

fn is_tag(ethertype: u16) -> bool {
    [0x8100, 0x88a8, 0x9100].contains(&ethertype)
}

/// The number of whole tags.
fn tags(ethernet: &[u8]) -> usize {
    let mut count = 0;
    while be16(ethernet, 12 + 4 * count).is_some_and(is_tag) && ethernet.len() >= 18 + 4 * count {
        count += 1;
    }
    count
}

fn vlan(frame: &Frame) -> Option<Value> {
    let ethernet = ethernet(frame)?;
    if tags(ethernet) == 0 {
        return None;
    }
    unsigned(be16(ethernet, 14)? & 0x0fff)
}

/// The type behind the tags and the bytes behind that.
fn network(frame: &Frame) -> Option<(u16, &[u8])> {
    let ethernet = ethernet(frame)?;
    let tags = tags(ethernet);
    // The decoder follows 48 headers, the Ethernet header included.
    if tags > 46 {
        return None;
    }
    Some((be16(ethernet, 12 + 4 * tags)?, &ethernet[14 + 4 * tags..]))
}

/// The bytes from the IPv4 header on.
fn ipv4(frame: &Frame) -> Option<&[u8]> {
    let (ethertype, ip) = network(frame)?;
    let valid = ethertype == 0x0800 && ip.len() >= 20 && ip[0] >> 4 == 4 && ip[0] & 15 >= 5;
    valid.then_some(ip)
}

/// The bytes from the IPv6 header on.
fn ipv6(frame: &Frame) -> Option<&[u8]> {
    let (ethertype, ip) = network(frame)?;
    let valid = ethertype == 0x86dd && ip.len() >= 40 && ip[0] >> 4 == 6;
    valid.then_some(ip)
}

fn srcip(frame: &Frame) -> Option<Value> {
    match ipv4(frame) {
        Some(ip) => address4(ip, 12),
        None => address6(ipv6(frame)?, 8),
    }
}

fn dstip(frame: &Frame) -> Option<Value> {
    match ipv4(frame) {
        Some(ip) => address4(ip, 16),
        None => address6(ipv6(frame)?, 24),
    }
}

fn ipprotocol(frame: &Frame) -> Option<u8> {
    match ipv4(frame) {
        Some(ip) => Some(ip[9]),
        None => Some(behind_extensions(ipv6(frame)?).0),
    }
}

/// The protocol behind the extension headers of IPv6, and its bytes where these are whole.
fn behind_extensions(ip: &[u8]) -> (u8, Option<&[u8]>) {
    let (mut next, mut rest) = (ip[6], ipv6_carries(ip));
    let mut headers = 0;
    while matches!(next, 0 | 43 | 44 | 51 | 60) {
        headers += 1;
        if headers > 16 {
            return (next, None);
        }
        let Some(bytes) = rest.filter(|bytes| bytes.len() >= 8) else {
            return (next, None);
        };
        let length = match next {
            44 => 8,
            51 => (usize::from(bytes[1]) + 2) * 4,
            _ => (usize::from(bytes[1]) + 1) * 8,
        };
        if next == 44 && be16(bytes, 2).is_some_and(|offset| offset >> 3 != 0) {
            return (bytes[0], None);
        }
        (next, rest) = (bytes[0], bytes.get(length..));
    }
    (next, rest)
}

/// The protocol of the header that there is.
fn transport(frame: &Frame) -> Option<u8> {
    let has = tcp(frame).is_some() || udp(frame).is_some() || icmp(frame).is_some();
    (has || icmp6(frame, 1).is_some()).then(|| ipprotocol(frame))?
}

fn carried(frame: &Frame) -> Option<&[u8]> {
    if tcp(frame).is_some() {
        return tcp_payload(frame);
    }
    if udp(frame).is_some() {
        return udp_payload(frame);
    }
    let has = icmp(frame).is_some() || icmp6(frame, 1).is_some();
    layer4(frame).filter(|_| has)?.get(8..)
}

/// A byte of an ICMPv6 message.
fn icmp6(frame: &Frame, at: usize) -> Option<u8> {
    ipv6(frame)?;
    let layer4 = layer4(frame).filter(|_| ipprotocol(frame) == Some(58))?;
    layer4.get(at).copied()
}

fn ttl(frame: &Frame) -> Option<Value> {
    match ipv4(frame) {
        Some(ip) => unsigned(ip[8]),
        None => unsigned(ipv6(frame)?[7]),
    }
}

fn tos(frame: &Frame) -> Option<Value> {
    match ipv4(frame) {
        Some(ip) => unsigned(ip[1]),
        None => unsigned(be16(ipv6(frame)?, 0)? >> 4 & 0xff),
    }
}

/// What IP says that the packet was long, its header included; all there was where it says 0.
fn iplen(frame: &Frame) -> Option<Value> {
    let (ip, said, header) = match (ipv4(frame), ipv6(frame)) {
        (Some(ip), _) => (ip, be16(ip, 2)?, 0),
        (None, ip) => (ip?, be16(ip?, 4)?, 40),
    };
    let before = (frame.bytes.len() - ip.len()) as u32;
    unsigned(match said {
        0 => frame.length.saturating_sub(before),
        said => u32::from(said) + header,
    })
}

/// What IP carries, as far as it was captured.
fn layer4(frame: &Frame) -> Option<&[u8]> {
    match ipv4(frame) {
        Some(ip) => ipv4_carries(ip),
        None => behind_extensions(ipv6(frame)?).1,
    }
}

fn ipv4_carries(ip: &[u8]) -> Option<&[u8]> {
    let header = usize::from(ip[0] & 15) * 4;
    let total = usize::from(be16(ip, 2)?);
    let fragment_offset = be16(ip, 6)? & 0x1fff;
    let end = if total == 0 {
        ip.len()
    } else {
        ip.len().min(total)
    };
    if fragment_offset != 0 || ip.len() < header || end < header {
        return None;
    }
    Some(&ip[header..end])
}

fn ipv6_carries(ip: &[u8]) -> Option<&[u8]> {
    let payload = usize::from(be16(ip, 4)?);
    let end = if payload == 0 {
        ip.len()
    } else {
        ip.len().min(40 + payload)
    };
    Some(&ip[40..end])
}

/// The bytes of layer 4 where it begins with ports.
fn ports(frame: &Frame) -> Option<&[u8]> {
    let layer4 = layer4(frame)?;
    let valid = matches!(ipprotocol(frame)?, 6 | 17) && layer4.len() >= 4;
    valid.then_some(layer4)
}

fn tcp(frame: &Frame) -> Option<&[u8]> {
    let layer4 = layer4(frame)?;
    let valid = ipprotocol(frame)? == 6 && layer4.len() >= 20 && layer4[12] >> 4 >= 5;
    valid.then_some(layer4)
}

fn udp(frame: &Frame) -> Option<&[u8]> {
    let layer4 = layer4(frame)?;
    (ipprotocol(frame)? == 17 && layer4.len() >= 8).then_some(layer4)
}

fn payload(frame: &Frame) -> Option<&[u8]> {
    tcp_payload(frame).or_else(|| udp_payload(frame))
}

/// All bytes of the frame from those of the payload on.
fn to_the_end<'f>(frame: &'f Frame, payload: &[u8]) -> &'f [u8] {
    &frame.bytes[payload.as_ptr().addr() - frame.bytes.as_ptr().addr()..]
}

fn tcp_payload(frame: &Frame) -> Option<&[u8]> {
    let tcp = tcp(frame)?;
    tcp.get(usize::from(tcp[12] >> 4) * 4..)
}

fn udp_payload(frame: &Frame) -> Option<&[u8]> {
    let udp = udp(frame)?;
    let length = usize::from(be16(udp, 4)?);
    let end = if length >= 8 {
        udp.len().min(length)
    } else {
        udp.len()
    };
    Some(&udp[8..end])
}

fn icmp(frame: &Frame) -> Option<&[u8]> {
    ipv4(frame)?;
    let layer4 = layer4(frame)?;
    (ipprotocol(frame)? == 1 && layer4.len() >= 2).then_some(layer4)
}
