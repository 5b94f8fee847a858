//! Sorted values of repeated runs, with median and quantiles.

/// Values of one measurement, one per run, in ascending order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds the value of one run.
    pub fn add(&mut self, value: f64) {
        let place = self.0.partition_point(|other| *other <= value);
        self.0.insert(place, value);
    }

    /// Median: the middle value, or the mean of the two middle values. `None`
    /// without values.
    pub fn median(&self) -> Option<f64> {
        let middle = self.0.len() / 2;
        let upper = *self.0.get(middle)?;
        match self.0.len() % 2 {
            0 => Some((self.0[middle - 1] + upper) / 2.0),
            _ => Some(upper),
        }
    }

    /// Smallest value.
    pub fn min(&self) -> Option<f64> {
        self.0.first().copied()
    }

    /// Largest value.
    pub fn max(&self) -> Option<f64> {
        self.0.last().copied()
    }

    /// Value that the given share (0 to 1) of `total` values does not exceed.
    /// Missing values count as infinitely large, so the result is `None` when
    /// the quantile falls among them.
    pub fn quantile(&self, share: f64, total: usize) -> Option<f64> {
        let place = (total as f64 * share).ceil() as usize;
        self.0.get(place.saturating_sub(1)).copied()
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut samples = Self::default();
        values.into_iter().for_each(|value| samples.add(value));
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_quantiles_do_not_depend_on_the_order_of_runs() {
        let of = |values: &[f64]| values.iter().copied().collect::<Samples>();
        assert_eq!(of(&[]).median(), None);
        assert_eq!(of(&[3.0, 1.0, 9.0]).median(), Some(3.0));
        assert_eq!(of(&[4.0, 1.0, 9.0, 2.0]).median(), Some(3.0));
        let samples = of(&[3.0, 1.0, 9.0]);
        assert_eq!(samples.quantile(0.5, 4), Some(3.0));
        assert_eq!(samples.quantile(1.0, 4), None);
        assert_eq!((samples.min(), samples.max()), (Some(1.0), Some(9.0)));
    }
}
