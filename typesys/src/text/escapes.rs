//! Bytes as text, each by a table: what packets carry is mostly not readable, and a branch on each
//! byte would be one that no processor foresees.

/// What each byte becomes: at most seven bytes, the first in the low one, and how many in the high.
pub struct Escapes([u64; 256]);

/// Bytes whose room is made at once.
const CHUNK: usize = 256;

impl Escapes {
    /// The printable ASCII characters stand for themselves but for those in `others`, which become
    /// what stands there; all other bytes become `before` and two hexadecimal digits.
    pub const fn new(before: &[u8], others: &[(u8, &[u8])]) -> Escapes {
        let digits = b"0123456789abcdef";
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            table[byte] = if byte >= 0x20 && byte < 0x7f {
                entry(&[byte as u8], &[])
            } else {
                entry(before, &[digits[byte >> 4], digits[byte & 15]])
            };
            byte += 1;
        }
        let mut at = 0;
        while at < others.len() {
            let (byte, text) = others[at];
            table[byte as usize] = entry(text, &[]);
            at += 1;
        }
        Escapes(table)
    }

    /// Writes bytes.
    pub fn write(&self, bytes: &[u8], out: &mut Vec<u8>) {
        for chunk in bytes.chunks(CHUNK) {
            let start = out.len();
            out.resize(start + 8 * chunk.len(), 0);
            let room = &mut out[start..];
            let mut at = 0;
            for byte in chunk {
                let text = self.0[usize::from(*byte)];
                room[at..][..8].copy_from_slice(&text.to_le_bytes());
                at += (text >> 56) as usize;
            }
            out.truncate(start + at);
        }
    }
}

const fn entry(left: &[u8], right: &[u8]) -> u64 {
    let len = left.len() + right.len();
    assert!(len < 8, "the high byte says how long it is");
    let mut text = (len as u64) << 56;
    let mut at = 0;
    while at < len {
        let byte = if at < left.len() {
            left[at]
        } else {
            right[at - left.len()]
        };
        text |= (byte as u64) << (8 * at);
        at += 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_become_what_the_table_says() {
        const ESCAPES: Escapes = Escapes::new(b"<%", &[(b'<', b"less"), (0, b"")]);
        let bytes: Vec<u8> = (0..3 * CHUNK + 7).map(|at| (at * 7) as u8).collect();
        let expected = bytes.iter().map(|byte| match byte {
            0 => String::new(),
            b'<' => "less".to_owned(),
            0x20..=0x7e => char::from(*byte).to_string(),
            _ => format!("<%{byte:02x}"),
        });
        let mut out = b"before ".to_vec();
        ESCAPES.write(&bytes, &mut out);
        let expected = format!("before {}", expected.collect::<String>());
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
