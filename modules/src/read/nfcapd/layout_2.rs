//! Records of layout 2: a header, then extensions that say what they are.

use super::{EXTENSIONS_MAX, extension, le16, le32};
use crate::types::netflow::{Layout, Place, Records, Row};
use hashbrown::HashMap;
use std::sync::Arc;

/// The type of a record of a flow.
const FLOW: u16 = 11;
const HEADER_LEN: usize = 12;
const EXTENSION_HEADER: usize = 4;
/// The most combinations of extensions that are kept at a time.
const KNOWN_MAX: usize = 256;

/// A combination of extensions.
struct Known {
    /// The bytes of its records.
    size: u16,
    /// Where an extension begins, and its header.
    heads: Vec<(u16, u32)>,
    layout: Arc<Layout>,
}

/// The combinations of a file.
#[derive(Default)]
pub(super) struct Framer {
    known: Vec<Known>,
    by_heads: HashMap<Vec<u32>, usize>,
    last: usize,
}

/// What a record was.
pub(super) enum Framed {
    /// A flow with this number of layout.
    Flow(usize),
    /// Something else.
    Other,
    /// It is damaged.
    Damaged,
    /// There are too many layouts for this part: another one has to be begun.
    Full,
}

impl Framer {
    /// The layouts of a part: all that are known.
    pub(super) fn layouts(&self, records: &mut Records) {
        let missing = self.known.iter().skip(records.layouts.len());
        records
            .layouts
            .extend(missing.map(|known| Arc::clone(&known.layout)));
    }

    /// Forgets what a part does not need.
    pub(super) fn begin(&mut self) {
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
            self.by_heads.clear();
        }
    }

    /// Frames a record that is whole.
    #[inline(always)]
    fn frame(&mut self, record: &[u8]) -> Framed {
        if let Some(known) = self.known.get(self.last)
            && known.is_of(record)
        {
            return Framed::Flow(self.last);
        }
        self.find(record)
    }

    fn find(&mut self, record: &[u8]) -> Framed {
        if le16(record, 0) != Some(FLOW) {
            return Framed::Other;
        }
        let Some(heads) = heads(record) else {
            return Framed::Damaged;
        };
        let signature: Vec<u32> = heads.iter().map(|(_, head)| *head).collect();
        if let Some(at) = self.by_heads.get(&signature).copied()
            && self.known[at].is_of(record)
        {
            self.last = at;
            return Framed::Flow(at);
        }
        if self.known.len() >= KNOWN_MAX {
            return Framed::Full;
        }
        let mut places = vec![
            Place::little(38, 6, 1),
            Place::little(39, 7, 1),
            Place::little(214, 11, 1),
        ];
        for (at, head) in &heads {
            let (kind, len) = (*head as u16, (head >> 16) as u16);
            let content = usize::from(*at) + EXTENSION_HEADER;
            extension::places(kind, content, len - EXTENSION_HEADER as u16, &mut places);
        }
        self.known.push(Known {
            size: record.len() as u16,
            heads,
            layout: Arc::new(Layout::of_places(places, record.len())),
        });
        self.last = self.known.len() - 1;
        self.by_heads.insert(signature, self.last);
        Framed::Flow(self.last)
    }

    /// Frames records from `at` to `end` until there are `rows_max`. Gives where it stopped, and
    /// whether there was damage.
    pub(super) fn frame_records(
        &mut self,
        bytes: &[u8],
        mut at: usize,
        records: &mut Records,
        rows_max: usize,
    ) -> (usize, bool) {
        while records.rows.len() < rows_max {
            let Some(head) = le32(bytes, at) else { break };
            let len = (head >> 16) as usize;
            if len < EXTENSION_HEADER {
                return (at, true);
            }
            let Some(record) = bytes.get(at..at + len) else {
                break;
            };
            match self.frame(record) {
                Framed::Flow(layout) => records.rows.push(Row {
                    start: at as u32,
                    len: len as u16,
                    layout: layout as u16,
                    ..Row::default()
                }),
                Framed::Other => {}
                Framed::Damaged => return (at, true),
                Framed::Full => break,
            }
            at += len;
        }
        (at, false)
    }
}

impl Known {
    #[inline(always)]
    fn is_of(&self, record: &[u8]) -> bool {
        record.len() == usize::from(self.size)
            && le16(record, 0) == Some(FLOW)
            && le16(record, 4) == Some(self.heads.len() as u16)
            && self
                .heads
                .iter()
                .all(|(at, head)| le32(record, usize::from(*at)) == Some(*head))
    }
}

/// The extensions of a record: where each begins, and its header. None where they are not within it, or
/// more than there are kinds of.
fn heads(record: &[u8]) -> Option<Vec<(u16, u32)>> {
    let count = le16(record, 4).filter(|count| usize::from(*count) <= EXTENSIONS_MAX)?;
    let mut heads = Vec::new();
    let mut at = HEADER_LEN;
    for _ in 0..count {
        let head = le32(record, at)?;
        let len = (head >> 16) as usize;
        if len < EXTENSION_HEADER || at + len > record.len() {
            return None;
        }
        heads.push((at as u16, head));
        at += len;
    }
    Some(heads)
}
