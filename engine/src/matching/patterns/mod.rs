//! Many byte patterns searched for at once.
//!
//! The interface is small so that another matcher can take its place: patterns with their flags and
//! places go in, texts are scanned for some or all of them, and for each that is in a text where it
//! may be (row, pattern, end) comes out.
//!
//! | file | what |
//! |---|---|
//! | `window` | which pieces of a pattern are looked for, and at which places of a text |
//! | `filter`, `shuffle` | the places of a text that are worth a closer look |
//! | `table`, `slots` | from a piece to the patterns that have it |
//! | `automaton` | for texts that would make that slow |
//!
//! What a set of patterns is looked for in costs little to make, a filter: rows of different
//! headers are searched for different patterns, and the table is the same for all.

mod automaton;
mod filter;
mod shuffle;
mod slots;
mod table;
#[cfg(test)]
mod tests;
mod window;

use automaton::Automata;
use filter::Filter;
use shuffle::Shuffle;
use table::{Seen, Table};
use window::{Key, Kind, WHOLE, rarity_of, value_at};

/// A pattern: its bytes, and whether ASCII letters of either case are the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// The bytes; empty ones are never found.
    pub bytes: Vec<u8>,
    /// Whether case is no matter.
    pub nocase: bool,
}

/// A pattern and where it may be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sought {
    /// The pattern.
    pub pattern: Pattern,
    /// The first place that it may begin at.
    pub from: usize,
    /// The last place that it may end at; none where that is no matter.
    pub until: Option<usize>,
    /// Whether it ends where the text ends.
    pub at_end: bool,
}

impl Sought {
    /// How good it is to look for, of several that all have to be there: how few places of a text
    /// have to be looked at, and then how rare its bytes are, as far as they tell.
    pub fn worth(&self) -> u32 {
        let bytes = &self.pattern.bytes;
        let rarity = rarity_of(bytes).min(RARITY_MAX);
        let rank = match table::kind_of(self) {
            Kind::Pinned if rarity < PINNED_RARITY => 1,
            Kind::Pinned | Kind::Quad => 3,
            Kind::Triple => 2,
            Kind::Pair => 1,
            Kind::Single => 0,
        };
        rank << 8 | rarity
    }
}

/// What is rarer is not better: it is hardly there anyway.
const RARITY_MAX: u32 = 64;
/// Bytes at one place are worth more than others elsewhere where they are so rare.
const PINNED_RARITY: u32 = 12;

/// A matcher of patterns, which are numbered from 0 in the order given.
pub struct Patterns {
    all: Vec<Sought>,
    table: Table,
    /// Made when a text asks for it.
    automata: Option<Result<Box<Automata>, String>>,
    places: Vec<u32>,
    /// Those of them that a filter leaves.
    kept: Vec<u32>,
    /// For each pattern the number of the scan in which it was found last.
    met: Vec<u32>,
    scan: u32,
    /// Whether vector instructions are used where they are there.
    shuffles: bool,
    /// So much is looked at in a text, for each of its bytes and besides, before the automaton takes
    /// over.
    most: (usize, usize),
}

/// What an automaton takes for a text would look at so many windows and patterns in it.
const WORK_MAX: (usize, usize) = (2, 1024);

/// Up to so many short windows are looked for by vector instructions, some at a time.
const SHORT_MAX: usize = 4 * shuffle::WINDOWS;
/// Up to so many bytes are looked for one by one.
const BYTES_MAX: usize = 16;

/// Patterns that a text is searched for.
pub struct Wanted {
    /// Which they are, as bits.
    members: Box<[u64]>,
    floating: Vec<(Kind, Filter)>,
    short: Short,
    /// Patterns of one byte, where they are few.
    bytes: Vec<u32>,
    /// Places and widths of pinned windows; lengths of whole texts.
    pins: Vec<(u16, u8)>,
    pinned: Filter,
}

/// Short windows, where they are few: what is looked at before their filters.
#[derive(Default)]
struct Short {
    kinds: &'static [Kind],
    shuffles: Vec<Shuffle>,
    /// The place that none ends behind.
    until: usize,
}

