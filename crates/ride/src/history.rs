//! What every rider has ridden so far, for the charts: power as a share of their own FTP.
//!
//! Layout: [`History`] is what one page knows, [`Track`] is one rider's part of it as it travels,
//! and [`Inquiry`] decides whom a newcomer asks for it.
//!
//! A point is one byte for [`SLOT`] of the time ridden: 720 bytes an hour and rider, at most 17 kB
//! for a ride of 24 hours. It is for looking at, not for keeping: the recording holds every second.
//!
//! The law:
//! - Points lie on the time ridden, which is everybody's, so that what different riders tell fits
//!   together without a clock.
//! - What was measured here stands. What others tell fills gaps and replaces nothing.
//! - Nothing that is told makes it grow beyond [`MAX_RIDERS`] of [`MAX_SLOTS`] points.

mod inquiry;

use std::collections::BTreeMap;

use core::time::Duration;

use minicbor::{Decode, Encode};

pub use inquiry::{ANSWERED_WITHIN, Inquiry};

use crate::rider::{Ftp, RiderName};
use crate::timeline::GroupTime;
use crate::workout::MAX_DURATION;

/// The time ridden that one point stands for.
pub const SLOT: Duration = Duration::from_secs(5);
/// The most points of a rider: the longest workout. What is ridden beyond it, by going back again
/// and again, has no points.
pub const MAX_SLOTS: usize = (MAX_DURATION.as_secs() / SLOT.as_secs()) as usize;
/// The most riders: twice as many as are in a ride at a time, since some leave and others come.
pub const MAX_RIDERS: usize = 64;
/// The most bytes of a peer id.
const MAX_RIDER_BYTES: usize = 64;
/// The highest share of FTP that a point tells, in percent; more is told as this.
const MAX_PERCENT: u32 = 254;

/// One rider's points as they travel.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Track {
    /// The peer id, at most 64 bytes.
    #[n(0)]
    pub rider: String,
    /// What to call them, so that those who have left have a name too; none while unknown.
    #[n(1)]
    pub name: Option<RiderName>,
    /// The slot of the first point, counted from the start.
    #[n(2)]
    pub first: u32,
    /// One byte a slot: 0 where nothing is known, else the percent of FTP plus one.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub points: Vec<u8>,
}

/// Everybody's points in one ride.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Told {
    /// The start of the ride that it is about.
    #[n(0)]
    pub started: GroupTime,
    /// Of those who have points.
    #[n(1)]
    pub tracks: Vec<Track>,
}

/// What a page knows of everybody's ride.
#[derive(Clone, Debug, Default)]
pub struct History {
    lines: BTreeMap<String, Line>,
}

#[derive(Clone, Debug, Default)]
struct Line {
    name: Option<RiderName>,
    /// From the start, as in [`Track::points`].
    points: Vec<u8>,
    filling: Filling,
}

/// The numbers of the newest slot.
#[derive(Clone, Copy, Debug, Default)]
struct Filling {
    slot: usize,
    percents: u64,
    count: u64,
}

impl History {
    /// Takes over a rider's power at a moment of the time ridden.
    pub fn measure(&mut self, rider: &str, elapsed: Duration, power: u16, ftp: Ftp) {
        let slot = slot_of(elapsed);
        let Some(line) = self.line_mut(rider).filter(|_| slot < MAX_SLOTS) else {
            return;
        };
        if line.filling.count == 0 || slot > line.filling.slot {
            line.filling = Filling {
                slot,
                ..Filling::default()
            };
        }
        // Numbers that come late are of a slot that is closed.
        if slot == line.filling.slot {
            line.filling.percents += u64::from(power) * 100 / u64::from(ftp.watts());
            line.filling.count += 1;
            let mean = line.filling.percents / line.filling.count;
            line.set(slot, point(mean));
        }
    }

    /// Takes over what to call a rider, if they have points or will have.
    pub fn introduce(&mut self, rider: &str, name: RiderName) {
        if let Some(line) = self.line_mut(rider) {
            line.name = Some(name);
        }
    }

    /// Fills the gaps with what somebody tells. What breaks a limit is left out.
    pub fn merge(&mut self, tracks: Vec<Track>) {
        for track in tracks.into_iter().take(MAX_RIDERS) {
            let first = track.first as usize;
            if first.saturating_add(track.points.len()) > MAX_SLOTS {
                continue;
            }
            let Some(line) = self.line_mut(&track.rider) else {
                continue;
            };
            line.name = line.name.take().or(track.name);
            for (slot, point) in (first..).zip(track.points) {
                if point != 0 && line.at(slot) == 0 {
                    line.set(slot, point);
                }
            }
        }
    }

    /// All there is to tell, without the slots that are empty at either end.
    pub fn tracks(&self) -> Vec<Track> {
        let told = self.lines.iter().filter_map(|(rider, line)| {
            let first = line.points.iter().position(|point| *point != 0)?;
            Some(Track {
                rider: rider.clone(),
                name: line.name.clone(),
                first: u32::try_from(first).ok()?,
                points: line.points[first..].to_vec(),
            })
        });
        told.collect()
    }

    /// The riders who have points, by peer id, and what to call them.
    pub fn riders(&self) -> impl Iterator<Item = (&str, Option<&RiderName>)> {
        let ridden = self
            .lines
            .iter()
            .filter(|(_, line)| !line.points.is_empty());
        ridden.map(|(rider, line)| (rider.as_str(), line.name.as_ref()))
    }

    /// The percent of FTP of the last `count` slots that are over by then, oldest first. There are
    /// fewer at the beginning of a ride.
    pub fn recent(&self, rider: &str, elapsed: Duration, count: usize) -> Vec<Option<u8>> {
        let end = slot_of(elapsed);
        self.between(rider, end.saturating_sub(count), end)
    }

    /// The percent of FTP of every slot that had begun by then, oldest first.
    pub fn whole(&self, rider: &str, elapsed: Duration) -> Vec<Option<u8>> {
        let end = elapsed.as_millis().div_ceil(SLOT.as_millis());
        let end = usize::try_from(end).unwrap_or(MAX_SLOTS);
        self.between(rider, 0, end.min(MAX_SLOTS))
    }

    fn between(&self, rider: &str, from: usize, to: usize) -> Vec<Option<u8>> {
        let line = self.lines.get(rider);
        let point = |slot| line.map_or(0, |line| line.at(slot));
        (from..to).map(|slot| point(slot).checked_sub(1)).collect()
    }

    /// The line of a rider, begun if need be; none where there are too many or the name is none.
    fn line_mut(&mut self, rider: &str) -> Option<&mut Line> {
        if rider.len() > MAX_RIDER_BYTES {
            return None;
        }
        if !self.lines.contains_key(rider) {
            if self.lines.len() >= MAX_RIDERS {
                return None;
            }
            self.lines.insert(rider.to_owned(), Line::default());
        }
        self.lines.get_mut(rider)
    }
}

impl Line {
    fn at(&self, slot: usize) -> u8 {
        self.points.get(slot).copied().unwrap_or_default()
    }

    /// The slot is below [`MAX_SLOTS`].
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
