#!/usr/bin/env python3
"""Writes modules/src/types/netflow/elements.rs from IANA's registry of IPFIX information elements.

    modules/elements.py ipfix.xml > modules/src/types/netflow/elements.rs

The registry is https://www.iana.org/assignments/ipfix/ipfix.xml.
"""

import re
import sys
import xml.etree.ElementTree as tree

SPACE = {"i": "http://www.iana.org/assignments"}
SUMMARY_MAX = 150


def text(node):
    return " ".join("".join(node.itertext()).split()) if node is not None else ""


def summary(record):
    """The first sentence of the description, cut where it is long."""
    words = text(record.find("i:description", SPACE))
    words = words.encode("ascii", "ignore").decode().replace("\\", "").replace('"', "'")
    sentence = re.split(r"(?<=[a-z0-9)])\.(?= |$)|:(?= )", words)[0].strip().rstrip(".")
    if len(sentence) > SUMMARY_MAX:
        sentence = sentence[:SUMMARY_MAX].rsplit(" ", 1)[0] + " ..."
    return (sentence or "No description") + ("" if sentence.endswith("...") else ".")


def main():
    root = tree.parse(sys.argv[1]).getroot()
    rows = []
    for record in root.iter("{%s}record" % SPACE["i"]):
        kind = record.find("i:dataType", SPACE)
        number = record.find("i:elementId", SPACE)
        if kind is None or number is None or not text(number).isdigit():
            continue
        name = text(record.find("i:name", SPACE))
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", name):
            continue
        rows.append((int(text(number)), name, text(kind), summary(record)))
    rows.sort()
    assert len({row[0] for row in rows}) == len(rows)
    updated = text(root.find("i:updated", SPACE))
    print("//! IANA's registry of IPFIX information elements: number, name, type, what it means.")
    print("//!")
    print("//! Source: <https://www.iana.org/assignments/ipfix/ipfix.xml> as of %s. Written by" % updated)
    print("//! `modules/elements.py`; not to be edited by hand.")
    print()
    print("use super::element::{Element, ElementType::*};")
    print()
    print("/// All elements, by number.")
    print("#[rustfmt::skip]")
    print("pub(super) static ELEMENTS: &[Element] = &[")
    for number, name, kind, words in rows:
        print('    Element { id: %d, name: "%s", kind: %s, summary: "%s" },' % (number, name, kind[0].upper() + kind[1:], words))
    print("];")


main()
