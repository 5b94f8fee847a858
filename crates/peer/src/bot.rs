//! Decisions of a simulated rider: when to join, to be ready, and what to do as host.
//!
//! A [`Bot`] is a state machine without IO. It looks at the view of its session, as a rider looks at
//! the screen, and answers with what a rider would tap.

mod crew;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use clock::Moment;
use protocol::peer::{LinkState, PeerId};
use ride::{
    rider::{Bias, Ftp, RiderName},
    workout::Workout,
};
use session::{
    Intent,
    transfers::{TransferId, TransferState, TransferView},
    view::{JoinError, Row, ServerConnection, Stage, View},
};

pub use crew::crew;

/// Time between two attempts of a host to do the same: the first may have been lost.
const HOST_RETRY: Duration = Duration::from_secs(4);

/// Number of times that a simulated rider makes another one the host.
const MAX_HANDED: usize = 64;

/// A simulated rider.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedRider {
    /// Name.
    pub name: RiderName,
    /// Strength.
    pub ftp: Ftp,
    /// Share of the workout's targets at which the rider rides.
    pub bias: Bias,
    /// Time after joining until the rider is ready.
    pub ready_after: Duration,
}

/// What a simulated rider does as host. Without it, it makes another rider the host.
#[derive(Clone, Debug)]
pub struct HostPlan {
    /// Workout to share.
    pub workout: Arc<Workout>,
    /// Time for which the host waits for a guest, and then for the guest to be ready.
    pub patience: Duration,
}

/// Something that a simulated rider does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Request to the session.
    Intend(Intent),
    /// Decline a file.
    Decline(TransferId),
}

/// Reason why a simulated rider is no longer in the ride.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The ride could not be joined, or is over for this rider.
    CannotJoin(JoinError),
    /// The server no longer knows the ride.
    Forgotten,
    /// The rider left, or another page took over.
    Left,
}

/// State of a simulated rider, see the [module documentation](self).
#[derive(Debug)]
pub struct Bot {
    rider: SimulatedRider,
    host_plan: Option<HostPlan>,
    actions: VecDeque<Action>,
    /// Time at which the lobby was shown.
    in_lobby_since: Option<Moment>,
    /// Time at which the first guest was seen.
    guest_since: Option<Moment>,
    /// Time before which a host does not try again.
    host_retry_at: Moment,
    /// Guest whom this host is making the host.
    handing_to: Option<PeerId>,
    /// Guests whom this bot has made the host. One who gives the role back meant it, and may be
    /// another program's bot.
    handed_to: Vec<PeerId>,
    has_joined: bool,
    timeout: Option<Moment>,
}

impl Bot {
    /// Rider who has not joined.
    pub fn new(rider: SimulatedRider, host_plan: Option<HostPlan>) -> Self {
        Self {
            rider,
            host_plan,
            actions: VecDeque::new(),
            in_lobby_since: None,
            guest_since: None,
            host_retry_at: Moment::ZERO,
            handing_to: None,
            handed_to: Vec::new(),
            has_joined: false,
            timeout: None,
        }
    }

    /// Looks at the screen. `bots` are the riders who are simulated.
    pub fn update(
        &mut self,
        now: Moment,
        view: &View,
        transfers: &[TransferView],
        bots: &[PeerId],
    ) {
        self.timeout = None;
        match view.stage {
            Stage::EnterName => self.join(),
            Stage::Lobby | Stage::Countdown | Stage::Riding | Stage::Ended => {
                self.has_joined = true;
            }
            _ => {}
        }
        if view.stage == Stage::Lobby {
            self.wait_in_lobby(now, view, bots);
        }
        if !view.is_host {
            let handed = self.handing_to.take();
            self.handed_to.extend(handed);
        } else if self.host_plan.is_none() {
            self.hand_over(now, view, bots);
        }
        let offers = transfers
            .iter()
            .filter(|it| !it.is_sending && it.state == TransferState::Offered);
        self.actions.extend(offers.map(|it| Action::Decline(it.id)));
    }

