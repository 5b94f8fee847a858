//! Data that a browser stores about rides, for reloads, crashes and new tabs.

use clock::{Duration, Now};
use protocol::{
    peer::{PeerId, Token},
    signaling::RoomSnapshot,
};
use ride::{
    recording::fit::SubSport,
    rider::{Bias, Ftp, RiderName},
};
use serde::{Deserialize, Serialize};

/// Rider as last entered in this browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredProfile {
    /// Name as typed; empty where only the FTP is known.
    pub name: String,
    /// FTP in watts.
    pub ftp: u16,
}

impl StoredProfile {
    /// Name and FTP, unless they were stored by another version or tampered with.
    pub fn parse(&self) -> Option<(RiderName, Ftp)> {
        Some((self.name.parse().ok()?, Ftp::new(self.ftp).ok()?))
    }
}

/// Devices that this browser's rider has paired, and what they are used for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredDevices {
    /// Device of each kind, in the order of `DeviceKind::ALL`.
    pub devices: Vec<Option<StoredDevice>>,
    /// Index of the kind of device that power comes from; `None` for the most exact one.
    pub power_source: Option<usize>,
    /// Index of the kind of device that cadence comes from.
    pub cadence_source: Option<usize>,
    /// True if the trainer is steered by the power meter.
    pub matches_power: bool,
}

/// Device that was paired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredDevice {
    /// Id that the browser has given it.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Identity of a rider in one ride: proof for the server and the other riders that a reloaded page
/// is the same rider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredIdentity {
    /// Id given by the server.
    pub peer: PeerId,
    /// Token given by the server.
    pub token: Token,
    /// Seed of the rider's keys.
    pub seed: [u8; 32],
    /// Name and FTP in this ride.
    pub profile: StoredProfile,
    /// Start number; 0 while it is not known.
    #[serde(default)]
    pub number: u32,
    /// Share in percent of the workout's targets at which the rider rides.
    #[serde(default = "full_bias")]
    pub bias: u8,
    /// True if the rider was ready.
    pub ready: bool,
    /// True if the rider used the simulator.
    pub simulated: bool,
    /// Group time minus the wall clock of the page, in microseconds, when last known.
    pub group_offset: Option<i64>,
    /// Unix time in milliseconds at which this was stored; `None` if an older version stored it.
    #[serde(default)]
    pub stored_at: Option<u64>,
    /// State of the room when last known, for a server that lost its memory.
    #[serde(default)]
    pub room_snapshot: Option<RoomSnapshot>,
    /// True until the ride has ended.
    #[serde(default)]
    pub is_under_way: bool,
}

/// Name of a rider in one ride.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredName {
    /// Id of the rider.
    pub peer: PeerId,
    /// Name.
    pub name: String,
}

/// Bias of a rider that an older version stored.
fn full_bias() -> u8 {
    Bias::default().percent()
}

impl StoredIdentity {
    /// Group time minus the monotonic clock, in microseconds, for a page that was loaded again.
    ///
    /// Group time goes on by the wall clock. For a rider who was alone it waits instead if more than
    /// `max_absence` has passed: no other rider rode on, and the ride would be over. It waits, too, if
    /// the wall clock was set back, since the time that has passed is not known.
    pub(crate) fn group_offset_at(&self, now: Now, max_absence: Duration) -> Option<i64> {
        let by_wall = self.group_offset?.saturating_add(wall_lead_micros(now));
        let Some(stored_at) = self.stored_at else {
            return Some(by_wall);
        };
        let millis = |unix_ms| i64::try_from(unix_ms).unwrap_or(i64::MAX);
        let passed = millis(now.wall.unix_ms()) - millis(stored_at);
        let was_alone = |room: &RoomSnapshot| room.members.is_empty();
        let was_alone = self.room_snapshot.as_ref().is_some_and(was_alone);
        let is_long = passed > max_absence.as_millis() as i64;
        let waits = passed < 0 || (is_long && was_alone);
        let waited = if waits {
            passed.saturating_mul(1_000)
        } else {
            0
        };
        Some(by_wall.saturating_sub(waited))
    }
}

/// Microseconds by which the wall clock is ahead of the monotonic clock.
pub(crate) fn wall_lead_micros(now: Now) -> i64 {
    let wall = (now.wall.unix_ms() as i64).saturating_mul(1_000);
    wall.saturating_sub(now.moment.since_origin().as_micros() as i64)
}

/// Everything that a browser has stored about one ride.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredRide {
    /// Rider of this tab.
    pub tab_identity: Option<StoredIdentity>,
    /// True if the browser knows that no other page rides as the rider of this tab, so that this
    /// is the same tab and not a copy of it.
    pub tab_is_alone: bool,
    /// Riders that this browser has been in the ride, newest first.
    pub known_identities: Vec<StoredIdentity>,
    /// True if name and FTP for this ride were entered in this tab just now, on another page.
    pub joining: bool,
    /// True if a rider of this browser was banned from the ride.
    pub banned: bool,
    /// Rider as last entered.
    pub profile: Option<StoredProfile>,
    /// Encoded timeline.
    pub timeline: Option<Vec<u8>>,
    /// Names of the riders so far, also of those who have left.
    pub names: Vec<StoredName>,
}

/// Change of the stored data.
#[derive(Clone, Debug, PartialEq)]
pub enum StorageCommand {
    /// Store the rider as last entered.
    SaveProfile(StoredProfile),
    /// Store the paired devices.
    SaveDevices(StoredDevices),
    /// Store the identity of this tab's rider.
    SaveIdentity(Box<StoredIdentity>),
    /// Forget a rider who left, or whose ride is over.
    ForgetIdentity(PeerId),
    /// Store the encoded timeline.
    SaveTimeline(Vec<u8>),
    /// Store the names of the riders so far.
    SaveNames(Vec<StoredName>),
    /// Store that a rider of this browser was banned from the ride.
    SaveBan,
    /// Mark this tab as hidden: when it opens the ride again, it is the same tab after a reload.
    MarkHidden,
    /// Remove [`StoredRide::joining`]: the rider joins.
    ClearJoining,
    /// Remove the mark: the tab is visible again.
    ClearHidden,
    /// Store the FTP of the rider, for all rides.
    SaveFtp(Ftp),
    /// Store the kind of ride for FIT files, for all rides.
    SaveSubSport(SubSport),
}
