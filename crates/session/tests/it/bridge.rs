//! A phone that connects devices for a rider whose browser has no Bluetooth.

use mesh::node;
use protocol::peer::{DeliveryClass, MemberRole};
use ride::{
    bridge::{BridgeReport, BridgedDevice, BridgedState},
    message::PeerMessage,
    trainer::{Capabilities, DeviceKind, Load, Reading, heart_rate},
};
use session::{
    Intent, Sound,
    view::{BridgeView, DeviceState, JoinError, PhoneState, RiderPage, Stage},
};

use crate::harness::{
    ANA, BEN, ClockInSleep, FakeTrainer, PathConditions, SET_SIMULATION, World, four_steps,
    long_ride, ms, secs,
};

/// Fragment of the link that Ana's page shows.
fn fragment(world: &World) -> String {
    let link = &world.view(ANA).devices.bridge_link;
    let (page, fragment) = link.split_once('#').expect("a fragment");
    assert_eq!(page, "https://gruppetto.example/bridge");
    fragment.to_owned()
}

/// Ana, whose phone has a trainer on which she pedals with 150 W at 85 rpm; and the phone.
fn with_phone(seed: u64, riders: usize) -> (World, usize) {
    let mut world = World::group(seed, riders);
    world.run(secs(1));
    let phone = world.open_bridge(&fragment(&world));
    world.run(secs(1));
    world.connect_trainer(phone, FakeTrainer::new("Kickr"));
    world.pedal(phone, 150, 85);
    world.run(secs(2));
    (world, phone)
}

fn bridge_view(world: &World, phone: usize) -> &BridgeView {
    let bridge = world.view(phone).devices.bridge.as_ref();
    bridge.expect("a bridge")
}

fn page(world: &World, phone: usize) -> RiderPage {
    bridge_view(world, phone).page
}

fn alarms(world: &World) -> usize {
    let sounds = world.tabs[ANA].sounds.iter();
    sounds.filter(|(_, sound)| *sound == Sound::Alarm).count()
}

#[test]
fn the_devices_of_the_phone_are_the_riders_and_all_riders_see_their_values() {
    let (mut world, phone) = with_phone(1, 2);
    let strap = FakeTrainer::sensor("Strap", heart_rate::MEASUREMENT, &[0, 142]);
    world.pair(phone, DeviceKind::HeartRate, strap);
    world.run(secs(2));
    let own = &world.view(ANA).own_metrics;
    assert_eq!(
        (own.power, own.cadence, own.heart_rate),
        (Some(150), Some(85), Some(142))
    );
    assert_eq!(
        *world.trainer(ANA),
        DeviceState::Connected("Kickr".to_owned())
    );
    assert_eq!(world.view(ANA).devices.phone, PhoneState::Connected);
    let seen = world.row(BEN, "Ana").metrics;
    assert_eq!((seen.power, seen.heart_rate), (Some(150), Some(142)));
    let bridge = world.view(phone).devices.bridge.clone().expect("a bridge");
    assert_eq!((&*bridge.rider, bridge.page), ("Ana", RiderPage::Connected));
    assert_eq!(world.listed(BEN), ["Ana", "Ben"], "a phone is no rider");
}

#[test]
fn targets_reach_the_phones_trainer_over_a_direct_link_without_delay() {
    let (mut world, phone) = with_phone(2, 2);
    // The server is not needed any more: the way over the relay is closed.
    world.relay = PathConditions {
        loss_per_mille: 1_000,
        ..world.relay
    };
    world.start(four_steps());
    let mut last = 0;
    world.run_until("a target", |world| world.target(ANA).is_some());
    for _ in 0..200 {
        let target = world.target(ANA);
        if let Some(target) = target.filter(|target| *target != last) {
            world.run(ms(100));
            let given = world.fake_trainer(phone).targets();
            assert!(given.contains(&target), "{target} W in {given:?}");
            last = target;
        }
        world.run(ms(50));
    }
    assert!(last > 0);
}

#[test]
fn targets_and_values_survive_a_bad_network() {
    let (mut world, phone) = with_phone(3, 1);
    world.direct.loss_per_mille = 300;
    world.relay.loss_per_mille = 300;
    world.start(long_ride());
    world.run(secs(10));
    world.run_while(secs(30), "the values of the trainer", |world| {
        world.view(ANA).own_metrics.power == Some(150)
    });
    let target = world.target(ANA).expect("a target");
    assert_eq!(world.fake_trainer(phone).targets().last(), Some(&target));
}

