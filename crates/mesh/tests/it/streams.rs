//! Payloads arrive as their delivery class promises, over any path.

use mesh::node::{Input, NodeEvent};
use protocol::peer::{DeliveryClass, LinkState};

use crate::network::{Network, PathConditions, incarnation, ms};

const BAD: PathConditions = PathConditions {
    delay: ms(20),
    jitter: ms(150),
    loss: 150,
};

fn numbered(count: u32) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| number.to_be_bytes().to_vec())
        .collect()
}

#[test]
fn control_arrives_exactly_once_and_in_order_while_paths_change() {
    for seed in 0..8 {
        let mut net = Network::with_riders(seed, 3);
        (net.relay, net.direct) = (BAD, BAD);
        for message in numbered(200) {
            net.broadcast(0, DeliveryClass::Control, &message);
            net.send(2, 0, DeliveryClass::Control, &message);
            net.run(150);
            if net.random().is_multiple_of(12) {
                let cut = net.random().is_multiple_of(2);
                net.cut(0, 1, cut);
                net.cut(0, 2, !cut);
            }
            if net.random().is_multiple_of(40) {
                net.drop_socket(1);
            }
        }
        net.cut(0, 1, false);
        net.cut(0, 2, false);
        net.run(20_000);
        for (at, from) in [(1, 0), (2, 0), (0, 2)] {
            let got = net.received(at, from, DeliveryClass::Control);
            assert!(
                got == numbered(200),
                "seed {seed}: {from} to {at}, {} arrived",
                got.len()
            );
        }
    }
}

#[test]
fn a_large_message_arrives_over_either_path() {
    let large: Vec<u8> = (0..100 * 1024).map(|at| (at % 251) as u8).collect();
    for direct in [true, false] {
        let mut net = Network::with_riders(21, 3);
        if !direct {
            net.cut(0, 1, true);
            net.run(3_000);
        }
        net.send(0, 1, DeliveryClass::Control, &large);
        net.send(0, 1, DeliveryClass::Bulk, &large);
        net.send(0, 1, DeliveryClass::Control, b"after");
        net.run(3_000);
        let got = net.received(1, 0, DeliveryClass::Control);
        assert!(
            got == [large.clone(), b"after".to_vec()],
            "direct: {direct}"
        );
        assert!(net.received(1, 0, DeliveryClass::Bulk) == [large.clone()]);
    }
}

#[test]
fn payloads_that_are_too_large_are_dropped_and_counted() {
    let mut net = Network::with_riders(22, 2);
    net.send(0, 1, DeliveryClass::Control, &vec![0; 2 * 1024 * 1024 + 1]);
    net.send(0, 1, DeliveryClass::Telemetry, &[0; 1_025]);
    net.run(1_000);
    assert_eq!(net.riders[0].node.stats().dropped, 2);
    assert!(net.received(1, 0, DeliveryClass::Control).is_empty());
}

#[test]
fn older_telemetry_never_arrives_after_newer() {
    let mut net = Network::with_riders(23, 3);
    (net.relay, net.direct) = (BAD, BAD);
    net.cut(0, 1, true);
    for message in numbered(600) {
        net.broadcast(0, DeliveryClass::Telemetry, &message);
        net.run(50);
    }
    for at in [1, 2] {
        let got = net.received(at, 0, DeliveryClass::Telemetry);
        assert!(got.is_sorted(), "older telemetry arrived after newer");
        assert!(got.len() > 100, "{} arrived", got.len());
    }
}

#[test]
fn control_waits_for_a_rider_that_is_away_and_telemetry_does_not() {
    let mut net = Network::with_riders(24, 2);
    net.riders[1].is_online = false;
    net.drop_socket(1);
    net.cut(0, 1, true);
    net.run(3_000);
    assert_eq!(net.link(0, 1), Some(LinkState::Away));
    net.broadcast(0, DeliveryClass::Control, b"for later");
    net.broadcast(0, DeliveryClass::Telemetry, b"for now");
    net.run(3_000);
    net.riders[1].is_online = true;
    net.run(6_000);
    assert_eq!(net.received(1, 0, DeliveryClass::Control), [b"for later"]);
    assert!(net.received(1, 0, DeliveryClass::Telemetry).is_empty());
}

#[test]
fn a_reloaded_page_receives_nothing_that_was_sent_to_the_previous_one() {
    for seed in 0..10 {
        let mut net = Network::with_riders(seed, 3);
        (net.relay, net.direct) = (BAD, BAD);
        for message in numbered(20) {
            net.broadcast(0, DeliveryClass::Control, &message);
            net.broadcast(0, DeliveryClass::Telemetry, &message);
            net.run(10);
        }
        net.reload(1);
        net.run_until("back", |net| net.riders[1].node.me().is_some());
        assert_eq!(incarnation(&net, 1).0, 2);
        net.run_until("seen", |net| {
            let returned = |event: &NodeEvent| matches!(event, NodeEvent::Returned(_));
            net.riders[0].events.iter().any(returned)
        });
        net.send(0, 1, DeliveryClass::Control, b"new");
        net.run(8_000);
        assert_eq!(
            net.received(1, 0, DeliveryClass::Control),
            [b"new"],
            "seed {seed}"
        );
        net.run_until("direct", |net| net.all_links(LinkState::Direct));
    }
}

#[test]
fn payloads_of_a_reloaded_page_arrive_though_its_numbers_start_again() {
    let mut net = Network::with_riders(25, 2);
    for message in numbered(50) {
        net.broadcast(1, DeliveryClass::Telemetry, &message);
        net.broadcast(1, DeliveryClass::Control, &message);
        net.run(20);
    }
    net.reload(1);
    net.run(500);
    net.broadcast(1, DeliveryClass::Telemetry, b"again");
    net.broadcast(1, DeliveryClass::Control, b"again");
    net.run(1_000);
    assert_eq!(
        net.received(0, 1, DeliveryClass::Telemetry).last().unwrap(),
        b"again"
    );
    assert_eq!(net.received(0, 1, DeliveryClass::Control).len(), 51);
}

#[test]
fn a_heartbeat_payload_is_reported_once_for_each_change() {
    let mut net = Network::with_riders(26, 3);
    let payload = Input::SetHeartbeatPayload(b"epoch 1, sequence 4".to_vec());
    net.feed(0, payload);
    net.run(200);
    let changes = |net: &Network, at: usize| {
        let events = net.riders[at].events.iter();
        events
            .filter(|event| matches!(event, NodeEvent::HeartbeatPayload { .. }))
            .count()
    };
    assert_eq!((changes(&net, 1), changes(&net, 2)), (1, 1));
    net.run(5_000);
    assert_eq!(changes(&net, 1), 1);
}

#[test]
fn a_full_channel_drops_telemetry_and_lets_control_wait() {
    let mut net = Network::with_riders(27, 2);
    for class in DeliveryClass::ALL {
        net.set_buffered(0, class, 2 * 1024 * 1024);
        net.broadcast(0, class, b"now");
    }
    net.run(1_000);
    for class in DeliveryClass::ALL {
        assert!(net.received(1, 0, class).is_empty(), "{class:?}");
        net.set_buffered(0, class, 0);
    }
    net.run(100);
    assert_eq!(net.received(1, 0, DeliveryClass::Control), [b"now"]);
    assert_eq!(net.received(1, 0, DeliveryClass::Bulk), [b"now"]);
    assert!(net.received(1, 0, DeliveryClass::Telemetry).is_empty());
}
