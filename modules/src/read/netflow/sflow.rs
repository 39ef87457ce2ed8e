//! sFlow version 5: samples of packets, whose headers are decoded as those of packets.
//!
//! Source: sFlow.org, "sFlow Version 5" (2004). A sample becomes a record whose fields stand where the
//! datagram has them, those of the sampled header in the header.

use super::batch::Batch;
use super::decoder::Message;
use super::fault::{Fault, Faults};
use super::template::{DomainKey, Domains};
use crate::types::netflow::{FRAME_LEN, Header, Layout, Place, Row, SFLOW};
use crate::types::packet::{find_layers, has};
use hashbrown::HashMap;
use std::sync::Arc;
use wireq_typesys::Address;

/// The most layouts that are kept at a time, and the most places in all of them.
const LAYOUTS_MAX: usize = 1024;
const PLACES_MAX: usize = 64 * 1024;

/// Layouts of samples, by what they have where.
#[derive(Default)]
pub(super) struct Layouts {
    known: HashMap<Vec<Place>, Arc<Layout>>,
    places: usize,
}

impl Layouts {
    fn get(&mut self, places: &[Place], len: usize) -> Arc<Layout> {
        if let Some(layout) = self.known.get(places) {
            return Arc::clone(layout);
        }
        if self.known.len() >= LAYOUTS_MAX || self.places + places.len() > PLACES_MAX {
            self.known.clear();
            self.places = 0;
        }
        let layout = Arc::new(Layout::of_places(places.to_vec(), len));
        self.known.insert(places.to_vec(), Arc::clone(&layout));
        self.places += places.len();
        layout
    }

    /// About how many bytes they take.
    pub(super) fn memory(&self) -> usize {
        let layout = size_of::<(Vec<Place>, Arc<Layout>)>() + size_of::<Layout>();
        // Each place stands in the key and in the layout.
        self.known.capacity() * layout + 2 * self.places * size_of::<Place>()
    }
}

/// Numbers of four bytes, read from front to back.
#[derive(Clone, Copy)]
struct Words<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<u32> {
        let word = self.bytes.get(self.at..self.at + 4)?;
        self.at += 4;
        Some(u32::from_be_bytes([word[0], word[1], word[2], word[3]]))
    }

    /// Passes over some numbers.
    fn skip(&mut self, words: usize) -> Option<()> {
        self.at = self.at.checked_add(4 * words)?;
        (self.at <= self.bytes.len()).then_some(())
    }

    /// The next bytes, with their place.
    fn bytes(&mut self, len: usize) -> Option<(usize, &'a [u8])> {
        let start = self.at;
        let end = start.checked_add(len)?;
        let bytes = self.bytes.get(start..end)?;
        // What is opaque is filled up to four bytes; behind the last that may be missing.
        self.at = end.next_multiple_of(4).min(self.bytes.len());
        Some((start, bytes))
    }

    fn address(&mut self) -> Option<Option<Address>> {
        let (v6, len) = match self.next()? {
            0 => return Some(None),
            1 => (false, 4),
            2 => (true, 16),
            _ => return None,
        };
        let (_, bytes) = self.bytes(len)?;
        let bits = bytes
            .iter()
            .fold(0, |bits: u128, byte| bits << 8 | u128::from(*byte));
        Some(Some(Address { v6, bits }))
    }
}

/// The head of a datagram.
struct Head {
    agent: Option<Address>,
    sub_agent: u32,
    sequence: u32,
    uptime: u32,
    samples: u32,
}

fn head(words: &mut Words<'_>) -> Option<Head> {
    words.skip(1)?;
    Some(Head {
        agent: words.address()?,
        sub_agent: words.next()?,
        sequence: words.next()?,
        uptime: words.next()?,
        samples: words.next()?,
    })
}

/// Whether bytes begin like a datagram.
pub(super) fn begins(bytes: &[u8]) -> bool {
    matches!(bytes.get(..8), Some([0, 0, 0, 5, 0, 0, 0, 1 | 2]))
}

