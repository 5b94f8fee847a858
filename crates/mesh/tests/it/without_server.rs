//! The server is gone, and the ride goes on: who decides then, and what comes of
//! it when the server is back.

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

use crate::net::{Net, ms};

/// Nobody can reach the server, which lives on.
fn take_server_away(net: &mut Net, from: &[usize]) {
    for rider in from {
        net.riders[*rider].online = false;
        net.drop_socket(*rider);
    }
}

fn give_server_back(net: &mut Net) {
    net.start_server();
    for rider in 0..net.riders.len() {
        net.riders[rider].online = true;
        net.feed(rider, Input::ProbeSocket);
    }
}

/// No path between these and those.
fn split(net: &mut Net, these: &[usize], cut: bool) {
    for a in 0..net.riders.len() {
        for b in 0..a {
            if these.contains(&a) != these.contains(&b) {
                net.cut(a, b, cut);
            }
        }
    }
}

fn hosts(net: &Net) -> Vec<usize> {
    let is_host = |at: &usize| net.riders[*at].node.is_host();
    (0..net.riders.len()).filter(is_host).collect()
}

fn waits(net: &Net, at: usize) -> bool {
    let told = net.riders[at].events.iter().rev();
    let mut told = told.filter_map(|event| match event {
        NodeEvent::HostControlsSuspended(waiting) => Some(*waiting),
        _ => None,
    });
    let waiting = told.next().unwrap_or(false);
    assert_eq!(waiting, net.riders[at].node.host_controls_suspended());
    waiting
}

fn follow(net: &Net, riders: &[usize], host: usize) -> bool {
    let id = net.id(host);
    let mut riders = riders.iter();
    riders.all(|at| net.riders[*at].node.host() == Some(&id))
}

fn agreed(net: &Net) -> bool {
    let term = |at: usize| net.riders[at].node.host_terms().last().cloned();
    (1..net.riders.len()).all(|at| term(at) == term(0))
}

#[test]
fn the_ride_goes_on_under_its_host_when_the_server_is_gone_for_good() {
    let mut net = Net::riding(400, 4);
    net.kill_server();
    for second in 0..30u8 {
        net.broadcast(0, DeliveryClass::Control, &[second]);
        net.run(1_000);
    }
    assert_eq!(hosts(&net), [0]);
    for at in 1..4 {
        assert_eq!(net.received(at, 0, DeliveryClass::Control).len(), 30);
        assert!(!waits(&net, at));
    }
    assert!(!waits(&net, 0));
}

#[test]
fn a_host_who_vanishes_while_the_server_is_gone_is_succeeded_within_five_seconds() {
    for riders in [3, 5, 8, 12] {
        let mut net = Net::riding(410 + riders as u64, riders);
        net.kill_server();
        net.run(10_000);
        split(&mut net, &[0], true);
        let others: Vec<_> = (1..riders).collect();
        let took = net.run_until("a new host", |net| follow(net, &others, 1));
        assert!(took <= ms(5_000), "{riders} riders: {took:?}");
        assert_eq!(net.riders[1].node.epoch(), 2);
        assert!(waits(&net, 0), "{riders} riders: the old host waits");
        assert!(others.iter().all(|at| !waits(&net, *at)));
    }
}

#[test]
fn host_and_server_lost_at_once_are_no_trouble_either() {
    for seed in 0..5 {
        let mut net = Net::riding(430 + seed, 4);
        net.kill_server();
        net.crash(0);
        let took = net.run_until("a new host", |net| follow(net, &[1, 2, 3], 1));
        assert!(took <= ms(5_000), "seed {seed}: {took:?}");
    }
}

#[test]
fn a_server_that_dies_without_a_word_together_with_the_host_is_no_trouble_either() {
    let mut net = Net::riding(435, 4);
    net.run(3_000);
    (1..4).for_each(|at| net.riders[at].mute = true);
    net.riders.iter_mut().for_each(|one| one.online = false);
    net.crash(0);
    let took = net.run_until("a new host", |net| follow(net, &[1, 2, 3], 1));
    assert!(took <= ms(5_000), "{took:?}");
}

#[test]
fn one_host_after_the_other_is_succeeded() {
    let mut net = Net::riding(440, 5);
    net.kill_server();
    net.crash(0);
    net.run(5_000);
    split(&mut net, &[1], true);
    net.run(5_000);
    assert!(follow(&net, &[2, 3, 4], 2));
    assert_eq!(net.riders[4].node.epoch(), 3);
    net.crash(2);
    net.run(5_000);
    // Two of five are no majority.
    assert!(follow(&net, &[3, 4], 2));
    assert!(waits(&net, 3) && waits(&net, 4));
}

