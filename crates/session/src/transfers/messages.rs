//! Messages of other members.

use clock::{Duration, Moment};
use protocol::peer::PeerId;
use ride::transfer::{
    Accept, Cancel, CancelReason, Chunk, Complete, End, Offer, TransferMessage, clean_file_name,
};

use super::{
    MAX_OFFERS, MAX_OFFERS_OF_PEER, TransferFailure, TransferId, TransferState, Transfers,
    incoming::Incoming,
    transfer::{Side, Transfer},
};

/// Time in which an acceptance is not repeated for a repeated offer.
const ACCEPT_INTERVAL: Duration = Duration::from_secs(1);

impl Transfers {
    pub(super) fn receive_offer(&mut self, now: Moment, from: &PeerId, offer: Offer<'_>) {
        if let Some(index) = self.find(from, offer.id, false) {
            let transfer = &mut self.list[index];
            let Side::Receiving(incoming) = &mut transfer.side else {
                return;
            };
            if transfer.size != offer.size {
                return;
            }
            incoming.confirm_by = None;
            let requested = incoming.requested_at;
            let is_due = requested.is_none_or(|at| now.since(at) >= ACCEPT_INTERVAL);
            transfer.set_peer_pause(now, offer.paused);
            if is_due {
                self.send_state(now, index);
            }
            return;
        }
        if self.outcome(from, offer.id, false).is_some() {
            return self.answer_unknown(now, from, offer.id, false);
        }
        let of_peer = |transfer: &&Transfer| transfer.peer == *from;
        let offers = self.list.iter().filter(|one| one.is_open_offer());
        // Offers that are not shown take no room from those that are.
        let hidden = &self.hidden;
        let shown = offers.clone().filter(|one| !hidden.contains(&one.peer));
        let is_refused = offer.size > self.max_file_bytes
            || shown.count() >= MAX_OFFERS && !hidden.contains(from)
            || offers.filter(of_peer).count() >= MAX_OFFERS_OF_PEER
            || !self.outbox.peers.contains_key(from);
        if is_refused {
            if self.outbox.allows_reply(now, from) {
                let cancel = Cancel {
                    id: offer.id,
                    by_sender: false,
                    reason: CancelReason::Busy,
                };
                self.outbox.send(from, &TransferMessage::Cancel(cancel));
            }
            return;
        }
        if !self.outbox.allows_offer(now, from) {
            // Its sender repeats it while it is not answered.
            return;
        }
        let (id, name) = (TransferId(self.ids.next()), clean_file_name(offer.name));
        let side = Side::Receiving(Incoming::offered(offer.size));
        let mut transfer = Transfer::new(id, from.clone(), offer.id, name, offer.size, side);
        transfer.peer_pause = offer.paused;
        self.push(now, transfer);
    }

    pub(super) fn receive_accept(&mut self, now: Moment, from: &PeerId, accept: Accept) {
        let Some(index) = self.find(from, accept.id, true) else {
            return self.answer_unknown(now, from, accept.id, true);
        };
        let receiver = self.outbox.incarnation(from);
        let transfer = &mut self.list[index];
        transfer.heard(now);
        transfer.set_peer_pause(now, accept.paused);
        if let Side::Sending(outgoing) = &mut transfer.side {
            let before = (outgoing.is_accepted, outgoing.acknowledged);
            outgoing.accept(now, accept.from, receiver);
            if before != (outgoing.is_accepted, outgoing.acknowledged) {
                transfer.moved(now);
            }
        }
    }

    pub(super) fn receive_chunk(&mut self, now: Moment, from: &PeerId, chunk: Chunk<'_>) {
        let Some(index) = self.find(from, chunk.id, false) else {
            // The sender may not know yet that the transfer has ended.
            return;
        };
        let transfer = &mut self.list[index];
        let Side::Receiving(incoming) = &mut transfer.side else {
            return;
        };
        let before = incoming.arrived;
        let is_in_order = incoming.chunk(chunk.offset, chunk.bytes);
        let may_request = incoming.may_request(now);
        if incoming.arrived > before {
            transfer.moved(now);
        }
        if !is_in_order && may_request {
            self.send_state(now, index);
        }
    }

    pub(super) fn receive_end(&mut self, now: Moment, from: &PeerId, end: End) {
        let Some(index) = self.find(from, end.id, false) else {
            return self.answer_unknown(now, from, end.id, false);
        };
        if let Side::Receiving(incoming) = &mut self.list[index].side
            && !incoming.end(end.sha256)
            && incoming.may_request(now)
        {
            self.send_state(now, index);
        }
        self.check(now, index);
    }

    pub(super) fn receive_complete(&mut self, now: Moment, from: &PeerId, complete: Complete) {
        let Some(index) = self.find(from, complete.id, true) else {
            return;
        };
        let Side::Sending(outgoing) = &self.list[index].side else {
            return;
        };
        if !outgoing.can_be_complete() {
            return;
        }
        if complete.is_right {
            self.end(now, index, TransferState::Complete, None);
        } else {
            self.fail(now, index, TransferFailure::WrongHash, None);
        }
    }

    pub(super) fn receive_cancel(&mut self, now: Moment, from: &PeerId, cancel: Cancel) {
        let Some(index) = self.find(from, cancel.id, !cancel.by_sender) else {
            return;
        };
        let failure = match (cancel.reason, cancel.by_sender) {
            (CancelReason::Declined, false) => TransferFailure::Declined,
            (CancelReason::Busy, false) => TransferFailure::Busy,
            (CancelReason::NoSpace, false) => TransferFailure::NoSpace,
            (CancelReason::Unreadable, true) => TransferFailure::Unreadable,
            (CancelReason::Unknown, true) => TransferFailure::SenderReloaded,
            (CancelReason::NotAnswered, _) => TransferFailure::NotAnswered,
            (CancelReason::PeerLeft, _) => TransferFailure::PeerLeft,
            _ => TransferFailure::CancelledByPeer,
        };
        self.fail(now, index, failure, None);
    }

    /// Answers a message about a transfer that has ended or is not known, a few times.
    pub(super) fn answer_unknown(
        &mut self,
        now: Moment,
        from: &PeerId,
        wire_id: u64,
        is_sending: bool,
    ) {
        let known = self.outcome(from, wire_id, is_sending);
        if known.is_none() && !is_sending || !self.outbox.allows_reply(now, from) {
            return;
        }
        let outcome = known.map(|at| &mut self.outcomes[at]);
        match outcome {
            Some(outcome) => outcome.tell(now, &mut self.outbox),
            None => {
                let cancel = Cancel {
                    id: wire_id,
                    by_sender: true,
                    reason: CancelReason::Unknown,
                };
                self.outbox.send(from, &TransferMessage::Cancel(cancel));
            }
        }
    }
}
