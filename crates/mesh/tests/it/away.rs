//! A rider's network goes without a word, and comes back.

use std::time::Duration;

use mesh::node::{Input, NodeEvent};
use protocol::{
    peer::{DeliveryClass, LinkState},
    signaling::ErrorCode,
};

use crate::net::{GOOD, Net, Way, ms};

/// The network is pulled: no socket is closed, nothing goes either way.
fn pull(net: &mut Net, rider: usize) {
    net.riders[rider].online = false;
    net.riders[rider].mute = true;
    (0..net.riders.len()).for_each(|other| net.cut(rider, other, true));
}

/// It is plugged in again; the browser says so.
fn plug(net: &mut Net, rider: usize) {
    net.riders[rider].online = true;
    (0..net.riders.len()).for_each(|other| net.cut(rider, other, false));
    net.feed(rider, Input::ProbeSocket);
}

fn heard(net: &Net, at: usize, wanted: impl Fn(&NodeEvent) -> bool) -> usize {
    let events = net.riders[at].events.iter();
    events.filter(|event| wanted(event)).count()
}

/// Everybody tells their numbers twice a second, for so many seconds.
fn ride(net: &mut Net, seconds: u64) {
    for _ in 0..2 * seconds {
        (0..net.riders.len()).for_each(|at| net.broadcast(at, DeliveryClass::Telemetry, b"214 W"));
        net.run(500);
    }
}

#[test]
fn a_rider_whose_network_is_pulled_is_away_after_five_seconds() {
    let mut net = Net::riding(600, 3);
    ride(&mut net, 3);
    pull(&mut net, 2);
    let away = net.run_until("away", |net| {
        [0, 1]
            .iter()
            .all(|at| net.link(*at, 2) == Some(LinkState::Away))
    });
    // The server tells it: it has heard the rider less than a second before.
    assert!(away > ms(3_500) && away <= ms(5_000), "{away:?}");
    assert_eq!(net.link(0, 1), Some(LinkState::Direct));
    let told = |event: &NodeEvent| matches!(event, NodeEvent::Away(_));
    assert_eq!(heard(&net, 0, told), 1);
}

#[test]
fn a_rider_who_is_relayed_alone_and_pulled_is_away_after_five_seconds_too() {
    let mut net = Net::new(601);
    (0..3).for_each(|_| _ = net.join_with(false, None));
    ride(&mut net, 3);
    net.riders[2].mute = true;
    net.riders[2].online = false;
    let away = net.run_until("away", |net| net.link(0, 2) == Some(LinkState::Away));
    assert!(away > ms(4_000) && away <= ms(5_600), "{away:?}");
    net.riders[2].online = true;
    let back = net.run_until("back", |net| net.link(0, 2) == Some(LinkState::Relayed));
    assert!(back <= ms(5_000), "{back:?}");
}

#[test]
fn somebody_who_is_away_is_sent_little() {
    let mut net = Net::new(602);
    (0..2).for_each(|_| _ = net.join_with(false, None));
    net.run(2_000);
    pull(&mut net, 1);
    net.run(8_000);
    let before = net.riders[0].node.stats();
    net.broadcast(0, DeliveryClass::Bulk, &[7; 200_000]);
    ride(&mut net, 20);
    let after = net.riders[0].node.stats();
    let bytes = after.bytes_sent - before.bytes_sent;
    assert!(bytes < 3_000, "{bytes}");
    plug(&mut net, 1);
    net.run(5_000);
    assert_eq!(
        net.received(1, 0, DeliveryClass::Bulk).len(),
        1,
        "it waited"
    );
}

