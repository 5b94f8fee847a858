//! What everybody has ridden so far: measured as their numbers come, asked for
//! by whoever came late, drawn as traces and, at the end, as a chart.

use std::{sync::Arc, time::Duration};

use clock::{GroupTime, Moment};
use leptos::prelude::*;
use protocol::peer::{DeliveryClass, PeerId};
use ride::{
    history::{History, HistorySnapshot, HistorySync, SLOT},
    message::{PeerMessage, Telemetry},
    rider::Ftp,
    timeline::Phase,
};

use super::Session;
use crate::state::{RideChart, RiderTrace, Stage};

/// The slots of a rider's trace: ten minutes.
const TRACED: usize = 120;
/// How often one rider is told the history: as often as an honest one asks.
const TELL_EVERY: Duration = ride::history::REQUEST_TIMEOUT;
/// How far ahead of the own ride the numbers of another may be: a clock still
/// settling is a second off, not more.
const AHEAD: Duration = Duration::from_secs(10);

/// The history of the ride under way.
#[derive(Default)]
pub(super) struct Past {
    history: History,
    /// The start of that ride.
    started: Option<GroupTime>,
    /// Whom to ask, for somebody who came late.
    sync: Option<HistorySync>,
    /// The time ridden, as long as the group rides.
    riding: Option<Duration>,
    /// Whether what an earlier page load recorded is in.
    recalled: bool,
    /// The slot that was drawn last.
    traced: Option<u64>,
    /// When each rider was told last.
    told: Vec<(PeerId, Duration)>,
}

impl Past {
    /// Whether this page rode, but from another start than this.
    pub(super) fn is_of_another(&self, start: Option<GroupTime>) -> bool {
        self.started.is_some() && self.started != start
    }
}

impl Session {
    /// Follows the ride: begins the history anew with a new start, measures the
    /// own power, asks for what is missing, and draws.
    pub(super) fn follow_history(&mut self, now: Duration, phase: Phase, power: Option<u16>) {
        let elapsed = match phase {
            Phase::Lobby | Phase::Countdown { .. } => {
                self.past.riding = None;
                return;
            }
            Phase::Riding { elapsed }
            | Phase::Paused { elapsed, .. }
            | Phase::Ended { elapsed } => elapsed,
        };
        self.past.riding = matches!(phase, Phase::Riding { .. }).then_some(elapsed);
        let started = self.timeline.started_at();
        if self.past.started != started {
            self.past = Past {
                started,
                // Whoever was there from the start has nothing to ask for.
                sync: (elapsed > SLOT).then(HistorySync::default),
                riding: self.past.riding,
                ..Past::default()
            };
            for peer in self.roster.peers() {
                self.name_in_history(&peer);
            }
        }
        self.recall(now);
        if let (Some(elapsed), Some(power), Some(me)) = (self.past.riding, power, &self.me) {
            self.past.history.record(&me.peer, elapsed, power, me.ftp);
        }
        self.inquire(now);
        self.trace(elapsed);
    }

    /// Takes over what another rider measures.
    pub(super) fn measure_other(&mut self, from: &PeerId, numbers: &Telemetry) {
        let theirs = Duration::from_millis(numbers.elapsed_ms.into());
        let (Some(own), Some(power)) = (self.past.riding, numbers.power) else {
            return;
        };
        let ftp = self
            .roster
            .row(from)
            .and_then(|row| row.ftp.get_untracked());
        if let Some(ftp) = ftp.and_then(|ftp| Ftp::new(ftp).ok())
            && theirs <= own + AHEAD
        {
            self.past.history.record(from, theirs, power, ftp);
        }
    }

    /// Takes over what to call a rider, for when they are gone.
    pub(super) fn name_in_history(&mut self, peer: &PeerId) {
        if let Ok(name) = self.roster.name(peer).parse() {
            self.past.history.set_name(peer, name);
        }
    }

