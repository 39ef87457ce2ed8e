#!/usr/bin/env python3
"""Write the captures of testdata/captures that need exact bytes.

    generate.py [FOLDER]     write the files (default: captures/ beside this script)
    generate.py --list       number, captured and wire length, and name of each packet of hostile.pcap

Standard library only; every run writes the same bytes. Addresses are those reserved for
documentation (RFC 5737, RFC 3849, RFC 7042).
"""

import struct
import sys
from datetime import datetime, timezone
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

START = int(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp())
SECOND = 1_000_000_000
ETHERNET = 1
SNAPLEN = 65535

IPV4, ARP, VLAN, QINQ, IPV6 = 0x0800, 0x0806, 0x8100, 0x88A8, 0x86DD
ICMP, IPIP, TCP, UDP, ICMPV6 = 1, 4, 6, 17, 58
HOP, ROUTING, FRAGMENT, NONE, DESTINATION = 0, 43, 44, 59, 60
SYN, PSH, ACK = 0x02, 0x08, 0x10

H1, H2 = "192.0.2.1", "192.0.2.2"
SECURE, SERVER, RESOLVER = "198.51.100.10", "198.51.100.20", "198.51.100.53"
BROADCAST = b"\xff" * 6
S6, D6 = "2001:db8::1", "2001:db8::2"


# --- protocols -------------------------------------------------------------------------------

def mac(last):
    return bytes.fromhex("00005e0053") + bytes([last])


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def packed(address):
    return (IPv6Address if ":" in address else IPv4Address)(address).packed


def pseudo_header(src, dst, protocol, length):
    if ":" in src:
        return packed(src) + packed(dst) + struct.pack(">II", length, protocol)
    return packed(src) + packed(dst) + struct.pack(">HH", protocol, length)


def ether(kind, payload=b"", *, src=mac(1), dst=mac(2)):
    return dst + src + struct.pack(">H", kind) + payload


def tag(vid, kind, payload=b"", *, priority=0):
    """What follows the EtherType 0x8100 or 0x88a8."""
    return struct.pack(">HH", priority << 13 | vid, kind) + payload


def tags(count, kind, payload=b""):
    """A whole frame with `count` stacked tags, VLAN 1 outermost."""
    for vid in range(count, 0, -1):
        kind, payload = VLAN, tag(vid, kind, payload)
    return ether(kind, payload)


def arp(*, hardware=1, protocol=IPV4, hlen=6, plen=4, operation=1, addresses=None):
    if addresses is None:
        addresses = mac(3) + packed("192.0.2.3") + bytes(6) + packed(H1)
    return struct.pack(">HHBBH", hardware, protocol, hlen, plen, operation) + addresses


def ipv4(protocol, payload=b"", *, src=H1, dst=SERVER, version=4, ihl=None, total=None,
         options=b"", ident=1, fragment=0x4000, wrong_checksum=False):
    """`fragment` is the whole 16-bit field: flags and offset in units of 8 bytes."""
    own_ihl = (20 + len(options)) // 4
    ihl = own_ihl if ihl is None else ihl
    total = 20 + len(options) + len(payload) if total is None else total
    header = struct.pack(">BBHHHBBH", version << 4 | ihl, 0, total, ident, fragment, 64, protocol, 0)
    header += packed(src) + packed(dst) + options
    value = checksum(header) ^ wrong_checksum
    return header[:10] + struct.pack(">H", value) + header[12:] + payload


def ipv6(following, payload=b"", *, src=S6, dst=D6, version=6, length=None):
    length = len(payload) if length is None else length
    return struct.pack(">IHBB", version << 28, length, following, 64) + packed(src) + packed(dst) + payload


def extension(following, body=bytes([1, 4, 0, 0, 0, 0]), *, length=0):
    """An IPv6 extension header; `length` counts 8-byte units beyond the first."""
    return bytes([following, length]) + body


