//! Local storage and session storage: the profile of the rider, and the
//! identities of this browser's riders in the rides that it joined.
//!
//! Without access to storage (during server rendering, or because the browser
//! denies it) nothing is saved and nothing is found. At most [`MAX_RIDES`] rides
//! are kept; data of older ones is removed.

use std::cell::RefCell;

use protocol::{
    code::SessionCode,
    peer::{PeerId, Token},
    signaling::RoomSnapshot,
};
use ride::{
    recording::fit::SubSport,
    rider::{Ftp, RiderName},
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};
use web_sys::Storage;

use super::recordings;

/// Key of the profile.
const PROFILE: &str = "gruppetto.rider";
/// Key of the ride that this browser is in.
const RUNNING: &str = "gruppetto.running";
/// Key of the choice to write rides as virtual ones.
const VIRTUAL_RIDE: &str = "gruppetto.virtual";
const VOLUME: &str = "gruppetto.volume";
const DEVICES: &str = "gruppetto.devices";
/// Key of the ride for which this browser is a bridge.
const BRIDGE: &str = "gruppetto.bridge";
/// Volume in percent for a rider who has not chosen one.
const DEFAULT_VOLUME: u8 = 50;
/// Key of the list of rides, newest first.
const RIDES: &str = "gruppetto.rides";
/// Maximum number of riders remembered for one ride.
const MAX_KNOWN: usize = 4;
/// Maximum number of rides remembered; the oldest are removed first.
const MAX_RIDES: usize = 20;

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
    remember_ride(code);
    if identity.is_under_way {
        set(RUNNING, code.as_str());
    } else {
        forget_running_ride(code);
    }
}

/// The ride that this browser was in last, unless the rider has left it or it has ended.
pub fn running_ride() -> Option<SessionCode> {
    get(RUNNING)?.parse().ok()
}

/// Forgets that this ride is running.
pub fn forget_running_ride(code: &SessionCode) {
    if running_ride().is_some_and(|running| running == *code)
        && let Some(storage) = local_storage()
    {
        let _ = storage.remove_item(RUNNING);
    }
}

/// Removes the identity of a rider who left, or whose ride is over.
pub fn forget_identity(code: &SessionCode, peer: &PeerId) {
    forget_running_ride(code);
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
    remember_ride(code);
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

/// Adds a ride to the list of rides and removes the data of the oldest ones, so
/// that the storage does not fill up.
fn remember_ride(code: &SessionCode) {
    let Some(storage) = local_storage() else {
        return;
    };
    let mut rides: Vec<SessionCode> = read(&storage, RIDES).unwrap_or_default();
    rides.retain(|other| other != code);
    rides.insert(0, code.clone());
    for old in rides.drain(MAX_RIDES.min(rides.len())..) {
        let _ = storage.remove_item(&ride_key(&old));
        let _ = storage.remove_item(&timeline_key(&old));
        let _ = storage.remove_item(&ban_key(&old));
        let _ = storage.remove_item(&names_key(&old));
        recordings::forget(&old);
    }
    write(Some(storage), RIDES, &rides);
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
    let rides: Vec<SessionCode> = read(storage, RIDES).unwrap_or_default();
    for old in rides.iter().skip(1) {
        let _ = storage.remove_item(&timeline_key(old));
    }
}
