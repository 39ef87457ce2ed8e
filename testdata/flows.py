#!/usr/bin/env python3
"""Write the flow exports of testdata/captures.

    flows.py [FOLDER]     write the files (default: captures/ beside this script)

Standard library only; every run writes the same bytes. Addresses are those reserved for
documentation.
"""

import struct
import sys
from pathlib import Path

from generate import IPV4, SECOND, START, UDP, ether, file_header, ipv4, packed, record, udp

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


FILES = {
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