def tcp(sport, dport, payload=b"", *, src=H1, dst=SERVER, flags=SYN, options=b"", offset=None):
    offset = (20 + len(options)) // 4 if offset is None else offset
    header = struct.pack(">HHIIBBHHH", sport, dport, 1000, 0 if flags == SYN else 5000,
                         offset << 4, flags, 64240, 0, 0) + options
    pseudo = pseudo_header(src, dst, TCP, len(header) + len(payload))
    value = checksum(pseudo + header + payload)
    return header[:16] + struct.pack(">H", value) + header[18:] + payload


def udp(sport, dport, payload=b"", *, src=H1, dst=SERVER, length=None, wrong_checksum=False):
    real = 8 + len(payload)
    length = real if length is None else length
    header = struct.pack(">HHH", sport, dport, length)
    value = checksum(pseudo_header(src, dst, UDP, length) + header + b"\0\0" + payload) or 0xFFFF
    return header + struct.pack(">H", value ^ wrong_checksum) + payload


def icmp(kind, code, body=b""):
    start = struct.pack(">BB", kind, code)
    return start + struct.pack(">H", checksum(start + b"\0\0" + body)) + body


def icmpv6(kind, code, body=b"", *, src=S6, dst=D6):
    start = struct.pack(">BB", kind, code)
    pseudo = pseudo_header(src, dst, ICMPV6, 4 + len(body))
    return start + struct.pack(">H", checksum(pseudo + start + b"\0\0" + body)) + body


def dns_query(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", 0x1234, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)


# --- pcap files ------------------------------------------------------------------------------

def file_header(order="<", magic=0xA1B2C3D4):
    return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, SNAPLEN, ETHERNET)


