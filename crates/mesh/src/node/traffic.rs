//! What goes out and comes in over the links.

use clock::Moment;

use std::time::Duration;

use super::{Node, NodeEvent, Output, Peer, RtcCommand, RtcEvent};
use crate::{
    clock_sync::{GroupOffset, micros},
    link::{Carrier, Effect},
    link_frame::{Body, Heartbeat, LinkFrame, MAX_HEARTBEAT_PAYLOAD},
    peer_limits::PeerRequest,
};
use protocol::{
    frame::{FromServer, MAX_TARGETS, ToServer},
    peer::{DeliveryClass, Incarnation, LinkState, PeerId, PeerNumber},
    signaling::{ClientMessage, Signal},
};

/// One packet holds it.
const MAX_TELEMETRY: usize = 1_024;
/// A rider whom nothing has been heard of for so long has fallen silent.
const SILENT: Duration = Duration::from_millis(1_500);
/// Beats that are due nearly together go out together.
const BEAT_TOLERANCE: Duration = Duration::from_millis(50);

impl Node {
    pub(super) fn send(&mut self, to: &PeerId, class: DeliveryClass, payload: &[u8]) {
        let Some(number) = self.peer(to).map(|peer| peer.member.number) else {
            self.stats.dropped += 1;
            return;
        };
        match class {
            DeliveryClass::Telemetry => self.send_telemetry(&[number], payload),
            DeliveryClass::Control | DeliveryClass::Bulk => self.push(&[number], class, payload),
        }
    }

    pub(super) fn broadcast(&mut self, class: DeliveryClass, payload: &[u8]) {
        let everyone: Vec<_> = self.peers.keys().copied().collect();
        match class {
            DeliveryClass::Telemetry => self.send_telemetry(&everyone, payload),
            DeliveryClass::Control | DeliveryClass::Bulk => self.push(&everyone, class, payload),
        }
    }

    pub(super) fn set_gossip(&mut self, now: Moment, bytes: Vec<u8>) {
        if bytes.len() > MAX_HEARTBEAT_PAYLOAD {
            self.stats.dropped += 1;
        } else if bytes != self.gossip {
            self.gossip = bytes;
            self.peers
                .values_mut()
                .for_each(|peer| peer.link.hurry(now));
        }
    }

    pub(super) fn receive_relayed(&mut self, now: Moment, bytes: &[u8]) {
        if self.take_relayed(now, bytes).is_none() {
            self.stats.ignored += 1;
        }
    }

    pub(super) fn rtc(&mut self, now: Moment, peer: &PeerId, id: u32, event: RtcEvent) {
        let Some(number) = self.peer(peer).map(|peer| peer.member.number) else {
            return;
        };
        match event {
            RtcEvent::Frame { bytes, .. } => self.receive_direct(now, number, id, &bytes),
            event => {
                if let Some(peer) = self.peers.get_mut(&number) {
                    peer.link.driver(now, id, event);
                }
            }
        }
        self.drain(number);
    }

    /// A signal of another rider's page.
    pub(super) fn signalled(
        &mut self,
        now: Moment,
        from: &PeerId,
        page: Incarnation,
        signal: Signal,
    ) {
        let id = self.next_connection();
        let of_page = |peer: &&mut Peer| peer.member.incarnation == page;
        let mut peers = self.peers.values_mut();
        let known = peers.find(|peer| peer.member.peer == *from).filter(of_page);
        let Some(peer) = known else {
            self.stats.ignored += 1;
            return;
        };
        if !peer.link.wants_signals() {
            return;
        }
        let is_offer = matches!(signal, Signal::Offer { .. });
        if is_offer && !self.limits.allow(now, from, PeerRequest::Offer) {
            self.stats.ignored += 1;
            return;
        }
        peer.link.signal(now, id, signal);
    }

