//! Peer connections whose session descriptions name the two ends.

use clock::Duration;
use mesh::node::{RtcCommand, RtcEvent, SdpKind};
use protocol::peer::{DeliveryClass, PeerId};
use session::Input;

use super::{World, ms, world::Packet};

/// One end of a peer connection: browser, and number of the connection there.
pub type End = (usize, u32);

#[derive(Default)]
pub struct PeerConnection {
    peer: Option<PeerId>,
    offer: Option<String>,
    other: Option<End>,
    connected: bool,
}

impl PeerConnection {
    pub(super) fn is_connected(&self) -> bool {
        self.connected
    }

    pub(super) fn peer(&self) -> Option<PeerId> {
        self.peer.clone()
    }
}

impl World {
    pub(super) fn rtc_command(&mut self, at: usize, peer: PeerId, id: u32, command: RtcCommand) {
        let end = (at, id);
        match command {
            RtcCommand::Open { .. } => {
                let connection = PeerConnection {
                    peer: Some(peer),
                    ..PeerConnection::default()
                };
                self.tabs[at].connections.insert(id, connection);
            }
            RtcCommand::CreateOffer { .. } => {
                let number = self.random();
                let sdp = format!("{at} {id} {number}");
                if let Some(connection) = self.connection_mut(end) {
                    connection.offer = Some(sdp.clone());
                    self.describe(end, SdpKind::Offer, sdp);
                }
            }
            RtcCommand::SetRemote {
                kind: SdpKind::Offer,
                sdp,
            } => {
                if let Some(connection) = self.connection_mut(end) {
                    connection.offer = None;
                    self.describe(end, SdpKind::Answer, format!("{at} {id} for {sdp}"));
                }
            }
            RtcCommand::SetRemote {
                kind: SdpKind::Answer,
                sdp,
            } => self.answered(end, &sdp),
            RtcCommand::AddCandidate(_) => {}
            RtcCommand::Send { class, bytes } => {
                let other = self.connection(end).and_then(|connection| connection.other);
                if let Some(other) = other {
                    self.send_frame(end, other, class, bytes);
                }
            }
            RtcCommand::Close => self.hang_up(end),
        }
    }

    fn describe(&mut self, end: End, kind: SdpKind, sdp: String) {
        self.rtc_event_later(ms(5), end, RtcEvent::LocalDescription { kind, sdp });
        let candidate = "{\"candidate\":\"host\"}".to_owned();
        self.rtc_event_later(ms(4), end, RtcEvent::Candidate(candidate));
    }

    fn answered(&mut self, end: End, sdp: &str) {
        let (answerer, offer) = sdp.split_once(" for ").unwrap();
        let (at, id) = answerer.split_once(' ').unwrap();
        let other: End = (at.parse().unwrap(), id.parse().unwrap());
        let ours = self.connection(end);
        let is_current = ours.is_some_and(|ours| ours.offer.as_deref() == Some(offer));
        let is_connected = ours.is_some_and(|ours| ours.connected);
        if !is_current || is_connected || self.connection(other).is_none() {
            return;
        }
        let is_blocked = self.is_blocked(end, other) || self.is_blocked(other, end);
        for (end, other) in [(end, other), (other, end)] {
            if let Some(connection) = self.connection_mut(end) {
                connection.offer = None;
                connection.other = Some(other);
                connection.connected |= !is_blocked;
            }
        }
        if !is_blocked {
            self.after(ms(60), Packet::Connected(end, other));
        }
    }

    pub(super) fn connected(&mut self, a: End, b: End) {
        for (end, other) in [(a, b), (b, a)] {
            let connection = self.connection(end);
            if connection.is_some_and(|connection| connection.other == Some(other)) {
                for class in DeliveryClass::ALL {
                    self.rtc_event(end, RtcEvent::Opened(class));
                }
            }
        }
    }

    pub(super) fn send_frame(&mut self, from: End, to: End, class: DeliveryClass, bytes: Vec<u8>) {
        let is_blocked = self.is_blocked(from, to);
        if class == DeliveryClass::Telemetry {
            if !is_blocked {
                self.send_unreliably(self.direct, Packet::Frame(from, to, class, bytes));
            }
        } else if is_blocked {
            self.held.push((from, to, class, bytes));
        } else {
            let delay = self.delay(self.direct);
            let at = self.now + delay;
            let last = self.last_frame.entry((from, class as u8)).or_default();
            *last = at.max(*last);
            let at = *last;
            self.queue_at(at, Packet::Frame(from, to, class, bytes));
        }
    }

    pub(super) fn deliver_frame(
        &mut self,
        from: End,
        to: End,
        class: DeliveryClass,
        bytes: Vec<u8>,
    ) {
        let connection = self.connection(to);
        if connection.is_some_and(|connection| connection.other == Some(from)) {
            self.rtc_event(to, RtcEvent::Frame { class, bytes });
        }
    }

    pub(super) fn hang_up(&mut self, end: End) {
        let connection = self.tabs[end.0].connections.remove(&end.1);
        if let Some(other) = connection.and_then(|connection| connection.other)
            && !self.is_blocked(end, other)
        {
            self.after(self.direct.delay, Packet::HungUp(other));
        }
    }

    pub(super) fn hung_up(&mut self, end: End) {
        self.rtc_event(end, RtcEvent::Closed(DeliveryClass::Control));
    }

    fn is_blocked(&self, from: End, to: End) -> bool {
        self.blocked.contains(&(from.0, to.0))
    }

    fn connection(&self, (at, id): End) -> Option<&PeerConnection> {
        self.tabs[at].connections.get(&id)
    }

    fn connection_mut(&mut self, (at, id): End) -> Option<&mut PeerConnection> {
        self.tabs[at].connections.get_mut(&id)
    }

    fn rtc_event_later(&mut self, delay: Duration, end: End, event: RtcEvent) {
        if let Some(input) = self.rtc_input(end, event) {
            self.feed_later(end.0, delay, input);
        }
    }

    fn rtc_event(&mut self, end: End, event: RtcEvent) {
        if let Some(input) = self.rtc_input(end, event) {
            self.feed(end.0, input);
        }
    }

    fn rtc_input(&self, end: End, event: RtcEvent) -> Option<Input> {
        Some(Input::Rtc {
            peer: self.connection(end)?.peer.clone()?,
            connection: end.1,
            event,
        })
    }
}
