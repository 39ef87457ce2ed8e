//! What is usual: exponential means and deviations.

use wireq_engine::arguments::{ArgumentError, Arguments};
use wireq_engine::planted::is_planted;

/// What the flags of `changes` say.
#[derive(Clone, Copy)]
pub(super) struct Setting {
    /// How much stays of the mean at a rise and else, and of the deviation.
    up: f64,
    down: f64,
    deviation: f64,
    /// Severities above this pass.
    pub(super) threshold: f64,
    /// What the values are logarithms with; 1 where they are none.
    pub(super) base: f64,
}

impl Setting {
    pub(super) fn read(arguments: &Arguments) -> Result<Setting, ArgumentError> {
        let share = |flag, default| {
            let range = |number: f64| (0.0..=1.0).contains(&number);
            number(arguments, flag, default, "a number from 0 to 1", range)
        };
        Ok(Setting {
            up: share("--histup", 0.0)?,
            down: share("--histdown", 0.9995)?,
            deviation: share("--histdev", 0.8)?,
            threshold: number(arguments, "-t", -1.0, "a number", |_| true)?,
            base: number(arguments, "--base", 1.0, "a number above 0", |n| n > 0.0)?,
        })
    }
}

/// The value of a flag that takes a number.
fn number(
    arguments: &Arguments,
    flag: &str,
    default: f64,
    what: &str,
    is_valid: impl Fn(f64) -> bool,
) -> Result<f64, ArgumentError> {
    let Some(word) = arguments.value(flag) else {
        return Ok(default);
    };
    match word.text.parse::<f64>() {
        Ok(number) if number.is_finite() && is_valid(number) => Ok(number),
        _ => Err(ArgumentError {
            help: Some(format!("{flag} takes {what}; {default} unless given")),
            ..ArgumentError::at("changes", word, format!("is not {what}"))
        }),
    }
}

/// What is usual for one field of one ID; the mean is not a number before the first value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usual {
    pub(super) mean: f64,
    pub(super) sigma: f64,
}

/// Before the first value.
pub(super) const NOTHING: Usual = Usual {
    mean: f64::NAN,
    sigma: f64::NAN,
};

impl Usual {
    /// Takes a value in; gives how far it is from what was usual.
    pub(super) fn take(&mut self, value: f64, setting: &Setting) -> f64 {
        if self.mean.is_nan() {
            (self.mean, self.sigma) = (value, value.abs());
            return 0.0;
        }
        let off = (value - self.mean).abs().min(f64::MAX);
        let distance = off / self.sigma.max(1.0);
        let is_above = value > self.mean;
        let stays = if is_above { setting.up } else { setting.down };
        self.mean = stays * self.mean + (1.0 - stays) * value;
        self.sigma = setting.deviation * self.sigma + (1.0 - setting.deviation) * off;
        if is_above || setting.up == setting.down || is_planted("falls-are-changes") {
            distance
        } else {
            0.0
        }
    }
}
