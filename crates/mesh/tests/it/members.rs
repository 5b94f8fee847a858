//! Joining, leaving and returning.

use mesh::node::{Input, NodeEvent};
use protocol::{
    peer::{DeliveryClass, LinkState, PeerNumber},
    signaling::{ErrorCode, LeftReason, Resume},
};
use rooms::room::RoomSettings;

use crate::network::{Network, incarnation, ms};

#[test]
fn a_socket_that_returns_within_the_grace_period_belongs_to_the_same_page() {
    let mut net = Network::with_riders(31, 3);
    let before = net.riders[1].node.me().unwrap().clone();
    net.drop_socket(1);
    net.run(3_000);
    assert_eq!(net.riders[1].node.me(), Some(&before));
    let ben = before.peer.clone();
    assert_eq!(
        net.count_events(0, |event| *event == NodeEvent::Away(ben.clone())),
        1
    );
    let returned =
        |event: &NodeEvent| matches!(event, NodeEvent::Returned(member) if member.peer == ben);
    assert_eq!(net.count_events(0, returned), 1);
    assert_eq!(
        net.count_events(1, |event| *event == NodeEvent::SocketRestored),
        1
    );
    assert_eq!(
        net.count_events(0, |event| matches!(event, NodeEvent::Left { .. })),
        0
    );
}

#[test]
fn a_rider_leaves_the_list_after_the_grace_period_and_returns_with_its_token() {
    let mut net = Network::with_riders(32, 3);
    let ben = net.id(1);
    net.riders[1].is_online = false;
    net.drop_socket(1);
    net.cut(0, 1, true);
    net.cut(2, 1, true);
    net.run(31_000);
    let gone = NodeEvent::Left {
        peer: ben.clone(),
        reason: LeftReason::Gone,
    };
    assert_eq!(net.count_events(0, |event| *event == gone), 1);
    net.riders[1].is_online = true;
    net.cut(0, 1, false);
    net.cut(2, 1, false);
    net.run(8_000);
    assert_eq!(net.id(1), ben);
    let me = net.riders[1].node.me().unwrap();
    assert_eq!((me.number, me.incarnation.0), (PeerNumber(4), 2));
    assert!(net.all_links(LinkState::Direct));
    net.broadcast(0, DeliveryClass::Control, b"welcome back");
    net.run(500);
    assert_eq!(
        net.received(1, 0, DeliveryClass::Control),
        [b"welcome back"]
    );
}

#[test]
fn a_rider_without_network_for_ten_seconds_returns_as_the_same_page() {
    let mut net = Network::with_riders(33, 3);
    let before = incarnation(&net, 0);
    net.riders[0].is_online = false;
    net.drop_socket(0);
    net.cut(0, 1, true);
    net.cut(0, 2, true);
    net.run(5_000);
    assert_eq!(net.link(0, 1), Some(LinkState::Connecting));
    net.run(5_000);
    net.riders[0].is_online = true;
    net.cut(0, 1, false);
    net.cut(0, 2, false);
    let back = net.run_until("back", |net| net.link(1, 0) == Some(LinkState::Relayed));
    assert!(back <= ms(5_000), "{back:?}");
    assert_eq!(incarnation(&net, 0), before);
}

#[test]
fn leaving_is_immediate() {
    let mut net = Network::with_riders(34, 3);
    let cleo = net.id(2);
    net.feed(2, Input::Leave);
    net.run(50);
    let left = NodeEvent::Left {
        peer: cleo.clone(),
        reason: LeftReason::Left,
    };
    assert_eq!(net.count_events(0, |event| *event == left), 1);
    assert_eq!(net.riders[0].node.link_state(&cleo), None);
    assert_eq!(net.riders[2].node.poll_timeout(), None);
}

#[test]
fn a_closed_tab_is_away_at_once_and_leaves_after_the_grace_period() {
    let mut net = Network::with_riders(35, 3);
    let cleo = net.id(2);
    net.crash(2);
    let away = net.run_until("away", |net| {
        net.riders[0].node.link_state(&cleo) == Some(LinkState::Away)
    });
    assert!(away <= ms(1_000), "{away:?}");
    net.run(30_000);
    assert_eq!(net.riders[0].node.link_state(&cleo), None);
}

