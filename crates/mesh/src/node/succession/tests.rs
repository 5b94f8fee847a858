use super::*;
use crate::{
    link::testing::{make_direct, receive_heartbeat},
    node::members::tests::{id, key, members},
};
use protocol::peer::MemberRole::{self, Rider, Spectator};

fn at(ms: u64) -> Moment {
    Moment::from_origin(Duration::from_millis(ms))
}

fn term(epoch: u32, rider: u32) -> HostTerm {
    HostTerm {
        epoch,
        peer: id(rider),
        sign_key: key(rider).public(),
    }
}

/// View of one page: members numbered from 1, the first of which is this page, and a host.
struct Ride {
    members: Members,
    terms: HostTerms,
    key: BallotKey,
    is_server_reachable: bool,
}

impl Ride {
    /// All others are reached directly, and their last frames arrived at 0 ms.
    fn new(roles: &[MemberRole], host: u32) -> Self {
        let mut members = members(roles);
        members
            .peers_mut()
            .for_each(|peer| make_direct(&mut peer.link, at(0)));
        let mut terms = HostTerms::default();
        terms.begin(term(1, host), id(host));
        Self {
            members,
            terms,
            key: key(1),
            is_server_reachable: false,
        }
    }

    fn riders(count: usize, host: u32) -> Self {
        Self::new(&vec![Rider; count], host)
    }

    /// Some riders are no longer reached.
    fn lose_links(&mut self, numbers: &[u32]) {
        for number in numbers {
            let peer = self.members.remove(PeerNumber(*number)).unwrap();
            self.members.insert(at(0), peer.member);
        }
    }

    fn view(&self) -> SuccessionView<'_> {
        SuccessionView {
            members: &self.members,
            terms: &self.terms,
            ballot_key: Some(&self.key),
            is_server_reachable: self.is_server_reachable,
        }
    }
}

/// Candidacy of a rider for an epoch, with the votes of some.
fn election(epoch: u32, candidate: u32, voters: &[u32]) -> Election {
    let term = term(epoch, candidate);
    let vote = |voter: &u32| key(*voter).vote(PeerNumber(*voter), &term);
    let votes = voters.iter().map(vote).collect();
    Election { term, votes }
}

fn receivers(decisions: &[Decision]) -> Vec<u32> {
    let to = |decision: &Decision| match decision {
        Decision::SendElection { to, .. } => Some(to.0),
        _ => None,
    };
    decisions.iter().filter_map(to).collect()
}

#[test]
fn the_longest_present_rider_stands_after_three_seconds_without_the_host() {
    let (ride, mut succession) = (Ride::riders(4, 4), Succession::default());
    assert_eq!(succession.tick(at(2_999), ride.view()), []);
    assert_eq!(succession.timeout(), Some(at(3_000)));
    let decisions = succession.tick(at(3_000), ride.view());
    assert_eq!(receivers(&decisions), [2, 3, 4]);
    assert_eq!(succession.timeout(), Some(at(3_300)));
}

#[test]
fn the_votes_of_more_than_half_make_a_host() {
    let (ride, mut succession) = (Ride::riders(4, 4), Succession::default());
    succession.tick(at(3_000), ride.view());
    let mut judge = |voter: u32| {
        let vote = election(2, 1, &[voter]);
        succession.judge(at(3_100), ride.view(), PeerNumber(voter), vote)
    };
    assert_eq!(judge(2), [], "two of four are not more than half");
    let decisions = judge(3);
    assert_eq!(decisions[0], Decision::Elected(term(2, 1)));
    assert_eq!(receivers(&decisions), [2, 3, 4], "all receive it");
    assert_eq!(succession.elections().len(), 1);
}

#[test]
fn a_rider_votes_once_in_an_epoch_and_not_while_it_hears_the_host() {
    let (ride, mut succession) = (Ride::riders(4, 4), Succession::default());
    let mut request = |ms: u64, candidate: u32, epoch: u32| {
        let request = election(epoch, candidate, &[candidate]);
        succession.judge(at(ms), ride.view(), PeerNumber(candidate), request)
    };
    assert_eq!(request(1_499, 2, 2), [], "the host is not silent");
    let decisions = request(1_500, 2, 2);
    let vote = election(2, 2, &[1]);
    let to = PeerNumber(2);
    let expected = Decision::SendElection { to, election: vote };
    assert_eq!(decisions, std::slice::from_ref(&expected));
    assert_eq!(request(1_600, 3, 2), [], "the vote is given");
    assert_eq!(request(1_700, 2, 2), [expected], "it is repeated");
    assert_eq!(receivers(&request(1_800, 3, 3)), [3], "another epoch");
}

