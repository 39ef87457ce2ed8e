#!/usr/bin/env python3
"""The page and the plots of bench/board.sh.

usage: board.py FOLDER

Reads what board.sh left in FOLDER, tables with tabs: samples.tsv (name, label, round, CPU s, wall s, peak MiB),
rows.tsv (what the page shows of them, against which goal), checks.tsv, packets.tsv and meta.tsv. Writes README.md
and the plots (SVG) beside them. No packages needed.
"""

import collections
import html
import math
import os
import statistics
import sys

COLOURS = ["#1f6fb4", "#d1622b", "#2c8c4b", "#8a4fa8", "#b8860b", "#c2387a", "#3f8f9b", "#6b6b6b", "#9c2f2f"]


def table(folder, name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        # Of parts that were not run.
        return []
    with open(path, encoding="utf-8") as lines:
        return [line.rstrip("\n").split("\t") for line in lines]


class Samples:
    """The runs of every command: those of one round belong together."""

    def __init__(self, lines):
        self.runs = collections.defaultdict(dict)
        for name, label, turn, cpu, wall, peak in lines:
            figures = {"cpu": float(cpu), "wall": float(wall), "rss": float(peak)}
            self.runs[name, label][int(turn)] = figures

    def has(self, name, label):
        return (name, label) in self.runs

    def all(self, name, label, measure):
        return [run[measure] for run in self.runs[name, label].values()]

    def median(self, name, label, measure):
        return statistics.median(self.all(name, label, measure))

    def ratios(self, name, over, under, measure):
        """The ratio of each round, and so its spread."""
        pairs = zip(self.runs[name, over].values(), self.runs[name, under].values())
        return [a[measure] / max(b[measure], 1e-6) for a, b in pairs]


class Row:
    """One goal of the board, and what was measured of it."""

    def __init__(self, samples, line):
        line = line + [""] * (9 - len(line))
        self.work, self.capture, self.against, measure, kind, goal, name, ours, theirs = line[:9]
        self.measure, self.kind, self.goal = measure, kind, None if goal == "-" else float(goal)
        self.unit = {"rss": " MiB", "ms": " ms"}.get(measure, "")
        self.figures, self.ours, self.theirs, self.note = None, None, None, ""
        if not samples.has(name, ours):
            return
        if measure == "rss":
            self.figures = samples.all(name, ours, "rss")
            return
        if measure == "ms":
            self.figures = [wall * 1000 for wall in samples.all(name, ours, "wall")]
            if samples.has(name, theirs):
                self.note = f"{theirs}: {samples.median(name, theirs, 'wall') * 1000:.1f} ms"
            return
        there = [label for label in theirs.split(",") if samples.has(name, label)]
        if not there:
            return
        # Of several, the better one is what we are measured by.
        peer = min(there, key=lambda label: samples.median(name, label, measure))
        over, under = (peer, ours) if kind == "least" else (ours, peer)
        self.figures = samples.ratios(name, over, under, measure)
        self.ours, self.theirs = samples.median(name, ours, measure), samples.median(name, peer, measure)
        if len(there) > 1:
            self.note = f"the better: {peer}"

    def value(self):
        # The most memory counts, not the median.
        return max(self.figures) if self.unit == " MiB" else statistics.median(self.figures)

    def met(self):
        if self.figures is None or self.goal is None:
            return None
        return self.value() >= self.goal if self.kind == "least" else self.value() <= self.goal

    def goal_text(self):
        if self.goal is None:
            return "reported"
        if self.kind == "least":
            return f"at least {self.goal:g} times as fast"
        return f"at most {self.goal:g}{self.unit}"

    def line(self):
        cells = [self.work, self.capture, self.against, self.goal_text()]
        if self.figures is None:
            return cells + ["", "", "", "", "not measured", ""]
        low, high = min(self.figures), max(self.figures)
        spread = f"{low:.2f} to {high:.2f}" if len(self.figures) > 1 else "one run"
        verdict = {None: "", True: "met", False: "**missed**"}[self.met()]
        seconds = ["" if s is None else f"{s:.3f}" for s in (self.ours, self.theirs)]
        return cells + [f"{self.value():.2f}{self.unit}", spread] + seconds + [verdict, self.note]


def markdown(header, rows, right=()):
    rule = ["---:" if at in right else "---" for at in range(len(header))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule] + rows) + "\n"


