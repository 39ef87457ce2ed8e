#!/usr/bin/env python3
"""The captures in other formats than plain pcap: pcapng, snoop, compressed, in an archive, damaged.

usage: testdata/formats.py [FOLDER]        the same bytes at every run

Formats: draft-ietf-opsawg-pcapng, RFC 1761; the five packets are those of generate.py.
"""

import gzip
import io
import struct
import sys
import tarfile
from pathlib import Path

from generate import SECOND, five, five_pcap

# five() gives (nanoseconds since 1970, frame).
SECTION, INTERFACE, OLD, SIMPLE, NAMES, STATISTICS, ENHANCED, SECRETS = 0x0A0D0D0A, 1, 2, 3, 4, 5, 6, 10
CUSTOM, UNKNOWN = 0xBAD, 0x7777


def padded(data):
    return data + bytes(-len(data) % 4)


def options(order, *pairs):
    if not pairs:
        return b""
    each = (struct.pack(order + "HH", code, len(data)) + padded(data) for code, data in pairs)
    return b"".join(each) + bytes(4)


def block(order, kind, body):
    length = len(body) + 12
    return struct.pack(order + "II", kind, length) + body + struct.pack(order + "I", length)


def section(order, *pairs):
    body = struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + options(order, *pairs)
    return block(order, SECTION, body)


def interface(order, link_type, snaplen, *pairs):
    return block(order, INTERFACE, struct.pack(order + "HHI", link_type, 0, snaplen) + options(order, *pairs))


def enhanced(order, number, ticks, frame, *pairs, wire=None):
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame),
                       len(frame) if wire is None else wire)
    return block(order, ENHANCED, head + padded(frame) + options(order, *pairs))


def mixed_pcapng():
    """Two sections in both byte orders, five interfaces, packets in three kinds of blocks."""
    (t1, p1), (t2, p2), (t3, p3), (t4, p4), (t5, p5) = five()
    le, be = "<", ">"
    yield section(le, (1, b"a capture of wireq's tests"), (3, b"any"), (4, b"formats.py"))
    yield interface(le, 1, 65535, (2, b"eth0"), (3, b"the first one"), (9, b"\x09"))
    yield interface(le, 101, 0, (2, b"tun0"), (9, b"\x8a"), (14, struct.pack("<q", 1_000_000_000)))
    yield block(le, NAMES, struct.pack("<HH", 1, 14) + b"\xc0\x00\x02\x01host.test\0"[:14].ljust(16, b"\0") + bytes(4))
    yield enhanced(le, 0, t1, p1, (1, b"the SYN"), (2, struct.pack("<I", 1)), (4, struct.pack("<Q", 3)),
                   (5, struct.pack("<Q", 77)), (6, struct.pack("<I", 2)))
    yield enhanced(le, 1, (t2 // SECOND - 1_000_000_000) * 1024 + 512, p2[14:], (1, b"first"), (1, b"second"))
    yield block(le, SIMPLE, struct.pack("<I", len(p3)) + padded(p3))
    yield block(le, UNKNOWN, b"nobody knows")
    yield block(le, CUSTOM, struct.pack("<I", 32473) + b"own data")
    yield block(le, STATISTICS, struct.pack("<III", 0, 0, 0))
    yield section(be)
    yield block(be, SECRETS, struct.pack(">II", 0x544C534B, 4) + b"key\n")
    yield interface(be, 1, 128, (2, b"eth1"))
    head = struct.pack(">HHIIII", 0, 5, (t4 // 1000) >> 32, (t4 // 1000) & 0xFFFFFFFF, len(p4), len(p4))
    yield block(be, OLD, head + padded(p4) + options(be, (1, b"old")))
    yield interface(be, 228, 0)
    yield enhanced(be, 1, t5 // 1000, p5[14:], (2989, struct.pack(">I", 32473) + b"bin"), wire=1000)
    yield enhanced(be, 9, t5 // 1000, p5)


def holes_pcap():
    """five.pcap with bytes between its records that are none, and a stretch of zeros."""
    data, at, out = five_pcap(), 24, []
    while at < len(data):
        length = 16 + struct.unpack_from("<I", data, at + 8)[0]
        out.append(data[at:at + length])
        at += length
    junk = bytes(range(7, 250, 3))
    return data[:24] + out[0] + junk + out[1] + bytes(100) + out[2] + out[3] + b"\xff" + out[4]


def holes_pcapng():
    """The five packets in pcapng: bytes lost within a block, a length that lies, bytes between."""
    blocks = [enhanced("<", 0, t // 1000, frame) for t, frame in five()]
    blocks[1] = blocks[1][:40] + blocks[1][49:]
    blocks[3] = blocks[3][:4] + struct.pack("<I", 1000) + blocks[3][8:]
    return section("<") + interface("<", 1, 65535) + blocks[0] + b"noise" + b"".join(blocks[1:])


def five_snoop():
    out = b"snoop\0\0\0" + struct.pack(">II", 2, 4)
    for t, frame in five():
        body = padded(frame)
        out += struct.pack(">IIIIII", len(frame), len(frame), 24 + len(body), 0, t // SECOND, t % SECOND // 1000) + body
    return out


def five_gz():
    """Two members, as bgzip writes them."""
    data = five_pcap()
    return gzip.compress(data[:100], mtime=0) + gzip.compress(data[100:], mtime=0)


def archive():
    """A tar of three captures, one of them compressed, and a text."""
    out = io.BytesIO()
    files = (("a.pcap", five_pcap()), ("notes.txt", b"no capture\n"), ("deep/b.pcap.gz", five_gz()),
             ("deep/c.snoop", five_snoop()))
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


FILES = {
    "mixed.pcapng": lambda: b"".join(mixed_pcapng()),
    "holes.cap": holes_pcap,
    "holes.pcapng": holes_pcapng,
    "five.snoop": five_snoop,
    "five.pcap.gz": five_gz,
    "cut.pcap.gz": lambda: five_gz()[:-30],
    "archive.tar": archive,
}


def main(arguments):
    folder = Path(arguments[0]) if arguments else Path(__file__).parent / "captures"
    for name, build in FILES.items():
        (folder / name).write_bytes(build())


if __name__ == "__main__":
    main(sys.argv[1:])
