//! Settings of intervals.icu, from which riders fetch planned workouts and to which
//! they upload rides.

use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio_rustls::rustls::pki_types::ServerName;

use super::PublicUrl;

/// Settings of intervals.icu.
#[derive(Debug, Clone, Args)]
pub struct IntervalsIcuSettings {
    /// Access of pages to intervals.icu, with the rider's own API key. "direct": the
    /// browser calls it. "pass-through": where the browser may not, this server
    /// passes the call on, and then handles the key and the data, of which it keeps
    /// and logs nothing
    #[arg(
        long,
        env = "GRUPPETTO_INTERVALS_ICU",
        hide_env_values = true,
        default_value = "off"
    )]
    pub intervals_icu: IntervalsIcuAccess,

    /// Origin of intervals.icu, without a path. Plain http only on this machine
    #[arg(long, env = "GRUPPETTO_INTERVALS_ICU_URL", hide_env_values = true, default_value = "https://intervals.icu", value_parser = service_origin)]
    pub intervals_icu_url: PublicUrl,

    /// Maximum number of calls that are passed on at the same time. One address may
    /// have an eighth of them
    #[arg(long, env = "GRUPPETTO_INTERVALS_ICU_MAX_CALLS", hide_env_values = true, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub intervals_icu_max_calls: u32,

    /// Maximum number of calls that are passed on from one address per minute (0:
    /// unlimited)
    #[arg(long, env = "GRUPPETTO_INTERVALS_ICU_CALLS_PER_MINUTE_PER_ADDRESS", hide_env_values = true, default_value_t = 60, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub intervals_icu_calls_per_minute_per_address: u32,

    /// Maximum size of an upload that is passed on, in bytes
    #[arg(long, env = "GRUPPETTO_INTERVALS_ICU_MAX_UPLOAD_BYTES", hide_env_values = true, default_value_t = 16_777_216, value_parser = clap::value_parser!(u32).range(65_536..=268_435_456))]
    pub intervals_icu_max_upload_bytes: u32,

    /// Maximum size of an answer that is passed on, in bytes
    #[arg(long, env = "GRUPPETTO_INTERVALS_ICU_MAX_ANSWER_BYTES", hide_env_values = true, default_value_t = 33_554_432, value_parser = clap::value_parser!(u32).range(65_536..=268_435_456))]
    pub intervals_icu_max_answer_bytes: u32,

    /// Milliseconds within which intervals.icu must accept a connection
    #[arg(long, env = "GRUPPETTO_INTERVALS_ICU_CONNECT_TIMEOUT_MS", hide_env_values = true, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub intervals_icu_connect_timeout_ms: u64,

    /// Milliseconds within which a call must be complete, from the rider's request to
    /// the last byte of the answer
    #[arg(long, env = "GRUPPETTO_INTERVALS_ICU_TIMEOUT_MS", hide_env_values = true, default_value_t = 60_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub intervals_icu_timeout_ms: u64,
}

impl IntervalsIcuSettings {
    /// Origin that pages may call; `None` if intervals.icu is not used.
    pub fn origin(&self) -> Option<&PublicUrl> {
        (self.intervals_icu != IntervalsIcuAccess::Off).then_some(&self.intervals_icu_url)
    }

    /// Returns `true` if the server passes calls on.
    pub fn passes_through(&self) -> bool {
        self.intervals_icu == IntervalsIcuAccess::PassThrough
    }

    /// Number of calls of one address that are passed on at the same time.
    pub fn max_calls_per_address(&self) -> u32 {
        self.intervals_icu_max_calls.div_ceil(8)
    }

    /// Time within which the service must accept a connection.
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.intervals_icu_connect_timeout_ms)
    }

    /// Time within which a call must be complete.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.intervals_icu_timeout_ms)
    }
}

/// Access of pages to intervals.icu.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum IntervalsIcuAccess {
    /// None
    Off,
    /// From the browser
    Direct,
    /// From the browser, or through this server where the browser may not
    PassThrough,
}

/// Parses an origin that keys may be sent to. Its host is a name that a certificate can
/// have, so that it has no letter with a meaning in a `Content-Security-Policy`.
fn service_origin(text: &str) -> Result<PublicUrl, String> {
    const EXPECTED: &str = "is not an origin such as https://intervals.icu, without a path";
    let origin: PublicUrl = text.parse().map_err(|_| EXPECTED)?;
    if ServerName::try_from(origin.host()).is_err() {
        return Err(EXPECTED.into());
    }
    if !origin.is_https() && !origin.is_loopback() {
        return Err("is not https, so that keys could be read on their way".into());
    }
    Ok(origin)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Config;

    fn settings(flags: &[&str]) -> Result<IntervalsIcuSettings, clap::Error> {
        let config = Config::try_parse_from(["gruppetto"].iter().chain(flags))?;
        Ok(config.intervals_icu)
    }

    #[test]
    fn the_service_is_not_used_unless_a_setting_says_so() {
        for (flags, origin, passes_through) in [
            (&[][..], None, false),
            (&["--intervals-icu=off"], None, false),
            (
                &["--intervals-icu=direct"],
                Some("https://intervals.icu"),
                false,
            ),
            (
                &["--intervals-icu=pass-through"],
                Some("https://intervals.icu"),
                true,
            ),
        ] {
            let settings = settings(flags).expect("settings");
            let found = settings.origin().map(ToString::to_string);
            assert_eq!(found.as_deref(), origin, "{flags:?}");
            assert_eq!(settings.passes_through(), passes_through, "{flags:?}");
        }
    }

    #[test]
    fn the_service_has_an_origin_over_https_or_on_this_machine() {
        for (url, origin) in [
            ("https://intervals.icu", "https://intervals.icu"),
            ("https://Test.Example:8443/", "https://test.example:8443"),
            ("http://127.0.0.1:4000", "http://127.0.0.1:4000"),
            ("http://localhost:4000", "http://localhost:4000"),
            ("http://[::1]:4000", "http://[::1]:4000"),
        ] {
            let settings = settings(&["--intervals-icu-url", url]).expect(url);
            assert_eq!(settings.intervals_icu_url.to_string(), origin);
        }
        for url in [
            "intervals.icu",
            "ftp://intervals.icu",
            "http://intervals.icu",
            "http://127.0.0.1.example",
            "https://intervals.icu/api",
            "https://intervals.icu/?a=b",
            "https://key@intervals.icu",
            "https://intervals.icu:65536",
            "https://intervals.icu;script-src",
            "https://",
        ] {
            assert!(settings(&["--intervals-icu-url", url]).is_err(), "{url}");
        }
    }

    #[test]
    fn limits_outside_their_range_are_refused() {
        for flag in [
            "--intervals-icu-max-calls=0",
            "--intervals-icu-max-calls=65",
            "--intervals-icu-max-upload-bytes=65535",
            "--intervals-icu-max-answer-bytes=268435457",
            "--intervals-icu-connect-timeout-ms=99",
            "--intervals-icu-timeout-ms=600001",
        ] {
            assert!(settings(&[flag]).is_err(), "{flag}");
        }
    }
}
