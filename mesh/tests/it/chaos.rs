//! Much goes wrong at once, then everything heals.

use mesh::{
    node::Input,
    peer::{Class, LinkState, Role},
};

use crate::net::{Net, Way, ms};

const RIDERS: usize = 5;

/// One thing that goes wrong, or right again.
fn trouble(net: &mut Net) {
    let one = (net.random() % RIDERS as u64) as usize;
    let other = (one + 1 + (net.random() % (RIDERS as u64 - 1)) as usize) % RIDERS;
    match net.random() % 11 {
        0 | 1 => net.drop_socket(one),
        2 => {
            net.riders[one].online = false;
            net.drop_socket(one);
        }
        3 => net.riders[one].online = true,
        4 => net.riders[one].mute = true,
        5 => net.cut(one, other, true),
        6 => net.cut_one_way(one, other, true),
        7 => net.cut(one, other, false),
        8 if net.riders[one].node.me().is_some() => reload(net, one),
        9 if net.random().is_multiple_of(4) => net.kill_server(),
        9 => net.start_server(),
        _ => net.feed(one, Input::Probe),
    }
}

/// A page is loaded anew, and has kept group time as pages do.
fn reload(net: &mut Net, one: usize) {
    let clock = (net.now + net.riders[one].clock).as_micros() as i64;
    let offset = net.group_time(one).map(|time| time - clock);
    net.reload_remembering(one, offset);
}

fn heal(net: &mut Net) {
    net.start_server();
    for one in 0..RIDERS {
        net.riders[one].online = true;
        net.feed(one, Input::Probe);
        (0..one).for_each(|other| net.cut(one, other, false));
    }
}

fn hosts(net: &Net) -> usize {
    let roles = net.riders.iter().map(|rider| rider.node.role());
    roles.filter(|role| *role == Some(Role::Host)).count()
}

#[test]
fn after_any_trouble_all_are_direct_with_one_host_one_clock_and_whole_streams() {
    let seeds = std::env::var("MESH_SEEDS")
        .ok()
        .and_then(|count| count.parse().ok());
    for seed in 0..seeds.unwrap_or(12) {
        let mut net = Net::riding(seed, RIDERS);
        let bad = Way {
            delay: ms(15),
            jitter: ms(60),
            loss: 100,
        };
        (net.relay, net.direct) = (bad, bad);
        for round in 0..120u8 {
            trouble(&mut net);
            net.broadcast(usize::from(round) % RIDERS, Class::Control, &[round]);
            let wait = net.random() % 1_500;
            net.run(wait);
        }
        heal(&mut net);
        (net.relay, net.direct) = (crate::net::GOOD, crate::net::GOOD);
        net.run_until("direct", |net| net.all_links(LinkState::Direct));
        net.run(10_000);
        assert_eq!(hosts(&net), 1, "seed {seed}");
        net.riders.iter_mut().for_each(|rider| rider.events.clear());
        (0..50).for_each(|number| net.broadcast(0, Class::Control, &[number]));
        net.run(1_000);
        let whole: Vec<_> = (0..50).map(|number| vec![number]).collect();
        for at in 1..RIDERS {
            assert!(
                net.received(at, 0, Class::Control) == whole,
                "seed {seed}, rider {at}"
            );
            let apart = net.group_time(at).unwrap() - net.group_time(0).unwrap();
            assert!(apart.abs() < 5_000, "seed {seed}, rider {at}: {apart}");
        }
    }
}
