//! Reasons why the browser's device chooser gave no device.

use clock::Duration;

use crate::view::PairingFailure;

/// Time before which no rider can have closed the chooser.
const MIN_CHOOSER_TIME: Duration = Duration::from_millis(300);

/// Reason why no device was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChooserError {
    /// The browser has no Web Bluetooth, or the page is not a secure context.
    Unsupported,
    /// The part of the app that connects trainers could not be fetched.
    PartUnavailable,
    /// Another tab of this browser uses the device.
    Taken,
    /// The browser has rejected the request.
    Rejected {
        /// Name of the error: `NotFoundError` and others.
        name: String,
        /// Message of the error, in English.
        message: String,
        /// Time between the request and the error.
        after: Duration,
        /// True if the browser says that Bluetooth is available.
        available: bool,
    },
}

impl ChooserError {
    /// Failure that the rider is told. Browsers reject with the same `NotFoundError` when the rider closes
    /// the chooser, when Bluetooth is off, and when it is disabled by policy. The messages are
    /// those of Chromium (`bluetooth_error.cc`), which Brave, Edge and Opera share.
    pub(super) fn failure(&self) -> PairingFailure {
        let Self::Rejected {
            name,
            message,
            after,
            available,
        } = self
        else {
            return match self {
                Self::PartUnavailable => PairingFailure::PartUnavailable,
                Self::Taken => PairingFailure::Taken,
                _ => PairingFailure::Unsupported,
            };
        };
        let is_forbidden = matches!(name.as_str(), "NotAllowedError" | "SecurityError");
        if message.contains("disabled") {
            PairingFailure::Disabled
        } else if is_forbidden || message.contains("denied") {
            PairingFailure::Denied
        } else if !available || message.contains("not available") {
            PairingFailure::AdapterOff
        } else if *after < MIN_CHOOSER_TIME {
            // The chooser was not even shown.
            PairingFailure::Disabled
        } else {
            PairingFailure::Cancelled
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(name: &str, message: &str, millis: u64, available: bool) -> PairingFailure {
        let (name, message) = (name.to_owned(), message.to_owned());
        let after = Duration::from_millis(millis);
        let error = ChooserError::Rejected {
            name,
            message,
            after,
            available,
        };
        error.failure()
    }

    #[test]
    fn a_rider_who_closes_the_chooser_has_chosen_nothing() {
        let message = "User cancelled the requestDevice() chooser.";
        let failure = failure("NotFoundError", message, 2_000, true);
        assert_eq!(failure, PairingFailure::Cancelled);
    }

    #[test]
    fn bluetooth_that_is_disabled_by_policy_is_named() {
        for message in [
            "Web Bluetooth API globally disabled.",
            "User or their enterprise policy has disabled Web Bluetooth.",
        ] {
            for name in ["NotFoundError", "SecurityError"] {
                let failure = failure(name, message, 5, true);
                assert_eq!(failure, PairingFailure::Disabled);
            }
        }
    }

    #[test]
    fn a_chooser_that_is_closed_sooner_than_a_rider_can_was_never_shown() {
        let failure = |millis| failure("NotFoundError", "", millis, true);
        assert_eq!(failure(20), PairingFailure::Disabled);
        assert_eq!(failure(299), PairingFailure::Disabled);
        assert_eq!(failure(300), PairingFailure::Cancelled);
    }

    #[test]
    fn an_adapter_that_is_off_or_missing_is_named() {
        for (message, millis, available) in [
            ("Bluetooth adapter not available.", 5, true),
            ("Bluetooth Low Energy not available.", 5, true),
            ("User cancelled the requestDevice() chooser.", 2_000, false),
        ] {
            let failure = failure("NotFoundError", message, millis, available);
            assert_eq!(failure, PairingFailure::AdapterOff);
        }
    }

    #[test]
    fn a_permission_that_is_denied_is_named() {
        let denied = "User denied the browser permission to scan for Bluetooth devices.";
        for (name, message) in [
            ("NotFoundError", denied),
            ("NotAllowedError", ""),
            ("SecurityError", "Must be handling a user gesture."),
        ] {
            let failure = failure(name, message, 2_000, true);
            assert_eq!(failure, PairingFailure::Denied);
        }
    }

    #[test]
    fn a_browser_without_web_bluetooth_is_named() {
        let failure = ChooserError::Unsupported.failure();
        assert_eq!(failure, PairingFailure::Unsupported);
        let failure = ChooserError::PartUnavailable.failure();
        assert_eq!(failure, PairingFailure::PartUnavailable);
    }
}
