//! The server is killed and starts again without its memory.

use protocol::signaling::HostCommand;
use std::collections::BTreeMap;

use clock::Moment;
use mesh::node::{Input, Node, NodeEvent};
use protocol::{
    peer::{DeliveryClass, LinkState},
    signaling::{ErrorCode, Resume},
};
use rooms::room::RoomSettings;

use crate::network::{Network, config, ms};

fn restart(net: &mut Network, down: u64) {
    net.kill_server();
    net.run(down);
    net.start_server();
}

#[test]
fn the_ride_is_the_same_after_a_restart() {
    for seed in 0..10 {
        let mut net = Network::with_riders(300 + seed, 4);
        let before: Vec<_> = net
            .riders
            .iter()
            .map(|one| one.node.me().cloned())
            .collect();
        net.riders.iter_mut().for_each(|one| one.events.clear());
        restart(&mut net, 5_000);
        net.run(10_000);
        for (at, rider) in net.riders.iter().enumerate() {
            assert_eq!(rider.node.me(), before[at].as_ref(), "seed {seed}");
            assert_eq!(rider.node.epoch(), 1);
            assert_eq!(rider.node.members().count(), 3);
            let is_change = |event: &NodeEvent| {
                matches!(
                    event,
                    NodeEvent::Left { .. } | NodeEvent::HostChanged(_) | NodeEvent::Joined(_)
                )
            };
            assert_eq!(net.count_events(at, is_change), 0, "seed {seed}");
        }
        assert!(net.all_links(LinkState::Direct), "seed {seed}");
        let dora = net.join();
        net.run(2_000);
        assert_eq!(net.id(0), *net.riders[dora].node.host().unwrap());
        assert_eq!(net.riders[dora].node.members().count(), 4);
    }
}

#[test]
fn direct_links_continue_while_the_server_is_down() {
    let mut net = Network::with_riders(311, 3);
    net.kill_server();
    for number in 0..20 {
        net.broadcast(0, DeliveryClass::Control, &[number]);
        net.run(500);
    }
    assert!(net.all_links(LinkState::Direct));
    net.start_server();
    net.run(10_000);
    let whole: Vec<_> = (0..20).map(|number| vec![number]).collect();
    assert_eq!(net.received(2, 0, DeliveryClass::Control), whole);
}

#[test]
fn eight_riders_of_a_closing_server_continue_and_return_within_ten_seconds() {
    let mut net = Network::with_riders(320, 8);
    let fallbacks = |net: &Network| -> u64 {
        let stats = net.riders.iter().map(|rider| rider.node.stats());
        stats.map(|stats| stats.fallbacks).sum()
    };
    let before = fallbacks(&net);
    net.shut_down_server(1_000);
    net.run(500);
    net.start_server();
    let gone = net.now;
    let mut back = vec![None; 8];
    for number in 0..100 {
        net.broadcast(0, DeliveryClass::Control, &[number]);
        net.run(100);
        for (rider, back) in back.iter_mut().enumerate() {
            if net.riders[rider]
                .events
                .contains(&NodeEvent::SocketRestored)
            {
                back.get_or_insert(net.now - gone);
            }
        }
    }
    let back: Vec<_> = back.into_iter().flatten().collect();
    assert_eq!(back.len(), 8, "all within ten seconds");
    assert!(
        back.iter().min() < back.iter().max(),
        "not at the same time"
    );
    assert_eq!(fallbacks(&net), before);
    assert_eq!(net.received(7, 0, DeliveryClass::Control).len(), 100);
}

#[test]
fn ten_thousand_pages_that_lose_their_sockets_at_once_return_at_different_times() {
    const RIDERS: u64 = 10_000;
    let lost = || Input::SocketClosed {
        code: 1006,
        reason: String::new(),
    };
    let mut tries = BTreeMap::new();
    for seed in 0..RIDERS {
        let mut node = Node::new(config(1, true, None, seed));
        let mut now = Moment::ZERO;
        // The server does not answer for a while.
        for _ in 0..5 {
            node.handle(now, Input::Timeout);
            node.handle(now, lost());
            while node.poll_output().is_some() {}
            now = node.poll_timeout().unwrap();
            *tries
                .entry(now.since_origin().as_millis() / 100)
                .or_insert(0) += 1;
        }
        assert!(now < Moment::from_origin(ms(30_000)), "{now:?}");
    }
    let most = tries.values().max().unwrap();
    assert!(*most < RIDERS / 2, "{most} in a tenth of a second");
}

#[test]
fn relayed_streams_continue_after_a_restart() {
    let mut net = Network::new(312);
    net.join_with(false, None);
    net.run(100);
    net.join_with(false, None);
    net.run(2_000);
    net.broadcast(0, DeliveryClass::Control, b"before");
    net.kill_server();
    net.run(100);
    net.broadcast(0, DeliveryClass::Control, b"while away");
    net.start_server();
    let back = net.run_until("back", |net| net.link(1, 0) == Some(LinkState::Relayed));
    assert!(back < ms(5_000), "{back:?}");
    net.run(1_000);
    let got = net.received(1, 0, DeliveryClass::Control);
    assert_eq!(got, [b"before".to_vec(), b"while away".to_vec()]);
}

