//! The host vanishes, comes back, hands over, and decides who rides along.

use mesh::node::{Input, NodeEvent};
use protocol::signaling::HostCommand;
use protocol::{
    peer::LinkState,
    signaling::{ErrorCode, LeftReason},
};

use crate::net::{Net, ms};

fn wish(net: &mut Net, at: usize, wish: HostCommand) {
    net.feed(at, Input::Command(wish));
    net.run(200);
}

fn heard(net: &Net, at: usize, wanted: impl Fn(&NodeEvent) -> bool) -> usize {
    let events = net.riders[at].events.iter();
    events.filter(|event| wanted(event)).count()
}

fn hosts(net: &Net) -> Vec<usize> {
    let is_host = |at: &usize| net.riders[*at].node.is_host();
    (0..net.riders.len()).filter(is_host).collect()
}

/// The rider is out of the network, and so are its links.
fn vanish(net: &mut Net, rider: usize) {
    net.riders[rider].online = false;
    net.drop_socket(rider);
    for other in 0..net.riders.len() {
        net.cut(rider, other, true);
    }
}

fn return_again(net: &mut Net, rider: usize) {
    net.riders[rider].online = true;
    for other in 0..net.riders.len() {
        net.cut(rider, other, false);
    }
}

#[test]
fn a_host_who_vanishes_is_succeeded_within_five_seconds() {
    for seed in 0..10 {
        let mut net = Net::riding(200 + seed, 4);
        vanish(&mut net, 0);
        let ben = net.id(1);
        let took = net.run_until("a new host", |net| {
            (1..4).all(|at| net.riders[at].node.host() == Some(&ben))
        });
        assert!(took <= ms(5_000), "seed {seed}: {took:?}");
        assert!(net.riders[1].node.is_host());
        assert!((2..4).all(|at| net.riders[at].node.epoch() == 2));
    }
}

#[test]
fn a_host_whose_cable_is_pulled_is_succeeded_within_five_seconds() {
    for seed in 0..10 {
        let mut net = Net::riding(220 + seed, 4);
        net.run(100 * seed);
        net.riders[0].online = false;
        net.riders[0].mute = true;
        (1..4).for_each(|other| net.cut(0, other, true));
        let ben = net.id(1);
        let took = net.run_until("a new host", |net| {
            (1..4).all(|at| net.riders[at].node.host() == Some(&ben))
        });
        assert!(took <= ms(5_000), "seed {seed}: {took:?}");
    }
}

#[test]
fn a_host_whose_tab_is_closed_is_succeeded_within_five_seconds() {
    let mut net = Net::riding(211, 3);
    let ben = net.id(1);
    net.crash(0);
    let took = net.run_until("a new host", |net| net.riders[2].node.host() == Some(&ben));
    assert!(took <= ms(5_000), "{took:?}");
}

#[test]
fn a_host_who_lost_only_its_socket_stays_host() {
    let mut net = Net::riding(212, 3);
    net.riders[0].online = false;
    net.drop_socket(0);
    net.run(20_000);
    assert_eq!(net.link(1, 0), Some(LinkState::Direct));
    assert_eq!(hosts(&net), [0]);
    assert_eq!(net.riders[2].node.epoch(), 1);
}

#[test]
fn the_first_host_takes_the_ride_back() {
    let mut net = Net::riding(213, 3);
    vanish(&mut net, 0);
    net.run(6_000);
    assert!(net.riders[1].node.is_host());
    return_again(&mut net, 0);
    net.run(6_000);
    assert_eq!(
        heard(&net, 0, |event| *event == NodeEvent::ReclaimAvailable),
        1
    );
    assert!(net.riders[0].node.may_reclaim());
    assert_eq!(hosts(&net), [1], "it is asked, not taken");
    wish(&mut net, 0, HostCommand::Reclaim);
    assert_eq!(hosts(&net), [0]);
    assert!((0..3).all(|at| net.riders[at].node.epoch() == 3));
    assert!(!net.riders[0].node.may_reclaim());
}

#[test]
fn a_first_host_who_reloads_after_the_grace_is_asked_too() {
    let mut net = Net::riding(214, 3);
    let token = net.resume(0);
    net.crash(0);
    net.run(60_000);
    let back = net.join_with(true, token);
    net.run(2_000);
    assert_eq!(
        heard(&net, back, |event| *event == NodeEvent::ReclaimAvailable),
        1
    );
    wish(&mut net, back, HostCommand::Reclaim);
    assert!(!net.riders[1].node.is_host());
    assert!(net.riders[back].node.is_host());
}

#[test]
fn a_ride_that_was_handed_over_cannot_be_taken_back() {
    let mut net = Net::riding(215, 3);
    let cleo = net.id(2);
    wish(&mut net, 0, HostCommand::HandOver { to: cleo.clone() });
    assert_eq!(hosts(&net), [2]);
    assert_eq!(net.riders[1].node.host(), Some(&cleo));
    assert!(!net.riders[0].node.may_reclaim());
    wish(&mut net, 0, HostCommand::Reclaim);
    let code = ErrorCode::NotFirstHost;
    let denied = |event: &NodeEvent| matches!(event, NodeEvent::CommandRefused { code: c, .. } if *c == code);
    assert_eq!(heard(&net, 0, denied), 1);
    assert_eq!(hosts(&net), [2]);
}

