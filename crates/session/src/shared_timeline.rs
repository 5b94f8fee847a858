//! The ride's timeline as this rider holds it, and its synchronization with the other riders.

use std::sync::Arc;

use clock::{Duration, GroupTime, Moment};
use mesh::peer_limits::{PeerLimits, PeerRequest};
use protocol::{
    peer::{DeliveryClass, PeerId},
    signaling::HostTerm,
};
use ride::{
    message::PeerMessage,
    player,
    timeline::{
        Change, Head, Phase, RideClock, SignedEvent, SigningKey, Timeline, TimelineError,
        TimelineSync,
    },
    workout::Workout,
};

use crate::{group::Group, view::HostAction};

/// Age from which a change by a host is not announced any more.
const ANNOUNCED_FOR: Duration = Duration::from_secs(10);
/// Longest time after an absence for which the page waits for what it missed.
const CATCH_UP: Duration = Duration::from_secs(3);

/// Timeline, its synchronization, and the ride time computed from it.
#[derive(Debug, Default)]
pub(crate) struct SharedTimeline {
    timeline: Timeline,
    sync: TimelineSync,
    clock: RideClock,
    /// End of the time for which the page waits for events that it missed.
    catching_up_until: Option<Moment>,
    /// Workout of the timeline, shared with the view.
    workout: Option<Arc<Workout>>,
    /// Events that were rejected.
    rejected: u64,
}

/// Effect of a message with events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Merged {
    /// The timeline has grown.
    pub(crate) grew: bool,
    /// It has grown by an event of a kind that this version does not know.
    pub(crate) has_unknown: bool,
}

impl SharedTimeline {
    pub(crate) fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    pub(crate) fn head(&self) -> Head {
        self.timeline.head()
    }

    pub(crate) fn rejected(&self) -> u64 {
        self.rejected
    }

    pub(crate) fn workout(&self) -> Option<&Arc<Workout>> {
        self.workout.as_ref()
    }

    pub(crate) fn started_at(&self) -> Option<GroupTime> {
        self.timeline.started_at()
    }

    /// The page was not running, or was just loaded, and another rider can tell what it missed.
    pub(crate) fn catch_up(&mut self, now: Moment) {
        self.catching_up_until = Some(now + CATCH_UP);
    }

    /// Tells whether a ride goes on whose newest events may be missing. A pause that the page missed
    /// would make the time ridden too high; since it never decreases, it would then stand still.
    pub(crate) fn is_catching_up(&self, now: Moment) -> bool {
        self.started_at().is_some() && self.catching_up_until.is_some_and(|until| now < until)
    }

    /// Phase of the ride; the time ridden in it never decreases.
    pub(crate) fn read_phase(&mut self, at: GroupTime) -> Phase {
        self.clock.read(&self.timeline, at)
    }

