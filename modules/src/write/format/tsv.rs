//! `tsv`: lines with tabs between values, below a header; every line has all columns.
//!
//! In text, tab, line feed, carriage return and backslash are `\t`, `\n`, `\r`, `\\`, and other
//! control characters, and bytes that are no UTF-8, are `\xhh`: PostgreSQL's COPY reads it, too.

use super::characters::{Piece, escape, escape_all, pieces, push};
use super::delimited::Dialect;

pub(super) const TSV: Dialect = Dialect {
    between: b'\t',
    text: write_text,
    // No other text form holds a tab or a line end.
    quote: |_, _| {},
};

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    pieces(text, &mut |piece| match piece {
        Piece::Character('\t') => out.extend_from_slice(b"\\t"),
        Piece::Character('\n') => out.extend_from_slice(b"\\n"),
        Piece::Character('\r') => out.extend_from_slice(b"\\r"),
        Piece::Character('\\') | Piece::Byte(b'\\') => out.extend_from_slice(b"\\\\"),
        Piece::Character(c) if c.is_control() => escape_all(c, out),
        Piece::Character(c) => push(c, out),
        Piece::Byte(byte) => escape(byte, out),
    });
}

#[cfg(test)]
mod tests {
    use super::super::characters::tests::hard_texts;
    use super::*;
    use wireq_typesys::unescape;

    #[test]
    fn all_texts_can_be_read_back() {
        for text in hard_texts() {
            let mut cell = Vec::new();
            write_text(&text, &mut cell);
            let shown = String::from_utf8(cell.clone()).expect("valid UTF-8");
            assert!(!shown.contains(char::is_control), "{shown:?}");
            assert_eq!(unescape(&cell), text, "{shown}");
        }
    }
}
