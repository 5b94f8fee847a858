//! The state machine that wires the parts of a session together.

use std::{collections::VecDeque, sync::Arc};

use clock::{Duration, GroupTime, Moment};
use mesh::{
    clock_sync::GroupOffset,
    node::{self, Node, NodeConfig, NodeEvent},
    peer_limits::{PeerLimits, PeerRequest},
};
use protocol::{
    code::SessionCode,
    peer::{DeliveryClass, LinkState, MemberRole, PeerId, PeerNumber, Token},
    signaling::{ErrorCode, HostCommand, LeftReason, Member, Resume, RoomSnapshot},
};
use ride::{
    message::{PeerMessage, Telemetry},
    recording::fit::FitError,
    rider::{Ftp, RiderName, RiderProfile},
    timeline::{Change, Head, Phase, SignedEvent},
    workout::Workout,
};

use crate::{
    api::{Input, Intent, Now, Opening, Output, RideInfo, SessionConfig},
    group::Group,
    host_controls,
    join_flow::{JoinFlow, Step},
    links::LinkMonitor,
    own_ride::{OwnRide, RideContext},
    rider::{OwnRider, provisional_id},
    roster::Roster,
    shared_timeline::SharedTimeline,
    storage::{StorageCommand, StoredIdentity, StoredProfile, StoredRide},
    view::{
        CommandRejection, FitDownloadError, JoinError, Metrics, Notice, ServerConnection, Stage,
        View,
    },
};

/// Interval between two updates of the view.
const UPDATE_INTERVAL: Duration = Duration::from_millis(250);
/// Interval between two telemetry messages.
const TELEMETRY_INTERVAL: Duration = Duration::from_millis(500);
/// Interval between two times that identity and recording are stored.
const SAVE_INTERVAL: Duration = Duration::from_secs(2);

/// Whole session of one rider; see the [crate documentation](crate).
#[derive(Debug)]
pub struct RideSession {
    config: SessionConfig,
    outputs: VecDeque<Output>,
    view: View,
    /// Code of the ride; `None` in a solo ride and before it is known.
    code: Option<SessionCode>,
    join_flow: JoinFlow,
    /// The rider at this screen, once known.
    me: Option<OwnRider>,
    group: Group,
    timeline: SharedTimeline,
    /// Timeline that this browser had stored when the ride was looked up.
    stored_timeline: Option<Vec<u8>>,
    limits: PeerLimits,
    roster: Roster,
    ride: OwnRide,
    /// Clocks at the newest input.
    now: Now,
    links: LinkMonitor,
    /// Whether this page takes part in the ride: from joining until leaving, a refusal, or the
    /// takeover by another tab.
    takes_part: bool,
    /// Messages of other riders that could not be read.
    unreadable: u64,
    keeps_screen_on: bool,
    next_update: Moment,
    /// Time of the next telemetry message; `None` while group time, which dates it, is unknown.
    next_telemetry: Option<Moment>,
    next_save: Moment,
}

impl RideSession {
    /// Opens a ride. Drain the outputs before the first input.
    pub fn new(config: SessionConfig, now: Now, opening: Opening) -> Self {
        let reloaded = matches!(opening, Opening::Group { reloaded: true, .. });
        let mut session = Self {
            config,
            outputs: VecDeque::new(),
            view: View::default(),
            code: None,
            join_flow: JoinFlow::new(reloaded),
            me: None,
            group: Group::default(),
            timeline: SharedTimeline::default(),
            stored_timeline: None,
            limits: PeerLimits::default(),
            roster: Roster::default(),
            ride: OwnRide::default(),
            now,
            links: LinkMonitor::default(),
            takes_part: false,
            unreadable: 0,
            keeps_screen_on: false,
            next_update: now.moment,
            next_telemetry: None,
            next_save: now.moment,
        };
        match opening {
            Opening::Group { address, .. } => session.open_group(&address),
            Opening::Solo {
                profile,
                default_name,
            } => session.open_solo(now.moment, profile, &default_name),
        }
        session.update_rows();
        session
    }

