#!/usr/bin/env python3
"""Write the flow exports of testdata/captures.

    flows.py [FOLDER]     write the files (default: captures/ beside this script)

Standard library only; every run writes the same bytes. Addresses are those reserved for
documentation.
"""

import struct
import sys
from pathlib import Path

from generate import IPV4, IPV6, SECOND, START, UDP, ether, file_header, ipv4, ipv6, packed, record, tcp, udp

COLLECTOR = "198.51.100.99"
R1, R2, R3 = "192.0.2.251", "192.0.2.252", "192.0.2.253"
UPTIME = 100_000


# --- NetFlow without templates ---------------------------------------------------------------

def fixed(version, sequence, flows, *, engine=0, sampling=0):
    """A message of version 1, 5 or 7; flows are (src, dst, sport, dport, protocol, packets, bytes)."""
    head = struct.pack(">HHIII", version, len(flows), UPTIME, START + 60, 500_000_000)
    if version == 5:
        head += struct.pack(">IBBH", sequence, 1, engine, sampling)
    if version == 7:
        head += struct.pack(">II", sequence, 0)
    body = b""
    for number, (src, dst, sport, dport, protocol, packets, size) in enumerate(flows):
        first = UPTIME - 30_000 + number * 1000
        body += packed(src) + packed(dst) + packed("192.0.2.254")
        body += struct.pack(">HHIIIIHH", 3, 4, packets, size, first, first + 2500, sport, dport)
        flags = 0x1B if protocol == 6 else 0
        if version == 1:
            body += struct.pack(">HBBB11x", 0, protocol, 0x10, flags)
        else:
            body += struct.pack(">BBBBHHBBH", 0, flags, protocol, 0x10, 64500, 64501, 24, 16, 0)
        if version == 7:
            body += packed("192.0.2.250")
    return head + body


# --- sets ------------------------------------------------------------------------------------

def flowset(number, content):
    content += bytes(-len(content) % 4)
    return struct.pack(">HH", number, 4 + len(content)) + content


def template(number, fields):
    text = struct.pack(">HH", number, len(fields))
    for element, length, *enterprise in fields:
        text += struct.pack(">HH", element | (0x8000 if enterprise else 0), length)
        text += struct.pack(">I", enterprise[0]) if enterprise else b""
    return text


def v9(sequence, source, sets):
    head = struct.pack(">HHIIII", 9, len(sets), UPTIME, START + 61, sequence, source)
    return head + b"".join(sets)


def ipfix(sequence, domain, sets):
    body = b"".join(sets)
    return struct.pack(">HHIII", 10, 16 + len(body), START + 62, sequence, domain) + body


def variable(data):
    return (bytes([len(data)]) if len(data) < 255 else b"\xff" + struct.pack(">H", len(data))) + data


V9_FIELDS = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 1), (2, 4), (1, 4), (22, 4), (21, 4), (10, 2), (14, 2)]


def v9_flow(src, dst, sport, dport, protocol, packets, size):
    return (packed(src) + packed(dst) + struct.pack(">HHBBII", sport, dport, protocol, 0x12, packets, size)
            + struct.pack(">IIHH", UPTIME - 5000, UPTIME - 4000, 7, 8))


IPFIX_FIELDS = [(27, 16), (28, 16), (7, 2), (11, 2), (4, 1), (152, 8), (153, 8), (2, 8), (1, 8),
                (1, 8, 29305), (82, 65535), (12232, 65535, 9), (157, 8)]


