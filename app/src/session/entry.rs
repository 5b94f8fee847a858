//! From the address to a rider who joins: is there such a ride, and who is at
//! this screen?

use std::time::Duration;

use ed25519_compact::{KeyPair, Seed, x25519};
use leptos::prelude::*;
use mesh::{clock_sync::GroupOffset, node::NodeConfig};
use protocol::{
    code::SessionCode,
    election::BallotKey,
    peer::{MemberRole, PeerId, PeerNumber, PublicKeys, Token},
    signaling::{Resume, RoomSnapshot},
};
use ride::{
    rider::{Ftp, RiderName},
    timeline::SigningKey,
};

use super::{ALONE, Me, Session, group::Group, inbox::Event};
use crate::{
    browser::{
        api::{self, ApiError, RideInfo},
        page, storage,
        storage::Identity,
    },
    state::{JoinError, ServerConnection, Stage},
};

/// A server that is started again answers by then.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// What is known of the rider before joining.
#[derive(Default)]
pub(super) struct Entry {
    /// Whether this is a tab that rode here and was loaded again.
    same_tab: bool,
    /// The riders that this browser has been in this ride, newest first.
    known: Vec<Identity>,
    /// What makes a reloaded page the same rider, once the server has given it.
    pub(super) token: Option<Token>,
    /// Whether the riders who were there before have been met: from then on a
    /// new name is news.
    pub(super) greeted: bool,
    /// Whether this is somebody new, who has nothing to lose yet.
    comes_anew: bool,
    /// Since when the server does not answer the wish to join.
    unanswered_since: Option<Duration>,
    /// When the riders who were there count as met.
    pub(super) greeted_from: Option<Duration>,
}

impl Session {
    /// Begins with what stands in the address.
    pub(super) fn open_address(&mut self, address: &str) {
        let Ok(code) = address.parse::<SessionCode>() else {
            self.state.stage.set(Stage::CannotJoin(JoinError::NotACode));
            return;
        };
        self.state.code.set(Some(code.clone()));
        let invitation = format!("{}/ride/{code}", page::origin());
        self.state.invitation.set(invitation);
        // What is not parked is a copy of a tab that still rides.
        self.entry.same_tab = storage::take_reload_marker(&code);
        self.code = Some(code);
        self.look_up();
    }

    /// Asks the server whether there is such a ride.
    pub(super) fn look_up(&mut self) {
        let Some(code) = self.code.clone() else {
            return;
        };
        let inbox = self.inbox.clone();
        self.state.stage.set(Stage::LookingUp);
        wasm_bindgen_futures::spawn_local(async move {
            let known = || storage::known_identities(&code).into_iter().next();
            let rider = storage::tab_identity(&code).or_else(known);
            let token = rider.map(|rider| rider.token);
            let found = api::look_up_ride(&code, token).await;
            inbox.post(Event::LookedUp(found.map_err(join_error)));
        });
    }

    /// The server has answered: go on as who this tab was, ask who it is, or
    /// say why not.
    pub(super) fn looked_up(&mut self, now: Duration, found: Result<RideInfo, JoinError>) {
        let Some(code) = self.code.clone() else {
            return;
        };
        let found = match found {
            Ok(found) => found,
            // A server that was restarted knows the ride again by its tokens.
            Err(JoinError::NoSuchRide) => {
                if !self.go_on_in_same_tab(now, &code) && !self.ask_who(&code) {
                    self.state
                        .stage
                        .set(Stage::CannotJoin(JoinError::NoSuchRide));
                }
                return;
            }
            Err(refusal) => return self.state.stage.set(Stage::CannotJoin(refusal)),
        };
        if let Some(invitation) = &found.invitation {
            self.state.invitation.set(invitation.clone());
        }
        if self.go_on_in_same_tab(now, &code) {
            return;
        }
        let joining = storage::take_join_marker(&code);
        if self.ask_who(&code) {
            return;
        }
        match found {
            _ if storage::is_banned(&code) => self.introduce(),
            RideInfo { full: true, .. } => self.state.stage.set(Stage::CannotJoin(JoinError::Full)),
            RideInfo { locked: true, .. } => {
                self.state.stage.set(Stage::CannotJoin(JoinError::Locked))
            }
            _ => self.introduce_or_join(joining),
        }
    }

