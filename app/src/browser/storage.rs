//! Local storage and session storage: profile, settings, API key, uploads, and the
//! identities of this browser's riders. Recordings are in [`recordings`](super::recordings).
//!
//! Without access to storage (during server rendering, or because the browser
//! denies it) nothing is saved and nothing is found. Data of the [`MAX_SESSIONS`]
//! newest sessions is kept.

use std::{cell::RefCell, ops::RangeInclusive};

use protocol::{
    code::SessionCode,
    peer::{PeerId, Token},
    signaling::RoomSnapshot,
};
use ride::{
    intervals_icu::{ActivityId, ApiKey},
    recording::fit::SubSport,
    rider::{Ftp, RiderName},
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};
use web_sys::Storage;

/// Key of the profile.
const PROFILE: &str = "gruppetto.rider";
/// Key of the ride that this browser is in: its code, or `solo`.
const RUNNING: &str = "gruppetto.running";
/// Key of the name of the recording that this browser makes.
const RECORDING: &str = "gruppetto.recording";
/// Key of the choice to write rides as virtual ones.
const VIRTUAL_RIDE: &str = "gruppetto.virtual";
const VOLUME: &str = "gruppetto.volume";
const DEVICES: &str = "gruppetto.devices";
/// Key of the ride for which this browser is a bridge.
const BRIDGE: &str = "gruppetto.bridge";
/// Key of the rider's API key of intervals.icu.
const INTERVALS_ICU: &str = "gruppetto.intervals-icu";
/// Key of the list of rides that were uploaded, newest first.
const UPLOADS: &str = "gruppetto.intervals-icu-uploads";
/// Maximum number of uploads remembered; the oldest are removed first.
const MAX_UPLOADS: usize = 200;
const THRESHOLD_HEART_RATE: &str = "gruppetto.threshold-heart-rate";
/// Key of the rider's avatar.
const AVATAR: &str = "gruppetto.chat.avatar";
/// Threshold heart rate in bpm of a rider who has not entered one.
const DEFAULT_THRESHOLD_HEART_RATE: u8 = 165;
/// Threshold heart rates that a rider may enter, in bpm.
pub const THRESHOLD_HEART_RATES: RangeInclusive<u8> = 80..=220;
/// Volume in percent for a rider who has not chosen one.
const DEFAULT_VOLUME: u8 = 50;
/// Key of the list of session codes, newest first.
const SESSIONS: &str = "gruppetto.rides";
/// Maximum number of riders remembered for one ride.
const MAX_KNOWN: usize = 4;
/// Maximum number of sessions remembered; the oldest are removed first.
const MAX_SESSIONS: usize = 20;

/// Name and FTP, as entered last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedProfile {
    /// Name as typed; empty if only the FTP was entered.
    pub name: String,
    /// FTP in watts.
    pub ftp: u16,
}

/// Identity of a rider in one ride. It proves to the server and to the other
/// riders that a reloaded page is the same rider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Peer id assigned by the server.
    pub peer: PeerId,
    /// Resume token of the peer id.
    pub token: Token,
    /// Seed from which the rider's keys are derived.
    #[serde(deserialize_with = "seed")]
    pub seed: [u8; 32],
    /// Name and FTP in this ride.
    pub profile: SavedProfile,
    /// Start number; 0 while it is not known.
    #[serde(default)]
    pub number: u32,
    /// Share in percent of the workout's targets at which the rider rides.
    #[serde(default = "full_bias")]
    pub bias: u8,
    /// State of the ready flag.
    pub ready: bool,
    /// True if the rider used the simulated trainer, to continue with it.
    pub simulated: bool,
    /// Group time minus the wall clock, in microseconds, as known last.
    pub group_offset: Option<i64>,
    /// Unix time in milliseconds at which this was stored.
    #[serde(default)]
    pub stored_at: Option<u64>,
    /// State of the room, as known last.
    #[serde(default)]
    pub room_snapshot: Option<RoomSnapshot>,
    /// True until the ride has ended.
    #[serde(default)]
    pub is_under_way: bool,
    /// Number of phones' links that the rider has made invalid.
    #[serde(default)]
    pub revoked_links: u32,
}

