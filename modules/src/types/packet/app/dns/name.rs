//! Domain names in messages: labels, and pointers to labels that stand elsewhere (RFC 1035, 4.1.4).

use super::super::cursor::look_at;
use std::cell::Cell;

/// A name has at most this many bytes as it is sent, so that no name takes long, however its
/// pointers run.
const NAME_LEN_MAX: usize = 255;
/// A pointer leads to at least one label, or the name ends.
const POINTERS_MAX: usize = NAME_LEN_MAX / 2;

/// What stands at a place of a name.
enum Step<'a> {
    Label(&'a [u8]),
    Pointer(usize),
    End,
}

fn step(message: &[u8], at: usize) -> Option<Step<'_>> {
    let first = *message.get(at)?;
    look_at(1 + usize::from(first & 0x3f));
    match first >> 6 {
        0 if first == 0 => Some(Step::End),
        0 => {
            let label = message.get(at + 1..at + 1 + usize::from(first))?;
            Some(Step::Label(label))
        }
        3 => {
            let low = *message.get(at + 1)?;
            Some(Step::Pointer(
                usize::from(first & 0x3f) << 8 | usize::from(low),
            ))
        }
        _ => None,
    }
}

/// The labels of a name one after the other, wherever they stand; none in place of one where the
/// name is no name.
struct Labels<'a> {
    message: &'a [u8],
    at: usize,
    len: usize,
    pointers: usize,
    /// Where an earlier pointer led: pointers that lead there again never end (Brent's algorithm).
    seen: usize,
    /// Where no name is.
    dead: usize,
}

impl<'a> Iterator for Labels<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match step(self.message, self.at) {
                Some(Step::End) => return None,
                Some(Step::Label(label)) => {
                    self.at += 1 + label.len();
                    self.len += 1 + label.len();
                    return Some((self.len < NAME_LEN_MAX).then_some(label));
                }
                Some(Step::Pointer(to)) if self.is_new(to) => {
                    self.pointers += 1;
                    if self.pointers.is_power_of_two() {
                        self.seen = to;
                    }
                    self.at = to;
                }
                _ => return Some(None),
            }
        }
    }
}

impl Labels<'_> {
    /// Whether what stands there may end the name.
    fn is_new(&self, to: usize) -> bool {
        self.pointers < POINTERS_MAX && to != self.seen && to != self.dead
    }
}

fn labels_of(message: &[u8], at: usize) -> Labels<'_> {
    Labels {
        message,
        at,
        len: 0,
        pointers: 0,
        seen: usize::MAX,
        dead: usize::MAX,
    }
}

/// A place of a message that names pointed to and where no name is: where it is pointed to a
/// thousand times, it is looked at once.
pub(super) struct Dead(Cell<usize>);

impl Dead {
    /// No such place is known.
    pub fn none() -> Dead {
        Dead(Cell::new(usize::MAX))
    }
}

/// Where what follows the name at `at` begins: wherever a pointer at its end leads.
pub(super) fn name_end(message: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    while end < at + NAME_LEN_MAX {
        match step(message, end)? {
            Step::Label(label) => end += 1 + label.len(),
            Step::Pointer(_) => return Some(end + 2),
            Step::End => return Some(end + 1),
        }
    }
    None
}

/// How many labels the name at `at` has: none where it is no name.
pub(super) fn label_count(message: &[u8], at: usize) -> u64 {
    let mut count = 0;
    for label in labels_of(message, at) {
        if label.is_none() {
            return 0;
        }
        count += 1;
    }
    count
}

/// Writes the name at `at`: its labels with dots between them, and the root as Wireshark shows it.
pub(super) fn write_name(message: &[u8], at: usize, out: &mut Vec<u8>) -> Option<()> {
    write_name_unless(message, at, &Dead::none(), out)
}

