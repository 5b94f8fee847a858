//! Clap's errors in one sentence.

use clap::error::{ContextKind, ContextValue};

/// Settings whose values are not printed, since they may contain passwords.
const SECRETS: [&str; 3] = ["--secret", "--turn-secret", "--ice-servers"];

/// Error of clap as one sentence that names the setting.
pub fn to_sentence(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let Some(flag) = context(ContextKind::InvalidArg) else {
        let rendered = error.render().to_string();
        let first = rendered.lines().next().unwrap_or_default();
        return format!(
            "{}: --help lists the settings.",
            first.trim_start_matches("error: ")
        );
    };
    let flag = flag.split(' ').next().unwrap_or(flag);
    let Some(value) = context(ContextKind::InvalidValue) else {
        return format!(
            "{flag} is not a setting, or its value is missing: --help lists the settings."
        );
    };
    let reason = std::error::Error::source(error)
        .map_or_else(|| "is not one of its values".into(), ToString::to_string);
    let reason = match reason
        .strip_prefix("is ")
        .or_else(|| reason.strip_prefix("has "))
    {
        Some(_) => reason,
        None => format!("is not accepted ({reason})"),
    };
    if flag.starts_with('[') {
        return format!("{value:?} is not a command: --help lists them.");
    }
    let variable = flag
        .trim_start_matches('-')
        .replace('-', "_")
        .to_ascii_uppercase();
    let now = match SECRETS.contains(&flag) {
        true => String::new(),
        false => format!("it is {value:?} now; "),
    };
    format!("The setting {flag} (GRUPPETTO_{variable}) {reason}: {now}--help explains it.")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Config;

    fn refusal(flags: &[&str]) -> String {
        let parsed = Config::try_parse_from(["gruppetto"].iter().chain(flags));
        to_sentence(&parsed.expect_err("refused"))
    }

    #[test]
    fn a_setting_that_does_not_parse_is_named_in_one_sentence() {
        for (flags, name) in [
            (
                ["--addr", "nonsense"],
                "--addr (GRUPPETTO_ADDR) is not an address and a port",
            ),
            (
                ["--public-url", "ride.example"],
                "GRUPPETTO_PUBLIC_URL) is not an address such as https://ride.example",
            ),
            (
                ["--max-riders", "many"],
                "--max-riders (GRUPPETTO_MAX_RIDERS) is not accepted (invalid digit",
            ),
            (
                ["--max-riders", "0"],
                "(GRUPPETTO_MAX_RIDERS) is not accepted (0 is not in 1..=64)",
            ),
            (
                ["--ice-servers", "stun:a,http://x"],
                "(GRUPPETTO_ICE_SERVERS) has \"http://x\" in its entry 2, which does not begin with stun:",
            ),
            (
                ["--turn-urls", "turn:a:65536"],
                "(GRUPPETTO_TURN_URLS) has \"turn:a:65536\", which has the port",
            ),
            (
                ["--intervals-icu", "on"],
                "(GRUPPETTO_INTERVALS_ICU) is not one of its values: it is \"on\" now",
            ),
            (
                ["--intervals-icu-url", "http://intervals.icu"],
                "--intervals-icu-url (GRUPPETTO_INTERVALS_ICU_URL) is not https",
            ),
            (
                ["--log-format", "xml"],
                "(GRUPPETTO_LOG_FORMAT) is not one of its values",
            ),
            (["--log", "!!="], "(GRUPPETTO_LOG) is not a log level"),
            (["--p2p-enabled", "perhaps"], "(GRUPPETTO_P2P_ENABLED)"),
        ] {
            let message = refusal(&flags);
            assert!(message.contains(name), "{message}");
            assert!(
                !message.contains('\n') && message.ends_with('.'),
                "{message}"
            );
        }
    }

    #[test]
    fn passwords_are_not_printed() {
        let servers = r#"[{"urls":"turn://a","username":"u","credential":"north-wind"}]"#;
        for flags in [["--ice-servers", servers], ["--secret", "north-wind"]] {
            let message = refusal(&flags);
            assert!(!message.contains("north-wind"), "{message}");
        }
    }

    #[test]
    fn an_unknown_command_is_named() {
        let message = refusal(&["serve"]);
        assert!(
            message.starts_with("\"serve\" is not a command"),
            "{message}"
        );
    }

    #[test]
    fn an_unknown_flag_is_named() {
        let message = refusal(&["--colour"]);
        assert!(message.contains("--colour"), "{message}");
    }
}
