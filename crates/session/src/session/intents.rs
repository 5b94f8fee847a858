//! Requests of the rider.

use std::sync::Arc;

use clock::Moment;
use mesh::node::{self, Node};
use protocol::signaling::HostCommand;
use ride::{
    formats::Imported,
    recording::fit::{Activity, FitError},
    rider::Ftp,
    timeline::Change,
    workout::Workout,
};

use super::RideSession;
use crate::{
    Intent, Output, host_controls,
    storage::StorageCommand,
    view::{CommandRejection, FitDownloadError, Notice, ServerConnection},
};

impl RideSession {
    pub(super) fn handle_intent(&mut self, now: Moment, intent: Intent) {
        if self.controls.ignores(now, &intent) {
            return;
        }
        match intent {
            Intent::ResumeAs(position) => {
                if let Some(identity) = self.join_flow.known(position).cloned() {
                    self.resume(now, identity);
                }
            }
            Intent::JoinAsNewRider => self.view.stage = self.join_flow.enter_name(),
            Intent::Join(name, ftp) => self.join(now, name, ftp),
            Intent::TakeOver => self.take_over(now),
            Intent::Retry => self.look_up(),
            Intent::SetReady(ready) => {
                if let Some(me) = &mut self.me {
                    me.ready = ready;
                }
                self.view.ready = ready;
                self.profile_changed(now);
            }
            Intent::Leave => self.leave(now),
            Intent::ResumeUnfinished => self.resume_unfinished(now),
            Intent::Pair(kind) => self.ride.devices.pair(now, kind, &mut self.outputs),
            Intent::Forget(kind) => {
                self.ride.devices.forget(now, kind, &mut self.outputs);
                self.save_devices();
            }
            Intent::StopPhone => self.stop_phone(now),
            Intent::SetPowerSource(kind) => {
                self.ride.devices.set_power_source(kind);
                self.save_devices();
            }
            Intent::SetCadenceSource(kind) => {
                self.ride.devices.set_cadence_source(kind);
                self.save_devices();
            }
            Intent::MatchPower(matches) => {
                self.ride.devices.match_power(matches);
                self.save_devices();
            }
            Intent::SetErg(is_on) => {
                self.ride.devices.set_erg(now, is_on);
                self.next_update = now;
            }
            Intent::ChangeLoad(steps) => {
                self.ride.devices.change_load(steps);
                self.next_update = now;
            }
            Intent::SimulateTrainer => self.use_simulator(now),
            Intent::CopyLink => {
                let link = self.view.invitation.clone();
                self.outputs.push_back(Output::CopyLink(link));
            }
            Intent::DownloadFit => match self.activity() {
                Some(activity) => self.outputs.push_back(Output::SaveFit(Box::new(activity))),
                None => self.view.download_error = Some(FitDownloadError::Fit(FitError::Empty)),
            },
            Intent::SetSubSport(sub_sport) => {
                self.view.sub_sport = sub_sport;
                self.store(StorageCommand::SaveSubSport(sub_sport));
            }
            Intent::WatchLinks(watch) => {
                self.links.watch(now, watch);
                self.update_links(now);
            }
            Intent::ShareWorkout(workout) => {
                self.share(now, workout);
            }
            Intent::SetBias(bias) => {
                if let Some(me) = &mut self.me {
                    me.bias = bias;
                }
                self.view.bias = bias.percent();
                self.next_update = now;
            }
            Intent::AcceptFtp => self.accept_ftp(),
            Intent::KeepFtp => self.view.measured_ftp = None,
            Intent::UseWorkoutFile => {
                if let Some(file) = self.view.workout_file.take() {
                    self.share(now, Arc::new(file.workout.clone()));
                }
            }
            Intent::DismissWorkoutFile => self.view.workout_file = None,
            intent => {
                if let Some(command) = host_controls::command(&intent) {
                    self.send_command(now, command);
                } else if let Some(time) = self.group.time(now)
                    && let Some(change) = host_controls::change(&intent, time)
                    && self.append(now, change)
                {
                    self.controls.used(now, &intent);
                }
            }
        }
    }

