//! The driver of a ride in the browser: the only place that touches the
//! machines of `mesh` and `ride`, the browser, and the signals of the screen.
//!
//! Everything that happens comes through one queue ([`inbox`]). Each event is
//! handled with the time taken once; then the node is drained, the screen is
//! brought up to date if it is time for that, and one alarm is set for the
//! earliest moment that any machine wants.
//!
//! - `entry`: from the address to a rider who joins.
//! - `group`: the node, its socket and its connections.
//! - `links`: what the connection panel shows of the links.
//! - `hearing`: what the node says; `keeping`: what outlives a reload.
//! - `roster`: the riders and their rows.
//! - `own_ride`: the own trainer and target; `own_recording`: what is recorded.
//! - `history`: what everybody has ridden so far.
//! - `host`: what only the host can do.
//! - `rule`: who is host, and what the server does for the host alone.
//! - `talk`: what riders tell each other.
//! - `screen`: what the passing of time changes on the screen.

mod entry;
mod group;
mod hearing;
mod history;
mod host;
mod inbox;
mod keeping;
mod links;
mod own_recording;
mod own_ride;
mod roster;
mod rule;
mod screen;
mod talk;

use std::{sync::Arc, time::Duration};

use ::clock::{GroupTime, Moment};
use leptos::prelude::*;
use mesh::node::Input;
use protocol::signaling::HostCommand;
use protocol::{code::SessionCode, peer::PeerId};
use ride::{
    rider::{Ftp, RiderName},
    timeline::{RideClock, SigningKey, Timeline, TimelineSync},
};
use send_wrapper::SendWrapper;

use crate::{
    browser::{clock, listener::Listener, page, timer::WorkerTimer, wake_lock::WakeLock},
    state::{Intent, Intents, Notice, RideState},
};
use entry::Entry;
use group::Group;
use history::Past;
use inbox::{Event, Inbox};
use links::LinkWatch;
use own_recording::OwnRecording;
use own_ride::OwnRide;
use roster::Roster;

/// The peer id of somebody who rides alone.
const ALONE: &str = "alone";

/// Opens a group ride by what stands in the address. Call in an effect: what it
/// makes is let go of with the effect's owner.
pub fn open_group(state: RideState, intents: Intents, code: String) {
    open(state, intents, |session| session.open_address(&code));
}

/// Opens a ride alone, on the simulator, without a network. Call in an effect.
/// `anonymous` names a rider whose name this browser does not know.
pub fn open_solo(state: RideState, intents: Intents, anonymous: &str) {
    open(state, intents, |session| session.ride_alone(anonymous));
}

fn open(state: RideState, intents: Intents, begin: impl FnOnce(&mut Session)) {
    let inbox = Inbox::new();
    let mut session = Session::new(state, inbox.clone());
    begin(&mut session);
    session.schedule_timer();
    inbox.attach(session);
    intents.connect({
        let inbox = inbox.clone();
        move |intent| inbox.post(Event::Intent(intent))
    });
    // What began while there was no session yet to hear of it.
    inbox.post(Event::Timer);
    let inbox = SendWrapper::new(inbox);
    on_cleanup(move || inbox.close());
}

/// A rider's side of a ride, in this tab.
struct Session {
    state: RideState,
    inbox: Inbox,
    timer: WorkerTimer,
    wake_lock: WakeLock,
    /// The code of the ride; none when riding alone.
    code: Option<SessionCode>,
    entry: Entry,
    /// Who rides here, once known.
    me: Option<Me>,
    /// The others, once joining.
    group: Option<Group>,
    timeline: Timeline,
    /// What the others hold of it.
    timeline_sync: TimelineSync,
    /// Messages that could not be read and events that did not count.
    ignored: u64,
    /// The time of the ride, as it is shown here.
    clock: RideClock,
    past: Past,
    roster: Roster,
    own: OwnRide,
    recording: OwnRecording,
    /// The skips and backs of the last moment of the ride, and whether it stood
    /// still.
    last_course: Option<(usize, bool)>,
    /// Whether this tab takes part: from joining until leaving, a refusal or
    /// another tab.
    takes_part: bool,
    /// Group time less the own clock, as last known: from before a reload, or
    /// from before the group was lost.
    last_offset: Option<i64>,
    /// The facts about the links, while the panel is open.
    watch: LinkWatch,
    /// When the screen is next brought up to date.
    next_refresh: Duration,
    /// When the own numbers are next sent; none while there is no group time, by
    /// which they are dated.
    next_telemetry: Option<Duration>,
    /// When the own identity and recording are next kept.
    next_save: Duration,
    _listeners: Vec<Listener>,
}

/// The rider at this screen.
struct Me {
    peer: PeerId,
    name: RiderName,
    ftp: Ftp,
    ready: bool,
    /// What the keys are made from.
    seed: [u8; 32],
    key: SigningKey,
}

impl Session {
    fn new(state: RideState, inbox: Inbox) -> Self {
        let timer = WorkerTimer::new({
            let inbox = inbox.clone();
            move || inbox.post(Event::Timer)
        });
        let mut listeners = page::on_wake({
            let inbox = inbox.clone();
            move || inbox.post(Event::Wake)
        });
        listeners.extend(page::on_hide({
            let inbox = inbox.clone();
            move || inbox.post(Event::Hide)
        }));
        Self {
            state,
            timer,
            wake_lock: WakeLock::default(),
            code: None,
            entry: Entry::default(),
            me: None,
            group: None,
            timeline: Timeline::new(),
            timeline_sync: TimelineSync::default(),
            ignored: 0,
            clock: RideClock::default(),
            past: Past::default(),
            roster: Roster::default(),
            own: OwnRide::new(inbox.clone()),
            recording: OwnRecording::new(inbox.clone()),
            last_course: None,
            takes_part: false,
            last_offset: None,
            watch: LinkWatch::default(),
            next_refresh: Duration::ZERO,
            next_telemetry: None,
            next_save: Duration::ZERO,
            inbox,
            _listeners: listeners,
        }
    }

