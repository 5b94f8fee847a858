//! Inputs of this page: what the rider wants, and answers of the driver.

use clock::Moment;
use protocol::peer::{LinkState, PeerId};
use ride::transfer::{CancelReason, Pause, TransferMessage, TransferRecord, clean_file_name};

use super::{
    MAX_AT_A_TIME, OfferRejection, StoredTransfer, TransferFailure, TransferId, TransferOutput,
    TransferState, Transfers,
    incoming::{Incoming, Phase},
    outgoing::Outgoing,
    transfer::{Side, Transfer},
};
use crate::exchange::{ExchangeNow, KEPT_FOR};

/// Largest number of receivers of a file.
const MAX_RECEIVERS: usize = 64;
/// Largest number of transfers that go on after a reload.
pub(super) const MAX_STORED: usize = 16;
/// Largest number of complete files that are offered again after a reload; further ones stay where
/// they are until they are too old.
pub(super) const MAX_STORED_COMPLETE: usize = 256;

impl Transfers {
    pub(super) fn restore(&mut self, now: ExchangeNow, stored: Vec<StoredTransfer>) {
        let Some((me, _)) = self.me.clone() else {
            return;
        };
        let (mut unfinished, mut complete) = (0, 0);
        for stored in stored {
            let record = TransferRecord::decode(&stored.record);
            let record = record.filter(|record| {
                let is_new = now.own.wall.since(record.accepted_at) < KEPT_FOR;
                is_new && record.size <= self.max_file_bytes && stored.kept <= record.size
            });
            match &record {
                Some(record) if record.is_complete => complete += 1,
                Some(_) => unfinished += 1,
                None => {}
            }
            let Some(record) =
                record.filter(|record| record.is_complete || unfinished <= MAX_STORED)
            else {
                self.outbox.emit(TransferOutput::Discard(stored.transfer));
                continue;
            };
            // Other tabs of this browser may take part in other rides.
            if record.receiver == me && complete <= MAX_STORED_COMPLETE {
                self.restore_one(now.own.moment, stored.transfer, stored.kept, record);
            }
        }
    }

    pub(super) fn restore_one(
        &mut self,
        now: Moment,
        id: TransferId,
        kept: u64,
        record: TransferRecord,
    ) {
        let known = self.find(&record.sender, record.id, false);
        let is_offer = known
            .is_some_and(|index| self.is_open_offer(index) && self.list[index].size == record.size);
        let is_known = self.index_of(id).is_some() || known.is_some() && !is_offer;
        let is_complete = record.is_complete && kept == record.size;
        if is_known || record.is_complete && !is_complete {
            return self.outbox.emit(TransferOutput::Discard(id));
        }
        let mut peer_pause = false;
        if let Some(index) = known {
            peer_pause = self.list.remove(index).peer_pause;
        }
        if !self.outbox.peers.contains_key(&record.sender) && !is_complete {
            self.outbox.set_absent(now, &record.sender);
        }
        let name = clean_file_name(&record.name);
        let side = Side::Receiving(Incoming::stored(record.size, kept, record.accepted_at));
        let (sender, size) = (record.sender, record.size);
        let mut transfer = Transfer::new(id, sender, record.id, name.clone(), size, side);
        transfer.peer_name = record.sender_name;
        transfer.peer_pause = peer_pause;
        if is_complete {
            transfer.ended = Some(TransferState::Complete);
            self.outbox
                .emit(TransferOutput::Complete { transfer: id, name });
        }
        self.push(now, transfer);
    }

    pub(super) fn offer(
        &mut self,
        now: Moment,
        file: u32,
        name: &str,
        size: u64,
        to: Option<&PeerId>,
    ) {
        let members = self.group.as_ref().map_or(&[][..], |group| &group.others);
        let is_there = |link| to.is_some() || link != LinkState::Away;
        let receivers = members
            .iter()
            .filter(|member| to.is_none_or(|peer| member.peer == *peer) && is_there(member.link));
        let receivers: Vec<PeerId> = receivers
            .map(|member| member.peer.clone())
            .take(MAX_RECEIVERS)
            .collect();
        let mut files: Vec<u32> = Vec::new();
        for transfer in &self.list {
            if let Side::Sending(outgoing) = &transfer.side
                && transfer.ended.is_none()
                && !files.contains(&outgoing.file)
            {
                files.push(outgoing.file);
            }
        }
        let is_new = !files.contains(&file);
        let new = receivers.iter().filter(|peer| !self.is_offered(file, peer));
        let new: Vec<PeerId> = new.cloned().collect();
        let rejection = if size > self.max_file_bytes {
            Some(OfferRejection::TooLarge(self.max_file_bytes))
        } else if receivers.is_empty() {
            Some(OfferRejection::Nobody)
        } else if is_new && files.len() >= MAX_AT_A_TIME || new.is_empty() {
            Some(OfferRejection::TooMany)
        } else {
            None
        };
        if let Some(rejection) = rejection {
            self.outbox.emit(TransferOutput::Rejected(rejection));
            if is_new {
                self.outbox.emit(TransferOutput::ForgetFile(file));
            }
            return;
        }
        let name = clean_file_name(name);
        for peer in new {
            let id = TransferId(self.ids.next());
            let side = Side::Sending(Outgoing::new(file, size));
            let transfer = Transfer::new(id, peer, id.0, name.clone(), size, side);
            self.push(now, transfer);
            self.send_state(now, self.list.len() - 1);
        }
    }

