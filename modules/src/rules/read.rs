//! A rule from its text.

use super::address::Addresses;
use super::draft::Draft;
use super::group::{self, Set};
use super::keyword::{self, Read};
use super::payload::Payload;
use super::port::Ports;
use super::rule::{Action, Endpoint, Header, Protocol, Refusal, Rule};
use super::source::Line;
use super::syntax::{self, OptionText, Piece, RuleText};
use super::variables::Variables;
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How rules are read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What `$NAME` stands for.
    pub variables: Variables,
    /// Whether only the header, the contents and what else is asked of single packets is kept of
    /// a rule, and the rest is left out rather than refused.
    pub packet_only: bool,
}

/// Protocols of applications, and what carries them: for rules of which only the packets are kept.
const CARRIED: &[(&str, Protocol)] = &[
    ("dcerpc", Protocol::Tcp),
    ("dhcp", Protocol::Udp),
    ("dns", Protocol::Udp),
    ("ftp", Protocol::Tcp),
    ("ftp-data", Protocol::Tcp),
    ("http", Protocol::Tcp),
    ("http1", Protocol::Tcp),
    ("http2", Protocol::Tcp),
    ("imap", Protocol::Tcp),
    ("krb5", Protocol::Tcp),
    ("mqtt", Protocol::Tcp),
    ("nfs", Protocol::Tcp),
    ("ntp", Protocol::Udp),
    ("pop3", Protocol::Tcp),
    ("quic", Protocol::Udp),
    ("rdp", Protocol::Tcp),
    ("rfb", Protocol::Tcp),
    ("sip", Protocol::Udp),
    ("smb", Protocol::Tcp),
    ("smtp", Protocol::Tcp),
    ("snmp", Protocol::Udp),
    ("ssh", Protocol::Tcp),
    ("tcp-stream", Protocol::Tcp),
    ("tftp", Protocol::Udp),
    ("tls", Protocol::Tcp),
];

/// Reads rules. Groups that are written alike are one set.
pub struct Reader<'a> {
    options: &'a Options,
    addresses: HashMap<Vec<u8>, Result<Arc<Addresses>, String>>,
    ports: HashMap<Vec<u8>, Result<Arc<Ports>, String>>,
    written: HashMap<Vec<u8>, Arc<str>>,
    /// Keywords by name, with how often each was understood, and how often it was not.
    pub(super) keywords: BTreeMap<String, [u64; 2]>,
}

/// A rule being read, with what is wrong with it.
struct Reading<'a> {
    line: &'a Line,
    packet_only: bool,
    refusals: Vec<Refusal>,
    dropped: Vec<String>,
    draft: Draft,
}

impl<'a> Reader<'a> {
    /// A reader.
    pub fn new(options: &'a Options) -> Reader<'a> {
        Reader {
            options,
            addresses: HashMap::new(),
            ports: HashMap::new(),
            written: HashMap::new(),
            keywords: BTreeMap::new(),
        }
    }

    /// Reads a rule.
    ///
    /// # Errors
    /// All that is not understood in it.
    pub fn read(&mut self, line: &Line) -> Result<Rule, Vec<Refusal>> {
        let text = syntax::parse(&line.text).map_err(|fault| {
            vec![Refusal {
                place: line.place(fault.at),
                what: "rule".into(),
                why: format!("is not written as one: here should be {}", fault.expected),
                sid: None,
            }]
        })?;
        let mut reading = Reading {
            line,
            packet_only: self.options.packet_only,
            refusals: Vec::new(),
            dropped: Vec::new(),
            draft: Draft::new(),
        };
        let action = reading.named("action", text.action, Action::NAMES);
        let header = self.header(&text, &mut reading);
        text.options
            .iter()
            .for_each(|option| reading.option(option));
        reading.finish(&text, action, header)
    }

    fn header(&mut self, text: &RuleText<'_>, reading: &mut Reading<'_>) -> Option<Header> {
        let protocol = reading.protocol(text.protocol);
        let variables = &self.options.variables;
        let [from, from_ports, to, to_ports] = text.ends;
        let from = known(&mut self.addresses, from, variables, "addresses", reading);
        let from_ports = known(&mut self.ports, from_ports, variables, "ports", reading);
        let to = known(&mut self.addresses, to, variables, "addresses", reading);
        let to_ports = known(&mut self.ports, to_ports, variables, "ports", reading);
        Some(Header {
            protocol: protocol?,
            source: Endpoint {
                addresses: from?,
                ports: from_ports?,
            },
            target: Endpoint {
                addresses: to?,
                ports: to_ports?,
            },
            both_ways: text.direction.text == b"<>",
            written: text.ends.map(|piece| self.written(piece)),
        })
    }
}

impl Reader<'_> {
    fn written(&mut self, piece: Piece<'_>) -> Arc<str> {
        let known = self.written.entry_ref(piece.text);
        Arc::clone(known.or_insert_with(|| String::from_utf8_lossy(piece.text).into()))
    }
}

/// The set that a group stands for, once for each text.
fn known<S: Set>(
    sets: &mut HashMap<Vec<u8>, Result<Arc<S>, String>>,
    piece: Piece<'_>,
    variables: &Variables,
    what: &str,
    reading: &mut Reading<'_>,
) -> Option<Arc<S>> {
    let set = sets.entry_ref(piece.text).or_insert_with(|| {
        let text = std::str::from_utf8(piece.text).map_err(|_| "is no text".to_owned())?;
        group::read(text, variables).map(Arc::new)
    });
    match set {
        Ok(set) => Some(Arc::clone(set)),
        Err(fault) => {
            let fault = format!("cannot be used: {fault}");
            reading.refuse(piece.at, what, fault);
            None
        }
    }
}