#[test]
fn when_the_riders_page_is_gone_the_phone_holds_the_target_and_then_eases_off() {
    let (mut world, phone) = with_phone(4, 1);
    world.start(long_ride());
    world.run(secs(15));
    let target = world.target(ANA).expect("a target");
    assert_eq!(world.fake_trainer(phone).targets().last(), Some(&target));
    world.crash(ANA);
    world.run(secs(5));
    assert_eq!(page(&world, phone), RiderPage::Silent);
    world.run(secs(4));
    assert_eq!(
        world.fake_trainer(phone).targets().last(),
        Some(&target),
        "held"
    );
    world.run(secs(6));
    assert_eq!(page(&world, phone), RiderPage::Lost);
    let eased = *world
        .fake_trainer(phone)
        .targets()
        .last()
        .expect("a target");
    assert!(
        eased > 0 && eased < target * 7 / 10,
        "{eased} of {target} W"
    );
    world.run(secs(8));
    let load = bridge_view(&world, phone).load;
    assert_eq!(load, Load::FREE);
    // The rider is back, with the same link.
    world.open(ANA);
    if matches!(world.stage(ANA), Stage::ChooseRider { .. }) {
        world.intend(ANA, Intent::ResumeAs(0));
    }
    world.run(secs(10));
    assert_eq!(page(&world, phone), RiderPage::Connected);
    assert_eq!(world.view(ANA).own_metrics.power, Some(150));
    let target = world.target(ANA);
    assert_eq!(world.fake_trainer(phone).targets().last().copied(), target);
}

#[test]
fn when_the_rider_leaves_the_phone_eases_off_at_once() {
    let (mut world, phone) = with_phone(5, 2);
    world.start(long_ride());
    world.run(secs(15));
    world.intend(ANA, Intent::Leave);
    world.run(secs(6));
    let load = bridge_view(&world, phone).load;
    assert!(load.power().is_some_and(|watts| watts < 100), "{load:?}");
    world.run(secs(6));
    assert_eq!(bridge_view(&world, phone).load, Load::FREE);
}

#[test]
fn when_the_phone_is_gone_the_page_says_so_rides_on_and_takes_it_back() {
    let (mut world, phone) = with_phone(6, 1);
    world.start(long_ride());
    world.run(secs(10));
    world.crash(phone);
    world.run(secs(4));
    assert_eq!(world.view(ANA).devices.phone, PhoneState::Lost);
    assert_eq!(*world.trainer(ANA), DeviceState::Lost("Kickr".to_owned()));
    assert_eq!(
        world.view(ANA).own_metrics.power,
        None,
        "missing, not frozen"
    );
    assert_eq!(alarms(&world), 1);
    let ridden = world.elapsed(ANA);
    // Her phone is opened again: another member, with the same link.
    let phone = world.open_bridge(&fragment(&world));
    world.run(secs(1));
    world.connect_trainer(phone, FakeTrainer::new("Kickr"));
    world.pedal(phone, 140, 85);
    world.run(secs(6));
    assert_eq!(world.view(ANA).own_metrics.power, Some(140));
    assert!(world.elapsed(ANA) > ridden + secs(6));
    let target = world.target(ANA).expect("a target");
    assert_eq!(world.fake_trainer(phone).targets().last(), Some(&target));
    assert_eq!(alarms(&world), 1);
}

#[test]
fn a_phone_that_is_opened_anew_takes_over_from_one_that_is_still_there() {
    let (mut world, old) = with_phone(7, 1);
    let new = world.open_bridge(&fragment(&world));
    world.run(secs(1));
    world.connect_trainer(new, FakeTrainer::new("Neo"));
    world.pedal(new, 200, 90);
    world.run(secs(3));
    assert_eq!(
        *world.trainer(ANA),
        DeviceState::Connected("Neo".to_owned())
    );
    assert_eq!(world.view(ANA).own_metrics.power, Some(200));
    assert_eq!(page(&world, new), RiderPage::Connected);
    assert_eq!(page(&world, old), RiderPage::Silent);
    // Both report on, and only the new one is given targets, over a link that stays direct.
    world.relay.loss_per_mille = 1_000;
    world.start(long_ride());
    world.run_while(secs(20), "the values of the new trainer", |world| {
        world.view(ANA).own_metrics.power == Some(200)
    });
    let target = world.target(ANA).expect("a target");
    assert_eq!(world.fake_trainer(new).targets().last(), Some(&target));
    assert!(world.fake_trainer(old).targets().is_empty());
}

