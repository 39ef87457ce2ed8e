#!/usr/bin/env python3
"""How does the time of a packet grow with the number of contents that are searched for?

usage: contents.py WIREQ RULES_DIR CAPTURE WORK_DIR [RUNS]

The longest content of each rule of both files, each different one of four bytes or more once (shorter ones are in so
many packets that it is alerts that are measured), in the order of the SHA-256 of its bytes: the first 1, 10, 100,
1,000 and 10,000, each a rule of its own on all packets. Least CPU seconds of some runs, one after the
other, less what a run takes over a capture of one packet. Prints a table for bench/record.
"""

import hashlib, os, re, resource, subprocess, sys

WIREQ, RULES, CAPTURE, WORK = sys.argv[1:5]
RUNS = int(sys.argv[5]) if len(sys.argv) > 5 else 5
SHORTEST = 4
COUNTS = (1, 10, 100, 1000, 10000)


def size(content):
    """How many bytes a content stands for."""
    parts = content.split("|")
    return sum(len(p.split()) if at % 2 else len(re.sub(r"\\(.)", r"\1", p)) for at, p in enumerate(parts))


def contents():
    found = {}
    for name in ("et-open-part.rules", "snort-gpl.rules"):
        with open(os.path.join(RULES, name), encoding="latin-1") as lines:
            for line in lines:
                own = re.findall(r'content:\s*"((?:[^"\\]|\\.)*)"\s*;(\s*nocase;)?', line)
                if own:
                    text, nocase = max(own, key=lambda c: size(c[0]))
                    if size(text) >= SHORTEST:
                        found[text, bool(nocase)] = True
    return sorted(found, key=lambda c: hashlib.sha256(f"{c[0]}{c[1]}".encode("latin-1")).digest())


def seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(done.stderr)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def main():
    os.makedirs(WORK, exist_ok=True)
    all_contents = contents()
    counts = [count for count in COUNTS if count <= len(all_contents)]
    one = f"{WORK}/one.pcap"
    seconds([WIREQ, "-w", one, "head 1", CAPTURE])
    packets = int(seconds([WIREQ, "count() | print count", CAPTURE])[1])
    least, alerts = {}, {}
    queries = {0: "count() | print count"}
    for count in counts:
        path = f"{WORK}/{count}.rules"
        with open(path, "w", encoding="latin-1") as f:
            for sid, (text, nocase) in enumerate(all_contents[:count], 1):
                f.write(f'alert ip any any -> any any (content:"{text}"; {"nocase; " if nocase else ""}sid:{sid};)\n')
        queries[count] = f"rules {path} | count() | print count"
    for _ in range(RUNS):
        for count, query in queries.items():
            for capture in (CAPTURE, one):
                spent, out = seconds([WIREQ, "--threads", "1", query, capture])
                key = count, capture == one
                least[key] = min(spent, least.get(key, spent))
                if capture == CAPTURE:
                    alerts[count] = int(out or 0)
    each = {count: (least[count, False] - least[count, True]) / packets * 1e9 for count in queries}
    print(f"{len(all_contents)} different contents; {packets} packets\n")
    print("| contents | alerts a packet | ns a packet | of one | load, ms |\n|---:|---:|---:|---:|---:|")
    for count in queries:
        print(
            f"| {count} | {alerts[count] / packets if count else 0:.2f} | {each[count]:.0f} | {each[count] / each[1]:.1f} |"
            f" {least[count, True] * 1000:.0f} |"
        )


main()
