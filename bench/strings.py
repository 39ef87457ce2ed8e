#!/usr/bin/env python3
"""Standing queries that search texts: what do 1, 10, 100, 1,000 of them on one stream take?

usage: python3 bench/strings.py RULES CAPTURE OUT.tsv NAME=WIREQ... [--counts 1,10,100,1000] [--runs 3] [--ways auto/on,auto/off]

RULES are those of Snort: their contents of printable text are the words that are searched for, in the order of
the SHA-256 of each. Statements of a kind, each `| count()`:

  substr    where dstport = 80 and substr(payload, "WORD")
  any       where substr(payload, "WORD")
  pipe      substr -i payload "WORD"
  match     where dstport = 80 and match(payload, "WORD[^0-9]{1,8}[0-9]")
  free      where dstport = 80 and match(payload, "[a-q]{N}[0-9]+[r-z]"), without a literal
  equal     where dns.query = "WORD.example"
  like      where http.uri like '%WORD%'

A way is STRATEGY/VECTOR. Every program and every way has to print the same. Written: kind, count, program, way, the
median of the user times in seconds, and the SHA-256 of what was printed. A run that takes longer than five minutes is
given as a dash, and larger sets of its kind are left out. Exits 1 where outputs differ.
"""
import hashlib, os, re, resource, statistics, subprocess, sys


def words(rules):
    text = open(rules, encoding='latin-1').read()
    found = set(re.findall(r'content: *"([A-Za-z0-9_/.=-]{4,24})"', text))
    return sorted(found, key=lambda word: hashlib.sha256(word.encode()).hexdigest())


def quoted(word):
    return re.sub(r'([.])', r'[.]', word)


KINDS = {
    'substr': lambda w, i: f'where dstport = 80 and substr(payload, "{w}")',
    'any': lambda w, i: f'where substr(payload, "{w}")',
    'pipe': lambda w, i: f'substr -i payload "{w}"',
    'match': lambda w, i: f'where dstport = 80 and match(payload, "{quoted(w)}[^0-9]{{1,8}}[0-9]")',
    'free': lambda w, i: f'where dstport = 80 and match(payload, "[a-q]{{{i % 30 + 2}}}[0-9]{{{i // 30 + 1}}}[r-z]")',
    'equal': lambda w, i: f'where dns.query = "{w}.example"',
    'like': lambda w, i: f"where http.uri like '%{w}%'",
}
LIMIT = 300


def run(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    try:
        done = subprocess.run(command, capture_output=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return None, None
    if done.returncode:
        sys.exit(f'{command[:4]}: {done.stderr.decode()[-400:]}')
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, hashlib.sha256(done.stdout).hexdigest()[:16]


def main(arguments):
    counts, runs, ways, kinds = [1, 10, 100, 1000], 3, ['auto/on'], list(KINDS)
    while '--' in ''.join(arguments[-2:-1])[:2]:
        flag, value = arguments[-2:]
        arguments = arguments[:-2]
        if flag == '--counts':
            counts = [int(count) for count in value.split(',')]
        elif flag == '--runs':
            runs = int(value)
        elif flag == '--ways':
            ways = value.split(',')
        elif flag == '--kinds':
            kinds = value.split(',')
        else:
            sys.exit(__doc__)
    if len(arguments) < 4:
        sys.exit(__doc__)
    rules, capture, out, *programs = arguments
    programs = [program.split('=', 1) for program in programs]
    known, status = words(rules), 0
    with open(out, 'a') as table:
        for kind in kinds:
            slow = set()
            for count in counts:
                used = list(zip(known, range(count)))
                query = '\n'.join(f's{i}: {KINDS[kind](word, i)} | count()' for word, i in used)
                times, printed = {}, {}
                for _ in range(runs):
                    for name, program in programs:
                        for way in ways:
                            if (name, way) in slow:
                                continue
                            strategy, vector = way.split('/')
                            command = [program, '--threads', '1', '--strategy', strategy, '--vector', vector, query, capture]
                            took, hash_ = run(command)
                            if took is None:
                                slow.add((name, way))
                                times[name, way] = None
                                continue
                            times.setdefault((name, way), []).append(took)
                            printed[name, way] = hash_
                if len(set(printed.values())) > 1:
                    print('OUTPUTS DIFFER', kind, count, printed)
                    status = 1
                for (name, way), took in times.items():
                    shown = '-' if took is None else f'{statistics.median(took):.3f}'
                    row = [kind, str(len(used)), name, way, shown, printed.get((name, way), '-')]
                    print('\t'.join(row), file=table, flush=True)
                    print('\t'.join(row), flush=True)
    return status


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
