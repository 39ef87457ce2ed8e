//! From a window to the patterns that have it, and whether they are there.

use super::slots::Slots;
use super::window::{Common, Key, Kind, PINS_MAX, WHOLE, fold, value_at};
use super::{Pattern, Sought};
use memchr::{memchr, memchr2};

/// Patterns by their windows.
pub(super) struct Table {
    patterns: Vec<Ready>,
    /// The bytes of all of them; in lower case where case is no matter.
    bytes: Vec<u8>,
    /// All windows, one pattern's side by side.
    windows: Vec<Window>,
    /// By kind, from a window to one more than the place of its first entry.
    slots: [Slots; Kind::ALL.len()],
    entries: Vec<Entry>,
}

/// A pattern made ready.
struct Ready {
    kind: Kind,
    nocase: bool,
    at_end: bool,
    /// Its bytes, and how many they are.
    start: u32,
    len: u32,
    from: usize,
    until: usize,
    windows: (u32, u32),
}

/// A window of a pattern.
#[derive(Clone, Copy)]
pub(super) struct Window {
    /// That of its key.
    pub(super) value: u32,
    /// Where it has to be, where it is pinned; of a [`WHOLE`] text its length.
    pub(super) place: u16,
    pub(super) width: u8,
}

/// A pattern, and where in it the window begins.
#[derive(Clone, Copy)]
struct Entry {
    pattern: u32,
    /// [`RUN`] where it is one byte again and again.
    back: u32,
    /// Four more bytes of it, folded, and where they are from the window on: most of what is not
    /// there is told by them, without a look at the pattern itself. Shorter patterns have none.
    more: u32,
    more_at: i16,
    /// Whether there is no other entry of the window behind it.
    last: bool,
}

/// Where there are no more bytes.
const NO_MORE: i16 = i16::MAX;

impl Entry {
    fn new(pattern: u32, bytes: &[u8], back: usize, width: usize) -> Entry {
        // As far from the window as can be.
        let last = bytes.len().saturating_sub(4);
        let from = if back + width / 2 > bytes.len() / 2 {
            0
        } else {
            last
        };
        let more = value_at(bytes, from, 4).filter(|_| bytes.len() > width);
        let more_at = i16::try_from(from as i64 - back as i64).unwrap_or(NO_MORE);
        Entry {
            pattern,
            back: back as u32,
            more: more.unwrap_or(0),
            more_at: more.map_or(NO_MORE, |_| more_at),
            last: true,
        }
    }

    fn run(pattern: u32) -> Entry {
        Entry {
            pattern,
            back: RUN,
            more: 0,
            more_at: NO_MORE,
            last: true,
        }
    }

    /// Whether the other bytes are there.
    #[inline(always)]
    fn may_be(&self, text: &[u8], at: usize) -> bool {
        if self.more_at == NO_MORE {
            return true;
        }
        let from = at.wrapping_add_signed(self.more_at as isize);
        let four = text.get(from..).and_then(|rest| rest.first_chunk::<4>());
        four.is_some_and(|four| fold(*four) == self.more)
    }
}

/// Of patterns of one byte again and again all windows are the same: where one is, the run of that
/// byte is looked at as a whole, and once.
const RUN: u32 = u32::MAX;

/// What is known of the text at hand.
#[derive(Default)]
pub(super) struct Seen {
    /// The window that was looked up last, and where its entries begin.
    last: Option<(Key, u32)>,
    /// The run of one byte that was looked at last.
    run: (usize, usize),
    /// Windows that end before or at this place were looked at all.
    pub(super) skip: usize,
    /// How much was looked at.
    pub(super) work: usize,
}

impl Table {
    pub(super) fn new(all: &[Sought]) -> Table {
        let mut common = Common::new();
        for sought in all {
            let kind = kind_of(sought);
            if kind.step() > 1 {
                common.add(&sought.pattern.bytes, kind.width());
            }
        }
        let mut table = Table {
            patterns: Vec::with_capacity(all.len()),
            bytes: Vec::new(),
            windows: Vec::new(),
            slots: Default::default(),
            entries: Vec::new(),
        };
        let mut entries: Vec<(Key, Entry)> = Vec::new();
        for (sought, number) in all.iter().zip(0..) {
            table.add(sought, number, &common, &mut entries);
        }
        entries.sort_by_key(|(key, entry)| (*key, entry.pattern));
        let mut firsts: [Vec<(u32, u32)>; Kind::ALL.len()] = Default::default();
        for same in entries.chunk_by_mut(|a, b| a.0 == b.0) {
            let (key, first) = (same[0].0, table.entries.len() as u32 + 1);
            firsts[key.kind as usize].push((key.value, first));
            let last = same.len() - 1;
            for (at, (_, entry)) in same.iter_mut().enumerate() {
                entry.last = at == last;
            }
            table.entries.extend(same.iter().map(|(_, entry)| *entry));
        }
        table.slots = firsts.map(|firsts| Slots::new(&firsts));
        table
    }