    /// Handles one event to the end.
    fn handle(&mut self, event: Event) {
        let now = clock::now();
        match event {
            Event::Intent(intent) => self.intend(now, intent),
            Event::Timer => self.with_node(now, Input::Timeout),
            Event::Wake => self.woken(now),
            Event::Hide => self.park(now),
            Event::LookedUp(found) => self.looked_up(now, found),
            Event::Socket(generation, event) => {
                if let Some(group) = &mut self.group {
                    group.socket(now, generation, event);
                }
            }
            Event::Rtc(peer, connection, event) => {
                if let Some(group) = &mut self.group {
                    group.rtc(now, peer, connection, event);
                }
            }
            Event::TrainerChosen(attempt, chosen) => {
                self.own.trainer_chosen(now, attempt, chosen);
            }
            Event::Trainer(generation, event) => self.own.trainer(now, generation, event),
            Event::FileRead(bytes) => self.share_file(now, bytes),
            Event::Copied(copied) => self.notify(match copied {
                true => Notice::LinkCopied,
                false => Notice::CopyFailed,
            }),
            Event::CandidatePair(peer, connection, ends) => {
                self.found_candidate_pair(&peer, connection, ends)
            }
            Event::Kept(kept) => self.recording.kept(kept),
        }
        self.drain(now);
        self.refresh(now);
        self.drain(now);
    }

    /// Feeds the node, if there is one.
    fn with_node(&mut self, now: Duration, input: Input) {
        if let Some(group) = &mut self.group {
            group.handle(now, input);
        }
    }

    /// Works off all that the node has to say.
    fn drain(&mut self, now: Duration) {
        while let Some(event) = self.group.as_mut().and_then(|group| group.poll(now)) {
            self.heard(now, event);
        }
    }

    fn intend(&mut self, now: Duration, intent: Intent) {
        match intent {
            Intent::ResumeAs(position) => self.go_on_as(now, position),
            Intent::JoinAsNewRider => self.introduce(),
            Intent::Join(name, ftp) => self.join(name, ftp),
            Intent::SetReady(ready) => self.set_ready(now, ready),
            Intent::ShareWorkout(workout) => self.share(now, Arc::unwrap_or_clone(workout)),
            Intent::ShareFile(file) => self.read_file(file),
            Intent::Start => self.start(now),
            Intent::CancelStart => self.cancel_start(now),
            Intent::Skip(from) => self.skip(now, from),
            Intent::Back(from) => self.back(now, from),
            Intent::Extend(interval) => self.extend(now, interval),
            Intent::Pause => self.pause(now),
            Intent::Resume => self.resume(now),
            Intent::End => self.end(now),
            Intent::Leave => self.leave(now),
            Intent::ConnectTrainer => self.own.connect_trainer(),
            Intent::SimulateTrainer => self.simulate_trainer(now),
            Intent::CopyLink => self.copy_link(),
            Intent::DownloadFit => self.download(),
            Intent::TakeOver => self.take_over(now),
            Intent::Retry => self.look_up(),
            Intent::Lock(lock) => self.lock(now, lock),
            Intent::HandOver(peer) => self.wish(now, HostCommand::HandOver { to: peer }),
            Intent::Kick { peer, reason } => self.wish(now, HostCommand::Kick { peer, reason }),
            Intent::CloseRide => self.wish(now, HostCommand::End),
            Intent::Reclaim => self.wish(now, HostCommand::Reclaim),
            Intent::WatchLinks(watch) => self.watch_links(now, watch),
        }
    }

    fn is_host(&self) -> bool {
        match (&self.group, &self.me) {
            (Some(group), Some(me)) => group.node.host() == Some(&me.peer),
            (None, Some(_)) => self.code.is_none(),
            (_, None) => false,
        }
    }

    /// Group time: the node's, or carried on from what was last known. Alone
    /// it is the own clock.
    fn group_now(&self, now: Duration) -> Option<GroupTime> {
        let told = self
            .group
            .as_ref()
            .and_then(|group| group.node.group_time(Moment::from_origin(now)));
        let own = now.as_micros() as i64;
        let alone = self.code.is_none().then_some(0);
        let carried_on = self.last_offset.or(alone).map(|offset| own + offset);
        told.or(carried_on.map(GroupTime))
    }

    fn set_ready(&mut self, now: Duration, ready: bool) {
        if let Some(me) = &mut self.me {
            me.ready = ready;
        }
        self.state.ready.set(ready);
        self.profile_changed(now);
    }

    fn list_riders(&self) {
        self.state.riders.set(self.roster.rows());
    }

    fn notify(&self, notice: Notice) {
        self.state.notice.set(Some(notice));
    }

    fn copy_link(&self) {
        let (inbox, link) = (self.inbox.clone(), self.state.invitation.get_untracked());
        wasm_bindgen_futures::spawn_local(async move {
            inbox.post(Event::Copied(page::copy(&link).await));
        });
    }

    /// Sets the alarm for the earliest moment that anything waits for.
    fn schedule_timer(&self) {
        let node = self
            .group
            .as_ref()
            .and_then(|group| group.node.poll_timeout())
            .map(Moment::since_origin);
        let wanted = [Some(self.next_refresh), node, self.own.poll_timeout()];
        if let Some(next) = wanted.into_iter().flatten().min() {
            self.timer.set(next.saturating_sub(clock::now()));
        }
    }
}

/// Writes a signal if that changes it.
fn put<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}