    /// The own ride, as it is written into a file; `None` if nothing was recorded.
    fn activity(&self) -> Option<Activity> {
        Some(Activity {
            recording: self.ride.recording.recording()?.clone(),
            workout: self.timeline.workout().cloned(),
            serial_number: self.me.as_ref()?.serial_number(),
            sub_sport: self.view.sub_sport,
        })
    }

    /// Stores which devices are paired, and what they are used for.
    pub(super) fn save_devices(&mut self) {
        let devices = self.ride.devices.stored();
        self.store(StorageCommand::SaveDevices(devices));
        self.show_devices(self.now.moment);
    }

    /// Takes the FTP that a test has measured, for the next rides.
    fn accept_ftp(&mut self) {
        let measured = self.view.measured_ftp.take();
        if let Some(ftp) = measured.and_then(|watts| Ftp::new(watts).ok()) {
            self.store(StorageCommand::SaveFtp(ftp));
            self.notify(Notice::FtpSaved(ftp.watts()));
        }
    }

    /// Shares the workout of a file, or offers it to the rider if there are remarks on it.
    pub(super) fn workout_file_read(&mut self, now: Moment, file: Imported) {
        if file.remarks.is_empty() {
            self.share(now, Arc::new(file.workout));
        } else if self.is_host() {
            self.view.workout_file = Some(Arc::new(file));
        }
    }

    /// Shares a workout with all riders as host, and returns whether it was possible. Possible
    /// without group time: it has no date.
    pub(super) fn share(&mut self, now: Moment, workout: Arc<Workout>) -> bool {
        self.view.workout_error = None;
        let name = workout.name().to_owned();
        let shared = self.append(now, Change::Share(Arc::unwrap_or_clone(workout)));
        if shared {
            self.view.workout_file = None;
            self.notify(Notice::WorkoutShared(name));
        }
        shared
    }

    /// Appends a change to the timeline as host, and returns whether it was possible.
    pub(super) fn append(&mut self, now: Moment, change: Change) -> bool {
        // A tap on a control that has just been disabled.
        let Some(epoch) = self.host_epoch() else {
            return false;
        };
        let before = self.timeline.head();
        match self.append_in(now, epoch, change) {
            Ok(()) => {
                self.announce_change(now, before);
                true
            }
            Err(error) => {
                self.notify(Notice::ChangeRejected(error));
                false
            }
        }
    }

    pub(super) fn append_in(
        &mut self,
        now: Moment,
        epoch: u32,
        change: Change,
    ) -> Result<(), ride::timeline::TimelineError> {
        let Some(me) = &self.me else { return Ok(()) };
        let signer = (epoch, &me.peer, &me.key);
        self.timeline.append(now, &mut self.group, change, signer)?;
        self.timeline_changed(now);
        Ok(())
    }

    /// Sends a command of the host to the server.
    pub(super) fn send_command(&mut self, now: Moment, command: HostCommand) {
        if self.view.connection == ServerConnection::Online {
            self.group.handle(now, node::Input::Command(command));
        } else {
            self.notify(Notice::CommandRejected(CommandRejection::NoServer));
        }
    }

    pub(super) fn is_host(&self) -> bool {
        match (self.group.node(), &self.me) {
            (Some(node), Some(me)) => node.host() == Some(&me.peer),
            (None, Some(_)) => self.code.is_none(),
            (_, None) => false,
        }
    }

    /// Epoch in which this rider, as host, may change the ride.
    pub(super) fn host_epoch(&self) -> Option<u32> {
        let node = self.group.node();
        let may_change = self.is_host() && !node.is_some_and(Node::host_controls_suspended);
        may_change.then(|| node.map_or(1, Node::epoch))
    }
}
