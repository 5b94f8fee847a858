use clock::{Duration, Moment};
use protocol::peer::PeerId;
use ride::transfer::{Cancel, CancelReason, Complete, TransferMessage};

use super::{PATIENCE, outbox::Outbox};

/// Time after which a message that was sent has arrived or was lost.
const DELIVERY: Duration = Duration::from_secs(30);

/// End of a transfer, for the other side.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) peer: PeerId,
    pub(super) wire_id: u64,
    pub(super) is_sending: bool,
    pub(super) message: OutcomeMessage,
    pub(super) ended_at: Moment,
    /// Moment at which the other side was told for the last time.
    pub(super) told_at: Option<Moment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutcomeMessage {
    Complete(bool),
    Cancel(CancelReason),
}

impl Outcome {
    /// True if the other side may not have heard of it, and may still want to know.
    pub(super) fn may_be_unknown(&self, now: Moment) -> bool {
        let may_be_lost = self.told_at.is_none_or(|at| now.since(at) < DELIVERY);
        may_be_lost && now.since(self.ended_at) < PATIENCE
    }

    /// Tells the other side, if it can be reached.
    pub(super) fn tell(&mut self, now: Moment, outbox: &mut Outbox) {
        if !outbox.is_reachable(&self.peer) {
            return;
        }
        self.told_at = Some(now);
        let id = self.wire_id;
        let message = match self.message {
            OutcomeMessage::Complete(is_right) => {
                TransferMessage::Complete(Complete { id, is_right })
            }
            OutcomeMessage::Cancel(reason) => TransferMessage::Cancel(Cancel {
                id,
                by_sender: self.is_sending,
                reason,
            }),
        };
        outbox.send(&self.peer, &message);
    }
}
