//! The fields that a stage may name.

use super::query::Call;
use super::random::Random;

/// What a field holds, as far as constants go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Numbers.
    Number,
    /// Numbers with names.
    Protocol,
    /// Addresses.
    Address,
    /// Hardware addresses.
    Mac,
    /// Times.
    Time,
    /// Durations.
    Duration,
    /// Bytes.
    Bytes,
    /// Text.
    Text,
    /// True or false.
    Bool,
    /// One thing here and another there.
    Mixed,
    /// What is compared with no constant: lists.
    Opaque,
}

impl Domain {
    /// Constants that may not occur.
    pub fn constants(self) -> &'static [&'static str] {
        match self {
            Domain::Number => &[
                "0", "1", "2", "6", "17", "60", "64", "80", "443", "1000", "1.5",
            ],
            Domain::Protocol => &["tcp", "udp", "UDP", "icmp", "6", "99"],
            Domain::Address => &["10.0.0.1", "'10.0.0.2'", "fd00::1", "192.0.2.1"],
            Domain::Mac => &["02:00:00:00:00:01", "'02-00-00-00-00-02'"],
            Domain::Time => &[
                "2026-01-01T00:00:03Z",
                "'2026-01-01 00:00:07'",
                "1767225610",
            ],
            Domain::Duration => &["0", "'1s'", "'-250ms'"],
            Domain::Bytes => &["''", "'a'", r"'\x07'", "'GET'"],
            Domain::Text => &["'80'", "''", "'10.0.0.1'", "80", "443.0"],
            Domain::Bool => &["true", "false", "'1'"],
            Domain::Mixed | Domain::Opaque => &["0", "1", "80", "'a'"],
        }
    }
}

/// Fields of packets with the weight of each.
const PACKET: &[(usize, &str, Domain)] = &[
    (3, "ts", Domain::Time),
    (1, "timeseries", Domain::Time),
    (1, "caplen", Domain::Number),
    (4, "len", Domain::Number),
    (2, "ipprotocol", Domain::Protocol),
    (1, "packet", Domain::Bytes),
    (1, "srcmac", Domain::Mac),
    (1, "ethertype", Domain::Number),
    (2, "vlan", Domain::Number),
    (5, "srcip", Domain::Address),
    (4, "dstip", Domain::Address),
    (1, "ipid", Domain::Number),
    (1, "ttl", Domain::Number),
    (1, "frame.len", Domain::Number),
    (1, "tos", Domain::Number),
    (5, "srcport", Domain::Number),
    (5, "dstport", Domain::Number),
    (1, "seq", Domain::Number),
    (1, "ack", Domain::Number),
    (1, "urgptr", Domain::Number),
    (1, "urg", Domain::Number),
    (1, "tcpwindow", Domain::Number),
    (1, "tcpflags", Domain::Number),
    (2, "payload", Domain::Bytes),
    (1, "icmptype", Domain::Number),
    (1, "icmpcode", Domain::Number),
    (1, "snaplen", Domain::Number),
    (1, "linktype", Domain::Number),
    (1, "tsresol", Domain::Number),
    (1, "frame.number", Domain::Number),
    (1, "len.double", Domain::Number),
    (1, "ts.sec", Domain::Number),
    (1, "ts.double", Domain::Number),
    (1, "ts.time", Domain::Time),
    (1, "payload.length", Domain::Number),
    (1, "dstport.string", Domain::Text),
    (1, "srcip.string", Domain::Text),
    (1, "srcip.version", Domain::Number),
    (1, "tcpflags.hexstring", Domain::Text),
    (1, "ipprotocol.number", Domain::Number),
];

/// The fields of the objects at a place of a pipeline, and the objects that they carry.
#[derive(Clone, Debug)]
pub struct Scope {
    fields: Vec<Field>,
    objects: Vec<(String, Scope)>,
}

#[derive(Clone, Debug)]
struct Field {
    weight: usize,
    name: String,
    domain: Domain,
    /// The field of packets that it is, if it is one: for constants that occur.
    native: Option<&'static str>,
}

impl Scope {
    /// The fields of packets.
    pub fn packet() -> Scope {
        let field = |(weight, name, domain): &(usize, &'static str, Domain)| Field {
            weight: *weight,
            name: (*name).to_owned(),
            domain: *domain,
            native: Some(name),
        };
        Scope {
            fields: PACKET.iter().map(field).collect(),
            objects: Vec::new(),
        }
    }

