#!/usr/bin/env python3
"""Writes the tables that SELECTs are compared with DuckDB over; the same bytes at every run."""

import itertools
import os
import random

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tables")
HOSTS = [
    ("alpha", "web-1", "Oslo", "3"),
    ("bravo", "web-2", "Lima", "1"),
    ("charlie", "", "Oslo", "2"),
    ("delta", "db-1", "", "5"),
    ("echo", "", "", ""),
    ("foxtrot", "mail", "Cairo", "4"),
]
NOTES = [
    "ok", "OK", "retry, later", 'said "no"', "100%", "a_b", "a%b", "back\\slash", "naïve", "Ünïcode",
    "x", "it's", "", " spaced ", "Zulu",
]
BYTES = [
    "", 0, 1, -1, 7, -7, 10, 64, 100, -250, 1500, 1500, 9000, 65536, 2147483648, 9007199254740993,
]
RATIOS = [
    "", 0.0, 0.5, -0.5, 1.0, 1.5, 2.5, -2.5, 0.1, 0.2, 0.3, 3.14159, 1e-7, 1e21, 123456.789, -0.25,
]


def cell(text):
    """A text as it stands in a CSV file."""
    if any(c in text for c in ',"\n') or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text


def write(name, rows):
    with open(os.path.join(FOLDER, name), "w", encoding="utf-8") as file:
        file.writelines(",".join(row) + "\n" for row in rows)


def visits():
    pick = random.Random(7).choice
    yield ["id", "host", "port", "bytes", "ratio", "method", "note"]
    for number in range(1, 61):
        host = pick([host for host, *_ in HOSTS] + ["golf", ""])
        port = pick([22, 53, 80, 80, 80, 443, 443, 8080, ""])
        count, ratio = pick(BYTES), pick(RATIOS)
        ratio = "" if ratio == "" else repr(ratio)
        method, note = pick(["GET", "POST", "PUT", ""]), pick(NOTES)
        yield [str(number), host, str(port), str(count), ratio, method, cell(note)]


def logic():
    yield ["id", "a", "b", "c", "word"]
    words = ["yes", "no", "maybe", ""]
    for number, truths in enumerate(itertools.product(["", "0", "1"], repeat=3), 1):
        yield [str(number), *truths, words[number % 4]]


if __name__ == "__main__":
    write("hosts.csv", [("host", "name", "site", "weight"), *HOSTS])
    write("visits.csv", visits())
    write("logic.csv", logic())