/// Reads a seed by way of a vector, which is 2 KB less code than reading an array.
fn seed<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
    let bytes = Vec::deserialize(from)?;
    let invalid = |bytes: Vec<u8>| D::Error::invalid_length(bytes.len(), &"32 bytes");
    bytes.try_into().map_err(invalid)
}

/// Bias of a rider that an older version stored.
const fn full_bias() -> u8 {
    100
}

thread_local! {
    /// Profile saved last by this page, for a storage that is full or denied: the
    /// page of the ride must not ask again for what was just entered.
    static ENTERED: RefCell<Option<SavedProfile>> = const { RefCell::new(None) };
}

/// The saved profile, if any.
pub fn profile() -> Option<SavedProfile> {
    let entered = ENTERED.with_borrow(Clone::clone);
    entered.or_else(|| read(&local_storage()?, PROFILE))
}

/// Saves the profile.
pub fn save_profile(name: &RiderName, ftp: &Ftp) {
    let name = name.as_str().to_owned();
    let ftp = ftp.watts();
    keep_profile(SavedProfile { name, ftp });
}

fn keep_profile(profile: SavedProfile) {
    write(local_storage(), PROFILE, &profile);
    ENTERED.set(Some(profile));
}

/// Saves the FTP of a rider who has not entered a name.
pub fn save_ftp(ftp: &Ftp) {
    let name = profile().map(|profile| profile.name).unwrap_or_default();
    let ftp = ftp.watts();
    keep_profile(SavedProfile { name, ftp });
}

/// Volume in percent that the rider has chosen for sounds.
pub fn volume() -> u8 {
    let volume = local_storage().and_then(|storage| read(&storage, VOLUME));
    volume
        .filter(|volume| *volume <= 100)
        .unwrap_or(DEFAULT_VOLUME)
}

/// Saves the volume in percent.
pub fn save_volume(volume: u8) {
    write(local_storage(), VOLUME, &volume);
}

/// A switch of the chat that is on until the rider switches it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatSwitch {
    /// Sound on a new message.
    Sound,
    /// Keys for the chat and for reactions.
    Keys,
}

impl ChatSwitch {
    const fn key(self) -> &'static str {
        match self {
            Self::Sound => "gruppetto.chat.sound",
            Self::Keys => "gruppetto.chat.keys",
        }
    }
}

/// State of a switch.
pub fn chat_switch(switch: ChatSwitch) -> bool {
    get(switch.key()).as_deref() != Some("off")
}

/// Saves the state of a switch.
pub fn save_chat_switch(switch: ChatSwitch, is_on: bool) {
    set(switch.key(), if is_on { "on" } else { "off" });
}

/// The rider's avatar as text; empty if none was chosen.
pub fn avatar() -> String {
    get(AVATAR).unwrap_or_default()
}

/// Saves the rider's avatar.
pub fn save_avatar(text: &str) {
    set(AVATAR, text);
}

/// Heart rate in bpm at the rider's threshold, of which the heart rate zones are shares.
pub fn threshold_heart_rate() -> u8 {
    let rate = local_storage().and_then(|storage| read(&storage, THRESHOLD_HEART_RATE));
    rate.filter(|rate| THRESHOLD_HEART_RATES.contains(rate))
        .unwrap_or(DEFAULT_THRESHOLD_HEART_RATE)
}

/// Saves the threshold heart rate in bpm, within [`THRESHOLD_HEART_RATES`]. Returns whether it is
/// stored.
pub fn save_threshold_heart_rate(bpm: u8) -> bool {
    THRESHOLD_HEART_RATES.contains(&bpm) && write(local_storage(), THRESHOLD_HEART_RATE, &bpm)
}

/// API key of intervals.icu, if the rider has saved one. It is stored nowhere else.
pub fn intervals_icu_key() -> Option<ApiKey> {
    get(INTERVALS_ICU)?.parse().ok()
}

/// Saves the API key. Returns whether it is stored.
pub fn save_intervals_icu_key(key: &ApiKey) -> bool {
    set(INTERVALS_ICU, key.expose());
    get(INTERVALS_ICU).as_deref() == Some(key.expose())
}