impl Patterns {
    /// Makes the matcher.
    pub fn new(all: Vec<Sought>) -> Patterns {
        Patterns {
            table: Table::new(&all),
            met: vec![0; all.len()],
            scan: 0,
            all,
            automata: None,
            places: Vec::new(),
            kept: Vec::new(),
            shuffles: true,
            most: WORK_MAX,
        }
    }

    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes ready to search for some of the patterns, each given once.
    pub fn want(&self, some: impl Iterator<Item = u32> + Clone) -> Wanted {
        let windows = |kind: Kind| {
            let mine = some.clone().filter(move |at| self.table.kind(*at) == kind);
            mine.flat_map(|at| {
                let until = self.table.until(at);
                self.table.windows(at).iter().map(move |w| (until, w))
            })
        };
        let single =
            |at: &u32| self.table.kind(*at) == Kind::Single && !self.table.windows(*at).is_empty();
        let mut bytes: Vec<u32> = some.clone().filter(single).collect();
        let floating = match bytes.len() > BYTES_MAX {
            true => &[Kind::Quad, Kind::Triple, Kind::Pair, Kind::Single][..],
            false => &[Kind::Quad, Kind::Triple, Kind::Pair],
        };
        let floating = floating.iter().filter_map(|kind| {
            let kind = *kind;
            let count = windows(kind).count();
            let mut filter = (count > 0).then(|| Filter::new(count))?;
            windows(kind).for_each(|(until, window)| filter.add(window.value, until));
            Some((kind, filter))
        });
        let mut pinned = Filter::new(windows(Kind::Pinned).count());
        let mut pins: Vec<(u16, u8)> = Vec::new();
        for (until, window) in windows(Kind::Pinned) {
            pinned.add(window.value, until);
            pins.push((window.place, window.width));
        }
        pins.sort_unstable();
        pins.dedup();
        let floating = floating.collect();
        if bytes.len() > BYTES_MAX {
            bytes.clear();
        }
        let short = self.short(some.clone());
        let mut members = vec![0; self.len().div_ceil(64)];
        some.clone()
            .for_each(|at| members[at as usize / 64] |= 1 << (at % 64));
        Wanted {
            members: members.into(),
            floating,
            short,
            bytes,
            pins,
            pinned,
        }
    }

