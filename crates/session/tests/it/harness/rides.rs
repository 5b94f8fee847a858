//! Workouts, and rides that have begun.

use std::sync::Arc;

use protocol::peer::LinkState;
use ride::workout::{Draft, Interval, IntervalKind, Target, Workout};
use session::{Intent, view::Stage};

use super::{Tab, World, ms, secs};

/// Riders by their order of arrival: position of their tab, name, FTP in watts.
pub const ANA: usize = 0;
pub const BEN: usize = 1;
pub const CEM: usize = 2;
pub const DORA: usize = 3;
pub const NAMES: [&str; 12] = [
    "Ana", "Ben", "Cem", "Dora", "Eva", "Finn", "Gil", "Hugo", "Ida", "Jan", "Kim", "Lea",
];
pub const FTPS: [u16; 12] = [200, 250, 320, 180, 210, 220, 230, 240, 260, 270, 280, 290];

/// Workout of intervals with these lengths in seconds and these fractions of FTP.
pub fn workout(name: &str, intervals: &[(u64, f32)]) -> Arc<Workout> {
    let intervals = intervals.iter().map(|(length, fraction)| {
        Interval::new(
            secs(*length),
            IntervalKind::Steady,
            Target::steady(*fraction),
        )
    });
    let draft = Draft {
        name: name.to_owned(),
        intervals: intervals.collect(),
        ..Draft::default()
    };
    Arc::new(Workout::new(draft).unwrap())
}

/// One hour at 60 % of FTP.
pub fn long_ride() -> Arc<Workout> {
    workout("Long Ride", &[(3_600, 0.6)])
}

/// Four intervals of a minute, at 60, 70, 80 and 90 % of FTP.
pub fn four_steps() -> Arc<Workout> {
    workout("Four Steps", &[(60, 0.6), (60, 0.7), (60, 0.8), (60, 0.9)])
}

/// Three intervals of 14, 8 and 8 s.
pub fn half_minute() -> Arc<Workout> {
    workout("Half a Minute", &[(14, 0.6), (8, 0.9), (8, 0.5)])
}

impl World {
    /// A new rider in a browser of their own opens the ride, and joins under the next name.
    pub fn join_next(&mut self) -> usize {
        let number = self.storages.len();
        let at = self.add_browser();
        self.open(at);
        assert_eq!(*self.stage(at), Stage::EnterName);
        self.enter(at, NAMES[number], FTPS[number]);
        at
    }

    /// Riders in one ride, all directly linked, the first as host. Their names have arrived, and
    /// the newest notices are forgotten.
    pub fn group(seed: u64, riders: usize) -> Self {
        let mut world = Self::new(seed);
        world.gather(riders);
        world
    }

    /// Lets riders join until there are this many.
    pub fn gather(&mut self, riders: usize) {
        while self.tabs.len() < riders {
            self.join_next();
        }
        self.run_until("direct links", Self::all_direct);
        self.run(ms(3_500));
        self.forget_notices();
    }

    /// A group that rides a workout on simulators, for two seconds so far.
    pub fn riding(seed: u64, riders: usize, workout: Arc<Workout>) -> Self {
        let mut world = Self::group(seed, riders);
        for at in 0..riders {
            world.intend(at, Intent::SimulateTrainer);
        }
        world.start(workout);
        world.run(secs(2));
        world
    }

    /// The host shares a workout and starts it; all ride.
    pub fn start(&mut self, workout: Arc<Workout>) {
        self.intend(ANA, Intent::ShareWorkout(workout));
        self.run(ms(500));
        self.intend(ANA, Intent::Start);
        self.run_until("the ride", |world| {
            let mut riders = world.tabs.iter().filter_map(Tab::session);
            riders.all(|session| session.view().stage == Stage::Riding)
        });
        self.forget_notices();
    }

    /// Whether all riders see each other over direct links.
    pub fn all_direct(&self) -> bool {
        (0..self.tabs.len()).all(|at| self.sees_direct(at, self.tabs.len()))
    }

    /// Whether a rider sees a number of riders, all others of them over direct links.
    pub fn sees_direct(&self, at: usize, riders: usize) -> bool {
        let rows = &self.view(at).riders;
        let is_reached = |row: &&session::view::Row| row.is_self || row.link == LinkState::Direct;
        rows.len() == riders && rows.iter().all(|row| is_reached(&row))
    }

    /// Largest difference between the group time of two riders, in milliseconds.
    pub fn group_time_spread(&self) -> i64 {
        let times = (0..self.tabs.len()).filter_map(|at| self.group_time(at));
        let times: Vec<_> = times.map(|time| time.0).collect();
        let spread = times.iter().max().zip(times.iter().min());
        spread.map_or(0, |(last, first)| (last - first) / 1_000)
    }
}
