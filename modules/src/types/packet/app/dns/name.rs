//! Domain names in messages: labels, and pointers to labels that stand elsewhere (RFC 1035, 4.1.4).

use super::super::cursor::look_at;

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
    /// Where what follows the name begins, once that is known.
    end: Option<usize>,
}

impl<'a> Iterator for Labels<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match step(self.message, self.at) {
                Some(Step::End) => {
                    self.end.get_or_insert(self.at + 1);
                    return None;
                }
                Some(Step::Label(label)) => {
                    self.at += 1 + label.len();
                    self.len += 1 + label.len();
                    return Some((self.len < NAME_LEN_MAX).then_some(label));
                }
                Some(Step::Pointer(to)) if self.pointers < POINTERS_MAX => {
                    self.end.get_or_insert(self.at + 2);
                    self.pointers += 1;
                    self.at = to;
                }
                _ => return Some(None),
            }
        }
    }
}

fn labels_of(message: &[u8], at: usize) -> Labels<'_> {
    Labels {
        message,
        at,
        len: 0,
        pointers: 0,
        end: None,
    }
}

/// Where what follows the name at `at` begins, and how many labels the name has. A name that is
/// none beyond a pointer ends there all the same, without labels.
pub(super) fn labels(message: &[u8], at: usize) -> Option<(usize, u64)> {
    let mut labels = labels_of(message, at);
    let mut count = 0;
    while let Some(label) = labels.next() {
        match (label, labels.end) {
            (Some(_), _) => count += 1,
            (None, Some(end)) => return Some((end, 0)),
            (None, None) => return None,
        }
    }
    labels.end.map(|end| (end, count))
}

/// Writes the name at `at`: its labels with dots between them, and the root as Wireshark shows it.
pub(super) fn write_name(message: &[u8], at: usize, out: &mut Vec<u8>) -> Option<()> {
    let before = out.len();
    for label in labels_of(message, at) {
        if out.len() > before {
            out.push(b'.');
        }
        out.extend_from_slice(label?);
    }
    if out.len() == before {
        out.extend_from_slice(b"<Root>");
    }
    Some(())
}

#[cfg(test)]
mod tests {
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
        assert_eq!(labels(message, 0), Some((5, 1)));
        assert_eq!(name(message, 5).as_deref(), Some("www.example.com"));
        assert_eq!(labels(message, 5), Some((19, 3)));
        assert_eq!(name(message, 19).as_deref(), Some("www.example.com"));
        assert_eq!(labels(message, 19), Some((21, 3)));
        assert_eq!(name(message, 4).as_deref(), Some("<Root>"));
        assert_eq!(labels(message, 21), None);
        assert_eq!(name(&message[..3], 0), None);
    }

    #[test]
    fn pointers_that_lead_round_end() {
        assert_eq!(name(b"\xc0\x00", 0), None);
        assert_eq!(labels(b"\xc0\x00", 0), Some((2, 0)));
        let mut round = b"\x3f".to_vec();
        round.extend([b'a'; 63]);
        round.extend([0xc0, 0]);
        assert_eq!(name(&round, 0), None);
        assert_eq!(labels(&round, 64), Some((66, 0)));
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
            assert!(
                found
                    .as_ref()
                    .is_none_or(|name| name.len() <= 3 * NAME_LEN_MAX)
            );
            assert!(found.is_none() || labels(&message, at).is_some());
        }
    }
}