#[test]
fn the_trainer_of_the_phone_takes_the_place_of_the_simulator() {
    let (mut world, phone) = with_phone(8, 1);
    let strap = FakeTrainer::sensor("Strap", heart_rate::MEASUREMENT, &[0, 131]);
    world.pair(phone, DeviceKind::HeartRate, strap);
    world.intend(ANA, Intent::SimulateTrainer);
    world.start(long_ride());
    world.run(secs(10));
    assert_eq!(
        *world.trainer(ANA),
        DeviceState::Connected("Kickr".to_owned())
    );
    let own = &world.view(ANA).own_metrics;
    assert_eq!((own.power, own.heart_rate), (Some(150), Some(131)));
    let mut trainers = world.tabs[phone].trainers.values();
    let trainer = trainers.find(|trainer| trainer.name == "Kickr");
    let targets = trainer.expect("the trainer").targets();
    assert_eq!(targets.last().copied(), world.target(ANA));
}

#[test]
fn a_page_with_a_trainer_of_its_own_uses_that_and_the_strap_of_the_phone() {
    let (mut world, phone) = with_phone(15, 1);
    let strap = FakeTrainer::sensor("Strap", heart_rate::MEASUREMENT, &[0, 131]);
    world.pair(phone, DeviceKind::HeartRate, strap);
    world.connect_trainer(ANA, FakeTrainer::new("Neo"));
    world.pedal(ANA, 160, 90);
    world.start(long_ride());
    world.run(secs(10));
    let own = &world.view(ANA).own_metrics;
    assert_eq!((own.power, own.heart_rate), (Some(160), Some(131)));
    let load = bridge_view(&world, phone).load;
    assert_eq!(load, Load::FREE, "a trainer that no one rides");
}

#[test]
fn a_link_that_is_not_complete_and_a_ride_that_is_over_are_said() {
    let mut world = World::group(9, 1);
    world.run(secs(1));
    let fragment = fragment(&world);
    let cut = world.open_bridge(&fragment[..fragment.len() - 1]);
    assert_eq!(*world.stage(cut), Stage::CannotJoin(JoinError::NotACode));
    let phone = world.open_bridge(&fragment);
    world.run(secs(1));
    assert_eq!(*world.stage(phone), Stage::Lobby);
    world.connect_trainer(phone, FakeTrainer::new("Kickr"));
    world.intend(ANA, Intent::CloseRide);
    world.run(secs(1));
    assert_eq!(*world.stage(phone), Stage::CannotJoin(JoinError::Closed));
    assert!(world.tabs[phone].trainers.is_empty(), "free for others");
    assert!(!world.tabs[phone].screen_is_kept_on);
}

#[test]
fn a_phone_that_reaches_no_server_says_so_and_joins_with_a_tap() {
    let mut world = World::group(17, 1);
    world.run(secs(1));
    let fragment = fragment(&world);
    world.kill_server();
    let phone = world.open_bridge(&fragment);
    world.run(secs(15));
    assert_eq!(
        *world.stage(phone),
        Stage::CannotJoin(JoinError::Unreachable)
    );
    world.start_server();
    world.run(secs(20));
    world.intend(phone, Intent::Retry);
    world.run(secs(3));
    assert_eq!(page(&world, phone), RiderPage::Connected);
}

#[test]
fn a_rider_alone_with_the_phone_finds_the_ride_where_it_was_after_a_sleep() {
    let (mut world, _) = with_phone(18, 1);
    world.start(long_ride());
    world.run(secs(20));
    let before = world.elapsed(ANA);
    world.sleep(ANA, secs(600), ClockInSleep::RunsOn);
    world.run(secs(5));
    let passed = world.elapsed(ANA) - before;
    assert!(passed < secs(30), "{passed:?}");
}

/// Report of a trainer with 2,000 W.
fn forged(proof: [u8; 32]) -> Vec<u8> {
    let report = BridgeReport {
        proof,
        devices: vec![BridgedDevice {
            kind: DeviceKind::Trainer,
            state: BridgedState::Connected,
            name: "Forged".to_owned(),
            capabilities: Capabilities::ALL,
            reading: Reading {
                power: Some(2_000),
                ..Reading::default()
            },
            battery: None,
        }],
    };
    report.encode()
}

