//! File transfers between riders.
//!
//! Each transfer has one sender and one receiver; a file that is offered to all is one transfer per
//! receiver. The messages are those of [`ride::transfer`]:
//!
//! - the sender offers, the receiver accepts with the offset from which it wants the bytes;
//! - the sender reads the file, and sends chunks as long as no more than a window of bytes is
//!   unacknowledged; the receiver acknowledges what is written;
//! - after the last chunk the sender tells the SHA-256 of what it read, and the receiver compares it
//!   with that of what it has kept.
//!
//! When messages may have been lost (another carrier, a lost link, a reload of either page), the
//! sender repeats its offer and the receiver its acceptance, with the number of bytes that it has. A
//! side that has ended a transfer answers with the reason. A receiver's reload therefore continues
//! the transfer; a sender's reload ends it, since the new page has no access to the file.
//!
//! Layout: `Outgoing` and `Incoming` are the two halves of a transfer, `Outbox` has the links and
//! what is sent, `RelayBudget` limits relayed bytes, `RateMeter` measures rates. [`Transfers`] holds
//! the list, and decides when a transfer starts and ends.
//!
//! # Limits
//!
//! Three files are sent at a time, to any number of receivers; another one is not offered. Three
//! transfers are received at a time; further accepted ones wait ([`TransferState::Queued`]). A rider
//! sees at most [`MAX_OFFERS_OF_PEER`] unanswered offers of one rider and [`MAX_OFFERS`] in total,
//! further ones are refused by the page. An offer ends after [`PATIENCE`] without an answer.

mod api;
mod incoming;
mod inputs;
mod messages;
mod outbox;
mod outcome;
mod outgoing;
mod pacing;
mod rate_meter;
mod relay_budget;
mod screen;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
mod transfer;

use std::{collections::VecDeque, sync::Arc};

use clock::{Duration, Moment};
use litemap::LiteMap;
use mesh::random::Random;
use protocol::peer::{Incarnation, PeerId};
use ride::transfer::{Accept, CancelReason, Offer, Progress, TransferMessage, TransferRecord};

use self::{
    incoming::{Check, Incoming, Phase},
    outbox::{Outbox, PeerChange},
    outcome::{Outcome, OutcomeMessage},
    screen::Screen,
    transfer::{Side, Transfer, report_interval},
};
use crate::exchange::{ExchangeEnd, ExchangeNow, ExchangeOutput, GroupMembers};

pub use api::{
    OfferRejection, StoredTransfer, TransferFailure, TransferId, TransferInput, TransferOutput,
    TransferState, TransferView,
};

/// Largest size of a file in bytes, unless the server announces another one.
pub const MAX_FILE_BYTES: u64 = 200_000_000;
/// Number of files that are sent at a time, and of transfers that are received at a time.
pub const MAX_AT_A_TIME: usize = 3;
/// Largest number of unanswered offers of one rider.
pub const MAX_OFFERS_OF_PEER: usize = 6;
/// Largest number of unanswered offers.
pub const MAX_OFFERS: usize = 24;
/// Time after which a transfer ends if the other rider is away, does not answer an offer, or if
/// nothing arrives.
pub const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Time in which the sender of an unanswered offer has to repeat it after its page load changed.
const CONFIRMATION: Duration = Duration::from_secs(20);
/// Number of ended transfers that are shown, beside received files.
const MAX_ENDED: usize = 24;
/// Number of ended transfers of which the outcome is known when the other side asks.
const MAX_OUTCOMES: usize = 64;

/// File transfers of one page, see the [module documentation](self).
#[derive(Debug)]
pub struct Transfers {
    max_file_bytes: u64,
    /// Source of ids: none is used twice, and those of two page loads differ.
    ids: Random,
    /// Id and page load of this rider, once they are known.
    me: Option<(PeerId, Incarnation)>,
    group: Option<Arc<GroupMembers>>,
    outbox: Outbox,
    /// Transfers on the screen, oldest first.
    list: Vec<Transfer>,
    /// Transfers that this page has ended, oldest first.
    outcomes: VecDeque<Outcome>,
    /// Riders whose offers are not shown. They are kept like those that the rider does not answer.
    hidden: Vec<PeerId>,
    /// Index of the transfer that sends first.
    turn: usize,
    /// Moment from which the relay's budget allows another chunk, while chunks wait for it.
    relay_allows_at: Option<Moment>,
    screen: Screen,
}

