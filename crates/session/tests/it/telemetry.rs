//! The numbers that riders send each other.

use clock::GroupTime;
use protocol::peer::LinkState;
use ride::message::{PeerMessage, Telemetry};
use session::Intent;

use crate::harness::{ANA, BEN, World, four_steps, long_ride, ms, secs};

fn telemetry(power: u16, at: GroupTime) -> PeerMessage {
    PeerMessage::Telemetry(Telemetry {
        power: Some(power),
        at,
        ..Telemetry::default()
    })
}

/// Ana and a raw peer, whose row on her list has no name.
fn with_raw_peer(seed: u64) -> (World, usize) {
    let mut world = World::group(seed, 1);
    let raw = world.join_raw_peer();
    world.run(secs(3));
    assert_eq!(world.link(ANA, ""), LinkState::Direct);
    (world, raw)
}

#[test]
fn every_rider_sends_metrics_twice_a_second() {
    let mut world = World::riding(1, 2, long_ride());
    let raw = world.join_raw_peer();
    world.run(secs(3));
    world.forget_received(raw);
    world.run(secs(10));
    for at in [ANA, BEN] {
        let messages = world.raw_peer(raw).messages(&world.peer(at));
        let sent = messages
            .iter()
            .filter(|it| matches!(it, PeerMessage::Telemetry(_)));
        let sent = sent.count();
        assert!((19..=21).contains(&sent), "{sent} in ten seconds");
    }
}

#[test]
fn the_metrics_of_a_rider_on_the_list_are_those_on_the_rider_s_own_screen() {
    let mut world = World::riding(2, 2, long_ride());
    world.run(secs(10));
    // Cadence and heart rate change slowly.
    let (seen, own) = (world.row(ANA, "Ben").metrics, world.view(BEN).own_metrics);
    assert_eq!(seen.target, own.target);
    assert!(seen.power.unwrap().abs_diff(own.power.unwrap()) <= 10);
    assert!(seen.cadence.unwrap().abs_diff(own.cadence.unwrap()) <= 2);
    assert!(seen.heart_rate.unwrap().abs_diff(own.heart_rate.unwrap()) <= 2);
    assert!(own.elapsed_ms - seen.elapsed_ms <= 1_000);
}

#[test]
fn metrics_change_about_every_half_second() {
    let mut world = World::riding(3, 2, long_ride());
    let mut seen = Vec::new();
    for _ in 0..1_000 {
        world.run(ms(10));
        seen.push(world.row(ANA, "Ben").metrics.elapsed_ms);
    }
    seen.dedup();
    assert!((19..=22).contains(&seen.len()), "{}", seen.len());
}

#[test]
fn a_rider_without_a_trainer_shows_no_numbers_but_the_target() {
    let mut world = World::group(4, 2);
    world.start(long_ride());
    world.run(secs(1));
    let metrics = world.row(BEN, "Ana").metrics;
    assert_eq!(metrics.power, None);
    assert_eq!(metrics.cadence, None);
    assert_eq!(metrics.heart_rate, None);
    assert_eq!(metrics.target, Some(120));
}

#[test]
fn metrics_that_do_not_change_are_still_fresh_in_the_lobby() {
    let mut world = World::group(5, 2);
    world.run_while(secs(10), "fresh", |world| !world.row(ANA, "Ben").stale);
}

#[test]
fn metrics_are_stale_after_three_seconds_and_fresh_with_the_next_ones() {
    let (mut world, raw) = with_raw_peer(6);
    let at = world.group_time(ANA).unwrap();
    world.send_message(raw, ANA, &telemetry(100, at));
    world.run(ms(2_900));
    assert!(!world.row(ANA, "").stale);
    world.run(ms(500));
    assert!(world.row(ANA, "").stale);
    assert_eq!(
        world.link(ANA, ""),
        LinkState::Direct,
        "the link is not to blame"
    );
    assert_eq!(world.row(ANA, "").metrics.power, Some(100), "still shown");
    let at = world.group_time(ANA).unwrap();
    world.send_message(raw, ANA, &telemetry(110, at));
    world.run(ms(100));
    assert!(!world.row(ANA, "").stale);
}

#[test]
fn metrics_that_were_long_on_their_way_are_stale_at_once() {
    let (mut world, raw) = with_raw_peer(7);
    let now = world.group_time(ANA).unwrap();
    world.send_message(raw, ANA, &telemetry(100, GroupTime(now.0 - 5_000_000)));
    world.run(ms(100));
    assert_eq!(world.row(ANA, "").metrics.power, Some(100));
    assert!(world.row(ANA, "").stale);
}

#[test]
fn metrics_older_than_the_newest_are_dropped() {
    let (mut world, raw) = with_raw_peer(8);
    let now = world.group_time(ANA).unwrap();
    world.send_message(raw, ANA, &telemetry(200, now));
    world.run(ms(100));
    world.send_message(raw, ANA, &telemetry(100, GroupTime(now.0 - 1_000_000)));
    world.run(ms(100));
    assert_eq!(world.row(ANA, "").metrics.power, Some(200));
}

#[test]
fn metrics_dated_in_the_future_are_not_fresh_for_longer() {
    let (mut world, raw) = with_raw_peer(9);
    let now = world.group_time(ANA).unwrap();
    world.send_message(raw, ANA, &telemetry(200, GroupTime(now.0 + 3_600_000_000)));
    world.run(secs(4));
    assert!(world.row(ANA, "").stale);
    let now = world.group_time(ANA).unwrap();
    world.send_message(raw, ANA, &telemetry(100, now));
    world.run(ms(100));
    assert_eq!(world.row(ANA, "").metrics.power, Some(100));
}

#[test]
fn the_own_row_is_never_stale() {
    let mut world = World::riding(10, 2, long_ride());
    world.go_offline(BEN);
    world.run_while(secs(20), "a fresh own row", |world| {
        !world.own_row(BEN).stale
    });
    assert!(world.row(BEN, "Ana").stale);
}

#[test]
fn the_position_in_the_workout_is_sent_where_it_differs_from_the_time_ridden() {
    let mut world = World::riding(11, 2, four_steps());
    let metrics = world.row(BEN, "Ana").metrics;
    assert_eq!(metrics.position_ms, metrics.elapsed_ms);
    world.intend(ANA, Intent::Skip(0));
    world.run(secs(2));
    let metrics = world.row(BEN, "Ana").metrics;
    assert!(metrics.elapsed_ms < 10_000);
    assert!((60_000..65_000).contains(&metrics.position_ms));
}

#[test]
fn metrics_of_a_reloaded_page_are_shown_though_its_clock_is_behind() {
    let mut world = World::riding(12, 2, long_ride());
    world.run(secs(5));
    world.reload(BEN);
    world.run_until("the ride", |world| world.elapsed(BEN) > secs(0));
    world.run(secs(2));
    let metrics = world.row(ANA, "Ben").metrics;
    let behind = world.view(BEN).own_metrics.elapsed_ms - metrics.elapsed_ms;
    assert!(behind <= 1_000, "{behind} ms behind");
    assert!(!world.row(ANA, "Ben").stale);
}