    /// Handles one input.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.now = now;
        let now = now.moment;
        match input {
            Input::Intent(intent) => self.handle_intent(now, intent),
            Input::Timeout => self.group.handle(now, node::Input::Timeout),
            Input::Wake => self.wake(now),
            Input::Hide => self.hide(now),
            Input::LookedUp { result, stored } => self.looked_up(now, result, *stored),
            Input::Socket { socket, event } => self.group.handle_socket(now, socket, event),
            Input::Rtc {
                peer,
                connection,
                event,
            } => self.group.handle(
                now,
                node::Input::Rtc {
                    peer,
                    connection,
                    event,
                },
            ),
            Input::Device(input) => self.ride.trainer.handle(now, input, &mut self.outputs),
            Input::WorkoutFileChosen => self.view.workout_error = None,
            Input::WorkoutFile(file) => match file {
                Ok(imported) => {
                    self.share(now, Arc::new(imported.workout));
                    if !imported.ignored.is_empty() {
                        self.notify(Notice::ElementsIgnored(imported.ignored.join(", ")));
                    }
                }
                Err(error) => self.view.workout_error = Some(error),
            },
            Input::LinkCopied(copied) => self.notify(match copied {
                true => Notice::LinkCopied,
                false => Notice::CopyFailed,
            }),
            Input::RecordingOpened(chunks) => self.ride.recording.opened(self.now, chunks),
            Input::FitSaved(result) => self.view.download_error = result.err(),
            Input::CandidatePair { peer, pair, .. } => {
                self.roster.set_candidate_pair(&peer, pair);
            }
            Input::Banned => self.join_flow.set_banned(),
            Input::Entropy(bytes) => self.config.entropy = Some(bytes),
        }
        self.handle_group_events(now);
        self.update(now);
        self.handle_group_events(now);
        self.update_rows();
    }

    /// Next output; `None` when there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Moment of the next [`Input::Timeout`]; in the past means at once.
    pub fn poll_timeout(&self) -> Option<Moment> {
        let parts = [self.group.poll_timeout(), self.ride.trainer.poll_timeout()];
        let next = parts.into_iter().flatten().chain([self.next_update]);
        next.min()
    }

    /// Everything that the screen shows.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Time that all riders share; `None` while no rider has told it.
    pub fn group_time(&self, now: Moment) -> Option<GroupTime> {
        self.group.time(now)
    }

    /// Ends the session: the recording is stored, the trainer is released.
    pub fn close(&mut self) {
        self.ride.recording.save(&mut self.outputs);
        self.ride.trainer.release(&mut self.outputs);
        self.keep_screen_on(false);
    }
}

/// Joining and resuming.
impl RideSession {
    fn open_group(&mut self, address: &str) {
        let Ok(code) = address.parse::<SessionCode>() else {
            self.view.stage = Stage::CannotJoin(JoinError::NotACode);
            return;
        };
        self.view.code = Some(code.clone());
        self.view.invitation = format!("{}/ride/{code}", self.config.origin);
        self.code = Some(code);
        self.look_up();
    }

    /// Rides alone: as host and only rider, without a network.
    fn open_solo(&mut self, now: Moment, profile: Option<StoredProfile>, default_name: &str) {
        let name = profile
            .as_ref()
            .and_then(|profile| profile.name.parse().ok());
        let name = name.or_else(|| default_name.parse().ok());
        let ftp = profile.and_then(|profile| Ftp::new(profile.ftp).ok());
        let seed = self.config.entropy.take();
        let me = name.zip(seed);
        let me = me.and_then(|(name, seed)| OwnRider::new(name, ftp.unwrap_or_default(), seed));
        let Some(me) = me else {
            self.view.stage = Stage::CannotJoin(JoinError::Other);
            return;
        };
        self.set_rider(OwnRider { ready: true, ..me });
        self.group.set_last_offset(Some(GroupOffset(0)));
        self.roster.add(&provisional_id(), PeerNumber(1), true);
        self.roster.set_host(&provisional_id());
        self.use_simulator(now);
        self.show_own_profile();
        self.view.is_host = true;
        self.ride.recording.opened(self.now, None);
        self.view.stage = Stage::Lobby;
    }

    fn look_up(&mut self) {
        if let Some(code) = self.code.clone() {
            self.view.stage = Stage::LookingUp;
            self.outputs.push_back(Output::LookUp(code));
        }
    }

    fn looked_up(&mut self, now: Moment, result: Result<RideInfo, JoinError>, stored: StoredRide) {
        self.stored_timeline.clone_from(&stored.timeline);
        let step = self.join_flow.looked_up(&result, stored);
        if let Ok(info) = result {
            if let Some(invitation) = info.invitation {
                self.view.invitation = invitation;
            }
            if !matches!(step, Step::Resume(_)) {
                self.store(StorageCommand::ClearJoining);
            }
        }
        match step {
            Step::Show(stage) => self.view.stage = stage,
            Step::Resume(identity) => self.resume(now, *identity),
            Step::Join(name, ftp) => self.join(name, ftp),
        }
    }

