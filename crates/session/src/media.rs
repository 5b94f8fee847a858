//! Voice, cameras and screen sharing of one page.
//!
//! Media never pass through the server: each pair of pages has a media connection of its own
//! ([`mesh::media`]).

mod api;

use std::{collections::VecDeque, sync::Arc};

use clock::Moment;
use protocol::peer::PeerId;

use crate::exchange::{ExchangeNow, ExchangeOutput, GroupMembers};

pub use api::{
    CameraQuality, Encoding, MediaInput, MediaKind, MediaNotice, MediaOutput, MediaState,
    MediaView, RiderMedia,
};

/// Media of one page, see the [module documentation](self).
#[derive(Debug, Default)]
pub struct Media {
    outputs: VecDeque<ExchangeOutput>,
}

impl Media {
    /// Media of a page; `seed` differs in every page load.
    pub fn new(_seed: u64) -> Self {
        Self::default()
    }

    /// Takes over the group.
    pub fn set_members(&mut self, _now: ExchangeNow, _members: Arc<GroupMembers>) {}

    /// A message with a kind of [`MEDIA_KINDS`](crate::exchange::MEDIA_KINDS) arrived.
    pub fn receive(&mut self, _now: ExchangeNow, _from: &PeerId, _payload: &[u8]) {}

    /// Handles an input of the driver.
    pub fn handle(&mut self, _now: ExchangeNow, _input: MediaInput) {}

    /// The moment of [`Self::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, _now: ExchangeNow) {}

    /// Ends everything: tracks are stopped, connections closed.
    pub fn end(&mut self, _now: ExchangeNow) {}

    /// Number of messages that were rejected.
    pub fn rejected(&self) -> u64 {
        0
    }

    /// Next output; `None` when there is none.
    pub fn poll_output(&mut self) -> Option<ExchangeOutput> {
        self.outputs.pop_front()
    }

    /// Moment of the next timeout.
    pub fn poll_timeout(&self) -> Option<Moment> {
        None
    }
}