/// Whether bytes are a whole datagram and nothing else.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let mut words = Words { bytes, at: 0 };
    let Some(head) = head(&mut words).filter(|_| begins(bytes)) else {
        return false;
    };
    let mut sample = || {
        words.next()?;
        let len = words.next()? as usize;
        words.bytes(len)
    };
    (0..head.samples).all(|_| sample().is_some()) && words.at == bytes.len()
}

/// Decodes a datagram.
pub(super) fn decode(
    message: &Message<'_>,
    domains: &mut Domains,
    layouts: &mut Layouts,
    faults: &mut Faults,
    batch: &mut Batch,
) {
    let mut words = Words {
        bytes: message.bytes,
        at: 0,
    };
    let Some(head) = head(&mut words) else {
        faults.count(Fault::ShortHeader);
        return;
    };
    let header = Header {
        version: SFLOW,
        received: message.received,
        uptime: Some(head.uptime),
        router: head.agent,
        domain: Some(head.sub_agent),
        sequence: Some(head.sequence),
        ..Header::default()
    };
    let key = DomainKey {
        router: message.router,
        version: SFLOW,
        number: head.sub_agent,
        agent: head.agent,
    };
    let sequence = &mut domains.get(key, faults).sequence;
    sequence.take(head.sequence, 1, Fault::LostDatagrams, faults);
    let mut places = Vec::new();
    for _ in 0..head.samples {
        let (Some(format), Some(len)) = (words.next(), words.next()) else {
            faults.count(Fault::ShortMessage);
            return;
        };
        let Some((start, body)) = words.bytes(len as usize) else {
            faults.count(Fault::SampleLength);
            return;
        };
        let expanded = match format {
            1 => false,
            3 => true,
            2 | 4 => {
                faults.count(Fault::Counters);
                continue;
            }
            _ => {
                faults.count(Fault::SampleKind);
                continue;
            }
        };
        places.clear();
        if sample(body, expanded, &mut places).is_none() {
            faults.count(Fault::ShortSet);
        }
        let layout = layouts.get(&places, body.len());
        let row = Row {
            start: (message.start + start) as u32,
            len: body.len() as u16,
            block: batch.block(message.block),
            layout: batch.layout(&layout),
            header: batch.header(header),
        };
        batch.push(row);
    }
}

/// Finds what a sample of a packet has; none where it is cut.
fn sample(body: &[u8], expanded: bool, places: &mut Vec<Place>) -> Option<()> {
    let mut words = Words { bytes: body, at: 0 };
    // Number and source.
    words.skip(if expanded { 3 } else { 2 })?;
    places.push(Place::new(34, words.at as u32, 4));
    // Rate, pool, drops.
    words.skip(3)?;
    for key in [10, 14] {
        let at = words.at as u32;
        let format = words.next()?;
        if expanded {
            // Format and value; 0x3fffffff is none that is known.
            let value = words.next()?;
            if format == 0 && value != 0x3fff_ffff {
                places.push(Place::new(key, at + 4, 4));
            }
        } else if format >> 30 == 0 && format != 0x3fff_ffff {
            places.push(Place::new(key, at, 4));
        }
    }
    for _ in 0..words.next()? {
        let (format, len) = (words.next()?, words.next()?);
        let (start, record) = words.bytes(len as usize)?;
        match format {
            1 => raw_header(body, start, record, places)?,
            3 => sampled_ip(start, 4, places, record),
            4 => sampled_ip(start, 16, places, record),
            1001 if record.len() >= 16 => {
                places.push(Place::new(58, start as u32, 4));
                places.push(Place::new(59, start as u32 + 8, 4));
            }
            1002 => router(start, record, places)?,
            _ => {}
        }
    }
    Some(())
}