    /// Shuffles for the short windows of some patterns, what kinds of windows they are for, and the
    /// place that these do not end behind; none where they are too many.
    fn short(&self, some: impl Iterator<Item = u32> + Clone) -> Short {
        let kinds = [&[Kind::Triple, Kind::Pair][..], &[Kind::Pair]];
        let of = |kinds: &&'static [Kind]| {
            let mut windows = Vec::new();
            let mut until = 0;
            for at in some
                .clone()
                .filter(|at| kinds.contains(&self.table.kind(*at)))
            {
                // All places are looked at, so one window of each is enough.
                if let Some(first) = self.table.windows(at).first() {
                    windows.push((first.value, first.width));
                    until = until.max(self.table.until(at));
                }
            }
            windows.sort_unstable_by_key(|(value, width)| (*width, value.swap_bytes()));
            windows.dedup();
            let few = self.shuffles && (1..=SHORT_MAX).contains(&windows.len());
            let shuffles = windows.chunks(shuffle::WINDOWS).filter(|_| few);
            let shuffles: Option<Vec<Shuffle>> = shuffles.map(Shuffle::new).collect();
            Some(Short {
                kinds,
                shuffles: shuffles.filter(|shuffles| !shuffles.is_empty())?,
                until,
            })
        };
        kinds.iter().find_map(of).unwrap_or_default()
    }

    /// Scans texts, each with the number of its row, and calls `found` with the row, the number of a
    /// pattern and one past its last byte: once for each that is wanted and is there where it may be.
    pub fn scan<'t>(
        &mut self,
        wanted: &Wanted,
        texts: impl Iterator<Item = (usize, &'t [u8])>,
        mut found: impl FnMut(usize, u32, usize),
    ) {
        for (row, text) in texts {
            self.next_scan();
            let (mut met, scan) = (std::mem::take(&mut self.met), self.scan);
            let mut each = |pattern: u32, end| {
                let last = &mut met[pattern as usize];
                if *last != scan && wanted.has(pattern) {
                    *last = scan;
                    found(row, pattern, end);
                }
            };
            if !self.scan_places(wanted, text, &mut each) {
                self.scan_bytes(text, &mut each);
            }
            self.met = met;
        }
    }

    fn next_scan(&mut self) {
        self.scan = self.scan.wrapping_add(1);
        if self.scan == 0 {
            self.met.fill(0);
            self.scan = 1;
        }
    }

    /// Looks at places that filters find. Gives false, with something not found, where these are too
    /// many.
    fn scan_places(
        &mut self,
        wanted: &Wanted,
        text: &[u8],
        found: &mut impl FnMut(u32, usize),
    ) -> bool {
        let most = match self.automata {
            Some(Err(_)) => usize::MAX,
            _ => text.len().saturating_mul(self.most.0) + self.most.1,
        };
        let mut seen = Seen::default();
        for (place, width) in &wanted.pins {
            let (place, width) = (usize::from(*place), *width);
            let here = if width == WHOLE {
                (text.len() == place).then(|| (Key::whole(text), 0))
            } else {
                let value = value_at(text, place, width.into());
                value.map(|value| (Key::pinned(place, width.into(), value), place))
            };
            if let Some(here) = here.filter(|(key, _)| wanted.pinned.has(key.value)) {
                self.table.verify(here, text, &mut seen, &mut *found);
            }
        }
        for pattern in &wanted.bytes {
            if let Some(end) = self.table.find_byte(*pattern, text) {
                found(*pattern, end);
            }
        }
        self.scan_short(wanted, text, (&mut seen, most), found);
        for (kind, filter) in &wanted.floating {
            if wanted.short.kinds.contains(kind) {
                continue;
            }
            let count = filter.places(*kind, text, &mut self.places);
            seen.skip = 0;
            for at in &self.places[..count] {
                let at = *at as usize;
                if at + kind.width() <= seen.skip {
                    continue;
                }
                let Some(value) = value_at(text, at, kind.width()) else {
                    continue;
                };
                let here = (Key::floating(*kind, value), at);
                self.table.verify(here, text, &mut seen, &mut *found);
                if seen.work > most {
                    break;
                }
            }
        }
        // Where there is no automaton it has to be done like this.
        seen.work <= most || !self.has_automata() && self.scan_places(wanted, text, found)
    }

    /// Looks at the places that shuffles find, until too much was looked at.
    fn scan_short(
        &mut self,
        wanted: &Wanted,
        text: &[u8],
        (seen, most): (&mut Seen, usize),
        found: &mut impl FnMut(u32, usize),
    ) {
        let short = &wanted.short;
        let searched = &text[..text.len().min(short.until)];
        for shuffle in &short.shuffles {
            let count = shuffle.places(searched, &mut self.places);
            for (kind, filter) in &wanted.floating {
                if !short.kinds.contains(kind) {
                    continue;
                }
                let count = filter.keep(*kind, text, &self.places[..count], &mut self.kept);
                for at in &self.kept[..count] {
                    let at = *at as usize;
                    if let Some(value) = value_at(text, at, kind.width()) {
                        let here = (Key::floating(*kind, value), at);
                        self.table.verify(here, text, seen, &mut *found);
                    }
                    if seen.work > most {
                        return;
                    }
                }
            }
        }
    }

    /// Whether there are automata; where the patterns are too many or too long for them there are
    /// none.
    fn has_automata(&mut self) -> bool {
        let make = || Automata::new(&self.all).map(Box::new);
        self.automata.get_or_insert_with(make).is_ok()
    }

    fn scan_bytes(&mut self, text: &[u8], found: &mut impl FnMut(u32, usize)) {
        if let Some(Ok(automata)) = &mut self.automata {
            let table = &self.table;
            automata.scan(text, |pattern, end| {
                if table.allows(pattern, end, text.len()) {
                    found(pattern, end);
                }
            });
        }
    }
}

impl Wanted {
    #[inline(always)]
    fn has(&self, pattern: u32) -> bool {
        self.members[pattern as usize / 64] >> (pattern % 64) & 1 != 0
    }

    /// How many bytes of memory it takes, about.
    pub fn size(&self) -> usize {
        let filters = self.floating.iter().map(|(_, filter)| filter.size());
        let filters = filters.sum::<usize>() + self.pinned.size();
        filters + size_of_val(&*self.members) + 4 * self.pins.len()
    }
}
