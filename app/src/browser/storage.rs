//! What the browser remembers: the rider, and who this browser is in the rides
//! it has joined. Where storage is forbidden everything is simply forgotten.

use protocol::{
    code::SessionCode,
    peer::{PeerId, Token},
    signaling::RoomSnapshot,
};
use ride::rider::{Ftp, RiderName};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use web_sys::Storage;

use super::recordings;

const PROFILE: &str = "gruppetto.rider";
/// The most riders remembered for one ride.
const MAX_KNOWN: usize = 4;
/// The most rides remembered; the oldest are forgotten first.
const MAX_RIDES: usize = 20;

/// The rider of this browser, as last entered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedProfile {
    /// The name as typed; empty where only the FTP is known.
    pub name: String,
    /// FTP in watts.
    pub ftp: u16,
}

/// A rider in one ride: what proves to the server and to the others that a
/// reloaded page is the same rider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The peer id that the server gave.
    pub peer: PeerId,
    /// The token that goes with it.
    pub token: Token,
    /// What the rider's keys are made from.
    pub seed: [u8; 32],
    /// Name and FTP in this ride.
    pub profile: SavedProfile,
    /// What the rider last said about going.
    pub ready: bool,
    /// Whether the rider was on the simulator, to go on with it.
    pub simulated: bool,
    /// Group time less the page's clock, in microseconds, when last known.
    pub group_offset: Option<i64>,
    /// Who rules the ride, when last known.
    #[serde(default)]
    pub rule: Option<RoomSnapshot>,
}

/// The remembered rider, if any.
pub fn profile() -> Option<SavedProfile> {
    read(&local()?, PROFILE)
}

/// Remembers the rider.
pub fn save_profile(name: &RiderName, ftp: &Ftp) {
    let name = name.as_str().to_owned();
    let ftp = ftp.watts();
    write(local(), PROFILE, &SavedProfile { name, ftp });
}

/// Remembers the FTP of a rider who has not said their name, or not yet.
pub fn save_ftp(ftp: &Ftp) {
    let name = profile().map(|profile| profile.name).unwrap_or_default();
    let ftp = ftp.watts();
    write(local(), PROFILE, &SavedProfile { name, ftp });
}

/// Marks that this tab has just entered name and FTP for this ride, so that
/// its page joins at once instead of asking again.
pub fn save_join_marker(code: &SessionCode) {
    write(tab(), &join_marker_key(code), &true);
}

/// Whether this tab has just entered name and FTP for this ride; only once.
pub fn take_join_marker(code: &SessionCode) -> bool {
    take_marker(&join_marker_key(code))
}

fn take_marker(key: &str) -> bool {
    let Some(tab) = tab() else { return false };
    let marked = read(&tab, key).unwrap_or(false);
    let _ = tab.remove_item(key);
    marked
}

/// Who this tab is in this ride, if it has joined it.
pub fn tab_identity(code: &SessionCode) -> Option<Identity> {
    read(&tab()?, &tab_key(code))
}

/// The riders that this browser has been in this ride, newest first.
pub fn known_identities(code: &SessionCode) -> Vec<Identity> {
    local()
        .and_then(|storage| read(&storage, &ride_key(code)))
        .unwrap_or_default()
}

/// Remembers who this tab is, for a reload and for a new tab.
pub fn save_identity(code: &SessionCode, identity: &Identity) {
    write(tab(), &tab_key(code), identity);
    let mut known = known_identities(code);
    known.retain(|other| other.peer != identity.peer);
    known.insert(0, identity.clone());
    known.truncate(MAX_KNOWN);
    write(local(), &ride_key(code), &known);
    remember_ride(code);
}

/// Forgets a rider who left, or whose ride is over.
pub fn forget_identity(code: &SessionCode, peer: &PeerId) {
    if let Some(tab) = tab() {
        let _ = tab.remove_item(&tab_key(code));
    }
    let mut known = known_identities(code);
    known.retain(|other| other.peer != *peer);
    write(local(), &ride_key(code), &known);
}

/// Marks that the host has removed a rider of this browser from this ride.
pub fn save_ban(code: &SessionCode) {
    write(local(), &ban_key(code), &true);
    remember_ride(code);
}

/// Whether nobody new gets from here into this ride.
pub fn is_banned(code: &SessionCode) -> bool {
    let barred = local().and_then(|storage| read(&storage, &ban_key(code)));
    barred.unwrap_or(false)
}

/// Marks that this tab is put away: what opens with the mark is the same tab,
/// loaded again, and not a copy of one that still rides.
pub fn save_reload_marker(code: &SessionCode) {
    write(tab(), &reload_marker_key(code), &true);
}

/// Whether this tab was put away; only once.
pub fn take_reload_marker(code: &SessionCode) -> bool {
    take_marker(&reload_marker_key(code))
}

/// The timeline as this browser last knew it, encoded as a message.
pub fn timeline(code: &SessionCode) -> Option<Vec<u8>> {
    read(&local()?, &timeline_key(code))
}

/// Keeps the timeline for a page that opens while nobody else is there to ask.
pub fn save_timeline(code: &SessionCode, encoded: &[u8]) {
    write(local(), &timeline_key(code), &encoded);
}

/// Keeps the list of rides short, so that storage never fills up.
fn remember_ride(code: &SessionCode) {
    const RIDES: &str = "gruppetto.rides";
    let Some(storage) = local() else { return };
    let mut rides: Vec<SessionCode> = read(&storage, RIDES).unwrap_or_default();
    rides.retain(|other| other != code);
    rides.insert(0, code.clone());
    for forgotten in rides.drain(MAX_RIDES.min(rides.len())..) {
        let _ = storage.remove_item(&ride_key(&forgotten));
        let _ = storage.remove_item(&timeline_key(&forgotten));
        let _ = storage.remove_item(&ban_key(&forgotten));
        recordings::forget(&forgotten);
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

fn ban_key(code: &SessionCode) -> String {
    format!("gruppetto.barred.{code}")
}

fn timeline_key(code: &SessionCode) -> String {
    format!("gruppetto.timeline.{code}")
}

fn local() -> Option<Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}

fn tab() -> Option<Storage> {
    web_sys::window()?.session_storage().ok().flatten()
}

fn read<T: DeserializeOwned>(storage: &Storage, key: &str) -> Option<T> {
    let json = storage.get_item(key).ok().flatten()?;
    serde_json::from_str(&json).ok()
}

fn write<T: Serialize + ?Sized>(storage: Option<Storage>, key: &str, value: &T) {
    if let (Some(storage), Ok(json)) = (storage, serde_json::to_string(value)) {
        // A full or forbidden storage forgets; the ride goes on.
        let _ = storage.set_item(key, &json);
    }
}
