//! What riders set for themselves: the share of the targets, sounds, and the FTP that a test measures.

use std::sync::Arc;

use clock::Duration;
use ride::{
    library::{self, Focus},
    rider::Bias,
    workout::{FtpTest, Workout},
};
use session::{
    Intent, Sound,
    view::{Notice, Stage},
};

use crate::harness::{ANA, BEN, World, four_steps, half_minute, long_ride, ms, secs};

fn test_of(test: FtpTest) -> Arc<Workout> {
    let mut all = library::all().into_iter().map(|built_in| built_in.workout);
    Arc::new(
        all.find(|workout| workout.ftp_test() == Some(test))
            .unwrap(),
    )
}

#[test]
fn a_rider_s_bias_scales_the_own_target_alone() {
    let mut world = World::riding(1, 2, long_ride());
    world.run(secs(10));
    let (ana, ben) = (world.target(ANA).unwrap(), world.target(BEN).unwrap());
    world.intend(ANA, Intent::SetBias(Bias::new(120)));
    world.run(secs(2));
    assert_eq!(world.view(ANA).bias, 120);
    assert_eq!(world.target(ANA), Some((ana * 6 + 2) / 5));
    assert_eq!(world.target(BEN), Some(ben));
    let seen = world.row(BEN, "Ana").metrics.target;
    assert_eq!(
        seen,
        world.target(ANA),
        "the others see the target that is ridden"
    );
}

#[test]
fn a_bias_survives_a_reload() {
    let mut world = World::riding(2, 2, long_ride());
    world.intend(BEN, Intent::SetBias(Bias::new(85)));
    world.run(secs(3));
    world.reload(BEN);
    world.run_until("the ride", |world| *world.stage(BEN) == Stage::Riding);
    assert_eq!(world.view(BEN).bias, 85);
}

/// Sounds of a rider, each with the time since the start of the ride, rounded to 10 ms.
fn sounds(world: &World, at: usize) -> Vec<(i64, Sound)> {
    let start = world.first_shown(at, &Stage::Riding);
    let sounds = world.tabs[at].sounds.iter();
    let since = |moment: clock::Moment| {
        let micros = |at: clock::Moment| at.since_origin().as_micros() as i64;
        (micros(moment) - micros(start) + 5_000).div_euclid(10_000) * 10
    };
    sounds.map(|(at, sound)| (since(*at), *sound)).collect()
}

#[test]
fn every_interval_is_announced_in_its_last_three_seconds_and_at_its_start() {
    let mut world = World::riding(3, 2, half_minute());
    world.run_until("the end", |world| *world.stage(BEN) == Stage::Ended);
    for at in [ANA, BEN] {
        let mut expected = Vec::new();
        for start in [0, 14_000, 22_000, 30_000] {
            let ticks = [3_000, 2_000, 1_000].map(|before| (start - before, Sound::Tick));
            expected.extend(ticks);
            expected.push((start, Sound::Start));
        }
        let heard = sounds(&world, at);
        let kinds = |sounds: &[(i64, Sound)]| -> Vec<Sound> {
            sounds.iter().map(|(_, sound)| *sound).collect()
        };
        // The ride is over with the last second, which may leave out the last sound.
        expected.truncate(heard.len().max(15));
        assert_eq!(kinds(&heard), kinds(&expected), "{heard:?}");
        for ((heard, _), (expected, _)) in heard.iter().zip(&expected) {
            assert!(
                heard.abs_diff(*expected) <= 300,
                "{heard} instead of {expected} ms"
            );
        }
    }
}

#[test]
fn nothing_is_heard_in_a_pause_or_when_the_host_skips() {
    let mut world = World::riding(4, 2, four_steps());
    world.run(secs(1));
    world.tabs[BEN].sounds.clear();
    world.intend(ANA, Intent::Pause);
    world.run(secs(20));
    assert_eq!(world.tabs[BEN].sounds, []);
    world.intend(ANA, Intent::Resume);
    world.run(secs(4));
    world.tabs[BEN].sounds.clear();
    let interval = world.view(ANA).progress.interval;
    world.intend(ANA, Intent::Skip(interval));
    world.run(ms(900));
    assert_eq!(world.tabs[BEN].sounds, []);
}

/// Rides a whole test on the simulator, with another bias than 100 % so that the measured FTP differs.
fn ride_test(seed: u64, test: FtpTest, bias: u8, time: Duration) -> World {
    let mut world = World::new(seed);
    let at = world.open_solo();
    world.run(ms(300));
    world.start(test_of(test));
    world.intend(at, Intent::SetBias(Bias::new(bias)));
    world.run(time);
    world
}

#[test]
fn a_ramp_test_offers_the_ftp_that_it_measured_and_the_rider_takes_it() {
    // Up to the step of 136 % of FTP, and then the rider stops.
    let mut world = ride_test(5, FtpTest::Ramp, 100, secs(300 + 16 * 60));
    assert_eq!(world.view(ANA).measured_ftp, None);
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    let before = world.view(ANA).ftp;
    let measured = world.view(ANA).measured_ftp.unwrap();
    let expected = f32::from(before) * 1.36 * 0.75;
    assert!(
        (f32::from(measured) - expected).abs() <= 6.0,
        "{measured} W, not {expected}"
    );

    world.intend(ANA, Intent::AcceptFtp);
    assert_eq!(world.view(ANA).measured_ftp, None);
    assert_eq!(world.storage(ANA).ftp, Some(measured));
    assert!(world.has_notice(ANA, &Notice::FtpSaved(measured)));
}

#[test]
fn a_rider_may_keep_the_ftp() {
    let mut world = ride_test(6, FtpTest::Ramp, 130, secs(300 + 600));
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    assert!(world.view(ANA).measured_ftp.is_some());
    world.intend(ANA, Intent::KeepFtp);
    assert_eq!(world.view(ANA).measured_ftp, None);
    assert_eq!(world.storage(ANA).ftp, None);
}

#[test]
fn a_twenty_minute_test_that_is_ridden_to_its_end_offers_an_ftp() {
    let test = test_of(FtpTest::TwentyMinutes);
    let world = ride_test(7, FtpTest::TwentyMinutes, 100, test.duration() + secs(5));
    assert_eq!(*world.stage(ANA), Stage::Ended);
    assert!(world.view(ANA).measured_ftp.is_some());
}

#[test]
fn other_workouts_and_short_tests_offer_nothing() {
    let mut world = ride_test(8, FtpTest::TwentyMinutes, 100, secs(300));
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    assert_eq!(world.view(ANA).measured_ftp, None);
    let focus = library::all()
        .iter()
        .filter(|it| it.focus == Focus::Test)
        .count();
    assert_eq!(focus, 2);
}