def ntp(nanoseconds):
    seconds, rest = divmod(nanoseconds, SECOND)
    return struct.pack(">II", seconds + 2_208_988_800, (rest << 32) // SECOND + 1)


def ipfix_flow(src, dst, sport, dport, protocol, packets, size, back, name, host):
    start = START * 1000 + 1250
    return (packed(src) + packed(dst) + struct.pack(">HHBQQQQQ", sport, dport, protocol, start, start + 750,
                                                    packets, size, back)
            + variable(name) + variable(host) + ntp(START * SECOND + 2 * SECOND))


# --- files -----------------------------------------------------------------------------------

A, B, C, D = "192.0.2.1", "192.0.2.2", "198.51.100.20", "198.51.100.53"


def messages(odd=False):
    """(exporter, port, message) in the order in which they come; odd: some of it cannot be used."""
    yield R1, 2055, fixed(5, 1000, [(A, C, 40001, 80, 6, 10, 5000), (C, A, 80, 40001, 6, 12, 15000),
                                    (B, D, 40005, 53, 17, 1, 62)], engine=2, sampling=0x4064)
    # Where it is odd two flows are missing before this one.
    lost = 2 if odd else 0
    yield R1, 2055, fixed(5, 1003 + lost, [(A, D, 40009, 53, 17, 2, 130)], engine=2, sampling=0x4064)
    yield R2, 2055, fixed(1, 0, [(B, C, 40010, 443, 6, 3, 300)])
    yield R2, 2055, fixed(7, 50, [(B, C, 40011, 443, 6, 4, 400)])
    data = flowset(256, v9_flow(A, C, 40020, 80, 6, 20, 2000) + v9_flow(B, D, 40021, 53, 17, 1, 80))
    # The data come before their template.
    yield R2, 9995, v9(7, 5, [data])
    yield R2, 9995, v9(8, 5, [flowset(0, template(256, V9_FIELDS)),
                              flowset(1, struct.pack(">HHHHHHHHH", 257, 4, 8, 1, 4, 34, 4, 35, 1)),
                              flowset(257, struct.pack(">IIB", 1, 100, 2))]
                      + ([flowset(999, b"nobody knows")] if odd else []))
    yield R3, 4739, ipfix(0, 9, [flowset(2, template(300, IPFIX_FIELDS))])
    yield R3, 4739, ipfix(0, 9, [flowset(300, ipfix_flow(
        "2001:db8::1", "2001:db8::53", 40030, 53, 17, 1, 90, 210, b"eth0", b"www.example.test"))])
    yield R3, 4739, ipfix(1, 9, [flowset(300, ipfix_flow(
        "2001:db8::2", "2001:db8::80", 40031, 80, 6, 5, 900, 0, b"a" * 300, b""))])
    # Another port: a whole message is decoded all the same.
    yield R1, 7777, fixed(5, 1004 + lost, [(A, C, 40040, 8080, 6, 1, 60)], engine=2, sampling=0x4064)


def netflow_pcap(odd=False):
    frames = []
    for exporter, port, message in messages(odd):
        frames.append(ether(IPV4, ipv4(UDP, udp(50000, port, message, src=exporter, dst=COLLECTOR),
                                       src=exporter, dst=COLLECTOR)))
    # No message: what begins like one, to a port of no exporter.
    frames.append(ether(IPV4, ipv4(UDP, udp(50000, 53, b"\x00\x05\x00\x09 no export"))))
    records = (record((START + 70) * SECOND + i * 1_000_000, frame) for i, frame in enumerate(frames))
    return file_header() + b"".join(records)


def flows_ipfix():
    return b"".join(message for exporter, _, message in messages() if exporter == R3)


def flows_v5():
    return b"".join(message for exporter, _, message in messages() if exporter == R1)


def cflow():
    """cflowd's raw flows, as SMACQ reads them."""
    text = b""
    for index, (src, dst, sport, dport, protocol, packets, size) in enumerate(
            [(A, C, 40001, 80, 6, 10, 5000), (B, D, 40005, 53, 17, 1, 62), (C, A, 80, 40001, 6, 12, 15000)]):
        text += struct.pack(">I", index) + packed(R1) + packed(src) + packed(dst)
        text += struct.pack(">HHHHII", 3, 4, sport, dport, packets, size) + packed("192.0.2.254")
        text += struct.pack(">IIBBHHBBBBB", START + index, START + index + 2, protocol, 0x10, 64500, 64501,
                            24, 16, 0x1B if protocol == 6 else 0, 1, 2)
    return text


# --- nfdump ----------------------------------------------------------------------------------

NFDUMP_FLOWS = [
    # (src, dst, sport, dport, protocol, packets, bytes, first and last in milliseconds)
    (A, C, 40001, 80, 6, 10, 5000, 250, 1750),
    (C, A, 80, 40001, 6, 12, 15000, 251, 1749),
    (B, D, 40005, 53, 17, 1, 62, 3000, 3000),
    ("2001:db8::1", "2001:db8::53", 40030, 53, 17, 2, 180, 4000, 4100),
]


def host_order(address):
    """An address as the numbers that nfdump writes: 32 bits, or twice 64."""
    text = packed(address)
    return text[::-1] if len(text) == 4 else text[7::-1] + text[:7:-1]


def extension(kind, content):
    return struct.pack("<HH", kind, 4 + len(content)) + content


def nfdump_2(src, dst, sport, dport, protocol, packets, size, first, last):
    start = START * 1000
    flags = 0x1B if protocol == 6 else 0
    generic = struct.pack("<QQQQQHHBBBB", start + first, start + last, start + 9000, packets, size, sport, dport,
                          protocol, flags, 0, 16)
    addresses = host_order(src) + host_order(dst)
    parts = [extension(1, generic), extension(2 if len(addresses) == 8 else 3, addresses)]
    if protocol == 6:
        parts += [extension(4, struct.pack("<IIBBBBBBBB", 3, 4, 24, 16, 1, 32, 0, 0, 0, 0)),
                  extension(7, struct.pack("<II", 64500, 64501)), extension(10, host_order("192.0.2.254"))]
    parts.append(extension(12, host_order(R1)))
    body = b"".join(parts)
    return struct.pack("<HHHBBHBB", 11, 12 + len(body), len(parts), 1, 2, 1, 0, 5) + body


def nfcapd_2():
    """Layout 2: an exporter's record, which is no flow, then the flows in two blocks, then what nfdump
    keeps behind them."""
    exporter = struct.pack("<HHI", 7, 32, 5) + bytes(24)
    blocks = b""
    for records in ([exporter] + [nfdump_2(*flow) for flow in NFDUMP_FLOWS[:3]],
                    [nfdump_2(*flow) for flow in NFDUMP_FLOWS[3:]]):
        body = b"".join(records)
        blocks += struct.pack("<IIHH", len(records), len(body), 3, 0) + body
    ident = struct.pack("<HH", 0x8001, 12) + b"testing\0"
    appendix = struct.pack("<IIHH", 1, len(ident), 3, 0) + ident
    head = struct.pack("<HHIQBBHIQII", 0xA50C, 2, 0xF1070100, START, 0, 0, 1, 0, 40 + len(blocks), 1 << 20, 2)
    return head + blocks + appendix


def nfdump_1(src, dst, sport, dport, protocol, packets, size, first, last):
    is_v6 = ":" in src
    flags = (1 if is_v6 else 0) | (2 if packets > 10 else 0) | (4 if size > 10_000 else 0)
    body = host_order(src) + host_order(dst)
    body += struct.pack("<Q" if flags & 2 else "<I", packets) + struct.pack("<Q" if flags & 4 else "<I", size)
    # The map's extensions: interfaces, networks, the next router, when it was received.
    body += struct.pack("<HHBBBB", 3, 4, 32, 1, 24, 16) + host_order("192.0.2.254")
    body += struct.pack("<Q", START * 1000 + 9000)
    head = struct.pack("<HHIIBBBBHHHH", first % 1000, last % 1000, START + first // 1000, START + last // 1000, 0,
                       0x1B if protocol == 6 else 0, protocol, 16, sport, dport, 1, 0)
    return struct.pack("<HHHH", 10, 8 + len(head) + len(body), flags, 0) + head + body


def nfcapd_1():
    """Layout 1: a map of extensions, then the flows."""
    extensions = struct.pack("<6H", 4, 8, 9, 27, 0, 0)
    records = [struct.pack("<HHHH", 2, 8 + len(extensions), 0, 20) + extensions]
    records += [nfdump_1(*flow) for flow in NFDUMP_FLOWS]
    body = b"".join(records)
    head = struct.pack("<HHII128s", 0xA50C, 1, 0, 1, b"testing") + bytes(136)
    return head + struct.pack("<IIHH", len(records), len(body), 2, 0) + body


# --- sFlow -----------------------------------------------------------------------------------

def xdr(*words):
    return struct.pack(f">{len(words)}I", *words)


def opaque(content):
    return xdr(len(content)) + content + bytes(-len(content) % 4)


def sflow(sequence, samples):
    head = xdr(5, 1) + packed(R1) + xdr(0, sequence, UPTIME, len(samples))
    return head + b"".join(xdr(kind) + opaque(body) for kind, body in samples)


def sampled(frame, *, expanded=False, more=()):
    records = [(1, xdr(1, len(frame) + 4, 4) + opaque(frame[:128])), *more]
    ports = xdr(0, 3, 0, 4) if expanded else xdr(3, 4)
    source = xdr(1, 0, 3) if expanded else xdr(1, 3)
    body = source + xdr(512, 5120, 0) + ports + xdr(len(records))
    return body + b"".join(xdr(kind) + opaque(record) for kind, record in records)


def sflow_pcap():
    web = ether(IPV4, ipv4(6, tcp(40001, 80, b"GET / HTTP/1.1"), src=A, dst=C))
    dns = ether(IPV6, ipv6(UDP, udp(40030, 53, b"query", src="2001:db8::1", dst="2001:db8::53"),
                           src="2001:db8::1", dst="2001:db8::53"))
    router = (1002, xdr(1) + packed("192.0.2.254") + xdr(24, 16))
    counters = (2, xdr(1, 3, 0))
    messages = [sflow(1, [(1, sampled(web, more=[router])), (3, sampled(dns, expanded=True))]),
                sflow(2, [(1, sampled(dns))]), sflow(4, [counters, (1, sampled(web))])]
    frames = [ether(IPV4, ipv4(UDP, udp(50000, 6343, message, src=R1, dst=COLLECTOR), src=R1, dst=COLLECTOR))
              for message in messages]
    return file_header() + b"".join(record((START + 80 + i) * SECOND, frame) for i, frame in enumerate(frames))


FILES = {
    "sflow.pcap": sflow_pcap,
    "flows.nfcapd": nfcapd_2,
    "flows-1.6.nfcapd": nfcapd_1,
    "netflow.pcap": netflow_pcap,
    "netflow-odd.pcap": lambda: netflow_pcap(odd=True),
    "flows.ipfix": flows_ipfix,
    "flows.netflow5": flows_v5,
    "flows.cflow": cflow,
}


def main(arguments):
    folder = Path(arguments[0]) if arguments else Path(__file__).parent / "captures"
    for name, build in FILES.items():
        (folder / name).write_bytes(build())


if __name__ == "__main__":
    main(sys.argv[1:])
