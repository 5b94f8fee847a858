//! Model of the browser's `RTCPeerConnection` for media: signaling states with rollback, candidates,
//! and ICE over a path that a test can cut and change.

use std::collections::VecDeque;

use clock::{Duration, Moment};
use mesh::media::{MediaCommand, MediaEvent, SdpKind};

use crate::network::ms;

/// Time in which a connection is made over a path that works.
const CONNECT: Duration = ms(300);
/// Time without a path after which the browser reports it.
const DISCONNECT: Duration = Duration::from_secs(5);
/// Time without a path after which the browser gives up.
const FAIL: Duration = Duration::from_secs(25);

/// The network path between the two browsers.
#[derive(Clone, Copy, Debug)]
pub struct MediaPath {
    pub works: bool,
    /// Number of the network; ICE has to be restarted on another one.
    pub network: u32,
}

/// Description of one side: unique, with the network on which its candidates were gathered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Description {
    id: String,
    network: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IceState {
    New,
    Connected,
    Disconnected,
}

/// One `RTCPeerConnection`.
#[derive(Debug)]
pub struct BrowserConnection {
    pub id: u32,
    /// Commands that are not carried out yet; the first one is in progress.
    pub commands: VecDeque<MediaCommand>,
    name: String,
    count: u32,
    /// Own offer in the state `have-local-offer`.
    offer: Option<Description>,
    local: Option<Description>,
    remote: Option<Description>,
    has_remote_candidates: bool,
    ice: IceState,
    /// Connection of the other side to which there is a path, and the network of that path.
    established: Option<(String, u32)>,
    /// Event that comes if nothing changes, and since when.
    pending: Option<(MediaEvent, Moment)>,
}

impl BrowserConnection {
    /// Connection with a name that no other one has.
    pub fn new(id: u32, name: String) -> Self {
        Self {
            id,
            commands: VecDeque::new(),
            name,
            count: 0,
            offer: None,
            local: None,
            remote: None,
            has_remote_candidates: false,
            ice: IceState::New,
            established: None,
            pending: None,
        }
    }

    /// Carries out the first command. Returns events at once and candidates that come later.
    pub fn carry_out(&mut self, path: MediaPath) -> (Option<MediaEvent>, Vec<String>) {
        let command = self.commands.pop_front().unwrap();
        match command {
            MediaCommand::CreateOffer { .. } => {
                let offer = self.describe("offer", path);
                self.offer = Some(offer.clone());
                self.described(SdpKind::Offer, &offer)
            }
            MediaCommand::SetRemote { kind, sdp } => self.set_remote(kind, &sdp, path),
            MediaCommand::AddCandidate(candidate) => {
                let of = self.remote.as_ref().map(|remote| remote.id.as_str());
                self.has_remote_candidates |= candidate.split_once('#').map(|(id, _)| id) == of;
                (None, Vec::new())
            }
            MediaCommand::Open { .. } | MediaCommand::Close => unreachable!(),
        }
    }

    fn set_remote(
        &mut self,
        kind: SdpKind,
        sdp: &str,
        path: MediaPath,
    ) -> (Option<MediaEvent>, Vec<String>) {
        let Some((id, network, answers)) = parse(sdp) else {
            return (Some(MediaEvent::Failed), Vec::new());
        };
        let remote = Description { id, network };
        self.has_remote_candidates = false;
        self.remote = Some(remote);
        if kind == SdpKind::Offer {
            // A rollback, if there is an own offer.
            self.offer = None;
            let answer = self.describe("answer", path);
            self.local = Some(answer.clone());
            return self.described(SdpKind::Answer, &answer);
        }
        let Some(offer) = self.offer.take() else {
            return (Some(MediaEvent::Failed), Vec::new());
        };
        assert_eq!(offer.id, answers, "the answer is to another offer");
        self.local = Some(offer);
        (None, Vec::new())
    }

    fn describe(&mut self, kind: &str, path: MediaPath) -> Description {
        self.count += 1;
        Description {
            id: format!("{kind} {} of {}", self.count, self.name),
            network: path.network,
        }
    }

    fn described(&self, kind: SdpKind, own: &Description) -> (Option<MediaEvent>, Vec<String>) {
        let answers = match (kind, &self.remote) {
            (SdpKind::Answer, Some(remote)) => remote.id.as_str(),
            _ => "",
        };
        let sdp = format!("{}|{}|{answers}", own.id, own.network);
        let candidates = (0..3).map(|number| format!("{}#{number}", own.id));
        let event = MediaEvent::LocalDescription { kind, sdp };
        (Some(event), candidates.collect())
    }

    /// Lets ICE go on, with the connection of the other side as it is now.
    pub fn tick_ice(
        &mut self,
        now: Moment,
        path: MediaPath,
        peer: Option<&Self>,
    ) -> Option<MediaEvent> {
        let is_negotiated = peer.is_some_and(|peer| self.can_reach(peer, path));
        let is_kept = self.established.as_ref().is_some_and(|(name, network)| {
            path.works && *network == path.network && peer.is_some_and(|peer| peer.name == *name)
        });
        let next = match (self.ice, is_negotiated || is_kept) {
            (IceState::Connected, true) => None,
            (IceState::Connected, false) => Some((DISCONNECT, MediaEvent::Disconnected)),
            (_, true) => Some((CONNECT, MediaEvent::Connected)),
            (IceState::New, false) if self.remote.is_none() => None,
            (_, false) => Some((FAIL, MediaEvent::Failed)),
        };
        let Some((delay, event)) = next else {
            self.pending = None;
            return None;
        };
        let since = match self.pending.take() {
            Some((pending, since)) if pending == event => since,
            _ => now,
        };
        if now < since + delay {
            self.pending = Some((event, since));
            return None;
        }
        match event {
            MediaEvent::Connected => {
                self.ice = IceState::Connected;
                self.established = peer.map(|peer| (peer.name.clone(), path.network));
            }
            _ => self.ice = IceState::Disconnected,
        }
        Some(event)
    }

    /// Returns true if both sides have set the descriptions of each other.
    pub fn is_negotiated_with(&self, peer: &Self) -> bool {
        self.local.is_some() && self.local == peer.remote && peer.local == self.remote
    }

    fn can_reach(&self, peer: &Self, path: MediaPath) -> bool {
        let on_this_network = |description: &Option<Description>| {
            let network = description.as_ref().map(|one| one.network);
            network == Some(path.network)
        };
        path.works
            && self.is_negotiated_with(peer)
            && self.has_remote_candidates
            && peer.has_remote_candidates
            && on_this_network(&self.local)
            && on_this_network(&peer.local)
    }
}

fn parse(sdp: &str) -> Option<(String, u32, String)> {
    let mut parts = sdp.split('|');
    let id = parts.next()?.to_owned();
    let network = parts.next()?.parse().ok()?;
    Some((id, network, parts.next()?.to_owned()))
}
