//! The riders of the ride and their rows on the screen.

use std::time::Duration;

use leptos::prelude::*;
use protocol::peer::{LinkState, PeerId, PeerNumber};
use ride::{message::Telemetry, rider::RiderProfile};

use crate::state::{CandidatePair, LinkStats, Metrics, RiderRow, Trace};

/// Numbers older than this are stale.
const STALE_AFTER: Duration = Duration::from_secs(3);

/// Without a server, which knows its own time, a rider who is away for so long is off
/// the list.
const GONE_AFTER: Duration = Duration::from_secs(30);

/// The riders in order of arrival.
#[derive(Default)]
pub(super) struct Roster {
    entries: Vec<Entry>,
    /// How many rows there have been.
    rows: u32,
}

struct Entry {
    peer: PeerId,
    number: PeerNumber,
    row: RiderRow,
    /// When the newest numbers were measured, by the own clock.
    measured: Option<Duration>,
    /// Since when the rider is away.
    away_since: Option<Duration>,
    /// Away for so long, without a server to say so, that they are off the list.
    gone: bool,
}

impl Roster {
    /// Adds a rider, or finds the one who is back.
    pub(super) fn add(&mut self, peer: &PeerId, number: PeerNumber, is_self: bool) -> &RiderRow {
        let renumbered = self
            .position(peer)
            .filter(|at| self.entries[*at].number != number);
        if let Some(at) = renumbered {
            self.entries.remove(at);
        }
        let at = match self.position(peer) {
            Some(at) => at,
            None => {
                self.rows += 1;
                let at = self.entries.partition_point(|entry| entry.number < number);
                let row = RiderRow::new(peer.clone(), self.rows, is_self);
                row.number.set(number.0);
                let entry = Entry {
                    peer: peer.clone(),
                    number,
                    row,
                    measured: None,
                    away_since: None,
                    gone: false,
                };
                self.entries.insert(at, entry);
                at
            }
        };
        &self.entries[at].row
    }

    /// The peer ids.
    pub(super) fn peers(&self) -> Vec<PeerId> {
        self.entries
            .iter()
            .map(|entry| entry.peer.clone())
            .collect()
    }

    /// The riders that a message reaches now, the longest present first.
    pub(super) fn in_reach(&self) -> Vec<PeerId> {
        let reached = |entry: &&Entry| {
            let link = entry.row.link.get_untracked();
            !entry.row.is_self && matches!(link, LinkState::Relayed | LinkState::Direct)
        };
        let entries = self.entries.iter().filter(reached);
        entries.map(|entry| entry.peer.clone()).collect()
    }

    /// Draws the trace of every rider.
    pub(super) fn trace(&self, trace: impl Fn(&PeerId) -> Trace) {
        for entry in &self.entries {
            put(&entry.row.trace, trace(&entry.peer));
        }
    }

    /// Takes a rider off and gives their name, unless they were off the list already.
    pub(super) fn remove(&mut self, peer: &PeerId) -> Option<String> {
        let at = self.position(peer)?;
        let entry = self.entries.remove(at);
        (!entry.gone).then(|| entry.row.name.get_untracked())
    }

    /// Takes those off the list who have been away for long, and gives their names.
    pub(super) fn lose_the_gone(&mut self, now: Duration) -> Vec<String> {
        let is_gone = |entry: &&mut Entry| {
            let since = entry.away_since.filter(|_| !entry.gone);
            since.is_some_and(|since| now.saturating_sub(since) >= GONE_AFTER)
        };
        let gone = self.entries.iter_mut().filter(is_gone);
        let names = gone.map(|entry| {
            entry.gone = true;
            entry.row.name.get_untracked()
        });
        names.collect()
    }

    /// The rows as they stand.
    pub(super) fn rows(&self) -> Vec<RiderRow> {
        let listed = self.entries.iter().filter(|entry| !entry.gone);
        listed.map(|entry| entry.row.clone()).collect()
    }

    /// Whether these riders, and nobody else, are on the list.
    pub(super) fn retain(&mut self, present: impl Fn(&PeerId) -> bool) {
        self.entries.retain(|entry| present(&entry.peer));
    }

