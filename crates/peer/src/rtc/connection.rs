//! One peer connection without IO.

use std::{collections::VecDeque, net::SocketAddr, time::Instant};

use mesh::{
    link::{SdpKind, low_watermark},
    node::{RtcCommand, RtcEvent},
};
use protocol::{peer::DeliveryClass, signaling::MAX_CANDIDATES};
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcError,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    channel::{ChannelConfig, ChannelId, Reliability},
    net::{DatagramSend, Protocol, Receive},
};

use super::{candidates, sockets::Packet};

/// Candidates of the other side that are used, all restarts of ICE together.
const MAX_REMOTE_CANDIDATES: usize = 4 * MAX_CANDIDATES;
/// Own candidates that are used.
const MAX_LOCAL_CANDIDATES: usize = 24;
/// Bytes that wait in all channels together, beyond those at which the mesh stops sending.
const MAX_BUFFERED: usize = 4 * 1024 * 1024;
/// Channels beside the negotiated ones that the other side may open. Nothing is read from them.
const MAX_FOREIGN_CHANNELS: usize = 4;
/// Largest message of the other side that is handed on, in bytes: frames are far smaller.
const MAX_MESSAGE: usize = 64 * 1024;

/// Packet to send.
#[derive(Debug)]
pub(super) struct Transmit {
    /// Address of the own socket.
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) contents: DatagramSend,
}

/// Data channels of a connection, negotiated by id. Each is one of the delivery classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelSet {
    /// Between two riders: 0 control, 1 telemetry, 2 bulk.
    Rider,
    /// Between a tunnel's visitor and its peer: 0, which is ordered and reliable like
    /// [`DeliveryClass::Control`], and is addressed by that class.
    Tunnel,
}

/// Peer connection with its data channels.
///
/// Each change is followed by [`Connection::poll`], which str0m demands, so that packets and events
/// wait to be taken.
#[derive(Debug)]
pub(super) struct Connection {
    rtc: Rtc,
    channel_set: ChannelSet,
    /// Channels by their ids, once they were created.
    channels: Vec<ChannelId>,
    /// Own offer that was not answered.
    pending: Option<SdpPendingOffer>,
    has_remote_description: bool,
    local_candidates: usize,
    remote_candidates: usize,
    foreign_channels: usize,
    has_failed: bool,
    events: VecDeque<RtcEvent>,
    packets: VecDeque<Transmit>,
    timeout: Instant,
}

impl Connection {
    /// Connection with the candidates of the own sockets, which its descriptions contain.
    pub(super) fn new(
        now: Instant,
        channel_set: ChannelSet,
        hosts: impl Iterator<Item = Candidate>,
    ) -> Self {
        let rtc = Rtc::builder()
            .clear_codecs()
            .set_sctp_max_buffered_amount(MAX_BUFFERED)
            .build(now);
        let mut connection = Self {
            rtc,
            channel_set,
            channels: Vec::new(),
            pending: None,
            has_remote_description: false,
            local_candidates: 0,
            remote_candidates: 0,
            foreign_channels: 0,
            has_failed: false,
            events: VecDeque::new(),
            packets: VecDeque::new(),
            timeout: now,
        };
        for host in hosts.take(MAX_LOCAL_CANDIDATES) {
            connection.local_candidates += 1;
            connection.rtc.add_local_candidate(host);
            connection.poll();
        }
        connection
    }

    /// Carries out a command. Those to open and to close are for the owner.
    pub(super) fn command(&mut self, now: Instant, command: RtcCommand) {
        match command {
            RtcCommand::Open { .. } | RtcCommand::Close => {}
            RtcCommand::CreateOffer { ice_restart } => self.create_offer(ice_restart),
            RtcCommand::SetRemote { kind, sdp } => self.set_remote(kind, &sdp),
            RtcCommand::AddCandidate(json) => {
                if let Some(candidate) = candidates::candidate(&json) {
                    self.add_remote(candidate);
                }
            }
            RtcCommand::Send { class, bytes } => self.send(class, &bytes),
        }
        self.handle_timeout(now);
    }

    /// Adds an own candidate and announces it.
    pub(super) fn add_local(&mut self, now: Instant, candidate: Candidate) {
        if self.local_candidates >= MAX_LOCAL_CANDIDATES {
            return;
        }
        self.local_candidates += 1;
        let json = serde_json::to_string(&candidate);
        if self.rtc.add_local_candidate(candidate).is_some() {
            self.events.extend(json.ok().map(RtcEvent::Candidate));
        }
        self.handle_timeout(now);
    }

