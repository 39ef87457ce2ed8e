//! Ethernet frames of synthetic flows.
//!
//! A flow's addresses and ports follow from the seed and its number alone, so nothing is
//! kept per flow and a capture can be as long as the disk. Flows start one after another
//! over the whole capture; the other packets belong to early flows (the elephants) or to
//! recent ones, in both directions. All checksums are right, because some peers ignore
//! packets where they aren't.

use crate::random::{Random, mix};

/// The shortest frame: Ethernet pads up to here.
pub const FRAME_BYTES_MIN: usize = 60;
/// The longest frame: 1,500 bytes behind the Ethernet header.
pub const FRAME_BYTES_MAX: usize = 1514;

const TCP: u8 = 6;
const UDP: u8 = 17;

/// Servers' TCP ports, popular ones more than once.
const TCP_PORTS: [u16; 20] = [
    443, 443, 443, 443, 443, 443, 443, 443, 80, 80, 80, 80, 80, 22, 22, 25, 993, 3306, 8080, 445,
];
/// Servers' UDP ports, likewise.
const UDP_PORTS: [u16; 10] = [53, 53, 53, 53, 53, 443, 443, 123, 161, 5353];

/// Makes one frame after the other, into a buffer of its own.
#[derive(Debug)]
pub struct Traffic {
    random: Random,
    seed: u64,
    lengths: Lengths,
    payload: Vec<u8>,
    frame: Vec<u8>,
}

impl Traffic {
    /// Traffic of this seed, with frames of `mean` bytes on average. Frames that need
    /// more than their drawn length for their headers get it.
    #[must_use]
    pub fn new(seed: u64, mean: usize) -> Self {
        let mut random = Random::new(seed);
        let payload = (0..4 * FRAME_BYTES_MAX).map(|_| letter(&mut random));
        Self {
            payload: payload.collect(),
            random,
            seed,
            lengths: Lengths::around(mean as u64),
            frame: Vec::with_capacity(2 * FRAME_BYTES_MAX),
        }
    }

    /// A frame, `started` flows having begun before it; the first of the next flow where
    /// `starts` is set or no flow has begun.
    pub fn frame(&mut self, started: u64, starts: bool) -> &[u8] {
        self.frame.clear();
        let length = self.lengths.draw(&mut self.random);
        let flow = self.flow(started, starts || started == 0);
        match self.random.below(200) {
            0 => self.push_arp(flow),
            1..4 => self.push_packet(&flow.icmp(), length),
            _ => self.push_packet(&flow, length),
        }
        let padded = self.frame.len().max(FRAME_BYTES_MIN);
        self.frame.resize(padded, 0);
        &self.frame
    }

    fn flow(&mut self, started: u64, starts: bool) -> Flow {
        if starts {
            return Flow::new(self.seed, started);
        }
        let rank = self.random.rank(started);
        let early = self.random.percent(50);
        let number = if early { rank } else { started - 1 - rank };
        let flow = Flow::new(self.seed, number);
        if self.random.percent(50) {
            flow.reversed()
        } else {
            flow
        }
    }

    fn push_ethernet(&mut self, flow: Flow, ethertype: u16) {
        self.frame.extend(flow.destination.mac());
        self.frame.extend(flow.source.mac());
        if let Some(vlan) = flow.vlan {
            self.frame.extend(0x8100u16.to_be_bytes());
            self.frame.extend(vlan.to_be_bytes());
        }
        self.frame.extend(ethertype.to_be_bytes());
    }

    /// RFC 826: who has the destination's address?
    fn push_arp(&mut self, flow: Flow) {
        self.push_ethernet(flow, 0x0806);
        self.frame.extend([0, 1, 8, 0, 6, 4, 0, 1]);
        self.frame.extend(flow.source.mac());
        self.frame.extend(flow.source.v4());
        self.frame.extend([0; 6]);
        self.frame.extend(flow.destination.v4());
    }

    fn push_packet(&mut self, flow: &Flow, length: usize) {
        self.push_ethernet(*flow, if flow.is_v6 { 0x86dd } else { 0x0800 });
        let network = self.frame.len();
        let headers = if flow.is_v6 { 40 } else { 20 } + flow.transport_bytes();
        let ip_bytes = length.saturating_sub(network).max(headers);
        if flow.is_v6 {
            self.push_ipv6(flow, ip_bytes - 40);
        } else {
            self.push_ipv4(flow, ip_bytes);
        }
        let transport = self.frame.len();
        self.push_transport(flow, network + ip_bytes - transport);
        let filler = usize::try_from(self.random.below(FRAME_BYTES_MAX as u64))
            .expect("below the longest frame");
        let missing = network + ip_bytes - self.frame.len();
        self.frame
            .extend_from_slice(&self.payload[filler..filler + missing]);
        self.put_transport_checksum(flow, transport);
    }

