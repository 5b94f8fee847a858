//! Power of all riders over the ride so far, for the charts, as a share of each rider's own FTP.
//!
//! Layout: [`History`] is the history that a page knows, [`HistorySnapshot`] with its [`Track`]s is
//! the form that riders send to each other, and [`HistorySync`] chooses the riders to request it
//! from.
//!
//! A point is one byte for a [`SLOT`] of the time ridden: 720 bytes per hour and rider, at most 17 kB
//! for a ride of 24 hours. The points serve the charts only; the recording holds every second.
//!
//! Contract:
//! - Points are indexed by the time ridden, which all riders share, so that snapshots of different
//!   riders match without clock synchronization.
//! - Own measurements are never replaced. Received points fill gaps only.
//! - Received data never makes the history grow beyond [`MAX_RIDERS`] riders of [`MAX_SLOTS`] points.

mod sync;

use litemap::LiteMap;

use core::time::Duration;

use clock::GroupTime;
use minicbor::{Decode, Encode};
use protocol::peer::PeerId;

pub use sync::{HistorySync, REQUEST_TIMEOUT};

use crate::rider::{Ftp, RiderName};
use crate::wire;
use crate::workout::MAX_DURATION;

/// Length of time ridden that one point covers.
pub const SLOT: Duration = Duration::from_secs(5);
/// Largest number of points of a rider, enough for the longest workout. Riding time beyond that,
/// after many backs, has no points.
pub const MAX_SLOTS: usize = (MAX_DURATION.as_secs() / SLOT.as_secs()) as usize;
/// Largest number of riders: twice the size of a full ride, since riders leave and others join.
pub const MAX_RIDERS: usize = 64;
/// Highest power of a point in percent of FTP. Higher power is cut to this value.
const MAX_PERCENT: u32 = 254;

/// Points of one rider as they are sent.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Track {
    /// Peer id of the rider.
    #[cbor(n(0), with = "wire::peer_id")]
    pub rider: PeerId,
    /// Name of the rider, if known, so that riders that have left keep a name.
    #[n(1)]
    pub name: Option<RiderName>,
    /// Slot of the first point, counted from the start.
    #[n(2)]
    pub first_slot: u32,
    /// One byte per slot: 0 for no data, otherwise the percent of FTP plus one.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub points: Vec<u8>,
}

/// Points of all riders in one ride.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct HistorySnapshot {
    /// Start of the ride, which identifies it.
    #[n(0)]
    pub started: GroupTime,
    /// Tracks of the riders that have points.
    #[n(1)]
    pub tracks: Vec<Track>,
}

/// History of the ride, as far as a page knows it.
#[derive(Clone, Debug, Default)]
pub struct History {
    traces: LiteMap<PeerId, RiderTrace>,
}

#[derive(Clone, Debug, Default)]
struct RiderTrace {
    name: Option<RiderName>,
    /// Points from the start of the ride, encoded as in [`Track::points`].
    points: Vec<u8>,
    current: SlotAverage,
}

/// Average of the newest slot.
#[derive(Clone, Copy, Debug, Default)]
struct SlotAverage {
    slot: usize,
    percents: u64,
    count: u64,
}

impl History {
    /// Adds a power reading of a rider at a time ridden. A reading of a slot before the newest one
    /// is ignored.
    pub fn record(&mut self, rider: &PeerId, elapsed: Duration, power: u16, ftp: Ftp) {
        let slot = slot_of(elapsed);
        let Some(trace) = self.trace_mut(rider).filter(|_| slot < MAX_SLOTS) else {
            return;
        };
        if trace.current.count == 0 || slot > trace.current.slot {
            trace.current = SlotAverage {
                slot,
                ..SlotAverage::default()
            };
        }
        if slot == trace.current.slot {
            trace.current.percents += u64::from(power) * 100 / u64::from(ftp.watts());
            trace.current.count += 1;
            let mean = trace.current.percents / trace.current.count;
            trace.set(slot, point(mean));
        }
    }

