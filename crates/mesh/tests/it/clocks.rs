//! Group time on machines whose clocks differ by minutes.

mod false_claims;

use protocol::signaling::HostCommand;
use std::time::Duration;

use mesh::{
    clock_sync::{GroupOffset, micros},
    link_frame::{Body, Heartbeat, LinkFrame, ReceptionReport},
    node::Input,
};
use protocol::{
    frame::FromServer,
    peer::{DeliveryClass, Incarnation, PeerNumber},
};

use crate::network::{Network, PathConditions, SERVER_TIME, incarnation, ms};

/// Largest difference between the group times of some riders, in microseconds.
fn spread(net: &Network, riders: &[usize]) -> i64 {
    let times = riders
        .iter()
        .map(|rider| net.group_time(*rider).expect("known"));
    let times: Vec<_> = times.collect();
    times.iter().max().unwrap() - times.iter().min().unwrap()
}

fn known(net: &Network) -> bool {
    (0..net.riders.len()).all(|rider| net.group_time(rider).is_some())
}

#[test]
fn group_time_is_known_within_a_second_and_within_five_milliseconds() {
    let mut net = Network::new(51);
    net.relay = PathConditions {
        delay: ms(40),
        jitter: ms(4),
        loss: 0,
    };
    net.direct = PathConditions {
        delay: ms(10),
        jitter: ms(2),
        loss: 0,
    };
    (0..4).for_each(|_| _ = net.join());
    let wait = net.run_until("known", known);
    assert!(wait <= ms(1_000), "{wait:?}");
    assert!(
        spread(&net, &[0, 1, 2, 3]) <= 5_000,
        "{}",
        spread(&net, &[0, 1, 2, 3])
    );
    net.run(10_000);
    assert!(
        spread(&net, &[0, 1, 2, 3]) <= 3_000,
        "{}",
        spread(&net, &[0, 1, 2, 3])
    );
    for rider in &net.riders {
        let error = rider.node.clock_error(net.now + rider.clock_ahead).unwrap();
        assert!(error < ms(20), "{error:?}");
    }
}

#[test]
fn group_time_starts_as_the_servers_clock() {
    let net = Network::with_riders(52, 2);
    let server = (ms(SERVER_TIME) + net.now.since_origin()).as_micros() as i64;
    for at in [0, 1] {
        let apart = server - net.group_time(at).unwrap();
        assert!((0..60_000).contains(&apart), "{apart}");
    }
    assert!(spread(&net, &[0, 1]) < 5_000);
}

#[test]
fn a_rider_that_joined_while_the_others_were_cut_off_has_their_time_when_they_return() {
    let mut net = Network::with_riders(58, 2);
    for rider in [0, 1] {
        net.riders[rider].is_online = false;
        net.drop_socket(rider);
    }
    net.run(6_000);
    let late = net.join();
    net.run(5_000);
    assert!(net.riders[late].node.is_host());
    let begin = (net.now, net.group_time(late).unwrap());
    for rider in [0, 1] {
        net.riders[rider].is_online = true;
        net.feed(rider, Input::ProbeSocket);
    }
    net.run(5_000);
    assert!(spread(&net, &[0, 1, late]) < 20_000);
    let passed = (net.now - begin.0).as_micros() as i64;
    let ridden = net.group_time(late).unwrap() - begin.1;
    assert!((ridden - passed).abs() < 100_000, "{ridden} in {passed}");
}

#[test]
fn group_time_never_runs_backwards() {
    for seed in 0..6 {
        let mut net = Network::new(seed);
        let bad = PathConditions {
            delay: ms(20),
            jitter: ms(200),
            loss: 100,
        };
        (net.relay, net.direct) = (bad, bad);
        (0..4).for_each(|_| _ = net.join());
        let mut last = [i64::MIN; 4];
        for round in 0..1_200 {
            net.run(25);
            match round {
                300 => net.drop_socket(0),
                500 => net.feed(0, Input::Leave),
                800 => net.cut(1, 2, true),
                _ => {}
            }
            for (rider, last) in last.iter_mut().enumerate() {
                let time = net.group_time(rider).unwrap_or(*last);
                assert!(time >= *last, "seed {seed}, round {round}, rider {rider}");
                *last = time;
            }
        }
        assert!(spread(&net, &[1, 2, 3]) < 100_000, "seed {seed}");
    }
}