# --- Plots ---------------------------------------------------------------------------------


class Svg:
    def __init__(self, width, height):
        self.size, self.parts = (width, height), []

    def line(self, x1, y1, x2, y2, colour="#888", width=1, dash=""):
        dash = f' stroke-dasharray="{dash}"' if dash else ""
        place = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        self.parts.append(f'<line {place} stroke="{colour}" stroke-width="{width}"{dash}/>')

    def text(self, x, y, words, anchor="start", colour="#222"):
        words = html.escape(words)
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>')

    def bar(self, x, y, width, height, colour):
        place = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}"'
        self.parts.append(f'<rect {place} fill="{colour}"/>')

    def path(self, points, colour):
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"/>')
        self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]

    def write(self, path):
        width, height = self.size
        with open(path, "w", encoding="utf-8") as out:
            out.write(
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
                f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">\n'
                f'<rect width="{width}" height="{height}" fill="white"/>\n'
            )
            out.write("\n".join(self.parts) + "\n</svg>\n")


def plot_goals(path, rows):
    """How much of what its goal allows each row takes: left of the line it is met."""
    rows = [row for row in rows if row.met() is not None and row.measure in ("cpu", "wall")]
    if not rows:
        return False

    def share(row, figure):
        return row.goal / max(figure, 1e-9) if row.kind == "least" else figure / row.goal

    left, right, step, top = 600, 150, 20, 40
    most = max(1.5, min(3.0, max(share(row, row.value()) for row in rows)))
    svg = Svg(1200, top + step * len(rows) + 20)
    scale = (1200 - left - right) / most
    svg.text(10, 18, "What each row takes of what its goal allows, with the spread: left of the line the goal is met")
    for at, row in enumerate(rows):
        y = top + at * step
        label = f"{row.capture} {row.work}" + (f" / {row.against}" if row.against else "")
        svg.text(left - 8, y + 12, label.replace("`", ""), "end")
        end = min(share(row, row.value()), most)
        svg.bar(left, y + 3, end * scale, step - 7, "#58a55c" if row.met() else "#d1622b")
        low, high = (min(share(row, f), most) for f in (min(row.figures), max(row.figures)))
        svg.line(left + low * scale, y + step / 2, left + high * scale, y + step / 2, "#222")
        sign = "≥" if row.kind == "least" else "≤"
        svg.text(left + max(end, low, high, 1) * scale + 6, y + 13, f"{row.value():.2f}{row.unit} (goal {sign} {row.goal:g})")
    svg.line(left + scale, top - 6, left + scale, top + step * len(rows), "#222", 1.5, "4 3")
    svg.write(path)
    return True


