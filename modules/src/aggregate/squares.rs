//! Exact sums of squares.

use super::total::{load_sum, save_sum};
use super::wide::Wide;
use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::ExactSum;

/// Exact sums of squares. Those of small and of large values would leave the doubles: they are
/// summed in other units.
#[derive(Clone, Default)]
pub(super) struct Squares([ExactSum; 3]);

/// What values below and above the limits are multiplied by, so that squares and their errors are
/// doubles; the limits are 2^-480 and 2^480.
const UP: f64 = f64::from_bits((1023 + 608) << 52);
const DOWN: f64 = f64::from_bits((1023 - 608) << 52);
const LOW: f64 = f64::from_bits((1023 - 480) << 52);
const HIGH: f64 = f64::from_bits((1023 + 480) << 52);

impl Squares {
    /// Adds the square of a double; what is not finite shows in the sum of the values.
    pub(super) fn add(&mut self, double: f64) {
        let (at, double) = match double.abs() {
            size if !size.is_finite() => return,
            size if size < LOW => (0, size * UP),
            size if size > HIGH => (2, size * DOWN),
            size => (1, size),
        };
        add_product(&mut self.0[at], double, double);
    }

    pub(super) fn add_integer(&mut self, square: u128) {
        // A signed integer takes half of it.
        let half = (square >> 1) as i128;
        self.0[1].add_integer(half);
        self.0[1].add_integer(half);
        self.0[1].add_integer((square & 1) as i128);
    }

    /// Adds the square of an integer of up to 128 bits, from pieces that are doubles.
    #[cold]
    pub(super) fn add_pieces(&mut self, size: u128) {
        let piece = |at: u32| {
            let bits = (size >> (43 * at)) as u64 & ((1 << 43) - 1);
            bits as f64 * f64::powi(2.0, 43 * at as i32)
        };
        let pieces = [piece(0), piece(1), piece(2)];
        for left in pieces {
            for right in pieces {
                add_product(&mut self.0[1], left, right);
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Squares) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            own.merge(other);
        }
    }

    /// About how many bytes it takes.
    pub(super) fn memory(&self) -> usize {
        size_of::<Squares>() + self.0.iter().map(ExactSum::memory).sum::<usize>()
    }

    pub(super) fn save(&self, out: &mut Writer) {
        self.0.iter().for_each(|sum| save_sum(Some(sum), out));
    }

    pub(super) fn load(from: &mut Reader<'_>) -> Result<Squares, Error> {
        let mut squares = Squares::default();
        for sum in &mut squares.0 {
            *sum = *load_sum(from)?.unwrap_or_default();
        }
        Ok(squares)
    }

    /// The sum in units of 2^-2176.
    pub(super) fn size(&self) -> Wide {
        let [low, middle, high] = [0, 1, 2].map(|at| Wide::size_of(&self.0[at]));
        // 2 * 608 bits are 38 digits; from the unit of the chunks to that of squares it is 34.
        let low = low.unshifted(4);
        low.plus(&middle.shifted(34)).plus(&high.shifted(72))
    }
}

/// Adds a product exactly: as the rounded one and its error.
///
/// Source: Dekker, "A floating-point technique for extending the available precision" (1971);
/// the halves by Veltkamp. Exact where neither squares nor errors leave the normal doubles.
fn add_product(sum: &mut ExactSum, left: f64, right: f64) {
    let halves = |double: f64| {
        let scaled = 134_217_729.0 * double;
        let high = scaled - (scaled - double);
        (high, double - high)
    };
    let ((a, b), (c, d)) = (halves(left), halves(right));
    let product = left * right;
    sum.add(product);
    sum.add(((a * c - product) + a * d + b * c) + b * d);
}