impl Transfers {
    /// Transfers of a page; `seed` differs in every page load.
    pub fn new(seed: u64) -> Self {
        Self {
            max_file_bytes: MAX_FILE_BYTES,
            ids: Random::new(seed),
            me: None,
            group: None,
            outbox: Outbox::new(),
            list: Vec::new(),
            outcomes: VecDeque::new(),
            hidden: Vec::new(),
            turn: 0,
            relay_allows_at: None,
            screen: Screen::default(),
        }
    }

    /// Takes over the group.
    pub fn set_members(&mut self, now: ExchangeNow, members: Arc<GroupMembers>) {
        let at = now.own.moment;
        let me = (members.me.clone(), members.incarnation);
        if self.me.is_none() {
            self.outbox.emit(TransferOutput::Load(members.me.clone()));
        }
        let is_new_load = self.me.replace(me.clone()).is_some_and(|known| known != me);
        self.outbox.relay.fill(at);
        self.outbox.relay.set_limit(members.relay_bytes_per_second);
        if let Some(max) = members.max_file_bytes {
            self.max_file_bytes = u64::from(max);
        }
        for member in &members.others {
            let mut change = self.outbox.set_member(at, member);
            change.is_new_path |= is_new_load && member.is_reachable();
            self.peer_changed(at, &member.peer, change);
        }
        let known: Vec<PeerId> = self
            .outbox
            .peers
            .iter()
            .map(|(peer, _)| peer.clone())
            .collect();
        for peer in known {
            if members.others.iter().all(|member| member.peer != peer) {
                self.member_missing(at, &peer);
            }
        }
        self.group = Some(members);
        self.settle(at);
    }

    /// Takes over whose offers are not to be shown.
    pub fn set_hidden(&mut self, now: ExchangeNow, hidden: Vec<PeerId>) {
        if self.hidden != hidden {
            self.hidden = hidden;
            self.settle(now.own.moment);
        }
    }

    /// Handles a message of another member.
    pub fn receive(&mut self, now: ExchangeNow, from: &PeerId, payload: &[u8]) {
        let at = now.own.moment;
        let Ok(message) = TransferMessage::decode(payload) else {
            return;
        };
        match message {
            TransferMessage::Offer(offer) => self.receive_offer(at, from, offer),
            TransferMessage::Accept(accept) => self.receive_accept(at, from, accept),
            TransferMessage::Pause(pause) => {
                if let Some(index) = self.find(from, pause.id, !pause.by_sender) {
                    self.list[index].set_peer_pause(at, pause.paused);
                }
            }
            TransferMessage::Chunk(chunk) => self.receive_chunk(at, from, chunk),
            TransferMessage::Progress(Progress { id, kept }) => {
                let Some(index) = self.find(from, id, true) else {
                    return self.answer_unknown(at, from, id, true);
                };
                let transfer = &mut self.list[index];
                if let Side::Sending(outgoing) = &mut transfer.side
                    && outgoing.progress(at, kept)
                {
                    transfer.moved(at);
                }
            }
            TransferMessage::End(end) => self.receive_end(at, from, end),
            TransferMessage::Complete(complete) => self.receive_complete(at, from, complete),
            TransferMessage::Cancel(cancel) => self.receive_cancel(at, from, cancel),
        }
        self.settle(at);
    }

    /// Handles an input of this page.
    pub fn handle(&mut self, now: ExchangeNow, input: TransferInput) {
        let at = now.own.moment;
        match input {
            TransferInput::Loaded(stored) => self.restore(now, stored),
            TransferInput::Offer {
                file,
                name,
                size,
                to,
            } => self.offer(at, file, &name, size, to.as_ref()),
            TransferInput::Accept(id) => self.accept(now, id),
            TransferInput::Decline(id) => {
                if let Some(index) = self.index_of(id)
                    && self.is_open_offer(index)
                {
                    self.fail(
                        at,
                        index,
                        TransferFailure::Declined,
                        Some(CancelReason::Declined),
                    );
                }
            }
            TransferInput::Pause(id, is_paused) => self.pause(at, id, is_paused),
            TransferInput::Cancel(id) => self.cancel(at, id),
            TransferInput::FileRead {
                file,
                offset,
                bytes,
            } => self.file_read(at, file, offset, bytes),
            TransferInput::Written { transfer, kept } => self.written(at, transfer, kept),
            TransferInput::ReadBack {
                transfer,
                offset,
                bytes,
            } => self.read_back(at, transfer, offset, bytes.as_deref()),
        }
        self.settle(at);
    }