/// The header of the sampled packet.
fn raw_header(body: &[u8], start: usize, record: &[u8], places: &mut Vec<Place>) -> Option<()> {
    let mut words = Words {
        bytes: record,
        at: 0,
    };
    let protocol = words.next()?;
    places.push(Place::new(FRAME_LEN, start as u32 + 4, 4));
    words.skip(2)?;
    let len = words.next()? as usize;
    let (at, frame) = words.bytes(len)?;
    let at = start + at;
    places.push(Place::new(315, at as u32, frame.len() as u16));
    const ETHERNET: u32 = 1;
    if protocol != ETHERNET {
        return Some(());
    }
    let layers = find_layers(body.get(..at + frame.len())?, at);
    let is = |bit: u16| layers.has & bit != 0;
    let mut add = |key: u64, at: u32, len: u16| places.push(Place::new(key, at, len));
    if is(has::ETHERNET) {
        add(80, at as u32, 6);
        add(56, at as u32 + 6, 6);
    }
    let (network, transport) = (layers.network, layers.transport);
    if is(has::IPV4) {
        add(8, network + 12, 4);
        add(12, network + 16, 4);
        add(4, network + 9, 1);
        add(5, network + 1, 1);
        add(192, network + 8, 1);
        add(190, network + 2, 2);
        add(54, network + 4, 2);
    }
    if is(has::IPV6) {
        add(27, network + 8, 16);
        add(28, network + 24, 16);
        add(4, network + 6, 1);
        add(192, network + 7, 1);
        add(191, network + 4, 2);
    }
    if is(has::PORTS) {
        add(7, transport, 2);
        add(11, transport + 2, 2);
    }
    if is(has::TCP) {
        add(6, transport + 13, 1);
    }
    if is(has::ICMP) {
        add(176, transport, 1);
        add(177, transport + 1, 1);
    }
    Some(())
}

/// Length, protocol, addresses, ports, flags and type of service of an IP packet.
fn sampled_ip(start: usize, address: u16, places: &mut Vec<Place>, record: &[u8]) {
    let start = start as u32;
    let width = u32::from(address);
    if record.len() < (8 + 2 * width + 16) as usize {
        return;
    }
    let (origin, destination) = if address == 4 { (8, 12) } else { (27, 28) };
    let rest = start + 8 + 2 * width;
    for (key, at, len) in [
        (FRAME_LEN, start, 4),
        (4, start + 4, 4),
        (origin, start + 8, address),
        (destination, start + 8 + width, address),
        (7, rest, 4),
        (11, rest + 4, 4),
        (6, rest + 8, 4),
        (5, rest + 12, 4),
    ] {
        // What the header itself says comes first.
        if !places.iter().any(|place| place.key == key) {
            places.push(Place::new(key, at, len));
        }
    }
}

/// The next router and the networks' masks.
fn router(start: usize, record: &[u8], places: &mut Vec<Place>) -> Option<()> {
    let mut words = Words {
        bytes: record,
        at: 0,
    };
    let (key, len) = match words.next()? {
        1 => (15, 4),
        2 => (62, 16),
        _ => return Some(()),
    };
    let (at, _) = words.bytes(len)?;
    places.push(Place::new(key, (start + at) as u32, len as u16));
    for key in [9, 13] {
        let at = words.at;
        words.next()?;
        places.push(Place::new(key, (start + at) as u32, 4));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_bounded_in_number_and_in_places() {
        let mut layouts = Layouts::default();
        let places = |first: u32, count: u32| -> Vec<Place> {
            let place = |at| Place::new(58, first + at, 4);
            (0..count).map(place).collect()
        };
        for first in 0..100 {
            let layout = layouts.get(&places(first, 5000), 60_000);
            assert!(Arc::ptr_eq(
                &layout,
                &layouts.get(&places(first, 5000), 60_000)
            ));
            assert!(layouts.places <= PLACES_MAX);
        }
        (0..5000).for_each(|first| {
            layouts.get(&places(first, 2), 60_000);
        });
        assert!(layouts.known.len() <= LAYOUTS_MAX && layouts.memory() < 1 << 20);
    }
}