    pub(super) fn accept(&mut self, now: ExchangeNow, id: TransferId) {
        let Some(index) = self.index_of(id).filter(|index| self.is_open_offer(*index)) else {
            return;
        };
        let transfer = &mut self.list[index];
        if let Side::Receiving(incoming) = &mut transfer.side {
            incoming.phase = Phase::Queued;
            incoming.accepted_at = now.own.wall;
            incoming.confirm_by = None;
            transfer.moved(now.own.moment);
        }
        self.store(index, false);
        self.start_queued(now.own.moment);
        let is_waiting = |incoming: &Incoming| incoming.phase == Phase::Queued;
        if matches!(&self.list[index].side, Side::Receiving(incoming) if is_waiting(incoming)) {
            self.send_state(now.own.moment, index);
        }
    }

    pub(super) fn pause(&mut self, now: Moment, id: TransferId, is_paused: bool) {
        let Some(index) = self.index_of(id) else {
            return;
        };
        let transfer = &mut self.list[index];
        let is_open = transfer.ended.is_none() && transfer.is_accepted();
        if !is_open || transfer.my_pause == is_paused {
            return;
        }
        transfer.my_pause = is_paused;
        transfer.moved(now);
        let is_queued =
            matches!(&transfer.side, Side::Receiving(one) if one.phase == Phase::Queued);
        let pause = Pause {
            id: transfer.wire_id,
            by_sender: transfer.is_sending(),
            paused: is_paused || is_queued,
        };
        self.outbox
            .send(&transfer.peer, &TransferMessage::Pause(pause));
    }

    pub(super) fn cancel(&mut self, now: Moment, id: TransferId) {
        let Some(index) = self.index_of(id) else {
            return;
        };
        if self.is_open_offer(index) {
            self.fail(
                now,
                index,
                TransferFailure::Declined,
                Some(CancelReason::Declined),
            );
        } else if let Some(ended) = self.list[index].ended {
            let transfer = self.list.remove(index);
            if ended == TransferState::Complete && !transfer.is_sending() {
                self.outbox.emit(TransferOutput::Discard(id));
            }
        } else {
            let (failure, reason) = (TransferFailure::Cancelled, CancelReason::Cancelled);
            self.fail(now, index, failure, Some(reason));
        }
    }

    pub(super) fn file_read(
        &mut self,
        now: Moment,
        file: u32,
        offset: u64,
        bytes: Option<Vec<u8>>,
    ) {
        let waiting = self.list.iter().position(|transfer| match &transfer.side {
            Side::Sending(outgoing) => {
                transfer.ended.is_none() && outgoing.file == file && outgoing.is_reading(offset)
            }
            Side::Receiving(_) => false,
        });
        let Some(index) = waiting else {
            return;
        };
        let Side::Sending(outgoing) = &mut self.list[index].side else {
            return;
        };
        if !bytes.is_some_and(|bytes| outgoing.file_read(offset, bytes)) {
            let (failure, reason) = (TransferFailure::Unreadable, CancelReason::Unreadable);
            self.fail(now, index, failure, Some(reason));
        }
    }

    pub(super) fn written(&mut self, now: Moment, id: TransferId, kept: Option<u64>) {
        let Some(index) = self.index_of(id) else {
            return;
        };
        let transfer = &mut self.list[index];
        let Side::Receiving(incoming) = &mut transfer.side else {
            return;
        };
        if transfer.ended.is_some() || !incoming.is_accepted() {
            return;
        }
        if kept.is_some_and(|kept| incoming.written(kept)) {
            self.check(now, index);
        } else {
            let (failure, reason) = (TransferFailure::NoSpace, CancelReason::NoSpace);
            self.fail(now, index, failure, Some(reason));
        }
    }

    pub(super) fn read_back(
        &mut self,
        now: Moment,
        id: TransferId,
        offset: u64,
        bytes: Option<&[u8]>,
    ) {
        let Some(index) = self.index_of(id) else {
            return;
        };
        let transfer = &mut self.list[index];
        let Side::Receiving(incoming) = &mut transfer.side else {
            return;
        };
        if transfer.ended.is_some() || incoming.phase != Phase::Restoring {
            return;
        }
        if bytes.is_some_and(|bytes| incoming.restore(offset, bytes)) {
            return self.restore_more(now, index);
        }
        // What was kept is lost: begin anew, in another place.
        let accepted_at = incoming.accepted_at;
        *incoming = Incoming::stored(transfer.size, 0, accepted_at);
        incoming.start();
        transfer.id = TransferId(self.ids.next());
        self.outbox.emit(TransferOutput::Discard(id));
        self.store(index, false);
        self.send_state(now, index);
    }
}
