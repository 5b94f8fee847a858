use axum::http::HeaderValue;

use crate::config::Config;

/// `Content-Security-Policy` header: only this origin, only inline scripts and styles that
/// carry the page's nonce, and connections to intervals.icu if the settings allow them.
#[derive(Debug, Clone)]
pub struct ContentSecurityPolicy {
    /// Origins besides this one to which pages may connect, each after a space.
    connect: String,
}

impl ContentSecurityPolicy {
    /// Policy of a server with these settings.
    pub fn new(config: &Config) -> Self {
        let service = config.intervals_icu.origin();
        let mut connect = service.map(|url| format!(" {url}")).unwrap_or_default();
        // cargo-leptos reloads the page over a WebSocket on another port.
        if std::env::var_os("LEPTOS_WATCH").is_some() {
            connect += " ws: wss:";
        }
        Self { connect }
    }

    /// Value of the header, with the nonce of a page.
    pub fn header(&self, nonce: Option<&str>) -> HeaderValue {
        let connect = &self.connect;
        let nonce = nonce
            .map(|nonce| format!(" 'nonce-{nonce}'"))
            .unwrap_or_default();
        let policy = format!(
            "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'{nonce}; style-src 'self'{nonce}; \
             img-src 'self' data: blob:; connect-src 'self'{connect}; worker-src 'self'; object-src 'none'; \
             base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
        );
        // Nonces are base64, the rest is ASCII.
        HeaderValue::try_from(policy).expect("a policy is ASCII")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn policy(flags: &[&str], nonce: Option<&str>) -> String {
        let config = Config::parse_from(["gruppetto"].iter().chain(flags));
        let header = ContentSecurityPolicy::new(&config).header(nonce);
        header.to_str().expect("text").to_owned()
    }

    #[test]
    fn inline_scripts_are_allowed_only_with_a_nonce() {
        let with = policy(&[], Some("abc"));
        assert!(with.contains("script-src 'self' 'wasm-unsafe-eval' 'nonce-abc';"));
        let without = policy(&[], None);
        assert!(!without.contains("nonce") && !without.contains("unsafe-inline"));
    }

    #[test]
    fn pages_may_connect_to_intervals_icu_only_if_a_setting_allows_it() {
        for (flag, sources) in [
            ("--intervals-icu=off", "connect-src 'self';"),
            (
                "--intervals-icu=direct",
                "connect-src 'self' https://intervals.icu;",
            ),
            (
                "--intervals-icu=pass-through",
                "connect-src 'self' https://intervals.icu;",
            ),
        ] {
            let policy = policy(&[flag], None);
            assert!(policy.contains(sources), "{policy}");
        }
    }
}