    /// Joins as a new rider.
    fn join(&mut self, name: RiderName, ftp: Ftp) {
        if self.join_flow.is_banned() {
            self.view.stage = self.join_flow.enter_name();
            return;
        }
        let seed = self.config.entropy.take();
        self.outputs.push_back(Output::NeedEntropy);
        let Some(me) = seed.and_then(|seed| OwnRider::new(name, ftp, seed)) else {
            self.view.stage = Stage::CannotJoin(JoinError::Other);
            return;
        };
        self.store(StorageCommand::SaveProfile(StoredProfile {
            name: me.name.as_str().to_owned(),
            ftp: me.ftp.watts(),
        }));
        self.set_rider(me);
        self.group.set_last_offset(None);
        self.connect(None, None);
    }

    /// Resumes as a rider that this browser knows.
    fn resume(&mut self, now: Moment, identity: StoredIdentity) {
        let Some(me) = OwnRider::from_stored(&identity) else {
            self.view.stage = self.join_flow.enter_name();
            return;
        };
        self.set_rider(me);
        if identity.simulated {
            self.use_simulator(now);
        }
        let wall_lead = self.wall_lead_micros();
        let offset = identity
            .group_offset
            .map(|offset| GroupOffset(offset + wall_lead));
        self.group.set_last_offset(offset);
        let resume = Resume {
            peer: identity.peer,
            token: identity.token,
            incarnation: None,
        };
        self.connect(Some(resume), identity.room_snapshot);
    }

    /// Resumes as the rider of this tab that another tab took over.
    fn take_over(&mut self, now: Moment) {
        match self.identity() {
            Some(identity) => self.resume(now, identity),
            None => self.look_up(),
        }
    }

    fn set_rider(&mut self, me: OwnRider) {
        self.view.ftp = me.ftp.watts();
        self.view.ready = me.ready;
        self.view.summary = None;
        self.view.chart = None;
        self.ride.recording.reset(&mut self.outputs);
        self.takes_part = true;
        self.me = Some(me);
    }

    fn connect(&mut self, resume: Option<Resume>, room_snapshot: Option<RoomSnapshot>) {
        let (Some(code), Some(me)) = (self.code.clone(), &self.me) else {
            return;
        };
        self.join_flow.begin(resume.is_none());
        let config = NodeConfig {
            keys: me.public_keys(),
            ballot_key: me.ballot_key(),
            role: MemberRole::Rider,
            resume,
            seed: me.seed_number(),
            p2p_available: self.config.p2p_available,
            group_offset: self.group.last_offset(),
            room_snapshot,
        };
        self.group.join(code, config);
        self.view.connection = ServerConnection::Idle;
        self.view.stage = Stage::Joining;
    }

    /// Identity of this rider, once the server has given a token.
    fn identity(&self) -> Option<StoredIdentity> {
        let (me, token) = (self.me.as_ref()?, self.join_flow.token()?);
        let wall_lead = self.wall_lead_micros();
        Some(StoredIdentity {
            peer: me.peer.clone(),
            token: token.clone(),
            seed: me.seed,
            profile: StoredProfile {
                name: me.name.as_str().to_owned(),
                ftp: me.ftp.watts(),
            },
            ready: me.ready,
            simulated: self.ride.trainer.is_simulated(),
            group_offset: self.group.last_offset().map(|offset| offset.0 - wall_lead),
            room_snapshot: self.group.node().and_then(Node::room_snapshot),
        })
    }
}

impl RideSession {
    /// Microseconds by which the wall clock is ahead of the monotonic clock.
    fn wall_lead_micros(&self) -> i64 {
        let wall = self.now.wall.unix_ms() as i64 * 1_000;
        wall - self.now.moment.since_origin().as_micros() as i64
    }
}

/// Requests of the rider.
impl RideSession {
    fn handle_intent(&mut self, now: Moment, intent: Intent) {
        match intent {
            Intent::ResumeAs(position) => {
                if let Some(identity) = self.join_flow.known(position).cloned() {
                    self.resume(now, identity);
                }
            }
            Intent::JoinAsNewRider => self.view.stage = self.join_flow.enter_name(),
            Intent::Join(name, ftp) => self.join(name, ftp),
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
            Intent::ConnectTrainer => self.ride.trainer.choose(&mut self.outputs),
            Intent::SimulateTrainer => {
                self.use_simulator(now);
                self.profile_changed(now);
            }
            Intent::CopyLink => {
                let link = self.view.invitation.clone();
                self.outputs.push_back(Output::CopyLink(link));
            }
            Intent::DownloadFit => match self.ride.recording.recording() {
                Some(recording) => {
                    let recording = Box::new(recording.clone());
                    self.outputs.push_back(Output::SaveFit(recording));
                }
                None => self.view.download_error = Some(FitDownloadError::Fit(FitError::Empty)),
            },
            Intent::WatchLinks(watch) => {
                self.links.watch(now, watch);
                self.update_links(now);
            }
            Intent::ShareWorkout(workout) => self.share(now, workout),
            intent => {
                if let Some(command) = host_controls::command(&intent) {
                    self.send_command(now, command);
                } else if let Some(time) = self.group.time(now)
                    && let Some(change) = host_controls::change(&intent, time)
                {
                    self.append(now, change);
                }
            }
        }
    }

