//! Members that are not riders.

use mesh::node::{Input, NodeEvent};
use protocol::peer::{DeliveryClass, LinkState, MemberRole};
use rooms::room::RoomSettings;

use crate::network::{Network, ms};

/// Network of some riders, and then some spectators, that have had two seconds to connect.
fn with_spectators(seed: u64, riders: usize, spectators: usize) -> Network {
    let mut net = Network::with_riders(seed, riders);
    for _ in 0..spectators {
        net.join_as(MemberRole::Spectator);
        net.run(100);
    }
    net.run(2_000);
    net
}

#[test]
fn roles_are_known_to_all_members() {
    let net = with_spectators(850, 2, 1);
    assert_eq!(net.riders[2].node.me().unwrap().role, MemberRole::Spectator);
    let spectator = net.id(2);
    for at in [0, 1] {
        let mut members = net.riders[at].node.members();
        let role = members.find(|member| member.peer == spectator);
        assert_eq!(role.unwrap().role, MemberRole::Spectator);
    }
}

#[test]
fn a_spectator_sends_and_receives_over_the_relay() {
    let mut net = with_spectators(851, 3, 1);
    for rider in 0..3 {
        assert_eq!(net.link(rider, 3), Some(LinkState::Relayed));
        assert_eq!(net.link(3, rider), Some(LinkState::Relayed));
    }
    assert_eq!(net.link(0, 2), Some(LinkState::Direct));
    assert_eq!(net.riders[3].node.stats().connection_attempts, 0);
    net.broadcast(0, DeliveryClass::Telemetry, b"210 W");
    net.broadcast(3, DeliveryClass::Control, b"allez");
    net.run(200);
    assert_eq!(net.received(3, 0, DeliveryClass::Telemetry), [b"210 W"]);
    assert_eq!(net.received(2, 3, DeliveryClass::Control), [b"allez"]);
    assert!((net.group_time(3).unwrap() - net.group_time(0).unwrap()).abs() < 5_000);
}

#[test]
fn spectators_take_no_place_among_the_direct_links() {
    let settings = RoomSettings {
        max_direct: 3,
        ..RoomSettings::default()
    };
    let mut net = Network::with_settings(852, settings);
    let (rider, spectator) = (MemberRole::Rider, MemberRole::Spectator);
    for role in [rider, spectator, rider, spectator, rider, rider] {
        net.join_as(role);
        net.run(100);
    }
    net.run(3_000);
    for (a, b) in [(0, 2), (0, 4), (2, 4)] {
        assert_eq!(net.link(a, b), Some(LinkState::Direct));
    }
    assert_eq!(net.link(0, 5), Some(LinkState::Relayed), "the fourth rider");
}

#[test]
fn riders_elect_a_host_however_many_spectators_there_are() {
    let mut net = with_spectators(853, 3, 5);
    net.kill_server();
    net.run(1_000);
    net.crash(0);
    let second = net.id(1);
    let took = net.run_until("a new host", |net| {
        [1, 2]
            .iter()
            .all(|at| net.riders[*at].node.host() == Some(&second))
    });
    assert!(took <= ms(5_000), "{took:?}");
    net.start_server();
    net.run(10_000);
    for spectator in 3..8 {
        let node = &net.riders[spectator].node;
        assert_eq!((node.host(), node.epoch()), (Some(&second), 2));
        assert!(!node.is_host());
    }
}

#[test]
fn the_last_rider_keeps_the_hosts_controls_without_the_server() {
    let mut net = with_spectators(854, 1, 4);
    net.kill_server();
    net.run(5_000);
    assert!(!net.riders[0].node.host_controls_suspended());
    let suspended = |event: &NodeEvent| *event == NodeEvent::HostControlsSuspended(true);
    assert_eq!(net.count_events(0, suspended), 0);
    assert_eq!(net.count_events(1, suspended), 1, "a spectator is informed");
}

#[test]
fn a_spectator_does_not_succeed_a_host_that_leaves() {
    let mut net = with_spectators(855, 1, 1);
    net.join();
    net.run(2_000);
    net.feed(0, Input::Leave);
    net.run(500);
    assert!(net.riders[2].node.is_host());
    assert!(!net.riders[1].node.is_host());
    assert_eq!(net.riders[1].node.host(), Some(&net.id(2)));
}

#[test]
fn a_spectator_that_reloads_keeps_its_role() {
    let mut net = with_spectators(856, 2, 1);
    net.reload(2);
    net.run(3_000);
    let me = net.riders[2].node.me().unwrap();
    assert_eq!((me.role, me.incarnation.0), (MemberRole::Spectator, 2));
    assert_eq!(net.link(0, 2), Some(LinkState::Relayed));
}