#[test]
fn the_longest_present_rider_succeeds_a_host_that_leaves() {
    let mut net = Network::with_riders(36, 3);
    assert!(net.riders[0].node.is_host());
    net.feed(0, Input::Leave);
    net.run(200);
    for at in [1, 2] {
        let node = &net.riders[at].node;
        assert_eq!((node.host(), node.epoch()), (Some(&net.id(1)), 2));
        assert_eq!(node.host_terms().len(), 2);
    }
    assert!(net.riders[1].node.is_host());
    let host = net.riders[2]
        .node
        .members()
        .find(|member| net.riders[2].node.host() == Some(&member.peer));
    assert_eq!(host.unwrap().peer, net.id(1));
}

#[test]
fn a_rider_that_returns_is_told_the_new_host() {
    let mut net = Network::with_riders(37, 3);
    net.riders[2].is_online = false;
    net.drop_socket(2);
    net.run(500);
    net.feed(0, Input::Leave);
    net.run(1_000);
    net.riders[2].is_online = true;
    net.run(5_000);
    assert_eq!(net.riders[2].node.host(), Some(&net.id(1)));
    assert_eq!(
        net.count_events(2, |event| matches!(event, NodeEvent::HostChanged(_))),
        1
    );
    assert_eq!(
        net.count_events(2, |event| matches!(event, NodeEvent::Left { .. })),
        1
    );
}

#[test]
fn a_full_ride_refuses_with_a_sentence_and_is_not_tried_again() {
    let mut net = Network::with_settings(
        38,
        RoomSettings {
            max_riders: 2,
            ..RoomSettings::default()
        },
    );
    (0..3).for_each(|_| _ = net.join());
    net.run(10_000);
    let refused = |event: &NodeEvent| matches!(event, NodeEvent::JoinRefused { code: ErrorCode::RideFull, message } if message.len() > 9);
    assert_eq!(net.count_events(2, refused), 1);
    assert_eq!(net.riders[2].node.poll_timeout(), None);
}

#[test]
fn a_wrong_token_is_refused() {
    let mut net = Network::with_riders(39, 2);
    let peer = net.id(0);
    let resume = Resume {
        peer,
        token: "guessed".parse().unwrap(),
        incarnation: None,
    };
    let thief = net.join_with(true, Some(resume));
    net.run(1_000);
    let refused = |event: &NodeEvent| {
        matches!(
            event,
            NodeEvent::JoinRefused {
                code: ErrorCode::BadToken,
                ..
            }
        )
    };
    assert_eq!(net.count_events(thief, refused), 1);
    assert_eq!(net.link(1, 0), Some(LinkState::Direct));
}

#[test]
fn a_second_tab_takes_over_and_the_first_one_ends() {
    let mut net = Network::with_riders(40, 2);
    let resume = net.resume(1);
    let tab = net.open_again(1, resume);
    net.run(10_000);
    assert_eq!(
        net.count_events(1, |event| *event == NodeEvent::Replaced),
        1
    );
    assert_eq!(net.riders[1].node.poll_timeout(), None);
    assert_eq!(incarnation(&net, tab).0, 2);
    assert_eq!(net.link(0, tab), Some(LinkState::Direct));
    assert_eq!(net.riders[0].node.members().count(), 1);
}

#[test]
fn thirty_two_riders_receive_from_each_other() {
    let mut net = Network::new(41);
    (0..33).for_each(|_| _ = net.join());
    net.run(4_000);
    for rider in &net.riders[..32] {
        assert_eq!(rider.node.members().count(), 31);
    }
    assert!(net.riders[32].node.me().is_none());
    let direct = (0..16).all(|a| (0..a).all(|b| net.link(a, b) == Some(LinkState::Direct)));
    assert!(direct, "the first sixteen have direct links");
    assert_eq!(net.link(31, 0), Some(LinkState::Relayed));
    net.broadcast(31, DeliveryClass::Telemetry, b"210 W");
    net.run(100);
    assert!((0..31).all(|at| net.received(at, 31, DeliveryClass::Telemetry) == [b"210 W"]));
}
