use serde::{Deserialize, Serialize};

use crate::peer::PeerId;

/// Command of the host to the room. The server refuses it from others with an
/// [`ErrorCode`](super::ErrorCode), and answers it with a message to all members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum HostCommand {
    /// Kicks a rider and bans it from this ride.
    Kick {
        /// Rider to kick.
        peer: PeerId,
        /// Reason for that rider to read, at most [`MAX_REASON`](super::MAX_REASON) bytes.
        reason: String,
    },
    /// Locks the ride: no new members are admitted.
    Lock,
    /// Unlocks the ride.
    Unlock,
    /// Makes a connected rider the host; the sender keeps no claim to the role.
    HandOver {
        /// The next host.
        to: PeerId,
    },
    /// Ends the ride for everyone.
    End,
    /// Makes the first host, who has returned to the ride, its host again.
    Reclaim,
}
