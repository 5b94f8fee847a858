//! Time in the power zones and in the heart rate zones.
//!
//! The zones are those of Allen and Coggan, *Training and Racing with a Power Meter*. Their limits are
//! rounded to whole watts and beats, as they are shown, and a reading at a limit is in the lower
//! zone. Gaps and seconds without a reading are in no zone.

use core::time::Duration;

use crate::recording::Sample;
use crate::rider::Ftp;

/// Number of power zones.
pub const POWER_ZONES: usize = 7;
/// Number of heart rate zones.
pub const HEART_RATE_ZONES: usize = 5;
/// Upper limits of the power zones 1 to 6 in percent of FTP, as those of
/// [`Zone`](crate::workout::Zone).
const POWER_PERCENT: [u32; POWER_ZONES - 1] = [55, 75, 90, 105, 120, 150];
/// Upper limits of the heart rate zones 1 to 4 in percent of threshold heart rate.
const HEART_RATE_PERCENT: [u32; HEART_RATE_ZONES - 1] = [68, 83, 94, 105];

/// Upper limits of the power zones 1 to 6 in W: 55, 75, 90, 105, 120 and 150 % of FTP, rounded. Zone 7
/// has none.
pub fn power_zone_limits(ftp: Ftp) -> [u16; POWER_ZONES - 1] {
    // 150 % of the highest FTP fit.
    POWER_PERCENT.map(|percent| rounded_share(percent, ftp.watts().into()) as u16)
}

/// Upper limits of the heart rate zones 1 to 4 in beats per minute: 68, 83, 94 and 105 % of the
/// threshold heart rate, rounded, at most 255. Zone 5 has none.
pub fn heart_rate_zone_limits(threshold: u8) -> [u8; HEART_RATE_ZONES - 1] {
    HEART_RATE_PERCENT.map(|percent| {
        let limit = rounded_share(percent, threshold.into());
        u8::try_from(limit).unwrap_or(u8::MAX)
    })
}

/// Time in each power zone, zone 1 first, in whole seconds. The sum is the time with a power reading.
pub fn time_in_power_zones(samples: &[Sample], ftp: Ftp) -> [Duration; POWER_ZONES] {
    let power = samples.iter().filter_map(|sample| sample.power);
    time_in_zones(power, &power_zone_limits(ftp))
}

/// Time in each heart rate zone, zone 1 first, in whole seconds. The sum is the time with a heart rate
/// reading. `threshold` is the threshold heart rate in beats per minute.
pub fn time_in_heart_rate_zones(samples: &[Sample], threshold: u8) -> [Duration; HEART_RATE_ZONES] {
    let heart_rate = samples.iter().filter_map(|sample| sample.heart_rate);
    time_in_zones(heart_rate, &heart_rate_zone_limits(threshold))
}

fn rounded_share(percent: u32, whole: u32) -> u32 {
    (percent * whole + 50) / 100
}

/// Time of one second per value in each zone. There is one zone more than limits.
fn time_in_zones<T: PartialOrd, const ZONES: usize>(
    values: impl Iterator<Item = T>,
    limits: &[T],
) -> [Duration; ZONES] {
    let mut seconds = [0; ZONES];
    for value in values {
        let zone = limits.iter().filter(|limit| value > **limit).count();
        seconds[zone] += 1;
    }
    seconds.map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ftp, recording};
    use super::*;
    use crate::workout::Zone;

    #[test]
    fn limits_are_rounded_shares() {
        // 110, 150, 180, 210, 240 and 300 W of 200 W.
        assert_eq!(power_zone_limits(ftp(200)), [110, 150, 180, 210, 240, 300]);
        // 125.95, 171.75, 206.1, 240.45, 274.8 and 343.5 W of 229 W.
        assert_eq!(power_zone_limits(ftp(229)), [126, 172, 206, 240, 275, 344]);
        // 117.64, 143.59, 162.62 and 181.65 of 173.
        assert_eq!(heart_rate_zone_limits(173), [118, 144, 163, 182]);
    }

    #[test]
    fn limits_of_the_highest_threshold_heart_rate_saturate() {
        // 173.4, 211.65, 239.7 and 267.75.
        assert_eq!(heart_rate_zone_limits(255), [173, 212, 240, 255]);
        assert_eq!(heart_rate_zone_limits(0), [0; 4]);
    }

    #[test]
    fn a_reading_at_a_limit_is_in_the_lower_zone() {
        let power = [
            0, 110, 111, 150, 151, 180, 181, 210, 211, 240, 241, 300, 301,
        ];
        let ride = recording(power.map(Some));
        let seconds = [2, 2, 2, 2, 2, 2, 1];
        assert_eq!(
            time_in_power_zones(&ride.samples, ftp(200)),
            seconds.map(Duration::from_secs)
        );
        // The limits are 102, 125, 141 and 158 beats per minute.
        let heart_rate = [102, 103, 125, 126, 141, 142, 158, 159, 255];
        let mut ride = recording([None; 9]);
        for (sample, heart_rate) in ride.samples.iter_mut().zip(heart_rate) {
            sample.heart_rate = Some(heart_rate);
        }
        let seconds = [1, 2, 2, 2, 2];
        assert_eq!(
            time_in_heart_rate_zones(&ride.samples, 150),
            seconds.map(Duration::from_secs)
        );
    }

    #[test]
    fn a_second_without_a_reading_is_in_no_zone() {
        let ride = recording([None, Some(100), None]);
        let mut expected = [Duration::ZERO; POWER_ZONES];
        expected[0] = Duration::from_secs(1);
        assert_eq!(time_in_power_zones(&ride.samples, ftp(200)), expected);
        assert_eq!(
            time_in_heart_rate_zones(&ride.samples, 160),
            [Duration::ZERO; HEART_RATE_ZONES]
        );
    }

    // An FTP of which no limit has to be rounded: the profile of a workout rounds differently.
    #[test]
    fn the_power_zones_are_those_of_a_workout() {
        for watts in 0..=1_000 {
            let ride = recording([Some(watts)]);
            let times = time_in_power_zones(&ride.samples, ftp(200));
            let zone = usize::from(Zone::of(f32::from(watts) / 200.0).number());
            assert_eq!(times[zone - 1], Duration::from_secs(1), "{watts} W");
        }
    }
}
