//! The browser's storage: identities and timelines in `localStorage` and `sessionStorage`, the
//! recording in IndexedDB.

use protocol::{
    code::SessionCode,
    peer::{PeerId, Token},
};
use session::{
    Input,
    storage::{StorageCommand, StoredIdentity, StoredName, StoredProfile, StoredRide},
};

use super::queue::{Event, Queue};
use crate::browser::{
    recordings::Recordings,
    storage::{self, Identity, SavedProfile},
    tab_lock::{self, TabLock},
};

pub(super) use crate::browser::storage::{is_banned, take_reload_marker};

/// Storage of one ride.
pub(super) struct Storage {
    queue: Queue,
    /// Code of the ride; `None` in a solo ride, of which nothing is stored.
    code: Option<SessionCode>,
    recordings: Option<Recordings>,
    /// Held while this page rides as the stored rider.
    lock: Option<TabLock>,
}

impl Storage {
    pub(super) fn new(queue: Queue, code: Option<SessionCode>) -> Self {
        Self {
            queue,
            code,
            recordings: None,
            lock: None,
        }
    }

    pub(super) fn carry_out(&mut self, command: StorageCommand) {
        let Some(code) = &self.code else { return };
        match command {
            StorageCommand::SaveProfile(profile) => {
                if let Some((name, ftp)) = profile.parse() {
                    storage::save_profile(&name, &ftp);
                }
            }
            StorageCommand::SaveIdentity(identity) => {
                let name = lock_name(&identity.peer);
                if self.lock.as_ref().is_none_or(|lock| lock.name() != name) {
                    self.lock = Some(TabLock::hold(name));
                }
                storage::save_identity(code, &from_identity(*identity));
            }
            StorageCommand::ForgetIdentity(peer) => {
                self.lock = None;
                storage::forget_identity(code, &peer);
            }
            StorageCommand::SaveTimeline(timeline) => storage::save_timeline(code, &timeline),
            StorageCommand::SaveNames(names) => {
                let names = names.iter().map(|known| (&known.peer, known.name.as_str()));
                storage::save_names(code, names);
            }
            StorageCommand::SaveBan => storage::save_ban(code),
            StorageCommand::ClearJoining => storage::clear_join_marker(code),
            StorageCommand::MarkHidden => storage::save_reload_marker(code),
            StorageCommand::ClearHidden => {
                storage::take_reload_marker(code);
            }
        }
    }

    /// Opens the stored recording with this key.
    pub(super) fn open_recording(&self, key: String) {
        let queue = self.queue.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let opened = match Recordings::open(key).await {
                Some(mut recordings) => {
                    let chunks = recordings.load().await;
                    chunks.map(|chunks| (recordings, chunks))
                }
                None => None,
            };
            queue.post(Event::Recording(opened));
        });
    }

    /// Input for a recording that was opened.
    pub(super) fn recording_opened(&mut self, opened: Option<(Recordings, Vec<Vec<u8>>)>) -> Input {
        let (recordings, chunks) = opened.unzip();
        self.recordings = recordings;
        Input::RecordingOpened(chunks)
    }

    pub(super) fn append(&mut self, chunk: Vec<u8>) {
        if let Some(recordings) = &mut self.recordings {
            recordings.append(chunk);
        }
    }

    pub(super) fn clear_recording(&self) {
        if let Some(recordings) = &self.recordings {
            recordings.clear();
        }
    }
}

fn lock_name(peer: &PeerId) -> String {
    format!("gruppetto.rider.{peer}")
}

/// Everything that is stored about a ride.
pub(super) async fn load(code: &SessionCode) -> StoredRide {
    let known = storage::known_identities(code);
    let names = storage::names(code).into_iter();
    let tab_identity = storage::tab_identity(code).map(to_identity);
    let tab_is_alone = match &tab_identity {
        Some(identity) => tab_lock::is_free(&lock_name(&identity.peer)).await,
        None => false,
    };
    StoredRide {
        tab_identity,
        tab_is_alone,
        known_identities: known.into_iter().map(to_identity).collect(),
        joining: storage::has_join_marker(code),
        banned: storage::is_banned(code),
        profile: profile(),
        timeline: storage::timeline(code),
        names: names
            .map(|(peer, name)| StoredName { peer, name })
            .collect(),
    }
}

/// Token of a rider of this browser, which exempts a request from the limit for unknown codes.
pub(super) fn token(code: &SessionCode) -> Option<Token> {
    let known = || storage::known_identities(code).into_iter().next();
    let identity = storage::tab_identity(code).or_else(known);
    identity.map(|identity| identity.token)
}

/// Rider as last entered in this browser.
pub(super) fn profile() -> Option<StoredProfile> {
    storage::profile().map(to_profile)
}

fn to_profile(SavedProfile { name, ftp }: SavedProfile) -> StoredProfile {
    StoredProfile { name, ftp }
}

fn from_profile(StoredProfile { name, ftp }: StoredProfile) -> SavedProfile {
    SavedProfile { name, ftp }
}

fn to_identity(identity: Identity) -> StoredIdentity {
    StoredIdentity {
        peer: identity.peer,
        token: identity.token,
        seed: identity.seed,
        profile: to_profile(identity.profile),
        number: identity.number,
        ready: identity.ready,
        simulated: identity.simulated,
        group_offset: identity.group_offset,
        room_snapshot: identity.room_snapshot,
        is_under_way: identity.is_under_way,
    }
}

fn from_identity(identity: StoredIdentity) -> Identity {
    Identity {
        peer: identity.peer,
        token: identity.token,
        seed: identity.seed,
        profile: from_profile(identity.profile),
        number: identity.number,
        ready: identity.ready,
        simulated: identity.simulated,
        group_offset: identity.group_offset,
        room_snapshot: identity.room_snapshot,
        is_under_way: identity.is_under_way,
    }
}
