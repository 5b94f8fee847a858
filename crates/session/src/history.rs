//! Power of all riders during the ride, for traces and for the chart of the summary.

use std::sync::Arc;

use clock::{Duration, GroupTime, Moment};
use mesh::peer_limits::{PeerLimits, PeerRequest};
use protocol::peer::{DeliveryClass, PeerId};
use ride::{
    history::{History, HistorySnapshot, HistorySync, SLOT},
    message::{PeerMessage, Telemetry},
    recording::Sample,
    rider::Ftp,
    timeline::{Phase, Timeline},
};

use crate::{
    group::Group,
    roster::Roster,
    view::{RideChart, RiderTrace},
};

/// Points of a rider's trace: ten minutes.
const TRACE_POINTS: usize = 120;
/// Time after the return to the group in which the other links come back, too.
const RETURN_TIME: Duration = Duration::from_secs(10);
/// Largest lead of another rider's time ridden over the own one. An estimate of group time that is
/// still settling is a second off, not more.
const MAX_LEAD: Duration = Duration::from_secs(10);

/// History of one ride: measured from telemetry, requested from other riders by a rider who joined
/// late, and completed from the own stored recording.
#[derive(Debug, Default)]
pub(crate) struct RideHistory {
    history: History,
    /// Start of the ride, which identifies it.
    started: Option<GroupTime>,
    /// Requests to other riders; `None` for a rider who was there all the time.
    sync: Option<HistorySync>,
    /// Time at which this page was back in the group after it had lost all others.
    returned_at: Option<Moment>,
    /// Own time ridden while the ride is running.
    riding: Option<Duration>,
    /// True if the samples of an earlier page load were added.
    has_own_samples: bool,
    /// Newest slot that was drawn.
    drawn_slot: Option<u64>,
}

impl RideHistory {
    /// Tells whether this page rode a ride with another start than this.
    pub(crate) fn is_of_other_start(&self, start: Option<GroupTime>) -> bool {
        self.started.is_some() && self.started != start
    }

    /// Follows the phase of the ride. A new start begins a new history.
    pub(crate) fn set_phase(&mut self, phase: Phase, started: Option<GroupTime>, roster: &Roster) {
        let elapsed = match phase {
            Phase::Lobby | Phase::Countdown { .. } => {
                self.riding = None;
                return;
            }
            Phase::Riding { elapsed }
            | Phase::Paused { elapsed, .. }
            | Phase::Ended { elapsed } => elapsed,
        };
        self.riding = matches!(phase, Phase::Riding { .. }).then_some(elapsed);
        if self.started == started {
            return;
        }
        *self = Self {
            started,
            sync: (elapsed > SLOT).then(HistorySync::default),
            riding: self.riding,
            ..Self::default()
        };
        for peer in roster.peers() {
            self.set_name(peer, roster.name(peer));
        }
    }

    /// Records the own power while the ride is running.
    pub(crate) fn record_own(&mut self, me: &PeerId, power: Option<u16>, ftp: Ftp) {
        if let (Some(elapsed), Some(power)) = (self.riding, power) {
            self.history.record(me, elapsed, power, ftp);
        }
    }

    /// Records the power of another rider while the ride is running.
    pub(crate) fn record(&mut self, rider: &PeerId, ftp: Option<u16>, telemetry: &Telemetry) {
        let elapsed = Duration::from_millis(telemetry.elapsed_ms.into());
        let ftp = ftp.and_then(|ftp| Ftp::new(ftp).ok());
        if let (Some(own), Some(power), Some(ftp)) = (self.riding, telemetry.power, ftp)
            && elapsed <= own + MAX_LEAD
        {
            self.history.record(rider, elapsed, power, ftp);
        }
    }

    /// Adds the samples that this browser recorded before a reload, each with its group time, once.
    pub(crate) fn add_own_samples<'a>(
        &mut self,
        (me, ftp): (&PeerId, Ftp),
        samples: impl Iterator<Item = (GroupTime, &'a Sample)>,
        timeline: &Timeline,
    ) {
        if std::mem::replace(&mut self.has_own_samples, true) {
            return;
        }
        let mut before = History::default();
        for (at, sample) in samples {
            let phase = timeline.phase(at);
            if let (Phase::Riding { elapsed }, Some(power)) = (phase, sample.power) {
                before.record(me, elapsed, power, ftp);
            }
        }
        self.history.merge(before.tracks());
    }

