//! What a rider sees over time, and what must always hold of it.

use clock::GroupTime;
use ride::{message::PeerMessage, timeline::Timeline};
use session::view::{JoinError, ServerConnection, Stage, View};

use crate::harness::World;

#[derive(Default)]
pub(super) struct Witness {
    /// Tab and page load that the readings below are of.
    page: (usize, u32),
    group_time: Option<GroupTime>,
    /// Start of the ride, and milliseconds ridden.
    ridden: (Option<GroupTime>, u32),
    stored: Option<Vec<u8>>,
    timeline: Timeline,
}

impl Witness {
    /// The timeline that the rider's browser has stored last.
    pub(super) fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    pub(super) fn look(&mut self, world: &World, tab: usize, seed: u64) {
        let Some(session) = world.tabs[tab].session() else {
            return;
        };
        let page = (tab, world.tabs[tab].page);
        if self.page != page {
            *self = Self {
                page,
                stored: self.stored.take(),
                timeline: std::mem::take(&mut self.timeline),
                ..Self::default()
            };
        }
        let at = format!("seed {seed}, tab {tab}");
        self.read_timeline(world, tab);
        self.check_times(world, tab, &at);
        check_rows(session.view(), &at);
        let knows_rider = !world.storage(tab).known.is_empty();
        check_stage(session.view(), knows_rider, &at);
    }

    fn read_timeline(&mut self, world: &World, tab: usize) {
        let stored = &world.storage(tab).timeline;
        if *stored == self.stored {
            return;
        }
        self.stored.clone_from(stored);
        self.timeline = Timeline::new();
        if let Some(Ok(PeerMessage::Timeline(events))) = stored.as_deref().map(PeerMessage::decode)
        {
            self.timeline.restore(events);
        }
    }

    /// Neither group time nor ride time ever runs back.
    fn check_times(&mut self, world: &World, tab: usize, at: &str) {
        if world.is_asleep(tab) {
            return;
        }
        let time = world.group_time(tab);
        let ran_back = time.is_some() && time < self.group_time;
        assert!(!ran_back, "{at}: group time ran back");
        self.group_time = time.or(self.group_time);
        let view = world.view(tab);
        if !matches!(view.stage, Stage::Riding | Stage::Ended) {
            return;
        }
        let ridden = (self.timeline.started_at(), view.progress.elapsed_ms);
        let ran_back = ridden.0 == self.ridden.0 && ridden.1 < self.ridden.1;
        assert!(
            !ran_back,
            "{at}: ride time ran back from {:?} to {ridden:?}",
            self.ridden
        );
        self.ridden = ridden;
    }
}

/// The list has each rider once, in the order of their numbers, and at most one host.
fn check_rows(view: &View, at: &str) {
    let rows = &view.riders;
    let numbers = rows.is_sorted_by(|one, next| one.number < next.number);
    assert!(numbers, "{at}: {rows:?}");
    let own = rows.iter().filter(|row| row.is_self).count();
    let hosts = rows.iter().filter(|row| row.is_host).count();
    assert!(own <= 1 && hosts <= 1, "{at}: {rows:?}");
}

/// A rider who has joined is never refused: with the token, even a server without memory lets the
/// rider in.
fn check_stage(view: &View, knows_rider: bool, at: &str) {
    let is_refused = match view.stage {
        Stage::CannotJoin(JoinError::Unreachable) => false,
        Stage::CannotJoin(JoinError::NoSuchRide) => knows_rider,
        Stage::CannotJoin(_) => true,
        _ => matches!(
            view.connection,
            ServerConnection::PeersOnly | ServerConnection::Alone
        ),
    };
    assert!(!is_refused, "{at}: {:?}, {:?}", view.stage, view.connection);
}
