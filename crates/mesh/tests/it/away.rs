//! A rider's network fails without notice, and returns.

use std::time::Duration;

use mesh::node::{Input, NodeEvent};
use protocol::{
    peer::{DeliveryClass, LinkState},
    signaling::ErrorCode,
};

use crate::network::{GOOD, Network, PathConditions, ms};

/// Disconnects a rider: nothing is transmitted in either direction, and no socket closes.
fn disconnect(net: &mut Network, rider: usize) {
    net.riders[rider].is_online = false;
    net.riders[rider].is_socket_dead = true;
    (0..net.riders.len()).for_each(|other| net.cut(rider, other, true));
}

/// Connects a rider again, which its browser notices.
fn reconnect(net: &mut Network, rider: usize) {
    net.riders[rider].is_online = true;
    (0..net.riders.len()).for_each(|other| net.cut(rider, other, false));
    net.feed(rider, Input::ProbeSocket);
}

/// Runs the network for some seconds, in which all riders send telemetry twice a second.
fn ride(net: &mut Network, seconds: u64) {
    for _ in 0..2 * seconds {
        (0..net.riders.len()).for_each(|at| net.broadcast(at, DeliveryClass::Telemetry, b"214 W"));
        net.run(500);
    }
}

#[test]
fn a_disconnected_rider_is_away_after_five_seconds() {
    let mut net = Network::with_riders(600, 3);
    ride(&mut net, 3);
    disconnect(&mut net, 2);
    let away = net.run_until("away", |net| {
        [0, 1]
            .iter()
            .all(|at| net.link(*at, 2) == Some(LinkState::Away))
    });
    // The server's timeout applies, counted from the rider's last ping, which is up to a second
    // old.
    assert!(away > ms(3_500) && away <= ms(5_000), "{away:?}");
    assert_eq!(net.link(0, 1), Some(LinkState::Direct));
    let is_away = |event: &NodeEvent| matches!(event, NodeEvent::Away(_));
    assert_eq!(net.count_events(0, is_away), 1);
}

#[test]
fn a_disconnected_rider_that_was_only_relayed_is_away_after_five_seconds() {
    let mut net = Network::new(601);
    (0..3).for_each(|_| _ = net.join_with(false, None));
    ride(&mut net, 3);
    net.riders[2].is_socket_dead = true;
    net.riders[2].is_online = false;
    let away = net.run_until("away", |net| net.link(0, 2) == Some(LinkState::Away));
    assert!(away > ms(4_000) && away <= ms(5_600), "{away:?}");
    net.riders[2].is_online = true;
    let back = net.run_until("back", |net| net.link(0, 2) == Some(LinkState::Relayed));
    assert!(back <= ms(5_000), "{back:?}");
}

#[test]
fn little_is_sent_to_a_rider_that_is_away() {
    let mut net = Network::new(602);
    (0..2).for_each(|_| _ = net.join_with(false, None));
    net.run(2_000);
    disconnect(&mut net, 1);
    net.run(8_000);
    let before = net.riders[0].node.stats();
    net.broadcast(0, DeliveryClass::Bulk, &[7; 200_000]);
    ride(&mut net, 20);
    let after = net.riders[0].node.stats();
    let bytes = after.bytes_sent - before.bytes_sent;
    assert!(bytes < 3_000, "{bytes}");
    reconnect(&mut net, 1);
    net.run(5_000);
    assert_eq!(
        net.received(1, 0, DeliveryClass::Bulk).len(),
        1,
        "the message waited"
    );
}

#[test]
fn a_rider_recovers_within_five_seconds_from_ten_seconds_without_network() {
    for seed in 0..10 {
        let mut net = Network::with_riders(610 + seed, 4);
        ride(&mut net, 2);
        let before = net.riders[2].node.me().cloned();
        disconnect(&mut net, 2);
        ride(&mut net, 10);
        assert_eq!(net.link(0, 2), Some(LinkState::Away));
        reconnect(&mut net, 2);
        let reads = |net: &Network, at: usize| net.received(at, 2, DeliveryClass::Telemetry).len();
        let had: Vec<_> = (0..4)
            .map(|at| if at == 2 { 0 } else { reads(&net, at) })
            .collect();
        net.broadcast(2, DeliveryClass::Control, b"here again");
        let mut waited = 0;
        while [0, 1, 3].iter().any(|at| reads(&net, *at) <= had[*at]) {
            ride(&mut net, 1);
            waited += 1;
            assert!(waited <= 5, "seed {seed}");
        }
        assert_eq!(net.riders[2].node.me().cloned(), before, "the same page");
        net.run(5_000);
        for at in [0, 1, 3] {
            assert_eq!(net.received(at, 2, DeliveryClass::Control), [b"here again"]);
        }
    }
}

#[test]
fn a_rider_returns_as_the_same_one_after_five_minutes_without_network() {
    let mut net = Network::with_riders(620, 3);
    let id = net.id(2);
    disconnect(&mut net, 2);
    ride(&mut net, 29);
    assert_eq!(
        net.link(0, 2),
        Some(LinkState::Away),
        "within the grace period"
    );
    ride(&mut net, 3);
    assert_eq!(
        net.riders[0].node.link_state(&id),
        None,
        "no longer in the list"
    );
    ride(&mut net, 268);
    reconnect(&mut net, 2);
    let back = net.run_until("direct", |net| net.all_links(LinkState::Direct));
    assert!(back <= ms(8_000), "{back:?}");
    assert_eq!(net.id(2), id);
    assert_eq!(
        net.riders[0].node.members().count(),
        2,
        "each is listed once"
    );
}

