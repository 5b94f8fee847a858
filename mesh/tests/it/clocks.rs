//! Group time, on machines whose clocks are minutes apart.

use std::time::Duration;

use mesh::{node::Input, peer::Role};

use crate::net::{Net, Way, ms};

/// How far the riders' ideas of group time are apart, in microseconds.
fn spread(net: &Net, riders: &[usize]) -> i64 {
    let times = riders
        .iter()
        .map(|rider| net.group_time(*rider).expect("known"));
    let times: Vec<_> = times.collect();
    times.iter().max().unwrap() - times.iter().min().unwrap()
}

fn known(net: &Net) -> bool {
    (0..net.riders.len()).all(|rider| net.group_time(rider).is_some())
}

#[test]
fn group_time_is_known_within_a_second_and_within_five_milliseconds() {
    let mut net = Net::new(51);
    net.relay = Way {
        delay: ms(40),
        jitter: ms(4),
        loss: 0,
    };
    net.direct = Way {
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
        let error = rider.node.clock_error(net.now + rider.clock).unwrap();
        assert!(error < ms(20), "{error:?}");
    }
}

#[test]
fn group_time_is_the_hosts_clock() {
    let net = Net::riding(52, 2);
    let host = (net.now + net.riders[0].clock).as_micros() as i64;
    assert_eq!(net.group_time(0), Some(host));
    assert!((net.group_time(1).unwrap() - host).abs() < 5_000);
}

#[test]
fn group_time_never_runs_back_whatever_happens() {
    for seed in 0..6 {
        let mut net = Net::new(seed);
        let bad = Way {
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
fn a_new_host_carries_group_time_on() {
    let mut net = Net::riding(53, 3);
    net.run(3_000);
    let before = net.group_time(2).unwrap();
    net.feed(0, Input::Leave);
    net.run(10_000);
    assert_eq!(net.riders[1].node.role(), Some(Role::Host));
    assert!(spread(&net, &[1, 2]) < 5_000);
    let passed = net.group_time(2).unwrap() - before;
    assert!((passed - 10_000_000).abs() < 5_000, "{passed}");
}

#[test]
fn a_host_who_reloads_takes_group_time_from_its_peers() {
    let mut net = Net::riding(54, 3);
    net.run(3_000);
    let before = net.group_time(1).unwrap();
    net.reload(0);
    // A page's clock starts anew with the page.
    net.riders[0].clock = Duration::from_secs(77);
    net.run(5_000);
    assert_eq!(net.riders[0].node.role(), Some(Role::Host));
    assert!(
        spread(&net, &[0, 1, 2]) < 5_000,
        "{}",
        spread(&net, &[0, 1, 2])
    );
    let passed = net.group_time(1).unwrap() - before;
    assert!((passed - 5_000_000).abs() < 5_000, "{passed}");
}

#[test]
fn a_host_alone_who_reloads_carries_group_time_on() {
    let mut net = Net::riding(56, 2);
    net.feed(0, Input::Leave);
    net.run(3_000);
    // Group time is still the clock of the host who left.
    let before = net.group_time(1).unwrap();
    let clock = (net.now + net.riders[1].clock).as_micros() as i64;
    net.reload_remembering(1, Some(before - clock));
    net.run(5_000);
    assert_eq!(net.riders[1].node.role(), Some(Role::Host));
    let passed = net.group_time(1).unwrap() - before;
    assert!((passed - 5_000_000).abs() < 5_000, "{passed}");
}

#[test]
fn a_rider_whose_machine_slept_catches_up() {
    let mut net = Net::riding(55, 3);
    net.run(3_000);
    net.now += Duration::from_secs(60);
    net.riders[2].clock -= Duration::from_secs(60);
    net.run(3_000);
    assert!(
        spread(&net, &[0, 1, 2]) < 5_000,
        "{}",
        spread(&net, &[0, 1, 2])
    );
}
