//! Messages to and from other riders.

use clock::Moment;
use mesh::{node, peer_limits::PeerRequest};
use protocol::{
    peer::{DeliveryClass, MemberRole, PeerId},
    signaling::Member,
};
use ride::{
    bridge::{BridgeLoad, BridgeReport},
    message::PeerMessage,
    rider::RiderProfile,
    timeline::{Head, SignedEvent},
};

use super::{RideSession, telemetry};
use crate::{
    bridge::{BridgeSecret, ProvedBridges},
    exchange::exchange_kind,
    exchange_port::exchange_now,
    storage::StorageCommand,
    view::{Notice, Stage},
};

impl RideSession {
    pub(super) fn receive(&mut self, now: Moment, from: &PeerId, payload: &[u8]) {
        if let Some(bridge) = self.bridge(from) {
            return match BridgeReport::decode(payload) {
                Ok(report) => self.bridge_reported(now, &bridge, report),
                Err(_) => self.unreadable += 1,
            };
        }
        if exchange_kind(payload).is_some() {
            let at = exchange_now(self.now, &self.group);
            return self.exchange.receive(at, from, payload);
        }
        match PeerMessage::decode(payload) {
            Ok(PeerMessage::Profile(profile)) => self.receive_profile(now, from, &profile),
            Ok(PeerMessage::Telemetry(telemetry)) => {
                let measured_at = self.group.moment_of(now, telemetry.at);
                self.roster.set_metrics(now, from, &telemetry, measured_at);
                self.ride.record_rider(from, &self.roster, &telemetry);
            }
            Ok(PeerMessage::Timeline(events)) => self.merge_events(now, from, events),
            Ok(PeerMessage::TimelineRequest { head }) => {
                if self.limits.allow(now, from, PeerRequest::Timeline) {
                    self.timeline.send_since(now, &mut self.group, from, head);
                }
            }
            Ok(PeerMessage::HistoryRequest { started }) => {
                let (group, limits) = (&mut self.group, &mut self.limits);
                self.ride.history.answer(now, group, limits, from, started);
            }
            Ok(PeerMessage::History(snapshot)) => {
                if self.ride.history.merge(snapshot) && self.view.stage == Stage::Ended {
                    self.draw_chart(now);
                }
            }
            // From another version, or hostile.
            Err(_) => self.unreadable += 1,
        }
    }

    /// The member with this id, if it is a bridge.
    fn bridge(&self, peer: &PeerId) -> Option<Member> {
        let mut members = self.group.node()?.members();
        let bridge = |member: &&Member| member.role == MemberRole::Bridge && member.peer == *peer;
        members.find(bridge).cloned()
    }

    /// A bridge reports its devices. Only the own phone knows the secret of the link.
    fn bridge_reported(&mut self, now: Moment, bridge: &Member, report: BridgeReport) {
        let Some(me) = self.me.as_ref().filter(|_| self.takes_part) else {
            return;
        };
        let (peer, proof) = (&bridge.peer, &report.proof);
        let is_known = self.proved_bridges.contains(&me.peer, peer, proof);
        if !is_known {
            let proves = |secret: BridgeSecret| secret.proves(proof, &me.peer, peer);
            if !self.limits.allow(now, peer, PeerRequest::BridgeProof) {
                return;
            }
            if me.revoked_bridge_secrets().any(proves) {
                let payload = BridgeLoad::new(None, &me.name).encode();
                return self.group.send_telemetry(now, peer.clone(), payload);
            }
            if !proves(me.bridge_secret()) {
                self.unreadable += 1;
                return;
            }
            self.proved_bridges.insert(&me.peer, peer, *proof);
        }
        if !self.limits.allow(now, peer, PeerRequest::BridgeReport) {
            return;
        }
        if self.ride.devices.phone_reported(now, bridge, report) {
            let partner = peer.clone();
            self.group.handle(now, node::Input::SetPartner(partner));
        }
    }

    /// Uses no phone any more: their link becomes invalid, and they are told so when they report.
    pub(super) fn stop_phone(&mut self, now: Moment) {
        let revoked = self.me.as_ref().map_or(0, |me| me.revoked_links);
        self.revoke_links(revoked + 1);
        self.next_update = now;
        self.save(now);
    }

