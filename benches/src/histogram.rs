//! Durations counted in buckets, so that recording costs the same whatever was recorded before.

use std::time::Duration;

/// Buckets to each power of two: a value is known to 3 percent.
const STEPS: u32 = 32;

/// How often each duration was seen, from a nanosecond to about four minutes.
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; (STEPS * 34) as usize], total: 0 }
    }
}

impl Histogram {
    /// Counts `duration`; what is longer than the last bucket is counted there.
    pub fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let last = self.counts.len() - 1;
        self.counts[bucket(nanos).min(last)] += 1;
        self.total += 1;
    }

    /// The duration below or at which the part `share` (0 to 1) of all lies; zero if there is none.
    pub fn quantile(&self, share: f64) -> Duration {
        let wanted = (self.total as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted && *count > 0 {
                return Duration::from_nanos(floor_of(bucket));
            }
        }
        Duration::ZERO
    }

    /// How many were counted.
    pub fn total(&self) -> u64 {
        self.total
    }
}

/// Below `STEPS` a bucket a nanosecond, then `STEPS` buckets for each doubling.
fn bucket(nanos: u64) -> usize {
    let steps = u64::from(STEPS);
    if nanos < steps {
        return nanos as usize;
    }
    let shift = nanos.ilog2() - STEPS.ilog2();
    (u64::from(shift) * steps + (nanos >> shift)) as usize
}

/// The smallest duration of a bucket.
fn floor_of(bucket: usize) -> u64 {
    let steps = STEPS as usize;
    if bucket < 2 * steps {
        return bucket as u64;
    }
    let shift = bucket / steps - 1;
    ((bucket % steps + steps) as u64) << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        for nanos in (0..5_000).chain([1 << 20, (1 << 20) + 1, 1 << 36, u64::from(u32::MAX)]) {
            let at = bucket(nanos);
            assert!(floor_of(at) <= nanos && nanos < floor_of(at + 1), "{nanos} in {at}");
        }
    }

    #[test]
    fn quantiles_are_within_a_bucket() {
        let mut histogram = Histogram::default();
        for micros in 1..=1000 {
            histogram.record(Duration::from_micros(micros));
        }
        let median = histogram.quantile(0.5).as_secs_f64() * 1e6;
        assert!((484.0..=500.0).contains(&median), "{median}");
        assert!(histogram.quantile(1.0) > Duration::from_micros(960));
        assert_eq!(Histogram::default().quantile(0.5), Duration::ZERO);
        histogram.record(Duration::from_secs(100_000));
        assert_eq!(histogram.total(), 1001);
    }
}
