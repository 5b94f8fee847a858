//! Loads of a trainer: a power to hold, a slope, or a resistance.

/// Steepest slope in 0.01 %.
pub const MAX_SLOPE: i16 = 2_000;

/// Load of a trainer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Power in W that the trainer holds whatever the cadence (ERG mode).
    Power(u16),
    /// Road with this slope in 0.01 %, up to [`MAX_SLOPE`] up or down: the rider chooses the power
    /// by cadence and gear.
    Slope(i16),
    /// Resistance in percent of the most that the trainer has.
    Resistance(u8),
}

impl Load {
    /// A flat road: riding without a target.
    pub const FREE: Self = Self::Slope(0);

    /// Target in W; `None` without one.
    pub const fn power(self) -> Option<u16> {
        match self {
            Self::Power(watts) => Some(watts),
            Self::Slope(_) | Self::Resistance(_) => None,
        }
    }
}

impl Default for Load {
    fn default() -> Self {
        Self::FREE
    }
}

/// A target in W, or riding without one.
impl From<Option<u16>> for Load {
    fn from(target: Option<u16>) -> Self {
        target.map_or(Self::FREE, Self::Power)
    }
}

/// Loads that a device can take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// [`Load::Power`].
    pub power: bool,
    /// [`Load::Slope`].
    pub slope: bool,
    /// [`Load::Resistance`].
    pub resistance: bool,
}

impl Capabilities {
    /// Everything, for a trainer that does not say what it can do: it is tried.
    pub const ALL: Self = Self {
        power: true,
        slope: true,
        resistance: true,
    };
}