#[test]
fn a_member_without_the_secret_is_no_phone_of_the_rider() {
    let mut world = World::group(10, 2);
    let (bridge, rider) = (world.join_raw_bridge(), world.join_raw_peer());
    world.run(secs(1));
    for byte in 0..200 {
        for sender in [bridge, rider] {
            let report = forged([byte; 32]);
            world.send_raw(sender, ANA, DeliveryClass::Telemetry, report);
        }
        world.run(ms(20));
    }
    assert_eq!(world.view(ANA).devices.phone, PhoneState::None);
    assert_eq!(world.view(ANA).own_metrics.power, None);
    // The rider's own phone is heard all the same.
    let phone = world.open_bridge(&fragment(&world));
    world.run(secs(2));
    assert_eq!(page(&world, phone), RiderPage::Connected);
}

#[test]
fn a_bridge_that_poses_as_a_rider_is_not_believed() {
    let mut world = World::group(12, 2);
    let bridge = world.join_raw_bridge();
    let profile = ride::rider::RiderProfile {
        name: "Eve".parse().expect("a name"),
        ftp: ride::rider::Ftp::default(),
        ready: true,
        trainer: ride::rider::TrainerKind::Bluetooth,
    };
    world.send_message(bridge, ANA, &PeerMessage::Profile(profile));
    world.run(secs(2));
    assert_eq!(world.listed(ANA), ["Ana", "Ben"]);
    let received = world.raw_peer(bridge).messages(&world.peer(ANA));
    assert_eq!(received, [], "nothing of the ride is sent to a bridge");
}

#[test]
fn loads_of_another_rider_do_not_reach_the_trainer() {
    let (mut world, phone) = with_phone(13, 1);
    let raw = world.join_raw_peer();
    world.start(long_ride());
    world.run(secs(10));
    let load =
        ride::bridge::BridgeLoad::new(Some(Load::Power(900)), &"Ana".parse().expect("a name"));
    let bridge = {
        let mut members = world.raw_peer(raw).node().members();
        let bridge = members.find(|member| member.role == MemberRole::Bridge);
        bridge.expect("the phone").peer.clone()
    };
    let send = node::Input::Send {
        to: bridge,
        class: DeliveryClass::Telemetry,
        payload: load.encode(),
    };
    world.feed_node(raw, send);
    world.run(secs(2));
    assert!(!world.fake_trainer(phone).targets().contains(&900));
}

#[test]
fn a_rider_whose_ride_the_server_has_forgotten_keeps_the_phone() {
    let (mut world, phone) = with_phone(14, 1);
    world.start(long_ride());
    world.run(secs(10));
    world.kill_server();
    world.run(secs(2));
    world.start_server_with_another_secret();
    world.run_while(secs(60), "the values of the trainer", |world| {
        world.view(ANA).own_metrics.power == Some(150)
    });
    let target = world.target(ANA).expect("a target");
    assert_eq!(world.fake_trainer(phone).targets().last(), Some(&target));
    assert_eq!(page(&world, phone), RiderPage::Connected);
}

#[test]
fn a_reload_during_the_ride_leaves_the_trainer_its_target() {
    let (mut world, phone) = with_phone(16, 1);
    world.start(long_ride());
    world.run(secs(15));
    let before = world.fake_trainer(phone).commands.len();
    let target = world.target(ANA).expect("a target");
    world.reload(ANA);
    world.run(secs(10));
    let since = &world.fake_trainer(phone).commands[before..];
    let freed = since.iter().filter(|command| command[0] == SET_SIMULATION);
    assert_eq!(freed.count(), 0, "{since:?}");
    assert_eq!(world.target(ANA), Some(target));
}

#[test]
fn a_phone_that_is_opened_anew_without_its_trainer_sounds_the_alarm() {
    let (mut world, phone) = with_phone(19, 1);
    world.start(long_ride());
    world.run(secs(10));
    world.crash(phone);
    let phone = world.open_bridge(&fragment(&world));
    world.run(secs(2));
    assert_eq!(page(&world, phone), RiderPage::Connected);
    assert_eq!(*world.trainer(ANA), DeviceState::Lost("Kickr".to_owned()));
    assert_eq!(alarms(&world), 1);
    world.connect_trainer(phone, FakeTrainer::new("Neo"));
    world.pedal(phone, 140, 85);
    world.run(secs(3));
    assert_eq!(
        *world.trainer(ANA),
        DeviceState::Connected("Neo".to_owned())
    );
    // A device that is forgotten on the phone is missed no more.
    world.intend(phone, Intent::Forget(DeviceKind::Trainer));
    world.run(secs(2));
    assert_eq!(*world.trainer(ANA), DeviceState::None);
    assert_eq!(alarms(&world), 1);
}

