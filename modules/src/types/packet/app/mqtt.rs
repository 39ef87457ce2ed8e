//! MQTT (OASIS, versions 3.1.1 and 5.0) over TCP.

use super::cursor::Cursor;
use super::found::Found;
use super::{Payload, fields};
use wireq_typesys::Kind::{Bool, Text, Unsigned};

const PORT: u16 = 1883;
const CONNECT: u8 = 1;
const CONNECT_ANSWER: u8 = 2;
const PUBLISH: u8 = 3;
const SUBSCRIBE: u8 = 8;
const UNSUBSCRIBE: u8 = 10;

fields! { walk, "mqtt", "OASIS MQTT 3.1.1, 5.0";
    Kind "mqtt.msgtype" [] Unsigned, "Types of messages: 1 connects, 3 publishes, 8 subscribes.";
    Length "mqtt.len" [] Unsigned, "Bytes behind the fixed header.";
    Qos "mqtt.qos" [] Unsigned, "How surely what is published arrives: 0 to 2.";
    Retain "mqtt.retain" [] Bool, "Whether the server keeps what is published.";
    ProtocolName "mqtt.protoname" [] Text, "Name of the protocol, as a client says it.";
    Version "mqtt.ver" [] Unsigned, "Version that a client speaks: 4 is 3.1.1.";
    KeepAlive "mqtt.kalive" [] Unsigned, "Seconds after which a silent client is gone.";
    ClientId "mqtt.clientid" [] Text, "What a client calls itself.";
    ReturnCode "mqtt.conack.val" [] Unsigned, "Whether a server accepts a client: 0 says yes. Not in version 5.";
    Topic "mqtt.topic" [] Text, "Topics published and subscribed to.";
}

fn walk(payload: &Payload<'_>, found: &mut Found<'_>) -> Option<()> {
    if !payload.is_tcp() || !payload.has_port(PORT) {
        return None;
    }
    let mut segment = Cursor::new(payload.bytes);
    while !segment.is_empty() {
        let first = segment.u8()?;
        let length = remaining_length(&mut segment)?;
        let kind = first >> 4;
        let body = segment.within(length as usize);
        // What goes on behind the segment may be no message but the middle of one: a message is known
        // by its topic.
        if body.bytes.len() < length as usize && !is_begun_publication(first, body) {
            return None;
        }
        found.number(Id::Kind, kind);
        found.number(Id::Length, length);
        match kind {
            CONNECT => connect(body, found),
            CONNECT_ANSWER if length == 2 => answer(body, found),
            PUBLISH => {
                found.number(Id::Qos, first >> 1 & 3);
                found.number(Id::Retain, first & 1);
                topic(body, found)
            }
            SUBSCRIBE => subscribe(body, found),
            UNSUBSCRIBE => unsubscribe(body, found),
            _ => Some(()),
        };
    }
    Some(())
}

/// A length of up to four bytes of seven bits (3.1.1, 2.2.3).
fn remaining_length(segment: &mut Cursor<'_>) -> Option<u32> {
    let mut length = 0;
    for shift in [0, 7, 14, 21] {
        let byte = segment.u8()?;
        length |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(length);
        }
    }
    None
}

fn text<'a>(body: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let len = body.u16()?;
    body.take(len.into())
}

fn connect(mut body: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    const VERSION_5: u8 = 5;
    found.bytes(Id::ProtocolName, text(&mut body)?);
    let version = body.u8()?;
    found.number(Id::Version, version);
    let _flags = body.u8()?;
    found.number(Id::KeepAlive, body.u16()?);
    if version == VERSION_5 {
        let len = remaining_length(&mut body)?;
        body.take(len as usize)?;
    }
    found.bytes(Id::ClientId, text(&mut body)?);
    Some(())
}

fn answer(mut body: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    let _flags = body.u8()?;
    found.number(Id::ReturnCode, body.u8()?);
    Some(())
}