    /// Encodes the whole timeline, to store it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        PeerMessage::Timeline(self.timeline.since(Head::NONE)).encode()
    }

    /// Restores a stored timeline, unless this one has events already. Returns whether it has
    /// grown.
    pub(crate) fn restore(&mut self, stored: &[u8]) -> bool {
        if self.head() == Head::NONE
            && let Ok(PeerMessage::Timeline(events)) = PeerMessage::decode(stored)
        {
            self.restore_events(events);
        }
        self.head() != Head::NONE
    }

    /// Restores stored events.
    pub(crate) fn restore_events(&mut self, events: Vec<SignedEvent>) {
        self.timeline.restore(events);
        self.update_workout();
    }

    /// Appends a change as the host of an epoch, and sends it to all riders.
    pub(crate) fn append(
        &mut self,
        now: Moment,
        group: &mut Group,
        change: Change,
        (epoch, host, key): (u32, &PeerId, &SigningKey),
    ) -> Result<(), TimelineError> {
        let event = self.timeline.append(change, epoch, host, key)?;
        let message = PeerMessage::Timeline(vec![event]);
        group.broadcast(now, DeliveryClass::Control, &message);
        self.update_workout();
        Ok(())
    }

    /// Merges events that a rider has sent. Requests the whole timeline if predecessors are missing.
    pub(crate) fn merge(
        &mut self,
        now: Moment,
        group: &mut Group,
        limits: &mut PeerLimits,
        from: &PeerId,
        events: Vec<SignedEvent>,
    ) -> Merged {
        let unknown_before = self.timeline.unknown_events();
        let terms = group.host_terms();
        let result = self.timeline.merge(events, group.time(now), |epoch, host| {
            let is_term = |term: &&HostTerm| term.epoch == epoch && term.peer == *host;
            terms.iter().find(is_term).map(|term| term.sign_key)
        });
        self.rejected += result.rejected.len() as u64;
        if result.gap && limits.allow(now, from, PeerRequest::WholeTimeline) {
            let request = PeerMessage::TimelineRequest { head: Head::NONE };
            group.send(now, from, DeliveryClass::Control, &request);
        }
        if result.grew {
            self.update_workout();
            self.catching_up_until = None;
        }
        Merged {
            grew: result.grew,
            has_unknown: result.grew && self.timeline.unknown_events() > unknown_before,
        }
    }

    /// Sends a rider everything newer than `head`.
    pub(crate) fn send_since(&self, now: Moment, group: &mut Group, to: &PeerId, head: Head) {
        let events = self.timeline.since(head);
        if !events.is_empty() {
            group.send(now, to, DeliveryClass::Bulk, &PeerMessage::Timeline(events));
        }
    }

    /// Forgets what is known of the other riders' timelines.
    pub(crate) fn reset_sync(&mut self) {
        self.sync = TimelineSync::default();
    }

    pub(crate) fn remove_peer(&mut self, peer: &PeerId) {
        self.sync.remove_peer(peer);
    }

    pub(crate) fn host_changed(&mut self, now: Moment) {
        self.sync.host_changed(now);
    }

    pub(crate) fn update_peer_head(&mut self, now: Moment, peer: &PeerId, head: Head) {
        if head <= self.head() {
            self.catching_up_until = None;
        }
        self.sync.update_head(now, peer, head);
    }

    /// Requests missing events from a rider that has them, if a request is due.
    pub(crate) fn request_missing<'a>(
        &mut self,
        now: Moment,
        group: &mut Group,
        reachable: impl Iterator<Item = &'a PeerId>,
    ) {
        let head = self.head();
        if let Some(peer) = self.sync.next_request(now, head, reachable) {
            let request = PeerMessage::TimelineRequest { head };
            group.send(now, peer, DeliveryClass::Control, &request);
        }
    }

    /// Tells whether a host of `epoch` has to append [`Change::NoOp`] now.
    pub(crate) fn needs_no_op(&mut self, now: Moment, epoch: Option<u32>) -> bool {
        self.sync.needs_no_op(now, self.timeline.head(), epoch)
    }

    /// Newest change since `before` that the screen does not show by itself, with its host, if it is
    /// recent.
    pub(crate) fn recent_action(
        &self,
        time: Option<GroupTime>,
        before: Head,
    ) -> Option<(&PeerId, HostAction)> {
        let changes = self.timeline.changes_since(before);
        let (host, change) = changes
            .filter(|(_, change)| **change != Change::NoOp)
            .last()?;
        let (at, action) = self.action(change)?;
        (time?.since(at) < ANNOUNCED_FOR).then_some((host, action))
    }

    /// Host who ended the ride, with the time of its end, if the ride has ended by `time` and not
    /// with its workout.
    pub(crate) fn ended_by(&self, time: GroupTime) -> Option<(&PeerId, GroupTime)> {
        let ended = self.timeline.ended_at(time)?;
        let mut changes = self.timeline.changes_since(Head::NONE);
        let end = changes.find(|(_, change)| **change == Change::End { at: ended });
        end.map(|(host, _)| (host, ended))
    }

    fn action(&self, change: &Change) -> Option<(GroupTime, HostAction)> {
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

    fn update_workout(&mut self) {
        let workout = self.timeline.workout();
        if self.workout.as_deref() != workout {
            self.workout = workout.cloned().map(Arc::new);
        }
    }
}
