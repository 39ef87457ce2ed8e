//! Snort's way (Roesch, LISA 1999): conditions with equal tests of the fields that most conditions
//! are about (there: addresses and ports) stand in one chain; where these hold, the other tests of
//! each condition of the chain are tried one by one.

use super::distinct::{ByTests, Distinct};
use crate::View;
use hashbrown::HashMap;
use wireq_typesys::Zone;

/// How many fields make a head: addresses, ports, protocol.
const HEAD_FIELDS: usize = 5;

/// The tests of a head, and the conditions in its chain with their other tests.
type Chain = (Vec<u32>, Vec<(u32, Vec<u32>)>);

pub(super) struct Snort {
    chains: Vec<Chain>,
}

impl Snort {
    pub(super) fn boxed(tests: &Distinct) -> Box<dyn ByTests> {
        let mut uses: HashMap<u32, usize> = HashMap::new();
        let all = tests.conditions.iter().flat_map(|(_, list)| list);
        for test in all.filter(|test| !tests.is_content(**test)) {
            *uses.entry(tests.about[*test as usize]).or_default() += 1;
        }
        let mut fields: Vec<(usize, u32)> = uses.into_iter().map(|(f, n)| (n, f)).collect();
        fields.sort_unstable_by(|a, b| b.cmp(a));
        fields.truncate(HEAD_FIELDS);
        let is_head = |test: &u32| {
            let about = tests.about[*test as usize];
            !tests.is_content(*test) && fields.iter().any(|(_, field)| *field == about)
        };
        let mut known: HashMap<Vec<u32>, usize> = HashMap::new();
        let mut chains: Vec<Chain> = Vec::new();
        for (number, list) in &tests.conditions {
            let (mut head, rest): (Vec<u32>, Vec<u32>) = list.iter().partition(|t| is_head(t));
            head.sort_unstable();
            let at = *known.entry(head).or_insert_with_key(|head| {
                chains.push((head.clone(), Vec::new()));
                chains.len() - 1
            });
            chains[at].1.push((*number, rest));
        }
        Box::new(Snort { chains })
    }
}

impl ByTests for Snort {
    fn looks_up(&self) -> bool {
        false
    }

    fn find(
        &mut self,
        tests: &mut Distinct,
        view: View<'_>,
        zone: &Zone,
        found: &mut Vec<(u16, u32)>,
    ) {
        for (head, chain) in &self.chains {
            let mut rows = view.part.selection;
            for test in head {
                if rows.is_empty() {
                    break;
                }
                rows = tests.select(*test, view, &rows, zone);
            }
            for (number, rest) in chain {
                let mut rows = rows;
                for test in rest {
                    if rows.is_empty() {
                        break;
                    }
                    rows = tests.select(*test, view, &rows, zone);
                }
                rows.for_each(|row| found.push((row as u16, *number)));
            }
        }
    }
}
