use super::*;

/// Makes a link direct: opens its connection and lets the peer report that frames arrive.
pub(crate) fn make_direct(link: &mut Link, now: Moment) {
    receive_heartbeat(link, now, |_| ());
    let conditions = LinkConditions {
        relay_available: true,
        direct_wanted: true,
        attempt_timeout: Duration::from_secs(10),
        ..LinkConditions::default()
    };
    let mut bucket = TokenBucket::default();
    link.tick(now, conditions, &mut bucket);
    assert!(link.is_direct());
    while link.poll_output().is_some() {}
}

/// Lets a heartbeat of the peer arrive over the data channels, which it opens if necessary.
pub(crate) fn receive_heartbeat(link: &mut Link, now: Moment, edit: impl Fn(&mut Heartbeat)) {
    const CONNECTION: u32 = 1;
    if link.attempts.connection().is_none() {
        link.start_connection_attempt(now, CONNECTION);
        for class in DeliveryClass::ALL {
            link.handle_event(now, CONNECTION, RtcEvent::Opened(class));
        }
    }
    let mut heartbeat = Heartbeat {
        sent: crate::clock_sync::micros(now),
        p2p: true,
        reports: vec![ReceptionReport {
            number: link.own.number,
            incarnation: link.own.incarnation,
            sent: crate::clock_sync::micros(now),
            direct: true,
            ..ReceptionReport::default()
        }],
        ..Heartbeat::default()
    };
    edit(&mut heartbeat);
    let frame = LinkFrame {
        to: Incarnation(0),
        body: Body::Heartbeat(heartbeat),
    };
    assert!(link.receive_direct(now, CONNECTION, &frame.encode()));
}
