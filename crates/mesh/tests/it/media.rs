//! Media connections of two pages, and of one page whose peer means harm.

mod browser;
mod hostile;
mod pair;

use clock::{Duration, Moment};
use mesh::{
    media::{MediaConnection, MediaConnectionOutput, MediaConnectionState},
    random::Random,
};
use protocol::signaling::{IceServer, Signal};

use crate::network::ms;
use pair::{IMPOLITE, POLITE, Pair};

const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn turn_server() -> Vec<IceServer> {
    vec![IceServer {
        urls: vec!["turn:example.org".into()],
        username: None,
        credential: None,
    }]
}

/// Cuts the path for media and lets time pass until the browsers notice.
fn interrupt(pair: &mut Pair) {
    pair.path.works = false;
    pair.run(secs(6));
    let interrupted = [MediaConnectionState::Interrupted; 2];
    assert_eq!(pair.states(), interrupted);
}

/// Pair whose path for media has never worked, until both sides have given up.
fn unreachable_pair(seed: u64) -> Pair {
    let mut pair = Pair::new(seed);
    pair.path.works = false;
    pair.set_wanted(true);
    pair.run(secs(70));
    assert_eq!(pair.states(), [MediaConnectionState::Unreachable; 2]);
    pair
}

#[test]
fn without_anything_to_send_there_is_no_connection() {
    let mut pair = Pair::new(1);
    pair.run(secs(60));
    assert_eq!(pair.states(), [MediaConnectionState::Closed; 2]);
    assert!(pair.sides.iter().all(|side| side.opened.is_empty()));
}

#[test]
fn a_wanted_connection_is_made_with_one_offer_of_the_impolite_side() {
    let pair = Pair::connected(1);
    assert_eq!(pair.sides[IMPOLITE].offers, [1]);
    assert!(pair.sides[POLITE].offers.is_empty());
    assert_eq!(pair.sides[POLITE].opened.len(), 1);
}

#[test]
fn a_connection_that_only_one_side_wants_is_made_by_that_side() {
    for side in [IMPOLITE, POLITE] {
        let mut pair = Pair::new(1);
        pair.set_wanted_by(side, true);
        pair.run(secs(5));
        pair.assert_connected();
        assert_eq!(pair.sides[side].offers, [1]);
        assert!(pair.sides[1 - side].offers.is_empty());
    }
}

#[test]
fn the_polite_side_waits_a_second_for_the_offer_of_the_other() {
    let mut polite = MediaConnection::new(Moment::ZERO, true, 1);
    polite.set_reachable(Moment::ZERO, true);
    polite.set_wanted(Moment::ZERO, true);
    assert_eq!(polite.poll_timeout(), Some(Moment::ZERO + secs(1)));
    let mut impolite = MediaConnection::new(Moment::ZERO, false, 1);
    impolite.set_reachable(Moment::ZERO, true);
    impolite.set_wanted(Moment::ZERO, true);
    assert_eq!(impolite.poll_timeout(), Some(Moment::ZERO));
}

#[test]
fn offers_that_cross_end_in_one_connection() {
    for seed in 0..50 {
        let mut pair = Pair::new(seed);
        pair.set_wanted_by(POLITE, true);
        pair.run(secs(1));
        // The offer of the polite side is being made or is on its way.
        pair.run(ms(5 * seed));
        pair.set_wanted_by(IMPOLITE, true);
        pair.run(secs(5));
        pair.assert_connected();
        let opened = |side: usize| pair.sides[side].opened.len();
        assert_eq!((opened(IMPOLITE), opened(POLITE)), (1, 1), "seed {seed}");
    }
}

#[test]
fn the_connection_has_the_ice_servers_of_the_moment_in_which_it_is_made() {
    let mut pair = Pair::new(1);
    for side in &mut pair.sides {
        side.connection.set_ice_servers(turn_server());
    }
    pair.set_wanted(true);
    pair.run(secs(5));
    assert!(pair.sides.iter().all(|side| side.opened == [turn_server()]));
}