/// Removes the API key.
pub fn remove_intervals_icu_key() {
    if let Some(storage) = local_storage() {
        let _ = storage.remove_item(INTERVALS_ICU);
    }
}

/// Tells whether the recording of this name was uploaded to intervals.icu, and the id of its
/// activity there; the id is `None` if the service did not tell it.
pub fn upload(name: &str) -> Option<Option<ActivityId>> {
    let uploads = uploads().into_iter();
    let mut ids = uploads.filter_map(|(other, id)| (other == name).then_some(id));
    ids.next().map(|id| ActivityId::parse(&id))
}

/// Remembers that a recording was uploaded.
pub fn save_upload(name: &str, id: Option<&ActivityId>) {
    let mut uploads = uploads();
    uploads.retain(|(other, _)| other != name);
    let id = id.map(|id| id.as_str().to_owned()).unwrap_or_default();
    uploads.insert(0, (name.to_owned(), id));
    uploads.truncate(MAX_UPLOADS);
    write(local_storage(), UPLOADS, &uploads);
}

/// Names of recordings and ids of their activities; an id is empty if it is not known.
fn uploads() -> Vec<(String, String)> {
    local_storage()
        .and_then(|storage| read(&storage, UPLOADS))
        .unwrap_or_default()
}

/// Kind of ride that the rider has chosen for FIT files.
pub fn sub_sport() -> SubSport {
    match local_storage().and_then(|storage| read(&storage, VIRTUAL_RIDE)) {
        Some(true) => SubSport::VirtualActivity,
        _ => SubSport::IndoorCycling,
    }
}

/// Saves the kind of ride for FIT files.
pub fn save_sub_sport(sub_sport: SubSport) {
    let is_virtual = sub_sport == SubSport::VirtualActivity;
    write(local_storage(), VIRTUAL_RIDE, &is_virtual);
}

/// Text about the devices that the rider has paired; empty if there are none.
pub fn devices() -> String {
    get(DEVICES).unwrap_or_default()
}

/// Saves the text about the devices that the rider has paired.
pub fn save_devices(text: &str) {
    // A full storage loses the convenience only.
    set(DEVICES, text);
}

/// Text about the ride for which this browser is a bridge; empty if there is none.
pub fn bridge() -> String {
    get(BRIDGE).unwrap_or_default()
}

/// Saves the text about the ride for which this browser is a bridge.
pub fn save_bridge(text: &str) {
    set(BRIDGE, text);
}

/// Marks that name and FTP were just entered in this tab, so that the page of the
/// ride joins at once instead of asking again.
pub fn save_join_marker(code: &SessionCode) {
    write(session_storage(), &join_marker_key(code), &true);
}

/// True if this tab has the marker of [`save_join_marker`].
pub fn has_join_marker(code: &SessionCode) -> bool {
    let marked = session_storage().and_then(|storage| read(&storage, &join_marker_key(code)));
    marked.unwrap_or(false)
}

/// Removes the marker of [`save_join_marker`].
pub fn clear_join_marker(code: &SessionCode) {
    take_marker(&join_marker_key(code));
}

fn take_marker(key: &str) -> bool {
    let Some(tab) = session_storage() else {
        return false;
    };
    let marked = read(&tab, key).unwrap_or(false);
    let _ = tab.remove_item(key);
    marked
}

/// True if the session knows how to go on with this ride without asking a new rider
/// for a name: the browser was in it, or the name was just entered.
pub fn knows_ride(code: &SessionCode) -> bool {
    let has = |storage: Option<Storage>, key: String| {
        let value = storage.and_then(|storage| storage.get_item(&key).ok().flatten());
        value.is_some_and(|json| json != "[]" && json != "false")
    };
    has(session_storage(), join_marker_key(code))
        || has(session_storage(), tab_key(code))
        || has(local_storage(), ride_key(code))
        || has(local_storage(), ban_key(code))
}

/// Identity of this tab in this ride, if it has joined.
pub fn tab_identity(code: &SessionCode) -> Option<Identity> {
    read(&session_storage()?, &tab_key(code))
}

