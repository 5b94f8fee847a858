//! What a browser stores: shared by its tabs (`localStorage`, IndexedDB), and of each tab
//! (`sessionStorage`).

use std::collections::BTreeMap;

use protocol::peer::PeerId;
use ride::recording::fit::SubSport;
use session::{
    FinishedRide, RecordingChange, UnfinishedSolo,
    storage::{
        StorageCommand, StoredDevices, StoredIdentity, StoredName, StoredProfile, StoredRide,
    },
    transfers::TransferId,
};

/// Behaviour of the database of recordings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordingStorage {
    #[default]
    Works,
    /// There is none.
    Missing,
    /// It never answers.
    Hangs,
    /// It has room for chunks, and not for a whole ride.
    KeepsNothing,
    /// Each write fails, as on a full disk, and so does the trial when it is opened.
    Full,
}

/// Storage that all tabs of a browser share.
#[derive(Default)]
pub struct BrowserStorage {
    /// Set where the browser denies `localStorage` and `sessionStorage`: nothing is kept.
    pub is_denied: bool,
    pub profile: Option<StoredProfile>,
    pub known: Vec<StoredIdentity>,
    pub banned: bool,
    pub timeline: Option<Vec<u8>>,
    pub names: Vec<StoredName>,
    pub recording_storage: RecordingStorage,
    /// Number of times that it was opened, or tried to be.
    pub attempts_to_open: u32,
    /// Chunks of each recording of a ride that is not finished.
    pub recordings: BTreeMap<String, Vec<Vec<u8>>>,
    /// Encoded state of each ride.
    pub states: BTreeMap<String, Vec<u8>>,
    /// Finished rides.
    pub kept: BTreeMap<String, FinishedRide>,
    /// Kind of ride chosen for FIT files.
    pub sub_sport: Option<SubSport>,
    pub devices: StoredDevices,
    pub bridge: String,
    pub ftp: Option<u16>,
    /// Chat of each rider.
    pub chats: BTreeMap<PeerId, Vec<u8>>,
    /// Records and bytes of the files that each rider receives.
    pub files: BTreeMap<(PeerId, TransferId), (Vec<u8>, Vec<u8>)>,
}

/// Storage of one tab.
#[derive(Clone, Default)]
pub struct TabStorage {
    pub identity: Option<StoredIdentity>,
    /// Name and FTP were entered on the home page.
    pub joining: bool,
    /// The page was hidden, perhaps to be reloaded.
    pub hidden: bool,
    /// The browser knows that no other page rides as the rider of this tab.
    pub is_alone: bool,
}

impl BrowserStorage {
    pub(super) fn load(&self, tab: &TabStorage) -> StoredRide {
        StoredRide {
            tab_identity: tab.identity.clone(),
            tab_is_alone: tab.is_alone,
            known_identities: self.known.clone(),
            joining: tab.joining,
            banned: self.banned,
            profile: self.profile.clone(),
            timeline: self.timeline.clone(),
            names: self.names.clone(),
        }
    }

    pub(super) fn apply(&mut self, tab: &mut TabStorage, command: StorageCommand) {
        if self.is_denied {
            return;
        }
        match command {
            StorageCommand::SaveProfile(profile) => self.profile = Some(profile),
            StorageCommand::SaveIdentity(identity) => {
                self.known.retain(|other| other.peer != identity.peer);
                self.known.insert(0, (*identity).clone());
                tab.identity = Some(*identity);
            }
            StorageCommand::ForgetIdentity(peer) => {
                tab.identity = None;
                self.known.retain(|other| other.peer != peer);
            }
            StorageCommand::SaveTimeline(timeline) => self.timeline = Some(timeline),
            StorageCommand::SaveNames(names) => self.names = names,
            StorageCommand::SaveBan => self.banned = true,
            StorageCommand::ClearJoining => tab.joining = false,
            StorageCommand::MarkHidden => tab.hidden = true,
            StorageCommand::ClearHidden => tab.hidden = false,
            StorageCommand::SaveFtp(ftp) => self.ftp = Some(ftp.watts()),
            StorageCommand::SaveDevices(devices) => self.devices = devices,
            StorageCommand::SaveBridge(text) => self.bridge = text,
            StorageCommand::SaveSubSport(sub_sport) => self.sub_sport = Some(sub_sport),
        }
    }

    pub(super) fn change_recording(&mut self, key: String, change: RecordingChange) {
        match change {
            RecordingChange::Append { chunk, state } => {
                self.states.extend(state.map(|state| (key.clone(), state)));
                self.recordings.entry(key).or_default().push(chunk);
            }
            RecordingChange::Keep(ride) => {
                let (recording, state) = *ride;
                let ride = FinishedRide::new(&recording, &state);
                self.recordings.remove(&key);
                self.states.insert(key.clone(), ride.state.clone());
                self.kept.insert(key, ride);
            }
            RecordingChange::Clear => {
                self.recordings.remove(&key);
                self.states.remove(&key);
                self.kept.remove(&key);
            }
        }
    }

    /// Chunks of a recording, that of a finished ride first.
    pub(super) fn chunks(&self, key: &str) -> Vec<Vec<u8>> {
        let kept = self.kept.get(key).map(|ride| ride.recording.clone());
        let later = self.recordings.get(key).into_iter().flatten().cloned();
        kept.into_iter().chain(later).collect()
    }

    pub(super) fn unfinished_solo(&self) -> Option<UnfinishedSolo> {
        let mut solo = self
            .recordings
            .iter()
            .filter(|(key, _)| key.starts_with("solo/"));
        let (key, chunks) = solo.next()?;
        UnfinishedSolo::read(key.clone(), self.states.get(key)?, chunks)
    }
}