def plot_growth(path, title, x_name, y_name, series, logarithmic=True, logarithmic_y=False):
    """Lines over a common x; y begins at 0, or is in powers of ten."""
    series = [(name, points) for name, points in series if points]
    if not series:
        return False
    svg, (left, top, width, height) = Svg(720, 400), (70, 50, 500, 290)
    xs = sorted({x for _, points in series for x, _ in points})
    most = max(y for _, points in series for _, y in points) * 1.1 or 1
    place = math.log10 if logarithmic else float
    low, high = place(xs[0]), place(xs[-1])

    least = math.floor(math.log10(min(y for _, points in series for _, y in points))) if logarithmic_y else 0
    powers = math.log10(most) - least if logarithmic_y else 0

    def up(y):
        return (math.log10(y) - least) / powers if logarithmic_y else y / most

    def at(x, y):
        return left + (place(x) - low) / ((high - low) or 1) * width, top + height - up(y) * height

    svg.text(10, 20, title)
    step = 10 ** math.floor(math.log10(most))
    step *= 1 if most / step > 4 else 0.5 if most / step > 2 else 0.2
    ticks = [tick * step for tick in range(int(most / step) + 1)]
    if logarithmic_y:
        ticks = [10.0 ** power for power in range(least, math.floor(math.log10(most)) + 1)]
    for tick in ticks:
        y = at(xs[0], tick)[1]
        svg.line(left, y, left + width, y, "#ddd")
        svg.text(left - 6, y + 4, f"{tick:g}", "end")
    for x in xs:
        across = at(x, most)[0]
        svg.line(across, top + height, across, top + height + 4)
        svg.text(across, top + height + 18, short(x), "middle")
    svg.text(left + width / 2, top + height + 40, x_name, "middle")
    svg.text(left, top - 10, y_name)
    free = 0
    # Names stand one below the other where lines end close by.
    for (name, points), colour in sorted(zip(series, COLOURS), key=lambda each: -each[0][1][-1][1]):
        svg.path([at(x, y) for x, y in points], colour)
        across, end = at(*points[-1])
        free = max(end + 4, free)
        svg.text(across + 8, free, name, colour=colour)
        free += 14
    svg.write(path)
    return True


def short(number):
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= unit:
            return f"{number / unit:g} {letter}"
    return f"{number:g}"


# --- How cost grows ------------------------------------------------------------------------