    /// Asks as whom to go on, where this browser has been in the ride before.
    fn ask_who(&mut self, code: &SessionCode) -> bool {
        self.entry.known = storage::known_identities(code);
        let names = self.entry.known.iter();
        let known: Vec<String> = names
            .map(|identity| identity.profile.name.clone())
            .collect();
        let is_known = !known.is_empty();
        if is_known {
            self.state.stage.set(Stage::ChooseRider { known });
        }
        is_known
    }

    /// Goes on as who this tab was before it was loaded again, if it was.
    fn go_on_in_same_tab(&mut self, now: Duration, code: &SessionCode) -> bool {
        let same_tab = std::mem::take(&mut self.entry.same_tab);
        let identity = storage::tab_identity(code).filter(|_| same_tab);
        let is_known = identity.is_some();
        if let Some(identity) = identity {
            self.go_on(now, identity);
        }
        is_known
    }

    /// Goes on here as the rider that another tab has taken.
    pub(super) fn take_over(&mut self, now: Duration) {
        match self.code.as_ref().and_then(storage::tab_identity) {
            Some(identity) => self.go_on(now, identity),
            None => self.look_up(),
        }
    }

    fn introduce_or_join(&mut self, joining: bool) {
        let profile = storage::profile().filter(|_| joining);
        let rider = profile.and_then(|profile| {
            let name: RiderName = profile.name.parse().ok()?;
            Some((name, Ftp::new(profile.ftp).ok()?))
        });
        match rider {
            Some((name, ftp)) => self.join(name, ftp),
            None => self.introduce(),
        }
    }

    /// Asks who comes; nobody new comes from where a rider was removed.
    pub(super) fn introduce(&mut self) {
        let barred = self.code.as_ref().is_some_and(storage::is_banned);
        self.state.stage.set(match barred {
            true => Stage::CannotJoin(JoinError::Kicked),
            false => Stage::EnterName,
        });
    }

    /// Goes on as a rider that this browser knows.
    pub(super) fn go_on_as(&mut self, now: Duration, position: usize) {
        if let Some(identity) = self.entry.known.get(position).cloned() {
            self.go_on(now, identity);
        }
    }

    fn go_on(&mut self, now: Duration, identity: Identity) {
        let rider = identity.profile.name.parse::<RiderName>().ok();
        let ftp = Ftp::new(identity.profile.ftp).ok();
        let key = SigningKey::from_seed(identity.seed).ok();
        let (Some(name), Some(ftp), Some(key)) = (rider, ftp, key) else {
            // Kept by another version, or tampered with.
            return self.introduce();
        };
        let resume = Resume {
            peer: identity.peer.clone(),
            token: identity.token.clone(),
            incarnation: None,
        };
        self.be(Me {
            peer: identity.peer,
            name,
            ftp,
            ready: identity.ready,
            seed: identity.seed,
            key,
        });
        if identity.simulated {
            self.simulate(now);
        }
        self.last_offset = identity.group_offset;
        self.connect(Some(resume), identity.room);
    }

    /// Joins as somebody new.
    pub(super) fn join(&mut self, name: RiderName, ftp: Ftp) {
        if self.code.as_ref().is_some_and(storage::is_banned) {
            return self.introduce();
        }
        let seed = page::random_bytes();
        let key = seed.and_then(|seed| SigningKey::from_seed(seed).ok());
        let (Some(seed), Some(key)) = (seed, key) else {
            return self.state.stage.set(Stage::CannotJoin(JoinError::Other));
        };
        storage::save_profile(&name, &ftp);
        self.be(Me {
            // The server gives the real one with the welcome.
            peer: own_peer(),
            name,
            ftp,
            ready: false,
            seed,
            key,
        });
        self.last_offset = None;
        self.connect(None, None);
    }

