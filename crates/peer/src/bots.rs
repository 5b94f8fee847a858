//! Many simulated riders in one ride.

use std::{cell::RefCell, rc::Rc, time::Duration};

use protocol::peer::PeerId;
use session::{Intent, exchange::ExchangeInput, transfers::TransferInput, view::JoinError};
use thiserror::Error;
use tokio::{
    sync::{mpsc, watch},
    task::LocalSet,
    time::{sleep, sleep_until},
};

use crate::{
    Peer, PeerConfig,
    bot::{self, Action, Bot, End, HostPlan, SimulatedRider},
};

/// Time between two riders who join, so that they arrive one after the other as people do.
const JOIN_INTERVAL: Duration = Duration::from_millis(100);

/// Riders of one ride.
#[derive(Clone, Debug)]
pub struct Bots {
    /// Settings of their peers.
    pub peer: PeerConfig,
    /// The riders, in the order of joining.
    pub riders: Vec<SimulatedRider>,
    /// What those do who become host.
    pub host_plan: Option<HostPlan>,
}

/// Reason why not all riders have joined.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}{}", .reason, joined_text(.joined, .riders))]
pub struct BotsError {
    /// Reason of the first rider who did not join.
    pub reason: JoinFailure,
    /// Number of riders who had joined before. They have left again.
    pub joined: usize,
    /// Number of riders.
    pub riders: usize,
}

/// Reason why a rider did not join, as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum JoinFailure {
    /// The code is unknown.
    #[error("There is no ride with this code, or it is over: check the address.")]
    NoSuchRide,
    /// The ride has its maximum of riders.
    #[error("The ride is full.")]
    Full,
    /// The host has locked the ride.
    #[error("The ride is locked: its host has to unlock it first.")]
    Locked,
    /// The server could not be reached.
    #[error("The server cannot be reached: check the address, and whether the server is running.")]
    Unreachable,
    /// The host closed the ride.
    #[error("The host has closed the ride.")]
    Closed,
    /// Server and program have different versions.
    #[error("The server has another version than this program.")]
    Outdated,
    /// Any other reason.
    #[error("The server did not let a rider in.")]
    Other,
}

/// End of a group of simulated riders that had joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They left because they were told to.
    Stopped,
    /// None of them is in the ride any more: it was closed, or they were removed.
    Over,
}

/// Report of one rider.
enum Report {
    Joined,
    Ended(End),
}

/// Lets the riders join, calls `joined` when all of them have, and lets them leave when `stop`
/// resolves. The sessions reconnect by themselves while the server restarts.
///
/// # Errors
/// [`BotsError`], if a rider cannot join. All of them leave in this case.
pub async fn run(
    bots: Bots,
    joined: impl FnOnce(),
    stop: impl Future<Output = ()>,
) -> Result<Outcome, BotsError> {
    LocalSet::new()
        .run_until(run_local(bots, joined, stop))
        .await
}

async fn run_local(
    bots: Bots,
    joined: impl FnOnce(),
    stop: impl Future<Output = ()>,
) -> Result<Outcome, BotsError> {
    let riders = bots.riders.len();
    let crew: Crew = Rc::new(RefCell::new(vec![None; riders]));
    let (leave, leaving) = watch::channel(false);
    let (report, mut reports) = mpsc::unbounded_channel();
    let mut tasks = Vec::new();
    for (at, rider) in bots.riders.into_iter().enumerate() {
        let member = Member {
            at,
            crew: Rc::clone(&crew),
            report: report.clone(),
            leaving: leaving.clone(),
        };
        let bot = Bot::new(rider, bots.host_plan.clone());
        tasks.push(tokio::task::spawn_local(
            member.ride(bots.peer.clone(), bot),
        ));
    }
    drop((report, leaving));
    let result = supervise(&mut reports, riders, joined, stop).await;
    leave.send_replace(true);
    for task in tasks {
        let _ = task.await;
    }
    result
}