    /// Sees to all links, after anything happened.
    pub(super) fn settle(&mut self, now: Moment) {
        if self.me.is_none() || self.socket.is_done() {
            return;
        }
        let numbers: Vec<_> = self.peers.keys().copied().collect();
        self.budget.fill(now);
        for number in &numbers {
            let reach = self.reach(*number);
            if let Some(peer) = self.peers.get_mut(number) {
                peer.link.tick(now, reach, &mut self.budget);
            }
            self.show(now, *number);
        }
        self.doubt_socket(now);
        self.tick_succession(now);
        self.make_calls(now, &numbers);
        self.steer_clock(now);
        self.send_beats(now);
        numbers.into_iter().for_each(|number| self.drain(number));
    }

    /// Does what a link wants done.
    pub(super) fn drain(&mut self, number: PeerNumber) {
        while let Some(peer) = self.peers.get_mut(&number)
            && let Some(effect) = peer.link.poll_effect()
        {
            let id = peer.member.peer.clone();
            let page = peer.member.incarnation;
            self.carry_out(number, id, page, effect);
        }
    }

    fn carry_out(&mut self, number: PeerNumber, peer: PeerId, page: Incarnation, effect: Effect) {
        match effect {
            Effect::Open { connection } => self.open_connection(peer, connection),
            Effect::Rtc {
                connection,
                command,
            } => {
                self.count_command(&command);
                self.outputs.push_back(Output::Rtc {
                    peer,
                    connection,
                    command,
                });
            }
            Effect::Signal(signal) if self.socket.is_open() => {
                self.say(&ClientMessage::Signal {
                    to: peer,
                    incarnation: page,
                    signal,
                });
            }
            Effect::Signal(_) => {}
            Effect::Relay { class, frame } => self.relay(&[number], class, &frame),
            Effect::Received { class, payload } => {
                self.event(NodeEvent::Received {
                    from: peer,
                    class,
                    payload,
                });
            }
            Effect::Gossip(bytes) => self.event(NodeEvent::HeartbeatPayload {
                from: peer,
                payload: bytes,
            }),
            Effect::Election(election) => self.succession.receive(number, election),
            Effect::Tried => self.stats.connection_attempts += 1,
            Effect::Succeeded => self.stats.direct_connections += 1,
            Effect::Failed => self.stats.failed_attempts += 1,
        }
    }

    fn count_command(&mut self, command: &RtcCommand) {
        if let RtcCommand::Send { bytes, .. } = command {
            self.stats.direct_sent += 1;
            self.stats.bytes_sent += bytes.len() as u64;
        }
    }

    fn push(&mut self, to: &[PeerNumber], class: DeliveryClass, payload: &[u8]) {
        for number in to {
            let pushed = self
                .peers
                .get_mut(number)
                .map(|peer| peer.link.push(class, payload));
            self.stats.dropped += u64::from(pushed != Some(true));
        }
    }

    fn send_telemetry(&mut self, to: &[PeerNumber], payload: &[u8]) {
        if payload.len() > MAX_TELEMETRY {
            self.stats.dropped += 1;
            return;
        }
        self.telemetry = self.telemetry.wrapping_add(1);
        let body = Body::Telemetry {
            seq: self.telemetry,
            payload: payload.to_vec(),
        };
        let frame = LinkFrame {
            to: Incarnation(0),
            body,
        }
        .encode();
        let relayed = to.iter().copied().filter(|number| {
            let peer = self.peers.get_mut(number);
            let carrier = peer.and_then(|peer| peer.link.send_telemetry(&frame));
            self.stats.dropped += u64::from(carrier.is_none());
            carrier == Some(Carrier::Relay)
        });
        let relayed: Vec<_> = relayed.collect();
        self.relay(&relayed, DeliveryClass::Telemetry, &frame);
    }

    /// One frame for all its targets, as far as an envelope goes.
    fn relay(&mut self, targets: &[PeerNumber], class: DeliveryClass, payload: &[u8]) {
        for some in targets.chunks(MAX_TARGETS) {
            self.stats.relayed_sent += 1;
            self.stats.bytes_sent += payload.len() as u64;
            let targets = some.to_vec();
            let envelope = ToServer {
                class,
                sealed: false,
                targets,
                payload,
            };
            self.outputs
                .push_back(Output::SendBinary(envelope.encode()));
        }
    }