/// Whether this is the begin of something published: flags and a topic as they may be (3.1.1, 3.3).
fn is_begun_publication(first: u8, mut body: Cursor<'_>) -> bool {
    let is_topic = |text: &[u8]| {
        let is_name = |c: char| !c.is_control() && !matches!(c, '+' | '#');
        !text.is_empty() && std::str::from_utf8(text).is_ok_and(|text| text.chars().all(is_name))
    };
    first >> 4 == PUBLISH && first >> 1 & 3 != 3 && text(&mut body).is_some_and(is_topic)
}

fn topic(mut body: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    found.bytes(Id::Topic, text(&mut body)?);
    Some(())
}

/// Topics, a byte behind each. In version 5 properties stand before them, which the message does
/// not tell: a length of 0 is taken for that of none.
fn subscribe(mut body: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    let _number = body.u16()?;
    let mut topics = body;
    if !are_topics(topics) {
        topics.u8().filter(|properties| *properties == 0)?;
        are_topics(topics).then_some(())?;
    }
    while !topics.is_empty() {
        found.bytes(Id::Topic, text(&mut topics)?);
        topics.u8()?;
    }
    Some(())
}

/// The topics alone; in version 5 properties may stand before them.
fn unsubscribe(mut body: Cursor<'_>, found: &mut Found<'_>) -> Option<()> {
    let _number = body.u16()?;
    let are_topics = |mut rest: Cursor<'_>| {
        while !rest.is_empty() {
            text(&mut rest).filter(|topic| !topic.is_empty())?;
        }
        Some(())
    };
    if are_topics(body).is_none() {
        body.u8().filter(|properties| *properties == 0)?;
        are_topics(body)?;
    }
    while !body.is_empty() {
        found.bytes(Id::Topic, text(&mut body)?);
    }
    Some(())
}

fn are_topics(mut topics: Cursor<'_>) -> bool {
    while !topics.is_empty() {
        let topic = text(&mut topics).filter(|topic| !topic.is_empty());
        if topic.is_none() || topics.u8().is_none() {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hex, tcp};

    #[test]
    fn messages() {
        let segment = hex("10 0e 0004 4d515454 04 02 003c 0002 6162
             31 06 0003 612f62 78
             82 08 0001 0003 612f23 00
             82 09 0001 00 0003 632f23 01
             20 02 00 05");
        for (name, value) in [
            ("mqtt.msgtype", "1,3,8,8,2"),
            ("mqtt.protoname", "MQTT"),
            ("mqtt.ver", "4"),
            ("mqtt.kalive", "60"),
            ("mqtt.clientid", "ab"),
            ("mqtt.topic", "a/b,a/#,c/#"),
            ("mqtt.retain", "true"),
            ("mqtt.conack.val", "5"),
        ] {
            assert_eq!(
                tcp([5, 1883], &segment, name).as_deref(),
                Some(value),
                "{name}"
            );
        }
        assert_eq!(tcp([5, 1884], &segment, "mqtt.ver"), None);
        // What is published goes on in the next segment; of the second it is no topic.
        for (begin, length, topic) in [
            ("32 f05d 0003 612f62 0004 5858", Some("12016"), Some("a/b")),
            ("32 f05d 0003 612f23 0004 5858", None, None),
            ("32 f05d 0003 612f", None, None),
            ("36 f05d 0003 612f62 0004 5858", None, None),
        ] {
            let segment = hex(begin);
            let read = |name| tcp([5, 1883], &segment, name);
            assert_eq!(read("mqtt.len").as_deref(), length, "{begin}");
            assert_eq!(read("mqtt.topic").as_deref(), topic, "{begin}");
        }
        assert_eq!(tcp([5, 1883], &segment[..15], "mqtt.ver"), None);
        assert_eq!(tcp([5, 1883], &hex("10 ffffffff 01"), "mqtt.msgtype"), None);
    }
}