#[test]
fn whoever_is_not_host_is_told_so_and_nothing_happens() {
    let mut net = Net::riding(216, 3);
    let (peer, reason) = (net.id(0), "No reason.".to_owned());
    wish(&mut net, 1, HostCommand::Kick { peer, reason });
    wish(&mut net, 1, HostCommand::End);
    let code = ErrorCode::NotHost;
    let denied = |event: &NodeEvent| matches!(event, NodeEvent::CommandRefused { code: c, .. } if *c == code);
    assert_eq!(heard(&net, 1, denied), 2);
    assert!(net.all_links(LinkState::Direct));
}

#[test]
fn a_kicked_rider_is_told_why_and_the_others_see_it_gone() {
    let mut net = Net::riding(217, 3);
    let cleo = net.id(2);
    // Longer than allowed, and not cut inside a letter.
    let reason = format!("{}ä", "x".repeat(239));
    let peer = cleo.clone();
    wish(&mut net, 0, HostCommand::Kick { peer, reason });
    let told =
        |event: &NodeEvent| matches!(event, NodeEvent::Kicked { reason } if reason.len() == 239);
    assert_eq!(heard(&net, 2, told), 1);
    assert_eq!(net.riders[2].node.poll_timeout(), None);
    let left = NodeEvent::Left {
        peer: cleo,
        reason: LeftReason::Kicked,
    };
    for at in [0, 1] {
        assert_eq!(heard(&net, at, |event| *event == left), 1);
    }
}

#[test]
fn a_kicked_rider_does_not_get_in_again_with_the_same_token() {
    let mut net = Net::riding(218, 3);
    let token = net.resume(2);
    let (peer, reason) = (net.id(2), "Bye.".to_owned());
    wish(&mut net, 0, HostCommand::Kick { peer, reason });
    let back = net.join_with(true, token);
    net.run(2_000);
    let told =
        |event: &NodeEvent| matches!(event, NodeEvent::Kicked { reason } if reason == "Bye.");
    assert_eq!(heard(&net, back, told), 1);
    assert_eq!(net.riders[0].node.members().count(), 1);
}

#[test]
fn a_locked_ride_lets_its_riders_back_in_and_nobody_else() {
    let mut net = Net::riding(219, 3);
    wish(&mut net, 0, HostCommand::Lock);
    assert!(net.riders[2].node.is_locked());
    net.reload(1);
    let stranger = net.join();
    net.run(3_000);
    assert_eq!(net.link(0, 1), Some(LinkState::Direct));
    assert_eq!(
        heard(&net, 1, |event| *event == NodeEvent::LockChanged(true)),
        1
    );
    let code = ErrorCode::RideLocked;
    let refused =
        |event: &NodeEvent| matches!(event, NodeEvent::JoinRefused { code: c, .. } if *c == code);
    assert_eq!(heard(&net, stranger, refused), 1);
    wish(&mut net, 0, HostCommand::Unlock);
    let friend = net.join();
    net.run(2_000);
    assert_eq!(net.link(0, friend), Some(LinkState::Direct));
}

#[test]
fn a_ride_that_is_ended_is_over_for_everybody() {
    let mut net = Net::riding(220, 3);
    wish(&mut net, 0, HostCommand::End);
    for at in 0..3 {
        assert_eq!(heard(&net, at, |event| *event == NodeEvent::RideEnded), 1);
        assert_eq!(net.riders[at].node.poll_timeout(), None);
    }
}

#[test]
fn links_are_told_to_the_server_as_they_change_and_no_more() {
    let mut net = Net::riding(221, 3);
    assert_eq!(net.links(LinkState::Direct), 6);
    net.run(5_000);
    let reports = net.reports.len();
    assert!(reports <= 9, "{reports}");
    let attempts: u32 = net.reports.iter().map(|(_, one)| one.attempts).sum();
    let successes: u32 = net.reports.iter().map(|(_, one)| one.successes).sum();
    assert_eq!((attempts, successes), (6, 6));
    let links = net.reports.iter().flat_map(|(_, one)| &one.links);
    let took: Vec<_> = links.filter_map(|link| link.connect_ms).collect();
    assert_eq!(took.len(), 3, "those who called");
    assert!(
        took.iter().all(|took| (50..1_500).contains(took)),
        "{took:?}"
    );
    net.cut(0, 1, true);
    net.run(5_000);
    assert_eq!(net.links(LinkState::Direct), 4);
    assert_eq!(net.links(LinkState::Relayed), 2);
    let fallbacks: u32 = net.reports.iter().map(|(_, one)| one.fallbacks).sum();
    assert_eq!(fallbacks, 2);
}
