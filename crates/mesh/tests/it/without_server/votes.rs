//! Forged, repeated and unsuccessful votes.

use super::*;
use protocol::signaling::HostCommand;

/// A rider sends an election over its data channel to another one.
fn inject(net: &mut Network, from: usize, at: usize, election: &Election) {
    let frame = LinkFrame {
        to: Incarnation(0),
        body: Body::Election(election.clone()),
    };
    let input = Input::Rtc {
        peer: net.id(from),
        connection: connection(net, at, from),
        event: RtcEvent::Frame {
            class: DeliveryClass::Control,
            bytes: frame.encode(),
        },
    };
    net.feed(at, input);
}

fn key(rider: usize) -> BallotKey {
    BallotKey::from_seed([rider as u8 + 1; 32]).unwrap()
}

#[test]
fn forged_and_repeated_votes_are_ignored_and_counted() {
    let mut net = Network::with_riders(510, 5);
    net.kill_server();
    net.run(2_000);
    let own = |epoch: u32, rider: usize| HostTerm {
        epoch,
        peer: net.id(rider),
        sign_key: key(rider).public(),
    };
    let (mallory, term, late) = (4, own(2, 4), own(1, 4));
    let number = |rider: usize| PeerNumber(rider as u32 + 1);
    let by = |keys: &[(usize, usize)], term: &HostTerm| Election {
        term: term.clone(),
        votes: keys
            .iter()
            .map(|(voter, signer)| key(*signer).vote(number(*voter), term))
            .collect(),
    };
    let stolen = by(&[(4, 4), (1, 4), (2, 4)], &term);
    let twice = by(&[(4, 4), (4, 4), (4, 4)], &term);
    let over = by(&[(4, 4), (1, 1), (2, 2)], &late);
    let far = by(&[(4, 4), (1, 1), (2, 2)], &own(900, 4));
    let another = by(&[(1, 1)], &own(2, 2));
    let before = net.riders[3].node.stats().ignored;
    let forged = [stolen, twice, over, far, another];
    for election in &forged {
        inject(&mut net, mallory, 3, election);
    }
    net.run(1_000);
    let ignored = net.riders[3].node.stats().ignored - before;
    assert_eq!(ignored, forged.len() as u64);
    assert!(follow(&net, &[0, 1, 2, 3], 0));
    // A request for votes is valid, but riders that hear the host do not vote.
    inject(&mut net, mallory, 3, &by(&[(4, 4)], &term));
    net.run(5_000);
    assert_eq!(net.riders[3].node.stats().ignored - before, ignored);
    assert!(follow(&net, &[0, 1, 2, 3], 0));
}

#[test]
fn an_earlier_election_does_not_count_again() {
    let mut net = Network::with_riders(511, 5);
    net.kill_server();
    net.crash(0);
    net.run(6_000);
    make_server_reachable(&mut net);
    net.run(8_000);
    let elected = net.elections.clone();
    assert!(follow(&net, &[1, 2, 3, 4], 1));
    let cleo = net.id(2);
    net.feed(1, Input::Command(HostCommand::HandOver { to: cleo }));
    net.run(1_000);
    net.kill_server();
    net.run(2_000);
    let before = net.riders[3].node.stats().ignored;
    inject(&mut net, 1, 3, &elected[0]);
    net.run(1_000);
    assert_eq!(net.riders[3].node.stats().ignored, before + 1);
    assert!(follow(&net, &[1, 2, 3, 4], 2));
    assert_eq!(net.link(1, 3), Some(LinkState::Direct));
}

#[test]
fn a_long_unsuccessful_candidacy_does_not_prevent_a_later_election() {
    let mut net = Network::with_riders(512, 4);
    net.cut(0, 2, true);
    net.run(20_000);
    net.kill_server();
    // The third rider does not hear the host, and the others do.
    net.run(600_000);
    assert!(follow(&net, &[1, 2, 3], 0));
    net.crash(0);
    let took = net.run_until("a new host", |net| {
        let host = net.riders[1].node.host().cloned();
        host != Some(net.id(0))
            && [1, 2, 3]
                .iter()
                .all(|at| net.riders[*at].node.host() == host.as_ref())
    });
    assert!(took <= ms(5_000), "{took:?}");
}
