//! Peer connections whose session descriptions say who is meant.

use std::time::Duration;

use mesh::{
    link::low_watermark,
    node::{Input, RtcCommand, RtcEvent, SdpKind},
};
use protocol::peer::{DeliveryClass, PeerId};

use super::{End, Net, Packet, Rtc, Way, ms};

impl Net {
    pub(super) fn command(&mut self, rider: usize, peer: PeerId, id: u32, command: RtcCommand) {
        let end = (rider, id);
        match command {
            RtcCommand::Open { .. } => {
                self.riders[rider].opened += 1;
                let rtc = Rtc {
                    peer: Some(peer),
                    ..Rtc::default()
                };
                let old = self.riders[rider].connections.insert(id, rtc);
                assert!(old.is_none(), "a connection's number is used once");
            }
            RtcCommand::CreateOffer { .. } => {
                let order = self.order;
                let sdp = format!("{rider} {id} {order}");
                let Some(rtc) = self.riders[rider].connections.get_mut(&id) else {
                    return;
                };
                rtc.offer = Some(sdp.clone());
                self.describe(end, SdpKind::Offer, sdp);
            }
            RtcCommand::SetRemote {
                kind: SdpKind::Offer,
                sdp,
            } => {
                let Some(rtc) = self.riders[rider].connections.get_mut(&id) else {
                    return;
                };
                rtc.offer = None;
                self.describe(end, SdpKind::Answer, format!("{rider} {id} for {sdp}"));
            }
            RtcCommand::SetRemote {
                kind: SdpKind::Answer,
                sdp,
            } => self.answered(end, &sdp),
            RtcCommand::AddCandidate(candidate) => assert!(candidate.starts_with("{\"candidate")),
            RtcCommand::Send { class, bytes } => {
                if let Some(other) = self.end(end).and_then(|end| end.other) {
                    self.send_frame(end, other, class, bytes);
                }
            }
            RtcCommand::Close => self.hang_up(end),
        }
    }

    pub(super) fn describe(&mut self, end: End, kind: SdpKind, sdp: String) {
        self.later(ms(5), end, RtcEvent::LocalDescription { kind, sdp });
        for host in 0..3 {
            let candidate = format!("{{\"candidate\":\"{host}\"}}");
            self.later(ms(4 + host * 30), end, RtcEvent::Candidate(candidate));
        }
    }

    pub(super) fn answered(&mut self, end: End, sdp: &str) {
        let (who, offer) = sdp.split_once(" for ").expect("an answer names its offer");
        let ours = self.end(end).and_then(|end| end.offer.clone());
        assert_eq!(ours.as_deref(), Some(offer), "an answer to another offer");
        let (rider, id) = who.split_once(' ').unwrap();
        let other = (rider.parse().unwrap(), id.parse().unwrap());
        let joined = self.end(end).is_some_and(|end| end.joined);
        if joined || self.end(other).is_none() {
            return;
        }
        for (end, other) in [(end, other), (other, end)] {
            if let Some(rtc) = self.riders[end.0].connections.get_mut(&end.1) {
                (rtc.offer, rtc.other) = (None, Some(other));
            }
        }
        if !self.is_cut(end, other) && !self.is_cut(other, end) {
            for end in [end, other] {
                if let Some(rtc) = self.riders[end.0].connections.get_mut(&end.1) {
                    rtc.joined = true;
                }
            }
            self.at(ms(60), Packet::Joined(end, other));
        }
    }

    pub(super) fn send_frame(&mut self, from: End, to: End, class: DeliveryClass, bytes: Vec<u8>) {
        let cut = self.is_cut(from, to);
        let wire = if cut {
            Duration::ZERO
        } else {
            self.wire(from, to, class, bytes.len())
        };
        let way = self.back.filter(|_| from.0 > to.0).unwrap_or(self.direct);
        if class == DeliveryClass::Telemetry {
            if !cut {
                let way = Way {
                    delay: way.delay + wire,
                    ..way
                };
                self.throw(way, Packet::Frame(from, to, class, bytes));
            }
        } else if cut {
            self.held.push((from, to, class, bytes));
        } else {
            let at = self.now + wire + self.delay(way);
            let last = self.last_frame.entry((from, class as u8)).or_default();
            *last = at.max(*last);
            let at = *last;
            self.queue_at(at, Packet::Frame(from, to, class, bytes));
        }
    }

    /// How long a frame waits for the wire and goes out on it; all channels wait
    /// in one queue, and the browser tells how long its part of it is.
    fn wire(&mut self, from: End, to: End, class: DeliveryClass, bytes: usize) -> Duration {
        let stalled = self.wires.get(&(from.0, to.0)).map(|_| u64::MAX);
        let Some(bandwidth) = self.bandwidth.or(stalled) else {
            return Duration::ZERO;
        };
        let busy = self.wires.entry((from.0, to.0)).or_default();
        let takes = Duration::from_micros(bytes as u64 * 1_000_000 / bandwidth);
        *busy = self.now.max(*busy) + takes;
        let wait = *busy - self.now;
        let bytes = bytes as u32;
        self.at(wait, Packet::Departed(from, class, bytes));
        let buffer = self.buffers.entry((from, class as u8)).or_default();
        *buffer += bytes;
        let bytes = *buffer;
        if bytes > low_watermark(0) {
            self.later(Duration::ZERO, from, RtcEvent::Buffered { class, bytes });
        }
        wait
    }

    pub(super) fn departed(&mut self, from: End, class: DeliveryClass, bytes: u32) {
        let buffer = self.buffers.entry((from, class as u8)).or_default();
        let before = *buffer;
        *buffer -= bytes;
        let bytes = *buffer;
        let mark = low_watermark(before);
        if bytes <= mark && before > mark {
            self.rtc_event(from, RtcEvent::Buffered { class, bytes });
        }
    }

    pub(super) fn hang_up(&mut self, end: End) {
        let rtc = self.riders[end.0].connections.remove(&end.1);
        if let Some(other) = rtc.and_then(|rtc| rtc.other)
            && !self.is_cut(end, other)
        {
            self.at(self.direct.delay, Packet::HungUp(other));
        }
    }

    pub(super) fn is_cut(&self, from: End, to: End) -> bool {
        self.cut.contains(&(from.0, to.0))
    }

    /// How many peer connections a rider's browser has made.
    pub fn opened(&self, rider: usize) -> u32 {
        self.riders[rider].opened
    }

    /// The number that a rider's connection to another has.
    pub fn connection(&self, rider: usize, peer: &PeerId) -> Option<u32> {
        let connections = &self.riders[rider].connections;
        let mut to = connections
            .iter()
            .filter(|(_, rtc)| rtc.peer.as_ref() == Some(peer));
        to.next().map(|(id, _)| *id)
    }

    pub(super) fn end(&self, (rider, id): End) -> Option<&Rtc> {
        self.riders[rider].connections.get(&id)
    }

    pub(super) fn later(&mut self, wait: Duration, (rider, id): End, event: RtcEvent) {
        if let Some(input) = self.rtc_input((rider, id), event) {
            let page = self.riders[rider].page;
            self.at(wait, Packet::Local(rider, page, input));
        }
    }

    pub(super) fn rtc_event(&mut self, end: End, event: RtcEvent) {
        if let Some(input) = self.rtc_input(end, event) {
            self.feed(end.0, input);
        }
    }

    pub(super) fn rtc_input(&self, end: End, event: RtcEvent) -> Option<Input> {
        let peer = self.end(end)?.peer.clone()?;
        Some(Input::Rtc {
            peer,
            connection: end.1,
            event,
        })
    }
}
