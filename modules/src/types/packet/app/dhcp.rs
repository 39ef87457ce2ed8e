//! DHCP and BOOTP (RFC 2131, RFC 2132) over UDP.

use super::cursor::Cursor;
use super::found::Found;
use super::{Payload, fields, firsts, has_port};
use wireq_typesys::Kind::{Address, Bool, Bytes, Mac as MacAddress, Text, Unsigned};
use wireq_typesys::Mac;

const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;
const COOKIE: [u8; 4] = [99, 130, 83, 99];
const ETHERNET: u8 = 1;
const HARDWARE_LEN: usize = 16;
const SERVER_LEN: usize = 64;
const FILE_LEN: usize = 128;

fields! { walk, "dhcp", "RFC 2131, RFC 2132";
    Kind "dhcp.type" [] Unsigned, "Whether a client asks, 1, or a server answers, 2.";
    HardwareType "dhcp.hw.type" [] Unsigned, "Type of the client's hardware: 1 is Ethernet.";
    HardwareLength "dhcp.hw.len" [] Unsigned, "Bytes of its hardware address.";
    Hops "dhcp.hops" [] Unsigned, "Relays on the way.";
    TransactionId "dhcp.id" [] Unsigned, "Number of the exchange.";
    Seconds "dhcp.secs" [] Unsigned, "Seconds since the client began.";
    Flags "dhcp.flags" [] Unsigned, "The flag word as sent.";
    Broadcast "dhcp.flags.bc" [] Bool, "Whether the answer is to be sent to all.";
    ClientAddress "dhcp.ip.client" [] Address, "The client's address, where it has one.";
    YourAddress "dhcp.ip.your" [] Address, "The address that the client gets.";
    ServerAddress "dhcp.ip.server" [] Address, "The server to ask next.";
    RelayAddress "dhcp.ip.relay" [] Address, "The relay.";
    MacAddr "dhcp.hw.mac_addr" [] MacAddress, "The client's hardware address.";
    Server "dhcp.server" [] Text, "Name of the server.";
    File "dhcp.file" [] Text, "Name of the file to boot.";
    OptionType "dhcp.option.type" [] Unsigned, "Types of options.";
    OptionLength "dhcp.option.length" [] Unsigned, "Bytes of options.";
    Message "dhcp.option.dhcp" [] Unsigned, "What the message is: 1 is a discovery, 5 an acknowledgment.";
    SubnetMask "dhcp.option.subnet_mask" [] Address, "Mask of the network.";
    Router "dhcp.option.router" [] Address, "Routers.";
    NameServer "dhcp.option.domain_name_server" [] Address, "Name servers.";
    Broadcasts "dhcp.option.broadcast_address" [] Address, "Address of all.";
    HostName "dhcp.option.hostname" [] Text, "Name of the client.";
    DomainName "dhcp.option.domain_name" [] Text, "Domain of the client.";
    Requested "dhcp.option.requested_ip_address" [] Address, "The address that the client wants.";
    LeaseTime "dhcp.option.ip_address_lease_time" [] Unsigned, "Seconds that the address may be used.";
    RenewalTime "dhcp.option.renewal_time_value" [] Unsigned, "Seconds after which the client asks for more.";
    RebindingTime "dhcp.option.rebinding_time_value" [] Unsigned, "Seconds after which it asks any server.";
    ServerId "dhcp.option.dhcp_server_id" [] Address, "The server that is meant.";
    RequestItem "dhcp.option.request_list_item" [] Unsigned, "Options that the client wants.";
    MaxSize "dhcp.option.dhcp_max_message_size" [] Unsigned, "Bytes of the longest message that is taken.";
    VendorClass "dhcp.option.vendor_class_id" [] Text, "Who made the client.";
    ClientId "dhcp.option.client_identifier" [] Bytes, "What the client calls itself: type and content.";
}

firsts! {
    "dhcp.host" HostName Text, "Name of the client.";
    "dhcp.mac" MacAddr MacAddress, "The client's hardware address.";
}

fn walk(payload: &Payload<'_>, found: &mut Found<'_>) -> Option<()> {
    if !payload.is_udp() || !has_port(payload, &[SERVER_PORT, CLIENT_PORT]) {
        return None;
    }
    let mut header = Cursor::new(payload.bytes);
    let kind = header.u8()?;
    (kind == 1 || kind == 2).then_some(())?;
    found.number(Id::Kind, kind);
    let (hardware, hardware_len) = (header.u8()?, header.u8()?);
    found.number(Id::HardwareType, hardware);
    found.number(Id::HardwareLength, hardware_len);
    found.number(Id::Hops, header.u8()?);
    found.number(Id::TransactionId, header.u32()?);
    found.number(Id::Seconds, header.u16()?);
    let flags = header.u16()?;
    found.number(Id::Flags, flags);
    found.number(Id::Broadcast, flags >> 15);
    for id in [
        Id::ClientAddress,
        Id::YourAddress,
        Id::ServerAddress,
        Id::RelayAddress,
    ] {
        found.v4(id, header.array()?);
    }
    let address = header.take(HARDWARE_LEN)?;
    if let (ETHERNET, 6, Ok(mac)) = (hardware, hardware_len, address[..6].try_into()) {
        found.mac(Id::MacAddr, Mac(mac));
    }
    padded(Id::Server, header.take(SERVER_LEN)?, found);
    padded(Id::File, header.take(FILE_LEN)?, found);
    if header.array()? == COOKIE {
        options(header, found);
    }
    Some(())
}