    /// The moment of [`Self::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: ExchangeNow) {
        let at = now.own.moment;
        let mut index = 0;
        while index < self.list.len() {
            let transfer = &self.list[index];
            let count = self.list.len();
            if let Some((_, reason)) = transfer.ends_at(&self.outbox).filter(|end| end.0 <= at) {
                let failure = match reason {
                    CancelReason::NotAnswered => TransferFailure::NotAnswered,
                    CancelReason::Unknown => TransferFailure::SenderReloaded,
                    _ => TransferFailure::PeerLeft,
                };
                self.fail(at, index, failure, Some(reason));
            } else if transfer.nudge_at(&self.outbox).is_some_and(|due| due <= at) {
                self.send_state(at, index);
                let transfer = &mut self.list[index];
                transfer.heard_at = at;
                transfer.nudges = transfer.nudges.saturating_add(1);
            }
            // Ending an offer that was not accepted removes it.
            if self.list.len() == count {
                index += 1;
            }
        }
        self.settle(at);
    }

    /// Ends all transfers: with a reason after leaving, without a trace if another page goes on.
    pub(crate) fn end_all(&mut self, now: ExchangeNow, end: ExchangeEnd) {
        let at = now.own.moment;
        match end {
            ExchangeEnd::Left => {
                let is_open = |one: &Transfer| one.ended.is_none();
                while let Some(index) = self.list.iter().position(is_open) {
                    self.fail(at, index, TransferFailure::LeftRide, None);
                }
            }
            ExchangeEnd::Handover => {
                let mut files: Vec<u32> = Vec::new();
                for transfer in std::mem::take(&mut self.list) {
                    if let (Side::Sending(outgoing), None) = (&transfer.side, transfer.ended)
                        && !files.contains(&outgoing.file)
                    {
                        files.push(outgoing.file);
                        self.outbox.emit(TransferOutput::ForgetFile(outgoing.file));
                    }
                }
                self.outbox.emit(TransferOutput::Release);
            }
        }
        self.outcomes.clear();
        self.outbox.peers = LiteMap::new();
        self.screen.hurry();
        self.settle(at);
    }

    /// Next output; `None` when there is none.
    pub fn poll_output(&mut self) -> Option<ExchangeOutput> {
        self.outbox.outputs.pop_front()
    }

    /// Moment at which to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Moment> {
        let outbox = &self.outbox;
        let of_transfers = self.list.iter().flat_map(|transfer| {
            let report = match &transfer.side {
                Side::Receiving(incoming)
                    if transfer.ended.is_none() && outbox.is_reachable(&transfer.peer) =>
                {
                    incoming.report_due(report_interval(outbox, &transfer.peer))
                }
                _ => None,
            };
            let ends = transfer.ends_at(outbox).map(|end| end.0);
            [report, ends, transfer.nudge_at(outbox)]
        });
        let others = [self.screen.due, self.relay_allows_at];
        of_transfers.chain(others).flatten().min()
    }

    /// Bytes of files in memory.
    #[cfg(test)]
    fn memory(&self) -> usize {
        let sides = self.list.iter().map(|transfer| match &transfer.side {
            Side::Sending(outgoing) => outgoing.memory(),
            Side::Receiving(incoming) => incoming.memory(),
        });
        sides.sum()
    }

    fn peer_changed(&mut self, now: Moment, peer: &PeerId, change: PeerChange) {
        for transfer in &mut self.list {
            if let Side::Receiving(incoming) = &mut transfer.side
                && transfer.peer == *peer
                && change.is_new_load
                && !incoming.is_accepted()
            {
                // A page that was reloaded does not know the offer; one that was only admitted anew
                // repeats it.
                incoming.confirm_by = Some(now + CONFIRMATION);
            }
        }
        if change.is_new_path {
            self.resume(now, peer);
        }
    }

    fn member_missing(&mut self, now: Moment, peer: &PeerId) {
        let mut open = self.list.iter().filter(|transfer| transfer.ended.is_none());
        if open.any(|transfer| transfer.peer == *peer) {
            self.outbox.set_absent(now, peer);
        } else {
            self.outbox.peers.remove(peer);
        }
    }

    /// Sends the state of all transfers with a peer, since messages may have been lost.
    fn resume(&mut self, now: Moment, peer: &PeerId) {
        for index in 0..self.list.len() {
            let transfer = &mut self.list[index];
            if transfer.peer != *peer || transfer.ended.is_some() {
                continue;
            }
            transfer.heard(now);
            if transfer.is_accepted() {
                transfer.active_at = now;
            }
            if let Side::Sending(outgoing) = &mut transfer.side {
                outgoing.path_changed();
            }
            self.send_state(now, index);
        }
        for outcome in &mut self.outcomes {
            if outcome.peer == *peer && outcome.may_be_unknown(now) {
                outcome.tell(now, &mut self.outbox);
            }
        }
    }

    /// Sends the offer of a file, or the request for its bytes.
    fn send_state(&mut self, now: Moment, index: usize) {
        let transfer = &mut self.list[index];
        let message = match &mut transfer.side {
            Side::Sending(_) => TransferMessage::Offer(Offer {
                id: transfer.wire_id,
                name: &transfer.name,
                size: transfer.size,
                paused: transfer.my_pause,
            }),
            Side::Receiving(incoming) => {
                if matches!(incoming.phase, Phase::Offered | Phase::Restoring) {
                    return;
                }
                incoming.requested(now);
                TransferMessage::Accept(Accept {
                    id: transfer.wire_id,
                    from: incoming.arrived,
                    paused: transfer.my_pause || incoming.phase == Phase::Queued,
                })
            }
        };
        self.outbox.send(&transfer.peer, &message);
    }

    /// Starts transfers that wait for others to end.
    fn start_queued(&mut self, now: Moment) {
        loop {
            let count = |is_counted: fn(&Incoming) -> bool| {
                let open = self.list.iter().enumerate();
                open.filter(move |(_, transfer)| match &transfer.side {
                    Side::Receiving(incoming) => transfer.ended.is_none() && is_counted(incoming),
                    Side::Sending(_) => false,
                })
            };
            let under_way = count(Incoming::is_under_way).count();
            let next = count(|incoming| incoming.phase == Phase::Queued).next();
            let Some((index, _)) = next.filter(|_| under_way < MAX_AT_A_TIME) else {
                return;
            };
            let transfer = &mut self.list[index];
            transfer.moved(now);
            if let Side::Receiving(incoming) = &mut transfer.side {
                incoming.start();
            }
            self.restore_more(now, index);
        }
    }

    /// Reads more of what is kept, or asks the sender to go on.
    fn restore_more(&mut self, now: Moment, index: usize) {
        let transfer = &mut self.list[index];
        let Side::Receiving(incoming) = &mut transfer.side else {
            return;
        };
        if let Some((offset, length)) = incoming.read_back() {
            let transfer = transfer.id;
            return self.outbox.emit(TransferOutput::ReadBack {
                transfer,
                offset,
                length,
            });
        }
        transfer.moved(now);
        self.send_state(now, index);
    }

    fn store(&mut self, index: usize, is_complete: bool) {
        let transfer = &self.list[index];
        let (Side::Receiving(incoming), Some((me, _))) = (&transfer.side, &self.me) else {
            return;
        };
        let record = TransferRecord {
            receiver: me.clone(),
            sender: transfer.peer.clone(),
            sender_name: transfer.peer_name.clone(),
            id: transfer.wire_id,
            name: transfer.name.clone(),
            size: transfer.size,
            accepted_at: incoming.accepted_at,
            is_complete,
        };
        self.outbox.emit(TransferOutput::Store {
            transfer: transfer.id,
            record: record.encode(),
        });
    }

    /// Ends a received transfer if everything is kept.
    fn check(&mut self, now: Moment, index: usize) {
        let transfer = &self.list[index];
        let Side::Receiving(incoming) = &transfer.side else {
            return;
        };
        let Check::Finished(is_right) = incoming.check() else {
            return;
        };
        let (id, name) = (transfer.id, transfer.name.clone());
        let message = OutcomeMessage::Complete(is_right);
        if is_right {
            self.store(index, true);
            self.end(now, index, TransferState::Complete, Some(message));
            self.outbox
                .emit(TransferOutput::Complete { transfer: id, name });
        } else {
            let failed = TransferState::Failed(TransferFailure::WrongHash);
            self.end(now, index, failed, Some(message));
        }
    }

    fn fail(
        &mut self,
        now: Moment,
        index: usize,
        failure: TransferFailure,
        reason: Option<CancelReason>,
    ) {
        let message = reason.map(OutcomeMessage::Cancel);
        self.end(now, index, TransferState::Failed(failure), message);
    }

    /// Ends a transfer, and tells the other side unless that has ended it.
    fn end(
        &mut self,
        now: Moment,
        index: usize,
        state: TransferState,
        message: Option<OutcomeMessage>,
    ) {
        let was_accepted = self.list[index].is_accepted();
        let transfer = &mut self.list[index];
        transfer.ended = Some(state);
        transfer.meter.clear();
        if let Some(message) = message {
            let mut outcome = Outcome {
                peer: transfer.peer.clone(),
                wire_id: transfer.wire_id,
                is_sending: transfer.is_sending(),
                message,
                ended_at: now,
                told_at: None,
            };
            outcome.tell(now, &mut self.outbox);
            self.outcomes.push_back(outcome);
            if self.outcomes.len() > MAX_OUTCOMES {
                self.outcomes.pop_front();
            }
        }
        match &mut transfer.side {
            Side::Receiving(incoming) => {
                incoming.release();
                if !was_accepted {
                    // Nothing of an offer remains, so that offers without end leave no trace.
                    self.list.remove(index);
                } else if state != TransferState::Complete {
                    self.outbox.emit(TransferOutput::Discard(transfer.id));
                }
            }
            Side::Sending(outgoing) => {
                outgoing.drop_blocks();
                let file = outgoing.file;
                let is_needed = |one: &Transfer| {
                    one.ended.is_none()
                        && matches!(&one.side, Side::Sending(outgoing) if outgoing.file == file)
                };
                if !self.list.iter().any(is_needed) {
                    self.outbox.emit(TransferOutput::ForgetFile(file));
                }
            }
        }
        // Received files stay until the rider removes them.
        let is_trace = |one: &Transfer| {
            one.ended.is_some() && (one.is_sending() || one.ended != Some(TransferState::Complete))
        };
        if self.list.iter().filter(|one| is_trace(one)).count() > MAX_ENDED
            && let Some(oldest) = self.list.iter().position(is_trace)
        {
            self.list.remove(oldest);
        }
    }

    /// Carries out what has become possible by an input.
    fn settle(&mut self, now: Moment) {
        self.start_queued(now);
        self.write_and_report(now);
        self.send_chunks(now);
        let (list, outbox) = (&mut self.list, &mut self.outbox);
        self.screen.show(now, list, &self.hidden, outbox);
    }

    fn write_and_report(&mut self, now: Moment) {
        for transfer in &mut self.list {
            let Side::Receiving(incoming) = &mut transfer.side else {
                continue;
            };
            if transfer.ended.is_some() {
                continue;
            }
            if let Some((offset, bytes)) = incoming.take_write() {
                self.outbox.emit(TransferOutput::Write {
                    transfer: transfer.id,
                    offset,
                    bytes,
                });
            }
            if self.outbox.is_reachable(&transfer.peer)
                && let Some(kept) =
                    incoming.take_report(now, report_interval(&self.outbox, &transfer.peer))
            {
                let id = transfer.wire_id;
                let progress = TransferMessage::Progress(Progress { id, kept });
                self.outbox.send(&transfer.peer, &progress);
            }
        }
    }

    fn push(&mut self, now: Moment, mut transfer: Transfer) {
        transfer.active_at = now;
        transfer.heard_at = now;
        if let Some(peer) = self.outbox.peers.get(&transfer.peer)
            && !peer.name.is_empty()
        {
            transfer.peer_name.clone_from(&peer.name);
        }
        self.list.push(transfer);
    }

    /// Transfer with a peer that has not ended.
    fn find(&self, peer: &PeerId, wire_id: u64, is_sending: bool) -> Option<usize> {
        self.list.iter().position(|transfer| {
            transfer.wire_id == wire_id
                && transfer.peer == *peer
                && transfer.is_sending() == is_sending
                && transfer.ended.is_none()
        })
    }

    fn index_of(&self, id: TransferId) -> Option<usize> {
        self.list.iter().position(|transfer| transfer.id == id)
    }

    fn outcome(&self, peer: &PeerId, wire_id: u64, is_sending: bool) -> Option<usize> {
        self.outcomes.iter().position(|outcome| {
            outcome.wire_id == wire_id && outcome.peer == *peer && outcome.is_sending == is_sending
        })
    }

    /// True for an offer of another rider that waits for an answer.
    fn is_open_offer(&self, index: usize) -> bool {
        self.list[index].is_open_offer()
    }

    fn is_offered(&self, file: u32, to: &PeerId) -> bool {
        self.list.iter().any(|transfer| match &transfer.side {
            Side::Sending(outgoing) => {
                transfer.ended.is_none() && transfer.peer == *to && outgoing.file == file
            }
            Side::Receiving(_) => false,
        })
    }
}
