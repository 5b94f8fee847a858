//! What a link makes of the frames that come over it.

use clock::Moment;

use super::{ACK, CLOCK_DOUBTED, Effect, Link, Newest};
use crate::{
    clock_sync::{Echo, OffsetFilter, micros},
    link_frame::{Body, Heartbeat, LinkFrame, ReceptionReport},
};
use protocol::peer::{DeliveryClass, Incarnation};

impl Link {
    /// Takes a relayed frame in. False when it is for another page of ours, or
    /// is none to be relayed.
    pub(crate) fn receive(&mut self, now: Moment, frame: LinkFrame) -> bool {
        !matches!(frame.body, Body::Election(_)) && self.take(now, frame)
    }

    fn take(&mut self, now: Moment, frame: LinkFrame) -> bool {
        if frame.to != Incarnation(0) && frame.to != self.me.incarnation {
            return false;
        }
        if self.carrier.is_none() {
            self.beat_at = now;
        }
        self.heard_at = now;
        match frame.body {
            Body::Heartbeat(beat) => self.take_beat(now, beat),
            Body::Telemetry { seq, payload } => self.take_telemetry(seq, payload),
            Body::Segment {
                class,
                seq,
                more,
                payload,
            } => {
                if let Some(stream) = self.stream(class) {
                    stream.ack_at.get_or_insert(now + ACK);
                    let whole = stream.inbox.accept(seq, more, payload);
                    let received = |payload| Effect::Received { class, payload };
                    self.effects.extend(whole.into_iter().map(received));
                }
            }
            Body::Ack { class, cumulative } => {
                if let Some(stream) = self.stream(class) {
                    stream.outbox.acknowledge(now, cumulative);
                }
            }
            Body::Election(election) => self.effects.push_back(Effect::Election(election)),
        }
        true
    }

    /// Takes a data channel's bytes in. False when they are not to be read.
    pub(crate) fn receive_direct(&mut self, now: Moment, id: u32, bytes: &[u8]) -> bool {
        let Some(connection) = self.connection.as_mut().filter(|one| one.id == id) else {
            return false;
        };
        if connection.hear(now) {
            self.beat_at = now;
        }
        LinkFrame::decode(bytes).is_ok_and(|frame| self.take(now, frame))
    }

    fn take_beat(&mut self, now: Moment, beat: Heartbeat) {
        if self.newest.is_some_and(|newest| beat.sent <= newest.sent) {
            return;
        }
        match self.newest {
            None => self.beat_at = now,
            Some(last) if now >= last.came + CLOCK_DOUBTED => self.clock = OffsetFilter::new(),
            Some(_) => {}
        }
        self.they_can = beat.p2p;
        let (sent, group_offset, epoch) = (beat.sent, beat.group_offset, beat.epoch);
        self.newest = Some(Newest {
            sent,
            came: now,
            group_offset: group_offset.map(|offset| offset.0),
            epoch,
        });
        if self.gossip != beat.payload {
            self.gossip.clone_from(&beat.payload);
            self.effects.push_back(Effect::Gossip(beat.payload));
        }
        let mine = |heard: &&ReceptionReport| {
            (heard.number, heard.incarnation) == (self.me.number, self.me.incarnation)
        };
        if let Some(heard) = beat.reports.iter().find(mine).copied() {
            self.take_heard(now, sent, heard);
        }
    }

    fn take_heard(&mut self, now: Moment, replied: i64, heard: ReceptionReport) {
        let [control, bulk] = &mut self.streams;
        control.outbox.acknowledge(now, heard.control);
        bulk.outbox.acknowledge(now, heard.bulk);
        if let Some(connection) = &mut self.connection {
            connection.peer_hears(heard.direct);
        }
        if heard.delay != u32::MAX {
            let received = micros(now);
            self.clock.add(Echo {
                sent: heard.sent,
                held: heard.delay,
                replied,
                received,
            });
        }
    }

    fn take_telemetry(&mut self, seq: u32, payload: Vec<u8>) {
        if seq > self.telemetry {
            self.telemetry = seq;
            let class = DeliveryClass::Telemetry;
            self.effects.push_back(Effect::Received { class, payload });
        }
    }
}