    /// Sets the name of a rider.
    pub fn set_name(&mut self, rider: &PeerId, name: RiderName) {
        if let Some(trace) = self.trace_mut(rider) {
            trace.name = Some(name);
        }
    }

    /// Fills gaps with received tracks. Tracks beyond a limit are left out.
    pub fn merge(&mut self, tracks: Vec<Track>) {
        for track in tracks.into_iter().take(MAX_RIDERS) {
            let first = track.first_slot as usize;
            if first.saturating_add(track.points.len()) > MAX_SLOTS {
                continue;
            }
            let Some(trace) = self.trace_mut(&track.rider) else {
                continue;
            };
            trace.name = trace.name.take().or(track.name);
            for (slot, point) in (first..).zip(track.points) {
                if point != 0 && trace.at(slot) == 0 {
                    trace.set(slot, point);
                }
            }
        }
    }

    /// Tracks of all riders that have points, without empty slots at either end.
    pub fn tracks(&self) -> Vec<Track> {
        let tracks = self.traces.iter().filter_map(|(rider, trace)| {
            let first = trace.points.iter().position(|point| *point != 0)?;
            Some(Track {
                rider: rider.clone(),
                name: trace.name.clone(),
                first_slot: u32::try_from(first).ok()?,
                points: trace.points[first..].to_vec(),
            })
        });
        tracks.collect()
    }

    /// Riders that have points, with their names if known.
    pub fn riders(&self) -> impl Iterator<Item = (&PeerId, Option<&RiderName>)> {
        let with_points = self
            .traces
            .iter()
            .filter(|(_, trace)| !trace.points.is_empty());
        with_points.map(|(rider, trace)| (rider, trace.name.as_ref()))
    }

    /// Percent of FTP in the last `count` complete slots, oldest first; fewer at the beginning of
    /// the ride.
    pub fn recent(&self, rider: &PeerId, elapsed: Duration, count: usize) -> Vec<Option<u8>> {
        let end = slot_of(elapsed);
        self.between(rider, end.saturating_sub(count), end)
    }

    /// Percent of FTP in all slots up to a time ridden, including the current slot, oldest first.
    pub fn whole(&self, rider: &PeerId, elapsed: Duration) -> Vec<Option<u8>> {
        let end = elapsed.as_millis().div_ceil(SLOT.as_millis());
        let end = usize::try_from(end).unwrap_or(MAX_SLOTS);
        self.between(rider, 0, end.min(MAX_SLOTS))
    }

    fn between(&self, rider: &PeerId, from: usize, to: usize) -> Vec<Option<u8>> {
        let trace = self.traces.get(rider);
        let point = |slot| trace.map_or(0, |trace| trace.at(slot));
        (from..to).map(|slot| point(slot).checked_sub(1)).collect()
    }

    /// Trace of a rider, created if there is room for another rider.
    fn trace_mut(&mut self, rider: &PeerId) -> Option<&mut RiderTrace> {
        if !self.traces.contains_key(rider) {
            if self.traces.len() >= MAX_RIDERS {
                return None;
            }
            self.traces.insert(rider.clone(), RiderTrace::default());
        }
        self.traces.get_mut(rider)
    }
}

impl RiderTrace {
    fn at(&self, slot: usize) -> u8 {
        self.points.get(slot).copied().unwrap_or_default()
    }

    /// Sets a point. Callers keep `slot` below [`MAX_SLOTS`].
    fn set(&mut self, slot: usize, point: u8) {
        if self.points.len() <= slot {
            self.points.resize(slot + 1, 0);
        }
        self.points[slot] = point;
    }
}

fn slot_of(elapsed: Duration) -> usize {
    usize::try_from(elapsed.as_secs() / SLOT.as_secs()).unwrap_or(usize::MAX)
}

fn point(percent: u64) -> u8 {
    // At most 255.
    (percent.min(MAX_PERCENT.into()) + 1) as u8
}

#[cfg(test)]
mod tests;
