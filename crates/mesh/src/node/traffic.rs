use std::time::Duration;

use clock::Moment;

use super::{
    members::{Members, Peer},
    outputs::Outputs,
};
use crate::{
    clock_sync::{GroupOffset, micros},
    link::{Path, TokenBucket},
    link_frame::{Body, Heartbeat, LinkFrame, MAX_HEARTBEAT_PAYLOAD},
};
use protocol::{
    frame::{FromServer, MAX_TARGETS},
    peer::{DeliveryClass, Incarnation, PeerNumber},
};

/// Largest telemetry payload in bytes, which fits into one packet.
const MAX_TELEMETRY: usize = 1_024;
/// Time by which a heartbeat may be early, to be sent together with another one.
const HEARTBEAT_TOLERANCE: Duration = Duration::from_millis(50);

/// Own state that heartbeats report.
pub(super) struct OwnState {
    pub(super) group_offset: Option<GroupOffset>,
    pub(super) supports_p2p: bool,
    pub(super) epoch: u32,
}

/// Frames to the other members, and the heartbeats.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub(super) relay_bucket: TokenBucket,
    heartbeat_payload: Vec<u8>,
    /// Sequence number of the newest own telemetry.
    last_telemetry: u32,
}

impl Traffic {
    /// Takes over the relay limit of a welcome, in bytes per second.
    pub(super) fn set_relay_limit(&mut self, now: Moment, limit: Option<u32>) {
        self.relay_bucket = TokenBucket::new(now, limit);
    }

    /// Sends a payload to some members.
    pub(super) fn send(
        &mut self,
        to: &[PeerNumber],
        class: DeliveryClass,
        payload: &[u8],
        members: &mut Members,
        outputs: &mut Outputs,
    ) {
        if class == DeliveryClass::Telemetry {
            return self.send_telemetry(to, payload, members, outputs);
        }
        for number in to {
            let peer = members.peer_mut(*number);
            if !peer.is_some_and(|peer| peer.link.push(class, payload)) {
                outputs.dropped();
            }
        }
    }

    fn send_telemetry(
        &mut self,
        to: &[PeerNumber],
        payload: &[u8],
        members: &mut Members,
        outputs: &mut Outputs,
    ) {
        if payload.len() > MAX_TELEMETRY {
            return outputs.dropped();
        }
        self.last_telemetry = self.last_telemetry.wrapping_add(1);
        let body = Body::Telemetry {
            seq: self.last_telemetry,
            payload: payload.to_vec(),
        };
        let frame = for_any_page(body);
        let mut relayed = Vec::new();
        for number in to {
            let peer = members.peer_mut(*number);
            match peer.and_then(|peer| peer.link.send_telemetry(&frame)) {
                Some(Path::Direct) => {}
                Some(Path::Relay) => relayed.push(*number),
                None => outputs.dropped(),
            }
        }
        outputs.relay(&relayed, DeliveryClass::Telemetry, &frame);
    }

    /// Sets the payload of the heartbeats. A changed one is sent at once.
    pub(super) fn set_heartbeat_payload(
        &mut self,
        now: Moment,
        payload: Vec<u8>,
        members: &mut Members,
        outputs: &mut Outputs,
    ) {
        if payload.len() > MAX_HEARTBEAT_PAYLOAD {
            outputs.dropped();
        } else if payload != self.heartbeat_payload {
            self.heartbeat_payload = payload;
            let peers = members.peers_mut();
            peers.for_each(|peer| peer.link.send_heartbeat_now(now));
        }
    }

    /// Sends a heartbeat to all members to which one is due; one relayed frame serves many of them.
    pub(super) fn send_heartbeats(
        &self,
        now: Moment,
        own: OwnState,
        members: &mut Members,
        outputs: &mut Outputs,
    ) {
        let due_at = |peer: &Peer| peer.link.heartbeat_due_at();
        if !members.peers().any(|peer| due_at(peer) <= now) {
            return;
        }
        let heartbeat = Heartbeat {
            sent: micros(now),
            group_offset: own.group_offset,
            p2p: own.supports_p2p,
            epoch: own.epoch,
            payload: self.heartbeat_payload.clone(),
            reports: Vec::new(),
        };
        let soon = now + HEARTBEAT_TOLERANCE;
        let mut relayed = Vec::new();
        for peer in members.peers_mut().filter(|peer| due_at(peer) <= soon) {
            if peer.link.send_heartbeat(now, heartbeat.clone()) {
                relayed.push(peer.link.reception_report(now));
            }
        }
        for reports in relayed.chunks(MAX_TARGETS) {
            let to: Vec<_> = reports.iter().map(|report| report.number).collect();
            let heartbeat = Heartbeat {
                reports: reports.to_vec(),
                ..heartbeat.clone()
            };
            let frame = for_any_page(Body::Heartbeat(heartbeat));
            outputs.relay(&to, DeliveryClass::Telemetry, &frame);
        }
    }
}

/// Handles a relayed frame. Returns none for one that is to be ignored.
pub(super) fn receive_relayed(
    now: Moment,
    bytes: &[u8],
    members: &mut Members,
    outputs: &mut Outputs,
) -> Option<()> {
    let envelope = FromServer::decode(bytes).ok()?;
    let peer = members.peer_mut(envelope.from)?;
    if envelope.sealed || peer.member.incarnation != envelope.incarnation {
        return None;
    }
    let frame = LinkFrame::decode(envelope.payload).ok()?;
    outputs.stats.relayed_received += 1;
    outputs.stats.bytes_received += envelope.payload.len() as u64;
    peer.link.receive_relayed(now, frame).then_some(())
}

/// Handles a message of a data channel.
pub(super) fn receive_direct(
    now: Moment,
    number: PeerNumber,
    connection: u32,
    bytes: &[u8],
    members: &mut Members,
    outputs: &mut Outputs,
) {
    let Some(peer) = members.peer_mut(number) else {
        return;
    };
    if peer.link.receive_direct(now, connection, bytes) {
        outputs.stats.direct_received += 1;
        outputs.stats.bytes_received += bytes.len() as u64;
    } else {
        outputs.ignored();
    }
}

/// Frame for several members, whose page loads differ.
fn for_any_page(body: Body) -> Vec<u8> {
    let to = Incarnation(0);
    LinkFrame { to, body }.encode()
}