    /// The row of a rider.
    pub(super) fn row(&self, peer: &PeerId) -> Option<&RiderRow> {
        self.position(peer).map(|at| &self.entries[at].row)
    }

    /// The name of a rider, empty while unknown.
    pub(super) fn name(&self, peer: &PeerId) -> String {
        self.row(peer)
            .map(|row| row.name.get_untracked())
            .unwrap_or_default()
    }

    /// Takes over what a rider says about themselves.
    pub(super) fn introduce(&self, peer: &PeerId, profile: &RiderProfile) {
        let Some(row) = self.row(peer) else { return };
        put(&row.name, profile.name.as_str().to_owned());
        put(&row.ftp, Some(profile.ftp.watts()));
        put(&row.ready, profile.ready);
        put(&row.trainer, profile.trainer);
    }

    /// Takes over a rider's numbers, measured at `measured` by the own clock.
    /// Older ones than the last are dropped.
    pub(super) fn measure(
        &mut self,
        now: Duration,
        peer: &PeerId,
        numbers: &Telemetry,
        measured: Duration,
    ) {
        let Some(at) = self.position(peer) else {
            return;
        };
        let entry = &mut self.entries[at];
        if entry.measured.is_some_and(|last| measured < last) {
            return;
        }
        entry.measured = Some(measured);
        let metrics = Metrics {
            power: numbers.power,
            cadence: numbers.cadence,
            heart_rate: numbers.heart_rate,
            target: numbers.target,
            elapsed_ms: numbers.elapsed_ms,
            position_ms: numbers.position_ms.unwrap_or(numbers.elapsed_ms),
        };
        put(&entry.row.metrics, metrics);
        entry.age(now);
    }

    /// Starts a rider's numbers anew: their page has been loaded again.
    pub(super) fn forget_numbers(&mut self, peer: &PeerId) {
        if let Some(at) = self.position(peer) {
            self.entries[at].measured = None;
        }
    }

    /// Marks old numbers as stale.
    pub(super) fn age(&self, now: Duration) {
        self.entries.iter().for_each(|entry| entry.age(now));
    }

    /// Brings what is known of the way to each of the others up to date.
    pub(super) fn show_facts(
        &self,
        now: Duration,
        facts: impl Fn(&PeerId, LinkStats) -> LinkStats,
    ) {
        for entry in self.entries.iter().filter(|entry| !entry.row.is_self) {
            let before = entry.row.link_stats.get_untracked();
            let age = entry.measured.map(|measured| now.saturating_sub(measured));
            put(
                &entry.row.link_stats,
                facts(&entry.peer, LinkStats { age, ..before }),
            );
        }
    }

    /// Shows between which candidates the link to a rider runs.
    pub(super) fn show_candidate_pair(&self, peer: &PeerId, candidate_pair: Option<CandidatePair>) {
        if let Some(row) = self.row(peer) {
            let before = row.link_stats.get_untracked();
            put(
                &row.link_stats,
                LinkStats {
                    candidate_pair,
                    ..before
                },
            );
        }
    }

    /// Shows the link to a rider; true if that brings them back on the list.
    pub(super) fn link(&mut self, now: Duration, peer: &PeerId, state: LinkState) -> bool {
        let Some(at) = self.position(peer) else {
            return false;
        };
        let entry = &mut self.entries[at];
        put(&entry.row.link, state);
        if state == LinkState::Away {
            entry.away_since.get_or_insert(now);
            return false;
        }
        entry.away_since = None;
        std::mem::take(&mut entry.gone)
    }

    /// Shows who is host.
    pub(super) fn crown(&self, host: &PeerId) {
        for entry in &self.entries {
            put(&entry.row.host, entry.peer == *host);
        }
    }

    fn position(&self, peer: &PeerId) -> Option<usize> {
        self.entries.iter().position(|entry| entry.peer == *peer)
    }
}

impl Entry {
    fn age(&self, now: Duration) {
        let is_young = |measured| now.saturating_sub(measured) <= STALE_AFTER;
        let fresh = self.row.is_self || self.measured.is_some_and(is_young);
        put(&self.row.stale, !fresh);
    }
}

/// Writes a signal if that changes it, so that nothing is redrawn for nothing.
fn put<T: PartialEq + Clone + Send + Sync + 'static>(signal: &ArcRwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}