#[test]
fn ten_seconds_without_any_network_are_over_within_five_seconds() {
    for seed in 0..10 {
        let mut net = Net::riding(610 + seed, 4);
        ride(&mut net, 2);
        let before = net.riders[2].node.me().cloned();
        pull(&mut net, 2);
        ride(&mut net, 10);
        assert_eq!(net.link(0, 2), Some(LinkState::Away));
        plug(&mut net, 2);
        let reads = |net: &Net, at: usize| net.received(at, 2, DeliveryClass::Telemetry).len();
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
fn five_minutes_without_any_network_bring_the_same_rider_back() {
    let mut net = Net::riding(620, 3);
    let id = net.id(2);
    pull(&mut net, 2);
    ride(&mut net, 29);
    assert_eq!(net.link(0, 2), Some(LinkState::Away), "within the grace");
    ride(&mut net, 3);
    assert_eq!(net.riders[0].node.link_state(&id), None, "off the list");
    ride(&mut net, 268);
    plug(&mut net, 2);
    let back = net.run_until("direct", |net| net.all_links(LinkState::Direct));
    assert!(back <= ms(8_000), "{back:?}");
    assert_eq!(net.id(2), id);
    assert_eq!(net.riders[0].node.members().count(), 2, "one row each");
}

#[test]
fn a_laptop_that_wakes_when_the_ride_is_over_for_all_is_told_so() {
    let mut net = Net::riding(652, 3);
    pull(&mut net, 2);
    net.run(6_000);
    (0..2).for_each(|at| net.feed(at, Input::Leave));
    net.freeze(2, Duration::from_secs(1_800));
    plug(&mut net, 2);
    net.run(5_000);
    let over = |event: &NodeEvent| matches!(event, NodeEvent::JoinRefused { code, .. } if *code == ErrorCode::NoSuchRide);
    assert_eq!(heard(&net, 2, over), 1);
    assert!(net.riders[2].node.is_over());
}

#[test]
fn another_address_means_the_relay_meanwhile_and_the_same_link_after_a_restart() {
    let mut net = Net::riding(630, 3);
    let links = |net: &Net| [0, 1].map(|other| net.connection(2, &net.id(other)));
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
    assert_eq!(links(&net), before, "no new connections");
    let whole: Vec<_> = (0..40).map(|number| vec![number]).collect();
    assert_eq!(net.received(0, 2, DeliveryClass::Control), whole);
    assert_eq!(net.received(2, 0, DeliveryClass::Control), whole);
}

#[test]
fn with_udp_blocked_from_the_start_the_ride_is_relayed_at_once_and_stays_so() {
    let mut net = Net::new(640);
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
fn a_phone_that_was_locked_for_a_minute_is_back_two_seconds_after_it_is_looked_at() {
    let mut net = Net::riding(650, 3);
    let before = net.riders[2].node.me().cloned();
    // Its page stands still, and its network with it.
    pull(&mut net, 2);
    net.freeze(2, Duration::from_secs(60));
    plug(&mut net, 2);
    let back = net.run_until("back", |net| {
        heard(net, 2, |event| *event == NodeEvent::SocketRestored) > 0
    });
    assert!(back <= ms(2_000), "{back:?}");
    assert_eq!(
        net.riders[2].node.me().map(|me| &me.peer),
        before.as_ref().map(|me| &me.peer)
    );
}

#[test]
fn a_laptop_that_slept_for_half_an_hour_is_the_same_rider_and_no_ghost() {
    let mut net = Net::riding(651, 3);
    let id = net.id(2);
    pull(&mut net, 2);
    net.freeze(2, Duration::from_secs(1_800));
    assert_eq!(net.riders[0].node.link_state(&id), None, "off the list");
    plug(&mut net, 2);
    net.run_until("direct", |net| net.all_links(LinkState::Direct));
    assert_eq!(net.id(2), id);
    assert_eq!(net.riders[0].node.members().count(), 2);
    let (slept, host) = (net.group_time(2).unwrap(), net.group_time(0).unwrap());
    assert!((slept - host).abs() < 1_000_000, "{}", slept - host);
}

#[test]
fn ten_minutes_of_loss_leave_numbers_fresh_and_the_hosts_words_whole() {
    for (percent, limit) in [(5, ms(2_000)), (10, ms(2_000)), (20, ms(3_000))] {
        let age = age_at_loss(percent);
        assert!(age < limit, "at {percent} %: {age:?}");
    }
}

/// How old the newest numbers of a rider are at another in 95 of 100 moments,
/// when so many packets are lost on every way.
fn age_at_loss(percent: u64) -> Duration {
    const BEAT: Duration = ms(500);
    let mut net = Net::riding(660, 4);
    let lossy = Way {
        delay: ms(60),
        jitter: ms(80),
        loss: percent * 10,
    };
    (net.relay, net.direct) = (lossy, lossy);
    let (mut said, mut heard) = (Vec::new(), Vec::new());
    let (mut newest, mut ages) = (0, Vec::new());
    for moment in 0..1_200u32 {
        let word = moment.to_be_bytes().to_vec();
        net.broadcast(0, DeliveryClass::Telemetry, &word);
        if moment % 10 == 0 {
            net.broadcast(0, DeliveryClass::Control, &word);
            said.push(word);
        }
        net.run(BEAT.as_millis() as u64);
        let numbers = net.received(1, 0, DeliveryClass::Telemetry);
        if let Some(bytes) = numbers.last() {
            newest = u32::from_be_bytes(bytes[..].try_into().unwrap());
        }
        heard.extend(net.received(1, 0, DeliveryClass::Control));
        net.riders[1].events.clear();
        // A beat has passed since this moment's.
        ages.push(BEAT * (moment + 1 - newest));
    }
    (net.relay, net.direct) = (GOOD, GOOD);
    net.run(10_000);
    heard.extend(net.received(1, 0, DeliveryClass::Control));
    assert!(
        heard == said,
        "at {percent} %: all of them once, and in order"
    );
    ages.sort_unstable();
    ages[ages.len() * 95 / 100]
}