#[test]
fn a_reload_in_the_middle_ends_in_a_new_connection() {
    for seed in 0..100 {
        let mut pair = Pair::new(seed);
        pair.set_wanted(true);
        // At any step of the negotiation, and after it.
        pair.run(ms(seed * 20));
        pair.reload(usize::from(seed % 2 == 0));
        pair.run(secs(10));
        pair.assert_connected();
    }
}

#[test]
fn signals_that_are_lost_in_the_middle_are_repeated_when_the_peer_is_reachable_again() {
    for seed in 0..100 {
        let mut pair = Pair::new(seed);
        pair.set_wanted(true);
        pair.run(ms(seed * 5));
        pair.set_cut(true, true);
        pair.run(secs(8));
        pair.set_cut(false, true);
        pair.run(secs(8));
        pair.assert_connected();
    }
}

#[test]
fn a_connection_that_works_is_kept_while_the_peer_is_not_reachable_for_signals() {
    let mut pair = Pair::connected(1);
    pair.set_cut(true, true);
    pair.run(secs(120));
    pair.assert_connected();
    pair.set_cut(false, true);
    pair.run(secs(60));
    pair.assert_connected();
    assert_eq!(pair.sides[IMPOLITE].offers, [1]);
}

#[test]
fn a_path_that_returns_within_two_seconds_causes_no_ice_restart() {
    let mut pair = Pair::connected(1);
    interrupt(&mut pair);
    pair.path.works = true;
    pair.run(secs(10));
    pair.assert_connected();
    assert_eq!(pair.sides[IMPOLITE].offers, [1]);
}

#[test]
fn on_another_network_ice_is_restarted_on_the_same_connection() {
    let mut pair = Pair::connected(1);
    pair.path.network = 2;
    pair.run(secs(12));
    pair.assert_connected();
    assert_eq!(pair.sides[IMPOLITE].offers, [1, 1]);
    assert_eq!(pair.sides[IMPOLITE].ice_restarts, 1);
    assert_eq!(pair.sides[POLITE].ice_restarts, 0);
}

#[test]
fn ice_is_restarted_three_times_before_the_connection_is_replaced() {
    let mut pair = Pair::connected(1);
    interrupt(&mut pair);
    pair.run(secs(24));
    assert_eq!(pair.sides[IMPOLITE].ice_restarts, 3);
    pair.run(secs(6));
    assert!(pair.sides[IMPOLITE].opened.len() > 1);
    pair.path.works = true;
    pair.run(secs(60));
    pair.assert_connected();
}

#[test]
fn an_ice_restart_waits_until_the_peer_is_reachable() {
    let mut pair = Pair::connected(1);
    pair.set_cut(true, true);
    pair.run(secs(4));
    pair.path.network = 2;
    pair.run(secs(10));
    assert_eq!(pair.sides[IMPOLITE].offers, [1]);
    pair.set_cut(false, true);
    pair.run(secs(10));
    pair.assert_connected();
    assert_eq!(pair.sides[IMPOLITE].opened.len(), 1);
}

#[test]
fn a_connection_that_fails_is_replaced_by_one_with_the_next_number() {
    let mut pair = Pair::connected(1);
    for side in [IMPOLITE, POLITE] {
        let id = pair.sides[side].connection.connection().unwrap();
        pair.fail(side, id);
    }
    assert_eq!(pair.states(), [MediaConnectionState::Connecting; 2]);
    pair.run(secs(5));
    pair.assert_connected();
    assert_eq!(pair.sides[IMPOLITE].offers, [1, 2]);
}

#[test]
fn a_side_that_waits_connects_at_once_when_the_peer_offers_a_connection_that_is_gone_here() {
    let mut pair = unreachable_pair(1);
    let impolite = &mut pair.sides[IMPOLITE].connection;
    assert_eq!(impolite.connection(), None);
    assert!(impolite.poll_timeout().unwrap() > pair.now);
    let sdp = "an ICE restart".into();
    impolite.receive(pair.now, Signal::Offer { attempt: 1, sdp });
    assert_eq!(impolite.poll_timeout(), Some(pair.now));
}

#[test]
fn events_of_a_former_connection_are_ignored() {
    let mut pair = Pair::connected(1);
    let id = pair.sides[IMPOLITE].connection.connection().unwrap();
    pair.fail(IMPOLITE, id);
    pair.run(secs(5));
    pair.fail(IMPOLITE, id);
    pair.assert_connected();
}