    /// Takes no report of phones with the first links any more.
    pub(super) fn revoke_links(&mut self, count: u32) {
        if let Some(me) = &mut self.me
            && me.revoked_links < count
        {
            me.revoked_links = count;
            self.proved_bridges = ProvedBridges::default();
            self.ride.devices.stop_phone();
            self.view.devices.bridge_link.clear();
        }
    }

    pub(super) fn receive_profile(&mut self, now: Moment, peer: &PeerId, profile: &RiderProfile) {
        let is_new = !self.roster.has_profile(peer);
        if self.roster.set_profile(peer, profile) {
            self.store(StorageCommand::SaveNames(self.roster.names().to_vec()));
        }
        self.ride.history.set_name(peer, self.roster.name(peer));
        self.exchange.group_changed();
        if is_new && self.join_flow.announces_names(now) {
            self.notify(Notice::Joined(self.roster.label(peer)));
        }
    }

    pub(super) fn merge_events(&mut self, now: Moment, from: &PeerId, events: Vec<SignedEvent>) {
        let before = self.timeline.head();
        let (group, limits) = (&mut self.group, &mut self.limits);
        let merged = self.timeline.merge(now, group, limits, from, events);
        if !merged.grew {
            return;
        }
        self.timeline_changed(now);
        if before != Head::NONE {
            self.announce_change(now, before);
        }
        if merged.has_unknown {
            self.notify(Notice::NewerVersion);
        }
    }

    /// The timeline has grown: stores it, publishes its head, and shows it.
    pub(super) fn timeline_changed(&mut self, now: Moment) {
        if self.code.is_some() {
            self.store(StorageCommand::SaveTimeline(self.timeline.encode()));
        }
        self.publish_head(now);
        let workout = self.timeline.workout().cloned();
        if workout != self.view.workout {
            self.view.workout_file = None;
        }
        self.view.workout = workout;
        self.next_update = now;
    }

    /// Tells all riders the head of the timeline, with each heartbeat.
    pub(super) fn publish_head(&mut self, now: Moment) {
        let head = self.timeline.head().to_bytes().to_vec();
        self.group
            .handle(now, node::Input::SetHeartbeatPayload(head));
    }

    pub(super) fn request_missing_events(&mut self, now: Moment) {
        let reachable = self.roster.reachable();
        self.timeline
            .request_missing(now, &mut self.group, reachable);
    }

    /// Announces a recent change by a host, where the screen does not show it by itself. A rider who
    /// joins late sees where the ride is, not how it got there.
    pub(super) fn announce_change(&mut self, now: Moment, before: Head) {
        let action = self.timeline.recent_action(self.group.time(now), before);
        if let Some((host, action)) = action {
            let name = self.roster.label(host);
            self.notify(Notice::HostActed(name, action));
        }
    }

    /// Tells all riders, and this screen, the own profile.
    pub(super) fn profile_changed(&mut self, now: Moment) {
        self.show_own_profile();
        self.send_profile(now, None);
        self.save(now);
    }

    pub(super) fn show_own_profile(&mut self) {
        if let Some(me) = &self.me {
            let profile = me.profile(self.ride.devices.kind());
            self.roster.set_profile(&me.peer, &profile);
        }
    }

    pub(super) fn send_profile(&mut self, now: Moment, to: Option<&PeerId>) {
        let Some(me) = &self.me else { return };
        let message = PeerMessage::Profile(me.profile(self.ride.devices.kind()));
        match to {
            Some(peer) => self.group.send(now, peer, DeliveryClass::Control, &message),
            None => self.group.broadcast(now, DeliveryClass::Control, &message),
        }
    }

    /// Sends the newest own metrics, to one rider or to all.
    pub(super) fn send_telemetry(&mut self, now: Moment, to: Option<&PeerId>) {
        let Some(time) = self.group.time(now) else {
            return;
        };
        let message = PeerMessage::Telemetry(telemetry(&self.view.own_metrics, time));
        match to {
            Some(peer) => self
                .group
                .send(now, peer, DeliveryClass::Telemetry, &message),
            None => self
                .group
                .broadcast(now, DeliveryClass::Telemetry, &message),
        }
    }
}