    /// RFC 791 §3.1, without options.
    fn push_ipv4(&mut self, flow: &Flow, ip_bytes: usize) {
        let start = self.frame.len();
        let identification = self.random.bits().to_be_bytes();
        self.frame.extend([0x45, 0]);
        self.frame.extend(be16(ip_bytes));
        self.frame.extend([identification[0], identification[1]]);
        self.frame.extend([0x40, 0, 64, flow.protocol, 0, 0]);
        self.frame.extend(flow.source.v4());
        self.frame.extend(flow.destination.v4());
        let checksum = fold(sum(&self.frame[start..]));
        self.frame[start + 10..start + 12].copy_from_slice(&checksum.to_be_bytes());
    }

    /// RFC 8200 §3, without extension headers.
    fn push_ipv6(&mut self, flow: &Flow, payload_bytes: usize) {
        self.frame.extend([0x60, 0, 0, 0]);
        self.frame.extend(be16(payload_bytes));
        self.frame.extend([flow.protocol, 64]);
        self.frame.extend(flow.source.v6());
        self.frame.extend(flow.destination.v6());
    }

    /// The transport header, its checksum still 0.
    fn push_transport(&mut self, flow: &Flow, transport_bytes: usize) {
        match flow.protocol {
            TCP => {
                let numbers = self.random.bits().to_be_bytes();
                self.frame.extend(flow.source.port.to_be_bytes());
                self.frame.extend(flow.destination.port.to_be_bytes());
                self.frame.extend(numbers);
                // Header of 20 bytes; ACK and PSH, for there are no handshakes here.
                self.frame.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
            }
            UDP => {
                self.frame.extend(flow.source.port.to_be_bytes());
                self.frame.extend(flow.destination.port.to_be_bytes());
                self.frame.extend(be16(transport_bytes));
                self.frame.extend([0, 0]);
            }
            _ => {
                let echo_request = if flow.is_v6 { 128 } else { 8 };
                self.frame.extend([echo_request, 0, 0, 0, 0, 1, 0, 1]);
            }
        }
    }

    fn put_transport_checksum(&mut self, flow: &Flow, start: usize) {
        let transport = &self.frame[start..];
        let mut total = sum(transport);
        if flow.protocol != 1 {
            total += flow.pseudo_header_sum(transport.len());
        }
        let place = start
            + match flow.protocol {
                TCP => 16,
                UDP => 6,
                _ => 2,
            };
        // UDP keeps 0 for "no checksum" (RFC 768); the other zero is all ones.
        let checksum = match fold(total) {
            0 if flow.protocol == UDP => u16::MAX,
            checksum => checksum,
        };
        self.frame[place..place + 2].copy_from_slice(&checksum.to_be_bytes());
    }
}

/// A host's number and its port in a flow.
#[derive(Clone, Copy, Debug)]
struct End {
    host: u32,
    is_server: bool,
    port: u16,
}

impl End {
    fn mac(self) -> [u8; 6] {
        let [_, a, b, c] = self.host.to_be_bytes();
        [2, 0, u8::from(self.is_server), a, b, c]
    }

    /// Clients live in 10.0.0.0/8, servers in 93.0.0.0/8; an odd factor scatters them.
    fn v4(self) -> [u8; 4] {
        let [_, a, b, c] = self.host.wrapping_mul(0x009e_3779).to_be_bytes();
        [if self.is_server { 93 } else { 10 }, a, b, c]
    }

    fn v6(self) -> [u8; 16] {
        let [a, b, c, d] = self.v4();
        [0x20, 1, 0xd, 0xb8, 0, a, 0, 0, 0, 0, 0, 0, 0, b, c, d]
    }
}

/// The addresses and ports of one flow, in the direction of one packet.
#[derive(Clone, Copy, Debug)]
struct Flow {
    is_v6: bool,
    vlan: Option<u16>,
    protocol: u8,
    source: End,
    destination: End,
}

impl Flow {
    /// The flow of this number, from its client to its server.
    fn new(seed: u64, number: u64) -> Self {
        let mut random = Random::new(mix(seed) ^ number);
        let protocol = if random.percent(80) { TCP } else { UDP };
        let ports: &[u16] = if protocol == TCP {
            &TCP_PORTS
        } else {
            &UDP_PORTS
        };
        let mut host = |bits: u32| u32::try_from(random.rank(1 << bits)).expect("24 bits at most");
        let (client, server) = (host(24), host(16));
        Self {
            is_v6: random.percent(10),
            vlan: random.percent(5).then(|| 100 + u16_below(&mut random, 8)),
            protocol,
            source: End {
                host: client,
                is_server: false,
                port: 32_768 + u16_below(&mut random, 28_232),
            },
            destination: End {
                host: server,
                is_server: true,
                port: ports[usize::from(u16_below(&mut random, ports.len() as u64))],
            },
        }
    }

    fn reversed(self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            ..self
        }
    }

    fn icmp(self) -> Self {
        Self {
            protocol: if self.is_v6 { 58 } else { 1 },
            ..self
        }
    }

    fn transport_bytes(&self) -> usize {
        if self.protocol == TCP { 20 } else { 8 }
    }

    /// RFC 9293 §3.1 and RFC 8200 §8.1.
    fn pseudo_header_sum(&self, transport_bytes: usize) -> u64 {
        let addresses = if self.is_v6 {
            sum(&self.source.v6()) + sum(&self.destination.v6())
        } else {
            sum(&self.source.v4()) + sum(&self.destination.v4())
        };
        addresses + u64::from(self.protocol) + transport_bytes as u64
    }
}

