//! Riders of the ride and their rows on the screen.

use std::sync::Arc;

use clock::{Duration, Moment};
use protocol::peer::{LinkState, PeerId, PeerNumber};
use ride::{
    message::Telemetry,
    rider::{RiderProfile, TrainerKind},
};

use crate::{
    storage::StoredName,
    view::{self, CandidatePair, LinkStats, Metrics, Row, Trace},
};

/// Age from which metrics are stale.
const STALE_AFTER: Duration = Duration::from_secs(3);
/// Time without a link after which a rider is taken off the list while the server, which otherwise
/// decides it, is unreachable.
const GONE_AFTER: Duration = Duration::from_secs(30);
/// Largest number of names that are remembered; the server allows half as many riders at once.
const MAX_NAMES: usize = 128;

/// Riders in order of arrival.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    entries: Vec<Entry>,
    /// Number of rows created so far.
    rows: u32,
    /// Names of all riders so far, from this page load and from earlier ones.
    names: Vec<StoredName>,
}

#[derive(Clone, Debug)]
struct Entry {
    row: Row,
    /// Time of the newest metrics, by the own clock.
    measured_at: Option<Moment>,
    /// Time since which there has been no link.
    unreachable_since: Option<Moment>,
    /// Taken off the list after [`GONE_AFTER`]; the rider may return.
    gone: bool,
}

impl Roster {
    /// Adds a rider, or finds the one who is back. A rider with a new number gets a new row.
    pub(crate) fn add(&mut self, peer: &PeerId, number: PeerNumber, is_self: bool) {
        self.entries
            .retain(|entry| entry.row.peer != *peer || entry.row.number == number.0);
        if self.entry(peer).is_some() {
            return;
        }
        self.rows += 1;
        let row = Row {
            id: self.rows,
            peer: peer.clone(),
            is_self,
            number: number.0,
            name: self.name(peer).to_owned(),
            shares_name: false,
            ftp: None,
            ready: false,
            trainer: TrainerKind::None,
            is_host: false,
            link: LinkState::Connecting,
            stale: true,
            metrics: Metrics::default(),
            link_stats: LinkStats::default(),
            trace: Arc::default(),
        };
        let entry = Entry {
            row,
            measured_at: None,
            unreachable_since: None,
            gone: false,
        };
        let at = self
            .entries
            .partition_point(|entry| entry.row.number < number.0);
        self.entries.insert(at, entry);
        self.compare_names();
    }

    /// Removes a rider and returns the label, unless the rider was off the list already.
    pub(crate) fn remove(&mut self, peer: &PeerId) -> Option<String> {
        let at = self
            .entries
            .iter()
            .position(|entry| entry.row.peer == *peer)?;
        let entry = self.entries.remove(at);
        self.compare_names();
        (!entry.gone).then(|| entry.label())
    }

    /// Keeps the riders that `present` names, and removes the others.
    pub(crate) fn retain(&mut self, present: impl Fn(&PeerId) -> bool) {
        self.entries.retain(|entry| present(&entry.row.peer));
        self.compare_names();
    }

    /// Takes the names of riders that an earlier page load knew.
    pub(crate) fn remember(&mut self, names: Vec<StoredName>) {
        for known in names {
            if self.remembered(&known.peer).is_none() {
                self.names.push(known);
            }
        }
    }

    /// Names of all riders so far, to be stored.
    pub(crate) fn names(&self) -> &[StoredName] {
        &self.names
    }

    fn remembered(&self, peer: &PeerId) -> Option<&StoredName> {
        self.names.iter().find(|known| known.peer == *peer)
    }