    /// True if a packet is for this connection.
    pub(super) fn accepts(&self, now: Instant, packet: &Packet) -> bool {
        receive(packet).is_some_and(|it| self.rtc.accepts(&Input::Receive(now, it)))
    }

    /// Handles a packet.
    pub(super) fn receive(&mut self, now: Instant, packet: &Packet) {
        if let Some(received) = receive(packet) {
            let result = self.rtc.handle_input(Input::Receive(now, received));
            self.check(result);
        }
    }

    /// Does what is due.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.poll();
        let result = self.rtc.handle_input(Input::Timeout(now));
        self.check(result);
    }

    /// Tells the other side that the connection is closed. What remains are packets.
    pub(super) fn close(&mut self, now: Instant) {
        let result = self.rtc.close();
        self.check(result);
        self.handle_timeout(now);
        self.events.clear();
    }

    /// Time of the next [`Self::handle_timeout`].
    pub(super) fn timeout(&self) -> Instant {
        self.timeout
    }

    /// Next event; `None` when there is none.
    pub(super) fn poll_event(&mut self) -> Option<RtcEvent> {
        self.events.pop_front()
    }

    /// Next packet to send; `None` when there is none.
    pub(super) fn poll_packet(&mut self) -> Option<Transmit> {
        self.packets.pop_front()
    }

    fn create_offer(&mut self, ice_restart: bool) {
        let mut change = self.rtc.sdp_api();
        if let Some(pending) = self.pending.take() {
            change.merge(pending);
        } else if self.channels.is_empty() {
            let configs = self.channel_set.configs().into_iter();
            let add = |config| change.add_channel_with_config(config);
            self.channels = configs.map(add).collect();
        }
        if ice_restart && self.has_remote_description {
            change.ice_restart(true);
        }
        match change.apply() {
            Some((offer, pending)) => {
                self.pending = Some(pending);
                self.described(SdpKind::Offer, offer.to_sdp_string());
            }
            None => self.fail(),
        }
    }

    fn set_remote(&mut self, kind: SdpKind, sdp: &str) {
        let Some(description) = candidates::description(sdp) else {
            return self.fail();
        };
        let accepted = match kind {
            SdpKind::Offer => self.accept_offer(&description.sdp),
            SdpKind::Answer => self.accept_answer(&description.sdp),
        };
        if !accepted {
            return self.fail();
        }
        self.has_remote_description = true;
        self.poll();
        for candidate in description.candidates {
            self.add_remote(candidate);
        }
    }

    fn accept_offer(&mut self, sdp: &str) -> bool {
        let Ok(offer) = SdpOffer::from_sdp_string(sdp) else {
            return false;
        };
        let Ok(answer) = self.rtc.sdp_api().accept_offer(offer) else {
            return false;
        };
        // An own offer is rolled back, but for the channels that the first one has created.
        let pending = self.pending.take();
        if !self.has_remote_description {
            let mut change = self.rtc.sdp_api();
            match pending {
                Some(pending) => change.merge(pending),
                None => {
                    let configs = self.channel_set.configs().into_iter();
                    let add = |config| change.add_channel_with_config(config);
                    self.channels = configs.map(add).collect();
                }
            }
            // Channels need no negotiation once there is a section for them.
            let _ = change.apply();
        }
        self.described(SdpKind::Answer, answer.to_sdp_string());
        true
    }

    fn accept_answer(&mut self, sdp: &str) -> bool {
        let answer = SdpAnswer::from_sdp_string(sdp);
        let (Ok(answer), Some(pending)) = (answer, self.pending.take()) else {
            return false;
        };
        self.rtc.sdp_api().accept_answer(pending, answer).is_ok()
    }

    fn described(&mut self, kind: SdpKind, sdp: String) {
        self.events
            .push_back(RtcEvent::LocalDescription { kind, sdp });
    }

    fn add_remote(&mut self, candidate: Candidate) {
        if self.remote_candidates < MAX_REMOTE_CANDIDATES {
            self.remote_candidates += 1;
            self.rtc.add_remote_candidate(candidate);
            self.poll();
        }
    }

    fn send(&mut self, class: DeliveryClass, bytes: &[u8]) {
        let Some(id) = self.channel(class) else {
            return;
        };
        let Some(mut channel) = self.rtc.channel(id) else {
            return;
        };
        // Refused for a full buffer only; the heartbeats detect the loss.
        if channel.write(true, bytes).is_err() {
            return self.fail();
        }
        let buffered = channel.buffered_amount() as u32;
        if buffered > low_watermark(0) {
            self.report_buffered(class, buffered);
        }
    }

    fn report_buffered(&mut self, class: DeliveryClass, bytes: u32) {
        let id = self.channel(class);
        let channel = id.and_then(|id| self.rtc.channel(id));
        if let Some(mut channel) = channel {
            channel.set_buffered_amount_low_threshold(low_watermark(bytes) as usize);
        }
        self.events.push_back(RtcEvent::Buffered { class, bytes });
    }

    fn check(&mut self, result: Result<(), RtcError>) {
        if result.is_err() {
            return self.fail();
        }
        self.poll();
    }

    /// Takes all outputs, up to the next timeout.
    fn poll(&mut self) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.timeout = at;
                    break;
                }
                Ok(Output::Transmit(it)) => self.packets.push_back(Transmit {
                    source: it.source,
                    destination: it.destination,
                    contents: it.contents,
                }),
                Ok(Output::Event(event)) => self.handle_event(event),
                Err(_) => return self.fail(),
            }
        }
    }

    fn handle_event(&mut self, event: Event) {
        match event {
            Event::ChannelOpen(id, _) => match self.class(id) {
                Some(class) => {
                    let threshold = low_watermark(0) as usize;
                    if let Some(mut channel) = self.rtc.channel(id) {
                        channel.set_buffered_amount_low_threshold(threshold);
                    }
                    self.events.push_back(RtcEvent::Opened(class));
                }
                None => {
                    self.foreign_channels += 1;
                    if self.foreign_channels > MAX_FOREIGN_CHANNELS {
                        self.fail();
                    }
                }
            },
            Event::ChannelData(data) => {
                if let Some(class) = self.class(data.id)
                    && data.binary
                    && data.data.len() <= MAX_MESSAGE
                {
                    let bytes = data.data;
                    self.events.push_back(RtcEvent::Frame { class, bytes });
                }
            }
            Event::ChannelBufferedAmountLow(id) => {
                if let Some(class) = self.class(id) {
                    let channel = self.rtc.channel(id);
                    let buffered = channel.map_or(0, |mut channel| channel.buffered_amount());
                    self.report_buffered(class, buffered as u32);
                }
            }
            Event::ChannelClose(id) => {
                let closed = self.class(id).map(RtcEvent::Closed);
                self.events.extend(closed);
            }
            Event::Closed => self.fail(),
            _ => {}
        }
    }

    fn channel(&self, class: DeliveryClass) -> Option<ChannelId> {
        self.channels.get(class as usize).copied()
    }

    fn class(&self, id: ChannelId) -> Option<DeliveryClass> {
        let at = self.channels.iter().position(|own| *own == id)?;
        DeliveryClass::ALL.get(at).copied()
    }

    /// The connection cannot be used any more. Said once.
    fn fail(&mut self) {
        if !std::mem::replace(&mut self.has_failed, true) {
            self.rtc.disconnect();
            self.events.push_back(RtcEvent::Failed);
        }
    }
}

impl ChannelSet {
    fn configs(self) -> Vec<ChannelConfig> {
        let config = |id: u16, label: &str| ChannelConfig {
            label: label.to_owned(),
            negotiated: Some(id),
            ..ChannelConfig::default()
        };
        let telemetry = ChannelConfig {
            ordered: false,
            reliability: Reliability::MaxRetransmits { retransmits: 0 },
            ..config(1, "telemetry")
        };
        match self {
            Self::Rider => vec![config(0, "control"), telemetry, config(2, "bulk")],
            Self::Tunnel => vec![config(0, "tunnel")],
        }
    }
}

/// Packet as str0m reads it; `None` if it is none of WebRTC.
fn receive(packet: &Packet) -> Option<Receive<'_>> {
    let (source, destination) = (packet.source, packet.destination);
    Receive::new(Protocol::Udp, source, destination, &packet.bytes).ok()
}

#[cfg(test)]
mod tests;
