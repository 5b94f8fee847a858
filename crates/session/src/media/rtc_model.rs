//! Model of `RTCPeerConnection`s for tests: what the driver of a page does with the commands of a
//! media connection, and what happens between two pages.

use std::collections::{BTreeMap, BTreeSet};

use mesh::media::{MediaCommand, MediaEvent, SdpKind};

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    pub page: usize,
    /// Number of the page load.
    pub load: u32,
    /// Page at the other end.
    pub other: usize,
    pub connection: u32,
}

/// Event of a connection, after some milliseconds.
#[derive(Clone, Debug)]
pub struct RtcEvent {
    pub delay_ms: u64,
    pub end: End,
    pub event: MediaEvent,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// Own offer that has no answer yet.
    offer: Option<String>,
    /// Offer of the newest complete negotiation.
    agreed: Option<String>,
    is_connected: bool,
}

/// All connections of all pages.
#[derive(Debug, Default)]
pub struct RtcModel {
    ends: BTreeMap<End, State>,
    blocked: BTreeSet<(usize, usize)>,
    descriptions: u64,
    /// Number of connections that were opened.
    pub opened: u64,
}

fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

impl RtcModel {
    /// Carries out a command.
    pub fn command(&mut self, end: End, command: MediaCommand) -> Vec<RtcEvent> {
        if let MediaCommand::Open { .. } = command {
            let mut same = self.ends.keys();
            assert!(
                !same.any(|one| (one.page, one.load, one.other) == (end.page, end.load, end.other)),
                "two connections of page {} to {}",
                end.page,
                end.other
            );
            self.ends.insert(end, State::default());
            self.opened += 1;
            return Vec::new();
        }
        let state = self.ends.get_mut(&end).expect("an open connection");
        match command {
            MediaCommand::Open { .. } => unreachable!(),
            MediaCommand::CreateOffer { .. } => {
                self.descriptions += 1;
                let sdp = format!("offer {} of {end:?}", self.descriptions);
                state.offer = Some(sdp.clone());
                described(end, SdpKind::Offer, sdp)
            }
            MediaCommand::SetRemote {
                kind: SdpKind::Offer,
                sdp,
            } => {
                state.offer = None;
                state.agreed = Some(sdp.clone());
                let mut events = described(end, SdpKind::Answer, format!("answer to {sdp}"));
                events.extend(self.connect(end));
                events
            }
            MediaCommand::SetRemote {
                kind: SdpKind::Answer,
                sdp,
            } => {
                let offer = state.offer.take();
                if offer.is_none() || sdp.strip_prefix("answer to ") != offer.as_deref() {
                    return vec![event(end, 5, MediaEvent::Failed)];
                }
                state.agreed = offer;
                self.connect(end)
            }
            MediaCommand::AddCandidate(candidate) => {
                assert!(candidate.starts_with("candidate"), "{candidate}");
                Vec::new()
            }
            MediaCommand::Close => self.close(end),
        }
    }

    /// The page at one end is gone, with all of its connections.
    pub fn forget(&mut self, page: usize, load: u32) -> Vec<RtcEvent> {
        let ends: Vec<_> = self.ends.keys().copied().collect();
        let own = ends
            .into_iter()
            .filter(|end| (end.page, end.load) == (page, load));
        own.flat_map(|end| self.close(end)).collect()
    }

    /// Blocks the path between two pages, or opens it again.
    pub fn block(&mut self, a: usize, b: usize, is_blocked: bool) -> Vec<RtcEvent> {
        if !is_blocked {
            self.blocked.remove(&pair(a, b));
            return Vec::new();
        }
        self.blocked.insert(pair(a, b));
        let ends = self.ends.iter_mut();
        let cut = ends
            .filter(|(end, state)| pair(end.page, end.other) == pair(a, b) && state.is_connected);
        cut.map(|(end, state)| {
            state.is_connected = false;
            event(*end, 1_000, MediaEvent::Disconnected)
        })
        .collect()
    }

    /// True if media flow between two pages.
    pub fn is_connected(&self, a: usize, b: usize) -> bool {
        let connected = |page, other| {
            let mut ends = self.ends.iter();
            ends.any(|(end, state)| (end.page, end.other) == (page, other) && state.is_connected)
        };
        connected(a, b) && connected(b, a)
    }

    /// Number of connections of a page.
    pub fn count(&self, page: usize) -> usize {
        self.ends.keys().filter(|end| end.page == page).count()
    }

    fn close(&mut self, end: End) -> Vec<RtcEvent> {
        let state = self.ends.remove(&end);
        if state.is_none_or(|state| !state.is_connected) {
            return Vec::new();
        }
        let ends = self.ends.iter_mut();
        let others = ends.filter(|(other, state)| {
            (other.page, other.other) == (end.other, end.page) && state.is_connected
        });
        others
            .map(|(other, state)| {
                state.is_connected = false;
                event(*other, 500, MediaEvent::Disconnected)
            })
            .collect()
    }

    /// Connects an end and its counterpart if they have agreed on an offer, and a path exists.
    fn connect(&mut self, end: End) -> Vec<RtcEvent> {
        let agreed = self.ends[&end].agreed.clone();
        let mut ends = self.ends.iter();
        let other = ends.find(|(other, state)| {
            (other.page, other.other) == (end.other, end.page) && state.agreed == agreed
        });
        let Some(other) = other.map(|(other, _)| *other) else {
            return Vec::new();
        };
        if self.blocked.contains(&pair(end.page, end.other)) {
            return Vec::new();
        }
        let both = [end, other];
        let connected = both.map(|end| {
            let state = self.ends.get_mut(&end)?;
            let was_connected = std::mem::replace(&mut state.is_connected, true);
            (!was_connected).then(|| event(end, 50, MediaEvent::Connected))
        });
        connected.into_iter().flatten().collect()
    }
}

fn event(end: End, delay_ms: u64, event: MediaEvent) -> RtcEvent {
    RtcEvent {
        delay_ms,
        end,
        event,
    }
}

/// Events after a description was created.
fn described(end: End, kind: SdpKind, sdp: String) -> Vec<RtcEvent> {
    let candidates = (0..2).map(|number| {
        let candidate = MediaEvent::Candidate(format!("candidate {number} of {end:?}"));
        event(end, 10, candidate)
    });
    let described = event(end, 5, MediaEvent::LocalDescription { kind, sdp });
    std::iter::once(described).chain(candidates).collect()
}
