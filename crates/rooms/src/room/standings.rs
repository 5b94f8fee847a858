//! Members who left a ride or were banned from it, as the server remembers them over a restart.

use std::fmt;

use protocol::peer::PeerId;

/// Standing of a member in its ride.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is known against the member.
    #[default]
    Member,
    /// The member left, and has not joined again since.
    Left,
    /// The host banned the member.
    Banned,
}

/// Standings of the members of one ride. They last longer than the server's memory, and a restored
/// room heeds them.
///
/// Contract: what a room reports in [`Output::Record`](super::Output::Record) is known to the next
/// call, and calls are fast, without IO.
pub trait Standings: fmt::Debug + Send + Sync {
    /// Standing of a member; [`Standing::Member`] for an unknown one.
    fn standing(&self, peer: &PeerId) -> Standing;
}

/// Change of a member's standing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StandingChange {
    /// The host banned the member.
    Banned(PeerId),
    /// The member left.
    Left(PeerId),
    /// A former member joined again.
    Returned(PeerId),
}
