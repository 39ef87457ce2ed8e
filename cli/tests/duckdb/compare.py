#!/usr/bin/env python3
"""Runs SELECTs in wireq and in DuckDB and compares the rows.

    compare.py WIREQ TABLES [--random N] [--seed S] [--show]

WIREQ is the program, TABLES the folder of the tables that the queries name. The queries are those
of features.sql, of rules.sql, and N random ones (see generate.py). Rows are compared in order where
the query orders them, else as a bag. A query of rules.sql has to differ: it shows what one of the
rules in query-lang/src/grammar.md means, section SELECT. Exit status: 0 all as expected, 1 not, 2 no duckdb here.
"""

import argparse
import datetime
import decimal
import json
import math
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SHOWN_MAX = 20


def cases(name):
    """The queries of a file: (feature, text). A line `-- feature: X` or `-- rule N: X` names those
    that follow; each ends with `;` at a line end."""
    feature, text, found = "", [], []
    for line in open(os.path.join(HERE, name), encoding="utf-8"):
        head = re.match(r"-- (feature|rule) ?(.*)", line)
        if head:
            feature = head.group(2).strip(": \n")
        elif not line.startswith("--"):
            text.append(line)
            if line.rstrip().endswith(";"):
                found.append((feature, "".join(text).strip().rstrip(";")))
                text = []
    return found


def of_duckdb(connection, query):
    try:
        rows = connection.execute(query).fetchall()
    except Exception as error:  # noqa: BLE001, any fault of DuckDB is an outcome
        return None, str(error).splitlines()[0]
    return [tuple(plain(value) for value in row) for row in rows], None


def plain(value):
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    return value


def of_wireq(wireq, tables, queries, flags=()):
    """The rows of each query, or its faults. Each runs alone, as a fault in one stops all."""
    outcomes = []
    for query in queries:
        run = subprocess.run(
            [wireq, "-o", "jsonl", *flags, "-e", query],
            cwd=tables,
            env={**os.environ, "TZ": "UTC"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        if run.returncode != 0 or run.stderr:
            outcomes.append((None, run.stderr.strip() or f"exit status {run.returncode}"))
            continue
        pairs = lambda pairs: tuple(value for _, value in pairs)  # noqa: E731
        rows = [json.loads(line, object_pairs_hook=pairs) for line in run.stdout.splitlines()]
        outcomes.append((rows, None))
    return outcomes


def same_value(ours, theirs):
    if ours is None or theirs is None or isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, (int, float)) and isinstance(theirs, (int, float)):
        if isinstance(ours, int) and isinstance(theirs, int):
            return ours == theirs
        return ours == theirs or math.isclose(ours, theirs, rel_tol=1e-12)
    return type(ours) is type(theirs) and ours == theirs


def same_row(ours, theirs):
    return len(ours) == len(theirs) and all(map(same_value, ours, theirs))


def order_of(row):
    """Where a row stands among others; numbers are rounded, as sums of doubles may differ."""
    key = []
    for value in row:
        if value is None:
            key.append((0, 0, 0, ""))
        elif isinstance(value, bool):
            key.append((1, int(value), 0, ""))
        elif isinstance(value, (int, float)):
            key.append((2, float(f"{value:.9g}"), value, ""))
        else:
            key.append((3, 0, 0, str(value)))
    return key


def differs(query, ours, theirs):
    """What is different, or None."""
    if len(ours) != len(theirs):
        return f"{len(ours)} rows, DuckDB has {len(theirs)}"
    if not is_ordered(query):
        ours, theirs = sorted(ours, key=order_of), sorted(theirs, key=order_of)
    for at, (mine, other) in enumerate(zip(ours, theirs)):
        if not same_row(mine, other):
            return f"row {at + 1} is {mine}, in DuckDB {other}"
    return None


def is_ordered(query):
    """Whether the rows of a query come in an order: behind the last bracket there is `order by`."""
    return re.search(r"\border\s+by\b[^()]*(\([^()]*\)[^()]*)*$", query, re.I) is not None


def judge(query, ours, theirs):
    """(what is different or None, whether both answered)"""
    (rows, fault), (other_rows, other_fault) = ours, theirs
    if fault and other_fault:
        return None, False
    if fault or other_fault:
        return f"wireq: {fault or 'rows'}\n    DuckDB: {other_fault or 'rows'}", False
    return differs(query, rows, other_rows), True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wireq")
    parser.add_argument("tables")
    parser.add_argument("--random", type=int, default=300, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print every query")
    options = parser.parse_args()
    try:
        import duckdb
    except ImportError:
        print("the Python package duckdb is not here", file=sys.stderr)
        return 2
    sys.path.insert(0, HERE)
    import generate

    wireq = os.path.abspath(options.wireq)
    os.chdir(options.tables)
    connection = duckdb.connect()
    # What wireq does: a rule of grammar.md. Older versions know no other.
    try:
        connection.execute("set error_on_division_by_zero = false")
    except duckdb.Error:
        pass
    features, rules = cases("features.sql"), cases("rules.sql")
    random = [("random", query) for query in generate.queries(options.random, options.seed)]
    counts = {"features": 0, "rules": 0, "random": 0}
    faults, skipped = [], 0
    for kind, list_of_cases in [("features", features), ("rules", rules), ("random", random)]:
        ours = of_wireq(wireq, ".", [query for _, query in list_of_cases])
        for (feature, query), mine in zip(list_of_cases, ours):
            if options.show:
                print(f"[{feature}] {query}")
            different, answered = judge(query, mine, of_duckdb(connection, query))
            skipped += kind == "random" and not answered and different is None
            counts[kind] += 1
            if kind == "rules" and different is None:
                faults.append((feature, query, "no difference that the rule would explain"))
            elif kind == "features" and not answered and different is None:
                faults.append((feature, query, f"neither answers: {mine[1]}"))
            elif kind != "rules" and different:
                faults.append((feature, query, different))
    if skipped > counts["random"] / 5:
        faults.append(("random", "", f"{skipped} of {counts['random']} are refused by both"))
    # The same rows whatever the size of batches.
    checked = [query for _, query in features]
    small = of_wireq(wireq, ".", checked, ["--batch", "3"])
    for query, mine, other in zip(checked, of_wireq(wireq, ".", checked), small):
        if mine != other:
            faults.append(("batch", query, "other rows with --batch 3"))
    for feature, query, difference in faults[:SHOWN_MAX]:
        print(f"[{feature}]\n  {query}\n    {difference}\n")
    print(
        f"DuckDB {duckdb.__version__}: {counts['features']} SELECTs over features, "
        f"{counts['rules']} over rules, {counts['random']} random ones "
        f"({skipped} refused by both): {len(faults)} not as expected"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
