//! The state machine that wires the parts of a session together.
//!
//! Each part owns its state and its decisions; what is here connects them. `joining`, `intents`,
//! `group_events` and `messages` handle one kind of input each; `solo_ride` begins and resumes a ride
//! without a group.

mod group_events;
mod intents;
mod joining;
mod messages;
mod solo_ride;

use std::collections::VecDeque;

use clock::{Duration, GroupTime, Moment, Now, WallTime};
use mesh::{node, peer_limits::PeerLimits};
use protocol::{code::SessionCode, peer::PeerId};
use ride::{
    bridge::BridgeLoad,
    message::Telemetry,
    recording::stored::RideState,
    rider::{Ftp, TrainerKind},
    timeline::{Change, Phase},
};

use crate::{
    api::{Input, OpenedRecording, Opening, Output, SessionConfig, UnfinishedSolo},
    bridge::{BridgeLink, ProvedBridges},
    control_guard::ControlGuard,
    devices::OwnDevices,
    exchange::{ExchangeCall, LoadedExchange, OpenExchange},
    exchange_port::{ExchangePort, exchange_now},
    group::Group,
    join_flow::JoinFlow,
    links::LinkMonitor,
    own_ride::{OwnRide, RideContext},
    rider::OwnRider,
    roster::Roster,
    shared_timeline::SharedTimeline,
    storage::StorageCommand,
    view::{DevicesView, EndedBy, Metrics, Notice, ServerConnection, Stage, View},
};

/// Interval between two updates of the view.
const UPDATE_INTERVAL: Duration = Duration::from_millis(250);
/// Interval between two telemetry messages.
const TELEMETRY_INTERVAL: Duration = Duration::from_millis(500);
/// Mean interval between announcements of another kind of trainer, which a phone can cause.
const ANNOUNCEMENT_INTERVAL: Duration = Duration::from_secs(1);
/// Time by which announcements may be ahead of that: a few go out at once.
const ANNOUNCEMENT_BURST: Duration = Duration::from_secs(3);
/// Interval between two times that identity and recording are stored.
const SAVE_INTERVAL: Duration = Duration::from_secs(2);
/// Time between two inputs from which the page did not run meanwhile: timers are due every 250 ms.
const ABSENCE: Duration = Duration::from_secs(5);
/// Longest absence of a rider who is alone in which the ride goes on, as during a reload. In a
/// longer one it waits.
pub(super) const MAX_ABSENCE: Duration = Duration::from_secs(60);

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
    /// Solo ride that was not finished, until another one has begun.
    unfinished: Option<Box<UnfinishedSolo>>,
    /// Timeline that this browser had stored when the ride was looked up.
    stored_timeline: Option<Vec<u8>>,
    limits: PeerLimits,
    roster: Roster,
    ride: OwnRide,
    /// Kind of the own trainer that the other riders know, and the moment until which announcements
    /// are spent.
    announced_trainer: (TrainerKind, Moment),
    /// Clocks at the newest input.
    now: Now,
    links: LinkMonitor,
    controls: ControlGuard,
    /// True if this page takes part in the ride: from joining until leaving, a refusal, or the
    /// takeover by another tab.
    takes_part: bool,
    /// Messages of other riders that could not be read.
    unreadable: u64,
    /// Bridges whose proofs were verified.
    proved_bridges: ProvedBridges,
    exchange: ExchangePort,
    keeps_screen_on: bool,
    next_update: Moment,
    /// Time of the next telemetry message; `None` while group time, which dates it, is unknown.
    next_telemetry: Option<Moment>,
    next_save: Moment,
}

/// State machine that a driver connects with the world, see the [crate documentation](crate).
pub trait Session {
    /// Handles one input.
    fn handle(&mut self, now: Now, input: Input);

    /// Next output; `None` when there is none.
    fn poll_output(&mut self) -> Option<Output>;

    /// Moment of the next [`Input::Timeout`]; in the past means at once.
    fn poll_timeout(&self) -> Option<Moment>;

    /// Everything that the screen shows.
    fn view(&self) -> &View;

    /// Ends the session.
    fn close(&mut self);

    /// The part of the app with chat and file transfers is loaded. A session without a group has no
    /// use for it.
    fn load_exchange(&mut self, _now: Now, _open: OpenExchange) {}

    /// Calls chat and file transfers, then handles what has come of it. Ignored where there are none.
    fn call_exchange(&mut self, _now: Now, _call: ExchangeCall) {}