/// Waits for the end.
async fn supervise(
    reports: &mut mpsc::UnboundedReceiver<Report>,
    riders: usize,
    on_joined: impl FnOnce(),
    stop: impl Future<Output = ()>,
) -> Result<Outcome, BotsError> {
    let mut on_joined = Some(on_joined);
    let mut joined = 0;
    tokio::pin!(stop);
    loop {
        let report = tokio::select! {
            report = reports.recv() => report,
            () = &mut stop => return Ok(Outcome::Stopped),
        };
        match report {
            Some(Report::Joined) => joined += 1,
            Some(Report::Ended(end)) if joined < riders => {
                let reason = JoinFailure::from(end);
                return Err(BotsError {
                    reason,
                    joined,
                    riders,
                });
            }
            Some(Report::Ended(_)) => {}
            None => return Ok(Outcome::Over),
        }
        if joined == riders
            && let Some(on_joined) = on_joined.take()
        {
            on_joined();
        }
    }
}

/// Ids of the simulated riders who have joined.
type Crew = Rc<RefCell<Vec<Option<PeerId>>>>;

/// One of the riders.
struct Member {
    /// Position in the crew.
    at: usize,
    crew: Crew,
    report: mpsc::UnboundedSender<Report>,
    leaving: watch::Receiver<bool>,
}

impl Member {
    /// Rides until the end, or until the riders are told to leave.
    async fn ride(mut self, config: PeerConfig, mut bot: Bot) {
        let wait = JOIN_INTERVAL * u32::try_from(self.at).unwrap_or(0);
        tokio::select! {
            () = sleep(wait) => {}
            _ = self.leaving.changed() => return,
        }
        let mut peer = Peer::open(config);
        let mut was_joined = false;
        let end = loop {
            self.act(&mut peer, &mut bot);
            if let Some(end) = bot::end(peer.view()) {
                break Some(end);
            }
            if bot.has_joined() && !std::mem::replace(&mut was_joined, true) {
                let _ = self.report.send(Report::Joined);
            }
            let timeout = bot.poll_timeout().map(|at| peer.instant(at));
            let timer = async {
                match timeout {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = timer => {}
                () = peer.step() => {}
                _ = self.leaving.changed() => break None,
            }
        };
        match end {
            Some(end) => {
                let _ = self.report.send(Report::Ended(end));
            }
            None => peer.intend(Intent::Leave),
        }
        peer.close().await;
    }

    /// Lets the bot look at the screen, and does what it wants.
    fn act(&self, peer: &mut Peer, bot: &mut Bot) {
        if bot.has_joined() {
            let own = peer.view().riders.iter().find(|row| row.is_self);
            self.crew.borrow_mut()[self.at] = own.map(|row| row.peer.clone());
        }
        let bots: Vec<PeerId> = self.crew.borrow().iter().flatten().cloned().collect();
        bot.update(
            peer.now().moment,
            peer.view(),
            &peer.exchange().transfers,
            &bots,
        );
        while let Some(action) = bot.poll_action() {
            match action {
                Action::Intend(intent) => peer.intend(intent),
                Action::Decline(id) => {
                    let decline = TransferInput::Decline(id);
                    peer.intend_exchange(ExchangeInput::Transfers(decline));
                }
            }
        }
    }
}

impl From<End> for JoinFailure {
    fn from(end: End) -> Self {
        match end {
            End::CannotJoin(JoinError::NoSuchRide | JoinError::NotACode) => Self::NoSuchRide,
            End::CannotJoin(JoinError::Full) => Self::Full,
            End::CannotJoin(JoinError::Locked) => Self::Locked,
            End::CannotJoin(JoinError::Unreachable) | End::Forgotten => Self::Unreachable,
            End::CannotJoin(JoinError::Closed) => Self::Closed,
            End::CannotJoin(JoinError::Outdated) => Self::Outdated,
            End::CannotJoin(_) | End::Left => Self::Other,
        }
    }
}

fn joined_text(joined: &usize, riders: &usize) -> String {
    match (joined, riders) {
        (0, _) | (_, 1) => String::new(),
        (joined, riders) => {
            format!(" {joined} of {riders} riders had joined, and have left again.")
        }
    }
}
