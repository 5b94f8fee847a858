//! Speed that a power would give on a flat road without wind.
//!
//! The model is that of Martin, Milliken, Cobb, McFadden and Coggan, *Validation of a Mathematical
//! Model for Road Cycling Power* (Journal of Applied Biomechanics 14, 1998): power at the wheel
//! changes kinetic energy and overcomes air drag and rolling resistance. Values are those of a rider
//! on the hoods of a road bike at sea level.

/// Mass of rider and bike in kg.
const MASS: f64 = 83.0;
/// Drag area in m².
const DRAG_AREA: f64 = 0.32;
/// Density of air in kg/m³.
const AIR_DENSITY: f64 = 1.225;
/// Coefficient of rolling resistance.
const ROLLING_RESISTANCE: f64 = 0.004;
/// Gravity in m/s².
const GRAVITY: f64 = 9.81;
/// Share of the power that reaches the wheel.
const DRIVETRAIN_EFFICIENCY: f64 = 0.976;

/// Virtual rider: begins at rest, and keeps its momentum from second to second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct VirtualRider {
    /// Speed in m/s.
    speed: f64,
}

impl VirtualRider {
    /// Rider at a speed in m/s.
    pub(super) const fn at(speed: f64) -> Self {
        Self { speed }
    }

    /// Rides a second at a power in W, and returns the speed in m/s at its end.
    pub(super) fn ride(&mut self, power: u16) -> f64 {
        let drag = 0.5 * AIR_DENSITY * DRAG_AREA * self.speed * self.speed;
        let resistance = (drag + ROLLING_RESISTANCE * MASS * GRAVITY) * self.speed;
        let gain = f64::from(power) * DRIVETRAIN_EFFICIENCY - resistance;
        let energy = 0.5 * MASS * self.speed * self.speed + gain;
        self.speed = (2.0 * energy.max(0.0) / MASS).sqrt();
        self.speed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steady(power: u16) -> f64 {
        let mut rider = VirtualRider::default();
        (0..600).fold(0.0, |_, _| rider.ride(power))
    }

    #[test]
    fn two_hundred_watts_are_about_34_km_an_hour() {
        // 200 W x 0.976 = 0.196 v³ + 3.257 v at v = 9.43 m/s.
        let speed = steady(200);
        assert!((speed - 9.43).abs() < 0.02, "{speed}");
    }

    #[test]
    fn more_power_is_faster_and_none_ends_at_rest() {
        assert!(steady(300) > steady(200));
        let mut rider = VirtualRider::default();
        for _ in 0..60 {
            rider.ride(250);
        }
        let coasting = (0..30).fold(0.0, |_, _| rider.ride(0));
        assert!((3.0..8.0).contains(&coasting), "{coasting}");
        assert!((0..600).fold(0.0, |_, _| rider.ride(0)) < 0.05);
    }

    #[test]
    fn the_highest_power_gives_a_finite_speed() {
        assert!(steady(u16::MAX).is_finite());
    }
}