#[test]
fn a_new_host_continues_group_time() {
    let mut net = Network::with_riders(53, 3);
    net.run(3_000);
    let before = net.group_time(2).unwrap();
    net.feed(0, Input::Leave);
    net.run(10_000);
    assert!(net.riders[1].node.is_host());
    assert!(spread(&net, &[1, 2]) < 5_000);
    let passed = net.group_time(2).unwrap() - before;
    assert!((passed - 10_000_000).abs() < 5_000, "{passed}");
}

#[test]
fn a_host_that_reloads_takes_group_time_from_the_other_riders() {
    let mut net = Network::with_riders(54, 3);
    net.run(3_000);
    let before = net.group_time(1).unwrap();
    net.reload(0);
    // The monotonic clock may start again with the page.
    net.riders[0].clock_ahead = Duration::from_secs(77);
    net.run(5_000);
    assert!(net.riders[0].node.is_host());
    assert!(
        spread(&net, &[0, 1, 2]) < 5_000,
        "{}",
        spread(&net, &[0, 1, 2])
    );
    let passed = net.group_time(1).unwrap() - before;
    assert!((passed - 5_000_000).abs() < 5_000, "{passed}");
}

#[test]
fn a_host_alone_that_reloads_continues_group_time() {
    let mut net = Network::with_riders(56, 2);
    net.feed(0, Input::Leave);
    net.run(3_000);
    // Group time is still the clock of the host that left.
    let before = net.group_time(1).unwrap();
    let offset = net.group_offset(1);
    net.reload_with_offset(1, offset);
    net.run(5_000);
    assert!(net.riders[1].node.is_host());
    let passed = net.group_time(1).unwrap() - before;
    assert!((passed - 5_000_000).abs() < 5_000, "{passed}");
}

#[test]
fn a_rider_whose_machine_slept_catches_up() {
    let mut net = Network::with_riders(55, 3);
    net.run(3_000);
    net.now += Duration::from_secs(60);
    net.riders[2].clock_ahead -= Duration::from_secs(60);
    net.run(3_000);
    assert!(
        spread(&net, &[0, 1, 2]) < 5_000,
        "{}",
        spread(&net, &[0, 1, 2])
    );
}

#[test]
fn a_host_whose_machine_slept_does_not_delay_the_others() {
    let mut net = Network::with_riders(56, 3);
    net.feed(0, Input::Command(HostCommand::HandOver { to: net.id(2) }));
    net.run(3_000);
    let begin = (net.now, net.group_time(0).unwrap());
    net.now += Duration::from_secs(3);
    net.riders[2].clock_ahead -= Duration::from_secs(3);
    net.run(3_000);
    assert!(net.riders[2].node.is_host());
    assert!(spread(&net, &[0, 1, 2]) < 20_000);
    let passed = (net.now - begin.0).as_micros() as i64;
    let ridden = net.group_time(0).unwrap() - begin.1;
    assert!((ridden - passed).abs() < 250_000, "{ridden} in {passed}");
}

#[test]
fn a_host_that_slept_while_out_of_reach_does_not_move_the_others_ahead() {
    let mut net = Network::with_riders(59, 3);
    net.feed(0, Input::Command(HostCommand::HandOver { to: net.id(2) }));
    net.run(3_000);
    let begin = (net.now, net.group_time(0).unwrap());
    net.cut(0, 2, true);
    net.riders[0].is_online = false;
    net.drop_socket(0);
    net.run(4_000);
    net.now += Duration::from_secs(3);
    net.riders[2].clock_ahead -= Duration::from_secs(3);
    net.run(4_000);
    net.cut(0, 2, false);
    net.riders[0].is_online = true;
    net.feed(0, Input::ProbeSocket);
    for _ in 0..50 {
        net.run(100);
        let passed = (net.now - begin.0).as_micros() as i64;
        let ridden = net.group_time(0).unwrap() - begin.1;
        assert!((ridden - passed).abs() < 250_000, "{ridden} in {passed}");
    }
}

