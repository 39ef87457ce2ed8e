//! Exact sums of integers and doubles, and their snapshots.

use wireq_engine::Error;
use wireq_engine::snapshot::{Reader, Writer};
use wireq_typesys::ExactSum;

/// An exact sum of integers and doubles: 128 bits, and what is wider or no integer beside them.
#[derive(Clone, Debug, Default)]
pub(super) struct Total {
    whole: i128,
    wide: Option<Box<ExactSum>>,
}

impl Total {
    #[inline(always)]
    pub(super) fn add_whole(&mut self, number: i128) {
        match self.whole.checked_add(number) {
            Some(sum) => self.whole = sum,
            None => self.add_wide(number),
        }
    }

    #[cold]
    fn add_wide(&mut self, number: i128) {
        self.wide.get_or_insert_default().add_integer(number);
    }

    pub(super) fn add_double(&mut self, double: f64) {
        self.wide.get_or_insert_default().add(double);
    }

    pub(super) fn merge(&mut self, other: &Total) {
        self.add_whole(other.whole);
        if let Some(wide) = &other.wide {
            self.wide.get_or_insert_default().merge(wide);
        }
    }

    /// The sum where it is an integer of 128 bits.
    pub(super) fn whole(&self) -> Option<i128> {
        self.wide.is_none().then_some(self.whole)
    }

    pub(super) fn sum(&self) -> ExactSum {
        let mut sum = self.wide.as_deref().cloned().unwrap_or_default();
        sum.add_integer(self.whole);
        sum
    }

    /// About how many bytes it takes beyond its own size.
    #[inline(always)]
    pub(super) fn memory(&self) -> usize {
        boxed_memory(self.wide.as_deref())
    }

    pub(super) fn save(&self, out: &mut Writer) {
        out.bytes(&self.whole.to_le_bytes());
        save_sum(self.wide.as_deref(), out);
    }

    pub(super) fn load(from: &mut Reader<'_>) -> Result<Total, Error> {
        Ok(Total {
            whole: i128::from_le_bytes(sixteen(from)?),
            wide: load_sum(from)?,
        })
    }
}

/// About how many bytes a sum takes that stands in a box.
#[inline(always)]
pub(super) fn boxed_memory(sum: Option<&ExactSum>) -> usize {
    sum.map_or(0, |sum| size_of::<ExactSum>() + sum.memory())
}

pub(super) fn sixteen(from: &mut Reader<'_>) -> Result<[u8; 16], Error> {
    let bytes = from.bytes()?.try_into();
    bytes.map_err(|_| Error::Snapshot("not sixteen bytes".into()))
}

pub(crate) fn save_sum(sum: Option<&ExactSum>, out: &mut Writer) {
    out.number(sum.is_some().into());
    let Some((chunks, specials)) = sum.map(ExactSum::parts) else {
        return;
    };
    out.number(chunks.len() as u64);
    for (number, value) in chunks {
        out.number(i64::from(number) as u64);
        out.number(value as u64);
    }
    specials.iter().for_each(|count| out.number(*count));
}

pub(crate) fn load_sum(from: &mut Reader<'_>) -> Result<Option<Box<ExactSum>>, Error> {
    if from.number()? == 0 {
        return Ok(None);
    }
    let mut chunks = Vec::new();
    for _ in 0..from.number()? {
        let (number, value) = (from.number()?, from.number()? as i64);
        // Saved chunks are carried: anything else could overflow later.
        if number > 128 || value.unsigned_abs() > 1 << 32 {
            return Err(Error::Snapshot("no chunk of an exact sum".into()));
        }
        chunks.push((number as i16, value));
    }
    let specials = [from.number()?, from.number()?, from.number()?];
    Ok(Some(Box::new(ExactSum::from_parts(chunks, specials))))
}
