//! Attempts to make a link direct are repeated for as long as the ride lasts.

use protocol::{peer::LinkState, signaling::DirectLinkSettings};
use rooms::room::RoomSettings;

use crate::network::{Network, ms};

#[test]
fn a_link_becomes_direct_when_its_path_opens_after_an_hour() {
    let mut net = Network::with_riders(700, 2);
    net.cut(0, 1, true);
    net.run(3_600_000);
    assert_eq!(net.link(0, 1), Some(LinkState::Relayed));
    let stats = net.riders[1].node.stats();
    // An attempt lasts 10 s, and the next one follows 15 to 30 s later.
    assert!((80..160).contains(&stats.connection_attempts), "{stats:?}");
    assert!(stats.failed_attempts > 70, "{stats:?}");
    net.cut(0, 1, false);
    let back = net.run_until("direct", |net| net.all_links(LinkState::Direct));
    assert!(back <= ms(41_000), "{back:?}");
}

#[test]
fn every_third_attempt_makes_a_new_connection() {
    let mut net = Network::new(701);
    (0..2).for_each(|_| _ = net.join());
    net.cut(0, 1, true);
    net.run(240_000);
    // A new connection is counted as an attempt on both sides.
    let opened = u64::from(net.opened_connections(1));
    let both = [0, 1].map(|at| net.riders[at].node.stats().connection_attempts);
    let attempts = both[0] + both[1] - opened;
    assert!(
        attempts > 6 && opened == attempts.div_ceil(3),
        "{opened} of {attempts}"
    );
}

#[test]
fn an_attempt_has_the_timeout_that_the_server_sets() {
    for timeout in [2_000, 10_000] {
        let settings = RoomSettings {
            direct: DirectLinkSettings {
                timeout_ms: timeout as u32,
                ..DirectLinkSettings::default()
            },
            ..RoomSettings::default()
        };
        let mut net = Network::with_settings(702, settings);
        (0..2).for_each(|_| _ = net.join());
        net.cut(0, 1, true);
        net.run(timeout - 100);
        assert_eq!(net.riders[1].node.stats().failed_attempts, 0);
        let failed = |net: &Network| net.riders[1].node.stats().failed_attempts == 1;
        let late = net.run_until("failed", failed);
        assert!(late <= ms(500), "{late:?}");
    }
}

#[test]
fn the_connect_time_is_known_on_both_sides() {
    let net = Network::with_riders(703, 2);
    for (at, other) in [(0, 1), (1, 0)] {
        let node = &net.riders[at].node;
        let took = node.connect_time(&net.id(other)).expect("direct");
        assert!(took > ms(50) && took < ms(1_500), "{took:?}");
        assert_eq!(node.stats().connect_time, Some(took));
    }
}
