//! A link that cannot be direct is tried again, for as long as the ride lasts.

use protocol::{peer::LinkState, signaling::DirectLinkSettings};
use rooms::room::RoomSettings;

use crate::net::{Net, ms};

#[test]
fn a_path_that_is_closed_for_an_hour_is_found_when_it_opens() {
    let mut net = Net::riding(700, 2);
    net.cut(0, 1, true);
    net.run(3_600_000);
    assert_eq!(net.link(0, 1), Some(LinkState::Relayed));
    let tries = net.riders[1].node.stats();
    // Every 30 s with jitter, and 10 s each.
    assert!((80..160).contains(&tries.connection_attempts), "{tries:?}");
    assert!(tries.failed_attempts > 70, "{tries:?}");
    net.cut(0, 1, false);
    let back = net.run_until("direct", |net| net.all_links(LinkState::Direct));
    assert!(back <= ms(41_000), "{back:?}");
}

#[test]
fn every_third_try_is_a_new_connection() {
    let mut net = Net::new(701);
    (0..2).for_each(|_| _ = net.join());
    net.cut(0, 1, true);
    net.run(240_000);
    // Each new connection is counted on both sides.
    let opened = u64::from(net.opened(1));
    let both = [0, 1].map(|at| net.riders[at].node.stats().connection_attempts);
    let tries = both[0] + both[1] - opened;
    assert!(
        tries > 6 && opened == tries.div_ceil(3),
        "{opened} of {tries}"
    );
}

#[test]
fn a_try_gets_as_long_as_the_server_says() {
    for timeout in [2_000, 10_000] {
        let settings = RoomSettings {
            direct: DirectLinkSettings {
                timeout_ms: timeout as u32,
                ..DirectLinkSettings::default()
            },
            ..RoomSettings::default()
        };
        let mut net = Net::with(702, settings);
        (0..2).for_each(|_| _ = net.join());
        net.cut(0, 1, true);
        net.run(timeout - 100);
        assert_eq!(net.riders[1].node.stats().failed_attempts, 0);
        let failed = |net: &Net| net.riders[1].node.stats().failed_attempts == 1;
        let late = net.run_until("failed", failed);
        assert!(late <= ms(500), "{late:?}");
    }
}

#[test]
fn the_time_to_connect_is_known_on_both_sides() {
    let net = Net::riding(703, 2);
    for (at, other) in [(0, 1), (1, 0)] {
        let node = &net.riders[at].node;
        let took = node.connect_time(&net.id(other)).expect("direct");
        assert!(took > ms(50) && took < ms(1_500), "{took:?}");
        assert_eq!(node.stats().connect_time, Some(took));
    }
}
