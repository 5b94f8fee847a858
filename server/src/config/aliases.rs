//! Alternative names of environment variables, as similar servers use them. They are
//! read if neither the flag nor the server's own variable is set.

use std::ffi::OsString;

/// Flag, the server's own variable, alias.
const ALIASES: [(&str, &str, &str); 4] = [
    (
        "--allowed-origins",
        "GRUPPETTO_ALLOWED_ORIGINS",
        "ALLOWED_ORIGINS",
    ),
    ("--p2p-enabled", "GRUPPETTO_P2P_ENABLED", "P2P_ENABLED"),
    (
        "--p2p-timeout-ms",
        "GRUPPETTO_P2P_TIMEOUT_MS",
        "P2P_TIMEOUT_MS",
    ),
    ("--ice-servers", "GRUPPETTO_ICE_SERVERS", STUN_SERVERS),
];

const STUN_SERVERS: &str = "STUN_SERVERS";

/// Arguments with a flag added for each alias that applies.
pub fn with_aliases(
    arguments: impl Iterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Vec<OsString> {
    let mut arguments: Vec<_> = arguments.collect();
    let variable = |name| variable(name).filter(|value| !value.is_empty());
    for (flag, own, alias) in ALIASES {
        let is_set = arguments.iter().any(|it| names(it, flag)) || variable(own).is_some();
        if let Some(value) = variable(alias).filter(|_| !is_set) {
            let value = if alias == STUN_SERVERS {
                with_schemes(value)
            } else {
                value
            };
            arguments.extend([flag.into(), value]);
        }
    }
    arguments
}

/// Returns `true` for `--flag` and `--flag=…`.
fn names(argument: &OsString, flag: &str) -> bool {
    let rest = argument.as_encoded_bytes().strip_prefix(flag.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'=')
}

/// Adds the scheme `stun:` to servers without one. A value that is not UTF-8 is
/// returned unchanged, and refused later.
fn with_schemes(servers: OsString) -> OsString {
    let Some(text) = servers.to_str().filter(|text| !text.starts_with('[')) else {
        return servers;
    };
    let has_scheme = |url: &str| {
        let schemes = ["stun:", "stuns:", "turn:", "turns:"];
        url == "none" || schemes.iter().any(|scheme| url.starts_with(scheme))
    };
    let url = |url: &str| match url.trim() {
        url if has_scheme(url) => url.to_owned(),
        url => format!("stun:{url}"),
    };
    text.split(',')
        .map(url)
        .collect::<Vec<_>>()
        .join(",")
        .into()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Config;

    fn config(flags: &[&str], variables: &[(&str, &str)]) -> Config {
        let flags = ["gruppetto"].iter().chain(flags).map(OsString::from);
        let arguments = with_aliases(flags, |name| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| OsString::from(value))
        });
        Config::try_parse_from(arguments).expect("settings")
    }

    #[test]
    fn aliases_are_read() {
        let config = config(
            &[],
            &[
                ("ALLOWED_ORIGINS", "https://plain.example"),
                ("P2P_ENABLED", "false"),
                ("P2P_TIMEOUT_MS", "4000"),
                ("STUN_SERVERS", "stun:a.example:3478, b.example:3478"),
            ],
        );
        let origins = config.allowed_origins.iter().map(ToString::to_string);
        assert_eq!(origins.collect::<Vec<_>>(), ["https://plain.example"]);
        assert!(!config.p2p_enabled);
        assert_eq!(config.ice.p2p_timeout_ms, 4_000);
        let urls: Vec<_> = config
            .ice_servers()
            .into_iter()
            .flat_map(|it| it.urls)
            .collect();
        assert_eq!(urls, ["stun:a.example:3478", "stun:b.example:3478"]);
    }

    #[test]
    fn flags_and_own_variables_take_precedence_over_aliases() {
        let alias = ("P2P_TIMEOUT_MS", "4000");
        let by_flag = config(&["--p2p-timeout-ms=5000"], &[alias]);
        assert_eq!(by_flag.ice.p2p_timeout_ms, 5_000);
        let own = ("GRUPPETTO_P2P_TIMEOUT_MS", "6000");
        let arguments = with_aliases(["gruppetto".into()].into_iter(), |name| {
            let found = [alias, own].into_iter().find(|(it, _)| *it == name);
            found.map(|(_, value)| value.into())
        });
        assert_eq!(arguments, ["gruppetto"]);
    }
}