    fn add(
        &mut self,
        sought: &Sought,
        number: u32,
        common: &Common,
        entries: &mut Vec<(Key, Entry)>,
    ) {
        let bytes = &sought.pattern.bytes;
        let kind = match kind_of(sought) {
            // The zeros around a few other bytes are in too many texts.
            kind @ (Kind::Quad | Kind::Triple) if !is_run(&sought.pattern) => {
                let kinds = [kind, Kind::Triple, Kind::Pair];
                let rare = |kind: &Kind| !common.has_run(bytes, *kind);
                kinds.into_iter().find(rare).unwrap_or(kind)
            }
            kind => kind,
        };
        let first = self.windows.len() as u32;
        let mut add = |key: Key, place: usize, width: usize, back: usize| {
            self.windows.push(Window {
                value: key.value,
                place: place as u16,
                width: width as u8,
            });
            let entry = match back == RUN as usize {
                true => Entry::run(number),
                false => Entry::new(number, bytes, back, width),
            };
            entries.push((key, entry));
        };
        if sought.is_whole() {
            add(Key::whole(bytes), bytes.len(), WHOLE.into(), 0);
        } else if kind == Kind::Pinned {
            let width = bytes.len().min(kind.width());
            let value = value_at(bytes, 0, width).unwrap_or(0);
            for place in sought.pins() {
                let key = Key::pinned(place, width, value);
                add(key, place, width, 0);
            }
        } else if !bytes.is_empty() {
            let run = kind.step() > 1 && is_run(&sought.pattern);
            let from = common.choose(bytes, kind);
            for at in from..from + if run { 1 } else { kind.step() } {
                if let Some(value) = value_at(bytes, at, kind.width()) {
                    let back = if run { RUN as usize } else { at };
                    add(Key::floating(kind, value), 0, kind.width(), back);
                }
            }
        }
        let start = self.bytes.len() as u32;
        let lower = |byte: &u8| match sought.pattern.nocase {
            true => byte.to_ascii_lowercase(),
            false => *byte,
        };
        self.bytes.extend(bytes.iter().map(lower));
        self.patterns.push(Ready {
            kind,
            nocase: sought.pattern.nocase,
            at_end: sought.at_end,
            start,
            len: bytes.len() as u32,
            from: sought.from,
            until: sought.until.unwrap_or(usize::MAX),
            windows: (first, self.windows.len() as u32),
        });
    }

    pub(super) fn len(&self) -> usize {
        self.patterns.len()
    }

    pub(super) fn kind(&self, pattern: u32) -> Kind {
        self.patterns[pattern as usize].kind
    }

    /// The place that no occurrence of a pattern ends behind.
    pub(super) fn until(&self, pattern: u32) -> usize {
        self.patterns[pattern as usize].until
    }

    pub(super) fn windows(&self, pattern: u32) -> &[Window] {
        let (from, to) = self.patterns[pattern as usize].windows;
        &self.windows[from as usize..to as usize]
    }

    /// Calls `found` with the patterns whose window at a place of a text this is, and which are
    /// there where they have to be: with one past the last byte.
    #[inline]
    pub(super) fn verify(
        &self,
        (key, at): (Key, usize),
        text: &[u8],
        seen: &mut Seen,
        mut found: impl FnMut(u32, usize),
    ) {
        let first = match seen.last {
            Some((last, first)) if last == key => first,
            _ => {
                let first = self.slots[key.kind as usize].get(key.value);
                seen.last = Some((key, first));
                first
            }
        };
        seen.work += 1;
        let Some(first) = first.checked_sub(1) else {
            return;
        };
        let mut runs = true;
        for entry in &self.entries[first as usize..] {
            seen.work += 1;
            if entry.back == RUN {
                let pattern = &self.patterns[entry.pattern as usize];
                if let Some(end) = self.in_run(pattern, text, at, &mut seen.run) {
                    found(entry.pattern, end);
                }
            } else {
                runs = false;
                if entry.may_be(text, at)
                    && let Some(end) = self.is_there(entry, text, at, &mut seen.work)
                {
                    found(entry.pattern, end);
                }
            }
            if entry.last {
                break;
            }
        }
        if runs && (seen.run.0..seen.run.1).contains(&at) {
            // The other windows of the run are the same.
            seen.skip = seen.run.1;
        }
    }