    /// Chat and file transfers, whose outputs are drained after each input; `None` where there are
    /// none.
    fn exchange(&mut self) -> Option<&mut dyn LoadedExchange> {
        None
    }
}

impl Session for RideSession {
    fn handle(&mut self, now: Now, input: Input) {
        Self::handle(self, now, input);
    }

    fn poll_output(&mut self) -> Option<Output> {
        Self::poll_output(self)
    }

    fn poll_timeout(&self) -> Option<Moment> {
        Self::poll_timeout(self)
    }

    fn view(&self) -> &View {
        Self::view(self)
    }

    fn close(&mut self) {
        Self::close(self);
    }

    fn load_exchange(&mut self, now: Now, open: OpenExchange) {
        self.exchange.set_loaded(open);
        self.handle(now, Input::Timeout);
    }

    fn call_exchange(&mut self, now: Now, call: ExchangeCall) {
        self.exchange.call(exchange_now(now, &self.group), call);
        self.handle(now, Input::Timeout);
    }

    fn exchange(&mut self) -> Option<&mut dyn LoadedExchange> {
        self.exchange.loaded()
    }
}

impl RideSession {
    /// Opens a ride. Drain the outputs before the first input.
    pub fn new(config: SessionConfig, now: Now, opening: Opening) -> Self {
        let reloaded = matches!(opening, Opening::Group { reloaded: true, .. });
        let devices = OwnDevices::new(config.devices.clone());
        let utc_offset = config.utc_offset;
        let view = View {
            sub_sport: config.sub_sport,
            ..View::default()
        };
        let mut session = Self {
            config,
            outputs: VecDeque::new(),
            view,
            code: None,
            join_flow: JoinFlow::new(reloaded),
            me: None,
            group: Group::default(),
            timeline: SharedTimeline::default(),
            unfinished: None,
            stored_timeline: None,
            limits: PeerLimits::default(),
            roster: Roster::default(),
            ride: OwnRide::new(devices, utc_offset),
            announced_trainer: (TrainerKind::None, Moment::ZERO),
            now,
            links: LinkMonitor::default(),
            controls: ControlGuard::default(),
            takes_part: false,
            unreadable: 0,
            proved_bridges: ProvedBridges::default(),
            exchange: ExchangePort::default(),
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
        self.notice_absence(now);
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
            Input::DirectLinks(links) => self.view.direct_links = links,
            Input::Device(input) => {
                if self.ride.devices.handle(now, input, &mut self.outputs) {
                    self.save_devices();
                }
            }
            Input::WorkoutFileChosen => {
                self.view.workout_error = None;
                self.view.workout_file = None;
            }
            Input::WorkoutFile(file) => match file {
                Ok(imported) => self.workout_file_read(now, imported),
                Err(error) => self.view.workout_error = Some(error),
            },
            Input::LinkCopied(copied) => self.notify(match copied {
                true => Notice::LinkCopied,
                false => Notice::CopyFailed,
            }),
            Input::UnfinishedSolo(ride) => self.unfinished_solo(ride),
            Input::UnfinishedTaken => self.unfinished_taken(),
            Input::RecordingOpened { open, opened } => self.recording_opened(now, open, opened),
            Input::RecordingWritten { write, is_stored } => {
                let outputs = &mut self.outputs;
                self.ride.recording.written(now, write, is_stored, outputs);
            }
            Input::FitSaved(result) => self.view.download_error = result.err(),
            Input::CandidatePair {
                peer,
                connection,
                pair,
            } => {
                // The answer may be of a connection that has been replaced meanwhile.
                if self.group.is_current(&peer, connection) {
                    self.roster.set_candidate_pair(&peer, pair);
                    let input = mesh::node::Input::Candidate {
                        peer,
                        connection,
                        candidate: pair.map(|pair| pair.local.max(pair.remote)),
                    };
                    self.group.handle(now, input);
                }
            }
            Input::Banned => self.join_flow.set_banned(),
            Input::RevokedLinks(count) => self.revoke_links(count),
            Input::Entropy(bytes) => self.config.entropy = Some(bytes),
        }
        self.handle_group_events(now);
        self.update(now);
        self.announce_trainer(now);
        self.send_to_phone(now);
        self.update_exchange();
        self.handle_group_events(now);
        self.controls
            .follow(now, &self.view.stage, &self.view.progress);
        let kept = self.ride.recording.kept();
        if self.view.kept_ride.as_deref() != kept {
            self.view.kept_ride = kept.map(str::to_owned);
        }
        self.view.recording_at_risk = self.ride.recording.is_at_risk();
        self.update_rows();
        self.update_others();
    }

