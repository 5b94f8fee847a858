use clock::{Duration, Moment};
use protocol::peer::PeerId;
use ride::transfer::CancelReason;

use super::{
    PATIENCE, TransferId, TransferState, TransferView,
    incoming::{Incoming, Phase, RELAYED_REPORT_INTERVAL, REPORT_INTERVAL},
    outbox::Outbox,
    outgoing::Outgoing,
    rate_meter::RateMeter,
};

/// Time after which a rider who is not in the group has left. The group may be incomplete for a
/// moment after the server was lost.
const ABSENCE: Duration = Duration::from_secs(30);
/// Time without a sign of the other side, while one is expected, after which the state is sent
/// again. It doubles up to eight times this.
const NUDGE: Duration = Duration::from_secs(10);

/// One transfer.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) id: TransferId,
    pub(super) peer: PeerId,
    pub(super) peer_name: String,
    /// Id in messages, which the sender has chosen.
    pub(super) wire_id: u64,
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) side: Side,
    /// True while the rider at this page pauses.
    pub(super) my_pause: bool,
    /// True while the other rider pauses.
    pub(super) peer_pause: bool,
    /// State after the end.
    pub(super) ended: Option<TransferState>,
    /// Moment of the offer, of the last progress, or of the last new path.
    pub(super) active_at: Moment,
    /// Moment of the last sign of the other side, or of the last nudge.
    pub(super) heard_at: Moment,
    pub(super) nudges: u8,
    pub(super) meter: RateMeter,
}

#[derive(Debug)]
pub(super) enum Side {
    Sending(Outgoing),
    Receiving(Incoming),
}

impl Transfer {
    pub(super) fn new(
        id: TransferId,
        peer: PeerId,
        wire_id: u64,
        name: String,
        size: u64,
        side: Side,
    ) -> Self {
        Self {
            id,
            peer,
            peer_name: String::new(),
            wire_id,
            name,
            size,
            side,
            my_pause: false,
            peer_pause: false,
            ended: None,
            active_at: Moment::ZERO,
            heard_at: Moment::ZERO,
            nudges: 0,
            meter: RateMeter::default(),
        }
    }

    pub(super) fn is_sending(&self) -> bool {
        matches!(self.side, Side::Sending(_))
    }

    pub(super) fn is_accepted(&self) -> bool {
        match &self.side {
            Side::Sending(outgoing) => outgoing.is_accepted,
            Side::Receiving(incoming) => incoming.is_accepted(),
        }
    }

    /// True for an offer of another rider that waits for an answer.
    pub(super) fn is_open_offer(&self) -> bool {
        self.ended.is_none() && !self.is_sending() && !self.is_accepted()
    }

    /// True while neither side wants to wait.
    pub(super) fn is_wanted(&self) -> bool {
        let is_queued = match &self.side {
            Side::Sending(_) => false,
            Side::Receiving(incoming) => incoming.phase == Phase::Queued,
        };
        self.ended.is_none()
            && self.is_accepted()
            && !(self.my_pause || self.peer_pause || is_queued)
    }

    pub(super) fn transferred(&self) -> u64 {
        match (&self.side, self.ended) {
            (_, Some(TransferState::Complete)) => self.size,
            (Side::Sending(outgoing), _) => outgoing.acknowledged,
            (Side::Receiving(incoming), _) => incoming.kept,
        }
    }

    pub(super) fn state(&self, outbox: &Outbox) -> TransferState {
        if let Some(ended) = self.ended {
            return ended;
        }
        let is_checking = match &self.side {
            Side::Sending(outgoing) => outgoing.is_checking(),
            Side::Receiving(incoming) => match incoming.phase {
                Phase::Queued => return TransferState::Queued,
                Phase::Restoring if !self.my_pause => return TransferState::Waiting,
                _ => incoming.is_checking(),
            },
        };
        if !self.is_accepted() {
            TransferState::Offered
        } else if self.my_pause {
            TransferState::Paused { by_me: true }
        } else if !outbox.is_reachable(&self.peer) {
            TransferState::Waiting
        } else if self.peer_pause {
            TransferState::Paused { by_me: false }
        } else if is_checking {
            TransferState::Checking
        } else {
            TransferState::Running
        }
    }