    /// Somebody asks what was ridden.
    pub(super) fn tell_history(&mut self, now: Duration, to: &PeerId, started: GroupTime) {
        let told = &mut self.past.told;
        told.retain(|(_, at)| now.saturating_sub(*at) < TELL_EVERY);
        if told.iter().any(|(peer, _)| peer == to) {
            return;
        }
        told.push((to.clone(), now));
        let same = self.past.started == Some(started);
        let history = same.then(|| self.past.history.tracks());
        let message = PeerMessage::History(HistorySnapshot {
            started,
            tracks: history.unwrap_or_default(),
        });
        self.send_as(now, to, DeliveryClass::Bulk, &message);
    }

    /// Somebody tells what was ridden.
    pub(super) fn heard_history(&mut self, now: Duration, snapshot: HistorySnapshot) {
        let sync = self.past.sync.as_mut();
        let (Some(sync), true) = (sync, self.past.started == Some(snapshot.started)) else {
            return;
        };
        sync.handle_answer(!snapshot.tracks.is_empty());
        self.past.history.merge(snapshot.tracks);
        self.past.traced = None;
        if self.state.stage.get_untracked() == Stage::Ended {
            self.draw_chart(now);
        }
    }

    /// Draws the whole ride, for the summary.
    pub(super) fn draw_chart(&self, now: Duration) {
        let chart = self.group_now(now).and_then(|at| self.chart(at));
        self.state.chart.set(chart.map(Arc::new));
    }

    fn chart(&self, at: GroupTime) -> Option<RideChart> {
        let asked = self.timeline.as_ridden(at)?;
        let elapsed = asked.duration();
        let me = &self.me.as_ref()?.peer;
        let trace = |rider: &PeerId| Arc::new(self.past.history.whole(rider, elapsed));
        let others = self.past.history.riders().filter(|(rider, _)| *rider != me);
        let mut others: Vec<_> = others
            .map(|(rider, name)| RiderTrace {
                number: self.number_of(rider),
                name: name.map(ToString::to_string).unwrap_or_default(),
                trace: trace(rider),
            })
            .collect();
        others.sort_by_key(|line| line.number.unwrap_or(u32::MAX));
        Some(RideChart {
            ridden: Arc::new(asked),
            elapsed,
            own: trace(me),
            others,
        })
    }

    fn number_of(&self, rider: &PeerId) -> Option<u32> {
        let row = self.roster.row(rider)?;
        Some(row.number.get_untracked())
    }

    /// Asks the longest-present rider in reach.
    fn inquire(&mut self, now: Duration) {
        let (Some(sync), Some(started)) = (&mut self.past.sync, self.past.started) else {
            return;
        };
        let present = self.roster.in_reach();
        if let Some(peer) = sync.next_request(Moment::from_origin(now), &present) {
            let message = PeerMessage::HistoryRequest { started };
            self.send_as(now, peer, DeliveryClass::Bulk, &message);
        }
    }

    /// What this page recorded before it was loaded again is history too.
    fn recall(&mut self, now: Duration) {
        let (Some(me), Some(group_now)) = (&self.me, self.group_now(now)) else {
            return;
        };
        if self.past.recalled || self.recording.is_opening(now) {
            return;
        }
        self.past.recalled = true;
        let mut before = History::default();
        for sample in self.recording.samples() {
            let age = now.saturating_sub(Duration::from_millis(sample.at.unix_ms()));
            let at = GroupTime(group_now.0.saturating_sub(age.as_micros() as i64));
            if let (Phase::Riding { elapsed }, Some(power)) =
                (self.timeline.phase(at), sample.power)
            {
                before.record(&me.peer, elapsed, power, me.ftp);
            }
        }
        self.past.history.merge(before.tracks());
    }

    /// Draws everybody's last ten minutes, when there is a new point.
    fn trace(&mut self, elapsed: Duration) {
        let slot = elapsed.as_secs() / SLOT.as_secs();
        if self.past.traced.replace(slot) == Some(slot) {
            return;
        }
        let history = &self.past.history;
        self.roster
            .trace(|rider| Arc::new(history.recent(rider, elapsed, TRACED)));
    }
}