    /// Whether the pattern of an entry is in a text, its window at a place: where it ends there.
    #[inline]
    fn is_there(&self, entry: &Entry, text: &[u8], at: usize, work: &mut usize) -> Option<usize> {
        let pattern = &self.patterns[entry.pattern as usize];
        let len = pattern.len as usize;
        *work += len / 16;
        let begin = at.checked_sub(entry.back as usize)?;
        let there = text.get(begin..begin + len)?;
        let bytes = &self.bytes[pattern.start as usize..pattern.start as usize + len];
        let same = match pattern.nocase {
            true => there.eq_ignore_ascii_case(bytes),
            false => there == bytes,
        };
        (same && pattern.allows(begin, text.len())).then_some(begin + len)
    }

    /// Whether a pattern of one byte again and again is in the run of its byte around a place: where
    /// it ends there.
    fn in_run(
        &self,
        pattern: &Ready,
        text: &[u8],
        at: usize,
        run: &mut (usize, usize),
    ) -> Option<usize> {
        let byte = self.bytes[pattern.start as usize];
        if text[at] != byte {
            return None;
        }
        if !(run.0..run.1).contains(&at) {
            let same = |there: &&u8| **there == byte;
            let before = text[..at].iter().rev().take_while(same).count();
            let behind = text[at..].iter().take_while(same).count();
            *run = (at - before, at + behind);
        }
        let (start, end) = *run;
        let len = pattern.len as usize;
        let begin = match pattern.at_end {
            true => end.checked_sub(len)?.max(start),
            false => start.max(pattern.from),
        };
        (begin + len <= end && pattern.allows(begin, text.len())).then_some(begin + len)
    }

    /// Where a pattern of one byte ends in a text.
    pub(super) fn find_byte(&self, pattern: u32, text: &[u8]) -> Option<usize> {
        let pattern = &self.patterns[pattern as usize];
        let byte = self.bytes[pattern.start as usize];
        let from = match pattern.at_end {
            true => text.len().checked_sub(1)?.max(pattern.from),
            false => pattern.from,
        };
        let text = text.get(from..text.len().min(pattern.until))?;
        let at = match pattern.nocase {
            true => memchr2(byte, byte.to_ascii_uppercase(), text),
            false => memchr(byte, text),
        };
        at.map(|at| from + at + 1)
    }

    /// Whether a pattern that ends at a place of a text of some length may be there.
    pub(super) fn allows(&self, pattern: u32, end: usize, len: usize) -> bool {
        let pattern = &self.patterns[pattern as usize];
        pattern.allows(end - pattern.len as usize, len)
    }
}

impl Ready {
    /// Whether it may begin at a place of a text of some length.
    #[inline(always)]
    fn allows(&self, begin: usize, len: usize) -> bool {
        let end = begin + self.len as usize;
        self.from <= begin && end <= self.until && (end == len || !self.at_end)
    }
}

/// Whether a pattern is one byte again and again.
fn is_run(pattern: &Pattern) -> bool {
    let first = pattern.bytes.first();
    let letters = pattern.nocase && first.is_some_and(u8::is_ascii_alphabetic);
    !letters && pattern.bytes.iter().all(|byte| Some(byte) == first)
}

impl Sought {
    /// Whether it is all of the text, and no longer than what a window says.
    fn is_whole(&self) -> bool {
        let len = self.pattern.bytes.len();
        let is_all = self.at_end && self.from == 0 && self.until.is_some_and(|until| until <= len);
        is_all && (1..=usize::from(u16::MAX)).contains(&len)
    }

    /// The places that it may begin at.
    fn pins(&self) -> std::ops::Range<usize> {
        let last = self.until.unwrap_or(usize::MAX);
        match last.checked_sub(self.pattern.bytes.len()) {
            Some(last) => self.from..last.saturating_add(1),
            None => 0..0,
        }
    }
}

/// How a pattern is looked for.
pub(super) fn kind_of(sought: &Sought) -> Kind {
    let pins = sought.pins();
    let few = pins.end <= 1 << 16 && pins.len() <= PINS_MAX;
    match few && !sought.pattern.bytes.is_empty() {
        true => Kind::Pinned,
        false => Kind::of(sought.pattern.bytes.len()),
    }
}
