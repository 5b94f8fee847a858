//! Settings of direct links, and of the TURN server for peers without a direct
//! path.

use clap::{Args, ValueEnum};
use protocol::signaling::{BundlePolicy, DirectLinkSettings, MAX_ICE_SERVERS};

use super::ice_url::{IceKind, IceUrl};
use crate::turn::{TurnSecret, TurnServer};

/// Settings of direct links.
#[derive(Debug, Clone, Args)]
pub struct IceSettings {
    /// Milliseconds after which an attempt to open a direct link counts as failed.
    /// Alias: P2P_TIMEOUT_MS
    #[arg(long, env = "GRUPPETTO_P2P_TIMEOUT_MS", hide_env_values = true, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1_000..=120_000))]
    pub p2p_timeout_ms: u32,

    /// Bundle policy of the browsers' WebRTC connections
    #[arg(
        long,
        env = "GRUPPETTO_ICE_BUNDLE_POLICY",
        hide_env_values = true,
        default_value = "balanced"
    )]
    pub ice_bundle_policy: BundlePolicyArg,

    /// Size of the ICE candidate pool that browsers gather before an offer
    #[arg(long, env = "GRUPPETTO_ICE_CANDIDATE_POOL", hide_env_values = true, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=16))]
    pub ice_candidate_pool: u8,

    /// Secret shared with the TURN server (coturn's static-auth-secret), from
    /// which temporary credentials for each rider are derived. Requires
    /// GRUPPETTO_TURN_URLS
    #[arg(long, env = "GRUPPETTO_TURN_SECRET", hide_env_values = true)]
    pub turn_secret: Option<TurnSecret>,

    /// URLs of the TURN server, comma-separated
    /// (turn:turn.example:3478,turns:turn.example:5349?transport=tcp)
    #[arg(long, env = "GRUPPETTO_TURN_URLS", hide_env_values = true, value_delimiter = ',', value_parser = turn_url)]
    pub turn_urls: Vec<String>,

    /// Lifetime of TURN credentials in seconds. It should exceed the length of a
    /// ride, because a connection keeps the credentials that it was opened with
    #[arg(long, env = "GRUPPETTO_TURN_TTL_SECONDS", hide_env_values = true, default_value_t = 43_200, value_parser = clap::value_parser!(u32).range(60..=604_800))]
    pub turn_ttl_seconds: u32,
}

impl IceSettings {
    /// Settings of direct links that are sent to riders.
    pub fn direct(&self) -> DirectLinkSettings {
        DirectLinkSettings {
            timeout_ms: self.p2p_timeout_ms,
            bundle_policy: match self.ice_bundle_policy {
                BundlePolicyArg::Balanced => BundlePolicy::Balanced,
                BundlePolicyArg::MaxBundle => BundlePolicy::MaxBundle,
                BundlePolicyArg::MaxCompat => BundlePolicy::MaxCompat,
            },
            candidate_pool: self.ice_candidate_pool,
        }
    }

    /// TURN server with temporary credentials, if one is set.
    pub fn turn(&self) -> Option<TurnServer> {
        let secret = self.secret()?.clone();
        let urls: Vec<_> = self.urls().map(str::to_owned).collect();
        let ttl = u64::from(self.turn_ttl_seconds);
        (!urls.is_empty()).then(|| TurnServer::new(secret, urls, ttl))
    }

    /// Checks that the secret and the URLs are set together.
    ///
    /// # Errors
    /// A sentence that names the missing setting.
    pub(super) fn check(&self) -> Result<(), String> {
        let lacks = |set: &str, unset: &str| {
            Err(format!(
                "{set} is set and {unset} is not: a TURN server needs both. See --help."
            ))
        };
        match (self.secret().is_some(), self.urls().next().is_some()) {
            (true, false) => lacks("GRUPPETTO_TURN_SECRET", "GRUPPETTO_TURN_URLS"),
            (false, true) => lacks("GRUPPETTO_TURN_URLS", "GRUPPETTO_TURN_SECRET"),
            _ if self.turn_urls.len() > MAX_ICE_SERVERS => Err(format!(
                "GRUPPETTO_TURN_URLS has more than {MAX_ICE_SERVERS} URLs. See --help."
            )),
            _ => Ok(()),
        }
    }