    /// Rows of the list.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        let listed = self.entries.iter().filter(|entry| !entry.gone);
        listed.map(|entry| &entry.row)
    }

    /// Row of a rider, on the list or not.
    pub(crate) fn row(&self, peer: &PeerId) -> Option<&Row> {
        self.entry(peer).map(|entry| &entry.row)
    }

    /// Ids of all riders, on the list or not.
    pub(crate) fn peers(&self) -> impl Iterator<Item = &PeerId> {
        self.entries.iter().map(|entry| &entry.row.peer)
    }

    /// Name of a rider, on the list or not; empty while unknown.
    pub(crate) fn name(&self, peer: &PeerId) -> &str {
        self.remembered(peer).map_or("", |known| &known.name)
    }

    /// Name by which a rider is told from all others, see [`view::numbered`]; empty while unknown.
    pub(crate) fn label(&self, peer: &PeerId) -> String {
        let entry = self.entry(peer);
        entry.map_or_else(|| self.name(peer).to_owned(), Entry::label)
    }

    /// Tells whether the rider's profile has arrived.
    pub(crate) fn has_profile(&self, peer: &PeerId) -> bool {
        self.row(peer).is_some_and(|row| row.ftp.is_some())
    }

    /// Marks the riders that have the same name as another one.
    fn compare_names(&mut self) {
        let looks: Vec<_> = self.entries.iter().map(|it| look(&it.row.name)).collect();
        for (entry, own) in self.entries.iter_mut().zip(&looks) {
            entry.row.shares_name = looks.iter().filter(|other| *other == own).count() > 1;
        }
    }

    /// Riders with a working link, the longest present first.
    pub(crate) fn reachable(&self) -> impl Iterator<Item = &PeerId> {
        let is_reachable =
            |row: &&Row| !row.is_self && matches!(row.link, LinkState::Relayed | LinkState::Direct);
        let rows = self.entries.iter().map(|entry| &entry.row);
        rows.filter(is_reachable).map(|row| &row.peer)
    }

    /// Takes a rider's profile. Returns whether the name is new.
    pub(crate) fn set_profile(&mut self, peer: &PeerId, profile: &RiderProfile) -> bool {
        let Some(entry) = self.entry_mut(peer) else {
            return false;
        };
        let row = &mut entry.row;
        profile.name.as_str().clone_into(&mut row.name);
        row.ftp = Some(profile.ftp.watts());
        row.ready = profile.ready;
        row.trainer = profile.trainer;
        self.compare_names();
        let name = profile.name.as_str();
        let is_new = self.name(peer) != name;
        if is_new {
            self.names.retain(|known| known.peer != *peer);
            if self.names.len() >= MAX_NAMES {
                self.names.remove(0);
            }
            self.names.push(StoredName {
                peer: peer.clone(),
                name: name.to_owned(),
            });
        }
        is_new
    }

    /// Takes a rider's metrics, measured at `measured_at` by the own clock. Metrics older than the
    /// newest are dropped.
    pub(crate) fn set_metrics(
        &mut self,
        now: Moment,
        peer: &PeerId,
        telemetry: &Telemetry,
        measured_at: Moment,
    ) {
        let Some(entry) = self.entry_mut(peer) else {
            return;
        };
        if entry.measured_at.is_some_and(|newest| measured_at < newest) {
            return;
        }
        entry.measured_at = Some(measured_at);
        entry.row.metrics = Metrics {
            power: telemetry.power,
            cadence: telemetry.cadence,
            heart_rate: telemetry.heart_rate,
            target: telemetry.target,
            elapsed_ms: telemetry.elapsed_ms,
            position_ms: telemetry.position_ms.unwrap_or(telemetry.elapsed_ms),
        };
        entry.update_stale(now);
    }

    /// Accepts metrics of any age again: the rider's page was reloaded.
    pub(crate) fn reset_metrics_age(&mut self, peer: &PeerId) {
        if let Some(entry) = self.entry_mut(peer) {
            entry.measured_at = None;
        }
    }

    /// Marks old metrics as stale.
    pub(crate) fn update_stale(&mut self, now: Moment) {
        self.entries
            .iter_mut()
            .for_each(|entry| entry.update_stale(now));
    }

    /// Takes the state of a link.
    pub(crate) fn set_link(&mut self, now: Moment, peer: &PeerId, state: LinkState) {
        let Some(entry) = self.entry_mut(peer) else {
            return;
        };
        entry.row.link = state;
        match state {
            LinkState::Away | LinkState::Connecting => {
                entry.unreachable_since.get_or_insert(now);
            }
            LinkState::Relayed | LinkState::Direct => {
                entry.unreachable_since = None;
                entry.gone = false;
            }
        }
    }

    /// Takes riders off the list who have been unreachable for [`GONE_AFTER`], and returns their
    /// labels.
    pub(crate) fn take_gone(&mut self, now: Moment) -> Vec<String> {
        let is_gone = |entry: &&mut Entry| {
            let since = entry.unreachable_since.filter(|_| !entry.gone);
            since.is_some_and(|since| now - since >= GONE_AFTER)
        };
        let gone = self.entries.iter_mut().filter(is_gone);
        let labels = gone.map(|entry| {
            entry.gone = true;
            entry.label()
        });
        labels.collect()
    }

    /// Marks the host.
    pub(crate) fn set_host(&mut self, host: &PeerId) {
        for entry in &mut self.entries {
            entry.row.is_host = entry.row.peer == *host;
        }
    }

    /// Updates the trace of every rider.
    pub(crate) fn set_traces(&mut self, trace: impl Fn(&PeerId) -> Trace) {
        for entry in &mut self.entries {
            entry.row.trace = trace(&entry.row.peer);
        }
    }

    /// Updates the statistics of every link. `stats` is given the previous ones with the current
    /// age of the metrics.
    pub(crate) fn update_link_stats(
        &mut self,
        now: Moment,
        stats: impl Fn(&PeerId, LinkStats) -> LinkStats,
    ) {
        for entry in self.entries.iter_mut().filter(|entry| !entry.row.is_self) {
            let before = LinkStats {
                age: entry.measured_at.map(|at| now - at),
                ..entry.row.link_stats
            };
            entry.row.link_stats = stats(&entry.row.peer, before);
        }
    }

    /// Takes the candidate pair of a link.
    pub(crate) fn set_candidate_pair(&mut self, peer: &PeerId, pair: Option<CandidatePair>) {
        if let Some(entry) = self.entry_mut(peer) {
            entry.row.link_stats.candidate_pair = pair;
        }
    }

    fn entry(&self, peer: &PeerId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.row.peer == *peer)
    }

    fn entry_mut(&mut self, peer: &PeerId) -> Option<&mut Entry> {
        self.entries
            .iter_mut()
            .find(|entry| entry.row.peer == *peer)
    }
}

/// Common form of names that look the same. Joiners and variation selectors are not seen, and the
/// page shows several spaces as one.
pub(crate) fn look(name: &str) -> String {
    let is_seen = |c: &char| !matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
    let words: Vec<_> = name.split_whitespace().collect();
    let seen: String = words.join(" ").chars().filter(is_seen).collect();
    seen.to_ascii_lowercase()
}

impl Entry {
    fn label(&self) -> String {
        let row = &self.row;
        match row.shares_name && !row.name.is_empty() {
            true => view::numbered(&row.name, row.number),
            false => row.name.clone(),
        }
    }

    fn update_stale(&mut self, now: Moment) {
        let is_fresh = |measured_at| now - measured_at <= STALE_AFTER;
        self.row.stale = !self.row.is_self && !self.measured_at.is_some_and(is_fresh);
    }
}