/// Identities of this browser's riders in this ride, newest first.
pub fn known_identities(code: &SessionCode) -> Vec<Identity> {
    local_storage()
        .and_then(|storage| read(&storage, &ride_key(code)))
        .unwrap_or_default()
}

/// Saves the identity of this tab, for a reload and for other tabs.
pub fn save_identity(code: &SessionCode, identity: &Identity) {
    write(session_storage(), &tab_key(code), identity);
    let mut known = known_identities(code);
    known.retain(|other| other.peer != identity.peer);
    known.insert(0, identity.clone());
    known.truncate(MAX_KNOWN);
    write(local_storage(), &ride_key(code), &known);
    remember_session(code);
    if identity.is_under_way {
        save_running_ride(code.as_str());
    } else {
        forget_running_ride(code.as_str());
    }
}

/// Code of the ride that this browser was in last, or `solo`, unless the rider has left it or it has
/// ended.
pub fn running_ride() -> Option<String> {
    get(RUNNING)
}

/// Saves which ride is running.
pub fn save_running_ride(place: &str) {
    set(RUNNING, place);
}

/// Forgets that this ride is running.
pub fn forget_running_ride(place: &str) {
    remove(RUNNING, place);
}

/// Name of the recording that this browser made last, if its ride was not finished.
pub fn unfinished_recording() -> Option<String> {
    get(RECORDING)
}

/// Saves which recording this browser makes.
pub fn save_unfinished_recording(name: &str) {
    set(RECORDING, name);
}

/// Forgets a recording whose ride is finished or deleted, and that its ride is running.
pub fn forget_unfinished(name: &str) {
    remove(RECORDING, name);
    if let Some((place, _)) = name.split_once('/') {
        forget_running_ride(place);
    }
}

/// Removes the identity of a rider who left, or whose ride is over.
pub fn forget_identity(code: &SessionCode, peer: &PeerId) {
    forget_running_ride(code.as_str());
    if let Some(tab) = session_storage() {
        let _ = tab.remove_item(&tab_key(code));
    }
    let mut known = known_identities(code);
    known.retain(|other| other.peer != *peer);
    write(local_storage(), &ride_key(code), &known);
}

/// Marks that the host banned a rider of this browser from this ride.
pub fn save_ban(code: &SessionCode) {
    write(local_storage(), &ban_key(code), &true);
    remember_session(code);
}

/// True if this browser is banned from this ride.
pub fn is_banned(code: &SessionCode) -> bool {
    let banned = local_storage().and_then(|storage| read(&storage, &ban_key(code)));
    banned.unwrap_or(false)
}

/// Marks that this page is being unloaded. A page that finds the marker is this
/// tab after a reload; a page without it can be a copy of a tab that still rides,
/// since new tabs can start with a copy of the session storage.
pub fn save_reload_marker(code: &SessionCode) {
    write(session_storage(), &reload_marker_key(code), &true);
}

/// Reads and removes the marker of [`save_reload_marker`].
pub fn take_reload_marker(code: &SessionCode) -> bool {
    take_marker(&reload_marker_key(code))
}

/// The saved timeline, encoded as a message.
pub fn timeline(code: &SessionCode) -> Option<Vec<u8>> {
    let key = timeline_key(code);
    let saved = |storage: Option<Storage>| read(&storage?, &key);
    saved(session_storage()).or_else(|| saved(local_storage()))
}

/// Saves the timeline, for a page that is opened while no other rider can send
/// it. Where the local storage is full, this tab keeps it, which is enough for a
/// reload.
pub fn save_timeline(code: &SessionCode, encoded: &[u8]) {
    let key = timeline_key(code);
    if !write(local_storage(), &key, &encoded) {
        write(session_storage(), &key, &encoded);
    } else if let Some(tab) = session_storage() {
        let _ = tab.remove_item(&key);
    }
}

/// Names of the riders so far.
pub fn names(code: &SessionCode) -> Vec<(PeerId, String)> {
    let lines = get(&names_key(code)).unwrap_or_default();
    let names = lines.lines().filter_map(|line| {
        let (peer, name) = line.split_once(' ')?;
        Some((peer.parse().ok()?, name.to_owned()))
    });
    names.collect()
}

