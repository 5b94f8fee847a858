//! The own ride while it is running: the trainer follows the workout, and everything is recorded.

use std::sync::Arc;

use clock::{Duration, GroupTime, Moment, Now};
use protocol::peer::PeerId;
use ride::{
    analysis::measured_ftp, message::Telemetry, player, recording::stored::RideState, rider::Ftp,
    timeline::Phase, trainer::Reading, workout::Workout,
};

use crate::{
    api::{Output, Sound},
    devices::{OwnDevices, Wanted},
    group::Group,
    history::RideHistory,
    interval_sounds::IntervalSounds,
    recording::{Pauses, RecordedMoment, RecordingSession},
    rider::OwnRider,
    roster::Roster,
    shared_timeline::SharedTimeline,
    view::{Metrics, Progress, RideChart, RideSummary},
};

/// Everything about the own ride that goes on without other riders.
#[derive(Debug, Default)]
pub(crate) struct OwnRide {
    pub(crate) devices: OwnDevices,
    pub(crate) recording: RecordingSession,
    pub(crate) history: RideHistory,
    sounds: IntervalSounds,
    /// Offset of local time from UTC in seconds.
    utc_offset: i32,
    /// Jumps so far, and whether the ride was paused, at the last update.
    last_position: Option<(usize, bool)>,
}

/// View of the ride that [`OwnRide`] is given.
#[derive(Clone, Copy)]
pub(crate) struct RideContext<'a> {
    pub(crate) group: &'a Group,
    pub(crate) timeline: &'a SharedTimeline,
    pub(crate) me: &'a OwnRider,
}

/// Effect of [`OwnRide::follow`].
pub(crate) struct RideUpdate {
    pub(crate) metrics: Metrics,
    /// Position in the workout; `None` without a workout.
    pub(crate) progress: Option<Progress>,
    /// Time of an update that has to be exact: the next second of the countdown, the start, or the
    /// end of a pause.
    pub(crate) next_update: Option<Moment>,
}

impl OwnRide {
    /// Ride of a rider with these devices, where local time has this offset from UTC in seconds.
    pub(crate) fn new(devices: OwnDevices, utc_offset: i32) -> Self {
        Self {
            devices,
            utc_offset,
            ..Self::default()
        }
    }

    /// Follows the ride to now: sets the target, records, and updates the traces.
    pub(crate) fn follow(
        &mut self,
        now: Now,
        phase: Phase,
        context: RideContext<'_>,
        roster: &mut Roster,
        outputs: &mut impl Extend<Output>,
    ) -> RideUpdate {
        let elapsed = elapsed(phase);
        let time = context.group.time(now.moment);
        let timeline = context.timeline.timeline();
        let position = time.map_or(Duration::ZERO, |time| timeline.position(time));
        let jumps = time.map_or(0, |time| timeline.jumps(time));
        self.ease_target(now.moment, phase, jumps);
        let workout = context.timeline.workout();
        let is_riding = matches!(phase, Phase::Riding { .. });
        let target = workout.filter(|_| is_riding);
        let target = target.and_then(|workout| workout.target_at(position, context.me.ftp));
        let target = target.map(|watts| context.me.bias.apply(watts));
        let wanted = Wanted {
            target,
            is_riding,
            records_all: workout.is_some_and(|workout| workout.ftp_test().is_some()),
        };
        let ridden = self.devices.ride(now.moment, wanted, outputs);
        let (reading, target) = (ridden.reading, ridden.target);
        if let Some(workout) = workout {
            let moment = RecordedMoment {
                reading,
                is_paused: ridden.is_paused,
                target,
                interval: player::position(workout, position).index as u32,
                jumps,
            };
            self.record(now, phase, context, workout, moment, outputs);
        }
        self.update_history(now.moment, phase, context, reading, roster);
        let next_sound = workout.and_then(|workout| {
            let (sound, next) = self.sound(now.moment, phase, workout, position);
            outputs.extend(sound.map(Output::Sound));
            next
        });
        RideUpdate {
            metrics: Metrics {
                power: reading.power,
                cadence: reading.cadence,
                heart_rate: reading.heart_rate,
                target,
                elapsed_ms: millis(elapsed),
                position_ms: millis(position),
            },
            progress: workout.map(|workout| progress(workout, phase, elapsed, position)),
            next_update: workout
                .and_then(|_| next_second(now.moment, phase))
                .into_iter()
                .chain(next_sound)
                .min(),
        }
    }

