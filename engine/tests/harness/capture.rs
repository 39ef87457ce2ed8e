//! Random captures: few addresses and ports, so that objects have much in common, and now and
//! then damage of every kind.

use super::random::Random;

/// A capture file before it is written.
#[derive(Clone, Debug)]
pub struct Capture {
    /// Whether its numbers are big-endian.
    pub big_endian: bool,
    /// Whether its times are in nanoseconds.
    pub nanos: bool,
    /// 1 is Ethernet.
    pub linktype: u32,
    /// The packets.
    pub packets: Vec<Packet>,
    /// How many bytes are missing at the end of the file.
    pub cut: usize,
}

/// A packet of a capture.
#[derive(Clone, Debug)]
pub struct Packet {
    seconds: u32,
    fraction: u32,
    bytes: Vec<u8>,
    length: u32,
}

const SNAPLEN: u32 = 65535;

impl Capture {
    /// A random capture of at most `most` packets.
    pub fn random(random: &mut Random, most: usize) -> Capture {
        let mut clock = 1_767_225_600;
        let count = random.between(0, most).max(random.between(0, most));
        let packets = (0..count)
            .map(|_| Packet::random(random, &mut clock))
            .collect();
        Capture {
            big_endian: random.percent(15),
            nanos: random.percent(15),
            linktype: if random.percent(4) { 113 } else { 1 },
            packets,
            cut: if random.percent(4) {
                random.between(1, 40)
            } else {
                0
            },
        }
    }

    /// The bytes of the file.
    pub fn file(&self) -> Vec<u8> {
        let mut file = Vec::new();
        self.put32(
            if self.nanos { 0xa1b2_3c4d } else { 0xa1b2_c3d4 },
            &mut file,
        );
        self.put16(2, &mut file);
        self.put16(4, &mut file);
        for number in [0, 0, SNAPLEN, self.linktype] {
            self.put32(number, &mut file);
        }
        let header = file.len();
        for packet in &self.packets {
            let captured = packet.bytes.len() as u32;
            for number in [packet.seconds, packet.fraction, captured, packet.length] {
                self.put32(number, &mut file);
            }
            file.extend(&packet.bytes);
        }
        file.truncate(header.max(file.len().saturating_sub(self.cut)));
        file
    }

    fn put32(&self, number: u32, out: &mut Vec<u8>) {
        out.extend(if self.big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        });
    }

    fn put16(&self, number: u16, out: &mut Vec<u8>) {
        out.extend(if self.big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        });
    }
}

impl Packet {
    fn random(random: &mut Random, clock: &mut u32) -> Packet {
        *clock += random.weighted(&[(3, 0), (4, 1), (1, 5)]);
        if random.percent(5) {
            *clock -= 2;
        }
        let mut bytes = frame(random);
        let length = bytes.len() as u32 + random.weighted(&[(9, 0), (1, 100)]);
        if random.percent(12) {
            bytes.truncate(random.below(bytes.len() + 1));
        }
        if random.percent(12) && !bytes.is_empty() {
            let at = random.below(bytes.len());
            bytes[at] = random.number() as u8;
        }
        Packet {
            seconds: *clock,
            fraction: *random.pick(&[0, 0, 123_456, 500_000]),
            bytes,
            length,
        }
    }
}

const TCP: u8 = 6;
const UDP: u8 = 17;

fn frame(random: &mut Random) -> Vec<u8> {
    let mut frame = Vec::new();
    for _ in 0..2 {
        frame.extend([2, 0, 0, 0, 0, random.weighted(&[(4, 1), (3, 2), (1, 3)])]);
    }
    let tags = random.weighted(&[(80, 0), (14, 1), (4, 2), (1, 16), (1, 17)]);
    for _ in 0..tags {
        let kind: [u8; 2] = random.weighted(&[(6, [0x81, 0]), (1, [0x88, 0xa8]), (1, [0x91, 0])]);
        frame.extend(kind);
        frame.extend([
            random.weighted(&[(3, 0), (1, 0xa0)]),
            *random.pick(&[7, 42]),
        ]);
    }
    type Layer = fn(&mut Random) -> (u16, Vec<u8>);
    let layer: Layer = random.weighted(&[
        (66, ipv4 as Layer),
        (14, ipv6),
        (13, arp),
        (4, |random| (random.below(0x600) as u16, payload(random))),
        (3, |random| (0x88cc, payload(random))),
    ]);
    let (ethertype, bytes) = layer(random);
    frame.extend(ethertype.to_be_bytes());
    frame.extend(bytes);
    frame
}

