//! The checksum of the Internet protocols (RFC 1071), computed when a field asks for it.

/// Whether the sum of all 16-bit words of these runs of bytes is that of bytes with their checksum.
/// Each run but the last has an even length.
pub(super) fn is_right(runs: &[&[u8]]) -> bool {
    sum(runs) == 0xffff
}

fn sum(runs: &[&[u8]]) -> u16 {
    let mut sum = 0u64;
    for run in runs {
        let mut words = run.chunks_exact(2);
        sum += words
            .by_ref()
            .map(|word| u64::from(u16::from_be_bytes([word[0], word[1]])))
            .sum::<u64>();
        if let [last] = words.remainder() {
            sum += u64::from(*last) << 8;
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::is_right;

    #[test]
    fn is_that_of_rfc_1071() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert!(is_right(&[&bytes, &[0x22, 0x0d]]));
        assert!(!is_right(&[&bytes, &[0x22, 0x0e]]));
        assert!(is_right(&[&bytes[..2], &bytes[2..], &[0x22, 0x0d, 0]]));
    }
}