#[test]
fn a_laptop_that_wakes_after_the_ride_has_ended_is_refused() {
    let mut net = Network::with_riders(652, 3);
    disconnect(&mut net, 2);
    net.run(6_000);
    (0..2).for_each(|at| net.feed(at, Input::Leave));
    net.freeze(2, Duration::from_secs(1_800));
    reconnect(&mut net, 2);
    net.run(5_000);
    let over = |event: &NodeEvent| matches!(event, NodeEvent::JoinRefused { code, .. } if *code == ErrorCode::NoSuchRide);
    assert_eq!(net.count_events(2, over), 1);
    assert!(net.riders[2].node.is_over());
}

#[test]
fn a_new_network_address_means_the_relay_until_an_ice_restart_repairs_the_same_connection() {
    let mut net = Network::with_riders(630, 3);
    let links = |net: &Network| [0, 1].map(|other| net.connection_to(2, &net.id(other)));
    let before = links(&net);
    (0..2).for_each(|other| net.cut(2, other, true));
    net.drop_socket(2);
    for number in 0..40u8 {
        net.broadcast(2, DeliveryClass::Control, &[number]);
        net.broadcast(0, DeliveryClass::Control, &[number]);
        net.run(100);
    }
    assert_eq!(net.link(0, 2), Some(LinkState::Relayed));
    (0..2).for_each(|other| net.cut(2, other, false));
    let direct = net.run_until("direct", |net| net.all_links(LinkState::Direct));
    assert!(direct <= ms(5_000), "{direct:?}");
    assert_eq!(links(&net), before, "no new connection");
    let whole: Vec<_> = (0..40).map(|number| vec![number]).collect();
    assert_eq!(net.received(0, 2, DeliveryClass::Control), whole);
    assert_eq!(net.received(2, 0, DeliveryClass::Control), whole);
}

#[test]
fn with_udp_blocked_the_ride_is_relayed_at_once_and_stays_so() {
    let mut net = Network::new(640);
    (0..4).for_each(|_| _ = net.join());
    (0..4).for_each(|a| (0..a).for_each(|b| net.cut(a, b, true)));
    let relayed = net.run_until("relayed", |net| net.all_links(LinkState::Relayed));
    assert!(relayed <= ms(300), "{relayed:?}");
    for _ in 0..60 {
        net.run(1_000);
        assert!(net.all_links(LinkState::Relayed));
    }
}

#[test]
fn a_phone_that_was_locked_for_a_minute_is_back_two_seconds_after_unlocking() {
    let mut net = Network::with_riders(650, 3);
    let before = net.riders[2].node.me().cloned();
    // Its page runs no timers, and its network is off.
    disconnect(&mut net, 2);
    net.freeze(2, Duration::from_secs(60));
    reconnect(&mut net, 2);
    let back = net.run_until("back", |net| {
        net.count_events(2, |event| *event == NodeEvent::SocketRestored) > 0
    });
    assert!(back <= ms(2_000), "{back:?}");
    assert_eq!(
        net.riders[2].node.me().map(|me| &me.peer),
        before.as_ref().map(|me| &me.peer)
    );
}

#[test]
fn a_laptop_that_slept_for_half_an_hour_is_the_same_rider_and_listed_once() {
    let mut net = Network::with_riders(651, 3);
    let id = net.id(2);
    disconnect(&mut net, 2);
    net.freeze(2, Duration::from_secs(1_800));
    assert_eq!(
        net.riders[0].node.link_state(&id),
        None,
        "no longer in the list"
    );
    reconnect(&mut net, 2);
    net.run_until("direct", |net| net.all_links(LinkState::Direct));
    assert_eq!(net.id(2), id);
    assert_eq!(net.riders[0].node.members().count(), 2);
    let (slept, host) = (net.group_time(2).unwrap(), net.group_time(0).unwrap());
    assert!((slept - host).abs() < 1_000_000, "{}", slept - host);
}

#[test]
fn with_packet_loss_telemetry_stays_fresh_and_control_stays_complete() {
    for (percent, limit) in [(5, ms(2_000)), (10, ms(2_000)), (20, ms(3_000))] {
        let age = age_at_loss(percent);
        assert!(age < limit, "at {percent} %: {age:?}");
    }
}

/// 95th percentile of the age of telemetry during ten minutes, with a loss in percent on all paths.
fn age_at_loss(percent: u64) -> Duration {
    const INTERVAL: Duration = ms(500);
    let mut net = Network::with_riders(660, 4);
    let lossy = PathConditions {
        delay: ms(60),
        jitter: ms(80),
        loss: percent * 10,
    };
    (net.relay, net.direct) = (lossy, lossy);
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    let (mut newest, mut ages) = (0, Vec::new());
    for moment in 0..1_200u32 {
        let payload = moment.to_be_bytes().to_vec();
        net.broadcast(0, DeliveryClass::Telemetry, &payload);
        if moment % 10 == 0 {
            net.broadcast(0, DeliveryClass::Control, &payload);
            sent.push(payload);
        }
        net.run(INTERVAL.as_millis() as u64);
        let numbers = net.received(1, 0, DeliveryClass::Telemetry);
        if let Some(bytes) = numbers.last() {
            newest = u32::from_be_bytes(bytes[..].try_into().unwrap());
        }
        received.extend(net.received(1, 0, DeliveryClass::Control));
        net.riders[1].events.clear();
        // One interval has passed since the newest telemetry was sent.
        ages.push(INTERVAL * (moment + 1 - newest));
    }
    (net.relay, net.direct) = (GOOD, GOOD);
    net.run(10_000);
    received.extend(net.received(1, 0, DeliveryClass::Control));
    assert!(received == sent, "at {percent} %: each once, and in order");
    ages.sort_unstable();
    ages[ages.len() * 95 / 100]
}