/// Network of riders whose clocks differ by five minutes from one to the next, with different
/// delays in milliseconds from lower to higher riders (`there`) and back.
fn far_apart(seed: u64, riders: usize, there: u64, back: u64, loss: u64) -> Network {
    let mut net = Network::new(seed);
    for rider in 0..riders {
        net.join();
        net.riders[rider].clock_ahead = Duration::from_secs(300 * rider as u64);
    }
    let path = |delay: u64| PathConditions {
        delay: ms(delay),
        jitter: Duration::ZERO,
        loss,
    };
    (net.relay, net.direct) = (path(there.midpoint(back) / 2), path(there));
    net.direct_back = Some(path(back));
    net.run(8_000);
    net
}

/// Largest difference between the moments at which riders reach the same group time, in
/// microseconds.
fn start_skew(net: &mut Network) -> i64 {
    let start = net.group_time(0).unwrap() + 10_000_000;
    let mut began = vec![None; net.riders.len()];
    while began.iter().any(Option::is_none) {
        net.run(1);
        for (rider, began) in began.iter_mut().enumerate() {
            if net.group_time(rider).unwrap() >= start {
                began.get_or_insert(net.now.since_origin().as_micros() as i64);
            }
        }
    }
    let began: Vec<_> = began.into_iter().flatten().collect();
    began.iter().max().unwrap() - began.iter().min().unwrap()
}

/// Numbers of riders to test: few for most seeds and a dozen for one, since that takes long.
fn rider_counts(seed: u64) -> &'static [usize] {
    if seed == 0 { &[2, 12] } else { &[2, 4] }
}

#[test]
fn all_start_within_45_milliseconds_over_an_asymmetric_path_with_ten_percent_loss() {
    for seed in 0..10 {
        for &riders in rider_counts(seed) {
            let mut net = far_apart(seed, riders, 120, 80, 100);
            let skew = start_skew(&mut net);
            assert!(skew < 45_000, "seed {seed}, {riders} riders: {skew}");
        }
    }
}

#[test]
fn all_start_within_5_milliseconds_over_a_symmetric_path_with_ten_percent_loss() {
    for seed in 0..10 {
        for &riders in rider_counts(seed) {
            let mut net = far_apart(seed, riders, 100, 100, 100);
            let skew = start_skew(&mut net);
            assert!(skew < 5_000, "seed {seed}, {riders} riders: {skew}");
        }
    }
}

#[test]
fn a_hidden_tab_with_timers_once_a_second_does_not_drift_in_ten_minutes() {
    let mut net = Network::with_riders(58, 3);
    for _ in 0..600 {
        net.freeze(2, ms(1_000));
    }
    assert!(spread(&net, &[0, 1, 2]) < 20_000);
}

#[test]
fn group_time_continues_evenly_when_the_host_changes_or_reloads() {
    let mut net = Network::with_riders(59, 4);
    net.run(3_000);
    let mut last: Vec<_> = (0..4).map(|at| net.group_time(at)).collect();
    let begin = (net.now, net.group_time(2).unwrap());
    for second in 0..40 {
        match second {
            5 => {
                let ben = net.id(1);
                net.feed(0, Input::Command(HostCommand::HandOver { to: ben }));
            }
            12 => {
                net.reload(1);
                net.riders[1].clock_ahead = Duration::from_secs(5_000);
                last[1] = None;
            }
            22 => {
                net.kill_server();
                net.crash(1);
                last[1] = None;
            }
            _ => {}
        }
        for _ in 0..40 {
            net.run(25);
            for (at, last) in last.iter_mut().enumerate() {
                let time = net.group_time(at);
                assert!(
                    time >= *last || time.is_none(),
                    "second {second}, rider {at}"
                );
                *last = time.or(*last);
            }
        }
    }
    assert_eq!(net.riders[2].node.epoch(), 3, "handed over, then elected");
    assert!(spread(&net, &[0, 2, 3]) < 5_000);
    let passed = (net.now - begin.0).as_micros() as i64;
    let ridden = net.group_time(2).unwrap() - begin.1;
    assert!((passed - ridden).abs() < 10_000, "{}", passed - ridden);
}
