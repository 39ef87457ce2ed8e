//! HyperLogLog: about how many distinct keys there were, in 4 KiB.
//!
//! Sources: Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog" (2007); the estimator of Ertl, "New
//! cardinality estimation algorithms for HyperLogLog sketches" (2017), section 4, which needs
//! neither tables nor thresholds.

/// 2^12 registers: a standard error of 1.04 / sqrt(4096) = 1.6 %.
const BITS: u32 = 12;
const REGISTERS: usize = 1 << BITS;
/// The greatest rank that the rest of a hash can have, less one.
const RANKS: usize = 64 - BITS as usize;

/// One sketch. Sketches of parts merge to that of the whole, on any machine.
#[derive(Clone, Debug, Default)]
pub(super) struct HyperLogLog {
    /// Empty until there is a key.
    registers: Vec<u8>,
}

impl HyperLogLog {
    pub(super) fn add(&mut self, key: &[u8]) {
        self.registers.resize(REGISTERS, 0);
        let hash = hash(key);
        // A bit below the rank's ends the count of zeros.
        let rank = (hash << BITS | 1 << (BITS - 1)).leading_zeros() + 1;
        let register = &mut self.registers[(hash >> (64 - BITS)) as usize];
        *register = (*register).max(rank as u8);
    }

    pub(super) fn merge(&mut self, other: &HyperLogLog) {
        self.registers
            .resize(self.registers.len().max(other.registers.len()), 0);
        for (own, other) in self.registers.iter_mut().zip(&other.registers) {
            *own = (*own).max(*other);
        }
    }

    pub(super) fn estimate(&self) -> u64 {
        if self.registers.is_empty() {
            return 0;
        }
        let mut counts = [0u32; RANKS + 2];
        for rank in &self.registers {
            counts[usize::from(*rank).min(RANKS + 1)] += 1;
        }
        let size = REGISTERS as f64;
        let mut sum = size * tau(1.0 - f64::from(counts[RANKS + 1]) / size);
        for count in counts[1..=RANKS].iter().rev() {
            sum = 0.5 * (sum + f64::from(*count));
        }
        sum += size * sigma(f64::from(counts[0]) / size);
        (size * size / (2.0 * std::f64::consts::LN_2 * sum)).round() as u64
    }

    /// The registers; none before the first key.
    pub(super) fn registers(&self) -> &[u8] {
        &self.registers
    }

    /// A sketch from saved registers; none where they are not as many as there must be.
    pub(super) fn from_registers(registers: &[u8]) -> Option<HyperLogLog> {
        matches!(registers.len(), 0 | REGISTERS).then(|| HyperLogLog {
            registers: registers.to_vec(),
        })
    }
}

/// The share of what the registers at 0 stand for.
fn sigma(share: f64) -> f64 {
    if share == 1.0 {
        return f64::INFINITY;
    }
    let (mut x, mut y, mut sum) = (share, 1.0, share);
    loop {
        x *= x;
        let before = sum;
        sum += x * y;
        y += y;
        if sum == before {
            return sum;
        }
    }
}

/// The share of what the registers at the greatest rank stand for.
fn tau(share: f64) -> f64 {
    if share == 0.0 || share == 1.0 {
        return 0.0;
    }
    let (mut x, mut y, mut sum) = (share, 1.0, 1.0 - share);
    loop {
        x = x.sqrt();
        let before = sum;
        y *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * y;
        if sum == before {
            return sum / 3.0;
        }
    }
}

/// A hash that is the same in every run and on every machine: eight bytes at a time are multiplied
/// into the state and the halves of the product folded, as wyhash does (Wang Yi, public domain).
fn hash(bytes: &[u8]) -> u64 {
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        let word = u64::from_le_bytes(word) ^ 0xa076_1d64_78bd_642f;
        state = fold(state ^ word, 0xe703_7ed1_a0b4_28db);
    }
    // The end of splitmix64: Steele, Lea, Flood (2014).
    state = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ state >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ state >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(numbers: impl Iterator<Item = u64>) -> HyperLogLog {
        let mut sketch = HyperLogLog::default();
        numbers.for_each(|number| sketch.add(&number.to_be_bytes()));
        sketch
    }

    /// Relative errors over many sketches: none far off, and no bias.
    #[test]
    fn is_near_at_every_size() {
        for (size, sketches) in [
            (1u64, 20),
            (10, 20),
            (300, 40),
            (5000, 40),
            (12_000, 40),
            (200_000, 8),
        ] {
            let mut bias = 0.0;
            for number in 0..sketches {
                let first = number << 40;
                let estimate = sketch(first..first + size).estimate() as f64;
                let error = estimate / size as f64 - 1.0;
                // Two keys may meet in a register.
                assert!(
                    error.abs() < 0.07f64.max(2.0 / size as f64),
                    "{size}: {estimate}"
                );
                bias += error / sketches as f64;
            }
            assert!(bias.abs() < 0.016, "{size}: bias {bias}");
        }
    }

    #[test]
    fn parts_merge_to_the_whole_and_twice_is_once() {
        let mut left = sketch(0..7000);
        left.merge(&sketch(5000..9000));
        left.merge(&HyperLogLog::default());
        let whole = sketch((0..9000).chain(0..9000));
        assert_eq!(left.registers(), whole.registers());
        let mut empty = HyperLogLog::default();
        empty.merge(&whole);
        assert_eq!(empty.registers(), whole.registers());
        assert_eq!(HyperLogLog::default().estimate(), 0);
    }

    /// Registers on disk and on other machines must go on to fit.
    #[test]
    fn the_hash_stays() {
        assert_eq!(hash(b""), 0xe220_a839_7b1d_cdaf);
        assert_eq!(hash(b"wireq hashes"), 0xa424_28bb_0265_d0f8);
    }

    #[test]
    fn full_registers_are_no_trouble() {
        let full = HyperLogLog::from_registers(&[255; REGISTERS]);
        assert_eq!(full.map(|full| full.estimate()), Some(u64::MAX));
        assert!(HyperLogLog::from_registers(&[0; 5]).is_none());
    }
}
