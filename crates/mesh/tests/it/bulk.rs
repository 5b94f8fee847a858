//! Bulk is transferred without delaying telemetry.

use mesh::{link::low_watermark, node::NodeEvent};
use protocol::peer::{DeliveryClass, LinkState};
use rooms::room::RoomSettings;

use crate::network::{Network, PathConditions, ms};

const MEGABYTE: usize = 1024 * 1024;

/// Sends ten megabytes of bulk from the first rider to the second, beside telemetry ten times a
/// second. Returns the sorted ages of the telemetry on arrival, in milliseconds, and the duration
/// of the transfer in seconds.
fn transfer(net: &mut Network) -> (Vec<u64>, u64) {
    let piece = vec![7; MEGABYTE];
    let start = net.now;
    let (mut sent, mut arrived, mut ages) = (0, 0, Vec::new());
    while arrived < 10 {
        if sent < 10 && sent - arrived < 3 {
            net.send(0, 1, DeliveryClass::Bulk, &piece);
            sent += 1;
        }
        let moment = net.now.since_origin().as_millis() as u64;
        net.broadcast(0, DeliveryClass::Telemetry, &moment.to_be_bytes());
        for _ in 0..10 {
            net.run(10);
            let now = net.now.since_origin().as_millis() as u64;
            for event in net.riders[1].events.drain(..) {
                match event {
                    NodeEvent::Received {
                        class: DeliveryClass::Bulk,
                        ..
                    } => arrived += 1,
                    NodeEvent::Received { payload, .. } => {
                        ages.push(now - u64::from_be_bytes(payload.try_into().unwrap()));
                    }
                    _ => {}
                }
            }
        }
        assert!(net.now < start + ms(600_000), "the transfer takes too long");
    }
    ages.sort_unstable();
    (ages, (net.now - start).as_secs())
}

#[test]
fn telemetry_is_fresh_while_ten_megabytes_are_transferred() {
    // The upload of a home, a fast connection, and a distant one.
    for (bandwidth, delay, within) in [(250_000, 20, 70), (2_000_000, 10, 20), (1_000_000, 80, 30)]
    {
        let mut net = Network::with_riders(800, 2);
        net.direct.delay = ms(delay);
        net.bandwidth = Some(bandwidth);
        let (ages, seconds) = transfer(&mut net);
        let (p95, most) = (ages[ages.len() * 95 / 100], ages[ages.len() - 1]);
        assert!(
            p95 < 250 && most < 250,
            "{bandwidth}: p95 {p95}, most {most}"
        );
        assert!(seconds < within, "{bandwidth}: {seconds} s");
        assert_eq!(net.link(0, 1), Some(LinkState::Direct));
        assert!(
            ages.len() as u64 >= 9 * seconds,
            "hardly any telemetry is dropped"
        );
    }
}

#[test]
fn relayed_bytes_stay_below_the_limit_of_the_server() {
    let limit: u32 = 512 * 1024;
    let settings = RoomSettings {
        relay_bytes_per_second: Some(limit),
        ..RoomSettings::default()
    };
    let mut net = Network::with_settings(801, settings);
    (0..3).for_each(|_| _ = net.join_with(false, None));
    net.run(2_000);
    (0..2).for_each(|_| net.broadcast(0, DeliveryClass::Bulk, &vec![7; MEGABYTE]));
    let before = net.riders[0].node.stats().bytes_sent;
    let mut last = before;
    for second in 0..30 {
        net.broadcast(0, DeliveryClass::Control, b"pause");
        net.run(200);
        let paused = net.received(1, 0, DeliveryClass::Control).len();
        assert_eq!(paused, second + 1, "control does not wait for bulk");
        net.run(800);
        let sent = net.riders[0].node.stats().bytes_sent;
        assert!(sent - last < u64::from(limit), "{}", sent - last);
        last = sent;
    }
    for at in [1, 2] {
        assert_eq!(net.received(at, 0, DeliveryClass::Bulk).len(), 2);
    }
}

#[test]
fn a_rider_that_stops_reading_gets_no_stale_telemetry_and_does_not_slow_the_others() {
    let mut net = Network::with_riders(802, 3);
    net.stall(0, 2);
    for second in 0..20u8 {
        for _ in 0..100 {
            net.broadcast(0, DeliveryClass::Telemetry, &[second; 1_000]);
        }
        net.broadcast(0, DeliveryClass::Control, &[second; 4_000]);
        net.run(1_000);
    }
    let fresh = net.received(1, 0, DeliveryClass::Telemetry);
    assert_eq!(fresh.len(), 2_000);
    assert_eq!(net.received(1, 0, DeliveryClass::Control).len(), 20);
    let dropped = net.riders[0].node.stats().dropped;
    assert!(dropped > 10, "telemetry is dropped, not queued: {dropped}");
    // Over the relay, it receives new telemetry and all control messages.
    assert_eq!(net.link(0, 2), Some(LinkState::Relayed));
    assert_eq!(net.received(2, 0, DeliveryClass::Control).len(), 20);
    assert_eq!(
        net.received(2, 0, DeliveryClass::Telemetry).last().unwrap()[0],
        19
    );
}

#[test]
fn control_that_was_held_back_continues_at_the_low_watermark() {
    let mut net = Network::with_riders(803, 2);
    let low = 256 * 1024;
    net.set_buffered(0, DeliveryClass::Control, 4 * low + 1);
    net.broadcast(0, DeliveryClass::Control, b"now");
    net.set_buffered(0, DeliveryClass::Control, low + 1);
    net.run(100);
    assert!(net.received(1, 0, DeliveryClass::Control).is_empty());
    net.set_buffered(0, DeliveryClass::Control, low);
    net.run(100);
    assert_eq!(net.received(1, 0, DeliveryClass::Control), [b"now"]);
}

#[test]
fn telemetry_continues_when_every_channel_is_down_to_its_lowest_watermark() {
    let mut net = Network::with_riders(805, 2);
    net.set_buffered(0, DeliveryClass::Control, low_watermark(u32::MAX));
    net.set_buffered(0, DeliveryClass::Bulk, low_watermark(0));
    net.broadcast(0, DeliveryClass::Telemetry, b"stale");
    net.run(100);
    for class in DeliveryClass::ALL {
        net.set_buffered(0, class, low_watermark(0));
    }
    net.broadcast(0, DeliveryClass::Telemetry, b"fresh");
    net.run(100);
    assert_eq!(net.received(1, 0, DeliveryClass::Telemetry), [b"fresh"]);
}

#[test]
fn bulk_arrives_complete_over_a_bad_path() {
    let mut net = Network::with_riders(804, 2);
    let bad = PathConditions {
        delay: ms(50),
        jitter: ms(100),
        loss: 50,
    };
    (net.relay, net.direct) = (bad, bad);
    net.cut(0, 1, true);
    let history: Vec<u8> = (0..MEGABYTE).map(|at| (at % 251) as u8).collect();
    net.send(0, 1, DeliveryClass::Bulk, &history);
    net.run(10_000);
    net.cut(0, 1, false);
    net.run_until("complete", |net| {
        !net.received(1, 0, DeliveryClass::Bulk).is_empty()
    });
    assert!(net.received(1, 0, DeliveryClass::Bulk) == [history]);
}