    /// Next output; `None` when there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Moment of the next [`Input::Timeout`]; in the past means at once.
    pub fn poll_timeout(&self) -> Option<Moment> {
        let parts = [
            self.group.poll_timeout(),
            self.ride.devices.poll_timeout(),
            self.exchange.poll_timeout(),
        ];
        let next = parts.into_iter().flatten().chain([self.next_update]);
        next.min()
    }

    /// Everything that the screen shows.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Time that all riders share; `None` outside of a group, and until another rider has told it.
    pub fn group_time(&self, now: Moment) -> Option<GroupTime> {
        self.group.node()?.group_time(now)
    }

    /// Ends the session: the recording is stored, the trainer is released. A page that is opened
    /// in this tab later resumes as the same rider.
    pub fn close(&mut self) {
        let now = self.now.moment;
        if self.takes_part {
            self.hide(now);
        }
        self.save_recording(now, true);
        self.ride.devices.release(now, &mut self.outputs);
        self.keep_screen_on(false);
    }
}

/// Effects of time. Everything is computed from clocks, never counted in ticks, so a page that slept
/// is right at once when it wakes.
impl RideSession {
    fn update(&mut self, now: Moment) {
        self.ride.devices.handle_timeout(now, &mut self.outputs);
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
        self.show_devices(now);
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
        if !self.takes_part || is_waiting || self.timeline.is_catching_up(now) {
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
        self.exchange.group_changed();
        if self.view.stage == Stage::Ended {
            // There is no ride to return to from another page any more.
            self.save(now);
        }
    }

    fn summarize(&mut self, now: Moment) {
        if let Some(me) = &self.me {
            let context = RideContext {
                group: &self.group,
                timeline: &self.timeline,
                me,
            };
            self.view.summary = self.ride.summarize(self.now, context, &mut self.outputs);
            let measured = self.ride.measured_ftp(context);
            self.view.measured_ftp = measured.map(Ftp::watts);
        }
        self.view.ended_by = self.ended_by(now);
        self.draw_chart(now);
    }

    /// Host who ended the ride before its workout was over.
    fn ended_by(&self, now: Moment) -> Option<EndedBy> {
        let time = self.group.time(now)?;
        let (host, at) = self.timeline.ended_by(time)?;
        Some(self.named_end(host, self.now.wall.before(time.since(at))))
    }

    /// End of the ride by a host at a wall time.
    fn named_end(&self, host: &PeerId, at: WallTime) -> EndedBy {
        match self.me.as_ref().is_some_and(|me| me.peer == *host) {
            true => EndedBy::Me(at),
            false => EndedBy::Rider(self.roster.label(host), at),
        }
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
        for name in self.roster.take_gone(now) {
            self.notify(Notice::Gone(name));
        }
        // A phone that connects the trainer is kept.
        let has_phone = self.ride.devices.has_phone();
        let is_alone = self.roster.rows().count() <= 1 && !has_phone;
        if self.view.connection == ServerConnection::PeersOnly && is_alone {
            self.continue_alone(now);
        }
    }

    fn update_links(&mut self, now: Moment) {
        let rejected = self.unreadable + self.timeline.rejected() + self.exchange.rejected();
        let stats = self
            .links
            .update(now, &self.group, &mut self.roster, rejected);
        let has_stats = stats.is_some();
        if let Some(stats) = stats {
            self.view.network = stats;
        }
        if self.links.wants_candidates(now) || has_stats {
            self.outputs.push_back(Output::QueryCandidatePair);
        }
    }

    fn use_simulator(&mut self, now: Moment) {
        if let Some(me) = &self.me {
            let seed = me.seed_number();
            let (ftp, outputs) = (me.ftp, &mut self.outputs);
            self.ride.devices.simulate(now, seed, ftp, outputs);
            self.next_update = now;
        }
    }

    pub(super) fn show_devices(&mut self, now: Moment) {
        self.view.devices = DevicesView {
            bridge_link: self.bridge_link(),
            ..self.ride.devices.view(now)
        };
    }

    /// Link for a phone, once the server has given the id that it contains.
    fn bridge_link(&self) -> String {
        let is_joined = self.takes_part && self.group.is_joined();
        let (Some(me), Some(code), true) = (&self.me, &self.code, is_joined) else {
            return String::new();
        };
        let known = &self.view.devices.bridge_link;
        if !known.is_empty() {
            return known.clone();
        }
        let link = BridgeLink {
            code: code.clone(),
            rider: me.peer.clone(),
            secret: me.bridge_secret(),
        };
        // The address of the server as invitations name it.
        let base = self.view.invitation.strip_suffix(&format!("/ride/{code}"));
        let base = base.unwrap_or(&self.config.origin);
        format!("{base}/bridge#{link}")
    }

    /// Sends the load to the phone that connects the trainer.
    fn send_to_phone(&mut self, now: Moment) {
        if let Some((phone, load)) = self.ride.devices.take_phone_message(now)
            && let Some(me) = &self.me
        {
            let payload = BridgeLoad::new(Some(load), &me.name).encode();
            self.group.send_telemetry(now, phone, payload);
        }
    }

    /// Tells the other riders when this one has a trainer and when no longer.
    fn announce_trainer(&mut self, now: Moment) {
        let kind = self.ride.devices.kind();
        let (announced, spent) = self.announced_trainer;
        if kind == announced || spent > now + ANNOUNCEMENT_BURST {
            return;
        }
        self.announced_trainer = (kind, spent.max(now) + ANNOUNCEMENT_INTERVAL);
        if self.takes_part {
            self.show_own_profile();
            self.send_profile(now, None);
        }
    }
}

/// Persistence and the screen.
impl RideSession {
    /// The page did not run for a while if no input came: the computer slept, or the browser froze
    /// the page.
    fn notice_absence(&mut self, now: Now) {
        if now.longest_since(self.now) < ABSENCE {
            return;
        }
        if self
            .group
            .node()
            .is_some_and(|node| node.members().any(|member| member.role.follows_ride()))
        {
            self.timeline.catch_up(now.moment);
        }
        // Where the monotonic clock stood still, the ride has waited anyway.
        let absence = now.moment - self.now.moment;
        if absence > MAX_ABSENCE {
            self.group.wait_for(now.moment, absence);
        }
    }