/// The same, of a message of which a place is known where no name is.
pub(super) fn write_name_unless(
    message: &[u8],
    at: usize,
    dead: &Dead,
    out: &mut Vec<u8>,
) -> Option<()> {
    let before = out.len();
    let mut labels = labels_of(message, at);
    labels.dead = dead.0.get();
    for label in labels {
        if out.len() > before {
            out.push(b'.');
        }
        let Some(label) = label else {
            // Whatever stands before a pointer to there, it is none: only longer.
            if let Some(Step::Pointer(to)) = step(message, at) {
                dead.0.set(to);
            }
            return None;
        };
        out.extend_from_slice(label);
    }
    if out.len() == before {
        out.extend_from_slice(b"<Root>");
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::super::cursor::LOOKED_AT;
    use super::*;

    fn name(message: &[u8], at: usize) -> Option<String> {
        let mut out = Vec::new();
        write_name(message, at, &mut out)?;
        Some(String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn labels_and_pointers() {
        let message = b"\x03com\x00\x03www\x07example\xc0\x00\xc0\x05\xff";
        assert_eq!(name(message, 0).as_deref(), Some("com"));
        assert_eq!(name_end(message, 0), Some(5));
        assert_eq!(label_count(message, 0), 1);
        assert_eq!(name(message, 5).as_deref(), Some("www.example.com"));
        assert_eq!(name_end(message, 5), Some(19));
        assert_eq!(label_count(message, 5), 3);
        assert_eq!(name(message, 19).as_deref(), Some("www.example.com"));
        assert_eq!(name_end(message, 19), Some(21));
        assert_eq!(label_count(message, 19), 3);
        assert_eq!(name(message, 4).as_deref(), Some("<Root>"));
        assert_eq!(name_end(message, 21), None);
        assert_eq!(name(&message[..3], 0), None);
    }

    #[test]
    fn pointers_that_lead_round_end() {
        assert_eq!(name(b"\xc0\x00", 0), None);
        assert_eq!(name_end(b"\xc0\x00", 0), Some(2));
        assert_eq!(label_count(b"\xc0\x00", 0), 0);
        let mut round = b"\x3f".to_vec();
        round.extend([b'a'; 63]);
        round.extend([0xc0, 0]);
        assert_eq!(name(&round, 0), None);
        assert_eq!(name_end(&round, 64), Some(66));
        assert_eq!(label_count(&round, 64), 0);
    }

    /// Pointers to where no name is are followed once.
    #[test]
    fn dead_pointers_are_not_followed_again() {
        let mut message = [1, b'a'].repeat(200);
        let pointers = message.len();
        message.extend([0xc0, 0, 0xc0, 0, 1, b'b', 0xc0, 0, 1, b'c', 0]);
        let dead = Dead::none();
        let work = |at: usize| {
            LOOKED_AT.set(0);
            let mut out = b"before".to_vec();
            let found = write_name_unless(&message, at, &dead, &mut out);
            (found, LOOKED_AT.get())
        };
        assert!(matches!(work(pointers), (None, 250..)));
        for at in [pointers + 2, pointers + 4] {
            let (found, looked_at) = work(at);
            assert_eq!(found, None);
            assert!(looked_at < 200, "{looked_at} bytes looked at again");
        }
        assert!(work(pointers + 8).0.is_some());
    }

    #[test]
    fn any_bytes_are_read_to_an_end() {
        let mut state = 1u64;
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        for _ in 0..20_000 {
            // Few values, so that pointers and labels are frequent.
            let bytes = [0, 1, 2, 3, 63, 0xc0, 0xc0, 0xff, b'a', b'b'];
            let len = random(300);
            let message: Vec<u8> = (0..len).map(|_| bytes[random(10) as usize]).collect();
            let at = random(310) as usize;
            let found = name(&message, at);
            let dead = Dead::none();
            let known = |at| {
                let mut out = Vec::new();
                write_name_unless(&message, at, &dead, &mut out)
                    .map(|()| String::from_utf8_lossy(&out).into_owned())
            };
            // What is known of other names changes none.
            known(at / 2);
            known(at / 3);
            assert_eq!(known(at), found);
            assert!(
                found
                    .as_ref()
                    .is_none_or(|name| name.len() <= 3 * NAME_LEN_MAX)
            );
            assert!(found.is_none() || name_end(&message, at).is_some());
        }
    }
}