/// How frame lengths are drawn: small ones (acknowledgements, questions), full ones, and a
/// fifth in between, with the wanted mean.
#[derive(Debug)]
struct Lengths {
    small_span: u64,
    full_per_million: u64,
    between: u64,
    between_span: u64,
}

impl Lengths {
    fn around(mean: u64) -> Self {
        let (least, most) = (FRAME_BYTES_MIN as u64, FRAME_BYTES_MAX as u64);
        let mean = mean.clamp(least, most);
        let small = mean.min(least + 32);
        let half = (mean - least).min(most - mean);
        Self {
            small_span: 2 * (small - least) + 1,
            full_per_million: (mean - small) * 1_000_000 / (most - small),
            between: mean - half,
            between_span: 2 * half + 1,
        }
    }

    fn draw(&self, random: &mut Random) -> usize {
        let length = if random.percent(20) {
            self.between + random.below(self.between_span)
        } else if random.below(1_000_000) < self.full_per_million {
            FRAME_BYTES_MAX as u64
        } else {
            FRAME_BYTES_MIN as u64 + random.below(self.small_span)
        };
        usize::try_from(length).expect("at most the longest frame")
    }
}

fn letter(random: &mut Random) -> u8 {
    let letters = b"etaoin shrdlucmfwypvbgkjqxz 0123456789\r\n";
    letters[usize::from(u16_below(random, letters.len() as u64))]
}

fn u16_below(random: &mut Random, bound: u64) -> u16 {
    u16::try_from(random.below(bound)).expect("callers ask for less than 2^16")
}

fn be16(length: usize) -> [u8; 2] {
    u16::try_from(length)
        .expect("frames are short")
        .to_be_bytes()
}

/// The sum of 16-bit words of RFC 1071, not yet folded.
fn sum(bytes: &[u8]) -> u64 {
    let words = bytes.chunks_exact(2);
    let last = words.remainder().first().map_or(0, |&b| u64::from(b) << 8);
    last + words
        .map(|word| u64::from(u16::from_be_bytes([word[0], word[1]])))
        .sum::<u64>()
}

/// The checksum of a sum: folded to 16 bits, then inverted.
fn fold(sum: u64) -> u16 {
    let folded = (0..4).fold(sum, |sum, _| (sum & 0xffff) + (sum >> 16));
    !u16::try_from(folded).expect("four folds of 64 bits leave 16")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Addresses, network};

    #[test]
    fn a_seed_gives_the_same_frames_and_another_seed_others() {
        let frames = |seed| -> Vec<Vec<u8>> {
            let mut traffic = Traffic::new(seed, 600);
            (0..50)
                .map(|i| traffic.frame(i, i % 2 == 0).to_vec())
                .collect()
        };
        assert_eq!(frames(1), frames(1));
        assert_ne!(frames(1), frames(2));
    }

    #[test]
    fn the_mix_is_as_documented() {
        let mut traffic = Traffic::new(7, 600);
        let (mut v4, mut v6, mut tagged, mut bytes) = (0, 0, 0, 0);
        for i in 0..20_000 {
            let frame = traffic.frame(i / 2, i % 2 == 0);
            bytes += frame.len();
            tagged += i32::from(frame[12..14] == [0x81, 0]);
            match network(frame).map(|packet| packet.addresses) {
                Some(Addresses::V4(..)) => v4 += 1,
                Some(Addresses::V6(..)) => v6 += 1,
                None => {}
            }
        }
        assert!((570 * 20_000..630 * 20_000).contains(&bytes), "{bytes}");
        assert!((16_500..18_500).contains(&v4), "{v4}");
        assert!((1_500..2_500).contains(&v6), "{v6}");
        assert!((700..1_300).contains(&tagged), "{tagged}");
    }

    #[test]
    fn lengths_keep_their_mean_and_bounds() {
        for mean in [60, 64, 92, 93, 240, 600, 1000, 1500, 1514] {
            let (lengths, mut random) = (Lengths::around(mean), Random::new(mean));
            let drawn: Vec<usize> = (0..50_000).map(|_| lengths.draw(&mut random)).collect();
            assert!(drawn.iter().all(|length| (60..=1514).contains(length)));
            let total = drawn.iter().sum::<usize>() as u64;
            assert!(total.abs_diff(mean * 50_000) < mean * 50_000 / 40, "{mean}");
        }
    }

    #[test]
    fn ipv4_header_checksums_are_right() {
        let mut traffic = Traffic::new(3, 200);
        for i in 0..200 {
            let frame = traffic.frame(i, true);
            if frame[12..14] == [8, 0] {
                assert_eq!(fold(sum(&frame[14..34])), 0);
            }
        }
    }
}
