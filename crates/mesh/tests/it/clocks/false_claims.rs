//! Riders that claim a wrong group time.

use super::*;

/// The second rider claims to the first that group time is an hour ahead.
fn claim_an_hour(net: &mut Network) {
    let sent = micros(net.now + net.riders[1].clock_ahead);
    let true_offset = net.group_time(1).unwrap() - sent;
    let host = micros(net.now + net.riders[0].clock_ahead);
    let report = ReceptionReport {
        number: PeerNumber(1),
        incarnation: incarnation(net, 0),
        sent: host - 2,
        ..ReceptionReport::default()
    };
    let heartbeat = Heartbeat {
        sent,
        group_offset: Some(GroupOffset(true_offset + 3_600_000_000)),
        p2p: true,
        epoch: 1,
        payload: Vec::new(),
        reports: vec![report],
    };
    let frame = LinkFrame {
        to: Incarnation(0),
        body: Body::Heartbeat(heartbeat),
    };
    let envelope = FromServer {
        class: DeliveryClass::Telemetry,
        sealed: false,
        from: PeerNumber(2),
        incarnation: incarnation(net, 1),
        payload: &frame.encode(),
    };
    net.feed(0, Input::SocketBinary(envelope.encode()));
}

#[test]
fn a_host_that_reloads_does_not_follow_a_single_rider_with_a_false_claim() {
    for remembers in [true, false] {
        let mut net = Network::with_riders(59, 4);
        net.run(3_000);
        let before = (net.now, net.group_time(2).unwrap());
        let known = net.group_offset(0).filter(|_| remembers);
        net.reload_with_offset(0, known);
        for _ in 0..600 {
            if net.riders[0].node.me().is_some() {
                claim_an_hour(&mut net);
            }
            net.run(10);
        }
        assert!(net.riders[0].node.is_host());
        let passed = (net.now - before.0).as_micros() as i64;
        for at in [0, 2, 3] {
            let ridden = net.group_time(at).unwrap() - before.1;
            assert!(
                (ridden - passed).abs() < 5_000,
                "{at}: {ridden} in {passed}"
            );
        }
    }
}

#[test]
fn one_rider_of_several_that_claims_a_later_time_moves_no_other() {
    let mut net = Network::with_riders(57, 3);
    let begin = (net.now, net.group_time(0).unwrap());
    let later = GroupOffset(net.group_offset(2).unwrap().0 + 60_000_000);
    net.reload_with_offset(2, Some(later));
    net.riders[2].clock_ahead += Duration::from_secs(60);
    net.run(10_000);
    let passed = (net.now - begin.0).as_micros() as i64;
    for at in [0, 1] {
        let ridden = net.group_time(at).unwrap() - begin.1;
        assert!((ridden - passed).abs() < 5_000, "{ridden} in {passed}");
    }
}
