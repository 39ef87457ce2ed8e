//! Members of a state that count once however often they come.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use wireq_typesys::key;

/// Members in ascending order: distinct values of a group.
#[derive(Debug, Default)]
pub struct Members {
    /// Short ones, packed as [`key::Packer`] does: they order as their bytes do.
    short: Pieces<u128>,
    long: Pieces<Box<[u8]>>,
}

/// Pieces, each in ascending order. They are not put together: that would take as much memory as all of
/// them again, where memory is what there is too little of.
type Pieces<T> = Vec<Vec<T>>;

fn len<T>(pieces: &Pieces<T>) -> usize {
    pieces.iter().map(Vec::len).sum()
}

/// What all pieces hold, in ascending order.
fn ascending<T: Ord>(pieces: &Pieces<T>) -> impl Iterator<Item = &T> {
    let begins = pieces.iter().filter_map(|piece| piece.split_first());
    let mut heap: BinaryHeap<Reverse<(&T, &[T])>> = begins.map(Reverse).collect();
    std::iter::from_fn(move || {
        let mut lowest = heap.peek_mut()?;
        let Reverse((member, rest)) = *lowest;
        match rest.split_first() {
            Some(next) => *lowest = Reverse(next),
            None => drop(PeekMut::pop(lowest)),
        }
        Some(member)
    })
}

impl Members {
    /// Members in any order and in pieces of any size, each once: those of up to 15 bytes packed as
    /// [`key::Packer`] does, and the others.
    pub fn new(mut short: Vec<Vec<u128>>, mut long: Vec<Vec<Box<[u8]>>>) -> Members {
        short.iter_mut().for_each(|piece| piece.sort_unstable());
        long.iter_mut().for_each(|piece| piece.sort_unstable());
        Members { short, long }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        len(&self.short) + len(&self.long)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `each` for all of them, in ascending order.
    ///
    /// # Errors
    /// The first one of `each`.
    pub fn try_each<E>(&self, mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut long = ascending(&self.long).peekable();
        let mut bytes = Vec::new();
        for packed in ascending(&self.short) {
            bytes.clear();
            key::unpack(*packed, &mut bytes);
            while let Some(lower) = long.next_if(|other| ***other < *bytes) {
                each(lower)?;
            }
            each(&bytes)?;
        }
        long.try_for_each(|bytes| each(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn come_in_the_order_of_their_bytes() {
        let pack = |text: &str| {
            let mut bytes = [0; 16];
            bytes[..text.len()].copy_from_slice(text.as_bytes());
            bytes[15] = text.len() as u8;
            u128::from_be_bytes(bytes)
        };
        let long = [
            "b quite a long one",
            "d quite a long one",
            "a quite a long one",
        ];
        let members = Members::new(
            vec![
                ["c", "a", "bc"].map(pack).to_vec(),
                Vec::new(),
                ["b", "d"].map(pack).to_vec(),
            ],
            long.map(|text| vec![text.as_bytes().into()]).to_vec(),
        );
        let mut all: Vec<Vec<u8>> = Vec::new();
        let added: Result<(), ()> = members.try_each(|bytes| {
            all.push(bytes.to_vec());
            Ok(())
        });
        assert_eq!(added, Ok(()));
        assert_eq!((all.len(), all.is_sorted()), (members.len(), true));
    }
}