fn ipv4(random: &mut Random) -> (u16, Vec<u8>) {
    let (protocol, carried) = transport(random, &[(50, TCP), (32, UDP), (14, 1), (2, 47), (2, 2)]);
    let options = random.weighted(&[(9, 0), (1, 8)]);
    let real = 20 + options + carried.len();
    let total = random.weighted(&[(92, real), (2, 0), (2, real - 3), (2, real + 9), (2, 12)]);
    let fragment: u16 = random.weighted(&[(90, 0), (5, 0x2000), (5, 0x00b9)]);
    let mut ip = vec![0x45 + (options / 4) as u8, *random.pick(&[0, 0, 0xb8])];
    ip.extend((total as u16).to_be_bytes());
    ip.extend((random.between(1, 4) as u16).to_be_bytes());
    ip.extend(fragment.to_be_bytes());
    ip.extend([*random.pick(&[1, 64, 128]), protocol, 0, 0]);
    for _ in 0..2 {
        ip.extend(address4(random));
    }
    ip.resize(20 + options, 1);
    ip.extend(carried);
    (0x0800, ip)
}

fn address4(random: &mut Random) -> [u8; 4] {
    let [a, b, c, d] = [[10, 0, 0, 1], [10, 0, 0, 2], [10, 0, 1, 1], [192, 0, 2, 1]];
    random.weighted(&[(4, a), (3, b), (2, c), (1, d)])
}

fn ipv6(random: &mut Random) -> (u16, Vec<u8>) {
    let (next, carried) = transport(random, &[(4, TCP), (3, UDP), (2, 58), (1, 47)]);
    let length = random.weighted(&[(9, carried.len()), (1, 0), (1, carried.len() / 2)]);
    let mut ip = vec![
        0x60 | random.weighted(&[(3, 0), (1, 5)]),
        *random.pick(&[0, 0x40]),
        0,
        0,
    ];
    ip.extend((length as u16).to_be_bytes());
    ip.extend([next, *random.pick(&[64, 255])]);
    for _ in 0..2 {
        let mut address = [0; 16];
        address[0] = 0xfd;
        address[15] = random.between(1, 2) as u8;
        ip.extend(address);
    }
    ip.extend(carried);
    (0x86dd, ip)
}

fn arp(random: &mut Random) -> (u16, Vec<u8>) {
    let mut arp = vec![0, 1, 8, 0, 6, 4, 0, random.between(1, 2) as u8];
    for _ in 0..2 {
        arp.extend([2, 0, 0, 0, 0, 1]);
        arp.extend(address4(random));
    }
    arp.resize(random.weighted(&[(1, 28), (1, 46)]), 0);
    (0x0806, arp)
}

/// A protocol and a packet of it.
fn transport(random: &mut Random, protocols: &[(usize, u8)]) -> (u8, Vec<u8>) {
    let protocol = random.weighted(protocols);
    let packet = match protocol {
        TCP => tcp(random),
        UDP => udp(random),
        1 | 58 => {
            let mut icmp = vec![*random.pick(&[0, 3, 8]), random.below(3) as u8, 0, 0];
            icmp.extend(payload(random));
            icmp
        }
        _ => payload(random),
    };
    (protocol, packet)
}

fn port(random: &mut Random) -> [u8; 2] {
    let port: u16 = random.weighted(&[(2, 22), (2, 53), (4, 80), (2, 443), (2, 1000)]);
    port.to_be_bytes()
}

fn tcp(random: &mut Random) -> Vec<u8> {
    let mut tcp = [port(random), port(random)].concat();
    for _ in 0..2 {
        tcp.extend((random.below(3) as u32 * 1000).to_be_bytes());
    }
    let words = random.weighted(&[(80, 5), (12, 6), (4, 15), (4, 4)]);
    tcp.extend([
        words << 4,
        *random.pick(&[2, 2, 0x12, 0x10, 0x10, 0x18, 0x11, 0x31, 4, 0x14]),
    ]);
    tcp.extend([1, 0, 0, 0, 0, random.weighted(&[(9, 0), (1, 7)])]);
    if words == 6 {
        tcp.extend([1; 4]);
    }
    tcp.extend(payload(random));
    tcp
}

fn udp(random: &mut Random) -> Vec<u8> {
    let payload = payload(random);
    let real = 8 + payload.len();
    let length = random.weighted(&[(90, real), (3, 0), (3, real + 5), (4, 9)]) as u16;
    let mut udp = [port(random), port(random), length.to_be_bytes(), [0, 0]].concat();
    udp.extend(payload);
    udp
}

fn payload(random: &mut Random) -> Vec<u8> {
    let texts: &[&[u8]] = &[
        b"",
        b"a",
        b"ab",
        b"GET / HTTP/1.1",
        b"caf\xc3\xa9\x00\n\\",
        &[7; 40],
    ];
    random.pick(texts).to_vec()
}