/// Saves the names of the riders so far, for a page that is opened when some have
/// left: one line for each. Neither ids nor names contain line breaks.
pub fn save_names<'a>(code: &SessionCode, names: impl Iterator<Item = (&'a PeerId, &'a str)>) {
    let mut lines = String::new();
    for (peer, name) in names {
        lines = lines + peer.as_str() + " " + name + "\n";
    }
    set(&names_key(code), &lines);
}

/// Adds a session to the list, and removes the data of the oldest ones, so that the
/// storage does not fill up.
fn remember_session(code: &SessionCode) {
    let Some(storage) = local_storage() else {
        return;
    };
    let mut sessions: Vec<SessionCode> = read(&storage, SESSIONS).unwrap_or_default();
    sessions.retain(|other| other != code);
    sessions.insert(0, code.clone());
    for old in sessions.drain(MAX_SESSIONS.min(sessions.len())..) {
        let _ = storage.remove_item(&ride_key(&old));
        let _ = storage.remove_item(&timeline_key(&old));
        let _ = storage.remove_item(&ban_key(&old));
        let _ = storage.remove_item(&names_key(&old));
    }
    write(Some(storage), SESSIONS, &sessions);
}

fn join_marker_key(code: &SessionCode) -> String {
    format!("gruppetto.joining.{code}")
}

fn reload_marker_key(code: &SessionCode) -> String {
    format!("gruppetto.parked.{code}")
}

fn tab_key(code: &SessionCode) -> String {
    format!("gruppetto.tab.{code}")
}

fn ride_key(code: &SessionCode) -> String {
    format!("gruppetto.ride.{code}")
}

// The name in the key is that of older versions, so that saved bans stay valid.
fn ban_key(code: &SessionCode) -> String {
    format!("gruppetto.barred.{code}")
}

fn names_key(code: &SessionCode) -> String {
    format!("gruppetto.names.{code}")
}

fn timeline_key(code: &SessionCode) -> String {
    format!("gruppetto.timeline.{code}")
}

/// Removes everything that the app has stored.
pub fn clear() {
    ENTERED.set(None);
    for storage in [local_storage(), session_storage()].into_iter().flatten() {
        let keys =
            (0..storage.length().unwrap_or(0)).filter_map(|at| storage.key(at).ok().flatten());
        let own = keys.filter(|key| key.starts_with("gruppetto."));
        for key in own.collect::<Vec<_>>() {
            let _ = storage.remove_item(&key);
        }
    }
}

fn local_storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}

fn session_storage() -> Option<Storage> {
    web_sys::window()?.session_storage().ok().flatten()
}

/// Text in local storage.
fn get(key: &str) -> Option<String> {
    local_storage()?.get_item(key).ok().flatten()
}

/// Removes a text from local storage, unless it has changed.
fn remove(key: &str, text: &str) {
    if get(key).as_deref() == Some(text)
        && let Some(storage) = local_storage()
    {
        let _ = storage.remove_item(key);
    }
}

/// Stores a text in local storage, if there is room.
fn set(key: &str, text: &str) {
    if let Some(storage) = local_storage() {
        let _ = storage.set_item(key, text);
    }
}

fn read<T: DeserializeOwned>(storage: &Storage, key: &str) -> Option<T> {
    let json = storage.get_item(key).ok().flatten()?;
    serde_json::from_str(&json).ok()
}

/// Stores a value, if there is room for it. Returns `true` if it is stored.
fn write<T: Serialize + ?Sized>(storage: Option<Storage>, key: &str, value: &T) -> bool {
    let (Some(storage), Ok(json)) = (storage, serde_json::to_string(value)) else {
        return false;
    };
    if storage.set_item(key, &json).is_ok() {
        return true;
    }
    make_room(&storage);
    storage.set_item(key, &json).is_ok()
}

/// Removes the timelines of all rides but the newest, which are most of what is
/// stored.
fn make_room(storage: &Storage) {
    let sessions: Vec<SessionCode> = read(storage, SESSIONS).unwrap_or_default();
    for old in sessions.iter().skip(1) {
        let _ = storage.remove_item(&timeline_key(old));
    }
}
