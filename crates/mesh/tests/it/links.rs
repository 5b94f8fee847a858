//! Paths of a link: relayed at once, direct when possible, and relayed again when necessary.

use mesh::node::{Input, NodeEvent};
use protocol::peer::{DeliveryClass, LinkState};
use rooms::room::RoomSettings;

use crate::network::{Network, PathConditions, ms};

#[test]
fn a_newcomer_is_relayed_at_once_and_direct_within_two_seconds() {
    let mut net = Network::with_riders(1, 3);
    let dan = net.join();
    let welcomed = net.run_until("welcomed", |net| net.riders[dan].node.me().is_some());
    assert!(welcomed <= ms(100), "{welcomed:?}");
    for other in 0..3 {
        assert_eq!(net.link(dan, other), Some(LinkState::Relayed));
    }
    net.broadcast(dan, DeliveryClass::Telemetry, b"200 W");
    let numbers = net.run_until("numbers", |net| {
        (0..3).all(|at| !net.received(at, dan, DeliveryClass::Telemetry).is_empty())
    });
    assert!(numbers <= ms(100), "{numbers:?}");
    let direct = net.run_until("direct", |net| net.all_links(LinkState::Direct));
    assert!(direct <= ms(2_000), "{direct:?}");
}

#[test]
fn nothing_is_relayed_while_all_links_are_direct() {
    let mut net = Network::with_riders(2, 4);
    assert!(net.all_links(LinkState::Direct));
    net.run(500);
    let relayed = net.relayed;
    for reading in 0..10u8 {
        net.broadcast(0, DeliveryClass::Telemetry, &[reading]);
        net.broadcast(0, DeliveryClass::Control, &[reading]);
        net.run(1_000);
    }
    assert_eq!(net.received(3, 0, DeliveryClass::Telemetry).len(), 10);
    assert_eq!(net.relayed, relayed);
}

#[test]
fn without_peer_connections_everything_is_relayed() {
    let mut net = Network::new(3);
    for _ in 0..3 {
        net.join_with(false, None);
    }
    net.run(5_000);
    assert!(net.all_links(LinkState::Relayed));
    net.broadcast(0, DeliveryClass::Control, b"hello");
    net.broadcast(0, DeliveryClass::Telemetry, b"200 W");
    net.run(200);
    assert_eq!(net.received(2, 0, DeliveryClass::Control), [b"hello"]);
    assert_eq!(net.received(1, 0, DeliveryClass::Telemetry), [b"200 W"]);
    assert_eq!(net.signals, 0);
}

#[test]
fn no_connections_are_attempted_to_a_browser_without_peer_connections() {
    let mut net = Network::with_riders(4, 2);
    let old = net.join_with(false, None);
    net.run(120_000);
    assert_eq!(net.link(0, 1), Some(LinkState::Direct));
    assert_eq!(net.link(old, 0), Some(LinkState::Relayed));
    assert_eq!(net.riders[old].node.stats().connection_attempts, 0);
    assert!(net.riders[0].node.stats().connection_attempts <= 2);
}

#[test]
fn a_server_without_direct_links_gets_none() {
    let mut net = Network::with_settings(
        5,
        RoomSettings {
            p2p: false,
            ..RoomSettings::default()
        },
    );
    (0..3).for_each(|_| _ = net.join());
    net.run(5_000);
    assert!(net.all_links(LinkState::Relayed));
    assert_eq!(net.signals, 0);
}

#[test]
fn only_the_first_riders_have_direct_links_and_the_next_one_moves_up() {
    let mut net = Network::with_settings(
        6,
        RoomSettings {
            max_direct: 2,
            ..RoomSettings::default()
        },
    );
    for _ in 0..3 {
        net.join();
        net.run(100);
    }
    net.run(3_000);
    assert_eq!(net.link(0, 1), Some(LinkState::Direct));
    assert_eq!(net.link(2, 0), Some(LinkState::Relayed));
    assert_eq!(net.link(2, 1), Some(LinkState::Relayed));
    net.feed(0, Input::Leave);
    net.run(3_000);
    assert_eq!(net.link(2, 1), Some(LinkState::Direct));
}

