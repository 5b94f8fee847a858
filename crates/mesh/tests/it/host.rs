//! Changes of host, and commands of the host.

use mesh::node::{Input, NodeEvent};
use protocol::signaling::HostCommand;
use protocol::{
    peer::LinkState,
    signaling::{ErrorCode, LeftReason},
};

use crate::network::{Network, ms};

fn command(net: &mut Network, at: usize, command: HostCommand) {
    net.feed(at, Input::Command(command));
    net.run(200);
}

fn hosts(net: &Network) -> Vec<usize> {
    let is_host = |at: &usize| net.riders[*at].node.is_host();
    (0..net.riders.len()).filter(is_host).collect()
}

/// Disconnects a rider from the server and from the other riders.
fn disconnect(net: &mut Network, rider: usize) {
    net.riders[rider].is_online = false;
    net.drop_socket(rider);
    for other in 0..net.riders.len() {
        net.cut(rider, other, true);
    }
}

fn reconnect(net: &mut Network, rider: usize) {
    net.riders[rider].is_online = true;
    for other in 0..net.riders.len() {
        net.cut(rider, other, false);
    }
}

#[test]
fn a_host_that_is_disconnected_is_succeeded_within_five_seconds() {
    for seed in 0..10 {
        let mut net = Network::with_riders(200 + seed, 4);
        disconnect(&mut net, 0);
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
fn a_host_that_is_disconnected_without_notice_is_succeeded_within_five_seconds() {
    for seed in 0..10 {
        let mut net = Network::with_riders(220 + seed, 4);
        net.run(100 * seed);
        net.riders[0].is_online = false;
        net.riders[0].is_socket_dead = true;
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
    let mut net = Network::with_riders(211, 3);
    let ben = net.id(1);
    net.crash(0);
    let took = net.run_until("a new host", |net| net.riders[2].node.host() == Some(&ben));
    assert!(took <= ms(5_000), "{took:?}");
}

#[test]
fn a_host_that_lost_only_its_socket_stays_host() {
    let mut net = Network::with_riders(212, 3);
    net.riders[0].is_online = false;
    net.drop_socket(0);
    net.run(20_000);
    assert_eq!(net.link(1, 0), Some(LinkState::Direct));
    assert_eq!(hosts(&net), [0]);
    assert_eq!(net.riders[2].node.epoch(), 1);
}

#[test]
fn the_first_host_can_reclaim_the_role() {
    let mut net = Network::with_riders(213, 3);
    disconnect(&mut net, 0);
    net.run(6_000);
    assert!(net.riders[1].node.is_host());
    reconnect(&mut net, 0);
    net.run(6_000);
    assert_eq!(
        net.count_events(0, |event| *event == NodeEvent::ReclaimAvailable),
        1
    );
    assert!(net.riders[0].node.may_reclaim());
    assert_eq!(hosts(&net), [1], "the role does not change by itself");
    command(&mut net, 0, HostCommand::Reclaim);
    assert_eq!(hosts(&net), [0]);
    assert!((0..3).all(|at| net.riders[at].node.epoch() == 3));
    assert!(!net.riders[0].node.may_reclaim());
}

#[test]
fn a_first_host_that_reloads_after_the_grace_period_can_reclaim_the_role() {
    let mut net = Network::with_riders(214, 3);
    let token = net.resume(0);
    net.crash(0);
    net.run(60_000);
    let back = net.open_again(0, token);
    net.run(2_000);
    assert_eq!(
        net.count_events(back, |event| *event == NodeEvent::ReclaimAvailable),
        1
    );
    command(&mut net, back, HostCommand::Reclaim);
    assert!(!net.riders[1].node.is_host());
    assert!(net.riders[back].node.is_host());
}

#[test]
fn a_role_that_was_handed_over_cannot_be_reclaimed() {
    let mut net = Network::with_riders(215, 3);
    let cleo = net.id(2);
    command(&mut net, 0, HostCommand::HandOver { to: cleo.clone() });
    assert_eq!(hosts(&net), [2]);
    assert_eq!(net.riders[1].node.host(), Some(&cleo));
    assert!(!net.riders[0].node.may_reclaim());
    command(&mut net, 0, HostCommand::Reclaim);
    let code = ErrorCode::NotFirstHost;
    let is_refused = |event: &NodeEvent| matches!(event, NodeEvent::CommandRefused { code: c, .. } if *c == code);
    assert_eq!(net.count_events(0, is_refused), 1);
    assert_eq!(hosts(&net), [2]);
}

#[test]
fn commands_of_a_rider_that_is_not_host_are_refused() {
    let mut net = Network::with_riders(216, 3);
    let (peer, reason) = (net.id(0), "No reason.".to_owned());
    command(&mut net, 1, HostCommand::Kick { peer, reason });
    command(&mut net, 1, HostCommand::End);
    let code = ErrorCode::NotHost;
    let is_refused = |event: &NodeEvent| matches!(event, NodeEvent::CommandRefused { code: c, .. } if *c == code);
    assert_eq!(net.count_events(1, is_refused), 2);
    assert!(net.all_links(LinkState::Direct));
}

#[test]
fn a_kicked_rider_is_told_the_reason_and_leaves_the_list_of_the_others() {
    let mut net = Network::with_riders(217, 3);
    let cleo = net.id(2);
    // One byte over the limit, which is inside of the last character.
    let reason = format!("{}ä", "x".repeat(239));
    let peer = cleo.clone();
    command(&mut net, 0, HostCommand::Kick { peer, reason });
    let is_kicked =
        |event: &NodeEvent| matches!(event, NodeEvent::Kicked { reason } if reason.len() == 239);
    assert_eq!(net.count_events(2, is_kicked), 1);
    assert_eq!(net.riders[2].node.poll_timeout(), None);
    let left = NodeEvent::Left {
        peer: cleo,
        reason: LeftReason::Kicked,
    };
    for at in [0, 1] {
        assert_eq!(net.count_events(at, |event| *event == left), 1);
    }
}

#[test]
fn a_kicked_rider_is_refused_with_the_same_token() {
    let mut net = Network::with_riders(218, 3);
    let token = net.resume(2);
    let (peer, reason) = (net.id(2), "Bye.".to_owned());
    command(&mut net, 0, HostCommand::Kick { peer, reason });
    let back = net.open_again(2, token);
    net.run(2_000);
    let is_kicked =
        |event: &NodeEvent| matches!(event, NodeEvent::Kicked { reason } if reason == "Bye.");
    assert_eq!(net.count_events(back, is_kicked), 1);
    assert_eq!(net.riders[0].node.members().count(), 1);
}

#[test]
fn a_locked_ride_admits_its_own_riders_only() {
    let mut net = Network::with_riders(219, 3);
    command(&mut net, 0, HostCommand::Lock);
    assert!(net.riders[2].node.is_locked());
    net.reload(1);
    let stranger = net.join();
    net.run(3_000);
    assert_eq!(net.link(0, 1), Some(LinkState::Direct));
    assert_eq!(
        net.count_events(1, |event| *event == NodeEvent::LockChanged(true)),
        1
    );
    let code = ErrorCode::RideLocked;
    let refused =
        |event: &NodeEvent| matches!(event, NodeEvent::JoinRefused { code: c, .. } if *c == code);
    assert_eq!(net.count_events(stranger, refused), 1);
    command(&mut net, 0, HostCommand::Unlock);
    let friend = net.join();
    net.run(2_000);
    assert_eq!(net.link(0, friend), Some(LinkState::Direct));
}

#[test]
fn a_ride_that_the_host_ends_is_over_for_everyone() {
    let mut net = Network::with_riders(220, 3);
    command(&mut net, 0, HostCommand::End);
    for at in 0..3 {
        assert_eq!(
            net.count_events(at, |event| *event == NodeEvent::RideEnded),
            1
        );
        assert_eq!(net.riders[at].node.poll_timeout(), None);
    }
}

#[test]
fn links_are_reported_to_the_server_when_they_change() {
    let mut net = Network::with_riders(221, 3);
    assert_eq!(net.reported_links(LinkState::Direct), 6);
    net.run(5_000);
    let reports = net.reports.len();
    assert!(reports <= 9, "{reports}");
    let attempts: u32 = net.reports.iter().map(|(_, one)| one.attempts).sum();
    let successes: u32 = net.reports.iter().map(|(_, one)| one.successes).sum();
    assert_eq!((attempts, successes), (6, 6));
    let links = net.reports.iter().flat_map(|(_, one)| &one.links);
    let took: Vec<_> = links.filter_map(|link| link.connect_ms).collect();
    assert_eq!(took.len(), 3, "by the side that started the attempt");
    assert!(
        took.iter().all(|took| (50..1_500).contains(took)),
        "{took:?}"
    );
    net.cut(0, 1, true);
    net.run(5_000);
    assert_eq!(net.reported_links(LinkState::Direct), 4);
    assert_eq!(net.reported_links(LinkState::Relayed), 2);
    let fallbacks: u32 = net.reports.iter().map(|(_, one)| one.fallbacks).sum();
    assert_eq!(fallbacks, 2);
}
