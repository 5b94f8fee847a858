//! What riders tell each other: who they are, their numbers, and the timeline.

use std::time::Duration;

use clock::Moment;
use leptos::prelude::*;
use mesh::node::Input;
use protocol::{
    peer::{DeliveryClass, PeerId, PeerNumber},
    signaling::HostTerm,
};
use ride::{
    message::{PeerMessage, Telemetry},
    rider::RiderProfile,
    timeline::{Head, SignedEvent},
};

use super::Session;
use crate::{browser::storage, state::Notice};

impl Session {
    /// A rider is there, for the first time or again: they get to know who this
    /// is, and the last numbers at once.
    pub(super) fn meet(&mut self, now: Duration, peer: &PeerId, number: PeerNumber) {
        self.roster.add(peer, number, false);
        self.crown_host();
        self.send_profile(now, Some(peer));
        self.send_numbers(now, Some(peer));
        if self.is_host() && self.timeline.head() != Head::NONE {
            self.send_timeline(now, peer, Head::NONE);
        }
    }

    pub(super) fn received(&mut self, now: Duration, from: &PeerId, payload: &[u8]) {
        match PeerMessage::decode(payload) {
            Ok(PeerMessage::Profile(profile)) => self.introduced(from, &profile),
            Ok(PeerMessage::Telemetry(numbers)) => {
                let measured = self.on_own_clock(now, numbers.at);
                self.roster.measure(now, from, &numbers, measured);
                self.measure_other(from, &numbers);
            }
            Ok(PeerMessage::Timeline(events)) => self.take(now, from, events),
            Ok(PeerMessage::TimelineRequest { head }) => {
                if self
                    .timeline_sync
                    .may_answer(Moment::from_origin(now), from)
                {
                    self.send_timeline(now, from, head);
                }
            }
            Ok(PeerMessage::HistoryRequest { started }) => self.tell_history(now, from, started),
            Ok(PeerMessage::History(told)) => self.heard_history(now, told),
            // It comes from another version, or means harm.
            Err(_) => self.ignored += 1,
        }
    }

    fn introduced(&mut self, peer: &PeerId, profile: &RiderProfile) {
        let unknown = self.roster.name(peer).is_empty();
        self.roster.introduce(peer, profile);
        self.name_in_history(peer);
        if unknown && self.entry.greeted {
            self.notify(Notice::Joined(profile.name.as_str().to_owned()));
        }
    }

    pub(super) fn gossiped(&mut self, now: Duration, from: &PeerId, bytes: &[u8]) {
        if let Some(head) = Head::from_bytes(bytes) {
            self.timeline_sync
                .update_head(Moment::from_origin(now), from, head);
            self.catch_up(now);
        }
    }

    /// Asks somebody who is ahead for what is missing, if it is time for that.
    pub(super) fn catch_up(&mut self, now: Duration) {
        let head = self.timeline.head();
        let in_reach = self.roster.in_reach();
        let ahead = self
            .timeline_sync
            .next_request(Moment::from_origin(now), head, &in_reach);
        if let Some(ahead) = ahead {
            self.send(now, ahead, &PeerMessage::TimelineRequest { head });
        }
    }

    /// Tells everybody the head of the timeline, with every beat.
    pub(super) fn gossip(&mut self, now: Duration) {
        let head = self.timeline.head().to_bytes().to_vec();
        self.with_node(now, Input::SetHeartbeatPayload(head));
    }

    fn take(&mut self, now: Duration, from: &PeerId, events: Vec<SignedEvent>) {
        let before = self.timeline.head();
        let unknown = self.timeline.unknown_events();
        let terms = self
            .group
            .as_ref()
            .map_or(&[][..], |group| group.node.host_keys());
        let taken = self.timeline.merge(events, |epoch, host| {
            let is_meant = |term: &&HostTerm| term.epoch == epoch && term.peer == *host;
            terms.iter().find(is_meant).map(|term| term.sign_key)
        });
        self.ignored += taken.rejected.len() as u64;
        if taken.gap
            && self
                .timeline_sync
                .may_ask_whole(Moment::from_origin(now), from)
        {
            self.send(
                now,
                from,
                &PeerMessage::TimelineRequest { head: Head::NONE },
            );
        }
        if taken.grew {
            self.timeline_changed(now);
            if before != Head::NONE {
                self.announce(now, before);
            }
            if self.timeline.unknown_events() > unknown {
                self.notify(Notice::NewerVersion);
            }
        }
    }