    /// Shares a workout with all riders. Possible without group time: it has no date.
    fn share(&mut self, now: Moment, workout: Arc<Workout>) {
        self.view.workout_error = None;
        let name = workout.name().to_owned();
        if self.append(now, Change::Share(Arc::unwrap_or_clone(workout))) {
            self.notify(Notice::WorkoutShared(name));
        }
    }

    /// Appends a change to the timeline as host, and returns whether it was possible.
    fn append(&mut self, now: Moment, change: Change) -> bool {
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

    fn append_in(
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
    fn send_command(&mut self, now: Moment, command: HostCommand) {
        if self.view.connection == ServerConnection::Online {
            self.group.handle(now, node::Input::Command(command));
        } else {
            self.notify(Notice::CommandRejected(CommandRejection::NoServer));
        }
    }

    fn is_host(&self) -> bool {
        match (self.group.node(), &self.me) {
            (Some(node), Some(me)) => node.host() == Some(&me.peer),
            (None, Some(_)) => self.code.is_none(),
            (_, None) => false,
        }
    }

    /// Epoch in which this rider, as host, may change the ride.
    fn host_epoch(&self) -> Option<u32> {
        let node = self.group.node();
        let may_change = self.is_host() && !node.is_some_and(Node::host_controls_suspended);
        may_change.then(|| node.map_or(1, Node::epoch))
    }
}

/// Events of the group.
impl RideSession {
    fn handle_group_events(&mut self, now: Moment) {
        while let Some(event) = self.group.poll_event(&mut self.outputs) {
            self.handle_group_event(now, event);
        }
    }

    fn handle_group_event(&mut self, now: Moment, event: NodeEvent) {
        match event {
            NodeEvent::Welcomed {
                peer,
                number,
                token,
                members,
                ..
            } => self.welcomed(now, peer, number, token, &members),
            NodeEvent::Joined(member) => self.meet(now, &member.peer, member.number),
            NodeEvent::Returned(member) => {
                self.roster.reset_metrics_age(&member.peer);
                self.meet(now, &member.peer, member.number);
            }
            // The state of the link follows.
            NodeEvent::Away(_) => {}
            NodeEvent::Left { peer, reason } => self.member_left(&peer, reason),
            NodeEvent::HostChanged(term) => self.host_changed(now, &term.peer),
            NodeEvent::LinkChanged { peer, state } => {
                self.roster.set_link(now, &peer, state);
                if matches!(state, LinkState::Relayed | LinkState::Direct) {
                    self.send_telemetry(now, Some(&peer));
                }
            }
            NodeEvent::Received { from, payload, .. } => self.receive(now, &from, &payload),
            NodeEvent::HeartbeatPayload { from, payload } => {
                if let Some(head) = Head::from_bytes(&payload) {
                    self.timeline.update_peer_head(now, &from, head);
                    self.request_missing_events(now);
                }
            }
            NodeEvent::HostControlsSuspended(suspended) => {
                self.view.controls_suspended = suspended;
            }
            NodeEvent::ReclaimAvailable => self.view.can_reclaim = true,
            NodeEvent::LockChanged(locked) => {
                self.view.locked = locked;
                self.notify(match locked {
                    true => Notice::Locked,
                    false => Notice::Unlocked,
                });
            }
            NodeEvent::CommandRefused { code, .. } => {
                let rejection = host_controls::rejection(code);
                self.notify(Notice::CommandRejected(rejection));
            }
            NodeEvent::Kicked { reason } => {
                self.view.kick_reason = Some(reason);
                self.join_flow.set_banned();
                self.store(StorageCommand::SaveBan);
                self.expelled(now, JoinError::Kicked);
            }
            NodeEvent::RideEnded => {
                if self.view.stage != Stage::Ended {
                    self.notify(Notice::Closed);
                }
                self.expelled(now, JoinError::Closed);
            }
            NodeEvent::JoinRefused { code, .. } => self.refused(now, code),
            NodeEvent::Replaced => {
                self.group.close(now, &mut self.outputs);
                self.stop(Stage::TakenOver);
            }
            NodeEvent::SocketLost { attempt, .. } => self.socket_lost(now, attempt),
            NodeEvent::SocketRestored => self.view.connection = ServerConnection::Online,
        }
    }

    fn welcomed(
        &mut self,
        now: Moment,
        peer: PeerId,
        number: PeerNumber,
        token: Token,
        members: &[Member],
    ) {
        if let Some(me) = &mut self.me {
            me.peer = peer.clone();
            let recording_key = self.code.as_ref().map(|code| format!("{code}/{peer}"));
            self.join_flow.welcomed(now, token);
            self.timeline.reset_sync();
            self.roster.add(&peer, number, true);
            self.view.connection = ServerConnection::Online;
            self.show_own_profile();
            let stored = self.stored_timeline.as_ref();
            if self.timeline.head() == Head::NONE
                && stored.is_some_and(|stored| self.timeline.restore(stored))
            {
                self.timeline_changed(now);
            }
            self.publish_head(now);
            self.update_host();
            self.save(now);
            if let Some(key) = recording_key.filter(|_| self.ride.recording.needs_opening()) {
                self.outputs.push_back(Output::OpenRecording(key));
            }
        }
        for member in members {
            self.meet(now, &member.peer, member.number);
        }
        let is_member = |other: &PeerId| members.iter().any(|member| member.peer == *other);
        self.roster
            .retain(|other| *other == peer || is_member(other));
    }

    /// Another rider is there, for the first time or again: sends the own profile and metrics.
    fn meet(&mut self, now: Moment, peer: &PeerId, number: PeerNumber) {
        self.roster.add(peer, number, false);
        self.update_host();
        self.send_profile(now, Some(peer));
        self.send_telemetry(now, Some(peer));
        if self.is_host() && self.timeline.head() != Head::NONE {
            self.timeline
                .send_since(now, &mut self.group, peer, Head::NONE);
        }
    }

    fn member_left(&mut self, peer: &PeerId, reason: LeftReason) {
        self.timeline.remove_peer(peer);
        self.limits.remove_peer(peer);
        if let Some(name) = self.roster.remove(peer) {
            self.notify(match reason {
                LeftReason::Gone => Notice::Gone(name),
                LeftReason::Left => Notice::Left(name),
                LeftReason::Kicked => Notice::Kicked(name),
            });
        }
    }

    fn host_changed(&mut self, now: Moment, host: &PeerId) {
        self.timeline.host_changed(now);
        let was_host = self.view.is_host;
        self.update_host();
        if !self.is_host() {
            let name = self.roster.name(host).to_owned();
            self.notify(Notice::NewHost(name));
        } else if !was_host {
            self.notify(Notice::YouAreHost);
        }
    }

    /// Shows who is host, and what this rider may do.
    fn update_host(&mut self) {
        let node = self.group.node();
        if let Some(host) = node.and_then(Node::host) {
            self.roster.set_host(host);
        }
        self.view.can_reclaim = node.is_some_and(Node::may_reclaim);
        self.view.locked = node.is_some_and(Node::is_locked);
        self.view.is_host = self.is_host();
    }

    fn socket_lost(&mut self, now: Moment, attempt: u32) {
        if self.view.stage == Stage::Joining && self.join_flow.socket_lost(now) {
            self.group.close(now, &mut self.outputs);
            self.stop(Stage::CannotJoin(JoinError::Unreachable));
        } else if self.view.stage != Stage::Joining || !self.join_flow.is_new() {
            self.view.connection = ServerConnection::Lost { attempt };
        }
    }

    /// The server refused this rider for good.
    fn refused(&mut self, now: Moment, code: ErrorCode) {
        if self.timeline.started_at().is_some() {
            let is_over = self.view.stage == Stage::Ended;
            let node = self.group.node();
            if node.is_some_and(|node| !is_over && !node.is_over()) {
                self.view.connection = ServerConnection::PeersOnly;
            } else {
                self.continue_alone(now);
            }
            return;
        }
        self.group.close(now, &mut self.outputs);
        let error = match code {
            ErrorCode::NoSuchRide => JoinError::NoSuchRide,
            ErrorCode::RideFull => JoinError::Full,
            ErrorCode::RideLocked => JoinError::Locked,
            ErrorCode::UnsupportedVersion => JoinError::Outdated,
            ErrorCode::BadToken => {
                self.forget_identity();
                self.takes_part = false;
                self.view.stage = self.join_flow.enter_name();
                return;
            }
            _ => JoinError::Other,
        };
        self.stop(Stage::CannotJoin(error));
    }

    /// The server does not know the ride any more, but the ride has begun: workout, recording and
    /// summary are this rider's own and go on.
    fn continue_alone(&mut self, now: Moment) {
        self.group.close(now, &mut self.outputs);
        let me = self.me.as_ref().map(|me| &me.peer);
        self.roster.retain(|peer| Some(peer) == me);
        self.view.is_host = false;
        self.view.controls_suspended = false;
        self.view.connection = match self.view.stage {
            Stage::Ended => ServerConnection::Idle,
            _ => ServerConnection::Alone,
        };
    }

    fn leave(&mut self, now: Moment) {
        self.group.handle(now, node::Input::Leave);
        self.handle_group_events(now);
        self.forget_identity();
        self.part(now, Stage::Left);
    }

    /// The host kicked this rider or closed the ride.
    fn expelled(&mut self, now: Moment, error: JoinError) {
        self.forget_identity();
        self.join_flow.forget_token();
        self.part(now, Stage::CannotJoin(error));
    }

    /// Leaves the group. A rider with a recording sees the summary, others see `otherwise`.
    fn part(&mut self, now: Moment, otherwise: Stage) {
        self.group.close(now, &mut self.outputs);
        if self.view.stage != Stage::Ended {
            self.ride
                .discard_cancelled_start(&self.timeline, &mut self.outputs);
            self.summarize(now);
        }
        self.stop(match self.view.summary {
            Some(_) => Stage::Ended,
            None => otherwise,
        });
    }

    /// This page takes part no more: the trainer is released, the screen may turn off.
    fn stop(&mut self, stage: Stage) {
        self.takes_part = false;
        self.close();
        self.view.controls_suspended = false;
        self.view.connection = ServerConnection::Idle;
        self.view.stage = stage;
    }
}

/// Messages of other riders.
impl RideSession {
    fn receive(&mut self, now: Moment, from: &PeerId, payload: &[u8]) {
        match PeerMessage::decode(payload) {
            Ok(PeerMessage::Profile(profile)) => self.receive_profile(now, from, &profile),
            Ok(PeerMessage::Telemetry(telemetry)) => {
                let measured_at = self.group.moment_of(now, telemetry.at);
                self.roster.set_metrics(now, from, &telemetry, measured_at);
                self.ride.record_rider(from, &self.roster, &telemetry);
            }
            Ok(PeerMessage::Timeline(events)) => self.merge_events(now, from, events),
            Ok(PeerMessage::TimelineRequest { head }) => {
                if self.limits.allow(now, from, PeerRequest::Timeline) {
                    self.timeline.send_since(now, &mut self.group, from, head);
                }
            }
            Ok(PeerMessage::HistoryRequest { started }) => {
                let (group, limits) = (&mut self.group, &mut self.limits);
                self.ride.history.answer(now, group, limits, from, started);
            }
            Ok(PeerMessage::History(snapshot)) => {
                if self.ride.history.merge(snapshot) && self.view.stage == Stage::Ended {
                    self.draw_chart(now);
                }
            }
            // From another version, or hostile.
            Err(_) => self.unreadable += 1,
        }
    }

    fn receive_profile(&mut self, now: Moment, peer: &PeerId, profile: &RiderProfile) {
        let is_new = self.roster.name(peer).is_empty();
        self.roster.set_profile(peer, profile);
        self.ride.history.set_name(peer, self.roster.name(peer));
        if is_new && self.join_flow.announces_names(now) {
            self.notify(Notice::Joined(profile.name.as_str().to_owned()));
        }
    }

    fn merge_events(&mut self, now: Moment, from: &PeerId, events: Vec<SignedEvent>) {
        let before = self.timeline.head();
        let (group, limits) = (&mut self.group, &mut self.limits);
        let merged = self.timeline.merge(now, group, limits, from, events);
        if !merged.grew {
            return;
        }
        self.timeline_changed(now);
        if before != Head::NONE {
            self.announce_change(now, before);
        }
        if merged.has_unknown {
            self.notify(Notice::NewerVersion);
        }
    }

    /// The timeline has grown: stores it, publishes its head, and shows it.
    fn timeline_changed(&mut self, now: Moment) {
        if self.code.is_some() {
            self.store(StorageCommand::SaveTimeline(self.timeline.encode()));
        }
        self.publish_head(now);
        self.view.workout = self.timeline.workout().cloned();
        self.next_update = now;
    }

    /// Tells all riders the head of the timeline, with each heartbeat.
    fn publish_head(&mut self, now: Moment) {
        let head = self.timeline.head().to_bytes().to_vec();
        self.group
            .handle(now, node::Input::SetHeartbeatPayload(head));
    }

    fn request_missing_events(&mut self, now: Moment) {
        let reachable = self.roster.reachable();
        self.timeline
            .request_missing(now, &mut self.group, reachable);
    }

    /// Announces a recent change by a host, where the screen does not show it by itself. A rider who
    /// joins late sees where the ride is, not how it got there.
    fn announce_change(&mut self, now: Moment, before: Head) {
        let action = self.timeline.recent_action(self.group.time(now), before);
        if let Some((host, action)) = action {
            let name = self.roster.name(host).to_owned();
            self.notify(Notice::HostActed(name, action));
        }
    }

    /// Tells all riders, and this screen, the own profile.
    fn profile_changed(&mut self, now: Moment) {
        self.show_own_profile();
        self.send_profile(now, None);
        self.save(now);
    }

    fn show_own_profile(&mut self) {
        if let Some(me) = &self.me {
            let profile = me.profile(self.ride.trainer.kind());
            self.roster.set_profile(&me.peer, &profile);
        }
    }

    fn send_profile(&mut self, now: Moment, to: Option<&PeerId>) {
        let Some(me) = &self.me else { return };
        let message = PeerMessage::Profile(me.profile(self.ride.trainer.kind()));
        match to {
            Some(peer) => self.group.send(now, peer, DeliveryClass::Control, &message),
            None => self.group.broadcast(now, DeliveryClass::Control, &message),
        }
    }

    /// Sends the newest own metrics, to one rider or to all.
    fn send_telemetry(&mut self, now: Moment, to: Option<&PeerId>) {
        let Some(time) = self.group.time(now) else {
            return;
        };
        let message = PeerMessage::Telemetry(telemetry(&self.view.own_metrics, time));
        match to {
            Some(peer) => self
                .group
                .send(now, peer, DeliveryClass::Telemetry, &message),
            None => self
                .group
                .broadcast(now, DeliveryClass::Telemetry, &message),
        }
    }
}

/// Effects of time. Everything is computed from clocks, never counted in ticks, so a page that slept
/// is right at once when it wakes.
impl RideSession {
    fn update(&mut self, now: Moment) {
        // The other riders wait for the first metrics.
        if self.next_telemetry.is_none() && self.group.time(now).is_some() {
            self.next_telemetry = Some(now);
            self.next_update = now;
        }
        if now < self.next_update {
            return;
        }
        self.next_update = now + UPDATE_INTERVAL;
        if let Some(phase) = self.phase(now) {
            self.follow_phase(now, phase);
        }
        self.roster.update_stale(now);
        self.remove_gone_riders(now);
        self.view.trainer = self.ride.trainer.state().clone();
        if self.next_telemetry.is_some_and(|at| at <= now) {
            self.next_telemetry = Some(now + TELEMETRY_INTERVAL);
            self.send_telemetry(now, None);
        }
        if now >= self.next_save {
            self.save(now);
        }
        self.request_missing_events(now);
        let epoch = self.host_epoch();
        if self.timeline.needs_no_op(now, epoch)
            && let Some(epoch) = epoch
        {
            // A timeline that is full stays as it is.
            let _ = self.append_in(now, epoch, Change::NoOp);
        }
        self.update_links(now);
    }

    /// Phase of the ride for a rider who takes part in it.
    fn phase(&mut self, now: Moment) -> Option<Phase> {
        let is_waiting = self.group.node().is_some() && !self.group.is_joined();
        if !self.takes_part || is_waiting {
            return None;
        }
        let time = self.group.time(now);
        let phase = time.map(|time| self.timeline.read_phase(time));
        // A rider can wait for the start without knowing group time.
        let not_started = self.timeline.started_at().is_none();
        phase.or(not_started.then_some(Phase::Lobby))
    }

    fn follow_phase(&mut self, now: Moment, phase: Phase) {
        let Some(me) = &self.me else { return };
        let context = RideContext {
            group: &self.group,
            timeline: &self.timeline,
            me,
        };
        let (roster, outputs) = (&mut self.roster, &mut self.outputs);
        let update = self.ride.follow(self.now, phase, context, roster, outputs);
        self.view.own_metrics = update.metrics;
        let own = telemetry(&self.view.own_metrics, GroupTime::default());
        self.roster.set_metrics(now, &me.peer, &own, now);
        if let Some(progress) = update.progress {
            self.view.progress = progress;
        }
        if let Some(at) = update.next_update {
            self.next_update = self.next_update.min(at);
        }
        let reachable = self.roster.reachable();
        self.ride.history.request(now, &mut self.group, reachable);
        self.show_stage(now, phase);
    }

    fn show_stage(&mut self, now: Moment, phase: Phase) {
        let stage = match phase {
            Phase::Lobby => Stage::Lobby,
            Phase::Countdown { .. } => Stage::Countdown,
            Phase::Riding { .. } | Phase::Paused { .. } => Stage::Riding,
            Phase::Ended { .. } => Stage::Ended,
        };
        // The summary needs what was recorded before a reload.
        let is_early = stage == Stage::Ended && self.ride.recording.is_opening(now);
        if self.view.stage == stage || is_early {
            return;
        }
        self.keep_screen_on(matches!(stage, Stage::Countdown | Stage::Riding));
        if stage == Stage::Ended {
            self.summarize(now);
        }
        self.view.stage = stage;
    }

    fn summarize(&mut self, now: Moment) {
        if let Some(me) = &self.me {
            let context = RideContext {
                group: &self.group,
                timeline: &self.timeline,
                me,
            };
            self.view.summary = self.ride.summarize(now, context, &mut self.outputs);
        }
        self.draw_chart(now);
    }

    fn draw_chart(&mut self, now: Moment) {
        if let Some(me) = &self.me {
            let context = RideContext {
                group: &self.group,
                timeline: &self.timeline,
                me,
            };
            self.view.chart = self.ride.chart(now, context, &self.roster);
        }
    }

    /// While the server, which otherwise decides it, is unreachable, removes riders who have been
    /// away for long.
    fn remove_gone_riders(&mut self, now: Moment) {
        if self.view.connection == ServerConnection::Online {
            return;
        }
        let gone = self.roster.take_gone(now);
        if gone.is_empty() {
            return;
        }
        for name in gone {
            self.notify(Notice::Gone(name));
        }
        let is_alone = self.roster.peers().count() <= 1;
        if self.view.connection == ServerConnection::PeersOnly && is_alone {
            self.continue_alone(now);
        }
    }

    fn update_links(&mut self, now: Moment) {
        let rejected = self.unreadable + self.timeline.rejected();
        let stats = self
            .links
            .update(now, &self.group, &mut self.roster, rejected);
        if let Some(stats) = stats {
            self.view.network = stats;
            self.outputs.push_back(Output::QueryCandidatePair);
        }
    }

    fn use_simulator(&mut self, now: Moment) {
        if let Some(me) = &self.me {
            let seed = me.seed_number();
            self.ride.trainer.simulate(seed, me.ftp, &mut self.outputs);
            self.next_update = now;
        }
    }
}

/// Persistence and the screen.
impl RideSession {
    /// The page is hidden, perhaps for good: stores everything, and marks the tab, so that a reload
    /// resumes as the same rider without asking.
    fn hide(&mut self, now: Moment) {
        if self.timeline.started_at().is_none() {
            self.ride
                .discard_cancelled_start(&self.timeline, &mut self.outputs);
        }
        self.save(now);
        if self.takes_part && self.code.is_some() {
            self.store(StorageCommand::MarkHidden);
        }
    }

    fn wake(&mut self, now: Moment) {
        if self.takes_part && self.code.is_some() {
            self.store(StorageCommand::ClearHidden);
        }
        if matches!(self.view.stage, Stage::Countdown | Stage::Riding) {
            // The browser releases the wake lock whenever the page is hidden.
            self.keeps_screen_on = false;
            self.keep_screen_on(true);
        }
        self.group.handle(now, node::Input::ProbeSocket);
    }

    /// Stores the identity and the recording.
    fn save(&mut self, now: Moment) {
        self.next_save = now + SAVE_INTERVAL;
        self.ride.recording.save(&mut self.outputs);
        if !self.takes_part {
            return;
        }
        self.group.remember_offset(now);
        if self.code.is_some()
            && let Some(identity) = self.identity()
        {
            self.store(StorageCommand::SaveIdentity(Box::new(identity)));
        }
    }

    fn forget_identity(&mut self) {
        if self.code.is_some()
            && let Some(me) = &self.me
        {
            let command = StorageCommand::ForgetIdentity(me.peer.clone());
            self.store(command);
        }
    }

    fn store(&mut self, command: StorageCommand) {
        self.outputs.push_back(Output::Storage(command));
    }

    fn keep_screen_on(&mut self, on: bool) {
        if std::mem::replace(&mut self.keeps_screen_on, on) != on {
            self.outputs.push_back(Output::KeepScreenOn(on));
        }
    }

    fn notify(&mut self, notice: Notice) {
        self.outputs.push_back(Output::Notice(notice));
    }

    fn update_rows(&mut self) {
        if !self.view.riders.iter().eq(self.roster.rows()) {
            self.view.riders = self.roster.rows().cloned().collect();
        }
    }
}

fn telemetry(metrics: &Metrics, at: GroupTime) -> Telemetry {
    Telemetry {
        power: metrics.power,
        cadence: metrics.cadence,
        heart_rate: metrics.heart_rate,
        target: metrics.target,
        elapsed_ms: metrics.elapsed_ms,
        at,
        position_ms: Some(metrics.position_ms).filter(|at| *at != metrics.elapsed_ms),
    }
}
