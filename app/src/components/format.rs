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
