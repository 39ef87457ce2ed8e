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

    /// Calls `each` with what gives the class of an address.
    #[inline(always)]
    pub(super) fn with<R>(&self, each: impl Each<R>) -> R {
        match &self.tables {
            _ if self.tops.is_empty() => {
                each.call(|address| self.base + passed(&self.starts, address))
            }
            Tables::Small(tables) => each.call(|address| self.of(address, tables)),
            Tables::Large(tables) => each.call(|address| self.of(address, tables)),
        }
    }

    #[inline(always)]
    fn of<T: Copy + Into<u32>>(&self, address: u32, tables: &[[T; TABLE]]) -> u32 {
        let (from, table) = self.known[usize::from(self.tops[(address >> 16) as usize])];
        let table = &tables[table as usize];
        let at = (address >> 8 & 255) as usize;
        let (start, end): (u32, u32) = (table[at].into(), table[at + 1].into());
        let near = (from + start) as usize;
        let len = end - start;
        let passed = match len <= FEW as u32 {
            // Those behind are above, if they are any.
            true => passed(&self.starts[near..near + FEW], address).min(len),
            false => {
                let near = &self.starts[near..near + len as usize];
                near.partition_point(|start| *start <= address) as u32
            }
        };
        self.base + from + start + passed
    }
}

/// What is done with the classes of addresses.
pub(super) trait Each<R> {
    fn call(self, class: impl Fn(u32) -> u32) -> R;
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
            struct Of(Vec<u32>);
            impl Each<Vec<u32>> for Of {
                fn call(self, class: impl Fn(u32) -> u32) -> Vec<u32> {
                    self.0.into_iter().map(class).collect()
                }
            }
            let others = others.iter().map(|(at, low)| near(*at, *low));
            let around = starts.iter().flat_map(|s| [*s, s.wrapping_sub(1), s.wrapping_add(1)]);
            let addresses: Vec<u32> = others.chain(around).chain([0, u32::MAX]).collect();
            let classes = prefixes.with(Of(addresses.clone()));
            for (address, class) in addresses.iter().zip(classes) {
                let below = starts.iter().filter(|start| *start <= address).count() as u32;
                prop_assert_eq!(class, 7 + below);
            }
        }
    }
}