#[test]
fn a_connection_that_is_not_wanted_for_twenty_seconds_is_closed_and_is_made_again() {
    let mut pair = Pair::connected(1);
    pair.set_wanted(false);
    pair.run(ms(19_900));
    pair.assert_connected();
    pair.run(ms(200));
    assert_eq!(pair.states(), [MediaConnectionState::Closed; 2]);
    pair.run(secs(60));
    pair.set_wanted(true);
    pair.run(secs(5));
    pair.assert_connected();
}

#[test]
fn a_connection_that_is_wanted_again_within_twenty_seconds_is_kept() {
    let mut pair = Pair::connected(1);
    pair.set_wanted(false);
    pair.run(secs(15));
    pair.set_wanted(true);
    pair.run(secs(60));
    pair.assert_connected();
    assert_eq!(pair.sides[IMPOLITE].opened.len(), 1);
}

#[test]
fn after_three_failed_attempts_there_is_about_one_in_a_minute() {
    let mut pair = unreachable_pair(1);
    let opened = |pair: &Pair| pair.sides.each_ref().map(|side| side.opened.len());
    assert!(opened(&pair).iter().all(|count| (3..=5).contains(count)));
    let before = opened(&pair);
    pair.run(secs(600));
    assert_eq!(pair.states(), [MediaConnectionState::Unreachable; 2]);
    for (before, after) in before.into_iter().zip(opened(&pair)) {
        assert!((8..=16).contains(&(after - before)), "{before} {after}");
    }
    pair.path.works = true;
    pair.run(secs(60));
    pair.assert_connected();
}

#[test]
fn an_unreachable_peer_is_tried_at_once_when_it_is_reachable_again_for_signals() {
    let mut pair = unreachable_pair(1);
    pair.set_cut(true, true);
    pair.run(secs(5));
    pair.path.works = true;
    pair.set_cut(false, true);
    pair.run(secs(6));
    pair.assert_connected();
}

#[test]
fn an_unreachable_peer_is_tried_at_once_with_other_ice_servers() {
    let mut pair = unreachable_pair(1);
    pair.path.works = true;
    let impolite = &mut pair.sides[IMPOLITE].connection;
    impolite.set_ice_servers(turn_server());
    assert_eq!(impolite.state(), MediaConnectionState::Connecting);
    pair.run(secs(3));
    pair.assert_connected();
    assert_eq!(pair.sides[IMPOLITE].opened.last(), Some(&turn_server()));
}

#[test]
fn the_same_ice_servers_cause_no_attempt() {
    let mut pair = unreachable_pair(1);
    for side in &mut pair.sides {
        let before = side.connection.poll_timeout();
        side.connection.set_ice_servers(Vec::new());
        assert_eq!(side.connection.poll_timeout(), before);
    }
}

#[test]
fn a_peer_that_answers_nothing_becomes_unreachable_and_is_offered_about_once_a_minute() {
    for silent in [IMPOLITE, POLITE] {
        let mut pair = Pair::new(1);
        pair.sides[silent].is_answering = false;
        pair.set_wanted_by(1 - silent, true);
        pair.run(secs(60));
        let offering = &pair.sides[1 - silent];
        assert_eq!(
            offering.connection.state(),
            MediaConnectionState::Unreachable
        );
        assert!(offering.offers.len() <= 4);
        let before = offering.signals;
        pair.run(secs(3_600));
        let offering = &pair.sides[1 - silent];
        // An offer and its candidates, which are found over 300 ms.
        assert!(offering.signals - before < 80 * 5);
        pair.sides[silent].is_answering = true;
        pair.run(secs(60));
        pair.assert_connected();
    }
}

#[test]
fn a_connection_that_breaks_again_and_again_is_made_ever_more_slowly() {
    let mut pair = Pair::new(1);
    pair.set_wanted(true);
    for _ in 0..600 {
        pair.run(secs(1));
        for side in [IMPOLITE, POLITE] {
            if pair.sides[side].connection.state() == MediaConnectionState::Connected {
                let id = pair.sides[side].connection.connection().unwrap();
                pair.fail(side, id);
            }
        }
    }
    let offers: usize = pair.sides.iter().map(|side| side.offers.len()).sum();
    assert!((10..80).contains(&offers), "{offers}");
}

