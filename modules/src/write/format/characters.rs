//! Text in formats that other programs read: its characters stand for themselves, and what is no
//! character becomes `\xhh`.
//!
//! To read it back: each `\x` with two hexadecimal digits is a byte, all else is itself. So that this
//! is so, a backslash before what looks like such a sequence becomes `\x5c`.

/// A piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A character that stands for itself.
    Character(char),
    /// A byte to be written as `\xhh`.
    Byte(u8),
}

/// Calls `each` for the pieces of a text.
pub(super) fn pieces(text: &[u8], each: &mut dyn FnMut(Piece)) {
    for chunk in text.utf8_chunks() {
        let valid = chunk.valid();
        for (at, c) in valid.char_indices() {
            each(if c == '\\' && looks_escaped(&valid.as_bytes()[at..]) {
                Piece::Byte(b'\\')
            } else {
                Piece::Character(c)
            });
        }
        chunk
            .invalid()
            .iter()
            .for_each(|byte| each(Piece::Byte(*byte)));
    }
}

/// Whether text begins like an escaped byte.
fn looks_escaped(text: &[u8]) -> bool {
    matches!(text, [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

/// Writes the bytes of a character.
pub(super) fn push(c: char, out: &mut Vec<u8>) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// The digits of `\xhh`.
pub(super) fn hex(byte: u8) -> [u8; 2] {
    let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble & 15)];
    [digit(byte >> 4), digit(byte)]
}

/// Writes `\xhh`.
pub(super) fn escape(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\x");
    out.extend_from_slice(&hex(byte));
}

/// Writes `\xhh` for each byte of a character.
pub(super) fn escape_all(c: char, out: &mut Vec<u8>) {
    let bytes = c.encode_utf8(&mut [0; 4]).to_owned();
    bytes.bytes().for_each(|byte| escape(byte, out));
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What is read back.
    pub fn read_back(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut at = 0;
        while at < text.len() {
            if looks_escaped(&text[at..]) {
                let digits = std::str::from_utf8(&text[at + 2..at + 4]).unwrap();
                out.push(u8::from_str_radix(digits, 16).unwrap());
                at += 4;
            } else {
                out.push(text[at]);
                at += 1;
            }
        }
        out
    }

    /// Texts that are hard to write so that they can be read back.
    pub fn hard_texts() -> Vec<Vec<u8>> {
        let mut texts: Vec<Vec<u8>> = [
            &b""[..],
            b"plain",
            b"C:\\dir\\new",
            b"\\x41 \\x4 \\xFF \\\\x00 \\",
            b"a\xffb\xc3(\xe2\x82",
            b"\\\xff\\x\xffff",
            b"\\x4\xff1",
            b"quote \" comma , tab \t line \n return \r",
            "gr\u{fc}\u{df} \u{1f980} \u{85} \u{7f} \u{2028}".as_bytes(),
            b"\x1b[31mred\x00",
        ]
        .iter()
        .map(|text| text.to_vec())
        .collect();
        texts.push((0..=255).collect());
        texts
    }

    #[test]
    fn all_bytes_can_be_read_back() {
        for text in hard_texts() {
            let mut out = Vec::new();
            pieces(&text, &mut |piece| match piece {
                Piece::Character(c) => push(c, &mut out),
                Piece::Byte(byte) => escape(byte, &mut out),
            });
            assert!(std::str::from_utf8(&out).is_ok());
            assert_eq!(read_back(&out), text, "{out:?}");
        }
    }

    #[test]
    fn only_what_looks_escaped_is_changed() {
        let mut changed = Vec::new();
        pieces(b"\\x4g \\\\ C:\\x \\xAb", &mut |piece| {
            if let Piece::Byte(byte) = piece {
                changed.push(byte);
            }
        });
        assert_eq!(changed, b"\\");
    }
}