def growth(folder, samples, packets):
    """Writes the plots, and gives a section of the page."""
    text = []

    def show(file, title, x_name, y_name, series, header, rows, logarithmic=True):
        if plot_growth(os.path.join(folder, file), title, x_name, y_name, series, logarithmic):
            text.append(f"### {title}\n\n![{title}]({file})\n\n" + markdown(header, rows, range(1, len(header))))

    def named(prefix):
        return sorted(int(name.split()[1]) for name, _ in dict.fromkeys(samples.runs) if name.startswith(prefix))

    points, rows = [], []
    for mb in sorted(set(named("size "))):
        name = f"size {mb}"
        start, count = samples.median(name, "start", "cpu"), packets[name] - packets["size 1"]
        costs = [(cpu - start) * 1e9 / count for cpu in samples.all(name, "piped", "cpu")]
        points.append((mb * 1e6, statistics.median(costs)))
        peak = max(samples.all(name, "piped", "rss"))
        spread = f"{min(costs):.1f} to {max(costs):.1f}"
        total = samples.median(name, "piped", "cpu")
        rows.append([str(mb), str(packets[name]), f"{total:.4f}", f"{points[-1][1]:.1f}", spread, f"{peak:.1f}"])
    show("growth-size.svg", "Filter and count, piped from the generator: CPU time per packet behind the first megabyte",
         "bytes of the capture", "ns", [("ns a packet", points)], ["MB", "packets", "CPU s", "ns a packet", "spread", "peak MiB"], rows)
    if points:
        costs = [cost for _, cost in points]
        middle = statistics.median(costs)
        off = max(abs(cost / middle - 1) for cost in costs) * 100
        verdict = "met" if off <= 10 else "**missed**"
        text.append(f"Goal: flat within 10 %. Farthest from the median of the sizes: {off:.1f} %: {verdict}.\n")

    points, memory, rows = [], [], []
    for keys in sorted(set(named("keys "))):
        name = f"keys {keys}"
        base = samples.median(name, "count", "cpu")
        costs = [(cpu - base) * 1e9 / packets[name] for cpu in samples.all(name, "group", "cpu")]
        peak = max(samples.all(name, "group", "rss"))
        points.append((keys, statistics.median(costs)))
        memory.append((keys, peak))
        spread = f"{min(costs):.1f} to {max(costs):.1f}"
        rows.append([short(keys), str(packets[name]), f"{points[-1][1]:.1f}", spread, f"{peak:.1f}"])
    show("growth-keys.svg", "Group by pairs of addresses: CPU time per packet (less that of count())",
         "keys (the same packets each time)", "ns", [("ns a packet", points)],
         ["keys", "packets", "ns a packet", "spread", "peak MiB"], rows)
    show("growth-keys-memory.svg", "Group by pairs of addresses: peak resident memory",
         "keys", "MiB", [("MiB", memory)], ["keys", "MiB"], [[short(k), f"{m:.1f}"] for k, m in memory])

    series, rows = [], []
    for query, words in (("filter", "filter, count"), ("tuple", "top 10 of 5-tuples")):
        name = f"threads {query}"
        if not samples.has(name, "1"):
            continue
        line = []
        for count in range(1, 9):
            walls = samples.ratios(name, str(count), "1", "wall")
            cpus = samples.ratios(name, str(count), "1", "cpu")
            peak = max(samples.all(name, str(count), "rss"))
            line.append((count, statistics.median(walls)))
            spread = f"{min(walls):.2f} to {max(walls):.2f}"
            rows.append([words, str(count), f"{line[-1][1]:.2f}", spread, f"{statistics.median(cpus):.2f}", f"{peak:.1f}"])
        series.append((words, line))
    show("growth-threads.svg", "Wall time over that of one thread (capture B)", "threads", "ratio", series,
         ["query", "threads", "wall / one", "spread", "CPU / one", "peak MiB"], rows, False)
    return "\n".join(text)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = sys.argv[1]
    samples = Samples(table(folder, "samples.tsv"))
    rows = [Row(samples, line) for line in table(folder, "rows.tsv")]
    checks, meta = table(folder, "checks.tsv"), table(folder, "meta.tsv")
    packets = {name: int(count) for name, count in table(folder, "packets.tsv")}
    differing = [check for check in checks if check[0] == "differs"]
    met = [row.met() for row in rows]

    page = [f"# The board, {dict(meta).get('date', '')}\n"]
    page.append(markdown(["what", ""], [[name, words] for name, words in meta]))
    page.append(
        f"{met.count(True)} goals met, {met.count(False)} missed, {met.count(None)} reported or not measured. "
        + (f"**{len(differing)} ANSWERS DIFFER.**" if differing else f"All {len(checks)} comparisons of answers agree.")
        + "\n"
    )
    page.append("## Goals\n")
    page.append(
        "Ratios are of CPU time (user and system) unless the row says wall time, of the two runs of each round: their "
        "median, least and most. \"At most\" divides our time by theirs, \"times as fast\" theirs by ours. One thread "
        "where nothing is said. Memory is the most of all runs.\n"
    )
    if plot_goals(os.path.join(folder, "goals.svg"), rows):
        page.append("![Ratios against goals](goals.svg)\n")
    header = ["workload", "capture", "against", "goal", "ratio", "spread", "ours s", "theirs s", "", "note"]
    for title, measures in (("One thread", ("cpu", "ms")), ("Several threads", ("wall",)), ("Resident memory", ("rss",))):
        lines = [row.line() for row in rows if row.measure in measures]
        if lines:
            page.append(f"### {title}\n\n" + markdown(header, lines, range(4, 8)))
    grown = growth(folder, samples, packets)
    if grown:
        page.append("## How cost grows\n\n" + grown)
    page.append("## Answers compared\n")
    page.append(markdown(["", "what", "rule"], [[f"**{c[0]}**" if c[0] == "differs" else c[0]] + c[1:] for c in checks]))
    page.append("The runs, as `compare` printed them with their command lines: [runs.md](runs.md).\n")
    with open(os.path.join(folder, "README.md"), "w", encoding="utf-8") as out:
        out.write("\n".join(page))


if __name__ == "__main__":
    main()
