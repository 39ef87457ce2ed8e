//! Elements of DER and BER (ITU-T X.690) whose lengths are known: tag, length, content.

use super::cursor::Cursor;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const UTF8: u8 = 0x0c;
pub(super) const PRINTABLE: u8 = 0x13;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// The bit of a tag that says that the content is elements.
const CONSTRUCTED: u8 = 0x20;
/// The bits of a tag that are its number, or all set where that follows (X.690, 8.1.2.4).
const NUMBER: u8 = 0x1f;

/// Tag and content of the next element. What holds elements is read up to a cut; anything else that
/// is cut is none.
pub(super) fn element<'a>(bytes: &mut Cursor<'a>) -> Option<(u8, Cursor<'a>)> {
    let tag = tag(bytes)?;
    let len = match bytes.u8()? {
        len @ 0..=0x7f => usize::from(len),
        0x81 => bytes.u8()?.into(),
        0x82 => bytes.u16()?.into(),
        0x83 => bytes.u24()? as usize,
        0x84 => bytes.u32()? as usize,
        _ => return None,
    };
    let content = if tag & CONSTRUCTED != 0 {
        bytes.within(len)
    } else {
        Cursor::new(bytes.take(len)?)
    };
    Some((tag, content))
}

/// A tag in one byte. Numbers from 31 on follow in bytes of their own, and no element here has
/// one: of those what is left is that they do. Smaller ones may follow, too, as some senders have it.
fn tag(bytes: &mut Cursor<'_>) -> Option<u8> {
    let first = bytes.u8()?;
    if first & NUMBER != NUMBER {
        return Some(first);
    }
    let number = bytes.u8()?;
    if number < NUMBER {
        return Some(first & !NUMBER | number);
    }
    let mut next = number;
    while next & 0x80 != 0 {
        next = bytes.u8()?;
    }
    Some(first)
}

/// The content of the next element, which has this tag.
pub(super) fn expect<'a>(bytes: &mut Cursor<'a>, wanted: u8) -> Option<Cursor<'a>> {
    let (tag, content) = element(bytes)?;
    (tag == wanted).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_whose_numbers_follow() {
        for (bytes, tag) in [
            (&[0xbf, 0x04, 1, 7][..], 0xa4),
            (&[0x9f, 0x1f, 1, 7], 0x9f),
            (&[0x9f, 0x81, 0x00, 1, 7], 0x9f),
        ] {
            let read = element(&mut Cursor::new(bytes)).map(|(tag, content)| (tag, content.bytes));
            assert_eq!(read, Some((tag, &[7][..])), "{bytes:?}");
        }
        assert!(element(&mut Cursor::new(&[0x9f, 0x81])).is_none());
    }

    #[test]
    fn what_holds_elements_is_read_up_to_a_cut() {
        let bytes = [SEQUENCE, 0x81, 9, INTEGER, 1, 5, OCTETS, 4, b'a'];
        let mut list = expect(&mut Cursor::new(&bytes), SEQUENCE).expect("a list");
        assert_eq!(expect(&mut list, INTEGER).map(|n| n.bytes), Some(&[5][..]));
        assert!(element(&mut list).is_none(), "its content is cut");
        assert!(element(&mut Cursor::new(&[OCTETS, 0x80])).is_none());
        assert!(element(&mut Cursor::new(&[OCTETS, 0x85, 0, 0, 0, 0, 0])).is_none());
    }
}
