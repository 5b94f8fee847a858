//! What only the host can do. Each decision becomes an event of the timeline,
//! signed, and goes to everybody; what makes no sense is refused by the
//! timeline itself and changes nothing.

use std::time::Duration;

use clock::{GroupTime, Moment};
use leptos::prelude::*;
use mesh::node::Node;
use protocol::peer::DeliveryClass;
use ride::{
    message::PeerMessage,
    player,
    recording::fit::FitError,
    timeline::{Change, Head, TimelineError},
    workout::Workout,
    zwo,
};

use super::{Session, inbox::Event};
use crate::{
    browser::files,
    state::{FitDownloadError, HostAction, Notice, WorkoutFileError},
};

/// From the host's tap to the start.
const COUNTDOWN: Duration = Duration::from_secs(10);
/// From the host's tap to going on after a pause.
const RESUME_IN: Duration = Duration::from_secs(3);
/// From the host's tap to a pause, another interval or the end: as long as the news of
/// it takes to everybody, so that it happens at one moment and no clock has to
/// be set back.
const NEWS_TAKES: Duration = Duration::from_millis(250);
/// What a host changed longer ago is no news.
const NEWS_FOR: Duration = Duration::from_secs(10);
/// The largest workout file that is read, in bytes.
const MAX_FILE: f64 = 1024.0 * 1024.0;

impl Session {
    /// Shares a workout with everybody.
    pub(super) fn share(&mut self, now: Duration, workout: Workout) {
        let name = workout.name().to_owned();
        self.state.workout_error.set(None);
        if self.decide(now, Change::Share(workout)) {
            self.notify(Notice::WorkoutShared(name));
        }
    }

    /// Reads a workout file; one that is too large is not even opened.
    pub(super) fn read_file(&self, file: web_sys::File) {
        self.state.workout_error.set(None);
        if file.size() > MAX_FILE {
            return self
                .state
                .workout_error
                .set(Some(WorkoutFileError::TooLarge));
        }
        let inbox = self.inbox.clone();
        wasm_bindgen_futures::spawn_local(async move {
            inbox.post(Event::FileRead(files::read(&file).await));
        });
    }

    /// Shares the workout of a file, or says why that cannot be ridden.
    pub(super) fn share_file(&mut self, now: Duration, bytes: Option<Vec<u8>>) {
        let Some(bytes) = bytes else {
            return self
                .state
                .workout_error
                .set(Some(WorkoutFileError::Unreadable));
        };
        match zwo::parse(&bytes) {
            Ok(imported) => {
                self.share(now, imported.workout);
                if !imported.ignored.is_empty() {
                    let list = imported.ignored.iter();
                    let list: Vec<_> = list
                        .map(|ignored| format!("{} ({})", ignored.name, ignored.count))
                        .collect();
                    self.notify(Notice::ElementsIgnored(list.join(", ")));
                }
            }
            Err(error) => {
                let problem = WorkoutFileError::Invalid(error);
                self.state.workout_error.set(Some(problem));
            }
        }
    }

    /// Starts the countdown.
    pub(super) fn start(&mut self, now: Duration) {
        if let Some(at) = self.group_now(now) {
            let at = at.after(COUNTDOWN);
            self.decide(now, Change::Start { at });
        }
    }

    /// Calls the start off.
    pub(super) fn cancel_start(&mut self, now: Duration) {
        self.decide_now(now, |at| Change::Cancel { at });
    }

    /// Pauses the ride.
    pub(super) fn pause(&mut self, now: Duration) {
        self.decide_soon(now, |at| Change::Pause { at });
    }

    /// On to the next interval, from the one that the host saw.
    pub(super) fn skip(&mut self, now: Duration, from: usize) {
        let from = from as u32;
        self.decide_soon(now, |at| Change::Skip { at, from });
    }

    /// Back to the start of the interval that the host saw, or the one before.
    pub(super) fn back(&mut self, now: Duration, from: usize) {
        let from = from as u32;
        self.decide_soon(now, |at| Change::Back { at, from });
    }

    /// Makes the interval that the host saw longer.
    pub(super) fn extend(&mut self, now: Duration, interval: usize) {
        let interval = interval as u32;
        self.decide_soon(now, |at| Change::Extend { at, interval });
    }

