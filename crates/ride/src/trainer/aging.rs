//! Ages of readings. Devices distribute their values over several notifications, and stop sending a
//! value when its sensor is gone. A notification renews the values that it carries, no others.

use core::time::Duration;

use clock::Moment;

use super::Reading;

/// Time after which a value that is not sent again becomes invalid.
pub const READING_TIMEOUT: Duration = Duration::from_secs(3);

/// Readings of which each value has its own age.
#[derive(Clone, Copy, Debug, Default)]
pub struct AgingReading {
    power: Aging<u16>,
    cadence: Aging<u8>,
    heart_rate: Aging<u8>,
    speed: Aging<u16>,
}

/// Value, and the moment at which it becomes invalid.
type Aging<T> = Option<(T, Moment)>;

impl AgingReading {
    /// Takes the values of a notification.
    pub fn update(&mut self, now: Moment, new: Reading) {
        renew(&mut self.power, now, new.power);
        renew(&mut self.cadence, now, new.cadence);
        renew(&mut self.heart_rate, now, new.heart_rate);
        renew(&mut self.speed, now, new.speed);
    }

    /// Ends the heart rate: the device says that it has none.
    pub const fn clear_heart_rate(&mut self) {
        self.heart_rate = None;
    }

    /// Removes the values whose time is over, and returns whether there were any.
    pub fn expire(&mut self, now: Moment) -> bool {
        let before = self.reading();
        expire(&mut self.power, now);
        expire(&mut self.cadence, now);
        expire(&mut self.heart_rate, now);
        expire(&mut self.speed, now);
        self.reading() != before
    }

    /// Moment at which the next value becomes invalid; `None` without values.
    pub fn expires_at(&self) -> Option<Moment> {
        let moments = [
            self.power.map(|(_, at)| at),
            self.cadence.map(|(_, at)| at),
            self.heart_rate.map(|(_, at)| at),
            self.speed.map(|(_, at)| at),
        ];
        moments.into_iter().flatten().min()
    }

    /// Values that are valid.
    pub fn reading(&self) -> Reading {
        Reading {
            power: self.power.map(|(value, _)| value),
            cadence: self.cadence.map(|(value, _)| value),
            heart_rate: self.heart_rate.map(|(value, _)| value),
            speed: self.speed.map(|(value, _)| value),
        }
    }
}

fn renew<T>(aging: &mut Aging<T>, now: Moment, new: Option<T>) {
    if let Some(value) = new {
        *aging = Some((value, now + READING_TIMEOUT));
    }
}

fn expire<T>(aging: &mut Aging<T>, now: Moment) {
    aging.take_if(|(_, at)| *at <= now);
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Moment {
        Moment::from_origin(Duration::from_secs(secs))
    }

    const FULL: Reading = Reading {
        power: Some(200),
        cadence: Some(90),
        heart_rate: Some(142),
        speed: Some(9_000),
    };

    #[test]
    fn a_notification_renews_only_the_values_that_it_carries() {
        let only = |part: u8| Reading {
            power: FULL.power.filter(|_| part == 0),
            cadence: FULL.cadence.filter(|_| part == 1),
            heart_rate: FULL.heart_rate.filter(|_| part == 2),
            speed: FULL.speed.filter(|_| part == 3),
        };
        for part in 0..4 {
            let mut aging = AgingReading::default();
            aging.update(secs(0), FULL);
            aging.update(secs(2), only(part));
            assert_eq!(aging.reading(), FULL);
            assert_eq!(aging.expires_at(), Some(secs(3)));
            assert!(aging.expire(secs(3)));
            assert_eq!(aging.reading(), only(part));
            assert_eq!(aging.expires_at(), Some(secs(5)));
        }
    }

    #[test]
    fn nothing_expires_early_or_twice() {
        let mut aging = AgingReading::default();
        assert_eq!(aging.expires_at(), None);
        aging.update(secs(0), FULL);
        assert!(!aging.expire(secs(2)));
        assert!(aging.expire(secs(10)));
        assert!(!aging.expire(secs(11)));
        assert_eq!(aging.reading(), Reading::default());
    }
}
