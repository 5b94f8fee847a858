use proptest::prelude::*;

use super::*;

fn ftp() -> Ftp {
    Ftp::new(200).expect("an FTP")
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn peer(name: &str) -> PeerId {
    name.parse().expect("a peer id")
}

fn ana() -> PeerId {
    peer("ana")
}

fn track(rider: &str, first_slot: u32, points: &[u8]) -> Track {
    Track {
        rider: peer(rider),
        name: "Ana".parse().ok(),
        first_slot,
        points: points.to_vec(),
    }
}

/// History of Ana riding at 100, 150 and 200 W with an FTP of 200 W, five seconds each.
fn ridden() -> History {
    let mut history = History::default();
    for (from, power) in [(0, 100), (5, 150), (10, 200)] {
        for second in from..from + 5 {
            history.record(&ana(), seconds(second), power, ftp());
        }
    }
    history
}

#[test]
fn a_point_is_the_mean_of_five_seconds_as_a_share_of_ftp() {
    let mut history = History::default();
    for (second, power) in [(0, 100), (1, 100), (4, 160)] {
        history.record(&ana(), seconds(second), power, ftp());
    }
    assert_eq!(history.whole(&ana(), seconds(5)), [Some(60)]);
    assert_eq!(
        ridden().whole(&ana(), seconds(15)),
        [Some(50), Some(75), Some(100)]
    );
}

#[test]
fn recent_points_include_complete_slots_only() {
    assert_eq!(
        ridden().recent(&ana(), seconds(14), 120),
        [Some(50), Some(75)]
    );
    assert_eq!(
        ridden().recent(&ana(), seconds(15), 2),
        [Some(75), Some(100)]
    );
    assert_eq!(
        ridden().recent(&ana(), seconds(25), 3),
        [Some(100), None, None]
    );
    assert_eq!(ridden().recent(&peer("eve"), seconds(5), 3), [None]);
}

#[test]
fn own_measurements_are_kept_and_gaps_are_filled() {
    let mut history = History::default();
    history.record(&ana(), seconds(7), 180, ftp());
    history.merge(ridden().tracks());
    assert_eq!(
        history.whole(&ana(), seconds(15)),
        [Some(50), Some(90), Some(100)]
    );
}

#[test]
fn an_hour_takes_720_bytes_per_rider() {
    let mut history = History::default();
    for second in 0..3_600 {
        history.record(&ana(), seconds(second), 200, ftp());
    }
    assert_eq!(history.tracks()[0].points.len(), 720);
}

#[test]
fn high_power_is_cut_to_one_byte_and_zero_power_is_not_missing_data() {
    let mut history = History::default();
    history.record(&ana(), seconds(0), 1_500, ftp());
    history.record(&ana(), seconds(5), 0, ftp());
    assert_eq!(history.whole(&ana(), seconds(10)), [Some(254), Some(0)]);
}

#[test]
fn a_rider_that_has_left_keeps_name_and_points() {
    let mut history = History::default();
    history.merge(vec![track("ana", 3, &[51])]);
    let riders: Vec<_> = history
        .riders()
        .map(|(rider, name)| (rider.as_str(), name.map(RiderName::as_str)))
        .collect();
    assert_eq!(riders, [("ana", Some("Ana"))]);
    assert_eq!(history.tracks(), [track("ana", 3, &[51])]);
}

#[test]
fn received_tracks_cannot_make_it_grow_without_limit() {
    let mut history = History::default();
    let many = (0..500).map(|rider| track(&rider.to_string(), 0, &[9]));
    history.merge(many.collect());
    history.merge(vec![track("late", 0, &[9])]);
    assert_eq!(history.tracks().len(), MAX_RIDERS);
    let mut history = History::default();
    let beyond = MAX_SLOTS as u32;
    history.merge(vec![
        track("far", beyond, &[9]),
        track("farther", u32::MAX, &[9]),
    ]);
    history.record(&ana(), MAX_DURATION, 100, ftp());
    assert_eq!(history.tracks(), []);
}

proptest! {
    #[test]
    fn merging_never_changes_own_points_and_is_idempotent(
        own in prop::collection::vec((0_u64..400, 0_u16..600), 0..80),
        first in 0_u32..60,
        received in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut history = History::default();
        let mut in_order = own;
        in_order.sort_unstable();
        for (second, power) in in_order {
            history.record(&ana(), seconds(second), power, ftp());
        }
        let before = history.whole(&ana(), seconds(600));
        let other = vec![track("ana", first, &received)];
        history.merge(other.clone());
        let after = history.whole(&ana(), seconds(600));
        for (before, after) in before.iter().zip(&after) {
            prop_assert!(before.is_none() || before == after);
        }
        history.merge(other);
        prop_assert_eq!(history.whole(&ana(), seconds(600)), after);
    }
}
