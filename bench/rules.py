#!/usr/bin/env python3
"""What bench/rules.sh needs: the choice of rules, and the page and the plot.

usage: rules.py pick RULES SIDS OUT    the rules with these sids, in the order of the hash of their sid
       rules.py page FOLDER            README.md and plot.svg of what rules.sh left in FOLDER, and of notes.md where that is there
"""

import hashlib
import os
import re
import statistics
import sys

import board

NAMES = {"on": "with", "off": "without"}


def pick(rules, sids, out):
    with open(sids) as lines:
        wanted = {line.strip() for line in lines}
    found = {}
    with open(rules, encoding="latin-1") as lines:
        for line in lines:
            sid = re.search(r"[ (;]sid: *(\d+) *;", line)
            if sid and not line.startswith("#") and sid[1] in wanted:
                found.setdefault(sid[1], line)
    order = sorted(found, key=lambda sid: hashlib.sha256(sid.encode()).digest())
    with open(out, "w", encoding="latin-1") as file:
        file.writelines(found[sid] for sid in order)


def named(way):
    strategy, vector = way.split("/")
    return strategy if strategy == "naive" else f"{strategy}, {NAMES[vector]}"


def times(samples, packets):
    """For each way: (rules, ns a packet, compile ms) for every number of rules."""
    ways = {}
    for name, label in samples.runs:
        if label.endswith(" one"):
            continue
        runs, ones = samples.all(name, label, "cpu"), samples.all(name, label + " one", "cpu")
        cost = statistics.median(run - one for run, one in zip(runs, ones)) * 1e9 / packets[name, label]
        ways.setdefault(label, []).append((int(name.split()[0]), cost, statistics.median(ones) * 1000))
    return ways


def figures(folder):
    pattern = re.compile(
        r"(\d+) tests on (\d+) rows: ([\d.]+) tried a row, ([\d.]+) by each condition alone, ([\d.]+) % short-circuited; "
        r"at most (\d+) in one, so p ([\d.]+), counting takes less above ([\d.]+)"
    )
    rows = []
    for count, kind, way, words in board.table(folder, "figures.tsv"):
        match = pattern.fullmatch(words)
        if not match:
            sys.exit(f"rules: not understood: {words}")
        tests, _, tried, alone, share, depth, p, limit = match.groups()
        spared = max(0.0, 1 - float(tried) / float(tests)) * 100
        rows.append([count, kind, named(way), tests, depth, tried, alone, f"{share} %", f"{spared:.1f} %", p, limit])
    return rows


def page(folder):
    samples = board.Samples(board.table(folder, "samples.tsv"))
    meta = board.table(folder, "meta.tsv")
    packets = {(name, way): int(of) for name, way, of in board.table(folder, "packets.tsv")}
    ways = times(samples, packets)
    counts = board.table(folder, "counts.tsv")
    series = [(named(way), [(n, max(cost, 0.1)) for n, cost, _ in points]) for way, points in ways.items()]
    title = "Rules: CPU time a packet without compiling, by strategy, with and without vector functions"
    board.plot_growth(os.path.join(folder, "plot.svg"), title, "rules", "ns a packet", series, logarithmic_y=True)

    text = ["# Rules by each strategy, with and without vector functions\n"]
    text.append(board.markdown(["", ""], [list(line) for line in meta]))
    text.append("`bench/rules.sh`: the first N rules by the SHA-256 of their sid.\n")
    text.append("## Tests of the rules\n")
    text.append(
        "Theirs (slides, 150 rules of Snort): 1,782 different tests without and 39 with vector functions, d = 6; p 5.8 and 1; over 80 % "
        "of the tests short-circuited.\n\n"
        "Ours, from `explain --analyze`, over every tenth packet. `packets`: of all rules as single packets (`--packet-only`); `whole`: of those that "
        "single packets decide. A vector function of any number of tests of a field is one test. Tests are those of headers, "
        "numbers and contents; the rest of a rule (pcre, byte_test, places relative to others) is tried where all of "
        "these hold, and not counted. `auto` looks for one content of each rule, the others for all. Short-circuited: of the tests "
        "that each condition alone, from left to right up to its first test that does not hold, would have tried, the share that was not tried; "
        "not tried: the same of trying each different test once on each packet. p is the one for which "
        "1 + p + ... + p^(d-1) is what was tried on a packet; counting, which tries every test once, is less work where p is "
        "above the last column. Naive counts every test of every rule.\n"
    )
    header = ["rules", "of", "strategy, vector functions", "tests u", "in one rule d", "tried a packet", "alone", "short-circuited", "not tried, of u", "p", "p of counting"]
    text.append(board.markdown(header, figures(folder), range(3, 11)))
    text.append("## Time\n\n![time by the number of rules](plot.svg)\n")
    text.append("CPU time (user and system) in ns a packet, less that over one packet; in brackets the latter in ms: starting and compiling. "
        "Ways that are slow are measured over every tenth packet where there are many rules: `packets.tsv`.\n")
    numbers = sorted({n for points in ways.values() for n, _, _ in points})
    rows = []
    for way, points in ways.items():
        known = {n: f"{cost:.0f} ({one:.0f})" for n, cost, one in points}
        rows.append([named(way)] + [known.get(n, "") for n in numbers])
    alerts = {int(n): alerts for n, alerts, _ in counts}
    rows.append(["alerts"] + [alerts[n] for n in numbers])
    text.append(board.markdown(["strategy, vector functions"] + [f"{n} rules" for n in numbers], rows, range(1, len(numbers) + 1)))
    notes = os.path.join(folder, "notes.md")
    if os.path.exists(notes):
        with open(notes, encoding="utf-8") as lines:
            text.insert(2, lines.read())
    with open(os.path.join(folder, "README.md"), "w", encoding="utf-8") as out:
        out.write("\n".join(part for part in text if part))


if sys.argv[1:2] == ["pick"] and len(sys.argv) == 5:
    pick(*sys.argv[2:])
elif sys.argv[1:2] == ["page"] and len(sys.argv) == 3:
    page(sys.argv[2])
else:
    sys.exit(__doc__)
