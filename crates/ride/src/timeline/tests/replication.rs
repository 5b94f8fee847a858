//! Passing the timeline on: late, twice, out of order, forged, and from one host to the next.

use super::*;
use crate::wire;

fn heard(events: &[SignedEvent]) -> Timeline {
    let mut timeline = Timeline::new();
    for event in events {
        assert_eq!(timeline.merge([event.clone()], None, key_of), GREW);
    }
    timeline
}

#[test]
fn a_late_rider_gets_the_whole_of_it_from_anyone() {
    let mut host = Host::riding();
    host.says(Change::Pause { at: at(70) });
    let second = heard(&host.sent);
    let third = heard(&second.since(Head::NONE));
    assert_eq!(third.head(), host.timeline.head());
    assert_eq!(third.workout(), Some(&workout(10)));
    assert_eq!(third.phase(at(80)), host.phase(80));
}

#[test]
fn only_what_is_missing_is_sent() {
    let host = Host::riding();
    assert_eq!(
        host.timeline.since(Head {
            epoch: 1,
            sequence: 1
        }),
        host.sent[1..]
    );
    assert_eq!(host.timeline.since(host.timeline.head()), []);
}

#[test]
fn an_event_applied_twice_counts_once() {
    let host = Host::riding();
    let mut rider = heard(&host.sent);
    for event in &host.sent {
        assert_eq!(
            rider.merge([event.clone()], None, key_of),
            MergeResult::default()
        );
    }
    assert_eq!(rider.since(Head::NONE), host.sent);
}

#[test]
fn events_out_of_order_count_once_the_missing_one_comes() {
    let mut host = Host::riding();
    host.says(Change::Pause { at: at(70) });
    let [share, start, pause] = host.sent.try_into().expect("three events");
    let mut rider = Timeline::new();
    assert_eq!(rider.merge([pause], None, key_of), GAP);
    assert_eq!(rider.merge([start], None, key_of), GAP);
    assert_eq!(rider.phase(at(80)), Phase::Lobby);
    assert_eq!(rider.merge([share], None, key_of), GREW);
    assert_eq!(
        rider.phase(at(80)),
        Phase::Paused {
            elapsed: seconds(60),
            resumes_in: None
        }
    );
}

#[test]
fn a_forged_event_is_refused_and_changes_nothing() {
    let host = Host::riding();
    let mut rider = heard(&host.sent[..1]);
    let by_another_key = {
        let mut forger = host.timeline.clone();
        forger
            .append(Change::Pause { at: at(70) }, 1, &first_host(), &key(9))
            .expect("an event")
    };
    let mut altered = host.sent[1].clone();
    let last = altered.bytes.len() - 1;
    altered.bytes[last] ^= 1;
    let mut unsigned = host.sent[1].clone();
    unsigned.signature = [0; 64];
    for event in [by_another_key, altered, unsigned] {
        assert_eq!(
            rider.merge([event], None, key_of),
            rejected(TimelineError::Forged)
        );
    }
    assert_eq!(
        rider.head(),
        Head {
            epoch: 1,
            sequence: 1
        }
    );
    assert_eq!(rider.phase(at(80)), Phase::Lobby);
}

#[test]
fn who_is_not_the_host_of_the_epoch_is_refused() {
    let mut timeline = Timeline::new();
    let by_stranger = timeline
        .append(Change::Share(workout(5)), 1, &peer("eve"), &key(1))
        .expect("an event");
    let mut rider = Timeline::new();
    assert_eq!(
        rider.merge([by_stranger], None, key_of),
        rejected(TimelineError::NotHost)
    );
    let mut timeline = Timeline::new();
    let of_a_later_epoch = timeline
        .append(Change::Share(workout(5)), 2, &first_host(), &key(1))
        .expect("an event");
    assert_eq!(
        rider.merge([of_a_later_epoch], None, key_of),
        rejected(TimelineError::NotHost)
    );
}

