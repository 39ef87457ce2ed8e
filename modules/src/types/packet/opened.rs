//! What was decrypted of payloads, so that it is done once and not for each field.

/// Payloads of a part that were decrypted, by where they begin in its block.
#[derive(Debug, Default)]
pub(super) struct Opened {
    /// In the order of their places: where what was made of each is in the bytes.
    payloads: Vec<(u32, Option<(u32, u32)>)>,
    bytes: Vec<u8>,
}

impl Opened {
    /// Forgets all; keeps buffers.
    pub fn clear(&mut self) {
        self.payloads.clear();
        self.bytes.clear();
    }

    /// What was made of a payload, or what `open` makes of it now; none where it makes nothing.
    pub fn get(
        &mut self,
        start: u32,
        open: impl FnOnce(&mut Vec<u8>) -> Option<()>,
    ) -> Option<&[u8]> {
        let place = self.payloads.binary_search_by_key(&start, |entry| entry.0);
        let range = match place {
            Ok(at) => self.payloads[at].1,
            Err(at) => {
                let from = self.bytes.len();
                let made = open(&mut self.bytes);
                if made.is_none() {
                    self.bytes.truncate(from);
                }
                let range = made.map(|()| (from as u32, self.bytes.len() as u32));
                self.payloads.insert(at, (start, range));
                range
            }
        };
        let (from, to) = range?;
        self.bytes.get(from as usize..to as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::Opened;

    #[test]
    fn each_payload_is_opened_once() {
        let mut opened = Opened::default();
        let mut calls = 0;
        let mut get = |start: u32, good: bool| {
            let bytes = opened.get(start, |out| {
                calls += 1;
                out.extend(start.to_be_bytes());
                good.then_some(())
            });
            bytes.map(<[u8]>::to_vec)
        };
        for _ in 0..2 {
            assert_eq!(get(7, true), Some(vec![0, 0, 0, 7]));
            assert_eq!(get(3, false), None);
            assert_eq!(get(5, true), Some(vec![0, 0, 0, 5]));
        }
        assert_eq!(calls, 3);
    }
}
