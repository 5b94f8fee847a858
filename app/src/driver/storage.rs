//! The browser's storage: identities and timelines in `localStorage` and `sessionStorage`, the
//! recording in IndexedDB.

use protocol::{
    code::SessionCode,
    peer::{PeerId, Token},
};
use session::{
    Input, RecordingChange,
    storage::{StorageCommand, StoredIdentity, StoredName, StoredProfile, StoredRide},
};

use super::queue::{Event, Queue};
use crate::browser::{
    recordings::{Recordings, StoredChunks},
    storage::{self, Identity, SavedProfile},
    tab_lock::{self, TabLock},
};

pub(super) use crate::browser::storage::{
    bridge, devices, is_banned, save_volume, sub_sport, take_reload_marker, volume,
};

/// Storage of one ride.
pub(super) struct Storage {
    queue: Queue,
    /// Code of the ride; `None` in a solo ride, of which nothing is stored.
    code: Option<SessionCode>,
    recordings: Option<Recordings>,
    /// Held while this page rides as the stored rider.
    lock: Option<TabLock>,
    /// Number of the next chunk. It only grows, so that a write that ends late replaces nothing.
    next_chunk: u32,
}

impl Storage {
    pub(super) fn new(queue: Queue, code: Option<SessionCode>) -> Self {
        Self {
            queue,
            code,
            recordings: None,
            lock: None,
            next_chunk: 0,
        }
    }

    pub(super) fn carry_out(&mut self, command: StorageCommand) {
        match command {
            StorageCommand::SaveDevices(ref devices) => storage::save_devices(&devices.to_text()),
            StorageCommand::SaveBridge(ref text) => storage::save_bridge(text),
            StorageCommand::SaveSubSport(sub_sport) => storage::save_sub_sport(sub_sport),
            StorageCommand::SaveFtp(ftp) => storage::save_ftp(&ftp),
            _ => {}
        }
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
            StorageCommand::SaveDevices(_)
            | StorageCommand::SaveBridge(_)
            | StorageCommand::SaveSubSport(_)
            | StorageCommand::SaveFtp(_) => {}
        }
    }

    /// Opens the stored recording with this key, for the first time or again.
    pub(super) fn open_recording(&mut self, key: String) {
        self.recordings = None;
        let queue = self.queue.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let opened = Recordings::open(key).await;
            queue.post(Event::Recording(opened));
        });
    }

    /// Input for a recording that was opened, or could not be.
    pub(super) fn recording_opened(&mut self, opened: Option<(Recordings, StoredChunks)>) -> Input {
        Input::RecordingOpened(opened.map(|(recordings, stored)| {
            self.recordings = Some(recordings);
            self.next_chunk = self.next_chunk.max(stored.next);
            stored.chunks
        }))
    }

    /// Changes the recording that was opened. Transactions begin in the order of the calls.
    pub(super) fn write_recording(&mut self, write: u32, change: RecordingChange) {
        let (queue, recordings) = (self.queue.clone(), self.recordings.clone());
        let number = self.next_chunk;
        self.next_chunk += u32::from(matches!(change, RecordingChange::Append(_)));
        wasm_bindgen_futures::spawn_local(async move {
            let is_stored = match (recordings, change) {
                (None, _) => false,
                (Some(recordings), RecordingChange::Append(chunk)) => {
                    recordings.put(number, &chunk).await.is_ok()
                }
                (Some(recordings), RecordingChange::Clear) => recordings.clear().await.is_ok(),
            };
            queue.post(Event::Input(Input::RecordingWritten { write, is_stored }));
        });
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
        Some(identity) => {
            let held = tab_lock::is_held(&lock_name(&identity.peer)).await;
            held == Some(false)
        }
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

/// Number of phones' links that the rider of this tab has made invalid, in any tab.
pub(super) fn revoked_links(code: &SessionCode) -> u32 {
    let own = storage::tab_identity(code).map(|identity| identity.peer);
    let known = storage::known_identities(code).into_iter();
    let mut same = known.filter(|identity| Some(&identity.peer) == own.as_ref());
    same.next().map_or(0, |identity| identity.revoked_links)
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
        bias: identity.bias,
        ready: identity.ready,
        simulated: identity.simulated,
        group_offset: identity.group_offset,
        stored_at: identity.stored_at,
        room_snapshot: identity.room_snapshot,
        is_under_way: identity.is_under_way,
        revoked_links: identity.revoked_links,
    }
}

fn from_identity(identity: StoredIdentity) -> Identity {
    Identity {
        peer: identity.peer,
        token: identity.token,
        seed: identity.seed,
        profile: from_profile(identity.profile),
        number: identity.number,
        bias: identity.bias,
        ready: identity.ready,
        simulated: identity.simulated,
        group_offset: identity.group_offset,
        stored_at: identity.stored_at,
        room_snapshot: identity.room_snapshot,
        is_under_way: identity.is_under_way,
        revoked_links: identity.revoked_links,
    }
}
