//! Which class an IPv4 address is of: tables by its leading bits, as routers have them.

/// Bounds of classes behind a table of the leading 16 bits, and for those with which bounds begin
/// tables of the next 8. There is hardly a branch, so that many addresses are looked up at a time.
#[derive(Default)]
pub(super) struct Prefixes {
    /// The class of the lowest address.
    base: u32,
    starts: Vec<u32>,
    /// For the leading 16 bits, the number of what is known: small, as it is looked at for each address.
    tops: Vec<u16>,
    /// How many bounds stand below, and which table is for the next 8 bits.
    known: Vec<(u32, u32)>,
    tables: Tables,
}

/// For the next 8 bits, how many more bounds stand below. The first table is for those with which no
/// bound begins.
enum Tables {
    /// Where no more than so many begin with the same 16.
    Small(Vec<[u8; TABLE]>),
    Large(Vec<[u32; TABLE]>),
}

impl Default for Tables {
    fn default() -> Tables {
        Tables::Small(Vec::new())
    }
}

/// One more than there are values of 8 bits, for the end of the last.
const TABLE: usize = 257;

/// So many bounds are looked at, whatever their number, where there are no more behind a table.
const FEW: usize = 4;

/// So many addresses are looked up at a time.
pub(super) const STEP: usize = 64;

/// So many need no table at all.
const LINEAR_MAX: usize = 8;

const TOPS: usize = 1 << 16;

impl Prefixes {
    /// Of bounds in order; those at the lowest address count for `base`.
    pub(super) fn new(base: u32, mut starts: Vec<u32>) -> Prefixes {
        if starts.len() <= LINEAR_MAX {
            return Prefixes {
                base,
                starts,
                ..Prefixes::default()
            };
        }
        let top = |start: &u32| (start >> 16) as usize;
        let (mut tops, mut known) = (Vec::with_capacity(TOPS), Vec::new());
        let (mut below, mut most, mut tables) = (0, 0, vec![[0; TABLE]]);
        let mut beginning = starts.chunk_by(|a, b| top(a) == top(b)).peekable();
        for at in 0..TOPS {
            if let Some(near) = beginning.next_if(|near| top(&near[0]) == at) {
                known.push((below, tables.len() as u32));
                below += near.len() as u32;
                most = most.max(near.len());
                let middle = |middle: usize| {
                    near.partition_point(|start| ((start >> 8 & 255) as usize) < middle) as u32
                };
                tables.push(std::array::from_fn(middle));
            } else if known.last() != Some(&(below, 0)) {
                known.push((below, 0));
            }
            tops.push((known.len() - 1) as u16);
        }
        drop(beginning);
        starts.extend([u32::MAX; FEW]);
        let tables = match most {
            0..=0xff => Tables::Small(tables.iter().map(|t| t.map(|n| n as u8)).collect()),
            _ => Tables::Large(tables),
        };
        Prefixes {
            base,
            starts,
            tops,
            known,
            tables,
        }
    }

    /// Adds the classes of addresses, of at most [`STEP`].
    pub(super) fn look_up(&self, addresses: &[u32], out: &mut Vec<u32>) {
        match &self.tables {
            _ if self.tops.is_empty() => {
                let class = |address: &u32| self.base + passed(&self.starts, *address);
                out.extend(addresses.iter().map(class));
            }
            Tables::Small(tables) => self.look_up_in(tables, addresses, out),
            Tables::Large(tables) => self.look_up_in(tables, addresses, out),
        }
    }

    /// Each step for all addresses before the next one: what one needs of memory does not wait for what
    /// another one needs.
    #[inline(always)]
    fn look_up_in<T: Copy + Into<u32>>(
        &self,
        tables: &[[T; TABLE]],
        addresses: &[u32],
        out: &mut Vec<u32>,
    ) {
        let mut known = [0u16; STEP];
        for (known, address) in known.iter_mut().zip(addresses) {
            *known = self.tops[(address >> 16) as usize];
        }
        let mut froms = [(0, 0); STEP];
        for (from, known) in froms.iter_mut().zip(&known[..addresses.len()]) {
            *from = self.known[usize::from(*known)];
        }
        let mut nears = [(0, 0); STEP];
        for ((near, (from, table)), address) in nears.iter_mut().zip(&froms).zip(addresses) {
            let table = &tables[*table as usize];
            let at = (address >> 8 & 255) as usize;
            let (start, end): (u32, u32) = (table[at].into(), table[at + 1].into());
            *near = (from + start, end - start);
        }
        let classes = nears.iter().zip(addresses).map(|((near, len), address)| {
            let from = *near as usize;
            let passed = match *len <= FEW as u32 {
                // Those behind are above, if they are any.
                true => passed(&self.starts[from..from + FEW], *address).min(*len),
                false => {
                    let starts = &self.starts[from..from + *len as usize];
                    starts.partition_point(|start| *start <= *address) as u32
                }
            };
            self.base + near + passed
        });
        out.extend(classes);
    }
}

#[inline(always)]
fn passed(starts: &[u32], address: u32) -> u32 {
    let passed = starts.iter().map(|start| u32::from(*start <= address));
    passed.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn classes_are_counted_bounds(
            tops in prop::collection::vec(any::<u32>(), 1..4),
            bounds in prop::collection::vec((0..3usize, any::<u16>(), any::<bool>()), 0..600),
            others in prop::collection::vec((0..3usize, any::<u16>()), 0..50),
        ) {
            let near = |at: usize, low: u16| tops[at % tops.len()] & !0xffff | u32::from(low);
            let mut starts: Vec<u32> = bounds
                .iter()
                .map(|(at, low, round)| near(*at, low & if *round { 0xff00 } else { 0xfff }))
                .collect();
            starts.sort_unstable();
            starts.dedup();
            let prefixes = Prefixes::new(7, starts.clone());
            let others = others.iter().map(|(at, low)| near(*at, *low));
            let around = starts.iter().flat_map(|s| [*s, s.wrapping_sub(1), s.wrapping_add(1)]);
            let addresses: Vec<u32> = others.chain(around).chain([0, u32::MAX]).collect();
            let mut classes = Vec::new();
            addresses.chunks(STEP).for_each(|some| prefixes.look_up(some, &mut classes));
            prop_assert_eq!(classes.len(), addresses.len());
            for (address, class) in addresses.iter().zip(classes) {
                let below = starts.iter().filter(|start| *start <= address).count() as u32;
                prop_assert_eq!(class, 7 + below);
            }
        }
    }
}
