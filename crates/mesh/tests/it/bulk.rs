//! Large things go beside the numbers without making them late.

use mesh::{link::low_watermark, node::NodeEvent};
use protocol::peer::{DeliveryClass, LinkState};
use rooms::room::RoomSettings;

use crate::net::{Net, Way, ms};

const MEGABYTE: usize = 1024 * 1024;

/// Sends ten megabytes from the first rider to the second, beside ten readings
/// a second. Says how old the readings were when they came, in milliseconds,
/// and how long it all took, in seconds.
fn transfer(net: &mut Net) -> (Vec<u64>, u64) {
    let piece = vec![7; MEGABYTE];
    let start = net.now;
    let (mut sent, mut came, mut ages) = (0, 0, Vec::new());
    while came < 10 {
        if sent < 10 && sent - came < 3 {
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
                    } => came += 1,
                    NodeEvent::Received { payload, .. } => {
                        ages.push(now - u64::from_be_bytes(payload.try_into().unwrap()));
                    }
                    _ => {}
                }
            }
        }
        assert!(net.now < start + ms(600_000), "it never came");
    }
    ages.sort_unstable();
    (ages, (net.now - start).as_secs())
}

#[test]
fn numbers_are_fresh_while_ten_megabytes_go_beside_them() {
    // A home's upload, a good line, and one that is far away.
    for (bandwidth, delay, within) in [(250_000, 20, 70), (2_000_000, 10, 20), (1_000_000, 80, 30)]
    {
        let mut net = Net::riding(800, 2);
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
        assert!(ages.len() as u64 >= 9 * seconds, "hardly any is dropped");
    }
}

#[test]
fn what_is_relayed_stays_below_what_the_server_takes() {
    let limit: u32 = 512 * 1024;
    let settings = RoomSettings {
        relay_bytes_per_second: Some(limit),
        ..RoomSettings::default()
    };
    let mut net = Net::with(801, settings);
    (0..3).for_each(|_| _ = net.join_with(false, None));
    net.run(2_000);
    (0..2).for_each(|_| net.broadcast(0, DeliveryClass::Bulk, &vec![7; MEGABYTE]));
    let before = net.riders[0].node.stats().bytes_sent;
    let mut last = before;
    for second in 0..30 {
        net.broadcast(0, DeliveryClass::Control, b"pause");
        net.run(200);
        let paused = net.received(1, 0, DeliveryClass::Control).len();
        assert_eq!(paused, second + 1, "control waits for no bulk");
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
fn who_stops_reading_gets_no_stale_numbers_and_slows_nobody_down() {
    let mut net = Net::riding(802, 3);
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
    assert!(dropped > 10, "the numbers are dropped, not kept: {dropped}");
    // What it does read, over the server, is new and whole.
    assert_eq!(net.link(0, 2), Some(LinkState::Relayed));
    assert_eq!(net.received(2, 0, DeliveryClass::Control).len(), 20);
    assert_eq!(
        net.received(2, 0, DeliveryClass::Telemetry).last().unwrap()[0],
        19
    );
}

#[test]
fn control_that_was_held_back_goes_on_at_the_low_mark() {
    let mut net = Net::riding(803, 2);
    let low = 256 * 1024;
    net.buffered(0, DeliveryClass::Control, 4 * low + 1);
    net.broadcast(0, DeliveryClass::Control, b"now");
    net.buffered(0, DeliveryClass::Control, low + 1);
    net.run(100);
    assert!(net.received(1, 0, DeliveryClass::Control).is_empty());
    net.buffered(0, DeliveryClass::Control, low);
    net.run(100);
    assert_eq!(net.received(1, 0, DeliveryClass::Control), [b"now"]);
}

#[test]
fn numbers_go_on_once_every_channel_is_down_to_the_last_of_its_marks() {
    let mut net = Net::riding(805, 2);
    net.buffered(0, DeliveryClass::Control, low_watermark(u32::MAX));
    net.buffered(0, DeliveryClass::Bulk, low_watermark(0));
    net.broadcast(0, DeliveryClass::Telemetry, b"stale");
    net.run(100);
    for class in DeliveryClass::ALL {
        net.buffered(0, class, low_watermark(0));
    }
    net.broadcast(0, DeliveryClass::Telemetry, b"fresh");
    net.run(100);
    assert_eq!(net.received(1, 0, DeliveryClass::Telemetry), [b"fresh"]);
}

#[test]
fn bulk_comes_whole_over_a_bad_way() {
    let mut net = Net::riding(804, 2);
    let bad = Way {
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
    net.run_until("whole", |net| {
        !net.received(1, 0, DeliveryClass::Bulk).is_empty()
    });
    assert!(net.received(1, 0, DeliveryClass::Bulk) == [history]);
}
