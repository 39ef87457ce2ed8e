"""Random SELECTs over the three tables, the same for the same seed."""

import random

TABLES = {
    "visits.csv": {
        "number": ["id", "port", "bytes"],
        "double": ["ratio"],
        "text": ["host", "method", "note"],
    },
    "hosts.csv": {"number": ["weight"], "double": [], "text": ["host", "name", "site"]},
    "logic.csv": {"number": ["id", "a", "b", "c"], "double": [], "text": ["word"]},
}
NUMBERS = ["0", "1", "2", "-1", "7", "80", "443", "100", "-7", "NULL"]
TEXTS = ["'alpha'", "'GET'", "''", "'yes'", "'Oslo'", "'a%'", "'it''s'", "'b'", "NULL"]
PATTERNS = ["'a%'", "'%o%'", "'_k'", "'%'", "'O_lo'", "'%''s'", "'%e_'", "''"]
DEPTH = 3


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.fields = {}

    def pick(self, things):
        return self.random.choice(things)

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def field(self, kind):
        known = self.fields[kind]
        return self.pick(known) if known else None

    def number(self, depth=DEPTH):
        """A whole number, of less than 10^30."""
        roll = self.random.randrange(100)
        if depth == 0 or roll < 35:
            return self.field("number") or "1"
        if roll < 50:
            return self.pick(NUMBERS)
        if roll < 70:
            left, right = self.number(depth - 1), self.number(depth - 1)
            return f"({left} {self.pick(['+', '-'])} {right})"
        if roll < 76:
            return f"({self.number(0)} % {self.pick(['2', '7', '-3', '10'])})"
        if roll < 82:
            return f"({self.number(0)} // {self.pick(['2', '7', '-3', '10'])})"
        if roll < 86:
            return f"length({self.text(depth - 1)})"
        if roll < 90:
            return f"coalesce({self.number(depth - 1)}, {self.number(depth - 1)})"
        if roll < 93:
            return f"- {self.number(0)}"
        return self.case("number", depth)

    def double(self, depth=DEPTH):
        roll = self.random.randrange(100)
        field = self.field("double")
        if field and roll < 50:
            return f"({field} * 2)" if self.chance(30) else field
        return f"({self.number(depth - 1)} / {self.pick(['2', '7', '-4'])})"

    def text(self, depth=DEPTH):
        roll = self.random.randrange(100)
        if depth == 0 or roll < 50:
            return self.field("text")
        if roll < 60:
            return self.pick(TEXTS)
        if roll < 72:
            return f"({self.text(depth - 1)} || {self.text(depth - 1)})"
        if roll < 80:
            return f"{self.pick(['upper', 'lower'])}({self.text(depth - 1)})"
        if roll < 86:
            return f"CAST({self.number(0)} AS VARCHAR)"
        if roll < 90:
            return f"substring({self.text(depth - 1)}, 2, 3)"
        return self.case("text", depth)

    def case(self, kind, depth):
        value = {"number": self.number, "text": self.text}[kind]
        arms = " ".join(
            f"WHEN {self.test(depth - 1)} THEN {value(depth - 1)}"
            for _ in range(self.random.randrange(1, 3))
        )
        otherwise = f" ELSE {value(depth - 1)}" if self.chance(60) else ""
        return f"CASE {arms}{otherwise} END"

    def test(self, depth=DEPTH):
        roll = self.random.randrange(100)
        down = max(depth - 1, 0)
        if depth > 0 and roll < 35:
            parts = [self.test(down) for _ in range(self.random.randrange(2, 4))]
            return "(" + self.pick([" AND ", " OR "]).join(parts) + ")"
        if depth > 0 and roll < 45:
            return f"NOT {self.test(down)}"
        if roll < 62:
            operator = self.pick(["=", "<>", "<", "<=", ">", ">=", "!="])
            return f"{self.number(down)} {operator} {self.number(down)}"
        if roll < 70:
            return f"{self.text(down)} {self.pick(['=', '<>', '<', '>='])} {self.text(down)}"
        if roll < 76:
            value = self.pick([self.number, self.text])(down)
            return f"{value} IS {self.pick(['', 'NOT '])}NULL"
        if roll < 84:
            values = ", ".join(self.pick(NUMBERS) for _ in range(self.random.randrange(1, 4)))
            return f"{self.number(down)} {self.negation()}IN ({values})"
        if roll < 90:
            low, high = self.pick(NUMBERS), self.pick(NUMBERS)
            return f"{self.number(down)} {self.negation()}BETWEEN {low} AND {high}"
        if roll < 96:
            like = self.pick(["LIKE", "ILIKE"])
            return f"{self.text(down)} {self.negation()}{like} {self.pick(PATTERNS)}"
        return f"({self.test(down)}) IS {self.pick(['', 'NOT '])}{self.pick(['NULL', 'TRUE', 'FALSE'])}"

    def negation(self):
        return "NOT " if self.chance(30) else ""

    def value(self):
        roll = self.random.randrange(100)
        if roll < 45:
            return self.number()
        if roll < 75:
            return self.text()
        if roll < 85:
            return self.double()
        return f"({self.test(2)})"

    def aggregate(self):
        roll = self.random.randrange(100)
        if roll < 25:
            return "count(*)"
        if roll < 40:
            return f"count({self.pick([self.number, self.text])(1)})"
        if roll < 50:
            return f"count(DISTINCT {self.pick([self.number, self.text])(1)})"
        if roll < 65:
            return f"sum({self.number(1)})"
        if roll < 80:
            return f"{self.pick(['min', 'max'])}({self.pick([self.number, self.text])(1)})"
        if roll < 90:
            return f"avg({self.number(1)})"
        return f"(max({self.number(0)}) - min({self.number(0)}) + {self.pick(['1', 'count(*)'])})"

    def over(self, columns):
        self.fields = columns

    def table(self, name, alias=None):
        columns = TABLES[name]
        if alias is None:
            return columns
        return {kind: [f"{alias}.{field}" for field in fields] for kind, fields in columns.items()}

    def source(self):
        """What stands behind FROM, and the condition that goes with it."""
        roll = self.random.randrange(100)
        name = self.pick(list(TABLES))
        if roll < 70:
            self.over(self.table(name))
            return f"'{name}'", None
        if roll < 85:
            self.over(self.table(name))
            condition = f" WHERE {self.test(1)}" if self.chance(60) else ""
            numbers, texts = self.fields["number"], self.fields["text"]
            items = ", ".join(numbers + texts + self.fields["double"])
            inner = f"(SELECT {items}, {self.number(1)} AS extra FROM '{name}'{condition}) AS t"
            self.over({**self.fields, "number": [*numbers, "extra"]})
            return inner, None
        other = self.pick(["hosts.csv", "logic.csv"])
        left, right = self.table(name, "l"), self.table(other, "r")
        self.over({kind: left[kind] + right[kind] for kind in left})
        key = self.pick(["number", "text"])
        condition = f"{self.pick(left[key])} = {self.pick(right[key])}"
        if self.chance(50):
            return f"'{name}' l JOIN '{other}' r ON {condition}", None
        return f"'{name}' l, '{other}' r", condition

    def rows(self, columns, ordered):
        """A SELECT of single rows."""
        source, join = self.source()
        values = [self.value() for _ in range(columns)]
        items = ", ".join(f"{value} AS c{at}" for at, value in enumerate(values))
        tests = [join] if join else []
        tests += [self.test()] if self.chance(70) else []
        where = f" WHERE {' AND '.join(f'({test})' for test in tests)}" if tests else ""
        distinct = "DISTINCT " if self.chance(15) else ""
        return f"SELECT {distinct}{items} FROM {source}{where}" + self.order(columns, ordered)

    def groups(self, columns, ordered):
        source, join = self.source()
        # A number alone would be the number of a column.
        keys = [self.pick([self.number, self.text])(1) for _ in range(self.random.randrange(0, min(columns, 3)))]
        keys = [self.fields["text"][0] if key.lstrip("- ").isdigit() else key for key in keys]
        values = keys + [self.aggregate() for _ in range(columns - len(keys))]
        items = ", ".join(f"{value} AS c{at}" for at, value in enumerate(values))
        tests = [join] if join else []
        tests += [self.test(2)] if self.chance(50) else []
        where = f" WHERE {' AND '.join(f'({test})' for test in tests)}" if tests else ""
        by = self.pick([", ".join(keys), ", ".join(str(at + 1) for at in range(len(keys)))])
        group = f" GROUP BY {by}" if keys else ""
        having = ""
        if self.chance(30):
            having = f" HAVING {self.pick(['count(*) > 1', f'{self.aggregate()} IS NOT NULL', 'NOT count(*) = 2'])}"
        return f"SELECT {items} FROM {source}{where}{group}{having}" + self.order(columns, ordered)

    def order(self, columns, ordered):
        """An order by all columns, so that it is one."""
        if not ordered:
            return ""
        columns = [str(at + 1) for at in range(columns)]
        self.random.shuffle(columns)
        directions = ["", " ASC", " DESC", " DESC NULLS FIRST", " NULLS FIRST", " DESC NULLS LAST"]
        order = ", ".join(column + self.pick(directions) for column in columns)
        limit = f" LIMIT {self.random.randrange(0, 20)}" if self.chance(50) else ""
        limit += f" OFFSET {self.random.randrange(0, 5)}" if self.chance(20) else ""
        return f" ORDER BY {order}{limit}"

    def query(self):
        roll = self.random.randrange(100)
        columns = self.random.randrange(1, 5)
        ordered = self.chance(50)
        if roll < 50:
            return self.rows(columns, ordered)
        if roll < 90:
            return self.groups(columns, ordered)
        make = self.pick([self.rows, self.groups])
        kind = self.random.getrandbits(32)
        arms = []
        for _ in range(2):
            # Arms of the same kinds of columns: the same values over the same tables.
            self.random.seed(kind)
            arms.append(make(columns, False))
        union = self.pick(["UNION ALL", "UNION"])
        return f"{arms[0]} {union} {arms[1]}" + self.order(columns, ordered)


def queries(count, seed):
    return [Maker(f"{seed}/{number}").query() for number in range(count)]


if __name__ == "__main__":
    for query in queries(20, 1):
        print(query)