    /// Secret, unless it is empty. Compose files set unused variables to an empty
    /// text.
    fn secret(&self) -> Option<&TurnSecret> {
        self.turn_secret.as_ref().filter(|it| !it.is_empty())
    }

    fn urls(&self) -> impl Iterator<Item = &str> {
        let urls = self.turn_urls.iter().map(String::as_str);
        urls.filter(|url| !url.is_empty())
    }
}

/// Bundle policy of WebRTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BundlePolicyArg {
    /// Default of browsers
    Balanced,
    /// One transport for everything
    MaxBundle,
    /// One transport per media stream
    MaxCompat,
}

fn turn_url(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let url: IceUrl = text
        .parse()
        .map_err(|reason| format!("has {text:?}, which {reason}"))?;
    match url.kind {
        IceKind::Turn => Ok(text.to_owned()),
        IceKind::Stun => Err(format!(
            "has {text:?}, which is not a URL such as turn:turn.example:3478"
        )),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Config;

    fn settings(flags: &[&str]) -> IceSettings {
        let config = Config::try_parse_from(["gruppetto"].iter().chain(flags));
        config.expect("settings").ice
    }

    #[test]
    fn a_turn_server_needs_a_secret_and_urls() {
        let secret = ["--turn-secret", "north"];
        let urls = ["--turn-urls", "turn:a:3478, turns:a:5349"];
        let error = |flags: &[&str]| settings(flags).check().expect_err("incomplete");
        assert!(error(&secret).contains("GRUPPETTO_TURN_URLS is not"));
        assert!(!error(&secret).contains("north"));
        assert!(error(&urls).contains("GRUPPETTO_TURN_SECRET is not"));
        assert!(error(&["--turn-secret", "", urls[0], urls[1]]).contains("SECRET is not"));

        let both = settings(&[secret, urls].concat());
        assert_eq!(both.check(), Ok(()));
        assert!(both.turn().is_some());
        assert_eq!(settings(&[]).check(), Ok(()));
        assert!(settings(&[]).turn().is_none());
    }

    #[test]
    fn a_turn_url_that_browsers_refuse_is_refused_and_named() {
        for (urls, reason) in [
            ("stun:a:3478", "is not a URL such as turn:turn.example:3478"),
            ("turn:a,turn://b", "\"turn://b\", which has // after turn:"),
            ("turn:a:65536", "\"turn:a:65536\", which has the port"),
            ("turn:a?transport=quic", "transport=udp or transport=tcp"),
        ] {
            let parsed = Config::try_parse_from(["gruppetto", "--turn-urls", urls]);
            let message = parsed.expect_err("refused").to_string();
            assert!(message.contains(reason), "{message}");
        }
        let many = vec!["turn:a"; 33].join(",");
        let many = settings(&["--turn-secret=north", "--turn-urls", &many]);
        assert!(
            many.check()
                .expect_err("refused")
                .contains("more than 32 URLs")
        );
    }

    #[test]
    fn the_secret_is_not_in_the_debug_output() {
        let config = Config::try_parse_from(["gruppetto", "--turn-secret", "north-wind"]);
        assert!(!format!("{config:?}").contains("north-wind"));
    }

    #[test]
    fn the_settings_of_direct_links_are_passed_to_riders() {
        let flags = [
            "--p2p-timeout-ms=4000",
            "--ice-bundle-policy=max-bundle",
            "--ice-candidate-pool=2",
        ];
        let expected = DirectLinkSettings {
            timeout_ms: 4_000,
            bundle_policy: BundlePolicy::MaxBundle,
            candidate_pool: 2,
        };
        assert_eq!(settings(&flags).direct(), expected);
        assert_eq!(settings(&[]).direct(), DirectLinkSettings::default());
    }
}
