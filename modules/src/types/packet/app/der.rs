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

/// Tag and content of the next element. What holds elements is read up to a cut; anything else that
/// is cut is none.
pub(super) fn element<'a>(bytes: &mut Cursor<'a>) -> Option<(u8, Cursor<'a>)> {
    let tag = bytes.u8()?;
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

/// The content of the next element, which has this tag.
pub(super) fn expect<'a>(bytes: &mut Cursor<'a>, wanted: u8) -> Option<Cursor<'a>> {
    let (tag, content) = element(bytes)?;
    (tag == wanted).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

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
