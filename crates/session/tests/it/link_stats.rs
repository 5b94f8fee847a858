//! The statistics of the connection panel.

use rooms::room::RoomSettings;
use session::{
    Input, Intent,
    view::{AttemptOutcome, CandidatePair, CandidateType, DirectLinks, LinkStats, NetworkStats},
};

use crate::harness::{ANA, BEN, World, long_ride, ms, secs};

fn stats(world: &World, at: usize, name: &str) -> LinkStats {
    world.row(at, name).link_stats
}

/// Ana and Ben linked directly, and Cem, whose browser has no WebRTC. Ana watches the links.
fn watched(seed: u64) -> World {
    let mut world = World::group(seed, 2);
    let cem = world.add_browser();
    world.tabs[cem].has_webrtc = false;
    world.open(cem);
    world.enter(cem, "Cem", 320);
    world.run(secs(5));
    world.intend(ANA, Intent::WatchLinks(true));
    world.run(secs(2));
    world
}

#[test]
fn each_link_has_round_trip_time_clock_error_and_age_of_the_metrics() {
    let world = watched(1);
    for name in ["Ben", "Cem"] {
        let stats = stats(&world, ANA, name);
        let round_trip = stats.round_trip.unwrap();
        assert!(
            round_trip >= ms(40) && round_trip <= ms(120),
            "{round_trip:?}"
        );
        assert!(stats.clock_error.unwrap() <= ms(50));
        assert!(stats.age.unwrap() <= secs(2));
    }
}

#[test]
fn a_direct_link_has_a_candidate_pair_and_a_relayed_one_has_none() {
    let world = watched(2);
    let pair = CandidatePair {
        local: CandidateType::Host,
        remote: CandidateType::PeerReflexive,
    };
    assert_eq!(stats(&world, ANA, "Ben").candidate_pair, Some(pair));
    assert_eq!(stats(&world, ANA, "Cem").candidate_pair, None);
}

#[test]
fn the_candidate_pair_of_a_connection_that_is_not_in_use_is_ignored() {
    let mut world = watched(5);
    let before = stats(&world, ANA, "Ben").candidate_pair;
    assert!(before.is_some());
    let peer = world.row(ANA, "Ben").peer.clone();
    let old = Input::CandidatePair {
        peer,
        connection: u32::MAX,
        pair: None,
    };
    world.feed(ANA, old);
    assert_eq!(stats(&world, ANA, "Ben").candidate_pair, before);
}

#[test]
fn the_direct_connections_are_counted_with_the_time_they_took() {
    let world = watched(3);
    let network = world.view(ANA).network;
    assert_eq!(network.direct_connections, 1);
    assert!(network.attempts >= 1);
    assert!(network.connect_time.unwrap() <= secs(2));
    assert_eq!(network.fallbacks, 0);
    assert_eq!(network.ignored, 0);
}

#[test]
fn successes_are_counted_by_their_candidates_though_the_panel_was_closed() {
    let mut world = World::riding(9, 2, long_ride());
    world.run(secs(3));
    world.intend(ANA, Intent::WatchLinks(true));
    let outcomes = world.view(ANA).network.outcomes;
    let found = Some(CandidateType::PeerReflexive);
    assert_eq!(outcomes.count(AttemptOutcome::Direct, found), 1);
}

#[test]
fn a_direct_link_that_falls_back_to_the_relay_is_counted() {
    let mut world = watched(4);
    world.block(ANA, BEN, true);
    world.run(secs(5));
    assert_eq!(world.view(ANA).network.fallbacks, 1);
}

#[test]
fn the_bytes_sent_and_received_grow_while_the_panel_is_open() {
    let mut world = watched(5);
    let before = world.view(ANA).network;
    world.run(secs(2));
    let after = world.view(ANA).network;
    assert!(after.bytes_sent > before.bytes_sent);
    assert!(after.bytes_received > before.bytes_received);
}

#[test]
fn the_statistics_stand_still_while_the_panel_is_closed() {
    let mut world = World::riding(6, 2, long_ride());
    assert_eq!(world.view(ANA).network, NetworkStats::default());
    world.intend(ANA, Intent::WatchLinks(true));
    world.run(secs(2));
    world.intend(ANA, Intent::WatchLinks(false));
    let before = world.view(ANA).network;
    world.run(secs(5));
    assert_eq!(world.view(ANA).network, before);
}

#[test]
fn the_panel_is_filled_at_once_when_it_is_opened() {
    let mut world = World::riding(7, 2, long_ride());
    world.intend(ANA, Intent::WatchLinks(true));
    assert!(world.view(ANA).network.bytes_sent > 0);
    assert!(stats(&world, ANA, "Ben").round_trip.is_some());
}

#[test]
fn the_panel_says_why_direct_links_are_not_possible() {
    let world = watched(6);
    let cem = world.tabs.len() - 1;
    assert_eq!(world.view(ANA).direct_links, DirectLinks::Possible);
    assert_eq!(world.view(cem).direct_links, DirectLinks::NoWebRtc);

    let settings = RoomSettings {
        p2p: false,
        ..RoomSettings::default()
    };
    let mut world = World::with_settings(7, settings);
    world.gather(1);
    assert_eq!(world.view(ANA).direct_links, DirectLinks::NotAllowed);
}

#[test]
fn refused_ice_servers_are_named_until_a_connection_is_opened_with_all() {
    let mut world = watched(8);
    let refused = DirectLinks::ServersRefused {
        urls: vec!["stun://a".to_owned()],
        used: 1,
    };
    world.feed(ANA, Input::DirectLinks(refused.clone()));
    world.go_offline(ANA);
    world.run(secs(10));
    world.go_online(ANA);
    world.run(secs(10));
    assert_eq!(world.view(ANA).direct_links, refused);
    world.feed(ANA, Input::DirectLinks(DirectLinks::Possible));
    assert_eq!(world.view(ANA).direct_links, DirectLinks::Possible);
}