#[test]
fn malformed_events_are_refused() {
    let host = Host::riding();
    let sign = |event: &TimelineEvent| event.sign(&key(1));
    let good: TimelineEvent = wire::from_slice(&host.sent[0].bytes).expect("an event");
    let mut cut = host.sent[0].clone();
    cut.bytes.pop();
    let endless = SignedEvent {
        bytes: vec![0; event::MAX_EVENT_BYTES + 1],
        signature: [0; 64],
    };
    let misnumbered = sign(&TimelineEvent {
        sequence: 5,
        ..good.clone()
    });
    let before_itself = sign(&TimelineEvent {
        base: Head {
            epoch: 7,
            sequence: 1,
        },
        ..good.clone()
    });
    let zero = sign(&TimelineEvent {
        sequence: 0,
        ..good.clone()
    });
    for event in [cut, endless, misnumbered, before_itself, zero] {
        assert_eq!(
            Timeline::new().merge([event], None, key_of),
            rejected(TimelineError::Malformed)
        );
    }
}

#[test]
fn an_event_with_an_invalid_host_is_rejected() {
    let by = |host: &str| {
        let change = Change::Share(workout(5));
        let event = (1_u8, 1_u8, Head::NONE, host, change, EventHash::NONE);
        let mut bytes = vec![];
        minicbor::encode(event, &mut bytes).expect("memory");
        let signature = key(1).sign(&bytes);
        Timeline::new().merge([SignedEvent { bytes, signature }], None, key_of)
    };
    assert_eq!(by("ana"), GREW);
    for host in ["", "a b", "<img>", &"x".repeat(65)] {
        assert_eq!(by(host), rejected(TimelineError::Malformed), "{host}");
    }
}

#[test]
fn a_signed_event_that_makes_no_sense_is_refused() {
    let host = Host::riding();
    let mut rider = heard(&host.sent);
    let head = host.timeline.head();
    let again = TimelineEvent::following(
        host.timeline.newest(),
        1,
        &first_host(),
        Change::Start { at: at(99) },
    )
    .expect("a number")
    .sign(&key(1));
    assert_eq!(
        rider.merge([again], None, key_of),
        rejected(TimelineError::AlreadyStarted)
    );
    assert_eq!(rider.head(), head);
}

#[test]
fn a_second_event_of_the_same_number_is_refused() {
    let host = Host::riding();
    let mut rider = heard(&host.sent);
    let mut other = heard(&host.sent[..1]);
    let other = other
        .append(Change::Start { at: at(99) }, 1, &first_host(), &key(1))
        .expect("an event");
    assert_eq!(
        rider.merge([other], None, key_of),
        rejected(TimelineError::Conflict)
    );
    assert_eq!(
        rider.phase(at(10)),
        Phase::Riding {
            elapsed: seconds(0)
        }
    );
}

/// Ben was elected for epoch 2 while there was no server, and said something; the server, which saw
/// no votes, made Ana host of epoch 3, who carried on from it.
fn elected_unseen() -> (Timeline, impl Fn(u32, &PeerId) -> Option<[u8; 32]>) {
    let mut ana = heard(&Host::riding().sent);
    let mut ben = ana.clone();
    let pause = ben
        .append(Change::Pause { at: at(70) }, 2, &second_host(), &key(2))
        .expect("an event");
    assert_eq!(ana.merge([pause], None, key_of), GREW);
    ana.append(Change::Resume { at: at(80) }, 3, &first_host(), &key(1))
        .expect("an event");
    let seen =
        |epoch, host: &PeerId| (epoch != 2 && *host == first_host()).then(|| key(1).public());
    (ana, seen)
}

#[test]
fn what_an_elected_host_said_counts_for_riders_who_did_not_see_the_votes() {
    let (ana, seen) = elected_unseen();
    let mut rider = heard(&Host::riding().sent);
    let missing = ana.since(rider.head());
    assert_eq!(missing.len(), 2);
    let unproved = rider.merge(missing[..1].to_vec(), None, &seen);
    assert_eq!(unproved, rejected(TimelineError::NotHost));
    let taken = rider.merge(missing, None, &seen);
    assert_eq!(taken, GREW);
    assert_eq!(rider.since(Head::NONE), ana.since(Head::NONE));
    assert_eq!(rider.phase(at(75)), ana.phase(at(75)));
}

#[test]
fn nobody_vouches_for_an_event_that_is_not_the_one_meant() {
    let (ana, seen) = elected_unseen();
    let mut rider = heard(&Host::riding().sent);
    let mut missing = ana.since(rider.head());
    // A rider on the way replaces it by another event with this number.
    let mut forger = rider.clone();
    missing[0] = forger
        .append(Change::End { at: at(71) }, 2, &second_host(), &key(9))
        .expect("an event");
    let before = rider.since(Head::NONE);
    let taken = rider.merge(missing.clone(), None, &seen);
    let nothing = MergeResult {
        gap: true,
        ..rejected(TimelineError::NotHost)
    };
    assert_eq!(taken, nothing);
    assert_eq!(rider.since(Head::NONE), before);
    // What was meant still counts, and asking goes on until it is there.
    assert_eq!(rider.merge(missing, None, &seen), nothing);
    let whole = rider.merge(ana.since(Head::NONE), None, &seen);
    assert!(whole.grew && !whole.gap);
    assert_eq!(rider.since(Head::NONE), ana.since(Head::NONE));
}