#[test]
fn a_phone_whose_page_is_loaded_again_is_the_same_member_also_in_a_locked_ride() {
    let (mut world, phone) = with_phone(20, 2);
    let fragment = fragment(&world);
    world.start(long_ride());
    world.run(secs(10));
    world.intend(ANA, Intent::Lock(true));
    world.run(secs(1));
    for (away, alarm) in [(ms(500), 1), (secs(90), 2)] {
        world.close_page(phone);
        world.run(away);
        // As in browsers that find no devices again.
        world.storage_mut(phone).devices = Default::default();
        world.open_bridge_in(phone, &fragment);
        world.run(secs(2));
        assert_eq!(page(&world, phone), RiderPage::Connected);
        assert_eq!(*world.trainer(ANA), DeviceState::Lost("Kickr".to_owned()));
        assert_eq!(alarms(&world), alarm, "the trainer is to be paired again");
        world.connect_trainer(phone, FakeTrainer::new("Kickr"));
        world.pedal(phone, 140, 85);
        world.run(secs(4));
        assert_eq!(world.view(ANA).own_metrics.power, Some(140));
    }
    // Another phone is a new member.
    let other = world.open_bridge(&fragment);
    world.run(secs(2));
    assert_eq!(*world.stage(other), Stage::CannotJoin(JoinError::Locked));
}

#[test]
fn a_phone_that_the_server_knows_no_more_joins_anew() {
    let mut world = World::group(21, 1);
    world.run(secs(1));
    let fragment = fragment(&world);
    for stored in [
        format!("{fragment} phone made-up-token"),
        "damaged".to_owned(),
    ] {
        let phone = world.add_browser();
        world.storage_mut(phone).bridge = stored.clone();
        world.open_bridge_in(phone, &fragment);
        world.run(secs(2));
        assert_eq!(page(&world, phone), RiderPage::Connected);
        assert_ne!(world.storage(phone).bridge, stored);
    }
}

#[test]
fn a_second_tab_of_the_phone_takes_over_and_the_first_takes_it_back_with_a_tap() {
    let (mut world, first) = with_phone(22, 1);
    let second = world.add_tab(first);
    world.open_bridge_in(second, &fragment(&world));
    world.run(secs(2));
    assert_eq!(*world.stage(first), Stage::TakenOver);
    assert!(world.tabs[first].trainers.is_empty(), "free for the second");
    assert!(!world.tabs[first].screen_is_kept_on);
    assert_eq!(page(&world, second), RiderPage::Connected);
    world.intend(first, Intent::TakeOver);
    world.run(secs(2));
    assert_eq!(*world.stage(second), Stage::TakenOver);
    assert_eq!(page(&world, first), RiderPage::Connected);
    assert!(world.tabs[first].screen_is_kept_on);
}

#[test]
fn a_rider_stops_using_a_phone_and_its_link_is_invalid_from_then_on() {
    let (mut world, phone) = with_phone(23, 2);
    let old_link = fragment(&world);
    world.start(long_ride());
    world.run(secs(15));
    assert!(world.target(ANA).is_some());
    world.intend(ANA, Intent::StopPhone);
    world.run(secs(2));
    assert_eq!(*world.trainer(ANA), DeviceState::None);
    assert_eq!(world.view(ANA).devices.phone, PhoneState::None);
    assert_eq!(world.view(ANA).own_metrics.power, None);
    assert_eq!(alarms(&world), 0, "it was asked for");
    assert_eq!(*world.stage(phone), Stage::CannotJoin(JoinError::Dismissed));
    let eased = bridge_view(&world, phone).load.power();
    assert!(
        eased.is_some_and(|watts| watts > 0),
        "not at once: {eased:?}"
    );
    world.run(secs(12));
    assert!(world.tabs[phone].trainers.is_empty(), "free for others");

    let seen = world.view(ANA).others.len();
    assert_eq!(seen, 0, "it has left");

    let thief = world.open_bridge(&old_link);
    world.run(secs(5));
    assert_eq!(*world.stage(thief), Stage::CannotJoin(JoinError::Dismissed));
    assert_eq!(world.view(ANA).devices.phone, PhoneState::None);
    // The link that is shown now is another one, also after a reload.
    world.reload(ANA);
    world.run(secs(3));
    let new_link = fragment(&world);
    assert_ne!(new_link, old_link);
    world.intend(ANA, Intent::Lock(true));
    world.run(secs(1));
    world.open_bridge_in(phone, &new_link);
    world.run(secs(2));
    assert_eq!(page(&world, phone), RiderPage::Connected);
    // It is known also after a reload which links are invalid.
    world.intend(ANA, Intent::Lock(false));
    world.run(secs(1));
    let thief = world.open_bridge(&old_link);
    world.run(secs(5));
    assert_eq!(*world.stage(thief), Stage::CannotJoin(JoinError::Dismissed));
    assert_eq!(page(&world, phone), RiderPage::Connected);
}