    /// Rides alone: host and only rider, without a network.
    pub(super) fn ride_alone(&mut self, anonymous: &str) {
        let saved = storage::profile();
        let name = saved.as_ref().and_then(|saved| saved.name.parse().ok());
        let ftp = saved.and_then(|saved| Ftp::new(saved.ftp).ok());
        let seed = page::random_bytes().unwrap_or_default();
        let key = SigningKey::from_seed(seed).ok();
        let (Some(name), Some(key)) = (name.or_else(|| anonymous.parse().ok()), key) else {
            return self.state.stage.set(Stage::CannotJoin(JoinError::Other));
        };
        let now = crate::browser::clock::now();
        self.be(Me {
            peer: own_peer(),
            name,
            ftp: ftp.unwrap_or_default(),
            ready: true,
            seed,
            key,
        });
        self.roster.add(&own_peer(), PeerNumber(1), true);
        self.simulate(now);
        self.introduce_myself();
        self.crown_host();
        self.roster.crown(&own_peer());
        self.list_riders();
        self.recording.kept(None);
        self.state.stage.set(Stage::Lobby);
    }

    fn be(&mut self, me: Me) {
        self.state.ftp.set(me.ftp.watts());
        self.state.ready.set(me.ready);
        self.recording.begin_anew();
        self.state.summary.set(None);
        self.state.chart.set(None);
        self.takes_part = true;
        self.me = Some(me);
    }

    fn connect(&mut self, resume: Option<Resume>, rule: Option<RoomSnapshot>) {
        let (Some(code), Some(me)) = (self.code.clone(), &self.me) else {
            return;
        };
        let comes_anew = resume.is_none();
        let config = NodeConfig {
            keys: PublicKeys {
                sign: me.key.public(),
                agree: agreement_key(&me.seed),
            },
            role: MemberRole::Rider,
            ballot_key: BallotKey::from_seed(me.seed),
            resume,
            seed: seed_number(&me.seed),
            p2p_available: page::supports_webrtc(),
            group_offset: self.last_offset.map(GroupOffset),
            room_snapshot: rule,
        };
        self.entry.comes_anew = comes_anew;
        self.entry.unanswered_since = None;
        self.group = Some(Group::new(code, config, self.inbox.clone()));
        self.state.connection.set(ServerConnection::Idle);
        self.state.stage.set(Stage::Joining);
    }

    /// The socket is lost: whoever is not in yet is not kept waiting for long.
    pub(super) fn socket_lost(&mut self, now: Duration, attempt: u32) {
        let joins = self.state.stage.get_untracked() == Stage::Joining;
        if !joins || !self.entry.comes_anew {
            return self
                .state
                .connection
                .set(ServerConnection::Lost { attempt });
        }
        let since = *self.entry.unanswered_since.get_or_insert(now);
        if now >= since + ANSWERS_WITHIN {
            self.group = None;
            self.stand_down(Stage::CannotJoin(JoinError::Unreachable));
        }
    }

    /// Rides on the simulator and tells everybody.
    pub(super) fn simulate_trainer(&mut self, now: Duration) {
        self.simulate(now);
        self.profile_changed(now);
    }

    fn simulate(&mut self, now: Duration) {
        if let Some(me) = &self.me {
            self.own.simulate(seed_number(&me.seed), me.ftp);
            self.next_refresh = now;
        }
    }

    /// Opens what was recorded of this ride before a reload.
    pub(super) fn open_recording(&mut self) {
        if let (Some(code), Some(me)) = (&self.code, &self.me) {
            self.recording.open(format!("{code}/{}", me.peer));
        }
    }
}

fn join_error(error: ApiError) -> JoinError {
    match error {
        ApiError::NoSuchRide => JoinError::NoSuchRide,
        ApiError::Full => JoinError::Full,
        ApiError::TooManyRides => JoinError::TooManyRides,
        ApiError::Unreachable => JoinError::Unreachable,
        ApiError::Outdated => JoinError::Outdated,
        ApiError::Other => JoinError::Other,
    }
}

/// The peer id of the rider here as long as no server has given one.
fn own_peer() -> PeerId {
    // `ALONE` is of the letters that a peer id may have.
    ALONE.parse().expect("a valid peer id")
}

/// The public X25519 key that goes with the signing key, for sealing frames end
/// to end. All zeroes, which nobody can agree with, if there is none.
fn agreement_key(seed: &[u8; 32]) -> [u8; 32] {
    let signing = KeyPair::from_seed(Seed::new(*seed));
    x25519::KeyPair::from_ed25519(&signing).map_or([0; 32], |pair| *pair.pk)
}

fn seed_number(seed: &[u8; 32]) -> u64 {
    seed.iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}