    /// Sound that is due, and the moment of the next one.
    fn sound(
        &mut self,
        now: Moment,
        phase: Phase,
        workout: &Workout,
        position: Duration,
    ) -> (Option<Sound>, Option<Moment>) {
        let (next, left, since) = match phase {
            Phase::Countdown { remaining } => (0, remaining, Duration::ZERO),
            Phase::Riding { .. } => {
                let at = player::position(workout, position);
                let since = position.saturating_sub(workout.duration());
                match at.finished {
                    true => (at.index + 1, Duration::ZERO, since),
                    false => (at.index + 1, at.remaining_in_interval, at.offset),
                }
            }
            _ => return (None, None),
        };
        let sound = self.sounds.follow(next, left, since);
        (
            sound,
            IntervalSounds::next_in(left).map(|until| now + until),
        )
    }

    /// After a pause, a skip or a back, the target changes over a few seconds.
    fn ease_target(&mut self, now: Moment, phase: Phase, jumps: usize) {
        let position = match phase {
            Phase::Riding { .. } => Some((jumps, false)),
            // A skip during a pause takes effect when the ride goes on.
            Phase::Paused { .. } => Some((jumps, true)),
            Phase::Lobby | Phase::Countdown { .. } | Phase::Ended { .. } => None,
        };
        let before = std::mem::replace(&mut self.last_position, position);
        if let (Some(before), Some(position @ (_, false))) = (before, position)
            && before != position
        {
            self.devices.ease(now);
        }
    }

    fn record(
        &mut self,
        now: Now,
        phase: Phase,
        context: RideContext<'_>,
        workout: &Workout,
        moment: RecordedMoment,
        outputs: &mut impl Extend<Output>,
    ) {
        match phase {
            Phase::Riding { .. } => {
                self.discard_cancelled_start(now.moment, context.timeline, outputs);
                if moment.is_paused {
                    self.recording.pause(now);
                } else if !self.recording.is_opening(now.moment) {
                    let pauses = pauses(now.moment, context);
                    let ride = (workout.name(), context.me.ftp, self.utc_offset);
                    let devices = self.devices.names();
                    let devices: Vec<_> = devices.iter().map(String::as_str).collect();
                    self.recording.record(now, moment, &devices, pauses, ride);
                }
            }
            Phase::Paused { .. } => self.recording.pause(now),
            Phase::Lobby | Phase::Countdown { .. } | Phase::Ended { .. } => {}
        }
    }

    fn update_history(
        &mut self,
        now: Moment,
        phase: Phase,
        context: RideContext<'_>,
        reading: Reading,
        roster: &mut Roster,
    ) {
        let started = context.timeline.started_at();
        self.history.set_phase(phase, started, roster);
        if matches!(phase, Phase::Lobby | Phase::Countdown { .. }) {
            return;
        }
        let me = (&context.me.peer, context.me.ftp);
        if let Some(time) = context.group.time(now)
            && !self.history.has_own_samples()
            && !self.recording.is_opening(now)
        {
            let samples = self.recording.samples().map(|(at, sample)| {
                let age = (now - at).as_micros() as i64;
                (GroupTime(time.0.saturating_sub(age)), sample)
            });
            let timeline = context.timeline.timeline();
            self.history.add_own_samples(me, samples, timeline);
        }
        self.history.record_own(me.0, reading.power, me.1);
        self.history.draw_traces(elapsed(phase), roster);
    }

    /// Records the power of another rider.
    pub(crate) fn record_rider(&mut self, rider: &PeerId, roster: &Roster, telemetry: &Telemetry) {
        let ftp = roster.row(rider).and_then(|row| row.ftp);
        self.history.record(rider, ftp, telemetry);
    }

