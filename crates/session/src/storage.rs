//! Data that a browser stores about rides, for reloads, crashes and new tabs.

use clock::{Duration, Now};
use protocol::{
    peer::{PeerId, Token},
    signaling::RoomSnapshot,
};
use ride::{
    recording::fit::SubSport,
    rider::{Bias, Ftp, RiderName},
    trainer::DeviceKind,
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
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredDevices {
    /// Devices, each with its kind; at most one of a kind.
    pub devices: Vec<(DeviceKind, StoredDevice)>,
    /// Kind of device that power comes from; `None` for the most exact one.
    pub power_source: Option<DeviceKind>,
    /// Kind of device that cadence comes from.
    pub cadence_source: Option<DeviceKind>,
    /// True if the trainer is steered by the power meter.
    pub matches_power: bool,
}

/// Device that was paired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDevice {
    /// Id that the browser has given it.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Names of the kinds of devices in [`StoredDevices::to_text`], in the order of `DeviceKind::ALL`.
const KINDS: [&str; 4] = ["trainer", "power-meter", "heart-rate", "cadence"];

/// Longest id and name of a device in bytes; others were not written by this app.
const MAX_WORD: usize = 300;

impl StoredDevices {
    /// Text with a line for each device and setting, and tabs between their values.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |words: [&str; 3]| {
            for (word, end) in words.into_iter().zip(["\t", "\t", "\n"]) {
                text.extend(word.chars().filter(|letter| !letter.is_control()));
                text.push_str(end);
            }
        };
        for (kind, device) in &self.devices {
            line([KINDS[*kind as usize], &device.id, &device.name]);
        }
        let sources = [
            ("power-source", self.power_source),
            ("cadence-source", self.cadence_source),
        ];
        for (name, source) in sources {
            if let Some(kind) = source {
                line([name, KINDS[kind as usize], ""]);
            }
        }
        if self.matches_power {
            line(["power-match", "", ""]);
        }
        text
    }

    /// Reads what [`StoredDevices::to_text`] has written. Lines that cannot be read are left out.
    pub fn from_text(text: &str) -> Self {
        let kind_of = |name: &str| {
            let at = KINDS.iter().position(|kind| *kind == name);
            at.map(|at| DeviceKind::ALL[at])
        };
        let mut stored = Self::default();
        for line in text.lines() {
            let mut words = line.split('\t');
            let mut next = || words.next().unwrap_or_default();
            let (key, id, name) = (next(), next(), next());
            if id.len().max(name.len()) > MAX_WORD {
                continue;
            }
            match key {
                "power-source" => stored.power_source = kind_of(id),
                "cadence-source" => stored.cadence_source = kind_of(id),
                "power-match" => stored.matches_power = true,
                _ => {
                    let is_known = |kind| stored.devices.iter().any(|(known, _)| *known == kind);
                    if let Some(kind) = kind_of(key).filter(|kind| !is_known(*kind)) {
                        let (id, name) = (id.to_owned(), name.to_owned());
                        stored.devices.push((kind, StoredDevice { id, name }));
                    }
                }
            }
        }
        stored
    }
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
    /// Number of phones' links that the rider has made invalid.
    #[serde(default)]
    pub revoked_links: u32,
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
    /// Store this text about the phone as bridge, for
    /// [`BridgeSession::new`](crate::bridge::BridgeSession::new).
    SaveBridge(String),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_come_back_as_they_were_stored() {
        let device = |id: &str, name: &str| StoredDevice {
            id: id.to_owned(),
            name: name.to_owned(),
        };
        let stored = StoredDevices {
            devices: vec![
                (DeviceKind::Trainer, device("a==", "Kickr \u{e9}lite")),
                (DeviceKind::Cadence, device("", "Crank")),
            ],
            power_source: Some(DeviceKind::PowerMeter),
            cadence_source: None,
            matches_power: true,
        };
        assert_eq!(StoredDevices::from_text(&stored.to_text()), stored);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let text =
            "nonsense\ntrainer\tone\tFirst\ntrainer\ttwo\tSecond\npower-source\trocket\n\u{0}";
        let stored = StoredDevices::from_text(text);
        assert_eq!(stored.devices.len(), 1);
        assert_eq!(stored.devices[0].1.name, "First");
        assert_eq!(stored.power_source, None);
        assert_eq!(StoredDevices::from_text(""), StoredDevices::default());
        let long = format!("trainer\tone\t{}", "x".repeat(MAX_WORD + 1));
        assert_eq!(StoredDevices::from_text(&long), StoredDevices::default());
    }

    #[test]
    fn a_name_with_tabs_and_lines_is_one_device() {
        let name = "A\tB\ntrainer\tx".to_owned();
        let id = "1".to_owned();
        let stored = StoredDevices {
            devices: vec![(DeviceKind::HeartRate, StoredDevice { id, name })],
            ..StoredDevices::default()
        };
        let read = StoredDevices::from_text(&stored.to_text());
        assert_eq!(read.devices.len(), 1);
        assert_eq!(read.devices[0].0, DeviceKind::HeartRate);
    }
}