    fn recording_opened(&mut self, now: Moment, open: u32, opened: OpenedRecording) {
        let outputs = &mut self.outputs;
        self.ride.recording.opened(self.now, open, opened, outputs);
        // A browser that answered late may have had more to sum up.
        if self.view.stage == Stage::Ended {
            self.summarize(now);
        }
    }

    /// Opens the stored recording of this rider.
    fn open_recording(&mut self, now: Moment) {
        if let Some(me) = &self.me {
            let key = match &self.code {
                Some(code) => format!("{code}/{}", me.peer),
                None => solo_ride::recording_key(me),
            };
            self.ride.recording.open(now, key, &mut self.outputs);
        }
    }

    /// Stores the recording, and the state of the ride.
    fn save_recording(&mut self, now: Moment, at_once: bool) {
        if let Some(me) = &self.me {
            let solo = match self.code {
                Some(_) => None,
                None => solo_ride::rider(me, self.group.time(now)),
            };
            let timeline = self.timeline.timeline();
            let state = RideState::under_way(me.serial_number(), timeline, solo);
            self.ride.recording.set_state(state.encode());
        }
        let outputs = &mut self.outputs;
        self.ride.recording.save(now, at_once, outputs);
    }

    /// The page is hidden, perhaps for good: stores everything, and marks the tab, so that a reload
    /// resumes as the same rider without asking.
    fn hide(&mut self, now: Moment) {
        if self.timeline.started_at().is_none() {
            self.ride
                .discard_cancelled_start(now, &self.timeline, &mut self.outputs);
        }
        self.save_recording(now, true);
        self.save(now);
        self.ride.devices.release_target(now, &mut self.outputs);
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
        self.ride.devices.wake(now);
        self.group.handle(now, node::Input::ProbeSocket);
    }

    /// Stores the identity and the recording.
    fn save(&mut self, now: Moment) {
        self.next_save = now + SAVE_INTERVAL;
        self.save_recording(now, false);
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

    /// Tells chat and file transfers about the group, and sends what they want to be sent.
    fn update_exchange(&mut self) {
        let at = exchange_now(self.now, &self.group);
        let me = self.me.as_ref().filter(|_| self.takes_part);
        let is_over = self.view.stage == Stage::Ended;
        self.exchange
            .update(at, &mut self.group, me, &self.roster, is_over);
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