#[test]
fn a_silent_data_channel_is_replaced_by_the_relay_until_it_is_heard_again() {
    let mut net = Network::with_riders(7, 3);
    net.cut(0, 1, true);
    let left = net.run_until("relayed", |net| {
        net.link(0, 1) == Some(LinkState::Relayed) && net.link(1, 0) == Some(LinkState::Relayed)
    });
    assert!(left <= ms(2_000), "{left:?}");
    assert_eq!(net.link(0, 2), Some(LinkState::Direct));
    net.cut(0, 1, false);
    let back = net.run_until("direct", |net| net.all_links(LinkState::Direct));
    assert!(back <= ms(3_000), "{back:?}");
    assert_eq!(
        net.riders[0].node.stats().connection_attempts,
        2,
        "the same connection is used again"
    );
}

#[test]
fn a_path_that_is_cut_in_one_direction_is_left_by_both_sides() {
    let mut net = Network::with_riders(8, 2);
    net.cut_one_way(0, 1, true);
    let left = net.run_until("relayed", |net| net.all_links(LinkState::Relayed));
    assert!(left <= ms(2_200), "{left:?}");
}

#[test]
fn a_lost_connection_is_replaced_by_a_new_one() {
    let mut net = Network::with_riders(9, 2);
    net.cut(0, 1, true);
    net.run(15_000);
    assert!(net.all_links(LinkState::Relayed));
    net.cut(0, 1, false);
    let back = net.run_until("direct", |net| net.all_links(LinkState::Direct));
    assert!(back <= ms(15_000), "{back:?}");
    assert!(net.riders[1].node.stats().connection_attempts >= 2);
}

#[test]
fn two_ice_restarts_at_once_end_in_one_direct_link() {
    let mut net = Network::with_riders(10, 2);
    let signals = net.signals;
    net.cut(0, 1, true);
    net.run(3_300);
    net.cut(0, 1, false);
    assert!(net.signals >= signals + 2, "both sent an offer");
    net.run(3_000);
    assert!(net.all_links(LinkState::Direct));
    assert_eq!(net.riders[0].node.stats().connection_attempts, 1);
}

#[test]
fn links_become_direct_over_a_slow_and_lossy_network() {
    for seed in 0..10 {
        let mut net = Network::new(seed);
        let bad = PathConditions {
            delay: ms(80),
            jitter: ms(120),
            loss: 100,
        };
        (net.relay, net.direct) = (bad, bad);
        (0..4).for_each(|_| _ = net.join());
        net.run_until("direct", |net| net.all_links(LinkState::Direct));
    }
}

#[test]
fn the_loss_of_the_own_socket_leaves_direct_links_as_they_are() {
    let mut net = Network::with_riders(11, 3);
    net.riders[0].is_online = false;
    net.drop_socket(0);
    net.run(10_000);
    assert_eq!(net.link(0, 1), Some(LinkState::Direct));
    assert_eq!(
        net.link(1, 0),
        Some(LinkState::Direct),
        "without a socket, but direct"
    );
    net.broadcast(0, DeliveryClass::Control, b"still here");
    net.run(200);
    assert_eq!(net.received(1, 0, DeliveryClass::Control), [b"still here"]);
}

#[test]
fn a_rider_without_socket_and_data_channel_is_away() {
    let mut net = Network::with_riders(12, 3);
    net.riders[0].is_online = false;
    net.drop_socket(0);
    net.cut(0, 1, true);
    net.run(2_500);
    assert_eq!(net.link(1, 0), Some(LinkState::Away));
    assert_eq!(net.link(0, 1), Some(LinkState::Connecting));
    assert_eq!(net.link(2, 0), Some(LinkState::Direct));
}

#[test]
fn a_dead_socket_is_replaced_within_two_seconds_of_a_probe() {
    let mut net = Network::with_riders(13, 2);
    net.riders[0].is_socket_dead = true;
    net.run(100);
    net.feed(0, Input::ProbeSocket);
    let back = net.run_until("back", |net| {
        net.riders[0].events.contains(&NodeEvent::SocketRestored)
    });
    assert!(back <= ms(2_000), "{back:?}");
}

#[test]
fn a_dead_socket_is_replaced_without_a_probe() {
    let mut net = Network::with_riders(14, 2);
    net.riders[0].is_socket_dead = true;
    let back = net.run_until("back", |net| {
        net.riders[0].events.contains(&NodeEvent::SocketRestored)
    });
    assert!(back <= ms(8_000), "{back:?}");
}

#[test]
fn a_probe_opens_a_lost_socket_at_once() {
    let mut net = Network::with_riders(15, 2);
    net.riders[0].is_online = false;
    net.drop_socket(0);
    net.run(20_000);
    net.riders[0].is_online = true;
    net.feed(0, Input::ProbeSocket);
    net.run(100);
    assert!(net.riders[0].events.contains(&NodeEvent::SocketRestored));
}
