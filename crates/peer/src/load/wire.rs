//! Direct links between riders of the same process: what the node is told of them is that of a
//! browser, the frames stay in memory.

use std::collections::{HashMap, VecDeque};

use mesh::node::{Input, RtcCommand, RtcEvent, SdpKind};
use protocol::peer::{DeliveryClass, PeerId};

/// Size in bytes of a description of data channels, as Chromium and Firefox make them.
const DESCRIPTION_BYTES: usize = 600;
/// Candidates of a browser in a home network: its own address, for IPv4 and IPv6, and the one that a
/// STUN server saw.
const CANDIDATES: [&str; 3] = [
    r#"{"candidate":"candidate:1467250027 1 udp 2122260223 6f2c1b7e-9d51-4b1a-a1a5-2a4d0f4c1e77.local 46243 typ host generation 0 ufrag WHgA network-id 1","sdpMid":"0","sdpMLineIndex":0}"#,
    r#"{"candidate":"candidate:1467250028 1 udp 2122262783 2001:db8:85a3:8d3:1319:8a2e:370:7348 56143 typ host generation 0 ufrag WHgA network-id 2","sdpMid":"0","sdpMLineIndex":0}"#,
    r#"{"candidate":"candidate:1853887674 1 udp 1686052607 203.0.113.77 46243 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag WHgA network-id 1","sdpMid":"0","sdpMLineIndex":0}"#,
];

/// One end of a connection: number of the rider, and of its connection.
type End = (usize, u32);

/// The connections of one rider.
pub(super) struct Wires {
    /// Number of the rider.
    rider: usize,
    open: HashMap<u32, Wire>,
    /// Events for the own node.
    pub(super) events: VecDeque<Input>,
    /// Events for the nodes of other riders.
    pub(super) mail: Vec<(usize, Input)>,
}

struct Wire {
    peer: PeerId,
    other: Option<End>,
}

impl Wires {
    pub(super) fn new(rider: usize) -> Self {
        Self {
            rider,
            open: HashMap::new(),
            events: VecDeque::new(),
            mail: Vec::new(),
        }
    }

    /// Carries out a command. `own` is the id of the rider.
    pub(super) fn command(&mut self, own: &PeerId, peer: PeerId, number: u32, command: RtcCommand) {
        match command {
            RtcCommand::Open { .. } => {
                self.open.insert(number, Wire { peer, other: None });
            }
            RtcCommand::CreateOffer { .. } => self.describe(number, SdpKind::Offer),
            RtcCommand::SetRemote { kind, sdp } => {
                let other = parse(&sdp);
                if let Some(wire) = self.open.get_mut(&number) {
                    wire.other = other;
                }
                match (kind, other) {
                    (SdpKind::Offer, _) => self.describe(number, SdpKind::Answer),
                    (SdpKind::Answer, Some(other)) => self.connect(own, number, other),
                    (SdpKind::Answer, None) => {}
                }
            }
            RtcCommand::AddCandidate(_) => {}
            RtcCommand::Send { class, bytes } => {
                self.post(own, number, RtcEvent::Frame { class, bytes });
            }
            RtcCommand::Close => {
                self.post(own, number, RtcEvent::Closed(DeliveryClass::Control));
                self.open.remove(&number);
            }
        }
    }

    fn describe(&mut self, number: u32, kind: SdpKind) {
        let mut sdp = format!("v=0 {} {number} ", self.rider);
        sdp.extend(std::iter::repeat_n('a', DESCRIPTION_BYTES - sdp.len()));
        self.event(number, RtcEvent::LocalDescription { kind, sdp });
        for candidate in CANDIDATES {
            self.event(number, RtcEvent::Candidate(candidate.to_owned()));
        }
    }

    fn connect(&mut self, own: &PeerId, number: u32, (rider, other): End) {
        for class in DeliveryClass::ALL {
            self.event(number, RtcEvent::Opened(class));
            let opened = rtc(own.clone(), other, RtcEvent::Opened(class));
            self.mail.push((rider, opened));
        }
    }

    /// Sends an event to the other end.
    fn post(&mut self, own: &PeerId, number: u32, event: RtcEvent) {
        let wire = self.open.get(&number);
        if let Some((rider, other)) = wire.and_then(|wire| wire.other) {
            self.mail.push((rider, rtc(own.clone(), other, event)));
        }
    }

    fn event(&mut self, number: u32, event: RtcEvent) {
        if let Some(wire) = self.open.get(&number) {
            self.events.push_back(rtc(wire.peer.clone(), number, event));
        }
    }
}

fn rtc(peer: PeerId, connection: u32, event: RtcEvent) -> Input {
    Input::Rtc {
        peer,
        connection,
        event,
    }
}

/// End that a description names.
fn parse(sdp: &str) -> Option<End> {
    let mut words = sdp.split(' ').skip(1);
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}
