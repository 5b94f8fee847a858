use serde::{Deserialize, Serialize};

/// Reason for a refusal, each with a sentence that says what happened and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCode {
    /// No ride has this code, or the ride is over.
    NoSuchRide,
    /// The ride has its maximum number of riders.
    RideFull,
    /// The ride is locked.
    RideLocked,
    /// The token does not belong to the claimed rider.
    BadToken,
    /// A message could not be parsed or is not allowed in this state.
    BadMessage,
    /// A message is larger than the limit.
    TooLarge,
    /// The page speaks another protocol version than the server.
    UnsupportedVersion,
    /// The first message was not a hello.
    NotInRide,
    /// A rate limit was exceeded.
    RateLimited,
    /// The server has its maximum number of rides.
    TooManyRides,
    /// Only the host may do this.
    NotHost,
    /// Only the first host may reclaim the host role.
    NotFirstHost,
    /// The named rider is not in the ride, or not connected.
    NoSuchRider,
    /// The ride has its maximum number of bans.
    TooManyBans,
    /// Code of a newer server.
    #[serde(other)]
    Unknown,
}

impl ErrorCode {
    /// Sentence that says what happened and what to do, in English.
    pub fn message(self) -> &'static str {
        match self {
            Self::NoSuchRide => {
                "There is no ride with this code. Check the code, or start a ride of your own."
            }
            Self::RideFull => "This ride is full. Ask the host, or start a ride of your own.",
            Self::RideLocked => "The host has locked this ride. Ask the host to unlock it.",
            Self::BadToken => {
                "This browser could not prove which rider it is. Join again as a new rider."
            }
            Self::BadMessage => "The server could not read a message. Reload the page.",
            Self::TooLarge => "A message was too large for the server. Reload the page.",
            Self::UnsupportedVersion => {
                "This page is of another version than the server. Reload the page."
            }
            Self::NotInRide => "The connection is not in a ride yet. Reload the page.",
            Self::RateLimited => "Too much in a short time. Wait a moment, then try again.",
            Self::TooManyRides => "The server has no room for another ride. Try again later.",
            Self::NotHost => "Only the host can do this. Ask the host.",
            Self::NotFirstHost => {
                "Only the rider who began the ride can take it back. Ask the host to hand it over."
            }
            Self::NoSuchRider => "That rider is not connected. Wait until the rider is back.",
            Self::TooManyBans => "This ride cannot ban another rider. Lock the ride instead.",
            Self::Unknown => "The server refused. Reload the page.",
        }
    }

    /// Returns `true` if it answers a command of a member that stays in the ride.
    pub fn is_denial(self) -> bool {
        matches!(
            self,
            Self::NotHost | Self::NotFirstHost | Self::NoSuchRider | Self::TooManyBans
        )
    }

    /// Returns `true` if a retry with the same hello would be refused again.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::NoSuchRide
                | Self::RideFull
                | Self::RideLocked
                | Self::BadToken
                | Self::UnsupportedVersion
        )
    }
}
