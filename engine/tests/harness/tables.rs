//! Random tables: columns of every kind, with cells that are of it and cells that are not.

use super::random::Random;
use super::scope::{Domain, Scope};

/// A table, and how it is read.
#[derive(Clone, Debug)]
pub struct Table {
    /// `tabularinput -d ','`
    flags: &'static str,
    separator: char,
    /// Whether cells may stand in quotes.
    quotes: bool,
    header: bool,
    columns: Vec<Column>,
    /// The cells of each record.
    pub records: Vec<Vec<String>>,
}

#[derive(Clone, Debug)]
struct Column {
    name: &'static str,
    /// What it is read as; none where each cell says itself what it is.
    kind: Option<&'static str>,
    domain: Domain,
}

const KINDS: &[(usize, Option<&str>, Domain)] = &[
    (3, Some("unsigned"), Domain::Number),
    (1, Some("signed"), Domain::Number),
    (2, Some("double"), Domain::Number),
    (3, Some("address"), Domain::Address),
    (2, Some("time"), Domain::Time),
    (1, Some("duration"), Domain::Duration),
    (1, Some("mac"), Domain::Mac),
    (1, Some("bool"), Domain::Bool),
    (1, Some("bytes"), Domain::Bytes),
    (3, Some("text"), Domain::Text),
    (1, Some("ip-protocol"), Domain::Protocol),
    (4, None, Domain::Mixed),
];

/// The names are those of packets, so that tables and captures have something in common.
const NAMES: &[&str] = &[
    "ts", "srcip", "dstip", "len", "srcport", "dstport", "who", "what",
];

impl Table {
    /// A random table of at most `most` records.
    pub fn random(random: &mut Random, most: usize) -> Table {
        let (flags, separator, quotes) = random.weighted(&[
            (4, ("-d ','", ',', true)),
            (3, ("", '\t', false)),
            (1, ("-d ';'", ';', false)),
            (1, ("-d ' ' -q", ' ', true)),
        ]);
        let header = random.percent(25);
        let mut columns: Vec<Column> = Vec::new();
        for _ in 0..random.between(1, 5) {
            let name = *random.pick(NAMES);
            let kinds = KINDS
                .iter()
                .map(|(weight, kind, domain)| (*weight, (*kind, *domain)));
            let (kind, domain) = random.weighted(&kinds.collect::<Vec<_>>());
            // A header gives names alone.
            let (kind, domain) = if header {
                (None, Domain::Mixed)
            } else {
                (kind, domain)
            };
            if columns.iter().all(|column| column.name != name) {
                columns.push(Column { name, kind, domain });
            }
        }
        let mut table = Table {
            flags,
            separator,
            quotes,
            header,
            columns,
            records: Vec::new(),
        };
        let count = random.between(0, most);
        table.records = (0..count).map(|_| table.record(random)).collect();
        table
    }

    fn record(&self, random: &mut Random) -> Vec<String> {
        let mut cells: Vec<String> = Vec::new();
        for column in &self.columns {
            let domain = match column.domain {
                Domain::Mixed => *random.pick(&[Domain::Number, Domain::Text, Domain::Address]),
                domain => domain,
            };
            let cell = match random.below(20) {
                0 => "",
                1 => *random.pick(&["-", "x y", "1e3", "-7", "+5", "007", "0x1f", "é"]),
                _ => random.pick(domain.constants()).trim_matches('\''),
            };
            // Without quotes there is no way to say what separates cells.
            let needs_quotes = cell.contains(self.separator);
            cells.push(match (self.quotes, needs_quotes) {
                (true, _) if needs_quotes || random.percent(10) => format!("\"{cell}\""),
                (false, true) => cell.replace(self.separator, "_"),
                _ => cell.to_owned(),
            });
        }
        match random.below(20) {
            0 => drop(cells.pop()),
            1 => cells.push("more".to_owned()),
            _ => {}
        }
        cells
    }

    /// The bytes of the file.
    pub fn file(&self) -> Vec<u8> {
        let mut lines: Vec<String> = Vec::new();
        let separator = self.separator.to_string();
        if self.header {
            let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
            lines.push(names.join(&separator));
        }
        lines.extend(self.records.iter().map(|cells| cells.join(&separator)));
        lines
            .iter()
            .flat_map(|line| format!("{line}\n").into_bytes())
            .collect()
    }

    /// The call that reads it, `{t0}` for the path of the first one.
    pub fn call(&self, number: usize) -> String {
        let mut call = format!("tabularinput {} -f {{t{number}}}", self.flags);
        if self.header {
            call.push_str(" -H");
            return call;
        }
        for Column { name, kind, .. } in &self.columns {
            call.push(' ');
            call.push_str(name);
            if let Some(kind) = kind {
                call.push(':');
                call.push_str(kind);
            }
        }
        call
    }

    /// What a query can name.
    pub fn scope(&self) -> Scope {
        let columns = self
            .columns
            .iter()
            .map(|column| (column.name, column.domain));
        Scope::columns(columns.chain([("line", Domain::Text)]))
    }
}
