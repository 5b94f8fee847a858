//! What several runs came to.

/// One figure's values, a run each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds a run's value.
    pub fn add(&mut self, value: f64) {
        let place = self.0.partition_point(|other| *other <= value);
        self.0.insert(place, value);
    }

    /// The middle one, of an even number the mean of the two; nothing without
    /// a run.
    pub fn median(&self) -> Option<f64> {
        let middle = self.0.len() / 2;
        let upper = *self.0.get(middle)?;
        match self.0.len() % 2 {
            0 => Some((self.0[middle - 1] + upper) / 2.0),
            _ => Some(upper),
        }
    }

    /// The least.
    pub fn min(&self) -> Option<f64> {
        self.0.first().copied()
    }

    /// The greatest.
    pub fn max(&self) -> Option<f64> {
        self.0.last().copied()
    }

    /// The value that this share of `total` does not exceed; nothing when
    /// fewer are known.
    pub fn quantile(&self, share: f64, total: usize) -> Option<f64> {
        let place = (total as f64 * share).ceil() as usize;
        self.0.get(place.saturating_sub(1)).copied()
    }

    /// How many runs.
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
    fn the_median_is_the_middle_whatever_the_order_of_runs() {
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
