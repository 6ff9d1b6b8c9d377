//! What repeated measurements come to.

use std::time::Duration;

use serde_json::{Value, json};

/// The least, the middle and the greatest of some measurements of one thing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of any number of measurements; all zero for none.
    pub(crate) fn of(measured: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = measured.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
        let last = sorted.len().saturating_sub(1);
        Self { min: at(0), median: f64::midpoint(at(last / 2), at(last.div_ceil(2))), max: at(last) }
    }

    pub(crate) fn to_json(self) -> Value {
        json!({ "min": rounded(self.min), "median": rounded(self.median), "max": rounded(self.max) })
    }
}

/// Four significant digits are more than a busy machine can vouch for.
pub(crate) fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let digits = 3 - (value.abs().log10().floor() as i32).min(3);
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

/// The latency that a share of requests stays within, in milliseconds: the nearest rank.
pub(crate) fn percentile(sorted: &[Duration], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).map_or(0.0, |latency| latency.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let spread = Spread::of([5.0, 1.0, 2.0]);
        assert_eq!((spread.min, spread.median, spread.max), (1.0, 2.0, 5.0));
        assert!((Spread::of([4.0, 1.0, 2.0, 3.0]).median - 2.5).abs() < 1e-9);
        assert!(Spread::of([]).median.abs() < 1e-9);
    }

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let sorted: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert!((percentile(&sorted, 0.5) - 100.0).abs() < 1e-9);
        assert!((percentile(&sorted, 0.99) - 198.0).abs() < 1e-9);
        assert!(percentile(&[], 0.99).abs() < 1e-9);
    }

    #[test]
    fn numbers_are_rounded_to_what_they_can_say() {
        assert!((rounded(6_543.21) - 6_543.0).abs() < 1e-9);
        assert!((rounded(0.123_456) - 0.1235).abs() < 1e-9);
        assert!((rounded(12.345_6) - 12.35).abs() < 1e-9);
    }
}