impl Reading<'_> {
    fn refuse(&mut self, at: usize, what: &str, why: String) {
        self.refusals.push(Refusal {
            place: self.line.place(at),
            what: what.to_owned(),
            why,
            sid: None,
        });
    }

    fn named<T: Copy>(&mut self, what: &str, piece: Piece<'_>, names: &[(&str, T)]) -> Option<T> {
        let known = names.iter().find(|(name, _)| name.as_bytes() == piece.text);
        if known.is_none() {
            let name = piece.text.escape_ascii();
            self.refuse(piece.at, &format!("{what} {name}"), "is not known".into());
        }
        known.map(|(_, value)| *value)
    }

    fn protocol(&mut self, piece: Piece<'_>) -> Option<Protocol> {
        let lower = piece.text.to_ascii_lowercase();
        let find = |names: &[(&str, Protocol)]| {
            let known = names.iter().find(|(name, _)| name.as_bytes() == lower);
            known.map(|(_, protocol)| *protocol)
        };
        if let Some(protocol) = find(Protocol::NAMES) {
            return Some(protocol);
        }
        let what = format!("protocol {}", piece.text.escape_ascii());
        let carried = find(CARRIED);
        match carried {
            Some(_) if self.packet_only => self.dropped.push(what),
            Some(_) => {
                self.refuse(piece.at, &what, "needs more than single packets".into());
                return None;
            }
            None => self.refuse(piece.at, &what, "is not known".into()),
        }
        carried
    }

    fn option(&mut self, option: &OptionText<'_>) {
        let name = String::from_utf8_lossy(option.name.text);
        let at = option.name.at;
        let value = option.value.map_or(&b""[..], |piece| piece.text);
        let outcome = match keyword::find(&name) {
            Read::Said => Ok(()),
            Read::Payload => {
                self.draft.in_buffer = false;
                Ok(())
            }
            Read::Option(read) => match self.refers_to_broken(&name) {
                true => Ok(()),
                false => self.read(&name, read, value),
            },
            Read::Refused(why) => Err(why.to_owned()),
            Read::Buffer => {
                self.draft.in_buffer = true;
                Err(BUFFER.to_owned())
            }
            Read::OfBuffer if self.draft.broken => Ok(()),
            Read::OfBuffer => match self.draft.move_last_content() {
                true => Err(BUFFER.to_owned()),
                false => return self.refuse(at, &name, "has no content before it".into()),
            },
            Read::InBuffer(read) => {
                let outside = std::mem::replace(&mut self.draft.in_buffer, true);
                let read = self.read(&name, read, value);
                self.draft.in_buffer = outside;
                read.and(Err(BUFFER.to_owned()))
            }
        };
        match outcome {
            Err(_) if self.packet_only && can_be_dropped(&name) => {
                self.dropped.push(name.into_owned());
            }
            Err(why) => self.refuse(at, &name, why),
            Ok(()) => {}
        }
    }

    fn read(
        &mut self,
        name: &str,
        read: fn(&mut Draft, &[u8]) -> Result<(), String>,
        value: &[u8],
    ) -> Result<(), String> {
        let outcome = read(&mut self.draft, value);
        if outcome.is_err() && matches!(name, "content" | "uricontent") {
            self.draft.broken = true;
        }
        outcome
    }

    /// Whether an option is about a content that could not be read.
    fn refers_to_broken(&self, name: &str) -> bool {
        const MODIFIERS: &[&str] = &[
            "depth",
            "distance",
            "endswith",
            "fast_pattern",
            "nocase",
            "offset",
            "startswith",
            "within",
        ];
        self.draft.broken && MODIFIERS.contains(&name)
    }

    fn finish(
        mut self,
        text: &RuleText<'_>,
        action: Option<Action>,
        header: Option<Header>,
    ) -> Result<Rule, Vec<Refusal>> {
        if self.draft.sid.is_none() && self.refusals.iter().all(|refusal| refusal.what != "sid") {
            self.refuse(text.action.at, "sid", "is missing".into());
        }
        let place = self.line.place(text.action.at);
        let mut draft = self.draft;
        let tests = std::mem::take(&mut draft.tests);
        let (gid, rev, sid) = (draft.gid, draft.rev, draft.sid);
        let priority = draft.priority.unwrap_or(draft.class_priority);
        let msg = std::mem::take(&mut draft.msg).into();
        let classtype = draft.classtype.as_bytes().into();
        let payload = Payload::new(draft.into_steps());
        let is_hollow = tests.is_empty() && payload.contents().next().is_none();
        let tested = self.dropped.iter().any(|name| !says_little(name));
        if is_hollow && tested {
            self.refusals.push(Refusal {
                place: place.clone(),
                what: "rule".into(),
                why: "has nothing left that tells packets apart".into(),
                sid: None,
            });
        }
        let (Some(action), Some(header), Some(sid), true) =
            (action, header, sid, self.refusals.is_empty())
        else {
            self.refusals
                .iter_mut()
                .for_each(|refusal| refusal.sid = sid);
            return Err(self.refusals);
        };
        Ok(Rule {
            place,
            action,
            gid,
            sid,
            rev,
            msg,
            classtype,
            priority,
            header,
            tests,
            payload,
            dropped: self.dropped,
        })
    }
}

const BUFFER: &str = "needs the fields of an application protocol";

/// Without these a rule is none.
fn can_be_dropped(name: &str) -> bool {
    !matches!(name, "sid" | "gid" | "rev" | "msg" | "priority")
}

/// Whether a rule without an option is about the same packets, but for how often it speaks.
fn says_little(name: &str) -> bool {
    matches!(
        name,
        "flow" | "threshold" | "detection_filter" | "tag" | "noalert" | "protocol tcp-stream"
    )
}
