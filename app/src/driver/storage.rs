//! The browser's storage: identities and timelines in `localStorage` and `sessionStorage`, the
//! recording in IndexedDB.

use protocol::{code::SessionCode, peer::Token};
use ride::recording::{Recording, archive::SOLO};
use session::{
    Input, OpenedRecording, RecordingChange,
    storage::{StorageCommand, StoredIdentity, StoredName, StoredProfile, StoredRide},
};

use super::queue::{Event, Queue};
use crate::browser::{
    recordings::Recordings,
    storage::{self, Identity, SavedProfile},
    tab_lock::{self, TabLock},
};
use crate::lazy::RIDES;

pub(super) use crate::browser::storage::{
    bridge, devices, is_banned, save_volume, sub_sport, take_reload_marker, volume,
};

/// Storage of one ride.
pub(super) struct Storage {
    queue: Queue,
    /// Code of the ride; `None` in a solo ride.
    code: Option<SessionCode>,
    /// Name of the recording.
    recording: Option<String>,
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
            recording: None,
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
                let name = tab_lock::rider_lock(identity.peer.as_str());
                Self::lock(&mut self.lock, name);
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

    /// Tells the other tabs that this page rides as this rider.
    fn lock(lock: &mut Option<TabLock>, name: String) {
        if lock.as_ref().is_none_or(|lock| lock.name() != name) {
            *lock = Some(TabLock::hold(name));
        }
    }

    /// Opens the stored recording with this key, for the first time or again.
    pub(super) fn open_recording(&mut self, open: u32, key: String, reads: bool) {
        self.recordings = None;
        if self.code.is_none() {
            Self::lock(&mut self.lock, tab_lock::recording_lock(&key));
        }
        self.recording = Some(key.clone());
        let queue = self.queue.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let opened = open_stored(key, reads).await;
            queue.post(Event::Recording(open, opened));
        });
    }

    /// Input for a recording that was opened, or could not be.
    pub(super) fn recording_opened(&mut self, open: u32, opened: Option<OpenRecording>) -> Input {
        // Not of a ride that the rider has left meanwhile.
        let is_own =
            |opened: &OpenRecording| self.recording.as_deref() == Some(opened.recordings.name());
        let opened = match opened.filter(is_own) {
            None => OpenedRecording::Failed,
            Some(opened) => {
                self.recordings = Some(opened.recordings);
                self.next_chunk = self.next_chunk.max(opened.next_chunk);
                opened
                    .recording
                    .map_or(OpenedRecording::Empty, OpenedRecording::Stored)
            }
        };
        Input::RecordingOpened { open, opened }
    }

    /// Changes the recording that was opened. Transactions begin in the order of the calls.
    pub(super) fn write_recording(&mut self, write: u32, change: RecordingChange) {
        let (queue, recordings) = (self.queue.clone(), self.recordings.clone());
        let number = self.next_chunk;
        let is_append = matches!(change, RecordingChange::Append { .. });
        if is_append && let Some(name) = &self.recording {
            note_unfinished(name);
        }
        self.next_chunk += u32::from(is_append);
        let name = recordings
            .as_ref()
            .map(|recordings| recordings.name().to_owned());
        wasm_bindgen_futures::spawn_local(async move {
            let is_stored = match (recordings, change) {
                (None, _) => false,
                (Some(recordings), RecordingChange::Append { chunk, state }) => {
                    let write = recordings.put(number, &chunk, state.as_deref());
                    write.await.is_ok()
                }
                (Some(recordings), RecordingChange::Keep(ride)) => match RIDES.loaded() {
                    Some(part) => {
                        let (recording, state) = &*ride;
                        let ride = (part.encode_finished)(recording, state);
                        let write = recordings.keep(&ride.recording, &ride.state, &ride.head);
                        write.await.is_ok()
                    }
                    // The chunks are kept, and tried again with the part.
                    None => false,
                },
                (Some(recordings), RecordingChange::Clear) => recordings.clear().await.is_ok(),
            };
            if let Some(name) = name.filter(|_| is_stored && !is_append) {
                storage::forget_unfinished(&name);
            }
            queue.post(Event::Input(Input::RecordingWritten { write, is_stored }));
        });
    }
}

/// Recording that was opened.
pub(super) struct OpenRecording {
    recordings: Recordings,
    next_chunk: u32,
    recording: Option<Box<Recording>>,
}

/// Opens a recording. Only the part `rides` can read what is stored.
async fn open_stored(key: String, reads: bool) -> Option<OpenRecording> {
    let (recordings, stored) = Recordings::open(key, reads).await?;
    let recording = match stored.chunks.is_empty() {
        true => None,
        false => (RIDES.load().await.ok()?.read_recording)(&stored.chunks),
    };
    Some(OpenRecording {
        recordings,
        next_chunk: stored.next,
        recording: recording.map(Box::new),
    })
}

/// Notes for the home page that there is a recording whose ride is not finished.
fn note_unfinished(name: &str) {
    storage::save_unfinished_recording(name);
    if name.split('/').next() == Some(SOLO) {
        storage::save_running_ride(SOLO);
    }
}

/// Tells whether a page of this browser rides the ride with this recording.
pub(super) async fn is_under_way(name: &str) -> bool {
    tab_lock::is_held(&tab_lock::recording_lock(name)).await == Some(true)
}

/// Everything that is stored about a ride.
pub(super) async fn load(code: &SessionCode) -> StoredRide {
    let known = storage::known_identities(code);
    let names = storage::names(code).into_iter();
    let tab_identity = storage::tab_identity(code).map(to_identity);
    let tab_is_alone = match &tab_identity {
        Some(identity) => {
            let lock = tab_lock::rider_lock(identity.peer.as_str());
            let held = tab_lock::is_held(&lock).await;
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