#[test]
fn a_rider_who_has_left_is_not_connected_again() {
    let mut pair = Pair::connected(1);
    pair.close(IMPOLITE);
    let left = &mut pair.sides[IMPOLITE];
    assert_eq!(left.connection.state(), MediaConnectionState::Closed);
    assert_eq!(left.connection.connection(), None);
    assert!(left.browser.is_none());
    left.connection.set_wanted(pair.now, true);
    pair.run(secs(120));
    let left = &pair.sides[IMPOLITE];
    assert_eq!(left.connection.state(), MediaConnectionState::Closed);
    assert_eq!(left.opened.len(), 1);
}

#[test]
fn nothing_is_sent_to_a_page_that_is_not_reachable() {
    let mut connection = MediaConnection::new(Moment::ZERO, false, 1);
    connection.set_wanted(Moment::ZERO, true);
    assert_eq!(connection.poll_timeout(), None);
    connection.handle_timeout(Moment::ZERO + secs(60));
    assert_eq!(connection.poll_output(), None::<MediaConnectionOutput>);
    assert_eq!(connection.state(), MediaConnectionState::Connecting);
}

/// Faults of a seed: wishes that change, cut networks, other networks, reloads, failures.
fn play_faults(pair: &mut Pair, seed: u64) {
    let mut random = Random::new(seed ^ 0x6d65_6469_6100);
    for _ in 0..=random.next() % 12 {
        let side = usize::from(random.next().is_multiple_of(2));
        match random.next() % 12 {
            0 => pair.reload(side),
            1 => pair.set_wanted_by(side, false),
            2 => pair.set_wanted_by(side, true),
            3 | 4 => pair.set_cut(true, random.next().is_multiple_of(2)),
            5 => pair.set_cut(false, random.next().is_multiple_of(2)),
            6 => pair.path.network += 1,
            7 => pair.path.works = false,
            8 => pair.path.works = true,
            9 => {
                if let Some(id) = pair.sides[side].connection.connection() {
                    pair.fail(side, id);
                }
            }
            10 => pair.sides[side].is_answering = false,
            _ => pair.sides[side].is_answering = true,
        }
        let pause = match random.next() % 3 {
            0 => random.next() % 500,
            1 => random.next() % 5_000,
            _ => random.next() % 60_000,
        };
        pair.run(ms(pause));
    }
}

#[test]
fn after_any_faults_both_sides_are_connected_within_a_minute_and_are_quiet_then() {
    for seed in 0..600 {
        let mut pair = Pair::new(seed);
        pair.set_wanted(true);
        play_faults(&mut pair, seed);
        for side in &mut pair.sides {
            side.is_answering = true;
        }
        pair.path.works = true;
        pair.set_cut(false, false);
        pair.set_wanted(true);
        pair.run(secs(60));
        let states = pair.states();
        assert_eq!(
            states,
            [MediaConnectionState::Connected; 2],
            "seed {seed}: {states:?}"
        );
        pair.assert_connected();
        let quiet_from = pair.now;
        pair.run(secs(60));
        pair.assert_connected();
        let active_at = pair.sides.each_ref().map(|side| side.active_at);
        assert!(
            active_at.iter().all(|at| *at <= quiet_from),
            "seed {seed}: {active_at:?}"
        );
    }
}

#[test]
fn after_any_faults_nothing_is_left_of_a_connection_that_is_not_wanted() {
    for seed in 0..300 {
        let mut pair = Pair::new(seed);
        pair.set_wanted(true);
        play_faults(&mut pair, seed);
        pair.set_wanted(false);
        pair.run(secs(60));
        let quiet_from = pair.now;
        pair.run(secs(120));
        assert_eq!(
            pair.states(),
            [MediaConnectionState::Closed; 2],
            "seed {seed}"
        );
        assert!(pair.sides.iter().all(|side| side.browser.is_none()));
        assert!(pair.sides.iter().all(|side| side.active_at <= quiet_from));
    }
}
