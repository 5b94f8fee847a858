use super::*;

const fn ms(count: u64) -> Moment {
    Moment::from_origin(Duration::from_millis(count))
}

const fn head(sequence: u32) -> Head {
    Head { epoch: 1, sequence }
}

fn peer(name: &str) -> PeerId {
    name.parse().expect("a peer id")
}

/// Name of the rider that is asked now.
fn asked(sync: &mut TimelineSync, now: u64, own: Head, reachable: &[&str]) -> Option<String> {
    let reachable: Vec<PeerId> = reachable.iter().map(|name| peer(name)).collect();
    let asked = sync.next_request(ms(now), own, &reachable);
    asked.map(PeerId::to_string)
}

fn name(name: &str) -> Option<String> {
    Some(name.to_owned())
}

const RIDERS: [&str; 2] = ["ana", "ben"];

#[test]
fn an_event_that_arrives_within_the_grace_period_is_not_requested() {
    let mut sync = TimelineSync::default();
    sync.update_head(ms(0), &peer("ana"), head(1));
    assert_eq!(asked(&mut sync, 0, Head::NONE, &RIDERS), None);
    assert_eq!(asked(&mut sync, 200, head(1), &RIDERS), None);
    assert_eq!(asked(&mut sync, 9_000, head(1), &RIDERS), None);
}

#[test]
fn a_missing_event_is_requested_and_after_a_timeout_from_another_rider() {
    let mut sync = TimelineSync::default();
    sync.update_head(ms(0), &peer("ana"), head(1));
    sync.update_head(ms(50), &peer("ben"), head(1));
    assert_eq!(asked(&mut sync, 299, Head::NONE, &RIDERS), None);
    assert_eq!(asked(&mut sync, 300, Head::NONE, &RIDERS), name("ana"));
    assert_eq!(asked(&mut sync, 2_299, Head::NONE, &RIDERS), None);
    assert_eq!(asked(&mut sync, 2_300, Head::NONE, &RIDERS), name("ben"));
    assert_eq!(asked(&mut sync, 4_300, Head::NONE, &RIDERS), name("ana"));
}

#[test]
fn an_unreachable_host_is_not_waited_for() {
    let mut sync = TimelineSync::default();
    sync.update_head(ms(0), &peer("ana"), head(2));
    sync.update_head(ms(0), &peer("ben"), head(2));
    assert_eq!(asked(&mut sync, 300, head(1), &["ben"]), name("ben"));
    sync.remove_peer(&peer("ben"));
    sync.remove_peer(&peer("ana"));
    assert_eq!(asked(&mut sync, 9_000, head(1), &RIDERS), None);
}

#[test]
fn a_rider_that_is_ahead_is_asked_as_soon_as_it_becomes_reachable() {
    let mut sync = TimelineSync::default();
    sync.update_head(ms(0), &peer("ana"), head(1));
    assert_eq!(asked(&mut sync, 5_000, Head::NONE, &[]), None);
    assert_eq!(asked(&mut sync, 6_000, Head::NONE, &["ana"]), name("ana"));
}

#[test]
fn a_newer_head_shortens_the_wait_and_further_heads_do_not_extend_it() {
    let mut sync = TimelineSync::default();
    sync.update_head(ms(0), &peer("ana"), head(1));
    assert_eq!(asked(&mut sync, 300, Head::NONE, &RIDERS), name("ana"));
    sync.update_head(ms(500), &peer("ana"), head(2));
    sync.update_head(ms(700), &peer("ana"), head(3));
    assert_eq!(asked(&mut sync, 800, Head::NONE, &RIDERS), name("ana"));
}

#[test]
fn requests_for_events_that_do_not_exist_become_rare() {
    let mut sync = TimelineSync::default();
    sync.update_head(ms(0), &peer("eve"), head(99));
    let requests = (0..120).filter(|second| {
        let now = 1_000 * second;
        asked(&mut sync, now, head(1), &["eve"]).is_some()
    });
    assert_eq!(requests.count(), 11);
}

#[test]
fn a_false_head_does_not_keep_other_riders_from_being_asked() {
    let mut sync = TimelineSync::default();
    let reachable = ["eve", "ana"];
    sync.update_head(ms(0), &peer("eve"), head(u32::MAX));
    for second in 0..60 {
        asked(&mut sync, 1_000 * second, head(1), &reachable);
    }
    sync.update_head(ms(60_000), &peer("ana"), head(2));
    let mut times = (600..700).map(|tenth| 100 * tenth);
    let asked_at = times.find(|now| asked(&mut sync, *now, head(1), &reachable) == name("ana"));
    assert!(asked_at.is_some_and(|at| at <= 62_300), "{asked_at:?}");
}

#[test]
fn a_new_host_appends_a_no_op_when_no_newer_head_is_announced() {
    let mut sync = TimelineSync::default();
    sync.update_head(ms(0), &peer("ana"), head(2));
    assert!(!sync.needs_no_op(ms(0), head(2), Some(2)));
    assert!(!sync.needs_no_op(ms(2_999), head(2), Some(2)));
    assert!(sync.needs_no_op(ms(3_000), head(2), Some(2)));
    let appended = Head {
        epoch: 2,
        sequence: 1,
    };
    assert!(!sync.needs_no_op(ms(20_000), appended, Some(2)));
}

#[test]
fn a_rider_that_is_not_host_and_an_empty_timeline_need_no_no_op() {
    let mut sync = TimelineSync::default();
    sync.update_head(ms(0), &peer("ana"), head(2));
    assert!(!sync.needs_no_op(ms(0), head(2), Some(2)));
    assert!(!sync.needs_no_op(ms(20_000), head(2), None));
    assert!(!sync.needs_no_op(ms(20_000), Head::NONE, Some(2)));
    assert!(!sync.needs_no_op(ms(40_000), Head::NONE, Some(2)));
}

#[test]
fn a_new_host_waits_longer_for_announced_events_but_not_forever() {
    let mut sync = TimelineSync::default();
    sync.update_head(ms(0), &peer("ana"), head(3));
    assert!(!sync.needs_no_op(ms(0), head(2), Some(2)));
    assert!(!sync.needs_no_op(ms(9_999), head(2), Some(2)));
    assert!(sync.needs_no_op(ms(10_000), head(2), Some(2)));
}

#[test]
fn a_change_of_host_makes_the_next_request_due_at_once() {
    let mut sync = TimelineSync::default();
    sync.update_head(ms(0), &peer("ana"), head(1));
    asked(&mut sync, 300, Head::NONE, &RIDERS);
    sync.host_changed(ms(400));
    assert_eq!(asked(&mut sync, 400, Head::NONE, &RIDERS), name("ana"));
}
