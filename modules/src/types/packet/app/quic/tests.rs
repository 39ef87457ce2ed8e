use super::varint;
use crate::types::packet::app::cursor::Cursor;
use crate::types::packet::app::tests::hex;

#[test]
fn numbers_of_any_length() {
    // RFC 9000, appendix A.1.
    for (text, number) in [
        ("c2197c5eff14e88c", 151_288_809_941_952_652),
        ("9d7f3e7d", 494_878_333),
        ("7bbd", 15_293),
        ("25", 37),
        ("4025", 37),
    ] {
        let bytes = hex(text);
        assert_eq!(varint(&mut Cursor::new(&bytes)), Some(number));
        assert_eq!(varint(&mut Cursor::new(&bytes[..bytes.len() - 1])), None);
    }
}
