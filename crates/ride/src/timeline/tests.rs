use super::*;
use crate::workout::{Draft, Interval, IntervalKind, Target};

mod hostile_hosts;
mod progress;
mod properties;
mod replication;

/// Host of epoch 1.
fn first_host() -> PeerId {
    peer("ana")
}

/// Host of every later epoch.
fn second_host() -> PeerId {
    peer("ben")
}

fn peer(name: &str) -> PeerId {
    name.parse().expect("a peer id")
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_seed([number; 32]).expect("a seed")
}

fn key_of(epoch: u32, host: &PeerId) -> Option<[u8; 32]> {
    match (epoch, host.as_str()) {
        (1, "ana") => Some(key(1).public()),
        (2.., "ben") => Some(key(2).public()),
        _ => None,
    }
}

const GREW: MergeResult = MergeResult {
    grew: true,
    gap: false,
    rejected: Vec::new(),
};

const GAP: MergeResult = MergeResult {
    grew: false,
    gap: true,
    rejected: Vec::new(),
};

fn rejected(error: TimelineError) -> MergeResult {
    MergeResult {
        rejected: vec![error],
        ..MergeResult::default()
    }
}

fn workout(minutes: u64) -> Workout {
    let intervals = vec![Interval::new(
        Duration::from_secs(60 * minutes),
        IntervalKind::Steady,
        Target::steady(0.8),
    )];
    Workout::new(Draft {
        name: format!("{minutes} minutes"),
        intervals,
        ..Draft::default()
    })
    .expect("a workout")
}