#[test]
fn a_kicked_rider_stays_out_after_a_restart() {
    let mut net = Network::with_riders(313, 3);
    let token = net.resume(2);
    let (peer, reason) = (net.id(2), "Bye.".to_owned());
    net.feed(0, Input::Command(HostCommand::Kick { peer, reason }));
    net.run(500);
    restart(&mut net, 1_000);
    let back = net.open_again(2, token);
    net.run(15_000);
    assert_eq!(
        net.count_events(back, |event| matches!(event, NodeEvent::Kicked { .. })),
        1
    );
    assert_eq!(net.riders[0].node.members().count(), 1);
    assert_eq!(net.link(0, 1), Some(LinkState::Direct));
}

#[test]
fn a_host_that_was_succeeded_does_not_become_host_again_after_a_restart() {
    let mut net = Network::with_riders(314, 4);
    let cleo = net.id(2);
    net.feed(
        0,
        Input::Command(HostCommand::HandOver { to: cleo.clone() }),
    );
    net.run(500);
    net.feed(2, Input::Command(HostCommand::Lock));
    net.run(500);
    restart(&mut net, 3_000);
    net.run(10_000);
    for rider in &net.riders {
        assert_eq!((rider.node.host(), rider.node.epoch()), (Some(&cleo), 2));
        assert!(rider.node.is_locked());
    }
    assert!(!net.riders[0].node.may_reclaim());
    let stranger = net.join();
    net.run(2_000);
    let code = ErrorCode::RideLocked;
    let refused =
        |event: &NodeEvent| matches!(event, NodeEvent::JoinRefused { code: c, .. } if *c == code);
    assert_eq!(net.count_events(stranger, refused), 1);
}

#[test]
fn a_host_lost_together_with_the_server_is_succeeded() {
    let mut net = Network::with_riders(315, 3);
    net.crash(0);
    restart(&mut net, 2_000);
    net.run(15_000);
    assert!(net.riders[1].node.is_host());
    assert_eq!(net.riders[2].node.host(), Some(&net.id(1)));
    assert_eq!(net.riders[2].node.epoch(), 2);
}

#[test]
fn a_rider_that_reloads_while_the_server_is_down_returns_as_the_same_rider() {
    let mut net = Network::with_riders(316, 3);
    let before = net.riders[1].node.me().unwrap().clone();
    net.kill_server();
    net.reload(1);
    net.run(2_000);
    net.start_server();
    net.run(10_000);
    let now = net.riders[1].node.me().unwrap();
    assert_eq!((&now.peer, now.number), (&before.peer, before.number));
    assert_eq!(now.incarnation.0, before.incarnation.0 + 1);
    assert_eq!(net.riders[1].node.host(), Some(&net.id(0)));
    assert!(net.all_links(LinkState::Direct));
}

#[test]
fn repeated_restarts_change_nothing() {
    let mut net = Network::with_riders(317, 4);
    for round in 0..6 {
        restart(&mut net, 500 + round * 700);
        net.run(1_000 + round * 900);
    }
    net.run(15_000);
    assert!(net.all_links(LinkState::Direct));
    let host = net.id(0);
    for rider in &net.riders {
        assert_eq!(rider.node.host(), Some(&host));
        assert_eq!(rider.node.members().count(), 3);
    }
}

#[test]
fn riders_restore_a_server_that_takes_only_short_messages() {
    let settings = RoomSettings {
        max_message_bytes: 1_500,
        ..RoomSettings::default()
    };
    let mut net = Network::with_settings(319, settings);
    for _ in 0..6 {
        net.join();
        net.run(100);
    }
    net.run(3_000);
    restart(&mut net, 1_000);
    net.run(15_000);
    let host = net.id(0);
    for rider in &net.riders {
        assert_eq!((rider.node.host(), rider.node.epoch()), (Some(&host), 1));
    }
    assert!(net.all_links(LinkState::Direct));
}

#[test]
fn a_ride_is_not_restored_without_a_valid_token() {
    let mut net = Network::with_riders(318, 1);
    let token = "theirs_peer-1_1_1_1_1_99999999999".parse().unwrap();
    let peer = net.id(0);
    net.crash(0);
    restart(&mut net, 100);
    let resume = Resume {
        peer,
        token,
        incarnation: None,
    };
    let forger = net.join_with(true, Some(resume));
    let stranger = net.join();
    net.run(2_000);
    let code = ErrorCode::NoSuchRide;
    let refused =
        |event: &NodeEvent| matches!(event, NodeEvent::JoinRefused { code: c, .. } if *c == code);
    assert_eq!(net.count_events(forger, refused), 1);
    assert_eq!(net.count_events(stranger, refused), 1);
}

#[test]
fn pages_keep_the_newest_host_token_and_present_it_after_restarts() {
    let token = |net: &Network, rider: usize| {
        let snapshot = net.riders[rider].node.room_snapshot().unwrap();
        snapshot.host_token.map(|token| token.expose().to_owned())
    };
    let mut net = Network::with_riders(330, 3);
    let (ana, ben) = (net.id(0), net.id(1));
    for rider in 0..3 {
        assert_eq!(token(&net, rider), Some(format!("ours_host_1_{ana}_{ana}")));
    }
    let to = ben.clone();
    net.feed(0, Input::Command(HostCommand::HandOver { to }));
    net.run(500);
    let handed_over = Some(format!("ours_host_2_{ben}_{ben}"));
    assert!((0..3).all(|rider| token(&net, rider) == handed_over));
    for _ in 0..2 {
        restart(&mut net, 3_000);
        net.run(10_000);
        assert!((0..3).all(|rider| token(&net, rider) == handed_over));
        assert_eq!(net.riders[2].node.host(), Some(&ben));
    }
}
