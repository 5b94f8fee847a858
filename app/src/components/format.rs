//! Numbers as text.

use core::time::Duration;

/// A time that has passed, given in milliseconds: `m:ss`, or `h:mm:ss` from one
/// hour.
pub fn elapsed(ms: u32) -> String {
    clock(u64::from(ms) / 1000)
}

/// A time that is left, given in milliseconds. Rounded up, so that 0:00 means
/// the end.
pub fn remaining(ms: u32) -> String {
    clock(u64::from(ms).div_ceil(1000))
}

/// A duration as `m:ss` or `h:mm:ss`.
pub fn duration(duration: Duration) -> String {
    clock((duration.as_secs_f64()).round() as u64)
}

/// The duration that a rider has typed: `m:ss`, `h:mm:ss`, or a number of minutes.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim().replace(',', ".");
    let parts: Vec<&str> = text.split(':').collect();
    let seconds = match *parts {
        [minutes] => minutes.parse::<f64>().ok()? * 60.0,
        [minutes, seconds] => minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?,
        [hours, minutes, seconds] => {
            let minutes = hours.parse::<f64>().ok()? * 60.0 + minutes.parse::<f64>().ok()?;
            minutes * 60.0 + seconds.parse::<f64>().ok()?
        }
        _ => return None,
    };
    let duration = Duration::try_from_secs_f64(seconds.round()).ok()?;
    (!duration.is_zero()).then_some(duration)
}

/// A fraction of FTP in whole percent.
pub fn percent(fraction: f32) -> u32 {
    (fraction * 100.0).round().max(0.0) as u32
}

/// An amount of data with its unit.
pub fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

/// A value, or a dash if there is none.
pub fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| String::from("–"), |value| value.to_string())
}

fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_from_one_hour_show_hours() {
        assert_eq!(elapsed(59 * 60_000 + 59_999), "59:59");
        assert_eq!(elapsed(3_600_000), "1:00:00");
    }

    #[test]
    fn a_typed_duration_may_be_minutes_or_have_seconds_and_hours() {
        let seconds = |text| parse_duration(text).map(|duration| duration.as_secs());
        assert_eq!(seconds("5"), Some(300));
        assert_eq!(seconds("1,5"), Some(90));
        assert_eq!(seconds(" 4:30 "), Some(270));
        assert_eq!(seconds("1:00:05"), Some(3_605));
        for text in ["", "0", "-3", "x", "1:2:3:4", "inf", "NaN"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn time_left_is_zero_only_at_the_end() {
        assert_eq!(remaining(1), "0:01");
        assert_eq!(remaining(0), "0:00");
    }

    #[test]
    fn elapsed_and_remaining_add_up_to_the_total() {
        assert_eq!(
            (elapsed(12_300), remaining(30_000 - 12_300)),
            ("0:12".into(), "0:18".into())
        );
    }
}
