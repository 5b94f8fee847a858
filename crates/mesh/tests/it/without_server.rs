//! Riders without the server: controls of the host, elections, and the return of the server.

mod votes;

use mesh::{
    link_frame::{Body, LinkFrame},
    node::{Input, NodeEvent, RtcEvent},
};
use protocol::signaling::HostCommand;
use protocol::{
    election::{BallotKey, Election},
    peer::{DeliveryClass, Incarnation, LinkState, PeerNumber},
    signaling::HostTerm,
};

use crate::network::{Network, ms};

/// Some riders cannot reach the server, which still runs.
fn make_server_unreachable(net: &mut Network, riders: &[usize]) {
    for rider in riders {
        net.riders[*rider].is_online = false;
        net.drop_socket(*rider);
    }
}

fn make_server_reachable(net: &mut Network) {
    net.start_server();
    for rider in 0..net.riders.len() {
        net.riders[rider].is_online = true;
        net.feed(rider, Input::ProbeSocket);
    }
}

/// Cuts the paths between some riders and the others, or repairs them.
fn split(net: &mut Network, these: &[usize], is_cut: bool) {
    for a in 0..net.riders.len() {
        for b in 0..a {
            if these.contains(&a) != these.contains(&b) {
                net.cut(a, b, is_cut);
            }
        }
    }
}

fn hosts(net: &Network) -> Vec<usize> {
    let is_host = |at: &usize| net.riders[*at].node.is_host();
    (0..net.riders.len()).filter(is_host).collect()
}

/// Returns true if the controls of the host are suspended for a rider.
fn is_suspended(net: &Network, at: usize) -> bool {
    let events = net.riders[at].events.iter().rev();
    let mut changes = events.filter_map(|event| match event {
        NodeEvent::HostControlsSuspended(suspended) => Some(*suspended),
        _ => None,
    });
    let suspended = changes.next().unwrap_or(false);
    assert_eq!(suspended, net.riders[at].node.host_controls_suspended());
    suspended
}

/// Returns true if some riders agree on a host.
fn follow(net: &Network, riders: &[usize], host: usize) -> bool {
    let id = net.id(host);
    let mut riders = riders.iter();
    riders.all(|at| net.riders[*at].node.host() == Some(&id))
}

/// Returns true if all riders agree on the newest term.
fn agree(net: &Network) -> bool {
    let term = |at: usize| net.riders[at].node.host_terms().last().cloned();
    (1..net.riders.len()).all(|at| term(at) == term(0))
}

#[test]
fn the_ride_continues_under_its_host_without_the_server() {
    let mut net = Network::with_riders(400, 4);
    net.kill_server();
    for second in 0..30u8 {
        net.broadcast(0, DeliveryClass::Control, &[second]);
        net.run(1_000);
    }
    assert_eq!(hosts(&net), [0]);
    for at in 1..4 {
        assert_eq!(net.received(at, 0, DeliveryClass::Control).len(), 30);
        assert!(!is_suspended(&net, at));
    }
    assert!(!is_suspended(&net, 0));
}

#[test]
fn a_host_that_is_lost_while_the_server_is_down_is_succeeded_within_five_seconds() {
    for riders in [3, 5, 8, 12] {
        let mut net = Network::with_riders(410 + riders as u64, riders);
        net.kill_server();
        net.run(10_000);
        split(&mut net, &[0], true);
        let others: Vec<_> = (1..riders).collect();
        let took = net.run_until("a new host", |net| follow(net, &others, 1));
        assert!(took <= ms(5_000), "{riders} riders: {took:?}");
        assert_eq!(net.riders[1].node.epoch(), 2);
        assert!(
            is_suspended(&net, 0),
            "{riders} riders: for the old host too"
        );
        assert!(others.iter().all(|at| !is_suspended(&net, *at)));
    }
}