/// A text with zeros behind it; nothing where there are only zeros.
fn padded(id: Id, text: &[u8], found: &mut Found<'_>) {
    let text = until_zero(text);
    if !text.is_empty() {
        found.bytes(id, text);
    }
}

fn until_zero(text: &[u8]) -> &[u8] {
    memchr::memchr(0, text).map_or(text, |end| &text[..end])
}

fn options(mut list: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    const PAD: u8 = 0;
    const END: u8 = 255;
    while !list.is_empty() {
        let kind = list.u8()?;
        if kind == PAD {
            continue;
        }
        if kind == END {
            break;
        }
        found.number(Id::OptionType, kind);
        let len = list.u8()?;
        found.number(Id::OptionLength, len);
        option(kind, Cursor::new(list.take(len.into())?), found);
    }
    Some(())
}

fn option(kind: u8, mut content: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    match kind {
        1 => found.v4(Id::SubnetMask, content.array()?),
        3 => addresses(Id::Router, content, found)?,
        6 => addresses(Id::NameServer, content, found)?,
        12 => found.bytes(Id::HostName, until_zero(content.bytes)),
        15 => found.bytes(Id::DomainName, until_zero(content.bytes)),
        28 => found.v4(Id::Broadcasts, content.array()?),
        50 => found.v4(Id::Requested, content.array()?),
        51 => found.number(Id::LeaseTime, content.u32()?),
        53 => found.number(Id::Message, content.u8()?),
        54 => found.v4(Id::ServerId, content.array()?),
        55 => {
            for item in content.bytes {
                found.number(Id::RequestItem, *item);
            }
        }
        57 => found.number(Id::MaxSize, content.u16()?),
        58 => found.number(Id::RenewalTime, content.u32()?),
        59 => found.number(Id::RebindingTime, content.u32()?),
        60 => found.bytes(Id::VendorClass, until_zero(content.bytes)),
        61 => client_id(content, found)?,
        _ => {}
    }
    Some(())
}

/// What a client calls itself is mostly its hardware address.
fn client_id(mut content: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    found.bytes(Id::ClientId, content.bytes);
    if content.bytes.len() == 7 && content.u8()? == ETHERNET {
        found.number(Id::HardwareType, ETHERNET);
        found.mac(Id::MacAddr, Mac(content.array()?));
    }
    Some(())
}

fn addresses(id: Id, mut list: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    while !list.is_empty() {
        found.v4(id, list.array()?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hex, udp};

    #[test]
    fn a_discovery() {
        let mut packet = hex("01 01 06 00 12345678 0002 8000 00000000 00000000 00000000 0a000001");
        packet.extend(hex("02000a4d0001 00000000000000000000"));
        packet.extend([0; 192]);
        packet.extend(hex("63825363 35 01 01 00 32 04 0a000005 37 03 01 03 06 0c 03 616200 03 08 0a000001 0a000002 33 03 000102 ff 01"));
        for (name, value) in [
            ("dhcp.type", Some("1")),
            ("dhcp.id", Some("305419896")),
            ("dhcp.flags.bc", Some("true")),
            ("dhcp.ip.relay", Some("10.0.0.1")),
            ("dhcp.mac", Some("02:00:0a:4d:00:01")),
            ("dhcp.server", None),
            ("dhcp.option.dhcp", Some("1")),
            ("dhcp.option.requested_ip_address", Some("10.0.0.5")),
            ("dhcp.option.request_list_item", Some("1,3,6")),
            ("dhcp.host", Some("ab")),
            ("dhcp.option.router", Some("10.0.0.1,10.0.0.2")),
            // One byte short.
            ("dhcp.option.ip_address_lease_time", None),
            ("dhcp.option.type", Some("53,50,55,12,3,51")),
        ] {
            assert_eq!(udp([68, 67], &packet, name).as_deref(), value, "{name}");
        }
        assert_eq!(
            udp([68, 69], &packet, "dhcp.id").as_deref(),
            Some("305419896")
        );
        assert_eq!(udp([69, 69], &packet, "dhcp.id"), None);
        packet[0] = 3;
        assert_eq!(udp([68, 67], &packet, "dhcp.id"), None);
    }
}