#[test]
fn the_longest_present_who_cannot_be_host_does_not_keep_the_others_waiting() {
    let mut net = Net::riding(441, 5);
    net.kill_server();
    // Ben reaches Cleo alone.
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
fn in_a_minority_the_hosts_controls_wait_and_work_again_after() {
    let mut net = Net::riding(450, 5);
    net.kill_server();
    net.run(2_000);
    split(&mut net, &[0, 1], true);
    net.run(3_000);
    assert!(waits(&net, 0), "the old host's too");
    assert!(waits(&net, 1));
    net.run(2_500);
    assert!(follow(&net, &[2, 3, 4], 2));
    assert!((2..5).all(|at| !waits(&net, at)));
    give_server_back(&mut net);
    net.run_until("no wait", |net| (0..5).all(|at| !waits(net, at)));
}

#[test]
fn a_host_alone_with_one_other_keeps_its_controls() {
    let mut net = Net::riding(451, 2);
    net.kill_server();
    net.crash(1);
    net.run(10_000);
    assert!(!waits(&net, 0), "nobody else can be host");
    let mut net = Net::riding(452, 2);
    net.kill_server();
    net.crash(0);
    net.run(10_000);
    assert!(waits(&net, 1), "the host may be riding somewhere");
}

#[test]
fn a_socket_that_is_back_at_once_makes_nobody_wait() {
    let mut net = Net::new(453);
    (0..3).for_each(|_| _ = net.join_with(false, None));
    net.run(2_000);
    net.drop_socket(0);
    net.run(3_000);
    let told = |event: &NodeEvent| matches!(event, NodeEvent::HostControlsSuspended(_));
    assert!(!net.riders[0].events.iter().any(told));
}

#[test]
fn a_partition_heals_to_one_host_without_the_server_and_nobodys_time_runs_back() {
    for seed in 0..5 {
        let mut net = Net::riding(460 + seed, 5);
        net.kill_server();
        net.run(2_000);
        split(&mut net, &[0, 1], true);
        net.run(8_000);
        assert_eq!(hosts(&net), [0, 2], "one of them waits");
        let times = |net: &Net| (0..5).map(|at| net.group_time(at).unwrap()).collect();
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
        assert!(agreed(&net), "seed {seed}");
        assert_eq!(hosts(&net), [2]);
    }
}

#[test]
fn the_server_confirms_whom_the_riders_named_when_it_has_lost_its_memory() {
    for seed in 0..8 {
        let mut net = Net::riding(470 + seed, 5);
        net.kill_server();
        net.crash(0);
        net.run(6_000);
        assert!(follow(&net, &[1, 2, 3, 4], 1));
        give_server_back(&mut net);
        net.run(10_000);
        assert!(follow(&net, &[1, 2, 3, 4], 1), "seed {seed}");
        assert_eq!(net.riders[3].node.epoch(), 2, "seed {seed}");
    }
}

#[test]
fn the_server_that_only_the_old_host_reached_is_shown_the_votes() {
    let mut net = Net::riding(480, 5);
    take_server_away(&mut net, &[1, 2, 3, 4]);
    split(&mut net, &[0], true);
    net.run(8_000);
    assert_eq!(hosts(&net), [0, 1]);
    give_server_back(&mut net);
    split(&mut net, &[0], false);
    net.run(8_000);
    assert!(agreed(&net));
    assert_eq!((hosts(&net), net.riders[0].node.epoch()), (vec![1], 2));
    assert!(net.riders[0].node.may_reclaim());
    net.feed(0, Input::Command(HostCommand::Reclaim));
    net.run(500);
    assert_eq!((hosts(&net), net.riders[4].node.epoch()), (vec![0], 3));
}

#[test]
fn the_server_and_the_riders_who_named_two_hosts_end_with_one() {
    for seed in 0..5 {
        let mut net = Net::riding(490 + seed, 6);
        // The server sees Cleo alone, the others see each other.
        take_server_away(&mut net, &[0, 1, 3, 4, 5]);
        split(&mut net, &[0], true);
        split(&mut net, &[2], true);
        net.run(9_000);
        assert!(net.riders[2].node.is_host(), "by the server");
        assert!(follow(&net, &[3, 4, 5], 1), "by votes");
        give_server_back(&mut net);
        split(&mut net, &[0, 2], false);
        net.cut(0, 2, false);
        net.run(10_000);
        assert!(agreed(&net), "seed {seed}");
        assert_eq!(hosts(&net).len(), 1, "seed {seed}");
        assert_eq!(net.riders[0].node.epoch(), 3, "seed {seed}");
    }
}

#[test]
fn nobody_is_named_host_while_the_server_can_be_reached() {
    let mut net = Net::riding(500, 4);
    take_server_away(&mut net, &[1]);
    split(&mut net, &[0], true);
    net.run(20_000);
    // The host, whom the server sees, is not heard by anybody directly.
    assert!(follow(&net, &[1, 2, 3], 0));
    assert_eq!(net.riders[1].node.epoch(), 1);
}

#[test]
fn a_new_host_whose_name_the_server_did_not_tell_everybody_is_voted_for() {
    let mut net = Net::riding(501, 4);
    // Dora's socket is lost before Ben is host, the server right after.
    take_server_away(&mut net, &[3]);
    net.feed(0, Input::Leave);
    net.run(300);
    assert!(follow(&net, &[1, 2], 1));
    assert!(!follow(&net, &[3], 1));
    net.kill_server();
    net.run_until("known", |net| follow(net, &[1, 2, 3], 1));
}

/// What a rider's connections to another are numbered on the other's side.
fn connection(net: &Net, at: usize, to: usize) -> u32 {
    let to = net.id(to);
    net.connection(at, &to).expect("a connection")
}