    /// Takes in a sign of the other side.
    pub(super) fn heard(&mut self, now: Moment) {
        self.heard_at = now;
        self.nudges = 0;
    }

    /// Takes in that bytes have moved.
    pub(super) fn moved(&mut self, now: Moment) {
        self.heard(now);
        self.active_at = now;
    }

    pub(super) fn set_peer_pause(&mut self, now: Moment, is_paused: bool) {
        if self.peer_pause != is_paused {
            self.peer_pause = is_paused;
            self.moved(now);
        }
    }

    /// Moment at which the own state is sent again. The receiver asks a sender that pauses, too: it
    /// may not know the transfer any more.
    pub(super) fn nudge_at(&self, outbox: &Outbox) -> Option<Moment> {
        if self.ended.is_some() || self.my_pause || !outbox.is_reachable(&self.peer) {
            return None;
        }
        let is_expected = match &self.side {
            // The receiver may have had no room for an offer before its page was loaded.
            Side::Sending(outgoing) => {
                !self.peer_pause && (outgoing.awaits_answer() || !outgoing.is_accepted)
            }
            Side::Receiving(incoming) => incoming.phase == Phase::Active && !incoming.is_checking(),
        };
        let doublings = if self.peer_pause {
            3
        } else {
            self.nudges.min(3)
        };
        is_expected.then(|| self.heard_at + NUDGE * (1 << doublings))
    }

    /// Moment at which the transfer ends if nothing happens, and the reason.
    pub(super) fn ends_at(&self, outbox: &Outbox) -> Option<(Moment, CancelReason)> {
        if self.ended.is_some() {
            return None;
        }
        let peer = outbox.peers.get(&self.peer);
        let absent = peer.and_then(|peer| peer.absent_since);
        let unreachable = peer.and_then(|peer| peer.unreachable_since);
        let left = |at| (at, CancelReason::PeerLeft);
        let confirm_by = match &self.side {
            Side::Receiving(incoming) => incoming.confirm_by,
            Side::Sending(_) => None,
        };
        let idle = if self.is_accepted() {
            let is_idle = self.is_wanted() && unreachable.is_none();
            is_idle.then(|| left(self.active_at + PATIENCE))
        } else {
            Some((self.active_at + PATIENCE, CancelReason::NotAnswered))
        };
        let ends = [
            absent.map(|at| left(at + ABSENCE)),
            unreachable.map(|at| left(at + PATIENCE)),
            confirm_by.map(|at| (at, CancelReason::Unknown)),
            idle,
        ];
        ends.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    pub(super) fn is_relayed(&self, outbox: &Outbox) -> bool {
        self.ended.is_none() && outbox.is_relayed(&self.peer)
    }

    pub(super) fn view(&mut self, now: Moment, outbox: &Outbox) -> TransferView {
        let (state, transferred) = (self.state(outbox), self.transferred());
        let rate = match state {
            TransferState::Running => self.meter.read(now, transferred),
            _ => {
                self.meter.clear();
                None
            }
        };
        let left = self.size.saturating_sub(transferred);
        let time_left = rate.map(|rate| Duration::from_secs(left.div_ceil(u64::from(rate.max(1)))));
        TransferView {
            id: self.id,
            peer: self.peer.clone(),
            peer_name: self.peer_name.clone(),
            is_sending: self.is_sending(),
            name: self.name.clone(),
            size: self.size,
            transferred,
            rate,
            time_left,
            is_relayed: self.is_relayed(outbox),
            state,
        }
    }
}

/// Interval of acknowledgements.
pub(super) fn report_interval(outbox: &Outbox, peer: &PeerId) -> Duration {
    if outbox.is_relayed(peer) {
        RELAYED_REPORT_INTERVAL
    } else {
        REPORT_INTERVAL
    }
}