#[test]
fn forged_elections_are_ignored() {
    let (ride, mut succession) = (Ride::riders(4, 4), Succession::default());
    let mut stolen = election(2, 2, &[2, 3]);
    stolen.votes[1].voter = PeerNumber(1);
    let mut other_key = election(2, 2, &[2, 3]);
    other_key.term.sign_key = key(3).public();
    let past = election(1, 2, &[2, 3]);
    let far_ahead = election(66, 2, &[2, 3]);
    let by_another = election(2, 3, &[3]);
    for forged in [stolen, other_key, past, far_ahead, by_another] {
        let decisions = succession.judge(at(5_000), ride.view(), PeerNumber(2), forged.clone());
        assert_eq!(decisions, [Decision::Ignored], "{forged:?}");
    }
}

#[test]
fn the_server_alone_names_the_host_while_it_is_reachable() {
    let (mut ride, mut succession) = (Ride::riders(4, 4), Succession::default());
    ride.is_server_reachable = true;
    assert_eq!(succession.tick(at(60_000), ride.view()), []);
    let majority = election(2, 2, &[1, 2, 3]);
    assert_eq!(
        succession.judge(at(60_000), ride.view(), PeerNumber(2), majority),
        []
    );
}

#[test]
fn controls_are_suspended_a_second_after_too_few_riders_are_reached() {
    let (mut ride, mut succession) = (Ride::riders(3, 1), Succession::default());
    ride.lose_links(&[2, 3]);
    assert_eq!(succession.tick(at(100), ride.view()), []);
    assert_eq!(succession.timeout(), Some(at(1_100)));
    let suspended = succession.tick(at(1_100), ride.view());
    assert_eq!(suspended, [Decision::SuspendControls(true)]);
    ride.is_server_reachable = true;
    let working = succession.tick(at(1_200), ride.view());
    assert_eq!(working, [Decision::SuspendControls(false)]);
}

#[test]
fn a_spectator_neither_stands_nor_votes() {
    let ride = Ride::new(&[Spectator, Rider, Rider, Rider], 4);
    let mut succession = Succession::default();
    assert_eq!(succession.tick(at(60_000), ride.view()), []);
    let request = election(2, 2, &[2]);
    let decisions = succession.judge(at(60_000), ride.view(), PeerNumber(2), request);
    assert_eq!(decisions, []);
    let majority = election(2, 2, &[2, 3]);
    let decisions = succession.judge(at(60_000), ride.view(), PeerNumber(2), majority);
    assert_eq!(
        decisions[0],
        Decision::Elected(term(2, 2)),
        "but it follows"
    );
}

#[test]
fn a_spectator_cannot_be_elected_and_its_vote_is_forged() {
    let ride = Ride::new(&[Rider, Spectator, Rider, Rider], 4);
    let mut succession = Succession::default();
    for election in [election(2, 2, &[2, 3]), election(2, 3, &[2, 3])] {
        let decisions = succession.judge(at(5_000), ride.view(), PeerNumber(3), election);
        assert_eq!(decisions, [Decision::Ignored]);
    }
}

#[test]
fn spectators_do_not_count_in_the_majority() {
    let spectators = [Rider, Rider, Rider, Spectator, Spectator, Spectator];
    let (ride, mut succession) = (Ride::new(&spectators, 3), Succession::default());
    let decisions = succession.tick(at(3_000), ride.view());
    assert_eq!(receivers(&decisions), [2, 3], "riders are asked");
    let vote = election(2, 1, &[2]);
    let decisions = succession.judge(at(3_100), ride.view(), PeerNumber(2), vote);
    assert_eq!(decisions[0], Decision::Elected(term(2, 1)));
}

#[test]
fn spectators_in_reach_do_not_keep_the_controls_of_a_host_alone() {
    let mut ride = Ride::new(&[Rider, Rider, Rider, Spectator, Spectator], 1);
    ride.lose_links(&[2, 3]);
    let mut succession = Succession::default();
    succession.tick(at(0), ride.view());
    let decisions = succession.tick(at(1_000), ride.view());
    assert_eq!(decisions, [Decision::SuspendControls(true)]);
}

#[test]
fn riders_that_know_an_older_epoch_are_sent_the_elections_again() {
    let (mut ride, mut succession) = (Ride::riders(3, 3), Succession::default());
    let majority = election(2, 2, &[1, 2]);
    let decisions = succession.judge(at(5_000), ride.view(), PeerNumber(2), majority);
    assert_eq!(receivers(&decisions), [2, 3]);
    ride.terms.elected(term(2, 2));
    for peer in ride.members.peers_mut() {
        let epoch = if peer.member.number == PeerNumber(2) {
            2
        } else {
            1
        };
        receive_heartbeat(&mut peer.link, at(5_100), |heartbeat| {
            heartbeat.epoch = epoch;
        });
    }
    assert_eq!(succession.tick(at(5_499), ride.view()), []);
    let decisions = succession.tick(at(5_500), ride.view());
    assert_eq!(receivers(&decisions), [3]);
}