    /// Objects that have some columns.
    pub fn columns<'a>(columns: impl Iterator<Item = (&'a str, Domain)>) -> Scope {
        let field = |(name, domain): (&str, Domain)| Field {
            weight: 4,
            name: name.to_owned(),
            domain,
            native: None,
        };
        Scope {
            fields: columns.map(field).collect(),
            objects: Vec::new(),
        }
    }

    /// The fields of a bag of objects.
    pub fn union(scopes: Vec<Scope>) -> Scope {
        let mut union = Scope {
            fields: Vec::new(),
            objects: Vec::new(),
        };
        for scope in scopes {
            union.objects.extend(scope.objects);
            for field in scope.fields {
                match union
                    .fields
                    .iter_mut()
                    .find(|known| known.name == field.name)
                {
                    Some(known) if known.domain != field.domain || known.native != field.native => {
                        // Where it is one kind here and another there, the plan knows none.
                        known.domain = Domain::Mixed;
                        known.native = None;
                    }
                    Some(_) => {}
                    None => union.fields.push(field),
                }
            }
        }
        union
    }

    /// The fields of objects that carry others.
    pub fn carrying(objects: Vec<(String, Scope)>) -> Scope {
        let below = |(name, scope): &(String, Scope)| -> Vec<Field> {
            let fields = scope.fields.iter().map(|field| Field {
                name: format!("{name}.{}", field.name),
                ..field.clone()
            });
            fields.collect()
        };
        Scope {
            fields: objects.iter().flat_map(below).collect(),
            objects,
        }
    }

    /// Adds an object that these carry.
    pub fn carry(&mut self, name: &str, object: &Scope) {
        let mut plain = object.clone();
        plain.objects.clear();
        let is_below = |field: &Field| {
            let mut objects = object.objects.iter();
            objects.any(|(name, _)| field.name.starts_with(&format!("{name}.")))
        };
        plain.fields.retain(|field| !is_below(field));
        let carried = Scope::carrying(vec![(name.to_owned(), plain)]);
        self.fields.extend(
            carried
                .fields
                .into_iter()
                .map(|field| Field { weight: 1, ..field }),
        );
        self.objects.extend(carried.objects);
    }

    /// The objects that these carry, by name.
    pub fn objects(&self) -> Vec<String> {
        self.objects.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Becomes the objects that these carry under a name.
    pub fn become_object(&mut self, name: &str) {
        let mut named = self.objects.iter().rev();
        // One that only carries others has nothing to ask for.
        let found = named.find(|(known, scope)| known == name && !scope.fields.is_empty());
        if let Some((_, scope)) = found {
            let scope = scope.clone();
            *self = scope.clone();
            // One of a chain carries the next one.
            if name == "previous" {
                self.carry(name, &scope);
            }
        }
    }

    /// Adds the columns of functions.
    pub fn add_calls(&mut self, calls: &[Call]) {
        let before = self.clone();
        for call in calls {
            let of_field = call.field.as_ref().map(|field| before.domain(field));
            let domain = match (call.function, of_field) {
                ("min" | "max" | "first" | "final" | "median" | "quantile", Some(domain)) => domain,
                ("avg", Some(domain @ (Domain::Time | Domain::Duration))) => domain,
                ("stddev" | "sum", Some(Domain::Time | Domain::Duration)) => Domain::Duration,
                ("list", _) => Domain::Opaque,
                _ => Domain::Number,
            };
            // What is read as a number where it is one has no kind that the plan knows.
            let read = matches!(call.function, "median" | "quantile");
            let domain = match domain {
                Domain::Text if read => Domain::Mixed,
                domain => domain,
            };
            self.attach(call.column(), domain);
        }
    }

    /// Adds a column, which hides what had its name.
    pub fn attach(&mut self, name: &str, domain: Domain) {
        let conversions = format!("{name}.");
        self.fields
            .retain(|field| field.name != name && !field.name.starts_with(&conversions));
        self.fields.push(Field {
            weight: 8,
            name: name.to_owned(),
            domain,
            native: None,
        });
    }

    /// Adds a function that can be called in place of a field, as in `having count() > 1`.
    pub fn add_function(&mut self, call: &str) {
        self.fields.push(Field {
            weight: 8,
            name: call.to_owned(),
            domain: Domain::Number,
            native: None,
        });
    }

    /// The fields that are none of packets.
    pub fn attached(&self) -> Vec<String> {
        let attached = self.fields.iter().filter(|field| field.native.is_none());
        attached.map(|field| field.name.clone()).collect()
    }

    fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// What a field holds.
    pub fn domain(&self, name: &str) -> Domain {
        self.field(name).map_or(Domain::Mixed, |field| field.domain)
    }

    /// Whether there is a field of this name.
    pub fn has(&self, name: &str) -> bool {
        self.field(name).is_some()
    }

    /// The field of packets that a field is, if it is one.
    pub fn native(&self, name: &str) -> Option<&'static str> {
        self.field(name)?.native
    }

    /// Keeps only these fields.
    pub fn keep(&mut self, fields: &[String]) {
        self.fields.retain(|field| fields.contains(&field.name));
        self.objects.clear();
    }

    /// Any field.
    pub fn pick(&self, random: &mut Random) -> (String, Domain) {
        let at = (0..self.fields.len()).map(|at| (self.fields[at].weight, at));
        let field = &self.fields[random.weighted(&at.collect::<Vec<_>>())];
        (field.name.clone(), field.domain)
    }

    /// A field that holds something of one of some kinds, if there is one.
    pub fn pick_of(&self, random: &mut Random, domains: &[Domain]) -> Option<String> {
        let fits = |field: &&Field| domains.contains(&field.domain);
        let fields: Vec<Field> = self.fields.iter().filter(fits).cloned().collect();
        let objects = Vec::new();
        (!fields.is_empty()).then(|| Scope { fields, objects }.pick(random).0)
    }
}
