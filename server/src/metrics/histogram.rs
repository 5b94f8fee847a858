use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Lock-free histogram of durations; clones share the counts.
///
/// The histogram of `prometheus_client` takes a lock for each observation.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<Buckets>);

#[derive(Debug)]
struct Buckets {
    /// Upper bounds of all buckets but the last, in seconds, ascending.
    bounds: &'static [f64],
    /// Counts per bucket, one more than there are bounds.
    counts: Box<[AtomicU64]>,
    total_nanos: AtomicU64,
}

impl Histogram {
    /// Empty histogram with these upper bounds, in seconds, ascending.
    pub fn new(bounds: &'static [f64]) -> Self {
        Self(Arc::new(Buckets {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            total_nanos: AtomicU64::new(0),
        }))
    }

    /// Adds one observation.
    pub fn observe(&self, time: Duration) {
        let seconds = time.as_secs_f64();
        let bounds = self.0.bounds;
        let bucket = bounds.iter().position(|bound| seconds <= *bound);
        self.0.counts[bucket.unwrap_or(bounds.len())].fetch_add(1, Ordering::Relaxed);
        self.0
            .total_nanos
            .fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Number of observations.
    pub fn count(&self) -> u64 {
        self.counts().iter().sum()
    }

    /// Upper bound, in seconds, of the bucket that contains the quantile, 0 to
    /// 1; for the last bucket its lower bound. `None` without observations.
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let counts = self.counts();
        let total: u64 = counts.iter().sum();
        let rank = (quantile * total as f64).ceil().max(1.0) as u64;
        let mut cumulative = 0;
        let bucket = counts.iter().position(|count| {
            cumulative += count;
            cumulative >= rank
        })?;
        self.0.bounds.get(bucket).or(self.0.bounds.last()).copied()
    }

    fn counts(&self) -> Vec<u64> {
        let counts = self.0.counts.iter();
        counts.map(|it| it.load(Ordering::Relaxed)).collect()
    }
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let counts = self.counts();
        let bounds = self.0.bounds.iter().copied().chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(counts.iter().copied()).collect();
        let sum = self.0.total_nanos.load(Ordering::Relaxed) as f64 / 1e9;
        encoder.encode_histogram::<NoLabelSet>(sum, counts.iter().sum(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

impl TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_bounds_of_their_buckets() {
        let histogram = Histogram::new(&[0.001, 0.01, 0.1]);
        assert_eq!(histogram.quantile(0.5), None);
        (0..98).for_each(|_| histogram.observe(Duration::from_micros(500)));
        histogram.observe(Duration::from_millis(10));
        histogram.observe(Duration::from_secs(9));
        assert_eq!(histogram.count(), 100);
        assert_eq!(histogram.quantile(0.5), Some(0.001));
        assert_eq!(histogram.quantile(0.99), Some(0.01));
        assert_eq!(histogram.quantile(1.0), Some(0.1));
    }
}