    /// Discards what was recorded after a start that was cancelled too late to keep this page from
    /// riding, unless it is more than a moment.
    pub(crate) fn discard_cancelled_start(
        &mut self,
        now: Moment,
        timeline: &SharedTimeline,
        outputs: &mut impl Extend<Output>,
    ) {
        if self.history.is_of_other_start(timeline.started_at()) {
            self.recording.discard_if_short(now, outputs);
        }
    }

    /// Ends the recording, and returns its summary. The ride may have ended a while ago, while this
    /// page was away.
    pub(crate) fn summarize(
        &mut self,
        clocks: Now,
        context: RideContext<'_>,
        outputs: &mut impl Extend<Output>,
    ) -> Option<RideSummary> {
        let now = clocks.moment;
        let time = context.group.time(now);
        let ended = time.and_then(|time| context.timeline.timeline().ended_at(time));
        let at = ended.map_or(now, |ended| context.group.moment_of(now, ended));
        let workout = context
            .timeline
            .workout()
            .map(|workout| (**workout).clone());
        let state = RideState::finished(context.me.serial_number(), workout);
        let pauses = pauses(now, context);
        let summary = self.recording.finish(clocks, at, pauses, state);
        self.recording.save(now, true, outputs);
        summary
    }

    /// FTP that the ride has measured, if its workout is a test and it differs from the rider's.
    pub(crate) fn measured_ftp(&self, context: RideContext<'_>) -> Option<Ftp> {
        let test = context.timeline.workout()?.ftp_test()?;
        let measured = measured_ftp(test, self.recording.recording()?);
        measured.filter(|ftp| *ftp != context.me.ftp)
    }

    /// Chart of the ride until now; `None` without group time or without a start.
    pub(crate) fn chart(
        &self,
        now: Moment,
        context: RideContext<'_>,
        roster: &Roster,
    ) -> Option<Arc<RideChart>> {
        let time = context.group.time(now)?;
        let timeline = context.timeline.timeline();
        let chart = self.history.chart(timeline, time, &context.me.peer, roster);
        chart.map(Arc::new)
    }
}

/// Pauses of the ride that are over.
fn pauses(now: Moment, context: RideContext<'_>) -> Pauses {
    let Some(time) = context.group.time(now) else {
        return Pauses::new();
    };
    let moment = |at| context.group.moment_of(now, at);
    let pauses = context.timeline.timeline().pauses();
    let closed = pauses.filter_map(|(from, to)| Some((from, to?)));
    let over = closed.filter(|(_, to)| *to <= time);
    over.map(|(from, to)| (moment(from), moment(to))).collect()
}

/// Moment at which the countdown, or the time until a pause ends, reaches the next whole second.
fn next_second(now: Moment, phase: Phase) -> Option<Moment> {
    let (Phase::Countdown { remaining }
    | Phase::Paused {
        resumes_in: Some(remaining),
        ..
    }) = phase
    else {
        return None;
    };
    Some(match remaining.subsec_nanos() {
        0 => now + Duration::from_secs(1),
        part => now + Duration::from_nanos(part.into()),
    })
}

fn elapsed(phase: Phase) -> Duration {
    match phase {
        Phase::Lobby | Phase::Countdown { .. } => Duration::ZERO,
        Phase::Riding { elapsed } | Phase::Paused { elapsed, .. } | Phase::Ended { elapsed } => {
            elapsed
        }
    }
}

fn progress(workout: &Workout, phase: Phase, elapsed: Duration, at: Duration) -> Progress {
    let position = player::position(workout, at);
    let (countdown, resumes_in) = match phase {
        Phase::Countdown { remaining } => (seconds_left(remaining), None),
        Phase::Paused { resumes_in, .. } => (0, resumes_in.map(seconds_left)),
        _ => (0, None),
    };
    Progress {
        countdown,
        elapsed_ms: millis(elapsed),
        position_ms: millis(at),
        remaining_ms: millis(position.remaining),
        interval: position.index,
        interval_remaining_ms: millis(position.remaining_in_interval),
        paused: matches!(phase, Phase::Paused { .. }),
        resumes_in,
    }
}

/// Whole seconds, rounded up: "10" is shown for the whole first second of the countdown.
fn seconds_left(remaining: Duration) -> u32 {
    u32::try_from(remaining.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
}

/// A workout is at most 24 hours long, so its milliseconds fit.
fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