def record(time, frame, *, wire_length=None, claimed=None, order="<", unit=1000):
    """`time` in nanoseconds; `claimed` is a captured length that is not true."""
    captured = len(frame) if claimed is None else claimed
    wire = captured if wire_length is None else wire_length
    seconds, rest = divmod(time, SECOND)
    return struct.pack(order + "IIII", seconds, rest // unit, captured, wire) + frame


# --- five packets: the worked examples of the design -----------------------------------------

SYN_OPTIONS = bytes.fromhex("020405b4 0402 080a 0000000100000000 01 030307")
REQUEST = b"GET /index.html HTTP/1.1\r\nHost: www.example.test\r\nUser-Agent: wireq\r\n\r\n"


def five():
    """(time, frame) of p1 to p5. Lengths differ; p2 alone is longer than 100 bytes."""
    who_has = ether(VLAN, tag(7, ARP, arp()), src=mac(3), dst=BROADCAST)
    frames = [
        ether(IPV4, ipv4(TCP, tcp(40001, 443, options=SYN_OPTIONS, dst=SECURE), dst=SECURE)),
        ether(IPV4, ipv4(TCP, tcp(40002, 80, REQUEST, src=H2, flags=PSH | ACK), src=H2)),
        who_has.ljust(60, b"\0"),
        ether(IPV4, ipv4(TCP, tcp(40004, 80, flags=ACK))),
        ether(IPV4, ipv4(UDP, udp(40005, 53, dns_query("www.example.test"), src=H2, dst=RESOLVER),
                         src=H2, dst=RESOLVER)),
    ]
    return [((START + i) * SECOND + 123_456_789, frame) for i, frame in enumerate(frames)]


def five_pcap():
    return file_header() + b"".join(record(time, frame) for time, frame in five())


def five_nano_be():
    records = (record(time, frame, order=">", unit=1) for time, frame in five())
    return file_header(">", 0xA1B23C4D) + b"".join(records)


def cut():
    """five.pcap, ended in the middle of the last packet's bytes."""
    last = five()[-1][1]
    return five_pcap()[:-(len(last) // 2)]


def bad_length():
    """five.pcap, where the second record claims 2^32 - 1 bytes."""
    records = [record(time, frame, claimed=0xFFFF_FFFF if i == 1 else None)
               for i, (time, frame) in enumerate(five())]
    return file_header() + b"".join(records)


# --- hostile packets -------------------------------------------------------------------------

def ethernet_cases():
    whole = ether(IPV4, ipv4(UDP, udp(1, 2)))
    yield "frame of zero bytes", b""
    yield "nothing captured of 60 bytes", b"", 60
    yield "frame of one byte", whole[:1]
    yield "frame ends in the source address", whole[:9]
    yield "frame ends before the EtherType", whole[:12]
    yield "frame ends in the EtherType", whole[:13]
    yield "Ethernet header alone", whole[:14]
    yield "802.3 length larger than the frame", ether(1400, b"\x42\x42\x03")
    yield "802.3 with a cut SNAP header", ether(5, b"\xaa\xaa\x03\x00\x00")
    yield "EtherType 0xffff", ether(0xFFFF, bytes(46))


def vlan_cases():
    inner = ipv4(UDP, udp(1024, 53, b"inside"))
    yield "frame ends in the tag", ether(VLAN, b"\x00")
    yield "tag without an EtherType", ether(VLAN, b"\x00\x07")
    yield "tag, then nothing", ether(VLAN, tag(7, IPV4))
    yield "20 stacked tags, then UDP", tags(20, IPV4, inner)
    yield "20 stacked tags, then nothing", tags(20, VLAN)
    yield "802.1ad and 802.1Q, IPv4 cut", ether(QINQ, tag(100, VLAN, tag(7, IPV4, inner[:11])))
    yield "VLAN 0, priority 7", ether(VLAN, tag(0, IPV4, inner, priority=7))
    yield "VLAN 4095, which is reserved", ether(VLAN, tag(4095, IPV4, inner))


def arp_cases():
    yield "ARP cut in the header", ether(ARP, arp()[:5])
    yield "ARP cut in the addresses", ether(ARP, arp()[:17])
    yield "ARP, address lengths 0", ether(ARP, arp(hlen=0, plen=0))
    yield "ARP, address lengths 255", ether(ARP, arp(hlen=255, plen=255))
    yield "ARP, unknown hardware and operation", ether(ARP, arp(hardware=0xFFFF, operation=0xFFFF))


def ipv4_cases():
    segment, datagram = tcp(40000, 80, b"data", flags=PSH | ACK), udp(40000, 53, b"data")
    long_options = bytes([68, 40, 5, 0]) + bytes(4)
    yield "IPv4, one byte", ether(IPV4, b"\x45")
    yield "IPv4 cut in the header", ether(IPV4, ipv4(TCP)[:19])
    yield "IPv4 cut in the options", ether(IPV4, ipv4(TCP, options=bytes(20))[:25])
    yield "version 6 under EtherType IPv4", ether(IPV4, ipv4(TCP, segment, version=6))
    yield "IHL 0", ether(IPV4, ipv4(TCP, segment, ihl=0))
    yield "IHL 4", ether(IPV4, ipv4(TCP, segment, ihl=4))
    yield "IHL 15, beyond the capture", ether(IPV4, ipv4(TCP, segment[:8], ihl=15))
    yield "total length 0", ether(IPV4, ipv4(TCP, segment, total=0))
    yield "total length smaller than the header", ether(IPV4, ipv4(TCP, segment, total=19))
    yield "total length ends in the TCP header", ether(IPV4, ipv4(TCP, segment, total=30))
    yield "total length larger than the frame", ether(IPV4, ipv4(TCP, segment, total=1500))
    yield "option of length 0", ether(IPV4, ipv4(UDP, datagram, options=bytes([7, 0, 0, 0])))
    yield "option beyond the header", ether(IPV4, ipv4(UDP, datagram, options=long_options))
    yield "wrong IPv4 checksum", ether(IPV4, ipv4(UDP, datagram, wrong_checksum=True))
    yield "second fragment of UDP", ether(IPV4, ipv4(UDP, b"\x00\x50" * 20, fragment=185))
    yield "fragment that ends beyond 65,535", ether(IPV4, ipv4(ICMP, bytes(64), fragment=8191))
    yield "first fragment of TCP with 8 bytes", ether(IPV4, ipv4(TCP, segment[:8], fragment=0x2000))
    yield "fragment of TCP at offset 8", ether(IPV4, ipv4(TCP, segment[8:], fragment=1))
    yield "protocol 255", ether(IPV4, ipv4(255, bytes(26)))
    yield "IPv4 in itself 20 times", ether(IPV4, nested(20))


def nested(depth):
    packet = ipv4(UDP, udp(1, 2))
    for _ in range(depth):
        packet = ipv4(IPIP, packet)
    return packet


def ipv6_cases():
    datagram = udp(40000, 53, b"data", src=S6, dst=D6)
    jumbo = extension(UDP, bytes([0xC2, 4]) + struct.pack(">I", 70000))
    options = b"".join(extension(DESTINATION) for _ in range(19)) + extension(UDP)
    routing = extension(UDP, bytes([0, 255]) + bytes(4))
    second = extension(UDP, struct.pack(">HI", 1448, 7))
    atomic = extension(UDP, struct.pack(">HI", 0, 7))
    yield "IPv6 cut in the header", ether(IPV6, ipv6(UDP)[:39])
    yield "version 4 under EtherType IPv6", ether(IPV6, ipv6(UDP, datagram, version=4))
    yield "payload length 0, no jumbo option", ether(IPV6, ipv6(UDP, datagram, length=0))
    yield "payload length ends in the UDP header", ether(IPV6, ipv6(UDP, datagram, length=6))
    yield "payload length larger than the frame", ether(IPV6, ipv6(UDP, datagram, length=1400))
    yield "jumbo payload of 70,000 bytes", ether(IPV6, ipv6(HOP, jumbo + datagram, length=0))
    yield "next header 253", ether(IPV6, ipv6(253, bytes(20)))
    yield "no next header, but bytes", ether(IPV6, ipv6(NONE, bytes(20)))
    yield "hop-by-hop of one byte", ether(IPV6, ipv6(HOP, b"\x11"))
    yield "hop-by-hop beyond the capture", ether(IPV6, ipv6(HOP, extension(UDP, length=255)))
    yield "20 destination headers, then UDP", ether(IPV6, ipv6(DESTINATION, options + datagram))
    yield "20 destination headers, the last cut", ether(IPV6, ipv6(DESTINATION, options[:-3]))
    yield "routing header, 255 segments left", ether(IPV6, ipv6(ROUTING, routing + datagram))
    yield "fragment header cut", ether(IPV6, ipv6(FRAGMENT, atomic[:3]))
    yield "second fragment of UDP over IPv6", ether(IPV6, ipv6(FRAGMENT, second + datagram))
    yield "atomic fragment", ether(IPV6, ipv6(FRAGMENT, atomic + datagram))


def icmp_cases():
    quoted = ipv4(UDP, udp(1, 2))
    solicitation = icmpv6(135, 0, bytes(4) + packed(D6) + bytes([1, 0]) + mac(1))
    yield "ICMP of one byte", ether(IPV4, ipv4(ICMP, b"\x08"))
    yield "ICMP type 255", ether(IPV4, ipv4(ICMP, icmp(255, 255, bytes(4))))
    yield "ICMP unreachable, quoted header cut", ether(IPV4, ipv4(ICMP, icmp(3, 3, bytes(4) + quoted[:13])))
    yield "ICMPv6 of three bytes", ether(IPV6, ipv6(ICMPV6, icmpv6(128, 0)[:3]))
    yield "neighbour solicitation, option of length 0", ether(IPV6, ipv6(ICMPV6, solicitation))


def tcp_cases():
    segment = tcp(40000, 80, b"data", flags=PSH | ACK)
    good = ether(IPV4, ipv4(TCP, tcp(40000, 80, bytes(1460), flags=ACK)))
    yield "TCP cut in the ports", ether(IPV4, ipv4(TCP, segment[:3]))
    yield "TCP ports alone", ether(IPV4, ipv4(TCP, segment[:4]))
    yield "TCP cut in the header", ether(IPV4, ipv4(TCP, segment[:19]))
    yield "data offset 0", ether(IPV4, ipv4(TCP, tcp(40000, 80, b"data", offset=0)))
    yield "data offset 4", ether(IPV4, ipv4(TCP, tcp(40000, 80, b"data", offset=4)))
    yield "data offset 15, beyond the packet", ether(IPV4, ipv4(TCP, tcp(40000, 80, b"data", offset=15)))
    yield "TCP option of length 0", ether(IPV4, ipv4(TCP, tcp(40000, 80, options=bytes([2, 0, 0, 0]))))
    yield "TCP option beyond the header", ether(IPV4, ipv4(TCP, tcp(40000, 80, options=bytes([8, 10, 0, 0]))))
    yield "no flags, ports 0", ether(IPV4, ipv4(TCP, tcp(0, 0, flags=0)))
    yield "all flags", ether(IPV4, ipv4(TCP, tcp(40000, 80, flags=0xFF)))
    yield "TCP header cut by the capture", good[:40], len(good)
    yield "TCP payload cut by the capture", good[:60], len(good)


def udp_cases():
    yield "UDP cut in the ports", ether(IPV4, ipv4(UDP, udp(40000, 53)[:3]))
    yield "UDP cut in the header", ether(IPV4, ipv4(UDP, udp(40000, 53)[:7]))
    yield "UDP length 0", ether(IPV4, ipv4(UDP, udp(40000, 53, b"data", length=0)))
    yield "UDP length 7", ether(IPV4, ipv4(UDP, udp(40000, 53, b"data", length=7)))
    yield "UDP length too small for the data", ether(IPV4, ipv4(UDP, udp(40000, 53, b"data", length=9)))
    yield "UDP length too large", ether(IPV4, ipv4(UDP, udp(40000, 53, b"data", length=65535)))
    yield "wrong UDP checksum", ether(IPV4, ipv4(UDP, udp(40000, 53, b"data", wrong_checksum=True)))
    yield "a good packet at the end", ether(IPV4, ipv4(UDP, udp(40000, 53, dns_query("end.example.test"))))


def hostile():
    """(name, frame, length on the wire) of each packet."""
    groups = (ethernet_cases, vlan_cases, arp_cases, ipv4_cases, ipv6_cases, icmp_cases, tcp_cases, udp_cases)
    for group in groups:
        for name, frame, *wire in group():
            yield name, frame, wire[0] if wire else len(frame)


def hostile_pcap():
    records = (record(START * SECOND + i * 1_000_000, frame, wire_length=wire)
               for i, (_, frame, wire) in enumerate(hostile()))
    return file_header() + b"".join(records)


FILES = {
    "five.pcap": five_pcap,
    "five-nano-be.pcap": five_nano_be,
    "hostile.pcap": hostile_pcap,
    "cut.pcap": cut,
    "empty.pcap": file_header,
    "bad-length.pcap": bad_length,
}


def main(arguments):
    if arguments == ["--list"]:
        for number, (name, frame, wire) in enumerate(hostile(), 1):
            print(f"{number:3} {len(frame):4} {wire:4}  {name}")
        return
    folder = Path(arguments[0]) if arguments else Path(__file__).parent / "captures"
    folder.mkdir(parents=True, exist_ok=True)
    for name, build in FILES.items():
        (folder / name).write_bytes(build())


if __name__ == "__main__":
    main(sys.argv[1:])
