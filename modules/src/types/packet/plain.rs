//! What TCP and UDP carry in plain frames, without looking for all layers: Ethernet, IPv4 without
//! options and TCP or UDP, where a walk would find these three and no others.

use super::header::{Header, Payload};
use super::layers::{By, Layer, STACK};
use super::{Frames, LINKTYPE_ETHERNET, ethernet, has, tcp, udp};

/// Calls `get` with what a frame carries; false where it is not plain.
#[inline]
pub(super) fn carried(frames: &Frames, row: usize, get: impl FnOnce(&Payload<'_>)) -> bool {
    let block = frames.block.0.as_slice();
    let Some(frame) = frames.rows.get(row) else {
        return true;
    };
    let start = frame.start as usize;
    let end = start.saturating_add(frame.caplen as usize).min(block.len());
    let is_ethernet = frame.link_type == LINKTYPE_ETHERNET;
    let Some(layers) = ethernet::find_plain(&block[..end], start).filter(|_| is_ethernet) else {
        return false;
    };
    let (protocol, number, carries) = match layers.has & (has::TCP | has::UDP) {
        has::TCP => (STACK.tcp, tcp::PROTOCOL_NUMBER, tcp::PROTOCOL.carries),
        has::UDP => (STACK.udp, udp::PROTOCOL_NUMBER, udp::PROTOCOL.carries),
        _ => return false,
    };
    let Some(bytes) = block.get(layers.transport as usize..layers.end as usize) else {
        return false;
    };
    let mut layer = Layer {
        start: layers.transport,
        payload: layers.end,
        end: layers.end,
        protocol,
        quoted: false,
    };
    let header = |bytes, layer| Header {
        bytes,
        layer,
        below: &[],
        block,
        frame,
    };
    let Some(next) = carries.map(|carries| carries(&header(bytes, layer))) else {
        return false;
    };
    // A tunnel has headers of its own in it.
    if next.by != By::Nothing {
        return false;
    }
    let whole = next
        .packet
        .map_or(bytes.len(), |packet| packet.max(next.header));
    let bytes = &bytes[..bytes.len().min(whole)];
    layer.end = layers.transport + bytes.len() as u32;
    layer.payload = layers.transport + next.header.min(bytes.len()) as u32;
    if let Some(payload) = Payload::of(&header(bytes, layer), number) {
        get(&payload);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::load::{field, in_udp};

    /// The same packet behind a tag is not plain.
    #[test]
    fn plain_frames_carry_what_others_do() {
        let query = [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 0, 0, 1, 0, 1];
        let plain = in_udp(53, &query);
        let tag = [0x81, 0, 0, 5];
        for end in 14..=plain.len() {
            let tagged = [&plain[..12], &tag, &plain[12..end]].concat();
            for name in ["dns.id", "dns.qry.name", "dns.qry.type", "dns.flags"] {
                assert_eq!(
                    field(&plain[..end], name),
                    field(&tagged, name),
                    "{name} at {end}"
                );
            }
        }
        assert_eq!(field(&plain, "dns.qry.name").as_deref(), Some("a"));
        // The length of the datagram ends it.
        let mut short = plain.clone();
        short[39] = 8 + 15;
        assert_eq!(field(&short, "dns.id").as_deref(), Some("7"));
        assert_eq!(field(&short, "dns.qry.type"), None);
    }
}
