//! The tunnel's companion in a ride, from which riders get the page.

use std::pin::Pin;

use ride::page::Page;
use session::companion::CompanionState;
use tokio::{
    sync::oneshot,
    time::{Duration, timeout},
};

use super::{Report, TunnelError};
use crate::{Companion, server::RideUrl};

/// Time for the companion to leave the ride.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(3);

/// Companion that joins, answers riders, and leaves.
pub(super) struct Announcement {
    /// Resolves to the state in which it has ended by itself.
    companion: Pin<Box<dyn Future<Output = Option<CompanionState>>>>,
    leave: oneshot::Sender<()>,
}

impl Announcement {
    /// Joins a ride.
    pub(super) fn start(ride: RideUrl, page: Page) -> Self {
        let (leave, left) = oneshot::channel();
        Self {
            companion: Box::pin(stay(ride, page, left)),
            leave,
        }
    }

    /// Waits until the companion has ended by itself. Cancellation loses nothing.
    pub(super) async fn ended(announcement: &mut Option<Self>) -> CompanionState {
        if let Some(running) = announcement
            && let Some(state) = (&mut running.companion).await
        {
            *announcement = None;
            return state;
        }
        std::future::pending().await
    }

    /// Leaves the ride.
    pub(super) async fn leave(self) {
        let _ = self.leave.send(());
        let _ = timeout(LEAVE_TIMEOUT, self.companion).await;
    }
}

async fn stay(
    ride: RideUrl,
    page: Page,
    mut left: oneshot::Receiver<()>,
) -> Option<CompanionState> {
    let mut companion = Companion::join(ride, page);
    loop {
        let state = companion.state();
        if !matches!(
            state,
            CompanionState::Joining | CompanionState::InRide { .. }
        ) {
            companion.close().await;
            return Some(state);
        }
        tokio::select! {
            () = companion.step() => {}
            _ = &mut left => {
                companion.close().await;
                return None;
            }
        }
    }
}

/// What the end of the companion means for the tunnel: it goes on without riders (`Ok(false)`), it
/// ends (`Ok(true)`), or it was never possible.
pub(super) fn consequence(
    state: CompanionState,
    report: &mut impl FnMut(Report),
) -> Result<bool, TunnelError> {
    let (sentence, ends) = match state {
        CompanionState::Removed { reason } if reason.is_empty() => (
            "The host has removed the page from the ride.".to_owned(),
            true,
        ),
        CompanionState::Removed { reason } => (
            format!("The host has removed the page from the ride: {reason}"),
            true,
        ),
        CompanionState::RideEnded => ("The ride is over.".to_owned(), true),
        CompanionState::Replaced => (
            "Another program announces this page in the ride; the page stays open.".to_owned(),
            false,
        ),
        CompanionState::Refused(error) => return Err(TunnelError::Ride(error)),
        CompanionState::Joining | CompanionState::InRide { .. } => return Ok(false),
    };
    report(Report::Note(sentence));
    Ok(ends)
}