#[test]
fn a_host_lost_at_once_with_the_server_is_succeeded_within_five_seconds() {
    for seed in 0..5 {
        let mut net = Network::with_riders(430 + seed, 4);
        net.kill_server();
        net.crash(0);
        let took = net.run_until("a new host", |net| follow(net, &[1, 2, 3], 1));
        assert!(took <= ms(5_000), "seed {seed}: {took:?}");
    }
}

#[test]
fn a_host_lost_at_once_with_a_server_that_dies_without_notice_is_succeeded_within_five_seconds() {
    let mut net = Network::with_riders(435, 4);
    net.run(3_000);
    (1..4).for_each(|at| net.riders[at].is_socket_dead = true);
    net.riders.iter_mut().for_each(|one| one.is_online = false);
    net.crash(0);
    let took = net.run_until("a new host", |net| follow(net, &[1, 2, 3], 1));
    assert!(took <= ms(5_000), "{took:?}");
}

#[test]
fn several_hosts_are_succeeded_one_after_the_other() {
    let mut net = Network::with_riders(440, 5);
    net.kill_server();
    net.crash(0);
    net.run(5_000);
    split(&mut net, &[1], true);
    net.run(5_000);
    assert!(follow(&net, &[2, 3, 4], 2));
    assert_eq!(net.riders[4].node.epoch(), 3);
    net.crash(2);
    net.run(5_000);
    // Two of five riders are not a majority.
    assert!(follow(&net, &[3, 4], 2));
    assert!(is_suspended(&net, 3) && is_suspended(&net, 4));
}

#[test]
fn a_longest_present_rider_that_cannot_win_does_not_delay_the_others() {
    let mut net = Network::with_riders(441, 5);
    net.kill_server();
    // The second rider reaches only the third.
    net.cut(1, 3, true);
    net.cut(1, 4, true);
    net.run(4_000);
    split(&mut net, &[0], true);
    let took = net.run_until("a new host", |net| {
        [2, 3].iter().any(|host| follow(net, &[1, 2, 3, 4], *host))
    });
    assert!(took <= ms(5_000), "{took:?}");
}

#[test]
fn controls_are_suspended_in_a_minority_and_work_again_afterwards() {
    let mut net = Network::with_riders(450, 5);
    net.kill_server();
    net.run(2_000);
    split(&mut net, &[0, 1], true);
    net.run(3_000);
    assert!(is_suspended(&net, 0), "for the old host too");
    assert!(is_suspended(&net, 1));
    net.run(2_500);
    assert!(follow(&net, &[2, 3, 4], 2));
    assert!((2..5).all(|at| !is_suspended(&net, at)));
    make_server_reachable(&mut net);
    net.run_until("no suspended controls", |net| {
        (0..5).all(|at| !is_suspended(net, at))
    });
}

#[test]
fn the_host_of_two_riders_keeps_its_controls_alone() {
    let mut net = Network::with_riders(451, 2);
    net.kill_server();
    net.crash(1);
    net.run(10_000);
    assert!(!is_suspended(&net, 0), "no other rider can become host");
    let mut net = Network::with_riders(452, 2);
    net.kill_server();
    net.crash(0);
    net.run(10_000);
    assert!(is_suspended(&net, 1), "the host may continue elsewhere");
}

#[test]
fn a_socket_that_returns_at_once_suspends_no_controls() {
    let mut net = Network::new(453);
    (0..3).for_each(|_| _ = net.join_with(false, None));
    net.run(2_000);
    net.drop_socket(0);
    net.run(3_000);
    let is_suspension = |event: &NodeEvent| matches!(event, NodeEvent::HostControlsSuspended(_));
    assert!(!net.riders[0].events.iter().any(is_suspension));
}