#[test]
fn a_phone_says_that_its_rider_is_not_in_the_ride() {
    let (mut world, phone) = with_phone(24, 2);
    let fragment = fragment(&world);
    world.intend(ANA, Intent::Leave);
    world.run(secs(2));
    assert_eq!(page(&world, phone), RiderPage::Absent);
    let late = world.open_bridge(&fragment);
    world.run(secs(2));
    assert_eq!(page(&world, late), RiderPage::Absent);
}

#[test]
fn a_phone_that_the_server_refuses_goes_on_until_its_direct_link_is_lost() {
    let (mut world, phone) = with_phone(25, 1);
    world.start(long_ride());
    world.run(secs(10));
    world.kill_server();
    world.run(secs(2));
    world.start_server_with_another_secret();
    world.run(secs(30));
    assert_eq!(page(&world, phone), RiderPage::Connected);
    world.crash(ANA);
    world.run(secs(40));
    assert!(
        matches!(world.stage(phone), Stage::CannotJoin(_)),
        "{:?}",
        world.stage(phone)
    );
    assert!(world.tabs[phone].trainers.is_empty(), "free for others");
}

#[test]
fn the_host_sees_who_does_not_ride_and_removes_them() {
    let (mut world, phone) = with_phone(26, 2);
    let seen = |world: &World, at: usize| {
        let others = world.view(at).others.iter();
        others.map(|other| other.role).collect::<Vec<_>>()
    };
    assert_eq!(seen(&world, ANA), [MemberRole::Bridge]);
    assert_eq!(seen(&world, BEN), [MemberRole::Bridge]);
    let peer = world.view(ANA).others[0].peer.clone();
    let reason = String::new();
    world.intend(ANA, Intent::Kick { peer, reason });
    world.run(secs(2));
    assert_eq!(*world.stage(phone), Stage::CannotJoin(JoinError::Kicked));
    assert_eq!(seen(&world, ANA), []);
}

#[test]
fn a_phone_whose_trainer_comes_and_goes_makes_few_messages_to_all_riders() {
    let mut world = World::group(27, 1);
    let raw = world.join_raw_peer();
    world.run(secs(1));
    let phone = world.open_bridge(&fragment(&world));
    world.run(secs(1));
    let ana = world.peer(ANA);
    let profiles = |world: &World| {
        let messages = world.raw_peer(raw).messages(&ana).into_iter();
        let is_profile = |message: &PeerMessage| matches!(message, PeerMessage::Profile(_));
        messages.filter(is_profile).count()
    };
    let (before, began) = (profiles(&world), world.now);
    for _ in 0..20 {
        world.connect_trainer(phone, FakeTrainer::new("Kickr"));
        world.run(ms(100));
        world.intend(phone, Intent::Forget(DeviceKind::Trainer));
        world.run(ms(100));
    }
    let seconds = (world.now - began).as_secs() as usize;
    let sent = profiles(&world) - before;
    assert!(
        (2..=seconds + 5).contains(&sent),
        "{sent} profiles in {seconds} s"
    );
}

#[test]
fn a_tab_that_takes_the_ride_back_keeps_a_link_invalid() {
    let (mut world, phone) = with_phone(28, 1);
    let old_link = fragment(&world);
    let second = world.add_tab(ANA);
    world.open(second);
    world.intend(second, Intent::ResumeAs(0));
    world.run(secs(3));
    world.intend(second, Intent::StopPhone);
    world.run(secs(1));
    world.intend(ANA, Intent::TakeOver);
    world.run(secs(3));
    assert_ne!(fragment(&world), old_link);
    assert_eq!(world.view(ANA).devices.phone, PhoneState::None);
    world.open_bridge_in(phone, &old_link);
    world.run(secs(3));
    assert_eq!(*world.stage(phone), Stage::CannotJoin(JoinError::Dismissed));
}