    /// Next action; `None` when there is none.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Time at which the bot wants to look again, even if nothing changes.
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.timeout
    }

    /// True once the rider has been in the ride.
    pub fn has_joined(&self) -> bool {
        self.has_joined
    }

    fn join(&mut self) {
        let rider = &self.rider;
        let join = Intent::Join(rider.name.clone(), rider.ftp);
        for intent in [join, Intent::SimulateTrainer, Intent::SetBias(rider.bias)] {
            self.actions.push_back(Action::Intend(intent));
        }
    }

    fn wait_in_lobby(&mut self, now: Moment, view: &View, bots: &[PeerId]) {
        let since = *self.in_lobby_since.get_or_insert(now);
        if !view.ready && self.is_due(now, since + self.rider.ready_after) {
            self.actions
                .push_back(Action::Intend(Intent::SetReady(true)));
        }
        let Some(plan) = self.host_plan.clone().filter(|_| view.is_host) else {
            return;
        };
        let intent = match view.workout {
            None => Intent::ShareWorkout(Arc::clone(&plan.workout)),
            Some(_) if self.is_time_to_start(now, since, plan.patience, view, bots) => {
                Intent::Start
            }
            Some(_) => return,
        };
        if self.is_due(now, self.host_retry_at) {
            self.host_retry_at = now + HOST_RETRY;
            self.actions.push_back(Action::Intend(intent));
        }
    }

    /// The ride starts when all guests are ready, or when the host has waited for long enough: for
    /// a first guest, and then for the guests to be ready. Later guests do not prolong it.
    fn is_time_to_start(
        &mut self,
        now: Moment,
        since: Moment,
        patience: Duration,
        view: &View,
        bots: &[PeerId],
    ) -> bool {
        let mut guests = guests(view, bots).peekable();
        if guests.peek().is_some() {
            self.guest_since.get_or_insert(now);
            if guests.all(|guest| guest.ready) {
                return true;
            }
        }
        self.is_due(now, self.guest_since.unwrap_or(since) + patience)
    }

    /// Makes the rider the host who has been present longest and is not simulated.
    fn hand_over(&mut self, now: Moment, view: &View, bots: &[PeerId]) {
        if view.connection != ServerConnection::Online || self.handed_to.len() >= MAX_HANDED {
            return;
        }
        let is_new = |guest: &&Row| !self.handed_to.contains(&guest.peer);
        let guest = guests(view, bots).find(is_new);
        let Some(guest) = guest.map(|guest| guest.peer.clone()) else {
            return;
        };
        if self.is_due(now, self.host_retry_at) {
            self.host_retry_at = now + HOST_RETRY;
            self.handing_to = Some(guest.clone());
            let intent = Intent::HandOver(guest);
            self.actions.push_back(Action::Intend(intent));
        }
    }

    /// Tells whether a time has come, and asks to look again when not.
    fn is_due(&mut self, now: Moment, at: Moment) -> bool {
        let is_due = at <= now;
        if !is_due {
            self.timeout = Some(self.timeout.map_or(at, |other| other.min(at)));
        }
        is_due
    }
}

/// Riders who are there and not simulated, the longest present first.
fn guests<'a>(view: &'a View, bots: &'a [PeerId]) -> impl Iterator<Item = &'a Row> {
    view.riders.iter().filter(|row| {
        let is_present = matches!(row.link, LinkState::Relayed | LinkState::Direct);
        !row.is_self && is_present && !bots.contains(&row.peer)
    })
}

/// End of taking part; `None` while the rider takes part.
pub fn end(view: &View) -> Option<End> {
    match view.stage {
        Stage::CannotJoin(error) => Some(End::CannotJoin(error)),
        Stage::TakenOver | Stage::Left => Some(End::Left),
        // Stages of a rider who goes on without a group.
        _ if view.connection == ServerConnection::Alone => Some(End::Forgotten),
        Stage::Ended if view.connection == ServerConnection::Idle => {
            Some(End::CannotJoin(JoinError::Closed))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
