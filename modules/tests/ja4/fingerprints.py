"""fingerprints.py CAPTURE...: path, number and JA4 of every packet that ja4plus finds one in."""

import logging
import sys

logging.disable(logging.CRITICAL)

from ja4plus import JA4Fingerprinter  # noqa: E402
from scapy.all import PcapReader  # noqa: E402

for path in sys.argv[1:]:
    with PcapReader(path) as capture:
        for number, packet in enumerate(capture, 1):
            try:
                # A new one for each packet, so that nothing is put together of several.
                ja4 = JA4Fingerprinter().process_packet(packet)
            except Exception:  # what it cannot read has no fingerprint
                continue
            if ja4:
                print(path, number, ja4, sep="\t")
