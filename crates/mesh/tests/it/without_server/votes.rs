//! Votes that are forged, repeated or given in vain.

use super::*;
use protocol::signaling::HostCommand;

/// Somebody's browser sends any frame it likes.
fn inject(net: &mut Net, from: usize, at: usize, election: &Election) {
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
fn a_forged_or_repeated_vote_is_dropped_and_counted() {
    let mut net = Net::riding(510, 5);
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
    for paper in &forged {
        inject(&mut net, mallory, 3, paper);
    }
    net.run(1_000);
    let ignored = net.riders[3].node.stats().ignored - before;
    assert_eq!(ignored, forged.len() as u64);
    assert!(follow(&net, &[0, 1, 2, 3], 0));
    // Asking is no forgery, but who hears the host does not vote.
    inject(&mut net, mallory, 3, &by(&[(4, 4)], &term));
    net.run(5_000);
    assert_eq!(net.riders[3].node.stats().ignored - before, ignored);
    assert!(follow(&net, &[0, 1, 2, 3], 0));
}

#[test]
fn the_votes_of_an_earlier_election_count_once() {
    let mut net = Net::riding(511, 5);
    net.kill_server();
    net.crash(0);
    net.run(6_000);
    give_server_back(&mut net);
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
fn who_stood_in_vain_for_long_keeps_nobody_from_finding_a_host_later() {
    let mut net = Net::riding(512, 4);
    net.cut(0, 2, true);
    net.run(20_000);
    net.kill_server();
    // Cleo does not hear the host, and the others do.
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
