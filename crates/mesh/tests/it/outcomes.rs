//! How attempts to make a link direct ended, and over which candidates.

use mesh::node::{Input, RtcEvent, Stats};
use protocol::{
    peer::{DeliveryClass, LinkState},
    signaling::{AttemptOutcome, CandidateType},
};

use crate::network::Network;

const HOST: Option<CandidateType> = Some(CandidateType::Host);
const SERVER_REFLEXIVE: Option<CandidateType> = Some(CandidateType::ServerReflexive);

/// Two riders whose browsers find no path between their candidates.
fn cut_apart(seed: u64) -> Network {
    let mut net = Network::new(seed);
    (0..2).for_each(|_| _ = net.join());
    net.cut(0, 1, true);
    net.run(1_000);
    net
}

fn stats(net: &Network, rider: usize) -> Stats {
    net.riders[rider].node.stats()
}

/// Number of attempts that failed for a reason, with any candidates.
fn failed(net: &Network, rider: usize, reason: AttemptOutcome) -> u32 {
    stats(net, rider).outcomes.with_outcome(reason)
}

fn rtc(net: &mut Network, rider: usize, other: usize, event: RtcEvent) {
    let peer = net.id(other);
    let connection = net.connection_to(rider, &peer).expect("a connection");
    net.feed(
        rider,
        Input::Rtc {
            peer,
            connection,
            event,
        },
    );
}

/// Answers the question for the candidates of a connection.
fn tell_candidate(net: &mut Network, rider: usize, other: usize, candidate: CandidateType) {
    let peer = net.id(other);
    let connection = net.connection_to(rider, &peer).expect("a connection");
    let candidate = Some(candidate);
    net.feed(
        rider,
        Input::Candidate {
            peer,
            connection,
            candidate,
        },
    );
}

#[test]
fn a_success_is_counted_once_with_the_candidate_that_the_browser_names() {
    let mut net = Network::with_riders(800, 2);
    assert_eq!(
        stats(&net, 0).outcomes.with_outcome(AttemptOutcome::Direct),
        0
    );
    for candidate in [CandidateType::PeerReflexive, CandidateType::Host] {
        tell_candidate(&mut net, 0, 1, candidate);
    }
    let outcomes = stats(&net, 0).outcomes;
    let found = Some(CandidateType::PeerReflexive);
    assert_eq!(outcomes.count(AttemptOutcome::Direct, found), 1);
    assert_eq!(outcomes.with_outcome(AttemptOutcome::Direct), 1);
}

#[test]
fn a_connection_that_is_not_direct_yet_is_no_success() {
    let mut net = cut_apart(801);
    tell_candidate(&mut net, 0, 1, CandidateType::Host);
    assert_eq!(failed(&net, 0, AttemptOutcome::Direct), 0);
}

#[test]
fn an_attempt_that_takes_too_long_has_timed_out_with_its_farthest_candidate() {
    let mut net = cut_apart(802);
    net.run(11_000);
    for rider in 0..2 {
        let stats = stats(&net, rider);
        let timed_out = AttemptOutcome::TimedOut;
        assert_eq!(stats.outcomes.count(timed_out, SERVER_REFLEXIVE), 1);
        assert_eq!(stats.failed_attempts, 1);
    }
}

#[test]
fn an_attempt_whose_connection_the_browser_gives_up_has_failed_its_checks() {
    let mut net = cut_apart(803);
    rtc(&mut net, 0, 1, RtcEvent::Failed);
    assert_eq!(failed(&net, 0, AttemptOutcome::ChecksFailed), 1);
    net.run(20_000);
    assert_eq!(failed(&net, 0, AttemptOutcome::ChecksFailed), 1);
}

#[test]
fn a_failure_after_the_attempt_has_timed_out_is_not_counted_again() {
    let mut net = cut_apart(804);
    net.run_until("timed out", |net| {
        failed(net, 1, AttemptOutcome::TimedOut) == 1
    });
    rtc(&mut net, 1, 0, RtcEvent::Failed);
    assert_eq!(stats(&net, 1).failed_attempts, 1);
}

#[test]
fn without_candidates_of_the_own_browser_this_is_the_reason() {
    let mut net = Network::new(805);
    net.without_candidates = Some(0);
    (0..2).for_each(|_| _ = net.join());
    net.cut(0, 1, true);
    net.run(12_000);
    let none = stats(&net, 0).outcomes;
    assert_eq!(none.count(AttemptOutcome::NoCandidates, None), 1);
    let others = stats(&net, 1).outcomes;
    let missing = others.count(AttemptOutcome::NoCandidates, SERVER_REFLEXIVE);
    assert_eq!(missing, 1, "the other side sent none");
}

#[test]
fn an_attempt_that_the_other_page_ends_is_closed_by_it() {
    let mut net = cut_apart(806);
    rtc(&mut net, 0, 1, RtcEvent::Closed(DeliveryClass::Control));
    assert_eq!(failed(&net, 0, AttemptOutcome::ClosedByPeer), 1);

    let mut net = cut_apart(807);
    net.feed(1, Input::Leave);
    net.run(200);
    assert_eq!(failed(&net, 0, AttemptOutcome::ClosedByPeer), 1);
}

#[test]
fn the_end_of_a_direct_link_is_no_failed_attempt() {
    let mut net = Network::with_riders(808, 2);
    rtc(&mut net, 0, 1, RtcEvent::Failed);
    net.run(500);
    assert_eq!(stats(&net, 0).failed_attempts, 0);
}

#[test]
fn every_attempt_of_a_long_ride_has_one_outcome() {
    let mut net = cut_apart(809);
    net.run(600_000);
    for rider in 0..2 {
        let stats = stats(&net, rider);
        let ended: u32 = AttemptOutcome::ALL
            .map(|outcome| stats.outcomes.with_outcome(outcome))
            .iter()
            .sum();
        assert_eq!(u64::from(ended), stats.failed_attempts);
        assert!(ended > 10, "{stats:?}");
        assert_eq!(stats.outcomes.with_candidate(HOST), (0, 0));
        // The other side starts most attempts, which repeat ICE on one connection.
        assert!(u64::from(ended) <= 3 * stats.connection_attempts + 1);
    }
}

#[test]
fn outcomes_are_reported_to_the_server_once() {
    let mut net = cut_apart(811);
    net.run(30_000);
    let outcomes = net.reports.iter().flat_map(|(_, report)| &report.outcomes);
    let reported: u32 = outcomes.map(|one| one.count).sum();
    let counted = [0, 1].map(|rider| stats(&net, rider).failed_attempts);
    assert_eq!(u64::from(reported), counted[0] + counted[1]);
}

#[test]
fn hostile_candidates_are_neither_counted_nor_kept() {
    let mut net = cut_apart(810);
    for text in ["", " typ ", " typ tcp", "typ host", &" typ ".repeat(400)] {
        let candidate = format!("{{\"candidate\":\"{text}\"}}");
        rtc(&mut net, 0, 1, RtcEvent::Candidate(candidate));
    }
    net.run(11_000);
    let counts = stats(&net, 0).outcomes;
    assert_eq!(counts.with_candidate(SERVER_REFLEXIVE), (0, 1));
    assert_eq!(net.link(0, 1), Some(LinkState::Relayed));
}