    fn take_relayed(&mut self, now: Moment, bytes: &[u8]) -> Option<()> {
        let envelope = FromServer::decode(bytes)
            .ok()
            .filter(|envelope| !envelope.sealed)?;
        let peer = self.peers.get_mut(&envelope.from)?;
        if peer.member.incarnation != envelope.incarnation {
            return None;
        }
        let frame = LinkFrame::decode(envelope.payload).ok()?;
        self.stats.relayed_received += 1;
        self.stats.bytes_received += envelope.payload.len() as u64;
        peer.link.receive(now, frame).then_some(())
    }

    fn receive_direct(&mut self, now: Moment, number: PeerNumber, id: u32, bytes: &[u8]) {
        let Some(peer) = self.peers.get_mut(&number) else {
            return;
        };
        if peer.link.receive_direct(now, id, bytes) {
            self.stats.direct_received += 1;
            self.stats.bytes_received += bytes.len() as u64;
        } else {
            self.stats.ignored += 1;
        }
    }

    /// A beat to all to whom one is due; one frame serves all that are relayed.
    fn send_beats(&mut self, now: Moment) {
        let due_by = |peer: &super::Peer, limit| peer.link.beat_at() <= limit;
        if !self.peers.values().any(|peer| due_by(peer, now)) {
            return;
        }
        let beat = self.beat(now);
        let mut relayed = Vec::new();
        let soon = now + BEAT_TOLERANCE;
        for peer in self.peers.values_mut().filter(|peer| due_by(peer, soon)) {
            if peer.link.beat(now, beat.clone()) {
                relayed.push(peer.link.heard(now));
            }
        }
        for heard in relayed.chunks(MAX_TARGETS) {
            let targets: Vec<_> = heard.iter().map(|one| one.number).collect();
            let beat = Heartbeat {
                reports: heard.to_vec(),
                ..beat.clone()
            };
            let frame = LinkFrame {
                to: Incarnation(0),
                body: Body::Heartbeat(beat),
            }
            .encode();
            self.relay(&targets, DeliveryClass::Telemetry, &frame);
        }
    }

    fn beat(&self, now: Moment) -> Heartbeat {
        Heartbeat {
            sent: micros(now),
            group_offset: self.told_offset(now).map(GroupOffset),
            p2p: self.wants_direct(),
            epoch: self.epoch(),
            payload: self.gossip.clone(),
            reports: Vec::new(),
        }
    }

    /// Asks the server whether it lives, when a rider has fallen silent and the
    /// server has not been heard since.
    fn doubt_socket(&mut self, now: Moment) {
        let present = self.peers.values().filter(|peer| !peer.member.away);
        let silent = present.map(|peer| peer.link.heard_at() + SILENT);
        let silent = silent.filter(|at| *at <= now).max();
        let heard = self.socket.heard_at();
        if silent
            .zip(heard)
            .is_some_and(|(silent, heard)| heard < silent)
        {
            self.doubt(now);
        }
    }

    /// Tells when a rider is reached another way.
    fn show(&mut self, now: Moment, number: PeerNumber) {
        let Some(peer) = self.peers.get_mut(&number) else {
            return;
        };
        let state = peer.link.state();
        let before = peer.shown.replace(state);
        if before == Some(state) {
            return;
        }
        self.stats.fallbacks += u64::from(before == Some(LinkState::Direct));
        if state == LinkState::Direct {
            self.stats.connect_time = peer.link.connect_time().or(self.stats.connect_time);
        }
        let called = peer.called.take_if(|_| state == LinkState::Direct);
        let peer = peer.member.peer.clone();
        if let Some(called) = called {
            let took = now.since(called);
            self.reporter.connected(peer.clone(), took);
        }
        self.event(NodeEvent::LinkChanged { peer, state });
    }
}