#[test]
fn a_healed_partition_has_one_host_and_group_time_does_not_run_backwards() {
    for seed in 0..5 {
        let mut net = Network::with_riders(460 + seed, 5);
        net.kill_server();
        net.run(2_000);
        split(&mut net, &[0, 1], true);
        net.run(8_000);
        assert_eq!(hosts(&net), [0, 2], "one of them with suspended controls");
        let times = |net: &Network| (0..5).map(|at| net.group_time(at).unwrap()).collect();
        let mut before: Vec<_> = times(&net);
        split(&mut net, &[0, 1], false);
        for _ in 0..400 {
            net.run(10);
            let after: Vec<_> = times(&net);
            let later = before
                .iter()
                .zip(&after)
                .all(|(before, after)| before < after);
            assert!(later, "seed {seed}: {before:?} {after:?}");
            before = after;
        }
        assert!(agree(&net), "seed {seed}");
        assert_eq!(hosts(&net), [2]);
    }
}

#[test]
fn a_restarted_server_confirms_the_elected_host() {
    for seed in 0..8 {
        let mut net = Network::with_riders(470 + seed, 5);
        net.kill_server();
        net.crash(0);
        net.run(6_000);
        assert!(follow(&net, &[1, 2, 3, 4], 1));
        make_server_reachable(&mut net);
        net.run(10_000);
        assert!(follow(&net, &[1, 2, 3, 4], 1), "seed {seed}");
        assert_eq!(net.riders[3].node.epoch(), 2, "seed {seed}");
    }
}

#[test]
fn a_server_that_only_the_old_host_reached_accepts_the_election() {
    let mut net = Network::with_riders(480, 5);
    make_server_unreachable(&mut net, &[1, 2, 3, 4]);
    split(&mut net, &[0], true);
    net.run(8_000);
    assert_eq!(hosts(&net), [0, 1]);
    make_server_reachable(&mut net);
    split(&mut net, &[0], false);
    net.run(8_000);
    assert!(agree(&net));
    assert_eq!((hosts(&net), net.riders[0].node.epoch()), (vec![1], 2));
    assert!(net.riders[0].node.may_reclaim());
    net.feed(0, Input::Command(HostCommand::Reclaim));
    net.run(500);
    assert_eq!((hosts(&net), net.riders[4].node.epoch()), (vec![0], 3));
}

#[test]
fn a_host_of_the_server_and_a_host_of_the_riders_end_as_one() {
    for seed in 0..5 {
        let mut net = Network::with_riders(490 + seed, 6);
        // The server reaches only the third rider; the others reach each other.
        make_server_unreachable(&mut net, &[0, 1, 3, 4, 5]);
        split(&mut net, &[0], true);
        split(&mut net, &[2], true);
        net.run(9_000);
        assert!(net.riders[2].node.is_host(), "by the server");
        assert!(follow(&net, &[3, 4, 5], 1), "by votes");
        make_server_reachable(&mut net);
        split(&mut net, &[0, 2], false);
        net.cut(0, 2, false);
        net.run(10_000);
        assert!(agree(&net), "seed {seed}");
        assert_eq!(hosts(&net).len(), 1, "seed {seed}");
        assert_eq!(net.riders[0].node.epoch(), 3, "seed {seed}");
    }
}

#[test]
fn no_host_is_elected_while_the_server_is_reachable() {
    let mut net = Network::with_riders(500, 4);
    make_server_unreachable(&mut net, &[1]);
    split(&mut net, &[0], true);
    net.run(20_000);
    // No other rider reaches the host directly, but the server does.
    assert!(follow(&net, &[1, 2, 3], 0));
    assert_eq!(net.riders[1].node.epoch(), 1);
}

#[test]
fn a_new_host_that_the_server_did_not_name_to_all_is_confirmed_by_votes() {
    let mut net = Network::with_riders(501, 4);
    // The fourth rider's socket is lost before the second becomes host, and the server right after.
    make_server_unreachable(&mut net, &[3]);
    net.feed(0, Input::Leave);
    net.run(300);
    assert!(follow(&net, &[1, 2], 1));
    assert!(!follow(&net, &[3], 1));
    net.kill_server();
    net.run_until("known", |net| follow(net, &[1, 2, 3], 1));
}

/// Number of a rider's connection to another one.
fn connection(net: &Network, at: usize, to: usize) -> u32 {
    let to = net.id(to);
    net.connection_to(at, &to).expect("a connection")
}
