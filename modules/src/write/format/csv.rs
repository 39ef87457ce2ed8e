//! `csv`: records with commas between values, quoted as RFC 4180 says, below a header.
//!
//! Records end in a line feed. Text stands as it is, line ends too; other control characters, and
//! bytes that are no UTF-8, are `\xhh` (see `characters`).

use super::characters::{Piece, escape, escape_all, pieces, push};
use super::delimited::Dialect;

pub(super) const CSV: Dialect = Dialect {
    between: b',',
    text: write_text,
    quote,
};

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    pieces(text, &mut |piece| match piece {
        Piece::Character(c @ ('\t' | '\n' | '\r')) => push(c, out),
        Piece::Character(c) if c.is_control() => escape_all(c, out),
        Piece::Character(c) => push(c, out),
        Piece::Byte(byte) => escape(byte, out),
    });
    // What is absent is empty; empty text is there.
    if out.len() == start {
        out.extend_from_slice(b"\"\"");
    } else {
        quote(start, out);
    }
}

/// Puts what stands from `start` on in quotes where it has to be.
fn quote(start: usize, out: &mut Vec<u8>) {
    if !out[start..].iter().any(|byte| b",\"\n\r".contains(byte)) {
        return;
    }
    let cell = out.split_off(start);
    out.push(b'"');
    for byte in cell {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::super::characters::tests::{hard_texts, read_back};
    use super::*;

    /// One cell read as RFC 4180 says.
    fn parse(cell: &[u8]) -> Vec<u8> {
        match cell.strip_prefix(b"\"") {
            None => {
                assert!(!cell.iter().any(|byte| b",\"\n\r".contains(byte)));
                cell.to_vec()
            }
            Some(rest) => {
                let inner = rest.strip_suffix(b"\"").expect("quotes are closed");
                let text = String::from_utf8(inner.to_vec()).expect("valid UTF-8");
                assert!(!text.replace("\"\"", "").contains('"'), "{text}");
                text.replace("\"\"", "\"").into_bytes()
            }
        }
    }

    #[test]
    fn all_texts_can_be_read_back() {
        for text in hard_texts() {
            let mut cell = Vec::new();
            write_text(&text, &mut cell);
            let shown = String::from_utf8(cell.clone()).expect("valid UTF-8");
            let strange = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
            assert!(!shown.contains(strange), "{shown:?}");
            assert_eq!(read_back(&parse(&cell)), text, "{shown}");
        }
    }

    #[test]
    fn only_what_has_to_be_is_in_quotes() {
        for (text, cell) in [
            (&b"a b"[..], "a b"),
            (b"C:\\dir", "C:\\dir"),
            (b"a,b", "\"a,b\""),
            (b"say \"hi\"", "\"say \"\"hi\"\"\""),
            (b"two\nlines", "\"two\nlines\""),
            (b"", "\"\""),
            (b"\xff", "\\xff"),
            (b"\\xff", "\\x5cxff"),
            (b"\x1b", "\\x1b"),
        ] {
            let mut out = Vec::new();
            write_text(text, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), cell);
        }
    }
}