#[test]
fn hosts_who_gave_one_number_twice_leave_one_timeline() {
    let both = |epoch: u32, host: &PeerId| match (epoch, host.as_str()) {
        (2, "ana") => Some(key(1).public()),
        _ => key_of(epoch, host),
    };
    let start = heard(&Host::riding().sent);
    let (mut ana, mut ben) = (start.clone(), start);
    let pause = Change::Pause { at: at(70) };
    let said_twice = ana
        .append(pause, 2, &first_host(), &key(1))
        .expect("an event");
    let pause = Change::Pause { at: at(72) };
    ben.append(pause, 2, &second_host(), &key(2))
        .expect("an event");
    assert_eq!(
        ben.merge([said_twice], None, both),
        rejected(TimelineError::Conflict)
    );
    let resume = Change::Resume { at: at(90) };
    let resume = ben
        .append(resume, 3, &second_host(), &key(2))
        .expect("an event");
    let gap = ana.merge([resume], None, both);
    assert!(gap.gap && !gap.grew);
    assert!(ana.merge(ben.since(Head::NONE), None, both).grew);
    assert_eq!(ana.since(Head::NONE), ben.since(Head::NONE));
}

#[test]
fn a_new_host_carries_the_ride_on() {
    let host = Host::riding();
    let mut second = heard(&host.sent);
    let pause = second
        .append(Change::Pause { at: at(70) }, 2, &second_host(), &key(2))
        .expect("an event");
    assert_eq!(
        second.head(),
        Head {
            epoch: 2,
            sequence: 1
        }
    );
    let mut rider = heard(&host.sent);
    assert_eq!(rider.merge([pause], None, key_of), GREW);
    assert_eq!(
        rider.phase(at(80)),
        Phase::Paused {
            elapsed: seconds(60),
            resumes_in: None
        }
    );
}

#[test]
fn the_old_host_can_say_nothing_more() {
    let mut host = Host::riding();
    let mut second = heard(&host.sent);
    let pause = second
        .append(Change::Pause { at: at(70) }, 2, &second_host(), &key(2))
        .expect("an event");
    host.says(Change::End { at: at(75) });
    let end = host.sent[2].clone();
    assert_eq!(second.merge([end], None, key_of), MergeResult::default());
    assert_eq!(
        second.phase(at(80)),
        Phase::Paused {
            elapsed: seconds(60),
            resumes_in: None
        }
    );
    assert_eq!(host.timeline.merge([pause], None, key_of), GREW);
    assert_eq!(host.timeline.phase(at(80)), second.phase(at(80)));
    assert_eq!(host.timeline.head(), second.head());
    assert_eq!(
        host.try_says(Change::Resume { at: at(90) }),
        Err(TimelineError::OldEpoch)
    );
}

#[test]
fn riders_who_heard_different_hosts_agree_once_they_have_the_whole_of_the_newest() {
    let host = Host::riding();
    // Ben carries on from the share alone, and his pause is heard by one rider only.
    let mut ben = heard(&host.sent[..1]);
    ben.append(Change::Start { at: at(50) }, 2, &second_host(), &key(2))
        .expect("an event");
    let mut rider = heard(&ben.since(Head::NONE));
    // In epoch 3 he carries on from all that Ana said.
    let mut whole = heard(&host.sent);
    let pause = whole
        .append(Change::Pause { at: at(70) }, 3, &second_host(), &key(2))
        .expect("an event");
    assert_eq!(rider.merge([pause], None, key_of), GAP);
    for event in whole.since(Head::NONE) {
        rider.merge([event], None, key_of);
    }
    assert_eq!(rider.head(), whole.head());
    assert_eq!(rider.since(Head::NONE), whole.since(Head::NONE));
    assert_eq!(
        rider.phase(at(80)),
        Phase::Paused {
            elapsed: seconds(60),
            resumes_in: None
        }
    );
}
