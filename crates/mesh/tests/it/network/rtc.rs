use std::time::Duration;

use mesh::{
    link::low_watermark,
    node::{Input, RtcCommand, RtcEvent, SdpKind},
};
use protocol::peer::{DeliveryClass, PeerId};

use super::{Connection, ConnectionEnd, Network, Packet, PathConditions, ms};

/// Peer connections. Their session descriptions name the ends: an offer is `rider connection
/// order`, an answer `rider connection for OFFER`.
impl Network {
    pub(super) fn rtc_command(
        &mut self,
        rider: usize,
        peer: PeerId,
        number: u32,
        command: RtcCommand,
    ) {
        let end = (rider, number);
        match command {
            RtcCommand::Open { .. } => {
                self.riders[rider].opened_connections += 1;
                let connection = Connection {
                    peer: Some(peer),
                    ..Connection::default()
                };
                let connections = &mut self.riders[rider].connections;
                let old = connections.insert(number, connection);
                assert!(old.is_none(), "the number of a connection is used once");
            }
            RtcCommand::CreateOffer { .. } => {
                let sdp = format!("{rider} {number} {}", self.order);
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
                    let answer = format!("{rider} {number} for {sdp}");
                    self.describe(end, SdpKind::Answer, answer);
                }
            }
            RtcCommand::SetRemote {
                kind: SdpKind::Answer,
                sdp,
            } => self.set_answer(end, &sdp),
            RtcCommand::AddCandidate(candidate) => assert!(candidate.starts_with("{\"candidate")),
            RtcCommand::Send { class, bytes } => {
                if let Some(other) = self.connection(end).and_then(|one| one.other_end) {
                    self.send_frame(end, other, class, bytes);
                }
            }
            RtcCommand::Close => self.close_connection(end),
        }
    }

    /// Reports a local description, and three candidates over the next 64 ms.
    fn describe(&mut self, end: ConnectionEnd, kind: SdpKind, sdp: String) {
        let description = RtcEvent::LocalDescription { kind, sdp };
        self.schedule_rtc_event(ms(5), end, description);
        let has_none = self.without_candidates == Some(end.0);
        let candidates = if has_none { 0 } else { 3 };
        for host in 0..candidates {
            let kind = match host {
                2 => "srflx",
                _ => "host",
            };
            let candidate = format!("{{\"candidate\":\"{host} typ {kind}\"}}");
            let found = RtcEvent::Candidate(candidate);
            self.schedule_rtc_event(ms(4 + host * 30), end, found);
        }
    }

    fn set_answer(&mut self, end: ConnectionEnd, sdp: &str) {
        let (from, offer) = sdp.split_once(" for ").expect("an answer names its offer");
        let own = self.connection(end).and_then(|one| one.offer.clone());
        assert_eq!(own.as_deref(), Some(offer), "an answer to another offer");
        let (rider, number) = from.split_once(' ').unwrap();
        let other = (rider.parse().unwrap(), number.parse().unwrap());
        let has_path = self.connection(end).is_some_and(|one| one.has_path);
        if has_path || self.connection(other).is_none() {
            return;
        }
        let is_cut = self.is_cut(end, other) || self.is_cut(other, end);
        for (end, other) in [(end, other), (other, end)] {
            if let Some(connection) = self.connection_mut(end) {
                connection.offer = None;
                connection.other_end = Some(other);
                connection.has_path = !is_cut;
            }
        }
        if !is_cut {
            self.schedule(ms(60), Packet::ConnectionOpened(end, other));
        }
    }

    pub(super) fn send_frame(
        &mut self,
        from: ConnectionEnd,
        to: ConnectionEnd,
        class: DeliveryClass,
        bytes: Vec<u8>,
    ) {
        if self.is_cut(from, to) {
            if class != DeliveryClass::Telemetry {
                self.held_frames.push((from, to, class, bytes));
            }
            return;
        }
        let waiting = self.transmission_time(from, to, class, bytes.len());
        let back = self.direct_back.filter(|_| from.0 > to.0);
        let path = back.unwrap_or(self.direct);
        let frame = Packet::Frame {
            from,
            to,
            class,
            bytes,
        };
        if class == DeliveryClass::Telemetry {
            let delay = path.delay + waiting;
            let path = PathConditions { delay, ..path };
            self.send_lossy(path, frame);
        } else {
            let at = self.now + waiting + self.random_delay(path);
            let last = self.last_frame.entry((from, class as u8)).or_default();
            *last = at.max(*last);
            let at = *last;
            self.schedule_at(at, frame);
        }
    }

    /// Time for which a frame waits for the bandwidth and is transmitted. All channels share one
    /// queue, and the browser reports the bytes that it buffers.
    fn transmission_time(
        &mut self,
        from: ConnectionEnd,
        to: ConnectionEnd,
        class: DeliveryClass,
        bytes: usize,
    ) -> Duration {
        let route = (from.0, to.0);
        let stalled = self.busy_until.get(&route).map(|_| u64::MAX);
        let Some(bandwidth) = self.bandwidth.or(stalled) else {
            return Duration::ZERO;
        };
        let busy_until = self.busy_until.entry(route).or_default();
        let transmission = Duration::from_micros(bytes as u64 * 1_000_000 / bandwidth);
        *busy_until = self.now.max(*busy_until) + transmission;
        let waiting = *busy_until - self.now;
        let bytes = bytes as u32;
        self.schedule(waiting, Packet::BytesSent(from, class, bytes));
        let buffer = self.buffers.entry((from, class as u8)).or_default();
        *buffer += bytes;
        let bytes = *buffer;
        if bytes > low_watermark(0) {
            let event = RtcEvent::Buffered { class, bytes };
            self.schedule_rtc_event(Duration::ZERO, from, event);
        }
        waiting
    }

    pub(super) fn bytes_sent(&mut self, from: ConnectionEnd, class: DeliveryClass, bytes: u32) {
        let buffer = self.buffers.entry((from, class as u8)).or_default();
        let before = *buffer;
        *buffer -= bytes;
        let bytes = *buffer;
        let watermark = low_watermark(before);
        if bytes <= watermark && before > watermark {
            self.rtc_event(from, RtcEvent::Buffered { class, bytes });
        }
    }

    pub(super) fn close_connection(&mut self, end: ConnectionEnd) {
        let closed = self.riders[end.0].connections.remove(&end.1);
        if let Some(other) = closed.and_then(|closed| closed.other_end)
            && !self.is_cut(end, other)
        {
            self.schedule(self.direct.delay, Packet::ConnectionClosed(other));
        }
    }

    fn is_cut(&self, from: ConnectionEnd, to: ConnectionEnd) -> bool {
        self.cut.contains(&(from.0, to.0))
    }

    /// Number of peer connections that a rider's browser has made.
    pub fn opened_connections(&self, rider: usize) -> u32 {
        self.riders[rider].opened_connections
    }

    /// Number of a rider's connection to another one.
    pub fn connection_to(&self, rider: usize, peer: &PeerId) -> Option<u32> {
        let mut connections = self.riders[rider].connections.iter();
        let found = connections.find(|(_, connection)| connection.peer.as_ref() == Some(peer));
        found.map(|(number, _)| *number)
    }

    pub(super) fn connection(&self, (rider, number): ConnectionEnd) -> Option<&Connection> {
        self.riders[rider].connections.get(&number)
    }

    fn connection_mut(&mut self, (rider, number): ConnectionEnd) -> Option<&mut Connection> {
        self.riders[rider].connections.get_mut(&number)
    }

    fn schedule_rtc_event(&mut self, delay: Duration, end: ConnectionEnd, event: RtcEvent) {
        if let Some(input) = self.rtc_input(end, event) {
            self.schedule_local(delay, end.0, input);
        }
    }

    pub(super) fn rtc_event(&mut self, end: ConnectionEnd, event: RtcEvent) {
        if let Some(input) = self.rtc_input(end, event) {
            self.feed(end.0, input);
        }
    }

    fn rtc_input(&self, end: ConnectionEnd, event: RtcEvent) -> Option<Input> {
        let peer = self.connection(end)?.peer.clone()?;
        Some(Input::Rtc {
            peer,
            connection: end.1,
            event,
        })
    }
}