const fn at(seconds: i64) -> GroupTime {
    GroupTime(seconds * 1_000_000)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A host's timeline, and what it has sent out.
struct Host {
    timeline: Timeline,
    sent: Vec<SignedEvent>,
}

impl Host {
    fn new() -> Self {
        Self {
            timeline: Timeline::new(),
            sent: vec![],
        }
    }

    fn says(&mut self, change: Change) {
        self.try_says(change).expect("a change that makes sense");
    }

    fn try_says(&mut self, change: Change) -> Result<(), TimelineError> {
        let event = self.timeline.append(change, 1, &first_host(), &key(1))?;
        self.sent.push(event);
        Ok(())
    }

    /// A ride of ten minutes that starts at second 10.
    fn riding() -> Self {
        let mut host = Self::new();
        host.says(Change::Share(workout(10)));
        host.says(Change::Start { at: at(10) });
        host
    }

    fn phase(&self, now: i64) -> Phase {
        self.timeline.phase(at(now))
    }
}

#[test]
fn a_ride_goes_from_the_lobby_through_the_countdown_to_its_end() {
    let mut host = Host::new();
    assert_eq!(host.phase(0), Phase::Lobby);
    host.says(Change::Share(workout(10)));
    assert_eq!(host.phase(0), Phase::Lobby);
    host.says(Change::Start { at: at(10) });
    assert_eq!(
        host.phase(0),
        Phase::Countdown {
            remaining: seconds(10)
        }
    );
    assert_eq!(
        host.phase(10),
        Phase::Riding {
            elapsed: seconds(0)
        }
    );
    assert_eq!(
        host.phase(609),
        Phase::Riding {
            elapsed: seconds(599)
        }
    );
    assert_eq!(
        host.phase(610),
        Phase::Ended {
            elapsed: seconds(600)
        }
    );
    assert_eq!(
        host.phase(99_999),
        Phase::Ended {
            elapsed: seconds(600)
        }
    );
}

#[test]
fn a_pause_stops_the_ride_and_moves_its_end() {
    let mut host = Host::riding();
    host.says(Change::Pause { at: at(70) });
    assert_eq!(
        host.phase(69),
        Phase::Riding {
            elapsed: seconds(59)
        }
    );
    assert_eq!(
        host.phase(500),
        Phase::Paused {
            elapsed: seconds(60),
            resumes_in: None
        }
    );
    host.says(Change::Resume { at: at(503) });
    assert_eq!(
        host.phase(500),
        Phase::Paused {
            elapsed: seconds(60),
            resumes_in: Some(seconds(3))
        }
    );
    assert_eq!(
        host.phase(503),
        Phase::Riding {
            elapsed: seconds(60)
        }
    );
    host.says(Change::Pause { at: at(603) });
    host.says(Change::Resume { at: at(604) });
    assert_eq!(
        host.phase(614),
        Phase::Riding {
            elapsed: seconds(170)
        }
    );
    assert_eq!(
        host.phase(1_043),
        Phase::Riding {
            elapsed: seconds(599)
        }
    );
    assert_eq!(
        host.phase(1_044),
        Phase::Ended {
            elapsed: seconds(600)
        }
    );
}

#[test]
fn the_host_can_end_the_ride_at_any_time_after_its_start_was_set() {
    for (now, elapsed) in [(0, 0), (70, 60)] {
        let mut host = Host::riding();
        host.says(Change::End { at: at(now) });
        assert_eq!(
            host.phase(now),
            Phase::Ended {
                elapsed: seconds(elapsed)
            }
        );
        assert_eq!(
            host.phase(99_999),
            Phase::Ended {
                elapsed: seconds(elapsed)
            }
        );
    }
    let mut host = Host::riding();
    host.says(Change::Pause { at: at(70) });
    host.says(Change::End { at: at(90) });
    assert_eq!(
        host.phase(100),
        Phase::Ended {
            elapsed: seconds(60)
        }
    );
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let mut host = Host::new();
    let lobby = [
        (Change::Start { at: at(10) }, TimelineError::NoWorkout),
        (Change::Pause { at: at(10) }, TimelineError::NotRiding),
        (Change::Resume { at: at(10) }, TimelineError::NotPaused),
        (Change::End { at: at(10) }, TimelineError::NotStarted),
    ];
    for (change, reason) in lobby {
        assert_eq!(host.try_says(change), Err(reason));
    }
    assert_eq!(host.timeline.head(), Head::NONE);
    let mut host = Host::riding();
    let riding = [
        (Change::Share(workout(5)), TimelineError::AlreadyStarted),
        (Change::Start { at: at(20) }, TimelineError::AlreadyStarted),
        (Change::Pause { at: at(5) }, TimelineError::NotRiding),
        (Change::Pause { at: at(700) }, TimelineError::Ended),
        (Change::Resume { at: at(20) }, TimelineError::NotPaused),
    ];
    for (change, reason) in riding {
        assert_eq!(host.try_says(change), Err(reason));
    }
    host.says(Change::Pause { at: at(70) });
    assert_eq!(
        host.try_says(Change::Pause { at: at(80) }),
        Err(TimelineError::NotRiding)
    );
    assert_eq!(
        host.try_says(Change::Resume { at: at(60) }),
        Err(TimelineError::OutOfOrder)
    );
    assert_eq!(
        host.try_says(Change::End { at: at(60) }),
        Err(TimelineError::OutOfOrder)
    );
    host.says(Change::End { at: at(80) });
    assert_eq!(
        host.try_says(Change::Resume { at: at(90) }),
        Err(TimelineError::Ended)
    );
    assert_eq!(
        host.timeline.head(),
        Head {
            epoch: 1,
            sequence: 4
        }
    );
}

#[test]
fn a_workout_shared_later_replaces_the_earlier_one_until_the_start() {
    let mut host = Host::new();
    host.says(Change::Share(workout(5)));
    host.says(Change::Share(workout(10)));
    assert_eq!(host.timeline.workout(), Some(&workout(10)));
}

#[test]
fn moments_at_the_ends_of_time_are_no_trouble() {
    for start in [i64::MIN, i64::MAX] {
        let mut host = Host::new();
        host.says(Change::Share(workout(10)));
        host.says(Change::Start {
            at: GroupTime(start),
        });
        for now in [i64::MIN, 0, i64::MAX] {
            host.timeline.phase(GroupTime(now));
        }
    }
}

#[test]
fn a_timeline_holds_a_bounded_number_of_bytes() {
    let mut host = Host::new();
    let shares = (0..20_000)
        .take_while(|_| host.try_says(Change::Share(workout(10))).is_ok())
        .count();
    assert!(shares <= MAX_EVENTS);
    assert_eq!(
        host.try_says(Change::Share(workout(10))),
        Err(TimelineError::Full)
    );
}

#[test]
fn a_head_travels_in_eight_bytes_and_is_ordered_by_epoch_first() {
    let head = Head {
        epoch: 2,
        sequence: 300,
    };
    assert_eq!(Head::from_bytes(&head.to_bytes()), Some(head));
    assert_eq!(Head::from_bytes(&[0; 7]), None);
    assert!(
        head > Head {
            epoch: 1,
            sequence: 900
        } && head > Head::NONE
    );
}

#[test]
fn a_key_shows_and_gives_its_public_half_only() {
    let shown = format!("{:?}", key(1));
    assert!(shown.contains(&format!("{:?}", key(1).public())));
    assert_eq!(SigningKey::from_seed([0; 32]).err(), Some(SeedError::Zero));
}

#[test]
fn a_ride_is_over_when_its_workout_is_however_late_one_looks() {
    let mut host = Host::riding();
    host.says(Change::Pause { at: at(100) });
    host.says(Change::Resume { at: at(160) });
    assert_eq!(host.timeline.ended_at(at(600)), None);
    assert_eq!(host.timeline.ended_at(at(9_999)), Some(at(10 + 600 + 60)));
    let pauses: Vec<_> = host.timeline.pauses().collect();
    assert_eq!(pauses, [(at(100), Some(at(160)))]);
}

#[test]
fn a_ride_ended_by_the_host_is_over_at_that_moment() {
    let mut host = Host::riding();
    host.says(Change::End { at: at(70) });
    assert_eq!(host.timeline.ended_at(at(69)), None);
    assert_eq!(host.timeline.ended_at(at(9_999)), Some(at(70)));
    assert_eq!(host.timeline.started_at(), Some(at(10)));
}