    pub(crate) fn has_own_samples(&self) -> bool {
        self.has_own_samples
    }

    /// Sets the name of a rider, so that riders who have left keep a name.
    pub(crate) fn set_name(&mut self, peer: &PeerId, name: &str) {
        if let Ok(name) = name.parse() {
            self.history.set_name(peer, name);
        }
    }

    /// There is a link to a rider again: requests what was missed meanwhile. A page that was away
    /// itself asks the first rider that it reaches, one that stayed asks the rider who was away.
    pub(crate) fn link_returned(&mut self, now: Moment, rider: &PeerId, is_first: bool) {
        let is_known = self.history.riders().any(|(known, _)| known == rider);
        if self.started.is_none() || !is_known {
            return;
        }
        let has_just_returned = self.returned_at.is_some_and(|at| now - at < RETURN_TIME);
        let is_covered = !is_first && has_just_returned;
        if is_first {
            self.returned_at = Some(now);
        }
        if !is_covered {
            self.sync.get_or_insert_default().ask(rider);
        }
    }

    /// Requests the history from the longest-present reachable rider, if a request is due.
    pub(crate) fn request<'a>(
        &mut self,
        now: Moment,
        group: &mut Group,
        reachable: impl Iterator<Item = &'a PeerId>,
    ) {
        if let (Some(sync), Some(started)) = (&mut self.sync, self.started)
            && let Some(peer) = sync.next_request(now, reachable)
        {
            let request = PeerMessage::HistoryRequest { started };
            group.send(now, peer, DeliveryClass::Bulk, &request);
        }
    }

    /// Answers a rider's request for the history of the ride that started at `started`.
    pub(crate) fn answer(
        &self,
        now: Moment,
        group: &mut Group,
        limits: &mut PeerLimits,
        to: &PeerId,
        started: GroupTime,
    ) {
        if !limits.allow(now, to, PeerRequest::History) {
            return;
        }
        let is_same = self.started == Some(started);
        let message = PeerMessage::History(HistorySnapshot {
            started,
            tracks: if is_same {
                self.history.tracks()
            } else {
                Vec::new()
            },
        });
        group.send(now, to, DeliveryClass::Bulk, &message);
    }

    /// Takes the answer to an own request. Returns whether it was one.
    pub(crate) fn merge(&mut self, snapshot: HistorySnapshot) -> bool {
        let sync = self
            .sync
            .as_mut()
            .filter(|_| self.started == Some(snapshot.started));
        let Some(sync) = sync else { return false };
        sync.handle_answer(!snapshot.tracks.is_empty());
        self.history.merge(snapshot.tracks);
        self.drawn_slot = None;
        true
    }

    /// Draws the trace of every rider when there is a new point.
    pub(crate) fn draw_traces(&mut self, elapsed: Duration, roster: &mut Roster) {
        let slot = elapsed.as_secs() / SLOT.as_secs();
        if self.drawn_slot.replace(slot) != Some(slot) {
            let history = &self.history;
            roster.set_traces(|rider| Arc::new(history.recent(rider, elapsed, TRACE_POINTS)));
        }
    }

    /// Chart of the ride up to a group time; `None` without a start.
    pub(crate) fn chart(
        &self,
        timeline: &Timeline,
        at: GroupTime,
        me: &PeerId,
        roster: &Roster,
    ) -> Option<RideChart> {
        let ridden = timeline.as_ridden(at)?;
        let elapsed = ridden.duration();
        let trace = |rider: &PeerId| Arc::new(self.history.whole(rider, elapsed));
        let others = self.history.riders().filter(|(rider, _)| *rider != me);
        let lines = others.map(|(rider, name)| RiderTrace {
            number: roster.row(rider).map(|row| row.number),
            name: name.map_or_else(|| roster.name(rider).to_owned(), ToString::to_string),
            trace: trace(rider),
        });
        // Riders who have left are last.
        let order = |line: &RiderTrace| line.number.unwrap_or(u32::MAX);
        // `sort_by_key` is several KB of WebAssembly for each type.
        let mut others = Vec::new();
        for line in lines {
            let at = others.partition_point(|other| order(other) <= order(&line));
            others.insert(at, line);
        }
        Some(RideChart {
            ridden: Arc::new(ridden),
            own: trace(me),
            others,
        })
    }
}