    /// The timeline has grown: keep it, tell everybody its head, show it.
    pub(super) fn timeline_changed(&mut self, now: Duration) {
        if let Some(code) = &self.code {
            let events = self.timeline.since(Head::NONE);
            storage::save_timeline(code, &PeerMessage::Timeline(events).encode());
        }
        self.gossip(now);
        self.show_workout();
        self.next_refresh = now;
    }

    /// A page that was loaded again takes up the timeline it had; if others know a
    /// newer one, they will say so.
    pub(super) fn adopt_kept_timeline(&mut self, now: Duration) {
        let kept = self.code.as_ref().and_then(storage::timeline);
        let kept = kept.map(|bytes| PeerMessage::decode(&bytes));
        if let Some(Ok(PeerMessage::Timeline(events))) = kept
            && self.timeline.head() == Head::NONE
        {
            self.timeline.restore(events);
            if self.timeline.head() != Head::NONE {
                self.timeline_changed(now);
            }
        }
    }

    /// Tells everybody, this screen too, who this is now.
    pub(super) fn profile_changed(&mut self, now: Duration) {
        self.introduce_myself();
        self.send_profile(now, None);
        self.keep(now);
    }

    pub(super) fn introduce_myself(&mut self) {
        if let (Some(profile), Some(me)) = (self.profile(), &self.me) {
            self.roster.introduce(&me.peer, &profile);
        }
    }

    fn profile(&self) -> Option<RiderProfile> {
        self.me.as_ref().map(|me| RiderProfile {
            name: me.name.clone(),
            ftp: me.ftp,
            ready: me.ready,
            trainer: self.own.kind(),
        })
    }

    pub(super) fn send_profile(&mut self, now: Duration, to: Option<&PeerId>) {
        let Some(profile) = self.profile() else {
            return;
        };
        let message = PeerMessage::Profile(profile);
        match to {
            Some(peer) => self.send(now, peer, &message),
            None => self.broadcast(now, DeliveryClass::Control, &message),
        }
    }

    /// Sends the last numbers, to one rider or to all.
    pub(super) fn send_numbers(&mut self, now: Duration, to: Option<&PeerId>) {
        let Some(group_now) = self.group_now(now) else {
            return;
        };
        let mine = self.state.own_metrics.get_untracked();
        let message = PeerMessage::Telemetry(Telemetry {
            power: mine.power,
            cadence: mine.cadence,
            heart_rate: mine.heart_rate,
            target: mine.target,
            elapsed_ms: mine.elapsed_ms,
            at: group_now,
            position_ms: Some(mine.position_ms).filter(|at| *at != mine.elapsed_ms),
        });
        match to {
            Some(peer) => self.with_node(
                now,
                Input::Send {
                    to: peer.clone(),
                    class: DeliveryClass::Telemetry,
                    payload: message.encode(),
                },
            ),
            None => self.broadcast(now, DeliveryClass::Telemetry, &message),
        }
    }

    fn send_timeline(&mut self, now: Duration, to: &PeerId, head: Head) {
        let events = self.timeline.since(head);
        if !events.is_empty() {
            self.send_as(now, to, DeliveryClass::Bulk, &PeerMessage::Timeline(events));
        }
    }

    fn send(&mut self, now: Duration, to: &PeerId, message: &PeerMessage) {
        self.send_as(now, to, DeliveryClass::Control, message);
    }

    pub(super) fn send_as(
        &mut self,
        now: Duration,
        to: &PeerId,
        class: DeliveryClass,
        message: &PeerMessage,
    ) {
        let input = Input::Send {
            to: to.clone(),
            class,
            payload: message.encode(),
        };
        self.with_node(now, input);
    }

    pub(super) fn broadcast(&mut self, now: Duration, class: DeliveryClass, message: &PeerMessage) {
        let payload = message.encode();
        self.with_node(now, Input::Broadcast { class, payload });
    }
}