    /// Goes on after a pause, with a moment to get going.
    pub(super) fn resume(&mut self, now: Duration) {
        self.decide_now(now, |at| Change::Resume {
            at: at.after(RESUME_IN),
        });
    }

    /// Ends the ride for everybody.
    pub(super) fn end(&mut self, now: Duration) {
        self.decide_soon(now, |at| Change::End { at });
    }

    fn decide_now(&mut self, now: Duration, change: impl FnOnce(GroupTime) -> Change) {
        if let Some(at) = self.group_now(now) {
            self.decide(now, change(at));
        }
    }

    fn decide_soon(&mut self, now: Duration, change: impl FnOnce(GroupTime) -> Change) {
        self.decide_now(now, |at| change(at.after(NEWS_TAKES)));
    }

    fn decide(&mut self, now: Duration, change: Change) -> bool {
        // A tap on a control that has just been disabled is nobody's decision.
        let Some(epoch) = self.hosts() else {
            return false;
        };
        let before = self.timeline.head();
        match self.say_as_host(now, epoch, change) {
            Ok(()) => self.announce(now, before),
            Err(refused) => {
                self.notify(Notice::ChangeRejected(refused));
                return false;
            }
        }
        true
    }

    /// The epoch in which this rider decides, if it does.
    fn hosts(&self) -> Option<u32> {
        let node = self.group.as_ref().map(|group| &group.node);
        let may = self.is_host() && !node.is_some_and(Node::host_controls_suspended);
        may.then(|| node.map_or(1, Node::epoch))
    }

    fn say_as_host(
        &mut self,
        now: Duration,
        epoch: u32,
        change: Change,
    ) -> Result<(), TimelineError> {
        let Some(me) = &self.me else { return Ok(()) };
        let event = self.timeline.append(change, epoch, &me.peer, &me.key)?;
        self.broadcast(
            now,
            DeliveryClass::Control,
            &PeerMessage::Timeline(vec![event]),
        );
        self.timeline_changed(now);
        Ok(())
    }

    /// A new host goes on from what it holds, so that everybody holds the same.
    pub(super) fn settle(&mut self, now: Duration) {
        let (head, hosts) = (self.timeline.head(), self.hosts());
        if self
            .timeline_sync
            .needs_no_op(Moment::from_origin(now), head, hosts)
            && let Some(epoch) = hosts
        {
            // A timeline that is full stays as it is.
            let _ = self.say_as_host(now, epoch, Change::NoOp);
        }
    }

    /// Says what a host has just changed, whoever it was, where the screen does
    /// not say so by itself. Whoever comes late sees where the ride is, not how
    /// it got there.
    pub(super) fn announce(&self, now: Duration, before: Head) {
        let newest = self.timeline.changes_since(before);
        let newest = newest.filter(|(_, change)| **change != Change::NoOp).last();
        let news = newest.and_then(|(host, change)| {
            let (at, decision) = self.decision(change)?;
            let age = self.group_now(now)?.since(at);
            (age < NEWS_FOR).then_some((host, decision))
        });
        if let Some((host, decision)) = news {
            self.notify(Notice::HostActed(self.roster.name(host), decision));
        }
    }

    fn decision(&self, change: &Change) -> Option<(GroupTime, HostAction)> {
        match change {
            Change::Skip { at, .. } => Some((*at, HostAction::Skipped)),
            Change::Back { at, .. } => {
                let position = self.timeline.position(*at);
                let index = player::position(self.timeline.workout()?, position).index;
                Some((*at, HostAction::WentBack(index + 1)))
            }
            Change::Extend { at, .. } => Some((*at, HostAction::Extended)),
            Change::Cancel { at } => Some((*at, HostAction::Cancelled)),
            Change::Share(_)
            | Change::Start { .. }
            | Change::Pause { .. }
            | Change::Resume { .. }
            | Change::End { .. }
            | Change::NoOp => None,
        }
    }

    /// Saves the FIT file.
    pub(super) fn download(&self) {
        const FIT: &str = "application/vnd.ant.fit";
        let saved = match self.recording.fit() {
            Some(Ok((name, bytes))) => {
                files::save(&name, FIT, &bytes).ok_or(FitDownloadError::Browser)
            }
            Some(Err(error)) => Err(FitDownloadError::Fit(error)),
            None => Err(FitDownloadError::Fit(FitError::Empty)),
        };
        self.state.download_error.set(saved.err());
    }
}
